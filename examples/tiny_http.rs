//! lictor inside a program that has another server already: tiny_http keeps the sockets, lictor
//! answers what is under /api/.
//!
//! ```sh
//! SECRET_KEY=$(openssl rand -hex 32) cargo run --example tiny_http
//! curl http://127.0.0.1:8000/api/registration -d '{"username":"ada","password":"correct horse"}'
//! ```

use std::io::Read as _;

use lictor::clock::Timestamp;
use lictor::http::{Header, Request, Response};
use lictor::{App, Config, Error, Handler, Identity, Route, Secret};

/// Bytes of a body; the server around has to see to that.
const MAX_BODY: u64 = 64 * 1024;

fn greet(_: &App, user: &Identity, _: &Request<'_>, _: Timestamp) -> Result<Response, Error> {
    Ok(Response::json(200, &format!("Good day, {}", user.name())))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8000".into());
    let database = args.next().unwrap_or_else(|| "app.db".into());

    let config = Config::new(database, Secret::new(std::env::var("SECRET_KEY")?)?);
    let app = App::open(&config)?.with_route(Route::new("GET", "/api/greet", Handler::User(greet)));

    let server = tiny_http::Server::http(address).map_err(|error| error.to_string())?;
    println!("listening on http://{}", server.server_addr());
    // One thread for the sake of brevity; an App may be shared by as many as there are.
    for request in server.incoming_requests() {
        if let Err(error) = answer(&app, request) {
            eprintln!("a client went away: {error}");
        }
    }
    Ok(())
}

fn answer(app: &App, mut request: tiny_http::Request) -> std::io::Result<()> {
    if !request.url().starts_with("/api") {
        return request.respond(tiny_http::Response::from_string("the app's own pages"));
    }
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

    let response = app.handle(&ours, Timestamp::now());

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
