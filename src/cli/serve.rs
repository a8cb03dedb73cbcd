//! `lictor serve`: starts the server and says where it listens.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::args::Args;
use super::check::listen_row;
use super::database::{Chosen, made};
use super::first_admin;
use super::hash_timing::memory_warning;
use super::key_source::KeySource;
use super::logging;
use super::machine;
use super::password_flags;
use super::reload::Reloads;
use super::serve_flags::ServeFlags;
use crate::activation;
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::{Config, Registration, Web};
use crate::error::Problem;
use crate::link::PageUrl;
use crate::net::Listeners;
use crate::server::{Server, stop_on_signals};
use crate::site::Site;
use crate::store::{Database, Inspection, Store};

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let mut flags = ServeFlags::of(args);
    let handed = take_listeners(&mut flags)?;
    let chosen = flags.database.choose()?;
    let Chosen { database, origin } = chosen;
    let now = Timestamp::now();
    let source = flags.key_source(now)?;
    // All settings are checked before a key is made: a wrong one leaves no file behind.
    flags.assets(&source)?;
    password_flags::check(args)?;
    let found = Store::inspect(database)?;
    let config = configure(&flags, &source, found, handed.is_some(), now)?;
    warn(&flags, &source, &config)?;
    let site = Site::new(App::open(config)?)?;
    let is_handed = handed.is_some();
    let stop = stop_on_signals()?;
    let server = match handed {
        Some(listeners) => Server::on(site, listeners),
        None => Server::bind(site),
    }?;
    let app = server.site().app();
    let config = &app.config;
    log_database(&app, (database, origin), found);
    if flags.listen()?.from_port {
        log::info!("listens on all addresses because PORT is set; --listen narrows that");
    }
    if let Some(address) = server.metrics_address() {
        log::info!("metrics: http://{address}/metrics");
    }
    let _reloads = Reloads::start(server.site(), flags.log(), is_handed, &stop)?;
    first_admin::announce(&app, &announce(server.address(), config)?, chosen);
    // A reload puts another app in its place; its secrets must not stay.
    drop(app);
    server.run(&stop)
}

/// Logs which database it is, whether it was made, and what computes the password hashes.
fn log_database(app: &App, (database, origin): (&Database, &str), found: Inspection) {
    log::info!("database: {database} ({origin})");
    log::info!("password hashes are computed by {}", app.hasher.kernel());
    if found == Inspection::Absent {
        log::info!("{}", made(&app.config.database));
    }
}

/// Logs what is unwise about the settings.
fn warn(flags: &ServeFlags<'_>, source: &KeySource, config: &Config) -> Result<(), Problem> {
    for warning in flags.warnings(source, config)? {
        log::warn!("{warning}");
    }
    // `check` in a shell does not see the limit of the service.
    let threads = config.engine.slow_workers;
    if let Some(warning) = memory_warning(config.hash_cost()?, threads, machine::memory_kib()) {
        log::warn!("{warning}");
    }
    Ok(())
}

/// Takes the sockets that the service manager hands over; says whether they are those of the flags.
fn take_listeners(flags: &mut ServeFlags<'_>) -> Result<Option<Listeners>, Problem> {
    let typed = flags.listen()?.address;
    let Some(listeners) = activation::listeners()? else { return Ok(None) };
    let addresses = listeners.addresses();
    log::info!("the service manager has handed over {addresses:?}");
    if !addresses.contains(&typed) {
        log::warn!("{typed} is not listened on: the socket unit says where");
    }
    if let Some(&first) = addresses.first() {
        flags.listen_on(first);
    }
    Ok(Some(listeners))
}

/// The checked configuration, with its keys. Makes a key if there is none.
fn configure(
    flags: &ServeFlags<'_>,
    source: &KeySource,
    found: Inspection,
    has_port: bool,
    now: Timestamp,
) -> Result<Config, Problem> {
    if !flags.has_new_key()
        && let Some(lost) = source.lost()?
    {
        return Err(lost);
    }
    let keys = source.preview(now)?;
    let mut config = flags.config(keys.keys)?;
    if found == Inspection::Absent && !has_port {
        listen_row(config.listen)?;
    }
    if !keys.complete {
        config.keys = source.create(now)?;
    } else if flags.has_new_key() {
        log::warn!("--new-key has no effect, because there is a key; remove it");
    }
    Ok(config)
}

/// Prints where the server listens, and how to try it; or logs it, if all lines are JSON. Returns the
/// URL at which this machine reaches it.
fn announce(address: SocketAddr, config: &Config) -> Result<PageUrl, Problem> {
    let mut local = address;
    if address.ip().is_unspecified() {
        local.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let open = PageUrl::parse(&format!("http://{local}/"));
    let mut text = format!("lictor {} listens on http://{address}/api/", env!("CARGO_PKG_VERSION"));
    if logging::is_json() {
        log::info!("{text}");
        return open;
    }
    if config.web != Web::Off {
        text += &format!("\nopen http://{local}/");
    }
    if config.registration == Registration::Open {
        text += &format!(
            "\ntry it: curl http://{local}/api/registration \
             -d '{{\"username\":\"ada\",\"password\":\"correct horse\"}}'"
        );
    }
    // The server runs even if standard output is closed.
    let _ = writeln!(io::stdout(), "{text}");
    open
}
