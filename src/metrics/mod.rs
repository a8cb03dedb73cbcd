//! Metrics for Prometheus on a port of their own, which the engine serves like the other one: with
//! its limits, deadlines and evictions, so that a client of this port is as little trouble.
//!
//! | file | owns |
//! |---|---|
//! | here | the port, and how often figures are collected |
//! | `families` | which metrics there are |
//! | `process` | figures of the process |
//! | `text` | the format |

mod families;
mod process;
mod text;

use std::io;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use crate::clock::Timestamp;
use crate::error::Problem;
use crate::http::{Answer, Request, Response, Service};
use crate::net::{self, Listeners, Settings, Stop, Stopper};
use crate::site::Site;
use crate::store::Counts;

/// A page is given out again for this long, however often clients ask.
const PAGE_KEPT: Duration = Duration::from_secs(1);
/// What is counted in the database is counted once in this time: it can take a tenth of a second.
const COUNTS_KEPT: Duration = Duration::from_secs(60);
/// The connections of the port.
const CONNECTIONS: usize = 64;
/// How long its clients can put off the end of the server.
const DRAIN: Duration = Duration::from_secs(1);
/// The nice value of its threads, so that answers come first.
const NICE: i32 = 10;

/// Opens the port.
pub(crate) fn bind(address: SocketAddr) -> Result<Listeners, Problem> {
    net::listen(address).map_err(|error| {
        Problem::new(
            format!("cannot listen for metrics on {address}: {error}"),
            "give a free port of this machine with the setting `metrics`",
        )
        .with_source(error)
    })
}

/// Starts a thread that serves the metrics of a site until the result is dropped.
pub(crate) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    listeners: Listeners,
    site: &'scope Site,
) -> io::Result<EndOnDrop> {
    let stop = Stop::new()?;
    let end = EndOnDrop(stop.stopper()?);
    let serve = move || serve(listeners, site, &stop);
    thread::Builder::new().name("metrics".into()).spawn_scoped(scope, serve)?;
    Ok(end)
}

fn serve(listeners: Listeners, site: &Site, stop: &Stop) {
    net::lower_priority(NICE);
    let mut settings = Settings::default();
    (settings.workers, settings.slow_workers) = (1, 1);
    // No shares: the monitor may have the IP address of a bad client, and the engine closes the
    // connection that has waited longest to make room for a new one.
    (settings.max_connections, settings.max_per_ip) = (CONNECTIONS, u32::MAX);
    (settings.drain_time, settings.quiet) = (DRAIN, true);
    if let Err(error) = net::serve(listeners, &Metrics::of(site), &settings, stop) {
        log::error!("there are no metrics any more: {error}");
    }
}

/// The service on the port.
struct Metrics<'a> {
    site: &'a Site,
    /// When the process started.
    started: String,
    made: Mutex<Made>,
}

/// What was made for earlier requests, and when.
#[derive(Default)]
struct Made {
    page: Option<(Instant, Vec<u8>)>,
    /// `None` if the database did not answer.
    counts: Option<(Instant, Option<Counts>)>,
}

impl Metrics<'_> {
    fn of(site: &Site) -> Metrics<'_> {
        Metrics { site, started: process::now(), made: Mutex::default() }
    }

    fn page(&self) -> Vec<u8> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(page) = fresh(&made.page, PAGE_KEPT) {
            return page.clone();
        }
        let counts = match fresh(&made.counts, COUNTS_KEPT) {
            Some(counts @ Some(_)) => *counts,
            // A database that is down is asked again with each page.
            _ => self.count(),
        };
        let page = families::page(self.site, counts, &self.started);
        let now = Instant::now();
        if fresh(&made.counts, COUNTS_KEPT).is_none_or(Option::is_none) {
            made.counts = Some((now, counts));
        }
        made.page = Some((now, page.clone()));
        page
    }

    fn count(&self) -> Option<Counts> {
        let counts = self.site.app().store.counts();
        counts.inspect_err(|error| log::debug!("metrics without counts: {error}")).ok()
    }
}

fn fresh<T>(made: &Option<(Instant, T)>, kept: Duration) -> Option<&T> {
    made.as_ref().filter(|(at, _)| at.elapsed() < kept).map(|(_, made)| made)
}

impl Service for Metrics<'_> {
    fn answer(&self, request: &Request<'_>, _: Timestamp) -> Answer {
        Answer::Ready(match (request.path, request.method) {
            ("/metrics", "GET" | "HEAD") => {
                Response::fixed(200, "text/plain; version=0.0.4; charset=utf-8", self.page())
            }
            ("/metrics", _) => Response::error(405, "MethodNotAllowed", "Allowed: GET, HEAD")
                .with("Allow", "GET, HEAD"),
            _ => Response::error(404, "NotFound", "The metrics are at /metrics"),
        })
    }
}

/// The end of the port, when the value is dropped: also if the server panics.
pub(crate) struct EndOnDrop(Stopper);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.stop();
    }
}
