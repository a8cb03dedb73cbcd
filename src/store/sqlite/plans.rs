//! How SQLite runs statements that must not become slow as tables grow.

use rusqlite::Connection;

use crate::store::rows::{audit, outbox};

/// The steps of SQLite's plan for a statement.
fn plan(sql: &str) -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(super::schema::SCHEMA).unwrap();
    let mut query = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let values = (1..=query.parameter_count()).map(|_| 1);
    let steps = query.query_map(rusqlite::params_from_iter(values), |row| row.get(3)).unwrap();
    steps.collect::<Result<_, _>>().unwrap()
}

#[test]
fn mails_that_wait_are_counted_in_an_index() {
    for (sql, index) in [
        (outbox::COUNT_WAITING_LINKS, "outbox_links"),
        (outbox::COUNT_WAITING_NOTICES, "outbox_notices"),
    ] {
        let plan = plan(sql);
        assert!(plan[0].contains(&format!("SEARCH outbox USING INDEX {index}")), "{plan:?}");
    }
}

#[test]
fn a_sweep_reads_no_more_of_the_audit_than_it_deletes() {
    for sql in [audit::DELETE_OLD, audit::DELETE_BEYOND] {
        let steps = plan(sql.sqlite);
        assert!(steps.iter().all(|step| !step.contains("SCAN audit")), "{steps:?}");
    }
}
