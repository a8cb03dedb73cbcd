//! Checked settings and their defaults. Knows neither the command line nor the environment.
//!
//! | file | owns |
//! |---|---|
//! | `brand` | the looks of an operator's own: a folder with name, colours, logo and links |
//! | `check` | which settings contradict each other |
//! | `cookie_domain`, `cors`, `issuer`, `mail`, `policy`, `registration`, `web` | the values of one setting each |

mod brand;
mod check;
mod cookie_domain;
mod cors;
mod issuer;
#[cfg(feature = "mail")]
mod mail;
mod policy;
mod registration;
mod web;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::access::AccessRules;
use crate::error::Problem;
use crate::guard::{Audiences, Blocklist, HashCost, HashKernel, PasswordRules};
use crate::ip::Network;
use crate::keys::{Algorithm, Keys};
use crate::link::PageUrl;
use crate::net::Settings;
use crate::store::Database;
use crate::values::{Role, Roles};

pub use brand::Brand;
pub(crate) use brand::{Image as BrandImage, Role as BrandRole, Served};
pub use cookie_domain::CookieDomain;
pub use cors::{Cors, Origin};
pub use issuer::Issuer;
#[cfg(feature = "mail")]
pub use mail::MailSettings;
pub use policy::{RefreshReuse, SecondFactorRule};
pub use registration::Registration;
pub use web::Web;

/// The default of `database_map`: a file of two million users and sessions.
const DATABASE_MAP: u64 = 1 << 30;

/// The configuration of an [`App`](crate::App) and its server. In brackets: the default.
///
/// ```
/// use lictor::{Config, Secret};
/// let secret = Secret::new("correct horse battery staple, and more")?;
/// let mut config = Config::new("app.db", secret);
/// config.listen = "127.0.0.1:8080".parse()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Config {
    /// Where to listen (127.0.0.1:5000).
    pub listen: SocketAddr,
    /// Where a [`Server`](crate::Server) has metrics, in Prometheus' text format at `/metrics`
    /// (nowhere). Whoever reaches this port can read them.
    pub metrics: Option<SocketAddr>,
    /// Where the users are; made if it does not exist.
    pub database: Database,
    /// The most bytes of an SQLite file that are mapped into memory while nobody writes (1 GiB); 0
    /// turns it off.
    pub database_map: u64,
    /// The keys that sign and verify tokens.
    pub keys: Keys,
    /// The algorithm of new tokens (that of the newest key).
    pub algorithm: Option<Algorithm>,
    /// The names of the apps that tokens are for, in their claim `aud` (none). A token that names others
    /// alone is refused.
    pub audience: Audiences,
    /// How long an access token is valid (24 hours).
    pub access_lifespan: Duration,
    /// How long after the login a token can be refreshed (30 days).
    pub refresh_lifespan: Duration,
    /// How long before it expires a token can be refreshed (60 seconds).
    pub early_refresh: Duration,
    /// How long a token that resets a password is valid (1 hour).
    pub reset_lifespan: Duration,
    /// How long the link that confirms an e-mail address is valid (24 hours).
    pub confirmation_lifespan: Duration,
    /// How mail is sent (not at all). Needs the feature `mail`.
    #[cfg(feature = "mail")]
    pub mail: Option<MailSettings>,
    /// Where people reach the app (none); its pages `finalize` and `reset-finalize` take the tokens
    /// of the links in mails.
    pub public_url: Option<PageUrl>,
    /// Where people go on after a login (the pages of their account).
    pub home_url: Option<PageUrl>,
    /// Another page for the token that confirms an e-mail address (none); with a fragment if the app
    /// routes there.
    pub confirmation_url: Option<PageUrl>,
    /// Another page for the token that resets a password (none).
    pub reset_url: Option<PageUrl>,
    /// Who may register (everyone).
    pub registration: Registration,
    /// Whether tokens of another program with the same secret are accepted, such as those of the
    /// Flask app that lictor replaces (no). Their first use records them as sessions.
    pub adopt_tokens: bool,
    /// Roles of an account that registers without an invitation (user).
    pub default_roles: Roles,
    /// Whose accounts must have a second factor (nobody's).
    pub require_second_factor: SecondFactorRule,
    /// Where an older token may be refreshed again (where the session was refreshed last).
    pub refresh_reuse: RefreshReuse,
    /// How long a session lasts without a refresh (as long as its tokens can be refreshed).
    pub session_idle: Option<Duration>,
    /// The domain whose hosts share the cookie of a browser session (none: the cookie is for the host
    /// of the login alone).
    pub cookie_domain: Option<CookieDomain>,
    /// The greatest age of a login for ending sessions and for an administrator's changes (any).
    pub reauthenticate: Option<Duration>,
    /// The fewest characters of a new password, from 8 to 64 (8).
    pub min_password_length: u16,
    /// A file of passwords that nobody may choose, in addition to the built-in list (none).
    pub password_blocklist: Option<PathBuf>,
    /// The memory of a new password hash in KiB, from 19,456 to 262,144 (19,456). Memory times
    /// [`Config::hash_passes`] is at most 1 GiB. Each thread that hashes needs the memory. A weaker
    /// hash is replaced at its user's next login.
    pub hash_memory: u32,
    /// The passes of a new password hash, from 2 to 16 (2).
    pub hash_passes: u32,
    /// What computes password hashes (the fast kernel, if it passes its self-test).
    pub hash_kernel: HashKernel,
    /// Whether a mail tells people of a login from a device that is new to them (yes).
    pub login_notices: bool,
    /// How long audit entries are kept (90 days).
    pub audit_retention: Duration,
    /// The name of the service in authenticator apps and mails (that of the brand, or else lictor).
    pub issuer: Issuer,
    /// Name, colours, logo and links of the pages and mails (lictor's).
    pub brand: Option<Brand>,
    /// The pages that are served (none; the command line serves lictor's own app).
    pub web: Web,
    /// The origins whose pages may call (all).
    pub cors: Cors,
    /// Whether guessing passwords is slowed down (yes). Off is for load tests.
    pub throttle: bool,
    /// Proxies whose `X-Forwarded-For` names the client (none).
    pub trusted_proxies: Vec<Network>,
    /// Who may open which pages of the apps behind the proxy (everybody who is logged in).
    pub access: Option<AccessRules>,
    /// Without such rules, the role that somebody needs for the apps behind the proxy (none).
    pub access_role: Option<Role>,
    /// The size of the engine.
    pub engine: Settings,
}

impl Config {
    /// The defaults, with the two settings that have none.
    // Long: one line a setting.
    pub fn new(database: impl Into<Database>, keys: impl Into<Keys>) -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            metrics: None,
            database: database.into(),
            database_map: DATABASE_MAP,
            keys: keys.into(),
            algorithm: None,
            audience: Audiences::default(),
            access_lifespan: Duration::from_secs(24 * 3600),
            refresh_lifespan: Duration::from_secs(30 * 24 * 3600),
            early_refresh: Duration::from_secs(60),
            reset_lifespan: Duration::from_secs(3600),
            confirmation_lifespan: Duration::from_secs(24 * 3600),
            #[cfg(feature = "mail")]
            mail: None,
            public_url: None,
            home_url: None,
            confirmation_url: None,
            reset_url: None,
            registration: Registration::Open,
            adopt_tokens: false,
            default_roles: Roles::user(),
            require_second_factor: SecondFactorRule::Off,
            refresh_reuse: RefreshReuse::SameDevice,
            session_idle: None,
            cookie_domain: None,
            reauthenticate: None,
            min_password_length: 8,
            password_blocklist: None,
            hash_memory: HashCost::FLOOR.memory_kib(),
            hash_passes: HashCost::FLOOR.passes(),
            hash_kernel: HashKernel::Auto,
            login_notices: true,
            audit_retention: Duration::from_secs(90 * 24 * 3600),
            issuer: Issuer::lictor(),
            brand: None,
            web: Web::Off,
            cors: Cors::Any,
            throttle: true,
            trusted_proxies: Vec::new(),
            access: None,
            access_role: None,
            engine: Settings::default(),
        }
    }

    /// The page for the token that confirms an e-mail address, if a setting names it.
    pub fn confirmation_page(&self) -> Option<PageUrl> {
        self.confirmation_url.clone().or_else(|| self.page(PageUrl::CONFIRMATION))
    }

    /// The page for the token that resets a password, if a setting names it.
    pub fn reset_page(&self) -> Option<PageUrl> {
        self.reset_url.clone().or_else(|| self.page(PageUrl::RESET))
    }

    /// The name of the service: that of the brand, or else the issuer.
    pub(crate) fn service(&self) -> &Issuer {
        Brand::service(self.brand.as_ref(), &self.issuer)
    }

    /// The page that takes the code of an invitation, if a setting names it.
    pub(crate) fn registration_page(&self) -> Option<PageUrl> {
        self.page(PageUrl::REGISTRATION)
    }

    /// Whether logins are for apps behind a proxy, so that pages ask for the cookie.
    pub(crate) fn wants_cookie(&self) -> bool {
        self.cookie_domain.is_some() || self.access.is_some() || self.access_role.is_some()
    }

    /// Whether mail can be sent.
    pub(crate) fn sends_mail(&self) -> bool {
        #[cfg(feature = "mail")]
        return self.mail.is_some();
        #[cfg(not(feature = "mail"))]
        return false;
    }

    fn page(&self, path: &str) -> Option<PageUrl> {
        self.public_url.as_ref().map(|url| url.below(path))
    }

    /// Opens the file of passwords that nobody may choose, if one is configured.
    pub(crate) fn blocklist(&self) -> Result<Option<Blocklist>, Problem> {
        self.password_blocklist.as_deref().map(Blocklist::open).transpose()
    }

    /// The cost of a new hash; an error if a setting is outside of its limits.
    pub(crate) fn hash_cost(&self) -> Result<HashCost, Problem> {
        HashCost::new(self.hash_memory, self.hash_passes)
    }

    /// The rules for new passwords.
    pub(crate) fn password_rules(&self) -> Result<PasswordRules, Problem> {
        let blocklist = self.blocklist()?;
        Ok(PasswordRules::new(self.min_password_length, self.service().as_str(), blocklist))
    }
}
