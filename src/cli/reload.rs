//! SIGHUP: all settings are read again, from the same arguments, the env file, and the files that they
//! name. What is faulty changes nothing. The log says what has changed, and what waits for a restart.

use std::io::{self, IsTerminal as _, Read as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use signal_hook::consts::SIGHUP;

use super::check::{Row, setting_rows};
use super::environment::OfStart;
use super::logging::LogLevel;
use super::serve_flags::ServeFlags;
use crate::access::AccessRules;
use crate::app::{App, Current};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::Problem;
use crate::guard::key_id;
use crate::net::{Stop, Stopper};
use crate::notify::notify;
use crate::site::Site;
use crate::store::Database;

/// The settings that cannot change without a restart, by their rows in `lictor check`.
const FIXED: [&str; 14] = [
    "listen",
    "metrics",
    "drain delay",
    "database",
    "database map",
    "web",
    "throttle",
    "workers",
    "hash threads",
    "hash kernel",
    "hash memory",
    "hash passes",
    "max connections",
    "max per address",
];

/// The most access rules that are logged as added, or as removed.
const MAX_LOGGED: usize = 20;

/// The thread that waits for SIGHUP; dropping the value ends it.
pub(super) struct Reloads {
    hangups: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl Reloads {
    /// From now on SIGHUP reloads the settings of the site's app.
    /// The service manager may have `handed` the port over: then no flag says what it is.
    pub(super) fn start(
        site: &Site,
        log: LogLevel,
        handed: bool,
        stop: &Stop,
    ) -> Result<Reloads, Problem> {
        let of_start = OfStart::read()?;
        let start = || -> io::Result<Reloads> {
            let (receiver, sender) = UnixStream::pair()?;
            let hangups = receiver.try_clone()?;
            signal_hook::low_level::pipe::register(SIGHUP, sender)?;
            let mut server = Server {
                current: Arc::clone(site.current()),
                log,
                handed,
                rows: rows(&site.app().config, log),
                stopper: stop.stopper()?,
                on_terminal: io::stdin().is_terminal(),
            };
            let thread = thread::Builder::new()
                .name("lictor-reload".into())
                .spawn(move || server.wait_for(receiver, &of_start))?;
            Ok(Reloads { hangups, thread: Some(thread) })
        };
        start().map_err(|error| {
            Problem::new(format!("cannot catch SIGHUP: {error}"), "raise the limit on open files")
                .with_source(error)
        })
    }
}

impl Drop for Reloads {
    fn drop(&mut self) {
        // The thread holds the app, and with it the database.
        let _ = self.hangups.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The server that is reloaded.
struct Server {
    current: Arc<Current>,
    log: LogLevel,
    handed: bool,
    /// The settings in use.
    rows: Vec<Row>,
    stopper: Stopper,
    /// Whether it was started on a terminal, which may be closed.
    on_terminal: bool,
}

impl Server {
    fn wait_for(&mut self, mut hangups: UnixStream, of_start: &OfStart) {
        while came(&mut hangups) {
            if self.on_terminal && !io::stdin().is_terminal() {
                log::info!("the terminal was closed; the server stops");
                return self.stopper.stop();
            }
            notify("RELOADING=1");
            notify(match of_start.with_file(|| self.reload()) {
                Ok(()) => "READY=1\nSTATUS=",
                Err(Problem { what, next, .. }) => {
                    log::error!("not reloaded, all settings stay as they are: {what}; {next}");
                    "READY=1\nSTATUS=the last reload was refused; see the log"
                }
            });
        }
    }

    /// Reads all settings, and takes those that can change.
    fn reload(&mut self) -> Result<(), Problem> {
        let args = super::parse_again()?;
        let mut flags = ServeFlags::of(&args);
        let old = self.current.keep();
        if self.handed {
            flags.listen_on(old.config.listen);
        }
        // The default key file is that of the database in use.
        let source = flags.key_source_of(&old.config.database, Timestamp::now())?;
        // A reload makes no key.
        let keys = source.find()?.ok_or_else(|| source.missing_file())?;
        let mut config = flags.config(keys)?;
        let log = flags.log();
        let rows = rows(&config, log);
        let database = is_same_database(&old.config.database, &config.database);
        // These wait for a restart.
        config.listen = old.config.listen;
        config.database.clone_from(&old.config.database);
        let new = old.with(config)?;
        // Nothing fails from here on. What is logged has the level that shows more.
        log.max(self.log).set();
        let same = Same {
            mail: is_same_mail(&old, &new),
            database,
            rules: old.config.access == new.config.access,
            brand: old.config.brand == new.config.brand,
        };
        report_rules(&old.config, &new.config);
        self.current.replace(new);
        self.report(rows, &same);
        self.log = log;
        self.log.set();
        Ok(())
    }

    /// Logs what has changed, and what cannot change without a restart.
    fn report(&mut self, rows: Vec<Row>, unseen: &Same) {
        let mut same = unseen.mail && unseen.database && unseen.rules && unseen.brand;
        for ((name, was), (_, is)) in self.rows.iter_mut().zip(rows) {
            if *was == is {
                continue;
            }
            same = false;
            if FIXED.contains(name) {
                log::warn!("not reloaded: {name} is {was} until a restart, then {is}");
            } else {
                log::info!("reloaded: {name} {is} (was {was})");
                *was = is;
            }
        }
        if !unseen.mail {
            log::info!("reloaded: the password of the mail server, or the words of mails");
        }
        if !unseen.database {
            log::warn!(
                "not reloaded: the password of the database, or another part of how to reach it, is \
                 the former one until a restart"
            );
        }
        if !unseen.brand {
            log::info!("reloaded: the files of the brand");
        }
        if same {
            log::info!("reloaded: no setting has changed");
        }
    }
}

/// What no row shows: whether it has not changed.
struct Same {
    mail: bool,
    database: bool,
    rules: bool,
    brand: bool,
}

/// Logs which access rules have changed.
fn report_rules(old: &Config, new: &Config) {
    let texts = |config: &Config| -> Vec<String> {
        config.access.iter().flat_map(AccessRules::texts).map(str::to_owned).collect()
    };
    let (old, new) = (texts(old), texts(new));
    for (what, these, those) in [("added", &new, &old), ("removed", &old, &new)] {
        for text in these.iter().filter(|text| !those.contains(text)).take(MAX_LOGGED) {
            log::info!("reloaded: access rule {what}: {text}");
        }
    }
}

/// Waits for SIGHUP; false at the end. Signals that come during a reload are one more reload.
fn came(hangups: &mut UnixStream) -> bool {
    loop {
        match hangups.read(&mut [0; 64]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => return matches!(read, Ok(1..)),
        }
    }
}

/// Whether what no row shows of mail is the same: the password, and the words of the templates.
fn is_same_mail(old: &App, new: &App) -> bool {
    match (&old.mailer, &new.mailer) {
        (Some(old), Some(new)) => new.is_like(old),
        _ => true,
    }
}

/// Whether what no row shows of the database is the same: the password, TLS, the number of connections.
/// Another database has its row.
fn is_same_database(old: &Database, new: &Database) -> bool {
    old == new || old.to_string() != new.to_string()
}

/// The settings in words, without secrets.
fn rows(config: &Config, log: LogLevel) -> Vec<Row> {
    let mut rows = setting_rows(config);
    rows.extend([("keys", describe_keys(config)), ("log", log.name().to_owned())]);
    rows
}

/// The names of the keys, and which of them signs.
fn describe_keys(config: &Config) -> String {
    let keys = &config.keys;
    let current = keys.current(config.algorithm);
    let mut text = String::new();
    for key in keys.iter() {
        text += &key_id(key).unwrap_or_else(|error| error.to_string());
        text += if current == Some(key) { " signs, " } else { " verifies, " };
    }
    if keys.short().is_some() {
        text += "the short SECRET_KEY verifies, ";
    }
    text.truncate(text.len().saturating_sub(2));
    text
}
