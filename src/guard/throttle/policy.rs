//! The policy of the throttle: the counters, and how the waits of each grow. `docs/throttling.md`
//! documents these numbers, and a test compares the two.

use std::net::IpAddr;

use super::counters::Backoff;
use crate::guard::known::Device;

/// A counter, with what it counts by.
#[derive(Hash)]
pub(super) enum Counter<'a> {
    /// Failed logins from an IP address to any account.
    LoginFailuresFrom(IpAddr),
    /// Failed logins to an account from all clients that it does not know.
    LoginFailuresOfStrangers(&'a str),
    /// Failed logins to an account from an IP address that it knows.
    LoginFailuresFromKnownIp(&'a str, IpAddr),
    /// Failed logins from a device to the account that knows it.
    LoginFailuresOfDevice(&'a Device),
    /// Wrong passwords of a user who is logged in.
    WrongPasswords(i64),
    /// Wrong codes of a user's second factor, from all clients that know the password.
    WrongCodes(i64),
    /// Wrong recovery codes of a user, from the same clients.
    WrongRecoveryCodes(i64),
    /// Wrong app passwords from an IP address.
    WrongAppPasswordsFrom(IpAddr),
    /// New app passwords of a user. Each is written to the audit, and deleting one makes room.
    NewAppPasswords(i64),
    /// Registrations from an IP address, successful or not.
    RegistrationsFrom(IpAddr),
    /// Wrong passwords for the name of a registration that waits for its confirmation, from an IP
    /// address. Another address would delay the owner; a count of failed logins would show there
    /// that the name waits.
    WrongRegistrations(&'a str, Option<IpAddr>),
    /// Mails that an IP address causes, to any mailbox.
    MailsFrom(IpAddr),
    /// Confirmation mails to a mailbox from all clients, whether it is a user's or not.
    ConfirmationMailsTo(&'a str),
    /// Reset mails to a mailbox, likewise. Counted apart: a stranger who registers with the owner's
    /// e-mail address does not delay the owner's reset.
    ResetMailsTo(&'a str),
}

impl Counter<'_> {
    /// Returns how the waits of this counter grow and fade.
    pub(super) const fn backoff(&self) -> Backoff {
        let (free, first, longest, decay) = match self {
            Counter::LoginFailuresFrom(_) => (20, 1, 60, 60),
            // The longest wait is shorter than that of an IP address: one stranger alone cannot
            // take every turn at an account.
            Counter::LoginFailuresOfStrangers(_) => (5, 1, 30, 120),
            Counter::LoginFailuresFromKnownIp(..) => (10, 1, 30, 60),
            Counter::LoginFailuresOfDevice(_) => (10, 1, 30, 60),
            Counter::WrongPasswords(_) => (5, 1, 30, 60),
            // There are only a million codes, three of which are right at a time. Only a client
            // that knows the password can keep the owner waiting, and recovery codes are counted
            // apart.
            Counter::WrongCodes(_) => (5, 1, 3_600, 3_600),
            // A recovery code cannot be guessed: this limits the work, and the waits stay short for
            // the owner.
            Counter::WrongRecoveryCodes(_) => (10, 1, 60, 60),
            // None can be guessed: this limits the work.
            Counter::WrongAppPasswordsFrom(_) => (20, 1, 60, 60),
            // As many as a user can have.
            Counter::NewAppPasswords(_) => (50, 60, 60, 60),
            // A whole class of pupils registers at once.
            Counter::RegistrationsFrom(_) => (30, 1, 300, 300),
            Counter::WrongRegistrations(..) => (5, 1, 300, 300),
            Counter::MailsFrom(_) => (30, 1, 300, 300),
            // Enough for a user who looks into the wrong mailbox first; a flood is one mail an
            // hour.
            Counter::ConfirmationMailsTo(_) | Counter::ResetMailsTo(_) => (5, 60, 3_600, 3_600),
        };
        Backoff { free, first, longest, decay }
    }

    /// Logs that the next attempt has to wait, for the counters that show an attack.
    pub(super) fn log_limit(&self) {
        match self {
            Counter::RegistrationsFrom(ip) => {
                log::warn!("many registrations from {ip}: the next ones have to wait");
            }
            Counter::MailsFrom(ip) => {
                log::warn!("many mails asked for from {ip}: the next ones have to wait");
            }
            Counter::WrongAppPasswordsFrom(ip) => {
                log::warn!("many wrong app passwords from {ip}: the next ones have to wait");
            }
            Counter::LoginFailuresFrom(ip) => {
                log::warn!("many failed logins from {ip}: the next ones have to wait");
            }
            // The log does not name the account: people type their password where the name belongs.
            Counter::LoginFailuresOfStrangers(_) => {
                log::warn!("many failed logins to one account: the next ones have to wait");
            }
            _ => {}
        }
    }
}
