//! The command line: its commands, exit codes and messages. The environment is read here and nowhere
//! else, apart from NOTIFY_SOCKET and what completes a URL of PostgreSQL as libpq does.
//!
//! | file | owns |
//! |---|---|
//! | `serve`, `check`, `user`, `app_password`, `invite`, `keys`, `mail`, `audit` | a command each, with its flags |
//! | `first_admin` | what a start says while there is no administrator |
//! | `access` | `access explain` |
//! | `database_copy` | `database copy` |
//! | `backup`, `restore`, `backup_place` | a copy of a database in use, and back; names of backups |
//! | `restored_keys` | which keys a restore leaves, and which it brings back |
//! | `import`, `export` | accounts of another program, and the way out |
//! | `import_report` | what `import` prints |
//! | `reset_link` | `user reset-link` |
//! | `hash_cost` | what a password hash costs here, and what it could cost |
//! | `hash_timing`, `machine` | the time of a hash, the memory of the machine |
//! | `serve_flags`, `access_flags`, `brand_flags`, `mail_flags`, `policy_flags`, `password_flags`, `hash_flags` | flags that commands share |
//! | `one_user`, `database` | which account, which database, and how they are opened |
//! | `key_source` | where the keys come from |
//! | `short_secret` | a SECRET_KEY that is too short to sign |
//! | `secret_source` | secrets in variables, files and credentials |
//! | `reload` | settings that change without a restart |
//! | `port`, `flask_env` | the variables of a host, and of the tutorial's app |
//! | `environment` | variables that are misspelt, and flags whose value is from one |
//! | `env_file` | `--env-file` |
//! | `service` | the database of the systemd service, where there is none here |
//! | `command`, `flag`, `kind` | the tables of commands and flags, and what a flag can be |
//! | `args` | what people gave for the flags of a command |
//! | `typed` | the name of a database, as it was typed |
//! | `usage` | what is wrong with the arguments |
//! | `completions`, `man` | what shells complete, and the manual pages |
//! | `parse` | values of flags: durations, on or off |
//! | `prompt` | what is asked for on the terminal |
//! | `output`, `progress` | what commands print; the line that says how far one is |
//! | `words` | the library's messages in the words of the command line |
//! | `logging` | log lines |
//! | `health` | `health`: asks a running server |

mod access;
mod access_flags;
mod app_password;
mod args;
mod audit;
mod backup;
mod backup_place;
mod brand_flags;
mod check;
mod command;
mod completions;
mod database;
mod database_copy;
mod env_file;
mod environment;
mod export;
mod first_admin;
mod flag;
mod flask_env;
mod hash_cost;
mod hash_flags;
mod hash_timing;
mod health;
mod import;
mod import_report;
mod invite;
mod key_source;
mod keys;
mod kind;
mod logging;
mod machine;
mod mail;
mod mail_flags;
mod man;
mod one_user;
mod output;
mod parse;
mod password_flags;
mod policy_flags;
mod port;
mod progress;
mod prompt;
mod reload;
mod reset_link;
mod restore;
mod restored_keys;
mod secret_source;
mod serve;
mod serve_flags;
mod service;
mod short_secret;
mod typed;
mod usage;
mod user;
mod words;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

use clap::error::KindFormatter;

use crate::error::Problem;
use args::Args;
use command::{Command, above, command, find, question, with_commands, with_flags};
use flag::{Row, flag};
use kind::Kind;
use logging::{FORMATS, LEVELS, LogFormat, LogLevel};

/// The command that is meant where none is named.
const SERVE: &str = "serve";

/// The flag that says how log lines are written.
const LOG_FORMAT: &str = "--log-format";

const COMMANDS: &[Command] = &[
    command(SERVE, "Run the server (the default)", serve_flags::FLAGS, serve::run),
    command(
        "check",
        "Print the configuration that `serve` would use, and what is wrong with it",
        check::FLAGS,
        check::run,
    ),
    above("user", "Manage users; works while the server runs", user::COMMANDS),
    above(
        "app-password",
        "Manage app passwords, for programs that cannot log in; works while the server runs",
        app_password::COMMANDS,
    ),
    above("invite", "Invite people to register; works while the server runs", invite::COMMANDS),
    above(
        "key",
        "Manage the keys that sign and verify tokens; let the server reload afterwards",
        keys::COMMANDS,
    ),
    above(
        "mail",
        "Manage the mails that wait to be sent; works while the server runs",
        mail::COMMANDS,
    ),
    above("access", "Explain who may open the apps behind the proxy", access::COMMANDS),
    above("database", "Move to another database", database_copy::COMMANDS),
    command(
        "backup",
        "Copy the database and the keys; works while the server runs",
        backup::FLAGS,
        backup::run,
    )
    .after_help(backup::AFTER_HELP),
    command(
        "restore",
        "Put a backup in the place of the database; stop the server before",
        restore::FLAGS,
        restore::run,
    )
    .after_help(restore::AFTER_HELP),
    question(
        "import",
        "Bring in the accounts of another program, with their passwords; works while the server \
         runs",
        import::FLAGS,
        import::run,
    )
    .after_help(import::AFTER_HELP),
    command(
        "export",
        "Write all accounts with their hashes as JSON Lines; works while the server runs",
        export::FLAGS,
        export::run,
    )
    .after_help(export::AFTER_HELP),
    command(
        "audit",
        "Show who did what, when, from where; the newest first",
        audit::FLAGS,
        audit::run,
    ),
    command(
        "health",
        "Ask a running server whether it is well, in at most 2 seconds: for containers and \
         monitors",
        health::FLAGS,
        health::run,
    ),
    command(
        "hash-cost",
        "Measure password hashes on this machine, and suggest settings for a time",
        hash_cost::FLAGS,
        hash_cost::run,
    ),
    command(
        "completions",
        "Print a script with which a shell completes commands and flags",
        completions::FLAGS,
        completions::run,
    )
    .after_help(completions::AFTER_HELP)
    .for_packages(),
    command(
        "complete",
        "Print what can follow the words of a command line, for the scripts of `completions`",
        completions::WORDS,
        completions::complete,
    )
    .hidden()
    .for_packages(),
    command("man", "Print a manual page, or write all of them", man::FLAGS, man::run)
        .after_help(man::AFTER_HELP)
        .for_packages(),
];

/// The flags of every command.
const EVERYWHERE: &[Row] = &[
    // `env_file` takes it away before clap sees it; here it is for the help.
    flag("--env-file PATH", Kind::Path).everywhere().help(
        "File with environment variables, one a line, as in EnvironmentFile= of systemd; they \
         replace those of the environment. The service's file is /etc/lictor.env",
    ),
];

/// What the help of the program says at its end.
const AFTER_HELP: &str = "`lictor` alone is `lictor serve`. Every flag of `serve` can also be set as \
    the environment variable that `lictor serve --help` names.\nExit codes: 0 done, 1 failed, 2 used \
    wrongly.";

/// The definition of the command line for clap.
fn definition() -> clap::Command {
    let root = clap::Command::new("lictor")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Login for small, self-hosted apps, in one file")
        .override_usage("lictor [COMMAND]")
        .after_help(AFTER_HELP);
    // In this order: the help shows the flag of every command behind the first of the command's own.
    with_flags(with_commands(root, COMMANDS), EVERYWHERE)
}

/// The level of log lines, and their form: flags of the server; other commands log warnings and errors.
fn logging_of(command: &Command, args: &Args) -> (LogLevel, LogFormat) {
    match command.name {
        SERVE => (args.one_of("--log", &LEVELS), args.one_of("--log-format", &FORMATS)),
        _ => (LogLevel::Warn, LogFormat::Text),
    }
}

/// Runs the program with these arguments; the exit code is 0, 1 (it failed) or 2 (used wrongly).
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.collect();
    // So that a problem is JSON too if the env file, the arguments or the variables are wrong.
    if wants_json(&args) {
        logging::set_json();
    }
    match env_file::apply(args).and_then(run) {
        Ok(code) => code,
        Err(problem) => {
            show(&problem);
            ExitCode::from(if problem.usage { 2 } else { 1 })
        }
    }
}

/// Writes a problem to standard error: two lines for a person, or one as JSON.
fn show(problem: &Problem) {
    if logging::is_json() {
        let _ = writeln!(io::stderr(), "{}", logging::problem_line(problem));
        return;
    }
    let (what, next) = (words::in_flags(&problem.what), words::in_flags(&problem.next));
    let text = output::for_terminal(&format!("lictor: {what}\n  {next}"));
    // The exit code is the same if standard error is closed.
    let _ = writeln!(io::stderr(), "{text}");
}

fn run(args: Vec<OsString>) -> Result<ExitCode, Problem> {
    let (command, args) = parse(args)?;
    let (level, format) = logging_of(command, &args);
    logging::start(level, format);
    command.run(&args)
}

/// Parses the arguments of this process, which are those of `serve`, once more.
fn parse_again() -> Result<Args, Problem> {
    match parse(std::env::args_os().collect())? {
        (Command { name: SERVE, .. }, args) => Ok(args),
        _ => Err(Problem::usage("the server was not started by `lictor serve`", "restart it")),
    }
}

/// Parses the arguments, with the variables of the environment and of the env file; checks that lictor
/// knows its variables.
fn parse(args: Vec<OsString>) -> Result<(&'static Command, Args), Problem> {
    let args = with_default_command(args);
    let mut definition = environment::without_gone(definition());
    let with_flags = environment::with_flags(&definition, &args);
    let parsed = definition.try_get_matches_from_mut(with_flags);
    let named = environment::named(&definition, &args);
    words::note(environment::given(named, &args, |name| environment::variable(name).is_some()));
    let found = match parsed {
        Ok(found) => found,
        Err(error) => match usage::problem(&error, named, &args) {
            Some(problem) => return Err(problem),
            // Help and version are "errors" too.
            None => error.apply::<KindFormatter>().exit(),
        },
    };
    let (command, args) = find(COMMANDS, found);
    if command.reads_environment {
        environment::check(&definition, environment::all().into_iter())?;
    }
    Ok((command, args))
}

/// `lictor` and `lictor --flag` mean `lictor serve` and `lictor serve --flag`.
fn with_default_command(mut args: Vec<OsString>) -> Vec<OsString> {
    if lacks_command(&args) {
        args.insert(args.len().min(1), SERVE.into());
    }
    args
}

fn lacks_command(args: &[OsString]) -> bool {
    let general = ["-h", "--help", "-V", "--version"];
    args.get(1)
        .map(|arg| arg.to_string_lossy())
        .is_none_or(|first| first.starts_with('-') && !general.contains(&&*first))
}

/// Whether these are arguments of `serve`, and its log is to be JSON: what can be said before they are
/// parsed. The flag counts more than the variable.
fn wants_json(args: &[OsString]) -> bool {
    let flag = || {
        let at = args.iter().position(|arg| arg.as_bytes().starts_with(LOG_FORMAT.as_bytes()))?;
        match &args[at].as_bytes()[LOG_FORMAT.len()..] {
            [] => args.get(at + 1).map(|form| form == "json"),
            form => Some(form == b"=json"),
        }
    };
    let variable = || environment::variable("LICTOR_LOG_FORMAT").is_some_and(|form| form == "json");
    (lacks_command(args) || args[1] == SERVE) && flag().unwrap_or_else(variable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        definition().debug_assert();
    }

    #[test]
    fn json_is_asked_for_by_the_arguments_of_serve() {
        for (typed, expected) in [
            ("lictor --log-format json", true),
            ("lictor serve --listen x --log-format=json --wbe", true),
            ("lictor --env-file x --log-format json", true),
            ("lictor --log-format text", false),
            ("lictor --log-format", false),
            ("lictor", false),
            ("lictor --log json", false),
            ("lictor user list --log-format json", false),
            ("lictor --help --log-format json", false),
        ] {
            let typed: Vec<_> = typed.split(' ').map(OsString::from).collect();
            assert_eq!(wants_json(&typed), expected, "{typed:?}");
        }
        assert!(!wants_json(&[]));
    }

    #[test]
    fn serve_is_the_default_command() {
        for (typed, expected) in [
            (vec!["lictor"], vec!["lictor", "serve"]),
            (vec!["lictor", "--listen", "x"], vec!["lictor", "serve", "--listen", "x"]),
            (vec!["lictor", "--help"], vec!["lictor", "--help"]),
            (vec!["lictor", "user", "list"], vec!["lictor", "user", "list"]),
        ] {
            let typed = typed.into_iter().map(OsString::from).collect();
            assert_eq!(with_default_command(typed), expected);
        }
    }
}
