//! Invitations in SQLite.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Abort, Sqlite, audit, fault, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{Authority, Entry, Invitation, Invitations, NewInvitation, NewSession, NewUser};
use crate::values::{CodeHash, Roles};

/// Invitations that can be open at the same time.
const MAX_OPEN: i64 = 1_000;

/// The columns of [`invitation`].
const INVITATION: &str = "id, roles, created, expires, creator";

impl Invitations for Sqlite {
    fn invite(
        &self,
        invitation: &NewInvitation<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            let open: i64 = writer
                .prepare_cached("SELECT count(*) FROM invitations WHERE expires >= ?1")?
                .query_row([now.0], |row| row.get(0))?;
            if open >= MAX_OPEN {
                return Err(Abort::Rule(Error::TooManyInvitations));
            }
            writer.execute(
                "INSERT INTO invitations (id, hash, roles, created, expires, creator)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    invitation.hash.name(),
                    invitation.hash.bytes(),
                    invitation.roles.as_str(),
                    now.0,
                    invitation.expires.0,
                    by.admin()
                ],
            )?;
            Ok(audit::insert(writer, entry, now)?)
        })
    }

    fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>, Error> {
        let sql = format!(
            "SELECT {INVITATION} FROM invitations WHERE expires >= ?1
             ORDER BY created DESC, id LIMIT ?2"
        );
        let reader = self.reader();
        let found = || -> rusqlite::Result<Vec<Invitation>> {
            reader.prepare_cached(&sql)?.query_map([now.0, MAX_OPEN], invitation)?.collect()
        };
        found().map_err(fault)
    }

    fn invitation(&self, code: &CodeHash, now: Timestamp) -> Result<Option<Invitation>, Error> {
        let sql = format!("SELECT {INVITATION} FROM invitations WHERE hash = ?1 AND expires >= ?2");
        let reader = self.reader();
        let mut query = reader.prepare_cached(&sql).map_err(fault)?;
        query.query_row(params![code.bytes(), now.0], invitation).optional().map_err(fault)
    }

    fn revoke_invitation(
        &self,
        id: &str,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            if writer.execute("DELETE FROM invitations WHERE id = ?1", [id])? == 0 {
                return Ok(false);
            }
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn accept(
        &self,
        code: &CodeHash,
        user: &NewUser<'_>,
        session: Option<&NewSession<'_>>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<Option<i64>, Error> {
        self.write(|writer| {
            // Whoever comes second finds no row: there is one writer.
            let used = writer.execute(
                "DELETE FROM invitations WHERE hash = ?1 AND expires >= ?2",
                params![code.bytes(), now.0],
            )?;
            // A name that is taken undoes this too, and the invitation can be used again.
            if used == 0 {
                Ok(None)
            } else {
                users::add(writer, user, session, entry, now).map(Some)
            }
        })
    }
}

/// Takes back what somebody has made who no longer administrates.
pub(super) fn revoke_of(writer: &Connection, creator: i64) -> rusqlite::Result<()> {
    writer.prepare_cached("DELETE FROM invitations WHERE creator = ?1")?.execute([creator])?;
    Ok(())
}

/// Columns: those of [`INVITATION`].
fn invitation(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    // The schema's CHECK lets nothing else in; a file that was tampered with grants no role.
    let roles = Roles::parse(row.get_ref(1)?.as_str()?).unwrap_or_default();
    Ok(Invitation {
        id: row.get(0)?,
        roles,
        created: Timestamp(row.get(2)?),
        expires: Timestamp(row.get(3)?),
        creator: row.get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BY, NOTE, Place, add, admin, log_in};
    use super::*;
    use crate::store::{Audit as _, AuditQuery, Change, Store as _, Users as _};
    use crate::values::{Code, PasswordHash, Username};

    const NOW: Timestamp = Timestamp(100);
    const END: Timestamp = Timestamp(200);

    /// By an administrator, or from the command line.
    fn invite(store: &Sqlite, creator: Option<i64>) -> Result<CodeHash, Error> {
        let hash = Code::generate().unwrap().hash();
        let roles = Roles::parse("a,b").unwrap();
        let new = NewInvitation { hash, roles: &roles, expires: END };
        let session = creator.map(|id| id.to_string()).unwrap_or_default();
        let by = creator.map_or(BY, |id| admin(id, &session));
        store.invite(&new, &by, &NOTE, NOW).map(|()| hash)
    }

    fn accept(
        store: &Sqlite,
        code: &CodeHash,
        name: &str,
        at: Timestamp,
    ) -> Result<Option<i64>, Error> {
        let user = NewUser {
            name: &Username::parse(name).unwrap(),
            email: None,
            hash: &PasswordHash::stored("hash".into()),
            roles: &Roles::default(),
            language: crate::values::Language::English,
        };
        store.accept(code, &user, None, &NOTE, at)
    }

    fn administrator(store: &Sqlite, name: &str) -> i64 {
        let id = add(store, name, None).unwrap();
        let role = Roles::parse("admin").unwrap();
        assert!(store.change(id, &Change::Roles(&role), &BY, &NOTE, NOW).unwrap());
        log_in(store, id, &id.to_string(), 100);
        id
    }

    fn open(store: &Sqlite, at: i64) -> Vec<String> {
        store.invitations(Timestamp(at)).unwrap().into_iter().map(|found| found.id).collect()
    }

    #[test]
    fn a_code_is_good_once_and_for_a_time() {
        let place = Place::new("invitations");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = administrator(&store, "ada");
        let code = invite(&store, Some(ada)).unwrap();
        let expected = Invitation {
            id: code.name(),
            roles: Roles::parse("a,b").unwrap(),
            created: NOW,
            expires: END,
            creator: Some(ada),
        };
        assert_eq!(store.invitation(&code, NOW).unwrap(), Some(expected.clone()));
        assert_eq!(store.invitations(END).unwrap(), [expected]);
        let late = Timestamp(END.0 + 1);
        assert_eq!(store.invitation(&code, late).unwrap(), None);
        assert_eq!(open(&store, late.0), [""; 0]);
        assert_eq!(accept(&store, &code, "bob", late).unwrap(), None);
        // Nothing is used up by a name that is taken.
        assert!(matches!(accept(&store, &code, "ADA", NOW), Err(Error::UsernameTaken)));
        assert!(accept(&store, &code, "bob", END).unwrap().is_some());
        assert_eq!(accept(&store, &code, "carol", NOW).unwrap(), None);
        assert_eq!(store.invitation(&code, NOW).unwrap(), None);
        assert_eq!(store.account(&Username::parse("carol").unwrap()).unwrap().map(|_| ()), None);
        let wanted = AuditQuery { limit: 100, ..AuditQuery::default() };
        assert_eq!(store.recorded(&wanted).unwrap().len(), 5, "what did not happen is not told");
    }

    #[test]
    fn they_are_taken_back_and_swept() {
        let place = Place::new("revoked");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let code = invite(&store, None).unwrap();
        assert!(!store.revoke_invitation("nothing", &BY, &NOTE, NOW).unwrap());
        assert!(store.revoke_invitation(&code.name(), &BY, &NOTE, NOW).unwrap());
        assert!(!store.revoke_invitation(&code.name(), &BY, &NOTE, NOW).unwrap());
        assert_eq!(accept(&store, &code, "bob", NOW).unwrap(), None);
        invite(&store, None).unwrap();
        assert_eq!(store.sweep(Timestamp(0), END).unwrap(), 0);
        assert_eq!(store.sweep(Timestamp(0), Timestamp(END.0 + 1)).unwrap(), 1);
    }

    #[test]
    fn they_are_void_when_their_maker_no_longer_administrates() {
        for (what, undone, refused) in [
            ("deactivated", 0, "InvalidUserError"),
            ("demoted", 1, "MissingRoleError"),
            ("deleted", 2, "MissingUserError"),
        ] {
            let place = Place::new("former");
            let store = Sqlite::open(&place.file(), 1).unwrap();
            let [ada, bob] = ["ada", "bob"].map(|name| administrator(&store, name));
            let codes = [Some(ada), Some(bob), None].map(|by| invite(&store, by).unwrap().name());
            let other = Roles::parse("admin,editor").unwrap();
            store.change(bob, &Change::Roles(&other), &BY, &NOTE, NOW).unwrap();
            assert_eq!(open(&store, 100).len(), 3, "still an administrator");
            match undone {
                0 => store.change(bob, &Change::Active(false), &BY, &NOTE, NOW).unwrap(),
                1 => store.change(bob, &Change::Roles(&Roles::default()), &BY, &NOTE, NOW).unwrap(),
                _ => store.delete(bob, &BY, &NOTE, NOW).unwrap(),
            };
            let left = open(&store, 100);
            assert!(left.contains(&codes[0]) && left.contains(&codes[2]), "{what}");
            assert!(!left.contains(&codes[1]), "{what}");
            // Nor by a request that was under way, and let in as an administrator's before that.
            let late = invite(&store, Some(bob));
            let name = late.unwrap_err().kind().name;
            assert_eq!(name, refused, "{what}");
            assert_eq!(open(&store, 100), left, "{what}");
        }
    }

    #[test]
    fn open_ones_are_bounded() {
        let place = Place::new("many");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        store.with_writer(|w| Ok(w.execute_batch("PRAGMA synchronous = OFF")?)).unwrap();
        for _ in 0..MAX_OPEN {
            invite(&store, None).unwrap();
        }
        assert!(matches!(invite(&store, None), Err(Error::TooManyInvitations)));
        let one = open(&store, 100).pop().unwrap();
        assert!(store.revoke_invitation(&one, &BY, &NOTE, NOW).unwrap());
        invite(&store, None).unwrap();
    }
}
