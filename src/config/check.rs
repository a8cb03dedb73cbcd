//! Which settings contradict each other, or lie outside of their limits.

use std::time::Duration;

use super::{Brand, Config, Issuer, Registration};
use crate::error::Problem;
use crate::net::Settings;

/// The longest lifespan: more than 50 years is a slip of the keyboard, and the times in a token end
/// in 2106.
const MAX_LIFESPAN: Duration = Duration::from_secs(50 * 365 * 24 * 3600);

/// The most bytes of a file that SQLite maps, rounded to MiB.
const MAX_DATABASE_MAP: u64 = 2047 << 20;

/// The longest time that a stop is put off.
const MAX_DRAIN_DELAY: Duration = Duration::from_secs(600);

/// The most threads of one kind, as on the command line.
const MAX_THREADS: usize = 1024;

impl Config {
    /// Returns an error for the first setting that is invalid or contradicts another.
    pub fn check(&self) -> Result<(), Problem> {
        self.check_algorithm()?;
        self.check_short_secret()?;
        self.check_lifespans()?;
        if !(8..=64).contains(&self.min_password_length) {
            return Err(Problem::usage(
                "the setting `min_password_length` must be between 8 and 64 characters",
                "give it a number, such as 15",
            ));
        }
        self.check_database_map()?;
        self.check_drain_delay()?;
        self.hash_cost()?;
        self.check_engine()?;
        self.check_access()?;
        self.check_name()?;
        self.check_cookie_domain()?;
        self.check_mail()
    }

    fn check_access(&self) -> Result<(), Problem> {
        match (&self.access, &self.access_role) {
            (Some(_), Some(_)) => Err(Problem::usage(
                "the setting `access` and the setting `access_role` exclude each other",
                "write the role into the file of the rules, as in: *.example.org role family",
            )),
            _ => Ok(()),
        }
    }

    /// The brand's name counts where no issuer is given; two names are a contradiction.
    fn check_name(&self) -> Result<(), Problem> {
        match self.brand.as_ref().and_then(Brand::name) {
            Some(name) if ![&Issuer::lictor(), name].contains(&&self.issuer) => {
                Err(Problem::usage(
                    format!(
                        "the setting `issuer` is {:?}, and the name in the folder of the setting \
                         `brand` is {:?}",
                        self.issuer.as_str(),
                        name.as_str()
                    ),
                    "leave one of the two out; both mean the name of the service",
                ))
            }
            _ => Ok(()),
        }
    }

    /// A browser keeps no cookie for a domain that the host of the login is not below.
    fn check_cookie_domain(&self) -> Result<(), Problem> {
        let (Some(domain), Some(url)) = (&self.cookie_domain, &self.public_url) else {
            return Ok(());
        };
        match domain.covers(url.host()) {
            true => Ok(()),
            false => Err(Problem::usage(
                format!(
                    "the setting `cookie_domain` is {}, but people log in at {}",
                    domain.as_str(),
                    url.host()
                ),
                "give the domain that the host of the setting `public_url` is below",
            )),
        }
    }

    fn check_database_map(&self) -> Result<(), Problem> {
        if self.database_map > MAX_DATABASE_MAP {
            return Err(Problem::usage(
                "the setting `database_map` must be at most 2047MiB",
                "give it less; what is not mapped is read",
            ));
        }
        Ok(())
    }

    fn check_drain_delay(&self) -> Result<(), Problem> {
        if self.engine.drain_delay > MAX_DRAIN_DELAY {
            return Err(Problem::usage(
                "the setting `drain_delay` must be at most 10 minutes",
                "give it the time in which the load balancer asks twice, such as 10s",
            ));
        }
        Ok(())
    }

    /// Flags cannot give such numbers, and not all of these fields have one.
    fn check_engine(&self) -> Result<(), Problem> {
        let Settings { workers, slow_workers, slow_queue, slow_per_ip, .. } = self.engine;
        let Settings { max_connections, max_per_ip, .. } = self.engine;
        for (field, number, most) in [
            ("workers", workers, MAX_THREADS),
            ("slow_workers", slow_workers, MAX_THREADS),
            ("max_connections", max_connections, usize::MAX),
            ("max_per_ip", max_per_ip as usize, usize::MAX),
            ("slow_queue", slow_queue, usize::MAX),
            ("slow_per_ip", slow_per_ip, usize::MAX),
        ] {
            if number == 0 {
                return Err(Problem::usage(
                    format!("`engine.{field}` is 0, so no request could be answered"),
                    "give it at least 1, or leave the default",
                ));
            }
            if number > most {
                return Err(Problem::usage(
                    format!("`engine.{field}` is {number}; there can be {most} threads"),
                    "give it fewer, or leave the default",
                ));
            }
        }
        Ok(())
    }

    fn check_algorithm(&self) -> Result<(), Problem> {
        match self.algorithm {
            Some(algorithm) if self.keys.current(Some(algorithm)).is_none() => Err(Problem::usage(
                format!("there is no {} key to sign with", algorithm.name()),
                "give a file of keys that has one, or leave the algorithm to the newest key",
            )),
            _ => Ok(()),
        }
    }

    fn check_short_secret(&self) -> Result<(), Problem> {
        match self.keys.short() {
            Some(_) if !self.adopt_tokens => Err(Problem::usage(
                "a short secret key only verifies tokens to adopt, and none are adopted",
                "turn on the setting `adopt_tokens` as well, or leave the short secret key out",
            )),
            _ => Ok(()),
        }
    }

    fn check_lifespans(&self) -> Result<(), Problem> {
        for (setting, lifespan) in [
            ("the setting `access_lifespan`", self.access_lifespan),
            ("the setting `refresh_lifespan`", self.refresh_lifespan),
            ("the setting `reset_lifespan`", self.reset_lifespan),
            ("the setting `confirmation_lifespan`", self.confirmation_lifespan),
        ] {
            if lifespan < Duration::from_secs(1) || lifespan > MAX_LIFESPAN {
                return Err(Problem::usage(
                    format!("{setting} must be between one second and 50 years"),
                    "give it a time such as 24h or 30d",
                ));
            }
        }
        if self.access_lifespan > self.refresh_lifespan {
            return Err(Problem::usage(
                "the setting `access_lifespan` is longer than the setting `refresh_lifespan`",
                "a token cannot outlive its session: raise the setting `refresh_lifespan` or lower \
                 the setting `access_lifespan`",
            ));
        }
        if self.session_idle.is_some_and(|idle| idle < self.access_lifespan) {
            return Err(Problem::usage(
                "the setting `session_idle` is shorter than the setting `access_lifespan`",
                "a token in use need not be refreshed before it expires: raise the setting \
                 `session_idle` or lower the setting `access_lifespan`",
            ));
        }
        Ok(())
    }

    fn check_mail(&self) -> Result<(), Problem> {
        if self.registration == Registration::Email && !self.sends_mail() {
            let next = if cfg!(feature = "mail") {
                "give one with the setting `mail`, such as smtp+starttls://user:password@host, or \
                 dir:mails to try it without a server"
            } else {
                "build lictor with the feature `mail`, or choose another registration"
            };
            return Err(Problem::usage("registration by e-mail needs a way to send mail", next));
        }
        let pages = self.confirmation_page().zip(self.reset_page());
        if self.sends_mail() && pages.is_none() {
            return Err(Problem::usage(
                "mails need to know where the links in them lead",
                "give the URL at which people reach the app with the setting `public_url`, \
                 such as https://login.example.org",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::keys::{Algorithm, Keys, Secret, ShortSecret};

    fn secret() -> Secret {
        Secret::new([7; 32]).unwrap()
    }

    #[test]
    fn the_algorithm_needs_a_key() {
        let check = |algorithm| {
            let mut config = Config::new("x", secret());
            config.algorithm = algorithm;
            config.check().is_ok()
        };
        assert!(check(None) && check(Some(Algorithm::Hs256)));
        assert!(!check(Some(Algorithm::EdDsa)));
    }

    #[test]
    fn sqlite_maps_no_more_than_two_gibibytes() {
        let mut config = Config::new("x", secret());
        for (bytes, good) in [(0, true), (2047 << 20, true), ((2047 << 20) + 1, false)] {
            config.database_map = bytes;
            assert_eq!(config.check().is_ok(), good, "{bytes}");
        }
        let problem = config.check().unwrap_err().to_string();
        assert!(problem.contains("`database_map` must be at most 2047MiB"), "{problem}");
    }

    #[test]
    fn a_short_secret_needs_adoption() {
        let now = Timestamp(1_700_000_000);
        let short = ShortSecret::new("my secret key", now, now).unwrap();
        let mut config = Config::new("x", Keys::from(secret()).with_short(short).unwrap());
        assert!(config.check().unwrap_err().next.contains("`adopt_tokens`"));
        config.adopt_tokens = true;
        assert!(config.check().is_ok());
    }

    #[test]
    fn the_engine_has_a_thread_and_a_place_for_a_request() {
        let check = |change: fn(&mut Config)| {
            let mut config = Config::new("x", secret());
            change(&mut config);
            config.check().is_ok()
        };
        assert!(check(|config| config.engine.workers = 1));
        assert!(check(|config| config.engine.slow_workers = 1024));
        assert!(!check(|config| config.engine.workers = 0));
        assert!(!check(|config| config.engine.slow_workers = 1025));
        assert!(!check(|config| config.engine.max_connections = 0));
        assert!(!check(|config| config.engine.max_per_ip = 0));
        assert!(!check(|config| config.engine.slow_queue = 0));
        assert!(!check(|config| config.engine.slow_per_ip = 0));
    }

    #[test]
    fn lifespans() {
        let check = |access: u64, refresh: u64| {
            let mut config = Config::new("x", secret());
            config.access_lifespan = Duration::from_secs(access);
            config.refresh_lifespan = Duration::from_secs(refresh);
            config.check().is_ok()
        };
        assert!(check(1, 1));
        assert!(!check(0, 1));
        assert!(!check(2, 1));
        assert!(!check(1, u64::MAX));
    }
}
