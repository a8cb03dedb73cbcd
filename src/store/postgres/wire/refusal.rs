//! The ErrorResponse of the server.

use super::failure::{Failure, Refusal, lost};
use super::fields::Fields;

/// Bytes of a message of the server that are kept.
const MAX_TEXT: usize = 1_000;

impl Refusal {
    /// Reads an ErrorResponse. Only its primary message is kept: the detail, the context and the
    /// query may hold values of rows.
    pub(super) fn read(body: &[u8]) -> Result<Refusal, Failure> {
        let mut fields = Fields::new(body);
        let mut known = None;
        let mut refusal = Refusal {
            code: [0; 5],
            message: "the server gave no message".to_owned(),
            constraint: None,
            fatal: false,
        };
        loop {
            let kind = fields.byte()?;
            if kind == 0 {
                break;
            }
            let value = fields.until_zero()?;
            match kind {
                b'C' => known = Some(value),
                b'M' => refusal.message = text(value),
                b'n' => refusal.constraint = Some(text(value)),
                // `V` is the severity that no language changes; servers before 9.6 have `S` only.
                b'V' | b'S' => refusal.fatal |= matches!(value, b"FATAL" | b"PANIC"),
                _ => {}
            }
        }
        fields.end()?;
        refusal.code = code(known.unwrap_or_default())?;
        refusal.explain();
        Ok(refusal)
    }

    /// A COMMIT that the server answered with a rollback.
    pub(super) fn rolled_back() -> Refusal {
        Refusal {
            code: *b"25P02",
            message: "the transaction had failed before, and was rolled back".to_owned(),
            constraint: None,
            fatal: false,
        }
    }

    /// Whether prepared statements are not what they were any more. Only the message tells a plan that
    /// was cached from another feature that is missing, and it may be in any language.
    pub(super) fn spoils_statements(&self) -> bool {
        matches!(&self.code, b"26000" | b"42P05" | b"0A000")
    }

    /// Adds the reason to messages that name only what they cause.
    fn explain(&mut self) {
        let reason = match &self.code {
            b"26000" | b"42P05" => {
                "; a connection pooler before the server must be in session mode, because lictor \
                 keeps prepared statements"
            }
            b"0A000" if self.message.contains("cached plan") => {
                "; a table was changed while lictor runs"
            }
            _ => return,
        };
        self.message.push_str(reason);
    }
}

/// A SQLSTATE: five digits and capital letters.
fn code(value: &[u8]) -> Result<[u8; 5], Failure> {
    let wrong = || lost("the server sent an error without a code");
    let code: [u8; 5] = value.try_into().map_err(|_| wrong())?;
    let known = code.iter().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if known { Ok(code) } else { Err(wrong()) }
}

/// Text for the log: one line of limited length.
fn text(value: &[u8]) -> String {
    let value = &value[..value.len().min(MAX_TEXT)];
    let clean = |c: char| if c.is_control() { ' ' } else { c };
    String::from_utf8_lossy(value).chars().map(clean).collect()
}
