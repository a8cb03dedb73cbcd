//! Brings a copy back into the place of a database.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::backup::{Rows, copy, count, not_written, open_draft};
use super::draft::Draft;
use super::identity::id;
use super::inspect::look;
use super::problems::{cannot_give, cannot_open, no_backup, same_file};
use super::schema::VERSION;
use super::statements::Statements;
use super::swap::{Alone, finish_interrupted, mark, restored};
use super::upgrade::upgrade;
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::store::Inspection;
use crate::store::entry::{Actor, Entry, Event};
use crate::store::rows::audit;
use crate::store::rows::operator::{end_everything, skip_ids};

/// A restore that has begun: nobody else can open the database.
#[derive(Debug)]
pub struct Restore {
    from: PathBuf,
    alone: Alone,
    path: PathBuf,
    found: Inspection,
}

/// A copy that is ready to take the place of the database.
#[derive(Debug)]
pub struct Ready {
    alone: Alone,
    draft: Draft,
    path: PathBuf,
    /// The rows that the database will have.
    pub rows: Rows,
}

impl Restore {
    /// Looks at the copy, and locks the database. Refused while another process has it open.
    pub(in crate::store) fn begin(from: &Path, path: &Path) -> Result<Restore, Problem> {
        finish_interrupted(path)?;
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.into());
        if fs::symlink_metadata(from).is_err_and(|error| error.kind() == ErrorKind::NotFound) {
            return Err(no_backup(from));
        }
        let (found, _) = look(from)?;
        if found == Inspection::Absent {
            return Err(no_backup(from));
        }
        // Also by another name: closing a file drops all of this process's locks on it.
        if id(from) == id(&path) {
            return Err(same_file(from));
        }
        let alone = Alone::lock(&path)?;
        Ok(Restore { from: from.to_owned(), alone, path, found })
    }

    /// Whom the database belongs to: the owner of the file, or of its directory.
    pub fn owner(&self) -> Result<(u32, u32), Problem> {
        self.alone.owner()
    }

    /// Copies and checks the copy, beside the database, and brings it to this version. Ends its
    /// sessions and one-time tokens, unless `keep_sessions`. Leaves out the ids of users that may
    /// have been given out since the copy was made. Its audit says that it was restored; `detail`
    /// says from which copy.
    pub fn prepare(
        self,
        keep_sessions: bool,
        detail: &str,
        now: Timestamp,
        show: &mut dyn FnMut(u64),
    ) -> Result<Ready, Problem> {
        let (draft, _) = copy(&self.from, &restored(&self.path), show)?;
        draft.give_to(self.owner()?).map_err(|error| cannot_give(&self.path, error))?;
        let failed = |error: rusqlite::Error| not_written(&self.path, error);
        let mut connection = open_draft(draft.path(), &self.path)?;
        if self.found != Inspection::Current {
            log::info!("the copy is brought to version {VERSION}");
            upgrade(&mut connection).map_err(failed)?;
        }
        let transaction = connection.unchecked_transaction().map_err(failed)?;
        let queries = &mut Statements(&transaction);
        let ended = if keep_sessions { Ok(()) } else { end_everything(queries, now) };
        let changed = ended.and_then(|()| skip_ids(queries));
        let (event, actor) = (Event::DatabaseRestored, Actor::Operator);
        let entry = Entry { event, user: None, name: None, actor, detail };
        changed
            .and_then(|()| audit::insert(queries, &entry, now))
            .map_err(|fault| failed_to_change(&self.from, &Error::from(fault)))?;
        transaction.commit().map_err(failed)?;
        let rows = count(&connection).map_err(|error| cannot_open(&self.from, error))?;
        drop(connection);
        Ok(Ready { alone: self.alone, draft, path: self.path, rows })
    }
}

impl Ready {
    /// Puts the copy in the place of the database; returns the new name of what was there.
    pub fn put(self) -> Result<Option<PathBuf>, Problem> {
        mark(self.draft.path(), &self.path);
        self.draft.put(&restored(&self.path))?;
        self.alone.finish()
    }
}

fn failed_to_change(from: &Path, error: &Error) -> Problem {
    Problem::new(
        format!(
            "cannot end the sessions in the copy of {}, or write its audit: {error}",
            from.display()
        ),
        "nothing was changed; try another backup",
    )
}
