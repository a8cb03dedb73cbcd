//! The path of a mail: letter, template, message, transport. Knows neither the outbox nor who
//! receives mails.
//!
//! | file | owns |
//! |---|---|
//! | `letter` | the letters, and what fills their placeholders |
//! | `built_in` | the built-in template files, deflated |
//! | `templates` | the built-in templates and their replacements; renders letters |
//! | `template` | one template file |
//! | `duration` | durations in words |
//! | `message` | sender, headers and parts (RFC 5322, MIME) |
//! | `encoding` | encoded words and quoted-printable |
//! | `mailbox` | an e-mail address as mail servers take it |
//! | `transport` | `--mail`: SMTP, sendmail, a folder, the log |

mod built_in;
mod duration;
mod encoding;
mod letter;
mod mailbox;
mod message;
mod template;
mod templates;
mod transport;

pub use letter::{Content, Letter};
pub use message::{Mail, Sender};
pub use templates::{Look, Templates};
pub use transport::{Failure, Transport};
