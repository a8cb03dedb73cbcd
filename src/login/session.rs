//! The session that begins with a login, and the answer that has its token.

use serde::Serialize;

use super::device::{self, DeviceProof};
use crate::app::{App, Call, Caller, Fields};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{AudienceSet, Device, SessionClaims};
use crate::http::Response;
use crate::store::NewSession;

/// Returns the only audience that a token is to have, if the request names one in `audience`.
pub(crate) fn audience(app: &App, fields: &mut Fields) -> Result<Option<AudienceSet>, Error> {
    let unknown = || Error::BadRequest("audience: this server has none of this name".into());
    let name = fields.optional("audience")?;
    name.map(|name| app.tokens.audience(&name).ok_or_else(unknown)).transpose()
}

/// Returns the session that `login` names, as the store keeps it.
pub(crate) fn new_session<'a>(login: &'a SessionClaims, caller: &'a Caller) -> NewSession<'a> {
    NewSession {
        jti: &login.jti,
        issued: login.iat,
        expires: login.rf_exp,
        origin: caller.client_info(),
        notice: false,
        cookie: false,
    }
}

/// Returns the answer to a request that has begun a session of `user`: `body`, and the secret by
/// which the device is known from now on, in the field `device` if the request had one, or else as
/// a cookie. `known` is the device if the account knew it before. `now` is
/// [after](Timestamp::after) the time that made all earlier secrets void.
pub(crate) fn begun(
    call: &Call<'_>,
    shown: &DeviceProof,
    (user, known): (i64, Option<Device>),
    body: &impl Serialize,
    now: Timestamp,
) -> Response {
    #[derive(Serialize)]
    struct WithDevice<'a, B> {
        #[serde(flatten)]
        body: &'a B,
        device: &'a str,
    }
    match shown.renewed(call, user, known, now) {
        Ok(device) if shown.is_in_body() => {
            Response::private(&WithDevice { body, device: &device })
        }
        Ok(device) => device::with_cookie(call, &device, Response::private(body)),
        // Without randomness there is no secret, and the login counts all the same.
        Err(_) => Response::private(body),
    }
}
