//! Names of header fields (RFC 9110 section 5.1) and of hosts, whose case does not matter.
//!
//! The functions are not inlined: a caller that is built for size would make slow code of them.

use std::cmp::Ordering;

/// Returns the place of a name in a list.
#[inline(never)]
pub fn position(names: &[&str], name: &str) -> Option<usize> {
    names.iter().position(|one| one.eq_ignore_ascii_case(name))
}

/// Whether two names are the same.
#[inline(never)]
pub fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Compares a name in lower case with one in any case.
#[inline(never)]
pub fn compare(lower: &str, other: &str) -> Ordering {
    lower.bytes().cmp(other.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// Whether a name has ASCII letters, digits and `-` only.
#[inline(never)]
pub fn is_plain(name: &str) -> bool {
    // Looks at every byte without a branch for each.
    name.bytes().fold(true, |plain, byte| plain & PLAIN[usize::from(byte)])
}

static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'-';
        byte += 1;
    }
    plain
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_a_list() {
        let names = ["Host", "X-Forwarded-Host", "X-Forwarded-Proto"];
        for (name, expected) in
            [("host", Some(0)), ("X-FORWARDED-PROTO", Some(2)), ("X-Forwarded", None), ("", None)]
        {
            assert_eq!(position(&names, name), expected, "{name}");
            let found = names.iter().position(|one| same(one, name));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn names_in_their_order() {
        for (lower, other, expected) in [
            ("a.example", "A.Example", Ordering::Equal),
            ("a.example", "B.example", Ordering::Less),
            ("b.example", "A.EXAMPLE", Ordering::Greater),
            ("a", "AB", Ordering::Less),
            ("ab", "A", Ordering::Greater),
            ("z", "_", Ordering::Greater),
        ] {
            assert_eq!(compare(lower, other), expected, "{lower} {other}");
        }
    }

    #[test]
    fn names_with_odd_characters() {
        for (name, expected) in [("", true), ("X-a9", true), ("X_a", false), ("é", false)] {
            assert_eq!(is_plain(name), expected, "{name}");
        }
        for byte in 0..=u8::MAX {
            let expected = byte.is_ascii_alphanumeric() || byte == b'-';
            assert_eq!(is_plain(&format!("a{}", char::from(byte))), expected, "{byte}");
        }
    }
}
