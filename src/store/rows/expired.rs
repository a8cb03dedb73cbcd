//! Statements that delete expired rows, a few at a time.

use super::delete_chosen;
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};

/// What expires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Expiring {
    /// Sessions whose last token can no longer be refreshed.
    Sessions,
    /// Tickets whose token can no longer be used.
    Tickets,
    /// App passwords that are no longer good.
    AppPasswords,
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
            delete_chosen!(
                "sessions",
                "jti",
                "SELECT jti FROM sessions WHERE expires < $1 LIMIT $2"
            )
        }
        Expiring::Tickets => {
            delete_chosen!("tickets", "jti", "SELECT jti FROM tickets WHERE expires < $1 LIMIT $2")
        }
        Expiring::AppPasswords => {
            delete_chosen!(
                "app_passwords",
                "id",
                "SELECT id FROM app_passwords WHERE expires < $1 LIMIT $2"
            )
        }
        Expiring::Invitations => {
            delete_chosen!(
                "invitations",
                "id",
                "SELECT id FROM invitations WHERE expires < $1 LIMIT $2"
            )
        }
        Expiring::Unconfirmed => {
            delete_chosen!("users", "id", "SELECT id FROM users WHERE unconfirmed < $1 LIMIT $2")
        }
        Expiring::Mails => {
            delete_chosen!("outbox", "id", "SELECT id FROM outbox WHERE created < $1 LIMIT $2")
        }
    };
    queries.execute(sql.of(queries), &[before.into(), limit.into()])
}
