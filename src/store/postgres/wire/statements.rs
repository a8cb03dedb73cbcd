//! The prepared statements of one connection, and the messages that run one.

use std::collections::HashMap;
use std::error::Error;
use std::io;

use bytes::{BufMut, BytesMut};
use postgres_protocol::IsNull;
use postgres_protocol::message::frontend::{self, BindError};

use super::Statement;
use crate::store::driver::Value;

/// The type of text, as the element of an array.
const TEXT: u32 = 25;
/// What replaces a NUL, which PostgreSQL stores in no text.
const NO_NUL: &str = "\u{FFFD}";

/// The format of a value.
const AS_TEXT: i16 = 0;
const BINARY: i16 = 1;

/// The statements that are prepared on a connection. Their number is limited by the program: each is
/// a `'static` text, known by its place in memory.
#[derive(Debug, Default)]
pub(super) struct Statements {
    prepared: HashMap<Key, Prepared>,
    /// How many names were given; a name is never used twice.
    names: u64,
}

/// A statement that the server knows.
#[derive(Debug)]
pub(super) struct Prepared {
    name: String,
    /// The types of the columns that it answers; none if it answers no rows.
    pub(super) columns: Vec<u32>,
}

#[derive(Debug, PartialEq, Eq, Hash, Clone, Copy)]
struct Key(usize, usize);

/// A statement that is prepared by the messages that were just written.
#[derive(Debug)]
pub(super) struct Fresh {
    key: Key,
    name: String,
}

impl Fresh {
    /// Whether it is this statement.
    pub(super) fn is(&self, sql: &'static str) -> bool {
        self.key == key(sql)
    }
}

fn key(sql: &'static str) -> Key {
    Key(sql.as_ptr().addr(), sql.len())
}

impl Statements {
    pub(super) fn get(&self, sql: &'static str) -> Option<&Prepared> {
        self.prepared.get(&key(sql))
    }

    /// Remembers a statement, after the server has prepared and described it.
    pub(super) fn keep(&mut self, fresh: Fresh, columns: Vec<u32>) {
        self.prepared.insert(fresh.key, Prepared { name: fresh.name, columns });
    }

    /// Forgets all, so that each is prepared again.
    pub(super) fn forget(&mut self) {
        self.prepared.clear();
    }

    /// Writes the messages that run a statement. `pending` are those that earlier messages of the
    /// same batch prepare. Returns what has to be prepared first, if the statement is new.
    pub(super) fn write(
        &mut self,
        statement: &Statement<'_>,
        pending: &[Fresh],
        out: &mut BytesMut,
    ) -> io::Result<Option<Fresh>> {
        if let Some(prepared) = self.get(statement.sql) {
            execute(&prepared.name, statement.values, out)?;
            return Ok(None);
        }
        if let Some(fresh) = pending.iter().find(|fresh| fresh.is(statement.sql)) {
            execute(&fresh.name, statement.values, out)?;
            return Ok(None);
        }
        self.names += 1;
        let name = format!("s{}", self.names);
        frontend::parse(&name, statement.sql, [], out)?;
        frontend::describe(b'S', &name, out)?;
        execute(&name, statement.values, out)?;
        Ok(Some(Fresh { key: key(statement.sql), name }))
    }
}

/// Writes Bind and Execute, with the unnamed portal.
fn execute(name: &str, values: &[Value<'_>], out: &mut BytesMut) -> io::Result<()> {
    let formats = values.iter().map(format_of);
    frontend::bind("", name, formats, values, write_value, [BINARY], out).map_err(|error| {
        match error {
            BindError::Serialization(error) => error,
            BindError::Conversion(error) => io::Error::other(error),
        }
    })?;
    frontend::execute("", 0, out)
}

fn format_of(value: &Value<'_>) -> i16 {
    match value {
        // Both forms that PostgreSQL reads only as bytes and as an array.
        Value::Blob(_) | Value::Texts(_) => BINARY,
        // The server reads these as the type that the parameter has.
        Value::Null | Value::Integer(_) | Value::Boolean(_) | Value::Text(_) => AS_TEXT,
    }
}

fn write_value(
    value: &Value<'_>,
    out: &mut BytesMut,
) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
    match value {
        Value::Null => return Ok(IsNull::Yes),
        Value::Integer(number) => write_integer(*number, out),
        Value::Boolean(value) => out.put_u8(if *value { b't' } else { b'f' }),
        Value::Text(text) => write_text(text, out),
        Value::Blob(bytes) => out.put_slice(bytes),
        Value::Texts(texts) => write_texts(texts, out)?,
    }
    Ok(IsNull::No)
}

fn write_integer(number: i64, out: &mut BytesMut) {
    // The longest is -9223372036854775808.
    let mut digits = [0; 20];
    let mut at = digits.len();
    let mut left = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + (left % 10) as u8;
        left /= 10;
        if left == 0 {
            break;
        }
    }
    if number < 0 {
        out.put_u8(b'-');
    }
    out.put_slice(&digits[at..]);
}

fn write_text(text: &str, out: &mut BytesMut) {
    for (index, part) in text.split('\0').enumerate() {
        if index > 0 {
            out.put_slice(NO_NUL.as_bytes());
        }
        out.put_slice(part.as_bytes());
    }
}

/// An array of one dimension; of none if it is empty.
fn write_texts(texts: &[&str], out: &mut BytesMut) -> io::Result<()> {
    let too_many = |_| io::Error::other("a value is too large");
    out.put_i32(i32::from(!texts.is_empty()));
    out.put_i32(0); // No element is NULL.
    out.put_u32(TEXT);
    if !texts.is_empty() {
        out.put_i32(i32::try_from(texts.len()).map_err(too_many)?);
        out.put_i32(1); // The number of the first element.
    }
    for text in texts {
        let at = out.len();
        out.put_i32(0);
        write_text(text, out);
        let length = i32::try_from(out.len() - at - 4).map_err(too_many)?;
        out[at..at + 4].copy_from_slice(&length.to_be_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_the_server_reads_them() {
        let cases: [(Value<'_>, Option<&[u8]>); 14] = [
            (Value::Null, None),
            (Value::Integer(0), Some(b"0")),
            (Value::Integer(-7), Some(b"-7")),
            (Value::Integer(i64::MAX), Some(b"9223372036854775807")),
            (Value::Integer(i64::MIN), Some(b"-9223372036854775808")),
            (Value::Boolean(true), Some(b"t")),
            (Value::Boolean(false), Some(b"f")),
            (Value::Text(""), Some(b"")),
            (Value::Text("\0a\0"), Some("\u{FFFD}a\u{FFFD}".as_bytes())),
            (Value::Blob(b""), Some(b"")),
            (Value::Blob(b"\0\xff"), Some(b"\0\xff")),
            (Value::Texts(&[]), Some(b"\0\0\0\0\0\0\0\0\0\0\0\x19")),
            (
                Value::Texts(&["ab", ""]),
                Some(
                    b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x02\0\0\0\x01\
                      \0\0\0\x02ab\0\0\0\0",
                ),
            ),
            (
                Value::Texts(&["\0"]),
                Some(
                    b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x01\0\0\0\x01\
                      \0\0\0\x03\xef\xbf\xbd",
                ),
            ),
        ];
        for (value, expected) in cases {
            let mut out = BytesMut::new();
            let null = matches!(write_value(&value, &mut out).unwrap(), IsNull::Yes);
            assert_eq!((!null).then_some(&out[..]), expected, "{value:?}");
        }
    }

    #[test]
    fn a_statement_is_prepared_once() {
        let statement = Statement { sql: "SELECT 1", values: &[] };
        let mut statements = Statements::default();
        let mut out = BytesMut::new();
        let mut written = |statements: &mut Statements, pending: &[Fresh]| {
            out.clear();
            let fresh = statements.write(&statement, pending, &mut out).unwrap();
            (fresh, out.starts_with(b"P"))
        };
        let (fresh, parse) = written(&mut statements, &[]);
        assert!(parse);
        // Again in the same batch; in another one, because that one failed; and when it is kept.
        let pending = [fresh.unwrap()];
        assert!(!written(&mut statements, &pending).1);
        let (fresh, parse) = written(&mut statements, &[]);
        assert!(parse);
        let fresh = fresh.unwrap();
        assert_ne!(fresh.name, pending[0].name);
        statements.keep(fresh, Vec::new());
        assert!(!written(&mut statements, &[]).1);
        statements.forget();
        assert!(written(&mut statements, &[]).1);
    }
}
