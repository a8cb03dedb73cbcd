//! Whether the database can be read and written, for monitoring.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::driver::Queries;
use super::{Store, rows};
use crate::error::{Cause, Error};
use crate::values::unique;

/// How long a write that succeeded counts: so often is one made at most, however many ask.
const FRESH: Duration = Duration::from_secs(10);
/// How long one that failed counts: recovery is to be seen soon.
const FRESH_FAILURE: Duration = Duration::from_secs(1);
/// How often the log says at most that something fails, however many ask.
const SAID: Duration = Duration::from_secs(60);

/// What was found.
#[derive(Debug)]
pub struct Health {
    /// Whether reading works.
    pub read: Result<(), Error>,
    /// Whether writing works, or did in the last ten seconds; `None` if it was not tried.
    pub write: Option<Result<(), Error>>,
}

/// What is known from earlier checks.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// When the last write was made, and whether it succeeded.
    wrote: Option<(Instant, bool)>,
    /// Set while something fails: when the log said so last.
    said: Option<Instant>,
}

pub(super) type LastProbe = Mutex<Known>;

impl Known {
    fn fails(&mut self, what: &str, error: &Error) {
        if self.said.is_some_and(|at| at.elapsed() < SAID) {
            return;
        }
        // Without a cause, it is in the log already.
        if let Some(cause) = error.cause() {
            self.said = Some(Instant::now());
            log::log!(error.level(), "health: {what} fails: {}", cause.escape_debug());
        }
    }

    fn works(&mut self) {
        if self.said.take().is_some() {
            log::info!("health: reading and writing work again");
        }
    }
}

impl Store {
    /// Reads, and writes unless that was done less than ten seconds ago.
    pub fn health(&self) -> Health {
        let read = self.driver.read_briefly(&mut |queries| rows::users::any(queries).map(drop));
        let read = read.map_err(Error::from);
        let write = match &read {
            Ok(()) => Some(self.can_write()),
            Err(error) => {
                self.known().fails("reading", error);
                None
            }
        };
        Health { read, write }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.last_probe.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn can_write(&self) -> Result<(), Error> {
        if self.driver.is_damaged() {
            return Err(Error::Damaged);
        }
        // Those who ask meanwhile wait for this outcome.
        let mut known = self.known();
        if let Some((at, works)) = known.wrote
            && at.elapsed() < if works { FRESH } else { FRESH_FAILURE }
        {
            if !works {
                return Err(Error::Unavailable(Cause::logged("the last write failed")));
            }
            known.works();
            return Ok(());
        }
        let done = self.write_nothing();
        known.wrote = Some((Instant::now(), done.is_ok()));
        match &done {
            Ok(()) => known.works(),
            Err(error) => known.fails("writing", error),
        }
        done
    }

    fn write_nothing(&self) -> Result<(), Error> {
        let name = unique()?;
        let mut write = |queries: &mut dyn Queries| Ok(rows::probe::write(queries, &name)?);
        Ok(self.driver.write_briefly(&mut write)?)
    }
}
