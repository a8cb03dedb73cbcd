//! Tests that any backend must pass: the rules, over a real database. A backend is one line of
//! [`BACKENDS`]. What only one backend has (files, plans of statements) is tested beside it.

mod administration;
mod app_passwords;
mod audit;
mod authority;
mod concurrency;
mod emails;
mod failures;
mod gated;
mod health;
pub(in crate::store) mod import;
mod invitations;
mod known_places;
mod limits;
mod mails;
mod notices;
mod second_factors;
mod sessions;
mod setup;
mod tickets;
pub(in crate::store) mod twice;
mod users;
mod waiting;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::driver::{Dialect, Value};
#[cfg(feature = "postgres")]
use super::postgres::TestDatabase;
use super::{
    Actor, AuditQuery, Authority, Change, ClientInfo, Entry, Event, NewSession, NewUser, Proof,
    Store,
};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{Email, Language, PasswordHash, Roles, Username};

/// The backends that are tested, and what gives a test an empty database: nothing if there is no
/// server for tests.
const BACKENDS: [(&str, Begin); 2] = [("sqlite", sqlite), ("postgres", postgres)];

/// Makes an empty database for the test with this name.
type Begin = fn(&str) -> Option<Box<dyn Empty>>;

/// Threads of a test that use a store at the same time, at most.
const THREADS: usize = 9;

/// A database that is empty at first, and gone or reused after the test.
trait Empty {
    /// Opens it, as a process would that knows of no other.
    fn open(&self) -> Store;
}

impl Empty for Place {
    fn open(&self) -> Store {
        Store::open(&self.file().into(), THREADS).unwrap()
    }
}

#[cfg(feature = "postgres")]
impl Empty for TestDatabase {
    fn open(&self) -> Store {
        TestDatabase::open(self)
    }
}

fn sqlite(test: &str) -> Option<Box<dyn Empty>> {
    Some(Box::new(Place::new(test)))
}

#[cfg(feature = "postgres")]
fn postgres(_: &str) -> Option<Box<dyn Empty>> {
    Some(Box::new(TestDatabase::empty()?))
}

#[cfg(not(feature = "postgres"))]
fn postgres(_: &str) -> Option<Box<dyn Empty>> {
    None
}

/// The backends that can be tested here, each with an empty database.
fn backends(test: &str) -> impl Iterator<Item = Box<dyn Empty>> {
    BACKENDS.into_iter().filter_map(move |(name, empty)| empty(&format!("{name}-{test}")))
}

/// Runs a test on an empty store of each backend.
pub(in crate::store) fn each(name: &str, test: impl Fn(&Store)) {
    each_with(name, |store| store, test);
}

/// The same with a store that `wrap` makes of it.
fn each_with(name: &str, wrap: impl Fn(Store) -> Store, test: impl Fn(&Store)) {
    for database in backends(name) {
        // Dropped before the database, also by a panic.
        let store = wrap(database.open());
        test(&store);
    }
}

/// The same with a store that `join` makes of two on the same database.
fn each_shared(name: &str, join: impl Fn(Store, Store) -> Store, test: impl Fn(&Store)) {
    for database in backends(name) {
        let store = join(database.open(), database.open());
        test(&store);
    }
}

/// A private directory that is deleted with the value.
pub(in crate::store) struct Place(pub(in crate::store) PathBuf);

impl Place {
    pub(in crate::store) fn new(name: &str) -> Place {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("lictor-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // Of another process with this number, which was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    pub(in crate::store) fn file(&self) -> PathBuf {
        self.0.join("lictor.db")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

/// The entry that goes with whatever a test does.
pub(in crate::store) const NOTE: Entry<'static> =
    Entry { event: Event::UserAdded, user: None, name: None, actor: Actor::Operator, detail: "" };

/// On whose behalf a test does it.
pub(in crate::store) const BY: Authority<'static> = Authority::Operator;

/// A request that says nothing of its client.
pub(in crate::store) const NOWHERE: ClientInfo<'static> = ClientInfo { ip: None, agent: "" };

/// Adds a user with the password hash `hash` and the roles `a,b`.
pub(in crate::store) fn add(store: &Store, name: &str, email: Option<&str>) -> Result<i64, Error> {
    let email = email.map(|email| Email::parse(email).unwrap());
    let user = NewUser {
        name: &Username::parse(name).unwrap(),
        email: email.as_ref(),
        hash: &hash("hash"),
        roles: &Roles::parse("a,b").unwrap(),
        language: Language::English,
    };
    store.add(&user, &BY, &NOTE, Timestamp(5))
}

/// Adds an administrator with a session that is called like the id; see [`add`].
pub(in crate::store) fn add_admin(store: &Store, name: &str) -> i64 {
    let id = add(store, name, None).unwrap();
    let role = Roles::parse("admin").unwrap();
    assert!(store.change(id, &Change::Roles(&role), &BY, &NOTE, Timestamp(100)).unwrap());
    log_in(store, id, &id.to_string(), 100);
    id
}

/// An administrator with this session.
pub(in crate::store) fn admin(id: i64, session: &str) -> Authority<'_> {
    Authority::Admin { id, session, since: Timestamp(0) }
}

/// A session of this name.
pub(in crate::store) fn session(jti: &str, at: i64) -> NewSession<'_> {
    let (issued, expires) = (Timestamp(at), Timestamp(1_000_000));
    NewSession { jti, issued, expires, origin: NOWHERE, notice: false, cookie: false }
}

/// Begins a session of this name, for a user with the password of [`add`].
pub(in crate::store) fn log_in(store: &Store, user: i64, jti: &str, at: i64) {
    let proof = Proof { password: &hash("hash"), second: None };
    assert!(store.begin(user, &session(jti, at), &proof, &NOTE, Timestamp(at)).unwrap());
}

pub(in crate::store) fn hash(text: &str) -> PasswordHash {
    PasswordHash::stored(text.into())
}

/// The name of the user that logs in with `login`.
pub(in crate::store) fn found(store: &Store, login: &str) -> Option<String> {
    store.credentials(login).unwrap().map(|c| c.person.name)
}

/// The events of all audit entries, the oldest first.
pub(in crate::store) fn events(store: &Store) -> Vec<String> {
    let query = AuditQuery { limit: 10_000, ..AuditQuery::default() };
    let found = store.recorded(&query).unwrap().rows;
    found.into_iter().rev().map(|entry| entry.event).collect()
}

/// Runs a statement on the database itself.
pub(in crate::store) fn execute(
    store: &Store,
    sql: &'static str,
    values: &[Value<'_>],
) -> Result<usize, Error> {
    store.write_rows(|queries| queries.execute(sql, values))
}

/// The SQL of the database.
fn dialect(store: &Store) -> Dialect {
    store.write_rows(|queries| Ok(queries.dialect())).unwrap()
}

/// Reads one number from the database itself.
pub(in crate::store) fn number(store: &Store, sql: &'static str) -> i64 {
    let mut found = None;
    let read = store.read(|queries| {
        queries.query(sql, &[], &mut |row| {
            found = Some(row.get(0)?);
            Ok(())
        })
    });
    read.unwrap();
    found.unwrap()
}
