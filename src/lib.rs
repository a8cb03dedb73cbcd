//! Login for small, self-hosted apps: registers people, logs them in, issues and checks JWTs, on
//! SQLite, without an async runtime.
//!
//! The binary of the same name is a thin user of this crate. A program that wants the same inside
//! opens an [`App`], adds routes of its own, and either serves it with the engine that comes with
//! it, or hands it requests from any other server ([`App::handle`]).
//!
//! ```no_run
//! use lictor::clock::Timestamp;
//! use lictor::http::{Request, Response};
//! use lictor::{App, Config, Error, Handler, Identity, Keys, Route, Server};
//!
//! fn greet(_: &App, user: &Identity, _: &Request, _: Timestamp) -> Result<Response, Error> {
//!     Ok(Response::json(200, &format!("Good day, {}", user.name())))
//! }
//!
//! let keys = Keys::read("app.key".as_ref())?;
//! let config = Config::new("app.db", keys);
//! let app = App::open(&config)?.with_route(Route::new("GET", "/api/greet", Handler::User(greet)));
//! Server::bind(app, &config)?.run(&lictor::stop_on_signals()?)?;
//! # Ok::<(), lictor::Problem>(())
//! ```

mod api;
mod app;
mod assets;
mod background;
pub mod clock;
mod config;
mod error;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod guard;
pub mod http;
mod ip;
mod keys;
mod link;
mod login;
#[cfg(feature = "mail")]
mod mail;
#[cfg(feature = "mail")]
mod mailer;
pub mod net;
mod notify;
mod route;
mod server;
mod site;
mod store;
mod values;

#[cfg(feature = "cli")]
pub mod cli;

pub use app::{App, Call};
pub use background::Background;
#[cfg(feature = "mail")]
pub use config::MailSettings;
pub use config::{Config, Cors, Issuer, Origin, RefreshReuse, Registration, SecondFactorRule, Web};
pub use error::{Error, ErrorKind, Problem};
pub use guard::{Admin, Identity};
pub use ip::Network;
pub use keys::{Algorithm, Keys, Secret};
pub use link::PageUrl;
#[cfg(feature = "mail")]
pub use mail::{Sender, Transport};
pub use route::{Blocking, Handler, Route};
pub use server::{Server, stop_on_signals};
pub use site::Site;
pub use store::Database;
pub use values::{Email, Role, Roles, Username};
