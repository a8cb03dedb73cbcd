//! The cookie of a browser session in an answer: giving it out, and taking it back.

use crate::app::{Call, CookieKind, Fields};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::http::{HeaderValue, Response};

/// A cookie that the answer to this request may give out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewCookie {
    kind: CookieKind,
    /// Whether the browser keeps it when it is closed.
    lasting: bool,
}

impl NewCookie {
    /// Refuses pages of other origins, which could log a browser in to an account of theirs, and
    /// connections that others may read.
    pub(crate) fn for_answer(call: &Call<'_>) -> Result<NewCookie, Error> {
        if call.is_cross_origin() {
            return Err(Error::OriginNotAllowed);
        }
        if !call.is_own_page() && !is_no_form(call) {
            let what = "Without the field Origin, the Content-Type must be application/json";
            return Err(Error::BadRequest(what.into()));
        }
        Ok(NewCookie { kind: call.cookie_kind()?, lasting: true })
    }

    /// Returns the same cookie as `remember` in the body wants it: kept when the browser is closed,
    /// unless that is false.
    pub(crate) fn remembered(self, fields: &Fields) -> Result<NewCookie, Error> {
        Ok(NewCookie { lasting: fields.is_on_or("remember", true)?, ..self })
    }

    /// Adds the cookie of a session that expires then.
    pub(crate) fn give(
        self,
        call: &Call<'_>,
        (jti, expires): (&str, Timestamp),
        response: Response,
    ) -> Result<Response, Error> {
        let broken = || Error::Internal("the session's cookie cannot be made".into());
        let value = call.app.cookie_keys.write(jti).ok_or_else(broken)?;
        let seconds = expires.0.saturating_sub(call.now.0);
        if self.kind == CookieKind::Plain && call.app.warnings.plain.is_first() {
            log::warn!(
                "somebody logs in over plain HTTP: whoever is in the same network can take over the \
                 browser session; put a proxy with TLS in front"
            );
        }
        let cookie =
            HeaderValue::new(line(call, self.kind, &value, self.lasting.then_some(seconds)))
                .ok_or_else(broken)?;
        Ok(response.with_value("Set-Cookie", cookie))
    }
}

/// Makes the browser forget the session cookies that the request has.
pub(crate) fn taken_back(call: &Call<'_>, response: Response) -> Response {
    let there = |kind: &CookieKind| call.request.cookie(kind.name()).is_some();
    call.cookie_kinds().filter(there).fold(response, |response, kind| {
        match HeaderValue::new(line(call, kind, "", Some(0))) {
            Some(cookie) => response.with_value("Set-Cookie", cookie),
            None => response,
        }
    })
}

/// Whether a page of another site cannot make a browser send this: it needs leave for a header
/// `Authorization` and for JSON. Some browsers send neither `Origin` nor `Sec-Fetch-Site`.
fn is_no_form(call: &Call<'_>) -> bool {
    let header = |name| call.request.header(name);
    let kind = header("content-type").unwrap_or_default();
    let kind = kind.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
    kind.eq_ignore_ascii_case(b"application/json") || header("authorization").is_some()
}

/// Returns the value of `Set-Cookie`. To take a cookie back takes the attributes that gave it out.
/// Without `seconds`, the cookie goes when the browser is closed.
fn line(call: &Call<'_>, kind: CookieKind, value: &str, seconds: Option<i64>) -> String {
    let name = kind.name();
    let mut line = format!("{name}={value}; Path=/; ");
    if let Some(seconds) = seconds {
        line = line + "Max-Age=" + &seconds.to_string() + "; ";
    }
    line += "HttpOnly; SameSite=Lax";
    if kind != CookieKind::Plain {
        line += "; Secure";
    }
    if let (CookieKind::Domain, Some(domain)) = (kind, &call.app.config.cookie_domain) {
        line = line + "; Domain=" + domain.as_str();
    }
    line
}
