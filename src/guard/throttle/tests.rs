//! The throttle as a whole: which clients have to wait, and how long.

use super::counters::Backoff;
use super::*;
use crate::guard::Devices;

const START: i64 = 1_800_000_000;

fn ip(text: &str) -> Option<IpAddr> {
    (text != "-").then(|| text.parse().unwrap())
}

/// The outcome of an admitted attempt.
#[derive(Clone, Copy, PartialEq)]
enum Outcome {
    /// The guess is wrong.
    Fails,
    Succeeds,
    /// The login does not go on, but the guess is not wrong.
    Unfinished,
}
use Outcome::{Fails, Succeeds, Unfinished};

fn login(
    attempts: &Attempts,
    name: &str,
    from: &str,
    at: i64,
    outcome: Outcome,
) -> Result<(), u32> {
    login_of(attempts, name, from, None, at, outcome)
}

fn login_of(
    attempts: &Attempts,
    name: &str,
    from: &str,
    device: Option<&Device>,
    at: i64,
    outcome: Outcome,
) -> Result<(), u32> {
    let (never, now) = (Timestamp(0), Timestamp(START + at));
    match (attempts.login(name, ip(from), device, (never, never), now), outcome) {
        (Ok(attempt), Fails) => drop(attempt.end::<()>(Err(Error::Authentication))),
        (Ok(attempt), Succeeds) => drop(attempt.end(Ok(()))),
        (Ok(attempt), Unfinished) => drop(attempt.end::<()>(Err(Error::SecondFactorRequired))),
        (Err(Error::TooManyRequests { wait }), _) => return Err(wait),
        (Err(other), _) => panic!("{other:?}"),
    }
    Ok(())
}

/// Whether an account knows an IP address.
fn knows(attempts: &Attempts, login: &str, client: Option<IpAddr>, since: Timestamp) -> bool {
    attempts.familiarity(login, client, None, since) == Familiarity::Ip
}

/// Makes up to `count` failing attempts in one second; returns how many are admitted in a row.
fn many(attempts: &Attempts, name: &str, from: &str, at: i64, count: usize) -> usize {
    (0..count).take_while(|_| login(attempts, name, from, at, Fails).is_ok()).count()
}

/// Makes every failing attempt that is admitted within `seconds`; returns their number.
fn hammer(attempts: &Attempts, name: &str, from: &str, at: i64, seconds: i64) -> usize {
    (at..at + seconds).map(|at| many(attempts, name, from, at, 1_000)).sum()
}

#[test]
fn an_account_has_five_free_tries_then_waits_grow() {
    let attempts = Attempts::new(true);
    for (at, outcome, expected) in [
        (0, Fails, Ok(())),
        (0, Fails, Ok(())),
        (0, Unfinished, Ok(())),
        (1, Fails, Ok(())),
        (1, Fails, Ok(())),
        (1, Fails, Ok(())),
        (1, Succeeds, Err(1)),
        (2, Fails, Ok(())),
        (2, Succeeds, Err(2)),
        (4, Fails, Ok(())),
        (4, Succeeds, Err(4)),
        (8, Fails, Ok(())),
        (16, Fails, Ok(())),
        (16, Succeeds, Err(16)),
        (32, Fails, Ok(())),
        (32, Succeeds, Err(30)),
        (62, Succeeds, Ok(())),
    ] {
        let got = login(&attempts, "ada", "192.0.2.1", at, outcome);
        assert_eq!(got, expected, "at {at}");
    }
    // The success has cleared the counter, and the account knows the address now.
    assert_eq!(many(&attempts, "ada", "192.0.2.1", 62, 99), 10);
}

#[test]
fn an_ip_has_twenty_free_tries_at_all_accounts_together() {
    let attempts = Attempts::new(true);
    let from = "192.0.2.1";
    for number in 0..20 {
        assert_eq!(login(&attempts, &format!("user-{number}"), from, 0, Fails), Ok(()));
    }
    assert_eq!(login(&attempts, "another", from, 0, Fails), Err(1));
    let check = |from: &str, at| {
        attempts.check_ip(Throttle::Login, ip(from), Timestamp(START + at)).map_err(|e| e.message())
    };
    assert!(check(from, 0).is_err());
    assert_eq!(check(from, 1), Ok(()));
    assert_eq!(check("192.0.2.2", 0), Ok(()));
    assert_eq!(check("-", 0), Ok(()));
    assert!(attempts.check_ip(Throttle::Registration, ip(from), Timestamp(START)).is_ok());
    assert!(attempts.check_ip(Throttle::None, ip(from), Timestamp(START)).is_ok());
    // An attempt that the account refuses does not count by IP address.
    let attempts = Attempts::new(true);
    assert_eq!(many(&attempts, "ada", "192.0.2.2", 0, 99), 5);
    for _ in 0..99 {
        assert_eq!(login(&attempts, "ada", from, 0, Fails), Err(1));
    }
    assert_eq!(login(&attempts, "bob", from, 0, Fails), Ok(()));
}

#[test]
fn a_login_to_an_own_account_does_not_clear_failures_at_others() {
    let attempts = Attempts::new(true);
    let mut tried = 0;
    for round in 0..1_000 {
        let _ = login(&attempts, "mallory", "192.0.2.1", round, Succeeds);
        tried += many(&attempts, &format!("user-{round}"), "192.0.2.1", round, 1);
    }
    assert!(tried < 20 + 6 + 1_000 / 60, "{tried}");
}

#[test]
fn a_stranger_does_not_delay_the_owner() {
    let attempts = Attempts::new(true);
    assert_eq!(login(&attempts, "Ada", "2001:db8::1", 0, Succeeds), Ok(()));
    let strangers: Vec<String> = (0..50).map(|n| format!("192.0.2.{n}")).collect();
    let mut admitted = 0;
    for at in 1..1_000 {
        for stranger in &strangers {
            admitted += many(&attempts, "ada", stranger, at, 9);
        }
        assert_eq!(login(&attempts, "ada", "2001:db8::2", at, Succeeds), Ok(()), "at {at}");
    }
    assert!(admitted < 5 + 5 + 1_000 / 30, "{admitted}");
    // Failures from the owner's network are counted apart, and have to wait as well.
    assert_eq!(many(&attempts, "ada", "2001:db8::3", 1_000, 99), 10);
    assert!(hammer(&attempts, "ada", "2001:db8::3", 1_001, 3_600) < 6 + 3_600 / 30);
    // From an unknown address the owner waits for a turn; one stranger cannot take every turn.
    let attempts = Attempts::new(true);
    hammer(&attempts, "ada", "192.0.2.1", 0, 3_600);
    let turn = (3_600..3_700).find(|&at| {
        many(&attempts, "ada", "192.0.2.1", at, 9);
        login(&attempts, "ada", "198.51.100.1", at, Succeeds).is_ok()
    });
    assert!(turn.is_some_and(|at| at <= 3_600 + 60), "{turn:?}");
}

#[test]
fn an_attacker_does_not_delay_a_user_of_the_same_ip() {
    let attempts = Attempts::new(true);
    let office = "192.0.2.1";
    attempts.remember_ip(&Username::parse("Ada").unwrap(), ip(office), Timestamp(START));
    for number in 0..99 {
        let _ = login(&attempts, &format!("user-{number}"), office, 0, Fails);
    }
    assert!(attempts.check_ip(Throttle::Login, ip(office), Timestamp(START)).is_err());
    assert!(knows(&attempts, "ADA", ip(office), Timestamp(0)));
    assert!(!knows(&attempts, "bob", ip(office), Timestamp(0)));
    assert!(!knows(&attempts, "ada", ip("192.0.2.2"), Timestamp(0)));
    assert!(!knows(&attempts, "ada", None, Timestamp(0)));
    assert_eq!(login(&attempts, "ada", office, 0, Succeeds), Ok(()));
    assert_eq!(login(&attempts, "bob", office, 0, Succeeds), Err(1));
}

#[test]
fn an_attacker_at_the_owners_ip_does_not_delay_a_known_device() {
    let attempts = Attempts::new(true);
    let office = "192.0.2.1";
    attempts.remember_ip(&Username::parse("ada").unwrap(), ip(office), Timestamp(START));
    let now = Timestamp(START);
    let device =
        |user| Devices::default().renewed(user, None, now).unwrap().of(user, Timestamp(0)).unwrap();
    let (hers, other) = (device(1), device(1));
    let mut taken = 0;
    for at in 0..1_000 {
        taken += many(&attempts, "ada", office, at, 9);
        let got = login_of(&attempts, "ada", office, Some(&hers), at, Succeeds);
        assert_eq!(got, Ok(()), "at {at}");
    }
    assert!(taken < 10 + 6 + 1_000 / 30, "{taken}");
    // A thief of a device's secret has to wait, and delays no other device.
    let tries = |device, at| login_of(&attempts, "ada", office, Some(device), at, Fails);
    assert_eq!((0..99).filter(|_| tries(&hers, 2_000).is_ok()).count(), 10);
    let later = (2_001..5_601).filter(|&at| tries(&hers, at).is_ok()).count();
    assert!(later < 6 + 3_600 / 30, "{later}");
    assert!(tries(&other, 5_601).is_ok());
}

#[test]
fn spellings_of_a_name_and_ips_of_a_network_share_a_counter() {
    for (ours, theirs) in [
        (("ada", "192.0.2.1"), ("ADA", "::ffff:192.0.2.1")),
        (("j\u{fc}rgen", "2001:db8::1"), ("Ju\u{308}rgen", "2001:db8::ffff:1")),
        (("ada@mail.example", "192.0.2.1"), ("Ada@Mail.Example", "192.0.2.9")),
        (("\u{ff21}da", "192.0.2.1"), ("ada", "-")),
        (("not a name", "-"), ("not a name", "192.0.2.1")),
    ] {
        let attempts = Attempts::new(true);
        assert_eq!(many(&attempts, ours.0, ours.1, 0, 99), 5);
        assert_eq!(login(&attempts, theirs.0, theirs.1, 0, Fails), Err(1), "{theirs:?}");
        assert_eq!(login(&attempts, "another", theirs.1, 0, Fails), Ok(()));
    }
    let attempts = Attempts::new(true);
    for number in 0..20 {
        let from = format!("2001:db8:1:2:{number}::");
        assert_eq!(login(&attempts, &number.to_string(), &from, 0, Fails), Ok(()));
    }
    assert_eq!(login(&attempts, "x", "2001:db8:1:2:ffff::1", 0, Fails), Err(1));
    assert_eq!(login(&attempts, "x", "2001:db8:1:3::1", 0, Fails), Ok(()));
}

#[test]
fn an_account_had_a_count_for_each_spelling_of_its_domain() {
    let spellings = [
        "ada@b\u{fc}cher.example",
        "ada@xn--bcher-kva.example",
        "Ada@B\u{dc}CHER.example",
        "ada@bu\u{308}cher.Example",
        "ada@XN--BCHER-KVA.example",
        "ada@\u{ff42}\u{fc}cher.exam\u{ff50}le",
    ];
    for first in spellings {
        let attempts = Attempts::new(true);
        assert_eq!(many(&attempts, first, "192.0.2.1", 0, 99), 5);
        for other in spellings {
            assert_eq!(login(&attempts, other, "192.0.2.2", 0, Fails), Err(1), "{other}");
        }
    }
    // Another mailbox.
    let attempts = Attempts::new(true);
    assert_eq!(many(&attempts, "mike@example.org", "192.0.2.1", 0, 99), 5);
    assert_eq!(login(&attempts, "mi\u{212a}e@example.org", "192.0.2.2", 0, Fails), Ok(()));
    // An old account whose name is an e-mail address.
    attempts.remember_ip(
        &Username::parse("Ada@B\u{fc}cher.example").unwrap(),
        ip("192.0.2.3"),
        Timestamp(START),
    );
    assert!(knows(&attempts, "ada@B\u{dc}cher.example", ip("192.0.2.3"), Timestamp(0)));
}

#[test]
fn simultaneous_attempts_count() {
    let attempts = Attempts::new(true);
    let admitted: usize = std::thread::scope(|scope| {
        let tries = |_| scope.spawn(|| many(&attempts, "ada", "192.0.2.1", 0, 99));
        let threads: Vec<_> = (0..8).map(tries).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 5);
}

#[test]
fn an_administrator_unlocks_an_account() {
    let attempts = Attempts::new(true);
    let admitted = |unlocked: i64, at: i64| {
        let (unlocked, now) = (Timestamp(START + unlocked), Timestamp(START + at));
        attempts.login("ada", None, None, (unlocked, Timestamp(0)), now).is_ok()
    };
    assert_eq!(many(&attempts, "ada", "-", 10, 99), 5);
    assert!(!admitted(9, 10));
    assert!(!admitted(11, 10), "a time in the future is ignored");
    assert!(admitted(10, 10));
    assert_eq!(many(&attempts, "ada", "-", 11, 99), 4);
    assert!(!admitted(10, 11), "unlocking clears the counter once");
}

#[test]
fn registrations_count_by_ip_and_confirmed_passwords_by_user() {
    let attempts = Attempts::new(true);
    let register = |from: &str, at| attempts.registration(ip(from), Timestamp(START + at)).is_ok();
    assert_eq!((0..99).filter(|_| register("192.0.2.1", 0)).count(), 30);
    assert!(attempts.check_ip(Throttle::Registration, ip("192.0.2.1"), Timestamp(START)).is_err());
    assert!(attempts.check_ip(Throttle::Login, ip("192.0.2.1"), Timestamp(START)).is_ok());
    assert!(register("192.0.2.2", 0));
    assert!(register("-", 0));
    let day = (0..24 * 3600).filter(|&at| register("192.0.2.1", at)).count();
    assert!(day < 10 + 24 * 3600 / 300, "{day}");

    let password = |user, at| attempts.password(user, Timestamp(START + at));
    for _ in 0..99 {
        password(1, 0).unwrap().end(Ok(())).unwrap();
    }
    assert_eq!((0..99).filter(|_| password(1, 0).is_ok()).count(), 5);
    assert!(password(2, 0).is_ok());
    assert!(password(1, 0).is_err());
    // A right password does not clear the failures of a user who is logged in.
    password(1, 1).unwrap().end(Ok(())).unwrap();
    assert!(password(1, 2).is_ok());
    assert!(password(1, 2).is_err());
}

#[test]
fn codes_are_counted_apart_from_passwords_and_recovery_codes() {
    let attempts = Attempts::new(true);
    let time = |at| Timestamp(START + at);
    let otp = |text| Otp::typed(text).unwrap();
    let (digits, recovery) = (otp("123456"), otp("0123-4567-89AB-CDEF-GHJK-MNPQ"));
    let code = |unlocked, at| attempts.second_factor(1, &digits, Timestamp(unlocked), time(at));
    assert_eq!((0..99).filter(|_| code(0, 0).is_ok()).count(), 5);
    attempts.password(1, time(0)).unwrap().succeed();
    assert!(code(0, 0).is_err(), "a right password is no code");
    assert!(attempts.second_factor(2, &digits, Timestamp(0), time(0)).is_ok(), "another user");
    let by_recovery = || attempts.second_factor(1, &recovery, Timestamp(0), time(0));
    assert_eq!((0..99).filter(|_| by_recovery().is_ok()).count(), 10, "recovery codes");
    code(0, 1).unwrap().succeed();
    assert_eq!((0..99).filter(|_| code(0, 1).is_ok()).count(), 5);
    assert!(code(START + 1, 1).is_ok(), "unlocked");
    // An attacker who takes every turn gets 24 a day, after the free ones and the short waits.
    let month = (2..30 * 24 * 3_600).filter(|&at| code(0, at).is_ok()).count();
    assert!((720..740).contains(&month), "{month}");
}

#[test]
fn a_strangers_registrations_held_up_the_owners_reset() {
    let attempts = Attempts::new(true);
    let (email, now) = (Email::parse("ada@x.example").unwrap(), Timestamp(START));
    let from = |last: u8| ip(&format!("192.0.2.{last}"));
    let registered = (0..20).filter(|&n| attempts.mail(&email, from(n), now).is_ok()).count();
    assert_eq!(registered, 5);
    let asked = (0..20).filter(|&n| attempts.reset(&email, from(n), now).is_ok()).count();
    assert_eq!(asked, 5);
}

#[test]
fn an_address_from_before_another_password_was_still_familiar() {
    let attempts = Attempts::new(true);
    login(&attempts, "ada", "192.0.2.1", 10, Succeeds).unwrap();
    let familiar = |since: i64| knows(&attempts, "ada", ip("192.0.2.1"), Timestamp(START + since));
    assert!(familiar(9) && !familiar(10), "nor a login of the same second");
    // The next login is in the same second, but counts as later.
    let (since, now) = (Timestamp(START + 10), Timestamp(START + 10));
    let ends = (Timestamp(0), since);
    let attempt = attempts.login("ada", ip("192.0.2.1"), None, ends, now).unwrap();
    attempt.end(Ok(())).unwrap();
    assert!(familiar(10) && !familiar(11));
}

#[test]
fn a_throttle_that_is_off_admits_everything() {
    let attempts = Attempts::new(false);
    assert_eq!(many(&attempts, "ada", "192.0.2.1", 0, 999), 999);
    for _ in 0..99 {
        attempts.registration(ip("192.0.2.1"), Timestamp(START)).unwrap();
        let _ = attempts.password(1, Timestamp(START)).unwrap();
    }
    attempts.check_ip(Throttle::Login, ip("192.0.2.1"), Timestamp(START)).unwrap();
    assert_eq!(attempts.limit(Familiarity::Stranger), None);
    assert_eq!(Attempts::new(true).limit(Familiarity::Stranger), Some(100));
}

#[test]
fn wrong_app_passwords_wait_and_known_ones_do_not() {
    let attempts = Attempts::new(true);
    let (home, elsewhere) = ("192.0.2.1", "192.0.2.2");
    let send = |id: Option<&str>, from: &str, at: i64, good: bool| {
        let attempt = attempts.app_password(id, ip(from), Timestamp(START + at));
        let outcome = if good { Ok(()) } else { Err(Error::InvalidAppPassword) };
        match attempt {
            Ok(attempt) => attempt.end(outcome).map_err(|_| 0),
            Err(Error::TooManyRequests { wait }) => Err(wait),
            Err(other) => panic!("{other:?}"),
        }
    };
    for _ in 0..100 {
        assert_eq!(send(Some("phone"), home, 0, true), Ok(()), "right ones are not counted");
    }
    for number in 0..20 {
        let id = number.to_string();
        assert_eq!(send(Some(&id).filter(|_| number > 9).map(|id| &**id), home, 0, false), Err(0));
    }
    for id in [None, Some("other"), Some("0")] {
        assert_eq!(send(id, home, 0, true), Err(1), "{id:?}");
    }
    assert_eq!(send(Some("other"), elsewhere, 0, true), Ok(()));
    assert_eq!(send(Some("other"), home, 0, true), Err(1), "known elsewhere alone");
    // The phone goes on. Once its app password is deleted, it is wrong as often as it likes, and
    // the others wait no longer for that than for a stranger.
    assert_eq!(send(Some("phone"), home, 0, true), Ok(()));
    for at in 0..600 {
        assert_eq!(send(Some("phone"), home, at, false), Err(0));
    }
    assert!(matches!(send(Some("other"), home, 600, true), Err(1..=60)));
    let early = |id, from, at| attempts.check_app_password(id, ip(from), Timestamp(START + at));
    for _ in 0..99 {
        assert!(early("other", home, 600).is_err() && early("phone", home, 600).is_ok());
        assert!(early("other", elsewhere, 600).is_ok() && early("other", home, 660).is_ok());
    }
    // Its turn comes like any other's.
    assert_eq!(send(Some("other"), home, 660, true), Ok(()));
    assert_eq!(send(Some("other"), home, 660, true), Ok(()));
    let off = Attempts::new(false);
    assert!((0..99).all(|_| off.app_password(None, ip(home), Timestamp(START)).is_ok()));
}

#[test]
fn a_user_makes_fifty_app_passwords_and_then_one_a_minute() {
    let attempts = Attempts::new(true);
    let make = |user, at: i64, made: bool| {
        let now = Timestamp(START + at);
        let waits = attempts.check_new_app_password(user, now).is_err();
        let attempt = attempts.new_app_password(user, now);
        assert_eq!(attempt.is_err(), waits, "{user} {at}");
        attempt.is_ok_and(|attempt| attempt.keep(made.then_some(()).ok_or(Error::Revoked)).is_ok())
    };
    for _ in 0..99 {
        assert!(!make(1, 0, false), "what fails does not count");
    }
    assert!((0..50).all(|_| make(1, 0, true)));
    assert!(!make(1, 0, true) && !make(1, 59, true));
    assert!(make(1, 60, true) && !make(1, 60, true) && make(1, 120, true));
    assert!(make(2, 60, true), "each user");
    let off = Attempts::new(false);
    assert!((0..99).all(|_| off.new_app_password(1, Timestamp(START)).is_ok()));
}

#[test]
fn impossible_times_do_not_panic() {
    let attempts = Attempts::new(true);
    for time in [i64::MIN, -1, 0, i64::from(u32::MAX) + 1, i64::MAX] {
        let ends = (Timestamp(i64::MAX), Timestamp(i64::MAX));
        let _ = attempts.login("ada", ip("::1"), None, ends, Timestamp(time));
    }
}

#[test]
fn the_documentation_has_the_policy() {
    let page = include_str!("../../../docs/throttling.md");
    let address = IpAddr::from([127, 0, 0, 1]);
    let now = Timestamp(START);
    let device = Devices::default().renewed(1, None, now).unwrap().of(1, Timestamp(0)).unwrap();
    let counters = [
        (Counter::LoginFailuresFrom(address), "Failed logins from one address"),
        (Counter::LoginFailuresOfStrangers(""), "Failed logins to one account from addresses"),
        (
            Counter::LoginFailuresFromKnownIp("", address),
            "Failed logins to one account from each address",
        ),
        (Counter::LoginFailuresOfDevice(&device), "Failed logins to one account from each device"),
        (Counter::WrongPasswords(1), "Wrong passwords of somebody who is logged in"),
        (Counter::WrongCodes(1), "Wrong codes of one account's second factor"),
        (Counter::WrongRecoveryCodes(1), "Wrong recovery codes of one account"),
        (Counter::WrongAppPasswordsFrom(address), "Wrong app passwords from one address"),
        (Counter::NewAppPasswords(1), "App passwords that one user makes"),
        (Counter::RegistrationsFrom(address), "Registrations from one address"),
        (
            Counter::WrongRegistrations("", None),
            "Wrong passwords for the name of one registration that waits",
        ),
        (Counter::MailsFrom(address), "Mails asked for from one address"),
        (Counter::ConfirmationMailsTo(""), "Mails to one mailbox that confirm an address"),
        (Counter::ResetMailsTo(""), "Mails to one mailbox that reset a password"),
    ];
    let variants = include_str!("policy.rs").split_once("enum Counter<'a> {").unwrap().1;
    let variants = variants.lines().take_while(|line| *line != "}").skip(1);
    let variants = variants.filter(|line| !line.trim_start().starts_with("//")).count();
    assert_eq!(counters.len(), variants, "a counter is missing here, or stands here twice");
    let rows = page.lines().filter(|line| line.ends_with(" s |")).count();
    assert_eq!(rows, variants, "a row of the table is missing, or has no counter");
    for (counter, row_start) in counters {
        let Backoff { free, first, longest, decay } = counter.backoff();
        assert!(decay >= longest, "{row_start}");
        let numbers = format!("| {free} | {first} s | {longest} s | one in {decay} s |");
        let row = page.lines().find(|line| line.trim_start_matches("| ").starts_with(row_start));
        assert!(row.is_some_and(|row| row.ends_with(&numbers)), "{row_start}: {numbers}");
    }
}
