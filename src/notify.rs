//! Tells the service manager the server's state: `READY=1` and the like (sd_notify(3)), and
//! feeds its watchdog, if there is one (sd_watchdog_enabled(3)).

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use crate::net::Watchdog;

/// The least time after which a thread counts as stuck: longer than the ten seconds for which it may wait.
const PATIENCE: Duration = Duration::from_secs(15);
/// A watchdog with less time than this is warned of.
const SHORT: Duration = Duration::from_secs(40);

/// Sends `state` to the socket that the environment variable `NOTIFY_SOCKET` names; does nothing
/// without it.
pub(crate) fn notify(state: &str) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(&socket, state) {
        log::warn!("cannot tell the service manager {state}: {error}");
    }
}

/// The service manager's watchdog, if this process has one. Warns of one that would end a process in
/// which nothing is stuck.
pub(crate) fn watchdog() -> Option<Watchdog> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
    let micros = number("WATCHDOG_USEC").filter(|&micros| ours && micros > 0)?;
    let time = Duration::from_micros(micros);
    if time < SHORT {
        log::warn!(
            "WatchdogSec= is {time:?}; with less than {SHORT:?} a slow moment may end the server"
        );
    }
    Some(Watchdog { time, patience: PATIENCE.max(time / 2), feed: || notify("WATCHDOG=1") })
}

fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let address = match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => SocketAddr::from_abstract_name(name)?,
        None => SocketAddr::from_pathname(socket)?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address)?;
    Ok(())
}
