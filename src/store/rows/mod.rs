//! The statements, one file a topic, in the SQL that SQLite and PostgreSQL have in common; the few
//! that differ say why. Each is a function over [`Queries`] with values in and values out; the types
//! of rows stand beside them.
//! What a statement needs to say of a rule, such as when a ticket counts, is in its `WHERE`; which
//! statement follows from what is decided in the files beside this folder.

pub(super) mod app_passwords;
pub(super) mod audit;
pub(super) mod authority;
#[cfg(any(test, feature = "cli"))]
pub(super) mod counters;
pub(super) mod decoys;
#[cfg(any(test, feature = "mail"))]
pub(super) mod delivery;
pub(super) mod emails;
pub(super) mod expired;
#[cfg(any(test, feature = "cli"))]
pub(super) mod export;
pub(super) mod failures;
pub(super) mod former_names;
#[cfg(any(test, feature = "cli"))]
pub(super) mod import;
pub(super) mod invitations;
pub(super) mod new_users;
#[cfg(feature = "cli")]
pub(super) mod operator;
pub(super) mod outbox;
pub(super) mod probe;
pub(super) mod queue;
pub(super) mod search;
pub(super) mod second_factors;
pub(super) mod sessions;
pub(super) mod standing;
pub(super) mod tickets;
pub(super) mod users;
pub(super) mod waiting;

use super::driver::{Dialect, Fault, Queries, Row, Value};

/// A statement that deletes the rows whose key a query chooses, for each dialect. Given `IN`,
/// PostgreSQL may join the chosen keys with all rows of the table; given an array, it looks each of
/// them up.
macro_rules! delete_chosen {
    ($table:literal, $key:literal, $chosen:literal) => {
        delete_chosen!($table, $key, $chosen, "")
    };
    ($table:literal, $key:literal, $chosen:literal, $rest:literal) => {
        crate::store::rows::ByDialect {
            sqlite: concat!("DELETE FROM ", $table, " WHERE ", $key, " IN (", $chosen, ")", $rest),
            postgres: concat!(
                "DELETE FROM ",
                $table,
                " WHERE ",
                $key,
                " = ANY (ARRAY (",
                $chosen,
                "))",
                $rest
            ),
        }
    };
}
use delete_chosen;

/// A statement that the databases do not have in common.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByDialect {
    pub(super) sqlite: &'static str,
    pub(super) postgres: &'static str,
}

impl ByDialect {
    /// The statement for a database.
    fn of(self, queries: &dyn Queries) -> &'static str {
        match queries.dialect() {
            Dialect::Sqlite => self.sqlite,
            Dialect::Postgres => self.postgres,
        }
    }
}

/// A part of what a search finds.
#[derive(Debug)]
pub struct Page<T> {
    /// Its rows; there may be fewer than were asked for, and even none, although others follow: a
    /// search reads a limited number of rows at once.
    pub rows: Vec<T>,
    /// Where the next page begins; `None` if this one is the last.
    pub next: Option<i64>,
}

/// The first row of an answer, if there is one.
fn first<T>(
    queries: &mut dyn Queries,
    sql: &'static str,
    values: &[Value<'_>],
    read: impl Fn(&dyn Row) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut found = None;
    queries.query_first(sql, values, &mut |row| {
        found = Some(read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// All rows of an answer, in order.
fn all<T>(
    queries: &mut dyn Queries,
    sql: &'static str,
    values: &[Value<'_>],
    read: impl Fn(&dyn Row) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut found = Vec::new();
    queries.query(sql, values, &mut |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// Whether an answer has a row.
fn exists(
    queries: &mut dyn Queries,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<bool, Fault> {
    first(queries, sql, values, |_| Ok(())).map(|found| found.is_some())
}

/// The number in the first column of the first row, as `SELECT count(*)` answers it.
fn count(queries: &mut dyn Queries, sql: &'static str, values: &[Value<'_>]) -> Result<i64, Fault> {
    first(queries, sql, values, |row| row.get(0)).map(|count| count.unwrap_or(0))
}
