//! The database of the systemd service, for a command that found none where it was started.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::env_file;
use super::usage::without_urls;

/// The file with the service's variables, which the unit names.
const SETTINGS: &str = "/etc/lictor.env";
/// The unit's state directory, in which the service runs.
const DIRECTORY: &str = "/var/lib/lictor";
/// The file of the service if its variables name none.
const DATABASE: &str = "lictor.db";

/// This command line with the service's database, if there seems to be one below `root`.
pub(super) fn instead(root: &Path) -> Option<String> {
    let (flags, sudo) = flags(root)?;
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let typed: Vec<String> = args.iter().map(|arg| quoted(&arg.to_string_lossy())).collect();
    let typed = without_urls(&typed.join(" "), &args);
    let sudo = if sudo { "sudo " } else { "" };
    Some(format!("{sudo}lictor {typed} {flags}"))
}

/// The flags that name the service's database, and whether it takes more rights to reach it.
fn flags(root: &Path) -> Option<(String, bool)> {
    let below = |path: &str| root.join(path.trim_start_matches('/'));
    let settings = below(SETTINGS);
    let has_settings = fs::symlink_metadata(&settings).is_ok();
    let with_settings = format!("--env-file {SETTINGS}");
    // If the file is unreadable, assume that it names the database, as the installed one does.
    let Ok(entries) = (if has_settings { env_file::read(&settings) } else { Ok(Vec::new()) })
    else {
        return Some((with_settings, true));
    };
    let named = env_file::value(&entries, "LICTOR_DATABASE").and_then(|named| named.to_str());
    let file = match named.filter(|named| !named.is_empty()) {
        Some(url) if url.contains("://") => return Some((with_settings, false)),
        Some(path) if path.starts_with('/') => PathBuf::from(path),
        path => Path::new(DIRECTORY).join(path.unwrap_or(DATABASE)),
    };
    let shown = file.display().to_string();
    let sudo = match fs::metadata(below(&shown)) {
        Ok(_) => false,
        // The state directory of a service with a user of its own is closed to others.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => true,
        Err(_) => return None,
    };
    let database = format!("--database {}", quoted(&shown));
    Some(match (has_settings, named.is_some_and(|named| named.starts_with('/'))) {
        (true, true) => (with_settings, sudo),
        (true, false) => (format!("{database} {with_settings}"), sudo),
        (false, _) => (database, sudo),
    })
}

/// An argument as a shell reads it.
pub(super) fn quoted(arg: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_=./:,@%+".contains(&b);
    match !arg.is_empty() && arg.bytes().all(plain) {
        true => arg.to_owned(),
        false => format!("'{}'", arg.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_database_of_the_service_is_found() {
        let root = std::env::temp_dir().join(format!("lictor-service-{}", std::process::id()));
        for folder in ["etc", "var/lib/lictor", "srv"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        const STATE: &str = "--database /var/lib/lictor/lictor.db";
        const SET: &str = "--env-file /etc/lictor.env";
        for (settings, file, expected) in [
            (None, None, None),
            (None, Some("var/lib/lictor/lictor.db"), Some(STATE.to_owned())),
            (Some(""), None, None),
            (Some(""), Some("var/lib/lictor/lictor.db"), Some(format!("{STATE} {SET}"))),
            (Some("LICTOR_DATABASE=/srv/a.db"), None, None),
            (Some("LICTOR_DATABASE=/srv/a.db"), Some("srv/a.db"), Some(SET.to_owned())),
            (Some("LICTOR_DATABASE=postgres://a:secret@h/b"), None, Some(SET.to_owned())),
            (
                Some("LICTOR_DATABASE=a.db"),
                Some("var/lib/lictor/a.db"),
                Some(format!("--database /var/lib/lictor/a.db {SET}")),
            ),
        ] {
            let _ = fs::remove_file(root.join("etc/lictor.env"));
            if let Some(settings) = settings {
                fs::write(root.join("etc/lictor.env"), settings).unwrap();
            }
            if let Some(file) = file {
                fs::write(root.join(file), "").unwrap();
            }
            let found = flags(&root);
            assert_eq!(found, expected.map(|flags| (flags, false)), "{settings:?} {file:?}");
            if let Some(file) = file {
                fs::remove_file(root.join(file)).unwrap();
            }
        }
        // A file that cannot be read.
        fs::remove_file(root.join("etc/lictor.env")).unwrap();
        fs::create_dir(root.join("etc/lictor.env")).unwrap();
        assert_eq!(flags(&root), Some((SET.to_owned(), true)));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn arguments_are_quoted_for_a_shell() {
        for (arg, expected) in [
            ("a@b.c", "a@b.c"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("$x", "'$x'"),
        ] {
            assert_eq!(quoted(arg), expected);
        }
    }
}
