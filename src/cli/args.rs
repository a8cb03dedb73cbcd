//! What people gave for the flags of a command, read by name.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::ArgMatches;

use super::flag::id;
use super::kind::{Choices, Value};
use super::typed::Typed;
use crate::clock::Timestamp;
use crate::import::Change;

/// The values of the flags of one command. A name is as in the table: `--listen`, or `NAME`.
pub(super) struct Args(ArgMatches);

impl Args {
    pub(super) fn new(found: ArgMatches) -> Args {
        Args(found)
    }

    /// Whether a switch is on.
    pub(super) fn is_given(&self, name: &'static str) -> bool {
        self.0.get_flag(id(name))
    }

    /// The value of a flag that may be left out.
    pub(super) fn get<'a, T: Read<'a>>(&'a self, name: &'static str) -> Option<T> {
        self.0.get_one(id(name)).map(|value| read(name, value))
    }

    /// The value of a flag with a default, or of an argument that must be given.
    pub(super) fn value<'a, T: Read<'a>>(&'a self, name: &'static str) -> T {
        self.get(name).unwrap_or_else(|| undefined(name))
    }

    /// All values of a flag that can be given several times.
    pub(super) fn list<'a, T: Read<'a>>(&'a self, name: &'static str) -> Vec<T> {
        let values = self.0.get_many(id(name)).into_iter().flatten();
        values.map(|value| read(name, value)).collect()
    }

    /// What the word of a flag stands for; `None` if the flag is not given.
    pub(super) fn get_one_of<T: Copy>(
        &self,
        name: &'static str,
        choices: &Choices<T>,
    ) -> Option<T> {
        let word: &str = self.get(name)?;
        let choice = choices.0.iter().find(|(one, ..)| *one == word);
        Some(choice.unwrap_or_else(|| undefined(name)).2)
    }

    /// What the word of a flag with a default stands for.
    pub(super) fn one_of<T: Copy>(&self, name: &'static str, choices: &Choices<T>) -> T {
        self.get_one_of(name, choices).unwrap_or_else(|| undefined(name))
    }
}

fn read<'a, T: Read<'a>>(name: &'static str, value: &'a Value) -> T {
    T::read(value).unwrap_or_else(|| undefined(name))
}

/// A command reads a flag that its table does not have, or has as another kind: a mistake in the
/// program. `tests/suite/flags.rs` runs every command with each of its flags.
#[cold]
fn undefined(name: &str) -> ! {
    panic!("the table of this command does not have {name} so")
}

/// A type that a value can be read as; `None` if the value is of another kind.
pub(super) trait Read<'a>: Sized {
    fn read(value: &'a Value) -> Option<Self>;
}

/// Says which variant of [`Value`] a type is read from.
macro_rules! read {
    ($($type:ty: $variant:ident($value:ident) => $read:expr;)*) => {$(
        impl<'a> Read<'a> for $type {
            fn read(value: &'a Value) -> Option<$type> {
                match value {
                    Value::$variant($value) => $read,
                    _ => None,
                }
            }
        }
    )*};
}

read! {
    &'a str: Text(text) => Some(text);
    &'a Path: Path(path) => Some(path);
    &'a OsStr: Any(text) => Some(text);
    &'a Typed: Database(typed) => Some(typed);
    &'a Change: Column(change) => Some(change);
    i64: Number(number) => Some(*number);
    u32: Number(number) => u32::try_from(*number).ok();
    u16: Number(number) => u16::try_from(*number).ok();
    u64: Size(bytes) => Some(*bytes);
    Duration: Duration(duration) => Some(*duration);
    Option<Duration>: Optional(duration) => Some(*duration);
    SocketAddr: Address(address) => Some(*address);
    Timestamp: Date(second) => Some(*second);
}
