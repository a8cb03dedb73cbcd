//! `lictor user …`: makes, shows, changes and deletes accounts.

use std::io::{self, Write as _};

use clap::Subcommand;

use super::database::{DatabaseFlag, made, made_if_missing, open_existing};
use super::one_user::OneUser;
use super::output::{date, failed, print, unless_closed};
use super::parse;
use super::password_flags::PasswordRuleFlags;
use super::prompt;
use super::reset_link::{self, ResetLink};
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::guard::{Hasher, PasswordRules};
use crate::store::{
    Account, Actor, Authority, Change, Database, Entry, Event, Inspection, NewUser, SecondFactor,
    Store,
};
use crate::values::{Email, Language, Roles, Username};

#[derive(Subcommand)]
pub(super) enum UserCommand {
    /// Make an account; the password comes from a prompt or standard input
    #[command(mut_arg("database", made_if_missing))]
    Add {
        /// The username
        name: String,
        /// An e-mail address, with which the user can log in as well
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// A role; can be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        #[command(flatten)]
        rules: PasswordRuleFlags,
        #[command(flatten)]
        database: DatabaseFlag,
    },
    /// List all accounts
    List {
        #[command(flatten)]
        database: DatabaseFlag,
    },
    /// Show one account
    Show(OneUser),
    /// Set a new password, from a prompt or standard input
    Passwd {
        #[command(flatten)]
        user: OneUser,
        #[command(flatten)]
        rules: PasswordRuleFlags,
    },
    /// Set the roles; the ones before are removed
    Roles {
        #[command(flatten)]
        user: OneUser,
        /// Roles separated by commas; leave them out to remove all
        #[arg(default_value = "")]
        roles: String,
    },
    /// Activate an account
    Activate(OneUser),
    /// Deactivate an account at once; its tokens are refused as well
    Deactivate(OneUser),
    /// Turn off the second factor of a user who has lost it and the recovery codes
    ResetSecondFactor(OneUser),
    /// Forget the failed logins of an account, so that the next login need not wait
    Unlock(OneUser),
    /// Make a link, and its token for POST /api/reset_finalize, that sets a new password once
    ResetLink(ResetLink),
    /// Delete an account for good
    Delete {
        #[command(flatten)]
        user: OneUser,
        /// Do not ask for confirmation
        #[arg(long)]
        yes: bool,
    },
}

pub(super) fn run(command: UserCommand) -> Result<(), Problem> {
    match command {
        UserCommand::Add { name, email, roles, rules, database } => {
            let roles = roles.join(",");
            add(&name, email.as_deref(), &roles, &rules.make()?, database.find()?)
        }
        UserCommand::List { database } => list(database.find()?),
        UserCommand::Show(user) => show(&user),
        UserCommand::Passwd { user, rules } => set_password(&user, &rules.make()?),
        UserCommand::Roles { user, roles } => set_roles(&user, &roles),
        UserCommand::Activate(user) => {
            change(&user.open()?, &Change::Active(true), Event::Activated, "is active")
        }
        UserCommand::Deactivate(user) => {
            change(&user.open()?, &Change::Active(false), Event::Deactivated, "is inactive")
        }
        UserCommand::ResetSecondFactor(user) => reset_second_factor(&user),
        UserCommand::Unlock(user) => unlock(&user),
        UserCommand::ResetLink(command) => reset_link::run(&command),
        UserCommand::Delete { user, yes } => delete(&user, yes),
    }
}

fn add(
    name: &str,
    email: Option<&str>,
    roles: &str,
    rules: &(PasswordRules, Hasher),
    database: &Database,
) -> Result<(), Problem> {
    let name = Username::choose(name).map_err(failed)?;
    let email = email.map(parse::email).transpose()?;
    let roles = parse::roles(roles)?;
    // A file that is no database is an error before the prompt; a new file is made only after it.
    let found = Store::inspect(database)?;
    let hash = prompt::new_password(&name, email.as_ref(), rules)?;
    let store = Store::open(database, 1)?;
    let language = Language::English;
    let user = NewUser { name: &name, email: email.as_ref(), hash: &hash, roles: &roles, language };
    let entry = Entry {
        event: Event::UserAdded,
        user: None,
        name: Some(name.as_str()),
        actor: Actor::Operator,
        detail: roles.as_str(),
    };
    let id = store
        .add(&user, &Authority::Operator, &entry, Timestamp::now())
        .map_err(|error| cannot_add(error, &name, &roles))?;
    if found == Inspection::Absent {
        print(&made(database))?;
    }
    print(&format!("added {name} (id {id})"))
}

/// Why an account could not be added. An administrator with a taken name is most likely meant to be
/// the account that has it.
fn cannot_add(error: Error, name: &Username, roles: &Roles) -> Problem {
    let taken = matches!(error, Error::UsernameTaken);
    let mut problem = failed(error);
    if taken && roles.iter().any(|role| role == "admin") {
        problem.next +=
            &format!(", or make this one an administrator: lictor user roles {name} admin");
    }
    problem
}

fn list(database: &Database) -> Result<(), Problem> {
    let store = open_existing(database)?;
    let mut out = io::stdout().lock();
    let mut wrote =
        writeln!(out, "{:>6}  {:11}  {:20}  {:24}  roles", "id", "state", "created", "name");
    store
        .accounts(&mut |account| {
            let Account { person, created, .. } = &account;
            if wrote.is_ok() {
                wrote = writeln!(
                    out,
                    "{:>6}  {:11}  {:20}  {:24}  {}",
                    person.id,
                    state(&account),
                    date(*created),
                    person.name,
                    person.roles.as_str()
                );
            }
        })
        .map_err(failed)?;
    wrote.or_else(unless_closed)
}

fn show(user: &OneUser) -> Result<(), Problem> {
    let (store, account) = user.open()?;
    let factor = store.second_factor(account.person.id).map_err(failed)?;
    print(&description(&account, factor.as_ref()))
}

fn description(account: &Account, factor: Option<&SecondFactor>) -> String {
    let Account { person, email, created, .. } = account;
    let otp = match factor {
        Some(factor) if factor.confirmed => {
            format!("on, {} recovery codes left", factor.codes_left)
        }
        _ => "off".into(),
    };
    let none = |text: &str| if text.is_empty() { "-".to_owned() } else { text.to_owned() };
    format!(
        "id       {}\nname     {}\nemail    {}\nstate    {}\nroles    {}\notp      {}\ncreated  {}",
        person.id,
        person.name,
        none(email.as_deref().unwrap_or_default()),
        state(account),
        none(&person.roles.iter().collect::<Vec<_>>().join(", ")),
        otp,
        date(*created),
    )
}

fn set_password(user: &OneUser, rules: &(PasswordRules, Hasher)) -> Result<(), Problem> {
    let found = user.open()?;
    let (_, account) = &found;
    let name = Username::parse(&account.person.name).map_err(failed)?;
    let email = account.email.as_deref().and_then(|email| Email::parse(email).ok());
    let hash = prompt::new_password(&name, email.as_ref(), rules)?;
    let new = Change::Password { hash: &hash, session: None };
    change(&found, &new, Event::PasswordReset, "has a new password")
}

fn set_roles(user: &OneUser, roles: &str) -> Result<(), Problem> {
    let found = user.open()?;
    let roles = parse::roles(roles)?;
    let done = match roles.as_str() {
        "" => "has no roles".into(),
        roles => format!("has the roles {roles}"),
    };
    change(&found, &Change::Roles(&roles), Event::RolesChanged, &done)
}

/// Changes the account and prints `done` after its name.
fn change(
    (store, account): &(Store, Account),
    change: &Change<'_>,
    event: Event,
    done: &str,
) -> Result<(), Problem> {
    let Account { person, .. } = account;
    let detail = match change {
        Change::Roles(roles) => roles.as_str(),
        _ => "",
    };
    let entry = Entry { detail, ..Entry::new(event, person.id, &person.name, Actor::Operator) };
    let by = Authority::Operator;
    match store.change(person.id, change, &by, &entry, Timestamp::now()).map_err(failed)? {
        true => print(&format!("{} {done}", account.person.name)),
        false => Err(gone(account)),
    }
}

fn unlock(user: &OneUser) -> Result<(), Problem> {
    let (store, account) = user.open()?;
    let (id, name) = (account.person.id, &account.person.name);
    let entry = Entry::new(Event::Unlocked, id, name, Actor::Operator);
    match store.unlock(id, &entry, Timestamp::now()).map_err(failed)? {
        true => {
            print(&format!("{name} may try again at once: failed logins up to now are forgotten"))
        }
        false => Err(gone(&account)),
    }
}

fn reset_second_factor(user: &OneUser) -> Result<(), Problem> {
    let (store, Account { person, .. }) = user.open()?;
    let entry = Entry::new(Event::SecondFactorReset, person.id, &person.name, Actor::Operator);
    let now = Timestamp::now();
    let by = Authority::Operator;
    match store.remove_second_factor(person.id, &by, &entry, now).map_err(failed)? {
        true => print(&format!("{} has no second factor any more", person.name)),
        false => print(&format!("{} had no second factor", person.name)),
    }
}

fn delete(user: &OneUser, yes: bool) -> Result<(), Problem> {
    let (store, account) = user.open()?;
    let (id, name) = (account.person.id, &account.person.name);
    let question = format!("delete {name} (id {id}) for good?");
    if !yes && !prompt::confirmed("deleting an account", &question)? {
        return print(&format!("{name} was not deleted"));
    }
    let entry = Entry::new(Event::UserDeleted, id, name, Actor::Operator);
    match store.delete(id, &Authority::Operator, &entry, Timestamp::now()).map_err(failed)? {
        true => print(&format!("{name} was deleted")),
        false => Err(gone(&account)),
    }
}

fn gone(account: &Account) -> Problem {
    Problem::new(format!("{} was deleted meanwhile", account.person.name), "nothing was changed")
}

fn state(account: &Account) -> &'static str {
    match (account.person.active, account.unconfirmed) {
        (true, _) => "active",
        (false, Some(_)) => "unconfirmed",
        (false, None) => "inactive",
    }
}
