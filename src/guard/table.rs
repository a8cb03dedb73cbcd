//! Records in a table of fixed size, for what must be remembered of strangers: it takes no more
//! memory when there are more of them. Knows nothing of what a record means.

use std::hash::{BuildHasher as _, Hash, RandomState};

/// Places that one key can be in.
const WAYS: usize = 8;

/// What a record is found by. Made with a key of this process, so that nobody outside can choose
/// two things whose records share a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key(u64);

impl Key {
    pub(super) fn of(secret: &RandomState, what: impl Hash) -> Key {
        Key(secret.hash_one(what))
    }

    /// The part that is kept in a record. Never 0, which is an empty place.
    pub(super) fn tag(self) -> u32 {
        self.0 as u32 | 1
    }
}

/// So many numbers, the first of which is the tag. All zero is an empty place, so that a table
/// that is not used yet takes addresses but no memory.
pub(super) type Record<const NUMBERS: usize> = [u32; NUMBERS];

/// The table.
#[derive(Debug)]
pub(super) struct Table<const NUMBERS: usize> {
    records: Box<[Record<NUMBERS>]>,
}

impl<const NUMBERS: usize> Table<NUMBERS> {
    /// With at most so many records.
    pub(super) fn new(room: usize) -> Table<NUMBERS> {
        let buckets = (room / WAYS).max(1);
        Table { records: vec![[0; NUMBERS]; buckets * WAYS].into_boxed_slice() }
    }

    /// The record of a key, if there is one.
    pub(super) fn find(&mut self, key: Key) -> Option<&mut Record<NUMBERS>> {
        self.bucket(key).iter_mut().find(|record| record[0] == key.tag())
    }

    /// The record of a key; if there was none, a new one, in the place of that which is worth
    /// least among those where it can be.
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
        let buckets = self.records.len() / WAYS;
        // The upper half of the key; the tag is the lower one.
        let start = (key.0 >> 32) as usize % buckets * WAYS;
        &mut self.records[start..start + WAYS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_found_again_and_the_least_worth_goes() {
        let mut table = Table::<2>::new(1);
        let secret = RandomState::new();
        let key = |name: u32| Key::of(&secret, name);
        assert_eq!(table.find(key(0)), None);
        for name in 1..=8 {
            table.entry(key(name), |record| record[1])[1] = name + 10;
        }
        table.entry(key(3), |record| record[1])[1] = 99;
        assert_eq!(table.find(key(3)).map(|record| record[1]), Some(99));
        // The bucket is full: the eleven goes, then, as often as somebody new comes, that one.
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
    fn it_does_not_grow() {
        let mut table = Table::<3>::new(16_384);
        let secret = RandomState::new();
        for name in 0..200_000 {
            table.entry(Key::of(&secret, name), |record| record[1])[1] = 1;
        }
        assert_eq!(table.records.len(), 16_384);
    }
}
