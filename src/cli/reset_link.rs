//! `lictor user reset-link`: makes a link with which a user sets a new password.

use std::time::Duration;

use clap::Args;

use super::key_source::{KeyFlags, KeySource};
use super::mail_flags::PageFlags;
use super::one_user::OneUser;
use super::output::{date, failed, print};
use super::parse::lifespan;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::guard::{MailPurpose, MailedToken, Tokens};
use crate::store::{Account, Actor, Authority, Entry, Event, Ticket};
use crate::values::Lifespans;

#[derive(Args)]
pub(super) struct ResetLink {
    #[command(flatten)]
    user: OneUser,
    /// How long the link is valid: 1h, 30m, or seconds
    #[arg(long, value_name = "TIME", env = "LICTOR_RESET_LIFESPAN", default_value = "1h", value_parser = lifespan)]
    reset_lifespan: Duration,
    #[command(flatten)]
    pages: PageFlags,
    // The server must have the key that signs the token.
    #[command(flatten)]
    keys: KeyFlags,
}

pub(super) fn run(command: &ResetLink) -> Result<(), Problem> {
    let page = command.pages.pages(None)?.reset_page();
    let (store, Account { person, .. }) = command.user.open()?;
    let now = Timestamp::now();
    let source = KeySource::new(&command.keys, command.user.database.find()?, now)?;
    let keys = source.ring()?.ok_or_else(|| source.missing_file())?;
    let lifespan = command.reset_lifespan;
    let lifespans = Lifespans { access: lifespan, refresh: lifespan, early: Duration::ZERO };
    // Not the newest key: a server that was not restarted since `lictor key rotate` lacks it.
    let tokens = Tokens::new(&keys.oldest(), None, lifespans).map_err(failed)?;
    let minted = tokens.mint_mailed(MailPurpose::Reset, person.id, &person.roles, lifespan, now);
    let MailedToken { token, claims } = minted.map_err(failed)?;
    let ticket = Ticket { jti: &claims.jti, user: person.id, expires: claims.exp };
    let entry = Entry::new(Event::ResetLink, person.id, &person.name, Actor::Operator);
    match store.hand_out(&ticket, &Authority::Operator, &entry, now).map_err(failed)? {
        true => {
            let link = page.map(|page| format!("link     {}\n", page.with_token(&token)));
            let (link, end) = (link.unwrap_or_default(), date(claims.exp));
            print(&format!("{link}token    {token}\nexpires  {end}"))
        }
        false => Err(Problem::new(
            format!("{} is not active", person.name),
            format!("activate the account first: lictor user activate {}", person.name),
        )),
    }
}
