//! Connecting: the servers in their order, what each session is told after the login, and why no
//! server will do, in words.

use std::fmt::{self, Write as _};
use std::time::{Duration, Instant};

use super::target::{Address, Host, Target};
use super::wire::{Connection, Failure, Statement};
use crate::error::Problem;

/// How long connecting to one server may take, while the program runs.
pub(super) const CONNECT: Duration = Duration::from_secs(2);
/// How long it may take when the program starts.
const FIRST_CONNECT: Duration = Duration::from_secs(10);

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
/// locks a page of the index and not the whole table. A scan that cannot be avoided is estimated
/// so high then that the server would compile the query (`jit`), which takes longer than all else.
const PLANNER: &str = "SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
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

impl Role {
    /// Returns the statements that a session begins with.
    fn script(self) -> String {
        let parts: &[&str] = match self {
            // A process that was stopped in a transaction must not stop the others for long.
            Role::Write => &[
                PLANNER,
                KEEP_IDLE,
                "SET statement_timeout = '5s'; SET lock_timeout = '4s';
                 SET idle_in_transaction_session_timeout = '5s'",
            ],
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
}

/// Connects to the first server that takes writes; if there is none, to the first that answers,
/// unless the target asks for one that takes writes.
pub(super) fn search(target: &Target, role: Role, patience: Duration) -> Result<Found, NoServer> {
    let mut standby = None;
    let mut refusals = Vec::new();
    for (number, host) in target.hosts.iter().enumerate() {
        let deadline = Instant::now() + patience;
        let connected = to(target, host, role, deadline).and_then(|mut connection| {
            let writable = is_writable(&mut connection, deadline)?;
            Ok(Found { connection, host: number, writable })
        });
        match connected {
            Ok(found) if found.writable => return Ok(found),
            Ok(found) if target.writable => refusals.push((found.host, Refused::ReadOnly)),
            Ok(found) => standby = standby.or(Some(found)),
            Err(failure) => refusals.push((number, Refused::Failed(failure))),
        }
    }
    standby.ok_or_else(|| NoServer::new(target, refusals))
}

/// The same when the program starts.
pub(super) fn first(target: &Target, role: Role) -> Result<Found, Problem> {
    search(target, role, FIRST_CONNECT).map_err(|no_server| no_server.problem(target))
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
    /// The refusal that says most: of a server that could be reached, if there is one.
    best: Option<Refused>,
}

#[derive(Debug)]
enum Refused {
    Failed(Failure),
    ReadOnly,
}

impl Refused {
    /// Whether a server answered at all.
    fn is_answer(&self) -> bool {
        match self {
            Refused::ReadOnly => true,
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
        let mut best = None;
        for (_, refused) in refusals {
            let better = best.as_ref().is_none_or(|best: &Refused| !best.is_answer());
            if better && (best.is_none() || refused.is_answer()) {
                best = Some(refused);
            }
        }
        NoServer { said, best }
    }

    /// Whether a setting is wrong, so that waiting will not help: password, user, database.
    pub(super) fn is_setting(&self) -> bool {
        let Some(Refused::Failed(Failure::Refused(refusal))) = &self.best else { return false };
        refusal.code.starts_with(b"28") || refusal.code == *b"3D000"
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
            Some(Refused::Failed(failure)) => failure,
        };
        let Failure::Refused(refusal) = failure else {
            return match failure.to_string() {
                why if why.contains("certificate") || why.contains("TLS") => {
                    "see `sslmode` and `sslrootcert` in docs/postgres.md; sslmode=disable goes \
                     without TLS"
                        .into()
                }
                _ => "check that PostgreSQL runs there, and the host and the port in the setting \
                      `database`"
                    .into(),
            };
        };
        match &refusal.code {
            b"28P01" => format!("check the password of the user {} for PostgreSQL", target.user),
            b"28000" => format!(
                "pg_hba.conf on the server decides who may connect: the user {}, the database {}, \
                 from this machine, with or without TLS",
                target.user, target.name
            ),
            b"3D000" => format!("make it: createdb {}", target.name),
            b"53300" => "raise max_connections of the server, or lower `connections` in the \
                         setting `database`"
                .into(),
            b"57P03" => "try again shortly".into(),
            _ => "see the server's log".into(),
        }
    }
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
