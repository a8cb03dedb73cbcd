//! Blocklist files of both kinds, and files that are refused.

use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use sha1::{Digest as _, Sha1};

use super::*;

/// A file that is deleted when the value is dropped.
struct TestFile(PathBuf);

impl TestFile {
    fn with(name: &str, content: impl AsRef<[u8]>) -> TestFile {
        let file = format!("lictor-blocklist-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(file);
        fs::write(&path, content).unwrap();
        TestFile(path)
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn hash(password: &str) -> String {
    Sha1::digest(password).iter().map(|byte| format!("{byte:02X}")).collect()
}

fn has(list: &Blocklist, password: &str) -> bool {
    list.has(password, &password.to_lowercase()).unwrap()
}

#[test]
fn a_pipe_held_up_the_start_for_ever() {
    let test_file = TestFile::with("pipe", "");
    fs::remove_file(&test_file.0).unwrap();
    assert!(Command::new("mkfifo").arg(&test_file.0).status().unwrap().success());
    let (sender, receiver) = mpsc::channel();
    let path = test_file.0.clone();
    std::thread::spawn(move || {
        let problems = ["/dev/zero".as_ref(), path.as_path()].map(Blocklist::open);
        // Even if the pipe took the place of a regular file after the check.
        assert!(!open(&path).unwrap().metadata().unwrap().is_file());
        sender.send(problems.map(|problem| problem.unwrap_err().what))
    });
    for what in receiver.recv_timeout(Duration::from_secs(60)).unwrap() {
        assert!(what.ends_with(" is not a file"), "{what}");
    }
}

#[test]
fn a_list_holds_passwords_in_any_case() {
    let text = "Correct Horse\r\nzwölf Gäste\n\n\u{a0}spaced\u{a0}\ncorrect horse\nlast one";
    let test_file = TestFile::with("list", [text.as_bytes(), b"\nlatin \xe9\n"].concat());
    let list = Blocklist::open(&test_file.0).unwrap();
    assert_eq!(list.describe(), "4 passwords");
    for (password, expected) in [
        ("correct horse", true),
        ("CORRECT horse", true),
        ("zwölf gäste", true),
        (" spaced ", true),
        ("last one", true),
        ("last", false),
        ("correct horse\nlast one", false),
        ("", false),
        ("latin é", false),
    ] {
        assert_eq!(has(&list, password), expected, "{password:?}");
    }
    assert!(!format!("{list:?}").contains("horse"));
}

/// Makes a file of the hashes of `count` passwords; returns it with the passwords.
fn corpus(
    name: &str,
    count: usize,
    line: impl Fn(usize, &str) -> String,
) -> (TestFile, Vec<String>) {
    let passwords: Vec<String> = (0..count).map(|i| format!("password {i}")).collect();
    let mut hashes: Vec<String> = passwords.iter().map(|one| hash(one)).collect();
    hashes.sort_unstable();
    let text: String = hashes.iter().enumerate().map(|(i, hash)| line(i, hash)).collect();
    (TestFile::with(name, text), passwords)
}

#[test]
fn hashes_are_found_in_every_line_format() {
    type Line = fn(usize, &str) -> String;
    let forms: [(&str, Line); 4] = [
        ("as-downloaded", |i, hash| format!("{hash}:{}\r\n", 7 * i)),
        ("bare", |_, hash| format!("{hash}\n")),
        ("lower", |_, hash| format!("{}:1\n", hash.to_lowercase())),
        ("mixed", |i, hash| format!("{hash}{}\n", if i % 3 == 0 { ":99999999999" } else { "" })),
    ];
    for (name, line) in forms {
        for count in [1, 2, 3, 50, 3_000] {
            let (test_file, passwords) = corpus(name, count, line);
            let list = Blocklist::open(&test_file.0).unwrap();
            for password in passwords {
                assert!(has(&list, &password), "{name}, {count}: {password}");
                assert!(has(&list, &password.to_uppercase()), "{name}, {count}: {password}");
            }
            for i in 0..500 {
                assert!(!has(&list, &format!("another {i}")), "{name}, {count}: {i}");
            }
        }
    }
    // The last line has no line end.
    let test_file = TestFile::with("open-end", format!("{}\n{}", "0".repeat(40), hash("last one")));
    assert!(has(&Blocklist::open(&test_file.0).unwrap(), "last one"));
}

#[test]
fn invalid_files_are_refused_with_the_next_step() {
    let unsorted: String = (0..300).map(|i| format!("{}\n", hash(&format!("{i}")))).collect();
    let cut = format!("{}\n{}\n", hash("a"), "F".repeat(39));
    let long = format!("{}\n{}\n", "0".repeat(40), "x".repeat(100_000));
    for (name, content, expected) in [
        ("binary", b"passwords\0\x01".to_vec(), "neither"),
        ("empty", Vec::new(), "neither"),
        ("blank", b"\n\r\n".to_vec(), "neither"),
        ("unsorted", unsorted.into_bytes(), "not a sorted list"),
        ("cut", cut.into_bytes(), "not a sorted list"),
        ("long", long.into_bytes(), "not a sorted list"),
        ("ntlm", b"0CB6948805F797BF2A82807973B89537:5\n".to_vec(), "not whole SHA-1"),
        ("part", b"0018A45C4D1DEF81644B54AB7F969B88D65:5\r\n".to_vec(), "not whole SHA-1"),
        ("large", vec![b'x'; MAX_LIST as usize + 1], "can have 33554432"),
    ] {
        let test_file = TestFile::with(name, content);
        let problem = Blocklist::open(&test_file.0).unwrap_err();
        assert!(problem.what.contains(expected), "{name}: {problem}");
        assert!(!problem.next.is_empty());
    }
    let absent = Blocklist::open(Path::new("/nonexistent/list")).unwrap_err();
    assert!(absent.what.contains("cannot read"), "{absent}");
    let folder = Blocklist::open(Path::new("/tmp")).unwrap_err();
    assert!(folder.what.contains("is not a file"), "{folder}");
}

#[test]
fn a_file_that_shrinks_while_in_use_is_an_error() {
    let (test_file, passwords) = corpus("truncated", 500, |_, hash| format!("{hash}\n"));
    let list = Blocklist::open(&test_file.0).unwrap();
    fs::write(&test_file.0, "short").unwrap();
    let answer = list.has(&passwords[0], &passwords[0]);
    assert!(matches!(answer, Err(Error::Unavailable(_))), "{answer:?}");
}
