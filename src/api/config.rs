//! `GET /api/config`: what this server offers, so that pages show nothing else.

use serde::Serialize;

use crate::app::Call;
use crate::config::{Brand, BrandImage, BrandRole};
use crate::error::Error;
use crate::http::Response;
use crate::link::PageUrl;

#[derive(Serialize)]
struct Body<'a> {
    registration: &'static str,
    mail: bool,
    issuer: &'a str,
    min_password_length: usize,
    /// Whether the web app asks for the cookie of a browser session at each login.
    cookie: bool,
    /// Whether there is no administrator yet.
    setup: bool,
    /// Where people go on after a login.
    home_url: Option<&'a str>,
    brand: BrandBody<'a>,
}

/// The looks of an operator's own; without a brand, nothing.
#[derive(Serialize, Default)]
struct BrandBody<'a> {
    logo: Option<String>,
    logo_dark: Option<String>,
    accent: Option<String>,
    accent_dark: Option<String>,
    imprint: Option<&'a str>,
    privacy: Option<&'a str>,
}

impl BrandBody<'_> {
    fn of(brand: &Brand) -> BrandBody<'_> {
        let url = |role| brand.image(role).map(BrandImage::url);
        let accent = brand.accent();
        BrandBody {
            logo: url(BrandRole::Logo),
            logo_dark: url(BrandRole::DarkLogo),
            accent: accent.map(|accent| accent.light.accent.to_string()),
            accent_dark: accent.map(|accent| accent.dark.accent.to_string()),
            imprint: brand.imprint(),
            privacy: brand.privacy(),
        }
    }
}

pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    // Without the database, nobody could make one either.
    let setup = call.app.needs_admin().unwrap_or(false);
    let body = Body {
        registration: call.app.config.registration.name(),
        mail: call.app.config.sends_mail(),
        issuer: call.app.config.service().as_str(),
        min_password_length: call.app.password_rules.min_length(),
        cookie: call.app.config.wants_cookie(),
        setup,
        home_url: call.app.config.home_url.as_ref().map(PageUrl::as_str),
        brand: call.app.config.brand.as_ref().map(BrandBody::of).unwrap_or_default(),
    };
    Ok(Response::json(200, &body).with("Cache-Control", "no-cache"))
}
