//! Flags for the rules of accounts and sessions.

use super::args::Args;
use super::flag::{Row, flag, group};
use super::hash_flags;
use super::kind::{Choices, Kind, LIFESPAN_OR_OFF, ON_OR_OFF};
use super::parse::{naming, roles};
use super::password_flags;
use crate::config::{Config, CookieDomain, RefreshReuse, SecondFactorRule};
use crate::error::Problem;

pub(super) const FLAGS: &[Row] = &[
    flag("--default-roles ROLES", Kind::Text).env("LICTOR_DEFAULT_ROLES").default("user").help(
        "Roles of accounts that register without an invitation, separated by commas; empty \
         for none. An invitation names its own roles",
    ),
    flag("--require-second-factor WHO", Kind::OneOf(&WHOSE))
        .env("LICTOR_REQUIRE_SECOND_FACTOR")
        .default("off")
        .help(
            "Accounts that must have a second factor; they can do nothing else before they set it \
             up",
        ),
    flag("--refresh-reuse WHERE", Kind::OneOf(&REUSE))
        .env("LICTOR_REFRESH_REUSE")
        .default("same-device")
        .help("Where an older token of a session may be refreshed again"),
    flag("--session-idle TIME|off", LIFESPAN_OR_OFF)
        .env("LICTOR_SESSION_IDLE")
        .default("off")
        .help(
            "How long a session lasts without a refresh: 1h, 7d, or off; at least the access \
             lifespan",
        ),
    flag("--cookie-domain DOMAIN", Kind::Text).env("LICTOR_COOKIE_DOMAIN").help(
        "The domain of the login and of the apps behind the proxy, such as example.org: one \
         login is then good on all of its hosts [default: the cookie of a browser session is \
         for the host of the login alone]",
    ),
    flag("--reauthenticate TIME|off", LIFESPAN_OR_OFF)
        .env("LICTOR_REAUTHENTICATE")
        .default("off")
        .help(
            "The greatest age of a login for ending sessions and for an administrator's changes; \
             after it, a new login is needed: 15m, 1h, or off",
        ),
    group(password_flags::FLAGS),
    group(hash_flags::FLAGS),
    flag("--login-notices ON|OFF", Kind::OneOf(&ON_OR_OFF))
        .env("LICTOR_LOGIN_NOTICES")
        .default("on")
        .help("Whether a mail tells people of a login from a device that they did not use before"),
];

const WHOSE: Choices<SecondFactorRule> = Choices(&[
    ("off", "None", SecondFactorRule::Off),
    ("admin", "Accounts with the role admin", SecondFactorRule::Admin),
    ("all", "All", SecondFactorRule::All),
]);

const REUSE: Choices<RefreshReuse> = Choices(&[
    (
        "same-device",
        "Where the session was refreshed last: the same IP address and program",
        RefreshReuse::SameDevice,
    ),
    ("never", "Nowhere: an older token ends its session", RefreshReuse::Never),
]);

pub(super) fn apply(args: &Args, config: &mut Config) -> Result<(), Problem> {
    let roles = roles(args.value::<&str>("--default-roles").trim());
    config.default_roles = roles.map_err(naming("--default-roles"))?;
    config.require_second_factor = args.one_of("--require-second-factor", &WHOSE);
    config.refresh_reuse = args.one_of("--refresh-reuse", &REUSE);
    config.session_idle = args.value("--session-idle");
    config.reauthenticate = args.value("--reauthenticate");
    // An empty variable in the environment means none.
    let domain = args.get("--cookie-domain").map(str::trim).filter(|text| !text.is_empty());
    let domain = domain.map(CookieDomain::parse).transpose();
    config.cookie_domain = domain.map_err(naming("--cookie-domain"))?;
    config.min_password_length = args.value("--min-password-length");
    config.password_blocklist = password_flags::blocklist(args).map(Into::into);
    hash_flags::apply(args, config);
    config.login_notices = args.one_of("--login-notices", &ON_OR_OFF);
    Ok(())
}
