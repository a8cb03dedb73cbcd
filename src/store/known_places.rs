//! Where a user is known: the IP addresses of the sessions that count, and what the user is told of
//! a login from another one.

use std::net::IpAddr;

use super::Store;
use super::driver::{Fault, Queries};
use super::entry::{Entry, Event};
use super::mail_kind::MailKind;
use super::notices::Notice;
use super::rows;
use super::rows::audit::Counted;
use super::rows::sessions::{ClientInfo, NewSession};
use super::transaction::Transaction;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::ip::grouped;

/// Characters that the user is told of what a program calls itself.
const MAX_PROGRAM: usize = 80;

/// Mails about new places that can wait for one user, and those that are kept within an hour. A
/// thief with the password causes them at will, and must not fill the places of other notices.
const MAX_WAITING: i64 = 3;
const MAX_AN_HOUR: i64 = 5;
pub(in crate::store) const HOUR: i64 = 3_600;

/// The newest audit entries of a user among which those are counted.
const MAX_LOOKED_AT: i64 = 1_000;

/// The end of an entry's detail when no mail was kept. A program's name never ends like this.
pub(in crate::store) const NOT_TOLD: &str = "; not told by mail: too many";

impl Store {
    /// Whether a session of the user that is kept began at this IP address or was refreshed there,
    /// since all sessions were ended last. Reads all sessions of the user: ask after the throttle
    /// has admitted the attempt.
    pub fn is_known_at(&self, user: i64, ip: IpAddr) -> Result<bool, Error> {
        self.read(|queries| is_known_at(queries, user, Some(ip)))
    }
}

impl Transaction<'_> {
    /// Tells a user of a session that is about to begin, if it is the first from its IP address.
    /// The name of the program does not make it known: a thief with the password chooses that.
    pub(in crate::store) fn tell_of_new_place(
        &mut self,
        user: i64,
        session: &NewSession<'_>,
        entry: &Entry<'_>,
    ) -> Result<(), Fault> {
        if !is_new(self, user, session)? {
            return Ok(());
        }
        let mut detail = words(&session.origin);
        let now = self.now;
        if has_room(self, user, now)? {
            self.tell(&Notice { kind: MailKind::NewDevice, user, detail: &detail })?;
        } else {
            detail.push_str(NOT_TOLD);
        }
        self.record(&Entry { event: Event::NewDevice, detail: &detail, ..entry.clone() })
    }
}

/// Whether another mail about a new place may be kept for the user.
fn has_room(queries: &mut dyn Queries, user: i64, now: Timestamp) -> Result<bool, Fault> {
    if rows::outbox::count_waiting_of(queries, user, MailKind::NewDevice)? >= MAX_WAITING {
        return Ok(false);
    }
    let told = Counted {
        event: Event::NewDevice,
        after: Timestamp(now.0.saturating_sub(HOUR)),
        until: now,
        not_ending: NOT_TOLD,
        among: MAX_LOOKED_AT,
    };
    Ok(rows::audit::count_of_user(queries, user, &told)? < MAX_AN_HOUR)
}

/// Whether a session would begin at a new place. That of an account's very first login is not new:
/// there is nothing yet that it could differ from. Sessions are kept until they expire, so an
/// account that has none and is older than that may have had some.
fn is_new(queries: &mut dyn Queries, user: i64, session: &NewSession<'_>) -> Result<bool, Fault> {
    if is_known_at(queries, user, session.origin.ip)? {
        return Ok(false);
    }
    let lifespan = session.expires.0.saturating_sub(session.issued.0);
    let oldest = Timestamp(session.issued.0.saturating_sub(lifespan));
    // Sessions that do not count as places are logins all the same.
    rows::users::may_have_logged_in(queries, user, oldest)
}

/// Whether one of the user's sessions began at this IP address, or at one that counts as the same,
/// or was refreshed there. What ended all sessions, such as another password, makes their places
/// unknown: a thief with the old one may have been there.
fn is_known_at(queries: &mut dyn Queries, user: i64, ip: Option<IpAddr>) -> Result<bool, Fault> {
    let here = ip.map(grouped);
    let mut known = false;
    rows::sessions::places_of(queries, user, &mut |place| {
        known = known || place.parse::<IpAddr>().ok().map(grouped) == here;
    })?;
    Ok(known)
}

/// The program and the IP address, in words.
fn words(origin: &ClientInfo<'_>) -> String {
    let printable = |char: char| char == ' ' || char.is_ascii_graphic();
    let mut program: String =
        origin.agent.chars().filter(|char| printable(*char)).take(MAX_PROGRAM).collect();
    if program.trim().is_empty() {
        program = "a program without a name".into();
    }
    let ip = origin.ip.map_or_else(|| "an unknown address".into(), |ip| ip.to_string());
    format!("{} at {ip}", program.trim())
}
