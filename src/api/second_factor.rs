//! `/api/second-factor`: `POST` returns a secret for an authenticator app, `PUT` turns the second
//! factor on, `DELETE` off; `POST …/recovery-codes` makes new recovery codes.

use serde::Serialize;

use super::{done, qr};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;
use crate::login::{Verified, second_factor, verify_password};
use crate::store::{Enrolment, Entry, Event, Proof};
use crate::values::{Code, FactorUse, Otp, TotpSecret};

/// Seconds in which a new secret must be confirmed: later, somebody else may have seen the screen.
const ENROLMENT: i64 = 15 * 60;

/// Takes `{password}`. The second factor does not count before it is confirmed; another request
/// makes another secret.
pub(super) fn post(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        secret: &'a str,
        uri: &'a str,
        qr: &'a str,
    }
    let app = call.app;
    let password = call.fields()?.text("password")?;
    let hash = verify_password(call, identity, &password)?.hash;
    if app.store.has_second_factor(identity.id())? {
        return Err(Error::SecondFactorOn);
    }
    let secret = TotpSecret::generate()?;
    let uri = secret.uri(app.config.service().as_str(), identity.name());
    let qr = qr::svg(&uri, "QR code for an authenticator app")?;
    let entry = entry(call, identity, Event::SecondFactorEnrolled);
    let by = identity.authority(Some(Proof { password: &hash, second: None }));
    if !app.store.enrol(identity.id(), &secret, &by, &entry, call.now)? {
        return Err(Error::SecondFactorOn);
    }
    Ok(Response::private(&Body { secret: &secret.base32(), uri: &uri, qr: &qr }))
}

/// Takes `{otp}`, which shows that the secret arrived. The answer has the recovery codes.
pub(super) fn put(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let app = call.app;
    let otp = call.fields()?.text("otp")?;
    let factor = app.store.second_factor(identity.id())?.ok_or(Error::SecondFactorOff)?;
    if factor.confirmed {
        return Err(Error::SecondFactorOn);
    }
    if call.now.0.saturating_sub(factor.created.0) > ENROLMENT {
        return Err(Error::SecondFactorOff);
    }
    // No recovery code is good before there are some. A text that cannot be right is no guess: it
    // is not counted, and has no audit entry, or those could be written without an end.
    let Some(Otp::Totp(_)) = Otp::typed(&otp) else { return Err(Error::WrongOtp) };
    let known = app.store.credentials_of(identity.id())?.ok_or(Error::MissingUser)?;
    let checked = second_factor::check(call, identity.id(), &factor, &otp, known.unlocked);
    let checked = second_factor::record_if_wrong(checked, call, identity)?;
    let FactorUse::Step { step, .. } = checked else { return Err(Error::WrongOtp) };
    let codes = Code::recovery_set()?;
    let hashes: Vec<_> = codes.iter().map(Code::hash).collect();
    let entry = entry(call, identity, Event::SecondFactorOn);
    let confirmed = Enrolment { secret: &factor.secret, step, codes: &hashes };
    let by = identity.authority(None);
    if !app.store.confirm_enrolment(identity.id(), &confirmed, &by, &entry, call.now)? {
        // Another request was faster: confirmed it, or made another secret.
        return Err(Error::SecondFactorOff);
    }
    Ok(recovery_codes(&codes))
}

/// Takes `{password, otp}`. A user who must have a second factor cannot turn it off.
pub(super) fn delete(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let app = call.app;
    if app.requires_second_factor(identity.roles()) {
        return Err(Error::SecondFactorMissing);
    }
    let verified = verify_both(call, identity)?;
    let entry = entry(call, identity, Event::SecondFactorOff);
    let by = verified.authority(identity);
    if !app.store.remove_second_factor(identity.id(), &by, &entry, call.now)? {
        return Err(Error::SecondFactorOff);
    }
    Ok(done("second factor turned off"))
}

/// Takes `{password, otp}`: without the second factor, new codes would be a way around it.
pub(super) fn post_codes(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let app = call.app;
    let verified = verify_both(call, identity)?;
    let codes = Code::recovery_set()?;
    let hashes: Vec<_> = codes.iter().map(Code::hash).collect();
    let entry = entry(call, identity, Event::RecoveryCodesReplaced);
    let by = verified.authority(identity);
    if !app.store.replace_recovery_codes(identity.id(), &hashes, &by, &entry, call.now)? {
        return Err(Error::SecondFactorOff);
    }
    Ok(recovery_codes(&codes))
}

/// Checks password and second factor in the request's body; [`Error::SecondFactorOff`] if the user
/// has no second factor.
fn verify_both(call: &Call<'_>, identity: &Identity) -> Result<Verified, Error> {
    let mut fields = call.fields()?;
    let password = fields.text("password")?;
    let otp = fields.text("otp")?;
    let verified = second_factor::verify(call, identity, &password, Some(&otp))?;
    if verified.second.is_none() { Err(Error::SecondFactorOff) } else { Ok(verified) }
}

fn entry<'a>(call: &Call<'_>, identity: &'a Identity, event: Event) -> Entry<'a> {
    Entry::new(event, identity.id(), identity.name(), call.caller().user())
}

/// Returns the answer with the recovery codes, which are not shown again.
fn recovery_codes(codes: &[Code]) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        recovery_codes: Vec<&'a str>,
    }
    let shown: Vec<_> = codes.iter().map(Code::shown).collect();
    Response::private(&Body { recovery_codes: shown.iter().map(|code| code.as_str()).collect() })
}
