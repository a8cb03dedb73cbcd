//! Tests with servers that break the protocol, each on a real socket. Whatever a server sends, the
//! caller gets an error before the deadline, and never a panic.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;
use crate::store::postgres::target::{Address, TlsMode};

/// Time limit on what a server does not answer.
const SHORT: Duration = Duration::from_millis(400);
/// Time limit on what a server answers, or ends: on a busy machine that may take long.
const LONG: Duration = Duration::from_secs(60);
/// A test fails if something takes this much longer than its limit.
const SLACK: Duration = Duration::from_secs(60);
/// Bytes that take longer than that, one each 50 ms.
const DRIPS: usize = 2_000;

/// What a scripted server does.
#[derive(Clone)]
enum Step {
    /// Waits for something from the client.
    Read,
    Send(Vec<u8>),
    /// Sends a byte each 50 ms.
    Drip(Vec<u8>),
    /// Answers the SCRAM of a client.
    Scram(Scram),
    Close,
}
use Step::{Close, Drip, Read, Send};

/// What the server says in SCRAM.
#[derive(Clone, Copy)]
struct Scram {
    /// Whether its nonce begins with that of the client.
    nonce: bool,
    salt: &'static str,
    iterations: &'static str,
}

/// A message.
fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

/// A message that says another length than it has.
fn lie(tag: u8, length: u32, body: &[u8]) -> Vec<u8> {
    [&[tag], &length.to_be_bytes()[..], body].concat()
}

fn request(kind: u32) -> Vec<u8> {
    message(b'R', &kind.to_be_bytes())
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

/// The login of a server that asks for no password.
fn welcome() -> Vec<u8> {
    [request(0), message(b'S', b"server_version\x0015\0"), message(b'K', &[0; 8]), ready()].concat()
}

fn sasl(mechanisms: &[u8]) -> Vec<u8> {
    message(b'R', &[&10_u32.to_be_bytes()[..], mechanisms].concat())
}

fn error(fields: &[u8]) -> Vec<u8> {
    message(b'E', &[fields, b"\0"].concat())
}

/// A RowDescription of columns of these types.
fn columns(types: &[u32]) -> Vec<u8> {
    let mut body = u16::try_from(types.len()).unwrap().to_be_bytes().to_vec();
    for oid in types {
        body.extend_from_slice(b"name\0\0\0\0\0\0\0");
        body.extend_from_slice(&oid.to_be_bytes());
        body.extend_from_slice(&[0; 8]);
    }
    message(b'T', &body)
}

/// What comes before the rows of a statement that is new.
fn prepared(types: &[u32]) -> Vec<u8> {
    [message(b'1', b""), message(b't', &[0, 0]), columns(types), message(b'2', b"")].concat()
}

fn data(count: u16, columns: &[u8]) -> Vec<u8> {
    message(b'D', &[&count.to_be_bytes()[..], columns].concat())
}

fn done() -> Vec<u8> {
    [message(b'C', b"SELECT 1\0"), ready()].concat()
}

/// Starts a server for one connection.
fn serve(steps: Vec<Step>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        for step in steps {
            if play(&mut socket, step).is_none() {
                return;
            }
        }
        // Stays until the client goes.
        let _ = socket.read_to_end(&mut Vec::new());
    });
    port
}

/// Nothing if the client has gone, or the connection is closed.
fn play(socket: &mut TcpStream, step: Step) -> Option<()> {
    match step {
        Read => heard(socket).map(drop),
        Send(bytes) => socket.write_all(&bytes).ok(),
        Drip(bytes) => bytes.iter().try_for_each(|byte| {
            thread::sleep(Duration::from_millis(50));
            socket.write_all(&[*byte]).ok()
        }),
        Step::Scram(scram) => answer_scram(socket, scram),
        Close => None,
    }
}

fn heard(socket: &mut TcpStream) -> Option<Vec<u8>> {
    let mut buffer = [0; 65_536];
    let count = socket.read(&mut buffer).ok().filter(|&count| count > 0)?;
    Some(buffer[..count].to_vec())
}

fn answer_scram(socket: &mut TcpStream, scram: Scram) -> Option<()> {
    let first = heard(socket)?;
    let first = String::from_utf8_lossy(&first);
    let nonce = first.rsplit("r=").next()?;
    let nonce = if scram.nonce { nonce } else { "another" };
    let answer = format!("r={nonce}server,s={},i={}", scram.salt, scram.iterations);
    let body = [&11_u32.to_be_bytes()[..], answer.as_bytes()].concat();
    socket.write_all(&message(b'R', &body)).ok()?;
    heard(socket).map(drop)
}

fn target(port: u16, tls: TlsMode) -> Target {
    let address = Address::Tcp("127.0.0.1".into());
    let password = Some(zeroize::Zeroizing::new("secret-word".to_owned()));
    Target {
        hosts: vec![Host { address, port, password }],
        user: "lictor".into(),
        name: "lictor".into(),
        tls,
        root_certificates: None,
        must_bind: false,
        writable: false,
        connections: 12,
    }
}

fn connect_within(steps: Vec<Step>, tls: TlsMode, limit: Duration) -> Result<Connection, Failure> {
    let target = target(serve(steps), tls);
    let begin = Instant::now();
    let opened = Connection::open(&target, &target.hosts[0], begin + limit);
    assert!(begin.elapsed() < limit + SLACK, "{:?}", begin.elapsed());
    opened
}

/// A connection to a server that lets everybody in, and then does this.
fn guest(steps: &[Step]) -> Connection {
    let script = [&[Read, Send(welcome())], steps].concat();
    connect_within(script, TlsMode::Disable, LONG).unwrap()
}

fn run(
    connection: &mut Connection,
    row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
) -> Result<Vec<u64>, Failure> {
    run_within(connection, LONG, row)
}

fn run_within(
    connection: &mut Connection,
    limit: Duration,
    row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
) -> Result<Vec<u64>, Failure> {
    let begin = Instant::now();
    let batch = [Statement { sql: "SELECT hostile", values: &[] }];
    let done = connection.run(&batch, begin + limit, &mut |_, data| row(data));
    assert!(begin.elapsed() < limit + SLACK, "{:?}", begin.elapsed());
    done
}

/// The time limits with which an error is looked for that says `expected`. One about the time comes at
/// the limit; but on a busy machine the server may not have come as far as it must by then.
fn limits(expected: &str) -> &'static [Duration] {
    static LIMITS: [Duration; 3] = [SHORT, Duration::from_secs(4), LONG];
    if expected.contains("too long") { &LIMITS } else { &LIMITS[2..] }
}

/// The error of a login must say `expected`.
#[track_caller]
fn check_login(steps: Vec<Step>, tls: TlsMode, expected: &str) {
    let mut text = String::new();
    let found = limits(expected).iter().any(|limit| {
        match connect_within(steps.clone(), tls, *limit) {
            Err(failure @ Failure::Lost(_)) => text = failure.to_string(),
            other => panic!("{other:?} instead of {expected:?}"),
        }
        assert!(!text.contains("secret-word"), "{text:?}");
        text.contains(expected)
    });
    assert!(found, "{text:?} instead of {expected:?}");
}

#[test]
fn a_login_that_breaks_the_protocol_is_an_error() {
    let notice = message(b'N', b"SNOTICE\0\0");
    let answers: Vec<(Vec<Step>, &str)> = vec![
        (vec![Close], "closed"),
        (vec![Read, Close], "closed"),
        (vec![Read], "too long"),
        (vec![Read, Drip(welcome())], "too long"),
        (vec![Read, Drip(notice.repeat(DRIPS / notice.len()))], "too long"),
        (vec![Read, Send(notice.repeat(5_000))], "too many notices"),
        (vec![Read, Send(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec())], "of 1414811695 bytes"),
        (vec![Read, Send(lie(b'R', 0x7fff_ffff, b""))], "of 2147483647 bytes"),
        (vec![Read, Send(lie(b'R', u32::MAX, b""))], "of 4294967295 bytes"),
        (vec![Read, Send(lie(b'R', 0, b""))], "of 0 bytes"),
        (vec![Read, Send(lie(b'R', 3, b""))], "of 3 bytes"),
        (vec![Read, Send(lie(b'S', 1 << 21, b""))], "of 2097152 bytes"),
        (vec![Read, Send(message(b'R', &[0, 0]))], "too short"),
        (vec![Read, Send(message(b'R', b""))], "too short"),
        (vec![Read, Send(ready())], "does not belong"),
        (vec![Read, Send(message(b'v', &[0; 8]))], "does not belong"),
        (vec![Read, Send(data(0, b""))], "does not belong"),
        (vec![Read, Send([request(0), request(0)].concat())], "does not belong"),
        (vec![Read, Send([request(0), message(b'Z', b"X")].concat())], "unknown state"),
        (vec![Read, Send([request(0), message(b'Z', b"")].concat())], "too short"),
        (vec![Read, Send(request(0))], "too long"),
        (vec![Read, Send(error(b"Mno code\0"))], "without a code"),
        (vec![Read, Send(error(b"C28\0"))], "without a code"),
        (vec![Read, Send(message(b'E', b"C28000\0Mx"))], "too short"),
        (vec![Read, Send(message(b'E', b"C28000\0\0more"))], "too long"),
    ];
    for (steps, expected) in answers {
        check_login(steps, TlsMode::Disable, expected);
    }
}

#[test]
fn logins_that_are_not_safe_are_refused() {
    let md5 = message(b'R', &[0, 0, 0, 5, 1, 2, 3, 4]);
    let answers: Vec<(Vec<u8>, &str)> = vec![
        (md5, "scram-sha-256"),
        (request(3), "not safe"),
        (request(2), "(2)"),
        (request(7), "(7)"),
        (request(9), "(9)"),
        (request(99), "(99)"),
        (request(11), "(11)"),
        (request(12), "(12)"),
        (sasl(b"\0"), "does not offer SCRAM-SHA-256"),
        (sasl(b"OAUTHBEARER\0\0"), "does not offer SCRAM-SHA-256"),
        (sasl(b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"), "without TLS"),
        (sasl(b"SCRAM-SHA-256\0"), "too short"),
        (sasl(b""), "too short"),
        (sasl(b"SCRAM-SHA-256\0\0more"), "too long"),
    ];
    for (answer, expected) in answers {
        check_login(vec![Read, Send(answer)], TlsMode::Disable, expected);
    }
}

#[test]
fn a_server_that_does_not_know_the_password_is_refused() {
    let offer = || Send(sasl(b"SCRAM-SHA-256\0\0"));
    let scram = |nonce, salt, iterations| Step::Scram(Scram { nonce, salt, iterations });
    let good = || scram(true, "c2FsdA==", "4096");
    let last = |text: &[u8]| {
        let body = [&12_u32.to_be_bytes()[..], text].concat();
        Send([message(b'R', &body), welcome()].concat())
    };
    let scripts: Vec<(Vec<Step>, &str)> = vec![
        (vec![scram(false, "c2FsdA==", "4096")], "invalid nonce"),
        (vec![scram(true, "c2FsdA==", "0")], "asks for 0 iterations"),
        (vec![scram(true, "c2FsdA==", "1")], "asks for 1 iterations"),
        (vec![scram(true, "c2FsdA==", "4294967295")], "asks for 4294967295 iterations"),
        (vec![scram(true, "c2FsdA==", "99999999999999999999")], "no number of iterations"),
        (vec![scram(true, "c2FsdA==", "-1")], "no number of iterations"),
        (vec![scram(true, "c2FsdA==", "")], "no number of iterations"),
        (vec![scram(true, "=", "4096")], "failed at SCRAM"),
        (vec![good(), last(b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")], "verification"),
        (vec![good(), last(b"v=")], "verification"),
        (vec![good(), last(b"e=other-error")], "other-error"),
        (vec![good(), last(b"")], "failed at SCRAM"),
        (vec![good(), last(b"\xff\xff")], "failed at SCRAM"),
        // Without the proof of the server.
        (vec![good(), Send(welcome())], "did not finish the login"),
        (vec![good(), Send(ready())], "does not belong"),
        (vec![Read, Send(welcome())], "did not finish the login"),
    ];
    for (steps, expected) in scripts {
        let steps = [vec![Read, offer()], steps].concat();
        check_login(steps, TlsMode::Disable, expected);
    }
}

#[test]
fn a_server_without_tls_gets_no_login() {
    let early = [&b"S"[..], &welcome()].concat();
    // The begin of a TLS record of 80 bytes.
    let record = [&[22, 3, 3, 0, 80, 2, 0, 0, 76][..], &[0; 76]].concat();
    let answers: Vec<(Vec<Step>, &str)> = vec![
        (vec![Read, Send(b"N".to_vec())], "TLS: the server does not offer it"),
        (vec![Read, Send(error(b"SFATAL\0C28000\0Mcome in\0"))], "TLS: the server refused"),
        (vec![Read, Send(b"HTTP/1.1 400\r\n".to_vec())], "TLS: this is not a PostgreSQL server"),
        (vec![Read, Send(welcome())], "TLS: this is not a PostgreSQL server"),
        (vec![Read, Send(early)], "TLS: "),
        (vec![Read, Send(b"S".to_vec()), Close], "TLS: "),
        (vec![Read, Send(b"S".to_vec())], "TLS: the server took too long"),
        (vec![Read, Send(b"S".to_vec()), Drip(record)], "TLS: the server took too long"),
        (vec![Read, Close], "closed"),
        (vec![Read], "too long"),
    ];
    for (steps, expected) in answers {
        check_login(steps, TlsMode::Require, expected);
    }
}

#[test]
fn an_answer_that_breaks_the_protocol_ends_the_connection() {
    let int8 = || prepared(&[20]);
    let one = [&8_u32.to_be_bytes()[..], &1_u64.to_be_bytes()].concat();
    let row = data(1, &one);
    let answers: Vec<(Vec<Step>, &str)> = vec![
        (vec![Close], "closed"),
        (vec![], "too long"),
        (vec![Send(ready())], "does not belong"),
        (vec![Send(row.clone())], "does not belong"),
        (vec![Send(message(b'?', b""))], "does not belong"),
        (vec![Send(request(0))], "does not belong"),
        (vec![Send([message(b'1', b""), ready()].concat())], "does not belong"),
        (vec![Send([message(b'1', b""), columns(&[20])].concat())], "does not belong"),
        (vec![Send([int8(), ready()].concat())], "does not belong"),
        (vec![Send([int8(), message(b'G', &[0; 3])].concat())], "does not belong"),
        (vec![Send([int8(), message(b's', b"")].concat())], "does not belong"),
        (vec![Send([int8(), row.clone(), columns(&[20])].concat())], "does not belong"),
        // Nothing after the rows.
        (vec![Send([int8(), row.clone()].concat())], "too long"),
        // No ReadyForQuery.
        (vec![Send([int8(), row.clone(), message(b'C', b"SELECT 1\0")].concat())], "too long"),
        (vec![Send([int8(), message(b'C', b"SELECT 1")].concat())], "too short"),
        (vec![Send([int8(), message(b'C', b"SELECT 1\0x")].concat())], "too long"),
        // Rows that are not what was described.
        (vec![Send([int8(), data(0, b"")].concat())], "0 columns instead of 1"),
        (vec![Send([int8(), data(2, &one.repeat(2))].concat())], "2 columns instead of 1"),
        (vec![Send([int8(), data(u16::MAX, &one)].concat())], "65535 columns instead of 1"),
        (vec![Send([int8(), data(1, b"")].concat())], "too short"),
        (vec![Send([int8(), data(1, &[0, 0, 0])].concat())], "too short"),
        (vec![Send([int8(), data(1, &[0, 0, 0, 9, 1])].concat())], "too short"),
        (vec![Send([int8(), data(1, &[0x7f, 0xff, 0xff, 0xff])].concat())], "too short"),
        (vec![Send([int8(), data(1, &[0xff, 0xff, 0xff, 0xfe])].concat())], "negative length"),
        (vec![Send([int8(), data(1, &[0x80, 0, 0, 0])].concat())], "negative length"),
        (vec![Send([int8(), data(1, &[&one[..], b"more"].concat())].concat())], "too long"),
        (vec![Send([int8(), message(b'D', b"")].concat())], "too short"),
        (vec![Send([int8(), lie(b'D', 17 << 20, &one)].concat())], "of 17825792 bytes"),
        (vec![Send([int8(), lie(b'D', 1 << 20, &one)].concat())], "took too long"),
        (vec![Send([int8(), lie(b'D', 1 << 20, &one)].concat()), Close], "closed"),
        (vec![Send(int8()), Drip(row.repeat(DRIPS / row.len()))], "took too long"),
        // Descriptions that are none.
        (
            vec![Send(
                [message(b'1', b""), message(b't', b""), message(b'T', &[0xff, 0xff])].concat(),
            )],
            "65535 columns",
        ),
        (
            vec![Send([message(b'1', b""), message(b't', b""), message(b'T', &[0, 1])].concat())],
            "too short",
        ),
        (
            vec![Send(
                [message(b'1', b""), message(b't', b""), message(b'T', b"\0\x01name\0\0")].concat(),
            )],
            "too short",
        ),
        (
            vec![Send(
                [message(b'1', b""), message(b't', b""), message(b'T', b"\0\0more")].concat(),
            )],
            "too long",
        ),
        (
            vec![Send(
                [
                    message(b'1', b""),
                    message(b't', b""),
                    message(b'n', b""),
                    message(b'2', b""),
                    row,
                ]
                .concat(),
            )],
            "1 columns instead of 0",
        ),
        (vec![Send(message(b'N', b"SNOTICE\0\0").repeat(5_000))], "too many notices"),
    ];
    for (steps, expected) in answers {
        let mut connection = guest(&[vec![Read], steps].concat());
        match run_within(&mut connection, limits(expected)[0], &mut |_| Ok(())) {
            Err(failure @ Failure::Lost(_)) => {
                let text = failure.to_string();
                assert!(text.contains(expected), "{text:?} instead of {expected:?}");
            }
            other => panic!("{other:?} instead of {expected:?}"),
        }
        assert!(!connection.is_usable(), "{expected:?}");
        let again = run(&mut connection, &mut |_| Ok(())).unwrap_err();
        assert!(matches!(again, Failure::Lost(_)), "{again:?}");
    }
}

#[test]
fn a_value_of_another_type_is_damage_and_ends_the_connection() {
    type Get = fn(&dyn Row) -> Result<(), Fault>;
    let column = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap();
        data(1, &[&length.to_be_bytes()[..], bytes].concat())
    };
    let integer: Get = |row| row.integer(0).map(drop);
    let boolean: Get = |row| row.boolean(0).map(drop);
    let text: Get = |row| row.text(0).map(drop);
    let blob: Get = |row| row.blob(0).map(drop);
    let cases: Vec<(u32, Vec<u8>, Get)> = vec![
        (20, column(&[0; 4]), integer),
        (23, column(&[0; 8]), integer),
        (21, column(&[]), integer),
        (25, column(b"12345678"), integer),
        (1700, column(&[0; 8]), integer),
        (16, column(&[2]), boolean),
        (16, column(&[]), boolean),
        (23, column(&[0; 4]), boolean),
        (25, column(b"\xff"), text),
        (17, column(b"text"), text),
        (25, column(b"text"), blob),
        (0, column(b""), blob),
        (25, column(b"text"), |row| row.text(1).map(drop)),
        (25, column(b"text"), |row| row.text(usize::MAX).map(drop)),
        // NULL of another type is no better.
        (25, data(1, &[0xff; 4]), integer),
    ];
    for (oid, row, get) in cases {
        let answer = [prepared(&[oid]), row.clone(), row, done()].concat();
        let mut connection = guest(&[Read, Send(answer)]);
        let mut rows = 0;
        let failure = run(&mut connection, &mut |row| {
            rows += 1;
            get(row)
        });
        assert!(matches!(failure, Err(Failure::Row(Fault::Damaged(_)))), "{oid}: {failure:?}");
        // The second row was read, but not handed on.
        assert_eq!(rows, 1);
        // The description of the columns was kept, and the next row would not fit either.
        assert!(!connection.is_usable());
    }
}

#[test]
fn an_answer_without_end_ends_the_connection() {
    let value = [&(1_u32 << 20).to_be_bytes()[..], &vec![b'x'; 1 << 20]].concat();
    let rows = Send(data(1, &value));
    let steps = [vec![Read, Send(prepared(&[25]))], vec![rows; 65]].concat();
    let mut connection = guest(&steps);
    let statement = Statement { sql: "SELECT 1", values: &[] };
    let (mut rows, deadline) = (0, Instant::now() + LONG);
    let failure = connection.run(&[statement], deadline, &mut |_, _| {
        rows += 1;
        Ok(())
    });
    assert!(failure.unwrap_err().to_string().contains("more than 67108864 bytes"));
    assert_eq!(rows, 63);
    assert!(!connection.is_usable());
}

#[test]
fn a_server_that_ends_the_connection_is_told_from_one_that_refuses() {
    let fatal = error(b"SFATAL\0VFATAL\0C57P01\0Mbye\nbye\0Dsecret\0");
    let code = |done: Result<Vec<u64>, Failure>| match done {
        Err(Failure::Refused(refusal)) => (refusal.code, refusal.message, refusal.fatal),
        other => panic!("{other:?}"),
    };
    let said = (*b"57P01", "bye bye".to_owned(), true);
    // In an answer.
    let mut connection = guest(&[Read, Send(fatal.clone()), Close]);
    assert_eq!(code(run(&mut connection, &mut |_| Ok(()))), said);
    assert!(!connection.is_usable());
    // Before it was asked: together with the last answer, or later.
    let answer = [prepared(&[20]), done()].concat();
    let together = vec![Read, Send([&answer[..], &fatal].concat()), Close];
    let later = vec![Read, Send(answer.clone()), Send(fatal), Close];
    for steps in [together, later] {
        let mut connection = guest(&steps);
        run(&mut connection, &mut |_| Ok(())).unwrap();
        thread::sleep(Duration::from_millis(50));
        assert_eq!(code(run(&mut connection, &mut |_| Ok(()))), said);
        assert!(!connection.is_usable());
    }
    // An answer that nobody has asked for.
    let mut connection = guest(&[Read, Send([&answer[..], &answer].concat())]);
    run(&mut connection, &mut |_| Ok(())).unwrap();
    assert!(matches!(run(&mut connection, &mut |_| Ok(())), Err(Failure::Lost(_))));
    // A login that is refused.
    let wrong = error(b"SFATAL\0C28P01\0Mpassword authentication failed\0");
    let refused = connect_within(vec![Read, Send(wrong)], TlsMode::Disable, LONG).unwrap_err();
    assert!(matches!(refused, Failure::Refused(Refusal { fatal: true, .. })), "{refused:?}");
}

#[test]
fn a_cut_connection_ends_at_once() {
    let mut connection = guest(&[Read]);
    let breaker = connection.breaker();
    let cutter = thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        breaker.cut();
        breaker
    });
    let begin = Instant::now();
    let batch = [Statement { sql: "SELECT 1", values: &[] }];
    let failure = connection.run(&batch, begin + 2 * LONG, &mut |_, _| Ok(())).unwrap_err();
    assert!(matches!(failure, Failure::Lost(_)), "{failure:?}");
    assert!(begin.elapsed() < LONG);
    drop(connection);
    cutter.join().unwrap().cut(); // a connection that is gone
}

#[test]
fn a_warning_is_noticed_until_the_next_answer() {
    let warning = message(b'N', b"SWARNUNG\0VWARNING\0C01000\0Mcancelled\0\0");
    let notice = message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0");
    let first = [warning, prepared(&[20]), done()].concat();
    let second = [notice, message(b'2', b""), done()].concat();
    let mut connection = guest(&[Read, Send(first), Read, Send(second)]);
    run(&mut connection, &mut |_| Ok(())).unwrap();
    assert!(connection.warned());
    run(&mut connection, &mut |_| Ok(())).unwrap();
    assert!(!connection.warned());
}

#[test]
fn nothing_listens() {
    // No test gets this port when it asks for a free one.
    let target = target(1, TlsMode::Disable);
    let deadline = Instant::now() + LONG;
    let refused = Connection::open(&target, &target.hosts[0], deadline).unwrap_err();
    assert!(refused.to_string().contains("refused"), "{refused}");
    let folder = Host { address: Address::Unix("/nonexistent".into()), ..target.hosts[0].clone() };
    let missing = Connection::open(&target, &folder, deadline).unwrap_err();
    assert!(matches!(missing, Failure::Lost(_)), "{missing:?}");
    let long = Host { address: Address::Unix("/x".repeat(200).into()), ..folder };
    let too_long = Connection::open(&target, &long, deadline).unwrap_err();
    assert!(matches!(too_long, Failure::Lost(_)), "{too_long:?}");
}

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(limit).unwrap()).unwrap()
    }
}

#[test]
fn damaged_answers_never_panic() {
    let column = [&8_u32.to_be_bytes()[..], &[7; 8], &3_u32.to_be_bytes(), b"abc", &[0xff; 4]];
    let row = data(3, &column.concat());
    let notice = message(b'N', b"SNOTICE\0VNOTICE\0C00000\0Mhello\0\0");
    let refusal = error(b"SERROR\0VERROR\0C23505\0Mtaken\0nonly_one\0");
    let good = [prepared(&[20, 25, 17]), notice, row.repeat(2), done()].concat();
    let bad = [prepared(&[20, 25, 17]), row, refusal, ready()].concat();
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for round in 0..1_000 {
        let mut answer = if round % 2 == 0 { good.clone() } else { bad.clone() };
        for _ in 0..=numbers.below(3) {
            let at = numbers.below(answer.len());
            match numbers.below(4) {
                0 => answer.truncate(at.max(1)),
                1 => answer[at] = 0xff,
                2 => answer[at] ^= 1 << numbers.below(8),
                _ => drop(answer.remove(at)),
            }
            if answer.is_empty() {
                break;
            }
        }
        let mut connection = guest(&[Read, Send(answer), Close]);
        let done = run(&mut connection, &mut |row| {
            row.integer(0)?;
            row.text(1)?;
            row.blob(2)?;
            row.boolean(3).map(drop)
        });
        assert!(!matches!(&done, Err(Failure::Row(Fault::Taken(_)))), "{done:?}");
        // What comes next is an error at the latest, because the server has gone.
        assert!(run(&mut connection, &mut |_| Ok(())).is_err());
    }
}
