//! The engine as a library, on real sockets, with limits short enough to wait for.

use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lictor::clock::Timestamp;
use lictor::http::{Answer, Pool, Queued, Request, Response, Service};
use lictor::net::{self, Settings, Stop};

use crate::support::{Client, PATIENCE, request};

/// Answers "hello". `/hash` takes 200 ms in pool 0, and `/write` in pool 1. `/panic` panics on a
/// worker, and `/hash-panic` in pool 0; `/large` has a large body; `/stuck` keeps a worker for 1.5
/// s.
#[derive(Default)]
struct TestService {
    /// If there are none, the engine makes pool 0 from its settings.
    pools: Vec<Pool>,
    hashed: AtomicUsize,
}

fn hello() -> Response {
    Response::fixed(200, "text/plain", &b"hello"[..])
}

impl Service for TestService {
    fn pools(&self) -> Vec<Pool> {
        self.pools.clone()
    }

    fn answer(&self, request: &Request<'_>, _: Timestamp) -> Answer {
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
        std::thread::sleep(Duration::from_millis(200));
        self.hashed.fetch_add(1, Ordering::SeqCst);
        Answer::Ready(hello())
    }
}

/// The default settings but for what `change` does to them.
fn settings_with(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

/// One thread for what is slow, and times short enough to wait for.
fn short() -> Settings {
    settings_with(|settings| {
        settings.slow_workers = 1;
        settings.limits.head_time = Duration::from_millis(500);
        settings.limits.body_time = Duration::from_millis(500);
        settings.limits.idle_time = Duration::from_millis(700);
        settings.limits.unread_time = Duration::from_millis(500);
        settings.limits.linger_time = Duration::from_millis(500);
    })
}

/// Serves while `act` runs, then stops; returns the service.
fn with_engine(settings: &Settings, act: impl FnOnce(SocketAddr, &dyn Fn())) -> TestService {
    with_service(TestService::default(), settings, act)
}

fn with_service(
    service: TestService,
    settings: &Settings,
    act: impl FnOnce(SocketAddr, &dyn Fn()),
) -> TestService {
    let listener = net::listen("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let stop = Stop::new().unwrap();
    let stopper = stop.stopper().unwrap();
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| net::serve(listener, &service, settings, &stop).unwrap());
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
    service
}

fn get(path: &str) -> String {
    request("GET", path, &[], "")
}

fn assert_answered(client: &mut Client) {
    client.send(get("/"));
    assert_eq!(client.reply("GET").body, "hello");
}

#[test]
fn every_wait_has_a_deadline() {
    with_engine(&short(), |address, _| {
        let mut silent = Client::connect(address);
        let mut slow_head = Client::connect(address);
        slow_head.send("GET / HT");
        let mut slow_body = Client::connect(address);
        slow_body.send(request("POST", "/", &[("Content-Length", "5")], "") + "he");
        let mut idle = Client::connect(address);
        assert_answered(&mut idle);
        for client in [&mut silent, &mut slow_head, &mut slow_body] {
            let reply = client.reply("GET");
            assert_eq!(reply.error(), (408, "RequestTimeout".into()));
            assert_eq!(reply.header("connection"), Some("close"));
            assert_eq!(client.rest(), "");
        }
        assert_eq!(idle.rest(), "", "closed without an answer");
        // A client that goes on sending requests is not idle.
        let mut busy = Client::connect(address);
        for _ in 0..5 {
            std::thread::sleep(Duration::from_millis(300));
            assert_answered(&mut busy);
        }
    });
}

#[test]
fn a_timeout_is_answered_once_even_when_every_worker_is_busy() {
    let mut settings = short();
    settings.workers = 1;
    with_engine(&settings, |address, _| {
        let mut slow = Client::connect(address);
        slow.send("GET / HT");
        std::thread::sleep(Duration::from_millis(200));
        let mut busy = Client::connect(address);
        busy.send(get("/stuck"));
        assert_eq!(slow.reply("GET").error(), (408, "RequestTimeout".into()));
        assert_eq!(slow.rest(), "", "exactly one reply");
        assert_eq!(busy.reply("GET").body, "hello");
    });
}

#[test]
fn bytes_that_come_slowly_extend_no_deadline() {
    with_engine(&short(), |address, _| {
        let mut slow = Client::connect(address);
        let start = Instant::now();
        for byte in get("/").bytes().cycle() {
            if std::io::Write::write_all(&mut slow.stream, &[byte]).is_err() || byte == b'\n' {
                break;
            }
            std::thread::sleep(Duration::from_millis(100));
            if start.elapsed() > Duration::from_secs(2) {
                break;
            }
        }
        assert_eq!(slow.reply("GET").status(), 408);
    });
}

#[test]
fn a_client_that_does_not_read_is_cut() {
    with_engine(&short(), |address, _| {
        let mut silent = Client::connect(address);
        // Far more than the socket buffers hold, so the server stops reading at some point.
        silent.stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
        let many = get("/large").repeat(100_000);
        let _ = std::io::Write::write_all(&mut silent.stream, many.as_bytes());
        std::thread::sleep(Duration::from_millis(1500));
        // The server has closed, although the client has read nothing: writing fails, and not
        // because the socket buffer is full.
        let error = std::io::Write::write_all(&mut silent.stream, &[b'x'; 100_000]).unwrap_err();
        assert_ne!(error.kind(), std::io::ErrorKind::WouldBlock, "still open");
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
    with_engine(&Settings::default(), |address, _| {
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
    with_engine(&Settings::default(), |address, _| {
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
    let settings = settings_with(|settings| settings.max_connections = 3);
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
    with_engine(&settings, |address, _| {
        let mut clients: Vec<Client> = (0..2).map(|_| Client::connect(address)).collect();
        // Between two answers as well.
        clients.iter_mut().for_each(|client| client.send(get("/hash").repeat(5)));
        std::thread::sleep(Duration::from_millis(50));
        for _ in 0..20 {
            assert_eq!(Client::connect(address).rest(), "");
        }
        for client in &mut clients {
            for _ in 0..5 {
                assert_eq!(client.reply("GET").body, "hello");
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
    let mut settings = short();
    settings.slow_queue = 1;
    let pools = vec![settings.pool("hash", 1), settings.pool("write", 1)];
    with_service(TestService { pools, ..TestService::default() }, &settings, |address, _| {
        let mut clients: Vec<Client> = (0..8).map(|_| Client::connect(address)).collect();
        // Neither pool waits for the other.
        for (index, client) in clients.iter_mut().enumerate() {
            client.send(get(["/hash", "/write"][index / 4]));
            std::thread::sleep(Duration::from_millis(10));
        }
        // Of each pool's four, one runs, one waits, two are refused; those two are answered first.
        for first in [0, 4] {
            for (index, expected) in [(2, 503), (3, 503), (0, 200), (1, 200)] {
                let index = first + index;
                assert_eq!(clients[index].reply("GET").status(), expected, "{index}");
            }
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
    with_service(service, &settings, |address, stop| {
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
    let service =
        with_engine(&settings_with(|settings| settings.slow_workers = 1), |address, stop| {
            for _ in 0..5 {
                let mut client = Client::connect(address);
                client.send(get("/hash"));
                waiting.push(client);
            }
            let mut client = Client::connect(address);
            assert_answered(&mut client);
            idle = Some(client);
            std::thread::sleep(Duration::from_millis(100));
            stop();
        });
    for client in &mut waiting {
        assert_eq!(client.reply("GET").status(), 200);
        assert_eq!(client.rest(), "");
    }
    assert_eq!(idle.unwrap().rest(), "");
    assert_eq!(service.hashed.load(Ordering::SeqCst), 5);
}

#[test]
fn stopping_waits_at_most_for_the_drain_time() {
    let settings = settings_with(|settings| settings.drain_time = Duration::from_millis(300));
    let start = Instant::now();
    with_engine(&settings, |address, stop| {
        let mut stuck = Client::connect(address);
        stuck.send(request("POST", "/", &[("Content-Length", "5")], "") + "he");
        std::thread::sleep(Duration::from_millis(100));
        stop();
        assert_eq!(stuck.rest(), "");
    });
    assert!(start.elapsed() < PATIENCE);
}

#[test]
fn stopping_closes_connections_that_are_owed_no_answer_at_once() {
    let settings = settings_with(|settings| settings.drain_time = PATIENCE);
    let mut stopped = None;
    with_engine(&settings, |address, stop| {
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
        std::thread::sleep(Duration::from_millis(100));
        stop();
        stopped = Some(Instant::now());
        for client in [&mut silent, &mut head, &mut second, &mut idle] {
            assert_eq!(client.rest(), "", "closed without an answer");
        }
        assert_eq!(owed.reply("GET").body, "hello");
    });
    let took = stopped.unwrap().elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
}
