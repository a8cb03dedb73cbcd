//! A spare connection that makes reading cheaper for the others.
//!
//! In WAL mode a read transaction marks in shared memory how far it reads, by a lock on the file:
//! two system calls, made under a mutex that all readers of the process share. While another
//! connection of the same process has the same mark, SQLite only counts. So one connection keeps
//! a read transaction open while there is much to read. It must not keep it for long: what is
//! marked cannot be taken out of the write-ahead log. Readers are not bound to this mark: nothing
//! that they read is ever old because of it.

use rusqlite::{Connection, OptionalExtension as _};

use super::mapping::View;

#[derive(Debug)]
pub(super) struct Anchor(Connection);

impl Anchor {
    pub(super) fn new(reader: Connection) -> Anchor {
        // It waits for nobody: the thread that renews it has other things to do.
        let _ = reader.busy_timeout(std::time::Duration::ZERO);
        Anchor(reader)
    }

    /// Begins to read what was written last.
    pub(super) fn hold(&self) {
        let begun = || -> rusqlite::Result<()> {
            self.0.prepare_cached("BEGIN")?.execute([])?;
            // The mark is set when something is read.
            let mut any = self.0.prepare_cached("SELECT id FROM users LIMIT 1")?;
            any.query_row([], |_| Ok(())).optional()?;
            Ok(())
        };
        // Without it everything works, at a higher cost.
        if let Err(error) = begun() {
            log::debug!("no read transaction is kept open: {error}");
        }
    }

    /// What it sees of the file.
    pub(super) fn view(&self) -> rusqlite::Result<View> {
        let number = |pragma| self.0.prepare_cached(pragma)?.query_row([], |row| row.get(0));
        Ok(View { version: number("PRAGMA data_version")?, pages: number("PRAGMA page_count")? })
    }

    /// Ends it; false if there was none.
    pub(super) fn release(&self) -> bool {
        let end = || self.0.prepare_cached("COMMIT")?.execute([]);
        !self.0.is_autocommit() && end().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::tests::{Place, hurry, open};
    use crate::clock::Timestamp;
    use crate::store::Change;
    use crate::store::contract::{BY, NOTE, add};
    use crate::values::Roles;

    #[test]
    fn what_others_write_is_seen_at_once() {
        let place = Place::new("anchor-fresh");
        let (driver, ours) = open(&place, 1);
        let (_, theirs) = open(&place, 1);
        let id = add(&ours, "ada", None).unwrap();
        ours.upkeep(true);
        for active in [false, true, false] {
            theirs.change(id, &Change::Active(active), &BY, &NOTE, Timestamp(1)).unwrap();
            assert_eq!(ours.person(id).unwrap().unwrap().active, active);
        }
        assert!(driver.writer.lock().unwrap().anchor.release(), "it was not held");
    }

    #[test]
    fn the_log_does_not_grow() {
        let place = Place::new("anchor-log");
        let (driver, store) = open(&place, 1);
        let id = add(&store, "ada", None).unwrap();
        let log = || fs::metadata(place.0.join("lictor.db-wal")).unwrap().len();
        hurry(&driver);
        let roles = ["a", "b"].map(|role| Roles::parse(role).unwrap());
        for round in 0..4_000 {
            store.upkeep(true);
            store.change(id, &Change::Roles(&roles[round % 2]), &BY, &NOTE, Timestamp(1)).unwrap();
        }
        // SQLite empties it at every 1,000 pages of 4 KiB, if no reader is in the way.
        assert!(log() < 5_000_000, "{} bytes", log());
        store.upkeep(false);
        assert!(!driver.writer.lock().unwrap().anchor.release(), "it is still held");
    }
}
