//! Runs the real binary on a free port in a private directory, which it deletes afterwards, and a client
//! that controls every byte.

use std::fmt::Debug;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use jwt_simple::prelude::{HS256Key, MACLike as _};
use jwt_simple::reexports::ct_codecs::{Base64UrlSafeNoPadding, Decoder as _, Encoder as _};
use lictor::Database;
use serde_json::Value;

use crate::document;
use crate::sql::{self, Sql};

pub const SECRET: &str = "the secret of the tests: 32 bytes or more";
pub const PASSWORD: &str = "ten wooden lanterns";

/// Time limit on every wait: enough for a loaded machine, short enough to notice a hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Writes a file that only its owner can read.
pub fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Waits until something holds.
pub fn eventually(holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A temporary directory and a database, both deleted when the value is dropped. Nothing has made the
/// database's tables yet.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new() -> Dir {
        // One that is there already was left by a run that was killed, whose process had the same number.
        let path = loop {
            let path = std::env::temp_dir().join(sql::new_name());
            match fs::create_dir(&path) {
                Ok(()) => break path,
                Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{error}"),
            }
        };
        sql::make(&path);
        Dir(path)
    }

    /// The database, as a program that embeds the library names it.
    pub fn database(&self) -> Database {
        sql::database(&self.0)
    }

    /// The database, seen with SQL.
    pub fn sql(&self) -> Sql {
        Sql::of(&self.0)
    }

    /// The mails in the folder `mails`.
    pub fn mails(&self) -> Vec<String> {
        self.mails_in("mails")
    }

    /// The mails in a folder, also before the first has made it. The names of those of one second
    /// come in no order.
    pub fn mails_in(&self, folder: &str) -> Vec<String> {
        let files = fs::read_dir(self.0.join(folder)).into_iter().flatten();
        let files = files.map(|file| file.unwrap().path());
        // One that is being written has another name.
        let finished = files.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        finished.map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    /// The file of the database, for tests that are about the file.
    pub fn file(&self) -> PathBuf {
        self.0.join("lictor.db")
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        sql::delete(&self.0);
    }
}

/// The folder of the repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the program is a folder in it")
}

/// The program under test: the binary that cargo built for the tests, or the one in LICTOR_BIN.
fn binary() -> PathBuf {
    match std::env::var_os("LICTOR_BIN") {
        Some(named) => fs::canonicalize(named).expect("LICTOR_BIN names the program to test"),
        None => env!("CARGO_BIN_EXE_lictor").into(),
    }
}

/// A command that runs the binary in `dir`, with an empty environment. On PostgreSQL, `lictor.db` and
/// the default mean the database of `dir`.
pub fn lictor(dir: &Path, args: &[&str]) -> Command {
    in_dir(Command::new(binary()), dir, args)
}

fn in_dir(mut command: Command, dir: &Path, args: &[&str]) -> Command {
    let database = sql::argument(dir);
    let named = |arg: &str| if arg == "lictor.db" { database.clone() } else { arg.to_owned() };
    command.args(args.iter().map(|arg| named(arg)));
    command.current_dir(dir).env_clear().stdin(Stdio::null());
    if database != "lictor.db" {
        command.env("LICTOR_DATABASE", database);
    }
    command
}

/// Like [`lictor`], started by a shell after `prelude`.
pub fn lictor_after(prelude: &str, dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{prelude} && exec \"$0\" \"$@\"")]).arg(binary());
    in_dir(command, dir, args)
}

/// Runs a command with `input` on standard input, and waits for its end.
pub fn run(dir: &Path, args: &[&str], input: &str) -> Output {
    finish(lictor(dir, args), input)
}

/// Like [`run`], for a prepared command.
pub fn finish(mut command: Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that does not read its input may have ended already.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// Exit code, standard output, standard error.
pub fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// A running server.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
    pub dir: Dir,
    log: PathBuf,
}

impl Server {
    /// Starts a server with the secret of the tests and these flags.
    pub fn start(flags: &[&str]) -> Server {
        Server::start_in(Dir::new(), flags)
    }

    pub fn start_in(dir: Dir, flags: &[&str]) -> Server {
        Server::start_with(dir, flags, &[("SECRET_KEY", SECRET)])
    }

    /// Starts a server with exactly this environment.
    pub fn start_with(dir: Dir, flags: &[&str], environment: &[(&str, &str)]) -> Server {
        let mut command = lictor(&dir.0, &serve(flags));
        command.envs(environment.iter().copied());
        Server::spawn(dir, command)
    }

    /// Starts a server from a shell after `prelude`, such as `ulimit -n 256`.
    pub fn start_after(prelude: &str, flags: &[&str]) -> Server {
        let dir = Dir::new();
        let mut command = lictor_after(prelude, &dir.0, &serve(flags));
        command.env("SECRET_KEY", SECRET);
        Server::spawn(dir, command)
    }

    /// Starts a server with a prepared command, which must run in `dir`.
    pub fn spawn(dir: Dir, mut command: Command) -> Server {
        let log = dir.0.join("log");
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = if command.get_args().any(|arg| arg == "json") {
            // Then nothing is printed beside the log.
            let logged = || whole_lines(&log);
            eventually(|| logged().contains(" listens on "));
            logged().lines().find(|line| line.contains(" listens on ")).unwrap().to_owned()
        } else {
            let Some(Ok(first)) = lines.next() else {
                panic!("lictor did not start: {}", fs::read_to_string(&log).unwrap());
            };
            first
        };
        let address = first.split("http://").nth(1).unwrap().split("/api/").next().unwrap();
        Server { child, address: address.parse().unwrap(), dir, log }
    }

    /// The log so far.
    pub fn log(&self) -> String {
        whole_lines(&self.log)
    }

    /// Every answer on the connection is compared with `docs/openapi.json`.
    pub fn connect(&self) -> Client {
        Client::connect(self.address).compared()
    }

    /// Sends one request on a new connection.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Reply {
        let mut client = self.connect();
        client.send(request(method, path, headers, body));
        client.reply(method)
    }

    pub fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "")
    }

    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], &body.to_string())
    }

    pub fn register(&self, name: &str, password: &str) -> Reply {
        self.post("/api/registration", &serde_json::json!({"username": name, "password": password}))
    }

    pub fn login(&self, name: &str, password: &str) -> Reply {
        self.post("/api/login", &serde_json::json!({"username": name, "password": password}))
    }

    pub fn protected(&self, token: &str) -> Reply {
        self.send_as(token, "GET", "/api/protected", "")
    }

    /// Sends a request with a bearer token.
    pub fn send_as(&self, token: &str, method: &str, path: &str, body: &str) -> Reply {
        self.send(method, path, &[("Authorization", &format!("Bearer {token}"))], body)
    }

    /// Runs a `lictor user` command on the database of this server.
    pub fn user(&self, args: &[&str], input: &str) -> (i32, String, String) {
        let args = [&["user"], args, &["--database", "lictor.db"]].concat();
        outcome(&run(&self.dir.0, &args, input))
    }

    /// The database as commands name it after a change.
    pub fn place(&self) -> String {
        self.dir.database().to_string()
    }

    /// Adds a user with the command line.
    pub fn add(&self, name: &str) {
        let (code, _, error) = self.user(&["add", name], PASSWORD);
        assert_eq!(code, 0, "{error}");
    }

    /// Adds a user as `lictor import` does: tokens that another program issued before are good.
    pub fn add_imported(&self, name: &str) {
        self.add(name);
        self.take_older_tokens();
    }

    /// Makes all users like imported ones.
    pub fn take_older_tokens(&self) {
        self.dir.sql().execute("UPDATE users SET tokens_after = 0", &[]);
    }

    pub fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Sends the signal and waits for the end; returns the exit code and the directory.
    pub fn stop(mut self, signal: &str) -> (Option<i32>, Dir) {
        self.signal(signal);
        let code = wait(&mut self.child).code();
        (code, std::mem::replace(&mut self.dir, Dir(PathBuf::from("/nonexistent"))))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines of a file that are there as a whole: a reader can see half of the one that is being written.
fn whole_lines(path: &Path) -> String {
    let mut bytes = fs::read(path).unwrap();
    bytes.truncate(bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1));
    String::from_utf8(bytes).unwrap()
}

/// The arguments of a server on a free port with these flags.
fn serve<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    [&["serve", "--listen", "127.0.0.1:0", "--database", "lictor.db"], flags].concat()
}

/// Waits for the end of the server.
pub fn wait(child: &mut Child) -> std::process::ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "the server does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The bytes of a request; `Content-Length` is set if there is a body.
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: test\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        text += &format!("Content-Length: {}\r\n", body.len());
    }
    text + "\r\n" + body
}

/// One connection to a server.
pub struct Client {
    pub stream: TcpStream,
    reader: BufReader<TcpStream>,
    /// The requests without an answer yet, if the answers are compared with the document.
    unanswered: Option<Vec<u8>>,
}

impl Client {
    pub fn connect(address: SocketAddr) -> Client {
        Client::over(TcpStream::connect(address).unwrap())
    }

    pub fn over(stream: TcpStream) -> Client {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Client { reader, stream, unanswered: None }
    }

    /// The client of a server that is lictor: compares every answer with `docs/openapi.json`, as far
    /// as it is certain what was asked.
    pub fn compared(self) -> Client {
        Client { unanswered: Some(Vec::new()), ..self }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Some(unanswered) = &mut self.unanswered {
            unanswered.extend_from_slice(bytes.as_ref());
        }
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Reads the next response. `method` says whether a body follows.
    #[track_caller]
    pub fn reply(&mut self, method: &str) -> Reply {
        self.try_reply(method).expect("a response, but the connection was closed")
    }

    /// Like [`Client::reply`]; `None` if the server closes the connection first.
    #[track_caller]
    pub fn try_reply(&mut self, method: &str) -> Option<Reply> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.reader.read_line(&mut head).ok()? == 0 {
                assert_eq!(head, "", "closed in the middle of a response");
                return None;
            }
        }
        let mut reply = Reply { head, body: String::new() };
        let length = reply.header("content-length").map_or(0, |n| n.parse().unwrap());
        if method != "HEAD" && length > 0 {
            let mut body = vec![0; length];
            self.reader.read_exact(&mut body).unwrap();
            reply.body = String::from_utf8(body).unwrap();
        }
        // More than 100 follows as an answer to the same request.
        let unanswered = self.unanswered.as_mut().filter(|_| reply.status() >= 200);
        if let Some(asked) = unanswered.and_then(document::take_request) {
            document::check(&asked, &reply.head, &reply.body);
        }
        Some(reply)
    }

    /// Whether something has arrived that was not read yet, if only the end of the connection.
    pub fn has_news(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let waits = |error: std::io::Error| error.kind() == ErrorKind::WouldBlock;
        let silent =
            self.reader.buffer().is_empty() && self.stream.peek(&mut [0]).is_err_and(waits);
        self.stream.set_nonblocking(false).unwrap();
        !silent
    }

    /// Reads until the server closes the connection, which it must do.
    pub fn rest(&mut self) -> String {
        let mut rest = String::new();
        match self.reader.read_to_string(&mut rest) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("not closed after {PATIENCE:?}; received {rest:?}")
            }
            // A reset counts as the end; the bytes before it are kept.
            Ok(_) | Err(_) => rest,
        }
    }
}

/// A response.
#[derive(Debug, Clone)]
pub struct Reply {
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn status(&self) -> u16 {
        self.head[9..12].parse().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    pub fn token(&self) -> String {
        assert_eq!(self.status(), 200, "{self:?}");
        self.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The status and the name of an error; checks the shape that every error has.
    pub fn error(&self) -> (u16, String) {
        let json = self.json();
        assert_eq!(json["status_code"], self.status(), "{self:?}");
        assert!(json["message"].as_str().is_some_and(|message| !message.is_empty()), "{self:?}");
        // An error that the log explains has an id as well, the answer about the server's health what it checked.
        let id = self.header("x-request-id").map(Value::from);
        assert_eq!(json.get("request_id"), id.as_ref(), "{self:?}");
        let more = if json.get("checks").is_some() { 2 } else { 0 };
        let fields = 3 + more + usize::from(id.is_some());
        assert_eq!(json.as_object().unwrap().len(), fields, "{self:?}");
        (self.status(), json["error"].as_str().unwrap().to_owned())
    }
}

/// A token with any payload, signed with the secret of the tests.
pub fn signed(payload: &Value) -> String {
    let signed = format!(
        "{}.{}",
        base64url(r#"{"alg":"HS256","typ":"JWT"}"#),
        base64url(payload.to_string())
    );
    let tag = HS256Key::from_bytes(SECRET.as_bytes()).authentication_tag(signed.as_bytes());
    format!("{signed}.{}", base64url(tag))
}

pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlSafeNoPadding::encode_to_string(bytes).unwrap()
}

/// The decoded bytes of one part of a token.
pub fn part(token: &str, at: usize) -> Vec<u8> {
    Base64UrlSafeNoPadding::decode_to_vec(token.split('.').nth(at).unwrap(), None).unwrap()
}

/// The payload of a token; the signature is not checked.
pub fn payload(token: &str) -> Value {
    let part = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&Base64UrlSafeNoPadding::decode_to_vec(part, None).unwrap()).unwrap()
}

pub fn now() -> i64 {
    lictor::clock::Timestamp::now().0
}

/// Asserts that `text` contains none of the secrets.
pub fn assert_without(text: &str, secrets: &[&str], context: &dyn Debug) {
    for secret in secrets {
        assert!(!text.contains(secret), "{secret:?} must not appear: {context:?}");
    }
}
