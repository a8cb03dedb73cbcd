//! What our mails say: the letters, their built-in words, and those that somebody puts in their
//! place. Knows no mail server.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use super::template::{MAX_FILE, Values, Words, check_frame, escaped, fill, unlinked};
use crate::error::Problem;
use crate::values::Language;

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
    /// A recovery code took the place of the second factor.
    RecoveryCodeUsed {
        /// Whose account.
        name: &'a str,
    },
    /// The account has other recovery codes.
    RecoveryCodesReplaced {
        /// Whose account.
        name: &'a str,
    },
    /// The account is gone.
    AccountDeleted {
        /// Whose account it was.
        name: &'a str,
    },
    /// Somebody has logged in from a device that is new to the account.
    NewDevice {
        /// Whose account.
        name: &'a str,
        /// Where from, and with what program.
        device: &'a str,
    },
    /// Too many logins have failed.
    Guarded {
        /// Whose account.
        name: &'a str,
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

/// A letter as it is kept: its files' name, without language and ending, and what can be filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    file: &'static str,
    names: &'static [&'static str],
}

const WITH_LINK: &[&str] = &["service", "name", "link", "lifespan"];
const WITH_ADDRESS: &[&str] = &["service", "name", "address"];
const WITH_NAME: &[&str] = &["service", "name"];
const WITH_DEVICE: &[&str] = &["service", "name", "device"];
const ALONE: &[&str] = &["service"];

const CONFIRM: Kind = Kind { file: "confirm", names: WITH_LINK };
const TAKEN: Kind = Kind { file: "taken", names: WITH_NAME };
const RESET: Kind = Kind { file: "reset", names: WITH_LINK };
const NEW_ADDRESS: Kind = Kind { file: "new-address", names: WITH_LINK };
const ADDRESS_CHANGED: Kind = Kind { file: "address-changed", names: WITH_ADDRESS };
const PASSWORD_CHANGED: Kind = Kind { file: "password-changed", names: WITH_NAME };
const FACTOR_ON: Kind = Kind { file: "second-factor-on", names: WITH_NAME };
const FACTOR_OFF: Kind = Kind { file: "second-factor-off", names: WITH_NAME };
const RECOVERY_USED: Kind = Kind { file: "recovery-code-used", names: WITH_NAME };
const RECOVERY_REPLACED: Kind = Kind { file: "recovery-codes-replaced", names: WITH_NAME };
const DELETED: Kind = Kind { file: "account-deleted", names: WITH_NAME };
const NEW_DEVICE: Kind = Kind { file: "new-device", names: WITH_DEVICE };
const GUARDED: Kind = Kind { file: "guarded", names: WITH_NAME };
const TEST: Kind = Kind { file: "test", names: ALONE };

/// The HTML around every letter, and what can be filled in there.
const FRAME: &str = "frame.html";
const IN_FRAME: &[&str] = &["service", "language", "subject", "preview", "body"];

macro_rules! built_in {
    ($($kind:ident $file:literal),* $(,)?) => {
        [$(
            ($kind, Language::English, include_str!(concat!("templates/", $file, ".en.txt"))),
            ($kind, Language::Portuguese, include_str!(concat!("templates/", $file, ".pt.txt"))),
        )*]
    };
}

const BUILT_IN: [(Kind, Language, &str); 28] = built_in![
    CONFIRM "confirm",
    TAKEN "taken",
    RESET "reset",
    NEW_ADDRESS "new-address",
    ADDRESS_CHANGED "address-changed",
    PASSWORD_CHANGED "password-changed",
    FACTOR_ON "second-factor-on",
    FACTOR_OFF "second-factor-off",
    RECOVERY_USED "recovery-code-used",
    RECOVERY_REPLACED "recovery-codes-replaced",
    DELETED "account-deleted",
    NEW_DEVICE "new-device",
    GUARDED "guarded",
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
            Words::parse(text, kind.names).ok().map(|words| (kind, language, words))
        });
        let frame = include_str!("templates/frame.html").to_owned();
        Templates { service: service.to_owned(), frame, words: words.collect() }
    }

    /// The same, with the files of a folder in the place of built-in ones. Hidden files are left
    /// alone; any other must be a template, or a slip of the keyboard would never be noticed.
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
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let wrong = |why: String| {
                Problem::usage(
                    format!("the mail template {} cannot be used: {why}", path.display()),
                    "mend the file, or take it away for the built-in words",
                )
            };
            if !name.starts_with('.') {
                templates.replace(name, &path).map_err(wrong)?;
            }
        }
        Ok(templates)
    }

    fn replace(&mut self, name: &str, path: &Path) -> Result<(), String> {
        if name == FRAME {
            let frame = read(path)?;
            check_frame(&frame, IN_FRAME)?;
            self.frame = frame;
            return Ok(());
        }
        let place = self
            .words
            .iter_mut()
            .find(|(kind, language, _)| name == format!("{}.{}.txt", kind.file, language.code()));
        let Some((kind, _, words)) = place else { return Err(strange()) };
        *words = Words::parse(&read(path)?, kind.names)?;
        Ok(())
    }

    /// Writes a letter.
    pub fn render(&self, letter: &Letter<'_>, language: Language) -> Content {
        // What else stands in it: an e-mail address, or a device in words.
        let (kind, name, link, lifespan, other) = match *letter {
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
            Letter::RecoveryCodeUsed { name } => (RECOVERY_USED, name, "", Duration::ZERO, ""),
            Letter::RecoveryCodesReplaced { name } => {
                (RECOVERY_REPLACED, name, "", Duration::ZERO, "")
            }
            Letter::AccountDeleted { name } => (DELETED, name, "", Duration::ZERO, ""),
            Letter::NewDevice { name, device } => (NEW_DEVICE, name, "", Duration::ZERO, device),
            Letter::Guarded { name } => (GUARDED, name, "", Duration::ZERO, ""),
            Letter::Test => (TEST, "", "", Duration::ZERO, ""),
        };
        // Whoever has the address may never have heard of us, and whoever chose the name may want
        // them to follow a link of theirs.
        let to_a_stranger = kind == CONFIRM || kind == NEW_ADDRESS;
        let name = if to_a_stranger { unlinked(name) } else { name.to_owned() };
        // What a program calls itself was chosen by whoever logged in with it.
        let device = unlinked(other);
        let lifespan = in_words(lifespan, language);
        let values = [
            ("service", self.service.as_str()),
            ("name", &name),
            ("link", link),
            ("lifespan", &lifespan),
            ("address", other),
            ("device", &device),
        ];
        self.written(kind, language, &values)
    }

    fn written(&self, kind: Kind, language: Language, values: &Values<'_>) -> Content {
        let found =
            self.words.iter().find(|(known, spoken, _)| *known == kind && *spoken == language);
        // Every letter has words in every language; a test sees to that.
        let Some((_, _, words)) = found else {
            return Content { subject: kind.file.into(), text: String::new(), html: String::new() };
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

/// That no letter's file is called so, and how they are called.
fn strange() -> String {
    let mut files: Vec<&str> = BUILT_IN.iter().map(|(kind, _, _)| kind.file).collect();
    files.dedup();
    format!(
        "no template has this name; there are {FRAME}, and with .en.txt or .pt.txt behind: {}",
        files.join(", ")
    )
}

fn read(path: &Path) -> Result<String, String> {
    let told = |error: std::io::Error| error.to_string();
    // A pipe might never end.
    if !fs::metadata(path).map_err(told)?.is_file() {
        return Err("it is no file".into());
    }
    let mut bytes = Vec::new();
    let most = MAX_FILE as u64 + 1;
    fs::File::open(path).map_err(told)?.take(most).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() > MAX_FILE {
        return Err(format!("it is larger than {MAX_FILE} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".into())
}

/// A unit of time: its seconds, how many of it there must be, and what one and more are called.
struct Unit(u64, u64, [(&'static str, &'static str); 2]);

const UNITS: [Unit; 3] = [
    Unit(86_400, 2, [("day", "days"), ("dia", "dias")]),
    Unit(3_600, 1, [("hour", "hours"), ("hora", "horas")]),
    Unit(60, 1, [("minute", "minutes"), ("minuto", "minutos")]),
];
const SECOND: Unit = Unit(1, 0, [("second", "seconds"), ("segundo", "segundos")]);

/// A time in a unit that people would use, and rather a little less than too much. A mail is
/// written a moment after its link: what is left of 24 hours, to one part in a hundred, is still
/// called that.
fn in_words(time: Duration, language: Language) -> String {
    let seconds = time.as_secs();
    let almost = seconds.saturating_add(seconds / 100);
    let fitting = UNITS.iter().find(|Unit(length, least, _)| {
        let number = almost / length;
        number >= *least && seconds.saturating_sub(number * length) <= seconds / 5
    });
    let (number, Unit(_, _, words)) = match fitting {
        Some(unit) => (almost / unit.0, unit),
        None => (seconds, &SECOND),
    };
    let (one, many) = words[language as usize];
    format!("{number} {}", if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// As long as they are.
    const LINK: &str = "https://login.example.org/finalize?from=mail&token=\
        eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3NjQwNTY0MDAsImV4cCI6MTc2NDE0Mjg\
        wMCwianRpIjoiMmI4YzZmMGUtN2Q1MS00ZTBhLTlmM2MtNWE0YjFkMmU2Zjc4IiwiaWQiOjEyLCJybHM\
        iOiIiLCJyZl9leHAiOjE3NjQxNDI4MDAsImlzX2VydCI6dHJ1ZX0.Zm9yLXNob3ctb25seS1ub3QtYS1\
        zaWduYXR1cmUtMTIz";
    const DAY: Duration = Duration::from_secs(86_399);

    fn letters(name: &str) -> [Letter<'_>; 14] {
        [
            Letter::Confirm { name, link: LINK, lifespan: DAY },
            Letter::Taken { name },
            Letter::Reset { name, link: LINK, lifespan: Duration::from_secs(3_600) },
            Letter::NewAddress { name, link: LINK, lifespan: DAY },
            Letter::AddressChanged { name, address: "new@a.example" },
            Letter::PasswordChanged { name },
            Letter::SecondFactor { name, on: true },
            Letter::SecondFactor { name, on: false },
            Letter::RecoveryCodeUsed { name },
            Letter::RecoveryCodesReplaced { name },
            Letter::AccountDeleted { name },
            Letter::NewDevice { name, device: "Firefox on 192.0.2.1" },
            Letter::Guarded { name },
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
        for (what, Content { subject, text, html }) in all(&templates, "grace") {
            assert!(subject.contains("Ada's Photos") && subject.len() < 70, "{what}: {subject}");
            assert!(text.replace('\n', " ").contains("Ada's Photos"), "{what}: {text}");
            assert!(html.contains("Ada&#39;s Photos") && html.len() < 10_000, "{what}");
            let links = usize::from(what.contains("link"));
            assert_eq!(text.lines().filter(|line| *line == LINK).count(), links, "{what}: {text}");
            assert_eq!(text.matches("http").count(), links, "{what}: {text}");
            let href = format!("href=\"{}\"", LINK.replace('&', "&amp;"));
            assert_eq!(html.matches(&href).count(), 2 * links, "{what}: {html}");
            assert_eq!(html.matches("http").count(), 3 * links, "{what}: nothing else is linked");
            assert_eq!(text.contains("24 ho"), what.contains("86399s"), "{what}: {text}");
            assert_eq!(text.contains("grace"), !what.starts_with("Test"), "{what}: {text}");
            assert_eq!(text.contains("new@a.example"), what.contains("new@"), "{what}: {text}");
            assert!(
                text.lines().all(|line| line == LINK || line.chars().count() <= 72),
                "{what}: {text}"
            );
            let language = if what.contains("Portuguese") { "pt" } else { "en" };
            assert!(html.contains(&format!("<html lang=\"{language}\">")), "{what}");
            let preview = html.split("mso-hide:all;\">").nth(1).unwrap_or_default();
            assert!(!preview.starts_with('<'), "{what}: no preview");
            sound(&what, [&subject, &text, &html]);
        }
    }

    /// What holds of every part, whatever is filled in.
    fn sound(what: &str, parts: [&str; 3]) {
        for part in parts {
            let control = |c: char| c.is_control() && c != '\n' || c == '\u{2028}';
            assert!(!part.contains(control), "{what}: {part:?}");
            assert!(!part.contains('\u{202e}') && !part.contains('\u{2066}'), "{what}: {part:?}");
            assert!(part.lines().all(|line| line.len() <= 998), "{what}: {part:?}");
            assert!(!part.contains("\nBcc"), "{what}: {part:?}");
        }
        let [subject, text, html] = parts;
        assert!(!subject.is_empty() && !subject.contains('\n'), "{what}: {subject:?}");
        assert!(text.len() > 40 && text.ends_with('\n'), "{what}: {text:?}");
        let holes = html.replace("{{link}}", "").contains("{{");
        assert!(!holes && html.ends_with("</html>\n"), "{what}: {html:?}");
        for stranger in ["<script", "href=\"https://evil", "<img", "url("] {
            assert!(!html.contains(stranger), "{what}: {stranger} in {html}");
        }
    }

    #[test]
    fn values_bring_nothing_along() {
        for value in [
            "<script>alert(1)</script>",
            "a\r\nBcc: b@c.example",
            "a\u{2028}Bcc: b@c.example",
            "\"><a href=\"https://evil.example\">",
            "<img/src=x>'&amp;",
            "x\u{202e}gpj.exe\u{2066}",
            "{{link}}",
            "\0\u{7f}\u{85}\t",
            &"w".repeat(64),
            &"\u{1f600}".repeat(64),
        ] {
            for templates in [Templates::new("lictor"), Templates::new(value)] {
                for (what, Content { subject, text, html }) in all(&templates, value) {
                    sound(&what, [&subject, &text, &html]);
                    let links = text.lines().filter(|line| *line == LINK).count();
                    assert_eq!(links, usize::from(what.contains("link: ")), "{what}: {text}");
                    assert_eq!(text.matches(LINK).count(), links, "{what}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_name_is_no_link_in_a_letter_to_a_stranger() {
        let name = "https://evil.example/pay";
        for (what, Content { text, html, .. }) in all(&Templates::new("lictor"), name) {
            let to_a_stranger = what.starts_with("Confirm") || what.starts_with("NewAddress");
            let told = text.contains(name) && html.contains(name);
            assert_eq!(told, !to_a_stranger && !what.starts_with("Test"), "{what}: {text}");
            assert_eq!(text.contains("https:\u{200b}"), to_a_stranger, "{what}: {text}");
        }
    }

    #[test]
    fn times_in_words() {
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
            // Held up for a while.
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

    /// What became of one file, beside a hidden one.
    fn with_file(name: &str, bytes: &[u8]) -> Result<Templates, Problem> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = format!("lictor-words-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(".DS_Store"), b"\xff").unwrap();
        match name.strip_suffix('/') {
            Some(folder) => fs::create_dir(directory.join(folder)).unwrap(),
            None => fs::write(directory.join(name), bytes).unwrap(),
        }
        let read = Templates::with_files("lictor", &directory);
        fs::remove_dir_all(&directory).unwrap();
        read
    }

    #[test]
    fn files_that_cannot_be() {
        let good = "Subject: Hi\n\n{{link}}\n";
        for (name, text, expected) in [
            ("reset.en.txt", "Subject: Hi\n\nno link", "{{link}} must be in it once"),
            ("reset.en.txt", "Subject: Hi\n\n{{link}} {{password}}", "called {{password}} in it"),
            ("reset.en.txt", "Subject: Hi\n\n{{link}}\n\n{{address}}", "called {{address}} in it"),
            ("taken.en.txt", good, "nothing is called {{link}} in it; there are {{service}}, {{"),
            ("test.pt.txt", "Subject: Hi\n\n{{name}}", "nothing is called {{name}}"),
            ("reset.en.txt", "", "{{link}} must be in it once"),
            ("reset.en.txt", "{{link}}", "its head has a line"),
            ("frame.html", "<html></html>", "{{body}} must be in it once"),
            ("frame.html", "{{body}}{{link}}", "nothing is called {{link}}"),
            ("reset.de.txt", good, "no template has this name; there are frame.html, and with"),
            ("resett.en.txt", good, "confirm, taken, reset, new-address, address-changed"),
            ("reset.en.html", good, "no template has this name"),
            ("reset.en.txt~", good, "no template has this name"),
            ("Reset.en.txt", good, "no template has this name"),
            ("reset.en.txt/", "", "it is no file"),
            ("reset.en.txt", &"x".repeat(MAX_FILE + 1), "larger than 65536 bytes"),
        ] {
            let problem = with_file(name, text.as_bytes()).unwrap_err();
            assert!(problem.what.contains(expected), "{name}: {problem}");
            assert!(problem.what.contains(name.trim_end_matches('/')), "{problem}");
            assert!(problem.usage && problem.next.contains("mend the file"), "{problem}");
        }
        let problem = with_file("reset.en.txt", b"Subject: \xff\n\n{{link}}").unwrap_err();
        assert!(problem.what.ends_with("it is not UTF-8"), "{problem}");
        let nowhere = Templates::with_files("lictor", Path::new("/nowhere/at/all")).unwrap_err();
        assert!(nowhere.what.contains("/nowhere/at/all"), "{nowhere}");
    }

    #[test]
    fn files_in_the_place_of_built_in_ones() {
        let reset = Letter::Reset { name: "<ada>", link: LINK, lifespan: DAY };
        let words = b"Subject: Hi {{name}}\nButton: Go & see\n\nGo <b>here</b>:\n\n{{link}}\n";
        let templates = with_file("reset.en.txt", words).unwrap();
        let Content { subject, text, html } = templates.render(&reset, Language::English);
        assert_eq!(subject, "Hi <ada>");
        assert_eq!(text, format!("Go <b>here</b>:\n\n{LINK}\n"));
        assert!(html.contains(">Go &amp; see</a>"), "{html}");
        assert!(html.contains(">Go &lt;b&gt;here&lt;/b&gt;:</p>"), "{html}");
        let built_in = Templates::new("lictor");
        for (one, other) in all(&templates, "ada").iter().zip(all(&built_in, "ada")) {
            let replaced = one.0.starts_with("Reset") && one.0.ends_with("English");
            assert_eq!(one.1 != other.1, replaced, "{}", one.0);
        }

        let frame = b"<html lang={{language}}><title>{{subject}}</title>{{body}}</html>\n";
        let templates = with_file("frame.html", frame).unwrap();
        let html = templates.render(&reset, Language::Portuguese).html;
        assert!(html.starts_with("<html lang=pt><title>Escolha uma nova senha"), "{html}");
        assert!(html.contains("&lt;ada&gt;") && html.ends_with("</html>\n"), "{html}");
    }

    /// For looking at them; CONTRIBUTING.md says how.
    #[test]
    #[ignore = "writes files for people to look at"]
    fn write_all_letters() {
        let directory = std::env::var("LICTOR_LETTERS").expect("LICTOR_LETTERS names a folder");
        let long = "a_name_that_is_as_long_as_names_can_be_and_has_no_place_to_break";
        for (service, name) in [("Ada's Photos", "ada"), ("lictor", long)] {
            let letters = all(&Templates::new(service), name);
            for ((what, content), file) in letters.iter().zip(BUILT_IN) {
                let (kind, language, _) = file;
                assert!(what.ends_with(&format!("{language:?}")), "{what}");
                let place = format!("{directory}/{service}.{}.{}", kind.file, language.code());
                fs::write(format!("{place}.html"), &content.html).unwrap();
                let text = format!("Subject: {}\n\n{}", content.subject, content.text);
                fs::write(format!("{place}.txt"), text).unwrap();
            }
        }
    }
}
