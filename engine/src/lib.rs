//! The HTTP/1.1 engine of [lictor](https://crates.io/crates/lictor): sockets and threads in [`net`],
//! the protocol as bytes in [`http`]. Knows no route, key or database: it serves any
//! [`Service`](http::Service).
//!
//! This is the code that every request runs, and a crate of its own because cargo optimizes by crate:
//! lictor builds it for speed, and most of itself for size. So what every request reads of a token is
//! here as well. The names of this crate may change at any time; use those that lictor gives out.

#[cfg(not(target_os = "linux"))]
compile_error!("the engine runs on Linux alone: it is built on epoll and accept4.");

pub mod clock;
#[doc(hidden)]
pub mod grouping;
pub mod http;
#[doc(hidden)]
pub mod jwt;
#[doc(hidden)]
pub mod kdf;
pub mod net;
#[doc(hidden)]
pub mod stats;
