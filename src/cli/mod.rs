//! What was typed: commands, flags, environment names, help texts; and the way from there to a
//! [`Config`]. Apart from NOTIFY_SOCKET, the environment is read here and nowhere
//! else.

mod audit;
mod invite;
mod key_source;
mod keys;
mod mail;
mod mail_flags;
mod output;
mod password_flags;
mod policy_flags;
mod reset_link;
mod user;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::app::App;
use crate::app::origin;
use crate::assets::Assets;
use crate::clock::Timestamp;
use crate::config::{Config, Cors, Issuer, MailSettings, Origin, Registration, Web};
use crate::error::Problem;
use crate::ip::{Network, is_near};
use crate::keys::Keys;
use crate::link::PageUrl;
use crate::server::{Server, cannot_listen, stop_on_signals};
use crate::site::Site;
use crate::store::{Inspection, Store};

pub(crate) use key_source::{KeyFlags, KeySource};
pub(crate) use mail_flags::{MailFlags, PageFlags};
use password_flags::PasswordFlags;
pub(crate) use password_flags::PasswordRuleFlags;
use policy_flags::PolicyFlags;

/// Login for small, self-hosted apps, in one file.
#[derive(Parser)]
#[command(
    name = "lictor",
    version,
    after_help = "`lictor` alone is `lictor serve`. Every flag can also be set as the environment \
                  variable that its help names.\nExit codes: 0 done, 1 failed, 2 used wrongly."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server (the default)
    Serve(Serve),
    /// Print the configuration that `serve` would run with, and what is wrong with it
    Check(Serve),
    /// Manage users; works while the server runs
    User {
        #[command(subcommand)]
        command: user::UserCommand,
    },
    /// Invite people to register; works while the server runs
    Invite {
        #[command(subcommand)]
        command: invite::InviteCommand,
    },
    /// Manage the keys that sign and verify tokens; restart the server afterwards
    Key {
        #[command(subcommand)]
        command: keys::KeyCommand,
    },
    /// Look after mails that are to be sent; works while the server runs
    Mail {
        #[command(subcommand)]
        command: mail::MailCommand,
    },
    /// Show who did what, when, from where; the newest first
    Audit(audit::AuditCommand),
}

/// Where the users are.
#[derive(Args, Debug)]
pub(crate) struct Database {
    /// The SQLite file; made if it is not there
    #[arg(long, value_name = "PATH", env = "LICTOR_DATABASE", default_value = "lictor.db")]
    pub(crate) database: PathBuf,
}

impl Database {
    pub(crate) fn value(&self) -> crate::store::Database {
        (&self.database).into()
    }
}

#[derive(Args, Debug)]
struct Serve {
    /// Address and port to listen on
    #[arg(long, value_name = "ADDR:PORT", env = "LICTOR_LISTEN", default_value = "127.0.0.1:5000")]
    listen: SocketAddr,

    #[command(flatten)]
    database: Database,

    #[command(flatten)]
    keys: KeyFlags,

    /// Who may register
    #[arg(long, value_name = "MODE", env = "LICTOR_REGISTRATION", default_value = "open")]
    registration: RegistrationMode,

    /// How long an access token is good: 24h, 15m, or seconds
    #[arg(long, value_name = "TIME", env = "JWT_ACCESS_LIFESPAN", default_value = "24h", value_parser = lifespan)]
    access_lifespan: Duration,

    /// How long after the login a token can be refreshed: 30d, 12h, or seconds
    #[arg(long, value_name = "TIME", env = "JWT_REFRESH_LIFESPAN", default_value = "30d", value_parser = lifespan)]
    refresh_lifespan: Duration,

    /// How long before its end a token can be refreshed already, for clocks that differ: 60s, 0
    #[arg(long, value_name = "TIME", env = "LICTOR_EARLY_REFRESH", default_value = "60s", value_parser = duration)]
    early_refresh: Duration,

    /// How long a token that resets a password can be used: 1h, 30m, or seconds
    #[arg(long, value_name = "TIME", env = "LICTOR_RESET_LIFESPAN", default_value = "1h", value_parser = lifespan)]
    reset_lifespan: Duration,

    /// How long the link in a mail that confirms an address can be used: 24h, 2d, or seconds
    #[arg(long, value_name = "TIME", env = "LICTOR_CONFIRMATION_LIFESPAN", default_value = "24h", value_parser = lifespan)]
    confirmation_lifespan: Duration,

    #[command(flatten)]
    mail: MailFlags,

    #[command(flatten)]
    pages: PageFlags,

    #[command(flatten)]
    policy: PolicyFlags,

    /// Take tokens that another program made with the same secret, as the Flask app did that lictor
    /// replaces: a switch-over then logs nobody out. Turn it off once the refresh lifespan is over
    #[arg(long, env = "LICTOR_ADOPT_TOKENS")]
    adopt_tokens: bool,

    /// How long audit entries are kept: 90d, 1y, or seconds
    #[arg(long, value_name = "TIME", env = "LICTOR_AUDIT_RETENTION", default_value = "90d", value_parser = lifespan)]
    audit_retention: Duration,

    /// What authenticator apps and mails call this service
    #[arg(long, value_name = "NAME", env = "LICTOR_ISSUER", default_value = "lictor")]
    issuer: String,

    /// A folder with an app of yours that is served instead of lictor's own; `off` for none
    #[arg(long, value_name = "DIR|off", env = "LICTOR_WEB")]
    web: Option<OsString>,

    /// Origins whose pages may call from a browser, separated by commas; `*` for all, `none` for
    /// none
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "LICTOR_CORS_ORIGIN",
        default_value = "*",
        value_delimiter = ','
    )]
    cors_origin: Vec<String>,

    /// Whether guessing passwords is slowed down; `off` is for load tests
    #[arg(long, value_name = "ON|OFF", env = "LICTOR_THROTTLE", default_value = "on")]
    throttle: Switch,

    /// Addresses and networks of proxies, separated by commas, whose X-Forwarded-For says whom a
    /// request comes from; nobody else's counts
    #[arg(long, value_name = "ADDR[/BITS]", env = "LICTOR_TRUSTED_PROXY", value_delimiter = ',')]
    trusted_proxy: Vec<String>,

    /// Threads that answer requests [default: the number of cores, at least 2]
    #[arg(long, value_name = "N", env = "LICTOR_WORKERS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,

    /// Threads that hash passwords, 19 MiB each while busy [default: the number of cores]
    #[arg(long, value_name = "N", env = "LICTOR_HASH_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    hash_threads: Option<u16>,

    /// Open connections; the longest idle ones make room for new ones, then those that wait longest
    /// for the rest of a request
    #[arg(long, value_name = "N", env = "LICTOR_MAX_CONNECTIONS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,

    /// Open connections from one address (an IPv6 /64 counts as one); raise it behind a proxy
    #[arg(long, value_name = "N", env = "LICTOR_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections_per_address: u32,

    /// What to log on standard error
    #[arg(long, value_name = "LEVEL", env = "LICTOR_LOG", default_value = "info")]
    log: LogLevel,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RegistrationMode {
    /// Everyone
    Open,
    /// Everyone who follows the link in a mail; needs --mail
    Email,
    /// Whoever has an invitation; `lictor invite add` makes one
    Invite,
    /// Nobody; `lictor user add` makes accounts
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

/// Runs the program that was typed; the exit code is 0, 1 (it failed) or 2 (used wrongly).
pub fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(with_default_command(args)) {
        Ok(cli) => cli,
        // Help and version come this way too, with exit code 0.
        Err(error) => error.exit(),
    };
    let done = match cli.command {
        Command::Serve(typed) => {
            start_log(typed.log);
            serve(&typed)
        }
        Command::Check(typed) => {
            start_log(LogLevel::Warn);
            check(&typed)
        }
        Command::User { command } => {
            start_log(LogLevel::Warn);
            user::run(command)
        }
        Command::Invite { command } => {
            start_log(LogLevel::Warn);
            invite::run(command)
        }
        Command::Mail { command } => {
            start_log(LogLevel::Warn);
            mail::run(command)
        }
        Command::Audit(command) => {
            start_log(LogLevel::Warn);
            audit::run(&command)
        }
        Command::Key { command } => {
            start_log(LogLevel::Warn);
            keys::run(command)
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // A closed standard error is no reason to end differently.
            let _ = writeln!(io::stderr(), "lictor: {}\n  {}", problem.what, problem.next);
            ExitCode::from(if problem.usage { 2 } else { 1 })
        }
    }
}

/// `lictor` and `lictor --flag` mean `lictor serve` and `lictor serve --flag`.
fn with_default_command(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.collect();
    let general = ["-h", "--help", "-V", "--version"];
    let serve = match args.get(1).map(|arg| arg.to_string_lossy()) {
        None => true,
        Some(first) => first.starts_with('-') && !general.contains(&&*first),
    };
    if serve {
        args.insert(args.len().min(1), "serve".into());
    }
    args
}

fn start_log(level: LogLevel) {
    let level = match level {
        LogLevel::Off => log::LevelFilter::Off,
        LogLevel::Error => log::LevelFilter::Error,
        LogLevel::Warn => log::LevelFilter::Warn,
        LogLevel::Info => log::LevelFilter::Info,
        LogLevel::Debug => log::LevelFilter::Debug,
    };
    let _ = env_logger::Builder::new()
        .filter_level(level)
        .format(|line, record| {
            let now = humantime::format_rfc3339_seconds(std::time::SystemTime::now());
            writeln!(line, "{now} {:5} {}", record.level(), record.args())
        })
        .try_init();
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        log::error!("a bug in lictor at {place}; please report it");
    }));
}

fn config(typed: &Serve, keys: Keys) -> Result<Config, Problem> {
    let mut config = Config::new(&typed.database.database, keys);
    config.listen = typed.listen;
    config.access_lifespan = typed.access_lifespan;
    config.refresh_lifespan = typed.refresh_lifespan;
    config.early_refresh = typed.early_refresh;
    config.reset_lifespan = typed.reset_lifespan;
    config.algorithm = typed.keys.algorithm();
    config.registration = match typed.registration {
        RegistrationMode::Open => Registration::Open,
        RegistrationMode::Email => Registration::Email,
        RegistrationMode::Invite => Registration::Invite,
        RegistrationMode::Closed => Registration::Closed,
    };
    config.confirmation_lifespan = typed.confirmation_lifespan;
    config.mail = typed.mail.settings()?;
    let pages = typed.pages.pages(Some(typed.listen))?;
    config.public_url = pages.public;
    config.confirmation_url = pages.confirmation;
    config.reset_url = pages.reset;
    typed.policy.apply(&mut config)?;
    config.adopt_tokens = typed.adopt_tokens;
    config.audit_retention = typed.audit_retention;
    config.issuer = Issuer::parse(&typed.issuer)?;
    config.web = web(typed.web.as_deref());
    config.cors = cors(&typed.cors_origin)?;
    config.throttle = typed.throttle == Switch::On;
    config.trusted_proxies = networks(&typed.trusted_proxy)?;
    let engine = &mut config.engine;
    engine.workers = typed.workers.map_or(engine.workers, usize::from);
    engine.slow_workers = typed.hash_threads.map_or(engine.slow_workers, usize::from);
    engine.max_connections = typed.max_connections as usize;
    engine.max_per_address = typed.max_connections_per_address;
    config.check()?;
    Ok(config)
}

/// An empty variable in the environment means the default.
fn web(typed: Option<&OsStr>) -> Web {
    match typed.filter(|typed| !typed.is_empty()) {
        None => Web::Embedded,
        Some(off) if off == "off" => Web::Off,
        Some(path) => Web::Folder(path.into()),
    }
}

/// The pages, if they can be served without giving out the database or the keys.
fn pages(typed: &Serve, source: &KeySource) -> Result<Assets, Problem> {
    let private = [Some(&*typed.database.database), source.file().ok()];
    let private: Vec<&Path> = private.into_iter().flatten().collect();
    Assets::open(&web(typed.web.as_deref()), &private)
}

fn cors(typed: &[String]) -> Result<Cors, Problem> {
    match typed {
        [one] if one == "*" => Ok(Cors::Any),
        [one] if one == "none" => Ok(Cors::Only(Vec::new())),
        origins => {
            let origins = origins.iter().map(|origin| Origin::parse(origin.trim()));
            origins.collect::<Result<_, _>>().map(Cors::Only)
        }
    }
}

/// An empty variable in the environment means none.
fn networks(typed: &[String]) -> Result<Vec<Network>, Problem> {
    let typed = typed.iter().map(|network| network.trim()).filter(|network| !network.is_empty());
    typed.map(Network::parse).collect()
}

/// Plain seconds, or numbers with units.
fn duration(text: &str) -> Result<Duration, String> {
    match text.trim().parse() {
        Ok(seconds) => Ok(Duration::from_secs(seconds)),
        Err(_) => humantime::parse_duration(text.trim())
            .map_err(|_| "write it as 24h, 30d, 15m, or a number of seconds".to_owned()),
    }
}

pub(crate) fn lifespan(text: &str) -> Result<Duration, String> {
    let lifespan = duration(text)?;
    if lifespan < Duration::from_secs(1) {
        return Err("it must be at least one second".into());
    }
    Ok(lifespan)
}

fn serve(typed: &Serve) -> Result<(), Problem> {
    let source = KeySource::of(&typed.keys, &typed.database.database);
    // The pages and the database are looked at before a key is made: a wrong path leaves nothing.
    pages(typed, &source)?;
    typed.policy.password.check()?;
    let found = Store::inspect(&typed.database.value())?;
    let config = config(typed, source.keys(Timestamp::now())?)?;
    let site = Site::new(App::open(config)?)?;
    let stop = stop_on_signals()?;
    let server = Server::bind(site)?;
    let config = &server.site().app().config;
    if found == Inspection::Absent {
        log::info!("made a new database in {}", config.database.display());
    }
    announce(server.address(), config);
    server.run(&stop)
}

/// Where it listens, and how to try it.
fn announce(address: SocketAddr, config: &Config) {
    let mut local = address;
    if address.ip().is_unspecified() {
        local.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
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
    // A closed standard output is no reason not to serve.
    let _ = writeln!(io::stdout(), "{text}");
}

fn check(typed: &Serve) -> Result<(), Problem> {
    let source = KeySource::of(&typed.keys, &typed.database.database);
    let (keys, signs) = source.as_it_will_be(Timestamp::now())?;
    let config = config(typed, keys)?;
    let web = pages(typed, &source)?.describe();
    let blocklist = config.blocklist()?;
    let database = match Store::inspect(&config.database.as_path().into())? {
        Inspection::Absent => format!("{} (will be made)", absolute(&config.database).display()),
        found @ (Inspection::Current | Inspection::Older(_)) => {
            Store::check(&config.database.as_path().into())?;
            let note = if found == Inspection::Current { "" } else { " (will be upgraded)" };
            format!("{}{note}", absolute(&config.database).display())
        }
    };
    let listen = match std::net::TcpListener::bind(config.listen) {
        Ok(_) => config.listen.to_string(),
        // Most likely by the server whose configuration this is.
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            format!("{} (in use now)", config.listen)
        }
        Err(error) => return Err(cannot_listen(config.listen, &error)),
    };
    let cors = match &config.cors {
        Cors::Any => "every origin".into(),
        Cors::Only(origins) if origins.is_empty() => "no other origin".into(),
        Cors::Only(origins) => origins.iter().map(Origin::as_str).collect::<Vec<_>>().join(", "),
    };
    let proxies: Vec<String> = config.trusted_proxies.iter().map(Network::to_string).collect();
    let proxies = if proxies.is_empty() { "none".into() } else { proxies.join(", ") };
    let rows = [
        ("listen", listen),
        ("database", database),
        ("secret key", source.describe()),
        ("signs", signs),
        ("registration", config.registration.name().to_owned()),
        ("access lifespan", humantime::format_duration(config.access_lifespan).to_string()),
        ("refresh lifespan", humantime::format_duration(config.refresh_lifespan).to_string()),
        ("early refresh", humantime::format_duration(config.early_refresh).to_string()),
        ("reset lifespan", humantime::format_duration(config.reset_lifespan).to_string()),
        ("confirmation", humantime::format_duration(config.confirmation_lifespan).to_string()),
        ("mail", config.mail.as_ref().map_or_else(|| "none".into(), describe)),
        ("confirmed at", page(config.confirmation_page())),
        ("reset at", page(config.reset_page())),
        ("adopt tokens", if config.adopt_tokens { "yes" } else { "no" }.into()),
        ("default roles", config.default_roles.as_str().to_owned()),
        ("second factor", config.require_second_factor.describe().to_owned()),
        ("refresh reuse", config.refresh_reuse.name().to_owned()),
        ("session idle", optional(config.session_idle)),
        ("reauthenticate", optional(config.reauthenticate)),
        ("password length", format!("at least {}", config.min_password_length)),
        (
            "password list",
            config.password_blocklist.as_deref().zip(blocklist).map_or_else(
                || "built in".into(),
                |(path, list)| {
                    let path = absolute(path);
                    format!("built in, and {} ({})", path.display(), list.describe())
                },
            ),
        ),
        ("login notices", if config.login_notices { "on" } else { "off" }.to_owned()),
        ("audit retention", humantime::format_duration(config.audit_retention).to_string()),
        ("issuer", config.issuer.as_str().to_owned()),
        ("web", web),
        ("cors", cors),
        ("throttle", if config.throttle { "on" } else { "off" }.to_owned()),
        ("trusted proxies", proxies),
        ("workers", config.engine.workers.to_string()),
        ("hash threads", config.engine.slow_workers.to_string()),
        ("max connections", config.engine.max_connections.to_string()),
        ("max per address", config.engine.max_per_address.to_string()),
    ];
    let mut out = io::stdout().lock();
    for (name, value) in rows {
        let _ = writeln!(out, "{name:16} {value}");
    }
    let _ = writeln!(
        out,
        "note: these flags and this environment were looked at; by hand, a systemd unit's \
         Environment= is not among them"
    );
    let mut warnings = Vec::new();
    if let Some(why) = missing_proxy(&config) {
        warnings.push(format!(
            "{why}, so a proxy seems to be in front; name it with --trusted-proxy, or all people \
             behind it count as one address"
        ));
    }
    if misses_own_origin(&config) {
        warnings.push(
            "--cors-origin is narrowed, and behind a proxy the server knows its own pages only if \
             the proxy passes the browser's Host with its port (nginx: $http_host); name their \
             origin with --public-url or --cors-origin"
                .into(),
        );
    }
    for warning in &warnings {
        let _ = writeln!(out, "warning: {warning}");
    }
    if warnings.is_empty() {
        let _ = writeln!(out, "nothing is wrong with it");
    }
    Ok(())
}

/// Whether it depends on a proxy if the server's own pages may call.
fn misses_own_origin(config: &Config) -> bool {
    let narrowed = matches!(config.cors, Cors::Only(_));
    let url = config.public_url.as_ref().map(|url| url.as_str().as_bytes());
    narrowed && !config.trusted_proxies.is_empty() && !url.is_some_and(origin::has_name)
}

/// Why there seems to be a proxy in front that nobody has named.
fn missing_proxy(config: &Config) -> Option<String> {
    let url = config.public_url.as_ref().map(PageUrl::as_str)?;
    if !config.trusted_proxies.is_empty() {
        return None;
    }
    if url.starts_with("https://") {
        return Some("the public address has TLS, which lictor does not speak".into());
    }
    let host = url.strip_prefix("http://")?.split(['/', '?', '#']).next()?;
    let local = host.parse::<SocketAddr>().map(|address| is_near(address.ip()));
    let local = local.or_else(|_| host.trim_matches(['[', ']']).parse().map(is_near));
    let local = local.unwrap_or_else(|_| host.split(':').next() == Some("localhost"));
    let listen = config.listen.ip();
    (listen.is_loopback() && !local).then(|| format!("{host} cannot reach {listen}"))
}

fn optional(time: Option<Duration>) -> String {
    time.map_or_else(|| "off".into(), |time| humantime::format_duration(time).to_string())
}

fn describe(mail: &MailSettings) -> String {
    format!("{}, from {}", mail.transport.describe(), mail.sender)
}

fn page(page: Option<PageUrl>) -> String {
    page.map_or_else(|| "no known page".into(), |page| page.as_str().to_owned())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
    }

    #[test]
    fn serve_is_the_default_command() {
        for (typed, expected) in [
            (vec!["lictor"], vec!["lictor", "serve"]),
            (vec!["lictor", "--listen", "x"], vec!["lictor", "serve", "--listen", "x"]),
            (vec!["lictor", "--help"], vec!["lictor", "--help"]),
            (vec!["lictor", "user", "list"], vec!["lictor", "user", "list"]),
        ] {
            let typed = typed.into_iter().map(OsString::from);
            assert_eq!(with_default_command(typed), expected);
        }
    }

    #[test]
    fn lifespans() {
        for (text, seconds) in [
            ("90", Some(90)),
            ("24h", Some(86_400)),
            ("30d", Some(2_592_000)),
            ("24 hours", Some(86_400)),
            ("1h 30m", Some(5_400)),
            ("2s", Some(2)),
            ("0", None),
            ("500ms", None),
            ("-1", None),
            ("", None),
            ("soon", None),
            ("99999999999999999999d", None),
        ] {
            assert_eq!(lifespan(text).ok(), seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn the_early_window_may_be_none() {
        for (text, seconds) in [("0", Some(0)), ("0s", Some(0)), ("60s", Some(60)), ("-1", None)] {
            assert_eq!(duration(text).ok(), seconds.map(Duration::from_secs), "{text:?}");
        }
    }

    #[test]
    fn origins() {
        let check =
            |typed: &[&str]| cors(&typed.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(check(&["*"]).unwrap(), Cors::Any);
        assert_eq!(check(&["none"]).unwrap(), Cors::Only(Vec::new()));
        assert!(
            matches!(check(&["http://a", " https://b:1"]), Ok(Cors::Only(list)) if list.len() == 2)
        );
        assert!(check(&["http://a", "*"]).is_err());
        assert!(check(&["http://a/"]).is_err());
    }

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
            let secret = crate::keys::Secret::new([7; 32]).unwrap();
            let mut config = Config::new("x", secret);
            config.listen = listen.parse().unwrap();
            config.public_url = url.map(|url| PageUrl::parse(url).unwrap());
            config.trusted_proxies = networks(&[trusted.to_owned()]).unwrap();
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
            // What --listen 127.0.0.1:5000 alone makes of it.
            ("none", Some("http://127.0.0.1:5000"), "127.0.0.1", true),
        ] {
            let mut config = Config::new("x", crate::keys::Secret::new([7; 32]).unwrap());
            config.cors = cors(&[cors_origin.to_owned()]).unwrap();
            config.public_url = url.map(|url| PageUrl::parse(url).unwrap());
            config.trusted_proxies = networks(&[trusted.to_owned()]).unwrap();
            let found = misses_own_origin(&config);
            assert_eq!(found, expected, "{cors_origin} {url:?} {trusted}");
        }
    }

    #[test]
    fn pages() {
        let check = |typed: Option<&str>| web(typed.map(OsStr::new));
        assert_eq!(check(None), Web::Embedded);
        assert_eq!(check(Some("")), Web::Embedded);
        assert_eq!(check(Some("off")), Web::Off);
        assert_eq!(check(Some("./off")), Web::Folder("./off".into()));
    }

    #[test]
    fn proxies() {
        let check = |typed: &[&str]| {
            networks(&typed.iter().map(ToString::to_string).collect::<Vec<_>>())
                .map(|networks| networks.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(check(&[]).unwrap().len(), 0);
        assert_eq!(check(&[""]).unwrap().len(), 0);
        assert_eq!(check(&["::1", " 10.0.0.0/8"]).unwrap(), ["::1/128", "10.0.0.0/8"]);
        assert!(check(&["::1", "localhost"]).is_err());
    }
}
