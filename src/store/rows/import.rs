//! Statements that look for the accounts which share something with imported ones, and that add
//! imported ones. Compiled for the command line.

use super::{ByDialect, all, first};
use crate::clock::Timestamp;
use crate::store::driver::{Dialect, Fault, Queries, Row, Value};
use crate::store::imported::ImportedUser;
use crate::values::Email;

/// An account, and what no other may share with it.
#[derive(Debug, Clone)]
pub(in crate::store) struct Holder {
    pub(in crate::store) id: i64,
    pub(in crate::store) name: String,
    pub(in crate::store) name_key: String,
    pub(in crate::store) email_key: Option<String>,
    pub(in crate::store) created: Timestamp,
}

/// A statement that finds holders: for SQLite one by a key, for PostgreSQL many, since each round
/// trip takes time.
macro_rules! holders {
    ($one:literal, $many:literal) => {
        ByDialect {
            sqlite: concat!(
                "SELECT id, name, name_key, email_key, created FROM users WHERE ",
                $one
            ),
            postgres: concat!(
                "SELECT id, name, name_key, email_key, created FROM users WHERE ",
                $many
            ),
        }
    };
}

/// The accounts with these ids.
pub(in crate::store) fn with_ids(
    queries: &mut dyn Queries,
    ids: &[i64],
) -> Result<Vec<Holder>, Fault> {
    let sql = holders!("id = $1", "id = ANY (CAST(CAST($1 AS text[]) AS bigint[]))").of(queries);
    if queries.dialect() == Dialect::Sqlite {
        return one_by_one(queries, sql, ids.iter().map(|id| (*id).into()));
    }
    let texts: Vec<String> = ids.iter().map(i64::to_string).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    all(queries, sql, &[Value::Texts(&texts)], holder)
}

/// The accounts with these keys of names.
pub(in crate::store) fn with_names(
    queries: &mut dyn Queries,
    keys: &[&str],
) -> Result<Vec<Holder>, Fault> {
    with_keys(queries, holders!("name_key = $1", "name_key = ANY ($1)"), keys)
}

/// The accounts with these keys of e-mail addresses.
pub(in crate::store) fn with_emails(
    queries: &mut dyn Queries,
    keys: &[&str],
) -> Result<Vec<Holder>, Fault> {
    with_keys(queries, holders!("email_key = $1", "email_key = ANY ($1)"), keys)
}

/// The accounts whose names may be e-mail addresses that have several spellings; see
/// [`Email::key_has_spellings`]. Reads the whole table.
pub(in crate::store) fn with_spellings(queries: &mut dyn Queries) -> Result<Vec<Holder>, Fault> {
    let sql = holders!(
        "name_key LIKE '%@%'
         AND (name_key LIKE '%xn--%' OR length(CAST(name_key AS BLOB)) > length(name_key))",
        "name_key LIKE '%@%'
         AND (name_key LIKE '%xn--%' OR octet_length(name_key) > char_length(name_key))"
    );
    let sql = sql.of(queries);
    all(queries, sql, &[], holder)
}

fn with_keys(
    queries: &mut dyn Queries,
    sql: ByDialect,
    keys: &[&str],
) -> Result<Vec<Holder>, Fault> {
    let sql = sql.of(queries);
    match queries.dialect() {
        Dialect::Sqlite => one_by_one(queries, sql, keys.iter().map(|key| (*key).into())),
        Dialect::Postgres if keys.is_empty() => Ok(Vec::new()),
        Dialect::Postgres => all(queries, sql, &[Value::Texts(keys)], holder),
    }
}

fn one_by_one<'a>(
    queries: &mut dyn Queries,
    sql: &'static str,
    keys: impl Iterator<Item = Value<'a>>,
) -> Result<Vec<Holder>, Fault> {
    let mut found = Vec::new();
    for key in keys {
        found.extend(first(queries, sql, &[key], holder)?);
    }
    Ok(found)
}

fn holder(row: &dyn Row) -> Result<Holder, Fault> {
    Ok(Holder {
        id: row.get(0)?,
        name: row.get(1)?,
        name_key: row.get(2)?,
        email_key: row.get(3)?,
        created: row.get(4)?,
    })
}

/// An account that is to be added, with what the store decides about it.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct Arrival<'a> {
    pub(in crate::store) user: &'a ImportedUser,
    pub(in crate::store) id: i64,
    /// A foreign token that was issued up to then is not adopted.
    pub(in crate::store) tokens_after: Timestamp,
}

impl<'a> Arrival<'a> {
    /// The values of its row in `users`.
    fn values(&self) -> [Value<'a>; 11] {
        let user = self.user;
        [
            self.id.into(),
            user.name.as_str().into(),
            user.name.key().into(),
            user.email.as_ref().map(Email::as_str).into(),
            user.email.as_ref().map(Email::key).into(),
            user.hash.as_str().into(),
            user.roles.as_str().into(),
            user.active.into(),
            user.created.into(),
            self.tokens_after.into(),
            user.language.code().into(),
        ]
    }
}

/// Adds accounts with these ids.
pub(in crate::store) fn insert(
    queries: &mut dyn Queries,
    arrivals: &[Arrival<'_>],
) -> Result<(), Fault> {
    let values: Vec<[Value<'_>; 11]> = arrivals.iter().map(Arrival::values).collect();
    insert_each(
        queries,
        "INSERT INTO users (id, name, name_key, email, email_key, password, roles, active, created,
         tokens_after, language) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        &values,
    )
}

/// Adds the second factors and the recovery codes of accounts that were added.
pub(in crate::store) fn insert_factors(
    queries: &mut dyn Queries,
    arrivals: &[Arrival<'_>],
) -> Result<(), Fault> {
    let factors = arrivals.iter().filter_map(|arrival| {
        let factor = arrival.user.factor.as_ref()?;
        Some([
            arrival.id.into(),
            factor.secret.bytes()[..].into(),
            factor.created.into(),
            factor.confirmed.into(),
            factor.last_step.into(),
        ])
    });
    insert_each(
        queries,
        "INSERT INTO second_factors (\"user\", secret, created, confirmed, last_step)
         VALUES ($1, $2, $3, $4, $5)",
        &factors.collect::<Vec<[Value<'_>; 5]>>(),
    )?;
    let codes = arrivals.iter().flat_map(|arrival| {
        let codes = arrival.user.recovery_codes.iter();
        codes.map(|code| [arrival.id.into(), code[..].into()])
    });
    insert_each(
        queries,
        "INSERT INTO recovery_codes (\"user\", hash) VALUES ($1, $2)
         ON CONFLICT (\"user\", hash) DO NOTHING",
        &codes.collect::<Vec<[Value<'_>; 2]>>(),
    )
}

/// Adds the former names of accounts that were added, but for empty and longer ones (in bytes). If
/// two accounts had one name, the first keeps it.
pub(in crate::store) fn insert_former_names(
    queries: &mut dyn Queries,
    arrivals: &[Arrival<'_>],
    longest: usize,
) -> Result<(), Fault> {
    let names = arrivals.iter().flat_map(|arrival| {
        let names =
            arrival.user.former_names.iter().filter(|name| (1..=longest).contains(&name.len()));
        names.map(|name| [name.as_str().into(), arrival.id.into()])
    });
    insert_each(
        queries,
        "INSERT INTO former_names (name, \"user\") VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
        &names.collect::<Vec<[Value<'_>; 2]>>(),
    )
}

fn insert_each<const N: usize>(
    queries: &mut dyn Queries,
    sql: &'static str,
    values: &[[Value<'_>; N]],
) -> Result<(), Fault> {
    let sets: Vec<&[Value<'_>]> = values.iter().map(|values| &values[..]).collect();
    queries.execute_each(sql, &sets)
}
