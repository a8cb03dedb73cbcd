//! Flags for mail: how it is sent, from whom, and which pages its links lead to.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;

use zeroize::Zeroizing;

use super::args::Args;
use super::flag::{Row, flag};
use super::kind::Kind;
use super::parse::naming;
use super::secret_source::{MAIL, MAIL_PASSWORD};
use crate::config::MailSettings;
use crate::error::Problem;
use crate::link::PageUrl;
use crate::mail::{Sender, Templates, Transport};

/// The sender of mails that only go to a folder or the log.
const NOBODY: &str = "lictor@localhost";

pub(super) const FLAGS: &[Row] = &[
    flag("--mail WAY", Kind::Text).env("LICTOR_MAIL").secret().help(
        "How mail is sent: smtp+starttls://USER:PASSWORD@HOST, smtps://…, smtp://HOST, \
         sendmail:, dir:PATH to write files, log: to log only the links. Percent-encode \
         everything but letters and digits in USER and PASSWORD, and prefer the environment \
         variable: other users of the machine can see flags",
    ),
    flag("--mail-from ADDRESS", Kind::Text)
        .env("LICTOR_MAIL_FROM")
        .help("The sender of mails: login@example.org, or \"Example <login@example.org>\""),
    flag("--mail-templates DIR", Kind::Path).env("LICTOR_MAIL_TEMPLATES").help(
        "Folder with templates of your own for mails; the documentation says how to write \
         them",
    ),
];

/// The pages of links in mails.
pub(super) const PAGES: &[Row] = &[
    flag("--public-url URL", Kind::Text).env("LICTOR_PUBLIC_URL").help(
        "URL at which people reach the app, for the links in mails, such as \
         <https://login.example.org>. Its pages /finalize and /reset-finalize take them \
         [default: where the server listens, if only this machine can reach that]",
    ),
    flag("--confirmation-url URL", Kind::Text).env("LICTOR_CONFIRMATION_URL").help(
        "URL of another page for links that confirm an e-mail address; ?token= is appended, \
         behind a fragment if there is one: http://host/#/finalize",
    ),
    flag("--reset-url URL", Kind::Text)
        .env("LICTOR_RESET_URL")
        .help("URL of another page for links that set a new password"),
];

/// The settings; `None` if `--mail` is missing or empty. An error if the templates are not valid,
/// also without `--mail`.
pub(super) fn settings(args: &Args) -> Result<Option<MailSettings>, Problem> {
    let templates: Option<&Path> = args.get("--mail-templates");
    if let Some(folder) = templates {
        Templates::with_files("lictor", folder)?;
    }
    let typed: Option<&str> = args.get("--mail");
    let in_file = MAIL.find_in_file(typed.is_some())?;
    let (way, origin) = match &in_file {
        Some(found) => (Some(found.text()?), found.origin),
        None => (typed, "--mail"),
    };
    let password = MAIL_PASSWORD.find()?;
    let Some(way) = given(way) else {
        return match password {
            Some(found) => Err(Problem::usage(
                format!("{} gives a password, and no mail server is named", found.origin),
                "name it with --mail, such as smtp+starttls://USER@HOST",
            )),
            None => Ok(None),
        };
    };
    let with_password = match &password {
        Some(found) => Some(with_password(way, found.text()?, found.origin)?),
        None => None,
    };
    let way = with_password.as_ref().map_or(way, |way| way.as_str());
    let transport = Transport::parse(way).map_err(naming(origin))?;
    let sender =
        sender(args.get("--mail-from"), way.starts_with("dir:") || way.starts_with("log:"))?;
    let mut settings = MailSettings::new(transport, sender);
    settings.templates = templates.map(Into::into);
    Ok(Some(settings))
}

/// Who mails are from. Only mails that go nowhere need no sender.
fn sender(typed: Option<&str>, trying: bool) -> Result<Sender, Problem> {
    let sender = match given(typed) {
        Some(from) => from,
        None if trying => NOBODY,
        None => {
            return Err(Problem::usage(
                "mails have no sender",
                "give an address that the mail server lets you send from with --mail-from",
            ));
        }
    };
    Sender::parse(sender).map_err(naming("--mail-from"))
}

/// The pages that the flags name.
pub(super) struct Pages {
    pub(super) public: Option<PageUrl>,
    pub(super) confirmation: Option<PageUrl>,
    pub(super) reset: Option<PageUrl>,
}

impl Pages {
    /// The page for the token that resets a password.
    pub(super) fn reset_page(self) -> Option<PageUrl> {
        self.reset.or_else(|| self.public.map(|public| public.below(PageUrl::RESET)))
    }
}

/// Parses the pages. `listen` is where the server listens: a loopback address is the default of
/// `--public-url`.
pub(super) fn pages(args: &Args, listen: Option<SocketAddr>) -> Result<Pages, Problem> {
    let page = |flag| {
        let url = given(args.get(flag)).map(PageUrl::parse).transpose();
        url.map_err(naming(flag))
    };
    let local = listen.filter(|listen| listen.ip().is_loopback() && listen.port() != 0);
    let public = match (page("--public-url")?, local) {
        (None, Some(local)) => Some(PageUrl::parse(&format!("http://{local}"))?),
        (typed, _) => typed,
    };
    let confirmation = page("--confirmation-url")?;
    let reset = page("--reset-url")?;
    Ok(Pages { public, confirmation, reset })
}

/// Puts a password into the URL of a mail server, which has a user name and none yet.
fn with_password(url: &str, password: &str, origin: &str) -> Result<Zeroizing<String>, Problem> {
    let (before, host) = url.rsplit_once('@').unwrap_or((url, ""));
    let (_, user) = before.split_once("://").unwrap_or_default();
    if host.is_empty() || user.is_empty() || user.contains(':') {
        let what = "does not belong to the mail server: its URL has no user name, or a password";
        return Err(Problem::usage(
            format!("the password in {origin} {what}"),
            "name the server with --mail as smtp+starttls://USER@HOST",
        ));
    }
    let room = before.len() + 3 * password.len() + host.len() + 2;
    let mut all = Zeroizing::new(String::with_capacity(room));
    all.push_str(before);
    all.push(':');
    for byte in password.bytes() {
        // Writing into a String cannot fail.
        let _ = write!(all, "%{byte:02X}");
    }
    all.push('@');
    all.push_str(host);
    Ok(all)
}

/// The text of a flag; an empty one is none.
pub(super) fn given(typed: Option<&str>) -> Option<&str> {
    typed.map(str::trim).filter(|text| !text.is_empty())
}
