//! Accounts of other programs: what stands in their way, adding all or none, their ids, the names
//! that they had; and accounts on their way out.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::mails::{NOW, register, take};
use super::{BY, NOTE, add, each, events, execute, found, hash, number, session};
use crate::clock::Timestamp;
use crate::error::{Error, Problem};
use crate::store::clashes::Clash;
use crate::store::delivery::Topic;
use crate::store::import::Imported;
use crate::store::imported::{ExportedUser, ImportPages, ImportedFactor, ImportedUser, MAX_ID};
use crate::store::sqlite::staging::Staging;
use crate::store::{AuditQuery, Change, Entry, Event, NewUser, Store};
use crate::values::{Email, Language, Roles, TotpSecret, Username};

/// Accounts in memory, in pages of three.
pub(in crate::store) struct Pages(pub(in crate::store) Vec<ImportedUser>);

impl ImportPages for Pages {
    fn page(&mut self, after_row: u64) -> Result<Vec<ImportedUser>, Problem> {
        Ok(self.0.iter().filter(|user| user.row > after_row).take(3).cloned().collect())
    }
}

/// An account in a row of the source.
pub(in crate::store) fn user(row: u64, id: Option<i64>, name: &str, email: &str) -> ImportedUser {
    ImportedUser {
        row,
        id,
        name: Username::parse(name).unwrap(),
        email: (!email.is_empty()).then(|| Email::parse(email).unwrap()),
        hash: hash("$pbkdf2-sha512$old"),
        roles: Roles::parse("user").unwrap(),
        active: true,
        created: Timestamp(7),
        created_known: false,
        own: false,
        language: Language::Portuguese,
        former_names: Vec::new(),
        factor: None,
        recovery_codes: Vec::new(),
    }
}

/// Numbered accounts with ids from `first` on.
fn crowd(first: i64, count: i64) -> Vec<ImportedUser> {
    let one = |number: i64| {
        user(
            number as u64 + 1,
            Some(first + number),
            &format!("old{number}"),
            &format!("o{number}@x.example"),
        )
    };
    (0..count).map(one).collect()
}

fn import(store: &Store, users: Vec<ImportedUser>, skip: bool) -> Imported {
    store.import(&mut Pages(users), None, skip, "a test", NOW, &mut |_| {}).unwrap()
}

fn users(store: &Store) -> i64 {
    number(store, "SELECT count(*) FROM users")
}

fn next_id(store: &Store) -> i64 {
    let id = add(store, "next", None).unwrap();
    execute(store, "DELETE FROM users WHERE id = $1", &[id.into()]).unwrap();
    id
}

#[cfg(feature = "cli")]
#[test]
fn a_restored_database_leaves_ids_out_while_there_are_some() {
    use crate::store::rows::{counters, operator::skip_ids};
    for (last, next) in [
        (0, 1_000_001),
        (41, 1_000_042),
        (MAX_ID - 2_000_000, MAX_ID - 999_999),
        (MAX_ID - 10, MAX_ID - 4),
        (MAX_ID, MAX_ID + 1),
    ] {
        each("skipped-ids", |store| {
            store.write_rows(|queries| counters::raise_users(queries, last)).unwrap();
            store.write_rows(skip_ids).unwrap();
            assert_eq!(next_id(store), next, "after {last}");
        });
    }
}

#[test]
fn what_clashes_and_why() {
    each("import-clashes", |store| {
        let ada = add(store, "Ada", Some("ada@x.example")).unwrap();
        let bob = add(store, "bob@x.example", None).unwrap();
        let eve = add(store, "eve", Some("ÜBER@bücher.example")).unwrap();
        let ulf = add(store, "über@sträuße.example", None).unwrap();
        let taken = |id, name: &str| Clash::NameTaken { id, name: name.into() };
        let differs = |id| Some(Clash::Differs { id });
        let cases = [
            (Some(ada), "ada", "ADA@x.example", Some(Clash::AlreadyHere)),
            (Some(bob), "bob@x.example", "", Some(Clash::AlreadyHere)),
            (Some(ada), "ada", "", differs(ada)),
            (Some(ada), "ADA", "bob@x.example", differs(ada)),
            (Some(ada), "carol", "", Some(Clash::IdInUse { name: "Ada".into() })),
            (Some(ada), "eve", "", Some(Clash::IdInUse { name: "Ada".into() })),
            (Some(90), "ADA", "ADA@x.example", Some(taken(ada, "Ada"))),
            (Some(91), "dan", "ADA@X.example", Some(Clash::EmailTaken { id: ada })),
            (Some(92), "ada@X.example", "", Some(Clash::NameIsEmail { id: ada })),
            (Some(93), "finn", "BOB@x.example", Some(Clash::NameIsEmail { id: bob })),
            (Some(94), "gil", "über@xn--bcher-kva.example", Some(Clash::EmailTaken { id: eve })),
            (Some(95), "über@xn--bcher-kva.example", "", Some(Clash::NameIsEmail { id: eve })),
            (Some(96), "hal", "Über@Sträuße.example", Some(Clash::NameIsEmail { id: ulf })),
            (Some(97), "ivy@x.example", "ivy@x.example", None),
            (Some(98), "joe", "", None),
            // Without ids, as at a second run.
            (None, "ada", "", differs(ada)),
            (None, "ada", "Ada@x.example", Some(Clash::AlreadyHere)),
            (None, "ada", "other@x.example", differs(ada)),
            (None, "bob@x.example", "bob@x.example", differs(bob)),
            (None, "kim", "ada@x.example", Some(Clash::EmailTaken { id: ada })),
            (None, "lea", "lea@x.example", None),
        ];
        let rows = (1..).zip(&cases).map(|(row, (id, name, email, _))| user(row, *id, name, email));
        let rows: Vec<ImportedUser> = rows.collect();
        let clashes = store.clashes(&rows).unwrap();
        for ((id, name, email, expected), clash) in cases.iter().zip(&clashes) {
            assert_eq!(clash, expected, "{id:?} {name} {email}");
        }
        assert_eq!(store.clashes(&[]).unwrap(), []);
        // The import decides in the same way.
        for (row, (_, name, _, expected)) in rows.iter().zip(cases) {
            let before = users(store);
            let done = import(store, vec![row.clone()], false);
            let refused = expected.clone().filter(|clash| *clash != Clash::AlreadyHere);
            assert_eq!(
                done.clashes,
                refused.map(|clash| vec![(row.row, clash)]).unwrap_or_default()
            );
            assert_eq!(done.written, done.clashes.is_empty(), "{name}");
            assert_eq!(done.added, u64::from(expected.is_none()), "{name}");
            assert_eq!(users(store) - before, done.added as i64);
        }
    });
}

#[test]
fn an_account_that_came_before_is_told_from_a_strangers() {
    each("import-before", |store| {
        let row = |id, name: &str, email: &str, created| ImportedUser {
            created: Timestamp(created),
            created_known: true,
            ..user(1, id, name, email)
        };
        import(store, vec![row(Some(5), "ada", "ada@x.example", 70)], false);
        let clash = |row: ImportedUser| store.clashes(&[row]).unwrap().remove(0);
        for id in [Some(5), None] {
            let of = |email: &str, created| clash(row(id, "Ada", email, created));
            assert_eq!(of("ada@x.example", 70), Some(Clash::AlreadyHere));
            // Its owner has changed the e-mail address since.
            assert_eq!(of("old@x.example", 70), Some(Clash::AlreadyHere));
            assert_eq!(of("ada@x.example", 71), Some(Clash::Differs { id: 5 }));
        }
    });
}

#[test]
fn a_name_is_an_address_in_every_spelling() {
    each("import-spellings", |store| {
        let domains = ["bücher.example", "xn--bcher-kva.example", "BÜCHER.example"];
        for domain in domains {
            let named = import(store, vec![user(1, None, &format!("ada@{domain}"), "")], false);
            assert_eq!(named.added, 1);
            let id = number(store, "SELECT max(id) FROM users");
            for other in domains {
                let row = user(1, None, "eve", &format!("Ada@{other}"));
                let clash = store.clashes(&[row]).unwrap().remove(0);
                assert_eq!(clash, Some(Clash::NameIsEmail { id }), "{domain} {other}");
            }
            assert!(store.delete(id, &BY, &NOTE, NOW).unwrap());
        }
    });
}

#[test]
fn tokens_of_an_export_are_not_adopted() {
    each("import-own", |store| {
        let own = ImportedUser { own: true, ..user(1, Some(9), "ada", "") };
        let done = import(store, vec![own, user(2, Some(10), "bob", "")], false);
        assert_eq!((done.added, done.reused_ids), (2, 0));
        let adopt = |id, jti| store.adopt(id, &session(jti, NOW.0), &NOTE, NOW).unwrap();
        assert!(!adopt(9, "t9") && adopt(10, "t10"));
    });
}

#[test]
fn all_or_nothing_or_the_rest() {
    each("import-all", |store| {
        add(store, "OLD5", None).unwrap();
        let written = (users(store), events(store).len());
        let source = || {
            let mut users = crowd(100, 8);
            users[0].former_names = vec!["old zero".into()];
            users[0].recovery_codes = vec![[1; 32]];
            users
        };
        let done = import(store, source(), false);
        let taken = (6, Clash::NameTaken { id: 1, name: "OLD5".into() });
        assert!(!done.written);
        assert_eq!((done.added, done.refused, &done.clashes[..]), (0, 1, &[taken.clone()][..]));
        assert_eq!((users(store), events(store).len()), written);
        for sql in ["SELECT count(*) FROM former_names", "SELECT count(*) FROM recovery_codes"] {
            assert_eq!(number(store, sql), 0);
        }

        let mut shown = Vec::new();
        let done = store
            .import(&mut Pages(source()), None, true, "a test", NOW, &mut |rows| shown.push(rows))
            .unwrap();
        assert!(done.written);
        assert_eq!((done.added, done.already, done.refused, done.reused_ids), (7, 0, 1, 0));
        assert_eq!(done.clashes, [taken]);
        assert_eq!(shown, [0, 3, 6, 8]);
        assert_eq!(users(store), 8);
        let ada = store.credentials("o3@x.example").unwrap().unwrap();
        assert_eq!((ada.person.id, &*ada.person.name), (103, "old3"));
        assert_eq!((ada.hash.as_str(), ada.tokens_after), ("$pbkdf2-sha512$old", Timestamp(0)));
        let account = store.account_of(103).unwrap().unwrap();
        assert_eq!((account.created, account.person.roles.as_str()), (Timestamp(7), "user"));
        let query = AuditQuery { limit: 1, ..AuditQuery::default() };
        let entry = store.recorded(&query).unwrap().rows.remove(0);
        assert_eq!((&*entry.event, &*entry.detail), ("users-imported", "7 from a test"));

        // Again: only what is new, and nothing to tell if there is nothing.
        let entries = events(store).len();
        let done = import(store, source(), true);
        assert_eq!((done.written, done.added, done.already, done.refused), (true, 0, 7, 1));
        assert_eq!(events(store).len(), entries);
        let mut more = source();
        more.push(user(9, Some(500), "new", ""));
        let done = import(store, more, true);
        assert_eq!((done.added, done.already, done.refused), (1, 7, 1));
        assert_eq!(next_id(store), 501);
    });
}

#[test]
fn ids_and_foreign_tokens() {
    each("import-ids", |store| {
        for name in ["a", "b", "c"] {
            let id = add(store, name, None).unwrap();
            assert!(store.delete(id, &BY, &NOTE, NOW).unwrap());
        }
        // 1 to 3 were given out and are free; the source has given out 20.
        let rows = vec![user(1, Some(2), "two", ""), user(2, Some(9), "nine", "")];
        let done = store.import(&mut Pages(rows), Some(20), false, "x", NOW, &mut |_| {}).unwrap();
        assert_eq!((done.added, done.reused_ids), (2, 1));
        let after = |name: &str| store.credentials(name).unwrap().unwrap().tokens_after;
        assert_eq!((after("two"), after("nine")), (NOW, Timestamp(0)));
        let adopt = |id, jti| store.adopt(id, &session(jti, NOW.0), &NOTE, NOW).unwrap();
        assert!(!adopt(2, "t2") && adopt(9, "t9"));
        assert_eq!(next_id(store), 21);

        // New ids: a foreign token with such an id names somebody else.
        let rows = vec![user(1, None, "new", ""), user(2, None, "newer", "")];
        let done = store.import(&mut Pages(rows), None, false, "x", NOW, &mut |_| {}).unwrap();
        assert_eq!((done.added, done.reused_ids), (2, 0));
        let ids = ["new", "newer"].map(|name| store.credentials(name).unwrap().unwrap().person.id);
        assert!(ids[0] > 21 && ids[1] == ids[0] + 1, "{ids:?}");
        assert_eq!(after("new"), NOW);

        // The counter counts also if no account is new, and is never lowered.
        for (counter, next) in [(Some(50), 51), (Some(40), 52), (None, 53)] {
            let done = store.import(&mut Pages(vec![]), counter, false, "x", NOW, &mut |_| {});
            assert!(done.unwrap().written);
            assert_eq!(next_id(store), next);
        }
    });
}

#[test]
fn what_no_import_takes() {
    each("import-refused", |store| {
        let refuse = |rows: Vec<ImportedUser>, counter: Option<i64>| {
            let mut shown = |_| {};
            let done = store.import(&mut Pages(rows), counter, true, "x", NOW, &mut shown);
            assert_eq!(users(store), 0);
            done.unwrap_err().what
        };
        let mixed = vec![user(1, Some(1), "a", ""), user(2, None, "b", "")];
        assert_eq!(refuse(mixed, None), "some rows have an id and others have none");
        let paged = crowd(1, 3).into_iter().chain([user(4, None, "b", "")]).collect();
        assert_eq!(refuse(paged, None), "some rows have an id and others have none");
        for id in [0, -1, MAX_ID + 1, i64::MAX] {
            let said = refuse(vec![user(1, Some(id), "a", "")], None);
            assert!(said.starts_with(&format!("an account has the id {id}, ")), "{said}");
        }
        assert!(refuse(crowd(1, 1), Some(i64::MAX)).contains("has given out the id 92233720"));
    });
}

/// Pages that go on for ever.
struct Endless(Pages);

impl ImportPages for Endless {
    fn page(&mut self, _: u64) -> Result<Vec<ImportedUser>, Problem> {
        self.0.page(0)
    }
}

/// Pages that end with a problem.
struct Broken(Pages);

impl ImportPages for Broken {
    fn page(&mut self, after_row: u64) -> Result<Vec<ImportedUser>, Problem> {
        match after_row {
            0 => self.0.page(0),
            _ => Err(Problem::new("broken", "mend it")),
        }
    }
}

#[test]
fn a_source_that_breaks_off_leaves_nothing() {
    each("import-broken", |store| {
        let mut pages = Broken(Pages(crowd(5, 9)));
        let refused = store.import(&mut pages, Some(99), true, "x", NOW, &mut |_| {}).unwrap_err();
        assert_eq!((&*refused.what, users(store)), ("broken", 0));
        // Also in PostgreSQL: the counter was set back.
        assert_eq!(next_id(store), 1);
        let mut pages = Endless(Pages(crowd(5, 3)));
        let refused = store.import(&mut pages, None, true, "x", NOW, &mut |_| {}).unwrap_err();
        assert_eq!((&*refused.what, users(store)), ("the rows of the source are not in order", 0));
    });
}

/// Types a name that nobody has.
fn try_name(store: &Store, name: &str) {
    let failed = Entry { event: Event::LoginFailed, ..NOTE };
    store.fail_unknown(name, &failed, NOW).unwrap();
}

#[test]
fn a_user_with_another_name_is_told_once() {
    each("import-former", |store| {
        let long = "x".repeat(257);
        let mut rows = vec![
            user(1, Some(1), "ada", "ada@x.example"),
            user(2, Some(2), "bob", "bob@x.example"),
            user(3, Some(3), "carol", ""),
            user(4, Some(4), "dora", "dora@x.example"),
        ];
        rows[0].former_names = vec!["Ada Lovelace".into(), "ada.l".into(), long.clone()];
        // Somebody else had it, too; an empty text is never looked for.
        rows[1].former_names = vec!["Ada Lovelace".into(), "bob the  b".into()];
        rows[2].former_names = vec!["carol c".into()];
        rows[3].former_names = vec!["dora d".into()];
        import(store, rows, false);
        assert_eq!(number(store, "SELECT count(*) FROM former_names"), 5);
        assert!(store.change(4, &Change::Active(false), &BY, &NOTE, NOW).unwrap());

        for name in ["ada lovelace", "Ada  Lovelace", "ADA LOVELACE", "", " ", "bob the b", &long] {
            try_name(store, name);
        }
        // Whoever gets no mail, or may not log in, is told later.
        for name in ["carol c", "dora d"] {
            try_name(store, name);
        }
        assert_eq!(take(store, NOW), None);
        let told = |user: &str, former: &str| {
            Some((format!("{user}@x.example"), user.to_owned(), Topic::Renamed(former.into())))
        };
        for _ in 0..2 {
            try_name(store, "Ada Lovelace");
        }
        assert_eq!(take(store, NOW), told("ada", "Ada Lovelace"));
        assert_eq!(take(store, NOW), None);
        try_name(store, "Ada Lovelace");
        assert_eq!(take(store, NOW), None);
        // Compared as names are, if it is one.
        try_name(store, "ADA.L");
        assert_eq!(take(store, NOW), told("ada", "ada.l"));
        try_name(store, "bob the  b");
        assert_eq!(take(store, NOW), told("bob", "bob the  b"));
        assert!(store.change(4, &Change::Active(true), &BY, &NOTE, NOW).unwrap());
        try_name(store, "dora d");
        assert_eq!(take(store, NOW), told("dora", "dora d"));
        assert!(store.delete(1, &BY, &NOTE, NOW).unwrap());
        assert_eq!(number(store, "SELECT count(*) FROM former_names"), 3);
    });
}

#[test]
fn a_name_that_a_user_has_tells_nobody() {
    each("import-former-taken", |store| {
        let mut rows = crowd(1, 1);
        rows[0].former_names = vec![String::new(), "taken".into()];
        import(store, rows, false);
        let id = add(store, "taken", None).unwrap();
        let failed = Entry { event: Event::LoginFailed, user: Some(id), ..NOTE };
        store.fail(&failed, 10, NOW).unwrap();
        assert_eq!(take(store, NOW), None);
    });
}

fn exported(store: &Store) -> (Vec<ExportedUser>, u64) {
    let (mut found, mut waiting, mut after) = (Vec::new(), 0, 0);
    loop {
        let page = store.export(after).unwrap();
        found.extend(page.users);
        waiting += page.waiting;
        match page.last {
            Some(last) => after = last,
            None => return (found, waiting),
        }
    }
}

/// The way back in.
fn as_imported(row: u64, user: ExportedUser) -> ImportedUser {
    ImportedUser {
        row,
        id: Some(user.id),
        name: Username::parse(&user.name).unwrap(),
        email: user.email.as_deref().map(|email| Email::parse(email).unwrap()),
        hash: user.hash,
        roles: Roles::parse(&user.roles).unwrap(),
        active: user.active,
        created: user.created,
        created_known: true,
        own: true,
        language: user.language,
        former_names: user.former_names,
        factor: user.factor,
        recovery_codes: user.recovery_codes,
    }
}

#[test]
fn what_goes_out_comes_in_again() {
    each("export-from", |from| {
        let mut rows = crowd(10, 1_201);
        rows[3].former_names = vec!["b".into(), "a \u{10FFFF}'".into()];
        rows[4].factor = Some(ImportedFactor {
            secret: TotpSecret::stored([9; 20]),
            created: Timestamp(1),
            confirmed: Some(Timestamp(2)),
            last_step: 3,
        });
        rows[4].recovery_codes = vec![[7; 32], [5; 32], [7; 32]];
        rows[5].factor = Some(ImportedFactor {
            secret: TotpSecret::stored([8; 20]),
            created: Timestamp(i64::MIN),
            confirmed: None,
            last_step: 0,
        });
        rows[6].active = false;
        rows[7].email = None;
        rows[1_200].former_names = vec!["the last".into()];
        import(from, rows, false);
        register(from, "waits", "waits@x.example", "w").unwrap();
        add(from, "Änne", Some("Änne@bücher.example")).unwrap();
        let (out, waiting) = exported(from);
        assert_eq!((out.len(), waiting), (1_202, 1));
        assert_eq!(out[3].former_names, ["a \u{10FFFF}'", "b"]);
        assert_eq!(out[4].recovery_codes, [[5; 32], [7; 32]]);
        assert_eq!(out[1_201].name, "Änne");

        each("export-to", |to| {
            let mut staging = Staging::new().unwrap();
            for (row, user) in (1..).zip(out.clone()) {
                assert_eq!(staging.put(&as_imported(row, user)).unwrap(), None);
            }
            let done = to.import(&mut staging, None, false, "x", NOW, &mut |_| {}).unwrap();
            assert_eq!(done.added, 1_202);
            assert_eq!(exported(to), (out.clone(), 0));
        });
    });
}

#[test]
fn people_register_while_an_import_runs() {
    const THREADS: usize = 8;
    each("import-busy", |store| {
        let over = AtomicBool::new(false);
        let mut registered = Vec::new();
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let over = &over;
                    scope.spawn(move || {
                        let (mut ids, mut number) = (Vec::new(), 0);
                        while !over.load(Ordering::Relaxed) {
                            number += 1;
                            let name = format!("new{thread}-{number}");
                            match register_now(store, &name, &format!("{name}-session")) {
                                Ok(id) => ids.push(id),
                                Err(Error::Unavailable(_)) => {}
                                Err(error) => panic!("{error}"),
                            }
                            // A failed login looks at the former names.
                            try_name(store, "nobody");
                        }
                        ids
                    })
                })
                .collect();
            let rows: Vec<ImportedUser> = crowd(1_000_000, 3_000);
            let mut staging = Staging::new().unwrap();
            for row in &rows {
                assert_eq!(staging.put(row).unwrap(), None);
            }
            let done = store.import(&mut staging, None, false, "x", NOW, &mut |_| {});
            let again = store.import(&mut staging, None, false, "x", NOW, &mut |_| {});
            over.store(true, Ordering::Relaxed);
            for thread in threads {
                registered.extend(thread.join().unwrap());
            }
            assert_eq!(done.unwrap().added, 3_000);
            assert_eq!(again.unwrap().already, 3_000);
        });
        let different: HashSet<i64> = registered.iter().copied().collect();
        assert_eq!(different.len(), registered.len());
        assert_eq!(users(store), 3_000 + registered.len() as i64);
        assert!(next_id(store) > 1_002_999);
        assert_eq!(found(store, "o2999@x.example").as_deref(), Some("old2999"));
    });
}

/// A person registers, and is logged in.
fn register_now(store: &Store, name: &str, jti: &str) -> Result<i64, Error> {
    let user = NewUser {
        name: &Username::parse(name).unwrap(),
        email: None,
        hash: &hash("hash"),
        roles: &Roles::default(),
        language: Language::English,
    };
    store.register_with_session(&user, &session(jti, NOW.0), &NOTE, NOW)
}

/// `cargo test --release --lib -- --ignored --nocapture how_long`
#[test]
#[ignore = "measures"]
fn how_long_a_hundred_thousand_take() {
    const ROWS: i64 = 100_000;
    // The time on a processor says more than the other on a machine with much to do.
    let now = || {
        let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
        let busy = stat.split(' ').next().unwrap().parse().unwrap();
        (Instant::now(), Duration::from_nanos(busy))
    };
    let since = |begun: &mut (Instant, Duration)| {
        let (at, busy) = now();
        let elapsed = (at - begun.0, busy - begun.1);
        *begun = (at, busy);
        elapsed
    };
    each("import-long", |store| {
        let mut begun = now();
        let mut rows = crowd(1, ROWS);
        // As a table may have them: names in no order.
        for (number, row) in rows.iter_mut().enumerate() {
            let name = format!("user{:08x}", (number as u32).wrapping_mul(2_654_435_761));
            row.name = Username::parse(&name).unwrap();
            row.email = Some(Email::parse(&format!("{name}@mail.example")).unwrap());
            row.hash = hash(&format!("$pbkdf2-sha512$25000${}", "x".repeat(110)));
        }
        println!("made: {:?}", since(&mut begun));
        let mut staging = Staging::new().unwrap();
        for row in &rows {
            assert_eq!(staging.put(row).unwrap(), None);
        }
        println!("staged: {:?}", since(&mut begun));
        for page in rows.chunks(500) {
            assert!(store.clashes(page).unwrap().iter().all(Option::is_none));
        }
        println!("clashes asked: {:?}", since(&mut begun));
        let mut row = 0;
        while let Some(last) = staging.page(row).unwrap().last() {
            row = last.row;
        }
        println!("staged rows read: {:?}", since(&mut begun));
        let done = store.import(&mut staging, None, false, "x", NOW, &mut |_| {}).unwrap();
        println!("imported: {:?}", since(&mut begun));
        assert_eq!(done.added, ROWS as u64);
        let done = store.import(&mut staging, None, false, "x", NOW, &mut |_| {}).unwrap();
        println!("imported again: {:?}", since(&mut begun));
        assert_eq!(done.already, ROWS as u64);
        assert_eq!(exported(store).0.len(), ROWS as usize);
        println!("exported: {:?}", since(&mut begun));
    });
}
