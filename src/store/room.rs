//! Whether there is room for one more row of a kind, inside the transaction that adds it.

use super::driver::{Dialect, Fault, Queries};
use super::transaction::Transaction;

/// So far below a limit PostgreSQL is not asked inside the transaction.
const MARGIN: i64 = 100;

impl Transaction<'_> {
    /// Whether `count` counts fewer than `limit`.
    ///
    /// In PostgreSQL every two transactions conflict that count rows of a kind and add one; one of
    /// them would be run again. So the rows are counted outside of the transaction first, and only
    /// near the limit inside of it; or if the count outside cannot be had at once, since a
    /// transaction that waits is in the way of others. The limit could be exceeded only if
    /// [`MARGIN`] rows came while one transaction was open, and then by one for each transaction
    /// that was.
    pub(super) fn has_room(
        &mut self,
        limit: i64,
        count: impl Fn(&mut dyn Queries) -> Result<i64, Fault>,
    ) -> Result<bool, Fault> {
        if self.dialect() == Dialect::Postgres {
            let mut counted = limit;
            let is_known = self.read_beside(&mut |queries| {
                counted = count(queries)?;
                Ok(())
            });
            if is_known && counted < limit - MARGIN {
                return Ok(true);
            }
        }
        Ok(count(self)? < limit)
    }
}
