//! Names and roles: values that can only be good ones.

use std::fmt;

use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::{UsernameCaseMapped, UsernameCasePreserved};

use crate::error::Error;

/// Characters of a username.
const MAX_NAME: usize = 64;
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

    /// Parses the name of a new account. What has an `@` anywhere but at its start is refused: it
    /// would stand in `X-Auth-User` as if it were a confirmed address, and many programs read one in
    /// thin disguise (`<ada@example.org>`, `ada@example.org.`) as well. Older accounts with such a
    /// name keep it.
    ///
    /// ```
    /// use lictor::Username;
    /// assert!(Username::parse("ada@example.org").is_ok());
    /// assert!(Username::choose("ada@example.org").is_err());
    /// assert!(Username::choose("@ada").is_ok());
    /// ```
    pub fn choose(text: &str) -> Result<Username, Error> {
        let name = Username::parse(text)?;
        if [&name.shown, &name.key].iter().any(|name| name.chars().skip(1).any(|c| c == '@')) {
            let why = "The username is an e-mail address; choose a name without the @";
            return Err(Error::InvalidUsername(why.into()));
        }
        Ok(name)
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

    /// More than the letters of one script.
    const MANY: usize = 40_000;

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
    fn a_new_name_is_no_address() {
        for (text, fine) in [
            ("ada", true),
            ("@ada", true),
            ("ada.example.org", true),
            ("ada@", false),
            ("a@b@c", false),
            ("@ada@example.org", false),
            ("ada@example.org", false),
            ("<ada@example.org>", false),
            ("ada@example.org.", false),
            ("ada@example.org>", false),
            ("ada@example.org,", false),
            ("ada@example.org;q", false),
            ("ada(x)@example.org", false),
            ("mailto:ada@example.org", false),
            ("\"ada\"@example.org", false),
            ("ada@[127.0.0.1]", false),
            ("ada@localhost", false),
            ("\u{ff41}da\u{ff20}example.org", false),
            ("ада@пример.example", false),
        ] {
            assert!(Username::parse(text).is_ok(), "{text}");
            assert_eq!(Username::choose(text).is_ok(), fine, "{text}");
        }
    }

    #[test]
    fn no_letter_outside_ascii_becomes_the_key_of_an_ascii_name() {
        let mut names = 0;
        // Beyond there is nothing with a case or a composition.
        for c in '\u{80}'..='\u{1ffff}' {
            let Ok(name) = Username::parse(&format!("mi{c}e")) else { continue };
            names += 1;
            // Letters of another width are shown as the usual ones, too (RFC 8265 section 3.3.2).
            assert!(!name.key().is_ascii() || name.as_str().is_ascii(), "U+{:04X}", u32::from(c));
        }
        assert!(names > MANY, "{names}");
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
