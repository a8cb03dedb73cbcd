//! A secret that is too short to sign, such as the `SECRET_KEY` of a tutorial. It verifies tokens that
//! another program has signed with it, and only for a time. It is no [`Secret`](super::Secret), so no
//! code can sign with it, derive a key from it or write it into a key file.

use std::fmt;

use zeroize::Zeroizing;

use super::secret::MIN_SECRET;
use crate::clock::Timestamp;
use crate::error::Problem;

/// The most days for which a short secret is accepted. A longer time would make it a habit.
const MAX_SHORT_DAYS: i64 = 90;

const DAY: i64 = 24 * 3600;

/// An HS256 secret of fewer than 32 bytes that verifies session tokens of another program until a last
/// second. Whoever guesses it can log in as anybody until then. Wiped when dropped, never shown.
#[derive(Clone)]
pub struct ShortSecret {
    bytes: Zeroizing<Vec<u8>>,
    until: Timestamp,
}

impl ShortSecret {
    /// Takes the raw bytes, as PyJWT does, and the last second in which they verify a token.
    ///
    /// # Errors
    ///
    /// If there are no bytes; if there are 32 or more, which make a [`Secret`](super::Secret); if
    /// `until` is more than 90 days after `now`.
    pub fn new(
        bytes: impl Into<Vec<u8>>,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<ShortSecret, Problem> {
        let bytes = Zeroizing::new(bytes.into());
        if bytes.is_empty() {
            return Err(Problem::usage(
                "the secret key is empty, so everybody could make tokens with it",
                "leave it out: everybody logs in again",
            ));
        }
        if !is_short(&bytes) {
            return Err(Problem::usage(
                format!("the secret key has {} bytes and is not short", bytes.len()),
                "use it as a key that signs",
            ));
        }
        // `until` is the end of its day, which may lie almost a day further ahead than `now` does.
        if until.0 >= now.0.saturating_add((MAX_SHORT_DAYS + 1) * DAY) {
            return Err(Problem::usage(
                format!("a short secret key is accepted for at most {MAX_SHORT_DAYS} days"),
                "give an earlier date; the refresh lifespan (30 days) is enough",
            ));
        }
        Ok(ShortSecret { bytes, until })
    }

    /// The last second in which the secret verifies a token.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Returns whether a secret has too few bytes to sign. An empty one is no secret at all.
pub(crate) fn is_short(bytes: &[u8]) -> bool {
    (1..MIN_SECRET).contains(&bytes.len())
}

impl fmt::Debug for ShortSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ShortSecret(hidden, until {})", self.until.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);

    #[test]
    fn a_short_secret_has_1_to_31_bytes_and_is_not_shown() {
        let check = |bytes: &str| ShortSecret::new(bytes, NOW, NOW).map_err(|p| p.what);
        assert!(check("").unwrap_err().contains("empty"));
        assert!(check("x").is_ok() && check(&"x".repeat(31)).is_ok());
        assert!(check(&"x".repeat(32)).unwrap_err().contains("32 bytes"));
        let shown = format!("{:?}", check("my secret key").unwrap());
        assert_eq!(shown, "ShortSecret(hidden, until 1700000000)");
    }

    #[test]
    fn it_is_for_90_days_at_most() {
        let check = |days: i64| ShortSecret::new("x", Timestamp(NOW.0 + days * DAY), NOW).is_ok();
        assert!(check(-1) && check(0) && check(MAX_SHORT_DAYS));
        assert!(!check(MAX_SHORT_DAYS + 1) && !check(100_000));
        assert!(ShortSecret::new("x", Timestamp(i64::MAX), NOW).is_err());
        assert!(ShortSecret::new("x", NOW, Timestamp(i64::MAX)).is_ok());
    }
}
