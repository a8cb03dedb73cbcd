//! A temporary database with the accounts that an import has read and checked, so that its memory
//! does not grow with the source. Finds accounts that share what must not be shared. SQLite deletes
//! the file as soon as it has made it, so nothing stays behind however the process ends.
//!
//! Its rows hold password hashes. Only this user can read the file, and only as long as it is open.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::store::imported::{ImportPages, ImportedFactor, ImportedUser, PAGE};
use crate::values::{Email, Language, PasswordHash, Roles, TotpSecret, Username};

/// KiB of pages that are kept in memory.
const CACHE: i64 = 8 * 1024;

/// `more`: whether the account has rows in the other two tables.
const TABLES: &str = "
    CREATE TABLE accounts (
        row INTEGER PRIMARY KEY, id INTEGER UNIQUE, name TEXT NOT NULL, name_key TEXT UNIQUE NOT NULL,
        email TEXT, email_key TEXT UNIQUE, password TEXT NOT NULL,
        roles TEXT NOT NULL, active INTEGER NOT NULL, created INTEGER NOT NULL,
        created_known INTEGER NOT NULL, own INTEGER NOT NULL,
        language TEXT NOT NULL, secret BLOB, enrolled INTEGER, confirmed INTEGER,
        last_step INTEGER, more INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE emails_of_names (email_key TEXT NOT NULL, row INTEGER NOT NULL,
        PRIMARY KEY (email_key, row)) STRICT, WITHOUT ROWID;
    CREATE TABLE former_names (row INTEGER NOT NULL, place INTEGER NOT NULL, name TEXT NOT NULL,
        PRIMARY KEY (row, place)) STRICT, WITHOUT ROWID;
    CREATE TABLE codes (row INTEGER NOT NULL, place INTEGER NOT NULL, hash BLOB NOT NULL,
        PRIMARY KEY (row, place)) STRICT, WITHOUT ROWID;";

const SELECT: &str =
    "SELECT row, id, name, name_key, email, email_key, password, roles, active, created, language,
    secret, enrolled, confirmed, last_step, more, created_known, own
    FROM accounts WHERE row > ?1 ORDER BY row LIMIT ?2";

/// What two accounts of one source share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// The id.
    Id,
    /// The name, perhaps in other case.
    Name,
    /// The e-mail address.
    Email,
    /// The name of one is the e-mail address of the other.
    NameIsEmail,
}

/// An earlier account that an account shares something with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Double {
    /// The row of the earlier one.
    pub row: u64,
    /// What they share.
    pub same: Same,
}

/// Accounts in a temporary file.
#[derive(Debug)]
pub struct Staging {
    connection: Connection,
    /// Whether the name of an account is an e-mail address.
    has_emails_as_names: bool,
}

impl Staging {
    /// Makes the file.
    pub fn new() -> Result<Staging, Problem> {
        let make = || {
            let connection = Connection::open("")?;
            connection.set_prepared_statement_cache_capacity(32);
            // Nothing is ever undone, and nothing has to survive the process.
            let settings = format!(
                "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                 PRAGMA cache_size = -{CACHE}; BEGIN;"
            );
            connection.execute_batch(&settings)?;
            connection.execute_batch(TABLES)?;
            Ok(connection)
        };
        Ok(Staging { connection: make().map_err(failed)?, has_emails_as_names: false })
    }

    /// Keeps an account, unless it shares with an earlier one what must not be shared. The number of
    /// its row is higher than all before.
    pub fn put(&mut self, user: &ImportedUser) -> Result<Option<Double>, Problem> {
        let emails_of_name = user.name.email_keys();
        if let Some(double) = self.double(user, &emails_of_name).map_err(failed)? {
            return Ok(Some(double));
        }
        self.has_emails_as_names |= !emails_of_name.is_empty();
        self.insert(user, &emails_of_name).map_err(failed)?;
        Ok(None)
    }

    fn double(
        &self,
        user: &ImportedUser,
        emails_of_name: &[String],
    ) -> rusqlite::Result<Option<Double>> {
        let email = user.email.as_ref().map(|email| email.key());
        let text = |text: Option<&str>| text.map(|text| Value::Text(text.into()));
        let mut looks = vec![
            ("SELECT row FROM accounts WHERE id = ?1", user.id.map(Value::Integer), Same::Id),
            (
                "SELECT row FROM accounts WHERE name_key = ?1",
                text(Some(user.name.key())),
                Same::Name,
            ),
            ("SELECT row FROM accounts WHERE email_key = ?1", text(email), Same::Email),
            (
                "SELECT row FROM emails_of_names WHERE email_key = ?1 LIMIT 1",
                text(email.filter(|_| self.has_emails_as_names)),
                Same::NameIsEmail,
            ),
        ];
        looks.extend(emails_of_name.iter().map(|email| {
            let sql = "SELECT row FROM accounts WHERE email_key = ?1";
            (sql, text(Some(email)), Same::NameIsEmail)
        }));
        for (sql, key, same) in looks {
            let Some(key) = key else { continue };
            let mut statement = self.connection.prepare_cached(sql)?;
            let found: Option<i64> = statement.query_row([key], |row| row.get(0)).optional()?;
            if let Some(row) = found {
                return Ok(Some(Double { row: row.unsigned_abs(), same }));
            }
        }
        Ok(None)
    }

    fn insert(&self, user: &ImportedUser, emails_of_name: &[String]) -> rusqlite::Result<()> {
        let (row, factor) = (number(user.row), user.factor.as_ref());
        self.connection
            .prepare_cached(
                "INSERT INTO accounts VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12,
                 ?13, ?14, ?15, ?16, ?17, ?18)",
            )?
            .execute(params![
                row,
                user.id,
                user.name.as_str(),
                user.name.key(),
                user.email.as_ref().map(|email| email.as_str()),
                user.email.as_ref().map(|email| email.key()),
                user.hash.as_str(),
                user.roles.as_str(),
                user.active,
                user.created.0,
                user.created_known,
                user.own,
                user.language.code(),
                factor.map(|factor| &factor.secret.bytes()[..]),
                factor.map(|factor| factor.created.0),
                factor.and_then(|factor| factor.confirmed).map(|at| at.0),
                factor.map(|factor| factor.last_step),
                !user.former_names.is_empty() || !user.recovery_codes.is_empty(),
            ])?;
        self.insert_more(user, emails_of_name)
    }

    /// Keeps what is in the other tables.
    fn insert_more(&self, user: &ImportedUser, emails_of_name: &[String]) -> rusqlite::Result<()> {
        let row = number(user.row);
        for email in emails_of_name {
            let sql = "INSERT INTO emails_of_names VALUES (?1, ?2)";
            self.connection.prepare_cached(sql)?.execute(params![email, row])?;
        }
        for (place, name) in (0_i64..).zip(&user.former_names) {
            let sql = "INSERT INTO former_names VALUES (?1, ?2, ?3)";
            self.connection.prepare_cached(sql)?.execute(params![row, place, name])?;
        }
        for (place, code) in (0_i64..).zip(&user.recovery_codes) {
            let sql = "INSERT INTO codes VALUES (?1, ?2, ?3)";
            self.connection.prepare_cached(sql)?.execute(params![row, place, code])?;
        }
        Ok(())
    }

    fn read(&self, after: u64) -> rusqlite::Result<Vec<ImportedUser>> {
        let mut statement = self.connection.prepare_cached(SELECT)?;
        let mut rows = statement.query(params![number(after), PAGE as i64])?;
        let mut users = Vec::with_capacity(PAGE);
        while let Some(row) = rows.next()? {
            let mut user = read_account(row)?;
            if row.get("more")? {
                let row = number(user.row);
                user.former_names =
                    self.more("SELECT name FROM former_names WHERE row = ?1", row)?;
                user.recovery_codes = self.more("SELECT hash FROM codes WHERE row = ?1", row)?;
            }
            users.push(user);
        }
        Ok(users)
    }

    fn more<T: rusqlite::types::FromSql>(
        &self,
        sql: &'static str,
        row: i64,
    ) -> rusqlite::Result<Vec<T>> {
        self.connection.prepare_cached(sql)?.query_map([row], |row| row.get(0))?.collect()
    }
}

impl ImportPages for Staging {
    fn page(&mut self, after_row: u64) -> Result<Vec<ImportedUser>, Problem> {
        self.read(after_row).map_err(failed)
    }
}

/// Parsing names and addresses again would take longer than all else.
fn read_account(row: &Row<'_>) -> rusqlite::Result<ImportedUser> {
    let email = match (row.get(4)?, row.get(5)?) {
        (Some(shown), Some(key)) => Some(Email::stored(shown, key)),
        _ => None,
    };
    let factor = match row.get(11)? {
        Some(secret) => Some(ImportedFactor {
            secret: TotpSecret::stored(secret),
            created: Timestamp(row.get(12)?),
            confirmed: row.get::<_, Option<i64>>(13)?.map(Timestamp),
            last_step: row.get(14)?,
        }),
        None => None,
    };
    let roles = Roles::parse(row.get_ref(7)?.as_str()?);
    let wrong = |error: Error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(7, kind, Box::new(error))
    };
    Ok(ImportedUser {
        row: row.get::<_, i64>(0)?.unsigned_abs(),
        id: row.get(1)?,
        name: Username::stored(row.get(2)?, row.get(3)?),
        email,
        hash: PasswordHash::stored(row.get(6)?),
        // They were parsed before they were put here.
        roles: roles.map_err(wrong)?,
        active: row.get(8)?,
        created: Timestamp(row.get(9)?),
        created_known: row.get("created_known")?,
        own: row.get("own")?,
        language: Language::of_code(row.get_ref(10)?.as_str()?),
        former_names: Vec::new(),
        factor,
        recovery_codes: Vec::new(),
    })
}

/// Numbers of rows are far below the limit.
fn number(row: u64) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}

fn failed(error: rusqlite::Error) -> Problem {
    Problem::new(
        format!("cannot keep the accounts of the source in a temporary file: {error}"),
        "make room in the folder for temporary files, or name another one with SQLITE_TMPDIR",
    )
    .with_source(error)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::store::contract::import::user;

    #[test]
    fn an_account_is_compared_with_those_before() {
        let mut staging = Staging::new().unwrap();
        let same = |row, same| Some(Double { row, same });
        for (row, id, name, email, expected) in [
            (1, Some(1), "Ada", "ada@x.example", None),
            (2, Some(2), "bob@x.example", "", None),
            (3, Some(1), "ada", "", same(1, Same::Id)),
            (4, Some(3), "ADA", "", same(1, Same::Name)),
            (5, Some(3), "carol", "ADA@x.example", same(1, Same::Email)),
            (6, Some(3), "ada@X.example", "", same(1, Same::NameIsEmail)),
            (7, Some(3), "carol", "Bob@x.example", same(2, Same::NameIsEmail)),
            // Both are its own.
            (8, Some(3), "carol@x.example", "carol@x.example", None),
            (9, None, "dora", "", None),
            (10, None, "erin", "", None),
            (11, None, "Dora", "", same(9, Same::Name)),
        ] {
            assert_eq!(staging.put(&user(row, id, name, email)).unwrap(), expected, "{name}");
        }
        let rows = |staging: &mut Staging, after| {
            let page = staging.page(after).unwrap();
            page.iter().map(|user| user.row).collect::<Vec<_>>()
        };
        assert_eq!(rows(&mut staging, 0), [1, 2, 8, 9, 10]);
        assert_eq!(rows(&mut staging, 8), [9, 10]);
    }

    #[test]
    fn what_was_put_comes_back_in_pages() {
        let mut staging = Staging::new().unwrap();
        let mut first = user(1, Some(5), "Ada", "Ada@x.example");
        first.former_names = vec!["z".into(), String::new(), "a'".into()];
        first.recovery_codes = vec![[3; 32], [1; 32]];
        first.factor = Some(ImportedFactor {
            secret: TotpSecret::stored([4; 20]),
            created: Timestamp(i64::MIN),
            confirmed: None,
            last_step: i64::MAX,
        });
        first.active = false;
        (first.created_known, first.own) = (true, true);
        first.roles = Roles::default();
        staging.put(&first).unwrap();
        for row in 2..=1_001 {
            staging.put(&user(row, None, &format!("u{row}"), "")).unwrap();
        }
        let page = staging.page(0).unwrap();
        assert_eq!(format!("{:?}", page[0]), format!("{first:?}"));
        assert_eq!((page[0].hash.as_str(), page.len()), (first.hash.as_str(), PAGE));
        assert_eq!(page[0].factor, first.factor);
        assert_eq!(staging.page(500).unwrap().len(), 500);
        assert_eq!(staging.page(1_000).unwrap().len(), 1);
        assert_eq!(staging.page(1_001).unwrap().len(), 0);
    }

    #[test]
    fn most_of_it_is_not_in_memory_and_no_file_is_seen() {
        let mut staging = Staging::new().unwrap();
        for row in 1..=20_000 {
            let mut user = user(row, None, &format!("u{row}"), "");
            user.hash = PasswordHash::stored("x".repeat(2_000));
            staging.put(&user).unwrap();
        }
        let number =
            |sql: &str| -> i64 { staging.connection.query_row(sql, [], |row| row.get(0)).unwrap() };
        let bytes = number("PRAGMA page_count") * number("PRAGMA page_size");
        assert!(bytes > 40_000_000, "{bytes}");
        assert_eq!(number("PRAGMA cache_size"), -CACHE);
        // A file that is open and has no name any more.
        let open = std::fs::read_dir("/proc/self/fd").unwrap();
        let mut open = open.filter_map(|file| std::fs::metadata(file.ok()?.path()).ok());
        assert!(open.any(|file| file.is_file() && file.nlink() == 0 && file.len() > 30_000_000));
    }
}
