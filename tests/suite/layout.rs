//! The rules of the house, computed from the sources: no cycle of modules, no use that leads upwards
//! in the map of `ARCHITECTURE.md`, each outside library in its files, SQL in the store, files and
//! functions of a size that can be read.

mod graph;
mod source;

use std::fs;
use std::path::{Path, PathBuf};

use graph::{cycles, upward};
use source::{Source, body, end_of};

/// Lines of a file without its tests.
const MAX_FILE: usize = 400;
/// Lines of a function that needs no reason. A longer one has a comment above it that begins with
/// `Long:` and says why.
const MAX_FUNCTION: usize = 40;

/// Outside library, and the only files, or folders, that may name it.
const AT_HOME: &[(&str, &[&str])] = &[
    ("arc_swap", &["app/current.rs"]),
    ("argon2", &["kdf/argon2.rs", "guard/argon2_text.rs", "guard/kernel/portable.rs"]),
    ("argon2_rust", &["guard/kernel/fast.rs"]),
    (
        "base64",
        &[
            "guard/foreign/text.rs",
            "guard/app_password.rs",
            "guard/token/base64url.rs",
            "mail/encoding.rs",
            "mail/transport/smtp.rs",
        ],
    ),
    ("blowfish", &["kdf/bcrypt.rs"]),
    ("bytes", &["store/postgres/wire/"]),
    ("clap", &["cli/"]),
    ("csv_core", &["fuzzing/rows.rs"]),
    ("ed25519_compact", &["fuzzing/token.rs"]),
    ("env_logger", &["cli/logging.rs"]),
    ("getrandom", &["keys/", "tls.rs", "values/random.rs"]),
    (
        "hmac",
        &[
            "guard/cookie.rs",
            "guard/decoy.rs",
            "guard/derived.rs",
            "guard/foreign/bcrypt_sha256.rs",
            "guard/invitation.rs",
            "guard/known/device.rs",
            "guard/token/key.rs",
            "jwt.rs",
            "values/totp.rs",
        ],
    ),
    ("httparse", &["http/mod.rs", "http/head.rs"]),
    ("httpdate", &["http/response.rs", "mail/message.rs"]),
    ("humantime", &["cli/"]),
    ("jwt_simple", &["guard/token/key.rs", "guard/token/claims.rs", "fuzzing/token.rs"]),
    ("listenfd", &["activation.rs"]),
    ("loom", &["net/slot/model.rs"]),
    ("memchr", &["http/request.rs", "jwt.rs"]),
    (
        "miniz_oxide",
        &[
            "api/openapi.rs",
            "assets/embedded.rs",
            "guard/blocklist.rs",
            "mail/built_in.rs",
            "store/schemas.rs",
        ],
    ),
    ("pbkdf2", &["kdf/"]),
    ("postgres_protocol", &["store/postgres/wire/"]),
    ("precis_profiles", &["values/domain.rs", "values/fragment.rs", "values/username.rs"]),
    ("qrcodegen", &["api/qr.rs"]),
    ("ring", &["guard/token/key.rs", "tls.rs", "tls/binding.rs"]),
    ("rpassword", &["cli/prompt.rs"]),
    ("rusqlite", &["store/sqlite/"]),
    (
        "rustix",
        &[
            "activation.rs",
            "assets/folder.rs",
            "cli/logging.rs",
            "cli/machine.rs",
            "guard/blocklist_file.rs",
            "mail/transport/directory.rs",
            "net/keeper.rs",
            "net/listeners.rs",
            "net/pool.rs",
            "net/mod.rs",
            "net/poll.rs",
            "store/owner.rs",
            "store/postgres/wire/socket.rs",
            "store/sqlite/foreign/traces.rs",
            "store/sqlite/swap.rs",
        ],
    ),
    ("rustls", &["tls.rs"]),
    ("rustls_native_certs", &["tls.rs"]),
    ("sha1", &["guard/blocklist_file/", "kdf/pbkdf2.rs", "values/totp.rs"]),
    (
        "sha2",
        &[
            "guard/derived.rs",
            "guard/foreign/",
            "guard/token/key.rs",
            "jwt.rs",
            "kdf/pbkdf2.rs",
            "store/copy/page.rs",
            "store/sqlite/schema.rs",
            "values/code.rs",
        ],
    ),
    ("sha_crypt", &["guard/foreign/sha_crypt.rs"]),
    ("signal_hook", &["cli/reload.rs", "server.rs"]),
    ("subtle", &["guard/foreign/mod.rs"]),
    (
        "unicode_normalization",
        &[
            "guard/password.rs",
            "values/domain.rs",
            "values/email.rs",
            "values/fragment.rs",
            "values/skeleton.rs",
        ],
    ),
    ("webpki", &["tls.rs"]),
];

/// Libraries of which every file may make use.
const EVERYWHERE: &[&str] = &["lictor_engine", "log", "serde", "serde_json", "zeroize"];

/// The sources of the crate and of the engine as one tree, without files that are only for tests.
fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    for folder in ["src", "engine/src"] {
        let root = crate::support::root().join(folder);
        let mut paths = Vec::new();
        collect(&root, &mut paths);
        paths.sort();
        for path in paths {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap();
            // The engine's own list of modules has no uses.
            if (folder, name) != ("engine/src", "lib.rs") {
                sources.push(Source::parse(name, &fs::read_to_string(&path).unwrap()));
            }
        }
    }
    without_tests(sources)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn without_tests(sources: Vec<Source>) -> Vec<Source> {
    let tests: Vec<Vec<String>> = sources
        .iter()
        .flat_map(|source| {
            source
                .test_modules
                .iter()
                .map(|name| [&source.module[..], std::slice::from_ref(name)].concat())
        })
        .collect();
    let is_test = |source: &Source| tests.iter().any(|test| source.module.starts_with(test));
    sources.into_iter().filter(|source| !is_test(source)).collect()
}

#[track_caller]
fn none(found: &[String]) {
    assert!(found.is_empty(), "{} found:\n{}", found.len(), found.join("\n"));
}

#[test]
fn modules_have_no_cycle() {
    let sources = sources();
    assert!(sources.len() > 100, "{}", sources.len());
    none(&cycles(&sources));
}

/// The one module whose uses lead upwards: the fuzzers check functions of modules everywhere.
const FUZZERS: &str = "fuzzing";

/// The top-level modules in the order of the map: the first word of each line of the first block in
/// `ARCHITECTURE.md` that begins with one.
fn map(page: &str) -> Vec<&str> {
    let block = page.split("```").nth(1).unwrap_or_default();
    let lines = block.lines().filter(|line| !line.starts_with(' '));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    names.map(|name| name.trim_end_matches('/').trim_end_matches(".rs")).collect()
}

#[test]
fn a_module_uses_only_modules_below_it_in_the_map() {
    let map = map(include_str!("../../ARCHITECTURE.md"));
    let sources = sources();
    let mut modules: Vec<&str> =
        sources.iter().filter_map(|source| Some(source.module.first()?.as_str())).collect();
    modules.dedup();
    let mut listed = map.clone();
    listed.sort_unstable();
    modules.sort_unstable();
    modules.dedup();
    assert_eq!(listed, modules, "the map in ARCHITECTURE.md, and the modules in src");
    let up = upward(&sources, &map);
    let allowed = format!("{FUZZERS} uses ");
    none(&up.into_iter().filter(|one| !one.starts_with(&allowed)).collect::<Vec<_>>());
}

#[test]
fn a_file_says_what_it_owns() {
    let silent = |source: &Source| {
        (!source.text.starts_with("//!")).then(|| format!("src/{} has no //!", source.name))
    };
    none(&sources().iter().filter_map(silent).collect::<Vec<_>>());
}

#[test]
fn a_file_can_be_read_at_once() {
    let long = |source: &Source| {
        let Source { name, lines, .. } = source;
        (*lines > MAX_FILE).then(|| format!("src/{name} has {lines} lines without its tests"))
    };
    none(&sources().iter().filter_map(long).collect::<Vec<_>>());
}

#[test]
fn a_long_function_says_why() {
    none(&sources().iter().flat_map(long_functions).collect::<Vec<_>>());
}

fn long_functions(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().map(str::trim_start).collect();
    let texts: Vec<&str> = source.tokens.iter().map(|token| token.text.as_str()).collect();
    let mut found = Vec::new();
    for at in (0..texts.len()).filter(|&at| texts[at] == "fn") {
        let body = body(&texts, at);
        if texts[body] != "{" {
            continue;
        }
        let first = source.tokens[at].line;
        let length = source.tokens[end_of(&texts, body, "{", "}")].line + 1 - first;
        let above = lines[..first - 1].iter().rev();
        let mut above = above.take_while(|line| line.starts_with("//") || line.starts_with("#["));
        if length > MAX_FUNCTION && !above.any(|line| line.contains("Long:")) {
            let name = texts.get(at + 1).unwrap_or(&"");
            found.push(format!("src/{}:{first} {name} has {length} lines", source.name));
        }
    }
    found
}

#[test]
fn sql_is_in_the_store() {
    let sql = |source: &Source| -> Vec<String> {
        let name = &source.name;
        let literals = source.literals.iter().filter(|(_, literal)| is_sql(literal));
        literals.map(|(line, literal)| format!("src/{name}:{line} {literal}")).collect()
    };
    let outside = |source: &&Source| !source.module.starts_with(&["store".to_owned()]);
    none(&sources().iter().filter(outside).flat_map(sql).collect::<Vec<_>>());
}

/// A keyword alone may be a method of HTTP.
fn is_sql(text: &str) -> bool {
    let keywords = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "CREATE ", "PRAGMA "];
    keywords.iter().any(|keyword| text.contains(keyword))
}

#[test]
fn outside_libraries_are_at_home() {
    none(&sources().iter().flat_map(strangers).collect::<Vec<_>>());
}

/// Where a file names a library whose home it is not.
fn strangers(source: &Source) -> Vec<String> {
    let name = &source.name;
    let mut found = Vec::new();
    for (library, homes) in AT_HOME {
        let home = |home: &&&str| name == **home || home.ends_with('/') && name.starts_with(**home);
        if homes.iter().find(home).is_some() {
            continue;
        }
        for (at, token) in source.tokens.iter().enumerate() {
            let before = at.checked_sub(1).map_or("", |before| &source.tokens[before].text);
            let next = source.tokens.get(at + 1).map_or("", |next| &next.text);
            let named = before == "use" && [";", "as"].contains(&next) || next == "::";
            if token.text == *library && named && before != "::" {
                found.push(format!("src/{name}:{} {library}", token.line));
            }
        }
    }
    found
}

#[test]
fn every_outside_library_has_a_home() {
    let manifests = [include_str!("../../Cargo.toml"), include_str!("../../engine/Cargo.toml")];
    let dependencies = manifests.map(|manifest| {
        let dependencies = manifest.split("\n[dependencies]\n").nth(1).unwrap();
        dependencies.split("\n[").next().unwrap()
    });
    let names = dependencies.iter().flat_map(|dependencies| dependencies.lines());
    let names = names.filter(|line| !line.starts_with('#'));
    let names = names.filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_")));
    let homeless = names.filter(|name| {
        let name = if name == "rustls_webpki" { "webpki" } else { name };
        !EVERYWHERE.contains(&name) && !AT_HOME.iter().any(|(known, _)| *known == name)
    });
    none(&homeless.collect::<Vec<_>>());
}

/// Says how many cycles these files have, and what the first of them names.
#[track_caller]
fn check(files: &[(&str, &str)], expected: usize, places: &[&str]) {
    let sources = files.iter().map(|(name, text)| Source::parse(name, text)).collect();
    let found = cycles(&without_tests(sources));
    assert_eq!(found.len(), expected, "{files:?}: {found:?}");
    let first = found.first().map_or("", String::as_str);
    assert!(places.iter().all(|place| first.contains(place)), "{first}");
}

#[test]
fn cycles_are_found() {
    check(&[("a.rs", "use crate::b::B;"), ("b.rs", "")], 0, &[]);
    check(
        &[("a.rs", "\nuse crate::b::B;"), ("b.rs", "fn f() { crate::a::f() }")],
        1,
        &["cycle in src", "src/a.rs:2", "src/b.rs:1"],
    );
    // Groups, renamed names, and `self`.
    let grouped = "use crate::{c, b::{self, B as C}};";
    check(&[("a.rs", grouped), ("b.rs", ""), ("c.rs", "use crate::a::*;")], 1, &["c uses a"]);
    check(&[("a.rs", grouped), ("b.rs", "use crate::a;"), ("c.rs", "")], 1, &["b uses a"]);
    // Three, and a file deep in a folder.
    let three = ("b/x/y.rs", "use crate::c::C;");
    check(
        &[
            ("a.rs", "use crate::b::B;"),
            ("b/mod.rs", ""),
            ("b/x/mod.rs", ""),
            three,
            ("c.rs", "use crate::a::A;"),
        ],
        1,
        &["src/b/x/y.rs:1", "src/c.rs:1", "src/a.rs:1"],
    );
    // Siblings in a folder; a child may use its parent, and the parent its children.
    let parent = ("p/mod.rs", "mod a; mod b; use a::A; struct P;");
    check(&[parent, ("p/a.rs", "use super::P;"), ("p/b.rs", "use super::a::A;")], 0, &[]);
    check(
        &[parent, ("p/a.rs", "use super::b::B;"), ("p/b.rs", "use crate::p::a::A;")],
        1,
        &["cycle in p", "src/p/a.rs:1", "src/p/b.rs:1"],
    );
    // A name that the parent, or the crate, takes from a sibling stands for the sibling.
    check(
        &[parent, ("p/a.rs", "use super::b::B;"), ("p/b.rs", "use super::A;")],
        1,
        &["cycle in p"],
    );
    let root = ("lib.rs", "mod a; mod b; pub use a::A;");
    check(
        &[root, ("a.rs", "use crate::b::B;"), ("b.rs", "fn f() -> crate::A {}")],
        1,
        &["b uses a"],
    );
}

#[test]
fn uses_that_lead_upwards_are_found() {
    let page = "# X\n```\na/      x\nb.rs    y\n        b goes on\nc       z\n```\n```\nd\n```\n";
    assert_eq!(map(page), ["a", "b", "c"]);
    let check = |files: &[(&str, &str)], expected: &[&str]| {
        let sources: Vec<Source> =
            files.iter().map(|(name, text)| Source::parse(name, text)).collect();
        assert_eq!(upward(&sources, &map(page)), expected, "{files:?}");
    };
    let (b, c) = (("b.rs", ""), ("c/mod.rs", ""));
    check(&[("a/mod.rs", "use crate::{b::B, c};"), b, c], &[]);
    check(&[("b.rs", "use crate::c::C;"), ("c/mod.rs", ""), ("c/x.rs", "use super::y;")], &[]);
    let up = ("c/x.rs", "\nfn f() { crate::b::f() }");
    check(&[b, c, up], &["c uses b: src/c/x.rs:2"]);
    check(&[("d.rs", "use crate::c::C;"), c], &["d uses c: src/d.rs:1"]);
}

#[test]
fn what_is_not_compiled_makes_no_cycle() {
    let uses_b = ("a.rs", "use crate::b::B;");
    for b in [
        "// use crate::a::A;\n/* crate::a::A /* */ crate::a::A */",
        "//! [`crate::a::A`]\nconst A: &str = \"crate::a::A\"; const B: &str = r#\"\"crate::a::A\"#;",
        "#[cfg(test)]\nmod tests {\n use crate::a::A;\n fn f() { let c = '}'; }\n}\n",
        "#[cfg(test)]\nuse crate::a::A;\nfn f<'a>(x: &'a str) -> char { '\\'' }",
        "#[cfg(all(test, feature = \"x\"))]\nmod tests { use crate::a::A; }",
        "fn f() { other::crate_a::a() }",
        "struct S {\n#[cfg(test)]\nx: Map<u8, crate::a::A>,\ny: u8 }",
        "fn f() { S {\n#[cfg(test)]\npub(crate) x: crate::a::A\n} }",
    ] {
        check(&[uses_b, ("b.rs", b)], 0, &[]);
    }
    check(
        &[
            uses_b,
            ("b/mod.rs", "#[cfg(test)]\nmod model;"),
            ("b/model.rs", "use crate::a::A;"),
            ("b/model/deep.rs", "use crate::a::A;"),
        ],
        0,
        &[],
    );
    // What follows a test is compiled.
    let fields = "struct S {\n#[cfg(test)]\nx: Map<u8, fn() -> u8>,\ny: crate::a::A }";
    check(&[uses_b, ("b.rs", fields)], 1, &["src/b.rs:4"]);
    check(&[uses_b, ("b.rs", "#[cfg(test)]\nmod tests;\nuse crate::a::A;")], 1, &["src/b.rs:3"]);
    check(&[uses_b, ("b.rs", "const Q: char = '\"'; use crate::a::A; // \"")], 1, &[]);
}

#[test]
fn long_functions_and_strangers_are_found() {
    let body = "\n    x();".repeat(39);
    for (text, expected) in [
        (format!("fn f() {{{body}\n}}"), 1),
        (format!("// Long: a table.\n#[inline]\nfn f() {{{body}\n}}"), 0),
        (format!("// Long: a table.\n\nfn f() {{{body}\n}}"), 1),
        (format!("fn f() {{{}\n}}", "\n    x();".repeat(38)), 0),
        (format!("trait T {{\n    fn f();\n{}\n}}", body.replace("x();", "")), 0),
        (format!("#[cfg(test)]\nfn f() {{{body}\n}}"), 0),
        (format!("fn f(x: [u8; 4]) -> [u8; 4] {{{body}\n}}"), 1),
        (format!("#[cfg(test)]\nfn f() -> [u8; 4] {{{body}\n}}"), 0),
    ] {
        assert_eq!(long_functions(&Source::parse("a.rs", &text)).len(), expected, "{text}");
    }
    for (name, text, expected) in [
        ("a.rs", "use rusqlite::Connection;", 1),
        ("a.rs", "fn f(x: rusqlite::Error) {}", 1),
        ("a.rs", "use rusqlite as sql;", 1),
        ("store/sqlite/a.rs", "use rusqlite::Connection;", 0),
        ("store/a.rs", "use rusqlite::Connection;", 1),
        ("a.rs", "use crate::rusqlite::A; // rusqlite::B", 0),
        ("a.rs", "use my_rusqlite::A;", 0),
    ] {
        assert_eq!(strangers(&Source::parse(name, text)).len(), expected, "{name} {text}");
    }
    assert!(is_sql("SELECT id FROM users") && is_sql("x; DELETE FROM users"));
    assert!(!is_sql("DELETE") && !is_sql("GET, DELETE") && !is_sql("select one"));
}
