//! Sockets and threads: the engine that moves bytes between clients and [`http`](crate::http).
//!
//! Leader and followers: the fast workers all wait on one epoll set. The worker that gets a
//! connection reads, parses, answers and writes in one go; nothing is handed between threads on
//! that way. Requests that hash a password go to the slow lane, with their connection; those that
//! only write have a queue and a thread of their own there, so that logins do not hold them up. One
//! more thread, the keeper, accepts, enforces deadlines and brings everything to an end.
//!
//! | file | owns |
//! |---|---|
//! | `poll` | everything about epoll |
//! | `slot` | who holds a connection, and which one an event is for |
//! | `table` | the open connections, each in its slot |
//! | `lanes` | the fast workers and the slow ones |
//! | `keeper` | accepting, deadlines |
//! | `evict` | who goes when a place is needed |
//! | `drain` | the end |
//! | `stop` | how the engine is told to end |
//!
//! Knows no route, token or database: it serves any [`Service`].

mod drain;
mod evict;
mod keeper;
mod lanes;
mod poll;
mod slot;
mod stop;
mod table;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::net::sockopt;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::clock::Timestamp;
use crate::http::{Limits, Moment, Pool, Service};
use lanes::{Desk, Queue};
use poll::Poll;
pub use stop::{Stop, Stopper};
use table::Table;

/// Bytes of answers that the kernel takes for a client that does not read. Left alone, it would
/// take megabytes.
const SEND_BUFFER: usize = 64 * 1024;
/// How many connections may wait in the kernel to be accepted.
const BACKLOG: i32 = 4096;
/// Descriptors kept for everything that is not a connection: log, epoll, signals, and what a
/// service may open in each thread (the database and its log).
const RESERVED_DESCRIPTORS: usize = 64;
const RESERVED_PER_THREAD: usize = 2;

/// How large the engine is.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Threads that answer requests; 2 or the number of cores, whichever is more.
    pub workers: usize,
    /// Threads that hash passwords; the number of cores.
    pub slow_workers: usize,
    /// The slow threads' nice value (10), so that they give way to the fast ones.
    pub slow_nice: i32,
    /// Requests that may wait for a slow thread (256), and as many brief ones; more are answered
    /// 503.
    pub slow_queue: usize,
    /// How many of each may be of one address, an IPv6 /64 counting as one (64).
    pub slow_per_address: usize,
    /// Open connections (10,000); lowered at start to what the descriptor limit allows.
    pub max_connections: usize,
    /// Open connections of one address, an IPv6 /64 counting as one (1,024).
    pub max_per_address: u32,
    /// How long requests under way may take to finish after the stop (10 s).
    pub drain_time: Duration,
    /// What one connection may cost.
    pub limits: Limits,
}

impl Default for Settings {
    fn default() -> Settings {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Settings {
            workers: cores.max(2),
            slow_workers: cores,
            slow_nice: 10,
            slow_queue: 256,
            slow_per_address: 64,
            max_connections: 10_000,
            max_per_address: 1_024,
            drain_time: Duration::from_secs(10),
            limits: Limits::default(),
        }
    }
}

impl Settings {
    /// A pool whose queue is as long as these settings say.
    pub fn pool(&self, name: &'static str, threads: usize) -> Pool {
        let (queue, per_client) = (self.slow_queue, self.slow_per_address);
        Pool { queue, per_client, ..Pool::new(name, threads) }
    }
}

/// Opens the port. The listener is ready to be given to [`serve`].
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    // The standard library's backlog is smaller; listening again only changes that.
    rustix::net::listen(&listener, BACKLOG)?;
    // Accepted sockets inherit these on Linux: system calls saved per connection.
    sockopt::set_tcp_nodelay(&listener, true)?;
    sockopt::set_socket_send_buffer_size(&listener, SEND_BUFFER)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until `stop` is asked for, then finishes what is under way and returns.
///
/// The listener comes from [`listen`].
pub fn serve<S: Service>(
    listener: TcpListener,
    service: &S,
    settings: &Settings,
    stop: &Stop,
) -> io::Result<()> {
    // What fits into the send buffer is written as far as we can see; the kernel cuts the client
    // that does not take it.
    let unread = u32::try_from(settings.limits.unread_time.as_millis()).unwrap_or(u32::MAX);
    sockopt::set_tcp_user_timeout(&listener, unread)?;
    let descriptors = usize::try_from(raise_descriptor_limit()).unwrap_or(usize::MAX);
    let pools = match service.pools() {
        none if none.is_empty() => vec![settings.pool("slow", settings.slow_workers)],
        pools => pools,
    };
    let pooled: usize = pools.iter().map(|pool| pool.threads.max(1)).sum();
    let threads = settings.workers + pooled + 2;
    let reserved = RESERVED_DESCRIPTORS + RESERVED_PER_THREAD * threads;
    let fitting = descriptors.saturating_sub(reserved).max(1);
    let max_connections = settings.max_connections.clamp(1, fitting);
    if max_connections < settings.max_connections {
        log::warn!(
            "at most {max_connections} connections instead of {}: the limit on open files is \
             {descriptors}",
            settings.max_connections
        );
    }
    Engine::new(service, settings, pools, max_connections)?.run(listener, stop)
}

/// What all threads of the engine share.
struct Engine<'a, S> {
    service: &'a S,
    settings: &'a Settings,
    /// All connections.
    poll: Poll,
    /// The listener and the stop, for the keeper.
    gate: Poll,
    table: Table,
    /// The service's pools, each with the queue before it.
    pools: Vec<(Pool, Queue)>,
    /// No new connections, and every answer is the last of its connection.
    stopping: AtomicBool,
    /// The threads go home.
    done: AtomicBool,
    start: Instant,
}

impl<'a, S: Service> Engine<'a, S> {
    fn new(
        service: &'a S,
        settings: &'a Settings,
        pools: Vec<Pool>,
        max_connections: usize,
    ) -> io::Result<Engine<'a, S>> {
        let with_queue = |pool: Pool| {
            let queue = Queue::new(pool.queue, pool.per_client);
            (pool, queue)
        };
        Ok(Engine {
            service,
            settings,
            poll: Poll::new()?,
            gate: Poll::new()?,
            table: Table::new(max_connections, settings.max_per_address),
            pools: pools.into_iter().map(with_queue).collect(),
            stopping: AtomicBool::new(false),
            done: AtomicBool::new(false),
            start: Instant::now(),
        })
    }

    /// Starts the threads, keeps the port until the stop, and waits for all of them.
    fn run(&self, listener: TcpListener, stop: &Stop) -> io::Result<()> {
        let wake = self.poll.wake_all_later()?;
        std::thread::scope(|scope| {
            // Whatever happens below, the threads are told to end, or the scope would never close.
            let _ending = Ending { engine: self, wake: &wake };
            for number in 0..self.settings.workers.max(1) {
                let name = format!("worker-{number}");
                std::thread::Builder::new().name(name).spawn_scoped(scope, || self.fast_lane())?;
            }
            for (number, (pool, queue)) in self.pools.iter().enumerate() {
                for thread in 0..pool.threads.max(1) {
                    let name = format!("{}-{thread}", pool.name);
                    std::thread::Builder::new()
                        .name(name)
                        .spawn_scoped(scope, move || self.serve_pool(number, queue))?;
                }
            }
            self.keep(listener, stop)
        })
    }
}

impl<S> Engine<'_, S> {
    fn moment(&self) -> Moment {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment { millis, now: Timestamp::now() }
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn desk(&self) -> Desk {
        Desk::new(self.moment())
    }
}

/// Sends every thread home when dropped.
struct Ending<'a, S> {
    engine: &'a Engine<'a, S>,
    wake: &'a poll::Wake,
}

impl<S> Drop for Ending<'_, S> {
    fn drop(&mut self) {
        self.engine.done.store(true, Ordering::Release);
        self.engine.pools.iter().for_each(|(_, queue)| queue.close());
        self.wake.now();
    }
}

/// Raises the soft limit on open files to the hard one; says what it is now.
fn raise_descriptor_limit() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let soft = limit.current.unwrap_or(u64::MAX);
    if soft < hard {
        match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
            Ok(()) => return hard,
            Err(error) => log::debug!("the limit on open files stays at {soft}: {error}"),
        }
    }
    soft
}
