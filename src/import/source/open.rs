//! A source by what the operator typed: a URL of PostgreSQL, the path of a file, or `-` for standard
//! input.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

use super::Format;
use super::position::{OnRow, Position};
use super::recognize::{HEAD, MARK, recognize};
use super::rows::{Bytes, CsvRows, JsonRows};
use crate::error::Problem;
use crate::import::quoted;
use crate::store::Database;
use crate::store::source::{self, Cell, Counter, Table};

/// Rows of a source, at most: a view can have rows without end.
const MAX_ROWS: u64 = 100_000_000;

/// A source that is open.
pub(crate) struct Source {
    /// Its name for people, without a password.
    name: String,
    size: Option<u64>,
    kind: Kind,
}

enum Kind {
    Database(Database, Option<Table>),
    Csv(CsvRows),
    JsonLines(JsonRows),
    /// A file of which the rows were read.
    Done(Format),
}

impl Source {
    /// Opens a source. Recognizes the format of a file unless it is given. Refuses a file of lictor
    /// itself; says what a file is that has none of the formats.
    pub(crate) fn open(name: &str, format: Option<Format>) -> Result<Source, Problem> {
        if name == "-" {
            return Source::of("standard input".into(), None, Box::new(io::stdin().lock()), format);
        }
        let database = Database::parse(name)?;
        let path = match &database {
            Database::File(path) => path.clone(),
            #[cfg(feature = "postgres")]
            Database::Postgres(_) => return Ok(Source::database(database)),
        };
        if !path.exists() && may_have_password(name) {
            return Err(Problem::usage(
                "the source is no file, and looks like a URL without its scheme",
                "begin it with postgres://, as in postgres://USER@HOST:5432/NAME",
            ));
        }
        let (file, size) = open_file(&path)?;
        let shown = path.display().to_string();
        // A URL of SQLite is no file of another format.
        let format = if name.contains("://") { Some(Format::Database) } else { format };
        let (head, rest) = head(&shown, Box::new(file))?;
        match recognize(&shown, &head, format)? {
            Format::Database => {
                // SQLite's locks would end with this file.
                drop(rest);
                Source::sqlite(database)
            }
            format => Source::text(shown, size, head, rest, format),
        }
    }

    /// Opens a text.
    pub(crate) fn of(
        name: String,
        size: Option<u64>,
        bytes: Bytes,
        format: Option<Format>,
    ) -> Result<Source, Problem> {
        let (head, rest) = head(&name, bytes)?;
        match recognize(&name, &head, format)? {
            Format::Database => Err(Problem::usage(
                format!("{name} is an SQLite database"),
                "give its path instead: SQLite reads it here and there",
            )),
            format => Source::text(name, size, head, rest, format),
        }
    }

    fn text(
        name: String,
        size: Option<u64>,
        head: Vec<u8>,
        rest: Bytes,
        format: Format,
    ) -> Result<Source, Problem> {
        let mut head = Cursor::new(head);
        if head.get_ref().starts_with(MARK) {
            head.set_position(MARK.len() as u64);
        }
        let bytes: Bytes = Box::new(head.chain(rest));
        let kind = match format {
            Format::JsonLines => Kind::JsonLines(JsonRows::open(&name, bytes)?),
            _ => Kind::Csv(CsvRows::open(&name, bytes)?),
        };
        Ok(Source { name, size, kind })
    }

    fn sqlite(database: Database) -> Result<Source, Problem> {
        match source::is_lictor(&database)? {
            true => Err(is_lictor(&database.to_string())),
            false => Ok(Source::database(database)),
        }
    }

    fn database(database: Database) -> Source {
        Source { name: database.to_string(), size: None, kind: Kind::Database(database, None) }
    }

    /// Its format.
    pub(crate) fn format(&self) -> Format {
        match &self.kind {
            Kind::Database(..) => Format::Database,
            Kind::Csv(_) => Format::Csv,
            Kind::JsonLines(_) => Format::JsonLines,
            Kind::Done(format) => *format,
        }
    }

    /// The tables of a database, at most 1,000 with 1,000 columns each; none for a file.
    pub(crate) fn tables(&self) -> Result<Vec<Table>, Problem> {
        match &self.kind {
            Kind::Database(database, _) => source::tables(database),
            _ => Ok(Vec::new()),
        }
    }

    /// Chooses the table of a database that is read: its name as it is, or in other case if only one
    /// table has it; `schema.table` for PostgreSQL. False if there is none. A table of lictor is
    /// refused with a pointer to `lictor database copy`.
    pub(crate) fn choose(&mut self, table: &str) -> Result<bool, Problem> {
        let Kind::Database(database, chosen) = &mut self.kind else { return Ok(false) };
        *chosen = source::find(database, table)?;
        match chosen {
            Some(found) if source::is_lictor_table(database, found) => {
                Err(is_lictor(&format!("the table {} of {database}", quoted::name(&found.name))))
            }
            found => Ok(found.is_some()),
        }
    }

    /// The columns: of the table that was chosen, all that it has; of CSV those of the header; of
    /// JSON Lines the keys of the first row, which later rows need not have. `None` if that row
    /// cannot be read, or no table was chosen.
    pub(crate) fn columns(&self) -> Option<&[String]> {
        match &self.kind {
            Kind::Database(_, table) => table.as_ref().map(|table| &*table.columns),
            Kind::Csv(rows) => Some(&rows.columns),
            Kind::JsonLines(rows) => rows.columns.as_deref(),
            Kind::Done(_) => None,
        }
    }

    /// The source for people, without a password: `users.csv`, or
    /// `postgres://app@127.0.0.1:5432/app, table users`.
    pub(crate) fn describe(&self) -> String {
        match &self.kind {
            Kind::Database(_, Some(table)) => {
                format!("{}, table {}", self.name, quoted::name(&table.name))
            }
            _ => self.name.clone(),
        }
    }

    /// Bytes of the file, for [`Position::read`]; `None` for a database, a pipe or standard input.
    pub(crate) fn size(&self) -> Option<u64> {
        self.size
    }

    /// The highest number that a database has given out for a column of the chosen table.
    pub(crate) fn last_id(&self, column: &str) -> Result<Counter, Problem> {
        match &self.kind {
            Kind::Database(database, Some(table)) => source::last_id(database, table, column),
            _ => Ok(Counter::Absent),
        }
    }

    /// Hands each row to `row`; returns how many there were. A column that a row of JSON Lines has not
    /// is NULL; one that a table or CSV has not is a problem. `order` names the column that orders
    /// the rows of a table. A file can be read once.
    ///
    /// A source that ends in the middle of a row, a connection that is lost, and quotes that do not
    /// match are a problem, which says after which row.
    pub(crate) fn rows(
        &mut self,
        columns: &[&str],
        order: Option<&str>,
        row: OnRow<'_>,
    ) -> Result<u64, Problem> {
        let name = &self.name;
        let mut limited = |position: Position<'_>, cells: Result<&[Cell<'_>], &str>| {
            if position.row > MAX_ROWS {
                return Err(Problem::new(
                    format!("{name} has more than {MAX_ROWS} rows"),
                    "give a table or a file with the rows of accounts alone",
                ));
            }
            row(position, cells)
        };
        let format = self.format();
        match std::mem::replace(&mut self.kind, Kind::Done(format)) {
            Kind::Csv(mut rows) => rows.read(columns, &mut limited),
            Kind::JsonLines(mut rows) => rows.read(columns, &mut limited),
            Kind::Database(database, Some(table)) => {
                let read = read_table(&database, &table, columns, order, &mut limited);
                self.kind = Kind::Database(database, Some(table));
                read
            }
            kind @ (Kind::Database(..) | Kind::Done(_)) => {
                self.kind = kind;
                Err(Problem::new(
                    format!("{name} cannot be read"),
                    "choose a table first; a file can be read once",
                ))
            }
        }
    }
}

fn read_table(
    database: &Database,
    table: &Table,
    columns: &[&str],
    order: Option<&str>,
    row: OnRow<'_>,
) -> Result<u64, Problem> {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    let table = Table { name: table.name.clone(), columns };
    let mut count = 0;
    source::read_table(database, &table, order, &mut |number, cells| {
        count = number;
        row(Position { row: number, line: None, read: 0, raw: None }, Ok(cells))
    })?;
    Ok(count)
}

/// Whether a text may be `user:password@host`, which no message repeats.
fn may_have_password(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'))
}

/// Opens a file; returns its size if it has one.
fn open_file(path: &Path) -> Result<(File, Option<u64>), Problem> {
    let shown = path.display();
    let failed = |error: io::Error| {
        let next = "give the path of a file that you can read, or a URL like \
                    postgres://USER:PASSWORD@HOST:5432/NAME";
        Problem::usage(format!("cannot open {shown}: {error}"), next).with_source(error)
    };
    let file = File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if meta.is_dir() {
        return Err(Problem::usage(format!("{shown} is a directory"), "give a file in it"));
    }
    Ok((file, meta.is_file().then_some(meta.len())))
}

/// Reads the beginning.
fn head(name: &str, mut bytes: Bytes) -> Result<(Vec<u8>, Bytes), Problem> {
    let mut head = Vec::with_capacity(HEAD);
    let read = bytes.by_ref().take(HEAD as u64).read_to_end(&mut head);
    read.map_err(|error| {
        Problem::new(format!("cannot read {name}: {error}"), "check the file").with_source(error)
    })?;
    Ok((head, bytes))
}

fn is_lictor(name: &str) -> Problem {
    Problem::usage(
        format!("{name} is lictor's own"),
        "copy it with `lictor database copy FROM TO`; for some of its accounts, use `lictor export` \
         and import the file",
    )
}

#[cfg(test)]
mod tests;
