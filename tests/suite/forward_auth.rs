//! `GET /api/forward-auth` and `GET /api/verify` with access rules, as a proxy asks them: who is let in
//! where, who is sent to the login page, and what no client can talk them into. And `GET /api/session`,
//! by which the login page knows where people may go back to.

use std::fs;

use crate::support::{Dir, PASSWORD, Reply, Server, assert_without, eventually};

const RULES: &str = "wiki.example.org role family\nwiki.example.org/public everyone\n\
                     wiki.example.org/admin user bob\nold.example.org nobody\n\
                     *.example.org users\n/robots.txt everyone\n[2001:db8::1] users\n";
const URL: &str = "https://login.example.org";
const BOTH: [&str; 2] = ["/api/forward-auth", "/api/verify"];

type Fields<'a> = &'a [(&'a str, &'a str)];

/// A server behind a proxy, with the user ada, who has the role family, and bob.
struct Site {
    server: Server,
    /// Their tokens and cookies.
    ada: [String; 2],
    bob: [String; 2],
}

impl Site {
    fn start(flags: &[&str]) -> Site {
        let dir = Dir::new();
        fs::write(dir.0.join("rules"), RULES).unwrap();
        let common = ["--trusted-proxy", "127.0.0.1", "--public-url", URL];
        let flags = [&common[..], &["--cookie-domain", "example.org"], flags].concat();
        let server = Server::start_with(dir, &flags, &[]);
        let log_in = |name: &str| {
            let body = format!(r#"{{"username":"{name}","password":"{PASSWORD}","cookie":true}}"#);
            let reply = server.send("POST", "/api/login", &[("Origin", URL)], &body);
            let cookies = reply.head.lines().filter_map(|line| line.strip_prefix("Set-Cookie: "));
            let own = cookies.filter(|line| line.starts_with("__Secure-lictor="));
            let cookie = own.map(|line| line.split(';').next().unwrap().to_owned()).next().unwrap();
            [format!("Bearer {}", reply.token()), cookie]
        };
        server.add("ada");
        server.add("bob");
        assert_eq!(server.user(&["roles", "ada", "--add", "family"], "").0, 0);
        let (ada, bob) = (log_in("ada"), log_in("bob"));
        Site { server, ada, bob }
    }

    fn ask(&self, path: &str, fields: Fields<'_>) -> Reply {
        self.server.send("GET", path, fields, "")
    }
}

/// What a proxy says of a request.
fn wanted<'a>(method: &'a str, host: &'a str, uri: &'a str) -> [(&'a str, &'a str); 4] {
    [
        ("X-Forwarded-Method", method),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", host),
        ("X-Forwarded-Uri", uri),
    ]
}

/// The status, and the name of the error or of the user; a refusal tells nothing of a user.
fn outcome(reply: &Reply) -> (u16, String) {
    if reply.status() == 200 {
        return (200, reply.header("remote-user").unwrap().to_owned());
    }
    assert_without(&reply.head.to_ascii_lowercase(), &["x-auth-", "remote-"], reply);
    reply.error()
}

#[test]
fn rules_decide_by_host_and_path() {
    let site = Site::start(&["--access", "rules"]);
    let (denied, missing) = ("AccessDeniedError", "MissingToken");
    for (host, uri, nobody, ada, bob) in [
        ("wiki.example.org", "/", missing, "ada", denied),
        ("WIKI.Example.org:8443", "/x", missing, "ada", denied),
        ("wiki.example.org.", "/x", missing, "ada", denied),
        ("wiki.example.org", "/public/x?y", "", "ada", "bob"),
        ("wiki.example.org", "/publicity", missing, "ada", denied),
        ("wiki.example.org", "/%61dmin", missing, denied, "bob"),
        ("wiki.example.org", "/Admin", missing, denied, denied),
        ("wiki.example.org", "/public/../admin", missing, denied, denied),
        ("wiki.example.org", "/public/..%2Fx", missing, denied, denied),
        ("wiki.example.org", "//public", missing, denied, denied),
        ("cal.example.org", "/", missing, "ada", "bob"),
        ("cal.example.org", "/robots.txt", "", "ada", "bob"),
        ("[2001:DB8:0::1]:443", "/", missing, "ada", "bob"),
        ("old.example.org", "/", denied, denied, denied),
        ("old.example.org", "/robots.txt", denied, denied, denied),
        ("wiki.example.org", "/admin%3fx", missing, denied, denied),
        ("wiki.example.org", "/admin:x", missing, denied, denied),
        ("wiki.example.org", "/%EF%BD%81dmin", missing, denied, denied),
        ("wiki.example.org", "/admin.json", missing, denied, denied),
        ("wiki.example.org", "/index.php/admin", missing, denied, denied),
        ("wiki.example.org", "/public/index.php/x", missing, "ada", denied),
        ("wiki.example.org", "/public/chart.js/x.css", "", "ada", "bob"),
        ("wiki.example.org", "/%C3%A0dmin", missing, denied, denied),
        ("example.org", "/", denied, denied, denied),
        ("wiki.example.org.evil.example", "/public", denied, denied, denied),
        ("evil.example", "/robots.txt", denied, denied, denied),
    ] {
        for path in BOTH {
            let asked = wanted("GET", host, uri);
            let check = |more: Fields<'_>, expected: &str| {
                let (status, name) = outcome(&site.ask(path, &[&asked, more].concat()));
                assert_eq!(name, expected, "{path} {host}{uri} {more:?}");
                let right = match expected {
                    "MissingToken" | "SessionEndedError" => 401,
                    "AccessDeniedError" => 403,
                    _ => 200,
                };
                assert_eq!(status, right, "{path} {host}{uri} {more:?}");
            };
            check(&[], nobody);
            for ([token, cookie], expected) in [(&site.ada, ada), (&site.bob, bob)] {
                check(&[("Authorization", token)], expected);
                check(&[("Cookie", cookie)], expected);
                check(&[("Cookie", &format!("a=b; {cookie}; c=d"))], expected);
            }
            // An ended session is nobody's.
            check(
                &[("Cookie", "__Secure-lictor=AAAAAAAAAAAAAAAAAAAAAA.x")],
                if nobody == missing { "SessionEndedError" } else { nobody },
            );
        }
    }
}

#[test]
fn an_answer_without_a_user_has_all_fields_empty() {
    let site = Site::start(&["--access", "rules"]);
    let reply = site.ask("/api/verify", &wanted("GET", "wiki.example.org", "/public"));
    for name in ["user", "id", "roles"] {
        assert_eq!(reply.header(&format!("x-auth-{name}")), Some(""), "{reply:?}");
    }
    for name in ["user", "name", "email", "groups"] {
        assert_eq!(reply.header(&format!("remote-{name}")), Some(""), "{reply:?}");
    }
    // A condition in the query counts besides the rules.
    for (query, expected) in [("role=family", 401), ("role=", 401)] {
        let path = format!("/api/verify?{query}");
        let reply = site.ask(&path, &wanted("GET", "wiki.example.org", "/public"));
        assert_eq!(reply.status(), expected, "{query}");
    }
    let asked = [&wanted("GET", "cal.example.org", "/")[..], &[("Cookie", &site.bob[1])]].concat();
    assert_eq!(site.ask("/api/verify?role=family", &asked).error().1, "MissingRoleError");
    assert_eq!(site.ask("/api/verify?rule=family", &asked).status(), 400);
}

#[test]
fn the_address_and_the_roles_are_told() {
    let site = Site::start(&[]);
    let sql = site.server.dir.sql();
    let [token, cookie] = &site.ada;
    // No two addresses look the same.
    for (email, expected) in [
        ("ada+wiki@example.org", "ada+wiki@example.org"),
        ("jürgen@example.org", "j%C3%BCrgen@example.org"),
        ("j%C3%BCrgen@example.org", "j%25C3%25BCrgen@example.org"),
    ] {
        let set = "UPDATE users SET email = $1, email_key = $1 WHERE name = 'ada'";
        sql.execute(set, &[&email]);
        for field in [("Authorization", token), ("Cookie", cookie)] {
            for path in BOTH {
                let reply = site.ask(path, &[(field.0, field.1)]);
                assert_eq!(reply.header("remote-email"), Some(expected), "{reply:?}");
                assert_eq!(reply.header("remote-groups"), Some("family"), "{reply:?}");
            }
        }
    }
}

#[test]
fn only_a_trusted_proxy_says_once_what_is_wanted() {
    let site = Site::start(&["--access", "rules"]);
    let [token, _] = &site.ada;
    let good = wanted("GET", "wiki.example.org", "/");
    let url = ("X-Original-URL", "https://wiki.example.org/");
    let denied = |lines: Fields<'_>| {
        for path in BOTH {
            let fields = [lines, &[("Authorization", token)]].concat();
            let found = outcome(&site.ask(path, &fields));
            assert_eq!(found, (403, "AccessDeniedError".into()), "{path} {lines:?}");
        }
    };
    let fine = |lines: Fields<'_>| {
        let fields = [lines, &[("Authorization", token)]].concat();
        assert_eq!(outcome(&site.ask("/api/verify", &fields)), (200, "ada".into()), "{lines:?}");
    };
    fine(&good);
    fine(&[url]);
    fine(&[url, ("X-Original-Method", "POST"), ("X-Forwarded-Host", "WIKI.example.org:443")][..2]);
    fine(&[&good[..], &[url]].concat());
    // The host of the question itself is not that of the app.
    denied(&[]);
    denied(&[("X-Original-URI", "/public")]);
    for line in good.iter().chain([&url]) {
        denied(&[&good[..], &[url, *line]].concat());
    }
    for (name, value) in [
        ("X-Original-URL", "https://wiki.example.org/public"),
        ("X-Original-URL", "https://cal.example.org/"),
        ("X-Original-URL", "http://wiki.example.org/"),
        ("X-Original-URL", "/public"),
        ("X-Original-URL", "https://wiki.example.org?.evil.example/"),
        ("X-Original-Method", "POST"),
    ] {
        denied(&[&good[..], &[(name, value)]].concat());
    }
    for host in ["", "wiki.example.org, cal.example.org", "a@wiki.example.org", "wíki.example.org"]
    {
        denied(&wanted("GET", host, "/"));
    }
    // Where only the host is known, every rule of it must be satisfied.
    let host = [("X-Forwarded-Host", "wiki.example.org")];
    denied(&host);
    fine(&[("X-Forwarded-Host", "cal.example.org")]);
    // The client says who it is.
    for name in ["Remote-User", "REMOTE_USER", "Remote.Groups", "x-remote-user", "X-WebAuth_User"] {
        denied(&[&good[..], &[(name, "root")]].concat());
    }
    // The client has an app cut something off the path.
    let open = wanted("GET", "wiki.example.org", "/public/admin");
    for name in ["X-Script-Name", "x-ingress-path", "X-SENDFILE-TYPE", "X-Accel-Mapping"] {
        denied(&[&open[..], &[(name, "/public")]].concat());
    }
    fine(&[&open[..], &[("X-Forwarded-Prefix", "/public"), ("X-Scheme", "https")]].concat());
    // What follows an upgrade is asked about by nobody, on a page for everyone as well.
    let open = wanted("GET", "wiki.example.org", "/public");
    for (name, value) in [("Upgrade", "h2c"), ("Upgrade", "websocket, h2c"), ("HTTP2-Settings", "")]
    {
        denied(&[&open[..], &[(name, value)]].concat());
    }

    let dir = Dir::new();
    fs::write(dir.0.join("rules"), RULES).unwrap();
    let direct = Server::start_with(dir, &["--access", "rules"], &[]);
    let token = format!("Bearer {}", direct.register("ada", PASSWORD).token());
    for lines in [&wanted("GET", "cal.example.org", "/")[..], &[url], &[]] {
        let fields = [lines, &[("Authorization", token.as_str())]].concat();
        let reply = direct.send("GET", "/api/verify", &fields, "");
        assert_eq!(reply.error(), (403, "AccessDeniedError".into()), "{lines:?}");
    }
    let warnings = || direct.log().matches("no trusted proxy says which host").count();
    eventually(|| warnings() == 1);
}

#[test]
fn a_second_path_counts_like_the_first() {
    let site = Site::start(&["--access", "rules"]);
    let (denied, missing) = ("AccessDeniedError", "MissingToken");
    let check = |uri, places: &[&str], nobody: &str, ada: &str, bob: &str| {
        for method in ["COPY", "MOVE", "DELETE", "GET"] {
            let fields = places.iter().map(|place| ("Destination", *place));
            let asked = wanted(method, "wiki.example.org", uri).into_iter().chain(fields);
            let asked: Vec<_> = asked.collect();
            let users = [(None, nobody), (Some(&site.ada[0]), ada), (Some(&site.bob[0]), bob)];
            for (path, (token, expected)) in
                BOTH.iter().flat_map(|path| users.map(|user| (path, user)))
            {
                let token = token.map(|token| ("Authorization", token.as_str()));
                let fields: Vec<_> = asked.iter().copied().chain(token).collect();
                let found = outcome(&site.ask(path, &fields)).1;
                assert_eq!(found, expected, "{method} {uri} {places:?} {token:?}");
            }
        }
    };
    check("/public/x", &["/public/y"], "", "ada", "bob");
    check("/public/x", &["https://wiki.example.org/public/y"], "", "ada", "bob");
    check("/public/x", &["https://wiki.example.org/y"], missing, "ada", denied);
    check("/public/x", &["http://WIKI.example.org:80/admin/y"], missing, denied, "bob");
    check("/x", &["/public/y"], missing, "ada", denied);
    check("/admin", &["/public/y"], missing, denied, "bob");
    check("/public/x", &["/public/../admin"], missing, denied, denied);
    check("/public/x", &["/public/y?/../admin"], missing, denied, denied);
    check("/public/x", &["/index.php/admin"], missing, denied, denied);
    for wrong in
        ["", "y", "https://cal.example.org/public/y", "https://a@wiki.example.org/public/y"]
    {
        check("/public/x", &[wrong], denied, denied, denied);
    }
    check("/public/x", &["/public/y", "/public/y"], denied, denied, denied);
}

#[test]
fn a_browser_that_opens_a_page_is_sent_to_the_login_page() {
    let site = Site::start(&["--access", "rules"]);
    let html = ("Accept", "text/html,*/*;q=0.8");
    let ask = |method, host, uri, more: Fields<'_>| {
        site.ask("/api/forward-auth", &[&wanted(method, host, uri), more].concat())
    };
    let sent = |reply: &Reply, back: &str| {
        assert_eq!(reply.status(), 302, "{reply:?}");
        let location = format!("{URL}/login?return={back}");
        assert_eq!(reply.header("location"), Some(location.as_str()), "{reply:?}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
        assert_eq!(
            (reply.header("www-authenticate"), reply.body.as_str()),
            (None, ""),
            "{reply:?}"
        );
    };
    let wiki = "https%3A%2F%2Fwiki.example.org";
    sent(
        &ask("GET", "wiki.example.org", "/a?b=c&d=%2F#", &[html]),
        &format!("{wiki}%2Fa%3Fb%3Dc%26d%3D%252F%23"),
    );
    sent(
        &ask("GET", "Wiki.example.org:8443", "/ü", &[html, ("Sec-Fetch-Mode", "navigate")]),
        &format!("{wiki}%3A8443%2F%C3%BC"),
    );
    // Somebody who may not, and may log in as somebody else.
    sent(
        &ask("GET", "wiki.example.org", "/", &[html, ("Cookie", &site.bob[1])]),
        &format!("{wiki}%2F"),
    );
    let long = format!("/{}", "x".repeat(2_100));
    sent(&ask("GET", "wiki.example.org", &long, &[html]), &format!("{wiki}%2F"));
    // A cookie of a session that has ended is taken back.
    let old = [html, ("Cookie", "__Secure-lictor=AAAAAAAAAAAAAAAAAAAAAA.x")];
    let reply = ask("GET", "wiki.example.org", "/", &old);
    sent(&reply, &format!("{wiki}%2F"));
    assert!(reply.header("set-cookie").unwrap().starts_with("__Secure-lictor=; "), "{reply:?}");

    let challenges = |reply: &Reply| {
        let lines = reply.head.lines().filter_map(|line| line.strip_prefix("WWW-Authenticate: "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let program = ["Bearer", "Basic realm=\"lictor\", charset=\"UTF-8\""];
    for (method, more, expected) in [
        ("GET", &[("Accept", "*/*")][..], &program[..]),
        ("GET", &[], &program),
        ("PROPFIND", &[], &program),
        ("GET", &[("Accept", "image/*"), ("Sec-Fetch-Mode", "no-cors")], &program[..1]),
        ("GET", &[html, ("Sec-Fetch-Mode", "cors")], &program[..1]),
        (
            "GET",
            &[html, ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")],
            &program[..1],
        ),
        ("POST", &[html, ("Sec-Fetch-Mode", "navigate")], &program[..1]),
        // An old browser: media types have no case.
        ("POST", &[("Accept", "TEXT/HTML")], &program[..1]),
        ("HEAD", &[html], &program[..1]),
    ] {
        let reply = ask(method, "wiki.example.org", "/", more);
        assert_eq!(reply.error(), (401, "MissingToken".into()), "{method} {more:?}");
        assert_eq!(challenges(&reply), expected, "{method} {more:?}");
        let verify = [&wanted(method, "wiki.example.org", "/"), more].concat();
        let reply = site.ask("/api/verify", &verify);
        assert_eq!(reply.error(), (401, "MissingToken".into()), "{method} {more:?}");
        assert_eq!(challenges(&reply), expected, "{method} {more:?}");
    }
    // No login helps.
    for host in ["old.example.org", "evil.example"] {
        for cookie in [&[][..], &[("Cookie", site.ada[1].as_str())]] {
            let reply = ask("GET", host, "/", &[&[html], cookie].concat());
            assert_eq!(reply.error(), (403, "AccessDeniedError".into()), "{host}");
        }
    }
    // nginx takes no redirect for an answer.
    let page = [&wanted("GET", "wiki.example.org", "/")[..], &[html]].concat();
    assert_eq!(site.ask("/api/verify", &page).status(), 401);
}

#[test]
fn pages_of_other_origins_act_with_nobodys_cookie() {
    let site = Site::start(&["--access", "rules"]);
    let [token, cookie] = &site.ada;
    let old = token.replace("Bearer ", "access_token=");
    let own = ("Origin", "https://wiki.example.org");
    let evil = ("Origin", "https://cal.example.org");
    let socket = ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
    let foreign = (403, "OriginNotAllowed".to_owned());
    let ada = (200, "ada".to_owned());
    let rows: [(&str, Fields<'_>, bool); 17] = [
        ("GET", &[], true),
        ("GET", &[evil], true),
        ("HEAD", &[evil], true),
        ("OPTIONS", &[evil], true),
        ("GET", &[own, socket], true),
        ("GET", &[evil, socket], false),
        ("GET", &[("Origin", "null"), socket], false),
        // Some apps take the method from this field.
        ("GET", &[own, ("X-HTTP-Method-Override", "DELETE")], true),
        ("GET", &[evil, ("X-HTTP-Method-Override", "DELETE")], false),
        ("POST", &[own], true),
        ("POST", &[evil], false),
        ("POST", &[("Origin", "http://wiki.example.org")], false),
        ("POST", &[("Origin", "https://wiki.example.org:444")], false),
        ("POST", &[own, evil], false),
        ("POST", &[], false),
        ("DELETE", &[("Sec-Fetch-Site", "same-site")], false),
        ("DELETE", &[("Sec-Fetch-Site", "same-origin")], true),
    ];
    for (method, more, expected) in rows {
        for path in BOTH {
            let asked = wanted(method, "wiki.example.org", "/x");
            for field in [("Cookie", cookie.as_str()), ("Cookie", old.as_str())] {
                let reply = site.ask(path, &[&asked, more, &[field]].concat());
                let expected = if expected { &ada } else { &foreign };
                assert_eq!(outcome(&reply), *expected, "{path} {method} {more:?} {field:?}");
            }
            // A program sends its token itself.
            let fields = [&asked, more, &[("Authorization", token)]].concat();
            assert_eq!(outcome(&site.ask(path, &fields)), ada, "{path} {method} {more:?}");
            // Everyone is let in, but as nobody.
            let open = wanted(method, "wiki.example.org", "/public");
            let reply = site.ask(path, &[&open, more, &[("Cookie", cookie)]].concat());
            let name = if expected { "ada" } else { "" };
            assert_eq!(outcome(&reply), (200, name.into()), "{path} {method} {more:?}");
        }
    }
    // Without the method, an origin decides.
    let unknown = &wanted("", "wiki.example.org", "/")[1..];
    for (more, expected) in [(own, &ada), (evil, &foreign), (("Accept", "*/*"), &ada)] {
        let fields = [unknown, &[more, ("Cookie", cookie)]].concat();
        assert_eq!(outcome(&site.ask("/api/verify", &fields)), *expected, "{more:?}");
    }
}

#[test]
fn without_rules_a_role_or_a_login_is_enough() {
    let site = Site::start(&["--access-role", "family"]);
    let check = |site: &Site, [_, cookie]: &[String; 2], status, name: &str| {
        for path in BOTH {
            let reply = site.ask(path, &[("Cookie", cookie)]);
            assert_eq!(outcome(&reply), (status, name.into()), "{path}");
        }
    };
    check(&site, &site.ada, 200, "ada");
    check(&site, &site.bob, 403, "MissingRoleError");
    assert_eq!(site.server.user(&["roles", "ada", "--remove", "family"], "").0, 0);
    check(&site, &site.ada, 403, "MissingRoleError");

    let open = Site::start(&[]);
    check(&open, &open.bob, 200, "bob");
    check(&open, &open.ada, 200, "ada");
    let warnings = || open.server.log().matches("may open every app behind the proxy").count();
    eventually(|| warnings() == 1);
    let closed = Site::start(&["--registration", "closed"]);
    check(&closed, &closed.bob, 200, "bob");
    assert!(!closed.server.log().contains("may open every app"), "{}", closed.server.log());
}

#[test]
fn the_login_page_learns_where_people_may_go_back_to() {
    let site = Site::start(&["--access", "rules"]);
    let ask = |query: &str, fields: Fields<'_>| {
        let reply = site.ask(&format!("/api/session{query}"), fields);
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{reply:?}");
        assert_eq!(reply.status(), 200, "{reply:?}");
        reply.json()
    };
    let (ada, bob) = (("Cookie", site.ada[1].as_str()), ("Cookie", site.bob[1].as_str()));
    let id = |name: &str| if name == "ada" { 1 } else { 2 };
    let user = |name: &str| serde_json::json!({"id": id(name), "name": name});
    let nothing = serde_json::json!({"user": null, "return": null, "problem": null});
    assert_eq!(ask("", &[]), nothing);
    assert_eq!(ask("", &[("Cookie", "__Secure-lictor=x")]), nothing);
    assert_eq!(ask("", &[ada])["user"], user("ada"));
    assert_eq!(ask("", &[("Authorization", &site.bob[0])])["user"], user("bob"));
    for (url, host, nobody, adas, bobs) in [
        ("https://wiki.example.org/x", "wiki.example.org", false, true, false),
        ("https://wiki.example.org/public/x", "wiki.example.org", false, true, true),
        ("https://wiki.example.org:8443/admin", "wiki.example.org", false, false, true),
        ("https://cal.example.org/?a=b", "cal.example.org", false, true, true),
        ("https://old.example.org/", "old.example.org", false, false, false),
        ("https://login.example.org/account", "login.example.org", false, true, true),
        ("/account", "", false, true, true),
    ] {
        for (fields, allowed) in [(&[][..], nobody), (&[ada], adas), (&[bob], bobs)] {
            let encoded = url.replace(':', "%3A").replace('/', "%2F").replace('&', "%26");
            let answer = ask(&format!("?return={encoded}"), fields);
            let expected = serde_json::json!({"url": url, "host": host, "allowed": allowed});
            assert_eq!(answer["return"], expected, "{url} {fields:?}");
            let problem = (!fields.is_empty() && !allowed).then_some("role");
            assert_eq!(answer["problem"], serde_json::json!(problem), "{url} {fields:?}");
        }
    }
    for bad in [
        "?return=https%3A%2F%2Fevil.example%2F",
        "?return=https://example.org/",
        "?return=https://wiki.example.org@evil.example/",
        "?return=//evil.example",
        "?return=/%5Cevil.example",
        "?return=/%09/evil.example",
        "?return=javascript:alert(1)",
        "?return=http://wiki.example.org/",
        "?return=%",
        "?return=%ff",
        "?return=/x&return=/y",
        "?retrun=/x",
        "?return=",
    ] {
        let answer = ask(bad, &[ada]);
        assert_eq!(answer["return"], serde_json::Value::Null, "{bad}");
        assert_eq!(
            (&answer["problem"], &answer["user"]),
            (&"address".into(), &user("ada")),
            "{bad}"
        );
    }
    // No page of another origin can read it.
    let reply = site.ask("/api/session", &[ada, ("Origin", "https://evil.example")]);
    assert_eq!(reply.header("access-control-allow-credentials"), None);
}

#[test]
fn a_required_second_factor_comes_before_the_way_back() {
    let site = Site::start(&["--require-second-factor", "all", "--access", "rules"]);
    let cookie = ("Cookie", site.ada[1].as_str());
    let asked = wanted("GET", "wiki.example.org", "/");
    let reply = site.ask("/api/verify", &[&asked[..], &[cookie]].concat());
    assert_eq!(reply.error(), (403, "SecondFactorMissing".into()));
    let page = [&asked[..], &[cookie, ("Accept", "text/html")]].concat();
    assert_eq!(site.ask("/api/forward-auth", &page).status(), 302);
    let answer = site.ask("/api/session?return=https://wiki.example.org/", &[cookie]).json();
    assert_eq!(answer["user"]["name"], "ada");
    assert_eq!(
        (&answer["return"]["allowed"], &answer["problem"]),
        (&false.into(), &"second-factor".into())
    );
}
