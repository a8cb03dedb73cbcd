//! `lictor check`: prints the configuration that `serve` would run with, and what is wrong with it.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::access_flags;
use super::args::Args;
use super::brand_flags;
use super::env_file;
use super::flag::{Row as FlagRow, flag, group};
use super::hash_timing::{self, measure, measured};
use super::key_source::{KeySource, Preview};
use super::kind::Kind;
use super::logging;
use super::machine;
use super::output::{failed, print};
use super::parse::{written, written_size};
use super::progress::Line;
use super::serve_flags::{self, ServeFlags};
use super::words::in_flags;
use crate::app::origin;
use crate::clock::Timestamp;
use crate::config::{Config, CookieDomain, Cors, MailSettings, Origin};
use crate::error::Problem;
use crate::guard::{Blocklist, Hasher};
use crate::ip::{Network, is_near};
use crate::keys::Algorithm;
use crate::link::PageUrl;
use crate::net;
use crate::server::cannot_listen;
use crate::store::{Database, Inspection, Store};

/// A line of the output: a setting and its value.
pub(super) type Row = (&'static str, String);

pub(super) const FLAGS: &[FlagRow] = &[
    flag("--deep", Kind::Switch).help(
        "Also read the whole database, and compare each row with the indices; works while the \
         server runs, and takes some seconds for a million users",
    ),
    group(serve_flags::FLAGS),
];

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let (deep, flags) = (args.is_given("--deep"), ServeFlags::of(args));
    let now = Timestamp::now();
    let source = flags.key_source(now)?;
    let Preview { keys, signs, .. } = source.preview(now)?;
    let config = flags.config(keys)?;
    let web = flags.assets(&source)?.describe();
    let blocklist = config.blocklist()?;
    let database = database_row(&config.database, deep)?;
    let origin = flags.database.choose()?.origin;
    let mut listen = listen_row(config.listen)?;
    if flags.listen()?.from_port {
        listen += ", from PORT";
    }
    let mut rows = vec![("listen", listen), ("database", format!("{database}, from {origin}"))];
    rows.extend(config.database.describe());
    if !config.database.is_shared() {
        rows.push(("database map", written_size(config.database_map)));
    }
    rows.extend([("secret key", source.describe()), ("signs", signs)]);
    rows.extend(account_rows(&config));
    rows.extend(policy_rows(&config, blocklist.as_ref()));
    let (hash, hash_warnings) = hash_rows(&config)?;
    rows.extend(hash);
    rows.push(("web", web));
    rows.extend(brand_flags::shown(&config));
    rows.extend(network_rows(&config));
    let mut warnings = warnings(&config);
    warnings.extend(hash_warnings);
    warnings.extend(flags.warnings(&source, &config)?);
    show(&rows, &access_flags::notes(&config)?, &warnings);
    may_start(&source, &flags)?;
    match warnings.is_empty() && !logging::has_warned() {
        true => print("nothing is wrong with it"),
        false => Ok(()),
    }
}

/// An error if the server would not start because its key is lost, or the database does not say whether it is.
fn may_start(source: &KeySource, flags: &ServeFlags<'_>) -> Result<(), Problem> {
    match source.lost().unwrap_or_else(Some).filter(|_| !flags.has_new_key()) {
        Some(lost) => {
            Err(Problem { what: format!("serve would not start: {}", lost.what), ..lost })
        }
        None => Ok(()),
    }
}

fn show(rows: &[Row], notes: &[String], warnings: &[String]) {
    let mut out = io::stdout().lock();
    for (name, value) in rows {
        let _ = writeln!(out, "{name:16} {value}");
    }
    if env_file::path().is_none() {
        let _ = writeln!(
            out,
            "note: only these flags and this environment were checked; for those of the service, \
             add --env-file /etc/lictor.env"
        );
    }
    for note in notes {
        let _ = writeln!(out, "note: {note}");
    }
    for warning in warnings {
        let _ = writeln!(out, "warning: {}", in_flags(warning));
    }
}

fn database_row(database: &Database, deep: bool) -> Result<String, Problem> {
    let found = Store::inspect(database)?;
    let mut note = match found {
        Inspection::Absent if database.is_shared() => " (the schema lictor will be made)",
        Inspection::Absent => " (will be made)",
        Inspection::Current => "",
        Inspection::Older(_) => " (will be upgraded)",
    }
    .to_owned();
    if found != Inspection::Absent && !deep {
        Store::check(database)?;
    }
    if found != Inspection::Absent && deep {
        let begun = Instant::now();
        let mut line = Line::new();
        let watch = move || {
            line.show_time("reading the database");
            false
        };
        Store::check_deep(database, Box::new(watch))?;
        let what = if database.is_shared() { "tables read" } else { "read" };
        note += &format!(" ({what} in {:.1} s, and sound)", begun.elapsed().as_secs_f64());
    }
    if deep && database.is_shared() {
        note += "; pg_amcheck reads PostgreSQL's own pages and indices";
    }
    Ok(format!("{}{note}", database.absolute()))
}

/// Where the server would listen; an error if it cannot.
pub(super) fn listen_row(listen: SocketAddr) -> Result<String, Problem> {
    match net::try_address(listen) {
        Ok(()) => Ok(listen.to_string()),
        // Most likely by the server whose configuration this is.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Ok(format!("{listen} (in use now)"))
        }
        Err(error) => Err(cannot_listen(listen, error)),
    }
}

/// The settings of which a running server says what has changed: those that can be shown without
/// work.
pub(super) fn setting_rows(config: &Config) -> Vec<Row> {
    let blocklist = config.password_blocklist.as_deref();
    let algorithm = config.algorithm.map_or("that of the newest key", Algorithm::name);
    let mut rows = vec![
        ("listen", config.listen.to_string()),
        ("database", config.database.to_string()),
        ("database map", written_size(config.database_map)),
        ("algorithm", algorithm.to_owned()),
    ];
    rows.extend(account_rows(config));
    rows.extend(policy_rows(config, None));
    rows.extend([
        ("blocklist", blocklist.map_or_else(|| "none".into(), |path| path.display().to_string())),
        ("hash kernel", format!("{:?}", config.hash_kernel)),
        ("hash memory", written_size(u64::from(config.hash_memory) << 10)),
        ("hash passes", config.hash_passes.to_string()),
        ("web", format!("{:?}", config.web)),
    ]);
    rows.extend(brand_flags::rows(config));
    rows.extend(network_rows(config));
    rows
}

fn account_rows(config: &Config) -> Vec<Row> {
    vec![
        ("registration", config.registration.name().to_owned()),
        ("access lifespan", written(config.access_lifespan)),
        ("refresh lifespan", written(config.refresh_lifespan)),
        ("early refresh", written(config.early_refresh)),
        ("reset lifespan", written(config.reset_lifespan)),
        ("confirmation", written(config.confirmation_lifespan)),
        ("mail", config.mail.as_ref().map_or_else(|| "none".into(), describe_mail)),
        ("confirmed at", page(config.confirmation_page())),
        ("reset at", page(config.reset_page())),
        ("audience", audience(config)),
        ("adopt tokens", if config.adopt_tokens { "yes" } else { "no" }.into()),
        ("default roles", config.default_roles.as_str().to_owned()),
    ]
}

/// Whom tokens are for.
fn audience(config: &Config) -> String {
    match config.audience.names() {
        [] => "none".into(),
        names => names.join(", "),
    }
}

fn policy_rows(config: &Config, blocklist: Option<&Blocklist>) -> Vec<Row> {
    let list = config.password_blocklist.as_deref().zip(blocklist).map_or_else(
        || "built in".into(),
        |(path, list)| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            format!("built in, and {} ({})", path.display(), list.describe())
        },
    );
    let cookie_domain = config.cookie_domain.as_ref().map(CookieDomain::as_str);
    let cookie_domain = cookie_domain.unwrap_or("none").to_owned();
    vec![
        ("second factor", config.require_second_factor.describe().to_owned()),
        ("refresh reuse", config.refresh_reuse.name().to_owned()),
        ("session idle", time_or_off(config.session_idle)),
        ("cookie domain", cookie_domain),
        ("reauthenticate", time_or_off(config.reauthenticate)),
        ("password length", format!("at least {}", config.min_password_length)),
        ("password list", list),
        ("login notices", on_or_off(config.login_notices)),
        ("audit retention", written(config.audit_retention)),
        ("issuer", config.service().as_str().to_owned()),
    ]
}

/// The rows of password hashing, measured here, and what is wrong with it.
fn hash_rows(config: &Config) -> Result<(Vec<Row>, Vec<String>), Problem> {
    let (cost, threads) = (config.hash_cost()?, config.engine.slow_workers);
    let hasher = Hasher::with(1, cost, config.hash_kernel).map_err(failed)?;
    let took = measure(&hasher)?;
    let warnings = [
        hash_timing::kernel_warning(config.hash_kernel, hasher.is_portable()),
        hash_timing::time_warning(took),
        hash_timing::memory_warning(cost, threads, machine::memory_kib()),
    ];
    let rows = vec![("hash kernel", hasher.kernel()), ("hash cost", measured(cost, took))];
    Ok((rows, warnings.into_iter().flatten().collect()))
}

fn network_rows(config: &Config) -> Vec<Row> {
    let cors = match &config.cors {
        Cors::Any => "every origin".into(),
        Cors::Only(origins) if origins.is_empty() => "no other origin".into(),
        Cors::Only(origins) => origins.iter().map(Origin::as_str).collect::<Vec<_>>().join(", "),
    };
    let proxies: Vec<String> = config.trusted_proxies.iter().map(Network::to_string).collect();
    let proxies = if proxies.is_empty() { "none".into() } else { proxies.join(", ") };
    vec![
        ("cors", cors),
        ("throttle", on_or_off(config.throttle)),
        ("trusted proxies", proxies),
        ("public url", page_or(config.public_url.as_ref(), "none")),
        ("home", page_or(config.home_url.as_ref(), "the account")),
        ("access", access_flags::describe(config)),
        ("metrics", config.metrics.map_or_else(|| "none".into(), |at| at.to_string())),
        ("drain delay", written(config.engine.drain_delay)),
        ("workers", config.engine.workers.to_string()),
        ("hash threads", config.engine.slow_workers.to_string()),
        ("max connections", config.engine.max_connections.to_string()),
        ("max per address", config.engine.max_per_ip.to_string()),
    ]
}

/// Settings that are allowed, but most likely a mistake.
fn warnings(config: &Config) -> Vec<String> {
    let mut warnings: Vec<String> = config.database.warning().into_iter().map(Into::into).collect();
    if let Some(why) = missing_proxy(config) {
        warnings.push(format!(
            "{why}, so a proxy seems to be in front; name it with --trusted-proxy, or all people \
             behind it count as one IP address"
        ));
    }
    if misses_own_origin(config) {
        warnings.push(
            "--cors-origin is narrowed, and behind a proxy the server knows its own pages only if \
             the proxy passes the browser's Host with its port (nginx: $http_host); name their \
             origin with --public-url or --cors-origin"
                .into(),
        );
    }
    warnings.extend(access_flags::warnings(config));
    warnings
}

/// Whether the proxy decides if the server's own pages may call: it does when other origins are
/// refused and no setting names the server's own.
fn misses_own_origin(config: &Config) -> bool {
    let narrowed = matches!(config.cors, Cors::Only(_));
    let url = config.public_url.as_ref().map(|url| url.as_str().as_bytes());
    narrowed && !config.trusted_proxies.is_empty() && !url.is_some_and(origin::has_name)
}

/// Why a proxy seems to be in front that no setting names; `None` if none seems to be.
fn missing_proxy(config: &Config) -> Option<String> {
    let url = config.public_url.as_ref().map(PageUrl::as_str)?;
    if !config.trusted_proxies.is_empty() {
        return None;
    }
    if url.starts_with("https://") {
        return Some("the public URL has TLS, which lictor does not speak".into());
    }
    let host = url.strip_prefix("http://")?.split(['/', '?', '#']).next()?;
    let local = host.parse::<SocketAddr>().map(|address| is_near(address.ip()));
    let local = local.or_else(|_| host.trim_matches(['[', ']']).parse().map(is_near));
    let local = local.unwrap_or_else(|_| host.split(':').next() == Some("localhost"));
    let listen = config.listen.ip();
    (listen.is_loopback() && !local).then(|| format!("{host} cannot reach {listen}"))
}

fn time_or_off(time: Option<Duration>) -> String {
    time.map_or_else(|| "off".into(), written)
}

fn describe_mail(mail: &MailSettings) -> String {
    format!("{}, from {}", mail.transport.describe(), mail.sender)
}

fn page(page: Option<PageUrl>) -> String {
    page_or(page.as_ref(), "no known page")
}

fn page_or(page: Option<&PageUrl>, otherwise: &str) -> String {
    page.map_or(otherwise, PageUrl::as_str).to_owned()
}

fn on_or_off(on: bool) -> String {
    if on { "on" } else { "off" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::serve_flags::{cors, networks};
    use crate::keys::Secret;

    #[test]
    fn a_proxy_that_nobody_named_is_missed() {
        for (listen, url, trusted, expected) in [
            ("127.0.0.1:5000", Some("https://login.example.org"), "", true),
            ("0.0.0.0:5000", Some("https://login.example.org/app"), "", true),
            ("127.0.0.1:5000", Some("https://login.example.org"), "127.0.0.1", false),
            ("127.0.0.1:5000", Some("http://login.lan"), "", true),
            ("[::1]:5000", Some("http://192.0.2.1:80/x"), "", true),
            ("0.0.0.0:5000", Some("http://login.lan"), "", false),
            ("10.0.0.1:5000", Some("http://login.lan"), "", false),
            ("127.0.0.1:5000", Some("http://127.0.0.1:5000"), "", false),
            ("127.0.0.1:5000", Some("http://localhost:5000/"), "", false),
            ("[::1]:5000", Some("http://[::1]:5000"), "", false),
            ("[::1]:80", Some("http://[::1]"), "", false),
            ("127.0.0.1:5000", None, "", false),
        ] {
            let secret = Secret::new([7; 32]).unwrap();
            let mut config = Config::new("x", secret);
            config.listen = listen.parse().unwrap();
            config.public_url = url.map(|url| PageUrl::parse(url).unwrap());
            config.trusted_proxies = networks(&[trusted]).unwrap();
            assert_eq!(missing_proxy(&config).is_some(), expected, "{listen} {url:?} {trusted}");
        }
    }

    #[test]
    fn own_pages_that_a_proxy_decides_about_are_noticed() {
        for (cors_origin, url, trusted, expected) in [
            ("none", None, "127.0.0.1", true),
            ("https://app.example", None, "127.0.0.1", true),
            ("*", None, "127.0.0.1", false),
            ("none", None, "", false),
            ("none", Some("https://login.example"), "127.0.0.1", false),
            // The default with --listen 127.0.0.1:5000.
            ("none", Some("http://127.0.0.1:5000"), "127.0.0.1", true),
        ] {
            let mut config = Config::new("x", Secret::new([7; 32]).unwrap());
            config.cors = cors(&[cors_origin]).unwrap();
            config.public_url = url.map(|url| PageUrl::parse(url).unwrap());
            config.trusted_proxies = networks(&[trusted]).unwrap();
            let found = misses_own_origin(&config);
            assert_eq!(found, expected, "{cors_origin} {url:?} {trusted}");
        }
    }
}
