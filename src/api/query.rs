//! Reads the parameters in a request's query one by one; a refusal names the parameter.

use std::fmt::Display;
use std::ops::RangeInclusive;

use crate::error::Error;
use crate::http::Request;

/// Characters of an unknown parameter's name that the refusal repeats.
const MAX_SHOWN: usize = 40;

/// The parameters of a request: only those that the endpoint knows, each once.
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads the parameters as browsers write forms (application/x-www-form-urlencoded). Unknown
    /// ones are refused: a condition that is misspelt must not be ignored.
    pub(crate) fn of(request: &Request<'_>, known: &[&'static str]) -> Result<Query, Error> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        let pairs = request.query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        for pair in pairs {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = known.iter().find(|known| **known == name).ok_or_else(|| {
                let shown: String = name.chars().take(MAX_SHOWN).collect();
                wrong(&shown, format!("is none of the parameters {}", known.join(", ")))
            })?;
            if found.iter().any(|(there, _)| there == name) {
                return Err(wrong(name, "is there twice"));
            }
            let value = percent_decoded(&value.replace('+', " "))
                .ok_or_else(|| wrong(name, "is not percent-encoded UTF-8"))?;
            found.push((name, value));
        }
        Ok(Query(found))
    }

    /// Returns a parameter's text.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(there, _)| *there == name).map(|(_, value)| value.as_str())
    }

    /// Returns a parameter that must be a number within these limits.
    pub(crate) fn number(
        &self,
        name: &str,
        limits: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let number = number(text).filter(|number| limits.contains(number));
        let (low, high) = limits.into_inner();
        number
            .map(Some)
            .ok_or_else(|| wrong(name, format!("must be a number from {low} to {high}")))
    }
}

impl Query {
    /// Returns which of these words a parameter is.
    pub(crate) fn one_of(&self, name: &str, words: &[&str]) -> Result<Option<usize>, Error> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let place = words.iter().position(|word| *word == text);
        let place = place.ok_or_else(|| wrong(name, format!("must be {}", words.join(" or "))))?;
        Ok(Some(place))
    }

    /// Returns a parameter that must be `true` or `false`.
    pub(crate) fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        Ok(self.one_of(name, &["true", "false"])?.map(|place| place == 0))
    }
}

pub(super) fn wrong(name: &str, why: impl Display) -> Error {
    Error::BadRequest(format!("{name}: {why}"))
}

/// Returns the number in a part of the target: digits and nothing else.
pub(super) fn number(text: &str) -> Option<i64> {
    // `parse` would take a sign.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

/// Decodes percent-encoding (RFC 3986 section 2.1); `None` if the text is not UTF-8.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        // `from_str_radix` would take a sign.
        let hex = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        decoded.push(u8::from_str_radix(code, 16).ok().filter(|_| hex)?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters() {
        let check = |query: &str, expected: Result<&str, &str>| {
            let target = format!("/api/admin/users{query}");
            let request = Request::new("GET", &target, &[]);
            let read = Query::of(&request, &["search", "limit"]).and_then(|query| {
                let limit = query.number("limit", 1..=200)?;
                Ok(format!("{:?} {limit:?}", query.text("search")))
            });
            let read = read.map_err(|error| error.message());
            assert_eq!(read.as_deref().map_err(String::as_str), expected, "{query:?}");
        };
        check("", Ok("None None"));
        check("?", Ok("None None"));
        check("?&", Ok("None None"));
        check("?search=ada", Ok("Some(\"ada\") None"));
        check("?search", Ok("Some(\"\") None"));
        check("?limit=200&search=a+b%20c%2Bd%26e=f", Ok("Some(\"a b c+d&e=f\") Some(200)"));
        check("?search=%C3%BC", Ok("Some(\"ü\") None"));
        check("?search=100%25_", Ok("Some(\"100%_\") None"));
        let number = Err("limit: must be a number from 1 to 200");
        for bad in ["", "0", "201", "-1", "%2B1", "+1", "1.0", "1e2", "x", "99999999999999999999"] {
            check(&format!("?limit={bad}"), number);
        }
        let malformed = Err("search: is not percent-encoded UTF-8");
        for bad in ["%", "%4", "%zz", "%+1", "%-1", "%E9", "%C3", "a%"] {
            check(&format!("?search={bad}"), malformed);
        }
        check("?limit=1&limit=1", Err("limit: is there twice"));
        check("?Limit=1", Err("Limit: is none of the parameters search, limit"));
        check("?l%69mit=1", Err("l%69mit: is none of the parameters search, limit"));
        check("?=1", Err(": is none of the parameters search, limit"));
        let long = "x".repeat(40);
        check(
            &format!("?{long}yz=1"),
            Err(&format!("{long}: is none of the parameters search, limit")),
        );
    }
}
