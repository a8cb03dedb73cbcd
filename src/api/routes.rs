//! The table of routes: each endpoint's method, path, guard, thread pool and throttle.

use Throttle::{Login, Mail, NewAppPassword, Password, Registration};

use super::{
    admin, app_passwords, apps, config, email, finalize, forward_auth, health, hello, jwks, login,
    logout, me, openapi, password, protected, ready, refresh, registration, reset, reset_finalize,
    second_factor, session, session_state, sessions, setup, verify,
};
use crate::app::Call;
use crate::error::Error;
use crate::guard::{Admin, Identity, Throttle};
use crate::http::Response;
use crate::route::{Handler, Route};

/// Returns the routes that every [`Site`](crate::Site) has. The most frequent come first.
// Long: a table, a line for each endpoint.
#[rustfmt::skip]
pub(crate) fn routes() -> Vec<Route> {
    vec![
        Route::new("GET", "/api/protected", user(protected::get)),
        Route::new("GET", "/api/verify", either(verify::get)).asked_by_proxies(),
        Route::new("GET", "/api/forward-auth", either(forward_auth::get)).asked_by_proxies(),
        Route::new("GET", "/api/", public(hello::get)),
        Route::new("POST", "/api/refresh", public(refresh::post)).writes(),
        Route::new("POST", "/api/login", public(login::post)).throttled(Login),
        Route::new("POST", "/api/session", public(session::post)).throttled(Login).or_token(),
        Route::new("DELETE", "/api/session", public(session::delete)).writes(),
        Route::new("POST", "/api/registration", public(registration::post)).throttled(Registration),
        // Only the handler knows whether the token is right, which no throttle refuses.
        Route::new("POST", "/api/setup", public(setup::post)).hashes(),
        Route::new("GET", "/api/finalize", public(finalize::get)).writes(),
        Route::new("GET", "/api/finalize/check", public(finalize::check)).reads(),
        Route::new("POST", "/api/reset", public(reset::post)).throttled(Mail).writes(),
        Route::new("GET", "/api/reset_finalize", public(reset_finalize::get)).reads(),
        Route::new("POST", "/api/reset_finalize", public(reset_finalize::post)).hashes(),
        Route::new("POST", "/api/logout", user(logout::post)).writes().without_factor(),
        Route::new("POST", "/api/logout/all", user(logout::post_all)).writes().recent().without_factor(),
        Route::new("GET", "/api/sessions", user(sessions::get)).reads(),
        Route::new("DELETE", "/api/sessions/{id}", user(sessions::delete)).writes(),
        Route::new("GET", "/api/app-passwords", user(app_passwords::get)).reads(),
        Route::new("POST", "/api/app-passwords", user(app_passwords::post)).throttled(NewAppPassword).writes().recent(),
        Route::new("DELETE", "/api/app-passwords/{id}", user(app_passwords::delete)).writes(),
        Route::new("GET", "/api/session", either(session_state::get)).reads().without_factor(),
        Route::new("GET", "/api/apps", user(apps::get)),
        Route::new("GET", "/api/me", user(me::get)).reads().without_factor(),
        Route::new("DELETE", "/api/me", user(me::delete)).throttled(Password),
        Route::new("PUT", "/api/password", user(password::put)).throttled(Password),
        Route::new("PUT", "/api/email", user(email::put)).throttled(Password),
        Route::new("GET", "/.well-known/jwks.json", public(jwks::get)),
        Route::new("POST", "/api/second-factor", user(second_factor::post)).throttled(Password).without_factor(),
        Route::new("PUT", "/api/second-factor", user(second_factor::put)).throttled(Password).without_factor(),
        Route::new("DELETE", "/api/second-factor", user(second_factor::delete)).throttled(Password),
        Route::new("POST", "/api/second-factor/recovery-codes", user(second_factor::post_codes)).throttled(Password),
        Route::new("GET", "/api/admin/users", admin(admin::users::list)).searches(),
        Route::new("POST", "/api/admin/users", admin(admin::users::post)).hashes().recent(),
        Route::new("GET", "/api/admin/users/{id}", admin(admin::users::get)).reads(),
        Route::new("DELETE", "/api/admin/users/{id}", admin(admin::account::delete)).writes().recent(),
        Route::new("PUT", "/api/admin/users/{id}/active", admin(admin::account::put_active)).writes().recent(),
        Route::new("PUT", "/api/admin/users/{id}/roles", admin(admin::account::put_roles)).writes().recent(),
        Route::new("PUT", "/api/admin/users/{id}/email", admin(admin::account::put_email)).writes().recent(),
        Route::new("DELETE", "/api/admin/users/{id}/second-factor", admin(admin::account::delete_factor)).writes().recent(),
        Route::new("POST", "/api/admin/users/{id}/unlock", admin(admin::account::post_unlock)).writes().recent(),
        Route::new("GET", "/api/admin/users/{id}/sessions", admin(admin::sessions::get)).reads(),
        Route::new("DELETE", "/api/admin/users/{id}/sessions", admin(admin::sessions::delete)).writes().recent(),
        Route::new("DELETE", "/api/admin/users/{id}/sessions/{session}", admin(admin::sessions::delete_one)).writes().recent(),
        Route::new("POST", "/api/admin/users/{id}/reset-link", admin(admin::reset_link::post)).writes().recent(),
        Route::new("POST", "/api/admin/users/{id}/reset-mail", admin(admin::reset_link::post_mail)).writes().recent(),
        Route::new("GET", "/api/admin/invitations", admin(admin::invitations::get)).reads(),
        Route::new("POST", "/api/admin/invitations", admin(admin::invitations::post)).writes().recent(),
        Route::new("DELETE", "/api/admin/invitations/{id}", admin(admin::invitations::delete)).writes().recent(),
        Route::new("GET", "/api/admin/mails", admin(admin::mails::get)).reads(),
        Route::new("POST", "/api/admin/mails/{id}/retry", admin(admin::mails::post_retry)).writes().recent(),
        Route::new("DELETE", "/api/admin/mails/{id}", admin(admin::mails::delete)).writes().recent(),
        Route::new("GET", "/api/admin/audit", admin(admin::audit::get)).searches(),
        Route::new("GET", "/api/admin/checklist", admin(admin::checklist::get)).reads(),
        Route::new("POST", "/api/admin/test-mail", admin(admin::test_mail::post)).writes().recent(),
        Route::new("GET", "/api/admin/test-mail/{id}", admin(admin::test_mail::get)).searches(),
        Route::new("GET", "/api/config", public(config::get)).reads(),
        Route::new("GET", "/api/openapi.json", public(openapi::get)),
        Route::new("GET", "/api/health", public(health::get)).writes(),
        Route::new("GET", "/api/ready", public(ready::get)),
        Route::new("GET", "/api", public(hello::redirect)),
    ]
}

fn public(handler: fn(&Call<'_>) -> Result<Response, Error>) -> Handler {
    Handler::public(handler)
}

fn either(handler: fn(&Call<'_>, Result<Identity, Error>) -> Result<Response, Error>) -> Handler {
    Handler::either(handler)
}

fn user(handler: fn(&Call<'_>, &Identity) -> Result<Response, Error>) -> Handler {
    Handler::user(handler)
}

fn admin(handler: fn(&Call<'_>, &Admin) -> Result<Response, Error>) -> Handler {
    Handler::admin(handler)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::{Blocking, Guarded};

    #[test]
    fn every_route_can_be_reached() {
        let routes = routes();
        for (place, route) in routes.iter().enumerate() {
            assert_eq!(route.fault(), None, "{route:?}");
            assert!(!routes[..place].iter().any(|earlier| earlier.hides(route)), "{route:?}");
        }
    }

    fn rows(which: fn(&Route) -> bool) -> Vec<(&'static str, &'static str)> {
        let found = routes().into_iter().filter(which);
        found.map(|route| (route.method, route.path)).collect()
    }

    #[test]
    fn endpoints_that_hash_do_not_wait_with_the_writes() {
        for route in routes().iter().filter(|route| route.blocking == Blocking::Write) {
            // The others go with a password, and so with a hash.
            let unhashed = matches!(route.throttle, Throttle::None | Mail | NewAppPassword);
            assert!(unhashed, "{}", route.path);
        }
        let writes = rows(|route| route.blocking == Blocking::Write);
        let count = |path: &str| writes.iter().filter(|(_, there)| *there == path).count();
        for path in ["/api/reset_finalize", "/api/login", "/api/me"] {
            assert_eq!(count(path), 0, "{path}");
        }
        for path in ["/api/refresh", "/api/logout", "/api/logout/all", "/api/sessions/{id}"] {
            assert_eq!(count(path), 1, "{path}");
        }
    }

    #[test]
    fn pages_of_other_origins_are_refused_wherever_something_changes() {
        for route in routes().iter().filter(|route| route.method != "GET") {
            assert!(route.changes_something(route.method), "{} {}", route.method, route.path);
        }
    }

    #[test]
    fn routes_that_ask_for_a_recent_login_or_no_second_factor() {
        let mut recent =
            rows(|route| matches!(route.handler.0, Guarded::Admin(_)) && route.method != "GET");
        recent.splice(0..0, [("POST", "/api/logout/all"), ("POST", "/api/app-passwords")]);
        // And DELETE /api/sessions/{id}, unless it is the session in use: the handler knows.
        assert_eq!(rows(|route| route.recent), recent);
        assert_eq!(
            rows(|route| route.without_factor),
            [
                ("POST", "/api/logout"),
                ("POST", "/api/logout/all"),
                ("GET", "/api/session"),
                ("GET", "/api/me"),
                ("POST", "/api/second-factor"),
                ("PUT", "/api/second-factor"),
            ]
        );
    }
}
