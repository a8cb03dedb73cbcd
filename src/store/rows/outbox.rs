//! Statements about the outbox. Only a mail with a link has a token, and so a `jti`: without one,
//! it is a notice.

use super::{count, exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row};
use crate::store::mail_kind::MailKind;

/// The claims of the token in a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its `jti` claim.
    pub jti: String,
    /// The last second in which it can be used.
    pub expires: Timestamp,
}

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

/// An attempt to send a mail that failed.
#[derive(Debug, Clone, Copy)]
pub struct DeliveryFailure<'a> {
    /// Why it failed.
    pub why: &'a str,
    /// When it is tried again; `None` if it is given up.
    pub due: Option<Timestamp>,
}

/// A mail that is put into the outbox; it is due at once.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct NewMail<'a> {
    /// The Message-ID before the `@`.
    pub(in crate::store) message: &'a str,
    pub(in crate::store) kind: MailKind,
    /// Whose account it is about, if that is known yet.
    pub(in crate::store) user: Option<i64>,
    pub(in crate::store) email: &'a str,
    /// The `jti` claim of the token in its link, and the last second in which that can be used.
    pub(in crate::store) link: Option<(&'a str, Timestamp)>,
    pub(in crate::store) detail: &'a str,
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

/// Keeps a mail.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    mail: &NewMail<'_>,
    now: Timestamp,
) -> Result<(), Fault> {
    let (jti, expires) = mail.link.unzip();
    queries.execute(
        "INSERT INTO outbox (message, kind, \"user\", email, created, jti, expires, detail, due)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $5)",
        &[
            mail.message.into(),
            mail.kind.name().into(),
            mail.user.into(),
            mail.email.into(),
            now.into(),
            jti.into(),
            expires.into(),
            mail.detail.into(),
        ],
    )?;
    Ok(())
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

/// Hands each mail to `show`, the oldest first.
pub(in crate::store) fn each(
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

/// Counts an attempt that failed.
pub(in crate::store) fn fail(
    queries: &mut dyn Queries,
    id: i64,
    failure: &DeliveryFailure<'_>,
) -> Result<(), Fault> {
    queries.execute(
        "UPDATE outbox SET attempts = attempts + 1, due = $2, failure = $3 WHERE id = $1",
        &[id.into(), failure.due.into(), failure.why.into()],
    )?;
    Ok(())
}

/// Deletes the mails that were given up, but for the newest `kept`.
pub(in crate::store) fn delete_given_up_beyond(
    queries: &mut dyn Queries,
    kept: i64,
) -> Result<(), Fault> {
    queries.execute(
        "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE due IS NULL
         ORDER BY id DESC LIMIT 9223372036854775807 OFFSET $1)",
        &[kept.into()],
    )?;
    Ok(())
}

/// Makes a mail, or all, due at once; returns how many.
pub(in crate::store) fn retry(
    queries: &mut dyn Queries,
    id: Option<i64>,
    now: Timestamp,
) -> Result<usize, Fault> {
    let sql = "UPDATE outbox SET due = $2 WHERE id = coalesce($1, id)";
    queries.execute(sql, &[id.into(), now.into()])
}

/// Deletes a mail; returns whether it was there.
pub(in crate::store) fn delete(queries: &mut dyn Queries, id: i64) -> Result<bool, Fault> {
    Ok(queries.execute("DELETE FROM outbox WHERE id = $1", &[id.into()])? == 1)
}

/// Deletes all notices; returns how many.
pub(in crate::store) fn delete_notices(queries: &mut dyn Queries) -> Result<usize, Fault> {
    queries.execute("DELETE FROM outbox WHERE jti IS NULL", &[])
}

/// Deletes the notices about a user, but for one kind.
pub(in crate::store) fn delete_notices_of_user(
    queries: &mut dyn Queries,
    user: i64,
    but_for: MailKind,
) -> Result<(), Fault> {
    queries.execute(
        "DELETE FROM outbox WHERE \"user\" = $1 AND jti IS NULL AND kind <> $2",
        &[user.into(), but_for.name().into()],
    )?;
    Ok(())
}

/// Makes all notices of two kinds about a user ones of the first kind that stand alone: no row of
/// the user goes with them.
pub(in crate::store) fn detach_notices(
    queries: &mut dyn Queries,
    user: i64,
    [kind, other]: [MailKind; 2],
    detail: &str,
) -> Result<(), Fault> {
    queries.execute(
        "UPDATE outbox SET \"user\" = NULL, kind = $2, detail = $4
         WHERE \"user\" = $1 AND kind IN ($2, $3)",
        &[user.into(), kind.name().into(), other.name().into(), detail.into()],
    )?;
    Ok(())
}

// Each of the two has an index of its own.
pub(in crate::store) const COUNT_WAITING_LINKS: &str =
    "SELECT count(*) FROM outbox WHERE jti IS NOT NULL AND due IS NOT NULL";
pub(in crate::store) const COUNT_WAITING_NOTICES: &str =
    "SELECT count(*) FROM outbox WHERE jti IS NULL AND due IS NOT NULL";

/// Counts the mails with a link that wait to be sent.
pub(in crate::store) fn count_waiting_links(queries: &mut dyn Queries) -> Result<i64, Fault> {
    count(queries, COUNT_WAITING_LINKS, &[])
}

/// Counts the notices that wait to be sent.
pub(in crate::store) fn count_waiting_notices(queries: &mut dyn Queries) -> Result<i64, Fault> {
    count(queries, COUNT_WAITING_NOTICES, &[])
}

/// Counts the notices about a user that wait to be sent and are of a kind, or of any other kind.
pub(in crate::store) fn count_notices_of_user(
    queries: &mut dyn Queries,
    user: i64,
    kind: MailKind,
    of_kind: bool,
) -> Result<i64, Fault> {
    count(
        queries,
        "SELECT count(*) FROM outbox WHERE \"user\" = $1 AND jti IS NULL
         AND due IS NOT NULL AND (kind = $2) = $3",
        &[user.into(), kind.name().into(), of_kind.into()],
    )
}

/// Counts the mails of a kind about a user that wait to be sent.
pub(in crate::store) fn count_waiting_of(
    queries: &mut dyn Queries,
    user: i64,
    kind: MailKind,
) -> Result<i64, Fault> {
    count(
        queries,
        "SELECT count(*) FROM outbox WHERE \"user\" = $1 AND kind = $2 AND due IS NOT NULL",
        &[user.into(), kind.name().into()],
    )
}

/// Whether an equal notice waits for its first attempt.
pub(in crate::store) fn is_untried(
    queries: &mut dyn Queries,
    user: i64,
    kind: MailKind,
    email: &str,
    detail: &str,
) -> Result<bool, Fault> {
    exists(
        queries,
        "SELECT 1 FROM outbox WHERE \"user\" = $1 AND kind = $2 AND email = $3 AND detail = $4
         AND due IS NOT NULL AND attempts = 0",
        &[user.into(), kind.name().into(), email.into(), detail.into()],
    )
}
