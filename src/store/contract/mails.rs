//! Mails with a link: whom they go to, when they are void, and what becomes of those that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{BY, NOTE, add, each, each_with, events, execute, hash, number};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::delivery::{MAX_GIVEN_UP, Topic};
use crate::store::driver::{
    Abort, Concurrency, Dialect, Driver, Fault, Queries, Reading, Row, Value, Writing,
};
use crate::store::outbox::MAX_WAITING;
use crate::store::rows::delivery::{DeliveryFailure, Link};
use crate::store::{Change, LinkMail, MailChange, NewSession, NewUser, Store};
use crate::values::{Email, Language, Roles, Username};

pub(super) const NOW: Timestamp = Timestamp(1_000_000);
pub(super) const END: Timestamp = Timestamp(NOW.0 + 100);
pub(super) const AFTER: Timestamp = Timestamp(END.0 + 1);

pub(super) fn email(text: &str) -> Email {
    Email::parse(text).unwrap()
}

pub(super) fn register(store: &Store, name: &str, to: &str, jti: &str) -> Result<i64, Error> {
    let user = NewUser {
        name: &Username::parse(name).unwrap(),
        email: None,
        hash: &hash("hash"),
        roles: &Roles::default(),
        language: Language::Portuguese,
    };
    let email = email(to);
    store.register(&user, &LinkMail { email: &email, jti, expires: END }, &NOTE, NOW)
}

pub(super) fn ask_for_reset(store: &Store, to: &str, jti: &str) {
    let email = email(to);
    let mail = LinkMail { email: &email, jti, expires: END };
    store.request_reset(&mail, "192.0.2.1", NOW).unwrap();
}

pub(super) fn propose(store: &Store, user: i64, to: &str, jti: &str) -> bool {
    let email = email(to);
    let mail = LinkMail { email: &email, jti, expires: END };
    store.propose_email(user, &mail, &BY, &NOTE, NOW).unwrap()
}

pub(super) fn confirm(store: &Store, jti: &str, session: Option<&str>, at: Timestamp) -> bool {
    let session = session.map(|jti| NewSession { expires: AFTER, ..super::session(jti, at.0) });
    store.confirm_email(jti, session.as_ref(), &NOTE, at).unwrap()
}

/// Takes the next mail out of the outbox: where it goes, the name of the user, and what it says.
pub(super) fn take(store: &Store, at: Timestamp) -> Option<(String, String, Topic)> {
    let mail = store.next_mail(at).unwrap()?;
    store.delivered(&mail, at).unwrap();
    Some((mail.email, mail.person.name, mail.topic))
}

pub(super) fn link(jti: &str) -> Link {
    Link { jti: jti.into(), expires: END }
}

pub(super) fn row(email: &str, name: &str, topic: Topic) -> Option<(String, String, Topic)> {
    Some((email.into(), name.into(), topic))
}

/// Puts as many mails into the outbox: notices, or with a `jti` ones with a link.
pub(super) fn fill(store: &Store, count: i64, user: Option<i64>, jti: Option<&str>) {
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
        INSERT INTO outbox (message, kind, \"user\", email, created, due, jti)
        SELECT CAST(i AS TEXT), 'guarded', $2, 'x', $3, $3, $4 FROM n";
    let values = [count.into(), user.into(), NOW.into(), jti.into()];
    assert_eq!(execute(store, sql, &values).unwrap() as i64, count);
}

#[test]
fn a_reset_went_to_the_address_that_was_typed() {
    each("spelling", |store| {
        let mike = add(store, "mike", Some("mike@example.org")).unwrap();
        ask_for_reset(store, "MIKE@Example.org", "r");
        for attempt in 0..3 {
            let mail = store.next_mail(NOW).unwrap().unwrap();
            assert_eq!(
                (mail.email.as_str(), mail.person.id, mail.attempts),
                ("mike@example.org", mike, attempt)
            );
            store.failed(&mail, &DeliveryFailure { why: "busy", due: Some(NOW) }, NOW).unwrap();
        }
        let mut listed = Vec::new();
        store.mails(&mut |mail| listed.push(mail.email)).unwrap();
        assert_eq!(listed, ["mike@example.org"]);
    });
}

#[test]
fn an_address_that_is_taken_is_told_its_owner_alone() {
    each("taken", |store| {
        let bob = add(store, "bob", Some("b@x.example")).unwrap();
        register(store, "eve", "B@x.example", "e").unwrap();
        assert_eq!(take(store, NOW), row("b@x.example", "bob", Topic::Taken));
        // She never sees the token; and if she could guess it, it would not help.
        assert!(!confirm(store, "e", Some("s"), NOW));
        let carol = add(store, "carol", Some("c@x.example")).unwrap();
        assert!(propose(store, carol, "b@x.example", "c"));
        assert_eq!(take(store, NOW), row("b@x.example", "bob", Topic::Taken));
        assert!(!confirm(store, "c", None, NOW));
        assert_eq!(store.credentials("b@x.example").unwrap().unwrap().person.id, bob);
        // If two wait for the same one, it belongs to the account that confirms first.
        register(store, "dan", "d@x.example", "d").unwrap();
        register(store, "dora", "d@x.example", "f").unwrap();
        assert!(confirm(store, "f", Some("s"), NOW) && !confirm(store, "d", Some("t"), NOW));
    });
}

#[test]
fn a_reset_is_for_who_has_the_address() {
    each("reset", |store| {
        let ada = add(store, "ada", Some("ada@x.example")).unwrap();
        let off = add(store, "off", Some("off@x.example")).unwrap();
        store.change(off, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
        ask_for_reset(store, "nobody@x.example", "n");
        ask_for_reset(store, "off@x.example", "o");
        ask_for_reset(store, "ADA@x.example", "a");
        let mail = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!((mail.email.as_str(), mail.person.id), ("ada@x.example", ada));
        assert_eq!(store.holder("a", END).unwrap().unwrap().id, ada);
        for jti in ["n", "o"] {
            assert!(store.holder(jti, NOW).unwrap().is_none(), "{jti}");
        }
        // Tried again: the same.
        let busy = DeliveryFailure { why: "busy", due: Some(NOW) };
        store.failed(&mail, &busy, NOW).unwrap();
        assert_eq!(take(store, NOW), row("ada@x.example", "ada", Topic::Reset(link("a"))));
        assert_eq!(take(store, NOW), None);
        // A stranger who asks again does not void the first, but there is an end to it.
        for jti in ["b", "c", "d", "e"] {
            ask_for_reset(store, "ada@x.example", jti);
            assert!(take(store, NOW).is_some());
        }
        assert!(store.holder("a", NOW).unwrap().is_some());
        ask_for_reset(store, "ada@x.example", "f");
        assert!(take(store, NOW).is_some());
        let good = ["a", "b", "c", "d", "e", "f"]
            .iter()
            .filter(|jti| store.holder(jti, NOW).unwrap().is_some())
            .count();
        assert_eq!(good, 5);
    });
}

#[test]
fn a_mail_that_came_too_late_is_not_sent() {
    each("late", |store| {
        add(store, "ada", Some("ada@x.example")).unwrap();
        ask_for_reset(store, "ada@x.example", "a");
        assert_eq!(take(store, AFTER), None);
        assert_eq!(store.retry_mails(&NOTE, AFTER).unwrap(), 0);
    });
}

#[test]
fn failures_are_kept_and_mails_wait_for_their_time() {
    each("failures", |store| {
        register(store, "ada", "ada@x.example", "a").unwrap();
        let first = store.next_mail(NOW).unwrap().unwrap();
        let later = Timestamp(NOW.0 + 10);
        store.failed(&first, &DeliveryFailure { why: "busy", due: Some(later) }, NOW).unwrap();
        assert!(store.next_mail(Timestamp(later.0 - 1)).unwrap().is_none());
        let second = store.next_mail(later).unwrap().unwrap();
        assert_eq!((second.attempts, &second.message), (1, &first.message));
        assert_eq!(second.created, NOW);
        let given_up = DeliveryFailure { why: "no", due: None };
        store.failed(&first, &given_up, NOW).unwrap();
        store.failed(&second, &given_up, NOW).unwrap();
        assert_eq!(events(store).last().unwrap(), "mail-failed");
        assert!(store.next_mail(END).unwrap().is_none());
        let mut listed = Vec::new();
        store.mails(&mut |mail| listed.push(mail)).unwrap();
        // The outcome of the first attempt was written before.
        assert_eq!((listed.len(), listed[0].attempts, listed[0].due), (1, 2, None));
        assert_eq!((listed[0].created, &*listed[0].failure), (NOW, "no"));
        let change = |id, change| store.change_mail(id, change, &BY, &NOTE, NOW).unwrap();
        assert!(!change(99, MailChange::Retry) && change(first.id, MailChange::Retry));
        assert!(store.next_mail(NOW).unwrap().is_some());
        assert!(change(first.id, MailChange::Drop) && !change(first.id, MailChange::Drop));
    });
}

#[test]
fn the_outbox_has_an_end() {
    each("full", |store| {
        fill(store, MAX_WAITING, None, Some("j"));
        let refused = register(store, "ada", "ada@x.example", "a");
        assert!(matches!(refused, Err(Error::Unavailable(_))), "{refused:?}");
        assert!(store.account(&Username::parse("ada").unwrap()).unwrap().is_none());
        // What was given up takes no place, and the oldest of it goes.
        execute(store, "UPDATE outbox SET due = NULL", &[]).unwrap();
        let bob = register(store, "bob", "bob@x.example", "b").unwrap();
        let mail = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!(mail.person.id, bob);
        store.failed(&mail, &DeliveryFailure { why: "no", due: None }, NOW).unwrap();
        let mut kept = Vec::new();
        store.mails(&mut |mail| kept.push(mail.id)).unwrap();
        assert_eq!((kept.len() as i64, kept.last()), (MAX_GIVEN_UP, Some(&mail.id)));
        // And all of it by itself.
        while store.sweep(Timestamp(0), Timestamp(NOW.0 + 8 * 24 * 3600)).unwrap() > 0 {}
        assert!(register(store, "ada", "ada@x.example", "a").is_ok());
    });
}

#[test]
fn a_new_leader_sent_what_the_former_one_was_sending() {
    for database in super::backends("under-way") {
        let (store, other) = (&database.open(), database.open());
        register(store, "ada", "ada@x.example", "a").unwrap();
        let first = store.next_mail(NOW).unwrap().unwrap();
        let shared = super::dialect(store) == Dialect::Postgres;
        let now_other = |at: i64| other.next_mail(Timestamp(NOW.0 + at)).unwrap().map(|m| m.id);
        assert_eq!(now_other(0).is_none(), shared);
        assert_eq!(now_other(90).is_none(), shared);
        let busy = DeliveryFailure { why: "busy", due: Some(Timestamp(NOW.0 + 95)) };
        store.failed(&first, &busy, NOW).unwrap();
        assert_eq!(now_other(94), None);
        // As if this one were lost.
        assert_eq!(now_other(95), Some(first.id));
        assert_eq!(store.next_mail(Timestamp(NOW.0 + 96)).unwrap().is_none(), shared);
        store.delivered(&first, NOW).unwrap();
        assert!(now_other(1_000).is_none());
    }
}

/// A driver on a disk that can be full: then nothing can be changed, and a transaction that changes
/// nothing is committed.
#[derive(Debug)]
struct Disk {
    driver: Box<dyn Driver>,
    full: Arc<AtomicBool>,
}

struct OnDisk<'a> {
    queries: &'a mut dyn Queries,
    full: &'a AtomicBool,
}

impl OnDisk<'_> {
    fn room(&self) -> Result<(), Fault> {
        match self.full.load(Ordering::SeqCst) {
            true => Err(Fault::Unavailable("the disk is full".into())),
            false => Ok(()),
        }
    }
}

impl Queries for OnDisk<'_> {
    fn dialect(&self) -> Dialect {
        self.queries.dialect()
    }

    fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> Result<usize, Fault> {
        self.room()?;
        self.queries.execute(sql, values)
    }

    fn query(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.queries.query(sql, values, row)
    }

    fn query_first(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
        row: &mut dyn FnMut(&dyn Row) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.queries.query_first(sql, values, row)
    }

    fn execute_each(&mut self, sql: &'static str, sets: &[&[Value<'_>]]) -> Result<(), Fault> {
        self.room()?;
        self.queries.execute_each(sql, sets)
    }
}

impl Driver for Disk {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.driver.read(work)
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        self.driver.write(&mut |queries| work(&mut OnDisk { queries, full: &self.full }))
    }

    fn concurrency(&self) -> Concurrency {
        self.driver.concurrency()
    }

    fn leads(&self) -> bool {
        self.driver.leads()
    }

    fn upkeep(&self, busy: bool) {
        self.driver.upkeep(busy);
    }

    fn settle(&self) -> Result<(), Fault> {
        self.driver.settle()
    }
}

#[test]
fn a_mail_was_sent_again_and_again_while_the_disk_was_full() {
    let full = Arc::new(AtomicBool::default());
    let on_disk = |store: Store| {
        let driver = Box::new(Disk { driver: store.driver, full: Arc::clone(&full) });
        Store { driver, ..store }
    };
    each_with("full-disk", on_disk, |store| {
        register(store, "ada", "ada@x.example", "a").unwrap();
        register(store, "bob", "bob@x.example", "b").unwrap();
        let is_full = |value| full.store(value, Ordering::SeqCst);
        let waits = || (0..3).all(|_| store.next_mail(NOW).is_err());
        let first = store.next_mail(NOW).unwrap().unwrap();
        is_full(true);
        assert!(store.delivered(&first, NOW).is_err());
        assert!(waits(), "it would be sent again");
        is_full(false);
        let second = store.next_mail(NOW).unwrap().unwrap();
        assert_eq!((first.person.name.as_str(), second.person.name.as_str()), ("ada", "bob"));
        assert_eq!(number(store, "SELECT count(*) FROM outbox"), 1);

        is_full(true);
        let busy = DeliveryFailure { why: "busy", due: Some(END) };
        assert!(store.failed(&second, &busy, NOW).is_err());
        assert!(waits(), "it would be tried again at once");
        is_full(false);
        assert!(store.next_mail(NOW).unwrap().is_none());
        let again = store.next_mail(END).unwrap().unwrap();
        assert_eq!((again.id, again.attempts), (second.id, 1));

        is_full(true);
        let given_up = DeliveryFailure { why: "no", due: None };
        assert!(store.failed(&again, &given_up, END).is_err());
        assert!(waits());
        is_full(false);
        assert!(store.next_mail(END).unwrap().is_none());
        assert_eq!(number(store, "SELECT count(*) FROM outbox WHERE due IS NULL"), 1);
        let failed = events(store).iter().filter(|event| *event == "mail-failed").count();
        assert_eq!(failed, 1);
    });
}
