//! `--env-file PATH`, or LICTOR_ENV_FILE: runs the program again with the variables of a file, in the
//! format of systemd's `EnvironmentFile=`. So every part of the program sees them as it does in the
//! service.
//!
//! As with systemd, a variable of the file replaces one of the environment. Where systemd ignores a
//! line that it cannot use, this refuses the file. No message shows a value.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::FileTypeExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use zeroize::Zeroizing;

use crate::error::Problem;

const FLAG: &str = "--env-file";
/// The variable that names the file.
pub(super) const VARIABLE: &str = "LICTOR_ENV_FILE";
/// The variable that names the file for reloads. The unit sets it: systemd has read the file already.
pub(super) const RELOAD_VARIABLE: &str = "LICTOR_RELOAD_FILE";

/// The most bytes of a file.
const MAX_BYTES: usize = 64 * 1024;
/// The most bytes of a variable's name.
const MAX_NAME: usize = 256;

/// Variables with their values, which may be secrets, in the order of the file.
pub(super) type Entries = Vec<(String, Zeroizing<String>)>;

/// Returns the arguments if they and LICTOR_ENV_FILE name no file. Otherwise runs the program again
/// without the flag and with the variables of the file, and returns only if that fails.
pub(super) fn apply(mut args: Vec<OsString>) -> Result<Vec<OsString>, Problem> {
    let mut path = std::env::var_os(VARIABLE).filter(|path| !path.is_empty());
    let mut entries = Entries::new();
    while let Some(named) = take(&mut args) {
        entries.extend(read(Path::new(&named))?);
        path = Some(named);
    }
    let Some(path) = path else { return Ok(args) };
    if entries.is_empty() {
        entries = read(Path::new(&path))?;
    }
    // By its path, so that the process keeps its name; that may be of another program meanwhile.
    let program = std::env::current_exe().ok().filter(|path| path.is_file());
    let mut again = Command::new(program.unwrap_or_else(|| "/proc/self/exe".into()));
    if let Some(name) = args.first() {
        again.arg0(name);
    }
    again.args(args.iter().skip(1));
    again.envs(entries.iter().map(|(name, value)| (name, value.as_str())));
    // The file cannot name another one.
    again.env_remove(VARIABLE);
    let error = match std::path::absolute(path) {
        Ok(path) => again.env(RELOAD_VARIABLE, path).exec(),
        Err(error) => error,
    };
    Err(Problem::new(
        format!("cannot run again with the variables of {FLAG}: {error}"),
        "mount /proc, or set the variables yourself",
    )
    .with_source(error))
}

/// The path of the file that a reload reads again, if there is one.
pub(super) fn path() -> Option<PathBuf> {
    std::env::var_os(RELOAD_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// Takes the first flag with its path out of the arguments. A flag without a path stays, for the
/// message that it needs one.
fn take(args: &mut Vec<OsString>) -> Option<OsString> {
    let end = args.iter().position(|arg| arg == "--").unwrap_or(args.len());
    for at in 1..end {
        if args[at] == FLAG && at + 1 < end {
            args.remove(at);
            return Some(args.remove(at));
        }
        let value = args[at].as_bytes().strip_prefix(FLAG.as_bytes());
        if let Some(path) = value.and_then(|value| value.strip_prefix(b"=")) {
            let path = OsString::from_vec(path.to_vec());
            args.remove(at);
            return Some(path);
        }
    }
    None
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Entries, Problem> {
    let shown = path.display();
    // With room for all of it from the start: growing would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES + 64));
    let found = fs::metadata(path).map_err(|error| cannot_read(path, error))?;
    if found.file_type().is_fifo() {
        return Err(Problem::usage(
            format!("{FLAG}: {shown} is a pipe, which cannot be read again"),
            "give the path of a file: it is read at each start and each reload",
        ));
    }
    let read =
        File::open(path).and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| cannot_read(path, error))?;
    if bytes.len() > MAX_BYTES {
        return Err(Problem::usage(
            format!("{FLAG}: {shown} is larger than {} KiB", MAX_BYTES / 1024),
            "give the path of a file with lines like LICTOR_LISTEN=127.0.0.1:5000",
        ));
    }
    parse(&bytes).map_err(|Wrong { line, why }| {
        Problem::usage(
            format!("{FLAG}: {shown}, line {line}: {why}"),
            "write a variable a line, like LICTOR_LISTEN=127.0.0.1:5000; a comment begins with #",
        )
    })
}

fn cannot_read(path: &Path, error: io::Error) -> Problem {
    let next = match error.kind() {
        ErrorKind::NotFound => "check the path; the service's file is /etc/lictor.env",
        ErrorKind::PermissionDenied => {
            "run the command as a user who may read it, such as with sudo"
        }
        _ => "give the path of a file with lines like LICTOR_LISTEN=127.0.0.1:5000",
    };
    Problem::usage(format!("{FLAG}: cannot read {}: {error}", path.display()), next)
        .with_source(error)
}

/// A line that is refused, and why.
#[derive(Debug, PartialEq)]
struct Wrong {
    line: usize,
    why: &'static str,
}

/// Reads the text of a file as systemd does: quotes of both kinds, a backslash before the end of a line,
/// spaces at both ends of an unquoted value that do not count.
fn parse(bytes: &[u8]) -> Result<Entries, Wrong> {
    let text = std::str::from_utf8(bytes).map_err(|error| Wrong {
        line: 1 + bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count(),
        why: "it is not UTF-8",
    })?;
    let mut reader = Reader { rest: text.chars(), line: 1 };
    let mut entries = Entries::new();
    while let Some(entry) = reader.entry()? {
        entries.push(entry);
    }
    Ok(entries)
}

struct Reader<'a> {
    rest: std::str::Chars<'a>,
    /// The number of the line that is read.
    line: usize,
}

impl Reader<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.next();
        self.line += usize::from(c == Some('\n'));
        c
    }

    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    /// The next variable; `None` at the end of the text.
    fn entry(&mut self) -> Result<Option<(String, Zeroizing<String>)>, Wrong> {
        loop {
            match self.peek() {
                None => return Ok(None),
                Some(c) if c.is_ascii_whitespace() => drop(self.next()),
                Some('#' | ';') => while !matches!(self.next(), None | Some('\n')) {},
                Some(_) => break,
            }
        }
        let line = self.line;
        let wrong = |why| Err(Wrong { line, why });
        let rest = self.rest.as_str();
        let head = rest.split('\n').next().unwrap_or_default();
        let Some((name, _)) = head.split_once('=') else {
            return wrong("there is no = in it");
        };
        self.rest = rest[name.len() + 1..].chars();
        let name = name.trim_end();
        if !is_name(name) {
            return wrong("what stands before the = is no name of a variable");
        }
        match self.value() {
            Some(value) if value.contains('\0') => wrong("the value has a NUL character"),
            Some(value) => Ok(Some((name.to_owned(), value))),
            None => wrong("the quotation mark is not closed"),
        }
    }

    /// The value up to the end of its line; `None` if a quotation mark is not closed.
    fn value(&mut self) -> Option<Zeroizing<String>> {
        let mut value = Zeroizing::new(String::new());
        // Where an unquoted value ends without the spaces behind it.
        let mut end = 0;
        let mut quotes = true;
        while let Some(c) = self.next().filter(|c| *c != '\n') {
            match c {
                '\'' | '"' if quotes => {
                    self.quoted(c, &mut value)?;
                    end = value.len();
                }
                '\\' => {
                    // A line that goes on; any other character stands for itself.
                    value.extend(self.next().filter(|c| *c != '\n'));
                    (quotes, end) = (false, value.len());
                }
                c if c.is_ascii_whitespace() && quotes => {}
                c => {
                    value.push(c);
                    quotes = false;
                    if !c.is_ascii_whitespace() {
                        end = value.len();
                    }
                }
            }
        }
        value.truncate(end);
        Some(value)
    }

    /// Adds what stands in quotation marks of this kind.
    fn quoted(&mut self, mark: char, value: &mut String) -> Option<()> {
        loop {
            match self.next()? {
                c if c == mark => return Some(()),
                '\\' if mark == '"' => match self.next()? {
                    '\n' => {}
                    c @ ('"' | '\\' | '`' | '$') => value.push(c),
                    c => value.extend(['\\', c]),
                },
                c => value.push(c),
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphabetic() || b == b'_';
    let mut bytes = name.bytes();
    name.len() <= MAX_NAME
        && bytes.next().is_some_and(letter)
        && bytes.all(|b| letter(b) || b.is_ascii_digit())
}

/// The last value of a variable.
pub(super) fn value<'a>(entries: &'a Entries, name: &str) -> Option<&'a OsStr> {
    let found = entries.iter().rev().find(|(one, _)| one == name);
    found.map(|(_, value)| OsStr::new(value.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_systemd_reads_it() {
        for (text, expected) in [
            ("", &[][..]),
            ("A=b", &[("A", "b")]),
            ("A=b\nC=d\n", &[("A", "b"), ("C", "d")]),
            ("# A=b\n; C=d\n\n  \nE=f\r\n", &[("E", "f")]),
            ("# ends with a backslash \\\nA=b", &[("A", "b")]),
            ("  A = b c \t\n", &[("A", "b c")]),
            ("A=\nB=", &[("A", ""), ("B", "")]),
            ("A=b=c#d", &[("A", "b=c#d")]),
            ("A='b  \n\"c\\' \nB=1", &[("A", "b  \n\"c\\"), ("B", "1")]),
            (r#"A="b \"c\" \\ \$x \` \n""#, &[("A", r#"b "c" \ $x ` \n"#)]),
            ("A=\"b\\\nc\"", &[("A", "bc")]),
            ("A='b'\"c\" 'd'", &[("A", "bcd")]),
            ("A=it's", &[("A", "it's")]),
            ("A=b\\\nc\nD=e", &[("A", "bc"), ("D", "e")]),
            (r"A=\ b\ ", &[("A", " b ")]),
            ("A=é", &[("A", "é")]),
            ("A=1\nA=2", &[("A", "1"), ("A", "2")]),
        ] {
            let found = parse(text.as_bytes()).unwrap();
            let found: Vec<_> = found.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
            assert_eq!(found, expected, "{text:?}");
        }
        let entries = parse(b"A=1\nA=2").unwrap();
        assert_eq!(value(&entries, "A"), Some(OsStr::new("2")));
        assert_eq!(value(&entries, "B"), None);
    }

    #[test]
    fn a_line_that_systemd_would_ignore_is_refused_by_its_number() {
        for (text, line, why) in [
            (&b"A=b\nsecret\n"[..], 2, "no ="),
            (b"\n\nexport A=secret", 3, "name"),
            (b"1A=secret", 1, "name"),
            (b"=secret", 1, "name"),
            (b"A=\"x\ny\"\n-B=secret", 3, "name"),
            (b"A='secret\nB=c\n", 1, "not closed"),
            (b"A=b\nB=\"secret\\", 2, "not closed"),
            (b"A=b\nB=\xffsecret", 2, "UTF-8"),
            (b"A=secret\0", 1, "NUL"),
        ] {
            let found = parse(text).unwrap_err();
            assert!(found.line == line && found.why.contains(why), "{text:?}: {found:?}");
            assert!(!found.why.contains("secret"));
        }
        let long = format!("{}=b", "A".repeat(MAX_NAME + 1));
        assert_eq!(parse(long.as_bytes()).unwrap_err().line, 1);
        assert!(parse(&long.as_bytes()[1..]).is_ok());
    }

    #[test]
    fn the_flag_is_taken_with_its_path_from_any_place() {
        for (typed, path, rest) in [
            ("lictor --env-file a user list", Some("a"), "lictor user list"),
            ("lictor user list --env-file a", Some("a"), "lictor user list"),
            ("lictor user --env-file=a list", Some("a"), "lictor user list"),
            ("lictor user --env-file= list", Some(""), "lictor user list"),
            ("lictor user list", None, "lictor user list"),
            ("lictor user list --env-file", None, "lictor user list --env-file"),
            ("lictor user show -- --env-file a", None, "lictor user show -- --env-file a"),
            ("lictor --env-files a", None, "lictor --env-files a"),
        ] {
            let mut args: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            assert_eq!(take(&mut args), path.map(OsString::from), "{typed}");
            assert_eq!(args.join(OsStr::new(" ")), rest, "{typed}");
        }
    }
}
