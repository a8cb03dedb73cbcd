//! The examples of `docs/openapi.json`, run: each request is sent to a server in the state that the
//! examples describe, and the answer is that of the example. What differs from one run to the next, as
//! tokens, ids and times do, is compared by its type.

mod cases;
mod prepare;
mod same;
mod world;

use std::collections::BTreeSet;

use serde_json::Value;

use crate::document::text;
use crate::support::Reply;
use cases::{Case, cases, examples, operations};
use prepare::{Sent, prepare};
use same::same;
use world::{Bob, World};

fn send(world: &World, bob: &Bob, case: &Case, sent: Sent) -> Reply {
    let operation = &case.operation;
    let mut path = operation.path.clone();
    for parameter in sent.parameters {
        let (start, end) = (path.find('{').unwrap(), path.find('}').unwrap());
        path.replace_range(start..=end, &parameter);
    }
    path += sent.query;
    let mut body = sent.body.or(case.request.as_ref().map(|example| example.value.clone()));
    for (name, value) in sent.fields {
        let field = body.as_mut().unwrap().get_mut(name);
        *field.unwrap_or_else(|| panic!("{} has no {name}", case.label)) = value.into();
    }
    let media = case.request.as_ref().map_or("", |example| &example.media);
    let body = match body {
        Some(Value::String(text)) if media == "text/plain" => text,
        Some(body) => body.to_string(),
        None => String::new(),
    };
    let own = || match operation.takes_token() {
        true if path.starts_with("/api/admin/") => Some(world.ada.clone()),
        true => Some(bob.token.clone()),
        false => None,
    };
    let token = sent.token.or_else(own);
    world.ask_with(media, &operation.method, &path, token.as_deref(), &body)
}

/// Sends an example, and compares the answer with the example's.
fn run(world: &World, text: &Value, case: &Case) {
    let label = &case.label;
    let bob = world.fresh();
    let sent = prepare(world, &bob, text, case);
    let reply = send(world, &bob, case, sent);
    assert!((200..400).contains(&reply.status()), "{label}: {reply:?}");
    match case.answer(text, reply.status()) {
        _ if label == "getOpenApi" => assert_eq!(reply.json(), *text),
        None => assert_eq!(reply.body, "", "{label} has no example"),
        Some(example) => {
            let compared = same("", &example, &reply.json());
            assert_eq!(compared, Ok(()), "{label}: {reply:?}");
        }
    }
}

const MAIL: [&str; 4] = ["--mail", "dir:mails", "--mail-from", "lictor@login.example.org"];
/// The examples that need another server than most, by the server's flags.
const ELSEWHERE: &[(&[&str], &[&str])] = &[
    (
        &["--registration", "email"],
        &[
            "register Email",
            "finishRegistration Registration",
            "finishRegistration NewEmail",
            "checkRegistrationLink",
        ],
    ),
    (
        &["--registration", "email", "--mail", "smtp://127.0.0.1:1"],
        &["adminListMails", "adminRetryMail", "adminDeleteMail", "adminGetTestMail Waits"],
    ),
    (&["--registration", "invite"], &["register Invitation", "adminInvite Mailed"]),
    (
        &["--access", "rules", "--cookie-domain", "example.org"],
        &[
            "getBrowserSession LoggedIn",
            "getBrowserSession Nobody",
            "getBrowserSession NoSuchPlace",
            "listApps",
        ],
    ),
    (&["--access-lifespan", "1h", "--early-refresh", "2h"], &["refresh", "refresh text/plain"]),
    (&[], &["setUp"]),
    (&["--jwt-algorithm", "EdDSA"], &["listPublicKeys"]),
];

/// Runs these examples on a server with these flags besides the usual ones.
fn run_on(flags: &[&str], labels: &[&str]) {
    let text = text();
    let mail = if flags.contains(&"--mail") {
        &["--mail-from", "lictor@login.example.org"][..]
    } else {
        &MAIL
    };
    let usual = ["--throttle", "off", "--public-url", world::URL];
    let open =
        if flags.contains(&"--registration") { &[][..] } else { &["--registration", "open"] };
    let flags = [&usual, mail, open, flags].concat();
    let world = match labels {
        ["setUp"] => World::without_administrator(&flags),
        _ => World::start(&flags),
    };
    for case in cases(&text).iter().filter(|case| labels.contains(&case.label.as_str())) {
        run(&world, &text, case);
    }
}

fn elsewhere() -> Vec<&'static str> {
    ELSEWHERE.iter().flat_map(|(_, labels)| labels.iter().copied()).collect()
}

#[test]
fn most_examples_are_what_a_server_answers() {
    let (cases, elsewhere) = (cases(&text()), elsewhere());
    let labels = cases.iter().map(|case| case.label.as_str());
    let here: Vec<&str> = labels.filter(|label| !elsewhere.contains(label)).collect();
    run_on(&[], &here);
}

#[test]
fn the_others_are_what_other_servers_answer() {
    for (flags, labels) in ELSEWHERE {
        run_on(flags, labels);
    }
}

#[test]
fn no_example_of_a_request_is_left_out() {
    let text = text();
    let cases = cases(&text);
    let labels: BTreeSet<&str> = cases.iter().map(|case| case.label.as_str()).collect();
    assert_eq!(labels.len(), cases.len(), "two examples have one label");
    for label in elsewhere() {
        assert!(labels.contains(label), "the document has no {label}");
    }

    // Counted in another way than cases() finds them.
    let items = text["paths"].as_object().unwrap().values();
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    let bodies = operations.filter_map(|one| one["requestBody"]["content"].as_object());
    let counts = bodies.flat_map(|body| body.values()).map(|content| {
        let named = content["examples"].as_object().map_or(0, |named| named.len());
        named + usize::from(content.get("example").is_some())
    });
    let counts: Vec<usize> = counts.collect();
    assert!(!counts.contains(&0), "a request has no example: {counts:?}");
    let sent = cases.iter().filter(|case| case.request.is_some()).count();
    assert_eq!(sent, counts.iter().sum::<usize>());
}

#[test]
fn every_answer_in_json_has_an_example() {
    let text = text();
    for operation in operations(&text) {
        for (status, answer) in operation.content["responses"].as_object().unwrap() {
            let json = answer["content"].get("application/json").is_some();
            let missing = status.starts_with('2') && json && examples(&text, answer).is_empty();
            assert!(!missing, "{} {status}", operation.id);
        }
    }
}
