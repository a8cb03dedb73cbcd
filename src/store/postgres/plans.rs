//! How PostgreSQL runs the statements of the store as tables grow: by index, and by no join that
//! reads a whole table.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use super::connect::{self, Role};
use super::databases::{TestDatabase, soon, texts};
use crate::store::Store;
use crate::store::contract::twice;
use crate::store::driver::{
    Abort, Concurrency, Driver, Fault, Queries, Reading, Row, Value, Writing,
};

/// A driver that keeps the text of every statement.
#[derive(Debug)]
struct Recording {
    driver: Box<dyn Driver>,
    statements: Arc<Mutex<BTreeSet<&'static str>>>,
}

struct Recorded<'a> {
    queries: &'a mut dyn Queries,
    statements: &'a Mutex<BTreeSet<&'static str>>,
}

impl Recorded<'_> {
    fn keep(&self, sql: &'static str) {
        self.statements.lock().unwrap().insert(sql);
    }
}

impl Queries for Recorded<'_> {
    fn dialect(&self) -> crate::store::driver::Dialect {
        self.queries.dialect()
    }

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault> {
        self.keep(sql);
        self.queries.execute(sql, values)
    }

    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.keep(sql);
        self.queries.query(sql, values, row)
    }

    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.keep(sql);
        self.queries.query_first(sql, values, row)
    }

    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault> {
        self.keep(sql);
        self.queries.execute_each(sql, sets)
    }
}

impl Driver for Recording {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        let statements = &self.statements;
        self.driver.read(&mut |queries| work(&mut Recorded { queries, statements }))
    }

    fn read_beside(&self, work: &mut Reading<'_>) -> bool {
        let statements = &self.statements;
        self.driver.read_beside(&mut |queries| work(&mut Recorded { queries, statements }))
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        let statements = &self.statements;
        self.driver.write(&mut |queries| work(&mut Recorded { queries, statements }))
    }

    fn concurrency(&self) -> Concurrency {
        self.driver.concurrency()
    }

    fn leads(&self) -> bool {
        self.driver.leads()
    }

    fn upkeep(&self, busy: bool) {
        self.driver.upkeep(busy);
    }

    fn settle(&self) -> Result<(), Fault> {
        self.driver.settle()
    }
}

/// Rows enough for a bad plan to cost more than a good one.
const FILL: &str = "SET search_path = lictor;
    INSERT INTO users (name, name_key, email, email_key, password, created, active, unconfirmed)
        SELECT i, i, i, i, repeat('h', 97), i, i % 2 = 0, CASE i % 2 WHEN 1 THEN i END
        FROM generate_series(1, 20000) AS i;
    INSERT INTO former_names (name, \"user\") SELECT 'f' || id, id FROM users;
    INSERT INTO sessions (jti, \"user\", created, newest, expires, address, agent)
        SELECT 'j' || id, id, 1, 1, id, '', repeat('a', 50) FROM users;
    INSERT INTO tickets (jti, \"user\", purpose, expires)
        SELECT 'j' || id, id, 'reset', id FROM users;
    INSERT INTO outbox (message, kind, \"user\", email, created, due, jti)
        SELECT 'm', 'k', id, 'e', id, CASE id % 2 WHEN 0 THEN id END,
            CASE id % 3 WHEN 0 THEN 'j' END FROM users;
    INSERT INTO invitations (id, hash, created, expires, creator)
        SELECT id, id::text::bytea, id, id, id FROM users;
    INSERT INTO app_passwords (id, hash, \"user\", name, created, expires)
        SELECT 'p' || id, id::text::bytea, id, 'n', 1, CASE id % 2 WHEN 0 THEN id END FROM users;
    INSERT INTO second_factors (\"user\", secret, created) SELECT id, '', 1 FROM users
        ON CONFLICT DO NOTHING;
    INSERT INTO recovery_codes SELECT id, '' FROM users;
    INSERT INTO audit (at, event, \"user\", failed, number)
        SELECT id, 'e', id, id % 2 = 0, id FROM users;
    ANALYZE";

/// Statements that read a whole table, or an index without a condition, and may: the first row of
/// an index is enough for them, the index has no other rows, an operator asks for everything, or a
/// sequence has one row.
const READ_ALL: [&str; 6] = [
    "SELECT id FROM outbox WHERE due IS NULL",
    "SELECT 1 FROM users WHERE active AND replace",
    "SELECT 1 FROM users ORDER BY id DESC LIMIT 1",
    "UPDATE outbox SET due = $1",
    "SELECT count(*) FROM (SELECT id FROM users",
    "FROM users_id_seq",
];

#[test]
fn every_statement_finds_its_rows_by_index() {
    let Some(database) = TestDatabase::bare() else { return };
    let statements = Arc::<Mutex<BTreeSet<_>>>::default();
    let driver = database.open().driver;
    let recording = Recording { driver, statements: Arc::clone(&statements) };
    let store = Store::over(Box::new(recording));
    twice::act(&store);
    store.standings(&["a", "b"], &|_| true).unwrap();
    store.standings(&["a"], &|_| true).unwrap();
    drop(store);
    database.script(FILL);
    let mut connection = connect::first(&database.target, Role::Write).unwrap().connection;
    let mut statements = statements.lock().unwrap();
    // Those of `act` itself.
    statements.retain(|sql| !sql.starts_with("SELECT '") && !sql.contains("name = 'bob'"));
    assert!(statements.len() > 60, "{}", statements.len());
    for (number, sql) in statements.iter().enumerate() {
        connection.script(&format!("PREPARE p{number} AS {sql}"), soon()).unwrap();
        let count = (1..).take_while(|number| sql.contains(&format!("${number}"))).count();
        let nulls = vec!["NULL"; count].join(", ");
        let nulls = if count == 0 { nulls } else { format!("({nulls})") };
        let explain = format!("EXPLAIN (COSTS OFF) EXECUTE p{number}{nulls}");
        let plan = texts(&mut connection, explain.leak());
        if READ_ALL.iter().any(|part| sql.contains(part)) {
            continue;
        }
        let found = faults(&plan);
        assert!(found.is_empty(), "{found}of {sql}:\n{}", plan.join("\n"));
    }
}

/// The steps of a plan that read more than they must.
fn faults(plan: &[String]) -> String {
    let mut found = String::new();
    for (number, step) in plan.iter().enumerate() {
        let next = plan.get(number + 1).map_or("", |next| next.trim());
        let scan = step.contains("Index Scan") || step.contains("Index Only Scan");
        if ["Seq Scan", "Hash Join", "Hash Semi", "Merge", "Materialize"]
            .iter()
            .any(|bad| step.contains(bad))
            || scan && !next.starts_with("Index Cond")
        {
            writeln!(found, "{}", step.trim()).unwrap();
        }
    }
    found
}
