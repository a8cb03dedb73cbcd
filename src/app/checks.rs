//! Who sends a request: the checks of what it shows, and of a second factor.

use super::seen::is_old;
use super::{App, Call, Caller};
use crate::config::SecondFactorRule;
use crate::error::Error;
use crate::guard::{Admin, Credential, CredentialCheck, Identity};
use crate::values::Roles;

impl App {
    /// Checks what a request shows, its session and its user; `told` asks for the e-mail address.
    pub(crate) fn check_caller(&self, call: &Call<'_>, told: bool) -> Result<Identity, Error> {
        self.check_credential(call, call.credential()?, told)
    }

    /// Checks this that a request shows, its session and its user.
    pub(crate) fn check_credential(
        &self,
        call: &Call<'_>,
        shown: Credential<'_>,
        told: bool,
    ) -> Result<Identity, Error> {
        let identity = self.check(call, |check| check.identity(shown, told))?;
        self.let_in(&identity, call);
        Ok(identity)
    }

    /// Logs that a caller was checked, and notes when a cookie or an app password was shown, if the
    /// time in the database is old.
    pub(crate) fn let_in(&self, identity: &Identity, call: &Call<'_>) {
        let now = call.now;
        log::debug!("user {} is let in", identity.id());
        if identity.seen().is_some_and(|seen| is_old(seen, self.rotation.idle(), now)) {
            self.seen.session(identity.session(), now);
        }
        if let Some(info) = identity.app_password()
            && info.used.is_none_or(|used| is_old(used, None, now))
        {
            self.seen.app_password(&info.id, call.client_ip(), now);
        }
    }

    /// Lets `check` check tokens, cookies, app passwords and sessions.
    pub(crate) fn check<T>(
        &self,
        call: &Call<'_>,
        check: impl FnOnce(&CredentialCheck<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let caller = self.config.adopt_tokens.then(|| call.caller());
        let adopt = caller.as_ref().map(Caller::client_info);
        let (tokens, store, rotation, now) = (&self.tokens, &*self.store, &self.rotation, call.now);
        let (attempts, client_ip) = (&*self.attempts, &|| call.client_ip());
        check(&CredentialCheck { tokens, store, adopt, rotation, attempts, client_ip, now })
    }

    /// Refuses a user who must have a second factor and has none.
    pub(crate) fn check_second_factor(&self, who: &Identity) -> Result<(), Error> {
        if !self.requires_second_factor(who.roles()) {
            return Ok(());
        }
        let has_one = match who.second_factor() {
            Some(known) => known,
            None => self.store.has_second_factor(who.id())?,
        };
        if has_one { Ok(()) } else { Err(Error::SecondFactorMissing) }
    }

    /// Whether a user with these roles must have a second factor.
    pub(crate) fn requires_second_factor(&self, roles: &Roles) -> bool {
        match self.config.require_second_factor {
            SecondFactorRule::Off => false,
            SecondFactorRule::Admin => Admin::is_role_of(roles),
            SecondFactorRule::All => true,
        }
    }
}
