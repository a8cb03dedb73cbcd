//! Which request an answer is for, from the bytes that a test has sent.

/// The request line that a test has sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// As it was sent, with the query.
    pub path: String,
}

impl Asked {
    /// The path without the query, and without the server of a target in absolute form.
    pub fn path(&self) -> &str {
        let path = self.path.split('?').next().unwrap_or_default();
        let absolute = path.strip_prefix("http://").or_else(|| path.strip_prefix("https://"));
        match absolute {
            Some(rest) => rest.find('/').map_or("/", |start| &rest[start..]),
            None => path,
        }
    }
}

/// Takes the first request off the bytes that were sent. `None` if it is not certain what was asked;
/// then all the bytes are taken, because it is not known where the next request begins.
pub fn take_request(sent: &mut Vec<u8>) -> Option<Asked> {
    let asked = request_line(sent);
    let end = asked.as_ref().and_then(|_| end_of_request(sent)).filter(|end| *end <= sent.len());
    match end {
        Some(end) => drop(sent.drain(..end)),
        None => sent.clear(),
    }
    asked
}

fn request_line(sent: &[u8]) -> Option<Asked> {
    let end = sent.windows(2).position(|two| two == b"\r\n")?;
    let line = std::str::from_utf8(&sent[..end]).ok()?;
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        [method, path, "HTTP/1.1" | "HTTP/1.0"] if !method.is_empty() && !path.is_empty() => {
            Some(Asked { method: method.to_owned(), path: path.to_owned() })
        }
        _ => None,
    }
}

/// Where a request ends that has a length, or no body.
fn end_of_request(sent: &[u8]) -> Option<usize> {
    let head = sent.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = std::str::from_utf8(&sent[..head]).ok()?.to_ascii_lowercase();
    let lengths: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("content-length:")).collect();
    match (&lengths[..], text.contains("\r\ntransfer-encoding")) {
        ([], false) => Some(head),
        ([length], false) => head.checked_add(length.trim().parse().ok()?),
        _ => None,
    }
}
