//! The reference servers' database: the schema, how it is opened, and the only
//! two questions that are asked of it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Result};

use crate::password;

const SCHEMA: &str = "
CREATE TABLE users (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    active   INTEGER NOT NULL DEFAULT 1,
    roles    TEXT NOT NULL DEFAULT ''
) STRICT;";

/// Asked for every protected request.
pub const USER_BY_ID: &str = "SELECT username, active FROM users WHERE id = ?1";
const USER_BY_NAME: &str = "SELECT id, password, active, roles FROM users WHERE username = ?1";

/// What a login has to know.
pub struct Account {
    pub id: i64,
    pub password: String,
    pub active: bool,
    pub roles: String,
}

/// Makes the file and, if `BENCH_USER` and `BENCH_PASSWORD` are set, the user.
pub fn create(path: &Path) -> Result<()> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    if !connection.table_exists(None, "users")? {
        connection.execute_batch(SCHEMA)?;
    }
    let user = std::env::var("BENCH_USER");
    let secret = std::env::var("BENCH_PASSWORD");
    if let (Ok(user), Ok(secret)) = (user, secret)
        && account(&connection, &user)?.is_none()
    {
        connection.execute(
            "INSERT INTO users (username, password) VALUES (?1, ?2)",
            [user, password::hash(&secret)],
        )?;
    }
    Ok(())
}

/// A connection for reading, to be used by one thread at a time.
pub fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

pub fn account(connection: &Connection, username: &str) -> Result<Option<Account>> {
    connection
        .prepare_cached(USER_BY_NAME)?
        .query_row([username], |row| {
            Ok(Account {
                id: row.get(0)?,
                password: row.get(1)?,
                active: row.get(2)?,
                roles: row.get(3)?,
            })
        })
        .optional()
}

/// The name of the user with this id, if there is one and it is active.
pub fn active_name(connection: &Connection, id: i64) -> Result<Option<String>> {
    let row = connection
        .prepare_cached(USER_BY_ID)?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(row.and_then(|(name, active): (String, bool)| active.then_some(name)))
}
