//! Every message that a wrong flag, value, file or environment can provoke, with its words: the exit
//! code, a line that names the thing and the cause, and a line with the next step.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::support::{Dir, SECRET, finish, lictor, outcome};

/// A directory with the files that the rows below name.
fn dir() -> Dir {
    let dir = Dir::new();
    let write = |name: &str, text: &[u8]| {
        let path = dir.0.join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    };
    write("empty", b"");
    write("text", b"a line\n");
    write("short", b"LICTOR_LISTEN=127.0.0.1:0\nhunter2\n");
    write("vars", b"LICTOR_DATABASE=x.db\n");
    write("export", b"\nexport LICTOR_LISTEN=hunter2\n");
    write("open", b"A=1\nLICTOR_ISSUER=\"hunter2\n");
    write("huge", &[b'#'; 65_537]);
    write("misspelt", b"LICTOR_REGISTRATON=hunter2\n");
    write("wrong", b"LICTOR_REGISTRATION=nobody\n");
    write("notes", "these are notes, not users\n".repeat(100).as_bytes());
    write("people.csv", b"username,password\n");
    write("rules", b"wiki.example.org users\n");
    write("norules", b"# nothing yet\n");
    write("badrules", b"# who may open what\nwiki.example.org family\n");
    write("bytes", b"\xff\xfe");
    write("two", format!("{SECRET}\n{SECRET}\n").as_bytes());
    fs::create_dir(dir.0.join("folder")).unwrap();
    for brand in ["pale", "nobrand", "fake", "odd"] {
        fs::create_dir(dir.0.join(brand)).unwrap();
    }
    write("pale/brand", b"name Example\naccent #ff8800\n");
    write("fake/logo.png", b"<svg/>");
    write("odd/favicon.jpg", b"x");
    fs::create_dir(dir.0.join("templates")).unwrap();
    write("templates/rest.en.txt", b"x");
    dir
}

/// A row: the environment, the command, the exit code, and the two lines.
type Row = (&'static str, &'static str, i32, &'static str, &'static str);

/// Runs each row. Words of the environment and of the command are separated by spaces; `_` is an empty
/// word, `~` a space in one. `DIR` in a line is the directory.
fn check(rows: &[Row]) {
    let dir = dir();
    let words = |text: &'static str| {
        text.split_whitespace().map(|word| word.replace('~', " ").replace('_', "\u{0}"))
    };
    let word =
        |text: String| if text == "\u{0}" { String::new() } else { text.replace('\u{0}', "_") };
    let place = dir.0.display().to_string();
    let mut wrong = Vec::new();
    for (environment, command, code, what, next) in rows {
        let args: Vec<String> = words(command).map(word).collect();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut command = lictor(&dir.0, &args);
        for pair in words(environment) {
            let (name, value) = pair.split_once('=').unwrap();
            command.env(name.replace('\u{0}', "_"), word(value.to_owned()));
        }
        let found = outcome(&finish(command, "ten wooden lanterns\n"));
        let expected = format!("lictor: {what}\n  {next}\n").replace("DIR", &place);
        if found != (*code, String::new(), expected.clone()) {
            wrong.push(format!("{environment} {args:?}: {found:?}\n    not {code} {expected:?}"));
        }
        assert!(!found.2.contains("hunter2"), "{args:?}: {}", found.2);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let left = fs::read_dir(&dir.0).unwrap().count();
    assert_eq!(left, fs::read_dir(&self::dir().0).unwrap().count(), "nothing is made");
}

const LISTEN: &str = "write an IP address and a port: 127.0.0.1:5000 for this machine alone, 0.0.0.0:5000 for the network; names are not looked up";
const SERVE: &str = "see lictor serve --help";
const CHECK: &str = "see lictor check --help";
const APP_PASSWORD: &str = "see lictor app-password add --help";
const AUDIENCE: &str = "write a name or URL of 1 to 255 letters, digits and signs of ASCII, without spaces and without , \" \\ > ? ~";
const TIME: &str = "write it as 24h, 30d, 15m, or a number of seconds";
const URL: &str = "write it as browsers do, like https://login.example.org";

#[test]
fn a_variable_that_is_not_utf8_is_named() {
    use std::os::unix::ffi::OsStringExt as _;
    let dir = Dir::new();
    // A text, a size, a time.
    for variable in ["LICTOR_ISSUER", "LICTOR_DATABASE_MAP", "LICTOR_EARLY_REFRESH"] {
        let mut command = lictor(&dir.0, &["check", "--database", "x.db"]);
        command.env(variable, std::ffi::OsString::from_vec(b"a\xffb".to_vec()));
        let (code, _, error) = outcome(&finish(command, ""));
        assert_eq!(code, 2, "{variable}");
        assert_eq!(
            error,
            format!("lictor: {variable} cannot be \"a\u{fffd}b\"\n  write it in UTF-8\n")
        );
    }
}

#[test]
fn commands_and_flags() {
    check(&[
        ("", "nonsense", 2, "there is no command \"nonsense\"", "see lictor --help"),
        ("", "users", 2, "there is no command \"users\"", "did you mean serve or user?"),
        ("", "user ad", 2, "there is no command \"ad\"", "did you mean add?"),
        ("", "user add", 2, "NAME is missing", "write lictor user add <NAME>"),
        ("", "mail drop", 2, "ID is missing", "write lictor mail drop <ID>"),
        (
            "",
            "serve --listen 127.0.0.1:1 --listen 127.0.0.1:2",
            2,
            "--listen is given twice",
            "give it once",
        ),
        ("", "user delete ada --yes --yes", 2, "--yes is given twice", "give it once"),
        (
            "",
            "serve --adopt-tokens=true",
            2,
            "--adopt-tokens takes no value",
            "write --adopt-tokens alone, or leave it out",
        ),
        (
            "",
            "app-password add ada",
            2,
            "LABEL is missing",
            "write lictor app-password add <NAME> <LABEL>",
        ),
        (
            "",
            "app-password add ada --api --database x.db --expires 90d",
            2,
            "LABEL is missing",
            "write lictor app-password add <NAME> <LABEL>",
        ),
        (
            "",
            "app-password add --env-file vars",
            2,
            "NAME, LABEL are missing",
            "write lictor app-password add <NAME> <LABEL>",
        ),
        ("", "database copy", 2, "FROM, TO are missing", "write lictor database copy <FROM> <TO>"),
        ("", "--lissten x", 2, "there is no flag --lissten", "did you mean --listen?"),
        ("", "--nonsense", 2, "there is no flag --nonsense", SERVE),
        ("", "check -x", 2, "there is no flag -x", CHECK),
        ("", "serve --listen", 2, "--listen has no value", SERVE),
        (
            "",
            "user list x",
            2,
            "\"x\" is one argument too many",
            "write lictor user list [OPTIONS]",
        ),
        (
            "",
            "--database lictor.db user list",
            2,
            "\"user\" is one argument too many",
            "put the command before its flags: lictor user",
        ),
        (
            "",
            "user add ada --password hunter2",
            2,
            "there is no flag --password",
            "a password is never an argument, which others could see: lictor asks for it, or reads it from standard input",
        ),
        (
            "",
            "check postgres://ada:hunter2@h/app",
            2,
            "\"postgres://…\" is one argument too many",
            "write lictor check [OPTIONS]",
        ),
        (
            "",
            "user roles ada --set a --add b",
            2,
            "--set and --add exclude each other",
            "give one of them",
        ),
        (
            "",
            "man nonsense",
            2,
            "there is no command \"nonsense\"",
            "see which there are: lictor --help",
        ),
        (
            "",
            "man --dir text",
            1,
            "cannot write the pages into text: File exists (os error 17)",
            "give another directory with --dir",
        ),
        ("", "completions tcsh", 2, "SHELL cannot be \"tcsh\"", "write one of: bash, zsh, fish"),
    ]);
}

#[test]
fn values() {
    check(&[
        ("", "check --listen x", 2, "--listen cannot be \"x\"", LISTEN),
        ("", "check --listen _", 2, "--listen has no value", LISTEN),
        ("", "check --listen 127.0.0.1", 2, "--listen cannot be \"127.0.0.1\"", LISTEN),
        ("LICTOR_LISTEN=login:5000", "check", 2, "LICTOR_LISTEN cannot be \"login:5000\"", LISTEN),
        ("LICTOR_LISTEN=tcp://hunter2", "check", 2, "LICTOR_LISTEN cannot be \"tcp://…\"", LISTEN),
        (
            "PORT=hunter2",
            "check",
            2,
            "the variable PORT is not a port: it must be a number from 1 to 65535",
            "unset it, or say where to listen with --listen or LICTOR_LISTEN, such as 0.0.0.0:5000",
        ),
        (
            "",
            "check --registration x",
            2,
            "--registration cannot be \"x\"",
            "write one of: open, email, invite, closed",
        ),
        (
            "LICTOR_REGISTRATION=x",
            "check",
            2,
            "LICTOR_REGISTRATION cannot be \"x\"",
            "write one of: open, email, invite, closed",
        ),
        (
            "LICTOR_REGISTRATION=_",
            "check",
            2,
            "LICTOR_REGISTRATION has no value",
            "write one of: open, email, invite, closed",
        ),
        (
            "LICTOR_REGISTRATION=x",
            "check --registration y",
            2,
            "--registration cannot be \"y\"",
            "write one of: open, email, invite, closed",
        ),
        (
            "LICTOR_ADOPT_TOKENS=x",
            "check",
            2,
            "LICTOR_ADOPT_TOKENS cannot be \"x\"",
            "write one of: true, false",
        ),
        (
            "LICTOR_THROTTLE=x",
            "check",
            2,
            "LICTOR_THROTTLE cannot be \"x\"",
            "write one of: on, off",
        ),
        (
            "LICTOR_LOGIN_NOTICES=x",
            "check",
            2,
            "LICTOR_LOGIN_NOTICES cannot be \"x\"",
            "write one of: on, off",
        ),
        (
            "LICTOR_REFRESH_REUSE=x",
            "check",
            2,
            "LICTOR_REFRESH_REUSE cannot be \"x\"",
            "write one of: same-device, never",
        ),
        (
            "LICTOR_REQUIRE_SECOND_FACTOR=x",
            "check",
            2,
            "LICTOR_REQUIRE_SECOND_FACTOR cannot be \"x\"",
            "write one of: off, admin, all",
        ),
        (
            "LICTOR_HASH_KERNEL=x",
            "check",
            2,
            "LICTOR_HASH_KERNEL cannot be \"x\"",
            "write one of: auto, portable",
        ),
        (
            "LICTOR_LOG=x",
            "check",
            2,
            "LICTOR_LOG cannot be \"x\"",
            "write one of: off, error, warn, info, debug",
        ),
        (
            "JWT_ALGORITHM=x",
            "check",
            2,
            "JWT_ALGORITHM cannot be \"x\"",
            "write one of: HS256, EdDSA",
        ),
        (
            "LICTOR_WORKERS=0",
            "check",
            2,
            "LICTOR_WORKERS cannot be \"0\"",
            "write a number from 1 to 1024",
        ),
        (
            "LICTOR_HASH_THREADS=x",
            "check",
            2,
            "LICTOR_HASH_THREADS cannot be \"x\"",
            "write a whole number",
        ),
        (
            "LICTOR_MAX_CONNECTIONS=0",
            "check",
            2,
            "LICTOR_MAX_CONNECTIONS cannot be \"0\"",
            "write a number from 1 to 1000000",
        ),
        (
            "LICTOR_MAX_CONNECTIONS_PER_ADDRESS=0",
            "check",
            2,
            "LICTOR_MAX_CONNECTIONS_PER_ADDRESS cannot be \"0\"",
            "write a number from 1 to 4294967295",
        ),
        (
            "LICTOR_MIN_PASSWORD_LENGTH=7",
            "check",
            2,
            "LICTOR_MIN_PASSWORD_LENGTH cannot be \"7\"",
            "write a number from 8 to 64",
        ),
        ("JWT_ACCESS_LIFESPAN=soon", "check", 2, "JWT_ACCESS_LIFESPAN cannot be \"soon\"", TIME),
        (
            "JWT_REFRESH_LIFESPAN=0",
            "check",
            2,
            "JWT_REFRESH_LIFESPAN cannot be \"0\"",
            "it must be at least one second",
        ),
        ("LICTOR_EARLY_REFRESH=x", "check", 2, "LICTOR_EARLY_REFRESH cannot be \"x\"", TIME),
        ("LICTOR_RESET_LIFESPAN=x", "check", 2, "LICTOR_RESET_LIFESPAN cannot be \"x\"", TIME),
        (
            "LICTOR_CONFIRMATION_LIFESPAN=x",
            "check",
            2,
            "LICTOR_CONFIRMATION_LIFESPAN cannot be \"x\"",
            TIME,
        ),
        ("LICTOR_AUDIT_RETENTION=x", "check", 2, "LICTOR_AUDIT_RETENTION cannot be \"x\"", TIME),
        ("LICTOR_SESSION_IDLE=x", "check", 2, "LICTOR_SESSION_IDLE cannot be \"x\"", TIME),
        ("LICTOR_REAUTHENTICATE=x", "check", 2, "LICTOR_REAUTHENTICATE cannot be \"x\"", TIME),
        (
            "LICTOR_ACCEPT_SHORT_SECRET=x",
            "check",
            2,
            "LICTOR_ACCEPT_SHORT_SECRET cannot be \"x\"",
            "write a date as 2026-12-31",
        ),
        (
            "LICTOR_DATABASE_MAP=1GB",
            "check",
            2,
            "LICTOR_DATABASE_MAP cannot be \"1GB\"",
            "write it as 1GiB, 512MiB, or a number of bytes",
        ),
        (
            "LICTOR_HASH_MEMORY=1",
            "check",
            2,
            "LICTOR_HASH_MEMORY cannot be \"1\"",
            "write it as 19MiB or 19456KiB",
        ),
        (
            "LICTOR_HASH_PASSES=x",
            "check",
            2,
            "LICTOR_HASH_PASSES cannot be \"x\"",
            "write a whole number",
        ),
        ("", "mail drop x", 2, "ID cannot be \"x\"", "write a whole number"),
        ("", "mail retry 1.5", 2, "ID cannot be \"1.5\"", "write a whole number"),
        ("", "audit --limit x", 2, "--limit cannot be \"x\"", "write a whole number"),
        ("", "audit --since x", 2, "--since cannot be \"x\"", TIME),
        (
            "",
            "hash-cost --target 11s",
            2,
            "--target cannot be \"11s\"",
            "it must be more than nothing, and at most 10s",
        ),
        (
            "",
            "invite add --expires 2y",
            2,
            "--expires cannot be \"2y\"",
            "an invitation can be used for a year at most",
        ),
        (
            "",
            "app-password add ada Phone --expires 11000d",
            2,
            "--expires cannot be \"11000d\"",
            "an app password can be good for ten years at most",
        ),
        (
            "",
            "app-password add ada Phone --expires 0",
            2,
            "--expires cannot be \"0\"",
            "it must be at least one second",
        ),
        (
            "",
            "app-password add ada Phone --host cal.example.org:443",
            2,
            "--host: \"cal.example.org:443\" is no host; write one like cal.example.org or *.example.org",
            APP_PASSWORD,
        ),
        (
            "",
            "app-password add ada ~",
            2,
            "the label must have 1 to 64 printable characters",
            APP_PASSWORD,
        ),
        ("", "mail test you", 2, "\"you\" is no e-mail address", "write it like ada@example.org"),
        (
            "",
            "user add ada --email you",
            2,
            "\"you\" is no e-mail address",
            "write it like ada@example.org",
        ),
        (
            "",
            "user add ada --role a~b",
            2,
            "roles: a role has 1 to 64 letters, digits, or _ . : -",
            "write a role like editor, and several like admin,editor",
        ),
        (
            "",
            "invite add --role a~b",
            2,
            "roles: a role has 1 to 64 letters, digits, or _ . : -",
            "write a role like editor, and several like admin,editor",
        ),
    ]);
}

#[test]
fn settings() {
    check(&[
        (
            "LICTOR_REGISTRATON=closed",
            "serve",
            2,
            "LICTOR_REGISTRATON is set, and lictor has no such variable",
            "set LICTOR_REGISTRATION instead of LICTOR_REGISTRATON; all names: lictor serve --help",
        ),
        (
            "LICTOR_REGISTRATON=closed",
            "check",
            2,
            "LICTOR_REGISTRATON is set, and lictor has no such variable",
            "set LICTOR_REGISTRATION instead of LICTOR_REGISTRATON; all names: lictor serve --help",
        ),
        (
            "LICTOR_DATABSE=hunter2",
            "user list",
            2,
            "LICTOR_DATABSE is set, and lictor has no such variable",
            "set LICTOR_DATABASE instead of LICTOR_DATABSE; all names: lictor serve --help",
        ),
        (
            "LICTOR_A=hunter2 LICTOR_SECRET_KEY=hunter2",
            "check",
            2,
            "LICTOR_A, LICTOR_SECRET_KEY are set, and lictor has no such variable",
            "set nothing instead of LICTOR_A, SECRET_KEY instead of LICTOR_SECRET_KEY; all names: lictor serve --help",
        ),
        (
            "JWT_ACCESS_LIFESPAN=60d",
            "check",
            2,
            "JWT_ACCESS_LIFESPAN is longer than --refresh-lifespan",
            "a token cannot outlive its session: raise --refresh-lifespan or lower JWT_ACCESS_LIFESPAN",
        ),
        (
            "JWT_ACCESS_LIFESPAN=60d JWT_REFRESH_LIFESPAN=1d",
            "check --refresh-lifespan 2d",
            2,
            "JWT_ACCESS_LIFESPAN is longer than --refresh-lifespan",
            "a token cannot outlive its session: raise --refresh-lifespan or lower JWT_ACCESS_LIFESPAN",
        ),
        (
            "LICTOR_SESSION_IDLE=1h",
            "check",
            2,
            "LICTOR_SESSION_IDLE is shorter than --access-lifespan",
            "a token in use need not be refreshed before it expires: raise LICTOR_SESSION_IDLE or lower --access-lifespan",
        ),
        (
            "",
            "check --access-lifespan 100y --refresh-lifespan 100y",
            2,
            "--access-lifespan must be between one second and 50 years",
            "give it a time such as 24h or 30d",
        ),
        (
            "LICTOR_DATABASE_MAP=2GiB",
            "check",
            2,
            "LICTOR_DATABASE_MAP must be at most 2047MiB",
            "give it less; what is not mapped is read",
        ),
        (
            "LICTOR_HASH_PASSES=1",
            "check",
            2,
            "LICTOR_HASH_PASSES is 1; it must be between 2 and 16",
            "leave the default, or measure what this machine can bear with `lictor hash-cost`",
        ),
        (
            "LICTOR_CORS_ORIGIN=app",
            "check",
            2,
            "LICTOR_CORS_ORIGIN: \"app\" is not an origin",
            "write it as browsers do: scheme, lower-case host and port, without a path, like https://app.example or http://localhost:3000",
        ),
        (
            "LICTOR_TRUSTED_PROXY=x",
            "check",
            2,
            "LICTOR_TRUSTED_PROXY: \"x\" is neither an IP nor a network",
            "write it like 10.0.0.1, 10.0.0.0/8, ::1 or 2001:db8::/32",
        ),
        (
            "LICTOR_PUBLIC_URL=x",
            "check",
            2,
            "LICTOR_PUBLIC_URL: \"x\" is not the URL of a page",
            URL,
        ),
        ("", "check --reset-url x", 2, "--reset-url: \"x\" is not the URL of a page", URL),
        (
            "",
            "check --confirmation-url x",
            2,
            "--confirmation-url: \"x\" is not the URL of a page",
            URL,
        ),
        (
            "",
            "check --registration email",
            2,
            "registration by e-mail needs a way to send mail",
            "give one with --mail, such as smtp+starttls://user:password@host, or dir:mails to try it without a server",
        ),
        (
            "",
            "check --listen 127.0.0.1:0 --mail log:",
            2,
            "mails need to know where the links in them lead",
            "give the URL at which people reach the app with --public-url, such as https://login.example.org",
        ),
        (
            "",
            "serve --listen 127.0.0.1:0 --mail log:",
            2,
            "mails need to know where the links in them lead",
            "give the URL at which people reach the app with --public-url, such as https://login.example.org",
        ),
        (
            "LICTOR_MAIL=hunter2",
            "check",
            2,
            "LICTOR_MAIL: unknown mail transport",
            "give LICTOR_MAIL one of smtp+starttls://USER:PASSWORD@HOST, smtps://USER:PASSWORD@HOST, smtp://HOST, sendmail:, dir:PATH, log:",
        ),
        (
            "",
            "check --mail smtp://localhost",
            2,
            "mails have no sender",
            "give an address that the mail server lets you send from with --mail-from",
        ),
        (
            "",
            "check --mail sendmail:/nowhere",
            2,
            "--mail: there is no sendmail program at \"/nowhere\"",
            "install one, such as postfix or msmtp-mta, or give its absolute path with --mail, such as sendmail:/usr/sbin/sendmail",
        ),
        (
            "",
            "check --mail dir:text/mails",
            2,
            "--mail: mails cannot be written to dir:text/mails: text is in the way",
            "let the user that runs lictor write there, or give --mail a folder, such as dir:mails",
        ),
        (
            "LICTOR_MAIL_TEMPLATES=none",
            "check",
            2,
            "cannot read the mail templates in none: No such file or directory (os error 2)",
            "give LICTOR_MAIL_TEMPLATES a folder that the user who runs lictor can read",
        ),
        (
            "",
            "serve --mail-templates none",
            2,
            "cannot read the mail templates in none: No such file or directory (os error 2)",
            "give --mail-templates a folder that the user who runs lictor can read",
        ),
        (
            "",
            "mail test a@b.example",
            2,
            "no way to send mail is given",
            "give a way with --mail, such as smtp+starttls://user:password@host",
        ),
        (
            "SECRET_KEY=hunter2 LICTOR_ACCEPT_SHORT_SECRET=9999-12-31",
            "check",
            2,
            "LICTOR_ACCEPT_SHORT_SECRET: a short secret key is accepted for at most 90 days",
            "give an earlier date; the refresh lifespan (30 days) is enough",
        ),
        (
            "SECRET_KEY=hunter2",
            "check",
            2,
            "SECRET_KEY has 7 bytes; it needs at least 32 to sign",
            "(1) unset it, or set another (openssl rand -hex 32): everybody logs in again; or (2) start with --accept-short-secret YYYY-MM-DD and --adopt-tokens: the old app's tokens stay good until that day, but whoever guesses the secret can log in as anybody until then (docs/from-flask.md)",
        ),
        (
            "SECRET_KEY=_",
            "check",
            2,
            "SECRET_KEY has 0 bytes; it needs at least 32",
            "make one with `openssl rand -hex 32`, or unset SECRET_KEY and let lictor make a key file",
        ),
        (
            "JWT_ALGORITHM=EdDSA SECRET_KEY=hunter2hunter2hunter2hunter2hunter2hunter2",
            "check",
            2,
            "the only key is SECRET_KEY, and it has no file",
            "name a file for more keys with --secret-key-file, or unset SECRET_KEY; to change SECRET_KEY itself, put the old one into such a file",
        ),
        (
            "LICTOR_COOKIE_DOMAIN=org",
            "check",
            2,
            "LICTOR_COOKIE_DOMAIN: \"org\" is no domain that hosts can share a cookie of",
            "give the domain that the login and the apps are below, like example.org",
        ),
        (
            "LICTOR_COOKIE_DOMAIN=example.com",
            "check --public-url https://login.example.org",
            2,
            "LICTOR_COOKIE_DOMAIN is example.com, but people log in at login.example.org",
            "give the domain that the host of --public-url is below",
        ),
        (
            "",
            "check --home-url javascript:alert(1)",
            2,
            "--home-url: \"javascript:alert(1)\" is not the URL of a page",
            "write it as browsers do, like https://login.example.org",
        ),
        (
            "LICTOR_HOME_URL=start.example.org",
            "check",
            2,
            "LICTOR_HOME_URL: \"start.example.org\" is not the URL of a page",
            "write it as browsers do, like https://login.example.org",
        ),
        (
            "LICTOR_ISSUER=a:b",
            "check",
            2,
            "LICTOR_ISSUER: \"a:b\" is not valid as an issuer",
            "give a name of at most 64 bytes without a colon",
        ),
        (
            "LICTOR_AUDIENCE=shop,",
            "check",
            2,
            "LICTOR_AUDIENCE: \"\" is not valid as an audience",
            AUDIENCE,
        ),
        (
            "",
            "check --audience a~shop",
            2,
            "--audience: \"a shop\" is not valid as an audience",
            AUDIENCE,
        ),
        (
            "",
            "check --audience shop --audience wiki,shop",
            2,
            "--audience: the audience \"shop\" is there twice",
            "write each name once",
        ),
        (
            "",
            "check --audience a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q",
            2,
            "--audience: there are 17 audiences of 17 bytes together",
            "name at most 16, of 1024 bytes together: each token has them all",
        ),
        (
            "LICTOR_DEFAULT_ROLES=a~b",
            "check",
            2,
            "LICTOR_DEFAULT_ROLES: roles: a role has 1 to 64 letters, digits, or _ . : -",
            "write a role like editor, and several like admin,editor",
        ),
        (
            "LICTOR_DATABASE=_",
            "check",
            2,
            "LICTOR_DATABASE: the path of the database is empty",
            "give the path of an SQLite file, or a URL like postgres://USER:PASSWORD@HOST:5432/NAME",
        ),
        (
            "LICTOR_DATABASE=mysql://ada:hunter2@h/d",
            "check",
            2,
            "LICTOR_DATABASE: the database is a URL (mysql:) of a kind that lictor does not open",
            "give the path of an SQLite file, or a URL like postgres://USER:PASSWORD@HOST:5432/NAME",
        ),
        (
            "DATABASE_URL=postgres://ada:hunter2@h:x/d",
            "check",
            2,
            "DATABASE_URL: a port of the database is not a number from 1 to 65535",
            "write it like postgres://USER:PASSWORD@HOST:5432/NAME; percent-encode what is special in the user and the password: @ is %40, : is %3A, / is %2F, ? is %3F, # is %23, % is %25",
        ),
    ]);
}

#[test]
fn files() {
    check(&[
        (
            "",
            "user list --env-file none",
            2,
            "--env-file: cannot read none: No such file or directory (os error 2)",
            "check the path; the service's file is /etc/lictor.env",
        ),
        (
            "",
            "user list --env-file folder",
            2,
            "--env-file: cannot read folder: Is a directory (os error 21)",
            "give the path of a file with lines like LICTOR_LISTEN=127.0.0.1:5000",
        ),
        (
            "",
            "--env-file huge",
            2,
            "--env-file: huge is larger than 64 KiB",
            "give the path of a file with lines like LICTOR_LISTEN=127.0.0.1:5000",
        ),
        (
            "",
            "check --env-file=short",
            2,
            "--env-file: short, line 2: there is no = in it",
            "write a variable a line, like LICTOR_LISTEN=127.0.0.1:5000; a comment begins with #",
        ),
        (
            "",
            "--env-file export check",
            2,
            "--env-file: export, line 2: what stands before the = is no name of a variable",
            "write a variable a line, like LICTOR_LISTEN=127.0.0.1:5000; a comment begins with #",
        ),
        (
            "",
            "check --env-file open",
            2,
            "--env-file: open, line 2: the quotation mark is not closed",
            "write a variable a line, like LICTOR_LISTEN=127.0.0.1:5000; a comment begins with #",
        ),
        ("", "check --env-file", 2, "--env-file has no value", CHECK),
        (
            "",
            "check --env-file misspelt",
            2,
            "LICTOR_REGISTRATON is set, and lictor has no such variable",
            "set LICTOR_REGISTRATION instead of LICTOR_REGISTRATON; all names: lictor serve --help",
        ),
        (
            "LICTOR_REGISTRATION=open",
            "check --env-file wrong",
            2,
            "LICTOR_REGISTRATION cannot be \"nobody\"",
            "write one of: open, email, invite, closed",
        ),
        (
            "",
            "check --secret-key-file none",
            1,
            "cannot read the key file none: No such file or directory (os error 2)",
            "check the path, or make the file: (umask 077; openssl rand -hex 32 > none)",
        ),
        (
            "",
            "check --secret-key-file folder",
            1,
            "the key file folder is a directory",
            "give the path of a file",
        ),
        (
            "",
            "serve --secret-key-file empty",
            1,
            "the key file empty is empty",
            "restore it from a backup; if it never held a key, delete it, or write one into it: openssl rand -hex 32",
        ),
        (
            "",
            "check --secret-key-file text",
            2,
            "text: the secret key has 6 bytes; it needs at least 32",
            "make one with `openssl rand -hex 32`",
        ),
        (
            "",
            "check --secret-key-file two",
            1,
            "two: it has several lines, and the first does not begin with lictor-key",
            "give the path of a file whose one line is the secret: (umask 077; openssl rand -hex 32 > FILE)",
        ),
        (
            "",
            "check --web none",
            2,
            "cannot open the folder none: No such file or directory (os error 2)",
            "give --web the folder that your app's build made, or off",
        ),
        (
            "",
            "check --web text",
            2,
            "text is not a folder",
            "give --web the folder that your app's build made, or off",
        ),
        (
            "",
            "check --password-blocklist none",
            1,
            "cannot read the password blocklist none: No such file or directory (os error 2)",
            "let the user that runs lictor read it, or leave out --password-blocklist",
        ),
        (
            "",
            "check --access none",
            1,
            "cannot read the access rules in none: No such file or directory (os error 2)",
            "let the user that runs lictor read it, or leave out --access",
        ),
        (
            "LICTOR_ACCESS=badrules",
            "serve",
            2,
            "badrules: line 2: \"family\" does not say who is let in",
            "write everyone, users, role ROLE, user NAME or nobody after the host",
        ),
        (
            "LICTOR_BRAND=pale",
            "check",
            2,
            "pale/brand: line 2: text in #ff8800 has a contrast of 2.07:1 in the light colours, and needs 4.5:1",
            "write #a65800, the nearest colour that has it",
        ),
        (
            "",
            "serve --brand nobrand",
            2,
            "there is nothing of a brand in nobrand",
            "it can have the files brand, logo.svg, logo.png, logo-dark.svg, logo-dark.png, favicon.svg, favicon.png, favicon.ico",
        ),
        (
            "LICTOR_BRAND=nowhere",
            "check",
            2,
            "cannot read the brand in nowhere: No such file or directory (os error 2)",
            "give LICTOR_BRAND a folder that the user who runs lictor can read",
        ),
        (
            "",
            "check --brand fake",
            2,
            "fake/logo.png: it is no PNG image",
            "save it as PNG, and name it accordingly",
        ),
        (
            "",
            "check --brand odd",
            2,
            "odd/favicon.jpg: no file of a brand has this name",
            "did you mean favicon.png? The names are brand, logo.svg, logo.png, logo-dark.svg, logo-dark.png, favicon.svg, favicon.png, favicon.ico",
        ),
        (
            "",
            "access explain https://wiki.example.org --access norules",
            2,
            "norules: no rule names a host, so every request would be refused",
            "name the hosts of the apps, as in: wiki.example.org users",
        ),
        (
            "",
            "check --access bytes",
            2,
            "bytes: the access rules are not UTF-8",
            "write one rule a line in UTF-8",
        ),
        (
            "",
            "check --access huge",
            2,
            "huge: the access rules are longer than 64 KiB",
            "use *.DOMAIN and roles, so that fewer rules do",
        ),
        (
            "",
            "check --access-role a,b",
            2,
            "--access-role: \"a,b\" is no role",
            "write one role, like family",
        ),
        (
            "LICTOR_ACCESS_ROLE=family",
            "check --access rules",
            2,
            "--access and LICTOR_ACCESS_ROLE exclude each other",
            "write the role into the file of the rules, as in: *.example.org role family",
        ),
        (
            "",
            "access explain wiki.example.org:x",
            2,
            "\"wiki.example.org:x\" is no URL of an app",
            "write it as browsers do, like https://wiki.example.org/public",
        ),
        (
            "LICTOR_PASSWORD_BLOCKLIST=empty",
            "serve",
            1,
            "the password blocklist empty is neither a text file of passwords nor one of SHA-1 hashes",
            "give passwords one a line, or sorted SHA-1 hashes in hexadecimal",
        ),
        (
            "LICTOR_MAIL_TEMPLATES=templates",
            "check",
            2,
            "the mail template templates/rest.en.txt is not valid: no template has this name; the names are frame.html, and LETTER.LANGUAGE.txt, with a language of en, pt-PT, pt-BR, de, es, fr or pt, and a letter of confirm, taken, reset, new-address, address-changed, address-removed, password-changed, second-factor-on, second-factor-off, recovery-code-used, recovery-codes-replaced, account-deleted, new-device, guarded, renamed, invitation, test",
            "correct the file, or remove it to use the built-in template",
        ),
        (
            "LICTOR_DATABASE=notes",
            "check",
            1,
            "notes is not a lictor database",
            "it was not touched; give another path with LICTOR_DATABASE",
        ),
        (
            "",
            "user list --database folder",
            1,
            "folder is not a file",
            "give the path of a database file with --database",
        ),
        (
            "",
            "user add ada --database none/lictor.db --create",
            1,
            "cannot open the database none/lictor.db: No such file or directory (os error 2)",
            "make the directory: mkdir -p none",
        ),
        (
            "",
            "user list",
            1,
            "there is no database at DIR/lictor.db",
            "name it with --database or --env-file; lictor user add NAME --create makes one",
        ),
        (
            "",
            "import people.csv",
            1,
            "there is no database at DIR/lictor.db",
            "name it with --database or --env-file; --create makes one there",
        ),
        (
            "",
            "user add ada",
            1,
            "there is no database at DIR/lictor.db",
            "name it with --database or --env-file; --create makes one there",
        ),
        (
            "",
            "key list",
            1,
            "there is no key file at lictor.key",
            "give its path with --secret-key-file, or the database's with --database; the first start of the server makes it. If it is lost: lictor key rotate --new-key",
        ),
        (
            "",
            "import none --create",
            2,
            "SOURCE: cannot open none: No such file or directory (os error 2)",
            "give the path of a file that you can read, or a URL like postgres://USER:PASSWORD@HOST:5432/NAME",
        ),
        (
            "",
            "import postgres://ada@127.0.0.1:1/app --create",
            1,
            "cannot open the database postgres://ada@127.0.0.1:1/app: 127.0.0.1:1: Connection refused (os error 111)",
            "check that PostgreSQL runs there, and the host and the port in SOURCE",
        ),
        (
            "",
            "export --output text",
            2,
            "--output: text exists already",
            "name another file, or delete it",
        ),
        (
            "",
            "database copy none.db other.db",
            1,
            "there is no database at none.db",
            "give the path of the file that the server used",
        ),
        (
            "",
            "serve --listen 192.0.2.1:5000",
            1,
            "cannot listen on 192.0.2.1:5000: Cannot assign requested address (os error 99)",
            "give an address of this machine with --listen",
        ),
    ]);
}
