//! The JSON object in a body: a field has the value that a generic reader finds.

use serde_json::{Value, json};

use super::first_line;
use crate::app::Fields;
use crate::error::Error;
use crate::http::Request;

/// The fields to read from every input, besides the one that it names.
const ASKED: [&str; 4] = ["username", "password", "email", "invite"];

/// The target: the first line is the name of a field, the rest is a body.
pub fn json(data: &[u8]) {
    let (name, body) = first_line(data);
    let name = String::from_utf8_lossy(name);
    let read = serde_json::from_slice(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body));
    match (fields(body), read) {
        (Ok(mut fields), Ok(Value::Object(object))) => {
            for name in ASKED.into_iter().chain([&*name]) {
                check(&mut fields, name, object.get(name));
            }
        }
        (Err(error), Ok(Value::Object(_))) => panic!("{error:?}"),
        (Err(error), _) => refused(&error),
        (Ok(_), other) => panic!("{other:?} was taken for an object"),
    }
    round_trip(&name, &String::from_utf8_lossy(body));
}

fn fields(body: &[u8]) -> Result<Fields, Error> {
    let mut request = Request::new("POST", "/", &[]);
    request.body = body;
    Fields::of(&request)
}

fn check(fields: &mut Fields, name: &str, expected: Option<&Value>) {
    match (fields.text(name), expected) {
        (Ok(text), Some(Value::String(expected))) => assert_eq!(*text, *expected, "{name}"),
        (Err(error), None | Some(_)) if !matches!(expected, Some(Value::String(_))) => {
            refused(&error);
            assert!(error.message().starts_with(name), "{error:?} does not name {name}");
        }
        (text, _) => panic!("{name}: {text:?} instead of {expected:?}"),
    }
    // The value was taken out, so that it can be wiped.
    assert!(fields.text(name).is_err());
}

/// Checks that an error is the client's fault and does not repeat what the client sent.
fn refused(error: &Error) {
    assert_eq!(error.kind().status, 400, "{error:?}");
    assert!(error.message().len() < 100 || error.message().contains(':'), "{error:?}");
}

/// Checks that any text, written as JSON, is read as the same text.
fn round_trip(name: &str, text: &str) {
    let body = json!({ name: text }).to_string();
    let read = fields(body.as_bytes()).and_then(|mut fields| fields.text(name));
    assert_eq!(read.as_deref().map(String::as_str).ok(), Some(text));
}
