//! Statements about the outbox as administrators see it: which mails wait or were given up, trying
//! one again, and deleting one.

use super::{Page, all, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row};

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
    /// The name of that account.
    pub name: Option<String>,
    /// When it was caused.
    pub created: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    /// When it is tried next; `None` if it was given up.
    pub due: Option<Timestamp>,
    /// Why the last attempt failed.
    pub failure: String,
}

/// The columns of [`mail`].
macro_rules! mails {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, email, \"user\", created, attempts, due, failure,
             (SELECT name FROM users WHERE users.id = outbox.\"user\") FROM outbox ",
            $rest
        )
    };
}

fn mail(row: &dyn Row) -> Result<QueuedMail, Fault> {
    Ok(QueuedMail {
        id: row.get(0)?,
        kind: row.get(1)?,
        email: row.get(2)?,
        user: row.get(3)?,
        created: row.get(4)?,
        attempts: row.get(5)?,
        due: row.get(6)?,
        failure: row.get(7)?,
        name: row.get(8)?,
    })
}

/// The mails after a number, the oldest first.
pub(in crate::store) fn after(
    queries: &mut dyn Queries,
    after: i64,
    limit: u32,
) -> Result<Page<QueuedMail>, Fault> {
    let values = [after.into(), (i64::from(limit) + 1).into()];
    let mut rows = all(queries, mails!("WHERE id > $1 ORDER BY id LIMIT $2"), &values, mail)?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next = rows.last().map(|mail| mail.id).filter(|_| more);
    Ok(Page { rows, next })
}

/// The mail with this number.
pub(in crate::store) fn with_id(
    queries: &mut dyn Queries,
    id: i64,
) -> Result<Option<QueuedMail>, Fault> {
    first(queries, mails!("WHERE id = $1"), &[id.into()], mail)
}

/// Makes a mail, or all, due at once, but for those whose link has expired; returns how many.
pub(in crate::store) fn retry(
    queries: &mut dyn Queries,
    id: Option<i64>,
    now: Timestamp,
) -> Result<usize, Fault> {
    match id {
        Some(id) => {
            let sql = "UPDATE outbox SET due = $2
                 WHERE id = $1 AND (expires IS NULL OR expires >= $2)";
            queries.execute(sql, &[id.into(), now.into()])
        }
        None => {
            let sql = "UPDATE outbox SET due = $1 WHERE expires IS NULL OR expires >= $1";
            queries.execute(sql, &[now.into()])
        }
    }
}

/// Deletes a mail; returns whether it was there.
pub(in crate::store) fn delete(queries: &mut dyn Queries, id: i64) -> Result<bool, Fault> {
    Ok(queries.execute("DELETE FROM outbox WHERE id = $1", &[id.into()])? == 1)
}
