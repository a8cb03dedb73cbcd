//! Where users, sessions and everything else about accounts is kept, and the rules over them: what
//! a change ends, what may be used once, how many there may be. Each method is one transaction,
//! with the audit entry and the mails that go with it.
//!
//! | file | owns |
//! |---|---|
//! | `users` | accounts: logging in with a name or an address, what a change ends, the last admin |
//! | `sessions`, `rotation` | sessions, how their tokens are exchanged, how many are kept |
//! | `seen` | when sessions and app passwords were last used |
//! | `failures`, `consecutive` | wrong passwords in a row |
//! | `known_places` | where a user is known, and what a login from elsewhere leads to |
//! | `second_factors`, `factor_use` | enrolment and recovery codes; using a code up |
//! | `setup` | the first administrator |
//! | `authority` | on whose behalf something is written |
//! | `app_passwords` | secrets of programs that cannot show a login page |
//! | `invitations` | codes that let one person each register |
//! | `tickets` | tokens that can each be used once |
//! | `emails`, `mail_kind`, `notices`, `outbox` | addresses, and mails to be sent |
//! | `queue` | the outbox as administrators see it |
//! | `delivery`, `outcome` | which mail is due, and what it says; what became of it |
//! | `decoy` | the account that stands in for an unknown name |
//! | `entry`, `audit` | who did what |
//! | `operator` | what only the command line asks |
//! | `imported`, `clashes`, `import` | accounts of another program: one of them; what stands in its way; adding them |
//! | `export` | accounts on their way out |
//! | `source`, `foreign` | tables of another program: reading them; cells and names |
//! | `backup` | a copy of a database file in use, and bringing it back |
//! | `copy/` | copying a whole database into another one |
//! | `health` | whether it can be read and written |
//! | `sweep` | what expires |
//! | `figures` | figures for monitoring |
//! | `signal` | what wakes the thread that delivers mail |
//! | `owner` | users of the machine |
//! | `database` | which database, as a value |
//! | `transaction` | what a transaction writes besides rows |
//! | `room` | whether a limit on rows leaves room for another |
//! | `driver` | what a database gives to the store |
//! | `schemas` | the texts that make the tables, deflated |
//! | `rows/` | the statements, and the types of rows |
//! | `sqlite/` | the driver of an SQLite file |
//! | `postgres/` | the driver of a PostgreSQL server |
//! | `testing` | a database across a network, for tests |
//! | `contract/` | the tests that a store on any driver must pass |

mod app_passwords;
mod audit;
mod authority;
#[cfg(feature = "cli")]
mod backup;
#[cfg(any(test, feature = "cli"))]
mod clashes;
mod consecutive;
#[cfg(test)]
mod contract;
#[cfg(any(test, feature = "cli"))]
mod copy;
mod database;
mod decoy;
#[cfg(any(test, feature = "mail"))]
mod delivery;
mod driver;
mod emails;
mod entry;
#[cfg(any(test, feature = "cli"))]
mod export;
mod factor_use;
mod failures;
mod figures;
#[cfg(any(test, feature = "cli", feature = "fuzzing"))]
#[cfg_attr(not(feature = "cli"), allow(dead_code))]
pub(crate) mod foreign;
mod health;
#[cfg(any(test, feature = "cli"))]
mod import;
#[cfg(any(test, feature = "cli"))]
mod imported;
mod invitations;
mod known_places;
mod mail_kind;
mod notices;
#[cfg(any(test, feature = "cli"))]
mod operator;
mod outbox;
#[cfg(any(test, feature = "mail"))]
mod outcome;
mod owner;
#[cfg(feature = "postgres")]
mod postgres;
mod queue;
mod room;
mod rotation;
mod rows;
mod schemas;
mod second_factors;
mod seen;
mod sessions;
mod setup;
mod signal;
#[cfg(feature = "cli")]
pub(crate) mod source;
mod sqlite;
mod sweep;
#[cfg(test)]
mod testing;
mod tickets;
mod transaction;
mod users;

use std::sync::Arc;
#[cfg(any(test, feature = "mail"))]
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use self::driver::{Driver, Watch};
use self::figures::no_events;
use crate::error::{Error, Problem};

pub use authority::{Authority, Proof};
pub use consecutive::{Familiarity, GUARDED};
pub use database::Database;
pub use driver::{Concurrency, Inspection};
pub use entry::{Actor, Entry, Event};
pub use figures::Counts;
pub use health::Health;
pub use invitations::InvitationMail;
pub use outbox::LinkMail;
pub use queue::MailChange;
pub use rotation::RotationPolicy;
pub use rows::app_passwords::{AppPasswordInfo, AppPasswordStanding, NewAppPassword};
pub use rows::audit::{AuditQuery, AuditRecord};
pub use rows::invitations::{Invitation, NewInvitation};
pub use rows::new_users::NewUser;
pub use rows::outbox::MailState;
pub use rows::queue::QueuedMail;
pub use rows::search::{UserOrder, UserPlace, UserQuery};
pub use rows::second_factors::SecondFactor;
pub use rows::sessions::{ClientInfo, NewSession, Session};
pub use rows::standing::{SessionDetails, Standing};
pub use rows::tickets::Confirmation;
pub use rows::users::{Account, Credentials, Person, UserState};
pub use second_factors::Enrolment;
pub use seen::{Sighting, Used};
pub use sessions::{RefreshOutcome, RefreshRequest, SessionScope};
pub use signal::Signal;
pub use tickets::{PasswordReset, Ticket};
pub use users::Change;

#[cfg(test)]
pub(crate) use testing::Network;

#[cfg(feature = "mail")]
pub(crate) use mail_kind::NO_EMAIL;
#[cfg(feature = "cli")]
pub use {
    backup::Rows,
    clashes::Clash,
    copy::{CopiedTable, CopyProgress},
    import::{Imported, must_be_counter},
    imported::{ExportedUser, ImportPages, ImportedFactor, ImportedUser, MAX_ID},
    sqlite::staging::{Double, Same, Staging},
};
#[cfg(feature = "mail")]
pub use {
    delivery::{OutgoingMail, Topic},
    rows::delivery::{DeliveryFailure, Link},
};

/// A database that is open. What a method acknowledged is not lost, whatever happens to the process
/// or the machine afterwards. Every method may answer [`Error::Unavailable`].
#[derive(Debug)]
pub struct Store {
    driver: Box<dyn Driver>,
    outbox_signal: Arc<Signal>,
    /// The outcome of the last delivery of a mail, if it could not be written.
    #[cfg(any(test, feature = "mail"))]
    held_outcome: Mutex<Option<outcome::Outcome>>,
    last_probe: health::LastProbe,
    /// How often each [`Event`] has happened in this process.
    events: [AtomicU64; Event::ALL.len()],
}

impl Store {
    /// Opens the database, or makes it. `readers` threads can read without waiting for one another.
    /// What is not ours, newer than this program, or damaged as far as that shows at once, is
    /// refused, and not touched.
    pub fn open(database: &Database, readers: usize) -> Result<Store, Problem> {
        let outbox_signal = Arc::new(Signal::default());
        let driver: Box<dyn Driver> = match database {
            Database::File(path) => Box::new(sqlite::Sqlite::open(path, readers)?),
            #[cfg(feature = "postgres")]
            Database::Postgres(target) => {
                Box::new(postgres::Postgres::open(target, &outbox_signal)?)
            }
        };
        Ok(Store::with(driver, outbox_signal))
    }

    fn with(driver: Box<dyn Driver>, outbox_signal: Arc<Signal>) -> Store {
        Store {
            driver,
            outbox_signal,
            #[cfg(any(test, feature = "mail"))]
            held_outcome: Mutex::default(),
            last_probe: health::LastProbe::default(),
            events: no_events(),
        }
    }

    #[cfg(test)]
    fn over(driver: Box<dyn Driver>) -> Store {
        Store::with(driver, Arc::default())
    }

    /// Checks the database if its last end was not clean, beside the work, until `watch` says to
    /// stop. A damaged one is read and no longer written.
    pub(crate) fn check_beside(&self, watch: Watch) {
        self.driver.check(watch);
    }

    /// Looks whether what is open is still what its name says; a log line says if not. False if there
    /// is nothing to look at.
    pub(crate) fn watch(&self) -> bool {
        self.driver.watch()
    }

    /// How many threads can usefully wait for the database at the same time.
    pub fn concurrency(&self) -> Concurrency {
        self.driver.concurrency()
    }

    /// Says that this thread is one of many that mostly wait for writes, so that they share what they
    /// read with.
    pub fn share_reader(&self) {
        self.driver.share_reader();
    }

    /// Whether this is the one process, of all that have the database open, that delivers mails and
    /// deletes what has expired.
    pub fn leads(&self) -> bool {
        self.driver.leads()
    }

    /// Lets the connections that read map this many bytes of a database file into memory, while
    /// nobody writes. Without this call they map nothing.
    pub fn allow_mapping(&self, bytes: u64) {
        self.driver.allow_mapping(bytes);
    }

    /// Called a few times a second while requests may come (`busy`), and once when none may any
    /// more.
    pub fn upkeep(&self, busy: bool) {
        self.driver.upkeep(busy);
    }

    /// Puts everything in its final place; called when the server ends.
    pub fn settle(&self) -> Result<(), Error> {
        Ok(self.driver.settle()?)
    }
}
