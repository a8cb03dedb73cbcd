//! `dir:PATH`, a file for each mail: to try it without a server, or for a program that takes them
//! from there. A file is whole when it has its name, and on the disk.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::Failure;
use crate::error::Problem;
use crate::mail::message::{Mail, Message};

/// A folder; it is made when the first mail goes there.
pub(super) fn checked(path: &str) -> Result<PathBuf, Problem> {
    if path.is_empty() || Path::new(path).is_file() {
        return Err(Problem::usage(
            "mails cannot be kept as files there",
            "give --mail a folder, such as dir:mails",
        ));
    }
    Ok(path.into())
}

/// Writes the file; the same mail again replaces it.
pub(super) fn deliver(path: &Path, mail: &Mail<'_>, message: &Message) -> Result<(), Failure> {
    // Ten digits of the Unix time sort until the year 2286.
    let name = format!("{:010}-{}.eml", mail.date.0, mail.id);
    write(path, &name, &message.text)
        .map_err(|error| Failure::temporary(format!("{}: {error}", path.display())))
}

fn write(path: &Path, name: &str, text: &str) -> io::Result<()> {
    // Whoever reads a link in a mail can use it.
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let unfinished = path.join(format!(".{name}.new"));
    let mut options = File::options();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path.join(name))?;
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::clock::Timestamp;
    use crate::mail::{Content, Sender};

    #[test]
    fn a_mail_is_one_file_however_often_it_is_sent() {
        let parent = std::env::temp_dir().join(format!("lictor-mails-{}", std::process::id()));
        let path = checked(parent.join("a/b").to_str().unwrap()).unwrap();
        let sender = Sender::parse("a@b.example").unwrap();
        for (id, text) in [("one", "first"), ("two", "second"), ("one", "third")] {
            let content = Content { subject: id.into(), text: text.into(), html: text.into() };
            let date = Timestamp(784_111_777);
            let mail = Mail { id, to: "c@d.example", language: "en", date, content: &content };
            deliver(&path, &mail, &Message::new(&sender, &mail).unwrap()).unwrap();
        }
        let mut names: Vec<_> = fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["0784111777-one.eml", "0784111777-two.eml"]);
        let file = path.join(&names[0]);
        assert!(fs::read_to_string(&file).unwrap().contains("third"));
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&path)), (0o600, 0o700));
        fs::remove_dir_all(parent).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_is_a_temporary_failure() {
        assert!(checked("").is_err() && checked("Cargo.toml").is_err());
        let content = Content { subject: "".into(), text: "".into(), html: "".into() };
        let date = Timestamp(0);
        let mail = Mail { id: "x", to: "c@d.example", language: "en", date, content: &content };
        let message = Message::new(&Sender::parse("a@b").unwrap(), &mail).unwrap();
        let failed = deliver(Path::new("/proc/mails"), &mail, &message);
        assert!(matches!(failed, Err(Failure::Temporary(_))), "{failed:?}");
    }
}
