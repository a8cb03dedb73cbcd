//! The variables of the tutorial's `.env` that lictor does not read, and what takes their place. No
//! message shows a value.

use std::ffi::OsString;

use crate::config::{Config, Issuer};
use crate::store::Database;

/// The page with the whole table.
const PAGE: &str = "docs/from-flask.md";

/// Variables of the tutorial's app that one setting of ours replaces.
struct Replaced {
    names: &'static [&'static str],
    flag: &'static str,
    variable: &'static str,
    /// Whether the configuration has the setting, so that nothing is missing.
    given: fn(&Config, &str) -> bool,
}

const REPLACED: &[Replaced] = &[
    Replaced {
        names: &["SQLALCHEMY_DATABASE_URI"],
        flag: "--database",
        variable: "LICTOR_DATABASE",
        // lictor reads it if it is a URL of PostgreSQL.
        given: |_, origin| origin != super::database::BY_DEFAULT,
    },
    Replaced {
        names: &["MAIL_SERVER", "MAIL_PORT", "MAIL_USERNAME", "MAIL_PASSWORD"],
        flag: "--mail",
        variable: "LICTOR_MAIL",
        given: |config, _| config.mail.is_some(),
    },
    Replaced {
        names: &["SUBJECT", "SUBJECT_RESET"],
        flag: "--mail-templates",
        variable: "LICTOR_MAIL_TEMPLATES",
        given: |config, _| config.mail.as_ref().is_some_and(|mail| mail.templates.is_some()),
    },
    Replaced {
        names: &["CONFIRMATION_URI"],
        flag: "--confirmation-url",
        variable: "LICTOR_CONFIRMATION_URL",
        given: |config, _| config.confirmation_url.is_some(),
    },
    Replaced {
        names: &["RESET_URI"],
        flag: "--reset-url",
        variable: "LICTOR_RESET_URL",
        given: |config, _| config.reset_url.is_some(),
    },
    Replaced {
        names: &["APP_NAME"],
        flag: "--issuer",
        variable: "LICTOR_ISSUER",
        given: |config, _| *config.service() != Issuer::lictor(),
    },
];

/// A line for each setting that is missing although the environment has the variables that it
/// replaces. `origin` says what named the database; `value` looks a variable up.
pub(super) fn warnings(
    config: &Config,
    origin: &str,
    value: impl Fn(&str) -> Option<OsString>,
) -> Vec<String> {
    let is_set = |name: &&&str| value(name).is_some_and(|value| !value.is_empty());
    let line = |replaced: &Replaced| {
        let set: Vec<&str> = replaced.names.iter().filter(is_set).copied().collect();
        if set.is_empty() || (replaced.given)(config, origin) {
            return None;
        }
        let (verb, whose) = if set.len() == 1 { ("is", "its") } else { ("are", "their") };
        Some(format!(
            "{} {verb} set, but not read: {} ({}) takes {whose} place, see {PAGE}",
            set.join(", "),
            replaced.flag,
            replaced.variable
        ))
    };
    let two = (origin == "DATABASE_URL" && name_two_databases(&value)).then(|| {
        "DATABASE_URL and SQLALCHEMY_DATABASE_URI name different PostgreSQL databases: DATABASE_URL \
         counts; unset one of them, or set LICTOR_DATABASE"
            .to_owned()
    });
    REPLACED.iter().filter_map(line).chain(two).collect()
}

/// Whether the two variables that programs share have different URLs of PostgreSQL. The scheme makes
/// no difference: `postgres` and `postgresql` are the same.
fn name_two_databases(value: impl Fn(&str) -> Option<OsString>) -> bool {
    let [one, other] = ["DATABASE_URL", "SQLALCHEMY_DATABASE_URI"].map(|name| {
        let url = value(name)?.into_string().ok().filter(|url| Database::is_server(url))?;
        url.split_once("://").map(|(_, rest)| rest.to_owned())
    });
    one.is_some() && other.is_some() && one != other
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::keys::Secret;
    use crate::link::PageUrl;

    /// The names that `api.py` of the tutorial asks the environment for.
    const TUTORIAL: &[&str] = &[
        "APP_NAME",
        "CONFIRMATION_URI",
        "MAIL_PASSWORD",
        "MAIL_PORT",
        "MAIL_SERVER",
        "MAIL_USERNAME",
        "RESET_URI",
        "SECRET_KEY",
        "SQLALCHEMY_DATABASE_URI",
        "SUBJECT",
        "SUBJECT_RESET",
    ];

    fn config() -> Config {
        Config::new("x", Secret::new([7; 32]).unwrap())
    }

    fn found(config: &Config, origin: &str, set: &[&str]) -> Vec<String> {
        warnings(config, origin, |name| set.contains(&name).then(|| "a secret value".into()))
    }

    #[test]
    fn two_databases_in_the_environment_are_named_without_their_values() {
        for (origin, one, other, expected) in [
            ("DATABASE_URL", "postgres://a:pw@h/one", "postgresql://a:pw@h/two", 1),
            ("DATABASE_URL", "postgres://a:pw@h/one", "postgresql://a:pw@h/one", 0),
            ("DATABASE_URL", "postgres://a:pw@h/one", "sqlite:///database.db", 0),
            ("DATABASE_URL", "postgres://a:pw@h/one", "", 0),
            ("--database", "postgres://a:pw@h/one", "postgres://a:pw@h/two", 0),
        ] {
            let value = |name: &str| match name {
                "DATABASE_URL" => Some(one.into()),
                "SQLALCHEMY_DATABASE_URI" => Some(other.into()),
                _ => None,
            };
            let found = warnings(&config(), origin, value);
            assert_eq!(found.len(), expected, "{one} {other} {found:?}");
            assert!(found.iter().all(|line| !line.contains("pw@")), "{found:?}");
        }
    }

    #[test]
    fn what_is_set_and_not_read_is_named_without_its_value() {
        let config = config();
        assert_eq!(found(&config, "the default", &["SECRET_KEY", "PORT", "HOME"]).len(), 0);
        let lines = found(&config, "the default", TUTORIAL).join("\n");
        for name in TUTORIAL.iter().filter(|name| **name != "SECRET_KEY") {
            assert!(lines.contains(name), "{name}: {lines}");
        }
        assert!(!lines.contains("a secret value") && lines.contains(PAGE), "{lines}");
        assert!(lines.contains(
            "MAIL_SERVER, MAIL_PORT, MAIL_USERNAME, MAIL_PASSWORD are set, but not read: --mail \
             (LICTOR_MAIL) takes their place"
        ));
        assert!(warnings(&config, "the default", |_| Some(OsString::new())).is_empty());
    }

    #[test]
    fn nothing_is_said_of_a_variable_whose_replacement_is_there() {
        let mut config = config();
        let page = || Some(PageUrl::parse("http://127.0.0.1/#/finalize").unwrap());
        (config.confirmation_url, config.reset_url) = (page(), page());
        config.issuer = Issuer::parse("Our app").unwrap();
        let set = ["CONFIRMATION_URI", "RESET_URI", "APP_NAME", "SQLALCHEMY_DATABASE_URI"];
        assert_eq!(found(&config, "SQLALCHEMY_DATABASE_URI", &set), [""; 0]);
        assert_eq!(found(&config, "--database", &set), [""; 0]);
        assert_eq!(found(&config, "the default", &set).len(), 1);
    }

    /// The rows of the table: the name, whether lictor reads it, the rest.
    fn table() -> Vec<(String, bool, String)> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE);
        let page = fs::read_to_string(path).unwrap();
        let (_, table) = page.split_once("| variable of the tutorial | read |").unwrap();
        let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
        rows.map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').splitn(3, '|').map(str::trim).collect();
            let read = ["yes", "no"].iter().position(|word| *word == cells[1]).unwrap() == 0;
            (cells[0].trim_matches('`').to_owned(), read, cells[2].to_owned())
        })
        .collect()
    }

    #[test]
    fn the_page_has_the_same_table() {
        let rows = table();
        let names: BTreeSet<&str> = rows.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, TUTORIAL.iter().copied().collect());
        assert_eq!(rows.len(), names.len(), "no name is there twice");
        for (name, read, rest) in &rows {
            let replaced = REPLACED.iter().find(|one| one.names.contains(&name.as_str()));
            match replaced {
                Some(Replaced { flag, variable, .. }) => {
                    let expected = name == "SQLALCHEMY_DATABASE_URI";
                    assert_eq!(*read, expected, "{name}");
                    assert!(rest.contains(&format!("`{flag}`")), "{name}: {flag}");
                    assert!(rest.contains(&format!("`{variable}`")), "{name}: {variable}");
                }
                None => assert!(read, "{name} is replaced by nothing"),
            }
        }
        assert!(TUTORIAL.contains(&"SECRET_KEY"));
    }
}
