//! `lictor user reset-link`: makes a link with which a user sets a new password.

use std::time::Duration;

use super::args::Args;
use super::flag::{Row, flag, group};
use super::key_source::{self, KeySource};
use super::kind::LIFESPAN;
use super::mail_flags;
use super::one_user::{self, OneUser};
use super::output::{date, failed, print};
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::guard::{MailPurpose, MailedToken, Tokens};
use crate::store::{Account, Actor, Authority, Entry, Event, Ticket};
use crate::values::Lifespans;

pub(super) const FLAGS: &[Row] = &[
    group(one_user::FLAGS),
    flag("--reset-lifespan TIME", LIFESPAN)
        .env("LICTOR_RESET_LIFESPAN")
        .default("1h")
        .help("How long the link is valid: 1h, 30m, or seconds"),
    group(mail_flags::PAGES),
    // The server must have the key that signs the token.
    group(key_source::FLAGS),
];

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let page = mail_flags::pages(args, None)?.reset_page();
    let user = OneUser::of(args);
    let (store, Account { person, .. }) = user.open()?;
    let now = Timestamp::now();
    let source = KeySource::new(args, user.database.find()?, now)?;
    let keys = source.ring()?.ok_or_else(|| source.missing_file())?;
    let lifespan = args.value("--reset-lifespan");
    let lifespans = Lifespans { access: lifespan, refresh: lifespan, early: Duration::ZERO };
    // Not the newest key: a server that was not restarted since `lictor key rotate` lacks it.
    let tokens = Tokens::new(&keys.oldest(), None, lifespans).map_err(failed)?;
    let minted = tokens.mint_mailed(MailPurpose::Reset, person.id, &person.roles, lifespan, now);
    let MailedToken { token, claims } = minted.map_err(failed)?;
    let ticket = Ticket { jti: &claims.jti, user: person.id, expires: claims.exp };
    let entry = Entry::new(Event::ResetLink, person.id, &person.name, Actor::Operator);
    match store.hand_out(&ticket, None, &Authority::Operator, &entry, now).map_err(failed)? {
        true => {
            let link = page.map(|page| format!("link     {}\n", page.with_token(&token)));
            let (link, end) = (link.unwrap_or_default(), date(claims.exp));
            let database = user.database.find()?.absolute();
            print(&format!("{link}token    {token}\nexpires  {end}\ndatabase {database}"))
        }
        false => Err(Problem::new(
            format!("{} is not active", person.name),
            format!("activate the account first: lictor user activate {}", person.name),
        )),
    }
}
