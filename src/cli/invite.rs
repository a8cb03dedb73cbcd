//! `lictor invite …`: makes, lists and revokes invitations, each of which lets one person register.

use std::io::{self, Write as _};
use std::time::Duration;

use super::args::Args;
use super::command::{Command, command};
use super::database::{self, DatabaseFlag, open_existing, placed};
use super::flag::{Row, flag, group};
use super::kind::{Kind, Value};
use super::output::{date, failed, print, unless_closed};
use super::parse::{self, lifespan};
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::store::{Actor, Authority, Entry, Event, NewInvitation};
use crate::values::Code;

pub(super) const COMMANDS: &[Command] = &[
    command("add", "Make an invitation and show its code, which cannot be shown again", ADD, add),
    command("list", "List the open invitations, the newest first", database::FLAGS, list),
    command("revoke", "Revoke an invitation", REVOKE, revoke),
];

const ADD: &[Row] = &[
    flag("--role ROLE", Kind::Text)
        .several()
        .help("A role that the account will have; can be given several times"),
    flag("--expires TIME", INVITATION_LIFESPAN)
        .default("7d")
        .help("How long the invitation is valid: 7d, 12h, or seconds"),
    group(database::FLAGS),
];

const REVOKE: &[Row] =
    &[flag("ID", Kind::Text).help("Its id: see `lictor invite list`"), group(database::FLAGS)];

const INVITATION_LIFESPAN: Kind =
    Kind::Parsed(|text| invitation_lifespan(text).map(Value::Duration));

fn add(args: &Args) -> Result<(), Problem> {
    let (now, database) = (Timestamp::now(), DatabaseFlag::of(args));
    let database = database.find()?;
    let lifespan: Duration = args.value("--expires");
    let roles = parse::roles(&args.list::<&str>("--role").join(","))?;
    let store = open_existing(database)?;
    let code = Code::generate().map_err(failed)?;
    let seconds = i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX);
    let expires = Timestamp(now.0.saturating_add(seconds));
    let invitation = NewInvitation { hash: code.hash(), roles: &roles, expires };
    let (id, detail) = (invitation.hash.name(), invitation.detail());
    let (by, entry) = (Authority::Operator, entry(Event::Invited, &detail));
    store.invite(&invitation, None, &by, &entry, now).map_err(failed)?;
    print(&format!(
        "code     {}\nid       {id}\nexpires  {}\ndatabase {}",
        *code.shown(),
        date(expires),
        database.absolute()
    ))
}

fn list(args: &Args) -> Result<(), Problem> {
    let (now, database) = (Timestamp::now(), DatabaseFlag::of(args));
    let found = open_existing(database.find()?)?.invitations(now).map_err(failed)?;
    let mut out = io::stdout().lock();
    let mut wrote =
        writeln!(out, "{:12}  {:20}  {:20}  {:>16}  roles", "id", "created", "expires", "by");
    for invitation in found {
        let by =
            invitation.creator.map_or_else(|| "the command line".into(), |id| format!("id {id}"));
        let (created, expires) = (date(invitation.created), date(invitation.expires));
        wrote = wrote.and_then(|()| {
            writeln!(
                out,
                "{:12}  {created:20}  {expires:20}  {by:>16}  {}",
                invitation.id,
                invitation.roles.as_str()
            )
        });
    }
    wrote.or_else(unless_closed)
}

fn revoke(args: &Args) -> Result<(), Problem> {
    let (now, database) = (Timestamp::now(), DatabaseFlag::of(args));
    let database = database.find()?;
    let store = open_existing(database)?;
    let id = args.value::<&str>("ID").trim();
    let entry = entry(Event::InvitationRevoked, id);
    match store.revoke_invitation(id, &Authority::Operator, &entry, now).map_err(failed)? {
        true => print(&placed(&format!("invitation {id} was revoked"), database)),
        false => Err(Problem::new(
            format!("there is no invitation {}", id.escape_debug()),
            "see which there are: lictor invite list",
        )),
    }
}

fn entry(event: Event, detail: &str) -> Entry<'_> {
    Entry { event, user: None, name: None, actor: Actor::Operator, detail }
}

fn invitation_lifespan(text: &str) -> Result<Duration, String> {
    let most = NewInvitation::MAX_LIFESPAN.unsigned_abs();
    match lifespan(text)? {
        lifespan if lifespan.as_secs() <= most => Ok(lifespan),
        _ => Err("an invitation can be used for a year at most".into()),
    }
}
