//! How mail is sent.

use std::path::PathBuf;

use crate::mail::{Sender, Transport};

/// How mail is sent, from whom, and with which words. Needs the feature `mail`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MailSettings {
    /// Where mails are handed over.
    pub transport: Transport,
    /// The sender of mails.
    pub sender: Sender,
    /// A folder with templates that replace the built-in words (none).
    pub templates: Option<PathBuf>,
}

impl MailSettings {
    /// Settings with the built-in words.
    pub fn new(transport: Transport, sender: Sender) -> MailSettings {
        MailSettings { transport, sender, templates: None }
    }
}
