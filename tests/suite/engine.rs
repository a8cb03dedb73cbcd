//! The engine as a library, on real sockets. A time that a test waits for is short; all others are so
//! long that they do not pass on a slow machine.

use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};

use lictor::clock::Timestamp;
use lictor::http::{Answer, Pool, Queued, Request, Response, Service};
use lictor::net::{self, Settings, Stop, Watchdog};

use crate::support::{Client, PATIENCE, eventually, request};

/// A time that a test waits for.
const SHORT: Duration = Duration::from_millis(300);

/// Answers "hello". `/hash` takes 200 ms in pool 0, and `/write` in pool 1. `/panic` panics on a
/// worker, and `/hash-panic` in pool 0; `/large` has a large body; `/stuck` keeps a worker for 1.5
/// s.
#[derive(Default)]
struct TestService {
    /// If there are none, the engine makes pool 0 from its settings.
    pools: Vec<Pool>,
    /// While it is set, no answer of a pool is ready.
    held: AtomicBool,
    /// The requests that a worker has read.
    asked: AtomicUsize,
    /// The requests that a pool's thread has taken.
    begun: AtomicUsize,
    hashed: AtomicUsize,
}

impl TestService {
    fn holding(pools: Vec<Pool>) -> TestService {
        TestService { pools, held: AtomicBool::new(true), ..TestService::default() }
    }
}

fn hello() -> Response {
    Response::fixed(200, "text/plain", &b"hello"[..])
}

impl Service for TestService {
    fn pools(&self) -> Vec<Pool> {
        self.pools.clone()
    }

    fn answer(&self, request: &Request<'_>, _: Timestamp) -> Answer {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match request.path {
            "/hash" => return Answer::Queue(Queued::new(0, 7)),
            "/hash-panic" => return Answer::Queue(Queued::new(0, 8)),
            "/write" => return Answer::Queue(Queued::new(1, 7)),
            "/panic" => panic!("a handler's bug"),
            "/stuck" => std::thread::sleep(Duration::from_millis(1_500)),
            "/large" => {
                return Answer::Ready(Response::fixed(200, "text/plain", vec![b'x'; 100_000]));
            }
            _ => {}
        }
        Answer::Ready(hello())
    }

    fn answer_queued(&self, _: &Request<'_>, queued: Queued, _: Timestamp) -> Answer {
        assert_eq!(queued.ticket, 7, "a handler's bug");
        self.begun.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(200));
        eventually(|| !self.held.load(Ordering::SeqCst));
        self.hashed.fetch_add(1, Ordering::SeqCst);
        Answer::Ready(hello())
    }
}

/// The default settings but for what `change` does to them, with deadlines that pass on no machine.
fn settings_with(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    settings.limits.head_time = PATIENCE;
    settings.limits.body_time = PATIENCE;
    settings.limits.idle_time = PATIENCE;
    settings.limits.unread_time = PATIENCE;
    change(&mut settings);
    settings
}

/// Serves while `act` runs, then stops.
fn with_engine(settings: &Settings, act: impl FnOnce(SocketAddr, &dyn Fn())) {
    with_service(&TestService::default(), settings, act);
}

fn with_service(
    service: &TestService,
    settings: &Settings,
    act: impl FnOnce(SocketAddr, &dyn Fn()),
) {
    let listener = net::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Stop::new().unwrap();
    let stopper = stop.stopper().unwrap();
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| net::serve(listener, service, settings, &stop).unwrap());
        // The engine must end when a check fails, too, or the scope would wait for ever. It is
        // asked once only: a second stop would end the wait for requests under way.
        struct Always<F: Fn()>(F);
        impl<F: Fn()> Drop for Always<F> {
            fn drop(&mut self) {
                (self.0)();
            }
        }
        let asked = AtomicBool::new(false);
        let always = Always(|| {
            if !asked.swap(true, Ordering::SeqCst) {
                stopper.stop();
            }
        });
        act(address, &always.0);
        drop(always);
        serving.join().unwrap();
    });
}

fn get(path: &str) -> String {
    request("GET", path, &[], "")
}

fn assert_answered(client: &mut Client) {
    client.send(get("/"));
    assert_eq!(client.reply("GET").body, "hello");
}

/// Sends a request; says whether it is answered with "hello".
fn is_answered(client: &mut Client) -> bool {
    let sent = std::io::Write::write_all(&mut client.stream, get("/").as_bytes());
    sent.is_ok() && client.try_reply("GET").is_some_and(|reply| reply.body == "hello")
}

fn assert_timed_out(client: &mut Client) {
    let reply = client.reply("GET");
    assert_eq!(reply.error(), (408, "RequestTimeout".into()));
    assert_eq!(reply.header("connection"), Some("close"));
    assert_eq!(client.rest(), "");
}

#[test]
fn every_wait_has_a_deadline() {
    let settings = settings_with(|settings| settings.limits.head_time = SHORT);
    with_engine(&settings, |address, _| {
        let mut silent = Client::connect(address);
        let mut slow_head = Client::connect(address);
        slow_head.send("GET / HT");
        assert_timed_out(&mut silent);
        assert_timed_out(&mut slow_head);
    });
    // With time for the head, so that a slow machine gets as far as these.
    let settings = settings_with(|settings| {
        settings.limits.body_time = SHORT;
        settings.limits.idle_time = SHORT;
    });
    with_engine(&settings, |address, _| {
        let mut slow_body = Client::connect(address);
        slow_body.send(request("POST", "/", &[("Content-Length", "5")], "") + "he");
        let mut idle = Client::connect(address);
        assert_answered(&mut idle);
        assert_timed_out(&mut slow_body);
        assert_eq!(idle.rest(), "", "closed without an answer");
        // A client that goes on sending requests is not idle; but it is if the machine stands still.
        eventually(|| {
            let (mut busy, begun) = (Client::connect(address), Instant::now());
            while begun.elapsed() < 3 * SHORT {
                if !is_answered(&mut busy) {
                    return false;
                }
                std::thread::sleep(SHORT / 20);
            }
            true
        });
    });
}

#[test]
fn a_timeout_is_answered_once_even_when_every_worker_is_busy() {
    let settings = settings_with(|settings| {
        settings.workers = 1;
        settings.limits.head_time = SHORT;
        settings.limits.linger_time = SHORT;
    });
    with_engine(&settings, |address, _| {
        // Only the first head has its time from the connection on. If that is over, another one is first.
        let begun = Instant::now();
        let mut busy = loop {
            let mut client = Client::connect(address);
            if is_answered(&mut client) {
                break client;
            }
            assert!(begun.elapsed() < PATIENCE);
        };
        let mut slow = Client::connect(address);
        slow.send("GET / HT");
        std::thread::sleep(SHORT / 2);
        busy.send(get("/stuck"));
        assert_eq!(slow.reply("GET").error(), (408, "RequestTimeout".into()));
        assert_eq!(slow.rest(), "", "exactly one reply");
        assert_eq!(busy.reply("GET").body, "hello");
    });
}

#[test]
fn bytes_that_come_slowly_extend_no_deadline() {
    let settings = settings_with(|settings| {
        settings.limits.head_time = SHORT;
        settings.limits.linger_time = SHORT;
    });
    with_engine(&settings, |address, _| {
        let mut slow = Client::connect(address);
        let begun = Instant::now();
        // A head without an end, until the server has closed.
        for byte in b"GET / HTTP/1.1\r\nX: ".iter().chain(std::iter::repeat(&b'x')) {
            if std::io::Write::write_all(&mut slow.stream, &[*byte]).is_err() {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "still open");
            std::thread::sleep(SHORT / 10);
        }
        assert_eq!(slow.reply("GET").status(), 408);
    });
}

#[test]
fn a_client_that_does_not_read_is_cut() {
    let settings = settings_with(|settings| settings.limits.unread_time = SHORT);
    with_engine(&settings, |address, _| {
        let mut silent = Client::connect(address);
        // Far more than the socket buffers hold, so the server stops reading at some point.
        silent.stream.set_write_timeout(Some(SHORT)).unwrap();
        let many = get("/large").repeat(100_000);
        let _ = std::io::Write::write_all(&mut silent.stream, many.as_bytes());
        // The server closes, although the client has read nothing: writing fails, and not because
        // the socket buffer is full.
        eventually(|| {
            let written = std::io::Write::write_all(&mut &silent.stream, &[b'x'; 100_000]);
            written.is_err_and(|error| error.kind() != std::io::ErrorKind::WouldBlock)
        });
        let mut read = 0;
        let mut buffer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = silent.stream.read(&mut buffer) {
            read += count;
        }
        assert!(read < 100_000 * 100_000, "{read}");
        assert_answered(&mut Client::connect(address));
    });
}

#[test]
fn a_slow_reader_gets_everything_in_order() {
    with_engine(&settings_with(|_| {}), |address, _| {
        let mut slow = Client::connect(address);
        slow.send((get("/large") + &get("/")).repeat(100));
        for round in 0..100 {
            if round % 20 == 0 {
                std::thread::sleep(Duration::from_millis(50));
            }
            assert_eq!(slow.reply("GET").body.len(), 100_000);
            assert_eq!(slow.reply("GET").body, "hello");
        }
    });
}

#[test]
fn a_panic_costs_its_own_request_and_nothing_else() {
    with_engine(&settings_with(|_| {}), |address, _| {
        let mut client = Client::connect(address);
        for _ in 0..10 {
            for path in ["/panic", "/hash-panic"] {
                client.send(get(path));
                assert_eq!(client.reply("GET").error(), (500, "InternalError".into()));
                assert_answered(&mut client);
            }
        }
    });
}

#[test]
fn the_longest_idle_connection_makes_room() {
    // The only worker is done with a client when it answers the next one: an answer comes a little
    // before the connection is idle.
    let settings = settings_with(|settings| {
        settings.max_connections = 3;
        settings.workers = 1;
    });
    with_engine(&settings, |address, _| {
        let mut clients: Vec<Client> = (0..3).map(|_| Client::connect(address)).collect();
        for client in &mut clients {
            assert_answered(client);
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_answered(&mut clients[0]);
        // The second one has been idle for longest now.
        assert_answered(&mut Client::connect(address));
        assert_eq!(clients[1].rest(), "");
        assert_answered(&mut clients[0]);
        assert_answered(&mut clients[2]);
    });
}

#[test]
fn a_connection_with_an_answer_under_way_is_not_closed_to_make_room() {
    let settings = settings_with(|settings| settings.max_connections = 2);
    let service = TestService::holding(Vec::new());
    with_service(&service, &settings, |address, _| {
        let mut clients: Vec<Client> = (0..2).map(|_| Client::connect(address)).collect();
        clients.iter_mut().for_each(|client| client.send(get("/hash").repeat(5)));
        eventually(|| service.asked.load(Ordering::SeqCst) == 2);
        for _ in 0..20 {
            assert_eq!(Client::connect(address).rest(), "");
        }
        service.held.store(false, Ordering::SeqCst);
        // Between two answers as well. After the last one there is room, maybe before it was read.
        for _ in 0..5 {
            for client in &mut clients {
                assert_eq!(client.reply("GET").body, "hello");
                drop(Client::connect(address));
            }
        }
    });
}

#[test]
fn a_client_opens_as_many_connections_as_its_share() {
    let settings = settings_with(|settings| settings.max_per_ip = 1);
    with_engine(&settings, |address, _| {
        let mut first = Client::connect(address);
        assert_answered(&mut first);
        assert_eq!(Client::connect(address).rest(), "");
        assert_answered(&mut first);
        drop(first);
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let mut next = Client::connect(address);
            next.send(get("/"));
            if next.try_reply("GET").is_some() {
                return;
            }
        }
        panic!("a closed connection still counts");
    });
}

#[test]
fn a_full_queue_answers_503_at_once() {
    let settings = settings_with(|settings| settings.slow_queue = 1);
    let pools = vec![settings.pool("hash", 1), settings.pool("write", 1)];
    let service = TestService::holding(pools);
    with_service(&service, &settings, |address, _| {
        let (answered, answers) = mpsc::channel();
        let send = |path: &str| {
            let mut client = Client::connect(address);
            client.send(get(path));
            let answered = answered.clone();
            std::thread::spawn(move || answered.send(client.reply("GET").status()));
        };
        // Neither pool waits for the other.
        for (number, path) in ["/hash", "/write"].into_iter().enumerate() {
            send(path);
            eventually(|| service.begun.load(Ordering::SeqCst) > number);
            // That one runs. Of three more, one waits; two are refused while no other is answered.
            (0..3).for_each(|_| send(path));
            for _ in 0..2 {
                assert_eq!(answers.recv_timeout(PATIENCE), Ok(503), "{path}");
            }
        }
        service.held.store(false, Ordering::SeqCst);
        for _ in 0..4 {
            assert_eq!(answers.recv_timeout(PATIENCE), Ok(200));
        }
    });
}

#[test]
fn clients_that_send_without_end_leave_the_threads_to_others_too() {
    let settings = settings_with(|settings| {
        settings.workers = 1;
        settings.slow_workers = 1
    });
    with_engine(&settings, |address, stop| {
        let flood = (get("/hash") + &get("/").repeat(400)).repeat(3) + &get("/").repeat(20_000);
        let flooders: Vec<_> = (0..8)
            .map(|_| {
                let flood = flood.clone();
                std::thread::spawn(move || {
                    let mut client = Client::connect(address);
                    let mut reader = client.stream.try_clone().unwrap();
                    let reading = std::thread::spawn(move || {
                        let mut buffer = [0; 65_536];
                        while let Ok(1..) = reader.read(&mut buffer) {}
                    });
                    while std::io::Write::write_all(&mut client.stream, flood.as_bytes()).is_ok() {}
                    reading.join().unwrap();
                })
            })
            .collect();
        std::thread::sleep(Duration::from_millis(300));
        for _ in 0..10 {
            assert_answered(&mut Client::connect(address));
        }
        // The pool and the keeper are free as well.
        let mut slow = Client::connect(address);
        slow.send(get("/hash"));
        assert_eq!(slow.reply("GET").status(), 200);
        stop();
        for flooder in flooders {
            flooder.join().unwrap();
        }
    });
}

#[test]
fn refusals_without_end_leave_the_worker_to_others_too() {
    let settings = settings_with(|settings| settings.workers = 1);
    let mut pool = settings.pool("full", 1);
    pool.queue = 0;
    let service = TestService { pools: vec![pool], ..TestService::default() };
    with_service(&service, &settings, |address, stop| {
        let flood = get("/hash").repeat(2_000);
        let mut refused = Client::connect(address);
        let mut reader = refused.stream.try_clone().unwrap();
        let reading = std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok(1..) = reader.read(&mut buffer) {}
        });
        let flooder = std::thread::spawn(move || {
            while std::io::Write::write_all(&mut refused.stream, flood.as_bytes()).is_ok() {}
        });
        std::thread::sleep(Duration::from_millis(200));
        for _ in 0..10 {
            assert_answered(&mut Client::connect(address));
        }
        stop();
        flooder.join().unwrap();
        reading.join().unwrap();
    });
}

#[test]
fn stopping_answers_the_requests_under_way() {
    let (mut waiting, mut idle) = (Vec::new(), None);
    let settings = settings_with(|settings| {
        settings.slow_workers = 1;
        settings.drain_time = PATIENCE;
    });
    let service = TestService::default();
    with_service(&service, &settings, |address, stop| {
        for _ in 0..5 {
            let mut client = Client::connect(address);
            client.send(get("/hash"));
            waiting.push(client);
        }
        let mut client = Client::connect(address);
        assert_answered(&mut client);
        idle = Some(client);
        eventually(|| service.asked.load(Ordering::SeqCst) == 6);
        stop();
    });
    for client in &mut waiting {
        assert_eq!(client.reply("GET").status(), 200);
        assert_eq!(client.rest(), "");
    }
    assert_eq!(idle.unwrap().rest(), "");
    assert_eq!(service.hashed.load(Ordering::SeqCst), 5);
}

/// When the watchdog of the test below was told that the engine goes on.
static FED: Mutex<Vec<Instant>> = Mutex::new(Vec::new());

#[test]
fn the_watchdog_is_not_told_while_a_thread_is_stuck() {
    let feed = || FED.lock().unwrap().push(Instant::now());
    let (time, patience) = (Duration::from_millis(400), Duration::from_millis(200));
    let watchdog = Watchdog { time, patience, feed };
    let settings = settings_with(|settings| settings.watchdog = Some(watchdog));
    let fed = || FED.lock().unwrap().len();
    with_engine(&settings, |address, _| {
        eventually(|| fed() >= 3);
        let mut client = Client::connect(address);
        client.send(get("/stuck"));
        assert_eq!(client.reply("GET").status(), 200);
        let at_the_end = fed();
        eventually(|| fed() > at_the_end + 3);
        // A worker was at one thing for 1.5 s, and 0.2 s are too long. One call that was decided on
        // before may come late, and split the other 1.3 s.
        let times = FED.lock().unwrap();
        let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(longest >= Some(Duration::from_millis(600)), "{longest:?}");
    });
}

#[test]
fn stopping_waits_at_most_for_the_drain_time() {
    let settings = settings_with(|settings| {
        settings.drain_time = SHORT;
        settings.limits.unread_time = 2 * PATIENCE;
    });
    let start = Instant::now();
    let mut silent = None;
    with_engine(&settings, |address, stop| {
        let mut stuck = Client::connect(address);
        stuck.send(request("POST", "/", &[("Content-Length", "5")], "") + "he");
        // More answers than the socket buffers hold, and nobody reads them.
        let mut client = Client::connect(address);
        client.send(get("/large").repeat(1_000));
        silent = Some(client);
        std::thread::sleep(Duration::from_millis(100));
        stop();
        // A body has another second after the stop, which can be over first on a slow machine.
        let rest = stuck.rest();
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408 "), "{rest}");
    });
    assert!(start.elapsed() < PATIENCE);
    drop(silent);
}

#[test]
fn stopping_closes_connections_that_are_owed_no_answer_at_once() {
    let settings = settings_with(|settings| settings.drain_time = 2 * PATIENCE);
    let service = TestService::holding(Vec::new());
    let mut stopped = None;
    with_service(&service, &settings, |address, stop| {
        let mut silent = Client::connect(address);
        let mut head = Client::connect(address);
        head.send("GET / HTTP/1.1\r\nHost: ");
        let mut second = Client::connect(address);
        assert_answered(&mut second);
        second.send("GET / HT");
        let mut idle = Client::connect(address);
        assert_answered(&mut idle);
        let mut owed = Client::connect(address);
        owed.send(get("/hash"));
        eventually(|| service.asked.load(Ordering::SeqCst) == 3);
        stop();
        stopped = Some(Instant::now());
        // While one answer is owed, and does not come.
        for client in [&mut silent, &mut head, &mut second, &mut idle] {
            assert_eq!(client.rest(), "", "closed without an answer");
        }
        service.held.store(false, Ordering::SeqCst);
        assert_eq!(owed.reply("GET").body, "hello");
    });
    let took = stopped.unwrap().elapsed();
    assert!(took < PATIENCE, "{took:?}");
}
