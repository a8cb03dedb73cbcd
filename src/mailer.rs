//! Drains the outbox: takes one mail after the other, writes its link and its words, and hands it
//! to the transport; what fails is tried again later, or given up. Knows no request.
//!
//! A mail's row is deleted when the transport has taken it. If the process ends between the two,
//! the mail is sent once more, with the same Message-ID and the same link.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::guard::{Mailed, MailedClaims, Tokens};
use crate::link::PageUrl;
use crate::mail::{Content, Failure, Letter, Mail, Sender, Templates, Transport};
use crate::store::{
    Actor, DeliveryFailure, Entry, Event, Link, OutgoingMail, Signal, Store, Topic,
};
#[cfg(feature = "cli")]
use crate::values::Language;

/// The longest that one delivery is waited for; transports have shorter limits of their own.
const PATIENCE: Duration = Duration::from_secs(120);
/// How soon a delivery under way notices that the server ends.
const LOOK: Duration = Duration::from_millis(50);
/// Seconds until a mail is tried again for the first time; each time twice as long, up to the
/// last.
const FIRST_DELAY: i64 = 10;
const LONGEST_DELAY: i64 = 3_600;
/// Seconds for which a mail is tried; one with a link no longer than that can be used.
const TRIED_FOR: i64 = 2 * 24 * 3_600;

/// Where mails go, from whom, and what they say.
pub(crate) struct Mailer {
    post: Arc<Post>,
    templates: Templates,
    confirmation: PageUrl,
    reset: PageUrl,
}

struct Post {
    sender: Sender,
    transport: Transport,
}

/// What [`Mailer::deliver`] did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// One mail was sent, tried or given up: there may be more.
    One,
    /// Nothing is due.
    Idle,
}

impl Mailer {
    /// With words for a service of this name, or those in a folder.
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
        let post = Arc::new(Post { sender, transport });
        Ok(Mailer { post, templates, confirmation, reset })
    }

    /// Sends the next mail that is due.
    pub(crate) fn deliver(
        &self,
        tokens: &Tokens,
        store: &Store,
        now: Timestamp,
    ) -> Result<Delivery, Error> {
        let Some(outgoing) = store.next_mail(now)? else { return Ok(Delivery::Idle) };
        let content = self.content(&outgoing, tokens, now)?;
        let begun = Instant::now();
        let Some(sent) = self.send(&outgoing, content, store.outbox_signal()) else {
            return Ok(Delivery::Idle);
        };
        let passed = i64::try_from(begun.elapsed().as_secs()).unwrap_or(0);
        let now = Timestamp(now.0.saturating_add(passed));
        match sent {
            Ok(()) => {
                store.delivered(outgoing.id)?;
                log::info!("mail {} ({}) was sent", outgoing.id, outgoing.kind.name());
            }
            Err(failure) => fail(store, &outgoing, &failure, now)?,
        }
        Ok(Delivery::One)
    }

    /// In a thread of its own, so that a server which hangs holds up no end. Nothing if the end
    /// comes first: the mail stays in the outbox.
    fn send(
        &self,
        outgoing: &OutgoingMail,
        content: Content,
        signal: &Signal,
    ) -> Option<Result<(), Failure>> {
        let (tell, told) = mpsc::channel();
        let post = Arc::clone(&self.post);
        let (message, email) = (outgoing.message.clone(), outgoing.email.clone());
        let (language, date) = (outgoing.language.code(), outgoing.created);
        let send = move || {
            let mail = Mail { id: &message, to: &email, language, date, content: &content };
            let _ = tell.send(post.transport.deliver(&post.sender, &mail));
        };
        if let Err(error) = std::thread::Builder::new().name("lictor-post".into()).spawn(send) {
            return Some(Err(Failure::Temporary(format!("no thread to send it: {error}"))));
        }
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            match told.recv_timeout(LOOK) {
                Ok(sent) => return Some(sent),
                Err(RecvTimeoutError::Timeout) if signal.is_over() => return None,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Some(Err(Failure::Temporary("a bug in lictor; see the log".into())));
                }
            }
        }
        Some(Err(Failure::Temporary("the mail server took too long".into())))
    }

    fn content(
        &self,
        outgoing: &OutgoingMail,
        tokens: &Tokens,
        now: Timestamp,
    ) -> Result<Content, Error> {
        let name = outgoing.person.name.as_str();
        let token = |purpose, link: &Link| {
            let Link { jti, expires } = link;
            let (id, issued) = (outgoing.person.id, outgoing.created);
            let claims = MailedClaims { jti, id, issued, expires: *expires };
            tokens.mailed(purpose, &claims, &outgoing.person.roles)
        };
        // What is left of it, for a mail that was held up.
        let lifespan = |link: &Link| {
            Duration::from_secs(u64::try_from(link.expires.0.saturating_sub(now.0)).unwrap_or(0))
        };
        let render = |letter: &Letter<'_>| self.templates.render(letter, outgoing.language);
        Ok(match &outgoing.topic {
            Topic::Confirm(link) => {
                let url = self.confirmation.with_token(&token(Mailed::Registration, link)?);
                render(&Letter::Confirm { name, link: &url, lifespan: lifespan(link) })
            }
            Topic::NewAddress(link) => {
                let url = self.confirmation.with_token(&token(Mailed::Registration, link)?);
                render(&Letter::NewAddress { name, link: &url, lifespan: lifespan(link) })
            }
            Topic::Reset(link) => {
                let url = self.reset.with_token(&token(Mailed::Reset, link)?);
                render(&Letter::Reset { name, link: &url, lifespan: lifespan(link) })
            }
            Topic::Taken => render(&Letter::Taken { name }),
            Topic::AddressChanged(address) => render(&Letter::AddressChanged { name, address }),
            Topic::PasswordChanged => render(&Letter::PasswordChanged { name }),
            Topic::SecondFactor(on) => render(&Letter::SecondFactor { name, on: *on }),
            Topic::RecoveryCodeUsed => render(&Letter::RecoveryCodeUsed { name }),
            Topic::RecoveryCodesReplaced => render(&Letter::RecoveryCodesReplaced { name }),
            Topic::AccountDeleted => render(&Letter::AccountDeleted { name }),
            Topic::NewDevice(device) => render(&Letter::NewDevice { name, device }),
            Topic::Guarded => render(&Letter::Guarded { name }),
        })
    }

    /// Sends one mail at once, past the outbox, to see whether mail works.
    #[cfg(feature = "cli")]
    pub(crate) fn test(&self, id: &str, to: &str, now: Timestamp) -> Result<(), Failure> {
        let content = self.templates.render(&Letter::Test, Language::English);
        let language = Language::English.code();
        let mail = Mail { id, to, language, date: now, content: &content };
        self.post.transport.deliver(&self.post.sender, &mail)
    }
}

/// Keeps why, and when it is tried again.
fn fail(
    store: &Store,
    outgoing: &OutgoingMail,
    failure: &Failure,
    now: Timestamp,
) -> Result<(), Error> {
    let OutgoingMail { id, kind, person, .. } = outgoing;
    let (why, again) = match failure {
        Failure::Temporary(why) => (why, again(outgoing, now)),
        Failure::Permanent(why) => (why, None),
    };
    if let Some(due) = again {
        let wait = due.0 - now.0;
        log::warn!("mail {id} ({}) is tried again in {wait} s: {why}", kind.name());
        return store.failed(*id, &DeliveryFailure { why, due: again }, None, now);
    }
    let detail = format!("{}: {why}", kind.name());
    let entry = Entry::new(Event::MailFailed, person.id, &person.name, Actor::Operator);
    let entry = Entry { detail: &detail, ..entry };
    log::error!("mail {id} ({}) is given up: {why}", kind.name());
    store.failed(*id, &DeliveryFailure { why, due: None }, Some(&entry), now)
}

/// When it is tried again, if it still is.
fn again(outgoing: &OutgoingMail, now: Timestamp) -> Option<Timestamp> {
    let delay = FIRST_DELAY
        .checked_shl(outgoing.attempts.min(16))
        .map_or(LONGEST_DELAY, |d| d.min(LONGEST_DELAY));
    let due = now.0.saturating_add(delay);
    let end = match &outgoing.topic {
        Topic::Confirm(link) | Topic::NewAddress(link) | Topic::Reset(link) => link.expires.0,
        _ => i64::MAX,
    };
    let end = end.min(outgoing.created.0.saturating_add(TRIED_FOR));
    (due <= end).then_some(Timestamp(due))
}
