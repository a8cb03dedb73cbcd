//! The database of the reference servers: its schema, opening it, and its two
//! queries. sessions.rs has the writes of a login.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Result};

use crate::password;

const SCHEMA: &str = "
CREATE TABLE users (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    username TEXT NOT NULL UNIQUE,
    password TEXT NOT NULL,
    active   INTEGER NOT NULL DEFAULT 1,
    roles    TEXT NOT NULL DEFAULT ''
) STRICT;

CREATE TABLE sessions (
    jti     TEXT PRIMARY KEY,
    user    INTEGER NOT NULL REFERENCES users (id),
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ended   INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user);

CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    event   TEXT NOT NULL,
    user    INTEGER,
    name    TEXT,
    address TEXT
) STRICT;
CREATE INDEX audit_by_time ON audit (at);";

/// The query of every protected request.
pub const STANDING: &str = "SELECT u.id, u.username, u.active, s.ended IS NOT NULL
    FROM sessions s JOIN users u ON u.id = s.user WHERE s.jti = ?1";
const USER_BY_NAME: &str =
    "SELECT id, username, password, active, roles FROM users WHERE username = ?1";

/// The data that a login needs.
pub struct Account {
    pub id: i64,
    pub name: String,
    pub password: String,
    pub active: bool,
    pub roles: String,
}

/// Creates the file and the users in `BENCH_USERS`, joined by commas, each with
/// `BENCH_PASSWORD`; no users if the variables are not set.
pub fn create(path: &Path) -> Result<()> {
    let connection = open_to_write(path)?;
    if !connection.table_exists(None, "users")? {
        connection.execute_batch(SCHEMA)?;
    }
    if let (Ok(users), Ok(secret)) = (std::env::var("BENCH_USERS"), std::env::var("BENCH_PASSWORD"))
    {
        for user in users.split(',') {
            add(&connection, user, &secret)?;
        }
    }
    Ok(())
}

fn add(connection: &Connection, user: &str, secret: &str) -> Result<()> {
    if account(connection, user)?.is_none() {
        connection.execute(
            "INSERT INTO users (username, password) VALUES (?1, ?2)",
            [user, &password::hash(secret)],
        )?;
    }
    Ok(())
}

/// Opens a connection for reading, for one thread at a time.
pub fn open(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    // SQLite as rusqlite builds it (STAT4) would plan the query of a token check again each time, which
    // takes 10 µs. All servers here avoid that; otherwise the comparison would measure it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Opens a connection whose commits return when they are on the disk.
pub fn open_to_write(path: &Path) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "full")?;
    Ok(connection)
}

pub fn account(connection: &Connection, username: &str) -> Result<Option<Account>> {
    connection
        .prepare_cached(USER_BY_NAME)?
        .query_row([username], |row| {
            Ok(Account {
                id: row.get(0)?,
                name: row.get(1)?,
                password: row.get(2)?,
                active: row.get(3)?,
                roles: row.get(4)?,
            })
        })
        .optional()
}

/// The name of the user with this id, if the user is active and the session is
/// the user's and has not ended.
pub fn allowed_name(connection: &Connection, jti: &str, id: i64) -> Result<Option<String>> {
    connection
        .prepare_cached(STANDING)?
        .query_row([jti], |row| {
            let (user, active, ended): (i64, bool, bool) = (row.get(0)?, row.get(2)?, row.get(3)?);
            let allowed = user == id && active && !ended;
            if allowed { row.get(1).map(Some) } else { Ok(None) }
        })
        .optional()
        .map(Option::flatten)
}
