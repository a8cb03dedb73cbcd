//! What runs: checked values with their defaults. Knows neither the command line nor the
//! environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use crate::error::Problem;
use crate::guard::{Blocklist, PasswordRules};
use crate::ip::Network;
use crate::keys::{Algorithm, Keys};
use crate::link::PageUrl;
use crate::mail::{Sender, Transport};
use crate::values::Roles;

/// Who may register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// Everyone, at once.
    Open,
    /// Everyone who follows the link in a mail to the address that they give.
    Email,
    /// Whoever has an invitation, from an administrator or the command line.
    Invite,
    /// Nobody; accounts come from the command line.
    Closed,
}

impl Registration {
    /// As it is written on the command line and in answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Registration::Open => "open",
            Registration::Email => "email",
            Registration::Invite => "invite",
            Registration::Closed => "closed",
        }
    }
}

/// Which pages are served beside the API, where no route is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Web {
    /// None: what is no endpoint is not there.
    Off,
    /// lictor's own app.
    Embedded,
    /// The app in this folder, which has an `index.html`.
    Folder(PathBuf),
}

/// Which web pages of other origins may call the API from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cors {
    /// All of them. No cookie is ever allowed along, so a page can do no more than a stranger.
    Any,
    /// Those listed, compared to the letter; an empty list means none.
    Only(Vec<Origin>),
}

/// An origin as browsers send it: scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// ```
    /// use lictor::Origin;
    /// assert!(Origin::parse("http://localhost:3000").is_ok());
    /// assert!(Origin::parse("http://localhost:3000/").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Origin, Problem> {
        let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let fine = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase() || b"-.:[]_".contains(&b);
        match host {
            Some(host) if !host.is_empty() && host.bytes().all(fine) => Ok(Origin(text.into())),
            _ => Err(Problem::usage(
                format!("{text:?} is not an origin"),
                "write it as browsers do: scheme, lower-case host and port, without a path, like \
                 https://app.example or http://localhost:3000",
            )),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// What authenticator apps call this service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// Bytes of it; a QR code that holds more is hard to scan.
const MAX_ISSUER: usize = 64;

impl Issuer {
    /// ```
    /// use lictor::Issuer;
    /// assert!(Issuer::parse("Ada's Photos").is_ok());
    /// assert!(Issuer::parse("photos: Ada's").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Issuer, Problem> {
        let fine = |char: char| !char.is_control() && char != ':';
        match text.trim() {
            name if (1..=MAX_ISSUER).contains(&name.len()) && name.chars().all(fine) => {
                Ok(Issuer(name.into()))
            }
            _ => Err(Problem::usage(
                format!("{text:?} cannot be an issuer"),
                format!("give a name of at most {MAX_ISSUER} bytes without a colon"),
            )),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where an older token of a session may be refreshed again, beyond the grace period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshReuse {
    /// Where the session was refreshed last: the same address and program. Client libraries that
    /// keep a copy of the token for each tab need it.
    SameDevice,
    /// Nowhere: an older token ends its session.
    Never,
}

impl RefreshReuse {
    /// As it is written on the command line.
    #[cfg(feature = "cli")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            RefreshReuse::SameDevice => "same-device",
            RefreshReuse::Never => "never",
        }
    }
}

/// Whose accounts must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecondFactorRule {
    /// Nobody's.
    Off,
    /// Those with the role `admin`.
    Admin,
    /// Everybody's.
    All,
}

impl SecondFactorRule {
    /// For people.
    #[cfg(feature = "cli")]
    pub(crate) fn describe(self) -> &'static str {
        match self {
            SecondFactorRule::Off => "not required",
            SecondFactorRule::Admin => "required of administrators",
            SecondFactorRule::All => "required of everybody",
        }
    }
}

/// How mail is sent.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// The way that mails go.
    pub transport: Transport,
    /// The address that they come from.
    pub sender: Sender,
    /// A folder with words of one's own.
    pub templates: Option<PathBuf>,
}

/// Everything that an [`App`](crate::App) and its server need to know.
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
    /// The SQLite file; made if it is not there.
    pub database: PathBuf,
    /// What signs tokens and verifies them.
    pub keys: Keys,
    /// The algorithm of the key that signs (that of the newest key).
    pub algorithm: Option<Algorithm>,
    /// How long an access token is good (24 hours).
    pub access_lifespan: Duration,
    /// How long it can be refreshed (30 days).
    pub refresh_lifespan: Duration,
    /// How long before its end a token can be refreshed already (60 seconds).
    pub early_refresh: Duration,
    /// How long a token that resets a password can be used (1 hour).
    pub reset_lifespan: Duration,
    /// How long the link in a mail that confirms an address can be used (24 hours).
    pub confirmation_lifespan: Duration,
    /// How mail is sent (not at all).
    pub mail: Option<MailSettings>,
    /// Where people reach the app; its pages `finalize` and `reset-finalize` take the tokens of
    /// the links in mails.
    pub public_url: Option<PageUrl>,
    /// Another page that takes a token which confirms an address; with a fragment if the app
    /// routes there.
    pub confirmation_url: Option<PageUrl>,
    /// Another page that takes a token which resets a password.
    pub reset_url: Option<PageUrl>,
    /// Who may register (everyone).
    pub registration: Registration,
    /// Whether tokens of another program with the same secret are taken, as those of the Flask
    /// app that lictor replaces (no). They are recorded as sessions when they first come.
    pub adopt_tokens: bool,
    /// Roles of whoever registers without an invitation (user).
    pub default_roles: Roles,
    /// Whose accounts must have a second factor (nobody's).
    pub require_second_factor: SecondFactorRule,
    /// Where an older token may be refreshed again (where the session was refreshed last).
    pub refresh_reuse: RefreshReuse,
    /// How long a session lasts without being refreshed (as long as its tokens can be).
    pub session_idle: Option<Duration>,
    /// How old a login may be for ending sessions and for an administrator's changes (any age).
    pub reauthenticate: Option<Duration>,
    /// Characters that a new password has at least, from 8 to 64 (8).
    pub min_password_length: u16,
    /// A file of passwords that nobody may choose, besides the built-in ones (none).
    pub password_blocklist: Option<PathBuf>,
    /// Whether people are told by mail of a login from a device that is new to them (yes).
    pub login_notices: bool,
    /// How long audit entries are kept (90 days).
    pub audit_retention: Duration,
    /// What authenticator apps call this service (lictor).
    pub issuer: Issuer,
    /// Which pages are served (none; the command line serves lictor's own app).
    pub web: Web,
    /// Which pages of other origins may call (all).
    pub cors: Cors,
    /// Whether guessing passwords is slowed down (yes). Off is for load tests.
    pub throttle: bool,
    /// Proxies that are believed about whom a request comes from (none).
    pub trusted_proxies: Vec<Network>,
    /// The size of the engine.
    pub engine: crate::net::Settings,
}

/// Lifespans beyond 50 years are a slip of the keyboard, and the times in a token end in 2106.
const MAX_LIFESPAN: Duration = Duration::from_secs(50 * 365 * 24 * 3600);

impl Config {
    /// The defaults, for the two things that have none.
    pub fn new(database: impl Into<PathBuf>, keys: impl Into<Keys>) -> Config {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            database: database.into(),
            keys: keys.into(),
            algorithm: None,
            access_lifespan: Duration::from_secs(24 * 3600),
            refresh_lifespan: Duration::from_secs(30 * 24 * 3600),
            early_refresh: Duration::from_secs(60),
            reset_lifespan: Duration::from_secs(3600),
            confirmation_lifespan: Duration::from_secs(24 * 3600),
            mail: None,
            public_url: None,
            confirmation_url: None,
            reset_url: None,
            registration: Registration::Open,
            adopt_tokens: false,
            default_roles: Roles::user(),
            require_second_factor: SecondFactorRule::Off,
            refresh_reuse: RefreshReuse::SameDevice,
            session_idle: None,
            reauthenticate: None,
            min_password_length: 8,
            password_blocklist: None,
            login_notices: true,
            audit_retention: Duration::from_secs(90 * 24 * 3600),
            issuer: Issuer("lictor".into()),
            web: Web::Off,
            cors: Cors::Any,
            throttle: true,
            trusted_proxies: Vec::new(),
            engine: crate::net::Settings::default(),
        }
    }

    /// The page that takes a token which confirms an address, if it is known.
    pub fn confirmation_page(&self) -> Option<PageUrl> {
        self.confirmation_url.clone().or_else(|| self.page(PageUrl::CONFIRMATION))
    }

    /// The page that takes a token which resets a password, if it is known.
    pub fn reset_page(&self) -> Option<PageUrl> {
        self.reset_url.clone().or_else(|| self.page(PageUrl::RESET))
    }

    fn page(&self, path: &str) -> Option<PageUrl> {
        self.public_url.as_ref().map(|url| url.below(path))
    }

    /// Opens the file of passwords that nobody may choose, if there is one.
    pub(crate) fn blocklist(&self) -> Result<Option<Blocklist>, Problem> {
        self.password_blocklist.as_deref().map(Blocklist::open).transpose()
    }

    /// The rules for new passwords.
    pub(crate) fn password_rules(&self) -> Result<PasswordRules, Problem> {
        let blocklist = self.blocklist()?;
        Ok(PasswordRules::new(self.min_password_length, self.issuer.as_str(), blocklist))
    }

    fn check_mail(&self) -> Result<(), Problem> {
        if self.registration == Registration::Email && self.mail.is_none() {
            return Err(Problem::usage(
                "registration by e-mail needs a way to send mail",
                "give one with --mail, such as smtp+starttls://user:password@host, or dir:mails to \
                 try it without a server",
            ));
        }
        if self.mail.is_some()
            && (self.confirmation_page().is_none() || self.reset_page().is_none())
        {
            return Err(Problem::usage(
                "mails need to know where the links in them lead",
                "give the address at which people reach the app with --public-url, such as \
                 https://login.example.org",
            ));
        }
        Ok(())
    }

    /// What is wrong with the values together, if anything.
    pub fn check(&self) -> Result<(), Problem> {
        if let Some(algorithm) = self.algorithm
            && self.keys.current(self.algorithm).is_none()
        {
            return Err(Problem::usage(
                format!("there is no {} key to sign with", algorithm.name()),
                "give a file of keys that has one, or leave the algorithm to the newest key",
            ));
        }
        for (name, lifespan) in [
            ("access", self.access_lifespan),
            ("refresh", self.refresh_lifespan),
            ("reset", self.reset_lifespan),
            ("confirmation", self.confirmation_lifespan),
        ] {
            if lifespan < Duration::from_secs(1) || lifespan > MAX_LIFESPAN {
                return Err(Problem::usage(
                    format!("the {name} lifespan must be between one second and 50 years"),
                    format!("write --{name}-lifespan as 24h, 30d or a number of seconds"),
                ));
            }
        }
        if self.access_lifespan > self.refresh_lifespan {
            return Err(Problem::usage(
                "the access lifespan is longer than the refresh lifespan",
                "a token cannot outlive its session: raise --refresh-lifespan or lower \
                 --access-lifespan",
            ));
        }
        if !(8..=64).contains(&self.min_password_length) {
            return Err(Problem::usage(
                "the least length of a password must be between 8 and 64 characters",
                "write --min-password-length as a number, such as 15",
            ));
        }
        if self.session_idle.is_some_and(|idle| idle < self.access_lifespan) {
            return Err(Problem::usage(
                "a session may be idle for less time than its access tokens are good",
                "a token in use need not be refreshed before it expires: raise --session-idle or \
                 lower --access-lifespan",
            ));
        }
        self.check_mail()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::Secret;

    #[test]
    fn origins() {
        for good in ["http://a", "https://a.example", "http://[::1]:80", "http://a-b.c_d:3000"] {
            assert!(Origin::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "*", "null", "a.example", "http://", "http://A", "http://a/", "http://a b"]
        {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }

    fn secret() -> Secret {
        Secret::new([7; 32]).unwrap()
    }

    #[test]
    fn the_algorithm_needs_a_key() {
        let check = |algorithm| {
            let mut config = Config::new("x", secret());
            config.algorithm = algorithm;
            config.check().is_ok()
        };
        assert!(check(None) && check(Some(Algorithm::Hs256)));
        assert!(!check(Some(Algorithm::EdDsa)));
    }

    #[test]
    fn lifespans() {
        let check = |access: u64, refresh: u64| {
            let mut config = Config::new("x", secret());
            config.access_lifespan = Duration::from_secs(access);
            config.refresh_lifespan = Duration::from_secs(refresh);
            config.check().is_ok()
        };
        assert!(check(1, 1));
        assert!(!check(0, 1));
        assert!(!check(2, 1));
        assert!(!check(1, u64::MAX));
    }
}
