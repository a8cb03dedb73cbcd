//! Brute force: how often what may be tried, by whom. Counts before a password is hashed, so that
//! what runs at the same time counts too. Knows no request, no password and no clock.
//!
//! Nobody can lock another person out: waits are short, and neither a device that has logged in to
//! the account nor an address from which somebody has is counted with strangers.

use std::hash::RandomState;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::device::Device;
use super::familiar::Familiar;
use super::table::Key;
use super::tally::{Pace, Tally};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ip::grouped;
use crate::store::Familiarity;
use crate::values::{Email, Username};

/// What an endpoint is for, as far as guessing is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Throttle {
    /// Nothing to guess.
    None,
    /// A name and a password.
    Login,
    /// New accounts.
    Registration,
    /// Mails to whatever address somebody gives.
    Mail,
    /// Somebody who is logged in shows that they know their password, or have a second factor.
    Password,
}

/// What is counted.
#[derive(Hash)]
enum Counted<'a> {
    /// Logins that failed, by address, whatever the account.
    FailuresFrom(IpAddr),
    /// The same by account, from all addresses that are strange to it.
    FailuresAt(&'a str),
    /// The same by account and address, where the account was logged in to from there before.
    FailuresOfFamiliar(&'a str, IpAddr),
    /// The same by device, where it has shown the secret that it got at an earlier login.
    FailuresOfDevice(&'a Device),
    /// Wrong passwords of somebody who is logged in.
    FailuresOf(i64),
    /// Wrong codes of a second factor, by who knows the password, wherever they come from.
    CodesOf(i64),
    /// Wrong recovery codes, by the same.
    RecoveryCodesOf(i64),
    /// Registrations, whatever comes of them.
    RegistrationsFrom(IpAddr),
    /// Mails that somebody causes, to whatever address, by where they are.
    MailsFrom(IpAddr),
    /// Mails that confirm an address, to that address, whoever causes them and whether anybody has
    /// it.
    MailsTo(&'a str),
    /// The same of mails that reset a password. Counted apart, so that a stranger who registers
    /// with the owner's address does not hold up the owner's reset.
    ResetsTo(&'a str),
}

/// The limits. docs/throttling.md has the same table; a test compares the two.
const fn pace(counted: &Counted<'_>) -> Pace {
    let (free, first, longest, forgets) = match counted {
        Counted::FailuresFrom(_) => (20, 1, 60, 60),
        // Shorter than for an address: one stranger alone cannot take every turn.
        Counted::FailuresAt(_) => (5, 1, 30, 120),
        Counted::FailuresOfFamiliar(..) => (10, 1, 30, 60),
        Counted::FailuresOfDevice(_) => (10, 1, 30, 60),
        Counted::FailuresOf(_) => (5, 1, 30, 60),
        // A code has only a million values, three of which are good at a time. To keep the owner
        // waiting, somebody must know the password; and recovery codes are counted apart.
        Counted::CodesOf(_) => (5, 1, 3_600, 3_600),
        // Nobody guesses one: this bounds the work, and the waits stay short for the owner.
        Counted::RecoveryCodesOf(_) => (10, 1, 60, 60),
        // A class of pupils registers at once.
        Counted::RegistrationsFrom(_) => (30, 1, 300, 300),
        Counted::MailsFrom(_) => (30, 1, 300, 300),
        // Enough for whoever looks into the wrong mailbox first; a flood is one mail an hour.
        Counted::MailsTo(_) | Counted::ResetsTo(_) => (5, 60, 3_600, 3_600),
    };
    Pace { free, first, longest, forgets }
}

/// Counts attempts. Its memory is fixed: 16,384 addresses, as many accounts, and where 4,096
/// accounts were logged in to from; two thirds of a megabyte in all, none of it before it is needed.
#[derive(Debug)]
pub struct Attempts {
    on: bool,
    secret: RandomState,
    addresses: Mutex<Tally>,
    accounts: Mutex<Tally>,
    familiar: Mutex<Familiar>,
}

impl Attempts {
    /// One that counts; or, if it is off, lets everything pass.
    pub fn new(on: bool) -> Attempts {
        Attempts {
            on,
            secret: RandomState::new(),
            addresses: Mutex::new(Tally::new()),
            accounts: Mutex::new(Tally::new()),
            familiar: Mutex::new(Familiar::new()),
        }
    }

    /// Refuses a request that has to wait because of where it comes from. Counts nothing: it is
    /// asked before a request may wait for a hashing thread, and again, with the counting, when
    /// it has got one.
    pub fn look(
        &self,
        throttle: Throttle,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let counted = match (throttle, client.map(grouped)) {
            (Throttle::Login, Some(from)) => Counted::FailuresFrom(from),
            (Throttle::Registration, Some(from)) => Counted::RegistrationsFrom(from),
            (Throttle::Mail, Some(from)) => Counted::MailsFrom(from),
            _ => return Ok(()),
        };
        if !self.on {
            return Ok(());
        }
        match lock(&self.addresses).wait(self.key(&counted), &pace(&counted), seconds(now)) {
            0 => Ok(()),
            wait => Err(Error::TooManyRequests { wait }),
        }
    }

    /// Whether somebody has logged in to this account from there, later than `since`. Such a login
    /// is never refused because of what others try from the same address.
    pub fn familiar(&self, login: &str, client: Option<IpAddr>, since: Timestamp) -> bool {
        client.is_some_and(|client| self.knows(&canonical(login), grouped(client), since))
    }

    /// How many passwords may be wrong in a row; any number if it is off.
    pub fn limit(&self, familiarity: Familiarity) -> Option<u32> {
        self.on.then(|| familiarity.limit())
    }

    /// Admits an attempt to log in, right before its password is hashed. `device` is one that is
    /// known to the account, whose sessions up to `since` were ended together. Failures at the
    /// account from up to `unlocked` are forgotten.
    pub fn login(
        &self,
        login: &str,
        client: Option<IpAddr>,
        device: Option<&Device>,
        (unlocked, since): (Timestamp, Timestamp),
        now: Timestamp,
    ) -> Result<Attempt<'_>, Error> {
        let login = canonical(login);
        let from = client.map(grouped);
        let mut attempt = self.attempt(true);
        if !self.on {
            return Ok(attempt);
        }
        let at = seconds(now.after(since));
        attempt.greet = from.map(|from| (self.key(&login), self.key(from), at));
        let counted = match (device, from) {
            (Some(device), _) => Counted::FailuresOfDevice(device),
            (_, Some(from)) if self.knows(&login, from, since) => {
                Counted::FailuresOfFamiliar(&login, from)
            }
            (_, from) => {
                if let Some(from) = from {
                    attempt.address = Some(self.charge_address(&Counted::FailuresFrom(from), now)?);
                }
                Counted::FailuresAt(&login)
            }
        };
        self.charge_account(&counted, unlocked, now, attempt)
    }

    /// Admits an attempt of somebody who is logged in to show that they know their password.
    pub fn password(&self, user: i64, now: Timestamp) -> Result<Attempt<'_>, Error> {
        let attempt = self.attempt(false);
        if !self.on {
            return Ok(attempt);
        }
        self.charge_account(&Counted::FailuresOf(user), Timestamp(0), now, attempt)
    }

    /// Admits a code of a user's second factor, from somebody who has shown that they know the
    /// password. A right password does not clear this count.
    pub fn code(
        &self,
        user: i64,
        unlocked: Timestamp,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Error> {
        let attempt = self.attempt(true);
        if !self.on {
            return Ok(attempt);
        }
        self.charge_account(&Counted::CodesOf(user), unlocked, now, attempt)
    }

    /// Admits a recovery code of a user, from somebody who has shown that they know the password.
    pub fn recovery_code(
        &self,
        user: i64,
        unlocked: Timestamp,
        now: Timestamp,
    ) -> Result<Attempt<'_>, Error> {
        let attempt = self.attempt(true);
        if !self.on {
            return Ok(attempt);
        }
        self.charge_account(&Counted::RecoveryCodesOf(user), unlocked, now, attempt)
    }

    /// Admits a registration, right before its password is hashed.
    pub fn registration(&self, client: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        match client {
            Some(client) if self.on => {
                self.charge_address(&Counted::RegistrationsFrom(grouped(client)), now).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Admits a mail that confirms an address which somebody has given.
    pub fn mail(&self, to: &Email, client: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        self.mail_counted(&Counted::MailsTo(to.key()), client, now)
    }

    /// Admits a mail that resets the password of whoever has the address.
    pub fn reset(&self, to: &Email, client: Option<IpAddr>, now: Timestamp) -> Result<(), Error> {
        self.mail_counted(&Counted::ResetsTo(to.key()), client, now)
    }

    fn mail_counted(
        &self,
        to: &Counted<'_>,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let mut attempt = self.attempt(false);
        if !self.on {
            return Ok(());
        }
        if let Some(client) = client {
            let counted = Counted::MailsFrom(grouped(client));
            attempt.address = Some(self.charge_address(&counted, now)?);
        }
        self.charge_account(to, Timestamp(0), now, attempt).map(drop)
    }

    /// A new account was made from there, or a new password set: its owner is no stranger. `at` is
    /// [after](Timestamp::after) what ended the sessions from before.
    pub fn welcome(&self, name: &Username, client: Option<IpAddr>, at: Timestamp) {
        if let Some(client) = client
            && self.on
        {
            let account = self.key(canonical(name.as_str()));
            lock(&self.familiar).remember(account, self.key(grouped(client)), seconds(at));
        }
    }

    fn attempt(&self, clears: bool) -> Attempt<'_> {
        Attempt { attempts: self, address: None, account: None, clears, greet: None }
    }

    fn charge_address(&self, counted: &Counted<'_>, now: Timestamp) -> Result<(Key, Pace), Error> {
        let (key, pace) = (self.key(counted), pace(counted));
        let charged = lock(&self.addresses).charge(key, &pace, seconds(now));
        match charged {
            Ok(false) => Ok((key, pace)),
            Ok(true) => {
                match counted {
                    Counted::RegistrationsFrom(from) => {
                        log::warn!("many registrations from {from}: the next ones have to wait");
                    }
                    Counted::MailsFrom(from) => {
                        log::warn!("many mails asked for from {from}: the next ones have to wait");
                    }
                    Counted::FailuresFrom(from) => {
                        log::warn!("many failed logins from {from}: the next ones have to wait");
                    }
                    _ => {}
                }
                Ok((key, pace))
            }
            Err(wait) => Err(Error::TooManyRequests { wait }),
        }
    }

    /// What was charged before is given back when this refuses: nothing was tried.
    fn charge_account<'a>(
        &'a self,
        counted: &Counted<'_>,
        unlocked: Timestamp,
        now: Timestamp,
        mut attempt: Attempt<'a>,
    ) -> Result<Attempt<'a>, Error> {
        let (key, pace) = (self.key(counted), pace(counted));
        let mut accounts = lock(&self.accounts);
        // A time that is yet to come is that of a clock that was set back since.
        if unlocked <= now {
            accounts.clear_until(key, seconds(unlocked));
        }
        let charged = accounts.charge(key, &pace, seconds(now));
        drop(accounts);
        match charged {
            Ok(slowed) => {
                if slowed && matches!(counted, Counted::FailuresAt(_)) {
                    // Not which one: people type their password where the name belongs.
                    log::warn!("many failed logins to one account: the next ones have to wait");
                }
                attempt.account = Some((key, pace));
                Ok(attempt)
            }
            Err(wait) => {
                attempt.withdrawn();
                Err(Error::TooManyRequests { wait })
            }
        }
    }

    fn knows(&self, login: &str, from: IpAddr, since: Timestamp) -> bool {
        lock(&self.familiar).knows(self.key(login), self.key(from), seconds(since))
    }

    fn key(&self, what: impl std::hash::Hash) -> Key {
        Key::of(&self.secret, what)
    }
}

/// An attempt that was admitted, and counts as failed until it turns out otherwise.
#[derive(Debug)]
#[must_use = "an attempt counts as failed unless it is said how it went"]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    address: Option<(Key, Pace)>,
    account: Option<(Key, Pace)>,
    /// Whether success forgets the account's failures.
    clears: bool,
    /// Account and address that are no strangers if it succeeds, and since when.
    greet: Option<(Key, Key, u32)>,
}

impl Attempt<'_> {
    /// Says how it went. A guess that was wrong stays counted. What failed for another reason is
    /// no guess: the code of a second factor is still to come, or the store does not answer.
    pub fn end<T>(self, outcome: Result<T, Error>) -> Result<T, Error> {
        match &outcome {
            Ok(_) => self.succeeded(),
            Err(Error::Authentication | Error::WrongPassword | Error::WrongOtp) => {}
            Err(_) => self.withdrawn(),
        }
        outcome
    }

    /// After a login, failures at the account are forgotten, and wrong codes after a right one.
    /// Those of the address are not, or whoever has an account could try another's for ever; nor
    /// those of somebody who is logged in, whom a token alone may have let in.
    fn succeeded(self) {
        if let (true, Some((key, _))) = (self.clears, self.account) {
            lock(&self.attempts.accounts).clear(key);
        }
        if let Some((account, address, at)) = self.greet {
            lock(&self.attempts.familiar).remember(account, address, at);
        }
        self.withdrawn();
    }

    /// It does not count.
    fn withdrawn(self) {
        if let Some((key, pace)) = self.address {
            lock(&self.attempts.addresses).refund(key, &pace);
        }
        if let Some((key, pace)) = self.account {
            lock(&self.attempts.accounts).refund(key, &pace);
        }
    }
}

/// One text for all spellings that reach the same account, in the order in which the store looks:
/// what can be an address is one. What is no name is counted as it is: the answer must not tell
/// whether there is such an account.
fn canonical(login: &str) -> String {
    match (Email::parse(login), Username::parse(login)) {
        (Ok(email), _) => email.key().to_owned(),
        (_, Ok(name)) => name.key().to_owned(),
        _ => login.to_owned(),
    }
}

/// Seconds since the epoch; until 2106, like the times in a token.
fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.0.max(0)).unwrap_or(u32::MAX)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::Devices;
    use super::*;

    const START: i64 = 1_800_000_000;

    fn ip(text: &str) -> Option<IpAddr> {
        (text != "-").then(|| text.parse().unwrap())
    }

    /// How an admitted attempt goes on.
    #[derive(Clone, Copy, PartialEq)]
    enum Then {
        Fails,
        Succeeds,
        Withdrawn,
    }
    use Then::{Fails, Succeeds, Withdrawn};

    fn login(attempts: &Attempts, name: &str, from: &str, at: i64, then: Then) -> Result<(), u32> {
        login_of(attempts, name, from, None, at, then)
    }

    fn login_of(
        attempts: &Attempts,
        name: &str,
        from: &str,
        device: Option<&Device>,
        at: i64,
        then: Then,
    ) -> Result<(), u32> {
        let (never, now) = (Timestamp(0), Timestamp(START + at));
        match (attempts.login(name, ip(from), device, (never, never), now), then) {
            (Ok(attempt), Fails) => drop(attempt.end::<()>(Err(Error::Authentication))),
            (Ok(attempt), Succeeds) => drop(attempt.end(Ok(()))),
            (Ok(attempt), Withdrawn) => drop(attempt.end::<()>(Err(Error::SecondFactorRequired))),
            (Err(Error::TooManyRequests { wait }), _) => return Err(wait),
            (Err(other), _) => panic!("{other:?}"),
        }
        Ok(())
    }

    /// So many attempts at that second, or as long as they are admitted.
    fn many(attempts: &Attempts, name: &str, from: &str, at: i64, count: usize) -> usize {
        (0..count).take_while(|_| login(attempts, name, from, at, Fails).is_ok()).count()
    }

    /// Takes every turn that it gets for `seconds`; how many that were.
    fn hammer(attempts: &Attempts, name: &str, from: &str, at: i64, seconds: i64) -> usize {
        (at..at + seconds).map(|at| many(attempts, name, from, at, 1_000)).sum()
    }

    #[test]
    fn an_account_has_five_free_tries_then_waits_grow() {
        let attempts = Attempts::new(true);
        for (at, then, expected) in [
            (0, Fails, Ok(())),
            (0, Fails, Ok(())),
            (0, Withdrawn, Ok(())),
            (1, Fails, Ok(())),
            (1, Fails, Ok(())),
            (1, Fails, Ok(())),
            (1, Succeeds, Err(1)),
            (2, Fails, Ok(())),
            (2, Succeeds, Err(2)),
            (4, Fails, Ok(())),
            (4, Succeeds, Err(4)),
            (8, Fails, Ok(())),
            (16, Fails, Ok(())),
            (16, Succeeds, Err(16)),
            (32, Fails, Ok(())),
            (32, Succeeds, Err(30)),
            (62, Succeeds, Ok(())),
        ] {
            let got = login(&attempts, "ada", "192.0.2.1", at, then);
            assert_eq!(got, expected, "at {at}");
        }
        // The success cleared the account, and it is known there now.
        assert_eq!(many(&attempts, "ada", "192.0.2.1", 62, 99), 10);
    }

    #[test]
    fn an_address_has_twenty_free_tries_at_all_accounts_together() {
        let attempts = Attempts::new(true);
        let from = "192.0.2.1";
        for number in 0..20 {
            assert_eq!(login(&attempts, &format!("user-{number}"), from, 0, Fails), Ok(()));
        }
        assert_eq!(login(&attempts, "another", from, 0, Fails), Err(1));
        let look = |from: &str, at| {
            attempts.look(Throttle::Login, ip(from), Timestamp(START + at)).map_err(|e| e.message())
        };
        assert!(look(from, 0).is_err());
        assert_eq!(look(from, 1), Ok(()));
        assert_eq!(look("192.0.2.2", 0), Ok(()));
        assert_eq!(look("-", 0), Ok(()));
        assert!(attempts.look(Throttle::Registration, ip(from), Timestamp(START)).is_ok());
        assert!(attempts.look(Throttle::None, ip(from), Timestamp(START)).is_ok());
        // An attempt that the account refuses is none for the address.
        let attempts = Attempts::new(true);
        assert_eq!(many(&attempts, "ada", "192.0.2.2", 0, 99), 5);
        for _ in 0..99 {
            assert_eq!(login(&attempts, "ada", from, 0, Fails), Err(1));
        }
        assert_eq!(login(&attempts, "bob", from, 0, Fails), Ok(()));
    }

    #[test]
    fn ones_own_success_does_not_pay_for_tries_at_others() {
        let attempts = Attempts::new(true);
        let mut tried = 0;
        for round in 0..1_000 {
            let _ = login(&attempts, "mallory", "192.0.2.1", round, Succeeds);
            tried += many(&attempts, &format!("user-{round}"), "192.0.2.1", round, 1);
        }
        assert!(tried < 20 + 6 + 1_000 / 60, "{tried}");
    }

    #[test]
    fn a_stranger_does_not_delay_the_owner() {
        let attempts = Attempts::new(true);
        assert_eq!(login(&attempts, "Ada", "2001:db8::1", 0, Succeeds), Ok(()));
        let strangers: Vec<String> = (0..50).map(|n| format!("192.0.2.{n}")).collect();
        let mut admitted = 0;
        for at in 1..1_000 {
            for stranger in &strangers {
                admitted += many(&attempts, "ada", stranger, at, 9);
            }
            assert_eq!(login(&attempts, "ada", "2001:db8::2", at, Succeeds), Ok(()), "at {at}");
        }
        assert!(admitted < 5 + 5 + 1_000 / 30, "{admitted}");
        // What is tried from the owner's own network is counted apart, and waits as well.
        assert_eq!(many(&attempts, "ada", "2001:db8::3", 1_000, 99), 10);
        assert!(hammer(&attempts, "ada", "2001:db8::3", 1_001, 3_600) < 6 + 3_600 / 30);
        // From elsewhere the owner waits for a turn, and one stranger does not take them all.
        let attempts = Attempts::new(true);
        hammer(&attempts, "ada", "192.0.2.1", 0, 3_600);
        let turn = (3_600..3_700).find(|&at| {
            many(&attempts, "ada", "192.0.2.1", at, 9);
            login(&attempts, "ada", "198.51.100.1", at, Succeeds).is_ok()
        });
        assert!(turn.is_some_and(|at| at <= 3_600 + 60), "{turn:?}");
    }

    #[test]
    fn who_shares_the_address_of_an_attacker_is_not_delayed() {
        let attempts = Attempts::new(true);
        let office = "192.0.2.1";
        attempts.welcome(&Username::parse("Ada").unwrap(), ip(office), Timestamp(START));
        for number in 0..99 {
            let _ = login(&attempts, &format!("user-{number}"), office, 0, Fails);
        }
        assert!(attempts.look(Throttle::Login, ip(office), Timestamp(START)).is_err());
        assert!(attempts.familiar("ADA", ip(office), Timestamp(0)));
        assert!(!attempts.familiar("bob", ip(office), Timestamp(0)));
        assert!(!attempts.familiar("ada", ip("192.0.2.2"), Timestamp(0)));
        assert!(!attempts.familiar("ada", None, Timestamp(0)));
        assert_eq!(login(&attempts, "ada", office, 0, Succeeds), Ok(()));
        assert_eq!(login(&attempts, "bob", office, 0, Succeeds), Err(1));
    }

    #[test]
    fn who_shares_the_address_of_the_owner_does_not_delay_a_known_device() {
        let attempts = Attempts::new(true);
        let office = "192.0.2.1";
        attempts.welcome(&Username::parse("ada").unwrap(), ip(office), Timestamp(START));
        let now = Timestamp(START);
        let device = |user| {
            Devices::default().renewed(user, None, now).unwrap().of(user, Timestamp(0)).unwrap()
        };
        let (hers, other) = (device(1), device(1));
        let mut taken = 0;
        for at in 0..1_000 {
            taken += many(&attempts, "ada", office, at, 9);
            let got = login_of(&attempts, "ada", office, Some(&hers), at, Succeeds);
            assert_eq!(got, Ok(()), "at {at}");
        }
        assert!(taken < 10 + 6 + 1_000 / 30, "{taken}");
        // Whoever has stolen one is slowed down, and slows down nobody else.
        let tries = |device, at| login_of(&attempts, "ada", office, Some(device), at, Fails);
        assert_eq!((0..99).filter(|_| tries(&hers, 2_000).is_ok()).count(), 10);
        let later = (2_001..5_601).filter(|&at| tries(&hers, at).is_ok()).count();
        assert!(later < 6 + 3_600 / 30, "{later}");
        assert!(tries(&other, 5_601).is_ok());
    }

    #[test]
    fn spellings_and_addresses_that_are_one() {
        for (ours, theirs) in [
            (("ada", "192.0.2.1"), ("ADA", "::ffff:192.0.2.1")),
            (("j\u{fc}rgen", "2001:db8::1"), ("Ju\u{308}rgen", "2001:db8::ffff:1")),
            (("ada@mail.example", "192.0.2.1"), ("Ada@Mail.Example", "192.0.2.9")),
            (("\u{ff21}da", "192.0.2.1"), ("ada", "-")),
            (("not a name", "-"), ("not a name", "192.0.2.1")),
        ] {
            let attempts = Attempts::new(true);
            assert_eq!(many(&attempts, ours.0, ours.1, 0, 99), 5);
            assert_eq!(login(&attempts, theirs.0, theirs.1, 0, Fails), Err(1), "{theirs:?}");
            assert_eq!(login(&attempts, "another", theirs.1, 0, Fails), Ok(()));
        }
        let attempts = Attempts::new(true);
        for number in 0..20 {
            let from = format!("2001:db8:1:2:{number}::");
            assert_eq!(login(&attempts, &number.to_string(), &from, 0, Fails), Ok(()));
        }
        assert_eq!(login(&attempts, "x", "2001:db8:1:2:ffff::1", 0, Fails), Err(1));
        assert_eq!(login(&attempts, "x", "2001:db8:1:3::1", 0, Fails), Ok(()));
    }

    #[test]
    fn an_account_had_a_count_for_each_spelling_of_its_domain() {
        let spellings = [
            "ada@b\u{fc}cher.example",
            "ada@xn--bcher-kva.example",
            "Ada@B\u{dc}CHER.example",
            "ada@bu\u{308}cher.Example",
            "ada@XN--BCHER-KVA.example",
            "ada@\u{ff42}\u{fc}cher.exam\u{ff50}le",
        ];
        for first in spellings {
            let attempts = Attempts::new(true);
            assert_eq!(many(&attempts, first, "192.0.2.1", 0, 99), 5);
            for other in spellings {
                assert_eq!(login(&attempts, other, "192.0.2.2", 0, Fails), Err(1), "{other}");
            }
        }
        // Another mailbox.
        let attempts = Attempts::new(true);
        assert_eq!(many(&attempts, "mike@example.org", "192.0.2.1", 0, 99), 5);
        assert_eq!(login(&attempts, "mi\u{212a}e@example.org", "192.0.2.2", 0, Fails), Ok(()));
        // An account whose name is an address, from before that was refused.
        attempts.welcome(
            &Username::parse("Ada@B\u{fc}cher.example").unwrap(),
            ip("192.0.2.3"),
            Timestamp(START),
        );
        assert!(attempts.familiar("ada@B\u{dc}cher.example", ip("192.0.2.3"), Timestamp(0)));
    }

    #[test]
    fn what_runs_at_the_same_time_counts() {
        let attempts = Attempts::new(true);
        let admitted: usize = std::thread::scope(|scope| {
            let tries = |_| scope.spawn(|| many(&attempts, "ada", "192.0.2.1", 0, 99));
            let threads: Vec<_> = (0..8).map(tries).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(admitted, 5);
    }

    #[test]
    fn an_administrator_unlocks_an_account() {
        let attempts = Attempts::new(true);
        let admitted = |unlocked: i64, at: i64| {
            let (unlocked, now) = (Timestamp(START + unlocked), Timestamp(START + at));
            attempts.login("ada", None, None, (unlocked, Timestamp(0)), now).is_ok()
        };
        assert_eq!(many(&attempts, "ada", "-", 10, 99), 5);
        assert!(!admitted(9, 10));
        assert!(!admitted(11, 10), "a time that is yet to come");
        assert!(admitted(10, 10));
        assert_eq!(many(&attempts, "ada", "-", 11, 99), 4);
        assert!(!admitted(10, 11), "it is done once");
    }

    #[test]
    fn registrations_and_passwords() {
        let attempts = Attempts::new(true);
        let register =
            |from: &str, at| attempts.registration(ip(from), Timestamp(START + at)).is_ok();
        assert_eq!((0..99).filter(|_| register("192.0.2.1", 0)).count(), 30);
        assert!(attempts.look(Throttle::Registration, ip("192.0.2.1"), Timestamp(START)).is_err());
        assert!(attempts.look(Throttle::Login, ip("192.0.2.1"), Timestamp(START)).is_ok());
        assert!(register("192.0.2.2", 0));
        assert!(register("-", 0));
        let day = (0..24 * 3600).filter(|&at| register("192.0.2.1", at)).count();
        assert!(day < 10 + 24 * 3600 / 300, "{day}");

        let password = |user, at| attempts.password(user, Timestamp(START + at));
        for _ in 0..99 {
            password(1, 0).unwrap().end(Ok(())).unwrap();
        }
        assert_eq!((0..99).filter(|_| password(1, 0).is_ok()).count(), 5);
        assert!(password(2, 0).is_ok());
        assert!(password(1, 0).is_err());
        // The password alone does not pay for codes that were tried.
        password(1, 1).unwrap().end(Ok(())).unwrap();
        assert!(password(1, 2).is_ok());
        assert!(password(1, 2).is_err());
    }

    #[test]
    fn codes_are_counted_apart_from_passwords() {
        let attempts = Attempts::new(true);
        let time = |at| Timestamp(START + at);
        let code = |unlocked, at| attempts.code(1, Timestamp(unlocked), time(at));
        assert_eq!((0..99).filter(|_| code(0, 0).is_ok()).count(), 5);
        attempts.password(1, time(0)).unwrap().succeeded();
        assert!(code(0, 0).is_err(), "a right password is no code");
        assert!(attempts.code(2, Timestamp(0), time(0)).is_ok(), "another user");
        code(0, 1).unwrap().succeeded();
        assert_eq!((0..99).filter(|_| code(0, 1).is_ok()).count(), 5);
        assert!(code(START + 1, 1).is_ok(), "unlocked");
        // Whoever takes every turn gets 24 a day, after those that are free and the short waits.
        let month = (2..30 * 24 * 3_600).filter(|&at| code(0, at).is_ok()).count();
        assert!((720..740).contains(&month), "{month}");
    }

    #[test]
    fn a_strangers_registrations_held_up_the_owners_reset() {
        let attempts = Attempts::new(true);
        let (email, now) = (Email::parse("ada@x.example").unwrap(), Timestamp(START));
        let from = |last: u8| ip(&format!("192.0.2.{last}"));
        let registered = (0..20).filter(|&n| attempts.mail(&email, from(n), now).is_ok()).count();
        assert_eq!(registered, 5);
        let asked = (0..20).filter(|&n| attempts.reset(&email, from(n), now).is_ok()).count();
        assert_eq!(asked, 5);
    }

    #[test]
    fn an_address_from_before_another_password_was_still_familiar() {
        let attempts = Attempts::new(true);
        login(&attempts, "ada", "192.0.2.1", 10, Succeeds).unwrap();
        let familiar =
            |since: i64| attempts.familiar("ada", ip("192.0.2.1"), Timestamp(START + since));
        assert!(familiar(9) && !familiar(10), "nor one of the same second");
        // The next login is of the same second, and later all the same.
        let (since, now) = (Timestamp(START + 10), Timestamp(START + 10));
        let ends = (Timestamp(0), since);
        let attempt = attempts.login("ada", ip("192.0.2.1"), None, ends, now).unwrap();
        attempt.end(Ok(())).unwrap();
        assert!(familiar(10) && !familiar(11));
    }

    #[test]
    fn off_is_off() {
        let attempts = Attempts::new(false);
        assert_eq!(many(&attempts, "ada", "192.0.2.1", 0, 999), 999);
        for _ in 0..99 {
            attempts.registration(ip("192.0.2.1"), Timestamp(START)).unwrap();
            let _ = attempts.password(1, Timestamp(START)).unwrap();
        }
        attempts.look(Throttle::Login, ip("192.0.2.1"), Timestamp(START)).unwrap();
        assert_eq!(attempts.limit(Familiarity::Stranger), None);
        assert_eq!(Attempts::new(true).limit(Familiarity::Stranger), Some(100));
    }

    #[test]
    fn times_that_cannot_be() {
        let attempts = Attempts::new(true);
        for time in [i64::MIN, -1, 0, i64::from(u32::MAX) + 1, i64::MAX] {
            let ends = (Timestamp(i64::MAX), Timestamp(i64::MAX));
            let _ = attempts.login("ada", ip("::1"), None, ends, Timestamp(time));
        }
    }

    #[test]
    fn the_policy_lasts_and_the_readme_tells_it() {
        let readme = include_str!("../../docs/throttling.md");
        let address = IpAddr::from([127, 0, 0, 1]);
        let now = Timestamp(START);
        let device = Devices::default().renewed(1, None, now).unwrap().of(1, Timestamp(0)).unwrap();
        for (counted, told) in [
            (Counted::FailuresFrom(address), "Failed logins from one address"),
            (Counted::FailuresAt(""), "Failed logins to one account from addresses"),
            (
                Counted::FailuresOfFamiliar("", address),
                "Failed logins to one account from each address",
            ),
            (Counted::FailuresOfDevice(&device), "Failed logins to one account from each device"),
            (Counted::FailuresOf(1), "Wrong passwords of somebody who is logged in"),
            (Counted::CodesOf(1), "Wrong codes of one account's second factor"),
            (Counted::RecoveryCodesOf(1), "Wrong recovery codes of one account"),
            (Counted::RegistrationsFrom(address), "Registrations from one address"),
            (Counted::MailsFrom(address), "Mails asked for from one address"),
            (Counted::MailsTo(""), "Mails to one mailbox that confirm an address"),
            (Counted::ResetsTo(""), "Mails to one mailbox that reset a password"),
        ] {
            let Pace { free, first, longest, forgets } = pace(&counted);
            assert!(forgets >= longest, "{told}");
            let numbers = format!("| {free} | {first} s | {longest} s | one in {forgets} s |");
            let row = readme.lines().find(|line| line.trim_start_matches("| ").starts_with(told));
            assert!(row.is_some_and(|row| row.ends_with(&numbers)), "{told}: {numbers}");
        }
    }
}
