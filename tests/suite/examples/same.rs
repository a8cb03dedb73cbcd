//! Whether an answer is that of an example, up to what differs from one run to the next.

use serde_json::{Value, json};

/// The fields that are compared by their type.
const BY_TYPE: &[&str] = &[
    "access_token",
    "actor",
    "address",
    "at",
    "attempts",
    "code",
    "created",
    "creator",
    "database",
    "default_issuer",
    "expires",
    "failure",
    "id",
    "kid",
    "last_login",
    "last_login_address",
    "last_refreshed",
    "link",
    "password",
    "qr",
    "recovery_codes",
    "second_factor",
    "secret",
    "token",
    "uri",
    "user_agent",
    "x",
];
/// The fields that may be null whatever the example has: what fills them comes later.
const MAYBE: &[&str] = &["due", "used", "used_address"];

/// Returns where an answer differs from an example. Of lists of objects, each one in the example has
/// to be in the answer.
pub fn same(name: &str, example: &Value, found: &Value) -> Result<(), String> {
    let by_type = BY_TYPE.contains(&name) || name == "user" && example.is_number();
    match (example, found) {
        (_, Value::Null) if MAYBE.contains(&name) => Ok(()),
        _ if MAYBE.contains(&name) || by_type => match kind(example) == kind(found) {
            true => Ok(()),
            false => Err(format!("{name}: {found} instead of {example}")),
        },
        (Value::Object(example), Value::Object(found)) => {
            if !example.keys().eq(found.keys()) {
                let names: Vec<&String> = found.keys().collect();
                return Err(format!("{name}: the fields {names:?}"));
            }
            example.iter().try_for_each(|(name, example)| same(name, example, &found[name]))
        }
        (Value::Array(examples), Value::Array(rows)) if examples.iter().any(Value::is_object) => {
            examples.iter().try_for_each(|example| {
                let faults: Vec<_> = rows.iter().map(|row| same(name, example, row)).collect();
                match faults.iter().any(Result::is_ok) {
                    true => Ok(()),
                    false => Err(format!("{name}: no row like {example}: {faults:?}")),
                }
            })
        }
        _ if example == found => Ok(()),
        _ => Err(format!("{name}: {found} instead of {example}")),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[test]
fn differences_are_found() {
    for (example, found, expected) in [
        (json!({"id": 1, "name": "a"}), json!({"id": 2, "name": "a"}), true),
        (json!({"id": 1, "name": "a"}), json!({"id": 2, "name": "b"}), false),
        (json!({"id": 1}), json!({"id": "1"}), false),
        (json!({"id": 1}), json!({"id": null}), false),
        (json!({"id": 1}), json!({}), false),
        (json!({}), json!({"id": 1}), false),
        (json!({"used": 1}), json!({"used": null}), true),
        (json!({"used": 1}), json!({"used": "x"}), false),
        (json!({"user": 1}), json!({"user": 2}), true),
        (json!({"user": "bob"}), json!({"user": "eve"}), false),
        (json!({"rows": [{"name": "a"}]}), json!({"rows": [{"name": "b"}, {"name": "a"}]}), true),
        (json!({"rows": [{"name": "a"}]}), json!({"rows": [{"name": "b"}]}), false),
        (json!({"rows": [{"name": "a"}]}), json!({"rows": []}), false),
        (json!({"roles": ["a"]}), json!({"roles": ["a", "b"]}), false),
    ] {
        assert_eq!(same("", &example, &found).is_ok(), expected, "{example} {found}");
    }
}
