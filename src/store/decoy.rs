//! The account whose hash stands in for that of a name that nobody has, so that a login takes as
//! long as one to some account.

use super::Store;
use super::rows::decoys;
use crate::error::Error;
use crate::values::PasswordHash;

impl Store {
    /// The hash of the account that `number` chooses; `None` if there are no accounts. A number
    /// keeps its account until a new account takes its place, or the account is deleted.
    pub fn decoy(&self, number: u64) -> Result<Option<PasswordHash>, Error> {
        self.read(|queries| {
            let last = decoys::last_id(queries)?;
            match decoys::hash_from(queries, id_of(number, last))? {
                // The last account was deleted meanwhile.
                None => decoys::hash_from(queries, 0),
                found => Ok(found),
            }
        })
    }
}

/// The id from 1 to `last` that a number chooses. When `last` grows by one, only the numbers change
/// that now choose the new id: a remainder of a division by `last` would move nearly all of them, and
/// so tell which names have an account of their own.
fn id_of(number: u64, last: i64) -> i64 {
    let last = last.max(1).cast_unsigned();
    // The next power of two, and the one below it for the numbers that are beyond the last id.
    let bits = u64::BITS - (last - 1).leading_zeros();
    let within = |bits: u32| (number & ((1 << bits) - 1)) + 1;
    let id = within(bits);
    let id = if id <= last { id } else { within(bits - 1) };
    id.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_moves_only_to_the_id_that_is_new() {
        let numbers =
            || (0..1_000_u64).map(|at| at.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(17));
        for last in 1..200 {
            let mut moved = 0;
            for number in numbers() {
                let (before, after) = (id_of(number, last), id_of(number, last + 1));
                assert!((1..=last).contains(&before), "{before} of {last}");
                assert!(after == before || after == last + 1, "{before} {after} of {last}");
                moved += i64::from(after != before);
            }
            assert!(moved * last < 4_000, "{moved} moved at {last}");
        }
        for last in [i64::MIN, -1, 0, 1] {
            assert_eq!(id_of(u64::MAX, last), 1);
        }
        assert_eq!(id_of(u64::MAX, i64::MAX), 1 << 62);
        assert_eq!(id_of(0, i64::MAX), 1);
    }
}
