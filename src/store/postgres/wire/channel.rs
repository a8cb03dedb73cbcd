//! Messages over a socket, plain or with TLS: collects what is sent, cuts what comes into messages,
//! each with a limit. Knows the form of messages, not their meaning.

use std::io::{self, Read as _, Write as _};
use std::time::Instant;

use bytes::BytesMut;
use postgres_protocol::message::backend::{
    DATA_ROW_TAG, NOTICE_RESPONSE_TAG, NOTIFICATION_RESPONSE_TAG, PARAMETER_STATUS_TAG,
};

use super::failure::{Failure, lost};
use super::socket::Socket;
use crate::error::Cause;
use crate::tls::{Encrypted, Trust, describe};

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
    /// Asides since the last call of [`Channel::send`].
    asides: usize,
}

enum Stream {
    Plain(Socket),
    Encrypted(Box<Encrypted<Socket>>),
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
        let stream = trust.encrypt(socket).map_err(lost)?;
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
        }
    }

    /// Sets the deadline of what follows.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        match &mut self.stream {
            Stream::Plain(socket) => socket.set_deadline(deadline),
            Stream::Encrypted(stream) => stream.sock.set_deadline(deadline),
        }
    }

    /// Sends everything in `output`.
    pub(super) fn send(&mut self) -> io::Result<()> {
        self.asides = 0;
        let sent = match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(&self.output),
            Stream::Encrypted(stream) => {
                stream.write_all(&self.output).and_then(|()| stream.flush())
            }
        };
        self.output.clear();
        sent
    }

    /// The next message that is not an aside.
    pub(super) fn receive(&mut self) -> Result<Message<'_>, Failure> {
        let (tag, end) = loop {
            if let Some((tag, end)) = self.whole()? {
                if !is_aside(tag) {
                    break (tag, end);
                }
                self.start = end;
                self.asides += 1;
                if self.asides > MAX_ASIDES {
                    return Err(lost("the server sent too many notices"));
                }
            } else {
                self.fill()?;
            }
        };
        let body = &self.input[self.start + HEADER..end];
        self.start = end;
        Ok(Message { tag, body })
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
            Ok(0) => Err(lost("the server closed the connection")),
            Ok(count) => {
                self.end += count;
                Ok(())
            }
            Err(error) => Err(broken(error)),
        }
    }

    /// Whether something was received that nobody has taken.
    pub(super) fn has_more(&mut self) -> Result<bool, Failure> {
        while let Some((tag, end)) = self.whole()? {
            if !is_aside(tag) {
                return Ok(true);
            }
            self.start = end;
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

/// A socket that failed.
pub(super) fn broken(error: io::Error) -> Failure {
    Failure::Lost(Cause::new(describe(&error), error))
}
