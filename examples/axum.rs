//! lictor inside an axum program: axum keeps the sockets, lictor answers requests under /api/, and
//! says who calls the program's own route.
//!
//! ```sh
//! SECRET_KEY=$(openssl rand -hex 32) cargo run --example axum
//! curl http://127.0.0.1:8000/api/registration -d '{"username":"ada","password":"correct horse"}'
//! curl http://127.0.0.1:8000/notes -H "Authorization: Bearer TOKEN" -d 'buy milk'
//! curl http://127.0.0.1:8000/notes -H "Authorization: Bearer TOKEN"
//! ```

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::any;
use lictor::clock::Timestamp;
use lictor::http::{Header, Request};
use lictor::{App, Background, Config, Error, Handler, Identity, Route, Secret, Site};

/// What all routes share.
#[derive(Clone)]
struct Program {
    site: Arc<Site>,
    /// The notes of each user.
    notes: Arc<Mutex<HashMap<i64, String>>>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let listen = args.next().unwrap_or_else(|| "127.0.0.1:8000".into());
    let database = args.next().unwrap_or_else(|| "app.db".into());

    let config = Config::new(database, Secret::new(std::env::var("SECRET_KEY")?)?);
    let app = Arc::new(App::open(config)?);
    // Deletes expired rows and sends mail, until it is dropped.
    let _background = Background::start(Arc::clone(&app))?;
    let greet = Handler::user(|_, user| {
        let greeting = format!("Good day, {}", user.name());
        Ok(lictor::http::Response::json(200, &greeting))
    });
    let site = Site::new(app)?.with_route(Route::new("GET", "/api/greet", greet));
    let program = Program { site: Arc::new(site), notes: Arc::default() };

    let router = Router::new()
        .route("/notes", any(notes))
        .route("/api", any(login))
        .route("/api/", any(login))
        .route("/api/{*path}", any(login))
        .with_state(program)
        .into_make_service_with_connect_info::<SocketAddr>();
    tokio::runtime::Builder::new_multi_thread().enable_io().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        println!("listening on http://{}", listener.local_addr()?);
        axum::serve(listener, router).await?;
        Ok(())
    })
}

/// The program's own route: a note that only its user reads.
async fn notes(
    State(program): State<Program>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    parts: Parts,
    body: Bytes,
) -> Response {
    let site = Arc::clone(&program.site);
    let is_post = parts.method == "POST";
    let asked = move || -> Result<Identity, Error> {
        with_request(&parts, &[], peer, |request| site.app().identify(request, Timestamp::now()))
    };
    // It reads the database: not on a thread that many connections wait for.
    match tokio::task::spawn_blocking(asked).await {
        Ok(Ok(user)) => {
            let mut notes = program.notes.lock().unwrap_or_else(PoisonError::into_inner);
            if is_post {
                notes.insert(user.id(), String::from_utf8_lossy(&body).into_owned());
            }
            Response::new(notes.get(&user.id()).cloned().unwrap_or_default().into())
        }
        Ok(Err(error)) => response(lictor::http::Response::from(&error)),
        Err(_) => bug(),
    }
}

/// Hands a request to lictor.
async fn login(
    State(program): State<Program>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    parts: Parts,
    body: Bytes,
) -> Response {
    let asked = move || {
        with_request(&parts, &body, peer, |request| program.site.handle(request, Timestamp::now()))
    };
    // It may hash a password, which takes tens of milliseconds.
    tokio::task::spawn_blocking(asked).await.map_or_else(|_| bug(), response)
}

/// Calls `ask` with axum's request as lictor's: with its true method, and its peer, whose guesses
/// lictor counts. `Bytes` has limited the body to 2 MB.
fn with_request<T>(
    parts: &Parts,
    body: &[u8],
    peer: SocketAddr,
    ask: impl FnOnce(&Request<'_>) -> T,
) -> T {
    let headers: Vec<Header<'_>> = parts
        .headers
        .iter()
        .map(|(name, value)| Header { name: name.as_str(), value: value.as_bytes() })
        .collect();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    let mut request = Request::new(parts.method.as_str(), target, &headers);
    request.body = body;
    request.peer = Some(peer.ip());
    ask(&request)
}

/// Returns lictor's response as axum's.
fn response(ours: lictor::http::Response) -> Response {
    let mut theirs = Response::builder().status(ours.status);
    let fields = ours.headers().chain([("Content-Type", ours.content_type())]);
    for (name, value) in fields.filter(|(_, value)| !value.is_empty()) {
        theirs = theirs.header(name, value);
    }
    theirs.body(Body::from(ours.body().to_vec())).unwrap_or_else(|_| bug())
}

/// The answer when a handler has panicked.
fn bug() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
