//! The versions of the schema, and how the version of a file is recognised.
//!
//! A file's statements, comments included, must have the checksum of its version. So neither `schema.sql`
//! nor a file in `versions/` changes after a release; a change is a new version.

use std::fmt::Write as _;

use rusqlite::Connection;
use sha2::{Digest as _, Sha256};

/// What a file of this version is made of.
pub(super) use crate::store::schemas::sqlite as schema;
/// The number at the top of `schema.sql`.
pub(super) const VERSION: i64 = 8;
/// The SHA-256 of the statements of each version, from the first on: in the program, the texts would take
/// 29 kB.
const PINNED: [&str; VERSION as usize] = [
    "18215872cc444b13b6c69aa1c53bd6939ab1826258c03d480f9c6812a2530541",
    "29e9d0322fea26e10c02c9f9cf35f083bac187cfc3f7abef11628b3de2e23fbf",
    "b468bd77eadd107a96f85844b6688a9f22c2c838f3e2a2eee8755eed062a467b",
    "38b8a9d3cfdc6af5f96336146d289e1ff695994dc6f8249b475adb3b659b6e3d",
    "4c98108a35efcbd2b725ad3d5f543b0677910d4f6692ee49066127978cf20732",
    "2a6a3419d237350db5d98f199a42909b2fe065b96a1044764fbfd4660c458d04",
    "46ce8419279ad4b2e277a7e1d9d62b62e3013a59ba9f84374045b9bcce0246f3",
    "67c6bba7ecdab356b0ca0fe418ec9e6c0efd71ef7053437c003e6af51237eef5",
];
/// "LICT", big-endian.
pub(super) const APPLICATION_ID: i64 = 0x4C49_4354;

/// A number that SQLite keeps in the head of the file.
pub(super) fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0))
}

/// The tables or the indices, apart from those that SQLite keeps for itself.
pub(super) fn names(connection: &Connection, what: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = ?1 AND name NOT GLOB 'sqlite_*'")?
        .query_map([what], |row| row.get(0))?
        .collect()
}

/// Whether the tables and indices are exactly those of the version, apart from those that SQLite
/// keeps for itself.
pub(super) fn is_of_version(connection: &Connection, version: i64) -> rusqlite::Result<bool> {
    let statements = statements(connection)?;
    let pinned = usize::try_from(version - 1).ok().and_then(|index| PINNED.get(index));
    Ok(pinned.is_some_and(|pinned| checksum(&statements) == *pinned))
}

/// The SHA-256 of the statements, in hexadecimal digits.
fn checksum(statements: &[String]) -> String {
    Sha256::digest(statements.join(";\n")).iter().fold(String::new(), |mut digits, byte| {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

fn statements(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' ORDER BY type, name",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// The schemas of the versions before, from the first on, to make files of them in tests.
#[cfg(test)]
pub(super) const OLDER: [&str; VERSION as usize - 1] = [
    include_str!("versions/1.sql"),
    include_str!("versions/2.sql"),
    include_str!("versions/3.sql"),
    include_str!("versions/4.sql"),
    include_str!("versions/5.sql"),
    include_str!("versions/6.sql"),
    include_str!("versions/7.sql"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_version_of_the_schema_changes() {
        for (version, (schema, pinned)) in (1..).zip(OLDER.iter().chain([&schema()]).zip(PINNED)) {
            let model = Connection::open_in_memory().unwrap();
            model.execute_batch(schema).unwrap();
            let found = checksum(&statements(&model).unwrap());
            assert_eq!(
                found, pinned,
                "the statements of version {version} have changed. Every database of this version \
                 would be refused as damaged, even if only a comment differs. Undo the change, or \
                 make a new version: ARCHITECTURE.md, \"a table or column\""
            );
        }
    }

    #[test]
    fn each_schema_says_its_version() {
        for (version, schema) in (1..).zip(OLDER.iter().chain([&schema()])) {
            let first = schema.lines().next().unwrap();
            assert!(first.ends_with(&format!("version {version}.")), "{version}: {first}");
        }
    }
}
