//! `lictor user …`: makes, shows, changes and deletes accounts.

use std::io::{self, Write as _};

use super::args::Args;
use super::command::{Command, command};
use super::database::{self, DatabaseFlag, made, open_existing, placed};
use super::flag::{Row, flag, group};
use super::kind::Kind;
use super::one_user::{self, OneUser};
use super::output::{date, failed, print, unless_closed};
use super::parse;
use super::password_flags;
use super::prompt;
use super::reset_link;
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::store::{
    Account, Actor, Authority, Change, Entry, Event, Inspection, NewUser, SecondFactor, Store,
};
use crate::values::{Email, Language, Roles, Username};

pub(super) const COMMANDS: &[Command] = &[
    command("add", "Make an account; the password comes from a prompt or standard input", ADD, add),
    command("list", "List all accounts", database::FLAGS, list),
    command("show", "Show one account", one_user::FLAGS, show),
    command("passwd", "Set a new password, from a prompt or standard input", PASSWD, set_password),
    command("roles", "Show the roles, or change them", ROLES, roles),
    command("activate", "Activate an account", one_user::FLAGS, activate),
    command(
        "deactivate",
        "Deactivate an account at once; its tokens are refused as well",
        one_user::FLAGS,
        deactivate,
    ),
    command(
        "reset-second-factor",
        "Turn off the second factor of a user who has lost it and the recovery codes",
        one_user::FLAGS,
        reset_second_factor,
    ),
    command(
        "unlock",
        "Forget the failed logins of an account, so that the next login need not wait",
        one_user::FLAGS,
        unlock,
    ),
    command(
        "reset-link",
        "Make a link, and its token for POST /api/reset_finalize, that sets a new password once",
        reset_link::FLAGS,
        reset_link::run,
    ),
    command("delete", "Delete an account for good", DELETE, delete),
];

const ADD: &[Row] = &[
    flag("NAME", Kind::Text).help("The username"),
    flag("--email ADDRESS", Kind::Text)
        .help("An e-mail address, with which the user can log in as well"),
    flag("--role ROLE", Kind::Text).several().help("A role; can be given several times"),
    group(password_flags::RULES),
    group(database::FLAGS),
    group(database::CREATE),
];

const PASSWD: &[Row] = &[
    group(one_user::FLAGS),
    flag("--keep-app-passwords", Kind::Switch).help("Let the user's app passwords stay good"),
    group(password_flags::RULES),
];

/// Nothing of `--set`, `--add` and `--remove` only shows the roles.
const ROLES: &[Row] = &[
    group(one_user::FLAGS),
    flag("--set ROLES", Kind::Text)
        .excludes(&["--add", "--remove"])
        .help("These roles, separated by commas, and no others; '' for none"),
    flag("--add ROLES", Kind::Text).help("These roles too, separated by commas"),
    flag("--remove ROLES", Kind::Text).help("These roles no longer, separated by commas"),
];

const DELETE: &[Row] =
    &[group(one_user::FLAGS), flag("--yes", Kind::Switch).help("Do not ask for confirmation")];

fn add(args: &Args) -> Result<(), Problem> {
    let database = DatabaseFlag::of(args);
    let (database, rules) = (database.find()?, password_flags::make(args)?);
    let name = Username::choose(args.value("NAME")).map_err(failed)?;
    let email = args.get("--email").map(parse::email).transpose()?;
    let roles = parse::roles(&args.list::<&str>("--role").join(","))?;
    // A file that is no database is an error before the prompt; a new file is made only after it.
    let found = database::inspect(args, database)?;
    let hash = prompt::new_password(&name, email.as_ref(), &rules)?;
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
        .map_err(|error| cannot_add(error, &name))?;
    if found == Inspection::Absent {
        print(&made(database))?;
    }
    print(&placed(&format!("added {name} (id {id})"), database))
}

/// Why an account could not be added. With a taken name, the account that has it is most likely meant.
fn cannot_add(error: Error, name: &Username) -> Problem {
    if !matches!(error, Error::UsernameTaken) {
        return failed(error);
    }
    Problem::new(
        format!("there is a user {name} already"),
        format!(
            "a new password: lictor user passwd {name}; other roles: lictor user roles {name} --add \
             ROLE; or choose another name"
        ),
    )
}

fn list(args: &Args) -> Result<(), Problem> {
    let store = open_existing(DatabaseFlag::of(args).find()?)?;
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
                    account.state().name(),
                    date(*created),
                    person.name,
                    person.roles.as_str()
                );
            }
        })
        .map_err(failed)?;
    wrote.or_else(unless_closed)
}

fn show(args: &Args) -> Result<(), Problem> {
    let (store, account) = OneUser::of(args).open()?;
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
        account.state().name(),
        none(&person.roles.iter().collect::<Vec<_>>().join(", ")),
        otp,
        date(*created),
    )
}

fn set_password(args: &Args) -> Result<(), Problem> {
    let (user, rules) = (OneUser::of(args), password_flags::make(args)?);
    let keep_app_passwords = args.is_given("--keep-app-passwords");
    let found = user.open()?;
    let (_, account) = &found;
    let name = Username::parse(&account.person.name).map_err(failed)?;
    let email = account.email.as_deref().and_then(|email| Email::parse(email).ok());
    let hash = prompt::new_password(&name, email.as_ref(), &rules)?;
    let new = Change::Password { hash: &hash, session: None, keep_app_passwords };
    change(&user, &found, &new, Event::PasswordReset, "has a new password")
}

fn activate(args: &Args) -> Result<(), Problem> {
    let user = OneUser::of(args);
    change(&user, &user.open()?, &Change::Active(true), Event::Activated, "is active")
}

fn deactivate(args: &Args) -> Result<(), Problem> {
    let user = OneUser::of(args);
    change(&user, &user.open()?, &Change::Active(false), Event::Deactivated, "is inactive")
}

fn roles(args: &Args) -> Result<(), Problem> {
    let user = OneUser::of(args);
    let found = user.open()?;
    let (store, account) = &found;
    let parsed = |flag| args.get(flag).map(parse::roles).transpose();
    let (set, add, remove) = (parsed("--set")?, parsed("--add")?, parsed("--remove")?);
    if let Some(roles) = set {
        let done = has_roles(&roles);
        return change(&user, &found, &Change::Roles(&roles), Event::RolesChanged, &done);
    }
    if add.is_none() && remove.is_none() {
        return print(&format!("{} {}", account.person.name, has_roles(&account.person.roles)));
    }
    let (id, name) = (account.person.id, &account.person.name);
    let entry = Entry::new(Event::RolesChanged, id, name, Actor::Operator);
    let (add, remove) = (add.unwrap_or_default(), remove.unwrap_or_default());
    match store.edit_roles(id, &add, &remove, &entry, Timestamp::now()).map_err(failed)? {
        Some(roles) => user.say(&format!("{name} {}", has_roles(&roles))),
        None => Err(gone(account)),
    }
}

fn has_roles(roles: &Roles) -> String {
    match roles.as_str() {
        "" => "has no roles".into(),
        roles => format!("has the roles {roles}"),
    }
}

/// Changes the account and prints `done` after its name.
fn change(
    user: &OneUser<'_>,
    (store, account): &(Store, Account),
    change: &Change<'_>,
    event: Event,
    done: &str,
) -> Result<(), Problem> {
    let Account { person, .. } = account;
    let detail = match change {
        Change::Roles(roles) => roles.as_str(),
        Change::Password { keep_app_passwords: true, .. } => "app passwords kept",
        _ => "",
    };
    let entry = Entry { detail, ..Entry::new(event, person.id, &person.name, Actor::Operator) };
    let by = Authority::Operator;
    match store.change(person.id, change, &by, &entry, Timestamp::now()).map_err(failed)? {
        true => user.say(&format!("{} {done}", account.person.name)),
        false => Err(gone(account)),
    }
}

fn unlock(args: &Args) -> Result<(), Problem> {
    let user = OneUser::of(args);
    let (store, account) = user.open()?;
    let (id, name) = (account.person.id, &account.person.name);
    let entry = Entry::new(Event::Unlocked, id, name, Actor::Operator);
    match store.unlock(id, &Authority::Operator, &entry, Timestamp::now()).map_err(failed)? {
        true => user.say(&format!("{name} may try again at once: forgot the failed logins")),
        false => Err(gone(&account)),
    }
}

fn reset_second_factor(args: &Args) -> Result<(), Problem> {
    let user = OneUser::of(args);
    let (store, Account { person, .. }) = user.open()?;
    let entry = Entry::new(Event::SecondFactorReset, person.id, &person.name, Actor::Operator);
    let now = Timestamp::now();
    let by = Authority::Operator;
    match store.remove_second_factor(person.id, &by, &entry, now).map_err(failed)? {
        true => user.say(&format!("{} has no second factor any more", person.name)),
        false => user.say(&format!("{} had no second factor", person.name)),
    }
}

fn delete(args: &Args) -> Result<(), Problem> {
    let user = OneUser::of(args);
    let (store, account) = user.open()?;
    let (id, name) = (account.person.id, &account.person.name);
    let question = format!("delete {name} (id {id}) for good?");
    if !args.is_given("--yes") && !prompt::confirmed("deleting an account", &question)? {
        return print(&format!("{name} was not deleted"));
    }
    let entry = Entry::new(Event::UserDeleted, id, name, Actor::Operator);
    match store.delete(id, &Authority::Operator, &entry, Timestamp::now()).map_err(failed)? {
        true => user.say(&format!("{name} was deleted")),
        false => Err(gone(&account)),
    }
}

fn gone(account: &Account) -> Problem {
    Problem::new(format!("{} was deleted meanwhile", account.person.name), "nothing was changed")
}
