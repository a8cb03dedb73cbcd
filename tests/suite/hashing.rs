//! What a password hash costs and what computes it: the settings, `check` and `hash-cost`, stored
//! hashes of another cost, and the memory of hashing.

use std::fs;
use std::thread;

use crate::support::*;

fn stored(server: &Server, name: &str) -> String {
    server.dir.sql().text(&format!("SELECT password FROM users WHERE name = '{name}'"))
}

/// Restarts the server with other flags on the same files.
fn restarted(server: Server, flags: &[&str]) -> Server {
    let (code, dir) = server.stop("-TERM");
    assert_eq!(code, Some(0));
    Server::start_in(dir, flags)
}

#[test]
fn a_weaker_hash_is_replaced_at_the_next_login_and_a_stronger_one_stays() {
    const MORE_MEMORY: &[&str] = &["--hash-memory", "24MiB"];
    const MORE_PASSES: &[&str] = &["--hash-passes", "3"];
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    assert!(stored(&server, "ada").starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));

    let mut server = restarted(server, MORE_MEMORY);
    assert_eq!(server.login("ada", "not it").status(), 401);
    assert_eq!(server.login("nobody", "not it").status(), 401);
    assert!(stored(&server, "ada").starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    server.login("ada", PASSWORD).token();
    assert!(stored(&server, "ada").starts_with("$argon2id$v=19$m=24576,t=2,p=1$"));

    // 24 MiB and 2 passes are less work than 19 MiB and 3; back again it is more, and stays.
    for (flags, expected) in [
        (MORE_PASSES, "$argon2id$v=19$m=19456,t=3,p=1$"),
        (MORE_MEMORY, "$argon2id$v=19$m=19456,t=3,p=1$"),
        (&[], "$argon2id$v=19$m=19456,t=3,p=1$"),
    ] {
        server = restarted(server, flags);
        server.login("ada", PASSWORD).token();
        assert!(stored(&server, "ada").starts_with(expected), "{flags:?}");
        assert_eq!(server.login("ada", "not it").status(), 401);
    }
}

#[test]
fn a_hash_of_one_kernel_is_one_of_the_other() {
    let server = Server::start(&[]);
    let kernel = "password hashes are computed by ";
    if cfg!(target_pointer_width = "64") {
        assert!(server.log().contains(&format!("{kernel}argon2-rust (")), "{}", server.log());
    }
    server.register("ada", PASSWORD).token();
    let hash = stored(&server, "ada");
    let server = restarted(server, &["--hash-kernel", "portable"]);
    assert!(server.log().contains(&format!("{kernel}portable")), "{}", server.log());
    server.login("ada", PASSWORD).token();
    assert_eq!(server.login("ada", "not it").status(), 401);
    server.register("bob", PASSWORD).token();
    let server = restarted(server, &[]);
    server.login("bob", PASSWORD).token();
    assert_eq!(server.login("bob", "not it").status(), 401);
    assert_eq!(stored(&server, "ada"), hash);
}

#[test]
fn commands_that_hash_read_the_same_variables() {
    let server = Server::start(&[]);
    for verb in ["add", "passwd"] {
        let args = ["user", verb, "ada", "--database", "lictor.db"];
        let mut command = lictor(&server.dir.0, &args);
        command.env("LICTOR_HASH_MEMORY", "20MiB").env("LICTOR_HASH_PASSES", "4");
        command.env("LICTOR_HASH_KERNEL", "portable");
        let (code, out, error) = outcome(&finish(command, &format!("{PASSWORD}\n")));
        assert_eq!(code, 0, "{args:?} {out}{error}");
        assert!(stored(&server, "ada").starts_with("$argon2id$v=19$m=20480,t=4,p=1$"), "{args:?}");
    }
    server.login("ada", PASSWORD).token();
}

#[test]
fn a_cost_outside_of_its_limits_is_refused() {
    for (flags, part) in [
        (&["--hash-memory", "18MiB"][..], "--hash-memory is 18432 KiB"),
        (&["--hash-memory", "65536"], "--hash-memory is 64 KiB"),
        (&["--hash-memory", "64"], "write it as 19MiB"),
        (&["--hash-memory", "257MiB"], "--hash-memory is 263168 KiB"),
        (&["--hash-memory", "5000000MiB"], "write it as 19MiB"),
        (&["--hash-memory", "64MB"], "write it as 19MiB"),
        (&["--hash-passes", "1"], "--hash-passes is 1"),
        (&["--hash-passes", "17"], "--hash-passes is 17"),
        (&["--hash-memory", "256MiB", "--hash-passes", "5"], "--hash-memory times --hash-passes"),
        (&["--hash-kernel", "fast"], "write one of: auto, portable"),
    ] {
        for command in ["check", "serve"] {
            let (code, _, error) = outcome(&run(&Dir::new().0, &[&[command], flags].concat(), ""));
            assert!(code == 2 && error.contains(part), "{command} {flags:?}: {error}");
        }
    }
    let (code, _, error) =
        outcome(&run(&Dir::new().0, &["user", "add", "ada", "--hash-passes", "1"], PASSWORD));
    assert!(code == 2 && error.contains("--hash-passes is 1"), "{error}");
}

#[test]
fn check_says_what_a_hash_costs_and_when_there_is_no_room_for_it() {
    let check = |flags: &[&str]| {
        let args = [&["check", "--listen", "127.0.0.1:0"], flags].concat();
        let dir = Dir::new();
        let mut command = lictor(&dir.0, &args);
        command.env("SECRET_KEY", SECRET);
        let (code, out, error) = outcome(&finish(command, ""));
        assert_eq!(code, 0, "{out}{error}");
        out
    };
    let out = check(&["--hash-kernel", "portable", "--hash-passes", "3"]);
    assert!(out.contains("hash kernel      portable\n"), "{out}");
    let cost = out.lines().find_map(|line| line.strip_prefix("hash cost        ")).unwrap();
    let time = cost.strip_prefix("19MiB, 3 passes: ").and_then(|rest| rest.split_once(" here"));
    assert!(time.is_some_and(|(time, _)| time.ends_with(" ms") || time.ends_with(" s")), "{out}");
    // 256 GiB: more than the machines have that run this.
    let out = check(&["--hash-memory", "256MiB", "--hash-threads", "1024"]);
    assert!(
        out.contains("warning: 1024 threads that hash need 262144 MiB, and there are"),
        "{out}"
    );
}

#[test]
fn the_server_logs_that_there_is_no_room_for_its_hashes() {
    let warned = |server: &Server| server.log().contains("threads that hash need ");
    assert!(!warned(&Server::start(&["--hash-threads", "1"])));
    let server = Server::start(&["--hash-memory", "256MiB", "--hash-threads", "1024"]);
    assert!(warned(&server), "{}", server.log());
}

#[test]
fn hash_cost_suggests_settings_that_check_takes() {
    for (flags, expected) in [
        (&["--target", "1ms"][..], "--hash-memory 19MiB --hash-passes 2"),
        (&["--target", "40ms", "--hash-threads", "1"], "--hash-memory "),
        (&["--target", "10s", "--hash-threads", "1024"], "10.00 s cannot be reached"),
    ] {
        let dir = Dir::new();
        let measure = || outcome(&run(&dir.0, &[&["hash-cost"], flags].concat(), ""));
        let (mut code, mut out, mut error) = measure();
        // On a machine that stands still during the measurement, a hash seems to take ten seconds
        // already. It does not do so three times.
        for _ in 0..2 {
            if !out.contains(expected) {
                (code, out, error) = measure();
            }
        }
        assert_eq!(code, 0, "{out}{error}");
        assert!(out.contains(expected) && out.contains(" computed by "), "{flags:?} {out}");
        let line = |name| out.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim();
        let suggested: Vec<&str> = line("flags").split(' ').collect();
        let listen = ["check", "--listen", "127.0.0.1:0"];
        let mut check = lictor(&dir.0, &[&listen, &suggested[..]].concat());
        check.env("SECRET_KEY", SECRET);
        let (code, out, error) = outcome(&finish(check, ""));
        assert_eq!(code, 0, "{suggested:?} {out}{error}");
    }
    for target in ["0", "11s", "soon"] {
        let (code, ..) = outcome(&run(&Dir::new().0, &["hash-cost", "--target", target], ""));
        assert_eq!(code, 2, "{target}");
    }
}

#[test]
fn the_memory_of_hashing_is_given_back() {
    // Both at once: it takes some seconds until the memory is given back.
    thread::scope(|scope| {
        for kernel in ["auto", "portable"] {
            scope.spawn(move || the_memory_of_a_kernel_is_given_back(kernel));
        }
    });
}

fn the_memory_of_a_kernel_is_given_back(kernel: &str) {
    let flags = ["--hash-kernel", kernel, "--hash-threads", "4", "--throttle", "off"];
    let server = Server::start(&flags);
    let resident = |field: &str| {
        let status = fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    let before = resident("VmRSS:");
    thread::scope(|scope| {
        for number in 0..16 {
            let server = &server;
            scope.spawn(move || server.register(&format!("ada{number}"), PASSWORD).token());
        }
    });
    let peak = resident("VmHWM:");
    // Each thread has 19 MiB; the rest of the server needs a few.
    assert!(peak > before + (19 << 10), "{kernel}: {peak} kB, so nothing was measured");
    assert!(peak < before + ((4 * 19 + 12) << 10), "{kernel}: {peak} kB at most");
    eventually(|| resident("VmRSS:") < before + (10 << 10));
}
