//! Statements on a connection, before the pool has it. A failure becomes a Problem that says what
//! was wanted.

use std::time::Instant;

use super::problems::{failed, may_not_create, may_not_upgrade, may_not_use};
use crate::error::Problem;
use crate::store::driver::{Fault, Row};
use crate::store::postgres::target::Target;
use crate::store::postgres::wire::{Connection, Failure, Statement};

/// The tables and sequences on which the user lacks a right that the server needs.
const WITHOUT_RIGHTS: &str = "
    SELECT coalesce(string_agg(c.relname::text, ', ' ORDER BY c.relname), '')
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'lictor' AND CASE c.relkind
        WHEN 'r' THEN c.relname IN ('users', 'former_names', 'sessions', 'tickets', 'outbox',
                'invitations', 'second_factors', 'recovery_codes', 'audit', 'unknown_names',
                'turn')
            AND NOT (pg_catalog.has_table_privilege(c.oid, 'SELECT')
                AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
                AND pg_catalog.has_table_privilege(c.oid, 'UPDATE')
                AND pg_catalog.has_table_privilege(c.oid, 'DELETE'))
        WHEN 'S' THEN c.relname IN ('audit_failed_number', 'audit_other_number')
            AND NOT pg_catalog.has_sequence_privilege(c.oid, 'USAGE')
        ELSE FALSE END";

/// A connection, and what its failures are told with.
pub(in crate::store::postgres) struct Session<'a> {
    pub(in crate::store::postgres) connection: &'a mut Connection,
    pub(in crate::store::postgres) target: &'a Target,
    /// When everything must be done.
    pub(in crate::store::postgres) deadline: Instant,
}

impl Session<'_> {
    /// Runs a query, and reads each row of its answer.
    pub(in crate::store::postgres) fn all<T>(
        &mut self,
        sql: &'static str,
        mut read: impl FnMut(&dyn Row) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Problem> {
        let mut found = Vec::new();
        let batch = [Statement { sql, values: &[] }];
        let ran = self.connection.run(&batch, self.deadline, &mut |_, row| {
            found.push(read(row)?);
            Ok(())
        });
        match ran {
            Ok(_) => Ok(found),
            Err(failure) => Err(self.without_right(failure)),
        }
    }

    /// The first column of the first row of an answer: a text.
    pub(in crate::store::postgres) fn text(
        &mut self,
        sql: &'static str,
    ) -> Result<String, Problem> {
        Ok(self.all(sql, |row| row.get(0))?.pop().unwrap_or_default())
    }

    /// Runs statements that only look.
    pub(super) fn script(&mut self, sql: &str) -> Result<(), Problem> {
        self.connection.script(sql, self.deadline).map_err(|failure| self.without_right(failure))
    }

    /// Runs statements that make the tables.
    pub(super) fn make(&mut self, sql: &str) -> Result<(), Problem> {
        self.change(sql, may_not_create)
    }

    /// Runs statements that upgrade tables of a version.
    pub(super) fn upgrade(&mut self, from: i64, sql: &str) -> Result<(), Problem> {
        self.change(sql, |target| may_not_upgrade(target, from))
    }

    fn change(&mut self, sql: &str, forbidden: impl Fn(&Target) -> Problem) -> Result<(), Problem> {
        let ran = self.connection.script(sql, self.deadline);
        ran.map_err(|failure| match failure {
            // 3F000: where the schema may not even be seen, it is as if there were none.
            Failure::Refused(refusal) if matches!(&refusal.code, b"42501" | b"3F000") => {
                forbidden(self.target)
            }
            failure => failed(self.target, &failure),
        })
    }

    /// Says on what the user lacks rights, if there is anything.
    pub(super) fn must_have_rights(&mut self) -> Result<(), Problem> {
        match self.text(WITHOUT_RIGHTS)?.as_str() {
            "" => Ok(()),
            tables => Err(may_not_use(self.target, tables)),
        }
    }

    fn without_right(&self, failure: Failure) -> Problem {
        match failure {
            Failure::Refused(refusal) if &refusal.code == b"42501" => {
                may_not_use(self.target, "its tables")
            }
            failure => failed(self.target, &failure),
        }
    }
}
