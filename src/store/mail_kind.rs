//! The kinds of mails, with their stable names.

/// The kind of a mail: what caused it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// To a person who registers: confirm the address.
    Registration,
    /// To a user with a new address: confirm it.
    Address,
    /// A client asked to set a new password.
    Reset,
    /// To the former address of a user: it no longer is the account's.
    AddressChanged,
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
    /// The account was deleted. No row can name it any more: the detail has its language, id and name.
    AccountDeleted,
    /// A login from an ip that the user had not used before; the detail says where.
    NewDevice,
    /// Too many logins failed: only a known device, a second factor or a reset link lets the user in.
    Guarded,
}

/// Every kind with its stable name.
pub(super) const NAMES: [(MailKind, &str); 12] = [
    (MailKind::Registration, "registration"),
    (MailKind::Address, "address"),
    (MailKind::Reset, "reset"),
    (MailKind::AddressChanged, "address-changed"),
    (MailKind::PasswordChanged, "password-changed"),
    (MailKind::SecondFactorOn, "second-factor-on"),
    (MailKind::SecondFactorOff, "second-factor-off"),
    (MailKind::RecoveryCodeUsed, "recovery-code-used"),
    (MailKind::RecoveryCodesReplaced, "recovery-codes-replaced"),
    (MailKind::AccountDeleted, "account-deleted"),
    (MailKind::NewDevice, "new-device"),
    (MailKind::Guarded, "guarded"),
];

impl MailKind {
    /// The stable name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("unknown", |(_, name)| name)
    }
}
