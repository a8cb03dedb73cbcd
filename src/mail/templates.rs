//! The templates of all letters: the built-in ones, and the files of `--mail-templates` that replace
//! them. Renders letters. Knows no mail server.

use std::borrow::Cow;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use super::built_in;
use super::letter::{self, Content, Letter, LetterKind};
use super::template::{MAX_FILE, Template, Values, check_frame, escaped, fill};
use crate::error::Problem;
use crate::values::Language;

/// The HTML around every letter, and the placeholders that it may use.
const FRAME: &str = "frame.html";
const FRAME_PLACEHOLDERS: &[&str] = &[
    "service", "language", "subject", "preview", "body", COLOURS[0], COLOURS[1], COLOURS[2],
    COLOURS[3], URLS[0], URLS[1], URLS[2],
];
/// The placeholders of a [`Look`].
const COLOURS: [&str; 4] = ["accent", "on-accent", "accent-dark", "on-accent-dark"];
const URLS: [&str; 3] = ["logo", "imprint", "privacy"];

/// The language in names of files that stand for both kinds of Portuguese, as in versions that had one
/// text for both.
const PORTUGUESE: &str = "pt";

const KINDS: [LetterKind; 17] = [
    letter::CONFIRM,
    letter::TAKEN,
    letter::RESET,
    letter::NEW_EMAIL,
    letter::EMAIL_CHANGED,
    letter::EMAIL_REMOVED,
    letter::PASSWORD_CHANGED,
    letter::FACTOR_ON,
    letter::FACTOR_OFF,
    letter::RECOVERY_USED,
    letter::RECOVERY_REPLACED,
    letter::DELETED,
    letter::NEW_DEVICE,
    letter::GUARDED,
    letter::RENAMED,
    letter::INVITATION,
    letter::TEST,
];

/// One template for each letter and language, and the frame around them.
#[derive(Debug, Clone, PartialEq)]
pub struct Templates {
    service: String,
    frame: String,
    templates: Vec<(LetterKind, Language, Template)>,
    /// The looks of the frame and of buttons.
    pub look: Look,
}

/// The looks of letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The ground of a button and its words, then both for mail programs with dark colours.
    pub colours: [String; 4],
    /// The URLs of the logo, of the imprint, and of the page about privacy; empty if there is none.
    pub urls: [String; 3],
}

impl Default for Look {
    fn default() -> Look {
        let colours = ["#1f5fbf", "#ffffff", "#7fb2ff", "#0b1c36"];
        Look { colours: colours.map(str::to_owned), urls: Default::default() }
    }
}

impl Look {
    /// The placeholders and their values, as HTML.
    fn values(&self) -> Vec<(&'static str, Cow<'static, str>)> {
        let values = self.colours.iter().chain(&self.urls);
        let names = COLOURS.into_iter().chain(URLS);
        names.zip(values).map(|(name, value)| (name, escaped(value).into())).collect()
    }
}

impl Templates {
    /// The built-in templates. `service` is the name of the service in the letters.
    pub fn new(service: &str) -> Templates {
        let (mut frame, mut templates) = (String::new(), Vec::new());
        for (file, text) in built_in::files(&built_in::inflated()) {
            if file == FRAME {
                text.clone_into(&mut frame);
            }
            // None of them fails to parse: a test renders them all.
            let Some((kind, tag)) = named(file) else { continue };
            let Ok(template) = Template::parse(text, kind.placeholders) else { continue };
            templates.push((kind, Language::of_code(tag), template));
        }
        Templates { service: service.to_owned(), frame, templates, look: Look::default() }
    }

    /// The built-in templates, with those replaced that have a file in the folder. Hidden files are
    /// ignored. Any other file must have the name of a template; otherwise a misspelt name would go
    /// unnoticed. A file for one kind of Portuguese counts more than one for both.
    pub fn with_files(service: &str, directory: &Path) -> Result<Templates, Problem> {
        let mut templates = Templates::new(service);
        let unreadable = |error: std::io::Error| {
            Problem::usage(
                format!("cannot read the mail templates in {}: {error}", directory.display()),
                "give the setting `mail.templates` a folder that the user who runs lictor can read",
            )
            .with_source(error)
        };
        let entries = fs::read_dir(directory).map_err(unreadable)?;
        let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|each| each.path())).collect();
        let paths = paths.map_err(unreadable)?;
        // Twice, because the library's sort would be several kB of code for this type.
        for both in [true, false] {
            for path in &paths {
                let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
                let first = named(name).is_some_and(|(_, tag)| tag == PORTUGUESE);
                if first == both && !name.starts_with('.') {
                    templates.replace(name, path).map_err(|why| {
                        Problem::usage(
                            format!("the mail template {} is not valid: {why}", path.display()),
                            "correct the file, or remove it to use the built-in template",
                        )
                    })?;
                }
            }
        }
        Ok(templates)
    }

    fn replace(&mut self, name: &str, path: &Path) -> Result<(), String> {
        if name == FRAME {
            let frame = read(path)?;
            check_frame(&frame, FRAME_PLACEHOLDERS)?;
            self.frame = frame;
            return Ok(());
        }
        let Some((kind, tag)) = named(name) else { return Err(unknown_file()) };
        let meant = |language: Language| {
            let both = tag == PORTUGUESE && language.code().starts_with("pt-");
            tag == language.code() || both
        };
        if !Language::ALL.into_iter().any(meant) {
            return Err(unknown_file());
        }
        let new = Template::parse(&read(path)?, kind.placeholders)?;
        let replaced = self.templates.iter_mut().filter(|(k, l, _)| *k == kind && meant(*l));
        replaced.for_each(|(_, _, template)| template.clone_from(&new));
        Ok(())
    }

    /// Writes the letter in the language.
    pub fn render(&self, letter: &Letter<'_>, language: Language) -> Content {
        let kind = letter.kind();
        let mut values = letter.values(language);
        values.push(("service", self.service.as_str().into()));
        let found = self.templates.iter().find(|(k, l, _)| *k == kind && *l == language);
        // A test checks that every letter has a template in every language.
        let Some((_, _, template)) = found else {
            return Content { subject: kind.file.into(), text: String::new(), html: String::new() };
        };
        let subject = template.subject(&values);
        let html = self.framed(template, &subject, &values, language);
        Content { subject, text: template.text(&values), html }
    }

    fn framed(
        &self,
        template: &Template,
        subject: &str,
        values: &Values<'_>,
        language: Language,
    ) -> String {
        // All of these are HTML already, so the frame takes them as they are.
        let look = self.look.values();
        let body = template.html(values, &look);
        let mut in_frame = look;
        in_frame.extend([
            ("service", escaped(&self.service).into()),
            ("language", language.code().into()),
            ("subject", escaped(subject).into()),
            ("preview", template.preview(values).into()),
            ("body", body.into()),
        ]);
        fill(&self.frame, &in_frame, str::to_owned)
    }
}

/// The letter of a template file, and the language in its name.
fn named(file: &str) -> Option<(LetterKind, &str)> {
    let (letter, tag) = file.strip_suffix(".txt")?.split_once('.')?;
    let kind = KINDS.into_iter().find(|kind| kind.file == letter)?;
    Some((kind, tag))
}

/// The reason for which a file with another name than a template's is refused.
fn unknown_file() -> String {
    let files: Vec<&str> = KINDS.iter().map(|kind| kind.file).collect();
    let tags: Vec<&str> = Language::ALL.iter().map(|language| language.code()).collect();
    format!(
        "no template has this name; the names are {FRAME}, and LETTER.LANGUAGE.txt, with a language \
         of {} or {PORTUGUESE}, and a letter of {}",
        tags.join(", "),
        files.join(", ")
    )
}

fn read(path: &Path) -> Result<String, String> {
    let in_words = |error: std::io::Error| error.to_string();
    // Reading a pipe might never end.
    if !fs::metadata(path).map_err(in_words)?.is_file() {
        return Err("it is not a regular file".into());
    }
    let mut bytes = Vec::new();
    let limit = MAX_FILE as u64 + 1;
    let file = fs::File::open(path).map_err(in_words)?;
    file.take(limit).read_to_end(&mut bytes).map_err(in_words)?;
    if bytes.len() > MAX_FILE {
        return Err(format!("it is larger than {MAX_FILE} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::time::Duration;

    use super::*;

    /// As long as real links are.
    const LINK: &str = "https://login.example.org/finalize?from=mail&token=\
        eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3NjQwNTY0MDAsImV4cCI6MTc2NDE0Mjg\
        wMCwianRpIjoiMmI4YzZmMGUtN2Q1MS00ZTBhLTlmM2MtNWE0YjFkMmU2Zjc4IiwiaWQiOjEyLCJybHM\
        iOiIiLCJyZl9leHAiOjE3NjQxNDI4MDAsImlzX2VydCI6dHJ1ZX0.Zm9yLXNob3ctb25seS1ub3QtYS1\
        zaWduYXR1cmUtMTIz";
    const DAY: Duration = Duration::from_secs(86_399);

    fn letters(name: &str) -> [Letter<'_>; 17] {
        [
            Letter::Confirm { name, link: LINK, lifespan: DAY },
            Letter::Taken { name },
            Letter::Reset { name, link: LINK, lifespan: Duration::from_secs(3_600) },
            Letter::NewEmail { name, link: LINK, lifespan: DAY },
            Letter::EmailChanged { name, email: "new@a.example" },
            Letter::EmailRemoved { name },
            Letter::PasswordChanged { name },
            Letter::SecondFactor { name, on: true },
            Letter::SecondFactor { name, on: false },
            Letter::RecoveryCodeUsed { name },
            Letter::RecoveryCodesReplaced { name },
            Letter::AccountDeleted { name },
            Letter::NewDevice { name, device: "Firefox on 192.0.2.1" },
            Letter::Guarded { name },
            Letter::Renamed { name, former: "ada lovelace" },
            Letter::Invitation { note: name, link: LINK, lifespan: DAY },
            Letter::Test,
        ]
    }

    #[test]
    fn no_letter_and_no_template_is_forgotten() {
        // The compiler sees to it that `Letter::kind` has an arm for every letter.
        let constant = |kind: &str| kind.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let arms = include_str!("letter.rs").lines().filter_map(|line| line.split_once(" => "));
        let arms = arms.filter(|(letter, kind)| {
            letter.trim_start().starts_with("Letter::") && constant(kind.trim_end_matches(','))
        });
        let kinds = letters("ada").map(|letter| letter.kind());
        assert_eq!(arms.count(), kinds.len(), "a letter is missing in letters()");

        let mut expected = vec![FRAME.to_owned()];
        for kind in kinds {
            assert_eq!(KINDS.iter().filter(|each| **each == kind).count(), 1, "{kind:?} in KINDS");
            for language in Language::ALL {
                expected.push(format!("{}.{}.txt", kind.file, language.code()));
            }
        }
        assert_eq!(KINDS.len(), kinds.len(), "KINDS has another letter");
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/mail/templates");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
        let mut files: Vec<String> = files.map(|name| name.into_string().unwrap()).collect();
        files.sort();
        expected.sort();
        assert_eq!(files, expected, "the files in src/mail/templates");
    }

    fn render_all(templates: &Templates, name: &str) -> Vec<(String, Content)> {
        let each = |letter: Letter<'_>| {
            Language::ALL.map(|language| {
                (format!("{letter:?} {language:?}"), templates.render(&letter, language))
            })
        };
        letters(name).into_iter().flat_map(each).collect()
    }

    #[test]
    fn every_letter_has_a_template_in_every_language() {
        let templates = Templates::new("Ada's Photos");
        assert_eq!(templates.templates.len(), KINDS.len() * Language::ALL.len());
        for (what, Content { subject, text, html }) in render_all(&templates, "grace") {
            assert!(subject.contains("Ada's Photos") && subject.len() < 70, "{what}: {subject}");
            assert!(text.replace('\n', " ").contains("Ada's Photos"), "{what}: {text}");
            assert!(html.contains("Ada&#39;s Photos") && html.len() < 10_000, "{what}");
            let links = usize::from(what.contains("link"));
            assert_eq!(text.lines().filter(|line| *line == LINK).count(), links, "{what}: {text}");
            assert_eq!(text.matches("http").count(), links, "{what}: {text}");
            let href = format!("href=\"{}\"", LINK.replace('&', "&amp;"));
            assert_eq!(html.matches(&href).count(), 2 * links, "{what}: {html}");
            assert_eq!(html.matches("http").count(), 3 * links, "{what}: nothing else is linked");
            let day = ["24 ho", "24 Stunden", "24 heures"].iter().any(|day| text.contains(day));
            assert_eq!(day, what.contains("86399s"), "{what}: {text}");
            assert_eq!(text.contains("grace"), !what.starts_with("Test"), "{what}: {text}");
            assert_eq!(text.contains("new@a.example"), what.contains("new@"), "{what}: {text}");
            assert!(
                text.lines().all(|line| line == LINK || line.chars().count() <= 72),
                "{what}: {text}"
            );
            let language = Language::ALL.into_iter().find(|l| what.ends_with(&format!(" {l:?}")));
            let language = language.unwrap().code();
            assert!(html.contains(&format!("<html lang=\"{language}\">")), "{what}");
            let preview = html.split("mso-hide:all;\">").nth(1).unwrap_or_default();
            assert!(!preview.starts_with('<'), "{what}: no preview");
            check_parts(&what, [&subject, &text, &html]);
        }
    }

    /// Checks what must hold for every letter, whatever the values are.
    fn check_parts(what: &str, parts: [&str; 3]) {
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
        let unfilled = html.replace("{{link}}", "").contains("{{");
        assert!(!unfilled && html.ends_with("</html>\n"), "{what}: {html:?}");
        for injected in ["<script", "href=\"https://evil", "<img", "url("] {
            assert!(!html.contains(injected), "{what}: {injected} in {html}");
        }
    }

    #[test]
    fn hostile_values_add_no_markup_no_header_and_no_link() {
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
                for (what, Content { subject, text, html }) in render_all(&templates, value) {
                    check_parts(&what, [&subject, &text, &html]);
                    let links = text.lines().filter(|line| *line == LINK).count();
                    assert_eq!(links, usize::from(what.contains("link: ")), "{what}: {text}");
                    assert_eq!(text.matches(LINK).count(), links, "{what}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_url_as_a_name_is_no_link_in_letters_to_unconfirmed_addresses() {
        let name = "https://evil.example/pay";
        for (what, Content { text, html, .. }) in render_all(&Templates::new("lictor"), name) {
            let unconfirmed = what.starts_with("Confirm") || what.starts_with("NewEmail");
            let as_it_is = text.contains(name) && html.contains(name);
            assert_eq!(as_it_is, !unconfirmed && !what.starts_with("Test"), "{what}: {text}");
            assert_eq!(text.contains("https:\u{200b}"), unconfirmed, "{what}: {text}");
        }
    }

    fn with_file(name: &str, bytes: &[u8]) -> Result<Templates, Problem> {
        with_files(&[(name, bytes)])
    }

    /// The templates of a folder with these files and a hidden one.
    fn with_files(files: &[(&str, &[u8])]) -> Result<Templates, Problem> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let directory = format!("lictor-templates-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(directory);
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join(".DS_Store"), b"\xff").unwrap();
        for (name, bytes) in files {
            match name.strip_suffix('/') {
                Some(folder) => fs::create_dir(directory.join(folder)).unwrap(),
                None => fs::write(directory.join(name), bytes).unwrap(),
            }
        }
        let read = Templates::with_files("lictor", &directory);
        fs::remove_dir_all(&directory).unwrap();
        read
    }

    #[test]
    fn invalid_files_are_refused() {
        let good = "Subject: Hi\n\n{{link}}\n";
        for (name, text, expected) in [
            ("reset.en.txt", "Subject: Hi\n\nno link", "{{link}} must occur once"),
            (
                "reset.en.txt",
                "Subject: Hi\n\n{{link}} {{password}}",
                "unknown placeholder {{password}}",
            ),
            (
                "reset.en.txt",
                "Subject: Hi\n\n{{link}}\n\n{{address}}",
                "unknown placeholder {{address}}",
            ),
            ("taken.en.txt", good, "unknown placeholder {{link}}; known are {{service}}, {{"),
            ("test.pt.txt", "Subject: Hi\n\n{{name}}", "unknown placeholder {{name}}"),
            ("reset.en.txt", "", "{{link}} must occur once"),
            ("reset.en.txt", "{{link}}", "unknown line in its head"),
            ("frame.html", "<html></html>", "{{body}} must occur once"),
            ("frame.html", "{{body}}{{link}}", "unknown placeholder {{link}}"),
            (
                "reset.it.txt",
                good,
                "no template has this name; the names are frame.html, and LETTER",
            ),
            (
                "reset.de-AT.txt",
                good,
                "en, pt-PT, pt-BR, de, es, fr or pt, and a letter of confirm,",
            ),
            ("reset.PT.txt", good, "no template has this name"),
            ("reset.txt", good, "no template has this name"),
            (
                "resett.en.txt",
                good,
                "confirm, taken, reset, new-address, address-changed, address-removed",
            ),
            ("reset.en.html", good, "no template has this name"),
            ("reset.en.txt~", good, "no template has this name"),
            ("Reset.en.txt", good, "no template has this name"),
            ("reset.en.txt/", "", "it is not a regular file"),
            ("reset.en.txt", &"x".repeat(MAX_FILE + 1), "larger than 65536 bytes"),
        ] {
            let problem = with_file(name, text.as_bytes()).unwrap_err();
            assert!(problem.what.contains(expected), "{name}: {problem}");
            assert!(problem.what.contains(name.trim_end_matches('/')), "{problem}");
            assert!(problem.usage && problem.next.contains("correct the file"), "{problem}");
        }
        let problem = with_file("reset.en.txt", b"Subject: \xff\n\n{{link}}").unwrap_err();
        assert!(problem.what.ends_with("it is not UTF-8"), "{problem}");
        let nowhere = Templates::with_files("lictor", Path::new("/nowhere/at/all")).unwrap_err();
        assert!(nowhere.what.contains("/nowhere/at/all"), "{nowhere}");
    }

    #[test]
    fn files_replace_built_in_templates() {
        let reset = Letter::Reset { name: "<ada>", link: LINK, lifespan: DAY };
        let words = b"Subject: Hi {{name}}\nButton: Go & see\n\nGo <b>here</b>:\n\n{{link}}\n";
        let templates = with_file("reset.en.txt", words).unwrap();
        let Content { subject, text, html } = templates.render(&reset, Language::English);
        assert_eq!(subject, "Hi <ada>");
        assert_eq!(text, format!("Go <b>here</b>:\n\n{LINK}\n"));
        assert!(html.contains(">Go &amp; see</a>"), "{html}");
        assert!(html.contains(">Go &lt;b&gt;here&lt;/b&gt;:</p>"), "{html}");
        let built_in = Templates::new("lictor");
        for (one, other) in render_all(&templates, "ada").iter().zip(render_all(&built_in, "ada")) {
            let replaced = one.0.starts_with("Reset") && one.0.ends_with("English");
            assert_eq!(one.1 != other.1, replaced, "{}", one.0);
        }

        let frame = b"<html lang={{language}}><title>{{subject}}</title>{{body}}</html>\n";
        let templates = with_file("frame.html", frame).unwrap();
        let html = templates.render(&reset, Language::Portuguese).html;
        assert!(
            html.starts_with("<html lang=pt-PT><title>Defina uma nova palavra-passe"),
            "{html}"
        );
        assert!(html.contains("&lt;ada&gt;") && html.ends_with("</html>\n"), "{html}");
    }

    #[test]
    fn a_file_for_portuguese_stands_for_both_kinds() {
        let reset = Letter::Reset { name: "ada", link: LINK, lifespan: DAY };
        let subjects = |files: &[&str]| {
            let files: Vec<_> = files
                .iter()
                .map(|name| (*name, format!("Subject: {name}\n\n{{{{link}}}}\n")))
                .collect();
            let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
            let templates = with_files(&files).unwrap();
            let both = [Language::Portuguese, Language::BrazilianPortuguese];
            both.map(|language| templates.render(&reset, language).subject)
        };
        let (both, brazilian) = ("reset.pt.txt", "reset.pt-BR.txt");
        assert_eq!(subjects(&[both]), [both, both]);
        for files in [[both, brazilian], [brazilian, both]] {
            assert_eq!(subjects(&files), [both, brazilian]);
        }
    }

    /// Writes every letter to a folder, for people to read; CONTRIBUTING.md says how.
    #[test]
    #[ignore = "writes files for people to look at"]
    fn write_all_letters() {
        let directory = std::env::var("LICTOR_LETTERS").expect("LICTOR_LETTERS names a folder");
        let long = "a_name_that_is_as_long_as_names_can_be_and_has_no_place_to_break";
        for (service, name) in [("Ada's Photos", "ada"), ("lictor", long)] {
            let letters = render_all(&Templates::new(service), name);
            let files = KINDS.into_iter().flat_map(|kind| Language::ALL.map(|each| (kind, each)));
            for ((what, content), (kind, language)) in letters.iter().zip(files) {
                assert!(what.ends_with(&format!("{language:?}")), "{what}");
                let place = format!("{directory}/{service}.{}.{}", kind.file, language.code());
                fs::write(format!("{place}.html"), &content.html).unwrap();
                let text = format!("Subject: {}\n\n{}", content.subject, content.text);
                fs::write(format!("{place}.txt"), text).unwrap();
            }
        }
    }
}
