//! Tickets in SQLite.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{Sqlite, audit, fault, outbox, sessions, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{
    Authority, Change, Confirmation, Entry, Link, LinkMail, MailKind, NewSession, PasswordReset,
    Person, Ticket, Tickets,
};
use crate::values::Email;

/// Links to set a new password that one user can have by mail at the same time; a stranger who
/// asks for another does not void those that are under way.
const MAX_MAILED: i64 = 5;

/// A ticket that can be used, with its user: the columns of [`users::person`].
const HOLDER: &str = "SELECT u.id, u.name, u.roles, u.active
    FROM tickets t JOIN users u ON u.id = t.user
    WHERE t.jti = ?1 AND t.purpose = 'reset' AND t.expires >= ?2 AND u.active";

/// A ticket that confirms an address: the columns of [`users::person`], and those of
/// [`confirmation`]. The ticket of a registration is good only while the account waits; that of a
/// new address only while the user is active.
const CONFIRMATION: &str = "SELECT u.id, u.name, u.roles, u.active, t.email,
    t.purpose = 'registration'
    FROM tickets t JOIN users u ON u.id = t.user
    WHERE t.jti = ?1 AND t.expires >= ?2 AND iif(t.purpose = 'registration',
        u.unconfirmed IS NOT NULL, t.purpose = 'address' AND u.active)";

impl Tickets for Sqlite {
    fn hand_out(
        &self,
        ticket: &Ticket<'_>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            self.authorize(writer, by, entry, now)?;
            let active = "SELECT 1 FROM users WHERE id = ?1 AND active";
            if !writer.prepare_cached(active)?.exists([ticket.user])? {
                return Ok(false);
            }
            // One a user: who gets another had better not find the first in wrong hands.
            let former = "DELETE FROM tickets WHERE user = ?1 AND purpose = 'reset'";
            writer.execute(former, [ticket.user])?;
            writer.execute(
                "INSERT INTO tickets (jti, user, purpose, expires, creator)
                 VALUES (?1, ?2, 'reset', ?3, ?4)",
                params![ticket.jti, ticket.user, ticket.expires.0, by.admin()],
            )?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn holder(&self, jti: &str, now: Timestamp) -> Result<Option<Person>, Error> {
        holder(&self.reader(), jti, now).map_err(fault)
    }

    fn reset(
        &self,
        jti: &str,
        reset: &PasswordReset<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            // Whoever comes second finds no ticket: there is one writer, and the new password
            // voids them all.
            let Some(Person { id, .. }) = holder(writer, jti, now)? else { return Ok(false) };
            if !self.admit(writer, id, reset.second, entry, now)? {
                return Ok(false);
            }
            let change = Change::Password { hash: reset.hash, session: Some(reset.session) };
            users::apply(writer, id, &change, now)?;
            self.tell(writer, MailKind::PasswordChanged, id, now)?;
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }

    fn confirmation(&self, jti: &str, now: Timestamp) -> Result<Option<Confirmation>, Error> {
        confirmation(&self.reader(), jti, now).map_err(fault)
    }

    fn confirm_address(
        &self,
        jti: &str,
        session: Option<&NewSession<'_>>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(|writer| {
            let Some(found) = confirmation(writer, jti, now)? else { return Ok(false) };
            let Ok(email) = Email::parse(&found.email) else { return Ok(false) };
            let id = found.person.id;
            if taken(writer, &email, id)? {
                return Ok(false);
            }
            // The gate of every login. The link carries no code, so an account that has a second
            // factor is not logged in by it.
            if session.is_some()
                && !(found.registration && self.admit(writer, id, None, entry, now)?)
            {
                return Ok(false);
            }
            if self.mails && !found.registration {
                outbox::notify(writer, MailKind::AddressChanged, id, email.as_str(), now)?;
            }
            set_address(writer, id, &email, found.registration)?;
            writer.execute("DELETE FROM tickets WHERE jti = ?1", [jti])?;
            if let Some(session) = session {
                sessions::make_room(writer, id)?;
                sessions::insert(writer, id, session)?;
            }
            audit::insert(writer, entry, now)?;
            Ok(true)
        })
    }
}

/// Voids what somebody has handed out who no longer administrates.
pub(super) fn revoke_of(writer: &Connection, creator: i64) -> rusqlite::Result<()> {
    writer.prepare_cached("DELETE FROM tickets WHERE creator = ?1")?.execute([creator])?;
    Ok(())
}

/// Voids the link that was mailed at registration. Called when an administrator activates the
/// account: nobody has shown since that the address is the user's.
pub(super) fn void_registration(writer: &Connection, user: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM tickets WHERE user = ?1 AND purpose = 'registration'";
    writer.prepare_cached(sql)?.execute([user])?;
    Ok(())
}

/// Voids the link to a new address: whoever proposed it may be who is shut out just now.
pub(super) fn void_address(writer: &Connection, user: i64) -> rusqlite::Result<()> {
    let sql = "DELETE FROM tickets WHERE user = ?1 AND purpose = 'address'";
    writer.prepare_cached(sql)?.execute([user])?;
    Ok(())
}

/// Keeps the ticket of a mail that confirms an address.
pub(super) fn insert(
    writer: &Connection,
    purpose: &str,
    user: i64,
    posting: &LinkMail<'_>,
) -> rusqlite::Result<()> {
    writer.execute(
        "INSERT INTO tickets (jti, user, purpose, expires, email) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![posting.jti, user, purpose, posting.expires.0, posting.email.as_str()],
    )?;
    Ok(())
}

/// Keeps the ticket of a mail that resets a password, in the place of the oldest if there are many.
pub(super) fn insert_reset(writer: &Connection, user: i64, link: &Link) -> rusqlite::Result<()> {
    writer.execute(
        "DELETE FROM tickets WHERE jti IN (SELECT jti FROM tickets
         WHERE user = ?1 AND purpose = 'reset' ORDER BY expires DESC LIMIT -1 OFFSET ?2)",
        [user, MAX_MAILED - 1],
    )?;
    writer.execute(
        "INSERT INTO tickets (jti, user, purpose, expires) VALUES (?1, ?2, 'reset', ?3)",
        params![link.jti, user, link.expires.0],
    )?;
    Ok(())
}

fn taken(writer: &Connection, email: &Email, by_other_than: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM users WHERE email_key = ?1 AND id <> ?2";
    writer.prepare_cached(sql)?.exists(params![email.key(), by_other_than])
}

fn set_address(
    writer: &Connection,
    user: i64,
    email: &Email,
    registration: bool,
) -> rusqlite::Result<()> {
    writer.execute(
        "UPDATE users SET email = ?2, email_key = ?3, active = active OR ?4, unconfirmed = NULL
         WHERE id = ?1",
        params![user, email.as_str(), email.key(), registration],
    )?;
    // Whoever can still read the old mailbox must not set a password with what was sent there.
    writer.execute("DELETE FROM tickets WHERE user = ?1 AND purpose = 'reset'", [user])?;
    Ok(())
}

fn confirmation(
    connection: &Connection,
    jti: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<Confirmation>> {
    let confirmation = |row: &Row<'_>| {
        let person = users::person(row)?;
        Ok(Confirmation { person, email: row.get(4)?, registration: row.get(5)? })
    };
    connection.prepare_cached(CONFIRMATION)?.query_row(params![jti, now.0], confirmation).optional()
}

fn holder(connection: &Connection, jti: &str, now: Timestamp) -> rusqlite::Result<Option<Person>> {
    connection.prepare_cached(HOLDER)?.query_row(params![jti, now.0], users::person).optional()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{BY, NOTE, Place, add, admin, log_in};
    use super::*;
    use crate::store::{
        ClientInfo, Enrolment, NewSession, Outbox as _, SecondFactors as _, SessionScope,
        Sessions as _, Store as _, Users as _,
    };
    use crate::values::{PasswordHash, Roles, Step, TotpSecret};

    const NOW: Timestamp = Timestamp(100);
    const END: Timestamp = Timestamp(200);

    fn hand_out(store: &Sqlite, user: i64, jti: &str) -> bool {
        store.hand_out(&Ticket { jti, user, expires: END }, &BY, &NOTE, NOW).unwrap()
    }

    fn reset(store: &Sqlite, jti: &str, session: &str, at: Timestamp) -> bool {
        let session = NewSession {
            jti: session,
            issued: at,
            expires: Timestamp(10_000),
            origin: ClientInfo { address: None, agent: "" },
        };
        let hash = PasswordHash::stored(format!("from {jti}"));
        let reset = PasswordReset { hash: &hash, second: None, session: &session };
        store.reset(jti, &reset, &NOTE, at).unwrap()
    }

    fn password(store: &Sqlite, user: i64) -> String {
        store.credentials_of(user).unwrap().unwrap().hash.as_str().to_owned()
    }

    fn holder(store: &Sqlite, jti: &str) -> Option<i64> {
        store.holder(jti, NOW).unwrap().map(|person| person.id)
    }

    fn sessions(store: &Sqlite, user: i64) -> Vec<String> {
        let found = store.sessions(user, NOW).unwrap();
        found.into_iter().map(|session| session.jti).collect()
    }

    #[test]
    fn a_ticket_is_used_once_and_ends_what_was() {
        let place = Place::new("tickets");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let [ada, bob] = ["ada", "bob"].map(|name| add(&store, name, None).unwrap());
        assert!(!hand_out(&store, 99, "x"));
        assert!(hand_out(&store, ada, "a") && hand_out(&store, bob, "b"));
        assert_eq!(holder(&store, "a"), Some(ada));
        assert!(!reset(&store, "nothing", "s0", NOW));
        assert!(!reset(&store, "a", "s0", Timestamp(END.0 + 1)));
        assert_eq!(password(&store, ada), "hash");
        assert!(reset(&store, "a", "s1", END));
        assert_eq!(
            (password(&store, ada).as_str(), sessions(&store, ada)),
            ("from a", vec!["s1".into()])
        );
        assert_eq!(holder(&store, "a"), None);
        assert!(!reset(&store, "a", "s2", NOW));
        assert!(hand_out(&store, ada, "c"));
        assert!(reset(&store, "c", "s3", NOW));
        assert_eq!(sessions(&store, ada), ["s3"]);
        assert_eq!((password(&store, bob).as_str(), holder(&store, "b")), ("hash", Some(bob)));
    }

    #[test]
    fn what_voids_a_ticket() {
        let new = PasswordHash::stored("new".into());
        type Act<'a> = &'a dyn Fn(&Sqlite, i64) -> bool;
        let cases: [(&str, bool, Act<'_>); 8] = [
            ("nothing", true, &|_, _| true),
            ("another ticket", false, &|store, user| hand_out(store, user, "b")),
            ("another password", false, &|store, user| {
                let change = Change::Password { hash: &new, session: None };
                store.change(user, &change, &BY, &NOTE, NOW).unwrap()
            }),
            ("deactivation", false, &|store, user| {
                store.change(user, &Change::Active(false), &BY, &NOTE, NOW).unwrap()
            }),
            ("deactivation, and activation", false, &|store, user| {
                store.change(user, &Change::Active(false), &BY, &NOTE, NOW).unwrap()
                    && store.change(user, &Change::Active(true), &BY, &NOTE, NOW).unwrap()
            }),
            ("deletion", false, &|store, user| store.delete(user, &BY, &NOTE, NOW).unwrap()),
            ("sweeping, too early", true, &|store, _| store.sweep(NOW, END).unwrap() > 0),
            ("sweeping", false, &|store, _| store.sweep(NOW, Timestamp(END.0 + 1)).unwrap() > 0),
        ];
        for (what, good, act) in cases {
            let place = Place::new("void");
            let store = Sqlite::open(&place.file(), 1).unwrap();
            let ada = add(&store, "ada", None).unwrap();
            assert!(hand_out(&store, ada, "a"));
            assert!(act(&store, ada), "{what}");
            assert_eq!(holder(&store, "a").is_some(), good, "{what}");
            assert_eq!(reset(&store, "a", "s", NOW), good, "{what}");
        }
    }

    #[test]
    fn an_address_of_a_thief_was_confirmed_after_the_thief_had_been_shut_out() {
        let secret = TotpSecret::stored([1; 20]);
        type Act<'a> = &'a dyn Fn(&Sqlite, i64);
        let cases: [(&str, bool, Act<'_>); 5] = [
            ("nothing", true, &|_, _| ()),
            ("one session", true, &|store, user| {
                store.end(user, SessionScope::One("s"), &BY, &NOTE, NOW).unwrap();
            }),
            ("a second factor that is not confirmed", true, &|store, user| {
                assert!(store.enrol(user, &secret, &BY, &NOTE, NOW).unwrap());
            }),
            ("a second factor", false, &|store, user| {
                assert!(store.enrol(user, &secret, &BY, &NOTE, NOW).unwrap());
                let confirmed = Enrolment { secret: &secret, step: Step(1), codes: &[] };
                assert!(store.confirm_enrolment(user, &confirmed, &BY, &NOTE, NOW).unwrap());
            }),
            ("all sessions", false, &|store, user| {
                store.end(user, SessionScope::All, &BY, &NOTE, NOW).unwrap();
            }),
        ];
        for (what, good, act) in cases {
            let place = Place::new("proposed");
            let store = Sqlite::open(&place.file(), 1).unwrap();
            let ada = add(&store, "ada", Some("ada@x.example")).unwrap();
            let email = Email::parse("eve@x.example").unwrap();
            let posting = LinkMail { email: &email, jti: "a", expires: END };
            assert!(store.propose_address(ada, &posting, &BY, &NOTE, NOW).unwrap());
            act(&store, ada);
            assert_eq!(store.confirm_address("a", None, &NOTE, NOW).unwrap(), good, "{what}");
            let email = store.account_of(ada).unwrap().unwrap().email.unwrap();
            assert_eq!(email == "eve@x.example", good, "{what}");
            // Nor is the mail sent, if it has not been.
            assert!(store.next_mail(NOW).unwrap().is_none(), "{what}");
        }
    }

    #[test]
    fn they_are_void_when_who_handed_them_out_no_longer_administrates() {
        let role = Roles::parse("admin").unwrap();
        for (what, undone, refused) in [
            ("deactivated", 0, "InvalidUserError"),
            ("demoted", 1, "MissingRoleError"),
            ("deleted", 2, "MissingUserError"),
        ] {
            let place = Place::new("former-hand");
            let store = Sqlite::open(&place.file(), 1).unwrap();
            let [root, eve, ada, bob] =
                ["root", "eve", "ada", "bob"].map(|name| add(&store, name, None).unwrap());
            for id in [root, eve] {
                store.change(id, &Change::Roles(&role), &BY, &NOTE, NOW).unwrap();
                log_in(&store, id, &id.to_string(), 100);
            }
            let by = |creator: i64, user: i64, jti: &str| {
                let session = creator.to_string();
                let ticket = Ticket { jti, user, expires: END };
                store.hand_out(&ticket, &admin(creator, &session), &NOTE, NOW)
            };
            assert!(by(eve, ada, "a").unwrap() && by(root, bob, "b").unwrap());
            match undone {
                0 => store.change(eve, &Change::Active(false), &BY, &NOTE, NOW).unwrap(),
                1 => store.change(eve, &Change::Roles(&Roles::default()), &BY, &NOTE, NOW).unwrap(),
                _ => store.delete(eve, &BY, &NOTE, NOW).unwrap(),
            };
            assert_eq!((holder(&store, "a"), holder(&store, "b")), (None, Some(bob)), "{what}");
            // Nor by a request that was under way.
            let late = by(eve, bob, "c");
            assert_eq!(late.unwrap_err().kind().name, refused, "{what}");
            assert_eq!(holder(&store, "b"), Some(bob), "{what}");
        }
    }

    #[test]
    fn who_is_inactive_gets_none() {
        let place = Place::new("no-ticket");
        let store = Sqlite::open(&place.file(), 1).unwrap();
        let ada = add(&store, "ada", None).unwrap();
        store.change(ada, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
        assert!(!hand_out(&store, ada, "a"));
        assert_eq!(holder(&store, "a"), None);
    }
}
