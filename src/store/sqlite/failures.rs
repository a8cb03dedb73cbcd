//! Wrong passwords in SQLite.

use std::net::IpAddr;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Sqlite, audit, fault, new_device};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::GUARDED;
use crate::store::{Entry, Event, Failures, MailKind};

/// Changes the row of anybody and changes it back, so that as much is written as when a failure
/// is counted.
const DO_AS_MUCH: [&str; 2] = [
    "UPDATE users SET failures = failures + 1 WHERE id = (SELECT min(id) FROM users)",
    "UPDATE users SET failures = failures - 1 WHERE id = (SELECT min(id) FROM users)",
];

impl Failures for Sqlite {
    fn fail(&self, entry: &Entry<'_>, limit: u32, now: Timestamp) -> Result<(), Error> {
        self.write(|writer| {
            let count = match entry.user {
                Some(user) => count(writer, user, limit)?,
                None => None,
            };
            if count.is_none() {
                for sql in DO_AS_MUCH {
                    writer.prepare_cached(sql)?.execute([])?;
                }
            }
            audit::insert(writer, entry, now)?;
            if let (Some(user), Some(GUARDED)) = (entry.user, count) {
                let guarded = Entry { event: Event::Guarded, detail: "", ..entry.clone() };
                audit::insert(writer, &guarded, now)?;
                self.tell(writer, MailKind::Guarded, user, now)?;
                guarded.log();
            }
            Ok(())
        })
    }

    fn was_at(&self, user: i64, address: IpAddr) -> Result<bool, Error> {
        new_device::was_at(&self.reader(), user, Some(address)).map_err(fault)
    }
}

/// Counts one more; says how many there are then, or nothing if it was not counted.
fn count(writer: &Connection, user: i64, limit: u32) -> rusqlite::Result<Option<u32>> {
    writer
        .prepare_cached(
            "UPDATE users SET failures = failures + 1 WHERE id = ?1 AND failures < ?2
             RETURNING failures",
        )?
        .query_row(params![user, limit], |row| row.get(0))
        .optional()
}

/// Forgets them: this user has logged in.
pub(super) fn forget(writer: &Connection, user: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE users SET failures = 0 WHERE id = ?1 AND failures <> 0";
    writer.prepare_cached(sql)?.execute([user])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BY, NOTE, Place, add};
    use super::*;
    use crate::store::Familiarity;
    use crate::store::{
        Audit as _, AuditQuery, Change, ClientInfo, NewSession, Outbox as _, Proof, Sessions as _,
        Store as _, Users as _,
    };
    use crate::values::{PasswordHash, Roles};

    const NOW: Timestamp = Timestamp(100);

    fn failures(store: &Sqlite, user: i64) -> u32 {
        store.credentials_of(user).unwrap().unwrap().failures
    }

    /// So many wrong passwords of the user with this id, or of nobody.
    fn fail(store: &Sqlite, user: Option<i64>, limit: u32, times: u32) {
        let entry = Entry { event: Event::LoginFailed, user, ..NOTE };
        for _ in 0..times {
            store.fail(&entry, limit, NOW).unwrap();
        }
    }

    fn events(store: &Sqlite, name: &str) -> usize {
        let found = store.recorded(&AuditQuery { limit: 1_000, ..AuditQuery::default() }).unwrap();
        found.iter().filter(|entry| entry.event == name).count()
    }

    #[test]
    fn each_kind_has_a_hundred_of_its_own_and_the_owner_is_told_once() {
        let place = Place::new("wrong-passwords");
        let store = Sqlite::open(&place.file(), 1).unwrap().with_mail(true);
        let ada = add(&store, "ada", Some("ada@mail.example")).unwrap();
        let bob = add(&store, "bob", None).unwrap();
        let told = || {
            let mut kinds = Vec::new();
            store.mails(&mut |mail| kinds.push((mail.kind, mail.user))).unwrap();
            kinds
        };
        let [stranger, address, device] =
            [Familiarity::Stranger, Familiarity::Address, Familiarity::Device].map(|f| f.limit());
        fail(&store, Some(ada), stranger, 99);
        assert_eq!((failures(&store, ada), told().len(), events(&store, "guarded")), (99, 0, 0));
        fail(&store, Some(ada), stranger, 150);
        assert_eq!((failures(&store, ada), events(&store, "guarded")), (100, 1));
        fail(&store, Some(ada), address, 150);
        fail(&store, Some(ada), stranger, 1);
        assert_eq!(failures(&store, ada), 200);
        fail(&store, Some(ada), device, 150);
        assert_eq!((failures(&store, ada), failures(&store, bob)), (300, 0));
        assert_eq!(told(), [("guarded".into(), Some(ada))]);
        assert_eq!((events(&store, "login-failed"), events(&store, "guarded")), (550, 1));
    }

    #[test]
    fn as_much_is_written_for_nobody() {
        let place = Place::new("wrong-passwords-nobody");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        fail(&store, None, 0, 1);
        let ada = add(&store, "ada", None).unwrap();
        let pages = |user, limit| {
            // Emptied, so that its length is what is written next.
            let log = place.0.join("lictor.db-wal");
            store.settle().unwrap();
            fail(&store, user, limit, 1);
            std::fs::metadata(log).unwrap().len()
        };
        let counted = pages(Some(ada), 100);
        assert_eq!((failures(&store, ada), pages(None, 0)), (1, counted));
        assert_eq!((failures(&store, ada), pages(Some(ada), 0)), (1, counted));
        assert_eq!(failures(&store, ada), 1);
    }

    #[test]
    fn what_forgets_them() {
        let place = Place::new("wrong-passwords-forgotten");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        let origin = ClientInfo { address: None, agent: "" };
        let session = NewSession { jti: "a", issued: NOW, expires: Timestamp(10_000), origin };
        let hash = PasswordHash::stored("hash".into());
        let begin = || {
            let proof = Proof { password: &hash, second: None, notice: false };
            assert!(store.begin(ada, &session, &proof, &NOTE, NOW).unwrap());
        };
        let password = Change::Password { hash: &hash, session: None };
        let change = |change: &Change<'_>| {
            assert!(store.change(ada, change, &BY, &NOTE, NOW).unwrap());
        };
        let check = |what: &str, act: &dyn Fn(), expected: u32| {
            fail(&store, Some(ada), 100, 7);
            act();
            assert_eq!(failures(&store, ada), expected, "{what}");
        };
        check("a login", &begin, 0);
        check("another password", &|| change(&password), 0);
        check("an administrator's unlock", &|| change(&Change::Unlocked), 0);
        check("deactivation", &|| change(&Change::Active(false)), 7);
        check("activation", &|| change(&Change::Active(true)), 0);
        check("other roles", &|| change(&Change::Roles(&Roles::default())), 7);
    }

    #[test]
    fn an_adopted_token_forgot_wrong_passwords() {
        let place = Place::new("wrong-passwords-adopted");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        fail(&store, Some(ada), 100, 7);
        let origin = ClientInfo { address: None, agent: "" };
        let session = NewSession { jti: "a", issued: NOW, expires: Timestamp(10_000), origin };
        assert!(store.adopt(ada, &session, &NOTE, NOW).unwrap());
        assert_eq!(failures(&store, ada), 7);
    }
}
