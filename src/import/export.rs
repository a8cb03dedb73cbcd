//! The way out: every account as a line of JSON, with its hash, so that `lictor import` or another
//! program can read it.

use std::io::{self, Write};

use serde::Serialize;

use super::time;
use crate::error::Error;
use crate::store::{ExportedUser, ImportedFactor, Store};

/// The version of the lines, in each of them as `lictor`.
pub(super) const VERSION: u64 = 1;

/// What an export wrote.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Lines.
    pub users: u64,
    /// Accounts that were left out: they wait for the confirmation of their e-mail address.
    pub waiting: u64,
}

/// Why an export ended early.
#[derive(Debug)]
pub enum Failure {
    /// The database failed.
    Store(Error),
    /// The output failed.
    Output(io::Error),
}

#[derive(Serialize)]
struct Line<'a> {
    lictor: u64,
    id: i64,
    username: &'a str,
    email: Option<&'a str>,
    password: Option<&'a str>,
    roles: &'a str,
    active: bool,
    created: String,
    language: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    second_factor: Option<Factor<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    recovery_codes: Vec<String>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    former_names: &'a [String],
}

#[derive(Serialize)]
struct Factor<'a> {
    secret: &'a str,
    created: String,
    confirmed: Option<String>,
    last_step: i64,
}

/// The last line of an export of this number of accounts. Without it, an export that ended between
/// two lines would look complete.
pub(super) fn end_line(users: u64) -> String {
    format!("{{\"lictor\":{VERSION},\"end\":{users}}}")
}

/// Writes a line for each account, in the order of ids, and one that says how many. Between two pages nothing is held open.
/// Calls `show` with the number of lines so far.
pub fn export(
    store: &Store,
    out: &mut dyn Write,
    show: &mut dyn FnMut(u64),
) -> Result<Exported, Failure> {
    let mut exported = Exported::default();
    let mut after = Some(0);
    while let Some(id) = after {
        let page = store.export(id).map_err(Failure::Store)?;
        for user in &page.users {
            write(user, out).map_err(Failure::Output)?;
            exported.users += 1;
        }
        exported.waiting += page.waiting;
        after = page.last;
        show(exported.users);
    }
    writeln!(out, "{}", end_line(exported.users)).map_err(Failure::Output)?;
    out.flush().map_err(Failure::Output)?;
    Ok(exported)
}

fn write(user: &ExportedUser, out: &mut dyn Write) -> io::Result<()> {
    let secret = user.factor.as_ref().map(|factor| factor.secret.base32());
    let factor = user.factor.as_ref().zip(secret.as_ref());
    let second_factor = factor.map(|(factor, secret)| {
        let ImportedFactor { created, confirmed, last_step, .. } = *factor;
        let (created, confirmed) = (time::write(created), confirmed.map(time::write));
        Factor { secret, created, confirmed, last_step }
    });
    let line = Line {
        lictor: VERSION,
        id: user.id,
        username: &user.name,
        email: user.email.as_deref(),
        password: (!user.hash.is_none()).then(|| user.hash.as_str()),
        roles: &user.roles,
        active: user.active,
        created: time::write(user.created),
        language: user.language.code(),
        second_factor,
        recovery_codes: user.recovery_codes.iter().map(|code| hex(code)).collect(),
        former_names: &user.former_names,
    };
    serde_json::to_writer(&mut *out, &line)?;
    out.write_all(b"\n")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
