//! Log lines on standard error: their levels, their form, and their words. A line stays one line,
//! whatever a client has sent.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use log::{Level, Record};
use rustix::fs::fstat;
use serde::Serialize;

use super::kind::Choices;
use super::words::in_flags;
use crate::error::Problem;
use crate::values::steers;

/// The levels, from the one that shows least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

/// The words of `--log`.
pub(super) const LEVELS: Choices<LogLevel> = Choices(&[
    ("off", "", LogLevel::Off),
    ("error", "", LogLevel::Error),
    ("warn", "", LogLevel::Warn),
    ("info", "", LogLevel::Info),
    ("debug", "", LogLevel::Debug),
]);

/// The words of `--log-format`.
pub(super) const FORMATS: Choices<LogFormat> =
    Choices(&[("text", "", LogFormat::Text), ("json", "", LogFormat::Json)]);

impl LogLevel {
    /// Lets log lines of this level and above pass from now on.
    pub(super) fn set(self) {
        log::set_max_level(match self {
            LogLevel::Off => log::LevelFilter::Off,
            LogLevel::Error => log::LevelFilter::Error,
            LogLevel::Warn => log::LevelFilter::Warn,
            LogLevel::Info => log::LevelFilter::Info,
            LogLevel::Debug => log::LevelFilter::Debug,
        });
    }

    /// Its name on the command line.
    pub(super) fn name(self) -> &'static str {
        let own = LEVELS.0.iter().find(|(_, _, level)| *level == self);
        own.map_or("", |(word, ..)| *word)
    }
}

/// Whether a warning or an error was written.
static WARNED: AtomicBool = AtomicBool::new(false);

/// Whether everything that the server writes is a JSON line.
static JSON: AtomicBool = AtomicBool::new(false);

/// Whether everything that the server writes is a JSON line.
pub(super) fn is_json() -> bool {
    JSON.load(Ordering::Relaxed)
}

/// Whether a warning or an error was written.
pub(super) fn has_warned() -> bool {
    WARNED.load(Ordering::Relaxed)
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum LogFormat {
    Text,
    Json,
}

/// How a line is written.
#[derive(Clone, Copy, PartialEq)]
enum Form {
    Text,
    /// With the priority in front, as the journal takes it off again (sd-daemon(3)).
    Journal,
    Json,
}

/// A line as JSON.
#[derive(Serialize)]
struct JsonLine<'a> {
    time: &'a str,
    level: &'a str,
    target: &'a str,
    message: &'a str,
}

/// Lets problems be JSON lines from now on; also before [`start`], which comes after the arguments.
pub(super) fn set_json() {
    JSON.store(true, Ordering::Relaxed);
}

/// A problem as a JSON line, whatever the level of the log.
pub(super) fn problem_line(problem: &Problem) -> String {
    json_line(Level::Error, &format!("{}; {}", problem.what, problem.next))
}

/// A message as a JSON line, whatever the level of the log.
pub(super) fn json_line(level: Level, message: &str) -> String {
    let mut record = Record::builder();
    record.level(level).target("lictor");
    written(Form::Json, &now(), &record.args(format_args!("{message}")).build())
}

fn now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

/// Sends log lines of this level and above, and panics, to standard error.
pub(super) fn start(level: LogLevel, format: LogFormat) {
    let form = match format {
        LogFormat::Json => {
            set_json();
            Form::Json
        }
        LogFormat::Text if is_journal() => Form::Journal,
        LogFormat::Text => Form::Text,
    };
    let _ = env_logger::Builder::new()
        // The level is decided before a line comes here: it can change.
        .filter_level(log::LevelFilter::Debug)
        .format(move |line, record| {
            WARNED.fetch_or(record.level() <= log::Level::Warn, Ordering::Relaxed);
            writeln!(line, "{}", written(form, &now(), record))
        })
        .try_init();
    level.set();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log::error!("a bug in lictor at {place}; please report it");
    }));
}

/// Whether standard error is the stream of the systemd journal that JOURNAL_STREAM names.
fn is_journal() -> bool {
    let Ok(stream) = std::env::var("JOURNAL_STREAM") else { return false };
    fstat(io::stderr()).is_ok_and(|file| stream == format!("{}:{}", file.st_dev, file.st_ino))
}

/// Whether standard error and standard output go to different places.
pub(super) fn is_apart() -> bool {
    let place = |file: rustix::fs::Stat| (file.st_dev, file.st_ino);
    fstat(io::stdout()).map(place).ok() != fstat(io::stderr()).map(place).ok()
}

/// A line without its end.
fn written(form: Form, now: &str, record: &Record<'_>) -> String {
    let level = record.level();
    let message = in_flags(&record.args().to_string());
    if form == Form::Json {
        let name = level.as_str().to_ascii_lowercase();
        let line = JsonLine { time: now, level: &name, target: record.target(), message: &message };
        // Strings alone: this cannot fail.
        return escaped(&serde_json::to_string(&line).unwrap_or_default(), form);
    }
    let mut line = String::new();
    if form == Form::Journal {
        line += match level {
            Level::Error => "<3>",
            Level::Warn => "<4>",
            Level::Info => "<6>",
            Level::Debug | Level::Trace => "<7>",
        };
    }
    line + &format!("{now} {level:5} ") + &escaped(&message, form)
}

/// The text without characters that steer a terminal, change how others are shown or begin a line:
/// they become `\u{1b}`, and in JSON `\u001b`. Beyond ASCII, JSON has characters in strings alone.
fn escaped(text: &str, form: Form) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        // Writing into a String cannot fail.
        let _ = match (steers(c), form) {
            (false, _) => safe.write_char(c),
            (true, Form::Text | Form::Journal) => write!(safe, "{}", c.escape_unicode()),
            (true, Form::Json) => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .try_for_each(|unit| write!(safe, "\\u{unit:04x}")),
        };
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-01-02T03:04:05Z";

    fn line(form: Form, level: Level, message: &str) -> String {
        let arguments = format_args!("{message}");
        written(form, NOW, &Record::builder().level(level).target("t").args(arguments).build())
    }

    #[test]
    fn lines_of_each_form() {
        for (form, level, expected) in [
            (Form::Text, Level::Info, "2026-01-02T03:04:05Z INFO  the web"),
            (Form::Journal, Level::Error, "<3>2026-01-02T03:04:05Z ERROR the web"),
            (Form::Journal, Level::Warn, "<4>2026-01-02T03:04:05Z WARN  the web"),
            (Form::Journal, Level::Info, "<6>2026-01-02T03:04:05Z INFO  the web"),
            (Form::Journal, Level::Debug, "<7>2026-01-02T03:04:05Z DEBUG the web"),
            (
                Form::Json,
                Level::Warn,
                r#"{"time":"2026-01-02T03:04:05Z","level":"warn","target":"t","message":"the web"}"#,
            ),
        ] {
            assert_eq!(line(form, level, "the web"), expected);
        }
    }

    #[test]
    fn a_line_stays_one_line_and_json_stays_json() {
        for bad in [
            "a\nb",
            "a\r\nb",
            "\u{1b}[2J",
            "\0",
            "\u{85}",
            "\u{2028}",
            "\"},{\"",
            "\\",
            "\u{202e}é",
            "\u{e0041}",
        ] {
            for form in [Form::Text, Form::Journal, Form::Json] {
                let line = line(form, Level::Info, bad);
                assert!(!line.chars().any(steers), "{line:?}");
                if form == Form::Json {
                    let read: serde_json::Value = serde_json::from_str(&line).unwrap();
                    assert_eq!(read["message"], bad);
                }
            }
        }
    }
}
