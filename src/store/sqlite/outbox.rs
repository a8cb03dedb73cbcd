//! The outbox in SQLite.

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ValueRef};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Abort, Sqlite, audit, fault, tickets, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{
    Actor, Authority, DeliveryFailure, Entry, Event, Link, LinkMail, MailKind, NewUser, Outbox,
    OutgoingMail, Person, QueuedMail, Topic,
};
use crate::values::Language;
use crate::values::{Email, Roles};

/// Mails that were given up and are kept to be looked at. They take no place of those that wait, or
/// whoever registers with addresses that do not exist could keep everybody else's from being sent.
const MAX_GIVEN_UP: i64 = 1_000;

/// Mails with a link that can wait at the same time. Strangers can cause them. Beyond this, a
/// request that would cause another one is told to come back later.
const MAX_WAITING: i64 = 10_000;

/// Notices that can wait at the same time. Their places are their own: mails with a link, which
/// strangers can cause, never take one.
const MAX_NOTICES: i64 = 10_000;

/// Notices about one account that can wait at the same time, so that nobody can use up the places
/// of all others with an account of their own. Those to its former addresses have as many again:
/// whoever has taken an account over must not fill the places before changing the address.
const MAX_NOTICES_OF_ONE: i64 = 20;

/// A mail that is due, as it is kept.
struct Kept {
    id: i64,
    message: String,
    kind: MailKind,
    user: Option<i64>,
    email: String,
    created: Timestamp,
    link: Option<Link>,
    detail: String,
    attempts: u32,
}

impl FromSql for MailKind {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<MailKind> {
        MailKind::named(value.as_str()?).ok_or(FromSqlError::InvalidType)
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
        posting: &LinkMail<'_>,
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
            insert(writer, MailKind::Registration, Some(id), posting, "", now)?;
            Ok(id)
        })
    }

    fn propose_address(
        &self,
        user: i64,
        posting: &LinkMail<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            must_have_room(writer)?;
            if addressee(writer, "id = ?1 AND active", user)?.is_none() {
                return Ok(false);
            }
            // The last one that was typed is the one that is meant.
            writer
                .execute("DELETE FROM tickets WHERE user = ?1 AND purpose = 'address'", [user])?;
            tickets::insert(writer, "address", user, posting)?;
            insert(writer, MailKind::Address, Some(user), posting, "", now)?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn request_reset(
        &self,
        posting: &LinkMail<'_>,
        client: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(|writer| {
            must_have_room(writer)?;
            Ok(insert(writer, MailKind::Reset, None, posting, client, now)?)
        })
    }

    fn next_mail(&self, now: Timestamp) -> Result<Option<OutgoingMail>, Error> {
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
        failed: &DeliveryFailure<'_>,
        entry: Option<&Entry<'_>>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(|writer| {
            writer.execute(
                "UPDATE outbox SET attempts = attempts + 1, due = ?2, failure = ?3 WHERE id = ?1",
                params![id, failed.due.map(|due| due.0), failed.why],
            )?;
            writer
                .prepare_cached(
                    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE due IS NULL
                     ORDER BY id DESC LIMIT -1 OFFSET ?1)",
                )?
                .execute([MAX_GIVEN_UP])?;
            Ok(entry.map_or(Ok(()), |entry| audit::insert(writer, entry, now))?)
        })
    }

    fn mails(&self, show: &mut dyn FnMut(QueuedMail)) -> Result<(), Error> {
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
        kind: MailKind,
        user: i64,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        if self.mails { notify(writer, kind, user, "", now) } else { Ok(()) }
    }

    /// Tells a user that the account is about to be deleted. The rows of a user go with the user,
    /// so this one is made to stand alone; [`former_owner`] reads what it then needs. It takes the
    /// place of the others. A notice to a former address that has not gone out yet becomes another
    /// one: whoever has taken an account over must not silence it.
    pub(super) fn tell_of_deletion(
        &self,
        writer: &Connection,
        user: i64,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let Some(to) = addressee(writer, "id = ?1", user)?.filter(|_| self.mails) else {
            return Ok(());
        };
        let detail = format!("{} {user} {}", to.language.code(), to.person.name);
        // They would go with the user, and until then take places.
        let others = "DELETE FROM outbox WHERE user = ?1 AND jti IS NULL AND kind <> ?2";
        writer.execute(others, params![user, MailKind::AddressChanged.name()])?;
        notify(writer, MailKind::AccountDeleted, user, &detail, now)?;
        let kinds = [MailKind::AccountDeleted, MailKind::AddressChanged].map(MailKind::name);
        writer.execute(
            "UPDATE outbox SET user = NULL, kind = ?2, detail = ?4
             WHERE user = ?1 AND kind IN (?2, ?3)",
            params![user, kinds[0], kinds[1], detail],
        )?;
        Ok(())
    }
}

/// Keeps a notice to the address that the account has now. One that waits and says the same tells
/// it as well. A notice for which there is no place is logged: what it would have told has happened
/// all the same.
pub(super) fn notify(
    writer: &Connection,
    kind: MailKind,
    user: i64,
    detail: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let Some(email) = email_of(writer, user)? else { return Ok(()) };
    if says_the_news(kind) && is_told(writer, kind, user, &email, detail)? {
        return Ok(());
    }
    let of_one = "SELECT count(*) FROM outbox WHERE user = ?1 AND jti IS NULL
                  AND due IS NOT NULL AND (kind = ?2) = ?3";
    let (former, to_former) = (MailKind::AddressChanged.name(), kind == MailKind::AddressChanged);
    if count(writer, WAITING_NOTICES, [])? >= MAX_NOTICES
        || count(writer, of_one, params![user, former, to_former])? >= MAX_NOTICES_OF_ONE
    {
        let kind = kind.name();
        log::error!("a notice ({kind}) to user {user} was not kept: too many wait in the outbox");
        return Ok(());
    }
    let mut insert = writer.prepare_cached(
        "INSERT INTO outbox (message, kind, user, email, created, detail, due)
         VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, ?4)",
    )?;
    insert.execute(params![kind.name(), user, email, now.0, detail])?;
    Ok(())
}

/// Whether a notice is true whatever came after it. One that a second factor is on is not.
fn says_the_news(kind: MailKind) -> bool {
    !matches!(kind, MailKind::SecondFactorOn | MailKind::SecondFactorOff)
}

/// Whether a notice that says the same, to the same address, waits to be sent for the first time.
fn is_told(
    writer: &Connection,
    kind: MailKind,
    user: i64,
    email: &str,
    detail: &str,
) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM outbox WHERE user = ?1 AND kind = ?2 AND email = ?3 AND detail = ?4
               AND due IS NOT NULL AND attempts = 0";
    writer.prepare_cached(sql)?.exists(params![user, kind.name(), email, detail])
}

/// Only a mail with a link has a token, and so a `jti`. Each has an index of its own.
const WAITING_LINKS: &str = "SELECT count(*) FROM outbox WHERE jti IS NOT NULL AND due IS NOT NULL";
const WAITING_NOTICES: &str = "SELECT count(*) FROM outbox WHERE jti IS NULL AND due IS NOT NULL";

fn count(writer: &Connection, sql: &str, values: impl rusqlite::Params) -> rusqlite::Result<i64> {
    writer.prepare_cached(sql)?.query_row(values, |row| row.get(0))
}

fn must_have_room(writer: &Connection) -> Result<(), Abort> {
    match count(writer, WAITING_LINKS, [])? < MAX_WAITING {
        true => Ok(()),
        false => {
            Err(Abort::Rule(Error::Unavailable("the outbox is full: see lictor mail list".into())))
        }
    }
}

fn insert(
    writer: &Connection,
    kind: MailKind,
    user: Option<i64>,
    posting: &LinkMail<'_>,
    detail: &str,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut insert = writer.prepare_cached(
        "INSERT INTO outbox (message, kind, user, email, created, jti, expires, detail, due)
         VALUES (lower(hex(randomblob(16))), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?4)",
    )?;
    let LinkMail { email, jti, expires } = posting;
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
///
/// What was typed is only where a link goes that confirms this very address. Any other mail about
/// an account goes to the address that the account has: two spellings that count as one address
/// can be two mailboxes.
fn resolve(
    writer: &Connection,
    kept: &Kept,
    now: Timestamp,
) -> rusqlite::Result<Option<OutgoingMail>> {
    let found = match (kept.kind, &kept.link) {
        (_, Some(link)) if link.expires < now => None,
        (MailKind::Registration | MailKind::Address, Some(link)) => {
            confirmation(writer, kept, link)?
        }
        (MailKind::Reset, Some(link)) => reset(writer, kept, link, now)?,
        (MailKind::Registration | MailKind::Address | MailKind::Reset, None) => None,
        (MailKind::AccountDeleted, _) => former_owner(kept).map(|to| (to, Topic::AccountDeleted)),
        (kind, _) => owner(writer, kept)?.map(|to| (to, notice(kind, &kept.detail))),
    };
    let Some((Addressee { person, language }, topic)) = found else { return Ok(None) };
    let email = match topic {
        Topic::Reset(_) | Topic::Taken => email_of(writer, person.id)?,
        // The new address, or the one that the account had when it happened.
        _ => Some(kept.email.clone()),
    };
    Ok(email.map(|email| OutgoingMail {
        id: kept.id,
        message: kept.message.clone(),
        kind: kept.kind,
        email,
        language,
        created: kept.created,
        attempts: kept.attempts,
        person,
        topic,
    }))
}

fn notice(kind: MailKind, detail: &str) -> Topic {
    match kind {
        MailKind::AddressChanged => Topic::AddressChanged(detail.to_owned()),
        MailKind::SecondFactorOn => Topic::SecondFactor(true),
        MailKind::SecondFactorOff => Topic::SecondFactor(false),
        MailKind::RecoveryCodeUsed => Topic::RecoveryCodeUsed,
        MailKind::RecoveryCodesReplaced => Topic::RecoveryCodesReplaced,
        MailKind::AccountDeleted => Topic::AccountDeleted,
        MailKind::NewDevice => Topic::NewDevice(detail.to_owned()),
        MailKind::Guarded => Topic::Guarded,
        MailKind::PasswordChanged
        | MailKind::Registration
        | MailKind::Address
        | MailKind::Reset => Topic::PasswordChanged,
    }
}

/// Whoever has the address already is told so, and nobody gets a link to take it.
fn confirmation(
    writer: &Connection,
    kept: &Kept,
    link: &Link,
) -> rusqlite::Result<Option<(Addressee, Topic)>> {
    let ticket = "SELECT 1 FROM tickets WHERE jti = ?1";
    let Some(to) = owner(writer, kept)? else { return Ok(None) };
    if !writer.prepare_cached(ticket)?.exists([&link.jti])? {
        return Ok(None);
    }
    match holder_of(writer, &kept.email)? {
        Some(holder) if holder.person.id != to.person.id => Ok(Some((holder, Topic::Taken))),
        _ if kept.kind == MailKind::Registration => Ok(Some((to, Topic::Confirm(link.clone())))),
        _ => Ok(Some((to, Topic::NewAddress(link.clone())))),
    }
}

/// The ticket is made the first time, and is void if it is gone the next.
fn reset(
    writer: &Connection,
    kept: &Kept,
    link: &Link,
    now: Timestamp,
) -> rusqlite::Result<Option<(Addressee, Topic)>> {
    let to = match kept.user {
        None => holder_of(writer, &kept.email)?,
        Some(_) => owner(writer, kept)?,
    };
    let Some(to) = to.filter(|to| to.person.active) else { return Ok(None) };
    let id = to.person.id;
    if kept.user.is_none() {
        tickets::insert_reset(writer, id, link)?;
        let known = "UPDATE outbox SET user = ?2, email = (SELECT email FROM users WHERE id = ?2)
                     WHERE id = ?1";
        writer.execute(known, [kept.id, id])?;
        let address = kept.detail.parse().ok();
        let entry = Entry::new(Event::ResetRequested, id, &to.person.name, Actor::User(address));
        audit::insert(writer, &entry, now)?;
        entry.log();
    } else if !writer.prepare_cached("SELECT 1 FROM tickets WHERE jti = ?1")?.exists([&link.jti])? {
        return Ok(None);
    }
    Ok(Some((to, Topic::Reset(link.clone()))))
}

fn owner(writer: &Connection, kept: &Kept) -> rusqlite::Result<Option<Addressee>> {
    kept.user.map_or(Ok(None), |user| addressee(writer, "id = ?1", user))
}

/// Whose account a notice says is gone: language, id and name, as its detail has them.
fn former_owner(kept: &Kept) -> Option<Addressee> {
    let mut parts = kept.detail.splitn(3, ' ');
    let (language, id, name) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    let person = Person { id, name: name.into(), roles: Roles::default(), active: false };
    Some(Addressee { person, language: Language::of_code(language) })
}

/// The address that the account has, as its owner wrote it.
fn email_of(writer: &Connection, user: i64) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT email FROM users WHERE id = ?1";
    let email = writer.prepare_cached(sql)?.query_row([user], |row| row.get(0)).optional()?;
    Ok(email.flatten())
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

fn listed(row: &Row<'_>) -> rusqlite::Result<QueuedMail> {
    Ok(QueuedMail {
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

#[cfg(test)]
mod tests {
    use super::super::tests::{BY, NOTE, Place, add};
    use super::*;
    use crate::store::{
        Change, ClientInfo, NewSession, Sessions as _, Store as _, Tickets as _, Users as _,
    };
    use crate::values::{PasswordHash, Roles, Username};

    const NOW: Timestamp = Timestamp(1_000_000);
    const END: Timestamp = Timestamp(NOW.0 + 100);
    const AFTER: Timestamp = Timestamp(END.0 + 1);

    fn open(name: &str) -> (Place, Sqlite) {
        let place = Place::new(name);
        let store = Sqlite::open(&place.file(), 1).unwrap().with_mail(true);
        (place, store)
    }

    fn email(text: &str) -> Email {
        Email::parse(text).unwrap()
    }

    fn register(store: &Sqlite, name: &str, address: &str, jti: &str) -> Result<i64, Error> {
        let user = NewUser {
            name: &Username::parse(name).unwrap(),
            email: None,
            hash: &PasswordHash::stored("hash".into()),
            roles: &Roles::default(),
            language: Language::Portuguese,
        };
        let email = email(address);
        store.register(&user, &LinkMail { email: &email, jti, expires: END }, &NOTE, NOW)
    }

    fn ask_for_reset(store: &Sqlite, address: &str, jti: &str) {
        let email = email(address);
        let posting = LinkMail { email: &email, jti, expires: END };
        store.request_reset(&posting, "192.0.2.1", NOW).unwrap();
    }

    fn propose(store: &Sqlite, user: i64, address: &str, jti: &str) -> bool {
        let email = email(address);
        let posting = LinkMail { email: &email, jti, expires: END };
        store.propose_address(user, &posting, &BY, &NOTE, NOW).unwrap()
    }

    fn confirm(store: &Sqlite, jti: &str, session: Option<&str>, at: Timestamp) -> bool {
        let origin = ClientInfo { address: None, agent: "" };
        let session = session.map(|jti| NewSession { jti, issued: at, expires: AFTER, origin });
        store.confirm_address(jti, session.as_ref(), &NOTE, at).unwrap()
    }

    /// Takes the next mail out: whom it is for, and what it says.
    fn take(store: &Sqlite, at: Timestamp) -> Option<(String, String, Topic)> {
        let mail = store.next_mail(at).unwrap()?;
        store.delivered(mail.id).unwrap();
        Some((mail.email, mail.person.name, mail.topic))
    }

    fn link(jti: &str) -> Link {
        Link { jti: jti.into(), expires: END }
    }

    fn row(email: &str, name: &str, topic: Topic) -> Option<(String, String, Topic)> {
        Some((email.into(), name.into(), topic))
    }

    #[test]
    fn a_registration_is_confirmed_once_and_in_time() {
        let (_place, store) = open("confirm");
        let ada = register(&store, "Ada", "ada@x.example", "a").unwrap();
        assert!(matches!(register(&store, "ada", "b@x.example", "b"), Err(Error::UsernameTaken)));
        let account = store.account_of(ada).unwrap().unwrap();
        assert_eq!((account.person.active, account.email), (false, None));
        assert_eq!(account.unconfirmed, Some(END));
        let mail = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!((mail.language, mail.kind), (Language::Portuguese, MailKind::Registration));
        assert_eq!(take(&store, NOW), row("ada@x.example", "Ada", Topic::Confirm(link("a"))));
        assert_eq!(take(&store, NOW), None);
        assert!(!confirm(&store, "a", Some("s"), AFTER));
        assert!(confirm(&store, "a", Some("s"), END));
        assert!(!confirm(&store, "a", Some("t"), END));
        let account = store.account_of(ada).unwrap().unwrap();
        assert_eq!((account.person.active, account.unconfirmed), (true, None));
        assert_eq!(store.credentials("ADA@x.example").unwrap().unwrap().person.id, ada);
    }

    #[test]
    fn who_does_not_confirm_is_gone_with_the_mail() {
        let (_place, store) = open("unconfirmed");
        let ada = register(&store, "ada", "ada@x.example", "a").unwrap();
        store.sweep(Timestamp(0), END).unwrap();
        assert!(store.account_of(ada).unwrap().is_some());
        store.sweep(Timestamp(0), AFTER).unwrap();
        assert!(store.account_of(ada).unwrap().is_none());
        assert!(store.next_mail(NOW).unwrap().is_none());
        assert!(register(&store, "ada", "ada@x.example", "b").unwrap() > ada);
    }

    #[test]
    fn the_first_link_outlived_the_waiting() {
        type Act<'a> = &'a dyn Fn(&Sqlite, i64) -> bool;
        let change = |store: &Sqlite, user, change: Change<'_>| {
            store.change(user, &change, &BY, &NOTE, NOW).unwrap()
        };
        let hash = PasswordHash::stored("other".into());
        // What happens, and whether the link that was mailed at registration still confirms.
        let cases: [(&str, bool, Act<'_>); 9] = [
            ("nothing", true, &|_, _| true),
            ("another role", true, &|store, user| {
                change(store, user, Change::Roles(&Roles::default()))
            }),
            ("confirmed", false, &|store, _| confirm(store, "a", Some("first"), NOW)),
            ("activated", false, &|store, user| change(store, user, Change::Active(true))),
            ("deactivated", false, &|store, user| change(store, user, Change::Active(false))),
            ("deactivated, and activated", false, &|store, user| {
                change(store, user, Change::Active(false))
                    && change(store, user, Change::Active(true))
            }),
            ("another password", false, &|store, user| {
                let password = Change::Password { hash: &hash, session: None };
                change(store, user, password)
            }),
            ("deleted", false, &|store, user| store.delete(user, &BY, &NOTE, NOW).unwrap()),
            ("swept", false, &|store, _| store.sweep(Timestamp(0), AFTER).unwrap() > 0),
        ];
        for (what, confirms, act) in cases {
            let (_place, store) = open("waiting");
            let ada = register(&store, "ada", "typo@x.example", "a").unwrap();
            assert!(act(&store, ada), "{what}");
            let before = store.account_of(ada).unwrap();
            assert_eq!(confirm(&store, "a", Some("s"), NOW), confirms, "{what}");
            let sessions = store.sessions(ada, NOW).unwrap();
            assert_eq!(sessions.iter().any(|one| one.jti == "s"), confirms, "{what}");
            if !confirms {
                let after = store.account_of(ada).unwrap();
                let told = |account: Option<crate::store::Account>| {
                    account.map(|account| (account.person.active, account.email))
                };
                assert_eq!(told(before), told(after), "{what}");
                assert_eq!(store.confirmation("a", NOW).unwrap().map(|found| found.email), None);
            }
        }
    }

    #[test]
    fn a_registration_passes_the_gate_of_every_login() {
        let (_place, store) = open("gate");
        let ada = register(&store, "ada", "ada@x.example", "a").unwrap();
        let factor = "INSERT INTO second_factors (user, secret, created, confirmed)
                      VALUES (?1, x'00', 1, 1)";
        store.write(|writer| Ok(writer.execute(factor, [ada])?)).unwrap();
        assert!(!confirm(&store, "a", Some("s"), NOW), "a link is no code");
        assert!(store.sessions(ada, NOW).unwrap().is_empty());
        // Nor does the link of a new address log anybody in, whatever is asked of the store.
        let bob = add(&store, "bob", Some("bob@x.example")).unwrap();
        assert!(propose(&store, bob, "new@x.example", "b"));
        assert!(!confirm(&store, "b", Some("t"), NOW));
        assert!(confirm(&store, "b", None, NOW));
    }

    #[test]
    fn a_reset_went_to_the_address_that_was_typed() {
        let (_place, store) = open("spelling");
        let mike = add(&store, "mike", Some("mike@example.org")).unwrap();
        ask_for_reset(&store, "MIKE@Example.org", "r");
        for attempt in 0..3 {
            let mail = store.next_mail(NOW).unwrap().unwrap();
            assert_eq!(
                (mail.email.as_str(), mail.person.id, mail.attempts),
                ("mike@example.org", mike, attempt)
            );
            store
                .failed(mail.id, &DeliveryFailure { why: "busy", due: Some(NOW) }, None, NOW)
                .unwrap();
        }
        let mut listed = Vec::new();
        store.mails(&mut |mail| listed.push(mail.email)).unwrap();
        assert_eq!(listed, ["mike@example.org"]);
    }

    #[test]
    fn an_address_that_is_taken_is_told_its_owner_alone() {
        let (_place, store) = open("taken");
        let bob = add(&store, "bob", Some("b@x.example")).unwrap();
        register(&store, "eve", "B@x.example", "e").unwrap();
        assert_eq!(take(&store, NOW), row("b@x.example", "bob", Topic::Taken));
        // She never sees the token; and if she could guess it, it would not help.
        assert!(!confirm(&store, "e", Some("s"), NOW));
        let carol = add(&store, "carol", Some("c@x.example")).unwrap();
        assert!(propose(&store, carol, "b@x.example", "c"));
        assert_eq!(take(&store, NOW), row("b@x.example", "bob", Topic::Taken));
        assert!(!confirm(&store, "c", None, NOW));
        assert_eq!(store.credentials("b@x.example").unwrap().unwrap().person.id, bob);
        // Two who wait for the same one: it is whose who is faster.
        register(&store, "dan", "d@x.example", "d").unwrap();
        register(&store, "dora", "d@x.example", "f").unwrap();
        assert!(confirm(&store, "f", Some("s"), NOW) && !confirm(&store, "d", Some("t"), NOW));
    }

    #[test]
    fn a_new_address() {
        let (_place, store) = open("address");
        let ada = add(&store, "ada", Some("old@x.example")).unwrap();
        assert!(!propose(&store, 99, "new@x.example", "x"));
        assert!(propose(&store, ada, "typo@x.example", "a"));
        assert!(propose(&store, ada, "new@x.example", "b"));
        assert_eq!(take(&store, NOW), row("new@x.example", "ada", Topic::NewAddress(link("b"))));
        ask_for_reset(&store, "old@x.example", "r");
        assert_eq!(take(&store, NOW), row("old@x.example", "ada", Topic::Reset(link("r"))));
        assert!(!confirm(&store, "a", None, NOW));
        assert!(store.holder("r", NOW).unwrap().is_some());
        assert!(confirm(&store, "b", None, NOW) && !confirm(&store, "b", None, NOW));
        assert!(store.holder("r", NOW).unwrap().is_none(), "it lies in the old mailbox");
        let told = Topic::AddressChanged("new@x.example".into());
        assert_eq!(take(&store, NOW), row("old@x.example", "ada", told));
        assert!(store.credentials("old@x.example").unwrap().is_none());
        assert_eq!(store.credentials("new@x.example").unwrap().unwrap().person.id, ada);
        // Another password voids what is under way.
        assert!(propose(&store, ada, "third@x.example", "c"));
        let hash = PasswordHash::stored("other".into());
        let change = Change::Password { hash: &hash, session: None };
        assert!(store.change(ada, &change, &BY, &NOTE, NOW).unwrap());
        assert!(!confirm(&store, "c", None, NOW));
        assert_eq!(take(&store, NOW), row("new@x.example", "ada", Topic::PasswordChanged));
        assert_eq!(take(&store, NOW), None);
    }

    #[test]
    fn a_reset_is_for_who_has_the_address() {
        let (_place, store) = open("reset");
        let ada = add(&store, "ada", Some("ada@x.example")).unwrap();
        let off = add(&store, "off", Some("off@x.example")).unwrap();
        store.change(off, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
        ask_for_reset(&store, "nobody@x.example", "n");
        ask_for_reset(&store, "off@x.example", "o");
        ask_for_reset(&store, "ADA@x.example", "a");
        let mail = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!((mail.email.as_str(), mail.person.id), ("ada@x.example", ada));
        assert_eq!(store.holder("a", END).unwrap().unwrap().id, ada);
        for jti in ["n", "o"] {
            assert!(store.holder(jti, NOW).unwrap().is_none(), "{jti}");
        }
        // Tried again: the same.
        assert_eq!(take(&store, NOW), row("ada@x.example", "ada", Topic::Reset(link("a"))));
        assert_eq!(take(&store, NOW), None);
        // A stranger who asks again does not void the first, but there is an end to it.
        for jti in ["b", "c", "d", "e"] {
            ask_for_reset(&store, "ada@x.example", jti);
            assert!(take(&store, NOW).is_some());
        }
        assert!(store.holder("a", NOW).unwrap().is_some());
        ask_for_reset(&store, "ada@x.example", "f");
        assert!(take(&store, NOW).is_some());
        let good = ["a", "b", "c", "d", "e", "f"]
            .iter()
            .filter(|jti| store.holder(jti, NOW).unwrap().is_some())
            .count();
        assert_eq!(good, 5);
    }

    #[test]
    fn a_mail_that_came_too_late_is_not_sent() {
        let (_place, store) = open("late");
        add(&store, "ada", Some("ada@x.example")).unwrap();
        ask_for_reset(&store, "ada@x.example", "a");
        assert_eq!(take(&store, AFTER), None);
        assert_eq!(store.retry_mail(None, AFTER).unwrap(), 0);
    }

    #[test]
    fn failures_are_kept_and_mails_wait_for_their_time() {
        let (_place, store) = open("failures");
        register(&store, "ada", "ada@x.example", "a").unwrap();
        let first = store.next_mail(NOW).unwrap().unwrap();
        let later = Timestamp(NOW.0 + 10);
        store
            .failed(first.id, &DeliveryFailure { why: "busy", due: Some(later) }, None, NOW)
            .unwrap();
        assert!(store.next_mail(Timestamp(later.0 - 1)).unwrap().is_none());
        let second = store.next_mail(later).unwrap().unwrap();
        assert_eq!((second.attempts, second.message), (1, first.message));
        store
            .failed(first.id, &DeliveryFailure { why: "no", due: None }, Some(&NOTE), NOW)
            .unwrap();
        assert!(store.next_mail(END).unwrap().is_none());
        let mut listed = Vec::new();
        store.mails(&mut |mail| listed.push(mail)).unwrap();
        assert_eq!((listed.len(), listed[0].attempts, listed[0].due), (1, 2, None));
        assert_eq!(listed[0].failure, "no");
        assert_eq!(store.retry_mail(Some(99), NOW).unwrap(), 0);
        assert_eq!(store.retry_mail(Some(first.id), NOW).unwrap(), 1);
        assert!(store.next_mail(NOW).unwrap().is_some());
        assert!(store.drop_mail(first.id).unwrap() && !store.drop_mail(first.id).unwrap());
    }

    #[test]
    fn the_outbox_has_an_end() {
        let (_place, store) = open("full");
        let fill = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {MAX_WAITING})
             INSERT INTO outbox (message, kind, email, created, due, jti)
             SELECT i, 'reset', 'x', ?1, ?1, 'j' FROM n"
        );
        store.write(|writer| Ok(writer.execute(&fill, [NOW.0])?)).unwrap();
        let refused = register(&store, "ada", "ada@x.example", "a");
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert!(store.account(&Username::parse("ada").unwrap()).unwrap().is_none());
        // What was given up takes no place, and the oldest of it goes.
        store.write(|writer| Ok(writer.execute("UPDATE outbox SET due = NULL", [])?)).unwrap();
        let bob = register(&store, "bob", "bob@x.example", "b").unwrap();
        let mail = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!(mail.person.id, bob);
        store.failed(mail.id, &DeliveryFailure { why: "no", due: None }, None, NOW).unwrap();
        let mut kept = Vec::new();
        store.mails(&mut |mail| kept.push(mail.id)).unwrap();
        assert_eq!((kept.len() as i64, kept.last()), (MAX_GIVEN_UP, Some(&mail.id)));
        // And all of it by itself.
        while store.sweep(Timestamp(0), Timestamp(NOW.0 + 8 * 24 * 3600)).unwrap() > 0 {}
        assert!(register(&store, "ada", "ada@x.example", "a").is_ok());
    }

    fn fill(store: &Sqlite, rows: i64, user: Option<i64>, jti: Option<&str>) {
        let fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
            INSERT INTO outbox (message, kind, user, email, created, due, jti)
            SELECT i, 'guarded', ?2, 'x', ?3, ?3, ?4 FROM n";
        store.write(|writer| Ok(writer.execute(fill, params![rows, user, NOW.0, jti])?)).unwrap();
    }

    #[test]
    fn strangers_could_keep_a_notice_from_being_sent() {
        let waiting = |store: &Sqlite, user: i64| {
            let mut found = 0;
            store.mails(&mut |mail| found += i64::from(mail.user == Some(user))).unwrap();
            found
        };
        let change = |store: &Sqlite, user| {
            let hash = PasswordHash::stored("other".into());
            let change = Change::Password { hash: &hash, session: None };
            assert!(store.change(user, &change, &BY, &NOTE, NOW).unwrap());
        };
        let (_place, store) = open("reserve");
        let [ada, bob] = ["ada", "bob"]
            .map(|name| add(&store, name, Some(&format!("{name}@x.example"))).unwrap());
        fill(&store, MAX_WAITING, None, Some("j"));
        assert!(register(&store, "eve", "eve@x.example", "e").is_err());
        change(&store, ada);
        assert_eq!(waiting(&store, ada), 1);
        // What waits already is told once.
        change(&store, ada);
        assert_eq!(waiting(&store, ada), 1);
        // One account has its share of the places, and all together have an end.
        fill(&store, MAX_NOTICES_OF_ONE - 1, Some(ada), None);
        let tell = |store: &Sqlite, user| {
            store.write(|w| Ok(store.tell(w, MailKind::RecoveryCodeUsed, user, NOW)?)).unwrap();
        };
        tell(&store, ada);
        assert_eq!(waiting(&store, ada), MAX_NOTICES_OF_ONE);
        fill(&store, MAX_NOTICES - MAX_NOTICES_OF_ONE - 1, None, None);
        change(&store, bob);
        assert_eq!(waiting(&store, bob), 1);
        tell(&store, bob);
        assert_eq!(waiting(&store, bob), 1);
        for (sql, index) in [(WAITING_LINKS, "outbox_links"), (WAITING_NOTICES, "outbox_notices")] {
            let plan: String = store
                .reader()
                .query_row(&format!("EXPLAIN QUERY PLAN {sql}"), [], |row| row.get(3))
                .unwrap();
            assert!(plan.contains(&format!("SEARCH outbox USING INDEX {index}")), "{plan}");
        }
    }

    #[test]
    fn who_took_an_account_over_deleted_it_before_its_owner_was_told() {
        let (_place, store) = open("deleted");
        let ada = add(&store, "ada", Some("old@x.example")).unwrap();
        assert!(propose(&store, ada, "eve@x.example", "a"));
        assert!(take(&store, NOW).is_some());
        assert!(confirm(&store, "a", None, NOW));
        assert!(store.delete(ada, &BY, &NOTE, NOW).unwrap());
        let mut told = Vec::new();
        while let Some(mail) = store.next_mail(NOW).unwrap() {
            // Tried again: the same.
            let failed = DeliveryFailure { why: "busy", due: Some(NOW) };
            store.failed(mail.id, &failed, None, NOW).unwrap();
            assert_eq!(store.next_mail(NOW).unwrap().unwrap().person, mail.person);
            assert_eq!((mail.person.id, mail.language), (ada, Language::English));
            told.push(take(&store, NOW).unwrap());
        }
        told.sort_by(|one, other| one.0.cmp(&other.0));
        let row = |email: &str| (email.to_owned(), "ada".to_owned(), Topic::AccountDeleted);
        assert_eq!(told, [row("eve@x.example"), row("old@x.example")]);
    }

    #[test]
    fn a_thief_filled_the_places_of_an_account_and_deleted_it_without_a_word() {
        let (_place, store) = open("silenced");
        let [ada, bob] = ["ada", "bob"]
            .map(|name| add(&store, name, Some(&format!("{name}@x.example"))).unwrap());
        for user in [ada, bob] {
            fill(&store, MAX_NOTICES_OF_ONE, Some(user), None);
        }
        // The address is another one by then.
        assert!(propose(&store, bob, "eve@x.example", "b"));
        assert!(confirm(&store, "b", None, NOW));
        for user in [ada, bob] {
            assert!(store.delete(user, &BY, &NOTE, NOW).unwrap());
        }
        let mut told = Vec::new();
        while let Some((email, _, topic)) = take(&store, NOW) {
            assert_eq!(topic, Topic::AccountDeleted);
            told.push(email);
        }
        told.sort();
        assert_eq!(told, ["ada@x.example", "bob@x.example", "eve@x.example"]);
        // Notices to former addresses have an end as well.
        let carol = add(&store, "carol", Some("0@x.example")).unwrap();
        for number in 1..MAX_NOTICES_OF_ONE + 5 {
            assert!(propose(&store, carol, &format!("{number}@x.example"), "c"));
            assert!(confirm(&store, "c", None, NOW));
        }
        store.write(|w| Ok(w.execute("DELETE FROM outbox WHERE jti NOTNULL", [])?)).unwrap();
        let mut kept = Vec::new();
        store.mails(&mut |mail| kept.push(mail.email)).unwrap();
        assert_eq!((kept.len() as i64, &*kept[0]), (MAX_NOTICES_OF_ONE, "0@x.example"));
    }

    #[test]
    fn a_second_notice_says_what_the_first_does_not() {
        let (_place, store) = open("folded");
        let ada = add(&store, "ada", Some("ada@x.example")).unwrap();
        let tell = |kind| store.write(|w| Ok(store.tell(w, kind, ada, NOW)?)).unwrap();
        let waiting = || {
            let mut found = 0;
            store.mails(&mut |_| found += 1).unwrap();
            found
        };
        for (kind, expected) in [
            (MailKind::PasswordChanged, 1),
            (MailKind::PasswordChanged, 1),
            (MailKind::SecondFactorOn, 2),
            (MailKind::SecondFactorOff, 3),
            // Or the last that is heard of it would be that it is off.
            (MailKind::SecondFactorOn, 4),
            (MailKind::PasswordChanged, 4),
        ] {
            tell(kind);
            assert_eq!(waiting(), expected, "{kind:?}");
        }
        // One that was tried before may have arrived.
        let first = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!(first.topic, Topic::PasswordChanged);
        store
            .failed(first.id, &DeliveryFailure { why: "busy", due: Some(NOW) }, None, NOW)
            .unwrap();
        tell(MailKind::PasswordChanged);
        assert_eq!(waiting(), 5);
    }

    #[test]
    fn without_mail_nobody_is_told() {
        let (_place, store) = open("silent");
        let store = store.with_mail(false);
        let ada = add(&store, "ada", Some("ada@x.example")).unwrap();
        let hash = PasswordHash::stored("other".into());
        let change = Change::Password { hash: &hash, session: None };
        assert!(store.change(ada, &change, &BY, &NOTE, NOW).unwrap());
        assert!(store.next_mail(NOW).unwrap().is_none());
    }
}
