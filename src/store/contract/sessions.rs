//! Sessions: how they begin, are exchanged, adopted and ended, and how many are kept.

use std::time::Duration;

use super::{BY, NOTE, add, each, execute, number};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::rows::sessions;
use crate::store::sessions::MAX_PER_USER;
use crate::store::{
    AuditQuery, Authority, Change, ClientInfo, Enrolment, Entry, Event, NewSession, Proof,
    RefreshOutcome, RefreshRequest, RotationPolicy, SessionScope, Sighting, Standing, Store, Used,
};
use crate::values::{Lifespans, PasswordHash, Roles, Step, TotpSecret};

const END: Timestamp = Timestamp(10_000);

fn opening(jti: &str, issued: i64) -> NewSession<'_> {
    let origin = ClientInfo { ip: Some([192, 0, 2, 1].into()), agent: "a program" };
    NewSession {
        jti,
        issued: Timestamp(issued),
        expires: END,
        origin,
        notice: false,
        cookie: false,
    }
}

fn begin(store: &Store, user: i64, jti: &str, at: i64) -> bool {
    let password = &PasswordHash::stored("hash".into());
    let proof = Proof { password, second: None };
    store.begin(user, &opening(jti, at), &proof, &NOTE, Timestamp(at)).unwrap()
}

fn confirm_factor(store: &Store, user: i64) {
    let secret = TotpSecret::stored([1; 20]);
    let enrolment = Enrolment { secret: &secret, step: Step(10), codes: &[] };
    assert!(store.enrol(user, &secret, &BY, &NOTE, Timestamp(40)).unwrap());
    assert!(
        store.standings(&["b"], &|_| false).unwrap()[0].as_ref().unwrap().second_factor
            != Some(true)
    );
    assert!(store.confirm_enrolment(user, &enrolment, &BY, &NOTE, Timestamp(40)).unwrap());
}

fn open_sessions(store: &Store, user: i64) -> Vec<String> {
    let found = store.sessions(user, Timestamp(50)).unwrap();
    found.into_iter().map(|session| session.jti).collect()
}

fn ended(store: &Store, jti: &str) -> Option<bool> {
    store.standing(jti).unwrap().map(|standing| standing.ended)
}

#[test]
fn a_session_begins_only_with_the_right_password_of_an_active_user() {
    each("begin", |store| {
        let ada = add(store, "ada", None).unwrap();
        assert!(begin(store, ada, "a", 10));
        let standing = store.standing("a").unwrap().unwrap();
        assert_eq!((standing.person.id, standing.ended), (ada, false));
        assert!(!begin(store, 99, "b", 10));
        let new = PasswordHash::stored("new".into());
        let change = Change::Password { hash: &new, session: None, keep_app_passwords: false };
        assert!(store.change(ada, &change, &BY, &NOTE, Timestamp(20)).unwrap());
        assert!(!begin(store, ada, "b", 10), "the password was changed while it was compared");
        store.change(ada, &Change::Active(false), &BY, &NOTE, Timestamp(30)).unwrap();
        let proof = Proof { password: &new, second: None };
        let begun = store.begin(ada, &opening("b", 40), &proof, &NOTE, Timestamp(40)).unwrap();
        assert!(!begun, "inactive");
        assert_eq!(ended(store, "b"), None);
    });
}

#[test]
fn many_tokens_are_checked_at_once_in_their_order() {
    each("standings", |store| {
        let [ada, bob] = ["ada", "bob"].map(|name| add(store, name, None).unwrap());
        assert!(begin(store, ada, "a", 10) && begin(store, bob, "b", 20));
        store.end(bob, SessionScope::One("b"), &BY, &NOTE, Timestamp(30)).unwrap();
        let tokens = ["b", "none", "a", "b"];
        let expected = tokens.map(|jti| store.standing(jti).unwrap());
        assert!(expected[0].as_ref().is_some_and(|standing| standing.ended));
        assert_eq!(expected[1], None);
        // Across a network the second factor is asked for in the same query.
        let asked = store.concurrency().reads.is_some();
        for (count, has_one) in [(4, false), (1, false), (4, true), (1, true)] {
            if has_one && !store.has_second_factor(bob).unwrap() {
                confirm_factor(store, bob);
            }
            let mut found = store.standings(&tokens[..count], &|_| false).unwrap();
            for standing in found.iter_mut().flatten() {
                let known = standing.second_factor.take();
                assert_eq!(known, asked.then_some(has_one && standing.person.id == bob));
            }
            assert_eq!(found, expected[..count]);
        }
        assert_eq!(store.standings(&[], &|_| true).unwrap(), []);
    });
}

#[test]
fn rotation() {
    use RefreshOutcome::{Gone, Idle, Issue, Replayed};
    const HOME: &str = "192.0.2.1";
    const AWAY: &str = "198.51.100.1";
    // Refreshes one after another: from where, the token's iat, the time, what comes of it.
    type Refresh<'a> = (&'a str, i64, i64, RefreshOutcome);
    let lifespans = Lifespans {
        access: Duration::from_secs(500),
        refresh: Duration::from_secs(10_000),
        early: Duration::from_secs(60),
    };
    let never = RotationPolicy::new(false, None, lifespans);
    let reuse = RotationPolicy::new(true, None, lifespans);
    let idle = RotationPolicy::new(true, Some(Duration::from_secs(600)), lifespans);
    let check = |what: &str, policy: RotationPolicy, refreshes: &[Refresh<'_>]| {
        each("rotation", |store| {
            let ada = add(store, "ada", None).unwrap();
            begin(store, ada, "a", 100);
            for &(from, iat, now, expected) in refreshes {
                let origin = ClientInfo { ip: from.parse().ok(), agent: "a program" };
                let exchange = RefreshRequest { jti: "a", issued: Timestamp(iat), origin };
                let found = store.rotate(&exchange, &policy, &NOTE, Timestamp(now)).unwrap();
                assert_eq!(found, expected, "{what}: {iat} at {now}");
            }
            let over = refreshes.iter().any(|(.., found)| *found == Replayed);
            assert_eq!(ended(store, "a"), Some(over), "{what}");
            let all = AuditQuery { limit: 100, ..AuditQuery::default() };
            let alarms = store.recorded(&all).unwrap().rows.len() - 2;
            assert_eq!(alarms, usize::from(over), "{what}");
        });
    };
    let issue = |iat| Issue(Timestamp(iat));
    let both = |what: &str, refreshes: &[Refresh<'_>]| {
        check(what, never, refreshes);
        check(what, reuse, refreshes);
    };
    both("one after the other", &[(HOME, 100, 200, issue(200)), (AWAY, 200, 300, issue(300))]);
    both(
        "two windows at once",
        &[
            (HOME, 100, 200, issue(200)),
            (HOME, 100, 200, issue(200)),
            (HOME, 100, 230, issue(200)),
            (HOME, 200, 300, issue(300)),
        ],
    );
    both("an answer was lost", &[(HOME, 100, 200, issue(200)), (AWAY, 100, 201, issue(200))]);
    both("in the same second", &[(HOME, 100, 100, issue(100)), (HOME, 100, 100, issue(100))]);
    both(
        "the later request was faster",
        &[(HOME, 100, 201, issue(201)), (HOME, 100, 200, issue(201))],
    );
    both(
        "exchanged by another program",
        &[(HOME, 150, 200, issue(200)), (HOME, 150, 210, issue(200))],
    );
    both(
        "the clock was set back",
        &[
            (HOME, 100, 9_000, issue(9_000)),
            (HOME, 9_000, 8_000, issue(9_000)),
            (HOME, 100, 8_000, issue(8_000)),
        ],
    );
    both(
        "a replay after the clock was set back",
        &[
            (HOME, 100, 200, issue(200)),
            (HOME, 200, 150, issue(200)),
            (HOME, 200, 210, issue(210)),
            (HOME, 210, 150, issue(210)),
            (AWAY, 100, 150, Replayed),
        ],
    );
    let later = |address| {
        [(HOME, 100, 200, issue(200)), (address, 100, 231, Replayed), (address, 200, 300, Gone)]
    };
    check("too late", never, &later(HOME));
    both("too late, from elsewhere", &later(AWAY));
    let older = |address| {
        [(HOME, 100, 200, issue(200)), (HOME, 200, 210, issue(210)), (address, 100, 211, Replayed)]
    };
    check("two generations old", never, &older(HOME));
    both("two generations old, from elsewhere", &older(AWAY));
    check("never issued", never, &[(HOME, 50, 200, Replayed)]);
    check(
        "tabs that keep copies of the token",
        reuse,
        &[
            (HOME, 100, 200, issue(200)),
            (HOME, 200, 300, issue(300)),
            (HOME, 100, 400, issue(300)),
            (HOME, 200, 410, issue(300)),
            // The newest is about to expire.
            (HOME, 100, 790, issue(790)),
            (HOME, 300, 900, issue(790)),
            (HOME, 790, 900, issue(900)),
        ],
    );
    check(
        "tabs in a train",
        reuse,
        &[
            (AWAY, 100, 200, issue(200)),
            (AWAY, 100, 300, issue(200)),
            (HOME, 200, 400, issue(400)),
            (HOME, 100, 500, issue(400)),
            (AWAY, 100, 500, Replayed),
        ],
    );
    check(
        "nobody came for long",
        idle,
        &[(HOME, 100, 700, issue(700)), (HOME, 700, 1_301, Idle), (AWAY, 100, 1_301, Idle)],
    );
}

#[test]
fn a_clock_that_was_set_back_ended_sessions_and_let_replays_pass() {
    use RefreshOutcome::Replayed;
    let issue = |iat| RefreshOutcome::Issue(Timestamp(iat));
    type Refresh = (i64, i64, RefreshOutcome);
    let table: [(&str, &[Refresh]); 3] = [
        ("the newest token", &[(100, 200, issue(200)), (200, 150, issue(200))]),
        ("two windows", &[(100, 200, issue(200)), (100, 150, issue(200))]),
        (
            "a replay",
            &[
                (100, 200, issue(200)),
                (200, 150, issue(200)),
                (200, 210, issue(210)),
                (210, 150, issue(210)),
                (100, 150, Replayed),
            ],
        ),
    ];
    let lifespans = Lifespans {
        access: Duration::from_secs(500),
        refresh: Duration::from_secs(10_000),
        early: Duration::from_secs(60),
    };
    let never = RotationPolicy::new(false, None, lifespans);
    let origin = ClientInfo { ip: None, agent: "" };
    for (number, (what, refreshes)) in table.into_iter().enumerate() {
        each(&format!("set-back-{number}"), |store| {
            let ada = add(store, "ada", None).unwrap();
            begin(store, ada, "a", 100);
            for &(iat, now, expected) in refreshes {
                let exchange = RefreshRequest { jti: "a", issued: Timestamp(iat), origin };
                let found = store.rotate(&exchange, &never, &NOTE, Timestamp(now)).unwrap();
                assert_eq!(found, expected, "{what}: {iat} at {now}");
            }
        });
    }
}

#[test]
fn what_ends_sessions() {
    each("ends", |store| {
        let ada = add(store, "ada", None).unwrap();
        let bob = add(store, "bob", None).unwrap();
        let now = Timestamp(20);
        let fresh = |store: &Store| {
            store.end(ada, SessionScope::All, &BY, &NOTE, now).unwrap();
            for jti in ["a", "b", "c"] {
                let _ = execute(store, "DELETE FROM sessions WHERE jti = $1", &[jti.into()]);
                assert!(begin(store, ada, jti, 10));
            }
        };
        begin(store, bob, "bobs", 10);
        fresh(store);
        assert_eq!(store.end(ada, SessionScope::One("b"), &BY, &NOTE, now).unwrap(), 1);
        assert_eq!(store.end(ada, SessionScope::One("b"), &BY, &NOTE, now).unwrap(), 0);
        assert_eq!(store.end(ada, SessionScope::One("bobs"), &BY, &NOTE, now).unwrap(), 0);
        assert_eq!(open_sessions(store, ada), ["a", "c"]);
        assert_eq!(store.end(ada, SessionScope::All, &BY, &NOTE, now).unwrap(), 2);
        fresh(store);
        let hash = PasswordHash::stored("hash".into());
        let begins = opening("d", 20);
        let change =
            Change::Password { hash: &hash, session: Some(&begins), keep_app_passwords: false };
        store.change(ada, &change, &BY, &NOTE, now).unwrap();
        assert_eq!(open_sessions(store, ada), ["d"]);
        fresh(store);
        store.change(ada, &Change::Roles(&Roles::default()), &BY, &NOTE, now).unwrap();
        assert_eq!(open_sessions(store, ada).len(), 3);
        store.change(ada, &Change::Active(false), &BY, &NOTE, now).unwrap();
        assert_eq!(open_sessions(store, ada).len(), 0);
        assert_eq!(ended(store, "a"), Some(true));
        assert_eq!(open_sessions(store, bob), ["bobs"]);
        store.delete(ada, &BY, &NOTE, now).unwrap();
        assert_eq!(store.standing("a").unwrap(), None);
    });
}

#[test]
fn foreign_tokens_are_adopted_once_and_never_after_an_end() {
    each("adopt", |store| {
        let ada = add(store, "ada", None).unwrap();
        let adopt = |jti: &str, issued: i64| {
            store.adopt(ada, &opening(jti, issued), &NOTE, Timestamp(100)).unwrap()
        };
        assert!(adopt("a", 10));
        assert!(!adopt("a", 10), "it is known");
        store.end(ada, SessionScope::One("a"), &BY, &NOTE, Timestamp(50)).unwrap();
        assert!(!adopt("a", 10), "it was ended");
        assert!(adopt("b", 10), "another login has not ended");
        store.end(ada, SessionScope::All, &BY, &NOTE, Timestamp(60)).unwrap();
        assert!(!adopt("c", 60), "all up to then have ended");
        assert!(adopt("c", 61));
        let hash = PasswordHash::stored("hash".into());
        let change = Change::Password { hash: &hash, session: None, keep_app_passwords: false };
        store.change(ada, &change, &BY, &NOTE, Timestamp(70)).unwrap();
        assert!(!adopt("d", 70));
        store.change(ada, &Change::Active(false), &BY, &NOTE, Timestamp(80)).unwrap();
        assert!(!adopt("d", 90), "inactive");
        store.change(ada, &Change::Active(true), &BY, &NOTE, Timestamp(95)).unwrap();
        assert!(!adopt("d", 80));
        assert!(adopt("d", 90));
    });
}

#[test]
fn sessions_of_one_user_are_bounded() {
    each("bounded", |store| {
        let ada = add(store, "ada", None).unwrap();
        let jti = |number| format!("s{number}");
        // Most of them in one transaction, which is quicker.
        let filled = store.write_rows(|queries| {
            (0..MAX_PER_USER - 5).try_for_each(|number| {
                sessions::insert(queries, ada, &opening(&jti(number), 100 + number))
            })
        });
        filled.unwrap();
        for number in MAX_PER_USER - 5..MAX_PER_USER + 5 {
            assert!(begin(store, ada, &jti(number), 100 + number));
        }
        assert_eq!(ended(store, "s4"), None);
        assert_eq!(ended(store, "s5"), Some(false));
        let adopted = store.adopt(ada, &opening("s4", 104), &NOTE, Timestamp(9_000)).unwrap();
        assert!(!adopted, "forgotten, and so not to be taken again");
    });
}

#[test]
fn a_session_remembers_when_its_cookie_was_last_shown() {
    each("seen", |store| {
        let ada = add(store, "ada", Some("Ada@x.example")).unwrap();
        let seen = |jti: &str| {
            let standing = store.standing_with_details(jti).unwrap().unwrap();
            let details = standing.details.unwrap();
            assert_eq!((details.expires, details.newest), (END, standing.began));
            assert_eq!(details.email.as_deref(), Some("Ada@x.example"));
            let lean = store.standing(jti).unwrap().unwrap();
            assert_eq!(lean, Standing { details: None, ..standing });
            details.seen.map(|at| at.0)
        };
        let note = |uses: &[(Used, &str, i64)]| {
            let uses = uses.iter().map(|&(used, key, at)| {
                let ip = Some([192, 0, 2, 7].into());
                Sighting { used, key: key.into(), at: Timestamp(at), ip }
            });
            store.note_seen(&uses.collect::<Vec<_>>()).unwrap();
        };
        assert!(begin(store, ada, "token", 10));
        let proof = Proof { password: &PasswordHash::stored("hash".into()), second: None };
        let cookie = NewSession { cookie: true, ..opening("cookie", 20) };
        assert!(store.begin(ada, &cookie, &proof, &NOTE, Timestamp(20)).unwrap());
        assert_eq!((seen("token"), seen("cookie")), (None, Some(20)));
        // Nothing gives a cookie to a session that has none, or moves a time back.
        note(&[(Used::Session, "token", 30), (Used::Session, "cookie", 30)]);
        note(&[(Used::Session, "cookie", 25), (Used::Session, "none", 25)]);
        assert_eq!((seen("token"), seen("cookie")), (None, Some(30)));
        note(&[]);

        let by = Authority::User { id: ada, session: "token", since: Timestamp(0), proof: None };
        let give = |at| {
            store.give_cookie(&exchange("token", 10), &policy(None), &by, &NOTE, Timestamp(at))
        };
        assert_eq!(give(40).unwrap(), END);
        assert_eq!((seen("token"), seen("cookie")), (Some(40), Some(30)));
        let listed = store.sessions(ada, Timestamp(50)).unwrap();
        let listed: Vec<_> = listed.iter().map(|one| (one.jti.as_str(), one.seen)).collect();
        let expected = [("cookie", Some(Timestamp(30))), ("token", Some(Timestamp(40)))];
        assert_eq!(listed, expected);
        // Of many at once, with the details where they are asked for.
        let found = store.standings(&["token", "none", "cookie"], &|place| place == 2).unwrap();
        let details = |at: usize| found[at].as_ref().and_then(|found| found.details.as_ref());
        assert_eq!((details(0), found[1].is_none()), (None, true));
        assert_eq!(details(2).map(|details| details.seen), Some(Some(Timestamp(30))));
        let one = store.standings(&["cookie"], &|_| true).unwrap();
        assert_eq!(one[0].as_ref().unwrap().details.as_ref(), details(2));

        store.end(ada, SessionScope::One("token"), &BY, &NOTE, Timestamp(60)).unwrap();
        assert!(matches!(give(70), Err(Error::Revoked)));
        assert_eq!(seen("token"), Some(40));

        let sql = "INSERT INTO app_passwords (id, hash, \"user\", name, created)
                   VALUES ('p', $1, $2, 'mail', 1)";
        execute(store, sql, &[(&b"hash"[..]).into(), ada.into()]).unwrap();
        note(&[(Used::AppPassword, "p", 80), (Used::Session, "cookie", 80)]);
        note(&[(Used::AppPassword, "p", 75)]);
        assert_eq!(number(store, "SELECT used FROM app_passwords"), 80);
        let place = "SELECT count(*) FROM app_passwords WHERE used_address = '192.0.2.7'";
        assert_eq!(number(store, place), 1);
    });
}

fn exchange(jti: &str, issued: i64) -> RefreshRequest<'_> {
    let origin = ClientInfo { ip: Some([198, 51, 100, 1].into()), agent: "a browser" };
    RefreshRequest { jti, issued: Timestamp(issued), origin }
}

fn policy(idle: Option<u64>) -> RotationPolicy {
    let [access, refresh, early] = [500, 10_000, 60].map(Duration::from_secs);
    let lifespans = Lifespans { access, refresh, early };
    RotationPolicy::new(true, idle.map(Duration::from_secs), lifespans)
}

#[test]
fn a_cookie_is_given_for_the_newest_token_alone() {
    each("give cookie", |store| {
        let ada = add(store, "ada", None).unwrap();
        let kept = Entry { event: Event::BrowserSession, user: Some(ada), ..NOTE };
        let entries = |event: Event| {
            let all = AuditQuery { limit: 100, ..AuditQuery::default() };
            let rows = store.recorded(&all).unwrap().rows;
            rows.iter().filter(|row| row.event == event.name()).count()
        };
        let give = |jti: &str, issued: i64, idle, at: i64| {
            let by = Authority::User { id: ada, session: jti, since: Timestamp(0), proof: None };
            let token = exchange(jti, issued);
            let given = store.give_cookie(&token, &policy(idle), &by, &kept, Timestamp(at));
            given.map_err(|error| error.kind().name)
        };
        let refresh = |jti: &str, issued: i64, at: i64| {
            let outcome = store.rotate(&exchange(jti, issued), &policy(None), &NOTE, Timestamp(at));
            assert_eq!(outcome.unwrap(), RefreshOutcome::Issue(Timestamp(at)));
        };
        for jti in ["a", "b", "c"] {
            assert!(begin(store, ada, jti, 100));
            refresh(jti, 100, 700);
        }
        // The answer with the newest may have been lost; the session is in the audit once.
        assert_eq!(give("a", 100, None, 730), Ok(END));
        assert_eq!(give("a", 700, None, 731), Ok(END));
        assert_eq!((entries(Event::BrowserSession), ended(store, "a")), (1, Some(false)));
        // From elsewhere, where `b` was refreshed last by another program.
        let elsewhere = "UPDATE sessions SET refreshed_agent = 'another' WHERE jti <> 'a'";
        execute(store, elsewhere, &[]).unwrap();
        assert_eq!(give("b", 100, None, 730), Ok(END));
        assert_eq!(give("b", 100, None, 731), Err("BlacklistedError"));
        assert_eq!((entries(Event::RefreshReplayed), ended(store, "b")), (1, Some(true)));
        assert_eq!(give("b", 700, None, 731), Err("BlacklistedError"));
        // Idle: the cookie does not bring it back.
        assert_eq!(give("c", 700, Some(600), 1_301), Err("ExpiredRefreshError"));
        assert_eq!((entries(Event::BrowserSession), ended(store, "c")), (2, Some(false)));
        assert_eq!(give("c", 700, Some(600), 1_300), Ok(END));
        assert_eq!(give("c", 700, Some(600), 1_900), Ok(END), "the cookie has been shown");
        assert_eq!(give("c", 700, Some(600), 2_501), Err("ExpiredRefreshError"));
    });
}

#[test]
fn what_has_expired_is_swept() {
    each("sweep", |store| {
        let ada = add(store, "ada", None).unwrap();
        begin(store, ada, "a", 10);
        let all = AuditQuery { limit: 100, ..AuditQuery::default() };
        let entries = || store.recorded(&all).unwrap().rows.len();
        assert_eq!(entries(), 2);
        assert_eq!(store.sweep(Timestamp(0), END).unwrap(), 0);
        assert_eq!(ended(store, "a"), Some(false));
        assert_eq!(store.sweep(Timestamp(6), Timestamp(END.0 + 1)).unwrap(), 2);
        assert_eq!(ended(store, "a"), None);
        assert_eq!(entries(), 1);
    });
}
