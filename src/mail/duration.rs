//! Durations in words, for mails: `24 hours`, `24 horas`.

use std::time::Duration;

use crate::values::Language;

struct Unit {
    seconds: u64,
    /// The smallest number of it that is used: `24 hours`, but `2 days`.
    least: u64,
    /// Singular and plural, by [`Language`].
    names: [(&'static str, &'static str); Language::ALL.len()],
}

/// Both kinds of Portuguese have the same words. German has the accusative: templates say `für`
/// before or `lang` after it.
const DAY: Unit = Unit {
    seconds: 86_400,
    least: 2,
    names: [
        ("day", "days"),
        ("dia", "dias"),
        ("dia", "dias"),
        ("Tag", "Tage"),
        ("día", "días"),
        ("jour", "jours"),
    ],
};
const HOUR: Unit = Unit {
    seconds: 3_600,
    least: 1,
    names: [
        ("hour", "hours"),
        ("hora", "horas"),
        ("hora", "horas"),
        ("Stunde", "Stunden"),
        ("hora", "horas"),
        ("heure", "heures"),
    ],
};
const MINUTE: Unit = Unit {
    seconds: 60,
    least: 1,
    names: [
        ("minute", "minutes"),
        ("minuto", "minutos"),
        ("minuto", "minutos"),
        ("Minute", "Minuten"),
        ("minuto", "minutos"),
        ("minute", "minutes"),
    ],
};
const SECOND: Unit = Unit {
    seconds: 1,
    least: 0,
    names: [
        ("second", "seconds"),
        ("segundo", "segundos"),
        ("segundo", "segundos"),
        ("Sekunde", "Sekunden"),
        ("segundo", "segundos"),
        ("seconde", "secondes"),
    ],
};

/// The duration as a whole number of the largest unit that loses at most a fifth of it, rounded
/// down. A duration is rounded up only by one part in a hundred: a mail is rendered a moment after
/// its link was made, and 23:59:59 should read as `24 hours`.
pub(super) fn in_words(time: Duration, language: Language) -> String {
    let seconds = time.as_secs();
    let rounded_up = seconds.saturating_add(seconds / 100);
    let fitting = [&DAY, &HOUR, &MINUTE].into_iter().find(|unit| {
        let number = rounded_up / unit.seconds;
        number >= unit.least && seconds.saturating_sub(number * unit.seconds) <= seconds / 5
    });
    let (number, unit) = match fitting {
        Some(unit) => (rounded_up / unit.seconds, unit),
        None => (seconds, &SECOND),
    };
    let (one, many) = unit.names[language as usize];
    // French has the singular for zero as well.
    let singular = number == 1 || number == 0 && language == Language::French;
    format!("{number} {}", if singular { one } else { many })
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
            assert_eq!(in_words(time, Language::BrazilianPortuguese), portuguese);
        }
        for (seconds, german, spanish, french) in [
            (0, "0 Sekunden", "0 segundos", "0 seconde"),
            (1, "1 Sekunde", "1 segundo", "1 seconde"),
            (45, "45 Sekunden", "45 segundos", "45 secondes"),
            (60, "1 Minute", "1 minuto", "1 minute"),
            (1_790, "30 Minuten", "30 minutos", "30 minutes"),
            (3_600, "1 Stunde", "1 hora", "1 heure"),
            (86_399, "24 Stunden", "24 horas", "24 heures"),
            (7 * 86_400, "7 Tage", "7 días", "7 jours"),
        ] {
            let time = Duration::from_secs(seconds);
            let words = [Language::German, Language::Spanish, Language::French];
            assert_eq!(words.map(|each| in_words(time, each)), [german, spanish, french]);
        }
    }
}
