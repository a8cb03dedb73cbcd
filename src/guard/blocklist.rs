//! The passwords that everybody tries first. Knows nothing of how passwords are kept.
//!
//! The list is that of Django (BSD-3-Clause; its text stands at the top of the file), made of what
//! was found most often in real breaches; of 20,000 the 8,346 that are long enough to be chosen
//! here. It adds 50 kB to the program. A longer one would gain little: guesses are throttled, and
//! what it would add is tried after thousands of others (NIST SP 800-63B-4 section 3.1.1.2).
//! `tools/blocklist` makes it anew.

/// Sorted; a digit in front says how many bytes are those of the line before.
const LIST: &str = include_str!("blocklist.txt");

/// Whether so many people have this password that it is no secret; in lower case. Looks through
/// the whole list, which takes a hundredth of the time of the hash that follows.
pub(super) fn is_common(password: &str) -> bool {
    entries(|entry| entry == password.as_bytes())
}

/// Whether one of the entries is `wanted`.
fn entries(mut wanted: impl FnMut(&[u8]) -> bool) -> bool {
    let mut entry = Vec::new();
    LIST.lines().filter(|line| !line.starts_with('#')).any(|line| {
        if let Some((&shared, rest)) = line.as_bytes().split_first() {
            entry.truncate(usize::from(shared.wrapping_sub(b'0')));
            entry.extend_from_slice(rest);
        }
        wanted(&entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_passwords() {
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
            // The unit of comparison is a whole password.
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
    fn the_list_is_whole() {
        let mut before = Vec::new();
        let mut count = 0;
        entries(|entry| {
            assert!(entry > &before[..], "{}", entry.escape_ascii());
            assert!(entry.len() >= 8 && entry.is_ascii(), "{}", entry.escape_ascii());
            assert!(!entry.iter().any(u8::is_ascii_uppercase), "{}", entry.escape_ascii());
            before = entry.to_vec();
            count += 1;
            false
        });
        assert_eq!(count, 8_346);
        let licence = "Copyright (c) Django Software Foundation and individual contributors.";
        assert!(LIST.contains(licence) && LIST.contains("THIS SOFTWARE IS PROVIDED"));
    }
}
