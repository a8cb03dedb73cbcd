//! The hosts for which an app password is good.

use super::domain;
use crate::error::Error;

/// Maximum number of hosts.
const MAX: usize = 16;

/// Names of hosts, and `*.DOMAIN` for all hosts below a domain, in lower-case ASCII. None at all
/// means every host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(String);

impl Hosts {
    /// Parses names of hosts, each a domain, `*.` and a domain, or an IPv4 address. A port does not
    /// count, so none may be given.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Hosts, Error> {
        let mut hosts: Vec<String> = Vec::new();
        for name in names {
            let host = host(name.trim()).ok_or_else(|| {
                Error::BadRequest(format!(
                    "hosts: {:?} is no host; write one like cal.example.org or *.example.org",
                    name.chars().take(MAX_SHOWN).collect::<String>()
                ))
            })?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
            if hosts.len() > MAX {
                return Err(Error::BadRequest(format!("hosts: there are more than {MAX}")));
            }
        }
        Ok(Hosts(hosts.join(",")))
    }

    /// Puts hosts together that were parsed before.
    pub(crate) fn stored(text: String) -> Hosts {
        Hosts(text)
    }

    /// Returns the hosts, joined by commas.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns each host.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(',').filter(|host| !host.is_empty())
    }

    /// Whether `wanted` is one of the hosts, in any case and without a port. `None` if it is not known,
    /// which is good enough only where every host is.
    pub fn allow(&self, wanted: Option<&str>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Some(wanted) = wanted.map(|wanted| wanted.strip_suffix('.').unwrap_or(wanted)) else {
            return false;
        };
        self.iter().any(|host| match host.strip_prefix('*') {
            // With the dot that follows the asterisk, and something before it.
            Some(below) => {
                let end = wanted.len().checked_sub(below.len()).filter(|&end| end > 0);
                let end = end.and_then(|end| wanted.get(end..));
                end.is_some_and(|end| end.eq_ignore_ascii_case(below))
            }
            None => wanted.eq_ignore_ascii_case(host),
        })
    }
}

/// Characters of a wrong name that an error repeats.
const MAX_SHOWN: usize = 80;

/// The host in lower-case ASCII; `None` if it cannot be one.
fn host(name: &str) -> Option<String> {
    match name.strip_prefix("*.") {
        Some(domain) => domain::ascii(domain).map(|domain| format!("*.{domain}")),
        None => domain::ascii(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed() {
        let check = |names: &[&str], expected: Option<&str>| {
            let hosts = Hosts::of(names.iter().copied());
            assert_eq!(hosts.as_ref().ok().map(Hosts::as_str), expected, "{names:?}");
        };
        check(&[], Some(""));
        check(&["cal.example.org"], Some("cal.example.org"));
        check(
            &[" CAL.Example.ORG ", "*.Bücher.example"],
            Some("cal.example.org,*.xn--bcher-kva.example"),
        );
        check(&["a.example", "A.example"], Some("a.example"));
        check(&["localhost", "192.0.2.1"], Some("localhost,192.0.2.1"));
        for bad in [
            "",
            " ",
            "*",
            "*.",
            "**.example",
            "a.*.example",
            "*example.org",
            "a.example:443",
            "https://a.example",
            "a.example/path",
            "a,b",
            "a b",
            "a..b",
            ".a",
            "a.",
            "[::1]",
            "a\0",
            "a\u{202e}",
            "-a.example",
            "a.example.-",
        ] {
            check(&["a.example", bad], None);
        }
        let many: Vec<String> = (0..17).map(|n| format!("h{n}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(Hosts::of(many[..16].iter().copied()).unwrap().iter().count(), 16);
        check(&many, None);
        let message = Hosts::of(["x".repeat(10_000).as_str()]).unwrap_err().message();
        assert!(message.len() < 200, "{message}");
    }

    #[test]
    fn a_wanted_host_is_one_of_them() {
        let check = |hosts: &[&str], wanted: Option<&str>, expected: bool| {
            let hosts = Hosts::of(hosts.iter().copied()).unwrap();
            assert_eq!(hosts.allow(wanted), expected, "{hosts:?} {wanted:?}");
        };
        check(&[], None, true);
        check(&[], Some("a.example"), true);
        check(&["a.example"], None, false);
        check(&["a.example"], Some(""), false);
        check(&["a.example"], Some("a.example"), true);
        check(&["a.example"], Some("a.example."), true);
        check(&["a.example"], Some("A.Example"), true);
        for other in ["b.example", "b.a.example", "xa.example", "example", "a.example.org", "a"] {
            check(&["a.example"], Some(other), false);
        }
        check(&["b.example", "a.example"], Some("a.example"), true);
        check(&["*.example"], Some("a.example"), true);
        check(&["*.example"], Some("b.a.example"), true);
        check(&["*.example"], Some("A.EXAMPLE"), true);
        for other in ["example", ".example", "aexample", "a.example.org", "*", "\u{e9}xample"] {
            check(&["*.example"], Some(other), false);
        }
    }
}
