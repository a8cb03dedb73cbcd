//! Messages over a socket, plain or with TLS: collects what is sent, cuts what comes into messages,
//! each with a limit. Knows the form of messages, not their meaning.

use std::io::{self, Read as _, Write as _};
use std::time::Instant;

use bytes::BytesMut;
use postgres_protocol::message::backend::{
    DATA_ROW_TAG, NOTICE_RESPONSE_TAG, NOTIFICATION_RESPONSE_TAG, PARAMETER_STATUS_TAG,
};

use super::failure::{Failure, lost};
use super::fields::Fields;
use super::socket::{Breaker, Socket};
use crate::error::Cause;
use crate::tls::{Encrypted, Trust, describe, server_end_point};

/// Bytes of a row, at most: some times what the largest row of lictor has.
const MAX_ROW: usize = 16 << 20;
/// Bytes of any other message.
const MAX_MESSAGE: usize = 1 << 20;
/// Notices, notifications and changed settings that may come with one answer.
const MAX_ASIDES: usize = 1_000;
/// Bytes for what is received and what is sent, to begin with; a larger answer enlarges it.
const BUFFER: usize = 16 << 10;
/// A buffer that is larger is given back when the answer has been read.
const MAX_KEPT: usize = 64 << 10;
/// What is said of a connection that was closed or reset.
const CLOSED: &str = "the server closed the connection";
/// A message's tag and its length.
const HEADER: usize = 5;

/// A connection, as messages.
#[derive(Debug)]
pub(super) struct Channel {
    stream: Stream,
    input: Vec<u8>,
    /// Where in `input` lies what was received and not yet taken.
    start: usize,
    end: usize,
    /// What is sent next.
    pub(super) output: BytesMut,
    /// Asides of this exchange.
    asides: usize,
    /// Whether one of them was a warning.
    pub(super) warned: bool,
    /// The connection failed while it waited for an answer.
    pub(super) unanswered: bool,
    /// It failed because the deadline of an exchange passed.
    pub(super) timed_out: bool,
}

enum Stream {
    Plain(Socket),
    Encrypted(Box<Encrypted<Socket>>),
}

impl Stream {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(socket) => socket.write_all(bytes),
            Stream::Encrypted(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stream::Plain(_) => "plain",
            Stream::Encrypted(_) => "encrypted",
        })
    }
}

/// A message of the server.
#[derive(Clone, Copy)]
pub(super) struct Message<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

impl Channel {
    pub(super) fn plain(socket: Socket) -> Channel {
        Channel::new(Stream::Plain(socket))
    }

    /// Does the TLS handshake.
    pub(super) fn encrypted(socket: Socket, trust: &Trust) -> Result<Channel, Failure> {
        let stream = trust.encrypt(socket).map_err(|why| lost(format!("TLS: {why}")))?;
        Ok(Channel::new(Stream::Encrypted(Box::new(stream))))
    }

    fn new(stream: Stream) -> Channel {
        Channel {
            stream,
            input: vec![0; BUFFER],
            start: 0,
            end: 0,
            output: BytesMut::with_capacity(BUFFER),
            asides: 0,
            warned: false,
            unanswered: false,
            timed_out: false,
        }
    }

    /// What binds a login to this connection, if it is encrypted and the certificate has such a hash.
    pub(super) fn binding(&self) -> Option<Vec<u8>> {
        match &self.stream {
            Stream::Plain(_) => None,
            Stream::Encrypted(stream) => server_end_point(stream),
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.stream, Stream::Encrypted(_))
    }

    pub(super) fn breaker(&self) -> Breaker {
        match &self.stream {
            Stream::Plain(socket) => socket.breaker(),
            Stream::Encrypted(stream) => stream.sock.breaker(),
        }
    }

    /// Begins an exchange, and sets its deadline.
    pub(super) fn begin(&mut self, deadline: Instant) {
        self.asides = 0;
        self.warned = false;
        match &mut self.stream {
            Stream::Plain(socket) => socket.set_deadline(deadline),
            Stream::Encrypted(stream) => stream.sock.set_deadline(deadline),
        }
    }

    /// Sends everything in `output`.
    pub(super) fn send(&mut self) -> io::Result<()> {
        let sent = self.stream.send(&self.output);
        self.output.clear();
        self.timed_out |= sent.as_ref().is_err_and(is_late);
        sent
    }

    /// Sends a message that must not stay in a buffer.
    pub(super) fn send_apart(&mut self, message: &[u8]) -> io::Result<()> {
        self.stream.send(message)
    }

    /// The next message that is not an aside.
    pub(super) fn receive(&mut self) -> Result<Message<'_>, Failure> {
        let (tag, end) = loop {
            if let Some((tag, end)) = self.whole()? {
                if !is_aside(tag) {
                    break (tag, end);
                }
                self.aside(tag, end)?;
            } else {
                self.fill()?;
            }
        };
        let body = &self.input[self.start + HEADER..end];
        self.start = end;
        Ok(Message { tag, body })
    }

    /// Takes an aside.
    fn aside(&mut self, tag: u8, end: usize) -> Result<(), Failure> {
        if tag == NOTICE_RESPONSE_TAG {
            self.warned |= is_warning(&self.input[self.start + HEADER..end])?;
        }
        self.start = end;
        self.asides += 1;
        if self.asides > MAX_ASIDES {
            return Err(lost("the server sent too many notices"));
        }
        Ok(())
    }

    /// The tag and the end of the next message, if it is there as a whole.
    fn whole(&self) -> Result<Option<(u8, usize)>, Failure> {
        let Some(&[tag, a, b, c, d]) = self.input[self.start..self.end].first_chunk() else {
            return Ok(None);
        };
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        let limit = if tag == DATA_ROW_TAG { MAX_ROW } else { MAX_MESSAGE };
        if !(4..=limit).contains(&length) {
            return Err(lost(format!("the server sent a message of {length} bytes")));
        }
        let end = self.start + 1 + length;
        Ok((end <= self.end).then_some((tag, end)))
    }

    /// Receives what is there, at least one byte.
    fn fill(&mut self) -> Result<(), Failure> {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.end == self.input.len() {
            if self.start > 0 {
                self.input.copy_within(self.start..self.end, 0);
                (self.start, self.end) = (0, self.end - self.start);
            } else {
                self.input.resize(self.input.len() * 2, 0);
            }
        }
        let buffer = &mut self.input[self.end..];
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.read(buffer),
            Stream::Encrypted(stream) => stream.read(buffer),
        };
        match read {
            Ok(count @ 1..) => {
                self.end += count;
                Ok(())
            }
            read => {
                self.unanswered = true;
                self.timed_out |= read.as_ref().is_err_and(is_late);
                Err(read.map_or_else(broken, |_| lost(CLOSED)))
            }
        }
    }

    /// Whether something was received that nobody has taken.
    pub(super) fn has_more(&mut self) -> Result<bool, Failure> {
        while let Some((tag, end)) = self.whole()? {
            if !is_aside(tag) {
                return Ok(true);
            }
            self.aside(tag, end)?;
        }
        Ok(false)
    }

    /// Gives back the memory that an unusually large answer or batch needed.
    pub(super) fn shrink(&mut self) {
        if self.input.len() > MAX_KEPT && self.start == self.end {
            (self.start, self.end) = (0, 0);
            self.input = vec![0; BUFFER];
        }
        if self.output.capacity() > MAX_KEPT {
            self.output = BytesMut::with_capacity(BUFFER);
        }
    }
}

/// A message that may come at any time and means nothing to lictor.
fn is_aside(tag: u8) -> bool {
    matches!(tag, NOTICE_RESPONSE_TAG | NOTIFICATION_RESPONSE_TAG | PARAMETER_STATUS_TAG)
}

/// Whether a NoticeResponse is a warning.
fn is_warning(body: &[u8]) -> Result<bool, Failure> {
    let mut fields = Fields::new(body);
    let mut warning = false;
    loop {
        match fields.byte()? {
            0 => return Ok(warning),
            // `V` is the severity that no language changes.
            kind => warning |= fields.until_zero()? == b"WARNING" && matches!(kind, b'V' | b'S'),
        }
    }
}

fn is_late(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

/// A socket that failed.
pub(super) fn broken(error: io::Error) -> Failure {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let closed = matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset);
    let text = if closed { CLOSED.to_owned() } else { describe(&error) };
    Failure::Lost(Cause::new(text, error))
}
