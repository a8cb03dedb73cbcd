//! lictor's own app, which is in the program: what the build in `web/` left in `web/dist`,
//! compressed. Knows nothing of requests.

use std::sync::OnceLock;

use super::File;
use crate::error::Error;
use crate::http::Response;

/// One file. `web/dist/embedded.rs`, which the build writes, is a list of these in the order of
/// their paths.
struct Asset {
    /// From `/` on.
    path: &'static str,
    media_type: &'static str,
    /// The path changes with the content.
    hashed: bool,
    /// A gzip file without optional fields in its head.
    gzip: &'static [u8],
    /// Bytes of it uncompressed.
    size: usize,
}

const ASSETS: &[Asset] = &include!("../../web/dist/embedded.rs");

/// The page that is all pages.
const INDEX: &str = "/index.html";
/// Bytes before and after the compressed data in a gzip file (RFC 1952 section 2.3).
const GZIP_HEAD: usize = 10;
const GZIP_TRAILER: usize = 8;

/// The files uncompressed, each made when the first client comes that takes no gzip.
static PLAIN: [OnceLock<Option<Vec<u8>>>; ASSETS.len()] = [const { OnceLock::new() }; ASSETS.len()];

/// The file of a path without its first slash, or the page that is all pages.
pub(super) fn find(path: &str, page: bool, gzip: bool) -> Result<Option<File>, Error> {
    match position(path).or_else(|| page.then(|| position(&INDEX[1..])).flatten()) {
        Some(at) => file(at, gzip).map(Some),
        None => Ok(None),
    }
}

fn position(path: &str) -> Option<usize> {
    ASSETS.binary_search_by(|asset| asset.path[1..].cmp(path)).ok()
}

fn file(at: usize, gzip: bool) -> Result<File, Error> {
    let asset = &ASSETS[at];
    // A small one may be no smaller compressed.
    let gzip = gzip && asset.gzip.len() < asset.size;
    let bytes = if gzip { asset.gzip } else { plain(at)? };
    Ok(File {
        response: Response::fixed(200, asset.media_type, bytes),
        etag: etag(asset, gzip),
        gzip,
        media_type: asset.media_type,
        hashed: asset.hashed,
    })
}

/// Checksum and length of the content end a gzip file; together with the compressed length they
/// are as good a name for it as is needed, and nothing has to be computed for them.
fn etag(asset: &Asset, gzip: bool) -> String {
    use std::fmt::Write as _;
    let mut etag = String::from("\"");
    let trailer = asset.gzip.len().saturating_sub(GZIP_TRAILER);
    for byte in &asset.gzip[trailer..] {
        // Writing to a String cannot fail.
        let _ = write!(etag, "{byte:02x}");
    }
    let _ = write!(etag, "-{:x}{}\"", asset.gzip.len(), if gzip { "-gz" } else { "" });
    etag
}

fn plain(at: usize) -> Result<&'static [u8], Error> {
    let inflated = PLAIN[at].get_or_init(|| inflate(&ASSETS[at]));
    let broken = || Error::Internal(format!("{} is broken in the program", ASSETS[at].path));
    inflated.as_deref().ok_or_else(broken)
}

fn inflate(asset: &Asset) -> Option<Vec<u8>> {
    let end = asset.gzip.len().checked_sub(GZIP_TRAILER)?;
    let data = asset.gzip.get(GZIP_HEAD..end)?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(data, asset.size).ok()?;
    (bytes.len() == asset.size).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_as_its_entry_says() {
        assert!(ASSETS.is_sorted_by(|a, b| a.path < b.path), "they are searched by halves");
        assert!(position("index.html").is_some());
        for (at, asset) in ASSETS.iter().enumerate() {
            let Asset { path, media_type, gzip, size, .. } = asset;
            assert!(path.starts_with('/'), "{path}");
            assert_eq!(super::super::media_type::of(path), *media_type, "{path}");
            // The magic number, the method, no optional field and no time.
            assert_eq!(gzip[..8], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0], "{path}");
            assert_eq!(plain(at).unwrap().len(), *size, "{path}");
            assert_eq!(gzip[gzip.len() - 4..], (*size as u32).to_le_bytes(), "{path}");
            assert_ne!(etag(asset, true), etag(asset, false));
        }
    }

    #[test]
    fn one_page_is_all_pages() {
        for (path, page, found) in [
            ("", true, true),
            ("login", true, true),
            ("index.html", false, true),
            ("index.htm", false, false),
            ("assets/nothing.js", false, false),
        ] {
            assert_eq!(find(path, page, true).unwrap().is_some(), found, "{path}");
        }
    }

    #[test]
    fn what_is_no_gzip_file_is_not_inflated() {
        let check = |gzip: &'static [u8], size| {
            inflate(&Asset { path: "/x", media_type: "", hashed: false, gzip, size })
        };
        // "ab", stored.
        let stored = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\x01\x02\0\xfd\xffab????\x02\0\0\0";
        assert_eq!(check(stored, 2).as_deref(), Some(&b"ab"[..]));
        for (gzip, size) in [(&stored[..], 1), (stored, 3), (&stored[..20], 2), (b"", 0)] {
            assert_eq!(check(gzip, size), None, "{gzip:?} {size}");
        }
    }
}
