//! Several header fields of an answer, checked and written at once.

/// Header fields with constant names whose values can be sent (`HeaderValue`
/// says which), in one buffer. For answers with many fields: each alone would be a text of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderFields {
    names: &'static [&'static str],
    /// A line for each name, as it is sent: CR LF, name, colon, space, value.
    lines: String,
}

/// Bytes for which there is room from the beginning: a user's identity rarely takes more.
const USUAL: usize = 256;

impl HeaderFields {
    /// `None` when a value holds a byte that must not be sent, or when there is not one value for
    /// each name.
    ///
    /// ```
    /// # use lictor_engine as lictor;
    /// use lictor::http::{HeaderFields, Response};
    /// const NAMES: [&str; 2] = ["Remote-User", "Remote-Groups"];
    /// let fields = HeaderFields::new(&NAMES, &["ada", "admin,editor"]).expect("visible ASCII");
    /// let response = Response::empty(200).with_fields(fields);
    /// assert!(response.headers().eq([("Remote-User", "ada"), ("Remote-Groups", "admin,editor")]));
    /// assert!(HeaderFields::new(&NAMES, &["ada\r\nX-Admin: yes", ""]).is_none());
    /// ```
    // Not inlined: a caller that is built for size would make slow code of it.
    #[inline(never)]
    pub fn new(names: &'static [&'static str], values: &[&str]) -> Option<HeaderFields> {
        if names.len() != values.len() {
            return None;
        }
        let mut lines = String::with_capacity(USUAL);
        for (name, value) in names.iter().zip(values) {
            if !can_be_sent(value) {
                return None;
            }
            lines.push_str("\r\n");
            lines.push_str(name);
            lines.push_str(": ");
            lines.push_str(value);
        }
        Some(HeaderFields { names, lines })
    }

    /// The names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        // No value holds a carriage return.
        let lines = self.lines.split('\r').skip(1);
        let value = |(name, line): (&&'static str, _)| (*name, value_of(name, line));
        self.names.iter().zip(lines).map(value)
    }

    /// The lines as they are sent.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.lines.as_bytes()
    }
}

/// Whether a header field may have this value.
#[inline(never)]
pub(super) fn can_be_sent(value: &str) -> bool {
    // Looks at every byte without a branch for each.
    let fine = |b: u8| (b == b'\t') | (b' '..=b'~').contains(&b);
    value.bytes().fold(true, |all, b| all & fine(b))
}

/// Returns the value in a line without its carriage return.
fn value_of<'l>(name: &str, line: &'l str) -> &'l str {
    line.get("\n".len() + name.len() + ": ".len()..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 3] = ["A", "Remote-User", "C"];

    #[test]
    fn fields_as_they_are_sent() {
        for (values, expected) in [
            (["", "", ""], "\r\nA: \r\nRemote-User: \r\nC: "),
            (
                ["x", "Remote-User: y", "\tz ~"],
                "\r\nA: x\r\nRemote-User: Remote-User: y\r\nC: \tz ~",
            ),
        ] {
            let fields = HeaderFields::new(&NAMES, &values).unwrap();
            assert_eq!(fields.as_bytes(), expected.as_bytes());
            assert_eq!(
                fields.iter().collect::<Vec<_>>(),
                [0, 1, 2].map(|at| (NAMES[at], values[at]))
            );
        }
    }

    #[test]
    fn what_cannot_be_sent() {
        for byte in 0..=u8::MAX {
            let value = format!("a{}b", char::from(byte));
            let fine = byte == b'\t' || (b' '..=b'~').contains(&byte);
            for at in 0..NAMES.len() {
                let mut values = ["x"; 3];
                values[at] = &value;
                assert_eq!(HeaderFields::new(&NAMES, &values).is_some(), fine, "{byte}");
            }
        }
        assert!(HeaderFields::new(&NAMES, &["x"; 2]).is_none());
        assert!(HeaderFields::new(&NAMES, &["x"; 4]).is_none());
        assert!(HeaderFields::new(&[], &[]).is_some_and(|fields| fields.iter().count() == 0));
    }
}
