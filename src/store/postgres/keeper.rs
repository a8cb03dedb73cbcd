//! The thread that looks after the connections to the server, with a connection of its own: asks
//! once a second whether the server is well and takes writes, looks for a server while there is
//! none, and holds the locks that tell other processes about this one.
//!
//! The thread starts when it is first needed: when a server process asks who leads or says that
//! requests come, or when the server was lost. A command of the terminal has none.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::commits;
use super::connect::{self, CONNECT, Found, IS_READ_ONLY, Role};
use super::holders::Warned;
use super::identity::Identity;
use super::pool::{Pool, Server};
use super::wire::{Breaker, Connection, Failure, Statement};
use crate::store::signal::Signal;

/// The pause between two questions to the server.
const EVERY: Duration = Duration::from_secs(1);
/// How long the server may take for an answer before it counts as down.
const PATIENCE: Duration = Duration::from_secs(2);
/// The pause after the first search that found no server; it doubles with each, up to [`EVERY`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// How long this process leads after a question that the server has answered. It asks again before;
/// if it gets no answer it may have lost the lock without knowing. So a process that takes the lock
/// over waits for as long, and two never lead at once. (Only one that has just started does not: it
/// cannot know of another.)
const LEADS_FOR: Duration = Duration::from_secs(2);
/// How long the thread asks the server to give up statements, before it asks again how it is.
/// Here and below, tests wait longer, because their machine may be busy.
const CANCEL: Duration = Duration::from_secs(if cfg!(test) { 30 } else { 1 });
/// How long dropping the keeper waits for the thread.
const END: Duration = Duration::from_millis(if cfg!(test) { 30_000 } else { 300 });

/// The locks are of the session, so they are free again as soon as the connection ends. Their keys
/// are in `schema`.
const TRY_TO_LEAD: &str = "SELECT pg_try_advisory_lock(1279869780, 2)";
const TRY_TO_SERVE: &str = "SELECT pg_try_advisory_lock_shared(1279869780, 3)";

/// Starts and ends the thread.
#[derive(Debug)]
pub(super) struct Keeper {
    pool: Arc<Pool>,
    shared: Arc<Shared>,
    /// Notified about mails that other processes have put into the outbox.
    outbox_signal: Arc<Signal>,
}

/// What the thread shares with all others.
#[derive(Debug, Default)]
struct Shared {
    status: Mutex<Status>,
    /// The thread has ended.
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Status {
    /// The thread runs.
    runs: bool,
    /// It could not be started, and the log says so.
    failed: bool,
    /// The thread must end.
    ends: bool,
    /// This process is a server, which takes the locks.
    serves: bool,
    /// Until when this process leads, unless it hears from the server before.
    leads_until: Option<Instant>,
    /// Cuts the thread's connection.
    breaker: Option<Breaker>,
    /// Cuts the connection on which the thread commits to find out whether that is finished.
    probe: Option<Breaker>,
}

impl Shared {
    fn status(&self) -> MutexGuard<'_, Status> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Keeper {
    pub(super) fn new(pool: Arc<Pool>, outbox_signal: Arc<Signal>) -> Keeper {
        Keeper { pool, shared: Arc::default(), outbox_signal }
    }

    /// Says that this process is a server: from now on it holds the lock that every server holds,
    /// and leads if no other does.
    pub(super) fn serve(&self) {
        let mut status = self.shared.status();
        let is_new = !std::mem::replace(&mut status.serves, true);
        // The thread may have ended, by a panic, or could not be started before.
        if is_new || !status.runs {
            self.start(status);
        }
        if is_new {
            self.pool.attend();
        }
    }

    /// Makes sure that the thread runs if a request has failed for a reason that only it can end.
    pub(super) fn attend(&self) {
        if self.pool.needs_keeper() {
            self.start(self.shared.status());
        }
    }

    /// Whether this process leads.
    pub(super) fn leads(&self) -> bool {
        self.shared.status().leads_until.is_some_and(|until| Instant::now() < until)
    }

    fn start(&self, mut status: MutexGuard<'_, Status>) {
        if status.runs {
            return;
        }
        let thread = Thread {
            pool: Arc::clone(&self.pool),
            shared: Arc::clone(&self.shared),
            outbox_signal: Arc::clone(&self.outbox_signal),
            session: None,
            others_led: false,
            warned: Warned::default(),
        };
        let builder = thread::Builder::new().name("lictor-database".into());
        match builder.spawn(move || thread.run()) {
            Ok(_) => (status.runs, status.failed) = (true, false),
            // The next request tries again.
            Err(error) => {
                let known = std::mem::replace(&mut status.failed, true);
                let level = if known { log::Level::Debug } else { log::Level::Error };
                log::log!(level, "nobody looks after the database: no thread: {error}");
            }
        }
    }
}

impl Drop for Keeper {
    /// Ends the thread. Does not wait for it while it connects. A command of the terminal may end
    /// before the thread has asked the server to give up what the command no longer waits for.
    fn drop(&mut self) {
        let mut status = self.shared.status();
        status.ends = true;
        [&status.breaker, &status.probe].into_iter().flatten().for_each(Breaker::cut);
        self.pool.attend();
        drop(self.shared.ended.wait_timeout_while(status, END, |status| status.runs));
        commits::give_up(&self.pool, END);
    }
}

/// The thread.
#[derive(Debug)]
struct Thread {
    pool: Arc<Pool>,
    shared: Arc<Shared>,
    outbox_signal: Arc<Signal>,
    session: Option<Session>,
    /// Another process leads, or did when this one last saw the lock.
    others_led: bool,
    /// What the log says of the holders of the locks.
    warned: Warned,
}

/// The thread's connection, and its locks.
#[derive(Debug)]
struct Session {
    connection: Connection,
    /// The place of its server among the target's hosts.
    host: usize,
    /// Which server it is.
    identity: Option<Identity>,
    /// Whether it took writes when it was found.
    was_writable: bool,
    /// Holds the lock of all servers.
    serves: bool,
    /// Holds it not, because somebody has it who has no right to the tables.
    ignores: bool,
    /// Holds the lock of the one that leads, and leads from this moment on.
    leads: Option<Instant>,
}

impl Drop for Thread {
    /// Also after a panic: another thread can be started then.
    fn drop(&mut self) {
        self.leave();
        self.shared.status().runs = false;
        self.shared.ended.notify_all();
    }
}

impl Thread {
    fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        while !self.shared.status().ends {
            let begun = Instant::now();
            let next = if self.look() {
                self.tend();
                pause = FIRST_PAUSE;
                EVERY
            } else {
                let next = pause;
                pause = EVERY.min(pause * 2);
                next
            };
            self.pool.tidy();
            self.pool.rest(next.saturating_sub(begun.elapsed()));
        }
    }

    /// Asks the server how it is, or looks for one; returns whether there is one.
    fn look(&mut self) -> bool {
        if matches!(self.pool.server(), Server::Down { .. }) {
            self.leave();
        }
        if self.pool.must_stay_down() {
            return false;
        }
        if self.ask(false) {
            return true;
        }
        self.leave();
        self.seek() && self.ask(true)
    }

    /// Sees to statements and commits that the server has not finished in time. The server has just
    /// answered, so that this is done soon, but for a commit that waits.
    fn tend(&self) {
        commits::give_up(&self.pool, CANCEL);
        if self.pool.commits_hang() {
            let status = || self.shared.status();
            commits::probe(&self.pool, |breaker| status().probe = Some(breaker));
            status().probe = None;
            commits::give_up(&self.pool, CANCEL);
        }
    }

    /// Asks the server how it is, takes the locks, and takes the pool up or down. Returns whether
    /// the server will do; a standby beside other hosts only if the connection is `new`, and so no
    /// server was found that takes writes.
    fn ask(&mut self, new: bool) -> bool {
        let Some(session) = &mut self.session else { return false };
        let serves = self.shared.status().serves;
        let (host, identity) = (session.host, session.identity);
        let begun = Instant::now();
        let asked = session.ask(serves, &mut self.others_led, &mut self.warned, begun + PATIENCE);
        let writable = match asked {
            Ok(writable) => writable,
            Err(failure) => {
                log::debug!("the keeper's connection to the database is lost: {failure}");
                if begun.elapsed() >= PATIENCE {
                    self.pool.fall("the server does not answer", false);
                    self.pool.cut();
                }
                return false;
            }
        };
        let (has_lock, leads) = (session.serves || session.ignores, session.leads);
        if writable && !session.was_writable {
            // A standby was promoted. The search finds out whether it is the right one.
            return false;
        }
        if !writable {
            if self.pool.server() == (Server::Up { host, writable: true }) {
                self.pool.fall("the server takes no writes any more", false);
                self.pool.cut();
                return false;
            }
            if !new && self.pool.target().hosts.len() > 1 {
                return false;
            }
        } else if serves && !has_lock {
            self.pool.fall("a copy of the database is under way", false);
            return false;
        }
        self.pool.rise(host, writable, identity);
        let leads = leads.is_some_and(|from| from <= Instant::now());
        self.lead((writable && has_lock && leads).then_some(begun + LEADS_FOR));
        true
    }

    /// Says until when this process leads, and wakes the thread that delivers mail.
    fn lead(&self, until: Option<Instant>) {
        let before = std::mem::replace(&mut self.shared.status().leads_until, until);
        if before.is_some() != until.is_some() {
            let now = if until.is_some() { "now" } else { "no longer" };
            log::info!("this process {now} delivers the mails and deletes what has expired");
        }
        if until.is_some() {
            self.outbox_signal.notify();
        }
    }

    /// Connects to the first server that will do.
    fn seek(&mut self) -> bool {
        match connect::search(self.pool.target(), Role::Keep, CONNECT, &self.pool.known()) {
            Ok(found) => {
                self.shared.status().breaker = Some(found.connection.breaker());
                self.session = Some(Session::of(found));
                true
            }
            // The requests wait for room; those that have a connection need none.
            Err(no_server) if no_server.is_full() && self.pool.is_up() => {
                log::debug!("no connection for the keeper: {no_server}");
                false
            }
            Err(no_server) => {
                self.pool.fall(&no_server.to_string(), no_server.is_setting());
                self.pool.cut();
                false
            }
        }
    }

    /// Gives the connection up, and all locks with it.
    fn leave(&mut self) {
        self.lead(None);
        self.shared.status().breaker = None;
        // Another process may lead before this one is back.
        self.others_led |= self.session.take().is_some_and(|session| session.leads.is_some());
    }
}

impl Session {
    fn of(found: Found) -> Session {
        let Found { connection, host, writable, identity } = found;
        let was_writable = writable;
        Session {
            connection,
            host,
            identity,
            was_writable,
            serves: false,
            ignores: false,
            leads: None,
        }
    }

    /// Returns whether the server takes writes. Takes the locks of a server, if this is one, and
    /// they are free.
    fn ask(
        &mut self,
        serves: bool,
        others_led: &mut bool,
        warned: &mut Warned,
        deadline: Instant,
    ) -> Result<bool, Failure> {
        let (to_serve, to_lead) = (serves && !self.serves, serves && self.leads.is_none());
        let questions = [(true, IS_READ_ONLY), (to_serve, TRY_TO_SERVE), (to_lead, TRY_TO_LEAD)];
        let asked = questions.into_iter().filter(|(asked, _)| *asked);
        let batch: Vec<_> = asked.map(|(_, sql)| Statement { sql, values: &[] }).collect();
        let mut answers = Vec::new();
        self.connection.run(&batch, deadline, &mut |_, row| {
            answers.push(row.boolean(0)?);
            Ok(())
        })?;
        let mut answers = answers.into_iter();
        let mut next = |asked: bool| asked && answers.next().unwrap_or(false);
        let read_only = next(true);
        self.serves |= next(to_serve);
        if to_lead {
            let pause = if *others_led { LEADS_FOR } else { Duration::ZERO };
            let took = next(true);
            self.leads = took.then(|| Instant::now() + pause);
            *others_led = !took;
            if !took {
                warned.of_leader(&mut self.connection, deadline)?;
            }
        }
        self.ignores =
            serves && !self.serves && warned.of_server(&mut self.connection, deadline)?;
        Ok(!read_only)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::postgres::schema::{LEADER, LOCKS, SERVER};

    #[test]
    fn the_keys_of_the_locks_are_those_of_the_schema() {
        assert!(TRY_TO_LEAD.ends_with(&format!("({LOCKS}, {LEADER})")));
        assert!(TRY_TO_SERVE.ends_with(&format!("({LOCKS}, {SERVER})")));
    }
}
