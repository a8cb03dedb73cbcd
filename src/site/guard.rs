//! Who may call a route: a good token or cookie, the role, and what the settings ask for besides.

use crate::app::Call;
use crate::error::Error;
use crate::guard::{Admin, Identity, Way};
use crate::http::Response;
use crate::route::{Guarded, Route};

/// Runs the handler of a route, if the caller may call it.
pub(super) fn run(route: &Route, call: &Call<'_>) -> Result<Response, Error> {
    match &route.handler.0 {
        Guarded::Public(handler) => handler(call),
        _ => {
            let checked = call.app.check_caller(call, route.handler.is_told());
            run_for(route, call, checked.map_err(|error| for_proxies(route, error)))
        }
    }
}

/// Proxies take 401 and 403 for a refusal, and every other status for a failure of this server.
pub(super) fn for_proxies(route: &Route, error: Error) -> Error {
    match error {
        Error::TooManyRequests { wait } if route.asked_by_proxies => {
            Error::AppPasswordsThrottled { wait }
        }
        error => error,
    }
}

/// Runs the handler of a route for a user whose token or cookie, session and account were checked, if
/// that user may call it; or for somebody who is refused for this reason.
pub(super) fn run_for(
    route: &Route,
    call: &Call<'_>,
    checked: Result<Identity, Error>,
) -> Result<Response, Error> {
    match &route.handler.0 {
        Guarded::Public(handler) => handler(call),
        Guarded::Either(handler) => {
            let who = checked.and_then(|user| check_policy(route, call, &user).map(|()| user));
            match who {
                Err(error) if error.kind().status >= 500 => Err(error),
                who => handler(call, who),
            }
        }
        Guarded::User(handler) => {
            let user = checked?;
            check_policy(route, call, &user)?;
            handler(call, &user)
        }
        Guarded::Role(role, handler) => {
            let user = checked?;
            user.require_role(role)?;
            check_policy(route, call, &user)?;
            handler(call, &user)
        }
        Guarded::Admin(handler) => {
            let user = checked?;
            // Cookies and app passwords are for what a user may see of the own account and of the apps.
            user.require_token()?;
            let admin = Admin::of(user)?;
            call.app.tokens.require_all(admin.identity().audiences())?;
            check_policy(route, call, admin.identity())?;
            handler(call, &admin)
        }
    }
}

/// Whether [`run_for`] reads the database.
pub(super) fn asks_more(route: &Route, call: &Call<'_>, user: &Identity) -> bool {
    !route.without_factor
        && user.second_factor().is_none()
        && call.app.requires_second_factor(user.roles())
}

/// Checks what is asked for besides a good token: an app password that is good for this, a recent
/// login, a second factor.
fn check_policy(route: &Route, call: &Call<'_>, who: &Identity) -> Result<(), Error> {
    match (who.way(), route.asked_by_proxies) {
        (Way::AppPassword, true) => who.may_use_host(call.wanted()?.host())?,
        (Way::AppPassword, false) => who.may_read_api()?,
        _ => {}
    }
    if route.recent && who.began() < call.recent_since() {
        return Err(Error::ReauthenticationRequired);
    }
    match route.without_factor {
        true => Ok(()),
        false => call.app.check_second_factor(who),
    }
}
