//! Wires it all: application, port, signals, service manager.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::app::App;
use crate::background::sweep;
use crate::config::Config;
use crate::error::Problem;
use crate::net::{self, Stop};
use crate::notify::notify;

/// A server that has its port, but does not answer yet.
#[derive(Debug)]
pub struct Server {
    app: App,
    config: Config,
    listener: TcpListener,
}

impl Server {
    /// Takes the port. From now on clients can connect; they are answered once it runs.
    pub fn bind(app: App, config: &Config) -> Result<Server, Problem> {
        let listener = net::listen(config.listen).map_err(|e| cannot_listen(config.listen, e))?;
        let mut config = config.clone();
        if !config.throttle {
            // Load tests come from one address.
            config.engine.slow_per_address = config.engine.slow_queue;
        }
        Ok(Server { app, config, listener })
    }

    /// Where it listens; the port is the real one, if 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap_or(self.config.listen)
    }

    /// Answers until `stop` is asked for, finishes what is under way, and puts the database in
    /// order.
    pub fn run(self, stop: &Stop) -> Result<(), Problem> {
        let broken = |error: io::Error| {
            Problem::new(format!("the server cannot go on: {error}"), "see the log lines before")
        };
        notify("READY=1");
        let served = std::thread::scope(|scope| {
            // Ends the sweeper when it is dropped.
            let (_over, ended) = mpsc::channel();
            scope.spawn(|| sweep::run(&self.app, ended));
            scope.spawn(|| self.app.deliver_mail());
            let served = net::serve(self.listener, &self.app, &self.config.engine, stop);
            self.app.end_mail();
            served
        });
        notify("STOPPING=1");
        // Whatever ended it, the database is put in order.
        if let Err(error) = self.app.settle() {
            log::warn!("the write-ahead log stays for the next start: {error}");
        }
        served.map_err(broken)
    }
}

/// A stop that SIGTERM and SIGINT ask for.
pub fn stop_on_signals() -> Result<Stop, Problem> {
    let register = || -> io::Result<Stop> {
        let stop = Stop::new()?;
        for signal in [SIGTERM, SIGINT] {
            signal_hook::low_level::pipe::register(signal, stop.stopper()?.into_socket())?;
        }
        Ok(stop)
    };
    register().map_err(|error| {
        Problem::new(format!("cannot catch signals: {error}"), "raise the limit on open files")
    })
}

pub(crate) fn cannot_listen(address: SocketAddr, error: io::Error) -> Problem {
    let next = match error.kind() {
        ErrorKind::AddrInUse => {
            "end the program that has the port, or choose another with the setting `listen`"
        }
        ErrorKind::PermissionDenied => {
            "ports below 1024 are for root; choose another with the setting `listen`"
        }
        _ => "give an address of this machine with the setting `listen`",
    };
    Problem::new(format!("cannot listen on {address}: {error}"), next).with_source(error)
}
