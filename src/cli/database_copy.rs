//! `lictor database copy FROM TO`: copies everything into another database, and says what is next.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use super::args::Args;
use super::command::{Command, command};
use super::flag::{Row, flag};
use super::kind::Kind;
use super::output::print;
use super::progress::{Line, Progress, grouped};
use super::typed::Typed;
use super::words::of_argument;
use crate::error::Problem;
use crate::store::{CopiedTable, CopyProgress, Database, Store};

pub(super) const COMMANDS: &[Command] = &[command(
    "copy",
    "Copy everything into an absent or empty database; stop the server before",
    COPY,
    copy,
)
.after_help(COPY_HELP)];

const COPY_HELP: &str = "\
FROM and TO are what --database takes; a password belongs into a password file (PGPASSFILE). Users, sessions, mails, invitations, second factors and the \
audit are copied with their ids, in one transaction, and then read back and compared. FROM is not \
changed. The keys are not in the database: keep the key file, or SECRET_KEY, as it is.";

const COPY: &[Row] = &[
    flag("FROM", Kind::Database).help("The database that is copied"),
    flag("TO", Kind::Database).help("The database that is made, or filled if it is empty"),
];

fn copy(args: &Args) -> Result<(), Problem> {
    let database = |name| args.value::<&Typed>(name).parse(name);
    let (from, to) = (&database("FROM")?, &database("TO")?);
    let mut line = Line::new();
    let begun = Instant::now();
    let copied = Store::copy(from, to, &mut |progress| {
        let CopyProgress { table, checking, rows, of } = progress;
        let doing = format!("{} {table}", if checking { "reading back" } else { "copying" });
        line.show(Progress { doing: &doing, rows, of: Some(of), percent: None });
    });
    line.clear();
    let copied = copied.map_err(of_argument("FROM or TO"))?;
    print(&summary(&copied, begun.elapsed()))?;
    print(&next_steps(from, to))
}

/// A row for each table, and the sum.
fn summary(copied: &[CopiedTable], took: Duration) -> String {
    let mut text = format!("{:15} {:>13}  SHA-256", "table", "rows");
    for CopiedTable { table, rows, digest } in copied {
        let _ = write!(text, "\n{table:15} {:>13}  ", grouped(*rows));
        digest[..6].iter().for_each(|byte| {
            let _ = write!(text, "{byte:02x}");
        });
    }
    let rows: u64 = copied.iter().map(|table| table.rows).sum();
    let _ = write!(
        text,
        "\ncopied {} rows in {:.1} s, and read them back: all are the same",
        grouped(rows),
        took.as_secs_f64()
    );
    text
}

fn next_steps(from: &Database, to: &Database) -> String {
    let [old, new] = [from, to].map(|database| {
        let path = database.absolute().default_key_file();
        std::path::absolute(&path).unwrap_or(path)
    });
    let keys = match old == new {
        true => format!("the keys are not in a database: leave {} where it is", old.display()),
        false => format!(
            "the keys are not in a database: if they are in the default file, move {} to {}",
            old.display(),
            new.display()
        ),
    };
    format!(
        "{keys}\nstart the server with --database as you gave TO here ({}); {} is unchanged",
        to.absolute(),
        from.absolute()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_file_is_to_be_moved_if_its_default_place_is_another() {
        let next = |from: &str, to: &str| next_steps(&Database::from(from), &Database::from(to));
        let moved = next("/srv/old.db", "/srv/new.db");
        assert!(moved.contains("move /srv/old.key to /srv/new.key"), "{moved}");
        assert!(moved.contains("TO here (/srv/new.db); /srv/old.db is unchanged"), "{moved}");
        let stays = next("/srv/lictor.db", "/srv/lictor.sqlite");
        assert!(stays.contains("leave /srv/lictor.key where it is"), "{stays}");
    }
}
