//! The IP addresses from which accounts were logged in to. A table of fixed size; knows no address
//! and no name, only their keys.

use crate::guard::table::{Key, Table};

/// Maximum number of accounts. A new one takes the place of the one with the oldest login; to evict
/// others, an attacker needs the passwords of thousands of accounts.
const ACCOUNTS: usize = 4_096;
/// Maximum number of addresses of one account. A new one takes the place of the one with the oldest
/// login.
const IPS: usize = 8;

/// Numbers in a record: the account's tag, the sequence number of its last login, the tags of its
/// addresses (the latest first), and the time of the last login from each, in seconds.
const NUMBERS: usize = 2 + 2 * IPS;

/// The table.
#[derive(Debug)]
pub(super) struct KnownIps {
    table: Table<NUMBERS>,
    /// Number of logins.
    logins: u32,
}

impl KnownIps {
    pub(super) fn new() -> KnownIps {
        KnownIps { table: Table::new(ACCOUNTS), logins: 0 }
    }

    /// Returns whether the account was logged in to from this address later than `since`.
    pub(super) fn knows(&mut self, account: Key, ip: Key, since: u32) -> bool {
        let Some(record) = self.table.find(account) else { return false };
        let (ips, times) = record[2..].split_at(IPS);
        ips.iter().zip(times).any(|(tag, time)| *tag == ip.tag() && *time > since)
    }

    /// Remembers a login to the account from this address, at that time.
    pub(super) fn remember(&mut self, account: Key, ip: Key, at: u32) {
        // The number wraps after four thousand million logins, which spoils the order once.
        self.logins = self.logins.wrapping_add(1);
        let record = self.table.entry(account, |record| record[1]);
        record[1] = self.logins;
        let (ips, times) = record[2..].split_at_mut(IPS);
        let before = ips.iter().position(|tag| *tag == ip.tag());
        let moved = ..=before.unwrap_or(IPS - 1);
        ips[moved].rotate_right(1);
        times[moved].rotate_right(1);
        ips[0] = ip.tag();
        times[0] = at;
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    #[test]
    fn the_latest_ips_of_the_latest_accounts_are_kept() {
        let secret = RandomState::new();
        let account = |name: u32| Key::of(&secret, ("account", name));
        let ip = |name: u32| Key::of(&secret, ("ip", name));
        let mut known = KnownIps::new();
        assert!(!known.knows(account(1), ip(1), 4));
        for name in 1..=8 {
            known.remember(account(1), ip(name), 5);
        }
        known.remember(account(1), ip(1), 5);
        known.remember(account(1), ip(9), 5);
        for (name, expected) in [(1, true), (2, false), (3, true), (8, true), (9, true)] {
            assert_eq!(known.knows(account(1), ip(name), 4), expected, "{name}");
        }
        assert!(!known.knows(account(2), ip(1), 4), "another account");
        assert!(!known.knows(account(1), ip(1), 5), "not later than the login");
        for name in 2..50_000 {
            known.remember(account(name), ip(1), 5);
            known.remember(account(1), ip(1), 5);
        }
        assert!(known.knows(account(1), ip(3), 4), "account 1 is logged in to all the time");
        let kept = (2..50_000).filter(|&name| known.knows(account(name), ip(1), 4)).count();
        assert!(kept < ACCOUNTS, "{kept}");
    }
}
