//! Second factors and recovery codes, as the program speaks of them.

use super::audit::Entry;
use super::authority::Authority;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{CodeHash, Step, TotpSecret};

/// A user's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// What the user's app has too.
    pub secret: TotpSecret,
    /// When it was made.
    pub created: Timestamp,
    /// The user has shown that it arrived; before that it does not count.
    pub confirmed: bool,
    /// The last step whose code was used.
    pub last: Step,
    /// Recovery codes that have not been used.
    pub codes_left: u32,
}

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

/// The second factors. What is used up with a change is so if the change is made, and only then.
pub trait SecondFactors {
    /// A user's, confirmed or not.
    fn second_factor(&self, user: i64) -> Result<Option<SecondFactor>, Error>;

    /// Whether a user has a confirmed one.
    fn has_second_factor(&self, user: i64) -> Result<bool, Error>;

    /// Whether a user has this recovery code, and has not used it.
    fn has_recovery_code(&self, user: i64, code: &CodeHash) -> Result<bool, Error>;

    /// Keeps a secret that is still to be confirmed, in the place of another such one; false if
    /// there is a confirmed one.
    fn enrol(
        &self,
        user: i64,
        secret: &TotpSecret,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// From now on it counts. False if there is no such secret to confirm.
    fn confirm_enrolment(
        &self,
        user: i64,
        confirmed: &Enrolment<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Other recovery codes in the place of those there are; false if there is no confirmed second
    /// factor.
    fn replace_recovery_codes(
        &self,
        user: i64,
        codes: &[CodeHash],
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Turns it off, recovery codes included. False if there is none.
    fn remove_second_factor(
        &self,
        user: i64,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;
}
