//! `lictor import SOURCE`: brings the accounts of another program in, and says what is next.

use std::path::Path;
use std::process::ExitCode;

use super::args::Args;
use super::database::{self, DatabaseFlag, made};
use super::flag::{Row, flag, group};
use super::import_report::{Outcome, Remarks, counted, next_about_refused, written};
use super::kind::{Choices, Kind, Value, Words};
use super::output::print;
use super::parse::naming;
use super::progress::{Line, Progress};
use super::typed::Typed;
use super::words::of_argument;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::import::{self, Change, Format, Plan, Preset, Renames, Report, Source, Staged};
use crate::store::{Database, Inspection, Store};

pub(super) const AFTER_HELP: &str = "\
SOURCE is a URL of PostgreSQL (postgres://USER@HOST/NAME), the path of an SQLite database, of a CSV \
file with a header or of JSON Lines, or - for standard input. It is only read. A row that cannot \
come stops all of them, unless --skip-invalid leaves it out; --dry-run says which rows these are. \
Running it again brings only the accounts that are new.

Presets: flask-praetorian, django, werkzeug, pocketbase, supabase, laravel, and lictor for what \
`lictor export` wrote. --table and --map change single parts of a preset.

Examples:
  lictor import \"$DATABASE_URL\" --dry-run
  lictor import old.db --preset django --report refused.csv --dry-run
  lictor import users.csv --map username=login --map password=pw_hash --rename names.csv
  psql app -c \"\\copy people to stdout csv header\" | lictor import - --format csv --map roles=

docs/import.md says what each row must be; docs/from-flask.md is a whole move, step by step.";

pub(super) const FLAGS: &[Row] = &[
    flag("SOURCE", Kind::Database)
        .help("Where the accounts are: URL of PostgreSQL, path of a file, or - for standard input"),
    flag("--preset NAME", Kind::OneOf(&Presets)).help(
        "The program that they come from [default: lictor for JSON Lines that it exported, \
         else flask-praetorian]",
    ),
    flag("--table TABLE", Kind::Text)
        .help("The table with the users, if it is not that of the preset"),
    flag("--map FIELD=COLUMN", CHANGE).several().help(
        "The column of a field, as in username=login; nothing after the = leaves the field \
         out. FIELD is id, username, password, roles, active, email, created or confirmed; \
         can be given several times",
    ),
    flag("--format FORMAT", Kind::OneOf(&FORMATS))
        .help("The format of a file, if its name and its beginning do not tell"),
    flag("--rename FILE", Kind::Path).help(
        "New names for accounts: a CSV file with lines of old,new. Each user gets a mail with \
         the new name at the first login with the old one",
    ),
    flag("--dry-run", Kind::Switch).help("Only say what would happen"),
    flag("--skip-invalid", Kind::Switch).help("Leave out the rows that cannot come"),
    flag("--report FILE", Kind::Path)
        .help("Write all rows that cannot come, and why, to a new CSV file"),
    group(database::FLAGS),
    group(database::CREATE),
];

const FORMATS: Choices<Format> =
    Choices(&[("csv", "", Format::Csv), ("json-lines", "", Format::JsonLines)]);

/// A field, and the column that has it.
const CHANGE: Kind = Kind::Parsed(|text| Change::parse(text).map(Value::Column));

/// The names of the presets.
struct Presets;

impl Words for Presets {
    fn words(&self) -> Vec<(&'static str, &'static str)> {
        Preset::names().map(|name| (name, "")).collect()
    }
}

/// Runs the command. The exit code says whether all rows that should come have come, or would; the report
/// has said what is wrong.
pub(super) fn run(args: &Args) -> Result<ExitCode, Problem> {
    import(args).map(|done| if done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn import(args: &Args) -> Result<bool, Problem> {
    let database = DatabaseFlag::of(args);
    let destination = database.find()?;
    let name = args.value::<&Typed>("SOURCE").source("SOURCE")?;
    let mut renames = match args.get::<&Path>("--rename") {
        Some(path) => Renames::read(path)?,
        None => Renames::default(),
    };
    // A destination that is no database of lictor's is an error before the source is read.
    let store = existing(args, destination)?;
    let format = args.get_one_of("--format", &FORMATS);
    let mut source =
        Source::open(&name, format).map_err(of_argument("SOURCE")).map_err(naming("SOURCE"))?;
    let plan = Plan::make(
        &mut source,
        args.get("--preset"),
        args.get("--table"),
        &args.list("--map").into_iter().cloned().collect::<Vec<Change>>(),
    )
    .map_err(of_argument("SOURCE"))?;
    let mut report = Report::new(args.get("--report"))?;
    let now = Timestamp::now();
    let staged = stage(&mut source, &plan, &mut renames, store.as_ref(), &mut report, now)?;
    let is_table = source.format() == Format::Database;
    let source = source.describe();
    let preset = plan.preset;
    let import = Import { args, destination, preset, unread: plan.unread, source, is_table };
    import.end(store, staged, &mut report, &renames, now)
}

/// Opens the destination if it is there. A dry run changes nothing, not even its version.
fn existing(args: &Args, destination: &Database) -> Result<Option<Store>, Problem> {
    let dry_run = args.is_given("--dry-run");
    let found = match dry_run {
        true => Store::inspect(destination)?,
        false => database::inspect(args, destination)?,
    };
    match found {
        Inspection::Absent => Store::can_make(destination).map(|()| None),
        Inspection::Older(version) if dry_run => Err(Problem::new(
            format!(
                "the database {destination} is of version {version}, and a dry run changes nothing"
            ),
            "start this lictor on it once, which brings it to the present version; or import into a \
             new one with --database",
        )),
        Inspection::Current | Inspection::Older(_) => Store::open(destination, 1).map(Some),
    }
}

/// Reads the source, with a line on the terminal.
fn stage(
    source: &mut Source,
    plan: &Plan,
    renames: &mut Renames,
    store: Option<&Store>,
    report: &mut Report,
    now: Timestamp,
) -> Result<Staged, Problem> {
    let (mut line, size) = (Line::new(), source.size());
    let staged = import::stage(source, plan, renames, store, report, now, &mut |position| {
        let percent = size.filter(|size| *size > 0).map(|size| position.read * 100 / size);
        line.show(Progress { doing: "reading", rows: position.row, of: None, percent });
    });
    line.clear();
    staged
}

/// An import whose rows have been read.
struct Import<'a> {
    args: &'a Args,
    destination: &'a Database,
    preset: &'static str,
    /// The source is the table of a database.
    is_table: bool,
    /// Columns of the source that are not read.
    unread: Option<String>,
    /// The source, for people.
    source: String,
}

impl Import<'_> {
    /// Writes the accounts, unless it is a dry run or rows are in the way; prints the report.
    fn end(
        &self,
        store: Option<Store>,
        mut staged: Staged,
        report: &mut Report,
        renames: &Renames,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let is_clean = report.cannot_come() == 0 || self.args.is_given("--skip-invalid");
        let is_new = store.is_none();
        let outcome = match (self.args.is_given("--dry-run"), is_clean) {
            (true, _) => Outcome::Tried,
            (false, false) => Outcome::Refused,
            (false, true) => self.write(store, &mut staged, report, now)?,
        };
        let imported = if let Outcome::Written(added) = outcome { added } else { 0 };
        let completed = report.finish(imported);
        let done = is_clean && outcome != Outcome::Refused;
        self.print(&staged, report, renames, outcome)
            .and_then(|()| match is_new && imported > 0 {
                true => print(&made(self.destination)),
                false => Ok(()),
            })
            .and_then(|()| match self.next(report, outcome, done, is_new, &staged) {
                Some(next) => print(&format!("next: {next}")),
                None => Ok(()),
            })
            .map_err(|problem| though_imported(problem, imported))?;
        completed.map(|()| done)
    }

    /// Prints the report.
    fn print(
        &self,
        staged: &Staged,
        report: &Report,
        renames: &Renames,
        outcome: Outcome,
    ) -> Result<(), Problem> {
        let unused: Vec<(u64, String)> =
            renames.unused().into_iter().map(|(line, old)| (line, old.to_owned())).collect();
        let remarks = Remarks {
            reused_ids: staged.reused_ids,
            text_ids: staged.text_ids,
            counter_hidden: staged.counter_hidden,
            unread: self.unread.as_deref(),
            unused_renames: &unused,
            reached: renames.reached(),
            is_file: !self.destination.is_shared(),
        };
        let destination = match self.destination.is_shared() {
            true => format!("the schema lictor of {}", self.destination),
            false => self.destination.absolute().to_string(),
        };
        print(&written(report, &self.source, self.preset, &destination, outcome, &remarks))
    }

    /// Writes the accounts in one transaction.
    fn write(
        &self,
        store: Option<Store>,
        staged: &mut Staged,
        report: &mut Report,
        now: Timestamp,
    ) -> Result<Outcome, Problem> {
        let store = match store {
            Some(store) => store,
            // No database is made for nothing.
            None if report.ready == 0 => return Ok(Outcome::Written(0)),
            None => Store::open(self.destination, 1)?,
        };
        let mut line = Line::new();
        let (of, skip) = (Some(report.ready), self.args.is_given("--skip-invalid"));
        let imported = store.import(
            &mut staged.staging,
            staged.counter,
            skip,
            self.preset,
            now,
            &mut |rows| {
                line.show(Progress { doing: "writing", rows, of, percent: None });
            },
        );
        line.clear();
        let imported = imported?;
        import::correct(report, &imported, &mut staged.staging);
        staged.reused_ids = imported.reused_ids;
        Ok(if imported.written { Outcome::Written(imported.added) } else { Outcome::Refused })
    }

    /// The next step.
    fn next(
        &self,
        report: &Report,
        outcome: Outcome,
        done: bool,
        is_new: bool,
        staged: &Staged,
    ) -> Option<String> {
        if !done {
            let renames = self.args.get("--rename").map(|path: &Path| path.display().to_string());
            let has_file = self.args.get::<&Path>("--report").is_some();
            return Some(next_about_refused(report, has_file, renames.as_deref()));
        }
        match outcome {
            Outcome::Tried if report.ready > 0 => {
                let create = is_new && !self.args.is_given("--create");
                let instead = if create { "with --create instead of" } else { "without" };
                Some(format!("the same {instead} --dry-run imports them"))
            }
            Outcome::Tried | Outcome::Written(0) if report.rows == 0 => {
                let what = if self.is_table { "table" } else { "file" };
                Some(format!("the {what} is empty: is it the right one?"))
            }
            Outcome::Tried | Outcome::Written(0) => None,
            _ if self.preset == Preset::LICTOR => Some(
                "sessions are not part of an export: people log in again with their passwords".into(),
            ),
            _ if self.preset == Preset::default().name && staged.counter.is_some() => Some(
                "start lictor with the SECRET_KEY of the old app and --adopt-tokens, and nobody has to \
                 log in again: docs/from-flask.md"
                    .into(),
            ),
            _ => Some(
                "people log in again with their old passwords; see the accounts: lictor user list"
                    .into(),
            ),
        }
    }
}

/// A problem that came up after the accounts were written: it must not read as if they were not.
fn though_imported(problem: Problem, imported: u64) -> Problem {
    match imported {
        0 => problem,
        _ => Problem::new(
            format!("{} imported, but {}", counted(imported, "was", "were"), problem.what),
            problem.next,
        ),
    }
}
