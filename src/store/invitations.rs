//! Invitations: codes that let one person each register. An administrator's are void when the
//! administrator loses the role, is deactivated or deleted.

use super::driver::Abort;
use super::entry::Entry;
use super::mail_kind::MailKind;
use super::outbox::{self, LinkMail};
use super::rows::invitations::{self, Invitation, NewInvitation};
use super::{Authority, NewSession, NewUser, Store, users};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::values::{CodeHash, Email, Language};

/// Invitations that can be open at the same time.
pub(super) const MAX_OPEN: i64 = 1_000;

impl NewInvitation<'_> {
    /// Seconds for which an invitation is good by default.
    pub const LIFESPAN: i64 = 7 * 24 * 3600;
    /// Seconds for which one is good at most.
    pub const MAX_LIFESPAN: i64 = 366 * 24 * 3600;

    /// What its audit entry says: its name and the roles.
    pub fn detail(&self) -> String {
        [&*self.hash.name(), self.roles.as_str()].join(" ").trim_end().to_owned()
    }
}

/// The mail with an invitation. Its code must be derived from `jti`.
#[derive(Debug, Clone, Copy)]
pub struct InvitationMail<'a> {
    /// The address that it goes to.
    pub email: &'a Email,
    /// From what the code is derived.
    pub jti: &'a str,
    /// What it is written in.
    pub language: Language,
    /// What the administrator writes, in one line; may be empty.
    pub note: &'a str,
}

impl Store {
    /// Keeps an invitation, and the mail with it, if there is one. [`Error::TooManyInvitations`] if too many are open.
    pub fn invite(
        &self,
        invitation: &NewInvitation<'_>,
        mail: Option<&InvitationMail<'_>>,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<(), Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            if !transaction.has_room(MAX_OPEN, |queries| invitations::count_open(queries, now))? {
                return Err(Abort::Rule(Error::TooManyInvitations));
            }
            invitations::insert(transaction, invitation, by.admin(), now)?;
            if let Some(InvitationMail { email, jti, language, note }) = mail.copied() {
                outbox::must_have_room(transaction)?;
                let detail = [language.code(), &invitation.hash.name(), note].join(" ");
                let mail = LinkMail { email, jti, expires: invitation.expires };
                outbox::put(transaction, MailKind::Invitation, None, &mail, &detail)?;
            }
            Ok(transaction.record(entry)?)
        })
    }

    /// The invitations that can be used, the newest first.
    pub fn invitations(&self, now: Timestamp) -> Result<Vec<Invitation>, Error> {
        self.read(|queries| invitations::open(queries, now, MAX_OPEN))
    }

    /// The invitation of a code, if it can be used.
    pub fn invitation(&self, code: &CodeHash, now: Timestamp) -> Result<Option<Invitation>, Error> {
        self.read(|queries| invitations::by_code(queries, code, now))
    }

    /// Revokes an invitation; false if none has this name.
    pub fn revoke_invitation(
        &self,
        id: &str,
        by: &Authority<'_>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        self.write(now, |transaction| {
            transaction.authorize(by, entry)?;
            let found = invitations::delete(transaction, id)?;
            if found {
                transaction.record(entry)?;
            }
            Ok(found)
        })
    }

    /// Makes a user as [`Store::add`] does, and uses the invitation up: both or neither. `None` if
    /// the invitation can no longer be used.
    pub fn accept(
        &self,
        code: &CodeHash,
        user: &NewUser<'_>,
        session: Option<&NewSession<'_>>,
        entry: &Entry<'_>,
        now: Timestamp,
    ) -> Result<Option<i64>, Error> {
        self.write(now, |transaction| {
            // Of two who use the code at once, the second finds no row.
            if !invitations::use_up(transaction, code, now)? {
                return Ok(None);
            }
            // A name that is taken undoes the deletion too, and the code can be used again.
            users::add(transaction, user, session, entry).map(Some)
        })
    }
}
