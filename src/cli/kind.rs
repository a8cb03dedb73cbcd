//! What a flag can be: how its text is read, and the value that it becomes. clap reads every value
//! through the one parser here, so that it is compiled for one type.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{
    PathBufValueParser, PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser,
};
use clap::parser::ValueSource;

use super::environment::is_of_file;
use super::parse;
use super::typed::Typed;
use crate::clock::Timestamp;
use crate::import::Change;

/// How the text of a flag or an argument is read.
pub(super) enum Kind {
    /// No text: the flag is given, or is not. A variable is `true` or `false`.
    Switch,
    /// Any text.
    Text,
    /// A path, which is not empty.
    Path,
    /// Anything, also what is not UTF-8.
    Any,
    /// A database. Any text: a URL may hold a password, so clap has no wrong one to show.
    Database,
    /// A whole number from the first to the second.
    Number(i64, i64),
    /// One of some words.
    OneOf(&'static dyn Words),
    /// What the function makes of it, or what to write instead.
    Parsed(fn(&str) -> Result<Value, String>),
}

/// An IP address and a port.
pub(super) const ADDRESS: Kind = Kind::Parsed(|text| parse::listen(text).map(Value::Address));
/// A number of bytes.
pub(super) const SIZE: Kind = Kind::Parsed(|text| parse::size(text).map(Value::Size));
/// A duration that may be zero.
pub(super) const DURATION: Kind = Kind::Parsed(|text| parse::duration(text).map(Value::Duration));
/// A duration of at least one second.
pub(super) const LIFESPAN: Kind = Kind::Parsed(|text| parse::lifespan(text).map(Value::Duration));
/// A duration of at least one second, or `off`.
pub(super) const LIFESPAN_OR_OFF: Kind =
    Kind::Parsed(|text| parse::optional_lifespan(text).map(Value::Optional));
/// The last second of a day.
pub(super) const DATE: Kind = Kind::Parsed(|text| parse::last_second(text).map(Value::Date));
/// A whole number that a u32 can hold.
pub(super) const COUNT: Kind = Kind::Number(0, u32::MAX as i64);

impl Kind {
    /// Whether what is not UTF-8 can be no value.
    fn is_text(&self) -> bool {
        matches!(self, Kind::Text | Kind::Number(..) | Kind::Parsed(_))
    }
}

/// What a text was read as.
#[derive(Clone)]
pub(super) enum Value {
    Text(String),
    Path(PathBuf),
    Any(OsString),
    Database(Typed),
    Number(i64),
    Size(u64),
    Duration(Duration),
    Optional(Option<Duration>),
    Address(SocketAddr),
    Date(Timestamp),
    Column(Change),
}

/// The words that a flag can be, each with what it means, if that is not plain, and with what the
/// program takes it for.
pub(super) struct Choices<T: 'static>(pub(super) &'static [(&'static str, &'static str, T)]);

/// `on` or `off`.
pub(super) const ON_OR_OFF: Choices<bool> = Choices(&[("on", "", true), ("off", "", false)]);

/// The words of [`Kind::OneOf`].
pub(super) trait Words: Sync {
    /// Each word, and what it means or nothing.
    fn words(&self) -> Vec<(&'static str, &'static str)>;
}

impl<T: Sync> Words for Choices<T> {
    fn words(&self) -> Vec<(&'static str, &'static str)> {
        self.0.iter().map(|(word, meaning, _)| (*word, *meaning)).collect()
    }
}

fn possible(words: &dyn Words) -> Vec<PossibleValue> {
    let value = |(word, meaning)| match meaning {
        "" => PossibleValue::new(word),
        meaning => PossibleValue::new(word).help(meaning),
    };
    words.words().into_iter().map(value).collect()
}

/// Reads a whole number; an error says what to write.
fn number(text: &str, least: i64, most: i64) -> Result<Value, String> {
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(Value::Number(number)),
        Ok(_) => Err(format!("write a number from {least} to {most}")),
        Err(_) => Err("write a whole number".to_owned()),
    }
}

/// Reads the text of a flag for clap.
#[derive(Clone)]
pub(super) struct Parser(pub(super) &'static Kind);

impl TypedValueParser for Parser {
    type Value = Value;

    fn parse_ref(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        text: &OsStr,
    ) -> Result<Value, clap::Error> {
        self.parse_ref_(command, arg, text, ValueSource::CommandLine)
    }

    fn parse_ref_(
        &self,
        command: &clap::Command,
        arg: Option<&clap::Arg>,
        text: &OsStr,
        source: ValueSource,
    ) -> Result<Value, clap::Error> {
        if self.0.is_text() && text.to_str().is_none() {
            let refuse = |_: &str| Err::<Value, _>("write it in UTF-8".to_owned());
            let shown = text.to_string_lossy();
            return TypedValueParser::parse_ref(&refuse, command, arg, OsStr::new(&*shown));
        }
        match *self.0 {
            Kind::Switch | Kind::Any => Ok(Value::Any(text.to_owned())),
            Kind::Database => {
                let on_command_line = source == ValueSource::CommandLine && !is_of_file(text);
                Ok(Value::Database(Typed { text: text.to_owned(), on_command_line }))
            }
            Kind::Text => StringValueParser::new().parse_ref(command, arg, text).map(Value::Text),
            Kind::Path => PathBufValueParser::new().parse_ref(command, arg, text).map(Value::Path),
            Kind::OneOf(words) => {
                // What is not UTF-8 is none of the words, and is shown as far as it can be.
                let text = text.to_string_lossy().into_owned();
                let parser = PossibleValuesParser::new(possible(words));
                parser.parse(command, arg, text.into()).map(Value::Text)
            }
            Kind::Number(least, most) => {
                let read = move |text: &str| number(text, least, most);
                TypedValueParser::parse_ref(&read, command, arg, text)
            }
            Kind::Parsed(read) => TypedValueParser::parse_ref(&read, command, arg, text),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        match *self.0 {
            Kind::OneOf(words) => Some(Box::new(possible(words).into_iter())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_and_in_its_range() {
        let check = |text: &str, expected: Result<i64, &str>| {
            let found = number(text, 8, 64).map(|value| match value {
                Value::Number(number) => number,
                _ => 0,
            });
            assert_eq!(found, expected.map_err(str::to_owned), "{text:?}");
        };
        check("8", Ok(8));
        check("64", Ok(64));
        for outside in ["7", "65", "-8"] {
            check(outside, Err("write a number from 8 to 64"));
        }
        for text in ["", "x", "8.5", "0x8", "99999999999999999999"] {
            check(text, Err("write a whole number"));
        }
    }

    #[test]
    fn words_stand_in_the_order_of_their_table() {
        assert_eq!(ON_OR_OFF.words(), [("on", ""), ("off", "")]);
        assert!(ON_OR_OFF.0.iter().any(|(word, _, value)| *word == "on" && *value));
    }
}
