//! What a mailed token is for.

/// What a mailed token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailPurpose {
    /// To confirm an e-mail address (`is_ert`).
    Registration,
    /// To set a new password (`is_prt`).
    Reset,
}

impl MailPurpose {
    /// Returns the `typ` of a token for this purpose that a key for mailed tokens signs (RFC 8725
    /// section 3.11).
    pub(super) fn typ(self) -> &'static str {
        match self {
            MailPurpose::Registration => "lictor-registration+jwt",
            MailPurpose::Reset => "lictor-reset+jwt",
        }
    }
}
