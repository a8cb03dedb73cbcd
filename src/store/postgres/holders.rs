//! Who holds an advisory lock of lictor. PostgreSQL asks for no right to take one: any role that may
//! connect to the database can. So a lock that is taken is believed only if its holder may write
//! lictor's tables, and could do worse.

use std::time::Instant;

use super::schema::{LEADER, SERVER};
use super::wire::{Connection, Failure, Statement};

/// Whether nobody who may write the tables holds the lock alone, or waits for it. If the holder has
/// gone meanwhile, it is believed. `objsubid`: a lock with two keys of 32 bits.
const IS_STRANGER: &str = "SELECT NOT coalesce(bool_or(
    pg_catalog.has_table_privilege(usesysid, 'lictor.turn', 'UPDATE')), true)
FROM pg_catalog.pg_locks JOIN pg_catalog.pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND classid = 1279869780 AND objid = $1::bigint::oid AND objsubid = 2
AND mode = 'ExclusiveLock' AND datname = current_database()";

/// The locks of which the log says already that a stranger has them.
#[derive(Debug, Default)]
pub(super) struct Warned {
    server: bool,
    leader: bool,
}

impl Warned {
    /// Whether the lock that a copy takes is held by somebody who cannot copy. Says it once.
    pub(super) fn of_server(
        &mut self,
        connection: &mut Connection,
        deadline: Instant,
    ) -> Result<bool, Failure> {
        let is_stranger = is_stranger(connection, SERVER, deadline)?;
        if is_stranger && !self.server {
            log::warn!(
                "a role without a right to lictor's tables holds the advisory lock of `lictor \
                 database copy`, and is ignored; {REVOKE}"
            );
        }
        self.server = is_stranger;
        Ok(is_stranger)
    }

    /// Says once if the lock of the process that delivers the mails is held by somebody who cannot.
    pub(super) fn of_leader(
        &mut self,
        connection: &mut Connection,
        deadline: Instant,
    ) -> Result<(), Failure> {
        let is_stranger = is_stranger(connection, LEADER, deadline)?;
        if is_stranger && !self.leader {
            log::warn!(
                "a role without a right to lictor's tables holds the advisory lock of the process \
                 that delivers the mails: no mail is delivered; {REVOKE}"
            );
        }
        self.leader = is_stranger;
        Ok(())
    }
}

/// The next step.
const REVOKE: &str =
    "end its session (pg_locks, pg_terminate_backend), and REVOKE CONNECT ON DATABASE";

fn is_stranger(connection: &mut Connection, key: i32, deadline: Instant) -> Result<bool, Failure> {
    let mut is_stranger = false;
    let values = [i64::from(key).into()];
    let statement = Statement { sql: IS_STRANGER, values: &values };
    connection.run(&[statement], deadline, &mut |_, row| {
        is_stranger = row.boolean(0)?;
        Ok(())
    })?;
    Ok(is_stranger)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::postgres::schema::LOCKS;

    #[test]
    fn the_keys_of_the_locks_are_those_of_the_schema() {
        assert!(IS_STRANGER.contains(&format!("classid = {LOCKS} ")));
    }
}
