//! Second factors and recovery codes: each code lets its owner in once.

use std::sync::LazyLock;

use super::{BY, NOTE, add, each};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{
    AuditQuery, Authority, Change, ClientInfo, Enrolment, NewSession, Proof, SecondFactor, Store,
};
use crate::values::{Code, CodeHash, FactorUse, PasswordHash, Step, TotpSecret};

const NOW: Timestamp = Timestamp(100);

fn secret(byte: u8) -> TotpSecret {
    TotpSecret::stored([byte; 20])
}

fn step(step: i64) -> FactorUse {
    FactorUse::Step { secret: secret(1), step: Step(step) }
}

fn codes() -> Vec<CodeHash> {
    Code::recovery_set().unwrap().iter().map(Code::hash).collect()
}

/// A user whose second factor, `secret(1)`, was confirmed with the code of step 10.
fn with_factor(store: &Store, name: &str, codes: &[CodeHash]) -> i64 {
    let user = add(store, name, None).unwrap();
    assert!(store.enrol(user, &secret(1), &BY, &NOTE, NOW).unwrap());
    assert!(
        store
            .confirm_enrolment(
                user,
                &Enrolment { secret: &secret(1), step: Step(10), codes },
                &BY,
                &NOTE,
                NOW
            )
            .unwrap()
    );
    user
}

fn begin(store: &Store, user: i64, jti: &str, second: Option<&FactorUse>) -> bool {
    let origin = ClientInfo { ip: None, agent: "" };
    let session = NewSession {
        jti,
        issued: NOW,
        expires: Timestamp(10_000),
        origin,
        notice: false,
        cookie: false,
    };
    let password = &PasswordHash::stored("hash".into());
    let proof = Proof { password, second };
    store.begin(user, &session, &proof, &NOTE, NOW).unwrap()
}

/// Ada, who is logged in, shows her password and this.
fn showing<'a>(id: i64, session: &'a str, used: &'a FactorUse) -> Authority<'a> {
    static HASH: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash::stored("hash".into()));
    let proof = Some(Proof { password: &HASH, second: Some(used) });
    Authority::User { id, session, since: Timestamp(0), proof }
}

fn events(store: &Store) -> Vec<String> {
    let found = store.recorded(&AuditQuery { limit: 100, ..AuditQuery::default() }).unwrap().rows;
    found.into_iter().rev().map(|entry| entry.event).collect()
}

#[test]
fn it_counts_once_it_is_confirmed() {
    each("enrol", |store| {
        let ada = add(store, "ada", None).unwrap();
        let confirm = |secret: &TotpSecret| {
            store
                .confirm_enrolment(
                    ada,
                    &Enrolment { secret, step: Step(10), codes: &codes() },
                    &BY,
                    &NOTE,
                    NOW,
                )
                .unwrap()
        };
        assert_eq!(store.second_factor(ada).unwrap(), None);
        assert!(!confirm(&secret(1)), "there is none");
        assert!(store.enrol(ada, &secret(2), &BY, &NOTE, NOW).unwrap());
        assert!(store.enrol(ada, &secret(1), &BY, &NOTE, Timestamp(200)).unwrap(), "another try");
        let mut expected = SecondFactor {
            secret: secret(1),
            created: Timestamp(200),
            confirmed: false,
            last: Step(0),
            codes_left: 0,
        };
        assert_eq!(store.second_factor(ada).unwrap(), Some(expected.clone()));
        assert!(begin(store, ada, "a", None), "it does not count yet");
        assert!(!confirm(&secret(2)), "it was replaced");
        assert!(confirm(&secret(1)));
        assert!(!confirm(&secret(1)), "it is");
        assert!(!store.enrol(ada, &secret(2), &BY, &NOTE, NOW).unwrap(), "it would go off");
        expected = SecondFactor { confirmed: true, last: Step(10), codes_left: 10, ..expected };
        assert_eq!(store.second_factor(ada).unwrap(), Some(expected));
        assert!(!store.enrol(99, &secret(1), &BY, &NOTE, NOW).unwrap(), "nobody");
        assert_eq!(store.second_factor(99).unwrap(), None);
    });
}

#[test]
fn no_session_begins_without_it() {
    each("second", |store| {
        let ada = with_factor(store, "ada", &codes());
        let bob = add(store, "bob", None).unwrap();
        assert!(!begin(store, ada, "a", None));
        assert!(!begin(store, ada, "a", Some(&step(10))), "it confirmed the factor");
        assert!(begin(store, ada, "a", Some(&step(11))));
        assert!(!begin(store, ada, "b", Some(&step(11))), "used");
        assert!(begin(store, ada, "b", Some(&step(13))));
        assert!(!begin(store, ada, "c", Some(&step(12))), "one after it was used");
        let other = FactorUse::Step { secret: secret(2), step: Step(99) };
        assert!(!begin(store, ada, "c", Some(&other)), "another secret");
        assert!(begin(store, bob, "d", Some(&step(1))), "nothing is asked of others");
        // Another password leaves it on.
        let new = PasswordHash::stored("hash".into());
        let change = Change::Password { hash: &new, session: None, keep_app_passwords: false };
        store.change(ada, &change, &BY, &NOTE, NOW).unwrap();
        assert!(!begin(store, ada, "e", None));
        // A login that fails for another reason uses nothing up.
        store.change(ada, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
        assert!(!begin(store, ada, "e", Some(&step(20))));
        assert_eq!(store.second_factor(ada).unwrap().unwrap().last, Step(13));
    });
}

#[test]
fn a_recovery_code_works_once_and_for_its_owner() {
    each("recovery", |store| {
        let (adas, bobs, new) = (codes(), codes(), codes());
        let ada = with_factor(store, "ada", &adas);
        let bob = with_factor(store, "bob", &bobs);
        let code = |hash: CodeHash| FactorUse::Recovery(hash);
        assert!(!begin(store, ada, "a", Some(&code(bobs[0]))));
        assert!(begin(store, ada, "a", Some(&code(adas[0]))));
        assert!(!begin(store, ada, "b", Some(&code(adas[0]))));
        assert_eq!(store.second_factor(ada).unwrap().unwrap().codes_left, 9);
        assert_eq!(store.second_factor(bob).unwrap().unwrap().codes_left, 10);
        let replace = |used: FactorUse| {
            store.replace_recovery_codes(ada, &new, &showing(ada, "a", &used), &NOTE, NOW)
        };
        assert!(matches!(replace(code(adas[0])), Err(Error::WrongOtp)));
        assert!(matches!(replace(step(10)), Err(Error::WrongOtp)));
        assert!(replace(step(11)).unwrap());
        assert!(!begin(store, ada, "b", Some(&code(adas[1]))), "replaced");
        assert!(begin(store, ada, "b", Some(&code(new[1]))));
        assert_eq!(store.second_factor(ada).unwrap().unwrap().codes_left, 9);
        let used = events(store).iter().filter(|event| *event == "recovery-code-used").count();
        assert_eq!(used, 2);
    });
}

#[test]
fn it_is_turned_off() {
    each("off", |store| {
        let codes = codes();
        let ada = with_factor(store, "ada", &codes);
        assert!(begin(store, ada, "s", Some(&step(11))));
        let remove = |used: FactorUse| {
            store.remove_second_factor(ada, &showing(ada, "s", &used), &NOTE, NOW)
        };
        let before = events(store).len();
        assert!(matches!(remove(step(10)), Err(Error::WrongOtp)));
        assert_eq!(events(store).len(), before, "nothing was done");
        assert_eq!(store.second_factor(ada).unwrap().unwrap().codes_left, 10);
        assert!(remove(FactorUse::Recovery(codes[0])).unwrap());
        assert_eq!(store.second_factor(ada).unwrap(), None);
        assert!(begin(store, ada, "a", None));
        let reset = || store.remove_second_factor(ada, &BY, &NOTE, NOW).unwrap();
        assert!(!reset(), "there is none");
        // And on again: old recovery codes stay gone.
        assert!(store.enrol(ada, &secret(1), &BY, &NOTE, NOW).unwrap());
        assert!(
            store
                .confirm_enrolment(
                    ada,
                    &Enrolment { secret: &secret(1), step: Step(5), codes: &[] },
                    &BY,
                    &NOTE,
                    NOW
                )
                .unwrap()
        );
        assert!(!begin(store, ada, "b", Some(&FactorUse::Recovery(codes[1]))));
        assert!(begin(store, ada, "b", Some(&step(6))));
        assert!(reset(), "an administrator");
        // It goes with its user.
        let bob = with_factor(store, "bob", &codes);
        store.delete(bob, &BY, &NOTE, NOW).unwrap();
        assert_eq!(store.second_factor(bob).unwrap(), None);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 0);
    });
}

#[test]
fn another_program_does_not_log_in_past_it() {
    each("past", |store| {
        let ada = add(store, "ada", None).unwrap();
        let adopt = |jti: &str, issued: i64| {
            let origin = ClientInfo { ip: None, agent: "" };
            let issued = Timestamp(issued);
            let session = NewSession {
                jti,
                issued,
                expires: Timestamp(10_000),
                origin,
                notice: false,
                cookie: false,
            };
            store.adopt(ada, &session, &NOTE, Timestamp(300)).unwrap()
        };
        assert!(store.enrol(ada, &secret(1), &BY, &NOTE, NOW).unwrap());
        assert!(adopt("a", 150), "it does not count yet");
        let confirmed = Timestamp(200);
        store
            .confirm_enrolment(
                ada,
                &Enrolment { secret: &secret(1), step: Step(10), codes: &[] },
                &BY,
                &NOTE,
                confirmed,
            )
            .unwrap();
        assert!(adopt("b", 199), "from before it counted");
        assert!(!adopt("c", 200));
        assert!(!adopt("c", 250));
    });
}

#[test]
fn one_code_at_the_same_time_lets_one_in() {
    each("race", |store| {
        let codes = codes();
        let ada = with_factor(store, "ada", &codes);
        for (round, used) in [step(11), FactorUse::Recovery(codes[0])].into_iter().enumerate() {
            let let_in: usize = std::thread::scope(|scope| {
                let (store, used) = (store, &used);
                let begin = |login| {
                    let jti = format!("{round}-{login}");
                    scope.spawn(move || usize::from(begin(store, ada, &jti, Some(used))))
                };
                let logins: Vec<_> = (0..8).map(begin).collect();
                logins.into_iter().map(|login| login.join().unwrap()).sum()
            });
            assert_eq!(let_in, 1);
        }
    });
}
