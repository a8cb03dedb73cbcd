//! Files with accounts of another program: CSV and JSON Lines.

use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::import::source::csv::{self, Csv, MAX_FIELDS};
use crate::import::source::input::Input;
use crate::import::source::json_lines::{self, Bad, Field, JsonLines};

/// The byte order mark of UTF-8, which both readers of CSV are spared.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The target: the first byte says how many bytes are read at once, the rest is a file.
pub fn rows(data: &[u8]) {
    let Some((&size, mut text)) = data.split_first() else { return };
    while let Some(rest) = text.strip_prefix(MARK) {
        text = rest;
    }
    let size = usize::from(size).max(1);
    let whole = records(text, usize::MAX);
    assert_eq!(whole, records(text, size), "cut into pieces of {size}");
    compare(text, &whole);
    round_trip(text);
    let whole = lines(text, usize::MAX);
    assert_eq!(whole, lines(text, size), "cut into pieces of {size}");
    whole.iter().for_each(|line| object(line));
}

/// Hands out at most so many bytes at once.
struct Cut<'a>(&'a [u8], usize);

impl Read for Cut<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.1.min(buffer.len());
        self.0.read(&mut buffer[..count])
    }
}

/// What was read: fields, or why not.
#[derive(Debug, PartialEq, Eq)]
enum Record {
    Fields(u64, Vec<Vec<u8>>),
    Refused(String),
}

fn records(text: &[u8], size: usize) -> Vec<Record> {
    let mut reader = Csv::new(Input::new(Cut(text, size)));
    let (mut found, mut last) = (Vec::new(), 0);
    loop {
        let next = reader.read();
        found.push(match next {
            Ok(csv::Next::Record(line) | csv::Next::Last(line)) => {
                assert!(line > last && reader.len() <= MAX_FIELDS, "{line} after {last}");
                last = line;
                let fields = (0..reader.len()).map(|at| reader.field(at).to_vec());
                Record::Fields(line, fields.collect())
            }
            Ok(csv::Next::End) => {
                assert_eq!(reader.used(), text.len() as u64);
                return found;
            }
            Ok(other) => Record::Refused(format!("{other:?}")),
            Err(broken) => {
                found.push(Record::Refused(format!("{broken:?}")));
                return found;
            }
        });
    }
}

/// Checks that csv-core finds the same fields, up to the first record that ours refuses.
fn compare(text: &[u8], found: &[Record]) {
    let mut reader = csv_core::Reader::new();
    let (mut fields, mut ends) = (vec![0; text.len() + 1], vec![0; MAX_FIELDS + 1]);
    let mut rest = text;
    for record in found {
        let Record::Fields(_, ours) = record else { return };
        let (mut bytes, mut count) = (0, 0);
        loop {
            let (result, used, written, ended) =
                reader.read_record(rest, &mut fields[bytes..], &mut ends[count..]);
            rest = &rest[used..];
            (bytes, count) = (bytes + written, count + ended);
            match result {
                csv_core::ReadRecordResult::InputEmpty => assert!(rest.is_empty()),
                csv_core::ReadRecordResult::Record => break,
                other => panic!("{other:?} instead of {ours:?}"),
            }
        }
        let starts = [0].into_iter().chain(ends[..count].iter().copied());
        let theirs: Vec<&[u8]> =
            starts.zip(&ends[..count]).map(|(start, &end)| &fields[start..end]).collect();
        assert_eq!(*ours, theirs);
    }
}

/// Checks that any fields, written with quotes, are read as the same fields.
fn round_trip(text: &[u8]) {
    let fields: Vec<&[u8]> = text.split(|&byte| byte == 0).take(MAX_FIELDS).collect();
    let mut line = Vec::new();
    for field in &fields {
        line.push(if line.is_empty() { b' ' } else { b',' });
        line.push(b'"');
        for &byte in *field {
            line.extend_from_slice(if byte == b'"' {
                b"\"\""
            } else {
                std::slice::from_ref(&byte)
            });
        }
        line.push(b'"');
    }
    if text.len() > 200_000 {
        return;
    }
    match &records(&line[1..], usize::MAX)[..] {
        [Record::Fields(1, found)] => assert_eq!(*found, fields),
        other => panic!("{other:?} instead of {fields:?}"),
    }
}

/// The lines of JSON Lines that are neither empty nor too long.
fn lines(text: &[u8], size: usize) -> Vec<Vec<u8>> {
    let mut reader = JsonLines::new(Input::new(Cut(text, size)));
    let (mut found, mut last) = (Vec::new(), 0);
    loop {
        match reader.read() {
            Ok(json_lines::Next::Line(line, _)) => {
                assert!(line > last, "{line} after {last}");
                last = line;
                found.push(reader.text().to_vec());
            }
            Ok(json_lines::Next::Long(_)) => {}
            Ok(json_lines::Next::End) | Err(_) => return found,
        }
    }
}

/// Checks that a generic reader finds the same in a line.
fn object(line: &[u8]) {
    let generic: Option<Map<String, Value>> = serde_json::from_slice(line).ok();
    let ours = json_lines::text(line).and_then(|text| {
        let keys = json_lines::keys(text)?;
        let asked: Vec<&str> = keys.iter().map(String::as_str).collect();
        let fields = json_lines::fields(text, &asked)?;
        Ok((keys, fields))
    });
    match (ours, generic) {
        (Ok((keys, fields)), Some(generic)) => {
            assert_eq!(keys.len(), generic.len(), "{generic:?}");
            for (key, field) in keys.iter().zip(&fields) {
                check(field, &generic[key]);
            }
        }
        (Err(Bad::Wrong(why)), Some(_)) => {
            assert!(["a key is there twice", "more than 1,000 keys"].contains(&&*why), "{why}");
        }
        (Err(_), None) => {}
        (ours, generic) => panic!("{ours:?} instead of {generic:?}"),
    }
}

fn check(field: &Field, expected: &Value) {
    let fits = match (field, expected) {
        (Field::Null, Value::Null) | (Field::Nested(_), Value::Object(_)) => true,
        (Field::Text(text), Value::String(expected)) => text == expected,
        (Field::Text(text), Value::Array(list)) => {
            list.iter().all(Value::is_string)
                && serde_json::from_str::<Value>(text).is_ok_and(|read| read == *expected)
        }
        (Field::Nested(_), Value::Array(list)) => !list.iter().all(Value::is_string),
        (Field::Text(text), Value::Bool(truth)) => text == if *truth { "true" } else { "false" },
        (Field::Text(text), Value::Number(number)) => {
            serde_json::from_str(text).is_ok_and(|read: serde_json::Number| read == *number)
        }
        _ => false,
    };
    assert!(fits, "{field:?} instead of {expected:?}");
}
