//! From which addresses somebody has logged in to an account, so that what strangers try there
//! does not delay its owner. A table of fixed size; knows no address and no name, only their keys.

use super::table::{Key, Table};

/// Accounts that are remembered. When there are more, the one that nobody logged in to for
/// longest goes; to push others out, one needs the passwords of thousands of accounts.
const ACCOUNTS: usize = 4_096;
/// Addresses of one account; the one that was not used for longest goes.
const ADDRESSES: usize = 8;

/// A record is a tag, when it was used last (counted in uses), addresses, the latest first, and
/// when somebody logged in from each of them, in seconds.
const NUMBERS: usize = 2 + 2 * ADDRESSES;

/// Who has been where.
#[derive(Debug)]
pub(super) struct Familiar {
    table: Table<NUMBERS>,
    uses: u32,
}

impl Familiar {
    pub(super) fn new() -> Familiar {
        Familiar { table: Table::new(ACCOUNTS), uses: 0 }
    }

    /// Whether somebody has logged in to the account from there, later than `since`.
    pub(super) fn knows(&mut self, account: Key, address: Key, since: u32) -> bool {
        let Some(record) = self.table.find(account) else { return false };
        let (addresses, times) = record[2..].split_at(ADDRESSES);
        addresses.iter().zip(times).any(|(tag, time)| *tag == address.tag() && *time > since)
    }

    /// Somebody has, at that time.
    pub(super) fn remember(&mut self, account: Key, address: Key, at: u32) {
        // Counts logins; after four thousand million of them the order is lost once.
        self.uses = self.uses.wrapping_add(1);
        let record = self.table.entry(account, |record| record[1]);
        record[1] = self.uses;
        let (addresses, times) = record[2..].split_at_mut(ADDRESSES);
        let before = addresses.iter().position(|tag| *tag == address.tag());
        let moved = ..=before.unwrap_or(ADDRESSES - 1);
        addresses[moved].rotate_right(1);
        times[moved].rotate_right(1);
        addresses[0] = address.tag();
        times[0] = at;
    }
}

#[cfg(test)]
mod tests {
    use std::hash::RandomState;

    use super::*;

    #[test]
    fn the_latest_addresses_of_the_latest_accounts() {
        let secret = RandomState::new();
        let account = |name: u32| Key::of(&secret, ("account", name));
        let address = |name: u32| Key::of(&secret, ("address", name));
        let mut familiar = Familiar::new();
        assert!(!familiar.knows(account(1), address(1), 4));
        for name in 1..=8 {
            familiar.remember(account(1), address(name), 5);
        }
        familiar.remember(account(1), address(1), 5);
        familiar.remember(account(1), address(9), 5);
        for (name, expected) in [(1, true), (2, false), (3, true), (8, true), (9, true)] {
            assert_eq!(familiar.knows(account(1), address(name), 4), expected, "{name}");
        }
        assert!(!familiar.knows(account(2), address(1), 4), "another account");
        assert!(!familiar.knows(account(1), address(1), 5), "not later than that");
        for name in 2..50_000 {
            familiar.remember(account(name), address(1), 5);
            familiar.remember(account(1), address(1), 5);
        }
        assert!(familiar.knows(account(1), address(3), 4), "somebody logs in to it all the time");
        let known =
            (2..50_000).filter(|&name| familiar.knows(account(name), address(1), 4)).count();
        assert!(known < ACCOUNTS, "{known}");
    }
}
