//! The examples of `docs/openapi.json`: which are run, and what each is answered. Sends nothing.

use serde_json::Value;

const JSON: &str = "application/json";

/// An operation of the document.
#[derive(Clone)]
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    pub content: Value,
}

/// An example of a body.
#[derive(Clone)]
pub struct Example {
    pub media: String,
    /// If it has none in the document: the media type, but nothing for JSON.
    pub name: String,
    pub value: Value,
}

/// An operation with one of its examples.
pub struct Case {
    pub operation: Operation,
    /// The operation, and the example's name unless that is empty: `login Browser`.
    pub label: String,
    /// What the request has as its body.
    pub request: Option<Example>,
}

pub fn operations(text: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in text["paths"].as_object().unwrap() {
        for (method, content) in item.as_object().unwrap() {
            let Some(id) = content["operationId"].as_str() else { continue };
            let (id, method) = (id.to_owned(), method.to_ascii_uppercase());
            operations.push(Operation { id, method, path: path.clone(), content: content.clone() });
        }
    }
    operations
}

/// Every example of a request; of an operation whose request has none, every example of its answers,
/// or else one case without any.
pub fn cases(text: &Value) -> Vec<Case> {
    let mut cases = Vec::new();
    for operation in operations(text) {
        let mut add = |name: &str, request: Option<Example>| {
            let label = format!("{} {name}", operation.id).trim_end().to_owned();
            cases.push(Case { operation: operation.clone(), label, request });
        };
        let requests = examples(text, &operation.content["requestBody"]);
        let answers = operation.answers(text);
        if requests.is_empty() && answers.is_empty() {
            add("", None);
        } else if requests.is_empty() {
            answers.iter().for_each(|answer| add(&answer.name, None));
        } else {
            requests.iter().for_each(|request| add(&request.name, Some(request.clone())));
        }
    }
    cases
}

/// The examples of the body of a request or of an answer.
pub fn examples(text: &Value, body: &Value) -> Vec<Example> {
    let mut examples = Vec::new();
    for (media, content) in body["content"].as_object().into_iter().flatten() {
        let mut add = |name: &str, value: &Value| {
            let (media, name, value) = (media.clone(), name.to_owned(), value.clone());
            examples.push(Example { media, name, value });
        };
        if let Some(value) = content.get("example") {
            add(if media == JSON { "" } else { media }, value);
        }
        for (name, example) in content["examples"].as_object().into_iter().flatten() {
            let example = match example["$ref"].as_str() {
                Some(reference) => text.pointer(&reference[1..]).unwrap(),
                None => example,
            };
            add(name, &example["value"]);
        }
    }
    examples
}

impl Operation {
    /// Whether a token is needed.
    pub fn takes_token(&self) -> bool {
        let security = self.content["security"].as_array().into_iter().flatten();
        let mut nothing = security.clone().map(|one| one.as_object().unwrap().is_empty());
        security.clone().any(|one| one.get("bearer").is_some()) && !nothing.any(|empty| empty)
    }

    /// The examples of the answers that are no errors.
    fn answers(&self, text: &Value) -> Vec<Example> {
        let answers = self.content["responses"].as_object().unwrap().iter();
        let good = answers.filter(|(status, _)| status.starts_with('2'));
        good.flat_map(|(_, answer)| examples(text, answer)).collect()
    }
}

impl Case {
    /// The example's name.
    fn name(&self) -> &str {
        self.label[self.operation.id.len()..].trim_start()
    }

    /// The example of the answer with this status: the one of the request's name, or else the only one.
    pub fn answer(&self, text: &Value, status: u16) -> Option<Value> {
        let answers = self.operation.content["responses"].as_object().unwrap();
        let answer = answers.get(&status.to_string());
        let answer = answer.unwrap_or_else(|| panic!("{}: {status}", self.label));
        let examples = examples(text, answer);
        let named = examples.iter().find(|example| example.name == self.name());
        assert!(named.is_some() || examples.len() < 2, "{}: which answer?", self.label);
        Some(named.or(examples.first())?.value.clone())
    }
}
