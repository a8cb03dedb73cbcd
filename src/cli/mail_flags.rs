//! Flags for mail: how it is sent, from whom, and which pages its links lead to.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use super::parse::naming;
use crate::config::MailSettings;
use crate::error::Problem;
use crate::link::PageUrl;
use crate::mail::{Sender, Transport};

/// The sender of mails that only go to a folder or the log.
const NOBODY: &str = "lictor@localhost";

#[derive(Args, Debug)]
pub(super) struct MailFlags {
    /// How mail is sent: smtp+starttls://USER:PASSWORD@HOST, smtps://…, smtp://HOST, sendmail:,
    /// dir:PATH to write files, log: to log only the links. Percent-encode everything but letters
    /// and digits in USER and PASSWORD, and prefer the environment variable: other users of the
    /// machine can see flags
    #[arg(long, value_name = "WAY", env = "LICTOR_MAIL", hide_env_values = true)]
    mail: Option<String>,

    /// The sender of mails: login@example.org, or "Example <login@example.org>"
    #[arg(long, value_name = "ADDRESS", env = "LICTOR_MAIL_FROM")]
    mail_from: Option<String>,

    /// Folder with templates of your own for mails; the documentation says how to write them
    #[arg(long, value_name = "DIR", env = "LICTOR_MAIL_TEMPLATES")]
    mail_templates: Option<PathBuf>,
}

impl MailFlags {
    /// The settings; `None` if `--mail` is missing or empty.
    pub(super) fn settings(&self) -> Result<Option<MailSettings>, Problem> {
        let Some(way) = given(self.mail.as_deref()) else { return Ok(None) };
        let transport = Transport::parse(way).map_err(naming("--mail"))?;
        let trying = way.starts_with("dir:") || way.starts_with("log:");
        let sender = match given(self.mail_from.as_deref()) {
            Some(from) => from,
            None if trying => NOBODY,
            None => {
                return Err(Problem::usage(
                    "mails have no sender",
                    "give an address that the mail server lets you send from with --mail-from",
                ));
            }
        };
        let sender = Sender::parse(sender).map_err(naming("--mail-from"))?;
        let mut settings = MailSettings::new(transport, sender);
        settings.templates = self.mail_templates.clone();
        Ok(Some(settings))
    }
}

#[derive(Args, Debug)]
pub(super) struct PageFlags {
    /// URL at which people reach the app, for the links in mails, such as <https://login.example.org>. Its
    /// pages /finalize and /reset-finalize take them [default: where the server listens, if only
    /// this machine can reach that]
    #[arg(long, value_name = "URL", env = "LICTOR_PUBLIC_URL")]
    public_url: Option<String>,

    /// URL of another page for links that confirm an e-mail address; ?token= is appended, behind a
    /// fragment if there is one: http://host/#/finalize
    #[arg(long, value_name = "URL", env = "LICTOR_CONFIRMATION_URL")]
    confirmation_url: Option<String>,

    /// URL of another page for links that set a new password
    #[arg(long, value_name = "URL", env = "LICTOR_RESET_URL")]
    reset_url: Option<String>,
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

impl PageFlags {
    /// Parses the pages. `listen` is where the server listens: a loopback address is the default of
    /// `--public-url`.
    pub(super) fn pages(&self, listen: Option<SocketAddr>) -> Result<Pages, Problem> {
        let page = |typed: &Option<String>, flag| {
            let url = given(typed.as_deref()).map(PageUrl::parse).transpose();
            url.map_err(naming(flag))
        };
        let local = listen.filter(|listen| listen.ip().is_loopback() && listen.port() != 0);
        let public = match (page(&self.public_url, "--public-url")?, local) {
            (None, Some(local)) => Some(PageUrl::parse(&format!("http://{local}"))?),
            (typed, _) => typed,
        };
        let confirmation = page(&self.confirmation_url, "--confirmation-url")?;
        let reset = page(&self.reset_url, "--reset-url")?;
        Ok(Pages { public, confirmation, reset })
    }
}

fn given(typed: Option<&str>) -> Option<&str> {
    typed.map(str::trim).filter(|text| !text.is_empty())
}
