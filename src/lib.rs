//! Login for small, self-hosted apps: registers people, logs them in, issues and checks JWTs, on
//! SQLite or PostgreSQL, without an async runtime. The program `lictor` is a thin user of this crate; a program
//! of your own can have the same inside.
//!
//! # The parts
//!
//! - A [`Config`] holds the settings; only the [`Database`] and the [`Keys`] have no default.
//! - An [`App`] is opened from it: accounts, sessions, tokens. It tells who calls
//!   ([`App::identify`]) and makes accounts ([`App::add_user`]).
//! - A [`Site`] answers requests with it: the endpoints under `/api/`, [`Route`]s of your own, and
//!   pages if [`Config::web`] names some.
//! - A [`Server`] serves the site on a port until it is stopped. Or a server that you have already
//!   hands requests to [`Site::handle`], beside one [`Background`].
//!
//! # A program with a login
//!
//! ```no_run
//! use lictor::clock::Timestamp;
//! use lictor::http::Response;
//! use lictor::{Algorithm, App, Config, Handler, Keys, Route, Server, Site};
//!
//! // The file is made at the first start. A program that reads it can log in as anybody.
//! let (keys, _) = Keys::read_or_create("app.key".as_ref(), Algorithm::Hs256, Timestamp::now())?;
//! let mut config = Config::new("app.db", keys);
//! config.listen = ([127, 0, 0, 1], 8000).into();
//!
//! let greet = Handler::user(|_, user| {
//!     Ok(Response::json(200, &format!("Good day, {}", user.name())))
//! });
//! let site = Site::new(App::open(config)?)?.with_route(Route::new("GET", "/api/greet", greet));
//! Server::bind(site)?.run(&lictor::stop_on_signals()?)?;
//! # Ok::<(), lictor::Problem>(())
//! ```
//!
//! Register with `POST /api/registration`, log in with `POST /api/login`, and call `/api/greet`
//! with the token as `Authorization: Bearer TOKEN`.
//!
//! # Routes of your own
//!
//! A [`Handler`] is a function or a closure, and may own whatever it works with. Its kind is its
//! guard: one for users is not called without a good token, one for a role not without the role. A
//! route says what its answer waits for ([`Route::writes`], [`Route::hashes`], …), so that it
//! delays no quick answer. An [`Error`] that it returns becomes the answer.
//!
//! ```
//! use std::sync::Mutex;
//! use lictor::clock::Timestamp;
//! use lictor::http::{Header, Request, Response};
//! use lictor::{Algorithm, App, Config, Error, Handler, Keys, Role, Roles, Route, Site};
//! # let dir = std::env::temp_dir().join(format!("lictor-doc-guide-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let (key_file, database) = (dir.join("app.key"), dir.join("app.db"));
//!
//! let now = Timestamp::now();
//! let (keys, made) = Keys::read_or_create(&key_file, Algorithm::Hs256, now)?;
//! assert!(made, "this is the first start");
//! let app = App::open(Config::new(&database, keys))?;
//! app.add_user("ada", None, "ten wooden lanterns", &Roles::parse("editor")?)?;
//!
//! let articles = Mutex::new(Vec::new());
//! let publish = Handler::role(Role::parse("editor")?, move |call, editor| {
//!     let text = String::from_utf8(call.request.body.to_vec())
//!         .map_err(|_| Error::BadRequest("The article is not UTF-8".into()))?;
//!     let mut articles = articles.lock().map_err(|_| Error::Internal("a bug".into()))?;
//!     articles.push((editor.id(), text));
//!     Ok(Response::json(201, &articles.len()))
//! });
//! let site = Site::new(app)?.with_route(Route::new("POST", "/articles", publish).writes());
//!
//! let mut login = Request::new("POST", "/api/login", &[]);
//! login.body = br#"{"username": "ada", "password": "ten wooden lanterns"}"#;
//! let answer = site.handle(&login, now);
//! let answer: serde_json::Value = serde_json::from_slice(answer.body())?;
//! let bearer = format!("Bearer {}", answer["access_token"].as_str().unwrap_or_default());
//!
//! let headers = [Header { name: "Authorization", value: bearer.as_bytes() }];
//! assert_eq!(site.handle(&Request::new("POST", "/articles", &headers), now).status, 201);
//! assert_eq!(site.handle(&Request::new("POST", "/articles", &[]), now).status, 401);
//! # drop(site);
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Inside another server
//!
//! Hand requests under `/api/` to [`Site::handle`], and ask [`App::identify`] who calls your own
//! routes, each time with the request's true method. Start one [`Background`], which deletes
//! expired rows and sends mail. In an async program, call `handle` on a thread that may block,
//! such as with tokio's `spawn_blocking`. `examples/axum.rs` and `examples/tiny_http.rs` in the
//! repository do all of it.
//!
//! ```
//! use std::sync::Arc;
//! use lictor::clock::Timestamp;
//! use lictor::http::{Header, Request};
//! use lictor::{App, Background, Config, Error, Secret, Site};
//! # let dir = std::env::temp_dir().join(format!("lictor-doc-other-{}", std::process::id()));
//! # std::fs::create_dir_all(&dir)?;
//! # let database = dir.join("app.db");
//!
//! let secret = Secret::new("correct horse battery staple, and more")?;
//! let app = Arc::new(App::open(Config::new(&database, secret))?);
//! let background = Background::start(Arc::clone(&app))?;
//! let site = Site::new(Arc::clone(&app))?;
//!
//! // Your server has read a request; this one brings no token.
//! let headers = [Header { name: "Accept", value: b"*/*" }];
//! let mut request = Request::new("DELETE", "/articles/7", &headers);
//! request.peer = Some([192, 0, 2, 7].into());
//! let refused = app.identify(&request, Timestamp::now());
//! assert!(matches!(refused, Err(Error::MissingBearer)));
//! # drop((background, site, app));
//! # std::fs::remove_dir_all(&dir)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | in the default | brings |
//! |---|---|---|
//! | `mail` | yes | sending mail, and with it TLS: `MailSettings`, `Sender`, `Transport`, `Config::mail` |
//! | `postgres` | yes | PostgreSQL as the database, and with it TLS: URLs in [`Database::parse`] |
//! | `web-app` | yes | lictor's own pages, inside the program: `Web::Embedded` |
//! | `foreign-hashes` | yes | logging in with hashes that other programs made |
//! | `cli` | yes | the command line of the program `lictor`; needs the other four |
//!
//! A program that embeds the crate takes it with `default-features = false`, and names what it
//! needs.

#[cfg(not(target_os = "linux"))]
compile_error!(
    "lictor runs on Linux alone: it is built on epoll, accept4 and openat2. On another system, \
     build it in a container or a virtual machine with Linux."
);

mod access;
#[cfg(feature = "cli")]
mod activation;
mod api;
mod app;
mod assets;
mod background;
mod config;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
#[cfg(any(feature = "cli", feature = "fuzzing", test))]
mod import;
mod ip;
mod keys;
mod link;
mod login;
#[cfg(feature = "mail")]
mod mail;
#[cfg(feature = "mail")]
mod mailer;
mod metrics;
mod notify;
mod route;
mod server;
mod site;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod values;

use lictor_engine::stats;
pub use lictor_engine::{clock, net};

/// HTTP/1.1 as bytes: requests in, responses out (RFC 9110, RFC 9112).
///
/// A program that embeds the engine needs [`Service`](http::Service), [`Answer`](http::Answer),
/// [`Request`](http::Request) and [`Response`](http::Response).
pub mod http {
    pub use lictor_engine::http::{
        Answer, Header, HeaderFields, HeaderValue, Limits, Overload, Pool, Queued, Refusal,
        Repeated, Request, Response, Service,
    };
}

/// The code in the guide compiles.
#[cfg(all(doctest, feature = "mail"))]
#[doc = include_str!("../docs/embedding.md")]
struct Guide;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

pub use access::AccessRules;
pub use app::{App, Call};
pub use background::Background;
#[cfg(feature = "mail")]
pub use config::MailSettings;
pub use config::{
    Brand, Config, CookieDomain, Cors, Issuer, Origin, RefreshReuse, Registration,
    SecondFactorRule, Web,
};
pub use error::{Cause, Error, ErrorKind, Problem};
pub use guard::{Admin, Audiences, HashKernel, Identity, Way};
pub use ip::Network;
pub use keys::{Algorithm, Keys, Secret, ShortSecret};
pub use link::PageUrl;
#[cfg(feature = "mail")]
pub use mail::{Sender, Transport};
pub use route::{Handler, Route};
pub use server::{Server, stop_on_signals};
pub use site::Site;
pub use store::Database;
pub use values::{Role, Roles};
