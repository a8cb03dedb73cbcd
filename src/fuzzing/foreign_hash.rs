//! A hash of another program: any text. It is read or refused; a cheap one is compared.

use super::first_line;
use crate::guard::{Attempt, BadHash, Hasher, Verdict, read_foreign};

/// The longest text of a hash, in bytes.
const MAX_TEXT: usize = 1024;

/// The target. The first line is the text of a hash, the rest is what somebody types.
pub fn foreign_hash(data: &[u8]) {
    let (text, typed) = first_line(data);
    let (Ok(text), Ok(typed)) = (std::str::from_utf8(text), std::str::from_utf8(typed)) else {
        return;
    };
    match read_foreign(text) {
        Ok(hash) => {
            assert!(hash.stored.as_str().len() <= MAX_TEXT);
            let again = read_foreign(hash.stored.as_str());
            let again = again.unwrap_or_else(|why| panic!("it is stored, but not read: {why}"));
            assert_eq!((&again.stored, again.scheme), (&hash.stored, hash.scheme));
            if is_cheap(text, hash.scheme) {
                compare(typed, &hash.stored, hash.scheme);
            }
        }
        Err(why) => {
            let shown = why.to_string();
            assert!(matches!(why, BadHash::Unknown) || shown.contains(" hash "), "{shown}");
            assert!(shown.len() < 100 && !shown.contains('$'), "{shown}");
        }
    }
}

fn compare(typed: &str, stored: &crate::values::PasswordHash, scheme: &str) {
    let hasher = Hasher::new(1).unwrap_or_else(|error| panic!("{error:?}"));
    let attempt = Attempt::new(typed);
    let [first, second] = [(); 2].map(|()| {
        hasher.verify(&attempt, stored).unwrap_or_else(|error| panic!("not compared: {error:?}"))
    });
    assert_eq!(first, second);
    // A hash of bcrypt that more than one password matches stays.
    let stays = matches!(scheme, "bcrypt" | "django_bcrypt");
    assert!(stays || first != Verdict::Right, "a hash of another program is replaced");
}

/// Whether a hash takes a few milliseconds, told by all numbers in its text. Digits of a salt may
/// make it look costly.
fn is_cheap(text: &str, scheme: &str) -> bool {
    if scheme.contains("bcrypt") {
        return ["$04$", ",4$", "r=4$"].iter().any(|cost| text.contains(cost));
    }
    if let Some(rest) = text.strip_prefix("$scrypt$ln=")
        && rest.as_bytes().get(1) != Some(&b',')
    {
        return false;
    }
    let settings = text.rsplit_once('$').map_or("", |(settings, _)| settings);
    let numbers = settings.split(|c: char| !c.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let work = numbers
        .fold(1_u64, |work, digits| work.saturating_mul(digits.parse().unwrap_or(u64::MAX).max(1)));
    work < 1_000_000
}
