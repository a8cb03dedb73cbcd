//! When sessions and app passwords were last used: noted some seconds later, many at once, so that
//! no request waits for it.

use std::net::IpAddr;

use super::Store;
use super::driver::Value;
use crate::clock::Timestamp;
use crate::error::Error;

/// What was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Used {
    /// The cookie of a session; the key is its `jti`.
    Session,
    /// An app password; the key is its id.
    AppPassword,
}

/// One use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// What was used.
    pub used: Used,
    /// Which one.
    pub key: String,
    /// When.
    pub at: Timestamp,
    /// From where, for an app password.
    pub ip: Option<IpAddr>,
}

impl Store {
    /// Notes uses, in one transaction. Does not move a time back, and gives no session a cookie.
    pub fn note_seen(&self, seen: &[Sighting]) -> Result<(), Error> {
        let of = |used| seen.iter().filter(move |one| one.used == used);
        let texts: Vec<String> = of(Used::AppPassword)
            .map(|one| one.ip.map_or_else(|| "-".into(), |ip| ip.to_string()))
            .collect();
        let sessions: Vec<[Value<'_>; 2]> =
            of(Used::Session).map(|one| [(&*one.key).into(), one.at.into()]).collect();
        let passwords: Vec<[Value<'_>; 3]> = of(Used::AppPassword)
            .zip(&texts)
            .map(|(one, ip)| [(&*one.key).into(), one.at.into(), (&**ip).into()])
            .collect();
        let sessions: Vec<&[Value<'_>]> = sessions.iter().map(|set| &set[..]).collect();
        let passwords: Vec<&[Value<'_>]> = passwords.iter().map(|set| &set[..]).collect();
        self.write_rows(|queries| {
            queries.execute_each(
                "UPDATE sessions SET seen = $2 WHERE jti = $1 AND seen < $2",
                &sessions,
            )?;
            queries.execute_each(
                "UPDATE app_passwords SET used = $2, used_address = $3
                 WHERE id = $1 AND coalesce(used, 0) < $2",
                &passwords,
            )
        })
    }
}
