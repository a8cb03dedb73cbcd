//! Uses a second factor up, in the transaction of the login or change that it permits.

use super::driver::Fault;
use super::entry::{Entry, Event};
use super::mail_kind::MailKind;
use super::notices::Notice;
use super::rows::second_factors;
use super::transaction::Transaction;
use crate::values::FactorUse;

impl Transaction<'_> {
    /// Returns whether a user may log in: there is no second factor, or `used` can be used up now.
    /// `entry` is the login's audit entry.
    pub(in crate::store) fn admit(
        &mut self,
        user: i64,
        used: Option<&FactorUse>,
        entry: &Entry<'_>,
    ) -> Result<bool, Fault> {
        match used {
            _ if !second_factors::is_on(self, user)? => Ok(true),
            Some(used) => self.spend(user, used, entry),
            None => Ok(false),
        }
    }

    /// Uses a code up; false if it was used before. The condition and the change are one
    /// statement. The use of a recovery code is reported to the user by mail.
    pub(in crate::store) fn spend(
        &mut self,
        user: i64,
        used: &FactorUse,
        entry: &Entry<'_>,
    ) -> Result<bool, Fault> {
        match used {
            FactorUse::Step { secret, step } => second_factors::use_step(self, user, secret, *step),
            FactorUse::Recovery(code) => {
                let spent = second_factors::use_code(self, user, code)?;
                if spent {
                    self.record(&Entry { event: Event::RecoveryCodeUsed, ..entry.clone() })?;
                    self.tell(&Notice::new(MailKind::RecoveryCodeUsed, user))?;
                }
                Ok(spent)
            }
        }
    }
}
