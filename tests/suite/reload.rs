//! SIGHUP: what a running server takes from its files without a restart, what waits for one, and what
//! it refuses.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Dir, PASSWORD, PATIENCE, Server, assert_without, eventually, lictor, outcome, part, run,
};

/// Writes the env file of a server.
fn set(dir: &Dir, lines: &str) {
    fs::write(dir.0.join("env"), lines).unwrap();
}

/// Starts a server with an env file.
fn start(lines: &str, flags: &[&str]) -> Server {
    let dir = Dir::new();
    set(&dir, lines);
    Server::start_with(dir, flags, &[("LICTOR_ENV_FILE", "env")])
}

/// Sends SIGHUP; returns what was logged until a line has `last`.
fn reload(server: &Server, last: &str) -> String {
    let before = server.log().len();
    server.signal("-HUP");
    let begun = Instant::now();
    loop {
        let mut log = server.log().split_off(before);
        // Without a line that is being written.
        log.truncate(log.rfind('\n').map_or(0, |end| end + 1));
        if log.lines().any(|line| line.contains(last)) {
            return log;
        }
        assert!(begun.elapsed() < PATIENCE, "{last} is not in the log: {log}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&part(token, 0)).unwrap()
}

fn rotate(dir: &Dir) -> String {
    let (code, out, err) = outcome(&run(&dir.0, &["key", "rotate"], ""));
    assert_eq!(code, 0, "{err}");
    out.split_whitespace().skip_while(|word| *word != "key").nth(1).unwrap().replace(';', "")
}

#[test]
fn keys_are_rotated_under_load_and_no_request_fails() {
    let server = Server::start_with(Dir::new(), &["--throttle", "off"], &[]);
    let first = server.register("ada", PASSWORD).token();
    // Many logins of one user end that user's oldest session.
    server.register("bob", PASSWORD).token();
    let login = || server.login("bob", PASSWORD).token();
    let over = AtomicBool::new(false);
    let (checked, entered) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let kid = std::thread::scope(|scope| {
        let checks = || {
            let mut client = server.connect();
            let bearer = format!("Bearer {first}");
            let headers = [("Authorization", bearer.as_str())];
            let request = crate::support::request("GET", "/api/protected", &headers, "");
            while !over.load(Ordering::Relaxed) {
                client.send(&request);
                assert_eq!(client.reply("GET").status(), 200);
                checked.fetch_add(1, Ordering::Relaxed);
            }
        };
        let readers: Vec<_> = (0..3).map(|_| scope.spawn(checks)).collect();
        let logins = scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let token = login();
                assert_eq!(server.protected(&token).status(), 200, "{:?}", header(&token));
                entered.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut newest = String::new();
        for _ in 0..4 {
            let before = checked.load(Ordering::Relaxed);
            eventually(|| checked.load(Ordering::Relaxed) > before);
            newest = rotate(&server.dir);
            reload(&server, &format!("reloaded: keys {newest} signs, "));
            let token = login();
            assert_eq!(header(&token)["kid"], newest.as_str());
        }
        eventually(|| entered.load(Ordering::Relaxed) > 0);
        over.store(true, Ordering::Relaxed);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
        logins.join().unwrap();
        newest
    });
    assert_eq!(server.protected(&first).status(), 200, "the first key still verifies");

    // A key that is retired is refused at once.
    let token = login();
    let old = outcome(&run(&server.dir.0, &["key", "list"], "")).1;
    let old = old.lines().nth(5).unwrap().split_whitespace().next().unwrap().to_owned();
    assert_eq!(outcome(&run(&server.dir.0, &["key", "retire", "--yes", &old], "")).0, 0);
    let log = reload(&server, "reloaded: keys");
    assert!(!log.split("(was").next().unwrap().contains(&old), "{log}");
    assert_eq!(server.protected(&first).error(), (401, "InvalidTokenHeader".into()));
    assert_eq!(server.protected(&token).status(), 200);
    assert_eq!(header(&token)["kid"], kid.as_str());
    let file = fs::read_to_string(server.dir.0.join("lictor.key")).unwrap();
    let secrets: Vec<_> = file.lines().map(|line| line.rsplit(' ').next().unwrap()).collect();
    assert_without(&server.log(), &secrets, &"the log");
}

/// Whether the memory of the server holds a text, in what it may write to; `None` if it cannot be
/// read.
fn holds(server: &Server, text: &[u8]) -> Option<bool> {
    let maps = fs::read_to_string(format!("/proc/{}/maps", server.child.id())).ok()?;
    let memory = fs::File::open(format!("/proc/{}/mem", server.child.id())).ok()?;
    let parts = maps.lines().filter(|line| line.contains(" rw")).filter_map(|line| {
        let (from, to) = line.split_once(' ')?.0.split_once('-')?;
        let at = |digits| u64::from_str_radix(digits, 16).ok();
        let mut bytes = vec![0; usize::try_from(at(to)? - at(from)?).ok()?];
        memory.read_exact_at(&mut bytes, at(from)?).ok().map(|()| bytes)
    });
    Some(parts.into_iter().any(|bytes| has(&bytes, text)))
}

/// Whether bytes hold a text of at least 36 hexadecimal digits: every 32nd byte is looked at, and three
/// more.
fn has(bytes: &[u8], text: &[u8]) -> bool {
    (0..bytes.len()).step_by(32).any(|at| {
        let near = at.saturating_sub(text.len())..bytes.len().min(at + text.len());
        let digits = bytes[at..].iter().take(4).all(u8::is_ascii_hexdigit);
        digits && bytes[near].windows(text.len()).any(|part| part == text)
    })
}

#[test]
fn a_retired_key_leaves_the_memory() {
    let server = Server::start_with(Dir::new(), &["--hash-threads", "1"], &[]);
    server.register("ada", PASSWORD).token();
    let key = fs::read_to_string(server.dir.0.join("lictor.key")).unwrap();
    // Not the whole of it: it may lie across two regions.
    let secret = &key.trim_end().as_bytes()[..48];
    match holds(&server, secret) {
        Some(found) => assert!(found, "the key is there while it is in use"),
        None => return eprintln!("not tested: the memory of a process cannot be read here"),
    }
    rotate(&server.dir);
    let old = outcome(&run(&server.dir.0, &["key", "list"], "")).1;
    let old = old.lines().nth(2).unwrap().split_whitespace().next().unwrap().to_owned();
    assert_eq!(outcome(&run(&server.dir.0, &["key", "retire", "--yes", &old], "")).0, 0);
    reload(&server, "reloaded: keys");
    eventually(|| holds(&server, secret) == Some(false));
    server.login("ada", PASSWORD).token();
}

#[test]
fn trusted_proxies_change() {
    let server = start("LICTOR_LOG=debug\n", &[]);
    let shows = |ip: &str| {
        let before = server.log().len();
        assert_eq!(
            server.send("GET", "/api/", &[("X-Forwarded-For", "192.0.2.7")], "").status(),
            200
        );
        assert!(
            server.log()[before..].contains(&format!("{ip} GET /api/ 200")),
            "{}",
            server.log()
        );
    };
    shows("127.0.0.1");
    set(&server.dir, "LICTOR_LOG=debug\nLICTOR_TRUSTED_PROXY=127.0.0.1\n");
    reload(&server, "reloaded: trusted proxies 127.0.0.1/32 (was none)");
    shows("192.0.2.7");
    set(&server.dir, "LICTOR_LOG=debug\n");
    reload(&server, "reloaded: trusted proxies none (was 127.0.0.1/32)");
    shows("127.0.0.1");
}

#[test]
fn a_line_that_is_taken_out_counts_no_more() {
    let server = start(
        "LICTOR_REGISTRATION=closed\nLICTOR_TRUSTED_PROXY=127.0.0.1\nLICTOR_ADOPT_TOKENS=true\n",
        &[],
    );
    assert_eq!(server.register("ada", PASSWORD).status(), 403);
    set(&server.dir, "");
    // The last of the three lines.
    let log = reload(&server, "reloaded: trusted proxies none (was 127.0.0.1/32)");
    assert!(log.contains("reloaded: registration open (was closed)"), "{log}");
    assert!(log.contains("reloaded: adopt tokens no (was yes)"), "{log}");
    assert_eq!(server.register("ada", PASSWORD).status(), 200);
    set(&server.dir, "LICTOR_REGISTRATION=closed\n");
    reload(&server, "reloaded: registration closed (was open)");
}

#[test]
fn a_variable_that_the_manager_has_overruled_stays() {
    // As with the unit: systemd has read the file, and a drop-in has changed one variable and unset another.
    let dir = Dir::new();
    set(&dir, "LICTOR_REGISTRATION=closed\nLICTOR_ISSUER=theirs\nLICTOR_LOG=info\n");
    let environment = [("LICTOR_RELOAD_FILE", "env"), ("LICTOR_REGISTRATION", "open")];
    let server = Server::start_with(dir, &[], &environment);
    let issuer = server.get("/api/config").json()["issuer"].clone();
    assert_ne!(issuer, "theirs");
    server.signal("-HUP");
    reload(&server, "reloaded: no setting has changed");
    assert_eq!(server.register("ada", PASSWORD).status(), 200);
    assert_eq!(server.get("/api/config").json()["issuer"], issuer);
}

#[test]
fn the_keys_of_another_database_wait_with_it() {
    let dir = Dir::new();
    set(&dir, "");
    let mut command = lictor(&dir.0, &["serve", "--listen", "127.0.0.1:0"]);
    command.env("LICTOR_ENV_FILE", "env");
    let server = Server::spawn(dir, command);
    let token = server.register("ada", PASSWORD).token();
    let (code, ..) = outcome(&run(
        &server.dir.0,
        &["user", "add", "bob", "--create", "--database", "new.db"],
        PASSWORD,
    ));
    assert_eq!(code, 0);
    let other = Server::start_with(Dir::new(), &[], &[]);
    fs::copy(other.dir.0.join("lictor.key"), server.dir.0.join("new.key")).unwrap();
    set(&server.dir, "LICTOR_DATABASE=new.db\n");
    let log = reload(&server, "not reloaded: database is lictor.db until a restart, then new.db");
    assert!(!log.contains("keys"), "{log}");
    assert_eq!(server.protected(&token).status(), 200);
}

#[test]
fn mail_begins_and_changes() {
    let server = start("", &["--public-url", "https://login.example.org"]);
    let (code, _, err) = server.user(&["add", "ada", "--email", "ada@example.org"], PASSWORD);
    assert_eq!(code, 0, "{err}");
    let reset = || server.post("/api/reset", &json!({"email": "ada@example.org"})).status();
    assert_eq!(reset(), 403, "no mail is sent");
    for folder in ["one", "two"] {
        fs::create_dir(server.dir.0.join(folder)).unwrap();
    }
    let count = |folder| server.dir.mails_in(folder).len();
    set(&server.dir, "LICTOR_MAIL=dir:one\n");
    reload(&server, "reloaded: mail dir:one, from lictor@localhost (was none)");
    assert_eq!(reset(), 200);
    eventually(|| count("one") > 0);
    assert_eq!(count("two"), 0);

    fs::create_dir(server.dir.0.join("words")).unwrap();
    let words =
        "LICTOR_MAIL=dir:two\nLICTOR_MAIL_FROM=b@example.org\nLICTOR_MAIL_TEMPLATES=words\n";
    set(&server.dir, words);
    reload(
        &server,
        "reloaded: mail dir:two, from b@example.org (was dir:one, from lictor@localhost)",
    );
    // The thread that sends may have taken the settings up right before they changed, for one mail.
    let goes_there = || {
        let before = count("one");
        assert_eq!(reset(), 200);
        eventually(|| count("two") > 0 || count("one") > before);
        count("one") == before
    };
    assert!(goes_there() || goes_there());

    let text =
        "Subject: Words of ours\nButton: Go on\n\nHello {{name}}\n\n{{link}}\n\n{{lifespan}}\n";
    fs::write(server.dir.0.join("words/reset.en.txt"), text).unwrap();
    reload(&server, "the words of mails");
    fs::write(server.dir.0.join("words/reset.en.txt"), "{{nobody}}").unwrap();
    let log = reload(&server, "not reloaded");
    assert!(log.contains("reset.en.txt is not valid"), "{log}");
}

#[test]
fn a_password_changes_and_is_not_shown() {
    let way = "LICTOR_MAIL=smtp://ada@localhost\nLICTOR_MAIL_FROM=a@example.org\n\
               LICTOR_PUBLIC_URL=https://login.example.org\n";
    let lines = format!("{way}LICTOR_MAIL_PASSWORD_FILE=password\n");
    let dir = Dir::new();
    set(&dir, &lines);
    let write = |dir: &Dir, password: &str| {
        crate::support::write_private(&dir.0.join("password"), password);
    };
    write(&dir, "first sesame\n");
    let server = Server::start_with(dir, &[], &[("LICTOR_ENV_FILE", "env")]);
    reload(&server, "reloaded: no setting has changed");
    write(&server.dir, "second sesame\n");
    reload(&server, "reloaded: the password of the mail server, or");
    write(&server.dir, "");
    reload(&server, "not reloaded, all settings stay as they are: LICTOR_MAIL_PASSWORD_FILE: ");
    write(&server.dir, "second sesame");
    reload(&server, "reloaded: no setting has changed");
    assert_without(&server.log(), &["sesame", "%73"], &"the log");
}

#[test]
fn the_log_level_changes() {
    let server = start("", &[]);
    let line = "GET /api/hello 404";
    let logged = || {
        let before = server.log().len();
        assert_eq!(server.get("/api/hello").status(), 404);
        server.log()[before..].contains(line)
    };
    assert!(!logged());
    set(&server.dir, "LICTOR_LOG=debug\n");
    reload(&server, "reloaded: log debug (was info)");
    assert!(logged());
    set(&server.dir, "LICTOR_LOG=error\n");
    reload(&server, "reloaded: log error (was debug)");
    // That line is written before its level counts.
    eventually(|| !logged());
    set(&server.dir, "");
    reload(&server, "reloaded: log info (was error)");
}

#[test]
fn what_needs_a_restart_is_said() {
    let server = start("", &["--access-lifespan", "1h"]);
    let lines = "LICTOR_HASH_PASSES=3\nLICTOR_MAX_CONNECTIONS=7\nLICTOR_WEB=off\n";
    let others = "LICTOR_LISTEN=127.0.0.1:1\nJWT_ACCESS_LIFESPAN=2h\nLICTOR_ISSUER=ours\n\
                  LICTOR_REGISTRATION=closed\nJWT_REFRESH_LIFESPAN=60d\n";
    set(&server.dir, &format!("{lines}{others}"));
    let log = reload(&server, "not reloaded: max connections");
    for round in [log, reload(&server, "not reloaded: max connections")] {
        for line in [
            "not reloaded: hash passes is 2 until a restart, then 3",
            "not reloaded: max connections is 10000 until a restart, then 7",
            "not reloaded: web is Embedded until a restart, then Off",
        ] {
            assert!(round.contains(line), "{line}: {round}");
        }
        // Flags of the command line stand before the file.
        assert!(!round.contains("listen ") && !round.contains("access lifespan"), "{round}");
    }
    assert!(server.log().contains("reloaded: refresh lifespan 60d (was 30d)"), "{}", server.log());
    let config = server.get("/api/config").json();
    assert_eq!((&config["issuer"], &config["registration"]), (&json!("ours"), &json!("closed")));
    assert_eq!(server.register("ada", PASSWORD).status(), 403);
    assert_eq!(server.get("/").status(), 200, "the pages are still there");
}

#[test]
fn a_faulty_setting_changes_nothing() {
    let server = start("LICTOR_TRUSTED_PROXY=127.0.0.1\n", &[]);
    let token = server.register("ada", PASSWORD).token();
    let key = server.dir.0.join("lictor.key");
    let ring = fs::read(&key).unwrap();
    rotate(&server.dir);
    let rotated = fs::read(&key).unwrap();
    for (lines, why) in [
        ("LICTOR_TRUSTED_PROXY=localhost\n", "LICTOR_TRUSTED_PROXY: \"localhost\" is neither"),
        ("LICTOR_LOG=loud\n", "LICTOR_LOG cannot be \"loud\""),
        ("LICTOR_MAIL=http://hunter2@x\n", "LICTOR_MAIL: unknown mail transport"),
        ("JWT_ALGORITHM=EdDSA\n", "there is no EdDSA key to sign with"),
        ("LICTOR_MAIL=dir:.\n", "mails need to know where the links in them lead"),
        ("JWT_ACCESS_LIFESPAN=60d\n", "JWT_ACCESS_LIFESPAN is longer than --refresh-lifespan"),
        ("nonsense\n", "env, line 1: there is no = in it"),
    ] {
        set(&server.dir, lines);
        let log = reload(&server, "not reloaded, all settings stay as they are: ");
        assert!(log.contains(why) && log.contains("ERROR") && log.lines().count() == 1, "{log}");
        assert_eq!(server.protected(&token).status(), 200);
        let next = server.login("ada", PASSWORD).token();
        assert!(header(&next)["kid"].is_null(), "the old key signs");
    }
    set(&server.dir, "LICTOR_TRUSTED_PROXY=127.0.0.1\n");
    for (text, why) in [(&b""[..], "is empty"), (b"lictor-key x\n", "line 1: ")] {
        fs::write(&key, text).unwrap();
        let log = reload(&server, "not reloaded, all settings stay as they are: ");
        assert!(log.contains(why), "{log}");
    }
    fs::remove_file(&key).unwrap();
    reload(&server, "there is no key file at lictor.key");
    assert!(!key.exists(), "a reload makes no key");
    fs::remove_file(server.dir.0.join("env")).unwrap();
    reload(&server, "--env-file: cannot read ");
    set(&server.dir, "LICTOR_TRUSTED_PROXY=127.0.0.1\n");
    crate::support::write_private(&key, std::str::from_utf8(&ring).unwrap());
    reload(&server, "reloaded: no setting has changed");
    crate::support::write_private(&key, std::str::from_utf8(&rotated).unwrap());
    reload(&server, "reloaded: keys");
    assert_eq!(server.protected(&token).status(), 200);
    assert_without(&server.log(), &["hunter2"], &"the log");
    assert_eq!(server.stop("-TERM").0, Some(0));
}

#[test]
fn the_service_manager_is_told() {
    let dir = Dir::new();
    let socket = std::os::unix::net::UnixDatagram::bind(dir.0.join("notify")).unwrap();
    socket.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    let path = dir.0.join("notify");
    let told = || {
        let mut bytes = [0; 256];
        let length = socket.recv(&mut bytes).unwrap();
        String::from_utf8(bytes[..length].to_vec()).unwrap()
    };
    let environment = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let server = Server::start_with(dir, &["--trusted-proxy", "::1"], &environment);
    assert_eq!(told(), "READY=1");
    server.signal("-HUP");
    assert_eq!(told(), "RELOADING=1");
    assert_eq!(told(), "READY=1\nSTATUS=");
    fs::write(server.dir.0.join("lictor.key"), "").unwrap();
    server.signal("-HUP");
    told();
    assert_eq!(told(), "READY=1\nSTATUS=the last reload was refused; see the log");
}

#[test]
fn a_server_ends_with_its_terminal() {
    let dir = Dir::new();
    let command = lictor(&dir.0, &["serve", "--listen", "127.0.0.1:0", "--database", "lictor.db"]);
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    // script(1) runs the server on a terminal of its own, which is closed when script is killed.
    let log = dir.0.join("log");
    let shell = format!("exec {} 2>'{}'", words.join(" "), log.display());
    let mut script = Command::new("script");
    script.args(["-qfec", &shell, "/dev/null"]).current_dir(&dir.0);
    script.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let Ok(mut child) = script.spawn() else {
        eprintln!("not tested: the program script is missing");
        return;
    };
    let logged = |what: &str| fs::read_to_string(&log).is_ok_and(|log| log.contains(what));
    // Now it catches the signal.
    eventually(|| logged("becomes an administrator"));
    child.kill().unwrap();
    child.wait().unwrap();
    eventually(|| logged("the terminal was closed; the server stops"));
    // Its clean end removes the write-ahead log.
    if dir.file().exists() {
        eventually(|| !dir.0.join("lictor.db-wal").exists());
    }
}
