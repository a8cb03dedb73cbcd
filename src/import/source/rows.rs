//! The rows of a file: which columns it has, and the cells of those that are asked for. Turns what
//! breaks into a problem that names the file and the row.

use std::io::Read;

use super::csv::{self, Csv};
use super::input::{Broken, Input};
use super::json_lines::{self, Bad, JsonLines};
use super::position::{OnRow, Position};
use crate::error::Problem;
use crate::store::source::{Cell, MAX_NAME};

/// The bytes of a file, or of standard input.
pub(crate) type Bytes = Box<dyn Read>;

/// What to do with a file that ends too early.
const AGAIN: &str = "nothing can be taken from an incomplete file: copy or export it again";
/// What to do with quotes that cannot be told apart.
const QUOTES: &str = "write each quote inside a field as two (\"\"), as RFC 4180 says; a program that \
                      writes \\\" has to be told so";

/// A CSV file, and its header.
pub(super) struct CsvRows {
    name: String,
    reader: Csv<Bytes>,
    pub(super) columns: Vec<String>,
}

impl CsvRows {
    /// Reads the header.
    pub(super) fn open(name: &str, bytes: Bytes) -> Result<CsvRows, Problem> {
        let mut reader = Csv::new(Input::new(bytes));
        let next = reader.read().map_err(|broken| problem(name, None, broken))?;
        let wrong = |why: &str| {
            Problem::new(
                format!("the header of {name} {why}"),
                "the first line must name the columns, for example: id,username,password; psql \
                 writes it with \\copy … CSV HEADER",
            )
        };
        match next {
            csv::Next::Record(_) | csv::Next::Last(_) => {}
            csv::Next::Bad(_, why) => return Err(wrong(&format!("cannot be read: {why}"))),
            csv::Next::End => return Err(wrong("is missing")),
        }
        let columns = header(&reader).map_err(|why| wrong(&why))?;
        Ok(CsvRows { name: name.to_owned(), reader, columns })
    }

    /// Hands each row to `on_row`; returns how many there were.
    pub(super) fn read(&mut self, columns: &[&str], on_row: OnRow<'_>) -> Result<u64, Problem> {
        let place = |name: &&str| {
            self.columns.iter().position(|column| column == name).ok_or_else(|| {
                Problem::usage(
                    format!("{} has no column {name}", self.name),
                    format!("it has {}", self.columns.join(", ")),
                )
            })
        };
        let places = columns.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let mut row = 0;
        loop {
            let next = self.reader.read();
            let next = next.map_err(|broken| problem(&self.name, Some(row), broken))?;
            row += 1;
            let (width, expected) = (self.reader.len(), self.columns.len());
            let (line, bad) = match next {
                csv::Next::End => return Ok(row - 1),
                csv::Next::Last(line) if width < expected => {
                    return Err(problem(&self.name, Some(row - 1), Broken::Ends(line)));
                }
                csv::Next::Record(line) | csv::Next::Last(line) if width != expected => {
                    (line, Some(instead(width, expected)))
                }
                csv::Next::Record(line) | csv::Next::Last(line) => (line, None),
                csv::Next::Bad(line, why) => (line, Some(why.to_owned())),
            };
            let read = self.reader.used();
            let position = Position { row, line: Some(line), read, raw: None };
            match bad {
                Some(why) => on_row(position, Err(&why))?,
                None => {
                    let cell = |place: &usize| Cell::of(self.reader.field(*place));
                    on_row(position, Ok(&places.iter().map(cell).collect::<Vec<_>>()))?;
                }
            }
        }
    }
}

/// Says that a row has another number of fields than the header.
fn instead(width: usize, expected: usize) -> String {
    let fields = if width == 1 { "field" } else { "fields" };
    format!("{width} {fields} instead of {expected}")
}

fn header<R: Read>(reader: &Csv<R>) -> Result<Vec<String>, String> {
    let mut columns: Vec<String> = Vec::with_capacity(reader.len());
    for number in 0..reader.len() {
        let name = match Cell::of(reader.field(number)) {
            Cell::Text(name) if name.len() <= MAX_NAME => name,
            Cell::Text(_) => {
                return Err(format!("has a name of more than {MAX_NAME} bytes"));
            }
            Cell::Unreadable(why) => return Err(format!("cannot be read: {why}")),
            Cell::Null => "",
        };
        // A column without a name cannot be asked for, and spreadsheets write several.
        if !name.is_empty() && columns.iter().any(|other| other == name) {
            return Err("has a name twice, so it may be no header".into());
        }
        columns.push(name.to_owned());
    }
    match &columns[..] {
        [one] if one.contains([';', '\t']) => {
            Err("has no comma: fields are separated by commas, not semicolons or tabs; convert it"
                .into())
        }
        _ => Ok(columns),
    }
}

/// JSON Lines, and the keys of the first row.
pub(super) struct JsonRows {
    name: String,
    reader: JsonLines<Bytes>,
    pub(super) columns: Option<Vec<String>>,
}

impl JsonRows {
    /// Looks at the first row.
    pub(super) fn open(name: &str, bytes: Bytes) -> Result<JsonRows, Problem> {
        let mut reader = JsonLines::new(Input::new(bytes));
        let next = reader.read().map_err(|broken| problem(name, None, broken))?;
        let columns = match next {
            json_lines::Next::Line(..) => {
                json_lines::text(reader.text()).and_then(json_lines::keys).ok()
            }
            json_lines::Next::Long(_) | json_lines::Next::End => None,
        };
        reader.unread();
        Ok(JsonRows { name: name.to_owned(), reader, columns })
    }

    /// Hands each row to `on_row`; returns how many there were.
    pub(super) fn read(&mut self, columns: &[&str], on_row: OnRow<'_>) -> Result<u64, Problem> {
        let mut row = 0;
        loop {
            let next = self.reader.read();
            let next = next.map_err(|broken| problem(&self.name, Some(row), broken))?;
            row += 1;
            let read = self.reader.used();
            let position = |line| Position { row, line: Some(line), read, raw: None };
            let (line, ended) = match next {
                json_lines::Next::End => return Ok(row - 1),
                json_lines::Next::Long(line) => {
                    on_row(position(line), Err("longer than 256 KiB"))?;
                    continue;
                }
                json_lines::Next::Line(line, ended) => (line, ended),
            };
            let text = json_lines::text(self.reader.text());
            let raw = text.as_ref().ok().copied();
            let position = Position { raw, ..position(line) };
            match text.and_then(|text| json_lines::fields(text, columns)) {
                Ok(fields) => {
                    on_row(
                        position,
                        Ok(&fields.iter().map(json_lines::Field::cell).collect::<Vec<_>>()),
                    )?;
                }
                Err(Bad::Ends) if !ended => {
                    return Err(problem(&self.name, Some(row - 1), Broken::Ends(line)));
                }
                Err(Bad::Ends) => on_row(position, Err("the object does not end on its line"))?,
                Err(Bad::Wrong(why)) => on_row(position, Err(&why))?,
            }
        }
    }
}

/// Says why no further row can be read; `after` is the number of the last one, if the header was read.
pub(crate) fn problem(name: &str, after: Option<u64>, broken: Broken) -> Problem {
    let place = |line: u64| match after {
        Some(after) => format!("row {} (line {line})", after + 1),
        None => format!("the first row (line {line})"),
    };
    match broken {
        Broken::Io(error) => {
            let after = after.map_or(String::new(), |row| format!(" after row {row}"));
            Problem::new(format!("cannot read {name}{after}: {error}"), "read the file again")
                .with_source(error)
        }
        Broken::Ends(line) => {
            Problem::new(format!("{name} ends in the middle of {}", place(line)), AGAIN)
        }
        Broken::OpenQuote(line) => Problem::new(
            format!("{name} ends inside quotes that were opened in {}", place(line)),
            AGAIN,
        ),
        Broken::StrayQuote(line) => {
            Problem::new(format!("{name}: text follows a closing quote in {}", place(line)), QUOTES)
        }
    }
}
