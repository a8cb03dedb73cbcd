//! Second factors: enrolment, recovery codes, and the end of both. A code is used up in the
//! transaction that it permits: an error gives it back, the answer `false` does not.

use super::Store;
use super::authority::Authority;
use super::driver::Fault;
use super::entry::Entry;
use super::mail_kind::MailKind;
use super::notices::Notice;
use super::rows::second_factors::{self, SecondFactor};
use super::rows::tickets::{self, TicketPurpose};
use super::transaction::Transaction;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{CodeHash, Step, TotpSecret};

/// What turns a second factor on.
#[derive(Debug, Clone, Copy)]
pub struct Enrolment<'a> {
    /// The secret that arrived.
    pub secret: &'a TotpSecret,
    /// The step whose code showed it; used up.
    pub step: Step,
    /// Hashes of the recovery codes.
    pub codes: &'a [CodeHash],
}

impl Store {
    /// A user's second factor, confirmed or not.
    pub fn second_factor(&self, user: i64) -> Result<Option<SecondFactor>, Error> {
        self.read(|queries| second_factors::of_user(queries, user))
    }

    /// Whether a user has a confirmed second factor.
    pub fn has_second_factor(&self, user: i64) -> Result<bool, Error> {
        self.read(|queries| second_factors::is_on(queries, user))
    }

    /// Whether a user has this recovery code, and has not used it.
    pub fn has_recovery_code(&self, user: i64, code: &CodeHash) -> Result<bool, Error> {
        self.read(|queries| second_factors::has_code(queries, user, code))
    }

    /// Keeps a secret that is still to be confirmed, in the place of another such one; false if
    /// there is a confirmed one.
    pub fn enrol(
        &self,
        user: i64,
        secret: &TotpSecret,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let kept = second_factors::enrol(transaction, user, secret, now)?;
            Ok(record_if(transaction, kept, entry)?)
        })
    }

    /// Turns the second factor on. False if there is no such secret to confirm.
    pub fn confirm_enrolment(
        &self,
        user: i64,
        enrolment: &Enrolment<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let Enrolment { secret, step, codes } = *enrolment;
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let confirmed = second_factors::confirm(transaction, user, secret, step, now)?;
            if confirmed {
                second_factors::replace_codes(transaction, user, codes)?;
                // A new address was proposed with the password alone.
                tickets::delete_of_user_for(transaction, user, TicketPurpose::NewEmail)?;
                transaction.tell(&Notice::new(MailKind::SecondFactorOn, user))?;
            }
            Ok(record_if(transaction, confirmed, entry)?)
        })
    }

    /// Replaces the recovery codes by others; false if there is no confirmed second factor.
    pub fn replace_recovery_codes(
        &self,
        user: i64,
        codes: &[CodeHash],
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let on = second_factors::is_on(transaction, user)?;
            if on {
                second_factors::replace_codes(transaction, user, codes)?;
                transaction.tell(&Notice::new(MailKind::RecoveryCodesReplaced, user))?;
            }
            Ok(record_if(transaction, on, entry)?)
        })
    }

    /// Turns the second factor off, recovery codes included. False if there is none.
    pub fn remove_second_factor(
        &self,
        user: i64,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            second_factors::replace_codes(transaction, user, &[])?;
            let gone = second_factors::delete(transaction, user)?;
            if gone {
                transaction.tell(&Notice::new(MailKind::SecondFactorOff, user))?;
            }
            Ok(record_if(transaction, gone, entry)?)
        })
    }
}

/// Records a change if it was made; returns whether it was.
fn record_if(
    transaction: &mut Transaction<'_>,
    made: bool,
    entry: &Entry<'_>,
) -> Result<bool, Fault> {
    if made {
        transaction.record(entry)?;
    }
    Ok(made)
}
