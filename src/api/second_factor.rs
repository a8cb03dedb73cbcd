//! `/api/second-factor`: `POST` hands out a secret for an authenticator app, `PUT` turns it on,
//! `DELETE` off; `POST …/recovery-codes` makes new ones. And what a login asks of it.

use serde::Serialize;
use zeroize::Zeroizing;

use super::fields::Fields;
use super::{Verified, confirm, done, private, qr};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{Request, Response};
use crate::store::{Enrolment, Entry, Event, Proof, SecondFactor};
use crate::values::{Code, FactorUse, Otp, TotpSecret};

/// Seconds in which a new secret must be confirmed. Whoever comes back to it later, somebody else
/// may have seen the screen.
const ENROLMENT: i64 = 15 * 60;

/// Takes `{password}`. The second factor does not count before it is confirmed; asking again
/// makes another secret.
pub(crate) fn post(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        secret: &'a str,
        uri: &'a str,
        qr: &'a str,
    }
    let password = Fields::of(request)?.text("password")?;
    let hash = confirm(app, identity, &password, request, now)?.hash;
    if app.store.has_second_factor(identity.id())? {
        return Err(Error::SecondFactorOn);
    }
    let secret = TotpSecret::generate()?;
    let uri = secret.uri(app.issuer.as_str(), identity.name());
    let qr = qr::svg(&uri, "QR code for an authenticator app")?;
    let entry = entry(app, identity, request, Event::SecondFactorEnrolled);
    let by = identity.authority(Some(Proof { password: &hash, second: None }));
    if !app.store.enrol(identity.id(), &secret, &by, &entry, now)? {
        return Err(Error::SecondFactorOn);
    }
    Ok(private(&Body { secret: &secret.base32(), uri: &uri, qr: &qr }))
}

/// Takes `{otp}`, which shows that the secret arrived. The answer has the recovery codes.
pub(crate) fn put(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let otp = Fields::of(request)?.text("otp")?;
    let factor = app.store.second_factor(identity.id())?.ok_or(Error::SecondFactorOff)?;
    if factor.confirmed {
        return Err(Error::SecondFactorOn);
    }
    if now.0.saturating_sub(factor.created.0) > ENROLMENT {
        return Err(Error::SecondFactorOff);
    }
    // No recovery code is good before there are some. What cannot be right is no guess: it is not
    // counted, and so has no audit entry either, or somebody could write those without an end.
    let Some(Otp::Totp(_)) = Otp::typed(&otp) else { return Err(Error::WrongOtp) };
    let known = app.store.credentials_of(identity.id())?.ok_or(Error::MissingUser)?;
    let spend = check(app, identity.id(), &factor, &otp, known.unlocked, now);
    let FactorUse::Step { step, .. } = seen(spend, app, identity, request, now)? else {
        return Err(Error::WrongOtp);
    };
    let codes = Code::recovery_set()?;
    let hashes: Vec<_> = codes.iter().map(Code::hash).collect();
    let entry = entry(app, identity, request, Event::SecondFactorOn);
    let confirmed = Enrolment { secret: &factor.secret, step, codes: &hashes };
    let by = identity.authority(None);
    if !app.store.confirm_enrolment(identity.id(), &confirmed, &by, &entry, now)? {
        // Another request was faster: confirmed it, or made another secret.
        return Err(Error::SecondFactorOff);
    }
    Ok(once(&codes))
}

/// Takes `{password, otp}`. Whoever must have a second factor keeps it.
pub(crate) fn delete(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    if app.requires_second_factor(identity.roles()) {
        return Err(Error::SecondFactorMissing);
    }
    let shown = both(app, identity, request, now)?;
    let entry = entry(app, identity, request, Event::SecondFactorOff);
    if !app.store.remove_second_factor(identity.id(), &shown.authority(identity), &entry, now)? {
        return Err(Error::SecondFactorOff);
    }
    Ok(done("second factor turned off"))
}

/// Takes `{password, otp}`: without the second factor, they would be a way around it.
pub(crate) fn post_codes(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let shown = both(app, identity, request, now)?;
    let codes = Code::recovery_set()?;
    let hashes: Vec<_> = codes.iter().map(Code::hash).collect();
    let entry = entry(app, identity, request, Event::RecoveryCodesReplaced);
    let by = shown.authority(identity);
    if !app.store.replace_recovery_codes(identity.id(), &hashes, &by, &entry, now)? {
        return Err(Error::SecondFactorOff);
    }
    Ok(once(&codes))
}

/// What whoever logs in as `user` has to spend of a second factor: nothing if there is none.
/// [`Error::SecondFactorRequired`] if nothing was typed, else what [`check`] says.
pub(super) fn demand(
    app: &App,
    user: i64,
    otp: Option<&Zeroizing<String>>,
    unlocked: Timestamp,
    now: Timestamp,
) -> Result<Option<FactorUse>, Error> {
    match app.store.second_factor(user)? {
        Some(factor) if factor.confirmed => {
            let typed = otp.filter(|otp| !otp.trim().is_empty());
            let typed = typed.ok_or(Error::SecondFactorRequired)?;
            check(app, user, &factor, typed, unlocked, now).map(Some)
        }
        _ => Ok(None),
    }
}

/// Somebody who is logged in shows that they know their password, and have their second factor if
/// there is one; [`Error::OtpRequired`] if nothing was typed for it.
pub(super) fn show(
    app: &App,
    identity: &Identity,
    password: &str,
    otp: Option<&Zeroizing<String>>,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Verified, Error> {
    let known = confirm(app, identity, password, request, now)?;
    let second = match demand(app, identity.id(), otp, known.unlocked, now) {
        Err(Error::SecondFactorRequired) => return Err(Error::OtpRequired),
        // What cannot be right is no guess: it is not counted, and so has no audit entry.
        second if otp.is_some_and(|otp| Otp::typed(otp).is_some()) => {
            seen(second, app, identity, request, now)?
        }
        second => second?,
    };
    Ok(Verified { hash: known.hash, second, tokens_after: known.tokens_after })
}

/// The same with what the request holds, for whoever must have a second factor for it.
fn both(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Verified, Error> {
    let mut fields = Fields::of(request)?;
    let password = fields.text("password")?;
    let otp = fields.text("otp")?;
    let shown = show(app, identity, &password, Some(&otp), request, now)?;
    if shown.second.is_none() { Err(Error::SecondFactorOff) } else { Ok(shown) }
}

/// What a typed code uses up if the store still has it; [`Error::WrongOtp`] if it cannot be good.
/// Both kinds are counted as attempts, each for itself: its owner gets in with a recovery code
/// while somebody else guesses digits.
fn check(
    app: &App,
    user: i64,
    factor: &SecondFactor,
    typed: &str,
    unlocked: Timestamp,
    now: Timestamp,
) -> Result<FactorUse, Error> {
    match Otp::typed(typed).ok_or(Error::WrongOtp)? {
        Otp::Recovery(code) => {
            let attempt = app.attempts.recovery_code(user, unlocked, now)?;
            let hash = code.hash();
            let found = app.store.has_recovery_code(user, &hash).and_then(|found| match found {
                true => Ok(FactorUse::Recovery(hash)),
                false => Err(Error::WrongOtp),
            });
            attempt.end(found)
        }
        Otp::Totp(code) => {
            let attempt = app.attempts.code(user, unlocked, now)?;
            let step = factor.secret.check(&code, now, factor.last).ok_or(Error::WrongOtp);
            let step = attempt.end(step)?;
            Ok(FactorUse::Step { secret: factor.secret.clone(), step })
        }
    }
}

/// Notes a wrong code of somebody who is logged in.
fn seen<T>(
    checked: Result<T, Error>,
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<T, Error> {
    if let Err(Error::WrongOtp) = checked {
        let detail = "second factor, while logged in";
        app.note(&Entry { detail, ..entry(app, identity, request, Event::LoginFailed) }, now);
    }
    checked
}

fn entry<'a>(app: &App, identity: &'a Identity, request: &Request<'_>, event: Event) -> Entry<'a> {
    Entry::new(event, identity.id(), identity.name(), app.caller(request).user())
}

/// Recovery codes for their owner, once.
fn once(codes: &[Code]) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        recovery_codes: Vec<&'a str>,
    }
    let shown: Vec<_> = codes.iter().map(Code::shown).collect();
    private(&Body { recovery_codes: shown.iter().map(|code| code.as_str()).collect() })
}
