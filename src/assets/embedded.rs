//! The built-in web app: the compressed files of `web/dist`, which the build in `web/` writes. Knows no
//! request.

use std::sync::OnceLock;

use super::File;
use crate::error::Error;
use crate::http::Response;

/// One file. The build writes `web/dist/embedded.rs`, a list of these sorted by path.
struct Asset {
    /// With the first slash.
    path: &'static str,
    media_type: &'static str,
    /// Whether the path changes with the content.
    hashed: bool,
    /// A gzip file without optional header fields.
    gzip: &'static [u8],
    /// Its size uncompressed, in bytes.
    size: usize,
}

const ASSETS: &[Asset] = &include!("../../web/dist/embedded.rs");

/// The document of every page.
const INDEX: &str = "/index.html";
/// Sizes of the header and the trailer of a gzip file, in bytes (RFC 1952 section 2.3).
const GZIP_HEADER: usize = 10;
const GZIP_TRAILER: usize = 8;

/// The uncompressed files. Each is made for the first client that does not accept gzip.
static PLAIN: [OnceLock<Option<Vec<u8>>>; ASSETS.len()] = [const { OnceLock::new() }; ASSETS.len()];

/// The file at a path without its first slash; if there is none and `page` is set, the document of
/// every page.
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
    // Compression may enlarge a small file.
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

/// The entity tag: the CRC and the length of the content, which a gzip file has in its trailer, and the
/// compressed length. They identify the file well enough, and no hash has to be computed.
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

/// The uncompressed file.
fn plain(at: usize) -> Result<&'static [u8], Error> {
    let inflated = PLAIN[at].get_or_init(|| inflate(&ASSETS[at]));
    let damaged =
        || Error::Internal(format!("the embedded file {} is damaged", ASSETS[at].path).into());
    inflated.as_deref().ok_or_else(damaged)
}

/// Decompresses a file; `None` if it is not a gzip file of this size.
fn inflate(asset: &Asset) -> Option<Vec<u8>> {
    let end = asset.gzip.len().checked_sub(GZIP_TRAILER)?;
    let data = asset.gzip.get(GZIP_HEADER..end)?;
    let bytes = miniz_oxide::inflate::decompress_to_vec_with_limit(data, asset.size).ok()?;
    (bytes.len() == asset.size).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_matches_its_entry() {
        assert!(ASSETS.is_sorted_by(|a, b| a.path < b.path), "binary search needs them sorted");
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
    fn every_page_has_the_same_document() {
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
    fn a_damaged_gzip_file_is_refused() {
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
