//! The thread that checks the database after an unclean end, beside the work.

use std::sync::mpsc::{Receiver, TryRecvError};

use crate::app::App;
use crate::net::lower_priority;

/// The nice value of the thread: everything else comes first.
const NICE: i32 = 19;

/// Checks the database once, if that is needed; stops when the sender of `ended` is dropped.
pub(super) fn run(app: &App, ended: Receiver<()>) {
    lower_priority(NICE);
    app.store.check_beside(Box::new(move || ended.try_recv() != Err(TryRecvError::Empty)));
}
