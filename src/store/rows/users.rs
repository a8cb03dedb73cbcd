//! Statements about accounts.

use super::sessions::NewSession;
use super::{exists, first};
use crate::clock::Timestamp;
use crate::store::driver::{Fault, Queries, Row};
use crate::values::{Email, PasswordHash, Roles, Username};

/// What a token check needs to know of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The user's id.
    pub id: i64,
    /// The name as the user wrote it.
    pub name: String,
    /// The user's roles.
    pub roles: Roles,
    /// Whether the user may do anything at all.
    pub active: bool,
}

/// What a login needs to know.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Whose they are.
    pub person: Person,
    /// What the password is compared to.
    pub hash: PasswordHash,
    /// Failed logins up to then do not count.
    pub unlocked: Timestamp,
    /// Wrong passwords since the last session that began.
    pub failures: u32,
    /// When all sessions were last ended at once.
    pub tokens_after: Timestamp,
}

/// What an administrator sees of a user.
#[derive(Debug, Clone)]
pub struct Account {
    /// The user.
    pub person: Person,
    /// The e-mail address, which also serves as a login name.
    pub email: Option<String>,
    /// When the account was made.
    pub created: Timestamp,
    /// Whether logins must give a second factor.
    pub second_factor: bool,
    /// Until when the address of a registration can be confirmed; none if it is, or need not be.
    pub unconfirmed: Option<Timestamp>,
    /// The e-mail address that the user will have once it is confirmed.
    pub pending_email: Option<String>,
    /// Wrong passwords since the last session that began.
    pub failures: u32,
    /// When the user last logged in; `None` before that.
    pub last_login: Option<Timestamp>,
    /// From where the user last logged in, if that is known.
    pub last_login_ip: Option<String>,
}

/// What becomes of an account's logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    /// The user can log in.
    Active,
    /// An administrator has deactivated the user.
    Inactive,
    /// The user has registered, and not yet confirmed the e-mail address.
    Unconfirmed,
}

impl UserState {
    /// Every state.
    pub const ALL: [UserState; 3] =
        [UserState::Active, UserState::Inactive, UserState::Unconfirmed];

    /// The name, as the API and the command line show it.
    pub fn name(self) -> &'static str {
        match self {
            UserState::Active => "active",
            UserState::Inactive => "inactive",
            UserState::Unconfirmed => "unconfirmed",
        }
    }
}

impl Account {
    /// The state of the account.
    pub fn state(&self) -> UserState {
        match (self.person.active, self.unconfirmed) {
            (true, _) => UserState::Active,
            (false, Some(_)) => UserState::Unconfirmed,
            (false, None) => UserState::Inactive,
        }
    }
}

/// Whether a row of `users` may administrate: it is active and `admin` is one of its roles.
macro_rules! may_administrate {
    () => {
        "active AND replace(',' || roles || ',', ',admin,', '') <> ',' || roles || ','"
    };
}
pub(super) use may_administrate;

/// Whether a row of `users` may administrate and has a password to log in with: '!' is
/// [`PasswordHash::none`].
macro_rules! usable_admin {
    () => {
        concat!(may_administrate!(), " AND password <> '!'")
    };
}

/// The columns of [`credentials`].
macro_rules! credentials {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, roles, active, password, unlocked, failures, tokens_after
             FROM users ",
            $rest
        )
    };
}
pub(super) use credentials;

/// The columns of [`account`].
macro_rules! accounts {
    ($rest:literal) => {
        accounts!("users ", $rest)
    };
    ($($from:expr),+) => {
        concat!(
            "SELECT id, name, roles, active, email, created, unconfirmed, EXISTS
             (SELECT 1 FROM second_factors WHERE \"user\" = users.id AND confirmed IS NOT NULL),
             (SELECT max(email) FROM tickets WHERE \"user\" = users.id AND purpose <> 'former'),
             failures, last_login, last_login_address, name_key
             FROM ",
            $($from),+
        )
    };
}
pub(super) use accounts;

/// The user with this id.
pub(in crate::store) fn person_of(
    queries: &mut dyn Queries,
    id: i64,
) -> Result<Option<Person>, Fault> {
    let sql = "SELECT id, name, roles, active FROM users WHERE id = $1";
    first(queries, sql, &[id.into()], person)
}

/// Reads a person from the first four columns: id, name, roles, active.
pub(in crate::store) fn person(row: &dyn Row) -> Result<Person, Fault> {
    let roles = row.text(2)?.unwrap_or_default();
    // The schema's CHECK lets nothing else in; a database that was tampered with grants no role.
    let roles = Roles::parse(roles).unwrap_or_default();
    Ok(Person { id: row.get(0)?, name: row.get(1)?, roles, active: row.get(3)? })
}

/// The credentials of the user with this id.
pub(in crate::store) fn credentials_of(
    queries: &mut dyn Queries,
    id: i64,
) -> Result<Option<Credentials>, Fault> {
    first(queries, credentials!("WHERE id = $1"), &[id.into()], read_credentials)
}

/// The credentials of the user with this name.
pub(in crate::store) fn credentials_by_name(
    queries: &mut dyn Queries,
    name: &Username,
) -> Result<Option<Credentials>, Fault> {
    first(queries, credentials!("WHERE name_key = $1"), &[name.key().into()], read_credentials)
}

/// See [`credentials_by_login`]. One statement, so that a login takes one round trip whether the
/// e-mail address belongs to an account or not. Not `OR`: PostgreSQL is told to combine no indices.
pub(in crate::store) const CREDENTIALS_BY_LOGIN: &str =
    "SELECT id, name, roles, active, password, unlocked, failures, tokens_after, 1 AS place
     FROM users WHERE email_key = $1
     UNION ALL
     SELECT id, name, roles, active, password, unlocked, failures, tokens_after, 2
     FROM users WHERE name_key = $2
     ORDER BY place LIMIT 1";

/// The credentials of the user with this e-mail address or, if there is none, with this name.
pub(in crate::store) fn credentials_by_login(
    queries: &mut dyn Queries,
    email: Option<&Email>,
    name: Option<&Username>,
) -> Result<Option<Credentials>, Fault> {
    let values = [email.map(Email::key).into(), name.map(Username::key).into()];
    first(queries, CREDENTIALS_BY_LOGIN, &values, read_credentials)
}

/// What a user logs in with.
#[derive(Debug)]
pub(in crate::store) struct LoginKeys {
    pub(in crate::store) name: String,
    pub(in crate::store) email: Option<String>,
    /// When all sessions were last ended at once.
    pub(in crate::store) tokens_after: Timestamp,
}

/// What the user with this id logs in with.
pub(in crate::store) fn login_keys_of(
    queries: &mut dyn Queries,
    id: i64,
) -> Result<Option<LoginKeys>, Fault> {
    let sql = "SELECT name_key, email_key, tokens_after FROM users WHERE id = $1";
    first(queries, sql, &[id.into()], |row| {
        Ok(LoginKeys { name: row.get(0)?, email: row.get(1)?, tokens_after: row.get(2)? })
    })
}

/// Reads the columns of `credentials!`.
pub(super) fn read_credentials(row: &dyn Row) -> Result<Credentials, Fault> {
    Ok(Credentials {
        person: person(row)?,
        hash: PasswordHash::stored(row.get(4)?),
        unlocked: row.get(5)?,
        failures: row.get(6)?,
        tokens_after: row.get(7)?,
    })
}

/// The account with this id.
pub(in crate::store) fn account_of(
    queries: &mut dyn Queries,
    id: i64,
) -> Result<Option<Account>, Fault> {
    first(queries, accounts!("WHERE id = $1"), &[id.into()], account)
}

/// Reads an account from the columns of `accounts!`.
pub(super) fn account(row: &dyn Row) -> Result<Account, Fault> {
    Ok(Account {
        person: person(row)?,
        email: row.get(4)?,
        created: row.get(5)?,
        unconfirmed: row.get(6)?,
        second_factor: row.get(7)?,
        pending_email: row.get(8)?,
        failures: row.get(9)?,
        last_login: Some(row.get(10)?).filter(|time: &Timestamp| time.0 != 0),
        last_login_ip: row.get(11)?,
    })
}

/// Notes a login of a user, which ends the count of wrong passwords.
pub(in crate::store) fn logged_in(
    queries: &mut dyn Queries,
    id: i64,
    session: &NewSession<'_>,
) -> Result<(), Fault> {
    let ip = session.origin.ip.map(|ip| ip.to_string());
    let sql = "UPDATE users SET last_login = $2, last_login_address = $3, failures = 0
               WHERE id = $1";
    queries.execute(sql, &[id.into(), session.issued.into(), ip.as_deref().into()])?;
    Ok(())
}

/// Deletes a user; false if there is none with this id.
pub(in crate::store) fn delete(queries: &mut dyn Queries, id: i64) -> Result<bool, Fault> {
    Ok(queries.execute("DELETE FROM users WHERE id = $1", &[id.into()])? == 1)
}

/// Replaces one hash by another; false if the user has a third one.
pub(in crate::store) fn replace_hash(
    queries: &mut dyn Queries,
    id: i64,
    old: &PasswordHash,
    new: &PasswordHash,
) -> Result<bool, Fault> {
    let sql = "UPDATE users SET password = $3 WHERE id = $1 AND password = $2";
    Ok(queries.execute(sql, &[id.into(), old.as_str().into(), new.as_str().into()])? == 1)
}

/// Sets a password, and forgets wrong ones; false if there is no such user.
pub(in crate::store) fn set_password(
    queries: &mut dyn Queries,
    id: i64,
    hash: &PasswordHash,
) -> Result<bool, Fault> {
    let sql = "UPDATE users SET password = $2, failures = 0 WHERE id = $1";
    Ok(queries.execute(sql, &[id.into(), hash.as_str().into()])? == 1)
}

/// Sets the roles; false if there is no such user.
pub(in crate::store) fn set_roles(
    queries: &mut dyn Queries,
    id: i64,
    roles: &Roles,
) -> Result<bool, Fault> {
    let sql = "UPDATE users SET roles = $2 WHERE id = $1";
    Ok(queries.execute(sql, &[id.into(), roles.as_str().into()])? == 1)
}

/// Makes a user active, and forgets wrong passwords; false if there is no such user. Ends the wait
/// for an e-mail confirmation.
pub(in crate::store) fn activate(queries: &mut dyn Queries, id: i64) -> Result<bool, Fault> {
    let sql = "UPDATE users SET active = TRUE, unconfirmed = NULL, failures = 0 WHERE id = $1";
    Ok(queries.execute(sql, &[id.into()])? == 1)
}

/// Forgets wrong passwords and failed logins up to `now`; false if there is no such user.
pub(in crate::store) fn unlock(
    queries: &mut dyn Queries,
    id: i64,
    now: Timestamp,
) -> Result<bool, Fault> {
    let sql = "UPDATE users SET unlocked = $2, failures = 0 WHERE id = $1";
    Ok(queries.execute(sql, &[id.into(), now.into()])? == 1)
}

/// Makes a user inactive; false if there is no such user. Ends the wait for an e-mail confirmation.
pub(in crate::store) fn deactivate(queries: &mut dyn Queries, id: i64) -> Result<bool, Fault> {
    let sql = "UPDATE users SET active = FALSE, unconfirmed = NULL WHERE id = $1";
    Ok(queries.execute(sql, &[id.into()])? == 1)
}

/// Lets no foreign token from up to `at` be adopted.
pub(in crate::store) fn refuse_tokens_until(
    queries: &mut dyn Queries,
    id: i64,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE users SET tokens_after = $2 WHERE id = $1 AND tokens_after < $2";
    queries.execute(sql, &[id.into(), at.into()])?;
    Ok(())
}

/// Whether a user is active and has this hash.
pub(in crate::store) fn is_active_with(
    queries: &mut dyn Queries,
    id: i64,
    hash: &PasswordHash,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM users WHERE id = $1 AND active AND password = $2";
    exists(queries, sql, &[id.into(), hash.as_str().into()])
}

/// Whether a user may administrate, with or without a password.
pub(in crate::store) fn is_admin(queries: &mut dyn Queries, id: i64) -> Result<bool, Fault> {
    exists(
        queries,
        concat!("SELECT 1 FROM users WHERE id = $1 AND ", may_administrate!()),
        &[id.into()],
    )
}

/// Whether a user may administrate and can log in.
pub(in crate::store) fn is_usable_admin(queries: &mut dyn Queries, id: i64) -> Result<bool, Fault> {
    let sql = concat!("SELECT 1 FROM users WHERE id = $1 AND ", usable_admin!());
    exists(queries, sql, &[id.into()])
}

/// See [`any_admin`].
pub(in crate::store) const ANY_ADMIN: &str =
    concat!("SELECT 1 FROM users WHERE ", usable_admin!(), " LIMIT 1");

/// Whether any user may administrate and can log in.
pub(in crate::store) fn any_admin(queries: &mut dyn Queries) -> Result<bool, Fault> {
    exists(queries, ANY_ADMIN, &[])
}

/// Whether a user may have had a session before: the account was made before `created`, or has a
/// session now.
pub(in crate::store) fn may_have_logged_in(
    queries: &mut dyn Queries,
    id: i64,
    created: Timestamp,
) -> Result<bool, Fault> {
    exists(
        queries,
        "SELECT 1 FROM users WHERE id = $1 AND (created < $2
             OR EXISTS (SELECT 1 FROM sessions WHERE \"user\" = $1))",
        &[id.into(), created.into()],
    )
}

/// Reads something, to see whether reading works.
pub(in crate::store) fn any(queries: &mut dyn Queries) -> Result<bool, Fault> {
    exists(queries, "SELECT 1 FROM users ORDER BY id DESC LIMIT 1", &[])
}
