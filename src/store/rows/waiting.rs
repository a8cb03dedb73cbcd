//! Statements about accounts that wait for the confirmation of an e-mail address, and about who may
//! take their names.

use super::tickets::{self, TicketPurpose};
use super::users::{Credentials, credentials, read_credentials};
use super::{exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};
use crate::values::{Email, PasswordHash, Username};

/// The credentials of the user with this name who waits for the confirmation of an e-mail address,
/// unless a registration with the address `email` may take the name: see [`free_name_for`].
pub(in crate::store) fn kept(
    queries: &mut dyn Queries,
    name: &Username,
    email: &Email,
    before: Timestamp,
    now: Timestamp,
) -> Result<Option<Credentials>, Fault> {
    let earlier = registered_as(queries, name, now)?;
    let same = earlier.iter().any(|ticket| ticket.is_for(email));
    let sql = credentials!("WHERE name_key = $1 AND unconfirmed >= $2 AND (created > $3 OR $4)");
    first(
        queries,
        sql,
        &[name.key().into(), now.into(), before.into(), same.into()],
        read_credentials,
    )
}

/// Whether a user waits for the confirmation of an e-mail address, and has this hash.
pub(in crate::store) fn is_waiting_with(
    queries: &mut dyn Queries,
    id: i64,
    hash: &PasswordHash,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM users WHERE id = $1 AND unconfirmed IS NOT NULL AND password = $2";
    exists(queries, sql, &[id.into(), hash.as_str().into()])
}

/// See [`free_name`].
pub(in crate::store) const FREE_NAME: &str =
    "DELETE FROM users WHERE name_key = $1 AND unconfirmed IS NOT NULL
     AND (unconfirmed < $2 OR created <= $3)";

/// Deletes the user with this name who waits for the confirmation of an e-mail address, if that can
/// no longer be confirmed, or if the user has registered up to `before`.
pub(in crate::store) fn free_name(
    queries: &mut dyn Queries,
    name: &Username,
    before: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    queries.execute(FREE_NAME, &[name.key().into(), now.into(), before.into()])?;
    Ok(())
}

/// The same for a registration with the address `email`; but a registration with this name that was
/// mailed to the same address keeps the name. Its reader would confirm the later one, whose password
/// may be a stranger's. Returns the tickets of the earlier ones.
pub(in crate::store) fn free_name_for(
    queries: &mut dyn Queries,
    name: &Username,
    email: &Email,
    before: Timestamp,
    now: Timestamp,
) -> Result<Vec<Registered>, Fault> {
    let earlier = registered_as(queries, name, now)?;
    if !earlier.iter().any(|ticket| ticket.is_for(email)) {
        free_name(queries, name, before, now)?;
    }
    Ok(earlier)
}

/// The ticket of a registration that has not expired: of a user who waits, or of an earlier one whose
/// name that user has taken.
#[derive(Debug)]
pub(in crate::store) struct Registered {
    jti: String,
    email: String,
    expires: Timestamp,
    former: bool,
}

impl Registered {
    /// Whether its link went to this address.
    fn is_for(&self, email: &Email) -> bool {
        Email::parse(&self.email).is_ok_and(|own| own.key() == email.key())
    }
}

/// The tickets of the registrations with the name of this user.
fn registered(
    queries: &mut dyn Queries,
    user: i64,
    now: Timestamp,
) -> Result<Vec<Registered>, Fault> {
    let sql = "SELECT jti, email, expires, purpose = 'former' FROM tickets
         WHERE \"user\" = $1 AND expires >= $2 AND purpose IN ('registration', 'former')";
    let mut found = Vec::new();
    queries.query(sql, &[user.into(), now.into()], &mut |row| {
        let [jti, email] = [row.get(0)?, row.get(1)?];
        found.push(Registered { jti, email, expires: row.get(2)?, former: row.get(3)? });
        Ok(())
    })?;
    Ok(found)
}

/// The tickets of the registrations with this name, if somebody waits under it.
fn registered_as(
    queries: &mut dyn Queries,
    name: &Username,
    now: Timestamp,
) -> Result<Vec<Registered>, Fault> {
    let sql = "SELECT id FROM users WHERE name_key = $1 AND unconfirmed IS NOT NULL";
    match first(queries, sql, &[name.key().into()], |row| row.get(0))? {
        Some(user) => registered(queries, user, now),
        None => Ok(Vec::new()),
    }
}

/// Whether the address is that of an earlier registration, whose name this user has taken.
pub(in crate::store) fn is_former(
    queries: &mut dyn Queries,
    user: i64,
    email: &Email,
    now: Timestamp,
) -> Result<bool, Fault> {
    let found = registered(queries, user, now)?;
    Ok(found.iter().any(|ticket| ticket.former && ticket.is_for(email)))
}

/// Keeps the addresses of earlier registrations, whose name this user has taken.
pub(in crate::store) fn keep_former(
    queries: &mut dyn Queries,
    user: i64,
    earlier: &[Registered],
) -> Result<(), Fault> {
    earlier.iter().try_for_each(|Registered { jti, email, expires, .. }| {
        let (purpose, email) = (TicketPurpose::Former, Some(email.as_str()));
        let row = tickets::Row { jti, user, purpose, expires: *expires, email, creator: None };
        tickets::insert(queries, &row)
    })
}
