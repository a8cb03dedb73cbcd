//! Reference server: axum on tokio, SQLite behind an r2d2 pool and read on the
//! blocking pool. Hashing runs there too, at most one hash per core; the session
//! of a login is written there as well.

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

/// Opens readers for the pool. (`r2d2_sqlite` has none for this rusqlite.)
struct Readers(PathBuf);

impl r2d2::ManageConnection for Readers {
    type Connection = Connection;
    type Error = rusqlite::Error;

    fn connect(&self) -> rusqlite::Result<Connection> {
        database::open(&self.0)
    }

    /// A connection to a local file does not break, so there is nothing to check.
    fn is_valid(&self, _: &mut Connection) -> rusqlite::Result<()> {
        Ok(())
    }

    fn has_broken(&self, _: &mut Connection) -> bool {
        false
    }
}

struct App {
    pool: r2d2::Pool<Readers>,
    sessions: Sessions,
    tokens: Tokens,
    hashing: Arc<Semaphore>,
}

type Answer<T> = Result<T, StatusCode>;

impl App {
    async fn read<T, F>(&self, question: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let pool = self.pool.clone();
        tokio::task::spawn_blocking(move || {
            let connection = pool.get().map_err(internal)?;
            question(&connection).map_err(internal)
        })
        .await
        .map_err(internal)?
    }
}

async fn hello() -> Json<Hello> {
    Json(HELLO)
}

async fn protected(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer<Json<Message>> {
    let claims = headers
        .get(AUTHORIZATION)
        .and_then(|value| app.tokens.bearer(value.as_bytes()))
        .ok_or(StatusCode::UNAUTHORIZED)?;
    let name = app
        .read(move |connection| database::allowed_name(connection, &claims.jti, claims.id))
        .await?
        .ok_or(StatusCode::FORBIDDEN)?;
    Ok(Json(Message::allowed(&name)))
}

async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Json(login): Json<Login>,
) -> Answer<Json<AccessToken>> {
    let account = app
        .read(move |connection| database::account(connection, &login.username))
        .await?
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
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::from_command_line();
    database::create(&options.database)?;
    let app = App {
        sessions: Sessions::open(&options.database)?,
        pool: r2d2::Pool::new(Readers(options.database))?,
        tokens: Tokens::new(&options.secret),
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
