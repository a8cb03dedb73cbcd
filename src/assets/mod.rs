//! The pages, for requests without a route: the built-in web app or a folder, with the header fields
//! of each file. Knows no token, user or database.
//!
//! | file | owns |
//! |---|---|
//! | `path` | the file or page that a path requests |
//! | `negotiate` | `If-None-Match` and `Accept-Encoding` |
//! | `media_type` | the media type of a file, by its name |
//! | `embedded` | the built-in web app |
//! | `brand` | the files of the operator's brand |
//! | `folder` | the files of a folder, and of nothing outside it |

mod brand;
#[cfg(feature = "web-app")]
mod embedded;
mod folder;
mod media_type;
pub(crate) mod negotiate;
mod path;

use std::path::PathBuf;

use crate::config::{Brand, Web};
use crate::error::{Error, Problem};
use crate::http::{HeaderValue, Request, Response};

use folder::Folder;
use path::PathRequest;

/// Content-Security-Policy of the built-in app: its documents load from this server alone.
const APP_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";
/// Content-Security-Policy of a folder: its documents are not framed by other pages, have no foreign
/// `<base>`, and use no plug-ins.
const FOLDER_POLICY: &str = "frame-ancestors 'none'; base-uri 'self'; object-src 'none'";
/// Cache-Control for a name that changes with the content: caches keep the file without revalidation.
const HASHED: &str = "public, max-age=31536000, immutable";
/// Cache-Control for any other name: caches revalidate each time, and get a 304 while it is unchanged.
const UNHASHED: &str = "no-cache";

/// The source of the pages.
#[derive(Debug)]
pub(crate) enum Assets {
    Off,
    #[cfg(feature = "web-app")]
    Embedded,
    Folder(Folder),
}

/// A file in the form in which it is sent.
struct File {
    /// 200 with the body and its type.
    response: Response,
    etag: String,
    /// Whether the body is compressed with gzip.
    gzip: bool,
    media_type: &'static str,
    /// Whether the name changes with the content.
    hashed: bool,
}

impl Assets {
    /// Opens the pages that the configuration names. Refuses a folder without an app, and one that
    /// contains a private file.
    pub(crate) fn open(web: &Web, private: &[PathBuf]) -> Result<Assets, Problem> {
        match web {
            Web::Off => Ok(Assets::Off),
            #[cfg(feature = "web-app")]
            Web::Embedded => Ok(Assets::Embedded),
            Web::Folder(path) => Folder::open(path, private).map(Assets::Folder),
        }
    }

    /// The source as text for people.
    #[cfg(feature = "cli")]
    pub(crate) fn describe(&self) -> String {
        match self {
            Assets::Off => "off".into(),
            #[cfg(feature = "web-app")]
            Assets::Embedded => "the built-in web app".into(),
            Assets::Folder(folder) => folder.path().display().to_string(),
        }
    }

    /// The response to a GET or HEAD; `None` if no file or page has its path.
    pub(crate) fn answer(
        &self,
        request: &Request<'_>,
        brand: Option<&Brand>,
    ) -> Result<Option<Response>, Error> {
        if let Some(found) = brand::find(request.path, brand, self.is_embedded()) {
            return Ok(Some(brand::answer(request, found)));
        }
        let Some(requested) = PathRequest::parse(request.path) else { return Ok(None) };
        let gzip = negotiate::accepts_gzip(request.headers("accept-encoding"));
        let found = self.find(&requested, gzip)?;
        Ok(found.map(|file| with_headers(request, file, self.policy())))
    }

    /// Whether a file or a page has the path.
    pub(crate) fn has(&self, path: &str, brand: Option<&Brand>) -> bool {
        brand::find(path, brand, self.is_embedded()).is_some()
            || PathRequest::parse(path)
                .is_some_and(|requested| matches!(self.find(&requested, false), Ok(Some(_))))
    }

    fn find(&self, requested: &PathRequest<'_>, gzip: bool) -> Result<Option<File>, Error> {
        match self {
            Assets::Off => Ok(None),
            #[cfg(feature = "web-app")]
            // The icon of the pages, as long as no brand has one.
            Assets::Embedded if requested.path == brand::ICON => {
                embedded::find("favicon.svg", false, gzip)
            }
            #[cfg(feature = "web-app")]
            Assets::Embedded => embedded::find(&requested.path, requested.page, gzip),
            Assets::Folder(folder) => {
                let found = folder.find(&requested.path, requested.page, gzip)?;
                Ok(found.map(|file| File { hashed: requested.is_hashed(), ..file }))
            }
        }
    }

    /// Whether the pages are those of the program.
    fn is_embedded(&self) -> bool {
        !matches!(self, Assets::Off | Assets::Folder(_))
    }

    fn policy(&self) -> &'static str {
        if matches!(self, Assets::Folder(_)) { FOLDER_POLICY } else { APP_POLICY }
    }
}

/// The response with the header fields of a file, or a 304 if the client has the file. The 304 has the
/// policy too, because a new release may change the policy without changing the file.
fn with_headers(request: &Request<'_>, file: File, policy: &'static str) -> Response {
    let response = match negotiate::has_current(request.headers("if-none-match"), &file.etag) {
        true => Response::empty(304),
        false if file.gzip => file.response.with("Content-Encoding", "gzip"),
        false => file.response,
    };
    let response = match HeaderValue::new(file.etag) {
        Some(etag) => response.with_value("ETag", etag),
        None => response,
    };
    let response = match media_type::is_document(file.media_type) {
        true => response.with("Content-Security-Policy", policy),
        false => response,
    };
    response
        .with("Cache-Control", if file.hashed { HASHED } else { UNHASHED })
        .with("Referrer-Policy", "no-referrer")
}
