//! One attempt: counted when it is admitted, uncounted or cleared at its end.

use std::net::IpAddr;
use std::sync::Mutex;

use super::Attempts;
use super::counters::{Backoff, Counters};
use super::policy::Counter;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::table::Key;
use crate::guard::{lock, seconds};

/// An attempt that was admitted. It counts as failed unless [`Attempt::end`] says otherwise.
#[derive(Debug)]
#[must_use = "an attempt counts as failed unless `end` is called"]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    by_ip: Option<(Key, Backoff)>,
    by_account: Option<(Key, Backoff)>,
    /// Whether success clears the account's counter.
    clears: bool,
    /// The login, IP address and time that success makes known.
    pub(super) login: Option<(String, IpAddr, Timestamp)>,
    /// The same of an app password, by its id.
    pub(super) app_password: Option<(String, IpAddr, Timestamp)>,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(attempts: &'a Attempts, clears: bool) -> Attempt<'a> {
        let (login, app_password) = (None, None);
        Attempt { attempts, by_ip: None, by_account: None, clears, login, app_password }
    }

    /// Counts the attempt by its IP address. The error has the seconds to wait.
    pub(super) fn count_by_ip(
        &mut self,
        counter: &Counter<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let attempts = self.attempts;
        self.by_ip = count(attempts, &attempts.by_ip, counter, Timestamp(0), now)?;
        Ok(())
    }

    /// Counts the attempt by its account or mailbox, whose failures up to `unlocked` no longer
    /// count. The error has the seconds to wait; the attempt then does not count by IP address
    /// either.
    pub(super) fn count_by_account(
        &mut self,
        counter: &Counter<'_>,
        unlocked: Timestamp,
        now: Timestamp,
    ) -> Result<(), Error> {
        let attempts = self.attempts;
        let counted = count(attempts, &attempts.by_account, counter, unlocked, now);
        self.by_account = counted.inspect_err(|_| self.uncount())?;
        Ok(())
    }

    /// Ends the attempt. A wrong guess stays counted. Any other error is no guess, and does not
    /// count: the second factor is missing, or the store does not answer.
    pub fn end<T>(self, outcome: Result<T, Error>) -> Result<T, Error> {
        match &outcome {
            Ok(_) => self.succeed(),
            Err(
                Error::Authentication
                | Error::InvalidAppPassword
                | Error::WrongPassword
                | Error::WrongOtp,
            ) => {}
            Err(_) => self.uncount(),
        }
        outcome
    }

    /// Ends an attempt that counts if it succeeds: what was made counts, and an error does not.
    pub fn keep<T>(self, outcome: Result<T, Error>) -> Result<T, Error> {
        outcome.inspect_err(|_| self.uncount())
    }

    /// Clears the failures of the account after a login, and wrong codes after a right one. Other
    /// failures stay: those of an IP address, or a user could try passwords of other accounts for
    /// ever; and those of a user who is logged in, whom a stolen token may have let in.
    pub(super) fn succeed(self) {
        if let (true, Some((key, _))) = (self.clears, self.by_account) {
            lock(&self.attempts.by_account).clear(key);
        }
        if let Some((login, ip, at)) = &self.login {
            self.attempts.known.remember(login, *ip, *at);
        }
        if let Some((id, ip, at)) = &self.app_password {
            self.attempts.known_apps.remember(id, *ip, *at);
        }
        self.uncount();
    }

    /// Takes the attempt back out of the counters.
    fn uncount(&self) {
        if let Some((key, backoff)) = self.by_ip {
            lock(&self.attempts.by_ip).uncount(key, &backoff);
        }
        if let Some((key, backoff)) = self.by_account {
            lock(&self.attempts.by_account).uncount(key, &backoff);
        }
    }
}

/// Counts an attempt, unless the throttle is off; returns what undoes it.
fn count(
    attempts: &Attempts,
    counters: &Mutex<Counters>,
    counter: &Counter<'_>,
    unlocked: Timestamp,
    now: Timestamp,
) -> Result<Option<(Key, Backoff)>, Error> {
    if !attempts.on {
        return Ok(None);
    }
    let (key, backoff) = (attempts.key(counter), counter.backoff());
    let mut counters = lock(counters);
    // 0 means never. A time in the future comes from a clock that was set back since: ignore it.
    if Timestamp(0) < unlocked && unlocked <= now {
        counters.clear_until(key, seconds(unlocked));
    }
    let counted = counters.count(key, &backoff, seconds(now));
    drop(counters);
    match counted {
        Ok(next_waits) => {
            if next_waits {
                counter.log_limit();
            }
            Ok(Some((key, backoff)))
        }
        Err(wait) => Err(Error::TooManyRequests { wait }),
    }
}
