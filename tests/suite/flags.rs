//! Every command with each of its flags: the program reads no flag that the table of the command does not
//! have, or has as another kind. Such a mistake is a panic, which no check of the table alone can find.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::{Dir, PASSWORD, Server, outcome, run};

/// Every command, with the arguments that it needs. `APP` is the id of an app password, `INVITATION` that
/// of an invitation, `KID` the name of a key. `check` has a test of its own, because it has many flags.
/// `serve` has the same, and every test with a server reads them.
const COMMANDS: &[&str] = &[
    "user add bob",
    "user list",
    "user show ada",
    "user passwd ada",
    "user roles ada",
    "user activate ada",
    "user deactivate ada",
    "user reset-second-factor ada",
    "user unlock ada",
    "user reset-link ada",
    "user delete ada",
    "app-password add ada phone",
    "app-password list ada",
    "app-password delete ada APP",
    "invite add",
    "invite list",
    "invite revoke INVITATION",
    "key list",
    "key rotate",
    "key retire KID",
    "mail list",
    "mail retry",
    "mail retry 1",
    "mail drop 1",
    "mail test ada@example.org",
    "access explain http://localhost/",
    "database copy lictor.db copy.db",
    "backup new-backup.db",
    "restore backup.db",
    "import users.csv",
    "export",
    "audit",
    "health",
    "health http://127.0.0.1:1/api/health",
    "hash-cost --target 1ms",
    "completions bash",
    "complete user list --",
    "man",
    "man user",
];

/// A value of a flag by what the help calls it. A flag whose words the program completes has the first.
const VALUES: &[(&str, &str)] = &[
    ("ADDR:PORT", "127.0.0.1:1"),
    ("ADDRESS", "new@example.org"),
    ("ADDR[/BITS]", "::1"),
    ("DATE", "2026-12-31"),
    ("DIR", "folder"),
    ("DIR|off", "off"),
    ("DOMAIN", "example.org"),
    ("FIELD=COLUMN", "username=name"),
    ("FILE", "empty"),
    ("HOST", "wiki.example.org"),
    ("METHOD", "GET"),
    ("N", "16"),
    ("NAME", "ada"),
    ("ORIGIN", "none"),
    ("PATH", "empty"),
    ("PATH|URL", "lictor.db"),
    ("ROLE", "editor"),
    ("ROLES", "editor"),
    ("SIZE", "32MiB"),
    ("TABLE", "users"),
    ("TIME", "2h"),
    ("TIME|off", "off"),
    ("URL", "https://login.example.org"),
    ("WAY", "dir:folder"),
    ("WHERE", "new"),
    ("WHO", "admins"),
];

/// The lines that `lictor complete` prints for these words, each without its meaning.
fn completed(dir: &Path, words: &[&str]) -> Vec<String> {
    let (code, out, error) = outcome(&run(dir, &[&["complete"], words].concat(), ""));
    assert_eq!(code, 0, "{words:?}: {error}");
    out.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

/// The commands below these words that run something.
fn leaves(dir: &Path, above: &[&str], found: &mut BTreeSet<String>) {
    let below: Vec<String> = completed(dir, &[above, &[""]].concat());
    let below = below.iter().filter(|name| *name != "help" && !name.starts_with('-'));
    for name in below {
        let words = [above, &[name]].concat();
        let (_, help, _) = outcome(&run(dir, &[&words[..], &["--help"]].concat(), ""));
        match help.contains("<COMMAND>") {
            true => leaves(dir, &words, found),
            false => drop(found.insert(words.join(" "))),
        }
    }
}

/// The flags of a command as its help has them: each with the name of its value, which a switch has not.
fn flags(dir: &Path, command: &[&str]) -> Vec<(String, Option<String>)> {
    let (code, help, error) = outcome(&run(dir, &[command, &["--help"]].concat(), ""));
    assert_eq!(code, 0, "{command:?}: {error}");
    // Other lines begin with fewer or more spaces.
    let lines = help.lines().filter_map(|line| line.strip_prefix("      --"));
    let flag = |line: &str| {
        let mut words = line.split_whitespace();
        let name = format!("--{}", words.next().unwrap());
        let value = words.next().and_then(|word| word.strip_prefix('<'));
        (name, value.map(|value| value.trim_end_matches("...").trim_end_matches('>').to_owned()))
    };
    lines.map(flag).collect()
}

/// A value that a flag takes.
fn value(dir: &Path, command: &[&str], flag: &str, called: &str) -> String {
    if let Some((_, value)) = VALUES.iter().find(|(name, _)| *name == called) {
        return (*value).to_owned();
    }
    let words = completed(dir, &[command, &[flag, ""]].concat());
    words.into_iter().next().unwrap_or_else(|| panic!("{command:?} {flag}: a value for {called}?"))
}

/// A folder with a database, a ring of two keys, a backup, and the ids that [`COMMANDS`] names.
struct World {
    dir: Dir,
    ids: [(&'static str, String); 3],
}

impl World {
    fn new() -> World {
        let server = Server::start_with(Dir::new(), &[], &[]);
        server.add("ada");
        let (_, dir) = server.stop("-TERM");
        let done = |args: &[&str]| {
            let (code, out, error) = outcome(&run(&dir.0, args, ""));
            assert_eq!(code, 0, "{args:?}: {error}");
            out
        };
        let id = |out: &str| {
            let id = out.lines().find_map(|line| line.strip_prefix("id ")).unwrap();
            id.trim().to_owned()
        };
        let app = done(&["app-password", "add", "ada", "tablet"]);
        assert!(app.lines().any(|line| line.starts_with("database /")), "{app}");
        let app = id(&app);
        let invitation = id(&done(&["invite", "add"]));
        done(&["key", "rotate"]);
        let keys = done(&["key", "list"]);
        let oldest = keys.lines().last().unwrap().split_whitespace().next().unwrap().to_owned();
        done(&["backup", "backup.db"]);
        fs::write(dir.0.join("empty"), "").unwrap();
        fs::write(dir.0.join("users.csv"), "username,password\neve,!\n").unwrap();
        World { dir, ids: [("APP", app), ("INVITATION", invitation), ("KID", oldest)] }
    }

    /// Runs a command in a copy of the folder.
    fn run(&self, words: &[&str]) {
        let copy = Dir::new();
        for entry in fs::read_dir(&self.dir.0).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, copy.0.join(path.file_name().unwrap())).unwrap();
        }
        fs::create_dir(copy.0.join("folder")).unwrap();
        let id = |word: &&str| {
            let id = self.ids.iter().find(|(name, _)| name == word);
            id.map_or((*word).to_owned(), |(_, id)| id.clone())
        };
        let words: Vec<String> = words.iter().map(id).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let (code, out, error) = outcome(&run(&copy.0, &words, &format!("{PASSWORD}\n")));
        // A panic is 101.
        assert!((0..=2).contains(&code), "{words:?}: {code} {out}{error}");
        // What clap refuses is read by no command.
        let refused = ["there is no flag", "has no value", "is missing", "argument too many"];
        assert!(!refused.iter().any(|what| error.contains(what)), "{words:?}: {error}");
    }
}

/// The words of a command without its arguments.
fn name<'a>(words: &[&'a str], known: &BTreeSet<String>) -> Vec<&'a str> {
    let known = |end: &usize| known.contains(&words[..*end].join(" "));
    let end = (1..=words.len()).rev().find(known).unwrap_or(1);
    words[..end].to_vec()
}

/// Runs commands without flags and with each; returns their names, and how many flags were tried.
fn run_all(commands: &[&str], known: &BTreeSet<String>) -> (BTreeSet<String>, usize) {
    let world = World::new();
    let (mut tried, mut count) = (BTreeSet::new(), 0);
    for command in commands {
        let words: Vec<&str> = command.split(' ').collect();
        let name = name(&words, known);
        world.run(&words);
        if !tried.insert(name.join(" ")) {
            continue;
        }
        for (flag, called) in flags(&world.dir.0, &name) {
            let value = called.map(|called| value(&world.dir.0, &name, &flag, &called));
            let given: Vec<&str> = [Some(&*flag), value.as_deref()].into_iter().flatten().collect();
            // A flag that the row has already, such as `--target`, is given once.
            let row = if words.contains(&&*flag) { &[] } else { &words[name.len()..] };
            // Before the arguments: the last one may take all that follow.
            world.run(&[&name[..], &given, row].concat());
            count += 1;
        }
    }
    (tried, count)
}

#[test]
fn check_runs_with_each_of_its_flags() {
    let (_, count) = run_all(&["check"], &BTreeSet::new());
    assert!(count > 50, "{count}");
}

#[test]
fn every_other_command_runs_with_each_of_its_flags() {
    let dir = Dir::new();
    let mut known = BTreeSet::new();
    leaves(&dir.0, &[], &mut known);
    // The program does not complete it.
    known.insert("complete".into());
    let (mut tried, count) = run_all(COMMANDS, &known);
    tried.extend(["check".into(), "serve".into()]);
    assert_eq!(tried, known, "the commands that were tried, and those that there are");
    assert!(count > 100, "{count}");
}
