//! What a login, or a change of the account, asks of the second factor: a code of the
//! authenticator app, or a recovery code.

use zeroize::Zeroizing;

use super::password::{Verified, verify_password};
use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::store::{Entry, Event, SecondFactor};
use crate::values::{FactorUse, Otp};

/// Returns what a login of `user` uses up of the second factor: `None` if the user has none.
/// [`Error::SecondFactorRequired`] if nothing was typed, else the errors of [`check`].
pub(crate) fn demand(
    call: &Call<'_>,
    user: i64,
    otp: Option<&Zeroizing<String>>,
    unlocked: Timestamp,
) -> Result<Option<FactorUse>, Error> {
    match call.app.store.second_factor(user)? {
        Some(factor) if factor.confirmed => {
            let typed = otp.filter(|otp| !otp.trim().is_empty());
            let typed = typed.ok_or(Error::SecondFactorRequired)?;
            check(call, user, &factor, typed, unlocked).map(Some)
        }
        _ => Ok(None),
    }
}

/// Returns what a typed code uses up if the store still has it; [`Error::WrongOtp`] if it cannot be
/// good. Codes of the app and recovery codes are counted apart: the owner gets in with a recovery
/// code while somebody else guesses digits.
pub(crate) fn check(
    call: &Call<'_>,
    user: i64,
    factor: &SecondFactor,
    typed: &str,
    unlocked: Timestamp,
) -> Result<FactorUse, Error> {
    let Call { app, now, .. } = *call;
    let otp = Otp::typed(typed).ok_or(Error::WrongOtp)?;
    let attempt = app.attempts.second_factor(user, &otp, unlocked, now)?;
    match otp {
        Otp::Recovery(code) => {
            let hash = code.hash();
            let found = app.store.has_recovery_code(user, &hash).and_then(|found| match found {
                true => Ok(FactorUse::Recovery(hash)),
                false => Err(Error::WrongOtp),
            });
            attempt.end(found)
        }
        Otp::Totp(code) => {
            let step = factor.secret.check(&code, now, factor.last).ok_or(Error::WrongOtp);
            let step = attempt.end(step)?;
            Ok(FactorUse::Step { secret: factor.secret.clone(), step })
        }
    }
}

/// Checks the password of a user who is logged in, and the second factor if there is one;
/// [`Error::OtpRequired`] if nothing was typed for it.
pub(crate) fn verify(
    call: &Call<'_>,
    identity: &Identity,
    password: &str,
    otp: Option<&Zeroizing<String>>,
) -> Result<Verified, Error> {
    let known = verify_password(call, identity, password)?;
    let second = match demand(call, identity.id(), otp, known.unlocked) {
        Err(Error::SecondFactorRequired) => return Err(Error::OtpRequired),
        // A text that cannot be a code is no guess: it is not counted, and has no audit entry.
        second if otp.is_some_and(|otp| Otp::typed(otp).is_some()) => {
            record_if_wrong(second, call, identity)?
        }
        second => second?,
    };
    Ok(Verified { hash: known.hash, second, tokens_after: known.tokens_after })
}

/// Records a wrong code of a user who is logged in; returns `checked`, or the error of the store.
pub(crate) fn record_if_wrong<T>(
    checked: Result<T, Error>,
    call: &Call<'_>,
    identity: &Identity,
) -> Result<T, Error> {
    if let Err(Error::WrongOtp) = checked {
        let actor = call.caller().user();
        let entry = Entry::new(Event::LoginFailed, identity.id(), identity.name(), actor);
        call.record(&Entry { detail: "second factor, while logged in", ..entry })?;
    }
    checked
}
