//! `lictor health`: asks a running server whether it is well, for containers and monitors. Opens no
//! database, and needs no rights.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::process;
use std::thread;
use std::time::Duration;

use super::args::Args;
use super::flag::{Row, flag};
use super::kind::{ADDRESS, Kind};
use super::output::for_terminal;
use super::port::Listen;
use crate::error::Problem;

/// The time within which the whole answer must be there, the look-up of a name included.
const TIME: Duration = Duration::from_millis(1_900);
/// The most bytes of an answer that are read.
const MAX_ANSWER: u64 = 16 * 1024;
/// The path that is asked for if the URL has none.
const PATH: &str = "/api/health";

pub(super) const FLAGS: &[Row] = &[
    flag("[URL]", Kind::Text).help(
        "What to ask for [default: /api/health of the server that --listen names]; /api/ready \
         tells whether the server is about to stop",
    ),
    flag("--listen ADDR:PORT", ADDRESS)
        .env("LICTOR_LISTEN")
        .help("Where the server listens, as `serve` has it"),
];

pub(super) fn run(args: &Args) -> Result<(), Problem> {
    let target = match args.get("[URL]") {
        Some(url) => Target::parse(url)?,
        None => {
            let port = std::env::var_os("PORT");
            Target::at(Listen::choose(args.get("--listen"), port.as_deref())?.address)
        }
    };
    let shown = format!("http://{}{}", target.host, target.path);
    // A thread watches the time, because the look-up of a name has no deadline.
    let late = failed(&shown, "no whole answer within 2 s");
    thread::spawn(move || {
        thread::sleep(TIME);
        super::show(&late);
        process::exit(1);
    });
    let answer = target.ask().map_err(|error| failed(&shown, &error.to_string()))?;
    judge(&answer).map_err(|why| failed(&shown, &why))
}

fn failed(shown: &str, why: &str) -> Problem {
    let what = for_terminal(&format!("{shown}: {why}")).replace('\n', " ");
    Problem::new(what, "see the log of the server; is this where it listens?")
}

/// A server, and what to ask it for.
#[derive(Debug, PartialEq)]
struct Target {
    host: String,
    path: String,
}

impl Target {
    /// The health of the server that listens there.
    fn at(mut address: SocketAddr) -> Target {
        if address.ip().is_unspecified() {
            address.set_ip(match address.ip() {
                IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        Target { host: address.to_string(), path: PATH.into() }
    }

    fn parse(url: &str) -> Result<Target, Problem> {
        let wrong = |why: &str| {
            let what = for_terminal(&format!("the URL {why}"));
            Err(Problem::usage(what, "write it like http://127.0.0.1:5000/api/ready"))
        };
        if url.starts_with("https://") {
            return wrong(
                "begins with https, which lictor does not speak: ask it behind its proxy",
            );
        }
        let Some(rest) = url.strip_prefix("http://") else {
            return wrong("does not begin with http://");
        };
        if !rest.bytes().all(|b| b.is_ascii_graphic()) || rest.contains(['@', '#']) {
            return wrong("holds a character that cannot be sent");
        }
        let (host, path) = rest.find(['/', '?']).map_or((rest, ""), |at| rest.split_at(at));
        if host.is_empty() {
            return wrong("has no host");
        }
        let path = match path {
            "" | "/" => PATH.to_owned(),
            path if path.starts_with('/') => path.to_owned(),
            query => format!("/{query}"),
        };
        Ok(Target { host: host.to_owned(), path })
    }

    /// Returns the first 16 KiB of the answer. No deadline; `run` has one.
    fn ask(&self) -> io::Result<Vec<u8>> {
        let has_port = self.host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
        let port = if has_port { "" } else { ":80" };
        let mut stream = TcpStream::connect(format!("{}{port}", self.host))?;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: lictor-health\r\nConnection: close\r\n\r\n",
            self.path, self.host
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        match stream.take(MAX_ANSWER).read_to_end(&mut answer) {
            // A server may end the connection hard once it has answered.
            Err(error) if answer.is_empty() => Err(error),
            _ => Ok(answer),
        }
    }
}

/// Whether the answer is a 200; else why not.
fn judge(answer: &[u8]) -> Result<(), String> {
    let text = String::from_utf8_lossy(answer);
    let first = text.lines().next().unwrap_or_default();
    match first.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..)) {
        Some(status) if status.starts_with("200") => Ok(()),
        Some(status) => {
            let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            Err(format!("{status} {}", body.chars().take(200).collect::<String>()).trim().into())
        }
        None if answer.is_empty() => Err("the connection was closed without an answer".into()),
        None => Err("the answer is not HTTP/1.1".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let check = |url: &str, expected: Option<(&str, &str)>| {
            let found = Target::parse(url).map(|target| (target.host, target.path));
            let expected = expected.map(|(host, path)| (host.to_owned(), path.to_owned()));
            assert_eq!(found.ok(), expected, "{url}");
        };
        check("http://127.0.0.1:5000", Some(("127.0.0.1:5000", "/api/health")));
        check("http://localhost/", Some(("localhost", "/api/health")));
        check("http://[::1]:80/api/ready", Some(("[::1]:80", "/api/ready")));
        check("http://a/x?y=z", Some(("a", "/x?y=z")));
        check("http://a?y", Some(("a", "/?y")));
        for bad in [
            "",
            "a",
            "127.0.0.1:5000",
            "https://a/",
            "http://",
            "http:///x",
            "http://a/\r\nX: y",
            "http://a b/",
            "http://u:p@a/",
            "http://a/é",
            "ftp://a",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn a_server_on_all_addresses_is_asked_on_this_machine() {
        for (listen, host) in [
            ("0.0.0.0:5000", "127.0.0.1:5000"),
            ("[::]:80", "[::1]:80"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(Target::at(listen.parse().unwrap()).host, host);
        }
    }

    #[test]
    fn only_200_is_well() {
        assert_eq!(judge(b"HTTP/1.1 200 OK\r\n\r\n"), Ok(()));
        assert_eq!(judge(b"HTTP/1.0 200 OK\r\n\r\n"), Ok(()));
        for (answer, why) in [
            (
                &b"HTTP/1.1 503 Service Unavailable\r\nA: b\r\n\r\n{\"x\":1}"[..],
                "503 Service Unavailable {\"x\":1}",
            ),
            (b"HTTP/1.1 204 No Content\r\n\r\n", "204 No Content"),
            (b"", "closed without an answer"),
            (b"SSH-2.0-x\r\n", "not HTTP"),
            (b"HTTP/1.", "not HTTP"),
            (&[0xff; 9], "not HTTP"),
        ] {
            assert!(judge(answer).unwrap_err().contains(why), "{answer:?}");
        }
    }
}
