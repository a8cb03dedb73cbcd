//! The library's messages in the words of the command line: flags and variables instead of
//! settings. And the words of the command line in those of the environment: a flag whose value is from
//! a variable is called by the variable's name.
//!
//! A message of the library names a setting as ``the setting `public_url` ``, by the field of
//! [`Config`](crate::Config) that holds it. Embedders read that; here it becomes
//! `--public-url`. Replacing it in the text, and not passing settings as values, serves log lines
//! as well, and a message stays one sentence that can be read where it is written.

use std::sync::{Mutex, PoisonError};

use crate::error::Problem;

const BEFORE: &str = "the setting `";

/// Settings whose flag is not simply their name.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("cors", "--cors-origin"),
    ("keys", "SECRET_KEY"),
    ("trusted_proxies", "--trusted-proxy"),
    ("mail.sender", "--mail-from"),
];

/// Flags whose value is from the environment, each with the variable.
static FROM_ENVIRONMENT: Mutex<Vec<(String, String)>> = Mutex::new(Vec::new());

/// Notes the flags whose value is from the environment, in place of those of the last time.
pub(super) fn note(given: Vec<(String, String)>) {
    *FROM_ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner) = given;
}

/// The text with each setting as whoever gave it calls it.
pub(super) fn in_flags(text: &str) -> String {
    let given = FROM_ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    in_variables(&settings_as_flags(text), &given)
}

/// The problem of a database that an argument names, with that argument in the place of the setting.
pub(super) fn of_argument(name: &'static str) -> impl Fn(Problem) -> Problem {
    move |problem| {
        let named = |text: &str| text.replace("the setting `database`", name);
        Problem { what: named(&problem.what), next: named(&problem.next), ..problem }
    }
}

/// The text with the variable in the place of each of these flags.
fn in_variables(text: &str, given: &[(String, String)]) -> String {
    let mut text = text.to_owned();
    for (flag, variable) in given {
        let mut parts = text.split(flag.as_str());
        let mut translated = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            // `--mail` is the beginning of `--mail-from` as well.
            let longer = part.starts_with(|c: char| c == '-' || c.is_ascii_alphanumeric());
            let stays = longer || is_in_command(&translated);
            translated += if stays { flag } else { variable };
            translated += part;
        }
        text = translated;
    }
    text
}

/// Whether what follows this text belongs to a command to be typed, such as `lictor key rotate`.
fn is_in_command(before: &str) -> bool {
    let clause = before.rsplit(['(', ')', ',', ';', ':', '`']).next().unwrap_or(before);
    clause.trim_start().starts_with("lictor ")
}

/// The text with each setting as the command line calls it.
fn settings_as_flags(text: &str) -> String {
    let mut parts = text.split(BEFORE);
    let mut translated = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('`') {
            Some((setting, rest)) if is_name(setting) => {
                translated += &flag(setting);
                translated += rest;
            }
            _ => {
                translated += BEFORE;
                translated += part;
            }
        }
    }
    translated
}

/// The flag or the variable that gives a setting.
fn flag(setting: &str) -> String {
    match OTHER_NAMES.iter().find(|(name, _)| *name == setting) {
        Some((_, flag)) => (*flag).to_owned(),
        None => format!("--{}", setting.replace(['_', '.'], "-")),
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_' || b == b'.')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn settings_become_flags() {
        for (text, expected) in [
            ("", ""),
            ("give the setting `database` a path", "give --database a path"),
            (
                "the setting `mail.templates`, the setting `cors`, the setting `trusted_proxies`",
                "--mail-templates, --cors-origin, --trusted-proxy",
            ),
            ("or the setting `keys`", "or SECRET_KEY"),
            ("the setting `` is none", "the setting `` is none"),
            ("the setting `a b` is none", "the setting `a b` is none"),
            ("the setting `open", "the setting `open"),
            ("the setting of `web`", "the setting of `web`"),
        ] {
            assert_eq!(settings_as_flags(text), expected);
        }
    }

    #[test]
    fn an_argument_takes_the_place_of_the_setting_database() {
        let problem =
            Problem::usage("the setting `database` is bad", "change the setting `database`");
        let Problem { what, next, usage, .. } = of_argument("SOURCE")(problem);
        assert_eq!((what.as_str(), next.as_str()), ("SOURCE is bad", "change SOURCE"));
        assert!(usage);
    }

    #[test]
    fn flags_become_the_variables_that_gave_them() {
        let given = [("--mail", "LICTOR_MAIL"), ("--listen", "LICTOR_LISTEN")];
        let given = given.map(|(flag, variable)| (flag.to_owned(), variable.to_owned()));
        for (text, expected) in [
            ("--mail: no", "LICTOR_MAIL: no"),
            (
                "give --mail-from, --mail or --listen",
                "give --mail-from, LICTOR_MAIL or LICTOR_LISTEN",
            ),
            ("(--listen)", "(LICTOR_LISTEN)"),
            (
                "see which (lictor check --listen x), or give --listen: lictor --mail y",
                "see which (lictor check --listen x), or give LICTOR_LISTEN: lictor --mail y",
            ),
            ("--web", "--web"),
        ] {
            assert_eq!(in_variables(text, &given), expected);
        }
    }

    fn collect_settings(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect_settings(&path, found);
            } else if path.extension().is_some_and(|ending| ending == "rs")
                && !path.ends_with("cli/words.rs")
            {
                let text = fs::read_to_string(&path).unwrap();
                let names = text.split(BEFORE).skip(1).filter_map(|part| part.split_once('`'));
                found.extend(names.map(|(name, _)| name.to_owned()));
            }
        }
    }

    #[test]
    fn every_setting_that_a_message_names_has_a_flag() {
        let mut found = BTreeSet::new();
        collect_settings(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() > 8, "{found:?}");
        let commands = super::super::definition();
        let serve = commands.find_subcommand("serve").unwrap();
        let flags: Vec<String> = serve
            .get_arguments()
            .filter_map(|arg| arg.get_long())
            .map(|l| format!("--{l}"))
            .collect();
        for setting in found {
            let flag = flag(&setting);
            assert!(flag == "SECRET_KEY" || flags.contains(&flag), "{setting}: {flag}");
        }
    }
}
