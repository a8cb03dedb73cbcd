//! Statements about sessions.

use std::net::IpAddr;

use super::{all, count, delete_chosen, exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries};

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
    /// Whether its browser gets the session's cookie.
    pub cookie: bool,
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
    /// When its browser last showed the cookie; `None` if it has none.
    pub seen: Option<Timestamp>,
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
    /// When its browser last showed the cookie; `None` if it has none.
    pub seen: Option<Timestamp>,
}

/// Begins a session.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    user: i64,
    session: &NewSession<'_>,
) -> Result<(), Fault> {
    let ip = written(session.origin.ip);
    queries.execute(
        "INSERT INTO sessions (jti, \"user\", created, newest, expires, address, agent, seen)
         VALUES ($1, $2, $3, $3, $4, $5, $6, $7)",
        &[
            session.jti.into(),
            user.into(),
            session.issued.into(),
            session.expires.into(),
            (&*ip).into(),
            session.origin.agent.into(),
            session.cookie.then_some(session.issued).into(),
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
         coalesce(refreshed_agent, agent), seen FROM sessions WHERE jti = $1 AND ended IS NULL",
        &[jti.into()],
        |row| {
            Ok(LastRefresh {
                newest: row.get(0)?,
                previous: row.get(1)?,
                ip: row.text(2)?.unwrap_or_default().parse().ok(),
                agent: row.get(3)?,
                seen: row.get(4)?,
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

/// Notes that a session's browser gets the cookie; returns when the session expires, or nothing if
/// it has ended.
pub(in crate::store) fn give_cookie(
    queries: &mut dyn Queries,
    jti: &str,
    now: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    first(
        queries,
        "UPDATE sessions SET seen = $2 WHERE jti = $1 AND ended IS NULL RETURNING expires",
        &[jti.into(), now.into()],
        |row| row.get(0),
    )
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
        "SELECT jti, created, newest, expires, address, agent, seen FROM sessions
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
                seen: row.get(6)?,
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

/// Reads an index alone, which has all sessions.
pub(in crate::store) const COUNT_OPEN: &str = "SELECT count(*) FROM sessions WHERE ended IS NULL";

/// Counts the sessions that have not ended.
pub(in crate::store) fn count_open(queries: &mut dyn Queries) -> Result<i64, Fault> {
    count(queries, COUNT_OPEN, &[])
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
