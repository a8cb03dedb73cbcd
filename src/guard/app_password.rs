//! App passwords as requests show them: as a bearer token, or with HTTP Basic (RFC 7617). Reads no
//! database.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use crate::http::Request;
use crate::store::AppPasswordStanding;
use crate::values::{AppPassword, CodeHash, Email, Username};

/// Maximum length of name and password together in HTTP Basic, in base64.
const MAX_BASIC: usize = 1_024;

/// An app password that a request shows.
#[derive(PartialEq, Eq)]
pub(crate) struct ShownAppPassword {
    /// `None` if the text cannot be one.
    hash: Option<CodeHash>,
    /// The name that came with it, in HTTP Basic.
    login: Option<String>,
}

impl ShownAppPassword {
    /// Reads a bearer token; `None` if it is not meant to be an app password.
    pub(crate) fn of_bearer(token: &[u8]) -> Option<ShownAppPassword> {
        ShownAppPassword::of(token, None)
    }

    /// Reads the header `Authorization` if it is HTTP Basic; `None` if its password is not meant to
    /// be an app password, or there is no such header or more than one.
    pub(crate) fn of_basic(request: &Request<'_>) -> Option<ShownAppPassword> {
        let header = request.single_header("authorization").ok()??;
        let (scheme, encoded) = header.split_at_checked(6)?;
        let encoded = encoded.trim_ascii();
        if !scheme.eq_ignore_ascii_case(b"Basic ") || encoded.len() > MAX_BASIC {
            return None;
        }
        let decoded = Zeroizing::new(BASE64_STANDARD.decode(encoded).ok()?);
        // An app password has no colon, but a name may have one.
        let colon = decoded.iter().rposition(|byte| *byte == b':')?;
        // A name that is not UTF-8 is nobody's, and neither is one with the replacement character.
        let login = String::from_utf8_lossy(&decoded[..colon]).into_owned();
        ShownAppPassword::of(&decoded[colon + 1..], Some(login))
    }

    fn of(text: &[u8], login: Option<String>) -> Option<ShownAppPassword> {
        let hash = AppPassword::read(text).map(|password| password.hash());
        AppPassword::is_meant(text).then_some(ShownAppPassword { hash, login })
    }

    /// Returns the hash by which the store finds it; `None` if the store need not be asked.
    pub(crate) fn hash(&self) -> Option<&CodeHash> {
        self.hash.as_ref()
    }

    /// Whether the name that came with it, if one did, is that of its user: the name or the e-mail
    /// address, in any spelling.
    pub(crate) fn names(&self, found: &AppPasswordStanding) -> bool {
        let Some(login) = &self.login else { return true };
        let (name, email) = &found.keys;
        Username::parse(login).is_ok_and(|login| login.key() == name)
            || Email::parse(login).is_ok_and(|login| Some(login.key()) == email.as_deref())
    }
}

/// People type their password where the name belongs.
impl fmt::Debug for ShownAppPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShownAppPassword(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::http::Header;
    use crate::store::{AppPasswordInfo, Person};
    use crate::values::{Hosts, Roles};

    const GOOD: &str = "lap_0123456789abcdefghjkmnpq";

    /// What a request with these lines of `Authorization` shows: the name, and whether the password
    /// can be one.
    fn shown(lines: &[&[u8]]) -> Option<(Option<String>, bool)> {
        let headers: Vec<_> =
            lines.iter().map(|value| Header { name: "Authorization", value }).collect();
        let shown = ShownAppPassword::of_basic(&Request::new("GET", "/", &headers))?;
        Some((shown.login, shown.hash.is_some()))
    }

    fn basic(text: &[u8]) -> Vec<u8> {
        format!("Basic {}", BASE64_STANDARD.encode(text)).into_bytes()
    }

    #[test]
    fn basic_is_read_or_is_none() {
        let check = |text: &[u8], expected: Option<(&str, bool)>| {
            let expected = expected.map(|(name, can_be)| (Some(name.to_owned()), can_be));
            assert_eq!(shown(&[&basic(text)]), expected, "{}", String::from_utf8_lossy(text));
        };
        let with = |name: &str| format!("{name}:{GOOD}").into_bytes();
        check(&with("ada"), Some(("ada", true)));
        check(&with("j\u{fc}rgen"), Some(("j\u{fc}rgen", true)));
        check(&with(""), Some(("", true)));
        check(&with("a:b"), Some(("a:b", true)));
        check(&with("a\0\r\nb"), Some(("a\0\r\nb", true)));
        check(&[b"\xff:", GOOD.as_bytes()].concat(), Some(("\u{fffd}", true)));
        check(format!("ada:{GOOD}x").as_bytes(), Some(("ada", false)));
        check(format!("ada:{GOOD}\n").as_bytes(), Some(("ada", false)));
        check(b"ada:lap_", Some(("ada", false)));
        check(b"ada:lap_\xff", Some(("ada", false)));
        for none in ["", ":", "ada:", "ada", GOOD, "ada:secret", "ada: lap_x", "lap_x:secret"] {
            check(none.as_bytes(), None);
        }
        check(&with(&"x".repeat(1_024)), None);
    }

    #[test]
    fn headers_that_are_not_basic() {
        let good = basic(format!("ada:{GOOD}").as_bytes());
        let encoded = &good[6..];
        assert_eq!(shown(&[&[b"bAsIc  ", encoded].concat()]), Some((Some("ada".into()), true)));
        assert_eq!(shown(&[]), None);
        assert_eq!(shown(&[&good, &good]), None);
        for bad in [
            &b""[..],
            b"Basic",
            b"Basic ",
            b"Basic \xff",
            &[b"Basic\t", encoded].concat(),
            &[b"Bearer ", encoded].concat(),
            &[&good[..], b"="].concat(),
            &[&good[..], b" x"].concat(),
            &[b"Basic -", &encoded[1..]].concat(),
            &good[..good.len() - 1],
        ] {
            assert_eq!(shown(&[bad]), None, "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn bearer_tokens_are_app_passwords_by_their_beginning() {
        let check = |token: &str, expected: Option<bool>| {
            let shown = ShownAppPassword::of_bearer(token.as_bytes());
            assert_eq!(shown.map(|shown| shown.hash.is_some()), expected, "{token}");
        };
        check(GOOD, Some(true));
        check("lap_", Some(false));
        check("lap_.a.b", Some(false));
        check("eyJhbGciOiJIUzI1NiJ9.e30.x", None);
        check("", None);
    }

    #[test]
    fn the_name_is_that_of_the_user_in_any_spelling() {
        let found = AppPasswordStanding {
            person: Person {
                id: 1,
                name: "J\u{fc}rgen".into(),
                roles: Roles::default(),
                active: true,
            },
            email: Some("Ada@B\u{fc}cher.example".into()),
            keys: ("j\u{fc}rgen".into(), Some("ada@xn--bcher-kva.example".into())),
            second_factor: false,
            info: AppPasswordInfo {
                id: "x".into(),
                name: "x".into(),
                hosts: Hosts::default(),
                api: false,
                created: Timestamp(0),
                expires: None,
                used: None,
                used_ip: None,
            },
        };
        let check = |login: Option<&str>, found: &AppPasswordStanding, expected| {
            let shown = ShownAppPassword { hash: None, login: login.map(str::to_owned) };
            assert_eq!(shown.names(found), expected, "{login:?}");
        };
        check(None, &found, true);
        for login in ["j\u{fc}rgen", "JU\u{308}RGEN", "ADA@b\u{fc}cher.example"] {
            check(Some(login), &found, true);
        }
        let others = ["", " ", "jurgen", "j\u{fc}rgen ", "j\u{fc}rgen\0", "ada", "@", "\u{fffd}"];
        for login in others {
            check(Some(login), &found, false);
        }
        let without = AppPasswordStanding { keys: ("ada".into(), None), ..found };
        check(Some(""), &without, false);
        check(Some("ada@xn--bcher-kva.example"), &without, false);
    }

    #[test]
    fn debug_output_shows_no_password() {
        let basic = [Header { name: "Authorization", value: &basic(b"secret:lap_0123") }];
        for shown in [
            ShownAppPassword::of_bearer(GOOD.as_bytes()),
            ShownAppPassword::of_basic(&Request::new("GET", "/", &basic)),
        ] {
            assert_eq!(format!("{shown:?}"), "Some(ShownAppPassword(hidden))");
        }
    }
}
