//! What there is in a database: no schema, an empty one, or tables of a version.

use super::problems::{cannot_hold_all_text, newer, not_ours};
use super::session::Session;
use crate::error::Problem;

/// What there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store::postgres) enum State {
    /// No tables.
    Absent {
        /// There is an empty schema for them.
        schema: bool,
    },
    /// Tables of this version, or of an older one.
    Of(i64),
}

/// Reads only the catalog: the user may have no right to anything in the schema.
const LOOK: &str = "
    SELECT pg_catalog.current_setting('server_encoding'),
        EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'lictor'),
        EXISTS (SELECT FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'lictor'),
        EXISTS (SELECT FROM pg_catalog.pg_class c
            JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
            WHERE n.nspname = 'lictor' AND c.relname = 'version' AND c.relkind = 'r'
                AND a.attname = 'number' AND a.atttypid = 'pg_catalog.int4'::pg_catalog.regtype)";

/// Looks, without changing or locking anything. What is not ours or newer than `known` is refused.
pub(in crate::store::postgres) fn look(
    session: &mut Session<'_>,
    known: i64,
) -> Result<State, Problem> {
    let found = session.all(LOOK, |row| {
        let there: [bool; 3] = [row.get(1)?, row.get(2)?, row.get(3)?];
        Ok((row.get::<String>(0)?, there))
    })?;
    let target = session.target;
    let Some((encoding, [schema, anything, version])) = found.into_iter().next() else {
        return Err(not_ours(target));
    };
    if encoding != "UTF8" {
        return Err(cannot_hold_all_text(target, &encoding));
    }
    if !anything {
        return Ok(State::Absent { schema });
    }
    if !version {
        return Err(not_ours(target));
    }
    let numbers = session.all("SELECT number FROM lictor.version", |row| row.get::<i64>(0))?;
    match numbers[..] {
        [number] if number > known => Err(newer(target, number, known)),
        [number] => Ok(State::Of(number)),
        _ => Err(not_ours(target)),
    }
}

/// The owner of the schema, seen from the user of the connection.
#[derive(Debug)]
pub(super) struct Owner {
    /// Its name, quoted where SQL needs that.
    pub(super) name: String,
    /// The user is the owner, or has its rights.
    pub(super) is_ours: bool,
    /// The user is the owner.
    is_user: bool,
}

impl Owner {
    /// Whether the user has the owner's rights, but under another name.
    pub(super) fn is_another_role(&self) -> bool {
        self.is_ours && !self.is_user
    }
}

const OWNER: &str = "
    SELECT pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(nspowner)::text),
        pg_catalog.pg_has_role(nspowner, 'USAGE'),
        pg_catalog.pg_get_userbyid(nspowner) = current_user
    FROM pg_catalog.pg_namespace WHERE nspname = 'lictor'";

/// Whose the schema is.
pub(super) fn owner(session: &mut Session<'_>) -> Result<Owner, Problem> {
    let found = session.all(OWNER, |row| {
        Ok(Owner { name: row.get(0)?, is_ours: row.get(1)?, is_user: row.get(2)? })
    })?;
    found.into_iter().next().ok_or_else(|| not_ours(session.target))
}
