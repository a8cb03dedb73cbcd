//! What the engine's unit tests share: a service, a request, an engine of ten connections.

use super::{Engine, Settings};
use crate::clock::Timestamp;
use crate::http::{Answer, Request, Response, Service};

/// A request that [`TestService`] answers.
pub(super) const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// Answers every request on the worker.
pub(super) struct TestService;

impl Service for TestService {
    fn answer(&self, _: &Request<'_>, _: Timestamp) -> Answer {
        Answer::Ready(Response::fixed(200, "text/plain", &b"hello"[..]))
    }
}

/// An engine without pools that takes ten connections.
pub(super) fn engine<'a>(service: &'a TestService, settings: &'a Settings) -> Engine<'a> {
    Engine::new(service, settings, Vec::new(), 10).unwrap()
}
