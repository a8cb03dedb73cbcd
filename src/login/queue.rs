//! Which logins may wait for a hashing thread, decided before anything is hashed or counted. A
//! stranger's login costs no read of the database here.

use zeroize::Zeroizing;

use super::device::DeviceProof;
use crate::app::Call;
use crate::clock::Timestamp;
use crate::guard::Device;
use crate::store::Familiarity;

/// Bytes of a body that are read before it is the request's turn. A name, a password and a code
/// fit in.
const MAX_BODY: usize = 4 * 1024;

/// Returns the device that a login comes from, if the account knows it. Reads the database.
pub(crate) fn known_device(call: &Call<'_>) -> Option<Device> {
    let (username, shown) = read(call)?;
    if shown.is_empty() {
        return None;
    }
    let found = call.app.store.credentials(&username).ok()??;
    shown.known(found.person.id, found.tokens_after)
}

/// Returns the device that a login shows first. Reads no database: the secret's signature is good,
/// but the secret may be that of another account, or void since all sessions of its user were ended.
pub(crate) fn shown_device(call: &Call<'_>) -> Option<Device> {
    let (_, shown) = read(call)?;
    shown.first()
}

/// Whether a login comes from a device that its account knows, or from an IP address from which
/// somebody has logged in to the account. Reads the database.
pub(crate) fn is_familiar(call: &Call<'_>) -> bool {
    let Some((username, shown)) = read(call) else { return false };
    if !may_know(call, &username, &shown) {
        return false;
    }
    // A device of another account must not get a place in the queue.
    call.app.store.credentials(&username).ok().flatten().is_some_and(|found| {
        let device = shown.known(found.person.id, found.tokens_after);
        knows(call, &username, device.as_ref(), found.tokens_after)
    })
}

/// Whether [`is_familiar`] would read the database to decide. Reads none itself.
pub(crate) fn may_be_familiar(call: &Call<'_>) -> bool {
    read(call).is_some_and(|(username, shown)| may_know(call, &username, &shown))
}

fn may_know(call: &Call<'_>, username: &str, shown: &DeviceProof) -> bool {
    !shown.is_empty() || knows(call, username, None, Timestamp(0))
}

/// Whether an account knows the client of a login, by `device` or by its IP address.
fn knows(call: &Call<'_>, username: &str, device: Option<&Device>, since: Timestamp) -> bool {
    let familiarity = call.app.attempts.familiarity(username, call.client_ip(), device, since);
    familiarity != Familiarity::Stranger
}

/// The name of a login, and the devices that it shows.
fn read(call: &Call<'_>) -> Option<(Zeroizing<String>, DeviceProof)> {
    if call.request.body.len() > MAX_BODY {
        return None;
    }
    let mut fields = call.fields().ok()?;
    let username = fields.text("username").ok()?;
    let device = fields.optional("device").ok()?;
    Some((username, DeviceProof::of(call, device.as_ref())))
}
