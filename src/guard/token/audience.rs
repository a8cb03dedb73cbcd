//! The audiences of tokens (RFC 7519 section 4.1.3): the names of the apps that share this server, and
//! which of them a token is for.

use lictor_engine::jwt::{self, MAX_AUDIENCE, MAX_AUDIENCES};
use serde::Serialize;

use crate::error::Problem;

/// Bytes of all names together. A token has them beside the roles, and must stay below the limit on a
/// token's length.
const MAX_TOGETHER: usize = 1024;

/// The names of the apps that tokens are for, such as `shop` or `https://shop.example.org`. With none,
/// tokens have no audience.
///
/// ```
/// use lictor::Audiences;
/// assert!(Audiences::parse(["shop", "https://wiki.example.org"]).is_ok());
/// assert!(Audiences::parse(["shop", "shop"]).is_err());
/// assert!(Audiences::parse([""]).is_err());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audiences(Vec<String>);

/// Some of the [`Audiences`] of a server: a bit for each, so that the claims of a token need no memory of
/// their own for it. Empty if the server has none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AudienceSet(u16);

/// The claim `aud` in the form in which it is written.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum Claim<'a> {
    One(&'a str),
    Several(Vec<&'a str>),
}

impl Audiences {
    /// Parses at most 16 different names of at most 255 bytes, 1,024 bytes together.
    pub fn parse<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Audiences, Problem> {
        let mut found = Audiences::default();
        for name in names {
            if !is_name(name) {
                return Err(Problem::usage(
                    format!("{name:?} is not valid as an audience"),
                    format!(
                        "write a name or URL of 1 to {MAX_AUDIENCE} letters, digits and signs of \
                         ASCII, without spaces and without , \" \\ > ? ~"
                    ),
                ));
            }
            if found.0.iter().any(|known| known == name) {
                let what = format!("the audience {name:?} is there twice");
                return Err(Problem::usage(what, "write each name once"));
            }
            found.0.push(name.to_owned());
        }
        let together: usize = found.0.iter().map(String::len).sum();
        if found.0.len() > MAX_AUDIENCES || together > MAX_TOGETHER {
            return Err(Problem::usage(
                format!("there are {} audiences of {together} bytes together", found.0.len()),
                format!(
                    "name at most {MAX_AUDIENCES}, of {MAX_TOGETHER} bytes together: each token has \
                     them all"
                ),
            ));
        }
        Ok(found)
    }

    /// Returns the names.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Returns all of them.
    pub(super) fn all(&self) -> AudienceSet {
        self.those(|_| true)
    }

    /// Returns those that the claim of a token names; `None` if it names no audience of this server. All
    /// without the claim: such a token is from before the setting, or of another program.
    pub(super) fn of_claim(&self, claim: Option<&jwt::Audience<'_>>) -> Option<AudienceSet> {
        let Some(audience) = claim else { return Some(self.all()) };
        let names = audience.names();
        let found = self.those(|known| names.iter().any(|name| name == known));
        (found != AudienceSet::default()).then_some(found)
    }

    /// Returns the one of this name; `None` if the server has none such.
    pub(super) fn one(&self, name: &str) -> Option<AudienceSet> {
        let found = self.those(|known| known == name);
        (found != AudienceSet::default()).then_some(found)
    }

    fn those(&self, is: impl Fn(&str) -> bool) -> AudienceSet {
        let bits = self.0.iter().enumerate().map(|(at, name)| u16::from(is(name)) << at);
        AudienceSet(bits.sum())
    }

    /// Returns the claim for these; `None` without any.
    pub(super) fn claim(&self, these: AudienceSet) -> Option<Claim<'_>> {
        let names = self.0.iter().enumerate().filter(|(at, _)| these.0 >> at & 1 == 1);
        let names: Vec<&str> = names.map(|(_, name)| name.as_str()).collect();
        match names[..] {
            [] => None,
            [one] => Some(Claim::One(one)),
            _ => Some(Claim::Several(names)),
        }
    }
}

/// Whether a text can be an audience. No comma, which separates them in the environment; nothing that JSON
/// escapes; no `>`, `?` or `~`, so that the payload can be read with `atob`, as the tutorial's client does.
fn is_name(text: &str) -> bool {
    let fine = |b: u8| b.is_ascii_graphic() && !b",\"\\>?~".contains(&b);
    (1..=MAX_AUDIENCE).contains(&text.len()) && text.bytes().all(fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "a".repeat(255);
        let longer = "a".repeat(256);
        for (name, good) in [
            ("shop", true),
            ("a", true),
            ("https://shop.example.org:8443/x#y", true),
            ("urn:example:shop", true),
            (&long, true),
            (&longer, false),
            ("", false),
            (" ", false),
            ("a shop", false),
            ("a,b", false),
            ("a\"b", false),
            ("a\\b", false),
            ("a\n", false),
            ("a\0", false),
            ("a\u{7f}", false),
            ("http://host/?x", false),
            ("http://host/~ada", false),
            ("a>b", false),
            ("caf\u{e9}", false),
        ] {
            assert_eq!(Audiences::parse([name]).is_ok(), good, "{name:?}");
        }
    }

    #[test]
    fn at_most_sixteen_of_a_kilobyte_together() {
        let many = |count: usize, length: usize| {
            let names: Vec<String> = (0..count).map(|n| format!("{n:0length$}")).collect();
            Audiences::parse(names.iter().map(String::as_str))
        };
        for (count, length, good) in
            [(16, 64, true), (16, 65, false), (17, 2, false), (4, 255, true), (5, 255, false)]
        {
            assert_eq!(many(count, length).is_ok(), good, "{count} {length}");
        }
        let all = many(16, 3).unwrap();
        assert_eq!(all.all(), AudienceSet(u16::MAX));
        assert_eq!(all.one("015"), Some(AudienceSet(1 << 15)));
        assert_eq!(all.one("016"), None);
        assert_eq!(Audiences::default().all(), AudienceSet::default());
        assert!(Audiences::parse(["a", "b", "a"]).is_err());
    }
}
