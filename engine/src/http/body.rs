//! A response's body, bytes in memory or a file; and the rest of a body that is sent in pieces.
//!
//! A long body is not copied as a whole into the output buffer: a client that does not read would
//! occupy as much memory. A piece follows once the one before is written. No other file of `http`
//! reads files.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use super::limits::MAX_PIECE;

/// The body of a response.
#[derive(Debug, Clone)]
pub(super) enum Body {
    Bytes(Cow<'static, [u8]>),
    /// Bytes that many responses share.
    Shared(Arc<[u8]>),
    /// The first bytes of a file, as many as the number says.
    File(Arc<File>, u64),
}

impl Body {
    pub(super) fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::Shared(bytes) => bytes.len() as u64,
            Body::File(_, length) => *length,
        }
    }

    /// The bytes in memory; none if the body is a file.
    pub(super) fn in_memory(&self) -> &[u8] {
        match self {
            Body::Bytes(bytes) => bytes,
            Body::Shared(bytes) => bytes,
            Body::File(..) => b"",
        }
    }

    /// The whole body in memory.
    pub(super) fn read(self) -> io::Result<Cow<'static, [u8]>> {
        match self {
            Body::Bytes(bytes) => Ok(bytes),
            Body::Shared(bytes) => Ok(bytes.to_vec().into()),
            Body::File(file, length) => {
                let too_large = |_| io::Error::from(io::ErrorKind::FileTooLarge);
                let mut bytes = vec![0; usize::try_from(length).map_err(too_large)?];
                file.read_exact_at(&mut bytes, 0)?;
                Ok(bytes.into())
            }
        }
    }
}

/// The rest of a body.
#[derive(Debug)]
pub(super) struct Rest {
    body: Body,
    sent: u64,
}

impl Rest {
    /// The rest before the first piece: all of it.
    pub(super) fn of(body: Body) -> Rest {
        Rest { body, sent: 0 }
    }

    /// Appends the next piece to `out`; says whether it was the last. Fails for a file that has
    /// become shorter: the response's head has promised its length.
    pub(super) fn push_piece(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        // It is at most MAX_PIECE.
        let length = (self.body.len() - self.sent).min(MAX_PIECE as u64) as usize;
        match &self.body {
            Body::File(file, _) => {
                let at = out.len();
                out.resize(at + length, 0);
                if let Err(error) = file.read_exact_at(&mut out[at..], self.sent) {
                    out.truncate(at);
                    return Err(error);
                }
            }
            in_memory => {
                // The bytes that were sent are in memory, so their number fits.
                let at = self.sent as usize;
                out.extend_from_slice(&in_memory.in_memory()[at..at + length]);
            }
        }
        self.sent += length as u64;
        Ok(self.sent == self.body.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> (File, std::path::PathBuf) {
        let name = format!("lictor-body-{}-{}", std::process::id(), bytes.len());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        (File::options().read(true).write(true).open(&path).unwrap(), path)
    }

    #[test]
    fn pieces_are_the_whole() {
        for length in [0, 1, MAX_PIECE - 1, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let (file, path) = file(&bytes);
            for body in [
                Body::Bytes(bytes.clone().into()),
                Body::Shared(bytes.clone().into()),
                Body::File(Arc::new(file.try_clone().unwrap()), length as u64),
            ] {
                assert_eq!(body.len(), length as u64);
                assert_eq!(*body.clone().read().unwrap(), bytes);
                let mut rest = Rest::of(body);
                let mut out = b"head".to_vec();
                let mut pieces = 1;
                while !rest.push_piece(&mut out).unwrap() {
                    pieces += 1;
                }
                assert_eq!((&out[..4], &out[4..]), (&b"head"[..], &bytes[..]));
                assert_eq!(pieces, length.div_ceil(MAX_PIECE).max(1));
            }
            std::fs::remove_file(path).unwrap();
        }
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error_and_adds_nothing() {
        let (file, path) = file(&[7; MAX_PIECE + 9]);
        std::fs::remove_file(path).unwrap();
        let body = Body::File(Arc::new(file.try_clone().unwrap()), MAX_PIECE as u64 + 9);
        let mut rest = Rest::of(body.clone());
        let mut out = Vec::new();
        assert!(!rest.push_piece(&mut out).unwrap());
        file.set_len(MAX_PIECE as u64 + 8).unwrap();
        assert!(rest.push_piece(&mut out).is_err());
        assert_eq!(out.len(), MAX_PIECE);
        assert!(body.read().is_err());
    }
}
