//! The password of a user who is logged in, asked for again before a change of the account.

use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Attempt, Identity, Verdict};
use crate::store::{Authority, Credentials, Entry, Event, Familiarity, Proof};
use crate::values::{FactorUse, PasswordHash};

/// What a user who is logged in has shown for a change of the account.
pub(crate) struct Verified {
    /// The hash that the password was compared to.
    pub(crate) hash: PasswordHash,
    /// The part of the second factor that the change uses up, if there is a second factor.
    pub(crate) second: Option<FactorUse>,
    /// The time up to which all sessions of the user were ended.
    pub(crate) tokens_after: Timestamp,
}

impl Verified {
    /// Returns the authority for the transaction that makes the change.
    pub(crate) fn authority<'a>(&'a self, identity: &'a Identity) -> Authority<'a> {
        let second = self.second.as_ref();
        identity.authority(Some(Proof { password: &self.hash, second }))
    }
}

/// Compares a password with that of the user who is logged in; returns what it was compared to, or
/// [`Error::WrongPassword`]. That is no 401: the token is good, and a page need not ask for a new
/// login.
pub(crate) fn verify_password(
    call: &Call<'_>,
    identity: &Identity,
    password: &str,
) -> Result<Credentials, Error> {
    let attempt = call.app.attempts.password(identity.id(), call.now)?;
    attempt.end(compare(call, identity, password))
}

fn compare(call: &Call<'_>, identity: &Identity, password: &str) -> Result<Credentials, Error> {
    let app = call.app;
    let found = app.store.credentials_of(identity.id())?.ok_or(Error::MissingUser)?;
    // A second factor does not help here: with it the user can log in anew, which begins the count.
    let limit = app.attempts.limit(Familiarity::Device);
    let guarded = limit.is_some_and(|limit| found.failures >= limit);
    // A guarded account looks like a wrong password, and takes as long.
    let verdict = app.hasher.verify(&Attempt::new(password), &found.hash)?;
    if verdict != Verdict::Wrong && !guarded {
        log::debug!("user {} knows the password", identity.id());
        return Ok(found);
    }
    let actor = call.caller().user();
    let entry = Entry {
        detail: "while logged in",
        ..Entry::new(Event::LoginFailed, identity.id(), identity.name(), actor)
    };
    call.record_failure(&entry, limit.unwrap_or(0))?;
    Err(Error::WrongPassword)
}
