//! Secrets that stand in no variable: in files that a variable names, and among the credentials of
//! systemd.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{
    Dir, PASSWORD, SECRET, Server, assert_without, finish, lictor, outcome, part, write_private,
};

/// Runs a command with these variables.
fn command(dir: &Dir, args: &[&str], environment: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = lictor(&dir.0, args);
    command.envs(environment.iter().copied());
    outcome(&finish(command, ""))
}

/// `lictor check` with these variables ends well; the row that begins with `row`.
fn row(dir: &Dir, row: &str, environment: &[(&str, &str)]) -> String {
    let (code, out, err) = command(dir, &["check"], environment);
    assert_eq!(code, 0, "{environment:?}: {err}");
    out.lines().find(|line| line.starts_with(row)).unwrap().to_owned()
}

/// `serve` and `check` with these variables are refused with exit code 2, in two lines.
fn refused(dir: &Dir, environment: &[(&str, &str)], what: &str, next: &str) {
    for args in [&["serve", "--listen", "127.0.0.1:0"][..], &["check"]] {
        let (code, out, err) = command(dir, args, environment);
        assert_eq!((code, out.as_str()), (2, ""), "{environment:?}: {err}");
        let lines: Vec<_> = err.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains(what) && lines[1].contains(next), "{err}");
        assert_without(&err, &["sesame", SECRET], &err);
    }
}

#[test]
fn a_secret_in_a_file_is_as_good_as_one_in_its_variable() {
    let dir = Dir::new();
    let way = [("LICTOR_PUBLIC_URL", "https://a.example"), ("LICTOR_MAIL_FROM", "a@example.org")];
    for end in ["", "\n", "\r\n"] {
        write_private(&dir.0.join("secret"), &format!("{SECRET}{end}"));
        write_private(&dir.0.join("mail"), &format!("smtp://ada:sesame@localhost{end}"));
        write_private(&dir.0.join("password"), &format!("open@sesame:%/é{end}"));
        assert!(
            row(&dir, "secret key", &[("SECRET_KEY_FILE", "secret")])
                .ends_with(&format!("SECRET_KEY ({} bytes, hidden)", SECRET.len()))
        );
        let mail = [&way[..], &[("LICTOR_MAIL_FILE", "mail")]].concat();
        assert!(row(&dir, "mail", &mail).contains("smtp://localhost:25 as ada,"));
        for variable in [("LICTOR_MAIL_PASSWORD_FILE", "password"), ("LICTOR_MAIL_PASSWORD", "x y")]
        {
            let server = ("LICTOR_MAIL", "smtps://bob@mail.example");
            let mail = [&way[..], &[server, variable]].concat();
            assert!(row(&dir, "mail", &mail).contains("smtps://mail.example:465 as bob, from"));
        }
    }
    let server = Server::start_with(dir, &[], &[("SECRET_KEY_FILE", "secret")]);
    let token = server.register("ada", PASSWORD).token();
    let dir = server.stop("-TERM").1;
    let server = Server::start_with(dir, &[], &[("SECRET_KEY", SECRET)]);
    assert_eq!(server.protected(&token).status(), 200);
}

#[test]
fn the_password_of_the_mail_server_arrives_as_it_is() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let hears = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        stream.write_all(b"220 here\r\n").unwrap();
        lines.next().unwrap().unwrap();
        stream.write_all(b"250-here\r\n250 AUTH PLAIN\r\n").unwrap();
        lines.next().unwrap().unwrap()
    });
    let dir = Dir::new();
    write_private(&dir.0.join("password"), "open @sesame:%41/é\n");
    let url = format!("smtp://ada@127.0.0.1:{port}");
    let environment = [
        ("LICTOR_MAIL", url.as_str()),
        ("LICTOR_MAIL_FROM", "a@example.org"),
        ("LICTOR_MAIL_PASSWORD_FILE", "password"),
    ];
    let (code, _, err) = command(&dir, &["mail", "test", "ada@example.org"], &environment);
    assert_eq!(code, 1);
    let sent = hears.join().unwrap();
    let said = sent.strip_prefix("AUTH PLAIN ").unwrap().trim_end_matches('=');
    let said = part(&said.replace('+', "-").replace('/', "_"), 0);
    assert_eq!(String::from_utf8(said).unwrap(), "\0ada\0open @sesame:%41/é");
    assert_without(&err, &["sesame"], &err);
}

/// Runs a command with this variable, and without the one by which tests name a database of
/// PostgreSQL.
fn without_database(dir: &Dir, args: &[&str], variable: &str) -> (i32, String, String) {
    let mut command = lictor(&dir.0, args);
    command.env_remove("LICTOR_DATABASE").env(variable, "url");
    outcome(&finish(command, ""))
}

#[test]
fn the_database_may_stand_in_a_file() {
    let dir = Dir::new();
    for (variable, text, shown) in [
        ("LICTOR_DATABASE_FILE", "other.db", "other.db (will be made), from LICTOR_DATABASE_FILE"),
        ("DATABASE_URL_FILE", "sqlite:///x.db", "lictor.db (will be made), from the default"),
    ] {
        write_private(&dir.0.join("url"), &format!("{text}\n"));
        let (code, out, err) = without_database(&dir, &["check"], variable);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains(shown), "{out}");
    }
    write_private(&dir.0.join("url"), "postgres://ada:sesame@/x y?z=1");
    for (variable, origin) in [
        ("LICTOR_DATABASE_FILE", "LICTOR_DATABASE_FILE: "),
        ("DATABASE_URL_FILE", "DATABASE_URL_FILE: "),
    ] {
        let (code, _, err) = without_database(&dir, &["check"], variable);
        assert!(code == 2 && err.contains(origin), "{err}");
        assert_without(&err, &["sesame"], &err);
    }
    // What was typed counts.
    for variable in ["LICTOR_DATABASE_FILE", "DATABASE_URL_FILE"] {
        let typed = ["check", "--database", "typed.db"];
        let (code, out, err) = without_database(&dir, &typed, variable);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("typed.db (will be made), from --database"), "{out}");
    }
}

#[test]
fn files_that_hold_no_secret_are_refused() {
    let dir = Dir::new();
    let named = "LICTOR_MAIL_FILE";
    for (text, what, next) in [
        ("", "LICTOR_MAIL_FILE: file is empty", "the secret in one line"),
        ("\n", "LICTOR_MAIL_FILE: file is empty", "the secret in one line"),
        ("sesame\nsesame\n", "has more than one line", "the secret in one line"),
        ("sesame\0", "has more than one line", "the secret in one line"),
        (&"x".repeat(9_000), "is larger than 8192 bytes", "can read"),
        ("sesame", "LICTOR_MAIL_FILE: unknown mail transport", "smtp+starttls://"),
    ] {
        write_private(&dir.0.join("file"), text);
        refused(&dir, &[(named, "file")], what, next);
    }
    fs::write(dir.0.join("file"), b"smtp://\xff").unwrap();
    fs::set_permissions(dir.0.join("file"), fs::Permissions::from_mode(0o600)).unwrap();
    refused(&dir, &[(named, "file")], "the text in LICTOR_MAIL_FILE is not UTF-8", "anew");
    refused(&dir, &[(named, "./nowhere")], "./nowhere cannot be read: No such file", "can read");
    let hidden = "LICTOR_MAIL_FILE: its value is no path of a file; it is not shown";
    refused(&dir, &[(named, "sesame")], hidden, "give the path of a file");
    refused(&dir, &[(named, ".")], ". cannot be read: Is a directory", "can read");
    // A file that others can read is taken, with a warning.
    write_private(&dir.0.join("file"), SECRET);
    fs::set_permissions(dir.0.join("file"), fs::Permissions::from_mode(0o644)).unwrap();
    let (code, _, err) = command(&dir, &["check"], &[("SECRET_KEY_FILE", "file")]);
    assert_eq!(code, 0);
    assert_eq!(err.matches("all users can read the secret in file (mode 644)").count(), 1, "{err}");
}

#[test]
fn two_places_for_one_secret_are_refused() {
    let dir = Dir::new();
    write_private(&dir.0.join("file"), SECRET);
    for (variable, file, shown) in [
        ("SECRET_KEY", "SECRET_KEY_FILE", "SECRET_KEY and SECRET_KEY_FILE give the same setting"),
        ("LICTOR_MAIL", "LICTOR_MAIL_FILE", "LICTOR_MAIL and LICTOR_MAIL_FILE give"),
        ("LICTOR_MAIL_PASSWORD", "LICTOR_MAIL_PASSWORD_FILE", "give the same setting"),
        ("LICTOR_DATABASE", "LICTOR_DATABASE_FILE", "give the same setting"),
    ] {
        refused(&dir, &[(variable, "log:"), (file, "file")], shown, "keep one of the two");
    }
    let given = [("LICTOR_MAIL_PASSWORD", "sesame"), ("LICTOR_MAIL_FROM", "a@example.org")];
    for (mail, what) in [
        ("smtp://ada:x@localhost", "has no user name, or a password"),
        ("smtp://localhost", "has no user name, or a password"),
        ("log:", "has no user name, or a password"),
        ("", "gives a password, and no mail server is named"),
    ] {
        let given = [&given[..], &[("LICTOR_MAIL", mail)]].concat();
        refused(&dir, &given, what, "smtp+starttls://USER@HOST");
    }
}

/// A folder with credentials, as systemd makes it: with an ACL, the group's bits show.
fn credentials(dir: &Dir, files: &[(&str, &str)]) -> String {
    let folder = dir.0.join("credentials");
    fs::create_dir_all(&folder).unwrap();
    for (name, text) in files {
        fs::write(folder.join(name), text).unwrap();
        fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o440)).unwrap();
    }
    folder.to_str().unwrap().to_owned()
}

#[test]
fn credentials_are_found_by_their_names() {
    let dir = Dir::new();
    let folder = credentials(&dir, &[("lictor.key", SECRET), ("smtp-password", "sesame\n")]);
    let environment = [
        ("CREDENTIALS_DIRECTORY", folder.as_str()),
        ("LICTOR_MAIL", "smtps://ada@mail.example"),
        ("LICTOR_MAIL_FROM", "a@example.org"),
        ("LICTOR_PUBLIC_URL", "https://a.example"),
    ];
    let shown = row(&dir, "secret key", &environment);
    assert!(shown.ends_with("credentials/lictor.key (hidden)"), "{shown}");
    let server = Server::start_with(dir, &[], &environment);
    let token = server.register("ada", PASSWORD).token();
    assert!(!server.log().contains("can read"), "{}", server.log());
    assert!(!server.dir.0.join("lictor.key").exists());
    let dir = server.stop("-TERM").1;
    let server = Server::start_with(dir, &[], &[("SECRET_KEY", SECRET)]);
    assert_eq!(server.protected(&token).status(), 200);
    let dir = server.stop("-TERM").1;

    // A key that is to be changed.
    fs::remove_file(Path::new(&folder).join("smtp-password")).unwrap();
    let environment = &environment[..1];
    let before = fs::read(Path::new(&folder).join("lictor.key")).unwrap();
    for args in [&["key", "rotate"][..], &["serve", "--jwt-algorithm", "EdDSA"]] {
        let (code, _, err) = command(&dir, args, environment);
        assert_eq!(code, 1, "{err}");
        assert!(err.contains("credentials/lictor.key is a credential"), "{err}");
        assert!(err.contains("LoadCredential=") && err.contains("restart the service"), "{err}");
    }
    assert_eq!(fs::read(Path::new(&folder).join("lictor.key")).unwrap(), before);

    // Beside another place for the same.
    let both = [environment, &[("LICTOR_SECRET_KEY_FILE", "x")]].concat();
    refused(&dir, &both, "LICTOR_SECRET_KEY_FILE and the credential lictor.key give", "keep one");
    credentials(&dir, &[("smtp-password", "sesame")]);
    let both = [environment, &[("LICTOR_MAIL_PASSWORD_FILE", "x")]].concat();
    refused(&dir, &both, "_FILE and the credential smtp-password give", "keep one");
    credentials(&dir, &[("database", "x.db"), ("mail", "log:")]);
    let both = [environment, &[("LICTOR_DATABASE", "y.db")]].concat();
    let what = "LICTOR_DATABASE and the credential database give the same setting";
    refused(&dir, &both, what, "UnsetEnvironment=");
    fs::remove_file(Path::new(&folder).join("smtp-password")).unwrap();
    let mut check = lictor(&dir.0, &["check"]);
    check.env_remove("LICTOR_DATABASE").env("CREDENTIALS_DIRECTORY", &folder);
    let (code, out, err) = outcome(&finish(check, ""));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("x.db (will be made), from the credential database"), "{out}");
    assert!(out.contains("log:, from lictor@localhost"), "{out}");
}
