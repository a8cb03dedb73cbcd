//! A file of passwords that nobody may choose, which the operator gives: a list of passwords, or
//! of their SHA-1 hashes as breach corpora are downloaded. Knows nothing of accounts.
//!
//! Hashes are looked up on the disk: such a file has tens of gigabytes. It is searched by halves,
//! which reads a few hundred bytes some thirty times; the hash of a password that follows takes
//! longer. A list of passwords is in no order that helps, and so it is kept in memory.

use std::cmp::Ordering;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::Path;

use rustix::fs::OFlags;
use sha1::{Digest as _, Sha1};
use zeroize::Zeroizing;

use crate::error::{Error, Problem};

/// Bytes of a list of passwords, which is kept in memory.
const MAX_LIST: u64 = 32 * 1024 * 1024;
/// Bytes of a line of hashes with its end: 40 digits, a colon, a count of up to 20 digits.
const MAX_LINE: usize = 64;
/// Hexadecimal digits of a SHA-1 hash.
const DIGITS: usize = 40;
/// Bytes that are read at once where a search ends.
const BLOCK: u64 = 2048;
/// Places in a file of hashes that are looked at when it is opened, to see whether it is sorted.
const PLACES: u64 = 256;

/// Passwords that nobody may choose.
pub struct Blocklist(Kind);

enum Kind {
    List(List),
    Hashes(Hashes),
}

impl Blocklist {
    /// Opens a file, and looks whether it is one of the two kinds.
    pub fn open(path: &Path) -> Result<Blocklist, Problem> {
        let shown = path.display();
        let unreadable = |error: io::Error| {
            Problem::new(
                format!("cannot read the password blocklist {shown}: {error}"),
                "let the user that runs lictor read it, or leave --password-blocklist out",
            )
        };
        let no_file = || {
            Problem::new(
                format!("the password blocklist {shown} is not a file"),
                "give one file; lists of hashes in many files can be joined into one",
            )
        };
        // A look first: opening a device may do something.
        if !fs::metadata(path).map_err(unreadable)?.is_file() {
            return Err(no_file());
        }
        let file = open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(no_file());
        }
        let mut start = [0; MAX_LINE];
        let read = read_at(&file, &mut start, 0).map_err(unreadable)?;
        let first = start[..read].split(|&b| b == b'\n').next().unwrap_or_default();
        match digits(first) {
            DIGITS => {
                let hashes = Hashes { file, length: metadata.len() };
                hashes.check().map_err(unreadable)?.map_err(|at| not_sorted(path, at))?;
                Ok(Blocklist(Kind::Hashes(hashes)))
            }
            // What is left of SHA-1 hashes in files that are named by the rest, and NTLM hashes.
            35 | 32 => Err(Problem::new(
                format!("the password blocklist {shown} has hashes that are not whole SHA-1 ones"),
                "download SHA-1 hashes into one file: lines of 40 hexadecimal digits, sorted",
            )),
            _ if metadata.len() > MAX_LIST => Err(Problem::new(
                format!(
                    "the password blocklist {shown} has {} bytes; a list of passwords can have \
                     {MAX_LIST}",
                    metadata.len()
                ),
                "give SHA-1 hashes instead, one a line in hexadecimal, sorted: a file of them can \
                 have any size",
            )),
            _ => List::read(file).map_err(unreadable)?.map(Kind::List).map(Blocklist).ok_or_else(
                || {
                    Problem::new(
                        format!(
                            "the password blocklist {shown} is neither a text file of passwords nor \
                             one of SHA-1 hashes"
                        ),
                        "give passwords one a line, or sorted SHA-1 hashes in hexadecimal",
                    )
                },
            ),
        }
    }

    /// Whether the file has a password, as it is or in lower case.
    pub(super) fn has(&self, password: &str, lower: &str) -> Result<bool, Error> {
        match &self.0 {
            Kind::List(list) => Ok(list.has(lower)),
            Kind::Hashes(hashes) => hashes
                .has(password)
                .and_then(|found| Ok(found || hashes.has(lower)?))
                .map_err(|error| {
                    Error::Unavailable(format!("the password blocklist cannot be read: {error}"))
                }),
        }
    }

    /// What it is, for people.
    pub fn describe(&self) -> String {
        match &self.0 {
            Kind::List(list) => format!("{} passwords", list.starts.len()),
            Kind::Hashes(hashes) => format!("SHA-1 hashes, {} bytes", hashes.length),
        }
    }
}

impl std::fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Blocklist({})", self.describe())
    }
}

/// Waits for nobody, even if a pipe has come in between.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)
}

fn not_sorted(path: &Path, at: u64) -> Problem {
    Problem::new(
        format!(
            "the password blocklist {} begins with a SHA-1 hash, but at byte {at} it is not a \
             sorted list of hashes",
            path.display()
        ),
        "sort it: LC_ALL=C sort FILE; each line has 40 hexadecimal digits, and may have a colon \
         and a count",
    )
}

/// Hexadecimal digits at the start of a line, if nothing but a count follows; or else 0.
fn digits(line: &[u8]) -> usize {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let digits = line.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    match line[digits..].split_first() {
        None => digits,
        Some((b':', count)) if !count.is_empty() && count.iter().all(u8::is_ascii_digit) => digits,
        Some(_) => 0,
    }
}

/// Reads until the buffer is full or the file ends.
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut read = 0;
    while read < buffer.len() {
        match file.read_at(&mut buffer[read..], at + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(read)
}

/// Passwords in lower case, one after the other, sorted by way of an index.
struct List {
    text: String,
    /// Where each line starts, in the order of the lines.
    starts: Vec<u32>,
}

impl List {
    /// `None` for what is no text, or empty. Lines that are not UTF-8 are nobody's password.
    fn read(file: File) -> io::Result<Option<List>> {
        let mut bytes = Vec::new();
        file.take(MAX_LIST).read_to_end(&mut bytes)?;
        if bytes.contains(&0) {
            return Ok(None);
        }
        let lines = bytes.split(|&b| b == b'\n');
        let lines = lines.filter_map(|line| std::str::from_utf8(line).ok());
        let mut list = List { text: String::new(), starts: Vec::new() };
        for line in lines.map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty()) {
            let Some(password) = super::password::prepare(line) else { continue };
            // Lower case may be longer, but hardly ever is; 4 GiB are far.
            let Ok(start) = u32::try_from(list.text.len()) else { break };
            list.starts.push(start);
            list.text.push_str(&password.to_lowercase());
            list.text.push('\n');
        }
        let List { text, starts } = &mut list;
        starts.sort_unstable_by(|&a, &b| line(text, a).cmp(line(text, b)));
        starts.dedup_by(|a, b| line(text, *a) == line(text, *b));
        Ok((!starts.is_empty()).then_some(list))
    }

    fn has(&self, lower: &str) -> bool {
        self.starts.binary_search_by(|&start| line(&self.text, start).cmp(lower)).is_ok()
    }
}

fn line(text: &str, start: u32) -> &str {
    text[start as usize..].lines().next().unwrap_or_default()
}

/// A file of sorted hashes.
struct Hashes {
    file: File,
    length: u64,
}

/// A line of the file: where it starts, where the next one does, and its hash in upper case.
struct Entry {
    start: u64,
    next: u64,
    hash: [u8; DIGITS],
}

impl Hashes {
    fn has(&self, password: &str) -> io::Result<bool> {
        let mut digest = Zeroizing::new([0; DIGITS]);
        for (pair, byte) in digest.chunks_exact_mut(2).zip(Sha1::digest(password)) {
            for (digit, value) in pair.iter_mut().zip([byte >> 4, byte & 15]) {
                *digit = b"0123456789ABCDEF"[usize::from(value)];
            }
        }
        // The line, if it is there, starts at `low` or behind it, and before `high`.
        let (mut low, mut high) = (0, self.length);
        while high - low > BLOCK {
            let middle = low + (high - low) / 2;
            let entry = self.entry_at(middle)?;
            match digest.as_slice().cmp(&entry.hash) {
                Ordering::Equal => return Ok(true),
                // The middle is inside of the line, so that both sides become smaller.
                Ordering::Less => high = entry.start,
                Ordering::Greater => low = entry.next,
            }
            if low >= high {
                return Ok(false);
            }
        }
        let mut block = vec![0; (high - low) as usize];
        self.file.read_exact_at(&mut block, low)?;
        let mut lines = block.split(|&b| b == b'\n');
        Ok(lines
            .any(|line| line.get(..DIGITS).is_some_and(|hash| hash.eq_ignore_ascii_case(&*digest))))
    }

    /// The line that the byte at this place belongs to.
    fn entry_at(&self, place: u64) -> io::Result<Entry> {
        let broken = || io::Error::new(io::ErrorKind::InvalidData, "a line is no SHA-1 hash");
        let from = place.saturating_sub(MAX_LINE as u64);
        let mut around = [0; 2 * MAX_LINE];
        let read = read_at(&self.file, &mut around, from)?;
        let at = (place - from) as usize;
        let before = around.get(..at).ok_or_else(broken)?;
        let start = match before.iter().rposition(|&b| b == b'\n') {
            Some(end) => end + 1,
            None if from == 0 => 0,
            None => return Err(broken()),
        };
        let line = around[..read].get(start..).ok_or_else(broken)?;
        let length = line.iter().position(|&b| b == b'\n');
        let next = length.map_or(line.len(), |length| length + 1);
        let line = &line[..length.unwrap_or(line.len())];
        if digits(line) != DIGITS {
            return Err(broken());
        }
        let mut hash = [0; DIGITS];
        hash.copy_from_slice(&line[..DIGITS]);
        hash.make_ascii_uppercase();
        let start = from + start as u64;
        Ok(Entry { start, next: from + (start - from) + next as u64, hash })
    }

    /// Looks at lines here and there, none of which may be less than the one before. Says where
    /// one is.
    fn check(&self) -> io::Result<Result<(), u64>> {
        let mut before: Option<Entry> = None;
        for step in 0..PLACES {
            let place = (self.length - 1) / (PLACES - 1) * step;
            let place = if step == PLACES - 1 { self.length - 1 } else { place };
            let entry = match self.entry_at(place) {
                Ok(entry) => entry,
                Err(error) if error.kind() == io::ErrorKind::InvalidData => return Ok(Err(place)),
                Err(error) => return Err(error),
            };
            let sorted = before.is_none_or(|before| match before.start == entry.start {
                true => true,
                false => before.hash <= entry.hash,
            });
            if !sorted {
                return Ok(Err(entry.start));
            }
            before = Some(entry);
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// A file that goes away with the value.
    struct Place(PathBuf);

    impl Place {
        fn with(name: &str, content: impl AsRef<[u8]>) -> Place {
            let file = format!("lictor-blocklist-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(file);
            fs::write(&path, content).unwrap();
            Place(path)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn hash(password: &str) -> String {
        Sha1::digest(password).iter().map(|byte| format!("{byte:02X}")).collect()
    }

    fn has(list: &Blocklist, password: &str) -> bool {
        list.has(password, &password.to_lowercase()).unwrap()
    }

    #[test]
    fn a_pipe_held_up_the_start_for_ever() {
        let place = Place::with("pipe", "");
        fs::remove_file(&place.0).unwrap();
        assert!(Command::new("mkfifo").arg(&place.0).status().unwrap().success());
        let (sender, receiver) = mpsc::channel();
        let path = place.0.clone();
        std::thread::spawn(move || {
            let problems = ["/dev/zero".as_ref(), path.as_path()].map(Blocklist::open);
            // Even if it were not one when it was looked at.
            assert!(!open(&path).unwrap().metadata().unwrap().is_file());
            sender.send(problems.map(|problem| problem.unwrap_err().what))
        });
        for what in receiver.recv_timeout(Duration::from_secs(60)).unwrap() {
            assert!(what.ends_with(" is not a file"), "{what}");
        }
    }

    #[test]
    fn passwords_one_a_line() {
        let text = "Correct Horse\r\nzwölf Gäste\n\n\u{a0}spaced\u{a0}\ncorrect horse\nlast one";
        let place = Place::with("list", [text.as_bytes(), b"\nlatin \xe9\n"].concat());
        let list = Blocklist::open(&place.0).unwrap();
        assert_eq!(list.describe(), "4 passwords");
        for (password, expected) in [
            ("correct horse", true),
            ("CORRECT horse", true),
            ("zwölf gäste", true),
            (" spaced ", true),
            ("last one", true),
            ("last", false),
            ("correct horse\nlast one", false),
            ("", false),
            ("latin é", false),
        ] {
            assert_eq!(has(&list, password), expected, "{password:?}");
        }
        assert!(!format!("{list:?}").contains("horse"));
    }

    /// The file of the hashes of `count` passwords, and these.
    fn corpus(
        name: &str,
        count: usize,
        line: impl Fn(usize, &str) -> String,
    ) -> (Place, Vec<String>) {
        let passwords: Vec<String> = (0..count).map(|i| format!("password {i}")).collect();
        let mut hashes: Vec<String> = passwords.iter().map(|one| hash(one)).collect();
        hashes.sort_unstable();
        let text: String = hashes.iter().enumerate().map(|(i, hash)| line(i, hash)).collect();
        (Place::with(name, text), passwords)
    }

    #[test]
    fn sorted_hashes_of_every_form() {
        type Line = fn(usize, &str) -> String;
        let forms: [(&str, Line); 4] = [
            ("as-downloaded", |i, hash| format!("{hash}:{}\r\n", 7 * i)),
            ("bare", |_, hash| format!("{hash}\n")),
            ("lower", |_, hash| format!("{}:1\n", hash.to_lowercase())),
            ("mixed", |i, hash| {
                format!("{hash}{}\n", if i % 3 == 0 { ":99999999999" } else { "" })
            }),
        ];
        for (name, line) in forms {
            for count in [1, 2, 3, 50, 3_000] {
                let (place, passwords) = corpus(name, count, line);
                let list = Blocklist::open(&place.0).unwrap();
                for password in passwords {
                    assert!(has(&list, &password), "{name}, {count}: {password}");
                    assert!(has(&list, &password.to_uppercase()), "{name}, {count}: {password}");
                }
                for i in 0..500 {
                    assert!(!has(&list, &format!("another {i}")), "{name}, {count}: {i}");
                }
            }
        }
        // Without an end of the last line.
        let place = Place::with("open-end", format!("{}\n{}", "0".repeat(40), hash("last one")));
        assert!(has(&Blocklist::open(&place.0).unwrap(), "last one"));
    }

    #[test]
    fn other_files_are_refused_with_the_next_step() {
        let unsorted: String = (0..300).map(|i| format!("{}\n", hash(&format!("{i}")))).collect();
        let cut = format!("{}\n{}\n", hash("a"), "F".repeat(39));
        let long = format!("{}\n{}\n", "0".repeat(40), "x".repeat(100_000));
        for (name, content, expected) in [
            ("binary", b"passwords\0\x01".to_vec(), "neither"),
            ("empty", Vec::new(), "neither"),
            ("blank", b"\n\r\n".to_vec(), "neither"),
            ("unsorted", unsorted.into_bytes(), "not a sorted list"),
            ("cut", cut.into_bytes(), "not a sorted list"),
            ("long", long.into_bytes(), "not a sorted list"),
            ("ntlm", b"0CB6948805F797BF2A82807973B89537:5\n".to_vec(), "not whole SHA-1"),
            ("part", b"0018A45C4D1DEF81644B54AB7F969B88D65:5\r\n".to_vec(), "not whole SHA-1"),
            ("large", vec![b'x'; MAX_LIST as usize + 1], "can have 33554432"),
        ] {
            let place = Place::with(name, content);
            let problem = Blocklist::open(&place.0).unwrap_err();
            assert!(problem.what.contains(expected), "{name}: {problem}");
            assert!(!problem.next.is_empty());
        }
        let absent = Blocklist::open(Path::new("/nonexistent/list")).unwrap_err();
        assert!(absent.what.contains("cannot read"), "{absent}");
        let folder = Blocklist::open(Path::new("/tmp")).unwrap_err();
        assert!(folder.what.contains("is not a file"), "{folder}");
    }

    #[test]
    fn a_file_that_is_cut_while_it_is_used_is_no_answer() {
        let (place, passwords) = corpus("truncated", 500, |_, hash| format!("{hash}\n"));
        let list = Blocklist::open(&place.0).unwrap();
        fs::write(&place.0, "short").unwrap();
        let answer = list.has(&passwords[0], &passwords[0]);
        assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
    }
}
