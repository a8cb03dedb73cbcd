//! Times as other programs write them, and RFC 3339 for an export. Knows no clock.

use crate::clock::Timestamp;

/// The last second of the year 9999. A larger number is no number of seconds, but of milliseconds.
const LAST: i64 = 253_402_300_799;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// Reads seconds since 1970, perhaps with a fraction, or a date with or without a time and a zone (ISO
/// 8601, as databases, Python and JavaScript write it); UTC if it names no zone. `None` if it is
/// neither, or not in the years 1970 to 9999.
pub(crate) fn read_created(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let seconds = seconds(text).or_else(|| date_time(text))?;
    (0..=LAST).contains(&seconds).then_some(Timestamp(seconds))
}

/// Writes a time as RFC 3339 does. One that is not in the years 1970 to 9999 becomes the nearest
/// that is.
pub(super) fn write(at: Timestamp) -> String {
    let at = at.0.clamp(0, LAST);
    let (day, second) = (at.div_euclid(DAY), at.rem_euclid(DAY));
    let (year, month, day) = civil(day);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let seconds = whole.parse().ok()?;
    all_digits(fraction).then_some(seconds)
}

fn date_time(text: &str) -> Option<i64> {
    let (date, rest) = text.split_at_checked(10)?;
    let midnight = date_of(date)? * DAY;
    let Some(rest) = rest.strip_prefix(['T', 't', ' ']) else {
        return rest.is_empty().then_some(midnight);
    };
    let zone = rest.find(['Z', 'z', '+', '-', ' ']).unwrap_or(rest.len());
    let (time, zone) = rest.split_at(zone);
    Some(midnight + time_of(time)? - offset(zone.trim_start())?)
}

/// The days since 1970 of a date like `2026-11-29`.
fn date_of(text: &str) -> Option<i64> {
    let mut parts = text.split('-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let days = days(year, month, day);
    // A day that the month does not have becomes one of the next month.
    (parts.next().is_none() && civil(days) == (year, month, day)).then_some(days)
}

/// The seconds since midnight of a time like `12:00`, `12:00:00` or `12:00:00.123`.
fn time_of(text: &str) -> Option<i64> {
    let (text, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let mut parts = text.split(':').map(number);
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    // 60 is a leap second.
    let fine = hour < 24 && minute < 60 && second <= 60 && all_digits(fraction);
    (fine && parts.next().is_none()).then_some(hour * 3_600 + minute * 60 + second)
}

/// The seconds of a zone like `Z`, `+01`, `-0330`, `+05:30` or `UTC`; 0 if there is none.
fn offset(text: &str) -> Option<i64> {
    if ["", "Z", "z", "UTC"].contains(&text) {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.strip_prefix(['+', '-'])?.split(':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    let minutes = if minutes.is_empty() { 0 } else { number(minutes)? };
    let hours = number(hours)?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}

/// A number of two or four digits.
fn number(text: &str) -> Option<i64> {
    let fine = all_digits(text) && [2, 4].contains(&text.len());
    fine.then(|| text.parse().ok())?
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The days from 1970-01-01 to a date of the Gregorian calendar. Counts years from March, so that
/// a leap day is the last day of its year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The date (year, month, day) of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_many_programs_are_read() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1700000000", Some(1_700_000_000)),
            (" 1700000000 ", Some(1_700_000_000)),
            ("1700000000.75", Some(1_700_000_000)),
            ("1970-01-01", Some(0)),
            ("2023-11-14", Some(1_699_920_000)),
            ("2023-11-14 22:13:20", Some(1_700_000_000)),
            ("2023-11-14T22:13:20Z", Some(1_700_000_000)),
            ("2023-11-14T22:13", Some(1_699_999_980)),
            ("2023-11-14 22:13:20.123456+00", Some(1_700_000_000)),
            ("2023-11-14 22:13:20.123Z", Some(1_700_000_000)),
            ("2023-11-15 03:43:20+05:30", Some(1_700_000_000)),
            ("2023-11-14 18:43:20-0330", Some(1_700_000_000)),
            ("2023-11-14 22:13:20 UTC", Some(1_700_000_000)),
            ("2023-11-14 22:13:20 +00:00", Some(1_700_000_000)),
            ("2024-02-29", Some(1_709_164_800)),
            ("1969-12-31 23:59:59", None),
            ("9999-12-31T23:59:59Z", Some(LAST)),
            ("0000-01-01", None),
            ("1970-01-01 01:00:00+02", None),
            ("", None),
            ("never", None),
            ("infinity", None),
            ("-1", None),
            ("1e9", None),
            // Milliseconds.
            ("1700000000000", None),
            ("2023-02-29", None),
            ("2023-13-01", None),
            ("2023-00-10", None),
            ("2023-11-14x", None),
            ("2023-11-14T", None),
            ("2023-11-14 24:00:00", None),
            ("2023-11-14 22:13:20+24", None),
            ("2023-11-14 22:13:20 BC", None),
            ("2023-11-14 22:13:20.", None),
            ("14.11.2023", None),
            ("202é-11-14", None),
            ("+023-11-14", None),
        ] {
            assert_eq!(read_created(text).map(|at| at.0), expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        assert_eq!(write(Timestamp(1_700_000_000)), "2023-11-14T22:13:20Z");
        for day in (0..2_932_897).step_by(97) {
            let at = Timestamp(day * DAY + 1);
            assert_eq!(read_created(&write(at)), Some(at));
        }
        assert_eq!(write(Timestamp(i64::MIN)), "1970-01-01T00:00:00Z");
        assert_eq!(write(Timestamp(i64::MAX)), "9999-12-31T23:59:59Z");
    }
}
