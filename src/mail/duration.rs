//! Durations in words, for mails: `24 hours`, `24 horas`.

use std::time::Duration;

use crate::values::Language;

struct Unit {
    seconds: u64,
    /// The smallest number of it that is used: `24 hours`, but `2 days`.
    least: u64,
    /// Singular and plural, by [`Language`].
    names: [(&'static str, &'static str); 2],
}

const UNITS: [Unit; 3] = [
    Unit { seconds: 86_400, least: 2, names: [("day", "days"), ("dia", "dias")] },
    Unit { seconds: 3_600, least: 1, names: [("hour", "hours"), ("hora", "horas")] },
    Unit { seconds: 60, least: 1, names: [("minute", "minutes"), ("minuto", "minutos")] },
];
const SECOND: Unit =
    Unit { seconds: 1, least: 0, names: [("second", "seconds"), ("segundo", "segundos")] };

/// The duration as a whole number of the largest unit that loses at most a fifth of it, rounded
/// down. A duration is rounded up only by one part in a hundred: a mail is rendered a moment after
/// its link was made, and 23:59:59 should read as `24 hours`.
pub(super) fn in_words(time: Duration, language: Language) -> String {
    let seconds = time.as_secs();
    let rounded_up = seconds.saturating_add(seconds / 100);
    let fitting = UNITS.iter().find(|unit| {
        let number = rounded_up / unit.seconds;
        number >= unit.least && seconds.saturating_sub(number * unit.seconds) <= seconds / 5
    });
    let (number, unit) = match fitting {
        Some(unit) => (rounded_up / unit.seconds, unit),
        None => (seconds, &SECOND),
    };
    let (one, many) = unit.names[language as usize];
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_in_words() {
        for (seconds, english, portuguese) in [
            (0, "0 seconds", "0 segundos"),
            (1, "1 second", "1 segundo"),
            (60, "1 minute", "1 minuto"),
            (90, "90 seconds", "90 segundos"),
            (599, "10 minutes", "10 minutos"),
            (1_790, "30 minutes", "30 minutos"),
            (3_600, "1 hour", "1 hora"),
            (3_599, "1 hour", "1 hora"),
            (5_400, "90 minutes", "90 minutos"),
            (86_399, "24 hours", "24 horas"),
            (36 * 3_600, "36 hours", "36 horas"),
            // The remaining time of a link whose mail was delayed.
            (19_740, "5 hours", "5 horas"),
            (80_000, "22 hours", "22 horas"),
            (2 * 86_400, "2 days", "2 dias"),
            (7 * 86_400, "7 days", "7 dias"),
            (7 * 86_400 - 1, "7 days", "7 dias"),
            (u64::MAX, "213503982334601 days", "213503982334601 dias"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!(in_words(time, Language::English), english);
            assert_eq!(in_words(time, Language::Portuguese), portuguese);
        }
    }
}
