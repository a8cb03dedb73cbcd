//! Whole texts of rules: what they say of requests, and what is wrong with them.

use super::*;
use crate::values::{Roles, random, skeleton};

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

#[test]
fn what_an_app_may_read_without_its_endings_must_satisfy_both_rules() {
    use Outcome::{Allowed, Login, Open, OthersOnly};
    let rules = AccessRules::parse(
        "wiki.example.org role family\nwiki.example.org/public everyone\n\
         wiki.example.org/admin role admin\nwiki.example.org/secret.html role admin\n\
         wiki.example.org/admin.css everyone\nwiki.example.org/dav.php everyone\n\
         wiki.example.org/public/pub.d role admin\nwiki.example.org/public/pub.d/open.d everyone\n\
         only.example/public everyone",
    )
    .unwrap();
    for (target, nobody, family, admin) in [
        ("/", Login, Allowed, OthersOnly),
        // Another format of a page.
        ("/admin.html", Login, OthersOnly, OthersOnly),
        ("/admin.json?x", Login, OthersOnly, OthersOnly),
        ("/admin.1/x", Login, OthersOnly, OthersOnly),
        ("/Admin.JSON", Login, OthersOnly, OthersOnly),
        ("/secret", Login, OthersOnly, OthersOnly),
        ("/secret/", Login, OthersOnly, OthersOnly),
        ("/secret.pdf", Login, Allowed, OthersOnly),
        ("/public.html", Login, Allowed, OthersOnly),
        // A page of a program.
        ("/index.php/admin", Login, OthersOnly, OthersOnly),
        ("/a/b.php/c/index.php/admin/x", Login, OthersOnly, OthersOnly),
        ("/index.php/admin.json", Login, OthersOnly, OthersOnly),
        ("/public/index.php/admin", Login, OthersOnly, Allowed),
        ("/public/index.php/x", Login, Allowed, OthersOnly),
        ("/public/Index.PHP5/x", Login, Allowed, OthersOnly),
        ("/public/index.php.1/x", Login, Allowed, OthersOnly),
        ("/public/x.d/admin", Login, OthersOnly, Allowed),
        ("/index.php/public", Login, Allowed, OthersOnly),
        // What rules name.
        ("/admin.css", Open, Open, Open),
        ("/admin.css/x", Open, Open, Open),
        ("/admin.cs", Login, OthersOnly, OthersOnly),
        ("/dav.php/files", Open, Open, Open),
        ("/dav.php/admin", Login, OthersOnly, Allowed),
        ("/public/pub.d/open.d/x", Open, Open, Open),
        // Usual addresses.
        ("/assets/app.v2.js", Login, Allowed, OthersOnly),
        ("/v1.2/admin", Login, Allowed, OthersOnly),
        ("/public/chart.js/dist/chart.css", Open, Open, Open),
        ("/public/v1.2/app.v2.js", Open, Open, Open),
        ("/public/.well-known/x.json", Open, Open, Open),
        ("/public/admin.html", Open, Open, Open),
    ] {
        for (role, expected) in [("none", nobody), ("family", family), ("admin", admin)] {
            let found = judged(&rules, "wiki.example.org", target, role).0;
            assert_eq!(found, expected, "{target} {role}");
        }
    }
    // A page without a rule.
    for (target, expected) in [
        ("/public/index.php/x", Outcome::Refused),
        ("/public/x.d/x", Open),
        ("/public/index.php", Open),
        (&format!("/public{}", "/a.b".repeat(6)), Open),
        (&format!("/public{}", "/a.b".repeat(8)), Outcome::Refused),
    ] {
        assert_eq!(judged(&rules, "only.example", target, "admin").0, expected, "{target}");
    }
}

#[test]
fn a_rule_for_a_program_is_also_for_its_pages_at_another_url() {
    let rules =
        AccessRules::parse("a.example users\na.example/index.php/admin role admin").unwrap();
    for target in ["/index.php/admin", "/admin", "/admin/x", "/index/admin", "/admin.json"] {
        assert_eq!(judged(&rules, "a.example", target, "user").0, Outcome::OthersOnly, "{target}");
        assert_eq!(judged(&rules, "a.example", target, "admin").0, Outcome::Allowed, "{target}");
    }
    assert_eq!(judged(&rules, "a.example", "/index.php/x", "user").0, Outcome::Allowed);
}

#[test]
fn letters_that_some_apps_take_for_the_same() {
    let rules = AccessRules::parse(
        "a.example users\na.example/büro role admin\na.example/strasse role admin\n\
         a.example/日本 role admin\na.example/я everyone",
    )
    .unwrap();
    for target in [
        "/büro",
        "/b%C3%BCro/x",
        "/B%C3%9CRO",
        "/Büro.html",
        "/bu\u{308}ro",
        "/BU\u{308}RO",
        "/buro",
        "/BURO",
        "/b\u{200b}üro",
        "/x.php/BÜRO",
        "/straße",
        "/str\u{ad}asse",
        "/ſtrasse",
        "/STRAẞE/x",
        "/日本/語",
        "/日\u{fe00}本",
        // Nothing of a name is left, or only dots.
        "/\u{200b}/x",
        "/.\u{200b}./x",
        "/x/.\u{301}/x",
        "/x%25\u{200b}2fx",
    ] {
        assert_eq!(
            judged(&rules, "a.example", target, "user").0,
            Outcome::OthersOnly,
            "{target:?}"
        );
        assert_eq!(judged(&rules, "a.example", target, "admin").0, Outcome::Allowed, "{target:?}");
    }
    for target in ["/büroo", "/bür", "/日", "/日本語", "/x/büro", "/é/x", "/Я"] {
        assert_eq!(judged(&rules, "a.example", target, "user").0, Outcome::Allowed, "{target:?}");
    }
    assert_eq!(judged(&rules, "a.example", "/я", "none").0, Outcome::Open);
    assert_eq!(judged(&rules, "a.example", "/Я", "none").0, Outcome::Login);
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
    let lower = |path: &str| path.to_lowercase();
    let bare = |path: &str| skeleton(path);
    // Another format: `/admin.json` is the page `/admin`.
    let without_format = |path: &str| match path.rsplit_once('/') {
        Some((folder, name)) if !name.starts_with('.') => {
            format!("{folder}/{}", name.split('.').next().unwrap())
        }
        _ => path.to_owned(),
    };
    // The page that the first program in the path shows, in its own folder or not.
    let program = |path: &str| {
        let mut found = path.match_indices(".php/").map(|(at, _)| (path[..at].rfind('/'), at));
        let (from, at) = found.find(|(from, at)| from.is_some_and(|from| from + 1 < *at))?;
        Some((from?, at + 4))
    };
    let below_program = |path: &str| program(path).map_or(path, |(_, to)| &path[to..]).to_owned();
    let without_program = |path: &str| {
        program(path).map_or(path.into(), |(from, to)| [&path[..from], &path[to..]].concat())
    };
    let cut = |path: &str| path.split(['\0', '#', '?', ':']).next().unwrap().to_owned();
    let steps: [&dyn Fn(&str) -> String; 13] = [
        &decoded,
        &without_dots,
        &without_parameters,
        &trimmed,
        &lower,
        &cut,
        &replaced("//", "/"),
        &replaced("\\", "/"),
        &decoded,
        &bare,
        &below_program,
        &without_program,
        &without_format,
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
         a.example/admin user bob\n*.example/q everyone\n*.example users\n/x/y nobody\n\
         a.example/é nobody",
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
        "e\u{301}",
        "É",
        "\u{200b}",
        "x.php/",
        "y.php/",
        ".json",
        ".php",
    ];
    let mut strict = 0;
    for _ in 0..8_000 {
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
