//! Who may call a route: a good token, the role, and what the settings ask for besides.

use crate::app::Call;
use crate::error::Error;
use crate::guard::{Admin, Identity};
use crate::http::Response;
use crate::route::{Guarded, Route};

/// Runs the handler of a route, if the caller may call it.
pub(super) fn run(route: &Route, call: &Call<'_>) -> Result<Response, Error> {
    match &route.handler.0 {
        Guarded::Public(handler) => handler(call),
        _ => run_for(route, call, call.app.check_token(call)?),
    }
}

/// Runs the handler of a route for a user whose token, session and account were checked, if that
/// user may call it.
pub(super) fn run_for(route: &Route, call: &Call<'_>, user: Identity) -> Result<Response, Error> {
    match &route.handler.0 {
        Guarded::Public(handler) => handler(call),
        Guarded::User(handler) => {
            check_policy(route, call, &user)?;
            handler(call, &user)
        }
        Guarded::Role(role, handler) => {
            user.require_role(role)?;
            check_policy(route, call, &user)?;
            handler(call, &user)
        }
        Guarded::Admin(handler) => {
            let admin = Admin::of(user)?;
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

/// Checks what the settings ask for besides a good token: a recent login, a second factor.
fn check_policy(route: &Route, call: &Call<'_>, who: &Identity) -> Result<(), Error> {
    if route.recent && who.began() < call.recent_since() {
        return Err(Error::ReauthenticationRequired);
    }
    match route.without_factor {
        true => Ok(()),
        false => call.app.check_second_factor(who),
    }
}
