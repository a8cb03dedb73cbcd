//! Statements that delete expired rows, a few at a time.

use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};

/// What expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Expiring {
    /// Sessions whose last token can no longer be refreshed.
    Sessions,
    /// Tickets whose token can no longer be used.
    Tickets,
    /// Invitations whose code can no longer be used.
    Invitations,
    /// Accounts whose registration was not confirmed in time.
    Unconfirmed,
    /// Mails, by the time they were caused at.
    Mails,
}

/// Deletes at most `limit` rows that expired before `before`; returns how many.
pub(in crate::store) fn delete(
    queries: &mut dyn Queries,
    what: Expiring,
    before: Timestamp,
    limit: i64,
) -> Result<usize, Fault> {
    let sql = match what {
        Expiring::Sessions => {
            "DELETE FROM sessions WHERE jti IN
             (SELECT jti FROM sessions WHERE expires < $1 LIMIT $2)"
        }
        Expiring::Tickets => {
            "DELETE FROM tickets WHERE jti IN
             (SELECT jti FROM tickets WHERE expires < $1 LIMIT $2)"
        }
        Expiring::Invitations => {
            "DELETE FROM invitations WHERE id IN
             (SELECT id FROM invitations WHERE expires < $1 LIMIT $2)"
        }
        Expiring::Unconfirmed => {
            "DELETE FROM users WHERE id IN
             (SELECT id FROM users WHERE unconfirmed < $1 LIMIT $2)"
        }
        Expiring::Mails => {
            "DELETE FROM outbox WHERE id IN
             (SELECT id FROM outbox WHERE created < $1 LIMIT $2)"
        }
    };
    queries.execute(sql, &[before.into(), limit.into()])
}
