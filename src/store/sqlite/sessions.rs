//! Sessions in SQLite.

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Sqlite, audit, failures, fault, new_device, tickets, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{
    Authority, ClientInfo, Entry, NewSession, Proof, RefreshOutcome, RefreshRequest, Session,
    SessionScope, Sessions, Standing,
};
use crate::store::{Decision, LastRefresh, RotationPolicy};

/// Sessions of one user that are kept, those that have ended among them; beyond that the oldest
/// make room.
const MAX_PER_USER: i64 = 1_000;

/// Sessions that a user is shown: the newest.
const MAX_SHOWN: i64 = 100;

/// Asked of a token whose session is not known, by readers and then once more by the writer.
const ADOPTABLE: &str = "SELECT 1 FROM users WHERE id = ?1 AND active AND tokens_after < ?2
    AND NOT EXISTS (SELECT 1 FROM sessions WHERE jti = ?3)
    AND NOT EXISTS (SELECT 1 FROM second_factors WHERE user = ?1 AND confirmed <= ?2)";

/// Asked for every request with a token.
const STANDING: &str = "SELECT u.id, u.name, u.roles, u.active, s.ended IS NOT NULL, s.created
    FROM sessions s JOIN users u ON u.id = s.user WHERE s.jti = ?1";

/// What is remembered of an open session's last refresh, or of its beginning.
const LAST_REFRESH: &str = "SELECT newest, previous, coalesce(refreshed_address, address),
    coalesce(refreshed_agent, agent) FROM sessions WHERE jti = ?1 AND ended IS NULL";

impl Sessions for Sqlite {
    fn standing(&self, jti: &str) -> Result<Option<Standing>, Error> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(STANDING).map_err(fault)?;
        let standing = |row: &Row<'_>| {
            let began = Timestamp(row.get(5)?);
            Ok(Standing { person: users::person(row)?, ended: row.get(4)?, began })
        };
        query.query_row([jti], standing).optional().map_err(fault)
    }

    fn begin(
        &self,
        user: i64,
        session: &NewSession<'_>,
        proof: &Proof<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            let good = writer
                .prepare_cached("SELECT 1 FROM users WHERE id = ?1 AND active AND password = ?2")?
                .exists(params![user, proof.password.as_str()])?;
            if !good || !self.admit(writer, user, proof.second, entry, now)? {
                return Ok(false);
            }
            if proof.notice && self.mails {
                new_device::notice(writer, user, session, entry, now)?;
            }
            make_room(writer, user)?;
            insert(writer, user, session)?;
            failures::forget(writer, user)?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn adopt(
        &self,
        user: i64,
        session: &NewSession<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        // A token that is refused again and again must not keep the writer from others.
        if !adoptable(&self.reader(), user, session).map_err(fault)? {
            return Ok(false);
        }
        self.write(|writer| {
            if !adoptable(writer, user, session)? {
                return Ok(false);
            }
            make_room(writer, user)?;
            insert(writer, user, session)?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn rotate(
        &self,
        exchange: &RefreshRequest<'_>,
        policy: &RotationPolicy,
        replayed: &Entry<'_>,
        now: Timestamp,
    ) -> Result<RefreshOutcome, Error> {
        let RefreshRequest { jti, issued, origin } = exchange;
        self.write(|writer| {
            let last =
                writer.prepare_cached(LAST_REFRESH)?.query_row([jti], last_refresh).optional()?;
            let Some(last) = last else { return Ok(RefreshOutcome::Gone) };
            match policy.decide(&last, *issued, origin, now) {
                Decision::Rotate { issue, previous } => {
                    // In the second in which the newest was issued, the next is the same.
                    if last.newest != issue {
                        refreshed(writer, jti, previous, origin, issue)?;
                    }
                    Ok(RefreshOutcome::Issue(issue))
                }
                Decision::Repeat => Ok(RefreshOutcome::Issue(last.newest)),
                Decision::Idle => Ok(RefreshOutcome::Idle),
                Decision::Replay => {
                    let sql = "UPDATE sessions SET ended = ?2 WHERE jti = ?1";
                    writer.prepare_cached(sql)?.execute(params![jti, now.0])?;
                    audit::insert(writer, replayed, now)?;
                    Ok(RefreshOutcome::Replayed)
                }
            }
        })
    }

    fn sessions(&self, user: i64, now: Timestamp) -> Result<Vec<Session>, Error> {
        let reader = self.reader();
        let found = || -> rusqlite::Result<Vec<Session>> {
            reader
                .prepare_cached(
                    "SELECT jti, created, newest, expires, address, agent FROM sessions
                     WHERE user = ?1 AND ended IS NULL AND expires >= ?2
                     ORDER BY newest DESC, created DESC, jti LIMIT ?3",
                )?
                .query_map([user, now.0, MAX_SHOWN], session)?
                .collect()
        };
        found().map_err(fault)
    }

    fn end(
        &self,
        user: i64,
        which: SessionScope<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<usize, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            let ended = end(writer, user, which, now)?;
            if ended > 0 {
                audit::insert(writer, entry, now)?;
            }
            Ok(ended)
        })
    }
}

/// Begins a session.
pub(super) fn insert(
    writer: &Connection,
    user: i64,
    session: &NewSession<'_>,
) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT INTO sessions (jti, user, created, newest, expires, address, agent)
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
    )?;
    insert.execute(params![
        session.jti,
        user,
        session.issued.0,
        session.expires.0,
        written(session.origin.address),
        session.origin.agent
    ])?;
    Ok(())
}

/// Remembers when a session's next token was issued, and where it went.
fn refreshed(
    writer: &Connection,
    jti: &str,
    previous: Timestamp,
    origin: &ClientInfo<'_>,
    issued: Timestamp,
) -> rusqlite::Result<()> {
    let mut update = writer.prepare_cached(
        "UPDATE sessions SET newest = ?2, previous = ?3, refreshed_address = ?4,
         refreshed_agent = ?5 WHERE jti = ?1",
    )?;
    update.execute(params![jti, issued.0, previous.0, written(origin.address), origin.agent])?;
    Ok(())
}

fn last_refresh(row: &Row<'_>) -> rusqlite::Result<LastRefresh> {
    Ok(LastRefresh {
        newest: Timestamp(row.get(0)?),
        previous: row.get::<_, Option<i64>>(1)?.map(Timestamp),
        address: row.get_ref(2)?.as_str()?.parse().ok(),
        agent: row.get(3)?,
    })
}

/// An address as rows have it; `-` if it is not known.
fn written(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "-".into(), |ip| ip.to_string())
}

fn adoptable(
    connection: &Connection,
    user: i64,
    session: &NewSession<'_>,
) -> rusqlite::Result<bool> {
    connection.prepare_cached(ADOPTABLE)?.exists(params![user, session.issued.0, session.jti])
}

/// Makes room for one more of a user's [`MAX_PER_USER`] sessions. What is forgotten must not be
/// adopted later.
pub(super) fn make_room(writer: &Connection, user: i64) -> rusqlite::Result<()> {
    let count: i64 = writer
        .prepare_cached("SELECT count(*) FROM sessions WHERE user = ?1")?
        .query_row([user], |row| row.get(0))?;
    if count < MAX_PER_USER {
        return Ok(());
    }
    let forgotten: Vec<i64> = writer
        .prepare_cached(
            "DELETE FROM sessions WHERE jti IN
             (SELECT jti FROM sessions WHERE user = ?1
              ORDER BY ended IS NOT NULL, newest DESC LIMIT -1 OFFSET ?2)
             RETURNING newest",
        )?
        .query_map([user, MAX_PER_USER - 1], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let youngest = forgotten.into_iter().max().unwrap_or(0);
    let sql = "UPDATE users SET tokens_after = max(tokens_after, ?2) WHERE id = ?1";
    writer.prepare_cached(sql)?.execute([user, youngest])?;
    Ok(())
}

/// Ends sessions without an entry. Ending all also ends those that were never adopted, and voids
/// an address that was proposed in one of them.
pub(super) fn end(
    writer: &Connection,
    user: i64,
    which: SessionScope<'_>,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    match which {
        SessionScope::One(jti) => writer
            .prepare_cached(
                "UPDATE sessions SET ended = ?3 WHERE user = ?1 AND jti = ?2 AND ended IS NULL",
            )?
            .execute(params![user, jti, now.0]),
        SessionScope::All => {
            let sql = "UPDATE users SET tokens_after = max(tokens_after, ?2) WHERE id = ?1";
            writer.prepare_cached(sql)?.execute([user, now.0])?;
            tickets::void_address(writer, user)?;
            let sql = "UPDATE sessions SET ended = ?2 WHERE user = ?1 AND ended IS NULL";
            writer.prepare_cached(sql)?.execute([user, now.0])
        }
    }
}

fn session(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        jti: row.get(0)?,
        created: Timestamp(row.get(1)?),
        refreshed: Timestamp(row.get(2)?),
        expires: Timestamp(row.get(3)?),
        address: row.get(4)?,
        agent: row.get(5)?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rusqlite::StatementStatus;

    use super::super::tests::{BY, NOTE, Place, add};
    use super::*;
    use crate::store::{Audit as _, AuditQuery, Change, Store as _, Users as _};
    use crate::values::{Lifespans, PasswordHash, Roles};

    const END: Timestamp = Timestamp(10_000);

    fn opening(jti: &str, issued: i64) -> NewSession<'_> {
        let origin = ClientInfo { address: Some([192, 0, 2, 1].into()), agent: "a program" };
        NewSession { jti, issued: Timestamp(issued), expires: END, origin }
    }

    fn begin(store: &Sqlite, user: i64, jti: &str, at: i64) -> bool {
        let password = &PasswordHash::stored("hash".into());
        let proof = Proof { password, second: None, notice: false };
        store.begin(user, &opening(jti, at), &proof, &NOTE, Timestamp(at)).unwrap()
    }

    fn open_sessions(store: &Sqlite, user: i64) -> Vec<String> {
        let found = store.sessions(user, Timestamp(50)).unwrap();
        found.into_iter().map(|session| session.jti).collect()
    }

    fn ended(store: &Sqlite, jti: &str) -> Option<bool> {
        store.standing(jti).unwrap().map(|standing| standing.ended)
    }

    #[test]
    fn a_session_begins_only_for_who_is_let_in() {
        let place = Place::new("begin");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        assert!(begin(&store, ada, "a", 10));
        let standing = store.standing("a").unwrap().unwrap();
        assert_eq!((standing.person.id, standing.ended), (ada, false));
        assert!(!begin(&store, 99, "b", 10));
        let new = PasswordHash::stored("new".into());
        let change = Change::Password { hash: &new, session: None };
        assert!(store.change(ada, &change, &BY, &NOTE, Timestamp(20)).unwrap());
        assert!(!begin(&store, ada, "b", 10), "the password was changed while it was compared");
        store.change(ada, &Change::Active(false), &BY, &NOTE, Timestamp(30)).unwrap();
        let proof = Proof { password: &new, second: None, notice: false };
        let begun = store.begin(ada, &opening("b", 40), &proof, &NOTE, Timestamp(40)).unwrap();
        assert!(!begun, "inactive");
        assert_eq!(ended(&store, "b"), None);
    }

    #[test]
    fn a_token_check_is_one_indexed_query_planned_once() {
        let place = Place::new("planned");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        begin(&store, ada, "a", 10);
        for jti in ["a", "b", "a"] {
            store.standing(jti).unwrap();
        }
        let reader = store.reader();
        let statement = reader.prepare_cached(STANDING).unwrap();
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        assert_eq!(statement.get_status(StatementStatus::FullscanStep), 0);
        assert_eq!(statement.get_status(StatementStatus::Run), 3);
    }

    #[test]
    fn rotation() {
        use RefreshOutcome::{Gone, Idle, Issue, Replayed};
        const HOME: &str = "192.0.2.1";
        const AWAY: &str = "198.51.100.1";
        // Refreshes one after another: from where, the token's iat, the time, what comes of it.
        type Refresh<'a> = (&'a str, i64, i64, RefreshOutcome);
        let lifespans = Lifespans {
            access: Duration::from_secs(500),
            refresh: Duration::from_secs(10_000),
            early: Duration::from_secs(60),
        };
        let never = RotationPolicy::new(false, None, lifespans);
        let reuse = RotationPolicy::new(true, None, lifespans);
        let idle = RotationPolicy::new(true, Some(Duration::from_secs(600)), lifespans);
        let check = |what: &str, policy: RotationPolicy, refreshes: &[Refresh<'_>]| {
            let place = Place::new("rotation");
            let store = Sqlite::open(&place.file(), 1).unwrap();
            let ada = add(&store, "ada", None).unwrap();
            begin(&store, ada, "a", 100);
            for &(address, iat, now, expected) in refreshes {
                let origin = ClientInfo { address: address.parse().ok(), agent: "a program" };
                let exchange = RefreshRequest { jti: "a", issued: Timestamp(iat), origin };
                let found = store.rotate(&exchange, &policy, &NOTE, Timestamp(now)).unwrap();
                assert_eq!(found, expected, "{what}: {iat} at {now}");
            }
            let over = refreshes.iter().any(|(.., found)| *found == Replayed);
            assert_eq!(ended(&store, "a"), Some(over), "{what}");
            let all = AuditQuery { limit: 100, ..AuditQuery::default() };
            let alarms = store.recorded(&all).unwrap().len() - 2;
            assert_eq!(alarms, usize::from(over), "{what}");
        };
        let issue = |iat| Issue(Timestamp(iat));
        let both = |what: &str, refreshes: &[Refresh<'_>]| {
            check(what, never, refreshes);
            check(what, reuse, refreshes);
        };
        both("one after the other", &[(HOME, 100, 200, issue(200)), (AWAY, 200, 300, issue(300))]);
        both(
            "two windows at once",
            &[
                (HOME, 100, 200, issue(200)),
                (HOME, 100, 200, issue(200)),
                (HOME, 100, 230, issue(200)),
                (HOME, 200, 300, issue(300)),
            ],
        );
        both("an answer was lost", &[(HOME, 100, 200, issue(200)), (AWAY, 100, 201, issue(200))]);
        both("in the same second", &[(HOME, 100, 100, issue(100)), (HOME, 100, 100, issue(100))]);
        both(
            "the later request was faster",
            &[(HOME, 100, 201, issue(201)), (HOME, 100, 200, issue(201))],
        );
        both(
            "exchanged by another program",
            &[(HOME, 150, 200, issue(200)), (HOME, 150, 210, issue(200))],
        );
        both(
            "the clock was set back",
            &[
                (HOME, 100, 9_000, issue(9_000)),
                (HOME, 9_000, 8_000, issue(9_000)),
                (HOME, 100, 8_000, issue(8_000)),
            ],
        );
        both(
            "a replay after the clock was set back",
            &[
                (HOME, 100, 200, issue(200)),
                (HOME, 200, 150, issue(200)),
                (HOME, 200, 210, issue(210)),
                (HOME, 210, 150, issue(210)),
                (AWAY, 100, 150, Replayed),
            ],
        );
        let later = |address| {
            [(HOME, 100, 200, issue(200)), (address, 100, 231, Replayed), (address, 200, 300, Gone)]
        };
        check("too late", never, &later(HOME));
        both("too late, from elsewhere", &later(AWAY));
        let older = |address| {
            [
                (HOME, 100, 200, issue(200)),
                (HOME, 200, 210, issue(210)),
                (address, 100, 211, Replayed),
            ]
        };
        check("two generations old", never, &older(HOME));
        both("two generations old, from elsewhere", &older(AWAY));
        check("never issued", never, &[(HOME, 50, 200, Replayed)]);
        check(
            "tabs that keep copies of the token",
            reuse,
            &[
                (HOME, 100, 200, issue(200)),
                (HOME, 200, 300, issue(300)),
                (HOME, 100, 400, issue(300)),
                (HOME, 200, 410, issue(300)),
                // The newest is about to expire.
                (HOME, 100, 790, issue(790)),
                (HOME, 300, 900, issue(790)),
                (HOME, 790, 900, issue(900)),
            ],
        );
        check(
            "tabs in a train",
            reuse,
            &[
                (AWAY, 100, 200, issue(200)),
                (AWAY, 100, 300, issue(200)),
                (HOME, 200, 400, issue(400)),
                (HOME, 100, 500, issue(400)),
                (AWAY, 100, 500, Replayed),
            ],
        );
        check(
            "nobody came for long",
            idle,
            &[(HOME, 100, 700, issue(700)), (HOME, 700, 1_301, Idle), (AWAY, 100, 1_301, Idle)],
        );
    }

    #[test]
    fn a_clock_that_was_set_back_ended_sessions_and_let_replays_pass() {
        use RefreshOutcome::Replayed;
        let issue = |iat| RefreshOutcome::Issue(Timestamp(iat));
        type Refresh = (i64, i64, RefreshOutcome);
        let table: [(&str, &[Refresh]); 3] = [
            ("the newest token", &[(100, 200, issue(200)), (200, 150, issue(200))]),
            ("two windows", &[(100, 200, issue(200)), (100, 150, issue(200))]),
            (
                "a replay",
                &[
                    (100, 200, issue(200)),
                    (200, 150, issue(200)),
                    (200, 210, issue(210)),
                    (210, 150, issue(210)),
                    (100, 150, Replayed),
                ],
            ),
        ];
        let lifespans = Lifespans {
            access: Duration::from_secs(500),
            refresh: Duration::from_secs(10_000),
            early: Duration::from_secs(60),
        };
        let never = RotationPolicy::new(false, None, lifespans);
        let origin = ClientInfo { address: None, agent: "" };
        for (number, (what, refreshes)) in table.into_iter().enumerate() {
            let place = Place::new(&format!("set-back-{number}"));
            let store = Sqlite::open(&place.file(), 1).unwrap();
            let ada = add(&store, "ada", None).unwrap();
            begin(&store, ada, "a", 100);
            for &(iat, now, expected) in refreshes {
                let exchange = RefreshRequest { jti: "a", issued: Timestamp(iat), origin };
                let found = store.rotate(&exchange, &never, &NOTE, Timestamp(now)).unwrap();
                assert_eq!(found, expected, "{what}: {iat} at {now}");
            }
        }
    }

    #[test]
    fn what_ends_sessions() {
        let place = Place::new("ends");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        let bob = add(&store, "bob", None).unwrap();
        let now = Timestamp(20);
        let fresh = |store: &Sqlite| {
            store.end(ada, SessionScope::All, &BY, &NOTE, now).unwrap();
            for jti in ["a", "b", "c"] {
                let _ =
                    store.write(|w| Ok(w.execute("DELETE FROM sessions WHERE jti = ?1", [jti])?));
                assert!(begin(store, ada, jti, 10));
            }
        };
        begin(&store, bob, "bobs", 10);
        fresh(&store);
        assert_eq!(store.end(ada, SessionScope::One("b"), &BY, &NOTE, now).unwrap(), 1);
        assert_eq!(store.end(ada, SessionScope::One("b"), &BY, &NOTE, now).unwrap(), 0);
        assert_eq!(store.end(ada, SessionScope::One("bobs"), &BY, &NOTE, now).unwrap(), 0);
        assert_eq!(open_sessions(&store, ada), ["a", "c"]);
        assert_eq!(store.end(ada, SessionScope::All, &BY, &NOTE, now).unwrap(), 2);
        fresh(&store);
        let hash = PasswordHash::stored("hash".into());
        let begins = opening("d", 20);
        let change = Change::Password { hash: &hash, session: Some(&begins) };
        store.change(ada, &change, &BY, &NOTE, now).unwrap();
        assert_eq!(open_sessions(&store, ada), ["d"]);
        fresh(&store);
        store.change(ada, &Change::Roles(&Roles::default()), &BY, &NOTE, now).unwrap();
        assert_eq!(open_sessions(&store, ada).len(), 3);
        store.change(ada, &Change::Active(false), &BY, &NOTE, now).unwrap();
        assert_eq!(open_sessions(&store, ada).len(), 0);
        assert_eq!(ended(&store, "a"), Some(true));
        assert_eq!(open_sessions(&store, bob), ["bobs"]);
        store.delete(ada, &BY, &NOTE, now).unwrap();
        assert_eq!(store.standing("a").unwrap(), None);
    }

    #[test]
    fn foreign_tokens_are_adopted_once_and_never_after_an_end() {
        let place = Place::new("adopt");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        let adopt = |jti: &str, issued: i64| {
            store.adopt(ada, &opening(jti, issued), &NOTE, Timestamp(100)).unwrap()
        };
        assert!(adopt("a", 10));
        assert!(!adopt("a", 10), "it is known");
        store.end(ada, SessionScope::One("a"), &BY, &NOTE, Timestamp(50)).unwrap();
        assert!(!adopt("a", 10), "it was ended");
        assert!(adopt("b", 10), "another login has not ended");
        store.end(ada, SessionScope::All, &BY, &NOTE, Timestamp(60)).unwrap();
        assert!(!adopt("c", 60), "all up to then have ended");
        assert!(adopt("c", 61));
        let hash = PasswordHash::stored("hash".into());
        let change = Change::Password { hash: &hash, session: None };
        store.change(ada, &change, &BY, &NOTE, Timestamp(70)).unwrap();
        assert!(!adopt("d", 70));
        store.change(ada, &Change::Active(false), &BY, &NOTE, Timestamp(80)).unwrap();
        assert!(!adopt("d", 90), "inactive");
        store.change(ada, &Change::Active(true), &BY, &NOTE, Timestamp(95)).unwrap();
        assert!(!adopt("d", 80));
        assert!(adopt("d", 90));
    }

    #[test]
    fn sessions_of_one_user_are_bounded() {
        let place = Place::new("bounded");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        store.with_writer(|w| Ok(w.execute_batch("PRAGMA synchronous = OFF")?)).unwrap();
        for number in 0..MAX_PER_USER + 5 {
            assert!(begin(&store, ada, &format!("s{number}"), 100 + number));
        }
        assert_eq!(ended(&store, "s4"), None);
        assert_eq!(ended(&store, "s5"), Some(false));
        let adopted = store.adopt(ada, &opening("s4", 104), &NOTE, Timestamp(9_000)).unwrap();
        assert!(!adopted, "forgotten, and so not to be taken again");
    }

    #[test]
    fn what_has_expired_is_swept() {
        let place = Place::new("sweep");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        begin(&store, ada, "a", 10);
        let all = AuditQuery { limit: 100, ..AuditQuery::default() };
        let entries = || store.recorded(&all).unwrap().len();
        assert_eq!(entries(), 2);
        assert_eq!(store.sweep(Timestamp(0), END).unwrap(), 0);
        assert_eq!(ended(&store, "a"), Some(false));
        assert_eq!(store.sweep(Timestamp(6), Timestamp(END.0 + 1)).unwrap(), 2);
        assert_eq!(ended(&store, "a"), None);
        assert_eq!(entries(), 1);
    }
}
