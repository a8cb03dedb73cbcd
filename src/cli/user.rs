//! The `user` commands.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use clap::Subcommand;
use zeroize::Zeroizing;

use super::output::{date, failed, open_existing, print, unless_closed};
use super::reset_link::{self, ResetLink};
use crate::cli::{Database, PasswordRuleFlags};
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::guard::{Hasher, Password, PasswordRules};
use crate::store::{Account, Actor, Authority, Change, Entry, Event, NewUser, SecondFactor, Store};
use crate::values::Language;
use crate::values::{Email, PasswordHash, Roles, Username};

/// Bytes read from standard input for a password.
const MAX_INPUT: u64 = 4096;

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account; the password comes from a prompt or standard input
    Add {
        /// The username
        name: String,
        /// An address that also serves as a login name
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// A role; can be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        #[command(flatten)]
        rules: PasswordRuleFlags,
        #[command(flatten)]
        database: Database,
    },
    /// List all accounts
    List {
        #[command(flatten)]
        database: Database,
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
    /// Set the roles, replacing those there were
    Roles {
        #[command(flatten)]
        user: OneUser,
        /// Roles separated by commas; none to take all away
        #[arg(default_value = "")]
        roles: String,
    },
    /// Let an account be used again
    Activate(OneUser),
    /// Shut an account out at once; its tokens are refused as well
    Deactivate(OneUser),
    /// Turn a second factor off, for somebody who has lost it and the recovery codes
    ResetSecondFactor(OneUser),
    /// Forget failed logins up to now, so that the next one need not wait
    Unlock(OneUser),
    /// Make a token with which a user sets a new password at POST /api/reset_finalize, once
    ResetLink(ResetLink),
    /// Delete an account for good
    Delete {
        #[command(flatten)]
        user: OneUser,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(clap::Args)]
pub(crate) struct OneUser {
    /// The username
    name: String,
    #[command(flatten)]
    pub(super) database: Database,
}

impl OneUser {
    pub(super) fn open(&self) -> Result<(Store, Account), Problem> {
        let store = open_existing(&self.database)?;
        let name = Username::parse(&self.name).map_err(failed)?;
        match store.account(&name).map_err(failed)? {
            Some(account) => Ok((store, account)),
            None => Err(Problem::new(
                format!("there is no user {name}"),
                "see who is there: lictor user list",
            )),
        }
    }
}

pub(crate) fn run(command: UserCommand) -> Result<(), Problem> {
    match command {
        UserCommand::Add { name, email, roles, rules, database } => {
            add(&name, email.as_deref(), &roles.join(","), &rules.rules()?, &database)
        }
        UserCommand::List { database } => list(&database),
        UserCommand::Show(user) => {
            let (store, account) = user.open()?;
            let factor = store.second_factor(account.person.id).map_err(failed)?;
            print(&show(&account, factor.as_ref()))
        }
        UserCommand::Passwd { user, rules } => {
            let rules = rules.rules()?;
            let (store, account) = user.open()?;
            let name = Username::parse(&account.person.name).map_err(failed)?;
            let email = account.email.as_deref().and_then(|email| Email::parse(email).ok());
            let hash = read_password(&name, email.as_ref(), &rules)?;
            let new = Change::Password { hash: &hash, session: None };
            change(&store, &account, &new, Event::PasswordReset, "has a new password")
        }
        UserCommand::Roles { user, roles } => {
            let (store, account) = user.open()?;
            let roles = Roles::parse(&roles).map_err(failed)?;
            let done = match roles.as_str() {
                "" => "has no roles".into(),
                roles => format!("has the roles {roles}"),
            };
            change(&store, &account, &Change::Roles(&roles), Event::RolesChanged, &done)
        }
        UserCommand::Activate(user) => {
            let (store, account) = user.open()?;
            change(&store, &account, &Change::Active(true), Event::Activated, "is active")
        }
        UserCommand::Deactivate(user) => {
            let (store, account) = user.open()?;
            change(&store, &account, &Change::Active(false), Event::Deactivated, "is inactive")
        }
        UserCommand::ResetSecondFactor(user) => reset_second_factor(&user),
        UserCommand::Unlock(user) => {
            let (store, account) = user.open()?;
            let done = "may try again at once: failed logins up to now are forgotten";
            change(&store, &account, &Change::Unlocked, Event::Unlocked, done)
        }
        UserCommand::ResetLink(command) => reset_link::run(&command),
        UserCommand::Delete { user, yes } => {
            let (store, account) = user.open()?;
            let name = &account.person.name;
            if !yes
                && !confirmed(
                    "deleting",
                    &format!("delete {name} (id {}) for good?", account.person.id),
                )?
            {
                return print(&format!("{name} was not deleted"));
            }
            let id = account.person.id;
            let entry = Entry::new(Event::UserDeleted, id, name, Actor::Operator);
            match store
                .delete(id, &Authority::Operator, &entry, Timestamp::now())
                .map_err(failed)?
            {
                true => print(&format!("{name} was deleted")),
                false => Err(gone(&account)),
            }
        }
    }
}

fn add(
    name: &str,
    email: Option<&str>,
    roles: &str,
    rules: &PasswordRules,
    database: &Database,
) -> Result<(), Problem> {
    let name = Username::choose(name).map_err(failed)?;
    let email = email.map(Email::parse).transpose().map_err(failed)?;
    let roles = Roles::parse(roles).map_err(failed)?;
    // A file that cannot be used is told before the password is asked for, but none is made for
    // a password that cannot be had.
    Store::inspect(&database.value())?;
    let hash = read_password(&name, email.as_ref(), rules)?;
    let store = Store::open(&database.value(), 1)?;
    let language = Language::English;
    let user = NewUser { name: &name, email: email.as_ref(), hash: &hash, roles: &roles, language };
    let entry = Entry {
        event: Event::UserAdded,
        user: None,
        name: Some(name.as_str()),
        actor: Actor::Operator,
        detail: roles.as_str(),
    };
    let id = store.add(&user, None, &entry, Timestamp::now()).map_err(failed)?;
    print(&format!("added {name} (id {id})"))
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

fn show(account: &Account, factor: Option<&SecondFactor>) -> String {
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

fn change(
    store: &Store,
    account: &Account,
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

/// Asks twice on a terminal; otherwise takes the first line of standard input.
fn read_password(
    name: &Username,
    email: Option<&Email>,
    rules: &PasswordRules,
) -> Result<PasswordHash, Problem> {
    let unreadable = |error: io::Error| {
        Problem::new(
            format!("cannot read the password: {error}"),
            "type it at the prompt, or send it as one line on standard input",
        )
    };
    let typed = if io::stdin().is_terminal() {
        let first = rpassword::prompt_password(format!("password for {name}: "));
        let first = Zeroizing::new(first.map_err(unreadable)?);
        let again = rpassword::prompt_password("the same again: ");
        if *first != *Zeroizing::new(again.map_err(unreadable)?) {
            return Err(Problem::new("the two passwords differ", "try again"));
        }
        first
    } else {
        let mut line = Zeroizing::new(String::new());
        io::stdin().lock().take(MAX_INPUT).read_line(&mut line).map_err(unreadable)?;
        let end = line.trim_end_matches(['\r', '\n']).len();
        line.truncate(end);
        line
    };
    let password = Password::choose(&typed, name, email, rules).map_err(failed)?;
    Hasher::new().and_then(|hasher| hasher.hash(&password)).map_err(failed)
}

pub(super) fn confirmed(what: &str, question: &str) -> Result<bool, Problem> {
    if !io::stdin().is_terminal() {
        return Err(Problem::new(
            format!("{what} wants to be confirmed, and nobody is there to ask"),
            "add --yes if you are sure",
        ));
    }
    let mut answer = String::new();
    let asked = write!(io::stderr(), "{question} [y/N] ")
        .and_then(|()| io::stdin().lock().take(MAX_INPUT).read_line(&mut answer));
    asked.map_err(|error| Problem::new(format!("cannot ask: {error}"), "add --yes"))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
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
