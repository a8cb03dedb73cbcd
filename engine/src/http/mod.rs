//! HTTP/1.1 as bytes: requests in, responses out (RFC 9110, RFC 9112).
//!
//! Nothing here holds a socket or reads a clock: bytes and times are passed in, so a unit test can
//! reach every state of a connection. A body can be a file, which is read while its bytes are sent.
//!
//! A program that embeds the engine needs [`Service`], [`Answer`], [`Request`] and [`Response`].
//!
//! In scope: origin-form and absolute-form targets, `Content-Length` and `chunked` bodies,
//! keep-alive, pipelining, `Expect: 100-continue`, HTTP/1.0.
//! Out of scope, and refused: HTTP/0.9, HTTP/2, CONNECT, TRACE, upgrades, any other transfer
//! coding, obsolete line folding, bare line feeds.
//!
//! | file | owns |
//! |---|---|
//! | `head` | a request's head: where it ends, and what it says |
//! | `chunked` | the chunked transfer coding |
//! | `request` | a request as a handler sees it |
//! | `response` | a response and its bytes |
//! | `fields` | several header fields of a response, written at once |
//! | `names` | names of header fields |
//! | `percent` | percent-encoding |
//! | `body` | the body of a response, and its pieces if it is long |
//! | `service` | the program behind the engine, and the pools that answer what takes time |
//! | `connection` | one connection: reading, answering, refusing, waiting |
//! | `limits` | every size and time that a client could grow |
//! | `refusal` | answers of the engine itself, without a handler |

mod body;
#[doc(hidden)]
pub mod chunked;
mod connection;
mod fields;
#[doc(hidden)]
pub mod head;
#[doc(hidden)]
pub mod limits;
#[doc(hidden)]
pub mod names;
#[doc(hidden)]
pub mod percent;
mod refusal;
mod request;
mod response;
mod service;

#[doc(hidden)]
pub use connection::{Connection, Next, Wait};
pub use fields::HeaderFields;
pub use httparse::Header;
pub use limits::Limits;
pub use refusal::Refusal;
pub use request::{Repeated, Request};
#[doc(hidden)]
pub use response::Date;
pub use response::{HeaderValue, Response};
pub use service::{Answer, Overload, Pool, Queued, Service};
#[doc(hidden)]
pub use service::{Context, Moment, Step};
