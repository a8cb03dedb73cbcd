//! Statements about sessions.

use std::net::IpAddr;

use super::users::{Person, person};
use super::{all, count, delete_chosen, exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Dialect, Fault, Queries, Row, Value};

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct ClientInfo<'a> {
    /// The client's IP address, if it is known.
    pub ip: Option<IpAddr>,
    /// What the client's program calls itself; printable.
    pub agent: &'a str,
}

/// A session to begin.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// The `jti` claim of all its tokens.
    pub jti: &'a str,
    /// The first token's `iat`.
    pub issued: Timestamp,
    /// The `rf_exp` of all its tokens.
    pub expires: Timestamp,
    /// The client that begins it.
    pub origin: ClientInfo<'a>,
    /// Tell the user by mail if a login begins the session and it is the first from its address.
    pub notice: bool,
}

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
}

/// A session as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The `jti` claim of its tokens.
    pub jti: String,
    /// When it began.
    pub created: Timestamp,
    /// When its newest token was issued.
    pub refreshed: Timestamp,
    /// When it ends by itself.
    pub expires: Timestamp,
    /// The IP address where it began; `-` if that was not known.
    pub ip: String,
    /// The program that began it.
    pub agent: String,
}

/// What a session remembers of its last refresh, or of its beginning if it has had none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastRefresh {
    /// The newest token's `iat`.
    pub newest: Timestamp,
    /// The `iat` of the token that was exchanged for it.
    pub previous: Option<Timestamp>,
    /// The client's IP address, if it is known.
    pub ip: Option<IpAddr>,
    /// The program that did it.
    pub agent: String,
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

/// The sessions of several tokens, and their users, in the order of the tokens.
pub(in crate::store) fn standings(
    queries: &mut dyn Queries,
    jtis: &[&str],
) -> Result<Vec<Option<Standing>>, Fault> {
    match queries.dialect() {
        // A query to SQLite is a call of a function: there is nothing to save.
        Dialect::Sqlite => jtis.iter().map(|jti| standing(queries, jti)).collect(),
        Dialect::Postgres => match jtis {
            // Of one token the row is looked up as such: the planner takes `= ANY` for ten rows.
            [jti] => standing_by_deadline(queries, jti).map(|standing| vec![standing]),
            _ => standings_at_once(queries, jtis),
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
                     WHERE f.\"user\" = u.id AND f.confirmed IS NOT NULL)
             FROM sessions s JOIN users u ON u.id = s.\"user\" WHERE ",
            $condition
        )
    };
}

fn standing_by_deadline(queries: &mut dyn Queries, jti: &str) -> Result<Option<Standing>, Fault> {
    let mut found = None;
    queries.query_keys(check_where!("s.jti = $1"), &[jti.into()], &mut |row| {
        found = Some(read_check(row)?);
        Ok(())
    })?;
    Ok(found)
}

fn standings_at_once(
    queries: &mut dyn Queries,
    jtis: &[&str],
) -> Result<Vec<Option<Standing>>, Fault> {
    // One token may be checked for several requests.
    let mut places: Vec<(&str, usize)> = jtis.iter().copied().zip(0..).collect();
    places.sort_unstable();
    let mut found = vec![None; jtis.len()];
    let sql = check_where!("s.jti = ANY ($1)");
    queries.query_keys(sql, &[Value::Texts(jtis)], &mut |row| {
        let (standing, jti) = (read_check(row)?, row.text(6)?.unwrap_or_default());
        let from = places.partition_point(|(other, _)| *other < jti);
        for (_, place) in places[from..].iter().take_while(|(other, _)| *other == jti) {
            found[*place] = Some(standing.clone());
        }
        Ok(())
    })?;
    Ok(found)
}

fn read_standing(row: &dyn Row) -> Result<Standing, Fault> {
    let (person, ended, began) = (person(row)?, row.get(4)?, row.get(5)?);
    Ok(Standing { person, ended, began, second_factor: None })
}

fn read_check(row: &dyn Row) -> Result<Standing, Fault> {
    Ok(Standing { second_factor: Some(row.get(7)?), ..read_standing(row)? })
}

/// Begins a session.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    user: i64,
    session: &NewSession<'_>,
) -> Result<(), Fault> {
    let ip = written(session.origin.ip);
    queries.execute(
        "INSERT INTO sessions (jti, \"user\", created, newest, expires, address, agent)
         VALUES ($1, $2, $3, $3, $4, $5, $6)",
        &[
            session.jti.into(),
            user.into(),
            session.issued.into(),
            session.expires.into(),
            (&*ip).into(),
            session.origin.agent.into(),
        ],
    )?;
    Ok(())
}

/// Whether the token of another program can begin a session: its user is active and takes tokens
/// from that time, the session is not known, and there was no second factor yet.
pub(in crate::store) fn is_adoptable(
    queries: &mut dyn Queries,
    user: i64,
    session: &NewSession<'_>,
) -> Result<bool, Fault> {
    exists(
        queries,
        "SELECT 1 FROM users WHERE id = $1 AND active AND tokens_after < $2
         AND NOT EXISTS (SELECT 1 FROM sessions WHERE jti = $3)
         AND NOT EXISTS (SELECT 1 FROM second_factors WHERE \"user\" = $1 AND confirmed <= $2)",
        &[user.into(), session.issued.into(), session.jti.into()],
    )
}

/// What an open session remembers of its last refresh; nothing if it has ended or never was.
pub(in crate::store) fn last_refresh(
    queries: &mut dyn Queries,
    jti: &str,
) -> Result<Option<LastRefresh>, Fault> {
    first(
        queries,
        "SELECT newest, previous, coalesce(refreshed_address, address),
         coalesce(refreshed_agent, agent) FROM sessions WHERE jti = $1 AND ended IS NULL",
        &[jti.into()],
        |row| {
            Ok(LastRefresh {
                newest: row.get(0)?,
                previous: row.get(1)?,
                ip: row.text(2)?.unwrap_or_default().parse().ok(),
                agent: row.get(3)?,
            })
        },
    )
}

/// Remembers when a session's next token was issued, and where it went.
pub(in crate::store) fn refreshed(
    queries: &mut dyn Queries,
    jti: &str,
    previous: Timestamp,
    origin: &ClientInfo<'_>,
    issued: Timestamp,
) -> Result<(), Fault> {
    let ip = written(origin.ip);
    queries.execute(
        "UPDATE sessions SET newest = $2, previous = $3, refreshed_address = $4,
         refreshed_agent = $5 WHERE jti = $1",
        &[jti.into(), issued.into(), previous.into(), (&*ip).into(), origin.agent.into()],
    )?;
    Ok(())
}

/// The newest open sessions of a user, the one that was refreshed last first.
pub(in crate::store) fn open_of(
    queries: &mut dyn Queries,
    user: i64,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Session>, Fault> {
    all(
        queries,
        "SELECT jti, created, newest, expires, address, agent FROM sessions
         WHERE \"user\" = $1 AND ended IS NULL AND expires >= $2
         ORDER BY newest DESC, created DESC, jti LIMIT $3",
        &[user.into(), now.into(), limit.into()],
        |row| {
            Ok(Session {
                jti: row.get(0)?,
                created: row.get(1)?,
                refreshed: row.get(2)?,
                expires: row.get(3)?,
                ip: row.get(4)?,
                agent: row.get(5)?,
            })
        },
    )
}

/// Ends an open session of a user; returns how many that were.
pub(in crate::store) fn end(
    queries: &mut dyn Queries,
    user: i64,
    jti: &str,
    now: Timestamp,
) -> Result<usize, Fault> {
    // + 0: to be found by jti. By user PostgreSQL would read all sessions of the user.
    let sql = "UPDATE sessions SET ended = $3
               WHERE jti = $2 AND \"user\" + 0 = $1 AND ended IS NULL";
    queries.execute(sql, &[user.into(), jti.into(), now.into()])
}

/// Ends all open sessions of a user; returns how many that were.
pub(in crate::store) fn end_all(
    queries: &mut dyn Queries,
    user: i64,
    now: Timestamp,
) -> Result<usize, Fault> {
    let sql = "UPDATE sessions SET ended = $2 WHERE \"user\" = $1 AND ended IS NULL";
    queries.execute(sql, &[user.into(), now.into()])
}

/// Ends a session of any user.
pub(in crate::store) fn end_replayed(
    queries: &mut dyn Queries,
    jti: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    queries.execute("UPDATE sessions SET ended = $2 WHERE jti = $1", &[jti.into(), now.into()])?;
    Ok(())
}

/// How many sessions of a user there are, those that have ended among them.
pub(in crate::store) fn count_of(queries: &mut dyn Queries, user: i64) -> Result<i64, Fault> {
    count(queries, "SELECT count(*) FROM sessions WHERE \"user\" = $1", &[user.into()])
}

/// Deletes the sessions of a user beyond the `kept` newest, those that have ended first; returns
/// the `iat` of the newest token among them.
pub(in crate::store) fn delete_beyond(
    queries: &mut dyn Queries,
    user: i64,
    kept: i64,
) -> Result<Option<Timestamp>, Fault> {
    let sql = delete_chosen!(
        "sessions",
        "jti",
        "SELECT jti FROM sessions WHERE \"user\" = $1
         ORDER BY ended IS NOT NULL, newest DESC LIMIT 9223372036854775807 OFFSET $2",
        " RETURNING newest"
    );
    let (sql, values) = (sql.of(queries), [user.into(), kept.into()]);
    let newest = all(queries, sql, &values, |row| row.get(0))?;
    Ok(newest.into_iter().max())
}

/// Shows the IP addresses where a user's sessions began and were refreshed last, as rows have them.
/// Leaves out sessions that were over when all were last ended.
pub(in crate::store) fn places_of(
    queries: &mut dyn Queries,
    user: i64,
    show: &mut dyn FnMut(&str),
) -> Result<(), Fault> {
    let sql = "SELECT s.address, s.refreshed_address
               FROM sessions s JOIN users u ON u.id = s.\"user\"
               WHERE s.\"user\" = $1
                   AND (s.created >= u.tokens_after OR s.newest >= u.tokens_after)
                   AND (s.ended IS NULL OR s.ended > u.tokens_after)";
    queries.query(sql, &[user.into()], &mut |row| {
        for column in 0..2 {
            if let Some(ip) = row.text(column)? {
                show(ip);
            }
        }
        Ok(())
    })
}

/// An IP address as rows have it; `-` if it is not known.
fn written(ip: Option<IpAddr>) -> String {
    ip.map_or_else(|| "-".into(), |ip| ip.to_string())
}
