//! The thread that writes when sessions and app passwords were last used.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::app::Current;

/// The pause between two transactions.
const PAUSE: Duration = Duration::from_secs(10);

/// Writes what was noted, now and then and at the end. What cannot be written is dropped: it is
/// noted again at the next use.
pub(super) fn run(current: &Current, ended: Receiver<()>) {
    loop {
        let last = ended.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout);
        let app = current.get();
        let seen = app.seen.take();
        if !seen.is_empty()
            && let Err(error) = app.store.note_seen(&seen)
        {
            log::debug!("when sessions were last used could not be noted: {error}");
        }
        if last {
            return;
        }
    }
}
