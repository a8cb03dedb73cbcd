//! The settings of a reference server: `--listen`, `--database`, `SECRET_KEY`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::exit;

/// RFC 7518 requires an HS256 key of at least the size of the hash.
const SECRET_MIN: usize = 32;

pub struct Options {
    pub listen: SocketAddr,
    /// The path of the file; for `axum-postgres`, the URL.
    pub database: PathBuf,
    pub secret: Vec<u8>,
}

impl Options {
    /// Parses the command line; prints what is wrong with it and exits with 2.
    pub fn from_command_line() -> Options {
        Options::read().unwrap_or_else(|problem| {
            eprintln!("error: {problem}");
            eprintln!("usage: SECRET_KEY=... SERVER --listen ADDR:PORT --database PATH");
            exit(2);
        })
    }

    fn read() -> Result<Options, String> {
        let (mut listen, mut database) = (None, None);
        let mut arguments = std::env::args().skip(1);
        while let Some(name) = arguments.next() {
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match name.as_str() {
                "--listen" => listen = Some(value.parse().map_err(|e| format!("{name}: {e}"))?),
                "--database" => database = Some(PathBuf::from(value)),
                _ => return Err(format!("unknown option {name}")),
            }
        }
        let secret = std::env::var("SECRET_KEY").map_err(|_| "SECRET_KEY is not set")?;
        if secret.len() < SECRET_MIN {
            return Err(format!("SECRET_KEY is shorter than {SECRET_MIN} bytes"));
        }
        Ok(Options {
            listen: listen.ok_or("--listen is missing")?,
            database: database.ok_or("--database is missing")?,
            secret: secret.into_bytes(),
        })
    }
}
