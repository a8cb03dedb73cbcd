//! The numbers that a database has given out and must never give out again, also when the row with
//! the highest one is deleted. SQLite keeps them in `sqlite_sequence`, PostgreSQL in sequences; each
//! reads them, and raises them, in its own way. Compiled for the command line.

use super::{all, first};
use crate::store::driver::{Dialect, Fault, Queries, Value};

/// A column whose values are counted.
#[derive(Debug)]
struct Counter {
    /// The highest value in the rows.
    highest: &'static str,
    /// The table in `sqlite_sequence`; `None` if SQLite takes the next number from the rows.
    sqlite: Option<&'static str>,
    /// The last value of the sequence in PostgreSQL, and the statement that sets it.
    postgres: [&'static str; 2],
}

/// The ids of users.
const USERS: Counter = Counter {
    highest: "SELECT max(id) FROM users",
    sqlite: Some("users"),
    postgres: [
        "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM users_id_seq",
        "SELECT setval('users_id_seq', $1)",
    ],
};

const COUNTERS: [Counter; 5] = [
    USERS,
    Counter {
        highest: "SELECT max(id) FROM outbox",
        sqlite: Some("outbox"),
        postgres: [
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM outbox_id_seq",
            "SELECT setval('outbox_id_seq', $1)",
        ],
    },
    Counter {
        highest: "SELECT max(id) FROM audit",
        sqlite: None,
        postgres: [
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_id_seq",
            "SELECT setval('audit_id_seq', $1)",
        ],
    },
    Counter {
        highest: "SELECT max(number) FROM audit WHERE failed",
        sqlite: None,
        postgres: [
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_failed_number",
            "SELECT setval('audit_failed_number', $1)",
        ],
    },
    Counter {
        highest: "SELECT max(number) FROM audit WHERE NOT failed",
        sqlite: None,
        postgres: [
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM audit_other_number",
            "SELECT setval('audit_other_number', $1)",
        ],
    },
];

/// Reads the last number of each counter.
pub(in crate::store) fn read(queries: &mut dyn Queries) -> Result<Vec<i64>, Fault> {
    COUNTERS.iter().map(|counter| counter.read(queries)).collect()
}

/// Raises each counter to the number that [`read`] returned for the other database; never lowers
/// one. PostgreSQL does not undo this with the transaction, so it comes last.
pub(in crate::store) fn raise(queries: &mut dyn Queries, to: &[i64]) -> Result<(), Fault> {
    COUNTERS.iter().zip(to).try_for_each(|(counter, to)| counter.raise(queries, *to))
}

/// Reads the highest id that was given to a user.
pub(in crate::store) fn last_user(queries: &mut dyn Queries) -> Result<i64, Fault> {
    USERS.read(queries)
}

/// Raises the counter of users' ids, as [`raise`] does. In PostgreSQL, an id that another
/// transaction takes between the look at the counter and the change may be given out again; then
/// the database refuses the second user, and that transaction is run again.
pub(in crate::store) fn raise_users(queries: &mut dyn Queries, to: i64) -> Result<(), Fault> {
    USERS.raise(queries, to)
}

/// Sets the counter of users' ids back from `raised` to `given`, after a transaction that raised it
/// was undone, unless somebody got an id meanwhile. Only PostgreSQL's stays raised.
pub(in crate::store) fn unraise_users(
    queries: &mut dyn Queries,
    raised: i64,
    given: i64,
) -> Result<(), Fault> {
    if queries.dialect() == Dialect::Sqlite || raised <= given {
        return Ok(());
    }
    let sql = "SELECT setval('users_id_seq', greatest(CAST($2 AS bigint), 1), $2 > 0)
        FROM users_id_seq WHERE is_called AND last_value = $1
        AND NOT EXISTS (SELECT 1 FROM users WHERE id > $2)";
    queries.query(sql, &[raised.into(), given.into()], &mut |_| Ok(()))
}

/// Gives out ids for new users.
pub(in crate::store) fn next_users(
    queries: &mut dyn Queries,
    count: usize,
) -> Result<Vec<i64>, Fault> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    match queries.dialect() {
        Dialect::Postgres => {
            let sql = "SELECT nextval('users_id_seq') FROM generate_series(1, CAST($1 AS bigint))";
            all(queries, sql, &[count.into()], |row| row.get(0))
        }
        // The row of the last one raises the counter.
        Dialect::Sqlite => {
            let last = USERS.read(queries)?;
            Ok((1..=count).map(|number| last.saturating_add(number)).collect())
        }
    }
}

/// Whether this user of the database may read and raise the counter of users' ids. A server needs
/// only to take the next number.
pub(in crate::store) fn may_raise_users(queries: &mut dyn Queries) -> Result<bool, Fault> {
    if queries.dialect() == Dialect::Sqlite {
        return Ok(true);
    }
    let sql = "SELECT has_sequence_privilege('users_id_seq', 'SELECT')
        AND has_sequence_privilege('users_id_seq', 'UPDATE')";
    first(queries, sql, &[], |row| row.get(0)).map(|may| may.unwrap_or(false))
}

impl Counter {
    fn read(&self, queries: &mut dyn Queries) -> Result<i64, Fault> {
        let given = match (queries.dialect(), self.sqlite) {
            (Dialect::Postgres, _) => number(queries, self.postgres[0], &[])?,
            (Dialect::Sqlite, Some(table)) => {
                number(queries, "SELECT seq FROM sqlite_sequence WHERE name = $1", &[table.into()])?
            }
            (Dialect::Sqlite, None) => 0,
        };
        Ok(given.max(number(queries, self.highest, &[])?))
    }

    fn raise(&self, queries: &mut dyn Queries, to: i64) -> Result<(), Fault> {
        match (queries.dialect(), self.sqlite) {
            (Dialect::Postgres, _) if to > number(queries, self.postgres[0], &[])? => {
                queries.query(self.postgres[1], &[to.into()], &mut |_| Ok(()))
            }
            (Dialect::Sqlite, Some(table)) => raise_sqlite(queries, table, to),
            (Dialect::Postgres, _) | (Dialect::Sqlite, None) => Ok(()),
        }
    }
}

/// A table that never had a row has no counter.
fn raise_sqlite(queries: &mut dyn Queries, table: &str, to: i64) -> Result<(), Fault> {
    if to < 1 {
        return Ok(());
    }
    queries.execute(
        "INSERT INTO sqlite_sequence (name, seq) SELECT $1, 0
         WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = $1)",
        &[table.into()],
    )?;
    let values = [table.into(), to.into()];
    queries.execute("UPDATE sqlite_sequence SET seq = $2 WHERE name = $1 AND seq < $2", &values)?;
    Ok(())
}

/// The number that a query answers; 0 for no row and for NULL.
fn number(
    queries: &mut dyn Queries,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<i64, Fault> {
    let found = first(queries, sql, values, |row| row.get::<Option<i64>>(0))?;
    Ok(found.flatten().unwrap_or(0))
}
