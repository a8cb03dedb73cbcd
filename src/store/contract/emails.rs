//! How an account gets its e-mail address: registration and a new address, each confirmed once.

use super::mails::{AFTER, END, NOW, ask_for_reset, confirm, link, propose, register, row, take};
use super::{BY, NOTE, add, each, execute, hash};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::delivery::Topic;
use crate::store::mail_kind::MailKind;
use crate::store::rows::delivery::DeliveryFailure;
use crate::store::{Account, Change, Store};
use crate::values::{Language, Roles};

#[test]
fn a_registration_is_confirmed_once_and_in_time() {
    each("confirm", |store| {
        let ada = register(store, "Ada", "ada@x.example", "a").unwrap();
        assert!(matches!(register(store, "ada", "b@x.example", "b"), Err(Error::UsernameTaken)));
        let account = store.account_of(ada).unwrap().unwrap();
        assert_eq!((account.person.active, account.email), (false, None));
        assert_eq!(account.unconfirmed, Some(END));
        let mail = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!((mail.language, mail.kind), (Language::Portuguese, MailKind::Registration));
        let busy = DeliveryFailure { why: "busy", due: Some(NOW) };
        store.failed(&mail, &busy, NOW).unwrap();
        assert_eq!(take(store, NOW), row("ada@x.example", "Ada", Topic::Confirm(link("a"))));
        assert_eq!(take(store, NOW), None);
        assert!(!confirm(store, "a", Some("s"), AFTER));
        assert!(confirm(store, "a", Some("s"), END));
        assert!(!confirm(store, "a", Some("t"), END));
        let account = store.account_of(ada).unwrap().unwrap();
        assert_eq!((account.person.active, account.unconfirmed), (true, None));
        assert_eq!(store.credentials("ADA@x.example").unwrap().unwrap().person.id, ada);
    });
}

#[test]
fn who_does_not_confirm_is_gone_with_the_mail() {
    each("unconfirmed", |store| {
        let ada = register(store, "ada", "ada@x.example", "a").unwrap();
        store.sweep(Timestamp(0), END).unwrap();
        assert!(store.account_of(ada).unwrap().is_some());
        store.sweep(Timestamp(0), AFTER).unwrap();
        assert!(store.account_of(ada).unwrap().is_none());
        assert!(store.next_mail(NOW).unwrap().is_none());
        assert!(register(store, "ada", "ada@x.example", "b").unwrap() > ada);
    });
}

#[test]
fn the_first_link_outlived_the_waiting() {
    type Act<'a> = &'a dyn Fn(&Store, i64) -> bool;
    let change = |store: &Store, user, change: Change<'_>| {
        store.change(user, &change, &BY, &NOTE, NOW).unwrap()
    };
    let hash = hash("other");
    // What happens, and whether the link that was mailed at registration still confirms.
    let cases: [(&str, bool, Act<'_>); 9] = [
        ("nothing", true, &|_, _| true),
        ("another role", true, &|store, user| {
            change(store, user, Change::Roles(&Roles::default()))
        }),
        ("confirmed", false, &|store, _| confirm(store, "a", Some("first"), NOW)),
        ("activated", false, &|store, user| change(store, user, Change::Active(true))),
        ("deactivated", false, &|store, user| change(store, user, Change::Active(false))),
        ("deactivated, and activated", false, &|store, user| {
            change(store, user, Change::Active(false)) && change(store, user, Change::Active(true))
        }),
        ("another password", false, &|store, user| {
            let password =
                Change::Password { hash: &hash, session: None, keep_app_passwords: false };
            change(store, user, password)
        }),
        ("deleted", false, &|store, user| store.delete(user, &BY, &NOTE, NOW).unwrap()),
        ("swept", false, &|store, _| store.sweep(Timestamp(0), AFTER).unwrap() > 0),
    ];
    for (what, confirms, act) in cases {
        each("waiting", |store| {
            let ada = register(store, "ada", "typo@x.example", "a").unwrap();
            assert!(act(store, ada), "{what}");
            let before = store.account_of(ada).unwrap();
            assert_eq!(confirm(store, "a", Some("s"), NOW), confirms, "{what}");
            let sessions = store.sessions(ada, NOW).unwrap();
            assert_eq!(sessions.iter().any(|one| one.jti == "s"), confirms, "{what}");
            if !confirms {
                let after = store.account_of(ada).unwrap();
                let shown = |account: Option<Account>| {
                    account.map(|account| (account.person.active, account.email))
                };
                assert_eq!(shown(before), shown(after), "{what}");
                assert_eq!(store.confirmation("a", NOW).unwrap().map(|found| found.email), None);
            }
        });
    }
}

#[test]
fn a_registration_passes_the_gate_of_every_login() {
    each("gate", |store| {
        let ada = register(store, "ada", "ada@x.example", "a").unwrap();
        let factor = "INSERT INTO second_factors (\"user\", secret, created, confirmed)
                      VALUES ($1, $2, 1, 1)";
        execute(store, factor, &[ada.into(), [0].as_slice().into()]).unwrap();
        assert!(!confirm(store, "a", Some("s"), NOW), "a link is no code");
        assert!(store.sessions(ada, NOW).unwrap().is_empty());
        // Nor does the link of a new address log anybody in, whatever is asked of the store.
        let bob = add(store, "bob", Some("bob@x.example")).unwrap();
        assert!(propose(store, bob, "new@x.example", "b"));
        assert!(!confirm(store, "b", Some("t"), NOW));
        assert!(confirm(store, "b", None, NOW));
    });
}

#[test]
fn a_new_address() {
    each("address", |store| {
        let ada = add(store, "ada", Some("old@x.example")).unwrap();
        assert!(!propose(store, 99, "new@x.example", "x"));
        assert!(propose(store, ada, "typo@x.example", "a"));
        assert!(propose(store, ada, "new@x.example", "b"));
        assert_eq!(take(store, NOW), row("new@x.example", "ada", Topic::NewEmail(link("b"))));
        ask_for_reset(store, "old@x.example", "r");
        assert_eq!(take(store, NOW), row("old@x.example", "ada", Topic::Reset(link("r"))));
        assert!(!confirm(store, "a", None, NOW));
        assert!(store.holder("r", NOW).unwrap().is_some());
        assert!(confirm(store, "b", None, NOW) && !confirm(store, "b", None, NOW));
        assert!(store.holder("r", NOW).unwrap().is_none(), "it lies in the old mailbox");
        let told = Topic::EmailChanged("new@x.example".into());
        assert_eq!(take(store, NOW), row("old@x.example", "ada", told));
        assert!(store.credentials("old@x.example").unwrap().is_none());
        assert_eq!(store.credentials("new@x.example").unwrap().unwrap().person.id, ada);
        // Another password voids what is under way.
        assert!(propose(store, ada, "third@x.example", "c"));
        let hash = hash("other");
        let change = Change::Password { hash: &hash, session: None, keep_app_passwords: false };
        assert!(store.change(ada, &change, &BY, &NOTE, NOW).unwrap());
        assert!(!confirm(store, "c", None, NOW));
        assert_eq!(take(store, NOW), row("new@x.example", "ada", Topic::PasswordChanged));
        assert_eq!(take(store, NOW), None);
    });
}
