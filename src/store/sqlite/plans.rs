//! How SQLite runs statements that must not become slow as tables grow.

use rusqlite::Connection;

use crate::store::rows::{audit, outbox, search, users};

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

#[test]
fn lists_and_searches_read_a_limited_number_of_rows_by_an_index() {
    for (sql, steps) in [
        (
            search::CONTAINING.sqlite,
            &["CO-ROUTINE users", "SEARCH users USING INTEGER PRIMARY KEY (rowid>?)", "SCAN users"]
                [..],
        ),
        (search::LAST_READ, &["SEARCH users USING INTEGER PRIMARY KEY (rowid>?)"]),
        (
            search::NAME_BEGINS,
            &["SEARCH users USING INDEX sqlite_autoindex_users_1 (name_key>? AND name_key<?)"],
        ),
        (
            search::EMAIL_BEGINS,
            &["SEARCH users USING INDEX sqlite_autoindex_users_2 (email_key>? AND email_key<?)"],
        ),
        (users::ANY_ADMIN, &["SCAN users USING INDEX users_admins"]),
        (
            audit::ALL,
            &[
                "CO-ROUTINE newest",
                "SEARCH audit USING INTEGER PRIMARY KEY (rowid<?)",
                "SCAN newest",
            ],
        ),
        (
            audit::OF_USER,
            &[
                "CO-ROUTINE newest",
                "SEARCH audit USING INDEX audit_by_user (user=? AND rowid<?)",
                "SCAN newest",
            ],
        ),
        (audit::LAST_OF_ALL, &["SEARCH audit USING INTEGER PRIMARY KEY (rowid<?)"]),
        (
            audit::LAST_OF_USER,
            &["SEARCH audit USING COVERING INDEX audit_by_user (user=? AND rowid<?)"],
        ),
        (
            audit::OLDER_SINCE,
            &[
                "CO-ROUTINE oldest",
                "SEARCH audit USING COVERING INDEX audit_by_time (at>?)",
                "SCAN oldest",
            ],
        ),
    ] {
        let plan = plan(sql);
        let plan: Vec<&str> = plan
            .iter()
            .map(String::as_str)
            .filter(|step| !step.contains("SCALAR SUBQUERY") && !step.contains("second_factors"))
            .collect();
        assert_eq!(plan, steps, "{sql}");
    }
}
