//! Limits on how many there may be, when several threads come to one at once.

use super::concurrency::{at_once, race};
use super::mails::{NOW, email, fill};
use super::{BY, NOTE, add, execute, hash, number, session};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::invitations::MAX_OPEN;
use crate::store::notices::MAX_NOTICES_OF_ONE;
use crate::store::outbox::MAX_WAITING;
use crate::store::sessions::MAX_PER_USER;
use crate::store::{LinkMail, NewInvitation, NewSession, Proof};
use crate::values::{Code, Roles};

/// Places that are left when the threads begin.
const LEFT: i64 = 1;

#[test]
fn more_sessions_of_one_user_than_are_kept() {
    race("limit-sessions", |store, threads| {
        let ada = add(store, "ada", None).unwrap();
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
            INSERT INTO sessions (jti, \"user\", created, newest, expires, address, agent)
            SELECT 'old' || CAST(i AS TEXT), $2, 1, i, 1000000, '', '' FROM n";
        execute(store, sql, &[(MAX_PER_USER - LEFT).into(), ada.into()]).unwrap();
        at_once(threads, |number| {
            let jti = format!("new{number}");
            let proof = Proof { password: &hash("hash"), second: None };
            let session = session(&jti, 5_000);
            assert!(store.begin(ada, &session, &proof, &NOTE, Timestamp(5_000)).unwrap());
        });
        assert_eq!(number(store, "SELECT count(*) FROM sessions"), MAX_PER_USER);
        let new = "SELECT count(*) FROM sessions WHERE jti LIKE 'new%'";
        assert_eq!(number(store, new), threads as i64, "the oldest made room");
    });
}

#[test]
fn more_open_invitations_than_there_may_be() {
    race("limit-invitations", |store, threads| {
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
            INSERT INTO invitations (id, hash, created, expires)
            SELECT CAST(i AS TEXT), CAST(CAST(i AS TEXT) AS BYTEA), 1, $1 FROM n";
        let sqlite =
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 999)
            INSERT INTO invitations (id, hash, created, expires)
            SELECT CAST(i AS TEXT), CAST(CAST(i AS TEXT) AS BLOB), 1, $1 FROM n";
        let made = store.write_rows(|queries| {
            let sql = match queries.dialect() {
                crate::store::driver::Dialect::Sqlite => sqlite,
                crate::store::driver::Dialect::Postgres => sql,
            };
            queries.execute(sql, &[NOW.into()])
        });
        assert_eq!(made.unwrap() as i64, MAX_OPEN - LEFT);
        let invited = at_once(threads, |_| {
            let (code, roles) = (Code::generate().unwrap().hash(), Roles::default());
            let invitation = NewInvitation { hash: code, roles: &roles, expires: NOW };
            store.invite(&invitation, None, &BY, &NOTE, NOW)
        });
        let refused = |done: &&Result<(), Error>| matches!(done, Err(Error::TooManyInvitations));
        assert_eq!(invited.iter().filter(refused).count(), threads - 1, "{invited:?}");
        assert_eq!(number(store, "SELECT count(*) FROM invitations"), MAX_OPEN);
    });
}

#[test]
fn more_mails_with_a_link_than_can_wait() {
    race("limit-mails", |store, threads| {
        fill(store, MAX_WAITING - LEFT, None, Some("j"));
        let asked = at_once(threads, |number| {
            let (to, jti) = (email("ada@x.example"), format!("j{number}"));
            let mail = LinkMail { email: &to, jti: &jti, expires: NOW };
            store.request_reset(&mail, "192.0.2.1", NOW)
        });
        let kept = asked.iter().filter(|asked| asked.is_ok()).count();
        assert_eq!(kept as i64, LEFT, "{asked:?}");
        assert_eq!(number(store, "SELECT count(*) FROM outbox"), MAX_WAITING);
    });
}

#[test]
fn more_notices_of_one_user_than_can_wait() {
    race("limit-notices", |store, threads| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        fill(store, MAX_NOTICES_OF_ONE - LEFT, Some(ada), None);
        at_once(threads, |number| {
            let jti = format!("s{number}");
            let origin = crate::store::ClientInfo {
                ip: format!("192.0.2.{number}").parse().ok(),
                agent: "",
            };
            let session = NewSession { notice: true, origin, ..session(&jti, NOW.0) };
            let proof = Proof { password: &hash("hash"), second: None };
            assert!(store.begin(ada, &session, &proof, &NOTE, NOW).unwrap());
        });
        assert_eq!(number(store, "SELECT count(*) FROM outbox"), MAX_NOTICES_OF_ONE);
        assert_eq!(number(store, "SELECT count(*) FROM sessions"), threads as i64);
    });
}
