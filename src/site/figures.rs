//! What is counted and logged of every answer: its route, its status, its time, and how long it
//! waited for which pool. Nothing is measured unless metrics are asked for, or each request is logged.

use std::fmt::{self, Display};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::Site;
use super::pools::NAMES;
use crate::http::{Answer, Overload, Queued, Request, Response};
use crate::route::Route;
use crate::stats::{Gauges, Histogram, Requests, RowFigures};

/// Requests without a route: pages, preflights, paths that do not exist.
const OTHER: &str = "other";
/// Requests that the engine refused before it asked for an answer.
const REFUSED: &str = "refused";

/// The figures of a site, which the metrics show.
#[derive(Debug)]
pub(crate) struct Figures {
    /// A row for each route, then those of [`OTHER`] and [`REFUSED`].
    requests: Requests,
    /// How long requests waited for each pool.
    pub(crate) waits: [Histogram; NAMES.len()],
    /// Requests that got no place in the queue of each pool: it was full, or the client had its
    /// share.
    pub(crate) overloads: [[AtomicU64; 2]; NAMES.len()],
    /// The state of the engine.
    pub(crate) gauges: Gauges,
}

/// What is known of a request before its answer.
#[derive(Debug, Default)]
pub(super) struct Timing {
    /// When it came; `None` if nothing is measured.
    pub(super) begun: Option<Instant>,
    /// Its route's place in the table.
    pub(super) row: Option<u32>,
    /// The pool whose thread answers, and the wait for it.
    pub(super) pool: Option<usize>,
    pub(super) waited: Option<Duration>,
}

impl Site {
    /// Begins to count what the metrics show.
    pub(crate) fn keep_figures(&mut self) {
        self.figures = Some(Figures {
            requests: Requests::new(self.routes.len() + 2),
            waits: Default::default(),
            overloads: Default::default(),
            gauges: Gauges::default(),
        });
    }

    /// The figures, if they are kept.
    pub(crate) fn figures(&self) -> Option<&Figures> {
        self.figures.as_ref()
    }

    /// The method, the path and the figures of each route; then those of requests without one.
    pub(crate) fn requests(&self) -> Vec<(&'static str, &'static str, RowFigures)> {
        let name = |route: &Route| (route.method, route.path);
        let names = self.routes.iter().map(name).chain([("", OTHER), ("", REFUSED)]);
        let rows = self.figures.as_ref().map_or_else(Vec::new, |figures| figures.requests.read());
        names.zip(rows).map(|((method, path), row)| (method, path, row)).collect()
    }

    /// Notes when a request came, if anybody wants to know.
    pub(super) fn begin(&self) -> Option<Instant> {
        let measured = self.figures.is_some() || log::log_enabled!(log::Level::Debug);
        measured.then(Instant::now)
    }

    /// Counts and logs an answer that is ready; one that is queued takes its time along.
    pub(super) fn note(&self, request: &Request<'_>, timing: &Timing, answer: &mut Answer) {
        match answer {
            Answer::Ready(response) => self.observe(Some(request), timing, response),
            Answer::Queue(queued) => queued.begun = timing.begun,
        }
    }

    /// Notes how long the requests waited that a thread has taken.
    pub(super) fn note_waits(&self, pool: usize, batch: &mut [Queued]) {
        let now = batch.iter().any(|queued| queued.begun.is_some()).then(Instant::now);
        let waits = self.figures.as_ref().and_then(|figures| figures.waits.get(pool));
        for queued in batch {
            queued.waited = now.zip(queued.begun).map(|(now, begun)| now - begun);
            if let Some((waits, waited)) = waits.zip(queued.waited) {
                waits.add(waited);
            }
        }
    }

    /// Counts a request that got no place in a queue.
    pub(super) fn note_overload(&self, pool: usize, overload: Overload) {
        let refused = self.figures.as_ref().and_then(|figures| figures.overloads.get(pool));
        if let Some(refused) = refused {
            refused[usize::from(overload == Overload::Share)].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns the place of a request's route in the table, for an error. Not by `find`: another
    /// caller would keep the compiler from inlining that where all requests pass.
    pub(super) fn row_of(&self, request: &Request<'_>) -> Option<u32> {
        let is_its =
            |route: &Route| route.takes(request.method) && route.matches(request.path).is_some();
        self.routes.iter().position(is_its).and_then(|row| u32::try_from(row).ok())
    }

    /// Counts and logs an answer. Without a request, the engine could not read one.
    pub(super) fn observe(
        &self,
        request: Option<&Request<'_>>,
        timing: &Timing,
        response: &Response,
    ) {
        let time = timing.begun.map(|begun| begun.elapsed());
        if let Some(figures) = &self.figures {
            // A refusal of the engine has no time.
            let other = self.routes.len() + usize::from(time.is_none());
            let row = timing.row.map_or(other, |row| row as usize);
            figures.requests.add(row, response.status, time);
        }
        if log::log_enabled!(log::Level::Debug) {
            self.log(request, timing, response, time);
        }
    }

    /// The line of the log about a request.
    #[cold]
    fn log(
        &self,
        request: Option<&Request<'_>>,
        timing: &Timing,
        response: &Response,
        time: Option<Duration>,
    ) {
        let ip = request.and_then(|request| self.app.get().client_ip(request));
        let (method, path) = request.map_or(("-", "-"), |request| (request.method, request.path));
        let route = timing.row.and_then(|row| self.routes.get(row as usize));
        let route = route.map_or(OTHER, |route| route.path);
        let id = response.headers().find(|(name, _)| *name == "X-Request-Id");
        log::debug!(
            "{} {} {} {} route={route}{}{}{}{}",
            ip.as_ref().map_or(&"-" as &dyn Display, |ip: &IpAddr| ip),
            method.escape_debug(),
            path.escape_debug(),
            response.status,
            Field("time", time.map(Seconds)),
            Field("pool", timing.pool.and_then(|pool| NAMES.get(pool))),
            Field("wait", timing.waited.map(Seconds)),
            Field("request", id.map(|(_, id)| id)),
        );
    }
}

/// ` name=value`, or nothing.
struct Field<T>(&'static str, Option<T>);

impl<T: Display> Display for Field<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.1.as_ref().map_or(Ok(()), |value| write!(f, " {}={value}", self.0))
    }
}

/// A time in seconds, to the microsecond.
struct Seconds(Duration);

impl Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0.as_secs(), self.0.subsec_micros())
    }
}
