//! Statements that only the command line runs.

use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};

/// A mail in the outbox, as an administrator sees it.
#[derive(Debug, Clone)]
pub struct QueuedMail {
    /// Its number.
    pub id: i64,
    /// The name of its kind.
    pub kind: String,
    /// The e-mail address that it goes to.
    pub email: String,
    /// The id of the account that it is about, if that is known yet.
    pub user: Option<i64>,
    /// When it was caused.
    pub created: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    /// When it is tried next; `None` if it was given up.
    pub due: Option<Timestamp>,
    /// Why the last attempt failed.
    pub failure: String,
}

/// Hands each mail to `show`, the oldest first.
pub(in crate::store) fn mails(
    queries: &mut dyn Queries,
    show: &mut dyn FnMut(QueuedMail),
) -> Result<(), Fault> {
    queries.query(
        "SELECT id, kind, email, \"user\", created, attempts, due, failure
         FROM outbox ORDER BY id",
        &[],
        &mut |row| {
            show(QueuedMail {
                id: row.get(0)?,
                kind: row.get(1)?,
                email: row.get(2)?,
                user: row.get(3)?,
                created: row.get(4)?,
                attempts: row.get(5)?,
                due: row.get(6)?,
                failure: row.get(7)?,
            });
            Ok(())
        },
    )
}

/// Makes a mail, or all, due at once; returns how many.
pub(in crate::store) fn retry_mail(
    queries: &mut dyn Queries,
    id: Option<i64>,
    now: Timestamp,
) -> Result<usize, Fault> {
    let sql = "UPDATE outbox SET due = $2 WHERE id = coalesce($1, id)";
    queries.execute(sql, &[id.into(), now.into()])
}

/// Forgets wrong passwords and failed logins up to `now`; false if there is no such user.
pub(in crate::store) fn unlock(
    queries: &mut dyn Queries,
    id: i64,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "UPDATE users SET unlocked = $2, failures = 0 WHERE id = $1";
    Ok(queries.execute(sql, &[id.into(), now.into()])? == 1)
}
