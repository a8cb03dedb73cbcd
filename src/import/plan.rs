//! How the rows of a source are read: the preset, the table, and the column of each field.

use super::mapping::{Available, Change, Mapping, no_such_table};
use super::preset::Preset;
use super::quoted::is_like_hash;
use super::source::{Format, Source};
use crate::error::Problem;

/// How the rows of a source are read.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The name of the preset.
    pub(crate) preset: &'static str,
    /// None for the preset of lictor's own export.
    pub(super) mapping: Option<Mapping>,
    /// The columns of a file that are not read, for people.
    pub(crate) unread: Option<String>,
}

impl Plan {
    /// Finds the table and the columns. `preset` is the name of one, `table` another table than that
    /// of the preset.
    pub(crate) fn make(
        source: &mut Source,
        preset: Option<&str>,
        table: Option<&str>,
        changes: &[Change],
    ) -> Result<Plan, Problem> {
        let preset = match preset {
            Some(name) => Preset::named(name),
            None if is_export(source) => None,
            None => Some(Preset::default()),
        };
        let Some(preset) = preset else { return own_export(source, table, changes) };
        let is_database = source.format() == Format::Database;
        choose(source, preset, table)?;
        let described = source.describe();
        let (what, open) = match source.format() {
            Format::JsonLines => (format!("the first row of {described}"), true),
            _ => (described, false),
        };
        let Some(columns) = source.columns() else {
            return Err(Problem::new(
                format!("{what} cannot be read"),
                "each line is to be a JSON object: {\"id\": 1, \"username\": \"ada\", …}",
            ));
        };
        let has = Available { source: &what, columns, open };
        let mapping = match source.format() {
            Format::Csv => of_header(preset, changes, &has)?,
            _ => Mapping::new(preset, changes, &has)?,
        };
        let unread = if is_database { None } else { mapping.unread(columns) };
        Ok(Plan { preset: preset.name, mapping: Some(mapping), unread })
    }
}

/// Maps the first line of a CSV file, which may be a row.
fn of_header(preset: &Preset, changes: &[Change], has: &Available<'_>) -> Result<Mapping, Problem> {
    if has.columns.iter().any(|name| is_like_hash(name)) {
        return Err(no_header(has.source));
    }
    // A spreadsheet writes columns without a name as well, so that alone is no error.
    let is_header = has.columns.iter().all(|name| !name.trim().is_empty());
    let mapped = Mapping::new(preset, changes, has);
    mapped.map_err(|problem| if is_header { problem } else { no_header(has.source) })
}

/// The error about a CSV file that begins with a row. It shows nothing of that row: it has a hash.
fn no_header(name: &str) -> Problem {
    Problem::usage(
        format!("the first line of {name} is not a header"),
        "export with \\copy … CSV HEADER, or put the names of the columns on top: \
         id,username,password,…",
    )
}

/// Whether each line says that lictor exported it.
fn is_export(source: &Source) -> bool {
    let has_mark = |columns: &[String]| columns.iter().any(|column| column == Preset::LICTOR);
    source.format() == Format::JsonLines && source.columns().is_some_and(has_mark)
}

fn own_export(source: &Source, table: Option<&str>, changes: &[Change]) -> Result<Plan, Problem> {
    if source.format() != Format::JsonLines {
        return Err(Problem::usage(
            "the preset lictor is for what `lictor export` writes",
            "give that file, or name another preset with --preset",
        ));
    }
    if table.is_some() || !changes.is_empty() {
        return Err(Problem::usage(
            "an export of lictor has no table and no columns",
            "leave --table and --map out",
        ));
    }
    Ok(Plan { preset: Preset::LICTOR, mapping: None, unread: None })
}

/// Chooses the table of a database.
fn choose(source: &mut Source, preset: &Preset, table: Option<&str>) -> Result<(), Problem> {
    if source.format() != Format::Database {
        return table.map_or(Ok(()), |_| {
            Err(Problem::usage(
                format!("--table names a table, and {} is a file", source.describe()),
                "leave --table out",
            ))
        });
    }
    let table = table.unwrap_or(preset.table);
    match source.choose(table)? {
        true => Ok(()),
        false => Err(no_such_table(table, &source.tables()?, &source.describe())),
    }
}
