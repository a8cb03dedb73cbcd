//! The pages: the built-in web app, a folder, and that no other file is served.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use lictor::clock::Timestamp;
use lictor::http::Request;
use lictor::{App, Config, Secret, Site, Web};
use serde_json::json;

use crate::support::{
    Dir, PATIENCE, SECRET, Server, assert_without, finish, lictor, outcome, request,
};

const GZIP: (&str, &str) = ("Accept-Encoding", "gzip, deflate, br");
const APP_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";
const FOLDER_POLICY: &str = "frame-ancestors 'none'; base-uri 'self'; object-src 'none'";
const HASHED: &str = "public, max-age=31536000, immutable";

/// A response whose body may be binary.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Sends one request and reads the response until the server closes.
fn fetch(server: &Server, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let headers = [headers, &[("Connection", "close")]].concat();
    stream.write_all(request(method, path, &headers, "").as_bytes()).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let head = std::str::from_utf8(&bytes[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap()[9..12].parse().unwrap();
    let mut headers = BTreeMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        let before = headers.insert(name.to_ascii_lowercase(), value.to_owned());
        assert_eq!(before, None, "{name} is repeated");
    }
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

fn get(server: &Server, path: &str) -> Answer {
    fetch(server, "GET", path, &[])
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    assert_eq!(bytes[..4], [0x1f, 0x8b, 8, 0]);
    miniz_oxide::inflate::decompress_to_vec(&bytes[10..bytes.len() - 8]).unwrap()
}

/// The files of the built-in web app in `web/dist`: path and content.
fn dist() -> Vec<(String, Vec<u8>)> {
    fn walk(root: &Path, dir: &Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            let name = format!("/{}", path.strip_prefix(root).unwrap().display());
            if path.is_dir() {
                walk(root, &path, found);
            } else if !name.ends_with(".gz") && name != "/embedded.rs" {
                found.push((name, fs::read(&path).unwrap()));
            }
        }
    }
    let root = crate::support::root().join("web/dist");
    let mut found = Vec::new();
    walk(&root, &root, &mut found);
    found
}

/// Checks the header fields that every form of a file has.
fn check_fields(answer: &Answer, path: &str, policy: &str, hashed: bool) {
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
    assert_eq!(answer.header("vary"), Some("Accept-Encoding, Origin"), "{path}");
    let cache = if hashed { HASHED } else { "no-cache" };
    assert_eq!(answer.header("cache-control"), Some(cache), "{path}");
    let path = path.split('?').next().unwrap();
    let document = !path.contains('.') || path.ends_with(".html") || path.ends_with(".svg");
    assert_eq!(answer.header("content-security-policy"), document.then_some(policy), "{path}");
    assert!(answer.header("etag").is_some_and(|tag| tag.starts_with('"')), "{path}");
    for absent in ["accept-ranges", "last-modified", "set-cookie", "server"] {
        assert_eq!(answer.header(absent), None, "{path}");
    }
    if answer.status == 200 {
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

/// Checks a file uncompressed, compressed, by HEAD, and as a 304.
fn check_forms(server: &Server, path: &str, content: &[u8], policy: &str, hashed: bool) {
    let plain = get(server, path);
    let gzip = fetch(server, "GET", path, &[GZIP]);
    if gzip.header("content-encoding").is_none() {
        assert!(content.len() < 1_000, "{path} is not sent compressed");
        assert_eq!((&plain.body, plain.header("etag")), (&gzip.body, gzip.header("etag")));
        return check_fields(&gzip, path, policy, hashed);
    }
    assert_eq!((plain.status, gzip.status), (200, 200), "{path}");
    assert_eq!(plain.body, content, "{path}");
    assert_eq!(gunzip(&gzip.body), content, "{path}");
    assert_eq!(plain.header("content-encoding"), None, "{path}");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"), "{path}");
    assert_ne!(plain.header("etag"), gzip.header("etag"), "{path}");
    assert_eq!(plain.header("content-type"), gzip.header("content-type"), "{path}");
    for (get, accept) in [(&plain, "identity"), (&gzip, "gzip")] {
        check_fields(get, path, policy, hashed);
        let accept = ("Accept-Encoding", accept);
        let head = fetch(server, "HEAD", path, &[accept]);
        assert_eq!((head.status, head.body.len()), (200, 0), "{path}");
        let mut expected = get.headers.clone();
        expected.insert("date".into(), head.headers["date"].clone());
        assert_eq!(head.headers, expected, "{path}");
        let tag = get.header("etag").unwrap();
        for (method, tags) in
            [("GET", tag.to_owned()), ("HEAD", format!("\"x\", W/{tag}")), ("GET", "*".into())]
        {
            let known = fetch(server, method, path, &[accept, ("If-None-Match", &tags)]);
            assert_eq!((known.status, known.body.len()), (304, 0), "{path} {tags}");
            check_fields(&known, path, policy, hashed);
            for absent in ["content-encoding", "content-type", "content-length"] {
                assert_eq!(known.header(absent), None, "{path} {tags}");
            }
        }
        let other = fetch(server, "GET", path, &[accept, ("If-None-Match", "\"other\"")]);
        assert_eq!((other.status, &other.body), (200, &get.body), "{path}");
    }
    // The two forms have different entity tags.
    let tag = gzip.header("etag").unwrap();
    assert_eq!(fetch(server, "GET", path, &[("If-None-Match", tag)]).status, 200, "{path}");
}

#[test]
fn the_built_in_app_is_served_as_built() {
    let server = Server::start(&[]);
    let files = dist();
    assert!(files.len() >= 3, "{files:?}");
    for (path, content) in &files {
        assert_eq!(&get(&server, path).body, content, "{path}");
        check_forms(&server, path, content, APP_POLICY, path.starts_with("/assets/"));
    }
    let index = &files.iter().find(|(path, _)| path == "/index.html").unwrap().1;
    for page in [
        "/",
        "/login",
        "/register",
        "/finalize?token=x.y.z",
        "/forgot",
        "/reset-finalize?token=x.y.z",
        "/protected",
        "/account",
        "/admin",
        "/admin/",
        "/admin/audit",
        "/admin/invitations",
        "/check-mail",
        "/no-such-page",
        "/a%20b/%C3%BC",
    ] {
        check_forms(&server, page, index, APP_POLICY, false);
        assert_eq!(get(&server, page).header("content-type"), Some("text/html; charset=utf-8"));
    }
    for nothing in
        ["/nothing.js", "/assets/nothing.css", "/a/b.c", "/index.html.gz", "/embedded.rs", "/x/."]
    {
        let reply = server.get(nothing);
        assert_eq!(reply.error(), (404, "NotFound".into()), "{nothing}");
        assert_eq!(reply.header("vary"), Some("Origin"), "{nothing}");
    }
}

#[test]
fn other_methods_answer_405_with_allow() {
    let server = Server::start(&[]);
    for path in ["/", "/login", "/favicon.svg"] {
        for method in ["POST", "PUT", "DELETE", "PATCH", "BREW"] {
            let reply = server.send(method, path, &[], "");
            assert_eq!(reply.error(), (405, "MethodNotAllowed".into()), "{method} {path}");
            assert_eq!(reply.header("allow"), Some("GET, HEAD, OPTIONS"), "{method} {path}");
        }
        let options = server.send("OPTIONS", path, &[], "");
        assert_eq!((options.status(), options.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
    }
    assert_eq!(server.send("POST", "/nothing.js", &[], "").status(), 404);
}

#[test]
fn the_config_endpoint_names_what_the_server_offers() {
    let offer = |registration, issuer, least| {
        json!({
            "registration": registration, "mail": false, "issuer": issuer,
            "min_password_length": least,
            "cookie": false, "setup": true, "home_url": null,
            "brand": {
                "logo": null, "logo_dark": null, "accent": null, "accent_dark": null,
                "imprint": null, "privacy": null,
            },
        })
    };
    for (flags, expected) in [
        (&[][..], offer("open", "lictor", 8)),
        (
            &["--registration", "invite", "--issuer", "Ada's Photos"],
            offer("invite", "Ada's Photos", 8),
        ),
        (
            &["--registration", "closed", "--web", "off", "--min-password-length", "15"],
            offer("closed", "lictor", 15),
        ),
    ] {
        let server = Server::start(flags);
        let reply = server.get("/api/config");
        assert_eq!((reply.status(), reply.json()), (200, expected));
        assert_eq!(reply.header("cache-control"), Some("no-cache"));
        assert_eq!(server.send("POST", "/api/config", &[], "").status(), 405);
    }
}

#[test]
fn without_pages_every_path_answers_404() {
    let server = Server::start(&["--web", "off"]);
    for path in ["/", "/login", "/index.html", "/favicon.svg"] {
        assert_eq!(server.get(path).error(), (404, "NotFound".into()), "{path}");
        assert_eq!(server.send("OPTIONS", path, &[], "").status(), 404, "{path}");
    }
    assert_eq!(server.get("/api/").status(), 200);
}

/// A folder with an app, and files inside and beside it that must not be served.
fn folder() -> Dir {
    let dir = Dir::new();
    let web = dir.0.join("web");
    for folder in ["assets/deep", ".git", "docs", "api"] {
        fs::create_dir_all(web.join(folder)).unwrap();
    }
    for (path, content) in [
        ("index.html", "<!doctype html><title>mine</title>"),
        ("assets/index-Di3rgTda.js", "let mine;"),
        ("assets/plain.css", "p { color: red }"),
        ("assets/deep/main.8a2f6c3d.js", "let deep;"),
        ("docs/index.html", "<!doctype html><title>docs</title>"),
        ("LICENSE", "do as you like"),
        ("photo.JPG", "jpeg"),
        ("data.bin", "bytes"),
        ("a b\u{fc}.txt", "text"),
        (".env", "KEY=secret-in-a-dotfile"),
        (".git/config", "secret-in-a-dotfile"),
        ("api/x.txt", "secret-under-api"),
        ("empty.txt", ""),
    ] {
        fs::write(web.join(path), content).unwrap();
    }
    fs::write(dir.0.join("outside.txt"), "secret-outside").unwrap();
    dir
}

/// A server of the folder `web` in the directory.
fn serving(dir: Dir) -> Server {
    Server::start_in(dir, &["--web", "web"])
}

#[test]
fn the_files_of_a_folder_are_served() {
    let server = serving(folder());
    for (path, content, media_type, hashed) in [
        ("/index.html", "<!doctype html><title>mine</title>", "text/html; charset=utf-8", false),
        ("/", "<!doctype html><title>mine</title>", "text/html; charset=utf-8", false),
        ("/some/page", "<!doctype html><title>mine</title>", "text/html; charset=utf-8", false),
        ("/docs/", "<!doctype html><title>mine</title>", "text/html; charset=utf-8", false),
        ("/docs", "<!doctype html><title>mine</title>", "text/html; charset=utf-8", false),
        ("/assets/index-Di3rgTda.js", "let mine;", "text/javascript; charset=utf-8", true),
        ("/assets/deep/main.8a2f6c3d.js", "let deep;", "text/javascript; charset=utf-8", true),
        ("/assets/plain.css", "p { color: red }", "text/css; charset=utf-8", false),
        ("/assets/%70lain.css", "p { color: red }", "text/css; charset=utf-8", false),
        ("/photo.JPG", "jpeg", "image/jpeg", false),
        ("/data.bin", "bytes", "application/octet-stream", false),
        ("/a%20b%C3%BC.txt", "text", "text/plain; charset=utf-8", false),
        ("/empty.txt", "", "text/plain; charset=utf-8", false),
    ] {
        let answer = fetch(&server, "GET", path, &[GZIP]);
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(String::from_utf8_lossy(&answer.body), content, "{path}");
        assert_eq!(answer.header("content-type"), Some(media_type), "{path}");
        assert_eq!(answer.header("content-encoding"), None, "{path}");
        check_fields(&answer, path, FOLDER_POLICY, hashed);
        let head = fetch(&server, "HEAD", path, &[GZIP]);
        assert_eq!(head.header("content-length"), Some(&*content.len().to_string()), "{path}");
        let known = ("If-None-Match", answer.header("etag").unwrap());
        assert_eq!(fetch(&server, "GET", path, &[GZIP, known]).status, 304, "{path}");
    }
    // A file without a dot in its name is served too.
    assert_eq!(get(&server, "/LICENSE").body, b"do as you like");
    assert_eq!(server.get("/nothing.js").error(), (404, "NotFound".into()));
    assert_eq!(server.send("POST", "/assets/plain.css", &[], "").status(), 405);
    assert_eq!(server.get("/api/").json(), json!({"Hello": "World"}));
}

#[test]
fn compressed_siblings_are_used_unless_they_are_older() {
    let server = serving(folder());
    let web = server.dir.0.join("web");
    let plain = web.join("assets/plain.css");
    let sibling = web.join("assets/plain.css.gz");
    let zipped = fs::read(crate::support::root().join("web/dist/index.html.gz")).unwrap();
    fs::write(&sibling, &zipped).unwrap();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let date = |path: &Path, at| File::options().write(true).open(path).unwrap().set_modified(at);
    date(&plain, at).unwrap();
    for (age, used) in [(0, true), (1, false)] {
        date(&sibling, at - Duration::from_secs(age)).unwrap();
        let answer = fetch(&server, "GET", "/assets/plain.css", &[GZIP]);
        assert_eq!(answer.header("content-encoding"), used.then_some("gzip"), "{age}");
        assert_eq!(answer.header("content-type"), Some("text/css; charset=utf-8"));
        assert_eq!(answer.body == zipped, used, "{age}");
        let unwanted = get(&server, "/assets/plain.css");
        assert_eq!(unwanted.body, b"p { color: red }");
        assert_eq!(unwanted.header("content-encoding"), None);
        assert_eq!(unwanted.header("etag") == answer.header("etag"), !used);
    }
    // Requested by its own name it is an ordinary file. Without the plain file it is not used.
    let itself = fetch(&server, "GET", "/assets/plain.css.gz", &[GZIP]);
    assert_eq!(itself.header("content-type"), Some("application/gzip"));
    assert_eq!(itself.header("content-encoding"), None);
    fs::remove_file(plain).unwrap();
    assert_eq!(fetch(&server, "GET", "/assets/plain.css", &[GZIP]).status, 404);
}

/// Paths, and whether the response is the app's document; otherwise the request is refused.
const HOSTILE: &[(&str, bool)] = &[
    ("/../outside.txt", false),
    ("/..", false),
    ("/../../../../../../etc/passwd", false),
    ("/assets/../../outside.txt", false),
    ("/assets/../index.html", false),
    ("/./index.html", false),
    ("//etc/passwd", false),
    ("//outside.txt", false),
    ("/assets//plain.css", false),
    ("/%2e%2e/outside.txt", false),
    ("/%2E%2E%2Foutside.txt", false),
    ("/..%2foutside.txt", false),
    ("/..%2f..%2f..%2fetc%2fpasswd", false),
    ("/assets%2fplain.css", false),
    ("/%2fetc%2fpasswd", false),
    ("/..%5coutside.txt", false),
    ("/..\\outside.txt", false),
    ("/assets\\..\\..\\outside.txt", false),
    ("/%252e%252e/outside.txt", false),
    ("/%252e%252e%252foutside.txt", false),
    ("/%252e%252e/etc/passwd", true),
    ("/index.html%00", false),
    ("/index.html%00.css", false),
    ("/%00", false),
    ("/index.html%0a", false),
    ("/%c0%ae%c0%ae/outside.txt", false),
    ("/%c0%af..%c0%afoutside.txt", false),
    ("/%u002e%u002e/outside.txt", false),
    ("/%", false),
    ("/%2", false),
    ("/%zz", false),
    ("/index.html%", false),
    ("/.env", false),
    ("/.git/config", false),
    ("/%2egit/config", false),
    ("/.git", false),
    ("/.", false),
    ("/.well-known/x", false),
    ("/api/x.txt", false),
    ("/%61pi/x.txt", false),
    ("/api/../outside.txt", false),
    ("/leaves.txt", false),
    ("/leaves-absolutely.txt", false),
    ("/out/outside.txt", false),
    ("/up/outside.txt", false),
    ("/loop.txt", false),
    ("/pipe.txt", false),
    ("/assets", true),
    ("/assets/", true),
    ("/assets/.", false),
    ("/index.html/", true),
    ("/index.html/x", true),
    ("/index.html/x.txt", false),
    ("/proc/self/environ", true),
    ("http://h/../outside.txt", false),
    ("http://h/.env", false),
];

#[test]
fn no_file_outside_the_folder_and_no_hidden_file_is_served() {
    let dir = folder();
    let web = dir.0.join("web");
    symlink("../outside.txt", web.join("leaves.txt")).unwrap();
    symlink(dir.0.join("outside.txt"), web.join("leaves-absolutely.txt")).unwrap();
    symlink("..", web.join("up")).unwrap();
    symlink(&dir.0, web.join("out")).unwrap();
    symlink("loop.txt", web.join("loop.txt")).unwrap();
    symlink("assets/../assets/plain.css", web.join("stays.css")).unwrap();
    symlink("assets", web.join("alias")).unwrap();
    assert!(Command::new("mkfifo").arg(web.join("pipe.txt")).status().unwrap().success());
    let server = serving(dir);
    let long = format!("/{}.txt", "x".repeat(300));
    let longer = format!("/{}x.txt", "x/".repeat(3_000));
    let long = [(&*long, false), (&*longer, false)];
    for (path, page) in HOSTILE.iter().chain(&long) {
        for method in ["GET", "HEAD"] {
            let answer = fetch(&server, method, path, &[GZIP]);
            let expected: &[u16] = if *page { &[200] } else { &[400, 404] };
            assert!(expected.contains(&answer.status), "{method} {path}: {answer:?}");
            let body = String::from_utf8_lossy(&answer.body);
            assert_without(&body, &["secret-", "root:", "red"], path);
            assert!(!page || method == "HEAD" || body.contains("<title>mine"), "{path}: {body}");
        }
    }
    for path in ["/stays.css", "/alias/plain.css"] {
        assert_eq!(
            get(&server, path).body,
            b"p { color: red }",
            "a link inside the folder is followed"
        );
    }
    // The log tells the operator why.
    let log = server.log();
    assert!(log.contains("leaves.txt in ") && log.contains("is not served"), "{log}");
    assert_without(&log, &["secret-"], &"the log");
}

#[test]
fn changes_of_a_folder_are_served_at_once() {
    let dir = folder();
    let root = dir.0.clone();
    fs::rename(root.join("web"), root.join("first")).unwrap();
    symlink("first", root.join("web")).unwrap();
    let server = serving(dir);
    let before = get(&server, "/assets/plain.css");
    // The file is replaced by another of the same length.
    fs::write(root.join("new"), "p { color: tan }").unwrap();
    fs::rename(root.join("new"), root.join("first/assets/plain.css")).unwrap();
    let known = [("If-None-Match", before.header("etag").unwrap())];
    let after = fetch(&server, "GET", "/assets/plain.css", &known);
    assert_eq!((after.status, &*after.body), (200, &b"p { color: tan }"[..]));
    fs::write(root.join("first/new.js"), "new").unwrap();
    assert_eq!(get(&server, "/new.js").body, b"new");
    fs::remove_file(root.join("first/new.js")).unwrap();
    assert_eq!(get(&server, "/new.js").status, 404);
    // The folder is replaced.
    fs::create_dir(root.join("second")).unwrap();
    fs::write(root.join("second/index.html"), "second").unwrap();
    symlink("second", root.join("next")).unwrap();
    fs::rename(root.join("next"), root.join("web")).unwrap();
    assert_eq!(get(&server, "/").body, b"second");
    fs::remove_file(root.join("second/index.html")).unwrap();
    assert_eq!(server.get("/").error(), (404, "NotFound".into()));
    fs::remove_file(root.join("web")).unwrap();
    assert_eq!(server.get("/").error(), (500, "InternalError".into()));
    assert!(server.log().contains("No such file"), "{}", server.log());
    assert_eq!(server.get("/api/").status(), 200);
}

/// More bytes than the socket buffers of both sides hold.
const LARGE: usize = 24 << 20;

fn large(byte: u8) -> Vec<u8> {
    vec![byte; LARGE]
}

/// Requests the large file and reads only the first bytes.
fn request_large(server: &Server) -> (TcpStream, Vec<u8>) {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(request("GET", "/large.bin", &[("Connection", "close")], "").as_bytes())
        .unwrap();
    let mut first = vec![0; 1_000];
    stream.read_exact(&mut first).unwrap();
    (stream, first)
}

#[test]
fn a_large_file_that_is_replaced_while_it_is_sent_arrives_unchanged() {
    let server = serving(folder());
    let path = server.dir.0.join("web/large.bin");
    fs::write(&path, large(b'1')).unwrap();
    fs::write(server.dir.0.join("new"), large(b'2')).unwrap();
    // Between here and the reading of the rest there is no work: after ten seconds the server would
    // close the connection.
    let (mut stream, mut bytes) = request_large(&server);
    fs::rename(server.dir.0.join("new"), &path).unwrap();
    assert!(request_large(&server).1.ends_with(b"22"));
    stream.read_to_end(&mut bytes).unwrap();
    assert!(parse(&bytes).body == large(b'1'));
    assert!(get(&server, "/large.bin").body == large(b'2'));
    // A file that is truncated in place cannot be sent in full: the connection closes before the
    // announced length, and other requests are answered.
    let (mut stream, mut bytes) = request_large(&server);
    File::options().write(true).open(&path).unwrap().set_len(10).unwrap();
    let _ = stream.read_to_end(&mut bytes);
    let answer = parse(&bytes);
    assert_eq!(answer.header("content-length"), Some(&*LARGE.to_string()));
    assert!(answer.body.len() < LARGE);
    assert!(server.log().contains("an answer breaks off"), "{}", server.log());
    assert_eq!(get(&server, "/large.bin").body, b"2222222222");
}

#[test]
fn clients_that_do_not_read_hold_no_memory_and_one_descriptor() {
    let server = serving(folder());
    fs::write(server.dir.0.join("web/large.bin"), large(b'1')).unwrap();
    let pid = server.child.id();
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
    };
    drop(request_large(&server));
    let before = resident();
    let stuck: Vec<_> = (0..30).map(|_| request_large(&server)).collect();
    let files = fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let files = files.filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    assert_eq!(files.filter(|file| file.ends_with("web/large.bin")).count(), 1);
    let grown = resident().saturating_sub(before);
    assert!(grown < LARGE, "{grown} bytes for {} clients", stuck.len());
    assert_eq!(server.get("/api/").status(), 200);
}

#[test]
fn a_folder_without_an_app_is_refused_at_start_and_creates_no_file() {
    let dir = Dir::new();
    fs::create_dir(dir.0.join("empty")).unwrap();
    fs::write(dir.0.join("file"), "").unwrap();
    fs::create_dir_all(dir.0.join("odd/index.html")).unwrap();
    fs::create_dir(dir.0.join("leaves")).unwrap();
    symlink("../file", dir.0.join("leaves/index.html")).unwrap();
    let before = fs::read_dir(&dir.0).unwrap().count();
    for (web, what) in [
        ("missing", "cannot open the folder missing: No such file"),
        ("file", "file is not a folder"),
        ("empty", "empty has no index.html"),
        ("odd", "odd has no index.html"),
        ("leaves", "cannot open index.html in leaves"),
    ] {
        for command in ["serve", "check"] {
            let command = lictor(&dir.0, &[command, "--listen", "127.0.0.1:0", "--web", web]);
            let (code, out, err) = outcome(&finish(command, ""));
            assert_eq!((code, out.as_str()), (2, ""), "{web}: {err}");
            let lines: Vec<_> = err.lines().collect();
            assert_eq!(lines.len(), 2, "{err}");
            assert!(lines[0].starts_with(&format!("lictor: {what}")), "{err}");
            assert!(lines[1].contains("--web") && lines[1].contains("off"), "{err}");
        }
    }
    assert_eq!(fs::read_dir(&dir.0).unwrap().count(), before);
}

#[test]
fn a_folder_that_contains_the_database_or_the_keys_is_refused() {
    let dir = folder();
    symlink("web", dir.0.join("alias")).unwrap();
    fs::create_dir(dir.0.join("web/data")).unwrap();
    fs::create_dir(dir.0.join("apart")).unwrap();
    symlink("../web/data/keys", dir.0.join("apart/keys")).unwrap();
    fs::write(dir.0.join("web/data/keys"), SECRET).unwrap();
    fs::set_permissions(dir.0.join("web/data/keys"), Permissions::from_mode(0o600)).unwrap();
    fs::write(dir.0.join("index.html"), "").unwrap();
    let check = |flags: &[&str], expected: Option<&str>| {
        for command in ["serve", "check"] {
            // A folder that is accepted fails later, because the IP address cannot be listened on.
            let args = [&[command, "--listen", "192.0.2.1:5000"], flags].concat();
            let (code, _, err) = outcome(&finish(lictor(&dir.0, &args), ""));
            match expected {
                Some(file) => {
                    assert_eq!(code, 2, "{flags:?}: {err}");
                    assert!(err.starts_with(&format!("lictor: {file} is in the folder")), "{err}");
                }
                None => assert!(code == 1 && err.contains("cannot listen"), "{flags:?}: {err}"),
            }
        }
    };
    check(&["--web", "."], Some("lictor.db"));
    check(&["--web", "web", "--database", "web/lictor.db"], Some("web/lictor.db"));
    check(&["--web", "alias", "--database", "web/data/x.db"], Some("web/data/x.db"));
    check(&["--web", "web", "--database", "alias/x.db"], Some("alias/x.db"));
    let database = ["--web", "web", "--database", "apart/x.db", "--secret-key-file"];
    check(&[&database[..], &["web/data/keys"]].concat(), Some("web/data/keys"));
    check(&[&database[..], &["apart/keys"]].concat(), Some("apart/keys"));
    check(&["--web", "web", "--database", "apart/x.db"], None);
    check(&["--web", "web"], None);
    check(&["--database", "web/lictor.db"], None);
}

#[test]
fn the_check_command_names_the_source_of_the_pages() {
    let dir = folder();
    for (flags, expected) in [
        (&["check"][..], "the built-in web app".to_owned()),
        (&["check", "--web", "off"], "off".into()),
        (&["check", "--web", "web"], dir.0.join("web").display().to_string()),
    ] {
        let mut command = lictor(&dir.0, flags);
        command.env("LICTOR_LISTEN", "127.0.0.1:0").env("LICTOR_WEB", "");
        let (code, out, err) = outcome(&finish(command, ""));
        assert_eq!(code, 0, "{err}");
        assert!(out.contains(&format!("web              {expected}\n")), "{out}");
    }
}

#[test]
fn files_have_the_same_cors_fields_as_the_api() {
    let server = Server::start(&["--cors-origin", "http://app.example"]);
    for (origin, allowed) in [("http://app.example", true), ("http://other.example", false)] {
        let answer = fetch(&server, "GET", "/", &[("Origin", origin)]);
        assert_eq!(answer.header("access-control-allow-origin"), allowed.then_some(origin));
        assert_eq!(answer.header("vary"), Some("Accept-Encoding, Origin"));
        assert_eq!(answer.header("access-control-allow-credentials"), None);
    }
}

#[test]
fn an_embedding_program_serves_pages_only_if_configured() {
    let dir = folder();
    let now = Timestamp(1_800_000_000);
    let fetch = |web: Option<Web>, path: &str| {
        let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
        config.web = web.unwrap_or(config.web);
        let response = Site::new(App::open(config).unwrap())
            .unwrap()
            .handle(&Request::new("GET", path, &[]), now);
        (response.status, String::from_utf8_lossy(response.body()).into_owned())
    };
    assert_eq!(fetch(None, "/").0, 404);
    let folder = Web::Folder(dir.0.join("web"));
    assert_eq!(fetch(Some(folder), "/data.bin"), (200, "bytes".into()));
    let (status, page) = fetch(Some(Web::Embedded), "/");
    assert!(status == 200 && page.to_lowercase().contains("<!doctype html>"), "{page}");
    let mut config = Config::new(dir.database(), Secret::new(SECRET).unwrap());
    config.web = Web::Folder("/nonexistent".into());
    assert!(Site::new(App::open(config).unwrap()).unwrap_err().usage);
}
