//! CSV as RFC 4180 describes it: fields between commas, lines that end with LF or CR LF, quotes that
//! are doubled inside a quoted field.
//!
//! This reader is ours because a record must not be guessed: csv-core takes text after a closing
//! quote as part of the field, so a file whose quotes are escaped with a backslash is read wrongly and
//! without an error. The fuzzers compare the two where both read a record.

use std::io::Read;

use super::input::{Broken, Input};

/// Bytes of a record, at most.
const MAX_RECORD: usize = 256 << 10;
/// Fields of a record, at most.
pub(crate) const MAX_FIELDS: usize = 1_000;

/// A reader of records.
pub(crate) struct Csv<R> {
    input: Input<R>,
    record: Record,
    /// The line that is read, from 1.
    line: u64,
}

/// The record that was read last.
#[derive(Debug, Default)]
struct Record {
    /// Its fields, one after the other, without quotes.
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    state: State,
    /// Why it cannot be read.
    bad: Option<&'static str>,
    /// Whether anything of it was seen.
    begun: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first byte of a field.
    #[default]
    Start,
    /// In a field without quotes.
    Plain,
    /// Between the quotes of a field.
    Quoted,
    /// After a quote between quotes: they end there, or it is the first of two.
    Quote,
    /// After a CR that is not between quotes.
    Return,
}

/// What there is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A record, on this line.
    Record(u64),
    /// The same, but the input ends without a line end, so the record may not be complete.
    Last(u64),
    /// A record that cannot be read, and why; what follows it can.
    Bad(u64, &'static str),
    /// The end.
    End,
}

impl<R: Read> Csv<R> {
    /// A reader of these bytes, of which a byte order mark has been removed.
    pub(crate) fn new(input: Input<R>) -> Csv<R> {
        Csv { input, record: Record::default(), line: 1 }
    }

    /// Reads the next record; empty lines are skipped.
    pub(crate) fn read(&mut self) -> Result<Next, Broken> {
        self.record.clear();
        let mut first = self.line;
        loop {
            let piece = self.input.next()?;
            if piece.is_empty() {
                return self.end(first);
            }
            let (used, done) = self.record.add(piece);
            // The piece that was used may have line ends between quotes, and in a record that is bad.
            self.line += count(&piece[..used], b'\n');
            self.input.consume(used);
            match done {
                Step::Goes => {}
                Step::Stray => return Err(Broken::StrayQuote(self.line)),
                Step::Ends if self.record.begun => return Ok(self.record.outcome(first)),
                Step::Ends => first = self.line,
            }
        }
    }

    fn end(&mut self, first: u64) -> Result<Next, Broken> {
        if !self.record.begun {
            return Ok(Next::End);
        }
        // A CR at the end is the half of a line end.
        match self.record.state {
            State::Quoted => return Err(Broken::OpenQuote(first)),
            _ => self.record.end_field(),
        }
        Ok(match self.record.outcome(first) {
            Next::Record(line) => Next::Last(line),
            other => other,
        })
    }

    /// The number of fields of the record.
    pub(crate) fn len(&self) -> usize {
        self.record.ends.len()
    }

    /// A field of the record; empty if it has not so many.
    pub(crate) fn field(&self, number: usize) -> &[u8] {
        let ends = &self.record.ends;
        let start = number.checked_sub(1).and_then(|before| ends.get(before)).copied();
        let end = ends.get(number).copied().unwrap_or_default();
        self.record.bytes.get(start.unwrap_or_default()..end).unwrap_or_default()
    }

    /// Bytes that were used so far.
    pub(crate) fn used(&self) -> u64 {
        self.input.used()
    }
}

/// How reading a piece ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The record goes on.
    Goes,
    /// The record has ended; or an empty line has, of which nothing is kept.
    Ends,
    /// Text follows a closing quote.
    Stray,
}

impl Record {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        (self.state, self.bad, self.begun) = (State::Start, None, false);
    }

    fn outcome(&self, line: u64) -> Next {
        match self.bad {
            Some(why) => Next::Bad(line, why),
            None => Next::Record(line),
        }
    }

    /// Adds what belongs to the record; returns how many bytes that are.
    fn add(&mut self, piece: &[u8]) -> (usize, Step) {
        let mut at = 0;
        while let Some(&byte) = piece.get(at) {
            let (used, step) = match self.state {
                State::Plain => self.plain(&piece[at..]),
                State::Quoted => (self.quoted(&piece[at..]), Step::Goes),
                State::Start => self.start(byte),
                State::Quote => (1, self.after_quote(byte)),
                State::Return if byte == b'\n' => (1, self.separate(byte)),
                State::Return => {
                    self.push(b"\r");
                    self.spoil("a carriage return without a line feed");
                    (self.state, self.begun) = (State::Plain, true);
                    (0, Step::Goes)
                }
            };
            at += used;
            if step != Step::Goes {
                return (at, step);
            }
        }
        (at, Step::Goes)
    }

    fn start(&mut self, byte: u8) -> (usize, Step) {
        match byte {
            b',' | b'\n' | b'\r' => return (1, self.separate(byte)),
            b'"' => self.state = State::Quoted,
            _ => self.state = State::Plain,
        }
        self.begun = true;
        (usize::from(byte == b'"'), Step::Goes)
    }

    fn plain(&mut self, piece: &[u8]) -> (usize, Step) {
        let special = |byte: &u8| matches!(byte, b'"' | b',' | b'\n' | b'\r');
        let length = piece.iter().position(special).unwrap_or(piece.len());
        self.push(&piece[..length]);
        match piece.get(length) {
            None => (length, Step::Goes),
            Some(b'"') => {
                self.push(b"\"");
                self.spoil("a quote in a field that does not begin with one");
                (length + 1, Step::Goes)
            }
            Some(&byte) => (length + 1, self.separate(byte)),
        }
    }

    fn quoted(&mut self, piece: &[u8]) -> usize {
        let Some(length) = piece.iter().position(|&byte| byte == b'"') else {
            self.push(piece);
            return piece.len();
        };
        self.push(&piece[..length]);
        self.state = State::Quote;
        length + 1
    }

    fn after_quote(&mut self, byte: u8) -> Step {
        match byte {
            b',' | b'\n' | b'\r' => self.separate(byte),
            b'"' => {
                self.push(b"\"");
                self.state = State::Quoted;
                Step::Goes
            }
            _ => Step::Stray,
        }
    }

    /// Takes a comma, LF or CR that is not between quotes.
    fn separate(&mut self, byte: u8) -> Step {
        if byte == b'\r' {
            self.state = State::Return;
            return Step::Goes;
        }
        self.begun |= byte == b',';
        if self.begun {
            self.end_field();
        }
        self.state = State::Start;
        if byte == b'\n' { Step::Ends } else { Step::Goes }
    }

    fn end_field(&mut self) {
        if self.ends.len() == MAX_FIELDS {
            self.spoil("more than 1,000 fields");
        } else {
            self.ends.push(self.bytes.len());
        }
    }

    fn push(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() > MAX_RECORD {
            self.spoil("longer than 256 KiB");
        } else {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Keeps the first reason.
    fn spoil(&mut self, why: &'static str) {
        self.bad.get_or_insert(why);
    }
}

fn count(bytes: &[u8], wanted: u8) -> u64 {
    bytes.iter().filter(|&&byte| byte == wanted).count() as u64
}

#[cfg(test)]
mod tests;
