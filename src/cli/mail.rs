//! `lictor mail …`: shows and changes the outbox, and sends a mail to see whether mail works.

use std::io::{self, Write as _};

use super::args::Args;
use super::brand_flags;
use super::command::{Command, command};
use super::database::{self, DatabaseFlag, open_existing, placed};
use super::flag::{Row, flag, group};
use super::kind::Kind;
use super::mail_flags;
use super::output::{date, failed, print, unless_closed};
use super::parse;
use crate::clock::Timestamp;
use crate::config::{Brand, Issuer, MailSettings};
use crate::error::{Error, Problem};
use crate::link::PageUrl;
use crate::mail::Failure;
use crate::mailer::{self, Mailer};
use crate::store::{Actor, Authority, Entry, Event, MailChange, QueuedMail, Store};
use crate::values::unique;

pub(super) const COMMANDS: &[Command] = &[
    command(
        "list",
        "List the mails that wait to be sent, and those that were given up",
        database::FLAGS,
        list,
    ),
    command("retry", "Let the server try to send a mail again now", RETRY, retry),
    command("drop", "Delete a mail", DROP, drop),
    command("test", "Send a mail now, to see whether mail works", TEST, send),
];

const RETRY: &[Row] = &[
    flag("[ID]", ID).help("Its id: see `lictor mail list`; without it, all mails"),
    group(database::FLAGS),
];

const DROP: &[Row] =
    &[flag("ID", ID).help("Its id: see `lictor mail list`"), group(database::FLAGS)];

const TEST: &[Row] = &[
    flag("ADDRESS", Kind::Text).help("The e-mail address to send it to"),
    group(mail_flags::FLAGS),
    flag("--issuer NAME", Kind::Text)
        .env("LICTOR_ISSUER")
        .default("lictor")
        .help("The name of the service"),
    group(brand_flags::FLAGS),
];

/// The id of a mail: any number, so that every other one is none that is there.
const ID: Kind = Kind::Number(i64::MIN, i64::MAX);

fn list(args: &Args) -> Result<(), Problem> {
    let store = open_existing(DatabaseFlag::of(args).find()?)?;
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

fn retry(args: &Args) -> Result<(), Problem> {
    let (id, database) = (args.get("[ID]"), DatabaseFlag::of(args));
    let database = database.find()?;
    let (store, now) = (open_existing(database)?, Timestamp::now());
    let place = placed("", database);
    let mails = match id {
        Some(id) => {
            change(&store, id, MailChange::Retry, Event::MailRetried, now)?;
            1
        }
        None => store.retry_mails(&entry(Event::MailRetried), now).map_err(failed)?,
    };
    match mails {
        1 => print(&format!("1 mail{place} is tried again, within seconds if the server runs")),
        _ => print(&format!("{mails} mails{place} are tried again, if the server runs")),
    }
}

fn drop(args: &Args) -> Result<(), Problem> {
    let (id, database) = (args.value("ID"), DatabaseFlag::of(args));
    let database = database.find()?;
    let store = open_existing(database)?;
    change(&store, id, MailChange::Drop, Event::MailDropped, Timestamp::now())?;
    print(&placed(&format!("mail {id} was deleted"), database))
}

fn change(
    store: &Store,
    id: i64,
    change: MailChange,
    event: Event,
    now: Timestamp,
) -> Result<(), Problem> {
    let why = match store.change_mail(id, change, &Authority::Operator, &entry(event), now) {
        Ok(true) => return Ok(()),
        Ok(false) => format!("there is no mail {id}"),
        Err(Error::LinkExpired) => format!("the link in mail {id} has expired"),
        Err(error) => return Err(failed(error)),
    };
    Err(Problem::new(why, "see which there are: lictor mail list"))
}

fn entry(event: Event) -> Entry<'static> {
    Entry { event, user: None, name: None, actor: Actor::Operator, detail: "" }
}

fn send(args: &Args) -> Result<(), Problem> {
    let to = parse::email(args.value("ADDRESS"))?;
    let Some(MailSettings { transport, sender, templates }) = mail_flags::settings(args)? else {
        return Err(Problem::usage(
            "no way to send mail is given",
            "give a way with --mail, such as smtp+starttls://user:password@host",
        ));
    };
    let way = transport.describe();
    let page = PageUrl::parse("http://localhost")?;
    let pages = ((page.clone(), page), None);
    let brand = brand_flags::open(args)?;
    let issuer = Issuer::parse(args.value("--issuer")).map_err(parse::naming("--issuer"))?;
    let name = Brand::service(brand.as_ref(), &issuer).as_str();
    let look = mailer::look(brand.as_ref(), None);
    let mailer =
        Mailer::new((sender, transport), name, templates.as_deref(), pages)?.with_look(look);
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
