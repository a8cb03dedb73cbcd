//! Notices: what users are told, and the limits on it.

use std::time::{Duration, Instant};

use super::mails::{NOW, ask_for_reset, confirm, fill, propose, register, take};
use super::{BY, NOTE, add, each, execute, hash};
use crate::clock::Timestamp;
use crate::store::delivery::Topic;
use crate::store::mail_kind::MailKind;
use crate::store::notices::{MAX_NOTICES, MAX_NOTICES_OF_ONE, Notice};
use crate::store::outbox::MAX_WAITING;
use crate::store::rows::delivery::DeliveryFailure;
use crate::store::{Change, Store};
use crate::values::Language;

/// Tells a user something.
fn tell(store: &Store, kind: MailKind, user: i64) {
    store.write(NOW, |t| Ok(t.tell(&Notice::new(kind, user))?)).unwrap();
}

fn change_password(store: &Store, user: i64) {
    let change =
        Change::Password { hash: &hash("other"), session: None, keep_app_passwords: false };
    assert!(store.change(user, &change, &BY, &NOTE, NOW).unwrap());
}

#[test]
fn strangers_could_keep_a_notice_from_being_sent() {
    let waiting = |store: &Store, user: i64| {
        let mut found = 0;
        store.mails(&mut |mail| found += i64::from(mail.user == Some(user))).unwrap();
        found
    };
    each("reserve", |store| {
        let [ada, bob] = ["ada", "bob"]
            .map(|name| add(store, name, Some(&format!("{name}@x.example"))).unwrap());
        fill(store, MAX_WAITING, None, Some("j"));
        assert!(register(store, "eve", "eve@x.example", "e").is_err());
        change_password(store, ada);
        assert_eq!(waiting(store, ada), 1);
        // What waits already is told once.
        change_password(store, ada);
        assert_eq!(waiting(store, ada), 1);
        // One account has its share of the places, and all together have an end.
        fill(store, MAX_NOTICES_OF_ONE - 1, Some(ada), None);
        tell(store, MailKind::RecoveryCodeUsed, ada);
        assert_eq!(waiting(store, ada), MAX_NOTICES_OF_ONE);
        fill(store, MAX_NOTICES - MAX_NOTICES_OF_ONE - 1, None, None);
        change_password(store, bob);
        assert_eq!(waiting(store, bob), 1);
        tell(store, MailKind::RecoveryCodeUsed, bob);
        assert_eq!(waiting(store, bob), 1);
    });
}

#[test]
fn who_took_an_account_over_deleted_it_before_its_owner_was_told() {
    each("deleted", |store| {
        let ada = add(store, "ada", Some("old@x.example")).unwrap();
        assert!(propose(store, ada, "eve@x.example", "a"));
        assert!(take(store, NOW).is_some());
        assert!(confirm(store, "a", None, NOW));
        assert!(store.delete(ada, &BY, &NOTE, NOW).unwrap());
        let mut told = Vec::new();
        while let Some(mail) = store.next_mail(NOW).unwrap() {
            // Tried again: the same.
            let failed = DeliveryFailure { why: "busy", due: Some(NOW) };
            store.failed(&mail, &failed, NOW).unwrap();
            let again = store.next_mail(NOW).unwrap().unwrap();
            assert_eq!(again.person, mail.person);
            store.failed(&again, &failed, NOW).unwrap();
            assert_eq!((mail.person.id, mail.language), (ada, Language::English));
            told.push(take(store, NOW).unwrap());
        }
        told.sort_by(|one, other| one.0.cmp(&other.0));
        let row = |email: &str| (email.to_owned(), "ada".to_owned(), Topic::AccountDeleted);
        assert_eq!(told, [row("eve@x.example"), row("old@x.example")]);
    });
}

#[test]
fn a_thief_filled_the_places_of_an_account_and_deleted_it_without_a_word() {
    each("silenced", |store| {
        let [ada, bob] = ["ada", "bob"]
            .map(|name| add(store, name, Some(&format!("{name}@x.example"))).unwrap());
        for user in [ada, bob] {
            fill(store, MAX_NOTICES_OF_ONE, Some(user), None);
        }
        // The address is another one by then.
        assert!(propose(store, bob, "eve@x.example", "b"));
        assert!(confirm(store, "b", None, NOW));
        for user in [ada, bob] {
            assert!(store.delete(user, &BY, &NOTE, NOW).unwrap());
        }
        let mut told = Vec::new();
        while let Some((email, _, topic)) = take(store, NOW) {
            assert_eq!(topic, Topic::AccountDeleted);
            told.push(email);
        }
        told.sort();
        assert_eq!(told, ["ada@x.example", "bob@x.example", "eve@x.example"]);
        // Notices to former addresses have an end as well.
        let carol = add(store, "carol", Some("0@x.example")).unwrap();
        for number in 1..MAX_NOTICES_OF_ONE + 5 {
            assert!(propose(store, carol, &format!("{number}@x.example"), "c"));
            assert!(confirm(store, "c", None, NOW));
        }
        execute(store, "DELETE FROM outbox WHERE jti IS NOT NULL", &[]).unwrap();
        let mut kept = Vec::new();
        store.mails(&mut |mail| kept.push(mail.email)).unwrap();
        assert_eq!((kept.len() as i64, &*kept[0]), (MAX_NOTICES_OF_ONE, "0@x.example"));
    });
}

#[test]
fn a_second_notice_says_what_the_first_does_not() {
    each("folded", |store| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        let waiting = || {
            let mut found = 0;
            store.mails(&mut |_| found += 1).unwrap();
            found
        };
        for (kind, expected) in [
            (MailKind::PasswordChanged, 1),
            (MailKind::PasswordChanged, 1),
            (MailKind::SecondFactorOn, 2),
            (MailKind::SecondFactorOff, 3),
            // Or the last that is heard of it would be that it is off.
            (MailKind::SecondFactorOn, 4),
            (MailKind::PasswordChanged, 4),
        ] {
            tell(store, kind, ada);
            assert_eq!(waiting(), expected, "{kind:?}");
        }
        // One that was tried before may have arrived.
        let first = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!(first.topic, Topic::PasswordChanged);
        store.failed(&first, &DeliveryFailure { why: "busy", due: Some(NOW) }, NOW).unwrap();
        tell(store, MailKind::PasswordChanged, ada);
        assert_eq!(waiting(), 5);
    });
}

#[test]
fn without_mail_nobody_is_told() {
    each("silent", |store| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        register(store, "bob", "bob@x.example", "b").unwrap();
        change_password(store, ada);
        // Another server on the same database may still send it.
        assert_eq!(store.discard_notices(NOW).unwrap(), 0);
        let later = Timestamp(NOW.0 + 4_000);
        assert_eq!(store.discard_notices(later).unwrap(), 1);
        assert_eq!(store.discard_notices(later).unwrap(), 0);
        // A mail that a person has asked for stays.
        assert!(matches!(take(store, NOW), Some((.., Topic::Confirm(_)))));
        assert!(take(store, NOW).is_none());
    });
}

#[test]
fn a_notice_that_waited_for_a_week_is_given_up_and_kept() {
    each("week", |store| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        change_password(store, ada);
        let later = Timestamp(NOW.0 + 8 * 24 * 3600);
        assert!(take(store, later).is_none());
        let mut mails = Vec::new();
        store.mails(&mut |mail| mails.push((mail.kind, mail.due))).unwrap();
        assert_eq!(mails, [("password-changed".to_owned(), None)]);
        // It was tried, so it stays for an administrator to see.
        assert_eq!(store.discard_notices(later).unwrap(), 0);
        assert_eq!(store.retry_mails(&NOTE, later).unwrap(), 1);
        assert!(take(store, later).is_some());
    });
}

#[test]
fn a_mail_in_the_outbox_wakes_the_mailer() {
    each("woken", |store| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        let wakes = |act: &dyn Fn(), longest: Duration| {
            act();
            let begun = Instant::now();
            store.outbox_signal().wait(longest);
            begun.elapsed() < longest
        };
        let (long, short) = (Duration::from_secs(60), Duration::from_millis(50));
        assert!(wakes(&|| change_password(store, ada), long));
        assert!(wakes(&|| assert!(register(store, "bob", "bob@x.example", "b").is_ok()), long));
        assert!(wakes(&|| ask_for_reset(store, "ada@x.example", "r"), long));
        // An equal notice waits already; and what is undone puts no mail into the outbox.
        assert!(!wakes(&|| change_password(store, ada), short));
        assert!(!wakes(&|| assert!(register(store, "ADA", "x@x.example", "x").is_err()), short));
    });
}
