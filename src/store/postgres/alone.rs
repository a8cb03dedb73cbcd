//! A database that this process has to itself, from the first look to the commit: copying one.

use super::Target;
use crate::error::Problem;
use crate::store::driver::Queries;

/// Runs `work` on a database of the current version.
pub(in crate::store) fn read<T>(
    target: &Target,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let _ = (target, work);
    Err(Problem::new("not built yet", "wait"))
}

/// Runs `work` in one transaction on a database of the current version, which is made if it is absent.
pub(in crate::store) fn write<T>(
    target: &Target,
    work: impl FnOnce(&mut dyn Queries) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let _ = (target, work);
    Err(Problem::new("not built yet", "wait"))
}
