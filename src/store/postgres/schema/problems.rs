//! Why a database cannot be used, in words for the operator.

use crate::error::Problem;
use crate::store::postgres::target::Target;
use crate::store::postgres::wire::Failure;

/// There is no schema of ours.
#[cfg(any(test, feature = "cli"))]
pub(in crate::store::postgres) fn not_there(target: &Target) -> Problem {
    Problem::new(
        format!("the database {target} has no tables of lictor"),
        "every command but `check` makes them; or give another database with the setting \
         `database`",
    )
}

/// The schema has something else in it.
pub(super) fn not_ours(target: &Target) -> Problem {
    Problem::new(
        format!("the schema lictor in the database {target} is not one of this program"),
        "it was not touched; rename it, or give another database with the setting `database`",
    )
}

/// A newer lictor made the tables.
pub(super) fn newer(target: &Target, version: i64, known: i64) -> Problem {
    Problem::new(
        format!(
            "the database {target} was made by a newer lictor: its tables are of version {version}; \
             this lictor knows version {known}"
        ),
        "run the newer lictor, or give another database with the setting `database`",
    )
}

/// No step leads from this version to the next.
pub(super) fn unknown_version(target: &Target, version: i64) -> Problem {
    damaged(target, &format!("no lictor for PostgreSQL has made tables of version {version}"))
}

/// Something is wrong with what is ours.
pub(in crate::store::postgres) fn damaged(target: &Target, what: &str) -> Problem {
    Problem::new(
        format!("the database {target} is damaged: {what}"),
        "it was not touched; restore a backup of the schema lictor with pg_restore, or undo what \
         was changed by hand",
    )
}

/// Not every text can be stored.
pub(super) fn cannot_hold_all_text(target: &Target, encoding: &str) -> Problem {
    Problem::new(
        format!("the database {target} has the encoding {encoding}, which cannot hold every name"),
        "make another one: CREATE DATABASE lictor ENCODING 'UTF8' TEMPLATE template0",
    )
}

/// The user may not make the schema or the tables.
pub(in crate::store::postgres) fn may_not_create(target: &Target) -> Problem {
    let (user, name) = (quoted(&target.user), quoted(&target.name));
    Problem::new(
        format!(
            "the database {target} has no tables of lictor, and the user {user} may not make them"
        ),
        format!(
            "run, as the owner of the database: GRANT CREATE ON DATABASE {name} TO {user}; or, to \
             have another owner than this user: CREATE SCHEMA lictor AUTHORIZATION owner, then \
             `lictor user add NAME` as that owner"
        ),
    )
}

/// There is an empty schema of somebody else.
pub(super) fn schema_of_another(target: &Target, owner: &str) -> Problem {
    let user = quoted(&target.user);
    Problem::new(
        format!(
            "the database {target} has no tables of lictor, and the user {user} may not make them: \
             the schema lictor belongs to {owner}"
        ),
        format!(
            "run `lictor user add NAME` as its owner; or, as a superuser: ALTER SCHEMA lictor OWNER \
             TO {user}"
        ),
    )
}

/// The tables are older, and the user is not their owner.
pub(super) fn may_not_upgrade(target: &Target, version: i64) -> Problem {
    let user = quoted(&target.user);
    Problem::new(
        format!(
            "the tables of the database {target} are of version {version}, and the user {user} may \
             not upgrade them"
        ),
        "run any command of this lictor, such as `lictor user list`, as the owner of the schema \
         lictor: --database postgres://owner@…",
    )
}

/// The user lacks rights on `tables`.
pub(super) fn may_not_use(target: &Target, tables: &str) -> Problem {
    let user = quoted(&target.user);
    Problem::new(
        format!(
            "the user {user} lacks rights on the schema lictor in the database {target}: {tables}"
        ),
        format!(
            "run, as its owner: GRANT USAGE ON SCHEMA lictor TO {user}; GRANT SELECT, INSERT, \
             UPDATE, DELETE ON ALL TABLES IN SCHEMA lictor TO {user}; GRANT USAGE ON ALL SEQUENCES \
             IN SCHEMA lictor TO {user}"
        ),
    )
}

/// The server refused something else, or the connection was lost.
pub(super) fn failed(target: &Target, failure: &Failure) -> Problem {
    let next = match failure {
        Failure::Refused(refusal) if &refusal.code == b"25006" => {
            "it is read-only, as a standby is; name the primary, or all servers with \
             target_session_attrs=read-write"
        }
        Failure::Lost(_) => "look whether the server runs; its log says more",
        Failure::Refused(_) | Failure::Row(_) => "the log of the server says more",
    };
    Problem::new(format!("cannot open the database {target}: {failure}"), next)
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
