//! `lictor app-password …`: makes, lists and deletes the app passwords of a user.

use std::io::{self, Write as _};
use std::time::Duration;

use super::args::Args;
use super::command::{Command, command};
use super::flag::{Row, flag, group};
use super::kind::{Kind, Value};
use super::one_user::{self, OneUser};
use super::output::{date, failed, print, unless_closed};
use super::parse::lifespan;
use super::prompt;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::store::{Account, Actor, Authority, Entry, Event, NewAppPassword};
use crate::values::{AppPassword, Hosts, app_password_name};

pub(super) const COMMANDS: &[Command] = &[
    command("add", "Make an app password and show it; it cannot be shown again", ADD, add),
    command("list", "List a user's app passwords, the newest first", one_user::FLAGS, list),
    command("delete", "Delete an app password; it is refused at once", DELETE, delete),
];

const ADD: &[Row] = &[
    group(one_user::FLAGS),
    flag("LABEL", Kind::Text)
        .help("What it is called in the list, such as \"Phone\" or the name of a program"),
    flag("--expires TIME", APP_PASSWORD_LIFESPAN)
        .help("How long it is good: 90d, 12h, or seconds; without this, until it is deleted"),
    flag("--host HOST", Kind::Text).several().help(
        "A host that it is good for, or *.DOMAIN; can be given several times; without this, \
         all",
    ),
    flag("--api", Kind::Switch).help("It is good for reading lictor's API as well"),
];

const DELETE: &[Row] = &[
    group(one_user::FLAGS),
    flag("ID", Kind::Text).help("Its id: see `lictor app-password list`"),
    flag("--yes", Kind::Switch).help("Do not ask for confirmation"),
];

const APP_PASSWORD_LIFESPAN: Kind =
    Kind::Parsed(|text| app_password_lifespan(text).map(Value::Duration));

/// The library names the field of a request first.
fn in_words(error: crate::error::Error) -> Problem {
    let what = error.to_string();
    let what = match what.split_once(": ") {
        Some(("hosts", why)) => format!("--host: {why}"),
        _ => "the label must have 1 to 64 printable characters".to_owned(),
    };
    Problem::usage(what, "see lictor app-password add --help")
}

fn add(args: &Args) -> Result<(), Problem> {
    let now = Timestamp::now();
    let name = app_password_name(args.value("LABEL")).map_err(in_words)?;
    let hosts = Hosts::of(args.list::<&str>("--host")).map_err(in_words)?;
    let expires = args.get("--expires").map(|time: Duration| {
        let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
        Timestamp(now.0.saturating_add(seconds))
    });
    let (password, api) = (AppPassword::generate().map_err(failed)?, args.is_given("--api"));
    let new = NewAppPassword { hash: password.hash(), name, hosts: &hosts, api, expires };
    let user = OneUser::of(args);
    let (store, account) = user.open()?;
    let (by, entry) = (Authority::Operator, entry(&account, Event::AppPasswordAdded));
    store.add_app_password(account.person.id, &new, &by, &entry, now).map_err(failed)?;
    print(&format!(
        "password {}\nid       {}\nexpires  {}\ndatabase {}",
        *password.shown(),
        new.hash.name(),
        new.expires.map_or_else(|| "never".into(), date),
        user.database.find()?.absolute()
    ))
}

fn list(args: &Args) -> Result<(), Problem> {
    let now = Timestamp::now();
    let (store, account) = OneUser::of(args).open()?;
    let found = store.app_passwords(account.person.id, now).map_err(failed)?;
    let mut out = io::stdout().lock();
    let mut wrote = writeln!(
        out,
        "{:12}  {:20}  {:20}  {:20}  {:15}  label (for)",
        "id", "created", "expires", "used", "from"
    );
    for one in found {
        let at = |time: Option<Timestamp>, none: &str| time.map_or_else(|| none.into(), date);
        let (created, expires) = (date(one.created), at(one.expires, "never"));
        let (used, from) = (at(one.used, "never"), one.used_ip.as_deref().unwrap_or("-"));
        let hosts = if one.hosts.as_str().is_empty() { "all hosts" } else { one.hosts.as_str() };
        let api = if one.api { ", API" } else { "" };
        wrote = wrote.and_then(|()| {
            writeln!(
                out,
                "{:12}  {created:20}  {expires:20}  {used:20}  {from:15}  {} ({hosts}{api})",
                one.id, one.name
            )
        });
    }
    wrote.or_else(unless_closed)
}

fn delete(args: &Args) -> Result<(), Problem> {
    let (user, id, now) = (OneUser::of(args), args.value::<&str>("ID").trim(), Timestamp::now());
    let (store, account) = user.open()?;
    let (owner, name) = (account.person.id, &account.person.name);
    let question = format!("delete the app password {} of {name}?", id.escape_debug());
    if !args.is_given("--yes") && !prompt::confirmed("deleting an app password", &question)? {
        return print("it was not deleted");
    }
    let (by, entry) = (Authority::Operator, entry(&account, Event::AppPasswordDeleted));
    match store.delete_app_password(owner, id, &by, &entry, now).map_err(failed)? {
        true => user.say(&format!("the app password {id} of {name} was deleted")),
        false => Err(Problem::new(
            format!("{name} has no app password {}", id.escape_debug()),
            format!("see which there are: lictor app-password list {name}"),
        )),
    }
}

fn entry(account: &Account, event: Event) -> Entry<'_> {
    Entry::new(event, account.person.id, &account.person.name, Actor::Operator)
}

fn app_password_lifespan(text: &str) -> Result<Duration, String> {
    let most = NewAppPassword::MAX_LIFESPAN.unsigned_abs();
    match lifespan(text)? {
        lifespan if lifespan.as_secs() <= most => Ok(lifespan),
        _ => Err("an app password can be good for ten years at most".into()),
    }
}
