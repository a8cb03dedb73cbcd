//! `lictor export`: writes every account with its hash, for `lictor import` or another program.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::args::Args;
use super::database::{self, DatabaseFlag, open_existing};
use super::flag::{Row, flag, group};
use super::kind::Kind;
use super::output::{failed, unless_closed};
use super::progress::{Line, Progress, grouped};
use crate::error::Problem;
use crate::import::{self, ExportFailure, Exported};
use crate::store::Store;

pub(super) const AFTER_HELP: &str = "\
Each line is a JSON object: id, username, e-mail address, password hash, roles, and the second factor \
with its secret; the last line says how many there are. Keep it as you keep the database: --output \
makes a file that only you can read, while others may read one made with > by the usual umask. Sessions, mails, invitations and the audit are \
not part of it: `lictor database copy` moves those too.

Examples:
  lictor export --output users.jsonl
  lictor export | gzip > users.jsonl.gz
  lictor export | lictor import - --database new.db";

pub(super) const FLAGS: &[Row] = &[
    flag("--output FILE", Kind::Path)
        .help("A new file, which only you can read [default: standard output]"),
    group(database::FLAGS),
];

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let output: Option<&Path> = args.get("--output");
    if let Some(path) = output.filter(|path| path.exists()) {
        return Err(exists(path));
    }
    let store = open_existing(DatabaseFlag::of(args).find()?)?;
    let exported = match output {
        Some(path) => to_file(&store, path)?,
        None if io::stdout().is_terminal() => to(&store, &mut io::stdout().lock(), false)?,
        None => to(&store, &mut BufWriter::new(io::stdout().lock()), true)?,
    };
    say(&exported, output);
    Ok(())
}

/// Writes a draft beside the file, which gets its name when it is complete.
fn to_file(store: &Store, path: &Path) -> Result<Exported, Problem> {
    let draft = draft_of(path);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft);
    let file = opened.map_err(|error| cannot_write(path, error))?;
    let written = to(store, &mut BufWriter::new(&file), true).and_then(|exported| {
        let placed = place(&file, &draft, path);
        placed.map(|()| exported).map_err(|error| match error.kind() {
            ErrorKind::AlreadyExists => exists(path),
            _ => cannot_write(path, error),
        })
    });
    // The error of writing comes before one of removing the draft.
    let _ = fs::remove_file(&draft);
    written
}

/// Gives a complete draft its name, unless another file has it by now.
fn place(file: &File, draft: &Path, path: &Path) -> io::Result<()> {
    file.sync_all()?;
    fs::hard_link(draft, path)
}

fn draft_of(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(format!(".{}.part", std::process::id()));
    name.into()
}

fn to(store: &Store, out: &mut dyn io::Write, with_line: bool) -> Result<Exported, Problem> {
    let mut line = Line::new();
    let done = import::export(store, out, &mut |rows| {
        if with_line {
            line.show(Progress { doing: "exporting", rows, of: None, percent: None });
        }
    });
    line.clear();
    match done {
        Ok(exported) => Ok(exported),
        Err(ExportFailure::Store(error)) => Err(failed(error)),
        Err(ExportFailure::Output(error)) => unless_closed(error).map(|()| Exported::default()),
    }
}

/// Says on standard error what a reader of the lines does not see.
fn say(exported: &Exported, path: Option<&Path>) {
    let mut err = io::stderr();
    // The lines are written, whoever reads this.
    if let Some(path) = path {
        let users = grouped(exported.users);
        let noun = if exported.users == 1 { "account" } else { "accounts" };
        let _ = writeln!(
            err,
            "exported {users} {noun} to {}; it has their password hashes: keep it as you keep the database",
            path.display()
        );
    }
    if exported.waiting > 0 {
        let verb = if exported.waiting == 1 { "account waits" } else { "accounts wait" };
        let _ = writeln!(
            err,
            "left out: {} {verb} for the confirmation of an e-mail address",
            grouped(exported.waiting)
        );
    }
}

fn exists(path: &Path) -> Problem {
    Problem::usage(
        format!("--output: {} exists already", path.display()),
        "name another file, or delete it",
    )
}

fn cannot_write(path: &Path, error: io::Error) -> Problem {
    Problem::new(
        format!("cannot write {}: {error}", path.display()),
        "name a file in a directory that you may write to, on a disk with free space",
    )
    .with_source(error)
}
