//! Which web pages of other origins may call the API from a browser.

use crate::error::Problem;

/// The origins whose pages may call.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cors {
    /// All origins. Browsers send no cookie along, so a page can do no more than a stranger.
    Any,
    /// The origins in the list, compared byte by byte; an empty list means none.
    Only(Vec<Origin>),
}

/// An origin as browsers send it: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Parses scheme, lower-case host and port; a path is refused.
    ///
    /// ```
    /// use lictor::Origin;
    /// assert!(Origin::parse("http://localhost:3000").is_ok());
    /// assert!(Origin::parse("http://localhost:3000/").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Origin, Problem> {
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let allowed =
            |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase() || b"-.:[]_".contains(&b);
        match host {
            Some(host) if !host.is_empty() && host.bytes().all(allowed) => Ok(Origin(text.into())),
            _ => Err(Problem::usage(
                format!("{text:?} is not an origin"),
                "write it as browsers do: scheme, lower-case host and port, without a path, like \
                 https://app.example or http://localhost:3000",
            )),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        for good in ["http://a", "https://a.example", "http://[::1]:80", "http://a-b.c_d:3000"] {
            assert!(Origin::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "*", "null", "a.example", "http://", "http://A", "http://a/", "http://a b"]
        {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
