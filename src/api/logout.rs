//! `POST /api/logout` ends the session in use; `POST /api/logout/all` ends all sessions of the user.

use super::done;
use crate::app::Call;
use crate::error::Error;
use crate::guard::{Credential, Identity, ShownCookie};
use crate::http::Response;
use crate::login::cookie;
use crate::store::{Authority, Entry, Event, SessionScope};

pub(super) fn post(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    end_own(call, identity)?;
    Ok(without_cookie(call, identity, done("logged out")))
}

pub(super) fn post_all(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    let by = identity.recent_authority(call.recent_since());
    end(call, identity, SessionScope::All, &by, Event::LogoutEverywhere)?;
    Ok(without_cookie(call, identity, done("logged out everywhere")))
}

/// Ends the session in use.
pub(super) fn end_own(call: &Call<'_>, identity: &Identity) -> Result<(), Error> {
    let scope = SessionScope::One(identity.session());
    already_ended(end(call, identity, scope, &identity.authority(None), Event::Logout))
}

/// Since the session was checked, another request may have ended it, or deleted or deactivated its user:
/// then it has ended, as asked. A login that replaces it must not fail for that.
fn already_ended(ended: Result<(), Error>) -> Result<(), Error> {
    match ended {
        Err(Error::Revoked | Error::MissingUser | Error::InactiveUser) => Ok(()),
        ended => ended,
    }
}

/// Ends the sessions of the request's cookies, which another login of the same page replaces.
pub(super) fn end_replaced(call: &Call<'_>, by: &str) -> Result<(), Error> {
    match call.is_own_page() {
        true => end_of_cookies(call, by),
        false => Ok(()),
    }
}

/// Ends the sessions of the request's cookies, all but `kept`. One that has ended is no error.
pub(super) fn end_of_cookies(call: &Call<'_>, kept: &str) -> Result<(), Error> {
    for jti in call.cookie_sessions().into_iter().filter(|jti| *jti != kept) {
        match call.app.check_credential(call, Credential::Cookie(jti), false) {
            Ok(identity) => end_own(call, &identity)?,
            Err(Error::SessionEnded) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes the cookie back, if it is that of the session that has ended.
pub(super) fn without_cookie(call: &Call<'_>, identity: &Identity, response: Response) -> Response {
    match call.session_cookie() {
        ShownCookie::Of(jti) if jti == identity.session() => cookie::taken_back(call, response),
        _ => response,
    }
}

fn end(
    call: &Call<'_>,
    identity: &Identity,
    scope: SessionScope<'_>,
    by: &Authority<'_>,
    event: Event,
) -> Result<(), Error> {
    let actor = call.caller().user();
    let entry = Entry::new(event, identity.id(), identity.name(), actor);
    call.app.store.end(identity.id(), scope, by, &entry, call.now)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_has_ended_since_the_check_is_no_error() {
        for gone in [Error::Revoked, Error::MissingUser, Error::InactiveUser] {
            assert!(already_ended(Err(gone)).is_ok());
        }
        assert!(already_ended(Ok(())).is_ok());
        let broken = || Error::Internal("the disk is gone".into());
        for error in [broken(), Error::ReauthenticationRequired, Error::SessionEnded] {
            let name = error.kind().name;
            assert_eq!(already_ended(Err(error)).unwrap_err().kind().name, name);
        }
    }
}
