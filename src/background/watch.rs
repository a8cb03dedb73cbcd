//! The thread that looks whether the database is still the file that was opened, also while nobody
//! writes.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use crate::app::Current;

/// The pause between two looks.
const PAUSE: Duration = Duration::from_secs(2);

/// Looks now and then, until the sender of `ended` is dropped. Returns at once if there is no file.
pub(super) fn run(app: &Current, ended: Receiver<()>) {
    while app.get().store.watch() && ended.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout) {}
}
