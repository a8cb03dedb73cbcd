//! A folder with somebody's own app, as it is at this moment: nothing is read ahead and nothing is
//! kept, so a new build counts as soon as it is there.
//!
//! The kernel keeps every path inside (`openat2` with `RESOLVE_BENEATH`), links included, without
//! a moment between a check and its use. Knows nothing of requests.

use std::fs::{self, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat, openat2};
use rustix::io::Errno;

use super::{File, media_type};
use crate::error::{Error, Problem};
use crate::http::Response;

const INDEX: &str = "index.html";
/// How often a look-up is tried that a rename or a signal came into.
const TRIES: usize = 16;

/// A folder that was there, with an `index.html`, when the server started.
#[derive(Debug)]
pub(crate) struct Folder {
    root: PathBuf,
    /// Files that are being sent. Whoever asks for one meanwhile shares it, so however many
    /// clients do not read, there is one descriptor a file.
    sending: Mutex<Vec<(Identity, Weak<fs::File>)>>,
}

/// Which file it is.
type Identity = (u64, u64);

/// A regular file that was found.
struct Found {
    file: fs::File,
    told: Metadata,
}

impl Folder {
    /// Looks whether there is an app in it, and that none of the private files, or what lies
    /// beside them, would be given out with it.
    pub(super) fn open(path: &Path, private: &[&Path]) -> Result<Folder, Problem> {
        let root = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let folder = Folder { root, sending: Mutex::default() };
        let name = path.display();
        let refuse = |what: String| {
            Problem::usage(what, "give --web the folder that your app's build made, or off")
        };
        match fs::metadata(path) {
            Ok(told) if told.is_dir() => {}
            Ok(_) => return Err(refuse(format!("{name} is not a folder"))),
            Err(error) => return Err(refuse(format!("cannot open the folder {name}: {error}"))),
        }
        match folder.look_up(INDEX) {
            Ok(Some(_)) => {}
            Ok(None) => return Err(refuse(format!("{name} has no {INDEX}"))),
            Err(error) => return Err(refuse(format!("cannot open {INDEX} in {name}: {error}"))),
        }
        match private.iter().find(|file| folder.holds(file)) {
            None => Ok(folder),
            Some(file) => Err(Problem::usage(
                format!("{} is in the folder {name}, which is for everybody", file.display()),
                "keep the database and the keys elsewhere, or give --web another folder",
            )),
        }
    }

    /// Whether a file, which need not be there yet, is in the folder, by its name or through a
    /// link.
    fn holds(&self, file: &Path) -> bool {
        let Ok(root) = fs::canonicalize(&self.root) else { return false };
        let named = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
        let beside = named.parent().map(fs::canonicalize);
        let places = [beside, Some(fs::canonicalize(&named))];
        places.into_iter().flatten().flatten().any(|place| place.starts_with(&root))
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// The file of a path without its first slash, or the page that is all pages; if it may be
    /// gzip, what lies compressed beside it, unless that is older.
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
        let current = compressed.filter(|found| modified(&found.told) >= modified(&plain.told));
        let gzip = current.is_some();
        let Found { file, told } = current.unwrap_or(plain);
        let media_type = media_type::of(path);
        let etag = etag(&told, gzip);
        let response = Response::file(media_type, self.share(file, &told), told.size());
        // Whether its name has a hash is for the caller to say.
        Ok(Some(File { response, etag, gzip, media_type, hashed: false }))
    }

    /// What is at a path; what cannot be given out is not there, and the log says why.
    fn regular(&self, path: &str) -> Result<Option<Found>, Error> {
        self.look_up(path).or_else(|error| match Errno::from_io_error(&error) {
            Some(Errno::XDEV | Errno::LOOP | Errno::ACCESS | Errno::PERM) => {
                let path = path.escape_debug();
                log::warn!("{path} in {} is not served: {error}", self.root.display());
                Ok(None)
            }
            _ => Err(Error::Internal(format!("{}: {error}", self.root.display()))),
        })
    }

    /// The folder is opened anew each time: it may be another one by now.
    fn look_up(&self, path: &str) -> io::Result<Option<Found>> {
        let folder = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = openat(CWD, &self.root, folder, Mode::empty())?;
        let file = match open_beneath(&root, path) {
            Ok(file) => file,
            // Neither a socket nor a name that no file can have is a file.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG | Errno::NXIO) => {
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        let told = file.metadata()?;
        Ok(told.is_file().then_some(Found { file, told }))
    }

    /// The same file as somebody else has in hand, if somebody has.
    fn share(&self, file: fs::File, told: &Metadata) -> Arc<fs::File> {
        let identity = (told.dev(), told.ino());
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        sending.retain(|(_, file)| file.strong_count() > 0);
        let known = sending.iter().find(|(other, _)| *other == identity);
        if let Some(shared) = known.and_then(|(_, file)| file.upgrade()) {
            return shared;
        }
        let file = Arc::new(file);
        sending.push((identity, Arc::downgrade(&file)));
        file
    }
}

/// Opens what is at a path, if the path stays inside. A pipe does not hold us up.
fn open_beneath(root: &OwnedFd, path: &str) -> Result<fs::File, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let inside = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let open = || openat2(root, path, flags, Mode::empty(), inside).map(fs::File::from);
    for _ in 1..TRIES {
        match open() {
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened,
        }
    }
    open()
}

fn modified(told: &Metadata) -> (i64, i64) {
    (told.mtime(), told.mtime_nsec())
}

/// Which file, how long, and since when.
fn etag(told: &Metadata, gzip: bool) -> String {
    let (seconds, nanoseconds) = modified(told);
    let (inode, size) = (told.ino(), told.size());
    let form = if gzip { "-gz" } else { "" };
    format!("\"{inode:x}-{size:x}-{seconds:x}.{nanoseconds:x}{form}\"")
}
