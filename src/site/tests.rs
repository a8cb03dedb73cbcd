//! A database across a network gives the same answers as one in a file, and no thread waits for it
//! that must not.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::pools::{CHECK, HASH, READ, WRITE};
use super::*;
use crate::config::{Config, SecondFactorRule};
use crate::guard::SessionClaims;
use crate::http::{Answer, Header, Overload, Queued, Service};
use crate::keys::Secret;
use crate::route::Handler;
use crate::store::{Actor, Authority, Change, Entry, Event, Network};
use crate::values::{Role, Roles};

const NOW: Timestamp = Timestamp(1_800_000_000);
/// When the tokens were issued.
const THEN: Timestamp = Timestamp(NOW.0 - 1_000);

/// A private directory that is deleted with the value.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("lictor-site-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Place(path)
    }

    /// A site on this place's database.
    fn site(&self, change: &dyn Fn(&mut Config), network: Option<&Arc<Network>>) -> Site {
        let secret = Secret::new("correct horse battery staple, and more").unwrap();
        let mut config = Config::new(self.0.join("app.db"), secret);
        config.engine.slow_workers = 1;
        config.access_lifespan = std::time::Duration::from_secs(5_000);
        change(&mut config);
        let mut app = App::open(config).unwrap();
        if let Some(network) = network {
            app.store = Arc::new(Arc::into_inner(app.store).unwrap().across(network));
        }
        let user = |call: &Call<'_>, user: &crate::guard::Identity| {
            Ok(Response::text(200, &format!("{} {}", user.name(), call.request.parameter)))
        };
        let editor = Role::parse("editor").unwrap();
        let told = |_: &Call<'_>, who: Result<crate::guard::Identity, Error>| {
            let who =
                who.map(|user| format!("{} {:?} {:?}", user.name(), user.way(), user.email()));
            Ok(Response::text(200, &who.unwrap_or_else(|error| error.kind().name.to_owned())))
        };
        Site::new(app)
            .unwrap()
            .with_route(Route::new("GET", "/role", Handler::role(editor, user)))
            .with_route(Route::new(
                "GET",
                "/admin/{id}",
                Handler::admin(|_, admin| Ok(Response::text(200, admin.identity().name()))),
            ))
            .with_route(Route::new("GET", "/recent", Handler::user(user)).recent())
            .with_route(Route::new("POST", "/post/{id}", Handler::user(user)))
            .with_route(Route::new("GET", "/fails", Handler::user(|_, _| Err(Error::NotFound))))
            .with_route(Route::new("GET", "/reads", Handler::user(user)).reads())
            .with_route(Route::new("GET", "/told", Handler::either(told)))
            .with_route(Route::new("GET", "/any", Handler::user(user)).without_factor())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A request of a test.
struct Ask<'a> {
    method: &'a str,
    path: &'a str,
    headers: Vec<Header<'a>>,
}

impl Ask<'_> {
    fn request(&self) -> Request<'_> {
        let mut request = Request::new(self.method, self.path, &self.headers);
        request.peer = Some([192, 0, 2, 1].into());
        request
    }
}

/// Answers as the engine does, each request alone; returns the pools in which it waited as well.
fn answer(site: &Site, request: &Request<'_>) -> (Response, Vec<usize>) {
    let mut pools = Vec::new();
    let mut answer = site.answer(request, NOW);
    loop {
        match answer {
            Answer::Ready(response) => return (response, pools),
            Answer::Queue(queued) => {
                pools.push(queued.pool);
                let mut batch = [queued];
                site.prepare(pools[pools.len() - 1], &mut batch, NOW);
                let [queued] = batch;
                answer = site.answer_queued(request, queued, NOW);
            }
        }
    }
}

fn shown(response: &Response) -> String {
    let Response { status, .. } = response;
    let headers: Vec<_> = response.headers().collect();
    let body = String::from_utf8_lossy(response.body());
    format!("{status} {:?} {headers:?} {body}", response.content_type())
}

/// The tokens of a test, each with a name: two of each, since the first use may change something. And
/// the cookies of their sessions, by token.
struct Tokens(Vec<(&'static str, [String; 2])>, BTreeMap<String, String>);

/// Users in all states, and their tokens.
fn tokens(site: &Site) -> Tokens {
    let app = &site.app();
    let entry = Entry {
        event: Event::UserAdded,
        user: None,
        name: None,
        actor: Actor::Operator,
        detail: "",
    };
    let by = Authority::Operator;
    let add = |name: &str, roles: &str| {
        let roles = Roles::parse(roles).unwrap();
        let email = format!("{name}@x.example");
        app.add_user(name, Some(&email), "ten wooden lanterns", &roles).unwrap()
    };
    let ids = [
        ("ada", "user"),
        ("eve", "user,editor"),
        ("root", "admin"),
        ("idle", "user"),
        ("gone", "user"),
    ];
    let [ada, eve, root, idle, gone] = ids.map(|(name, roles)| add(name, roles));
    let cookies = RefCell::new(BTreeMap::new());
    let mint = |id: i64, session: &SessionClaims| {
        let token = app.tokens.mint(session, id, &Roles::default()).unwrap();
        let cookie = app.cookie_keys.write(&session.jti).unwrap();
        cookies.borrow_mut().insert(token.clone(), cookie);
        token
    };
    let begin = |id: i64, at: Timestamp| {
        let session = app.tokens.begin(at).unwrap();
        let found = app.store.credentials_of(id).unwrap().unwrap();
        let new = crate::store::NewSession {
            jti: &session.jti,
            issued: at,
            expires: session.rf_exp,
            origin: crate::store::ClientInfo { ip: None, agent: "" },
            notice: false,
            cookie: true,
        };
        let proof = crate::store::Proof { password: &found.hash, second: None };
        assert!(app.store.begin(id, &new, &proof, &entry, at).unwrap());
        (mint(id, &session), session)
    };
    let twice = |id, at| [begin(id, at).0, begin(id, at).0];
    let unknown = |id| [0, 1].map(|_| mint(id, &app.tokens.begin(THEN).unwrap()));
    let ended = |id| {
        [0, 1].map(|_| {
            let (token, session) = begin(id, THEN);
            let one = crate::store::SessionScope::One(&session.jti);
            assert_eq!(app.store.end(id, one, &by, &entry, NOW).unwrap(), 1);
            token
        })
    };
    // The session of one user in the token of another.
    let foreign = [0, 1].map(|_| mint(eve, &begin(ada, THEN).1));
    let tokens = vec![
        ("good", twice(ada, THEN)),
        ("editor", twice(eve, THEN)),
        ("admin", twice(root, THEN)),
        ("recent", twice(ada, Timestamp(NOW.0 - 10))),
        ("expired", twice(ada, Timestamp(NOW.0 - 5_001))),
        ("future", twice(ada, Timestamp(NOW.0 + 1_000))),
        ("ended", ended(ada)),
        ("foreign", foreign),
        ("unknown", unknown(ada)),
        ("unknown editor", unknown(eve)),
        ("unknown, no user", unknown(999)),
        ("unknown, inactive", unknown(idle)),
        ("unknown, deleted", unknown(gone)),
        ("inactive", twice(idle, THEN)),
        ("deleted", twice(gone, THEN)),
        ("garbage", ["a.b.c", "a.b.c"].map(str::to_owned)),
    ];
    assert!(app.store.change(idle, &Change::Active(false), &by, &entry, NOW).unwrap());
    assert!(app.store.delete(gone, &by, &entry, NOW).unwrap());
    Tokens(tokens, cookies.into_inner())
}

const PATHS: [(&str, &str); 13] = [
    ("GET", "/api/protected"),
    ("HEAD", "/api/protected"),
    ("GET", "/api/verify"),
    ("GET", "/api/verify?role=editor"),
    ("GET", "/api/verify?rule=editor"),
    ("GET", "/role"),
    ("GET", "/admin/7"),
    ("GET", "/recent"),
    ("POST", "/post/7"),
    ("GET", "/fails"),
    ("GET", "/reads"),
    ("GET", "/any"),
    ("GET", "/told"),
];

/// How a request brings a token, of which the text is the first part of a header's value.
const CARRIERS: [(&str, &str); 4] = [
    ("Authorization", "Bearer "),
    ("Cookie", "access_token="),
    ("Cookie", SESSION_COOKIE),
    ("Authorization", "Basic "),
];
const SESSION_COOKIE: &str = "__Host-lictor=";

type Settings = (&'static str, &'static dyn Fn(&mut Config));

#[test]
fn a_database_across_a_network_gives_the_same_answers() {
    let settings: [Settings; 4] = [
        ("default", &|_| ()),
        ("adopt", &|config| config.adopt_tokens = true),
        ("recent", &|config| config.reauthenticate = Some(std::time::Duration::from_secs(100))),
        ("factor", &|config| config.require_second_factor = SecondFactorRule::Admin),
    ];
    for (name, change) in settings {
        let place = Place::new();
        let network = Arc::default();
        let (direct, remote) = (place.site(change, None), place.site(change, Some(&network)));
        let tokens = tokens(&direct);
        let mut statuses = std::collections::BTreeSet::new();
        for (token, both) in &tokens.0 {
            for ((method, path), (field, scheme)) in
                PATHS.into_iter().flat_map(|path| CARRIERS.map(|carrier| (path, carrier)))
            {
                let [first, second] = both.each_ref().map(|token| {
                    let cookie = tokens.1.get(token).filter(|_| scheme == SESSION_COOKIE);
                    let token = cookie.unwrap_or(token);
                    let value = format!("{scheme}{token}").into_bytes();
                    (value, b"https://app.example")
                });
                let [first, second] = [&first, &second].map(|(value, origin)| Ask {
                    method,
                    path,
                    headers: vec![
                        Header { name: field, value },
                        Header { name: "Origin", value: *origin },
                    ],
                });
                let expected = shown(&answer(&direct, &first.request()).0);
                let (response, pools) = answer(&remote, &second.request());
                let what = format!("{name}: {method} {path}, {token}, {field}: {scheme}");
                // Both tokens of a pair are of the same user, so the answers are the same.
                assert_eq!(shown(&response), expected, "{what}");
                assert_eq!(shown(&remote.handle(&second.request(), NOW)), expected, "{what}");
                assert!(pools.len() <= 2 && !pools.contains(&HASH), "{what}: {pools:?}");
                statuses.insert(response.status);
            }
        }
        assert!([200, 400, 401, 403, 404].iter().all(|one| statuses.contains(one)), "{statuses:?}");
    }
}

/// The pools in which a request of a token waits, and how often the database is read.
#[test]
fn only_what_needs_more_than_its_session_waits_again() {
    let check = |change: &dyn Fn(&mut Config), expected: &[(&str, &str, &[usize])]| {
        let place = Place::new();
        let network: Arc<Network> = Arc::default();
        let site = place.site(change, Some(&network));
        let tokens = tokens(&site);
        for (token, path, pools) in expected {
            let (_, [text, _]) = tokens.0.iter().find(|(name, _)| name == token).unwrap();
            let value = format!("Bearer {text}");
            let headers = vec![Header { name: "Authorization", value: value.as_bytes() }];
            network.reads.store(0, Ordering::SeqCst);
            let ask = Ask { method: "GET", path, headers };
            assert_eq!(answer(&site, &ask.request()).1, *pools, "{token} {path}");
            let reads = network.reads.load(Ordering::SeqCst);
            match pools {
                [] => assert_eq!(reads, 0, "{token} {path}"),
                [CHECK] => assert_eq!(reads, 1, "{token} {path}"),
                _ => {}
            }
        }
    };
    check(
        &|_| (),
        &[
            ("good", "/api/protected", &[CHECK]),
            ("good", "/role", &[CHECK]),
            ("good", "/reads", &[READ]),
            ("good", "/api/", &[]),
            ("ended", "/api/protected", &[CHECK]),
            ("inactive", "/api/protected", &[CHECK]),
            ("expired", "/api/protected", &[]),
            ("garbage", "/api/protected", &[]),
            ("unknown", "/api/protected", &[CHECK, READ]),
            ("deleted", "/api/protected", &[CHECK, READ]),
            ("foreign", "/api/protected", &[CHECK, READ]),
        ],
    );
    check(
        &|config| config.adopt_tokens = true,
        &[
            ("unknown", "/api/protected", &[CHECK, WRITE]),
            ("unknown", "/api/protected", &[CHECK]),
            ("foreign", "/api/protected", &[CHECK, READ]),
        ],
    );
    check(
        &|config| config.require_second_factor = SecondFactorRule::Admin,
        &[
            ("good", "/api/protected", &[CHECK]),
            ("admin", "/api/protected", &[CHECK, READ]),
            ("admin", "/any", &[CHECK]),
        ],
    );
}

#[test]
fn a_second_factor_that_the_query_of_a_batch_has_found_is_not_asked_for_again() {
    let place = Place::new();
    let network: Arc<Network> = Arc::default();
    let must = |config: &mut Config| config.require_second_factor = SecondFactorRule::All;
    let site = place.site(&must, Some(&network));
    let tokens = tokens(&site);
    let (_, [text, _]) = tokens.0.iter().find(|(name, _)| *name == "good").unwrap();
    let value = format!("Bearer {text}");
    let headers = vec![Header { name: "Authorization", value: value.as_bytes() }];
    let ask = Ask { method: "GET", path: "/api/protected", headers };
    for (found, expected) in [(None, None), (Some(false), Some(403)), (Some(true), Some(200))] {
        let Answer::Queue(queued) = site.answer(&ask.request(), NOW) else { panic!("no check") };
        let mut batch = [queued];
        site.prepare(CHECK, &mut batch, NOW);
        let [mut queued] = batch;
        let check = queued.payload_mut::<super::checks::Check>().unwrap();
        check.standing.as_mut().unwrap().as_mut().unwrap().second_factor = found;
        let answered = without_network(&network, "a check", || {
            site.answer_queued(&ask.request(), queued, NOW)
        });
        let status = match answered {
            Answer::Ready(response) => Some(response.status),
            Answer::Queue(_) => None,
        };
        assert_eq!(status, expected, "{found:?}");
    }
}

#[test]
fn a_batch_is_one_query_and_a_database_that_is_gone_refuses_all_at_once() {
    let place = Place::new();
    let network: Arc<Network> = Arc::default();
    let site = place.site(&|_| (), Some(&network));
    let tokens = tokens(&site);
    let names = ["good", "ended", "good", "unknown", "admin"];
    let values = names.map(|name| {
        let (_, [text, _]) = tokens.0.iter().find(|(one, _)| *one == name).unwrap();
        format!("Bearer {text}")
    });
    let asks = values.each_ref().map(|value| Ask {
        method: "GET",
        path: "/api/protected",
        headers: vec![Header { name: "Authorization", value: value.as_bytes() }],
    });
    for (down, expected) in [(false, "200 403 200 moved 200"), (true, "503 503 503 503 503")] {
        network.down.store(down, Ordering::SeqCst);
        network.reads.store(0, Ordering::SeqCst);
        let queue = |ask: &Ask<'_>| match site.answer(&ask.request(), NOW) {
            Answer::Queue(queued) => queued,
            Answer::Ready(response) => panic!("{}", shown(&response)),
        };
        let mut batch = asks.each_ref().map(queue);
        site.prepare(CHECK, &mut batch, NOW);
        assert_eq!(network.reads.load(Ordering::SeqCst), 1);
        let answers = asks.iter().zip(batch).map(|(ask, queued)| {
            match site.answer_queued(&ask.request(), queued, NOW) {
                Answer::Ready(response) => {
                    let retry = response.headers().any(|(name, _)| name == "Retry-After");
                    assert_eq!(retry, down);
                    response.status.to_string()
                }
                Answer::Queue(queued) => {
                    assert_eq!(queued.pool, READ);
                    "moved".to_owned()
                }
            }
        });
        assert_eq!(answers.collect::<Vec<_>>().join(" "), expected);
        assert_eq!(network.reads.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn a_handler_is_told_who_calls_or_why_that_is_not_known() {
    let place = Place::new();
    let network: Arc<Network> = Arc::default();
    let (direct, remote) = (place.site(&|_| (), None), place.site(&|_| (), Some(&network)));
    let tokens = tokens(&direct);
    let told = |site: &Site, field: &'static str, value: &str| {
        let headers = vec![Header { name: field, value: value.as_bytes() }];
        let (response, _) = answer(site, &Ask { method: "GET", path: "/told", headers }.request());
        (response.status, String::from_utf8_lossy(response.body()).into_owned())
    };
    for (token, by_token, by_cookie) in [
        ("good", "ada Token Some(\"ada@x.example\")", "ada Cookie Some(\"ada@x.example\")"),
        ("ended", "BlacklistedError", "SessionEndedError"),
        ("inactive", "InvalidUserError", "SessionEndedError"),
        ("deleted", "MissingUserError", "SessionEndedError"),
        ("expired", "ExpiredAccessError", "ada Cookie Some(\"ada@x.example\")"),
        ("unknown", "BlacklistedError", "SessionEndedError"),
        ("garbage", "InvalidTokenHeader", "SessionEndedError"),
    ] {
        let (_, [text, _]) = tokens.0.iter().find(|(name, _)| *name == token).unwrap();
        let bearer = format!("Bearer {text}");
        let cookie = format!("{SESSION_COOKIE}{}", tokens.1.get(text).unwrap_or(text));
        for site in [&direct, &remote] {
            assert_eq!(told(site, "Authorization", &bearer), (200, by_token.into()), "{token}");
            assert_eq!(told(site, "Cookie", &cookie), (200, by_cookie.into()), "{token}");
        }
        network.down.store(true, Ordering::SeqCst);
        let needs_no_database = matches!(token, "expired" | "garbage");
        let status = told(&remote, "Authorization", &bearer).0;
        assert_eq!(status, if needs_no_database { 200 } else { 503 }, "{token}");
        network.down.store(false, Ordering::SeqCst);
    }
    for site in [&direct, &remote] {
        assert_eq!(told(site, "Accept", "*/*"), (200, "MissingToken".into()));
    }
}

#[test]
fn a_full_queue_says_what_is_waiting() {
    let place = Place::new();
    let site = place.site(&|_| (), Some(&Arc::default()));
    for (pool, word) in [(HASH, "logins"), (WRITE, "changes"), (READ, "requests")] {
        let request = Request::new("GET", "/", &[]);
        let queued = Queued::new(pool, 0);
        let refused = site.overloaded(&request, &queued, NOW, Overload::Full);
        assert_eq!(refused.status, 503);
        assert!(shown(&refused).contains(&format!("Too many {word} are waiting")), "{pool}");
        assert!(refused.headers().any(|(name, _)| name == "Retry-After"));
    }
    let pools = site.pools();
    let names = pools.iter().map(|pool| (pool.name, pool.batch));
    let expected = [("hash", 1), ("write", 1), ("read", 1), ("check", 256)];
    assert_eq!(names.collect::<Vec<_>>(), expected);
    assert_eq!(place.site(&|_| (), None).pools().len(), 2);
}

/// Does what a worker does; no call may reach the database.
fn without_network<T>(network: &Network, what: &str, work: impl FnOnce() -> T) -> T {
    let calls = || network.reads.load(Ordering::SeqCst) + network.writes.load(Ordering::SeqCst);
    let before = calls();
    let done = work();
    assert_eq!(calls(), before, "a worker waits for the network: {what}");
    done
}

/// Answers as the engine does if every queue is full for the request's client; returns the pools in
/// which the request waited.
fn answer_on_threads(site: &Site, network: &Network, request: &Request<'_>) -> Vec<usize> {
    let what = format!("{} {}", request.method, request.path);
    let mut pools = Vec::new();
    let mut answer = without_network(network, &what, || site.answer(request, NOW));
    while let Answer::Queue(queued) = answer {
        let pool = queued.pool;
        without_network(network, &what, || {
            site.has_priority(request, &queued, NOW);
            site.overloaded(request, &queued, NOW, Overload::Share)
        });
        pools.push(pool);
        if pool == HASH {
            // What follows runs on a thread that may wait, and takes long.
            return pools;
        }
        let mut batch = [queued];
        site.prepare(pool, &mut batch, NOW);
        let [queued] = batch;
        let go_on = || site.answer_queued(request, queued, NOW);
        // After the query of its batch a check is a worker's work.
        answer = if pool == CHECK { without_network(network, &what, go_on) } else { go_on() };
    }
    pools
}

/// Makes the IP address of the tests wait before the next login.
fn exhaust(site: &Site) {
    let peer = Some([192, 0, 2, 1].into());
    let app = site.app();
    let waits = || app.attempts.check_ip(crate::guard::Throttle::Login, peer, NOW).is_err();
    for number in 0..1_000 {
        if waits() {
            return;
        }
        let name = format!("nobody{number}");
        let never = (Timestamp(0), Timestamp(0));
        let attempt = app.attempts.login(&name, peer, None, never, NOW).unwrap();
        let _ = attempt.end::<()>(Err(Error::Authentication));
    }
    panic!("the address does not wait");
}

#[test]
fn no_worker_waits_for_the_network() {
    let place = Place::new();
    let network: Arc<Network> = Arc::default();
    let site = place.site(&|config| config.adopt_tokens = true, Some(&network));
    let tokens = tokens(&site);
    let id = site.app().store.credentials("ada").unwrap().unwrap().person.id;
    let devices = crate::guard::Devices::default().renewed(id, None, NOW).unwrap();
    let secret = site.app().device_keys.write(&devices);
    let body = |name: &str, device: &str| {
        format!(r#"{{"username":"{name}","password":"wrong lanterns","device":"{device}"}}"#)
    };
    let bodies = [body("ada", &secret), body("ada", ""), body("nobody", &secret), String::new()];
    let texts = ["good", "admin", "unknown", "ended"].map(|name| {
        let (_, [text, _]) = tokens.0.iter().find(|(one, _)| *one == name).unwrap();
        Some(format!("Bearer {text}"))
    });
    let shown =
        ["Bearer lap_", "Bearer lap_0123456789abcdefghjkmnpq"].map(|text| Some(text.into()));
    let texts: Vec<Option<String>> = texts.into_iter().chain(shown).collect();
    let mut seen = std::collections::BTreeSet::new();
    for waits in [false, true] {
        if waits {
            exhaust(&site);
        }
        for route in &site.routes {
            let path = route.path.replace("{id}", "7");
            let texts = texts.iter().chain([&None]);
            for (text, body) in texts.flat_map(|text| bodies.iter().map(move |body| (text, body))) {
                let mut headers = vec![Header { name: "Content-Type", value: b"application/json" }];
                if let Some(text) = text {
                    headers.push(Header { name: "Authorization", value: text.as_bytes() });
                }
                let mut request = Request::new(route.method, &path, &headers);
                request.peer = Some([192, 0, 2, 1].into());
                request.body = body.as_bytes();
                let pools = answer_on_threads(&site, &network, &request);
                seen.extend(pools);
            }
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [HASH, WRITE, READ, CHECK]);
}

#[test]
fn app_passwords_that_have_to_wait_do_not_enter_the_queue() {
    let place = Place::new();
    let network: Arc<Network> = Arc::default();
    let site = place.site(&|_| (), Some(&network));
    let send = |path: &'static str, password: &str, from: u8| {
        let value = format!("Bearer {password}");
        let headers = [Header { name: "Authorization", value: value.as_bytes() }];
        let mut request = Request::new("GET", path, &headers);
        request.peer = Some([192, 0, 2, from].into());
        let (response, pools) = answer(&site, &request);
        (response.status, pools)
    };
    let wrong = "lap_0000000000000000000000zz";
    for path in ["/api/verify", "/api/me"] {
        assert_eq!(send(path, "lap_x", 1), (401, vec![]), "it cannot be one");
        assert_eq!(send(path, wrong, 1), (401, vec![READ]), "{path}");
    }
    for _ in 4..20 {
        send("/api/verify", wrong, 1);
    }
    for password in [wrong, "lap_x"] {
        assert_eq!(send("/api/verify", password, 1), (401, vec![]), "{password}");
        assert_eq!(send("/api/me", password, 1), (429, vec![]), "{password}");
    }
    assert_eq!(send("/api/verify", wrong, 2), (401, vec![READ]), "from elsewhere");
}

#[test]
fn a_login_from_an_address_that_has_to_wait_asks_the_database_on_a_thread_that_may() {
    let place = Place::new();
    let network: Arc<Network> = Arc::default();
    let site = place.site(&|_| (), Some(&network));
    tokens(&site);
    let id = |name| site.app().store.credentials(name).unwrap().unwrap().person.id;
    let secret = |id| {
        let devices = crate::guard::Devices::default().renewed(id, None, NOW).unwrap();
        site.app().device_keys.write(&devices)
    };
    let (hers, his) = (secret(id("ada")), secret(id("eve")));
    exhaust(&site);
    for (name, device, status, expected) in [
        ("ada", hers.as_str(), 401, &[READ, HASH][..]),
        ("ada", &his, 429, &[READ]),
        ("nobody", &hers, 429, &[READ]),
        ("ada", "", 429, &[]),
        ("ada", "x", 429, &[]),
    ] {
        let body =
            format!(r#"{{"username":"{name}","password":"wrong lanterns","device":"{device}"}}"#);
        let headers = [Header { name: "Content-Type", value: b"application/json" }];
        let mut request = Request::new("POST", "/api/login", &headers);
        request.peer = Some([192, 0, 2, 1].into());
        request.body = body.as_bytes();
        let (response, pools) = answer(&site, &request);
        assert_eq!((response.status, pools.as_slice()), (status, expected), "{name} {device}");
        if let Answer::Queue(queued) = site.answer(&request, NOW) {
            assert!(site.has_priority(&request, &queued, NOW).is_some(), "{name} {device}");
        }
    }
}

#[test]
fn a_refused_login_with_a_device_told_by_its_time_which_names_exist() {
    let place = Place::new();
    let network: Arc<Network> = Arc::default();
    let site = place.site(&|_| (), Some(&network));
    tokens(&site);
    let eve = site.app().store.credentials("eve").unwrap().unwrap().person.id;
    let devices = crate::guard::Devices::default().renewed(eve, None, NOW).unwrap();
    let secret = site.app().device_keys.write(&devices);
    exhaust(&site);
    // The reads and the rows of a login with the device of eve.
    let seen = |name: &str| {
        let count = || [&network.reads, &network.rows].map(|count| count.load(Ordering::SeqCst));
        let body =
            format!(r#"{{"username":"{name}","password":"wrong lanterns","device":"{secret}"}}"#);
        let headers = [Header { name: "Content-Type", value: b"application/json" }];
        let mut request = Request::new("POST", "/api/login", &headers);
        request.peer = Some([192, 0, 2, 1].into());
        request.body = body.as_bytes();
        let before = count();
        let (response, _) = answer(&site, &request);
        let after = count();
        (response.status, after[0] - before[0], after[1] - before[1])
    };
    for name in ["ada", "root", "idle", "nobody", "ada@x.example", "nobody@x.example"] {
        assert_eq!(seen(name), (429, 1, 1), "{name}");
    }
    assert_eq!(seen("eve@X.example").0, 401, "the device of the account itself");
}
