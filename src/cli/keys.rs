//! `lictor key …`: lists, adds and removes keys. A server uses the change from its next reload or
//! start on.

use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::args::Args;
use super::command::{Command, command};
use super::database::{self, DatabaseFlag, open_existing};
use super::flag::{Row as FlagRow, flag, group};
use super::key_source::{self, KeySource};
use super::kind::{Kind, LIFESPAN};
use super::output::{date, day, failed, print, unless_closed};
use super::prompt::confirmed;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::guard::key_id;
use crate::keys::{Algorithm, Key, Keys};
use crate::store::{Actor, Entry, Event, Inspection, Store};

/// How a server takes a change.
const RELOAD: &str = "systemctl reload lictor (or kill -HUP PID)";

pub(super) const COMMANDS: &[Command] = &[
    command("list", "List the keys, newest first, and which of them signs", LIST, list),
    command(
        "rotate",
        "Make a new key, which signs once the server has reloaded its settings; older keys still \
         verify",
        ROTATE,
        rotate_or_replace,
    ),
    command(
        "retire",
        "Remove a key that no longer signs; once the server has reloaded its settings, it refuses \
         the tokens that the key signed. The newest key of each algorithm stays: whether it signs \
         depends on the server's flags",
        RETIRE,
        retire,
    ),
];

const LIST: &[FlagRow] = &[flag("--json", Kind::Switch).help("Print JSON"), group(PLACE)];

const ROTATE: &[FlagRow] = &[
    flag("--new-key", Kind::Switch).help(
        "Make the key file if it is lost: everybody then logs in again, and links in mails \
         that were sent do not work",
    ),
    group(PLACE),
];

const RETIRE: &[FlagRow] = &[
    // A thumbprint can begin like a flag.
    flag("KID", Kind::Text).hyphens().help("The key's name, as `lictor key list` shows it"),
    flag("--yes", Kind::Switch).help("Do not ask for confirmation"),
    flag("--refresh-lifespan TIME", LIFESPAN)
        .env("JWT_REFRESH_LIFESPAN")
        .default("30d")
        .help("How long tokens that the key signed can be refreshed"),
    group(PLACE),
];

/// Where the keys are, with the server's flags.
const PLACE: &[FlagRow] = &[group(database::FLAGS), group(key_source::FLAGS)];

/// Where the keys are, with the server's flags.
struct KeyPlace<'a> {
    database: DatabaseFlag<'a>,
    args: &'a Args,
}

impl KeyPlace<'_> {
    fn of(args: &Args) -> KeyPlace<'_> {
        KeyPlace { database: DatabaseFlag::of(args), args }
    }

    fn open(&self) -> Result<(KeySource, Keys), Problem> {
        let source = KeySource::new(self.args, self.database.find()?, Timestamp::now())?;
        // Without the short secret: a ring that is too full with it can be listed and emptied.
        match source.ring()? {
            Some(keys) => Ok((source, keys)),
            None => Err(source.missing_file()),
        }
    }
}

fn rotate_or_replace(args: &Args) -> Result<(), Problem> {
    let (place, now) = (KeyPlace::of(args), Timestamp::now());
    if args.is_given("--new-key") { replace_lost(&place, now) } else { rotate(&place, now) }
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

fn list(args: &Args) -> Result<(), Problem> {
    let (source, keys) = KeyPlace::of(args).open()?;
    let rows = rows(&source, &keys)?;
    let mut out = io::stdout().lock();
    if args.is_given("--json") {
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
    if keys.iter().count() > 1 {
        wrote = wrote.and_then(|()| {
            writeln!(
                out,
                "a server that runs has the keys of its last start or reload; next: {RELOAD}"
            )
        });
    }
    wrote.or_else(unless_closed)
}

/// Makes the key file anew.
fn replace_lost(place: &KeyPlace<'_>, now: Timestamp) -> Result<(), Problem> {
    let source = KeySource::new(place.args, place.database.find()?, now)?;
    if source.ring()?.is_some() {
        return Err(Problem::usage(
            "the key is not lost, so --new-key has no use",
            "leave the flag out; the older keys then still verify",
        ));
    }
    let keys = source.create(now)?;
    let file = source.file()?;
    warn_of_other_owner(file);
    let new = keys.current(source.algorithm()).ok_or_else(|| source.missing_file())?;
    let kid = key_id(new).map_err(failed)?;
    record(place, Event::KeyRotated, &kid, now);
    print(&format!(
        "made the {} key {kid} in {}; next: start the server, or let it reload: systemctl reload \
         lictor",
        new.algorithm().name(),
        file.display()
    ))
}

/// The file belongs to whoever ran this, unless that was root.
fn warn_of_other_owner(file: &Path) {
    let owner = |path: &Path| std::fs::metadata(path).ok().map(|found| found.uid());
    let folder = file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    if owner(file) != owner(folder) {
        log::warn!("the key file is yours alone; the user that runs lictor must read it");
    }
}

fn rotate(place: &KeyPlace<'_>, now: Timestamp) -> Result<(), Problem> {
    let (source, keys) = place.open()?;
    let file = source.file_to_change()?;
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
        "made the {} key {kid}; it signs once the server has reloaded its settings\n{}",
        algorithm.name(),
        changed(file)
    ))?;
    if let Some(old) = old {
        print(&format!(
            "the one before it still verifies; once the refresh lifespan has passed: lictor key \
             retire {}",
            key_id(old).map_err(failed)?
        ))?;
    }
    print(&format!("next: {RELOAD}"))
}

fn retire(args: &Args) -> Result<(), Problem> {
    let (place, now) = (KeyPlace::of(args), Timestamp::now());
    let (kid, lifespan): (&str, _) = (args.value("KID"), args.value("--refresh-lifespan"));
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
    let file = source.file_to_change()?;
    let in_use = in_use_until(&keys, key, lifespan).filter(|end| *end >= now).map(date);
    let warning = in_use.map(|end| format!("sessions that it signed can last until {end}"));
    let question = format!("retire the key {kid}? {}", warning.as_deref().unwrap_or_default());
    if !args.is_given("--yes") && !confirmed("retiring a key", question.trim_end())? {
        return print(&format!("{kid} was not retired"));
    }
    if let Some(warning) = warning {
        log::warn!(
            "{warning}; they end with the next reload or start, and their users log in again"
        );
    }
    // Checked again under the lock, and of the file alone: another command may have changed it, and
    // a server may run without the SECRET_KEY that this command sees.
    Keys::update(file, |keys| match keys.is_newest(key) {
        true => Err(may_sign(&source, key, kid)),
        false => keys.without(key),
    })?;
    record(&place, Event::KeyRetired, kid, now);
    let done = format!("retired {kid}; what it signed is refused after the next reload");
    print(&format!("{done}\n{}\nnext: {RELOAD}", changed(file)))
}

/// Says which file was changed.
fn changed(file: &Path) -> String {
    let path = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    format!("the key file is {}", path.display())
}

/// The error for retiring the newest key of an algorithm.
fn may_sign(source: &KeySource, key: &Key, kid: &str) -> Problem {
    let algorithm = key.algorithm().name();
    let file = source.file().map_or_else(|_| "its file".into(), |file| file.display().to_string());
    Problem::new(
        format!("the key {kid} is the newest {algorithm} key, and a server may sign with it"),
        format!(
            "make another first (lictor key rotate --jwt-algorithm {algorithm}), let the server \
             reload, and retire this one once the refresh lifespan has passed; if no server signs \
             with {algorithm} any more, remove the line from {file} by hand"
        ),
    )
}

/// Adds an audit entry, if there is a database yet. The change itself has been made, so a failure is
/// only logged.
fn record(place: &KeyPlace<'_>, event: Event, detail: &str, now: Timestamp) {
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
