//! What a mail server answers (RFC 5321 section 4.2): a code, perhaps over several lines; and what
//! it says that it can. Takes lines, knows no socket.

use std::fmt;

/// Bytes of one line; RFC 5321 has 512.
pub(super) const MAX_LINE: usize = 2_048;
/// Lines of one reply.
const MAX_LINES: usize = 64;

/// One answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    lines: Vec<String>,
}

/// What the lines so far are.
pub(super) enum Progress {
    Whole(Reply),
    /// There is more of it.
    Part(Reply),
}

impl Reply {
    /// Takes a line, without its end. Says what is wrong with it.
    pub(super) fn next(so_far: Option<Reply>, line: &[u8]) -> Result<Progress, &'static str> {
        let strange = "it answers with something that is not SMTP";
        let line = String::from_utf8_lossy(line);
        let code = line.get(..3).filter(|code| code.bytes().all(|b| b.is_ascii_digit()));
        let code: u16 = code.and_then(|code| code.parse().ok()).ok_or(strange)?;
        let mut reply = so_far.unwrap_or(Reply { code, lines: Vec::new() });
        if !(200..600).contains(&code) || reply.code != code {
            return Err(strange);
        }
        if reply.lines.len() == MAX_LINES {
            return Err("its answer has too many lines");
        }
        let rest = line.get(3..).unwrap_or_default();
        reply.lines.push(rest.get(1..).unwrap_or_default().trim().to_owned());
        match rest.bytes().next() {
            None | Some(b' ') => Ok(Progress::Whole(reply)),
            Some(b'-') => Ok(Progress::Part(reply)),
            Some(_) => Err(strange),
        }
    }

    /// Whether the server can do this, if it is the answer to EHLO.
    pub(super) fn offers(&self, keyword: &str) -> bool {
        self.words_after(keyword).is_some()
    }

    /// Whether one can log in to the server like this, if it is the answer to EHLO.
    pub(super) fn takes_login(&self, mechanism: &str) -> bool {
        let known = |word: &str| word.eq_ignore_ascii_case(mechanism);
        self.words_after("AUTH").is_some_and(|mut words| words.any(known))
    }

    fn words_after(&self, keyword: &str) -> Option<impl Iterator<Item = &str>> {
        // The first line is a greeting.
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
                Progress::Whole(reply) => return Ok(Some(reply)),
                Progress::Part(reply) => part = Some(reply),
            }
        }
        Ok(None)
    }

    #[test]
    fn replies() {
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
    fn what_a_server_can() {
        let reply = read(&["250-mail", "250-starttls", "250-AUTH plain LOGIN", "250 SMTPUTF8"]);
        let reply = reply.unwrap().unwrap();
        for (keyword, expected) in
            [("STARTTLS", true), ("SMTPUTF8", true), ("SIZE", false), ("mail", false)]
        {
            assert_eq!(reply.offers(keyword), expected, "{keyword}");
        }
        for (mechanism, expected) in [("PLAIN", true), ("LOGIN", true), ("CRAM-MD5", false)] {
            assert_eq!(reply.takes_login(mechanism), expected, "{mechanism}");
        }
    }
}
