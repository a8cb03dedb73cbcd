//! Accounts in SQLite.

use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Row, params};

use super::{Abort, Sqlite, audit, fault, invitations, sessions, tickets};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{
    Account, Authority, Change, Credentials, Entry, MailKind, NewSession, NewUser, Person,
    SessionScope, UserQuery, Users,
};
use crate::values::{Email, PasswordHash, Roles, Username};

/// The columns of [`account`].
const ACCOUNT: &str = "id, name, roles, active, email, created, unconfirmed, EXISTS
    (SELECT 1 FROM second_factors WHERE user = users.id AND confirmed IS NOT NULL)";
/// Whether a row of `users` is somebody who may administrate.
pub(super) const IS_ADMIN: &str = "active AND instr(',' || roles || ',', ',admin,')";

impl Users for Sqlite {
    fn person(&self, id: i64) -> Result<Option<Person>, Error> {
        let reader = self.reader();
        let mut query = reader
            .prepare_cached("SELECT id, name, roles, active FROM users WHERE id = ?1")
            .map_err(fault)?;
        query.query_row([id], person).optional().map_err(fault)
    }

    fn credentials(&self, login: &str) -> Result<Option<Credentials>, Error> {
        // An address is looked for first: it belongs to its owner, while a name that looks like
        // an address belongs to whoever took it.
        let email = Email::parse(login).ok();
        if let Some(email) = &email
            && let Some(found) = self.credentials_where("email_key = ?1", email.key())?
        {
            return Ok(Some(found));
        }
        let Ok(name) = Username::parse(login) else { return Ok(None) };
        // A name that is an address is reached by what spells this address: the throttle counts
        // all of that as one.
        let named = Email::parse(name.key()).ok();
        if email.is_some_and(|email| named.is_none_or(|named| named.key() != email.key())) {
            return Ok(None);
        }
        self.credentials_where("name_key = ?1", name.key())
    }

    fn credentials_of(&self, id: i64) -> Result<Option<Credentials>, Error> {
        self.credentials_where("id = ?1", id)
    }

    fn add(
        &self,
        user: &NewUser<'_>,
        session: Option<&NewSession<'_>>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<i64, Error> {
        self.write(|writer| add(writer, user, session, entry, now))
    }

    fn strengthen(&self, id: i64, old: &PasswordHash, new: &PasswordHash) -> Result<bool, Error> {
        let sql = "UPDATE users SET password = ?3 WHERE id = ?1 AND password = ?2";
        let values = params![id, old.as_str(), new.as_str()];
        self.write(|writer| Ok(writer.execute(sql, values)? == 1))
    }

    fn account(&self, name: &Username) -> Result<Option<Account>, Error> {
        self.account_where("name_key = ?1", name.key())
    }

    fn account_of(&self, id: i64) -> Result<Option<Account>, Error> {
        self.account_where("id = ?1", id)
    }

    fn accounts(&self, show: &mut dyn FnMut(Account)) -> Result<(), Error> {
        let reader = self.reader();
        let mut query =
            reader.prepare(&format!("SELECT {ACCOUNT} FROM users ORDER BY id")).map_err(fault)?;
        for found in query.query_map([], account).map_err(fault)? {
            show(found.map_err(fault)?);
        }
        Ok(())
    }

    fn seek(&self, sought: &UserQuery<'_>) -> Result<Vec<Account>, Error> {
        let UserQuery { fragment, after, limit } = *sought;
        let (name, written) = fragment.map(|f| (f.in_name(), f.as_str())).unzip();
        let (address, domain) = fragment.map(|f| (f.in_email(), f.in_domain())).unzip();
        // instr() and not LIKE: nothing in it stands for anything else.
        let sql = format!(
            "SELECT {ACCOUNT} FROM users
             WHERE id > ?1 AND (?2 IS NULL OR instr(name_key, ?2) OR instr(email_key, ?3)
                 OR instr(email_key, ?4) OR instr(email, ?5))
             ORDER BY id LIMIT ?6"
        );
        let reader = self.reader();
        let found = || -> rusqlite::Result<Vec<Account>> {
            reader
                .prepare_cached(&sql)?
                .query_map(params![after, name, address, domain, written, limit], account)?
                .collect()
        };
        found().map_err(fault)
    }

    fn change(
        &self,
        id: i64,
        change: &Change<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            let admin = is_admin(writer, id)?;
            if !apply(writer, id, change, now)? {
                return Ok(false);
            }
            if matches!(change, Change::Password { .. }) {
                self.tell(writer, MailKind::PasswordChanged, id, now)?;
            }
            keep_an_admin(writer, admin && !is_admin(writer, id)?)?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn delete(
        &self,
        id: i64,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            self.tell_of_deletion(writer, id, now)?;
            let admin = is_admin(writer, id)?;
            revoke_promises(writer, id)?;
            if writer.execute("DELETE FROM users WHERE id = ?1", [id])? == 0 {
                return Ok(false);
            }
            keep_an_admin(writer, admin)?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }
}

impl Sqlite {
    fn credentials_where(
        &self,
        condition: &str,
        key: impl rusqlite::ToSql,
    ) -> Result<Option<Credentials>, Error> {
        let sql = format!(
            "SELECT id, name, roles, active, password, unlocked, failures, tokens_after
             FROM users WHERE {condition}"
        );
        let reader = self.reader();
        let mut query = reader.prepare_cached(&sql).map_err(fault)?;
        let credentials = |row: &Row<'_>| {
            let hash = PasswordHash::stored(row.get(4)?);
            Ok(Credentials {
                person: person(row)?,
                hash,
                unlocked: Timestamp(row.get(5)?),
                failures: row.get(6)?,
                tokens_after: Timestamp(row.get(7)?),
            })
        };
        query.query_row([key], credentials).optional().map_err(fault)
    }

    fn account_where(
        &self,
        condition: &str,
        key: impl rusqlite::ToSql,
    ) -> Result<Option<Account>, Error> {
        let sql = format!("SELECT {ACCOUNT} FROM users WHERE {condition}");
        self.reader().query_row(&sql, [key], account).optional().map_err(fault)
    }
}

/// Makes a user, in whatever else is written with it.
pub(super) fn add(
    writer: &Connection,
    user: &NewUser<'_>,
    session: Option<&NewSession<'_>>,
    entry: &Entry<'_>,
    now: Timestamp,
) -> Result<i64, Abort> {
    // Whoever registers here is not the one whom an older token of another program names.
    let tokens_after = session.map_or(0, |_| now.0);
    let id = insert(writer, user, tokens_after, now)?;
    if let Some(session) = session {
        sessions::insert(writer, id, session)?;
    }
    audit::insert(writer, &Entry { user: Some(id), ..entry.clone() }, now)?;
    Ok(id)
}

fn insert(
    writer: &Connection,
    user: &NewUser<'_>,
    tokens_after: i64,
    now: Timestamp,
) -> Result<i64, Abort> {
    let inserted = writer.execute(
        "INSERT INTO users
         (name, name_key, email, email_key, password, roles, created, tokens_after, language)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            user.name.as_str(),
            user.name.key(),
            user.email.map(Email::as_str),
            user.email.map(Email::key),
            user.hash.as_str(),
            user.roles.as_str(),
            now.0,
            tokens_after,
            user.language.code()
        ],
    );
    match inserted {
        Ok(_) => Ok(writer.last_insert_rowid()),
        Err(error) => Err(who_is_taken(&error).map_or(Abort::Sql(error), Abort::Rule)),
    }
}

/// What an insertion failed at, if it is something that belongs to another user.
fn who_is_taken(error: &rusqlite::Error) -> Option<Error> {
    let text = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) if text.contains("users.name_key") => {
            Some(Error::UsernameTaken)
        }
        Some(ErrorCode::ConstraintViolation) if text.contains("users.email_key") => {
            Some(Error::BadRequest("email: this address belongs to another user".into()))
        }
        _ => None,
    }
}

/// Makes a change, in whatever else is written with it; false if there is nobody to change.
pub(super) fn apply(
    writer: &Connection,
    id: i64,
    change: &Change<'_>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let changed = match change {
        Change::Password { hash, .. } => writer.execute(
            "UPDATE users SET password = ?2, failures = 0 WHERE id = ?1",
            params![id, hash.as_str()],
        )?,
        Change::Roles(roles) => writer
            .execute("UPDATE users SET roles = ?2 WHERE id = ?1", params![id, roles.as_str()])?,
        Change::Active(active) => writer.execute(
            // Whoever was waited for is so no longer: an administrator has decided.
            "UPDATE users SET active = ?2, unconfirmed = NULL, failures = iif(?2, 0, failures),
             tokens_after = iif(?2, tokens_after, max(tokens_after, ?3)) WHERE id = ?1",
            params![id, active, now.0],
        )?,
        Change::Unlocked => {
            let sql = "UPDATE users SET unlocked = ?2, failures = 0 WHERE id = ?1";
            writer.execute(sql, [id, now.0])?
        }
    };
    if changed == 0 {
        return Ok(false);
    }
    match change {
        Change::Password { session, .. } => {
            sessions::end(writer, id, SessionScope::All, now)?;
            writer.execute("DELETE FROM tickets WHERE user = ?1", [id])?;
            if let Some(session) = session {
                sessions::make_room(writer, id)?;
                sessions::insert(writer, id, session)?;
            }
        }
        Change::Active(false) => {
            sessions::end(writer, id, SessionScope::All, now)?;
            writer.execute("DELETE FROM tickets WHERE user = ?1", [id])?;
        }
        Change::Active(true) => tickets::void_registration(writer, id)?,
        Change::Roles(_) | Change::Unlocked => {}
    }
    if !is_admin(writer, id)? {
        revoke_promises(writer, id)?;
    }
    Ok(true)
}

/// Takes back what somebody has promised others who no longer administrates.
fn revoke_promises(writer: &Connection, creator: i64) -> rusqlite::Result<()> {
    invitations::revoke_of(writer, creator)?;
    tickets::revoke_of(writer, creator)
}

fn is_admin(writer: &Connection, id: i64) -> rusqlite::Result<bool> {
    let sql = format!("SELECT 1 FROM users WHERE id = ?1 AND {IS_ADMIN}");
    writer.prepare_cached(&sql)?.exists([id])
}

/// Undoes what left nobody to administrate, if somebody has just stopped to.
fn keep_an_admin(writer: &Connection, one_less: bool) -> Result<(), Abort> {
    let sql = format!("SELECT 1 FROM users WHERE {IS_ADMIN} LIMIT 1");
    match one_less && !writer.prepare_cached(&sql)?.exists([])? {
        true => Err(Abort::Rule(Error::LastAdmin)),
        false => Ok(()),
    }
}

/// Columns: id, name, roles, active.
pub(super) fn person(row: &Row<'_>) -> rusqlite::Result<Person> {
    let roles = row.get_ref(2)?.as_str()?;
    // The schema's CHECK lets nothing else in; a file that was tampered with grants no role.
    let roles = Roles::parse(roles).unwrap_or_default();
    Ok(Person { id: row.get(0)?, name: row.get(1)?, roles, active: row.get(3)? })
}

/// Columns: those of [`ACCOUNT`].
fn account(row: &Row<'_>) -> rusqlite::Result<Account> {
    Ok(Account {
        person: person(row)?,
        email: row.get(4)?,
        created: Timestamp(row.get(5)?),
        unconfirmed: row.get::<_, Option<i64>>(6)?.map(Timestamp),
        second_factor: row.get(7)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BY, NOTE, Place, add, found};
    use super::*;

    const NOW: Timestamp = Timestamp(100);

    fn change(store: &Sqlite, id: i64, change: &Change<'_>) -> Result<bool, Error> {
        store.change(id, change, &BY, &NOTE, NOW)
    }

    #[test]
    fn users_come_change_and_go() {
        let place = Place::new("users");
        let store = Sqlite::open(&place.file(), 2).unwrap();
        assert_eq!(add(&store, "Ada", None).unwrap(), 1);
        assert!(matches!(add(&store, "aDA", None), Err(Error::UsernameTaken)));
        assert_eq!(add(&store, "bob@example.org", Some("Bob@work.example")).unwrap(), 3 - 1);
        assert!(matches!(add(&store, "x", Some("bob@WORK.example")), Err(Error::BadRequest(_))));
        assert_eq!(found(&store, "ADA"), Some("Ada".into()));
        assert_eq!(found(&store, "bob@work.example"), Some("bob@example.org".into()));
        assert_eq!(found(&store, "BOB@example.org"), Some("bob@example.org".into()));
        // The owner of an address comes before a name that looks like it.
        add(&store, "carol", Some("bob@example.org")).unwrap();
        assert_eq!(found(&store, "bob@example.org"), Some("carol".into()));
        for nobody in ["", "a b", "nobody", "\0", &"x".repeat(100_000)] {
            assert_eq!(found(&store, nobody), None, "{nobody:?}");
        }

        let ada = store.person(1).unwrap().unwrap();
        assert_eq!((ada.name.as_str(), ada.roles.as_str(), ada.active), ("Ada", "a,b", true));
        assert!(change(&store, 1, &Change::Active(false)).unwrap());
        assert!(change(&store, 1, &Change::Roles(&Roles::default())).unwrap());
        let ada = store.person(1).unwrap().unwrap();
        assert_eq!((ada.roles.as_str(), ada.active), ("", false));
        assert!(!change(&store, 99, &Change::Active(true)).unwrap());

        let hash = |text: &str| PasswordHash::stored(text.into());
        assert!(!store.strengthen(1, &hash("other"), &hash("new")).unwrap());
        assert_eq!(store.credentials("ada").unwrap().unwrap().hash, hash("hash"));
        assert!(store.strengthen(1, &hash("hash"), &hash("new")).unwrap());
        assert_eq!(store.credentials("ada").unwrap().unwrap().hash, hash("new"));
    }

    #[test]
    fn the_id_of_a_deleted_user_is_not_given_out_again() {
        let place = Place::new("ids");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let last = add(&store, "ada", None).unwrap();
        assert!(store.delete(last, &BY, &NOTE, NOW).unwrap());
        assert!(!store.delete(last, &BY, &NOTE, NOW).unwrap());
        assert!(add(&store, "ada", None).unwrap() > last);
    }

    #[test]
    fn the_last_active_administrator_stays() {
        let place = Place::new("admins");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let [ada, bob, _carol] =
            ["ada", "bob", "carol"].map(|name| add(&store, name, None).unwrap());
        let admin = Roles::parse("x,admin,y").unwrap();
        let almost = Roles::parse("admins,ADMIN").unwrap();
        // Nobody administrates yet, so nothing is undone.
        assert!(change(&store, ada, &Change::Active(false)).unwrap());
        assert!(change(&store, ada, &Change::Active(true)).unwrap());
        assert!(change(&store, ada, &Change::Roles(&admin)).unwrap());
        assert!(change(&store, bob, &Change::Roles(&almost)).unwrap());
        let refused = |done: Result<bool, Error>| matches!(done, Err(Error::LastAdmin));
        assert!(refused(change(&store, ada, &Change::Roles(&almost))));
        assert!(refused(change(&store, ada, &Change::Active(false))));
        assert!(refused(store.delete(ada, &BY, &NOTE, NOW)));
        assert_eq!(store.person(ada).unwrap().unwrap().roles, admin);
        assert!(change(&store, bob, &Change::Roles(&admin)).unwrap());
        assert!(change(&store, bob, &Change::Active(false)).unwrap());
        assert!(refused(store.delete(ada, &BY, &NOTE, NOW)), "an inactive one does not count");
        assert!(change(&store, bob, &Change::Active(true)).unwrap());
        assert!(store.delete(ada, &BY, &NOTE, NOW).unwrap());
    }
}
