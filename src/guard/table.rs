//! A hash table of fixed size, for records about strangers: more strangers take no more memory.
//! Knows nothing of what a record means.

use std::hash::{BuildHasher as _, Hash, RandomState};

/// Slots in a bucket. A key's record can be in any slot of its bucket.
const SLOTS: usize = 8;

/// The key of a record: a hash with a secret of this process, so that an outsider cannot choose
/// values whose records share a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u64);

impl Key {
    /// Hashes a value.
    pub(super) fn of(secret: &RandomState, what: impl Hash) -> Key {
        Key(secret.hash_one(what))
    }

    /// Returns the part of the key that a record holds. Never 0, which marks an empty slot.
    pub(super) fn tag(self) -> u32 {
        self.0 as u32 | 1
    }
}

/// A record: the key's tag, then the numbers of whoever uses the table. An empty slot is all zero,
/// so the system gives a new table no memory before it is used.
pub(super) type Record<const NUMBERS: usize> = [u32; NUMBERS];

/// The table.
#[derive(Debug)]
pub(super) struct Table<const NUMBERS: usize> {
    records: Box<[Record<NUMBERS>]>,
}

impl<const NUMBERS: usize> Table<NUMBERS> {
    /// Makes a table for `capacity` records.
    pub(super) fn new(capacity: usize) -> Table<NUMBERS> {
        let buckets = (capacity / SLOTS).max(1);
        Table { records: vec![[0; NUMBERS]; buckets * SLOTS].into_boxed_slice() }
    }

    /// Returns the record of a key, if there is one.
    pub(super) fn find(&mut self, key: Key) -> Option<&mut Record<NUMBERS>> {
        self.bucket(key).iter_mut().find(|record| record[0] == key.tag())
    }

    /// Returns the record of a key. If there is none, a new record takes the slot with the lowest
    /// `worth` in the bucket. `worth` must return 0 for an empty slot.
    pub(super) fn entry(
        &mut self,
        key: Key,
        worth: impl Fn(&Record<NUMBERS>) -> u32,
    ) -> &mut Record<NUMBERS> {
        let bucket = self.bucket(key);
        let tag = key.tag();
        let mut chosen = 0;
        for (at, record) in bucket.iter().enumerate() {
            if record[0] == tag {
                chosen = at;
                break;
            }
            if worth(record) < worth(&bucket[chosen]) {
                chosen = at;
            }
        }
        let record = &mut bucket[chosen];
        if record[0] != tag {
            *record = [0; NUMBERS];
            record[0] = tag;
        }
        record
    }

    fn bucket(&mut self, key: Key) -> &mut [Record<NUMBERS>] {
        let buckets = self.records.len() / SLOTS;
        // The upper half of the key selects the bucket; the lower half is the tag.
        let start = (key.0 >> 32) as usize % buckets * SLOTS;
        &mut self.records[start..start + SLOTS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_record_evicts_the_one_worth_least() {
        let mut table = Table::<2>::new(1);
        let secret = RandomState::new();
        let key = |name: u32| Key::of(&secret, name);
        assert_eq!(table.find(key(0)), None);
        for name in 1..=8 {
            table.entry(key(name), |record| record[1])[1] = name + 10;
        }
        table.entry(key(3), |record| record[1])[1] = 99;
        assert_eq!(table.find(key(3)).map(|record| record[1]), Some(99));
        // The bucket is full: the first new record evicts the one worth 11, each further one evicts
        // the new record before it.
        for name in 20..30 {
            assert_eq!(table.entry(key(name), |record| record[1])[1], 0, "a new record is empty");
        }
        assert_eq!(table.find(key(1)), None);
        assert_eq!(table.find(key(28)), None);
        for name in [2, 3, 4, 5, 6, 7, 8, 29] {
            assert!(table.find(key(name)).is_some(), "{name}");
        }
    }

    #[test]
    fn a_table_does_not_grow() {
        let mut table = Table::<3>::new(16_384);
        let secret = RandomState::new();
        for name in 0..200_000 {
            table.entry(Key::of(&secret, name), |record| record[1])[1] = 1;
        }
        assert_eq!(table.records.len(), 16_384);
    }
}
