//! Schemas of the document as they are compared: references replaced by what they name, and objects
//! closed.

use serde_json::{Map, Value, json};

/// How deep references may lead; more is a circle.
const MAX_DEPTH: usize = 40;

/// Follows the reference that a value may be.
pub fn resolved<'t>(text: &'t Value, value: &'t Value) -> &'t Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => resolved(text, target(text, reference)),
        None => value,
    }
}

fn target<'t>(text: &'t Value, reference: &str) -> &'t Value {
    let pointer =
        reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads elsewhere"));
    text.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

/// Returns a schema without references, in which an object has no field that the schema does not name.
pub fn closed(text: &Value, schema: &Value) -> Value {
    close(text, schema, false, MAX_DEPTH)
}

/// `branch` says that the schema is one of `allOf`, `anyOf` or `oneOf`: what is around it closes it.
fn close(text: &Value, schema: &Value, branch: bool, depth: usize) -> Value {
    assert!(depth > 0, "references in a circle: {schema}");
    let Some(fields) = schema.as_object() else { return schema.clone() };
    let mut fields = fields.clone();
    if let Some(reference) = fields.remove("$ref") {
        let named = target(text, reference.as_str().unwrap()).clone();
        let list = fields.entry("allOf").or_insert_with(|| json!([]));
        list.as_array_mut().unwrap().push(named);
    }
    let mut closed: Map<String, Value> = fields
        .iter()
        .map(|(key, value)| (key.clone(), close_part(text, key, value, depth - 1)))
        .collect();
    let said = ["additionalProperties", "unevaluatedProperties"]
        .iter()
        .any(|key| closed.contains_key(*key));
    if !branch && !said && describes_object(&Value::Object(closed.clone())) {
        closed.insert("unevaluatedProperties".into(), false.into());
    }
    Value::Object(closed)
}

/// Closes the schemas in one keyword of a schema.
fn close_part(text: &Value, key: &str, value: &Value, depth: usize) -> Value {
    let each = |branch: bool| match value {
        Value::Array(list) => list.iter().map(|one| close(text, one, branch, depth)).collect(),
        Value::Object(map) => {
            let closed =
                map.iter().map(|(name, one)| (name.clone(), close(text, one, branch, depth)));
            Value::Object(closed.collect())
        }
        other => other.clone(),
    };
    match key {
        "properties" | "patternProperties" | "prefixItems" => each(false),
        "items" | "additionalProperties" => close(text, value, false, depth),
        "allOf" | "anyOf" | "oneOf" => each(true),
        "then" | "else" => close(text, value, true, depth),
        _ => value.clone(),
    }
}

/// Whether an object can be meant.
fn describes_object(schema: &Value) -> bool {
    let of_type = match &schema["type"] {
        Value::Array(types) => types.contains(&"object".into()),
        one => one == "object",
    };
    let branches = ["allOf", "anyOf", "oneOf"].iter().filter_map(|key| schema[key].as_array());
    of_type || schema.get("properties").is_some() || branches.flatten().any(describes_object)
}
