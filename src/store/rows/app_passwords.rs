//! Statements about app passwords.

use super::users::{Person, person};
use super::{all, count, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row};
use crate::values::{CodeHash, Hosts};

/// An app password to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewAppPassword<'a> {
    /// Its hash.
    pub hash: CodeHash,
    /// What the user calls it.
    pub name: &'a str,
    /// The hosts for which it is good.
    pub hosts: &'a Hosts,
    /// Whether it is good for reading the API as well.
    pub api: bool,
    /// The last second in which it is good; `None` if it does not expire.
    pub expires: Option<Timestamp>,
}

/// An app password as its user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPasswordInfo {
    /// What it is called in paths; see [`CodeHash::name`].
    pub id: String,
    /// What the user calls it.
    pub name: String,
    /// The hosts for which it is good.
    pub hosts: Hosts,
    /// Whether it is good for reading the API as well.
    pub api: bool,
    /// When it was made.
    pub created: Timestamp,
    /// The last second in which it is good.
    pub expires: Option<Timestamp>,
    /// When it was last used, to some minutes.
    pub used: Option<Timestamp>,
    /// The IP address that used it then.
    pub used_ip: Option<String>,
}

/// What the check of an app password finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppPasswordStanding {
    /// Whose it is.
    pub person: Person,
    /// The user's e-mail address.
    pub email: Option<String>,
    /// The keys of the user's name and e-mail address.
    pub keys: (String, Option<String>),
    /// Whether the user has a confirmed second factor.
    pub second_factor: bool,
    /// The app password.
    pub info: AppPasswordInfo,
}

/// The columns of [`info`], after those of another table.
macro_rules! app_passwords {
    ($others:literal, $rest:literal) => {
        concat!(
            "SELECT ",
            $others,
            "a.id, a.name, a.hosts, a.api, a.created, a.expires, a.used, a.used_address
             FROM app_passwords a ",
            $rest
        )
    };
}

/// Runs for every request with an app password.
pub(in crate::store) const STANDING: &str = app_passwords!(
    "u.id, u.name, u.roles, u.active, u.email, u.name_key, u.email_key,
     EXISTS (SELECT 1 FROM second_factors f
             WHERE f.\"user\" = u.id AND f.confirmed IS NOT NULL), ",
    "JOIN users u ON u.id = a.\"user\"
     WHERE a.hash = $1 AND (a.expires IS NULL OR a.expires >= $2)"
);

/// The app password with this hash and its user, if it has not expired.
pub(in crate::store) fn standing(
    queries: &mut dyn Queries,
    hash: &CodeHash,
    now: Timestamp,
) -> Result<Option<AppPasswordStanding>, Fault> {
    first(queries, STANDING, &[hash.bytes().as_slice().into(), now.into()], |row| {
        Ok(AppPasswordStanding {
            person: person(row)?,
            email: row.get(4)?,
            keys: (row.get(5)?, row.get(6)?),
            second_factor: row.get(7)?,
            info: info(row, 8)?,
        })
    })
}

/// The app passwords of a user that have not expired, the newest first.
pub(in crate::store) fn of_user(
    queries: &mut dyn Queries,
    user: i64,
    now: Timestamp,
) -> Result<Vec<AppPasswordInfo>, Fault> {
    all(
        queries,
        app_passwords!(
            "",
            "WHERE a.\"user\" = $1 AND (a.expires IS NULL OR a.expires >= $2)
             ORDER BY a.created DESC, a.id"
        ),
        &[user.into(), now.into()],
        |row| info(row, 0),
    )
}

fn info(row: &dyn Row, from: usize) -> Result<AppPasswordInfo, Fault> {
    Ok(AppPasswordInfo {
        id: row.get(from)?,
        name: row.get(from + 1)?,
        hosts: Hosts::stored(row.get(from + 2)?),
        api: row.get(from + 3)?,
        created: row.get(from + 4)?,
        expires: row.get(from + 5)?,
        used: row.get(from + 6)?,
        used_ip: row.get(from + 7)?,
    })
}

/// How many app passwords a user has, those that have expired among them.
pub(in crate::store) fn count_of(queries: &mut dyn Queries, user: i64) -> Result<i64, Fault> {
    count(queries, "SELECT count(*) FROM app_passwords WHERE \"user\" = $1", &[user.into()])
}

/// Keeps an app password of a user.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    user: i64,
    new: &NewAppPassword<'_>,
    now: Timestamp,
) -> Result<(), Fault> {
    queries.execute(
        "INSERT INTO app_passwords (id, hash, \"user\", name, hosts, api, created, expires)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        &[
            new.hash.name().as_str().into(),
            new.hash.bytes().as_slice().into(),
            user.into(),
            new.name.into(),
            new.hosts.as_str().into(),
            new.api.into(),
            now.into(),
            new.expires.into(),
        ],
    )?;
    Ok(())
}

/// Deletes an app password of a user; returns its name, if there was one.
pub(in crate::store) fn delete(
    queries: &mut dyn Queries,
    user: i64,
    id: &str,
) -> Result<Option<String>, Fault> {
    // + 0: to be found by id. By user PostgreSQL would read all that the user has.
    let sql = "DELETE FROM app_passwords WHERE id = $2 AND \"user\" + 0 = $1 RETURNING name";
    first(queries, sql, &[user.into(), id.into()], |row| row.get(0))
}

/// Deletes the app passwords of a user that have expired.
pub(in crate::store) fn delete_expired_of(
    queries: &mut dyn Queries,
    user: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "DELETE FROM app_passwords WHERE \"user\" = $1 AND expires < $2";
    queries.execute(sql, &[user.into(), now.into()])?;
    Ok(())
}

/// Deletes all app passwords of a user; returns how many that were.
pub(in crate::store) fn delete_of_user(
    queries: &mut dyn Queries,
    user: i64,
) -> Result<usize, Fault> {
    queries.execute("DELETE FROM app_passwords WHERE \"user\" = $1", &[user.into()])
}
