//! The media type of a file, by its name. Responses have `nosniff`, so browsers download a file whose
//! type is missing here.

/// Media types by extension, sorted.
const TYPES: &[(&str, &str)] = &[
    ("aac", "audio/aac"),
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("css", "text/css; charset=utf-8"),
    ("csv", "text/csv; charset=utf-8"),
    ("flac", "audio/flac"),
    ("gif", "image/gif"),
    ("gz", "application/gzip"),
    ("htm", "text/html; charset=utf-8"),
    ("html", "text/html; charset=utf-8"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("js", "text/javascript; charset=utf-8"),
    ("json", "application/json"),
    ("jsonld", "application/ld+json"),
    ("jxl", "image/jxl"),
    ("m4a", "audio/mp4"),
    ("map", "application/json"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("mp3", "audio/mpeg"),
    ("mp4", "video/mp4"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("ogv", "video/ogg"),
    ("opus", "audio/ogg"),
    ("otf", "font/otf"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("rss", "application/rss+xml"),
    ("svg", "image/svg+xml"),
    ("ttf", "font/ttf"),
    ("txt", "text/plain; charset=utf-8"),
    ("vtt", "text/vtt; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("webm", "video/webm"),
    ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xhtml", "application/xhtml+xml"),
    ("xml", "application/xml"),
    ("zip", "application/zip"),
];

/// Length of the longest extension, in bytes.
const MAX_EXTENSION: usize = 11;

/// The media type of a path; `application/octet-stream` if the extension is unknown.
pub(super) fn of(path: &str) -> &'static str {
    let name = path.rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if extension.len() <= MAX_EXTENSION {
        let extension = extension.to_ascii_lowercase();
        if let Ok(at) = TYPES.binary_search_by(|(known, _)| (*known).cmp(&extension)) {
            return TYPES[at].1;
        }
    }
    "application/octet-stream"
}

/// Whether browsers run scripts inside a document of this type.
pub(super) fn is_document(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default();
    matches!(essence, "text/html" | "application/xhtml+xml" | "image/svg+xml" | "application/xml")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types() {
        assert!(TYPES.is_sorted_by(|a, b| a.0 < b.0), "binary search needs them sorted");
        assert_eq!(TYPES.iter().map(|(extension, _)| extension.len()).max(), Some(MAX_EXTENSION));
        for (path, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b.c/x.JS", "text/javascript; charset=utf-8"),
            ("x.js.map", "application/json"),
            ("manifest.webmanifest", "application/manifest+json"),
            ("x.webmanifestx", "application/octet-stream"),
            ("a.css/LICENSE", "application/octet-stream"),
            ("x.exe", "application/octet-stream"),
            ("x.", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }

    #[test]
    fn documents() {
        for (path, expected) in
            [("x.html", true), ("x.svg", true), ("x.xml", true), ("x.js", false), ("x.json", false)]
        {
            assert_eq!(is_document(of(path)), expected, "{path}");
        }
    }
}
