//! What an audit entry says: what happened to whom, who did it and from where. The database keeps
//! it and the log has it as a line. Neither ever holds a secret, and what a stranger typed gets in
//! only if it is a valid name.

use std::fmt;
use std::net::IpAddr;

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(feature = "cli"),
    allow(dead_code, reason = "some events come only from the command line or the mailer")
)]
pub enum Event {
    /// A person made an account.
    Registration,
    /// An administrator made an account.
    UserAdded,
    /// A login succeeded.
    Login,
    /// A login failed: no such user, or a wrong password or second factor.
    LoginFailed,
    /// A login with the right password of a user who is inactive.
    LoginRefused,
    /// A token that was replaced long ago came back, and its session was ended.
    RefreshReplayed,
    /// A token of another program with the same secret was adopted.
    TokenAdopted,
    /// A session that had only tokens got a browser's cookie.
    BrowserSession,
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
    /// A client asked for a mail with which the user can set a new password.
    ResetRequested,
    /// The user gave a new e-mail address, which still needs confirmation.
    EmailProposed,
    /// The user followed the link in a mail: the e-mail address counts.
    EmailConfirmed,
    /// An administrator gave the user another e-mail address, or none.
    EmailSet,
    /// A mail could not be sent, and is not tried again.
    MailFailed,
    /// An administrator had a mail tried again.
    MailRetried,
    /// An administrator deleted a mail that was not sent.
    MailDropped,
    /// An administrator had a mail sent to see whether mail arrives.
    TestMail,
    /// A right password came without a code of the second factor.
    SecondFactorAsked,
    /// A user got the secret of a second factor, which does not count yet.
    SecondFactorEnrolled,
    /// The user confirmed the second factor: from now on it counts.
    SecondFactorOn,
    /// The user turned the second factor off.
    SecondFactorOff,
    /// An administrator or the operator turned it off.
    SecondFactorReset,
    /// A recovery code was used instead of the second factor.
    RecoveryCodeUsed,
    /// The user has other recovery codes.
    RecoveryCodesReplaced,
    /// A user got other roles.
    RolesChanged,
    /// A user was activated.
    Activated,
    /// A user was deactivated.
    Deactivated,
    /// A user's counter of failed logins was reset.
    Unlocked,
    /// A login came from an ip that the user had not used before.
    NewDevice,
    /// Too many logins failed in a row: from now on only a known device, a second factor, a mailed
    /// link or an administrator lets the user in.
    Guarded,
    /// An administrator made a link with which a user can set a new password.
    ResetLink,
    /// An administrator had such a link sent by mail.
    ResetMailed,
    /// An administrator made an invitation.
    Invited,
    /// An invitation was revoked.
    InvitationRevoked,
    /// The user, or the operator, made an app password.
    AppPasswordAdded,
    /// An app password was deleted.
    AppPasswordDeleted,
    /// An account was deleted.
    UserDeleted,
    /// A new key was added; it signs from now on.
    KeyRotated,
    /// A key no longer verifies.
    KeyRetired,
    /// A right password replaced a hash of another program by ours.
    HashReplaced,
    /// The operator brought accounts in from another program.
    UsersImported,
    /// The operator put a backup in the place of the database.
    DatabaseRestored,
}

impl Event {
    /// All events.
    #[rustfmt::skip]
    pub const ALL: [Event; 46] = [
        Event::Registration, Event::UserAdded, Event::Login, Event::LoginFailed,
        Event::LoginRefused, Event::RefreshReplayed, Event::TokenAdopted, Event::BrowserSession,
        Event::Logout, Event::LogoutEverywhere, Event::SessionEnded, Event::PasswordChanged,
        Event::PasswordReset,
        Event::ResetRequested, Event::EmailProposed, Event::EmailConfirmed, Event::EmailSet,
        Event::MailFailed, Event::MailRetried, Event::MailDropped, Event::TestMail,
        Event::SecondFactorAsked, Event::SecondFactorEnrolled, Event::SecondFactorOn,
        Event::SecondFactorOff, Event::SecondFactorReset, Event::RecoveryCodeUsed,
        Event::RecoveryCodesReplaced, Event::RolesChanged, Event::Activated, Event::Deactivated,
        Event::Unlocked, Event::NewDevice, Event::Guarded, Event::ResetLink, Event::ResetMailed,
        Event::Invited,
        Event::InvitationRevoked, Event::AppPasswordAdded, Event::AppPasswordDeleted,
        Event::UserDeleted, Event::KeyRotated, Event::KeyRetired, Event::HashReplaced,
        Event::UsersImported, Event::DatabaseRestored,
    ];

    // Long: one arm for each event.
    /// The stable name, as the audit, the log and `event.…` in `web/src/i18n` have it. A test of the
    /// web app reads these lines.
    pub fn name(self) -> &'static str {
        match self {
            Event::Registration => "registration",
            Event::UserAdded => "user-added",
            Event::Login => "login",
            Event::LoginFailed => "login-failed",
            Event::LoginRefused => "login-refused",
            Event::RefreshReplayed => "refresh-replayed",
            Event::TokenAdopted => "token-adopted",
            Event::BrowserSession => "browser-session",
            Event::Logout => "logout",
            Event::LogoutEverywhere => "logout-everywhere",
            Event::SessionEnded => "session-ended",
            Event::PasswordChanged => "password-changed",
            Event::PasswordReset => "password-reset",
            Event::ResetRequested => "reset-requested",
            Event::EmailProposed => "address-proposed",
            Event::EmailConfirmed => "address-confirmed",
            Event::EmailSet => "address-set",
            Event::MailFailed => "mail-failed",
            Event::MailRetried => "mail-retried",
            Event::MailDropped => "mail-dropped",
            Event::TestMail => "test-mail",
            Event::SecondFactorAsked => "second-factor-asked",
            Event::SecondFactorEnrolled => "second-factor-enrolled",
            Event::SecondFactorOn => "second-factor-on",
            Event::SecondFactorOff => "second-factor-off",
            Event::SecondFactorReset => "second-factor-reset",
            Event::RecoveryCodeUsed => "recovery-code-used",
            Event::RecoveryCodesReplaced => "recovery-codes-replaced",
            Event::RolesChanged => "roles-changed",
            Event::Activated => "activated",
            Event::Deactivated => "deactivated",
            Event::Unlocked => "unlocked",
            Event::NewDevice => "new-device",
            Event::Guarded => "guarded",
            Event::ResetLink => "reset-link",
            Event::ResetMailed => "reset-mailed",
            Event::Invited => "invited",
            Event::InvitationRevoked => "invitation-revoked",
            Event::AppPasswordAdded => "app-password-added",
            Event::AppPasswordDeleted => "app-password-deleted",
            Event::UserDeleted => "user-deleted",
            Event::KeyRotated => "key-rotated",
            Event::KeyRetired => "key-retired",
            Event::HashReplaced => "hash-replaced",
            Event::UsersImported => "users-imported",
            Event::DatabaseRestored => "database-restored",
        }
    }

    /// Whether it is a failed login. Strangers can cause any number of these.
    pub fn is_failed_login(self) -> bool {
        matches!(self, Event::LoginFailed | Event::LoginRefused | Event::SecondFactorAsked)
    }

    /// Whether the log has it as a warning.
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
    /// The user of the account, or a client that claims to be; from this ip, if it is known.
    User(Option<IpAddr>),
    /// The administrator with this id, from this ip.
    Admin(i64, Option<IpAddr>),
    /// The command line.
    Operator,
}

impl Actor {
    /// The administrator's id; `None` for anybody else.
    pub fn admin(self) -> Option<i64> {
        match self {
            Actor::Admin(id, _) => Some(id),
            Actor::User(_) | Actor::Operator => None,
        }
    }

    /// The ip that the request came from; `-` if it is not known, `None` if there was no request.
    pub fn ip(self) -> Option<String> {
        match self {
            Actor::User(ip) | Actor::Admin(_, ip) => {
                Some(ip.map_or_else(|| "-".into(), |ip| ip.to_string()))
            }
            Actor::Operator => None,
        }
    }
}

/// An audit entry that is to be kept.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// What happened.
    pub event: Event,
    /// Whose account, if that is known. The store fills in the id of a new account.
    pub user: Option<i64>,
    /// The account's name.
    pub name: Option<&'a str>,
    /// Who did it.
    pub actor: Actor,
    /// More, in words; no secret.
    pub detail: &'a str,
}

impl<'a> Entry<'a> {
    /// An entry about one account, with no detail.
    pub fn new(event: Event, user: i64, name: &'a str, actor: Actor) -> Entry<'a> {
        Entry { event, user: Some(user), name: Some(name), actor, detail: "" }
    }

    /// Writes the line in the log: for an entry that could not be kept. The others are logged after
    /// the commit.
    pub(super) fn log(&self) {
        log::log!(self.level(), "{self}");
    }

    /// The level of its line in the log.
    pub(super) fn level(&self) -> log::Level {
        if self.event.is_warning() { log::Level::Warn } else { log::Level::Info }
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
        if let Some(ip) = self.actor.ip() {
            write!(f, " from={ip}")?;
        }
        if !self.detail.is_empty() {
            write!(f, " ({})", self.detail.escape_debug())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_in_the_log() {
        let ip = Some(IpAddr::from([192, 0, 2, 7]));
        for (event, user, name, actor, detail, expected) in [
            (
                Event::Login,
                Some(1),
                Some("ada"),
                Actor::User(ip),
                "",
                "login user=ada id=1 from=192.0.2.7",
            ),
            (Event::LoginFailed, None, None, Actor::User(None), "", "login-failed from=-"),
            (
                Event::RolesChanged,
                Some(1),
                Some("a\nlogin user=b"),
                Actor::Admin(2, ip),
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
        assert!(Event::ALL.iter().enumerate().all(|(place, event)| *event as usize == place));
        let arms = include_str!("entry.rs").lines().filter_map(|line| line.split_once(" => \""));
        let arms = arms.filter(|(event, _)| event.trim_start().starts_with("Event::"));
        let mut names: Vec<&str> = arms.map(|(_, name)| name.trim_end_matches("\",")).collect();
        let count = names.len();
        assert!(count > 30 && names.contains(&Event::KeyRetired.name()), "{names:?}");
        assert_eq!(names, Event::ALL.map(Event::name));
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
