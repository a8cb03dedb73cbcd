//! Serves a folder with the operator's app. Each request opens its file anew, so a new build is
//! served at once.
//!
//! The kernel keeps every path inside the folder, symbolic links included (`openat2` with
//! `RESOLVE_BENEATH`), so nothing can change between a check and the opening. Knows no request.

use std::fs::{self, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use super::{File, media_type};
use crate::error::{Cause, Error, Problem};
use crate::http::Response;

const INDEX: &str = "index.html";
/// Attempts to open a file while renames or signals interrupt it.
const ATTEMPTS: usize = 16;

/// A folder that had an `index.html` when the server started.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Files that are being sent. Requests for the same file share its descriptor, so many clients that
    /// do not read hold one descriptor per file.
    sending: Mutex<Vec<(FileId, Weak<fs::File>)>>,
}

/// Device and inode of a file.
type FileId = (u64, u64);

/// An open regular file.
struct OpenFile {
    file: fs::File,
    metadata: Metadata,
}

impl Folder {
    /// Opens a folder with an app. Refuses one without `index.html`, and one that contains a private
    /// file or the place where it will be created.
    pub(super) fn open(path: &Path, private: &[PathBuf]) -> Result<Folder, Problem> {
        let root = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = Folder { root, sending: Mutex::default() };
        let name = path.display();
        let refuse = |what: String| {
            Problem::usage(
                what,
                "give the setting `web` the folder that your app's build made, or off",
            )
        };
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(refuse(format!("{name} is not a folder"))),
            Err(error) => {
                return Err(
                    refuse(format!("cannot open the folder {name}: {error}")).with_source(error)
                );
            }
        }
        match folder.open_file(INDEX) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(refuse(format!("{name} has no {INDEX}"))),
            Err(error) => {
                return Err(
                    refuse(format!("cannot open {INDEX} in {name}: {error}")).with_source(error)
                );
            }
        }
        match private.iter().find(|file| folder.contains(file)) {
            None => Ok(folder),
            Some(file) => Err(Problem::usage(
                format!("{} is in the folder {name}, which everybody can read", file.display()),
                "keep the database and the keys elsewhere, or give the setting `web` another folder",
            )),
        }
    }

    /// Whether the file is in the folder, directly or through a link. It need not exist yet.
    fn contains(&self, file: &Path) -> bool {
        let Ok(root) = fs::canonicalize(&self.root) else { return false };
        let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let parent = file.parent().map(fs::canonicalize);
        let places = [parent, Some(fs::canonicalize(&file))];
        places.into_iter().flatten().flatten().any(|place| place.starts_with(&root))
    }

    /// The absolute path of the folder.
    #[cfg(feature = "cli")]
    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// The file at a path without its first slash; if there is none and `page` is set, the document of
    /// every page. With `gzip`, the file `NAME.gz` beside it is preferred, unless it is older.
    pub(super) fn find(&self, path: &str, page: bool, gzip: bool) -> Result<Option<File>, Error> {
        let (path, plain) = match self.regular(path)? {
            Some(found) => (path, found),
            None if page => match self.regular(INDEX)? {
                Some(found) => (INDEX, found),
                None => return Ok(None),
            },
            None => return Ok(None),
        };
        let compressed = if gzip { self.regular(&format!("{path}.gz"))? } else { None };
        let current =
            compressed.filter(|found| modified(&found.metadata) >= modified(&plain.metadata));
        let gzip = current.is_some();
        let OpenFile { file, metadata } = current.unwrap_or(plain);
        let media_type = media_type::of(path);
        let etag = etag(&metadata, gzip);
        let response = Response::file(media_type, self.share(file, &metadata), metadata.size());
        // The caller knows whether the name has a hash.
        Ok(Some(File { response, etag, gzip, media_type, hashed: false }))
    }

    /// The regular file at a path; `None` if there is none, or if it must not be served, which is logged.
    fn regular(&self, path: &str) -> Result<Option<OpenFile>, Error> {
        self.open_file(path).or_else(|error| match Errno::from_io_error(&error) {
            Some(Errno::XDEV | Errno::LOOP | Errno::ACCESS | Errno::PERM) => {
                let path = path.escape_debug();
                log::warn!("{path} in {} is not served: {error}", self.root.display());
                Ok(None)
            }
            _ => {
                Err(Error::Internal(Cause::new(format!("{}: {error}", self.root.display()), error)))
            }
        })
    }

    /// Opens the regular file at a path. Opens the folder first, because a new build may have replaced
    /// it.
    fn open_file(&self, path: &str) -> io::Result<Option<OpenFile>> {
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, &self.root, folder, Mode::empty())?;
        let file = match open_beneath(&root, path) {
            Ok(file) => file,
            // No such file, or a socket, or a name that no file can have.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let metadata = file.metadata()?;
        Ok(metadata.is_file().then_some(OpenFile { file, metadata }))
    }

    /// The descriptor with which the same file is already being sent, or else this one.
    fn share(&self, file: fs::File, metadata: &Metadata) -> Arc<fs::File> {
        let id = (metadata.dev(), metadata.ino());
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        sending.retain(|(_, file)| file.strong_count() > 0);
        let known = sending.iter().find(|(other, _)| *other == id);
        if let Some(shared) = known.and_then(|(_, file)| file.upgrade()) {
            return shared;
        }
        let file = Arc::new(file);
        sending.push((id, Arc::downgrade(&file)));
        file
    }
}

/// Opens the path if it stays inside the folder. Does not block on a pipe.
fn open_beneath(root: &OwnedFd, path: &str) -> Result<fs::File, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let open = || openat2(root, path, flags, Mode::empty(), inside).map(fs::File::from);
    for _ in 1..ATTEMPTS {
        match open() {
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened,
        }
    }
    open()
}

/// The modification time: seconds and nanoseconds.
fn modified(metadata: &Metadata) -> (i64, i64) {
    (metadata.mtime(), metadata.mtime_nsec())
}

/// The entity tag: inode, size and modification time.
fn etag(metadata: &Metadata, gzip: bool) -> String {
    let (seconds, nanoseconds) = modified(metadata);
    let (inode, size) = (metadata.ino(), metadata.size());
    let form = if gzip { "-gz" } else { "" };
    format!("\"{inode:x}-{size:x}-{seconds:x}.{nanoseconds:x}{form}\"")
}
