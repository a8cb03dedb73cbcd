//! Adds accounts that come from another program, in one transaction. Compiled for the command line.

use super::Store;
use super::clashes::{Clash, clashes};
use super::driver::{Abort, Fault};
use super::entry::{Actor, Entry, Event};
use super::failures::MAX_FORMER_NAME;
use super::imported::{ImportPages, ImportedUser, MAX_ID};
use super::rows::counters;
use super::rows::import::{self, Arrival};
use super::transaction::Transaction;
use crate::clock::Timestamp;
use crate::error::{Error, Problem};

/// Clashes that are returned one by one; more are only counted.
const MAX_CLASHES: usize = 100;
/// How often an import is run again because somebody took a name or an address meanwhile.
const TRIES: u32 = 3;

/// What an import did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Whether the accounts were added. If not, rows clash, and nothing was written.
    pub written: bool,
    /// Accounts that were added.
    pub added: u64,
    /// Accounts that were here already.
    pub already: u64,
    /// Added accounts whose id had been given out before; foreign tokens of these are not adopted.
    pub reused_ids: u64,
    /// Rows that clash. If nothing was written, the rows after the page of the first one were not
    /// looked at.
    pub refused: u64,
    /// Those rows, the first hundred.
    pub clashes: Vec<(u64, Clash)>,
}

/// Why an import failed.
enum Failed {
    /// Nothing was written.
    Undone(Problem),
    /// The database did not answer: it may have been committed.
    Unknown(Problem),
}

/// Why a run is undone.
enum Stop {
    /// Rows clash.
    Clashes(Imported),
    /// The accounts cannot be read, or not be added like this.
    Problem(Problem),
}

impl Store {
    /// Adds all accounts in one transaction. An account that clashes is left out with `skip`; without,
    /// nothing is added and the clashes are returned. Afterwards the ids that are given out next are
    /// higher than those of all accounts and than `counter`, the highest id that the source has given
    /// out. `from` is for the audit entry. Calls `show` with the number of rows that are done; it
    /// begins again with 0 if the transaction is run again.
    ///
    /// A file takes no other writes meanwhile; a PostgreSQL server does, but for one of a name or an
    /// e-mail address that was added, which waits, and unless others are in its way many times. `counter` is at least the
    /// highest id of the accounts, and the counter of ids is raised to it first: a registration that
    /// got one of these ids would wait until the import ends. In PostgreSQL the counter stays raised
    /// if the import is undone, and the next one would count all its ids as given out before and
    /// adopt no token. So it is set back, except if somebody has registered meanwhile, or if the
    /// database did not answer: then the import may have been committed.
    pub fn import(
        &self,
        pages: &mut dyn ImportPages,
        counter: Option<i64>,
        skip: bool,
        from: &str,
        now: Timestamp,
        show: &mut dyn FnMut(u64),
    ) -> Result<Imported, Problem> {
        must_be_counter(counter.unwrap_or(0))?;
        let given = self.last_user()?;
        let new_run = || Run::new(given, counter, skip);
        let done = self.run_until_done(pages, &new_run, from, now, show);
        let is_undone = match &done {
            Ok(imported) => !imported.written,
            Err(Failed::Undone(_)) => true,
            Err(Failed::Unknown(_)) => false,
        };
        if let (true, Some(counter)) = (is_undone, counter) {
            let set_back =
                self.write_rows(|queries| counters::unraise_users(queries, counter, given));
            if let Err(error) = set_back {
                log::warn!("the counter of ids stays at {counter}: {error}");
            }
        }
        done.map_err(|(Failed::Undone(problem) | Failed::Unknown(problem))| problem)
    }

    /// Runs the transaction, again if somebody took a name or an address meanwhile.
    fn run_until_done(
        &self,
        pages: &mut dyn ImportPages,
        new_run: &dyn Fn() -> Run,
        from: &str,
        now: Timestamp,
        show: &mut dyn FnMut(u64),
    ) -> Result<Imported, Failed> {
        let mut tries = 0;
        loop {
            let mut stop = None;
            let done = self.write_long(now, |transaction| {
                stop = None;
                new_run().whole(transaction, pages, from, show).map_err(|end| match end {
                    End::Abort(abort) => abort,
                    End::Stop(why) => {
                        stop = Some(why);
                        Abort::Rule(Error::Internal("the import was stopped".into()))
                    }
                })
            });
            match (done, stop) {
                (Ok(imported), _) | (Err(_), Some(Stop::Clashes(imported))) => return Ok(imported),
                (Err(_), Some(Stop::Problem(problem))) => return Err(Failed::Undone(problem)),
                // Somebody took it after the look: the next look finds it.
                (Err(Error::UsernameTaken | Error::EmailTaken), None) if tries < TRIES => {
                    tries += 1
                }
                (Err(error @ Error::Unavailable(_)), None) => {
                    return Err(Failed::Unknown(failed(error)));
                }
                (Err(error), None) => return Err(Failed::Undone(failed(error))),
            }
        }
    }

    /// The highest id that was ever given to a user. Read before the first run: a run that failed
    /// may have raised the counter.
    pub fn last_user(&self) -> Result<i64, Problem> {
        let read = self.read(|queries| match counters::may_raise_users(queries)? {
            true => counters::last_user(queries).map(Some),
            false => Ok(None),
        });
        read.map_err(failed)?.ok_or_else(|| {
            Problem::new(
                "the user of the database may not raise the counter of ids",
                "import as the owner of the tables, or let this user: GRANT SELECT, UPDATE ON \
                 SEQUENCE lictor.users_id_seq TO \"user\"",
            )
        })
    }
}

/// One run of the transaction.
struct Run {
    /// The highest id that was given out before.
    given: i64,
    /// The highest id that must not be given out any more.
    highest: i64,
    skip: bool,
    /// Whether the accounts have ids; `None` before the first.
    have_ids: Option<bool>,
    imported: Imported,
}

/// Why a run does not go on.
enum End {
    Stop(Stop),
    Abort(Abort),
}

impl From<Fault> for End {
    fn from(fault: Fault) -> End {
        End::Abort(fault.into())
    }
}

impl From<Problem> for End {
    fn from(problem: Problem) -> End {
        End::Stop(Stop::Problem(problem))
    }
}

impl Run {
    fn new(given: i64, counter: Option<i64>, skip: bool) -> Run {
        let imported = Imported::default();
        Run { given, highest: counter.unwrap_or(0), skip, have_ids: None, imported }
    }

    /// Adds the accounts of all pages, and what belongs to the import as a whole.
    fn whole(
        mut self,
        transaction: &mut Transaction<'_>,
        pages: &mut dyn ImportPages,
        from: &str,
        show: &mut dyn FnMut(u64),
    ) -> Result<Imported, End> {
        counters::raise_users(transaction, self.highest)?;
        self.all(transaction, pages, show)?;
        self.end(transaction, from)?;
        Ok(self.imported)
    }

    fn all(
        &mut self,
        transaction: &mut Transaction<'_>,
        pages: &mut dyn ImportPages,
        show: &mut dyn FnMut(u64),
    ) -> Result<(), End> {
        let (mut row, mut done) = (0, 0);
        loop {
            show(done);
            let page = pages.page(row)?;
            let Some(last) = page.last() else { return Ok(()) };
            if last.row <= row {
                return Err(Problem::new(
                    "the rows of the source are not in order",
                    "report a bug",
                )
                .into());
            }
            (row, done) = (last.row, done + page.len() as u64);
            self.page(transaction, &page)?;
        }
    }

    fn page(
        &mut self,
        transaction: &mut Transaction<'_>,
        page: &[ImportedUser],
    ) -> Result<(), End> {
        let clashes = clashes(transaction, page)?;
        let mut new = Vec::with_capacity(page.len());
        for (user, clash) in page.iter().zip(clashes) {
            match clash {
                None => new.push(user),
                Some(Clash::AlreadyHere) => self.imported.already += 1,
                Some(clash) => self.refuse(user.row, clash),
            }
        }
        if self.imported.refused > 0 && !self.skip {
            return Err(End::Stop(Stop::Clashes(Imported {
                added: 0,
                reused_ids: 0,
                ..std::mem::take(&mut self.imported)
            })));
        }
        let arrivals = self.arrivals(transaction, &new)?;
        import::insert(transaction, &arrivals)?;
        import::insert_factors(transaction, &arrivals)?;
        import::insert_former_names(transaction, &arrivals, MAX_FORMER_NAME)?;
        self.imported.added += arrivals.len() as u64;
        Ok(())
    }

    fn refuse(&mut self, row: u64, clash: Clash) {
        self.imported.refused += 1;
        if self.imported.clashes.len() < MAX_CLASHES {
            self.imported.clashes.push((row, clash));
        }
    }

    /// Decides about the ids of new accounts, and about the tokens that these ids may have.
    fn arrivals<'a>(
        &mut self,
        transaction: &mut Transaction<'_>,
        new: &[&'a ImportedUser],
    ) -> Result<Vec<Arrival<'a>>, End> {
        let without = new.iter().filter(|user| user.id.is_none()).count();
        let have_ids = *self.have_ids.get_or_insert(without == 0);
        if without != if have_ids { 0 } else { new.len() } {
            let what = "some rows have an id and others have none";
            return Err(Problem::new(what, "give all of them an id, or none of them").into());
        }
        let mut ids = counters::next_users(transaction, without)?.into_iter();
        let mut arrivals = Vec::with_capacity(new.len());
        for user in new {
            let Some(id) = user.id.or_else(|| ids.next()) else {
                return Err(Fault::Damaged("the database gave out no id".into()).into());
            };
            must_be_id(id, "an account has")?;
            self.highest = self.highest.max(id);
            // A token of the other program with this id names somebody else; one of lictor's own
            // may be revoked.
            let is_reused = have_ids && id <= self.given;
            self.imported.reused_ids += u64::from(is_reused);
            let is_strange = !have_ids || is_reused || user.own;
            let tokens_after = if is_strange { transaction.now } else { Timestamp(0) };
            arrivals.push(Arrival { user, id, tokens_after });
        }
        Ok(arrivals)
    }

    /// Writes what belongs to the import as a whole.
    fn end(&mut self, transaction: &mut Transaction<'_>, from: &str) -> Result<(), End> {
        self.imported.written = true;
        if self.imported.added > 0 {
            let detail = format!("{} from {from}", self.imported.added);
            let (event, actor) = (Event::UsersImported, Actor::Operator);
            transaction.record(&Entry { event, user: None, name: None, actor, detail: &detail })?;
        }
        Ok(counters::raise_users(transaction, self.highest)?)
    }
}

/// Refuses the highest id that a source has given out, if no id may be higher here.
pub fn must_be_counter(counter: i64) -> Result<(), Problem> {
    must_be_id(counter.max(1), "the source has given out")
}

fn must_be_id(id: i64, whose: &str) -> Result<(), Problem> {
    match (1..=MAX_ID).contains(&id) {
        true => Ok(()),
        false => Err(Problem::new(
            format!("{whose} the id {id}, which is not between 1 and {MAX_ID}"),
            "let the accounts have new ids: --map id=",
        )),
    }
}

fn failed(error: Error) -> Problem {
    let next = match error {
        Error::Unavailable(_) => {
            "try again: accounts that are here already by then are left out of the import"
        }
        _ => "nothing was imported; `lictor database check` says whether the database is sound",
    };
    Problem::new(format!("cannot import: {error}"), next).with_source(error)
}
