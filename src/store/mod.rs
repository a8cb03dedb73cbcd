//! What the program asks of a store, in its own words. No SQL here.
//!
//! | file | what is kept |
//! |---|---|
//! | `users` | accounts, their passwords and roles |
//! | `sessions` | logins and their tokens |
//! | `failures` | wrong passwords in a row |
//! | `second_factors` | codes of authenticator apps, recovery codes |
//! | `invitations` | codes that let one person each register |
//! | `tickets` | tokens that can each be used once |
//! | `outbox` | mails that are to be sent |
//! | `audit` | who did what |
//! | `authority` | on whose behalf something is written |

mod audit;
mod authority;
mod consecutive;
mod database;
mod failures;
mod invitations;
mod outbox;
mod rotation;
mod second_factors;
mod sessions;
mod sqlite;
mod tickets;
mod users;

use crate::clock::Timestamp;
use crate::error::Error;

pub use audit::{Actor, Audit, AuditQuery, AuditRecord, Entry, Event};
pub use authority::Authority;
pub use consecutive::{Familiarity, GUARDED};
pub use database::Database;
pub use failures::Failures;
pub use invitations::{Invitation, Invitations, NewInvitation};
pub use outbox::{
    DeliveryFailure, Link, LinkMail, MailKind, Outbox, OutgoingMail, QueuedMail, Topic,
};
pub use rotation::{Decision, LastRefresh, RotationPolicy};
pub use second_factors::{Enrolment, SecondFactor, SecondFactors};
pub use sessions::{
    ClientInfo, NewSession, Proof, RefreshOutcome, RefreshRequest, Session, SessionScope, Sessions,
    Standing,
};
pub use sqlite::{Inspection, Sqlite};
pub use tickets::{Confirmation, PasswordReset, Ticket, Tickets};
pub use users::{Account, Change, Credentials, NewUser, Person, UserQuery, Users};

/// Where everything is kept. What a method acknowledged is not lost, whatever happens to the
/// process or the machine afterwards. Every method may answer [`Error::Unavailable`].
pub trait Store:
    Users + Sessions + Failures + SecondFactors + Invitations + Tickets + Outbox + Audit + Send + Sync
{
    /// Whether reading works.
    fn ping(&self) -> Result<(), Error>;

    /// Called a few times a second while requests may come (`busy`), and once when none may any
    /// more.
    fn upkeep(&self, busy: bool);

    /// Throws away what has expired, and audit entries from before `audit_since`; a little at a
    /// time, so that nobody waits for it. Says how much it was.
    fn sweep(&self, audit_since: Timestamp, now: Timestamp) -> Result<usize, Error>;

    /// Puts everything in its final place; called when the server ends.
    fn settle(&self) -> Result<(), Error>;
}
