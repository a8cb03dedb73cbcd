//! lictor inside a program that has another server already: tiny_http keeps the sockets, lictor
//! answers requests under /api/, and says who calls the program's own route.
//!
//! ```sh
//! SECRET_KEY=$(openssl rand -hex 32) cargo run --example tiny_http
//! curl http://127.0.0.1:8000/api/registration -d '{"username":"ada","password":"correct horse"}'
//! curl http://127.0.0.1:8000/notes -H "Authorization: Bearer TOKEN" -d 'buy milk'
//! curl http://127.0.0.1:8000/notes -H "Authorization: Bearer TOKEN"
//! ```

use std::collections::HashMap;
use std::io::Read as _;
use std::sync::{Arc, Mutex, PoisonError};

use lictor::clock::Timestamp;
use lictor::http::{Header, Request, Response};
use lictor::{App, Background, Config, Handler, Route, Secret, Site};

/// Bytes of a body; the server around has to see to that.
const MAX_BODY: u64 = 64 * 1024;

/// What the program's own route works with.
struct Program {
    site: Site,
    /// The notes of each user.
    notes: Mutex<HashMap<i64, String>>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let listen = args.next().unwrap_or_else(|| "127.0.0.1:8000".into());
    let database = args.next().unwrap_or_else(|| "app.db".into());

    let config = Config::new(database, Secret::new(std::env::var("SECRET_KEY")?)?);
    let app = Arc::new(App::open(config)?);
    // Deletes expired rows and sends mail, until it is dropped.
    let _background = Background::start(Arc::clone(&app))?;
    let greet =
        Handler::user(|_, user| Ok(Response::json(200, &format!("Good day, {}", user.name()))));
    let site = Site::new(app)?.with_route(Route::new("GET", "/api/greet", greet));
    let program = Program { site, notes: Mutex::default() };

    let server = tiny_http::Server::http(listen).map_err(|error| error.to_string())?;
    println!("listening on http://{}", server.server_addr());
    // One thread for the sake of brevity; a Site may be shared by as many as there are.
    for request in server.incoming_requests() {
        if let Err(error) = answer(&program, request) {
            eprintln!("a client went away: {error}");
        }
    }
    Ok(())
}

fn answer(program: &Program, mut request: tiny_http::Request) -> std::io::Result<()> {
    let mut body = Vec::new();
    request.as_reader().take(MAX_BODY).read_to_end(&mut body)?;
    let headers: Vec<Header<'_>> = request
        .headers()
        .iter()
        .map(|h| Header { name: h.field.as_str().as_str(), value: h.value.as_str().as_bytes() })
        .collect();
    let method = request.method().to_string();
    let mut ours = Request::new(&method, request.url(), &headers);
    ours.body = &body;
    ours.peer = request.remote_addr().map(|address| address.ip());

    let now = Timestamp::now();
    let response = match ours.path {
        "/notes" => notes(program, &ours, now),
        _ => program.site.handle(&ours, now),
    };

    let mut theirs =
        tiny_http::Response::from_data(response.body()).with_status_code(response.status);
    let fields = response.headers().chain([("Content-Type", response.content_type())]);
    for (name, value) in fields.filter(|(_, value)| !value.is_empty()) {
        if let Ok(header) = tiny_http::Header::from_bytes(name, value) {
            theirs.add_header(header);
        }
    }
    request.respond(theirs)
}

/// The program's own route: a note that only its user reads.
fn notes(program: &Program, request: &Request<'_>, now: Timestamp) -> Response {
    let user = match program.site.app().identify(request, now) {
        Ok(user) => user,
        Err(error) => return Response::from(&error),
    };
    let mut notes = program.notes.lock().unwrap_or_else(PoisonError::into_inner);
    if request.method == "POST" {
        notes.insert(user.id(), String::from_utf8_lossy(request.body).into_owned());
    }
    Response::json(200, &notes.get(&user.id()))
}
