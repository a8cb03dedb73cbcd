//! Attacks on tokens, against the real binary with a ring of all kinds of keys. Every token of the
//! table is sent to every place that takes one, and is refused with 401 and JSON.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use ed25519_compact::{KeyPair, Seed};
use jwt_simple::prelude::{HS256Key, HS384Key, HS512Key, MACLike};
use serde_json::{Value, json};

use crate::support::{Dir, Server, assert_without, base64url, now, run};

const CURRENT: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
const OLD: &str = "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100";
const SEED: [u8; 32] = [0x5a; 32];

/// A server whose ring has an Ed25519 key, which signs, and two shared secrets; and the three key
/// ids.
struct Ring {
    server: Server,
    pair: String,
    current: String,
    old: String,
}

impl Ring {
    fn start() -> Ring {
        let dir = Dir::new();
        let path = dir.0.join("lictor.key");
        let seed = hex(&SEED);
        let keys = format!(
            "lictor-key EdDSA 3 {seed}\nlictor-key HS256 2 {CURRENT}\nlictor-key HS256 1 {OLD}\n"
        );
        fs::write(&path, keys).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let list = run(&dir.0, &["key", "list", "--json"], "").stdout;
        let rows: Value = serde_json::from_slice(&list).unwrap();
        let [pair, current, old] = [0, 1, 2].map(|at| rows[at]["kid"].as_str().unwrap().to_owned());
        let server = Server::start_with(dir, &["--adopt-tokens"], &[]);
        server.add_imported("ada");
        Ring { server, pair, current, old }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the signature of the first two parts.
type Sign<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

fn token(header: &str, payload: &str, sign: Sign<'_>) -> String {
    let signed = format!("{}.{}", base64url(header), base64url(payload));
    let tag = sign(signed.as_bytes());
    format!("{signed}.{}", base64url(tag))
}

fn hs256(secret: &[u8]) -> impl Fn(&[u8]) -> Vec<u8> + use<> {
    let key = HS256Key::from_bytes(secret);
    move |signed| key.authentication_tag(signed)
}

fn paired(seed: [u8; 32]) -> impl Fn(&[u8]) -> Vec<u8> {
    let pair = KeyPair::from_seed(Seed::new(seed));
    move |signed| pair.sk.sign(signed, None).to_vec()
}

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// The name of an attack, its token, and the name of the expected error.
type Rows = Vec<(String, String, &'static str)>;

const INVALID: &str = "InvalidTokenHeader";

/// Tokens with a valid payload and an invalid header, signature or structure.
fn forgeries(ring: &Ring, payload: &str) -> Rows {
    let mut rows = Rows::new();
    algorithms(ring, payload, &mut rows);
    public_key_as_secret(ring, payload, &mut rows);
    key_ids(ring, payload, &mut rows);
    embedded_keys(ring, payload, &mut rows);
    shapes(payload, &mut rows);
    rows
}

fn algorithms(ring: &Ring, payload: &str, rows: &mut Rows) {
    let mut add = |name: String, token: String| rows.push((name, token, INVALID));
    let nothing = |_: &[u8]| Vec::new();
    let right = hs256(CURRENT.as_bytes());
    for alg in ["none", "None", "NONE", "nOnE", "", "null", "HS256\\u0000"] {
        for kid in ["", &format!(r#","kid":"{}""#, ring.current)] {
            let header = format!(r#"{{"alg":"{alg}"{kid},"typ":"JWT"}}"#);
            let unsigned = token(&header, payload, &nothing);
            add(format!("alg {alg:?}{kid}, empty signature"), unsigned.clone());
            add(format!("alg {alg:?}{kid}, no dot"), unsigned.trim_end_matches('.').into());
            add(format!("alg {alg:?}{kid}, right HMAC"), token(&header, payload, &right));
        }
    }
    let hs384 = HS384Key::from_bytes(CURRENT.as_bytes());
    let hs512 = HS512Key::from_bytes(CURRENT.as_bytes());
    let tag = |key: &dyn Fn(&[u8]) -> Vec<u8>, alg: &str| {
        token(&format!(r#"{{"alg":"{alg}","typ":"JWT"}}"#), payload, key)
    };
    add("HS384".into(), tag(&|signed| hs384.authentication_tag(signed), "HS384"));
    add("HS512".into(), tag(&|signed| hs512.authentication_tag(signed), "HS512"));
    add("HS384 said to be HS256".into(), tag(&|signed| hs384.authentication_tag(signed), "HS256"));
    for alg in ["RS256", "PS256", "ES256", "ES384", "ML-DSA-44", "HS1", "hs256", "Hs256", "HS256 "]
    {
        add(format!("{alg} with noise"), tag(&|_| vec![0x5a; 256], alg));
        add(format!("{alg} with the right HMAC"), tag(&right, alg));
        add(format!("{alg} with the pair"), tag(&paired(SEED), alg));
    }
    for (alg, kid) in [("HS256", &ring.pair), ("EdDSA", &ring.current), ("Ed25519", &ring.pair)] {
        let header = format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#);
        add(format!("{alg} for {kid}, HMAC"), token(&header, payload, &right));
        add(format!("{alg} for {kid}, pair"), token(&header, payload, &paired(SEED)));
    }
    add("EdDSA without a name".into(), token(r#"{"alg":"EdDSA"}"#, payload, &paired(SEED)));
    add(
        "another secret".into(),
        token(HS256, payload, &hs256(b"a secret that nobody has here, 32")),
    );
    add("no secret".into(), token(HS256, payload, &hs256(b"")));
    let header = format!(r#"{{"alg":"EdDSA","kid":"{}"}}"#, ring.pair);
    add("another pair".into(), token(&header, payload, &paired([9; 32])));
    add("EdDSA, zeros".into(), token(&header, payload, &|_| vec![0; 64]));
    // R and A of small order verify any message unless the verifier checks for them.
    let small = [&[1; 1][..], &[0; 63]].concat();
    add("EdDSA, small order".into(), token(&header, payload, &|_| small.clone()));
}

/// Tokens signed with the public half as an HMAC secret, in every encoding of a library.
fn public_key_as_secret(ring: &Ring, payload: &str, rows: &mut Rows) {
    let set = ring.server.get("/.well-known/jwks.json");
    let jwk = &set.json()["keys"][0];
    let raw = KeyPair::from_seed(Seed::new(SEED)).pk.to_vec();
    let x = base64url(&raw);
    assert_eq!(jwk["x"], x);
    let der = [&[0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0][..], &raw].concat();
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        base64url(&der).replace('-', "+").replace('_', "/")
    );
    let spellings: [(&str, Vec<u8>); 10] = [
        ("raw", raw.clone()),
        ("base64url", x.clone().into()),
        ("padded", format!("{x}=").into()),
        ("base64", x.replace('-', "+").replace('_', "/").into()),
        ("hex", hex(&raw).into()),
        ("HEX", hex(&raw).to_uppercase().into()),
        ("JWK", jwk.to_string().into()),
        ("JWKS", set.body.into()),
        ("DER", der),
        ("PEM", pem.into()),
    ];
    for (spelling, secret) in spellings {
        for kid in ["".to_owned(), format!(r#","kid":"{}""#, ring.pair)] {
            for alg in ["HS256", "EdDSA"] {
                let header = format!(r#"{{"alg":"{alg}"{kid},"typ":"JWT"}}"#);
                let name = format!("{alg}{kid} with the public key, {spelling}");
                rows.push((name, token(&header, payload, &hs256(&secret)), INVALID));
            }
        }
    }
}

/// Tokens with a wrong or malformed key id.
fn key_ids(ring: &Ring, payload: &str, rows: &mut Rows) {
    let right = hs256(CURRENT.as_bytes());
    let huge = format!("\"{}\"", "k".repeat(2500));
    let other = format!("\"{}\"", ring.old);
    let spaced = format!("\" {} \"", ring.current);
    let upper = format!("\"{}\"", ring.current.to_uppercase());
    let longer = format!("\"{}\\u0000\"", ring.current);
    let listed = format!("[\"{}\"]", ring.current);
    for kid in [
        "\"unknown\"",
        "\"\"",
        "\"../../../../../../dev/null\"",
        "\"/dev/null\"",
        "\"lictor.key\"",
        "\"file:///etc/passwd\"",
        "\"http://127.0.0.1:1/key\"",
        "\"x' UNION SELECT 'secret' --\"",
        "\"'; DROP TABLE users; --\"",
        "\"$(id)\"",
        "\"|cat /etc/passwd\"",
        "\"%00\"",
        "0",
        "-1",
        "1e400",
        "null",
        "true",
        "{}",
        "[]",
        &huge,
        &other,
        &spaced,
        &upper,
        &longer,
        &listed,
    ] {
        let header = format!(r#"{{"alg":"HS256","kid":{kid},"typ":"JWT"}}"#);
        rows.push((format!("kid {kid:.60}"), token(&header, payload, &right), INVALID));
        for (name, secret) in [("an empty", &b""[..]), ("the selected", b"secret")] {
            let token = token(&header, payload, &hs256(secret));
            rows.push((format!("kid {kid:.60} with {name} secret"), token, INVALID));
        }
    }
    let twice = format!(r#"{{"alg":"HS256","kid":"{0}","kid":"{0}"}}"#, ring.current);
    rows.push(("kid twice".into(), token(&twice, payload, &right), INVALID));
}

/// Tokens with an attacker's key, in the header or at a URL that the header names.
fn embedded_keys(ring: &Ring, payload: &str, rows: &mut Rows) {
    let pair = KeyPair::from_seed(Seed::new([9; 32]));
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": base64url(*pair.pk), "alg": "EdDSA"});
    let shared = json!({"kty": "oct", "k": base64url(b"secret"), "alg": "HS256"});
    let url = "http://127.0.0.1:1/jwks.json";
    for kid in [None, Some("mine"), Some(&*ring.pair), Some(&*ring.current)] {
        for (alg, member, value) in [
            ("EdDSA", "jwk", jwk.clone()),
            ("HS256", "jwk", shared.clone()),
            ("HS256", "k", json!(base64url(b"secret"))),
            ("EdDSA", "jku", json!(url)),
            ("EdDSA", "x5u", json!(url)),
            ("EdDSA", "x5c", json!([base64url(*pair.pk)])),
            ("HS256", "jku", json!(format!("{}/.well-known/jwks.json", ring.server.address))),
            ("HS256", "x5t", json!("AA")),
        ] {
            let mut header = json!({"alg": alg, "typ": "JWT", member: value});
            if let Some(kid) = kid {
                header["kid"] = kid.into();
            }
            let token = match alg {
                "EdDSA" => token(&header.to_string(), payload, &paired([9; 32])),
                _ => token(&header.to_string(), payload, &hs256(b"secret")),
            };
            rows.push((format!("{alg} {member} {kid:?}"), token, INVALID));
        }
    }
    for header in [
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","crit":"kid"}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":"none","alg":"HS256"}"#,
        r#"{"alg":"HS256","alg":"none"}"#,
        r#"{"alg":"HS256","typ":"JWT","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":"JWE"}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"alg":256}"#,
        r#"{"typ":"JWT"}"#,
        r#"["HS256"]"#,
        r#""HS256""#,
        "null",
        "{",
        "",
        "\u{feff}{\"alg\":\"HS256\"}",
        r#"{"alg":"HS256"}{"alg":"HS256"}"#,
        r#"{"alg":"HS256",}"#,
        r#"{alg:"HS256"}"#,
    ] {
        let token = token(header, payload, &hs256(CURRENT.as_bytes()));
        rows.push((format!("header {header}"), token, INVALID));
    }
}

/// Valid tokens, encoded or put together in another way.
fn shapes(payload: &str, rows: &mut Rows) {
    let good = token(HS256, payload, &hs256(CURRENT.as_bytes()));
    let parts: Vec<&str> = good.split('.').collect();
    let [header, body, tag] = parts[..] else { panic!("{good}") };
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = alphabet.find(&tag[42..]).unwrap();
    let stray = format!("{}{}", &tag[..42], &alphabet[last + 1..last + 2]);
    let with_tag = |tag: &str| format!("{header}.{body}.{tag}");
    for (name, token) in [
        ("no signature", with_tag("")),
        ("no third part", format!("{header}.{body}")),
        ("one part", header.to_owned()),
        ("half a signature", with_tag(&tag[..21])),
        ("one character less", with_tag(&tag[..42])),
        ("one character more", with_tag(&format!("{tag}A"))),
        ("stray bits", with_tag(&stray)),
        ("padding", with_tag(&format!("{tag}="))),
        ("padding of the payload", format!("{header}.{body}=.{tag}")),
        ("signature of zeros", with_tag(&"A".repeat(43))),
        ("signature of 64 zeros", with_tag(&"A".repeat(86))),
        ("long signature", with_tag(&"A".repeat(3000))),
        ("signature of the header", with_tag(header)),
        ("four parts", format!("{good}.{tag}")),
        ("an empty fourth part", format!("{good}.")),
        ("five parts, as JWE", format!("{header}..{body}.{tag}.{tag}")),
        ("dots alone", "..".into()),
        ("many dots", ".".repeat(500)),
        ("a space inside", format!("{header}. {body}.{tag}")),
        ("a space at the end of the signature", with_tag(&format!("{tag} x"))),
        ("a line feed", format!("{good}\n")),
        ("a NUL", format!("{good}\0")),
        // A body may be a JSON string; only once.
        ("two quotes", format!("\"\"{good}\"\"")),
        ("another alphabet", with_tag(&format!("{}+", &tag[..42]))),
        ("upper case", good.to_uppercase()),
        ("as JSON", json!({"payload": body, "protected": header, "signature": tag}).to_string()),
        ("another payload", {
            let changed = payload.replacen("\"id\":1", "\"id\":2", 1);
            assert_ne!(changed, payload);
            format!("{header}.{}.{tag}", base64url(changed))
        }),
        ("another header", format!("{}.{body}.{tag}", base64url(r#"{"alg":"HS256"}"#))),
        ("nested", token_of(&good)),
        ("nested, declared", {
            let header = r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#;
            token(header, &good, &hs256(CURRENT.as_bytes()))
        }),
        ("oversize", {
            let padded = payload.replacen('{', &format!("{{\"x\":\"{}\",", "x".repeat(4000)), 1);
            token(HS256, &padded, &hs256(CURRENT.as_bytes()))
        }),
        ("oversize nonsense", "a".repeat(7000)),
    ] {
        rows.push((name.to_owned(), token, INVALID));
    }
}

fn token_of(payload: &str) -> String {
    token(HS256, payload, &hs256(CURRENT.as_bytes()))
}

/// Tokens with a valid signature and invalid claims.
fn claims(payload: &Value) -> Vec<(String, String, &'static str)> {
    let mut rows = Vec::new();
    let text = payload.to_string();
    let with = |claim: &str, value: &str| {
        let mut rest = payload.clone();
        rest.as_object_mut().unwrap().remove(claim);
        let rest = rest.to_string();
        format!("{{\"{claim}\":{value},{}", &rest[1..])
    };
    let numbers = [
        "null",
        "true",
        "\"1\"",
        "[1]",
        "{}",
        "1.5",
        "1.0",
        "1e3",
        "1e400",
        "-1e400",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "01",
        "NaN",
        "Infinity",
        "0x7f",
    ];
    for claim in ["iat", "exp", "id", "rf_exp", "nbf"] {
        for value in numbers {
            rows.push((format!("{claim} {value}"), with(claim, value), INVALID));
        }
    }
    rows.push(("a number of 2,000 digits".into(), with("exp", &"9".repeat(2000)), INVALID));
    for value in ["null", "1", "true", "[]", "{}", "\"\\ud800\"", "\"\u{1}\""] {
        rows.push((format!("jti {value}"), with("jti", value), INVALID));
    }
    for claim in ["iat", "exp", "jti", "id", "rls", "rf_exp"] {
        let value = &payload[claim];
        let twice = format!("{{\"{claim}\":{value},{}", &text[1..]);
        rows.push((format!("{claim} twice"), twice, INVALID));
        let escaped =
            format!("{{\"\\u00{:02x}{}\":{value},{}", claim.as_bytes()[0], &claim[1..], &text[1..]);
        rows.push((format!("{claim} twice, once escaped"), escaped, INVALID));
        if !["iat", "rls"].contains(&claim) {
            let mut rest = payload.clone();
            rest.as_object_mut().unwrap().remove(claim);
            rows.push((format!("no {claim}"), rest.to_string(), "MissingClaimError"));
        }
    }
    let future = (now() + 50_000).to_string();
    for (name, claim, value, expected) in [
        ("from the future", "iat", &*future, INVALID),
        ("not yet", "nbf", &future, INVALID),
        ("not for ever", "nbf", "9223372036854775807", INVALID),
        ("for somebody else", "aud", "\"else\"", INVALID),
        ("for nobody", "aud", "null", INVALID),
        ("for registration", "is_ert", "true", "MisusedRegistrationToken"),
        ("not for registration", "is_ert", "false", "MisusedRegistrationToken"),
        ("for a reset", "is_prt", "true", "MisusedResetToken"),
        ("for a reset, null", "is_prt", "null", "MisusedResetToken"),
        ("for user 0", "id", "0", "MissingUserError"),
        ("for user -1", "id", "-1", "MissingUserError"),
        ("for the last user", "id", "9223372036854775807", "MissingUserError"),
    ] {
        rows.push((name.into(), with(claim, value), expected));
    }
    for (name, payload) in [
        ("empty", ""),
        ("an empty object", "{}"),
        ("an array", "[]"),
        ("an array of values", "[1,2,3]"),
        ("a string", "\"a\""),
        ("cut", &text[..text.len() - 1]),
        ("two objects", &format!("{text}{text}")),
        ("deep", &format!("{{\"x\":{}", "[".repeat(2000))),
        ("a byte order mark", &format!("\u{feff}{text}")),
    ] {
        let expected = if payload == "{}" { "MissingClaimError" } else { INVALID };
        rows.push((name.into(), payload.into(), expected));
    }
    rows
}

/// Sends a token to every place that takes one; returns the replies.
fn everywhere(server: &Server, token: &str) -> Vec<crate::support::Reply> {
    let mut replies = vec![server.send("POST", "/api/refresh", &[], token)];
    // A text that cannot be in a header field is sent in the body only.
    if token.bytes().all(|b| (b' '..=b'~').contains(&b)) {
        let bearer = format!("Bearer {token}");
        let cookie = format!("access_token={token}");
        for path in ["/api/protected", "/api/verify"] {
            replies.push(server.send("GET", path, &[("Authorization", &bearer)], ""));
        }
        replies.push(server.send("POST", "/api/refresh", &[("Authorization", &bearer)], ""));
        if !token.contains([' ', ';', '"']) {
            replies.push(server.send("GET", "/api/protected", &[("Cookie", &cookie)], ""));
        }
    }
    replies
}

fn check(server: &Server, name: &str, token: &str, expected: &str) {
    for reply in everywhere(server, token) {
        assert_eq!(reply.error(), (401, expected.into()), "{name}: {reply:?}");
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"), "{name}");
        assert_without(&reply.body, &[CURRENT, OLD, "panick", "SELECT"], &reply);
    }
}

#[test]
fn attacks_are_refused_everywhere() {
    let ring = Ring::start();
    let server = &ring.server;
    let good = json!({
        "iat": now() - 200, "exp": now() + 50_000, "jti": "30c4ebee-8314-4802-bceb-ddb83e83ba2e",
        "id": 1, "rls": "", "rf_exp": now() + 90_000,
    });
    let named = |alg: &str, kid: &str| format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"JWT"}}"#);
    let secrets = [CURRENT, OLD].map(|secret| hs256(secret.as_bytes()));
    let pair = paired(SEED);
    let keys: [(&str, Sign<'_>); 5] = [
        (HS256, &secrets[0]),
        (HS256, &secrets[1]),
        (&named("HS256", &ring.current), &secrets[0]),
        (&named("HS256", &ring.old), &secrets[1]),
        (&named("EdDSA", &ring.pair), &pair),
    ];
    // A valid token of every key is accepted: the refusals are not due to a broken key.
    let control = || {
        for (header, sign) in keys {
            let token = token(header, &good.to_string(), sign);
            assert_eq!(server.protected(&token).status(), 200, "{header}");
            let early = server.send("POST", "/api/refresh", &[], &token);
            assert_eq!(early.error(), (425, "EarlyRefreshError".into()), "{header}");
        }
    };
    control();
    let forged = forgeries(&ring, &good.to_string());
    assert!(forged.len() > 250, "{}", forged.len());
    for (name, token, expected) in forged {
        check(server, &name, &token, expected);
    }
    for (name, payload, expected) in claims(&good) {
        for (header, sign) in [keys[0], keys[4]] {
            let token = token(header, &payload, sign);
            // These errors depend on the user, who is checked after the times: only for access.
            if expected == "MissingUserError" {
                assert_eq!(server.protected(&token).error(), (401, expected.into()), "{name}");
            } else {
                check(server, &name, &token, expected);
            }
        }
    }
    control();
    let log = server.log();
    assert_without(&log, &[CURRENT, OLD, &hex(&SEED), "panick", "a bug"], &"the log");
}
