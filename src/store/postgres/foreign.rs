//! A table of another program in a PostgreSQL database, read only, on a connection of its own. The
//! user may have no right but SELECT. Each value comes as bytes (`bytea`), so that a database whose
//! encoding is SQL_ASCII, where text may be anything, spoils a cell and not the connection.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::Target;
use super::connect::{self, Role};
use super::wire::{Connection, Failure, Statement};
use crate::error::Problem;
use crate::store::driver::{Fault, Row, Value};
use crate::store::foreign::{
    Cell, Counter, MAX_FIELD, MAX_READ, OnRow, TOO_LONG, Table, no_column, no_table, pick, quoted,
};

/// How long a statement may take; the server gives up a little earlier.
const PATIENCE: Duration = Duration::from_secs(120);
/// Rows of a page.
const PAGE: u64 = 500;
/// The next page.
const FETCH: &str = "FETCH FORWARD 500 FROM lictor_source";
/// Bytes of a page, at most: 500 rows of the largest size. A page is not kept; each row is handed on
/// as it comes.
const MAX_PAGE: usize = PAGE as usize * (MAX_READ + 1) * 2 * MAX_FIELD;

/// What the session is told. Nothing can be written, and the text of a time does not depend on
/// settings of the user or the database. A policy that would hide rows is an error, because
/// `row_security` is off.
const SESSION: &str = "SET application_name = 'lictor import';
SET default_transaction_read_only = on;
SET statement_timeout = '110s';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '1h';
SET row_security = off;
SET DateStyle = 'ISO, YMD';
SET TimeZone = 'UTC';
SET jit = off;
RESET search_path;
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Tables: the number, the schema, the name, and the place of the schema in the search path, from 1.
/// The schema `lictor` counts as none of the path, of which it is the first for a user `lictor`.
macro_rules! tables {
    ($rest:literal) => {
        concat!(
            "SELECT c.oid::bigint AS number, n.nspname::text AS schema, c.relname::text AS name,
                pg_catalog.array_position(
                    pg_catalog.array_remove(pg_catalog.current_schemas(false), 'lictor'::name),
                    n.nspname)::bigint AS place
            FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
                AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
                AND n.nspname NOT LIKE 'pg\\_temp\\_%' ",
            $rest
        )
    };
}

/// The tables with a name, in any case, with and without the schema.
const BY_NAME: &str = tables!(
    "AND pg_catalog.lower($1::text)
        IN (pg_catalog.lower(c.relname), pg_catalog.lower(n.nspname || '.' || c.relname))
    ORDER BY place NULLS LAST, schema, name LIMIT 1000"
);
/// The columns of the first tables, at most 1,000 of each, and 20,000 in all.
const SHOWN: &str = concat!(
    "SELECT t.number, t.schema, t.name, t.place, a.attname::text FROM (",
    tables!("AND n.nspname <> 'lictor' ORDER BY place NULLS LAST, schema, name LIMIT 1000"),
    ") t LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = t.number::oid
        AND a.attnum BETWEEN 1 AND 1000 AND NOT a.attisdropped
    ORDER BY t.place NULLS LAST, t.schema, t.name, a.attnum LIMIT 20000"
);
/// The columns of a table, and whether each holds bytes.
const COLUMNS: &str = "SELECT a.attname::text,
    'pg_catalog.bytea'::pg_catalog.regtype IN (t.oid, t.typbasetype)
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum";
const ENCODING: &str = "SELECT pg_catalog.getdatabaseencoding()::text";
/// The sequences that a column owns, or takes its default from: whether the user may read each, and
/// the last number.
const SEQUENCES: &str = "SELECT pg_catalog.has_sequence_privilege(s.oid, 'SELECT, USAGE'),
    CASE WHEN pg_catalog.has_sequence_privilege(s.oid, 'SELECT, USAGE')
        THEN coalesce(pg_catalog.pg_sequence_last_value(s.oid), 0) END
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class s ON s.relkind = 'S' AND s.oid IN (
    SELECT d.objid FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
    UNION ALL
    SELECT d.refobjid FROM pg_catalog.pg_attrdef f JOIN pg_catalog.pg_depend d
        ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid
    WHERE d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND f.adrelid = a.attrelid AND f.adnum = a.attnum)
WHERE a.attrelid = $1::bigint::oid AND a.attname = $2::text";

/// The tables and views of the database, with their columns.
pub(in crate::store) fn tables(target: &Target) -> Result<Vec<Table>, Problem> {
    let mut tables: Vec<Table> = Vec::new();
    Session::begin(target)?.query(SHOWN, &[], &mut |row| {
        let name = Found::read(row)?.shown();
        if tables.last().is_none_or(|last| last.name != name) {
            tables.push(Table { name, columns: Vec::new() });
        }
        if let (Some(last), Some(column)) = (tables.last_mut(), row.get::<Option<String>>(4)?) {
            last.columns.push(column);
        }
        Ok(())
    })?;
    Ok(tables)
}

/// Finds a table or a view.
pub(in crate::store) fn find(target: &Target, name: &str) -> Result<Option<Table>, Problem> {
    let mut session = Session::begin(target)?;
    let Some(found) = session.find(name)? else { return Ok(None) };
    let columns = session.columns(&found)?.into_iter().map(|column| column.name).collect();
    Ok(Some(Table { name: found.shown(), columns }))
}

/// The highest number that a sequence has given out for a column.
pub(in crate::store) fn last_id(
    target: &Target,
    table: &Table,
    column: &str,
) -> Result<Counter, Problem> {
    let mut session = Session::begin(target)?;
    let found = session.find(&table.name)?.ok_or_else(|| no_table(table))?;
    let mut counter = Counter::Absent;
    session.query(SEQUENCES, &[found.number.into(), column.into()], &mut |row| {
        counter = match (counter, row.integer(1)?) {
            _ if !row.boolean(0)? => Counter::Hidden,
            (Counter::Hidden, _) | (_, None) => Counter::Hidden,
            (Counter::Absent, Some(last)) => Counter::At(last),
            (Counter::At(other), Some(last)) => Counter::At(last.max(other)),
        };
        Ok(())
    })?;
    Ok(counter)
}

/// Hands each row to `row`. They are those of one moment.
pub(in crate::store) fn read_table(
    target: &Target,
    table: &Table,
    order: Option<&str>,
    row: OnRow<'_>,
) -> Result<(), Problem> {
    Session::begin(target)?.read_table(table, order, row)
}

/// A table that was found.
struct Found {
    number: i64,
    schema: String,
    name: String,
    /// The place of the schema in the search path.
    place: Option<i64>,
}

impl Found {
    fn read(row: &dyn Row) -> Result<Found, Fault> {
        let (number, schema) = (row.get(0)?, row.get(1)?);
        Ok(Found { number, schema, name: row.get(2)?, place: row.get(3)? })
    }

    fn qualified(&self) -> String {
        format!("{}.{}", self.schema, self.name)
    }

    /// Its name: with the schema unless that is the first in the search path.
    fn shown(&self) -> String {
        if self.place == Some(1) { self.name.clone() } else { self.qualified() }
    }
}

/// A column of a table.
struct Column {
    name: String,
    /// Whether it holds bytes, and not what has a text.
    bytes: bool,
}

/// The statement that declares the cursor. Each column is read as two: its bytes, or NULL if they are
/// too long, and whether they are. So a value that is too long does not travel.
fn declare(found: &Found, columns: &[&Column], order: Option<&Column>, encoding: &str) -> String {
    let mut sql = String::from("DECLARE lictor_source NO SCROLL CURSOR FOR SELECT true");
    // Writing into a String cannot fail.
    for Column { name, bytes } in columns {
        let column = quoted(name);
        let (value, text) = match bytes {
            true => (format!("t.{column}::pg_catalog.bytea"), format!("t.{column}")),
            false => {
                let text = format!("t.{column}::pg_catalog.text");
                (format!("pg_catalog.convert_to({text}, '{encoding}')"), text)
            }
        };
        let length = format!("pg_catalog.octet_length({text})");
        let _ = write!(
            sql,
            ", CASE WHEN {length} <= {MAX_FIELD} THEN {value} END, {length} > {MAX_FIELD}"
        );
    }
    let _ = write!(sql, " FROM {}.{} AS t", quoted(&found.schema), quoted(&found.name));
    if let Some(order) = order {
        let _ = write!(sql, " ORDER BY t.{}", quoted(&order.name));
    }
    sql
}

/// A connection that only reads, and what its failures are told with.
struct Session<'a> {
    target: &'a Target,
    connection: Connection,
    /// How long a statement may take.
    patience: Duration,
    /// The number of the last row that was handed on.
    after: u64,
}

impl Session<'_> {
    fn begin(target: &Target) -> Result<Session<'_>, Problem> {
        let mut connection = connect::first(target, Role::Setup)?.connection;
        connection.allow_answers_of(MAX_PAGE);
        let mut session = Session { target, connection, patience: PATIENCE, after: 0 };
        session.script(SESSION)?;
        Ok(session)
    }

    /// Hands each row of a table to `row`.
    fn read_table(
        &mut self,
        table: &Table,
        order: Option<&str>,
        row: OnRow<'_>,
    ) -> Result<(), Problem> {
        let found = self.find(&table.name)?.ok_or_else(|| no_table(table))?;
        let all = self.columns(&found)?;
        let column = |name: &str| {
            all.iter().find(|column| column.name == *name).ok_or_else(|| {
                let columns = all.iter().map(|column| column.name.clone()).collect();
                no_column(&Table { name: found.shown(), columns }, name)
            })
        };
        let columns =
            table.columns.iter().map(|name| column(name)).collect::<Result<Vec<_>, _>>()?;
        let order = order.map(column).transpose()?;
        let encoding = self.encoding()?;
        self.script(&declare(&found, &columns, order, encoding))?;
        self.read(columns.len(), row)
    }

    fn script(&mut self, sql: &str) -> Result<(), Problem> {
        let ran = self.connection.script(sql, Instant::now() + self.patience);
        ran.map_err(|failure| self.failed(&failure))
    }

    /// Runs a query; returns how many rows it answered.
    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<u64, Problem> {
        let batch = [Statement { sql, values }];
        let ran =
            self.connection.run(&batch, Instant::now() + self.patience, &mut |_, data| row(data));
        ran.map(|counts| counts[0]).map_err(|failure| self.failed(&failure))
    }

    /// The table with this name: first of the schemas in the search path, then by its full name, then
    /// either in other case if only one has it; a table of lictor at last.
    fn find(&mut self, name: &str) -> Result<Option<Found>, Problem> {
        let mut all = Vec::new();
        self.query(BY_NAME, &[name.into()], &mut |row| {
            all.push(Found::read(row)?);
            Ok(())
        })?;
        Ok(choose(all, name))
    }

    fn columns(&mut self, found: &Found) -> Result<Vec<Column>, Problem> {
        let mut columns = Vec::new();
        self.query(COLUMNS, &[found.number.into()], &mut |row| {
            columns.push(Column { name: row.get(0)?, bytes: row.get(1)? });
            Ok(())
        })?;
        Ok(columns)
    }

    /// The encoding in which text is sent. Where the database knows none, the bytes as they are:
    /// PostgreSQL would refuse those that are not UTF-8, and with them all rows.
    fn encoding(&mut self) -> Result<&'static str, Problem> {
        let mut known = true;
        self.query(ENCODING, &[], &mut |row| {
            known = row.text(0)? != Some("SQL_ASCII");
            Ok(())
        })?;
        Ok(if known { "UTF8" } else { "SQL_ASCII" })
    }

    /// Reads the cursor to its end.
    fn read(&mut self, columns: usize, on_row: OnRow<'_>) -> Result<(), Problem> {
        loop {
            let (mut after, mut stopped) = (self.after, None);
            let batch = [Statement { sql: FETCH, values: &[] }];
            let ran = self.connection.run(&batch, Instant::now() + self.patience, &mut |_, row| {
                let cells =
                    (0..columns).map(|at| cell(row, 1 + 2 * at)).collect::<Result<Vec<_>, _>>()?;
                if let Err(problem) = on_row(after + 1, &cells) {
                    stopped = Some(problem);
                    return Err(Fault::Unavailable("the reader of the rows stopped".into()));
                }
                after += 1;
                Ok(())
            });
            self.after = after;
            match (stopped, ran) {
                (Some(problem), _) => return Err(problem),
                (None, Ok(counts)) if counts[..] == [PAGE] => {}
                (None, Ok(_)) => return Ok(()),
                (None, Err(failure)) => return Err(self.failed(&failure)),
            }
        }
    }

    fn failed(&self, failure: &Failure) -> Problem {
        let user = &self.target.user;
        let next = match failure {
            Failure::Refused(refusal) if refusal.message.contains("row-level security") => {
                "a policy hides rows of this table from the user; read as the owner of the table, or \
                 as a user with BYPASSRLS"
                    .into()
            }
            Failure::Refused(refusal) => match &refusal.code {
                b"42501" => format!("let the user read the table: GRANT SELECT ON TABLE … TO {user}"),
                b"55P03" => "another program has the table locked: end it, and try again".into(),
                b"57014" => "the server took too long: read a table instead of a view".into(),
                b"22P05" | b"22021" => "the database holds text that has no UTF-8".into(),
                _ => "see the server's log".into(),
            },
            Failure::Row(_) => "the server does not answer as PostgreSQL does".into(),
            Failure::Lost(_) => "try again when the server is up".into(),
        };
        let after = match self.after {
            0 => String::new(),
            row => format!(" after row {row}"),
        };
        Problem::new(format!("cannot read {}{after}: {failure}", self.target), next)
    }
}

fn cell<'a>(row: &'a dyn Row, column: usize) -> Result<Cell<'a>, Fault> {
    Ok(match row.blob(column)? {
        Some(bytes) => Cell::of(bytes),
        None if row.boolean(column + 1)? => Cell::Unreadable(TOO_LONG),
        None => Cell::Null,
    })
}

/// The table that a name means; `all` have this name in some case, and are in the order of the search
/// path.
fn choose(mut all: Vec<Found>, name: &str) -> Option<Found> {
    let in_path = |found: &&Found| found.place.is_some();
    let named = |found: &&Found| found.name == name;
    let position = |found: &Found| all.iter().position(|other| other.number == found.number);
    let exact = all.iter().filter(in_path).find(named);
    let exact = exact.or_else(|| all.iter().find(|found| found.qualified() == name));
    let folded = || {
        let names: Vec<&str> = all.iter().filter(in_path).map(|found| &*found.name).collect();
        let picked = pick(&names, name)?;
        all.iter().filter(in_path).find(|found| found.name == picked)
    };
    let folded_full = || {
        let names: Vec<String> = all.iter().map(Found::qualified).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let picked = pick(&names, name)?;
        all.iter().find(|found| found.qualified() == picked)
    };
    let own = || all.iter().filter(|found| found.schema == "lictor").find(named);
    let at = exact.or_else(folded).or_else(folded_full).or_else(own).and_then(position)?;
    Some(all.swap_remove(at))
}

#[cfg(test)]
mod tests;
