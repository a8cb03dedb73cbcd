//! stub
mod letter;
mod message;
mod template;
mod transport;
pub use letter::{Content, Letter, Templates};
pub use message::{Mail, Sender};
pub use transport::{Failure, Transport};
