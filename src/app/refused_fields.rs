//! Header fields that a request must not have when a proxy asks about it: those that say who the user
//! is, those by which an app would open another path, names that apps read as other names, and what would
//! change the protocol behind the proxy.

use lictor_engine::http::names;

use crate::error::Error;

/// The fields with the user's identity: ours, and those that apps for other login servers read.
pub(crate) const IDENTITY: [&str; 8] = [
    "X-Auth-User",
    "X-Auth-Id",
    "X-Auth-Roles",
    "Remote-User",
    "Remote-Name",
    "Remote-Email",
    "Remote-Groups",
    "X-Remote-User",
];

/// Fields from which apps take another path than that of the request: the first two are a prefix that the
/// app cuts off; with the others it names a file that the proxy sends. No proxy adds them to its question by
/// itself. Other fields do the same, but proxies add them (`X-Original-URI`, `X-Forwarded-Prefix`).
const PATHS: [&str; 4] = ["X-Script-Name", "X-Ingress-Path", "X-Sendfile-Type", "X-Accel-Mapping"];

/// Checks the fields of one request, which are given in any order.
#[derive(Debug, Default)]
pub(super) struct RefusedFields {
    upgrades: bool,
}

impl RefusedFields {
    /// Returns an error if the request must not have this field.
    ///
    /// A proxy overwrites the identity fields or takes them away before it asks; one that does neither
    /// must not carry them to the app. Many apps read `Remote_User` and `Remote.User` as the same field
    /// (CGI, WSGI and PHP make one variable of them), which hardly any proxy does. That also concerns
    /// fields to which only the proxy gives a meaning, so no name is taken with such a character.
    ///
    /// If an app accepts an upgrade to HTTP/2 without TLS (h2c), the proxy hands the connection over, and
    /// nobody asks about the requests that follow. A WebSocket has no requests.
    pub(super) fn check(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        if !names::is_plain(name) {
            return Err(denied("A header field's name may have letters, digits and - only"));
        }
        let is = |other: &str| names::same(name, other);
        // The first letter rules out nearly all fields of a request.
        match name.as_bytes().first() {
            Some(b'X' | b'x' | b'R' | b'r') if names::position(&IDENTITY, name).is_some() => {
                Err(Error::AccessDenied(format!(
                    "{} come from this server only; the request must not bring any",
                    IDENTITY.join(", ")
                )))
            }
            Some(b'X' | b'x') if names::position(&PATHS, name).is_some() => {
                Err(Error::AccessDenied(format!(
                    "{} come from the proxy only, after it has asked; the request must not bring any",
                    PATHS.join(", ")
                )))
            }
            Some(b'U' | b'u') if is("Upgrade") => {
                let again = std::mem::replace(&mut self.upgrades, true);
                match !again && value.trim_ascii().eq_ignore_ascii_case(b"websocket") {
                    true => Ok(()),
                    false => Err(denied("Upgrade may be websocket only, and come once")),
                }
            }
            Some(b'H' | b'h') if is("HTTP2-Settings") => {
                Err(denied("The request must not ask for HTTP/2 by HTTP2-Settings"))
            }
            _ => Ok(()),
        }
    }
}

fn denied(why: &str) -> Error {
    Error::AccessDenied(why.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(fields: &[(&str, &str)]) -> bool {
        let mut refused = RefusedFields::default();
        fields.iter().any(|(name, value)| refused.check(name, value.as_bytes()).is_err())
    }

    #[test]
    fn requests_that_bring_an_identity() {
        let check = |name: &str, expected: bool| {
            let found = is_refused(&[("Authorization", "Bearer x"), (name, "root")]);
            assert_eq!(found, expected, "{name:?}");
        };
        for name in IDENTITY {
            check(name, true);
            check(&name.to_ascii_uppercase(), true);
            check(&name.to_ascii_lowercase(), true);
            check(&name.replace('-', "_"), true);
        }
        for name in ["X.Auth.Id", "X~Auth!Roles", "X-Auth_User", "X_WebAuth-User", "a b", "é", "_"]
        {
            check(name, true);
        }
        // Each character of a name (RFC 9110 section 5.6.2) that is no letter, digit or `-`.
        for odd in "!#$%&'*+.^_`|~".chars() {
            check(&format!("X{odd}Y"), true);
        }
        for name in [
            "X-Auth-Token",
            "X-Auth-Users",
            "XAuth-User",
            "X-Auth--Id",
            "Auth-User",
            "X",
            "Remote-Users",
            "X-WebAuth-User",
            "0-aZ9",
            "Host",
        ] {
            check(name, false);
        }
    }

    #[test]
    fn requests_that_bring_another_path() {
        for name in PATHS {
            for name in [name.to_owned(), name.to_ascii_uppercase(), name.to_ascii_lowercase()] {
                assert!(is_refused(&[("Host", "a"), (&name, "/public")]), "{name}");
            }
        }
        // Proxies send these by themselves, or apps' own pages do.
        for name in [
            "X-Original-URI",
            "X-Original-Host",
            "X-Forwarded-Prefix",
            "X-Forwarded-Path",
            "X-Envoy-Original-Path",
            "X-Scheme",
            "X-HTTP-Method-Override",
            "X-Script",
        ] {
            assert!(!is_refused(&[(name, "/public")]), "{name}");
        }
    }

    #[test]
    fn upgrades_to_anything_but_one_websocket() {
        for value in ["websocket", "WebSocket", " websocket "] {
            assert!(!is_refused(&[("Upgrade", value), ("Host", "a")]), "{value:?}");
        }
        for value in
            ["", "h2c", "H2C", "websocket, h2c", "h2c,websocket", "websocket/13", "TLS/1.0"]
        {
            assert!(is_refused(&[("upgrade", value)]), "{value:?}");
        }
        for second in ["websocket", "h2c"] {
            assert!(is_refused(&[("Upgrade", "websocket"), ("UPGRADE", second)]), "{second}");
        }
        assert!(is_refused(&[("http2-settings", "AAMAAABkAAQAAP__")]));
        assert!(is_refused(&[("HTTP2-Settings", ""), ("Upgrade", "websocket")]));
        assert!(!is_refused(&[("Upgrade-Insecure-Requests", "1"), ("Connection", "upgrade")]));
    }
}
