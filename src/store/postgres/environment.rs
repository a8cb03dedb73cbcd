//! What the process and its machine add to a URL: environment variables, the name of the user, the
//! password file. Passed in, so that a test sets none of them.

use std::ffi::OsString;
use std::path::Path;

use zeroize::Zeroizing;

use super::passfile;
use crate::store::owner;

/// What a URL is completed with.
pub(super) struct Environment<'a> {
    /// The value of a variable.
    pub(super) variable: &'a dyn Fn(&str) -> Option<OsString>,
    /// The name of the user that runs the process.
    pub(super) user: &'a dyn Fn() -> Option<String>,
    /// The text of a password file that can be used.
    pub(super) password_file: &'a dyn Fn(&Path) -> Option<Zeroizing<String>>,
}

/// That of this process.
pub(super) const OF_THE_PROCESS: Environment<'static> = Environment {
    variable: &|name| std::env::var_os(name),
    user: &|| {
        let name = owner::name_of(owner::current());
        // A user of another directory (systemd's DynamicUser, LDAP) has no line in the file.
        name.or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()))
    },
    password_file: &passfile::read,
};
