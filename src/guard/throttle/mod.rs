//! Protection against brute force: counts attempts, and makes the next one wait. An attempt counts
//! from the moment it is admitted, before its password is hashed, so attempts that run at the same
//! time count as well. Knows no request, no password and no clock.
//!
//! Nobody can lock another person out: waits are short, and a device or an IP address that the
//! account knows is counted apart from strangers.
//!
//! | file | owns |
//! |---|---|
//! | `policy` | the counters, and the numbers of each |
//! | `counters` | the table of counters, and the waits that follow from them |
//! | `attempt` | an attempt that was admitted, and its end |

mod attempt;
mod counters;
mod policy;
#[cfg(test)]
mod tests;

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Mutex;

use super::known::{Device, KnownClients, Recognition, canonical};
use super::lock;
use super::seconds;
use super::table::Key;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ip::grouped;
use crate::store::Familiarity;
use crate::values::{Email, Otp, Username};

use attempt::Attempt;
use counters::Counters;
use policy::Counter;

/// What can be guessed or flooded at an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// Nothing.
    None,
    /// A name and a password.
    Login,
    /// New accounts.
    Registration,
    /// Mails to an address that the client gives.
    Mail,
    /// The password or the second factor of the user who is logged in.
    Password,
    /// New app passwords of the user who is logged in.
    NewAppPassword,
}

/// Counts attempts. Its memory is fixed: counters for 16,384 IP addresses and as many accounts, and
/// the known addresses of 4,096 accounts and of as many app passwords; a megabyte, allocated when it is
/// needed.
#[derive(Debug)]
pub struct Attempts {
    on: bool,
    secret: RandomState,
    by_ip: Mutex<Counters>,
    by_account: Mutex<Counters>,
    known: KnownClients,
    /// From where app passwords were good. A table of its own: a user can make any number of them, and
    /// would push the addresses of others' logins out.
    known_apps: KnownClients,
}

impl Attempts {
    /// Makes the counters. If `on` is false, every attempt is admitted.
    pub fn new(on: bool) -> Attempts {
        Attempts {
            on,
            secret: RandomState::new(),
            by_ip: Mutex::new(Counters::new()),
            by_account: Mutex::new(Counters::new()),
            known: KnownClients::new(),
            known_apps: KnownClients::new(),
        }
    }

    /// Refuses a request whose IP address has to wait. Counts nothing: this runs before a request
    /// waits for a hashing thread; the method that admits the attempt runs on that thread.
    pub fn check_ip(
        &self,
        throttle: Throttle,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let counter = match (throttle, client.map(grouped)) {
            (Throttle::Login, Some(ip)) => Counter::LoginFailuresFrom(ip),
            (Throttle::Registration, Some(ip)) => Counter::RegistrationsFrom(ip),
            (Throttle::Mail, Some(ip)) => Counter::MailsFrom(ip),
            _ => return Ok(()),
        };
        self.check(&self.by_ip, &counter, now)
    }

    /// Refuses what has to wait by this counter. Counts nothing.
    fn check(
        &self,
        counters: &Mutex<Counters>,
        counter: &Counter<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !self.on {
            return Ok(());
        }
        match lock(counters).wait(self.key(counter), &counter.backoff(), seconds(now)) {
            0 => Ok(()),
            wait => Err(Error::TooManyRequests { wait }),
        }
    }

    /// Returns how well the account knows the client: by `device`, the account's device that the
    /// client has shown, or by an IP address from which it was logged in to later than `since`. The
    /// login of a known client is never refused because of what others try from its address.
    pub fn familiarity(
        &self,
        login: &str,
        client: Option<IpAddr>,
        device: Option<&Device>,
        since: Timestamp,
    ) -> Familiarity {
        let ip = client.map(grouped);
        self.known.recognize(&canonical(login), ip, device, since).familiarity()
    }

    /// Returns how many passwords may be wrong in a row; `None` for any number, if this is off.
    pub fn limit(&self, familiarity: Familiarity) -> Option<u32> {
        self.on.then(|| familiarity.limit())
    }

    /// Admits an attempt to log in, right before its password is hashed. `device` is the account's
    /// device that the client has shown. Failures at the account up to `unlocked` no longer count;
    /// addresses from which it was logged in to up to `since`, when all its sessions were ended,
    /// are strangers.
    pub fn login(
        &self,
        login: &str,
        client: Option<IpAddr>,
        device: Option<&Device>,
        (unlocked, since): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Attempt<'_>, Error> {
        let mut attempt = self.attempt(true);
        if !self.on {
            return Ok(attempt);
        }
        let login = canonical(login);
        let ip = client.map(grouped);
        let counter = match self.known.recognize(&login, ip, device, since) {
            Recognition::Device(device) => Counter::LoginFailuresOfDevice(device),
            Recognition::Ip(ip) => Counter::LoginFailuresFromKnownIp(&login, ip),
            Recognition::Stranger => {
                if let Some(ip) = ip {
                    attempt.count_by_ip(&Counter::LoginFailuresFrom(ip), now)?;
                }
                Counter::LoginFailuresOfStrangers(&login)
            }
        };
        attempt.count_by_account(&counter, unlocked, now)?;
        attempt.login = ip.map(|ip| (login, ip, now.after(since)));
        Ok(attempt)
    }

    /// Admits an app password, right before the store looks it up. `id` is its id there; `None` for
    /// a text that cannot be one. One that was good from this address before is always admitted: a
    /// program with an old one must not keep the other programs of a household out.
    pub fn app_password(
        &self,
        id: Option<&str>,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Error> {
        let mut attempt = self.attempt(false);
        let Some(ip) = client.map(grouped).filter(|_| self.on) else { return Ok(attempt) };
        let counted = attempt.count_by_ip(&Counter::WrongAppPasswordsFrom(ip), now);
        if !id.is_some_and(|id| self.is_known_app(id, ip)) {
            counted?;
        }
        attempt.app_password = id.map(|id| (id.to_owned(), ip, now));
        Ok(attempt)
    }

    /// Refuses an app password that would have to wait. Counts nothing: this runs before a request
    /// waits for a thread that asks the database.
    pub fn check_app_password(
        &self,
        id: &str,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let Some(ip) = client.map(grouped) else { return Ok(()) };
        let waits = self.check(&self.by_ip, &Counter::WrongAppPasswordsFrom(ip), now);
        waits.or_else(|waits| if self.is_known_app(id, ip) { Ok(()) } else { Err(waits) })
    }

    /// Whether an app password was good from this IP address.
    fn is_known_app(&self, id: &str, ip: IpAddr) -> bool {
        let found = self.known_apps.recognize(id, Some(ip), None, Timestamp(0));
        matches!(found, Recognition::Ip(_))
    }

    /// Refuses a user who has to wait before making another app password. Counts nothing.
    pub fn check_new_app_password(&self, user: i64, now: Timestamp) -> Result<(), Error> {
        self.check(&self.by_account, &Counter::NewAppPasswords(user), now)
    }

    /// Admits a new app password of a user.
    pub fn new_app_password(&self, user: i64, now: Timestamp) -> Result<Attempt<'_>, Error> {
        let mut attempt = self.attempt(false);
        attempt.count_by_account(&Counter::NewAppPasswords(user), Timestamp(0), now)?;
        Ok(attempt)
    }

    /// Admits an attempt of a user who is logged in to confirm the password.
    pub fn password(&self, user: i64, now: Timestamp) -> Result<Attempt<'_>, Error> {
        let mut attempt = self.attempt(false);
        attempt.count_by_account(&Counter::WrongPasswords(user), Timestamp(0), now)?;
        Ok(attempt)
    }

    /// Admits a one-time password of a user who has shown the password. Codes and recovery codes
    /// are counted apart, and a right password clears neither count: the owner gets in with a
    /// recovery code while another person guesses codes. Failures up to `unlocked` no longer count.
    pub fn second_factor(
        &self,
        user: i64,
        otp: &Otp,
        unlocked: Timestamp,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Error> {
        let counter = match otp {
            Otp::Totp(_) => Counter::WrongCodes(user),
            Otp::Recovery(_) => Counter::WrongRecoveryCodes(user),
        };
        let mut attempt = self.attempt(true);
        attempt.count_by_account(&counter, unlocked, now)?;
        Ok(attempt)
    }

    /// Admits a registration, right before its password is hashed.
    pub fn registration(&self, client: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        let Some(client) = client else { return Ok(()) };
        self.attempt(false).count_by_ip(&Counter::RegistrationsFrom(grouped(client)), now)
    }

    /// Admits a registration with the name of an account that waits for its confirmation, right before
    /// the passwords are compared.
    pub fn waiting_registration(
        &self,
        name: &str,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Error> {
        let mut attempt = self.attempt(true);
        let counter = Counter::WrongRegistrations(&canonical(name), client.map(grouped));
        attempt.count_by_account(&counter, Timestamp(0), now)?;
        Ok(attempt)
    }

    /// Admits a mail that confirms an e-mail address which the client has given.
    pub fn mail(&self, to: &Email, client: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        self.count_mail(&Counter::ConfirmationMailsTo(to.key()), client, now)
    }

    /// Admits a mail that resets the password of the user with this e-mail address.
    pub fn reset(&self, to: &Email, client: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        self.count_mail(&Counter::ResetMailsTo(to.key()), client, now)
    }

    fn count_mail(
        &self,
        to: &Counter<'_>,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut attempt = self.attempt(false);
        if let Some(client) = client {
            attempt.count_by_ip(&Counter::MailsFrom(grouped(client)), now)?;
        }
        attempt.count_by_account(to, Timestamp(0), now)
    }

    /// Remembers the IP address of the client that has registered an account or set its new
    /// password: it is the owner. `at` is [after](Timestamp::after) the time when the earlier
    /// sessions were ended.
    pub fn remember_ip(&self, name: &Username, client: Option<IpAddr>, at: Timestamp) {
        if let Some(client) = client
            && self.on
        {
            self.known.remember(&canonical(name.as_str()), grouped(client), at);
        }
    }

    fn attempt(&self, clears: bool) -> Attempt<'_> {
        Attempt::new(self, clears)
    }

    fn key(&self, counter: &Counter<'_>) -> Key {
        Key::of(&self.secret, counter)
    }
}
