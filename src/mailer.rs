//! Drains the outbox: renders one mail after the other and delivers it with the transport. A failed
//! delivery is repeated later or given up. Knows no request.
//!
//! The row of a mail is deleted after the transport has accepted the mail. If the process ends
//! between the two, the mail is sent a second time, with the same Message-ID and the same link. While
//! the database takes no writes, the store keeps what became of the last mail, and no other is sent.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::config::{Brand, BrandRole};
use crate::error::{Error, Problem};
use crate::guard::{InvitationKeys, MailPurpose, MailedClaims, Tokens};
use crate::link::PageUrl;
use crate::mail::{Content, Failure, Letter, Look, Mail, Sender, Templates, Transport};
use crate::store::{DeliveryFailure, Link, NO_EMAIL, OutgoingMail, Signal, Store, Topic};
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

/// Why an invitation is given up whose code cannot be derived.
const NO_KEY: &str = "the key of the server, or its public URL, was replaced since; invite again";

/// Renders and delivers mails.
pub(crate) struct Mailer {
    outlet: Arc<Outlet>,
    templates: Templates,
    confirmation: PageUrl,
    reset: PageUrl,
    registration: Option<PageUrl>,
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
        ((confirmation, reset), registration): ((PageUrl, PageUrl), Option<PageUrl>),
    ) -> Result<Mailer, Problem> {
        let templates = match templates {
            Some(directory) => Templates::with_files(service, directory)?,
            None => Templates::new(service),
        };
        let outlet = Arc::new(Outlet { sender, transport });
        Ok(Mailer { outlet, templates, confirmation, reset, registration })
    }

    /// The mailer with other looks than the built-in ones.
    pub(crate) fn with_look(mut self, look: Look) -> Mailer {
        self.templates.look = look;
        self
    }

    /// Whether both write the same words, and log in with the same password.
    #[cfg(feature = "cli")]
    pub(crate) fn is_like(&self, other: &Mailer) -> bool {
        let (ours, theirs) = (&self.outlet.transport, &other.outlet.transport);
        self.templates == other.templates && ours.password() == theirs.password()
    }

    /// Delivers the next mail that is due.
    pub(crate) fn deliver(
        &self,
        keys: (&Tokens, &InvitationKeys),
        store: &Store,
        now: Timestamp,
    ) -> Result<Delivery, Error> {
        let Some(outgoing) = store.next_mail(now)? else { return Ok(Delivery::Idle) };
        let Some(content) = self.content(&outgoing, keys, now)? else {
            fail(store, &outgoing, &Failure::Permanent(NO_KEY.into()), now)?;
            return Ok(Delivery::One);
        };
        let start = Instant::now();
        let Some(outcome) = self.send(&outgoing, content, store.outbox_signal()) else {
            return Ok(Delivery::Idle);
        };
        let elapsed = i64::try_from(start.elapsed().as_secs()).unwrap_or(0);
        let now = Timestamp(now.0.saturating_add(elapsed));
        match outcome {
            Ok(()) => {
                let deleted = store.delivered(&outgoing, now);
                log::info!("mail {} ({}) was sent", outgoing.id, outgoing.kind.name());
                deleted?;
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

    /// Mints the token of the link, if the mail has one, and renders the mail. `None` for an
    /// invitation whose code cannot be derived any more.
    fn content(
        &self,
        outgoing: &OutgoingMail,
        (tokens, invitations): (&Tokens, &InvitationKeys),
        now: Timestamp,
    ) -> Result<Option<Content>, Error> {
        let linked = match &outgoing.topic {
            Topic::Confirm(link) | Topic::NewEmail(link) => {
                Some((&self.confirmation, MailPurpose::Registration, link))
            }
            Topic::Reset(link) => Some((&self.reset, MailPurpose::Reset, link)),
            _ => None,
        };
        // The remaining time: an earlier attempt may have failed hours ago.
        let left = |end: Timestamp| {
            Duration::from_secs(u64::try_from(end.0.saturating_sub(now.0)).unwrap_or(0))
        };
        if let Topic::Invitation { link, id, .. } = &outgoing.topic {
            let Some((code, page)) =
                invitations.named(&link.jti, id).zip(self.registration.as_ref())
            else {
                return Ok(None);
            };
            let url = page.with("invitation", &code.shown());
            let letter = letter(outgoing, &url, left(link.expires));
            return Ok(Some(self.templates.render(&letter, outgoing.language)));
        }
        let (url, lifespan) = match linked {
            Some((page, purpose, Link { jti, expires })) => {
                let (id, issued) = (outgoing.person.id, outgoing.created);
                let claims = MailedClaims { jti, id, issued, expires: *expires };
                let token = tokens.mint_queued(purpose, &claims, &outgoing.person.roles)?;
                (page.with_token(&token), left(*expires))
            }
            None => (String::new(), Duration::ZERO),
        };
        Ok(Some(self.templates.render(&letter(outgoing, &url, lifespan), outgoing.language)))
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

/// The looks of a brand. The logo needs a URL that mail programs reach.
pub(crate) fn look(brand: Option<&Brand>, public: Option<&PageUrl>) -> Look {
    let mut look = Look::default();
    let Some(brand) = brand else { return look };
    if let Some(accent) = brand.accent() {
        let (light, dark) = (&accent.light, &accent.dark);
        let shades = [light.accent, light.on_accent, dark.accent, dark.on_accent];
        look.colours = shades.map(|shade| shade.to_string());
    }
    let logo = brand.image(BrandRole::Logo).zip(public);
    let logo = logo.map(|(logo, public)| public.below(&logo.url()[1..]).as_str().to_owned());
    let links = [brand.imprint(), brand.privacy()].map(|url| url.unwrap_or_default().to_owned());
    let [imprint, privacy] = links;
    look.urls = [logo.unwrap_or_default(), imprint, privacy];
    look
}

/// The letter about the mail's topic. `link` and `lifespan` are for topics with a link.
fn letter<'a>(outgoing: &'a OutgoingMail, link: &'a str, lifespan: Duration) -> Letter<'a> {
    let name = outgoing.person.name.as_str();
    match &outgoing.topic {
        Topic::Confirm(_) => Letter::Confirm { name, link, lifespan },
        Topic::NewEmail(_) => Letter::NewEmail { name, link, lifespan },
        Topic::Reset(_) => Letter::Reset { name, link, lifespan },
        Topic::Taken => Letter::Taken { name },
        Topic::EmailChanged(email) if email == NO_EMAIL => Letter::EmailRemoved { name },
        Topic::EmailChanged(email) => Letter::EmailChanged { name, email },
        Topic::PasswordChanged => Letter::PasswordChanged { name },
        Topic::SecondFactor(on) => Letter::SecondFactor { name, on: *on },
        Topic::RecoveryCodeUsed => Letter::RecoveryCodeUsed { name },
        Topic::RecoveryCodesReplaced => Letter::RecoveryCodesReplaced { name },
        Topic::AccountDeleted => Letter::AccountDeleted { name },
        Topic::NewDevice(device) => Letter::NewDevice { name, device },
        Topic::Guarded => Letter::Guarded { name },
        Topic::Renamed(former) => Letter::Renamed { name, former },
        Topic::Invitation { note, .. } => Letter::Invitation { note, link, lifespan },
        Topic::Test => Letter::Test,
    }
}

/// Records a failed delivery, and either the time of the next attempt or that the mail is given up.
fn fail(
    store: &Store,
    outgoing: &OutgoingMail,
    failure: &Failure,
    now: Timestamp,
) -> Result<(), Error> {
    let (id, kind) = (outgoing.id, outgoing.kind.name());
    let (why, due) = match failure {
        Failure::Temporary(why) => (why, next_attempt(outgoing, now)),
        Failure::Permanent(why) => (why, None),
    };
    match due {
        Some(due) => {
            log::warn!("mail {id} ({kind}) is tried again in {} s: {why}", due.0 - now.0);
        }
        None => log::error!("mail {id} ({kind}) is given up: {why}"),
    }
    store.failed(outgoing, &DeliveryFailure { why, due }, now)
}

/// The time of the next attempt; `None` if it would be too late.
fn next_attempt(outgoing: &OutgoingMail, now: Timestamp) -> Option<Timestamp> {
    let delay = FIRST_DELAY
        .checked_shl(outgoing.attempts.min(16))
        .map_or(LONGEST_DELAY, |d| d.min(LONGEST_DELAY));
    let due = now.0.saturating_add(delay);
    let end = match &outgoing.topic {
        Topic::Confirm(link)
        | Topic::NewEmail(link)
        | Topic::Reset(link)
        | Topic::Invitation { link, .. } => link.expires.0,
        _ => i64::MAX,
    };
    let end = end.min(outgoing.created.0.saturating_add(GIVE_UP_AFTER));
    (due <= end).then_some(Timestamp(due))
}
