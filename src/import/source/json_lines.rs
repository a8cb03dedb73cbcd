//! JSON Lines: an object a line.

use std::collections::HashSet;
use std::fmt;
use std::io::Read;

use serde::de::{Deserializer as _, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::input::{Broken, Input};
use crate::store::foreign::Cell;

/// Bytes of a line, at most.
const MAX_LINE: usize = 256 << 10;
/// Keys of an object, at most.
const MAX_KEYS: usize = 1_000;

/// A reader of lines.
pub(crate) struct JsonLines<R> {
    input: Input<R>,
    text: Vec<u8>,
    /// The line in `text`, from 1.
    line: u64,
    /// The line in `text` is read again.
    again: bool,
    last: Next,
}

/// What there is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A line that is not empty, and whether it has a line end.
    Line(u64, bool),
    /// A line that is too long.
    Long(u64),
    /// The end.
    End,
}

impl<R: Read> JsonLines<R> {
    /// A reader of these bytes, of which a byte order mark has been removed.
    pub(crate) fn new(input: Input<R>) -> JsonLines<R> {
        JsonLines { input, text: Vec::new(), line: 0, again: false, last: Next::End }
    }

    /// Reads the next line that is not empty.
    pub(crate) fn read(&mut self) -> Result<Next, Broken> {
        if !std::mem::take(&mut self.again) {
            self.last = self.read_line()?;
        }
        Ok(self.last)
    }

    /// Makes the line that was read be read again.
    pub(crate) fn unread(&mut self) {
        self.again = true;
    }

    /// The line that was read.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Bytes that were used so far.
    pub(crate) fn used(&self) -> u64 {
        self.input.used()
    }

    fn read_line(&mut self) -> Result<Next, Broken> {
        loop {
            self.line += 1;
            let (ended, long) = self.take_line()?;
            if long && !ended {
                return Err(Broken::Ends(self.line));
            }
            if long {
                return Ok(Next::Long(self.line));
            }
            if !self.text.iter().all(u8::is_ascii_whitespace) {
                return Ok(Next::Line(self.line, ended));
            }
            if !ended {
                return Ok(Next::End);
            }
        }
    }

    /// Reads to the next LF; returns whether there was one, and whether the line is too long, of which
    /// only the beginning is kept then.
    fn take_line(&mut self) -> Result<(bool, bool), Broken> {
        self.text.clear();
        let mut long = false;
        loop {
            let piece = self.input.next()?;
            if piece.is_empty() {
                return Ok((false, long));
            }
            let end = piece.iter().position(|&byte| byte == b'\n');
            let part = &piece[..end.unwrap_or(piece.len())];
            long |= self.text.len() + part.len() > MAX_LINE;
            if !long {
                self.text.extend_from_slice(part);
            }
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok((true, long));
            }
        }
    }
}

/// A value of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Field {
    /// It is null, or missing.
    Null,
    /// Text; also that of a number, of true and false, and of a list of texts.
    Text(String),
    /// A list of something else, or an object.
    Nested(&'static str),
}

impl Field {
    fn of(value: Value) -> Field {
        match value {
            Value::Null => Field::Null,
            Value::String(text) => Field::Text(text),
            Value::Object(_) => Field::Nested("an object"),
            Value::Array(ref list) if !list.iter().all(Value::is_string) => {
                Field::Nested("a list of other values than texts")
            }
            other => Field::Text(other.to_string()),
        }
    }

    pub(crate) fn cell(&self) -> Cell<'_> {
        match self {
            Field::Null => Cell::Null,
            Field::Text(text) => Cell::of(text.as_bytes()),
            Field::Nested(what) => Cell::Unreadable(what),
        }
    }
}

/// Why a line cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// It ends too early.
    Ends,
    /// Something else; without any value of the line.
    Wrong(String),
}

/// Reads a line as text.
pub(crate) fn text(line: &[u8]) -> Result<&str, Bad> {
    std::str::from_utf8(line).map_err(|error| match error.error_len() {
        None => Bad::Ends,
        Some(_) => Bad::Wrong("not UTF-8".into()),
    })
}

/// Reads an object: the values of these keys.
pub(crate) fn fields(line: &str, keys: &[&str]) -> Result<Vec<Field>, Bad> {
    let mut fields: Vec<Field> = keys.iter().map(|_| Field::Null).collect();
    let found = object(line, |key| keys.iter().position(|wanted| *wanted == key))?;
    for (at, field) in found {
        fields[at] = field;
    }
    // A key may be asked for twice.
    for at in 1..keys.len() {
        if let Some(first) = keys[..at].iter().position(|key| *key == keys[at]) {
            fields[at] = fields[first].clone();
        }
    }
    Ok(fields)
}

/// Reads the keys of an object.
pub(crate) fn keys(line: &str) -> Result<Vec<String>, Bad> {
    let mut keys = Vec::new();
    object(line, |key| {
        keys.push(key.to_owned());
        None
    })?;
    Ok(keys)
}

/// Reads an object. Its syntax is checked as a whole. Returns the values for whose keys `place` returns
/// a number.
fn object(
    line: &str,
    place: impl FnMut(&str) -> Option<usize>,
) -> Result<Vec<(usize, Field)>, Bad> {
    // serde_json would repeat the value that is there instead.
    if !line.trim_start().starts_with('{') {
        return Err(Bad::Wrong("not a JSON object".into()));
    }
    // It refuses more than 128 levels.
    let mut reader = serde_json::Deserializer::from_str(line);
    let read = reader.deserialize_any(Object { place });
    read.and_then(|found| reader.end().map(|()| found)).map_err(|error| match error.is_eof() {
        true => Bad::Ends,
        // Ours, with a place at its end.
        false if error.is_data() => Bad::Wrong(first_part(&error.to_string())),
        false => Bad::Wrong(format!("not valid JSON at column {}", error.column())),
    })
}

fn first_part(message: &str) -> String {
    message.split(" at line ").next().unwrap_or_default().to_owned()
}

struct Object<F> {
    place: F,
}

impl<'a, F: FnMut(&str) -> Option<usize>> Visitor<'a> for Object<F> {
    type Value = Vec<(usize, Field)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'a>>(mut self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut seen, mut found) = (HashSet::new(), Vec::new());
        while let Some(key) = map.next_key::<String>()? {
            if seen.len() == MAX_KEYS {
                return Err(A::Error::custom("more than 1,000 keys"));
            }
            match (self.place)(&key) {
                Some(at) => found.push((at, Field::of(map.next_value()?))),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
            if !seen.insert(key) {
                return Err(A::Error::custom("a key is there twice"));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
