//! The pages: lictor's own app or somebody else's, with the header fields that every file has.
//! Asked when a request has no route. Knows nothing of tokens, users and the database.
//!
//! | file | owns |
//! |---|---|
//! | `path` | what a path asks for |
//! | `negotiate` | what the client has and takes |
//! | `media_type` | which media type a file has |
//! | `embedded` | the app in the program |
//! | `folder` | a folder, and that nothing leaves it |

mod embedded;
mod folder;
mod media_type;
mod negotiate;
mod path;

use std::path::Path;

use crate::config::Web;
use crate::error::{Error, Problem};
use crate::http::{HeaderValue, Request, Response};

use folder::Folder;
use path::PathRequest;

/// What our own documents may do: nothing but what this server gives them.
const APP_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     img-src 'self' data:; connect-src 'self'; font-src 'self'; base-uri 'none'; \
     form-action 'self'; frame-ancestors 'none'";
/// What somebody else's may not, whatever else they do: be framed by other pages, take their
/// addresses from elsewhere, use plug-ins.
const FOLDER_POLICY: &str = "frame-ancestors 'none'; base-uri 'self'; object-src 'none'";
/// A name that changes with the content never has to be asked for again.
const HASHED: &str = "public, max-age=31536000, immutable";
/// Every other name is asked for each time, and answered 304 as long as nothing has changed.
const UNHASHED: &str = "no-cache";

/// Where the pages come from.
#[derive(Debug)]
pub(crate) enum Assets {
    Off,
    Embedded,
    Folder(Folder),
}

/// A file that was found, in the form in which it is sent.
struct File {
    /// With the body.
    response: Response,
    etag: String,
    /// The form is gzip.
    gzip: bool,
    media_type: &'static str,
    /// The name changes with the content.
    hashed: bool,
}

impl Assets {
    /// Looks whether what the configuration names is there, and that what is nobody's business is
    /// not in it.
    pub(crate) fn open(web: &Web, private: &[&Path]) -> Result<Assets, Problem> {
        match web {
            Web::Off => Ok(Assets::Off),
            Web::Embedded => Ok(Assets::Embedded),
            Web::Folder(path) => Folder::open(path, private).map(Assets::Folder),
        }
    }

    /// For people.
    #[cfg_attr(not(feature = "cli"), allow(dead_code))] // Only the CLI asks.
    pub(crate) fn describe(&self) -> String {
        match self {
            Assets::Off => "off".into(),
            Assets::Embedded => "the app in the program".into(),
            Assets::Folder(folder) => folder.path().display().to_string(),
        }
    }

    /// The answer to a GET or HEAD, if there is a file or a page for its path.
    pub(crate) fn answer(&self, request: &Request<'_>) -> Result<Option<Response>, Error> {
        let Some(wanted) = PathRequest::parse(request.path) else { return Ok(None) };
        let gzip = negotiate::takes_gzip(request.headers("accept-encoding"));
        let found = self.find(&wanted, gzip)?;
        Ok(found.map(|file| dressed(request, file, self.policy())))
    }

    /// Whether there is a file or a page for a path.
    pub(crate) fn has(&self, path: &str) -> bool {
        PathRequest::parse(path)
            .is_some_and(|wanted| matches!(self.find(&wanted, false), Ok(Some(_))))
    }

    fn find(&self, wanted: &PathRequest<'_>, gzip: bool) -> Result<Option<File>, Error> {
        match self {
            Assets::Off => Ok(None),
            Assets::Embedded => embedded::find(&wanted.path, wanted.page, gzip),
            Assets::Folder(folder) => {
                let found = folder.find(&wanted.path, wanted.page, gzip)?;
                Ok(found.map(|file| File { hashed: wanted.is_hashed(), ..file }))
            }
        }
    }

    fn policy(&self) -> &'static str {
        match self {
            Assets::Folder(_) => FOLDER_POLICY,
            Assets::Off | Assets::Embedded => APP_POLICY,
        }
    }
}

/// The response, or that the client has it already. That one carries the policy too: it is not
/// part of the file, and a new release may have another.
fn dressed(request: &Request<'_>, file: File, policy: &'static str) -> Response {
    let response = match negotiate::has(request.headers("if-none-match"), &file.etag) {
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
