//! Where a user is known, and what the user is told of a login from elsewhere.

use super::{BY, NOTE, add, each};
use crate::clock::Timestamp;
use crate::store::known_places::{HOUR, NOT_TOLD};
use crate::store::{
    AuditQuery, Change, ClientInfo, Entry, MailChange, NewSession, Proof, SessionScope, Store,
};
use crate::values::PasswordHash;

const DAY: i64 = 24 * HOUR;

/// A login at that time that lasts nine days; returns what the user was told.
fn login(store: &Store, user: i64, from: &str, agent: &str, at: i64) -> Option<String> {
    login_with(store, user, (from, agent), at, true)
}

fn login_with(
    store: &Store,
    user: i64,
    (from, agent): (&str, &str),
    at: i64,
    notice: bool,
) -> Option<String> {
    let origin = ClientInfo { ip: from.parse().ok(), agent };
    let (jti, issued) = (format!("{from} {agent} {at}"), Timestamp(at));
    let session = NewSession {
        jti: &jti,
        issued,
        expires: Timestamp(at + 9 * DAY),
        origin,
        notice,
        cookie: false,
    };
    let password = PasswordHash::stored("hash".into());
    let proof = Proof { password: &password, second: None };
    let events = || {
        let query = AuditQuery { limit: 1_000, ..AuditQuery::default() };
        let found = store.recorded(&query).unwrap().rows;
        found.into_iter().filter(|entry| entry.event == "new-device").collect::<Vec<_>>()
    };
    let before = events().len();
    let entry = Entry { user: Some(user), ..NOTE };
    assert!(store.begin(user, &session, &proof, &entry, issued).unwrap());
    let after = events();
    (after.len() > before).then(|| after[0].detail.clone())
}

#[test]
fn a_login_from_elsewhere_is_told() {
    each("new-device", |store| {
        let ada = add(store, "ada", Some("ada@mail.example")).unwrap();
        for (at, from, agent, expected) in [
            (10, "192.0.2.1", "a", None),
            (11, "192.0.2.1", "b", None),
            (12, "192.0.2.2", "a", Some("a at 192.0.2.2")),
            (13, "192.0.2.2", "a", None),
            (
                14,
                "2001:db8::1",
                "a\u{202e}\u{e4} (b; http://c.d)",
                Some("a (b; http://c.d) at 2001:db8::1"),
            ),
            (15, "2001:db8::2", "a", None),
            (16, "2001:db8:0:1::2", "", Some("a program without a name at 2001:db8:0:1::2")),
            (17, "-", "a", Some("a at an unknown address")),
            (18, "-", "a", None),
        ] {
            assert_eq!(login(store, ada, from, agent, at * HOUR).as_deref(), expected, "{at}");
            assert_eq!(sent(store).len(), usize::from(expected.is_some()));
        }
        let long = login(store, ada, "192.0.2.3", &"x".repeat(200), 20 * HOUR).unwrap();
        assert_eq!(long, format!("{} at 192.0.2.3", "x".repeat(80)));
        // A session that has ended counts as long as it is kept.
        let first = "192.0.2.1 a 36000";
        store.end(ada, SessionScope::One(first), &BY, &NOTE, Timestamp(30 * HOUR)).unwrap();
        assert_eq!(login(store, ada, "192.0.2.1", "a", 31 * HOUR), None);
        // Not if nobody is to be told.
        assert_eq!(login_with(store, ada, ("192.0.2.4", "a"), 32 * HOUR, false), None);
    });
}

/// Sends what waits; the kinds.
fn sent(store: &Store) -> Vec<String> {
    let (mut kinds, mut ids) = (Vec::new(), Vec::new());
    store.mails(&mut |mail| (kinds.push(mail.kind), ids.push(mail.id)).1).unwrap();
    for id in ids {
        assert!(store.change_mail(id, MailChange::Drop, &BY, &NOTE, Timestamp(0)).unwrap());
    }
    kinds
}

#[test]
fn logins_from_everywhere_kept_a_changed_password_from_being_told() {
    each("new-device-flood", |store| {
        let ada = add(store, "ada", Some("ada@mail.example")).unwrap();
        login(store, ada, "192.0.2.1", "a", 10);
        let untold = |number: i64, at: i64| {
            let from = format!("198.51.100.{number}");
            let told = login(store, ada, &from, NOT_TOLD, at).expect("the audit has it");
            told.ends_with(NOT_TOLD)
        };
        // Three wait, however many there are; what else is told has its place.
        let kept: Vec<bool> = (0..40).map(|number| untold(number, 20)).collect();
        assert!(kept.iter().enumerate().all(|(at, untold)| *untold == (at >= 3)), "{kept:?}");
        let hash = PasswordHash::stored("hash".into());
        let change = Change::Password { hash: &hash, session: None, keep_app_passwords: false };
        store.change(ada, &change, &BY, &NOTE, Timestamp(21)).unwrap();
        assert_eq!(sent(store), ["new-device", "new-device", "new-device", "password-changed"]);
        // Five in an hour, also where each is sent at once.
        let kept: Vec<bool> = (50..60).map(|number| (untold(number, 30), sent(store)).0).collect();
        assert_eq!(kept.iter().filter(|untold| !**untold).count(), 2, "{kept:?}");
        assert!(untold(60, 20 + HOUR - 1) && !untold(61, 20 + HOUR));
    });
}

#[test]
fn the_thiefs_address_stayed_known_after_another_password() {
    each("new-device-thief", |store| {
        let ada = add(store, "ada", None).unwrap();
        let (home, away) = ("192.0.2.1", "198.51.100.1");
        login(store, ada, home, "a", 10);
        login(store, ada, away, "a", 20);
        let is_known = |from: &str| store.is_known_at(ada, from.parse().unwrap()).unwrap();
        assert!(is_known(home) && is_known(away));
        // In the very second in which the thief logged in, and from home.
        let hash = PasswordHash::stored("hash".into());
        let origin = ClientInfo { ip: home.parse().ok(), agent: "a" };
        let (issued, expires) = (Timestamp(20), Timestamp(20 + DAY));
        let session =
            NewSession { jti: "new", issued, expires, origin, notice: false, cookie: false };
        let change =
            Change::Password { hash: &hash, session: Some(&session), keep_app_passwords: false };
        store.change(ada, &change, &BY, &NOTE, issued).unwrap();
        assert!(is_known(home) && !is_known(away));
        assert_eq!(login(store, ada, away, "b", 20), Some(format!("b at {away}")));
        assert_eq!(login(store, ada, home, "a", 21), None);
        // Where no place counts any more, the next login is not taken for the very first.
        store.end(ada, SessionScope::All, &BY, &NOTE, Timestamp(30)).unwrap();
        assert_eq!(login(store, ada, away, "a", 31), Some(format!("a at {away}")));
    });
}

#[test]
fn an_account_whose_sessions_may_have_been_swept_is_told() {
    each("new-device-old", |store| {
        for (name, age, expected) in [
            ("first", 0, None),
            ("young", 9 * DAY, None),
            ("old", 9 * DAY + 1, Some("a at 192.0.2.1")),
        ] {
            let user = add(store, name, None).unwrap();
            let made = store.account_of(user).unwrap().unwrap().created.0;
            let told = login(store, user, "192.0.2.1", "a", made + age);
            assert_eq!(told.as_deref(), expected, "{name}");
        }
    });
}
