//! The command line: its commands, exit codes and messages. The environment is read here and nowhere
//! else, apart from NOTIFY_SOCKET and what completes a URL of PostgreSQL as libpq does.
//!
//! | file | owns |
//! |---|---|
//! | `serve`, `check`, `user`, `invite`, `keys`, `mail`, `audit` | a command each, with its flags |
//! | `database_copy` | `database copy` |
//! | `import`, `export` | accounts of another program, and the way out |
//! | `import_report` | what `import` prints |
//! | `reset_link` | `user reset-link` |
//! | `hash_cost` | what a password hash costs here, and what it could cost |
//! | `hash_timing`, `machine` | the time of a hash, the memory of the machine |
//! | `serve_flags`, `mail_flags`, `policy_flags`, `password_flags`, `hash_flags` | flags that commands share |
//! | `one_user`, `database` | which account, which database, and how they are opened |
//! | `key_source` | where the keys come from |
//! | `short_secret` | a SECRET_KEY that is too short to sign |
//! | `port`, `flask_env` | the variables of a host, and of the tutorial's app |
//! | `parse` | values of flags: durations, on or off |
//! | `prompt` | what is asked for on the terminal |
//! | `output`, `progress` | what commands print; the line that says how far one is |
//! | `words` | the library's messages in the words of the command line |
//! | `logging` | log lines |

mod audit;
mod check;
mod database;
mod database_copy;
mod export;
mod flask_env;
mod hash_cost;
mod hash_flags;
mod hash_timing;
mod import;
mod import_report;
mod invite;
mod key_source;
mod keys;
mod logging;
mod machine;
mod mail;
mod mail_flags;
mod one_user;
mod output;
mod parse;
mod password_flags;
mod policy_flags;
mod port;
mod progress;
mod prompt;
mod reset_link;
mod serve;
mod serve_flags;
mod short_secret;
mod user;
mod words;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Problem;
use logging::LogLevel;
use serve_flags::ServeFlags;

/// Login for small, self-hosted apps, in one file.
#[derive(Parser)]
#[command(
    name = "lictor",
    version,
    override_usage = "lictor [COMMAND]",
    after_help = "`lictor` alone is `lictor serve`. Every flag of `serve` can also be set as \
                  the environment variable that `lictor serve --help` names.\nExit codes: 0 done, 1 failed, 2 used wrongly."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve(ServeFlags),
    /// Print the configuration that `serve` would use, and what is wrong with it
    Check(check::CheckCommand),
    /// Manage users; works while the server runs
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// Invite people to register; works while the server runs
    Invite {
        #[command(subcommand)]
        command: invite::InviteCommand,
    },
    /// Manage the keys that sign and verify tokens; restart the server afterwards
    Key {
        #[command(subcommand)]
        command: keys::KeyCommand,
    },
    /// Manage the mails that wait to be sent; works while the server runs
    Mail {
        #[command(subcommand)]
        command: mail::MailCommand,
    },
    /// Move to another database
    Database {
        #[command(subcommand)]
        command: database_copy::DatabaseCommand,
    },
    /// Bring in the accounts of another program, with their passwords; works while the server runs
    Import(import::ImportCommand),
    /// Write all accounts with their hashes as JSON Lines; works while the server runs
    Export(export::ExportCommand),
    /// Show who did what, when, from where; the newest first
    Audit(audit::AuditCommand),
    /// Measure password hashes on this machine, and suggest settings for a time
    HashCost(hash_cost::HashCostCommand),
}

impl Command {
    /// The level of log lines: a flag of the server; other commands log warnings and errors.
    fn log_level(&self) -> LogLevel {
        match self {
            Command::Serve(flags) => flags.log,
            _ => LogLevel::Warn,
        }
    }

    /// Runs the command; returns the exit code.
    fn run(self) -> Result<ExitCode, Problem> {
        let done = match self {
            // Its report has said what is wrong.
            Command::Import(command) => {
                let done = import::run(&command)?;
                return Ok(if done { ExitCode::SUCCESS } else { ExitCode::FAILURE });
            }
            Command::Serve(flags) => serve::run(&flags),
            Command::Check(command) => check::run(&command),
            Command::User { command } => user::run(command),
            Command::Invite { command } => invite::run(command),
            Command::Key { command } => keys::run(command),
            Command::Mail { command } => mail::run(command),
            Command::Database { command } => database_copy::run(command),
            Command::Export(command) => export::run(&command),
            Command::Audit(command) => audit::run(&command),
            Command::HashCost(command) => hash_cost::run(&command),
        };
        done.map(|()| ExitCode::SUCCESS)
    }
}

/// Runs the program with these arguments; the exit code is 0, 1 (it failed) or 2 (used wrongly).
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args = with_default_command(args);
    let command = match Cli::try_parse_from(&args) {
        Ok(cli) => cli.command,
        Err(error) => return refuse(&error, &args),
    };
    logging::start(command.log_level());
    match command.run() {
        Ok(code) => code,
        Err(problem) => {
            let (what, next) = (words::in_flags(&problem.what), words::in_flags(&problem.next));
            let text = output::for_terminal(&format!("lictor: {what}\n  {next}"));
            // The exit code is the same if standard error is closed.
            let _ = writeln!(io::stderr(), "{text}");
            ExitCode::from(if problem.usage { 2 } else { 1 })
        }
    }
}

/// Says what is wrong with the arguments. Help and version are "errors" too, with exit code 0.
fn refuse(error: &clap::Error, args: &[OsString]) -> ExitCode {
    let shown = error.to_string();
    let safe = database::without_urls(&shown, args);
    if safe == shown {
        error.exit()
    }
    let _ = write!(io::stderr(), "{safe}");
    ExitCode::from(2)
}

/// `lictor` and `lictor --flag` mean `lictor serve` and `lictor serve --flag`.
fn with_default_command(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.collect();
    let general = ["-h", "--help", "-V", "--version"];
    let serve = match args.get(1).map(|arg| arg.to_string_lossy()) {
        None => true,
        Some(first) => first.starts_with('-') && !general.contains(&&*first),
    };
    if serve {
        args.insert(args.len().min(1), "serve".into());
    }
    args
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_command() {
        for (typed, expected) in [
            (vec!["lictor"], vec!["lictor", "serve"]),
            (vec!["lictor", "--listen", "x"], vec!["lictor", "serve", "--listen", "x"]),
            (vec!["lictor", "--help"], vec!["lictor", "--help"]),
            (vec!["lictor", "user", "list"], vec!["lictor", "user", "list"]),
        ] {
            let typed = typed.into_iter().map(OsString::from);
            assert_eq!(with_default_command(typed), expected);
        }
    }
}
