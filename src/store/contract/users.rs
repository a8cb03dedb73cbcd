//! Accounts: names that are taken, changes, and the last administrator.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{BY, NOTE, add, each, each_with, execute, found};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::operator::PAGE;
use crate::store::rows::search::READ_AT_ONCE;
use crate::store::{
    Actor, AuditQuery, Change, Entry, Event, Network, Person, Store, UserOrder, UserPlace,
    UserQuery, UserState,
};
use crate::values::{Fragment, PasswordHash, Roles};

const NOW: Timestamp = Timestamp(100);
const USER: Actor = Actor::User(None);

fn change(store: &Store, id: i64, change: &Change<'_>) -> Result<bool, Error> {
    store.change(id, change, &BY, &NOTE, NOW)
}

#[test]
fn users_come_change_and_go() {
    each("users", |store| {
        let ada = add(store, "Ada", None).unwrap();
        assert!(matches!(add(store, "aDA", None), Err(Error::UsernameTaken)));
        assert!(add(store, "bob@example.org", Some("Bob@work.example")).unwrap() > ada);
        assert!(matches!(add(store, "x", Some("bob@WORK.example")), Err(Error::EmailTaken)));
        assert_eq!(found(store, "ADA"), Some("Ada".into()));
        assert_eq!(found(store, "bob@work.example"), Some("bob@example.org".into()));
        assert_eq!(found(store, "BOB@example.org"), Some("bob@example.org".into()));
        // The owner of an address comes before a name that looks like it.
        let bob = store.credentials("bob@example.org").unwrap().unwrap().person.id;
        let carol = add(store, "carol", Some("bob@example.org")).unwrap();
        assert_eq!(found(store, "bob@example.org"), Some("carol".into()));
        // Also where the name is that of an older account without an e-mail address.
        add(store, "dan@example.org", None).unwrap();
        assert_eq!(found(store, "DAN@example.org"), Some("dan@example.org".into()));
        add(store, "dora", Some("dan@example.org")).unwrap();
        assert_eq!(found(store, "dan@example.org"), Some("dora".into()));
        for (user, login, expected) in [
            (ada, "aDa", true),
            (ada, "carol", false),
            (ada, "nobody", false),
            (ada, "", false),
            (bob, "Bob@Work.example", true),
            (bob, "BOB@example.org", true),
            (carol, "bob@EXAMPLE.org", true),
            (carol, "CAROL", true),
            (carol, "bob@work.example", false),
            (99, "ada", false),
        ] {
            let known = store.tokens_after(user, login).unwrap();
            assert_eq!(known, expected.then_some(Timestamp(5)), "{user} {login}");
        }
        for nobody in ["", "a b", "nobody", "\0", &"x".repeat(100_000)] {
            assert_eq!(found(store, nobody), None, "{nobody:?}");
        }

        let person = store.person(ada).unwrap().unwrap();
        let Person { name, roles, active, .. } = &person;
        assert_eq!((name.as_str(), roles.as_str(), *active), ("Ada", "a,b", true));
        assert!(change(store, ada, &Change::Active(false)).unwrap());
        assert!(change(store, ada, &Change::Roles(&Roles::default())).unwrap());
        let person = store.person(ada).unwrap().unwrap();
        assert_eq!((person.roles.as_str(), person.active), ("", false));
        assert!(!change(store, 99, &Change::Active(true)).unwrap());

        let hash = |text: &str| PasswordHash::stored(text.into());
        let strengthen =
            |old, new, entry| store.strengthen(ada, &hash(old), &hash(new), entry, NOW);
        assert!(!strengthen("other", "new", None).unwrap());
        assert_eq!(store.credentials("ada").unwrap().unwrap().hash, hash("hash"));
        assert!(strengthen("hash", "new", None).unwrap());
        assert_eq!(store.credentials("ada").unwrap().unwrap().hash, hash("new"));
        let entry = Entry { detail: "bcrypt", ..Entry::new(Event::HashReplaced, ada, "Ada", USER) };
        assert!(!strengthen("hash", "newer", Some(&entry)).unwrap());
        assert_eq!(replaced(store), [""; 0], "nothing was replaced, so no entry");
        assert!(strengthen("new", "newer", Some(&entry)).unwrap());
        assert_eq!(replaced(store), ["bcrypt"]);
    });
}

#[test]
fn a_login_by_an_unknown_address_took_a_second_round_trip() {
    let network: Arc<Network> = Arc::default();
    let across = |store: Store| store.across(&network);
    each_with("round-trips", across, |store| {
        add(store, "ada", Some("ada@x.example")).unwrap();
        for (login, expected) in
            [("ada@x.example", true), ("nobody@x.example", false), ("ada", true), ("nobody", false)]
        {
            let before = network.reads.load(Ordering::SeqCst);
            assert_eq!(found(store, login).is_some(), expected, "{login}");
            assert_eq!(network.reads.load(Ordering::SeqCst) - before, 1, "{login}");
        }
    });
}

/// The details of the entries about hashes that were replaced.
fn replaced(store: &Store) -> Vec<String> {
    let query = AuditQuery { limit: 100, ..AuditQuery::default() };
    let entries = store.recorded(&query).unwrap().rows.into_iter();
    entries.filter(|entry| entry.event == "hash-replaced").map(|entry| entry.detail).collect()
}

#[test]
fn a_decoy_is_the_hash_of_an_account_and_stays_the_same() {
    each("decoys", |store| {
        assert_eq!(store.decoy(7).unwrap(), None);
        let ids: Vec<i64> =
            (0..5).map(|n| add(store, &format!("user{n}"), None).unwrap()).collect();
        let hash = |text: String| PasswordHash::stored(text);
        for id in &ids {
            let own = hash(id.to_string());
            assert!(store.strengthen(*id, &hash("hash".into()), &own, None, NOW).unwrap());
        }
        let decoys = || (0..64).map(|number| store.decoy(number).unwrap().unwrap());
        let before: Vec<_> = decoys().collect();
        for id in &ids {
            let own = hash(id.to_string());
            assert!(before.contains(&own), "{id} is nobody's decoy");
        }
        // Another account becomes the decoy of a few; a deleted one is followed by the next.
        add(store, "newest", None).unwrap();
        let moved = decoys().zip(&before).filter(|(after, before)| after != *before).count();
        assert!(0 < moved && moved < 32, "{moved}");
        assert!(store.delete(ids[0], &BY, &NOTE, NOW).unwrap());
        assert_eq!(store.decoy(0).unwrap(), Some(hash(ids[1].to_string())));
        assert_eq!(decoys().count(), 64);
    });
}

#[test]
fn the_id_of_a_deleted_user_is_not_given_out_again() {
    each("ids", |store| {
        let last = add(store, "ada", None).unwrap();
        assert!(store.delete(last, &BY, &NOTE, NOW).unwrap());
        assert!(!store.delete(last, &BY, &NOTE, NOW).unwrap());
        assert!(add(store, "ada", None).unwrap() > last);
    });
}

#[test]
fn the_last_active_administrator_stays() {
    each("admins", |store| {
        let [ada, bob, _carol] =
            ["ada", "bob", "carol"].map(|name| add(store, name, None).unwrap());
        let admin = Roles::parse("x,admin,y").unwrap();
        let almost = Roles::parse("admins,ADMIN").unwrap();
        // Nobody administrates yet, so nothing is undone.
        assert!(change(store, ada, &Change::Active(false)).unwrap());
        assert!(change(store, ada, &Change::Active(true)).unwrap());
        assert!(change(store, ada, &Change::Roles(&admin)).unwrap());
        assert!(change(store, bob, &Change::Roles(&almost)).unwrap());
        let refused = |done: Result<bool, Error>| matches!(done, Err(Error::LastAdmin));
        assert!(refused(change(store, ada, &Change::Roles(&almost))));
        assert!(refused(change(store, ada, &Change::Active(false))));
        assert!(refused(store.delete(ada, &BY, &NOTE, NOW)));
        assert_eq!(store.person(ada).unwrap().unwrap().roles, admin);
        assert!(change(store, bob, &Change::Roles(&admin)).unwrap());
        assert!(change(store, bob, &Change::Active(false)).unwrap());
        assert!(refused(store.delete(ada, &BY, &NOTE, NOW)), "an inactive one does not count");
        assert!(change(store, bob, &Change::Active(true)).unwrap());
        assert!(store.delete(ada, &BY, &NOTE, NOW).unwrap());
    });
}

#[test]
fn a_search_finds_fragments_of_names_and_addresses_literally() {
    each("search", |store| {
        for (name, email) in [
            ("Ada", Some("Ada@Mail.example")),
            ("bob_%", None),
            ("Carol", Some("c@b\u{fc}cher.example")),
            ("\u{c9}mile", Some("e.m@x.example")),
        ] {
            add(store, name, email).unwrap();
        }
        let search = |fragment: Option<&str>, after, limit| {
            let fragment = fragment.map(|text| Fragment::parse(text).unwrap());
            let from = Some(UserPlace::Created(after)).filter(|_| after > 0);
            let fragment = fragment.as_ref();
            let query = UserQuery { fragment, from, limit, ..UserQuery::default() };
            let found = store.seek(&query).unwrap().rows;
            found.into_iter().map(|account| account.person.name).collect::<Vec<_>>()
        };
        for (fragment, expected) in [
            ("ADA", &["Ada"][..]),
            ("a", &["Ada", "Carol", "\u{c9}mile"]),
            ("%", &["bob_%"]),
            ("_", &["bob_%"]),
            ("b_b", &[]),
            ("mail.EXAMPLE", &["Ada"]),
            ("B\u{dc}CHER", &["Carol"]),
            ("\u{e9}m", &["\u{c9}mile"]),
            ("e.m@", &["\u{c9}mile"]),
            ("EMIL", &["\u{c9}mile"]),
            ("bucher", &["Carol"]),
            ("nobody", &[]),
        ] {
            assert_eq!(search(Some(fragment), 0, 10), expected, "{fragment}");
        }
        assert_eq!(search(None, 0, 10).len(), 4);
        let mut ids = Vec::new();
        store.accounts(&mut |account| ids.push(account.person.id)).unwrap();
        assert_eq!(search(None, ids[1], 1), ["Carol"]);
        assert_eq!(search(Some("a"), ids[0], 10), ["Carol", "\u{c9}mile"]);
    });
}

/// Adds users `n1`, `n2` and so on.
fn add_many(store: &Store, count: i64) {
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        INSERT INTO users (name, name_key, email, email_key, password, created)
        SELECT 'n' || i, 'n' || i, 'm' || i || '@x', 'm' || i || '@x', 'hash', 0 FROM n";
    execute(store, sql, &[count.into()]).unwrap();
}

#[test]
fn a_search_among_many_reads_some_at_once_and_finds_all() {
    each("search-many", |store| {
        let count = READ_AT_ONCE + 60;
        add_many(store, count);
        let page = |text: &str, after, limit| {
            let fragment = Some(&Fragment::parse(text).unwrap());
            let from = Some(UserPlace::Created(after)).filter(|_| after > 0);
            let query = UserQuery { fragment, from, limit, ..UserQuery::default() };
            let page = store.seek(&query).unwrap();
            let next = page.next.map(|place| match place {
                UserPlace::Created(id) => id,
                other => panic!("{other:?}"),
            });
            let names = page.rows.into_iter().map(|account| account.person.name);
            (names.collect::<Vec<_>>(), next)
        };
        let all = |text: &str, limit| {
            let (mut found, mut next) = page(text, 0, limit);
            while let Some(after) = next {
                let more;
                (more, next) = page(text, after, limit);
                assert!(more.len() <= limit as usize);
                found.extend(more);
            }
            found
        };
        // In the middle of names: the first page has none, and says that there may be more.
        let far = count - 5;
        let middle = far.to_string();
        assert_eq!(page(&middle, 0, 10), (vec![], Some(READ_AT_ONCE)));
        let named = format!("n{far}");
        assert_eq!(page(&middle, READ_AT_ONCE, 10), (vec![named.clone()], None));
        // At the beginning of a name or of an address: an index finds it at once.
        for text in [format!("N{far}"), format!("m{far}@X")] {
            assert_eq!(page(&text, 0, 10), (vec![named.clone()], Some(READ_AT_ONCE)), "{text}");
        }
        for (text, expected) in [("n2005", 11), ("m2005", 11), ("2005", 12), ("nobody", 0)] {
            for limit in [3, 10, 200] {
                let mut found = all(text, limit);
                assert!(found.len() <= expected + limit as usize, "those of the first page only");
                found.sort();
                found.dedup();
                assert_eq!(found.len(), expected, "{text} by {limit}");
            }
        }
        assert_eq!(page("n", 0, 2), (vec!["n1".into(), "n2".into()], Some(2)));
    });
}

#[test]
fn accounts_are_listed_beyond_one_page() {
    each("many-users", |store| {
        let count = i64::from(PAGE) * 2 + 1;
        add_many(store, count);
        let mut ids = Vec::new();
        store.accounts(&mut |account| ids.push(account.person.id)).unwrap();
        assert!(ids.into_iter().eq(1..=count));
    });
}

/// The accounts `n1` to `n6`, of which each differs from the others in something.
fn add_various(store: &Store) {
    for sql in [
        "UPDATE users SET roles = 'admin,editor' WHERE id = 1",
        "UPDATE users SET roles = 'edit', last_login = 300 WHERE id = 2",
        "UPDATE users SET active = $1, last_login = 100 WHERE id = 3",
        "UPDATE users SET active = $1, unconfirmed = 9 WHERE id = 4",
        "UPDATE users SET name = 'a5', name_key = 'a5', last_login = 300 WHERE id = 5",
    ] {
        let off = [false.into()];
        execute(store, sql, if sql.contains("$1") { &off } else { &[] }).unwrap();
    }
    for sql in [
        "INSERT INTO second_factors (\"user\", secret, created, confirmed) VALUES (6, $1, 1, 1)",
        "INSERT INTO second_factors (\"user\", secret, created) VALUES (1, $1, 1)",
    ] {
        execute(store, sql, &[(&[1u8; 20][..]).into()]).unwrap();
    }
    let waiting = "INSERT INTO tickets (jti, \"user\", purpose, expires, email)
                   VALUES ('j', 4, 'registration', 9, 'Wait@x.example')";
    execute(store, waiting, &[]).unwrap();
}

#[test]
fn accounts_are_listed_in_three_orders_and_both_directions() {
    each("orders", |store| {
        add_many(store, 6);
        add_various(store);
        for (order, expected) in [
            (UserOrder::Created, [1, 2, 3, 4, 5, 6]),
            (UserOrder::Name, [5, 1, 2, 3, 4, 6]),
            (UserOrder::LastLogin, [1, 4, 6, 3, 2, 5]),
        ] {
            for (descending, filtered) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let mut expected = expected.to_vec();
                if descending {
                    expected.reverse();
                }
                let fragment = filtered.then(|| Fragment::parse("@x").unwrap());
                for limit in 1..=7u32 {
                    let query = UserQuery {
                        fragment: fragment.as_ref(),
                        order,
                        descending,
                        limit,
                        ..UserQuery::default()
                    };
                    let what = format!("{order:?} {descending} {filtered} {limit}");
                    // To the end, and back.
                    let (mut pages, mut from, mut last) = (Vec::new(), None, None);
                    loop {
                        let page = store.seek(&UserQuery { from, ..query.clone() }).unwrap();
                        assert_eq!((page.total, page.total_exact), (6, true), "{what}");
                        let ids: Vec<i64> = page.rows.iter().map(|row| row.person.id).collect();
                        assert_eq!(page.previous.is_none(), pages.is_empty(), "{what}");
                        pages.push(ids);
                        (from, last) = (page.next, page.previous.or(last));
                        if from.is_none() {
                            break;
                        }
                    }
                    assert_eq!(pages.concat(), expected, "{what}");
                    let mut place = last.filter(|_| pages.len() > 1);
                    for earlier in pages.iter().rev().skip(1) {
                        let from = place.take();
                        let query = UserQuery { from, backwards: true, ..query.clone() };
                        let page = store.seek(&query).unwrap();
                        let ids: Vec<i64> = page.rows.iter().map(|row| row.person.id).collect();
                        assert_eq!(ids, *earlier, "{what} backwards");
                        assert!(page.next.is_some(), "{what}");
                        place = page.previous;
                    }
                    assert_eq!(place, None, "{what}: the first page has none before");
                    check_ways_back(store, &UserQuery { limit: 1, ..query }, &expected, &what);
                }
            }
        }
    });
}

/// Checks that an empty page at either end leads back to the row at the end.
fn check_ways_back(store: &Store, query: &UserQuery<'_>, expected: &[i64], what: &str) {
    let mut page = store.seek(query).unwrap();
    while let Some(next) = page.next.take() {
        page = store.seek(&UserQuery { from: Some(next), ..query.clone() }).unwrap();
    }
    let (mut from, mut backwards) = (page.previous, false);
    for end in [expected.last(), expected.first()] {
        // The place of the row at the end; behind it nothing.
        let empty = store.seek(&UserQuery { from, backwards, ..query.clone() }).unwrap();
        assert!(empty.rows.is_empty(), "{what}: {:?}", empty.rows);
        let back = if backwards { empty.next } else { empty.previous };
        assert!(back.is_some(), "{what}");
        backwards = !backwards;
        let mut page = store.seek(&UserQuery { from: back, backwards, ..query.clone() }).unwrap();
        assert_eq!(page.rows.first().map(|row| &row.person.id), end, "{what} {backwards}");
        while let Some(before) = page.previous.take().filter(|_| backwards) {
            let from = Some(before);
            page = store.seek(&UserQuery { from, backwards, ..query.clone() }).unwrap();
        }
        from = page.next;
    }
}

#[test]
fn accounts_are_filtered_by_role_state_and_second_factor() {
    each("filters", |store| {
        add_many(store, 6);
        add_various(store);
        let all = UserQuery { limit: 10, ..UserQuery::default() };
        let state = |state| UserQuery { state: Some(state), ..all.clone() };
        let role = |role| UserQuery { role: Some(role), ..all.clone() };
        let wait = Fragment::parse("WAIT@").unwrap();
        for (query, expected) in [
            (all.clone(), &[1, 2, 3, 4, 5, 6][..]),
            (role("admin"), &[1]),
            (role("editor"), &[1]),
            (role("edit"), &[2]),
            (role("admin,editor"), &[]),
            (role(""), &[]),
            (state(UserState::Active), &[1, 2, 5, 6]),
            (state(UserState::Inactive), &[3]),
            (state(UserState::Unconfirmed), &[4]),
            (UserQuery { second_factor: Some(true), ..all.clone() }, &[6]),
            (UserQuery { second_factor: Some(false), ..all.clone() }, &[1, 2, 3, 4, 5]),
            (UserQuery { second_factor: Some(true), ..state(UserState::Inactive) }, &[]),
            // The address that is not confirmed yet is found, too.
            (UserQuery { fragment: Some(&wait), ..all.clone() }, &[4]),
        ] {
            let page = store.seek(&query).unwrap();
            let ids: Vec<i64> = page.rows.iter().map(|row| row.person.id).collect();
            assert_eq!(ids, expected, "{query:?}");
            assert_eq!((page.total, page.total_exact), (expected.len() as i64, true), "{query:?}");
            assert_eq!((page.next, page.previous), (None, None), "{query:?}");
        }
        let page = store.seek(&state(UserState::Unconfirmed)).unwrap();
        assert_eq!(page.rows[0].pending_email.as_deref(), Some("Wait@x.example"));
    });
}

#[test]
fn logins_are_noted_and_refreshes_are_not() {
    each("last-login", |store| {
        let ada = add(store, "ada", None).unwrap();
        let last = || {
            let account = store.account_of(ada).unwrap().unwrap();
            (account.last_login.map(|time| time.0), account.last_login_ip)
        };
        assert_eq!(last(), (None, None));
        super::log_in(store, ada, "a", 10);
        assert_eq!(last().0, Some(10));
        let ip = Some("192.0.2.7".parse().unwrap());
        let origin = crate::store::ClientInfo { ip, agent: "" };
        let session = crate::store::NewSession { origin, ..super::session("b", 20) };
        let proof = crate::store::Proof { password: &super::hash("hash"), second: None };
        assert!(store.begin(ada, &session, &proof, &NOTE, Timestamp(20)).unwrap());
        assert_eq!(last(), (Some(20), Some("192.0.2.7".into())));
        let hash = super::hash("newer");
        let begun = super::session("c", 30);
        let new =
            Change::Password { hash: &hash, session: Some(&begun), keep_app_passwords: false };
        assert!(change(store, ada, &new).unwrap());
        assert_eq!(last().0, Some(20), "another password is no login");
    });
}
