//! What handlers share, and the way from a request to a response: route, guard, handler, or a file
//! where no route is, and the same dress for every answer.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::assets::Assets;
use crate::clock::Timestamp;
use crate::config::{
    Config, Cors, Issuer, MailSettings, RefreshReuse, Registration, SecondFactorRule,
};
use crate::error::{Error, Problem};
use crate::guard::{
    Admin, Attempts, DeviceKeys, Hasher, Identity, PasswordRules, TokenCheck, Tokens,
};
use crate::http::{Answer, HeaderValue, Lane, Refusal, Request, Response, Service};
use crate::ip::{Client, Proxies};
use crate::link::PageUrl;
use crate::mailer::{Delivery, Mailer};
use crate::site::origin;
use crate::site::route::{Handler, ROUTES, Route};
use crate::store::RotationPolicy;
use crate::store::{Actor, ClientInfo, Database, Entry, Sqlite, Store};
use crate::values::{Lifespans, Roles};

/// Bytes that are kept of what a client's program calls itself.
const MAX_AGENT: usize = 200;
/// How often it is looked for mails whose time has come, or that a command has put there.
const LOOK_FOR_MAIL: Duration = Duration::from_secs(5);
/// How long browsers keep the answer to a preflight, in seconds.
const PREFLIGHT_MAX_AGE: &str = "600";

/// The login service: give it requests, it gives responses. One is enough for all threads.
///
/// ```
/// use lictor::clock::Timestamp;
/// use lictor::http::Request;
/// use lictor::{App, Config, Secret};
/// # let file = std::env::temp_dir().join(format!("lictor-doc-{}.db", std::process::id()));
/// let secret = Secret::new("correct horse battery staple, and more")?;
/// let app = App::open(&Config::new(&file, secret))?;
/// let response = app.handle(&Request::new("GET", "/api/", &[]), Timestamp::now());
/// assert_eq!(response.status, 200);
/// assert_eq!(response.body(), br#"{"Hello":"World"}"#);
/// # drop(app);
/// # for end in ["", "-wal", "-shm"] { let _ = std::fs::remove_file(format!("{}{end}", file.display())); }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct App {
    pub(crate) tokens: Tokens,
    pub(crate) hasher: Hasher,
    pub(crate) password_rules: PasswordRules,
    /// Roles of whoever registers without an invitation.
    pub(crate) default_roles: Roles,
    pub(crate) store: Box<dyn Store>,
    pub(crate) registration: Registration,
    pub(crate) rotation: RotationPolicy,
    pub(crate) reset_lifespan: Duration,
    pub(crate) issuer: Issuer,
    /// Whether mail can be sent.
    pub(crate) mail: bool,
    pub(crate) attempts: Attempts,
    pub(crate) device_keys: DeviceKeys,
    /// Whether people are told of a login from where they were not before.
    pub(crate) login_notices: bool,
    pub(crate) confirmation_lifespan: Duration,
    pub(crate) reset_page: Option<PageUrl>,
    pub(crate) mailer: Option<Mailer>,
    require_second_factor: SecondFactorRule,
    /// Seconds that a login may be old where a recent one is asked for.
    reauthenticate: Option<i64>,
    proxies: Proxies,
    adopt_tokens: bool,
    audit_retention: i64,
    cors: Cors,
    public_url: Option<PageUrl>,
    refusals: origin::Refusals,
    assets: Assets,
    routes: Vec<Route>,
}

impl App {
    /// Opens the database that the configuration names, or makes it.
    pub fn open(config: &Config) -> Result<App, Problem> {
        config.check()?;
        let private = config.database.private_files();
        let private: Vec<_> = private.iter().map(|file| file.as_path()).collect();
        let assets = Assets::open(&config.web, &private)?;
        let password_rules = config.password_rules()?;
        let mailer = mailer(config)?;
        // Who reads: the workers, the one that writes what is done soon, and the one that mails.
        let threads = config.engine.workers + config.engine.slow_workers + 2;
        let Database::File(path) = &config.database;
        let store = Sqlite::open(path, threads)?;
        let broken = |error: Error| Problem::new(error.to_string(), "please report this");
        let lifespans = Lifespans {
            access: config.access_lifespan,
            refresh: config.refresh_lifespan,
            early: config.early_refresh,
        };
        if !config.throttle {
            log::warn!("the throttle is off: passwords can be guessed as fast as they are hashed");
        }
        if let Some(warning) = config.mail.as_ref().and_then(|mail| mail.transport.warning()) {
            log::warn!("{warning}");
        }
        Ok(App {
            tokens: Tokens::new(&config.keys, config.algorithm, lifespans).map_err(broken)?,
            hasher: Hasher::new().map_err(broken)?,
            password_rules,
            default_roles: config.default_roles.clone(),
            store: Box::new(store.with_mail(config.mail.is_some())),
            registration: config.registration,
            rotation: RotationPolicy::new(
                config.refresh_reuse == RefreshReuse::SameDevice,
                config.session_idle,
                lifespans,
            ),
            reset_lifespan: config.reset_lifespan,
            issuer: config.issuer.clone(),
            mail: config.mail.is_some(),
            attempts: Attempts::new(config.throttle),
            device_keys: DeviceKeys::new(&config.keys).map_err(broken)?,
            login_notices: config.login_notices,
            confirmation_lifespan: config.confirmation_lifespan,
            reset_page: config.reset_page(),
            mailer,
            require_second_factor: config.require_second_factor,
            reauthenticate: config
                .reauthenticate
                .map(|age| i64::try_from(age.as_secs()).unwrap_or(i64::MAX)),
            proxies: Proxies::new(config.trusted_proxies.clone()),
            adopt_tokens: config.adopt_tokens,
            audit_retention: i64::try_from(config.audit_retention.as_secs()).unwrap_or(i64::MAX),
            cors: config.cors.clone(),
            public_url: config.public_url.clone(),
            refusals: origin::Refusals::default(),
            assets,
            routes: ROUTES.to_vec(),
        })
    }

    /// Adds an endpoint of your own. One of the same method and path as ours is never reached.
    pub fn with_route(mut self, route: Route) -> App {
        self.routes.push(route);
        self
    }

    /// Answers a request. May take as long as a password hash does.
    pub fn handle(&self, request: &Request<'_>, now: Timestamp) -> Response {
        let response = match self.find(request) {
            Ok((route, request)) => match self.check_origin(route, &request) {
                Ok(()) => self.run(route, &request, now),
                Err(error) => self.dress(&request, respond(&error)),
            },
            Err(error) => self.without_route(request, error),
        };
        // Whoever sends it knows bytes, not files.
        response.loaded().unwrap_or_else(|error| respond(&Error::Internal(error.to_string())))
    }

    /// Who sends a request: whoever is at the other end of the connection; or, if that is a
    /// trusted proxy, whom it names.
    pub fn client(&self, request: &Request<'_>) -> Option<IpAddr> {
        self.known_client(request).map(|client| client.ip)
    }

    /// The same, and whether others have that address as well.
    fn known_client(&self, request: &Request<'_>) -> Option<Client> {
        let forwarded = request.headers("x-forwarded-for");
        request.peer.map(|peer| self.proxies.client(peer, forwarded))
    }

    /// Throws away what has expired, a little at a time; says how much. The server calls this
    /// every minute, and again as long as there is something.
    pub fn sweep(&self, now: Timestamp) -> Result<usize, Error> {
        let audit_since = Timestamp(now.0.saturating_sub(self.audit_retention));
        self.store.sweep(audit_since, now)
    }

    /// What sends mail; an endpoint that needs it asks for it first.
    pub(crate) fn mailer(&self) -> Result<&Mailer, Error> {
        self.mailer.as_ref().ok_or(Error::MailDisabled)
    }

    /// There may be a notice in the outbox.
    pub(crate) fn ring(&self) {
        if let Some(mailer) = &self.mailer {
            mailer.bell().ring();
        }
    }

    /// Sends mails as they come, until [`App::end_mail`] is called. The server has a thread for
    /// this; without a server of ours, have one too. Returns at once if no mail is sent.
    pub fn deliver_mail(&self) {
        let Some(mailer) = &self.mailer else { return };
        loop {
            match mailer.deliver(&self.tokens, &*self.store, Timestamp::now()) {
                Ok(Delivery::One) if !mailer.bell().is_over() => continue,
                Ok(_) => {}
                Err(error) => log::warn!("mails have to wait: {error}"),
            }
            if !mailer.bell().wait(LOOK_FOR_MAIL) {
                return;
            }
        }
    }

    /// Ends [`App::deliver_mail`], at once: what is not sent stays in the outbox.
    pub fn end_mail(&self) {
        if let Some(mailer) = &self.mailer {
            mailer.bell().end();
        }
    }

    /// Writes everything to its final place. The server calls this at its end.
    pub fn settle(&self) -> Result<(), Error> {
        self.store.settle()
    }

    /// The route of a request, and the request with the route's parameter.
    fn find<'r>(&self, request: &Request<'r>) -> Result<(&Route, Request<'r>), Error> {
        let mut here = false;
        for route in &self.routes {
            let Some(parameter) = route.matches(request.path) else { continue };
            if route.takes(request.method) {
                let mut request = *request;
                request.parameter = parameter.unwrap_or_default();
                return Ok((route, request));
            }
            here = true;
        }
        match here || request.path == "*" || request.method == "TRACE" {
            true => Err(Error::MethodNotAllowed { allow: self.allowed(request.path) }),
            false => Err(Error::NotFound),
        }
    }

    /// The methods of a path, or of all paths for `*`.
    fn allowed(&self, path: &str) -> String {
        let mut methods: Vec<&str> = Vec::new();
        for route in self.routes.iter().filter(|route| path == "*" || route.matches(path).is_some())
        {
            let also = if route.method == "GET" { &["GET", "HEAD"][..] } else { &[route.method] };
            for method in also {
                if !methods.contains(method) {
                    methods.push(method);
                }
            }
        }
        if methods.is_empty() && self.assets.has(path) {
            methods.extend(["GET", "HEAD"]);
        }
        methods.push("OPTIONS");
        methods.join(", ")
    }

    fn run(&self, route: &Route, request: &Request<'_>, now: Timestamp) -> Response {
        let answered = match route.handler {
            Handler::Public(handler) => handler(self, request, now),
            Handler::User(handler) => self.identity(request, now).and_then(|identity| {
                self.meets_policy(route, &identity, now)?;
                handler(self, &identity, request, now)
            }),
            Handler::Admin(handler) => {
                self.identity(request, now).and_then(Admin::of).and_then(|admin| {
                    self.meets_policy(route, admin.identity(), now)?;
                    handler(self, &admin, request, now)
                })
            }
        };
        self.dress(request, answered.unwrap_or_else(|error| respond(&error)))
    }

    /// What the settings ask for besides a good token: a recent login, a second factor.
    fn meets_policy(&self, route: &Route, who: &Identity, now: Timestamp) -> Result<(), Error> {
        if route.recent && who.began() < self.recent(now) {
            return Err(Error::ReauthenticationRequired);
        }
        let must = !route.without_factor && self.requires_second_factor(who.roles());
        if must && !self.store.has_second_factor(who.id())? {
            return Err(Error::SecondFactorMissing);
        }
        Ok(())
    }

    /// Whether somebody with these roles must have a second factor.
    pub(crate) fn requires_second_factor(&self, roles: &Roles) -> bool {
        match self.require_second_factor {
            SecondFactorRule::Off => false,
            SecondFactorRule::Admin => Admin::is_role_of(roles),
            SecondFactorRule::All => true,
        }
    }

    /// When a login must have begun to be recent, at the earliest.
    pub(crate) fn recent(&self, now: Timestamp) -> Timestamp {
        Timestamp(self.reauthenticate.map_or(i64::MIN, |age| now.0.saturating_sub(age)))
    }

    fn identity(&self, request: &Request<'_>, now: Timestamp) -> Result<Identity, Error> {
        let identity = self.check_tokens(request, now, |door| door.identity(request))?;
        log::debug!("user {} is let in", identity.id());
        Ok(identity)
    }

    /// Lets `check` look at tokens and sessions.
    pub(crate) fn check_tokens<T>(
        &self,
        request: &Request<'_>,
        now: Timestamp,
        check: impl FnOnce(&TokenCheck<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let caller = self.adopt_tokens.then(|| self.caller(request));
        let adopt = caller.as_ref().map(Caller::origin);
        check(&TokenCheck { tokens: &self.tokens, store: &*self.store, adopt, now })
    }

    /// Keeps an audit entry that goes with no change, and logs it. The answer does not depend on
    /// whether it can be kept.
    pub(crate) fn note(&self, entry: &Entry<'_>, now: Timestamp) {
        entry.log();
        if let Err(error) = self.store.record(entry, now) {
            log::warn!("an audit entry could not be kept: {error}");
        }
    }

    /// The same for a wrong password, which is counted at the entry's user up to `limit`.
    pub(crate) fn note_failure(&self, entry: &Entry<'_>, limit: u32, now: Timestamp) {
        entry.log();
        if let Err(error) = self.store.fail(entry, limit, now) {
            log::warn!("a failed login could not be counted: {error}");
        }
    }

    /// Refuses a page of another origin that may not call and asks for something that costs a
    /// hash or a write. Browsers send such requests without asking first, if they look harmless.
    fn check_origin(&self, route: &Route, request: &Request<'_>) -> Result<(), Error> {
        let reads = matches!(request.method, "GET" | "HEAD");
        match &self.cors {
            Cors::Only(allowed) if route.lane == Lane::Slow && !reads => {
                let may_call = |origin: &[u8]| {
                    allowed.iter().any(|one| one.as_str().as_bytes() == origin)
                        || self.is_own(origin, request)
                };
                let refused = request.headers("origin").find(|origin| !may_call(origin));
                refused.map_or(Ok(()), |origin| {
                    self.refusals.tell(origin, Instant::now());
                    Err(Error::OriginNotAllowed)
                })
            }
            _ => Ok(()),
        }
    }

    /// Whether a page of another origin asks.
    pub(crate) fn is_from_elsewhere(&self, request: &Request<'_>) -> bool {
        request.headers("origin").any(|origin| !self.is_own(origin, request))
    }

    /// Whether an origin is this server's own: the public address, or else where the request says
    /// that it went. If the public address has a name, only numbers and `localhost` count besides:
    /// a page can be loaded from any name that somebody lets point here.
    fn is_own(&self, origin: &[u8], request: &Request<'_>) -> bool {
        let url = self.public_url.as_ref().map(|url| url.as_str().as_bytes());
        let named = url.is_some_and(origin::has_name);
        let is_here = |host| origin::is_at(origin, host) && (!named || origin::is_no_name(host));
        url.is_some_and(|url| origin::is_of(origin, url))
            || request.header("host").is_some_and(is_here)
            || self.forwarded_hosts(request).any(is_here)
    }

    /// By which names a trusted proxy was called, if it says so. No page can: a browser asks first
    /// whether it may send this field, and may not.
    fn forwarded_hosts<'r>(&self, request: &Request<'r>) -> impl Iterator<Item = &'r [u8]> {
        let trusted = request.peer.is_some_and(|peer| self.proxies.trusts(peer));
        let lines = request.headers("x-forwarded-host").filter(move |_| trusted);
        lines.flat_map(|line| line.split(|&b| b == b',')).map(<[u8]>::trim_ascii)
    }

    /// Whether whoever asks speaks TLS, with a proxy, as far as can be known. A page says where
    /// it is; without one, the public address does.
    pub(crate) fn is_https(&self, request: &Request<'_>) -> bool {
        let url = self.public_url.as_ref().map(|url| url.as_str().as_bytes());
        request.header("origin").or(url).is_some_and(|address| address.starts_with(b"https://"))
    }

    /// Who sends a request, for sessions and the audit.
    pub(crate) fn caller(&self, request: &Request<'_>) -> Caller {
        let agent = String::from_utf8_lossy(request.header("user-agent").unwrap_or_default());
        let mut bytes = 0;
        let printable = agent.chars().filter(|c| !c.is_control()).take_while(|c| {
            bytes += c.len_utf8();
            bytes <= MAX_AGENT
        });
        Caller { client: self.known_client(request), agent: printable.collect() }
    }

    /// A file or a page, or else why not.
    fn without_route(&self, request: &Request<'_>, error: Error) -> Response {
        let error = match (error, request.method) {
            (Error::NotFound, "GET" | "HEAD") => match self.assets.answer(request) {
                Ok(Some(file)) => {
                    let file = file.with("Vary", "Accept-Encoding, ClientInfo");
                    return self.dress_varied(request, file);
                }
                Ok(None) => Error::NotFound,
                Err(error) => error,
            },
            (Error::NotFound, _) if self.assets.has(request.path) => {
                Error::MethodNotAllowed { allow: self.allowed(request.path) }
            }
            (error, _) => error,
        };
        self.dress(request, self.without_file(request, error))
    }

    /// OPTIONS is answered for every path that has something else; the rest are errors.
    fn without_file(&self, request: &Request<'_>, error: Error) -> Response {
        match error {
            Error::MethodNotAllowed { allow } if request.method == "OPTIONS" => {
                let preflight = request.header("access-control-request-method").is_some()
                    && request.header("origin").is_some();
                let response = allow_header("Allow", Response::empty(204), allow.clone());
                if !preflight {
                    return response;
                }
                allow_header("Access-Control-Allow-Methods", response, allow)
                    .with("Access-Control-Allow-Headers", "authorization, content-type")
                    .with("Access-Control-Max-Age", PREFLIGHT_MAX_AGE)
            }
            error => respond(&error),
        }
    }

    /// What every answer of the API carries.
    fn dress(&self, request: &Request<'_>, response: Response) -> Response {
        // Also without an origin: a cache must not give this answer to a page of another one.
        self.dress_varied(request, response.with("Vary", "ClientInfo"))
    }

    /// What every answer carries but for `Vary`: leave for pages of other origins to read it, and
    /// a log line.
    fn dress_varied(&self, request: &Request<'_>, response: Response) -> Response {
        log::debug!(
            "{} {} {} {}",
            self.client(request).map_or_else(|| "-".into(), |client| client.to_string()),
            request.method,
            request.path.escape_debug(),
            response.status
        );
        let Some(origin) = request.header("origin") else { return response };
        let allowed = match &self.cors {
            Cors::Any => true,
            Cors::Only(origins) => origins.iter().any(|one| one.as_str().as_bytes() == origin),
        };
        let echo = std::str::from_utf8(origin).ok().map(str::to_owned).and_then(HeaderValue::new);
        match echo {
            Some(origin) if allowed => response
                .with_value("Access-Control-Allow-ClientInfo", origin)
                .with("Access-Control-Expose-Headers", "Retry-After"),
            _ => response,
        }
    }
}

/// What sends mail, if anything does.
fn mailer(config: &Config) -> Result<Option<Mailer>, Problem> {
    let pages = config.confirmation_page().zip(config.reset_page());
    let (Some(mail), Some(pages)) = (&config.mail, pages) else { return Ok(None) };
    let MailSettings { transport, sender, templates } = mail.clone();
    let service = config.issuer.as_str();
    Mailer::new((sender, transport), service, templates.as_deref(), pages).map(Some)
}

/// Who sends a request.
pub(crate) struct Caller {
    client: Option<Client>,
    agent: String,
}

impl Caller {
    /// Where a session begins or goes on. A proxy that nobody named is no place: a thief may be
    /// behind it as well.
    pub(crate) fn origin(&self) -> ClientInfo<'_> {
        ClientInfo { address: self.client.and_then(|client| client.own()), agent: &self.agent }
    }

    /// The address.
    pub(crate) fn client(&self) -> Option<IpAddr> {
        self.client.map(|client| client.ip)
    }

    /// The address, for the record; empty if it is not known.
    pub(crate) fn address(&self) -> String {
        self.client().map_or_else(String::new, |address| address.to_string())
    }

    /// As a user, or somebody who wants to be one.
    pub(crate) fn user(&self) -> Actor {
        Actor::User(self.client())
    }

    /// As an administrator.
    pub(crate) fn admin(&self, admin: &Admin) -> Actor {
        Actor::Admin(admin.identity().id(), self.client())
    }
}

impl Service for App {
    fn answer(&self, request: &Request<'_>, now: Timestamp, lane: Lane) -> Answer {
        match self.find(request) {
            Ok((route, _)) if route.lane == Lane::Slow && lane != Lane::Slow => {
                let checked = self.check_origin(route, request);
                match checked.and_then(|()| route.admit(self, request, now)) {
                    Ok(()) => Answer::Slow,
                    Err(error) => Answer::Ready(self.dress(request, respond(&error))),
                }
            }
            Ok((route, request)) => Answer::Ready(self.run(route, &request, now)),
            Err(error) => Answer::Ready(self.without_route(request, error)),
        }
    }

    fn refuse(&self, refusal: &Refusal, request: Option<&Request<'_>>) -> Response {
        let response = refusal.response();
        match request {
            Some(request) => self.dress(request, response),
            None => response,
        }
    }

    fn client(&self, request: &Request<'_>) -> Option<IpAddr> {
        App::client(self, request)
    }

    fn favoured(&self, request: &Request<'_>, now: Timestamp) -> Option<u64> {
        self.find(request).ok().and_then(|(route, _)| route.favoured(self, request, now))
    }

    fn brief(&self, request: &Request<'_>) -> bool {
        self.find(request).is_ok_and(|(route, _)| route.brief)
    }

    fn upkeep(&self, busy: bool) {
        self.store.upkeep(busy);
    }

    fn idle(&self) {
        self.hasher.release_memory();
    }
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App")
            .field("tokens", &self.tokens)
            .field("registration", &self.registration)
            .field("cors", &self.cors)
            .finish_non_exhaustive()
    }
}

/// An error as a response; what the client is not told goes to the log.
fn respond(error: &Error) -> Response {
    let kind = error.kind();
    if let Some(cause) = error.cause() {
        log::error!("{}: {}", kind.name, cause.escape_debug());
    }
    let response = Response::error(kind.status, kind.name, &error.message());
    match error {
        _ if kind.status == 401 => response.with("WWW-Authenticate", "Bearer"),
        Error::Unavailable(_) => response.retry_after(3),
        Error::TooManyRequests { wait } => response.retry_after(*wait),
        Error::MethodNotAllowed { allow } => allow_header("Allow", response, allow.clone()),
        _ => response,
    }
}

/// Methods come from the route table, so they can always be sent.
fn allow_header(name: &'static str, response: Response, allow: String) -> Response {
    match HeaderValue::new(allow) {
        Some(value) => response.with_value(name, value),
        None => response,
    }
}
