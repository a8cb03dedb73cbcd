//! Sessions in SQLite.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Sqlite, audit, failures, fault, new_device, second_factors, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{Entry, Opening, Proof, Rotation, Session, Sessions, Standing, Which};

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
const STANDING: &str = "SELECT u.id, u.name, u.roles, u.active, s.ended IS NOT NULL
    FROM sessions s JOIN users u ON u.id = s.user WHERE s.jti = ?1";

impl Sessions for Sqlite {
    fn standing(&self, jti: &str) -> Result<Option<Standing>, Error> {
        let reader = self.reader();
        let mut query = reader.prepare_cached(STANDING).map_err(fault)?;
        let standing =
            |row: &Row<'_>| Ok(Standing { person: users::person(row)?, ended: row.get(4)? });
        query.query_row([jti], standing).optional().map_err(fault)
    }

    fn begin(
        &self,
        user: i64,
        session: &Opening<'_>,
        proof: &Proof<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            let good = writer
                .prepare_cached("SELECT 1 FROM users WHERE id = ?1 AND active AND password = ?2")?
                .exists(params![user, proof.password.as_str()])?;
            if !good || !second_factors::admit(writer, user, proof.second, entry, now)? {
                return Ok(false);
            }
            if proof.notice && self.mails {
                new_device::notice(writer, user, session, entry, now)?;
            }
            make_room(writer, user)?;
            insert(writer, user, session)?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn adopt(
        &self,
        user: i64,
        session: &Opening<'_>,
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
        jti: &str,
        issued: Timestamp,
        grace: i64,
        replayed: &Entry<'_>,
        now: Timestamp,
    ) -> Result<Rotation, Error> {
        self.write(|writer| {
            let row = writer
                .prepare_cached(
                    "SELECT newest, previous FROM sessions WHERE jti = ?1 AND ended IS NULL",
                )?
                .query_row([jti], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))
                .optional()?;
            let Some((newest, previous)) = row else { return Ok(Rotation::Gone) };
            // A newer one comes from another program with the same secret, which has exchanged it
            // there; a thief's is always older.
            if issued.0 >= newest {
                writer
                    .prepare_cached(
                        "UPDATE sessions SET newest = ?2, previous = ?3
                         WHERE jti = ?1 AND newest <> ?2",
                    )?
                    .execute(params![jti, now.0, issued.0])?;
                return Ok(Rotation::Issue(now));
            }
            // Of two requests the one that began later may have been faster.
            let since = now.0.saturating_sub(newest);
            if previous == Some(issued.0) && (-grace..=grace).contains(&since) {
                return Ok(Rotation::Issue(Timestamp(newest)));
            }
            let sql = "UPDATE sessions SET ended = ?2 WHERE jti = ?1";
            writer.prepare_cached(sql)?.execute(params![jti, now.0])?;
            audit::insert(writer, replayed, now)?;
            Ok(Rotation::Replayed)
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
        which: Which<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<usize, Error> {
        self.write(|writer| {
            let ended = end(writer, user, which, now)?;
            if ended > 0 {
                audit::insert(writer, entry, now)?;
            }
            Ok(ended)
        })
    }
}

/// Begins a session, which forgets the wrong passwords before it.
pub(super) fn insert(
    writer: &Connection,
    user: i64,
    session: &Opening<'_>,
) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT INTO sessions (jti, user, created, newest, expires, address, agent)
         VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
    )?;
    let address = session.origin.address.map_or_else(|| "-".into(), |ip| ip.to_string());
    insert.execute(params![
        session.jti,
        user,
        session.issued.0,
        session.expires.0,
        address,
        session.origin.agent
    ])?;
    failures::forget(writer, user)
}

fn adoptable(connection: &Connection, user: i64, session: &Opening<'_>) -> rusqlite::Result<bool> {
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

/// Ends sessions without an entry. Ending all also ends those that were never adopted.
pub(super) fn end(
    writer: &Connection,
    user: i64,
    which: Which<'_>,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    match which {
        Which::One(jti) => writer
            .prepare_cached(
                "UPDATE sessions SET ended = ?3 WHERE user = ?1 AND jti = ?2 AND ended IS NULL",
            )?
            .execute(params![user, jti, now.0]),
        Which::All => {
            let sql = "UPDATE users SET tokens_after = max(tokens_after, ?2) WHERE id = ?1";
            writer.prepare_cached(sql)?.execute([user, now.0])?;
            end_all_but(writer, user, None, now)
        }
    }
}

pub(super) fn end_all_but(
    writer: &Connection,
    user: i64,
    keep: Option<&str>,
    now: Timestamp,
) -> rusqlite::Result<usize> {
    writer
        .prepare_cached(
            "UPDATE sessions SET ended = ?3
             WHERE user = ?1 AND ended IS NULL AND jti IS NOT ?2",
        )?
        .execute(params![user, keep, now.0])
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
    use rusqlite::StatementStatus;

    use super::super::tests::{NOTE, Place, add};
    use super::*;
    use crate::guard::{PasswordHash, Roles};
    use crate::store::{Audit as _, Change, Origin, Store as _, Users as _, Wanted};

    const END: Timestamp = Timestamp(10_000);

    fn opening(jti: &str, issued: i64) -> Opening<'_> {
        let origin = Origin { address: Some([192, 0, 2, 1].into()), agent: "a program" };
        Opening { jti, issued: Timestamp(issued), expires: END, origin }
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
        let change = Change::Password { hash: &new, old: None, keep: Some("a") };
        assert!(store.change(ada, &change, &NOTE, Timestamp(20)).unwrap());
        assert!(!begin(&store, ada, "b", 10), "the password was changed while it was compared");
        store.change(ada, &Change::Active(false), &NOTE, Timestamp(30)).unwrap();
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
        use Rotation::{Gone, Issue, Replayed};
        // Refreshes one after another: the token's iat, the time, what comes of it.
        type Refresh = (i64, i64, Rotation);
        let check = |what: &str, refreshes: &[Refresh]| {
            let place = Place::new("rotation");
            let store = Sqlite::open(&place.file(), 1).unwrap();
            let ada = add(&store, "ada", None).unwrap();
            begin(&store, ada, "a", 100);
            for &(iat, now, expected) in refreshes {
                let found = store.rotate("a", Timestamp(iat), 30, &NOTE, Timestamp(now)).unwrap();
                assert_eq!(found, expected, "{what}: {iat} at {now}");
            }
            let over = refreshes.iter().any(|(_, _, found)| *found == Replayed);
            assert_eq!(ended(&store, "a"), Some(over), "{what}");
        };
        let issue = |iat| Issue(Timestamp(iat));
        check("one after the other", &[(100, 200, issue(200)), (200, 300, issue(300))]);
        check(
            "two windows at once",
            &[
                (100, 200, issue(200)),
                (100, 200, issue(200)),
                (100, 230, issue(200)),
                (200, 300, issue(300)),
            ],
        );
        check("an answer was lost", &[(100, 200, issue(200)), (100, 201, issue(200))]);
        check("too late", &[(100, 200, issue(200)), (100, 231, Replayed), (200, 300, Gone)]);
        check(
            "two generations old",
            &[(100, 200, issue(200)), (200, 210, issue(210)), (100, 211, Replayed)],
        );
        check("in the same second", &[(100, 100, issue(100)), (100, 100, issue(100))]);
        check("never issued", &[(50, 200, Replayed)]);
        check("the later request was faster", &[(100, 201, issue(201)), (100, 200, issue(201))]);
        check("exchanged by another program", &[(150, 200, issue(200)), (150, 210, issue(200))]);
    }

    #[test]
    fn what_ends_sessions() {
        let place = Place::new("ends");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        let bob = add(&store, "bob", None).unwrap();
        let now = Timestamp(20);
        let fresh = |store: &Sqlite| {
            store.end(ada, Which::All, &NOTE, now).unwrap();
            for jti in ["a", "b", "c"] {
                let _ =
                    store.write(|w| Ok(w.execute("DELETE FROM sessions WHERE jti = ?1", [jti])?));
                assert!(begin(store, ada, jti, 10));
            }
        };
        begin(&store, bob, "bobs", 10);
        fresh(&store);
        assert_eq!(store.end(ada, Which::One("b"), &NOTE, now).unwrap(), 1);
        assert_eq!(store.end(ada, Which::One("b"), &NOTE, now).unwrap(), 0);
        assert_eq!(store.end(ada, Which::One("bobs"), &NOTE, now).unwrap(), 0);
        assert_eq!(open_sessions(&store, ada), ["a", "c"]);
        assert_eq!(store.end(ada, Which::All, &NOTE, now).unwrap(), 2);
        fresh(&store);
        let hash = PasswordHash::stored("hash".into());
        let change = Change::Password { hash: &hash, old: None, keep: Some("c") };
        store.change(ada, &change, &NOTE, now).unwrap();
        assert_eq!(open_sessions(&store, ada), ["c"]);
        fresh(&store);
        store.change(ada, &Change::Roles(&Roles::default()), &NOTE, now).unwrap();
        assert_eq!(open_sessions(&store, ada).len(), 3);
        store.change(ada, &Change::Active(false), &NOTE, now).unwrap();
        assert_eq!(open_sessions(&store, ada).len(), 0);
        assert_eq!(ended(&store, "a"), Some(true));
        assert_eq!(open_sessions(&store, bob), ["bobs"]);
        store.delete(ada, &NOTE, now).unwrap();
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
        store.end(ada, Which::One("a"), &NOTE, Timestamp(50)).unwrap();
        assert!(!adopt("a", 10), "it was ended");
        assert!(adopt("b", 10), "another login has not ended");
        store.end(ada, Which::All, &NOTE, Timestamp(60)).unwrap();
        assert!(!adopt("c", 60), "all up to then have ended");
        assert!(adopt("c", 61));
        let hash = PasswordHash::stored("hash".into());
        let change = Change::Password { hash: &hash, old: None, keep: None };
        store.change(ada, &change, &NOTE, Timestamp(70)).unwrap();
        assert!(!adopt("d", 70));
        store.change(ada, &Change::Active(false), &NOTE, Timestamp(80)).unwrap();
        assert!(!adopt("d", 90), "inactive");
        store.change(ada, &Change::Active(true), &NOTE, Timestamp(95)).unwrap();
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
        let all = Wanted { limit: 100, ..Wanted::default() };
        let entries = || store.recorded(&all).unwrap().len();
        assert_eq!(entries(), 2);
        assert_eq!(store.sweep(Timestamp(0), END).unwrap(), 0);
        assert_eq!(ended(&store, "a"), Some(false));
        assert_eq!(store.sweep(Timestamp(6), Timestamp(END.0 + 1)).unwrap(), 2);
        assert_eq!(ended(&store, "a"), None);
        assert_eq!(entries(), 1);
    }
}
