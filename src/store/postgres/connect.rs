//! Connecting: the servers in their order, what each session is told after the login, and why no
//! server will do, in words.

use std::fmt::{self, Write as _};
use std::time::{Duration, Instant};

use super::fault;
use super::identity::{self, Identity, Known, Stranger};
use super::target::{Address, Host, Target, TlsMode};
use super::wire::{Connection, Failure, Refusal, Statement};
use crate::error::Problem;

/// How long connecting to one server may take, while the program runs. Tests wait longer, because their
/// machine may be busy.
pub(super) const CONNECT: Duration = Duration::from_secs(if cfg!(test) { 30 } else { 2 });
/// How long it may take when the program starts.
const FIRST_CONNECT: Duration = Duration::from_secs(if cfg!(test) { 60 } else { 10 });

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Transactions that write.
    Write,
    /// Statements that read, each a transaction of its own.
    Read,
    /// The keeper's: it asks how the server is, and holds locks of the session.
    Keep,
    /// Making the tables, looking at them, copying them; it has no time limits of its own.
    Setup,
}

/// What every session is told. `search_path`: the statements name no schema, and no temporary table
/// comes before ours. `synchronous_commit`: what is acknowledged is on the disk, and on the
/// synchronous standby if there is one; `remote_apply`, which promises more, stays.
/// `client_min_messages`: a COMMIT whose wait for that standby was ended says so with a warning, which
/// a setting of the role or the database could hide.
const EVERY: &str = "SET client_encoding = 'UTF8';
SET application_name = 'lictor';
SET client_min_messages = warning;
SET search_path = lictor, pg_temp;
SET default_transaction_isolation = 'read committed';
SET default_transaction_deferrable = off;
SELECT pg_catalog.set_config('synchronous_commit', 'on', false)
WHERE pg_catalog.current_setting('synchronous_commit') IN ('off', 'local', 'remote_write');
SET tcp_keepalives_idle = 10;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
";

/// What the planner is told. A statement is planned once. Without sequential scans a plan made
/// while a table was small stays good, and a serializable transaction that reads a row by its key
/// locks a page of the index and not the whole table. Looking twenty sessions up by their keys takes
/// half as long without a bitmap. A scan that cannot be avoided is estimated
/// so high then that the server would compile the query (`jit`), which takes longer than all else.
const PLANNER: &str = "SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET jit = off;
";

/// `idle_session_timeout` is not known before PostgreSQL 14, and there is none then.
const KEEP_IDLE: &str = "SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings
WHERE name = 'idle_session_timeout';
";
const END_IDLE: &str =
    "SELECT pg_catalog.set_config(name, '10s', false) FROM pg_catalog.pg_settings
WHERE name = 'idle_session_timeout';
";

/// How long the server lets a transaction that writes take. A process that was stopped in a transaction
/// must not stop the others for long. Tests wait longer.
const WRITE_LIMITS: &str = if cfg!(test) {
    "SET statement_timeout = '60s'; SET lock_timeout = '60s';
SET idle_in_transaction_session_timeout = '60s'"
} else {
    "SET statement_timeout = '5s'; SET lock_timeout = '4s';
SET idle_in_transaction_session_timeout = '5s'"
};

impl Role {
    /// Returns the statements that a session begins with.
    fn script(self) -> String {
        let parts: &[&str] = match self {
            Role::Write => &[PLANNER, KEEP_IDLE, WRITE_LIMITS],
            // A list of all accounts takes longer than a statement that finds its rows by key.
            Role::Read => &[
                PLANNER,
                KEEP_IDLE,
                "SET statement_timeout = '30s'; SET lock_timeout = '4s';
                 SET default_transaction_read_only = on",
            ],
            // The locks of a process that has vanished are free again after ten seconds.
            Role::Keep => &[END_IDLE, "SET statement_timeout = '2s'"],
            Role::Setup => &["SET statement_timeout = 0; SET lock_timeout = 0;
                 SET idle_in_transaction_session_timeout = 0"],
        };
        [&[EVERY], parts].concat().concat()
    }
}

/// Connects to one server, and begins the session.
pub(super) fn to(
    target: &Target,
    host: &Host,
    role: Role,
    deadline: Instant,
) -> Result<Connection, Failure> {
    let mut connection = Connection::open(target, host, deadline)?;
    connection.script(&role.script(), deadline)?;
    Ok(connection)
}

/// A server that was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) connection: Connection,
    /// Its place among the target's hosts.
    pub(super) host: usize,
    /// Whether it takes writes.
    pub(super) writable: bool,
    /// Which one it is, if it says that.
    pub(super) identity: Option<Identity>,
}

/// Connects to the server that takes writes: the first one, unless a later one of the same cluster has
/// a higher timeline, so that the first is a former primary. If none takes writes, to the first that
/// answers, unless the target asks for one that does. Servers that `known` refuses do not count.
pub(super) fn search(
    target: &Target,
    role: Role,
    patience: Duration,
    known: &Known,
) -> Result<Found, NoServer> {
    let mut best: Option<Found> = None;
    let mut refusals = Vec::new();
    for number in 0..target.hosts.len() {
        // With a primary at hand, hosts that do not answer must not hold it up.
        let has_primary = best.as_ref().is_some_and(|best| best.writable);
        let patience = if has_primary { patience / 4 } else { patience };
        match meet(target, number, role, Instant::now() + patience) {
            Ok(found) => match (known.refuses(found.identity), found.writable) {
                (Some(stranger), _) => refusals.push((number, Refused::Stranger(stranger))),
                (None, false) if target.writable => refusals.push((number, Refused::ReadOnly)),
                (None, _) => best = Some(better(target, best, found)),
            },
            Err(failure) => refusals.push((number, Refused::Failed(failure))),
        }
    }
    best.ok_or_else(|| NoServer::new(target, refusals))
}

/// Connects to one server, and asks what it is.
fn meet(target: &Target, number: usize, role: Role, deadline: Instant) -> Result<Found, Failure> {
    let mut connection = to(target, &target.hosts[number], role, deadline)?;
    let writable = is_writable(&mut connection, deadline)?;
    let identity = identity::ask(&mut connection, deadline)?;
    Ok(Found { connection, host: number, writable, identity })
}

fn better(target: &Target, best: Option<Found>, found: Found) -> Found {
    let Some(best) = best else { return found };
    let said = |found: &Found| (found.writable, found.identity);
    if !is_better(said(&best), said(&found)) {
        return best;
    }
    if best.writable {
        let former = target.hosts.get(best.host).map(name).unwrap_or_default();
        log::warn!(
            "the server {former} is a former primary and takes writes, which will be lost: stop it, \
             and make it a standby of the new primary"
        );
    }
    found
}

/// Whether a server will do better than one before it: whether each takes writes, and what it is.
fn is_better(best: (bool, Option<Identity>), found: (bool, Option<Identity>)) -> bool {
    let replaces = || match (best.1, found.1) {
        (Some(best), Some(found)) => found.replaces(&best),
        _ => false,
    };
    found.0 && (!best.0 || replaces())
}

/// The same when the program starts.
pub(super) fn first(target: &Target, role: Role) -> Result<Found, Problem> {
    search(target, role, FIRST_CONNECT, &Known::default())
        .map_err(|no_server| no_server.problem(target))
}

/// Whether a new transaction may write: the server is no standby, and nobody has made it read-only.
pub(super) const IS_READ_ONLY: &str = "SELECT current_setting('transaction_read_only') = 'on'";

fn is_writable(connection: &mut Connection, deadline: Instant) -> Result<bool, Failure> {
    let mut read_only = false;
    let statement = Statement { sql: IS_READ_ONLY, values: &[] };
    connection.run(&[statement], deadline, &mut |_, row| {
        read_only = row.boolean(0)?;
        Ok(())
    })?;
    Ok(!read_only)
}

/// Why no server will do.
#[derive(Debug)]
pub(super) struct NoServer {
    /// What each server said, in order, after its name.
    said: String,
    /// A server had too many connections.
    full: bool,
    /// The refusal that says most: of a server that could be reached, if there is one.
    best: Option<Refused>,
}

#[derive(Debug)]
enum Refused {
    Failed(Failure),
    ReadOnly,
    Stranger(Stranger),
}

impl Refused {
    /// Whether a server answered at all.
    fn is_answer(&self) -> bool {
        match self {
            Refused::ReadOnly | Refused::Stranger(_) => true,
            Refused::Failed(failure) => matches!(failure, Failure::Refused(_)),
        }
    }
}

impl NoServer {
    fn new(target: &Target, refusals: Vec<(usize, Refused)>) -> NoServer {
        let mut said = String::new();
        for (number, refused) in &refusals {
            if let Some(host) = target.hosts.get(*number) {
                let separator = if said.is_empty() { "" } else { "; " };
                // Writing into a String cannot fail.
                let _ = write!(said, "{separator}{}: {refused}", name(host));
            }
        }
        let (mut best, mut full) = (None, false);
        for (_, refused) in refusals {
            full |= matches!(&refused, Refused::Failed(failure) if fault::is_full(failure));
            let better = best.as_ref().is_none_or(|best: &Refused| !best.is_answer());
            if better && (best.is_none() || refused.is_answer()) {
                best = Some(refused);
            }
        }
        NoServer { said, full, best }
    }

    /// Whether a server is there and has too many connections.
    pub(super) fn is_full(&self) -> bool {
        self.full
    }

    /// Whether waiting will not help: the password, the user, the database or the server is wrong.
    pub(super) fn is_setting(&self) -> bool {
        match &self.best {
            Some(Refused::Failed(Failure::Refused(refusal))) => {
                refusal.code.starts_with(b"28") || refusal.code == *b"3D000"
            }
            Some(Refused::Stranger(_)) => true,
            _ => false,
        }
    }

    /// The same as a reason not to start.
    pub(super) fn problem(&self, target: &Target) -> Problem {
        let what = format!("cannot open the database {target}: {}", self.said);
        Problem::new(what, self.next_step(target))
    }

    fn next_step(&self, target: &Target) -> String {
        let failure = match &self.best {
            None => return "name a host in the setting `database`".into(),
            Some(Refused::ReadOnly) => {
                return "name the primary server as well, or promote a standby".into();
            }
            Some(Refused::Stranger(_)) => return "name the current primary".into(),
            Some(Refused::Failed(failure)) => failure,
        };
        let Failure::Refused(refusal) = failure else {
            return match failure.to_string() {
                why if why.contains("certificate") || why.contains("TLS") => {
                    "see `sslmode` and `sslrootcert` in docs/postgres.md; sslmode=disable goes \
                     without TLS"
                        .into()
                }
                why if why.contains("asks for a password") => {
                    "see \"Where the password goes\" in docs/postgres.md".into()
                }
                _ => "check that PostgreSQL runs there, and the host and the port in the setting \
                      `database`"
                    .into(),
            };
        };
        match &refusal.code {
            b"28P01" => format!("check the password of the user {} for PostgreSQL", target.user),
            b"28000" => not_admitted(refusal, target),
            b"3D000" => format!(
                "as a superuser of PostgreSQL, make it: createdb --owner={} {}",
                target.user, target.name
            ),
            b"53300" => "raise max_connections of the server, or lower `connections` in the \
                         setting `database`"
                .into(),
            b"57P03" => "try again shortly".into(),
            _ => "see the server's log".into(),
        }
    }
}

/// The next step if there is no such role, or no line of pg_hba.conf admits a connection.
fn not_admitted(refusal: &Refusal, target: &Target) -> String {
    // Its message is in the server's language; in others than English, the last step has to do.
    if refusal.message.starts_with("role ") && refusal.message.ends_with(" does not exist") {
        return format!("as a superuser of PostgreSQL, make it: createuser {}", target.user);
    }
    // One with TLS may be admitted.
    let is_bare = ["no encryption", "SSL off"].iter().any(|words| refusal.message.contains(words));
    if is_bare && target.tls == TlsMode::Disable {
        return "the server lets nobody in without TLS: write sslmode=verify-full in the setting \
                `database`"
            .into();
    }
    format!(
        "pg_hba.conf on the server decides who may connect: the user {}, the database {}, from this \
         machine, with or without TLS",
        target.user, target.name
    )
}

impl fmt::Display for NoServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Failed(failure) => failure.fmt(f),
            Refused::ReadOnly => f.write_str("the server is read-only"),
            Refused::Stranger(stranger) => stranger.fmt(f),
        }
    }
}

/// The name of a server, for people.
pub(super) fn name(host: &Host) -> String {
    match &host.address {
        Address::Tcp(name) if name.contains(':') => format!("[{name}]:{}", host.port),
        Address::Tcp(name) => format!("{name}:{}", host.port),
        Address::Unix(folder) => format!("{}, port {}", folder.display(), host.port),
    }
}

#[cfg(test)]
mod tests;
