//! `lictor serve`: starts the server and says where it listens.

use std::io::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use super::database::{Chosen, made};
use super::hash_timing::memory_warning;
use super::machine;
use super::serve_flags::ServeFlags;
use crate::app::App;
use crate::clock::Timestamp;
use crate::config::{Config, Registration, Web};
use crate::error::Problem;
use crate::server::{Server, stop_on_signals};
use crate::site::Site;
use crate::store::{Inspection, Store};

pub(super) fn run(flags: &ServeFlags) -> Result<(), Problem> {
    let Chosen { database, origin } = flags.database.choose()?;
    let now = Timestamp::now();
    let listen = flags.listen()?;
    let source = flags.key_source(now)?;
    // The pages, the password list and the database are checked before a key is made: a wrong path
    // leaves no file behind.
    flags.assets(&source)?;
    flags.policy.password.check()?;
    let found = Store::inspect(database)?;
    let config = flags.config(source.find_or_create(now)?)?;
    for warning in flags.warnings(&source, &config)? {
        log::warn!("{warning}");
    }
    // `check` in a shell does not see the limit of the service.
    let threads = config.engine.slow_workers;
    if let Some(warning) = memory_warning(config.hash_cost()?, threads, machine::memory_kib()) {
        log::warn!("{warning}");
    }
    let site = Site::new(App::open(config)?)?;
    let stop = stop_on_signals()?;
    let server = Server::bind(site)?;
    let app = server.site().app();
    let config = &app.config;
    log::info!("database: {database} ({origin})");
    log::info!("password hashes are computed by {}", app.hasher.kernel());
    if found == Inspection::Absent {
        log::info!("{}", made(&config.database));
    }
    if listen.from_port {
        log::info!("listens on all addresses because PORT is set; --listen narrows that");
    }
    announce(server.address(), config);
    server.run(&stop)
}

/// Prints where the server listens, and how to try it.
fn announce(address: SocketAddr, config: &Config) {
    let mut local = address;
    if address.ip().is_unspecified() {
        local.set_ip(match address {
            SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    let mut text = format!("lictor {} listens on http://{address}/api/", env!("CARGO_PKG_VERSION"));
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
}
