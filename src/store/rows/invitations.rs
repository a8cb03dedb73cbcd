//! Statements about invitations.

#[cfg(any(test, feature = "mail"))]
use super::exists;
use super::{all, count, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row};
use crate::values::{CodeHash, Roles};

/// An invitation that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewInvitation<'a> {
    /// The hash of its code.
    pub hash: CodeHash,
    /// The roles that the account will have.
    pub roles: &'a Roles,
    /// The last second in which it can be used.
    pub expires: Timestamp,
}

/// An invitation that nobody has used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// Its name; see [`CodeHash::name`].
    pub id: String,
    /// The roles that the account will have.
    pub roles: Roles,
    /// When it was made.
    pub created: Timestamp,
    /// The last second in which it can be used.
    pub expires: Timestamp,
    /// The administrator who made it; `None` for the command line.
    pub creator: Option<i64>,
}

/// Keeps an invitation of an administrator, or of the command line.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    invitation: &NewInvitation<'_>,
    creator: Option<i64>,
    now: Timestamp,
) -> Result<(), Fault> {
    queries.execute(
        "INSERT INTO invitations (id, hash, roles, created, expires, creator)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            invitation.hash.name().as_str().into(),
            invitation.hash.bytes().as_slice().into(),
            invitation.roles.as_str().into(),
            now.into(),
            invitation.expires.into(),
            creator.into(),
        ],
    )?;
    Ok(())
}

/// Counts the invitations that can be used.
pub(in crate::store) fn count_open(
    queries: &mut dyn Queries,
    now: Timestamp,
) -> Result<i64, Fault> {
    count(queries, "SELECT count(*) FROM invitations WHERE expires >= $1", &[now.into()])
}

/// The invitations that can be used, the newest first.
pub(in crate::store) fn open(
    queries: &mut dyn Queries,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Invitation>, Fault> {
    all(
        queries,
        "SELECT id, roles, created, expires, creator FROM invitations WHERE expires >= $1
         ORDER BY created DESC, id LIMIT $2",
        &[now.into(), limit.into()],
        invitation,
    )
}

/// The invitation of a code, if it can be used.
pub(in crate::store) fn by_code(
    queries: &mut dyn Queries,
    code: &CodeHash,
    now: Timestamp,
) -> Result<Option<Invitation>, Fault> {
    first(
        queries,
        "SELECT id, roles, created, expires, creator FROM invitations
         WHERE hash = $1 AND expires >= $2",
        &[code.bytes().as_slice().into(), now.into()],
        invitation,
    )
}

/// Whether there is an invitation with this name.
#[cfg(any(test, feature = "mail"))]
pub(in crate::store) fn is_there(queries: &mut dyn Queries, id: &str) -> Result<bool, Fault> {
    exists(queries, "SELECT 1 FROM invitations WHERE id = $1", &[id.into()])
}

/// Deletes the invitation of a code, if it can be used; returns whether there was one.
pub(in crate::store) fn use_up(
    queries: &mut dyn Queries,
    code: &CodeHash,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "DELETE FROM invitations WHERE hash = $1 AND expires >= $2";
    Ok(queries.execute(sql, &[code.bytes().as_slice().into(), now.into()])? == 1)
}

/// Deletes an invitation by its name; returns whether there was one.
pub(in crate::store) fn delete(queries: &mut dyn Queries, id: &str) -> Result<bool, Fault> {
    Ok(queries.execute("DELETE FROM invitations WHERE id = $1", &[id.into()])? == 1)
}

/// Deletes the invitations of an administrator.
pub(in crate::store) fn delete_of_creator(
    queries: &mut dyn Queries,
    creator: i64,
) -> Result<(), Fault> {
    queries.execute("DELETE FROM invitations WHERE creator = $1", &[creator.into()])?;
    Ok(())
}

fn invitation(row: &dyn Row) -> Result<Invitation, Fault> {
    // The schema's CHECK lets nothing else in; a database that was tampered with grants no role.
    let roles = Roles::parse(row.text(1)?.unwrap_or_default()).unwrap_or_default();
    Ok(Invitation {
        id: row.get(0)?,
        roles,
        created: row.get(2)?,
        expires: row.get(3)?,
        creator: row.get(4)?,
    })
}
