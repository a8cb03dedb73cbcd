//! The text of access rules: one a line, and what is wrong with a line.

use std::collections::BTreeMap;

use super::{AccessRules, Group, MAX_RULES, MAX_TEXT, Path, Rule, RulePath, Who, host_of};
use crate::error::Problem;
use crate::values::domain;
use crate::values::{Role, Username};

/// A pattern without its path: whether it is `*.HOST`, the length of HOST, and HOST; `None` for every
/// host. In the order of [`Group::compare`].
type HostKey = Option<(bool, usize, String)>;

/// What is wrong with a rule, and what to write.
type Wrong = (String, String);

/// Maximum length of a word that a message repeats, in characters.
const MAX_SHOWN: usize = 80;

/// What helps against too many rules.
const FEWER: &str = "use *.DOMAIN and roles, so that fewer rules do";

pub(super) fn rules(text: &str) -> Result<AccessRules, Problem> {
    if text.len() > MAX_TEXT {
        let what = format!("the access rules are longer than {} KiB", MAX_TEXT >> 10);
        return Err(Problem::usage(what, FEWER));
    }
    let mut found: BTreeMap<HostKey, Vec<Rule>> = BTreeMap::new();
    let mut count = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let at_line = |(what, next): Wrong| Problem::usage(format!("line {number}: {what}"), next);
        let Some((host, rule)) = parse(line, number).map_err(at_line)? else { continue };
        let others = found.entry(host).or_default();
        if let Some(other) = others.iter().find(|other| other.path == rule.path) {
            return Err(at_line((
                format!("line {} has a rule for the same host and path", other.line),
                "remove one of the two; one rule can name several roles or users".into(),
            )));
        }
        others.push(rule);
        count += 1;
        if count > MAX_RULES {
            let what = format!("there are more than {MAX_RULES} rules");
            return Err(at_line((what, FEWER.into())));
        }
    }
    let anywhere = found.remove(&None).unwrap_or_default();
    let groups = found.into_iter().filter_map(|(host, rules)| {
        let (below, _, host) = host?;
        Some(Group { below, host, rules })
    });
    let groups: Vec<Group> = groups.collect();
    if groups.is_empty() {
        return Err(Problem::usage(
            "no rule names a host, so every request would be refused",
            "name the hosts of the apps, as in: wiki.example.org users",
        ));
    }
    Ok(AccessRules { groups, anywhere, file: String::new() })
}

/// Parses a line; `None` if it is empty or a comment.
fn parse(line: &str, number: usize) -> Result<Option<(HostKey, Rule)>, Wrong> {
    let comment = |word: &&str| word.starts_with('#');
    let words: Vec<&str> = line.split_whitespace().take_while(|word| !comment(word)).collect();
    let Some((pattern, words)) = words.split_first() else { return Ok(None) };
    let (host, path) = match pattern.find('/') {
        Some(at) => pattern.split_at(at),
        None => (*pattern, ""),
    };
    let host = (!host.is_empty()).then(|| parse_host(host, pattern)).transpose()?;
    let host = host.map(|(below, host)| (below, host.len(), host));
    let rule = Rule {
        path: parse_path(path, pattern)?,
        who: parse_who(words)?,
        line: number,
        text: format!("{pattern} {}", words.join(" ")),
    };
    Ok(Some((host, rule)))
}

fn parse_host(text: &str, pattern: &str) -> Result<(bool, String), Wrong> {
    let no_host = |next: &str| (format!("{} is no host", shown(text)), next.to_owned());
    if pattern.contains("://") {
        return Err(no_host("leave out http:// and https://, as in: wiki.example.org users"));
    }
    let (below, name) = match text.strip_prefix("*.") {
        Some(domain) => (true, domain),
        None => (false, text),
    };
    let plain = "write a name, as in wiki.example.org, or *.example.org for all below a domain";
    if name.starts_with('[') && name.ends_with(']') && !below {
        let host = host_of(name).map(|host| (false, host.into_owned()));
        return host.ok_or_else(|| no_host(plain));
    }
    if name.contains(':') {
        return Err(no_host("leave out the port; a rule is for all ports of a host"));
    }
    let host = domain::ascii(name.strip_suffix('.').unwrap_or(name));
    host.map(|host| (below, host)).ok_or_else(|| no_host(plain))
}

fn parse_path(text: &str, pattern: &str) -> Result<RulePath, Wrong> {
    let wrong = |next: &str| (format!("{} has no valid path", shown(pattern)), next.to_owned());
    if text.contains('?') {
        return Err(wrong("leave out what follows the ?; rules know no query"));
    }
    if text.contains('*') {
        return Err(wrong("leave out the *; a path is good for what is below it"));
    }
    let path = Path::of(text.as_bytes());
    if !text.is_empty() && path.ambiguous {
        return Err(wrong("write it as apps read it, as in /public, without // .. \\ ; or %2f"));
    }
    Ok(path.into_rule())
}

fn parse_who(words: &[&str]) -> Result<Who, Wrong> {
    let expected = "write everyone, users, role ROLE, user NAME or nobody after the host";
    let Some((kind, names)) = words.split_first() else {
        return Err(("it is not said who is let in".into(), expected.into()));
    };
    let who = match (*kind, names) {
        ("everyone", []) => Who::Everyone,
        ("users", []) => Who::Users,
        ("nobody", []) => Who::Nobody,
        ("role", [_, ..]) => Who::Roles(all(names, "role", |name| Role::parse(name).ok())?),
        ("user", [_, ..]) => Who::Names(all(names, "username", |name| Username::parse(name).ok())?),
        ("role" | "user", []) => {
            let next = format!("write one or more names after {kind}, separated by spaces");
            return Err((format!("{kind} has no name"), next));
        }
        ("everyone" | "users" | "nobody", [more, ..]) => {
            return Err((format!("{} follows {kind}", shown(more)), expected.into()));
        }
        _ => {
            return Err((format!("{} does not say who is let in", shown(kind)), expected.into()));
        }
    };
    Ok(who)
}

/// Parses each name.
fn all<T>(names: &[&str], kind: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Wrong> {
    let one = |name: &&str| {
        let next = "separate several by spaces";
        parse(name).ok_or_else(|| (format!("{} is no {kind}", shown(name)), next.to_owned()))
    };
    names.iter().map(one).collect()
}

/// A word of the text as messages show it.
fn shown(word: &str) -> String {
    format!("{:?}", word.chars().take(MAX_SHOWN).collect::<String>())
}
