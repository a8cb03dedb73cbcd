//! One template file: a subject, the label of the button, and paragraphs, all with
//! `{{placeholders}}`. The text and the HTML of a mail are made from the same paragraphs. Knows no
//! letter. Filling in placeholders takes sixty lines here, which is less than a library would add.

use std::borrow::Cow;

/// Limit on the size of a template file, in bytes.
pub(super) const MAX_FILE: usize = 64 * 1024;
/// Columns of the plain text (RFC 5322 section 2.1.1 recommends at most 78).
const WIDTH: usize = 72;

/// The paragraph that every template of a letter with a link has.
const LINK: &str = "{{link}}";

// Every mail program supports inline styles; the classes are for the dark colours in the frame.
// Outlook ignores the padding of a link and needs `mso-padding-alt`.
const BUTTON: &str = r##"<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:8px 0 16px;"><tr>
<td class="button" bgcolor="{{accent}}" style="background:{{accent}};border-radius:6px;mso-padding-alt:12px 22px;"><a href="{{link}}" style="display:inline-block;padding:12px 22px;font-size:16px;line-height:1.25;font-weight:600;color:{{on-accent}};text-decoration:none;">{{button}}</a></td>
</tr></table>
<p class="small" style="margin:0 0 20px;font-size:13px;line-height:1.5;color:#57606a;word-break:break-all;"><a href="{{link}}" style="color:#57606a;">{{link}}</a></p>
"##;
const PARAGRAPH: &str = r##"<p class="words" style="margin:0 0 16px;font-size:16px;line-height:1.5;color:#1b1f24;overflow-wrap:anywhere;">{{words}}</p>
"##;

/// Placeholders and their values.
pub(super) type Values<'a> = [(&'static str, Cow<'a, str>)];

/// A parsed template of one letter in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    subject: String,
    button: String,
    paragraphs: Vec<String>,
}

impl Template {
    /// Parses the text of a template file. `known` lists the placeholders that it may use; if `link`
    /// is one of them, the template must have it. The error says what is wrong with the file.
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Template, String> {
        let text = clean(text)?;
        let used = placeholders(&text, known)?;
        let (mut subject, mut button) = (None, None);
        let mut lines = text.lines();
        for line in lines.by_ref().take_while(|line| !line.trim().is_empty()) {
            let field = match line.split_once(':') {
                Some(("Subject", _)) => &mut subject,
                Some(("Button", _)) if known.contains(&"link") => &mut button,
                _ => return Err(format!("unknown line in its head: {line:?}")),
            };
            *field = line.split_once(':').map(|(_, value)| one_line(value));
        }
        let paragraphs = paragraphs(lines);
        let links = paragraphs.iter().filter(|paragraph| *paragraph == LINK).count();
        let uses = used.iter().filter(|placeholder| **placeholder == "link").count();
        if known.contains(&"link") && (links != 1 || uses != 1) {
            return Err(format!("{LINK} must occur once, as a paragraph by itself"));
        }
        if paragraphs.is_empty() {
            return Err("it has no paragraph".into());
        }
        let subject = subject.filter(|subject| !subject.is_empty());
        Ok(Template {
            subject: subject.ok_or("it does not begin with a line Subject: …")?,
            button: button.filter(|label| !label.is_empty()).unwrap_or_else(|| LINK.into()),
            paragraphs,
        })
    }

    /// The subject, filled in.
    pub(super) fn subject(&self, values: &Values<'_>) -> String {
        fill(&self.subject, values, plain)
    }

    /// The plain text: paragraphs that are not empty wrapped at [`WIDTH`], the link on a line of its own.
    pub(super) fn text(&self, values: &Values<'_>) -> String {
        let paragraphs: Vec<String> =
            self.paragraphs.iter().map(|text| fill(text, values, plain)).collect();
        let paragraphs: Vec<String> = paragraphs
            .iter()
            .filter(|paragraph| !paragraph.is_empty())
            .map(|paragraph| wrapped(paragraph))
            .collect();
        paragraphs.join("\n\n") + "\n"
    }

    /// The first paragraph after the greeting, as HTML. Mail programs show it beside the subject.
    pub(super) fn preview(&self, values: &Values<'_>) -> String {
        let long = self.paragraphs.iter().find(|paragraph| paragraph.len() > 40);
        long.map_or_else(String::new, |paragraph| fill(paragraph, values, escaped))
    }

    /// The paragraphs as HTML. The link becomes a button, with the URL below it for copying.
    /// `look` has the colours of the button, as HTML.
    pub(super) fn html(&self, values: &Values<'_>, look: &Values<'_>) -> String {
        let as_html = |paragraph: &String| {
            let html = fill(paragraph, values, escaped);
            // A value that may be missing, as a paragraph by itself.
            if html.is_empty() {
                return html;
            }
            let html = html.into();
            if paragraph == LINK {
                let label = fill(&self.button, values, escaped).into();
                let in_button = [look, &[("link", html), ("button", label)]].concat();
                return fill(BUTTON, &in_button, str::to_owned);
            }
            fill(PARAGRAPH, &[("words", html)], str::to_owned)
        };
        self.paragraphs.iter().map(as_html).collect()
    }
}

/// Checks a frame, the HTML around the paragraphs. The error says what is wrong with it.
pub(super) fn check_frame(html: &str, known: &[&str]) -> Result<(), String> {
    let html = clean(html)?;
    match placeholders(&html, known)?.iter().filter(|used| **used == "body").count() {
        1 => Ok(()),
        _ => Err("{{body}} must occur once".into()),
    }
}

/// The text without the byte order mark that some editors write, and with `\n` line ends. An error
/// if it has other invisible characters.
fn clean(text: &str) -> Result<String, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t') || is_layout(*c)) {
        Some(char) => Err(format!("it contains the character {char:?}")),
        None => Ok(text),
    }
}

fn paragraphs<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in lines {
        match paragraphs.last_mut() {
            Some(paragraph) if !line.trim().is_empty() => *paragraph += &format!(" {line}"),
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.iter().map(|text| one_line(text)).filter(|text| !text.is_empty()).collect()
}

/// Replaces placeholders by their values, in one pass: a placeholder inside a value stays as it is.
/// `form` is applied to the values and to the text around them, because neither is HTML.
pub(super) fn fill(template: &str, values: &Values<'_>, form: fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, placeholder, after)) = next_placeholder(rest) {
        filled += &form(before);
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == placeholder) {
            filled += &form(value);
        }
        rest = after;
    }
    filled + &form(rest)
}

/// The text before the first placeholder, the placeholder, and the text after it.
fn next_placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (placeholder, after) = rest.split_once("}}")?;
    Some((before, placeholder, after))
}

/// All placeholders of a text; an error if one of them is not among the known ones.
fn placeholders<'a>(text: &'a str, known: &[&str]) -> Result<Vec<&'a str>, String> {
    let (mut rest, mut used) = (text, Vec::new());
    while let Some((_, placeholder, after)) = next_placeholder(rest) {
        if !known.contains(&placeholder) {
            let known: Vec<String> = known.iter().map(|name| format!("{{{{{name}}}}}")).collect();
            let known = known.join(", ");
            return Err(format!("unknown placeholder {{{{{placeholder}}}}}; known are {known}"));
        }
        used.push(placeholder);
        rest = after;
    }
    if rest.contains("{{") { Err("a {{ in it has no }}".into()) } else { Ok(used) }
}

/// A value as plain text, without line ends and without characters that reverse the direction of
/// the text after it.
pub(super) fn plain(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() && !is_layout(*c)).collect()
}

/// A value as HTML, for the content of an element or a quoted attribute.
pub(super) fn escaped(value: &str) -> String {
    let mut html = String::new();
    for char in plain(value).chars() {
        match char {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            other => html.push(other),
        }
    }
    html
}

/// The name with a zero-width space after every character that URLs and e-mail addresses contain.
/// Without it, mail programs turn a name like `https://evil.example` into a link.
pub(super) fn unlinked(name: &str) -> String {
    let mut safe = String::new();
    for char in name.chars() {
        safe.push(char);
        if ".:/@".contains(char) {
            safe.push('\u{200b}');
        }
    }
    safe
}

/// Whether it is a line or paragraph separator, or changes the direction of the text.
fn is_layout(char: char) -> bool {
    matches!(char, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
        || ('\u{202a}'..='\u{202e}').contains(&char)
        || ('\u{2066}'..='\u{2069}').contains(&char)
}

/// The text with one space for each run of spaces and line ends. No-break spaces stay: French has
/// them before some punctuation.
fn one_line(text: &str) -> String {
    text.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

fn wrapped(paragraph: &str) -> String {
    let (mut text, mut column) = (String::new(), 0);
    for word in paragraph.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > WIDTH {
            text.push('\n');
            column = 0;
        } else if column > 0 {
            text.push(' ');
            column += 1;
        }
        text += word;
        column += length;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_files() {
        let good = Template {
            subject: "S {{name}}".into(),
            button: "B".into(),
            paragraphs: vec!["Hello {{name}},".into(), LINK.into()],
        };
        let file = "Subject: S {{name}}\nButton: B\n\nHello {{name}},\n\n{{link}}\n";
        for text in [
            file,
            &file.replace('\n', "\r\n"),
            &file.replace("\n\n", "\n \t\n\n"),
            &file.replace("Hello ", "Hello\n   "),
            &format!("\u{feff}{file}"),
            "Button:B\nSubject:  S  {{name}} \n\nHello {{name}},\n\n{{link}}",
        ] {
            assert_eq!(Template::parse(text, &["name", "link"]).as_ref(), Ok(&good), "{text:?}");
        }
        let by_itself = "must occur once, as a paragraph by itself";
        for (text, expected) in [
            ("", by_itself),
            ("{{link}}", "unknown line in its head"),
            ("Subject: S\n{{link}}", "unknown line in its head"),
            ("Subject: S\n\nHello", by_itself),
            ("Subject: S\n\nFollow {{link}}", by_itself),
            ("Subject: S\n\n{{link}}\n\n{{link}}", by_itself),
            ("Subject: S {{link}}\n\n{{link}}", by_itself),
            ("Subject: S\nButton: {{link}}\n\n{{link}}", by_itself),
            ("Subject: S\n\n{{link}} {{nmae}}", "unknown placeholder {{nmae}}"),
            ("Subject: S\n\n{{ link }}", "unknown placeholder {{ link }}"),
            ("Subject: S\n\n{{name\n\n{{link}}", "unknown placeholder {{name"),
            ("Subject: S\n\n{{link}}\n\n{{name}", "has no }}"),
            ("Hello\n\n{{link}}", "unknown line in its head"),
            ("Button: B\n\n{{link}}", "Subject: …"),
            ("Subject: \n\n{{link}}", "Subject: …"),
            ("Subject: S\nReply-To: x\n\n{{link}}", "unknown line in its head"),
            ("Subject: S\rBcc: x\n\n{{link}}", "the character '\\r'"),
            ("Subject: S\n\n\0{{link}}", "the character '\\0'"),
            ("Subject: S\u{202e}\n\n{{link}}", "the character '\\u{202e}'"),
        ] {
            let wrong = Template::parse(text, &["name", "link"]).unwrap_err();
            assert!(wrong.contains(expected), "{text:?}: {wrong}");
        }
        let wrong = Template::parse("Subject: S\n\n \n", &["name"]).unwrap_err();
        assert!(wrong.contains("no paragraph"), "{wrong}");
        let wrong = Template::parse("Subject: S\nButton: B\n\nHello", &["name"]).unwrap_err();
        assert!(wrong.contains("unknown line in its head: \"Button: B\""), "{wrong}");
    }

    #[test]
    fn frames() {
        for (html, expected) in [
            ("<p>{{title}}</p>\n{{body}}", None),
            ("<p></p>", Some("{{body}} must occur once")),
            ("{{body}}{{body}}", Some("{{body}} must occur once")),
            ("{{body}}{{link}}", Some("unknown placeholder {{link}}; known are {{title}}")),
            ("{{body}}{{", Some("has no }}")),
        ] {
            let wrong = check_frame(html, &["title", "body"]).err();
            let fits = match (&wrong, expected) {
                (Some(wrong), Some(part)) => wrong.contains(part),
                (wrong, part) => wrong.is_none() && part.is_none(),
            };
            assert!(fits, "{html}: {wrong:?}");
        }
    }

    #[test]
    fn values_are_filled_in_once_and_escaped() {
        for (value, text, html) in [
            ("ada", "ada", "ada"),
            ("{{link}}", "{{link}}", "{{link}}"),
            ("<b a=\"c\">&'", "<b a=\"c\">&'", "&lt;b a=&quot;c&quot;&gt;&amp;&#39;"),
            ("a\r\nBcc: x\0", "aBcc: x", "aBcc: x"),
            ("a\u{202e}b\u{2028}c\u{2066}d\u{7f}", "abcd", "abcd"),
            ("\u{85}\u{1b}[31m", "[31m", "[31m"),
            ("\u{1f600}é", "\u{1f600}é", "\u{1f600}é"),
        ] {
            let values = [("name", value.into()), ("link", "L".into())];
            assert_eq!(fill("{{name}}", &values, plain), text);
            assert_eq!(fill("{{name}}", &values, escaped), html);
        }
        assert_eq!(fill("<{{a}}> &", &[("a", "<".into())], escaped), "&lt;&lt;&gt; &amp;");
        assert_eq!(fill("{{a}} {{ {{b}}", &[("a", "1".into())], plain), "1 ");
        assert_eq!(fill("a}} {{b", &[], plain), "a}} {{b");
    }

    #[test]
    fn unlinked_names_have_no_url() {
        for (name, expected) in [
            ("ada", "ada"),
            ("a.b", "a._b"),
            ("https://evil.example/x", "https:_/_/_evil._example/_x"),
            ("a@b.example", "a@_b._example"),
        ] {
            assert_eq!(unlinked(name).replace('\u{200b}', "_"), expected);
        }
    }

    #[test]
    fn lines_are_wrapped_between_words() {
        let long = "x".repeat(100);
        let text = wrapped(&format!("{} {long} end", "word ".repeat(40).trim()));
        assert!(text.lines().all(|line| line.len() <= WIDTH || line == long), "{text}");
        assert_eq!(text.split_whitespace().count(), 42);
    }
}
