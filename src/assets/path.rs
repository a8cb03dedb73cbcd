//! The path of a request as the name of a file or a page. Decides by the text alone and reads no file.

use std::borrow::Cow;

/// A path that stays inside the folder in which it is opened: no `.` or `..`, no hidden file, no
/// encoded slash.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PathRequest<'p> {
    /// The decoded path without its first slash; empty for `/`.
    pub(super) path: Cow<'p, str>,
    /// Whether the app has a page for it if no file has the name: the name has no dot.
    pub(super) page: bool,
}

impl PathRequest<'_> {
    /// Parses the path of a request; `None` if no file or page may have it.
    pub(super) fn parse(path: &str) -> Option<PathRequest<'_>> {
        let path = decode(path.strip_prefix('/')?)?;
        let mut segments = path.split('/');
        let last = segments.next_back().unwrap_or_default();
        let first = segments.clone().next().unwrap_or(last);
        let hidden = |segment: &str| segment.starts_with('.');
        // Paths of the API are never files or pages, so that a mistyped endpoint is an error.
        if first == "api" || hidden(last) || segments.any(|one| one.is_empty() || hidden(one)) {
            return None;
        }
        let page = !last.contains('.');
        Some(PathRequest { path, page })
    }

    /// Whether a build tool put a hash of the content into the name, so that the file never changes.
    pub(super) fn is_hashed(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        let Some((stem, _)) = name.rsplit_once('.') else { return false };
        is_base64_hash(stem) || is_hexadecimal_hash(stem)
    }
}

/// Percent-decodes once; `None` if the path is malformed, not UTF-8, or has a slash, backslash or
/// control character that no name may have.
fn decode(path: &str) -> Option<Cow<'_, str>> {
    let mut decoded = Cow::Borrowed(path);
    if path.contains('%') {
        let mut bytes = Vec::with_capacity(path.len());
        let mut parts = path.split('%');
        bytes.extend_from_slice(parts.next()?.as_bytes());
        for part in parts {
            let digits = part.get(..2).filter(|two| two.bytes().all(|b| b.is_ascii_hexdigit()))?;
            let byte = u8::from_str_radix(digits, 16).ok()?;
            if byte == b'/' {
                return None;
            }
            bytes.push(byte);
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        }
        decoded = Cow::Owned(String::from_utf8(bytes).ok()?);
    }
    decoded.chars().all(|char| !char.is_control() && char != '\\').then_some(decoded)
}

/// Whether the name ends like `index-Di3rgTda`, with eight characters of base64url or base32, as Vite,
/// Rollup and esbuild write it. A hash needs a capital and another character, which words, dates and
/// sizes (`icon-1024x768`) lack.
fn is_base64_hash(stem: &str) -> bool {
    let Some(at) = stem.len().checked_sub(9) else { return false };
    let Some((b'-' | b'.', hash)) = stem.as_bytes()[at..].split_first() else { return false };
    hash.iter().all(|&b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        && hash.iter().any(u8::is_ascii_uppercase)
        && !hash.iter().all(u8::is_ascii_uppercase)
}

/// Whether the name ends like `main.8a2f6c3d`, with eight or more hexadecimal digits, both letters and
/// decimal digits, as webpack and Parcel write it.
fn is_hexadecimal_hash(stem: &str) -> bool {
    let hash = stem.rsplit(['-', '.']).next().filter(|hash| hash.len() < stem.len());
    let hash = hash.unwrap_or_default().as_bytes();
    hash.len() >= 8
        && hash.iter().all(u8::is_ascii_hexdigit)
        && hash.iter().any(u8::is_ascii_digit)
        && hash.iter().any(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_or_refused() {
        let check = |path: &str, expected: Option<(&str, bool)>| {
            let found = PathRequest::parse(path);
            let found = found.as_ref().map(|request| (&*request.path, request.page));
            assert_eq!(found, expected, "{path}");
        };
        check("/", Some(("", true)));
        check("/login", Some(("login", true)));
        check("/admin/audit", Some(("admin/audit", true)));
        check("/admin/", Some(("admin/", true)));
        check("/apis", Some(("apis", true)));
        check("/API/", Some(("API/", true)));
        check("/assets/x-1.js", Some(("assets/x-1.js", false)));
        check("/assets/x%2D1%2ejs", Some(("assets/x-1.js", false)));
        check("/a%20b%C3%BC", Some(("a bü", true)));
        // Decoded once: the result is an ordinary name.
        check("/%252e%252e/x", Some(("%2e%2e/x", true)));
        check("/a.b/c", Some(("a.b/c", true)));
        check("/a..b/..", None);
        check("/a..b", Some(("a..b", false)));
        for refused in [
            "",
            "*",
            "x",
            "//",
            "//host/x",
            "/a//b",
            "/.",
            "/..",
            "/../x",
            "/a/../b",
            "/a/./b",
            "/a/..",
            "/%2e%2e/x",
            "/.%2E/x",
            "/a/%2e%2e%2fx",
            "/..%2f..%2fetc%2fpasswd",
            "/..%5cx",
            "/a\\b",
            "/a%5Cb",
            "/a%00",
            "/a%00.js",
            "/a%0a",
            "/a%7f",
            "/a%C2%85",
            "/%",
            "/%2",
            "/%zz",
            "/%+1",
            "/%é",
            "/%ff",
            "/%c0%ae%c0%ae/x",
            "/.git/config",
            "/.env",
            "/a/.htpasswd",
            "/%2egit/config",
            "/.well-known/x",
            "/api",
            "/api/",
            "/api/x",
            "/%61pi/x",
            "/api/../x",
        ] {
            check(refused, None);
        }
    }

    #[test]
    fn hashed_names_are_recognised() {
        let check = |path: &str, expected: bool| {
            let request = PathRequest::parse(path).unwrap();
            assert_eq!(request.is_hashed(), expected, "{path}");
        };
        for hashed in [
            "/assets/index-Di3rgTda.js",
            "/assets/index-DiwrgTda.css",
            "/assets/a-b-_x-3Zb-Q.js",
            "/chunk-5KJ3NBQ4.js",
            "/static/js/main.8a2f6c3d.js",
            "/static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg",
            "/main-4f3a9c1b.js",
        ] {
            check(hashed, true);
        }
        for plain in [
            "/",
            "/index.html",
            "/favicon.svg",
            "/service-worker.js",
            "/my-component.js",
            "/apple-touch-icon.png",
            "/jquery-datatables.js",
            "/icon-512x512.png",
            "/icon-1024x768.png",
            "/photo-20240131.jpg",
            "/main-release1.js",
            "/a-ABCDEFGH.js",
            "/Di3rgTda.js",
            "/8a2f6c3d.js",
            "/x-Di3rgTda",
            "/x-Di3rgTd.js",
            "/x-Di3rg!da.js",
            "/x.deadbeef.js",
            "/index-Di3rgTda.js.map",
            "/-é3rgTdaa.js",
        ] {
            check(plain, false);
        }
    }
}
