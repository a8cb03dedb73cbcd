//! Whether a session begins where its user has not been before, and what the user is told then.

use std::net::IpAddr;

use rusqlite::{Connection, ToSql, params};

use super::{audit, outbox};
use crate::clock::Timestamp;
use crate::ip::grouped;
use crate::store::{ClientInfo, Entry, Event, MailKind, NewSession};

/// Characters that are told of what a program calls itself.
const MAX_PROGRAM: usize = 80;

/// Mails of this kind that can wait for one user, and those that are kept within an hour. Whoever
/// has a stolen password causes them at will, and must not fill the places of what else is told.
const MAX_WAITING: i64 = 3;
const MAX_AN_HOUR: i64 = 5;
const HOUR: i64 = 3_600;

/// The newest entries of a user among which those are counted.
const MAX_LOOKED_AT: i64 = 1_000;

/// What stands at the end of an entry when no mail was kept. A program's name never does.
const NOT_TOLD: &str = "; not told by mail: too many";

/// Tells a user of a session that is about to begin, if it is the first from its address. What
/// the program calls itself does not make it known: whoever has stolen a password chooses that.
pub(super) fn notice(
    writer: &Connection,
    user: i64,
    session: &NewSession<'_>,
    entry: &Entry<'_>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if !is_new(writer, user, session)? {
        return Ok(());
    }
    let mut detail = words(&session.origin);
    if has_room(writer, user, now)? {
        outbox::notify(writer, MailKind::NewDevice, user, &detail, now)?;
    } else {
        detail.push_str(NOT_TOLD);
    }
    let entry = Entry { event: Event::NewDevice, detail: &detail, ..entry.clone() };
    audit::insert(writer, &entry, now)?;
    entry.log();
    Ok(())
}

/// Whether another mail of this kind may be kept for the user.
fn has_room(writer: &Connection, user: i64, now: Timestamp) -> rusqlite::Result<bool> {
    let count = |sql: &str, values: &[&dyn ToSql]| -> rusqlite::Result<i64> {
        writer.prepare_cached(sql)?.query_row(values, |row| row.get(0))
    };
    let waiting = "SELECT count(*) FROM outbox WHERE user = ?1 AND kind = ?2 AND due NOTNULL";
    let told = "SELECT count(*) FROM (SELECT at, event, detail FROM audit WHERE user = ?1
                    ORDER BY id DESC LIMIT ?5)
                WHERE event = ?2 AND at > ?3 AND at <= ?6 AND substr(detail, -length(?4)) <> ?4";
    let (since, event) = (now.0.saturating_sub(HOUR), Event::NewDevice.name());
    Ok(count(waiting, &[&user, &MailKind::NewDevice.name()])? < MAX_WAITING
        && count(told, &[&user, &event, &since, &NOT_TOLD, &MAX_LOOKED_AT, &now.0])? < MAX_AN_HOUR)
}

/// Whether the user was not there. An account's very first login is not new: there is no place yet
/// that it could differ from. Sessions are kept until they expire, so an account that has none and
/// is older than that may have had some.
fn is_new(writer: &Connection, user: i64, session: &NewSession<'_>) -> rusqlite::Result<bool> {
    if was_at(writer, user, session.origin.address)? {
        return Ok(false);
    }
    let age = session.expires.0.saturating_sub(session.issued.0);
    let oldest = session.issued.0.saturating_sub(age);
    // Sessions that do not count as places are none the less logins.
    let sql = "SELECT 1 FROM users WHERE id = ?1 AND (created < ?2
                   OR EXISTS (SELECT 1 FROM sessions WHERE user = ?1))";
    writer.prepare_cached(sql)?.exists(params![user, oldest])
}

/// Whether one of the user's sessions began at this address, or at one that counts as the same, or
/// was refreshed there. What ended all sessions, such as another password, makes their places
/// strange: somebody may have been there who had the old one.
pub(super) fn was_at(
    connection: &Connection,
    user: i64,
    address: Option<IpAddr>,
) -> rusqlite::Result<bool> {
    let mut query = connection.prepare_cached(
        "SELECT s.address, s.refreshed_address FROM sessions s JOIN users u ON u.id = s.user
         WHERE s.user = ?1 AND max(s.created, s.newest) >= u.tokens_after
             AND (s.ended IS NULL OR s.ended > u.tokens_after)",
    )?;
    let here = address.map(grouped);
    let is_here = |place: &str| place.parse::<IpAddr>().ok().map(grouped) == here;
    let mut rows = query.query([user])?;
    while let Some(row) = rows.next()? {
        if is_here(row.get_ref(0)?.as_str()?)
            || row.get_ref(1)?.as_str_or_null()?.is_some_and(is_here)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The program and the address, in words.
fn words(origin: &ClientInfo<'_>) -> String {
    let printable = |char: char| char == ' ' || char.is_ascii_graphic();
    let mut program: String =
        origin.agent.chars().filter(|char| printable(*char)).take(MAX_PROGRAM).collect();
    if program.trim().is_empty() {
        program = "a program without a name".into();
    }
    let address = origin.address.map_or_else(|| "an unknown address".into(), |ip| ip.to_string());
    format!("{} at {address}", program.trim())
}

#[cfg(test)]
mod tests {
    use super::super::Sqlite;
    use super::super::tests::{BY, NOTE, Place, add};
    use super::*;
    use crate::store::{
        Audit as _, AuditQuery, Change, Outbox as _, Proof, SessionScope, Sessions as _, Users as _,
    };
    use crate::values::PasswordHash;

    const DAY: i64 = 24 * HOUR;

    /// A login at that time that lasts a day; what the user was told.
    fn login(store: &Sqlite, user: i64, from: &str, agent: &str, at: i64) -> Option<String> {
        let origin = ClientInfo { address: from.parse().ok(), agent };
        let (jti, issued) = (format!("{from} {agent} {at}"), Timestamp(at));
        let session = NewSession { jti: &jti, issued, expires: Timestamp(at + 9 * DAY), origin };
        let password = PasswordHash::stored("hash".into());
        let proof = Proof { password: &password, second: None, notice: true };
        let events = || {
            let wanted = AuditQuery { limit: 1_000, ..AuditQuery::default() };
            let found = store.recorded(&wanted).unwrap();
            found.into_iter().filter(|entry| entry.event == "new-device").collect::<Vec<_>>()
        };
        let before = events().len();
        let entry = Entry { user: Some(user), ..NOTE };
        assert!(store.begin(user, &session, &proof, &entry, issued).unwrap());
        let after = events();
        (after.len() > before).then(|| after[0].detail.clone())
    }

    #[test]
    fn a_login_from_elsewhere_is_told() {
        let place = Place::new("new-device");
        let store = Sqlite::open(&place.file(), 1).unwrap().with_mail(true);
        let ada = add(&store, "ada", Some("ada@mail.example")).unwrap();
        for (at, from, agent, expected) in [
            (10, "192.0.2.1", "a", None),
            (11, "192.0.2.1", "b", None),
            (12, "192.0.2.2", "a", Some("a at 192.0.2.2")),
            (13, "192.0.2.2", "a", None),
            (
                14,
                "2001:db8::1",
                "a\u{202e}\u{e4} (b; http://c.d)",
                Some("a (b; http://c.d) at 2001:db8::1"),
            ),
            (15, "2001:db8::2", "a", None),
            (16, "2001:db8:0:1::2", "", Some("a program without a name at 2001:db8:0:1::2")),
            (17, "-", "a", Some("a at an unknown address")),
            (18, "-", "a", None),
        ] {
            assert_eq!(login(&store, ada, from, agent, at * HOUR).as_deref(), expected, "{at}");
            assert_eq!(sent(&store).len(), usize::from(expected.is_some()));
        }
        let long = login(&store, ada, "192.0.2.3", &"x".repeat(200), 20 * HOUR).unwrap();
        assert_eq!(long, format!("{} at 192.0.2.3", "x".repeat(80)));
        // A session that has ended counts as long as it is kept.
        let first = "192.0.2.1 a 36000";
        store.end(ada, SessionScope::One(first), &BY, &NOTE, Timestamp(30 * HOUR)).unwrap();
        assert_eq!(login(&store, ada, "192.0.2.1", "a", 31 * HOUR), None);
        // Not where no mail is sent.
        let store = store.with_mail(false);
        assert_eq!(login(&store, ada, "192.0.2.4", "a", 32 * HOUR), None);
    }

    /// Sends what waits; the kinds.
    fn sent(store: &Sqlite) -> Vec<String> {
        let (mut kinds, mut ids) = (Vec::new(), Vec::new());
        store.mails(&mut |mail| (kinds.push(mail.kind), ids.push(mail.id)).1).unwrap();
        for id in ids {
            store.delivered(id).unwrap();
        }
        kinds
    }

    #[test]
    fn logins_from_everywhere_kept_a_changed_password_from_being_told() {
        let place = Place::new("new-device-flood");
        let store = Sqlite::open(&place.file(), 1).unwrap().with_mail(true);
        let ada = add(&store, "ada", Some("ada@mail.example")).unwrap();
        login(&store, ada, "192.0.2.1", "a", 10);
        let untold = |number: i64, at: i64| {
            let from = format!("198.51.100.{number}");
            let told = login(&store, ada, &from, NOT_TOLD, at).expect("the audit has it");
            told.ends_with(NOT_TOLD)
        };
        // Three wait, however many there are; what else is told has its place.
        let kept: Vec<bool> = (0..40).map(|number| untold(number, 20)).collect();
        assert!(kept.iter().enumerate().all(|(at, untold)| *untold == (at >= 3)), "{kept:?}");
        let hash = PasswordHash::stored("hash".into());
        let change = Change::Password { hash: &hash, session: None };
        store.change(ada, &change, &BY, &NOTE, Timestamp(21)).unwrap();
        assert_eq!(sent(&store), ["new-device", "new-device", "new-device", "password-changed"]);
        // Five in an hour, also where each is sent at once.
        let kept: Vec<bool> = (50..60).map(|number| (untold(number, 30), sent(&store)).0).collect();
        assert_eq!(kept.iter().filter(|untold| !**untold).count(), 2, "{kept:?}");
        assert!(untold(60, 20 + HOUR - 1) && !untold(61, 20 + HOUR));
    }

    #[test]
    fn the_thiefs_address_stayed_known_after_another_password() {
        let place = Place::new("new-device-thief");
        let store = Sqlite::open(&place.file(), 1).unwrap().with_mail(true);
        let ada = add(&store, "ada", None).unwrap();
        let (home, away) = ("192.0.2.1", "198.51.100.1");
        login(&store, ada, home, "a", 10);
        login(&store, ada, away, "a", 20);
        let was_at = |from: &str| was_at(&store.reader(), ada, from.parse().ok()).unwrap();
        assert!(was_at(home) && was_at(away));
        // In the very second in which the thief logged in, and from home.
        let hash = PasswordHash::stored("hash".into());
        let origin = ClientInfo { address: home.parse().ok(), agent: "a" };
        let (issued, expires) = (Timestamp(20), Timestamp(20 + DAY));
        let session = NewSession { jti: "new", issued, expires, origin };
        let change = Change::Password { hash: &hash, session: Some(&session) };
        store.change(ada, &change, &BY, &NOTE, issued).unwrap();
        assert!(was_at(home) && !was_at(away));
        assert_eq!(login(&store, ada, away, "b", 20), Some(format!("b at {away}")));
        assert_eq!(login(&store, ada, home, "a", 21), None);
        // Where no place counts any more, the next login is not taken for the very first.
        store.end(ada, SessionScope::All, &BY, &NOTE, Timestamp(30)).unwrap();
        assert_eq!(login(&store, ada, away, "a", 31), Some(format!("a at {away}")));
    }

    #[test]
    fn an_account_whose_sessions_may_have_been_swept_is_told() {
        let place = Place::new("new-device-old");
        let store = Sqlite::open(&place.file(), 1).unwrap().with_mail(true);
        for (name, age, expected) in [
            ("first", 0, None),
            ("young", 9 * DAY, None),
            ("old", 9 * DAY + 1, Some("a at 192.0.2.1")),
        ] {
            let user = add(&store, name, None).unwrap();
            let made = store.account_of(user).unwrap().unwrap().created.0;
            let told = login(&store, user, "192.0.2.1", "a", made + age);
            assert_eq!(told.as_deref(), expected, "{name}");
        }
    }
}
