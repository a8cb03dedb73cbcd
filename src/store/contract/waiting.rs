//! Accounts that wait for the confirmation of an e-mail address: registered again, and their names.

use super::concurrency::{at_once, race};
use super::mails::{NOW, confirm, email, link, take};
use super::{BY, NOTE, add, each, hash, number};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::delivery::Topic;
use crate::store::rows::delivery::Link;
use crate::store::{Change, LinkMail, NewUser, Store};
use crate::values::{Language, PasswordHash, Roles, Username};

/// The last second in which the name is kept, and the one after it.
const KEPT: Timestamp = Timestamp(NOW.0 + 3_599);
const FREE: Timestamp = Timestamp(NOW.0 + 3_600);
/// The last second in which the links are good.
const END: Timestamp = Timestamp(NOW.0 + 86_400);

fn name(text: &str) -> Username {
    Username::parse(text).unwrap()
}

fn user<'a>(name: &'a Username, hash: &'a PasswordHash, roles: &'a Roles) -> NewUser<'a> {
    NewUser { name, email: None, hash, roles, language: Language::English }
}

fn register(store: &Store, who: &str, to: &str, jti: &str, at: Timestamp) -> Result<i64, Error> {
    let (name, hash, roles, email) = (name(who), hash("hash"), Roles::default(), email(to));
    let mail = LinkMail { email: &email, jti, expires: END };
    store.register(&user(&name, &hash, &roles), &mail, &NOTE, at)
}

fn again(store: &Store, id: i64, with: &str, to: &str, jti: &str) -> Result<(), Error> {
    let (hash, email) = (hash(with), email(to));
    let mail = LinkMail { email: &email, jti, expires: END };
    store.register_again((id, &hash), &mail, &NOTE, KEPT)
}

fn waits(store: &Store, who: &str, to: &str, at: Timestamp) -> Option<i64> {
    store.waiting(&name(who), &email(to), at).unwrap().map(|waiting| waiting.person.id)
}

#[test]
fn who_waits_gets_another_mail_at_another_address() {
    each("again", |store| {
        let ada = register(store, "Ada", "typo@x.example", "a", NOW).unwrap();
        let to = "ada@x.example";
        assert_eq!(
            (waits(store, "ADA", to, KEPT), waits(store, "bob", to, KEPT)),
            (Some(ada), None)
        );
        again(store, ada, "hash", "ada@x.example", "b").unwrap();
        // The first mail was not sent yet, and nobody gets it.
        let sent = take(store, KEPT).map(|(to, _, topic)| (to, topic));
        let expected = Topic::Confirm(Link { expires: END, ..link("b") });
        assert_eq!(sent, Some(("ada@x.example".into(), expected)));
        assert_eq!(take(store, KEPT), None);
        assert!(!confirm(store, "a", Some("s"), KEPT));
        assert!(confirm(store, "b", Some("s"), KEPT));
        // Whoever has confirmed waits no more.
        assert_eq!(waits(store, "ada", "ada@x.example", KEPT), None);
        let late = again(store, ada, "hash", "ada@x.example", "c");
        assert!(matches!(late, Err(Error::UsernameTaken)), "{late:?}");
        assert_eq!(store.credentials("ada@x.example").unwrap().unwrap().person.id, ada);
    });
}

#[test]
fn another_password_gets_no_mail() {
    each("again-refused", |store| {
        let ada = register(store, "ada", "ada@x.example", "a", NOW).unwrap();
        let other = again(store, ada, "other", "eve@x.example", "b");
        assert!(matches!(other, Err(Error::UsernameTaken)), "{other:?}");
        store.change(ada, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
        assert_eq!(waits(store, "ada", "ada@x.example", NOW), None);
        let deactivated = again(store, ada, "hash", "ada@x.example", "b");
        assert!(matches!(deactivated, Err(Error::UsernameTaken)), "{deactivated:?}");
        assert_eq!(number(store, "SELECT count(*) FROM outbox"), 1);
    });
}

#[test]
fn a_registration_in_vain_leaves_nothing() {
    each("in-vain", |store| {
        register(store, "ada", "ada@x.example", "a", NOW).unwrap();
        for who in ["ada", "nobody"] {
            let (name, hash, roles) = (name(who), hash("hash"), Roles::default());
            let (user, to) = (user(&name, &hash, &roles), email("eve@x.example"));
            let error = store.register_in_vain(&user, &to, &NOTE, NOW);
            assert!(matches!(error, Error::UsernameTaken), "{who}: {error:?}");
        }
        assert_eq!(number(store, "SELECT count(*) FROM users"), 1);
        assert_eq!(number(store, "SELECT count(*) FROM audit"), 1);
    });
}

#[test]
fn a_name_is_kept_for_an_hour() {
    each("kept", |store| {
        let first = register(store, "ada", "ada@x.example", "a", NOW).unwrap();
        let early = register(store, "Ada", "eve@x.example", "b", KEPT);
        assert!(matches!(early, Err(Error::UsernameTaken)), "{early:?}");
        let to = "eve@x.example";
        assert_eq!(
            (waits(store, "ada", to, KEPT), waits(store, "ada", to, FREE)),
            (Some(first), None)
        );
        let second = register(store, "Ada", "eve@x.example", "b", FREE).unwrap();
        assert!(second > first);
        assert_eq!(take(store, FREE).map(|(to, ..)| to), Some("eve@x.example".into()));
        assert_eq!(take(store, FREE), None);
        assert!(!confirm(store, "a", Some("s"), FREE) && confirm(store, "b", Some("s"), FREE));
        // A name that is somebody's stays.
        let taken = register(store, "ada", "x@x.example", "c", END);
        assert!(matches!(taken, Err(Error::UsernameTaken)), "{taken:?}");
    });
}

#[test]
fn nobody_is_mailed_to_confirm_another_registration_than_the_first() {
    each("kept-address", |store| {
        let taken = |done: Result<i64, Error>| matches!(done, Err(Error::UsernameTaken));
        let ada = register(store, "ada", "Ada@x.example", "a", NOW).unwrap();
        // Her own address keeps the name, in any spelling, and her password sends the mail again.
        assert!(taken(register(store, "Ada", "ada@X.example", "b", FREE)));
        assert_eq!(waits(store, "ada", "ada@X.example", FREE), Some(ada));
        let eve = register(store, "ada", "eve@x.example", "c", FREE).unwrap();
        assert_eq!(take(store, FREE).map(|(to, ..)| to), Some("eve@x.example".into()));
        let pending = store.account_of(eve).unwrap().unwrap().pending_email;
        assert_eq!(pending.as_deref(), Some("eve@x.example"));
        // Whoever has the name now gets no mail there either, nor does a third one.
        let (hash, to) = (hash("hash"), email("ada@x.example"));
        let mail = LinkMail { email: &to, jti: "d", expires: END };
        let again = store.register_again((eve, &hash), &mail, &NOTE, FREE).map(|()| eve);
        assert!(taken(again));
        let later = Timestamp(FREE.0 + 3_600);
        assert_eq!(waits(store, "ada", "ada@x.example", later), Some(eve));
        for (to, free) in
            [("ada@x.example", false), ("eve@x.example", false), ("mallory@x.example", true)]
        {
            let made = register(store, "ada", to, to, later);
            assert_eq!(made.is_ok(), free, "{to}: {made:?}");
        }
        assert!(taken(register(store, "ada", "ada@x.example", "e", Timestamp(later.0 + 3_600))));
        assert!(!confirm(store, "a", Some("s"), later) && !confirm(store, "c", Some("s"), later));
        assert!(confirm(store, "mallory@x.example", Some("s"), later));
        assert!(!confirm(store, "a", Some("t"), later) && !confirm(store, "c", None, later));
        // Once nobody can confirm the first registration, its address is an address like others.
        register(store, "bob", "bob@x.example", "f", NOW).unwrap();
        register(store, "bob", "bob@x.example", "g", Timestamp(END.0 + 1)).unwrap();
    });
}

#[test]
fn a_name_goes_only_to_who_takes_it() {
    each("kept-else", |store| {
        // Confirmed late, but before anybody else came.
        register(store, "ada", "ada@x.example", "a", NOW).unwrap();
        assert!(confirm(store, "a", Some("s"), END));
        // Whoever makes an account in another way takes the name as well.
        register(store, "bob", "bob@x.example", "b", Timestamp(0)).unwrap();
        let taken = add(store, "bob", None);
        assert!(matches!(taken, Err(Error::UsernameTaken)), "{taken:?}");
        let (name, hash, roles) = (name("bob"), hash("hash"), Roles::default());
        store.add(&user(&name, &hash, &roles), &BY, &NOTE, FREE).unwrap();
        assert!(!confirm(store, "b", Some("t"), FREE));
    });
}

#[test]
fn a_free_name_goes_to_one_of_many() {
    race("kept-race", |store, threads| {
        register(store, "ada", "ada@x.example", "a", NOW).unwrap();
        let made = at_once(threads, |number| {
            register(store, "ada", "eve@x.example", &format!("j{number}"), FREE).is_ok()
        });
        assert_eq!(made.into_iter().filter(|made| *made).count(), 1);
        assert_eq!(number(store, "SELECT count(*) FROM users"), 1);
    });
}
