//! Statements about tickets.

use super::first;
use super::users::{self, Person};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};

/// An address that a ticket confirms.
#[derive(Debug, Clone)]
pub struct Confirmation {
    /// The user who will have it.
    pub person: Person,
    /// The e-mail address.
    pub email: String,
    /// Whether it confirms a registration: then a session begins with it.
    pub registration: bool,
}

/// What a ticket is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum TicketPurpose {
    /// Confirms the address of a registration.
    Registration,
    /// Confirms a new address.
    NewEmail,
    /// Sets a new password.
    Reset,
    /// Is good for nothing. The address is that of an earlier registration, whose name the user has
    /// taken.
    Former,
}

impl TicketPurpose {
    /// As the column has it.
    pub(super) fn name(self) -> &'static str {
        match self {
            TicketPurpose::Registration => "registration",
            TicketPurpose::NewEmail => "address",
            TicketPurpose::Reset => "reset",
            TicketPurpose::Former => "former",
        }
    }
}

/// A ticket's row.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Row<'a> {
    pub(in crate::store) jti: &'a str,
    pub(in crate::store) user: i64,
    pub(in crate::store) purpose: TicketPurpose,
    pub(in crate::store) expires: Timestamp,
    /// The address that the user will have; none for [`TicketPurpose::Reset`].
    pub(in crate::store) email: Option<&'a str>,
    /// The administrator who handed it out.
    pub(in crate::store) creator: Option<i64>,
}

/// Keeps a ticket.
pub(in crate::store) fn insert(queries: &mut dyn Queries, ticket: &Row<'_>) -> Result<(), Fault> {
    queries.execute(
        "INSERT INTO tickets (jti, \"user\", purpose, expires, email, creator)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &[
            ticket.jti.into(),
            ticket.user.into(),
            ticket.purpose.name().into(),
            ticket.expires.into(),
            ticket.email.into(),
            ticket.creator.into(),
        ],
    )?;
    Ok(())
}

/// The user of a ticket that can set a password: it has not expired, and the user is active.
pub(in crate::store) fn holder(
    queries: &mut dyn Queries,
    jti: &str,
    now: Timestamp,
) -> Result<Option<Person>, Fault> {
    first(
        queries,
        "SELECT u.id, u.name, u.roles, u.active
         FROM tickets t JOIN users u ON u.id = t.\"user\"
         WHERE t.jti = $1 AND t.purpose = 'reset' AND t.expires >= $2 AND u.active",
        &[jti.into(), now.into()],
        users::person,
    )
}

/// What a ticket confirms, if it has not expired. The ticket of a registration is good only while
/// the account waits; that of a new address only while the user is active.
pub(in crate::store) fn confirmation(
    queries: &mut dyn Queries,
    jti: &str,
    now: Timestamp,
) -> Result<Option<Confirmation>, Fault> {
    first(
        queries,
        "SELECT u.id, u.name, u.roles, u.active, t.email, t.purpose = 'registration'
         FROM tickets t JOIN users u ON u.id = t.\"user\"
         WHERE t.jti = $1 AND t.expires >= $2 AND CASE t.purpose
             WHEN 'registration' THEN u.unconfirmed IS NOT NULL
             WHEN 'address' THEN u.active
             ELSE FALSE END",
        &[jti.into(), now.into()],
        |row| {
            let person = users::person(row)?;
            Ok(Confirmation { person, email: row.get(4)?, registration: row.get(5)? })
        },
    )
}

/// Deletes a ticket.
pub(in crate::store) fn delete(queries: &mut dyn Queries, jti: &str) -> Result<(), Fault> {
    queries.execute("DELETE FROM tickets WHERE jti = $1", &[jti.into()])?;
    Ok(())
}

/// Deletes all tickets of a user.
pub(in crate::store) fn delete_of_user(queries: &mut dyn Queries, user: i64) -> Result<(), Fault> {
    queries.execute("DELETE FROM tickets WHERE \"user\" = $1", &[user.into()])?;
    Ok(())
}

/// Deletes the tickets of a user for one purpose.
pub(in crate::store) fn delete_of_user_for(
    queries: &mut dyn Queries,
    user: i64,
    purpose: TicketPurpose,
) -> Result<(), Fault> {
    let sql = "DELETE FROM tickets WHERE \"user\" = $1 AND purpose = $2";
    queries.execute(sql, &[user.into(), purpose.name().into()])?;
    Ok(())
}

/// Deletes the tickets that an administrator has handed out.
pub(in crate::store) fn delete_of_creator(
    queries: &mut dyn Queries,
    creator: i64,
) -> Result<(), Fault> {
    queries.execute("DELETE FROM tickets WHERE creator = $1", &[creator.into()])?;
    Ok(())
}
