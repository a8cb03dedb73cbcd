//! The thread that sends the mails in the outbox.

use std::time::Duration;

use crate::app::{App, Current};
use crate::clock::Timestamp;
use crate::mailer::Delivery;

/// The longest pause between two looks into the outbox. Mails of this program are sent at once;
/// those that are due again, and those that a command has put there, wait for this.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Lets [`run`] go on again, if [`end`] was called for an earlier thread.
pub(super) fn begin(app: &App) {
    app.store.outbox_signal().begin();
}

/// Sends mails as they come, until [`end`] is called. Each mail is sent with the settings of its
/// time; as long as they name no way, none is.
pub(super) fn run(current: &Current) {
    loop {
        let app = current.keep();
        let signal = app.store.outbox_signal();
        // Another process delivers otherwise. This one is woken when it has become its turn.
        if let Some(mailer) = app.mailer.as_ref().filter(|_| app.store.leads()) {
            match mailer.deliver((&app.tokens, &app.invitation_keys), &app.store, Timestamp::now())
            {
                Ok(Delivery::One) if !signal.is_over() => continue,
                Ok(_) => {}
                Err(error) => log::warn!("mails have to wait: {error}"),
            }
        }
        if !signal.wait(LOOK_AGAIN) {
            return;
        }
    }
}

/// Ends [`run`], also in the middle of a delivery: that mail stays in the outbox.
pub(super) fn end(app: &App) {
    app.store.outbox_signal().end();
}
