//! What is wrong with the arguments, in our words: a line that names the flag or the variable, and a line
//! with the next step. Values may hold a password, so a URL is cut after its scheme.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::error::Problem;

/// The most characters of a value that are repeated.
const MAX_SHOWN: usize = 80;

/// The problem that an error of clap tells of; `None` if it is no problem, but help or the version.
pub(super) fn problem(error: &clap::Error, named: &Command, args: &[OsString]) -> Option<Problem> {
    use ErrorKind as Kind;
    let help = format!("see {} --help", named.get_bin_name().unwrap_or("lictor"));
    let (what, next) = match error.kind() {
        Kind::DisplayHelp
        | Kind::DisplayVersion
        | Kind::DisplayHelpOnMissingArgumentOrSubcommand => return None,
        Kind::InvalidValue | Kind::ValueValidation => about_value(error),
        _ => about_argument(error, named),
    };
    let next = next.unwrap_or(help);
    Some(Problem::usage(without_urls(&what, args), without_urls(&next, args)))
}

/// What clap tells of an error beside its kind.
fn context(error: &clap::Error, kind: ContextKind) -> Option<String> {
    error.get(kind).map(ContextValue::to_string).filter(|text| !text.is_empty())
}

/// The argument that an error is about.
fn argument(error: &clap::Error, kind: ContextKind) -> String {
    context(error, kind).map(|arg| bare(&arg)).unwrap_or_default()
}

/// What is wrong with a value, and the next step.
fn about_value(error: &clap::Error) -> (String, Option<String>) {
    let arg = argument(error, ContextKind::InvalidArg);
    let what = match context(error, ContextKind::InvalidValue) {
        Some(value) => format!("{arg} cannot be {:?}", shown(&value)),
        None => format!("{arg} has no value"),
    };
    let values = context(error, ContextKind::ValidValue);
    let values = values.map(|values| format!("write one of: {values}"));
    let why = std::error::Error::source(error).map(|why| why.to_string());
    (what, values.or(why))
}

/// What is wrong with an argument, and the next step.
fn about_argument(error: &clap::Error, named: &Command) -> (String, Option<String>) {
    let arg = argument(error, ContextKind::InvalidArg);
    let usage = || usage(error, named);
    let meant = |kind| {
        context(error, kind).map(|meant| format!("did you mean {}?", meant.replace(", ", " or ")))
    };
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(&arg, meant(ContextKind::SuggestedArg), usage()),
        ErrorKind::InvalidSubcommand => {
            let name = context(error, ContextKind::InvalidSubcommand).unwrap_or_default();
            let what = format!("there is no command {:?}", shown(&name));
            (what, meant(ContextKind::SuggestedSubcommand))
        }
        ErrorKind::MissingRequiredArgument => {
            let is = if arg.contains(", ") { "are" } else { "is" };
            (format!("{arg} {is} missing"), usage())
        }
        ErrorKind::ArgumentConflict => {
            let other = argument(error, ContextKind::PriorArg);
            match arg == other {
                // What clap says of a flag that is there twice.
                true => (format!("{arg} is given twice"), Some("give it once".into())),
                false => {
                    let what = format!("{arg} and {other} exclude each other");
                    (what, Some("give one of them".into()))
                }
            }
        }
        ErrorKind::TooManyValues if !arg.is_empty() => {
            (format!("{arg} takes no value"), Some(format!("write {arg} alone, or leave it out")))
        }
        kind => (kind.as_str().unwrap_or("the arguments are wrong").to_owned(), None),
    }
}

/// What is wrong with an argument that no command has, and the next step: the flag that was meant, or how the
/// command is written.
fn unknown(arg: &str, meant: Option<String>, usage: Option<String>) -> (String, Option<String>) {
    if arg == "--password" {
        let next = "a password is never an argument, which others could see: lictor asks for it, or reads \
                    it from standard input";
        return ("there is no flag --password".into(), Some(next.into()));
    }
    if arg.starts_with('-') {
        return (format!("there is no flag {}", shown(arg)), meant);
    }
    let next = match super::COMMANDS.iter().any(|command| command.name == arg) {
        true => Some(format!("put the command before its flags: lictor {arg}")),
        false => usage,
    };
    (format!("{:?} is one argument too many", shown(arg)), next)
}

/// How the command is written, without the flags that may be left out: clap shows those that were given,
/// and takes the variables of the env file for such flags.
fn usage(error: &clap::Error, named: &Command) -> Option<String> {
    let usage = context(error, ContextKind::Usage)?;
    let mut kept = Vec::new();
    let mut words = usage.split(' ');
    while let Some(word) = words.next() {
        let optional = |arg: &&clap::Arg| arg.get_long() == word.get(2..) && !arg.is_required_set();
        let flag = named.get_arguments().filter(|_| word.starts_with("--")).find(optional);
        match flag {
            Some(flag) if flag.get_action().takes_values() => drop(words.next()),
            Some(_) => {}
            None => kept.push(word),
        }
    }
    Some(kept.join(" ").replacen("Usage: ", "write ", 1))
}

/// The argument as people write it: `--listen` for `--listen <ADDR:PORT>`, `NAME` for `<NAME>`.
fn bare(arg: &str) -> String {
    let first =
        if arg.starts_with('-') { arg.split([' ', '=']).next().unwrap_or(arg) } else { arg };
    first.replace(['<', '>', '[', ']'], "")
}

/// A value as it may be repeated.
fn shown(value: &str) -> String {
    match value.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://…"),
        None if value.chars().count() > MAX_SHOWN => {
            value.chars().take(MAX_SHOWN).chain(['…']).collect()
        }
        None => value.to_owned(),
    }
}

/// A text in which every argument that is a URL is replaced by its scheme, as it may hold a password.
pub(super) fn without_urls(text: &str, arguments: &[OsString]) -> String {
    let mut text = text.to_owned();
    for argument in arguments {
        let argument = argument.to_string_lossy();
        if let Some((before, _)) = argument.split_once("://") {
            // The value of `--flag=value` begins after the sign.
            let start = before.rfind('=').map_or(0, |at| at + 1);
            text = text.replace(&argument[start..], &format!("{}://…", &before[start..]));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_out_of_a_text() {
        let arguments =
            ["lictor", "postgres://a:secret@h/b?x=1", "--listen=smtp://a:secret@h", "x"];
        let arguments = arguments.map(OsString::from);
        for (text, expected) in [
            ("unexpected 'postgres://a:secret@h/b?x=1' found", "unexpected 'postgres://…' found"),
            ("'smtp://a:secret@h' for '--listen'", "'smtp://…' for '--listen'"),
            ("'--listen=smtp://a:secret@h'", "'--listen=smtp://…'"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(without_urls(text, &arguments), expected);
        }
    }
}
