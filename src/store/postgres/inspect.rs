//! Looks at a database without changing it: whose it is, of which version, and whether it is sound.

use std::time::{Duration, Instant};

use super::Target;
use super::connect::{self, Role};
use super::schema::{Session, State, VERSION, damaged, look, may_not_create, not_there, verify};
use crate::error::Problem;
use crate::store::Inspection;

/// How long a look may take.
const LOOK: Duration = Duration::from_secs(20);
/// How long reading everything may take.
const READ: Duration = Duration::from_secs(3_600);

/// A query that tells whether a row names a user who is not there.
macro_rules! orphan {
    ($table:literal, $column:literal) => {
        concat!(
            "SELECT EXISTS (SELECT FROM lictor.",
            $table,
            " t WHERE t.",
            $column,
            " IS NOT NULL AND NOT EXISTS (SELECT FROM lictor.users u WHERE u.id = t.",
            $column,
            "))"
        )
    };
}

/// A query that tells whether the next id of a table was given out already.
macro_rules! behind {
    ($table:literal) => {
        concat!(
            "SELECT coalesce(max(id), 0) > coalesce((SELECT last_value FROM pg_catalog.pg_sequences
             WHERE schemaname = 'lictor' AND sequencename = '",
            $table,
            "_id_seq'), 0) FROM lictor.",
            $table
        )
    };
}

/// A query that reads a part of the database, and what is wrong if it answers true.
const FINDINGS: [(&str, &str); 15] = [
    ("SELECT count(*) < 0 FROM lictor.tickets", "tickets cannot be read"),
    ("SELECT count(*) < 0 FROM lictor.outbox", "mails cannot be read"),
    ("SELECT count(*) < 0 FROM lictor.invitations", "invitations cannot be read"),
    ("SELECT count(*) < 0 FROM lictor.turn", "the table turn cannot be read"),
    ("SELECT count(*) <> 1024 FROM lictor.unknown_names", "unknown_names has not its 1,024 rows"),
    (orphan!("sessions", "\"user\""), "a session is of no user"),
    (orphan!("tickets", "\"user\""), "a ticket is of no user"),
    (orphan!("tickets", "creator"), "a ticket is by no user"),
    (orphan!("outbox", "\"user\""), "a mail is to no user"),
    (orphan!("invitations", "creator"), "an invitation is by no user"),
    (orphan!("second_factors", "\"user\""), "a second factor is of no user"),
    (orphan!("recovery_codes", "\"user\""), "a recovery code is of no user"),
    (
        behind!("users"),
        "the next user would get the id of another one: the sequence users_id_seq is behind",
    ),
    (
        behind!("outbox"),
        "the next mail would get the number of another one: the sequence outbox_id_seq is behind",
    ),
    (
        behind!("audit"),
        "the next audit entry would get the id of another one: the sequence audit_id_seq is behind",
    ),
];

/// Whether this user may make a schema.
const MAY_CREATE: &str =
    "SELECT pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE')";

/// Says whose the database is, and of which version.
pub(in crate::store) fn inspect(target: &Target) -> Result<Inspection, Problem> {
    let deadline = Instant::now() + LOOK;
    let connection = &mut connect::first(target, Role::Setup)?.connection;
    Ok(match look(&mut Session { connection, target, deadline }, VERSION)? {
        State::Absent { .. } => Inspection::Absent,
        State::Of(VERSION) => Inspection::Current,
        State::Of(older) => Inspection::Older(older),
    })
}

/// Whether somebody is logged in, or was sent a link. False if there are no tables of lictor; an error
/// if the database does not answer.
#[cfg(feature = "cli")]
pub(in crate::store) fn has_tokens(target: &Target) -> Result<bool, Problem> {
    const SQL: &str = "SELECT EXISTS (SELECT FROM lictor.sessions WHERE ended IS NULL) \
         OR EXISTS (SELECT FROM lictor.tickets)";
    let deadline = Instant::now() + LOOK;
    let connection = &mut connect::first(target, Role::Setup)?.connection;
    let session = &mut Session { connection, target, deadline };
    match look(session, VERSION)? {
        State::Absent { .. } => Ok(false),
        // Every version in PostgreSQL has both tables.
        State::Of(_) => session.all(SQL, |row| row.get::<bool>(0)).map(|found| found == [true]),
    }
}

/// Says whether this user may make what is absent, without making it.
pub(in crate::store) fn can_make(target: &Target) -> Result<(), Problem> {
    let deadline = Instant::now() + LOOK;
    let connection = &mut connect::first(target, Role::Setup)?.connection;
    let session = &mut Session { connection, target, deadline };
    match look(session, VERSION)? {
        State::Absent { schema: false }
            if session.all(MAY_CREATE, |row| row.get::<bool>(0))? != [true] =>
        {
            Err(may_not_create(target))
        }
        _ => Ok(()),
    }
}

/// Reads all tables, and says whether they are as they should be. PostgreSQL checks the pages that
/// it reads only if the cluster has checksums; `amcheck` and `pg_amcheck` look deeper.
pub(in crate::store) fn check(target: &Target) -> Result<(), Problem> {
    let deadline = Instant::now() + READ;
    let connection = &mut connect::first(target, Role::Setup)?.connection;
    let session = &mut Session { connection, target, deadline };
    match look(session, VERSION)? {
        State::Absent { .. } => return Err(not_there(target)),
        State::Of(VERSION) => verify(session)?,
        // The upgrade verifies what it makes of older tables.
        State::Of(_) => {}
    }
    for (sql, what) in FINDINGS {
        if session.all(sql, |row| row.get::<bool>(0))?.contains(&true) {
            return Err(damaged(target, what));
        }
    }
    Ok(())
}
