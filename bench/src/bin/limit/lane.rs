//! The queue for hashing: logins wait in a bounded queue for threads of low
//! priority, each with Argon2 memory of its own, so that token checks go first.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

use argon2::{Argon2, Block, PasswordHash};
use lictor_bench::claims::{self, Claims, Login};
use lictor_bench::{database, password};
use rustix::process::setpriority_process;
use rustix::thread::gettid;

use crate::answer;
use crate::worker::Worker;

const QUEUE_MAX: usize = 256;
const NICE: i32 = 10;
/// Time without a login after which a thread releases its memory.
const REST: Duration = Duration::from_secs(5);
/// Size from which glibc returns freed memory to the system at once.
const ALWAYS_GIVEN_BACK: usize = 32 * 1024 * 1024;

/// A login and the number of its connection, which stays busy until the answer.
pub struct Job {
    pub number: usize,
    pub login: Login,
    pub address: Option<IpAddr>,
}

#[derive(Default)]
pub struct Lane {
    queue: Mutex<VecDeque<Job>>,
    ready: Condvar,
}

impl Lane {
    /// Queues the job, or returns false if the queue is full.
    pub fn push(&self, job: Job) -> bool {
        let mut queue = self.queue.lock().expect("no thread panics with the queue");
        if queue.len() >= QUEUE_MAX {
            return false;
        }
        queue.push_back(job);
        drop(queue);
        self.ready.notify_one();
        true
    }

    /// The next job; `None` if none arrives in time.
    fn pop(&self) -> Option<Job> {
        let queue = self.queue.lock().expect("no thread panics with the queue");
        let empty = |queue: &mut VecDeque<Job>| queue.is_empty();
        let waited = self.ready.wait_timeout_while(queue, REST, empty);
        waited.expect("no thread panics with the queue").0.pop_front()
    }

    /// The loop of a hashing thread.
    pub fn hash(&self, mut worker: Worker) -> io::Result<()> {
        setpriority_process(Some(gettid()), NICE)?;
        let mut hasher = Hasher::new();
        loop {
            let Some(job) = self.pop() else {
                hasher.memory = Vec::new();
                continue;
            };
            match log_in(&worker, &job, &mut hasher) {
                Some(token) => answer::access_token(&mut worker.output, &token),
                None => answer::status(&mut worker.output, "401 Unauthorized"),
            }
            worker.resume(job.number);
        }
    }
}

fn log_in(worker: &Worker, job: &Job, hasher: &mut Hasher) -> Option<String> {
    let account = database::account(worker.reader, &job.login.username).ok()??;
    if !hasher.verify(&job.login.password, &account.password) || !account.active {
        return None;
    }
    let claims = Claims::new(&account, claims::now());
    worker.shared.sessions.begin(&account, &claims, job.address).ok()?;
    Some(worker.shared.key.sign(&claims))
}

/// Argon2id with memory that all hashes of a thread reuse.
struct Hasher {
    argon2: Argon2<'static>,
    memory: Vec<Block>,
}

impl Hasher {
    fn new() -> Hasher {
        Hasher { argon2: password::argon2id(), memory: Vec::new() }
    }

    fn take_memory(&mut self) {
        if self.memory.is_empty() {
            self.memory.reserve(ALWAYS_GIVEN_BACK / size_of::<Block>());
            self.memory.resize(self.argon2.params().block_count(), Block::default());
        }
    }

    fn verify(&mut self, password: &str, stored: &str) -> bool {
        let Ok(stored) = PasswordHash::new(stored) else {
            return false;
        };
        let (Some(salt), Some(expected)) = (stored.salt, stored.hash) else {
            return false;
        };
        self.take_memory();
        let mut hash = [0; 32];
        let (password, memory) = (password.as_bytes(), &mut self.memory);
        let argon2 = &self.argon2;
        argon2
            .hash_password_into_with_memory(password, salt.as_ref(), &mut hash, memory)
            .is_ok_and(|()| expected.as_bytes() == hash)
    }
}
