//! What is checked again in the transaction that writes for somebody who is logged in.

use super::{BY, NOTE, add, admin, each, execute, log_in, number};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{
    Authority, Change, Enrolment, LinkMail, MailChange, NewInvitation, NewUser, Proof,
    SessionScope, Store, Ticket,
};
use crate::values::{
    Code, CodeHash, Email, FactorUse, Language, PasswordHash, Roles, Step, TotpSecret, Username,
};

const NOW: Timestamp = Timestamp(100);
const END: Timestamp = Timestamp(1_000);

fn hash(text: &str) -> PasswordHash {
    PasswordHash::stored(text.into())
}

fn secret() -> TotpSecret {
    TotpSecret::stored([1; 20])
}

fn confirm(
    store: &Store,
    id: i64,
    step: i64,
    codes: &[CodeHash],
    by: &Authority<'_>,
) -> Result<bool, Error> {
    let confirmed = Enrolment { secret: &secret(), step: Step(step), codes };
    store.confirm_enrolment(id, &confirmed, by, &NOTE, NOW)
}

fn done(outcome: Result<bool, Error>) -> Result<(), &'static str> {
    outcome.map(|done| assert!(done)).map_err(|error| error.kind().name)
}

fn new_user() -> NewUser<'static> {
    let leaked = |text: &str| Box::leak(Box::new(PasswordHash::stored(text.into())));
    NewUser {
        name: Box::leak(Box::new(Username::parse("new").unwrap())),
        email: None,
        hash: leaked("!"),
        roles: Box::leak(Box::default()),
        language: Language::English,
    }
}

/// A write, on behalf of somebody, that changes something of the account.
type Write = (&'static str, fn(&Store, i64, &Authority<'_>) -> Result<bool, Error>);

/// What somebody else does to the account before.
type Meanwhile = fn(&Store, i64);

/// All that a user does to their own account.
const OWN: [Write; 7] = [
    ("change the address", |store, id, by| {
        let email = Email::parse("new@x.example").unwrap();
        let posting = LinkMail { email: &email, jti: "mail", expires: END };
        store.propose_email(id, &posting, by, &NOTE, NOW)
    }),
    ("change the password", |store, id, by| {
        let change =
            Change::Password { hash: &hash("newer"), session: None, keep_app_passwords: false };
        store.change(id, &change, by, &NOTE, NOW)
    }),
    ("delete the account", |store, id, by| store.delete(id, by, &NOTE, NOW)),
    ("end the sessions", |store, id, by| {
        store.end(id, SessionScope::All, by, &NOTE, NOW).map(|ended| ended > 0)
    }),
    ("enrol a second factor", |store, id, by| store.enrol(id, &secret(), by, &NOTE, NOW)),
    ("confirm a second factor", |store, id, by| confirm(store, id, 7, &[], by)),
    ("turn the second factor off", |store, id, by| store.remove_second_factor(id, by, &NOTE, NOW)),
];

/// All that an administrator does, to `id`.
const ADMINISTERED: [Write; 13] = [
    ("change the roles", |store, id, by| {
        let roles = Roles::parse("admin").unwrap();
        store.change(id, &Change::Roles(&roles), by, &NOTE, NOW)
    }),
    ("deactivate", |store, id, by| store.change(id, &Change::Active(false), by, &NOTE, NOW)),
    ("delete", |store, id, by| store.delete(id, by, &NOTE, NOW)),
    ("end the sessions", |store, id, by| {
        store.end(id, SessionScope::All, by, &NOTE, NOW).map(|ended| ended > 0)
    }),
    ("hand out a reset token", |store, user, by| {
        let ticket = Ticket { jti: "ticket", user, expires: END };
        store.hand_out(&ticket, None, by, &NOTE, NOW)
    }),
    ("mail a reset token", |store, user, by| {
        let ticket = Ticket { jti: "ticket", user, expires: END };
        let email = Email::parse("bob@x.example").unwrap();
        store.hand_out(&ticket, Some(&email), by, &NOTE, NOW)
    }),
    ("add a user", |store, _, by| store.add(&new_user(), by, &NOTE, NOW).map(|id| id > 0)),
    ("add a user with a ticket", |store, _, by| {
        let ticket = Ticket { jti: "first", user: 0, expires: END };
        store.add_with_ticket(&new_user(), &ticket, by, &NOTE, NOW).map(|id| id > 0)
    }),
    ("set the address", |store, id, by| {
        let email = Email::parse("set@x.example").unwrap();
        store.set_email(id, Some(&email), by, &NOTE, NOW)
    }),
    ("unlock", |store, id, by| store.unlock(id, by, &NOTE, NOW)),
    ("drop a mail", |store, _, by| {
        let email = Email::parse("bob@x.example").unwrap();
        let mail = LinkMail { email: &email, jti: "mail", expires: END };
        store.request_reset(&mail, "-", NOW)?;
        let mut ids = Vec::new();
        store.mails(&mut |mail| ids.push(mail.id))?;
        let dropped = store.change_mail(ids[0], MailChange::Drop, by, &NOTE, NOW);
        if dropped.is_err() {
            store.change_mail(ids[0], MailChange::Drop, &BY, &NOTE, NOW)?;
        }
        dropped
    }),
    ("invite", |store, _, by| {
        let hash = Code::generate().unwrap().hash();
        let new = NewInvitation { hash, roles: &Roles::default(), expires: END };
        store.invite(&new, None, by, &NOTE, NOW).map(|()| true)
    }),
    ("take an invitation back", |store, _, by| {
        let hash = Code::generate().unwrap().hash();
        let new = NewInvitation { hash, roles: &Roles::default(), expires: END };
        store.invite(&new, None, &BY, &NOTE, NOW)?;
        store.revoke_invitation(&hash.name(), by, &NOTE, NOW)
    }),
];

/// Runs a test with Ada, her session `a`, and a second factor that is still to be confirmed.
fn with_ada(name: &str, test: impl Fn(&Store, i64)) {
    each(name, |store| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        log_in(store, ada, "a", 10);
        assert!(store.enrol(ada, &secret(), &BY, &NOTE, NOW).unwrap());
        test(store, ada);
    });
}

/// How many rows there are, to see that none was written.
fn rows(store: &Store) -> [i64; 5] {
    [
        "SELECT count(*) FROM audit",
        "SELECT count(*) FROM outbox",
        "SELECT count(*) FROM tickets",
        "SELECT count(*) FROM invitations",
        "SELECT count(*) FROM users",
    ]
    .map(|sql| number(store, sql))
}

#[test]
fn what_waited_for_the_database_was_done_with_an_old_password() {
    let cases: [(&str, Meanwhile, &str); 6] = [
        (
            "another password, and a new session of the same name",
            |store, id| {
                let change = Change::Password {
                    hash: &hash("replaced"),
                    session: None,
                    keep_app_passwords: false,
                };
                store.change(id, &change, &BY, &NOTE, NOW).unwrap();
                execute(store, "UPDATE sessions SET ended = NULL", &[]).unwrap();
            },
            "WrongPassword",
        ),
        (
            "another password",
            |store, id| {
                let change = Change::Password {
                    hash: &hash("replaced"),
                    session: None,
                    keep_app_passwords: false,
                };
                store.change(id, &change, &BY, &NOTE, NOW).unwrap();
            },
            "BlacklistedError",
        ),
        (
            "a logout",
            |store, id| {
                store.end(id, SessionScope::One("a"), &BY, &NOTE, NOW).unwrap();
            },
            "BlacklistedError",
        ),
        (
            "a second factor",
            |store, id| {
                confirm(store, id, 5, &[], &BY).unwrap();
            },
            "OtpRequired",
        ),
        (
            "deactivation",
            |store, id| {
                store.change(id, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
            },
            "InvalidUserError",
        ),
        (
            "deletion",
            |store, id| {
                store.delete(id, &BY, &NOTE, NOW).unwrap();
            },
            "MissingUserError",
        ),
    ];
    let compared = hash("hash");
    for (write, act) in OWN {
        let proof = Some(Proof { password: &compared, second: None });
        let by = |id| Authority::User { id, session: "a", since: Timestamp(0), proof };
        with_ada("own", |store, ada| {
            assert_eq!(done(act(store, ada, &by(ada))), Ok(()), "{write}");
            for (what, meanwhile, expected) in cases {
                with_ada("own-late", |store, ada| {
                    meanwhile(store, ada);
                    let before = rows(store);
                    let refused = done(act(store, ada, &by(ada)));
                    assert_eq!(refused, Err(expected), "{write} after {what}");
                    assert_eq!(rows(store), before, "{write} after {what}");
                });
            }
        });
    }
}

#[test]
fn somebody_who_had_been_demoted_made_another_an_administrator() {
    for (write, act) in ADMINISTERED {
        let cases: [(&str, Meanwhile, Result<(), &str>); 5] = [
            ("nothing", |_, _| {}, Ok(())),
            (
                "demotion",
                |store, id| {
                    let roles = Roles::parse("editor").unwrap();
                    store.change(id, &Change::Roles(&roles), &BY, &NOTE, NOW).unwrap();
                },
                Err("MissingRoleError"),
            ),
            (
                "a logout",
                |store, id| {
                    store.end(id, SessionScope::One("a"), &BY, &NOTE, NOW).unwrap();
                },
                Err("BlacklistedError"),
            ),
            (
                "deactivation",
                |store, id| {
                    store.change(id, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
                },
                Err("InvalidUserError"),
            ),
            (
                "deletion",
                |store, id| {
                    store.delete(id, &BY, &NOTE, NOW).unwrap();
                },
                Err("MissingUserError"),
            ),
        ];
        for (what, meanwhile, expected) in cases {
            with_ada("demoted", |store, ada| {
                let roles = Roles::parse("admin").unwrap();
                let [root, bob] = ["root", "bob"].map(|name| add(store, name, None).unwrap());
                for id in [ada, root] {
                    store.change(id, &Change::Roles(&roles), &BY, &NOTE, NOW).unwrap();
                }
                log_in(store, bob, "b", 10);
                meanwhile(store, ada);
                assert_eq!(
                    done(act(store, bob, &admin(ada, "a"))),
                    expected,
                    "{write} after {what}"
                );
                // A session is good for its own user alone.
                if expected.is_err() {
                    let other = done(act(store, bob, &admin(root, "a")));
                    assert_eq!(other, Err("BlacklistedError"), "{write}");
                }
            });
        }
    }
}

#[test]
fn a_login_from_long_ago_changed_what_wants_a_recent_one() {
    with_ada("recent", |store, ada| {
        let roles = Roles::parse("admin").unwrap();
        store.change(ada, &Change::Roles(&roles), &BY, &NOTE, NOW).unwrap();
        for (since, expected) in [(11, Err("ReauthenticationRequired")), (10, Ok(()))] {
            let since = Timestamp(since);
            let by = Authority::Admin { id: ada, session: "a", since };
            assert_eq!(done(store.change(ada, &Change::Roles(&roles), &by, &NOTE, NOW)), expected);
            let by = Authority::User { id: ada, session: "a", since, proof: None };
            let ended = store.end(ada, SessionScope::All, &by, &NOTE, NOW).map(|ended| ended == 1);
            assert_eq!(done(ended), expected);
        }
    });
}

#[test]
fn a_second_factor_is_used_up_with_what_it_is_shown_for() {
    with_ada("spent", |store, ada| {
        let code: CodeHash = Code::generate().unwrap().hash();
        confirm(store, ada, 5, &[code], &BY).unwrap();
        let compared = hash("hash");
        let propose = |second: &FactorUse| {
            let proof = Some(Proof { password: &compared, second: Some(second) });
            let by = Authority::User { id: ada, session: "a", since: Timestamp(0), proof };
            done(OWN[0].1(store, ada, &by))
        };
        let step = |step| FactorUse::Step { secret: secret(), step: Step(step) };
        assert_eq!(propose(&step(5)), Err("WrongOtp"), "it confirmed the factor");
        assert_eq!(propose(&step(6)), Ok(()));
        assert_eq!(propose(&step(6)), Err("WrongOtp"), "used");
        assert_eq!(propose(&FactorUse::Recovery(code)), Ok(()));
        assert_eq!(propose(&FactorUse::Recovery(code)), Err("WrongOtp"), "used");
        // What fails for another reason uses nothing up.
        store.end(ada, SessionScope::One("a"), &BY, &NOTE, NOW).unwrap();
        assert_eq!(propose(&step(7)), Err("BlacklistedError"));
        assert_eq!(store.second_factor(ada).unwrap().unwrap().last, Step(6));
    });
}
