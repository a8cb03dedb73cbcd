//! Tickets that set a new password: each is good once, and what voids one.

use super::{BY, NOTE, add, add_admin, admin, each, hash, session as session_of};
use crate::clock::Timestamp;
use crate::store::delivery::Topic;
use crate::store::{Change, Enrolment, LinkMail, PasswordReset, SessionScope, Store, Ticket};
use crate::values::{Email, Roles, Step, TotpSecret};

const NOW: Timestamp = Timestamp(100);
const END: Timestamp = Timestamp(200);

fn hand_out(store: &Store, user: i64, jti: &str) -> bool {
    store.hand_out(&Ticket { jti, user, expires: END }, None, &BY, &NOTE, NOW).unwrap()
}

fn reset(store: &Store, jti: &str, session: &str, at: Timestamp) -> bool {
    let session = session_of(session, at.0);
    let hash = hash(&format!("from {jti}"));
    let reset = PasswordReset { hash: &hash, second: None, session: &session };
    store.reset(jti, &reset, &NOTE, at).unwrap()
}

fn password(store: &Store, user: i64) -> String {
    store.credentials_of(user).unwrap().unwrap().hash.as_str().to_owned()
}

fn holder(store: &Store, jti: &str) -> Option<i64> {
    store.holder(jti, NOW).unwrap().map(|person| person.id)
}

fn sessions(store: &Store, user: i64) -> Vec<String> {
    let found = store.sessions(user, NOW).unwrap();
    found.into_iter().map(|session| session.jti).collect()
}

#[test]
fn a_ticket_is_used_once_and_ends_what_was() {
    each("tickets", |store| {
        let [ada, bob] = ["ada", "bob"].map(|name| add(store, name, None).unwrap());
        assert!(!hand_out(store, 99, "x"));
        assert!(hand_out(store, ada, "a") && hand_out(store, bob, "b"));
        assert_eq!(holder(store, "a"), Some(ada));
        assert!(!reset(store, "nothing", "s0", NOW));
        assert!(!reset(store, "a", "s0", Timestamp(END.0 + 1)));
        assert_eq!(password(store, ada), "hash");
        assert!(reset(store, "a", "s1", END));
        assert_eq!(
            (password(store, ada).as_str(), sessions(store, ada)),
            ("from a", vec!["s1".into()])
        );
        assert_eq!(holder(store, "a"), None);
        assert!(!reset(store, "a", "s2", NOW));
        assert!(hand_out(store, ada, "c"));
        assert!(reset(store, "c", "s3", NOW));
        assert_eq!(sessions(store, ada), ["s3"]);
        assert_eq!((password(store, bob).as_str(), holder(store, "b")), ("hash", Some(bob)));
    });
}

#[test]
fn what_voids_a_ticket() {
    let new = hash("new");
    type Act<'a> = &'a dyn Fn(&Store, i64) -> bool;
    let cases: [(&str, bool, Act<'_>); 8] = [
        ("nothing", true, &|_, _| true),
        ("another ticket", false, &|store, user| hand_out(store, user, "b")),
        ("another password", false, &|store, user| {
            let change = Change::Password { hash: &new, session: None, keep_app_passwords: false };
            store.change(user, &change, &BY, &NOTE, NOW).unwrap()
        }),
        ("deactivation", false, &|store, user| {
            store.change(user, &Change::Active(false), &BY, &NOTE, NOW).unwrap()
        }),
        ("deactivation, and activation", false, &|store, user| {
            store.change(user, &Change::Active(false), &BY, &NOTE, NOW).unwrap()
                && store.change(user, &Change::Active(true), &BY, &NOTE, NOW).unwrap()
        }),
        ("deletion", false, &|store, user| store.delete(user, &BY, &NOTE, NOW).unwrap()),
        ("sweeping, too early", true, &|store, _| store.sweep(NOW, END).unwrap() > 0),
        ("sweeping", false, &|store, _| store.sweep(NOW, Timestamp(END.0 + 1)).unwrap() > 0),
    ];
    for (what, good, act) in cases {
        each("void", |store| {
            let ada = add(store, "ada", None).unwrap();
            assert!(hand_out(store, ada, "a"));
            assert!(act(store, ada), "{what}");
            assert_eq!(holder(store, "a").is_some(), good, "{what}");
            assert_eq!(reset(store, "a", "s", NOW), good, "{what}");
        });
    }
}

#[test]
fn an_address_of_a_thief_was_confirmed_after_the_thief_had_been_shut_out() {
    let secret = TotpSecret::stored([1; 20]);
    type Act<'a> = &'a dyn Fn(&Store, i64);
    let cases: [(&str, bool, Act<'_>); 5] = [
        ("nothing", true, &|_, _| ()),
        ("one session", true, &|store, user| {
            store.end(user, SessionScope::One("s"), &BY, &NOTE, NOW).unwrap();
        }),
        ("a second factor that is not confirmed", true, &|store, user| {
            assert!(store.enrol(user, &secret, &BY, &NOTE, NOW).unwrap());
        }),
        ("a second factor", false, &|store, user| {
            assert!(store.enrol(user, &secret, &BY, &NOTE, NOW).unwrap());
            let confirmed = Enrolment { secret: &secret, step: Step(1), codes: &[] };
            assert!(store.confirm_enrolment(user, &confirmed, &BY, &NOTE, NOW).unwrap());
        }),
        ("all sessions", false, &|store, user| {
            store.end(user, SessionScope::All, &BY, &NOTE, NOW).unwrap();
        }),
    ];
    for (what, good, act) in cases {
        each("proposed", |store| {
            let ada = add(store, "ada", Some("ada@x.example")).unwrap();
            let email = Email::parse("eve@x.example").unwrap();
            let mail = LinkMail { email: &email, jti: "a", expires: END };
            assert!(store.propose_email(ada, &mail, &BY, &NOTE, NOW).unwrap());
            act(store, ada);
            assert_eq!(store.confirm_email("a", None, &NOTE, NOW).unwrap(), good, "{what}");
            let email = store.account_of(ada).unwrap().unwrap().email.unwrap();
            assert_eq!(email == "eve@x.example", good, "{what}");
            // Nor is the mail with the link sent, if it has not been.
            while let Some(mail) = store.next_mail(NOW).unwrap() {
                assert!(!matches!(mail.topic, Topic::NewEmail(_)), "{what}: {mail:?}");
                store.delivered(&mail, NOW).unwrap();
            }
        });
    }
}

#[test]
fn they_are_void_when_who_handed_them_out_no_longer_administrates() {
    for (what, undone, refused) in [
        ("deactivated", 0, "InvalidUserError"),
        ("demoted", 1, "MissingRoleError"),
        ("deleted", 2, "MissingUserError"),
    ] {
        each("former-hand", |store| {
            let [root, eve] = ["root", "eve"].map(|name| add_admin(store, name));
            let [ada, bob] = ["ada", "bob"].map(|name| add(store, name, None).unwrap());
            let by = |creator: i64, user: i64, jti: &str| {
                let session = creator.to_string();
                let ticket = Ticket { jti, user, expires: END };
                store.hand_out(&ticket, None, &admin(creator, &session), &NOTE, NOW)
            };
            assert!(by(eve, ada, "a").unwrap() && by(root, bob, "b").unwrap());
            match undone {
                0 => store.change(eve, &Change::Active(false), &BY, &NOTE, NOW).unwrap(),
                1 => store.change(eve, &Change::Roles(&Roles::default()), &BY, &NOTE, NOW).unwrap(),
                _ => store.delete(eve, &BY, &NOTE, NOW).unwrap(),
            };
            assert_eq!((holder(store, "a"), holder(store, "b")), (None, Some(bob)), "{what}");
            // Nor by a request that was under way.
            let late = by(eve, bob, "c");
            assert_eq!(late.unwrap_err().kind().name, refused, "{what}");
            assert_eq!(holder(store, "b"), Some(bob), "{what}");
        });
    }
}

#[test]
fn who_is_inactive_gets_none() {
    each("no-ticket", |store| {
        let ada = add(store, "ada", None).unwrap();
        store.change(ada, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
        assert!(!hand_out(store, ada, "a"));
        assert_eq!(holder(store, "a"), None);
    });
}
