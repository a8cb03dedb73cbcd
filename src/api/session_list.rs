//! The sessions of a user as their owner and administrators see them.

use serde::Serialize;

use crate::app::Call;
use crate::error::Error;
use crate::http::Response;
use crate::store::Session;

/// Returns the answer with the sessions of `user` that can still be refreshed, the newest first.
/// `current` is the session of the caller.
pub(super) fn answer(call: &Call<'_>, user: i64, current: &str) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        sessions: Vec<Row<'a>>,
    }
    let mut found = call.app.store.sessions(user, call.now)?;
    found.retain(|session| {
        let used = session.seen.map_or(session.refreshed, |seen| seen.max(session.refreshed));
        !call.app.rotation.is_idle(used, call.now)
    });
    let sessions = found.iter().map(|session| Row::of(session, current)).collect();
    Ok(Response::private(&Body { sessions }))
}

#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    created: i64,
    last_refreshed: i64,
    expires: i64,
    address: &'a str,
    user_agent: &'a str,
    current: bool,
    /// Whether a browser has the session's cookie, and when it last showed it.
    browser: bool,
    seen: Option<i64>,
}

impl<'a> Row<'a> {
    fn of(session: &'a Session, current: &str) -> Row<'a> {
        Row {
            id: &session.jti,
            created: session.created.0,
            last_refreshed: session.refreshed.0,
            expires: session.expires.0,
            address: &session.ip,
            user_agent: &session.agent,
            current: session.jti == current,
            browser: session.seen.is_some(),
            seen: session.seen.map(|seen| seen.0),
        }
    }
}
