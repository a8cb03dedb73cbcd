//! `GET /api/protected`: an example of what only users with a good token may read.

use serde::Serialize;

use crate::app::Call;
use crate::error::Error;
use crate::guard::Identity;
use crate::http::Response;

pub(super) fn get(_: &Call<'_>, identity: &Identity) -> Result<Response, Error> {
    #[derive(Serialize)]
    struct Body {
        message: String,
    }
    let message = format!("protected endpoint (allowed usr {})", identity.name());
    Ok(Response::private(&Body { message }))
}
