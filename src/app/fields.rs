//! Reads the JSON object in a request's body field by field; a refusal names the field.

use std::ops::RangeInclusive;

use serde_json::{Map, Value};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::Error;
use crate::http::Request;

/// The fields of a body. Fields that the endpoint does not read are ignored. All are wiped from
/// memory when this is dropped.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads the body as JSON, whatever the content type says.
    pub(crate) fn of(request: &Request<'_>) -> Result<Fields, Error> {
        // Some clients begin with a byte order mark, which a reader may ignore (RFC 8259
        // section 8.1). serde_json refuses more than 128 levels of nesting.
        let json = request.body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(request.body);
        match serde_json::from_slice(json) {
            Ok(Value::Object(fields)) => Ok(Fields(fields)),
            Ok(_) => Err(Error::BadRequest("The body must be a JSON object".into())),
            Err(error) => Err(Error::BadRequest(format!(
                "The body is not valid JSON (line {}, column {})",
                error.line(),
                error.column()
            ))),
        }
    }

    /// Whether the field is there, null or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Returns a required string.
    pub(crate) fn text(&mut self, name: &str) -> Result<Zeroizing<String>, Error> {
        match self.0.remove(name) {
            Some(Value::String(text)) => Ok(Zeroizing::new(text)),
            Some(mut other) => {
                wipe(&mut other);
                Err(Error::BadRequest(format!("{name}: must be a string")))
            }
            None => Err(Error::BadRequest(format!("{name}: is missing"))),
        }
    }

    /// Returns a string; `None` if the field is missing or null.
    pub(crate) fn optional(&mut self, name: &str) -> Result<Option<Zeroizing<String>>, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.text(name).map(Some),
        }
    }

    /// Returns a required boolean.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Error> {
        match self.0.get(name) {
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(Error::BadRequest(format!("{name}: must be true or false"))),
            None => Err(Error::BadRequest(format!("{name}: is missing"))),
        }
    }

    /// Returns a boolean; false if the field is missing or null.
    pub(crate) fn is_on(&self, name: &str) -> Result<bool, Error> {
        self.is_on_or(name, false)
    }

    /// Returns a boolean, or this one if the field is missing or null.
    pub(crate) fn is_on_or(&self, name: &str, without: bool) -> Result<bool, Error> {
        match self.0.get(name) {
            None | Some(Value::Null) => Ok(without),
            Some(_) => self.flag(name),
        }
    }

    /// Whether the body has no other field than this one.
    pub(crate) fn has_only(&self, name: &str) -> bool {
        self.0.keys().all(|key| key == name)
    }

    /// Returns a whole number within these limits; `None` if the field is missing or null.
    pub(crate) fn number(
        &self,
        name: &str,
        limits: RangeInclusive<i64>,
    ) -> Result<Option<i64>, Error> {
        let value = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => whole(value).filter(|number| limits.contains(number)),
        };
        let (low, high) = limits.into_inner();
        value.map(Some).ok_or_else(|| {
            Error::BadRequest(format!("{name}: must be a whole number from {low} to {high}"))
        })
    }

    /// Returns a list of strings; `None` if the field is missing or null.
    pub(crate) fn list(&self, name: &str) -> Result<Option<Vec<&str>>, Error> {
        let strings = match self.0.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(values)) => values.iter().map(Value::as_str).collect(),
            Some(_) => None,
        };
        let strings: Option<Vec<&str>> = strings;
        strings
            .map(Some)
            .ok_or_else(|| Error::BadRequest(format!("{name}: must be a list of strings")))
    }
}

impl Drop for Fields {
    fn drop(&mut self) {
        self.0.values_mut().for_each(wipe);
    }
}

/// Returns a whole number, also one that is written `60.0`: to JSON Schema it is the same.
fn whole(value: &Value) -> Option<i64> {
    let written_as_float = || value.as_f64().filter(|number| number.fract() == 0.0);
    // A float beyond the limits of the type becomes the nearest number, and so the caller refuses it.
    value.as_i64().or_else(|| written_as_float().map(|number| number as i64))
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(values) => values.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies() {
        let nested = format!("{}1{}", "[".repeat(200), "]".repeat(200));
        let nested = format!("{{\"password\":\"x\",\"a\":{nested}}}");
        for (body, expected) in [
            (&br#"{"password":"x"}"#[..], "x"),
            (br#" {"a":1, "password":"x", "b":[]} "#, "x"),
            (b"\xef\xbb\xbf{\"password\":\"x\"}", "x"),
            (br#"{"password":"x","password":"y"}"#, "y"),
            (br#"{"password":"\u00e9\ud83d\ude00"}"#, "\u{e9}\u{1f600}"),
            (br#"{"password":""}"#, ""),
            (br#"{}"#, "password: is missing"),
            (br#"{"Password":"x"}"#, "password: is missing"),
            (br#"{"password":null}"#, "password: must be a string"),
            (br#"{"password":1}"#, "password: must be a string"),
            (br#"{"password":["x"]}"#, "password: must be a string"),
            (br#"{"password":{"x":"y"}}"#, "password: must be a string"),
            (b"[]", "The body must be a JSON object"),
            (b"null", "The body must be a JSON object"),
            (b"\"password\"", "The body must be a JSON object"),
            (b"", "The body is not valid JSON"),
            (b"{", "The body is not valid JSON"),
            (br#"{"password":"x"}x"#, "The body is not valid JSON"),
            (br#"{"password":"\ud800"}"#, "The body is not valid JSON"),
            (br#"{"password":NaN}"#, "The body is not valid JSON"),
            (b"{\"password\":\"\xff\"}", "The body is not valid JSON"),
            (b"{\"password\":\"a\nb\"}", "The body is not valid JSON"),
            (b"username=a&password=b", "The body is not valid JSON"),
            (nested.as_bytes(), "The body is not valid JSON"),
        ] {
            let mut request = Request::new("POST", "/", &[]);
            request.body = body;
            let read = Fields::of(&request).and_then(|mut fields| fields.text("password"));
            let read = match read {
                Ok(text) => text.to_string(),
                // The place in the body comes from serde_json.
                Err(error) => error.message().split(" (").next().unwrap().to_owned(),
            };
            assert_eq!(read, expected, "{}", String::from_utf8_lossy(body));
        }
    }

    #[test]
    fn fields_that_are_no_strings() {
        for (body, expected) in [
            ("{}", "on: is missing, None, None"),
            (r#"{"on":true,"n":1,"l":[]}"#, "true, Some(1), Some([])"),
            (r#"{"on":false,"n":9,"l":["a","b"]}"#, "false, Some(9), Some([\"a\", \"b\"])"),
            (r#"{"on":true,"n":4.0,"l":[]}"#, "true, Some(4), Some([])"),
            (r#"{"on":true,"n":4e0,"l":[]}"#, "true, Some(4), Some([])"),
            (r#"{"on":null,"n":null,"l":null}"#, "on: must be true or false, None, None"),
            (
                r#"{"on":1,"n":0,"l":"a"}"#,
                "on: must be true or false, n: must be a whole number from 1 to 9, \
                 l: must be a list of strings",
            ),
            (
                r#"{"on":"true","n":1.5,"l":["a",1]}"#,
                "on: must be true or false, n: must be a whole number from 1 to 9, \
                 l: must be a list of strings",
            ),
            (
                r#"{"on":[],"n":1e300,"l":{}}"#,
                "on: must be true or false, n: must be a whole number from 1 to 9, \
                 l: must be a list of strings",
            ),
            (
                r#"{"on":[],"n":99999999999999999999,"l":{}}"#,
                "on: must be true or false, n: must be a whole number from 1 to 9, \
                 l: must be a list of strings",
            ),
        ] {
            let mut request = Request::new("POST", "/", &[]);
            request.body = body.as_bytes();
            let fields = Fields::of(&request).unwrap();
            let told = |read: Result<String, Error>| read.unwrap_or_else(|error| error.message());
            let read = [
                told(fields.flag("on").map(|flag| flag.to_string())),
                told(fields.number("n", 1..=9).map(|number| format!("{number:?}"))),
                told(fields.list("l").map(|list| format!("{list:?}"))),
            ];
            assert_eq!(read.join(", "), expected, "{body}");
        }
    }
}
