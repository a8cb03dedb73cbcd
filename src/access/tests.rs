//! Whole texts of rules: what they say of requests, and what is wrong with them.

use super::*;
use crate::values::{Roles, random};

const RULES: &str = "
# host and path               who
wiki.example.org              role family
wiki.example.org/public       everyone
wiki.example.org/public/admin role admin
*.example.org                 users
*.example.org/public          nobody
*.lab.example.org             user ada   Bob
/robots.txt                   everyone
/metrics                      nobody
git.example.org               role dev admin      # one of these
git.example.org/metrics/      users
old.example.org               nobody
[2001:db8:0::1]               users
Bücher.example                users
only.example/public           everyone
";

/// Returns who is let in: `-` for somebody without a login, the user ada, a user with the role.
fn judged(rules: &AccessRules, host: &str, target: &str, role: &str) -> (Outcome, usize) {
    judged_path(rules, host, &Path::of(target.as_bytes()), role)
}

fn judged_path(rules: &AccessRules, host: &str, path: &Path<'_>, role: &str) -> (Outcome, usize) {
    let roles = Roles::parse(role).unwrap();
    let visitor = Visitor { name: "Ada", roles: &roles };
    let visitor = (role != "none").then_some(&visitor);
    let verdict = rules.judge(host, path, visitor);
    (verdict.outcome, verdict.rule.map_or(0, |rule| rule.line))
}

#[test]
fn the_most_specific_rule_counts() {
    use Outcome::{Allowed, Login, Open, OthersOnly, Refused};
    let rules = AccessRules::parse(RULES).unwrap();
    assert_eq!(rules.len(), 14);
    for (host, target, role, expected) in [
        ("wiki.example.org", "/", "none", (Login, 3)),
        ("wiki.example.org", "/", "family", (Allowed, 3)),
        ("wiki.example.org", "/x", "friends", (OthersOnly, 3)),
        ("WIKI.example.ORG", "/x", "family", (Allowed, 3)),
        ("wiki.example.org", "/public", "none", (Open, 4)),
        ("wiki.example.org", "/public/a?b", "none", (Open, 4)),
        ("wiki.example.org", "/publicity", "none", (Login, 3)),
        ("wiki.example.org", "/public/admin/x", "family", (OthersOnly, 5)),
        ("wiki.example.org", "/public/%61dmin", "admin", (Allowed, 5)),
        // On every host that is named.
        ("wiki.example.org", "/robots.txt", "none", (Open, 9)),
        ("cal.example.org", "/robots.txt", "none", (Open, 9)),
        ("only.example", "/robots.txt", "none", (Open, 9)),
        ("wiki.example.org", "/metrics/x", "family", (Refused, 10)),
        // A rule with the host is before one without.
        ("git.example.org", "/metrics/x", "user", (Allowed, 12)),
        ("git.example.org", "/", "dev", (Allowed, 11)),
        ("git.example.org", "/", "user,admin", (Allowed, 11)),
        // The host itself is before the domains above it, the nearest of them first.
        ("cal.example.org", "/", "none", (Login, 6)),
        ("cal.example.org", "/", "user", (Allowed, 6)),
        ("a.b.example.org", "/public", "user", (Refused, 7)),
        ("a.lab.example.org", "/public", "x", (Allowed, 8)),
        ("lab.example.org", "/public", "x", (Refused, 7)),
        ("old.example.org", "/", "admin", (Refused, 13)),
        // What a host lets nobody open, no rule without a host opens.
        ("old.example.org", "/robots.txt", "none", (Refused, 13)),
        ("[2001:db8::1]", "/", "x", (Allowed, 14)),
        ("xn--bcher-kva.example", "/", "x", (Allowed, 15)),
        ("only.example", "/public", "none", (Open, 16)),
        ("only.example", "/private", "admin", (Refused, 0)),
        ("example.org", "/", "admin", (Refused, 0)),
        ("evil.example", "/robots.txt", "admin", (Refused, 0)),
        ("org", "/", "admin", (Refused, 0)),
        ("", "/", "admin", (Refused, 0)),
    ] {
        assert_eq!(judged(&rules, host, target, role), expected, "{host}{target} {role}");
    }
    assert!(rules.knows("a.example.org") && rules.knows("ONLY.example") && !rules.knows("example"));
}

#[cfg(feature = "cli")]
#[test]
fn a_rule_without_a_host_decides_by_a_longer_path_alone() {
    use Outcome::{Allowed, Login, Open, OthersOnly, Refused};
    let rules = AccessRules::parse(
        "*.example.org users\ncal.example.org/api role dev\n/ everyone\n/public everyone\n\
         *.shut.example nobody\na.shut.example/x users\n/x/y everyone\n*.example.org/x role dev\n\
         only.example/x users",
    )
    .unwrap();
    for (host, target, role, expected) in [
        // A stricter line for one path of a host opens nothing else of it.
        ("cal.example.org", "/", "none", (Login, 1)),
        ("cal.example.org", "/other", "none", (Login, 1)),
        ("cal.example.org", "/api", "x", (OthersOnly, 2)),
        ("wiki.example.org", "/", "none", (Login, 1)),
        ("cal.example.org", "/public/x", "none", (Open, 4)),
        ("wiki.example.org", "/public", "none", (Open, 4)),
        ("wiki.example.org", "/x", "y", (OthersOnly, 8)),
        ("wiki.example.org", "/x/y", "none", (Open, 7)),
        ("b.shut.example", "/public", "none", (Refused, 5)),
        ("a.shut.example", "/public", "none", (Refused, 5)),
        ("a.shut.example", "/x/y/z", "none", (Open, 7)),
        ("a.shut.example", "/x", "y", (Allowed, 6)),
        // Where no rule with the host is for the path.
        ("only.example", "/", "none", (Open, 3)),
        ("evil.example", "/public", "none", (Refused, 0)),
    ] {
        assert_eq!(judged(&rules, host, target, role), expected, "{host}{target} {role}");
    }
    let laxer = rules.laxer();
    let laxer: Vec<_> = laxer.iter().map(|(rule, hosts)| (rule.line, hosts.join(" "))).collect();
    assert_eq!(
        laxer,
        [
            (4, "*.example.org".to_owned()),
            (7, "only.example a.shut.example *.example.org".to_owned())
        ]
    );
}

#[test]
fn what_an_app_may_read_as_another_path_must_satisfy_every_rule() {
    use Outcome::{Allowed, Login, OthersOnly, Refused};
    let rules = AccessRules::parse(
        "wiki.example.org role family\nwiki.example.org/public everyone\n\
         wiki.example.org/admin role admin\nonly.example/public everyone",
    )
    .unwrap();
    for target in [
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public//admin",
        "/public%2f..%2fadmin",
        "/public/..%5cadmin",
        "/public/..;/admin",
        "/public;/../admin",
        "//admin",
        "/%2561dmin",
        "/public/\\..\\..\\admin",
        "/public/%00",
        "admin",
        "",
    ] {
        let check = |role, expected| {
            assert_eq!(judged(&rules, "wiki.example.org", target, role).0, expected, "{target}");
        };
        check("none", Login);
        check("family", OthersOnly);
        check("admin", OthersOnly);
        check("family,admin", Allowed);
        // Another reading may be a path without a rule.
        assert_eq!(judged(&rules, "only.example", target, "admin").0, Refused, "{target}");
    }
    // An app that ignores case: the rule of the other spelling counts as well.
    assert_eq!(judged(&rules, "wiki.example.org", "/Admin/x", "family").0, OthersOnly);
    assert_eq!(judged(&rules, "wiki.example.org", "/Admin/x", "family,admin").0, Allowed);
    assert_eq!(judged(&rules, "wiki.example.org", "/PUBLIC/x", "none").0, Login);
    // One that leaves out what follows a colon, or a question mark in code.
    for target in ["/admin:x", "/Admin:x/y", "/admin%3fx", "/admin%23x", "/%EF%BD%81dmin"] {
        assert_eq!(judged(&rules, "wiki.example.org", target, "family").0, OthersOnly, "{target}");
    }
    assert_eq!(judged(&rules, "wiki.example.org", "/Special:Search", "family").0, Allowed);
    assert_eq!(judged(&rules, "wiki.example.org", "/public/File:x", "none").0, Outcome::Open);
}

/// What servers and frameworks make of a path: some of the steps that each is known to take.
fn readings(target: &str) -> Vec<String> {
    let mut found = vec![target.split('?').next().unwrap().to_owned()];
    let replaced = |from: &'static str, to: &'static str| move |path: &str| path.replace(from, to);
    let decoded = |path: &str| {
        let mut parts = path.split('%');
        let mut text = parts.next().unwrap().as_bytes().to_vec();
        for part in parts {
            match part.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok()) {
                Some(byte) => text.extend([&[byte], &part.as_bytes()[2..]].concat()),
                None => text.extend([b"%", part.as_bytes()].concat()),
            }
        }
        String::from_utf8_lossy(&text).into_owned()
    };
    let without_dots = |path: &str| {
        let mut names: Vec<&str> = Vec::new();
        for name in path.split('/') {
            match name {
                "." => {}
                ".." => drop(names.pop()),
                name => names.push(name),
            }
        }
        format!("/{}", names.join("/").trim_start_matches('/'))
    };
    let without_parameters = |path: &str| {
        let names = path.split('/').map(|name| name.split(';').next().unwrap());
        names.collect::<Vec<_>>().join("/")
    };
    let trimmed = |path: &str| {
        let names = path.split('/').map(|name| name.trim_end_matches(['.', ' ']));
        names.collect::<Vec<_>>().join("/")
    };
    let lower = |path: &str| path.to_ascii_lowercase();
    let cut = |path: &str| path.split(['\0', '#', '?', ':']).next().unwrap().to_owned();
    let steps: [&dyn Fn(&str) -> String; 9] = [
        &decoded,
        &without_dots,
        &without_parameters,
        &trimmed,
        &lower,
        &cut,
        &replaced("//", "/"),
        &replaced("\\", "/"),
        &decoded,
    ];
    // Each program takes some of the steps; in this order, and in the reverse one.
    for step in steps.iter().chain(steps.iter().rev()) {
        let next: Vec<String> = found.iter().map(|path| step(path)).collect();
        for path in next {
            if !found.contains(&path) && found.len() < 400 {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn no_reading_of_a_random_path_is_let_in_by_a_milder_rule() {
    let rules = AccessRules::parse(
        "a.example role r\na.example/p everyone\na.example/p/admin nobody\n\
         a.example/admin user bob\n*.example/q everyone\n*.example users\n/x/y nobody",
    )
    .unwrap();
    let pieces = [
        "/",
        "/",
        "/",
        "p",
        "admin",
        "q",
        "x",
        "y",
        ".",
        "..",
        "%2e",
        "%2F",
        "%5c",
        "\\",
        ";",
        "%3b",
        "%",
        "%25",
        "2f",
        "%00",
        "#",
        "%23",
        "%3f",
        ":",
        "ａ",
        "P",
        "Admin",
        "%61dmin",
        "%2561dmin",
        " ",
        "%20",
        "?",
        "é",
    ];
    let mut strict = 0;
    for _ in 0..5_000 {
        let choice = random::<12>().unwrap();
        let length = 1 + usize::from(choice[0]) % 11;
        let names = choice[1..=length].iter().map(|byte| pieces[usize::from(*byte) % pieces.len()]);
        let target: String = std::iter::once("/").chain(names).collect();
        for role in ["none", "r", "other"] {
            let (outcome, _) = judged(&rules, "a.example", &target, role);
            if outcome > Outcome::Allowed {
                strict += 1;
                continue;
            }
            for reading in readings(&target) {
                let path = format!("/{}", reading.trim_start_matches('/'));
                let (found, _) =
                    judged_path(&rules, "a.example", &Path::plain(path.as_bytes()), role);
                assert!(found <= Outcome::Allowed, "{role}: {target:?} read as {reading:?}");
            }
        }
    }
    assert!(strict > 500, "{strict}");
}

#[test]
fn mistakes_are_named() {
    let many: String = (0..=1_000).map(|n| format!("h{n}.example users\n")).collect();
    let long = "#".repeat(MAX_TEXT + 1);
    for (text, what) in [
        ("", "no rule names a host, so every request would be refused"),
        ("/x everyone", "no rule names a host, so every request would be refused"),
        ("\n# x\nwiki.example.org", "line 3: it is not said who is let in"),
        ("a.example family", "line 1: \"family\" does not say who is let in"),
        ("a.example Users", "line 1: \"Users\" does not say who is let in"),
        ("a.example role", "line 1: role has no name"),
        ("a.example user # ada", "line 1: user has no name"),
        ("a.example role a,b", "line 1: \"a,b\" is no role"),
        ("a.example user \u{200b}", "line 1: \"\\u{200b}\" is no username"),
        ("a.example users admin", "line 1: \"admin\" follows users"),
        ("https://a.example users", "line 1: \"https:\" is no host"),
        ("a.example:8443/x users", "line 1: \"a.example:8443\" is no host"),
        ("[::1]:80 users", "line 1: \"[::1]:80\" is no host"),
        ("* users", "line 1: \"*\" is no host"),
        ("*.*.example users", "line 1: \"*.*.example\" is no host"),
        ("a*.example users", "line 1: \"a*.example\" is no host"),
        (".example users", "line 1: \".example\" is no host"),
        ("*.[::1] users", "line 1: \"*.[::1]\" is no host"),
        ("a.example/x* users", "line 1: \"a.example/x*\" has no valid path"),
        ("a.example/x?y users", "line 1: \"a.example/x?y\" has no valid path"),
        ("a.example//x users", "line 1: \"a.example//x\" has no valid path"),
        ("a.example/../x users", "line 1: \"a.example/../x\" has no valid path"),
        ("a.example/%zz users", "line 1: \"a.example/%zz\" has no valid path"),
        (
            "a.example users\nA.Example. nobody",
            "line 2: line 1 has a rule for the same host and path",
        ),
        (
            "a.example/p%61th users\na.example/path/ nobody",
            "line 2: line 1 has a rule for the same host and path",
        ),
        (
            "a.example users\na.example/ nobody",
            "line 2: line 1 has a rule for the same host and path",
        ),
        (&many, "line 1001: there are more than 1000 rules"),
        (&long, "the access rules are longer than 64 KiB"),
    ] {
        let problem = AccessRules::parse(text).unwrap_err();
        assert!(problem.usage && problem.what == what, "{text:?}: {problem}");
    }
    let lines = many.lines().take(1_000).collect::<Vec<_>>().join("\n");
    assert_eq!(AccessRules::parse(&lines).unwrap().len(), 1_000);
}
