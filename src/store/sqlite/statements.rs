//! Statements on a connection: values bound by the number of their parameter, rows read, and
//! SQLite's errors told apart.

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, Statement};

use crate::error::Cause;
use crate::store::driver::{Dialect, Fault, Queries, Row, Unique, Value};

/// Runs statements on a connection, which keeps them prepared.
pub(super) struct Statements<'a>(pub(super) &'a Connection);

impl Queries for Statements<'_> {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, values)?;
        statement.raw_execute().map_err(fault)
    }

    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        run(&mut *self.prepare(sql)?, values, row)
    }

    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let mut statement = self.prepare(sql)?;
        bind(&mut statement, values)?;
        // The first step makes all changes, also those of a statement with RETURNING.
        match statement.raw_query().next().map_err(fault)? {
            Some(found) => row(found),
            None => Ok(()),
        }
    }

    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault> {
        let mut statement = self.prepare(sql)?;
        for values in sets {
            bind(&mut statement, values)?;
            statement.raw_execute().map_err(fault)?;
        }
        Ok(())
    }
}

impl<'a> Statements<'a> {
    fn prepare(&self, sql: &'static str) -> Result<CachedStatement<'a>, Fault> {
        self.0.prepare_cached(sql).map_err(fault)
    }
}

fn run(
    statement: &mut Statement<'_>,
    values: &[Value<'_>],
    row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
) -> Result<(), Fault> {
    bind(statement, values)?;
    let mut rows = statement.raw_query();
    while let Some(found) = rows.next().map_err(fault)? {
        row(found)?;
    }
    Ok(())
}

/// Binds each value to the parameter with its number. To SQLite `$2` is a name, and parameters
/// with names are numbered in the order in which they first appear.
fn bind(statement: &mut Statement<'_>, values: &[Value<'_>]) -> Result<(), Fault> {
    if statement.parameter_count() != values.len() {
        let (wanted, given) = (statement.parameter_count(), values.len());
        return Err(Fault::Damaged(format!("{given} values for {wanted} parameters").into()));
    }
    // A single value belongs to the first parameter: a token check looks no name up. Tests do.
    if let [value] = values
        && !cfg!(debug_assertions)
    {
        return statement.raw_bind_parameter(1, value).map_err(fault);
    }
    for index in 1..=values.len() {
        let name = statement.parameter_name(index).unwrap_or_default();
        let number = name.strip_prefix('$').and_then(|number| number.parse::<usize>().ok());
        let value = number.and_then(|number| values.get(number.checked_sub(1)?));
        let Some(value) = value else {
            return Err(Fault::Damaged(format!("parameter {name:?} has no value").into()));
        };
        statement.raw_bind_parameter(index, value).map_err(fault)?;
    }
    Ok(())
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(number),
            Value::Boolean(value) => ValueRef::Integer(value.into()),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
            Value::Texts(_) => {
                let why = "SQLite has no arrays".into();
                return Err(rusqlite::Error::ToSqlConversionFailure(why));
            }
        }))
    }
}

impl Row for rusqlite::Row<'_> {
    fn integer(&self, column: usize) -> Result<Option<i64>, Fault> {
        match self.get_ref(column).map_err(fault)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            other => Err(wrong_type(column, other)),
        }
    }

    fn boolean(&self, column: usize) -> Result<bool, Fault> {
        Ok(self.integer(column)?.is_some_and(|number| number != 0))
    }

    fn text(&self, column: usize) -> Result<Option<&str>, Fault> {
        match self.get_ref(column).map_err(fault)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Some(text)),
                Err(error) => {
                    let text = format!("column {column}: {error}");
                    Err(Fault::Damaged(Cause::new(text, error)))
                }
            },
            other => Err(wrong_type(column, other)),
        }
    }

    fn blob(&self, column: usize) -> Result<Option<&[u8]>, Fault> {
        match self.get_ref(column).map_err(fault)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            other => Err(wrong_type(column, other)),
        }
    }
}

fn wrong_type(column: usize, found: ValueRef<'_>) -> Fault {
    Fault::Damaged(format!("column {column} is of type {}", found.data_type()).into())
}

/// Tells passing trouble of the machine or of another process from what will not pass.
pub(super) fn fault(error: rusqlite::Error) -> Fault {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) if text.contains("users.name_key") => {
            Fault::Taken(Unique::Username)
        }
        Some(ErrorCode::ConstraintViolation) if text.contains("users.email_key") => {
            Fault::Taken(Unique::Email)
        }
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::SystemIoFailure
            | ErrorCode::ReadOnly
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory,
        ) => Fault::Unavailable(Cause::new(text, error)),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            Fault::Corrupt(Cause::new(text, error))
        }
        _ => Fault::Damaged(Cause::new(text, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_the_error_of_sqlite() {
        use std::error::Error as _;
        let connection = Connection::open_in_memory().unwrap();
        let failed = connection.execute_batch("SELECT nothing").unwrap_err();
        let error = crate::error::Error::from(fault(failed));
        assert!(error.cause().unwrap().starts_with("database: "), "{error}");
        assert!(error.source().unwrap().is::<rusqlite::Error>());
    }

    /// The only row of an answer, its columns as text.
    fn row(sql: &'static str, values: &[Value<'_>]) -> Result<Vec<String>, Fault> {
        let connection = Connection::open_in_memory().unwrap();
        let mut found = Vec::new();
        Statements(&connection).query(sql, values, &mut |row| {
            for column in 0..3 {
                found.push(row.get::<String>(column)?);
            }
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn values_are_bound_by_number_and_not_by_order() {
        let values = ["a", "b", "c"].map(Value::from);
        for (sql, expected) in [
            ("SELECT $1, $2, $3", "a b c"),
            ("SELECT $2, $1, $3", "b a c"),
            ("SELECT $3, $2, $1", "c b a"),
            ("SELECT $3, $3, $2 WHERE $1 = 'a'", "c c b"),
        ] {
            assert_eq!(row(sql, &values).unwrap().join(" "), expected, "{sql}");
        }
        let eleven = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"].map(Value::from);
        let sql = "SELECT $11, $10, $1 WHERE ($2, $3, $4, $5, $6, $7, $8, $9)
                   = ('b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')";
        assert_eq!(row(sql, &eleven).unwrap(), ["k", "j", "a"]);
    }

    #[test]
    fn a_parameter_without_a_value_and_a_value_without_a_parameter_are_faults() {
        let values = ["a", "b", "c"].map(Value::from);
        for (sql, values) in [
            ("SELECT $1, $2, $3", &values[..2]),
            ("SELECT $1, $2, $2", &values[..]),
            ("SELECT $1, $2, $4", &values[..]),
            ("SELECT $0, $1, $2", &values[..]),
            ("SELECT ?1, ?2, ?3", &values[..]),
            ("SELECT :a, :b, :c", &values[..]),
        ] {
            assert!(matches!(row(sql, values), Err(Fault::Damaged(_))), "{sql}");
        }
    }

    #[test]
    fn a_column_of_another_type_is_a_fault() {
        let connection = Connection::open_in_memory().unwrap();
        let mut seen = 0;
        Statements(&connection)
            .query("SELECT 1, 'a', x'0102', NULL, 5000000000", &[], &mut |row| {
                seen += 1;
                assert_eq!(row.get::<i64>(0)?, 1);
                assert!(row.get::<bool>(0)? && !row.get::<bool>(3)?);
                assert_eq!(row.get::<String>(1)?, "a");
                assert_eq!(row.get::<[u8; 2]>(2)?, [1, 2]);
                assert_eq!(row.get::<Option<String>>(3)?, None);
                let wrong = [
                    row.get::<i64>(1).is_err(),
                    row.get::<i64>(3).is_err(),
                    row.get::<u32>(4).is_err(),
                    row.get::<bool>(1).is_err(),
                    row.get::<String>(0).is_err(),
                    row.get::<[u8; 3]>(2).is_err(),
                    row.get::<[u8; 2]>(1).is_err(),
                    row.get::<i64>(5).is_err(),
                ];
                assert_eq!(wrong, [true; 8]);
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, 1);
    }

    #[test]
    fn a_statement_runs_once_for_each_set() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 5)").unwrap();
        let values = [1_i64, 2, 1].map(Value::from);
        let sets: Vec<&[Value<'_>]> = values.chunks(1).collect();
        let mut statements = Statements(&connection);
        statements.execute_each("UPDATE t SET b = b + 1 WHERE a = $1", &sets).unwrap();
        let mut found = Vec::new();
        statements
            .query("SELECT b FROM t", &[], &mut |row| {
                found.push(row.get::<i64>(0)?);
                Ok(())
            })
            .unwrap();
        assert_eq!(found, [7]);
    }

    #[test]
    fn the_first_row_is_handed_over_and_all_changes_are_made() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)").unwrap();
        let mut statements = Statements(&connection);
        let mut first = |sql| {
            let mut found = Vec::new();
            let query = statements.query_first(sql, &[], &mut |row| {
                found.push(row.get::<i64>(0)?);
                Ok(())
            });
            query.unwrap();
            found
        };
        assert_eq!(first("SELECT a FROM t ORDER BY a DESC"), [3]);
        assert_eq!(first("UPDATE t SET a = a + 10 WHERE a > 1 RETURNING a").len(), 1);
        assert_eq!(first("SELECT sum(a) FROM t"), [26]);
        assert!(first("SELECT a FROM t WHERE a = 2").is_empty());
    }
}
