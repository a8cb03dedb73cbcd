//! A thread's scratch space: its buffers and its clock.

use super::pulse::Pulse;
use crate::http::{Date, Moment};

/// Bytes read at once. A head fits in.
const READ: usize = 16 * 1024;
/// Answers are written into a buffer that is kept; one that grew beyond this is given back.
const KEPT_OUTPUT: usize = 128 * 1024;

/// What one thread of the engine needs for the connection it works on.
pub(super) struct Scratch {
    /// The bytes that were read.
    pub(super) input: Box<[u8]>,
    /// The answers that are not written yet.
    pub(super) output: Vec<u8>,
    pub(super) date: Date,
    pub(super) at: Moment,
    pulse: Pulse,
}

impl Scratch {
    pub(super) fn new(at: Moment, pulse: Pulse) -> Scratch {
        let mut date = Date::new();
        date.update(at.now);
        Scratch { input: vec![0; READ].into_boxed_slice(), output: Vec::new(), date, at, pulse }
    }

    /// Sets the clock. The thread begins something, a turn or an answer.
    pub(super) fn set_clock(&mut self, at: Moment) {
        self.pulse.begin(at.millis);
        self.at = at;
        self.date.update(at.now);
    }

    /// The thread has nothing to do until the next [`set_clock`](Self::set_clock).
    pub(super) fn rest(&self) {
        self.pulse.rest();
    }

    /// Empties the output for the next connection.
    pub(super) fn clear(&mut self) {
        self.output.clear();
        if self.output.capacity() > KEPT_OUTPUT {
            self.output = Vec::new();
        }
    }
}
