//! The user behind a request: the proof that the token is valid, its session is open, and its user
//! exists and is active.

use std::net::IpAddr;

use super::{Attempts, AudienceSet, Claims, Credential, ShownAppPassword, Tokens};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::{
    Actor, AppPasswordInfo, AppPasswordStanding, Authority, ClientInfo, Entry, Event, NewSession,
    Person, Proof, RotationPolicy, SessionDetails, Standing, Store,
};
use crate::values::{CodeHash, Role, Roles};

/// The role of administrators.
const ADMIN: &str = "admin";

/// Maximum length of the `jti` of a token that is adopted, in bytes.
const MAX_JTI: usize = 64;

/// How a request has shown who sends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// A token.
    Token,
    /// The cookie of a browser session, in a request that changes nothing.
    Cookie,
    /// An app password, in a request that changes nothing.
    AppPassword,
}

/// The user of this request, whose token was checked. Only the guard can make one, so a handler
/// that takes it runs only after the check.
#[derive(Debug, Clone)]
pub struct Identity {
    id: i64,
    name: String,
    roles: Roles,
    session: String,
    began: Timestamp,
    second_factor: Option<bool>,
    way: Way,
    email: Option<String>,
    /// When the cookie was last shown, as the store has it; `None` for a token.
    seen: Option<Timestamp>,
    app_password: Option<Box<AppPasswordInfo>>,
    /// Whom the token is for; empty for a cookie and an app password.
    audiences: AudienceSet,
}

impl Identity {
    /// Returns the user's id. No other user ever gets it, even after deletion.
    pub fn id(&self) -> i64 {
        self.id
    }

    /// Returns the user's name, as the user wrote it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the user's roles, as the store has them now. Those in the token do not count.
    pub fn roles(&self) -> &Roles {
        &self.roles
    }

    /// Returns how the request has shown that it is this user's.
    pub fn way(&self) -> Way {
        self.way
    }

    /// Returns the user's e-mail address, for a [`Guarded::Either`](crate::route::Guarded); for
    /// others the check did not ask, and this is `None`.
    pub(crate) fn email(&self) -> Option<&str> {
        self.email.as_deref()
    }

    /// Returns when the cookie of the session was last shown, if this request shows it.
    pub(crate) fn seen(&self) -> Option<Timestamp> {
        self.seen
    }

    /// Returns the id of the session: the token's `jti` claim; empty for an app password.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Returns when the session began: the time of the login, or the `iat` of an adopted token; for an
    /// app password, when it was made.
    pub fn began(&self) -> Timestamp {
        self.began
    }

    /// Returns whom the token is for. A token that takes its place is for nobody else. Good only with the
    /// `App` that has checked the token: after a reload the set can mean other names.
    pub(crate) fn audiences(&self) -> AudienceSet {
        self.audiences
    }

    /// Returns whether the user has a confirmed second factor; `None` if the check of the token did
    /// not ask.
    pub(crate) fn second_factor(&self) -> Option<bool> {
        self.second_factor
    }

    /// Returns [`Error::MissingRole`], which is answered 403, unless the user has the role. For
    /// routes of another server; on routes of yours a [`Handler::role`](crate::Handler::role) does
    /// the same.
    pub fn require_role(&self, role: &Role) -> Result<(), Error> {
        self.require(role.as_str())
    }

    /// Returns the user of a valid token whose session the store has found, or the reason why it is
    /// refused. Gives the claims back if the store must be asked further: the session is not known,
    /// or is another user's.
    pub(crate) fn of(
        claims: Claims,
        standing: Option<Standing>,
    ) -> Result<Result<Identity, Error>, Claims> {
        let Some(Standing { person, ended, began, second_factor, details }) = standing else {
            return Err(claims);
        };
        if person.id != claims.id {
            return Err(claims);
        }
        if ended && person.active {
            return Ok(Err(Error::Revoked));
        }
        let email = details.and_then(|details| details.email);
        let audiences = claims.audiences;
        let user = Identity::active(person, claims.jti, began);
        Ok(user.map(|user| Identity { second_factor, email, audiences, ..user }))
    }

    /// Returns the user of a session cookie whose MAC is right, by what the store has of the
    /// session; [`Error::SessionEnded`] if the cookie is no longer good, whatever the reason.
    pub(crate) fn of_cookie(
        jti: String,
        standing: Option<Standing>,
        rotation: &RotationPolicy,
        now: Timestamp,
    ) -> Result<Identity, Error> {
        let standing = standing.filter(|standing| !standing.ended && standing.person.active);
        let Some(Standing { person, began, second_factor, details: Some(details), .. }) = standing
        else {
            return Err(Error::SessionEnded);
        };
        let SessionDetails { expires, seen, newest, email } = details;
        // A session without a cookie has no such time.
        let shown = seen.filter(|&seen| now <= expires && !rotation.is_idle(seen.max(newest), now));
        let seen = Some(shown.ok_or(Error::SessionEnded)?);
        let user = Identity::active(person, jti, began)?;
        Ok(Identity { second_factor, email, way: Way::Cookie, seen, ..user })
    }

    /// Returns the user of an app password that the store has found.
    fn of_app_password(found: AppPasswordStanding) -> Result<Identity, Error> {
        let AppPasswordStanding { person, email, second_factor, info, .. } = found;
        let user = Identity::active(person, String::new(), info.created)?;
        let (way, second_factor) = (Way::AppPassword, Some(second_factor));
        Ok(Identity { way, email, second_factor, app_password: Some(Box::new(info)), ..user })
    }

    /// Returns the app password that the request shows, if it does.
    pub(crate) fn app_password(&self) -> Option<&AppPasswordInfo> {
        self.app_password.as_deref()
    }

    /// Returns [`Error::AppPasswordNotAllowed`] if the request shows an app password that is not good
    /// for the API.
    pub(crate) fn may_read_api(&self) -> Result<(), Error> {
        match self.app_password() {
            Some(info) if !info.api => Err(Error::AppPasswordNotAllowed),
            _ => Ok(()),
        }
    }

    /// Returns [`Error::AppPasswordNotAllowed`] if the request shows an app password that is not good
    /// for this host, the one that a proxy asks about.
    pub(crate) fn may_use_host(&self, wanted: Option<&str>) -> Result<(), Error> {
        match self.app_password() {
            Some(info) if !info.hosts.allow(wanted) => Err(Error::AppPasswordNotAllowed),
            _ => Ok(()),
        }
    }

    /// Returns an error unless the request shows a token: a cookie and an app password are good for
    /// less.
    pub(crate) fn require_token(&self) -> Result<(), Error> {
        match self.way {
            Way::Token => Ok(()),
            Way::Cookie => Err(Error::MissingBearer),
            Way::AppPassword => Err(Error::AppPasswordNotAllowed),
        }
    }

    fn active(person: Person, session: String, began: Timestamp) -> Result<Identity, Error> {
        let Person { id, name, roles, active } = person;
        if !active {
            return Err(Error::InactiveUser);
        }
        let (second_factor, email, seen, app_password) = (None, None, None, None);
        let way = Way::Token;
        Ok(Identity {
            id,
            name,
            roles,
            session,
            began,
            second_factor,
            way,
            email,
            seen,
            app_password,
            audiences: AudienceSet::default(),
        })
    }

    fn require(&self, role: &str) -> Result<(), Error> {
        match self.roles.iter().any(|one| one == role) {
            true => Ok(()),
            false => Err(Error::MissingRole(role.into())),
        }
    }

    /// Returns the user's authority over the own account, for the transaction that writes. `proof`
    /// is what the user has shown besides the token.
    pub(crate) fn authority<'a>(&'a self, proof: Option<Proof<'a>>) -> Authority<'a> {
        let since = Timestamp(i64::MIN);
        Authority::User { id: self.id, session: &self.session, since, proof }
    }

    /// Returns the same without a proof, for a change that needs a login at `since` or later.
    pub(crate) fn recent_authority(&self, since: Timestamp) -> Authority<'_> {
        Authority::User { id: self.id, session: &self.session, since, proof: None }
    }
}

/// An administrator, by the roles that the store has now.
#[derive(Debug, Clone)]
pub struct Admin(Identity);

impl Admin {
    /// Returns an error unless the user has the role `admin`.
    pub(crate) fn of(identity: Identity) -> Result<Admin, Error> {
        identity.require(ADMIN)?;
        Ok(Admin(identity))
    }

    /// Returns whether a user with these roles is an administrator.
    pub(crate) fn is_role_of(roles: &Roles) -> bool {
        roles.iter().any(|role| role == ADMIN)
    }

    /// Returns the administrator as a user.
    pub fn identity(&self) -> &Identity {
        &self.0
    }

    /// Returns the administrator's authority, for the transaction that writes. It needs a login at
    /// `since` or later.
    pub(crate) fn authority(&self, since: Timestamp) -> Authority<'_> {
        Authority::Admin { id: self.0.id, session: &self.0.session, since }
    }
}

/// Checks what a request shows, with its session and its user.
pub(crate) struct CredentialCheck<'a> {
    pub(crate) tokens: &'a Tokens,
    pub(crate) store: &'a Store,
    /// If present, tokens of another program with the same secret are adopted, with this client.
    pub(crate) adopt: Option<ClientInfo<'a>>,
    /// Says how long a session may be idle.
    pub(crate) rotation: &'a RotationPolicy,
    pub(crate) attempts: &'a Attempts,
    /// Returns the client's IP address.
    pub(crate) client_ip: &'a dyn Fn() -> Option<IpAddr>,
    pub(crate) now: Timestamp,
}

impl CredentialCheck<'_> {
    /// Checks what a request shows that needs access; returns its user, if `full` with the e-mail
    /// address.
    pub(crate) fn identity(&self, shown: Credential<'_>, full: bool) -> Result<Identity, Error> {
        match shown {
            Credential::Token(token) => self.identify(self.tokens.access(token, self.now)?, full),
            Credential::AppPassword(shown) => self.app_password(&shown),
            Credential::Cookie(jti) => {
                let standing = self.store.standing_with_details(jti)?;
                Identity::of_cookie(jti.to_owned(), standing, self.rotation, self.now)
            }
        }
    }

    /// Returns the user of an app password. Wrong ones are counted, and have to wait.
    fn app_password(&self, shown: &ShownAppPassword) -> Result<Identity, Error> {
        let id = shown.hash().map(CodeHash::name);
        match self.attempts.app_password(id.as_deref(), (self.client_ip)(), self.now) {
            Ok(attempt) => attempt.end(self.look_up(shown)),
            // None can be guessed: the wait limits the work, and a look into a file is little. So a
            // good one is let in, whatever others send from its IP address.
            Err(waits) if self.store.concurrency().reads.is_none() => {
                self.look_up(shown).map_err(|error| match error {
                    Error::InvalidAppPassword => waits,
                    other => other,
                })
            }
            Err(waits) => Err(waits),
        }
    }

    fn look_up(&self, shown: &ShownAppPassword) -> Result<Identity, Error> {
        let found = shown.hash().map(|hash| self.store.app_password(hash, self.now)).transpose()?;
        let found = found.flatten().filter(|found| shown.names(found));
        Identity::of_app_password(found.ok_or(Error::InvalidAppPassword)?)
    }

    /// Refuses an app password that cannot be one or has to wait. Does not read the store, so a
    /// worker can ask before the request waits for a thread.
    pub(crate) fn check_app_password(&self, shown: &ShownAppPassword) -> Result<(), Error> {
        match shown.hash() {
            Some(hash) => {
                let (id, client) = (hash.name(), (self.client_ip)());
                self.attempts.check_app_password(&id, client, self.now)
            }
            None => self.app_password(shown).map(drop),
        }
    }

    /// Checks the session and the user of a valid token; returns the user.
    pub(crate) fn identify(&self, claims: Claims, full: bool) -> Result<Identity, Error> {
        let standing = match full {
            false => self.store.standing(&claims.jti)?,
            true => self.store.standing_with_details(&claims.jti)?,
        };
        let known = standing.is_some();
        match Identity::of(claims, standing) {
            Ok(checked) => checked,
            Err(claims) => {
                let (person, began) = self.adopt(&claims, known)?;
                let adopted = full.then(|| self.store.standing_with_details(&claims.jti));
                let details = adopted.transpose()?.flatten().and_then(|found| found.details);
                let email = details.and_then(|details| details.email);
                let audiences = claims.audiences;
                let user = Identity::active(person, claims.jti, began)?;
                Ok(Identity { email, audiences, ..user })
            }
        }
    }

    /// Begins the session of a token that another program with the same secret has issued; returns
    /// its user and its beginning. Returns the error for any other token without an open session.
    /// `known` tells whether the token's session is in the store.
    fn adopt(&self, claims: &Claims, known: bool) -> Result<(Person, Timestamp), Error> {
        let person = self.store.person(claims.id)?.ok_or(Error::MissingUser)?;
        if !person.active {
            return Err(Error::InactiveUser);
        }
        let origin = self.adopt.filter(|_| !known && is_session_id(&claims.jti));
        let Some(origin) = origin else { return Err(Error::Revoked) };
        let issued = claims.iat.ok_or(Error::MissingClaim("iat"))?;
        // The session is kept until the token's end, so that an ended one is not adopted again.
        let expires = claims.rf_exp.max(claims.exp);
        let session =
            NewSession { jti: &claims.jti, issued, expires, origin, notice: false, cookie: false };
        let actor = Actor::User(origin.ip);
        let adopted = Entry::new(Event::TokenAdopted, person.id, &person.name, actor);
        if self.store.adopt(person.id, &session, &adopted, self.now)? {
            return Ok((person, issued));
        }
        // Another request with the same token may have adopted it in the meantime.
        match self.store.standing(&claims.jti)? {
            Some(Standing { person, ended: false, began, .. }) if person.id == claims.id => {
                Ok((person, began))
            }
            _ => Err(Error::Revoked),
        }
    }
}

/// Returns whether a `jti` can be a session's id in a URL. Those of flask-praetorian are UUIDs.
fn is_session_id(jti: &str) -> bool {
    let fine = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    (1..=MAX_JTI).contains(&jti.len()) && jti.bytes().all(fine)
}
