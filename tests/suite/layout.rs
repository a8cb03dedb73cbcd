//! The architecture's one rule, read from the `use` lines: imports run one way.

use std::fs;
use std::path::{Path, PathBuf};

/// Module, and what it may import of the crate. The order is the way of a request.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "address", "admin", "app", "assets", "clock", "config", "error", "guard", "keys",
            "link", "mail", "origin", "server", "store",
        ],
    ),
    (
        "admin",
        &[
            "cli", "clock", "config", "error", "guard", "keys", "language", "link", "mail",
            "mailer", "store",
        ],
    ),
    ("server", &["app", "config", "error", "net", "notify", "sweeper"]),
    ("sweeper", &["app", "clock"]),
    ("net", &["address", "clock", "http"]),
    ("http", &["clock"]),
    ("route", &["api", "app", "clock", "error", "guard", "http"]),
    ("api", &["app", "clock", "config", "error", "guard", "http", "language", "store"]),
    (
        "app",
        &[
            "address", "assets", "clock", "config", "error", "guard", "http", "link", "mailer",
            "origin", "route", "store",
        ],
    ),
    ("mailer", &["clock", "error", "guard", "language", "link", "mail", "store"]),
    ("assets", &["config", "error", "http"]),
    ("guard", &["address", "clock", "domain", "error", "http", "keys", "store"]),
    ("store", &["address", "clock", "error", "guard", "language"]),
    ("config", &["address", "error", "guard", "keys", "link", "mail", "net"]),
    ("mail", &["clock", "domain", "error", "language"]),
    ("link", &["error"]),
    ("domain", &[]),
    ("language", &[]),
    ("keys", &["clock", "error"]),
    ("address", &["error"]),
    ("origin", &[]),
    ("notify", &[]),
    ("error", &[]),
    ("clock", &[]),
    // In no build that is used; looks at the inside of what it checks.
    ("fuzzing", &["api", "clock", "error", "guard", "http", "keys"]),
];

/// Outside library, and the only files, or folders, that may name it.
const AT_HOME: &[(&str, &[&str])] = &[
    ("base64", &["guard/token/base64url.rs", "mail/encoding.rs", "mail/transport/smtp.rs"]),
    ("hmac", &["guard/token/key.rs", "guard/device.rs", "guard/second_factor.rs"]),
    ("sha1", &["guard/second_factor.rs", "guard/blocklist_file.rs"]),
    ("sha2", &["guard/token/key.rs", "guard/code.rs", "guard/device.rs"]),
    ("ed25519_compact", &["fuzzing/token.rs"]),
    ("ring", &["guard/token/key.rs", "mail/transport/smtp/tls.rs"]),
    ("webpki", &["mail/transport/smtp/tls.rs"]),
    ("qrcodegen", &["api/qr.rs"]),
    ("rusqlite", &["store/sqlite/"]),
    ("miniz_oxide", &["assets/embedded.rs"]),
    ("loom", &["net/slot/model.rs"]),
    (
        "clap",
        &[
            "cli.rs",
            "cli/key_source.rs",
            "cli/mail_flags.rs",
            "cli/password_flags.rs",
            "cli/policy_flags.rs",
            "admin/",
        ],
    ),
    ("argon2", &["guard/password.rs"]),
    ("jwt_simple", &["guard/token/key.rs", "guard/token/claims.rs", "fuzzing/token.rs"]),
    ("precis_profiles", &["domain.rs", "guard/email.rs", "guard/name.rs"]),
    ("unicode_normalization", &["domain.rs", "guard/email.rs", "guard/password.rs"]),
    ("httparse", &["http/mod.rs", "http/head.rs"]),
    ("httpdate", &["http/response.rs", "mail/message.rs"]),
    ("rustls", &["mail/transport/smtp/tls.rs"]),
    ("rustls_native_certs", &["mail/transport/smtp/tls.rs"]),
    ("signal_hook", &["server.rs"]),
    ("rpassword", &["admin/user.rs"]),
    (
        "rustix",
        &[
            "assets/folder.rs",
            "guard/blocklist_file.rs",
            "net/mod.rs",
            "net/poll.rs",
            "net/keeper.rs",
            "net/lanes.rs",
        ],
    ),
];

/// Whether the library's name is there, not only the end of another.
fn names(line: &str, library: &str) -> bool {
    line.match_indices(&format!("{library}::")).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    })
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn imports_run_one_way() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 25, "{files:?}");
    for file in files {
        let name = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{name} does not say what it owns");
        let module = name.split(['/', '.']).next().unwrap();
        // Tests may look around, in a file of their own as well.
        if module == "lib" || name.ends_with("/tests.rs") {
            continue;
        }
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(known, _)| *known == module)
            .unwrap_or_else(|| panic!("{name} is a new module: where does it stand?"));
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for imported in line.split("crate::").skip(1) {
                let word: String =
                    imported.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                assert!(allowed.contains(&word.as_str()) || word == module, "{name}: {line}");
            }
            for (library, homes) in AT_HOME {
                let named = names(line, library);
                let home = homes
                    .iter()
                    .any(|home| name == *home || home.ends_with('/') && name.starts_with(home));
                assert!(!named || home, "{name}: {line}");
            }
        }
    }
}
