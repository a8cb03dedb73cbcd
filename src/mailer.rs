//! Drains the outbox: renders one mail after the other and delivers it with the transport. A failed
//! delivery is repeated later or given up. Knows no request.
//!
//! The row of a mail is deleted after the transport has accepted the mail. If the process ends
//! between the two, the mail is sent a second time, with the same Message-ID and the same link.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::guard::{MailPurpose, MailedClaims, Tokens};
use crate::link::PageUrl;
use crate::mail::{Content, Failure, Letter, Mail, Sender, Templates, Transport};
use crate::store::{
    Actor, DeliveryFailure, Entry, Event, Link, OutgoingMail, Signal, Store, Topic,
};
#[cfg(feature = "cli")]
use crate::values::Language;

/// Time limit on one delivery. Every transport has a shorter limit of its own.
const DELIVERY_LIMIT: Duration = Duration::from_secs(120);
/// Interval at which a delivery in progress checks whether the server ends.
const POLL: Duration = Duration::from_millis(50);
/// Seconds between the first attempt and the second; the delay doubles with each attempt, up to
/// [`LONGEST_DELAY`].
const FIRST_DELAY: i64 = 10;
const LONGEST_DELAY: i64 = 3_600;
/// Seconds after which no attempt is made. A mail with a link is given up earlier, when its link
/// expires.
const GIVE_UP_AFTER: i64 = 2 * 24 * 3_600;

/// Renders and delivers mails.
pub(crate) struct Mailer {
    outlet: Arc<Outlet>,
    templates: Templates,
    confirmation: PageUrl,
    reset: PageUrl,
}

/// The sender and the transport; shared with the threads that deliver.
struct Outlet {
    sender: Sender,
    transport: Transport,
}

/// What [`Mailer::deliver`] did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// One mail was delivered, has failed, or was given up. Others may be due.
    One,
    /// No mail is due, or the server ends.
    Idle,
}

impl Mailer {
    /// Loads the templates: the built-in ones, or those of the folder. `service` is the name of the
    /// service in mails.
    pub(crate) fn new(
        (sender, transport): (Sender, Transport),
        service: &str,
        templates: Option<&Path>,
        (confirmation, reset): (PageUrl, PageUrl),
    ) -> Result<Mailer, Problem> {
        let templates = match templates {
            Some(directory) => Templates::with_files(service, directory)?,
            None => Templates::new(service),
        };
        let outlet = Arc::new(Outlet { sender, transport });
        Ok(Mailer { outlet, templates, confirmation, reset })
    }

    /// Delivers the next mail that is due.
    pub(crate) fn deliver(
        &self,
        tokens: &Tokens,
        store: &Store,
        now: Timestamp,
    ) -> Result<Delivery, Error> {
        let Some(outgoing) = store.next_mail(now)? else { return Ok(Delivery::Idle) };
        let content = self.content(&outgoing, tokens, now)?;
        let start = Instant::now();
        let Some(outcome) = self.send(&outgoing, content, store.outbox_signal()) else {
            return Ok(Delivery::Idle);
        };
        let elapsed = i64::try_from(start.elapsed().as_secs()).unwrap_or(0);
        let now = Timestamp(now.0.saturating_add(elapsed));
        match outcome {
            Ok(()) => {
                store.delivered(outgoing.id)?;
                log::info!("mail {} ({}) was sent", outgoing.id, outgoing.kind.name());
            }
            Err(failure) => fail(store, &outgoing, &failure, now)?,
        }
        Ok(Delivery::One)
    }

    /// Delivers in a thread of its own, so that a mail server that hangs does not delay the end of the
    /// server. `None` if the server ends first; the mail stays in the outbox.
    fn send(
        &self,
        outgoing: &OutgoingMail,
        content: Content,
        signal: &Signal,
    ) -> Option<Result<(), Failure>> {
        let (sender, receiver) = mpsc::channel();
        let outlet = Arc::clone(&self.outlet);
        let (message, email) = (outgoing.message.clone(), outgoing.email.clone());
        let (language, date) = (outgoing.language.code(), outgoing.created);
        let send = move || {
            let mail = Mail { id: &message, to: &email, language, date, content: &content };
            // Nobody receives it if the server ends or the limit has passed.
            let _ = sender.send(outlet.transport.deliver(&outlet.sender, &mail));
        };
        if let Err(error) = std::thread::Builder::new().name("lictor-mail".into()).spawn(send) {
            return Some(Err(Failure::Temporary(format!("cannot start a thread: {error}"))));
        }
        let start = Instant::now();
        while start.elapsed() < DELIVERY_LIMIT {
            match receiver.recv_timeout(POLL) {
                Ok(outcome) => return Some(outcome),
                Err(RecvTimeoutError::Timeout) if signal.is_over() => return None,
                Err(RecvTimeoutError::Timeout) => {}
                // The thread has panicked.
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Err(Failure::Temporary("a bug in lictor; see the log".into())));
                }
            }
        }
        Some(Err(Failure::Temporary("the mail server took too long".into())))
    }

    /// Mints the token of the link, if the mail has one, and renders the mail.
    fn content(
        &self,
        outgoing: &OutgoingMail,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Result<Content, Error> {
        let linked = match &outgoing.topic {
            Topic::Confirm(link) | Topic::NewEmail(link) => {
                Some((&self.confirmation, MailPurpose::Registration, link))
            }
            Topic::Reset(link) => Some((&self.reset, MailPurpose::Reset, link)),
            _ => None,
        };
        let (url, lifespan) = match linked {
            Some((page, purpose, Link { jti, expires })) => {
                let (id, issued) = (outgoing.person.id, outgoing.created);
                let claims = MailedClaims { jti, id, issued, expires: *expires };
                let token = tokens.mint_queued(purpose, &claims, &outgoing.person.roles)?;
                // The remaining time: an earlier attempt may have failed hours ago.
                let left = u64::try_from(expires.0.saturating_sub(now.0)).unwrap_or(0);
                (page.with_token(&token), Duration::from_secs(left))
            }
            None => (String::new(), Duration::ZERO),
        };
        Ok(self.templates.render(&letter(outgoing, &url, lifespan), outgoing.language))
    }

    /// Sends a test mail at once, without the outbox.
    #[cfg(feature = "cli")]
    pub(crate) fn test(&self, id: &str, to: &str, now: Timestamp) -> Result<(), Failure> {
        let content = self.templates.render(&Letter::Test, Language::English);
        let language = Language::English.code();
        let mail = Mail { id, to, language, date: now, content: &content };
        self.outlet.transport.deliver(&self.outlet.sender, &mail)
    }
}

/// The letter about the mail's topic. `link` and `lifespan` are for topics with a link.
fn letter<'a>(outgoing: &'a OutgoingMail, link: &'a str, lifespan: Duration) -> Letter<'a> {
    let name = outgoing.person.name.as_str();
    match &outgoing.topic {
        Topic::Confirm(_) => Letter::Confirm { name, link, lifespan },
        Topic::NewEmail(_) => Letter::NewEmail { name, link, lifespan },
        Topic::Reset(_) => Letter::Reset { name, link, lifespan },
        Topic::Taken => Letter::Taken { name },
        Topic::EmailChanged(email) => Letter::EmailChanged { name, email },
        Topic::PasswordChanged => Letter::PasswordChanged { name },
        Topic::SecondFactor(on) => Letter::SecondFactor { name, on: *on },
        Topic::RecoveryCodeUsed => Letter::RecoveryCodeUsed { name },
        Topic::RecoveryCodesReplaced => Letter::RecoveryCodesReplaced { name },
        Topic::AccountDeleted => Letter::AccountDeleted { name },
        Topic::NewDevice(device) => Letter::NewDevice { name, device },
        Topic::Guarded => Letter::Guarded { name },
        Topic::Renamed(former) => Letter::Renamed { name, former },
    }
}

/// Records a failed delivery, and either the time of the next attempt or that the mail is given up.
fn fail(
    store: &Store,
    outgoing: &OutgoingMail,
    failure: &Failure,
    now: Timestamp,
) -> Result<(), Error> {
    let OutgoingMail { id, kind, person, .. } = outgoing;
    let (why, next) = match failure {
        Failure::Temporary(why) => (why, next_attempt(outgoing, now)),
        Failure::Permanent(why) => (why, None),
    };
    if let Some(due) = next {
        let wait = due.0 - now.0;
        log::warn!("mail {id} ({}) is tried again in {wait} s: {why}", kind.name());
        return store.failed(*id, &DeliveryFailure { why, due: next }, None, now);
    }
    let detail = format!("{}: {why}", kind.name());
    let entry = Entry::new(Event::MailFailed, person.id, &person.name, Actor::Operator);
    let entry = Entry { detail: &detail, ..entry };
    log::error!("mail {id} ({}) is given up: {why}", kind.name());
    store.failed(*id, &DeliveryFailure { why, due: None }, Some(&entry), now)
}

/// The time of the next attempt; `None` if it would be too late.
fn next_attempt(outgoing: &OutgoingMail, now: Timestamp) -> Option<Timestamp> {
    let delay = FIRST_DELAY
        .checked_shl(outgoing.attempts.min(16))
        .map_or(LONGEST_DELAY, |d| d.min(LONGEST_DELAY));
    let due = now.0.saturating_add(delay);
    let end = match &outgoing.topic {
        Topic::Confirm(link) | Topic::NewEmail(link) | Topic::Reset(link) => link.expires.0,
        _ => i64::MAX,
    };
    let end = end.min(outgoing.created.0.saturating_add(GIVE_UP_AFTER));
    (due <= end).then_some(Timestamp(due))
}
