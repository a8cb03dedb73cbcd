//! The table of commands: what each is called, what it takes, and the function that runs it. Makes
//! clap's definition of a table, and finds the row of the command that was typed.

use std::process::ExitCode;

use clap::ArgMatches;

use super::args::Args;
use super::flag::{Row, each_arg};
use crate::error::Problem;

/// A command, or a word above several.
pub(super) struct Command {
    pub(super) name: &'static str,
    about: &'static str,
    after_help: &'static str,
    hidden: bool,
    /// Whether the environment matters.
    pub(super) reads_environment: bool,
    flags: &'static [Row],
    action: Action,
}

#[derive(Clone, Copy)]
enum Action {
    Run(fn(&Args) -> Result<(), Problem>),
    /// The exit code is its answer.
    Answer(fn(&Args) -> Result<ExitCode, Problem>),
    Above(&'static [Command]),
}

/// A command that is run by this function.
pub(super) const fn command(
    name: &'static str,
    about: &'static str,
    flags: &'static [Row],
    run: fn(&Args) -> Result<(), Problem>,
) -> Command {
    Command::new(name, about, flags, Action::Run(run))
}

/// A command whose exit code is its answer.
pub(super) const fn question(
    name: &'static str,
    about: &'static str,
    flags: &'static [Row],
    answer: fn(&Args) -> Result<ExitCode, Problem>,
) -> Command {
    Command::new(name, about, flags, Action::Answer(answer))
}

/// A word above commands, such as `user`.
pub(super) const fn above(
    name: &'static str,
    about: &'static str,
    commands: &'static [Command],
) -> Command {
    Command::new(name, about, &[], Action::Above(commands))
}

impl Command {
    const fn new(
        name: &'static str,
        about: &'static str,
        flags: &'static [Row],
        action: Action,
    ) -> Command {
        let (after_help, hidden, reads_environment) = ("", false, true);
        Command { name, about, after_help, hidden, reads_environment, flags, action }
    }

    /// What the help says at its end.
    pub(super) const fn after_help(mut self, text: &'static str) -> Command {
        self.after_help = text;
        self
    }

    /// The help does not name it.
    pub(super) const fn hidden(mut self) -> Command {
        self.hidden = true;
        self
    }

    /// It builds a package: variables whose names are unknown do not matter.
    pub(super) const fn for_packages(mut self) -> Command {
        self.reads_environment = false;
        self
    }

    /// Runs the command; returns the exit code.
    pub(super) fn run(&self, args: &Args) -> Result<ExitCode, Problem> {
        match self.action {
            Action::Run(run) => run(args).map(|()| ExitCode::SUCCESS),
            Action::Answer(answer) => answer(args),
            Action::Above(_) => unreachable!("clap wants a command below {}", self.name),
        }
    }

    fn definition(&'static self) -> clap::Command {
        let mut made = clap::Command::new(self.name).about(self.about).hide(self.hidden);
        if !self.after_help.is_empty() {
            made = made.after_help(self.after_help);
        }
        made = with_flags(made, self.flags);
        match self.action {
            Action::Above(commands) => with_commands(made, commands),
            _ => made,
        }
    }
}

/// Adds the flags of a table.
pub(super) fn with_flags(mut made: clap::Command, flags: &'static [Row]) -> clap::Command {
    let mut args = Vec::new();
    each_arg(flags, &mut |arg| args.push(arg));
    for arg in args {
        made = made.arg(arg);
    }
    made
}

/// Adds the commands of a table, of which people must name one.
pub(super) fn with_commands(made: clap::Command, commands: &'static [Command]) -> clap::Command {
    let mut made = made.subcommand_required(true).arg_required_else_help(true);
    for command in commands {
        made = made.subcommand(command.definition());
    }
    made
}

/// The row of the command that was typed, and what was typed with it.
pub(super) fn find(
    commands: &'static [Command],
    mut found: ArgMatches,
) -> (&'static Command, Args) {
    let below = found.remove_subcommand();
    let command = below.as_ref().and_then(|(name, _)| commands.iter().find(|one| one.name == name));
    match (command, below) {
        (Some(Command { action: Action::Above(more), .. }), Some((_, below))) => find(more, below),
        (Some(command), Some((_, below))) => (command, Args::new(below)),
        // clap takes only commands of the definition, and wants one wherever there are some.
        _ => unreachable!("clap has found a command without a row"),
    }
}
