//! Where hosts such as Heroku run it: PORT, DATABASE_URL, the variables of the tutorial's `.env`, and the
//! files of `examples/heroku`.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::support::{
    Dir, PASSWORD, SECRET, Server, assert_without, finish, lictor, outcome, root,
};

/// Variables of the tutorial that lictor does not read, and the flag and variable in their place.
const NOT_READ: &[(&str, &str, &str)] = &[
    ("MAIL_SERVER", "--mail", "LICTOR_MAIL"),
    ("MAIL_PORT", "--mail", "LICTOR_MAIL"),
    ("MAIL_USERNAME", "--mail", "LICTOR_MAIL"),
    ("MAIL_PASSWORD", "--mail", "LICTOR_MAIL"),
    ("CONFIRMATION_URI", "--confirmation-url", "LICTOR_CONFIRMATION_URL"),
    ("RESET_URI", "--reset-url", "LICTOR_RESET_URL"),
    ("APP_NAME", "--issuer", "LICTOR_ISSUER"),
    ("SUBJECT", "--mail-templates", "LICTOR_MAIL_TEMPLATES"),
    ("SUBJECT_RESET", "--mail-templates", "LICTOR_MAIL_TEMPLATES"),
];

/// A port that is free now. It is below those that the system gives to connections, so that no other
/// test gets it before the server does.
fn free_port() -> String {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(20_000 + std::process::id() % 10_000).unwrap();
    let mut ports = std::iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(|&port| TcpListener::bind(("0.0.0.0", port)).is_ok()).unwrap().to_string()
}

#[test]
fn port_says_where_to_listen() {
    let dir = Dir::new();
    let port = free_port();
    let mut command = lictor(&dir.0, &["serve", "--database", "lictor.db"]);
    command.env("PORT", &port).env("SECRET_KEY", SECRET);
    let server = Server::spawn(dir, command);
    assert_eq!(server.address.to_string(), format!("0.0.0.0:{port}"));
    assert_eq!(server.get("/api/health").status(), 200);
    assert!(server.log().contains("because PORT is set"), "{}", server.log());

    let check = |flags: &[&str], port: &str, listen: Option<&str>| {
        let mut command = lictor(&server.dir.0, &[&["check"], flags].concat());
        command.env("PORT", port).env("SECRET_KEY", SECRET);
        command.envs(listen.map(|listen| ("LICTOR_LISTEN", listen)));
        outcome(&finish(command, ""))
    };
    let (code, out, _) = check(&[], &port, None);
    assert!(code == 0 && out.contains(&format!("0.0.0.0:{port} (in use now), from PORT")), "{out}");
    let flag = ["--listen", "127.0.0.1:0"];
    for (flags, listen) in [(&flag[..], None), (&[], Some("127.0.0.1:0"))] {
        for port in [&*port, "nonsense"] {
            let (code, out, err) = check(flags, port, listen);
            assert!(code == 0 && out.contains("listen           127.0.0.1:0\n"), "{out}{err}");
        }
    }
    for port in ["nonsense", "0", "65536", "-1", "80 "] {
        let (code, out, err) = check(&[], port, None);
        assert_eq!((code, out.as_str()), (2, ""), "{port}");
        let lines: Vec<_> = err.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains("PORT"), "{err}");
        assert!(lines[1].contains("LICTOR_LISTEN"), "{err}");
    }
}

#[test]
fn variables_of_the_tutorial_are_named_and_never_shown() {
    let dir = Dir::new();
    let value = "tutorials-own-value";
    let prepared = |args: &[&str], ours: &[(&str, &str)]| {
        let mut command = lictor(&dir.0, args);
        command.envs(NOT_READ.iter().map(|(name, ..)| (name, value)));
        command.env("SECRET_KEY", SECRET).envs(ours.iter().copied());
        command
    };
    let (code, out, err) = outcome(&finish(prepared(&["check"], &[]), ""));
    assert_eq!(code, 0, "{err}");
    for (name, flag, variable) in NOT_READ {
        let line = out.lines().find(|line| line.contains(name));
        let line = line.unwrap_or_else(|| panic!("{name}: {out}"));
        assert!(line.starts_with("warning: ") && line.contains(&format!("{flag} ({variable})")));
        assert!(line.contains("docs/from-flask.md"), "{line}");
    }
    assert_without(&out, &[value], &"check");
    let ours = [
        ("LICTOR_MAIL", "log:"),
        ("LICTOR_MAIL_FROM", "a@example.org"),
        ("LICTOR_CONFIRMATION_URL", "http://a/#/finalize"),
        ("LICTOR_RESET_URL", "http://a/#/reset"),
        ("LICTOR_ISSUER", "Our app"),
    ];
    let (code, out, err) = outcome(&finish(prepared(&["check"], &ours), ""));
    assert_eq!(code, 0, "{err}");
    let named: Vec<_> = NOT_READ.iter().filter(|(name, ..)| out.contains(name)).collect();
    assert!(named.iter().all(|(name, ..)| name.starts_with("SUBJECT")), "{out}");

    let command = prepared(&["serve", "--listen", "127.0.0.1:0"], &[]);
    let server = Server::spawn(Dir::new(), command);
    let log = server.log();
    for (name, ..) in NOT_READ {
        assert!(log.lines().any(|line| line.contains("WARN") && line.contains(name)), "{log}");
    }
    assert_without(&log, &[value], &"the log");
}

#[test]
fn the_database_of_the_flask_app_counts_where_database_url_is_not_set() {
    let dir = Dir::new();
    let check = |variables: &[(&str, &str)]| {
        let mut command = lictor(&dir.0, &["check"]);
        command.env_remove("LICTOR_DATABASE").env("SECRET_KEY", SECRET);
        command.envs(variables.iter().copied());
        outcome(&finish(command, ""))
    };
    // Nobody listens there, so the message says which one was asked.
    let flask = ("SQLALCHEMY_DATABASE_URI", "postgresql+psycopg2://bob:hush@127.0.0.1:1/flask");
    let url = ("DATABASE_URL", "postgres://bob:hush@127.0.0.1:1/heroku");
    for (variables, named) in [
        (&[flask][..], "127.0.0.1:1/flask"),
        (&[flask, ("DATABASE_URL", "")], "127.0.0.1:1/flask"),
        (&[flask, url], "127.0.0.1:1/heroku"),
    ] {
        let (code, out, err) = check(variables);
        assert!(code == 1 && err.contains(named), "{variables:?}: {out}{err}");
        assert_without(&err, &["hush"], &variables);
    }
    for variables in [
        &[("SQLALCHEMY_DATABASE_URI", "sqlite:///app.db")][..],
        &[flask, ("DATABASE_URL", "mysql://bob:hush@h/d")],
    ] {
        let (code, out, err) = check(variables);
        assert!(code == 0 && out.contains("lictor.db (will be made), from the default"), "{err}");
        assert!(out.contains("SQLALCHEMY_DATABASE_URI is set, but not read: --database"), "{out}");
        assert_without(&out, &["hush", "app.db"], &variables);
    }
    let (_, out, _) = check(&[("LICTOR_DATABASE", "other.db"), flask]);
    assert!(!out.contains("SQLALCHEMY"), "{out}");
    fs::write(dir.0.join("lictor.db"), "").unwrap();
    let (code, _, err) = check(&[flask]);
    assert!(code == 2 && err.contains("SQLALCHEMY_DATABASE_URI names a PostgreSQL"), "{err}");
}

/// A folder like `examples/heroku`, with the program at `bin/lictor`.
fn app() -> Dir {
    let dir = Dir::new();
    let example = crate::support::root().join("examples/heroku");
    fs::copy(example.join("Procfile"), dir.0.join("Procfile")).unwrap();
    fs::create_dir(dir.0.join("bin")).unwrap();
    for name in ["detect", "compile"] {
        let to = dir.0.join("bin").join(name);
        fs::copy(example.join("bin").join(name), &to).unwrap();
        assert_eq!(fs::metadata(to).unwrap().permissions().mode() & 0o111, 0o111, "{name}");
    }
    symlink(lictor(&dir.0, &[]).get_program(), dir.0.join("bin/lictor")).unwrap();
    dir
}

/// The command of a process type, run as a dyno runs it: by a shell, with the config vars.
fn dyno(dir: &Dir, command: &str, variables: &[(&str, &str)]) -> Command {
    // For the environment of the tests, which names the database.
    let prepared = lictor(&dir.0, &[]);
    let mut shell = Command::new("bash");
    shell.args(["-c", command]).current_dir(&dir.0).env_clear();
    shell.envs(prepared.get_envs().filter_map(|(name, value)| Some((name, value?))));
    if !prepared.get_envs().any(|(name, _)| name == OsStr::new("LICTOR_DATABASE")) {
        shell.env("LICTOR_DATABASE", "lictor.db");
    }
    shell.env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
    shell
}

fn process(procfile: &str, name: &str) -> String {
    let line = procfile.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("{name}: {procfile}")).to_owned()
}

#[test]
fn the_example_for_heroku_runs_with_its_variables() {
    let dir = app();
    let build = |name: &str| finish(Command::new(dir.0.join("bin").join(name)), "");
    assert_eq!(outcome(&build("detect")).0, 0);
    let mut compile = Command::new(dir.0.join("bin/compile"));
    compile.arg(&dir.0);
    let (code, out, _) = outcome(&finish(compile, ""));
    assert!(code == 0 && out.starts_with("lictor 0."), "{out}");
    let mut compile = Command::new(dir.0.join("bin/compile"));
    compile.arg("/nowhere");
    let (code, _, err) = outcome(&finish(compile, ""));
    assert!(code == 1 && err.contains("bin/lictor"), "{err}");

    let procfile = fs::read_to_string(dir.0.join("Procfile")).unwrap();
    // The config vars of docs/heroku.md, without those whose value is the shell's.
    let page = include_str!("../../docs/heroku.md");
    let set: Vec<(&str, &str)> = page
        .lines()
        .filter_map(|line| line.strip_prefix("heroku config:set "))
        .filter_map(|rest| rest.split_whitespace().next()?.split_once('='))
        .filter(|(name, value)| !value.contains('$') && *name != "LICTOR_ADOPT_TOKENS")
        .collect();
    assert!(set.len() >= 6 && set.contains(&("LICTOR_TRUSTED_PROXY", "10.0.0.0/8")), "{set:?}");
    let mut variables: Vec<_> = set.into_iter().filter(|(name, _)| *name != "PGSSLMODE").collect();
    variables.push(("SECRET_KEY", SECRET));
    variables.push(("LICTOR_REGISTRATION", "closed"));
    let release = dyno(&dir, &process(&procfile, "release"), &variables);
    let (code, out, err) = outcome(&finish(release, ""));
    assert_eq!(code, 0, "{out}{err}");

    let port = free_port();
    variables.push(("PORT", &port));
    let web = dyno(&dir, &process(&procfile, "web"), &variables);
    let server = Server::spawn(dir, web);
    assert_eq!(server.address.port().to_string(), port);
    let add = "bin/lictor user add ada --role admin";
    let (code, _, err) = outcome(&finish(dyno(&server.dir, add, &variables), PASSWORD));
    assert_eq!(code, 0, "{err}");
    server.login("ada", PASSWORD).token();
    assert_eq!(server.register("bob", PASSWORD).status(), 403);
    assert!(!server.dir.0.join("lictor.key").exists(), "the disk holds nothing that matters");
}

#[test]
fn commands_read_the_settings_of_the_service() {
    let dir = Dir::new();
    let settings = root().join("systemd/lictor.env");
    let text = fs::read_to_string(&settings).unwrap();
    assert!(text.contains("\nLICTOR_DATABASE=/var/lib/lictor/lictor.db\n"), "{text}");
    let unit = fs::read_to_string(root().join("systemd/lictor.service")).unwrap();
    assert!(unit.contains("\nEnvironmentFile=/etc/lictor.env\n"));
    let others: Vec<_> = unit.lines().filter(|line| line.starts_with("Environment=")).collect();
    assert_eq!(others, ["Environment=LICTOR_RELOAD_FILE=/run/lictor/lictor.env"]);
    let settings = settings.to_str().unwrap();
    let args =
        ["check", "--env-file", settings, "--database", "lictor.db", "--listen", "127.0.0.1:0"];
    let (code, out, err) = outcome(&finish(lictor(&dir.0, &args), ""));
    assert_eq!(code, 0, "{err}");
    for line in ["trusted proxies  127.0.0.1/32, ::1/128\n", "max per address  10000\n"] {
        assert!(out.contains(line), "{line}: {out}");
    }
}

#[test]
fn variables_of_a_file_count_for_every_command() {
    let dir = Dir::new();
    let write = |name: &str, text: &str| fs::write(dir.0.join(name), text).unwrap();
    write(
        "a.env",
        "# The service's.\nLICTOR_DATABASE='a b.db'\nLICTOR_ISSUER=\"Our \\\"app\\\"\"\n",
    );
    write("b.env", "LICTOR_ISSUER=b\nSECRET_KEY=01234567890123456789012345678901\n");
    let check = |args: &[&str]| {
        let mut command = lictor(&dir.0, &[&["check", "--listen", "127.0.0.1:0"], args].concat());
        command.env("LICTOR_DATABASE", "other.db").env("LICTOR_ISSUER", "other");
        let (code, out, err) = outcome(&finish(command, ""));
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}: {out}");
        out
    };
    // The environment; the file; the last file; the flag.
    for (args, database, issuer) in [
        (&[][..], "/other.db (", "other\n"),
        (&["--env-file", "a.env"], "/a b.db (", "Our \"app\"\n"),
        (&["--env-file=a.env", "--env-file", "b.env"], "/a b.db (", "b\n"),
        (&["--env-file", "a.env", "--database", "c.db"], "/c.db (", "Our \"app\"\n"),
    ] {
        let out = check(args);
        assert!(
            out.contains(database) && out.contains(&format!("issuer           {issuer}")),
            "{out}"
        );
    }
    // A pipe would be read by the first of two reads, and wait for the second.
    assert!(Command::new("mkfifo").arg(dir.0.join("pipe")).status().unwrap().success());
    let (code, _, err) = outcome(&finish(lictor(&dir.0, &["check", "--env-file", "pipe"]), ""));
    assert!(code == 2 && err.contains("pipe is a pipe, which cannot be read again"), "{err}");
    assert!(check(&["--env-file", "b.env"]).contains("SECRET_KEY (32 bytes, hidden)"));

    // A command that changes something, and a server, which keeps its process.
    let add = ["--env-file", "a.env", "user", "add", "ada", "--create"];
    let mut command = lictor(&dir.0, &add);
    command.env_remove("LICTOR_DATABASE");
    let (code, out, err) = outcome(&finish(command, PASSWORD));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("added ada (id 1) in /") && out.ends_with("/a b.db\n"), "{out}");
    let mut command = lictor(&dir.0, &["--listen", "127.0.0.1:0", "--env-file", "a.env"]);
    command.env_remove("LICTOR_DATABASE");
    let server = Server::spawn(dir, command);
    server.login("ada", PASSWORD).token();
    let program = fs::read(format!("/proc/{}/cmdline", server.child.id())).unwrap();
    assert!(
        !String::from_utf8_lossy(&program).contains("--env-file"),
        "the same process, run again"
    );
    assert_eq!(server.stop("-TERM").0, Some(0));
}

#[test]
fn a_short_secret_on_heroku_has_the_key_in_a_variable() {
    let dir = app();
    let page = include_str!("../../docs/heroku.md");
    let web = process(page, "web");
    let date = humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string();
    let key = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    let port = free_port();
    let variables = [
        ("SECRET_KEY", "my secret key"),
        ("LICTOR_ADOPT_TOKENS", "true"),
        ("LICTOR_ACCEPT_SHORT_SECRET", &date[..10]),
        ("NEW_SECRET_KEY", key),
        ("PORT", &port),
    ];
    let command = dyno(&dir, &web, &variables);
    let server = Server::spawn(dir, command);
    let token = server.register("ada", PASSWORD).token();
    let (code, dir) = server.stop("-TERM");
    assert_eq!(code, Some(0));
    let later = Server::start_with(dir, &[], &[("SECRET_KEY", key)]);
    assert_eq!(later.protected(&token).status(), 200);
}
