//! `GET /api/forward-auth`: as `GET /api/verify`, for proxies that hand the answer on to the client
//! (`forward_auth` of Caddy, `forwardAuth` of Traefik). A browser that opens a page without a login is
//! sent to the login page, which brings it back.

use lictor_engine::http::percent::encoded;

use super::verify::{answer, challenge};
use crate::app::{Call, Wanted};
use crate::error::Error;
use crate::guard::Identity;
use crate::http::{HeaderValue, Response};
use crate::link::PageUrl;
use crate::login;

/// Maximum length of a URL to which the login page brings somebody back, in bytes.
const MAX_RETURN: usize = 2_048;

pub(super) fn get(call: &Call<'_>, who: Result<Identity, Error>) -> Result<Response, Error> {
    let wanted = call.wanted()?;
    answer(call, &wanted, who).or_else(|refused| {
        let page = if refused.login_helps { login_page(call, &wanted) } else { None };
        match page {
            Some(page) => Ok(redirect(call, &refused.error, page)),
            None => challenge(call, refused.error),
        }
    })
}

/// Returns the URL of the login page that leads back to what is wanted; `None` if that is no page, or
/// nobody knows where the login page is.
fn login_page(call: &Call<'_>, wanted: &Wanted<'_>) -> Option<HeaderValue> {
    let public_url = call.app.config.public_url.as_ref();
    let https = public_url.is_some_and(|url| url.as_str().starts_with("https://"));
    let url = wanted.page(call.request, https)?;
    let Some(public_url) = public_url else {
        if call.app.warnings.nowhere.is_due(call.now) {
            log::warn!(
                "a browser is refused instead of being sent to the login page, because the setting \
                 `public_url` does not say where that is"
            );
        }
        return None;
    };
    // Of a page whose URL is too long, people come back to the first page of its host.
    let end = url.match_indices('/').nth(2).filter(|_| url.len() > MAX_RETURN);
    let url = url.get(..end.map_or(url.len(), |(at, _)| at + 1))?;
    let encoded = encoded(url, b"-._~");
    HeaderValue::new(public_url.below(PageUrl::LOGIN).with("return", &encoded))
}

fn redirect(call: &Call<'_>, error: &Error, page: HeaderValue) -> Response {
    let response = Response::empty(302).with_value("Location", page);
    let response = response.with("Cache-Control", "no-store");
    match error {
        Error::SessionEnded => login::cookie::taken_back(call, response),
        _ => response,
    }
}
