//! A letter's words as they are kept in a file: a subject, the name of the button, paragraphs,
//! with `{{names}}` where something is filled in. The text and the HTML of a mail are made of the
//! same words. Knows no letter; sixty lines that fill in names are no reason for a library.

/// Bytes of a file with words.
pub(super) const MAX_FILE: usize = 64 * 1024;
/// Columns of a mail's text (RFC 5322 section 2.1.1 recommends at most 78).
const WIDTH: usize = 72;

/// In a letter that has a link: a paragraph by itself.
const LINK: &str = "{{link}}";

// Inline styles are what every mail program knows of CSS; the classes are for what the frame says
// about the dark. Outlook ignores the padding of a link, and has a word of its own for it.
const BUTTON: &str = r##"<table role="presentation" cellpadding="0" cellspacing="0" border="0" style="margin:8px 0 16px;"><tr>
<td class="button" bgcolor="#1f5fbf" style="background:#1f5fbf;border-radius:6px;mso-padding-alt:12px 22px;"><a href="{{link}}" style="display:inline-block;padding:12px 22px;font-size:16px;line-height:1.25;font-weight:600;color:#ffffff;text-decoration:none;">{{button}}</a></td>
</tr></table>
<p class="small" style="margin:0 0 20px;font-size:13px;line-height:1.5;color:#57606a;word-break:break-all;"><a href="{{link}}" style="color:#57606a;">{{link}}</a></p>
"##;
const PARAGRAPH: &str = r##"<p class="words" style="margin:0 0 16px;font-size:16px;line-height:1.5;color:#1b1f24;overflow-wrap:anywhere;">{{words}}</p>
"##;

/// What is filled in: its name, and what it is.
pub(super) type Values<'a> = [(&'static str, &'a str)];

/// The words of one letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    subject: String,
    button: String,
    paragraphs: Vec<String>,
}

impl Words {
    /// Reads a file; says what is wrong with it. `known` are the names that can be filled in; if
    /// `link` is among them, it must be there.
    pub(super) fn parse(text: &str, known: &[&str]) -> Result<Words, String> {
        let text = clean(text)?;
        let names = known_names(&text, known)?;
        let (mut subject, mut button) = (None, None);
        let mut lines = text.lines();
        for line in lines.by_ref().take_while(|line| !line.trim().is_empty()) {
            let place = match line.split_once(':') {
                Some(("Subject", _)) => &mut subject,
                Some(("Button", _)) if known.contains(&"link") => &mut button,
                _ => return Err(format!("its head has a line {line:?}")),
            };
            *place = line.split_once(':').map(|(_, words)| one_line(words));
        }
        let paragraphs = paragraphs(lines);
        let links = paragraphs.iter().filter(|words| *words == LINK).count();
        let named = names.iter().filter(|name| **name == "link").count();
        if known.contains(&"link") && (links != 1 || named != 1) {
            return Err(format!("{LINK} must be in it once, as a paragraph by itself"));
        }
        if paragraphs.is_empty() {
            return Err("there are no words in it".into());
        }
        let subject = subject.filter(|words| !words.is_empty());
        Ok(Words {
            subject: subject.ok_or("it does not begin with a line Subject: …")?,
            button: button.filter(|words| !words.is_empty()).unwrap_or_else(|| LINK.into()),
            paragraphs,
        })
    }

    pub(super) fn subject(&self, values: &Values<'_>) -> String {
        fill(&self.subject, values, plain)
    }

    /// The text: lines of a bearable length, a link on a line of its own.
    pub(super) fn text(&self, values: &Values<'_>) -> String {
        let paragraphs: Vec<String> =
            self.paragraphs.iter().map(|words| wrapped(&fill(words, values, plain))).collect();
        paragraphs.join("\n\n") + "\n"
    }

    /// The first paragraph that is no greeting, as HTML: what mail programs show beside the
    /// subject.
    pub(super) fn preview(&self, values: &Values<'_>) -> String {
        let words = self.paragraphs.iter().find(|words| words.len() > 40);
        words.map_or_else(String::new, |words| fill(words, values, escaped))
    }

    /// The paragraphs as HTML; a link as a button, and below to be read and copied.
    pub(super) fn html(&self, values: &Values<'_>) -> String {
        let paragraph = |words: &String| {
            let html = fill(words, values, escaped);
            if words == LINK {
                let button = fill(&self.button, values, escaped);
                return fill(BUTTON, &[("link", &html), ("button", &button)], str::to_owned);
            }
            fill(PARAGRAPH, &[("words", &html)], str::to_owned)
        };
        self.paragraphs.iter().map(paragraph).collect()
    }
}

/// Checks the HTML around the paragraphs.
pub(super) fn check_frame(html: &str, known: &[&str]) -> Result<(), String> {
    let html = clean(html)?;
    match known_names(&html, known)?.iter().filter(|name| **name == "body").count() {
        1 => Ok(()),
        _ => Err("{{body}} must be in it once".into()),
    }
}

/// Without what some editors write at the start; there is nothing in it that is not seen.
fn clean(text: &str) -> Result<String, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    match text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t') || is_layout(*c)) {
        Some(char) => Err(format!("it has a character {char:?} in it")),
        None => Ok(text),
    }
}

fn paragraphs<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    for line in lines {
        match paragraphs.last_mut() {
            Some(words) if !line.trim().is_empty() => *words += &format!(" {line}"),
            _ => paragraphs.push(String::new()),
        }
    }
    paragraphs.iter().map(|words| one_line(words)).filter(|words| !words.is_empty()).collect()
}

/// Puts values in the place of names, in one pass: what is in a value is no name. What is around
/// them gets the same form, because words are no HTML.
pub(super) fn fill(template: &str, values: &Values<'_>, form: fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, name, after)) = next_name(rest) {
        filled += &form(before);
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            filled += &form(value);
        }
        rest = after;
    }
    filled + &form(rest)
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name, after))
}

/// All names in a text, if they are known.
fn known_names<'a>(text: &'a str, known: &[&str]) -> Result<Vec<&'a str>, String> {
    let (mut rest, mut names) = (text, Vec::new());
    while let Some((_, name, after)) = next_name(rest) {
        if !known.contains(&name) {
            let known: Vec<String> = known.iter().map(|name| format!("{{{{{name}}}}}")).collect();
            let known = known.join(", ");
            return Err(format!("nothing is called {{{{{name}}}}} in it; there are {known}"));
        }
        names.push(name);
        rest = after;
    }
    if rest.contains("{{") { Err("a {{ in it has no }}".into()) } else { Ok(names) }
}

/// A value as text: nothing in it ends a line, or turns the direction of what follows.
pub(super) fn plain(value: &str) -> String {
    value.chars().filter(|c| !c.is_control() && !is_layout(*c)).collect()
}

/// A value as HTML, in an element or a quoted attribute.
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

/// A name that no mail program makes a link of, as they do of `https://evil.example`: an invisible
/// space behind every character that links have.
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

/// Line and paragraph separators, and characters that turn the direction of writing.
fn is_layout(char: char) -> bool {
    matches!(char, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
        || ('\u{202a}'..='\u{202e}').contains(&char)
        || ('\u{2066}'..='\u{2069}').contains(&char)
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
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
    fn files() {
        let good = Words {
            subject: "S {{name}}".into(),
            button: "B".into(),
            paragraphs: vec!["Hello {{name}},".into(), LINK.into()],
        };
        let words = "Subject: S {{name}}\nButton: B\n\nHello {{name}},\n\n{{link}}\n";
        for text in [
            words,
            &words.replace('\n', "\r\n"),
            &words.replace("\n\n", "\n \t\n\n"),
            &words.replace("Hello ", "Hello\n   "),
            &format!("\u{feff}{words}"),
            "Button:B\nSubject:  S  {{name}} \n\nHello {{name}},\n\n{{link}}",
        ] {
            assert_eq!(Words::parse(text, &["name", "link"]).as_ref(), Ok(&good), "{text:?}");
        }
        let by_itself = "must be in it once, as a paragraph by itself";
        for (text, expected) in [
            ("", by_itself),
            ("{{link}}", "its head has a line"),
            ("Subject: S\n{{link}}", "its head has a line"),
            ("Subject: S\n\nHello", by_itself),
            ("Subject: S\n\nFollow {{link}}", by_itself),
            ("Subject: S\n\n{{link}}\n\n{{link}}", by_itself),
            ("Subject: S {{link}}\n\n{{link}}", by_itself),
            ("Subject: S\nButton: {{link}}\n\n{{link}}", by_itself),
            ("Subject: S\n\n{{link}} {{nmae}}", "nothing is called {{nmae}}"),
            ("Subject: S\n\n{{ link }}", "nothing is called {{ link }}"),
            ("Subject: S\n\n{{name\n\n{{link}}", "nothing is called {{name"),
            ("Subject: S\n\n{{link}}\n\n{{name}", "has no }}"),
            ("Hello\n\n{{link}}", "its head has a line"),
            ("Button: B\n\n{{link}}", "Subject: …"),
            ("Subject: \n\n{{link}}", "Subject: …"),
            ("Subject: S\nReply-To: x\n\n{{link}}", "its head has a line"),
            ("Subject: S\rBcc: x\n\n{{link}}", "a character '\\r'"),
            ("Subject: S\n\n\0{{link}}", "a character '\\0'"),
            ("Subject: S\u{202e}\n\n{{link}}", "a character '\\u{202e}'"),
        ] {
            let wrong = Words::parse(text, &["name", "link"]).unwrap_err();
            assert!(wrong.contains(expected), "{text:?}: {wrong}");
        }
        let wrong = Words::parse("Subject: S\n\n \n", &["name"]).unwrap_err();
        assert!(wrong.contains("no words"), "{wrong}");
        let wrong = Words::parse("Subject: S\nButton: B\n\nHello", &["name"]).unwrap_err();
        assert!(wrong.contains("its head has a line \"Button: B\""), "{wrong}");
    }

    #[test]
    fn frames() {
        for (html, expected) in [
            ("<p>{{title}}</p>\n{{body}}", None),
            ("<p></p>", Some("{{body}} must be in it once")),
            ("{{body}}{{body}}", Some("{{body}} must be in it once")),
            ("{{body}}{{link}}", Some("nothing is called {{link}} in it; there are {{title}},")),
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
    fn values_are_values() {
        for (value, text, html) in [
            ("ada", "ada", "ada"),
            ("{{link}}", "{{link}}", "{{link}}"),
            ("<b a=\"c\">&'", "<b a=\"c\">&'", "&lt;b a=&quot;c&quot;&gt;&amp;&#39;"),
            ("a\r\nBcc: x\0", "aBcc: x", "aBcc: x"),
            ("a\u{202e}b\u{2028}c\u{2066}d\u{7f}", "abcd", "abcd"),
            ("\u{85}\u{1b}[31m", "[31m", "[31m"),
            ("\u{1f600}é", "\u{1f600}é", "\u{1f600}é"),
        ] {
            let values = [("name", value), ("link", "L")];
            assert_eq!(fill("{{name}}", &values, plain), text);
            assert_eq!(fill("{{name}}", &values, escaped), html);
        }
        assert_eq!(fill("<{{a}}> &", &[("a", "<")], escaped), "&lt;&lt;&gt; &amp;");
        assert_eq!(fill("{{a}} {{ {{b}}", &[("a", "1")], plain), "1 ");
        assert_eq!(fill("a}} {{b", &[], plain), "a}} {{b");
    }

    #[test]
    fn names_are_no_links() {
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
    fn lines_are_short_where_words_are() {
        let long = "x".repeat(100);
        let text = wrapped(&format!("{} {long} end", "word ".repeat(40).trim()));
        assert!(text.lines().all(|line| line.len() <= WIDTH || line == long), "{text}");
        assert_eq!(text.split_whitespace().count(), 42);
    }
}
