//! `--brand`: what is served, with which header fields, what `check` shows, what a reload changes, and
//! what mails look like. The folder is the one of the documentation.

use std::fs;

use serde_json::{Value, json};

use crate::support::{Dir, PASSWORD, Reply, Server, eventually, lictor, outcome, root, run};

const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// A directory with a copy of the example.
fn dir() -> Dir {
    let dir = Dir::new();
    let copy = dir.0.join("look");
    fs::create_dir(&copy).unwrap();
    for entry in fs::read_dir(root().join("examples/brand")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.join(path.file_name().unwrap())).unwrap();
    }
    dir
}

/// Checks the header fields of a file, and that a client that has it gets a 304.
fn check_file(server: &Server, path: &str, media_type: &str, cache: &str) -> Reply {
    let reply = server.get(path);
    assert_eq!(reply.status(), 200, "{path}: {reply:?}");
    for (name, expected) in [
        ("content-type", media_type),
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("cache-control", cache),
        ("referrer-policy", "no-referrer"),
    ] {
        assert_eq!(reply.header(name), Some(expected), "{path}: {name}");
    }
    assert_eq!(reply.header("set-cookie"), None, "{path}");
    let etag = reply.header("etag").unwrap();
    let again = server.send("GET", path, &[("If-None-Match", etag)], "");
    assert_eq!((again.status(), again.body.as_str()), (304, ""), "{path}");
    let head = server.send("HEAD", path, &[], "");
    assert_eq!(head.header("content-length"), reply.header("content-length"), "{path}");
    assert_eq!(server.send("POST", path, &[], "").error(), (405, "MethodNotAllowed".into()));
    reply
}

#[test]
fn the_files_of_a_brand() {
    let server = Server::start_in(dir(), &["--brand", "look"]);
    let config = server.get("/api/config").json();
    assert_eq!(config["issuer"], "Lantern");
    let brand = &config["brand"];
    for (key, expected) in [
        ("accent", json!("#9a3412")),
        ("accent_dark", json!("#fdba74")),
        ("imprint", json!("https://lantern.example/imprint")),
        ("privacy", json!("https://lantern.example/privacy")),
    ] {
        assert_eq!(brand[key], expected, "{key}");
    }
    let (logo, dark) = (brand["logo"].as_str().unwrap(), brand["logo_dark"].as_str().unwrap());
    let svg = "image/svg+xml";
    for (url, file) in [(logo, "logo.svg"), (dark, "logo-dark.svg")] {
        assert!(url.starts_with(&format!("/brand/{file}?v=")), "{url}");
        let reply = check_file(&server, url, svg, IMMUTABLE);
        assert_eq!(reply.body, fs::read_to_string(server.dir.0.join("look").join(file)).unwrap());
    }
    // Without its version, or with another one, the name does not change with the content.
    for path in ["/brand/logo.svg", "/brand/logo.svg?v=0", "/brand/favicon", "/brand/favicon.svg"] {
        check_file(&server, path, svg, "no-cache");
    }
    let cache = "max-age=60, stale-while-revalidate=604800";
    let sheet = check_file(&server, "/brand.css", "text/css; charset=utf-8", cache).body;
    for part in [
        "html:root{--accent:#9a3412;",
        "@media (prefers-color-scheme:dark){html:root{--accent:#fdba74;",
        &format!("--logo:url(\"{logo}\")"),
        &format!("--logo:url(\"{dark}\")"),
    ] {
        assert!(sheet.contains(part), "{part} in {sheet}");
    }
    // What the folder does not have, and its text.
    for path in ["/brand/logo.png", "/brand/../lictor.db", "/brand/%2e%2e/lictor.db"] {
        assert_eq!(server.get(path).status(), 404, "{path}");
    }
    assert!(!server.get("/brand/brand").body.contains("accent"), "a page of the app");
}

#[test]
fn without_a_brand_nothing_changes() {
    let server = Server::start(&[]);
    let brand = server.get("/api/config").json()["brand"].clone();
    assert!(brand.as_object().unwrap().values().all(Value::is_null), "{brand}");
    let cache = "max-age=60, stale-while-revalidate=604800";
    assert_eq!(check_file(&server, "/brand.css", "text/css; charset=utf-8", cache).body, "");
    let icon = server.get("/brand/favicon");
    assert_eq!((icon.status(), icon.header("content-type")), (200, Some("image/svg+xml")));
    assert_eq!(icon.body, server.get("/favicon.svg").body);
    assert_eq!(server.get("/brand/logo.svg").status(), 404);
}

#[test]
fn pages_of_others_get_the_files_of_a_brand_alone() {
    for (brand, web, sheet, other) in [
        (&[][..], "off", 404, 404),
        (&["--brand", "look"][..], "off", 200, 404),
        (&[], "app", 200, 200),
        (&["--brand", "look"], "app", 200, 200),
    ] {
        let dir = dir();
        let app = dir.0.join("app");
        fs::create_dir_all(app.join("brand")).unwrap();
        fs::write(app.join("index.html"), "<p>app</p>").unwrap();
        fs::write(app.join("brand.css"), "p { color: red }").unwrap();
        fs::write(app.join("brand/other.txt"), "other").unwrap();
        let server = Server::start_in(dir, &[brand, &["--web", web]].concat());
        let reply = server.get("/brand.css");
        assert_eq!(reply.status(), sheet, "{brand:?} {web}");
        if sheet == 200 {
            assert_eq!(reply.body.contains("--accent"), !brand.is_empty(), "{brand:?} {web}");
        }
        assert_eq!(server.get("/brand/other.txt").status(), other, "{brand:?} {web}");
    }
}

#[test]
fn check_shows_the_brand() {
    let dir = dir();
    let (code, out, err) = outcome(&run(&dir.0, &["check", "--brand", "look"], ""));
    assert_eq!(code, 0, "{err}");
    let place = dir.0.join("look").display().to_string();
    let size = |name: &str| fs::metadata(dir.0.join("look").join(name)).unwrap().len();
    for line in [
        format!("brand            {place}"),
        format!("logo             logo.svg (SVG, {} bytes)", size("logo.svg")),
        format!("dark logo        logo-dark.svg (SVG, {} bytes)", size("logo-dark.svg")),
        format!("favicon          favicon.svg (SVG, {} bytes)", size("favicon.svg")),
        "accent           #9a3412 (contrast as text 6.33:1, of a button's words 7.30:1)".into(),
        "dark accent      #fdba74 (contrast as text 8.88:1, of a button's words 10.58:1)".into(),
        "imprint          https://lantern.example/imprint".into(),
        "privacy          https://lantern.example/privacy".into(),
        "issuer           Lantern".into(),
    ] {
        assert!(out.lines().any(|found| found == line), "{line}\n{out}");
    }
    let out = outcome(&run(&dir.0, &["check"], "")).1;
    assert!(out.contains("\nbrand            none\n") && !out.contains("imprint"), "{out}");
}

#[test]
fn a_name_is_given_once() {
    let dir = dir();
    for (issuer, good) in [("Lantern", true), ("lictor", true), ("Other", false)] {
        let (code, out, err) =
            outcome(&run(&dir.0, &["check", "--brand", "look", "--issuer", issuer], ""));
        assert_eq!(code == 0, good, "{issuer}: {err}");
        match good {
            true => assert!(out.contains("issuer           Lantern\n"), "{out}"),
            false => assert_eq!(
                (code, err.as_str()),
                (
                    2,
                    "lictor: --issuer is \"Other\", and the name in the folder of --brand is \
                     \"Lantern\"\n  leave one of the two out; both mean the name of the service\n"
                )
            ),
        }
    }
}

/// Waits until the log of the server has a line after the last signal.
fn reload(server: &Server, expected: &str) -> String {
    let before = server.log().len();
    server.signal("-HUP");
    eventually(|| server.log()[before..].contains(expected));
    server.log().split_off(before)
}

#[test]
fn a_reload_reads_the_folder_again() {
    let server = Server::start_in(dir(), &["--brand", "look"]);
    let look = server.dir.0.join("look");
    let url = || server.get("/api/config").json()["brand"]["logo"].as_str().unwrap().to_owned();
    let sheet = || server.get("/brand.css");
    let (before, old) = (url(), sheet());
    reload(&server, "reloaded: no setting has changed");

    let words = fs::read_to_string(look.join("brand")).unwrap();
    fs::write(look.join("brand"), words.replace("#9a3412", "#7a1fa2")).unwrap();
    let log = reload(&server, "reloaded: the files of the brand");
    assert!(log.contains("reloaded: accent #7a1fa2 ("), "{log}");
    assert!(
        sheet().body.contains("--accent:#7a1fa2;") && sheet().header("etag") != old.header("etag")
    );

    // As long as the one before, so no row of `check` has changed.
    let logo = fs::read_to_string(look.join("logo.svg")).unwrap();
    fs::write(look.join("logo.svg"), logo.replace("#ea580c", "#ea580d")).unwrap();
    let log = reload(&server, "reloaded: the files of the brand");
    assert!(!log.contains("reloaded: logo"), "{log}");
    assert_ne!(url(), before);

    fs::write(look.join("logo.jpg"), "x").unwrap();
    let log = reload(&server, "not reloaded, all settings stay as they are");
    assert!(
        log.contains("logo.jpg: no file of a brand has this name; did you mean logo."),
        "{log}"
    );
    assert!(sheet().body.contains("#7a1fa2"));
}

/// The only mail in a folder.
fn mail(dir: &Dir, folder: &str) -> String {
    eventually(|| !dir.mails_in(folder).is_empty());
    dir.mails_in(folder).remove(0)
}

#[test]
fn mails_have_the_colours_and_the_name() {
    let dir = dir();
    let mails = dir.0.join("mails");
    let flags = ["--brand", "look", "--mail", "dir:mails", "--public-url", "https://a.example/"];
    let registration = ["--registration", "email"];
    let server = Server::start_in(dir, &[&flags[..], &registration].concat());
    let body = json!({"username": "ada", "password": PASSWORD, "email": "ada@example.org"});
    assert_eq!(server.post("/api/registration", &body).status(), 201);
    let text = mail(&server.dir, "mails");
    for part in ["Lantern", "bgcolor=\"#9a3412\"", "background: #fdba74 !important"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("#1f5fbf") && !text.contains("<img"), "{text}");
    // Else the next server may deliver it once more.
    eventually(|| server.dir.sql().number("SELECT count(*) FROM outbox") == 0);
    let (_, dir) = server.stop("-TERM");

    fs::remove_dir_all(&mails).unwrap();
    fs::create_dir(dir.0.join("texts")).unwrap();
    let frame = "<html><img src=\"{{logo}}\"><a href=\"{{imprint}}\">i</a>{{accent}} {{on-accent}} \
                 {{accent-dark}} {{on-accent-dark}} {{privacy}}{{body}}</html>";
    fs::write(dir.0.join("texts/frame.html"), frame).unwrap();
    let server = Server::start_in(dir, &[&flags[..], &["--mail-templates", "texts"]].concat());
    server.add("grace");
    let (code, _, err) = outcome(&run(
        &server.dir.0,
        &["mail", "test", "ada@example.org", "--brand", "look", "--mail", "dir:other"],
        "",
    ));
    assert_eq!(code, 0, "{err}");
    assert!(mail(&server.dir, "other").contains("Lantern"));
    // Nor do commands take the name of the service as a password.
    let add = ["user", "add", "eve", "--brand", "look", "--database", "lictor.db"];
    let (code, _, err) = outcome(&run(&server.dir.0, &add, "Lantern12"));
    assert!(code == 1 && err.contains("the name of this service"), "{err}");
    let token = server.login("grace", PASSWORD).token();
    let body = json!({"email": "g@example.org", "password": PASSWORD}).to_string();
    let reply = server.send_as(&token, "PUT", "/api/email", &body);
    assert!(reply.status() < 300, "{reply:?}");
    let text = mail(&server.dir, "mails");
    for part in [
        "<img src=\"https://a.example/brand/logo.svg?v=",
        "<a href=\"https://lantern.example/imprint\">",
        "#9a3412 #ffffff #fdba74 #1",
        "https://lantern.example/privacy<p class=",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_large_logo_is_sent_whole() {
    let dir = dir();
    let logo = dir.0.join("look/logo.svg");
    let svg = fs::read_to_string(&logo).unwrap();
    let large = svg + &format!("<!-- {} -->", "x".repeat(200_000));
    fs::write(&logo, &large).unwrap();
    let server = Server::start_in(dir, &["--brand", "look"]);
    for _ in 0..3 {
        assert!(server.get("/brand/logo.svg").body == large);
    }
}

#[test]
fn a_brand_from_the_environment() {
    let dir = dir();
    let mut command = lictor(&dir.0, &["check"]);
    command.env("LICTOR_BRAND", "look");
    let (code, out, err) = outcome(&crate::support::finish(command, ""));
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("accent           #9a3412"), "{out}");
}

#[test]
fn the_documentation_shows_the_example() {
    let words = fs::read_to_string(root().join("examples/brand/brand")).unwrap();
    let page = fs::read_to_string(root().join("docs/web-app.md")).unwrap();
    let (_, lines) = words.split_once("\n\n").unwrap();
    assert!(page.contains(&format!("```\n{lines}```\n")), "{lines}");
}
