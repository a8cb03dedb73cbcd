//! A text without what some programs ignore when they compare: case, the marks of letters, the form in
//! which a letter is encoded, and invisible characters. Knows no path and no name.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

/// Returns the text in lower case, decomposed (NFKD), without combining marks and without characters that
/// are shown as nothing. File systems and databases that take two texts for the same give both one
/// skeleton, as `Ä`, `ä`, `a` with a combining mark, and `a`.
pub(crate) fn skeleton(text: &str) -> String {
    let counts = |&c: &char| canonical_combining_class(c) == 0 && !is_invisible(c);
    let mut skeleton = String::with_capacity(text.len());
    for c in text.nfkd().filter(counts).flat_map(char::to_lowercase) {
        match c {
            'ß' => skeleton.push_str("ss"),
            'ı' => skeleton.push('i'),
            'ς' => skeleton.push('σ'),
            c => skeleton.push(c),
        }
    }
    skeleton
}

/// Whether a character is shown as nothing (Unicode's `Default_Ignorable_Code_Point`).
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_of_a_text() {
        for (text, expected) in [
            ("/Admin/x.PHP", "/admin/x.php"),
            ("/Büro", "/buro"),
            ("/BÜRO", "/buro"),
            ("/Bu\u{308}ro", "/buro"),
            ("/Straße", "/strasse"),
            ("/STRAẞE", "/strasse"),
            ("/İıIi", "/iiii"),
            ("/ΣΊΣΥΦΟΣ", "/σισυφοσ"),
            ("/σίσυφος", "/σισυφοσ"),
            ("/ЁЛКА", "/елка"),
            ("/adm\u{200b}i\u{ad}n\u{fe0f}", "/admin"),
            ("/\u{212a}", "/k"),
            ("/日本語", "/日本語"),
            ("/ガ", "/カ"),
            ("", ""),
        ] {
            assert_eq!(skeleton(text), expected, "{text:?}");
        }
    }

    #[test]
    fn case_and_form_make_no_difference() {
        // Thousands of Han and Hangul characters behave alike: test a sample of them.
        let alike = |c| matches!(c, '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}');
        let some = |&c: &char| !alike(c) || u32::from(c) % 97 == 0;
        for c in ('\u{1}'..='\u{1ffff}').filter(some) {
            let text = format!("a{c}b");
            let expected = skeleton(&text);
            assert_eq!(skeleton(&expected), expected, "{text:?}");
            for same in [
                text.to_lowercase(),
                text.nfc().collect::<String>(),
                text.nfd().collect::<String>(),
                text.nfkc().collect::<String>(),
            ] {
                assert_eq!(skeleton(&same), expected, "{text:?} {same:?}");
            }
        }
    }
}
