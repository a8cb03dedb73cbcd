//! The thread that tells the store whether requests come, as our engine does itself.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::app::App;

/// The pause between two calls of the store while requests come.
const BUSY: Duration = Duration::from_millis(250);
/// The pause while none come.
const IDLE: Duration = Duration::from_secs(1);
/// Pauses without a request after which the memory of password hashing is freed.
const QUIET_PAUSES: u32 = 5;

/// Tells the store a few times a second that requests come, and once that none come any more, until
/// the sender of `ended` is dropped. Frees the memory of password hashing after some seconds without a request.
pub(super) fn run(app: &App, ended: Receiver<()>) {
    let mut busy = false;
    let mut quiet = 0;
    while ended.recv_timeout(if busy { BUSY } else { IDLE }) == Err(RecvTimeoutError::Timeout) {
        let was_busy = std::mem::replace(&mut busy, app.was_busy());
        if busy || was_busy {
            app.store.upkeep(busy);
        }
        quiet = if busy { 0 } else { QUIET_PAUSES.min(quiet + 1) };
        if quiet == QUIET_PAUSES {
            // A hash that was still running may have kept its memory since the last time.
            app.hasher.release_memory();
        }
    }
    app.store.upkeep(false);
}
