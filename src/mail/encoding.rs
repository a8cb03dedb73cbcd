//! Encodes text for a message of short ASCII lines: encoded words in headers (RFC 2047), and
//! quoted-printable bodies (RFC 2045). The result has no line break except those made here.

use std::fmt::Write as _;

use base64::prelude::{BASE64_STANDARD, Engine as _};

/// Bytes of header text that is written unencoded; a longer text becomes folded encoded words.
const MAX_PLAIN: usize = 60;
/// Bytes of text in one encoded word, which then fits on a line after the longest header name.
const MAX_WORD: usize = 39;
/// Characters of a quoted-printable line, without its line break (RFC 2045).
const MAX_QP_LINE: usize = 76;
/// Characters of a line that mail servers pass on unchanged (998 in RFC 5322), with room for the dot
/// that SMTP adds.
const MAX_LINE: usize = 990;

/// The beginning of every boundary. No encoded body contains it, so no body contains a boundary.
pub(super) const BOUNDARY: &str = "=_";

/// Encodes the value of an unstructured header, such as Subject.
pub(super) fn unstructured(text: &str) -> String {
    let text = one_line(text);
    if text.len() <= MAX_PLAIN && text.is_ascii() && !text.contains("=?") {
        return text;
    }
    encoded_words(&text)
}

/// Encodes the display name before a mailbox.
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

/// The text with spaces instead of control characters, which no header may contain, and trimmed.
fn one_line(text: &str) -> String {
    let visible = |c: char| if c.is_control() { ' ' } else { c };
    text.chars().map(visible).collect::<String>().trim().to_owned()
}

fn encoded_words(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = (0..=MAX_WORD.min(rest.len())).rev().find(|&end| rest.is_char_boundary(end));
        // A character has at most four bytes, so a boundary after the first byte exists.
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        let space = if out.is_empty() { "" } else { "\r\n " };
        // Writing to a string cannot fail.
        let _ = write!(out, "{space}=?utf-8?B?{}?=", BASE64_STANDARD.encode(word));
        rest = after;
    }
    out
}

/// Encodes a body; returns the name of the encoding and the body. Plain ASCII stays unencoded, so
/// that a link can be copied from a mail that was written to a file.
pub(super) fn body(text: &str) -> (&'static str, String) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let allowed = |c: u8| matches!(c, b'\n' | b'\t' | b' '..=b'~');
    let is_7bit = text.bytes().all(allowed)
        && text.lines().all(|line| line.len() <= MAX_LINE)
        && !text.contains(BOUNDARY);
    if is_7bit {
        return ("7bit", text.replace('\n', "\r\n"));
    }
    let lines: Vec<String> = text.split('\n').map(quoted_printable).collect();
    ("quoted-printable", lines.join("\r\n"))
}

/// Encodes one line, with soft line breaks.
fn quoted_printable(line: &str) -> String {
    let mut out = String::with_capacity(line.len() + line.len() / 8);
    let mut column = 0;
    let mut bytes = line.bytes().peekable();
    while let Some(byte) = bytes.next() {
        let last = bytes.peek().is_none();
        let plain =
            matches!(byte, b'!'..=b'<' | b'>'..=b'~') || (matches!(byte, b' ' | b'\t') && !last);
        let width = if plain { 1 } else { 3 };
        if column + width > MAX_QP_LINE - 1 {
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
    fn unstructured_headers() {
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
    fn display_names() {
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
            assert!(line.len() <= MAX_QP_LINE, "{line}");
        }
    }
}
