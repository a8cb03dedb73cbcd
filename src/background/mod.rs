//! The threads that work without a request: they check the database, delete expired rows, send mail,
//! and keep the database quick to read.
//!
//! | file | owns |
//! |---|---|
//! | `check` | checks the database after an unclean end |
//! | `sweep` | deletes expired rows |
//! | `seen` | writes when sessions and app passwords were last used |
//! | `delivery` | sends the mails in the outbox |
//! | `watch` | looks whether the database is still the file that was opened |
//! | `upkeep` | tells the store whether requests come, for servers other than ours |

mod check;
#[cfg(feature = "mail")]
mod delivery;
mod seen;
mod sweep;
mod upkeep;
mod watch;

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread::{self, JoinHandle};

use crate::app::{App, Current};
use crate::error::Problem;

/// What a server does beside its answers: checks the database after an unclean end, deletes expired
/// rows, sends mail, looks after the database. [`Server`](crate::Server) starts it itself; a program
/// with a server of its own calls [`Background::start`] once, and keeps the value as long as it
/// serves.
///
/// Dropping it ends the threads: a mail under way is abandoned, stays in the outbox, and is sent
/// after the next start. Then everything in the database's log is written to its final place.
///
/// ```
/// use std::sync::Arc;
/// use lictor::{App, Background, Config, Secret};
/// # let dir = std::env::temp_dir().join(format!("lictor-doc-background-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let file = dir.join("app.db");
/// let secret = Secret::new("correct horse battery staple, and more")?;
/// let app = Arc::new(App::open(Config::new(&file, secret))?);
/// let background = Background::start(Arc::clone(&app))?;
/// // Here the program serves.
/// drop(background);
/// # drop(app);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "dropping it ends the threads"]
pub struct Background {
    app: Arc<Current>,
    /// Dropping a sender ends its thread.
    running: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts the threads. When they have ended, others may be started for the same [`App`].
    ///
    /// `let _ = Background::start(app)?` ends them at once: bind the value to a name that lives as
    /// long as the program serves, such as `_background`.
    ///
    /// # Errors
    ///
    /// If background threads of this [`App`] run already, those of a [`Server`](crate::Server)
    /// included; or if the system gives no thread.
    pub fn start(app: Arc<App>) -> Result<Background, Problem> {
        let mut background = Background::beside_engine(Current::new(app))?;
        background.spawn("lictor-upkeep", upkeep::run).map_err(no_thread)?;
        Ok(background)
    }

    /// Starts the threads but for the upkeep, which the engine calls itself.
    pub(crate) fn beside_engine(app: Arc<Current>) -> Result<Background, Problem> {
        if !app.get().claim_background() {
            return Err(Problem::new(
                "the background threads of this App run already",
                "keep the first Background; Server::run starts its own",
            ));
        }
        // Before the first request: what is open now is what counts.
        app.get().store.watch();
        // From here on dropping the value gives the claim back.
        #[cfg(feature = "mail")]
        delivery::begin(&app.get());
        let mut background = Background { app, running: Vec::new(), threads: Vec::new() };
        background.spawn("lictor-check", check::run).map_err(no_thread)?;
        background.spawn("lictor-sweep", sweep::run).map_err(no_thread)?;
        background.spawn("lictor-seen", seen::run).map_err(no_thread)?;
        background.spawn("lictor-watch", watch::run).map_err(no_thread)?;
        #[cfg(feature = "mail")]
        background.spawn("lictor-outbox", |app, _| delivery::run(app)).map_err(no_thread)?;
        Ok(background)
    }

    fn spawn(&mut self, name: &str, run: fn(&Current, Receiver<()>)) -> io::Result<()> {
        let app = Arc::clone(&self.app);
        let (running, ended) = mpsc::channel();
        let thread = thread::Builder::new().name(name.into()).spawn(move || run(&app, ended))?;
        self.running.push(running);
        self.threads.push(thread);
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.running.clear();
        #[cfg(feature = "mail")]
        delivery::end(&self.app.get());
        for thread in self.threads.drain(..) {
            // A panic is in the log already.
            let _ = thread.join();
        }
        if let Err(error) = self.app.get().store.settle() {
            log::warn!("the write-ahead log stays for the next start: {error}");
        }
        self.app.get().release_background();
    }
}

fn no_thread(error: io::Error) -> Problem {
    Problem::new(format!("cannot start a thread: {error}"), "raise the limit on processes")
        .with_source(error)
}
