//! The audit: its two shares, and which entries a search finds.

use super::{NOTE, each, events, execute};
use crate::clock::Timestamp;
use crate::store::audit::{MAX_FAILED, MAX_OTHERS};
use crate::store::driver::Dialect;
use crate::store::rows::audit::READ_AT_ONCE;
use crate::store::{AuditQuery, Entry, Event, Store};
use crate::values::Username;

const NOW: Timestamp = Timestamp(1_000);

fn record(store: &Store, event: Event) {
    store.record(&Entry { event, ..NOTE }, NOW).unwrap();
}

/// Raises the newest number of a share, as `count` entries would that were deleted since.
fn pass(store: &Store, failed: bool, count: i64) {
    let sql = "UPDATE audit SET number = number + $2 WHERE id =
               (SELECT max(id) FROM audit WHERE failed = $1)";
    assert_eq!(execute(store, sql, &[failed.into(), count.into()]).unwrap(), 1);
    let counted = store.write_rows(|queries| match queries.dialect() {
        Dialect::Sqlite => Ok(()),
        // There a sequence counts.
        Dialect::Postgres => queries.query_first(
            "SELECT setval(CASE WHEN $1 THEN 'audit_failed_number'::regclass
                           ELSE 'audit_other_number'::regclass END,
                           (SELECT max(number) FROM audit WHERE failed = $1))",
            &[failed.into()],
            &mut |_| Ok(()),
        ),
    });
    counted.unwrap();
}

#[test]
fn failed_logins_pushed_out_what_matters() {
    each("audit-shares", |store| {
        record(store, Event::RolesChanged);
        for event in [Event::LoginFailed, Event::LoginRefused, Event::SecondFactorAsked] {
            record(store, event);
        }
        record(store, Event::LoginFailed);
        pass(store, true, MAX_FAILED - 2);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 2);
        assert_eq!(events(store), ["roles-changed", "second-factor-asked", "login-failed"]);
        // The numbers go on where they are.
        record(store, Event::LoginFailed);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 1);
        assert_eq!(events(store), ["roles-changed", "login-failed", "login-failed"]);
        pass(store, true, 2 * MAX_FAILED);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 1);
        // All others have an end as well.
        record(store, Event::Logout);
        pass(store, false, MAX_OTHERS);
        assert_eq!(store.sweep(Timestamp(0), NOW).unwrap(), 1);
        assert_eq!(events(store), ["login-failed", "logout"]);
    });
}

#[test]
fn a_search_narrows_by_user_name_time_and_page() {
    each("audit-search", |store| {
        for (at, user, name) in [
            (1, Some(1), Some("ada")),
            (2, Some(2), Some("bob")),
            (3, None, None),
            (4, Some(1), Some("countess")),
            (5, Some(2), Some("ada")),
        ] {
            store.record(&Entry { user, name, ..NOTE }, Timestamp(at)).unwrap();
        }
        // Another spelling than the entries have.
        let ada = &Username::parse("ADA").unwrap();
        let all = AuditQuery { limit: 10, ..AuditQuery::default() };
        let times = |query: &AuditQuery<'_>| -> Vec<i64> {
            store.recorded(query).unwrap().rows.into_iter().map(|entry| entry.at.0).collect()
        };
        let before = store.recorded(&all).unwrap().rows[1].id;
        for (query, expected) in [
            (all, &[5, 4, 3, 2, 1][..]),
            (AuditQuery { limit: 2, ..all }, &[5, 4]),
            (AuditQuery { user: Some(1), ..all }, &[4, 1]),
            (AuditQuery { name: Some(ada), ..all }, &[5, 1]),
            (AuditQuery { user: Some(2), name: Some(ada), ..all }, &[5, 2]),
            (AuditQuery { since: Some(3), ..all }, &[5, 4, 3]),
            (AuditQuery { before: Some(before), ..all }, &[3, 2, 1]),
            (AuditQuery { user: Some(1), since: Some(2), before: Some(before), ..all }, &[]),
        ] {
            assert_eq!(times(&query), expected, "{query:?}");
        }
    });
}

#[test]
fn a_search_among_many_entries_reads_some_at_once_and_finds_all() {
    each("audit-many", |store| {
        let count = READ_AT_ONCE + 50;
        let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
            INSERT INTO audit (at, event, \"user\", name, number)
            SELECT i, 'login', 1, CASE i WHEN 7 THEN 'ada' ELSE 'bob' END, i FROM n";
        execute(store, sql, &[count.into()]).unwrap();
        let any = AuditQuery { limit: 10, ..AuditQuery::default() };
        let page = |query: AuditQuery<'_>| {
            let page = store.recorded(&query).unwrap();
            (page.rows.iter().map(|entry| entry.at.0).collect::<Vec<_>>(), page.next.is_some())
        };
        for query in [any, AuditQuery { user: Some(1), ..any }] {
            let since = |at| AuditQuery { since: Some(at), ..query };
            assert_eq!(page(since(count - 1)), (vec![count, count - 1], false), "no older ones");
            assert_eq!(page(since(count + 1)), (vec![], false));
            assert!(page(query).1);
        }
        // The clock was set back after the first entry, so that this one is younger than all others.
        let oldest = "UPDATE audit SET at = $1 WHERE id = (SELECT min(id) FROM audit)";
        execute(store, oldest, &[(count + 9).into()]).unwrap();
        for query in [any, AuditQuery { user: Some(1), ..any }] {
            let query = AuditQuery { since: Some(count + 1), ..query };
            let first = store.recorded(&query).unwrap();
            assert!(first.rows.is_empty() && first.next.is_some());
            let last = AuditQuery { before: first.next, ..query };
            assert_eq!(page(last), (vec![count + 9], false));
        }
        let name = Username::parse("ada").unwrap();
        let named = AuditQuery { name: Some(&name), ..any };
        let first = store.recorded(&named).unwrap();
        assert!(first.rows.is_empty());
        assert_eq!(page(AuditQuery { before: first.next, ..named }), (vec![7], false));
    });
}
