//! Good requests with a few changes: ten thousand of them, the same ones in every run.

use super::answers::conversation;
use super::vitals::Target;
use crate::support::{PASSWORD, request, signed};

/// A small generator of random numbers (xorshift64*): the same seed gives the same attack.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        number as usize % end.max(1)
    }

    pub fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// Inserted into requests, besides random bytes.
const PIECES: [&[u8]; 24] = [
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: other\r\n",
    b"Expect: 100-continue\r\n",
    b"Connection: close\r\n",
    b"Origin: http://\xff\r\n",
    b"Cookie: access_token=x; access_token=y\r\n",
    b"Authorization: Bearer \r\n",
    b"0\r\n\r\n",
    b"ffffffff\r\n",
    b"HTTP/1.0",
    b"\xc3\x28",
    b"\\ud800",
    b"[[[[[[[[",
    b"%00%2f..;?#",
];

/// The requests before the changes. An unchanged login or registration hashes a password, so most of
/// these are refused before that.
pub fn good(token: &str) -> Vec<String> {
    let bearer = format!("Bearer {token}");
    let cookie = format!("a=b; access_token={token}");
    let chunked = |path: &str, chunks: &str| {
        request("POST", path, &[("Transfer-Encoding", "chunked")], "") + chunks
    };
    vec![
        request("GET", "/api/", &[], ""),
        request("GET", "/api?x=y", &[], ""),
        request("GET", "/api/protected", &[("Authorization", &bearer)], ""),
        request("GET", "/api/protected", &[("Cookie", &cookie), ("Origin", "http://a.b")], ""),
        request(
            "OPTIONS",
            "/api/protected",
            &[("Origin", "http://a.b"), ("Access-Control-Request-Method", "GET")],
            "",
        ),
        request("POST", "/api/refresh", &[], token),
        request("POST", "/api/login", &[("Content-Type", "application/json")], "{\"username\":1}"),
        request("POST", "/api/registration", &[], r#"{"username":"a","password":"short"}"#),
        chunked("/api/refresh", "5;x=\"y\"\r\nhello\r\n3\r\nabc\r\n0\r\nT: u\r\n\r\n"),
        chunked("/api/login", "b\r\n{\"username\"\r\n4\r\n:\"a\"\r\n1\r\n}\r\n0\r\n\r\n"),
        request("GET", "/api/", &[], "").repeat(3),
    ]
}

/// A request with one to four changes.
pub fn spoiled(good: &[String], random: &mut Random) -> Vec<u8> {
    let mut bytes = random.one(good).clone().into_bytes();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(8) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
            1 if !bytes.is_empty() => bytes[at] = random.below(256) as u8,
            2 => bytes.insert(at, random.below(256) as u8),
            3 => drop(bytes.drain(at..end)),
            4 => {
                let part = bytes[at..end].to_vec();
                bytes.splice(end..end, part);
            }
            5 => {
                let piece = random.one(&PIECES);
                bytes.splice(at..at, piece.iter().copied());
            }
            6 => {
                let other = random.one(good).as_bytes();
                let from = random.below(other.len());
                bytes.splice(at.., other[from..].iter().copied());
            }
            _ if random.below(4) == 0 => bytes.truncate(at),
            _ => {}
        }
    }
    bytes
}

#[test]
fn ten_thousand_spoiled_requests() {
    const SEED: u64 = 20_261_124;
    const THREADS: u64 = 4;
    let target = Target::start_warm();
    let token = target.register("ada", PASSWORD).token();
    let mut good = good(&token);
    good.push(request("POST", "/api/refresh", &[], &signed(&serde_json::json!({"exp": 1}))));
    let counts = std::thread::scope(|scope| {
        let (target, good) = (&target, &good);
        let attackers: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let seed = SEED + thread;
                    let mut random = Random::new(seed);
                    let mut counts = [0; 6];
                    for number in 0..10_000 / THREADS {
                        let bytes = spoiled(good, &mut random);
                        let statuses =
                            conversation(target.address, &bytes).unwrap_or_else(|what| {
                                let bytes = bytes.escape_ascii();
                                panic!("seed {seed}, number {number}: {what} for {bytes}")
                            });
                        for status in statuses {
                            counts[usize::from(status / 100)] += 1;
                        }
                        if number % 500 == 0 {
                            target.fresh();
                        }
                    }
                    counts
                })
            })
            .collect();
        let all = attackers.into_iter().map(|attacker| attacker.join().unwrap());
        all.fold([0; 6], |sum, counts| std::array::from_fn(|i| sum[i] + counts[i]))
    });
    // The server read them: some were still good, many were not, few got no answer.
    println!("answers by hundreds: {counts:?}");
    assert!(counts[2] > 500 && counts[4] > 5_000 && counts[5] > 8, "{counts:?}");
    target.unharmed();
}
