//! Drains the outbox, one mail after the other: which is due, whom it goes to, what it says, and
//! what follows a failed attempt. Compiled with the feature `mail`.

use super::driver::{Dialect, Fault, Queries};
use super::entry::{Actor, Entry, Event};
use super::mail_kind::MailKind;
use super::rows::delivery::{self, DeliveryFailure, DueMail, Link};
use super::rows::emails::{self, Addressee};
use super::rows::queue;
use super::rows::tickets::{self, TicketPurpose};
use super::signal::Signal;
use super::sweep::MAIL_KEPT;
use super::transaction::Transaction;
use super::{Person, Store, rows};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{Email, Language, Roles};

/// Mails that were given up and are kept for an administrator to see. They take no place of those
/// that wait: registrations with addresses that do not exist must not stop the mails of others.
pub(super) const MAX_GIVEN_UP: i64 = 1_000;

/// Links to set a new password that one user can have by mail at the same time. A stranger who asks
/// for another does not void the first ones.
const MAX_MAILED: i64 = 5;

/// Seconds for which a mail that was taken is not due for another process: longer than a delivery
/// may take. After a crash it is sent again that much later.
const UNDER_WAY: i64 = 150;

/// A mail that is to be sent now.
#[derive(Debug, Clone)]
pub struct OutgoingMail {
    /// Its number in the outbox.
    pub id: i64,
    /// The Message-ID before the `@`.
    pub message: String,
    /// What caused it.
    pub kind: MailKind,
    /// The address that it goes to.
    pub email: String,
    /// The language that it is written in.
    pub language: Language,
    /// When it was caused.
    pub created: Timestamp,
    /// Attempts that failed.
    pub attempts: u32,
    /// Whose account it is about; with the id 0 for [`Topic::Invitation`]. For [`Topic::Taken`], the
    /// user who has the address.
    pub person: Person,
    /// What it says.
    pub topic: Topic,
}

/// What a mail says when it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Topic {
    /// Follow the link to confirm the address that you registered with.
    Confirm(Link),
    /// Another person has given your address.
    Taken,
    /// Follow the link to confirm your new address.
    NewEmail(Link),
    /// Follow the link to set a new password.
    Reset(Link),
    /// The account has this address from now on.
    EmailChanged(String),
    /// The account has a new password.
    PasswordChanged,
    /// The second factor was turned on or off.
    SecondFactor(bool),
    /// A recovery code was used.
    RecoveryCodeUsed,
    /// The recovery codes were replaced.
    RecoveryCodesReplaced,
    /// The account was deleted.
    AccountDeleted,
    /// A login from a new device, in words.
    NewDevice(String),
    /// Too many logins failed.
    Guarded,
    /// Somebody tried to log in with this former name.
    Renamed(String),
    /// Follow the link to make an account.
    Invitation {
        /// The mail's `jti`, from which the code is derived, and the invitation's last second.
        link: Link,
        /// The invitation's id.
        id: String,
        /// What the administrator writes.
        note: String,
    },
    /// Mail arrives.
    Test,
}

impl Store {
    /// Returns the signal that each new mail in the outbox notifies.
    pub fn outbox_signal(&self) -> &Signal {
        &self.outbox_signal
    }

    /// The next mail that is due and still goes to somebody. A password reset gets its ticket here.
    /// Fails as long as the outcome of the mail before cannot be written.
    pub fn next_mail(&self, now: Timestamp) -> Result<Option<OutgoingMail>, Error> {
        self.write_held_outcome()?;
        loop {
            // A read first, so that no transaction begins while nothing is due.
            let Some(due) = self.read(|queries| delivery::next(queries, now))? else {
                return Ok(None);
            };
            let (id, kind) = (due.id, due.kind.name());
            match self.write(now, |transaction| Ok(take(transaction, id)?))? {
                Taken::Mail(outgoing) => return Ok(Some(*outgoing)),
                Taken::TooOld => log::warn!("mail {id} ({kind}) is not sent: it is a week old"),
                Taken::ToNobody => log::debug!("mail {id} ({kind}) no longer goes to anybody"),
                Taken::Gone => {}
            }
        }
    }
}

/// What became of a mail that was due.
enum Taken {
    /// It is to be sent.
    Mail(Box<OutgoingMail>),
    /// It was given up.
    TooOld,
    /// It was deleted.
    ToNobody,
    /// It is no longer due: since it was read, another server has sent it or tried to.
    Gone,
}

/// Decides about a mail that was due when it was read.
fn take(transaction: &mut Transaction<'_>, id: i64) -> Result<Taken, Fault> {
    let now = transaction.now;
    let Some(due) = delivery::due_with(transaction, id, now)? else { return Ok(Taken::Gone) };
    if is_too_old(&due, now) {
        let why = "it waited for a week before a server tried to send it";
        fail(transaction, (id, due.attempts), &DeliveryFailure { why, due: None })?;
        return Ok(Taken::TooOld);
    }
    match resolve(transaction, &due)? {
        Some(outgoing) => {
            // Another process may lead before this one knows; it must not send the same mail. With
            // SQLite there is no such change while both run.
            if transaction.dialect() == Dialect::Postgres {
                delivery::put_off(transaction, id, Timestamp(now.0.saturating_add(UNDER_WAY)))?;
            }
            Ok(Taken::Mail(Box::new(outgoing)))
        }
        None => queue::delete(transaction, id).map(|_| Taken::ToNobody),
    }
}

/// Counts an attempt that failed; false if the mail, by its number and the attempts before this one,
/// is not there. Of the mails that were given up, the oldest may go.
pub(super) fn fail(
    queries: &mut dyn Queries,
    mail: (i64, u32),
    failure: &DeliveryFailure<'_>,
) -> Result<bool, Fault> {
    let counted = delivery::fail(queries, mail, failure)?;
    delivery::delete_given_up_beyond(queries, MAX_GIVEN_UP)?;
    Ok(counted)
}

/// What a mail says now, and to whom; `None` if nobody is to get it any more.
///
/// An address that was typed is used only for a link that confirms this very address. Any other
/// mail about an account goes to the address that the account has: two spellings that count as one
/// address can be two mailboxes.
fn resolve(
    transaction: &mut Transaction<'_>,
    due: &DueMail,
) -> Result<Option<OutgoingMail>, Fault> {
    let found = match (due.kind, &due.link) {
        (_, Some(link)) if link.expires < transaction.now => None,
        (MailKind::Registration | MailKind::NewEmail, Some(link)) => {
            confirmation(transaction, due, link)?
        }
        (MailKind::Reset, Some(link)) => reset(transaction, due, link)?,
        (MailKind::Invitation, Some(link)) => invitation(transaction, due, link)?,
        (MailKind::AccountDeleted, _) => former_owner(due).map(|to| (to, Topic::AccountDeleted)),
        (kind, _) => match (notice(kind, &due.detail), owner(transaction, due)?) {
            (Some(topic), Some(to)) => Some((to, topic)),
            _ => None,
        },
    };
    let Some((Addressee { person, language }, topic)) = found else { return Ok(None) };
    let email = match topic {
        Topic::Reset(_) | Topic::Taken => emails::of_user(transaction, person.id)?,
        // The new address, or the one that the account had when it happened.
        _ => Some(due.email.clone()),
    };
    Ok(email.map(|email| OutgoingMail {
        id: due.id,
        message: due.message.clone(),
        kind: due.kind,
        email,
        language,
        created: due.created,
        attempts: due.attempts,
        person,
        topic,
    }))
}

/// Whether a notice was never tried and is as old as the sweep keeps mails: no server that sends
/// mail ran. It is given up and not deleted, since the clock may be wrong.
fn is_too_old(due: &DueMail, now: Timestamp) -> bool {
    due.link.is_none() && due.attempts == 0 && due.created.0 < now.0.saturating_sub(MAIL_KEPT)
}

/// Returns the topic of a notice; `None` for the kinds that need a link.
fn notice(kind: MailKind, detail: &str) -> Option<Topic> {
    Some(match kind {
        MailKind::Registration | MailKind::NewEmail | MailKind::Reset | MailKind::Invitation => {
            return None;
        }
        MailKind::EmailChanged => Topic::EmailChanged(detail.to_owned()),
        MailKind::PasswordChanged => Topic::PasswordChanged,
        MailKind::SecondFactorOn => Topic::SecondFactor(true),
        MailKind::SecondFactorOff => Topic::SecondFactor(false),
        MailKind::RecoveryCodeUsed => Topic::RecoveryCodeUsed,
        MailKind::RecoveryCodesReplaced => Topic::RecoveryCodesReplaced,
        MailKind::AccountDeleted => Topic::AccountDeleted,
        MailKind::NewDevice => Topic::NewDevice(detail.to_owned()),
        MailKind::Guarded => Topic::Guarded,
        MailKind::Renamed => Topic::Renamed(detail.to_owned()),
        MailKind::Test => Topic::Test,
    })
}

/// The mail that confirms an e-mail address. If another account has the address, its owner is told,
/// and nobody gets the link.
fn confirmation(
    transaction: &mut Transaction<'_>,
    due: &DueMail,
    link: &Link,
) -> Result<Option<(Addressee, Topic)>, Fault> {
    let Some(to) = owner(transaction, due)? else { return Ok(None) };
    if !delivery::is_ticket_there(transaction, &link.jti)? {
        return Ok(None);
    }
    match holder_of(transaction, &due.email)? {
        Some(holder) if holder.person.id != to.person.id => Ok(Some((holder, Topic::Taken))),
        _ if due.kind == MailKind::Registration => Ok(Some((to, Topic::Confirm(link.clone())))),
        _ => Ok(Some((to, Topic::NewEmail(link.clone())))),
    }
}

/// The mail with an invitation, unless that is used, revoked or expired.
fn invitation(
    transaction: &mut Transaction<'_>,
    due: &DueMail,
    link: &Link,
) -> Result<Option<(Addressee, Topic)>, Fault> {
    let mut parts = due.detail.splitn(3, ' ').map(str::to_owned);
    let mut part = || parts.next().unwrap_or_default();
    let (language, id, note) = (Language::of_code(&part()), part(), part());
    if !rows::invitations::is_there(transaction, &id)? {
        return Ok(None);
    }
    let nobody = Person { id: 0, name: String::new(), roles: Roles::default(), active: false };
    let to = Addressee { person: nobody, language };
    Ok(Some((to, Topic::Invitation { link: link.clone(), id, note })))
}

/// The mail that resets a password. Its first attempt makes the ticket; if the ticket is gone at a
/// later one, the mail is void.
fn reset(
    transaction: &mut Transaction<'_>,
    due: &DueMail,
    link: &Link,
) -> Result<Option<(Addressee, Topic)>, Fault> {
    let to = match due.user {
        None => holder_of(transaction, &due.email)?,
        Some(_) => owner(transaction, due)?,
    };
    let Some(to) = to.filter(|to| to.person.active) else { return Ok(None) };
    if due.user.is_none() {
        begin_reset(transaction, due, link, &to.person)?;
    } else if !delivery::is_ticket_there(transaction, &link.jti)? {
        return Ok(None);
    }
    Ok(Some((to, Topic::Reset(link.clone()))))
}

/// Makes the ticket of a password reset, in the place of the oldest if there are many.
fn begin_reset(
    transaction: &mut Transaction<'_>,
    due: &DueMail,
    link: &Link,
    person: &Person,
) -> Result<(), Fault> {
    delivery::delete_tickets_beyond(transaction, person.id, TicketPurpose::Reset, MAX_MAILED - 1)?;
    let row = tickets::Row {
        jti: &link.jti,
        user: person.id,
        purpose: TicketPurpose::Reset,
        expires: link.expires,
        email: None,
        creator: None,
    };
    tickets::insert(transaction, &row)?;
    delivery::set_user(transaction, due.id, person.id)?;
    let client = Actor::User(due.detail.parse().ok());
    transaction.record(&Entry::new(Event::ResetRequested, person.id, &person.name, client))
}

fn owner(transaction: &mut Transaction<'_>, due: &DueMail) -> Result<Option<Addressee>, Fault> {
    due.user.map_or(Ok(None), |user| emails::addressee(transaction, user))
}

/// The former user of an account that was deleted: language, id and name, from the detail.
fn former_owner(due: &DueMail) -> Option<Addressee> {
    let mut parts = due.detail.splitn(3, ' ');
    let (language, id, name) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    let person = Person { id, name: name.into(), roles: Roles::default(), active: false };
    Some(Addressee { person, language: Language::of_code(language) })
}

fn holder_of(transaction: &mut Transaction<'_>, email: &str) -> Result<Option<Addressee>, Fault> {
    match Email::parse(email) {
        Ok(email) => delivery::holder_of(transaction, &email),
        Err(_) => Ok(None),
    }
}
