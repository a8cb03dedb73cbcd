//! App passwords: good for a time, bounded, and ended by what ends the account's secrets.

use super::{BY, NOTE, add, add_admin, each, events, execute, hash, log_in, number, session};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::app_passwords::MAX_PER_USER;
use crate::store::{
    AppPasswordInfo, AuditQuery, Authority, Change, Entry, Event, NewAppPassword, PasswordReset,
    SessionScope, Store, Ticket, rows,
};
use crate::values::{AppPassword, CodeHash, Hosts, Roles};

const NOW: Timestamp = Timestamp(100);
const END: Timestamp = Timestamp(200);

fn make(
    store: &Store,
    user: i64,
    expires: Option<Timestamp>,
    by: &Authority<'_>,
) -> Result<CodeHash, Error> {
    let hosts = Hosts::of(["cal.example.org", "*.example.com"]).unwrap();
    let hash = AppPassword::generate().unwrap().hash();
    let new = NewAppPassword { hash, name: "Phone", hosts: &hosts, api: true, expires };
    let entry = Entry { event: Event::AppPasswordAdded, ..NOTE };
    store.add_app_password(user, &new, by, &entry, NOW).map(|()| hash)
}

fn ids(store: &Store, user: i64, at: Timestamp) -> Vec<String> {
    store.app_passwords(user, at).unwrap().into_iter().map(|found| found.id).collect()
}

fn is_good(store: &Store, hash: &CodeHash) -> bool {
    store.app_password(hash, NOW).unwrap().is_some()
}

#[test]
fn one_is_found_by_its_hash_for_a_time() {
    each("app-passwords", |store| {
        let ada = add(store, "Ada", Some("Ada@example.org")).unwrap();
        let bob = add(store, "bob", None).unwrap();
        let made = make(store, ada, Some(END), &BY).unwrap();
        let lasting = make(store, bob, None, &BY).unwrap();
        let found = store.app_password(&made, END).unwrap().unwrap();
        assert_eq!((found.person.id, &*found.person.name), (ada, "Ada"));
        assert_eq!(found.email.as_deref(), Some("Ada@example.org"));
        assert_eq!(found.keys, ("ada".to_owned(), Some("ada@example.org".to_owned())));
        assert!(found.person.active && !found.second_factor);
        let info = AppPasswordInfo {
            id: made.name(),
            name: "Phone".into(),
            hosts: Hosts::of(["cal.example.org", "*.example.com"]).unwrap(),
            api: true,
            created: NOW,
            expires: Some(END),
            used: None,
            used_ip: None,
        };
        assert_eq!(found.info, info);
        assert_eq!(store.app_passwords(ada, END).unwrap(), [info]);
        let late = Timestamp(END.0 + 1);
        assert_eq!(store.app_password(&made, late).unwrap(), None);
        assert_eq!(ids(store, ada, late), [""; 0]);
        assert_eq!(
            store.app_password(&AppPassword::generate().unwrap().hash(), NOW).unwrap(),
            None
        );
        let other = store.app_password(&lasting, Timestamp(i64::MAX)).unwrap().unwrap();
        assert_eq!((other.person.id, other.email, other.info.expires), (bob, None, None));

        execute(store, "UPDATE users SET active = FALSE WHERE id = 1", &[]).unwrap();
        execute(
            store,
            "INSERT INTO second_factors (\"user\", secret, created, confirmed)
             VALUES (1, $1, 1, 2)",
            &[b"s".as_slice().into()],
        )
        .unwrap();
        let found = store.app_password(&made, NOW).unwrap().unwrap();
        assert!(!found.person.active && found.second_factor);
        // Nobody's: an account that is gone gets none.
        assert!(matches!(make(store, 99, None, &BY), Err(Error::MissingUser)));
    });
}

#[test]
fn only_its_user_deletes_it_and_the_sweep_once_it_has_expired() {
    each("app-password-deleted", |store| {
        let [ada, bob] = ["ada", "bob"].map(|name| add(store, name, None).unwrap());
        let [first, second] = [None, Some(END)].map(|end| make(store, ada, end, &BY).unwrap());
        let delete = |user, id: &str| {
            let entry = Entry { event: Event::AppPasswordDeleted, user: Some(user), ..NOTE };
            store.delete_app_password(user, id, &BY, &entry, NOW).unwrap()
        };
        assert!(!delete(bob, &first.name()) && !delete(ada, "nothing"));
        assert!(is_good(store, &first));
        assert!(delete(ada, &first.name()));
        assert!(!delete(ada, &first.name()) && !is_good(store, &first));
        assert_eq!(ids(store, ada, NOW), [second.name()]);
        let last = store.recorded(&AuditQuery { limit: 1, ..AuditQuery::default() }).unwrap();
        let last = &last.rows[0];
        assert_eq!(last.event, "app-password-deleted");
        assert_eq!((last.user, &*last.detail), (Some(ada), &*format!("{} Phone", first.name())));
        assert_eq!(
            events(store),
            [
                "user-added",
                "user-added",
                "app-password-added",
                "app-password-added",
                "app-password-deleted"
            ]
        );
        make(store, ada, None, &BY).unwrap();
        assert_eq!(store.sweep(Timestamp(0), END).unwrap(), 0);
        assert_eq!(store.sweep(Timestamp(0), Timestamp(END.0 + 1)).unwrap(), 1);
        assert_eq!(number(store, "SELECT count(*) FROM app_passwords"), 1);
    });
}

#[test]
fn each_user_has_a_bounded_number_and_expired_ones_make_room() {
    each("app-password-limit", |store| {
        let [ada, bob] = ["ada", "bob"].map(|name| add(store, name, None).unwrap());
        let hosts = Hosts::default();
        let fill = store.write_rows(|queries| {
            for place in 1..MAX_PER_USER {
                let hash = AppPassword::generate().unwrap().hash();
                let expires = (place == 1).then_some(Timestamp(NOW.0 - 1));
                let new = NewAppPassword { hash, name: "x", hosts: &hosts, api: false, expires };
                rows::app_passwords::insert(queries, ada, &new, NOW)?;
            }
            Ok(())
        });
        fill.unwrap();
        make(store, ada, None, &BY).unwrap();
        let kept = make(store, ada, None, &BY).unwrap();
        assert!(matches!(make(store, ada, None, &BY), Err(Error::TooManyAppPasswords)));
        assert_eq!(ids(store, ada, NOW).len(), 50);
        make(store, bob, None, &BY).unwrap();
        assert!(store.delete_app_password(ada, &kept.name(), &BY, &NOTE, NOW).unwrap());
        make(store, ada, None, &BY).unwrap();
    });
}

#[test]
fn what_ends_them_and_what_does_not() {
    let new = hash("new");
    let password = |keep| Change::Password { hash: &new, session: None, keep_app_passwords: keep };
    let change = |store: &Store, change: &Change<'_>| {
        assert!(store.change(1, change, &BY, &NOTE, NOW).unwrap());
    };
    let check = |what: &str, survives: bool, act: &dyn Fn(&Store)| {
        each("app-password-ends", |store| {
            let [ada, bob] = ["ada", "bob"].map(|name| add_admin(store, name));
            let [hers, his] = [ada, bob].map(|user| make(store, user, None, &BY).unwrap());
            act(store);
            assert_eq!(is_good(store, &hers), survives, "{what}");
            assert!(is_good(store, &his), "another user's");
        });
    };
    check("a new password", false, &|store| change(store, &password(false)));
    check("a new password that keeps them", true, &|store| change(store, &password(true)));
    check("a reset", false, &|store| {
        let ticket = Ticket { jti: "t", user: 1, expires: END };
        assert!(store.hand_out(&ticket, None, &BY, &NOTE, NOW).unwrap());
        let begins = session("s", 100);
        let reset = PasswordReset { hash: &new, second: None, session: &begins };
        assert!(store.reset("t", &reset, &NOTE, NOW).unwrap());
    });
    check("the end of the account", false, &|store| {
        assert!(store.delete(1, &BY, &NOTE, NOW).unwrap());
    });
    check("the end of all sessions", true, &|store| {
        assert_eq!(store.end(1, SessionScope::All, &BY, &NOTE, NOW).unwrap(), 1);
    });
    check("other roles", true, &|store| change(store, &Change::Roles(&Roles::default())));
    // Its user cannot use it then; see the test above.
    check("deactivation", true, &|store| change(store, &Change::Active(false)));
}

#[test]
fn a_session_that_has_ended_makes_and_deletes_none() {
    each("app-password-authority", |store| {
        let ada = add(store, "ada", None).unwrap();
        log_in(store, ada, "s", 100);
        let by =
            |since| Authority::User { id: ada, session: "s", since: Timestamp(since), proof: None };
        let made = make(store, ada, None, &by(0)).unwrap();
        let refused = make(store, ada, None, &by(101));
        assert!(matches!(refused, Err(Error::ReauthenticationRequired)));
        store.end(ada, SessionScope::All, &BY, &NOTE, NOW).unwrap();
        assert!(matches!(make(store, ada, None, &by(0)), Err(Error::Revoked)));
        let deleted = store.delete_app_password(ada, &made.name(), &by(0), &NOTE, NOW);
        assert!(matches!(deleted, Err(Error::Revoked)));
        assert_eq!(ids(store, ada, NOW), [made.name()]);
    });
}
