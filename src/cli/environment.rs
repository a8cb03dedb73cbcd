//! The environment variables that a command reads: which is misspelt, and which flags have their value
//! from one. No list of names stands here that clap has already.
//!
//! A process cannot change its environment, but a reload reads the env file again: its variables stand
//! before those of the process.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;

use clap::builder::Resettable;
use clap::{Arg, ArgAction, Command};

use super::env_file::{self, Entries};
use super::output::for_terminal;
use crate::error::Problem;
use crate::values::nearest;

/// What every variable of lictor's own begins with. Only these are looked at: the names of others
/// belong to other programs as well.
const PREFIX: &str = "LICTOR_";

/// Names without a flag, which are known and may have been meant.
const WITHOUT_FLAG: &[&str] = &[
    "SECRET_KEY",
    "SECRET_KEY_FILE",
    "PORT",
    "DATABASE_URL",
    "DATABASE_URL_FILE",
    "LICTOR_DATABASE_FILE",
    "LICTOR_MAIL_FILE",
    "LICTOR_MAIL_PASSWORD",
    "LICTOR_MAIL_PASSWORD_FILE",
    env_file::VARIABLE,
    env_file::RELOAD_VARIABLE,
];

/// Names of this kind that are for other programs: the project's own tests, and what Kubernetes gives
/// every container beside a service that is called lictor.
const FOR_OTHERS: &[&str] = &["LICTOR_BIN", "LICTOR_TEST_", "LICTOR_SERVICE_", "LICTOR_PORT_"];

/// The most variables that one message names.
const MAX_NAMED: usize = 8;
/// The most characters of a name that are read; all of ours have fewer.
const MAX_NAME: usize = 64;

/// An error if the environment has a variable of lictor's that lictor does not know. Its value may be
/// a secret, and is not shown.
pub(super) fn check(
    definition: &Command,
    set: impl Iterator<Item = (OsString, OsString)>,
) -> Result<(), Problem> {
    let mut known = WITHOUT_FLAG.to_vec();
    collect(definition, &mut known);
    let is_known = |name: &str| known.contains(&name);
    let mut unknown: Vec<String> = set
        .filter(|(_, value)| !is_link(value))
        .map(|(name, _)| name.to_string_lossy().chars().take(MAX_NAME).collect::<String>())
        .filter(|name| name.starts_with(PREFIX) && !is_known(name))
        .filter(|name| !FOR_OTHERS.iter().any(|other| name.starts_with(other)))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    unknown.sort();
    unknown.truncate(MAX_NAMED);
    let meant = |name: &String| {
        let bare = name.strip_prefix(PREFIX).unwrap_or(name);
        match nearest(&[name, bare], &known) {
            Some(meant) => format!("{meant} instead of {name}"),
            None => format!("nothing instead of {name}"),
        }
    };
    let next: Vec<String> = unknown.iter().map(meant).collect();
    let (is, names) = (if unknown.len() == 1 { "is" } else { "are" }, unknown.join(", "));
    Err(Problem::usage(
        for_terminal(&format!("{names} {is} set, and lictor has no such variable")),
        for_terminal(&format!("set {}; all names: lictor serve --help", next.join(", "))),
    ))
}

/// Whether a value is what Kubernetes and Docker give as the address of another container, such as
/// `LICTOR_PORT=tcp://10.0.0.1:5000`.
fn is_link(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.starts_with("tcp://") || text.starts_with("udp://"))
}

/// Collects the names of the variables of a command and of those below it.
fn collect<'a>(command: &'a Command, known: &mut Vec<&'a str>) {
    known.extend(command.get_arguments().filter_map(name_of));
    command.get_subcommands().for_each(|below| collect(below, known));
}

fn name_of(arg: &Arg) -> Option<&str> {
    arg.get_env().and_then(OsStr::to_str)
}

/// The command that these arguments name.
pub(super) fn named<'a>(definition: &'a Command, args: &[OsString]) -> &'a Command {
    let mut command = definition;
    for arg in args.iter().skip(1) {
        match command.find_subcommand(arg) {
            Some(below) => command = below,
            None => break,
        }
    }
    command
}

/// The flags of a command whose value is from the environment, each with the variable.
pub(super) fn given(
    command: &Command,
    args: &[OsString],
    is_set: impl Fn(&str) -> bool,
) -> Vec<(String, String)> {
    let given = command.get_arguments().filter_map(|arg| {
        let (flag, variable) = (format!("--{}", arg.get_long()?), name_of(arg)?);
        let typed = args.iter().filter_map(|arg| arg.to_str()).any(|arg| {
            arg.strip_prefix(flag.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        });
        (!typed && is_set(variable)).then(|| (flag, variable.to_owned()))
    });
    given.collect()
}

thread_local! {
    /// What the env file holds at a reload.
    static FILE: RefCell<Entries> = const { RefCell::new(Vec::new()) };
    /// The variables that it held at the start, and holds no more.
    static GONE: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// What the process has of the env file of its start.
#[derive(Debug, Default)]
pub(super) struct OfStart {
    /// The variables that have the values of the file.
    taken: Vec<String>,
    /// Those that have another value, or were unset: the file is not what decides about them.
    overruled: Vec<String>,
}

impl OfStart {
    /// Compares the file with the environment.
    pub(super) fn read() -> Result<OfStart, Problem> {
        let entries = read_file()?;
        let mut of_start = OfStart::default();
        for (name, _) in &entries {
            let same = std::env::var_os(name).as_deref() == env_file::value(&entries, name);
            let names = if same { &mut of_start.taken } else { &mut of_start.overruled };
            names.push(name.clone());
        }
        Ok(of_start)
    }

    /// Reads the file again, if there is one, and returns what `read` makes of the variables.
    pub(super) fn with_file<T>(
        &self,
        read: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut entries = read_file()?;
        entries.retain(|(name, _)| !self.overruled.contains(name));
        let is_gone = |name: &&String| entries.iter().all(|(one, _)| one != *name);
        GONE.set(self.taken.iter().filter(is_gone).cloned().collect());
        FILE.set(entries);
        let made = read();
        FILE.take();
        GONE.take();
        made
    }
}

fn read_file() -> Result<Entries, Problem> {
    Ok(env_file::path().as_deref().map(env_file::read).transpose()?.unwrap_or_default())
}

fn is_gone(name: &str) -> bool {
    GONE.with_borrow(|gone| gone.iter().any(|one| one == name))
}

/// The definition of the command line without the variables that are gone, which clap reads in the
/// environment of the process.
pub(super) fn without_gone(definition: Command) -> Command {
    if GONE.with_borrow(Vec::is_empty) {
        return definition;
    }
    let keep = |arg: Arg| match name_of(&arg).is_some_and(is_gone) {
        true => arg.env(Resettable::Reset),
        false => arg,
    };
    definition.mut_subcommand("serve", |serve| serve.mut_args(keep))
}

/// All variables. Some may be there twice.
pub(super) fn all() -> Vec<(OsString, OsString)> {
    let of_file = |file: &Entries| {
        file.iter().map(|(name, value)| (name.into(), value.as_str().into())).collect()
    };
    let mut all: Vec<_> = FILE.with_borrow(of_file);
    all.extend(std::env::vars_os().filter(|(name, _)| !name.to_str().is_some_and(is_gone)));
    all
}

/// Returns the value of a variable.
pub(super) fn variable(name: &str) -> Option<OsString> {
    of_file(name).or_else(|| std::env::var_os(name).filter(|_| !is_gone(name)))
}

fn of_file(name: &str) -> Option<OsString> {
    FILE.with_borrow(|file| {
        let (_, value) = file.iter().rfind(|(one, _)| one == name)?;
        Some(value.as_str().into())
    })
}

/// Whether this text is the value of a variable of the env file.
pub(super) fn is_of_file(text: &OsStr) -> bool {
    FILE.with_borrow(|file| file.iter().any(|(_, value)| value.as_bytes() == text.as_bytes()))
}

/// Adds the variables of the env file to the arguments, as flags in front of those that were typed.
/// clap itself only sees the environment of the process. A flag that was typed stays alone.
pub(super) fn with_flags(command: &Command, args: &[OsString]) -> Vec<OsString> {
    let (mut command, mut at) = (command, args.len().min(1));
    while let Some(next) = args.get(at).and_then(|name| command.find_subcommand(name)) {
        (command, at) = (next, at + 1);
    }
    let mut all = args[..at].to_vec();
    for arg in command.get_arguments() {
        let (Some(long), Some(name)) = (arg.get_long(), arg.get_env()) else { continue };
        let Some(value) = name.to_str().and_then(of_file) else { continue };
        let flag = format!("--{long}");
        let is_it = |typed: &OsString| {
            let rest = typed.as_bytes().strip_prefix(flag.as_bytes());
            rest.is_some_and(|rest| rest.is_empty() || rest[0] == b'=')
        };
        let is_off = matches!(arg.get_action(), ArgAction::SetTrue) && value == "false";
        if !args[at..].iter().any(is_it) && !is_off {
            let mut flag = OsString::from(flag);
            if !matches!(arg.get_action(), ArgAction::SetTrue) || value != "true" {
                flag.push("=");
                flag.push(value);
            }
            all.push(flag);
        }
    }
    all.extend_from_slice(&args[at..]);
    all
}

#[cfg(test)]
mod tests {
    use zeroize::Zeroizing;

    use super::*;

    fn checked(set: &[(&str, &str)]) -> Result<(), Problem> {
        let set = set.iter().map(|(name, value)| (name.into(), value.into()));
        check(&super::super::definition(), set)
    }

    #[test]
    fn a_misspelt_variable_is_named_with_the_one_that_was_meant() {
        for (name, meant) in [
            ("LICTOR_REGISTRATON", "LICTOR_REGISTRATION"),
            ("LICTOR_DATABSE", "LICTOR_DATABASE"),
            ("LICTOR_SECRET_KEY", "SECRET_KEY"),
            ("LICTOR_JWT_ALGORITHM", "JWT_ALGORITHM"),
            ("LICTOR_ACCESS_LIFESPAN", "JWT_ACCESS_LIFESPAN"),
            ("LICTOR_DATABASE_URL", "DATABASE_URL"),
            ("LICTOR_TRUSTED_PROXIES", "LICTOR_TRUSTED_PROXY"),
            ("LICTOR_PORT", "PORT"),
            ("LICTOR_LOGLEVEL", "nothing"),
            ("LICTOR_", "nothing"),
            ("LICTOR_\u{1b}[2J", "nothing"),
        ] {
            let problem = checked(&[(name, "hunter2")]).unwrap_err();
            assert!(problem.usage && problem.next.starts_with(&format!("set {meant} instead of")));
            assert!(!problem.to_string().contains("hunter2"), "{problem}");
            assert!(!problem.to_string().contains('\u{1b}'), "{problem}");
        }
        let long = format!("LICTOR_{}", "A".repeat(100_000));
        assert!(checked(&[(&long, "")]).unwrap_err().to_string().len() < 300);
        let several = checked(&[("LICTOR_B", ""), ("PATH", "x"), ("LICTOR_A", "")]).unwrap_err();
        assert!(several.what.starts_with("LICTOR_A, LICTOR_B are set"), "{several}");
    }

    #[test]
    fn variables_of_other_programs_do_not_matter() {
        for (name, value) in [
            ("LICTOR_LISTEN", "x"),
            ("LICTOR_ADOPT_TOKENS", "x"),
            ("JWT_ALGORITHM", "x"),
            ("JWT_ALGORITM", "x"),
            ("LICTOR", "x"),
            ("MYLICTOR_DATABSE", "x"),
            ("LICTOR_BIN", "x"),
            ("LICTOR_TEST_POSTGRES", "x"),
            ("LICTOR_SERVICE_HOST", "10.0.0.1"),
            ("LICTOR_PORT", "tcp://10.0.0.1:5000"),
            ("LICTOR_PORT_5000_TCP_ADDR", "10.0.0.1"),
        ] {
            assert_eq!(checked(&[(name, value)]), Ok(()), "{name}");
        }
    }

    #[test]
    fn the_command_line_wins_over_the_environment() {
        let definition = super::super::definition();
        for (typed, set, expected) in [
            ("lictor serve", &["LICTOR_LISTEN"][..], &["--listen"][..]),
            ("lictor serve --listen x", &["LICTOR_LISTEN"], &[]),
            ("lictor serve --listen=x", &["LICTOR_LISTEN", "LICTOR_MAIL"], &["--mail"]),
            ("lictor serve --mail-from x", &["LICTOR_MAIL"], &["--mail"]),
            ("lictor user list", &["LICTOR_LISTEN", "LICTOR_DATABASE"], &["--database"]),
            ("lictor user nonsense", &["LICTOR_DATABASE"], &[]),
        ] {
            let args: Vec<OsString> = typed.split(' ').map(OsString::from).collect();
            let found = given(named(&definition, &args), &args, |name| set.contains(&name));
            let flags: Vec<&str> = found.iter().map(|(flag, _)| flag.as_str()).collect();
            assert_eq!(flags, expected, "{typed}");
        }
    }

    #[test]
    fn the_file_stands_before_the_environment_and_behind_what_was_typed() {
        let file = [
            ("LICTOR_LISTEN", "127.0.0.1:7"),
            ("LICTOR_CORS_ORIGIN", "http://a,http://b"),
            ("LICTOR_CORS_ORIGIN", "http://c"),
            ("LICTOR_ADOPT_TOKENS", "true"),
            ("LICTOR_MAIL", ""),
            ("HOME", "/nowhere"),
        ];
        let variables =
            file.map(|(name, value)| (name.to_owned(), Zeroizing::new(value.to_owned())));
        FILE.set(variables.to_vec());
        let check = |typed: &[&str], expected: &[&str]| {
            let typed: Vec<_> = typed.iter().map(OsString::from).collect();
            let mut found = with_flags(&super::super::definition(), &typed);
            found.sort();
            let mut expected: Vec<_> = expected.iter().map(OsString::from).collect();
            expected.sort();
            assert_eq!(found, expected);
        };
        let all = ["--listen=127.0.0.1:7", "--cors-origin=http://c", "--adopt-tokens", "--mail="];
        check(&["lictor", "serve"], &[&["lictor", "serve"][..], &all].concat());
        check(
            &["lictor", "serve", "--mail=log:", "--cors-origin", "*", "--listen-x"],
            &["lictor", "serve", "--mail=log:", "--cors-origin", "*", "--listen-x", all[0], all[2]],
        );
        check(&["lictor", "user", "list"], &["lictor", "user", "list"]);
        check(&["lictor"], &["lictor"]);
        assert_eq!(variable("HOME"), Some("/nowhere".into()));
        assert!(variable("PATH").is_some() && variable("NOBODY_SETS_THIS").is_none());
        assert!(is_of_file(OsStr::new("127.0.0.1:7")) && !is_of_file(OsStr::new("127.0.0.1:8")));
        FILE.take();
        assert_ne!(variable("HOME"), Some("/nowhere".into()));
    }
}
