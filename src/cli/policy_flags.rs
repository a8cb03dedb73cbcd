//! Flags for the rules of accounts and sessions.

use clap::{Args, ValueEnum};

use super::hash_flags::HashFlags;
use super::parse::{Optional, Switch, optional_lifespan};
use super::password_flags::PasswordFlags;
use crate::config::{Config, RefreshReuse, SecondFactorRule};
use crate::error::Problem;
use crate::values::Roles;

#[derive(Args, Debug)]
pub(super) struct PolicyFlags {
    /// Roles of accounts that register without an invitation, separated by commas; empty for none.
    /// An invitation names its own roles
    #[arg(long, value_name = "ROLES", env = "LICTOR_DEFAULT_ROLES", default_value = "user")]
    default_roles: String,

    /// Accounts that must have a second factor; they can do nothing else before they set it up
    #[arg(long, value_name = "WHO", env = "LICTOR_REQUIRE_SECOND_FACTOR", default_value = "off")]
    require_second_factor: Whose,

    /// Where an older token of a session may be refreshed again
    #[arg(long, value_name = "WHERE", env = "LICTOR_REFRESH_REUSE", default_value = "same-device")]
    refresh_reuse: Reuse,

    /// How long a session lasts without a refresh: 1h, 7d, or off; at least the access lifespan
    #[arg(long, value_name = "TIME|off", env = "LICTOR_SESSION_IDLE", default_value = "off", value_parser = optional_lifespan)]
    session_idle: Optional,

    /// The greatest age of a login for ending sessions and for an administrator's changes; after it,
    /// a new login is needed: 15m, 1h, or off
    #[arg(long, value_name = "TIME|off", env = "LICTOR_REAUTHENTICATE", default_value = "off", value_parser = optional_lifespan)]
    reauthenticate: Optional,

    #[command(flatten)]
    pub(super) password: PasswordFlags,

    #[command(flatten)]
    hash: HashFlags,

    /// Whether a mail tells people of a login from a device that they did not use before
    #[arg(long, value_name = "ON|OFF", env = "LICTOR_LOGIN_NOTICES", default_value = "on")]
    login_notices: Switch,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Whose {
    /// None
    Off,
    /// Accounts with the role admin
    Admin,
    /// All
    All,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Reuse {
    /// Where the session was refreshed last: the same IP address and program
    SameDevice,
    /// Nowhere: an older token ends its session
    Never,
}

impl PolicyFlags {
    pub(super) fn apply(&self, config: &mut Config) -> Result<(), Problem> {
        config.default_roles = Roles::parse(self.default_roles.trim()).map_err(|error| {
            Problem::usage(
                format!("the default roles {:?} are not valid: {error}", self.default_roles),
                "separate roles by commas, such as --default-roles user,reader",
            )
        })?;
        config.require_second_factor = match self.require_second_factor {
            Whose::Off => SecondFactorRule::Off,
            Whose::Admin => SecondFactorRule::Admin,
            Whose::All => SecondFactorRule::All,
        };
        config.refresh_reuse = match self.refresh_reuse {
            Reuse::SameDevice => RefreshReuse::SameDevice,
            Reuse::Never => RefreshReuse::Never,
        };
        config.session_idle = self.session_idle.0;
        config.reauthenticate = self.reauthenticate.0;
        config.min_password_length = self.password.min_password_length;
        config.password_blocklist = self.password.blocklist().map(Into::into);
        self.hash.apply(config);
        config.login_notices = self.login_notices == Switch::On;
        Ok(())
    }
}
