//! The languages that mails are written in, and how one is chosen. Knows no words.

/// Bytes of an Accept-Language header that are read, and ranges in it that are weighed.
const MAX_HEADER: usize = 1_024;
const MAX_RANGES: usize = 32;

/// A language that there are words in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// What everybody gets who asks for something else.
    English,
    /// European and Brazilian alike.
    Portuguese,
}

impl Language {
    /// The one that a request likes best (RFC 9110 section 12.5.4): a range counts for all that it
    /// begins with, so that `pt-BR` gets Portuguese.
    pub fn chosen(accept_language: Option<&[u8]>) -> Language {
        let header = accept_language.unwrap_or_default();
        let Ok(header) = std::str::from_utf8(&header[..header.len().min(MAX_HEADER)]) else {
            return Language::English;
        };
        let mut best = (Language::English, 0);
        for range in header.split(',').take(MAX_RANGES) {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().unwrap_or_default();
            let weight = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, weight);
            if let Some(language) = Language::tagged(tag)
                && weight > best.1
            {
                best = (language, weight);
            }
        }
        best.0
    }

    fn tagged(tag: &str) -> Option<Language> {
        let primary = tag.split('-').next().unwrap_or_default();
        [Language::English, Language::Portuguese]
            .into_iter()
            .find(|language| primary.eq_ignore_ascii_case(language.code()))
    }

    /// Its tag (BCP 47), which is also what the database keeps.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Portuguese => "pt",
        }
    }

    /// The one with this tag; English if there is none.
    pub fn of_code(code: &str) -> Language {
        Language::tagged(code).unwrap_or(Language::English)
    }
}

/// A quality value in thousandths; what is none counts as nothing.
fn weight(text: &str) -> u32 {
    match text.parse::<f32>() {
        Ok(weight) if (0.0..=1.0).contains(&weight) => (weight * 1_000.0) as u32,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_is_chosen() {
        let many = "de,".repeat(5_000) + "pt";
        for (header, expected) in [
            (None, "en"),
            (Some(""), "en"),
            (Some("pt"), "pt"),
            (Some("PT-br"), "pt"),
            (Some("pt-PT, pt;q=0.9, en;q=0.8"), "pt"),
            (Some("en-US,en;q=0.9,pt;q=0.8"), "en"),
            (Some("en;q=0.3 , pt ; q=0.5"), "pt"),
            (Some("de, pt;q=0.1"), "pt"),
            (Some("de, fr"), "en"),
            (Some("*"), "en"),
            (Some("pt;q=0"), "en"),
            (Some("pt;q=2, en;q=0.1"), "en"),
            (Some("pt;q=NaN"), "en"),
            (Some("pt;q=-1"), "en"),
            (Some("ptx"), "en"),
            (Some(";;;,,,q=1"), "en"),
            (Some(&many), "en"),
        ] {
            let chosen = Language::chosen(header.map(str::as_bytes));
            assert_eq!(chosen.code(), expected, "{header:?}");
        }
        assert_eq!(Language::chosen(Some(b"\xff\xfe")), Language::English);
        for (code, expected) in [("pt", "pt"), ("en", "en"), ("", "en"), ("xx", "en")] {
            assert_eq!(Language::of_code(code).code(), expected);
        }
    }
}
