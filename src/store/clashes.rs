//! Which accounts that are here stand in the way of imported ones. Compiled for the command line.

use std::collections::HashMap;

use super::Store;
use super::driver::{Fault, Queries};
use super::imported::ImportedUser;
use super::rows::import::{Holder, with_emails, with_ids, with_names};
use crate::error::Error;
use crate::values::{Email, Username};

/// Why an account cannot be added. The first that holds, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clash {
    /// An account has this id and this name: nothing is to be done. Without an id: this name, and
    /// the same e-mail address if the row has one.
    AlreadyHere,
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
    /// The key of the e-mail address that the name is.
    email_of_name: Option<String>,
    /// Keys of the names that the e-mail address is.
    names_of_email: Vec<String>,
}

impl Twins {
    fn of(user: &ImportedUser) -> Twins {
        let mut names_of_email = Vec::new();
        if let Some(email) = &user.email {
            names_of_email.push(email.key().to_owned());
            // Of an ASCII address this would be the same.
            if !email.as_str().is_ascii()
                && let Ok(name) = Username::parse(email.as_str())
            {
                names_of_email.push(name.key().to_owned());
            }
        }
        Twins { email_of_name: email_of_name(&user.name), names_of_email }
    }
}

/// The key of the e-mail address that a name is.
pub(super) fn email_of_name(name: &Username) -> Option<String> {
    // A look before the parser: hardly any name is one.
    let email = name.key().contains('@').then(|| Email::parse(name.key()).ok());
    email.flatten().map(|email| email.key().to_owned())
}

/// The accounts that share something with a page of imported ones.
#[derive(Default)]
struct Holders {
    by_id: HashMap<i64, Holder>,
    by_name: HashMap<String, Holder>,
    by_email: HashMap<String, Holder>,
}

impl Holders {
    fn find(
        queries: &mut dyn Queries,
        users: &[ImportedUser],
        twins: &[Twins],
    ) -> Result<Holders, Fault> {
        let ids: Vec<i64> = users.iter().filter_map(|user| user.id).collect();
        let mut names: Vec<&str> = users.iter().map(|user| user.name.key()).collect();
        names.extend(twins.iter().flat_map(|twins| &twins.names_of_email).map(String::as_str));
        let emails = users.iter().filter_map(|user| user.email.as_ref()).map(Email::key);
        let mut emails: Vec<&str> = emails.collect();
        emails.extend(twins.iter().filter_map(|twins| twins.email_of_name.as_deref()));
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
        Ok(found)
    }

    fn clash(&self, user: &ImportedUser, twins: &Twins) -> Option<Clash> {
        let key = user.name.key();
        let email = user.email.as_ref().map(Email::key);
        let named = self.by_name.get(key);
        let with_id = user.id.and_then(|id| self.by_id.get(&id));
        let is_here = match (user.id, with_id, named) {
            (Some(_), Some(holder), _) => holder.name_key == key,
            (None, _, Some(holder)) => email.is_none() || email == holder.email_key.as_deref(),
            _ => false,
        };
        if is_here {
            return Some(Clash::AlreadyHere);
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
        let twin = twins.email_of_name.as_ref().and_then(|email| self.by_email.get(email));
        let twin =
            twin.or_else(|| twins.names_of_email.iter().find_map(|name| self.by_name.get(name)));
        twin.map(|holder| Clash::NameIsEmail { id: holder.id })
    }
}
