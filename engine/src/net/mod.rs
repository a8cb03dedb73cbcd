//! Sockets and threads: the engine that moves bytes between clients and [`http`](crate::http).
//!
//! Leader and followers: the workers all wait on one epoll set. The worker that gets a connection
//! reads, parses, answers and writes; no other thread takes part. A request whose answer takes time
//! goes into the queue of a pool, together with its connection; the service says which pool. Where
//! many requests wait for the same thing, the workers themselves take them in batches. One more
//! thread, the keeper, accepts connections, enforces deadlines and stops the engine.
//!
//! | file | owns |
//! |---|---|
//! | `settings` | the size of the engine |
//! | `listeners` | the sockets that connections come from |
//! | `poll` | everything about epoll |
//! | `slot` | which thread holds a connection, and which connection an event is for |
//! | `table` | the open connections, each in its slot |
//! | `scratch` | a thread's buffers and clock |
//! | `worker` | the loop of a worker |
//! | `turn` | one turn with a connection: write, read, answer |
//! | `queue` | the bounded queue before a pool |
//! | `pool` | answering what waits in a queue: a pool's threads, and batches |
//! | `keeper` | accepting, deadlines |
//! | `pulse` | whether a thread is stuck, for a watchdog |
//! | `evict` | which connection is closed when a slot is needed |
//! | `drain` | the end |
//! | `stop` | the request to stop |
//!
//! Knows no route, token or database, and a pool only by its number: it serves any [`Service`].

mod drain;
mod evict;
mod keeper;
mod listeners;
mod poll;
mod pool;
mod pulse;
mod queue;
mod scratch;
mod settings;
mod slot;
mod stop;
mod table;
mod turn;
mod worker;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use rustix::process::{Resource, Rlimit, getrlimit, setpriority_process, setrlimit};

use crate::clock::Timestamp;
use crate::http::{Moment, Pool, Service};
use crate::stats::Gauges;
pub use listeners::{Listeners, listen, try_address};
use poll::Poll;
pub use pulse::Watchdog;
use pulse::{Pulse, Pulses};
use queue::Queue;
use scratch::Scratch;
pub use settings::Settings;
pub use stop::{Stop, Stopper};
use table::Table;

/// Descriptors kept for everything that is not a connection: log, epoll, signals; and for each
/// thread, files that the service opens.
const RESERVED_DESCRIPTORS: usize = 64;
const RESERVED_PER_THREAD: usize = 2;

/// Serves until `stop` is requested, finishes the requests under way, and returns.
///
/// [`listen`] and [`Listeners::handed_over`] make the listeners. The service decides the sizes of its pools
/// ([`Service::pools`]); the `slow_*` settings size the one pool of a service that names none.
pub fn serve(
    listeners: Listeners,
    service: &dyn Service,
    settings: &Settings,
    stop: &Stop,
) -> io::Result<()> {
    listeners.set_unread_time(settings.limits.unread_time)?;
    let descriptors = usize::try_from(raise_descriptor_limit()).unwrap_or(usize::MAX);
    let pools = match service.pools() {
        none if none.is_empty() => vec![settings.pool("slow", settings.slow_workers)],
        pools => pools,
    };
    let pooled: usize = pools.iter().map(|pool| *pool.range().start()).sum();
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
    Engine::new(service, settings, pools, max_connections)?.run(listeners, stop)
}

/// What all threads of the engine share.
struct Engine<'a> {
    service: &'a dyn Service,
    settings: &'a Settings,
    /// All connections.
    poll: Poll,
    /// The listeners and the stop; only the keeper waits here.
    keeper_poll: Poll,
    table: Table,
    /// The service's pools, each with its queue.
    pools: Vec<(Pool, Queue)>,
    /// Whether there is a pool of batches.
    batches: bool,
    /// The number of the next thread of a pool.
    pool_threads: AtomicUsize,
    pulses: Pulses,
    /// A call to the workers that none has answered, for the watchdog.
    roll_call: Pulse,
    /// No new connections, and every answer is the last of its connection.
    stopping: AtomicBool,
    /// At the stop, idle connections stay open for a while ([`Listeners::handed_over`]).
    lingering: AtomicBool,
    /// The threads end.
    done: AtomicBool,
    start: Instant,
}

impl<'a> Engine<'a> {
    fn new(
        service: &'a dyn Service,
        settings: &'a Settings,
        pools: Vec<Pool>,
        max_connections: usize,
    ) -> io::Result<Engine<'a>> {
        let batches = pools.iter().any(Pool::is_batched);
        let pulses = Pulses::default();
        let with_queue = |pool: Pool| {
            // A connection waits in one queue at most, with one request.
            let room = pool.queue.min(max_connections);
            let queue = Queue::new(room, pool.per_client, pool.range());
            (pool, queue)
        };
        Ok(Engine {
            service,
            settings,
            poll: Poll::new()?,
            keeper_poll: Poll::new()?,
            table: Table::new(max_connections, settings.max_per_ip),
            pools: pools.into_iter().map(with_queue).collect(),
            batches,
            pool_threads: AtomicUsize::new(0),
            roll_call: pulses.add(),
            pulses,
            stopping: AtomicBool::new(false),
            lingering: AtomicBool::new(false),
            done: AtomicBool::new(false),
            start: Instant::now(),
        })
    }

    /// Starts the threads, runs the keeper on this one, and waits for all of them.
    fn run(&self, listeners: Listeners, stop: &Stop) -> io::Result<()> {
        let wake = self.poll.prepare_wake()?;
        std::thread::scope(|scope| {
            // Also after an error the threads must end, or the scope would wait for ever.
            let _end = EndThreads { engine: self, wake: &wake };
            // While some wait for batches, the others are as many as without batches.
            let batched = self.pools.iter().filter(|(pool, _)| pool.is_batched());
            let more: usize = batched.map(|(pool, _)| pool.threads.max(1)).sum();
            for number in 0..self.settings.workers.max(1) + more {
                let name = format!("worker-{number}");
                std::thread::Builder::new().name(name).spawn_scoped(scope, || self.run_worker())?;
            }
            let alone = |(_, (pool, _)): &(usize, &(Pool, Queue))| !pool.is_batched();
            for (number, (pool, _)) in self.pools.iter().enumerate().filter(alone) {
                for _ in 0..*pool.range().start() {
                    self.start_pool_thread(scope, number)?;
                }
            }
            self.run_keeper(listeners, stop)
        })
    }
}

impl Engine<'_> {
    fn moment(&self) -> Moment {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        Moment { millis, now: Timestamp::now() }
    }

    /// Adds one to a gauge, if the service shows them.
    fn count(&self, gauge: impl FnOnce(&Gauges) -> &AtomicU64) {
        if let Some(gauges) = self.service.gauges() {
            gauge(gauges).fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Writes down the state of connections and queues, if the service shows it.
    fn publish_gauges(&self) {
        let Some(gauges) = self.service.gauges() else { return };
        for (gauge, count) in gauges.connections.iter().zip(self.table.count()) {
            gauge.store(count as u64, Ordering::Relaxed);
        }
        for (gauge, (_, queue)) in gauges.queues.iter().zip(&self.pools) {
            gauge.store(queue.len() as u64, Ordering::Relaxed);
        }
    }

    /// Whether a connection that is owed no answer is closed at once.
    fn closes_idle(&self) -> bool {
        self.stopping.load(Ordering::Acquire) && !self.lingering.load(Ordering::Acquire)
    }

    fn scratch(&self) -> Scratch {
        Scratch::new(self.moment(), self.pulses.add())
    }
}

/// Ends every thread when dropped.
struct EndThreads<'a> {
    engine: &'a Engine<'a>,
    wake: &'a poll::Wake,
}

impl Drop for EndThreads<'_> {
    fn drop(&mut self) {
        self.engine.done.store(true, Ordering::Release);
        self.engine.pools.iter().for_each(|(_, queue)| queue.close());
        self.wake.all();
    }
}

/// Gives this thread the nice value `nice`, so that others come first.
#[doc(hidden)]
pub fn lower_priority(nice: i32) {
    if let Err(error) = setpriority_process(None, nice) {
        log::debug!("a thread keeps its priority: {error}");
    }
}

/// Raises the soft limit on open files to the hard one; returns the limit.
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

#[cfg(test)]
mod testing;
