//! `lictor user …`, beside a running server.

use crate::support::{Dir, PASSWORD, Server, eventually, finish, lictor, outcome, run};

#[test]
fn users_come_change_and_go_while_the_server_runs() {
    let server = Server::start(&[]);
    let user = |args: &[&str], input: &str| {
        let (code, out, err) = server.user(args, input);
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        out
    };
    let added = user(
        &["add", "Ada", "--email", "ada@mail.example", "--role", "chief", "--role", "editor"],
        &format!("{PASSWORD}\n"),
    );
    let done = |text: &str| format!("{text} in {}\n", server.place());
    assert_eq!(added, done("added Ada (id 1)"));
    server.login("ada", PASSWORD).token();
    user(&["add", "bob"], "another password\r\nand more lines\n");
    server.login("bob", "another password").token();

    let list = user(&["list"], "");
    let lines: Vec<Vec<&str>> =
        list.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["id", "state", "created", "name", "roles"]);
    assert_eq!(
        (lines[1][0], lines[1][1], lines[1][3], lines[1][4]),
        ("1", "active", "Ada", "chief,editor")
    );
    assert_eq!((lines[2][0], lines[2][3], lines[2].len()), ("2", "bob", 4));

    let shown = user(&["show", "ADA"], "");
    for line in [
        "id       1",
        "name     Ada",
        "email    ada@mail.example",
        "state    active",
        "roles    chief, editor",
        "created  20",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    assert!(!shown.contains("argon2") && !list.contains("argon2"));

    assert_eq!(user(&["roles", "ada"], ""), "Ada has the roles chief,editor\n", "changes nothing");
    for (edit, roles) in [
        (&["--set", "boss"][..], "the roles boss"),
        (&["--add", "editor, boss,chief"], "the roles boss,editor,chief"),
        (&["--add", "author", "--remove", "boss,chief"], "the roles editor,author"),
        (&["--remove", "nobody"], "the roles editor,author"),
        (&["--set", ""], "no roles"),
    ] {
        let text = format!("Ada has {roles}");
        assert_eq!(user(&[&["roles", "ada"], edit].concat(), ""), done(&text));
        assert_eq!(user(&["roles", "ada"], ""), text + "\n");
    }
    assert_eq!(user(&["roles", "bob", "--add", "admin"], ""), done("bob has the roles admin"));
    let (code, _, err) = server.user(&["roles", "bob", "--remove", "admin"], "");
    assert!(code == 1 && err.contains("must be another active administrator"), "{err}");
    assert_eq!(user(&["roles", "bob"], ""), "bob has the roles admin\n");
    assert_eq!(user(&["passwd", "ada"], "a new password"), done("Ada has a new password"));
    assert_eq!(server.login("ada", PASSWORD).status(), 401);
    server.login("ada", "a new password").token();
    assert_eq!(user(&["deactivate", "ada"], ""), done("Ada is inactive"));
    assert_eq!(server.login("ada", "a new password").status(), 403);
    assert!(user(&["list"], "").contains("inactive"));
    assert_eq!(user(&["activate", "ada"], ""), done("Ada is active"));
    server.login("ada", "a new password").token();
    assert_eq!(user(&["delete", "ada", "--yes"], ""), done("Ada was deleted"));
    assert_eq!(server.login("ada", "a new password").status(), 401);
}

#[test]
fn commands_that_fail_say_what_to_do() {
    let server = Server::start(&[]);
    server.register("ada", PASSWORD).token();
    for (args, input, what, next) in [
        (&["add", "ADA"][..], PASSWORD, "there is a user ADA already", "lictor user passwd ADA"),
        (&["add", "a b"], PASSWORD, "no spaces", "another name"),
        (&["add", "bob"], "", "the password is empty", "another password"),
        (&["add", "bob"], "tiny\n", "shorter than 8", "another password"),
        (
            &["add", "Ada", "--role", "admin"],
            PASSWORD,
            "there is a user Ada already",
            "lictor user roles Ada --add ROLE",
        ),
        (&["show", "nobody"], "", "there is no user nobody", "user list"),
        (&["passwd", "nobody"], PASSWORD, "there is no user nobody", "user list"),
        (&["passwd", "ada"], "ada", "shorter than 8", "another password"),
        (&["delete", "ada"], "y\n", "needs confirmation", "--yes"),
    ] {
        let (code, out, err) = server.user(args, input);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}");
        let lines: Vec<_> = err.lines().collect();
        assert_eq!(lines.len(), 2, "{err}");
        assert!(lines[0].starts_with("lictor: ") && lines[0].contains(what), "{args:?}: {err}");
        assert!(lines[1].contains(next), "{args:?}: {err}");
        assert!(
            input.is_empty() || !err.contains(input.trim()) || input == "ada" || input == "y\n",
            "{err}"
        );
    }
    server.login("ada", PASSWORD).token();
}

#[test]
fn looking_for_users_makes_no_file_but_adding_the_first_does() {
    let dir = Dir::new();
    for args in
        [&["user", "list"][..], &["user", "show", "ada"], &["user", "delete", "ada", "--yes"]]
    {
        let (code, _, err) = outcome(&run(&dir.0, args, ""));
        assert_eq!(code, 1);
        assert!(err.contains("/lictor.db") && err.contains("there is no database at /"), "{err}");
    }
    std::fs::write(dir.0.join("people.csv"), "username,password\n").unwrap();
    for args in [&["user", "add", "ada"][..], &["import", "people.csv"]] {
        let (code, _, err) = outcome(&run(&dir.0, args, PASSWORD));
        assert!(code == 1 && err.contains("there is no database at /"), "{args:?}: {err}");
        assert!(err.contains("--create makes one there"), "{args:?}: {err}");
    }
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 1);
    let added = done(&dir, &["user", "add", "ada", "--create"], PASSWORD);
    let lines: Vec<_> = added.lines().collect();
    assert!(lines[0].starts_with("made a new database at /"), "{added}");
    assert!(lines[0].ends_with("/lictor.db"), "{added}");
    let bob = done(&dir, &["user", "add", "bob"], PASSWORD);
    for (line, begins) in [(lines[1], "added ada (id 1) in /"), (&bob, "added bob (id 2) in /")] {
        assert!(line.starts_with(begins) && line.trim_end().ends_with("/lictor.db"), "{line}");
    }
    let server = Server::start_in(dir, &["--registration", "closed"]);
    server.login("ada", PASSWORD).token();
}

/// Runs a command that must succeed, and print nothing but what it answers; returns that.
fn done(dir: &Dir, args: &[&str], input: &str) -> String {
    let (code, out, err) = outcome(&run(&dir.0, args, input));
    assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
    out
}

/// The kinds of the mails in the outbox.
fn queued(dir: &Dir) -> Vec<String> {
    let list = done(dir, &["mail", "list"], "");
    let kinds = list.lines().skip(1).map(|line| {
        assert!(line.ends_with("  ada@mail.example"), "{list}");
        line.split_whitespace().nth(2).unwrap().to_owned()
    });
    kinds.collect()
}

#[test]
fn users_are_told_by_mail_what_the_operator_did() {
    let dir = Dir::new();
    done(&dir, &["user", "add", "ada", "--email", "ada@mail.example", "--create"], PASSWORD);
    done(&dir, &["user", "add", "bob"], PASSWORD);
    assert_eq!(queued(&dir), [""; 0]);
    done(&dir, &["user", "passwd", "ada"], "ten paper boats");
    done(&dir, &["user", "passwd", "bob"], "ten paper boats");
    assert_eq!(queued(&dir), ["password-changed"]);
    done(&dir, &["user", "delete", "ada", "--yes"], "");
    assert_eq!(queued(&dir), ["account-deleted"]);
    let flags = ["--mail", "dir:mails", "--public-url", "http://a.example"];
    let server = Server::start_in(dir, &flags);
    eventually(|| queued(&server.dir).is_empty());
    assert_eq!(server.dir.mails().len(), 1);
}

#[test]
fn a_server_without_mail_deletes_notices_that_are_an_hour_old() {
    let dir = Dir::new();
    done(&dir, &["user", "add", "ada", "--email", "ada@mail.example", "--create"], PASSWORD);
    done(&dir, &["user", "passwd", "ada"], "ten paper boats");
    dir.sql().execute("UPDATE outbox SET created = created - 3601", &[]);
    let server = Server::start_in(dir, &[]);
    eventually(|| queued(&server.dir).is_empty());
}

#[test]
fn help_names_everything() {
    let dir = Dir::new();
    let help = |args: &[&str]| {
        let (code, out, _) = outcome(&run(&dir.0, args, ""));
        assert_eq!(code, 0, "{args:?}");
        out
    };
    let serve = help(&["serve", "--help"]);
    for word in [
        "LICTOR_LISTEN",
        "LICTOR_DATABASE",
        "LICTOR_SECRET_KEY_FILE",
        "LICTOR_REGISTRATION",
        "JWT_ACCESS_LIFESPAN",
        "JWT_REFRESH_LIFESPAN",
        "JWT_ALGORITHM",
        "LICTOR_EARLY_REFRESH",
        "LICTOR_WEB",
        "LICTOR_CORS_ORIGIN",
        "LICTOR_THROTTLE",
        "LICTOR_TRUSTED_PROXY",
        "LICTOR_WORKERS",
        "LICTOR_HASH_THREADS",
        "LICTOR_MAX_CONNECTIONS",
        "LICTOR_LOG",
    ] {
        assert!(serve.contains(word), "{word}");
    }
    // docs/settings.md names every flag of the program.
    let settings = include_str!("../../docs/settings.md");
    for line in serve.lines().filter_map(|line| line.trim_start().strip_prefix("--")) {
        let flag = line.split_whitespace().next().unwrap();
        assert!(
            settings.contains(&format!("`--{flag}")),
            "docs/settings.md does not name --{flag}"
        );
    }
    let made = "made if it does not exist";
    let makes_a_database = |args: &[&str]| {
        let text = help(&[args, &["--help"]].concat());
        let (_, rest) = text.split_once("--database <PATH|URL>").unwrap();
        let words: Vec<&str> = rest.split("--").next().unwrap().split_whitespace().collect();
        words.join(" ").contains(made)
    };
    assert!(makes_a_database(&["serve"]));
    assert!(help(&["user", "add", "--help"]).contains("--create"));
    assert!(!makes_a_database(&["user", "list"]) && !makes_a_database(&["key", "list"]));
    assert!(help(&["--help"]).contains("Usage: lictor [COMMAND]"));
    assert!(help(&["--help"]).contains("serve") && help(&["user", "--help"]).contains("passwd"));
    assert!(help(&["--version"]).starts_with("lictor 0."));
}

#[test]
fn no_command_shows_the_password_of_a_database() {
    let dir = Dir::new();
    let url = "postgresql+psycopg2://ada:s3cr3t@127.0.0.1:1/app";
    let with = |args: &[&str], variable: &str| {
        let mut command = lictor(&dir.0, args);
        command.env(variable, url);
        let (code, out, err) = outcome(&finish(command, ""));
        assert!(!out.contains("s3cr3t") && !err.contains("s3cr3t"), "{args:?}: {out}{err}");
        (code, out, err)
    };
    for args in [&["serve", "--help"][..], &["check", "--help"], &["user", "list", "--help"]] {
        let (code, out, _) = with(args, "LICTOR_DATABASE");
        let words: Vec<&str> = out.split_whitespace().collect();
        assert!(code == 0 && words.join(" ").contains("[env: LICTOR_DATABASE]"), "{out}");
    }
    // There is no server at that port.
    for args in
        [&["user", "list"][..], &["audit"], &["mail", "list"], &["invite", "list"], &["check"]]
    {
        for variable in ["LICTOR_DATABASE", "DATABASE_URL"] {
            let (code, out, err) = with(args, variable);
            assert_eq!((code, out.as_str()), (1, ""), "{args:?}: {err}");
            assert!(!err.contains("lictor.db"), "{args:?} {variable}: {err}");
        }
    }
    let (code, out, err) = with(&["serve", "--listen", "127.0.0.1:0"], "DATABASE_URL");
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0, "no key for a database that fails");

    // What is typed can be seen by others, and is warned of; messages do not repeat it.
    let typed = |args: &[&str]| {
        let (code, out, err) = outcome(&run(&dir.0, args, ""));
        assert!(!out.contains("s3cr3t") && !err.contains("s3cr3t"), "{args:?}: {out}{err}");
        (code, err)
    };
    let (code, err) = typed(&["user", "list", "--database", url]);
    assert!(code == 1 && err.contains("WARN") && err.contains("ps shows it"), "{err}");
    assert_eq!(err.matches("ps shows it").count(), 1, "{err}");
    assert!(err.contains("LICTOR_DATABASE"), "{err}");
    let (_, err) = typed(&["database", "copy", url, "copy.db"]);
    assert!(err.contains("the password in FROM") && err.contains("PGPASSFILE"), "{err}");
    assert!(!err.contains("LICTOR_DATABASE"), "{err}");
    let (_, err) = typed(&["user", "list", "--database", "postgres://ada@127.0.0.1:1/app"]);
    assert!(!err.contains("WARN"), "{err}");
    for args in [
        &[url][..],
        &["serve", url],
        &["serve", "--listen", url],
        &["serve", &format!("--listen={url}")],
        &["user", "list", url],
        &["check", "--mail", url],
    ] {
        let (code, err) = typed(args);
        assert!(code == 2 && !err.is_empty(), "{args:?}: {err}");
    }
}

#[test]
fn a_database_that_cannot_be_is_refused_by_the_name_of_its_flag() {
    let dir = Dir::new();
    for (value, what) in [
        ("mysql://ada:s3cr3t@h/app", "(mysql:)"),
        ("postgres:ada:s3cr3t@h/app", "no // after its scheme"),
        ("postgres://ada:s3cr3t@h:x/app", "a port of the database"),
        ("postgres://ada:s3cr3t@h/app?sslmode=prefer", "sslmode of the database is prefer"),
        ("postgres://ada:s3cr3t@h/app?pool=9", "does not know: pool"),
        ("sqlite:///:memory:", "names no file"),
        ("", "is empty"),
    ] {
        let typed = outcome(&run(&dir.0, &["check", "--database", value], ""));
        let mut command = lictor(&dir.0, &["check"]);
        command.env("LICTOR_DATABASE", value);
        let variable = outcome(&finish(command, ""));
        for ((code, out, err), name) in [(typed, "--database: "), (variable, "LICTOR_DATABASE: ")] {
            assert_eq!((code, out.as_str()), (2, ""), "{value}: {err}");
            let line = err.lines().find(|line| line.starts_with("lictor: ")).unwrap();
            assert!(line.contains(name) && line.contains(what), "{value}: {err}");
            assert!(!err.contains("s3cr3t"), "{err}");
        }
    }
    // DATABASE_URL is shared with other programs: what is not PostgreSQL in it is not for lictor.
    for (value, database) in [
        ("mysql://ada:s3cr3t@h/app", "/lictor.db (will be made), from the default"),
        ("", "/lictor.db (will be made), from the default"),
    ] {
        let mut command = lictor(&dir.0, &["check"]);
        command.env("DATABASE_URL", value);
        let (code, out, err) = outcome(&finish(command, ""));
        assert!(code == 0 && out.contains(database), "{value}: {out}{err}");
    }
    let (code, out, _) = outcome(&run(&dir.0, &["check", "--database", "sqlite:///app.db"], ""));
    assert!(code == 0 && out.contains("/app.db (will be made), from --database"), "{out}");
}
