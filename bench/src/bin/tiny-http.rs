//! Reference server: tiny_http, with a pool of threads that take requests from
//! its queue. They pass logins to a second pool with one thread per core, so
//! that a login never delays a token check.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use lictor_bench::claims::{self, AccessToken, Claims, HELLO, Login, Message};
use lictor_bench::options::Options;
use lictor_bench::sessions::Sessions;
use lictor_bench::token::Tokens;
use lictor_bench::{cores, database, password};
use rusqlite::Connection;
use serde::Serialize;
use tiny_http::{Header, Method, Request, Response, Server};

const LOGINS_WAITING: usize = 256;
const BODY_MAX: usize = 64 * 1024;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The loop of a thread that checks tokens and passes logins on.
fn answer_requests(
    server: &Server,
    reader: &Connection,
    tokens: &Tokens,
    logins: &SyncSender<Request>,
) {
    while let Ok(request) = server.recv() {
        match (request.method(), request.url()) {
            (Method::Get, "/api/") => respond_json(request, &HELLO),
            (Method::Get, "/api/protected") => match allowed(&request, reader, tokens) {
                Ok(message) => respond_json(request, &message),
                Err(status) => respond_status(request, status),
            },
            (Method::Post, "/api/login") => match logins.try_send(request) {
                Ok(()) => {}
                Err(TrySendError::Full(request) | TrySendError::Disconnected(request)) => {
                    respond_status(request, 503);
                }
            },
            _ => respond_status(request, 404),
        }
    }
}

fn allowed(request: &Request, reader: &Connection, tokens: &Tokens) -> Result<Message, u16> {
    let mut headers = request.headers().iter();
    let claims = headers
        .find(|header| header.field.equiv("Authorization"))
        .and_then(|header| tokens.bearer(header.value.as_str().as_bytes()))
        .ok_or(401_u16)?;
    let name = database::allowed_name(reader, &claims.jti, claims.id).map_err(|_| 500_u16)?;
    Ok(Message::allowed(&name.ok_or(403_u16)?))
}

/// The loop of a thread that hashes passwords and begins sessions.
fn answer_logins(
    queue: &Mutex<Receiver<Request>>,
    reader: &Connection,
    sessions: &Sessions,
    tokens: &Tokens,
) {
    loop {
        // The lock is held only while waiting: one thread waits for a job, the others for the lock.
        let Ok(taken) = queue.lock().map(|queue| queue.recv()) else { return };
        let Ok(mut request) = taken else { return };
        match log_in(&mut request, reader, sessions, tokens) {
            Some(answer) => respond_json(request, &answer),
            None => respond_status(request, 401),
        }
    }
}

fn log_in(
    request: &mut Request,
    reader: &Connection,
    sessions: &Sessions,
    tokens: &Tokens,
) -> Option<AccessToken> {
    if request.body_length().is_none_or(|length| length > BODY_MAX) {
        return None;
    }
    let login: Login = serde_json::from_reader(request.as_reader()).ok()?;
    let account = database::account(reader, &login.username).ok()??;
    if !password::verify(&login.password, &account.password) || !account.active {
        return None;
    }
    let claims = Claims::new(&account, claims::now());
    let address = request.remote_addr().map(SocketAddr::ip);
    sessions.begin(&account, &claims, address).ok()?;
    Some(AccessToken { access_token: tokens.issue(&claims) })
}

/// Sends the answer. Errors are ignored: the client has disconnected.
fn respond_json(request: Request, body: &impl Serialize) {
    // The JSON has only strings, and the header is ASCII.
    let body = serde_json::to_vec(body).expect("JSON");
    let kind = Header::from_bytes("Content-Type", "application/json").expect("a header");
    let _ = request.respond(Response::from_data(body).with_header(kind));
}

fn respond_status(request: Request, status: u16) {
    let _ = request.respond(Response::empty(status));
}

fn main() -> Result<(), Failure> {
    let options = Options::from_command_line();
    database::create(&options.database)?;
    serve(options.listen, &options.database, Tokens::new(&options.secret))
}

fn serve(listen: SocketAddr, path: &Path, tokens: Tokens) -> Result<(), Failure> {
    let server = Server::http(listen)?;
    let (logins, queue) = sync_channel(LOGINS_WAITING);
    let sessions = &Sessions::open(path)?;
    let (server, tokens, queue) = (&server, &tokens, &Mutex::new(queue));
    thread::scope(|scope| {
        for _ in 0..cores() {
            let (reader, logins) = (database::open(path)?, logins.clone());
            scope.spawn(move || answer_requests(server, &reader, tokens, &logins));
            let reader = database::open(path)?;
            scope.spawn(move || answer_logins(queue, &reader, sessions, tokens));
        }
        Ok(())
    })
}
