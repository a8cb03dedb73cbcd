//! Logins and the tokens that come from them, as the program speaks of them.

use std::net::IpAddr;

use super::audit::Entry;
use super::authority::Authority;
use super::users::Person;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::RotationPolicy;
use crate::values::{FactorUse, PasswordHash};

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub struct ClientInfo<'a> {
    /// The client's address, if it is known.
    pub address: Option<IpAddr>,
    /// What the client's program calls itself; printable.
    pub agent: &'a str,
}

/// A session that is to begin.
#[derive(Debug, Clone, Copy)]
pub struct NewSession<'a> {
    /// The `jti` claim of all its tokens.
    pub jti: &'a str,
    /// The first token's `iat`.
    pub issued: Timestamp,
    /// The `rf_exp` of all its tokens.
    pub expires: Timestamp,
    /// Who begins it.
    pub origin: ClientInfo<'a>,
}

/// What somebody has shown who logs in, or who changes their account while logged in.
#[derive(Debug, Clone, Copy)]
pub struct Proof<'a> {
    /// What the password was compared to.
    pub password: &'a PasswordHash,
    /// What there is to use up of the second factor.
    pub second: Option<&'a FactorUse>,
    /// Tell the user by mail if the session is the first from its address.
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
    /// The address where it began; `-` if that was not known.
    pub address: String,
    /// The program that began it.
    pub agent: String,
}

/// A token that is to be exchanged for the next.
#[derive(Debug, Clone, Copy)]
pub struct RefreshRequest<'a> {
    /// The token's `jti`.
    pub jti: &'a str,
    /// The token's `iat`.
    pub issued: Timestamp,
    /// Who asks.
    pub origin: ClientInfo<'a>,
}

/// What comes of a refresh.
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

/// The sessions.
pub trait Sessions {
    /// The session of a token, and its user.
    fn standing(&self, jti: &str) -> Result<Option<Standing>, Error>;

    /// Begins a session of a user who is active and whose password is still the one that was
    /// compared, and uses the second factor up, if the user has one; false if that cannot be.
    fn begin(
        &self,
        user: i64,
        session: &NewSession<'_>,
        proof: &Proof<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Takes a token of another program with the same secret for a session's first, unless the
    /// session is known, the user wants none from that time, or it was issued to somebody who had
    /// a second factor here: the other program did not ask for it. Says whether it was taken.
    fn adopt(
        &self,
        user: i64,
        session: &NewSession<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error>;

    /// Exchanges a token for the next, or for the newest once more, as the policy decides. A
    /// replay ends the session.
    fn rotate(
        &self,
        exchange: &RefreshRequest<'_>,
        policy: &RotationPolicy,
        replayed: &Entry<'_>,
        now: Timestamp,
    ) -> Result<RefreshOutcome, Error>;

    /// A user's sessions that have not ended, the newest first.
    fn sessions(&self, user: i64, now: Timestamp) -> Result<Vec<Session>, Error>;

    /// Ends sessions of a user, and says how many.
    fn end(
        &self,
        user: i64,
        which: SessionScope<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<usize, Error>;
}
