//! Every size and time that a client could grow, with its default.

use std::time::Duration;

/// Header fields in one head; more are answered 431.
pub const MAX_HEADERS: usize = 64;
/// Bytes of the request target; more are answered 414.
pub const MAX_TARGET: usize = 8 * 1024;
/// Bytes of a head, request line and all header fields; more are answered 431.
pub const MAX_HEAD: usize = 16 * 1024;
/// Bytes that a chunked body may spend on sizes, extensions and trailers; more are answered 413.
pub const MAX_CHUNK_OVERHEAD: usize = 16 * 1024;
/// Bytes of answers that are prepared before the client has to read some of them.
pub const MAX_OUTPUT: usize = 16 * 1024;
/// Bytes of a long body that are prepared at once; the next ones follow once these are written.
pub const MAX_PIECE: usize = 32 * 1024;
/// Bytes that are read and thrown away after a refusal, so that the client can read it.
pub(super) const MAX_LINGER_BYTES: u64 = 16 * 1024 * 1024;

/// What one connection may cost. The sizes of a head are fixed: 16 KiB, 64 fields, 8 KiB of
/// target.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Limits {
    /// Largest body in bytes (64 KiB); a larger one is answered 413.
    pub body: usize,
    /// From connecting, or from the first byte of a later request, to the end of the head (10 s).
    pub head_time: Duration,
    /// From the end of the head to the end of the body (10 s).
    pub body_time: Duration,
    /// How long a connection may be idle between requests (60 s).
    pub idle_time: Duration,
    /// How long an answer, or a piece of a long one (32 KiB), may stay unread (10 s).
    pub unread_time: Duration,
    /// How long a client may go on sending after its last answer (2 s).
    pub linger_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            body: 64 * 1024,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(60),
            unread_time: Duration::from_secs(10),
            linger_time: Duration::from_secs(2),
        }
    }
}
