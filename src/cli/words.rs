//! The library's messages in the words of the command line: flags and variables instead of
//! settings.
//!
//! A message of the library names a setting as ``the setting `public_url` ``, by the field of
//! [`Config`](crate::Config) that holds it. Embedders read that; here it becomes
//! `--public-url`. Replacing it in the text, and not passing settings as values, serves log lines
//! as well, and a message stays one sentence that can be read where it is written.

const BEFORE: &str = "the setting `";

/// Settings whose flag is not simply their name.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("cors", "--cors-origin"),
    ("keys", "SECRET_KEY"),
    ("trusted_proxies", "--trusted-proxy"),
    ("mail.sender", "--mail-from"),
];

/// The text with each setting as the command line calls it.
pub(super) fn in_flags(text: &str) -> String {
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

    use clap::CommandFactory as _;

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
            assert_eq!(in_flags(text), expected);
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
        let commands = super::super::Cli::command();
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
