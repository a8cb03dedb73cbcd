//! The letters that lictor sends, the placeholders of each, and the values that fill them. Knows no
//! text and no mail server.

use std::borrow::Cow;
use std::time::Duration;

use super::duration;
use super::template::unlinked;
use crate::values::Language;

/// A letter, before a template gives it words. `name` is always the name of the user whose account
/// the letter is about.
#[derive(Debug, Clone, Copy)]
pub enum Letter<'a> {
    /// Asks the user to follow the link, which finishes the registration.
    Confirm {
        /// The user's name.
        name: &'a str,
        /// The URL with the token.
        link: &'a str,
        /// Time until the link expires.
        lifespan: Duration,
    },
    /// Tells the user that a registration gave the account's e-mail address.
    Taken {
        /// The user's name.
        name: &'a str,
    },
    /// Asks the user to follow the link and set a new password.
    Reset {
        /// The user's name.
        name: &'a str,
        /// The URL with the token.
        link: &'a str,
        /// Time until the link expires.
        lifespan: Duration,
    },
    /// Asks the user to follow the link, which confirms the new e-mail address.
    NewEmail {
        /// The user's name.
        name: &'a str,
        /// The URL with the token.
        link: &'a str,
        /// Time until the link expires.
        lifespan: Duration,
    },
    /// Tells the old e-mail address that the account has a new one.
    EmailChanged {
        /// The user's name.
        name: &'a str,
        /// The new e-mail address.
        email: &'a str,
    },
    /// Tells the old e-mail address that an administrator has taken it away.
    EmailRemoved {
        /// The user's name.
        name: &'a str,
    },
    /// The password was changed.
    PasswordChanged {
        /// The user's name.
        name: &'a str,
    },
    /// The second factor was turned on or off.
    SecondFactor {
        /// The user's name.
        name: &'a str,
        /// Whether it was turned on.
        on: bool,
    },
    /// Somebody logged in with a recovery code instead of the second factor.
    RecoveryCodeUsed {
        /// The user's name.
        name: &'a str,
    },
    /// The recovery codes were replaced.
    RecoveryCodesReplaced {
        /// The user's name.
        name: &'a str,
    },
    /// The account was deleted.
    AccountDeleted {
        /// The user's name.
        name: &'a str,
    },
    /// Somebody logged in from a device that is new to the account.
    NewDevice {
        /// The user's name.
        name: &'a str,
        /// The program and the IP address, as text for people.
        device: &'a str,
    },
    /// The account is guarded, because too many logins failed.
    Guarded {
        /// The user's name.
        name: &'a str,
    },
    /// Somebody tried to log in with the name that the user had before an import.
    Renamed {
        /// The user's name.
        name: &'a str,
        /// The name that the user had.
        former: &'a str,
    },
    /// Asks a person without an account to follow the link and make one.
    Invitation {
        /// What the administrator writes; may be empty.
        note: &'a str,
        /// The URL with the code.
        link: &'a str,
        /// Time until the invitation expires.
        lifespan: Duration,
    },
    /// Shows whoever administrates that mail arrives.
    Test,
}

/// The words of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The subject, in one line.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// What all templates of one letter, in every language, have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LetterKind {
    /// The name of its template files, without the language and `.txt`.
    pub(super) file: &'static str,
    /// The placeholders that its templates may use.
    pub(super) placeholders: &'static [&'static str],
}

impl LetterKind {
    const fn new(file: &'static str, placeholders: &'static [&'static str]) -> LetterKind {
        LetterKind { file, placeholders }
    }
}

const WITH_LINK: &[&str] = &["service", "name", "link", "lifespan"];
const WITH_EMAIL: &[&str] = &["service", "name", "address"];
const WITH_NAME: &[&str] = &["service", "name"];
const WITH_DEVICE: &[&str] = &["service", "name", "device"];
const WITH_FORMER: &[&str] = &["service", "name", "former"];
const WITH_NOTE: &[&str] = &["service", "note", "link", "lifespan"];
const WITHOUT_NAME: &[&str] = &["service"];

pub(super) const CONFIRM: LetterKind = LetterKind::new("confirm", WITH_LINK);
pub(super) const TAKEN: LetterKind = LetterKind::new("taken", WITH_NAME);
pub(super) const RESET: LetterKind = LetterKind::new("reset", WITH_LINK);
pub(super) const NEW_EMAIL: LetterKind = LetterKind::new("new-address", WITH_LINK);
pub(super) const EMAIL_CHANGED: LetterKind = LetterKind::new("address-changed", WITH_EMAIL);
pub(super) const EMAIL_REMOVED: LetterKind = LetterKind::new("address-removed", WITH_NAME);
pub(super) const PASSWORD_CHANGED: LetterKind = LetterKind::new("password-changed", WITH_NAME);
pub(super) const FACTOR_ON: LetterKind = LetterKind::new("second-factor-on", WITH_NAME);
pub(super) const FACTOR_OFF: LetterKind = LetterKind::new("second-factor-off", WITH_NAME);
pub(super) const RECOVERY_USED: LetterKind = LetterKind::new("recovery-code-used", WITH_NAME);
pub(super) const RECOVERY_REPLACED: LetterKind =
    LetterKind::new("recovery-codes-replaced", WITH_NAME);
pub(super) const DELETED: LetterKind = LetterKind::new("account-deleted", WITH_NAME);
pub(super) const NEW_DEVICE: LetterKind = LetterKind::new("new-device", WITH_DEVICE);
pub(super) const GUARDED: LetterKind = LetterKind::new("guarded", WITH_NAME);
pub(super) const RENAMED: LetterKind = LetterKind::new("renamed", WITH_FORMER);
pub(super) const INVITATION: LetterKind = LetterKind::new("invitation", WITH_NOTE);
pub(super) const TEST: LetterKind = LetterKind::new("test", WITHOUT_NAME);

impl<'a> Letter<'a> {
    pub(super) fn kind(&self) -> LetterKind {
        match self {
            Letter::Confirm { .. } => CONFIRM,
            Letter::Taken { .. } => TAKEN,
            Letter::Reset { .. } => RESET,
            Letter::NewEmail { .. } => NEW_EMAIL,
            Letter::EmailChanged { .. } => EMAIL_CHANGED,
            Letter::EmailRemoved { .. } => EMAIL_REMOVED,
            Letter::PasswordChanged { .. } => PASSWORD_CHANGED,
            Letter::SecondFactor { on: true, .. } => FACTOR_ON,
            Letter::SecondFactor { on: false, .. } => FACTOR_OFF,
            Letter::RecoveryCodeUsed { .. } => RECOVERY_USED,
            Letter::RecoveryCodesReplaced { .. } => RECOVERY_REPLACED,
            Letter::AccountDeleted { .. } => DELETED,
            Letter::NewDevice { .. } => NEW_DEVICE,
            Letter::Guarded { .. } => GUARDED,
            Letter::Renamed { .. } => RENAMED,
            Letter::Invitation { .. } => INVITATION,
            Letter::Test => TEST,
        }
    }

    /// The value of each placeholder of its kind, except `service`, which the templates know.
    // Long: an arm for each letter.
    pub(super) fn values(&self, language: Language) -> Vec<(&'static str, Cow<'a, str>)> {
        let in_words = |time| Cow::from(duration::in_words(time, language));
        match *self {
            // The owner of the e-mail address may be a stranger to the service, and the name may be a
            // URL that an attacker wants the owner to open.
            Letter::Confirm { name, link, lifespan }
            | Letter::NewEmail { name, link, lifespan } => {
                vec![
                    ("name", unlinked(name).into()),
                    ("link", link.into()),
                    ("lifespan", in_words(lifespan)),
                ]
            }
            Letter::Reset { name, link, lifespan } => {
                vec![("name", name.into()), ("link", link.into()), ("lifespan", in_words(lifespan))]
            }
            Letter::Invitation { note, link, lifespan } => {
                vec![("note", note.into()), ("link", link.into()), ("lifespan", in_words(lifespan))]
            }
            Letter::EmailChanged { name, email } => {
                vec![("name", name.into()), ("address", email.into())]
            }
            // The program that logged in chose its own name.
            Letter::NewDevice { name, device } => {
                vec![("name", name.into()), ("device", unlinked(device).into())]
            }
            // Another program let the user choose it, without the rules for names here.
            Letter::Renamed { name, former } => {
                vec![("name", name.into()), ("former", unlinked(former).into())]
            }
            Letter::Taken { name }
            | Letter::EmailRemoved { name }
            | Letter::PasswordChanged { name }
            | Letter::SecondFactor { name, .. }
            | Letter::RecoveryCodeUsed { name }
            | Letter::RecoveryCodesReplaced { name }
            | Letter::AccountDeleted { name }
            | Letter::Guarded { name } => vec![("name", name.into())],
            Letter::Test => Vec::new(),
        }
    }
}
