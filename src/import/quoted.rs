//! Values of a source in messages to people.

/// Characters of a value that a message shows.
const MAX_SHOWN: usize = 64;

/// A value in quotation marks: without control characters, cut if it is long.
pub(super) fn quoted(value: &str) -> String {
    let (shown, rest) = cut(value);
    format!("{shown:?}{rest}")
}

/// The same for a value that is between quotation marks already.
pub(crate) fn escaped(value: &str) -> String {
    let (shown, rest) = cut(value);
    format!("{}{rest}", shown.escape_debug())
}

/// What is shown of a value, and what stands for the rest.
fn cut(value: &str) -> (&str, &'static str) {
    match value.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => (&value[..end], "…"),
        None => (value, ""),
    }
}

/// A name of a table or a column: as it is, if it is nothing but letters, digits and `_ . -`. One
/// that may be a password's hash, from a file without a header, is not shown.
pub(super) fn name(name: &str) -> String {
    match name {
        _ if !is_shown(name) => "(a name that is not shown)".into(),
        _ if is_plain(name) => name.to_owned(),
        _ => quoted(name),
    }
}

/// Whether a message may show a name: it is short, and no hash.
pub(super) fn is_shown(name: &str) -> bool {
    name.chars().count() <= MAX_SHOWN && !is_like_hash(name)
}

/// Whether a text may be a password's hash, or a part of one: all schemes that an import knows have a
/// `$`, and most others are in hexadecimal.
pub(super) fn is_like_hash(text: &str) -> bool {
    let is_hex = || text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.contains('$') || is_hex()
}

/// A name for a shell: in apostrophes if it is more than letters, digits and `_ . -`. `None` if it
/// cannot be typed: it is empty, like a flag, or has characters that a message shows in another way.
pub(super) fn for_shell(name: &str) -> Option<String> {
    let is_shown = |c: char| matches!(c, '"' | '\'' | '\\') || c.escape_debug().len() == 1;
    match name.is_empty() || name.starts_with('-') || !name.chars().all(is_shown) {
        true => None,
        false if is_plain(name) => Some(name.to_owned()),
        false => Some(format!("'{}'", name.replace('\'', r"'\''"))),
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_odd_values_are_shown_short() {
        assert_eq!(quoted("a\n\u{7}b"), r#""a\n\u{7}b""#);
        assert_eq!(quoted(&"é".repeat(100)), format!("\"{}\"…", "é".repeat(64)));
        for (text, expected) in [
            ("auth.users", "auth.users".to_owned()),
            ("my staff", "\"my staff\"".into()),
            ("", "\"\"".into()),
            (&"x".repeat(65), "(a name that is not shown)".into()),
            ("$2b$12$x", "(a name that is not shown)".into()),
            ("5f4dcc3b5aa765d61d8327deb882cf99", "(a name that is not shown)".into()),
        ] {
            assert_eq!(name(text), expected);
        }
        for (text, expected) in [
            ("a", Some("a")),
            ("a b", Some("'a b'")),
            ("it's", Some(r"'it'\''s'")),
            ("", None),
            ("-x", None),
            ("a\nb", None),
            ("a\u{1b}[2J", None),
            ("a\u{202e}b", None),
        ] {
            assert_eq!(for_shell(text).as_deref(), expected);
        }
    }
}
