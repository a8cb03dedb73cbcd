//! `lictor man`: manual pages, made of the definition of commands and flags: one for the program, and one
//! for each of its commands.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::{Arg, ArgAction, Command};

use super::args::Args;
use super::flag::{Row, flag};
use super::kind::Kind;
use super::output::print;
use crate::error::Problem;

/// The end of every page; the page to see follows.
const EXIT_STATUS: &str = ".SH EXIT STATUS\n0: done. 1: failed. 2: used wrongly.\n.SH SEE ALSO\n";

pub(super) const AFTER_HELP: &str = "\
Examples:
  lictor man user | man -l -
  lictor man --dir /usr/local/share/man/man1";

pub(super) const FLAGS: &[Row] = &[
    flag("[COMMAND]", Kind::Text)
        .help("The command whose page is printed; that of the program if it is left out"),
    flag("--dir DIR", Kind::Path)
        .excludes(&["COMMAND"])
        .help("A directory to write all pages into; made if it does not exist"),
];

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let mut definition = super::definition();
    definition.build();
    let name: &str = match (args.get("--dir"), args.get("[COMMAND]")) {
        (Some(dir), _) => return write_all(&definition, dir),
        (None, None) => return print(page(&definition, &definition).trim_end()),
        (None, Some(name)) => name,
    };
    match commands(&definition).find(|one| one.get_name() == name) {
        Some(one) => print(page(&definition, one).trim_end()),
        None => Err(Problem::usage(
            format!("there is no command {name:?}"),
            "see which there are: lictor --help",
        )),
    }
}

/// The commands that have a page.
fn commands(definition: &Command) -> impl Iterator<Item = &Command> {
    let shown = |command: &&Command| !command.is_hide_set() && command.get_name() != "help";
    definition.get_subcommands().filter(shown)
}

fn write_all(definition: &Command, dir: &Path) -> Result<(), Problem> {
    let write = |command| {
        let path = dir.join(format!("{}.1", title(definition, command)));
        fs::write(path, page(definition, command))
    };
    let written = fs::create_dir_all(dir)
        .and_then(|()| std::iter::once(definition).chain(commands(definition)).try_for_each(write));
    written.map_err(|error| {
        Problem::new(
            format!("cannot write the pages into {}: {error}", dir.display()),
            "give another directory with --dir",
        )
        .with_source(error)
    })
}

/// The name of a page: `lictor` or `lictor-user`.
fn title(definition: &Command, command: &Command) -> String {
    match std::ptr::eq(definition, command) {
        true => "lictor".into(),
        false => format!("lictor-{}", command.get_name()),
    }
}

/// A page in the language of man(7).
fn page(definition: &Command, command: &Command) -> String {
    let is_program = std::ptr::eq(definition, command);
    let title = title(definition, command);
    // Names of variables and flags are not hyphenated.
    let mut text = format!(
        ".TH {} 1 \"\" \"lictor {}\" \"lictor\"\n.nh\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n",
        escaped(&title.to_uppercase()),
        env!("CARGO_PKG_VERSION"),
        escaped(&title),
        escaped(about(command).trim_end_matches('.')),
    );
    if is_program {
        of_program(&mut text, definition);
        return text;
    }
    let below =
        command.get_subcommands().filter(|one| !one.is_hide_set() && one.get_name() != "help");
    let mut parts: Vec<&Command> = below.collect();
    if parts.is_empty() {
        parts.push(command);
    }
    for part in &parts {
        synopsis(&mut text, part);
    }
    text += ".SH DESCRIPTION\n";
    for part in &parts {
        description(&mut text, part, parts.len() > 1);
    }
    arguments(&mut text, &parts);
    text += EXIT_STATUS;
    text += "\\fBlictor\\fR(1)\n";
    text
}

/// The rest of the program's page.
fn of_program(text: &mut String, definition: &Command) {
    *text += "\\fBlictor\\fR [\\fICOMMAND\\fR]\n.SH COMMANDS\n";
    for command in commands(definition) {
        let name = escaped(&format!("lictor-{}", command.get_name()));
        let _ = write!(text, ".TP\n\\fB{name}\\fR(1)\n{}\n", escaped(&about(command)));
    }
    arguments(text, &[definition]);
    let more = definition.get_after_help().map(ToString::to_string);
    // Its second line is about exit codes, which have a section.
    if let Some(more) = more.as_deref().and_then(|more| more.lines().next()) {
        let _ = write!(text, ".SH NOTES\n{}", paragraphs(more));
    }
    *text += EXIT_STATUS;
    *text += "\\fBlictor\\-serve\\fR(1)\n";
}

/// How a command is written, with its flags in brackets.
fn synopsis(text: &mut String, command: &Command) {
    let name = command.get_bin_name().unwrap_or("lictor");
    let _ = write!(text, ".HP\n\\fB{}\\fR", escaped(name));
    // What every command has is left out here.
    let everywhere = |arg: &Arg| arg.is_global_set() || arg.get_id() == "help";
    for arg in described(command).filter(|arg| !arg.is_positional() && !everywhere(arg)) {
        let _ = write!(text, "\n[{}]", written(arg));
    }
    for arg in command.get_positionals() {
        let name = written(arg);
        let _ = if arg.is_required_set() {
            write!(text, "\n{name}")
        } else {
            write!(text, "\n[{name}]")
        };
    }
    *text += "\n";
}

/// What a command does, under its name if the page has several.
fn description(text: &mut String, command: &Command, with_name: bool) {
    if with_name {
        let name = command.get_bin_name().unwrap_or_default();
        let _ = write!(text, ".TP\n\\fB{}\\fR\n", escaped(name));
    }
    let _ = writeln!(text, "{}.", escaped(about(command).trim_end_matches('.')));
    if let Some(more) = command.get_after_help() {
        *text += if with_name { ".IP\n" } else { ".PP\n" };
        *text += &paragraphs(&more.to_string());
    }
}

/// Every flag and argument of these commands, once if several have the same.
fn arguments(text: &mut String, commands: &[&Command]) {
    let mut seen: Vec<(String, String)> = Vec::new();
    *text += ".SH OPTIONS\n";
    for arg in commands.iter().flat_map(|command| described(command)) {
        let (name, help) = (written(arg), help(arg));
        if !seen.iter().any(|(other, text)| (other, text) == (&name, &help)) {
            let _ = write!(text, ".TP\n{name}\n{help}\n");
            seen.push((name, help));
        }
    }
}

/// The arguments that a page has, those without a flag first.
fn described(command: &Command) -> impl Iterator<Item = &Arg> {
    let flags = command.get_arguments().filter(|arg| !arg.is_positional());
    let shown = |arg: &&Arg| !arg.is_hide_set() && arg.get_long() != Some("version");
    command.get_positionals().chain(flags).filter(shown)
}

/// An argument as it is written on a command line.
fn written(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let value = names.first().map(|name| format!("\\fI{}\\fR", escaped(name)));
    let value = value.filter(|_| arg.get_action().takes_values()).unwrap_or_default();
    match (arg.get_long(), value.is_empty()) {
        (None, _) => value,
        (Some(long), true) => format!("\\fB{}\\fR", escaped(&format!("--{long}"))),
        (Some(long), false) => format!("\\fB{}\\fR {value}", escaped(&format!("--{long}"))),
    }
}

/// What an argument means, its values, its default and its variable.
fn help(arg: &Arg) -> String {
    let mut text = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let takes_values = arg.get_action().takes_values();
    let values = if takes_values { arg.get_possible_values() } else { Vec::new() };
    let values = values.iter().map(|value| match value.get_help() {
        Some(help) => format!("{} ({help})", value.get_name()),
        None => value.get_name().to_owned(),
    });
    let values: Vec<String> = values.collect();
    let defaults = arg.get_default_values().iter().map(|value| value.to_string_lossy());
    let defaults: Vec<_> = defaults.filter(|_| takes_values).collect();
    for (name, list) in [("Values", values.join("; ")), ("Default", defaults.join(","))] {
        if !list.is_empty() {
            let _ = write!(text, ". {name}: {list}");
        }
    }
    if let Some(variable) = arg.get_env() {
        let _ = write!(text, ". Variable: {}", variable.to_string_lossy());
    }
    let several = matches!(arg.get_action(), ArgAction::Append) && !text.contains("several");
    text += if several { "; can be given several times." } else { "." };
    escaped(&text)
}

fn about(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

/// Lines of a help text: paragraphs stay apart, and indented lines stay lines.
fn paragraphs(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        match line {
            "" => out += ".PP\n",
            line if line.starts_with(' ') => {
                let _ = writeln!(out, ".br\n{}", escaped(line.trim_start()));
            }
            line => {
                let _ = writeln!(out, "{}", escaped(line));
            }
        }
    }
    out
}

/// A text in which nothing means something to roff: backslashes, hyphens that are typed, a dot or an
/// apostrophe at the beginning of a line, and letters beyond ASCII.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    if text.starts_with(['.', '\'']) {
        out += "\\&";
    }
    for c in text.chars() {
        match c {
            '\\' => out += "\\e",
            '-' => out += "\\-",
            '\n' => out.push(' '),
            c if c.is_ascii() => out.push(c),
            c => {
                let _ = write!(out, "\\[u{:04X}]", u32::from(c));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_steers_roff() {
        for (text, expected) in [
            ("--a", "\\-\\-a"),
            (".x", "\\&.x"),
            ("'x", "\\&'x"),
            ("a\\b\n.c", "a\\eb .c"),
            ("…", "\\[u2026]"),
            ("", ""),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn a_page_names_every_flag_and_its_variable() {
        let mut definition = super::super::definition();
        definition.build();
        let of = |name: &str| page(&definition, definition.find_subcommand(name).unwrap());
        let (serve, user) = (of("serve"), of("user"));
        for word in
            ["\\fB\\-\\-listen\\fR \\fIADDR:PORT\\fR", "Variable: LICTOR_LISTEN.", "Default: 24h."]
        {
            assert!(serve.contains(word), "{word}: {serve}");
        }
        assert!(user.contains("lictor user add") && user.contains("lictor user reset\\-link"));
        assert_eq!(user.matches(".TP\n\\fB\\-\\-database").count(), 1, "described once");
        assert!(page(&definition, &definition).contains("\\fBlictor\\-user\\fR(1)"));
        assert!(commands(&definition).all(|one| one.get_name() != "complete"));
    }
}
