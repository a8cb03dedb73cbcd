//! The tables in PostgreSQL: making them, bringing older ones to the current version, and refusing
//! what is not lictor's. All of it is in a schema of its own, so that it can stand beside the tables
//! of an application in one database.
//!
//! Several processes may open a database at once. What changes tables runs in one transaction under
//! an advisory lock. If the tables are current, nothing is locked and nothing is changed, so that
//! the server can run as a user with few rights. These are the rights it needs; the owner of the
//! schema, which makes and upgrades the tables, grants them:
//!
//! ```sql
//! GRANT USAGE ON SCHEMA lictor TO "user";
//! GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lictor TO "user";
//! GRANT USAGE ON ALL SEQUENCES IN SCHEMA lictor TO "user";
//! -- For the tables that an upgrade makes:
//! ALTER DEFAULT PRIVILEGES FOR ROLE "owner" IN SCHEMA lictor
//!     GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "user";
//! ALTER DEFAULT PRIVILEGES FOR ROLE "owner" IN SCHEMA lictor GRANT USAGE ON SEQUENCES TO "user";
//! ```
//!
//! `LOCK TABLE turn` in either mode needs UPDATE or DELETE on it, which is among these.
//!
//! | file | owns |
//! |---|---|
//! | `session` | statements on a connection, whose failures become Problems |
//! | `state` | what there is: the schema, its version, the rights of the user |
//! | `catalog` | whether the tables are exactly as they should be |
//! | `problems` | why a database is refused, in words |

mod catalog;
mod problems;
mod session;
mod state;
#[cfg(test)]
mod tests;

use std::time::Instant;

pub(super) use self::catalog::missing;
pub(super) use self::problems::damaged;
#[cfg(any(test, feature = "cli"))]
pub(super) use self::problems::{may_not_create, not_there};
pub(super) use self::session::Session;
use self::state::{Owner, owner};
pub(super) use self::state::{State, look};
use super::target::Target;
use super::wire::Connection;
use crate::error::Problem;
use crate::store::schemas;

/// The first key of all advisory locks: "LICT", big-endian.
pub(super) const LOCKS: i32 = 0x4C49_4354;
/// The second key: who holds it makes or upgrades the tables.
pub(super) const UPGRADE: i32 = 1;
/// The second key: who holds it delivers mails and sweeps.
pub(super) const LEADER: i32 = 2;
/// The second key: every server holds it together with others; a copy holds it alone.
pub(super) const SERVER: i32 = 3;

/// The current version; the number is that of the SQLite schema with the same tables.
pub(super) const VERSION: i64 = 8;

/// What the tables are, and how older ones become that.
struct Plan {
    version: i64,
    /// Makes the tables.
    schema: &'static str,
    /// What the catalog then says of them; see `catalog`.
    expected: &'static str,
    /// What brings a version to the next one.
    steps: &'static [Step],
}

/// Brings the tables from a version to the next one.
struct Step {
    from: i64,
    to: i64,
    sql: &'static str,
}

/// The plan of this program. A change of `schema.sql` is a new version: its number here and in
/// `schema.sql`, what the test `the_catalog_is_as_expected` prints in `schema/expected.txt`, and a
/// [`Step`] from the version before. The first version in PostgreSQL was 4.
fn current() -> Plan {
    Plan {
        version: VERSION,
        schema: schemas::postgres(),
        expected: schemas::postgres_catalog(),
        steps: &[FORMER_NAMES, BROWSERS, LAST_LOGINS],
    }
}

/// What version 5 has beside version 4.
const FORMER_NAMES: Step = Step {
    from: 4,
    to: 5,
    sql: "CREATE TABLE former_names (
              name text COLLATE \"C\" PRIMARY KEY,
              \"user\" bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
              told bigint
          );
          CREATE INDEX former_names_of_user ON former_names (\"user\")",
};

/// What version 7 has beside version 5; SQLite alone has a version 6.
const BROWSERS: Step = Step {
    from: 5,
    to: 7,
    sql:
        "ALTER TABLE sessions ADD COLUMN seen bigint;
          CREATE TABLE app_passwords (
              id text COLLATE \"C\" PRIMARY KEY,
              hash bytea NOT NULL UNIQUE,
              \"user\" bigint NOT NULL REFERENCES users (id) ON DELETE CASCADE,
              name text COLLATE \"C\" NOT NULL,
              hosts text COLLATE \"C\" NOT NULL DEFAULT '',
              api boolean NOT NULL DEFAULT FALSE,
              created bigint NOT NULL,
              expires bigint,
              used bigint,
              used_address text COLLATE \"C\"
          );
          CREATE INDEX app_passwords_of_user ON app_passwords (\"user\");
          CREATE INDEX app_passwords_by_expiry ON app_passwords (expires) WHERE expires IS NOT NULL",
};

/// What version 8 has beside version 7. Sessions that are still kept tell when users logged in. The index
/// of administrators leaves out those who have no password, and tickets have one more purpose.
const LAST_LOGINS: Step = Step {
    from: 7,
    to: 8,
    sql: "ALTER TABLE users ADD COLUMN last_login bigint NOT NULL DEFAULT 0,
              ADD COLUMN last_login_address text COLLATE \"C\";
          UPDATE users SET last_login = coalesce(
              (SELECT max(created) FROM sessions WHERE \"user\" = users.id), 0);
          CREATE INDEX users_by_last_login ON users (last_login, id);
          ALTER TABLE tickets DROP CONSTRAINT tickets_purpose_check,
              ADD CONSTRAINT tickets_purpose_check
              CHECK (purpose IN ('registration', 'address', 'reset', 'former'));
          DROP INDEX users_admins;
          CREATE INDEX users_admins ON users (id)
              WHERE active AND replace(',' || roles || ',', ',admin,', '') <> ',' || roles || ','
              AND password <> '!'",
};

/// Makes the tables if there are none, and brings older ones to the current version. The connection
/// may write, and has no transaction open.
pub(super) fn open(
    connection: &mut Connection,
    target: &Target,
    deadline: Instant,
) -> Result<(), Problem> {
    open_as(&current(), &mut Session { connection, target, deadline })
}

/// Makes the tables inside the transaction that is open, unless they are there.
#[cfg(any(test, feature = "cli"))]
pub(super) fn create(
    connection: &mut Connection,
    target: &Target,
    deadline: Instant,
) -> Result<(), Problem> {
    make(&current(), &mut Session { connection, target, deadline })
}

/// Says what is wrong with the tables of the current version, if anything is.
#[cfg(any(test, feature = "cli"))]
pub(super) fn verify(session: &mut Session<'_>) -> Result<(), Problem> {
    verify_as(&current(), session)
}

fn open_as(plan: &Plan, session: &mut Session<'_>) -> Result<(), Problem> {
    if look(session, plan.version)? != State::Of(plan.version) {
        // READ COMMITTED: each statement sees what was committed while this one waited for the lock.
        session.script("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")?;
        let made = make(plan, session).and_then(|()| session.script("COMMIT"));
        if made.is_err() {
            // If this fails too, the connection is lost, and the server undoes the transaction.
            let _ = session.script("ROLLBACK");
        }
        made?;
    }
    verify_as(plan, session)?;
    session.must_have_rights()
}

/// Makes or upgrades the tables, in the transaction that is open.
fn make(plan: &Plan, session: &mut Session<'_>) -> Result<(), Problem> {
    session.script(&format!("SELECT pg_catalog.pg_advisory_xact_lock({LOCKS}, {UPGRADE})"))?;
    // Another process may have done it before this one got the lock.
    let state = look(session, plan.version)?;
    if state == State::Of(plan.version) {
        return Ok(());
    }
    if state == (State::Absent { schema: false }) {
        session.make("CREATE SCHEMA lictor")?;
    }
    let owner = owner(session)?;
    match state {
        State::Of(older) => {
            become_role(session, &owner)?;
            upgrade(plan, session, older)?;
        }
        // Its owner could change the tables, drop them, or put triggers on them.
        State::Absent { .. } if !owner.is_ours => {
            return Err(problems::schema_of_another(session.target, &owner.name));
        }
        State::Absent { .. } => {
            become_role(session, &owner)?;
            session.make("SET LOCAL search_path = lictor")?;
            session.make(plan.schema)?;
        }
    }
    if owner.is_another_role() {
        session.make("RESET ROLE")?;
    }
    verify_as(plan, session)
}

/// Makes what follows belong to the owner of the schema, if this user is a member of it.
fn become_role(session: &mut Session<'_>, owner: &Owner) -> Result<(), Problem> {
    match owner.is_another_role() {
        true => session.make(&format!("SET LOCAL ROLE {}", owner.name)),
        false => Ok(()),
    }
}

/// Runs the steps from a version on.
fn upgrade(plan: &Plan, session: &mut Session<'_>, from: i64) -> Result<(), Problem> {
    session.script("SET LOCAL search_path = lictor")?;
    let mut version = from;
    while version < plan.version {
        let step = plan.steps.iter().find(|step| step.from == version);
        let Some(step) = step else {
            return Err(problems::unknown_version(session.target, version));
        };
        session.upgrade(from, step.sql)?;
        version = step.to;
    }
    session.upgrade(from, &format!("UPDATE version SET number = {version}"))
}

fn verify_as(plan: &Plan, session: &mut Session<'_>) -> Result<(), Problem> {
    if let Some(line) = missing(session, plan.expected)? {
        return Err(damaged(session.target, &format!("not as it should be: {line}")));
    }
    match catalog::intrusion(session, plan.expected)? {
        Some(what) => Err(damaged(session.target, &what)),
        None => Ok(()),
    }
}
