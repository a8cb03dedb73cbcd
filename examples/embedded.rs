//! A program with a login inside: lictor's endpoints, one guarded route of its own, one port.
//!
//! ```sh
//! SECRET_KEY=$(openssl rand -hex 32) cargo run --example embedded
//! curl http://127.0.0.1:8000/api/registration -d '{"username":"ada","password":"correct horse"}'
//! curl http://127.0.0.1:8000/api/greet -H "Authorization: Bearer TOKEN"
//! ```

use lictor::clock::Timestamp;
use lictor::http::{Request, Response};
use lictor::{App, Config, Error, Handler, Identity, Route, Secret, Server};

/// It takes an `Identity`, so it cannot be reached without a good token.
fn greet(_: &App, user: &Identity, _: &Request<'_>, _: Timestamp) -> Result<Response, Error> {
    Ok(Response::json(200, &format!("Good day, {}", user.name())))
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let address = args.next().unwrap_or_else(|| "127.0.0.1:8000".into());
    let database = args.next().unwrap_or_else(|| "app.db".into());

    let mut config = Config::new(database, Secret::new(std::env::var("SECRET_KEY")?)?);
    config.listen = address.parse()?;
    let app = App::open(&config)?.with_route(Route::new("GET", "/api/greet", Handler::User(greet)));

    let server = Server::bind(app, &config)?;
    println!("listening on http://{}", server.address());
    server.run(&lictor::stop_on_signals()?)?;
    Ok(())
}
