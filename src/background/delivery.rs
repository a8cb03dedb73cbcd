//! The thread that sends the mails in the outbox.

use std::time::Duration;

use crate::app::App;
use crate::clock::Timestamp;
use crate::mailer::Delivery;

/// The longest pause between two looks into the outbox. Mails of this program are sent at once;
/// those that are due again, and those that a command has put there, wait for this.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// Lets [`run`] go on again, if [`end`] was called for an earlier thread.
pub(super) fn begin(app: &App) {
    app.store.outbox_signal().begin();
}

/// Sends mails as they come, until [`end`] is called. Returns at once if no mail is sent.
pub(super) fn run(app: &App) {
    let Some(mailer) = &app.mailer else { return };
    let signal = app.store.outbox_signal();
    loop {
        // Another process delivers otherwise. This one is woken when it has become its turn.
        if app.store.leads() {
            match mailer.deliver(&app.tokens, &app.store, Timestamp::now()) {
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
