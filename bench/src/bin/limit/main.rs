//! The limit: the least that a machine must do for this work. A bare
//! leader/follower loop on epoll with fixed answers, one prepared statement per
//! thread, a cached HS256 key schedule, and hashing threads of low priority that
//! reuse their memory. It has no timeouts, no connection limits, no routing table
//! and no useful errors: it is for comparison only.

mod answer;
mod connection;
mod lane;
mod token;
mod worker;

use std::thread;

use lictor_bench::options::Options;
use lictor_bench::sessions::Sessions;
use lictor_bench::{cores, database};

use crate::lane::Lane;
use crate::token::Key;
use crate::worker::{Shared, Worker};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::from_command_line();
    database::create(&options.database)?;
    let sessions = Sessions::open(&options.database)?;
    let shared = &Shared::new(options.listen, Key::new(&options.secret), sessions)?;
    let lane = &Lane::default();
    thread::scope(|scope| {
        for _ in 0..cores() {
            let reader = database::open(&options.database)?;
            scope.spawn(move || Worker::new(shared, lane, &reader)?.serve());
            let reader = database::open(&options.database)?;
            scope.spawn(move || lane.hash(Worker::new(shared, lane, &reader)?));
        }
        Ok(())
    })
}
