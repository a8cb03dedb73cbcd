//! Reference server: axum on tokio, PostgreSQL through `tokio-postgres` and a pool of eight
//! connections, prepared statements, mimalloc. Hashing runs on the blocking pool, at most one
//! hash per core. It uses the tables of lictor's schema, which lictor creates.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header::AUTHORIZATION};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use deadpool_postgres::{Client, Manager, ManagerConfig, Pool, RecyclingMethod};
use lictor_bench::claims::{self, AccessToken, Claims, HELLO, Hello, Login, Message};
use lictor_bench::database::Account;
use lictor_bench::options::Options;
use lictor_bench::token::Tokens;
use lictor_bench::{cores, password};
use tokio::sync::Semaphore;
use tokio_postgres::NoTls;
use tokio_postgres::types::ToSql;

/// It gives Argon2id's memory huge pages, which halves the time of a hash.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As many as answer the most requests on two cores.
const CONNECTIONS: usize = 8;
/// The columns that lictor reads at a token check.
const STANDING: &str = "SELECT u.id, u.name, u.roles, u.active, s.ended IS NOT NULL, s.created
    FROM sessions s JOIN users u ON u.id = s.\"user\" WHERE s.jti = $1";
const USER_BY_NAME: &str =
    "SELECT id, name, password, active, roles FROM users WHERE name_key = $1";
const SESSION: &str =
    "INSERT INTO sessions (jti, \"user\", created, newest, expires, address, agent)
    VALUES ($1, $2, $3, $3, $4, $5, '-')";
const AUDIT: &str = "INSERT INTO audit (at, event, \"user\", name, address)
    VALUES ($1, 'login', $2, $3, $4)";

struct App {
    pool: Pool,
    tokens: Tokens,
    hashing: Semaphore,
}

type Answer<T> = Result<T, StatusCode>;
type Value<'a> = &'a (dyn ToSql + Sync);

impl App {
    async fn connection(&self) -> Answer<Client> {
        self.pool.get().await.map_err(internal)
    }

    /// The name of the token's user, if the session is the user's and has not ended, and the
    /// user is active.
    async fn allowed_name(&self, claims: &Claims) -> Answer<Option<String>> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(STANDING).await.map_err(internal)?;
        let row = connection.query_opt(&statement, &[&claims.jti]).await.map_err(internal)?;
        let Some(row) = row else { return Ok(None) };
        let (id, active, ended): (i64, bool, bool) = (row.get(0), row.get(3), row.get(4));
        Ok((id == claims.id && active && !ended).then(|| row.get(1)))
    }

    async fn account(&self, username: &str) -> Answer<Option<Account>> {
        let connection = self.connection().await?;
        let statement = connection.prepare_cached(USER_BY_NAME).await.map_err(internal)?;
        let key = username.to_lowercase();
        let row = connection.query_opt(&statement, &[&key]).await.map_err(internal)?;
        Ok(row.map(|row| Account {
            id: row.get(0),
            name: row.get(1),
            password: row.get(2),
            active: row.get(3),
            roles: row.get(4),
        }))
    }

    /// Returns when the session and its audit row are committed.
    async fn begin(&self, account: &Account, claims: &Claims, client: SocketAddr) -> Answer<()> {
        let mut connection = self.connection().await?;
        let session = connection.prepare_cached(SESSION).await.map_err(internal)?;
        let audit = connection.prepare_cached(AUDIT).await.map_err(internal)?;
        let address = client.ip().to_string();
        let transaction = connection.transaction().await.map_err(internal)?;
        let session_row: [Value<'_>; 5] =
            [&claims.jti, &claims.id, &claims.iat, &claims.rf_exp, &address];
        let audit_row: [Value<'_>; 4] = [&claims.iat, &account.id, &account.name, &address];
        // Joined, the two statements are sent together.
        tokio::try_join!(
            transaction.execute(&session, &session_row),
            transaction.execute(&audit, &audit_row),
        )
        .map_err(internal)?;
        transaction.commit().await.map_err(internal)
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
    let name = app.allowed_name(&claims).await?.ok_or(StatusCode::FORBIDDEN)?;
    Ok(Json(Message::allowed(&name)))
}

async fn login(
    State(app): State<Arc<App>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    Json(login): Json<Login>,
) -> Answer<Json<AccessToken>> {
    let account = app.account(&login.username).await?.ok_or(StatusCode::UNAUTHORIZED)?;
    let permit = app.hashing.acquire().await.map_err(internal)?;
    let verified = tokio::task::spawn_blocking(move || {
        let right = password::verify(&login.password, &account.password);
        (account, right)
    });
    let (account, right) = verified.await.map_err(internal)?;
    drop(permit);
    if !right || !account.active {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let claims = Claims::new(&account, claims::now());
    app.begin(&account, &claims, client).await?;
    Ok(Json(AccessToken { access_token: app.tokens.issue(&claims) }))
}

fn internal(error: impl std::fmt::Display) -> StatusCode {
    eprintln!("error: {error}");
    StatusCode::INTERNAL_SERVER_ERROR
}

fn pool(url: &str) -> Result<Pool, Box<dyn std::error::Error>> {
    let mut config: tokio_postgres::Config = url.parse()?;
    config.options("-c search_path=lictor");
    let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, NoTls, manager);
    Ok(Pool::builder(manager).max_size(CONNECTIONS).build()?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::from_command_line();
    let url = options.database.to_str().ok_or("the database is not a URL")?;
    let app = App {
        pool: pool(url)?,
        tokens: Tokens::new(&options.secret),
        hashing: Semaphore::new(cores()),
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
