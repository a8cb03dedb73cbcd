//! A URL of PostgreSQL, taken apart and decoded, in the forms of libpq and SQLAlchemy. Knows no
//! default and no environment. An error names the part that is wrong and never repeats it: any part
//! may hold a piece of a password that was not encoded.

use zeroize::Zeroizing;

use crate::error::Problem;

/// Bytes of a URL.
const MAX_LENGTH: usize = 8 * 1024;

/// The drivers that SQLAlchemy names after `postgresql+`.
const DRIVERS: &[&str] = &["psycopg2", "psycopg", "pg8000", "asyncpg"];

/// The parameters that have a meaning.
const PARAMETERS: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "connections",
    "dbname",
    "host",
    "password",
    "port",
    "sslmode",
    "sslrootcert",
    "target_session_attrs",
    "user",
];

/// The form of a URL, for errors.
pub(super) const FORM: &str = "write it like postgres://USER:PASSWORD@HOST:5432/NAME";

const ENCODE: &str = "percent-encode what is special in the user and the password: @ is %40, : is \
                      %3A, / is %2F, ? is %3F, # is %23, % is %25";

/// What a URL says.
pub(super) struct Url {
    pub(super) user: Option<Zeroizing<String>>,
    pub(super) password: Option<Zeroizing<String>>,
    /// Between `@` and `/`.
    pub(super) places: Vec<Place>,
    /// The name of the database.
    pub(super) name: Option<Zeroizing<String>>,
    parameters: Vec<(&'static str, Zeroizing<String>)>,
}

/// A host, and its port if one is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// A host name, an IP address without brackets, or the folder of a Unix socket; may be empty.
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// Whether the scheme before `://` is one of PostgreSQL.
pub(in crate::store) fn is_scheme(scheme: &str) -> bool {
    let scheme = scheme.to_ascii_lowercase();
    match scheme.split_once('+') {
        None => scheme == "postgres" || scheme == "postgresql",
        Some((name, driver)) => name == "postgresql" && DRIVERS.contains(&driver),
    }
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Url, Problem> {
        let text = text.trim();
        if text.len() > MAX_LENGTH {
            let what = format!("the URL of the database is longer than {MAX_LENGTH} bytes");
            return Err(Problem::usage(what, FORM));
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            let what = "the URL of the database has a space or a control character in it";
            return Err(Problem::usage(what, "percent-encode it: a space is %20"));
        }
        let rest = text.split_once("://").filter(|(scheme, _)| is_scheme(scheme));
        let (_, rest) = rest.ok_or_else(|| Problem::usage("this is no URL of PostgreSQL", FORM))?;
        let (authority, rest) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if rest.contains('@') {
            let what = "the URL of the database has an @ after a / or a ?";
            return Err(Problem::usage(what, ENCODE));
        }
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (login, hosts) = match authority.split_once('@') {
            Some((_, hosts)) if hosts.contains('@') => {
                let what = "the URL of the database has more than one @";
                return Err(Problem::usage(what, ENCODE));
            }
            Some((login, hosts)) => (login, hosts),
            None => ("", authority),
        };
        let (user, password) = login.split_once(':').unwrap_or((login, ""));
        Ok(Url {
            user: decode_part(user, "the user")?,
            password: decode_part(password, "the password")?,
            places: encoded_places(hosts)?,
            name: decode_part(path.strip_prefix('/').unwrap_or(path), "the name of the database")?,
            parameters: parameters(query)?,
        })
    }

    /// The value of a parameter; an empty one counts as missing.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters(name).first().copied()
    }

    /// The values of a parameter that may be given several times.
    pub(super) fn parameters(&self, name: &str) -> Vec<&str> {
        let named = self.parameters.iter().filter(|(known, _)| *known == name);
        named.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty()).collect()
    }
}

/// Whether a URL holds a password; false for what is no URL of PostgreSQL.
#[cfg(any(test, feature = "cli"))]
pub(in crate::store) fn has_password(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.password.is_some() || url.parameter("password").is_some())
}

/// Reads the parameters after `?`.
fn parameters(query: &str) -> Result<Vec<(&'static str, Zeroizing<String>)>, Problem> {
    let mut found: Vec<(&'static str, Zeroizing<String>)> = Vec::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').ok_or_else(|| {
            Problem::usage(
                "a parameter in the URL of the database has no value",
                "write NAME=VALUE",
            )
        })?;
        let Some(&name) = PARAMETERS.iter().find(|&&known| known == name) else {
            // A password with an & that is not encoded would be a name here.
            let shown = !query.contains("password=");
            return Err(unknown_parameter(name, shown));
        };
        if name != "host" && found.iter().any(|(earlier, _)| *earlier == name) {
            let what = format!("the URL of the database has {name} twice");
            return Err(Problem::usage(what, "leave one out"));
        }
        found.push((name, decode(value, name)?));
    }
    Ok(found)
}

fn unknown_parameter(name: &str, shown: bool) -> Problem {
    let is_name = |c: char| c.is_ascii_alphabetic() || c == '_';
    let named = match shown && name.len() <= 40 && name.chars().all(is_name) {
        true => format!(": {name}"),
        false => String::new(),
    };
    Problem::usage(
        format!("the URL of the database has a parameter that lictor does not know{named}"),
        format!("leave it out; known are {}", PARAMETERS.join(", ")),
    )
}

/// The hosts of a URL, percent-encoded.
fn encoded_places(hosts: &str) -> Result<Vec<Place>, Problem> {
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let place = |text: &str| {
        let (host, port) = host_and_port(text)?;
        Ok(Place { host: decode(host, "a host")?.to_string(), port })
    };
    hosts.split(',').map(place).collect()
}

/// Reads hosts separated by commas, as in `host=` and PGHOST: each a folder, an IP address, or a
/// name, the latter two with or without a port.
pub(super) fn plain_places(hosts: &str) -> Result<Vec<Place>, Problem> {
    let place = |text: &str| {
        let whole = text.starts_with('/') || text.parse::<std::net::Ipv6Addr>().is_ok();
        let (host, port) = if whole { (text, None) } else { host_and_port(text)? };
        Ok(Place { host: host.to_owned(), port })
    };
    hosts.split(',').map(str::trim).map(place).collect()
}

fn host_and_port(text: &str) -> Result<(&str, Option<u16>), Problem> {
    let wrong = || {
        Problem::usage(
            "a host of the database is neither HOST, HOST:PORT nor [IPv6]:PORT",
            format!("{FORM}; {ENCODE}"),
        )
    };
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(wrong)?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
            let port = if rest.is_empty() {
                None
            } else {
                rest.strip_prefix(':').map(Some).ok_or_else(wrong)?
            };
            (host, port)
        }
        None => match text.split_once(':') {
            Some((_, port)) if port.contains(':') => return Err(wrong()),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    let port = port.filter(|port| !port.is_empty());
    Ok((host, port.map(|port| self::port(port, "a port of the database")).transpose()?))
}

/// Reads a port; `part` names it in the error.
pub(super) fn port(text: &str, part: &str) -> Result<u16, Problem> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten().filter(|&port| port != 0);
    number.ok_or_else(|| {
        Problem::usage(
            format!("{part} is not a number from 1 to 65535"),
            format!("{FORM}; {ENCODE}"),
        )
    })
}

fn decode_part(text: &str, part: &str) -> Result<Option<Zeroizing<String>>, Problem> {
    if text.is_empty() { Ok(None) } else { decode(text, part).map(Some) }
}

/// Replaces `%XX` by its byte; `part` names the text in the error.
fn decode(text: &str, part: &str) -> Result<Zeroizing<String>, Problem> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first != b'%' {
            bytes.push(first);
            rest = after;
            continue;
        }
        let value = after.first_chunk::<2>().and_then(|[high, low]| {
            let digit = |byte: u8| (byte as char).to_digit(16);
            u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
        });
        let wrong = || {
            let what =
                format!("{part} in the URL of the database has a % without two hexadecimal digits");
            Problem::usage(what, ENCODE)
        };
        bytes.push(value.ok_or_else(wrong)?);
        rest = &after[2..];
    }
    let decoded = std::str::from_utf8(&bytes).ok().filter(|text| !text.contains('\0'));
    decoded.map(|text| Zeroizing::new(text.to_owned())).ok_or_else(|| {
        let what = format!("{part} in the URL of the database is not text");
        Problem::usage(what, "percent-encode the bytes of UTF-8; there is no %00")
    })
}

/// Percent-encodes everything but what stands for itself in every part of a URL.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => encoded.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => encoded.push(byte.into()),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
