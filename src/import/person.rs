//! What a row of another program must be to become an account. Pure: knows no source and no store.

use super::mapping::Fields;
use super::quoted::quoted;
use super::time;
use crate::clock::Timestamp;
use crate::error::Error;
use crate::guard::{BadHash, read_foreign};
use crate::store::source::Cell;
use crate::store::{ImportedUser, MAX_ID};
use crate::values::{Email, Language, PasswordHash, Roles, Username};

/// How the text begins that Django writes where there is no password.
const UNUSABLE: &str = "!";

/// Why a row cannot become an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) kind: Kind,
    /// The reason in words.
    pub(super) reason: String,
}

/// The kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// RFC 8265 refuses the username.
    Name,
    /// Another account has the name, perhaps in other case.
    NameTaken,
    /// The e-mail address is none.
    Email,
    /// Another account has the e-mail address.
    EmailTaken,
    /// No known scheme, or not complete.
    HashUnknown,
    /// Too many rounds, or too much memory.
    HashCostly,
    /// The id is no id.
    Id,
    /// Another account has the id.
    IdInUse,
    /// An account has the id and the name, but may be another person's.
    Differs,
    /// The roles are none.
    Roles,
    /// Not UTF-8, too long, or not what the format allows.
    Unreadable,
}

impl Kind {
    /// Its name in the report.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Name => "name",
            Kind::NameTaken => "name-taken",
            Kind::Email => "email",
            Kind::EmailTaken => "email-taken",
            Kind::HashUnknown => "hash-unknown",
            Kind::HashCostly => "hash-costly",
            Kind::Id => "id",
            Kind::IdInUse => "id-in-use",
            Kind::Differs => "differs",
            Kind::Roles => "roles",
            Kind::Unreadable => "unreadable",
        }
    }
}

/// A row that can become an account.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) user: ImportedUser,
    /// The scheme of the password's hash; `None` if there is no password.
    pub(super) scheme: Option<&'static str>,
    /// The source has a time at which the account was made, but it cannot be read.
    pub(super) created_unknown: bool,
    /// It gets a name of `--rename`.
    pub(super) renamed: bool,
    /// It has an e-mail address that was not confirmed, and comes without it.
    pub(super) unconfirmed: bool,
}

/// What the ids of a source are: those of its first row decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    /// Not known yet, or there are none.
    Unknown,
    /// Numbers, which are kept.
    Kept,
    /// Texts: all accounts get new ones.
    Texts,
}

/// Reads a row. `new_name` replaces its username.
pub(super) fn read(
    row: u64,
    fields: &Fields<'_>,
    new_name: Option<&str>,
    ids: &mut Ids,
    now: Timestamp,
) -> Result<Person, Refusal> {
    let id = fields.id.map(|id| read_id(text("id", id)?, ids)).transpose()?.flatten();
    let old_name = optional("username", fields.username)?;
    let name = username(old_name, new_name)?;
    let (email, unconfirmed) = own_email(fields)?;
    let (hash, scheme) = password(optional("password", fields.password)?)?;
    let created = optional("time of creation", fields.created)?;
    let read_created = time::read_created(created);
    Ok(Person {
        user: ImportedUser {
            row,
            id,
            name,
            email,
            hash,
            roles: roles(fields)?,
            active: active(fields, now)?,
            created: read_created.unwrap_or(now),
            created_known: read_created.is_some(),
            own: false,
            language: Language::English,
            former_names: new_name.map(|_| old_name.to_owned()).into_iter().collect(),
            factor: None,
            recovery_codes: Vec::new(),
        },
        scheme,
        created_unknown: fields.created.is_some() && read_created.is_none(),
        renamed: new_name.is_some(),
        unconfirmed,
    })
}

pub(super) fn refuse<T>(kind: Kind, reason: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { kind, reason: reason.into() })
}

/// The text of a cell; empty for NULL.
fn text<'a>(what: &str, cell: Cell<'a>) -> Result<&'a str, Refusal> {
    match cell {
        Cell::Null => Ok(""),
        Cell::Text(text) => Ok(text),
        Cell::Unreadable(why) => {
            refuse(Kind::Unreadable, format!("the {what} cannot be read: {why}"))
        }
    }
}

/// The text of a field; empty for NULL, or without a column.
fn optional<'a>(what: &str, cell: Option<Cell<'a>>) -> Result<&'a str, Refusal> {
    text(what, cell.unwrap_or(Cell::Null))
}

/// Reads an id; `None` if the ids of the source are texts.
fn read_id(text: &str, ids: &mut Ids) -> Result<Option<i64>, Refusal> {
    let text = text.trim();
    let new_ids = "--map id= gives new ids to all";
    if text.is_empty() {
        return refuse(Kind::Id, format!("there is no id; {new_ids}"));
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let found = if is_number { Ids::Kept } else { Ids::Texts };
    if *ids == Ids::Unknown {
        *ids = found;
    }
    match (*ids, is_number) {
        (Ids::Texts, false) => Ok(None),
        (Ids::Kept, true) => match text.parse() {
            Ok(id) if (1..=MAX_ID).contains(&id) => Ok(Some(id)),
            _ => refuse(Kind::Id, format!("{} is no id: ids go from 1 to {MAX_ID}", quoted(text))),
        },
        (_, true) => {
            refuse(Kind::Id, format!("the id is a number, those before are not; {new_ids}"))
        }
        (_, false) => {
            refuse(Kind::Id, format!("{} is no number, those before are; {new_ids}", quoted(text)))
        }
    }
}

/// The name, or the new one. Only a name that somebody had already may look like an e-mail address.
pub(super) fn username(old: &str, new: Option<&str>) -> Result<Username, Refusal> {
    match new {
        None => Username::parse(old).or_else(|error| refuse(Kind::Name, words(&error))),
        Some(new) => Username::choose(new).or_else(|error| {
            refuse(Kind::Name, format!("the new name {}: {}", quoted(new), words(&error)))
        }),
    }
}

pub(super) fn email(text: &str) -> Result<Email, Refusal> {
    Email::parse(text)
        .or_else(|error| refuse(Kind::Email, format!("{}: {}", words(&error), quoted(text))))
}

/// The e-mail address, and whether there is one that was not confirmed and is left out.
fn own_email(fields: &Fields<'_>) -> Result<(Option<Email>, bool), Refusal> {
    let confirmed = optional("confirmation of the e-mail address", fields.confirmed)?;
    match optional("e-mail address", fields.email)? {
        "" => Ok((None, false)),
        _ if fields.confirmed.is_some() && !is_confirmed(confirmed) => Ok((None, true)),
        address => Ok((Some(email(address)?), false)),
    }
}

/// Whether an e-mail address was confirmed: true, or the time at which it was.
fn is_confirmed(text: &str) -> bool {
    let lower = text.trim().to_ascii_lowercase();
    // MySQL writes no time as zeros, and exports no value as NULL.
    !matches!(&*lower, "" | "false" | "f" | "0" | "no" | "n" | "null") && !lower.starts_with("0000")
}

/// The hash as it is stored, and its scheme.
fn password(text: &str) -> Result<(PasswordHash, Option<&'static str>), Refusal> {
    if text.is_empty() || text.starts_with(UNUSABLE) {
        return Ok((PasswordHash::none(), None));
    }
    match read_foreign(text) {
        Ok(hash) => Ok((hash.stored, Some(hash.scheme))),
        Err(bad) => bad_hash(&bad),
    }
}

pub(super) fn bad_hash<T>(bad: &BadHash) -> Result<T, Refusal> {
    let kind = match bad {
        BadHash::TooCostly(_) => Kind::HashCostly,
        BadHash::Unknown | BadHash::Malformed(_) => Kind::HashUnknown,
    };
    refuse(kind, bad.to_string())
}

fn roles(fields: &Fields<'_>) -> Result<Roles, Refusal> {
    let mut flagged = Vec::new();
    for (cell, role) in &fields.flags {
        if boolean(&format!("flag of the role {role}"), text(role, *cell)?)? {
            flagged.push(*role);
        }
    }
    let listed = optional("list of roles", fields.roles)?.trim();
    match listed.as_bytes().first() {
        Some(b'[') => serde_json::from_str::<Vec<String>>(listed)
            .map_or_else(|_| no_roles(listed), Ok)
            .and_then(|all| role_list(all.iter().map(String::as_str), listed)),
        Some(b'{') => array(listed)
            .map_or_else(|| no_roles(listed), Ok)
            .and_then(|all| role_list(all.iter().map(String::as_str), listed)),
        // What Python writes for nothing.
        Some(_) if listed == "None" => role_list(flagged, listed),
        Some(_) => role_list(listed.split(',').map(str::trim), listed),
        None => role_list(flagged, listed),
    }
}

fn role_list<'a>(all: impl IntoIterator<Item = &'a str>, listed: &str) -> Result<Roles, Refusal> {
    Roles::of(all)
        .or_else(|error| refuse(Kind::Roles, format!("{}: {}", words(&error), quoted(listed))))
}

fn no_roles<T>(listed: &str) -> Result<T, Refusal> {
    refuse(Kind::Roles, format!("this is no list of roles: {}", quoted(listed)))
}

/// The elements of PostgreSQL's text of an array, as in `{admin,"a b"}`, without those that are
/// NULL. `None` if it is none, or has arrays in it.
fn array(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    let mut elements = Vec::new();
    let mut rest = inner.chars().peekable();
    while rest.peek().is_some() {
        let mut element = String::new();
        let is_quoted = rest.peek() == Some(&'"');
        if rest.next_if_eq(&'"').is_some() {
            loop {
                match rest.next()? {
                    '"' => break,
                    '\\' => element.push(rest.next()?),
                    other => element.push(other),
                }
            }
        } else {
            while let Some(next) = rest.next_if(|c| *c != ',') {
                if ['{', '}', '"'].contains(&next) {
                    return None;
                }
                element.push(next);
            }
        }
        if is_quoted || !element.eq_ignore_ascii_case("null") {
            elements.push(element);
        }
        // Another element follows a comma.
        match rest.next() {
            None => break,
            Some(',') if rest.peek().is_some() => {}
            Some(_) => return None,
        }
    }
    Some(elements)
}

fn active(fields: &Fields<'_>, now: Timestamp) -> Result<bool, Refusal> {
    let flag = match fields.active {
        None => true,
        Some(Cell::Null | Cell::Text("")) => false,
        Some(cell) => boolean("state", text("state", cell)?)?,
    };
    let deleted = !optional("time of deletion", fields.unset)?.is_empty();
    let until = optional("time of the ban", fields.until)?;
    // A time that cannot be read, such as `infinity`, is not past.
    let banned = !until.is_empty() && time::read_created(until).is_none_or(|until| until > now);
    Ok(flag && !deleted && !banned)
}

fn boolean(what: &str, text: &str) -> Result<bool, Refusal> {
    let lower = text.trim().to_ascii_lowercase();
    match &*lower {
        "true" | "t" | "1" | "yes" | "y" => Ok(true),
        "false" | "f" | "0" | "no" | "n" | "" => Ok(false),
        _ => refuse(
            Kind::Unreadable,
            format!("the {what} is neither true nor false: {}", quoted(text)),
        ),
    }
}

/// The words of an error of a value: without the name of the field, the first letter small.
fn words(error: &Error) -> String {
    let text = error.to_string();
    let text =
        ["email: ", "roles: "].iter().find_map(|field| text.strip_prefix(field)).unwrap_or(&text);
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000);
    /// A hash that passlib made.
    const HASH: &str =
        "$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk";

    fn fields<'a>(username: &'a str) -> Fields<'a> {
        Fields { username: Some(Cell::Text(username)), ..Fields::default() }
    }

    fn person(fields: &Fields<'_>) -> Result<Person, Refusal> {
        read(7, fields, None, &mut Ids::Unknown, NOW)
    }

    #[track_caller]
    fn refused(fields: &Fields<'_>, kind: Kind, words: &str) {
        let refusal = person(fields).map(|person| person.user).unwrap_err();
        assert_eq!(refusal.kind, kind, "{refusal:?}");
        assert!(refusal.reason.contains(words), "{words}: {}", refusal.reason);
        let first = refusal.reason.chars().next().unwrap();
        assert!(!first.is_uppercase() && !refusal.reason.contains('\n'), "{}", refusal.reason);
    }

    #[test]
    fn a_row_becomes_an_account() {
        let row = Fields {
            id: Some(Cell::Text("23")),
            password: Some(Cell::Text(HASH)),
            roles: Some(Cell::Text("admin, user")),
            active: Some(Cell::Text("t")),
            email: Some(Cell::Text("Ada@Mail.example")),
            created: Some(Cell::Text("2020-02-29 12:00:00+00")),
            ..fields("Ada")
        };
        let Person { user, scheme, created_unknown, .. } = person(&row).unwrap();
        assert_eq!(
            (user.row, user.id, user.name.as_str(), user.name.key()),
            (7, Some(23), "Ada", "ada")
        );
        assert_eq!(user.email.unwrap().key(), "ada@mail.example");
        assert_eq!(
            (user.roles.as_str(), user.active, user.created.0),
            ("admin,user", true, 1_582_977_600)
        );
        assert_eq!(
            (user.hash.as_str(), scheme, created_unknown),
            (HASH, Some("pbkdf2_sha256"), false)
        );
        assert!(user.former_names.is_empty() && user.factor.is_none());

        let Person { user, scheme, created_unknown, .. } =
            person(&fields("ada@example.org")).unwrap();
        assert_eq!((user.id, user.email, user.roles.as_str()), (None, None, ""));
        assert_eq!((user.active, user.created, created_unknown), (true, NOW, false));
        assert_eq!((user.hash.as_str(), scheme), ("!", None));
    }

    #[test]
    fn names_and_addresses_are_parsed() {
        for (name, words) in [
            ("", "the username is empty"),
            ("ada lovelace", "no spaces"),
            ("a\u{202e}", "no spaces"),
            (&*"x".repeat(65), "longer than 64 characters"),
        ] {
            refused(&fields(name), Kind::Name, words);
        }
        refused(&Fields { username: Some(Cell::Null), ..fields("") }, Kind::Name, "is empty");
        refused(&Fields::default(), Kind::Name, "is empty");
        refused(
            &Fields { username: Some(Cell::Unreadable("not UTF-8")), ..fields("") },
            Kind::Unreadable,
            "the username cannot be read: not UTF-8",
        );
        let with_email = |email| Fields { email: Some(email), ..fields("ada") };
        refused(
            &with_email(Cell::Text("ada")),
            Kind::Email,
            "this is not an e-mail address: \"ada\"",
        );
        let long = "x".repeat(300);
        refused(&with_email(Cell::Text(&long)), Kind::Email, "longer than 254 bytes: \"xxx");
        refused(
            &with_email(Cell::Unreadable("too long")),
            Kind::Unreadable,
            "e-mail address cannot be read: too long",
        );
        for none in [Cell::Null, Cell::Text("")] {
            assert_eq!(person(&with_email(none)).unwrap().user.email, None);
        }
    }

    #[test]
    fn an_email_address_that_was_not_confirmed_stays_behind() {
        for (confirmed, expected) in [
            (None, true),
            (Some(Cell::Text("2020-01-01 12:00:00+00")), true),
            (Some(Cell::Text("true")), true),
            (Some(Cell::Text("1")), true),
            (Some(Cell::Text("0")), false),
            (Some(Cell::Text("False")), false),
            (Some(Cell::Text("0000-00-00 00:00:00")), false),
            (Some(Cell::Text("NULL")), false),
            (Some(Cell::Text("")), false),
            (Some(Cell::Null), false),
        ] {
            let email = Some(Cell::Text("ada@example.org"));
            let row = Fields { email, confirmed, ..fields("ada@example.org") };
            let found = person(&row).unwrap();
            assert_eq!(
                (found.user.email.is_some(), found.unconfirmed, found.user.active),
                (expected, !expected, true),
                "{confirmed:?}"
            );
            let without = person(&Fields { email: None, ..row }).unwrap();
            assert!(!without.unconfirmed, "{confirmed:?}");
        }
    }

    #[test]
    fn a_new_name_keeps_the_old_one() {
        let mut ids = Ids::Unknown;
        let row = read(1, &fields("ada lovelace"), Some("Ada"), &mut ids, NOW).unwrap().user;
        assert_eq!((row.name.key(), row.former_names), ("ada", vec!["ada lovelace".to_owned()]));
        for (new, words) in [
            ("a b", "the new name \"a b\": the username may"),
            ("a@b", "without the @"),
            ("", "is empty"),
        ] {
            let refusal =
                read(1, &fields("ada"), Some(new), &mut ids, NOW).map(|_| ()).unwrap_err();
            assert_eq!(refusal.kind, Kind::Name);
            assert!(refusal.reason.contains(words), "{refusal:?}");
        }
    }

    #[test]
    fn ids_are_numbers_or_new() {
        let id = |text: &str, ids: &mut Ids| {
            let row = Fields { id: Some(Cell::Text(text)), ..fields("ada") };
            read(1, &row, None, ids, NOW).map(|person| person.user.id).map_err(|no| no.reason)
        };
        for (text, expected) in [
            ("1", Ok(Some(1))),
            (" 12 ", Ok(Some(12))),
            ("9007199254740991", Ok(Some(9_007_199_254_740_991))),
            ("d3b07384-d9a0-4c3b-a5bc-1d2f0c5e8f4b", Ok(None)),
            ("x", Ok(None)),
            ("9007199254740992", Err("from 1 to 9007199254740991")),
            ("99999999999999999999", Err("from 1 to")),
            ("0", Err("from 1 to")),
            ("-1", Err("\"-1\" is no id")),
            ("1.5", Err("from 1 to")),
            ("", Err("there is no id; --map id= gives new ids to all")),
        ] {
            match (id(text, &mut Ids::Unknown), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{text}"),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{text}: {found:?} {expected:?}"),
            }
        }
        // The first row decides.
        let mut ids = Ids::Unknown;
        assert_eq!(id("5", &mut ids), Ok(Some(5)));
        assert!(id("x", &mut ids).unwrap_err().contains("\"x\" is no number, those before are"));
        let mut ids = Ids::Unknown;
        assert_eq!(id("x5", &mut ids), Ok(None));
        assert!(
            id("5", &mut ids).unwrap_err().contains("the id is a number, those before are not")
        );
        assert_eq!(id("x6", &mut ids), Ok(None));
    }

    #[test]
    fn roles_come_in_many_forms() {
        let with = |roles| Fields { roles: Some(roles), ..fields("ada") };
        for (text, expected) in [
            ("", ""),
            (" ", ""),
            ("admin", "admin"),
            ("admin,user", "admin,user"),
            ("admin , user,admin", "admin,user"),
            ("[]", ""),
            ("[\"admin\", \"user\"]", "admin,user"),
            ("{}", ""),
            ("{NULL}", ""),
            ("{NULL,user,null}", "user"),
            ("{\"NULL\"}", "NULL"),
            ("None", ""),
            ("{admin}", "admin"),
            ("{admin,\"team:a\",u\u{73}er}", "admin,team:a,user"),
        ] {
            assert_eq!(
                person(&with(Cell::Text(text))).unwrap().user.roles.as_str(),
                expected,
                "{text}"
            );
        }
        assert_eq!(person(&with(Cell::Null)).unwrap().user.roles.as_str(), "");
        for (text, words) in [
            ("super user", "a role has 1 to 64 letters, digits, or _ . : -: \"super user\""),
            ("admin,", "a role has"),
            ("{\"a b\"}", "a role has"),
            ("{\"a\\\"b\"}", "a role has"),
            ("[1]", "no list of roles: \"[1]\""),
            ("[\"admin\"", "no list of roles"),
            ("{admin", "no list of roles"),
            ("{admin,}", "no list of roles"),
            ("{{admin}}", "no list of roles"),
            ("{\"admin}", "no list of roles"),
            ("{\"a\"b}", "no list of roles"),
            (
                &*(0..17).map(|n| format!("r{n}")).collect::<Vec<_>>().join(","),
                "more than 16 roles",
            ),
        ] {
            refused(&with(Cell::Text(text)), Kind::Roles, words);
        }
        let flags =
            |one, two| Fields { flags: vec![(one, "admin"), (two, "staff")], ..fields("ada") };
        let [yes, no] = [Cell::Text("t"), Cell::Text("f")];
        for (one, two, expected) in [
            (yes, yes, "admin,staff"),
            (yes, no, "admin"),
            (no, yes, "staff"),
            (no, Cell::Null, ""),
        ] {
            assert_eq!(person(&flags(one, two)).unwrap().user.roles.as_str(), expected);
        }
        let odd = flags(yes, Cell::Text("perhaps"));
        refused(
            &odd,
            Kind::Unreadable,
            "the flag of the role staff is neither true nor false: \"perhaps\"",
        );
    }

    #[test]
    fn booleans_come_in_many_forms() {
        let with = |active| Fields { active: Some(active), ..fields("ada") };
        for (text, expected) in [
            ("true", true),
            ("True", true),
            ("t", true),
            ("1", true),
            ("YES", true),
            ("y", true),
            ("false", false),
            ("f", false),
            ("0", false),
            ("No", false),
            ("n", false),
            ("", false),
        ] {
            assert_eq!(person(&with(Cell::Text(text))).unwrap().user.active, expected, "{text}");
        }
        assert!(!person(&with(Cell::Null)).unwrap().user.active);
        assert!(person(&fields("ada")).unwrap().user.active);
        refused(
            &with(Cell::Text("2")),
            Kind::Unreadable,
            "the state is neither true nor false: \"2\"",
        );
    }

    #[test]
    fn who_was_deleted_or_is_banned_is_inactive() {
        for (unset, until, expected) in [
            (Cell::Null, Cell::Null, true),
            (Cell::Text(""), Cell::Text(""), true),
            (Cell::Text("2020-01-01"), Cell::Null, false),
            (Cell::Null, Cell::Text("2020-01-01"), true),
            (Cell::Null, Cell::Text("2999-01-01"), false),
            (Cell::Null, Cell::Text("infinity"), false),
        ] {
            let row = Fields { unset: Some(unset), until: Some(until), ..fields("ada") };
            assert_eq!(person(&row).unwrap().user.active, expected, "{unset:?} {until:?}");
        }
    }

    #[test]
    fn passwords_are_hashes_of_known_schemes_or_none() {
        let with = |password| Fields { password: Some(password), ..fields("ada") };
        for none in [Cell::Null, Cell::Text(""), Cell::Text("!"), Cell::Text("!bG9uZyByYW5kb20")] {
            let person = person(&with(none)).unwrap();
            assert_eq!((person.user.hash.as_str(), person.scheme), ("!", None));
        }
        for (text, kind) in [
            ("secret", Kind::HashUnknown),
            ("$pbkdf2-sha256$29000$x", Kind::HashUnknown),
            (
                "$pbkdf2-sha256$2147483647$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk",
                Kind::HashCostly,
            ),
        ] {
            let refusal = person(&with(Cell::Text(text))).map(|_| ()).unwrap_err();
            assert_eq!(refusal.kind, kind, "{refusal:?}");
            assert!(!refusal.reason.contains("secret") && !refusal.reason.contains("N2YM"));
        }
    }

    #[test]
    fn a_time_that_cannot_be_read_is_now() {
        for (created, expected, unknown) in [
            (Cell::Text("1600000000"), 1_600_000_000, false),
            (Cell::Text("yesterday"), NOW.0, true),
            (Cell::Text(""), NOW.0, true),
            (Cell::Null, NOW.0, true),
        ] {
            let found = person(&Fields { created: Some(created), ..fields("ada") }).unwrap();
            assert_eq!((found.user.created.0, found.created_unknown), (expected, unknown));
        }
    }
}
