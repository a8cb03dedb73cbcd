//! The languages of mails, and which one a request prefers. Knows no texts.

/// Maximum bytes of an Accept-Language header that are read, and maximum ranges that count.
const MAX_HEADER: usize = 1_024;
const MAX_RANGES: usize = 32;

/// A language that mails are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The default.
    English,
    /// One text for European and Brazilian Portuguese.
    Portuguese,
}

const ALL: [Language; 2] = [Language::English, Language::Portuguese];

impl Language {
    /// Returns the language that a request prefers (RFC 9110 section 12.5.4). Subtags are ignored,
    /// so `pt-BR` means Portuguese. Malformed ranges are ignored.
    pub fn chosen(accept_language: Option<&[u8]>) -> Language {
        let header = accept_language.unwrap_or_default();
        let ranges = whole_ranges(header).filter_map(Range::parse).take(MAX_RANGES);
        let mut weights: [Option<u16>; ALL.len()] = [None; ALL.len()];
        let (mut others, mut first) = (None, None);
        for range in ranges {
            if range.tag == "*" {
                others = others.max(Some(range.weight));
            } else if let Some(language) = Language::tagged(range.tag) {
                let weight = &mut weights[language as usize];
                *weight = (*weight).max(Some(range.weight));
                first = first.or(Some(language));
            }
        }
        let weight = |language: Language| weights[language as usize].or(others).unwrap_or(0);
        // Of two with the same weight, the first one in the header wins.
        let order = match first {
            Some(Language::Portuguese) => [Language::Portuguese, Language::English],
            _ => ALL,
        };
        let [one, other] = order;
        match (weight(one), weight(other)) {
            (0, 0) => Language::English,
            (this, that) if this >= that => one,
            _ => other,
        }
    }

    /// Returns the language of a tag; subtags are ignored.
    fn tagged(tag: &str) -> Option<Language> {
        let primary = tag.split('-').next().unwrap_or_default();
        ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.code()))
    }

    /// Returns the language's tag (BCP 47), which the database keeps as well.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Portuguese => "pt",
        }
    }

    /// Returns the language with this tag; English if there is none.
    pub fn of_code(code: &str) -> Language {
        Language::tagged(code).unwrap_or(Language::English)
    }
}

/// Returns the ranges in the part of the header that is read. A range that is cut off there does
/// not count.
fn whole_ranges(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    let read = match header.get(..MAX_HEADER) {
        Some(start) => start.rsplitn(2, |b| *b == b',').nth(1).unwrap_or_default(),
        None => header,
    };
    read.split(|b| *b == b',')
}

/// One language range of the header.
struct Range<'a> {
    tag: &'a str,
    /// The quality value, in thousandths.
    weight: u16,
}

impl Range<'_> {
    fn parse(bytes: &[u8]) -> Option<Range<'_>> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (tag, weight) = match text.split_once(';') {
            Some((tag, weight)) => (tag, thousandths(weight.trim())?),
            None => (text, 1_000),
        };
        Some(Range { tag: tag.trim(), weight })
    }
}

/// Parses a weight (RFC 9110 section 12.4.2), `q=` and 0 to 1 with at most three decimals, into
/// thousandths.
fn thousandths(text: &str) -> Option<u16> {
    let value = text.strip_prefix("q=").or_else(|| text.strip_prefix("Q="))?;
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(part),
        "1" if part == 0 => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_language_is_chosen() {
        let late = "de,".repeat(5_000) + "pt";
        let many = "x,".repeat(MAX_RANGES) + "pt";
        // The part that is read ends in `pt`, which would have the highest weight.
        let cut = format!("en;q=0.5,{}pt;q=0.01", " ".repeat(MAX_HEADER - 11));
        for (header, expected) in [
            (None, "en"),
            (Some(""), "en"),
            (Some("pt"), "pt"),
            (Some("PT-br"), "pt"),
            (Some("pt-PT, pt;q=0.9, en;q=0.8"), "pt"),
            (Some("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7"), "pt"),
            (Some("en-US,en;q=0.9,pt;q=0.8"), "en"),
            (Some("en;q=0.3 , pt ; q=0.5"), "pt"),
            (Some("en;q=0.3,\tpt;Q=0.5"), "pt"),
            (Some("de, pt;q=0.1"), "pt"),
            (Some("de, pt;q=0.001"), "pt"),
            (Some("de, fr"), "en"),
            (Some("en, pt"), "en"),
            (Some("pt, en"), "pt"),
            (Some("pt-PT;q=0, pt"), "pt"),
            // A language that is not named has the weight of `*`.
            (Some("*"), "en"),
            (Some("*, pt;q=0.5"), "en"),
            (Some("*, en;q=0"), "pt"),
            (Some("de, *;q=0.5, en;q=0.1"), "pt"),
            (Some("*;q=0"), "en"),
            (Some("pt;q=0"), "en"),
            (Some("pt;q=0, en;q=0"), "en"),
            // Invalid weights.
            (Some("pt;q=2, en;q=0.1"), "en"),
            (Some("pt;q=1.001, en;q=0.1"), "en"),
            (Some("pt;q=0.1234, en;q=0.1"), "en"),
            (Some("pt;q=NaN, en;q=0.1"), "en"),
            (Some("pt;q=1e0, en;q=0.1"), "en"),
            (Some("pt;q=+1, en;q=0.1"), "en"),
            (Some("pt;q=-1"), "en"),
            (Some("pt;q="), "en"),
            (Some("pt;q=1."), "pt"),
            (Some("pt;v=1, en;q=0.1"), "en"),
            // Invalid tags.
            (Some("ptx"), "en"),
            (Some("p"), "en"),
            (Some("x-pt"), "en"),
            (Some("p t"), "en"),
            (Some(";;;,,,q=1"), "en"),
            (Some(",,,pt"), "pt"),
            (Some("\u{ff50}\u{ff54}"), "en"),
            (Some(&late), "en"),
            (Some(&many), "en"),
            (Some(&cut), "en"),
        ] {
            let chosen = Language::chosen(header.map(str::as_bytes));
            assert_eq!(chosen.code(), expected, "{header:?}");
        }
        for (header, expected) in [
            (&b"\xff\xfe"[..], Language::English),
            (b"\xff\xfe, pt;q=0.5", Language::Portuguese),
            (b"pt;q=\xff", Language::English),
            (&[b','; 10_000], Language::English),
            (&[b'p'; 10_000], Language::English),
        ] {
            assert_eq!(Language::chosen(Some(header)), expected, "{header:?}");
        }
    }

    #[test]
    fn an_unknown_code_means_english() {
        for (code, expected) in [("pt", "pt"), ("en", "en"), ("", "en"), ("xx", "en")] {
            assert_eq!(Language::of_code(code).code(), expected);
        }
        assert!(ALL.into_iter().enumerate().all(|(place, language)| language as usize == place));
    }
}
