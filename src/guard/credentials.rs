//! What a request shows to say who sends it, and the order in which that is looked for. Checks no
//! token and reads no database.

use std::fmt;

use lictor_engine::jwt::is_b64token;

use super::app_password::ShownAppPassword;
use super::cookie::ShownCookie;
use crate::error::Error;
use crate::http::Request;

/// What a request shows. The header `Authorization` decides alone if there is one: a browser cannot
/// be made to send it.
#[derive(PartialEq, Eq)]
pub(crate) enum Credential<'r> {
    /// A token, not yet checked.
    Token(&'r [u8]),
    /// An app password, not yet looked up, in a request that changes nothing.
    AppPassword(ShownAppPassword),
    /// The cookie of the browser session with this `jti`; its MAC is right.
    Cookie(&'r str),
}

/// Shows of which kind it is, and no secret.
impl fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Credential::Token(_) => "Token(hidden)",
            Credential::AppPassword(_) => "AppPassword(hidden)",
            Credential::Cookie(_) => "Cookie(hidden)",
        })
    }
}

impl<'r> Credential<'r> {
    /// Returns what a request shows: in the header, a token or an app password; or else, if the request
    /// changes nothing, the session's cookie (`cookie` reads it), or else a token in the cookie
    /// `access_token`. A browser may send cookies along with what another site's page makes it ask
    /// for, so they never count for a change. An app password never does either.
    pub(crate) fn of(
        request: &Request<'r>,
        cookie: impl FnOnce() -> ShownCookie<'r>,
    ) -> Result<Credential<'r>, Error> {
        let is_read = matches!(request.method, "GET" | "HEAD");
        let app_password = match bearer(request) {
            Ok(Some(token)) => match ShownAppPassword::of_bearer(token) {
                None => return Ok(Credential::Token(token)),
                shown => shown,
            },
            Ok(None) => None,
            Err(error) => Some(ShownAppPassword::of_basic(request).ok_or(error)?),
        };
        match app_password {
            Some(shown) if is_read => return Ok(Credential::AppPassword(shown)),
            Some(_) => return Err(Error::AppPasswordNotAllowed),
            None if !is_read => return Err(Error::MissingBearer),
            None => {}
        }
        let token = || request.cookie("access_token").map(Credential::Token);
        match cookie() {
            // Whether or not its session has ended: another cookie must not take its place.
            ShownCookie::Of(jti) => Ok(Credential::Cookie(jti)),
            ShownCookie::Several => Err(Error::SeveralSessions),
            ShownCookie::Forged => token().ok_or(Error::SessionEnded),
            ShownCookie::Missing => token().ok_or(Error::MissingToken),
        }
    }
}

/// Returns the token of the `Authorization` header, which must be `Bearer <token>` (RFC 6750
/// section 2.1); `None` if there is no such header.
pub fn bearer<'a>(request: &Request<'a>) -> Result<Option<&'a [u8]>, Error> {
    let header = match request.single_header("authorization") {
        Ok(Some(header)) => header,
        Ok(None) => return Ok(None),
        Err(_) => return Err(Error::InvalidTokenHeader),
    };
    match header.split_at_checked(7) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"Bearer ") => {
            let token = token.trim_ascii();
            if is_b64token(token) { Ok(Some(token)) } else { Err(Error::InvalidTokenHeader) }
        }
        _ => Err(Error::InvalidTokenHeader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Header;

    #[test]
    fn the_order_of_what_a_request_shows() {
        use ShownCookie::{Forged, Missing, Of, Several};
        let check = |method: &str, lines: &[(&str, &str)], shown, expected: Result<_, Error>| {
            let header = |&(name, value): &(&'static str, &'static str)| Header {
                name,
                value: value.as_bytes(),
            };
            let leaked: Vec<(&'static str, &'static str)> = lines
                .iter()
                .map(|(name, value)| (&*name.to_string().leak(), &*value.to_string().leak()))
                .collect();
            let headers: Vec<_> = leaked.iter().map(header).collect();
            let found = Credential::of(&Request::new(method, "/", &headers), || shown);
            let names = |result: Result<_, Error>| result.map_err(|error| error.kind().name);
            assert_eq!(names(found), names(expected), "{method} {lines:?} {shown:?}");
        };
        let (bearer, old) = (("Authorization", "Bearer t"), ("Cookie", "access_token=c"));
        let token = |text: &'static str| Ok(Credential::Token(text.as_bytes()));
        for method in ["GET", "HEAD"] {
            check(method, &[bearer, old], Of("s"), token("t"));
            check(
                method,
                &[("Authorization", "Other t"), old],
                Of("s"),
                Err(Error::InvalidTokenHeader),
            );
            check(method, &[old], Of("s"), Ok(Credential::Cookie("s")));
            check(method, &[old], Several, Err(Error::SeveralSessions));
            check(method, &[old], Forged, token("c"));
            check(method, &[old], Missing, token("c"));
            check(method, &[], Forged, Err(Error::SessionEnded));
            check(method, &[], Missing, Err(Error::MissingToken));
        }
        // lap_ and Ada:lap_
        for app_password in ["Bearer lap_", "Basic QWRhOmxhcF8="] {
            let lines = [("Authorization", app_password), old];
            let shown = match app_password.starts_with("Bearer") {
                true => ShownAppPassword::of_bearer(b"lap_"),
                false => {
                    let headers = [Header { name: "Authorization", value: b"Basic QWRhOmxhcF8=" }];
                    ShownAppPassword::of_basic(&Request::new("GET", "/", &headers))
                }
            };
            check("GET", &lines, Of("s"), Ok(Credential::AppPassword(shown.unwrap())));
            check("POST", &lines, Of("s"), Err(Error::AppPasswordNotAllowed));
            check("GET", &[lines[0], lines[0]], Of("s"), Err(Error::InvalidTokenHeader));
        }
        for method in ["POST", "PUT", "DELETE", "PATCH", "get"] {
            check(method, &[bearer, old], Of("s"), token("t"));
            check(method, &[old], Of("s"), Err(Error::MissingBearer));
        }
    }

    #[test]
    fn no_secret_is_shown() {
        let app_password = ShownAppPassword::of_bearer(b"lap_secret").unwrap();
        for (shown, expected) in [
            (Credential::Token(b"secret"), "Token(hidden)"),
            (Credential::AppPassword(app_password), "AppPassword(hidden)"),
            (Credential::Cookie("secret"), "Cookie(hidden)"),
        ] {
            assert_eq!(format!("{shown:?}"), expected);
        }
    }

    #[test]
    fn authorization_headers_are_read_or_refused() {
        let check = |lines: &[&str], expected: Result<Option<&str>, ()>| {
            let header =
                |line: &&'static str| Header { name: "Authorization", value: line.as_bytes() };
            let lines: Vec<&'static str> = lines.iter().map(|l| &*l.to_string().leak()).collect();
            let headers: Vec<_> = lines.iter().map(header).collect();
            let found = bearer(&Request::new("GET", "/", &headers)).map_err(drop);
            assert_eq!(found, expected.map(|token| token.map(str::as_bytes)), "{lines:?}");
        };
        check(&[], Ok(None));
        check(&["Bearer a.b-c_d"], Ok(Some("a.b-c_d")));
        check(&["bearer a"], Ok(Some("a")));
        check(&["Bearer  a"], Ok(Some("a")));
        for bad in [
            "Bearer",
            "Bearer ",
            "Bearera",
            "Basic YTpi",
            "Bearer a b",
            "Bearer é",
            "Bearer !?",
            "",
        ] {
            check(&[bad], Err(()));
        }
        check(&["Bearer a", "Bearer a"], Err(()));
    }
}
