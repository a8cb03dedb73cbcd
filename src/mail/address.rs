//! An address as mail servers take it: its two halves, and its domain in ASCII (RFC 5890, RFC
//! 3492). Knows no message.

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;

/// Bytes of an address, and of its part before the `@` (RFC 5321).
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL_PART: usize = 64;
/// Bytes of one label of a domain, and of a domain, in ASCII (RFC 1035).
const MAX_LABEL: usize = 63;
const MAX_DOMAIN: usize = 253;

/// An address that can stand in a command to a mail server and in a header: no space, no control
/// character, no bracket, no comma, no quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    local: String,
    domain: String,
}

impl Address {
    /// `None` for what cannot be expressed. The domain is turned into ASCII, which every server
    /// understands.
    pub(super) fn parse(text: &str) -> Option<Address> {
        let (local, domain) = text.rsplit_once('@')?;
        let in_local = |c: char| c.is_alphanumeric() || "!#$%&'*+/=?^_`{|}~-".contains(c);
        let dotted = local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(in_local));
        if text.len() > MAX_ADDRESS || local.len() > MAX_LOCAL_PART || !dotted {
            return None;
        }
        Some(Address { local: local.into(), domain: ascii_domain(domain)? })
    }

    /// Whether servers that know nothing of RFC 6531 (SMTPUTF8) take it.
    pub(super) fn is_ascii(&self) -> bool {
        self.local.is_ascii()
    }

    pub(super) fn domain(&self) -> &str {
        &self.domain
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

fn ascii_domain(domain: &str) -> Option<String> {
    let labels: Vec<String> = domain.split('.').map(ascii_label).collect::<Option<_>>()?;
    Some(labels.join(".")).filter(|domain| domain.len() <= MAX_DOMAIN)
}

fn ascii_label(label: &str) -> Option<String> {
    let fine = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'_';
    let ascii = if label.is_ascii() {
        label.to_ascii_lowercase()
    } else {
        // Width, case and composition as the profile for names has them, which is what RFC 5895
        // asks for; its characters are those of RFC 5892, the rules for domains, or narrower.
        let mapped = UsernameCaseMapped::enforce(label).ok()?;
        if mapped.is_ascii() { mapped.into_owned() } else { format!("xn--{}", punycode(&mapped)?) }
    };
    let good = (1..=MAX_LABEL).contains(&ascii.len())
        && ascii.bytes().all(fine)
        && !ascii.starts_with('-')
        && !ascii.ends_with('-');
    good.then_some(ascii)
}

const BASE: u32 = 36;
const LEAST: u32 = 1;
const MOST: u32 = 26;

/// RFC 3492 section 6.3. `None` for what is too long to be a label.
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

/// A number whose digits end with one that is below its threshold.
fn write_number(out: &mut String, mut number: u32, bias: u32) {
    let digit = |d: u32| char::from_digit(d, BASE).map_or('-', letters_first);
    let mut place = BASE;
    loop {
        let threshold = place.saturating_sub(bias).clamp(LEAST, MOST);
        if number < threshold {
            return out.push(digit(number));
        }
        out.push(digit(threshold + (number - threshold) % (BASE - threshold)));
        number = (number - threshold) / (BASE - threshold);
        place += BASE;
    }
}

/// Rust counts 0-9, a-z; punycode counts a-z, 0-9.
fn letters_first(digit: char) -> char {
    match digit.to_digit(BASE) {
        Some(value @ 0..=25) => char::from(b'a' + value as u8),
        Some(value) => char::from(b'0' + (value - 26) as u8),
        None => digit,
    }
}

fn adapt(delta: u32, length: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta += delta / length;
    let mut place = 0;
    while delta > ((BASE - LEAST) * MOST) / 2 {
        delta /= BASE - LEAST;
        place += BASE;
    }
    place + (BASE * delta) / (delta + 38)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punycode_as_in_the_rfc() {
        for (text, expected) in [
            // Section 7.1.
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
    fn addresses() {
        for (text, expected) in [
            ("ada@example.org", Some("ada@example.org")),
            ("Ada+x@EXAMPLE.org", Some("Ada+x@example.org")),
            ("root@localhost", Some("root@localhost")),
            ("a@bücher.example", Some("a@xn--bcher-kva.example")),
            ("a@BÜCHER.example", Some("a@xn--bcher-kva.example")),
            ("a@bu\u{308}cher.example", Some("a@xn--bcher-kva.example")),
            ("a@faß.example", Some("a@xn--fa-hia.example")),
            ("ü@bücher.example", Some("ü@xn--bcher-kva.example")),
            ("a@\u{ff42}.example", Some("a@b.example")),
            ("", None),
            ("@", None),
            ("a@", None),
            ("@b", None),
            ("a@b@c", None),
            ("a b@c", None),
            ("a@b\r\nRCPT TO:<x@y>", None),
            ("a\n@b", None),
            ("a>@b", None),
            ("<a@b>", None),
            ("a,c@b", None),
            ("\"a\"@b", None),
            ("a@[127.0.0.1]", None),
            ("a@b\0", None),
            ("a@-b", None),
            ("a@b-", None),
            ("a@b..c", None),
            ("a@\u{2024}b", None),
            ("a@b\u{3002}c", None),
            (&format!("a@{}", "b".repeat(64)), None),
            (&format!("a@{}", "ü".repeat(63)), None),
            (&format!("{}@b", "a".repeat(65)), None),
        ] {
            let address = Address::parse(text).map(|address| address.to_string());
            assert_eq!(address.as_deref(), expected, "{text:?}");
        }
        assert!(Address::parse("a@bücher.example").unwrap().is_ascii());
        assert!(!Address::parse("ü@b").unwrap().is_ascii());
    }
}
