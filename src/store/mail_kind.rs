//! The kinds of mails, with their stable names.

/// The kind of a mail: what caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// To a person who registers: confirm the e-mail address.
    Registration,
    /// To the new e-mail address of a user: confirm it.
    NewEmail,
    /// A client asked to set a new password.
    Reset,
    /// To the former e-mail address of a user: the account has another one, which the detail has, or
    /// none: [`NO_EMAIL`].
    EmailChanged,
    /// The account has a new password.
    PasswordChanged,
    /// The second factor is on.
    SecondFactorOn,
    /// The second factor is off.
    SecondFactorOff,
    /// A recovery code was used instead of the second factor.
    RecoveryCodeUsed,
    /// The recovery codes were replaced.
    RecoveryCodesReplaced,
    /// The account was deleted. Its row is gone, so the detail has its language, id and name.
    AccountDeleted,
    /// A login from an ip that the user had not used before; the detail says where.
    NewDevice,
    /// Too many logins failed: only a known device, a second factor or a reset link lets the user in.
    Guarded,
    /// Somebody tried to log in with the name that the user had before an import. The detail has
    /// that name.
    Renamed,
    /// To a person without an account: an invitation. The detail has its language, the invitation's
    /// id and the note.
    Invitation,
    /// An administrator wants to see whether mail arrives.
    Test,
}

/// The detail of [`MailKind::EmailChanged`] if the account has no e-mail address any more.
pub(crate) const NO_EMAIL: &str = "-";

/// Every kind, for [`MailKind::named`]. A test fails if one is missing: the row of such a mail could
/// not be read, and would block the outbox.
#[cfg(any(test, feature = "mail"))]
const ALL: [MailKind; 15] = [
    MailKind::Registration,
    MailKind::NewEmail,
    MailKind::Reset,
    MailKind::EmailChanged,
    MailKind::PasswordChanged,
    MailKind::SecondFactorOn,
    MailKind::SecondFactorOff,
    MailKind::RecoveryCodeUsed,
    MailKind::RecoveryCodesReplaced,
    MailKind::AccountDeleted,
    MailKind::NewDevice,
    MailKind::Guarded,
    MailKind::Renamed,
    MailKind::Invitation,
    MailKind::Test,
];

impl MailKind {
    /// The stable name. The database keeps it.
    pub fn name(self) -> &'static str {
        match self {
            MailKind::Registration => "registration",
            MailKind::NewEmail => "address",
            MailKind::Reset => "reset",
            MailKind::EmailChanged => "address-changed",
            MailKind::PasswordChanged => "password-changed",
            MailKind::SecondFactorOn => "second-factor-on",
            MailKind::SecondFactorOff => "second-factor-off",
            MailKind::RecoveryCodeUsed => "recovery-code-used",
            MailKind::RecoveryCodesReplaced => "recovery-codes-replaced",
            MailKind::AccountDeleted => "account-deleted",
            MailKind::NewDevice => "new-device",
            MailKind::Guarded => "guarded",
            MailKind::Renamed => "renamed",
            MailKind::Invitation => "invitation",
            MailKind::Test => "test",
        }
    }

    /// The kind with this name.
    #[cfg(any(test, feature = "mail"))]
    pub fn named(name: &str) -> Option<MailKind> {
        ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_name() {
        // The compiler sees to it that `name` has an arm for every kind.
        let arms =
            include_str!("mail_kind.rs").lines().filter_map(|line| line.split_once(" => \""));
        let arms = arms.filter(|(kind, _)| kind.trim_start().starts_with("MailKind::"));
        let names: Vec<&str> = arms.map(|(_, name)| name.trim_end_matches("\",")).collect();
        assert_eq!(names.len(), ALL.len(), "a kind is missing in ALL, or stands there twice");
        for name in names {
            assert_eq!(MailKind::named(name).map(MailKind::name), Some(name), "not in ALL: {name}");
        }
        assert_eq!(MailKind::named("unknown"), None);
    }
}
