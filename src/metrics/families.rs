//! Which metrics there are, and where each comes from. The labels of a metric have few values: the
//! pattern of a route, never a path; no name of a user, no IP address.

use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};

use super::process;
use super::text::Page;
use crate::app::App;
use crate::site::{Figures, POOLS, Site};
use crate::stats::{Histogram, RowFigures, STATES, STATUSES, Times};
use crate::store::{Counts, Event};

/// Why a connection or a request was refused, in the order in which the engine counts.
const REASONS: [&str; 2] = ["full", "client"];
/// The outcomes of logins, apart from those that were throttled, and their events.
const OUTCOMES: [(&str, Event); 4] = [
    ("success", Event::Login),
    ("failure", Event::LoginFailed),
    ("inactive", Event::LoginRefused),
    ("second_factor", Event::SecondFactorAsked),
];

/// Writes all metrics of a site. Without `counts` the database did not answer.
pub(super) fn page(site: &Site, counts: Option<Counts>, started: &str) -> Vec<u8> {
    let mut page = Page::default();
    let app = &*site.app();
    page.family("lictor_build_info", "gauge", "The version of lictor.");
    page.sample("lictor_build_info", &[("version", env!("CARGO_PKG_VERSION"))], &1);
    let ready = u8::from(!app.is_stopping());
    page.one("lictor_ready", "gauge", "1, or 0 once the server was asked to stop.", &ready);
    requests(&mut page, &site.requests(), app);
    if let Some(figures) = site.figures() {
        connections(&mut page, figures);
        queues(&mut page, site, figures);
    }
    hashes(&mut page, app);
    events(&mut page, app);
    database(&mut page, app, counts);
    sweeps(&mut page, app);
    keys(&mut page, app);
    process::write(&mut page, started);
    page.0.into_bytes()
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn times(histogram: &Histogram) -> Times {
    let mut times = Times::default();
    histogram.add_to(&mut times);
    times
}

fn requests(page: &mut Page, rows: &[(&str, &str, RowFigures)], app: &App) {
    const REQUESTS: &str = "lictor_http_requests_total";
    page.family(REQUESTS, "counter", "Answers by route and status.");
    let mut throttled = [0; 2];
    for (method, route, figures) in rows {
        for (status, count) in STATUSES.iter().zip(figures.statuses).filter(|(_, n)| *n > 0) {
            let code = if *status == 0 { "other".to_owned() } else { status.to_string() };
            page.sample(
                REQUESTS,
                &[("method", method), ("route", route), ("status", &code)],
                &count,
            );
            if *status == 429 {
                throttled[usize::from(*route == "/api/login")] += count;
            }
        }
    }
    const TIME: &str = "lictor_http_request_duration_seconds";
    page.family(TIME, "histogram", "Time from a request to its answer, queues included.");
    for (method, route, figures) in rows {
        if figures.times != Times::default() {
            page.histogram(TIME, &[("method", method), ("route", route)], &figures.times);
        }
    }
    page.one(
        "lictor_throttled_requests_total",
        "counter",
        "Requests that were answered 429, because of earlier attempts.",
        &(throttled[0] + throttled[1]),
    );
    const LOGINS: &str = "lictor_logins_total";
    page.family(LOGINS, "counter", "Logins by outcome; second_factor: a code was asked for.");
    for (outcome, event) in OUTCOMES {
        page.sample(LOGINS, &[("outcome", outcome)], &app.store.times_of(event));
    }
    page.sample(LOGINS, &[("outcome", "throttled")], &throttled[1]);
}

fn connections(page: &mut Page, figures: &Figures) {
    let gauges = &figures.gauges;
    const OPEN: &str = "lictor_connections";
    page.family(OPEN, "gauge", "Open connections by what they wait for.");
    for (state, gauge) in STATES.iter().zip(&gauges.connections) {
        page.sample(OPEN, &[("state", state)], &load(gauge));
    }
    page.one(
        "lictor_connections_accepted_total",
        "counter",
        "Connections that were accepted.",
        &load(&gauges.accepted),
    );
    const REFUSED: &str = "lictor_connections_refused_total";
    page.family(REFUSED, "counter", "Connections that were closed at once, by reason.");
    for (reason, gauge) in REASONS.iter().zip(&gauges.refused) {
        page.sample(REFUSED, &[("reason", reason)], &load(gauge));
    }
}

fn queues(page: &mut Page, site: &Site, figures: &Figures) {
    let pools = || site.all_pools().into_iter().zip(POOLS).enumerate();
    const LENGTH: &str = "lictor_queue_length";
    page.family(LENGTH, "gauge", "Requests that wait for a thread of a pool.");
    for (place, (_, name)) in pools() {
        page.sample(LENGTH, &[("pool", name)], &load(&figures.gauges.queues[place]));
    }
    const LIMIT: &str = "lictor_queue_limit";
    page.family(LIMIT, "gauge", "Requests that may wait for a pool; without a value, any number.");
    for (_, (pool, name)) in pools().filter(|(_, (pool, _))| pool.queue < usize::MAX) {
        page.sample(LIMIT, &[("pool", name)], &pool.queue);
    }
    const REFUSED: &str = "lictor_queue_refused_total";
    page.family(REFUSED, "counter", "Requests that got no place in a queue, by reason.");
    for (place, (_, name)) in pools() {
        for (reason, count) in REASONS.iter().zip(&figures.overloads[place]) {
            page.sample(REFUSED, &[("pool", name), ("reason", reason)], &load(count));
        }
    }
    const WAIT: &str = "lictor_queue_wait_seconds";
    page.family(WAIT, "histogram", "Time that requests waited for a thread of a pool.");
    for (place, (_, name)) in pools() {
        page.histogram(WAIT, &[("pool", name)], &times(&figures.waits[place]));
    }
}

fn hashes(page: &mut Page, app: &App) {
    const HASHES: &str = "lictor_password_hash_duration_seconds";
    page.family(HASHES, "histogram", "Time that a password hash took.");
    page.histogram(HASHES, &[], &times(app.hasher.times()));
}

fn events(page: &mut Page, app: &App) {
    const EVENTS: &str = "lictor_audit_events_total";
    page.family(EVENTS, "counter", "Entries of the audit that this process has written.");
    for event in Event::ALL {
        page.sample(EVENTS, &[("event", event.name())], &app.store.times_of(event));
    }
}

fn database(page: &mut Page, app: &App, counts: Option<Counts>) {
    let up = u8::from(counts.is_some());
    page.one("lictor_database_up", "gauge", "Whether the database answered the last count.", &up);
    if let Some(counts) = counts {
        let rows = [
            ("lictor_sessions_open", "Sessions that have not ended.", counts.sessions),
            ("lictor_mails_waiting", "Mails that are to be sent.", counts.waiting),
            (
                "lictor_mails_given_up",
                "Mails of the last week that could not be sent, and are not tried again.",
                counts.given_up,
            ),
        ];
        for (name, help, count) in rows {
            page.one(name, "gauge", help, &count);
        }
    }
    if let Some(sizes) = app.config.database.sizes() {
        const SIZE: &str = "lictor_database_size_bytes";
        page.family(SIZE, "gauge", "Bytes of the SQLite file and of its write-ahead log.");
        for (file, size) in ["main", "wal"].iter().zip(sizes) {
            page.sample(SIZE, &[("file", file)], &size);
        }
    }
}

fn sweeps(page: &mut Page, app: &App) {
    let sweeps = &app.sweeps;
    let last = sweeps.last.load(Ordering::Relaxed);
    let rows: [(&str, &str, &str, &dyn Display); 3] = [
        ("lictor_sweeps_total", "counter", "Sweeps of expired rows.", &load(&sweeps.count)),
        ("lictor_swept_rows_total", "counter", "Rows that sweeps deleted.", &load(&sweeps.rows)),
        (
            "lictor_last_sweep_timestamp_seconds",
            "gauge",
            "When the last sweep was; 0 before the first, an hour after the start.",
            &last,
        ),
    ];
    for (name, kind, help, value) in rows {
        page.one(name, kind, help, value);
    }
}

fn keys(page: &mut Page, app: &App) {
    const CREATED: &str = "lictor_key_created_timestamp_seconds";
    page.family(
        CREATED,
        "gauge",
        "When each key was made, if its file says so; key 1 is the newest.",
    );
    let signs = app.config.keys.current(app.config.algorithm);
    for (place, key) in (1..).zip(app.config.keys.iter()) {
        let Some(created) = key.created() else { continue };
        let signs = if signs == Some(key) { "yes" } else { "no" };
        let (place, algorithm) = (u32::to_string(&place), key.algorithm().name());
        let labels = [("key", &*place), ("algorithm", algorithm), ("signs", signs)];
        page.sample(CREATED, &labels, &created.0);
    }
}
