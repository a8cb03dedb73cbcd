//! The line on the terminal that says how far a command is.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

/// How often the line is written again.
const REDRAW: Duration = Duration::from_millis(200);

/// How far a command is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress<'a> {
    /// What it does, as in `copying users`.
    pub(super) doing: &'a str,
    /// Rows that are done.
    pub(super) rows: u64,
    /// How many there are, if that is known.
    pub(super) of: Option<u64>,
    /// How much of a file is done, if that is known.
    pub(super) percent: Option<u64>,
}

/// The line; none if standard error is no terminal.
pub(super) struct Line {
    on_terminal: bool,
    drawn: Option<Instant>,
    /// When the step began, and which it is.
    step: Option<(Instant, String)>,
}

impl Line {
    pub(super) fn new() -> Line {
        Line { on_terminal: io::stderr().is_terminal(), drawn: None, step: None }
    }

    pub(super) fn show(&mut self, progress: Progress<'_>) {
        if !self.on_terminal {
            return;
        }
        self.draw(progress.doing, |since| written(progress, since));
    }

    /// Shows for how long the command has been doing something.
    pub(super) fn show_time(&mut self, doing: &str) {
        if self.on_terminal {
            self.draw(doing, |since| format!("{doing}: {} s", since.as_secs()));
        }
    }

    /// Shows which share of the work is done.
    pub(super) fn show_percent(&mut self, doing: &str, percent: u64) {
        if self.on_terminal {
            self.draw(doing, |since| format!("{doing}: {percent}%, {} s", since.as_secs()));
        }
    }

    fn draw(&mut self, doing: &str, line: impl Fn(Duration) -> String) {
        let now = Instant::now();
        let began = match &self.step {
            Some((began, last)) if last == doing => *began,
            _ => now,
        };
        self.step = Some((began, doing.to_owned()));
        if self.drawn.is_none_or(|drawn| now.duration_since(drawn) >= REDRAW) {
            self.drawn = Some(now);
            // What cannot be shown does not stop the command.
            let line = line(now.duration_since(began));
            let _ = write!(io::stderr(), "\r{line}\x1b[K");
        }
    }

    pub(super) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

fn written(progress: Progress<'_>, since: Duration) -> String {
    let Progress { doing, rows, of, percent } = progress;
    let mut line = format!("{doing}: {}", grouped(rows));
    if let Some(of) = of {
        let _ = write!(line, " of {}", grouped(of));
    }
    line += " rows";
    if let Some(percent) = percent {
        let _ = write!(line, " ({percent}%)");
    }
    if rows > 0 && !since.is_zero() {
        let speed = (rows as f64 / since.as_secs_f64()) as u64;
        let _ = write!(line, ", {} rows/s", grouped(speed));
    }
    line
}

/// A number with a comma before each three digits.
pub(super) fn grouped(number: u64) -> String {
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
        let second = Duration::from_secs(1);
        let copy = |doing, rows| Progress { doing, rows, of: Some(5_000), percent: None };
        let read = Progress { doing: "reading", rows: 3_000, of: None, percent: Some(7) };
        for (progress, since, expected) in [
            (copy("copying users", 0), Duration::ZERO, "copying users: 0 of 5,000 rows"),
            (
                copy("reading back users", 3_000),
                second * 2,
                "reading back users: 3,000 of 5,000 rows, 1,500 rows/s",
            ),
            (read, second, "reading: 3,000 rows (7%), 3,000 rows/s"),
        ] {
            assert_eq!(written(progress, since), expected);
        }
    }
}
