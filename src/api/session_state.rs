//! `GET /api/session`: who is logged in in this browser, and whether the login page may bring somebody
//! back to a URL. Takes a cookie or a token; a URL is never an error.

use serde::Serialize;

use super::admission::visitor;
use super::query::Query;
use crate::access::Outcome;
use crate::access::returning::{Page, Returning};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;

#[derive(Serialize)]
struct Answer<'a> {
    user: Option<User<'a>>,
    #[serde(rename = "return")]
    back: Option<Back<'a>>,
    /// Why nobody can be sent there, or why not this user.
    problem: Option<&'static str>,
}

#[derive(Serialize)]
struct User<'a> {
    id: i64,
    name: &'a str,
}

#[derive(Serialize)]
struct Back<'a> {
    url: &'a str,
    /// Empty for a page of this server.
    host: &'a str,
    allowed: bool,
}

pub(super) fn get(call: &Call<'_>, who: Result<Identity, Error>) -> Result<Response, Error> {
    let user = who.ok();
    // What cannot be read as a query is no good as a URL either.
    let query = Query::of(call.request, &["return"]);
    let url = match &query {
        Ok(query) => query.text("return"),
        Err(_) => Some(""),
    };
    let (mut back, mut problem) = (None, None);
    if let Some(url) = url {
        match returning(call).page(url) {
            None => problem = Some("address"),
            Some(page) => {
                problem = obstacle(call, &page, user.as_ref())?;
                let host = page.host.unwrap_or_default();
                back = Some(Back { url, host, allowed: user.is_some() && problem.is_none() });
            }
        }
    }
    let user = user.as_ref().map(|user| User { id: user.id(), name: user.name() });
    Ok(Response::private(&Answer { user, back, problem }))
}

fn returning<'a>(call: &Call<'a>) -> Returning<'a> {
    let config = &call.app.config;
    Returning {
        public_url: config.public_url.as_ref(),
        cookie_domain: config.cookie_domain.as_ref().map(|domain| domain.as_str()),
        rules: config.access.as_ref(),
    }
}

/// Returns why a user may not open a page, as far as this server decides. The roles that a proxy asks
/// for in its query are not known here.
fn obstacle(
    call: &Call<'_>,
    page: &Page<'_>,
    user: Option<&Identity>,
) -> Result<Option<&'static str>, Error> {
    let (Some(user), Some(host)) = (user, page.host) else { return Ok(None) };
    match call.app.check_second_factor(user) {
        Err(Error::SecondFactorMissing) => return Ok(Some("second-factor")),
        checked => checked?,
    }
    let config = &call.app.config;
    let own = config.public_url.as_ref().is_some_and(|url| url.host().eq_ignore_ascii_case(host));
    let allowed = match (&config.access, &config.access_role) {
        (Some(rules), _) if own && !rules.knows(host) => true,
        (Some(rules), _) => {
            rules.judge(host, &page.path, Some(&visitor(user))).outcome <= Outcome::Allowed
        }
        (None, Some(role)) => user.roles().contains(role),
        (None, None) => true,
    };
    Ok((!allowed).then_some("role"))
}
