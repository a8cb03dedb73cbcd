//! The password file of libpq (`~/.pgpass`): lines of `host:port:database:user:password`, where `*`
//! matches everything and `\` stands before a `:` or `\`. The first line that matches gives the
//! password.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

/// Bytes of a file; a larger one is ignored.
const MAX_FILE: u64 = 1 << 20;
/// Bytes of a line; a longer one is ignored.
const MAX_LINE: usize = 8 * 1024;

/// The text of the file. `None` if there is no such file, or if it cannot be used; the log says why.
pub(super) fn read(path: &Path) -> Option<Zeroizing<String>> {
    let about = fs::metadata(path).ok()?;
    let ignored = |why: &str| {
        log::warn!("the password file {} is ignored: {why}", path.display());
        None
    };
    if !about.is_file() {
        return ignored("it is not a file");
    }
    if about.permissions().mode() & 0o077 != 0 {
        return ignored("other users may read it; chmod 600 it");
    }
    if about.len() > MAX_FILE {
        return ignored("it is larger than 1 MiB");
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let opened = fs::File::open(path).map(|file| file.take(MAX_FILE));
    match opened.and_then(|mut file| file.read_to_end(&mut bytes)) {
        Ok(_) => match std::str::from_utf8(&bytes) {
            Ok(text) => Some(Zeroizing::new(text.to_owned())),
            Err(_) => ignored("it is not UTF-8"),
        },
        Err(error) => ignored(&error.to_string()),
    }
}

/// What a line is for. For the default folder of Unix sockets, `host` is `localhost`.
pub(super) struct Wanted<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) database: &'a str,
    pub(super) user: &'a str,
}

/// The password of the first line that matches.
pub(super) fn find(text: &str, wanted: &Wanted<'_>) -> Option<Zeroizing<String>> {
    let port = wanted.port.to_string();
    let fields = [wanted.host, &port, wanted.database, wanted.user];
    let usable = text.lines().filter(|line| !line.starts_with('#') && line.len() <= MAX_LINE);
    let mut found = usable.filter_map(|line| password(line, &fields));
    found.next().filter(|password| !password.is_empty())
}

/// The password of a line whose first fields are these.
fn password(line: &str, fields: &[&str]) -> Option<Zeroizing<String>> {
    let mut rest = line;
    for expected in fields {
        let (field, after) = field(rest);
        rest = after?;
        // A `\*` is a star, and only a bare one matches everything.
        if field.raw != "*" && *field.text != **expected {
            return None;
        }
    }
    Some(field(rest).0.text)
}

struct Field<'a> {
    raw: &'a str,
    text: Zeroizing<String>,
}

/// The first field of a line, and what stands behind its `:`.
fn field(line: &str) -> (Field<'_>, Option<&str>) {
    let mut text = Zeroizing::new(String::with_capacity(line.len()));
    let mut letters = line.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            ':' => return (Field { raw: &line[..at], text }, Some(&line[at + 1..])),
            '\\' => text.push(letters.next().map_or('\\', |(_, escaped)| escaped)),
            _ => text.push(letter),
        }
    }
    (Field { raw: line, text }, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_that_matches() {
        let file = "# db.example:5432:app:ada:comment\r\n\
                    \n\
                    too:few:fields\n\
                    db.example:5432:app:ada:first\r\n\
                    db.example:5432:app:ada:second\n\
                    db.example:*:*:bob:a\\:b\\\\c:rest\n\
                    \\::5432:app:ada:colon\n\
                    \\*:5432:app:ada:star\n\
                    localhost:5433:app:ada:socket\n\
                    db.example:1:app:eve:\n\
                    ::1:5432:app:ada:not escaped\n\
                    \\:\\:1:5432:app:ada:six\n\
                    db.ex*:5432:app:cid:no pattern\n\
                    *:*:app:eve:not the first\n\
                    *:*:last:*:any\n";
        for (host, port, database, user, expected) in [
            ("db.example", 5432, "app", "ada", Some("first")),
            ("db.example", 5433, "app", "ada", None),
            ("db.example", 9, "x", "bob", Some("a:b\\c")),
            (":", 5432, "app", "ada", Some("colon")),
            ("*", 5432, "app", "ada", Some("star")),
            ("localhost", 5433, "app", "ada", Some("socket")),
            ("db.example", 1, "app", "eve", None),
            ("::1", 5432, "app", "ada", Some("six")),
            ("db.example", 5432, "app", "cid", None),
            ("elsewhere", 7, "last", "somebody", Some("any")),
            ("too", 5432, "app", "ada", None),
        ] {
            let wanted = Wanted { host, port, database, user };
            let found = find(file, &wanted);
            assert_eq!(found.as_ref().map(|p| p.as_str()), expected, "{host} {port} {user}");
        }
        let wanted = Wanted { host: "h", port: 1, database: "d", user: "u" };
        let line = |length: usize| format!("h:1:d:u:{}", "x".repeat(length - 8));
        assert!(find(&line(MAX_LINE), &wanted).is_some());
        assert!(find(&line(MAX_LINE + 1), &wanted).is_none());
        assert_eq!(find("h:1:d:u:end\\", &wanted).unwrap().as_str(), "end\\");
        assert!(find("", &wanted).is_none() && find("*:*:*:*", &wanted).is_none());
    }

    #[test]
    fn a_file_that_others_may_read_is_ignored() {
        let folder = std::env::temp_dir().join(format!("lictor-passfile-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("pgpass");
        let write = |text: &[u8], mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        };
        assert!(read(&path).is_none());
        for (mode, used) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            write(b"*:*:*:*:x", mode);
            assert_eq!(read(&path).is_some(), used, "{mode:o}");
        }
        write(b"*:*:*:*:\xff", 0o600);
        assert!(read(&path).is_none());
        write(&vec![b'#'; MAX_FILE as usize + 1], 0o600);
        assert!(read(&path).is_none() && read(&folder).is_none());
        fs::remove_dir_all(&folder).unwrap();
    }
}
