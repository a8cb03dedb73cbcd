//! `If-None-Match` and `Accept-Encoding` (RFC 9110 sections 13.1.2 and 12.5.3). Knows neither files nor
//! responses.

/// Whether the values of the `If-None-Match` fields match the entity tag, so that the client has the
/// current representation. The comparison is weak, as the RFC requires.
pub(crate) fn has_current<'v>(values: impl Iterator<Item = &'v [u8]>, etag: &str) -> bool {
    values.into_iter().any(|value| value.trim_ascii() == b"*" || lists(value, etag.as_bytes()))
}

/// Whether the list contains the entity tag. Tags after a malformed one are ignored. The list is not
/// split at commas, because a tag may contain commas.
fn lists(mut rest: &[u8], etag: &[u8]) -> bool {
    loop {
        rest = rest.trim_ascii_start();
        if let Some(after) = rest.strip_prefix(b",") {
            rest = after;
            continue;
        }
        let tag = rest.strip_prefix(b"W/").unwrap_or(rest);
        let Some(inner) = tag.strip_prefix(b"\"") else { return false };
        let Some(length) = inner.iter().position(|&b| b == b'"') else { return false };
        let (tag, after) = tag.split_at(length + 2);
        if tag == etag {
            return true;
        }
        rest = after.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return false;
        }
    }
}

/// Whether the values of the `Accept-Encoding` fields accept gzip and do not prefer the uncompressed
/// form. Without the field, every coding is acceptable, and the uncompressed form is the safe choice.
/// Malformed members are ignored.
pub(crate) fn accepts_gzip<'v>(values: impl Iterator<Item = &'v [u8]>) -> bool {
    let (mut gzip, mut identity, mut others) = (None, None, None);
    for member in values.flat_map(|value| value.split(|&b| b == b',')) {
        let mut parts = member.splitn(2, |&b| b == b';').map(<[u8]>::trim_ascii);
        let coding = parts.next().unwrap_or_default();
        let Some(weight) = parts.next().map_or(Some(1000), weight) else { continue };
        if coding.eq_ignore_ascii_case(b"gzip") || coding.eq_ignore_ascii_case(b"x-gzip") {
            gzip = Some(weight);
        } else if coding.eq_ignore_ascii_case(b"identity") {
            identity = Some(weight);
        } else if coding == b"*" {
            others = Some(weight);
        }
    }
    let gzip = gzip.or(others).unwrap_or(0);
    gzip > 0 && gzip >= identity.unwrap_or(0)
}

/// Parses `q=0.5` to thousandths (RFC 9110 section 12.4.2).
fn weight(parameter: &[u8]) -> Option<u16> {
    let (name, value) = parameter.split_at_checked(2)?;
    if !name.eq_ignore_ascii_case(b"q=") {
        return None;
    }
    let (whole, digits) = match value {
        [whole @ (b'0' | b'1')] => (*whole, &b""[..]),
        [whole @ (b'0' | b'1'), b'.', digits @ ..] if digits.len() <= 3 => (*whole, digits),
        _ => return None,
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |at: usize| digits.get(at).map_or(0, |&digit| u16::from(digit - b'0'));
    let weight = u16::from(whole - b'0') * 1000 + digit(0) * 100 + digit(1) * 10 + digit(2);
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept_encoding() {
        let check = |fields: &[&str], expected: bool| {
            assert_eq!(accepts_gzip(fields.iter().map(|f| f.as_bytes())), expected, "{fields:?}");
        };
        for fields in [
            &["gzip"][..],
            &["gzip, deflate, br, zstd"],
            &["br;q=1.0, gzip;q=0.8, *;q=0.1"],
            &["GZIP"],
            &["x-gzip"],
            &["deflate", "gzip"],
            &["*"],
            &["identity;q=0.5, gzip"],
            &["identity;q=0, *"],
            &["gzip ; q=0.001"],
            &["gzip;Q=1.000"],
            &["gzip;q=1."],
            &[" , ,gzip,"],
            &["gzip, identity"],
        ] {
            check(fields, true);
        }
        for fields in [
            &[][..],
            &[""],
            &["identity"],
            &["br"],
            &["deflate, br"],
            &["gzip;q=0"],
            &["gzip;q=0.000"],
            &["gzip;q=0, *"],
            &["*, gzip;q=0"],
            &["*;q=0"],
            &["gzip;q=0.5, identity"],
            &["identity;q=0.6, *;q=0.5"],
            &["gzipped"],
            &["x"],
            &["gzip;q=2"],
            &["gzip;q=1.001"],
            &["gzip;q=0.0001"],
            &["gzip;q=-1"],
            &["gzip;q=a"],
            &["gzip;q="],
            &["gzip;level=9"],
            &["gzip;q=1;q=1"],
            &["\u{fc}"],
        ] {
            check(fields, false);
        }
    }

    #[test]
    fn if_none_match() {
        let check = |fields: &[&str], expected: bool| {
            assert_eq!(
                has_current(fields.iter().map(|f| f.as_bytes()), "\"a-1\""),
                expected,
                "{fields:?}"
            );
        };
        for fields in [
            &["\"a-1\""][..],
            &["W/\"a-1\""],
            &["*"],
            &[" * "],
            &["\"x\", \"a-1\""],
            &["\"x\",\"a-1\",\"y\""],
            &["\"x,\", W/\"a-1\""],
            &[",, \"a-1\" ,"],
            &["\"x\"", "\"a-1\""],
            &["\"\", \"a-1\""],
        ] {
            check(fields, true);
        }
        for fields in [
            &[][..],
            &[""],
            &["a-1"],
            &["\"a-1"],
            &["a-1\""],
            &["\"A-1\""],
            &["w/\"a-1\""],
            &["\"a-1-gz\""],
            &["\"x, a-1\""],
            &["\"x\" \"a-1\""],
            &["x, \"a-1\""],
            &["*, x"],
            &["**"],
            &["W/"],
            &["\u{fc}"],
        ] {
            check(fields, false);
        }
    }
}
