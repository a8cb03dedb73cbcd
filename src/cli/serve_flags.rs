//! The flags of `serve` and `check`, and the [`Config`] that they make.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::Path;

use super::access_flags;
use super::args::Args;
use super::brand_flags;
use super::database::{self, DatabaseFlag};
use super::environment::variable;
use super::flag::{Row, flag, group};
use super::flask_env;
use super::hash_timing::fitting_threads;
use super::key_source::{self, KeySource};
use super::kind::{ADDRESS, Choices, DURATION, Kind, LIFESPAN, ON_OR_OFF, SIZE};
use super::logging::{FORMATS, LEVELS, LogLevel};
use super::machine;
use super::mail_flags;
use super::parse::naming;
use super::policy_flags;
use super::port::Listen;
use crate::assets::Assets;
use crate::clock::Timestamp;
use crate::config::{Config, Cors, Issuer, Origin, Registration, Web};
use crate::error::Problem;
use crate::guard::Audiences;
use crate::ip::Network;
use crate::keys::Keys;
use crate::link::PageUrl;
use crate::store::Database;

pub(super) const FLAGS: &[Row] = &[
    flag("--listen ADDR:PORT", ADDRESS).env("LICTOR_LISTEN").help(
        "IP address and port to listen on [default: 0.0.0.0 and the port in PORT if that is \
         set, else 127.0.0.1:5000]",
    ),
    flag("--metrics ADDR:PORT", ADDRESS).env("LICTOR_METRICS").help(
        "IP address and port for metrics in Prometheus' format, at /metrics [default: none]. \
         Whoever reaches it can read them",
    ),
    group(database::MADE_IF_MISSING),
    flag("--database-map SIZE", SIZE).env("LICTOR_DATABASE_MAP").default("1GiB").help(
        "Maximum bytes of an SQLite file to map into memory while nobody writes: 1GiB, \
         512MiB, or a number; 0 turns it off",
    ),
    group(key_source::FLAGS),
    flag("--new-key", Kind::Switch).help(
        "Make a new key if the key file is lost although people have logged in; everybody \
         then logs in again, and links in mails that were sent do not work",
    ),
    flag("--registration MODE", Kind::OneOf(&REGISTRATION))
        .env("LICTOR_REGISTRATION")
        .default("open")
        .help("Who may register"),
    flag("--access-lifespan TIME", LIFESPAN)
        .env("JWT_ACCESS_LIFESPAN")
        .default("24h")
        .help("How long an access token is valid: 24h, 15m, or seconds"),
    flag("--refresh-lifespan TIME", LIFESPAN)
        .env("JWT_REFRESH_LIFESPAN")
        .default("30d")
        .help("How long after the login a token can be refreshed: 30d, 12h, or seconds"),
    flag("--early-refresh TIME", DURATION).env("LICTOR_EARLY_REFRESH").default("60s").help(
        "How long before it expires a token can be refreshed, for clocks that differ: 60s, 0",
    ),
    flag("--reset-lifespan TIME", LIFESPAN)
        .env("LICTOR_RESET_LIFESPAN")
        .default("1h")
        .help("How long a token that resets a password is valid: 1h, 30m, or seconds"),
    flag("--confirmation-lifespan TIME", LIFESPAN)
        .env("LICTOR_CONFIRMATION_LIFESPAN")
        .default("24h")
        .help("How long the link that confirms an e-mail address is valid: 24h, 2d, or seconds"),
    group(mail_flags::FLAGS),
    group(mail_flags::PAGES),
    flag("--home-url URL", Kind::Text).env("LICTOR_HOME_URL").help(
        "URL at which people go on after a login that leads nowhere else [default: their \
         account]",
    ),
    group(policy_flags::FLAGS),
    flag("--adopt-tokens", Kind::Switch).env("LICTOR_ADOPT_TOKENS").help(
        "Accept tokens that another program made with the same secret, such as the Flask app \
         that lictor replaces: the switch-over then logs nobody out. Remove it after the \
         refresh lifespan",
    ),
    flag("--audience NAME", Kind::Text).env("LICTOR_AUDIENCE").list().help(
        "Names of the apps that tokens are for, separated by commas, such as shop: the claim aud \
         of new tokens. Tokens for others are refused",
    ),
    flag("--audit-retention TIME", LIFESPAN)
        .env("LICTOR_AUDIT_RETENTION")
        .default("90d")
        .help("How long audit entries are kept: 90d, 1y, or seconds"),
    flag("--issuer NAME", Kind::Text)
        .env("LICTOR_ISSUER")
        .default("lictor")
        .help("The name of the service in authenticator apps and mails"),
    group(brand_flags::FLAGS),
    flag("--web DIR|off", Kind::Any)
        .env("LICTOR_WEB")
        .help("A folder with an app of yours to serve instead of lictor's own; `off` for none"),
    flag("--cors-origin ORIGIN", Kind::Text).env("LICTOR_CORS_ORIGIN").default("*").list().help(
        "Origins whose pages may call from a browser, separated by commas; `*` for all, \
         `none` for none",
    ),
    flag("--throttle ON|OFF", Kind::OneOf(&ON_OR_OFF))
        .env("LICTOR_THROTTLE")
        .default("on")
        .help("Whether guessing passwords is slowed down; `off` is for load tests"),
    flag("--trusted-proxy ADDR[/BITS]", Kind::Text).env("LICTOR_TRUSTED_PROXY").list().help(
        "IP addresses and networks of proxies, separated by commas, whose X-Forwarded-For \
         names the client; that of all others is ignored",
    ),
    group(access_flags::FLAGS),
    flag("--workers N", Kind::Number(1, 1024))
        .env("LICTOR_WORKERS")
        .help("Threads that answer requests [default: the number of cores, at least 2]"),
    flag("--hash-threads N", Kind::Number(1, 1024)).env("LICTOR_HASH_THREADS").help(
        "Threads that hash passwords; each needs --hash-memory while busy [default: the \
         number of cores, or fewer if the memory is for fewer]",
    ),
    flag("--max-connections N", Kind::Number(1, 1_000_000))
        .env("LICTOR_MAX_CONNECTIONS")
        .default("10000")
        .help(
            "The most open connections; then the longest idle ones are closed for new ones, and \
             after them those that wait longest for the rest of a request",
        ),
    flag("--max-connections-per-address N", Kind::Number(1, 4_294_967_295))
        .env("LICTOR_MAX_CONNECTIONS_PER_ADDRESS")
        .default("1024")
        .help(
            "The most open connections from one IP address (an IPv6 /64 counts as one); raise it \
             behind a proxy",
        ),
    flag("--drain-delay TIME", DURATION)
        .env("LICTOR_DRAIN_DELAY")
        .default("0")
        .help("How long a stop is put off, so that load balancers see /api/ready fail: 10s"),
    flag("--log LEVEL", Kind::OneOf(&LEVELS))
        .env("LICTOR_LOG")
        .default("info")
        .help("Which log lines to write to standard error"),
    flag("--log-format FORMAT", Kind::OneOf(&FORMATS))
        .env("LICTOR_LOG_FORMAT")
        .default("text")
        .help("The form of log lines; json is one object a line"),
];

const REGISTRATION: Choices<Registration> = Choices(&[
    ("open", "Everyone", Registration::Open),
    ("email", "Everyone who follows the link in a mail; needs --mail", Registration::Email),
    ("invite", "Everyone with an invitation; `lictor invite add` makes one", Registration::Invite),
    ("closed", "Nobody; `lictor user add` makes accounts", Registration::Closed),
]);

/// The flags that were given to `serve` or `check`.
pub(super) struct ServeFlags<'a> {
    pub(super) args: &'a Args,
    pub(super) database: DatabaseFlag<'a>,
    /// Where to listen, whatever was typed: the service manager has opened it.
    handed: Option<SocketAddr>,
}

impl ServeFlags<'_> {
    pub(super) fn of(args: &Args) -> ServeFlags<'_> {
        ServeFlags { args, database: DatabaseFlag::of(args), handed: None }
    }

    /// Whether a lost key is to be made anew.
    pub(super) fn has_new_key(&self) -> bool {
        self.args.is_given("--new-key")
    }

    /// Which log lines are written.
    pub(super) fn log(&self) -> LogLevel {
        self.args.one_of("--log", &LEVELS)
    }

    /// The configuration that these flags and `keys` make, checked.
    pub(super) fn config(&self, keys: Keys) -> Result<Config, Problem> {
        let args = self.args;
        let mut config = Config::new(self.database.find()?.clone(), keys);
        config.listen = self.listen()?.address;
        config.metrics = args.get("--metrics");
        config.database_map = args.value("--database-map");
        config.access_lifespan = args.value("--access-lifespan");
        config.refresh_lifespan = args.value("--refresh-lifespan");
        config.early_refresh = args.value("--early-refresh");
        config.reset_lifespan = args.value("--reset-lifespan");
        config.algorithm = key_source::algorithm(args);
        config.registration = args.one_of("--registration", &REGISTRATION);
        config.confirmation_lifespan = args.value("--confirmation-lifespan");
        config.mail = mail_flags::settings(args)?;
        let pages = mail_flags::pages(args, Some(config.listen))?;
        config.public_url = pages.public;
        config.home_url = home_page(args)?;
        config.confirmation_url = pages.confirmation;
        config.reset_url = pages.reset;
        policy_flags::apply(args, &mut config)?;
        config.adopt_tokens = args.is_given("--adopt-tokens");
        config.audience = audience(&args.list("--audience"))?;
        config.audit_retention = args.value("--audit-retention");
        config.issuer = Issuer::parse(args.value("--issuer")).map_err(naming("--issuer"))?;
        config.brand = brand_flags::open(args)?;
        config.web = web(args.get("--web"));
        config.cors = cors(&args.list("--cors-origin"))?;
        config.throttle = args.one_of("--throttle", &ON_OR_OFF);
        config.trusted_proxies = networks(&args.list("--trusted-proxy"))?;
        access_flags::apply(args, &mut config)?;
        self.size_engine(&mut config)?;
        config.check()?;
        Ok(config)
    }

    /// Sets the numbers of threads and connections.
    fn size_engine(&self, config: &mut Config) -> Result<(), Problem> {
        let (args, cost) = (self.args, config.hash_cost()?);
        let engine = &mut config.engine;
        let fitting = fitting_threads(engine.slow_workers, cost, machine::memory_kib());
        engine.workers = args.get::<u16>("--workers").map_or(engine.workers, usize::from);
        engine.slow_workers = args.get::<u16>("--hash-threads").map_or(fitting, usize::from);
        engine.max_connections = args.value::<u32>("--max-connections") as usize;
        engine.max_per_ip = args.value("--max-connections-per-address");
        engine.drain_delay = args.value("--drain-delay");
        Ok(())
    }

    /// Where to listen.
    pub(super) fn listen(&self) -> Result<Listen, Problem> {
        let typed = self.handed.or_else(|| self.args.get("--listen"));
        Listen::choose(typed, variable("PORT").as_deref())
    }

    /// Listens here, whatever was typed.
    pub(super) fn listen_on(&mut self, address: SocketAddr) {
        self.handed = Some(address);
    }

    /// Where the keys come from.
    pub(super) fn key_source(&self, now: Timestamp) -> Result<KeySource, Problem> {
        self.key_source_of(self.database.find()?, now)
    }

    /// Where the keys of this database come from.
    pub(super) fn key_source_of(
        &self,
        database: &Database,
        now: Timestamp,
    ) -> Result<KeySource, Problem> {
        KeySource::new(self.args, database, now)
    }

    /// What `serve` and `check` both warn of: a short secret, variables that are not read.
    pub(super) fn warnings(
        &self,
        source: &KeySource,
        config: &Config,
    ) -> Result<Vec<String>, Problem> {
        let mut warnings: Vec<String> = source.warning().map(Into::into).into_iter().collect();
        let origin = self.database.choose()?.origin;
        warnings.extend(flask_env::warnings(config, origin, variable));
        Ok(warnings)
    }

    /// The pages that are served; an error if the database or the keys lie among them.
    pub(super) fn assets(&self, source: &KeySource) -> Result<Assets, Problem> {
        let mut private = self.database.find()?.private_files();
        private.extend(source.file().ok().map(Path::to_owned));
        Assets::open(&web(self.args.get("--web")), &private)
    }
}

/// Whom tokens are for. An empty variable in the environment means nobody in particular.
fn audience(typed: &[&str]) -> Result<Audiences, Problem> {
    let names: Vec<&str> = typed.iter().map(|name| name.trim()).collect();
    let names = if names == [""] { Vec::new() } else { names };
    Audiences::parse(names).map_err(naming("--audience"))
}

/// An empty variable in the environment means none.
fn home_page(args: &Args) -> Result<Option<PageUrl>, Problem> {
    let typed = args.get("--home-url").map(str::trim).filter(|typed| !typed.is_empty());
    typed.map(PageUrl::parse).transpose().map_err(naming("--home-url"))
}

/// An empty variable in the environment means the default.
fn web(typed: Option<&OsStr>) -> Web {
    match typed.filter(|typed| !typed.is_empty()) {
        None => Web::Embedded,
        Some(off) if off == "off" => Web::Off,
        Some(path) => Web::Folder(path.into()),
    }
}

pub(super) fn cors(typed: &[&str]) -> Result<Cors, Problem> {
    match typed {
        ["*"] => Ok(Cors::Any),
        ["none"] => Ok(Cors::Only(Vec::new())),
        origins => {
            let origins = origins.iter().map(|origin| Origin::parse(origin.trim()));
            origins.collect::<Result<_, _>>().map(Cors::Only).map_err(naming("--cors-origin"))
        }
    }
}

/// An empty variable in the environment means none.
pub(super) fn networks(typed: &[&str]) -> Result<Vec<Network>, Problem> {
    let typed = typed.iter().map(|network| network.trim()).filter(|network| !network.is_empty());
    typed.map(Network::parse).collect::<Result<_, _>>().map_err(naming("--trusted-proxy"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins() {
        let check = cors;
        assert_eq!(check(&["*"]).unwrap(), Cors::Any);
        assert_eq!(check(&["none"]).unwrap(), Cors::Only(Vec::new()));
        assert!(
            matches!(check(&["http://a", " https://b:1"]), Ok(Cors::Only(list)) if list.len() == 2)
        );
        assert!(check(&["http://a", "*"]).is_err());
        assert!(check(&["http://a/"]).is_err());
    }

    #[test]
    fn audiences() {
        let check = |typed: &[&str]| audience(typed).map(|found| found.names().join(" "));
        assert_eq!(check(&[]).unwrap(), "");
        assert_eq!(check(&[""]).unwrap(), "");
        assert_eq!(check(&[" "]).unwrap(), "");
        assert_eq!(check(&["shop", " wiki"]).unwrap(), "shop wiki");
        assert!(check(&["shop", ""]).is_err());
        assert!(check(&["", ""]).is_err());
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
            networks(typed)
                .map(|networks| networks.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(check(&[]).unwrap().len(), 0);
        assert_eq!(check(&[""]).unwrap().len(), 0);
        assert_eq!(check(&["::1", " 10.0.0.0/8"]).unwrap(), ["::1/128", "10.0.0.0/8"]);
        assert!(check(&["::1", "localhost"]).is_err());
    }
}
