//! The secret of a device, by which an account knows the device after a login. It grants no access:
//! the throttle counts a client that shows one apart from strangers, at the secret's account only.
//! Knows no request, no store and no clock.
//!
//! The server keeps no copy. A secret is `base64url(user, time, number, MAC)`; the MAC key is
//! derived from a key of the ring, so a secret survives restarts, and key rotations until the key
//! is retired.

use std::hash::{Hash, Hasher};

use hmac::Mac as _;

use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::derived::{DerivedKey, derive};
use crate::guard::seconds;
use crate::guard::token::base64url;
use crate::keys::Keys;
use crate::values::random;

/// Lifespan of a secret, and of the cookie that holds it, in seconds. Each login renews it.
pub(crate) const LIFESPAN: i64 = 365 * 24 * 3_600;

/// The MAC key is the HMAC of this text under a key of the ring. No token begins with it.
const PURPOSE: &[u8] = b"lictor device secret";

/// Maximum number of secrets of one device: one for each of the users who logged in last.
const MAX_USERS: usize = 4;

/// Maximum number of lists that are read from one request.
const MAX_LISTS: usize = 64;

/// A random number, different for each device of a user.
type Number = [u8; 12];

const USER: usize = 8;
const TIME: usize = 4;
const SIGNED: usize = USER + TIME + size_of::<Number>();
/// Bytes of the MAC: half an HMAC-SHA-256, as RFC 2104 section 5 allows.
const MAC: usize = 16;
/// Characters of a secret.
const TEXT: usize = (SIGNED + MAC).div_ceil(3) * 4 - 2;

/// A device that has logged in to one user's account. Has no `Debug`, which would show all that the
/// secret is made of but its MAC.
#[derive(Clone, Copy)]
pub struct Device {
    user: i64,
    issued: u32,
    number: Number,
}

impl Device {
    fn new(user: i64, now: Timestamp) -> Result<Device, Error> {
        Ok(Device { user, issued: seconds(now), number: random()? })
    }

    fn bytes(&self) -> [u8; SIGNED] {
        let mut bytes = [0; SIGNED];
        bytes[..USER].copy_from_slice(&self.user.to_be_bytes());
        bytes[USER..USER + TIME].copy_from_slice(&self.issued.to_be_bytes());
        bytes[USER + TIME..].copy_from_slice(&self.number);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Device> {
        let (user, rest) = bytes.split_first_chunk::<USER>()?;
        let (issued, number) = rest.split_first_chunk::<TIME>()?;
        Some(Device {
            user: i64::from_be_bytes(*user),
            issued: u32::from_be_bytes(*issued),
            number: number.try_into().ok()?,
        })
    }

    /// Returns a number that is different for each device.
    pub(crate) fn id(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.number;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    /// Returns whether the secret has expired.
    fn is_expired(&self, now: Timestamp) -> bool {
        i64::from(self.issued).saturating_add(LIFESPAN) < now.0
    }
}

/// Two secrets of one device are the same key for the throttle: each login renews the time.
impl Hash for Device {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.user, self.number).hash(state);
    }
}

/// The valid secrets of one device, each of another user. After a login, its user's comes first.
#[derive(Clone, Default)]
pub struct Devices(Vec<Device>);

impl Devices {
    /// Returns whether there is no secret.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the device of the first secret.
    pub fn first(&self) -> Option<Device> {
        self.0.first().copied()
    }

    /// Returns the users of the secrets, in their order.
    pub fn users(&self) -> impl Iterator<Item = i64> {
        self.0.iter().map(|device| device.user)
    }

    /// Returns the device of this user, if its secret was issued later than `since`.
    pub fn of(&self, user: i64, since: Timestamp) -> Option<Device> {
        let valid = |device: &&Device| device.user == user && i64::from(device.issued) > since.0;
        self.0.iter().find(valid).copied()
    }

    /// Returns the secrets after a login of `user`. The user's comes first: `known` with a new time
    /// if the account knew the device, else a new one. `now` is [after](Timestamp::after) the event
    /// that made all earlier secrets of the user void.
    pub fn renewed(
        &self,
        user: i64,
        known: Option<Device>,
        now: Timestamp,
    ) -> Result<Devices, Error> {
        let first = match known {
            Some(known) => Device { issued: seconds(now), ..known },
            None => Device::new(user, now)?,
        };
        let others = self.0.iter().filter(|other| other.user != user).copied();
        Ok(Devices(std::iter::once(first).chain(others).take(MAX_USERS).collect()))
    }
}

/// Makes and reads secrets, with keys that are derived from the ring.
pub struct DeviceKeys(Vec<DerivedKey>);

impl DeviceKeys {
    /// Derives the keys. The newest key of the ring signs; all of them verify.
    pub fn new(keys: &Keys) -> Result<DeviceKeys, Error> {
        derive(keys, PURPOSE).map(DeviceKeys)
    }

    /// Reads the secrets of a list that [`DeviceKeys::write`] has made. Invalid ones are skipped,
    /// and no more are read than a list can have.
    pub fn read(&self, list: &[u8], now: Timestamp) -> Devices {
        self.read_all(std::iter::once(list), now)
    }

    /// Reads the secrets of several lists, of the first [`MAX_LISTS`]. A page that can set a
    /// cookie in the browser, such as one of a sibling domain, can put lists before ours.
    pub fn read_all<'a>(&self, lists: impl Iterator<Item = &'a [u8]>, now: Timestamp) -> Devices {
        let mut found: Vec<Device> = Vec::new();
        let texts = |list: &'a [u8]| list.split(|&b| b == b'.').take(MAX_USERS);
        for text in lists.take(MAX_LISTS).flat_map(texts) {
            // Of one user's secrets the newest counts: an old one must not hide it.
            if let Some(device) = self.device(text).filter(|device| !device.is_expired(now)) {
                match found.iter_mut().find(|other| other.user == device.user) {
                    Some(other) if other.issued < device.issued => *other = device,
                    Some(_) => {}
                    None => found.push(device),
                }
            }
        }
        // Not cut to MAX_USERS: four users in a list before ours would hide ours.
        Devices(found)
    }

    /// Returns the list as a cookie or a field holds it.
    pub fn write(&self, devices: &Devices) -> String {
        let texts: Vec<_> = devices.0.iter().filter_map(|device| self.text(device)).collect();
        texts.join(".")
    }

    fn device(&self, text: &[u8]) -> Option<Device> {
        if text.len() != TEXT {
            return None;
        }
        let bytes = base64url::decode(text).ok()?;
        let (signed, mac) = bytes.split_at_checked(SIGNED)?;
        // Compares in constant time.
        let verify = |key: &DerivedKey| key.clone().chain_update(signed).verify_truncated_left(mac);
        self.0.iter().any(|key| verify(key).is_ok()).then(|| Device::from_bytes(signed))?
    }

    fn text(&self, device: &Device) -> Option<String> {
        let mut bytes = device.bytes().to_vec();
        // A ring is never empty, so there is a first key.
        let mac = self.0.first()?.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac[..MAC]);
        Some(base64url::encode(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Algorithm, Secret};

    const NOW: Timestamp = Timestamp(1_800_000_000);

    fn ring(byte: u8) -> Keys {
        Keys::from(Secret::new([byte; 32]).unwrap())
    }

    fn keys(byte: u8) -> DeviceKeys {
        DeviceKeys::new(&ring(byte)).unwrap()
    }

    /// Returns the list of a device that logs in to these accounts, one after the other.
    fn list(keys: &DeviceKeys, users: &[i64]) -> String {
        let mut devices = Devices::default();
        for &user in users {
            let known = devices.of(user, Timestamp(0));
            devices = devices.renewed(user, known, NOW).unwrap();
        }
        keys.write(&devices)
    }

    fn knows(keys: &DeviceKeys, list: &str, user: i64, now: Timestamp) -> bool {
        keys.read(list.as_bytes(), now).of(user, Timestamp(0)).is_some()
    }

    #[test]
    fn the_last_four_accounts_know_a_device() {
        let keys = keys(1);
        let four = list(&keys, &[1, 2, 3, 4]);
        assert_eq!(four.len(), 4 * TEXT + 3);
        let five = list(&keys, &[1, 2, 3, 4, 5]);
        let again = list(&keys, &[1, 2, 3, 4, 1, 5]);
        for (list, known) in [
            (four.as_str(), &[1, 2, 3, 4][..]),
            (&five, &[2, 3, 4, 5]),
            (&again, &[1, 3, 4, 5]),
            ("", &[]),
        ] {
            for user in 0..=6 {
                assert_eq!(knows(&keys, list, user, NOW), known.contains(&user), "{list} {user}");
            }
        }
        assert!(keys.read(b"", NOW).is_empty());
    }

    #[test]
    fn a_login_keeps_the_number_and_renews_the_time() {
        let keys = keys(1);
        let first = keys.read(list(&keys, &[7]).as_bytes(), NOW);
        let known = first.of(7, Timestamp(0)).unwrap();
        let later = Timestamp(NOW.0 + 1_000);
        let second = first.renewed(7, Some(known), later).unwrap();
        assert_eq!(second.0[0].number, known.number);
        let since = Timestamp(later.0 - 1);
        assert!(second.of(7, since).is_some() && first.of(7, since).is_none());
        let other = first.renewed(7, None, later).unwrap();
        assert!(other.0.len() == 1 && other.0[0].number != known.number);
    }

    #[test]
    fn invalid_secrets_are_skipped() {
        let ours = keys(1);
        let good = list(&ours, &[7]);
        let flip = |at: usize| {
            let mut bytes = good.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            String::from_utf8(bytes).unwrap()
        };
        for at in 0..TEXT {
            assert!(!knows(&ours, &flip(at), 7, NOW), "character {at}");
        }
        for bad in [
            list(&keys(2), &[7]),
            good[1..].to_owned(),
            format!("{good}A"),
            format!("{good}="),
            format!("{},{good}", &good[..TEXT - 1]),
            format!("....{good}"),
            "A".repeat(TEXT),
            "\u{e4}".repeat(TEXT / 2),
            ".".repeat(60_000),
        ] {
            assert!(!knows(&ours, &bad, 7, NOW), "{bad}");
        }
        // An invalid secret before a valid one does not hide it.
        assert!(knows(&ours, &format!("x..{good}"), 7, NOW));
        assert!(knows(&ours, &format!("{}.{good}", flip(3)), 7, NOW));
    }

    #[test]
    fn a_secret_expires_after_a_year_or_when_all_sessions_end() {
        let keys = keys(1);
        let good = list(&keys, &[7]);
        for (after, expected) in
            [(LIFESPAN, true), (LIFESPAN + 1, false), (i64::MAX - NOW.0, false), (-NOW.0, true)]
        {
            assert_eq!(knows(&keys, &good, 7, Timestamp(NOW.0 + after)), expected, "{after}");
        }
        let devices = keys.read(good.as_bytes(), NOW);
        assert!(devices.of(7, Timestamp(NOW.0 - 1)).is_some());
        assert!(devices.of(7, Timestamp(NOW.0 + 1)).is_none());
    }

    #[test]
    fn a_device_of_the_same_second_outlived_another_password() {
        let thief = Devices::default().renewed(7, None, NOW.after(Timestamp(0))).unwrap();
        // The password is changed in the same second.
        assert!(thief.of(7, NOW).is_none());
        let owner = Devices::default().renewed(7, None, NOW.after(NOW)).unwrap();
        assert!(owner.of(7, NOW).is_some());
        // After the clock was set back, a login makes its device known all the same.
        let ahead = Timestamp(NOW.0 + 1_000);
        let owner = Devices::default().renewed(7, None, NOW.after(ahead)).unwrap();
        assert!(owner.of(7, ahead).is_some());
    }

    #[test]
    fn a_list_that_somebody_put_before_it_hid_the_good_one() {
        let keys = keys(1);
        let good = list(&keys, &[7]);
        let read = |lists: &[&str]| keys.read_all(lists.iter().map(|list| list.as_bytes()), NOW);
        let knows = |lists: &[&str]| read(lists).of(7, Timestamp(0)).is_some();
        assert!(knows(&["", "x", &list(&keys, &[1, 2, 3]), &good]));
        let mut many = vec!["x"; MAX_LISTS - 1];
        many.push(&good);
        assert!(knows(&many));
        many.insert(0, "x");
        assert!(!knows(&many), "only the first 64 lists are read");
        // An older secret of the same account does not hide it either.
        let old = Devices::default().renewed(7, None, Timestamp(NOW.0 - 9)).unwrap();
        let both = read(&[&keys.write(&old), &good]);
        assert!(both.of(7, Timestamp(NOW.0 - 1)).is_some() && both.0.len() == 1);
        assert_eq!(read(&[&list(&keys, &[1, 2, 3]), &list(&keys, &[4, 5, 6])]).0.len(), 6);
        assert!(knows(&[&list(&keys, &[1, 2, 3, 4]), &good]), "four users of a list before it");
        // The list in the answer is cut to MAX_USERS.
        let many = read(&[&list(&keys, &[1, 2, 3, 4]), &good]);
        assert_eq!(many.renewed(7, None, NOW).unwrap().0.len(), MAX_USERS);
    }

    #[test]
    fn a_secret_outlives_key_rotations_until_its_key_is_retired() {
        for algorithm in [Algorithm::Hs256, Algorithm::EdDsa] {
            let old = ring(1);
            let key = old.iter().next().unwrap().clone();
            let both = old.clone().with_new(algorithm, NOW).unwrap();
            let alone = both.clone().without(&key).unwrap();
            let [old, both, alone] = [old, both, alone].map(|ring| DeviceKeys::new(&ring).unwrap());
            let before = list(&old, &[7]);
            assert!(knows(&both, &before, 7, NOW) && !knows(&alone, &before, 7, NOW));
            // The server signs the secrets anew with the newest key.
            let after = both.write(&both.read(before.as_bytes(), NOW));
            assert!(knows(&alone, &after, 7, NOW) && !knows(&old, &after, 7, NOW));
        }
    }
}
