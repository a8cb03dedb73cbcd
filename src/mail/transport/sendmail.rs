//! `sendmail:`: runs the sendmail program of the system (Postfix, Exim, msmtp and others have one)
//! with the mail on standard input. No shell is involved. The program inherits only the listed
//! environment variables, because others hold secrets.

use std::io::{self, Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::Failure;
use crate::error::Problem;
use crate::mail::message::{Message, Sender};

/// Limit on one run of the program.
const TIME_LIMIT: Duration = Duration::from_secs(60);
/// Interval at which the exit of the program is polled.
const POLL: Duration = Duration::from_millis(20);
/// Bytes of standard error that are kept for the failure.
const MAX_STDERR: u64 = 1_024;
/// Longest wait for the end of standard error after the program has ended: a process that it left
/// behind may keep the pipe open. Tests wait longer, because their machine may be busy.
const STDERR_WAIT: Duration = Duration::from_millis(if cfg!(test) { 60_000 } else { 200 });
/// The environment variables that the program inherits.
const INHERITED: &[&str] = &["HOME", "LANG", "LOGNAME", "PATH", "TZ", "USER"];

// Exit codes of permanent failures (sysexits.h). EX_TEMPFAIL, 75, is a temporary one.
const EX_DATAERR: i32 = 65;
const EX_NOUSER: i32 = 67;
const EX_NOHOST: i32 = 68;

/// Checks that the absolute path leads to a file.
pub(super) fn parse(path: &str) -> Result<PathBuf, Problem> {
    let program = Path::new(path);
    if !program.is_absolute() || !program.is_file() {
        return Err(Problem::usage(
            format!("there is no sendmail program at {path:?}"),
            "install one, such as postfix or msmtp-mta, or give its absolute path with \
             the setting `mail`, such as sendmail:/usr/sbin/sendmail",
        ));
    }
    Ok(program.into())
}

/// Delivers the mail with one run of the program.
pub(super) fn deliver(program: &Path, sender: &Sender, message: &Message) -> Result<(), Failure> {
    let ended = run(program, sender, message, TIME_LIMIT);
    let (status, stderr) =
        ended.map_err(|error| Failure::temporary(format!("{}: {error}", program.display())))?;
    let why = || format!("{} ended with {}: {stderr}", program.display(), describe(status));
    match status.code() {
        Some(0) => Ok(()),
        Some(EX_DATAERR | EX_NOUSER | EX_NOHOST) => Err(Failure::permanent(why())),
        _ => Err(Failure::temporary(why())),
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no status".into(),
    }
}

/// Runs the program; returns its exit status and the beginning of its standard error.
fn run(
    program: &Path,
    sender: &Sender,
    message: &Message,
    limit: Duration,
) -> io::Result<(ExitStatus, String)> {
    let mut child = Command::new(program)
        // `-i`: a line with a single dot does not end the mail. `--`: no recipient is a flag.
        .args(["-i", "-f", &sender.mailbox().to_string(), "--", &message.to.to_string()])
        .env_clear()
        .envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    // Each pipe has a thread of its own: the program may never read, or write before it reads.
    if let Some(mut stdin) = child.stdin.take() {
        // sendmail programs expect Unix line ends.
        let text = message.text.replace("\r\n", "\n");
        thread::spawn(move || stdin.write_all(text.as_bytes()));
    }
    let (sender, receiver) = mpsc::channel();
    if let Some(mut stderr) = child.stderr.take() {
        thread::spawn(move || {
            let mut kept = Vec::new();
            let _ = stderr.by_ref().take(MAX_STDERR).read_to_end(&mut kept);
            let _ = sender.send(String::from_utf8_lossy(&kept).into_owned());
            let _ = io::copy(&mut stderr, &mut io::sink());
        });
    }
    let status = wait(&mut child, limit)?;
    Ok((status, receiver.recv_timeout(STDERR_WAIT).unwrap_or_default()))
}

/// Waits for the exit of the program, and kills it at the limit.
fn wait(child: &mut Child, limit: Duration) -> io::Result<ExitStatus> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if begun.elapsed() >= limit {
            child.kill()?;
            child.wait()?;
            let text = format!("it took longer than {} s", limit.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        thread::sleep(POLL);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::clock::Timestamp;
    use crate::mail::{Content, Mail};

    /// Writes a shell script with this body; returns its folder and its path.
    fn script(name: &str, body: &str) -> (PathBuf, PathBuf) {
        let dir =
            std::env::temp_dir().join(format!("lictor-sendmail-{name}-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let path = dir.join("sendmail");
        let text = format!("#!/bin/sh\ncd {}\n{body}\n", dir.display());
        fs::write(dir.join("text"), text).unwrap();
        // Copied by another process: a program that a child of another thread still has open for
        // writing, because it was forked meanwhile, cannot be run.
        let copied = Command::new("cp").arg(dir.join("text")).arg(&path).status().unwrap();
        assert!(copied.success());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        (dir, path)
    }

    fn message(to: &str, text: &str) -> (Sender, Message) {
        let content = Content { subject: "Hi".into(), text: text.into(), html: "x".into() };
        let date = Timestamp(0);
        let mail = Mail { id: "id", to, language: "en", date, content: &content };
        let sender = Sender::parse("Ada <ada@example.org>").unwrap();
        let message = Message::new(&sender, &mail).unwrap();
        (sender, message)
    }

    #[test]
    fn the_program_gets_arguments_mail_and_little_environment() {
        let (dir, path) = script("given", "echo \"$@\" >args; cat >mail; env >environment");
        let (sender, message) = message("-oQ/tmp@example.org", "a\n.\nb\n");
        deliver(&path, &sender, &message).unwrap();
        let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
        assert_eq!(read("args"), "-i -f ada@example.org -- -oQ/tmp@example.org\n");
        assert_eq!(read("mail"), message.text.replace("\r\n", "\n"));
        let known = |line: &str| {
            let name = line.split('=').next().unwrap_or_default();
            INHERITED.contains(&name) || ["PWD", "OLDPWD", "SHLVL", "_"].contains(&name)
        };
        assert!(read("environment").lines().all(known), "{}", read("environment"));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn exit_codes_become_failures() {
        for (name, body, expected) in [
            ("fine", "exit 0", None),
            ("no-user", "echo no such user >&2; exit 67", Some((true, "code 67: no such user"))),
            ("bad-data", "exit 65", Some((true, "code 65"))),
            ("busy", "echo come back >&2; exit 75", Some((false, "code 75: come back"))),
            ("used-wrongly", "exit 64", Some((false, "code 64"))),
            ("killed", "kill -9 $$", Some((false, "signal 9"))),
            // More than is kept, and than a pipe holds.
            ("talks", "yes | head -c 1000000 >&2; exit 75", Some((false, "code 75: y y"))),
        ] {
            let (dir, path) = script(name, body);
            // Longer than a pipe buffer: the write blocks until the program reads, or fails.
            let (sender, message) = message("c@d.example", &"x\n".repeat(100_000));
            let failed = deliver(&path, &sender, &message).err();
            let (permanent, why) = match &failed {
                None => (false, None),
                Some(Failure::Temporary(why)) => (false, Some(why)),
                Some(Failure::Permanent(why)) => (true, Some(why)),
            };
            assert_eq!(why.is_some(), expected.is_some(), "{name}: {failed:?}");
            if let (Some(why), Some((expect_permanent, part))) = (why, expected) {
                assert!(permanent == expect_permanent && why.contains(part), "{name}: {failed:?}");
                assert!(why.len() <= 300 && !why.contains('\n'), "{name}: {failed:?}");
            }
            fs::remove_dir_all(dir).unwrap();
        }
    }

    #[test]
    fn a_program_that_hangs_is_killed() {
        let (dir, path) = script("hangs", "exec sleep 600");
        let (sender, message) = message("c@d.example", "");
        let error = run(&path, &sender, &message, Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        fs::remove_dir_all(dir).unwrap();
    }
}
