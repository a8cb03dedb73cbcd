//! Flags that say who may open the apps behind the proxy.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::path::Path;

use super::args::Args;
use super::flag::{Row, flag};
use super::kind::Kind;
use super::output::failed;
use super::parse::naming;
use crate::access::{AccessRules, Who, is_within};
use crate::config::{Config, CookieDomain, Registration};
use crate::error::Problem;
use crate::link::PageUrl;
use crate::store::{Account, Inspection, Store};
use crate::values::{Role, Username};

pub(super) const FLAGS: &[Row] = &[
    flag("--access FILE", Kind::Path).env("LICTOR_ACCESS").help(
        "File that says who may open which pages of the apps behind the proxy: one rule a \
         line, as in `wiki.example.org role family`",
    ),
    flag("--access-role ROLE", Kind::Text)
        .env("LICTOR_ACCESS_ROLE")
        .help("Without --access: the role that somebody needs for the apps behind the proxy"),
];

pub(super) fn apply(args: &Args, config: &mut Config) -> Result<(), Problem> {
    config.access = rules(args)?;
    config.access_role = role(args)?;
    Ok(())
}

/// The rules in the file, if one is named.
pub(super) fn rules(args: &Args) -> Result<Option<AccessRules>, Problem> {
    args.get::<&Path>("--access").map(AccessRules::open).transpose()
}

/// The role that is needed where there are no rules.
pub(super) fn role(args: &Args) -> Result<Option<Role>, Problem> {
    let role = args.get("--access-role").map(|text: &str| {
        Role::parse(text).map_err(|_| {
            let what = format!("{text:?} is no role");
            naming("--access-role")(Problem::usage(what, "write one role, like family"))
        })
    });
    role.transpose()
}

/// What is most likely a mistake about these settings.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut found = Vec::new();
    if !config.wants_cookie() {
        return found;
    }
    let host = config.public_url.as_ref().map(PageUrl::host);
    let is_loopback = |host: &str| host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback());
    if host.is_none_or(is_loopback) {
        found.push("--public-url does not say where people log in, so nobody is sent there".into());
    }
    if config.access.is_some() && config.trusted_proxies.is_empty() {
        found.push(
            "no --trusted-proxy, so lictor ignores X-Forwarded-Host, and --access refuses every \
             request"
                .into(),
        );
    }
    if config.access.is_none()
        && config.access_role.is_none()
        && config.registration == Registration::Open
    {
        found.push(
            "whoever registers may open every app behind the proxy; give --access-role, --access, or \
             --registration closed"
                .into(),
        );
    }
    found.extend(unreached(config));
    found
}

/// A warning of hosts to which browsers do not send the cookie.
fn unreached(config: &Config) -> Option<String> {
    let hosts = config.access.iter().flat_map(AccessRules::hosts);
    let mut unreached = hosts.filter(|(name, below)| !gets_cookie(config, name, *below));
    let (first, _) = unreached.next()?;
    let others = match unreached.count() {
        0 => String::new(),
        many => format!(" and {many} other hosts of the rules"),
    };
    Some(format!(
        "browsers will not send the cookie to {first}{others}: they are neither the host of \
         --public-url nor below --cookie-domain"
    ))
}

/// Notes on the rules: which let more people in than others, and which roles and users of theirs no
/// account has. Reads all accounts of a database that is
/// there, if rules name any.
pub(super) fn notes(config: &Config) -> Result<Vec<String>, Problem> {
    let mut missing: BTreeSet<String> = BTreeSet::new();
    let role = |name: &str| format!("no account has the role {name}, which the access rules name");
    let user = |name: &str| format!("there is no user {name}, whom the access rules name");
    for who in config.access.iter().flat_map(AccessRules::whom) {
        match who {
            Who::Roles(roles) => missing.extend(roles.iter().map(|one| role(one.as_str()))),
            Who::Names(names) => missing.extend(names.iter().map(|name| user(name.key()))),
            _ => {}
        }
    }
    let mut notes = opened(config);
    if missing.is_empty() || Store::inspect(&config.database)? != Inspection::Current {
        return Ok(notes);
    }
    Store::open(&config.database, 1)?
        .accounts(&mut |Account { person, .. }| {
            for name in person.roles.iter() {
                missing.remove(&role(name));
            }
            if let Ok(name) = Username::parse(&person.name) {
                missing.remove(&user(name.key()));
            }
        })
        .map_err(failed)?;
    notes.extend(missing);
    Ok(notes)
}

/// Notes on the rules without a host that let more people in than the hosts' own rules.
fn opened(config: &Config) -> Vec<String> {
    let laxer = config.access.iter().flat_map(AccessRules::laxer);
    let noted = laxer.map(|(rule, hosts)| {
        let others = match hosts.len() - 1 {
            0 => String::new(),
            many => format!(" and {many} other hosts"),
        };
        let (line, text, first) = (rule.line, &rule.text, &hosts[0]);
        format!(
            "the access rule in line {line} ({text}) lets in people whom the rules of \
             {first}{others} keep out"
        )
    });
    noted.collect()
}

/// Whether a browser that has logged in shows it to this host, or to some below it.
fn gets_cookie(config: &Config, host: &str, below: bool) -> bool {
    let own = config.public_url.as_ref().map(PageUrl::host);
    let domain = config.cookie_domain.as_ref().map(CookieDomain::as_str);
    own.is_some_and(|own| own.eq_ignore_ascii_case(host))
        || domain.is_some_and(|domain| is_within(host, domain) || below && is_within(domain, host))
}

/// Who may open the apps, in a few words.
pub(super) fn describe(config: &Config) -> String {
    match (&config.access, &config.access_role) {
        (Some(rules), _) => rules.describe(),
        (None, Some(role)) => format!("users with the role {}", role.as_str()),
        (None, None) => "all users".to_owned(),
    }
}
