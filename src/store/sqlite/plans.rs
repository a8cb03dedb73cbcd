//! How SQLite runs statements that must not become slow as tables grow.

use rusqlite::Connection;

use crate::store::rows::{app_passwords, audit, outbox, search, sessions, users, waiting};

/// The steps of SQLite's plan for a statement.
fn plan(sql: &str) -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(super::schema::schema()).unwrap();
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
fn open_sessions_and_mails_that_were_given_up_are_counted_in_an_index() {
    for (sql, step) in [
        (sessions::COUNT_OPEN, "SCAN sessions USING COVERING INDEX sessions_of_user"),
        (outbox::COUNT_GIVEN_UP, "SEARCH outbox USING COVERING INDEX outbox_by_due"),
    ] {
        let plan = plan(sql);
        assert!(plan[0].starts_with(step), "{plan:?}");
    }
}

#[test]
fn a_name_that_is_kept_is_found_by_its_index() {
    let plan = plan(waiting::FREE_NAME);
    assert!(plan[0].starts_with("SEARCH users USING INDEX sqlite_autoindex_users_"), "{plan:?}");
}

#[test]
fn a_login_finds_its_account_by_two_indices() {
    let plan = plan(users::CREDENTIALS_BY_LOGIN);
    for index in ["1 (name_key=?)", "2 (email_key=?)"] {
        let step = format!("SEARCH users USING INDEX sqlite_autoindex_users_{index}");
        assert!(plan.contains(&step), "{plan:?}");
    }
    assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{plan:?}");
}

#[test]
fn an_app_password_is_found_by_its_hash() {
    let plan = plan(app_passwords::STANDING);
    assert!(
        plan[0].starts_with("SEARCH a USING INDEX sqlite_autoindex_app_passwords_"),
        "{plan:?}"
    );
    assert!(plan[1].starts_with("SEARCH u USING INTEGER PRIMARY KEY"), "{plan:?}");
    assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{plan:?}");
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
        (search::BY_ID[0], &["SEARCH users USING INTEGER PRIMARY KEY (rowid>?)"][..]),
        (search::BY_ID[1], &["SEARCH users USING INTEGER PRIMARY KEY (rowid<?)"]),
        (search::BY_NAME[0], &["SEARCH users USING INDEX sqlite_autoindex_users_1 (name_key>?)"]),
        (search::BY_NAME[1], &["SEARCH users USING INDEX sqlite_autoindex_users_1 (name_key<?)"]),
        (
            search::BY_LAST_LOGIN[0],
            &["SEARCH users USING INDEX users_by_last_login (last_login>?)"],
        ),
        (
            search::BY_LAST_LOGIN[1],
            &["SEARCH users USING INDEX users_by_last_login (last_login<?)"],
        ),
        (
            search::WITH_LAST_LOGIN[0],
            &["SEARCH users USING INDEX users_by_last_login (last_login=? AND id>?)"],
        ),
        (
            search::WITH_LAST_LOGIN[1],
            &["SEARCH users USING INDEX users_by_last_login (last_login=? AND id<?)"],
        ),
        (
            search::NAME_BEGINS,
            &["SEARCH users USING INDEX sqlite_autoindex_users_1 (name_key>? AND name_key<?)"],
        ),
        (
            search::EMAIL_BEGINS,
            &["SEARCH users USING INDEX sqlite_autoindex_users_2 (email_key>? AND email_key<?)"],
        ),
        (users::ANY_ADMIN, &["SCAN users USING INDEX users_admins"]),
        (audit::ALL, &["SEARCH audit USING INTEGER PRIMARY KEY (rowid<?)"]),
        (audit::OF_USER, &["SEARCH audit USING INDEX audit_by_user (user=? AND rowid<?)"]),
        (
            audit::NEWEST_UNTIL,
            &[
                "CO-ROUTINE newest",
                "SEARCH audit USING COVERING INDEX audit_by_time (at<?)",
                // SQLite's word for reading all of them for their greatest id.
                "SEARCH newest",
            ],
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
            .filter(|step| {
                // By key, once for a row.
                let beside = ["SCALAR SUBQUERY", "second_factors", "SEARCH tickets", "(rowid=?)"];
                beside.iter().all(|beside| !step.contains(beside))
            })
            .collect();
        assert_eq!(plan, steps, "{sql}");
    }
}
