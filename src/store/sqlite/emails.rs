//! Recomputes the keys of e-mail addresses, in a file whose version computed them differently.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::values::Email;

/// An account whose address has another key today.
struct Changed {
    id: i64,
    key: String,
}

/// Makes the key of each address as today. If two accounts then have the same mailbox, the older
/// account keeps it, and the other one goes on without an address.
pub(super) fn make_keys_anew(writer: &Connection) -> rusqlite::Result<()> {
    let changed = changed(writer)?;
    // Set each key to the id first, so that no new key collides with an old one.
    for Changed { id, .. } in &changed {
        writer.execute("UPDATE users SET email_key = id WHERE id = ?1", [id])?;
    }
    for Changed { id, key } in &changed {
        let holder = "SELECT id FROM users WHERE email_key = ?1";
        let holder: Option<i64> =
            writer.prepare_cached(holder)?.query_row([key], |row| row.get(0)).optional()?;
        match holder {
            Some(older) if older < *id => take_away(writer, *id, older)?,
            Some(younger) => {
                take_away(writer, younger, *id)?;
                set(writer, *id, key)?;
            }
            None => set(writer, *id, key)?,
        }
    }
    Ok(())
}

fn changed(writer: &Connection) -> rusqlite::Result<Vec<Changed>> {
    let sql = "SELECT id, email, email_key FROM users WHERE email IS NOT NULL ORDER BY id";
    let mut query = writer.prepare(sql)?;
    let mut rows = query.query([])?;
    let mut changed = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, email, old): (i64, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        match Email::parse(&email) {
            Ok(email) if email.key() != old => {
                changed.push(Changed { id, key: email.key().to_owned() });
            }
            Ok(_) => {}
            Err(_) => log::warn!(
                "the e-mail address of user {id} cannot get mail, because its domain cannot be \
                 one; the user can log in with the name"
            ),
        }
    }
    Ok(changed)
}

fn set(writer: &Connection, id: i64, key: &str) -> rusqlite::Result<()> {
    writer.execute("UPDATE users SET email_key = ?2 WHERE id = ?1", params![id, key]).map(drop)
}

fn take_away(writer: &Connection, id: i64, keeper: i64) -> rusqlite::Result<()> {
    log::warn!(
        "users {keeper} and {id} have the same e-mail address in different spellings; it stays \
         with {keeper}, and {id} has none any more"
    );
    let sql = "UPDATE users SET email = NULL, email_key = NULL WHERE id = ?1";
    writer.execute(sql, [id]).map(drop)
}
