//! Which logins may wait for a hashing thread, decided before anything is hashed or counted. A
//! stranger's login costs no read of the database here.
//!
//! What is refused here is counted nowhere, so the time of the refusal must not tell whether the name
//! belongs to an account. The account of a typed name is read only if it was logged in to from the
//! client's IP address. Otherwise only the accounts are read whose secrets the client holds.

use zeroize::Zeroizing;

use super::device::DeviceProof;
use crate::app::Call;
use crate::clock::Timestamp;
use crate::guard::Device;
use crate::store::Familiarity;

/// Bytes of a body that are read before it is the request's turn. A name, a password and a code
/// fit in.
const MAX_BODY: usize = 4 * 1024;
/// Accounts of shown devices that are read for one request. A device has the secrets of four; a page
/// of a sibling domain can put others before them.
const MAX_ACCOUNTS: usize = 16;

/// Returns the device that a login comes from, if the account knows it. Reads the database.
pub(crate) fn known_device(call: &Call<'_>) -> Option<Device> {
    let (username, shown) = read(call)?;
    device_of(call, &username, &shown)
}

/// Returns the shown device of the account that the login names, if the account knows it. Reads the
/// accounts of the shown devices, and no other.
fn device_of(call: &Call<'_>, username: &str, shown: &DeviceProof) -> Option<Device> {
    shown.users().take(MAX_ACCOUNTS).find_map(|user| {
        let since = call.app.store.tokens_after(user, username).ok()??;
        shown.known(user, since)
    })
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
    device_of(call, &username, &shown).is_some() || knows_ip(call, &username)
}

/// Whether [`is_familiar`] would read the database to decide. Reads none itself.
pub(crate) fn may_be_familiar(call: &Call<'_>) -> bool {
    let Some((username, shown)) = read(call) else { return false };
    !shown.is_empty() || is_known_ip(call, &username, Timestamp(0))
}

/// Whether the account was logged in to from the client's IP address since all its sessions were
/// ended. Reads the account only if it was logged in to from there at all.
fn knows_ip(call: &Call<'_>, username: &str) -> bool {
    let since = || Some(call.app.store.credentials(username).ok()??.tokens_after);
    is_known_ip(call, username, Timestamp(0))
        && since().is_some_and(|since| is_known_ip(call, username, since))
}

/// Whether somebody has logged in to the account from the client's IP address later than `since`.
fn is_known_ip(call: &Call<'_>, username: &str, since: Timestamp) -> bool {
    let familiarity = call.app.attempts.familiarity(username, call.client_ip(), None, since);
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
