//! Log lines on standard error: their levels, their form, and their words.

use std::io::Write as _;

use clap::ValueEnum;

use super::words::in_flags;

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

/// Sends log lines of this level and above, and panics, to standard error.
pub(super) fn start(level: LogLevel) {
    let level = match level {
        LogLevel::Off => log::LevelFilter::Off,
        LogLevel::Error => log::LevelFilter::Error,
        LogLevel::Warn => log::LevelFilter::Warn,
        LogLevel::Info => log::LevelFilter::Info,
        LogLevel::Debug => log::LevelFilter::Debug,
    };
    let _ = env_logger::Builder::new()
        .filter_level(level)
        .format(|line, record| {
            let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
            writeln!(line, "{now} {:5} {}", record.level(), in_flags(&record.args().to_string()))
        })
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log::error!("a bug in lictor at {place}; please report it");
    }));
}
