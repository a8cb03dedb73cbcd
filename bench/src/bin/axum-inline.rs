//! Reference server: axum on tokio; each worker thread reads SQLite inline
//! through a connection of its own. Hashing runs on the blocking pool, at most
//! one hash per core; the session of a login is written there too.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use lictor_bench::claims::{self, AccessToken, Claims, HELLO, Hello, Login, Message};
use lictor_bench::options::Options;
use lictor_bench::sessions::Sessions;
use lictor_bench::token::Tokens;
use lictor_bench::{cores, database, password};
use rusqlite::Connection;
use tokio::sync::Semaphore;

struct App {
    database: PathBuf,
    sessions: Sessions,
    tokens: Tokens,
    hashing: Arc<Semaphore>,
}

thread_local! {
    static READER: OnceCell<Connection> = const { OnceCell::new() };
}

impl App {
    fn read<T>(&self, question: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Answer<T> {
        READER.with(|cell| {
            if cell.get().is_none() {
                // The cell belongs to this thread and was empty.
                let _ = cell.set(database::open(&self.database).map_err(internal)?);
            }
            let reader = cell.get().ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
            question(reader).map_err(internal)
        })
    }
}

type Answer<T> = Result<T, StatusCode>;

async fn hello() -> Json<Hello> {
    Json(HELLO)
}

async fn protected(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer<Json<Message>> {
    let claims = headers
        .get(AUTHORIZATION)
        .and_then(|value| app.tokens.bearer(value.as_bytes()))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let name = app
        .read(|connection| database::allowed_name(connection, &claims.jti, claims.id))?
        .ok_or(StatusCode::FORBIDDEN)?;
    Ok(Json(Message::allowed(&name)))
}

async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Json(login): Json<Login>,
) -> Answer<Json<AccessToken>> {
    let account = app
        .read(|connection| database::account(connection, &login.username))?
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let permit = app.hashing.clone().acquire_owned().await.map_err(internal)?;
    let access_token = tokio::task::spawn_blocking(move || {
        let right = password::verify(&login.password, &account.password);
        // The write after this waits for the disk, so it releases its permit to hash.
        drop(permit);
        if !right || !account.active {
            return Err(StatusCode::UNAUTHORIZED);
        }
        let claims = Claims::new(&account, claims::now());
        app.sessions.begin(&account, &claims, Some(client.ip())).map_err(internal)?;
        Ok(app.tokens.issue(&claims))
    });
    Ok(Json(AccessToken { access_token: access_token.await.map_err(internal)?? }))
}

fn internal(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("error: {error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

#[tokio::main]
pub async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::from_command_line();
    database::create(&options.database)?;
    let app = App {
        sessions: Sessions::open(&options.database)?,
        tokens: Tokens::new(&options.secret),
        database: options.database,
        hashing: Arc::new(Semaphore::new(cores())),
    };
    let router = Router::new()
        .route("/api/", get(hello))
        .route("/api/login", post(login))
        .route("/api/protected", get(protected))
        .with_state(Arc::new(app));
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).await?;
    Ok(())
}
