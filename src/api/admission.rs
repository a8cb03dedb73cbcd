//! Whether a proxy may let a request through, and for whom: the decision of `GET /api/verify` and
//! `GET /api/forward-auth`. When in doubt the answer is a refusal.

use super::query::percent_decoded;
use crate::access::{Outcome, Path, Visitor};
use crate::app::{Ambient, Call, Wanted};
use crate::config::Registration;
use crate::error::Error;
use crate::guard::Identity;
use crate::values::{Role, Roles};

/// Why a request is not let through.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) error: Error,
    /// Whether another login may change that.
    pub(super) login_helps: bool,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        let login_helps = error.kind().status == 401
            || matches!(
                error,
                Error::Revoked
                    | Error::InactiveUser
                    | Error::MissingRole(_)
                    | Error::SecondFactorMissing
            );
        Refused { error, login_helps }
    }
}

/// Returns the user whose request is let through; `None` for one that needs no login. `who` calls, or
/// is not known for this reason.
pub(super) fn admit(
    call: &Call<'_>,
    wanted: &Wanted<'_>,
    who: Result<Identity, Error>,
) -> Result<Option<Identity>, Refused> {
    let required = roles(call.request.query);
    let who = who.and_then(|user| match ambient(call) {
        Some(ambient) => wanted.check_origin(call.request, ambient).map(|()| user),
        None => Ok(user),
    });
    let config = &call.app.config;
    let outcome = match &config.access {
        Some(_) => by_rules(call, wanted, who.as_ref().ok())?,
        None => Outcome::Login,
    };
    if outcome == Outcome::Open && required.as_ref().is_ok_and(Vec::is_empty) {
        return Ok(who.ok());
    }
    let (user, required) = (who?, required?);
    if outcome == Outcome::OthersOnly {
        let host = wanted.host().unwrap_or_default();
        let error = Error::AccessDenied(format!("This user may not open this page of {host}"));
        return Err(Refused { error, login_helps: true });
    }
    if config.access.is_none() {
        check_default(call, &user)?;
    }
    if !required.iter().all(|role| user.roles().contains(role)) {
        let required: Vec<&str> = required.iter().map(Role::as_str).collect();
        return Err(Error::MissingRole(required.join(", ")).into());
    }
    Ok(Some(user))
}

/// Returns what the access rules say; an error if they let nobody in.
fn by_rules(
    call: &Call<'_>,
    wanted: &Wanted<'_>,
    user: Option<&Identity>,
) -> Result<Outcome, Error> {
    let Some((rules, host)) = call.app.config.access.as_ref().zip(wanted.host()) else {
        if call.app.warnings.hostless.is_due(call.now) {
            log::warn!(
                "the access rules refuse requests because no trusted proxy says which host they \
                 are for; name it with the setting `trusted_proxies`, and let it send \
                 X-Forwarded-Host and X-Forwarded-Uri"
            );
        }
        return Err(Error::AccessDenied(
            "The access rules must know the host; a trusted proxy sends it as X-Forwarded-Host"
                .into(),
        ));
    };
    let visitor = user.map(visitor);
    let judge = |path: &Path<'_>| rules.judge(host, path, visitor.as_ref()).outcome;
    let outcome = match wanted.destination()? {
        Some(destination) => judge(&wanted.path()).max(judge(&destination)),
        None => judge(&wanted.path()),
    };
    match outcome {
        Outcome::Refused => Err(Error::AccessDenied(format!(
            "No access rule lets anybody open this page of {host}"
        ))),
        outcome => Ok(outcome),
    }
}

/// Checks what is asked of a user where there are no access rules.
fn check_default(call: &Call<'_>, user: &Identity) -> Result<(), Error> {
    let config = &call.app.config;
    match &config.access_role {
        Some(role) => user.require_role(role),
        None => {
            let open = config.registration == Registration::Open;
            if open && call.app.warnings.open.is_first() {
                log::warn!(
                    "whoever registers may open every app behind the proxy; give the setting \
                     `access_role`, the setting `access`, or another one for the setting \
                     `registration`"
                );
            }
            Ok(())
        }
    }
}

/// A user as the access rules see one.
pub(super) fn visitor(user: &Identity) -> Visitor<'_> {
    Visitor { name: user.name(), roles: user.roles() }
}

/// Returns what a browser may have sent by itself; `None` for what only a program sends.
fn ambient(call: &Call<'_>) -> Option<Ambient> {
    match call.request.header("authorization") {
        None => Some(Ambient::Cookie),
        Some(header) => {
            let basic = header.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"basic "));
            basic.then_some(Ambient::Basic)
        }
    }
}

/// Returns the roles that the query asks for: `role=ROLE`, several joined by `&`, all of which the
/// user must have. So each addition makes a query stricter. Anything else in it is refused: a
/// condition that is misspelt must not be ignored.
fn roles(query: Option<&str>) -> Result<Vec<Role>, Error> {
    let malformed = || {
        Error::BadRequest(format!(
            "The query may hold nothing but role=ROLE, at most {} times",
            Roles::MAX
        ))
    };
    let Some(query) = query else { return Ok(Vec::new()) };
    // Nobody has more roles than that.
    if query.split('&').count() > Roles::MAX {
        return Err(malformed());
    }
    query.split('&').map(role).collect::<Option<_>>().ok_or_else(malformed)
}

fn role(pair: &str) -> Option<Role> {
    // A plus sign is no space here.
    Role::parse(&percent_decoded(pair.strip_prefix("role=")?)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Request;

    #[test]
    fn queries() {
        let check = |query: &str, expected: Option<&[&str]>| {
            let target = format!("/api/verify{query}");
            let found = roles(Request::new("GET", &target, &[]).query);
            let found = found.as_ref().ok();
            let found = found.map(|roles| roles.iter().map(Role::as_str).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{query:?}");
        };
        let many = |n: usize| vec!["role=a"; n].join("&");
        check("", Some(&[]));
        check("?role=admin", Some(&["admin"]));
        check("?role=a&role=b", Some(&["a", "b"]));
        check("?role=a&role=a", Some(&["a", "a"]));
        check("?role=%61dmin", Some(&["admin"]));
        check("?role=team:x_y.z-0", Some(&["team:x_y.z-0"]));
        check("?role=team%3ax%2Dy", Some(&["team:x-y"]));
        check(&format!("?{}", many(16)), Some(&["a"; 16]));
        check(&format!("?role={}", "x".repeat(64)), Some(&["x".repeat(64).as_str()]));
        for bad in [
            "?",
            "?&",
            "?role",
            "?role=",
            "?=admin",
            "?admin",
            "?roles=admin",
            "?Role=admin",
            "?ROLE=admin",
            "?r%6Fle=admin",
            "?role%3Dadmin",
            "?role[]=admin",
            "?role=admin&",
            "?&role=admin",
            "?role=a&&role=b",
            "?role=a&other=b",
            "?other=b&role=a",
            "?role=a;role=b",
            "?role=a,b",
            "?role=a%2Cb",
            "?role=a%26role=b",
            "?role=a=b",
            "?role=a?role=b",
            "?role=a b",
            "?role=a+b",
            "?role=+admin",
            "?role=%20admin",
            "?role=admin%0A",
            "?role=admin%00",
            "?role=%E9",
            "?role=%C3%A9",
            "?role=%",
            "?role=admin%",
            "?role=admin%6",
            "?role=%+1dmin",
            "?role=%-1dmin",
            "?role=%gg",
            "?role=%2561dmin",
            "?role=*",
            "?role=\"admin\"",
            &format!("?{}", many(17)),
            &format!("?role={}", "x".repeat(65)),
            &format!("?{}", "&".repeat(8000)),
        ] {
            check(bad, None);
        }
    }
}
