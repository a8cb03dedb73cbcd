//! Reads a [`Target`]: a URL, completed by the environment and a password file as libpq does. An error
//! names the parameter or the variable, and repeats no text that could be a piece of a password.

use std::net::IpAddr;
use std::path::PathBuf;

use zeroize::Zeroizing;

use super::environment::{Environment, OF_THE_PROCESS};
use super::passfile::{self, Wanted};
use super::target::{Address, DEFAULT_PORT, Host, Target, TlsMode};
use super::url::{self, FORM, Place, Url};
use crate::error::Problem;

/// Where Debian's PostgreSQL, and its libpq, have the Unix socket.
const SOCKET_FOLDER: &str = "/var/run/postgresql";
/// Servers of one database.
const MAX_HOSTS: usize = 16;
/// Eight for writes, three for reads, one for checks of tokens.
const DEFAULT_CONNECTIONS: usize = 12;
const CONNECTIONS: std::ops::RangeInclusive<usize> = 3..=500;

impl Target {
    /// Reads a URL; what it leaves out comes from the variables of libpq (PGHOST, PGUSER,
    /// PGPASSWORD, …), the password file, and the defaults.
    pub(in crate::store) fn parse(url: &str) -> Result<Target, Problem> {
        Target::read(url, &OF_THE_PROCESS)
    }

    fn read(url: &str, environment: &Environment<'_>) -> Result<Target, Problem> {
        Settings { url: Url::parse(url)?, environment }.target()
    }
}

/// A value, and what gave it, for errors.
struct Setting {
    value: Zeroizing<String>,
    from: String,
}

/// What was given, of which a [`Target`] is made.
struct Settings<'a> {
    url: Url,
    environment: &'a Environment<'a>,
}

impl Settings<'_> {
    fn target(&self) -> Result<Target, Problem> {
        let user = match self.user()? {
            Some(user) => user,
            None => (self.environment.user)()
                .ok_or_else(|| Problem::usage("the URL of the database names no user", FORM))?,
        };
        let name = match &self.url.name {
            Some(name) if self.url.parameter("dbname").is_none() => name.to_string(),
            _ => self
                .setting("dbname", "PGDATABASE")?
                .map_or_else(|| user.clone(), |setting| setting.value.to_string()),
        };
        let places = self.places()?;
        let (tls, root_certificates) = self.tls(&places)?;
        let hosts = self.with_passwords(places, &name, &user)?;
        let must_bind = self.must_bind(tls)?;
        let writable = self.writable(hosts.len())?;
        let connections = self.connections()?;
        Ok(Target { hosts, user, name, tls, root_certificates, must_bind, writable, connections })
    }

    /// The value of a parameter of the URL, else of a variable. An empty one counts as missing.
    fn setting(&self, parameter: &str, variable: &str) -> Result<Option<Setting>, Problem> {
        if let Some(value) = self.url.parameter(parameter) {
            let value = Zeroizing::new(value.to_owned());
            return Ok(Some(Setting { value, from: format!("{parameter} of the database") }));
        }
        self.variable(variable)
    }

    fn variable(&self, name: &str) -> Result<Option<Setting>, Problem> {
        match (self.environment.variable)(name).filter(|value| !value.is_empty()) {
            None => Ok(None),
            Some(value) => match value.into_string() {
                Ok(value) => {
                    Ok(Some(Setting { value: Zeroizing::new(value), from: name.to_owned() }))
                }
                Err(_) => Err(Problem::usage(
                    format!("{name} is not UTF-8"),
                    format!("give {name} another value, or unset it"),
                )),
            },
        }
    }

    fn user(&self) -> Result<Option<String>, Problem> {
        match &self.url.user {
            Some(user) if self.url.parameter("user").is_none() => Ok(Some(user.to_string())),
            _ => Ok(self.setting("user", "PGUSER")?.map(|setting| setting.value.to_string())),
        }
    }

    /// Where the servers are. `host=` replaces the hosts before the path, as in libpq.
    fn places(&self) -> Result<Vec<(Address, u16)>, Problem> {
        let named = self.url.parameters("host");
        let places = if !named.is_empty() {
            url::plain_places(&named.join(","))?
        } else if self.url.places.iter().any(|place| !place.host.is_empty()) {
            self.url.places.clone()
        } else {
            match self.variable("PGHOST")? {
                Some(hosts) => url::plain_places(&hosts.value)?,
                None => vec![Place { host: SOCKET_FOLDER.into(), port: None }],
            }
        };
        if places.len() > MAX_HOSTS {
            return Err(Problem::usage(
                format!("the database has {} hosts", places.len()),
                format!("name at most {MAX_HOSTS}"),
            ));
        }
        let ports = self.ports(places.len())?;
        let with_port =
            |(place, port): (Place, u16)| Ok((address(&place.host)?, place.port.unwrap_or(port)));
        places.into_iter().zip(ports).map(with_port).collect()
    }

    /// The ports of hosts that name none themselves: those of `port=` or PGPORT, one for all or one
    /// each; else the port that stands before the path, if the hosts do not.
    fn ports(&self, count: usize) -> Result<Vec<u16>, Problem> {
        let ahead = match &self.url.places[..] {
            [only] => only.port,
            _ => None,
        };
        let Some(given) = (match (self.url.parameter("port"), ahead) {
            (None, Some(port)) => return Ok(vec![port; count]),
            _ => self.setting("port", "PGPORT")?,
        }) else {
            return Ok(vec![DEFAULT_PORT; count]);
        };
        let ports = given.value.split(',').map(|text| url::port(text.trim(), &given.from));
        let ports = ports.collect::<Result<Vec<_>, _>>()?;
        match ports[..] {
            [port] => Ok(vec![port; count]),
            _ if ports.len() == count => Ok(ports),
            _ => Err(Problem::usage(
                format!("{} has {} ports for {count} hosts", given.from, ports.len()),
                "give one port for all hosts, or one for each",
            )),
        }
    }

    fn tls(&self, places: &[(Address, u16)]) -> Result<(TlsMode, Option<PathBuf>), Problem> {
        let roots = self.setting("sslrootcert", "PGSSLROOTCERT")?;
        let roots = roots.map(|roots| roots.value.to_string());
        let file = roots.as_deref().filter(|roots| *roots != "system").map(PathBuf::from);
        let across = places.iter().any(|(address, _)| !address.is_local());
        let asked = self.setting("sslmode", "PGSSLMODE")?;
        let mode = match asked.as_ref().map(|asked| asked.value.as_str()) {
            None if across || self.url.parameter("sslrootcert").is_some() => TlsMode::VerifyFull,
            None | Some("disable") => TlsMode::Disable,
            // As in libpq: who names an authority wants the certificate checked.
            Some("require") if file.is_some() => TlsMode::VerifyCa,
            Some("require") if roots.is_none() => TlsMode::Require,
            Some("verify-ca") if file.is_some() => TlsMode::VerifyCa,
            Some("verify-full") => TlsMode::VerifyFull,
            Some(word) => {
                let from = asked.as_ref().map_or("sslmode", |asked| &asked.from);
                return Err(bad_tls_mode(from, word));
            }
        };
        let unix = places.iter().all(|(address, _)| matches!(address, Address::Unix(_)));
        Ok((if unix { TlsMode::Disable } else { mode }, file))
    }

    fn with_passwords(
        &self,
        places: Vec<(Address, u16)>,
        database: &str,
        user: &str,
    ) -> Result<Vec<Host>, Problem> {
        let typed = match (self.url.parameter("password"), &self.url.password) {
            (None, Some(password)) => Some(password.clone()),
            _ => self.setting("password", "PGPASSWORD")?.map(|setting| setting.value),
        };
        let file = if typed.is_none() { self.password_file()? } else { None };
        let found = |address: &Address, port| {
            let host = match address {
                Address::Tcp(host) => host.as_str(),
                Address::Unix(folder) if folder.as_os_str() == SOCKET_FOLDER => "localhost",
                Address::Unix(folder) => folder.to_str()?,
            };
            passfile::find(file.as_ref()?, &Wanted { host, port, database, user })
        };
        let with_password = |(address, port)| Host {
            password: typed.clone().or_else(|| found(&address, port)),
            address,
            port,
        };
        Ok(places.into_iter().map(with_password).collect())
    }

    /// The text of the file that PGPASSFILE names, or of `~/.pgpass`.
    fn password_file(&self) -> Result<Option<Zeroizing<String>>, Problem> {
        let path = match self.variable("PGPASSFILE")? {
            Some(path) => PathBuf::from(path.value.as_str()),
            None => match self.variable("HOME")? {
                Some(home) => PathBuf::from(home.value.as_str()).join(".pgpass"),
                None => return Ok(None),
            },
        };
        Ok((self.environment.password_file)(&path))
    }

    fn must_bind(&self, tls: TlsMode) -> Result<bool, Problem> {
        if self.variable("PGREQUIREAUTH")?.is_some() {
            return Err(Problem::usage(
                "PGREQUIREAUTH is set, and lictor does not know it",
                "unset it, or write channel_binding=require in its place: no password leaves this \
                 machine then",
            ));
        }
        let Some(asked) = self.setting("channel_binding", "PGCHANNELBINDING")? else {
            return Ok(false);
        };
        match asked.value.as_str() {
            "prefer" | "disable" => Ok(false),
            "require" if tls != TlsMode::Disable => Ok(true),
            "require" => Err(Problem::usage(
                format!("{} is require, which needs TLS, and there is none", asked.from),
                "leave it out, or write sslmode=verify-full",
            )),
            _ => Err(Problem::usage(
                format!("{} is not a word that lictor knows", asked.from),
                "write prefer or require",
            )),
        }
    }

    /// Of several hosts some are standbys, on which lictor cannot work; so then, if nothing else is
    /// said, only one that takes writes will do.
    fn writable(&self, hosts: usize) -> Result<bool, Problem> {
        let Some(asked) = self.setting("target_session_attrs", "PGTARGETSESSIONATTRS")? else {
            return Ok(hosts > 1);
        };
        match asked.value.as_str() {
            "any" => Ok(false),
            "read-write" | "primary" => Ok(true),
            _ => Err(Problem::usage(
                format!(
                    "{} asks for a server on which lictor cannot work, or is not a word that it \
                     knows",
                    asked.from
                ),
                "write read-write, primary or any",
            )),
        }
    }

    fn connections(&self) -> Result<usize, Problem> {
        let Some(text) = self.url.parameter("connections") else { return Ok(DEFAULT_CONNECTIONS) };
        text.parse().ok().filter(|count| CONNECTIONS.contains(count)).ok_or_else(|| {
            let (least, most) = (CONNECTIONS.start(), CONNECTIONS.end());
            Problem::usage(
                format!("connections of the database is not a number from {least} to {most}"),
                format!("write a number, or leave it out for {DEFAULT_CONNECTIONS}"),
            )
        })
    }
}

fn bad_tls_mode(from: &str, word: &str) -> Problem {
    match word {
        "allow" | "prefer" => Problem::usage(
            format!("{from} is {word}, with which the connection may be unencrypted"),
            "write verify-full, or require if the server's certificate cannot be checked; disable \
             for no TLS",
        ),
        "verify-ca" => Problem::usage(
            format!("{from} is verify-ca, and no file with an authority is named"),
            "name the authority's certificate with sslrootcert=FILE, or write verify-full",
        ),
        "require" => Problem::usage(
            format!("{from} is require, and sslrootcert is system"),
            "write verify-full, or leave sslrootcert out",
        ),
        _ => Problem::usage(
            format!("{from} is not a word that lictor knows"),
            "write verify-full, verify-ca, require or disable",
        ),
    }
}

fn address(host: &str) -> Result<Address, Problem> {
    if host.starts_with('/') {
        return Ok(Address::Unix(host.into()));
    }
    let is_name = |host: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        !host.is_empty() && host.len() <= 253 && host.bytes().all(allowed)
    };
    if host.parse::<IpAddr>().is_ok() || is_name(host) {
        return Ok(Address::Tcp(host.to_owned()));
    }
    Err(Problem::usage(
        "a host of the database is neither a name, nor an IP address, nor the path of a folder",
        format!("{FORM}; several hosts are HOST1:5432,HOST2:5432"),
    ))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::ffi::OsString;
    use std::path::Path;

    use super::*;

    /// The password that no text may show.
    const SECRET: &str = "s3cr3t";

    fn read(url: &str, variables: &[(&str, &str)]) -> Result<Target, Problem> {
        let variables: HashMap<&str, &str> = variables.iter().copied().collect();
        let environment = Environment {
            variable: &|name| variables.get(name).map(OsString::from),
            user: &|| Some("os".to_owned()),
            password_file: &|path| {
                let text = match path.to_str()? {
                    "/home/ada/.pgpass" => "localhost:*:*:*:socket\nh2:5432:app:ada:second\n",
                    "/etc/pgpass" => "*:*:*:*:named\n",
                    _ => return None,
                };
                Some(Zeroizing::new(text.to_owned()))
            },
        };
        Target::read(url, &environment)
    }

    /// What a target is, as `Display` and the rest say it.
    fn summary(target: &Target) -> String {
        let password = |host: &Host| host.password.as_ref().map_or("-", |p| p.as_str()).to_owned();
        let mut passwords: Vec<String> = target.hosts.iter().map(password).collect();
        passwords.dedup();
        let roots = target.root_certificates.as_deref().map_or("-".into(), Path::to_string_lossy);
        format!(
            "{target} {} {:?} {roots}{}{} {}",
            passwords.join(","),
            target.tls,
            if target.writable { " writable" } else { "" },
            if target.must_bind { " bound" } else { "" },
            target.connections
        )
    }

    #[track_caller]
    fn check(url: &str, variables: &[(&str, &str)], expected: &str) {
        match read(url, variables) {
            Ok(target) => assert_eq!(summary(&target), expected, "{url}"),
            Err(problem) => panic!("{url}: {problem}"),
        }
    }

    #[test]
    fn urls() {
        for (url, expected) in [
            (
                "postgres://ada:s3cr3t@db.example:5433/app",
                "postgres://ada@db.example:5433/app s3cr3t VerifyFull - 12",
            ),
            (
                "postgresql://ada@db.example/app",
                "postgres://ada@db.example:5432/app - VerifyFull - 12",
            ),
            (
                "postgresql+psycopg2://ada:x@localhost/app",
                "postgres://ada@localhost:5432/app x Disable - 12",
            ),
            ("postgresql+psycopg://a@127.0.0.1", "postgres://a@127.0.0.1:5432/a - Disable - 12"),
            ("postgresql+pg8000://a@127.9.9.9/b", "postgres://a@127.9.9.9:5432/b - Disable - 12"),
            ("postgresql+asyncpg://a@[::1]:1/b", "postgres://a@[::1]:1/b - Disable - 12"),
            ("POSTGRES://a@LocalHost/b", "postgres://a@LocalHost:5432/b - Disable - 12"),
            ("  postgres://a@10.0.0.1/b\n", "postgres://a@10.0.0.1:5432/b - VerifyFull - 12"),
            ("postgres://a@[2001:db8::1]/b", "postgres://a@[2001:db8::1]:5432/b - VerifyFull - 12"),
            (
                "postgres://a@[::ffff:127.0.0.1]/b",
                "postgres://a@[::ffff:127.0.0.1]:5432/b - Disable - 12",
            ),
            (
                "postgres://a%40b:p%3A%2f%40%25%C3%A4@h/d%2Fe?sslmode=require",
                "postgres://a%40b@h:5432/d%2Fe p:/@%ä Require - 12",
            ),
            ("postgres://a:b:c@h/d", "postgres://a@h:5432/d b:c VerifyFull - 12"),
            ("postgres://a:#x+y@h/d", "postgres://a@h:5432/d #x+y VerifyFull - 12"),
            ("postgres://a:@h/", "postgres://a@h:5432/a - VerifyFull - 12"),
            // Several hosts.
            (
                "postgres://a:x@h1:5433,h2,[::1]:7/d",
                "postgres://a@h1:5433,h2:5432,[::1]:7/d x VerifyFull - writable 12",
            ),
            (
                "postgres://a:x@h1,h2/d?target_session_attrs=any",
                "postgres://a@h1:5432,h2:5432/d x VerifyFull - 12",
            ),
            ("postgres://a:x@h1,h2:9/d?port=7,", ""),
            (
                "postgres://a:x@h1,h2/d?port=7,8",
                "postgres://a@h1:7,h2:8/d x VerifyFull - writable 12",
            ),
            // SQLAlchemy's and libpq's ways to name hosts beside the path.
            (
                "postgresql+psycopg2://a:x@/d?host=h1:5433&host=h2:5434",
                "postgres://a@h1:5433,h2:5434/d x VerifyFull - writable 12",
            ),
            (
                "postgres:///d?host=h1,::1&user=a&password=x&port=9",
                "postgres://a@h1:9,[::1]:9/d x VerifyFull - writable 12",
            ),
            // Unix sockets.
            ("postgres://", "postgres://os@/os?host=/var/run/postgresql - Disable - 12"),
            ("postgres:///d", "postgres://os@/d?host=/var/run/postgresql - Disable - 12"),
            (
                "postgres://a:x@/d?host=/run/postgresql",
                "postgres://a@/d?host=/run/postgresql x Disable - 12",
            ),
            (
                "postgres://a:x@%2Frun%2Fpost%20gres:5433/d",
                "postgres://a@/d?host=/run/post%20gres&port=5433 x Disable - 12",
            ),
            (
                "postgres://a:x@localhost:5433/d?host=/cloudsql/p:r:i",
                "postgres://a@/d?host=/cloudsql/p%3Ar%3Ai&port=5433 x Disable - 12",
            ),
            (
                "postgres://a:x@:5433/d",
                "postgres://a@/d?host=/var/run/postgresql&port=5433 x Disable - 12",
            ),
            (
                "postgres://a:x@%2Frun,h/d?sslmode=verify-full",
                "postgres://a@%2Frun:5432,h:5432/d x VerifyFull - writable 12",
            ),
            // Parameters.
            (
                "postgres://a@h/d?user=b&password=s3cr3t&dbname=e&host=i&port=6&connections=3",
                "postgres://b@i:6/e s3cr3t VerifyFull - 3",
            ),
            (
                "postgres://a@h/d?target_session_attrs=read-write&application_name=x&connect_timeout=9",
                "postgres://a@h:5432/d - VerifyFull - writable 12",
            ),
            (
                "postgres://a@h/d?target_session_attrs=primary&connections=500&channel_binding=require",
                "postgres://a@h:5432/d - VerifyFull - writable bound 500",
            ),
            ("postgres://a@h/d?channel_binding=prefer&", "postgres://a@h:5432/d - VerifyFull - 12"),
            ("postgres://a@h/d?sslmode=disable", "postgres://a@h:5432/d - Disable - 12"),
            (
                "postgres://a@h/d?sslrootcert=%2Fetc%2Fca.pem",
                "postgres://a@h:5432/d - VerifyFull /etc/ca.pem 12",
            ),
            (
                "postgres://a@localhost/d?sslrootcert=ca.pem",
                "postgres://a@localhost:5432/d - VerifyFull ca.pem 12",
            ),
            (
                "postgres://a@h/d?sslmode=require&sslrootcert=ca.pem",
                "postgres://a@h:5432/d - VerifyCa ca.pem 12",
            ),
            (
                "postgres://a@h/d?sslmode=verify-ca&sslrootcert=ca.pem",
                "postgres://a@h:5432/d - VerifyCa ca.pem 12",
            ),
            ("postgres://a@h/d?sslrootcert=system", "postgres://a@h:5432/d - VerifyFull - 12"),
            (
                "postgres://a@/d?sslmode=verify-full",
                "postgres://a@/d?host=/var/run/postgresql - Disable - 12",
            ),
        ] {
            if expected.is_empty() {
                assert!(read(url, &[]).is_err(), "{url}");
            } else {
                check(url, &[], expected);
            }
        }
    }

    #[test]
    fn the_environment_completes_a_url_and_never_overrides_it() {
        let all = [
            ("PGHOST", "h1,h2"),
            ("PGPORT", "5432"),
            ("PGUSER", "ada"),
            ("PGDATABASE", "app"),
            ("PGPASSWORD", "of the environment"),
            ("PGSSLMODE", "require"),
            ("PGSSLROOTCERT", "/etc/ca.pem"),
        ];
        check(
            "postgres://",
            &all,
            "postgres://ada@h1:5432,h2:5432/app of the environment VerifyCa /etc/ca.pem writable 12",
        );
        check(
            "postgres://b:x@h:1/d?sslmode=disable",
            &all,
            "postgres://b@h:1/d x Disable /etc/ca.pem 12",
        );
        check(
            "postgres:///",
            &[("PGHOST", "/tmp"), ("PGPORT", "7"), ("PGUSER", ""), ("PGSSLMODE", "verify-full")],
            "postgres://os@/os?host=/tmp&port=7 - Disable - 12",
        );
        check(
            "postgres://h",
            &[("PGPORT", "7"), ("PGUSER", "ada"), ("PGSSLROOTCERT", "system")],
            "postgres://ada@h:7/ada - VerifyFull - 12",
        );
        let attributes = [("PGTARGETSESSIONATTRS", "any"), ("PGCHANNELBINDING", "require")];
        check(
            "postgres://a@h1,h2/d",
            &attributes,
            "postgres://a@h1:5432,h2:5432/d - VerifyFull - bound 12",
        );
        check(
            "postgres://a@h1,h2/d?target_session_attrs=primary&channel_binding=prefer",
            &attributes,
            "postgres://a@h1:5432,h2:5432/d - VerifyFull - writable 12",
        );
        // The root certificate of the environment is for servers elsewhere.
        check(
            "postgres://a@localhost",
            &[("PGSSLROOTCERT", "/etc/ca.pem")],
            "postgres://a@localhost:5432/a - Disable /etc/ca.pem 12",
        );
    }

    #[test]
    fn the_password_file_is_the_last_resort() {
        let home = ("HOME", "/home/ada");
        let file = ("PGPASSFILE", "/etc/pgpass");
        for (url, variables, passwords) in [
            ("postgres:///d", &[home][..], "socket"),
            ("postgres://a@localhost/d", &[home], "socket"),
            ("postgres://a@/d?host=/tmp", &[home], "-"),
            ("postgres://ada@h1,h2/app", &[home], "-,second"),
            ("postgres://ada@h1,h2:5433/app", &[home], "-"),
            ("postgres://ada@h2/other", &[home], "-"),
            ("postgres:///d", &[home, file], "named"),
            ("postgres:///d", &[home, ("PGPASSFILE", "/missing")], "-"),
            ("postgres:///d", &[home, ("PGPASSWORD", "env")], "env"),
            ("postgres://a:url@/d", &[home, ("PGPASSWORD", "env")], "url"),
            ("postgres://a:url@/d?password=param", &[home], "param"),
            ("postgres:///d", &[], "-"),
        ] {
            let target = read(url, variables).unwrap();
            let found = summary(&target);
            let found = found.split(' ').nth(1).unwrap();
            assert_eq!(found, passwords, "{url} {variables:?}");
        }
    }

    #[test]
    fn refusals_name_the_part_and_never_show_a_password() {
        let long = format!("postgres://a:s3cr3t@h/{}", "x".repeat(8 * 1024));
        let many = format!("postgres://a:s3cr3t@{}/d", vec!["h"; 17].join(","));
        for (url, what) in [
            (long.as_str(), "longer than 8192 bytes"),
            (&many, "17 hosts"),
            ("mysql://a:s3cr3t@h/d", "no URL of PostgreSQL"),
            ("postgres:a:s3cr3t@h/d", "no URL of PostgreSQL"),
            ("postgresql+mysqldb://a:s3cr3t@h/d", "no URL of PostgreSQL"),
            ("postgres://a:s3cr3t@x@h/d", "more than one @"),
            ("postgres://a:s3cr3t/x@h/d", "an @ after a / or a ?"),
            ("postgres://a:x?s3cr3t=y@h/d", "an @ after a / or a ?"),
            ("postgres://a:s3cr3t x@h/d", "a space"),
            ("postgres://a:%zzs3cr3t@h/d", "the password in the URL"),
            ("postgres://a:s3cr3t%2@h/d", "the password in the URL"),
            ("postgres://a%é0:s3cr3t@h/d", "the user in the URL"),
            ("postgres://a:s3cr3t@h/d%ff", "the name of the database in the URL"),
            ("postgres://a:s3cr3t%00@h/d", "the password in the URL"),
            ("postgres://a:s3cr3t@%4/d", "a host in the URL"),
            ("postgres://h:s3cr3t/d", "a port of the database"),
            ("postgres://a:s3cr3t@h:0/d", "a port of the database"),
            ("postgres://a:s3cr3t@h:65536/d", "a port of the database"),
            ("postgres://a:s3cr3t@h:+1/d", "a port of the database"),
            ("postgres://a:s3cr3t@::1/d", "[IPv6]:PORT"),
            ("postgres://a:s3cr3t@[::1/d", "[IPv6]:PORT"),
            ("postgres://a:s3cr3t@[h]/d", "[IPv6]:PORT"),
            ("postgres://a:s3cr3t@[::1]5/d", "[IPv6]:PORT"),
            ("postgres://a:s3cr3t@h1,,h2/d", "neither a name, nor an IP address"),
            ("postgres://a:s3cr3t@h;h/d", "neither a name, nor an IP address"),
            ("postgres://a@h/d?host=s3cr3t!", "neither a name, nor an IP address"),
            ("postgres://a@h/d?s3cr3t", "has no value"),
            ("postgres://a@h/d?s3cr3t!=1", "does not know\n"),
            ("postgres://a@h/d?password=x&secret=1", "does not know\n"),
            ("postgres://a:s3cr3t@h/d?options=x", "does not know: options"),
            ("postgres://a:s3cr3t@h/d?sslmode=disable&sslmode=disable", "sslmode twice"),
            ("postgres://a@h/d?port=s3cr3t", "port of the database is not a number"),
            ("postgres://a@h1,h2/d?port=1,2,3", "has 3 ports for 2 hosts"),
            ("postgres://a:s3cr3t@h/d?sslmode=prefer", "sslmode of the database is prefer"),
            ("postgres://a:s3cr3t@h/d?sslmode=allow", "sslmode of the database is allow"),
            ("postgres://a@h/d?sslmode=s3cr3t", "sslmode of the database is not a word"),
            ("postgres://a:s3cr3t@h/d?sslmode=verify-ca", "no file with an authority"),
            ("postgres://a:s3cr3t@h/d?sslmode=verify-ca&sslrootcert=system", "no file with an"),
            ("postgres://a:s3cr3t@h/d?sslmode=require&sslrootcert=system", "sslrootcert is system"),
            (
                "postgres://a@h/d?target_session_attrs=s3cr3t",
                "target_session_attrs of the database",
            ),
            ("postgres://a@h/d?target_session_attrs=standby", "target_session_attrs of the"),
            ("postgres://a@h/d?target_session_attrs=prefer-standby", "target_session_attrs of"),
            ("postgres://a@h/d?connections=2", "a number from 3 to 500"),
            ("postgres://a@h/d?connections=501", "a number from 3 to 500"),
            ("postgres://a@h/d?connections=s3cr3t", "a number from 3 to 500"),
            ("postgres://a@h/d?channel_binding=s3cr3t", "channel_binding of the database"),
            ("postgres://a@localhost/d?channel_binding=require", "needs TLS"),
        ] {
            let problem = read(url, &[]).unwrap_err();
            let text = problem.to_string();
            assert!(problem.usage && text.contains(what), "{url}: {text}");
            assert!(!text.contains(SECRET) && !text.contains("postgres://a"), "{url}: {text}");
        }
        for (variable, value, what) in [
            ("PGPORT", "x", "PGPORT is not a number"),
            ("PGSSLMODE", "prefer", "PGSSLMODE is prefer"),
            ("PGSSLMODE", SECRET, "PGSSLMODE is not a word"),
            ("PGHOST", "a b", "neither a name"),
            ("PGCHANNELBINDING", SECRET, "PGCHANNELBINDING is not a word"),
            ("PGCHANNELBINDING", "require", "PGCHANNELBINDING is require, which needs TLS"),
            ("PGTARGETSESSIONATTRS", SECRET, "PGTARGETSESSIONATTRS asks for"),
            ("PGTARGETSESSIONATTRS", "standby", "PGTARGETSESSIONATTRS asks for"),
            ("PGREQUIREAUTH", "scram-sha-256", "PGREQUIREAUTH is set"),
        ] {
            let text = read("postgres:///d", &[(variable, value)]).unwrap_err().to_string();
            assert!(text.contains(what) && !text.contains(SECRET), "{text}");
        }
    }

    /// Two wrong characters anywhere, as in a password that was not encoded.
    #[test]
    fn no_error_shows_a_piece_of_a_password() {
        let secret = "hunter";
        for url in ["postgres://a:hunter@h:1/d?port=2", "postgres://a@h/d?password=hunter&user=b"] {
            let mut edits = vec![url.to_owned()];
            for _ in 0..2 {
                edits = edits.iter().flat_map(|url| with_one_more(url)).collect();
            }
            assert!(edits.len() > 10_000);
            for edited in edits {
                let shown = match read(&edited, &[]) {
                    Ok(target) => format!("{target} {:?}", target.describe()),
                    Err(problem) => problem.to_string(),
                };
                // A password that has ended up in another part by valid syntax is no password.
                let moved = Url::parse(&edited).is_ok_and(|url| !holds(&url, secret));
                assert!(moved || !shown.contains(secret), "{edited}: {shown}");
            }
        }
    }

    fn holds(url: &Url, secret: &str) -> bool {
        let passwords = [url.password.as_ref().map(|p| p.as_str()), url.parameter("password")];
        passwords.iter().flatten().any(|password| password.contains(secret))
    }

    fn with_one_more(url: &str) -> Vec<String> {
        let places = "postgres://".len()..=url.len();
        let insert =
            |at: usize| "@:/?&=%".chars().map(move |c| format!("{}{c}{}", &url[..at], &url[at..]));
        places.flat_map(insert).collect()
    }

    #[test]
    fn what_is_shown_has_no_password_and_can_be_read_again() {
        for url in [
            "postgres://ada:s3cr3t@db.example:5433/app",
            "postgres://a%0Ab:s3cr3t@h1,[::1]:7,%2Frun/d%20%2F?connections=99",
            "postgres:///d?password=s3cr3t&user=ada",
            "postgres://a:s3cr3t@%2Frun%2Fx:6/d",
        ] {
            let target = read(url, &[("PGPASSWORD", SECRET)]).unwrap();
            let shown = target.to_string();
            for text in
                [&shown, &format!("{target:?} {target:#?}"), &format!("{:?}", target.describe())]
            {
                assert!(!text.contains(SECRET) && !text.contains('\n'), "{text}");
            }
            assert_eq!(read(&shown, &[]).unwrap().to_string(), shown);
        }
    }

    #[test]
    fn a_url_with_a_password_is_noticed() {
        for (url, expected) in [
            ("postgres://ada:s3cr3t@h/d", true),
            ("postgres://ada@h/d?password=s3cr3t", true),
            ("postgres://ada@h/d", false),
            ("postgres://ada:@h/d?password=", false),
            ("lictor.db", false),
        ] {
            assert_eq!(url::has_password(url), expected, "{url}");
        }
    }

    #[test]
    fn a_way_that_others_can_listen_to_is_warned_of() {
        for (url, expected) in [
            ("postgres://a@h/d", None),
            ("postgres:///d", None),
            ("postgres://a@localhost/d", None),
            ("postgres://a@h/d?sslmode=disable", Some("sslmode=disable")),
            ("postgres://a@h/d?sslmode=require", Some("sslmode=require")),
            ("postgres://a@localhost/d?sslmode=require", None),
        ] {
            let found = read(url, &[]).unwrap().warning();
            match expected {
                Some(word) => assert!(found.unwrap().contains(word), "{url}"),
                None => assert_eq!(found, None, "{url}"),
            }
        }
    }
}
