//! Imports beside others: that take long, that meet registrations, and without the right to raise
//! the counter of ids.

use std::thread;

use super::*;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::store::clashes::Clash;
use crate::store::contract::import::{Pages, user};
use crate::store::contract::{add, number};
use crate::store::imported::{ImportPages, ImportedUser};
use crate::store::postgres::databases::TestDatabase;
use crate::store::{Database, Store};

const NOW: Timestamp = Timestamp(100);

/// Pages before each of which something else happens.
struct Meddling<'a> {
    pages: Pages,
    /// Gets the row after which the page comes.
    before: &'a mut dyn FnMut(u64),
}

impl ImportPages for Meddling<'_> {
    fn page(&mut self, after_row: u64) -> Result<Vec<ImportedUser>, Problem> {
        (self.before)(after_row);
        self.pages.page(after_row)
    }
}

/// Three accounts with ids from 101 on, and three with ids from 1 on.
fn rows() -> Vec<ImportedUser> {
    let ids = [101, 102, 103, 1, 2, 3];
    (1..).zip(ids).map(|(row, id)| user(row, Some(id), &format!("old{row}"), "")).collect()
}

#[test]
fn an_import_was_cut_off_like_a_request() {
    let Some(database) = TestDatabase::empty() else { return };
    let target = Box::new(database.target.clone());
    let store = Store::open(&Database::Postgres(target), 1).unwrap();
    let mut slow = |_| thread::sleep(Duration::from_millis(2_200));
    let mut pages = Meddling { pages: Pages(rows()), before: &mut slow };
    let done = store.import(&mut pages, None, false, "x", NOW, &mut |_| {}).unwrap();
    assert_eq!(done.added, 6);
}

#[test]
fn somebody_registers_between_two_pages() {
    for (name, clash) in [
        ("OLD5", (5, Clash::NameTaken { id: 1, name: "OLD5".into() })),
        ("stranger", (4, Clash::IdInUse { name: "stranger".into() })),
    ] {
        for skip in [false, true] {
            let Some(database) = TestDatabase::empty() else { return };
            let store = database.open();
            let mut met = 0;
            let mut register = |row| {
                if row == 3 {
                    met += 1;
                }
                // The transaction has its snapshot, which does not have this account.
                if row == 3 && met == 1 {
                    assert_eq!(add(&store, name, None).unwrap(), 1);
                }
            };
            let mut pages = Meddling { pages: Pages(rows()), before: &mut register };
            let done = store.import(&mut pages, None, skip, "x", NOW, &mut |_| {}).unwrap();
            assert_eq!(met, 2, "{name}");
            assert!(done.clashes.contains(&clash), "{name}: {done:?}");
            assert_eq!(done.written, skip);
            // That the first run was undone has made no id one that was given out before.
            assert_eq!(done.reused_ids, 0);
            let users = number(&store, "SELECT count(*) FROM users");
            assert_eq!(users, 1 + done.added as i64);
            let next = add(&store, "next", None).unwrap();
            assert_eq!(next > 103, skip, "{next}");
        }
    }
}

#[test]
fn the_counter_of_ids_needs_a_right() {
    let Some(database) = TestDatabase::bare() else { return };
    drop(database.open());
    let target = database.user("few");
    let name = &target.user;
    database.script(&format!(
        "GRANT USAGE ON SCHEMA lictor TO {name};
         GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA lictor TO {name};
         GRANT USAGE ON ALL SEQUENCES IN SCHEMA lictor TO {name}"
    ));
    let store = Store::open(&Database::Postgres(Box::new(target.clone())), 1).unwrap();
    let import = || store.import(&mut Pages(rows()), None, false, "x", NOW, &mut |_| {});
    let refused = import().unwrap_err();
    let grant = "GRANT SELECT, UPDATE ON SEQUENCE lictor.users_id_seq TO";
    assert!(refused.next.contains(grant), "{refused}");
    assert_eq!(number(&store, "SELECT count(*) FROM users"), 0);
    database.script(&format!("{grant} {name}"));
    assert_eq!(import().unwrap().added, 6);
    database.script(&format!("DROP OWNED BY {name}"));
}
