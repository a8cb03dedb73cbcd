//! Counts the wrong passwords of each account since its last login, its last change of password,
//! the last `unlock` and the last activation. A token of another program is no login. A user who
//! tries the name from before an import is told the present one, once.

use super::Store;
use super::consecutive::GUARDED;
use super::driver::Fault;
use super::entry::{Entry, Event};
use super::mail_kind::MailKind;
use super::notices::Notice;
use super::rows::{emails, failures, former_names};
use super::transaction::Transaction;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{Email, Username};

/// Bytes of a former name: a longer one is not kept, and not looked for.
pub const MAX_FORMER_NAME: usize = 256;

/// A name that nobody has, as it was typed.
#[derive(Debug, Clone, Copy)]
struct Unknown<'a> {
    typed: &'a str,
    /// As a user's names are compared, so that spellings of one name are one.
    key: &'a str,
}

impl Store {
    /// Keeps the entry of a login that failed, and counts it at the entry's user if fewer than
    /// `limit` are counted there. The user is told of the [`GUARDED`]th, once. Takes the same time
    /// whether there is such a user or not. The entry is logged even if it cannot be kept.
    pub fn fail(&self, entry: &Entry<'_>, limit: u32, now: Timestamp) -> Result<(), Error> {
        self.fail_as(entry, None, limit, now)
    }

    /// Does the same for a name that nobody has. The name itself is not kept. If a user had it before
    /// an import, that user is told the present name.
    pub fn fail_unknown(&self, name: &str, entry: &Entry<'_>, now: Timestamp) -> Result<(), Error> {
        let key = match (Email::parse(name), Username::parse(name)) {
            (Ok(email), _) => email.key().to_owned(),
            (_, Ok(name)) => name.key().to_owned(),
            _ => name.to_owned(),
        };
        self.fail_as(entry, Some(Unknown { typed: name, key: &key }), 0, now)
    }

    fn fail_as(
        &self,
        entry: &Entry<'_>,
        unknown: Option<Unknown<'_>>,
        limit: u32,
        now: Timestamp,
    ) -> Result<(), Error> {
        let written = self.write(now, |transaction| {
            let count =
                failures::count(transaction, entry.user, unknown.map(|name| name.key), limit)?;
            transaction.record(entry)?;
            transaction.tell_new_name(unknown)?;
            if let (Some(user), Some(GUARDED)) = (entry.user, count) {
                transaction.record(&Entry {
                    event: Event::Guarded,
                    detail: "",
                    ..entry.clone()
                })?;
                transaction.tell(&Notice::new(MailKind::Guarded, user))?;
            }
            Ok(())
        });
        written.inspect_err(|_| {
            entry.log();
            self.count_event(entry.event);
        })
    }
}

impl Transaction<'_> {
    /// Tells a user who had this name before an import the present one, unless that was done or no
    /// mail would arrive. The look takes the same time for a name that somebody has.
    fn tell_new_name(&mut self, unknown: Option<Unknown<'_>>) -> Result<(), Fault> {
        let short = |text| Some(text).filter(|text: &&str| text.len() <= MAX_FORMER_NAME);
        let [typed, key] = unknown.map_or([""; 2], |name| {
            [name.typed, name.key].map(|text| short(text).unwrap_or_default())
        });
        let former = former_names::untold(self, typed, key)?;
        let (Some(former), Some(_)) = (former, unknown) else { return Ok(()) };
        let user = former.user;
        let is_active = emails::addressee(self, user)?.is_some_and(|to| to.person.active);
        if !is_active || emails::of_user(self, user)?.is_none() {
            return Ok(());
        }
        self.tell(&Notice { kind: MailKind::Renamed, user, detail: &former.name })?;
        let now = self.now;
        former_names::set_told(self, &former.name, now)
    }
}
