//! Starting: what it says, what it makes, and what it refuses, with one line and a next step.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;

use crate::support::{Dir, PASSWORD, SECRET, Server, finish, lictor, outcome, run, wait};

/// `lictor serve` with these flags and environment ends with code 1, or 2 if a setting cannot be,
/// and these two lines.
fn refused(dir: &Dir, flags: &[&str], environment: &[(&str, &str)], what: &str, next: &str) {
    let mut command = lictor(&dir.0, &[&["serve"], flags].concat());
    command.env("LICTOR_LISTEN", "127.0.0.1:0").envs(environment.iter().copied());
    let (code, out, err) = outcome(&finish(command, ""));
    let setting = ["bytes; it needs", "longer than", "is not an origin"];
    let expected = if setting.iter().any(|setting| err.contains(setting)) { 2 } else { 1 };
    assert_eq!((code, out.as_str()), (expected, ""), "{flags:?} {environment:?}: {err}");
    let lines: Vec<_> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert!(lines[0].starts_with("lictor: ") && lines[0].contains(what), "{err}");
    assert!(lines[1].starts_with("  ") && lines[1].contains(next), "{err}");
}

/// Whether `lictor check` warns of nothing. That a hash takes long, it says on any machine that is busy.
pub fn nothing_is_wrong(out: &str) -> bool {
    let is_slow = |line: &str| line.contains("a password hash takes ");
    let mut warnings = out.lines().filter(|line| line.starts_with("warning: ")).peekable();
    if warnings.peek().is_none() {
        return out.ends_with("nothing is wrong with it\n");
    }
    warnings.all(is_slow)
}

#[test]
fn refusals() {
    let dir = Dir::new();
    let secret = [("SECRET_KEY", SECRET)];
    let short = &SECRET[..31];
    refused(
        &dir,
        &[],
        &[("SECRET_KEY", short)],
        "31 bytes; it needs at least 32",
        "openssl rand -hex 32",
    );
    refused(&dir, &[], &[("SECRET_KEY", "")], "0 bytes", "openssl rand -hex 32");
    assert!(!String::from_utf8_lossy(&run(&dir.0, &["check"], "").stderr).contains(short));

    refused(
        &dir,
        &["--database", "/proc/lictor.db"],
        &secret,
        "cannot open the database /proc/lictor.db",
        "--database",
    );
    refused(
        &dir,
        &["--database", "missing/lictor.db"],
        &secret,
        "cannot open the database",
        "mkdir -p missing",
    );
    refused(&dir, &["--database", "."], &secret, ". is not a file", "--database");
    refused(
        &dir,
        &["--secret-key-file", "missing"],
        &[],
        "cannot read the key file missing",
        "(umask 077; openssl rand -hex 32 > missing)",
    );
    fs::write(dir.0.join("short.key"), "too short\n").unwrap();
    fs::set_permissions(dir.0.join("short.key"), fs::Permissions::from_mode(0o600)).unwrap();
    refused(
        &dir,
        &["--secret-key-file", "short.key"],
        &[],
        "short.key: the secret key has 9 bytes",
        "openssl",
    );
    fs::write(dir.0.join("huge.key"), [b'x'; 5000]).unwrap();
    fs::set_permissions(dir.0.join("huge.key"), fs::Permissions::from_mode(0o600)).unwrap();
    refused(
        &dir,
        &["--secret-key-file", "huge.key"],
        &[],
        "larger than 4096",
        "nothing but the secret",
    );

    fs::write(dir.0.join("notes.txt"), "these are notes, not users\n".repeat(100)).unwrap();
    let before = fs::read(dir.0.join("notes.txt")).unwrap();
    refused(
        &dir,
        &["--database", "notes.txt"],
        &[],
        "notes.txt is not a lictor database",
        "--database",
    );
    assert_eq!(fs::read(dir.0.join("notes.txt")).unwrap(), before);
    assert!(!dir.0.join("notes.key").exists(), "no key beside a file that is not ours");

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    refused(
        &dir,
        &["--listen", &address],
        &secret,
        &format!("cannot listen on {address}"),
        "--listen",
    );
    refused(
        &dir,
        &["--listen", "192.0.2.1:5000"],
        &secret,
        "cannot listen on 192.0.2.1",
        "--listen",
    );
    refused(
        &dir,
        &["--access-lifespan", "2d", "--refresh-lifespan", "1d"],
        &secret,
        "--access-lifespan is longer than --refresh-lifespan",
        "--refresh-lifespan",
    );
    refused(
        &dir,
        &["--cors-origin", "http://a/"],
        &secret,
        "--cors-origin: \"http://a/\" is not an origin",
        "without a path",
    );

    let database = rusqlite::Connection::open(dir.file()).unwrap();
    database.execute_batch("PRAGMA user_version = 1000").unwrap();
    refused(&dir, &[], &secret, "is of version 1000", "newer lictor");
}

#[test]
fn a_wrong_value_names_its_flag() {
    let dir = Dir::new();
    for (flag, value, next) in [
        ("--listen", "login.example:5000", "names are not looked up"),
        ("--public-url", "login.example.org", "https://login.example.org"),
        ("--confirmation-url", "login", "https://login.example.org"),
        ("--reset-url", "login", "https://login.example.org"),
        ("--cors-origin", "app.example", "https://app.example"),
        ("--trusted-proxy", "localhost", "10.0.0.1"),
        ("--issuer", "a:b", "without a colon"),
        ("--access-lifespan", "100y", "24h"),
        ("--session-idle", "1h", "--session-idle"),
        ("--mail", "smtp://", "smtp://HOST"),
        ("--mail", "pigeon", "smtps://"),
    ] {
        let (code, out, err) = outcome(&run(&dir.0, &["check", flag, value], ""));
        assert_eq!((code, out.as_str()), (2, ""), "{flag} {value}: {err}");
        let first = err.lines().next().unwrap();
        assert!(first.contains(flag) && err.contains(next), "{flag} {value}: {err}");
    }
    let from = ["check", "--mail", "smtp://localhost", "--mail-from", "nobody"];
    let (code, _, err) = outcome(&run(&dir.0, &from, ""));
    assert!(code == 2 && err.starts_with("lictor: --mail-from: "), "{err}");
}

#[test]
fn a_wrong_setting_leaves_no_key_behind() {
    for flags in [
        &["--mail", "log:"][..],
        &["--mail-templates", "none"],
        &["--hash-passes", "1"],
        &["--cors-origin", "app"],
        &["--listen", "192.0.2.1:5000"],
        &["--jwt-algorithm", "EdDSA", "--issuer", "a:b"],
    ] {
        let dir = Dir::new();
        // The port 0 has no URL, so --mail needs one.
        let args = [&["serve", "--listen", "127.0.0.1:0"][..], flags].concat();
        let args = if flags[0] == "--listen" { [&["serve"], flags].concat() } else { args };
        let (code, _, err) = outcome(&run(&dir.0, &args, ""));
        assert!(code > 0 && !err.contains("INFO"), "{flags:?}: {err}");
        assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 0, "{flags:?}");
    }
}

#[test]
fn a_key_file_that_others_can_read_is_warned_of_once() {
    let dir = Dir::new();
    let file = dir.0.join("a.key");
    fs::write(&file, SECRET).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let (code, out, err) = outcome(&run(&dir.0, &["check", "--secret-key-file", "a.key"], ""));
    assert_eq!((code, err.matches("other users can read").count()), (0, 1), "{err}");
    assert!(!out.contains("nothing is wrong"), "{out}");
    let server = Server::start_with(dir, &["--secret-key-file", "a.key"], &[]);
    assert_eq!(server.log().matches("other users can read").count(), 1, "{}", server.log());
}

#[test]
fn the_mapping_of_the_database_has_a_limit() {
    let dir = Dir::new();
    let (code, out, _) = outcome(&run(&dir.0, &["check", "--database-map", "512MiB"], ""));
    assert!(code == 0 && out.contains("database map     512MiB\n"), "{out}");
    let (code, _, err) = outcome(&run(&dir.0, &["check", "--database-map", "2GiB"], ""));
    assert!(code == 2 && err.contains("--database-map must be at most 2047MiB"), "{err}");
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let dir = Dir::new();
    for args in [
        &["serve", "--listen", "nowhere"][..],
        &["serve", "--registration", "maybe"],
        &["serve", "--access-lifespan", "soon"],
        &["serve", "--workers", "0"],
        &["serve", "--database-map", "1GB"],
        &["--no-such-flag"],
        &["nonsense"],
        &["user"],
        &["user", "add"],
    ] {
        let (code, out, err) = outcome(&run(&dir.0, args, ""));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(!err.is_empty());
    }
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 0);
}

#[test]
fn the_first_run_makes_a_key_and_a_database_and_the_second_keeps_them() {
    let dir = Dir::new();
    let start = |dir: &Dir| {
        let child = lictor(&dir.0, &["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut child = child;
        let mut lines =
            std::io::BufRead::lines(std::io::BufReader::new(child.stdout.take().unwrap()));
        let announced = [(); 3].map(|()| lines.next().unwrap().unwrap());
        let pid = child.id().to_string();
        std::process::Command::new("kill").arg(pid).status().unwrap();
        wait(&mut child);
        let mut err = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut err).unwrap();
        (announced, err)
    };
    let (announced, log) = start(&dir);
    assert!(announced[0].contains("listens on http://127.0.0.1:"), "{announced:?}");
    assert!(announced[1].starts_with("open http://127.0.0.1:"), "{announced:?}");
    assert!(announced[2].starts_with("try it: curl http://127.0.0.1:"), "{announced:?}");
    assert!(log.contains("made a new secret key in lictor.key"), "{log}");
    assert!(log.contains("database: lictor.db (the default)"), "{log}");
    // With a file there are no other instances that would need the key.
    assert!(log.contains("made a new database at /") && !log.contains("all instances"), "{log}");
    let key = fs::read_to_string(dir.0.join("lictor.key")).unwrap();
    assert_eq!(key.len(), 65, "64 digits and a line end");
    assert!(key.trim_end().bytes().all(|b| b.is_ascii_hexdigit()));
    assert!(!log.contains(key.trim_end()));
    for file in ["lictor.key", "lictor.db"] {
        let mode = fs::metadata(dir.0.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let (_, log) = start(&dir);
    assert!(!log.contains("made a new"), "{log}");
    assert_eq!(fs::read_to_string(dir.0.join("lictor.key")).unwrap(), key);

    // The key file's text is the secret, as SECRET_KEY would be.
    let mut other = Server::start_in(Dir::new(), &[]);
    other.child.kill().unwrap();
    fs::set_permissions(dir.0.join("lictor.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let (_, log) = start(&dir);
    assert!(log.contains("other users can read the key file"), "{log}");
}

#[test]
fn the_service_manager_is_told() {
    let dir = Dir::new();
    let socket = UnixDatagram::bind(dir.0.join("notify")).unwrap();
    socket.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    let mut child = lictor(&dir.0, &["--listen", "127.0.0.1:0", "--drain-delay", "5m"])
        .env("NOTIFY_SOCKET", dir.0.join("notify"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let heard = || {
        let mut buffer = [0; 100];
        let count = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    };
    assert_eq!(heard(), "READY=1");
    let kill = || std::process::Command::new("kill").arg(child.id().to_string()).status().unwrap();
    kill();
    assert_eq!(heard(), "STOPPING=1", "when the delay begins");
    kill();
    assert_eq!(wait(&mut child).code(), Some(0));
}

#[test]
fn check_says_what_would_run_and_makes_nothing() {
    let dir = Dir::new();
    let (code, out, err) = outcome(&run(&dir.0, &["check", "--listen", "127.0.0.1:0"], ""));
    assert_eq!((code, err.as_str()), (0, ""));
    for line in [
        "database",
        "lictor.db (will be made)",
        "lictor.key (will be made)",
        "access lifespan  24h",
        "refresh lifespan 30d",
        "audit retention  90d",
        "the built-in web app",
        "every origin",
    ] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(nothing_is_wrong(&out), "{out}");
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 0);

    let mut with_secret = lictor(&dir.0, &["check"]);
    with_secret
        .env("SECRET_KEY", SECRET)
        .env("JWT_ACCESS_LIFESPAN", "90")
        .env("LICTOR_WEB", "off")
        .env("LICTOR_CORS_ORIGIN", "none");
    let (code, out, _) = outcome(&finish(with_secret, ""));
    assert_eq!(code, 0);
    assert!(out.contains("SECRET_KEY (41 bytes, hidden)") && !out.contains(SECRET), "{out}");
    assert!(out.contains("access lifespan  90s") && out.contains("no other origin"), "{out}");
    assert!(out.contains("web              off"), "{out}");

    let mut wrong = lictor(&dir.0, &["check"]);
    wrong.env("SECRET_KEY", "hush!");
    let (code, _, err) = outcome(&finish(wrong, ""));
    assert_eq!(code, 2);
    assert!(err.contains("5 bytes") && !err.contains("hush!"), "{err}");

    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    let address = server.address.to_string();
    let mut beside = lictor(&server.dir.0, &["check", "--listen", &address]);
    beside.env("SECRET_KEY", SECRET);
    let (code, out, _) = outcome(&finish(beside, ""));
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("(in use now)"), "{out}");
    let missing = run(&server.dir.0, &["check", "--database", "missing/x.db"], "");
    assert_eq!(outcome(&missing).0, 1);
}
