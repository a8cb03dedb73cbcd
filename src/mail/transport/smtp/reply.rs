//! Replies of a mail server (RFC 5321 section 4.2): a code and one or more lines of text, and the
//! extensions in the reply to EHLO. Takes lines, knows no socket.

use std::fmt;

/// Limit on one line, in bytes; RFC 5321 allows 512.
pub(super) const MAX_LINE: usize = 2_048;
/// Limit on the lines of one reply.
const MAX_LINES: usize = 64;

/// A reply.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    lines: Vec<String>,
}

/// The reply after another line.
pub(super) enum Progress {
    Complete(Reply),
    /// More lines follow.
    Partial(Reply),
}

impl Reply {
    /// Adds a line, without its line end. The error says what is wrong with it.
    pub(super) fn next(so_far: Option<Reply>, line: &[u8]) -> Result<Progress, &'static str> {
        let malformed = "the server's reply is not SMTP";
        let line = String::from_utf8_lossy(line);
        let code = line.get(..3).filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
        let code: u16 = code.and_then(|code| code.parse().ok()).ok_or(malformed)?;
        let mut reply = so_far.unwrap_or(Reply { code, lines: Vec::new() });
        if !(200..600).contains(&code) || reply.code != code {
            return Err(malformed);
        }
        if reply.lines.len() == MAX_LINES {
            return Err("the server's reply has too many lines");
        }
        let rest = line.get(3..).unwrap_or_default();
        reply.lines.push(rest.get(1..).unwrap_or_default().trim().to_owned());
        match rest.bytes().next() {
            None | Some(b' ') => Ok(Progress::Complete(reply)),
            Some(b'-') => Ok(Progress::Partial(reply)),
            Some(_) => Err(malformed),
        }
    }

    /// Whether a reply to EHLO lists this extension.
    pub(super) fn offers(&self, keyword: &str) -> bool {
        self.parameters_of(keyword).is_some()
    }

    /// Whether a reply to EHLO lists this AUTH mechanism.
    pub(super) fn offers_auth(&self, mechanism: &str) -> bool {
        let same = |word: &str| word.eq_ignore_ascii_case(mechanism);
        self.parameters_of("AUTH").is_some_and(|mut words| words.any(same))
    }

    /// The parameters of an extension in a reply to EHLO; `None` if it is not listed.
    fn parameters_of(&self, keyword: &str) -> Option<impl Iterator<Item = &str>> {
        // The first line is the greeting.
        self.lines.iter().skip(1).find_map(|line| {
            let mut words = line.split_ascii_whitespace();
            words.next().is_some_and(|word| word.eq_ignore_ascii_case(keyword)).then_some(words)
        })
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.lines.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Reply>, &'static str> {
        let mut part = None;
        for line in lines {
            match Reply::next(part.take(), line.as_bytes())? {
                Progress::Complete(reply) => return Ok(Some(reply)),
                Progress::Partial(reply) => part = Some(reply),
            }
        }
        Ok(None)
    }

    #[test]
    fn replies_are_parsed() {
        for (lines, expected) in [
            (&["250 fine"][..], Ok(Some("250 fine"))),
            (&["250"], Ok(Some("250 "))),
            (&["250-a", "250 b"], Ok(Some("250 a b"))),
            (&["550-5.1.1 no such user", "550"], Ok(Some("550 5.1.1 no such user "))),
            (&["250-a"], Ok(None)),
            (&["250-a", "251 b"], Err(())),
            (&[""], Err(())),
            (&["25"], Err(())),
            (&["2500 x"], Err(())),
            (&["+50 x"], Err(())),
            (&["199 x"], Err(())),
            (&["600 x"], Err(())),
            (&["HTTP/1.1 400"], Err(())),
            (&["25\u{e9}"], Err(())),
            (&["250-"; 65], Err(())),
        ] {
            let reply = read(lines).map(|reply| reply.map(|reply| reply.to_string()));
            let reply = reply.as_ref().map(Option::as_deref).map_err(|_| ());
            assert_eq!(reply, expected, "{lines:?}");
        }
    }

    #[test]
    fn the_ehlo_reply_lists_extensions() {
        let reply = read(&["250-mail", "250-starttls", "250-AUTH plain LOGIN", "250 SMTPUTF8"]);
        let reply = reply.unwrap().unwrap();
        for (keyword, expected) in
            [("STARTTLS", true), ("SMTPUTF8", true), ("SIZE", false), ("mail", false)]
        {
            assert_eq!(reply.offers(keyword), expected, "{keyword}");
        }
        for (mechanism, expected) in [("PLAIN", true), ("LOGIN", true), ("CRAM-MD5", false)] {
            assert_eq!(reply.offers_auth(mechanism), expected, "{mechanism}");
        }
    }
}
