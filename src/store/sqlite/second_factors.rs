//! Second factors and recovery codes in SQLite.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Sqlite, audit, fault, tickets};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{Authority, Enrolment, Entry, Event, MailKind, SecondFactor, SecondFactors};
use crate::values::{CodeHash, FactorUse, Step, TotpSecret};

impl SecondFactors for Sqlite {
    fn second_factor(&self, user: i64) -> Result<Option<SecondFactor>, Error> {
        let reader = self.reader();
        let found = || -> rusqlite::Result<Option<SecondFactor>> {
            reader
                .prepare_cached(
                    "SELECT secret, created, confirmed IS NOT NULL, last_step,
                     (SELECT count(*) FROM recovery_codes WHERE user = ?1)
                     FROM second_factors WHERE user = ?1",
                )?
                .query_row([user], second_factor)
                .optional()
        };
        found().map_err(fault)
    }

    fn has_second_factor(&self, user: i64) -> Result<bool, Error> {
        is_on(&self.reader(), user).map_err(fault)
    }

    fn has_recovery_code(&self, user: i64, code: &CodeHash) -> Result<bool, Error> {
        let sql = "SELECT 1 FROM recovery_codes WHERE user = ?1 AND hash = ?2";
        let reader = self.reader();
        let mut query = reader.prepare_cached(sql).map_err(fault)?;
        query.exists(params![user, code.bytes()]).map_err(fault)
    }

    fn enrol(
        &self,
        user: i64,
        secret: &TotpSecret,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            let kept = writer.execute(
                "INSERT INTO second_factors (user, secret, created)
                 SELECT id, ?2, ?3 FROM users WHERE id = ?1
                 ON CONFLICT (user) DO UPDATE SET secret = excluded.secret,
                 created = excluded.created WHERE confirmed IS NULL",
                params![user, secret.bytes(), now.0],
            )?;
            note(writer, kept == 1, entry, now)
        })
    }

    fn confirm_enrolment(
        &self,
        user: i64,
        confirmed: &Enrolment<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            let Enrolment { secret, step, codes } = *confirmed;
            let confirmed = writer.execute(
                "UPDATE second_factors SET confirmed = ?4, last_step = ?3
                 WHERE user = ?1 AND secret = ?2 AND confirmed IS NULL",
                params![user, secret.bytes(), step.0, now.0],
            )?;
            if confirmed == 1 {
                replace_codes(writer, user, codes)?;
                // It was proposed with the password alone.
                tickets::void_address(writer, user)?;
                self.tell(writer, MailKind::SecondFactorOn, user, now)?;
            }
            note(writer, confirmed == 1, entry, now)
        })
    }

    fn replace_recovery_codes(
        &self,
        user: i64,
        codes: &[CodeHash],
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            let on = is_on(writer, user)?;
            if on {
                replace_codes(writer, user, codes)?;
                self.tell(writer, MailKind::RecoveryCodesReplaced, user, now)?;
            }
            note(writer, on, entry, now)
        })
    }

    fn remove_second_factor(
        &self,
        user: i64,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            replace_codes(writer, user, &[])?;
            let gone = writer.execute("DELETE FROM second_factors WHERE user = ?1", [user])?;
            if gone == 1 {
                self.tell(writer, MailKind::SecondFactorOff, user, now)?;
            }
            note(writer, gone == 1, entry, now)
        })
    }
}

impl Sqlite {
    /// Whether somebody may come in: there is no second factor, or it is used up for it. `entry`
    /// is the audit's of what it is used for.
    pub(super) fn admit(
        &self,
        writer: &Connection,
        user: i64,
        used: Option<&FactorUse>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> rusqlite::Result<bool> {
        match used {
            _ if !is_on(writer, user)? => Ok(true),
            Some(used) => self.spend(writer, user, used, entry, now),
            None => Ok(false),
        }
    }

    /// Uses a code up, if nobody has yet: the condition and the change are one statement. The
    /// user is told of a recovery code.
    pub(super) fn spend(
        &self,
        writer: &Connection,
        user: i64,
        used: &FactorUse,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> rusqlite::Result<bool> {
        match used {
            FactorUse::Step { secret, step } => {
                let sql = "UPDATE second_factors SET last_step = ?3 WHERE user = ?1 AND secret = ?2
                           AND confirmed IS NOT NULL AND last_step < ?3";
                let values = params![user, secret.bytes(), step.0];
                Ok(writer.prepare_cached(sql)?.execute(values)? == 1)
            }
            FactorUse::Recovery(hash) => {
                let sql = "DELETE FROM recovery_codes WHERE user = ?1 AND hash = ?2";
                let spent = writer.prepare_cached(sql)?.execute(params![user, hash.bytes()])? == 1;
                if spent {
                    let entry = Entry { event: Event::RecoveryCodeUsed, ..entry.clone() };
                    audit::insert(writer, &entry, now)?;
                    self.tell(writer, MailKind::RecoveryCodeUsed, user, now)?;
                }
                Ok(spent)
            }
        }
    }
}

/// Whether a user has a confirmed second factor.
pub(super) fn is_on(connection: &Connection, user: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM second_factors WHERE user = ?1 AND confirmed IS NOT NULL";
    connection.prepare_cached(sql)?.exists([user])
}

fn replace_codes(writer: &Connection, user: i64, codes: &[CodeHash]) -> rusqlite::Result<()> {
    writer.execute("DELETE FROM recovery_codes WHERE user = ?1", [user])?;
    let mut insert = writer.prepare("INSERT INTO recovery_codes (user, hash) VALUES (?1, ?2)")?;
    for code in codes {
        insert.execute(params![user, code.bytes()])?;
    }
    Ok(())
}

/// Records what was done, if it was; and says so.
fn note(
    writer: &Connection,
    done: bool,
    entry: &Entry<'_>,
    now: Timestamp,
) -> Result<bool, super::Abort> {
    if done {
        audit::insert(writer, entry, now)?;
    }
    Ok(done)
}

fn second_factor(row: &Row<'_>) -> rusqlite::Result<SecondFactor> {
    Ok(SecondFactor {
        secret: TotpSecret::stored(row.get(0)?),
        created: Timestamp(row.get(1)?),
        confirmed: row.get(2)?,
        last: Step(row.get(3)?),
        codes_left: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::tests::{BY, NOTE, Place, add};
    use super::*;
    use crate::store::{
        Audit as _, AuditQuery, Change, ClientInfo, NewSession, Proof, Sessions as _,
    };
    use crate::store::{Store as _, Users as _};
    use crate::values::{Code, PasswordHash};

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
    fn with_factor(store: &Sqlite, name: &str, codes: &[CodeHash]) -> i64 {
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

    fn begin(store: &Sqlite, user: i64, jti: &str, second: Option<&FactorUse>) -> bool {
        let origin = ClientInfo { address: None, agent: "" };
        let session = NewSession { jti, issued: NOW, expires: Timestamp(10_000), origin };
        let password = &PasswordHash::stored("hash".into());
        let proof = Proof { password, second, notice: false };
        store.begin(user, &session, &proof, &NOTE, NOW).unwrap()
    }

    /// Ada, who is logged in, shows her password and this.
    fn showing<'a>(id: i64, session: &'a str, used: &'a FactorUse) -> Authority<'a> {
        static HASH: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash::stored("hash".into()));
        let proof = Some(Proof { password: &HASH, second: Some(used), notice: false });
        Authority::User { id, session, since: Timestamp(0), proof }
    }

    fn events(store: &Sqlite) -> Vec<String> {
        let found = store.recorded(&AuditQuery { limit: 100, ..AuditQuery::default() }).unwrap();
        found.into_iter().rev().map(|entry| entry.event).collect()
    }

    #[test]
    fn it_counts_once_it_is_confirmed() {
        let place = Place::new("enrol");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
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
        assert!(begin(&store, ada, "a", None), "it does not count yet");
        assert!(!confirm(&secret(2)), "it was replaced");
        assert!(confirm(&secret(1)));
        assert!(!confirm(&secret(1)), "it is");
        assert!(!store.enrol(ada, &secret(2), &BY, &NOTE, NOW).unwrap(), "it would go off");
        expected = SecondFactor { confirmed: true, last: Step(10), codes_left: 10, ..expected };
        assert_eq!(store.second_factor(ada).unwrap(), Some(expected));
        assert!(!store.enrol(99, &secret(1), &BY, &NOTE, NOW).unwrap(), "nobody");
        assert_eq!(store.second_factor(99).unwrap(), None);
    }

    #[test]
    fn no_session_begins_without_it() {
        let place = Place::new("second");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = with_factor(&store, "ada", &codes());
        let bob = add(&store, "bob", None).unwrap();
        assert!(!begin(&store, ada, "a", None));
        assert!(!begin(&store, ada, "a", Some(&step(10))), "it confirmed the factor");
        assert!(begin(&store, ada, "a", Some(&step(11))));
        assert!(!begin(&store, ada, "b", Some(&step(11))), "used");
        assert!(begin(&store, ada, "b", Some(&step(13))));
        assert!(!begin(&store, ada, "c", Some(&step(12))), "one after it was used");
        let other = FactorUse::Step { secret: secret(2), step: Step(99) };
        assert!(!begin(&store, ada, "c", Some(&other)), "another secret");
        assert!(begin(&store, bob, "d", Some(&step(1))), "nothing is asked of others");
        // Another password leaves it on.
        let new = PasswordHash::stored("hash".into());
        let change = Change::Password { hash: &new, session: None };
        store.change(ada, &change, &BY, &NOTE, NOW).unwrap();
        assert!(!begin(&store, ada, "e", None));
        // A login that fails for another reason uses nothing up.
        store.change(ada, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
        assert!(!begin(&store, ada, "e", Some(&step(20))));
        assert_eq!(store.second_factor(ada).unwrap().unwrap().last, Step(13));
    }

    #[test]
    fn a_recovery_code_works_once_and_for_its_owner() {
        let place = Place::new("recovery");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let (adas, bobs, new) = (codes(), codes(), codes());
        let ada = with_factor(&store, "ada", &adas);
        let bob = with_factor(&store, "bob", &bobs);
        let code = |hash: CodeHash| FactorUse::Recovery(hash);
        assert!(!begin(&store, ada, "a", Some(&code(bobs[0]))));
        assert!(begin(&store, ada, "a", Some(&code(adas[0]))));
        assert!(!begin(&store, ada, "b", Some(&code(adas[0]))));
        assert_eq!(store.second_factor(ada).unwrap().unwrap().codes_left, 9);
        assert_eq!(store.second_factor(bob).unwrap().unwrap().codes_left, 10);
        let replace = |used: FactorUse| {
            store.replace_recovery_codes(ada, &new, &showing(ada, "a", &used), &NOTE, NOW)
        };
        assert!(matches!(replace(code(adas[0])), Err(Error::WrongOtp)));
        assert!(matches!(replace(step(10)), Err(Error::WrongOtp)));
        assert!(replace(step(11)).unwrap());
        assert!(!begin(&store, ada, "b", Some(&code(adas[1]))), "replaced");
        assert!(begin(&store, ada, "b", Some(&code(new[1]))));
        assert_eq!(store.second_factor(ada).unwrap().unwrap().codes_left, 9);
        let used = events(&store).iter().filter(|event| *event == "recovery-code-used").count();
        assert_eq!(used, 2);
    }

    #[test]
    fn it_is_turned_off() {
        let place = Place::new("off");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let codes = codes();
        let ada = with_factor(&store, "ada", &codes);
        assert!(begin(&store, ada, "s", Some(&step(11))));
        let remove = |used: FactorUse| {
            store.remove_second_factor(ada, &showing(ada, "s", &used), &NOTE, NOW)
        };
        let before = events(&store).len();
        assert!(matches!(remove(step(10)), Err(Error::WrongOtp)));
        assert_eq!(events(&store).len(), before, "nothing was done");
        assert_eq!(store.second_factor(ada).unwrap().unwrap().codes_left, 10);
        assert!(remove(FactorUse::Recovery(codes[0])).unwrap());
        assert_eq!(store.second_factor(ada).unwrap(), None);
        assert!(begin(&store, ada, "a", None));
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
        assert!(!begin(&store, ada, "b", Some(&FactorUse::Recovery(codes[1]))));
        assert!(begin(&store, ada, "b", Some(&step(6))));
        assert!(reset(), "an administrator");
        // It goes with its user.
        let bob = with_factor(&store, "bob", &codes);
        store.delete(bob, &BY, &NOTE, NOW).unwrap();
        assert_eq!(store.second_factor(bob).unwrap(), None);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 0);
    }

    #[test]
    fn another_program_does_not_log_in_past_it() {
        let place = Place::new("past");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        let adopt = |jti: &str, issued: i64| {
            let origin = ClientInfo { address: None, agent: "" };
            let issued = Timestamp(issued);
            let session = NewSession { jti, issued, expires: Timestamp(10_000), origin };
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
    }

    #[test]
    fn one_code_at_the_same_time_lets_one_in() {
        let place = Place::new("race");
        let store = Sqlite::open(&place.file(), 4).unwrap();
        let codes = codes();
        let ada = with_factor(&store, "ada", &codes);
        for (round, used) in [step(11), FactorUse::Recovery(codes[0])].into_iter().enumerate() {
            let let_in: usize = std::thread::scope(|scope| {
                let (store, used) = (&store, &used);
                let begin = |login| {
                    let jti = format!("{round}-{login}");
                    scope.spawn(move || usize::from(begin(store, ada, &jti, Some(used))))
                };
                let logins: Vec<_> = (0..8).map(begin).collect();
                logins.into_iter().map(|login| login.join().unwrap()).sum()
            });
            assert_eq!(let_in, 1);
        }
    }
}
