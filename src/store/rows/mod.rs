//! The statements, one file a topic, in the SQL that SQLite and PostgreSQL have in common. Each is
//! a function over [`Queries`] with values in and values out; the types of rows stand beside them,
//! and no rule does.

pub(super) mod audit;
pub(super) mod authority;
#[cfg(any(test, feature = "mail"))]
pub(super) mod delivery;
pub(super) mod emails;
pub(super) mod expired;
pub(super) mod failures;
pub(super) mod invitations;
#[cfg(any(test, feature = "cli"))]
pub(super) mod operator;
pub(super) mod outbox;
pub(super) mod second_factors;
pub(super) mod sessions;
pub(super) mod tickets;
pub(super) mod users;

use super::driver::{Fault, Queries, Row, Value};

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
