//! Sessions: logins and the tokens that come from them, until they end.

use super::Store;
use super::authority::{Authority, Proof};
use super::driver::{Abort, Fault};
use super::entry::{Entry, Event};
use super::rotation::{Decision, RotationPolicy};
use super::rows::sessions::{ClientInfo, NewSession, Session};
use super::rows::standing::{self, Standing};
use super::rows::tickets::{self, TicketPurpose};
use super::rows::{sessions, users};
use super::transaction::Transaction;
use crate::clock::Timestamp;
use crate::error::Error;

/// Sessions of one user that are kept, those that have ended among them; beyond that the oldest
/// make room.
pub(in crate::store) const MAX_PER_USER: i64 = 1_000;

/// Sessions that a user is shown: the newest.
const MAX_SHOWN: i64 = 100;

/// A token to be exchanged for the next, or for the session's cookie.
#[derive(Debug, Clone, Copy)]
pub struct RefreshRequest<'a> {
    /// The token's `jti`.
    pub jti: &'a str,
    /// The token's `iat`.
    pub issued: Timestamp,
    /// The client that asks.
    pub origin: ClientInfo<'a>,
}

/// The outcome of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshOutcome {
    /// The next token is to be issued with this `iat`.
    Issue(Timestamp),
    /// The token was replaced long ago: it was stolen, or its successor was. The session is over.
    Replayed,
    /// The session was not refreshed for longer than it may be idle.
    Idle,
    /// The session has ended, or never was.
    Gone,
}

/// Which of a user's sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionScope<'a> {
    /// The one with this `jti`.
    One(&'a str),
    /// All of them.
    All,
}

impl Store {
    /// The session of a token, and its user.
    pub fn standing(&self, jti: &str) -> Result<Option<Standing>, Error> {
        self.read(|queries| standing::standing(queries, jti))
    }

    /// The same, with the details.
    pub fn standing_with_details(&self, jti: &str) -> Result<Option<Standing>, Error> {
        self.read(|queries| standing::standing_with_details(queries, jti))
    }

    /// The sessions of several tokens and cookies, and their users, in the order of `jtis`; with the
    /// details where `full` says so of the place.
    pub fn standings(
        &self,
        jtis: &[&str],
        full: &dyn Fn(usize) -> bool,
    ) -> Result<Vec<Option<Standing>>, Error> {
        self.read(|queries| standing::standings(queries, jtis, full))
    }

    /// Begins a session of a user who is active and whose password is still the one that was
    /// compared, and uses the second factor up, if the user has one; false if that cannot be.
    pub fn begin(
        &self,
        user: i64,
        session: &NewSession<'_>,
        proof: &Proof<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            if !users::is_active_with(transaction, user, proof.password)?
                || !transaction.admit(user, proof.second, entry)?
            {
                return Ok(false);
            }
            if session.notice {
                transaction.tell_of_new_place(user, session, entry)?;
            }
            insert(transaction, user, session)?;
            users::logged_in(transaction, user, session)?;
            transaction.record(entry)?;
            Ok(true)
        })
    }

    /// Takes a token of another program with the same secret for a session's first, unless the
    /// session is known, the user takes none from that time, or it was issued to somebody who had
    /// a second factor here: the other program did not ask for it. Returns whether it was taken.
    pub fn adopt(
        &self,
        user: i64,
        session: &NewSession<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        // A token that is refused again and again must not keep the writer from others.
        if !self.read(|queries| sessions::is_adoptable(queries, user, session))? {
            return Ok(false);
        }
        self.write(now, |transaction| {
            if !sessions::is_adoptable(transaction, user, session)? {
                return Ok(false);
            }
            insert(transaction, user, session)?;
            transaction.record(entry)?;
            Ok(true)
        })
    }

    /// Exchanges a token for the next, or for the newest once more, as the policy decides. A
    /// replay ends the session.
    pub fn rotate(
        &self,
        request: &RefreshRequest<'_>,
        policy: &RotationPolicy,
        replayed: &Entry<'_>,
        now: Timestamp,
    ) -> Result<RefreshOutcome, Error> {
        let RefreshRequest { jti, issued, origin } = request;
        self.write(now, |transaction| {
            let Some(last) = sessions::last_refresh(transaction, jti)? else {
                return Ok(RefreshOutcome::Gone);
            };
            match policy.decide(&last, *issued, origin, now) {
                Decision::Rotate { issue, previous } => {
                    // In the second in which the newest was issued, the next is the same.
                    if last.newest != issue {
                        sessions::refreshed(transaction, jti, previous, origin, issue)?;
                    }
                    Ok(RefreshOutcome::Issue(issue))
                }
                Decision::Repeat => Ok(RefreshOutcome::Issue(last.newest)),
                Decision::Idle => Ok(RefreshOutcome::Idle),
                Decision::Replay => {
                    sessions::end_replayed(transaction, jti, now)?;
                    transaction.record(replayed)?;
                    Ok(RefreshOutcome::Replayed)
                }
            }
        })
    }

    /// Notes that the browser of a session gets its cookie, for a token that the policy would let be
    /// exchanged; returns when the session expires. Keeps `entry` for a session that had none. Answers
    /// [`Error::ExpiredRefresh`] if the session is idle. A replay ends the session, and is
    /// [`Error::Revoked`].
    pub fn give_cookie(
        &self,
        request: &RefreshRequest<'_>,
        policy: &RotationPolicy,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<Timestamp, Error> {
        let RefreshRequest { jti, issued, origin } = request;
        let gone = || Abort::Rule(Error::Revoked);
        let given = self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let last = sessions::last_refresh(transaction, jti)?.ok_or_else(gone)?;
            match policy.decide(&last, *issued, origin, now) {
                Decision::Idle => return Err(Abort::Rule(Error::ExpiredRefresh)),
                Decision::Replay => {
                    sessions::end_replayed(transaction, jti, now)?;
                    let event = Event::RefreshReplayed;
                    transaction.record(&Entry { event, ..entry.clone() })?;
                    return Ok(None);
                }
                Decision::Rotate { .. } | Decision::Repeat => {}
            }
            if last.seen.is_none() {
                transaction.record(entry)?;
            }
            let expires = sessions::give_cookie(transaction, jti, now)?;
            expires.map(Some).ok_or_else(gone)
        })?;
        given.ok_or(Error::Revoked)
    }

    /// A user's sessions that have not ended, the newest first.
    pub fn sessions(&self, user: i64, now: Timestamp) -> Result<Vec<Session>, Error> {
        self.read(|queries| sessions::open_of(queries, user, MAX_SHOWN, now))
    }

    /// Ends sessions of a user; returns how many.
    pub fn end(
        &self,
        user: i64,
        scope: SessionScope<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<usize, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let ended = match scope {
                SessionScope::One(jti) => sessions::end(transaction, user, jti, now)?,
                SessionScope::All => end_all(transaction, user)?,
            };
            if ended > 0 {
                transaction.record(entry)?;
            }
            Ok(ended)
        })
    }
}

/// Ends all sessions of a user, and those that were never adopted, without an entry; returns how
/// many. Voids an address that was proposed in one of them: a thief may have proposed it.
pub(in crate::store) fn end_all(
    transaction: &mut Transaction<'_>,
    user: i64,
) -> Result<usize, Fault> {
    let now = transaction.now;
    users::refuse_tokens_until(transaction, user, now)?;
    tickets::delete_of_user_for(transaction, user, TicketPurpose::NewEmail)?;
    sessions::end_all(transaction, user, now)
}

/// Begins a session, for which the oldest may make room.
pub(in crate::store) fn insert(
    transaction: &mut Transaction<'_>,
    user: i64,
    session: &NewSession<'_>,
) -> Result<(), Fault> {
    make_room(transaction, user)?;
    sessions::insert(transaction, user, session)
}

/// Makes room for one more of a user's [`MAX_PER_USER`] sessions. A session that is forgotten so
/// cannot be adopted later.
fn make_room(transaction: &mut Transaction<'_>, user: i64) -> Result<(), Fault> {
    if transaction.has_room(MAX_PER_USER, |queries| sessions::count_of(queries, user))? {
        return Ok(());
    }
    match sessions::delete_beyond(transaction, user, MAX_PER_USER - 1)? {
        Some(youngest) => users::refuse_tokens_until(transaction, user, youngest),
        None => Ok(()),
    }
}
