//! `lictor mail …`: shows and changes the outbox, and sends a mail to see whether mail works.

use std::io::{self, Write as _};

use clap::{Args, Subcommand};

use super::database::{DatabaseFlag, open_existing};
use super::mail_flags::MailFlags;
use super::output::{date, failed, print, unless_closed};
use super::parse;
use crate::clock::Timestamp;
use crate::config::MailSettings;
use crate::error::Problem;
use crate::link::PageUrl;
use crate::mail::Failure;
use crate::mailer::Mailer;
use crate::store::{Database, QueuedMail};
use crate::values::unique;

#[derive(Subcommand)]
pub(super) enum MailCommand {
    /// List the mails that wait to be sent, and those that were given up
    List {
        #[command(flatten)]
        database: DatabaseFlag,
    },
    /// Let the server try to send a mail again now
    Retry {
        /// Its id: see `lictor mail list`; without it, all mails
        id: Option<i64>,
        #[command(flatten)]
        database: DatabaseFlag,
    },
    /// Delete a mail
    Drop {
        /// Its id: see `lictor mail list`
        id: i64,
        #[command(flatten)]
        database: DatabaseFlag,
    },
    /// Send a mail now, to see whether mail works
    Test(Box<Test>),
}

#[derive(Args)]
pub(super) struct Test {
    /// The e-mail address to send it to
    #[arg(value_name = "ADDRESS")]
    email: String,
    #[command(flatten)]
    mail: MailFlags,
    /// The name of the service
    #[arg(long, value_name = "NAME", env = "LICTOR_ISSUER", default_value = "lictor")]
    issuer: String,
}

pub(super) fn run(command: MailCommand) -> Result<(), Problem> {
    match command {
        MailCommand::List { database } => list(database.find()?),
        MailCommand::Retry { id, database } => retry(id, database.find()?),
        MailCommand::Drop { id, database } => drop(id, database.find()?),
        MailCommand::Test(test) => send(&test),
    }
}

fn list(database: &Database) -> Result<(), Problem> {
    let store = open_existing(database)?;
    let mut out = io::stdout().lock();
    let mut wrote = writeln!(
        out,
        "{:>6}  {:>6}  {:16}  {:20}  {:>8}  {:20}  to",
        "id", "user", "kind", "created", "attempts", "next"
    );
    let show = &mut |mail: QueuedMail| {
        let next = mail.due.map_or_else(|| "given up".into(), date);
        let (kind, created) = (mail.kind, date(mail.created));
        let user = mail.user.map_or_else(|| "-".into(), |user| user.to_string());
        let to = mail.email.escape_debug();
        if wrote.is_ok() {
            wrote = writeln!(
                out,
                "{:>6}  {user:>6}  {kind:16}  {created:20}  {:>8}  {next:20}  {to}",
                mail.id, mail.attempts
            );
        }
        if wrote.is_ok() && !mail.failure.is_empty() {
            wrote = writeln!(out, "{:>6}  {}", "", mail.failure.escape_debug());
        }
    };
    store.mails(show).map_err(failed)?;
    wrote.or_else(unless_closed)
}

fn retry(id: Option<i64>, database: &Database) -> Result<(), Problem> {
    let again = open_existing(database)?.retry_mail(id, Timestamp::now()).map_err(failed)?;
    match (again, id) {
        (0, Some(id)) => Err(no_such(id)),
        (1, _) => print("1 mail is tried again, within seconds if the server runs"),
        (mails, _) => print(&format!("{mails} mails are tried again, if the server runs")),
    }
}

fn drop(id: i64, database: &Database) -> Result<(), Problem> {
    match open_existing(database)?.drop_mail(id).map_err(failed)? {
        true => print(&format!("mail {id} was deleted")),
        false => Err(no_such(id)),
    }
}

fn no_such(id: i64) -> Problem {
    Problem::new(format!("there is no mail {id}"), "see which there are: lictor mail list")
}

fn send(test: &Test) -> Result<(), Problem> {
    let to = parse::email(&test.email)?;
    let Some(MailSettings { transport, sender, templates }) = test.mail.settings()? else {
        return Err(Problem::usage(
            "no way to send mail is given",
            "give a way with --mail, such as smtp+starttls://user:password@host",
        ));
    };
    let way = transport.describe();
    let page = PageUrl::parse("http://localhost")?;
    let pages = (page.clone(), page);
    let mailer = Mailer::new((sender, transport), &test.issuer, templates.as_deref(), pages)?;
    let id = unique().map_err(failed)?;
    match mailer.test(&id, to.as_str(), Timestamp::now()) {
        Ok(()) => print(&format!("sent to {} by {way}", to.as_str())),
        Err(Failure::Temporary(why)) => Err(Problem::new(
            format!("{way} did not take the mail: {why}"),
            "check that host, port, user and password are right, and that the server lets you send \
             from this address; the server would try again",
        )),
        Err(Failure::Permanent(why)) => Err(Problem::new(
            format!("{way} refused the mail: {why}"),
            "check the e-mail address; `lictor serve` would not try again",
        )),
    }
}
