//! Tables of valid and invalid tokens: any header, any payload, a signature of any key.

use jwt_simple::prelude::{HS256Key, MACLike as _};

use super::base64url::{decode, encode};
use super::*;
use crate::keys::Secret;

const NOW: Timestamp = Timestamp(1_700_000_000);
const SECRET: &str = "a secret of at least 32 bytes, for tests";
const OLD_SECRET: &str = "an older secret of at least 32 bytes, for tests";
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const OTHER_SEED: &str = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const GOOD: &str = r#"{"iat":1,"exp":1700000100,"jti":"a","id":1,"rls":"","rf_exp":1700001000}"#;

fn keys(ring: &[String]) -> Keys {
    Keys::parse(ring.concat().as_bytes()).unwrap()
}

fn shared(secret: &str) -> String {
    let digits: String = secret.bytes().map(|b| format!("{b:02x}")).collect();
    format!("lictor-key HS256 0 bytes:{digits}\n")
}

fn paired(seed: &str) -> String {
    format!("lictor-key EdDSA 0 {seed}\n")
}

fn reader(keys: &Keys, algorithm: Option<Algorithm>) -> Tokens {
    let seconds = Duration::from_secs;
    let lifespans = Lifespans { access: seconds(100), refresh: seconds(1000), early: seconds(0) };
    Tokens::new(keys, algorithm, lifespans).unwrap()
}

fn tokens() -> Tokens {
    reader(&Keys::from(Secret::new(SECRET).unwrap()), None)
}

/// A token with any header and payload and a good HS256 signature.
fn signed_with(secret: &[u8], header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let tag = HS256Key::from_bytes(secret).authentication_tag(signed.as_bytes());
    format!("{signed}.{}", encode(tag))
}

fn signed(header: &str, payload: &str) -> String {
    signed_with(SECRET.as_bytes(), header, payload)
}

/// The same with an Ed25519 signature.
fn pair_signed(seed: &str, header: &str, payload: &str) -> String {
    let signed = format!("{}.{}", encode(header), encode(payload));
    let bytes: Vec<u8> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(&seed[at..at + 2], 16).unwrap()).collect();
    let seed = ed25519_compact::Seed::from_slice(&bytes).unwrap();
    let tag = ed25519_compact::KeyPair::from_seed(seed).sk.sign(&signed, None);
    format!("{signed}.{}", encode(tag))
}

fn minted(tokens: &Tokens, id: i64, roles: &str) -> String {
    tokens.mint(&tokens.begin(NOW).unwrap(), id, &Roles::parse(roles).unwrap()).unwrap()
}

fn name<T>(result: Result<T, Error>) -> &'static str {
    result.map_or_else(|error| error.kind().name, |_| "ok")
}

fn part(token: &str, at: usize) -> String {
    String::from_utf8(decode(token.split('.').nth(at).unwrap().as_bytes()).unwrap()).unwrap()
}

#[test]
fn a_token_has_exactly_these_bytes() {
    let token = minted(&tokens(), 7, "admin,editor");
    assert_eq!(part(&token, 0), HEADER);
    let jti = tokens().access(token.as_bytes(), NOW).unwrap().jti;
    assert_eq!(
        part(&token, 1),
        format!(
            r#"{{"iat":1700000000,"exp":1700000100,"jti":"{jti}","id":7,"rls":"admin,editor","rf_exp":1700001000}}"#
        )
    );
    let payload = token.split('.').nth(1).unwrap();
    assert!(!payload.contains(['-', '_']), "the tutorial's client reads it with atob");
}

#[test]
fn another_jwt_library_reads_our_tokens() {
    use jwt_simple::prelude::{NoCustomClaims, UnixTimeStamp, VerificationOptions};
    let token = minted(&tokens(), 7, "");
    let at_that_time = VerificationOptions {
        artificial_time: Some(UnixTimeStamp::from_secs(NOW.0.unsigned_abs())),
        ..VerificationOptions::default()
    };
    let read = |secret: &str| {
        HS256Key::from_bytes(secret.as_bytes())
            .verify_token::<NoCustomClaims>(&token, Some(at_that_time.clone()))
    };
    assert_eq!(
        read(SECRET).unwrap().jwt_id,
        Some(tokens().access(token.as_bytes(), NOW).unwrap().jti)
    );
    assert!(read("another secret of at least 32 bytes").is_err());
}

#[test]
fn ids_are_version_4_uuids() {
    for _ in 0..100 {
        let id = crate::values::unique().unwrap();
        let shape: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(shape, [8, 4, 4, 4, 12], "{id}");
        assert_eq!(&id[14..15], "4", "{id}");
        assert!("89ab".contains(&id[19..20]), "{id}");
    }
    assert_ne!(crate::values::unique().unwrap(), crate::values::unique().unwrap());
}

#[test]
fn times_are_inclusive() {
    let tokens = tokens();
    let token = minted(&tokens, 1, "");
    for (after, access, refresh) in [
        (-61, "InvalidTokenHeader", "InvalidTokenHeader"),
        (-60, "ok", "EarlyRefreshError"),
        (0, "ok", "EarlyRefreshError"),
        (100, "ok", "EarlyRefreshError"),
        (101, "ExpiredAccessError", "ok"),
        (1000, "ExpiredAccessError", "ok"),
        (1001, "ExpiredAccessError", "ExpiredRefreshError"),
    ] {
        let now = Timestamp(NOW.0 + after);
        assert_eq!(name(tokens.access(token.as_bytes(), now)), access, "{after}");
        assert_eq!(name(tokens.refreshable(token.as_bytes(), now)), refresh, "{after}");
    }
}

#[test]
fn a_token_may_be_refreshed_shortly_before_its_end() {
    let mut tokens = tokens();
    let token = minted(&tokens, 1, "");
    for (early, after, refresh) in [
        (0, 100, "EarlyRefreshError"),
        (1, 99, "EarlyRefreshError"),
        (1, 100, "ok"),
        (60, 40, "EarlyRefreshError"),
        (60, 41, "ok"),
        (60, 1000, "ok"),
        (60, 1001, "ExpiredRefreshError"),
        (5000, 0, "ok"),
        (i64::MAX, 0, "ok"),
    ] {
        tokens.early = early;
        let now = Timestamp(NOW.0 + after);
        assert_eq!(name(tokens.refreshable(token.as_bytes(), now)), refresh, "{early} {after}");
    }
    for exp in [i64::MIN, i64::MAX] {
        let payload = GOOD.replace("1700000100", &exp.to_string());
        let expected = if exp < 0 { "ok" } else { "EarlyRefreshError" };
        tokens.early = 60;
        assert_eq!(name(tokens.refreshable(signed(HEADER, &payload).as_bytes(), NOW)), expected);
    }
}

#[test]
fn a_renewed_token_keeps_its_id_and_end() {
    let tokens = tokens();
    let first = minted(&tokens, 1, "");
    let late = Timestamp(NOW.0 + 950);
    let claims = tokens.refreshable(first.as_bytes(), late).unwrap();
    assert_eq!(claims.iat, Some(NOW));
    let second = tokens.renew(&claims, &Roles::default(), late).unwrap();
    let renewed = tokens.access(second.as_bytes(), late).unwrap();
    // 950 + 100 would be after the end of the session at 1000.
    assert_eq!(renewed, Claims { iat: Some(late), exp: Timestamp(NOW.0 + 1000), ..claims });
}

#[test]
fn payloads_are_accepted_or_refused() {
    let good = GOOD.trim_matches(['{', '}']);
    for (payload, expected) in [
        (GOOD.to_owned(), "ok"),
        (format!("{{{good},\"extra\":[1]}}"), "ok"),
        (format!("{{{good},\"nbf\":1}}"), "ok"),
        (format!("{{{good},\"nbf\":1700000060}}"), "ok"),
        (format!("{{{good},\"nbf\":1700000061}}"), "InvalidTokenHeader"),
        (format!("{{{good},\"aud\":\"x\"}}"), "InvalidTokenHeader"),
        (format!("{{{good},\"is_ert\":true}}"), "MisusedRegistrationToken"),
        (format!("{{{good},\"is_prt\":true}}"), "MisusedResetToken"),
        (format!("{{{good},\"is_prt\":false}}"), "MisusedResetToken"),
        (good.into(), "InvalidTokenHeader"),
        ("[]".into(), "InvalidTokenHeader"),
        (String::new(), "InvalidTokenHeader"),
        (format!("{GOOD}{GOOD}"), "InvalidTokenHeader"),
        (format!(" \n{GOOD}\t "), "ok"),
        (GOOD.replace("\"rls\":\"\"", "\"rls\":null"), "ok"),
        (GOOD.replace("\"iat\":1,", ""), "ok"),
    ] {
        assert_eq!(
            name(tokens().access(signed(HEADER, &payload).as_bytes(), NOW)),
            expected,
            "{payload}"
        );
    }
    for claim in ["iat", "exp", "jti", "id", "rls", "rf_exp", "nbf", "aud", "is_ert", "is_prt"] {
        for (one, other) in [("1", "1"), ("\"a\"", "\"a\""), ("1", "\"a\"")] {
            let rest = GOOD.replace(&format!("\"{claim}\":"), "\"x\":");
            let payload =
                format!("{{\"{claim}\":{one},\"{claim}\":{other},{}", rest.trim_start_matches('{'));
            let result = tokens().access(signed(HEADER, &payload).as_bytes(), NOW);
            assert_eq!(name(result), "InvalidTokenHeader", "{payload}");
        }
    }
    for (claim, text) in [
        ("exp", r#""exp":1700000100,"#),
        ("jti", r#""jti":"a","#),
        ("id", r#""id":1,"#),
        ("rf_exp", r#","rf_exp":1700001000"#),
    ] {
        let without = GOOD.replace(text, "");
        let result = tokens().access(signed(HEADER, &without).as_bytes(), NOW);
        assert!(matches!(result, Err(Error::MissingClaim(c)) if c == claim), "{without}");
    }
    for value in [
        "null",
        "\"1\"",
        "1.0",
        "-0.0",
        "1e3",
        "1e400",
        "-1e400",
        "9223372036854775808",
        "-9223372036854775809",
        "99999999999999999999",
        "01",
        "+1",
        "NaN",
        "Infinity",
        "0x10",
        "[1]",
        "{}",
        "true",
    ] {
        for claim in ["iat", "exp", "id", "rf_exp", "nbf"] {
            let payload = format!("{{\"{claim}\":{value}}}");
            let result = tokens().access(signed(HEADER, &payload).as_bytes(), NOW);
            assert_eq!(name(result), "InvalidTokenHeader", "{payload}");
        }
    }
    for value in ["null", "1", "[\"a\"]", "{}", "true", "\"\\ud800\"", "\"\u{0}\""] {
        let payload = format!("{{\"jti\":{value}}}");
        assert_eq!(
            name(tokens().access(signed(HEADER, &payload).as_bytes(), NOW)),
            "InvalidTokenHeader"
        );
    }
}

#[test]
fn a_token_of_a_machine_whose_clock_is_a_little_ahead_was_refused() {
    let ours = tokens();
    for (ahead, good) in [(0, true), (1, true), (60, true), (61, false), (3600, false)] {
        // That machine's clock; here the access of its token has ended.
        let theirs = Timestamp(NOW.0 + ahead);
        let claims = ours.begin(theirs).unwrap().claims(1, -ahead - 1);
        let mail = |purpose| {
            let lifespan = Duration::from_secs(100);
            let minted = ours.mint_mailed(purpose, 1, &Roles::default(), lifespan, theirs).unwrap();
            minted.token.into_bytes()
        };
        for (purpose, found) in [
            (
                "access",
                ours.access(
                    ours.mint(&ours.begin(theirs).unwrap(), 1, &Roles::default())
                        .unwrap()
                        .as_bytes(),
                    NOW,
                ),
            ),
            (
                "refresh",
                ours.refreshable(
                    ours.write(&claims, &Roles::default(), None).unwrap().as_bytes(),
                    NOW,
                ),
            ),
            ("registration", ours.registration(&mail(MailPurpose::Registration), NOW)),
            ("reset", ours.reset(&mail(MailPurpose::Reset), NOW)),
        ] {
            let expected = if good { "ok" } else { "InvalidTokenHeader" };
            assert_eq!(name(found), expected, "{purpose}, {ahead} s ahead");
        }
    }
    for iat in [i64::MAX, i64::MIN] {
        let payload = GOOD.replace("\"iat\":1,", &format!("\"iat\":{iat},"));
        let expected = if iat < 0 { "ok" } else { "InvalidTokenHeader" };
        for now in [NOW, Timestamp(i64::MAX)] {
            let found = ours.access(signed(HEADER, &payload).as_bytes(), now);
            let expected = if now == NOW { expected } else { "ExpiredAccessError" };
            assert_eq!(name(found), expected, "{iat} at {now:?}");
        }
    }
}

#[test]
fn headers_are_accepted_or_refused() {
    let kid = tokens().ring[0].kid().to_owned();
    for (header, expected) in [
        (HEADER, "ok"),
        (r#"{"typ":"JWT","alg":"HS256"}"#, "ok"),
        (r#"{"alg":"HS256"}"#, "ok"),
        (r#"{"alg":"HS256","typ":"jwt"}"#, "ok"),
        // The signature is ours; other fields have no effect.
        (r#"{"alg":"HS256","jku":"http://evil","x5u":"x","jwk":{"kty":"oct"},"x5c":[]}"#, "ok"),
        (r#"{"alg":"HS256","kid":"KID"}"#, "ok"),
        (r#"{"alg":"HS256","kid":"../../etc/passwd"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","kid":"' OR 1=1 --"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","kid":""}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","kid":" KID"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","kid":"KID\u0000"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","kid":null}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","kid":0}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","kid":["KID"]}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","kid":"KID","kid":"KID"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"EdDSA","kid":"KID"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"none","kid":"KID"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"none"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"None"}"#, "InvalidTokenHeader"),
        (r#"{"alg":""}"#, "InvalidTokenHeader"),
        (r#"{"alg":"hs256"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256 "}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS512"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"RS256"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"EdDSA"}"#, "InvalidTokenHeader"),
        (r#"{"ALG":"HS256"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","alg":"HS256"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","alg":"none"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","typ":"JWE"}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","typ":null}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","crit":["b64"]}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","crit":[]}"#, "InvalidTokenHeader"),
        (r#"{"alg":"HS256","crit":null}"#, "InvalidTokenHeader"),
        (r#"{"alg":null}"#, "InvalidTokenHeader"),
        (r#"{"alg":["HS256"]}"#, "InvalidTokenHeader"),
        (r#"["HS256"]"#, "InvalidTokenHeader"),
        (r#""HS256""#, "InvalidTokenHeader"),
        ("{}", "InvalidTokenHeader"),
        ("", "InvalidTokenHeader"),
    ] {
        let header = header.replace("KID", &kid);
        let token = signed(&header, GOOD);
        assert_eq!(name(tokens().access(token.as_bytes(), NOW)), expected, "{header}");
    }
    let long = format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(2000));
    assert_eq!(name(tokens().access(signed(&long, GOOD).as_bytes(), NOW)), "InvalidTokenHeader");
}

#[test]
fn invalid_signatures_and_structures_are_refused() {
    let good = signed(HEADER, GOOD);
    let (unsigned, tag) = good.rsplit_once('.').unwrap();
    let (header, body) = unsigned.split_once('.').unwrap();
    let changed = encode(GOOD.replace("\"id\":1", "\"id\":2"));
    // The last of 43 characters holds four bits of the signature and two that must be 0.
    let stray = {
        let last = *tag.as_bytes().last().unwrap();
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let at = alphabet.iter().position(|&b| b == last).unwrap();
        format!("{}{}", &tag[..tag.len() - 1], alphabet[at + 1] as char)
    };
    for bad in [
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        "a.b.c".into(),
        unsigned.into(),
        format!("{unsigned}."),
        format!("{unsigned}.{}", &tag[..tag.len() - 2]),
        format!("{unsigned}.{}", &tag[..tag.len() - 1]),
        format!("{unsigned}.{tag}A"),
        format!("{unsigned}.{stray}"),
        format!("{unsigned}.{tag}="),
        format!("{unsigned}.{tag}=="),
        format!("{unsigned}.{tag}.x"),
        format!("{unsigned}.{tag}."),
        format!("{unsigned}.{tag}.{body}.{tag}"),
        format!("{unsigned}.{}", encode("\0")),
        format!("{header}.{changed}.{tag}"),
        format!("{header}=.{body}.{tag}"),
        format!("{header}.{body}=.{tag}"),
        format!("{header} .{body}.{tag}"),
        format!("{header}.{body}\n.{tag}"),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{good} "),
        format!("Bearer {good}"),
        format!("{unsigned}.{}", "A".repeat(43)),
        format!("{unsigned}.{}", "A".repeat(5000)),
        format!("{unsigned}.{}", encode([0; 64])),
        good.to_uppercase(),
        good.replace('.', ".."),
        good.replacen('.', "", 1),
        format!("{good}\0"),
        format!("\u{feff}{good}"),
    ] {
        assert_eq!(name(tokens().access(bad.as_bytes(), NOW)), "InvalidTokenHeader", "{bad}");
    }
    // The alphabet of plain base64, where the other has `-` and `_`.
    let dashed = (0..1000)
        .map(|n| signed(HEADER, &GOOD.replace("\"id\":1", &format!("\"id\":{n}"))))
        .find(|token| token.rsplit_once('.').unwrap().1.contains(['-', '_']))
        .unwrap();
    assert_eq!(name(tokens().access(dashed.as_bytes(), NOW)), "ok");
    let plain = dashed.replace('-', "+").replace('_', "/");
    assert_eq!(name(tokens().access(plain.as_bytes(), NOW)), "InvalidTokenHeader");
}

#[test]
fn tokens_over_the_maximum_length_are_refused() {
    let longest = |padding: usize| {
        signed(
            HEADER,
            &GOOD.replace("\"rls\":\"\"", &format!("\"rls\":\"{}\"", "x".repeat(padding))),
        )
    };
    let fits = (2000..4000).rev().find(|&n| longest(n).len() <= MAX_TOKEN).unwrap();
    assert_eq!(name(tokens().access(longest(fits).as_bytes(), NOW)), "ok");
    let over = tokens().access(longest(fits + 4).as_bytes(), NOW);
    assert!(matches!(over, Err(Error::InvalidToken("the token is too long"))));
    // A whole token as the payload of another, as nested tokens have it, is no object.
    let nested = signed(HEADER, &signed(HEADER, GOOD));
    assert_eq!(name(tokens().access(nested.as_bytes(), NOW)), "InvalidTokenHeader");
    let declared = signed(r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#, &signed(HEADER, GOOD));
    assert_eq!(name(tokens().access(declared.as_bytes(), NOW)), "InvalidTokenHeader");
}

#[test]
fn the_header_names_the_key_unless_it_is_a_single_secret() {
    let kid = |ring: &Keys, at: usize| key_id(ring.iter().nth(at).unwrap()).unwrap();
    let alone = keys(&[shared(SECRET)]);
    let two = keys(&[shared(SECRET), shared(OLD_SECRET)]);
    let mixed = keys(&[paired(SEED), shared(SECRET)]);
    let pair = keys(&[paired(SEED)]);
    let named = |alg: &str, kid: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"JWT"}}"#);
    for (ring, algorithm, expected) in [
        (&alone, None, HEADER.to_owned()),
        (&alone, Some(Algorithm::Hs256), HEADER.to_owned()),
        (&two, None, named("HS256", &kid(&two, 0))),
        (&mixed, None, named("EdDSA", &kid(&mixed, 0))),
        (&mixed, Some(Algorithm::Hs256), named("HS256", &kid(&mixed, 1))),
        (&pair, Some(Algorithm::EdDsa), named("EdDSA", &kid(&pair, 0))),
    ] {
        let tokens = reader(ring, algorithm);
        let token = minted(&tokens, 1, "");
        assert_eq!(part(&token, 0), expected);
        assert_eq!(*tokens.header, *token.split('.').next().unwrap().as_bytes());
        assert_eq!(name(tokens.access(token.as_bytes(), NOW)), "ok");
        assert!(token.len() < 512);
    }
    let lifespans =
        Lifespans { access: Duration::MAX, refresh: Duration::MAX, early: Duration::MAX };
    assert!(Tokens::new(&alone, Some(Algorithm::EdDsa), lifespans).is_err());
    assert_eq!(reader(&two, None).jwks(), r#"{"keys":[]}"#);
    let set: serde_json::Value = serde_json::from_str(reader(&mixed, None).jwks()).unwrap();
    assert_eq!(set["keys"].as_array().unwrap().len(), 1);
    assert_eq!(set["keys"][0]["kid"], kid(&mixed, 0));
    assert!(!set.to_string().contains(&encode(SECRET)) && !set.to_string().contains("\"d\""));
}

/// One row of the next table: the signer, the header's algorithm and key id, the result.
type Row<'a> = (&'a str, &'a str, Option<&'a str>, &'static str);

#[test]
fn the_header_selects_the_key() {
    let ring = keys(&[shared(SECRET), paired(SEED), shared(OLD_SECRET)]);
    let [current, pair, old] = [0, 1, 2].map(|at| key_id(ring.iter().nth(at).unwrap()).unwrap());
    let gone = key_id(keys(&[paired(OTHER_SEED)]).current(None).unwrap()).unwrap();
    let token = |signer: &str, alg: &str, kid: Option<&str>| {
        let kid = kid.map_or_else(String::new, |kid| format!(r#","kid":"{kid}""#));
        let header = format!(r#"{{"alg":"{alg}"{kid},"typ":"JWT"}}"#);
        match signer {
            "current" => signed(&header, GOOD),
            "old" => signed_with(OLD_SECRET.as_bytes(), &header, GOOD),
            "stranger" => signed_with(b"a secret that the server never had", &header, GOOD),
            "pair" => pair_signed(SEED, &header, GOOD),
            _ => pair_signed(OTHER_SEED, &header, GOOD),
        }
    };
    let refused = "InvalidTokenHeader";
    let rows: [Row<'_>; 23] = [
        ("current", "HS256", Some(&current), "ok"),
        ("old", "HS256", Some(&old), "ok"),
        ("pair", "EdDSA", Some(&pair), "ok"),
        // Without a key id every shared secret is tried, and no other key.
        ("current", "HS256", None, "ok"),
        ("old", "HS256", None, "ok"),
        ("stranger", "HS256", None, refused),
        ("pair", "EdDSA", None, refused),
        ("pair", "HS256", None, refused),
        // With a key id only that key is tried.
        ("current", "HS256", Some(&old), refused),
        ("old", "HS256", Some(&current), refused),
        ("current", "HS256", Some(&pair), refused),
        ("pair", "EdDSA", Some(&current), refused),
        ("other pair", "EdDSA", Some(&pair), refused),
        ("other pair", "EdDSA", Some(&gone), refused),
        ("current", "HS256", Some(&gone), refused),
        ("stranger", "HS256", Some(&current), refused),
        // The algorithm must be the key's.
        ("pair", "HS256", Some(&pair), refused),
        ("current", "EdDSA", Some(&current), refused),
        ("current", "EdDSA", Some(&pair), refused),
        ("pair", "Ed25519", Some(&pair), refused),
        ("pair", "eddsa", Some(&pair), refused),
        ("pair", "none", Some(&pair), refused),
        ("current", "HS384", Some(&current), refused),
    ];
    for algorithm in [None, Some(Algorithm::EdDsa), Some(Algorithm::Hs256)] {
        let tokens = reader(&ring, algorithm);
        for (signer, alg, kid, expected) in rows {
            let token = token(signer, alg, kid);
            let result = name(tokens.access(token.as_bytes(), NOW));
            assert_eq!(result, expected, "{signer} {alg} {kid:?} {algorithm:?}");
        }
    }
}

#[test]
fn a_public_key_does_not_verify_hs256_tokens() {
    let ring = keys(&[paired(SEED), shared(SECRET)]);
    let tokens = reader(&ring, None);
    let kid = key_id(ring.current(None).unwrap()).unwrap();
    let set: serde_json::Value = serde_json::from_str(tokens.jwks()).unwrap();
    let x = set["keys"][0]["x"].as_str().unwrap().to_owned();
    let raw = decode(x.as_bytes()).unwrap();
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let der = [&[0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00], &*raw];
    let spellings: [Vec<u8>; 9] = [
        raw.clone(),
        x.clone().into(),
        format!("{x}=").into(),
        hex.clone().into(),
        hex.to_uppercase().into(),
        set["keys"][0].to_string().into(),
        tokens.jwks().into(),
        der.concat(),
        kid.clone().into(),
    ];
    for secret in spellings {
        for kid in [None, Some(&kid)] {
            let kid = kid.map_or_else(String::new, |kid| format!(r#","kid":"{kid}""#));
            for alg in ["HS256", "EdDSA"] {
                let header = format!(r#"{{"alg":"{alg}"{kid}}}"#);
                let token = signed_with(&secret, &header, GOOD);
                assert_eq!(
                    name(tokens.access(token.as_bytes(), NOW)),
                    "InvalidTokenHeader",
                    "{header}"
                );
            }
        }
    }
}

#[test]
fn mailed_tokens_are_read_for_their_purpose() {
    let tokens = tokens();
    let mail = |purpose| {
        let hour = Duration::from_secs(60);
        tokens.mint_mailed(purpose, 7, &Roles::parse("admin").unwrap(), hour, NOW).unwrap()
    };
    let (registration, reset) = (mail(MailPurpose::Registration), mail(MailPurpose::Reset));
    for (minted, mark) in [(&registration, "is_ert"), (&reset, "is_prt")] {
        let jti = &minted.claims.jti;
        assert_eq!(
            part(&minted.token, 1),
            format!(
                r#"{{"iat":1700000000,"exp":1700000060,"jti":"{jti}","id":7,"rls":"admin","rf_exp":1700001000,"{mark}":true}}"#
            )
        );
    }
    assert_eq!(
        tokens.registration(registration.token.as_bytes(), NOW).unwrap(),
        registration.claims
    );
    assert_eq!(tokens.reset(reset.token.as_bytes(), NOW).unwrap(), reset.claims);
    let endless =
        tokens.mint_mailed(MailPurpose::Reset, 7, &Roles::default(), Duration::MAX, NOW).unwrap();
    assert_eq!(endless.claims.exp, endless.claims.rf_exp, "no longer than a session");
}

#[test]
fn a_mailed_token_passed_for_an_access_token_elsewhere() {
    let ring = keys(&[paired(SEED)]);
    let tokens = reader(&ring, None);
    let set: serde_json::Value = serde_json::from_str(tokens.jwks()).unwrap();
    let access = minted(&tokens, 7, "");
    // HKDF-Expand, with another implementation of HMAC.
    let seed: Vec<u8> =
        (0..64).step_by(2).map(|at| u8::from_str_radix(&SEED[at..at + 2], 16).unwrap()).collect();
    let secret = HS256Key::from_bytes(&seed).authentication_tag(b"lictor mailed tokens\x01");
    for (purpose, typ, mark) in [
        (MailPurpose::Registration, "lictor-registration+jwt", "is_ert"),
        (MailPurpose::Reset, "lictor-reset+jwt", "is_prt"),
    ] {
        let hour = Duration::from_secs(60);
        let minted = tokens.mint_mailed(purpose, 7, &Roles::default(), hour, NOW).unwrap();
        let (token, claims) = (minted.token, minted.claims);
        let header: serde_json::Value = serde_json::from_str(&part(&token, 0)).unwrap();
        assert_eq!((&header["alg"], &header["typ"]), (&"HS256".into(), &typ.into()));
        assert!(header["kid"].is_string() && header["kid"] != set["keys"][0]["kid"]);
        assert_eq!(set["keys"].as_array().unwrap().len(), 1, "only the key of access tokens");
        let payload = part(&token, 1);
        assert!(payload.contains(&format!(r#""{mark}":true"#)), "{payload}");
        assert_eq!(signed_with(&secret, &part(&token, 0), &payload), token);

        let good = |tokens: &Tokens, token: &str| {
            let found = match purpose {
                MailPurpose::Registration => tokens.registration(token.as_bytes(), NOW),
                MailPurpose::Reset => tokens.reset(token.as_bytes(), NOW),
            };
            found.is_ok_and(|found| found == claims)
        };
        // Valid while its key is in the ring, whichever key signs now.
        for ring in [
            keys(&[paired(SEED)]),
            keys(&[shared(SECRET), paired(SEED)]),
            keys(&[paired(OTHER_SEED), paired(SEED)]),
        ] {
            assert!(good(&reader(&ring, None), &token));
        }
        for ring in [keys(&[paired(OTHER_SEED)]), keys(&[shared(SECRET)])] {
            assert!(!good(&reader(&ring, None), &token));
        }
        // Invalid with the type of an access token or of the other purpose, and with another key.
        let kid = header["kid"].as_str().unwrap();
        let other = if purpose == MailPurpose::Reset { "registration" } else { "reset" };
        let pair = set["keys"][0]["kid"].as_str().unwrap();
        let forms = [
            signed_with(&secret, &format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#), GOOD),
            signed_with(&secret, HEADER, GOOD),
            signed_with(&secret, &part(&token, 0), GOOD),
            signed_with(
                &secret,
                &format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"lictor-{other}+jwt"}}"#),
                &payload,
            ),
            signed_with(&secret, &format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), &payload),
            signed(&part(&token, 0), &payload),
            signed(&format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), &payload),
            pair_signed(SEED, &part(&token, 0), &payload),
            pair_signed(
                SEED,
                &format!(r#"{{"alg":"EdDSA","kid":"{pair}","typ":"{typ}"}}"#),
                &payload,
            ),
            format!("{}.{}", token.rsplit_once('.').unwrap().0, access.rsplit('.').next().unwrap()),
        ];
        for reader in [&tokens, &reader(&keys(&[shared(SECRET), paired(SEED)]), None)] {
            for form in &forms {
                let found = [
                    reader.access(form.as_bytes(), NOW),
                    reader.refreshable(form.as_bytes(), NOW),
                    reader.registration(form.as_bytes(), NOW),
                    reader.reset(form.as_bytes(), NOW),
                ];
                for found in found {
                    assert_eq!(name(found), "InvalidTokenHeader", "{}", part(form, 0));
                }
            }
        }
        // A mailed token that the key with the public half signed is invalid.
        let old = pair_signed(SEED, &part(&access, 0), &payload);
        assert!(!good(&tokens, &old));
        assert!(name(tokens.access(old.as_bytes(), NOW)).starts_with("Misused"));
    }
    // With a secret that a Flask app shares, mailed tokens have the same header.
    let shared = keys(&[shared(SECRET)]);
    let token = reader(&shared, None)
        .mint_mailed(MailPurpose::Reset, 7, &Roles::default(), Duration::from_secs(60), NOW)
        .unwrap()
        .token;
    assert_eq!(part(&token, 0), HEADER);
}

/// The same results as the real flask-praetorian for every purpose: `tests/praetorian` checks this
/// table against it.
#[test]
fn flask_praetorian_agrees_about_every_purpose() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/praetorian/purposes.json");
    let table: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let secret = Secret::new(table["secret"].as_str().unwrap()).unwrap();
    let tokens = reader(&Keys::from(secret), None);
    let now = Timestamp(table["now"].as_i64().unwrap());
    let rows = table["rows"].as_array().unwrap();
    assert!(rows.len() >= 10);
    for row in rows {
        let token = row["token"].as_str().unwrap().as_bytes();
        for (purpose, found) in [
            ("access", tokens.access(token, now)),
            ("refresh", tokens.refreshable(token, now)),
            ("register", tokens.registration(token, now)),
            ("reset", tokens.reset(token, now)),
        ] {
            let found = found.map_or_else(
                |error| format!("{}: {}", error.kind().name, error.message()),
                |_| "good".into(),
            );
            assert_eq!(row[purpose], found, "{} for {purpose}", row["name"]);
        }
        // The tokens that flask-praetorian made are minted here to the byte.
        let mailed = match row["made"].as_str() {
            Some("registration") => Some(MailPurpose::Registration),
            Some("reset") => Some(MailPurpose::Reset),
            Some("access") => None,
            _ => continue,
        };
        let ParsedClaims { claims, .. } = tokens.read(token, now).unwrap();
        let roles = Roles::parse(table["roles"].as_str().unwrap()).unwrap();
        assert_eq!(tokens.write(&claims, &roles, mailed).unwrap().as_bytes(), token);
    }
}

const SHORT: &str = "my secret key";
/// The last second of the short secret.
const UNTIL: Timestamp = Timestamp(NOW.0 + 500);

fn with_short(ring: &[String]) -> Keys {
    keys(ring).with_short(crate::keys::ShortSecret::new(SHORT, UNTIL, NOW).unwrap()).unwrap()
}

/// The results of a token for access, refresh, registration and reset.
fn for_all(tokens: &Tokens, token: &str, now: Timestamp) -> [&'static str; 4] {
    let token = token.as_bytes();
    [
        name(tokens.access(token, now)),
        name(tokens.refreshable(token, now)),
        name(tokens.registration(token, now)),
        name(tokens.reset(token, now)),
    ]
}

#[test]
fn a_short_secret_verifies_session_tokens_of_another_program_and_nothing_else() {
    const INVALID: [&str; 4] = ["InvalidTokenHeader"; 4];
    let access = ["ok", "EarlyRefreshError", "InvalidRegistrationToken", "InvalidResetToken"];
    let marked =
        |mark: &str| GOOD.replace("\"rls\":\"\"", &format!("\"rls\":\"\",\"{mark}\":true"));
    // The key id that the short secret would have if it were a key of the ring.
    let tag = HS256Key::from_bytes(SHORT.as_bytes()).authentication_tag(b"lictor key id");
    let its_kid: String = tag[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    for (ring, algorithm) in [
        (vec![shared(SECRET)], None),
        (vec![paired(SEED)], None),
        (vec![paired(SEED), shared(SECRET)], Some(Algorithm::EdDsa)),
        (vec![shared(SECRET), paired(SEED)], Some(Algorithm::EdDsa)),
    ] {
        let tokens = reader(&with_short(&ring), algorithm);
        let kids: Vec<String> = keys(&ring).iter().map(|key| key_id(key).unwrap()).collect();
        let check = |header: &str, payload: &str, expected: [&str; 4]| {
            let token = signed_with(SHORT.as_bytes(), header, payload);
            assert_eq!(for_all(&tokens, &token, NOW), expected, "{header} {payload}");
            let without = reader(&keys(&ring), algorithm);
            assert_eq!(for_all(&without, &token, NOW), INVALID, "{header} {payload}");
        };
        check(HEADER, GOOD, access);
        check(r#"{"typ":"JWT","alg":"HS256"}"#, GOOD, access);
        check(r#"{"alg":"HS256"}"#, GOOD, access);
        // The roles of a token never count; those of the store do.
        check(HEADER, &GOOD.replace("\"rls\":\"\"", "\"rls\":\"admin\""), access);
        // What Flask mailed.
        let misused = "MisusedRegistrationToken";
        let ert = [misused, misused, "InvalidRegistrationToken", misused];
        check(HEADER, &marked("is_ert"), ert);
        let misused = "MisusedResetToken";
        let prt = [misused, misused, "InvalidRegistrationToken", "InvalidResetToken"];
        check(HEADER, &marked("is_prt"), prt);
        for kid in kids.iter().map(String::as_str).chain([&*its_kid, "", "SECRET_KEY", "short"]) {
            check(&format!(r#"{{"alg":"HS256","kid":"{kid}","typ":"JWT"}}"#), GOOD, INVALID);
        }
        for header in [
            r#"{"alg":"EdDSA","typ":"JWT"}"#,
            r#"{"alg":"HS512","typ":"JWT"}"#,
            r#"{"alg":"none","typ":"JWT"}"#,
            r#"{"alg":"HS256","typ":"lictor-reset+jwt"}"#,
            r#"{"alg":"HS256","typ":"lictor-registration+jwt"}"#,
            r#"{"alg":"HS256","typ":"JWT","crit":["x"]}"#,
        ] {
            check(header, GOOD, INVALID);
            check(header, &marked("is_prt"), INVALID);
        }
        for guess in ["", "my secret ke", "my secret key ", "my secret key\0x"] {
            let token = signed_with(guess.as_bytes(), HEADER, GOOD);
            assert_eq!(for_all(&tokens, &token, NOW), INVALID, "{guess:?}");
        }
        // It signs nothing: what is minted is not good under it, and names a key of the ring.
        let minted = minted(&tokens, 1, "");
        assert!(kids.iter().any(|kid| part(&minted, 0).contains(kid.as_str())), "{minted}");
        assert_eq!(name(reader(&keys(&ring), algorithm).access(minted.as_bytes(), NOW)), "ok");
        assert!(!tokens.jwks().contains("oct") && !tokens.jwks().contains(&its_kid));
    }
}

#[test]
fn a_short_secret_ends_and_what_began_with_it_too() {
    let tokens = reader(&with_short(&[shared(SECRET)]), None);
    let forever = GOOD.replace("1700000100", "1900000000").replace("1700001000", "1900000000");
    let token = signed_with(SHORT.as_bytes(), HEADER, &forever);
    let claims = tokens.access(token.as_bytes(), UNTIL).unwrap();
    assert_eq!((claims.exp, claims.rf_exp), (UNTIL, UNTIL), "at the latest when the secret ends");
    let after = Timestamp(UNTIL.0 + 1);
    assert_eq!(for_all(&tokens, &token, after), ["InvalidTokenHeader"; 4]);
    // A token that is exchanged for it ends then, too.
    let next = tokens.renew(&claims, &Roles::default(), NOW).unwrap();
    assert_eq!(name(tokens.access(next.as_bytes(), after)), "ExpiredAccessError");
    assert_eq!(name(tokens.refreshable(next.as_bytes(), after)), "ExpiredRefreshError");
    // An earlier end of the token's own counts.
    let claims = signed_with(SHORT.as_bytes(), HEADER, GOOD);
    let claims = tokens.access(claims.as_bytes(), NOW).unwrap();
    assert_eq!((claims.exp, claims.rf_exp), (Timestamp(NOW.0 + 100), UNTIL));
    // Keys of the ring are good for longer, with and without a key id.
    for (token, expected) in
        [(signed(HEADER, &forever), "EarlyRefreshError"), (minted(&tokens, 1, ""), "ok")]
    {
        assert_eq!(name(tokens.refreshable(token.as_bytes(), after)), expected);
    }
    // The key id stays known when the short secret is gone.
    let alone = reader(&keys(&[shared(SECRET)]), None);
    assert_eq!(name(alone.access(minted(&tokens, 1, "").as_bytes(), NOW)), "ok");
}

/// What is configured, the claim `aud` of a token, its check, and the claim of the token after a refresh.
type AudienceRow = (&'static [&'static str], &'static str, &'static str, &'static str);

#[test]
fn a_token_is_for_whom_it_names() {
    let rows: &[AudienceRow] = &[
        (&[], "", "ok", ""),
        (&[], r#","aud":"shop""#, "InvalidTokenHeader", ""),
        (&[], r#","aud":[]"#, "InvalidTokenHeader", ""),
        (&["shop"], "", "ok", r#""shop""#),
        (&["shop"], r#","aud":"shop""#, "ok", r#""shop""#),
        (&["shop"], r#","aud":["shop"]"#, "ok", r#""shop""#),
        (&["shop"], r#","aud":["other","shop"]"#, "ok", r#""shop""#),
        (&["shop"], r#","aud":"Shop""#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":"shop ""#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":"sho""#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":"""#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":[]"#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":null"#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":1"#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":{"shop":1}"#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":["shop",1]"#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":"shop","aud":"shop""#, "InvalidTokenHeader", ""),
        (&["shop"], r#","aud":"shop","\u0061ud":"shop""#, "InvalidTokenHeader", ""),
        (&["shop", "wiki"], "", "ok", r#"["shop","wiki"]"#),
        (&["shop", "wiki"], r#","aud":"wiki""#, "ok", r#""wiki""#),
        (&["shop", "wiki"], r#","aud":["wiki","shop"]"#, "ok", r#"["shop","wiki"]"#),
        (&["shop", "wiki"], r#","aud":["wiki","gone"]"#, "ok", r#""wiki""#),
        (&["shop", "wiki"], r#","aud":"gone""#, "InvalidTokenHeader", ""),
        (&["shop", "wiki"], r#","aud":"shop,wiki""#, "InvalidTokenHeader", ""),
        (&["a", "b", "c"], r#","aud":["c","a"]"#, "ok", r#"["a","c"]"#),
    ];
    for (configured, aud, expected, after) in rows {
        let ours = tokens().for_audiences(Audiences::parse(configured.iter().copied()).unwrap());
        let payload = format!("{}{aud}}}", GOOD.trim_end_matches('}'));
        let token = signed(HEADER, &payload);
        let found = ours.access(token.as_bytes(), NOW);
        if *expected != "ok" {
            assert_eq!(name(found), *expected, "{configured:?} {aud}");
            continue;
        }
        let claims = found.unwrap();
        let renewed = ours.renew(&claims, &Roles::default(), NOW).unwrap();
        let claim = if after.is_empty() { String::new() } else { format!(",\"aud\":{after}") };
        let expected = format!(r#""rf_exp":1700001000{claim}}}"#);
        assert!(part(&renewed, 1).ends_with(&expected), "{configured:?} {aud}: {renewed}");
        let again = ours.access(renewed.as_bytes(), NOW).unwrap();
        assert_eq!(again.audiences, claims.audiences, "{configured:?} {aud}");
    }
}

#[test]
fn whoever_asks_for_one_audience_gets_no_other() {
    for algorithm in [Algorithm::Hs256, Algorithm::EdDsa] {
        let names = Audiences::parse(["shop", "wiki"]).unwrap();
        let ring = keys(&[shared(SECRET), paired(SEED)]);
        let ours = reader(&ring, Some(algorithm)).for_audiences(names);
        assert_eq!(ours.audience("gone"), None);
        assert_eq!(ours.audience(""), None);
        let session = ours.begin(NOW).unwrap().only(ours.audience("wiki"));
        let token = ours.mint(&session, 1, &Roles::default()).unwrap();
        assert!(part(&token, 1).ends_with(r#","aud":"wiki"}"#), "{token}");
        assert_eq!(name(ours.access(token.as_bytes(), NOW)), "ok");
        let header = token.split('.').next().unwrap();
        assert_eq!(*ours.header, *header.as_bytes(), "the fast path reads it");
        let without = |names: &[&str]| {
            let names = Audiences::parse(names.iter().copied()).unwrap();
            name(reader(&ring, None).for_audiences(names).access(token.as_bytes(), NOW))
        };
        assert_eq!(without(&["shop"]), "InvalidTokenHeader");
        assert_eq!(without(&[]), "InvalidTokenHeader");
        // In another place of the list.
        assert_eq!(without(&["new", "wiki", "shop"]), "ok");
    }
}

#[test]
fn mailed_tokens_are_for_no_audience_and_stay_good() {
    for seed in [None, Some(SEED)] {
        let ring = keys(&[seed.map_or_else(|| shared(SECRET), paired)]);
        let names = Audiences::parse(["shop", "wiki"]).unwrap();
        let ours = reader(&ring, None).for_audiences(names);
        let reset = mailed(&ours, MailPurpose::Reset);
        assert!(!part(&reset, 1).contains("aud"), "{reset}");
        assert_eq!(name(ours.reset(reset.as_bytes(), NOW)), "ok");
        assert_eq!(name(reader(&ring, None).reset(reset.as_bytes(), NOW)), "ok");
        assert_eq!(name(ours.access(reset.as_bytes(), NOW)), "MisusedResetToken");
        let marked = format!("{},\"is_prt\":true,\"aud\":\"gone\"}}", GOOD.trim_end_matches('}'));
        let foreign = signed(HEADER, &marked);
        assert_eq!(name(ours.reset(foreign.as_bytes(), NOW)), "InvalidTokenHeader");
    }
}

fn mailed(tokens: &Tokens, purpose: MailPurpose) -> String {
    let lifespan = Duration::from_secs(100);
    tokens.mint_mailed(purpose, 1, &Roles::default(), lifespan, NOW).unwrap().token
}

#[test]
fn the_longest_token_that_we_sign_is_one_that_we_read() {
    let roles: Vec<String> = (0..Roles::MAX).map(|n| format!("{n:064}")).collect();
    let names: Vec<String> = (0..16).map(|n| format!("{n:064}")).collect();
    let names = Audiences::parse(names.iter().map(String::as_str)).unwrap();
    let ring = keys(&[paired(SEED), shared(SECRET)]);
    let ours = reader(&ring, Some(Algorithm::EdDsa)).for_audiences(names);
    let token = minted(&ours, i64::MAX, &roles.join(","));
    assert!(token.len() > 3000, "{}", token.len());
    assert_eq!(name(ours.access(token.as_bytes(), NOW)), "ok");
}
