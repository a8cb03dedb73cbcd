//! An import from its source to the staging database: each row becomes an account that can come, or a
//! line of the report. Whether the accounts are then written is decided by the caller.

use super::export::end_line;
use super::lictor;
use super::mapping::Mapping;
use super::person::{self, Ids, Kind, Person, Refusal};
use super::plan::Plan;
use super::quoted::quoted;
use super::rename::Renames;
use super::report::{Counted, Place, Report};
use super::source::{Position, Source};
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::store::source::{Cell, Counter};
use crate::store::{
    Clash, Double, ImportPages as _, Imported, ImportedUser, MAX_ID, Same, Staging, Store,
    must_be_counter,
};
use crate::values::Username;

/// Rows that are compared with the accounts of the destination at once.
const PAGE: usize = 500;
/// The highest id is remarkable above this, and as much again for each row.
const FAR: u64 = 1_000_000;
const FAR_PER_ROW: u64 = 1_000;

/// Rows with a name that is taken, of which the other is named.
const NAMED: u64 = 10;

/// Rows that can come, and what follows for ids.
pub(crate) struct Staged {
    /// The rows.
    pub(crate) staging: Staging,
    /// The highest id that the destination must not give out.
    pub(crate) counter: Option<i64>,
    /// The source counts ids, but does not tell this user how far.
    pub(crate) counter_hidden: bool,
    /// The ids of the source are texts.
    pub(crate) text_ids: bool,
    /// Rows whose id the destination has given out before.
    pub(crate) reused_ids: u64,
}

/// Reads all rows, and sets those aside that can come. `store` is the destination, if there is one
/// already. Calls `show` with each position.
pub(crate) fn stage(
    source: &mut Source,
    plan: &Plan,
    renames: &mut Renames,
    store: Option<&Store>,
    report: &mut Report,
    now: Timestamp,
    show: &mut dyn FnMut(&Position<'_>),
) -> Result<Staged, Problem> {
    let mut reader = Reader::new(plan, renames, store, report, now)?;
    let mapping = plan.mapping.as_ref();
    let columns = mapping.map_or(&[][..], |mapping| &mapping.columns);
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let id_column = mapping.and_then(Mapping::id_column);
    let rows = source.rows(&columns, id_column, &mut |position, cells| {
        show(&position);
        reader.take(&position, cells)
    })?;
    reader.flush()?;
    reader.report.rows = rows;
    if plan.mapping.is_none() {
        reader.report.rows = reader.must_have_ended(&source.describe(), rows)?;
    }
    reader.report.save()?;
    reader.end(source, id_column)
}

/// Reads rows, page by page.
struct Reader<'a> {
    plan: &'a Plan,
    renames: &'a mut Renames,
    store: Option<&'a Store>,
    report: &'a mut Report,
    now: Timestamp,
    staging: Staging,
    ids: Ids,
    /// The highest id of a row, whether it can come or not.
    highest: i64,
    /// The highest id that the destination has given out.
    given: i64,
    reused_ids: u64,
    /// The number of lines that the last line of an export says.
    end: Option<u64>,
    /// The accounts of the page, in the order of their rows.
    users: Vec<ImportedUser>,
    /// The rows of the page; what is counted of an account, or why there is none.
    page: Vec<(Place, Result<Counted, Refusal>)>,
}

impl<'a> Reader<'a> {
    fn new(
        plan: &'a Plan,
        renames: &'a mut Renames,
        store: Option<&'a Store>,
        report: &'a mut Report,
        now: Timestamp,
    ) -> Result<Reader<'a>, Problem> {
        Ok(Reader {
            plan,
            renames,
            store,
            report,
            now,
            staging: Staging::new()?,
            ids: Ids::Unknown,
            highest: 0,
            given: store.map_or(Ok(0), Store::last_user)?,
            reused_ids: 0,
            end: None,
            users: Vec::new(),
            page: Vec::new(),
        })
    }

    /// What the rows say about ids, after all of them were read.
    fn end(self, source: &Source, id_column: Option<&str>) -> Result<Staged, Problem> {
        let Reader { plan, report, staging, ids, highest, reused_ids, .. } = self;
        let keeps_ids = ids == Ids::Kept || plan.mapping.is_none() && highest > 0;
        // Asked after the rows were read: an account that was made meanwhile counts.
        let counter = match id_column.filter(|_| keeps_ids) {
            Some(column) => source.last_id(column)?,
            None => Counter::Absent,
        };
        let last = if let Counter::At(last) = counter { last } else { 0 };
        // A dry run must refuse what the store would.
        must_be_counter(last)?;
        let near = report.rows.saturating_mul(FAR_PER_ROW).saturating_add(FAR);
        report.far_id =
            Some(highest).filter(|id| keeps_ids && u64::try_from(*id).is_ok_and(|id| id > near));
        Ok(Staged {
            staging,
            counter: keeps_ids.then_some(highest.max(last)),
            counter_hidden: counter == Counter::Hidden,
            text_ids: ids == Ids::Texts,
            reused_ids,
        })
    }

    fn take(
        &mut self,
        position: &Position<'_>,
        cells: Result<&[Cell<'_>], &str>,
    ) -> Result<(), Problem> {
        if self.plan.mapping.is_none() && self.is_end(position)? {
            return Ok(());
        }
        let (place, person) = self.read(position, cells);
        let outcome = person.map(|person| {
            let counted = Counted::of(&person);
            self.users.push(person.user);
            counted
        });
        self.page.push((place, outcome));
        if self.page.len() < PAGE { Ok(()) } else { self.flush() }
    }

    /// Whether this line is the last one of an export.
    fn is_end(&mut self, position: &Position<'_>) -> Result<bool, Problem> {
        if self.end.is_some() {
            return Err(Problem::new(
                format!("{position} comes after the line that ends the export"),
                "nothing was imported; import each export by itself",
            ));
        }
        self.end = position.raw.and_then(lictor::end);
        Ok(self.end.is_some())
    }

    /// The number of accounts of an export, whose last line must have been read.
    fn must_have_ended(&self, name: &str, rows: u64) -> Result<u64, Problem> {
        let (what, before) = match self.end {
            Some(end) if end + 1 == rows => return Ok(end),
            Some(end) => {
                let before = rows - 1;
                (
                    format!("the last line of {name} says {end} accounts, and there are {before}"),
                    before,
                )
            }
            None => (format!("{name} has no last line of an export: it may be cut off"), rows),
        };
        Err(Problem::new(
            what,
            format!(
                "nothing was imported; export again. If you changed the lines yourself, make this the \
                 last one: {}",
                end_line(before)
            ),
        ))
    }

    fn read(
        &mut self,
        position: &Position<'_>,
        cells: Result<&[Cell<'_>], &str>,
    ) -> (Place, Result<Person, Refusal>) {
        let Position { row, line, .. } = *position;
        let at = Place { row, line, ..Place::default() };
        let cells = match cells {
            Ok(cells) => cells,
            Err(why) => return (at, person::refuse(Kind::Unreadable, why)),
        };
        let (place, person) = match &self.plan.mapping {
            Some(mapping) => {
                let fields = mapping.fields(cells);
                let text = |cell: Option<Cell<'_>>| match cell {
                    Some(Cell::Text(text)) => text.to_owned(),
                    _ => String::new(),
                };
                let place = Place { id: text(fields.id), username: text(fields.username), ..at };
                let new_name = self.renames.get(&place.username, row).map(str::to_owned);
                let person =
                    person::read(row, &fields, new_name.as_deref(), &mut self.ids, self.now);
                (place, person)
            }
            None => {
                let mut new_name = |old: &str| self.renames.get(old, row).map(str::to_owned);
                let line = position.raw.unwrap_or_default();
                let (id, username, person) = lictor::read(row, line, &mut new_name);
                (Place { id, username, ..at }, person)
            }
        };
        if let Some(id) = place.id.trim().parse().ok().filter(|id| (1..=MAX_ID).contains(id)) {
            self.highest = self.highest.max(id);
        }
        (place, person)
    }

    // Long: each outcome of a row is one arm.
    /// Compares the page with the accounts that are there, and with the rows before.
    fn flush(&mut self) -> Result<(), Problem> {
        let clashes = match self.store {
            Some(store) => store.clashes(&self.users).map_err(|error| {
                Problem::new(
                    format!("cannot compare with the accounts that are there: {error}"),
                    "nothing was imported; try again",
                )
                .with_source(error)
            })?,
            None => self.users.iter().map(|_| None).collect(),
        };
        let mut users = self.users.drain(..).zip(clashes);
        for (place, outcome) in self.page.drain(..) {
            let refusal = match outcome {
                Err(refusal) => refusal,
                Ok(counted) => match users.next() {
                    None => continue,
                    Some((user, Some(Clash::AlreadyHere))) => {
                        self.report.already += 1;
                        self.renames.comes(&user.name, &user.former_names);
                        continue;
                    }
                    Some((user, Some(clash))) => of_clash(&clash, &user),
                    Some((user, None)) => match self.staging.put(&user)? {
                        None => {
                            self.report.accept(&counted);
                            self.renames.comes(&user.name, &user.former_names);
                            self.reused_ids +=
                                u64::from(user.id.is_some_and(|id| id <= self.given));
                            continue;
                        }
                        Some(double) => {
                            let other = named(&double, self.report, &mut self.staging)?;
                            of_double(&double, &user, other.as_ref())
                        }
                    },
                },
            };
            self.report.refuse(place, refusal);
        }
        Ok(())
    }
}

/// The name in the row before, for the first of those with the same one: looking it up costs a page.
fn named(
    double: &Double,
    report: &Report,
    staging: &mut Staging,
) -> Result<Option<Username>, Problem> {
    let count = report.refused.get(&Kind::NameTaken).map_or(0, |refused| refused.count);
    if double.same != Same::Name || count >= NAMED {
        return Ok(None);
    }
    let page = staging.page(double.row.saturating_sub(1))?;
    Ok(page.into_iter().next().map(|user| user.name))
}

/// Corrects the report by what the transaction found: accounts that somebody made after the rows were
/// compared. The counts of hashes and roles would be wrong by now, and are left out.
pub(crate) fn correct(report: &mut Report, imported: &Imported, staging: &mut Staging) {
    if imported.already > 0 || imported.refused > 0 {
        report.forget_details();
    }
    report.already += imported.already;
    report.ready = report.ready.saturating_sub(imported.already + imported.refused);
    for (row, clash) in &imported.clashes {
        // What is done is done: a row that cannot be read again is only missing here.
        let page = staging.page(row.saturating_sub(1)).unwrap_or_default();
        let Some(user) = page.into_iter().next() else { continue };
        let place = Place {
            row: *row,
            line: None,
            id: user.id.map_or_else(String::new, |id| id.to_string()),
            username: user.name.as_str().to_owned(),
        };
        report.refuse(place, of_clash(clash, &user));
    }
}

fn of_clash(clash: &Clash, user: &ImportedUser) -> Refusal {
    let (kind, reason) = match clash {
        Clash::AlreadyHere => (Kind::NameTaken, "the account is there already".into()),
        Clash::IdInUse { name } => {
            (Kind::IdInUse, format!("the id belongs to {} here", quoted(name)))
        }
        Clash::Differs { id } => {
            let what = if user.id.is_some() { "this id and name" } else { "this name" };
            let other = "another e-mail address or time of creation";
            let may_be = "it may be another person's";
            (Kind::Differs, format!("account {id} here has {what}, but {other}; {may_be}"))
        }
        Clash::NameTaken { id, name } => {
            (Kind::NameTaken, format!("the name is taken: account {id} is {}", quoted(name)))
        }
        Clash::EmailTaken { id } => (
            Kind::EmailTaken,
            format!("the e-mail address {} belongs to account {id}", email(user)),
        ),
        Clash::NameIsEmail { id } => (
            Kind::NameTaken,
            format!(
                "the name is the e-mail address of account {id}, or the e-mail address its name"
            ),
        ),
    };
    Refusal { kind, reason }
}

/// `other` is the name in the row before.
fn of_double(double: &Double, user: &ImportedUser, other: Option<&Username>) -> Refusal {
    let row = double.row;
    let (kind, reason) = match double.same {
        Same::Id => (Kind::IdInUse, format!("row {row} has the same id")),
        Same::Name => {
            let case = match other {
                Some(other) if other.as_str() == user.name.as_str() => "",
                Some(_) => ", in other case",
                None => ", or the same in other case",
            };
            let row = match other {
                Some(other) => format!("{} (row {row})", quoted(other.as_str())),
                None => format!("row {row}"),
            };
            (Kind::NameTaken, format!("{row} has the same name{case}"))
        }
        Same::Email => {
            (Kind::EmailTaken, format!("row {row} has the same e-mail address, {}", email(user)))
        }
        Same::NameIsEmail => (
            Kind::NameTaken,
            format!("the name is the e-mail address of row {row}, or the e-mail address its name"),
        ),
    };
    Refusal { kind, reason }
}

fn email(user: &ImportedUser) -> String {
    user.email.as_ref().map_or_else(String::new, |email| quoted(email.as_str()))
}
