//! `GET /api/apps`: the apps behind the proxy that the user may open.

use serde::Serialize;

use super::admission::visitor;
use crate::access::{Outcome, Path};
use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;
use crate::link::PageUrl;

#[derive(Serialize)]
struct App<'a> {
    host: &'a str,
    url: String,
}

/// Answers with the hosts that the access rules name and whose first page the user may open; with
/// none if there are no rules. A rule for all hosts below a domain names no host.
pub(super) fn get(call: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body<'a> {
        apps: Vec<App<'a>>,
    }
    let config = &call.app.config;
    let mut apps = Vec::new();
    if let Some(rules) = &config.access {
        let (own, user) = (config.public_url.as_ref(), visitor(identity));
        let (scheme, port) = own.map_or(("https", ""), PageUrl::scheme_and_port);
        for (host, below) in rules.hosts() {
            let is_own = own.is_some_and(|url| url.host().eq_ignore_ascii_case(host));
            if below || is_own {
                continue;
            }
            if rules.judge(host, &Path::of(b"/"), Some(&user)).outcome <= Outcome::Allowed {
                // Few: the library's sort would be several kB of code for this type.
                let place = apps.partition_point(|app: &App<'_>| app.host < host);
                apps.insert(place, App { host, url: [scheme, "://", host, port, "/"].concat() });
            }
        }
    }
    Ok(Response::private(&Body { apps }))
}
