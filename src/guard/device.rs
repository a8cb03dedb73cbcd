//! The secret by which a device is known that has logged in to an account: what it holds, how it
//! is made and read. It opens nothing: whoever has one is counted apart from strangers, and only
//! at the account that it is for. Knows no request, no store and no clock.
//!
//! Nothing is kept of it here. It is `base64url(user, time, number, MAC)`; the key of the MAC is
//! derived from a key of the ring, so a secret outlives restarts, and rotations until the key is
//! retired.

use std::hash::{Hash, Hasher};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::token::base64url;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::keys::{Keys, Material};
use crate::values::random;

/// Seconds that a secret is good; each login renews it. Browsers keep the cookie as long.
pub(crate) const LIFESPAN: i64 = 365 * 24 * 3_600;

/// What the MAC key is an HMAC of. Nothing that a token begins with.
const PURPOSE: &[u8] = b"lictor device secret";

/// Secrets that one device holds: one for each of its people, those who logged in last.
const MAX_PEOPLE: usize = 4;

/// Lists that one request can show.
const MAX_LISTS: usize = 64;

/// What tells two devices of one user apart.
type Number = [u8; 12];

const USER: usize = 8;
const TIME: usize = 4;
const SIGNED: usize = USER + TIME + size_of::<Number>();
/// Half an HMAC-SHA-256, as RFC 2104 section 5 allows.
const TAG: usize = 16;
/// Characters of a secret.
const TEXT: usize = (SIGNED + TAG).div_ceil(3) * 4 - 2;

/// A device that has logged in to one user's account. No `Debug`: together with the user it is
/// all that the secret says.
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

    fn of_bytes(bytes: &[u8]) -> Option<Device> {
        let (user, rest) = bytes.split_first_chunk::<USER>()?;
        let (issued, number) = rest.split_first_chunk::<TIME>()?;
        Some(Device {
            user: i64::from_be_bytes(*user),
            issued: u32::from_be_bytes(*issued),
            number: number.try_into().ok()?,
        })
    }

    /// A number that tells it from others.
    pub(crate) fn place(&self) -> u64 {
        let [a, b, c, d, e, f, g, h, ..] = self.number;
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }

    fn is_over(&self, now: Timestamp) -> bool {
        i64::from(self.issued).saturating_add(LIFESPAN) < now.0
    }
}

/// For counting what it does: each login renews the time.
impl Hash for Device {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.user, self.number).hash(state);
    }
}

/// The good secrets of one device, newest first, each of another user.
#[derive(Clone, Default)]
pub struct Devices(Vec<Device>);

impl Devices {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one of this user, unless it was issued up to `since`.
    pub fn of(&self, user: i64, since: Timestamp) -> Option<Device> {
        let good = |device: &&Device| device.user == user && i64::from(device.issued) > since.0;
        self.0.iter().find(good).copied()
    }

    /// The secrets after a login of `user`: theirs comes first, `known` with a new time if the
    /// device was known before, or else a new one. `now` is [after](Timestamp::after) what made
    /// all from before void.
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
        Ok(Devices(std::iter::once(first).chain(others).take(MAX_PEOPLE).collect()))
    }
}

/// Makes secrets and reads them, with keys that are derived from a ring.
pub struct DeviceKeys(Vec<Hmac<Sha256>>);

impl DeviceKeys {
    /// The newest key of the ring makes them, all verify.
    pub fn new(keys: &Keys) -> Result<DeviceKeys, Error> {
        let derived = keys.iter().map(|key| match key.material() {
            Material::Hs256(secret) => derive(secret.bytes()),
            Material::EdDsa(seed) => derive(seed.bytes()),
        });
        derived.collect::<Result<_, _>>().map(DeviceKeys)
    }

    /// The secrets of a list as [`DeviceKeys::write`] makes it. What is no good secret is
    /// skipped, whatever is wrong with it; no more are looked at than a list can have.
    pub fn read(&self, list: &[u8], now: Timestamp) -> Devices {
        self.read_all(std::iter::once(list), now)
    }

    /// The same of several lists, the first [`MAX_LISTS`]: whoever can set a cookie in a browser,
    /// such as a page of a sibling domain, can put some before ours.
    pub fn read_all<'a>(&self, lists: impl Iterator<Item = &'a [u8]>, now: Timestamp) -> Devices {
        let mut found: Vec<Device> = Vec::new();
        let texts = |list: &'a [u8]| list.split(|&b| b == b'.').take(MAX_PEOPLE);
        for text in lists.take(MAX_LISTS).flat_map(texts) {
            // Of the same user the one that holds longest: an old one must not hide it.
            if let Some(device) = self.device(text).filter(|device| !device.is_over(now)) {
                match found.iter_mut().find(|other| other.user == device.user) {
                    Some(other) if other.issued < device.issued => *other = device,
                    Some(_) => {}
                    None => found.push(device),
                }
            }
        }
        // All of them, or four people of whoever put a list before ours would hide it.
        Devices(found)
    }

    /// The list as a cookie or a field holds it.
    pub fn write(&self, devices: &Devices) -> String {
        let texts: Vec<_> = devices.0.iter().filter_map(|device| self.text(device)).collect();
        texts.join(".")
    }

    fn device(&self, text: &[u8]) -> Option<Device> {
        if text.len() != TEXT {
            return None;
        }
        let bytes = base64url::decode(text).ok()?;
        let (signed, tag) = bytes.split_at_checked(SIGNED)?;
        // Compares in constant time.
        let made_with =
            |key: &Hmac<Sha256>| key.clone().chain_update(signed).verify_truncated_left(tag);
        self.0.iter().any(|key| made_with(key).is_ok()).then(|| Device::of_bytes(signed))?
    }

    fn text(&self, device: &Device) -> Option<String> {
        let mut bytes = device.bytes().to_vec();
        // A ring has a key.
        let tag = self.0.first()?.clone().chain_update(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag[..TAG]);
        Some(base64url::encode(bytes))
    }
}

fn derive(secret: &[u8]) -> Result<Hmac<Sha256>, Error> {
    let broken = |_| Error::Internal("no key can be derived from a key of the ring".into());
    let derived = Hmac::<Sha256>::new_from_slice(secret).map_err(broken)?.chain_update(PURPOSE);
    Hmac::new_from_slice(&derived.finalize().into_bytes()).map_err(broken)
}

/// Seconds since the epoch; until 2106, like the times in a token.
fn seconds(time: Timestamp) -> u32 {
    u32::try_from(time.0.max(0)).unwrap_or(u32::MAX)
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

    /// The list of a device that logs in to these accounts, one after the other.
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
    fn a_device_is_known_to_the_accounts_that_it_logged_in_to_last() {
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
    fn what_is_not_ours_is_skipped() {
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
        // What is wrong beside it does not matter.
        assert!(knows(&ours, &format!("x..{good}"), 7, NOW));
        assert!(knows(&ours, &format!("{}.{good}", flip(3)), 7, NOW));
    }

    #[test]
    fn it_ends_after_a_year_and_with_what_ends_all_sessions() {
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
        // The password is changed in that second.
        assert!(thief.of(7, NOW).is_none());
        let owner = Devices::default().renewed(7, None, NOW.after(NOW)).unwrap();
        assert!(owner.of(7, NOW).is_some());
        // A clock that was set back makes nobody a stranger who logs in.
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
        assert!(!knows(&many), "bounded");
        // Nor does an older secret of the same account.
        let old = Devices::default().renewed(7, None, Timestamp(NOW.0 - 9)).unwrap();
        let both = read(&[&keys.write(&old), &good]);
        assert!(both.of(7, Timestamp(NOW.0 - 1)).is_some() && both.0.len() == 1);
        assert_eq!(read(&[&list(&keys, &[1, 2, 3]), &list(&keys, &[4, 5, 6])]).0.len(), 6);
        assert!(knows(&[&list(&keys, &[1, 2, 3, 4]), &good]), "four people of somebody else");
        // What the answer has is bounded all the same.
        let many = read(&[&list(&keys, &[1, 2, 3, 4]), &good]);
        assert_eq!(many.renewed(7, None, NOW).unwrap().0.len(), MAX_PEOPLE);
    }

    #[test]
    fn it_outlives_rotations_until_the_key_is_retired() {
        for algorithm in [Algorithm::Hs256, Algorithm::EdDsa] {
            let old = ring(1);
            let key = old.iter().next().unwrap().clone();
            let both = old.clone().with_new(algorithm, NOW).unwrap();
            let alone = both.clone().without(&key).unwrap();
            let [old, both, alone] = [old, both, alone].map(|ring| DeviceKeys::new(&ring).unwrap());
            let before = list(&old, &[7]);
            assert!(knows(&both, &before, 7, NOW) && !knows(&alone, &before, 7, NOW));
            // What the server hands on is of the newest key.
            let after = both.write(&both.read(before.as_bytes(), NOW));
            assert!(knows(&alone, &after, 7, NOW) && !knows(&old, &after, 7, NOW));
        }
    }
}
