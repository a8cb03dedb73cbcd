//! Who may open which pages of the apps behind a proxy: rules by host and path, from a text. Knows no
//! request, no store and no clock.
//!
//! | file | owns |
//! |---|---|
//! | `parse` | the text of the rules, and what is wrong with one |
//! | `host` | a host as rules compare it |
//! | `path` | a path as rules compare it, and whether an app may read it as another one |
//! | `reading` | how apps may read a path without its endings |
//! | `who` | whom a rule lets in |
//! | `returning` | the URLs to which people may be sent back after a login |

mod host;
mod parse;
mod path;
mod reading;
pub(crate) mod returning;
mod who;

use std::fs::File;
use std::io::Read as _;
use std::path::Path as FilePath;

use lictor_engine::http::names;

use crate::error::Problem;
pub(crate) use host::{host_of, is_within};
pub(crate) use path::Path;
use path::{Covers, RulePath};
pub(crate) use who::{Outcome, Visitor, Who};

/// Maximum length of the text, in bytes.
const MAX_TEXT: usize = 64 * 1024;
/// Maximum number of rules.
const MAX_RULES: usize = 1_000;

/// Rules that say who may open what behind a proxy.
///
/// A line has a pattern (`HOST`, `HOST/PATH`, or `/PATH` on every host that a rule names; `*.DOMAIN`
/// is each host below a domain), and who is let in: `everyone`, `users`, `role ROLE …` (one of them),
/// `user NAME …`, `nobody`. A path is good for what is below it as well. A host without a rule is
/// refused.
///
/// ```
/// use lictor::AccessRules;
/// let rules = AccessRules::parse(
///     "wiki.example.org         role family
///      wiki.example.org/public  everyone   # no login
///      *.example.org            users",
/// )?;
/// assert_eq!(rules.len(), 3);
/// let wrong = AccessRules::parse("wiki.example.org family").unwrap_err();
/// assert!(wrong.what.starts_with("line 1: "));
/// # Ok::<(), lictor::Problem>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRules {
    /// The rules that name a host, sorted by [`Group::compare`].
    groups: Vec<Group>,
    /// The rules for all of these hosts.
    anywhere: Vec<Rule>,
    /// The file that they are from; empty if they are from none.
    file: String,
}

/// The rules of one pattern of hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    /// Whether the pattern is `*.HOST`.
    below: bool,
    /// In lower-case ASCII.
    host: String,
    rules: Vec<Rule>,
}

/// One line of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    path: RulePath,
    who: Who,
    /// The number of its line.
    pub(crate) line: usize,
    /// The rule with single spaces.
    pub(crate) text: String,
}

/// What the rules say of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict<'r> {
    pub(crate) outcome: Outcome,
    /// The rule that decides; `None` if there is none for this host and path.
    pub(crate) rule: Option<&'r Rule>,
}

impl<'r> Verdict<'r> {
    /// Adds a rule that must be satisfied as well.
    fn and(&mut self, rule: &'r Rule, visitor: Option<&Visitor<'_>>) {
        let outcome = rule.who.outcome(visitor);
        if self.rule.is_none() || outcome > self.outcome {
            *self = Verdict { outcome, rule: Some(rule) };
        }
    }

    /// Returns the rule for the path whose own path is the longest; adds those that must be satisfied
    /// as well.
    fn longest(
        &mut self,
        rules: &'r [Rule],
        path: &Path<'_>,
        visitor: Option<&Visitor<'_>>,
    ) -> Option<&'r Rule> {
        let mut best: Option<&Rule> = None;
        let mut others = Vec::new();
        for rule in rules {
            if path.ambiguous {
                self.and(rule, visitor);
                continue;
            }
            match path.is_below(&rule.path) {
                Covers::Yes if best.is_none_or(|best| rule.path.len() > best.path.len()) => {
                    best = Some(rule);
                }
                Covers::Perhaps { unless } => others.push((rule, unless)),
                _ => {}
            }
        }
        for (rule, unless) in others {
            if best.is_none_or(|best| best.path.len() < unless) {
                self.and(rule, visitor);
            }
        }
        best
    }
}

impl Rule {
    /// Whether this rule without a host decides instead of the rule that a host has for the path.
    fn opens(&self, own: &Rule) -> bool {
        self.path.len() > own.path.len() && own.who != Who::Nobody
    }
}

fn has_all_paths(rules: &[Rule]) -> bool {
    rules.iter().any(|rule| rule.path.is_empty())
}

impl AccessRules {
    /// Reads the rules in a file of at most 64 KiB.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or for its first rule that is wrong.
    pub fn open(path: impl AsRef<FilePath>) -> Result<AccessRules, Problem> {
        let path = path.as_ref();
        let mut text = Vec::new();
        let limit = MAX_TEXT as u64 + 1;
        let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut text));
        read.map_err(|error| {
            Problem::new(
                format!("cannot read the access rules in {}: {error}", path.display()),
                "let the user that runs lictor read it, or leave out the setting `access`",
            )
            .with_source(error)
        })?;
        let parsed = std::str::from_utf8(&text).map_err(|_| {
            Problem::usage("the access rules are not UTF-8", "write one rule a line in UTF-8")
        });
        let file = path.display().to_string();
        match parsed.and_then(AccessRules::parse) {
            Ok(rules) => Ok(AccessRules { file, ..rules }),
            Err(problem) => Err(Problem { what: format!("{file}: {}", problem.what), ..problem }),
        }
    }

    /// Parses rules, one a line; `#` begins a comment.
    ///
    /// # Errors
    ///
    /// For the first rule that is wrong, with its line.
    pub fn parse(text: &str) -> Result<AccessRules, Problem> {
        parse::rules(text)
    }

    /// Returns how many rules there are.
    // There is always a rule, so nobody needs to ask whether there is none.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.rules().count()
    }

    /// Returns where the rules are from, and how many there are.
    #[cfg(feature = "cli")]
    pub(crate) fn describe(&self) -> String {
        let (rules, hosts) = (self.len(), self.groups.len());
        let file = if self.file.is_empty() { "built in" } else { &self.file };
        format!("{file}, {rules} rules for {hosts} hosts")
    }

    /// Returns what the rules say of a request by `visitor`, or by somebody who is not logged in.
    ///
    /// The longest path of the most specific host decides: the host itself, then the nearest domain
    /// above it. A rule without a host decides instead if its path is longer, unless the other one
    /// lets nobody in; with no path, it decides only where no rule with the host does. What an app may
    /// read as another path must satisfy every rule that the other one could have.
    pub(crate) fn judge(
        &self,
        host: &str,
        path: &Path<'_>,
        visitor: Option<&Visitor<'_>>,
    ) -> Verdict<'_> {
        let (mut verdict, deciding) = self.judge_path(host, path, visitor);
        let named = deciding.map_or(0, |rule| rule.path.len());
        for page in path.pages(named) {
            let (other, _) = self.judge_path(host, &page, visitor);
            if other.outcome > verdict.outcome {
                verdict = other;
            }
        }
        verdict
    }

    /// Does the same for a path whose pages of programs do not count. Returns also the rule for the path.
    fn judge_path(
        &self,
        host: &str,
        path: &Path<'_>,
        visitor: Option<&Visitor<'_>>,
    ) -> (Verdict<'_>, Option<&Rule>) {
        let refused = Verdict { outcome: Outcome::Refused, rule: None };
        let mut verdict = refused;
        let mut own: Option<&Rule> = None;
        let (mut known, mut whole_host) = (false, false);
        let mut longest = |rules| {
            whole_host |= path.ambiguous && has_all_paths(rules);
            verdict.longest(rules, path, visitor)
        };
        for group in self.groups_of(host) {
            known = true;
            own = own.or(longest(&group.rules));
        }
        if !known {
            return (refused, None);
        }
        let anywhere = longest(&self.anywhere);
        let deciding = match (own, anywhere) {
            (Some(own), Some(other)) if other.opens(own) => Some(other),
            (own, anywhere) => own.or(anywhere),
        };
        match deciding {
            _ if path.ambiguous && whole_host => (verdict, None),
            Some(rule) if !path.ambiguous => {
                verdict.and(rule, visitor);
                (verdict, deciding)
            }
            _ => (refused, None),
        }
    }

    /// Returns the rules without a host that let more people in than a host's own rule would, each
    /// with these hosts.
    #[cfg(feature = "cli")]
    pub(crate) fn laxer(&self) -> Vec<(&Rule, Vec<String>)> {
        let opened = |rule: &Rule| -> Vec<String> {
            let groups = self.groups.iter().filter(|group| group.is_opened_by(rule));
            groups.map(Group::pattern).collect()
        };
        let found = self.anywhere.iter().map(|rule| (rule, opened(rule)));
        found.filter(|(_, hosts)| !hosts.is_empty()).collect()
    }

    /// Whether a rule names this host, alone or with others.
    pub(crate) fn knows(&self, host: &str) -> bool {
        self.groups_of(host).next().is_some()
    }

    /// Returns the groups that a host is in, the most specific first.
    fn groups_of<'s, 'h>(&'s self, host: &'h str) -> impl Iterator<Item = &'s Group> + use<'s, 'h> {
        let above = host.bytes().zip(1..).filter(|(byte, _)| *byte == b'.');
        let found = above.filter_map(|(_, after)| self.group(true, host.get(after..)?));
        self.group(false, host).into_iter().chain(found)
    }

    fn group(&self, below: bool, host: &str) -> Option<&Group> {
        let at = self.groups.binary_search_by(|group| group.compare(below, host)).ok()?;
        self.groups.get(at)
    }

    fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.groups.iter().flat_map(|group| &group.rules).chain(&self.anywhere)
    }

    /// Returns the hosts of the rules, and whether each stands for those below it.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (&str, bool)> {
        self.groups.iter().map(|group| (group.host.as_str(), group.below))
    }

    /// Returns the rules as they are written.
    #[cfg(feature = "cli")]
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.rules().map(|rule| rule.text.as_str())
    }

    /// Returns whom the rules let in.
    #[cfg(feature = "cli")]
    pub(crate) fn whom(&self) -> impl Iterator<Item = &Who> {
        self.rules().map(|rule| &rule.who)
    }
}

impl Group {
    /// Returns the pattern of hosts as it is written.
    #[cfg(feature = "cli")]
    fn pattern(&self) -> String {
        format!("{}{}", if self.below { "*." } else { "" }, self.host)
    }

    /// Whether a rule without a host lets in more people than the group's own rule for its path would.
    #[cfg(feature = "cli")]
    fn is_opened_by(&self, rule: &Rule) -> bool {
        let mut verdict = Verdict { outcome: Outcome::Refused, rule: None };
        let own = verdict.longest(&self.rules, &Path::plain(rule.path.as_bytes()), None);
        own.is_some_and(|own| rule.opens(own) && rule.who.rank() < own.who.rank())
    }

    /// Compares the group's pattern with another one, whose host may have upper-case letters. The
    /// lengths come first, because they nearly always decide.
    fn compare(&self, below: bool, host: &str) -> std::cmp::Ordering {
        let lengths = (self.below, self.host.len()).cmp(&(below, host.len()));
        lengths.then_with(|| names::compare(&self.host, host))
    }
}

#[cfg(test)]
mod tests;
