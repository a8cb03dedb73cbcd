//! `GET /api/admin/checklist`: the settings that somebody looks at after the first start.

use serde::Serialize;

use crate::app::Call;
use crate::error::Error;
use crate::guard::Admin;
use crate::http::Response;
use crate::link::PageUrl;

#[derive(Serialize)]
struct Body<'a> {
    issuer: &'a str,
    /// Whether that is the name which lictor gives itself.
    default_issuer: bool,
    registration: &'static str,
    mail: bool,
    public_url: Option<&'a str>,
    /// The administrator's own address.
    email: Option<String>,
    /// Whether the administrator has a second factor.
    second_factor: bool,
    /// The kind of database: its backup is made with a command of its own.
    database: &'static str,
}

pub(in crate::api) fn get(call: &Call<'_>, admin: &Admin) -> Result<Response, Error> {
    let config = &call.app.config;
    let own = call.app.store.account_of(admin.identity().id())?.ok_or(Error::MissingUser)?;
    Ok(Response::private(&Body {
        issuer: config.issuer.as_str(),
        default_issuer: config.issuer.is_default(),
        registration: config.registration.name(),
        mail: config.sends_mail(),
        public_url: config.public_url.as_ref().map(PageUrl::as_str),
        email: own.email,
        second_factor: own.second_factor,
        database: if config.database.is_shared() { "postgres" } else { "sqlite" },
    }))
}
