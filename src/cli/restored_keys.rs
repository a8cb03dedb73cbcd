//! What `lictor restore` does with keys. Those that are there stay, because keys of the backup may have
//! been retired since. Those of the backup come back if none are there, or if somebody asks for them.

use std::path::{Path, PathBuf};

use super::backup_place::{keys_of, stamp};
use super::key_source::KeySource;
use super::output::failed;
use crate::clock::Timestamp;
use crate::error::Problem;
use crate::guard::key_id;
use crate::keys::Keys;

/// When the keys of the backup take the place of keys that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replace {
    Never,
    /// Tokens of kept sessions may need a key that is only in the backup.
    IfSomeAreMissing,
    Always,
}

/// What a restore does with the keys.
#[derive(Debug)]
pub(super) enum KeyPlan {
    /// There are none in the backup, or they have no file here.
    Nothing,
    /// The keys at this path stay. `differ`: the backup has keys that are not among them.
    Stay { at: PathBuf, differ: bool },
    /// The keys of the backup are copied to `to`.
    Replace {
        from: PathBuf,
        to: PathBuf,
        /// Names of keys of the backup that are not among those that are there.
        returning: Vec<String>,
    },
}

impl KeyPlan {
    /// Looks at the keys beside the backup `from`, and at those that are there. A file of the backup
    /// that holds no keys is refused before anything is changed.
    pub(super) fn new(
        from: &Path,
        source: &KeySource,
        replace: Replace,
    ) -> Result<KeyPlan, Problem> {
        let from = keys_of(from);
        let Ok(to) = source.file() else {
            log::warn!("SECRET_KEY is the only key, so none is restored");
            return Ok(KeyPlan::Nothing);
        };
        if !from.exists() {
            log::warn!("there is no {}, so no keys are restored", from.display());
            return Ok(KeyPlan::Nothing);
        }
        let backup = names(&Keys::read(&from)?)?;
        // A link stays one.
        let to = to.canonicalize().unwrap_or_else(|_| to.to_owned());
        if !to.exists() {
            return Ok(KeyPlan::Replace { from, to, returning: Vec::new() });
        }
        let there = match Keys::read(&to) {
            Ok(keys) => names(&keys)?,
            Err(problem) => {
                let what = problem.what;
                log::warn!("{what}; the keys of the backup take the place of that file");
                return Ok(KeyPlan::Replace { from, to, returning: backup });
            }
        };
        let missing = backup.into_iter().filter(|kid| !there.contains(kid)).collect::<Vec<_>>();
        let stay = match replace {
            Replace::Never => true,
            Replace::IfSomeAreMissing => missing.is_empty(),
            Replace::Always => false,
        };
        Ok(match stay {
            true => KeyPlan::Stay { at: to, differ: !missing.is_empty() },
            false => KeyPlan::Replace { from, to, returning: missing },
        })
    }

    /// Which keys come back that may have been retired, as a warning.
    pub(super) fn warning(&self) -> Option<String> {
        let KeyPlan::Replace { to, returning, .. } = self else { return None };
        let kids = returning.join(", ");
        (!returning.is_empty()).then(|| {
            format!(
                "keys of the backup that are not in {} now: {kids}; if they were retired, the \
                 restore makes them good again: lictor key rotate, then lictor key retire KID",
                to.display()
            )
        })
    }

    /// The part of the question that names the keys which the backup replaces.
    pub(super) fn question(&self) -> String {
        match self {
            KeyPlan::Replace { to, returning, .. } if !returning.is_empty() => {
                let (to, kids) = (to.display(), returning.join(", "));
                format!(", and its keys in the place of {to}, with {kids}, which may be retired")
            }
            _ => String::new(),
        }
    }

    /// Restores the keys, or lets `owner` read those that stay. Returns lines that say what was done.
    pub(super) fn carry_out(&self, owner: (u32, u32), now: Timestamp) -> Result<String, Problem> {
        match self {
            KeyPlan::Nothing => Ok(String::new()),
            KeyPlan::Stay { at, differ } => {
                Keys::copy(at, at, Some(owner), None).map_err(after_the_database)?;
                let at = at.display();
                Ok(match differ {
                    true => format!(
                        "the keys in {at} stay: those of the backup that are not among them may be \
                         retired; --with-keys restores them\n"
                    ),
                    false => format!("the keys in {at} stay\n"),
                })
            }
            KeyPlan::Replace { from, to, .. } => restore(from, to, owner, now),
        }
    }
}

/// The names of the keys, as `lictor key list` shows them.
fn names(keys: &Keys) -> Result<Vec<String>, Problem> {
    keys.iter().map(|key| key_id(key).map_err(failed)).collect()
}

fn restore(from: &Path, to: &Path, owner: (u32, u32), now: Timestamp) -> Result<String, Problem> {
    let kept = name_for_old(to, now);
    let copied = Keys::copy(from, to, Some(owner), Some(&kept)).map_err(after_the_database)?;
    if !copied {
        return Ok(format!("the keys in {} are the same\n", to.display()));
    }
    let mut text = format!("restored the keys to {}\n", to.display());
    if kept.exists() {
        text += &format!("the keys that were there are {}\n", kept.display());
    }
    Ok(text)
}

fn after_the_database(problem: Problem) -> Problem {
    let what = format!("the database is restored, and its keys are not: {}", problem.what);
    Problem { what, ..problem }
}

/// A free name for the keys that are there.
fn name_for_old(to: &Path, now: Timestamp) -> PathBuf {
    let stem = to.file_stem().unwrap_or_default().to_string_lossy();
    let mut kept = to.with_file_name(format!("{stem}-replaced-{}.key", stamp(now)));
    for count in 2.. {
        if !kept.exists() {
            break;
        }
        kept = to.with_file_name(format!("{stem}-replaced-{}-{count}.key", stamp(now)));
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_several_restores_in_one_second_have_names_of_their_own() {
        let folder = std::env::temp_dir().join(format!("lictor-restores-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for end in ["", "-2", "-3"] {
            let name = name_for_old(&folder.join("a.key"), Timestamp(1_796_001_300));
            assert_eq!(name, folder.join(format!("a-replaced-20261130T011500Z{end}.key")));
            std::fs::write(name, "").unwrap();
        }
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
