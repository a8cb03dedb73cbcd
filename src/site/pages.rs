//! Answers where there is no route: a page or another file, the methods of a path, or an error.

use super::{Site, cors};
use crate::error::Error;
use crate::http::{Request, Response};

impl Site {
    /// Returns the file or page that a request asks for; the brand is that of the app in use.
    fn page(&self, request: &Request<'_>) -> Result<Option<Response>, Error> {
        self.assets.answer(request, self.app.get().config.brand.as_ref())
    }

    /// Whether a file or a page has the path.
    pub(super) fn has_page(&self, path: &str) -> bool {
        self.assets.has(path, self.app.get().config.brand.as_ref())
    }

    /// Returns a page, or else the answer to `error`, the reason why there is no route.
    pub(super) fn without_route(&self, request: &Request<'_>, error: Error) -> Response {
        let error = match (error, request.method) {
            (Error::NotFound, "GET" | "HEAD") => match self.page(request) {
                Ok(Some(file)) => {
                    let file = file.with("Vary", "Accept-Encoding, Origin");
                    return self.finish_varied(request, file);
                }
                Ok(None) => Error::NotFound,
                Err(error) => error,
            },
            (Error::NotFound, _) if self.has_page(request.path) => {
                Error::MethodNotAllowed { allow: self.allowed(request.path) }
            }
            (error, _) => error,
        };
        let response = match &error {
            Error::MethodNotAllowed { allow } if request.method == "OPTIONS" => {
                cors::options(request, allow)
            }
            error => Response::from(error),
        };
        self.finish(request, response)
    }
}
