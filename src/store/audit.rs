//! Who did what, when, from where: the record that stays, and the line in the log. Neither ever
//! holds a secret, and what a stranger typed comes in only as far as it is a valid name.

use std::fmt;
use std::net::IpAddr;

use crate::clock::Timestamp;
use crate::error::Error;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Somebody made an account.
    Registration,
    /// An administrator made one.
    UserAdded,
    /// A login succeeded.
    Login,
    /// A login failed: no such user, or a wrong password or second factor.
    LoginFailed,
    /// A login with the right password of a user who is inactive.
    LoginRefused,
    /// A token that was replaced long ago came back; its session was ended.
    RefreshReplayed,
    /// A token of another program with the same secret was taken.
    TokenAdopted,
    /// The user ended the session in use.
    Logout,
    /// All sessions of a user were ended.
    LogoutEverywhere,
    /// One session was ended from another.
    SessionEnded,
    /// The user chose a new password.
    PasswordChanged,
    /// A new password was set without the old one.
    PasswordReset,
    /// Somebody asked for a mail with which the user can set a new password.
    ResetRequested,
    /// The user has another address in mind, which is to be confirmed.
    AddressProposed,
    /// The user has followed the link in a mail: the address counts.
    AddressConfirmed,
    /// A mail could not be sent, and is not tried again.
    MailFailed,
    /// A right password came without the second factor that goes with it.
    SecondFactorAsked,
    /// A user was given the secret of a second factor, which does not count yet.
    SecondFactorEnrolled,
    /// The user showed that it arrived: from now on it counts.
    SecondFactorOn,
    /// The user turned it off.
    SecondFactorOff,
    /// It was turned off for the user.
    SecondFactorReset,
    /// A recovery code took its place.
    RecoveryCodeUsed,
    /// The user has other recovery codes.
    RecoveryCodesReplaced,
    /// A user has other roles.
    RolesChanged,
    /// A user may act again.
    Activated,
    /// A user may no longer act.
    Deactivated,
    /// A user's failed logins were forgotten.
    Unlocked,
    /// A login came from a device that the user had not used before.
    NewDevice,
    /// Too many logins failed, one after the other: from now on only devices that are known, a
    /// second factor, a mailed link or an administrator let the user in.
    Guarded,
    /// An administrator made a link with which a user can set a new password.
    ResetLink,
    /// An administrator made an invitation.
    Invited,
    /// An invitation was taken back.
    InvitationRevoked,
    /// An account is gone.
    UserDeleted,
    /// A new key will sign.
    KeyRotated,
    /// A key no longer verifies.
    KeyRetired,
}

/// Every event with its stable name.
const NAMES: &[(Event, &str)] = &[
    (Event::Registration, "registration"),
    (Event::UserAdded, "user-added"),
    (Event::Login, "login"),
    (Event::LoginFailed, "login-failed"),
    (Event::LoginRefused, "login-refused"),
    (Event::RefreshReplayed, "refresh-replayed"),
    (Event::TokenAdopted, "token-adopted"),
    (Event::Logout, "logout"),
    (Event::LogoutEverywhere, "logout-everywhere"),
    (Event::SessionEnded, "session-ended"),
    (Event::PasswordChanged, "password-changed"),
    (Event::PasswordReset, "password-reset"),
    (Event::ResetRequested, "reset-requested"),
    (Event::AddressProposed, "address-proposed"),
    (Event::AddressConfirmed, "address-confirmed"),
    (Event::MailFailed, "mail-failed"),
    (Event::SecondFactorAsked, "second-factor-asked"),
    (Event::SecondFactorEnrolled, "second-factor-enrolled"),
    (Event::SecondFactorOn, "second-factor-on"),
    (Event::SecondFactorOff, "second-factor-off"),
    (Event::SecondFactorReset, "second-factor-reset"),
    (Event::RecoveryCodeUsed, "recovery-code-used"),
    (Event::RecoveryCodesReplaced, "recovery-codes-replaced"),
    (Event::RolesChanged, "roles-changed"),
    (Event::Activated, "activated"),
    (Event::Deactivated, "deactivated"),
    (Event::Unlocked, "unlocked"),
    (Event::NewDevice, "new-device"),
    (Event::Guarded, "guarded"),
    (Event::ResetLink, "reset-link"),
    (Event::Invited, "invited"),
    (Event::InvitationRevoked, "invitation-revoked"),
    (Event::UserDeleted, "user-deleted"),
    (Event::KeyRotated, "key-rotated"),
    (Event::KeyRetired, "key-retired"),
];

impl Event {
    /// The stable name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(event, _)| *event == self).map_or("unknown", |(_, name)| name)
    }

    /// Whether it is a login that did not succeed. Strangers can cause any number of these.
    pub fn is_failed_login(self) -> bool {
        matches!(self, Event::LoginFailed | Event::LoginRefused | Event::SecondFactorAsked)
    }

    /// Whether somebody should look at it.
    fn is_warning(self) -> bool {
        matches!(
            self,
            Event::LoginFailed | Event::LoginRefused | Event::RefreshReplayed | Event::Guarded
        )
    }
}

/// Who did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// The user of the account, or somebody who wants to be that.
    User(Option<IpAddr>),
    /// An administrator with this id.
    Admin(i64, Option<IpAddr>),
    /// Somebody with the command line on the machine.
    Operator,
}

impl Actor {
    /// The administrator's id, if it was one.
    pub fn admin(self) -> Option<i64> {
        match self {
            Actor::Admin(id, _) => Some(id),
            Actor::User(_) | Actor::Operator => None,
        }
    }

    /// Where the request came from; `-` if that is not known, nothing if there was none.
    pub fn address(self) -> Option<String> {
        match self {
            Actor::User(address) | Actor::Admin(_, address) => {
                Some(address.map_or_else(|| "-".into(), |address| address.to_string()))
            }
            Actor::Operator => None,
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// What.
    pub event: Event,
    /// Whose account, if that is known. A new account's id is filled in by the store.
    pub user: Option<i64>,
    /// The account's name.
    pub name: Option<&'a str>,
    /// Who did it.
    pub actor: Actor,
    /// What else there is to say; no secret.
    pub detail: &'a str,
}

impl<'a> Entry<'a> {
    /// Something that concerns one account.
    pub fn new(event: Event, user: i64, name: &'a str, actor: Actor) -> Entry<'a> {
        Entry { event, user: Some(user), name: Some(name), actor, detail: "" }
    }

    /// Writes the line in the log; call it when it has happened.
    pub fn log(&self) {
        let level = if self.event.is_warning() { log::Level::Warn } else { log::Level::Info };
        log::log!(level, "{self}");
    }
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event.name())?;
        // A name holds no control character and no space; escaped, it cannot even if it does.
        if let Some(name) = self.name {
            write!(f, " user={}", name.escape_debug())?;
        }
        if let Some(id) = self.user {
            write!(f, " id={id}")?;
        }
        match self.actor {
            Actor::Admin(id, _) => write!(f, " by={id}")?,
            Actor::Operator => f.write_str(" by=operator")?,
            Actor::User(_) => {}
        }
        if let Some(address) = self.actor.address() {
            write!(f, " from={address}")?;
        }
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail.escape_debug())?;
        }
        Ok(())
    }
}

/// An entry as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Grows with time.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// The event's name.
    pub event: String,
    /// Whose account.
    pub user: Option<i64>,
    /// Its name at that time.
    pub name: Option<String>,
    /// The administrator.
    pub actor: Option<i64>,
    /// From where; nothing for the command line.
    pub address: Option<String>,
    /// What else.
    pub detail: String,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct AuditQuery<'a> {
    /// Only those of this user.
    pub user: Option<i64>,
    /// Only those of a user who had this name then.
    pub name: Option<&'a str>,
    /// Only those from then on.
    pub since: Option<i64>,
    /// Only those with a smaller id: the next page.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: u32,
}

/// The record.
pub trait Audit {
    /// Keeps an entry that goes with no change.
    fn record(&self, entry: &Entry<'_>, now: Timestamp) -> Result<(), Error>;

    /// The entries that are wanted, the newest first.
    fn recorded(&self, wanted: &AuditQuery<'_>) -> Result<Vec<AuditRecord>, Error>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_the_log() {
        let address = Some(IpAddr::from([192, 0, 2, 7]));
        for (event, user, name, actor, detail, expected) in [
            (
                Event::Login,
                Some(1),
                Some("ada"),
                Actor::User(address),
                "",
                "login user=ada id=1 from=192.0.2.7",
            ),
            (Event::LoginFailed, None, None, Actor::User(None), "", "login-failed from=-"),
            (
                Event::RolesChanged,
                Some(1),
                Some("a\nlogin user=b"),
                Actor::Admin(2, address),
                "admin\u{1b}[2J",
                "roles-changed user=a\\nlogin user=b id=1 by=2 from=192.0.2.7 (admin\\u{1b}[2J)",
            ),
            (
                Event::UserDeleted,
                Some(1),
                Some("ada"),
                Actor::Operator,
                "",
                "user-deleted user=ada id=1 by=operator",
            ),
        ] {
            let entry = Entry { event, user, name, actor, detail };
            assert_eq!(entry.to_string(), expected);
        }
    }

    #[test]
    fn every_event_has_a_name_of_its_own() {
        let mut names: Vec<_> = NAMES.iter().map(|(event, _)| event.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NAMES.len());
        assert!(!names.contains(&"unknown"));
    }
}
