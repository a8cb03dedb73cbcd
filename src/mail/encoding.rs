//! Text in a message that holds nothing but short lines of ASCII: words in headers (RFC 2047) and
//! bodies (quoted-printable, RFC 2045). What comes out has no line break but those made here.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// Bytes of a header's text that is written as it is; a longer one is folded, in encoded words.
const MAX_PLAIN: usize = 60;
/// Bytes of text in one encoded word: with its frame it fits behind the longest header name.
const WORD: usize = 39;
/// Characters of a line, before its break (RFC 2045).
const LINE: usize = 76;
/// Characters of a line that mail servers let through as it is (RFC 5322), with room for a dot.
const LONGEST_LINE: usize = 990;

/// What no encoded body can hold, so that a boundary which begins with it is in no body.
pub(super) const BOUNDARY: &str = "=_";

/// The value of a header like Subject.
pub(super) fn unstructured(text: &str) -> String {
    let text = one_line(text);
    if text.len() <= MAX_PLAIN && text.is_ascii() && !text.contains("=?") {
        return text;
    }
    encoded_words(&text)
}

/// The name in front of an address.
pub(super) fn phrase(text: &str) -> String {
    let text = one_line(text);
    if text.len() > MAX_PLAIN || !text.is_ascii() || text.contains("=?") {
        return encoded_words(&text);
    }
    let quoted: String = text
        .chars()
        .flat_map(|c| matches!(c, '"' | '\\').then_some('\\').into_iter().chain([c]))
        .collect();
    format!("\"{quoted}\"")
}

/// Without control characters, which a header cannot hold, and without spaces around it.
fn one_line(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(visible).collect::<String>().trim().to_owned()
}

fn encoded_words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = (0..=WORD.min(rest.len())).rev().find(|&end| rest.is_char_boundary(end));
        // A character has at most four bytes, so there is always a boundary beyond the first.
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let space = if out.is_empty() { "" } else { "\r\n " };
        // Writing to a string cannot fail.
        let _ = write!(out, "{space}=?utf-8?B?{}?=", BASE64_STANDARD.encode(word));
        rest = after;
    }
    out
}

/// A body and the name of its encoding. Plain text is left as it is where that can be done, so
/// that a link in a file that somebody looks at is whole.
pub(super) fn body(text: &str) -> (&'static str, String) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let fine = |c: u8| matches!(c, b'\n' | b'\t' | b' '..=b'~');
    let whole = text.bytes().all(fine)
        && text.lines().all(|line| line.len() <= LONGEST_LINE)
        && !text.contains(BOUNDARY);
    if whole {
        return ("7bit", text.replace('\n', "\r\n"));
    }
    let lines: Vec<String> = text.split('\n').map(quoted_printable).collect();
    ("quoted-printable", lines.join("\r\n"))
}

/// One line, with soft breaks where it is too long.
fn quoted_printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + line.len() / 8);
    let mut column = 0;
    let mut bytes = line.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let last = bytes.peek().is_none();
        let plain =
            matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !last);
        let width = if plain { 1 } else { 3 };
        if column + width > LINE - 1 {
            out.push_str("=\r\n");
            column = 0;
        }
        if plain {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "={byte:02X}");
        }
        column += width;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        for (text, expected) in [
            ("New password", "New password"),
            ("", ""),
            ("Olá", "=?utf-8?B?T2zDoQ==?="),
            ("a\r\nBcc: x@y", "a  Bcc: x@y"),
            ("a\0\u{85}\u{7f}b", "a   b"),
            ("=?utf-8?Q?x?=", "=?utf-8?B?PT91dGYtOD9RP3g/PQ==?="),
        ] {
            assert_eq!(unstructured(text), expected, "{text:?}");
        }
        let long = unstructured(&"é".repeat(500));
        assert!(long.split("\r\n").all(|line| line.len() <= 67 && line.is_ascii()), "{long}");
        assert_eq!(long.split("\r\n ").count(), 27);
    }

    #[test]
    fn names() {
        for (text, expected) in [
            ("lictor", "\"lictor\""),
            ("Ada \"the\" \\ Countess", "\"Ada \\\"the\\\" \\\\ Countess\""),
            ("a\r\nBcc: <x@y>", "\"a  Bcc: <x@y>\""),
            ("José", "=?utf-8?B?Sm9zw6k=?="),
        ] {
            assert_eq!(phrase(text), expected, "{text:?}");
        }
    }

    #[test]
    fn bodies() {
        let long = "x".repeat(991);
        for (text, encoding, expected) in [
            ("a\nb\n", "7bit", "a\r\nb\r\n"),
            ("a\r\nb\rc", "7bit", "a\r\nb\r\nc"),
            ("https://a.example/?token=abc", "7bit", "https://a.example/?token=abc"),
            ("olá = 1 \n.", "quoted-printable", "ol=C3=A1 =3D 1=20\r\n."),
            ("--=_x", "quoted-printable", "--=3D_x"),
            ("\0\t", "quoted-printable", "=00=09"),
            (&long, "quoted-printable", &{
                let lines: Vec<_> = (0..13).map(|_| "x".repeat(75)).collect();
                format!("{}=\r\n{}", lines.join("=\r\n"), "x".repeat(16))
            }),
        ] {
            assert_eq!(body(text), (encoding, expected.to_owned()), "{text:?}");
        }
        for line in body(&"ü=".repeat(300)).1.split("\r\n") {
            assert!(line.len() <= LINE, "{line}");
        }
    }
}
