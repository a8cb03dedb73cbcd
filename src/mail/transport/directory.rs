//! `dir:PATH`: writes each mail to a file of its own, for trying lictor without a mail server, or for
//! a program that collects the files. A file gets its name when it is complete and on the disk.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::Failure;
use crate::error::Problem;
use crate::mail::message::{Mail, Message};

/// Checks the path of the folder: it can be written, or can be made. The first delivery makes it.
pub(super) fn parse(path: &str) -> Result<PathBuf, Problem> {
    let next = "give the setting `mail` a folder, such as dir:mails";
    if path.is_empty() || Path::new(path).is_file() {
        return Err(Problem::usage("the path of dir: is empty or is a file", next));
    }
    let mut there = Path::new(path);
    while !there.as_os_str().is_empty() && !there.exists() {
        there = there.parent().unwrap_or(Path::new(""));
    }
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    let can = rustix::fs::access(there, Access::WRITE_OK | Access::EXEC_OK);
    if can.is_err() || !there.is_dir() {
        return Err(Problem::usage(
            format!("mails cannot be written to dir:{path}: {} is in the way", there.display()),
            format!("let the user that runs lictor write there, or {next}"),
        ));
    }
    Ok(path.into())
}

/// Writes the file. A second delivery of the same mail replaces it.
pub(super) fn deliver(path: &Path, mail: &Mail<'_>, message: &Message) -> Result<(), Failure> {
    // Unix times of ten digits sort by name until the year 2286.
    let name = format!("{:010}-{}.eml", mail.date.0, mail.id);
    write(path, &name, &message.text)
        .map_err(|error| Failure::temporary(format!("{}: {error}", path.display())))
}

fn write(path: &Path, name: &str, text: &str) -> io::Result<()> {
    // Anybody who reads a link in a mail can use it.
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
    fn a_repeated_delivery_replaces_the_file() {
        let parent = std::env::temp_dir().join(format!("lictor-mails-{}", std::process::id()));
        let path = parse(parent.join("a/b").to_str().unwrap()).unwrap();
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
    fn an_unusable_folder_is_a_temporary_failure() {
        assert!(parse("").is_err() && parse("Cargo.toml").is_err());
        let content = Content { subject: "".into(), text: "".into(), html: "".into() };
        let date = Timestamp(0);
        let mail = Mail { id: "x", to: "c@d.example", language: "en", date, content: &content };
        let message = Message::new(&Sender::parse("a@b").unwrap(), &mail).unwrap();
        let failed = deliver(Path::new("/proc/mails"), &mail, &message);
        assert!(matches!(failed, Err(Failure::Temporary(_))), "{failed:?}");
    }
}
