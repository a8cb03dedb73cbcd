//! Answers against `docs/openapi.json`: status, error, header fields, content type and body. The client
//! of the suite has every answer checked. Knows no socket and starts no server.
//!
//! The document leaves its objects open, for clients that must survive a new field. Here they are
//! closed: a field that is not in the document is a fault.

mod closed;
mod request;
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

use jsonschema::{Draft, Validator};
use serde_json::{Value, json};

use crate::support::root;
pub use request::{Asked, take_request};

/// The document of the repository, read once.
static DOCUMENT: LazyLock<Document> = LazyLock::new(|| Document::new(&text()));

/// The document, as JSON.
pub fn text() -> Value {
    let text = fs::read_to_string(root().join("docs/openapi.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// Panics if an answer is not as the document says. What is at no path of the API is not checked,
/// unless it is an error.
#[track_caller]
pub fn check(asked: &Asked, head: &str, body: &str) {
    if let Err(fault) = DOCUMENT.compare(asked, &Answer::parse(head, body)) {
        let Asked { method, path } = asked;
        panic!("docs/openapi.json: {fault}\nfor {method} {path}\n{head}{body}");
    }
}

/// An answer in its parts.
struct Answer<'a> {
    status: u16,
    /// With names in lower case.
    fields: Vec<(String, &'a str)>,
    body: &'a str,
}

impl<'a> Answer<'a> {
    fn parse(head: &'a str, body: &'a str) -> Answer<'a> {
        let fields = head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let fields = fields.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
        Answer { status: head[9..12].parse().unwrap(), fields, body }
    }

    /// The values of a field, which may be there several times.
    fn values(&self, name: &str) -> impl Iterator<Item = &'a str> {
        self.fields.iter().filter(move |(found, _)| found == name).map(|(_, value)| *value)
    }

    /// The content type without parameters.
    fn media_type(&self) -> Option<&'a str> {
        Some(self.values("content-type").next()?.split(';').next()?.trim())
    }
}

/// What the document says, prepared for comparing.
struct Document {
    operations: Vec<Operation>,
    /// The header fields that any answer may have, in lower case.
    everywhere: BTreeSet<String>,
    /// Every error of every operation.
    errors: BTreeSet<(u16, String)>,
    /// The form of an error.
    error: Validator,
}

struct Operation {
    method: String,
    segments: Vec<String>,
    answers: BTreeMap<u16, Documented>,
}

/// An answer of an operation.
#[derive(Default)]
struct Documented {
    errors: BTreeSet<String>,
    /// By name in lower case: whether it must be there, and what its value may be.
    fields: BTreeMap<String, (bool, Option<Validator>)>,
    /// By content type.
    bodies: BTreeMap<String, Validator>,
}

const METHODS: [&str; 7] = ["get", "post", "put", "delete", "patch", "head", "options"];
/// The fields of an answer to OPTIONS, which the document has no operations for.
const OF_OPTIONS: [&str; 4] = [
    "allow",
    "access-control-allow-methods",
    "access-control-allow-headers",
    "access-control-max-age",
];

impl Document {
    fn new(text: &Value) -> Document {
        let mut operations = Vec::new();
        for (path, item) in text["paths"].as_object().unwrap() {
            for method in METHODS.iter().filter(|method| item.get(method).is_some()) {
                operations.push(Operation::new(text, path, method, &item[method]));
            }
        }
        let errors = operations.iter().flat_map(|operation| &operation.answers);
        let errors = errors
            .flat_map(|(status, answer)| answer.errors.iter().map(|name| (*status, name.clone())))
            .collect();
        let everywhere = names(&text["x-every-answer"]);
        let error = json!({"$ref": "#/components/schemas/Error"});
        Document { operations, everywhere, errors, error: validator(text, &error) }
    }

    /// Returns what is wrong with an answer.
    fn compare(&self, asked: &Asked, answer: &Answer<'_>) -> Result<(), String> {
        let here = self.at(asked.path());
        if here.is_empty() {
            return match answer.status >= 400 && asked.path().starts_with("/api/") {
                true => self.compare_unnamed(answer),
                false => Ok(()),
            };
        }
        if asked.method == "OPTIONS" && answer.status == 204 {
            return self.compare_fields(answer, &OF_OPTIONS);
        }
        let method = if asked.method == "HEAD" { "GET" } else { &asked.method };
        let Some(operation) = here.iter().find(|operation| operation.method == method) else {
            return self.compare_unnamed(answer);
        };
        let documented = operation.answers.get(&answer.status);
        let documented =
            documented.ok_or_else(|| format!("status {} is not there", answer.status))?;
        let names: Vec<&str> = documented.fields.keys().map(String::as_str).collect();
        self.compare_fields(answer, &names)?;
        documented.compare_fields(answer)?;
        match asked.method.as_str() {
            "HEAD" => Ok(()),
            _ => documented.compare_body(answer),
        }
    }

    /// The operations at a path: those of the most literal match.
    fn at(&self, path: &str) -> Vec<&Operation> {
        let matches = self.operations.iter().filter_map(|one| Some((one.literal(path)?, one)));
        let matches: Vec<_> = matches.collect();
        let most = matches.iter().map(|(literal, _)| *literal).max();
        let best = matches.into_iter().filter(|(literal, _)| Some(*literal) == most);
        best.map(|(_, operation)| operation).collect()
    }

    /// Compares an error where there is no operation: a wrong path or method, or what the engine refuses.
    fn compare_unnamed(&self, answer: &Answer<'_>) -> Result<(), String> {
        let allow = if answer.status == 405 { &["allow"][..] } else { &[] };
        let more = ["retry-after", "x-request-id", "www-authenticate"];
        self.compare_fields(answer, &[allow, &more].concat())?;
        if answer.media_type() != Some("application/json") {
            return Err(format!("an error is {:?}", answer.media_type()));
        }
        if answer.body.is_empty() {
            return Ok(());
        }
        let body = valid(&self.error, answer.body)?;
        let error = (answer.status, error_of(&body, answer)?.to_owned());
        match self.errors.contains(&error) {
            true => Ok(()),
            false => Err(format!("no operation has the error {error:?}")),
        }
    }

    /// Compares the names of header fields with those that may be there.
    fn compare_fields(&self, answer: &Answer<'_>, more: &[&str]) -> Result<(), String> {
        let known = |name: &String| self.everywhere.contains(name) || more.contains(&name.as_str());
        match answer.fields.iter().map(|(name, _)| name).find(|name| !known(name)) {
            Some(name) => Err(format!("the header field {name} is not there")),
            None => Ok(()),
        }
    }
}

impl Operation {
    fn new(text: &Value, path: &str, method: &str, operation: &Value) -> Operation {
        let answers = operation["responses"].as_object().unwrap().iter();
        let answers = answers.map(|(status, answer)| {
            let status = status.parse().expect("a number as status");
            (status, Documented::new(text, closed::resolved(text, answer)))
        });
        Operation {
            method: method.to_ascii_uppercase(),
            segments: path.split('/').map(str::to_owned).collect(),
            answers: answers.collect(),
        }
    }

    /// How many segments of a path are literally those of the operation; `None` if it has another path.
    fn literal(&self, path: &str) -> Option<usize> {
        let segments: Vec<&str> = path.split('/').collect();
        let mut literal = 0;
        for (mine, theirs) in self.segments.iter().zip(&segments) {
            match mine.starts_with('{') {
                true if !theirs.is_empty() => {}
                false if mine == theirs => literal += 1,
                _ => return None,
            }
        }
        (self.segments.len() == segments.len()).then_some(literal)
    }
}

impl Documented {
    fn new(text: &Value, answer: &Value) -> Documented {
        let list = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let field = |(name, field): (String, Value)| {
            let field = closed::resolved(text, &field);
            let schema = field.get("schema").map(|schema| validator(text, schema));
            (name.to_ascii_lowercase(), (field["required"] == true, schema))
        };
        let body = |(media_type, body): (String, Value)| {
            let media_type = media_type.split(';').next().unwrap_or_default().to_owned();
            (media_type, validator(text, &body["schema"]))
        };
        let errors = answer["x-errors"].as_array().into_iter().flatten();
        Documented {
            errors: errors.map(|name| name.as_str().unwrap().to_owned()).collect(),
            fields: list(&answer["headers"]).into_iter().map(field).collect(),
            bodies: list(&answer["content"]).into_iter().map(body).collect(),
        }
    }

    /// Compares the values of header fields, and finds those that are missing.
    fn compare_fields(&self, answer: &Answer<'_>) -> Result<(), String> {
        for (name, (required, schema)) in &self.fields {
            if *required && answer.values(name).next().is_none() {
                return Err(format!("the header field {name} is missing"));
            }
            let Some(schema) = schema else { continue };
            let fits = |value: &&str| {
                let number = value.parse::<i64>().map(Value::from);
                let forms = [Value::from(*value), number.unwrap_or(Value::Null)];
                forms.iter().any(|form| schema.is_valid(form))
            };
            if let Some(value) = answer.values(name).find(|value| !fits(value)) {
                return Err(format!("the header field {name} is {value:?}"));
            }
        }
        Ok(())
    }

    fn compare_body(&self, answer: &Answer<'_>) -> Result<(), String> {
        let Some(media_type) = answer.media_type() else {
            return match self.bodies.is_empty() && answer.body.is_empty() {
                true => Ok(()),
                false => Err("there is no content type".into()),
            };
        };
        let schema = self.bodies.get(media_type);
        let schema = schema.ok_or_else(|| format!("the content type {media_type} is not there"))?;
        if media_type != "application/json" {
            return Ok(());
        }
        let body = valid(schema, answer.body)?;
        if answer.status < 400 {
            return Ok(());
        }
        let name = error_of(&body, answer)?;
        match self.errors.contains(name) {
            true => Ok(()),
            false => Err(format!("the error {name} is not there for status {}", answer.status)),
        }
    }
}

/// The names in a list, or the keys of an object, in lower case.
fn names(list: &Value) -> BTreeSet<String> {
    let keys = list.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str));
    let items = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    keys.chain(items).map(str::to_ascii_lowercase).collect()
}

/// The name of an error; its status must be that of the answer.
fn error_of<'b>(body: &'b Value, answer: &Answer<'_>) -> Result<&'b str, String> {
    if body["status_code"] != answer.status {
        return Err(format!("status_code is {}", body["status_code"]));
    }
    body["error"].as_str().ok_or_else(|| "there is no error".into())
}

/// A validator of a schema in the document, closed.
fn validator(text: &Value, schema: &Value) -> Validator {
    let schema = closed::closed(text, schema);
    let options =
        jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
    options.build(&schema).unwrap_or_else(|error| panic!("{error}: {schema}"))
}

/// Reads JSON; says what a schema finds wrong with it.
fn valid(schema: &Validator, body: &str) -> Result<Value, String> {
    let body = serde_json::from_str(body).map_err(|error| format!("no JSON: {error}"))?;
    let faults: Vec<String> = schema
        .iter_errors(&body)
        .map(|fault| format!("the body at {:?}: {fault}", fault.instance_path().to_string()))
        .collect();
    if faults.is_empty() { Ok(body) } else { Err(faults.join("\n")) }
}
