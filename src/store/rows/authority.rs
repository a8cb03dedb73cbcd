//! The statement that reads the user and the session that an authority names.

use super::first;
use super::users::may_administrate;
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};
use crate::values::PasswordHash;

/// What the database says of a user who wants something written.
#[derive(Debug)]
pub(in crate::store) struct Grounds {
    pub(in crate::store) active: bool,
    pub(in crate::store) password: PasswordHash,
    pub(in crate::store) admin: bool,
    /// When the session began; none if it has ended, or is another user's.
    pub(in crate::store) began: Option<Timestamp>,
}

/// Reads what there is of a user and a session; nothing if there is no such user.
pub(in crate::store) fn grounds(
    queries: &mut dyn Queries,
    user: i64,
    session: &str,
) -> Result<Option<Grounds>, Fault> {
    // + 0: the session is to be found by jti. By user PostgreSQL would read all sessions of the user.
    first(
        queries,
        concat!(
            "SELECT active, password, ",
            may_administrate!(),
            ", (SELECT created FROM sessions
                WHERE jti = $2 AND \"user\" + 0 = $1 AND ended IS NULL)
             FROM users WHERE id = $1"
        ),
        &[user.into(), session.into()],
        |row| {
            Ok(Grounds {
                active: row.get(0)?,
                password: PasswordHash::stored(row.get(1)?),
                admin: row.get(2)?,
                began: row.get(3)?,
            })
        },
    )
}
