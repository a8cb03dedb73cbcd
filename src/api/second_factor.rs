//! `/api/second-factor`: `POST` hands out a secret for an authenticator app, `PUT` turns it on,
//! `DELETE` off; `POST …/recovery-codes` makes new ones. And what a login asks of it.

use serde::Serialize;
use zeroize::Zeroizing;

use super::fields::Fields;
use super::{confirm, done, private, qr};
use crate::app::App;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{Code, Identity, Otp, Spend, TotpSecret};
use crate::http::{Request, Response};
use crate::store::{Entry, Event, SecondFactor};

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
    confirm(app, identity, &password, request, now)?;
    let secret = TotpSecret::generate()?;
    let uri = secret.uri(app.issuer.as_str(), identity.name());
    let qr = qr::svg(&uri, "QR code for an authenticator app")?;
    let entry = entry(app, identity, request, Event::SecondFactorEnrolled);
    if !app.store.enrol(identity.id(), &secret, &entry, now)? {
        return Err(Error::SecondFactorOn);
    }
    entry.log();
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
    let Spend::Step { step, .. } = seen(spend, app, identity, request, now)? else {
        return Err(Error::WrongOtp);
    };
    let codes = Code::recovery_set()?;
    let hashes: Vec<_> = codes.iter().map(Code::hash).collect();
    let entry = entry(app, identity, request, Event::SecondFactorOn);
    let (user, secret) = (identity.id(), &factor.secret);
    if !app.store.confirm_enrolment(user, secret, step, &hashes, &entry, now)? {
        // Another request was faster: confirmed it, or made another secret.
        return Err(Error::SecondFactorOff);
    }
    entry.log();
    app.ring();
    Ok(shown(&codes))
}

/// Takes `{password, otp}`.
pub(crate) fn delete(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let spend = both(app, identity, request, now)?;
    let entry = entry(app, identity, request, Event::SecondFactorOff);
    if !app.store.remove_second_factor(identity.id(), Some(&spend), &entry, now)? {
        return Err(wrong(app, identity, request, now));
    }
    log(&entry, Some(&spend));
    app.ring();
    Ok(done("second factor turned off"))
}

/// Takes `{password, otp}`: without the second factor, they would be a way around it.
pub(crate) fn post_codes(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Response, Error> {
    let spend = both(app, identity, request, now)?;
    let codes = Code::recovery_set()?;
    let hashes: Vec<_> = codes.iter().map(Code::hash).collect();
    let entry = entry(app, identity, request, Event::RecoveryCodesReplaced);
    if !app.store.replace_recovery_codes(identity.id(), &spend, &hashes, &entry, now)? {
        return Err(wrong(app, identity, request, now));
    }
    log(&entry, Some(&spend));
    Ok(shown(&codes))
}

/// What whoever logs in as `user` has to spend of a second factor: nothing if there is none.
/// [`Error::SecondFactorRequired`] if nothing was typed, else what [`check`] says.
pub(super) fn demand(
    app: &App,
    user: i64,
    otp: Option<&Zeroizing<String>>,
    unlocked: Timestamp,
    now: Timestamp,
) -> Result<Option<Spend>, Error> {
    match app.store.second_factor(user)? {
        Some(factor) if factor.confirmed => {
            let typed = otp.filter(|otp| !otp.trim().is_empty());
            let typed = typed.ok_or(Error::SecondFactorRequired)?;
            check(app, user, &factor, typed, unlocked, now).map(Some)
        }
        _ => Ok(None),
    }
}

/// The log lines of something that was done, and of the recovery code if one was used for it.
pub(super) fn log(entry: &Entry<'_>, spend: Option<&Spend>) {
    if let Some(Spend::Recovery(_)) = spend {
        Entry { event: Event::RecoveryCodeUsed, ..entry.clone() }.log();
    }
    entry.log();
}

/// Somebody who is logged in shows that they know their password and have their second factor.
fn both(
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Spend, Error> {
    let mut fields = Fields::of(request)?;
    let password = fields.text("password")?;
    let otp = fields.text("otp")?;
    let known = confirm(app, identity, &password, request, now)?;
    match app.store.second_factor(identity.id())? {
        Some(factor) if factor.confirmed => {
            let spend = check(app, identity.id(), &factor, &otp, known.unlocked, now);
            seen(spend, app, identity, request, now)
        }
        _ => Err(Error::SecondFactorOff),
    }
}

/// What a typed code uses up if the store still has it; [`Error::WrongOtp`] if it cannot be good.
/// Six digits are counted as an attempt. A recovery code need not be: nobody guesses one, and
/// its owner gets in while somebody else guesses digits.
fn check(
    app: &App,
    user: i64,
    factor: &SecondFactor,
    typed: &str,
    unlocked: Timestamp,
    now: Timestamp,
) -> Result<Spend, Error> {
    match Otp::typed(typed).ok_or(Error::WrongOtp)? {
        Otp::Recovery(code) => Ok(Spend::Recovery(code.hash())),
        Otp::Totp(code) => {
            let attempt = app.attempts.code(user, unlocked, now)?;
            let step = factor.secret.check(&code, now, factor.last).ok_or(Error::WrongOtp);
            let step = attempt.end(step)?;
            Ok(Spend::Step { secret: factor.secret.clone(), step })
        }
    }
}

/// Notes a wrong code of somebody who is logged in.
fn seen(
    checked: Result<Spend, Error>,
    app: &App,
    identity: &Identity,
    request: &Request<'_>,
    now: Timestamp,
) -> Result<Spend, Error> {
    match checked {
        Err(Error::WrongOtp) => Err(wrong(app, identity, request, now)),
        other => other,
    }
}

/// A wrong code of somebody who is logged in.
fn wrong(app: &App, identity: &Identity, request: &Request<'_>, now: Timestamp) -> Error {
    let detail = "second factor, while logged in";
    app.note(&Entry { detail, ..entry(app, identity, request, Event::LoginFailed) }, now);
    Error::WrongOtp
}

fn entry<'a>(app: &App, identity: &'a Identity, request: &Request<'_>, event: Event) -> Entry<'a> {
    Entry::new(event, identity.id(), identity.name(), app.caller(request).user())
}

/// Recovery codes for their owner, once.
fn shown(codes: &[Code]) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        recovery_codes: Vec<&'a str>,
    }
    let shown: Vec<_> = codes.iter().map(Code::shown).collect();
    private(&Body { recovery_codes: shown.iter().map(|code| code.as_str()).collect() })
}
