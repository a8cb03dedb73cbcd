//! The outbox, as the program speaks of it: mails that are to be sent, each written together with
//! what caused it. Whom a mail is for, and whether it still is for anybody, is decided when it is
//! sent; so a request takes the same time whether its address belongs to somebody or not.

use super::audit::Entry;
use super::authority::Authority;
use super::users::{NewUser, Person};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::Email;
use crate::values::Language;

/// What a mail is about, as it was caused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailKind {
    /// Somebody registers, and is to confirm the address.
    Registration,
    /// A user is to confirm a new address.
    Address,
    /// Somebody asks to set a new password.
    Reset,
    /// To the address that was the user's: it no longer is.
    AddressChanged,
    /// The user has a new password.
    PasswordChanged,
    /// The user has turned the second factor on.
    SecondFactorOn,
    /// The second factor is off.
    SecondFactorOff,
    /// A recovery code took the place of the second factor.
    RecoveryCodeUsed,
    /// The user has other recovery codes.
    RecoveryCodesReplaced,
    /// The account is gone, and no row can name it: the detail is its language, id and name.
    AccountDeleted,
    /// A login from a device that the user had not used before; the detail says where.
    NewDevice,
    /// Too many logins failed: only known devices, a second factor or a reset link let in.
    Guarded,
}

/// Every kind with its stable name.
const NAMES: [(MailKind, &str); 12] = [
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

    /// The kind with this name.
    pub fn named(name: &str) -> Option<MailKind> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(kind, _)| *kind)
    }
}

/// A mail with a link that can be used once.
#[derive(Debug, Clone, Copy)]
pub struct LinkMail<'a> {
    /// Where it goes.
    pub email: &'a Email,
    /// The `jti` claim of the token in its link.
    pub jti: &'a str,
    /// The last second in which the link can be used.
    pub expires: Timestamp,
}

/// A mail that is to be sent now.
#[derive(Debug, Clone)]
pub struct OutgoingMail {
    /// What it is called in the outbox.
    pub id: i64,
    /// The Message-ID before the `@`.
    pub message: String,
    /// As it was caused.
    pub kind: MailKind,
    /// Where it goes.
    pub email: String,
    /// What it is written in.
    pub language: Language,
    /// When it was caused.
    pub created: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    /// Whose account it is about. For [`Topic::Taken`], whoever has the address.
    pub person: Person,
    /// What it says.
    pub topic: Topic,
}

/// What a mail says, by the time it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// Follow the link to confirm the address that you registered with.
    Confirm(Link),
    /// Somebody has given your address as theirs.
    Taken,
    /// Follow the link to confirm your new address.
    NewAddress(Link),
    /// Follow the link to set a new password.
    Reset(Link),
    /// The account has this address from now on.
    AddressChanged(String),
    /// The account has a new password.
    PasswordChanged,
    /// The second factor was turned on or off.
    SecondFactor(bool),
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// There are other recovery codes.
    RecoveryCodesReplaced,
    /// The account is gone.
    AccountDeleted,
    /// A login from a new device, in words.
    NewDevice(String),
    /// Too many logins failed.
    Guarded,
}

/// What the token of a link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its `jti` claim.
    pub jti: String,
    /// The last second in which it can be used.
    pub expires: Timestamp,
}

/// A mail, as an administrator sees it.
#[derive(Debug, Clone)]
pub struct QueuedMail {
    /// What it is called.
    pub id: i64,
    /// As it was caused.
    pub kind: String,
    /// Where it goes.
    pub email: String,
    /// Whose account it is about, if that is known yet.
    pub user: Option<i64>,
    /// When it was caused.
    pub created: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    /// When it is tried next; none if it was given up.
    pub due: Option<Timestamp>,
    /// Why the last attempt failed.
    pub failure: String,
}

/// What became of an attempt that failed.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryFailure<'a> {
    /// Why.
    pub why: &'a str,
    /// When it is tried again; never, if none.
    pub due: Option<Timestamp>,
}

/// The mails. Those that nobody is to get any more disappear by themselves.
pub trait Outbox {
    /// Makes an account that is inactive until its address is confirmed, and gone if that does not
    /// happen in time, with the mail. Whether the address belongs to somebody else makes no
    /// difference here. Says the id. [`Error::UsernameTaken`].
    fn register(
        &self,
        user: &NewUser<'_>,
        posting: &LinkMail<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error>;

    /// Asks a user to confirm a new address, instead of another such one; false if there is no
    /// such user.
    fn propose_address(
        &self,
        user: i64,
        posting: &LinkMail<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Keeps that somebody at `client` wants to reset the password of whoever has this address.
    fn request_reset(
        &self,
        posting: &LinkMail<'_>,
        client: &str,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// The next mail that is due, if it is still for somebody. A reset that was asked for gets its
    /// ticket here.
    fn next_mail(&self, now: Timestamp) -> Result<Option<OutgoingMail>, Error>;

    /// A mail was sent.
    fn delivered(&self, id: i64) -> Result<(), Error>;

    /// A mail could not be sent. `entry` is for one that is given up.
    fn failed(
        &self,
        id: i64,
        failed: &DeliveryFailure<'_>,
        entry: Option<&Entry<'_>>,
        now: Timestamp,
    ) -> Result<(), Error>;

    /// Shows every mail, the oldest first.
    fn mails(&self, show: &mut dyn FnMut(QueuedMail)) -> Result<(), Error>;

    /// Lets a mail, or all, be tried now; says how many.
    fn retry_mail(&self, id: Option<i64>, now: Timestamp) -> Result<usize, Error>;

    /// Throws a mail away; false if there is none.
    fn drop_mail(&self, id: i64) -> Result<bool, Error>;
}
