//! What a new hash costs: memory and passes, within limits; and which of two costs is the weaker.

use crate::error::Problem;

/// The cost of a new hash with Argon2id and one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HashCost {
    memory_kib: u32,
    passes: u32,
}

/// Maximum memory of a hash, in KiB, of a stored one as well: what is configured can be verified.
pub(crate) const MAX_MEMORY_KIB: u32 = 256 * 1024;
/// Maximum passes of a hash.
pub(crate) const MAX_PASSES: u32 = 16;
/// Maximum memory of a hash in KiB times passes: 1 GiB, which takes some half a second.
pub(crate) const MAX_KIB_PASSES: u64 = 1024 * 1024;

impl HashCost {
    /// The default, and the least: 19 MiB and two passes (OWASP Password Storage Cheat Sheet).
    /// OWASP has other pairs with less memory and more passes, or the reverse. They are no
    /// stronger, and a minimum of each setting is one that a message can name.
    pub(crate) const FLOOR: HashCost = HashCost { memory_kib: 19 * 1024, passes: 2 };

    /// Returns the cost; an error names the setting that is outside of its limits.
    pub(crate) fn new(memory_kib: u32, passes: u32) -> Result<HashCost, Problem> {
        let floor = HashCost::FLOOR;
        if !(floor.memory_kib..=MAX_MEMORY_KIB).contains(&memory_kib) {
            return Err(Problem::usage(
                format!(
                    "the setting `hash_memory` is {memory_kib} KiB; it must be between 19 MiB, which \
                     OWASP recommends as the least, and 256 MiB"
                ),
                "leave the default, or measure what this machine can bear with `lictor hash-cost`",
            ));
        }
        if !(floor.passes..=MAX_PASSES).contains(&passes) {
            return Err(Problem::usage(
                format!("the setting `hash_passes` is {passes}; it must be between 2 and 16"),
                "leave the default, or measure what this machine can bear with `lictor hash-cost`",
            ));
        }
        let cost = HashCost { memory_kib, passes };
        if cost.kib_passes() > MAX_KIB_PASSES {
            return Err(Problem::usage(
                "the setting `hash_memory` times the setting `hash_passes` is more than 1 GiB",
                "lower one of them",
            ));
        }
        Ok(cost)
    }

    pub(crate) fn memory_kib(self) -> u32 {
        self.memory_kib
    }

    pub(crate) fn passes(self) -> u32 {
        self.passes
    }

    /// Memory in KiB times passes: what an attacker's hardware moves for each guess.
    pub(crate) fn kib_passes(self) -> u64 {
        kib_passes(self.memory_kib, self.passes)
    }

    /// Returns whether a stored hash with this memory and these passes should be replaced. One
    /// below the floor always is. Of two others the one with less memory times passes is weaker,
    /// and between equals the one with less memory. That is an order: of two servers with different
    /// settings at most one replaces the other's hashes, so no hash goes back and forth.
    pub(super) fn is_above(self, memory_kib: u32, passes: u32) -> bool {
        let floor = HashCost::FLOOR;
        memory_kib < floor.memory_kib
            || passes < floor.passes
            || (kib_passes(memory_kib, passes), memory_kib) < (self.kib_passes(), self.memory_kib)
    }
}

/// Memory in KiB times passes.
pub(super) fn kib_passes(memory_kib: u32, passes: u32) -> u64 {
    u64::from(memory_kib) * u64::from(passes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_has_limits() {
        for (memory_kib, passes, refused) in [
            (19_456, 2, None),
            (262_144, 4, None),
            (65_536, 16, None),
            (19_455, 2, Some("`hash_memory`")),
            (262_145, 2, Some("`hash_memory`")),
            (0, 0, Some("`hash_memory`")),
            (u32::MAX, u32::MAX, Some("`hash_memory`")),
            (19_456, 1, Some("`hash_passes`")),
            (19_456, 17, Some("`hash_passes`")),
            (262_144, 5, Some("1 GiB")),
        ] {
            let refusal = HashCost::new(memory_kib, passes).err();
            match refused {
                None => assert!(refusal.is_none(), "{memory_kib} {passes}"),
                Some(part) => {
                    assert!(refusal.unwrap().what.contains(part), "{memory_kib} {passes}")
                }
            }
        }
    }

    #[test]
    fn of_two_costs_at_most_one_is_above_the_other() {
        let cost = |memory_kib, passes| HashCost::new(memory_kib, passes).unwrap();
        for (configured, stored, replaced) in [
            (cost(19_456, 2), (19_456, 2), false),
            (cost(19_456, 2), (19_456, 3), false),
            (cost(19_456, 2), (65_536, 2), false),
            // Below the floor, whatever the product: OWASP's other pairs too.
            (cost(19_456, 2), (47_104, 1), true),
            (cost(19_456, 2), (12_288, 16), true),
            (cost(65_536, 2), (19_456, 2), true),
            (cost(65_536, 2), (65_535, 2), true),
            (cost(65_536, 3), (65_536, 2), true),
            // More memory, fewer passes, and the reverse.
            (cost(32_768, 3), (65_536, 2), false),
            (cost(65_536, 2), (32_768, 3), true),
            (cost(32_768, 4), (65_536, 2), false),
            (cost(65_536, 2), (32_768, 4), true),
            (cost(65_536, 2), (32_768, 5), false),
        ] {
            assert_eq!(
                configured.is_above(stored.0, stored.1),
                replaced,
                "{configured:?} {stored:?}"
            );
        }
        let all = [19_456, 20_000, 32_768, 65_536, 262_144]
            .into_iter()
            .flat_map(|memory| [2, 3, 4].map(|passes| cost(memory, passes)));
        let all: Vec<HashCost> = all.collect();
        for one in &all {
            for other in &all {
                let [up, down] =
                    [(one, other), (other, one)].map(|(a, b)| a.is_above(b.memory_kib, b.passes));
                assert!(!(up && down), "{one:?} and {other:?} replace each other");
                assert_eq!(one == other, !up && !down, "{one:?} {other:?}");
            }
        }
    }
}
