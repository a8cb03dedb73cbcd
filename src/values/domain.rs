//! The ASCII form of a domain, by which two domains are compared (RFC 5890, RFC 3492, UTS 46).
//! Knows no e-mail address.

use precis_profiles::UsernameCasePreserved;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

/// Maximum length of one label, and of a whole domain, in bytes of ASCII (RFC 1035).
const MAX_LABEL: usize = 63;
const MAX_DOMAIN: usize = 253;

/// Returns the domain in lower-case ASCII; `None` if the text cannot be a domain.
pub(crate) fn ascii(domain: &str) -> Option<String> {
    let labels: Vec<String> = domain.split('.').map(ascii_label).collect::<Option<_>>()?;
    Some(labels.join(".")).filter(|domain| domain.len() <= MAX_DOMAIN)
}

fn ascii_label(label: &str) -> Option<String> {
    let fine = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    let ascii = if label.is_ascii() {
        label.to_ascii_lowercase()
    } else {
        // The profile for usernames allows what RFC 5892 allows in domains, or less: the same
        // character classes, the same rules for neighbouring characters and for right-to-left text.
        let mapped = UsernameCasePreserved::enforce(folded(label)).ok()?;
        let mark = |c| canonical_combining_class(c) != 0;
        if mapped.starts_with(mark) || mapped.starts_with('-') || mapped.ends_with('-') {
            return None;
        }
        match mapped.is_ascii() {
            true => mapped.into_owned(),
            false => format!("xn--{}", punycode(&mapped)?),
        }
    };
    let good = (1..=MAX_LABEL).contains(&ascii.len())
        && ascii.bytes().all(fine)
        && !ascii.starts_with('-')
        && !ascii.ends_with('-');
    good.then_some(ascii)
}

/// Whether ASCII characters come out of others if compatible forms are replaced (NFKC), as the letters of
/// full width. An `é` stays one letter.
pub(crate) fn hides_ascii(text: &str) -> bool {
    let mut found = false;
    for c in text.chars().filter(|c| !c.is_ascii()) {
        let mut ascii = false;
        decompose_compatible(c, |part| {
            // A mark is put together with the letter before it.
            found |= ascii && canonical_combining_class(part) == 0;
            ascii = part.is_ascii();
        });
        found |= ascii;
    }
    found
}

/// Applies the mapping of UTS 46: NFKC and case folding, which differs from lower case in a few
/// letters only.
fn folded(label: &str) -> String {
    let mut mapped = String::new();
    for whole in label.chars() {
        decompose_compatible(whole, |c| {
            // Cherokee letters fold to upper case, which Unicode has had for longer.
            mapped.extend(fold(c, whole).to_lowercase().map(cherokee));
        });
    }
    mapped.nfkc().collect()
}

/// Folds the letters whose folded form is not their lower case.
fn fold(c: char, whole: char) -> char {
    match c {
        '\u{345}' => 'ι',
        // A final sigma is valid in a domain, unless it comes from a mathematical letter.
        'ς' if whole != 'ς' => 'σ',
        c => c,
    }
}

/// Returns the upper-case form of a Cherokee letter; any other character unchanged.
fn cherokee(c: char) -> char {
    let back = match c {
        '\u{ab70}'..='\u{abbf}' => 0xab70 - 0x13a0,
        '\u{13f8}'..='\u{13fd}' => 8,
        _ => 0,
    };
    char::from_u32(u32::from(c) - back).unwrap_or(c)
}

/// The parameters of punycode (RFC 3492 section 5).
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;

/// Encodes a label (RFC 3492 section 6.3); `None` if it is too long.
fn punycode(label: &str) -> Option<String> {
    if label.len() > 4 * MAX_LABEL {
        return None;
    }
    let mut out: String = label.chars().filter(char::is_ascii).collect();
    let basic = u32::try_from(out.len()).ok()?;
    if basic > 0 {
        out.push('-');
    }
    let (mut next, mut delta, mut bias, mut handled) = (128u32, 0u32, 72u32, basic);
    let total = u32::try_from(label.chars().count()).ok()?;
    while handled < total {
        let least = label.chars().map(u32::from).filter(|&c| c >= next).min()?;
        delta = delta.checked_add((least - next).checked_mul(handled + 1)?)?;
        next = least;
        for char in label.chars().map(u32::from) {
            if char < next {
                delta = delta.checked_add(1)?;
            } else if char == next {
                write_number(&mut out, delta, bias);
                bias = adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled += 1;
            }
        }
        delta = delta.checked_add(1)?;
        next += 1;
    }
    Some(out)
}

/// Writes a generalized variable-length integer (RFC 3492 section 3.3): its last digit is the first
/// one below its threshold.
fn write_number(out: &mut String, mut number: u32, bias: u32) {
    let digit = |d: u32| char::from_digit(d, BASE).map_or('-', letters_first);
    let mut place = BASE;
    loop {
        let threshold = place.saturating_sub(bias).clamp(T_MIN, T_MAX);
        if number < threshold {
            return out.push(digit(number));
        }
        out.push(digit(threshold + (number - threshold) % (BASE - threshold)));
        number = (number - threshold) / (BASE - threshold);
        place += BASE;
    }
}

/// Maps a digit of Rust's order (0-9, a-z) to punycode's order (a-z, 0-9).
fn letters_first(digit: char) -> char {
    match digit.to_digit(BASE) {
        Some(value @ 0..=25) => char::from(b'a' + value as u8),
        Some(value) => char::from(b'0' + (value - 26) as u8),
        None => digit,
    }
}

/// Adapts the bias (RFC 3492 section 6.1).
fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut place = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        place += BASE;
    }
    place + (BASE * delta) / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3492_section_7_1() {
        for (text, expected) in [
            ("ليهمابتكلموشعربي؟", "egbpdaj6bu4bxfgehfvwxn"),
            ("他们为什么不说中文", "ihqwcrb4cv8a8dqg056pqjye"),
            ("pročprostěnemluvíčesky", "proprostnemluvesky-uyb24dma41a"),
            ("почемужеонинеговорятпорусски", "b1abfaaepdrnnbgefbadotcwatmq2g4l"),
            ("3年b組金八先生", "3b-ww4c5e180e575a65lsy2b"),
            ("bücher", "bcher-kva"),
            ("faß", "fa-hia"),
        ] {
            assert_eq!(punycode(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(punycode(&"ü".repeat(1_000)), None);
    }

    #[test]
    fn the_idna_crate_agrees_about_every_character() {
        let (mut alike, mut newer) = (0, 0);
        // Thousands of Han and Hangul characters behave alike: test a sample of them. Nothing else
        // comes after them.
        let alike_anyway =
            |c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}' | '\u{20000}'..);
        let some = |&c: &char| !alike_anyway(c) || u32::from(c) % 97 == 0;
        for c in ('\u{80}'..='\u{323af}').filter(some) {
            let domain = format!("a{c}b.example");
            let Some(ours) = ascii(&domain).filter(|ours| !ours.contains('_')) else { continue };
            match idna::domain_to_ascii_strict(&domain) {
                Ok(theirs) => assert_eq!(theirs, ours, "U+{:04X}", u32::from(c)),
                // The tables of the idna crate are one version of Unicode older.
                Err(_) => newer += 1,
            }
            alike += 1;
        }
        assert!(alike > 15_000 && newer < 100, "{alike} {newer}");
        for (domain, fine) in [
            ("\u{3b1}\u{3bf}\u{3c2}.example", true),
            ("xn--bcher-kva.example", true),
            ("\u{301}a.example", false),
            ("\u{5d0}a.example", false),
            ("\u{661}\u{6f1}.example", false),
            ("-ü.example", false),
        ] {
            let theirs = idna::domain_to_ascii_strict(domain).ok();
            assert_eq!(ascii(domain), theirs, "{domain}");
            assert_eq!(theirs.is_some(), fine, "{domain}");
        }
    }
}
