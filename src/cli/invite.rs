//! `lictor invite …`: makes, lists and revokes invitations, each of which lets one person register.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Subcommand;

use super::database::{DatabaseFlag, open_existing};
use super::output::{date, failed, print, unless_closed};
use super::parse::{self, lifespan};
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::store::{Actor, Authority, Database, Entry, Event, NewInvitation};
use crate::values::Code;

#[derive(Subcommand)]
pub(super) enum InviteCommand {
    /// Make an invitation and show its code, which cannot be shown again
    Add {
        /// A role that the account will have; can be given several times
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        /// How long the invitation is valid: 7d, 12h, or seconds
        #[arg(long, value_name = "TIME", default_value = "7d", value_parser = invitation_lifespan)]
        expires: Duration,
        #[command(flatten)]
        database: DatabaseFlag,
    },
    /// List the open invitations, the newest first
    List {
        #[command(flatten)]
        database: DatabaseFlag,
    },
    /// Revoke an invitation
    Revoke {
        /// Its id: see `lictor invite list`
        id: String,
        #[command(flatten)]
        database: DatabaseFlag,
    },
}

pub(super) fn run(command: InviteCommand) -> Result<(), Problem> {
    let now = Timestamp::now();
    match command {
        InviteCommand::Add { roles, expires, database } => {
            add(&roles.join(","), expires, database.find()?, now)
        }
        InviteCommand::List { database } => list(database.find()?, now),
        InviteCommand::Revoke { id, database } => revoke(&id, database.find()?, now),
    }
}

fn add(
    roles: &str,
    lifespan: Duration,
    database: &Database,
    now: Timestamp,
) -> Result<(), Problem> {
    let roles = parse::roles(roles)?;
    let store = open_existing(database)?;
    let code = Code::generate().map_err(failed)?;
    let seconds = i64::try_from(lifespan.as_secs()).unwrap_or(i64::MAX);
    let expires = Timestamp(now.0.saturating_add(seconds));
    let invitation = NewInvitation { hash: code.hash(), roles: &roles, expires };
    let (id, detail) = (invitation.hash.name(), invitation.detail());
    let (by, entry) = (Authority::Operator, entry(Event::Invited, &detail));
    store.invite(&invitation, &by, &entry, now).map_err(failed)?;
    print(&format!("code     {}\nid       {id}\nexpires  {}", *code.shown(), date(expires)))
}

fn list(database: &Database, now: Timestamp) -> Result<(), Problem> {
    let found = open_existing(database)?.invitations(now).map_err(failed)?;
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

fn revoke(id: &str, database: &Database, now: Timestamp) -> Result<(), Problem> {
    let store = open_existing(database)?;
    let id = id.trim();
    let entry = entry(Event::InvitationRevoked, id);
    match store.revoke_invitation(id, &Authority::Operator, &entry, now).map_err(failed)? {
        true => print(&format!("invitation {id} was revoked")),
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
