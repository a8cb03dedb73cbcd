//! What an import found: counts, the first rows of each kind that cannot come, and the file with all
//! of them.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::person::{Kind, Person, Refusal};
use crate::error::Problem;
use crate::values::Email;

/// Rows of each kind that are kept for the screen.
const FIRST: usize = 10;
/// Different roles that are counted; a source may have a new one in each row.
const MAX_ROLES: usize = 1_000;

/// Which row of the source it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Its number, from 1.
    pub row: u64,
    /// The line of the file on which it begins.
    pub line: Option<u64>,
    /// The id, as it stands there; empty if there is none.
    pub id: String,
    /// The username, as it stands there.
    pub username: String,
}

/// The rows of one kind that cannot come.
#[derive(Debug, Default)]
pub struct Refused {
    /// How many there are.
    pub count: u64,
    /// The first, with the reason.
    pub first: Vec<(Place, String)>,
}

/// What an import found.
#[derive(Debug, Default)]
pub struct Report {
    /// Rows that the source has.
    pub rows: u64,
    /// Rows that can come.
    pub ready: u64,
    /// Rows whose account is here already.
    pub already: u64,
    /// Rows that cannot come, by the kind of the reason.
    pub refused: BTreeMap<Kind, Refused>,
    /// Schemes of hashes.
    pub schemes: BTreeMap<&'static str, u64>,
    /// Users of each role.
    pub roles: BTreeMap<String, u64>,
    /// Users without a role.
    pub without_role: u64,
    /// Users who may not log in.
    pub inactive: u64,
    /// Users without a password.
    pub without_password: u64,
    /// Users who get another name.
    pub renamed: u64,
    /// Users who get another id.
    pub new_ids: u64,
    /// Users of whom it is not known when their account was made.
    pub created_unknown: u64,
    /// Users whose e-mail address was not confirmed, and is left out.
    pub unconfirmed: u64,
    /// Users whose name is an e-mail address that is not theirs here.
    pub named_by_email: u64,
    /// The highest id of a row, if it is far above the number of rows.
    pub far_id: Option<i64>,
    /// The file of `--report`.
    pub(crate) file: Option<ReportFile>,
}

impl Report {
    /// An empty report, which writes rows that cannot come to a new file as well.
    pub fn new(file: Option<&Path>) -> Result<Report, Problem> {
        let file = file.map(ReportFile::create).transpose()?;
        Ok(Report { file, ..Report::default() })
    }

    /// How many rows cannot come.
    pub fn cannot_come(&self) -> u64 {
        self.refused.values().map(|refused| refused.count).sum()
    }

    /// Counts a row that can come.
    pub(super) fn accept(&mut self, person: &Counted) {
        self.ready += 1;
        match person.scheme {
            Some(scheme) => *self.schemes.entry(scheme).or_default() += 1,
            None => self.without_password += 1,
        }
        for role in person.roles.split(',').filter(|role| !role.is_empty()) {
            if let Some(count) = self.roles.get_mut(role) {
                *count += 1;
            } else if self.roles.len() < MAX_ROLES {
                self.roles.insert(role.to_owned(), 1);
            }
        }
        self.without_role += u64::from(person.roles.is_empty());
        self.inactive += u64::from(!person.active);
        self.renamed += u64::from(person.renamed);
        self.new_ids += u64::from(person.new_id);
        self.created_unknown += u64::from(person.created_unknown);
        self.unconfirmed += u64::from(person.unconfirmed);
        self.named_by_email += u64::from(person.named_by_email);
    }

    /// Counts a row that cannot come.
    pub(super) fn refuse(&mut self, place: Place, refusal: Refusal) {
        if let Some(file) = &mut self.file {
            file.write(&place, &refusal);
        }
        let of_kind = self.refused.entry(refusal.kind).or_default();
        of_kind.count += 1;
        if of_kind.first.len() < FIRST {
            of_kind.first.push((place, refusal.reason));
        }
    }

    /// Sets all counts of accounts that can come to 0, except how many these are.
    pub(super) fn forget_details(&mut self) {
        let Report { rows, ready, already, refused, file, .. } = std::mem::take(self);
        *self = Report { rows, ready, already, refused, file, ..Report::default() };
    }

    /// Brings what the file has so far to the disk. Called before the accounts are written, while
    /// an error can still stop them.
    pub(super) fn save(&mut self) -> Result<(), Problem> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.save().map_err(|error| failed(&file.path, error))
    }

    /// Completes the file. Without this, it is deleted. `imported` is the number of accounts that
    /// were written, for the error.
    pub fn finish(&mut self, imported: u64) -> Result<(), Problem> {
        let Some(mut file) = self.file.take() else { return Ok(()) };
        file.finished = imported > 0;
        file.save().map_err(|error| match imported {
            0 => failed(&file.path, error),
            _ => incomplete(&file.path, imported, error),
        })?;
        file.finished = true;
        Ok(())
    }
}

/// What is counted of a row that can come.
#[derive(Debug)]
pub(super) struct Counted {
    scheme: Option<&'static str>,
    roles: String,
    active: bool,
    renamed: bool,
    new_id: bool,
    created_unknown: bool,
    unconfirmed: bool,
    named_by_email: bool,
}

impl Counted {
    pub(super) fn of(person: &Person) -> Counted {
        let Person { user, scheme, created_unknown, renamed, unconfirmed } = person;
        let own = user.email.as_ref().map(Email::key);
        let named = Email::parse(user.name.as_str()).ok();
        Counted {
            scheme: *scheme,
            roles: user.roles.as_str().to_owned(),
            active: user.active,
            renamed: *renamed,
            new_id: user.id.is_none(),
            created_unknown: *created_unknown,
            unconfirmed: *unconfirmed,
            named_by_email: named.is_some_and(|named| Some(named.key()) != own),
        }
    }
}

/// The file of `--report`: CSV that only its owner can read. Deleted when it is dropped, unless it
/// was finished.
#[derive(Debug)]
pub(crate) struct ReportFile {
    path: PathBuf,
    out: BufWriter<File>,
    /// The first error of writing; nothing is written after it.
    error: Option<io::Error>,
    finished: bool,
}

impl ReportFile {
    fn create(path: &Path) -> Result<ReportFile, Problem> {
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        let file = opened.map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => Problem::usage(
                format!("--report: {} exists already", path.display()),
                "name another file, or delete it",
            ),
            _ => failed(path, error),
        })?;
        let mut new = ReportFile::of(path, file);
        new.line(&["row", "id", "username", "kind", "reason"]);
        Ok(new)
    }

    fn of(path: &Path, file: File) -> ReportFile {
        let out = BufWriter::new(file);
        ReportFile { path: path.to_owned(), out, error: None, finished: false }
    }

    fn write(&mut self, place: &Place, refusal: &Refusal) {
        let row = place.row.to_string();
        self.line(&[&row, &place.id, &place.username, refusal.kind.name(), &refusal.reason]);
    }

    fn line(&mut self, values: &[&str]) {
        if self.error.is_none() {
            let values: Vec<String> = values.iter().map(|value| csv(value)).collect();
            self.error = writeln!(self.out, "{}", values.join(",")).err();
        }
    }

    /// Brings all lines to the disk.
    fn save(&mut self) -> io::Result<()> {
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.flush().and_then(|()| self.out.get_ref().sync_all()),
        }
    }
}

impl Drop for ReportFile {
    fn drop(&mut self) {
        if !self.finished {
            // The error that ended the import comes first.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A value of CSV (RFC 4180), in quotation marks where it needs them.
fn csv(value: &str) -> String {
    let plain = |c: char| !matches!(c, ',' | '"' | '\r' | '\n');
    match value.chars().all(plain) && value.trim() == value {
        true => value.to_owned(),
        false => format!("\"{}\"", value.replace('"', "\"\"")),
    }
}

fn failed(path: &Path, error: io::Error) -> Problem {
    Problem::new(
        format!("cannot write the report {}: {error}", path.display()),
        "nothing was imported; name a file in a directory that you may write to",
    )
    .with_source(error)
}

/// The report lacks rows, but the accounts are there.
fn incomplete(path: &Path, imported: u64, error: io::Error) -> Problem {
    let were = if imported == 1 { "account was" } else { "accounts were" };
    Problem::new(
        format!("{imported} {were} imported, but the report {} is not complete: {error}", path.display()),
        "rows that could not come are missing in it; --dry-run with another --report shows them again",
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::super::person::refuse;
    use super::*;

    fn place(row: u64, username: &str) -> Place {
        Place { row, line: None, id: row.to_string(), username: username.into() }
    }

    fn refusal(kind: Kind, reason: &str) -> Refusal {
        refuse::<()>(kind, reason).unwrap_err()
    }

    #[test]
    fn the_file_has_all_rows_and_the_screen_the_first() {
        let dir = std::env::temp_dir().join(format!("lictor-report-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("report.csv");
        let mut report = Report::new(Some(&path)).unwrap();
        for row in 1..=12 {
            report.refuse(place(row, "a b"), refusal(Kind::Name, "no, \"spaces\""));
        }
        report.refuse(place(13, " x\ny"), refusal(Kind::Id, "none"));
        report.finish(0).unwrap();
        assert_eq!(report.cannot_come(), 13);
        assert_eq!(
            (report.refused[&Kind::Name].count, report.refused[&Kind::Name].first.len()),
            (12, 10)
        );
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.split('\n').collect();
        assert_eq!(lines[0], "row,id,username,kind,reason");
        assert_eq!(lines[1], "1,1,a b,name,\"no, \"\"spaces\"\"\"");
        assert_eq!(lines[13..], ["13,13,\" x", "y\",id,none", ""]);
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        // What is there is not written over; what is not finished is not left.
        let refused = Report::new(Some(&path)).unwrap_err();
        assert!(refused.usage && refused.what.ends_with("report.csv exists already"), "{refused}");
        fs::remove_file(&path).unwrap();
        drop(Report::new(Some(&path)).unwrap());
        assert!(!path.exists());
        let refused = Report::new(Some(&dir.join("none/report.csv"))).unwrap_err();
        assert!(!refused.usage && refused.what.contains("cannot write the report"), "{refused}");
        fs::remove_dir_all(&dir).unwrap();
    }

    #[test]
    fn a_full_disk_stops_the_import_before_and_is_told_truly_after() {
        let dir = std::env::temp_dir().join(format!("lictor-full-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("report.csv");
        // Each write to it fails as one to a full disk.
        let full = || {
            fs::write(&path, "").unwrap();
            let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
            Report { file: Some(ReportFile::of(&path, full)), ..Report::default() }
        };
        for rows in [1, 1_000] {
            let mut report = full();
            for row in 1..=rows {
                report.refuse(place(row, "a b"), refusal(Kind::Name, "spaces"));
            }
            let before = report.save().unwrap_err();
            assert!(before.what.contains("cannot write the report"), "{before}");
            assert!(before.next.starts_with("nothing was imported"), "{before}");
            drop(report);
            assert!(!path.exists());
        }
        for (imported, what) in
            [(1, "1 account was imported, but"), (7, "7 accounts were imported, but")]
        {
            let mut report = full();
            report.refuse(place(1, "a b"), refusal(Kind::Name, "spaces"));
            let after = report.finish(imported).unwrap_err();
            assert!(after.what.starts_with(what), "{after}");
            assert!(!after.to_string().contains("nothing"), "{after}");
            // What it has so far is kept.
            assert!(path.exists());
        }
        fs::remove_dir_all(&dir).unwrap();
    }
}
