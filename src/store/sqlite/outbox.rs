//! The outbox in SQLite.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Abort, Sqlite, audit, fault, tickets, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::Email;
use crate::language::Language;
use crate::store::{
    Actor, Entry, Event, Failed, Kind, Link, Listed, Matter, NewUser, Outbox, Outgoing, Person,
    Posting,
};

/// Mails that can wait at the same time. Beyond, whoever wants to cause another is told to come
/// back later.
const MAX_WAITING: i64 = 10_000;

/// A mail that is due, as it is kept.
struct Kept {
    id: i64,
    message: String,
    kind: Kind,
    user: Option<i64>,
    email: String,
    created: Timestamp,
    link: Option<Link>,
    detail: String,
    attempts: u32,
}

impl FromSql for Kind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Kind> {
        Kind::named(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

/// Somebody a mail is written to.
struct Addressee {
    person: Person,
    language: Language,
}

impl Outbox for Sqlite {
    fn register(
        &self,
        user: &NewUser<'_>,
        posting: &Posting<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        self.write(|writer| {
            must_have_room(writer)?;
            let id = users::add(writer, user, None, entry, now)?;
            writer.execute(
                "UPDATE users SET active = 0, unconfirmed = ?2, tokens_after = ?3 WHERE id = ?1",
                [id, posting.expires.0, now.0],
            )?;
            tickets::insert(writer, "registration", id, posting)?;
            insert(writer, Kind::Registration, Some(id), posting, "", now)?;
            Ok(id)
        })
    }

    fn propose_address(
        &self,
        user: i64,
        posting: &Posting<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            must_have_room(writer)?;
            if addressee(writer, "id = ?1 AND active", user)?.is_none() {
                return Ok(false);
            }
            // The last one that was typed is the one that is meant.
            writer.execute("DELETE FROM tickets WHERE user = ?1 AND purpose = 'address'", [user])?;
            tickets::insert(writer, "address", user, posting)?;
            insert(writer, Kind::Address, Some(user), posting, "", now)?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn request_reset(
        &self,
        posting: &Posting<'_>,
        client: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(|writer| {
            must_have_room(writer)?;
            Ok(insert(writer, Kind::Reset, None, posting, client, now)?)
        })
    }

    fn next_mail(&self, now: Timestamp) -> Result<Option<Outgoing>, Error> {
        loop {
            // A look first: writers are not held up while there is nothing to send.
            let Some(kept) = next(&self.reader(), now).map_err(fault)? else { return Ok(None) };
            let outgoing = self.write(|writer| {
                let outgoing = resolve(writer, &kept, now)?;
                if outgoing.is_none() {
                    delete(writer, kept.id)?;
                }
                Ok(outgoing)
            })?;
            if outgoing.is_some() {
                return Ok(outgoing);
            }
            log::debug!("mail {} ({}) is for nobody any more", kept.id, kept.kind.name());
        }
    }

    fn delivered(&self, id: i64) -> Result<(), Error> {
        self.write(|writer| Ok(delete(writer, id)?)).map(drop)
    }

    fn failed(
        &self,
        id: i64,
        failed: &Failed<'_>,
        entry: Option<&Entry<'_>>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(|writer| {
            writer.execute(
                "UPDATE outbox SET attempts = attempts + 1, due = ?2, failure = ?3 WHERE id = ?1",
                params![id, failed.due.map(|due| due.0), failed.why],
            )?;
            Ok(entry.map_or(Ok(()), |entry| audit::insert(writer, entry, now))?)
        })
    }

    fn mails(&self, show: &mut dyn FnMut(Listed)) -> Result<(), Error> {
        let reader = self.reader();
        let mut query = reader
            .prepare(
                "SELECT id, kind, email, user, created, attempts, due, failure
                 FROM outbox ORDER BY id",
            )
            .map_err(fault)?;
        for found in query.query_map([], listed).map_err(fault)? {
            show(found.map_err(fault)?);
        }
        Ok(())
    }

    fn retry_mail(&self, id: Option<i64>, now: Timestamp) -> Result<usize, Error> {
        let sql = "UPDATE outbox SET due = ?2 WHERE id = ifnull(?1, id)";
        self.write(|writer| Ok(writer.execute(sql, params![id, now.0])?))
    }

    fn drop_mail(&self, id: i64) -> Result<bool, Error> {
        self.write(|writer| Ok(delete(writer, id)?))
    }
}

impl Sqlite {
    /// Tells a user what has happened to the account, if mail is sent here at all.
    pub(super) fn tell(
        &self,
        writer: &Connection,
        kind: Kind,
        user: i64,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        if self.mails { notify(writer, kind, user, "", now) } else { Ok(()) }
    }
}

/// Keeps a notice to the address that the account has now.
pub(super) fn notify(
    writer: &Connection,
    kind: Kind,
    user: i64,
    detail: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT INTO outbox (message, kind, user, email, created, detail, due)
         SELECT lower(hex(randomblob(16))), ?1, id, email, ?3, ?4, ?3 FROM users
         WHERE id = ?2 AND email IS NOT NULL AND (SELECT count(*) FROM outbox) < ?5",
    )?;
    insert.execute(params![kind.name(), user, now.0, detail, MAX_WAITING])?;
    Ok(())
}

fn must_have_room(writer: &Connection) -> Result<(), Abort> {
    let waiting: i64 =
        writer.prepare_cached("SELECT count(*) FROM outbox")?.query_row([], |row| row.get(0))?;
    match waiting < MAX_WAITING {
        true => Ok(()),
        false => Err(Abort::Rule(Error::Unavailable("the outbox is full: see lictor mail list".into()))),
    }
}

fn insert(
    writer: &Connection,
    kind: Kind,
    user: Option<i64>,
    posting: &Posting<'_>,
    detail: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT INTO outbox (message, kind, user, email, created, jti, expires, detail, due)
         VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?4)",
    )?;
    let Posting { email, jti, expires } = posting;
    let email = email.as_str();
    insert.execute(params![kind.name(), user, email, now.0, jti, expires.0, detail])?;
    Ok(())
}

fn delete(writer: &Connection, id: i64) -> rusqlite::Result<bool> {
    Ok(writer.prepare_cached("DELETE FROM outbox WHERE id = ?1")?.execute([id])? == 1)
}

fn next(connection: &Connection, now: Timestamp) -> rusqlite::Result<Option<Kept>> {
    let mut query = connection.prepare_cached(
        "SELECT id, message, kind, user, email, created, jti, expires, detail, attempts FROM outbox
         WHERE due <= ?1 ORDER BY due, id LIMIT 1",
    )?;
    query.query_row([now.0], kept).optional()
}

/// What a mail says by now, and to whom; nothing if nobody is to get it any more.
fn resolve(writer: &Connection, kept: &Kept, now: Timestamp) -> rusqlite::Result<Option<Outgoing>> {
    let found = match (kept.kind, &kept.link) {
        (_, Some(link)) if link.expires < now => None,
        (Kind::Registration | Kind::Address, Some(link)) => confirmation(writer, kept, link)?,
        (Kind::Reset, Some(link)) => reset(writer, kept, link, now)?,
        (Kind::Registration | Kind::Address | Kind::Reset, None) => None,
        (kind, _) => owner(writer, kept)?.map(|to| (to, notice(kind, &kept.detail))),
    };
    Ok(found.map(|(Addressee { person, language }, matter)| Outgoing {
        id: kept.id,
        message: kept.message.clone(),
        kind: kept.kind,
        email: kept.email.clone(),
        language,
        created: kept.created,
        attempts: kept.attempts,
        person,
        matter,
    }))
}

fn notice(kind: Kind, detail: &str) -> Matter {
    match kind {
        Kind::AddressChanged => Matter::AddressChanged(detail.to_owned()),
        Kind::SecondFactorOn => Matter::SecondFactor(true),
        Kind::SecondFactorOff => Matter::SecondFactor(false),
        Kind::PasswordChanged | Kind::Registration | Kind::Address | Kind::Reset => {
            Matter::PasswordChanged
        }
    }
}

/// Whoever has the address already is told so, and nobody gets a link to take it.
fn confirmation(
    writer: &Connection,
    kept: &Kept,
    link: &Link,
) -> rusqlite::Result<Option<(Addressee, Matter)>> {
    let ticket = "SELECT 1 FROM tickets WHERE jti = ?1";
    let Some(to) = owner(writer, kept)? else { return Ok(None) };
    if !writer.prepare_cached(ticket)?.exists([&link.jti])? {
        return Ok(None);
    }
    match holder_of(writer, &kept.email)? {
        Some(holder) if holder.person.id != to.person.id => Ok(Some((holder, Matter::Taken))),
        _ if kept.kind == Kind::Registration => Ok(Some((to, Matter::Confirm(link.clone())))),
        _ => Ok(Some((to, Matter::NewAddress(link.clone())))),
    }
}

/// The ticket is made the first time, and is void if it is gone the next.
fn reset(
    writer: &Connection,
    kept: &Kept,
    link: &Link,
    now: Timestamp,
) -> rusqlite::Result<Option<(Addressee, Matter)>> {
    let to = holder_of(writer, &kept.email)?.filter(|to| to.person.active);
    let Some(to) = to else { return Ok(None) };
    let id = to.person.id;
    if kept.user.is_none() {
        tickets::insert_reset(writer, id, link)?;
        writer.execute("UPDATE outbox SET user = ?2 WHERE id = ?1", [kept.id, id])?;
        let address = kept.detail.parse().ok();
        let entry =
            Entry::new(Event::ResetRequested, id, &to.person.name, Actor::User(address));
        audit::insert(writer, &entry, now)?;
    } else if !writer.prepare_cached("SELECT 1 FROM tickets WHERE jti = ?1")?.exists([&link.jti])? {
        return Ok(None);
    }
    Ok(Some((to, Matter::Reset(link.clone()))))
}

fn owner(writer: &Connection, kept: &Kept) -> rusqlite::Result<Option<Addressee>> {
    kept.user.map_or(Ok(None), |user| addressee(writer, "id = ?1", user))
}

fn holder_of(writer: &Connection, email: &str) -> rusqlite::Result<Option<Addressee>> {
    match Email::parse(email) {
        Ok(email) => addressee(writer, "email_key = ?1", email.key()),
        Err(_) => Ok(None),
    }
}

fn addressee(
    writer: &Connection,
    condition: &str,
    key: impl rusqlite::ToSql,
) -> rusqlite::Result<Option<Addressee>> {
    let sql = format!("SELECT id, name, roles, active, language FROM users WHERE {condition}");
    let addressee = |row: &Row<'_>| {
        let language = Language::of_code(row.get_ref(4)?.as_str()?);
        Ok(Addressee { person: users::person(row)?, language })
    };
    writer.prepare_cached(&sql)?.query_row([key], addressee).optional()
}

fn kept(row: &Row<'_>) -> rusqlite::Result<Kept> {
    let (jti, expires): (Option<String>, Option<i64>) = (row.get(6)?, row.get(7)?);
    Ok(Kept {
        id: row.get(0)?,
        message: row.get(1)?,
        kind: row.get(2)?,
        user: row.get(3)?,
        email: row.get(4)?,
        created: Timestamp(row.get(5)?),
        link: jti.zip(expires).map(|(jti, expires)| Link { jti, expires: Timestamp(expires) }),
        detail: row.get(8)?,
        attempts: row.get(9)?,
    })
}

fn listed(row: &Row<'_>) -> rusqlite::Result<Listed> {
    Ok(Listed {
        id: row.get(0)?,
        kind: row.get(1)?,
        email: row.get(2)?,
        user: row.get(3)?,
        created: Timestamp(row.get(4)?),
        attempts: row.get(5)?,
        due: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        failure: row.get(7)?,
    })
}
