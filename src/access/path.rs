//! A path as rules compare it: percent-decoded. And whether an app may read it as another path than
//! the rules do. Servers and frameworks differ in what they decode, merge and cut off, so a doubtful
//! path is never taken for a harmless one.

use std::borrow::Cow;

use crate::values::domain;

/// The path of a request's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    decoded: Cow<'a, [u8]>,
    /// Whether an app may read it as another path.
    pub(crate) ambiguous: bool,
}

/// How a path lies to that of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covers {
    /// It is the rule's path, or below it.
    Yes,
    /// Some apps read it so: they take upper and lower case for the same, or leave out what follows
    /// a `:` (a stream of a file on Windows).
    Perhaps,
    No,
}

impl<'a> Path<'a> {
    /// Reads the path of a target, up to the query.
    pub(crate) fn of(target: &'a [u8]) -> Path<'a> {
        let end = target.iter().position(|&byte| byte == b'?').unwrap_or(target.len());
        let path = &target[..end];
        let (decoded, doubtful) = decode(path);
        let ambiguous = doubtful || is_doubtful(&decoded);
        Path { decoded, ambiguous }
    }

    /// Returns how it lies to a rule's path.
    pub(crate) fn is_below(&self, rule: &[u8]) -> Covers {
        match self.decoded.split_at_checked(rule.len()) {
            Some((start, [] | [b'/', ..])) if start == rule => Covers::Yes,
            Some((start, [] | [b'/' | b':', ..])) if start.eq_ignore_ascii_case(rule) => {
                Covers::Perhaps
            }
            _ => Covers::No,
        }
    }

    /// A path that an app takes as it is.
    #[cfg(any(test, feature = "cli"))]
    pub(super) fn plain(path: &'a [u8]) -> Path<'a> {
        Path { decoded: path.into(), ambiguous: false }
    }

    /// Returns the path of a rule, without slashes at its end.
    pub(super) fn into_rule(self) -> Vec<u8> {
        let mut path = self.decoded.into_owned();
        while path.last() == Some(&b'/') {
            path.pop();
        }
        path
    }
}

/// Decodes percent-encoding (RFC 3986 section 2.1). Says whether some apps would decode it to another
/// path: an encoded slash, a malformed code, what is encoded twice.
fn decode(path: &[u8]) -> (Cow<'_, [u8]>, bool) {
    if !path.contains(&b'%') {
        return (path.into(), false);
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut doubtful = false;
    let mut rest = path;
    while let [first, after @ ..] = rest {
        rest = after;
        match (*first, code(after)) {
            (b'%', Some(byte)) => {
                rest = &after[2..];
                doubtful |= byte == b'/';
                decoded.push(byte);
            }
            (byte, _) => {
                doubtful |= byte == b'%';
                decoded.push(byte);
            }
        }
    }
    let twice =
        (0..decoded.len()).any(|at| decoded[at] == b'%' && code(&decoded[at + 1..]).is_some());
    (decoded.into(), doubtful || twice)
}

/// Returns the byte that two hexadecimal digits at the start stand for.
fn code(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    u8::try_from(digit(0)? << 4 | digit(1)?).ok()
}

/// Whether an app may read a decoded path as another one:
/// - `\` is a slash on Windows, and `//` one slash for many.
/// - `.` and `..` are followed; Windows drops dots and spaces at the end of a name.
/// - What follows a `;` is a parameter for Java's servers, which leave it out. What follows a `?` or
///   `#` is no path to what decodes first and cuts afterwards; `:$` names a stream on Windows.
/// - A NUL ends the text in C; other control characters are dropped here and there.
/// - Bytes that are not UTF-8 may be decoded to anything, a slash included. Some frameworks replace
///   letters by their plain forms (NFKC), as `ａ` by `a`.
fn is_doubtful(path: &[u8]) -> bool {
    let Some(names) = path.strip_prefix(b"/") else { return true };
    // One pass: this runs for each picture of a page.
    let (mut before, mut all) = (b'/', 0);
    for &byte in names {
        let odd = match byte {
            b'\\' | b';' | b'?' | b'#' | 0x7f | ..b' ' => true,
            // A name that is empty, or ends with a dot or a space.
            b'/' => matches!(before, b'/' | b'.' | b' '),
            // A stream of a file (NTFS), also with a dot or a space that the file's name loses.
            b':' => matches!(before, b'.' | b' '),
            b'$' => before == b':',
            _ => false,
        };
        if odd {
            return true;
        }
        before = byte;
        all |= byte;
    }
    // The last name may be empty: that is a slash at the end.
    matches!(before, b'.' | b' ')
        || !all.is_ascii()
            && !std::str::from_utf8(path).is_ok_and(|text| !domain::hides_ascii(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded() {
        for (target, expected) in [
            ("/", "/"),
            ("/public", "/public"),
            ("/public/", "/public/"),
            ("/public?x=//..%2f", "/public"),
            ("/%70ublic", "/public"),
            ("/%70%75blic/%7Euser", "/public/~user"),
            ("/c%2B%2b", "/c++"),
            ("/wiki/Special:Search", "/wiki/Special:Search"),
            ("/%E9%98%BF/e%CC%81", "/阿/e\u{301}"),
            ("/100%25", "/100%"),
            ("/100%25z", "/100%z"),
            ("/%C3%BC/ü", "/ü/ü"),
            ("/.well-known/x.y", "/.well-known/x.y"),
            ("/a..b/...c", "/a..b/...c"),
        ] {
            let path = Path::of(target.as_bytes());
            assert_eq!(path.decoded, expected.as_bytes(), "{target}");
            assert!(!path.ambiguous, "{target}");
        }
    }

    #[test]
    fn paths_that_an_app_may_read_as_others() {
        for target in [
            "",
            "?x",
            "*",
            "public",
            "http://wiki.example.org/",
            "//",
            "//public",
            "/a//b",
            "/a//",
            "/.",
            "/./a",
            "/a/.",
            "/..",
            "/a/../b",
            "/a/..",
            "/%2e/a",
            "/a/%2E%2e/b",
            "/a/.%2e",
            "/.../a",
            "/a./b",
            "/a%20/b",
            "/a /b",
            "/a%2fb",
            "/a%2Fb",
            "/a\\b",
            "/a%5cb",
            "/..\\a",
            "/a%00",
            "/a%0a",
            "/a%09b",
            "/a%7f",
            "/a%3fb",
            "/a%23b",
            "/a#b",
            "/a%3F/../b",
            "/a:$DATA",
            "/a.:b",
            "/a%20:b",
            "/a%3a$i30:$INDEX_ALLOCATION/b",
            "/%EF%BD%81dmin",
            "/ａdmin",
            "/a%E2%84%AA",
            "/a%CD%BE",
            "/ǆ",
            "/a；b",
            "/a;b",
            "/a%3bb",
            "/a;/../b",
            "/..;/b",
            "/a#b",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a%u0041",
            "/a%+1",
            "/%2561dmin",
            "/%25%36%31",
            "/a%C0%AFb",
            "/a%E0%80%AF",
            "/a%FF",
            "/a%C3",
        ] {
            assert!(Path::of(target.as_bytes()).ambiguous, "{target:?}");
        }
        assert!(Path::of(b"/a\xc0\xafb").ambiguous && Path::of(b"/a\x00").ambiguous);
    }

    /// Each condition alone, and together in all short paths of the characters that matter.
    #[test]
    fn one_pass_finds_what_each_condition_finds() {
        fn expected(path: &[u8]) -> bool {
            let Some(names) = path.strip_prefix(b"/") else { return true };
            let special = |byte: &u8| *byte < b' ' || b"\\;?#\x7f".contains(byte);
            let odd = |name: &[u8]| matches!(name.last(), None | Some(b'.' | b' '));
            let names = names.strip_suffix(b"/").unwrap_or(names);
            path.iter().any(special)
                || (path != b"/" && names.split(|&byte| byte == b'/').any(odd))
                || path.windows(2).any(|two| matches!(two, b":$" | b".:" | b" :"))
        }
        let letters = b"/.: $a;\x1f\x7f";
        let mut paths = vec![Vec::new()];
        for _ in 0..5 {
            let longer = |path: &Vec<u8>| letters.map(|letter| [&path[..], &[letter]].concat());
            paths = paths.iter().flat_map(longer).collect();
            for path in &paths {
                assert_eq!(is_doubtful(path), expected(path), "{:?}", path.escape_ascii());
            }
        }
        for byte in 0..128 {
            for path in [vec![b'/', byte], vec![b'/', b'a', byte, b'a'], vec![byte]] {
                assert_eq!(is_doubtful(&path), expected(&path), "{:?}", path.escape_ascii());
            }
        }
    }

    #[test]
    fn a_path_is_good_for_what_is_below_it() {
        for (target, rule, expected) in [
            ("/", "", Covers::Yes),
            ("/x", "", Covers::Yes),
            ("/public", "/public", Covers::Yes),
            ("/public/", "/public", Covers::Yes),
            ("/public/x", "/public", Covers::Yes),
            ("/publicity", "/public", Covers::No),
            ("/publi", "/public", Covers::No),
            ("/", "/public", Covers::No),
            ("/Public/x", "/public", Covers::Perhaps),
            ("/public:x", "/public", Covers::Perhaps),
            ("/public:x", "", Covers::Yes),
            ("/PUBLICITY", "/public", Covers::No),
            ("/x/public", "/public", Covers::No),
        ] {
            assert_eq!(Path::of(target.as_bytes()).is_below(rule.as_bytes()), expected, "{target}");
        }
    }
}
