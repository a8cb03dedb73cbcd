//! The document against the program: it has every route and every error, each with what the route's
//! guard asks for, and nothing that does not exist.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::*;
use crate::api::routes;
use crate::error::tests::named_in;
use crate::guard::Throttle;
use crate::route::{Guarded, Route};

/// `docs/openapi.json`.
fn document() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// An operation of the document.
struct Operation {
    name: String,
    /// The names of the schemes of each alternative; an empty one means that nothing is needed.
    security: BTreeSet<String>,
    /// The errors with their status.
    errors: BTreeSet<(u16, String)>,
    /// Those that are not of every operation.
    own: BTreeSet<String>,
}

impl Operation {
    fn has(&self, error: &str) -> bool {
        self.own.contains(error)
    }
}

/// The operations by method and path.
fn operations(document: &Value) -> BTreeMap<(String, String), Operation> {
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("responses").is_some() {
                let key = (method.to_ascii_uppercase(), path.clone());
                found.insert(key, read(document, operation));
            }
        }
    }
    found
}

fn read(document: &Value, operation: &Value) -> Operation {
    let (mut errors, mut own) = (BTreeSet::new(), BTreeSet::new());
    for (status, answer) in operation["responses"].as_object().unwrap() {
        let answer = match answer["$ref"].as_str() {
            Some(reference) => document.pointer(&reference[1..]).unwrap(),
            None => answer,
        };
        for name in answer["x-errors"].as_array().into_iter().flatten() {
            let name = name.as_str().unwrap().to_owned();
            if answer["x-every-operation"] != true {
                own.insert(name.clone());
            }
            errors.insert((status.parse().unwrap(), name));
        }
    }
    let security = operation.get("security").unwrap_or(&document["security"]);
    let alternative = |one: &Value| {
        let names: Vec<&str> = one.as_object().unwrap().keys().map(String::as_str).collect();
        names.join("+")
    };
    let name = operation["operationId"].as_str().unwrap().to_owned();
    let security = security.as_array().into_iter().flatten().map(alternative).collect();
    Operation { name, security, errors, own }
}

/// Checks each route against its operation; `wrong` returns what is wrong.
fn each(wrong: impl Fn(&Route, &Operation) -> Option<String>) {
    let operations = operations(&document());
    let mut found = Vec::new();
    for route in routes() {
        let operation = &operations[&(route.method.to_owned(), route.path.to_owned())];
        if let Some(wrong) = wrong(&route, operation) {
            found.push(format!("{} {}: {wrong}", route.method, route.path));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Says that an operation must have an error, or must not.
fn error(operation: &Operation, name: &str, expected: bool) -> Option<String> {
    let must = if expected { "lacks" } else { "must not have" };
    (operation.has(name) != expected).then(|| format!("{must} {name}"))
}

#[test]
fn the_deflated_document_is_that_of_the_documentation() {
    let inflated = Document::new().unwrap();
    let found: Value = serde_json::from_slice(&inflated.plain).unwrap();
    assert!(found == document(), "run tools/openapi compress after a change of docs/openapi.json");
    let spaces = inflated.plain.windows(2).filter(|two| two == b"\": " || two == b"\n");
    assert_eq!(spaces.count(), 0, "it is minified");
    assert!(DEFLATED.len() < inflated.plain.len() / 3, "{}", DEFLATED.len());
}

#[test]
fn the_document_is_of_this_version_and_for_every_server() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["servers"][0]["url"], "/");
    assert_eq!(document["servers"].as_array().unwrap().len(), 1);
}

#[test]
fn the_compressed_form_is_a_gzip_file() {
    assert_eq!(crc(b""), 0);
    assert_eq!(crc(b"123456789"), 0xcbf4_3926);
    let Document { plain, gzip, crc } = Document::new().unwrap();
    let (head, rest) = gzip.split_at(10);
    assert_eq!(head, [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
    let (deflated, trailer) = rest.split_at(rest.len() - 8);
    assert_eq!(decompress_to_vec_with_limit(deflated, plain.len()).unwrap(), plain);
    assert_eq!(trailer[..4], crc.to_le_bytes());
    assert_eq!(trailer[4..], (plain.len() as u32).to_le_bytes());
}

#[test]
fn every_route_is_an_operation_and_every_operation_a_route() {
    let rows: BTreeSet<_> =
        routes().iter().map(|route| (route.method.to_owned(), route.path.to_owned())).collect();
    let operations = operations(&document());
    let found: BTreeSet<_> = operations.keys().cloned().collect();
    assert_eq!(found, rows);
    let names: BTreeSet<_> = operations.values().map(|operation| &operation.name).collect();
    assert_eq!(names.len(), rows.len(), "each has a name of its own");
}

/// The endpoints for everybody that take something all the same, and the ones of users that do not take
/// all that the guard takes: with what they take.
const OTHERWISE: &[(&str, &[&str])] = &[
    ("POST /api/refresh", &["", "bearer"]),
    ("POST /api/session", &["", "bearer"]),
    ("DELETE /api/session", &["", "bearer", "sessionCookie"]),
    ("GET /api/finalize", &["mailedToken"]),
    ("GET /api/finalize/check", &["mailedToken"]),
    ("GET /api/reset_finalize", &["mailedToken"]),
    ("POST /api/reset_finalize", &["mailedToken"]),
    ("GET /api/app-passwords", &["accessTokenCookie", "bearer"]),
];

fn expected_security(route: &Route) -> BTreeSet<String> {
    let name = format!("{} {}", route.method, route.path);
    let read = ["accessTokenCookie", "appPassword", "bearer", "sessionCookie"];
    let anybody = [&[""][..], &read].concat();
    let schemes = match (&route.handler.0, route.method) {
        _ if OTHERWISE.iter().any(|(row, _)| *row == name) => {
            OTHERWISE.iter().find(|(row, _)| *row == name).unwrap().1
        }
        (Guarded::Public(_), _) => &[],
        // Also for those whom nobody knows: access rules may let them through, and a page asks who it is.
        (Guarded::Either(_), _) => &anybody[..],
        (Guarded::User(_), "GET") => &read,
        // A token in a cookie is a token; the cookie of a browser session and an app password are not.
        (Guarded::Admin(_), "GET") => &["accessTokenCookie", "bearer"],
        _ => &["bearer"],
    };
    schemes.iter().map(|&scheme| scheme.to_owned()).collect()
}

#[test]
fn security_is_what_the_guard_takes() {
    each(|route, operation| {
        let expected = expected_security(route);
        (operation.security != expected)
            .then(|| format!("{:?} instead of {expected:?}", operation.security))
    });
    for (name, _) in OTHERWISE {
        let rows = routes();
        assert!(rows.iter().any(|row| format!("{} {}", row.method, row.path) == **name), "{name}");
    }
}

/// The errors of every request that shows a token and needs one.
const OF_TOKENS: [&str; 9] = [
    "MissingToken",
    "InvalidTokenHeader",
    "MissingClaimError",
    "ExpiredAccessError",
    "MisusedRegistrationToken",
    "MisusedResetToken",
    "MissingUserError",
    "InvalidUserError",
    "BlacklistedError",
];

#[test]
fn an_operation_for_users_has_the_errors_of_the_guard() {
    each(|route, operation| {
        let expected = match route.handler.0 {
            // What the handler answers itself. One with a token has errors of tokens all the same.
            Guarded::Public(_) | Guarded::Either(_) => return None,
            _ => OF_TOKENS.iter().map(|name| error(operation, name, true)),
        };
        let mut wrong: Vec<String> = expected.flatten().collect();
        wrong.extend(error(operation, "AppPasswordNotAllowedError", true));
        wrong.extend(error(operation, "SessionEndedError", route.method == "GET"));
        wrong.extend(error(operation, "SeveralSessionsError", route.method == "GET"));
        wrong.extend(error(operation, "InvalidAppPasswordError", route.method == "GET"));
        (!wrong.is_empty()).then(|| wrong.join(", "))
    });
}

#[test]
fn roles_factors_recent_logins_and_throttles_have_their_errors() {
    each(|route, operation| {
        let name = format!("{} {}", route.method, route.path);
        let is = |names: &[&str]| names.contains(&name.as_str());
        let proxies = route.asked_by_proxies;
        let admin = matches!(route.handler.0, Guarded::Admin(_));
        let user = matches!(route.handler.0, Guarded::User(_) | Guarded::Admin(_));
        // One's own session may end without.
        let recent = route.recent || is(&["DELETE /api/sessions/{id}"]);
        // An account that must have a second factor cannot turn it off.
        let factor = user && !route.without_factor || proxies || is(&["DELETE /api/second-factor"]);
        // Wrong app passwords are throttled wherever they are taken, and told to proxies otherwise. The
        // setup counts like a registration, a test mail by the audit.
        let throttled = route.throttle != Throttle::None
            || user && route.method == "GET"
            || is(&["POST /api/setup", "POST /api/admin/test-mail", "POST /api/reset_finalize"]);
        let wrong: Vec<String> = [
            error(operation, "MissingRoleError", admin || proxies),
            error(operation, "ReauthenticationRequired", recent),
            error(operation, "SecondFactorMissing", factor),
            error(operation, "TooManyRequests", throttled),
            error(operation, "AccessDeniedError", proxies),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!wrong.is_empty()).then(|| wrong.join(", "))
    });
}

#[test]
fn every_error_is_in_the_document_with_its_status_and_no_other() {
    let known = [named_in("src/error.rs"), named_in("engine/src/http/refusal.rs")].concat();
    let known: BTreeSet<(u16, String)> =
        known.into_iter().map(|(status, name)| (status.parse().unwrap(), name)).collect();
    assert!(known.len() > 40, "{known:?}");
    let document = document();
    let found: BTreeSet<(u16, String)> =
        operations(&document).into_values().flat_map(|operation| operation.errors).collect();
    assert_eq!(found.difference(&known).collect::<Vec<_>>(), Vec::<&(u16, String)>::new());
    assert_eq!(known.difference(&found).collect::<Vec<_>>(), Vec::<&(u16, String)>::new());
}

#[test]
fn what_the_engine_answers_is_in_every_operation() {
    let document = document();
    let engine: BTreeSet<String> =
        named_in("engine/src/http/refusal.rs").into_iter().map(|(_, name)| name).collect();
    for ((method, path), operation) in operations(&document) {
        let names: BTreeSet<_> = operation.errors.iter().map(|(_, name)| name.clone()).collect();
        let missing: Vec<_> = engine.difference(&names).collect();
        assert!(missing.is_empty(), "{method} {path} lacks {missing:?}");
    }
}

#[test]
fn differences_between_route_and_operation_are_found() {
    let operation = json!({
        "operationId": "x",
        "security": [{"bearer": []}, {}],
        "responses": {
            "200": {},
            "403": {"x-errors": ["MissingRoleError"]},
            "408": {"$ref": "#/components/responses/Late"},
        },
    });
    let late = json!({"x-every-operation": true, "x-errors": ["RequestTimeout"]});
    let document = json!({
        "components": {"responses": {"Late": late}},
        "paths": {"/x": {"parameters": [], "get": operation}},
    });
    let operations = operations(&document);
    assert_eq!(operations.len(), 1);
    let operation = &operations[&("GET".to_owned(), "/x".to_owned())];
    let expected = ["".to_owned(), "bearer".to_owned()].into();
    assert_eq!(operation.security, expected);
    assert_eq!(operation.errors.len(), 2);
    assert_eq!(error(operation, "MissingRoleError", true), None);
    assert!(error(operation, "MissingRoleError", false).unwrap().contains("must not have"));
    assert!(error(operation, "RequestTimeout", true).unwrap().contains("lacks"));
}
