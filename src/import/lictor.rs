//! One line of lictor's own export: read strictly, as `export` writes it.

use serde::Deserialize;
use zeroize::Zeroizing;

use super::export::VERSION;
use super::person::{self, Kind, Person, Refusal, bad_hash, refuse};
use super::quoted::quoted;
use super::time;
use crate::clock::Timestamp;
use crate::guard::read_foreign;
use crate::store::{ImportedFactor, ImportedUser, MAX_ID};
use crate::values::{Language, PasswordHash, Roles, TotpSecret};

/// How a hash of lictor's own begins. The export of another program's Argon2 begins with `argon2$`.
const OWN: &str = "$argon2";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    lictor: u64,
    id: i64,
    username: String,
    email: Option<String>,
    password: Option<String>,
    roles: String,
    active: bool,
    created: String,
    language: String,
    second_factor: Option<Factor>,
    #[serde(default)]
    recovery_codes: Vec<String>,
    #[serde(default)]
    former_names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Factor {
    secret: String,
    created: String,
    confirmed: Option<String>,
    last_step: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    lictor: u64,
    end: u64,
}

/// The number of accounts that the last line of an export says; `None` if it is another line.
pub(super) fn end(line: &str) -> Option<u64> {
    let end = serde_json::from_str::<End>(line).ok()?;
    (end.lictor == VERSION && end.end < u64::MAX).then_some(end.end)
}

/// Reads a line; also its id and username, as far as they can be read.
pub(super) fn read(
    row: u64,
    line: &str,
    new_name: &mut dyn FnMut(&str) -> Option<String>,
) -> (String, String, Result<Person, Refusal>) {
    match serde_json::from_str::<Line>(line) {
        Ok(line) => {
            let new = new_name(&line.username);
            (line.id.to_string(), line.username.clone(), account(row, line, new))
        }
        Err(error) => (String::new(), String::new(), refuse(Kind::Unreadable, words(&error))),
    }
}

fn account(row: u64, line: Line, new_name: Option<String>) -> Result<Person, Refusal> {
    if line.lictor != VERSION {
        let version = line.lictor;
        let reason = format!("the export is of version {version}; this lictor reads {VERSION}");
        return refuse(Kind::Unreadable, reason);
    }
    if !(1..=MAX_ID).contains(&line.id) {
        return refuse(Kind::Id, format!("{} is no id: ids go from 1 to {MAX_ID}", line.id));
    }
    let name = person::username(&line.username, new_name.as_deref())?;
    let renamed = new_name.is_some();
    let mut former_names = line.former_names;
    former_names.extend(new_name.map(|_| line.username));
    let (hash, scheme) = password(line.password)?;
    let user = ImportedUser {
        row,
        id: Some(line.id),
        name,
        email: line.email.as_deref().map(person::email).transpose()?,
        hash,
        roles: roles(&line.roles)?,
        active: line.active,
        created: time(&line.created)?,
        created_known: true,
        own: true,
        language: language(&line.language)?,
        former_names,
        factor: line.second_factor.map(factor).transpose()?,
        recovery_codes: codes(&line.recovery_codes)?,
    };
    Ok(Person { user, scheme, created_unknown: false, renamed, unconfirmed: false })
}

fn roles(text: &str) -> Result<Roles, Refusal> {
    Roles::parse(text)
        .or_else(|_| refuse(Kind::Roles, format!("this is no list of roles: {}", quoted(text))))
}

fn time(text: &str) -> Result<Timestamp, Refusal> {
    time::read_created(text).map_or_else(|| unreadable("a time"), Ok)
}

fn language(code: &str) -> Result<Language, Refusal> {
    let language = Language::of_code(code);
    // Exports of earlier versions have `pt`.
    if language.code() == code || code == "pt" { Ok(language) } else { unreadable("the language") }
}

fn codes(texts: &[String]) -> Result<Vec<[u8; 32]>, Refusal> {
    let codes: Option<_> = texts.iter().map(|code| unhex(code)).collect();
    codes.map_or_else(|| unreadable("a recovery code"), Ok)
}

fn unreadable<T>(what: &str) -> Result<T, Refusal> {
    refuse(Kind::Unreadable, format!("{what} is not as an export has it"))
}

fn factor(factor: Factor) -> Result<ImportedFactor, Refusal> {
    let secret = Zeroizing::new(factor.secret);
    let Some(secret) = TotpSecret::of_base32(&secret) else {
        return unreadable("the secret of the second factor");
    };
    Ok(ImportedFactor {
        secret,
        created: time(&factor.created)?,
        confirmed: factor.confirmed.as_deref().map(time).transpose()?,
        last_step: factor.last_step,
    })
}

/// The hash as it is stored. It is read as that of any program, so that one that is not complete, or
/// too costly, is refused; but Argon2 of lictor's own stays as it is.
fn password(text: Option<String>) -> Result<(PasswordHash, Option<&'static str>), Refusal> {
    let Some(text) = text else { return Ok((PasswordHash::none(), None)) };
    match read_foreign(&text) {
        Ok(hash) if text.starts_with(OWN) => Ok((PasswordHash::stored(text), Some(hash.scheme))),
        Ok(hash) => Ok((hash.stored, Some(hash.scheme))),
        Err(bad) => bad_hash(&bad),
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

/// What is wrong with a line, without any value of it: it has a hash.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let field = ["missing field", "unknown field", "duplicate field"]
        .iter()
        .any(|start| text.starts_with(start));
    match text.split_once('`').and_then(|(start, rest)| Some((start, rest.split_once('`')?.0))) {
        Some((start, name)) if field => format!("{start}{}", quoted(name)),
        _ => format!("this is no line of an export, at byte {}", error.column()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::export::end_line;
    use super::*;

    const HASH: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$RdescudvJCsgt3ub+b5dWRWJTmaaJObG";

    fn line() -> serde_json::Value {
        serde_json::json!({
            "lictor": 1, "id": 7, "username": "Ada", "email": "ada@mail.example", "password": HASH,
            "roles": "admin,user", "active": true, "created": "2026-11-29T12:00:00Z", "language": "pt",
        })
    }

    /// The line with these fields changed.
    fn with(changes: &[(&str, serde_json::Value)]) -> String {
        let mut line = line();
        for (name, value) in changes {
            line[*name] = value.clone();
        }
        line.to_string()
    }

    #[test]
    fn a_line_becomes_an_account() {
        let codes = serde_json::json!(["ab".repeat(32)]);
        let factor = serde_json::json!({
            "secret": "A".repeat(32), "created": "2026-11-29T12:00:00Z", "confirmed": null, "last_step": 5,
        });
        let former = serde_json::json!(["ada lovelace"]);
        let text =
            with(&[("second_factor", factor), ("recovery_codes", codes), ("former_names", former)]);
        let (id, username, person) = read(3, &text, &mut |_| Some("Ada2".into()));
        let user = person.unwrap().user;
        assert_eq!((id.as_str(), username.as_str(), user.row, user.id), ("7", "Ada", 3, Some(7)));
        assert_eq!((user.name.as_str(), user.language), ("Ada2", Language::Portuguese));
        assert_eq!(user.former_names, ["ada lovelace", "Ada"]);
        assert_eq!((user.hash.as_str(), user.created.0), (HASH, 1_795_953_600));
        let factor = user.factor.unwrap();
        assert_eq!(
            (factor.secret.bytes(), factor.confirmed, factor.last_step),
            (&[0; 20], None, 5)
        );
        assert_eq!(user.recovery_codes, [[0xab; 32]]);
        for (code, expected) in [("pt-BR", Language::BrazilianPortuguese), ("de", Language::German)]
        {
            let text = with(&[("language", code.into())]);
            assert_eq!(read(1, &text, &mut |_| None).2.unwrap().user.language, expected);
        }
        let none =
            with(&[("password", serde_json::Value::Null), ("email", serde_json::Value::Null)]);
        let person = read(1, &none, &mut |_| None).2.unwrap();
        assert_eq!(
            (person.user.hash.as_str(), person.scheme, person.user.email),
            ("!", None, None)
        );
    }

    #[test]
    fn the_last_line_says_how_many_there_are() {
        assert_eq!(end_line(7), r#"{"lictor":1,"end":7}"#);
        for (line, expected) in [
            (end_line(0).as_str(), Some(0)),
            (r#"{"end": 3, "lictor": 1}"#, Some(3)),
            (r#"{"lictor":2,"end":7}"#, None),
            (r#"{"lictor":1,"end":-1}"#, None),
            (r#"{"lictor":1,"end":18446744073709551615}"#, None),
            (r#"{"lictor":1,"end":7,"id":1}"#, None),
            (&line().to_string(), None),
        ] {
            assert_eq!(end(line), expected, "{line}");
        }
    }

    #[test]
    fn what_an_export_does_not_write_is_refused() {
        let secret = "hunter2";
        for (text, kind, words) in [
            (with(&[("lictor", 2.into())]), Kind::Unreadable, "of version 2; this lictor reads 1"),
            (with(&[("id", 0.into())]), Kind::Id, "0 is no id"),
            (with(&[("id", "7".into())]), Kind::Unreadable, "no line of an export, at byte "),
            (with(&[("x", secret.into())]), Kind::Unreadable, "unknown field \"x\""),
            (with(&[("active", secret.into())]), Kind::Unreadable, "no line of an export"),
            (with(&[("password", secret.into())]), Kind::HashUnknown, "no known scheme"),
            (with(&[("username", "a b".into())]), Kind::Name, "no spaces"),
            (with(&[("email", "a".into())]), Kind::Email, "not an e-mail address"),
            (with(&[("roles", "a b".into())]), Kind::Roles, "no list of roles"),
            (with(&[("created", "now".into())]), Kind::Unreadable, "a time is not"),
            (with(&[("language", "xx".into())]), Kind::Unreadable, "the language is not"),
            (with(&[("language", "pt-br".into())]), Kind::Unreadable, "the language is not"),
            (
                with(&[("recovery_codes", vec!["AB".repeat(32)].into())]),
                Kind::Unreadable,
                "a recovery code",
            ),
            (with(&[("recovery_codes", vec!["ab"].into())]), Kind::Unreadable, "a recovery code"),
            ("{\"lictor\":1}".into(), Kind::Unreadable, "missing field \"id\""),
            ("{\"lictor\":1,\"lictor\":1}".into(), Kind::Unreadable, "duplicate field \"lictor\""),
            ("[]".into(), Kind::Unreadable, "no line of an export"),
        ] {
            let refusal = read(1, &text, &mut |_| None).2.map(|_| ()).unwrap_err();
            assert_eq!(refusal.kind, kind, "{text}: {refusal:?}");
            assert!(refusal.reason.contains(words), "{words}: {refusal:?}");
            assert!(!refusal.reason.contains(secret), "{refusal:?}");
        }
    }
}
