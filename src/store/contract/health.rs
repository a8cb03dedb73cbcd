//! What monitoring asks: a read and a write, of which nothing is left.

use std::time::{Duration, Instant};

use super::each;
use crate::clock::Timestamp;

#[test]
fn health_reads_and_writes_and_leaves_nothing() {
    each("health", |store| {
        let begun = Instant::now();
        let mut well = 0;
        // Both give up within a second, for which a busy machine may stand still.
        while well < 2 {
            let health = store.health();
            let is_well = health.read.is_ok() && matches!(health.write, Some(Ok(())));
            assert!(is_well || begun.elapsed() < Duration::from_secs(60), "{health:?}");
            well += usize::from(is_well);
        }
        assert!(store.invitations(Timestamp(0)).unwrap().is_empty());
    });
}
