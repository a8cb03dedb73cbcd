//! Statements about the outbox. Only a mail with a link has a `jti`, from which its token or code is
//! made: without one, it is a notice.

use super::{count, exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};
use crate::store::mail_kind::MailKind;

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

/// Keeps a mail; returns its number.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    mail: &NewMail<'_>,
    now: Timestamp,
) -> Result<i64, Fault> {
    let (jti, expires) = mail.link.unzip();
    let id = first(
        queries,
        "INSERT INTO outbox (message, kind, \"user\", email, created, jti, expires, detail, due)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $5) RETURNING id",
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
        |row| row.get(0),
    )?;
    id.ok_or_else(|| Fault::Damaged("an insertion returned no id".into()))
}

/// How far a mail is.
#[derive(Debug, PartialEq, Eq)]
pub enum MailState {
    /// It was sent.
    Sent,
    /// It is in the outbox.
    Queued {
        /// When it is tried next; `None` if it was given up.
        due: Option<Timestamp>,
        /// Why the last attempt failed; empty if there was none.
        failure: String,
    },
}

/// How far a mail of a kind is; `None` if it is not, or no longer, in the outbox.
pub(in crate::store) fn state(
    queries: &mut dyn Queries,
    id: i64,
    kind: MailKind,
) -> Result<Option<MailState>, Fault> {
    let sql = "SELECT due, failure FROM outbox WHERE id = $1 AND kind = $2";
    first(queries, sql, &[id.into(), kind.name().into()], |row| {
        Ok(MailState::Queued { due: row.get(0)?, failure: row.get(1)? })
    })
}

/// Whether there is a notice from before a time that no server has tried to send.
pub(in crate::store) fn has_notices(
    queries: &mut dyn Queries,
    before: Timestamp,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM outbox WHERE jti IS NULL AND attempts = 0 AND created < $1 LIMIT 1";
    exists(queries, sql, &[before.into()])
}

/// Deletes the notices from before a time that no server has tried to send; returns how many.
pub(in crate::store) fn delete_notices(
    queries: &mut dyn Queries,
    before: Timestamp,
) -> Result<usize, Fault> {
    let sql = "DELETE FROM outbox WHERE jti IS NULL AND attempts = 0 AND created < $1";
    queries.execute(sql, &[before.into()])
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

pub(in crate::store) const COUNT_GIVEN_UP: &str = "SELECT count(*) FROM outbox WHERE due IS NULL";

/// Counts the mails that are not tried again.
pub(in crate::store) fn count_given_up(queries: &mut dyn Queries) -> Result<i64, Fault> {
    count(queries, COUNT_GIVEN_UP, &[])
}

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
