//! The schema of a file: its versions, and how one recognises it.

use rusqlite::Connection;

/// What a file of this version is made of.
pub(super) const SCHEMA: &str = include_str!("../../../schema.sql");
/// The schemas of the versions before, from the first on.
pub(super) const OLDER: [&str; VERSION as usize - 1] = [
    include_str!("versions/1.sql"),
    include_str!("versions/2.sql"),
    include_str!("versions/3.sql"),
];
/// The number at the top of `schema.sql`.
pub(super) const VERSION: i64 = 4;
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
    let older = usize::try_from(version - 1).ok().and_then(|index| OLDER.get(index));
    let model = Connection::open_in_memory()?;
    model.execute_batch(older.unwrap_or(&SCHEMA))?;
    Ok(statements(connection)? == statements(&model)?)
}

fn statements(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT sql FROM sqlite_schema WHERE name NOT GLOB 'sqlite_*' ORDER BY type, name",
        )?
        .query_map([], |row| row.get(0))?
        .collect()
}
