//! The thread that tells the store whether requests come, as our engine does itself.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::app::Current;

/// The pause between two calls of the store while requests come.
const BUSY: Duration = Duration::from_millis(250);
/// The pause while none come.
const IDLE: Duration = Duration::from_secs(1);
/// Pauses without a hash after which the memory of password hashing is freed.
const QUIET_PAUSES: u64 = 5;

/// Tells the store a few times a second that requests come, and once that none come any more, until
/// the sender of `ended` is dropped. Frees the memory of password hashing after some seconds without
/// a hash.
pub(super) fn run(current: &Current, ended: Receiver<()>) {
    let app = current.keep();
    let mut busy = false;
    let mut quiet: u64 = 0;
    while ended.recv_timeout(if busy { BUSY } else { IDLE }) == Err(RecvTimeoutError::Timeout) {
        let was_busy = std::mem::replace(&mut busy, app.was_busy());
        if busy || was_busy {
            app.store.upkeep(busy);
        }
        quiet = if app.hasher.was_used() { 0 } else { quiet + 1 };
        if quiet == QUIET_PAUSES {
            app.hasher.release_memory();
        }
    }
    app.store.upkeep(false);
}
