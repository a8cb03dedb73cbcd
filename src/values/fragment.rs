//! Search terms: a part of a username or of an e-mail address.

use precis_profiles::UsernameCaseMapped;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

use super::domain;
use super::email::{Email, MAX_EMAIL, local_key};
use crate::error::Error;

/// Returns each label of a domain in its ASCII form, or in lower case if it has none.
fn labels(part: &str) -> String {
    let ascii = |label: &str| domain::ascii(label).unwrap_or_else(|| local_key(label));
    part.split('.').map(ascii).collect::<Vec<_>>().join(".")
}

/// A search term: a part of a username or an e-mail address. It need not be valid as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fragment {
    written: String,
    name: String,
    email: String,
    domain: String,
    /// The terms without accents.
    bare_name: String,
    bare_email: String,
}

impl Fragment {
    /// Prepares a search term as the keys of names and addresses are prepared.
    pub fn parse(text: &str) -> Result<Fragment, Error> {
        if text.len() > MAX_EMAIL {
            return Err(Error::BadRequest(format!("search: longer than {MAX_EMAIL} bytes")));
        }
        // The profile refuses some parts of valid names: its rules look at neighbouring characters.
        let name = UsernameCaseMapped::enforce(text);
        let name = name.map_or_else(|_| text.to_lowercase(), |name| name.into_owned());
        let (email, domain) = match text.rsplit_once('@') {
            Some((local, domain)) => {
                let whole = format!("{}@{}", local_key(local), labels(domain));
                (whole.clone(), whole)
            }
            None => (local_key(text), labels(text)),
        };
        let (bare_name, bare_email) = (without_accents(&name), without_accents(text));
        Ok(Fragment { written: text.into(), name, email, domain, bare_name, bare_email })
    }

    /// Returns the term as it was written.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// Returns the term for [`Username::key`](super::Username::key).
    pub fn in_name(&self) -> &str {
        &self.name
    }

    /// Returns the term for [`Email::key`].
    pub fn in_email(&self) -> &str {
        &self.email
    }

    /// Whether the term is in a name, whatever the case and the accents.
    pub fn is_in_name(&self, name: &str) -> bool {
        without_accents(name).contains(&self.bare_name)
    }

    /// Whether the term is in an e-mail address, whatever the case and the accents, or in the ASCII
    /// form of its domain.
    pub fn is_in_email(&self, email: &str) -> bool {
        let bare = without_accents(email);
        if [&self.bare_email, &self.email, &self.domain].iter().any(|term| bare.contains(*term)) {
            return true;
        }
        // A part of a label has no ASCII form, so both forms of the address are looked at.
        !email.is_ascii()
            && Email::parse(email).is_ok_and(|email| {
                email.key().contains(&self.email) || email.key().contains(&self.domain)
            })
    }
}

/// Returns a text in lower case and without accents, as people search for it. Letters that are no
/// composition of another one and an accent, such as ø, stay.
fn without_accents(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let letters = text.nfd().filter(|c| canonical_combining_class(*c) == 0);
    // At the end of a word, a sigma has another lower case.
    letters.flat_map(char::to_lowercase).map(|c| if c == 'ς' { 'σ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_terms_are_prepared_like_keys() {
        for (text, name, email, domain) in [
            ("", "", "", ""),
            ("AdA", "ada", "ada", "ada"),
            ("Ju\u{308}r", "jür", "jür", "xn--jr-xka"),
            ("\u{ff21}d", "ad", "\u{ff41}d", "ad"),
            ("Bücher.ex", "bücher.ex", "bücher.ex", "xn--bcher-kva.ex"),
            ("Ü@Bücher.ex", "ü@bücher.ex", "ü@xn--bcher-kva.ex", "ü@xn--bcher-kva.ex"),
            ("mi\u{212a}", "mik", "mi\u{212a}", "mik"),
            // None of these is a valid name.
            ("A b", "a b", "a b", "a b"),
            ("100%_", "100%_", "100%_", "100%_"),
            ("\u{b7}L", "\u{b7}l", "\u{b7}l", "\u{b7}l"),
        ] {
            let fragment = Fragment::parse(text).unwrap();
            let parts = (fragment.in_name(), fragment.in_email(), &*fragment.domain);
            assert_eq!(parts, (name, email, domain), "{text:?}");
        }
        assert!(Fragment::parse(&"x".repeat(254)).is_ok());
        assert!(Fragment::parse(&"x".repeat(255)).is_err());
    }

    #[test]
    fn case_and_accents_make_no_difference() {
        for (term, name, found) in [
            ("jose", "José", true),
            ("JOSÉ", "jose", true),
            ("jose\u{301}", "José", true),
            ("jos", "J\u{f6}s", true),
            ("ÀÉ", "xaey", true),
            ("istanbul", "\u{130}stanbul", true),
            ("ΣΟΦΟΣ", "σοφος", true),
            ("οδος", "ΟΔΟΣ", true),
            ("Đ", "d", false),
            ("o", "ø", false),
            ("joze", "José", false),
            ("", "x", true),
        ] {
            assert_eq!(Fragment::parse(term).unwrap().is_in_name(name), found, "{term} {name}");
        }
        for (term, email, found) in [
            ("bucher", "a@b\u{fc}cher.example", true),
            ("BÜCHER.", "a@XN--BCHER-KVA.example", true),
            ("xn--bcher", "a@bücher.example", true),
            ("josé@", "jose@mail.example", true),
            ("jose@m", "José@mail.example", true),
            ("jose@x", "José@mail.example", false),
        ] {
            assert_eq!(Fragment::parse(term).unwrap().is_in_email(email), found, "{term} {email}");
        }
    }
}
