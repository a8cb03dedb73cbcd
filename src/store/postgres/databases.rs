//! Databases for tests, on the server that [`URL`] names: each test has an empty one of its own. To
//! make one takes a tenth of a second or two, so one that a test is done with is emptied for the
//! next. Another process drops them all when the tests have ended, however they ended.

use std::env;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::connect::{self, Role};
use super::wire::{Connection, Statement};
use super::{Postgres, Target};
use crate::store::Store;
use crate::store::driver::{Abort, Concurrency, Driver, Fault, Reading, Writing};
use crate::store::signal::Signal;

/// The environment variable with the URL of a superuser's database. Without it, tests that need
/// PostgreSQL do nothing.
const URL: &str = "LICTOR_TEST_POSTGRES";
/// The environment variable that tells the other process what to drop.
const DROP: &str = "LICTOR_TEST_POSTGRES_DROP";

/// Empties the tables. What a test has left behind in large ones would slow the next down.
const EMPTY: &str = "
    DO $$ BEGIN
        IF pg_relation_size('lictor.outbox') + pg_relation_size('lictor.sessions')
                + pg_relation_size('lictor.users') > 500000 THEN
            TRUNCATE lictor.users, lictor.outbox, lictor.audit CASCADE;
        END IF;
    END $$;
    DELETE FROM lictor.audit; DELETE FROM lictor.outbox; DELETE FROM lictor.invitations;
    DELETE FROM lictor.tickets; DELETE FROM lictor.sessions; DELETE FROM lictor.users;
    SELECT setval('lictor.users_id_seq', 1, FALSE), setval('lictor.outbox_id_seq', 1, FALSE),
        setval('lictor.audit_id_seq', 1, FALSE), setval('lictor.audit_failed_number', 1, FALSE),
        setval('lictor.audit_other_number', 1, FALSE)";

/// Databases that no test uses, and whether they have the current tables.
static FREE: Mutex<Vec<(String, bool)>> = Mutex::new(Vec::new());

/// A database of a test.
#[derive(Debug)]
pub(in crate::store) struct TestDatabase {
    pub(super) target: Target,
    /// Whether it has the current tables, or gets them when it is opened.
    current: bool,
}

impl TestDatabase {
    /// A database with empty tables or none; nothing if there is no server for tests.
    pub(in crate::store) fn empty() -> Option<TestDatabase> {
        TestDatabase::take(true)
    }

    /// A database without a schema, for tests of what makes it.
    pub(super) fn bare() -> Option<TestDatabase> {
        TestDatabase::take(false)
    }

    fn take(current: bool) -> Option<TestDatabase> {
        let server = server()?;
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let (name, was_current) = free.unwrap_or_else(|| (make(server), false));
        let database = TestDatabase { target: Target { name, ..server.clone() }, current };
        let clear = match current && was_current {
            true => EMPTY,
            false => "SET client_min_messages = error; DROP SCHEMA IF EXISTS lictor CASCADE",
        };
        database.script(clear);
        if current && !was_current {
            drop(database.open());
        }
        Some(database)
    }

    /// Opens a store on it, as a process would; with more time for each transaction.
    pub(in crate::store) fn open(&self) -> Store {
        let signal = std::sync::Arc::new(Signal::default());
        Store::over(Box::new(Patient(Postgres::open(&self.target, &signal).unwrap())))
    }

    /// A connection to it.
    pub(super) fn connect(&self) -> Connection {
        connect::first(&self.target, Role::Setup).unwrap().connection
    }

    /// Runs a script as a superuser.
    pub(super) fn script(&self, sql: &str) {
        self.connect().script(sql, soon()).unwrap_or_else(|failure| panic!("{sql}: {failure}"));
    }

    /// Makes a user who may log in and has no rights. The process that drops the databases drops
    /// the users too.
    pub(super) fn user(&self, name: &str) -> Target {
        let (user, password) = (format!("{}_{name}", self.target.name), "secret");
        self.script(&format!(
            "DROP ROLE IF EXISTS {user}; CREATE ROLE {user} LOGIN PASSWORD '{password}'"
        ));
        let mut target = Target { user, ..self.target.clone() };
        for host in &mut target.hosts {
            host.password = Some(password.to_owned().into());
        }
        target
    }

    /// The first column of the rows of an answer: texts.
    pub(super) fn texts(&self, sql: &'static str) -> Vec<String> {
        texts(&mut self.connect(), sql)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let mut free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
        free.push((self.target.name.clone(), self.current));
    }
}

/// A driver whose transactions may all take as long as one that adds very many rows. On a busy machine
/// one of many that are in each other's way is not done within the seconds of a request.
#[derive(Debug)]
struct Patient(Postgres);

impl Driver for Patient {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.0.read(work)
    }

    fn read_briefly(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.0.read_briefly(work)
    }

    fn read_beside(&self, work: &mut Reading<'_>) -> bool {
        self.0.read_beside(work)
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.0.write_patiently(work)
    }

    fn write_briefly(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.0.write_briefly(work)
    }

    fn write_long(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.0.write_long(work)
    }

    fn concurrency(&self) -> Concurrency {
        self.0.concurrency()
    }

    fn leads(&self) -> bool {
        self.0.leads()
    }

    fn upkeep(&self, busy: bool) {
        self.0.upkeep(busy);
    }

    fn settle(&self) -> Result<(), Fault> {
        self.0.settle()
    }
}

/// Much later than anything here is done, also on a busy machine.
pub(super) fn soon() -> Instant {
    Instant::now() + Duration::from_secs(120)
}

pub(super) fn texts(connection: &mut Connection, sql: &'static str) -> Vec<String> {
    let mut found = Vec::new();
    let ran = connection.run(&[Statement { sql, values: &[] }], soon(), &mut |_, row| {
        found.push(row.get(0)?);
        Ok(())
    });
    ran.unwrap_or_else(|failure| panic!("{sql}: {failure}"));
    found
}

/// The server for tests.
fn server() -> Option<&'static Target> {
    static SERVER: OnceLock<Option<Target>> = OnceLock::new();
    let found = SERVER.get_or_init(|| Some(Target::parse(&env::var(URL).ok()?).unwrap()));
    found.as_ref()
}

/// Makes a database; returns its name.
fn make(server: &Target) -> String {
    static NUMBER: AtomicUsize = AtomicUsize::new(0);
    static DROPPER: OnceLock<Child> = OnceLock::new();
    let prefix = format!("lictor_test_{}_", std::process::id());
    DROPPER.get_or_init(|| dropper(&prefix));
    let name = format!("{prefix}{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let mut connection = connect::first(server, Role::Setup).unwrap().connection;
    // template0: nobody is connected to it, which would be in the way.
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
    connection.script(&sql, soon()).unwrap_or_else(|failure| panic!("{sql}: {failure}"));
    name
}

/// Starts the process that drops the databases: this program, with one test. It waits until its
/// standard input ends, and that ends with this process.
fn dropper(prefix: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "store::postgres::databases::those_of_tests_that_ended_are_dropped"])
        .env(DROP, prefix)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl+C ends the tests and not the process that cleans up after them.
        .process_group(0)
        .spawn()
        .unwrap()
}

#[test]
fn those_of_tests_that_ended_are_dropped() {
    let (Ok(prefix), Some(server)) = (env::var(DROP), server()) else { return };
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    let mut connection = connect::first(server, Role::Setup).unwrap().connection;
    let drops = "SELECT 'DROP DATABASE ' || datname || ' WITH (FORCE)' FROM pg_database UNION ALL
                 SELECT 'DROP ROLE ' || rolname FROM pg_roles ORDER BY 1";
    for drop in texts(&mut connection, drops) {
        if drop.split(' ').nth(2).is_some_and(|name| name.starts_with(&prefix)) {
            connection.script(&drop, soon()).unwrap();
        }
    }
}
