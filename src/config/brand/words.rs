//! The text of the file `brand`: a key and its value on each line, and what is wrong with a line.

use super::colour::{Colour, DARK, LIGHT, NEEDED, NEEDED_RATIO, Scheme, Shades};
use crate::config::Issuer;
use crate::error::Problem;
use crate::link::PageUrl;
use crate::values::nearest;

/// The keys, each at most once. Keep the order of [`Words::of`].
const KEYS: [&str; 5] = ["name", "accent", "accent-dark", "imprint", "privacy"];

/// Maximum length of a word that a message repeats, in characters.
const MAX_SHOWN: usize = 80;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) name: Option<Issuer>,
    pub(super) accent: Option<Accent>,
    pub(super) imprint: Option<PageUrl>,
    pub(super) privacy: Option<PageUrl>,
}

/// The accent in both colour schemes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Accent {
    pub(crate) light: Shades,
    pub(crate) dark: Shades,
    /// Whether that of the dark scheme is made of the other.
    pub(super) derived: bool,
}

impl Words {
    /// Parses the text; `#` at the beginning of a line makes it a comment.
    pub(super) fn parse(text: &str) -> Result<Words, Problem> {
        // A number of a line, and the value there.
        let mut found = [None; KEYS.len()];
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (key, value) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            let Some(place) = KEYS.iter().position(|known| *known == key) else {
                return Err(unknown(number, key));
            };
            if let Some((other, _)) = found[place] {
                let what = format!("{key} is in line {other} already");
                return Err(at_line(number, what, "remove one of the two"));
            }
            found[place] = Some((number, value.trim_start()));
        }
        Words::of(found)
    }

    fn of(found: [Option<(usize, &str)>; KEYS.len()]) -> Result<Words, Problem> {
        let [name, accent, accent_dark, imprint, privacy] = found;
        let within =
            |number: usize| move |problem: Problem| at_line(number, problem.what, &problem.next);
        let url = |found: Option<(usize, &str)>| {
            let parsed = found.map(|(n, text)| PageUrl::parse(text).map_err(within(n)));
            parsed.transpose()
        };
        let name = name.map(|(n, text)| Issuer::parse(text).map_err(within(n))).transpose()?;
        let light = accent.map(|(n, text)| read(n, text, &LIGHT)).transpose()?;
        let dark = accent_dark.map(|(n, text)| read(n, text, &DARK)).transpose()?;
        let accent = match (light, dark, accent_dark) {
            (Some(light), dark, _) => Some(Accent {
                light: LIGHT.shades(light),
                dark: DARK.shades(dark.unwrap_or_else(|| DARK.derived(light))),
                derived: dark.is_none(),
            }),
            (None, Some(_), Some((number, _))) => {
                let what = "accent-dark is given without accent".to_owned();
                return Err(at_line(number, what, "add a line, as in: accent #2f4fa8"));
            }
            _ => None,
        };
        Ok(Words { name, accent, imprint: url(imprint)?, privacy: url(privacy)? })
    }
}

/// Reads an accent, and refuses one that cannot be read as text in the scheme.
fn read(number: usize, text: &str, scheme: &Scheme) -> Result<Colour, Problem> {
    let Some(colour) = Colour::parse(text) else {
        let shown = text.chars().take(MAX_SHOWN).collect::<String>();
        let what = format!("{shown:?} is no colour");
        return Err(at_line(number, what, "write it as #rrggbb, as in #2f4fa8"));
    };
    let contrast = scheme.contrast(colour);
    if contrast >= NEEDED {
        return Ok(colour);
    }
    let what = format!(
        "text in {colour} has a contrast of {} in the {} colours, and needs {NEEDED_RATIO}",
        ratio(contrast),
        scheme.name
    );
    let next = format!("write {}, the nearest colour that has it", scheme.readable(colour));
    Err(at_line(number, what, &next))
}

/// A contrast as people write it, never more than it is.
pub(super) fn ratio(contrast: f64) -> String {
    // At most 2100. The library's code for numbers with a point would be several kB.
    let hundredths = (contrast * 100.0) as u32;
    format!("{}.{:02}:1", hundredths / 100, hundredths % 100)
}

fn unknown(number: usize, key: &str) -> Problem {
    let shown = key.chars().take(MAX_SHOWN).collect::<String>();
    let next = match nearest(&[key], &KEYS) {
        Some(meant) => format!("did you mean {meant}?"),
        None => format!("the keys are {}", KEYS.join(", ")),
    };
    at_line(number, format!("there is no key {shown:?}"), &next)
}

fn at_line(number: usize, what: String, next: &str) -> Problem {
    Problem::usage(format!("line {number}: {what}"), next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let text = "\u{feff}# the look\n\nname  Ada's Photos # 2\r\naccent #7A1FA2\n\
                    imprint\thttps://example.org/imprint#top\n  privacy https://example.org/p\n";
        let words = Words::parse(text).unwrap();
        assert_eq!(words.name.unwrap().as_str(), "Ada's Photos # 2");
        assert_eq!(words.imprint.unwrap().as_str(), "https://example.org/imprint#top");
        assert_eq!(words.privacy.unwrap().as_str(), "https://example.org/p");
        let accent = words.accent.unwrap();
        assert_eq!((accent.light.accent.to_string(), accent.derived), ("#7a1fa2".into(), true));
        let both = Words::parse("accent #7a1fa2\naccent-dark #e1bee7").unwrap().accent.unwrap();
        assert_eq!((both.dark.accent.to_string(), both.derived), ("#e1bee7".into(), false));
        assert_eq!(Words::parse(""), Ok(Words::default()));
    }

    #[test]
    fn what_is_wrong_with_a_line() {
        for (text, what, next) in [
            ("acent #7a1fa2", "line 1: there is no key \"acent\"", "did you mean accent?"),
            ("color red", "line 1: there is no key \"color\"", "the keys are name, accent, "),
            ("Name x", "line 1: there is no key \"Name\"", "did you mean name?"),
            ("name", "line 1: \"\" is not valid as an issuer", "give a name of at most 64"),
            ("name a: b", "line 1: \"a: b\" is not valid", "without a colon"),
            ("\nname a\nname b", "line 3: name is in line 2 already", "remove one of the two"),
            ("accent blue", "line 1: \"blue\" is no colour", "write it as #rrggbb"),
            ("accent #2f4fa8 # dark", "\"#2f4fa8 # dark\" is no colour", "write it as #rrggbb"),
            (
                "accent #ff8800",
                "line 1: text in #ff8800 has a contrast of 2.07:1 in the light colours, and needs 4.5:1",
                "write #a65800, the nearest colour that has it",
            ),
            (
                "accent #2f4fa8\naccent-dark #2f4fa8",
                "line 2: text in #2f4fa8 has a contrast of 2.00:1 in the dark colours",
                "write #788dc6, the nearest",
            ),
            ("accent-dark #ffffff", "line 1: accent-dark is given without accent", "add a line"),
            ("imprint /imprint", "line 1: \"/imprint\" is not the URL of a page", "https://"),
            ("privacy javascript:alert(1)", "line 1: \"javascript:", "https://"),
        ] {
            let problem = Words::parse(text).unwrap_err();
            assert!(problem.usage && problem.what.contains(what), "{text:?}: {problem}");
            assert!(problem.next.contains(next), "{text:?}: {problem}");
        }
    }

    #[test]
    fn a_ratio_is_never_rounded_up() {
        for (contrast, expected) in [(4.499, "4.49:1"), (4.5, "4.50:1"), (21.0, "21.00:1")] {
            assert_eq!(ratio(contrast), expected);
        }
    }
}
