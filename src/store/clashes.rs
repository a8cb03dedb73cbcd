//! Which accounts that are here stand in the way of imported ones. Compiled for the command line.

use std::collections::HashMap;

use super::Store;
use super::driver::{Fault, Queries};
use super::imported::ImportedUser;
use super::rows::import::{Holder, with_emails, with_ids, with_names, with_spellings};
use crate::error::Error;
use crate::values::{Email, Username};

/// Why an account cannot be added. The first that holds, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clash {
    /// The row's account has come before: nothing is to be done. An account has this id and this
    /// name (without an id: this name), and looks as if it were the same; see [`came_before`].
    AlreadyHere,
    /// An account has this id and this name, but nothing says that it has come before: somebody may
    /// have registered with this name.
    Differs {
        /// The id of that account.
        id: i64,
    },
    /// The id belongs to another account.
    IdInUse {
        /// The name of that account.
        name: String,
    },
    /// The name belongs to another account, perhaps in other case.
    NameTaken {
        /// The id of that account.
        id: i64,
        /// Its name.
        name: String,
    },
    /// The e-mail address belongs to another account.
    EmailTaken {
        /// The id of that account.
        id: i64,
    },
    /// The name is the e-mail address of another account, or the e-mail address its name: a login
    /// with it would always mean the account with the address.
    NameIsEmail {
        /// The id of that account.
        id: i64,
    },
}

impl Store {
    /// For each of these accounts, why it cannot be added.
    pub fn clashes(&self, users: &[ImportedUser]) -> Result<Vec<Option<Clash>>, Error> {
        self.read(|queries| clashes(queries, users))
    }
}

/// Does the same inside a transaction.
pub(super) fn clashes(
    queries: &mut dyn Queries,
    users: &[ImportedUser],
) -> Result<Vec<Option<Clash>>, Fault> {
    let twins: Vec<Twins> = users.iter().map(Twins::of).collect();
    let holders = Holders::find(queries, users, &twins)?;
    Ok(users.iter().zip(&twins).map(|(user, twins)| holders.clash(user, twins)).collect())
}

/// What a login could mistake for an account's name or e-mail address.
struct Twins {
    /// The keys of the e-mail addresses that the name is.
    emails_of_name: Vec<String>,
    /// Whether names of other spellings are the e-mail address, too.
    has_spellings: bool,
}

impl Twins {
    fn of(user: &ImportedUser) -> Twins {
        let has_spellings =
            user.email.as_ref().is_some_and(|email| Email::key_has_spellings(email.key()));
        Twins { emails_of_name: user.name.email_keys(), has_spellings }
    }
}

/// Returns whether the row's account is this one, imported earlier. The time of creation decides if
/// the source has it: nobody who registers here can choose it, and an account keeps it when its
/// owner changes the e-mail address. Without it, the e-mail addresses must be equal, or both absent.
fn came_before(user: &ImportedUser, holder: &Holder) -> bool {
    match user.created_known {
        true => user.created == holder.created,
        false => user.email.as_ref().map(Email::key) == holder.email_key.as_deref(),
    }
}

/// The accounts that share something with a page of imported ones.
#[derive(Default)]
struct Holders {
    by_id: HashMap<i64, Holder>,
    by_name: HashMap<String, Holder>,
    by_email: HashMap<String, Holder>,
    /// The key of each e-mail address that a name is, as far as it has several spellings.
    by_email_of_name: HashMap<String, Holder>,
}

impl Holders {
    fn find(
        queries: &mut dyn Queries,
        users: &[ImportedUser],
        twins: &[Twins],
    ) -> Result<Holders, Fault> {
        let ids: Vec<i64> = users.iter().filter_map(|user| user.id).collect();
        let mut names: Vec<&str> = users.iter().map(|user| user.name.key()).collect();
        let emails = users.iter().filter_map(|user| user.email.as_ref()).map(Email::key);
        let mut emails: Vec<&str> = emails.collect();
        names.extend(&emails);
        emails.extend(twins.iter().flat_map(|twins| &twins.emails_of_name).map(String::as_str));
        let mut found = Holders::default();
        for holder in with_ids(queries, &ids)? {
            found.by_id.insert(holder.id, holder);
        }
        for holder in with_names(queries, &names)? {
            found.by_name.insert(holder.name_key.clone(), holder);
        }
        for holder in with_emails(queries, &emails)? {
            found.by_email.insert(holder.email_key.clone().unwrap_or_default(), holder);
        }
        // These names cannot be looked up by a key, and hardly any address needs it.
        if twins.iter().any(|twins| twins.has_spellings) {
            for holder in with_spellings(queries)? {
                let name = Username::stored(holder.name.clone(), holder.name_key.clone());
                for email in name.email_keys() {
                    found.by_email_of_name.insert(email, holder.clone());
                }
            }
        }
        Ok(found)
    }

    fn clash(&self, user: &ImportedUser, twins: &Twins) -> Option<Clash> {
        let key = user.name.key();
        let email = user.email.as_ref().map(Email::key);
        let named = self.by_name.get(key);
        let with_id = user.id.and_then(|id| self.by_id.get(&id));
        let same = match user.id {
            // Another import may have added it between two of the look-ups.
            Some(id) => with_id
                .or(named)
                .filter(|holder| (holder.id, holder.name_key.as_str()) == (id, key)),
            None => named,
        };
        if let Some(holder) = same {
            return Some(match came_before(user, holder) {
                true => Clash::AlreadyHere,
                false => Clash::Differs { id: holder.id },
            });
        }
        if let Some(holder) = with_id {
            return Some(Clash::IdInUse { name: holder.name.clone() });
        }
        if let Some(holder) = named {
            return Some(Clash::NameTaken { id: holder.id, name: holder.name.clone() });
        }
        if let Some(holder) = email.and_then(|email| self.by_email.get(email)) {
            return Some(Clash::EmailTaken { id: holder.id });
        }
        let twin = twins.emails_of_name.iter().find_map(|email| self.by_email.get(email));
        let names = if twins.has_spellings { &self.by_email_of_name } else { &self.by_name };
        let twin = twin.or_else(|| email.and_then(|email| names.get(email)));
        twin.map(|holder| Clash::NameIsEmail { id: holder.id })
    }
}
