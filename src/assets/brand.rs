//! The files of the operator's brand: its style sheet, which every page loads, and its images.

use super::{HASHED, UNHASHED, negotiate};
use crate::config::{Brand, BrandImage, Served};
use crate::http::{HeaderValue, Request, Response};

/// The path of the style sheet, and what the paths of images begin with.
const SHEET: &str = "/brand.css";
const IMAGES: &str = "/brand/";
/// The path of the icon in the document of the pages, without its first slash. It has no ending: an
/// icon may be of any kind.
pub(super) const ICON: &str = "brand/favicon";

/// Cache-Control of the style sheet. Pages wait for it, so browsers show the one that they have, and
/// ask for the next page's meanwhile.
const STALE: &str = "max-age=60, stale-while-revalidate=604800";
/// Content-Security-Policy of the files: an SVG image that somebody opens by itself runs no script and
/// loads nothing.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A file of the brand.
pub(super) enum Found<'b> {
    Sheet(Option<&'b Served>),
    Image(&'b BrandImage),
}

/// The file at a path. The app of the program asks for a style sheet also if there is no brand.
pub(super) fn find<'b>(path: &str, brand: Option<&'b Brand>, embedded: bool) -> Option<Found<'b>> {
    if path == SHEET {
        return (embedded || brand.is_some()).then(|| Found::Sheet(brand.map(Brand::sheet)));
    }
    let image = match path.strip_prefix('/')? {
        ICON => brand?.icon(),
        _ => brand?.image_named(path.strip_prefix(IMAGES)?),
    };
    image.map(Found::Image)
}

/// The response with a file, or a 304 if the client has it.
pub(super) fn answer(request: &Request<'_>, found: Found<'_>) -> Response {
    let (media_type, served, cache) = match found {
        Found::Sheet(served) => ("text/css; charset=utf-8", served, STALE),
        Found::Image(image) => {
            // Pages name an image with its version.
            let version = request.query.and_then(|query| query.strip_prefix("v="));
            let cache = match version == Some(image.served.version.as_str()) {
                true => HASHED,
                false => UNHASHED,
            };
            (image.kind.media_type(), Some(&image.served), cache)
        }
    };
    let version = served.map_or("none", |served| &served.version);
    let etag = format!("\"{version}\"");
    let response = match negotiate::has_current(request.headers("if-none-match"), &etag) {
        true => Response::empty(304),
        false => match served {
            Some(served) => Response::shared(media_type, served.bytes.clone()),
            None => Response::fixed(200, media_type, &b""[..]),
        },
    };
    let response = match HeaderValue::new(etag) {
        Some(etag) => response.with_value("ETag", etag),
        None => response,
    };
    response
        .with("Content-Security-Policy", POLICY)
        .with("Cache-Control", cache)
        .with("Referrer-Policy", "no-referrer")
}
