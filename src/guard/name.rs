//! Names, e-mail addresses and roles: values that can only be good ones.

use std::fmt;

use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};

use crate::error::Error;

/// Characters of a username.
const MAX_NAME: usize = 64;
/// Bytes of an e-mail address (RFC 5321 section 4.5.3.1.3, without the brackets).
const MAX_EMAIL: usize = 254;
/// Bytes of an address before the `@`.
const MAX_LOCAL_PART: usize = 64;
/// Bytes of one role.
const MAX_ROLE: usize = 64;

/// A username, prepared as RFC 8265 says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username {
    shown: String,
    key: String,
}

impl Username {
    /// ```
    /// use lictor::Username;
    /// let name = Username::parse("Ada")?;
    /// assert_eq!(name.as_str(), "Ada");
    /// assert_eq!(name.key(), Username::parse("ADA")?.key());
    /// assert!(Username::parse("a b").is_err());
    /// # Ok::<(), lictor::Error>(())
    /// ```
    pub fn parse(text: &str) -> Result<Username, Error> {
        let wrong = |why: &str| Error::InvalidUsername(why.into());
        if text.is_empty() {
            return Err(wrong("The username is empty"));
        }
        // Bytes first: the preparation below is not for megabytes.
        let too_long = "The username is longer than 64 characters";
        if text.len() > 4 * MAX_NAME {
            return Err(wrong(too_long));
        }
        let refused = "The username may hold letters, digits and punctuation, but no spaces";
        let shown = UsernameCasePreserved::enforce(text).map_err(|_| wrong(refused))?;
        let key = UsernameCaseMapped::enforce(text).map_err(|_| wrong(refused))?;
        // What is shown must be a name itself. A few strings become one with a character in it
        // that no name may have.
        if !UsernameCasePreserved::enforce(&*shown).is_ok_and(|again| again == shown) {
            return Err(wrong(refused));
        }
        if shown.chars().count() > MAX_NAME || key.chars().count() > MAX_NAME {
            return Err(wrong(too_long));
        }
        Ok(Username { shown: shown.into_owned(), key: key.into_owned() })
    }

    /// As the person wrote it.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What makes two names the same.
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

/// An e-mail address: one `@` with something plausible on both sides. Whether mail arrives there
/// is for mail to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    shown: String,
    key: String,
}

impl Email {
    /// Checks the form of an address.
    pub fn parse(text: &str) -> Result<Email, Error> {
        let wrong = || Error::BadRequest("email: this is not an e-mail address".into());
        if text.len() > MAX_EMAIL {
            return Err(Error::BadRequest(format!("email: longer than {MAX_EMAIL} bytes")));
        }
        let (local, domain) = text.rsplit_once('@').ok_or_else(wrong)?;
        let dotted = |part: &str, fine: fn(char) -> bool| {
            part.split('.').all(|label| !label.is_empty() && label.chars().all(fine))
        };
        // RFC 5321 "dot-string" with the letters of RFC 6531; no quoted strings, no IP literals.
        let in_local = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        let in_domain = |c: char| c.is_alphanumeric() || c == '-';
        let good = local.len() <= MAX_LOCAL_PART
            && dotted(local, in_local)
            && dotted(domain, in_domain)
            && !domain.split('.').any(|label| label.starts_with('-') || label.ends_with('-'));
        if !good {
            return Err(wrong());
        }
        Ok(Email { shown: text.into(), key: text.to_lowercase() })
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What makes two addresses the same.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// A part of a name or an address that somebody looks for. It need not be one by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    name: String,
    address: String,
}

impl Fragment {
    /// Prepares it as names and addresses are prepared for comparison.
    pub fn parse(text: &str) -> Result<Fragment, Error> {
        if text.len() > MAX_EMAIL {
            return Err(Error::BadRequest(format!("search: longer than {MAX_EMAIL} bytes")));
        }
        let address = text.to_lowercase();
        // The profile refuses some parts of names that it takes: its rules look at neighbours.
        let name = UsernameCaseMapped::enforce(text);
        let name = name.map_or_else(|_| address.clone(), |name| name.into_owned());
        Ok(Fragment { name, address })
    }

    /// What is looked for in [`Username::key`].
    pub fn in_name(&self) -> &str {
        &self.name
    }

    /// What is looked for in [`Email::key`].
    pub fn in_address(&self) -> &str {
        &self.address
    }
}

/// One role: ASCII letters, digits, `_`, `.`, `:`, `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role(String);

impl Role {
    /// ```
    /// use lictor::Role;
    /// assert!(Role::parse("team:editor").is_ok());
    /// assert!(Role::parse("a,b").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Role, Error> {
        check_role(text)?;
        Ok(Role(text.into()))
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user's roles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(String);

impl Roles {
    /// How many one user can have.
    pub const MAX: usize = 16;

    /// The role that everybody has whom the tutorial's app registers.
    pub(crate) fn user() -> Roles {
        Roles("user".into())
    }

    /// Reads roles joined by commas; a role may hold ASCII letters, digits, `_`, `.`, `:`, `-`.
    pub fn parse(text: &str) -> Result<Roles, Error> {
        if text.is_empty() {
            return Ok(Roles::default());
        }
        Roles::of(text.split(',').map(str::trim))
    }

    /// Takes them one by one.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a str>) -> Result<Roles, Error> {
        let mut roles: Vec<&str> = Vec::new();
        for role in all {
            check_role(role)?;
            if !roles.contains(&role) {
                roles.push(role);
            }
            // At once: comparing each of thousands with all others would take long.
            if roles.len() > Roles::MAX {
                return Err(Error::BadRequest(format!("roles: more than {} roles", Roles::MAX)));
            }
        }
        Ok(Roles(roles.join(",")))
    }

    /// Joined by commas, as in the `rls` claim.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this one is among them.
    pub fn contains(&self, role: &Role) -> bool {
        self.iter().any(|one| one == role.0)
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').filter(|role| !role.is_empty())
    }
}

fn check_role(text: &str) -> Result<(), Error> {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
    if text.is_empty() || text.len() > MAX_ROLE || !text.bytes().all(fine) {
        return Err(Error::BadRequest(format!(
            "roles: a role has 1 to {MAX_ROLE} letters, digits, or _ . : -"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        for (text, expected) in [
            ("ada", Some(("ada", "ada"))),
            ("Ada", Some(("Ada", "ada"))),
            ("ada@example.org", Some(("ada@example.org", "ada@example.org"))),
            ("Jürgen", Some(("Jürgen", "jürgen"))),
            // Decomposed and full-width forms are the composed and usual ones.
            ("Ju\u{308}rgen", Some(("Jürgen", "jürgen"))),
            ("\u{ff21}da", Some(("Ada", "ada"))),
            ("", None),
            (" ", None),
            ("a b", None),
            ("a\u{a0}b", None),
            ("a\0", None),
            ("a\nb", None),
            ("\u{202e}abc", None),
            ("a\u{200b}b", None),
            ("\u{1f600}", None),
            // Composed after its width was mapped, this is a symbol.
            ("\u{ff1c}\u{338}", None),
            (&"x".repeat(64), Some((&"x".repeat(64), &"x".repeat(64)))),
            (&"x".repeat(65), None),
            (&"x".repeat(1_000_000), None),
        ] {
            let name = Username::parse(text).ok();
            let parts = name.as_ref().map(|name| (name.as_str(), name.key()));
            assert_eq!(parts, expected, "{text:?}");
        }
    }

    #[test]
    fn addresses() {
        for good in ["a@b", "Ada.Love+x@Mail.Example", "ü@bücher.example", "o'neil@a-b.c"] {
            assert_eq!(
                Email::parse(good).map(|e| e.key().to_owned()).ok(),
                Some(good.to_lowercase())
            );
        }
        let long = format!("{}@b", "a".repeat(65));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "ab",
            "a@b@c",
            "a b@c",
            "a@b c",
            ".a@b",
            "a.@b",
            "a..b@c",
            "a@.b",
            "a@b.",
            "a@-b",
            "a@b-",
            "a\r\nb@c",
            "a@b\0",
            "\"a\"@b",
            "a@[1.2.3.4]",
            "<a@b>",
            &long,
        ] {
            assert!(Email::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn parts_of_names() {
        for (text, name, address) in [
            ("", "", ""),
            ("AdA", "ada", "ada"),
            ("Ju\u{308}r", "jür", "ju\u{308}r"),
            ("\u{ff21}d", "ad", "\u{ff41}d"),
            // None of these is a name.
            ("A b", "a b", "a b"),
            ("100%_", "100%_", "100%_"),
            ("\u{b7}L", "\u{b7}l", "\u{b7}l"),
        ] {
            let fragment = Fragment::parse(text).unwrap();
            assert_eq!((fragment.in_name(), fragment.in_address()), (name, address), "{text:?}");
        }
        assert!(Fragment::parse(&"x".repeat(254)).is_ok());
        assert!(Fragment::parse(&"x".repeat(255)).is_err());
    }

    #[test]
    fn roles() {
        let check = |text: &str| Roles::parse(text).ok().map(|roles| roles.as_str().to_owned());
        assert_eq!(check(""), Some(String::new()));
        assert_eq!(check("admin"), Some("admin".into()));
        assert_eq!(check("admin, editor,admin"), Some("admin,editor".into()));
        for bad in [",", "a,", "a b", "a>b", "a?", "~", "é", &"x".repeat(65)] {
            assert_eq!(check(bad), None, "{bad:?}");
        }
        let many = |n: usize| (0..n).map(|i| format!("r{i}")).collect::<Vec<_>>().join(",");
        assert!(check(&many(16)).is_some());
        assert_eq!(check(&many(17)), None);
        let roles = Roles::parse("admin,editor").unwrap();
        for (role, expected) in [("admin", true), ("Admin", false), ("adm", false), ("a", false)] {
            assert_eq!(roles.contains(&Role::parse(role).unwrap()), expected, "{role}");
        }
        assert!(Role::parse("admin,editor").is_err() && Role::parse("").is_err());
    }
}
