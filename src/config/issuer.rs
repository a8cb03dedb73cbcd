//! The name of the service, as authenticator apps and mails show it.

use crate::error::Problem;

/// The name of the service. It has no colon, which separates it from the username in the URL that an
/// authenticator app scans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// Bytes of an issuer; a QR code that holds more is hard to scan.
const MAX_ISSUER: usize = 64;

impl Issuer {
    /// Parses a name of at most 64 bytes without a colon and without control characters.
    ///
    /// ```
    /// use lictor::Issuer;
    /// assert!(Issuer::parse("Ada's Photos").is_ok());
    /// assert!(Issuer::parse("photos: Ada's").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Issuer, Problem> {
        let allowed = |char: char| !char.is_control() && char != ':';
        match text.trim() {
            name if (1..=MAX_ISSUER).contains(&name.len()) && name.chars().all(allowed) => {
                Ok(Issuer(name.into()))
            }
            _ => Err(Problem::usage(
                format!("{text:?} is not valid as an issuer"),
                format!("give a name of at most {MAX_ISSUER} bytes without a colon"),
            )),
        }
    }

    /// The issuer of a server that configures none.
    pub(crate) fn lictor() -> Issuer {
        Issuer("lictor".into())
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Issuer::lictor()
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}
