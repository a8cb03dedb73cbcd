//! `lictor database copy FROM TO`: copies everything into another database, and says what is next.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use clap::Subcommand;

use super::database::Typed;
use super::output::print;
use crate::error::Problem;
use crate::store::{CopiedTable, CopyProgress, Database, Store};

/// How often the line on the terminal is written again.
const REDRAW: Duration = Duration::from_millis(200);

#[derive(Subcommand)]
pub(super) enum DatabaseCommand {
    /// Copy everything into an absent or empty database; stop the server before
    #[command(after_help = "\
FROM and TO are what --database takes; a password belongs into a password file (PGPASSFILE). Users, sessions, mails, invitations, second factors and the \
audit are copied with their ids, in one transaction, and then read back and compared. FROM is not \
changed. The keys are not in the database: keep the key file, or SECRET_KEY, as it is.")]
    Copy {
        /// The database that is copied
        from: Typed,
        /// The database that is made, or filled if it is empty
        to: Typed,
    },
}

pub(super) fn run(command: DatabaseCommand) -> Result<(), Problem> {
    match command {
        DatabaseCommand::Copy { from, to } => copy(&from.parse("FROM")?, &to.parse("TO")?),
    }
}

fn copy(from: &Database, to: &Database) -> Result<(), Problem> {
    let mut line = Line::new();
    let begun = Instant::now();
    let copied = Store::copy(from, to, &mut |progress| line.show(progress));
    line.clear();
    let copied = copied?;
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

/// The line on the terminal that says how far the copy is; none if standard error is no terminal.
struct Line {
    on_terminal: bool,
    drawn: Option<Instant>,
    /// When the table began, and which it is.
    table: Option<(Instant, &'static str, bool)>,
}

impl Line {
    fn new() -> Line {
        Line { on_terminal: io::stderr().is_terminal(), drawn: None, table: None }
    }

    fn show(&mut self, progress: CopyProgress) {
        let now = Instant::now();
        let CopyProgress { table, checking, .. } = progress;
        let began = match self.table {
            Some((began, name, same)) if (name, same) == (table, checking) => began,
            _ => now,
        };
        self.table = Some((began, table, checking));
        let is_due = self.drawn.is_none_or(|drawn| now.duration_since(drawn) >= REDRAW);
        if self.on_terminal && is_due {
            self.drawn = Some(now);
            // What cannot be shown does not stop the copy.
            let line = written(progress, now.duration_since(began));
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
        }
    }

    fn clear(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

fn written(progress: CopyProgress, since: Duration) -> String {
    let CopyProgress { table, checking, rows, of } = progress;
    let doing = if checking { "reading back" } else { "copying" };
    let mut line = format!("{doing} {table}: {} of {} rows", grouped(rows), grouped(of));
    if rows > 0 && !since.is_zero() {
        let speed = (rows as f64 / since.as_secs_f64()) as u64;
        let _ = write!(line, ", {} rows/s", grouped(speed));
    }
    line
}

/// A number with a comma before each three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (1_234_567, "1,234,567"),
            (u64::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn the_line_says_how_far_it_is() {
        let of = |checking, rows| CopyProgress { table: "users", checking, rows, of: 5_000 };
        let second = Duration::from_secs(1);
        assert_eq!(written(of(false, 0), Duration::ZERO), "copying users: 0 of 5,000 rows");
        assert_eq!(
            written(of(true, 3_000), second * 2),
            "reading back users: 3,000 of 5,000 rows, 1,500 rows/s"
        );
    }

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
