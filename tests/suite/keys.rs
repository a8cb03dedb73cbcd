//! Keys as their owner meets them: `lictor key …`, what a server makes of a key file, and which
//! tokens are good before and after.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use jwt_simple::prelude::{
    Ed25519PublicKey, EdDSAPublicKeyLike as _, NoCustomClaims, VerificationOptions,
};
use serde_json::{Value, json};

use crate::support::{
    Dir, PASSWORD, Reply, SECRET, Server, assert_without, finish, lictor, outcome, part, run,
    write_private,
};

const DIGITS: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OTHER_DIGITS: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";

/// `lictor key` with these arguments; it must succeed. What it wrote.
fn key(dir: &Dir, args: &[&str]) -> (String, String) {
    let (code, out, err) = outcome(&run(&dir.0, &[&["key"], args].concat(), ""));
    assert_eq!(code, 0, "{args:?}: {err}");
    (out, err)
}

/// The table of `lictor key list`, row by row, without the dates.
fn list(dir: &Dir) -> Vec<(String, String, String)> {
    let (out, _) = key(dir, &["list"]);
    let row = |line: &str| {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        assert_eq!(words.len(), 4, "{line}");
        (words[0].clone(), words[1].clone(), words[3].clone())
    };
    let keys = out.lines().skip(1).filter(|line| !line.starts_with("a server that runs"));
    keys.map(row).collect()
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&part(token, 0)).unwrap()
}

fn status(server: &Server, token: &str) -> (u16, String) {
    let reply: Reply = server.protected(token);
    match reply.status() {
        200 => (200, String::new()),
        _ => reply.error(),
    }
}

fn good(server: &Server, token: &str) {
    assert_eq!(status(server, token).0, 200, "{:?}", header(token));
}

fn refused(server: &Server, token: &str) {
    assert_eq!(status(server, token), (401, "InvalidTokenHeader".into()), "{:?}", header(token));
}

#[test]
fn a_key_is_rotated_and_the_old_one_retired() {
    let server = Server::start_with(Dir::new(), &[], &[]);
    let first = server.register("ada", PASSWORD).token();
    assert_eq!(header(&first), json!({"alg": "HS256", "typ": "JWT"}));
    let before = fs::read_to_string(server.dir.0.join("lictor.key")).unwrap();

    // Changes that are made while it runs count from the next reload or start on.
    let [(old, ..)] = &list(&server.dir)[..] else { panic!("one key") };
    let (said, _) = key(&server.dir, &["rotate"]);
    let rows = list(&server.dir);
    let [(new, algorithm, signs), (second, _, verifies)] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(
        (algorithm.as_str(), signs.as_str(), verifies.as_str()),
        ("HS256", "signs", "verifies")
    );
    assert_eq!(second, old);
    assert!(said.contains(&format!("the HS256 key {new}; it signs once")), "{said}");
    assert!(said.contains(&format!("lictor key retire {old}")), "{said}");
    let path = server.dir.0.join("lictor.key");
    assert!(said.contains(&format!("the key file is {}\n", path.display())), "{said}");
    assert!(said.ends_with("next: systemctl reload lictor (or kill -HUP PID)\n"), "{said}");
    let (shown, _) = key(&server.dir, &["list"]);
    assert!(shown.contains("\na server that runs has the keys of its last start"), "{shown}");
    let file = fs::read_to_string(server.dir.0.join("lictor.key")).unwrap();
    assert!(file.ends_with(&format!("lictor-key HS256 0 {before}")), "the secret itself is kept");
    let mode = fs::metadata(server.dir.0.join("lictor.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    good(&server, &first);
    assert_eq!(header(&server.login("ada", PASSWORD).token()), header(&first));

    let server = Server::start_with(server.stop("-TERM").1, &[], &[]);
    good(&server, &first);
    let next = server.login("ada", PASSWORD).token();
    assert_eq!(header(&next), json!({"alg": "HS256", "kid": new, "typ": "JWT"}));
    good(&server, &next);

    let retire =
        |args: &[&str]| outcome(&run(&server.dir.0, &[&["key", "retire"], args].concat(), "y\n"));
    for (args, what, next) in [
        (&[new.as_str(), "--yes"][..], "is the newest HS256 key", "lictor key rotate"),
        (&["nobody", "--yes"], "there is no key nobody", "lictor key list"),
        (&["--nobody", "--yes"], "there is no key --nobody", "lictor key list"),
        (&[old], "retiring a key needs confirmation", "--yes"),
    ] {
        let (code, out, err) = retire(args);
        assert_eq!((code, out.as_str()), (1, ""), "{args:?}");
        let lines: Vec<_> = err.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains(what) && lines[1].contains(next), "{err}");
    }
    assert_eq!(fs::read_to_string(server.dir.0.join("lictor.key")).unwrap(), file);
    let (code, out, err) = retire(&[old, "--yes"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.contains(&format!("retired {old}")), "{out}");
    assert!(err.contains("sessions that it signed can last until"), "{err}");
    assert!(out.contains("systemctl reload lictor"), "{out}");
    let (shown, _) = key(&server.dir, &["list"]);
    assert_eq!(shown.lines().count(), 2, "one key needs no explanation");
    assert_eq!(list(&server.dir).len(), 1);
    let (_, audit, _) = outcome(&run(&server.dir.0, &["audit"], ""));
    assert!(audit.contains("key-rotated") && audit.contains("key-retired"), "{audit}");
    assert!(audit.contains(new) && audit.contains(old), "{audit}");

    let server = Server::start_with(server.stop("-TERM").1, &[], &[]);
    refused(&server, &first);
    good(&server, &next);
    assert_eq!(header(&server.login("ada", PASSWORD).token()), header(&first), "one needs no name");
}

#[test]
fn a_key_whose_time_is_over_is_retired_without_a_warning() {
    let dir = Dir::new();
    write_private(
        &dir.0.join("lictor.key"),
        &format!("lictor-key HS256 1000 {DIGITS}\nlictor-key HS256 0 {OTHER_DIGITS}\n"),
    );
    let old = &list(&dir)[1].0;
    let (_, err) = key(&dir, &["retire", "--yes", old]);
    assert_eq!(err, "");
    assert_eq!(list(&dir).len(), 1);
}

#[test]
fn the_key_that_signs_was_retired_by_a_command_with_other_flags() {
    let dir = Dir::new();
    let ring = format!(
        "lictor-key EdDSA 1700000000 {DIGITS}\nlictor-key HS256 1000 {DIGITS}\n\
         lictor-key HS256 0 {OTHER_DIGITS}\n"
    );
    let file = dir.0.join("lictor.key");
    write_private(&file, &ring);
    // A server that signs with HS256, though the newest key is a pair.
    let server = Server::start_with(dir, &["--jwt-algorithm", "HS256"], &[]);
    let token = server.register("ada", PASSWORD).token();
    let keys = list(&server.dir);
    let [(pair, ..), (signs, ..), (old, ..)] = &keys[..] else { panic!("{keys:?}") };
    assert_eq!(&header(&token)["kid"], signs);
    for kid in [signs, pair] {
        for flags in [&[][..], &["--jwt-algorithm", "EdDSA"], &["--jwt-algorithm", "HS256"]] {
            let args = [&["key", "retire", kid, "--yes"], flags].concat();
            for secret in [None, Some(SECRET)] {
                let mut command = lictor(&server.dir.0, &args);
                if let Some(secret) = secret {
                    command.env("SECRET_KEY", secret).args(["--secret-key-file", "lictor.key"]);
                }
                let (code, out, err) = outcome(&finish(command, ""));
                assert_eq!((code, out.as_str()), (1, ""), "{args:?}: {err}");
                assert!(err.contains("a server may sign with it"), "{err}");
                assert!(err.contains("lictor key rotate --jwt-algorithm"), "{err}");
                assert!(err.contains("remove the line from lictor.key by hand"), "{err}");
            }
        }
    }
    assert_eq!(fs::read_to_string(server.dir.0.join("lictor.key")).unwrap(), ring);
    key(&server.dir, &["retire", old, "--yes", "--jwt-algorithm", "EdDSA"]);
    let dir = server.stop("-TERM").1;
    let server = Server::start_with(dir, &["--jwt-algorithm", "HS256"], &[]);
    good(&server, &token);
}

#[test]
fn lists_show_no_secret() {
    let dir = Dir::new();
    write_private(
        &dir.0.join("lictor.key"),
        &format!("lictor-key EdDSA 1700000000 {DIGITS}\nlictor-key HS256 0 {OTHER_DIGITS}\n"),
    );
    let (out, _) = key(&dir, &["list"]);
    assert!(out.contains("2023-11-14T22:13:20Z"), "{out}");
    let (json, _) = key(&dir, &["list", "--json"]);
    let rows: Value = serde_json::from_str(&json).unwrap();
    let [pair, shared] = &rows.as_array().unwrap()[..] else { panic!("{json}") };
    assert_eq!(pair["algorithm"], "EdDSA");
    assert_eq!((&pair["created"], &pair["signs"]), (&json!(1_700_000_000), &json!(true)));
    assert_eq!((&shared["created"], &shared["signs"]), (&Value::Null, &json!(false)));
    assert_eq!(pair.as_object().unwrap().len(), 4);
    assert_without(&format!("{out}{json}"), &[&DIGITS[..16], &OTHER_DIGITS[..16]], &"the lists");
    let other = key(&dir, &["list", "--json", "--jwt-algorithm", "HS256"]).0;
    let rows: Value = serde_json::from_str(&other).unwrap();
    assert_eq!((&rows[0]["signs"], &rows[1]["signs"]), (&json!(false), &json!(true)));
}

#[test]
fn eddsa_from_the_first_start_on() {
    let server = Server::start_with(Dir::new(), &["--jwt-algorithm", "EdDSA"], &[]);
    let token = server.register("ada", PASSWORD).token();
    let reply = server.get("/.well-known/jwks.json");
    assert_eq!(reply.status(), 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("public, max-age=300"));
    let set = reply.json();
    let [jwk] = &set["keys"].as_array().unwrap()[..] else { panic!("{set}") };
    let mut members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!(
        header(&token),
        json!({"alg": "EdDSA", "kid": jwk["kid"], "typ": "JWT"}),
        "the key is named"
    );
    let public = Ed25519PublicKey::from_jwk(&jwk.to_string()).unwrap();
    let options = VerificationOptions {
        required_key_id: jwk["kid"].as_str().map(str::to_owned),
        ..VerificationOptions::default()
    };
    public.verify_token::<NoCustomClaims>(&token, Some(options)).unwrap();
    good(&server, &token);
    let file = fs::read_to_string(server.dir.0.join("lictor.key")).unwrap();
    let seed = file.trim_end().rsplit_once(' ').unwrap().1;
    assert!(file.starts_with("lictor-key EdDSA 1") && seed.len() == 64, "the only key is a pair");
    assert_without(&(reply.body + &server.log()), &[seed], &"public keys and log");

    // The file now says what signs; the flag is not needed again, and new keys are alike.
    key(&server.dir, &["rotate"]);
    let server = Server::start_with(server.stop("-TERM").1, &[], &[]);
    good(&server, &token);
    let next = server.login("ada", PASSWORD).token();
    let set = server.get("/.well-known/jwks.json").json();
    assert_eq!(set["keys"].as_array().unwrap().len(), 2);
    assert_eq!(header(&next)["kid"], set["keys"][0]["kid"]);
    assert_eq!(header(&token)["kid"], set["keys"][1]["kid"]);
    good(&server, &next);
}

#[test]
fn to_eddsa_and_back() {
    let server = Server::start_with(Dir::new(), &[], &[]);
    let shared = server.register("ada", PASSWORD).token();
    assert_eq!(server.get("/.well-known/jwks.json").body, r#"{"keys":[]}"#);

    let dir = server.stop("-TERM").1;
    let server = Server::start_with(dir, &[], &[("JWT_ALGORITHM", "EdDSA")]);
    assert!(server.log().contains("added a new EdDSA key to lictor.key"), "{}", server.log());
    let pair = server.login("ada", PASSWORD).token();
    assert_eq!(header(&pair)["alg"], "EdDSA");
    for token in [&shared, &pair] {
        good(&server, token);
    }

    let server = Server::start_with(server.stop("-TERM").1, &["--jwt-algorithm", "HS256"], &[]);
    let again = server.login("ada", PASSWORD).token();
    assert_eq!(header(&again)["alg"], "HS256");
    for token in [&shared, &pair, &again] {
        good(&server, token);
    }
    let rows = list(&server.dir);
    let algorithms: Vec<_> = rows.iter().map(|(_, algorithm, _)| algorithm.as_str()).collect();
    assert_eq!(algorithms, ["EdDSA", "HS256"], "nothing was made for the way back");
}

#[test]
fn secret_key_signs_and_the_keys_of_a_named_file_verify() {
    let dir = Dir::new();
    let old = Server::start_in(dir, &[]);
    let first = old.register("ada", PASSWORD).token();
    let dir = old.stop("-TERM").1;
    write_private(&dir.0.join("old.key"), &format!("{SECRET}\n"));
    let new = "another secret of at least 32 bytes";
    let flags = ["--secret-key-file", "old.key"];
    let server = Server::start_with(dir, &flags, &[("SECRET_KEY", new)]);
    good(&server, &first);
    let next = server.login("ada", PASSWORD).token();
    assert!(header(&next)["kid"].is_string());

    // A file that happens to lie beside the database does not count.
    fs::copy(server.dir.0.join("old.key"), server.dir.0.join("lictor.key")).unwrap();
    let server = Server::start_with(server.stop("-TERM").1, &[], &[("SECRET_KEY", new)]);
    refused(&server, &first);
    good(&server, &next);

    // The same secret in both places is one key.
    let server = Server::start_with(server.stop("-TERM").1, &flags, &[("SECRET_KEY", SECRET)]);
    assert_eq!(header(&server.login("ada", PASSWORD).token()), header(&first));

    // A pair can only stand in the file.
    let pair = [&flags[..], &["--jwt-algorithm", "EdDSA"]].concat();
    let server = Server::start_with(server.stop("-TERM").1, &pair, &[("SECRET_KEY", SECRET)]);
    assert_eq!(header(&server.login("ada", PASSWORD).token())["alg"], "EdDSA");
    good(&server, &first);

    let command = |args: &[&str]| {
        let mut command = lictor(&server.dir.0, &[&["key"], args].concat());
        command.env("SECRET_KEY", SECRET);
        outcome(&finish(command, ""))
    };
    for (args, what, next) in [
        (&["rotate"][..], "the only key is SECRET_KEY", "--secret-key-file"),
        (&["rotate", "--secret-key-file", "old.key"], "SECRET_KEY signs", "put the old one"),
    ] {
        let (code, _, err) = command(args);
        assert_eq!(code, 2, "{err}");
        assert!(err.contains(what) && err.contains(next), "{err}");
        assert_without(&err, &[SECRET], &err);
    }
    let (code, out, _) = command(&["list"]);
    assert!(code == 0 && out.lines().count() == 2 && out.contains("signs"), "{out}");
}

/// `lictor serve`, `check` and `key list` end with this code and say this in two lines.
fn fails(dir: &Dir, flags: &[&str], secret: Option<&str>, code: i32, what: &str, next: &str) {
    let listen = ["--listen", "127.0.0.1:0"];
    for command in [&[&["serve"], &listen[..], flags].concat()[..], &[&["check"], flags].concat()] {
        let mut command = lictor(&dir.0, command);
        command.envs(secret.map(|secret| ("SECRET_KEY", secret)));
        let (found, out, err) = outcome(&finish(command, ""));
        assert_eq!((found, out.as_str()), (code, ""), "{flags:?}: {err}");
        let lines: Vec<_> = err.lines().collect();
        assert!(lines.len() == 2 && lines[0].contains(what) && lines[1].contains(next), "{err}");
        assert_without(&err, &["22334455", "ffeeddcc", SECRET], &err);
    }
}

#[test]
fn key_files_that_cannot_be_used() {
    let dir = Dir::new();
    let named = ["--secret-key-file", "a.key"];
    for (text, code, what, next) in [
        (format!("{DIGITS}\n{OTHER_DIGITS}\n"), 1, "several lines", "openssl rand -hex 32"),
        (format!("lictor-key HS512 1 {DIGITS}\n"), 1, "line 1: its algorithm", "backup"),
        (
            format!("lictor-key HS256 1 {DIGITS}\nlictor-key EdDSA x {DIGITS}\n"),
            1,
            "a.key: line 2: its time",
            "lictor-key ALGORITHM CREATED VALUE",
        ),
        (format!("lictor-key HS256 2 {DIGITS}\n").repeat(2), 1, "twice", "remove one"),
        (
            (0..9).map(|n| format!("lictor-key HS256 2 {DIGITS}{n}\n")).collect(),
            1,
            "more than 8 keys",
            "remove the line of the oldest",
        ),
        ("x".repeat(70_000), 1, "larger than", "nothing but keys"),
        (String::new(), 1, "the key file a.key is empty", "restore it from a backup"),
        ("\n".into(), 1, "the key file a.key is empty", "openssl rand -hex 32"),
    ] {
        write_private(&dir.0.join("a.key"), &text);
        fails(&dir, &named, None, code, what, next);
        let (code, out, _) = outcome(&run(&dir.0, &[&["key", "rotate"], &named[..]].concat(), ""));
        assert_eq!((code, out.as_str()), (1, ""));
        assert_eq!(fs::read_to_string(dir.0.join("a.key")).unwrap(), text, "left as it was");
    }
    for named in [".", "/tmp"] {
        let flags = ["--secret-key-file", named];
        let what = format!("the key file {named} is a directory");
        fails(&dir, &flags, None, 1, &what, "give the path of a file");
    }
    let full: String = (0..8).map(|n| format!("lictor-key HS256 2 {DIGITS}{n}\n")).collect();
    write_private(&dir.0.join("a.key"), &full);
    let (code, _, err) = outcome(&run(&dir.0, &[&["key", "rotate"], &named[..]].concat(), ""));
    assert!(code == 1 && err.contains("more than 8 keys"), "{err}");
    fails(&dir, &named, Some(SECRET), 1, "more than 8 keys", "lictor key retire");

    let pair = ["--jwt-algorithm", "EdDSA"];
    fails(&dir, &pair, Some(SECRET), 2, "the only key is SECRET_KEY", "--secret-key-file");
    for algorithm in ["HS512", "none", "RS256", "hs256", ""] {
        let (code, ..) = outcome(&run(&dir.0, &["check", "--jwt-algorithm", algorithm], ""));
        assert_eq!(code, 2, "{algorithm}");
    }
}

/// The server does not start, and makes no key; `check` says so.
fn must_not_replace(dir: &Dir) {
    let what = "the key file lictor.key is missing, and tokens that its key signed are in use";
    let listen = ["serve", "--listen", "127.0.0.1:0"];
    let (code, out, err) = outcome(&run(&dir.0, &listen, ""));
    assert_eq!((code, out.as_str()), (1, ""), "{err}");
    let lines: Vec<_> = err.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains(what), "{err}");
    assert!(lines[1].contains("restore the file") && lines[1].contains("--new-key"), "{err}");
    let (code, out, err) = outcome(&run(&dir.0, &["check"], ""));
    assert!(code == 1 && err.contains(&format!("serve would not start: {what}")), "{err}");
    assert!(err.contains("--new-key") && !out.contains("nothing is wrong"), "{out}{err}");
    let (_, out, _) = outcome(&run(&dir.0, &["check", "--new-key"], ""));
    assert!(out.contains("secret key"), "{out}");
    assert!(!dir.0.join("lictor.key").exists());
}

#[test]
fn a_lost_key_was_replaced_in_silence() {
    // Accounts of the command line alone have no tokens yet.
    let dir = Dir::new();
    let (code, ..) = outcome(&run(&dir.0, &["user", "add", "bob", "--create"], PASSWORD));
    assert_eq!(code, 0);
    let server = Server::start_with(dir, &[], &[]);
    let token = server.register("ada", PASSWORD).token();
    let dir = server.stop("-TERM").1;
    let kept = dir.0.join("kept");
    fs::rename(dir.0.join("lictor.key"), &kept).unwrap();
    must_not_replace(&dir);
    let (code, _, err) = outcome(&run(&dir.0, &["key", "rotate"], ""));
    assert!(code == 1 && err.contains("there is no key file at lictor.key"), "{err}");

    // The first way on: the file is restored. The flag then has no effect.
    fs::copy(&kept, dir.0.join("lictor.key")).unwrap();
    let server = Server::start_with(dir, &["--new-key"], &[]);
    good(&server, &token);
    assert!(server.log().contains("--new-key has no effect"), "{}", server.log());
    let dir = server.stop("-TERM").1;
    let (code, _, err) = outcome(&run(&dir.0, &["key", "rotate", "--new-key"], ""));
    assert!(code == 2 && err.contains("the key is not lost"), "{err}");

    // The second one.
    fs::remove_file(dir.0.join("lictor.key")).unwrap();
    let server = Server::start_with(dir, &["--new-key"], &[]);
    refused(&server, &token);
    let token = server.login("ada", PASSWORD).token();
    let dir = server.stop("-TERM").1;
    fs::remove_file(dir.0.join("lictor.key")).unwrap();
    let (said, _) = key(&dir, &["rotate", "--new-key"]);
    assert!(said.contains("in lictor.key; next: start the server"), "{said}");
    assert_eq!(list(&dir).len(), 1);
    let server = Server::start_with(dir, &[], &[]);
    refused(&server, &token);
}

#[test]
fn a_lost_key_was_replaced_if_the_database_could_not_say_who_is_logged_in() {
    let server = Server::start_with(Dir::new(), &[], &[]);
    server.register("ada", PASSWORD).token();
    let dir = server.stop("-TERM").1;
    fs::remove_file(dir.0.join("lictor.key")).unwrap();
    dir.sql().execute("ALTER TABLE sessions RENAME TO others", &[]);
    let listen = ["serve", "--listen", "127.0.0.1:0"];
    let (code, _, err) = outcome(&run(&dir.0, &listen, ""));
    assert_eq!(code, 1, "{err}");
    // The next start would have found a key.
    assert!(!dir.0.join("lictor.key").exists(), "{err}");
}

#[test]
fn the_key_of_the_environment_is_lost_as_well() {
    let server = Server::start_with(Dir::new(), &[], &[("SECRET_KEY", SECRET)]);
    let token = server.register("ada", PASSWORD).token();
    let dir = server.stop("-TERM").1;
    must_not_replace(&dir);
    write_private(&dir.0.join("lictor.key"), SECRET);
    let server = Server::start_with(dir, &[], &[]);
    good(&server, &token);
}

#[test]
fn looking_makes_nothing() {
    let dir = Dir::new();
    for args in [&["list"][..], &["rotate"], &["retire", "x", "--yes"]] {
        let (code, _, err) = outcome(&run(&dir.0, &[&["key"], args].concat(), ""));
        assert_eq!(code, 1);
        assert!(err.contains("there is no key file at lictor.key"), "{err}");
        assert!(err.contains("--secret-key-file"), "{err}");
    }
    let check = |args: &[&str]| {
        let (code, out, err) = outcome(&run(&dir.0, &[&["check"], args].concat(), ""));
        assert_eq!(code, 0, "{err}");
        out.lines().find_map(|line| line.strip_prefix("signs")).unwrap().trim().to_owned()
    };
    assert_eq!(check(&[]), "HS256 (a key will be made)");
    assert_eq!(check(&["--jwt-algorithm", "EdDSA"]), "EdDSA (a key will be made)");
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), 0);
    write_private(
        &dir.0.join("lictor.key"),
        &format!("lictor-key HS256 1000 {DIGITS}\nlictor-key HS256 0 {OTHER_DIGITS}\n"),
    );
    let before = fs::read(dir.0.join("lictor.key")).unwrap();
    assert_eq!(check(&[]), "HS256, with the newest such key of 2");
    assert_eq!(check(&["--jwt-algorithm", "EdDSA"]), "EdDSA (a key will be made)");
    assert_eq!(fs::read(dir.0.join("lictor.key")).unwrap(), before);
}

#[test]
fn a_token_may_be_refreshed_shortly_before_its_end() {
    for (early, expected) in [("0", 425), ("50m", 425), ("7200", 200)] {
        let server = Server::start(&["--access-lifespan", "3600", "--early-refresh", early]);
        let token = server.register("ada", PASSWORD).token();
        good(&server, &token);
        let reply = server.send("POST", "/api/refresh", &[], &token);
        assert_eq!(reply.status(), expected, "{early}: {reply:?}");
    }
}
