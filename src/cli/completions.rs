//! What a shell completes. The scripts of `lictor completions` are a few lines each: they ask the program
//! (`lictor complete`), which knows its commands and flags from their definition.

use std::ffi::OsStr;

use clap::{Arg, Command};

use super::args::Args;
use super::flag::{self, Row};
use super::kind::{Choices, Kind};
use super::output::print;
use crate::error::Problem;

pub(super) const AFTER_HELP: &str = "\
Examples:
  lictor completions bash > /etc/bash_completion.d/lictor
  lictor completions zsh > /usr/local/share/zsh/site-functions/_lictor
  lictor completions fish > ~/.config/fish/completions/lictor.fish";

pub(super) const FLAGS: &[Row] = &[flag::flag("SHELL", Kind::OneOf(&SHELLS)).help("The shell")];

/// The flags of `complete`.
pub(super) const WORDS: &[Row] = &[flag::flag("[WORDS]", Kind::Any)
    .several()
    .rest()
    .help("The words up to the cursor; the last one is being written")];

/// The shells, each with its script.
const SHELLS: Choices<&str> = Choices(&[("bash", "", BASH), ("zsh", "", ZSH), ("fish", "", FISH)]);

/// bash takes `=` for a word of its own; the program knows what it stands for. Where the program has no
/// answer, the shell completes names of files.
const BASH: &str = r#"_lictor() {
    local IFS=$'\n'
    COMPREPLY=($("${COMP_WORDS[0]}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o bashdefault -o default -F _lictor lictor"#;

const ZSH: &str = r#"#compdef lictor
_lictor() {
    local -a lines
    lines=("${(@f)$($words[1] complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -z $lines[1] ]]; then
        compset -P '*='
        _files
    else
        lines=("${(@)lines//:/\\:}")
        lines=("${(@)lines/$'\t'/:}")
        _describe -V lictor lines
    fi
}
if [[ $funcstack[1] = _lictor ]]; then
    _lictor "$@"
else
    compdef _lictor lictor
fi"#;

const FISH: &str = r#"function __lictor
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] complete -- $words[2..] 2>/dev/null)
    if test -n "$found"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c lictor -f -a '(__lictor)'"#;

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    print(args.one_of("SHELL", &SHELLS))
}

/// Prints a line for each word that can come next, with what it means behind a tab.
pub(super) fn complete(args: &Args) -> Result<(), Problem> {
    let mut definition = super::definition();
    definition.build();
    let lines = candidates(&definition, &args.list("[WORDS]"));
    if lines.is_empty() { Ok(()) } else { print(&lines.join("\n")) }
}

fn candidates(definition: &Command, words: &[&OsStr]) -> Vec<String> {
    let words: Vec<&str> =
        words.iter().filter_map(|word| word.to_str()).filter(|word| *word != "=").collect();
    let Some((last, before)) = words.split_last() else { return Vec::new() };
    let mut command = definition;
    // The flag that waits for its value.
    let mut open = None;
    for word in before {
        open = match open {
            Some(_) => None,
            None => flag(definition, command, word).filter(|arg| takes_value(arg)),
        };
        command = command.find_subcommand(word).unwrap_or(command);
    }
    if let Some(arg) = open {
        return values(arg, "", last);
    }
    if let Some((name, value)) = last.split_once('=') {
        let arg = flag(definition, command, name).filter(|arg| takes_value(arg));
        return arg.map_or_else(Vec::new, |arg| values(arg, &format!("{name}="), value));
    }
    if last.starts_with('-') {
        let flags = flags(definition, command)
            .filter_map(|arg| Some(line(&format!("--{}", arg.get_long()?), arg.get_help())));
        return flags.filter(|line| line.starts_with(last)).collect();
    }
    let below = command.get_subcommands().filter(|below| !below.is_hide_set());
    let below = below.map(|below| line(below.get_name(), below.get_about()));
    let positional = command.get_positionals().flat_map(|arg| values(arg, "", last));
    below.filter(|line| line.starts_with(last)).chain(positional).collect()
}

/// The flags of a command. Without a command they are also those of `serve`, which is meant then.
fn flags<'a>(definition: &'a Command, command: &'a Command) -> impl Iterator<Item = &'a Arg> {
    let is_root = std::ptr::eq(definition, command);
    let default = definition.find_subcommand("serve").filter(|_| is_root);
    let more = default.into_iter().flat_map(Command::get_opts);
    let more = more.filter(|arg| command.get_opts().all(|own| own.get_id() != arg.get_id()));
    command.get_arguments().filter(|arg| !arg.is_positional()).chain(more)
}

fn flag<'a>(definition: &'a Command, command: &'a Command, word: &str) -> Option<&'a Arg> {
    let name = word.strip_prefix("--")?;
    flags(definition, command).find(|arg| arg.get_long() == Some(name))
}

fn takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// The values of an argument that begin so, each behind `prefix`; none if it can be anything.
fn values(arg: &Arg, prefix: &str, begun: &str) -> Vec<String> {
    let values = arg.get_possible_values();
    let values = values.iter().filter(|value| value.get_name().starts_with(begun));
    values.map(|value| line(&format!("{prefix}{}", value.get_name()), value.get_help())).collect()
}

/// A word, and the first line of what it means.
fn line(word: &str, help: Option<&clap::builder::StyledStr>) -> String {
    let help = help.map(ToString::to_string).unwrap_or_default();
    let end = help.find([';', ':', '\n']).unwrap_or(help.len());
    match help[..end].trim_end_matches('.') {
        "" => word.to_owned(),
        help => format!("{word}\t{help}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_command_line_are_completed() {
        let mut definition = super::super::definition();
        definition.build();
        let found = |typed: &str| {
            let words: Vec<&OsStr> = typed.split(' ').map(OsStr::new).collect();
            let lines = candidates(&definition, &words);
            let words = lines.iter().map(|line| line.split('\t').next().unwrap_or_default());
            words.map(str::to_owned).collect::<Vec<_>>()
        };
        for (typed, expected) in [
            ("ser", &["serve"][..]),
            ("user a", &["add", "activate"]),
            ("user add --em", &["--email"]),
            ("user add --roles", &[]),
            ("--lis", &["--listen"]),
            ("serve --listen 127.0.0.1:0 --lis", &["--listen"]),
            ("--registration ", &["open", "email", "invite", "closed"]),
            ("--registration = e", &["email"]),
            ("check --registration=c", &["--registration=closed"]),
            ("check --throttle o", &["on", "off"]),
            ("--issuer x ser", &["serve"]),
            ("--issuer serve --registrat", &["--registration"]),
            ("user list --database ", &[]),
            ("completions ", &["bash", "zsh", "fish"]),
            ("comple", &["completions"]),
            ("user list --env", &["--env-file"]),
            ("--vers", &["--version"]),
            ("user show ad", &[]),
            ("nonsense --x", &[]),
        ] {
            assert_eq!(found(typed), expected, "{typed:?}");
        }
        assert!(found("").contains(&"serve".into()) && !found("").contains(&"complete".into()));
        assert!(candidates(&definition, &[]).is_empty());
    }
}
