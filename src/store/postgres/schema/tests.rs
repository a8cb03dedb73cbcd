//! The tables on a real server: who can make and use them, and what is refused.

use std::thread;

use super::*;
use crate::clock::Timestamp;
use crate::store::contract::{BY, NOTE, add, log_in};
use crate::store::postgres::connect::{self, Role};
use crate::store::postgres::databases::{TestDatabase, soon};
use crate::store::postgres::inspect;
use crate::store::{Change, Entry, Event, Inspection, Store};

/// Opens the tables as a process does that connects with this target.
fn open_with(plan: &Plan, target: &Target) -> Result<(), Problem> {
    let mut connection = connect::first(target, Role::Setup).unwrap().connection;
    open_as(plan, &mut Session { connection: &mut connection, target, deadline: soon() })
}

fn refused(target: &Target) -> String {
    open_with(&current(), target).unwrap_err().to_string()
}

#[test]
fn the_catalog_is_as_expected() {
    let Some(database) = TestDatabase::bare() else { return };
    open_with(&current(), &database.target).unwrap();
    let (mut connection, target) = (database.connect(), &database.target);
    let session = &mut Session { connection: &mut connection, target, deadline: soon() };
    let mut found = catalog::lines(session).unwrap();
    found.sort_unstable();
    let found = found.join("\n");
    assert!(found == current().expected.trim_end(), "expected.txt should be:\n{found}");
    assert!(include_str!("../schema.sql").contains(&format!("version {VERSION}:")));
    assert_eq!(database.texts("SELECT number::text FROM lictor.version"), [VERSION.to_string()]);
}

#[test]
fn five_processes_open_at_once() {
    let Some(database) = TestDatabase::bare() else { return };
    let at_once = |plan: &Plan| {
        thread::scope(|scope| {
            for _ in 0..5 {
                scope.spawn(|| open_with(plan, &database.target).unwrap());
            }
        });
        database.texts("SELECT number::text FROM lictor.version")
    };
    assert_eq!(at_once(&current()), [VERSION.to_string()]);
    assert_eq!(at_once(&next()), [(VERSION + 1).to_string()]);
}

/// A plan of a version that does not exist yet.
fn next() -> Plan {
    let column = "column users.motto text collate C not null default\n";
    Plan {
        version: VERSION + 1,
        schema: "",
        expected: format!("{}{column}", current().expected).leak(),
        steps: &[Step {
            from: VERSION,
            to: VERSION + 1,
            sql: "ALTER TABLE users ADD COLUMN motto text COLLATE \"C\" NOT NULL DEFAULT 'none'",
        }],
    }
}

#[test]
fn an_older_version_is_upgraded_step_by_step_or_not_at_all() {
    let Some(database) = TestDatabase::bare() else { return };
    let target = &database.target;
    open_with(&current(), target).unwrap();
    database.script(
        "INSERT INTO lictor.users (name, name_key, password, created)
                     VALUES ('ada', 'ada', 'hash', 1)",
    );
    let steps = |last: &'static str| -> &'static [Step] {
        let first = next().steps[0].sql;
        let last = Step { from: VERSION + 1, to: VERSION + 2, sql: last };
        vec![Step { from: VERSION, to: VERSION + 1, sql: first }, last].leak()
    };
    let plan = |last| Plan { version: VERSION + 2, steps: steps(last), ..next() };
    for (last, said) in [
        ("SELECT 1 / 0", "division by zero"),
        ("ALTER TABLE users DROP COLUMN roles", "column users.roles"),
    ] {
        let problem = open_with(&plan(last), target).unwrap_err().to_string();
        assert!(problem.contains(said), "{problem}");
        assert_eq!(
            database.texts("SELECT number::text FROM lictor.version"),
            [VERSION.to_string()]
        );
        assert_eq!(catalog_of(&database), current().expected.lines().count(), "{last}");
    }
    open_with(&plan("UPDATE users SET motto = motto || '!'"), target).unwrap();
    assert_eq!(
        database.texts("SELECT number::text FROM lictor.version"),
        [(VERSION + 2).to_string()]
    );
    assert_eq!(database.texts("SELECT motto FROM lictor.users"), ["none!"]);
    let newer = format!("made by a newer lictor: its tables are of version {}", VERSION + 2);
    assert!(refused(target).contains(&newer));
    assert!(inspect::inspect(target).unwrap_err().to_string().contains("newer"));
}

#[test]
fn each_older_version_becomes_the_current_one() {
    // What a version has not, taken away again.
    let before_8 =
        "ALTER TABLE lictor.users DROP COLUMN last_login, DROP COLUMN last_login_address;
         ALTER TABLE lictor.tickets DROP CONSTRAINT tickets_purpose_check,
             ADD CONSTRAINT tickets_purpose_check
             CHECK (purpose IN ('registration', 'address', 'reset'));
         DROP INDEX lictor.users_admins;
         CREATE INDEX users_admins ON lictor.users (id)
             WHERE active AND replace(',' || roles || ',', ',admin,', '') <> ',' || roles || ',';";
    let before_7 = &format!(
        "{before_8} DROP TABLE lictor.app_passwords; ALTER TABLE lictor.sessions DROP COLUMN seen;"
    );
    let before_5 = &format!("{before_7} DROP TABLE lictor.former_names;");
    for (version, undo) in [(7, before_8), (5, before_7), (4, before_5)] {
        let Some(database) = TestDatabase::bare() else { return };
        let target = &database.target;
        open_with(&current(), target).unwrap();
        // The expected catalog has no conditions of indices and constraints.
        let conditions = || {
            let sql = "SELECT indexdef FROM pg_catalog.pg_indexes WHERE schemaname = 'lictor'
                       UNION ALL SELECT conname || pg_catalog.pg_get_constraintdef(oid)
                       FROM pg_catalog.pg_constraint
                       WHERE connamespace = 'lictor'::pg_catalog.regnamespace ORDER BY 1";
            database.texts(sql)
        };
        let fresh = conditions();
        database.script(&format!(
            "{undo} UPDATE lictor.version SET number = {version};
             INSERT INTO lictor.users (name, name_key, password, created)
                 VALUES ('ada', 'ada', 'hash', 1)",
        ));
        assert_eq!(inspect::inspect(target), Ok(Inspection::Older(version)));
        // That it is not of this version is no damage.
        inspect::check(target).unwrap();
        open_with(&current(), target).unwrap();
        assert_eq!(inspect::inspect(target), Ok(Inspection::Current));
        inspect::check(target).unwrap();
        assert_eq!(conditions(), fresh, "{version}");
        assert_eq!(database.texts("SELECT name FROM lictor.users"), ["ada"]);
    }
}

fn catalog_of(database: &TestDatabase) -> usize {
    let (mut connection, target) = (database.connect(), &database.target);
    let session = &mut Session { connection: &mut connection, target, deadline: soon() };
    catalog::lines(session).unwrap().len()
}

#[test]
fn a_schema_of_somebody_else_was_used() {
    for (made, said) in [
        ("CREATE SCHEMA lictor; CREATE TABLE lictor.users (id int)", "not one of this program"),
        ("CREATE SCHEMA lictor; CREATE VIEW lictor.version AS SELECT 4 AS number", "not one of"),
        ("CREATE SCHEMA lictor; CREATE TABLE lictor.version (number text)", "not one of"),
        ("CREATE SCHEMA lictor; CREATE TABLE lictor.version (number integer)", "not one of"),
    ] {
        let Some(database) = TestDatabase::bare() else { return };
        database.script(made);
        let before = catalog_of(&database);
        let problem = refused(&database.target);
        assert!(problem.contains(said) && problem.contains("was not touched"), "{made}: {problem}");
        assert!(inspect::inspect(&database.target).is_err(), "{made}");
        assert_eq!(catalog_of(&database), before, "{made}");
    }
}

#[test]
fn damaged_tables_were_used() {
    for (how, said) in [
        ("ALTER TABLE lictor.users DROP COLUMN failures", Some("column users.failures bigint")),
        (
            "ALTER TABLE lictor.users DROP CONSTRAINT users_name_key_key",
            Some("constraint users_name_key_key on users: unique"),
        ),
        ("ALTER TABLE lictor.sessions ALTER newest TYPE integer", Some("column sessions.newest")),
        ("ALTER TABLE lictor.sessions ALTER \"user\" DROP NOT NULL", Some("column sessions.user")),
        (
            "ALTER TABLE lictor.users ALTER name_key TYPE text COLLATE \"POSIX\"",
            Some("column users.name_key"),
        ),
        ("DROP TABLE lictor.recovery_codes", Some("recovery_codes")),
        ("DROP SEQUENCE lictor.audit_failed_number", Some("sequence audit_failed_number")),
        ("DROP INDEX lictor.outbox_by_due", Some("index outbox_by_due")),
        (
            "UPDATE pg_index SET indisvalid = FALSE WHERE indexrelid = 'lictor.users_admins'::regclass",
            Some("index users_admins"),
        ),
        ("DELETE FROM lictor.version", Some("not one of this program")),
        ("CREATE INDEX mine ON lictor.users (created)", None),
        ("ALTER TABLE lictor.users ADD COLUMN mine text; CREATE TABLE lictor.mine ()", None),
    ] {
        let Some(database) = TestDatabase::bare() else { return };
        open_with(&current(), &database.target).unwrap();
        database.script(how);
        match (open_with(&current(), &database.target), said) {
            (Ok(()), None) => inspect::check(&database.target).unwrap(),
            (Err(problem), Some(said)) => {
                assert!(problem.to_string().contains(said), "{how}: {problem}");
                assert_eq!(inspect::check(&database.target), Err(problem), "{how}");
            }
            (opened, _) => panic!("{how}: {opened:?}"),
        }
    }
}

#[test]
fn tables_that_lose_or_change_rows_were_used() {
    let function = "CREATE FUNCTION lictor.f() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN RETURN NULL; END'";
    let public = function.replace("lictor.f", "public.f");
    for (how, said) in [
        ("ALTER TABLE lictor.audit SET UNLOGGED", Some("audit is UNLOGGED")),
        ("ALTER TABLE lictor.users ENABLE ROW LEVEL SECURITY", Some("users has row security")),
        (
            &format!(
                "{public}; CREATE TRIGGER t BEFORE INSERT ON lictor.sessions
                     FOR EACH ROW EXECUTE FUNCTION public.f()"
            ),
            Some("sessions has the trigger t"),
        ),
        ("ALTER TABLE lictor.sessions DISABLE TRIGGER ALL", Some("foreign keys that are switched")),
        (
            "CREATE RULE r AS ON DELETE TO lictor.sessions DO INSTEAD NOTHING",
            Some("sessions has the rule r"),
        ),
        (function, Some("the schema has the function f")),
        (
            "CREATE OPERATOR lictor.= (LEFTARG = bigint, RIGHTARG = text, FUNCTION = int8_text)",
            Some("the schema has the operator ="),
        ),
        ("ALTER TABLE lictor.users OWNER TO pg_monitor", Some("users belongs to pg_monitor")),
        ("ALTER SEQUENCE lictor.audit_other_number OWNER TO pg_monitor", Some("belongs to")),
        ("CREATE UNLOGGED TABLE lictor.mine (); ALTER TABLE lictor.mine OWNER TO pg_monitor", None),
        ("CREATE VIEW lictor.mine AS SELECT 1", None),
    ] {
        let Some(database) = TestDatabase::bare() else { return };
        open_with(&current(), &database.target).unwrap();
        database.script(
            "DROP FUNCTION IF EXISTS public.f(), public.int8_text(bigint, text);
             CREATE FUNCTION public.int8_text(bigint, text) RETURNS boolean LANGUAGE sql AS 'SELECT TRUE'",
        );
        database.script(&how.replace("FUNCTION = int8_text", "FUNCTION = public.int8_text"));
        match (open_with(&current(), &database.target), said) {
            (Ok(()), None) => inspect::check(&database.target).unwrap(),
            (Err(problem), Some(said)) => {
                assert!(problem.to_string().contains(said), "{how}: {problem}");
                assert_eq!(inspect::check(&database.target), Err(problem), "{how}");
            }
            (opened, _) => panic!("{how}: {opened:?}"),
        }
    }
}

#[test]
fn tables_were_made_in_the_schema_of_another() {
    let Some(database) = TestDatabase::bare() else { return };
    let (owner, other) = (database.user("owner"), database.user("other"));
    let (owned_by, user) = (&owner.user, &other.user);
    let begin = format!(
        "DROP SCHEMA IF EXISTS lictor CASCADE; CREATE SCHEMA lictor AUTHORIZATION {owned_by};
         GRANT ALL ON SCHEMA lictor TO {user}"
    );
    for (change, made) in [
        (String::new(), false),
        (format!("GRANT {owned_by} TO {user}"), true),
        (format!("REVOKE {owned_by} FROM {user}; ALTER SCHEMA lictor OWNER TO {user}"), true),
    ] {
        database.script(&format!("SET client_min_messages = error; {begin}; {change}"));
        match open_with(&current(), &other) {
            Ok(()) => assert!(made, "{change}"),
            Err(problem) => {
                let problem = problem.to_string();
                assert!(problem.contains(&format!("belongs to {owned_by}")), "{change}: {problem}");
                assert!(!made, "{change}");
                assert_eq!(inspect::inspect(&other), Ok(Inspection::Absent));
            }
        }
    }
    // A superuser makes them for the owner.
    database.script(&format!("SET client_min_messages = error; {begin}"));
    open_with(&current(), &database.target).unwrap();
    open_with(&current(), &owner).unwrap();
    everything(&database.open());
    database.script(&format!("DROP OWNED BY {owned_by}; DROP OWNED BY {user}"));
}

#[test]
fn rows_that_cannot_be_are_found() {
    for (how, said) in [
        ("SET session_replication_role = replica; DELETE FROM lictor.users", "a session is of no"),
        (
            "INSERT INTO lictor.users (id, name, name_key, password, created)
          VALUES (900, 'b', 'b', 'hash', 1)",
            "sequence users_id_seq is behind",
        ),
    ] {
        let Some(database) = TestDatabase::bare() else { return };
        let store = database.open();
        let ada = add(&store, "ada", None).unwrap();
        log_in(&store, ada, "a", 5);
        inspect::check(&database.target).unwrap();
        database.script(how);
        let problem = inspect::check(&database.target).unwrap_err().to_string();
        assert!(problem.contains(said), "{how}: {problem}");
    }
}

#[test]
fn a_look_changes_nothing() {
    let Some(database) = TestDatabase::bare() else { return };
    let target = &database.target;
    assert_eq!(inspect::inspect(target), Ok(Inspection::Absent));
    assert!(inspect::check(target).unwrap_err().to_string().contains("has no tables of lictor"));
    database.script("CREATE SCHEMA lictor");
    assert_eq!(inspect::inspect(target), Ok(Inspection::Absent));
    open_with(&current(), target).unwrap();
    assert_eq!(inspect::inspect(target), Ok(Inspection::Current));
    database.script("UPDATE lictor.version SET number = 3");
    assert_eq!(inspect::inspect(target), Ok(Inspection::Older(3)));
    assert!(refused(target).contains("version 3"), "no step leads from there");
    assert_eq!(database.texts("SELECT number::text FROM lictor.version"), ["3"]);
}

#[test]
fn opening_current_tables_waited_for_a_lock() {
    let Some(database) = TestDatabase::bare() else { return };
    open_with(&current(), &database.target).unwrap();
    let mut other = database.connect();
    let locked = format!(
        "BEGIN; SELECT pg_advisory_xact_lock({LOCKS}, {UPGRADE});
        LOCK TABLE lictor.version, lictor.users, lictor.turn IN SHARE ROW EXCLUSIVE MODE"
    );
    other.script(&locked, soon()).unwrap();
    open_with(&current(), &database.target).unwrap();
}

#[test]
fn a_user_with_few_rights_runs_what_an_owner_has_made() {
    let Some(database) = TestDatabase::bare() else { return };
    let target = database.user("few");
    let user = &target.user;
    let problem = refused(&target);
    assert_eq!(inspect::can_make(&target).unwrap_err().to_string(), problem);
    assert_eq!(inspect::can_make(&database.target), Ok(()));
    assert!(problem.contains("may not make them"), "{problem}");
    assert!(
        problem.contains(&format!("GRANT CREATE ON DATABASE \"{}\" TO \"{user}\"", target.name))
    );
    database.script("CREATE SCHEMA lictor");
    assert!(refused(&target).contains("may not make them"));
    open_with(&current(), &database.target).unwrap();
    let grants = [
        format!("GRANT USAGE ON SCHEMA lictor TO {user}"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lictor TO {user}"),
        format!("GRANT USAGE ON ALL SEQUENCES IN SCHEMA lictor TO {user}"),
    ];
    for grant in grants {
        let problem = refused(&target).replace('"', "");
        assert!(problem.contains(&grant), "{problem}");
        database.script(&grant);
    }
    open_with(&current(), &target).unwrap();
    assert_eq!(inspect::inspect(&target), Ok(Inspection::Current));
    everything(
        &Store::open(&crate::store::Database::Postgres(Box::new(target.clone())), 1).unwrap(),
    );
    inspect::check(&target).unwrap();
    let problem = open_with(&next(), &target).unwrap_err().to_string();
    assert!(problem.contains("may not upgrade") && problem.contains("as the owner"), "{problem}");
    database.script(&format!("REVOKE DELETE ON lictor.turn, lictor.outbox FROM {user}"));
    assert!(refused(&target).contains("outbox, turn"), "{}", refused(&target));
    database.script(&format!("DROP OWNED BY {user}"));
}

/// Writes into most tables.
fn everything(store: &Store) {
    let now = Timestamp(100);
    let ada = add(store, "ada", Some("ada@x.example")).unwrap();
    log_in(store, ada, "a", 100);
    for event in [Event::LoginFailed, Event::Login] {
        store.fail(&Entry { event, user: Some(ada), ..NOTE }, 1, now).unwrap();
    }
    assert!(store.change(ada, &Change::Active(false), &BY, &NOTE, now).unwrap());
    while store.sweep(now, Timestamp(10_000_000)).unwrap() > 0 {}
    assert!(store.delete(ada, &BY, &NOTE, now).unwrap());
}

#[test]
fn guesses_at_one_unknown_name_changed_different_rows() {
    let Some(database) = TestDatabase::bare() else { return };
    let (store, now) = (database.open(), Timestamp(100));
    let failed = Entry { event: Event::LoginFailed, ..NOTE };
    for name in ["eve", "Eve", "bob"] {
        store.fail_unknown(name, &failed, now).unwrap();
    }
    // Those at a user whose limit is reached change one row too.
    let ada = add(&store, "ada", None).unwrap();
    for _ in 0..3 {
        store.fail(&Entry { user: Some(ada), ..failed.clone() }, 0, now).unwrap();
    }
    let counted = "SELECT failures::text FROM lictor.unknown_names WHERE failures > 0 ORDER BY 1";
    assert_eq!(database.texts(counted), ["1", "2", "3"]);
}

#[test]
fn a_user_who_owns_an_empty_schema_makes_the_tables_in_it() {
    let Some(database) = TestDatabase::bare() else { return };
    let target = database.user("owner");
    database.script(&format!("CREATE SCHEMA lictor AUTHORIZATION {}", target.user));
    open_with(&current(), &target).unwrap();
    everything(
        &Store::open(&crate::store::Database::Postgres(Box::new(target.clone())), 1).unwrap(),
    );
    database.script(&format!("DROP OWNED BY {}", target.user));
}

#[test]
fn tables_made_in_a_transaction_that_is_undone_are_gone() {
    let Some(database) = TestDatabase::bare() else { return };
    let (mut connection, target) = (database.connect(), &database.target);
    connection.script("BEGIN", soon()).unwrap();
    create(&mut connection, target, soon()).unwrap();
    create(&mut connection, target, soon()).unwrap();
    connection.script("ROLLBACK", soon()).unwrap();
    assert_eq!(inspect::inspect(target), Ok(Inspection::Absent));
}

#[test]
fn a_database_that_cannot_hold_every_name_was_used() {
    let Some(database) = TestDatabase::bare() else { return };
    let name = format!("{}_ascii", database.target.name);
    database.script(&format!(
        "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C'"
    ));
    let target = Target { name, ..database.target.clone() };
    let problem = refused(&target);
    assert!(problem.contains("encoding SQL_ASCII"), "{problem}");
}
