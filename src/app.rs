//! What every handler shares: store, tokens, password hashing, limits and configuration; and who
//! sends a request. Knows no route and no page.

mod call;
mod checks;
mod cookie;
mod current;
mod fields;
pub(crate) mod origin;
mod refused_fields;
mod seen;
mod seldom;
mod setup;
mod shared;
mod wanted;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::clock::Timestamp;
#[cfg(feature = "mail")]
use crate::config::MailSettings;
use crate::config::{Config, RefreshReuse};
use crate::error::{Error, Problem};
use crate::guard::{
    Attempts, CookieKeys, Decoys, DeviceKeys, Hasher, Identity, InvitationKeys, Password,
    PasswordRules, Tokens,
};
use crate::http::Request;
use crate::ip::{Client, Proxies};
#[cfg(feature = "mail")]
use crate::mailer::{self, Mailer};
use crate::store::{Actor, Authority, Entry, Event, NewUser, RotationPolicy, Store};
use crate::values::{Email, Language, Lifespans, Roles, Username};

pub use call::Call;
pub(crate) use call::Caller;
pub(crate) use cookie::CookieKind;
pub(crate) use current::Current;
pub(crate) use fields::Fields;
pub(crate) use refused_fields::IDENTITY;
use seen::Seen;
use seldom::Warnings;
use setup::Setup;
use shared::Shared;
pub(crate) use shared::Sweeps;
pub(crate) use wanted::{Ambient, Wanted};

/// Accounts, sessions and tokens, opened from a [`Config`]. One is enough for all threads.
///
/// Open one for a database in a program: attempts to log in are counted in its memory, so a second
/// one for the same database would let twice as many passwords be guessed.
///
/// A [`Site`](crate::Site) answers requests with it. A program that has a server of its own asks it
/// who calls ([`App::identify`]).
///
/// ```
/// use lictor::{App, Config, Error, Roles, Secret};
/// # let dir = std::env::temp_dir().join(format!("lictor-doc-app-{}", std::process::id()));
/// # std::fs::create_dir_all(&dir)?;
/// # let file = dir.join("app.db");
/// let secret = Secret::new("correct horse battery staple, and more")?;
/// let app = App::open(Config::new(&file, secret))?;
/// let id = app.add_user("ada", None, "ten wooden lanterns", &Roles::parse("admin")?)?;
/// assert_eq!(id, 1);
/// let again = app.add_user("Ada", None, "ten wooden lanterns", &Roles::parse("")?);
/// assert!(matches!(again, Err(Error::UsernameTaken)));
/// # drop(app);
/// # std::fs::remove_dir_all(&dir)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct App {
    pub(crate) config: Config,
    // A field in an `Arc` is shared with the app that a reload puts in the place of this one.
    pub(crate) store: Arc<Store>,
    pub(crate) tokens: Tokens,
    pub(crate) hasher: Arc<Hasher>,
    pub(crate) password_rules: PasswordRules,
    pub(crate) rotation: RotationPolicy,
    pub(crate) attempts: Arc<Attempts>,
    pub(crate) device_keys: DeviceKeys,
    pub(crate) cookie_keys: CookieKeys,
    pub(crate) decoys: Decoys,
    pub(crate) invitation_keys: InvitationKeys,
    #[cfg(feature = "mail")]
    pub(crate) mailer: Option<Mailer>,
    proxies: Proxies,
    /// Whether a request came from another server since [`App::was_busy`] was last asked.
    busy: Arc<AtomicBool>,
    /// Whether background threads run: two sets of them would send each mail twice.
    background: Arc<AtomicBool>,
    /// Whether the server was asked to stop.
    stopping: Arc<AtomicBool>,
    /// What the sweeps have done.
    pub(crate) sweeps: Arc<Sweeps>,
    /// When sessions and app passwords were last used.
    pub(crate) seen: Arc<Seen>,
    /// What the log has said of how browsers and proxies ask.
    pub(crate) warnings: Arc<Warnings>,
    /// How the first administrator is made.
    setup: Arc<Setup>,
}

impl App {
    /// Checks the configuration, and opens the database that it names; makes the database if it
    /// does not exist. Brings the database of an older version to this one.
    ///
    /// # Errors
    ///
    /// If a setting is wrong ([`Config::check`]); if a file that a setting names, such as a list of
    /// passwords, cannot be read; if the database cannot be opened, is damaged, of another program
    /// or of a newer version. A wrong setting makes no file.
    pub fn open(config: Config) -> Result<App, Problem> {
        let app = App::build(config, &Shared::open)?;
        if !app.config.throttle {
            log::warn!("the throttle is off: passwords can be guessed as fast as they are hashed");
        }
        Ok(app)
    }

    /// Returns another app with this configuration, and the database, the hasher and the counts of
    /// this one, whatever the configuration says of them.
    #[cfg(feature = "cli")]
    pub(crate) fn with(&self, config: Config) -> Result<App, Problem> {
        App::build(config, &|_| {
            Ok(Shared {
                store: Arc::clone(&self.store),
                hasher: Arc::clone(&self.hasher),
                attempts: Arc::clone(&self.attempts),
                busy: Arc::clone(&self.busy),
                background: Arc::clone(&self.background),
                stopping: Arc::clone(&self.stopping),
                sweeps: Arc::clone(&self.sweeps),
                seen: Arc::clone(&self.seen),
                warnings: Arc::clone(&self.warnings),
                setup: Arc::clone(&self.setup),
            })
        })
    }

    // Long: one line a field.
    fn build(
        config: Config,
        shared: &dyn Fn(&Config) -> Result<Shared, Problem>,
    ) -> Result<App, Problem> {
        config.check()?;
        let password_rules = config.password_rules()?;
        #[cfg(feature = "mail")]
        let mailer = mailer(&config)?;
        let lifespans = Lifespans {
            access: config.access_lifespan,
            refresh: config.refresh_lifespan,
            early: config.early_refresh,
        };
        let tokens = Tokens::new(&config.keys, config.algorithm, lifespans).map_err(broken)?;
        let tokens = tokens.for_audiences(config.audience.clone());
        // Last: a setting that is refused above makes no file, and upgrades none.
        let Shared {
            store,
            hasher,
            attempts,
            busy,
            background,
            stopping,
            sweeps,
            seen,
            warnings,
            setup,
        } = shared(&config)?;
        Ok(App {
            store,
            tokens,
            hasher,
            password_rules,
            rotation: RotationPolicy::new(
                config.refresh_reuse == RefreshReuse::SameDevice,
                config.session_idle,
                lifespans,
            ),
            attempts,
            device_keys: DeviceKeys::new(&config.keys).map_err(broken)?,
            cookie_keys: CookieKeys::new(&config.keys).map_err(broken)?,
            decoys: Decoys::new(&config.keys).map_err(broken)?,
            invitation_keys: InvitationKeys::new(&config.keys).map_err(broken)?,
            #[cfg(feature = "mail")]
            mailer,
            proxies: Proxies::new(config.trusted_proxies.clone()),
            busy,
            background,
            stopping,
            sweeps,
            seen,
            warnings,
            setup,
            config,
        })
    }

    /// Returns the configuration that it was opened from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns who sends a request: checks its token, the cookie of its browser session, or its app
    /// password, the session and its user, and that the user has a second factor if [`Config::require_second_factor`] asks
    /// for one.
    ///
    /// For routes of another server. Give the request its true method: cookies count for `GET` and
    /// `HEAD` alone, since a browser sends them along with what pages of other sites make it ask for.
    /// Do not build a `GET` from a `POST`.
    ///
    /// Reads the database, and with [`Config::adopt_tokens`] may write to it; hashes nothing.
    ///
    /// # Errors
    ///
    /// - [`Error::MissingToken`], [`Error::MissingBearer`]: the request has no token.
    /// - [`Error::InvalidTokenHeader`], [`Error::InvalidToken`], [`Error::MissingClaim`],
    ///   [`Error::ExpiredAccess`], [`Error::MisusedRegistrationToken`],
    ///   [`Error::MisusedResetToken`]: the token is no good.
    /// - [`Error::InvalidAppPassword`], [`Error::AppPasswordNotAllowed`]: the app password is wrong, or
    ///   not good for reading the API, or the request is no `GET` or `HEAD`.
    /// - [`Error::TooManyRequests`]: the client has sent too many wrong app passwords.
    /// - [`Error::SessionEnded`]: the cookie is no good, or not any more.
    /// - [`Error::SeveralSessions`]: there are cookies of several sessions.
    /// - [`Error::Revoked`], [`Error::MissingUser`], [`Error::InactiveUser`]: its session or its
    ///   user is no more.
    /// - [`Error::SecondFactorMissing`]: the user must set up a second factor first.
    /// - [`Error::Unavailable`], [`Error::Internal`]: the database failed.
    ///
    /// `Response::from(&error)` is the answer that lictor's own routes would give.
    pub fn identify(&self, request: &Request<'_>, now: Timestamp) -> Result<Identity, Error> {
        self.set_busy();
        let identity = self.check_caller(&Call::new(self, request, now), false)?;
        identity.may_read_api()?;
        self.check_second_factor(&identity)?;
        Ok(identity)
    }

    /// Makes an account, such as a program's first administrator, and returns its id. The rules
    /// are those of `lictor user add`; name and email address must be free. Hashes the password,
    /// which takes tens of milliseconds.
    ///
    /// # Errors
    ///
    /// - [`Error::UsernameTaken`], [`Error::EmailTaken`]: another account has it.
    /// - [`Error::InvalidUsername`], [`Error::InvalidPassword`]: it cannot be used;
    ///   [`Error::BadRequest`] says the same of an email address.
    /// - [`Error::Unavailable`], [`Error::Internal`]: the database or the system failed.
    ///
    /// A program that makes its first account at every start takes a name that is taken as good:
    ///
    /// ```no_run
    /// # use lictor::{App, Error, Roles};
    /// # fn start(app: &App) -> Result<(), Error> {
    /// match app.add_user("ada", None, "ten wooden lanterns", &Roles::parse("admin")?) {
    ///     Ok(_) | Err(Error::UsernameTaken) => {}
    ///     Err(error) => return Err(error),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn add_user(
        &self,
        name: &str,
        email: Option<&str>,
        password: &str,
        roles: &Roles,
    ) -> Result<i64, Error> {
        let name = Username::choose(name)?;
        let email = email.map(Email::parse).transpose()?;
        let password = Password::choose(password, &name, email.as_ref(), &self.password_rules)?;
        let user = NewUser {
            name: &name,
            email: email.as_ref(),
            hash: &self.hasher.hash(&password)?,
            roles,
            language: Language::English,
        };
        let entry = Entry {
            event: Event::UserAdded,
            user: None,
            name: Some(name.as_str()),
            actor: Actor::Operator,
            detail: roles.as_str(),
        };
        self.store.add(&user, &Authority::Operator, &entry, Timestamp::now())
    }

    /// Returns the IP address of the client: the peer of the connection, or, if that is a trusted
    /// proxy, the client that the proxy names. `None` if the request does not say its peer.
    pub fn client_ip(&self, request: &Request<'_>) -> Option<IpAddr> {
        self.client(request).map(|client| client.ip)
    }

    /// Returns the client's IP address, and whether others share it.
    fn client(&self, request: &Request<'_>) -> Option<Client> {
        let forwarded = request.headers("x-forwarded-for");
        request.peer.map(|peer| self.proxies.client(peer, forwarded))
    }

    /// Notes that another server has a request.
    pub(crate) fn set_busy(&self) {
        self.busy.store(true, Ordering::Relaxed);
    }

    /// Whether another server had a request since this was last asked.
    pub(crate) fn was_busy(&self) -> bool {
        self.busy.swap(false, Ordering::Relaxed)
    }

    /// Claims the right to run the background threads; false if others run.
    pub(crate) fn claim_background(&self) -> bool {
        !self.background.swap(true, Ordering::AcqRel)
    }

    /// Gives the right back, when the threads have ended.
    pub(crate) fn release_background(&self) {
        self.background.store(false, Ordering::Release);
    }

    /// Notes that the server was asked to stop.
    pub(crate) fn set_stopping(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// Whether the server was asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Returns [`Error::MailDisabled`] without a mailer. Endpoints that send mail call this first.
    pub(crate) fn require_mail(&self) -> Result<(), Error> {
        if self.config.sends_mail() { Ok(()) } else { Err(Error::MailDisabled) }
    }
}

/// An error that no setting explains.
fn broken(error: Error) -> Problem {
    Problem::new(error.to_string(), "please report this").with_source(error)
}

/// Makes the mailer, if mail is configured; logs what is risky about its transport.
#[cfg(feature = "mail")]
fn mailer(config: &Config) -> Result<Option<Mailer>, Problem> {
    let pages = config.confirmation_page().zip(config.reset_page());
    let (Some(mail), Some(pages)) = (&config.mail, pages) else { return Ok(None) };
    let pages = (pages, config.registration_page());
    let MailSettings { transport, sender, templates } = mail.clone();
    if let Some(warning) = transport.warning() {
        log::warn!("{warning}");
    }
    let service = config.service().as_str();
    let look = mailer::look(config.brand.as_ref(), config.public_url.as_ref());
    let mailer = Mailer::new((sender, transport), service, templates.as_deref(), pages)?;
    Ok(Some(mailer.with_look(look)))
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("config", &self.config).finish_non_exhaustive()
    }
}
