//! The comparing itself: it finds each kind of difference, and takes what is as it should be.

use std::io::Write as _;
use std::net::TcpListener;

use serde_json::{Value, json};

use super::closed::closed;
use super::{Answer, Asked, Document, take_request, text};
use crate::support::{Client, Server};

/// A small document with each kind of thing that is compared.
fn small() -> Document {
    let person = json!({
        "type": "object",
        "required": ["name"],
        "properties": {"name": {"type": "string"}, "email": {"type": ["string", "null"]}},
    });
    let error = json!({
        "type": "object",
        "required": ["error", "message", "status_code"],
        "properties": {
            "error": {"type": "string"},
            "message": {"type": "string"},
            "status_code": {"type": "integer"},
        },
    });
    Document::new(&json!({
        "x-every-answer": ["Date", "Content-Length", "Content-Type"],
        "components": {
            "schemas": {"Person": person, "Error": error},
            "headers": {"Wait": {"required": true, "schema": {"type": "integer", "minimum": 1}}},
            "responses": {"TooMany": {
                "x-errors": ["TooManyRequests"],
                "headers": {"Retry-After": {"$ref": "#/components/headers/Wait"}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }},
        },
        "paths": {
            "/api/people/{id}": {"get": {"responses": {
                "200": {
                    "headers": {"Cache-Control": {"schema": {"const": "no-store"}}},
                    "content": {"application/json": {"schema": {"allOf": [
                        {"$ref": "#/components/schemas/Person"},
                        {"type": "object", "properties": {"id": {"type": "integer"}}},
                    ]}}},
                },
                "429": {"$ref": "#/components/responses/TooMany"},
            }}},
            "/api/people/all": {"delete": {"responses": {"204": {"description": "Done"}}}},
        },
    }))
}

/// An answer in JSON.
fn answer(status: u16, fields: &str, body: &Value) -> (String, String) {
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\n{fields}\r\n");
    (head, body.to_string())
}

/// Compares an answer with the small document; `expected` is a part of what is wrong, empty if nothing
/// is.
#[track_caller]
fn check(request: &str, (head, body): &(String, String), expected: &str) {
    let (method, path) = request.split_once(' ').unwrap();
    let asked = Asked { method: method.into(), path: path.into() };
    let found = small().compare(&asked, &Answer::parse(head, body)).err().unwrap_or_default();
    let as_expected = if expected.is_empty() { found.is_empty() } else { found.contains(expected) };
    assert!(as_expected, "{request} {head}{body}: {found:?} instead of {expected:?}");
}

const ONE: &str = "GET /api/people/7?x=1";

#[test]
fn an_answer_as_documented_is_taken() {
    for body in [json!({"name": "Ada"}), json!({"name": "Ada", "email": null, "id": 7})] {
        check(ONE, &answer(200, "", &body), "");
        check(ONE, &answer(200, "Cache-Control: no-store\r\n", &body), "");
    }
    let error = json!({"error": "TooManyRequests", "message": "Wait", "status_code": 429});
    check(ONE, &answer(429, "Retry-After: 3\r\n", &error), "");
    // An answer to HEAD has the same fields, and no body.
    let (head, _) = answer(200, "Cache-Control: no-store\r\n", &json!(null));
    check("HEAD /api/people/7", &(head, String::new()), "");
    let nothing = |fields: &str| (format!("HTTP/1.1 204 X\r\n{fields}\r\n"), String::new());
    check("DELETE /api/people/all", &nothing(""), "");
    check("OPTIONS /api/people/all", &nothing("Allow: DELETE, OPTIONS\r\n"), "");
    // Pages and the routes of others are not in the document.
    check("GET /login", &answer(200, "X-Any: 1\r\n", &json!([1])), "");
    check("GET /people", &answer(404, "X-Any: 1\r\n", &json!([1])), "");
}

#[test]
fn each_difference_is_found() {
    let ada = json!({"name": "Ada"});
    check(ONE, &answer(201, "", &ada), "status 201 is not there");
    check(ONE, &answer(200, "X-Other: 1\r\n", &ada), "the header field x-other is not there");
    check(
        ONE,
        &answer(200, "Cache-Control: public\r\n", &ada),
        "the header field cache-control is",
    );
    let twice = "Cache-Control: no-store\r\nCache-Control: public\r\n";
    check(ONE, &answer(200, twice, &ada), "the header field cache-control is");
    for body in [
        json!({"name": "Ada", "more": 1}),
        json!({"name": 7}),
        json!({"name": "Ada", "email": 7}),
        json!({"name": "Ada", "id": "7"}),
        json!({"email": null}),
        json!([]),
    ] {
        check(ONE, &answer(200, "", &body), "the body at");
    }
    let error =
        |name: &str, status: u16| json!({"error": name, "message": "x", "status_code": status});
    let wait = "Retry-After: 3\r\n";
    check(ONE, &answer(429, wait, &error("Other", 429)), "the error Other is not there");
    check(ONE, &answer(429, wait, &error("TooManyRequests", 403)), "status_code is 403");
    check(ONE, &answer(429, "", &error("TooManyRequests", 429)), "retry-after is missing");
    for value in ["0", "soon"] {
        let fields = format!("Retry-After: {value}\r\n");
        check(ONE, &answer(429, &fields, &error("TooManyRequests", 429)), "field retry-after is");
    }
    let text = |head: &str| (format!("HTTP/1.1 200 X\r\n{head}\r\n"), "{}".to_owned());
    check(ONE, &text("Content-Type: text/html\r\n"), "content type text/html is not there");
    check(ONE, &text(""), "there is no content type");
    let (head, _) = answer(200, "", &ada);
    check(ONE, &(head, "{".into()), "no JSON");
    check("HEAD /api/people/7", &answer(200, "X-Other: 1\r\n", &ada), "x-other");
    let body = answer(204, "", &json!({}));
    check("DELETE /api/people/all", &body, "content type application/json is not there");
}

#[test]
#[should_panic(expected = "docs/openapi.json: status 299 is not there")]
fn the_client_compares_the_answers_that_it_reads() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = Client::connect(listener.local_addr().unwrap()).compared();
    client.send("GET /api/ready HTTP/1.1\r\n\r\n");
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"HTTP/1.1 299 X\r\nContent-Length: 0\r\n\r\n").unwrap();
    client.reply("GET");
}

#[test]
fn errors_without_an_operation_are_compared_too() {
    let known = json!({"error": "TooManyRequests", "message": "x", "status_code": 429});
    let unknown = json!({"error": "Other", "message": "x", "status_code": 429});
    for request in ["GET /api/nothing", "PATCH /api/people/7", "get /api/people/7"] {
        check(request, &answer(429, "", &known), "");
        check(request, &answer(429, "", &unknown), "no operation has the error");
        check(request, &answer(429, "X-Other: 1\r\n", &known), "x-other");
        check(request, &answer(429, "Allow: GET\r\n", &known), "allow");
        check(request, &answer(429, "", &json!({"error": "TooManyRequests"})), "the body at");
    }
}

#[test]
fn the_most_literal_path_counts() {
    let small = small();
    for (path, expected) in [
        ("/api/people/7", "GET"),
        ("/api/people/all", "DELETE"),
        ("/api/people/", ""),
        ("/api/people/7/8", ""),
        ("/api/people", ""),
    ] {
        let found = small.at(path);
        let methods: Vec<&str> = found.iter().map(|one| one.method.as_str()).collect();
        assert_eq!(methods.join(" "), expected, "{path}");
    }
}

#[test]
fn objects_are_closed_where_their_schema_leaves_them_open() {
    let open = json!({"type": "object"});
    let text = json!({"components": {"schemas": {"Open": open}}});
    for (schema, instance, expected) in [
        (json!({"$ref": "#/components/schemas/Open"}), json!({"a": 1}), false),
        (json!({"$ref": "#/components/schemas/Open", "description": "x"}), json!({"a": 1}), false),
        (json!({"type": "array", "items": open}), json!([{"a": 1}]), false),
        (json!({"properties": {"b": open}}), json!({"b": {"a": 1}}), false),
        (json!({"properties": {"b": open}}), json!({"b": {}}), true),
        (json!({"anyOf": [{"type": "null"}, {"properties": {"a": {}}}]}), json!({"a": 1}), true),
        (json!({"anyOf": [{"type": "null"}, {"properties": {"a": {}}}]}), json!({"b": 1}), false),
        (json!({"type": "object", "additionalProperties": true}), json!({"a": 1}), true),
        (json!({"type": ["object", "null"]}), json!({"a": 1}), false),
        (json!({"type": ["object", "null"]}), json!(null), true),
    ] {
        let closed = closed(&text, &schema);
        let found = jsonschema::is_valid(&closed, &instance);
        assert_eq!(found, expected, "{schema} {instance}: {closed}");
    }
}

#[test]
fn requests_are_found_in_what_was_sent() {
    let check = |sent: &str, expected: Option<&str>, rest: &str| {
        let mut sent = sent.as_bytes().to_vec();
        let found = take_request(&mut sent);
        let found = found.map(|Asked { method, path }| format!("{method} {path}"));
        assert_eq!(found.as_deref(), expected);
        assert_eq!(String::from_utf8(sent).unwrap(), rest);
    };
    let next = "GET /b HTTP/1.1\r\n\r\n";
    check(&format!("GET /a?x HTTP/1.1\r\nA: b\r\n\r\n{next}"), Some("GET /a?x"), next);
    let body = "POST /a HTTP/1.0\r\nContent-Length: 2\r\n\r\nab";
    check(&format!("{body}{next}"), Some("POST /a"), next);
    // The answer came before the rest of the request.
    check("POST /a HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", Some("POST /a"), "");
    check("POST /a HTTP/1.1\r\nA: b", Some("POST /a"), "");
    let chunked = "POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    check(&format!("{chunked}{next}"), Some("POST /a"), "");
    for unclear in [
        "",
        "GET /a",
        "GET /a\r\n\r\n",
        "GET  /a HTTP/1.1\r\n\r\n",
        "x\r\n\r\n",
        "GET /a HTTP/2\r\n",
    ] {
        check(unclear, None, "");
    }
}

#[test]
fn a_path_is_found_in_every_form_of_a_target() {
    for (target, expected) in
        [("/a/b?c=/d", "/a/b"), ("http://host:80/a?b", "/a"), ("https://host", "/"), ("*", "*")]
    {
        let asked = Asked { method: "GET".into(), path: target.into() };
        assert_eq!(asked.path(), expected, "{target}");
    }
}

#[test]
fn a_server_without_pages_gives_the_document_in_each_form() {
    const PATH: &str = "/api/openapi.json";
    let server = Server::start(&["--web", "off"]);
    let plain = server.get(PATH);
    assert_eq!((plain.status(), plain.json()), (200, text()));
    let tag = plain.header("etag").unwrap();
    for (method, encoding, known, status, coding) in [
        ("HEAD", "identity", "", 200, None),
        ("HEAD", "gzip", "", 200, Some("gzip")),
        ("HEAD", "gzip", tag, 200, Some("gzip")),
        ("GET", "identity", tag, 304, None),
        ("HEAD", "identity", tag, 304, None),
        ("GET", "gzip", "*", 304, None),
    ] {
        let fields = [("Accept-Encoding", encoding), ("If-None-Match", known)];
        let reply = server.send(method, PATH, &fields, "");
        assert_eq!(
            (reply.status(), reply.header("content-encoding")),
            (status, coding),
            "{reply:?}"
        );
        assert_eq!(reply.header("cache-control"), Some("no-cache"), "{reply:?}");
        let vary: Vec<&str> =
            reply.head.lines().filter(|line| line.starts_with("Vary: ")).collect();
        assert_eq!(vary, ["Vary: Accept-Encoding", "Vary: Origin"]);
        assert_eq!(reply.header("etag") == Some(tag), encoding == "identity", "{reply:?}");
    }
}
