//! Users of the machine: who runs the process, and whom a file belongs to.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The number of the user that runs the process.
pub(super) fn current() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// The name of the user with this number. A user of another directory (systemd's DynamicUser, LDAP)
/// has none.
pub(super) fn name_of(user: u32) -> Option<String> {
    find(&fs::read_to_string("/etc/passwd").unwrap_or_default(), user)
}

/// What to add to a message about the first of these files that belongs to somebody else; nothing if
/// there is none, or if root runs the process.
pub(super) fn differs(paths: &[&Path]) -> String {
    let runs = current();
    let other = paths.iter().find_map(|path| {
        let owner = fs::metadata(path).ok()?.uid();
        (owner != runs && runs != 0).then_some((path, owner))
    });
    other.map_or_else(String::new, |(path, owner)| {
        let (path, owner, runs) = (path.display(), shown(owner), shown(runs));
        format!("; {path} belongs to {owner}, and this runs as {runs}")
    })
}

fn shown(user: u32) -> String {
    name_of(user).unwrap_or_else(|| format!("user {user}"))
}

/// The name of the user with this number in a file like `/etc/passwd`.
fn find(accounts: &str, number: u32) -> Option<String> {
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
            assert_eq!(find(accounts, number).as_deref(), expected);
        }
    }
}
