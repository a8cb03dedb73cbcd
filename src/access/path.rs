//! A path as rules compare it: percent-decoded. And whether an app may read it as another path than
//! the rules do. Servers and frameworks differ in what they decode, merge and cut off, so a doubtful
//! path is never taken for a harmless one.

use std::borrow::Cow;

use super::reading::Readings;
use crate::values::{domain, skeleton};

/// The path of a request's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path<'a> {
    text: Readings<Cow<'a, [u8]>>,
    /// The text as it is compared by what ignores case, marks and forms of letters; `None` if it is ASCII.
    skeleton: Option<Box<Readings<Vec<u8>>>>,
    /// Whether an app may read it as any other path.
    pub(crate) ambiguous: bool,
}

/// The path of a rule: decoded, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RulePath {
    path: Vec<u8>,
    /// The path itself, and what apps may read instead.
    forms: Vec<Vec<u8>>,
}

/// How a path lies to that of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Covers {
    /// It is the rule's path, or below it.
    Yes,
    /// Some apps read it so: they ignore case, marks of letters, endings, or what follows a `:`. A rule
    /// whose path is at least that long, and covers this one, names what they would read.
    Perhaps {
        unless: usize,
    },
    No,
}

impl<'a> Path<'a> {
    /// Reads the path of a target, up to the query.
    pub(crate) fn of(target: &'a [u8]) -> Path<'a> {
        let end = target.iter().position(|&byte| byte == b'?').unwrap_or(target.len());
        Path::whole(&target[..end])
    }

    /// Reads a text that is a path as a whole: a `?` belongs to it.
    pub(crate) fn whole(path: &'a [u8]) -> Path<'a> {
        let (decoded, doubtful) = decode(path);
        if doubtful || is_doubtful(&decoded) {
            return Path { text: Readings::plain(decoded), skeleton: None, ambiguous: true };
        }
        if decoded.is_ascii() && !decoded.contains(&b'.') {
            return Path { text: Readings::plain(decoded), skeleton: None, ambiguous: false };
        }
        let mut path = Path::plain(decoded);
        let mut ambiguous = !path.text.find_cuts();
        if let Some(skeleton) = &mut path.skeleton {
            // What is ignored may have hidden a `..`, for instance.
            ambiguous |= is_doubtful(&skeleton.path) || has_code(&skeleton.path);
            ambiguous |= !skeleton.find_cuts();
        }
        path.ambiguous = ambiguous;
        path
    }

    /// Takes a decoded path as it is.
    pub(super) fn plain(path: impl Into<Cow<'a, [u8]>>) -> Path<'a> {
        let path = path.into();
        let skeleton = (!path.is_ascii()).then(|| {
            let skeleton = skeleton(&String::from_utf8_lossy(&path));
            Box::new(Readings::plain(skeleton.into_bytes()))
        });
        Path { text: Readings::plain(path), skeleton, ambiguous: false }
    }

    /// Returns how it lies to a rule's path.
    pub(super) fn is_below(&self, rule: &RulePath) -> Covers {
        if let Some((start, [] | [b'/', ..])) = self.text.path.split_at_checked(rule.len())
            && start == rule.path
        {
            return Covers::Yes;
        }
        // This decides for most rules: nothing but a whole name can be left out.
        let has_one_form = rule.forms.len() == 1 && self.skeleton.is_none();
        if has_one_form && self.text.begins_otherwise(&rule.path) {
            return Covers::No;
        }
        let as_rule = |form: &Vec<u8>| self.text.beginning(form);
        let unless = rule.forms.iter().filter_map(as_rule).max();
        if let Some(unless) = unless {
            return Covers::Perhaps { unless };
        }
        let skeleton = self.skeleton.as_deref();
        let as_rule = |form: &Vec<u8>| skeleton?.beginning(form);
        match rule.forms.iter().any(|form| as_rule(form).is_some()) {
            true => Covers::Perhaps { unless: usize::MAX },
            false => Covers::No,
        }
    }

    /// Returns the pages that programs may show for this path, if a rule whose path has the length `named`
    /// does not name the program.
    pub(super) fn pages(&self, named: usize) -> impl Iterator<Item = Path<'static>> {
        self.text.pages(named).map(Path::plain)
    }

    /// Returns the path of a rule.
    pub(super) fn into_rule(self) -> RulePath {
        let mut path = self.text.path.into_owned();
        while path.last() == Some(&b'/') {
            path.pop();
        }
        RulePath::new(path)
    }
}

impl RulePath {
    pub(super) fn new(path: Vec<u8>) -> RulePath {
        let mut forms = vec![path.clone()];
        if !path.is_ascii() {
            forms.push(skeleton(&String::from_utf8_lossy(&path)).into_bytes());
        }
        for form in forms.clone() {
            let mut readings = Readings::plain(form);
            readings.find_cuts();
            forms.extend(readings.pages(0));
        }
        RulePath { path, forms }
    }

    #[cfg(feature = "cli")]
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.path
    }

    pub(super) fn len(&self) -> usize {
        self.path.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.path.is_empty()
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
    let twice = has_code(&decoded);
    (decoded.into(), doubtful || twice)
}

/// Whether a path can be decoded.
fn has_code(path: &[u8]) -> bool {
    (0..path.len()).any(|at| path[at] == b'%' && code(&path[at + 1..]).is_some())
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
            assert_eq!(path.text.path, expected.as_bytes(), "{target}");
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
        const PERHAPS: Covers = Covers::Perhaps { unless: usize::MAX };
        for (target, rule, expected) in [
            ("/", "", Covers::Yes),
            ("/x", "", Covers::Yes),
            ("/public", "/public", Covers::Yes),
            ("/public/", "/public", Covers::Yes),
            ("/public/x", "/public", Covers::Yes),
            ("/publicity", "/public", Covers::No),
            ("/publi", "/public", Covers::No),
            ("/", "/public", Covers::No),
            ("/Public/x", "/public", PERHAPS),
            ("/public:x", "/public", PERHAPS),
            ("/publi%C3%A7", "/public", PERHAPS),
            ("/publi%C3%A7/x", "/publi\u{e7}", Covers::Yes),
            ("/PUBLI%C3%87/x", "/publi\u{e7}", PERHAPS),
            ("/publi\u{e7}s", "/publi\u{e7}", Covers::No),
            ("/public.x/y", "/public", Covers::Perhaps { unless: 9 }),
            ("/publi\u{e7}.x/y", "/publi\u{e7}", Covers::Perhaps { unless: 10 }),
            ("/x.php/public/y", "/public", Covers::Perhaps { unless: 13 }),
            ("/public:x", "", Covers::Yes),
            ("/PUBLICITY", "/public", Covers::No),
            ("/x/public", "/public", Covers::No),
        ] {
            let rule = RulePath::new(rule.as_bytes().to_vec());
            assert_eq!(Path::of(target.as_bytes()).is_below(&rule), expected, "{target}");
        }
    }
}
