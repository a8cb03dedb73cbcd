//! Whom a rule lets in.

use crate::values::{Role, Roles, Username};

/// Whom a rule lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Who {
    /// Everyone, without a login.
    Everyone,
    /// Everyone with an account.
    Users,
    /// Users with one of these roles.
    Roles(Vec<Role>),
    /// These users.
    Names(Vec<Username>),
    /// Nobody.
    Nobody,
}

/// Somebody who is logged in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor<'a> {
    pub(crate) name: &'a str,
    pub(crate) roles: &'a Roles,
}

/// What a rule says of a visitor; the strictest is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Outcome {
    /// Nobody needs to log in.
    Open,
    /// This visitor may enter.
    Allowed,
    /// Somebody has to log in first.
    Login,
    /// This visitor may not enter; another one may.
    OthersOnly,
    /// Nobody may enter.
    Refused,
}

impl Who {
    pub(super) fn outcome(&self, visitor: Option<&Visitor<'_>>) -> Outcome {
        match (self, visitor) {
            (Who::Everyone, _) => Outcome::Open,
            (Who::Nobody, _) => Outcome::Refused,
            (_, None) => Outcome::Login,
            (_, Some(visitor)) if self.includes(visitor) => Outcome::Allowed,
            _ => Outcome::OthersOnly,
        }
    }

    /// Returns a number that is the greater, the fewer people are let in.
    #[cfg(feature = "cli")]
    pub(super) fn rank(&self) -> u8 {
        match self {
            Who::Everyone => 0,
            Who::Users => 1,
            Who::Roles(_) | Who::Names(_) => 2,
            Who::Nobody => 3,
        }
    }

    fn includes(&self, visitor: &Visitor<'_>) -> bool {
        match self {
            Who::Everyone | Who::Users => true,
            Who::Roles(roles) => roles.iter().any(|role| visitor.roles.contains(role)),
            Who::Names(names) => names.iter().any(|name| is_called(name, visitor.name)),
            Who::Nobody => false,
        }
    }
}

/// Whether a user's name is this one in another spelling. Most names need no preparation.
fn is_called(name: &Username, shown: &str) -> bool {
    match shown.is_ascii() {
        // The key of a name in ASCII is its lower case.
        true => name.key().eq_ignore_ascii_case(shown),
        false => Username::parse(shown).is_ok_and(|shown| shown.key() == name.key()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visitors() {
        let names = |names: &[&str]| {
            Who::Names(names.iter().map(|name| Username::parse(name).unwrap()).collect())
        };
        let roles = |roles: &[&str]| {
            Who::Roles(roles.iter().map(|role| Role::parse(role).unwrap()).collect())
        };
        use Outcome::{Allowed, Login, Open, OthersOnly, Refused};
        for (who, name, theirs, expected) in [
            (Who::Everyone, "ada", "", Open),
            (Who::Users, "ada", "", Allowed),
            (Who::Nobody, "ada", "admin", Refused),
            (roles(&["dev", "admin"]), "ada", "user,dev", Allowed),
            (roles(&["dev", "admin"]), "ada", "user,developer", OthersOnly),
            (roles(&["dev"]), "dev", "Dev", OthersOnly),
            (names(&["bob", "ada"]), "Ada", "", Allowed),
            (names(&["Jürgen"]), "JÜRGEN", "", Allowed),
            (names(&["ada"]), "bob", "ada", OthersOnly),
            // A letter outside ASCII never becomes one inside it.
            (names(&["kim"]), "\u{212a}im", "", OthersOnly),
        ] {
            let own = Roles::parse(theirs).unwrap();
            let visitor = Visitor { name, roles: &own };
            assert_eq!(who.outcome(Some(&visitor)), expected, "{who:?} {name}");
            let login = matches!(expected, Allowed | OthersOnly);
            assert_eq!(who.outcome(None), if login { Login } else { expected }, "{who:?}");
        }
    }
}
