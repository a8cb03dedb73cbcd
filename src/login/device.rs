//! The secrets by which a browser or a program is known as a device that has logged in before: how
//! a request shows them, and how the answer returns them.

use zeroize::Zeroizing;

use crate::app::Call;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{DEVICE_LIFESPAN, Device, Devices};
use crate::http::{HeaderValue, Response};

/// The cookie with the secrets of a browser.
const COOKIE: &str = "lictor_device";
/// All endpoints that begin a session are below it: each adds its user to those that the browser
/// knows already.
const COOKIE_PATH: &str = "/api/";

/// The devices that a request shows, and where its answer returns their secrets.
pub(crate) struct DeviceProof {
    devices: Devices,
    place: Place,
}

/// Where the answer has the secrets.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// In a cookie, where the request had them, if it had any.
    Cookie,
    /// In the field `device`, where the request had them: the client keeps them itself.
    Field,
    /// In the field, which was empty in the request. The secrets of a cookie do not go there:
    /// scripts cannot read that cookie.
    NewField,
}

impl DeviceProof {
    /// Reads the field `device` of the body if it holds something, or else the cookie: a link in a
    /// mail is opened without a field. There may be several cookies of the name, since pages of
    /// sibling domains can set some.
    pub(crate) fn of(call: &Call<'_>, field: Option<&Zeroizing<String>>) -> DeviceProof {
        let keys = &call.app.device_keys;
        let place = match field {
            None => Place::Cookie,
            Some(text) if text.is_empty() => Place::NewField,
            Some(text) => {
                let devices = keys.read(text.as_bytes(), call.now);
                return DeviceProof { devices, place: Place::Field };
            }
        };
        let devices = keys.read_all(call.request.cookies(COOKIE), call.now);
        DeviceProof { devices, place }
    }

    /// Whether the request shows no device.
    pub(crate) fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Returns the first device that the request shows, whatever account it is of.
    pub(crate) fn first(&self) -> Option<Device> {
        self.devices.first()
    }

    /// Returns the users whose devices the request shows.
    pub(super) fn users(&self) -> impl Iterator<Item = i64> {
        self.devices.users()
    }

    /// Returns the device that `user` knows. `since` is the time up to which all sessions of the
    /// user were ended, such as by a new password: that makes devices strangers as well.
    pub(crate) fn known(&self, user: i64, since: Timestamp) -> Option<Device> {
        self.devices.of(user, since)
    }

    /// Returns the secrets after a login of `user`, as text; see [`Devices::renewed`].
    pub(super) fn renewed(
        &self,
        call: &Call<'_>,
        user: i64,
        known: Option<Device>,
        now: Timestamp,
    ) -> Result<String, Error> {
        let devices = match self.place {
            Place::NewField => Devices::default().renewed(user, None, now),
            Place::Cookie | Place::Field => self.devices.renewed(user, known, now),
        };
        Ok(call.app.device_keys.write(&devices?))
    }

    /// Whether the answer has the secrets in the field `device` of its body.
    pub(super) fn is_in_body(&self) -> bool {
        self.place != Place::Cookie
    }
}

/// Adds the cookie with the secrets to an answer. A page of another origin gets none: it could put
/// its own account in the place of the users that the browser knows.
pub(super) fn with_cookie(call: &Call<'_>, device: &str, response: Response) -> Response {
    if call.is_cross_origin() {
        return response;
    }
    let secure = if call.is_https() { "; Secure" } else { "" };
    let cookie = format!(
        "{COOKIE}={device}; Path={COOKIE_PATH}; Max-Age={DEVICE_LIFESPAN}; HttpOnly; \
         SameSite=Lax{secure}"
    );
    match HeaderValue::new(cookie) {
        Some(cookie) => response.with_value("Set-Cookie", cookie),
        None => response,
    }
}
