//! `lictor key …`: lists, adds and removes keys. A server uses the change from its next start on.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;

use super::database::{DatabaseFlag, open_existing};
use super::key_source::{KeyFlags, KeySource};
use super::output::{date, day, failed, print, unless_closed};
use super::parse::lifespan;
use super::prompt::confirmed;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::guard::key_id;
use crate::keys::{Algorithm, Key, Keys};
use crate::store::{Actor, Entry, Event, Inspection, Store};

#[derive(Subcommand)]
pub(super) enum KeyCommand {
    /// List the keys, newest first, and which of them signs
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: KeyPlace,
    },
    /// Make a new key, which signs from the next start on; older keys still verify
    Rotate(KeyPlace),
    /// Remove a key that no longer signs; tokens that it signed are refused from the next start on.
    /// The newest key of each algorithm stays: whether it signs depends on the server's flags
    Retire {
        /// The key's name, as `lictor key list` shows it
        // A thumbprint can begin like a flag.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
        /// How long tokens that the key signed can be refreshed
        #[arg(long, value_name = "TIME", env = "JWT_REFRESH_LIFESPAN", default_value = "30d", value_parser = lifespan)]
        refresh_lifespan: Duration,
        #[command(flatten)]
        place: KeyPlace,
    },
}

/// Where the keys are, with the server's flags.
#[derive(clap::Args)]
pub(super) struct KeyPlace {
    #[command(flatten)]
    database: DatabaseFlag,
    #[command(flatten)]
    flags: KeyFlags,
}

impl KeyPlace {
    fn open(&self) -> Result<(KeySource, Keys), Problem> {
        let source = KeySource::new(&self.flags, self.database.find()?, Timestamp::now())?;
        // Without the short secret: a ring that is too full with it can be listed and emptied.
        match source.ring()? {
            Some(keys) => Ok((source, keys)),
            None => Err(source.missing_file()),
        }
    }
}

pub(super) fn run(command: KeyCommand) -> Result<(), Problem> {
    match command {
        KeyCommand::List { json, place } => list(&place, json),
        KeyCommand::Rotate(place) => rotate(&place, Timestamp::now()),
        KeyCommand::Retire { kid, yes, refresh_lifespan, place } => {
            retire(&place, &kid, yes, refresh_lifespan, Timestamp::now())
        }
    }
}

/// A key as `lictor key list` shows it.
#[derive(Serialize)]
struct Row {
    /// `None` for a short secret, which no token can name.
    kid: Option<String>,
    algorithm: &'static str,
    created: Option<i64>,
    signs: bool,
    /// The last second of a short secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<i64>,
}

fn rows(source: &KeySource, keys: &Keys) -> Result<Vec<Row>, Problem> {
    let current = keys.current(source.algorithm());
    let row = |key: &Key| {
        Ok(Row {
            kid: Some(key_id(key).map_err(failed)?),
            algorithm: key.algorithm().name(),
            created: key.created().map(|at| at.0),
            signs: current == Some(key),
            until: None,
        })
    };
    let mut rows = keys.iter().map(row).collect::<Result<Vec<_>, Problem>>()?;
    rows.extend(source.short().map(|short| Row {
        kid: None,
        algorithm: Algorithm::Hs256.name(),
        created: None,
        signs: false,
        until: Some(short.until().0),
    }));
    Ok(rows)
}

fn list(place: &KeyPlace, json: bool) -> Result<(), Problem> {
    let (source, keys) = place.open()?;
    let rows = rows(&source, &keys)?;
    let mut out = io::stdout().lock();
    if json {
        // Strings, numbers and booleans: serde_json cannot fail on them.
        let text = serde_json::to_string(&rows).unwrap_or_default();
        return writeln!(out, "{text}").or_else(unless_closed);
    }
    let mut wrote = writeln!(out, "{:43}  {:9}  {:20}  use", "kid", "algorithm", "created");
    for Row { kid, algorithm, created, signs, until } in rows {
        let kid = kid.as_deref().unwrap_or("(the short SECRET_KEY)");
        let created = created.map_or_else(|| "-".into(), |at| date(Timestamp(at)));
        let used = match until {
            Some(until) => format!("verifies tokens to adopt until {}", day(Timestamp(until))),
            None => if signs { "signs" } else { "verifies" }.to_owned(),
        };
        wrote = wrote.and_then(|()| writeln!(out, "{kid:43}  {algorithm:9}  {created:20}  {used}"));
    }
    wrote.or_else(unless_closed)
}

fn rotate(place: &KeyPlace, now: Timestamp) -> Result<(), Problem> {
    let (source, keys) = place.open()?;
    let file = source.file()?;
    // The algorithm stays that of the newest key, unless a flag names another.
    let old = keys.current(source.algorithm());
    let newest = keys.current(None).ok_or_else(|| source.missing_file())?;
    let algorithm = source.algorithm().unwrap_or_else(|| newest.algorithm());
    if old.is_some_and(|key| source.is_from_environment(&keys, key)) {
        return Err(Problem::usage(
            "SECRET_KEY signs, so a new key in the file would not",
            "set SECRET_KEY to a new secret (openssl rand -hex 32) and put the old one into the \
             file, or unset SECRET_KEY",
        ));
    }
    let keys = Keys::update(file, |keys| source.with_new_key(keys, algorithm, now))?;
    let new = keys.current(Some(algorithm)).ok_or_else(|| source.missing_file())?;
    let kid = key_id(new).map_err(failed)?;
    record(place, Event::KeyRotated, &kid, now);
    print(&format!(
        "made the {} key {kid}; it signs once the server has been restarted",
        algorithm.name()
    ))?;
    match old {
        Some(old) => print(&format!(
            "the one before it still verifies; once the refresh lifespan has passed: lictor key \
             retire {}",
            key_id(old).map_err(failed)?
        )),
        None => Ok(()),
    }
}

fn retire(
    place: &KeyPlace,
    kid: &str,
    yes: bool,
    lifespan: Duration,
    now: Timestamp,
) -> Result<(), Problem> {
    let (source, keys) = place.open()?;
    let key = named(&keys, kid)?;
    if keys.is_newest(key) {
        return Err(may_sign(&source, key, kid));
    }
    if source.is_from_environment(&keys, key) {
        return Err(Problem::new(
            format!("the key {kid} is SECRET_KEY, not one of the file"),
            "unset SECRET_KEY where the server gets it",
        ));
    }
    let file = source.file()?;
    let in_use = in_use_until(&keys, key, lifespan).filter(|end| *end >= now);
    let warning = in_use.map(|end| format!("sessions that it signed can last until {}", date(end)));
    let question = match &warning {
        Some(warning) => format!("retire the key {kid}? {warning}"),
        None => format!("retire the key {kid}?"),
    };
    if !yes && !confirmed("retiring a key", &question)? {
        return print(&format!("{kid} was not retired"));
    }
    if let Some(warning) = warning {
        log::warn!("{warning}; they end with the next start, and their users log in again");
    }
    // Checked again under the lock, and of the file alone: another command may have changed it, and
    // a server may run without the SECRET_KEY that this command sees.
    Keys::update(file, |keys| match keys.is_newest(key) {
        true => Err(may_sign(&source, key, kid)),
        false => keys.without(key),
    })?;
    record(place, Event::KeyRetired, kid, now);
    print(&format!("retired {kid}; what it signed is refused once the server has been restarted"))
}

/// The error for retiring the newest key of an algorithm.
fn may_sign(source: &KeySource, key: &Key, kid: &str) -> Problem {
    let algorithm = key.algorithm().name();
    let file = source.file().map_or_else(|_| "its file".into(), |file| file.display().to_string());
    Problem::new(
        format!("the key {kid} is the newest {algorithm} key, and a server may sign with it"),
        format!(
            "make another first (lictor key rotate --jwt-algorithm {algorithm}), restart the \
             server, and retire this one once the refresh lifespan has passed; if no server signs \
             with {algorithm} any more, remove the line from {file} by hand"
        ),
    )
}

/// Adds an audit entry, if there is a database yet. The change itself has been made, so a failure is
/// only logged.
fn record(place: &KeyPlace, event: Event, detail: &str, now: Timestamp) {
    let entry = Entry { event, user: None, name: None, actor: Actor::Operator, detail };
    let recorded = place.database.find().and_then(|database| match Store::inspect(database) {
        Ok(Inspection::Absent) => Ok(()),
        _ => open_existing(database)?.record(&entry, now).map_err(failed),
    });
    if let Err(problem) = recorded {
        log::warn!("an audit entry could not be kept: {}", problem.what);
    }
}

fn named<'a>(keys: &'a Keys, kid: &str) -> Result<&'a Key, Problem> {
    for key in keys.iter() {
        if key_id(key).map_err(failed)? == kid {
            return Ok(key);
        }
    }
    Err(Problem::new(
        format!("there is no key {}", kid.escape_debug()),
        "see which there are: lictor key list",
    ))
}

/// The end of the last session that the key can have signed for; `None` if the file does not say
/// when the next key replaced it.
fn in_use_until(keys: &Keys, key: &Key, lifespan: Duration) -> Option<Timestamp> {
    let next = keys.iter().take_while(|one| *one != key).last()?;
    let lifespan = i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX);
    next.created().map(|at| Timestamp(at.0.saturating_add(lifespan)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_use_for_a_lifespan_after_the_next_one() {
        let digits = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
        let ring = format!(
            "lictor-key EdDSA 900 {digits}\nlictor-key HS256 500 {digits}\nlictor-key HS256 0 aa{digits}\n"
        );
        let keys = Keys::parse(ring.as_bytes()).unwrap();
        let month = Duration::from_secs(100);
        let ends: Vec<_> = keys.iter().map(|key| in_use_until(&keys, key, month)).collect();
        assert_eq!(ends, [None, Some(Timestamp(1000)), Some(Timestamp(600))]);
        assert_eq!(
            in_use_until(&keys, keys.iter().last().unwrap(), Duration::MAX),
            Some(Timestamp(i64::MAX))
        );
        for key in keys.iter() {
            assert!(named(&keys, &key_id(key).unwrap()).unwrap() == key);
        }
        assert!(named(&keys, "../x\n").is_err_and(|problem| !problem.what.contains('\n')));
    }
}
