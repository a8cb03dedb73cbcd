//! Draws a text as a QR code in SVG: dark on light, with the quiet zone that readers need.

use std::fmt::Write as _;

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

use crate::error::{Cause, Error};

/// Light modules around the code (ISO/IEC 18004 section 6.3.8).
const QUIET_ZONE: i32 = 4;

/// Returns a picture that shows `text` and scales to any size; `title` is for screen readers.
pub(crate) fn svg(text: &str, title: &'static str) -> Result<Zeroizing<String>, Error> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).map_err(|error| {
        Error::Internal(Cause::new(format!("no QR code can be made: {error}"), error))
    })?;
    let side = code.size() + 2 * QUIET_ZONE;
    // More than it needs: growing would leave copies of the secret in memory.
    let mut svg = Zeroizing::new(String::with_capacity(4 * (side * side) as usize + 512));
    // One thick line through each run of dark modules; writing to a String cannot fail.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" role=\"img\" \
         shape-rendering=\"crispEdges\"><title>{title}</title>\
         <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path stroke=\"#000\" d=\""
    );
    for y in 0..code.size() {
        for (start, length) in runs(&code, y) {
            let (x, y) = (start + QUIET_ZONE, y + QUIET_ZONE);
            let _ = write!(svg, "M{x} {y}.5h{length}");
        }
    }
    svg.push_str("\"/></svg>");
    Ok(svg)
}

/// Returns the runs of dark modules in a row: where each begins, and its length.
fn runs(code: &QrCode, y: i32) -> impl Iterator<Item = (i32, i32)> {
    let dark = move |x: i32| code.get_module(x, y);
    (0..code.size()).filter(move |x| dark(*x) && !dark(x - 1)).map(move |start| {
        let end = (start..).find(|x| !dark(*x)).unwrap_or(start);
        (start, end - start)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the picture with an independent decoder.
    fn read(svg: &str) -> String {
        const SCALE: usize = 4;
        let between = |text: &str, from: &str, to: &str| {
            text.split(from).nth(1).and_then(|rest| rest.split(to).next()).unwrap().to_owned()
        };
        let side: usize = between(svg, "viewBox=\"0 0 ", " ").parse().unwrap();
        let mut dark = vec![false; side * side];
        for line in between(svg, "stroke=\"#000\" d=\"M", "\"").split('M') {
            let (x, rest) = line.split_once(' ').unwrap();
            let (y, length) = rest.split_once(".5h").unwrap();
            let number = |text: &str| text.parse::<usize>().unwrap();
            let start = number(y) * side + number(x);
            dark[start..start + number(length)].fill(true);
        }
        let grey = |x: usize, y: usize| {
            if dark[y / SCALE * side + x / SCALE] { 0 } else { 255 }
        };
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(side * SCALE, side * SCALE, grey);
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1, "{svg}");
        grids[0].decode().unwrap().1
    }

    #[test]
    fn a_scanner_reads_the_picture() {
        let long = "x".repeat(1_000);
        for text in [
            "otpauth://totp/lictor:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=lictor\
             &algorithm=SHA1&digits=6&period=30",
            "a",
            &long,
        ] {
            let svg = svg(text, "a title").unwrap();
            assert_eq!(read(&svg), text);
            assert!(svg.capacity() == 4 * side(&svg).pow(2) + 512, "it has grown");
        }
    }

    fn side(svg: &str) -> usize {
        svg.split("0 0 ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap()
    }

    #[test]
    fn the_picture_is_small_and_has_a_title() {
        let uri = "otpauth://totp/lictor:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=lictor\
                   &algorithm=SHA1&digits=6&period=30";
        let svg = svg(uri, "QR code").unwrap();
        assert!(svg.len() < 8_000, "{} bytes", svg.len());
        assert!(svg.contains("<title>QR code</title>") && svg.contains("role=\"img\""), "{}", *svg);
        // Nothing touches the quiet zone.
        assert!(svg.contains("d=\"M4 4.5h7M") && !svg.contains("M3 "), "{}", *svg);
    }

    #[test]
    fn a_text_that_is_too_long_is_refused() {
        assert!(svg(&"x".repeat(10_000), "").is_err());
    }
}
