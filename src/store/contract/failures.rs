//! Wrong passwords in a row: whose are counted, and what forgets them.

use super::{BY, NOTE, add, each};
use crate::clock::Timestamp;
use crate::store::{
    AuditQuery, Change, ClientInfo, Entry, Event, Familiarity, NewSession, Proof, Store,
};
use crate::values::{PasswordHash, Roles};

const NOW: Timestamp = Timestamp(100);

fn failures(store: &Store, user: i64) -> u32 {
    store.credentials_of(user).unwrap().unwrap().failures
}

/// `times` wrong passwords of the user with this id, or of nobody.
fn fail(store: &Store, user: Option<i64>, limit: u32, times: u32) {
    let entry = Entry { event: Event::LoginFailed, user, ..NOTE };
    for _ in 0..times {
        store.fail(&entry, limit, NOW).unwrap();
    }
}

fn events(store: &Store, name: &str) -> usize {
    let found = store.recorded(&AuditQuery { limit: 1_000, ..AuditQuery::default() }).unwrap().rows;
    found.iter().filter(|entry| entry.event == name).count()
}

#[test]
fn each_kind_has_a_hundred_of_its_own_and_the_owner_is_told_once() {
    each("wrong-passwords", |store| {
        let ada = add(store, "ada", Some("ada@mail.example")).unwrap();
        let bob = add(store, "bob", None).unwrap();
        let told = || {
            let mut kinds = Vec::new();
            store.mails(&mut |mail| kinds.push((mail.kind, mail.user))).unwrap();
            kinds
        };
        let [stranger, address, device] =
            [Familiarity::Stranger, Familiarity::Ip, Familiarity::Device].map(|f| f.limit());
        fail(store, Some(ada), stranger, 99);
        assert_eq!((failures(store, ada), told().len(), events(store, "guarded")), (99, 0, 0));
        fail(store, Some(ada), stranger, 150);
        assert_eq!((failures(store, ada), events(store, "guarded")), (100, 1));
        fail(store, Some(ada), address, 150);
        fail(store, Some(ada), stranger, 1);
        assert_eq!(failures(store, ada), 200);
        fail(store, Some(ada), device, 150);
        assert_eq!((failures(store, ada), failures(store, bob)), (300, 0));
        assert_eq!(told(), [("guarded".into(), Some(ada))]);
        assert_eq!((events(store, "login-failed"), events(store, "guarded")), (550, 1));
    });
}

#[test]
fn what_forgets_them() {
    each("wrong-passwords-forgotten", |store| {
        let ada = add(store, "ada", None).unwrap();
        let origin = ClientInfo { ip: None, agent: "" };
        let session = NewSession {
            jti: "a",
            issued: NOW,
            expires: Timestamp(10_000),
            origin,
            notice: false,
            cookie: false,
        };
        let hash = PasswordHash::stored("hash".into());
        let begin = || {
            let proof = Proof { password: &hash, second: None };
            assert!(store.begin(ada, &session, &proof, &NOTE, NOW).unwrap());
        };
        let password = Change::Password { hash: &hash, session: None, keep_app_passwords: false };
        let change = |change: &Change<'_>| {
            assert!(store.change(ada, change, &BY, &NOTE, NOW).unwrap());
        };
        let check = |what: &str, act: &dyn Fn(), expected: u32| {
            fail(store, Some(ada), 100, 7);
            act();
            assert_eq!(failures(store, ada), expected, "{what}");
        };
        check("a login", &begin, 0);
        check("another password", &|| change(&password), 0);
        check("an operator's unlock", &|| assert!(store.unlock(ada, &BY, &NOTE, NOW).unwrap()), 0);
        check("deactivation", &|| change(&Change::Active(false)), 7);
        check("activation", &|| change(&Change::Active(true)), 0);
        check("other roles", &|| change(&Change::Roles(&Roles::default())), 7);
    });
}

#[test]
fn an_adopted_token_forgot_wrong_passwords() {
    each("wrong-passwords-adopted", |store| {
        let ada = add(store, "ada", None).unwrap();
        fail(store, Some(ada), 100, 7);
        let origin = ClientInfo { ip: None, agent: "" };
        let session = NewSession {
            jti: "a",
            issued: NOW,
            expires: Timestamp(10_000),
            origin,
            notice: false,
            cookie: false,
        };
        assert!(store.adopt(ada, &session, &NOTE, NOW).unwrap());
        assert_eq!(failures(store, ada), 7);
    });
}
