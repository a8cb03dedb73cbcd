//! HTTP/1.1 as bytes: requests in, responses out (RFC 9110, RFC 9112).
//!
//! Nothing here holds a socket or reads a clock: bytes and times are passed in, so every state
//! of a connection can be reached in a unit test. A body can be a file, which is read while its
//! bytes are sent.
//!
//! In scope: origin-form and absolute-form targets, `Content-Length` and `chunked` bodies,
//! keep-alive, pipelining, `Expect: 100-continue`, HTTP/1.0.
//! Out of scope, and refused: HTTP/0.9, HTTP/2, CONNECT, TRACE, upgrades, any other transfer
//! coding, obsolete line folding, bare line feeds.
//!
//! | file | owns |
//! |---|---|
//! | `head` | where a request's head ends, and what it says |
//! | `chunked` | the chunked transfer coding |
//! | `request` | a request as a handler sees it |
//! | `response` | a response and its bytes |
//! | `body` | what a response carries, and how a long body is cut into pieces |
//! | `service` | what a connection asks of the program behind it |
//! | `connection` | one connection: what to read, answer, refuse and wait for |
//! | `limits` | every size and time that a client could grow |
//! | `refusal` | what the engine itself answers, before any handler |

mod body;
pub(crate) mod chunked;
mod connection;
pub(crate) mod head;
pub(crate) mod limits;
mod refusal;
mod request;
mod response;
mod service;

pub(crate) use connection::{Connection, Next, Wait};
pub use httparse::Header;
pub use limits::Limits;
pub use refusal::Refusal;
pub use request::Request;
pub(crate) use response::Date;
pub use response::{HeaderValue, Response};
pub use service::{Answer, Overload, Pool, Queued, Service};
pub(crate) use service::{Context, Moment, Step};
