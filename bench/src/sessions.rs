//! The writes of a login: its session and an entry in the audit, in one
//! transaction, through the only connection that writes.

use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, Result, TransactionBehavior, params};

use crate::claims::Claims;
use crate::database::{self, Account};

const SESSION: &str = "INSERT INTO sessions (jti, user, created, expires) VALUES (?1, ?2, ?3, ?4)";
const AUDIT: &str =
    "INSERT INTO audit (at, event, user, name, address) VALUES (?1, 'login', ?2, ?3, ?4)";

pub struct Sessions(Mutex<Connection>);

impl Sessions {
    pub fn open(path: &Path) -> Result<Sessions> {
        database::open_to_write(path).map(|writer| Sessions(Mutex::new(writer)))
    }

    /// Returns when the session is on the disk; only then may its token be sent.
    pub fn begin(&self, account: &Account, claims: &Claims, address: Option<IpAddr>) -> Result<()> {
        // A panic during the transaction has rolled it back.
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let session = params![claims.jti, claims.id, claims.iat, claims.rf_exp];
        transaction.prepare_cached(SESSION)?.execute(session)?;
        let address = address.map(|address| address.to_string());
        let audit = params![claims.iat, account.id, account.name, address];
        transaction.prepare_cached(AUDIT)?.execute(audit)?;
        transaction.commit()
    }
}
