//! Whether a session begins where its user has not been before, and what the user is told then.

use std::net::IpAddr;

use rusqlite::{Connection, params};

use super::{audit, outbox};
use crate::address::grouped;
use crate::clock::Timestamp;
use crate::store::{Entry, Event, Kind, Opening, Origin};

/// Characters that are told of what a program calls itself.
const MAX_PROGRAM: usize = 80;

/// Tells a user of a session that is about to begin, if it is the first from its address. What
/// the program calls itself does not make it known: whoever has stolen a password chooses that.
pub(super) fn notice(
    writer: &Connection,
    user: i64,
    session: &Opening<'_>,
    entry: &Entry<'_>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    if !is_new(writer, user, session)? {
        return Ok(());
    }
    let detail = words(&session.origin);
    let entry = Entry { event: Event::NewDevice, detail: &detail, ..entry.clone() };
    audit::insert(writer, &entry, now)?;
    outbox::notify(writer, Kind::NewDevice, user, &detail, now)?;
    entry.log();
    Ok(())
}

/// Whether no session that is kept began there or was refreshed there. An account's very first
/// login is not new: there is no place yet that it could differ from. Sessions are kept until they
/// expire, so an account that has none and is older than that may have had some.
fn is_new(writer: &Connection, user: i64, session: &Opening<'_>) -> rusqlite::Result<bool> {
    let places = places(writer, user)?;
    if places.is_empty() {
        let age = session.expires.0.saturating_sub(session.issued.0);
        let sql = "SELECT 1 FROM users WHERE id = ?1 AND created < ?2";
        let oldest = session.issued.0.saturating_sub(age);
        return writer.prepare_cached(sql)?.exists(params![user, oldest]);
    }
    Ok(!is_among(&places, session.origin.address))
}

/// The addresses where the user's sessions began or were refreshed, as far as they are kept.
pub(super) fn places(connection: &Connection, user: i64) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached(
            "SELECT address FROM sessions WHERE user = ?1
             UNION SELECT refreshed_address FROM sessions
             WHERE user = ?1 AND refreshed_address NOTNULL",
        )?
        .query_map([user], |row| row.get(0))?
        .collect()
}

/// Whether an address, or one that counts as the same, is one of these.
pub(super) fn is_among(places: &[String], address: Option<IpAddr>) -> bool {
    let here = address.map(grouped);
    places.iter().any(|place| place.parse::<IpAddr>().ok().map(grouped) == here)
}

/// The program and the address, in words.
fn words(origin: &Origin<'_>) -> String {
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
    use crate::guard::PasswordHash;
    use crate::store::{Audit as _, Outbox as _, Proof, Sessions as _, Users as _, Wanted, Which};

    const DAY: i64 = 24 * 3_600;

    /// A login at that time that lasts a day; what the user was told.
    fn login(store: &Sqlite, user: i64, from: &str, agent: &str, at: i64) -> Option<String> {
        let origin = Origin { address: from.parse().ok(), agent };
        let (jti, issued) = (format!("{from} {agent} {at}"), Timestamp(at));
        let session = Opening { jti: &jti, issued, expires: Timestamp(at + DAY), origin };
        let password = PasswordHash::stored("hash".into());
        let proof = Proof { password: &password, second: None, notice: true };
        let events = || {
            let wanted = Wanted { limit: 100, ..Wanted::default() };
            let found = store.recorded(&wanted).unwrap();
            found.into_iter().filter(|entry| entry.event == "new-device").collect::<Vec<_>>()
        };
        let before = events().len();
        assert!(store.begin(user, &session, &proof, &NOTE, issued).unwrap());
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
            assert_eq!(login(&store, ada, from, agent, at).as_deref(), expected, "{at}");
        }
        let long = login(&store, ada, "192.0.2.3", &"x".repeat(200), 20).unwrap();
        assert_eq!(long, format!("{} at 192.0.2.3", "x".repeat(80)));
        // Sessions that have ended count as long as they are kept.
        store.end(ada, Which::All, &BY, &NOTE, Timestamp(30)).unwrap();
        assert_eq!(login(&store, ada, "192.0.2.1", "a", 31), None);
        let mut mails = 0;
        store.mails(&mut |mail| mails += usize::from(mail.kind == "new-device")).unwrap();
        assert_eq!(mails, 5);
        // Not where no mail is sent.
        let store = store.with_mail(false);
        assert_eq!(login(&store, ada, "192.0.2.4", "a", 32), None);
    }

    #[test]
    fn an_account_whose_sessions_may_have_been_swept_is_told() {
        let place = Place::new("new-device-old");
        let store = Sqlite::open(&place.file(), 1).unwrap().with_mail(true);
        for (name, age, expected) in
            [("first", 0, None), ("young", DAY, None), ("old", DAY + 1, Some("a at 192.0.2.1"))]
        {
            let user = add(&store, name, None).unwrap();
            let made = store.account_of(user).unwrap().unwrap().created.0;
            let told = login(&store, user, "192.0.2.1", "a", made + age);
            assert_eq!(told.as_deref(), expected, "{name}");
        }
    }
}
