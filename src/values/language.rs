//! The languages of mails, and which one a request prefers. Knows no texts.

/// Maximum bytes of an Accept-Language header that are read, and maximum ranges that count.
const MAX_HEADER: usize = 1_024;
const MAX_RANGES: usize = 32;

/// A language that mails are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// The default.
    English,
    /// European Portuguese, and that of Africa.
    Portuguese,
    /// Brazilian Portuguese.
    BrazilianPortuguese,
    /// German.
    German,
    /// Spanish.
    Spanish,
    /// French.
    French,
}

impl Language {
    /// All languages, each at the place that is its number.
    pub const ALL: [Language; 6] = [
        Language::English,
        Language::Portuguese,
        Language::BrazilianPortuguese,
        Language::German,
        Language::Spanish,
        Language::French,
    ];

    /// Returns the language that a request prefers (RFC 9110 section 12.5.4). Malformed ranges are
    /// ignored.
    pub fn chosen(accept_language: Option<&[u8]>) -> Language {
        let header = accept_language.unwrap_or_default();
        let ranges = whole_ranges(header).filter_map(Range::parse).take(MAX_RANGES);
        let mut weights: [Option<u16>; Language::ALL.len()] = [None; Language::ALL.len()];
        // The place of the first range that means the language.
        let mut places = [MAX_RANGES; Language::ALL.len()];
        let mut others = None;
        for (place, range) in ranges.enumerate() {
            if range.tag == "*" {
                others = others.max(Some(range.weight));
            } else if let Some(language) = Language::tagged(range.tag) {
                let number = language as usize;
                weights[number] = weights[number].max(Some(range.weight));
                places[number] = places[number].min(place);
            }
        }
        let mut best = (0, 0, Language::English);
        for language in Language::ALL {
            let number = language as usize;
            let weight = weights[number].or(others).unwrap_or(0);
            // Of two with the same weight, the first one in the header wins.
            if weight > best.0 || weight == best.0 && weight > 0 && places[number] < best.1 {
                best = (weight, places[number], language);
            }
        }
        best.2
    }

    /// Returns the language of a tag (RFC 4647 section 3.4: `de-AT` means German). Portuguese is
    /// Brazilian only with the region `BR`: databases written before the two were told apart have
    /// `pt`.
    fn tagged(tag: &str) -> Option<Language> {
        let mut subtags = tag.split('-');
        let primary = subtags.next()?;
        if primary.eq_ignore_ascii_case("pt") {
            let brazilian = subtags.any(|subtag| subtag.eq_ignore_ascii_case("br"));
            return Some(match brazilian {
                true => Language::BrazilianPortuguese,
                false => Language::Portuguese,
            });
        }
        Language::ALL.into_iter().find(|language| primary.eq_ignore_ascii_case(language.code()))
    }

    /// Returns the language's tag (BCP 47), which the database keeps as well.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Portuguese => "pt-PT",
            Language::BrazilianPortuguese => "pt-BR",
            Language::German => "de",
            Language::Spanish => "es",
            Language::French => "fr",
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
        let late = "nl,".repeat(5_000) + "pt";
        let many = "x,".repeat(MAX_RANGES) + "pt";
        // The part that is read ends in `pt`, which would have the highest weight.
        let cut = format!("en;q=0.5,{}pt;q=0.01", " ".repeat(MAX_HEADER - 11));
        for (header, expected) in [
            (None, "en"),
            (Some(""), "en"),
            (Some("pt"), "pt-PT"),
            (Some("pt-AO"), "pt-PT"),
            (Some("PT-br"), "pt-BR"),
            (Some("pt-Latn-BR"), "pt-BR"),
            (Some("pt-PT, pt;q=0.9, en;q=0.8"), "pt-PT"),
            (Some("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7"), "pt-BR"),
            (Some("pt,pt-BR;q=0.9"), "pt-PT"),
            (Some("en-US,en;q=0.9,pt;q=0.8"), "en"),
            (Some("en;q=0.3 , pt ; q=0.5"), "pt-PT"),
            (Some("en;q=0.3,\tpt;Q=0.5"), "pt-PT"),
            (Some("nl, pt;q=0.1"), "pt-PT"),
            (Some("nl, pt;q=0.001"), "pt-PT"),
            (Some("nl, it"), "en"),
            (Some("de"), "de"),
            (Some("de-AT,de;q=0.9,en;q=0.8"), "de"),
            (Some("de-CH-1996"), "de"),
            (Some("es-419,es;q=0.9"), "es"),
            (Some("fr-CA, fr"), "fr"),
            (Some("ca, es;q=0.8, en;q=0.7"), "es"),
            (Some("gsw, de;q=0.5, fr;q=0.6"), "fr"),
            (Some("de, fr, en"), "de"),
            (Some("fr, de, en"), "fr"),
            (Some("en;q=0.9, fr;q=0.9, de;q=0.9"), "en"),
            (Some("en, pt"), "en"),
            (Some("pt, en"), "pt-PT"),
            (Some("pt-PT;q=0, pt"), "pt-PT"),
            (Some("pt;q=0, pt-BR;q=0.1"), "pt-BR"),
            // A language that is not named has the weight of `*`.
            (Some("*"), "en"),
            (Some("*, pt;q=0.5"), "en"),
            (Some("*, en;q=0"), "pt-PT"),
            (Some("nl, *;q=0.5, en;q=0.1, pt;q=0.2"), "pt-BR"),
            (Some("*, de"), "de"),
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
            (Some("pt;q=1."), "pt-PT"),
            (Some("pt;v=1, en;q=0.1"), "en"),
            // Invalid tags.
            (Some("ptx"), "en"),
            (Some("p"), "en"),
            (Some("d"), "en"),
            (Some("br"), "en"),
            (Some("x-pt"), "en"),
            (Some("p t"), "en"),
            (Some(";;;,,,q=1"), "en"),
            (Some(",,,pt"), "pt-PT"),
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
        for (code, expected) in [("en", "en"), ("", "en"), ("xx", "en"), ("pt", "pt-PT")] {
            assert_eq!(Language::of_code(code).code(), expected);
        }
        for (number, language) in Language::ALL.into_iter().enumerate() {
            assert_eq!(language as usize, number);
            assert_eq!(Language::of_code(language.code()), language);
        }
    }
}
