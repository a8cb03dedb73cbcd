//! Reads when an account was made.

use crate::clock::Timestamp;

/// The first second of the year 10000.
const END: i64 = 253_402_300_800;

/// Reads seconds since 1970, perhaps with a fraction, or a date of ISO 8601, perhaps with a time and
/// a zone (UTC without one). `None` if it is neither, or not in the years 1970 to 9999.
pub(crate) fn read_created(text: &str) -> Option<Timestamp> {
    let text = text.trim_ascii();
    let seconds = seconds(text).or_else(|| date(text))?;
    (0..END).contains(&seconds).then_some(Timestamp(seconds))
}

/// Digits, and a fraction that is dropped.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) || fraction.is_empty() {
        return None;
    }
    whole.parse().ok()
}

/// `YYYY-MM-DD[T ]HH:MM[:SS[.frac]][Z|±HH[:MM]]`, or the date alone.
fn date(text: &str) -> Option<i64> {
    let (day, rest) = text.split_at_checked(10)?;
    let [year, month, day] = numbers(day, "dddd-dd-dd")?;
    let days = days(year, month, day)?;
    if rest.is_empty() {
        return Some(days * 86_400);
    }
    let (time, zone) = split_zone(rest.strip_prefix(['T', 't', ' '])?);
    Some(days * 86_400 + time_of_day(time)? - offset(zone)?)
}

/// The numbers in a text of this form: `d` is a digit, anything else itself.
fn numbers<const N: usize>(text: &str, form: &str) -> Option<[i64; N]> {
    let fits =
        |(byte, form): (u8, u8)| if form == b'd' { byte.is_ascii_digit() } else { byte == form };
    if text.len() != form.len() || !text.bytes().zip(form.bytes()).all(fits) {
        return None;
    }
    let mut numbers = [0; N];
    for (number, digits) in numbers.iter_mut().zip(text.split(|c: char| !c.is_ascii_digit())) {
        *number = digits.parse().ok()?;
    }
    Some(numbers)
}

/// Days since 1970 (Howard Hinnant's `days_from_civil`); the year must not be before it.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if year < 1 || !(1..=length).contains(&day) {
        return None;
    }
    // The year begins in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468)
}

/// The time, and the zone behind it.
fn split_zone(text: &str) -> (&str, &str) {
    text.split_at(text.find(['Z', 'z', '+', '-']).unwrap_or(text.len()))
}

/// Seconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let (whole, fraction) = match text.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    if fraction.is_some_and(|digits| digits.is_empty() || !is_digits(digits)) {
        return None;
    }
    let [hour, minute, second] = match numbers(whole, "dd:dd:dd") {
        Some(time) => time,
        // A fraction is one of seconds.
        None if fraction.is_some() => return None,
        None => {
            let [hour, minute] = numbers(whole, "dd:dd")?;
            [hour, minute, 0]
        }
    };
    let fits = hour < 24 && minute < 60 && second < 60;
    fits.then_some(hour * 3_600 + minute * 60 + second)
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = zone.split_at_checked(1)?;
    let [hours, minutes] = match numbers(digits, "dd:dd") {
        Some(offset) => offset,
        None => {
            let [hours] = numbers(digits, "dd")?;
            [hours, 0]
        }
    };
    let offset = hours * 3_600 + minutes * 60;
    (hours < 24 && minutes < 60).then_some(if sign == "-" { -offset } else { offset })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_or_are_none() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1764432000", Some(1_764_432_000)),
            ("1764432000.75", Some(1_764_432_000)),
            (" 1764432000\n", Some(1_764_432_000)),
            ("253402300799", Some(END - 1)),
            ("253402300800", None),
            // Milliseconds.
            ("1764432000000", None),
            ("99999999999999999999", None),
            ("-1", None),
            ("+1", None),
            ("1.", None),
            (".5", None),
            ("1.5.5", None),
            ("1e9", None),
            ("", None),
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:00", Some(0)),
            ("1970-01-01 00:00:01", Some(1)),
            ("1970-01-02T00:00:00Z", Some(86_400)),
            ("2000-02-29T12:30:15.999999Z", Some(951_827_415)),
            ("2000-03-01", Some(951_868_800)),
            ("2024-02-29", Some(1_709_164_800)),
            ("2023-02-29", None),
            ("2100-02-29", None),
            ("2100-03-01", Some(4_107_542_400)),
            ("2025-11-29 16:00:00+00", Some(1_764_432_000)),
            ("2025-11-29 16:00:00.123456+00", Some(1_764_432_000)),
            ("2025-11-29T18:00:00+02:00", Some(1_764_432_000)),
            ("2025-11-29t10:30:00-05:30", Some(1_764_432_000)),
            ("2025-11-29 16:00Z", Some(1_764_432_000)),
            ("2025-11-29 16:00-03", Some(1_764_442_800)),
            ("2025-11-29 16:00:00 ", Some(1_764_432_000)),
            ("2025-11-29 16:00:00 +00", None),
            ("2025-11-29T", None),
            ("2025-11-29T16", None),
            ("2025-11-29T16:00.5", None),
            ("2025-11-29T16:00:00.", None),
            ("2025-11-29T16:00:00.x", None),
            ("2025-11-29T24:00:00", None),
            ("2025-11-29T23:60:00", None),
            ("2025-11-29T23:59:60", None),
            ("2025-11-29T16:00:00+24", None),
            ("2025-11-29T16:00:00+1", None),
            ("2025-11-29T16:00:00+0100", None),
            ("2025-11-29T16:00:00ZZ", None),
            ("2025-11-29Z", None),
            ("2025-13-01", None),
            ("2025-00-01", None),
            ("2025-01-00", None),
            ("2025-04-31", None),
            ("2025-1-01", None),
            ("25-11-29", None),
            ("29/11/2025", None),
            ("1969-12-31T23:59:59Z", None),
            ("1970-01-01T00:00:00+01:00", None),
            ("1969-12-31T23:30:00-01:00", Some(1_800)),
            ("0000-01-01", None),
            ("9999-12-31T23:59:59Z", Some(END - 1)),
            ("9999-12-31T23:59:59-01:00", None),
            ("10000-01-01", None),
            ("infinity", None),
            ("2025-11-29 16:00:00 BC", None),
            ("2025\u{2013}11\u{2013}29", None),
            ("\u{661}970-01-01", None),
            ("2025-11-2\u{e9}", None),
        ] {
            assert_eq!(read_created(text).map(|at| at.0), expected, "{text:?}");
        }
    }

    #[test]
    fn every_day_follows_the_one_before() {
        let mut expected = 0;
        for year in 1970..2500 {
            for month in 1..=12 {
                for day in 1..=31 {
                    if let Some(found) = days(year, month, day) {
                        assert_eq!(found, expected, "{year}-{month}-{day}");
                        expected += 1;
                    }
                }
            }
        }
    }
}
