//! A write that changes nothing.

use crate::store::driver::{Fault, Queries};

/// Writes a row and deletes it. `name` is nobody else's.
pub(in crate::store) fn write(queries: &mut dyn Queries, name: &str) -> Result<(), Fault> {
    // No invitation is ever called so, and this one has expired.
    let row = "INSERT INTO invitations (id, hash, created, expires) VALUES ($1, $2, 0, 0)";
    queries.execute(row, &[name.into(), name.as_bytes().into()])?;
    queries.execute("DELETE FROM invitations WHERE id = $1", &[name.into()])?;
    Ok(())
}
