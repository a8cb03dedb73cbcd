//! New names for accounts: the file of `--rename`, a CSV of two columns, the old name and the new one.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::source::csv::{Csv, Next};
use super::source::input::{Broken, Input};
use super::source::rows::problem;
use crate::error::Problem;
use crate::store::source::Cell;
use crate::values::Username;

/// Bytes of the file, at most.
const MAX_FILE: u64 = 10 << 20;
/// A first line that names the columns.
const HEADER: [&str; 2] = ["old", "new"];
const NEXT: &str = "each line has two names between commas: the old one and the new one";

/// New names by old ones.
#[derive(Debug, Default)]
pub(crate) struct Renames {
    by_old: HashMap<String, Rename>,
    /// The old names that are usernames, by the key that all spellings share.
    by_key: HashMap<String, Vec<String>>,
}

#[derive(Debug)]
struct Rename {
    new: String,
    line: u64,
    /// The row that has the old name.
    row: Option<u64>,
    /// Another account that the old name still means, in other case.
    stays: Option<String>,
}

/// A new name of somebody whose old one still means another account.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reached<'a> {
    pub(crate) old: &'a str,
    pub(crate) new: &'a str,
    pub(crate) row: u64,
    /// The other account's name.
    pub(crate) stays: &'a str,
}

impl Renames {
    /// Reads the file: at most 10 MiB; each old name once, no new name empty.
    pub(crate) fn read(path: &Path) -> Result<Renames, Problem> {
        let shown = path.display().to_string();
        let failed = |error: std::io::Error| {
            Problem::usage(format!("cannot read {shown}: {error}"), NEXT).with_source(error)
        };
        Renames::of(&shown, File::open(path).map_err(failed)?)
    }

    fn of(name: &str, reader: impl Read) -> Result<Renames, Problem> {
        let mut text = Vec::new();
        reader
            .take(MAX_FILE + 1)
            .read_to_end(&mut text)
            .map_err(|error| problem(name, None, Broken::Io(error)))?;
        if text.len() as u64 > MAX_FILE {
            return Err(Problem::usage(format!("{name} has more than 10 MiB"), NEXT));
        }
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let mut reader = Csv::new(Input::new(text));
        let mut renames = Renames::default();
        let mut row = 0;
        loop {
            let next = reader.read().map_err(|broken| problem(name, Some(row), broken))?;
            row += 1;
            let added = match next {
                Next::End => return Ok(renames),
                Next::Bad(line, why) => Err((line, why.to_owned())),
                Next::Record(line) | Next::Last(line) => {
                    renames.add(&reader, row, line).map_err(|why| (line, why))
                }
            };
            added.map_err(|(line, why)| {
                Problem::usage(format!("{name}, line {line}: {why}"), NEXT)
            })?;
        }
    }

    fn add<R: Read>(&mut self, reader: &Csv<R>, row: u64, line: u64) -> Result<(), String> {
        if reader.len() != 2 {
            let fields = if reader.len() == 1 { "field" } else { "fields" };
            return Err(format!("{} {fields} instead of 2", reader.len()));
        }
        let (old, new) = match [0, 1].map(|column| Cell::of(reader.field(column))) {
            [Cell::Text(old), Cell::Text(new)] => (old, new),
            [Cell::Unreadable(why), _] => return Err(format!("the old name is {why}")),
            [_, Cell::Unreadable(why)] => return Err(format!("the new name is {why}")),
            [Cell::Null, _] | [_, Cell::Null] => return Err("a name is missing".into()),
        };
        if row == 1 && [old, new] == HEADER {
            return Ok(());
        }
        if new.is_empty() {
            return Err(format!("no new name for {old:?}"));
        }
        if let Ok(name) = Username::parse(old) {
            self.by_key.entry(name.key().to_owned()).or_default().push(old.to_owned());
        }
        let rename = Rename { new: new.to_owned(), line, row: None, stays: None };
        match self.by_old.insert(old.to_owned(), rename) {
            None => Ok(()),
            Some(first) => Err(format!("{old:?} is there twice, first on line {}", first.line)),
        }
    }

    /// The new name, if the old one has one; notes that this row asked for it.
    pub(crate) fn get(&mut self, old: &str, row: u64) -> Option<&str> {
        let rename = self.by_old.get_mut(old)?;
        rename.row = Some(row);
        Some(&rename.new)
    }

    /// The line and the old name of each line that was never asked for, in the order of lines.
    pub(crate) fn unused(&self) -> Vec<(u64, &str)> {
        let unused = self.by_old.iter().filter(|(_, rename)| rename.row.is_none());
        let mut unused: Vec<_> = unused.map(|(old, rename)| (rename.line, old.as_str())).collect();
        unused.sort_unstable();
        unused
    }

    /// Notes an account that comes, and the names that it had.
    pub(crate) fn comes(&mut self, name: &Username, former: &[String]) {
        for old in self.by_key.get(name.key()).into_iter().flatten() {
            if let Some(rename) = self.by_old.get_mut(old).filter(|_| !former.contains(old)) {
                rename.stays = Some(name.as_str().to_owned());
            }
        }
    }

    /// Those whose old name means another account that came, in the order of their rows.
    pub(crate) fn reached(&self) -> Vec<Reached<'_>> {
        // Sorted as in `unused`, by the same code.
        let reached = self.by_old.iter().filter(|(_, rename)| rename.stays.is_some());
        let mut reached: Vec<(u64, &str)> =
            reached.filter_map(|(old, rename)| Some((rename.row?, old.as_str()))).collect();
        reached.sort_unstable();
        let found = reached.into_iter().filter_map(|(row, old)| {
            let rename = self.by_old.get(old)?;
            Some(Reached { old, new: &rename.new, row, stays: rename.stays.as_deref()? })
        });
        found.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &[u8], expected: Result<&[(&str, &str)], &str>) {
        match (Renames::of("names.csv", text), expected) {
            (Ok(mut renames), Ok(expected)) => {
                assert_eq!(renames.by_old.len(), expected.len(), "{renames:?}");
                for (old, new) in expected {
                    assert_eq!(renames.get(old, 1), Some(*new));
                }
                assert_eq!(renames.get("nobody", 1), None);
                assert!(renames.unused().is_empty());
            }
            (Err(problem), Err(expected)) => {
                assert!(problem.what.contains(expected), "{problem} instead of {expected}");
            }
            (found, _) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn files_are_read_or_refused_with_the_line() {
        check(b"", Ok(&[]));
        check(b"old,new\n", Ok(&[]));
        check(b"ada lovelace,ada\n", Ok(&[("ada lovelace", "ada")]));
        check(b"\xef\xbb\xbfold,new\r\na b,ab\r\n\r\nc d,cd", Ok(&[("a b", "ab"), ("c d", "cd")]));
        check(b"\"a,\"\"b\nc\",abc\n", Ok(&[("a,\"b\nc", "abc")]));
        // Only at the top, and only this, is a header.
        check(b"a,b\nold,new\n", Ok(&[("a", "b"), ("old", "new")]));
        check(b"Old,New\n", Ok(&[("Old", "New")]));
        check(b",ghost\n", Ok(&[("", "ghost")]));
        check(b"a,b\na,c\n", Err("names.csv, line 2: \"a\" is there twice, first on line 1"));
        check(b"a,b\n\nc,\n", Err("names.csv, line 3: no new name for \"c\""));
        check(b"a,b,c\n", Err("line 1: 3 fields instead of 2"));
        check(b"a\n", Err("line 1: 1 field instead of 2"));
        check(b"a,b\n\"c\nd\",\xff\n", Err("line 2: the new name is not UTF-8"));
        check(b"a\0,b\n", Err("line 1: the old name is holds a NUL"));
        check(
            b"a,b\n\"c,d\n",
            Err("names.csv ends inside quotes that were opened in row 2 (line 2)"),
        );
        check(b"\"a\\\"b\",c\n", Err("text follows a closing quote in row 1 (line 1)"));
        check(b"a\"b,c\n", Err("line 1: a quote in a field"));
        check(&vec![b'a'; MAX_FILE as usize + 1], Err("more than 10 MiB"));
        check(&vec![b','; 1 << 20], Err("line 1: more than 1,000 fields"));
        check(&vec![b'a'; 1 << 20], Err("line 1: longer than 256 KiB"));
    }

    #[test]
    fn lines_that_match_nothing_are_told() {
        let mut renames = Renames::of("x", &b"a,1\nb,2\nc,3\n"[..]).unwrap();
        assert_eq!(renames.get("b", 1), Some("2"));
        assert_eq!(renames.unused(), [(1, "a"), (3, "c")]);
    }

    #[test]
    fn an_old_name_that_still_means_somebody_is_told() {
        let file = b"Bob,bob2\nEve,eve\na b,ab\nCarl,c\n";
        let mut renames = Renames::of("names.csv", &file[..]).unwrap();
        for (row, old, name) in [
            (1, "Bob", "bob2"),
            (2, "bob", "bob"),
            (3, "Eve", "eve"),
            (4, "a b", "ab"),
            (5, "carl", "carl"),
        ] {
            let former: Vec<String> =
                renames.get(old, row).map(|_| old.to_owned()).into_iter().collect();
            renames.comes(&Username::parse(name).unwrap(), &former);
        }
        // Eve's old name is her own in other case; nobody was called Carl.
        let expected = Reached { old: "Bob", new: "bob2", row: 1, stays: "bob" };
        assert_eq!(renames.reached(), [expected]);
    }
}
