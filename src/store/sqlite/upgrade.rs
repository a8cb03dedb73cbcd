//! Brings a file of an older version to the current schema, in one transaction: the old tables
//! step aside, the new ones are made exactly as `schema.sql` says, and the rows move over. A column
//! that is new has a default. If the tables are the same and only indices are new, no row moves.

use rusqlite::{Connection, TransactionBehavior};

use super::emails;
use super::schema::{APPLICATION_ID, VERSION, names, number, schema};

/// The first version whose audit entries stand in two groups, each with its own numbers.
const DIVIDED_AUDIT: i64 = 4;
/// The first version whose keys of e-mail addresses are made as today.
const KEYS_OF_TODAY: i64 = 4;
/// The first version that keeps when users last logged in.
const LAST_LOGINS: i64 = 8;
/// The first version with the tables of today.
const TABLES_OF_TODAY: i64 = 8;

/// Makes the tables of an empty file.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it before this one got the lock.
    if number(&transaction, "user_version")? == 0 {
        transaction.execute_batch(schema())?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()
}

/// Upgrades a file. Foreign keys are off afterwards.
pub(super) fn upgrade(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON;")?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Another process may have done it before this one got the lock.
    let version = number(&transaction, "user_version")?;
    if version < VERSION {
        match version < TABLES_OF_TODAY {
            true => rebuild(&transaction)?,
            false => make_indices(&transaction)?,
        }
        // What `rebuild` cannot do by itself, for each version that needs it.
        if version < DIVIDED_AUDIT {
            divide_audit(&transaction)?;
        }
        if version < KEYS_OF_TODAY {
            emails::make_keys_anew(&transaction)?;
        }
        if version < LAST_LOGINS {
            read_last_logins(&transaction)?;
        }
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    connection.execute_batch("PRAGMA legacy_alter_table = OFF;")
}

/// Makes the indices of `schema.sql` that are not there.
fn make_indices(connection: &Connection) -> rusqlite::Result<()> {
    let model = Connection::open_in_memory()?;
    model.execute_batch(schema())?;
    let there = names(connection, "index")?;
    let mut indices = model
        .prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")?;
    let mut rows = indices.query([])?;
    while let Some(row) = rows.next()? {
        if !there.contains(&row.get(0)?) {
            connection.execute_batch(&row.get::<_, String>(1)?)?;
        }
    }
    Ok(())
}

fn rebuild(connection: &Connection) -> rusqlite::Result<()> {
    for index in names(connection, "index")? {
        connection.execute_batch(&format!("DROP INDEX {index}"))?;
    }
    let tables = names(connection, "table")?;
    for table in &tables {
        connection.execute_batch(&format!("ALTER TABLE {table} RENAME TO old_{table}"))?;
    }
    connection.execute_batch(schema())?;
    tables.iter().try_for_each(|table| move_over(connection, table))
}

fn move_over(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    let columns: Vec<String> = connection
        .prepare("SELECT name FROM pragma_table_info(?1)")?
        .query_map([format!("old_{table}")], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let columns = columns.join(", ");
    connection.execute_batch(&format!(
        "INSERT INTO {table} ({columns}) SELECT {columns} FROM old_{table};
         -- The highest id ever given out.
         UPDATE sqlite_sequence SET seq = ifnull((SELECT seq FROM sqlite_sequence
             WHERE name = 'old_{table}'), seq) WHERE name = '{table}';
         DROP TABLE old_{table};"
    ))
}

/// Puts each audit entry of a version without groups into its group, and numbers it there.
fn divide_audit(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "UPDATE audit SET failed = 1
         WHERE event IN ('login-failed', 'login-refused', 'second-factor-asked');
         UPDATE audit SET number = counted.number FROM
             (SELECT id, row_number() OVER (PARTITION BY failed ORDER BY id) AS number FROM audit)
             AS counted
         WHERE audit.id = counted.id;",
    )
}

/// Takes the times of the last logins from the sessions that are still kept.
fn read_last_logins(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "UPDATE users SET last_login = ifnull(
             (SELECT max(created) FROM sessions WHERE user = users.id), 0)",
    )
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Place, open};
    use super::*;
    use crate::clock::Timestamp;
    use crate::store::contract::NOTE;
    use crate::store::{Entry, Event};

    #[test]
    fn an_older_versions_entries_are_numbered() {
        let place = Place::new("audit-divided");
        let (driver, store) = open(&place, 1);
        for event in [Event::LoginFailed, Event::Login, Event::LoginFailed, Event::Logout] {
            store.record(&Entry { event, ..NOTE }, Timestamp(1_000)).unwrap();
        }
        let file = &driver.writer.lock().unwrap().connection;
        let numbers = || -> rusqlite::Result<Vec<(i64, i64)>> {
            let mut query = file.prepare("SELECT failed, number FROM audit ORDER BY id")?;
            query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let expected = Ok(vec![(1, 1), (0, 1), (1, 2), (0, 2)]);
        assert_eq!(numbers(), expected);
        file.execute_batch("UPDATE audit SET failed = 0, number = 0").unwrap();
        divide_audit(file).unwrap();
        assert_eq!(numbers(), expected);
    }
}
