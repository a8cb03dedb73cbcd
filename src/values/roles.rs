//! Roles, and the list of roles that one user has.

use crate::error::Error;

/// Maximum length of a role, in bytes.
const MAX_ROLE: usize = 64;

/// One role: 1 to 64 ASCII letters, digits, `_`, `.`, `:` or `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role(String);

impl Role {
    /// Parses one role.
    ///
    /// ```
    /// use lictor::Role;
    /// assert!(Role::parse("team:editor").is_ok());
    /// assert!(Role::parse("a,b").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Role, Error> {
        check_role(text)?;
        Ok(Role(text.into()))
    }

    /// Returns the role's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A user's roles, without duplicates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles(String);

impl Roles {
    /// Maximum number of roles of one user.
    pub const MAX: usize = 16;

    /// Returns the role `user`, which the tutorial's app gives to each user that it registers.
    pub(crate) fn user() -> Roles {
        Roles("user".into())
    }

    /// Parses roles that are joined by commas. Spaces around a comma are ignored.
    pub fn parse(text: &str) -> Result<Roles, Error> {
        if text.is_empty() {
            return Ok(Roles::default());
        }
        Roles::of(text.split(',').map(str::trim))
    }

    /// Builds the list from single roles. Duplicates are dropped.
    pub fn of<'a>(all: impl IntoIterator<Item = &'a str>) -> Result<Roles, Error> {
        let mut roles: Vec<&str> = Vec::new();
        for role in all {
            check_role(role)?;
            if !roles.contains(&role) {
                roles.push(role);
            }
            // Check inside the loop: comparing thousands of roles with each other would take long.
            if roles.len() > Roles::MAX {
                return Err(Error::BadRequest(format!("roles: more than {} roles", Roles::MAX)));
            }
        }
        Ok(Roles(roles.join(",")))
    }

    /// Returns the roles joined by commas, as in the `rls` claim.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the user has this role.
    pub fn contains(&self, role: &Role) -> bool {
        self.iter().any(|one| one == role.0)
    }

    /// Iterates over the roles.
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
    fn role_lists_are_parsed_or_refused() {
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
