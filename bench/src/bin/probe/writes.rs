//! Clients that write without a pause: they exchange tokens, or register.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::{Client, Outcome, Span, in_parallel};

/// Every request exchanges the token of another session. `BENCH_TOKENS` is a file with a token on
/// each line; `BENCH_FIRST` is the line to begin with.
pub fn refresh(address: &str, clients: &str, seconds: &str) -> Outcome<Value> {
    let address: SocketAddr = address.parse()?;
    let tokens = std::fs::read_to_string(std::env::var("BENCH_TOKENS")?)?;
    let tokens: Vec<&str> = tokens.lines().collect();
    let next = AtomicUsize::new(std::env::var("BENCH_FIRST")?.parse()?);
    repeat(address, clients, seconds, |_| {
        let token = tokens[next.fetch_add(1, Ordering::Relaxed) % tokens.len()];
        post(address, "refresh", "text/plain", token)
    })
}

/// Every request registers a new name.
pub fn register(address: &str, clients: &str, seconds: &str) -> Outcome<Value> {
    let address: SocketAddr = address.parse()?;
    let password = std::env::var("BENCH_PASSWORD")?;
    let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let next = AtomicUsize::new(0);
    repeat(address, clients, seconds, |client| {
        let number = next.fetch_add(1, Ordering::Relaxed);
        let username = format!("new-{run}-{client}-{number}");
        let body = serde_json::json!({"username": username, "password": password});
        post(address, "registration", "application/json", &body.to_string())
    })
}

fn repeat<F>(address: SocketAddr, clients: &str, seconds: &str, request: F) -> Outcome<Value>
where
    F: Fn(usize) -> String + Sync,
{
    let span = Span::begin(seconds)?;
    let latencies = in_parallel(clients.parse()?, |index| {
        let mut client = Client::connect(address)?;
        let mut latencies = Vec::new();
        while !span.is_over() {
            let request = request(index);
            let sent = Instant::now();
            client.ask(request.as_bytes())?;
            latencies.push(sent.elapsed());
        }
        Ok(latencies)
    })?;
    Ok(span.report(latencies))
}

fn post(address: SocketAddr, endpoint: &str, kind: &str, body: &str) -> String {
    format!(
        "POST /api/{endpoint} HTTP/1.1\r\nHost: {address}\r\nContent-Type: {kind}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}
