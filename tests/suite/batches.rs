//! A pool that takes several requests at once, on real sockets.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use lictor::clock::Timestamp;
use lictor::http::{Answer, Overload, Pool, Queued, Request, Response, Service};
use lictor::net::{self, Settings, Stop, Stopper};

use crate::support::{Client, PATIENCE, request};

/// The pools: one that takes batches, and one for single requests.
const BATCH: usize = 0;
const OTHER: usize = 1;

/// The most requests of a batch.
const MOST: usize = 8;

/// `/N` waits in the pool of batches, and its answer says what [`Service::prepare`] made of N.
/// `/swap` changes places with the first of its batch; `/move` goes on to the other pool, `/bounce` without end. `/panic` panics in `prepare`,
/// `/late` after it; `/hang` waits after it. Everything else is answered at once.
struct Batches {
    /// Requests that were put into a queue.
    queued: AtomicUsize,
    /// `prepare` waits while this is closed.
    gate: Mutex<bool>,
    changed: Condvar,
    /// `/hang` is answered when this is open.
    answers: Mutex<bool>,
    /// The paths of each batch.
    seen: Mutex<Vec<Vec<String>>>,
    pools: Vec<Pool>,
}

impl Batches {
    fn new() -> Batches {
        let pools = vec![Pool::batched("batch", 1, MOST), Pool::new("other", 1)];
        let gate = Mutex::new(true);
        let (changed, answers, seen) = (Condvar::new(), Mutex::new(false), Mutex::default());
        Batches { queued: AtomicUsize::new(0), gate, changed, answers, seen, pools }
    }

    fn set_open(&self, open: bool) {
        *self.gate.lock().unwrap() = open;
        self.changed.notify_all();
    }

    /// Waits until this many requests were put into a queue.
    fn wait_for_queued(&self, requests: usize) {
        let start = Instant::now();
        while self.queued.load(Ordering::SeqCst) < requests {
            assert!(start.elapsed() < PATIENCE, "{requests} requests");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// How many requests each batch had.
    fn sizes(&self) -> Vec<usize> {
        self.seen.lock().unwrap().iter().map(Vec::len).collect()
    }

    /// Waits until `prepare` was called this often.
    fn wait_for(&self, batches: usize) {
        let start = Instant::now();
        while self.seen.lock().unwrap().len() < batches {
            assert!(start.elapsed() < PATIENCE, "{:?}", self.sizes());
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Service for Batches {
    fn pools(&self) -> Vec<Pool> {
        self.pools.clone()
    }

    fn answer(&self, request: &Request<'_>, _: Timestamp) -> Answer {
        match request.path {
            "/now" => Answer::Ready(Response::text(200, "now")),
            path => {
                self.queued.fetch_add(1, Ordering::SeqCst);
                Answer::Queue(Queued::new(BATCH, 5).with(path.to_owned()))
            }
        }
    }

    fn prepare(&self, pool: usize, batch: &mut [Queued], _: Timestamp) {
        if pool == OTHER {
            return assert!(batch.len() <= self.pools[OTHER].batch.max(1));
        }
        let paths = batch.iter_mut().map(|one| one.payload_mut::<String>().unwrap().clone());
        let paths: Vec<String> = paths.collect();
        self.seen.lock().unwrap().push(paths.clone());
        drop(self.changed.wait_while(self.gate.lock().unwrap(), |open| !*open).unwrap());
        assert!(!paths.iter().any(|path| path == "/panic"), "a bug in a batch");
        let swapped = paths.iter().position(|path| path == "/swap");
        for (queued, path) in batch.iter_mut().zip(paths) {
            queued.payload = Some(Box::new(format!("{path} of {MOST}")));
        }
        if let Some(place) = swapped {
            batch.swap(0, place);
        }
    }

    fn answer_queued(&self, request: &Request<'_>, mut queued: Queued, _: Timestamp) -> Answer {
        assert_eq!(queued.ticket, 5);
        match request.path {
            "/bounce" | "/move" if request.path == "/bounce" || queued.pool == BATCH => {
                queued.pool = OTHER;
                Answer::Queue(queued)
            }
            "/late" => panic!("a handler's bug"),
            "/hang" => {
                let open = self.answers.lock().unwrap();
                drop(self.changed.wait_while(open, |open| !*open).unwrap());
                Answer::Ready(Response::text(200, "at last"))
            }
            _ => {
                let prepared: String = queued.take_payload().unwrap();
                let body = String::from_utf8_lossy(request.body);
                Answer::Ready(Response::text(200, &format!("{prepared}{body}")))
            }
        }
    }

    fn overloaded(
        &self,
        _: &Request<'_>,
        queued: &Queued,
        _: Timestamp,
        overload: Overload,
    ) -> Response {
        Response::text(503, &format!("{} {overload:?}", queued.pool))
    }
}

/// Serves while `act` runs, then stops.
fn with(service: &Batches, settings: &Settings, act: impl FnOnce(SocketAddr, &Stopper)) {
    /// Ends the engine also when a check fails, or the scope would wait for ever.
    struct End<'a>(&'a Batches, &'a Stopper);
    impl Drop for End<'_> {
        fn drop(&mut self) {
            self.0.set_open(true);
            self.1.stop();
        }
    }
    let listener = net::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Stop::new().unwrap();
    let stopper = stop.stopper().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| net::serve(listener, service, settings, &stop).unwrap());
        let end = End(service, &stopper);
        act(address, &stopper);
        drop(end);
    });
}

fn get(path: &str) -> String {
    request("GET", path, &[], "")
}

fn said(client: &mut Client) -> String {
    let reply = client.reply("GET");
    format!("{} {}", reply.status(), reply.body)
}

/// One worker, beside the one that prepares a batch: it queues requests one after the other.
fn one_worker() -> Settings {
    let mut settings = Settings::default();
    settings.workers = 1;
    settings
}

/// Connections whose requests wait: the first in a batch under way, the others for the next, in
/// order. The engine has [`one_worker`].
fn waiting(service: &Batches, address: SocketAddr, paths: &[String]) -> Vec<Client> {
    service.set_open(false);
    let before = (service.queued.load(Ordering::SeqCst), service.seen.lock().unwrap().len());
    let mut clients = Vec::new();
    for (number, path) in paths.iter().enumerate() {
        let mut client = Client::connect(address);
        client.send(get(path));
        clients.push(client);
        service.wait_for_queued(before.0 + number + 1);
        if number == 0 {
            service.wait_for(before.1 + 1);
        }
    }
    // Once the worker answers another request, it has queued the last one.
    let mut other = Client::connect(address);
    other.send(get("/now"));
    assert_eq!(said(&mut other), "200 now");
    clients
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("/{number}")).collect()
}

#[test]
fn what_comes_while_a_batch_is_under_way_is_the_next_one() {
    let service = Batches::new();
    with(&service, &one_worker(), |address, _| {
        let mut clients = waiting(&service, address, &numbers(20));
        service.set_open(true);
        for (number, client) in clients.iter_mut().enumerate() {
            assert_eq!(said(client), format!("200 /{number} of 8"));
        }
    });
    let seen = service.seen.lock().unwrap();
    assert_eq!(seen.concat(), numbers(20), "in order, each once");
    assert_eq!(seen.iter().map(Vec::len).collect::<Vec<_>>(), [1, 8, 8, 3]);
}

#[test]
fn connections_stay_open_and_requests_follow_one_another() {
    let service = Batches::new();
    with(&service, &Settings::default(), |address, _| {
        std::thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || {
                    let mut client = Client::connect(address);
                    for round in 0..200 {
                        client.send(get(&format!("/{thread}-{round}")));
                        assert_eq!(said(&mut client), format!("200 /{thread}-{round} of 8"));
                        if round % 50 == 0 {
                            client.send(get("/now"));
                            assert_eq!(said(&mut client), "200 now");
                        }
                    }
                });
            }
        });
    });
    assert_eq!(service.sizes().iter().sum::<usize>(), 8 * 200);
    assert!(service.sizes().iter().all(|size| (1..=MOST).contains(size)));
}

#[test]
fn requests_of_all_shapes_are_answered() {
    let service = Batches::new();
    with(&service, &Settings::default(), |address, _| {
        let mut client = Client::connect(address);
        // Pipelined, with answers of the worker in between.
        client.send(get("/0") + &get("/now") + &get("/1") + &get("/2") + &get("/now"));
        for expected in ["/0 of 8", "now", "/1 of 8", "/2 of 8", "now"] {
            assert_eq!(said(&mut client), format!("200 {expected}"));
        }
        client.send(request("HEAD", "/3", &[], ""));
        let reply = client.reply("HEAD");
        assert_eq!((reply.status(), reply.header("content-length")), (200, Some("7")));
        // Longer than what is read at once; byte by byte; in chunks.
        let body = "x".repeat(50_000);
        client.send(request("POST", "/4", &[], &body));
        assert_eq!(said(&mut client), format!("200 /4 of 8{body}"));
        for byte in request("POST", "/5", &[], "hi").bytes() {
            client.send([byte]);
        }
        assert_eq!(said(&mut client), "200 /5 of 8hi");
        let chunked = request("POST", "/6", &[("Transfer-Encoding", "chunked")], "");
        client.send(chunked + "2\r\nhi\r\n0\r\n\r\n");
        assert_eq!(said(&mut client), "200 /6 of 8hi");
        // The beginning of the next request arrives with this one, and its end later.
        let (begin, end) = (&get("/8")[..9], &get("/8")[9..]);
        client.send(get("/7") + begin);
        assert_eq!(said(&mut client), "200 /7 of 8");
        client.send(end);
        assert_eq!(said(&mut client), "200 /8 of 8");
        client.send(request("GET", "/9", &[("Connection", "close")], ""));
        let reply = client.reply("GET");
        assert_eq!((reply.body.as_str(), reply.header("connection")), ("/9 of 8", Some("close")));
        assert_eq!(client.rest(), "");
        // A client that has closed its sending half waits for its answer.
        let mut half = Client::connect(address);
        half.send(get("/10"));
        half.stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(said(&mut half), "200 /10 of 8");
        assert_eq!(half.rest(), "");
    });
}

#[test]
fn what_arrives_during_a_batch_is_answered_after_it() {
    let service = Batches::new();
    with(&service, &one_worker(), |address, _| {
        let mut clients = waiting(&service, address, &numbers(3));
        for client in &mut clients {
            client.send(get("/now"));
        }
        std::thread::sleep(Duration::from_millis(50));
        service.set_open(true);
        for (number, client) in clients.iter_mut().enumerate() {
            assert_eq!(said(client), format!("200 /{number} of 8"));
            assert_eq!(said(client), "200 now");
        }
    });
}

#[test]
fn the_worker_and_the_other_pool_do_not_wait_for_a_batch() {
    let service = Batches::new();
    with(&service, &one_worker(), |address, _| {
        let mut moved = Client::connect(address);
        moved.send(get("/move"));
        assert_eq!(said(&mut moved), "200 /move of 8");
        let mut clients = waiting(&service, address, &numbers(2));
        let mut other = Client::connect(address);
        other.send(get("/now"));
        assert_eq!(said(&mut other), "200 now");
        service.set_open(true);
        clients.iter_mut().for_each(|client| assert!(said(client).starts_with("200")));
    });
}

#[test]
fn a_request_goes_on_to_another_pool_or_is_refused_there() {
    let mut service = Batches::new();
    // Nothing can wait in the other pool.
    service.pools[OTHER].queue = 0;
    with(&service, &Settings::default(), |address, _| {
        let mut client = Client::connect(address);
        client.send(get("/move") + &get("/1") + &get("/move") + &get("/now"));
        for expected in ["503 1 Full", "200 /1 of 8", "503 1 Full", "200 now"] {
            assert_eq!(said(&mut client), expected);
        }
    });
    service.pools[OTHER].queue = 100;
    with(&service, &Settings::default(), |address, _| {
        let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(address)).collect();
        for client in &mut clients {
            client.send(get("/move") + &get("/bounce") + &get("/now") + &get("/move"));
        }
        for client in &mut clients {
            assert_eq!(said(client), "200 /move of 8");
            assert_eq!(client.reply("GET").error(), (500, "InternalError".into()));
            assert_eq!(said(client), "200 now");
            assert_eq!(said(client), "200 /move of 8");
        }
    });
}

#[test]
fn every_connection_has_a_place_in_the_queue_of_batches() {
    let service = Batches::new();
    let mut settings = Settings::default();
    settings.slow_per_ip = 1;
    settings.slow_queue = 1;
    settings.max_connections = 300;
    with(&service, &settings, |address, _| {
        service.set_open(false);
        let mut clients: Vec<Client> = (0..300).map(|_| Client::connect(address)).collect();
        for (number, client) in clients.iter_mut().enumerate() {
            client.send(get(&format!("/{number}")));
        }
        service.wait_for(1);
        std::thread::sleep(Duration::from_millis(200));
        service.set_open(true);
        for (number, client) in clients.iter_mut().enumerate() {
            assert_eq!(said(client), format!("200 /{number} of 8"));
        }
    });
    assert_eq!(service.sizes().iter().sum::<usize>(), 300);
}

#[test]
fn a_panic_costs_its_batch_or_its_request_and_nothing_else() {
    let service = Batches::new();
    with(&service, &one_worker(), |address, _| {
        let paths = ["/0", "/1", "/panic", "/2"].map(str::to_owned);
        let mut clients = waiting(&service, address, &paths);
        service.set_open(true);
        assert_eq!(said(&mut clients[0]), "200 /0 of 8", "a batch of its own");
        for client in &mut clients[1..] {
            assert_eq!(client.reply("GET").error(), (500, "InternalError".into()));
        }
        for client in &mut clients {
            client.send(get("/3"));
            assert_eq!(said(client), "200 /3 of 8");
        }
        clients[0].send(get("/late"));
        assert_eq!(clients[0].reply("GET").error(), (500, "InternalError".into()));
        clients[0].send(get("/4"));
        assert_eq!(said(&mut clients[0]), "200 /4 of 8");
    });
}

#[test]
fn the_next_batch_does_not_wait_for_slow_answers() {
    let service = Batches::new();
    with(&service, &one_worker(), |address, _| {
        let mut slow = Client::connect(address);
        slow.send(get("/hang"));
        service.wait_for(1);
        let mut other = Client::connect(address);
        for number in 0..20 {
            other.send(get(&format!("/{number}")));
            assert_eq!(said(&mut other), format!("200 /{number} of 8"));
        }
        *service.answers.lock().unwrap() = true;
        service.changed.notify_all();
        assert_eq!(said(&mut slow), "200 at last");
    });
}

#[test]
fn a_request_that_goes_from_one_pool_of_batches_to_another_is_answered() {
    let mut service = Batches::new();
    service.pools[OTHER] = Pool::batched("other", 1, 1 + MOST);
    with(&service, &Settings::default(), |address, _| {
        let mut clients: Vec<Client> = (0..20).map(|_| Client::connect(address)).collect();
        for _ in 0..50 {
            for client in &mut clients {
                client.send(get("/move") + &get("/1"));
            }
            for client in &mut clients {
                assert_eq!(
                    (said(client), said(client)),
                    ("200 /move of 8".to_owned(), "200 /1 of 8".to_owned(),)
                );
            }
        }
    });
}

#[test]
fn a_service_that_changes_the_order_of_a_batch_gets_nobody_elses_answer() {
    let service = Batches::new();
    with(&service, &one_worker(), |address, _| {
        let paths = ["/0", "/1", "/swap", "/2"].map(str::to_owned);
        let mut clients = waiting(&service, address, &paths);
        service.set_open(true);
        assert_eq!(said(&mut clients[0]), "200 /0 of 8");
        // The last one has its own.
        for (number, client) in clients[1..3].iter_mut().enumerate() {
            assert_eq!(client.reply("GET").error(), (500, "InternalError".into()), "{number}");
        }
        assert_eq!(said(&mut clients[3]), "200 /2 of 8");
        for client in &mut clients {
            client.send(get("/3"));
            assert_eq!(said(client), "200 /3 of 8");
        }
    });
}

#[test]
fn clients_that_are_gone_disturb_no_batch() {
    let service = Batches::new();
    with(&service, &one_worker(), |address, _| {
        let mut clients = waiting(&service, address, &numbers(5));
        // One whose batch is under way, and one of the next.
        drop(clients.remove(3));
        drop(clients.remove(0));
        std::thread::sleep(Duration::from_millis(100));
        service.set_open(true);
        for (client, number) in clients.iter_mut().zip([1, 2, 4]) {
            assert_eq!(said(client), format!("200 /{number} of 8"));
        }
    });
}

#[test]
fn a_stop_waits_for_the_batches_of_requests_that_have_arrived() {
    let service = Batches::new();
    let mut clients = Vec::new();
    with(&service, &one_worker(), |address, stopper| {
        clients = waiting(&service, address, &numbers(12));
        stopper.stop();
        std::thread::sleep(Duration::from_millis(100));
        service.set_open(true);
        for (number, client) in clients.iter_mut().enumerate() {
            let reply = client.reply("GET");
            assert_eq!((reply.status(), reply.body), (200, format!("/{number} of 8")));
            assert_eq!(client.rest(), "");
        }
    });
    assert_eq!(service.sizes(), [1, 8, 3]);
}

#[test]
fn a_stop_waits_for_a_batch_at_most_for_the_drain_time() {
    let service = Batches::new();
    let mut settings = one_worker();
    settings.drain_time = Duration::from_millis(200);
    let start = Instant::now();
    std::thread::scope(|scope| {
        with(&service, &settings, |address, stopper| {
            let clients = waiting(&service, address, &numbers(3));
            stopper.stop();
            // The database answers at last; until then the thread cannot end.
            scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(700));
                service.set_open(true);
            });
            std::thread::sleep(Duration::from_millis(400));
            drop(clients);
        });
    });
    assert!(start.elapsed() < PATIENCE);
}
