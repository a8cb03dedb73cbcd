//! What our mails say: the letters, their built-in words, and those that somebody puts in their
//! place. Knows no mail server.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::template::{MAX_FILE, Values, Words, escaped, fill};
use crate::error::Problem;
use crate::language::Language;

/// A mail, before it has words.
#[derive(Debug, Clone, Copy)]
pub enum Letter<'a> {
    /// Follow the link to finish the registration.
    Confirm {
        /// Whose account.
        name: &'a str,
        /// Where to.
        link: &'a str,
        /// How long it can be used.
        lifespan: Duration,
    },
    /// Somebody has given the address of this account.
    Taken {
        /// Whose account.
        name: &'a str,
    },
    /// Follow the link to set a new password.
    Reset {
        /// Whose account.
        name: &'a str,
        /// Where to.
        link: &'a str,
        /// How long it can be used.
        lifespan: Duration,
    },
    /// Follow the link to confirm another address.
    NewAddress {
        /// Whose account.
        name: &'a str,
        /// Where to.
        link: &'a str,
        /// How long it can be used.
        lifespan: Duration,
    },
    /// To the old address: it no longer is that of the account.
    AddressChanged {
        /// Whose account.
        name: &'a str,
        /// The new one.
        address: &'a str,
    },
    /// The account has another password.
    PasswordChanged {
        /// Whose account.
        name: &'a str,
    },
    /// The second factor was turned on or off.
    SecondFactor {
        /// Whose account.
        name: &'a str,
        /// On.
        on: bool,
    },
    /// Mail arrives.
    Test,
}

/// A mail with its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// One line.
    pub subject: String,
    /// For programs that show plain text.
    pub text: String,
    /// For all others.
    pub html: String,
}

/// A letter's file, without its language and ending, and what must be filled in.
type Kind = (&'static str, Option<&'static str>);

const CONFIRM: Kind = ("confirm", Some("link"));
const TAKEN: Kind = ("taken", None);
const RESET: Kind = ("reset", Some("link"));
const NEW_ADDRESS: Kind = ("new-address", Some("link"));
const ADDRESS_CHANGED: Kind = ("address-changed", None);
const PASSWORD_CHANGED: Kind = ("password-changed", None);
const FACTOR_ON: Kind = ("second-factor-on", None);
const FACTOR_OFF: Kind = ("second-factor-off", None);
const TEST: Kind = ("test", None);

/// What can be filled into a letter.
const NAMES: [&str; 5] = ["service", "name", "link", "lifespan", "address"];
/// What can be filled into the frame.
const IN_FRAME: [&str; 5] = ["service", "language", "subject", "preview", "body"];
const FRAME: &str = "frame.html";

macro_rules! built_in {
    ($($kind:ident $file:literal),* $(,)?) => {
        [$(
            ($kind, Language::English, include_str!(concat!("templates/", $file, ".en.txt"))),
            ($kind, Language::Portuguese, include_str!(concat!("templates/", $file, ".pt.txt"))),
        )*]
    };
}

const BUILT_IN: [(Kind, Language, &str); 18] = built_in![
    CONFIRM "confirm",
    TAKEN "taken",
    RESET "reset",
    NEW_ADDRESS "new-address",
    ADDRESS_CHANGED "address-changed",
    PASSWORD_CHANGED "password-changed",
    FACTOR_ON "second-factor-on",
    FACTOR_OFF "second-factor-off",
    TEST "test",
];

/// The words of all letters.
#[derive(Debug, Clone)]
pub struct Templates {
    service: String,
    frame: String,
    words: Vec<(Kind, Language, Words)>,
}

impl Templates {
    /// The built-in ones, for a service of this name.
    pub fn new(service: &str) -> Templates {
        // A test parses them all.
        let words = BUILT_IN.iter().filter_map(|&(kind, language, text)| {
            Words::parse(text, &NAMES, kind.1).ok().map(|words| (kind, language, words))
        });
        let frame = include_str!("templates/frame.html").to_owned();
        Templates { service: service.to_owned(), frame, words: words.collect() }
    }

    /// The same, with the files of a folder in the place of built-in ones.
    pub fn with_files(service: &str, directory: &Path) -> Result<Templates, Problem> {
        let mut templates = Templates::new(service);
        let unreadable = |error: std::io::Error| {
            Problem::usage(
                format!("cannot read the mail templates in {}: {error}", directory.display()),
                "give a folder that the user who runs lictor can read with --mail-templates",
            )
        };
        for entry in fs::read_dir(directory).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            let wrong = |why: String| {
                Problem::usage(
                    format!("the mail template {} cannot be used: {why}", path.display()),
                    "mend the file, or take it away for the built-in words",
                )
            };
            templates.replace(&path).map_err(wrong)?;
        }
        Ok(templates)
    }

    fn replace(&mut self, path: &Path) -> Result<(), String> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == FRAME {
            let frame = read(path)?;
            Words::parse(&format!("Subject: -\n\n{frame}"), &IN_FRAME, Some("body"))?;
            self.frame = frame;
            return Ok(());
        }
        let place = self.words.iter_mut().find(|((kind, _), language, _)| {
            name.strip_prefix(kind).and_then(|rest| rest.strip_prefix('.'))
                == Some(&format!("{}.txt", language.code()))
        });
        let Some((kind, _, words)) = place else {
            return Err("no letter has this name; it would be like reset.en.txt".into());
        };
        *words = Words::parse(&read(path)?, &NAMES, kind.1)?;
        Ok(())
    }

    /// Writes a letter.
    pub fn render(&self, letter: &Letter<'_>, language: Language) -> Content {
        let (kind, name, link, lifespan, address) = match *letter {
            Letter::Confirm { name, link, lifespan } => (CONFIRM, name, link, lifespan, ""),
            Letter::Taken { name } => (TAKEN, name, "", Duration::ZERO, ""),
            Letter::Reset { name, link, lifespan } => (RESET, name, link, lifespan, ""),
            Letter::NewAddress { name, link, lifespan } => (NEW_ADDRESS, name, link, lifespan, ""),
            Letter::AddressChanged { name, address } => {
                (ADDRESS_CHANGED, name, "", Duration::ZERO, address)
            }
            Letter::PasswordChanged { name } => (PASSWORD_CHANGED, name, "", Duration::ZERO, ""),
            Letter::SecondFactor { name, on: true } => (FACTOR_ON, name, "", Duration::ZERO, ""),
            Letter::SecondFactor { name, on: false } => (FACTOR_OFF, name, "", Duration::ZERO, ""),
            Letter::Test => (TEST, "", "", Duration::ZERO, ""),
        };
        let lifespan = in_words(lifespan, language);
        let values = [
            ("service", self.service.as_str()),
            ("name", name),
            ("link", link),
            ("lifespan", &lifespan),
            ("address", address),
        ];
        self.written(kind, language, &values)
    }

    fn written(&self, kind: Kind, language: Language, values: &Values<'_>) -> Content {
        let found =
            self.words.iter().find(|(known, spoken, _)| *known == kind && *spoken == language);
        let Some((_, _, words)) = found else {
            return Content { subject: kind.0.into(), text: String::new(), html: String::new() };
        };
        let subject = words.subject(values);
        // These are HTML already.
        let (body, preview) = (words.html(values), words.preview(values));
        let (service, title) = (escaped(&self.service), escaped(&subject));
        let in_frame = [
            ("service", service.as_str()),
            ("language", language.code()),
            ("subject", &title),
            ("preview", &preview),
            ("body", &body),
        ];
        let html = fill(&self.frame, &in_frame, str::to_owned);
        Content { subject, text: words.text(values), html }
    }
}

fn read(path: &Path) -> Result<String, String> {
    let size = fs::metadata(path).map_err(|error| error.to_string())?.len();
    if size > MAX_FILE as u64 {
        return Err(format!("it is larger than {MAX_FILE} bytes"));
    }
    fs::read_to_string(path).map_err(|error| error.to_string())
}

/// A time in its largest fitting unit, rounded: what is left of 24 hours a second later is still
/// called that.
fn in_words(time: Duration, language: Language) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0..90 => (seconds, 0),
        90..5_400 => ((seconds + 30) / 60, 1),
        5_400..172_800 => ((seconds + 1_800) / 3_600, 2),
        _ => (seconds.saturating_add(43_200) / 86_400, 3),
    };
    let units = match language {
        Language::English => {
            [("second", "seconds"), ("minute", "minutes"), ("hour", "hours"), ("day", "days")]
        }
        Language::Portuguese => {
            [("segundo", "segundos"), ("minuto", "minutos"), ("hora", "horas"), ("dia", "dias")]
        }
    };
    // An hour is never called 60 minutes.
    let (number, unit) = if (number, unit) == (60, 1) { (1, 2) } else { (number, unit) };
    let (one, many) = units[unit];
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "https://a.example/finalize?x=1&token=a.b.c";
    const DAY: Duration = Duration::from_secs(86_399);

    fn letters(name: &str) -> [Letter<'_>; 9] {
        [
            Letter::Confirm { name, link: LINK, lifespan: DAY },
            Letter::Taken { name },
            Letter::Reset { name, link: LINK, lifespan: Duration::from_secs(3_600) },
            Letter::NewAddress { name, link: LINK, lifespan: DAY },
            Letter::AddressChanged { name, address: "new@a.example" },
            Letter::PasswordChanged { name },
            Letter::SecondFactor { name, on: true },
            Letter::SecondFactor { name, on: false },
            Letter::Test,
        ]
    }

    fn all(templates: &Templates, name: &str) -> Vec<(String, Content)> {
        let languages = [Language::English, Language::Portuguese];
        let each = |letter: Letter<'_>| {
            languages.map(|language| {
                (format!("{letter:?} {language:?}"), templates.render(&letter, language))
            })
        };
        letters(name).into_iter().flat_map(each).collect()
    }

    #[test]
    fn every_letter_has_words_in_every_language() {
        let templates = Templates::new("Ada's Photos");
        assert_eq!(templates.words.len(), BUILT_IN.len());
        for (what, Content { subject, text, html }) in all(&templates, "ada") {
            assert!(subject.contains("Ada's Photos") && subject.len() < 80, "{what}: {subject}");
            assert!(html.contains("Ada&#39;s Photos") && html.len() < 10_000, "{what}");
            let links = usize::from(what.contains("link"));
            assert_eq!(text.lines().filter(|line| *line == LINK).count(), links, "{what}: {text}");
            assert_eq!(
                html.matches("href=\"https://a.example/finalize?x=1&amp;token=a.b.c\"").count(),
                2 * links
            );
            assert_eq!(text.contains("24 ho"), what.contains("86399s"), "{what}: {text}");
            for part in [&subject, &text, &html] {
                assert!(!part.contains("{{") && !part.contains("}}"), "{what}: {part}");
                assert!(
                    !part.contains('\r') && part.lines().all(|line| line.len() < 998),
                    "{what}"
                );
            }
            assert!(
                text.is_empty() || text.lines().all(|line| line.chars().count() <= 78),
                "{text}"
            );
            let lang = if what.contains("Portuguese") { "lang=\"pt\"" } else { "lang=\"en\"" };
            assert!(html.contains(lang), "{what}");
        }
    }

    #[test]
    fn names_bring_nothing_along() {
        let templates = Templates::new("lictor");
        for name in [
            "<script>alert(1)</script>",
            "a\r\nBcc: b@c.example",
            "\"><a href=\"https://evil.example\">",
            "x\u{202e}gpj.exe",
            "{{link}}",
            &"w".repeat(64),
            &"\u{1f600}".repeat(64),
        ] {
            for (what, Content { subject, text, html }) in all(&templates, name) {
                assert!(
                    !html.contains("<script") && !html.contains("href=\"https://evil"),
                    "{what}"
                );
                for part in [&subject, &text, &html] {
                    assert!(!part.contains('\r') && !part.contains('\u{202e}'), "{what}");
                    assert!(!part.contains("\nBcc"), "{what}: {part}");
                }
                assert!(!subject.contains('\n'), "{what}");
            }
        }
    }

    #[test]
    fn times_in_words() {
        for (seconds, english, portuguese) in [
            (1, "1 second", "1 segundo"),
            (89, "89 seconds", "89 segundos"),
            (1_790, "30 minutes", "30 minutos"),
            (3_600, "1 hour", "1 hora"),
            (3_599, "1 hour", "1 hora"),
            (86_399, "24 hours", "24 horas"),
            (7 * 86_400, "7 days", "7 dias"),
        ] {
            let time = Duration::from_secs(seconds);
            assert_eq!(in_words(time, Language::English), english);
            assert_eq!(in_words(time, Language::Portuguese), portuguese);
        }
    }

    #[test]
    fn files_of_ones_own() {
        let directory = std::env::temp_dir().join(format!("lictor-words-{}", std::process::id()));
        let good = "Subject: Hi {{name}}\nButton: Go\n\nGo:\n\n{{link}}\n";
        for (name, text, expected) in [
            ("reset.en.txt", good, None),
            ("frame.html", "<html>{{body}}</html>", None),
            ("frame.html", "<html></html>", Some("{{body}} is not in it")),
            ("reset.en.txt", "Subject: Hi\n\nno link", Some("{{link}} is not in it")),
            ("reset.en.txt", "Subject: Hi\n\n{{link}} {{password}}", Some("nothing is called")),
            ("reset.de.txt", good, Some("no letter has this name")),
            ("resett.en.txt", good, Some("no letter has this name")),
            ("reset.en.txt", &"x".repeat(MAX_FILE + 1), Some("larger than")),
        ] {
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(name), text).unwrap();
            let read = Templates::with_files("lictor", &directory);
            fs::remove_dir_all(&directory).unwrap();
            match (read, expected) {
                (Ok(templates), None) => {
                    let reset = Letter::Reset { name: "ada", link: LINK, lifespan: DAY };
                    let written = templates.render(&reset, Language::English);
                    assert!(written.subject == "Hi ada" || written.html.starts_with("<html><p"));
                }
                (Err(problem), Some(part)) => assert!(problem.what.contains(part), "{problem}"),
                (read, _) => panic!("{name}: {read:?}"),
            }
        }
        assert!(Templates::with_files("lictor", &directory).is_err());
    }

    /// For looking at them: LICTOR_LETTERS names the folder.
    #[test]
    #[ignore = "writes files for people to look at"]
    fn write_all_letters() {
        let directory = std::env::var("LICTOR_LETTERS").expect("LICTOR_LETTERS names a folder");
        for (number, (_, content)) in all(&Templates::new("Ada's Photos"), "ada").iter().enumerate()
        {
            let name = format!("{directory}/{number:02}");
            fs::write(format!("{name}.html"), &content.html).unwrap();
            let text = format!("Subject: {}\n\n{}", content.subject, content.text);
            fs::write(format!("{name}.txt"), text).unwrap();
        }
    }
}
