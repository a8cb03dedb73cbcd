//! Who may register.

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// Everyone, at once.
    Open,
    /// Everyone who follows the link in a mail to the e-mail address that they give.
    Email,
    /// People with an invitation, from an administrator or the command line.
    Invite,
    /// Nobody; accounts come from the command line.
    Closed,
}

impl Registration {
    /// Its name on the command line and in answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Registration::Open => "open",
            Registration::Email => "email",
            Registration::Invite => "invite",
            Registration::Closed => "closed",
        }
    }
}
