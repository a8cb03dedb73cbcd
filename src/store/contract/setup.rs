//! The first administrator: made once, and only while nobody can administrate.

use super::concurrency::{at_once, race};
use super::{BY, NOTE, add, add_admin, each, events, hash, number, session};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{Change, NewUser, Store};
use crate::values::{Language, PasswordHash, Roles, Username};

const NOW: Timestamp = Timestamp(100);

fn set_up(store: &Store, name: &str, jti: &str) -> Result<i64, Error> {
    let user = NewUser {
        name: &Username::parse(name).unwrap(),
        email: None,
        hash: &hash("hash"),
        roles: &Roles::parse("user,admin").unwrap(),
        language: Language::English,
    };
    store.set_up(&user, &session(jti, 100), &NOTE, NOW)
}

#[test]
fn the_first_administrator_is_made_once() {
    each("setup", |store| {
        assert!(!store.has_admin().unwrap());
        let bob = add(store, "bob", None).unwrap();
        // A taken name changes nothing.
        assert!(matches!(set_up(store, "Bob", "s"), Err(Error::UsernameTaken)));
        let ada = set_up(store, "ada", "s").unwrap();
        assert!(store.has_admin().unwrap());
        assert_eq!(store.standing("s").unwrap().unwrap().person.id, ada);
        let before = events(store);
        assert!(matches!(set_up(store, "eve", "t"), Err(Error::SetupDone)));
        assert_eq!((number(store, "SELECT count(*) FROM users"), events(store)), (2, before));
        // One who was made in another way counts, too.
        let role = Roles::parse("admin").unwrap();
        store.change(bob, &Change::Roles(&role), &BY, &NOTE, NOW).unwrap();
        store.delete(ada, &BY, &NOTE, NOW).unwrap();
        assert!(matches!(set_up(store, "eve", "t"), Err(Error::SetupDone)));
    });
}

#[test]
fn an_inactive_administrator_is_none() {
    each("setup-inactive", |store| {
        add_admin(store, "ada");
        // Only from another program, or by hand: a rule keeps the last one active.
        super::execute(store, "UPDATE users SET active = FALSE", &[]).unwrap();
        assert!(!store.has_admin().unwrap());
        set_up(store, "bob", "s").unwrap();
    });
}

#[test]
fn an_administrator_without_a_password_is_none() {
    each("setup-password", |store| {
        let role = Roles::parse("admin").unwrap();
        let refused = |done: Result<bool, Error>| matches!(done, Err(Error::LastAdmin));
        let set = |id, change: &Change<'_>| store.change(id, change, &BY, &NOTE, NOW);
        let ghost = NewUser {
            name: &Username::parse("ghost").unwrap(),
            email: None,
            hash: &PasswordHash::none(),
            roles: &role,
            language: Language::English,
        };
        let ghost = store.add(&ghost, &BY, &NOTE, NOW).unwrap();
        assert!(!store.has_admin().unwrap());
        let ada = set_up(store, "ada", "s").unwrap();
        // With the ghost alone nobody could log in to administrate.
        assert!(refused(set(ada, &Change::Active(false))));
        assert!(refused(set(ada, &Change::Roles(&Roles::default()))));
        assert!(refused(store.delete(ada, &BY, &NOTE, NOW)));
        // It is no loss itself.
        assert!(set(ghost, &Change::Active(false)).unwrap());
        assert!(set(ghost, &Change::Active(true)).unwrap());
        // With a password it counts.
        let (hash, session) = (&hash("hash"), None);
        assert!(
            set(ghost, &Change::Password { hash, session, keep_app_passwords: false }).unwrap()
        );
        assert!(store.delete(ada, &BY, &NOTE, NOW).unwrap());
        assert!(store.has_admin().unwrap());
        assert!(refused(store.delete(ghost, &BY, &NOTE, NOW)));
    });
}

#[test]
fn one_of_many_first_administrators_is_made() {
    race("setup", |store, threads| {
        let made = at_once(threads, |number| {
            set_up(store, &format!("user{number}"), &format!("s{number}"))
        });
        let good = made.iter().filter(|made| made.is_ok()).count();
        let late = made.iter().filter(|made| matches!(made, Err(Error::SetupDone))).count();
        assert_eq!((good, late), (1, threads - 1), "{made:?}");
        assert_eq!(number(store, "SELECT count(*) FROM users"), 1);
    });
}
