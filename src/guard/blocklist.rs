//! The common passwords, which attackers try first. Knows nothing of how passwords are kept.
//!
//! The list is that of Django (BSD-3-Clause; the licence text is at the top of the file): the most
//! frequent passwords in real breaches. Of its 20,000, the file holds the 8,346 that are long
//! enough to be chosen here, which add 25 kB to the program. A longer list would gain little:
//! guesses are throttled, and its further passwords would be tried after thousands of others (NIST
//! SP 800-63B-4 section 3.1.1.2). `tools/blocklist` generates the file.

use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// The sorted list, deflated. Each line begins with a digit: the number of leading bytes that it shares
/// with the line before.
const LIST: &[u8] = include_bytes!("blocklist.deflate");
/// The most bytes that it inflates to.
const MAX_LIST: usize = 64 * 1024;

/// Returns whether a password, in lower case, is on the list. Reads the whole list, which takes a
/// hundredth of the time of the hash that follows.
pub(super) fn is_common(password: &str) -> bool {
    any_entry(|entry| entry == password.as_bytes())
}

/// Returns whether `matches` returns true for an entry. Entries come in order.
fn any_entry(mut matches: impl FnMut(&[u8]) -> bool) -> bool {
    let mut entry = Vec::new();
    // A test inflates it: this cannot fail.
    let list = decompress_to_vec_with_limit(LIST, MAX_LIST).unwrap_or_default();
    let lines = list.split(|&b| b == b'\n').filter(|line| !line.starts_with(b"#"));
    lines.filter_map(|line| line.split_first()).any(|(&shared, rest)| {
        entry.truncate(usize::from(shared.wrapping_sub(b'0')));
        entry.extend_from_slice(rest);
        matches(&entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compressed_list_is_the_one_that_can_be_read() {
        let text = include_bytes!("blocklist.txt");
        assert_eq!(decompress_to_vec_with_limit(LIST, MAX_LIST).unwrap(), text);
    }

    #[test]
    fn common_passwords_are_found() {
        for (password, expected) in [
            ("password", true),
            ("password1", true),
            ("12345678", true),
            ("123456789", true),
            ("qwertyuiop", true),
            ("iloveyou", true),
            ("trustno1", true),
            ("1q2w3e4r5t", true),
            ("aaaaaaaa", true),
            ("!qaz1qaz", true),
            ("zzzzzzzz", true),
            // Only whole passwords match.
            ("", false),
            ("passwor", false),
            ("password1password1x", false),
            ("correct horse", false),
            ("ten wooden lanterns", false),
        ] {
            assert_eq!(is_common(password), expected, "{password:?}");
        }
    }

    #[test]
    fn the_list_is_complete_and_sorted() {
        let mut before = Vec::new();
        let mut count = 0;
        any_entry(|entry| {
            assert!(entry > &before[..], "{}", entry.escape_ascii());
            assert!(entry.len() >= 8 && entry.is_ascii(), "{}", entry.escape_ascii());
            assert!(!entry.iter().any(u8::is_ascii_uppercase), "{}", entry.escape_ascii());
            before = entry.to_vec();
            count += 1;
            false
        });
        assert_eq!(count, 8_346);
        let licence = "Copyright (c) Django Software Foundation and individual contributors.";
        let text = include_str!("blocklist.txt");
        assert!(text.contains(licence) && text.contains("THIS SOFTWARE IS PROVIDED"));
    }
}
