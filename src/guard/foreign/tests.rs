//! Hashes that passlib, Django, Werkzeug, PHP and `crypt(3)` made themselves, in `hashes.txt`; and
//! texts that none of them writes.

use super::*;
use crate::guard::hasher::is_costly;
use crate::guard::{Attempt, Hasher, Verdict};
use lictor_engine::kdf;

/// A hash of a real program, and the password that it was made of.
struct Real {
    scheme: &'static str,
    text: &'static str,
    password: String,
}

fn password(name: &str) -> String {
    match name {
        "PLAIN" => "correct horse".into(),
        "LETTERS" => "pässwörd-пароль-🦀".into(),
        "EMPTY" => String::new(),
        "LONG" => "x".repeat(4096),
        "BYTES_72" => "0123456789ab".repeat(6),
        "BYTES_73" => "0123456789ab".repeat(6) + "c",
        "NUL" => "tail\0nul".into(),
        other => panic!("{other}"),
    }
}

fn reals() -> impl Iterator<Item = Real> {
    let lines = include_str!("hashes.txt").lines().skip(2);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("# "));
    lines.map(|line| {
        let (scheme, rest) = line.split_once(' ').unwrap();
        let (name, text) = rest.split_once(' ').unwrap();
        Real { scheme, text, password: password(name) }
    })
}

fn hasher() -> Hasher {
    Hasher::new(2).unwrap()
}

/// Compares as a login does.
#[track_caller]
fn verify(hasher: &Hasher, typed: &str, text: &str) -> Verdict {
    let foreign = read_foreign(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    hasher.verify(&Attempt::new(typed), &foreign.stored).unwrap()
}

#[test]
fn hashes_of_the_real_programs_match_their_passwords_alone() {
    let hasher = hasher();
    let mut schemes = std::collections::BTreeSet::new();
    for Real { scheme, text, password } in reals() {
        let foreign = read_foreign(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        assert_eq!(foreign.scheme, scheme, "{text}");
        assert_eq!(scheme_of(&foreign.stored), Some(scheme), "{text}");
        // A hash that another password matches as well stays.
        let bcrypt = matches!(scheme, "bcrypt" | "django_bcrypt");
        let ambiguous = password.len() >= 72 || text.contains("$2x$") && !password.is_ascii();
        let expected = if bcrypt && ambiguous { Verdict::Right } else { Verdict::RightButOutdated };
        assert_eq!(verify(&hasher, &password, text), expected, "{text}");
        let wrong = format!("_{password}");
        assert_eq!(verify(&hasher, &wrong, text), Verdict::Wrong, "{text}");
        schemes.insert(scheme);
    }
    let known: std::collections::BTreeSet<_> =
        SCHEMES.iter().map(|&(_, scheme, _)| scheme).collect();
    assert_eq!(schemes, known);
}

/// The first hash of a scheme of this password.
fn real(scheme: &str, beginning: &str, name: &str) -> &'static str {
    let wanted = password(name);
    let mut reals = reals();
    let found = reals.find(|real| {
        real.scheme == scheme && real.text.starts_with(beginning) && real.password == wanted
    });
    found.unwrap_or_else(|| panic!("{scheme} {beginning} {name}")).text
}

#[test]
fn the_odd_rules_of_the_other_programs_hold_for_their_hashes() {
    let hasher = hasher();
    let right = |typed: &str, text: &str, expected: bool| {
        let verdict = verify(&hasher, typed, text);
        assert_eq!(verdict != Verdict::Wrong, expected, "{typed:?} {text}");
    };
    let (bytes_72, bytes_73) = (password("BYTES_72"), password("BYTES_73"));
    let long = |text: &str| text.to_owned() + "and more";
    // 72 bytes count with bcrypt; all of them if it has a digest, and with other functions.
    for (scheme, beginning, cut) in [
        ("bcrypt", "$2b$", true),
        ("bcrypt", "$2y$", true),
        ("django_bcrypt", "", true),
        ("bcrypt_sha256", "", false),
        ("django_bcrypt_sha256", "", false),
        ("pbkdf2_sha512", "", false),
        ("sha512_crypt", "", false),
        ("argon2", "", false),
        ("werkzeug_scrypt", "", false),
    ] {
        right(&bytes_72, real(scheme, beginning, "BYTES_73"), cut);
        right(&long(&bytes_73), real(scheme, beginning, "BYTES_73"), cut);
        right(&bytes_72[..71], real(scheme, beginning, "BYTES_73"), false);
        // Nobody knows whether the bytes that do not count are a mistake: such a hash stays.
        let verdict = verify(&hasher, &bytes_73, real(scheme, beginning, "BYTES_73"));
        assert_eq!(verdict == Verdict::Right, cut, "{scheme} {beginning}");
    }
    // A NUL ends a password in C and PHP, is a byte of it in Python's bcrypt, and ends the key of an
    // HMAC as any number of them do.
    for (scheme, beginning, typed, expected) in [
        ("bcrypt", "$2y$10", "correct horse\0", true),
        ("bcrypt", "$2y$10", "correct horse\0x", true),
        ("bcrypt", "$2b$", "correct horse\0x", false),
        ("bcrypt_sha256", "", "correct horse\0", false),
        ("sha256_crypt", "", "correct horse\0", false),
        ("sha512_crypt", "", "correct horse\0x", false),
        ("pbkdf2_sha512", "", "correct horse\0", true),
        ("pbkdf2_sha512", "", "correct horse\0x", false),
        ("scrypt", "", "correct horse\0", true),
        ("argon2", "", "correct horse\0", false),
    ] {
        right(typed, real(scheme, beginning, "PLAIN"), expected);
    }
    let nul = "$2b$04$dXjGLm7hpJAZkHOVS0fm5e3W9JEDJg7aAdV8Obt.ksjwhskTAorAK";
    right("ab\0c", nul, true);
    right("ab\0d", nul, false);
    right("ab", nul, false);
    // The fault of $2x$ makes passwords the same that are not; bytes after it count.
    let faulty = real("bcrypt", "$2x$", "LETTERS");
    assert_eq!(verify(&hasher, "pässwörd-пароль-🦀", faulty), Verdict::Right);
    right("pässwörd-пароль-🦁", faulty, false);
    // The same with all of crypt_blowfish's other versions.
    let good = "$abcdefghijklmnopqrstuuW8C6D/K1V5cQ";
    for version in ["$2a$04", "$2b$04", "$2y$04"] {
        let own = real("bcrypt", &format!("{version}$abcdef"), "LETTERS");
        right("pässwörd-пароль-🦀", own, true);
        assert!(!own.ends_with(good) && own[6..] != faulty[6..], "{own}");
    }
}

#[test]
fn the_password_counts_as_typed_and_as_prepared() {
    let hasher = hasher();
    let of = |salt: &str, text: &str| {
        // bcrypt of passlib, made with the function itself.
        let mut output = [0; 32];
        kdf::pbkdf2(kdf::Digest::Sha256, text.as_bytes(), salt.as_bytes(), 2, &mut output);
        let hex: String = output.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("pbkdf2:sha256:2${salt}${hex}")
    };
    for (made_of, typed, expected) in [
        ("ü b", "ü b", true),
        ("ü b", "u\u{308}\u{a0}b", true),
        ("u\u{308}\u{a0}b", "u\u{308}\u{a0}b", true),
        ("u\u{308}\u{a0}b", "ü b", false),
        ("a\tb\u{7}", "a\tb\u{7}", true),
        ("", "", true),
        (" ", "", false),
    ] {
        let verdict = verify(&hasher, typed, &of("salt", made_of));
        assert_eq!(verdict != Verdict::Wrong, expected, "{made_of:?} {typed:?}");
    }
}

#[test]
fn a_long_password_is_not_compared_with_a_costly_sha_crypt() {
    let hash = format!("$5$rounds=1999999$salt${}", "/".repeat(42) + ".");
    assert_eq!(verify(&hasher(), &"x".repeat(4096), &hash), Verdict::Wrong);
}

#[test]
fn both_spellings_together_stay_within_the_limit_of_one_attempt() {
    let sha = |rounds: u32| format!("$6$rounds={rounds}$salt${}", "A".repeat(85) + ".");
    for (text, passwords, bytes, expected) in [
        (sha(656_000), 1, 548, true),
        (sha(656_000), 2, 548, true),
        (sha(656_000), 1, 549, false),
        (sha(656_000), 2, 549, false),
        (sha(2_000_000), 1, 179, true),
        (sha(2_000_000), 2, 179, true),
        (sha(2_000_000), 1, 180, false),
        (sha(5_000), 1, 4 * 4_096, true),
        ("$2b$14$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O".into(), 1, 9_999, true),
        ("$2b$14$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O".into(), 2, 2, false),
        ("$2b$13$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O".into(), 2, 2, true),
        (format!("$pbkdf2-sha512$5000000$c2FsdA${}", "A".repeat(86)), 1, 9_999, true),
        (format!("$pbkdf2-sha512$5000000$c2FsdA${}", "A".repeat(86)), 2, 2, false),
    ] {
        let foreign = Foreign::parse(&text).unwrap();
        assert_eq!(foreign.mechanism.affords(passwords, bytes), expected, "{text} {bytes}");
    }
}

#[test]
fn a_decoy_costs_no_more_than_its_limits() {
    let stored = |text: &str| PasswordHash::stored(text.into());
    for (text, costly) in [
        ("$2b$12$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O", false),
        ("$2b$14$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O", true),
        // The most costly of ours, whatever the cost is now.
        ("$argon2id$v=19$m=262144,t=4,p=1$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAA", false),
        // What cannot be used takes as long as one of ours.
        ("$2b$31$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O", false),
        ("plain text", false),
        ("!", false),
    ] {
        assert_eq!(is_costly(&stored(text)), costly, "{text}");
    }
    let hasher = hasher();
    hasher.verify_decoy(&Attempt::new("x"), &stored("plain text")).unwrap();
    hasher.verify_decoy(&Attempt::new("x"), &stored("!")).unwrap();
    for (typed, bytes, expected) in
        [("xyz", 2, "xy"), ("xyz", 9, "xyz"), ("äö", 3, "ä"), ("", 1, "")]
    {
        let cut = Attempt::new(typed).cut_to(bytes);
        assert_eq!(cut.spellings().next().unwrap(), expected.as_bytes(), "{typed} {bytes}");
    }
}

#[test]
fn every_part_of_a_hash_must_be_there() {
    for Real { scheme, text, .. } in reals() {
        for end in (0..text.len()).filter(|&end| text.is_char_boundary(end)) {
            let cut = &text[..end];
            // A PHC string may have an output of any length from 16 bytes on.
            let shorter = matches!(scheme, "argon2" | "scrypt") && cut.len() + 21 >= text.len();
            assert!(shorter || read_foreign(cut).is_err(), "{cut}");
        }
        for more in ["x", "$", "=", ".", " ", "\n", "\0", "é"] {
            if more == "x" && matches!(scheme, "argon2" | "scrypt") {
                continue;
            }
            let longer = format!("{text}{more}");
            assert_eq!(read_foreign(&longer).unwrap_err(), BadHash::Malformed(scheme), "{longer}");
            let before = format!("{more}{text}");
            assert!(read_foreign(&before).is_err(), "{before}");
        }
    }
}

#[test]
fn malformed_hashes_are_refused() {
    let output = |length: usize| "A".repeat(length);
    let (of_20, of_32, of_64) = (output(27), output(43), output(86));
    let (sha256, sha512) = (output(42) + ".", output(85) + ".");
    let (hex, django) = ("0a".repeat(64), output(86) + "==");
    let b = "abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O";
    let (salt, bcrypt) = b.split_at(22);
    for good in [
        format!("$pbkdf2$1$c2FsdA${of_20}"),
        format!("$pbkdf2-sha256$1$c2FsdA${of_32}"),
        format!("$pbkdf2-sha512$5000000$${of_64}"),
        format!("pbkdf2_sha256$1$s${of_32}="),
        format!("pbkdf2:sha512:1$s${hex}"),
        format!("$5$rounds=2000000$salt${sha256}"),
        format!("$6$$${sha512}").replace("$$$", "$$"),
        format!("$2b$14${b}"),
        format!("$bcrypt-sha256$2a,4${salt}${bcrypt}"),
        format!("$bcrypt-sha256$v=2,t=2b,r=14${salt}${bcrypt}"),
        format!("bcrypt$$2y$05${b}"),
        format!("$scrypt$ln=18,r=8,p=1$$ {of_32}").replace(' ', ""),
        format!("scrypt$2$s$1$1${django}"),
        format!("scrypt:262144:8:1$s${hex}"),
        format!("$argon2id$v=19$m=65536,t=16,p=16$c29tZXNhbHQ${of_32}"),
        format!("argon2$argon2d$m=8,t=1,p=1$c29tZXNhbHQ${of_32}"),
    ] {
        assert!(read_foreign(&good).is_ok(), "{good} {:?}", read_foreign(&good));
    }
    for bad in [
        // Rounds.
        format!("$pbkdf2$0$c2FsdA${of_20}"),
        format!("$pbkdf2$01$c2FsdA${of_20}"),
        format!("$pbkdf2$$c2FsdA${of_20}"),
        format!("$pbkdf2$-1$c2FsdA${of_20}"),
        format!("$pbkdf2$c2FsdA${of_20}"),
        format!("pbkdf2_sha256$0$s${of_32}="),
        format!("pbkdf2_sha256$$s${of_32}="),
        format!("pbkdf2:sha512:0$s${hex}"),
        format!("pbkdf2:sha512:$s${hex}"),
        format!("pbkdf2:sha512$s${hex}"),
        format!("pbkdf2:sha512:1:2$s${hex}"),
        format!("$5$rounds=$salt${sha256}"),
        format!("$5$rounds=0$salt${sha256}"),
        format!("$5$rounds=999$salt${sha256}"),
        format!("$5$rounds=05000$salt${sha256}"),
        format!("$5$rounds=5000$rounds=5000$salt${sha256}"),
        format!("$2b$03${b}"),
        format!("$2b$4${b}"),
        format!("$2b$004${b}"),
        format!("$2b$+4${b}"),
        format!("$2b${b}"),
        format!("$bcrypt-sha256$2b,04${salt}${bcrypt}"),
        format!("$bcrypt-sha256$2y,4${salt}${bcrypt}"),
        format!("$bcrypt-sha256$v=2,t=2a,r=4${salt}${bcrypt}"),
        format!("$bcrypt-sha256$v=3,t=2b,r=4${salt}${bcrypt}"),
        format!("$bcrypt-sha256$v=2,r=4,t=2b${salt}${bcrypt}"),
        format!("$scrypt$ln=0,r=8,p=1$c2FsdA${of_32}"),
        format!("$scrypt$ln=4,r=0,p=1$c2FsdA${of_32}"),
        format!("$scrypt$ln=4,r=8,p=0$c2FsdA${of_32}"),
        format!("$scrypt$ln=04,r=8,p=1$c2FsdA${of_32}"),
        format!("$scrypt$ln=4,r=8$c2FsdA${of_32}"),
        format!("$scrypt$ln=4,r=8,p=1,x=1$c2FsdA${of_32}"),
        format!("$scrypt$r=8,ln=4,p=1$c2FsdA${of_32}"),
        format!("scrypt$0$s$1$1${django}"),
        format!("scrypt$1$s$1$1${django}"),
        format!("scrypt$3$s$1$1${django}"),
        format!("scrypt:3:1:1$s${hex}"),
        format!("scrypt:2:1$s${hex}"),
        format!("scrypt:2:1:1:1$s${hex}"),
        format!("$argon2id$v=19$m=0,t=2,p=1$c29tZXNhbHQ${of_32}"),
        format!("$argon2id$v=19$m=19456,t=0,p=1$c29tZXNhbHQ${of_32}"),
        format!("$argon2id$v=18$m=19456,t=2,p=1$c29tZXNhbHQ${of_32}"),
        format!("$argon2id$v=19$m=019456,t=2,p=1$c29tZXNhbHQ${of_32}"),
        format!("argon2argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ${of_32}"),
        format!("$argon2x$v=19$m=8,t=1,p=1$c29tZXNhbHQ${of_32}"),
        // Salts and outputs: another length, other letters, padding where there is none.
        format!("$pbkdf2$1$c2FsdA${}", output(26)),
        format!("$pbkdf2$1$c2FsdA==${of_20}"),
        format!("$pbkdf2$1$c2FsdA${of_20}="),
        format!("$pbkdf2$1$c2F_dA${of_20}"),
        format!("$pbkdf2$1$c2FsdB${of_20}"),
        format!("$pbkdf2$1$c${of_20}"),
        format!("$pbkdf2-sha512$1$c2FsdA${of_32}"),
        format!("pbkdf2_sha256$1$s${of_32}"),
        format!("pbkdf2_sha256$1$$${of_32}=").replace("$$$", "$$"),
        format!("pbkdf2_sha256$1$a$b${of_32}="),
        format!("pbkdf2:sha256:1$s${hex}"),
        format!("pbkdf2:sha512:1$s${}", hex.to_uppercase()),
        format!("pbkdf2:sha512:1$s$g{}", &hex[1..]),
        format!("$5$12345678901234567${sha256}"),
        format!("$5$sält${sha256}"),
        format!("$5$a b${sha256}"),
        format!("$5$salt${sha512}"),
        format!("$5$salt${}", "z".repeat(43)),
        format!("$6$salt${sha256}"),
        format!("$2b$04${}", b.replace('.', "+")),
        format!("bcrypt$2b$04${b}"),
        format!("bcrypt$$2c$04${b}"),
        format!("bcrypt_sha256$2b$04${b}"),
        format!("$bcrypt-sha256$2b,4${b}"),
        format!("$scrypt$ln=4,r=8,p=1$c2FsdA${}", output(20)),
        format!("scrypt$2$s$1$1${of_64}"),
        format!("scrypt$2$s$1$1${of_32}="),
        format!("scrypt:2:1:1$s${}", &hex[2..]),
        format!("$argon2id$v=19$m=8,t=1,p=1$c29tZQ${of_32}"),
        "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ".into(),
    ] {
        let why = read_foreign(&bad).map(|good| good.scheme).unwrap_err();
        assert!(matches!(why, BadHash::Malformed(_)), "{bad} {why:?}");
    }
    for unknown in [
        "",
        "!",
        "!abc",
        "password",
        "$",
        "$1$salt$hash",
        "$2$04$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O",
        "$7$salt$hash",
        "$y$j9T$salt$hash",
        "sha1$salt$hash",
        "md5$salt$hash",
        "pbkdf2:md5:1000$salt$00",
        "$PBKDF2$1$c2FsdA$AA",
        " $2b$04$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O",
        "{BCRYPT}$2b$04$abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O",
    ] {
        assert_eq!(read_foreign(unknown).unwrap_err(), BadHash::Unknown, "{unknown}");
    }
}

#[test]
fn costly_hashes_are_refused_and_the_limit_is_named() {
    let b = "abcdefghijklmnopqrstuuhvJ6rhq9oxw.ZjD3P5ZLls4hQbGko1O";
    let (salt, bcrypt) = b.split_at(22);
    let (hex, of_32) = ("0a".repeat(64), "A".repeat(43));
    let sha256 = "A".repeat(42) + ".";
    let huge = "9".repeat(40);
    for (text, limit) in [
        (format!("$pbkdf2-sha256$5000001$c2FsdA${of_32}"), "5000000 rounds"),
        (format!("$pbkdf2-sha256$2147483648$c2FsdA${of_32}"), "5000000 rounds"),
        (format!("$pbkdf2-sha256${huge}$c2FsdA${of_32}"), "5000000 rounds"),
        (format!("pbkdf2_sha256$2147483648$s${of_32}="), "5000000 rounds"),
        (format!("pbkdf2:sha512:4294967296$s${hex}"), "5000000 rounds"),
        (format!("$5$rounds=2000001$salt${sha256}"), "2000000 rounds"),
        (format!("$5$rounds=2147483648$salt${sha256}"), "2000000 rounds"),
        (format!("$5$rounds={huge}$salt${sha256}"), "2000000 rounds"),
        (format!("$2b$15${b}"), "cost 14"),
        (format!("$2b$31${b}"), "cost 14"),
        (format!("$2b$99${b}"), "cost 14"),
        (format!("$bcrypt-sha256$2b,31${salt}${bcrypt}"), "cost 14"),
        (format!("bcrypt_sha256$$2b$31${b}"), "cost 14"),
        (format!("$scrypt$ln=19,r=8,p=1$c2FsdA${of_32}"), "256 MiB"),
        (format!("$scrypt$ln=63,r=8,p=1$c2FsdA${of_32}"), "256 MiB"),
        (format!("$scrypt$ln=64,r=8,p=1$c2FsdA${of_32}"), "256 MiB"),
        (format!("$scrypt$ln={huge},r=8,p=1$c2FsdA${of_32}"), "256 MiB"),
        (format!("$scrypt$ln=18,r=8,p=2$c2FsdA${of_32}"), "256 MiB"),
        (format!("$scrypt$ln=1,r=4294967296,p=4294967296$c2FsdA${of_32}"), "256 MiB"),
        (format!("scrypt:2:4097:1$s${hex}"), "256 MiB"),
        (format!("scrypt:2:1:2147483648$s${hex}"), "256 MiB"),
        (format!("scrypt:{huge}:{huge}:{huge}$s${hex}"), "256 MiB"),
        (format!("$argon2id$v=19$m=262145,t=1,p=1$c29tZXNhbHQ${of_32}"), "256 MiB, 16 passes"),
        (format!("$argon2id$v=19$m=64,t=17,p=1$c29tZXNhbHQ${of_32}"), "256 MiB, 16 passes"),
        (format!("$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQ${of_32}"), "1 GiB of memory times"),
        (format!("argon2$argon2i$v=19$m=256,t=1,p=17$c29tZXNhbHQ${of_32}"), "256 MiB, 16 passes"),
    ] {
        let why = read_foreign(&text).map(|good| good.scheme).unwrap_err();
        assert!(matches!(why, BadHash::TooCostly(_)), "{text} {why:?}");
        assert!(why.to_string().contains(limit), "{text} {why}");
        // A row that came in by another way lets nobody in, and costs no more than one of ours.
        let stored = PasswordHash::stored(
            text.strip_prefix("$argon2")
                .map_or(text.clone(), |rest| format!("argon2$argon2{rest}")),
        );
        let verdict = hasher().verify(&Attempt::new("x"), &stored);
        assert_eq!(verdict.unwrap(), Verdict::Wrong, "{text}");
    }
}

#[test]
fn a_text_of_more_than_a_kibibyte_is_refused() {
    let of_length = |length: usize| {
        let rest = format!("${}=", "A".repeat(43));
        let salt = "s".repeat(length - rest.len() - "pbkdf2_sha256$1$".len());
        format!("pbkdf2_sha256$1${salt}{rest}")
    };
    assert!(read_foreign(&of_length(MAX_TEXT)).is_ok());
    let why = read_foreign(&of_length(MAX_TEXT + 1)).unwrap_err();
    assert_eq!(why, BadHash::Malformed("django_pbkdf2_sha256"));
    assert!(read_foreign(&"$2b$".repeat(1_000_000)).is_err());
    // What is stored is longer by a word than what came.
    let long = format!("$argon2id$v=19$m=8,t=1,p=1${}", "A".repeat(990));
    assert!(read_foreign(&long).is_err());
}

#[test]
fn argon2_of_another_program_is_told_from_ours() {
    let hasher = hasher();
    let ours = hasher.hash(Attempt::new("ü b").password().unwrap()).unwrap();
    assert_eq!(scheme_of(&ours), None);
    assert_eq!(hasher.verify(&Attempt::new("u\u{308} b"), &ours).unwrap(), Verdict::Right);
    // The same text from another program is replaced by a right login.
    let foreign = read_foreign(ours.as_str()).unwrap();
    assert_eq!(foreign.stored.as_str(), format!("argon2{}", ours.as_str()));
    assert_eq!(verify(&hasher, "u\u{308} b", ours.as_str()), Verdict::RightButOutdated);
    // A stored text is read again as it is.
    let again = read_foreign(foreign.stored.as_str()).unwrap();
    assert_eq!(again.stored, foreign.stored);
}

#[test]
fn an_account_without_a_password_lets_nobody_in() {
    let hasher = hasher();
    for typed in ["", "!", "x"] {
        let verdict = hasher.verify(&Attempt::new(typed), &PasswordHash::none());
        assert_eq!(verdict.unwrap(), Verdict::Wrong, "{typed:?}");
    }
    assert!(hasher.was_used(), "as long as any other");
}

#[test]
fn no_error_shows_a_part_of_the_hash() {
    for Real { text, .. } in reals() {
        for text in [text.to_owned(), format!("{text}x"), text.replace("$", "$9")] {
            let Err(why) = read_foreign(&text) else { continue };
            let shown = format!("{why} {why:?}");
            for part in text.split(['$', ',', ':']).filter(|part| part.len() > 9) {
                let known = SCHEMES
                    .iter()
                    .any(|(start, name, _)| start.contains(part) || name.contains(part));
                assert!(known || !shown.contains(part), "{shown}");
            }
        }
    }
}
