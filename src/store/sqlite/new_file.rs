//! An empty file for a database: only its owner can read it, and root gives it to the owner of its
//! directory, who is the user of the server.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use super::problems::directory;

/// Makes the file; an error if something has its name.
pub(super) fn make(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)
}

/// Gives a file that root has made at `path` to the owner of its directory. Only root can give it
/// away, and only root's file would be out of the server's reach.
pub(super) fn give_to_owner_of_directory(file: &File, path: &Path) -> io::Result<()> {
    let (own, directory) = (file.metadata()?, fs::metadata(directory(path))?);
    if own.uid() != 0 || (own.uid(), own.gid()) == (directory.uid(), directory.gid()) {
        return Ok(());
    }
    fchown(file, Some(directory.uid()), Some(directory.gid()))
}
