//! What the readers of other programs' tables have in common: cells, limits, and names as identifiers.

#[cfg(any(test, feature = "cli"))]
use crate::error::Problem;

/// Bytes of a value, at most.
pub(crate) const MAX_FIELD: usize = 64 << 10;
/// What is said of a longer one.
pub(crate) const TOO_LONG: &str = "longer than 64 KiB";
/// Tables of a list, at most, and columns of each.
pub(crate) const MAX_SHOWN: usize = 1_000;
/// Columns of all tables of a list together, at most.
pub(crate) const MAX_SHOWN_COLUMNS: usize = 20_000;
/// Columns of a table that are read, at most.
pub(crate) const MAX_READ: usize = 16;
/// Bytes of the name of a table or a column.
pub(crate) const MAX_NAME: usize = 256;

/// A table, and columns of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    /// Its name; the schema before a dot, if it needs one.
    pub name: String,
    /// The columns.
    pub columns: Vec<String>,
}

/// The value of a column, as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'a> {
    /// NULL, or a field that is missing.
    Null,
    /// Text, without NUL and of at most [`MAX_FIELD`] bytes.
    Text(&'a str),
    /// Something that cannot be read as text; says why.
    Unreadable(&'static str),
}

impl<'a> Cell<'a> {
    /// Reads the bytes of a text.
    pub(crate) fn of(bytes: &'a [u8]) -> Cell<'a> {
        if bytes.len() > MAX_FIELD {
            return Cell::Unreadable(TOO_LONG);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Cell::Text(text),
            Ok(_) => Cell::Unreadable("holds a NUL"),
            Err(_) => Cell::Unreadable("not UTF-8"),
        }
    }
}

/// The highest number that a database has given out for a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Counter {
    /// It does not count.
    Absent,
    /// It counts, but this user may not read how far.
    Hidden,
    /// The number; 0 if none was given out yet.
    At(i64),
}

/// Takes a row: its number from 1, and its cells. A problem ends the reading.
#[cfg(any(test, feature = "cli"))]
pub(crate) type OnRow<'a> = &'a mut dyn FnMut(u64, &[Cell<'_>]) -> Result<(), Problem>;

/// An identifier of SQL, whatever the name is.
#[cfg(any(test, feature = "cli"))]
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The name among `names` that is this one, or is this one in other case and the only one.
#[cfg(any(test, feature = "cli"))]
pub(super) fn pick<'a>(names: &[&'a str], name: &str) -> Option<&'a str> {
    if let Some(found) = names.iter().find(|found| **found == name) {
        return Some(found);
    }
    let folded = name.to_lowercase();
    let mut others = names.iter().filter(|other| other.to_lowercase() == folded);
    others.next().copied().filter(|_| others.next().is_none())
}

/// A column that was asked for is not in the table.
#[cfg(any(test, feature = "cli"))]
pub(super) fn no_column(table: &Table, column: &str) -> Problem {
    Problem::usage(
        format!("the table {} has no column {column}", table.name),
        format!("it has {}", shown(&table.columns)),
    )
}

/// A table that was there before is gone.
#[cfg(any(test, feature = "cli"))]
pub(super) fn no_table(table: &Table) -> Problem {
    Problem::new(format!("there is no table {}", table.name), "give its name with --table")
}

/// Names for a message, not all of very many.
#[cfg(any(test, feature = "cli"))]
fn shown(names: &[String]) -> String {
    const SHOWN: usize = 50;
    let mut text = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} others", names.len() - SHOWN));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_text_or_say_why_not() {
        let long = vec![b'x'; MAX_FIELD + 1];
        for (bytes, expected) in [
            (&b""[..], Cell::Text("")),
            (b"ada", Cell::Text("ada")),
            ("\u{e9}".as_bytes(), Cell::Text("\u{e9}")),
            (b"a\0b", Cell::Unreadable("holds a NUL")),
            (b"\xe9", Cell::Unreadable("not UTF-8")),
            (b"\xed\xa0\x80", Cell::Unreadable("not UTF-8")),
            (&long, Cell::Unreadable(TOO_LONG)),
        ] {
            assert_eq!(Cell::of(bytes), expected, "{bytes:?}");
        }
        assert!(matches!(Cell::of(&long[1..]), Cell::Text(_)));
    }

    #[test]
    fn names_are_identifiers() {
        assert_eq!(quoted("users"), "\"users\"");
        assert_eq!(quoted("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
        let names = ["users", "Users", "Account", "ACCOUNT2"];
        for (name, expected) in [
            ("users", Some("users")),
            ("Users", Some("Users")),
            ("USERS", None),
            ("account", Some("Account")),
            ("account2", Some("ACCOUNT2")),
            ("none", None),
        ] {
            assert_eq!(pick(&names, name), expected, "{name}");
        }
    }

    #[test]
    fn many_names_are_cut() {
        let names: Vec<String> = (0..1_600).map(|number| format!("c{number}")).collect();
        assert!(shown(&names).ends_with("c49 and 1550 others"));
        assert_eq!(shown(&names[..2]), "c0, c1");
    }
}
