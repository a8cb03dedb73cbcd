//! A letter's words as they are kept in a file: a subject, the name of the button, paragraphs,
//! with `{{names}}` where something is filled in. The text and the HTML of a mail are made of the
//! same words. Knows no letter; sixty lines that fill in names are no reason for a library.

/// Bytes of a file with words.
pub(super) const MAX_FILE: usize = 64 * 1024;
/// Columns of a mail's text (RFC 5322 section 2.1.1 recommends 78).
const WIDTH: usize = 72;

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
    /// Reads a file; says what is wrong with it. `known` are the names that can be filled in,
    /// `needed` one that must be.
    pub(super) fn parse(text: &str, known: &[&str], needed: Option<&str>) -> Result<Words, String> {
        check_names(text, known, needed)?;
        let text = text.replace("\r\n", "\n");
        let (head, body) =
            text.split_once("\n\n").ok_or("there is no empty line after its head")?;
        let (mut subject, mut button) = (None, None);
        for line in head.lines() {
            match line.split_once(": ") {
                Some(("Subject", words)) => subject = Some(words.trim().to_owned()),
                Some(("Button", words)) => button = Some(words.trim().to_owned()),
                _ => return Err(format!("its head has a line {line:?}")),
            }
        }
        let paragraphs = body.split("\n\n").map(one_line).filter(|paragraph| !paragraph.is_empty());
        Ok(Words {
            subject: subject.ok_or("it does not begin with a line Subject: …")?,
            button: button.unwrap_or_else(|| "{{link}}".into()),
            paragraphs: paragraphs.collect(),
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

    /// The first paragraph that is no greeting: what mail programs show beside the subject.
    pub(super) fn preview(&self, values: &Values<'_>) -> String {
        let words = self.paragraphs.iter().find(|words| words.len() > 40);
        words.map_or_else(String::new, |words| fill(words, values, escaped))
    }

    /// The paragraphs as HTML; a link as a button, and below to be read and copied.
    pub(super) fn html(&self, values: &Values<'_>) -> String {
        let mut html = String::new();
        for words in &self.paragraphs {
            if words == "{{link}}" {
                let link = fill(words, values, escaped);
                let button = fill(&self.button, values, escaped);
                html += &format!(
                    "<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" style=\"margin:8px 0 16px;\"><tr>\
                     <td class=\"button\" style=\"background:#1f5fbf;border-radius:6px;\">\
                     <a href=\"{link}\" style=\"display:inline-block;padding:12px 22px;font-size:16px;font-weight:600;color:#ffffff;text-decoration:none;\">{button}</a>\
                     </td></tr></table>\n\
                     <p class=\"small\" style=\"margin:0 0 16px;font-size:13px;line-height:1.5;color:#57606a;word-break:break-all;\">\
                     <a href=\"{link}\" style=\"color:#57606a;\">{link}</a></p>\n"
                );
            } else {
                let words = fill(words, values, escaped);
                html += &format!(
                    "<p style=\"margin:0 0 16px;font-size:16px;line-height:1.5;color:#1b1f24;overflow-wrap:anywhere;\">{words}</p>\n"
                );
            }
        }
        html
    }
}

/// Puts values in the place of names, in one pass: what is in a value is no name.
pub(super) fn fill(template: &str, values: &Values<'_>, form: fn(&str) -> String) -> String {
    let mut filled = String::new();
    let mut rest = template;
    while let Some((before, name, after)) = next_name(rest) {
        filled += before;
        if let Some((_, value)) = values.iter().find(|(known, _)| *known == name) {
            filled += &form(value);
        }
        rest = after;
    }
    filled + rest
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (name, after) = rest.split_once("}}")?;
    Some((before, name.trim(), after))
}

fn check_names(text: &str, known: &[&str], needed: Option<&str>) -> Result<(), String> {
    let (mut rest, mut found) = (text, needed.is_none());
    while let Some((_, name, after)) = next_name(rest) {
        if !known.contains(&name) {
            return Err(format!("nothing is called {{{{{name}}}}}; here there are {known:?}"));
        }
        found |= needed == Some(name);
        rest = after;
    }
    match needed {
        Some(needed) if !found => Err(format!("{{{{{needed}}}}} is not in it")),
        _ => Ok(()),
    }
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

/// Line and paragraph separators, and characters that turn the direction of writing.
fn is_layout(char: char) -> bool {
    matches!(char, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{61c}')
        || ('\u{202a}'..='\u{202e}').contains(&char)
        || ('\u{2066}'..='\u{2069}').contains(&char)
}

fn one_line(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
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
        let known = ["name", "link"];
        let check = |text: &str| Words::parse(text, &known, Some("link")).err();
        for (text, expected) in [
            ("Subject: S\nButton: B\n\nHello {{name}},\n\n{{link}}\n", None),
            ("Subject: S\r\n\r\n{{ link }}", None),
            ("Subject: S\n\nHello", Some("{{link}} is not in it")),
            ("Subject: S\n\n{{link}} {{nmae}}", Some("nothing is called {{nmae}}")),
            ("Hello {{link}}", Some("no empty line")),
            ("Button: B\n\n{{link}}", Some("Subject: …")),
            ("Subject: S\nReply-To: x\n\n{{link}}", Some("its head has a line")),
        ] {
            let wrong = check(text);
            match expected {
                None => assert_eq!(wrong, None, "{text}"),
                Some(part) => {
                    assert!(wrong.as_ref().is_some_and(|w| w.contains(part)), "{wrong:?}")
                }
            }
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
            ("\u{1f600}é", "\u{1f600}é", "\u{1f600}é"),
        ] {
            let values = [("name", value), ("link", "L")];
            assert_eq!(fill("{{name}}", &values, plain), text);
            assert_eq!(fill("{{name}}", &values, escaped), html);
        }
        assert_eq!(fill("{{a}} {{ {{b}}", &[("a", "1")], plain), "1 ");
        assert_eq!(fill("a}} {{b", &[], plain), "a}} {{b");
    }

    #[test]
    fn lines_are_short_where_words_are() {
        let long = "x".repeat(100);
        let text = wrapped(&format!("{} {long} end", "word ".repeat(40).trim()));
        assert!(text.lines().all(|line| line.len() <= WIDTH || line == long), "{text}");
        assert_eq!(text.split_whitespace().count(), 42);
    }
}
