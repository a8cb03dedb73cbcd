//! A mail's way out: its words, the message that they become, and the transport that takes it.
//! Knows neither the outbox nor whom mails are for.

mod address;
mod encoding;
mod letter;
mod message;
mod template;
mod transport;

pub use letter::{Content, Letter, Templates};
pub use message::{Mail, Sender};
pub use transport::{Failure, Transport};
