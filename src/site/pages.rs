//! Answers where there is no route: a page or another file, the methods of a path, or an error.

use super::{Site, cors};
use crate::error::Error;
use crate::http::{Request, Response};

impl Site {
    /// Returns a page, or else the answer to `error`, the reason why there is no route.
    pub(super) fn without_route(&self, request: &Request<'_>, error: Error) -> Response {
        let error = match (error, request.method) {
            (Error::NotFound, "GET" | "HEAD") => match self.assets.answer(request) {
                Ok(Some(file)) => {
                    let file = file.with("Vary", "Accept-Encoding, Origin");
                    return self.finish_varied(request, file);
                }
                Ok(None) => Error::NotFound,
                Err(error) => error,
            },
            (Error::NotFound, _) if self.assets.has(request.path) => {
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
