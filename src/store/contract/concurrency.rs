//! Many threads on the same row, over two connections to one database that know nothing of each
//! other, as two processes would have: what must happen once happens once, and nothing is lost.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::mails::{confirm, propose, register};
use super::{
    BY, NOTE, add, add_admin, admin, each, each_shared, events, hash, log_in, number, session,
};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::driver::{Abort, Concurrency, Driver, Fault, Reading, Writing};
use crate::store::{
    Change, ClientInfo, Enrolment, Entry, Event, GUARDED, NewInvitation, NewUser, PasswordReset,
    Proof, RefreshOutcome, RefreshRequest, RotationPolicy, Store, Ticket,
};
use crate::values::{
    Code, CodeHash, FactorUse, Language, Lifespans, Roles, Step, TotpSecret, Username,
};

const NOW: Timestamp = Timestamp(100);
const END: Timestamp = Timestamp(1_000);

/// Threads that race. Each test runs with either number.
const CROWDS: [usize; 2] = [2, 8];
/// Threads that race over one connection.
const CROWD: usize = 24;

/// How often each race is run: threads that begin together do not always meet.
const ROUNDS: usize = 3;

/// Runs a test on an empty store of each backend, with each number of threads: over two connections,
/// and with more threads over one, whose writers may share transactions.
pub(super) fn race(name: &str, test: impl Fn(&Store, usize)) {
    for threads in CROWDS {
        for _ in 0..ROUNDS {
            each_shared(&format!("{name}-{threads}"), alternating, |store| test(store, threads));
        }
    }
    each(&format!("{name}-one-store"), |store| test(store, CROWD));
}

/// Two drivers of one database, which take turns.
#[derive(Debug)]
struct Alternating {
    drivers: [Box<dyn Driver>; 2],
    next: AtomicUsize,
}

impl Alternating {
    fn next(&self) -> &dyn Driver {
        &*self.drivers[self.next.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

impl Driver for Alternating {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.next().read(work)
    }

    fn read_beside(&self, work: &mut Reading<'_>) -> bool {
        self.next().read_beside(work)
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.next().write(work)
    }

    fn concurrency(&self) -> Concurrency {
        self.next().concurrency()
    }

    fn leads(&self) -> bool {
        self.drivers.iter().any(|driver| driver.leads())
    }

    fn upkeep(&self, busy: bool) {
        self.drivers.iter().for_each(|driver| driver.upkeep(busy));
    }

    fn settle(&self) -> Result<(), Fault> {
        self.drivers.iter().try_for_each(|driver| driver.settle())
    }
}

fn alternating(one: Store, other: Store) -> Store {
    Store::over(Box::new(Alternating { drivers: [one.driver, other.driver], next: 0.into() }))
}

/// Runs `act` with the numbers from 0 on threads that begin together; returns its results in the
/// order of the numbers.
pub(super) fn at_once<T: Send>(threads: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(threads);
    let run = |number| {
        start.wait();
        act(number)
    };
    thread::scope(|scope| {
        let run = &run;
        let running: Vec<_> = (0..threads).map(|number| scope.spawn(move || run(number))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// How many results are true.
fn successes(results: Vec<bool>) -> usize {
    results.into_iter().filter(|result| *result).count()
}

fn administrators(store: &Store) -> usize {
    let mut found = 0;
    let count = &mut |account: crate::store::Account| {
        found += usize::from(account.person.active && account.person.roles.as_str() == "admin");
    };
    store.accounts(count).unwrap();
    found
}

fn add_admins(store: &Store, count: usize) -> Vec<i64> {
    (0..count).map(|number| add_admin(store, &format!("admin{number}"))).collect()
}

#[test]
fn the_last_administrators_demoted_each_other() {
    race("demote-each-other", |store, threads| {
        let admins = add_admins(store, threads);
        let nobody = Roles::default();
        let results = at_once(threads, |number| {
            let (me, other) = (admins[number], admins[(number + 1) % threads]);
            let name = me.to_string();
            store.change(other, &Change::Roles(&nobody), &admin(me, &name), &NOTE, NOW)
        });
        for result in &results {
            let refused = |error: &Error| matches!(error, Error::LastAdmin | Error::MissingRole(_));
            assert!(result.as_ref().map_or_else(refused, |changed| *changed), "{results:?}");
        }
        let demoted = results.iter().filter(|result| result.is_ok()).count();
        assert!((1..threads).contains(&demoted), "{results:?}");
        assert_eq!(administrators(store), threads - demoted);
    });
}

#[test]
fn one_administrator_stays_whatever_happens_to_all_at_once() {
    type Act = fn(&Store, i64) -> Result<bool, Error>;
    let acts: [(&str, Act); 3] = [
        ("demote", |store, id| {
            store.change(id, &Change::Roles(&Roles::default()), &BY, &NOTE, NOW)
        }),
        ("deactivate", |store, id| store.change(id, &Change::Active(false), &BY, &NOTE, NOW)),
        ("delete", |store, id| store.delete(id, &BY, &NOTE, NOW)),
    ];
    for (name, act) in acts {
        race(&format!("last-admin-{name}"), |store, threads| {
            let admins = add_admins(store, threads);
            let results = at_once(threads, |number| act(store, admins[number]));
            let refused =
                results.iter().filter(|result| matches!(result, Err(Error::LastAdmin))).count();
            let done = results.iter().filter(|result| matches!(result, Ok(true))).count();
            assert_eq!((refused, done), (1, threads - 1), "{name}: {results:?}");
            assert_eq!(administrators(store), 1, "{name}");
        });
    }
}

/// Adds ada, with a second factor that was confirmed in step 5 and these recovery codes.
pub(super) fn add_with_factor(store: &Store, secret: &TotpSecret, codes: &[CodeHash]) -> i64 {
    let ada = add(store, "ada", Some("ada@x.example")).unwrap();
    assert!(store.enrol(ada, secret, &BY, &NOTE, NOW).unwrap());
    let confirmed = Enrolment { secret, step: Step(5), codes };
    assert!(store.confirm_enrolment(ada, &confirmed, &BY, &NOTE, NOW).unwrap());
    ada
}

#[test]
fn a_one_time_code_begins_one_session() {
    let secret = TotpSecret::stored([1; 20]);
    let code = Code::generate().unwrap().hash();
    let step = FactorUse::Step { secret: secret.clone(), step: Step(6) };
    for (name, second) in [("step", step), ("recovery", FactorUse::Recovery(code))] {
        race(&format!("one-time-{name}"), |store, threads| {
            let ada = add_with_factor(store, &secret, &[code]);
            let begun = at_once(threads, |number| {
                let proof = Proof { password: &hash("hash"), second: Some(&second) };
                let jti = format!("s{number}");
                store.begin(ada, &session(&jti, 100), &proof, &NOTE, NOW).unwrap()
            });
            assert_eq!(successes(begun), 1, "{name}");
            assert_eq!(store.sessions(ada, NOW).unwrap().len(), 1, "{name}");
            let used = events(store).iter().filter(|event| *event == "recovery-code-used").count();
            assert_eq!(used, usize::from(name == "recovery"));
        });
    }
}

#[test]
fn two_refreshes_of_one_token_got_different_successors() {
    let seconds = std::time::Duration::from_secs;
    let (access, refresh, early) = (seconds(500), seconds(10_000), seconds(60));
    let policy = RotationPolicy::new(false, None, Lifespans { access, refresh, early });
    race("rotation", |store, threads| {
        let ada = add(store, "ada", None).unwrap();
        log_in(store, ada, "a", 100);
        let outcomes = at_once(threads, |number| {
            let origin = ClientInfo { ip: None, agent: "" };
            let request = RefreshRequest { jti: "a", issued: Timestamp(100), origin };
            // Not all clocks show the same second.
            let now = Timestamp(200 + number as i64 % 3);
            store.rotate(&request, &policy, &NOTE, now).unwrap()
        });
        assert!(matches!(outcomes[0], RefreshOutcome::Issue(_)), "{outcomes:?}");
        assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
        assert!(!store.standing("a").unwrap().unwrap().ended);
    });
}

fn new_user<'a>(
    name: &'a Username,
    hash: &'a crate::values::PasswordHash,
    roles: &'a Roles,
) -> NewUser<'a> {
    NewUser { name, email: None, hash, roles, language: Language::English }
}

#[test]
fn an_invitation_makes_one_account() {
    race("one-invitation", |store, threads| {
        let code = Code::generate().unwrap().hash();
        let invitation = NewInvitation { hash: code, roles: &Roles::default(), expires: END };
        store.invite(&invitation, None, &BY, &NOTE, NOW).unwrap();
        let made = at_once(threads, |number| {
            let name = Username::parse(&format!("user{number}")).unwrap();
            let (hash, roles) = (hash("hash"), Roles::default());
            let user = new_user(&name, &hash, &roles);
            store.accept(&code, &user, None, &NOTE, NOW).unwrap().is_some()
        });
        assert_eq!(successes(made), 1);
        assert_eq!(number(store, "SELECT count(*) FROM users"), 1);
    });
}

#[test]
fn a_reset_ticket_sets_one_password() {
    race("one-reset", |store, threads| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        let ticket = Ticket { jti: "t", user: ada, expires: END };
        assert!(store.hand_out(&ticket, None, &BY, &NOTE, NOW).unwrap());
        let reset = at_once(threads, |number| {
            let jti = format!("s{number}");
            let (hash, session) = (hash(&format!("from {number}")), session(&jti, 100));
            let reset = PasswordReset { hash: &hash, second: None, session: &session };
            store.reset("t", &reset, &NOTE, NOW).unwrap()
        });
        let winner = reset.iter().position(|reset| *reset).unwrap();
        assert_eq!(successes(reset), 1);
        let password = store.credentials_of(ada).unwrap().unwrap().hash;
        assert_eq!(password, hash(&format!("from {winner}")));
        let sessions = store.sessions(ada, NOW).unwrap();
        let jtis: Vec<_> = sessions.iter().map(|session| &*session.jti).collect();
        assert_eq!(jtis, [format!("s{winner}")]);
    });
}

#[test]
fn a_username_belongs_to_one() {
    race("one-name", |store, threads| {
        let added = at_once(threads, |number| add(store, ["ada", "Ada", "ADA"][number % 3], None));
        let taken = |result: &&Result<i64, Error>| matches!(result, Err(Error::UsernameTaken));
        assert_eq!(added.iter().filter(taken).count(), threads - 1, "{added:?}");
        assert_eq!(added.iter().filter(|result| result.is_ok()).count(), 1);
        assert_eq!(number(store, "SELECT count(*) FROM users"), 1);
    });
}

#[test]
fn an_email_address_belongs_to_one() {
    race("one-address", |store, threads| {
        let jtis: Vec<_> = (0..threads).map(|number| format!("j{number}")).collect();
        for (number, jti) in jtis.iter().enumerate() {
            if number % 2 == 0 {
                register(store, &format!("user{number}"), "a@x.example", jti).unwrap();
            } else {
                let user = add(store, &format!("user{number}"), None).unwrap();
                assert!(propose(store, user, "A@x.example", jti));
            }
        }
        let confirmed = at_once(threads, |number| {
            let jti = &jtis[number];
            confirm(store, jti, (number % 2 == 0).then_some(jti), super::mails::NOW)
        });
        assert_eq!(successes(confirmed), 1);
        assert_eq!(number(store, "SELECT count(*) FROM users WHERE email_key IS NOT NULL"), 1);
    });
}

#[test]
fn a_foreign_token_is_adopted_once() {
    race("one-adoption", |store, threads| {
        let ada = add(store, "ada", None).unwrap();
        let adopted =
            at_once(threads, |_| store.adopt(ada, &session("a", 50), &NOTE, NOW).unwrap());
        assert_eq!(successes(adopted), 1);
        assert_eq!(store.sessions(ada, NOW).unwrap().len(), 1);
    });
}

#[test]
fn failed_logins_are_counted_exactly() {
    const EACH: usize = 15;
    race("failures", |store, threads| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        let entry = Entry { event: Event::LoginFailed, user: Some(ada), ..NOTE };
        at_once(threads, |_| {
            for _ in 0..EACH {
                store.fail(&entry, GUARDED, NOW).unwrap();
            }
        });
        let tried = threads * EACH;
        let counted = store.credentials_of(ada).unwrap().unwrap().failures as usize;
        assert_eq!(counted, tried.min(GUARDED as usize));
        let events = events(store);
        let count = |name: &str| events.iter().filter(|event| *event == name).count();
        let guarded = usize::from(tried >= GUARDED as usize);
        assert_eq!((count("login-failed"), count("guarded")), (tried, guarded));
        let mut notices = 0;
        store.mails(&mut |_| notices += 1).unwrap();
        assert_eq!(notices, guarded);
    });
}

#[test]
fn each_audit_entry_has_a_number_of_its_own_in_its_share() {
    const EACH: usize = 20;
    race("audit-numbers", |store, threads| {
        at_once(threads, |number| {
            for count in 0..EACH {
                let failed = (number + count) % 2 == 0;
                let event = if failed { Event::LoginFailed } else { Event::Login };
                store.record(&Entry { event, ..NOTE }, NOW).unwrap();
            }
        });
        let half = (threads * EACH / 2) as i64;
        for (sql, what) in [
            ("SELECT count(DISTINCT number) FROM audit WHERE failed", "failed logins"),
            ("SELECT count(DISTINCT number) FROM audit WHERE NOT failed", "others"),
        ] {
            assert_eq!(number(store, sql), half, "{what}");
        }
        // Transactions that were undone may leave gaps.
        for sql in [
            "SELECT max(number) FROM audit WHERE failed",
            "SELECT max(number) FROM audit WHERE NOT failed",
        ] {
            assert!(number(store, sql) >= half, "{sql}");
        }
    });
}
