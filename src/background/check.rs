//! The thread that checks the database after an unclean end, beside the work.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, TryRecvError};

use crate::app::Current;
use crate::net::lower_priority;

/// The nice value of the thread: everything else comes first.
const NICE: i32 = 19;

/// Checks the database once, if that is needed; stops when the sender of `ended` is dropped.
pub(super) fn run(app: &Current, ended: Receiver<()>) {
    lower_priority(NICE);
    let store = Arc::clone(&app.get().store);
    store.check_beside(Box::new(move || ended.try_recv() != Err(TryRecvError::Empty)));
}
