//! Values of flags that several commands parse: durations, and on or off.

use std::time::Duration;

use clap::ValueEnum;

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(super) enum Switch {
    On,
    Off,
}

/// Parses plain seconds, or numbers with units; zero is allowed.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match text.trim().parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text.trim())
            .map_err(|_| "write it as 24h, 30d, 15m, or a number of seconds".to_owned()),
    }
}

/// Parses a duration of at least one second.
pub(super) fn lifespan(text: &str) -> Result<Duration, String> {
    let lifespan = duration(text)?;
    if lifespan < Duration::from_secs(1) {
        return Err("it must be at least one second".into());
    }
    Ok(lifespan)
}

/// A duration, or `off`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Optional(pub(super) Option<Duration>);

/// Parses a duration of at least one second, or `off`.
pub(super) fn optional_lifespan(text: &str) -> Result<Optional, String> {
    match text.trim() {
        "off" => Ok(Optional(None)),
        text => lifespan(text).map(Some).map(Optional),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifespans() {
        for (text, seconds) in [
            ("90", Some(90)),
            ("24h", Some(86_400)),
            ("30d", Some(2_592_000)),
            ("24 hours", Some(86_400)),
            ("1h 30m", Some(5_400)),
            ("2s", Some(2)),
            ("0", None),
            ("500ms", None),
            ("-1", None),
            ("", None),
            ("soon", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(lifespan(text).ok(), seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn a_duration_may_be_zero() {
        for (text, seconds) in [("0", Some(0)), ("0s", Some(0)), ("60s", Some(60)), ("-1", None)] {
            assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs), "{text:?}");
        }
    }
}
