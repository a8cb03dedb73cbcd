//! The flags of `serve` and `check`, and the [`Config`] that they make.

use std::ffi::{OsStr, OsString};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::database::{DatabaseFlag, made_if_missing};
use super::flask_env;
use super::key_source::{KeyFlags, KeySource};
use super::logging::LogLevel;
use super::mail_flags::{MailFlags, PageFlags};
use super::parse::{Switch, duration, lifespan, listen, naming, size};
use super::policy_flags::PolicyFlags;
use super::port::Listen;
use crate::assets::Assets;
use crate::clock::Timestamp;
use crate::config::{Config, Cors, Issuer, Origin, Registration, Web};
use crate::error::Problem;
use crate::ip::Network;
use crate::keys::Keys;

#[derive(Args, Debug)]
#[command(mut_arg("database", made_if_missing))]
pub(super) struct ServeFlags {
    /// IP address and port to listen on [default: 0.0.0.0 and the port in PORT if that is set, else
    /// 127.0.0.1:5000]
    #[arg(long, value_name = "ADDR:PORT", env = "LICTOR_LISTEN", value_parser = listen)]
    listen: Option<SocketAddr>,

    #[command(flatten)]
    pub(super) database: DatabaseFlag,

    /// Maximum bytes of an SQLite file to map into memory while nobody writes: 1GiB, 512MiB, or a
    /// number; 0 turns it off
    #[arg(long, value_name = "SIZE", env = "LICTOR_DATABASE_MAP", default_value = "1GiB", value_parser = size)]
    database_map: u64,

    #[command(flatten)]
    pub(super) keys: KeyFlags,

    /// Who may register
    #[arg(long, value_name = "MODE", env = "LICTOR_REGISTRATION", default_value = "open")]
    registration: RegistrationMode,

    /// How long an access token is valid: 24h, 15m, or seconds
    #[arg(long, value_name = "TIME", env = "JWT_ACCESS_LIFESPAN", default_value = "24h", value_parser = lifespan)]
    access_lifespan: Duration,

    /// How long after the login a token can be refreshed: 30d, 12h, or seconds
    #[arg(long, value_name = "TIME", env = "JWT_REFRESH_LIFESPAN", default_value = "30d", value_parser = lifespan)]
    refresh_lifespan: Duration,

    /// How long before it expires a token can be refreshed, for clocks that differ: 60s, 0
    #[arg(long, value_name = "TIME", env = "LICTOR_EARLY_REFRESH", default_value = "60s", value_parser = duration)]
    early_refresh: Duration,

    /// How long a token that resets a password is valid: 1h, 30m, or seconds
    #[arg(long, value_name = "TIME", env = "LICTOR_RESET_LIFESPAN", default_value = "1h", value_parser = lifespan)]
    reset_lifespan: Duration,

    /// How long the link that confirms an e-mail address is valid: 24h, 2d, or seconds
    #[arg(long, value_name = "TIME", env = "LICTOR_CONFIRMATION_LIFESPAN", default_value = "24h", value_parser = lifespan)]
    confirmation_lifespan: Duration,

    #[command(flatten)]
    mail: MailFlags,

    #[command(flatten)]
    pages: PageFlags,

    #[command(flatten)]
    pub(super) policy: PolicyFlags,

    /// Accept tokens that another program made with the same secret, such as the Flask app that
    /// lictor replaces: the switch-over then logs nobody out. Remove it after the refresh lifespan
    #[arg(long, env = "LICTOR_ADOPT_TOKENS")]
    adopt_tokens: bool,

    /// How long audit entries are kept: 90d, 1y, or seconds
    #[arg(long, value_name = "TIME", env = "LICTOR_AUDIT_RETENTION", default_value = "90d", value_parser = lifespan)]
    audit_retention: Duration,

    /// The name of the service in authenticator apps and mails
    #[arg(long, value_name = "NAME", env = "LICTOR_ISSUER", default_value = "lictor")]
    issuer: String,

    /// A folder with an app of yours to serve instead of lictor's own; `off` for none
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

    /// IP addresses and networks of proxies, separated by commas, whose X-Forwarded-For names the
    /// client; that of all others is ignored
    #[arg(long, value_name = "ADDR[/BITS]", env = "LICTOR_TRUSTED_PROXY", value_delimiter = ',')]
    trusted_proxy: Vec<String>,

    /// Threads that answer requests [default: the number of cores, at least 2]
    #[arg(long, value_name = "N", env = "LICTOR_WORKERS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: Option<u16>,

    /// Threads that hash passwords; each needs --hash-memory while busy [default: the number of cores]
    #[arg(long, value_name = "N", env = "LICTOR_HASH_THREADS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    hash_threads: Option<u16>,

    /// The most open connections; then the longest idle ones are closed for new ones, and after them
    /// those that wait longest for the rest of a request
    #[arg(long, value_name = "N", env = "LICTOR_MAX_CONNECTIONS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_connections: u32,

    /// The most open connections from one IP address (an IPv6 /64 counts as one); raise it behind a
    /// proxy
    #[arg(long, value_name = "N", env = "LICTOR_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(1..))]
    max_connections_per_address: u32,

    /// Which log lines to write to standard error
    #[arg(long, value_name = "LEVEL", env = "LICTOR_LOG", default_value = "info")]
    pub(super) log: LogLevel,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RegistrationMode {
    /// Everyone
    Open,
    /// Everyone who follows the link in a mail; needs --mail
    Email,
    /// Everyone with an invitation; `lictor invite add` makes one
    Invite,
    /// Nobody; `lictor user add` makes accounts
    Closed,
}

impl RegistrationMode {
    fn registration(self) -> Registration {
        match self {
            RegistrationMode::Open => Registration::Open,
            RegistrationMode::Email => Registration::Email,
            RegistrationMode::Invite => Registration::Invite,
            RegistrationMode::Closed => Registration::Closed,
        }
    }
}

impl ServeFlags {
    /// The configuration that these flags and `keys` make, checked.
    pub(super) fn config(&self, keys: Keys) -> Result<Config, Problem> {
        let mut config = Config::new(self.database.find()?.clone(), keys);
        config.listen = self.listen()?.address;
        config.database_map = self.database_map;
        config.access_lifespan = self.access_lifespan;
        config.refresh_lifespan = self.refresh_lifespan;
        config.early_refresh = self.early_refresh;
        config.reset_lifespan = self.reset_lifespan;
        config.algorithm = self.keys.algorithm();
        config.registration = self.registration.registration();
        config.confirmation_lifespan = self.confirmation_lifespan;
        config.mail = self.mail.settings()?;
        let pages = self.pages.pages(Some(config.listen))?;
        config.public_url = pages.public;
        config.confirmation_url = pages.confirmation;
        config.reset_url = pages.reset;
        self.policy.apply(&mut config)?;
        config.adopt_tokens = self.adopt_tokens;
        config.audit_retention = self.audit_retention;
        config.issuer = Issuer::parse(&self.issuer).map_err(naming("--issuer"))?;
        config.web = web(self.web.as_deref());
        config.cors = cors(&self.cors_origin)?;
        config.throttle = self.throttle == Switch::On;
        config.trusted_proxies = networks(&self.trusted_proxy)?;
        let engine = &mut config.engine;
        engine.workers = self.workers.map_or(engine.workers, usize::from);
        engine.slow_workers = self.hash_threads.map_or(engine.slow_workers, usize::from);
        engine.max_connections = self.max_connections as usize;
        engine.max_per_ip = self.max_connections_per_address;
        config.check()?;
        Ok(config)
    }

    /// Where to listen.
    pub(super) fn listen(&self) -> Result<Listen, Problem> {
        Listen::choose(self.listen, std::env::var_os("PORT").as_deref())
    }

    /// Where the keys come from.
    pub(super) fn key_source(&self, now: Timestamp) -> Result<KeySource, Problem> {
        KeySource::new(&self.keys, self.database.find()?, now)
    }

    /// What `serve` and `check` both warn of: a short secret, variables that are not read.
    pub(super) fn warnings(
        &self,
        source: &KeySource,
        config: &Config,
    ) -> Result<Vec<String>, Problem> {
        let mut warnings: Vec<String> = source.warning().map(Into::into).into_iter().collect();
        let origin = self.database.choose()?.origin;
        warnings.extend(flask_env::warnings(config, origin, |name| std::env::var_os(name)));
        Ok(warnings)
    }

    /// The pages that are served; an error if the database or the keys lie among them.
    pub(super) fn assets(&self, source: &KeySource) -> Result<Assets, Problem> {
        let mut private = self.database.find()?.private_files();
        private.extend(source.file().ok().map(Path::to_owned));
        Assets::open(&web(self.web.as_deref()), &private)
    }
}

/// An empty variable in the environment means the default.
fn web(typed: Option<&OsStr>) -> Web {
    match typed.filter(|typed| !typed.is_empty()) {
        None => Web::Embedded,
        Some(off) if off == "off" => Web::Off,
        Some(path) => Web::Folder(path.into()),
    }
}

pub(super) fn cors(typed: &[String]) -> Result<Cors, Problem> {
    match typed {
        [one] if one == "*" => Ok(Cors::Any),
        [one] if one == "none" => Ok(Cors::Only(Vec::new())),
        origins => {
            let origins = origins.iter().map(|origin| Origin::parse(origin.trim()));
            origins.collect::<Result<_, _>>().map(Cors::Only).map_err(naming("--cors-origin"))
        }
    }
}

/// An empty variable in the environment means none.
pub(super) fn networks(typed: &[String]) -> Result<Vec<Network>, Problem> {
    let typed = typed.iter().map(|network| network.trim()).filter(|network| !network.is_empty());
    typed.map(Network::parse).collect::<Result<_, _>>().map_err(naming("--trusted-proxy"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
