//! Access rules on the command line: what `lictor access explain` and `lictor check` say of them, and
//! what a reload takes from their file.

use std::fs;

use crate::support::{Dir, PASSWORD, Server, eventually, outcome, run};

const RULES: &str = "wiki.example.org role family\nwiki.example.org/public everyone\n\
                     old.example.org nobody\n*.example.org users # all others\n";

#[test]
fn explain_says_which_rule_decides() {
    let dir = Dir::new();
    fs::write(dir.0.join("rules"), RULES).unwrap();
    for name in ["ada", "Bob", "eve"] {
        let args = ["user", "add", name, "--create"];
        let (code, _, err) = outcome(&run(&dir.0, &args, &format!("{PASSWORD}\n")));
        assert_eq!(code, 0, "{err}");
    }
    assert_eq!(outcome(&run(&dir.0, &["user", "roles", "ada", "--add", "family"], "")).0, 0);
    assert_eq!(outcome(&run(&dir.0, &["user", "deactivate", "eve"], "")).0, 0);
    let check = |words: &str, code: i32, expected: &[&str]| {
        let words: Vec<&str> = ["access", "explain"].into_iter().chain(words.split(' ')).collect();
        let (found, out, err) = outcome(&run(&dir.0, &words, ""));
        assert_eq!(found, code, "{words:?}: {out}{err}");
        let text = format!("{out}{err}");
        assert!(expected.iter().all(|part| text.contains(part)), "{words:?}: {text}");
    };
    let wiki = "https://wiki.example.org/a";
    let (first, second) =
        ("line 1: wiki.example.org role family", "line 2: wiki.example.org/public");
    check(&format!("{wiki} --access rules"), 1, &[first, "nobody is logged in", "401: "]);
    check(&format!("{wiki} --access rules --user ADA"), 0, &[first, "user     ada", "200: "]);
    check(&format!("{wiki} --access rules --user bob"), 1, &[first, "user     Bob", "403: "]);
    check(&format!("{wiki} --access rules --user carl"), 1, &["there is no user carl"]);
    check(&format!("{wiki} --access rules --user eve"), 1, &["eve is not active"]);
    check("wiki.example.org/public?x --access rules", 0, &[second, "200: everyone"]);
    check(
        "wiki.example.org/public/..%2fa --access rules",
        1,
        &[first, "apps may read it as another one", "401: "],
    );
    check("HTTP://x --access rules", 2, &["is no URL of an app"]);
    check("old.example.org --access rules --user ada", 1, &["line 3", "403: nobody"]);
    check(
        "https://cal.example.org:8443/#x --access rules --user bob --method POST",
        0,
        &[
            "line 4: *.example.org users\n",
            "a browser's POST must come from a page of the same host",
        ],
    );
    check("example.org --access rules --user ada", 1, &["none for this host", "403: "]);
    let login = "https://login.example.net/x --access rules --public-url https://LOGIN.example.net";
    check(login, 0, &["none: proxies do not ask about lictor's own host", "200: everyone"]);
    let login = "https://login.example.org/x --access rules --public-url https://login.example.org";
    check(login, 1, &["line 4: *.example.org users"]);
    check(
        &format!("{wiki} --access-role family --user bob"),
        1,
        &["--access-role family", "403: "],
    );
    check(
        &format!("{wiki} --access-role family --user ada"),
        0,
        &["--access-role family", "200: "],
    );
    check(&format!("{wiki} --user bob"), 0, &["whoever is logged in may open all apps"]);
}

#[test]
fn a_reload_takes_the_rules_and_says_what_has_changed() {
    let dir = Dir::new();
    fs::write(dir.0.join("rules"), RULES).unwrap();
    let server = Server::start_with(dir, &["--access", "rules"], &[]);
    let reload = |rules: &str, expected: &[&str]| {
        fs::write(server.dir.0.join("rules"), rules).unwrap();
        let before = server.log().len();
        server.signal("-HUP");
        let log = || server.log().split_off(before);
        eventually(|| expected.iter().all(|line| log().contains(line)));
        log()
    };
    let log = reload(
        &format!("{RULES}git.example.org role dev\n").replace("nobody", "users"),
        &[
            "reloaded: access rule added: old.example.org users",
            "reloaded: access rule added: git.example.org role dev",
            "reloaded: access rule removed: old.example.org nobody",
            "reloaded: access rules, 5 rules for 4 hosts (was rules, 4 rules for 3 hosts)",
        ],
    );
    assert!(!log.contains("wiki.example.org"), "{log}");
    reload(
        "wiki.example.org family",
        &["not reloaded, all settings stay as they are: rules: line 1: \"family\" does not say"],
    );
}

#[test]
fn check_says_what_the_settings_contradict() {
    let dir = Dir::new();
    fs::write(dir.0.join("rules"), RULES).unwrap();
    let check = |flags: &str, expected: &[&str], not: &[&str]| {
        let words = ["check", "--listen", "127.0.0.1:0"].into_iter();
        let words: Vec<&str> = words.chain(flags.split_whitespace()).collect();
        let (code, out, err) = outcome(&run(&dir.0, &words, ""));
        assert_eq!(code, 0, "{flags}: {err}");
        assert!(expected.iter().all(|part| out.contains(part)), "{flags}: {out}");
        assert!(!not.iter().any(|part| out.contains(part)), "{flags}: {out}");
    };
    let (url, proxy, host) = ("--public-url does not say", "--trusted-proxy, so", "will not send");
    let open = "whoever registers may open every app";
    check("", &["access           all users", "public url       none"], &[url, proxy, host, open]);
    check(
        "--access rules",
        &[
            "access           rules, 4 rules for 3 hosts",
            url,
            proxy,
            "to old.example.org and 2 other hosts of the rules",
        ],
        &[open],
    );
    let good = "--public-url https://login.example.org --trusted-proxy 127.0.0.1";
    let domain = "--cookie-domain example.org";
    check(&format!("--access rules {good} {domain}"), &["nothing is wrong"], &["no account"]);
    check(&format!("--access rules {good}"), &[host], &[url, proxy]);
    check(&format!("{good} {domain}"), &[open], &[url, proxy, host]);
    check(&format!("{good} {domain} --registration closed"), &["nothing is wrong"], &[open]);
    // The database was not there so far.
    let add = |args: &[&str]| {
        let (code, _, err) = outcome(&run(&dir.0, args, &format!("{PASSWORD}\n")));
        assert_eq!(code, 0, "{err}");
    };
    add(&["user", "add", "Ada", "--create"]);
    fs::write(dir.0.join("rules"), format!("{RULES}x.example.org user ada bob\n")).unwrap();
    let notes = [
        "note: no account has the role family, which the access rules name",
        "note: there is no user bob, whom the access rules name",
    ];
    let rules = format!("--access rules {good} {domain}");
    check(&rules, &[&notes[..], &["nothing is wrong"]].concat(), &["user ada"]);
    add(&["user", "add", "bob", "--role", "family"]);
    check(&rules, &["nothing is wrong"], &notes);
    let hostless = format!("{RULES}/ everyone\n/robots.txt everyone\n");
    fs::write(dir.0.join("rules"), hostless).unwrap();
    let note = "note: the access rule in line 6 (/robots.txt everyone) lets in people whom the rules of \
                wiki.example.org and 1 other hosts keep out";
    check(&rules, &[note], &["line 5"]);
    check(
        &format!("{good} {domain} --access-role family"),
        &["access           users with the role family", "nothing is wrong"],
        &[open],
    );
}
