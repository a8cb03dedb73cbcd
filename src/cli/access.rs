//! `lictor access explain`: what the access rules say of a URL, and why. Asks no server.

use std::process::ExitCode;

use super::access_flags;
use super::args::Args;
use super::command::{Command, question};
use super::database::{self, DatabaseFlag, open_existing};
use super::flag::{Row, flag, group};
use super::kind::Kind;
use super::mail_flags::given;
use super::output::{failed, for_terminal, print};
use super::parse::naming;
use crate::access::{Outcome, Path, Visitor, host_of};
use crate::error::Problem;
use crate::link::PageUrl;
use crate::store::Person;
use crate::values::{Role, Username};

pub(super) const COMMANDS: &[Command] = &[question(
    "explain",
    "Say what happens to a request for a URL, and which rule decides",
    EXPLAIN,
    explain,
)];

const EXPLAIN: &[Row] = &[
    flag("URL", Kind::Text).help("The whole URL, as a browser shows it"),
    flag("--user NAME", Kind::Text).help("A user who is logged in [default: nobody is]"),
    flag("--method METHOD", Kind::Text).default("GET").help("The method of the request"),
    flag("--public-url URL", Kind::Text)
        .env("LICTOR_PUBLIC_URL")
        .help("URL of the login page, as the server has it"),
    group(access_flags::FLAGS),
    // Only an account is looked up in it.
    group(database::FLAGS),
];

/// The request that is asked about.
struct Explain<'a> {
    url: &'a str,
    args: &'a Args,
}

/// Says what happens; the exit code is 0 if the request is let through.
fn explain(args: &Args) -> Result<ExitCode, Problem> {
    let command = Explain { url: args.value("URL"), args };
    let rules = access_flags::rules(args)?;
    let (host, path) = command.target()?;
    let person = command.person()?;
    let visitor =
        person.as_ref().map(|person| Visitor { name: &person.name, roles: &person.roles });
    let knows = rules.as_ref().is_some_and(|rules| rules.knows(&host));
    let (outcome, rule) = match &rules {
        _ if !knows && command.is_login(&host)? => {
            (Outcome::Open, "none: proxies do not ask about lictor's own host".to_owned())
        }
        Some(rules) => {
            let verdict = rules.judge(&host, &path, visitor.as_ref());
            let rule = verdict.rule.map(|rule| format!("line {}: {}", rule.line, rule.text));
            let none = || match knows {
                true => "none for this path".to_owned(),
                false => "none for this host".to_owned(),
            };
            (verdict.outcome, rule.unwrap_or_else(none))
        }
        None => without_rules(access_flags::role(args)?.as_ref(), visitor.as_ref()),
    };
    let doubt = match path.ambiguous && rules.is_some() {
        true => {
            "\npath     apps may read it as another one: all rules of its host must be satisfied"
        }
        false => "",
    };
    let who = visitor.map_or("nobody is logged in", |visitor| visitor.name);
    let answer = command.answer(outcome);
    print(&for_terminal(&format!("rule     {rule}\nuser     {who}{doubt}\nanswer   {answer}")))?;
    Ok(if outcome <= Outcome::Allowed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What happens where no file has rules.
fn without_rules(role: Option<&Role>, visitor: Option<&Visitor<'_>>) -> (Outcome, String) {
    let rule = match role {
        Some(role) => format!("--access-role {}", role.as_str()),
        None => "none: whoever is logged in may open all apps".to_owned(),
    };
    let outcome = match visitor {
        None => Outcome::Login,
        Some(visitor) if role.is_none_or(|role| visitor.roles.contains(role)) => Outcome::Allowed,
        Some(_) => Outcome::OthersOnly,
    };
    (outcome, rule)
}

impl Explain<'_> {
    /// Returns the host and the path of the URL.
    fn target(&self) -> Result<(String, Path<'_>), Problem> {
        let wrong = || {
            Problem::usage(
                format!("{:?} is no URL of an app", self.url),
                "write it as browsers do, like https://wiki.example.org/public",
            )
        };
        let rest = match self.url.split_once("://") {
            Some(("http" | "https", rest)) => rest,
            Some((scheme, _)) if !scheme.contains(['/', '?', '#']) => return Err(wrong()),
            _ => self.url,
        };
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let target = target.split('#').next().unwrap_or_default();
        let target = if target.starts_with('/') { target } else { "/" };
        let host = host_of(authority).ok_or_else(wrong)?;
        Ok((host.into_owned(), Path::of(target.as_bytes())))
    }

    /// Whether a host is that of the login page.
    fn is_login(&self, host: &str) -> Result<bool, Problem> {
        let url = given(self.args.get("--public-url"));
        let url = url.map(PageUrl::parse).transpose().map_err(naming("--public-url"))?;
        Ok(url.is_some_and(|url| url.host().eq_ignore_ascii_case(host)))
    }

    /// Returns the account, which must be active.
    fn person(&self) -> Result<Option<Person>, Problem> {
        let Some(name) = self.args.get("--user") else { return Ok(None) };
        let store = open_existing(DatabaseFlag::of(self.args).find()?)?;
        let name = Username::parse(name).map_err(failed)?;
        match store.account(&name).map_err(failed)? {
            Some(account) if account.person.active => Ok(Some(account.person)),
            Some(_) => Err(Problem::new(
                format!("{name} is not active, and so cannot log in"),
                format!("activate the account first: lictor user activate {name}"),
            )),
            None => Err(Problem::new(
                format!("there is no user {name}"),
                "list the users: lictor user list",
            )),
        }
    }

    /// The answer in words.
    fn answer(&self, outcome: Outcome) -> String {
        match outcome {
            Outcome::Open => "200: everyone may open it, without a login".to_owned(),
            Outcome::Allowed => match self.args.value("--method") {
                "GET" | "HEAD" | "OPTIONS" => "200: the user may open it".to_owned(),
                method => format!(
                    "200: the user may; a browser's {method} must come from a page of the same host"
                ),
            },
            Outcome::Login => {
                "401: somebody must log in first; a browser gets the login page".to_owned()
            }
            Outcome::OthersOnly => "403: this user may not open it".to_owned(),
            Outcome::Refused => "403: nobody may open it".to_owned(),
        }
    }
}
