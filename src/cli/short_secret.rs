//! What SECRET_KEY is good for: it signs, or it is too short for that and is refused, accepted for a
//! time (`--accept-short-secret`), or no longer accepted.

use zeroize::Zeroizing;

use super::output::day;
use super::parse::naming;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::keys::{ShortSecret, is_short};

/// SECRET_KEY; nothing if it is not set, or no longer accepted.
#[derive(Default)]
pub(super) struct SecretKey {
    /// One that signs. An empty or a huge one is found when a key is made of it.
    pub(super) signs: Option<Zeroizing<Vec<u8>>>,
    /// One that only verifies.
    pub(super) short: Option<ShortSecret>,
    pub(super) warning: Option<String>,
}

impl SecretKey {
    /// `until` is the last second in which a short secret is accepted, if one is.
    pub(super) fn new(
        secret: Option<Zeroizing<Vec<u8>>>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<SecretKey, Problem> {
        let short = secret.as_ref().filter(|secret| is_short(secret));
        match (short, until) {
            (Some(secret), None) => Err(refused(secret.len())),
            (Some(_), Some(until)) if until < now => {
                Ok(SecretKey { warning: Some(expired(until)), ..SecretKey::default() })
            }
            (Some(secret), Some(until)) => {
                let short = ShortSecret::new(secret.as_slice(), until, now);
                let short = short.map_err(naming("--accept-short-secret"))?;
                let warning = Some(accepted(&short));
                Ok(SecretKey { short: Some(short), warning, signs: None })
            }
            (None, until) => {
                let warning = until.map(|_| without_effect(secret.is_some()));
                Ok(SecretKey { signs: secret, warning, short: None })
            }
        }
    }
}

/// The error for a short SECRET_KEY: Flask apps take one.
fn refused(bytes: usize) -> Problem {
    Problem::usage(
        format!("SECRET_KEY has {bytes} bytes; it needs at least 32 to sign"),
        "(1) unset it, or set another (openssl rand -hex 32): everybody logs in again; or (2) start \
         with --accept-short-secret YYYY-MM-DD and --adopt-tokens: the old app's tokens stay good until that \
         day, but whoever guesses the secret can log in as anybody until then (docs/from-flask.md)",
    )
}

fn accepted(short: &ShortSecret) -> String {
    format!(
        "SECRET_KEY is short ({} bytes): until the end of {}, whoever guesses it can log in as \
         anybody, administrators included",
        short.bytes().len(),
        day(short.until())
    )
}

fn expired(until: Timestamp) -> String {
    format!(
        "SECRET_KEY is short, and {} is over, so it verifies nothing any more; remove it, and \
         --accept-short-secret",
        day(until)
    )
}

fn without_effect(set: bool) -> String {
    let why = if set { "SECRET_KEY is not short" } else { "there is no SECRET_KEY" };
    format!("{why}: --accept-short-secret has no effect; remove it")
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);
    const DAY: i64 = 24 * 3600;

    #[test]
    fn what_a_secret_key_is_good_for() {
        let long = "x".repeat(32);
        // What it does, and words of the warning; or words of the error.
        for (secret, days, expected) in [
            (None, None, Ok(("nothing", ""))),
            (None, Some(1), Ok(("nothing", "there is no SECRET_KEY"))),
            (Some(&*long), None, Ok(("signs", ""))),
            (Some(&*long), Some(1), Ok(("signs", "is not short"))),
            (Some(""), None, Ok(("signs", ""))),
            (Some(""), Some(1), Ok(("signs", "is not short"))),
            (Some("my secret key"), None, Err("13 bytes")),
            (Some("my secret key"), Some(0), Ok(("verifies", "until the end of 2023-11-14"))),
            (Some("my secret key"), Some(90), Ok(("verifies", "administrators included"))),
            (Some("my secret key"), Some(91), Err("--accept-short-secret: ")),
            (Some("my secret key"), Some(-1), Ok(("nothing", "2023-11-13 is over"))),
            (Some("my secret key"), Some(-9_000), Ok(("nothing", "remove it"))),
        ] {
            let key = secret.map(|secret| Zeroizing::new(secret.as_bytes().to_vec()));
            let until = days.map(|days: i64| Timestamp(NOW.0 + days * DAY));
            let found = SecretKey::new(key, until, NOW);
            match (&found, expected) {
                (Ok(found), Ok((does, warning))) => {
                    let what = match (&found.signs, &found.short) {
                        (Some(_), None) => "signs",
                        (None, Some(_)) => "verifies",
                        (None, None) => "nothing",
                        (Some(_), Some(_)) => "both",
                    };
                    assert_eq!(what, does, "{secret:?} {days:?}");
                    let text = found.warning.as_deref().unwrap_or_default();
                    assert!(text.contains(warning) && text.is_empty() == warning.is_empty());
                    assert!(!text.contains("my secret key"));
                }
                (Err(found), Err(words)) => {
                    assert!(found.usage && found.what.contains(words), "{found}");
                    assert!(!found.to_string().contains("my secret key"), "{found}");
                }
                _ => panic!("{secret:?} {days:?}"),
            }
        }
    }
}
