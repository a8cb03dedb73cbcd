//! The database of a test, seen with SQL: what the program wrote, and rows that a test needs.
//!
//! The suite runs on SQLite; with `LICTOR_TEST_DATABASE=postgres` it runs on the PostgreSQL server of
//! `LICTOR_TEST_POSTGRES`, the URL of a superuser's database, where each directory of a test has a
//! database of its own. So a statement here must mean the same to both: `"user"` in quotation
//! marks, values as `$1`, texts in `''`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use lictor::Database;

use crate::support::PATIENCE;

/// Begins the name of each directory and each database of a test.
const PREFIX: &str = "lictor-test-";

/// The URL of a superuser's database, if the suite runs on PostgreSQL.
fn server() -> Option<String> {
    let chosen = std::env::var("LICTOR_TEST_DATABASE").unwrap_or_default();
    match chosen.as_str() {
        "" | "sqlite" => None,
        "postgres" => {
            Some(std::env::var("LICTOR_TEST_POSTGRES").expect("LICTOR_TEST_POSTGRES is a URL"))
        }
        _ => panic!("LICTOR_TEST_DATABASE is sqlite or postgres, not {chosen}"),
    }
}

/// The URL of another database on the server of this one.
fn url_of(server: &str, name: &str) -> String {
    let (address, parameters) = server.split_once('?').unwrap_or((server, ""));
    let (before, _) = address.rsplit_once('/').expect("the URL names a database");
    format!("{before}/{name}?{parameters}")
}

/// The name of the directory of a test, which its database has too.
pub fn new_name() -> String {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{PREFIX}{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Makes the database of a directory, which is empty. SQLite's is made by the program.
pub fn make(dir: &Path) {
    if let Some(server) = server() {
        psql(&server, &format!("CREATE DATABASE \"{}\"", name_of(dir)));
    }
}

/// Deletes the database of a directory. SQLite's goes with the directory.
pub fn delete(dir: &Path) {
    let name = name_of(dir);
    if let (Some(server), true) = (server(), name.starts_with(PREFIX)) {
        let sql = format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)");
        // FORCE waits for five seconds until the sessions of a killed program have ended.
        let begun = Instant::now();
        while let Err(error) = try_psql(&server, &sql) {
            assert!(begun.elapsed() < PATIENCE, "{error}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

fn name_of(dir: &Path) -> &str {
    dir.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

/// What `--database` is for the database of a directory, in which the program runs.
pub fn argument(dir: &Path) -> String {
    server().map_or_else(|| "lictor.db".into(), |server| url_of(&server, name_of(dir)))
}

/// The database of a directory as a value of the library.
pub fn database(dir: &Path) -> Database {
    match server() {
        Some(_) => Database::parse(&argument(dir)).unwrap(),
        None => dir.join("lictor.db").into(),
    }
}

/// The folder of PostgreSQL's own programs, or none, so that they are looked for in `PATH`.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let newest = versions.max_by_key(|entry| {
        entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()).unwrap_or(0)
    });
    newest.map(|entry| entry.path().join("bin")).unwrap_or_default()
}

fn psql_command(url: &str) -> Command {
    let mut command = Command::new(programs().join("psql"));
    command.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", url]);
    // The statements of a test name no schema.
    command.env("PGOPTIONS", "-c search_path=lictor -c client_min_messages=warning");
    command
}

/// Runs a statement, and returns what psql writes: the first column of each row, or what was done.
fn psql(url: &str, sql: &str) -> String {
    try_psql(url, sql).unwrap_or_else(|error| panic!("{error}"))
}

/// Like [`psql`]; or returns what is wrong.
fn try_psql(url: &str, sql: &str) -> Result<String, String> {
    let done = psql_command(url).args(["-c", sql]).stdin(Stdio::null()).output().unwrap();
    match done.status.success() {
        true => Ok(String::from_utf8(done.stdout).unwrap()),
        false => Err(format!("{sql}: {}", String::from_utf8_lossy(&done.stderr))),
    }
}

/// A value in a statement.
pub trait Literal {
    /// How SQL writes it.
    fn literal(&self) -> String;
}

impl Literal for i64 {
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for u32 {
    fn literal(&self) -> String {
        self.to_string()
    }
}

impl Literal for Option<i64> {
    fn literal(&self) -> String {
        self.map_or_else(|| "NULL".into(), |value| value.to_string())
    }
}

impl Literal for str {
    fn literal(&self) -> String {
        format!("'{}'", self.replace('\'', "''"))
    }
}

impl Literal for &str {
    fn literal(&self) -> String {
        str::literal(self)
    }
}

impl Literal for String {
    fn literal(&self) -> String {
        str::literal(self)
    }
}

/// Bytes in a statement, which the two databases write in different ways.
pub struct Bytes<'a>(pub &'a [u8]);

impl Literal for Bytes<'_> {
    fn literal(&self) -> String {
        let digits: String = self.0.iter().map(|byte| format!("{byte:02x}")).collect();
        if server().is_some() { format!("'\\x{digits}'::bytea") } else { format!("x'{digits}'") }
    }
}

/// The statement with its values in their places. No statement here has ten.
fn complete(sql: &str, values: &[&dyn Literal]) -> String {
    let mut sql = sql.to_owned();
    for (at, value) in values.iter().enumerate() {
        sql = sql.replace(&format!("${}", at + 1), &value.literal());
    }
    sql
}

/// Opens a file of SQLite, and waits for its lock as long as for anything else: the program has it
/// during a sync, which takes its time on a disk that others use.
pub fn open_file(path: &Path) -> rusqlite::Connection {
    let file = rusqlite::Connection::open(path).unwrap();
    file.busy_timeout(PATIENCE).unwrap();
    file
}

/// The database of a directory, beside the program that uses it.
pub struct Sql {
    dir: PathBuf,
}

impl Sql {
    pub fn of(dir: &Path) -> Sql {
        Sql { dir: dir.to_owned() }
    }

    fn file(&self) -> rusqlite::Connection {
        open_file(&self.dir.join("lictor.db"))
    }

    /// Runs a statement that changes rows; returns how many.
    pub fn execute(&self, sql: &str, values: &[&dyn Literal]) -> usize {
        let sql = complete(sql, values);
        if server().is_none() {
            return self.file().execute(&sql, []).unwrap();
        }
        // Such as UPDATE 1 or INSERT 0 1.
        let done = psql(&argument(&self.dir), &sql);
        done.trim_end().rsplit(' ').next().unwrap().parse().expect("a number of rows")
    }

    /// The first column of each row of an answer, as text.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        if server().is_none() {
            let file = self.file();
            let mut statement = file.prepare(sql).unwrap();
            let text = |row: &rusqlite::Row<'_>| {
                Ok(match row.get::<_, rusqlite::types::Value>(0)? {
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    other => panic!("neither a number nor a text: {other:?}"),
                })
            };
            return statement.query_map([], text).unwrap().collect::<Result<_, _>>().unwrap();
        }
        psql(&argument(&self.dir), sql).lines().map(str::to_owned).collect()
    }

    /// The text in the first column of the only row.
    pub fn text(&self, sql: &str) -> String {
        let mut rows = self.texts(sql);
        assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
        rows.remove(0)
    }

    /// The number in the first column of the only row.
    pub fn number(&self, sql: &str) -> i64 {
        self.text(sql).parse().expect("a number")
    }

    /// Keeps every writer of the program waiting until it is released.
    pub fn hold(&self) -> Hold {
        if server().is_none() {
            let file = self.file();
            file.execute_batch("BEGIN IMMEDIATE").unwrap();
            return Hold::File(file);
        }
        let mut child = psql_command(&argument(&self.dir))
            .arg("-q")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let mut hold = Hold::Server { child, input, output: BufReader::new(output) };
        hold.execute("BEGIN; LOCK TABLE turn IN EXCLUSIVE MODE");
        hold
    }

    /// Everything that the program keeps there, as bytes.
    pub fn dump(&self) -> Vec<u8> {
        if server().is_none() {
            let read = |name: &str| std::fs::read(self.dir.join(name)).unwrap();
            return [read("lictor.db"), read("lictor.db-wal")].concat();
        }
        let url = argument(&self.dir);
        Command::new(programs().join("pg_dump")).args(["-d", &url]).output().unwrap().stdout
    }
}

/// A transaction of another program, in the way of every writer; dropped, it is rolled back.
pub enum Hold {
    File(rusqlite::Connection),
    Server { child: Child, input: ChildStdin, output: BufReader<ChildStdout> },
}

impl Hold {
    /// Runs statements in the transaction.
    pub fn execute(&mut self, sql: &str) {
        match self {
            Hold::File(file) => file.execute_batch(sql).unwrap(),
            Hold::Server { input, output, .. } => {
                writeln!(input, "{sql};\n\\echo done").unwrap();
                let mut line = String::new();
                output.read_line(&mut line).unwrap();
                assert_eq!(line, "done\n", "{sql}");
            }
        }
    }

    /// Commits, so that the writers go on.
    pub fn release(mut self) {
        self.execute("COMMIT");
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        if let Hold::Server { child, .. } = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
