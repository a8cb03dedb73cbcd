//! Statements that only the delivery of mails runs.

use super::emails::{Addressee, read_addressee};
use super::tickets::TicketPurpose;
use super::{delete_chosen, exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row};
use crate::store::mail_kind::MailKind;
use crate::values::Email;

/// The claims of the token in a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its `jti` claim.
    pub jti: String,
    /// The last second in which it can be used.
    pub expires: Timestamp,
}

/// An attempt to send a mail that failed.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryFailure<'a> {
    /// Why it failed.
    pub why: &'a str,
    /// When it is tried again; `None` if it is given up.
    pub due: Option<Timestamp>,
}

/// A mail that is due, as its row has it.
#[derive(Debug, Clone)]
pub(in crate::store) struct DueMail {
    pub(in crate::store) id: i64,
    pub(in crate::store) message: String,
    pub(in crate::store) kind: MailKind,
    pub(in crate::store) user: Option<i64>,
    pub(in crate::store) email: String,
    pub(in crate::store) created: Timestamp,
    pub(in crate::store) link: Option<Link>,
    pub(in crate::store) detail: String,
    pub(in crate::store) attempts: u32,
}

/// The mail that has been due for longest, if one is due.
pub(in crate::store) fn next(
    queries: &mut dyn Queries,
    now: Timestamp,
) -> Result<Option<DueMail>, Fault> {
    first(
        queries,
        "SELECT id, message, kind, \"user\", email, created, jti, expires, detail, attempts
         FROM outbox WHERE due <= $1 ORDER BY due, id LIMIT 1",
        &[now.into()],
        due_mail,
    )
}

/// The mail with this number, if it is there and due.
pub(in crate::store) fn due_with(
    queries: &mut dyn Queries,
    id: i64,
    now: Timestamp,
) -> Result<Option<DueMail>, Fault> {
    first(
        queries,
        "SELECT id, message, kind, \"user\", email, created, jti, expires, detail, attempts
         FROM outbox WHERE id = $2 AND due <= $1",
        &[now.into(), id.into()],
        due_mail,
    )
}

fn due_mail(row: &dyn Row) -> Result<DueMail, Fault> {
    let (jti, expires): (Option<String>, Option<Timestamp>) = (row.get(6)?, row.get(7)?);
    let kind = row.text(2)?.unwrap_or_default();
    let kind = MailKind::named(kind)
        .ok_or_else(|| Fault::Damaged(format!("a mail is of an unknown kind: {kind:?}").into()))?;
    Ok(DueMail {
        id: row.get(0)?,
        message: row.get(1)?,
        kind,
        user: row.get(3)?,
        email: row.get(4)?,
        created: row.get(5)?,
        link: jti.zip(expires).map(|(jti, expires)| Link { jti, expires }),
        detail: row.get(8)?,
        attempts: row.get(9)?,
    })
}

/// The addressee whose account has this e-mail address, in any spelling.
pub(in crate::store) fn holder_of(
    queries: &mut dyn Queries,
    email: &Email,
) -> Result<Option<Addressee>, Fault> {
    let sql = "SELECT id, name, roles, active, language FROM users WHERE email_key = $1";
    first(queries, sql, &[email.key().into()], read_addressee)
}

/// Whether a ticket is there.
pub(in crate::store) fn is_ticket_there(
    queries: &mut dyn Queries,
    jti: &str,
) -> Result<bool, Fault> {
    exists(queries, "SELECT 1 FROM tickets WHERE jti = $1", &[jti.into()])
}

/// Deletes the tickets of a user for one purpose, but for the `kept` that expire last.
pub(in crate::store) fn delete_tickets_beyond(
    queries: &mut dyn Queries,
    user: i64,
    purpose: TicketPurpose,
    kept: i64,
) -> Result<(), Fault> {
    let sql = delete_chosen!(
        "tickets",
        "jti",
        "SELECT jti FROM tickets WHERE \"user\" = $1 AND purpose = $2
         ORDER BY expires DESC LIMIT 9223372036854775807 OFFSET $3"
    );
    queries.execute(sql.of(queries), &[user.into(), purpose.name().into(), kept.into()])?;
    Ok(())
}

/// Makes a mail one to a user: from now on it goes to the address of the account, as its owner
/// wrote it.
pub(in crate::store) fn set_user(
    queries: &mut dyn Queries,
    id: i64,
    user: i64,
) -> Result<(), Fault> {
    queries.execute(
        "UPDATE outbox SET \"user\" = $2, email = (SELECT email FROM users WHERE id = $2)
         WHERE id = $1",
        &[id.into(), user.into()],
    )?;
    Ok(())
}

/// Lets a mail be due at another time.
pub(in crate::store) fn put_off(
    queries: &mut dyn Queries,
    id: i64,
    due: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE outbox SET due = $2 WHERE id = $1";
    queries.execute(sql, &[id.into(), due.into()]).map(drop)
}

/// Counts an attempt that failed; false if there is no mail with this number, or other attempts of it
/// were counted since those `before` this one.
pub(in crate::store) fn fail(
    queries: &mut dyn Queries,
    (id, before): (i64, u32),
    failure: &DeliveryFailure<'_>,
) -> Result<bool, Fault> {
    let sql = "UPDATE outbox SET attempts = attempts + 1, due = $2, failure = $3
               WHERE id = $1 AND attempts = $4";
    let values = [id.into(), failure.due.into(), failure.why.into(), before.into()];
    Ok(queries.execute(sql, &values)? == 1)
}

/// Deletes the mails that were given up, but for the newest `kept`.
pub(in crate::store) fn delete_given_up_beyond(
    queries: &mut dyn Queries,
    kept: i64,
) -> Result<(), Fault> {
    let sql = delete_chosen!(
        "outbox",
        "id",
        "SELECT id FROM outbox WHERE due IS NULL
         ORDER BY id DESC LIMIT 9223372036854775807 OFFSET $1"
    );
    queries.execute(sql.of(queries), &[kept.into()])?;
    Ok(())
}
