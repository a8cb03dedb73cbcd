//! A program with a login inside: lictor's endpoints, routes of its own that share state, one port.
//!
//! ```sh
//! cargo run --example embedded
//! curl http://127.0.0.1:8000/api/registration -d '{"username":"ada","password":"correct horse"}'
//! curl http://127.0.0.1:8000/api/greet -H "Authorization: Bearer TOKEN"
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lictor::clock::Timestamp;
use lictor::http::Response;
use lictor::{Algorithm, App, Config, Handler, Keys, Role, Route, Secret, Server, Site};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let listen = args.next().unwrap_or_else(|| "127.0.0.1:8000".into());
    let database = args.next().unwrap_or_else(|| "app.db".into());
    let keys = match std::env::var("SECRET_KEY") {
        Ok(secret) => Secret::new(secret)?.into(),
        Err(_) => {
            let file = format!("{database}.key");
            Keys::read_or_create(file.as_ref(), Algorithm::Hs256, Timestamp::now())?.0
        }
    };
    let mut config = Config::new(database, keys);
    config.listen = listen.parse()?;

    // The state that the two routes share.
    let greeted = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&greeted);
    // The handler takes a user, so a request without a good token does not reach it.
    let greet = Handler::user(move |_, user| {
        greeted.fetch_add(1, Ordering::Relaxed);
        Ok(Response::json(200, &format!("Good day, {}", user.name())))
    });
    let counted = Handler::role(Role::parse("editor")?, move |_, _| {
        Ok(Response::json(200, &count.load(Ordering::Relaxed)))
    });
    let site = Site::new(App::open(config)?)?
        .with_route(Route::new("GET", "/api/greet", greet))
        .with_route(Route::new("GET", "/api/greeted", counted));

    let server = Server::bind(site)?;
    println!("listening on http://{}", server.address());
    server.run(&lictor::stop_on_signals()?)?;
    Ok(())
}
