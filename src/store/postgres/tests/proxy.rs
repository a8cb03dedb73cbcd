//! A server between lictor and PostgreSQL that loses what it is told to lose.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::store::postgres::target::{Address, Host};

/// What happens when the client sends certain bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// They do not arrive, and the connection ends.
    Before,
    /// They arrive; the answer does not, and the connection ends.
    After,
}

#[derive(Debug, Default)]
struct Control {
    /// New connections end at once.
    refuses: bool,
    /// Nothing goes through, and nothing ends.
    stalls: bool,
    /// Cuts once, on these bytes.
    trap: Option<(&'static str, Cut)>,
    open: Vec<TcpStream>,
    /// Messages that clients have sent: what was read at once.
    sent: usize,
    ended: bool,
}

#[derive(Debug)]
pub(in crate::store::postgres) struct Proxy {
    pub(in crate::store::postgres) port: u16,
    control: Arc<Mutex<Control>>,
}

impl Proxy {
    pub(in crate::store::postgres) fn to(server: &Host) -> Proxy {
        let Address::Tcp(name) = &server.address else { panic!("the tests need a server on TCP") };
        let (name, port) = (name.clone(), server.port);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Proxy { port: listener.local_addr().unwrap().port(), control: Arc::default() };
        let control = Arc::clone(&proxy.control);
        thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.unwrap();
                let mut state = control.lock().unwrap();
                if state.ended {
                    return;
                }
                if state.refuses {
                    continue;
                }
                let server = TcpStream::connect((name.as_str(), port)).unwrap();
                for stream in [&client, &server] {
                    stream.set_nodelay(true).unwrap();
                    state.open.push(stream.try_clone().unwrap());
                }
                drop(state);
                for (from, to, from_client) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap(), true),
                    (server, client, false),
                ] {
                    let control = Arc::clone(&control);
                    thread::spawn(move || pass(from, to, from_client, &control));
                }
            }
        });
        proxy
    }

    /// Cuts all connections.
    pub(in crate::store::postgres) fn cut(&self) {
        for stream in self.control.lock().unwrap().open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn refuse(&self, refuses: bool) {
        self.control.lock().unwrap().refuses = refuses;
    }

    pub(super) fn stall(&self, stalls: bool) {
        self.control.lock().unwrap().stalls = stalls;
    }

    /// Cuts the connection on which a client next sends `bytes`.
    pub(super) fn trap(&self, bytes: &'static str, cut: Cut) {
        self.control.lock().unwrap().trap = Some((bytes, cut));
    }

    /// How often clients have sent something.
    pub(super) fn sent(&self) -> usize {
        self.control.lock().unwrap().sent
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.control.lock().unwrap().ended = true;
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        self.cut();
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, from_client: bool, control: &Mutex<Control>) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let bytes = &buffer[..length];
        while control.lock().unwrap().stalls {
            thread::sleep(Duration::from_millis(2));
        }
        let mut state = control.lock().unwrap();
        state.sent += usize::from(from_client);
        let is_in = |text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        let cut = match state.trap {
            Some((text, cut)) if from_client && is_in(text) => {
                state.trap = None;
                Some(cut)
            }
            _ => None,
        };
        drop(state);
        match cut {
            None if to.write_all(bytes).is_err() => break,
            None => {}
            Some(Cut::Before) => break,
            Some(Cut::After) => {
                // Nothing of the answer gets through.
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.write_all(bytes);
                // The server works on it for a while.
                thread::sleep(Duration::from_millis(100));
                break;
            }
        }
    }
    for stream in [&from, &to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
