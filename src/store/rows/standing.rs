//! Statements that check a request: the session of a token or a cookie, and its user.

use super::first;
use super::users::{Person, person};
use crate::clock::Timestamp;
use crate::store::driver::{Dialect, Fault, Queries, Row, Value};

/// What a token check finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The session's user.
    pub person: Person,
    /// The session was ended before its time.
    pub ended: bool,
    /// When the session began.
    pub began: Timestamp,
    /// Whether the user has a confirmed second factor; `None` if the query did not ask.
    pub second_factor: Option<bool>,
    /// `None` if the query did not ask.
    pub details: Option<SessionDetails>,
}

/// What the check of a cookie needs besides, and what apps behind a proxy are told of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionDetails {
    /// The session's last second.
    pub expires: Timestamp,
    /// When its browser last showed the cookie; `None` if it has none.
    pub seen: Option<Timestamp>,
    /// When its newest token was issued.
    pub newest: Timestamp,
    /// The user's e-mail address.
    pub email: Option<String>,
}

/// Runs for every request with a token.
pub(in crate::store) const STANDING: &str =
    "SELECT u.id, u.name, u.roles, u.active, s.ended IS NOT NULL, s.created
     FROM sessions s JOIN users u ON u.id = s.\"user\" WHERE s.jti = $1";

/// The session of a token, and its user.
pub(in crate::store) fn standing(
    queries: &mut dyn Queries,
    jti: &str,
) -> Result<Option<Standing>, Fault> {
    first(queries, STANDING, &[jti.into()], read_standing)
}

/// Runs for every request with a session's cookie, and for a proxy's with a token.
pub(in crate::store) const STANDING_WITH_DETAILS: &str =
    "SELECT u.id, u.name, u.roles, u.active, s.ended IS NOT NULL, s.created, s.expires, s.seen,
     s.newest, u.email FROM sessions s JOIN users u ON u.id = s.\"user\" WHERE s.jti = $1";

/// The session with this `jti`, its user, and the details.
pub(in crate::store) fn standing_with_details(
    queries: &mut dyn Queries,
    jti: &str,
) -> Result<Option<Standing>, Fault> {
    first(queries, STANDING_WITH_DETAILS, &[jti.into()], |row| {
        Ok(Standing { details: Some(read_details(row, 6)?), ..read_standing(row)? })
    })
}

/// The sessions of several tokens and cookies, and their users, in the order of `jtis`; with the
/// details where `full` says so of the place.
pub(in crate::store) fn standings(
    queries: &mut dyn Queries,
    jtis: &[&str],
    full: &dyn Fn(usize) -> bool,
) -> Result<Vec<Option<Standing>>, Fault> {
    match queries.dialect() {
        // A query to SQLite is a call of a function: there is nothing to save.
        Dialect::Sqlite => (0..)
            .zip(jtis)
            .map(|(place, jti)| match full(place) {
                false => standing(queries, jti),
                true => standing_with_details(queries, jti),
            })
            .collect(),
        Dialect::Postgres => match jtis {
            // Of one token the row is looked up as such: the planner takes `= ANY` for ten rows.
            [jti] => standing_by_deadline(queries, jti, full(0)).map(|standing| vec![standing]),
            _ => standings_at_once(queries, jtis, full),
        },
    }
}

/// Like [`STANDING`], for tokens of a condition. Asks for the second factor as well: a further query
/// would be a further wait for the network. SQLite is asked only where it matters. With the token's
/// `jti`, since the rows come in any order.
macro_rules! check_where {
    ($condition:literal) => {
        concat!(
            "SELECT u.id, u.name, u.roles, u.active, s.ended IS NOT NULL, s.created, s.jti,
             EXISTS (SELECT 1 FROM second_factors f
                     WHERE f.\"user\" = u.id AND f.confirmed IS NOT NULL),
             s.expires, s.seen, s.newest, u.email
             FROM sessions s JOIN users u ON u.id = s.\"user\" WHERE ",
            $condition
        )
    };
}

fn standing_by_deadline(
    queries: &mut dyn Queries,
    jti: &str,
    full: bool,
) -> Result<Option<Standing>, Fault> {
    let mut found = None;
    queries.query_keys(check_where!("s.jti = $1"), &[jti.into()], &mut |row| {
        found = Some(read_check(row, full)?);
        Ok(())
    })?;
    Ok(found)
}

fn standings_at_once(
    queries: &mut dyn Queries,
    jtis: &[&str],
    full: &dyn Fn(usize) -> bool,
) -> Result<Vec<Option<Standing>>, Fault> {
    // One token may be checked for several requests.
    let mut places: Vec<(&str, usize)> = jtis.iter().copied().zip(0..).collect();
    places.sort_unstable();
    let mut found = vec![None; jtis.len()];
    let sql = check_where!("s.jti = ANY ($1)");
    queries.query_keys(sql, &[Value::Texts(jtis)], &mut |row| {
        let jti = row.text(6)?.unwrap_or_default();
        let from = places.partition_point(|(other, _)| *other < jti);
        let same = || places[from..].iter().take_while(|(other, _)| *other == jti);
        let standing = read_check(row, same().any(|(_, place)| full(*place)))?;
        for (_, place) in same() {
            found[*place] = Some(standing.clone());
        }
        Ok(())
    })?;
    Ok(found)
}

fn read_standing(row: &dyn Row) -> Result<Standing, Fault> {
    let (person, ended, began) = (person(row)?, row.get(4)?, row.get(5)?);
    Ok(Standing { person, ended, began, second_factor: None, details: None })
}

fn read_check(row: &dyn Row, full: bool) -> Result<Standing, Fault> {
    let details = full.then(|| read_details(row, 8)).transpose()?;
    Ok(Standing { second_factor: Some(row.get(7)?), details, ..read_standing(row)? })
}

/// Reads the details, whose columns begin at `from`.
fn read_details(row: &dyn Row, from: usize) -> Result<SessionDetails, Fault> {
    Ok(SessionDetails {
        expires: row.get(from)?,
        seen: row.get(from + 1)?,
        newest: row.get(from + 2)?,
        email: row.get(from + 3)?,
    })
}
