//! What the process and its machine add to a URL: environment variables, the name of the user, the
//! password file. Passed in, so that a test sets none of them.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use zeroize::Zeroizing;

use super::passfile;

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
        let accounts = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let name = name_of(&accounts, rustix::process::geteuid().as_raw());
        // A user of another directory (systemd's DynamicUser, LDAP) has no line in the file.
        name.or_else(|| std::env::var("USER").ok().filter(|name| !name.is_empty()))
    },
    password_file: &passfile::read,
};

/// The name of the user with this number in a file like `/etc/passwd`.
fn name_of(accounts: &str, number: u32) -> Option<String> {
    let found = accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(number)).then_some(name)
    });
    found.filter(|name| !name.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_number() {
        let accounts =
            "root:x:0:0:root:/root:/bin/bash\n\nbroken\n+::::::\nada:x:1000:5:A:/:/bin/sh\n";
        for (number, expected) in [(0, Some("root")), (1000, Some("ada")), (5, None)] {
            assert_eq!(name_of(accounts, number).as_deref(), expected);
        }
        assert!((OF_THE_PROCESS.user)().is_some());
    }
}
