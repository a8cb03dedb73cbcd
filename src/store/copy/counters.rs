//! The numbers that a database has given out and must never give out again, also when the row with
//! the highest one is deleted. SQLite keeps them in `sqlite_sequence`, PostgreSQL in sequences; each
//! reads them, and raises them, in its own way.

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

const COUNTERS: [Counter; 5] = [
    Counter {
        highest: "SELECT max(id) FROM users",
        sqlite: Some("users"),
        postgres: [
            "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM users_id_seq",
            "SELECT setval('users_id_seq', $1)",
        ],
    },
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
pub(super) fn read(queries: &mut dyn Queries) -> Result<Vec<i64>, Fault> {
    COUNTERS.iter().map(|counter| counter.read(queries)).collect()
}

/// Raises each counter to the number that [`read`] returned for the other database; never lowers
/// one. PostgreSQL does not undo this with the transaction, so it comes last.
pub(super) fn raise(queries: &mut dyn Queries, to: &[i64]) -> Result<(), Fault> {
    COUNTERS.iter().zip(to).try_for_each(|(counter, to)| counter.raise(queries, *to))
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
    let mut found = 0;
    queries.query_first(sql, values, &mut |row| {
        found = row.integer(0)?.unwrap_or(0);
        Ok(())
    })?;
    Ok(found)
}
