//! The whole server: a site on a port, with the engine and the background threads, until a signal
//! ends it; and what it tells the service manager.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::background::Background;
use crate::error::Problem;
use crate::metrics;
use crate::net::{self, Listeners, Stop};
use crate::notify::{notify, watchdog};
use crate::site::Site;

/// A server that has its port, but does not answer yet.
#[derive(Debug)]
pub struct Server {
    site: Site,
    listeners: Listeners,
    /// The port of the metrics, if there is one.
    metrics: Option<Listeners>,
}

impl Server {
    /// Takes the port that the site's configuration names ([`Config::listen`](crate::Config)). From
    /// now on clients can connect; [`Server::run`] answers them.
    ///
    /// # Errors
    ///
    /// If the port is taken, needs more rights, or the address is not one of this machine.
    pub fn bind(site: Site) -> Result<Server, Problem> {
        let listen = site.app().config.listen;
        let listeners = net::listen(listen).map_err(|error| cannot_listen(listen, error))?;
        Server::on(site, listeners)
    }

    /// Takes listeners that are there already, such as those that a service manager hands over
    /// ([`Listeners::handed_over`]).
    ///
    /// # Errors
    ///
    /// If the port of the metrics cannot be had.
    pub fn on(mut site: Site, listeners: Listeners) -> Result<Server, Problem> {
        let metrics = site.app().config.metrics.map(metrics::bind).transpose()?;
        if metrics.is_some() {
            site.keep_figures();
        }
        Ok(Server { site, listeners, metrics })
    }

    /// Returns the address on which it listens; the port is the real one if the configuration says
    /// 0.
    pub fn address(&self) -> SocketAddr {
        self.listeners.local_addr().unwrap_or(self.site.app().config.listen)
    }

    /// Returns the address of the metrics, if they are served.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// The site that it serves.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Answers until `stop` is asked for; then finishes the answers under way, ends the background
    /// threads, and writes everything in the database to its final place.
    ///
    /// [`stop_on_signals`] makes a stop for SIGTERM and SIGINT. Without a signal, another thread
    /// asks for it:
    ///
    /// ```no_run
    /// # fn serve(server: lictor::Server) -> Result<(), Box<dyn std::error::Error>> {
    /// let stop = lictor::net::Stop::new()?;
    /// let stopper = stop.stopper()?;
    /// let serving = std::thread::spawn(move || server.run(&stop));
    /// stopper.stop();
    /// serving.join().map_err(|_| "the server panicked")??;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If a [`Background`](crate::Background) of the same [`App`](crate::App) runs already; if the
    /// system gives no thread; if the engine fails.
    pub fn run(self, stop: &Stop) -> Result<(), Problem> {
        let site = &self.site;
        // Without the app itself: a reload puts another one in its place.
        let mut settings = site.app().config.engine;
        let background = Background::beside_engine(Arc::clone(site.current()))?;
        settings.watchdog = settings.watchdog.or_else(watchdog);
        notify("READY=1");
        let served = std::thread::scope(|scope| {
            // The metrics last until everything is answered.
            let port = self.metrics.map(|listener| metrics::start(scope, listener, site));
            let _end = port.transpose()?;
            net::serve(self.listeners, site, &settings, stop)
        });
        // Whatever ended the engine, the database is put in order.
        drop(background);
        served.map_err(|error| {
            Problem::new(format!("the server cannot go on: {error}"), "see the log lines before")
                .with_source(error)
        })
    }
}

/// Returns a stop that SIGTERM and SIGINT ask for. From now on these signals end the process no
/// more, in no part of the program: they ask for the stop, also after [`Server::run`] has returned.
/// A program that handles signals itself makes its own [`Stop`] with [`Stop::new`].
///
/// # Errors
///
/// If the limit on open files is reached.
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
            .with_source(error)
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
