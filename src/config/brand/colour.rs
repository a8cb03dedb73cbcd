//! Colours of the brand: their contrast (WCAG 2.2, section 1.4.3), and the shades that pages and mails
//! make of an accent. The grounds are those of `web/src/styles/tokens.css`; a test compares them.

use std::fmt;

/// The least contrast of text on its ground.
pub(super) const NEEDED: f64 = 4.5;
/// That as people write it.
pub(super) const NEEDED_RATIO: &str = "4.5:1";
/// The contrast of an accent that is derived for the dark colours: that of the built-in one.
const COMFORTABLE: f64 = 7.0;
/// The most of an accent that its soft ground has, in percent.
const SOFT: u32 = 12;

/// A colour in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Colour([u8; 3]);

const WHITE: Colour = Colour([255; 3]);
const BLACK: Colour = Colour([0; 3]);

impl Colour {
    /// Parses `#rrggbb`.
    pub(super) fn parse(text: &str) -> Option<Colour> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
        let [_, red, green, blue] =
            all.then(|| u32::from_str_radix(digits, 16).ok())??.to_be_bytes();
        Some(Colour([red, green, blue]))
    }

    /// The relative luminance, from 0 to 1.
    fn luminance(self) -> f64 {
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast with another colour, from 1 to 21.
    pub(super) fn contrast(self, other: Colour) -> f64 {
        let (one, other) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > other { one / other } else { other / one }
    }

    /// The colour with `part` percent of another one in it.
    fn mixed(self, other: Colour, part: u32) -> Colour {
        let mut mixed = self;
        for (own, other) in mixed.0.iter_mut().zip(other.0) {
            let sum = u32::from(*own) * (100 - part) + u32::from(other) * part;
            // The mean of two bytes is a byte.
            *own = ((sum + 50) / 100) as u8;
        }
        mixed
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// The share of light of one channel, without gamma correction. Roots are computed here because the
/// program needs no other function of the kind.
fn linear(channel: u8) -> f64 {
    let value = f64::from(channel) / 255.0;
    if value <= 0.040_45 {
        return value / 12.92;
    }
    let base = (value + 0.055) / 1.055;
    // base^2.4 is the square times the fifth root of the square (Newton's method; the square is
    // between 0.008 and 1, so that 24 steps are more than enough).
    let square = base * base;
    let mut root = 1.0;
    for _ in 0..24 {
        root = (4.0 * root + square / (root * root * root * root)) / 5.0;
    }
    square * root
}

/// What an accent stands on in one of the two colour schemes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Scheme {
    pub(super) name: &'static str,
    /// The ground of forms and lists.
    surface: Colour,
    /// The ground on which text has the least contrast.
    worst: Colour,
    /// Black or white: what gives an accent more contrast.
    away: Colour,
    /// How much of it a button has under the pointer, in percent.
    strong: u32,
    /// How much black there is in the words of a button with the accent; `None`: they are white.
    ink: Option<u32>,
}

pub(super) const LIGHT: Scheme = Scheme {
    name: "light",
    surface: WHITE,
    worst: Colour([0xef, 0xef, 0xeb]),
    away: BLACK,
    strong: 20,
    ink: None,
};

pub(super) const DARK: Scheme = Scheme {
    name: "dark",
    surface: Colour([0x1b, 0x1e, 0x24]),
    worst: Colour([0x23, 0x27, 0x2e]),
    away: WHITE,
    strong: 30,
    ink: Some(88),
};

impl Scheme {
    /// The contrast of text with this colour, on the ground where it is least.
    pub(super) fn contrast(&self, colour: Colour) -> f64 {
        colour.contrast(self.worst)
    }

    /// The colour, or the nearest one with the contrast that text needs.
    pub(super) fn readable(&self, colour: Colour) -> Colour {
        self.with_contrast(colour, NEEDED)
    }

    /// The accent that is derived from that of the other scheme.
    pub(super) fn derived(&self, accent: Colour) -> Colour {
        self.with_contrast(accent, COMFORTABLE)
    }

    fn with_contrast(&self, colour: Colour, contrast: f64) -> Colour {
        let shades = (0..=100).map(|part| colour.mixed(self.away, part));
        shades.into_iter().find(|shade| self.contrast(*shade) >= contrast).unwrap_or(self.away)
    }

    /// The shades of an accent that has the contrast that text needs.
    pub(super) fn shades(&self, accent: Colour) -> Shades {
        let soft = (0..=SOFT).rev().map(|part| self.surface.mixed(accent, part));
        let readable = |soft: &Colour| accent.contrast(*soft) >= NEEDED;
        Shades {
            accent,
            strong: accent.mixed(self.away, self.strong),
            on_accent: self.ink.map_or(WHITE, |part| accent.mixed(BLACK, part)),
            soft: soft.into_iter().find(readable).unwrap_or(self.surface),
        }
    }
}

/// An accent and what is made of it for one colour scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shades {
    pub(crate) accent: Colour,
    /// The accent under the pointer.
    pub(super) strong: Colour,
    /// The words of a button with the accent as its ground.
    pub(crate) on_accent: Colour,
    /// A ground for text in the accent.
    pub(super) soft: Colour,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn colour(text: &str) -> Colour {
        Colour::parse(text).unwrap()
    }

    #[test]
    fn colours_have_six_digits() {
        for (text, good) in [
            ("#2f4fa8", true),
            ("#2F4FA8", true),
            ("2f4fa8", false),
            ("#fff", false),
            ("#2f4fa8ff", false),
            ("#2f4fag", false),
            ("#+f4fa8", false),
            ("blue", false),
            ("", false),
            ("#ääaa", false),
        ] {
            let parsed = Colour::parse(text).map(|colour| colour.to_string());
            assert_eq!(parsed, good.then(|| text.to_ascii_lowercase()), "{text:?}");
        }
    }

    #[test]
    fn contrasts_are_those_of_wcag() {
        for channel in 0..=255 {
            let value = f64::from(channel) / 255.0;
            let exact = if value <= 0.040_45 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055_f64).powf(2.4)
            };
            assert!((linear(channel) - exact).abs() < 1e-12, "{channel}");
        }
        for (one, other, expected) in [
            ("#000000", "#ffffff", "21.00"),
            ("#ffffff", "#ffffff", "1.00"),
            ("#767676", "#ffffff", "4.54"),
            ("#777777", "#ffffff", "4.48"),
            ("#ff0000", "#ffffff", "4.00"),
            ("#2f4fa8", "#ffffff", "7.49"),
        ] {
            let (one, other) = (colour(one), colour(other));
            assert_eq!(format!("{:.2}", one.contrast(other)), expected, "{one} {other}");
            assert_eq!(format!("{:.2}", other.contrast(one)), expected, "{one} {other}");
        }
    }

    #[test]
    fn the_grounds_are_those_of_the_pages() {
        let tokens = include_str!("../../../web/src/styles/tokens.css");
        let (light, dark) = tokens.split_once("@media (prefers-color-scheme: dark)").unwrap();
        for (scheme, css) in [(LIGHT, light), (DARK, dark)] {
            let ground = |name: &str| {
                let value = css.split(&format!("--{name}: ")).nth(1).unwrap();
                colour(&value[..7])
            };
            assert_eq!(scheme.surface, ground("surface"), "{}", scheme.name);
            for name in ["ground", "surface", "sunken"] {
                let ground = ground(name);
                let (least, here) =
                    (scheme.away.contrast(scheme.worst), scheme.away.contrast(ground));
                assert!(least <= here, "{} {name}: {ground}", scheme.name);
            }
        }
    }

    #[test]
    fn the_nearest_colour_that_can_be_read() {
        for (scheme, given, expected) in [
            (LIGHT, "#2f4fa8", "#2f4fa8"),
            (LIGHT, "#000000", "#000000"),
            (LIGHT, "#ffffff", "#6b6b6b"),
            (LIGHT, "#ff8800", "#a65800"),
            (DARK, "#a3b8ff", "#a3b8ff"),
            (DARK, "#2f4fa8", "#788dc6"),
            (DARK, "#000000", "#8f8f8f"),
        ] {
            let found = scheme.readable(colour(given));
            assert_eq!(found.to_string(), expected, "{} {given}", scheme.name);
            assert!(scheme.contrast(found) >= NEEDED);
        }
        let derived = DARK.derived(colour("#2f4fa8"));
        assert!(DARK.contrast(derived) >= COMFORTABLE && derived != WHITE, "{derived}");
    }

    #[test]
    fn every_shade_can_be_read() {
        let steps = [0_u8, 51, 102, 153, 204, 255];
        let channels = |channel: usize| steps.iter().map(move |step| (channel, *step));
        let mut count = 0;
        for ((_, red), (_, green)) in channels(0).flat_map(|r| channels(1).map(move |g| (r, g))) {
            for (_, blue) in channels(2) {
                for scheme in [LIGHT, DARK] {
                    let accent = scheme.readable(Colour([red, green, blue]));
                    let Shades { strong, on_accent, soft, .. } = scheme.shades(accent);
                    for (text, ground) in [
                        (accent, scheme.surface),
                        (accent, scheme.worst),
                        (accent, soft),
                        (strong, scheme.worst),
                        (on_accent, accent),
                        (on_accent, strong),
                    ] {
                        let contrast = text.contrast(ground);
                        assert!(contrast >= NEEDED, "{accent}: {text} on {ground}: {contrast}");
                    }
                    count += 1;
                }
            }
        }
        assert_eq!(count, 2 * 6 * 6 * 6);
    }
}
