//! The kinds of image that a brand may have: told by their first bytes, never by a name alone. Reads
//! the ratio of width to height, so that pages keep the place of a logo before it is loaded.

/// A kind of image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Svg,
    Png,
    Ico,
}

/// The most pixels of a side of a PNG image: browsers need memory for all of them.
const MAX_SIDE: u32 = 4096;

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Svg => "SVG",
            Kind::Png => "PNG",
            Kind::Ico => "ICO",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Kind::Svg => "image/svg+xml",
            Kind::Png => "image/png",
            Kind::Ico => "image/vnd.microsoft.icon",
        }
    }

    /// Checks that the bytes are an image of this kind; returns its width divided by its height. The
    /// error says what is wrong with it.
    pub(super) fn check(self, bytes: &[u8]) -> Result<f64, String> {
        let other = || format!("it is no {} image", self.name());
        match self {
            Kind::Svg => {
                let text = std::str::from_utf8(bytes).map_err(|_| other())?;
                let root = root(text).ok_or_else(other)?;
                let namespace = attribute(root, "xmlns") == Some("http://www.w3.org/2000/svg");
                let named = namespace.then(|| ratio_of(root).unwrap_or(1.0));
                named.ok_or_else(|| {
                    "its first element has no xmlns=\"http://www.w3.org/2000/svg\"".to_owned()
                })
            }
            Kind::Png => {
                let (width, height) = sides(bytes).ok_or_else(other)?;
                if width.max(height) > MAX_SIDE {
                    return Err(format!("it is larger than {MAX_SIDE} × {MAX_SIDE} pixels"));
                }
                Ok(f64::from(width) / f64::from(height))
            }
            Kind::Ico => bytes.starts_with(&[0, 0, 1, 0]).then_some(1.0).ok_or_else(other),
        }
    }
}

/// Width and height of a PNG image (the chunk IHDR, which is the first); `None` if it is none.
fn sides(bytes: &[u8]) -> Option<(u32, u32)> {
    let header = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR")?;
    let (width, rest) = header.split_first_chunk::<4>()?;
    let (height, _) = rest.split_first_chunk::<4>()?;
    let (width, height) = (u32::from_be_bytes(*width), u32::from_be_bytes(*height));
    (width > 0 && height > 0).then_some((width, height))
}

/// The start tag of the first element, without its brackets, if that is `svg`. Comments, processing
/// instructions and a document type come before it; one that declares entities is refused.
fn root(text: &str) -> Option<&str> {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("<!--") {
            comment.split_once("-->")?.1
        } else if let Some(instruction) = rest.strip_prefix("<?") {
            instruction.split_once("?>")?.1
        } else if let Some(doctype) = rest.strip_prefix("<!DOCTYPE") {
            let (declared, after) = doctype.split_once('>')?;
            (!declared.contains('[')).then_some(after)?
        } else {
            let (tag, _) = rest.strip_prefix("<svg")?.split_once('>')?;
            return tag.starts_with(char::is_whitespace).then_some(tag);
        };
        rest = after.trim_start();
    }
}

/// The value of an attribute in a start tag.
fn attribute<'t>(tag: &'t str, name: &str) -> Option<&'t str> {
    let mut rest = tag;
    while let Some((before, after)) = rest.split_once(name) {
        let quoted = after.trim_start().strip_prefix('=').map(str::trim_start);
        if let Some(quoted) = quoted.filter(|_| before.ends_with(char::is_whitespace)) {
            let quote = quoted.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
            return quoted[1..].split_once(quote).map(|(value, _)| value);
        }
        rest = after;
    }
    None
}

/// Width divided by height, by the `viewBox` or by `width` and `height`; `None` if the tag has neither.
fn ratio_of(tag: &str) -> Option<f64> {
    let length = |text: &str| number(text.trim().trim_end_matches("px"));
    let by_view = attribute(tag, "viewBox").and_then(|view| {
        let mut sides = view.split([' ', ',']).filter(|part| !part.is_empty()).skip(2);
        Some((length(sides.next()?)?, length(sides.next()?)?))
    });
    let side = |name| attribute(tag, name).and_then(length);
    let (width, height) = by_view.or_else(|| side("width").zip(side("height")))?;
    let ratio = width / height;
    (ratio.is_finite() && ratio > 0.0).then_some(ratio)
}

/// A number as SVG has it, such as `-1.5e3`. The library's parser would be 14 kB, for digits that no
/// ratio needs.
fn number(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i8>().ok()?),
        None => (text, 0),
    };
    let digits = mantissa.strip_prefix(['+', '-']).unwrap_or(mantissa);
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + decimals.len() == 0 {
        return None;
    }
    let (mut value, mut scale) = (0.0, 1.0);
    for digit in whole.bytes().chain(decimals.bytes()) {
        value = value * 10.0 + f64::from(char::from(digit).to_digit(10)?);
    }
    let shift = i64::from(exponent) - decimals.len() as i64;
    for _ in 0..shift.unsigned_abs() {
        scale *= 10.0;
    }
    let value = if shift < 0 { value / scale } else { value * scale };
    Some(if mantissa.starts_with('-') { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMESPACE: &str = "xmlns=\"http://www.w3.org/2000/svg\"";

    #[test]
    fn svg_images() {
        let svg = |attributes: &str| format!("<svg {NAMESPACE} {attributes}></svg>");
        let ascii = |text: &str| text.as_bytes().to_vec();
        for (bytes, expected) in [
            (ascii(&svg("viewBox=\"0 0 120 40\"")), Ok("3.00")),
            (ascii(&svg("viewBox='0,0, 10.5,21'")), Ok("0.50")),
            (ascii(&svg("width=\"60px\" height=\"40\"")), Ok("1.50")),
            (ascii(&svg("stroke-width=\"9\" width=\"60\" height=\"40\"")), Ok("1.50")),
            (ascii(&svg("")), Ok("1.00")),
            (ascii(&svg("width=\"100%\" height=\"100%\"")), Ok("1.00")),
            (ascii(&svg("viewBox=\"0 0 1 0\"")), Ok("1.00")),
            (ascii(&svg("viewBox=\"0 0 -1 1\"")), Ok("1.00")),
            (
                ascii(&format!(
                    "\u{feff}<?xml version=\"1.0\"?>\n<!-- <svg> -->\n<!DOCTYPE svg PUBLIC \"x\" \"y\">\n{}",
                    svg("viewBox=\"0 0 2 1\"")
                )),
                Ok("2.00"),
            ),
            (ascii("<svg viewBox=\"0 0 1 1\"/>"), Err("has no xmlns")),
            (ascii("<svgx xmlns=\"http://www.w3.org/2000/svg\"/>"), Err("is no SVG image")),
            (ascii("<html><svg></svg></html>"), Err("is no SVG image")),
            (
                ascii(&format!("<!DOCTYPE svg [<!ENTITY a \"b\">]>{}", svg(""))),
                Err("is no SVG image"),
            ),
            (ascii("<!-- <svg "), Err("is no SVG image")),
            (ascii(""), Err("is no SVG image")),
            (b"\xff\xfe<\0s\0v\0g\0".to_vec(), Err("is no SVG image")),
            (b"\x89PNG\r\n\x1a\n".to_vec(), Err("is no SVG image")),
        ] {
            check(Kind::Svg, &bytes, expected);
        }
    }

    #[test]
    fn numbers_are_those_of_the_library() {
        for text in [
            "0", "1", "-1", "+2", "10.5", ".5", "5.", "1e3", "1.5E-2", "-2.5e+1", "120.0001",
            "00012", "", ".", "-", "e1", "1e", "1e+", "1.2.3", "1,2", "1 2", "0x1", "--1", "é",
            "5%",
        ] {
            let (found, expected) = (number(text), text.parse::<f64>().ok());
            match (found, expected) {
                (Some(found), Some(expected)) => {
                    assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{text}: {found}");
                }
                _ => assert_eq!(found, expected, "{text:?}"),
            }
        }
        // Lengths without end have no ratio.
        for text in ["inf", "nan", "1e400"] {
            assert_eq!(number(text), None, "{text}");
        }
        let long = "9".repeat(400);
        assert_eq!(ratio_of(&format!("svg viewBox=\"0 0 {long} 1\"")), None);
    }

    #[test]
    fn other_images() {
        let png = |width: u32, height: u32| {
            let header = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
            [&header[..], &width.to_be_bytes(), &height.to_be_bytes(), b"\x08\x06"].concat()
        };
        for (kind, bytes, expected) in [
            (Kind::Png, png(240, 60), Ok("4.00")),
            (Kind::Png, png(4096, 4096), Ok("1.00")),
            (Kind::Png, png(4097, 1), Err("larger than 4096 × 4096 pixels")),
            (Kind::Png, png(0, 1), Err("is no PNG image")),
            (Kind::Png, png(1, 1)[..20].to_vec(), Err("is no PNG image")),
            (Kind::Png, b"\xff\xd8\xff\xe0".to_vec(), Err("is no PNG image")),
            (Kind::Ico, b"\0\0\x01\0\x01\0".to_vec(), Ok("1.00")),
            (Kind::Ico, png(1, 1), Err("is no ICO image")),
            (Kind::Ico, Vec::new(), Err("is no ICO image")),
        ] {
            check(kind, &bytes, expected);
        }
    }

    #[track_caller]
    fn check(kind: Kind, bytes: &[u8], expected: Result<&str, &str>) {
        let shown = bytes.escape_ascii();
        match (kind.check(bytes), expected) {
            (Ok(ratio), Ok(expected)) => assert_eq!(format!("{ratio:.2}"), expected, "{shown}"),
            (Err(why), Err(part)) => assert!(why.contains(part), "{shown}: {why}"),
            (found, _) => panic!("{shown}: {found:?}"),
        }
    }
}
