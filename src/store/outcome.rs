//! What became of the delivery of a mail. Compiled with the feature `mail`.
//!
//! An outcome that could not be written is held in memory, and no other mail is sent before it is
//! written: a full disk would otherwise let the same mail go out again and again.

use std::sync::{MutexGuard, PoisonError};

use super::Store;
use super::delivery::{OutgoingMail, fail};
use super::driver::{Fault, Queries};
use super::entry::{Actor, Entry, Event};
use super::mail_kind::MailKind;
use super::outbox::sent;
use super::rows::delivery::DeliveryFailure;
use super::rows::{audit, queue};
use crate::clock::Timestamp;
use crate::error::Error;

impl Store {
    /// Deletes a mail that was sent. Of a test mail the audit has an entry, by which its state is
    /// known from then on. After an error, [`Store::next_mail`] does it.
    pub fn delivered(&self, mail: &OutgoingMail, now: Timestamp) -> Result<(), Error> {
        self.write_outcome(Outcome { mail: mail.clone(), failure: None, now })
    }

    /// Records a failed attempt to send a mail. Of a mail that is given up the audit has an entry.
    /// After an error, [`Store::next_mail`] does it.
    pub fn failed(
        &self,
        mail: &OutgoingMail,
        failure: &DeliveryFailure<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let failure = Some((failure.why.to_owned(), failure.due));
        self.write_outcome(Outcome { mail: mail.clone(), failure, now })
    }

    /// Writes the outcome of a delivery, or holds it in memory until the database takes writes again.
    fn write_outcome(&self, outcome: Outcome) -> Result<(), Error> {
        let written = self.write_rows(|queries| outcome.write(queries));
        if written.is_err() {
            *self.held_outcome() = Some(outcome);
        }
        written
    }

    /// Writes the outcome that could not be written before, if there is one.
    pub(in crate::store) fn write_held_outcome(&self) -> Result<(), Error> {
        let earlier = self.held_outcome().take();
        earlier.map_or(Ok(()), |outcome| self.write_outcome(outcome))
    }

    fn held_outcome(&self) -> MutexGuard<'_, Option<Outcome>> {
        self.held_outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The outcome of a delivery. One process delivers one mail at a time.
#[derive(Debug)]
pub(super) struct Outcome {
    mail: OutgoingMail,
    /// Why the delivery failed, and when it is tried again; `None` if the mail was sent.
    failure: Option<(String, Option<Timestamp>)>,
    now: Timestamp,
}

impl Outcome {
    fn write(&self, queries: &mut dyn Queries) -> Result<(), Fault> {
        match &self.failure {
            None => self.write_delivered(queries),
            Some((why, due)) => self.write_failed(queries, &DeliveryFailure { why, due: *due }),
        }
    }

    fn write_delivered(&self, queries: &mut dyn Queries) -> Result<(), Fault> {
        let OutgoingMail { id, kind, person, .. } = &self.mail;
        queue::delete(queries, *id)?;
        if *kind != MailKind::Test {
            return Ok(());
        }
        let detail = sent(*id);
        let entry = Entry::new(Event::TestMail, person.id, &person.name, Actor::Operator);
        audit::insert(queries, &Entry { detail: &detail, ..entry }, self.now)
    }

    fn write_failed(
        &self,
        queries: &mut dyn Queries,
        failure: &DeliveryFailure<'_>,
    ) -> Result<(), Fault> {
        let OutgoingMail { id, kind, person, attempts, .. } = &self.mail;
        // An outcome that was held may be older than another process's attempt, or was written by a
        // commit of which nobody knew.
        if !fail(queries, (*id, *attempts), failure)? || failure.due.is_some() {
            return Ok(());
        }
        // An invitation goes to somebody who has no account.
        let known = (person.id != 0).then_some(person);
        let entry = Entry {
            event: Event::MailFailed,
            user: known.map(|person| person.id),
            name: known.map(|person| person.name.as_str()),
            actor: Actor::Operator,
            detail: &format!("{}: {}", kind.name(), failure.why),
        };
        // Not logged: the mailer has logged why it gives the mail up.
        audit::insert(queries, &entry, self.now)
    }
}
