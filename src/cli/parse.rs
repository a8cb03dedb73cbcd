//! Values of flags and arguments that several commands parse, and how they are written back.

use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use super::output::failed;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::values::{Email, Roles};

/// Parses plain seconds, or numbers with units; zero is allowed.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match text.trim().parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text.trim())
            .map_err(|_| "write it as 24h, 30d, 15m, or a number of seconds".to_owned()),
    }
}

/// The duration as a flag would be written: a whole number of the largest unit that fits, where
/// one day is `24h` and one minute is `60s`; else several units, as in `91d 7h 40m 48s`.
pub(super) fn written(duration: Duration) -> String {
    let (mut seconds, millis) = (duration.as_secs(), duration.subsec_millis());
    let units = [(24 * 3600, 'd', 2), (3600, 'h', 1), (60, 'm', 2)];
    let fits = |(unit, _, least): &(u64, char, u64)| {
        millis == 0 && seconds.is_multiple_of(*unit) && seconds / unit >= *least
    };
    if let Some((unit, letter, _)) = units.iter().find(|unit| fits(unit)) {
        return format!("{}{letter}", seconds / unit);
    }
    let mut parts = Vec::new();
    for (unit, letter, _) in units.iter().filter(|_| duration.as_secs() > 3600) {
        parts.push((seconds / unit > 0).then(|| format!("{}{letter}", seconds / unit)));
        seconds %= unit;
    }
    let is_zero = parts.iter().all(Option::is_none) && millis == 0;
    parts.push((seconds > 0 || is_zero).then(|| format!("{seconds}s")));
    parts.push((millis > 0).then(|| format!("{millis}ms")));
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Parses a number of bytes, alone or with a binary unit; zero is allowed.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let units = [("KiB", 10), ("MiB", 20), ("GiB", 30)];
    let unit = units.iter().find_map(|(unit, bits)| Some((text.strip_suffix(unit)?, *bits)));
    let (number, bits) = unit.unwrap_or((text, 0));
    let bytes = number.trim_end().parse::<u64>().ok().and_then(|n| n.checked_mul(1 << bits));
    bytes.ok_or_else(|| "write it as 1GiB, 512MiB, or a number of bytes".to_owned())
}

/// The number of bytes as a flag would be written, with the largest unit that divides it.
pub(super) fn written_size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fits = |(bits, _): &&(u32, &str)| bytes > 0 && bytes.is_multiple_of(1 << bits);
    match units.iter().find(fits) {
        Some((bits, unit)) => format!("{}{unit}", bytes >> bits),
        None => bytes.to_string(),
    }
}

/// Parses an IP address and a port. Of names, only `localhost` is taken: what another one stands for can
/// differ from one start to the next, and which of its IP addresses is meant.
pub(super) fn listen(text: &str) -> Result<SocketAddr, String> {
    let text = text.trim();
    let port = text.strip_prefix("localhost:").and_then(|port| port.parse::<u16>().ok());
    if let Some(port) = port {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse().map_err(|_| {
        let port = text.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        let port = port.unwrap_or(5000);
        format!(
            "write an IP address and a port: 127.0.0.1:{port} for this machine alone, 0.0.0.0:{port} \
             for the network; names are not looked up"
        )
    })
}

/// Puts the flag in front of a problem whose text does not name it.
pub(super) fn naming(flag: &'static str) -> impl Fn(Problem) -> Problem {
    move |problem| Problem { what: format!("{flag}: {}", problem.what), ..problem }
}

/// Parses an e-mail address.
pub(super) fn email(text: &str) -> Result<Email, Problem> {
    Email::parse(text).map_err(|_| {
        Problem::usage(format!("{text:?} is no e-mail address"), "write it like ada@example.org")
    })
}

/// Parses roles that are joined by commas.
pub(super) fn roles(text: &str) -> Result<Roles, Problem> {
    let next = "write a role like editor, and several like admin,editor";
    Roles::parse(text).map_err(|error| Problem { next: next.into(), usage: true, ..failed(error) })
}

/// Parses a duration of at least one second.
pub(super) fn lifespan(text: &str) -> Result<Duration, String> {
    let lifespan = duration(text)?;
    if lifespan < Duration::from_secs(1) {
        return Err("it must be at least one second".into());
    }
    Ok(lifespan)
}

/// Parses a date; returns the last second of that day in UTC.
pub(super) fn last_second(text: &str) -> Result<Timestamp, String> {
    let text = text.trim();
    let form =
        |(at, b): (usize, u8)| if matches!(at, 4 | 7) { b == b'-' } else { b.is_ascii_digit() };
    let written = text.len() == 10 && text.bytes().enumerate().all(form);
    let end = written.then(|| humantime::parse_rfc3339(&format!("{text}T23:59:59Z")).ok());
    let since = end.flatten().and_then(|end| end.duration_since(UNIX_EPOCH).ok());
    // humantime reads years up to 9999, so the seconds fit.
    let second = since.and_then(|since| i64::try_from(since.as_secs()).ok());
    second.map(Timestamp).ok_or_else(|| "write a date as 2026-12-31".to_owned())
}

/// Parses a duration of at least one second, or `off`.
pub(super) fn optional_lifespan(text: &str) -> Result<Option<Duration>, String> {
    match text.trim() {
        "off" => Ok(None),
        text => lifespan(text).map(Some),
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
    fn sizes() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("4096", Some(4_096)),
            ("64KiB", Some(65_536)),
            (" 512 MiB ", Some(536_870_912)),
            ("1GiB", Some(1_073_741_824)),
            ("17179869183GiB", Some(18_446_744_072_635_809_792)),
            ("17179869184GiB", None),
            ("18446744073709551616", None),
            ("", None),
            ("GiB", None),
            ("-1", None),
            ("1.5GiB", None),
            ("1GB", None),
            ("1gib", None),
            ("1 TiB", None),
        ] {
            assert_eq!(size(text).ok(), bytes, "{text:?}");
            if let Some(bytes) = bytes {
                assert_eq!(size(&written_size(bytes)), Ok(bytes), "{text:?}");
            }
        }
        assert_eq!(written_size(2_047 << 20), "2047MiB");
        assert_eq!(written_size(1 << 30), "1GiB");
        assert_eq!(written_size(0), "0");
    }

    #[test]
    fn durations_are_written_as_flags_are() {
        for (seconds, expected) in [
            (0, "0s"),
            (1, "1s"),
            (60, "60s"),
            (90, "90s"),
            (3_599, "3599s"),
            (3_601, "1h 1s"),
            (7_890_048, "91d 7h 40m 48s"),
            (900, "15m"),
            (3_600, "1h"),
            (5_400, "90m"),
            (86_400, "24h"),
            (129_600, "36h"),
            (172_800, "2d"),
            (2_592_000, "30d"),
            (7_776_000, "90d"),
        ] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(written(duration), expected);
            assert_eq!(super::duration(expected), Ok(duration));
        }
        for (millis, expected) in [(1_500, "1s 500ms"), (500, "500ms"), (86_400_250, "1d 250ms")] {
            let duration = Duration::from_millis(millis);
            assert_eq!(written(duration), expected);
            assert_eq!(super::duration(expected), Ok(duration));
        }
    }

    #[test]
    fn an_address_to_listen_on_is_no_name() {
        assert!(listen("127.0.0.1:5000").is_ok() && listen("[::]:5000").is_ok());
        assert_eq!(listen("localhost:80"), Ok(SocketAddr::from(([127, 0, 0, 1], 80))));
        for (bad, port) in [
            ("login.example:80", 80),
            ("127.0.0.1", 5000),
            (":8080", 8080),
            ("8080", 8080),
            ("localhost", 5000),
            ("localhost:70000", 5000),
            ("", 5000),
        ] {
            let why = listen(bad).unwrap_err();
            assert!(why.contains(&format!("127.0.0.1:{port} ")), "{bad}: {why}");
        }
    }

    #[test]
    fn a_date_is_over_with_its_last_second() {
        for (text, expected) in [
            ("1970-01-01", Some(86_399)),
            ("2026-12-31", Some(1_798_761_599)),
            (" 2028-02-29 ", Some(1_835_481_599)),
            ("2026-02-29", None),
            ("2026-13-01", None),
            ("2026-00-10", None),
            ("2026-1-1", None),
            ("31.12.2026", None),
            ("2026-12-31T00", None),
            ("1969-12-31", None),
            ("+026-12-31", None),
            ("99999-12-31", None),
            ("", None),
        ] {
            assert_eq!(last_second(text).ok(), expected.map(Timestamp), "{text:?}");
        }
    }

    #[test]
    fn a_duration_may_be_zero() {
        for (text, seconds) in [("0", Some(0)), ("0s", Some(0)), ("60s", Some(60)), ("-1", None)] {
            assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs), "{text:?}");
        }
    }
}
