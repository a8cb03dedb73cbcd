//! Which clients an account knows, in memory: the IP addresses of its logins, and its devices. A
//! login asks here; the throttle counts a client that is known apart from strangers.
//!
//! | file | owns |
//! |---|---|
//! | `ips` | the IP addresses from which accounts were logged in to |
//! | `device` | the secret by which a device is known |
//!
//! A restart forgets the addresses, but no device. The store has the addresses of sessions that it
//! still keeps.

mod device;
mod ips;

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::Mutex;

use super::table::Key;
use super::{lock, seconds};
use crate::clock::Timestamp;
use crate::store::Familiarity;
use crate::values::{Email, Username};

pub(crate) use device::LIFESPAN as DEVICE_LIFESPAN;
pub use device::{Device, DeviceKeys, Devices};
use ips::KnownIps;

/// How an account knows the client of a login.
pub(super) enum Recognition<'a> {
    /// By this device.
    Device(&'a Device),
    /// By this IP address.
    Ip(IpAddr),
    /// Not at all.
    Stranger,
}

impl Recognition<'_> {
    /// Returns the same in the store's words.
    pub(super) fn familiarity(&self) -> Familiarity {
        match self {
            Recognition::Device(_) => Familiarity::Device,
            Recognition::Ip(_) => Familiarity::Ip,
            Recognition::Stranger => Familiarity::Stranger,
        }
    }
}

/// The clients that accounts know. Its memory is fixed: 300 kB, allocated when they are needed.
#[derive(Debug)]
pub(super) struct KnownClients {
    secret: RandomState,
    ips: Mutex<KnownIps>,
}

impl KnownClients {
    pub(super) fn new() -> KnownClients {
        KnownClients { secret: RandomState::new(), ips: Mutex::new(KnownIps::new()) }
    }

    /// Returns how an account knows a client. `login` is [canonical], `ip` is grouped; `device` is
    /// the account's device that the client has shown. An address counts if the account was logged
    /// in to from there later than `since`.
    pub(super) fn recognize<'a>(
        &self,
        login: &str,
        ip: Option<IpAddr>,
        device: Option<&'a Device>,
        since: Timestamp,
    ) -> Recognition<'a> {
        match (device, ip) {
            (Some(device), _) => Recognition::Device(device),
            (None, Some(ip)) if self.knows(login, ip, since) => Recognition::Ip(ip),
            _ => Recognition::Stranger,
        }
    }

    fn knows(&self, login: &str, ip: IpAddr, since: Timestamp) -> bool {
        lock(&self.ips).knows(self.key(login), self.key(ip), seconds(since))
    }

    /// Remembers that an account was logged in to from an address, at that time. `login` is
    /// [canonical], `ip` is grouped.
    pub(super) fn remember(&self, login: &str, ip: IpAddr, at: Timestamp) {
        lock(&self.ips).remember(self.key(login), self.key(ip), seconds(at));
    }

    fn key(&self, what: impl std::hash::Hash) -> Key {
        Key::of(&self.secret, what)
    }
}

/// Returns one text for all spellings of a login that reach the same account. The store looks them
/// up in this order: a text that can be an e-mail address is one. A text that is not even a valid
/// name stays as it is, since the answer must not tell whether the account exists.
pub(super) fn canonical(login: &str) -> String {
    match (Email::parse(login), Username::parse(login)) {
        (Ok(email), _) => email.key().to_owned(),
        (_, Ok(name)) => name.key().to_owned(),
        _ => login.to_owned(),
    }
}
