//! Two transactions that overlap for certain: the first is held open, with all its work done, while
//! the second begins. SQLite lets the second wait. PostgreSQL runs both, and one of them again if no
//! order of the two has the outcome.

use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::concurrency::add_with_factor;
use super::mails::{NOW as MAILED, ask_for_reset};
use super::{BY, NOTE, add, add_admin, admin, backends, events, hash, log_in, number, session};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::driver::{Abort, Concurrency, Dialect, Driver, Fault, Reading, Writing};
use crate::store::{Change, Enrolment, NewInvitation, Proof, SessionScope, Store, driver::Queries};
use crate::values::{Code, Roles, Step, TotpSecret};

const NOW: Timestamp = Timestamp(100);
const END: Timestamp = Timestamp(1_000);

/// How long the first transaction is held open at most: with SQLite the second only waits.
const HELD: Duration = Duration::from_millis(100);
/// The same with PostgreSQL, until the second has begun and run into what the first has done.
const UNTIL_MET: Duration = Duration::from_secs(60);
/// How many sessions of a PostgreSQL database wait for a lock.
const WAIT: &str = "SELECT count(*) FROM pg_catalog.pg_stat_activity
    WHERE datname = pg_catalog.current_database() AND wait_event_type = 'Lock'";

/// A driver that holds one transaction open.
#[derive(Debug)]
struct Gated {
    driver: Box<dyn Driver>,
    state: Mutex<Gate>,
    changed: Condvar,
}

/// What happened to transactions since the gate was armed.
#[derive(Debug, Default)]
struct Gate {
    armed: bool,
    dialect: Option<Dialect>,
    /// Transactions whose work was begun, each run counted.
    begun: usize,
    /// Runs whose work was done, before their commit.
    done: usize,
    /// Whether the second began while the first was open.
    overlapped: bool,
}

impl Gated {
    /// Before a run: returns whether it is the first.
    fn enter(&self, dialect: Dialect) -> bool {
        let mut gate = self.state.lock().unwrap();
        gate.dialect = Some(dialect);
        gate.begun += 1;
        self.changed.notify_all();
        gate.armed && gate.begun == 1
    }

    /// After a run and before its commit: the first waits for the second.
    fn leave(&self, first: bool) {
        let mut gate = self.state.lock().unwrap();
        gate.done += 1;
        self.changed.notify_all();
        if first {
            let parallel = matches!(gate.dialect, Some(Dialect::Postgres));
            let patience = if parallel { UNTIL_MET } else { HELD };
            gate =
                self.changed.wait_timeout_while(gate, patience, |gate| gate.begun < 2).unwrap().0;
            gate.overlapped = gate.begun > 1;
            if gate.overlapped {
                drop(gate);
                self.wait_until_met();
            }
        }
    }

    /// Waits until the second has done its work, or waits for a lock of the first.
    fn wait_until_met(&self) {
        let begun = Instant::now();
        let step = Duration::from_millis(10);
        while begun.elapsed() < UNTIL_MET {
            let gate = self.state.lock().unwrap();
            let gate = self.changed.wait_timeout_while(gate, step, |gate| gate.done < 2).unwrap().0;
            if gate.done >= 2 {
                return;
            }
            drop(gate);
            let mut waiting: i64 = 0;
            let counted = self.driver.read(&mut |queries| {
                queries.query_first(WAIT, &[], &mut |row| {
                    waiting = row.get(0)?;
                    Ok(())
                })
            });
            if counted.is_ok() && waiting > 0 {
                return;
            }
        }
    }
}

impl Driver for std::sync::Arc<Gated> {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.driver.read(work)
    }

    fn read_beside(&self, work: &mut Reading<'_>) -> bool {
        self.driver.read_beside(work)
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.driver.write(&mut |queries: &mut dyn Queries| {
            let first = self.enter(queries.dialect());
            let worked = work(queries);
            self.leave(first);
            worked
        })
    }

    fn concurrency(&self) -> Concurrency {
        self.driver.concurrency()
    }

    fn leads(&self) -> bool {
        self.driver.leads()
    }

    fn upkeep(&self, busy: bool) {
        self.driver.upkeep(busy);
    }

    fn settle(&self) -> Result<(), Fault> {
        self.driver.settle()
    }
}

/// What one of the two does, and what it answers.
type Act<'a> = &'a (dyn Fn(&Store) -> String + Sync);

/// The same, on what was prepared.
type Prepared<'a, T> = &'a (dyn Fn(&Store, T) -> String + Sync);

/// Runs two acts that overlap, in either order, each time on what `prepare` makes; `check` looks at
/// the answers of both and at the store. `conflicts` says that no order of the two has the outcome
/// if both run on what there was before.
fn overlap<T: Copy + Sync>(
    name: &str,
    conflicts: bool,
    prepare: impl Fn(&Store) -> T,
    acts: [Prepared<'_, T>; 2],
    check: impl Fn(&Store, T, [String; 2]),
) {
    for order in [[0, 1], [1, 0]] {
        for database in backends(&format!("gated-{name}")) {
            let gated = std::sync::Arc::new(Gated {
                driver: database.open().driver,
                state: Mutex::default(),
                changed: Condvar::new(),
            });
            let store = Store::over(Box::new(std::sync::Arc::clone(&gated)));
            let prepared = prepare(&store);
            *gated.state.lock().unwrap() = Gate { armed: true, ..Gate::default() };
            let [first, second] =
                order.map(|number| move |store: &Store| acts[number](store, prepared));
            let answers = both(&gated, &store, &first, &second);
            let gate = gated.state.lock().unwrap();
            match gate.dialect {
                Some(Dialect::Postgres) => {
                    assert!(gate.overlapped, "{name} {order:?}: {gate:?}");
                    let runs = if conflicts { gate.begun > 2 } else { gate.begun >= 2 };
                    assert!(runs, "{name} {order:?}: nothing was run again: {gate:?} {answers:?}");
                }
                _ => assert!(!gate.overlapped && gate.begun == 2, "{name} {order:?}: {gate:?}"),
            }
            drop(gate);
            let mut sorted = [String::new(), String::new()];
            for (number, answer) in order.into_iter().zip(answers) {
                sorted[number] = answer;
            }
            check(&store, prepared, sorted);
        }
    }
}

fn both(gated: &Gated, store: &Store, first: Act<'_>, second: Act<'_>) -> [String; 2] {
    thread::scope(|scope| {
        let one = scope.spawn(|| first(store));
        let gate = gated.state.lock().unwrap();
        // The first has done its work and is held open.
        drop(gated.changed.wait_while(gate, |gate| gate.done == 0).unwrap());
        let other = second(store);
        [one.join().unwrap(), other]
    })
}

fn shown<T: std::fmt::Debug>(answer: Result<T, Error>) -> String {
    match answer {
        Ok(value) => format!("{value:?}"),
        Err(error) => format!("{error}"),
    }
}

fn begin(store: &Store, user: i64) -> String {
    let proof = Proof { password: &hash("hash"), second: None };
    shown(store.begin(user, &session("s", 100), &proof, &NOTE, NOW))
}

fn ada(store: &Store) -> i64 {
    add(store, "ada", Some("ada@x.example")).unwrap()
}

#[test]
fn a_session_began_while_its_user_was_deactivated() {
    let deactivate = |store: &Store, user: i64| {
        shown(store.change(user, &Change::Active(false), &BY, &NOTE, NOW))
    };
    overlap("deactivate", true, ada, [&begin, &deactivate], |store, ada, [_, done]| {
        assert_eq!(done, "true");
        assert!(store.sessions(ada, NOW).unwrap().is_empty());
    });
}

#[test]
fn a_session_began_with_a_password_that_was_changed() {
    let other = hash("other");
    let change = |store: &Store, user: i64| {
        let change = Change::Password { hash: &other, session: None, keep_app_passwords: false };
        shown(store.change(user, &change, &BY, &NOTE, NOW))
    };
    overlap("password", true, ada, [&begin, &change], |store, ada, [_, done]| {
        assert_eq!(done, "true");
        assert!(store.sessions(ada, NOW).unwrap().is_empty());
    });
}

#[test]
fn a_session_began_while_a_second_factor_was_turned_on() {
    let secret = TotpSecret::stored([1; 20]);
    let enrolled = |store: &Store| {
        let ada = ada(store);
        assert!(store.enrol(ada, &secret, &BY, &NOTE, NOW).unwrap());
        ada
    };
    let confirm = |store: &Store, user: i64| {
        let enrolment = Enrolment { secret: &secret, step: Step(5), codes: &[] };
        shown(store.confirm_enrolment(user, &enrolment, &BY, &NOTE, NOW))
    };
    // The login before the confirmation is a good order.
    overlap("enrolment", false, enrolled, [&begin, &confirm], |store, ada, [begun, done]| {
        assert_eq!(done, "true");
        assert_eq!(store.sessions(ada, NOW).unwrap().len(), usize::from(begun == "true"));
        assert_eq!(begin(store, ada), "false", "from now on it counts");
    });
}

#[test]
fn one_code_began_two_sessions() {
    let secret = TotpSecret::stored([1; 20]);
    let with_factor = |store: &Store| add_with_factor(store, &secret, &[]);
    let log_in = |jti: &'static str| {
        let secret = secret.clone();
        move |store: &Store, user: i64| {
            let code = crate::values::FactorUse::Step { secret: secret.clone(), step: Step(6) };
            let proof = Proof { password: &hash("hash"), second: Some(&code) };
            shown(store.begin(user, &session(jti, 100), &proof, &NOTE, NOW))
        }
    };
    let acts = [log_in("a"), log_in("b")];
    overlap("code", true, with_factor, [&acts[0], &acts[1]], |store, ada, answers| {
        assert_eq!(answers.iter().filter(|answer| *answer == "true").count(), 1, "{answers:?}");
        assert_eq!(store.sessions(ada, NOW).unwrap().len(), 1);
    });
}

#[test]
fn a_foreign_token_was_adopted_while_all_sessions_ended() {
    let adopt = |store: &Store, user: i64| shown(store.adopt(user, &session("f", 50), &NOTE, NOW));
    let end = |store: &Store, user: i64| shown(store.end(user, SessionScope::All, &BY, &NOTE, NOW));
    overlap("adopt", true, ada, [&adopt, &end], |store, ada, answers| {
        assert!(store.sessions(ada, NOW).unwrap().is_empty(), "{answers:?}");
    });
}

#[test]
fn an_invitation_outlived_the_role_of_its_creator() {
    let administrator = |store: &Store| {
        add_admin(store, "root");
        add_admin(store, "eve")
    };
    let invite = |store: &Store, eve: i64| {
        let (code, roles) = (Code::generate().unwrap().hash(), Roles::default());
        let invitation = NewInvitation { hash: code, roles: &roles, expires: END };
        shown(store.invite(&invitation, None, &admin(eve, &eve.to_string()), &NOTE, NOW))
    };
    let demote = |store: &Store, eve: i64| {
        shown(store.change(eve, &Change::Roles(&Roles::default()), &BY, &NOTE, NOW))
    };
    overlap("invite", true, administrator, [&invite, &demote], |store, _, [_, done]| {
        assert_eq!(done, "true");
        assert!(store.invitations(NOW).unwrap().is_empty());
    });
}

#[test]
fn two_administrators_demoted_each_other() {
    let two = |store: &Store| [add_admin(store, "root"), add_admin(store, "eve")];
    let demote = |number: usize| {
        move |store: &Store, admins: [i64; 2]| {
            let id = admins[number];
            shown(store.change(id, &Change::Roles(&Roles::default()), &BY, &NOTE, NOW))
        }
    };
    let acts = [demote(0), demote(1)];
    overlap("last-admin", true, two, [&acts[0], &acts[1]], |store, _, answers| {
        assert_eq!(answers.iter().filter(|answer| *answer == "true").count(), 1, "{answers:?}");
        assert_eq!(number(store, "SELECT count(*) FROM users WHERE roles = 'admin'"), 1);
    });
}

#[test]
fn two_servers_made_two_tickets_for_one_mail() {
    let asked = |store: &Store| {
        ada(store);
        ask_for_reset(store, "ada@x.example", "r");
    };
    let next = |store: &Store, (): ()| {
        shown(store.next_mail(MAILED).map(|mail| mail.map(|mail| mail.email)))
    };
    overlap("next-mail", true, asked, [&next, &next], |store, (), answers| {
        let taken = answers.iter().filter(|answer| *answer == "Some(\"ada@x.example\")").count();
        // Only with PostgreSQL there are two servers.
        let expected = if super::dialect(store) == Dialect::Postgres { 1 } else { 2 };
        assert_eq!(taken, expected, "{answers:?}");
        assert_eq!(number(store, "SELECT count(*) FROM tickets"), 1);
        let asked = events(store).iter().filter(|event| *event == "reset-requested").count();
        assert_eq!(asked, 1);
    });
}

#[test]
fn a_user_was_deleted_while_a_session_began() {
    let delete = |store: &Store, user: i64| shown(store.delete(user, &BY, &NOTE, NOW));
    overlap("delete", true, ada, [&begin, &delete], |store, ada, [_, done]| {
        assert_eq!(done, "true");
        assert!(store.person(ada).unwrap().is_none());
        assert_eq!(number(store, "SELECT count(*) FROM sessions"), 0);
    });
}

#[test]
fn a_session_was_refreshed_while_it_ended() {
    let logged_in = |store: &Store| {
        let ada = ada(store);
        log_in(store, ada, "s", 100);
        ada
    };
    let end = |store: &Store, user: i64| {
        shown(store.end(user, SessionScope::One("s"), &BY, &NOTE, Timestamp(200)))
    };
    let refresh = |store: &Store, _: i64| {
        let day = Duration::from_secs(86_400);
        let lifespans =
            crate::values::Lifespans { access: day, refresh: day, early: Duration::from_secs(60) };
        let policy = crate::store::RotationPolicy::new(false, None, lifespans);
        let origin = super::NOWHERE;
        let request = crate::store::RefreshRequest { jti: "s", issued: Timestamp(100), origin };
        shown(store.rotate(&request, &policy, &NOTE, Timestamp(200)))
    };
    overlap("refresh", true, logged_in, [&refresh, &end], |store, ada, [_, ended]| {
        assert_eq!(ended, "1");
        assert!(store.sessions(ada, NOW).unwrap().is_empty());
        assert!(store.standing("s").unwrap().unwrap().ended);
    });
}
