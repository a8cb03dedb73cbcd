//! Notices: mails that tell users what happened to their accounts. A rule says what to tell; here
//! it is put into the outbox, in the transaction of what happened, within limits. Whether notices
//! are sent at all is for the server to decide, not for the rule.

use super::driver::Fault;
use super::mail_kind::MailKind;
use super::rows::emails;
use super::rows::outbox::{self, NewMail};
use super::transaction::Transaction;

/// Notices that can wait at the same time. Their places are their own: mails with a link, which
/// strangers can cause, never take one.
pub(super) const MAX_NOTICES: i64 = 10_000;

/// Notices about one account that can wait at the same time, so that nobody can use up the places
/// of all others with one account. Those to its former addresses have as many again: a thief of the
/// account must not be able to fill the places before changing the address.
pub(super) const MAX_NOTICES_OF_ONE: i64 = 20;

/// What to tell a user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Notice<'a> {
    pub(super) kind: MailKind,
    /// The id of the account. The notice goes to the e-mail address that it has at this moment.
    pub(super) user: i64,
    /// More; see [`MailKind`].
    pub(super) detail: &'a str,
}

impl Notice<'_> {
    /// A notice without a detail.
    pub(super) fn new(kind: MailKind, user: i64) -> Notice<'static> {
        Notice { kind, user, detail: "" }
    }
}

impl Transaction<'_> {
    /// Puts a notice into the outbox, unless the account has no e-mail address, or an equal notice
    /// waits there already. A notice that finds no place is logged: what it tells of happens all
    /// the same.
    pub(super) fn tell(&mut self, notice: &Notice<'_>) -> Result<(), Fault> {
        let Notice { kind, user, detail } = *notice;
        let Some(email) = emails::of_user(self, user)? else { return Ok(()) };
        if stays_true(kind) && outbox::is_untried(self, user, kind, &email, detail)? {
            return Ok(());
        }
        if !has_room(self, kind, user)? {
            let line = format!(
                "a notice ({}) to user {user} was not kept: too many wait in the outbox",
                kind.name()
            );
            self.log(log::Level::Warn, line);
            return Ok(());
        }
        let message = self.message_id()?;
        let user = Some(user);
        let mail = NewMail { message: &message, kind, user, email: &email, link: None, detail };
        let now = self.now;
        outbox::insert(self, &mail, now)?;
        self.mailed();
        Ok(())
    }

    /// Tells a user that the account is about to be deleted. The rows of a user are deleted with
    /// the user, so this notice is made to stand alone: its detail says who the user was. It takes
    /// the place of the account's other notices. A notice to a former address that has not been
    /// sent becomes a notice of the deletion as well: a thief of the account must not silence it.
    pub(super) fn tell_of_deletion(&mut self, user: i64) -> Result<(), Fault> {
        let Some(to) = emails::addressee(self, user)? else { return Ok(()) };
        let detail = format!("{} {user} {}", to.language.code(), to.person.name);
        // They would be deleted with the user, and take places until then.
        outbox::delete_notices_of_user(self, user, MailKind::EmailChanged)?;
        self.tell(&Notice { kind: MailKind::AccountDeleted, user, detail: &detail })?;
        let kinds = [MailKind::AccountDeleted, MailKind::EmailChanged];
        outbox::detach_notices(self, user, kinds, &detail)
    }
}

/// Returns whether later events leave a notice true. `SecondFactorOn` can become false.
fn stays_true(kind: MailKind) -> bool {
    !matches!(kind, MailKind::SecondFactorOn | MailKind::SecondFactorOff)
}

/// Whether there is a place for a notice, among all and among those about the account.
fn has_room(transaction: &mut Transaction<'_>, kind: MailKind, user: i64) -> Result<bool, Fault> {
    let former = MailKind::EmailChanged;
    Ok(transaction.has_room(MAX_NOTICES, outbox::count_waiting_notices)?
        && outbox::count_notices_of_user(transaction, user, former, kind == former)?
            < MAX_NOTICES_OF_ONE)
}
