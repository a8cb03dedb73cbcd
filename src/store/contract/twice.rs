//! A transaction that runs again leaves what one run leaves: the same answers, rows, audit entries
//! and mails.

use std::cell::RefCell;

use super::import::{Pages, user};
use super::mails::{confirm, propose, register};
use super::{BY, NOTE, add, add_admin, each, each_with, execute, hash, log_in, session};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::driver::{Abort, Concurrency, Driver, Fault, Reading, Writing};
use crate::store::imported::ImportedFactor;
use crate::store::rows::delivery::DeliveryFailure;
use crate::store::{
    Change, ClientInfo, Enrolment, Entry, Event, GUARDED, LinkMail, MailChange, NewAppPassword,
    NewInvitation, NewSession, NewUser, PasswordReset, Proof, RefreshRequest, RotationPolicy,
    SessionScope, Sighting, Store, Ticket, Used,
};
use crate::values::{
    Code, CodeHash, Email, FactorUse, Hosts, Language, Lifespans, Roles, Step, TotpSecret, Username,
};

/// The time of the mails' helpers.
use super::mails::NOW;

/// Runs each transaction once and undoes it, and then runs it again.
#[derive(Debug)]
struct Twice(Box<dyn Driver>);

impl Driver for Twice {
    fn read(&self, work: &mut Reading<'_>) -> Result<(), Fault> {
        self.0.read(work)
    }

    fn read_beside(&self, work: &mut Reading<'_>) -> bool {
        self.0.read_beside(work)
    }

    fn write(&self, work: &mut Writing<'_>) -> Result<(), Abort> {
        // Not `Fault::Retry`: a driver that tries again by itself would do so for ever.
        let undone = self.0.write(&mut |queries| {
            work(queries)?;
            Err(Abort::Rule(Error::Internal("the first run is undone".into())))
        });
        assert!(undone.is_err());
        self.0.write(work)
    }

    fn concurrency(&self) -> Concurrency {
        self.0.concurrency()
    }

    fn leads(&self) -> bool {
        self.0.leads()
    }

    fn upkeep(&self, busy: bool) {
        self.0.upkeep(busy);
    }

    fn settle(&self) -> Result<(), Fault> {
        self.0.settle()
    }
}

fn twice(store: Store) -> Store {
    Store { driver: Box::new(Twice(store.driver)), ..store }
}

/// What a store answers and keeps. Ids are not compared: a database may skip those of a run that
/// was undone.
#[derive(Debug, Default)]
pub(in crate::store) struct Seen(Vec<String>);

impl Seen {
    fn answer<T>(&mut self, what: &str, answer: Result<T, Error>, show: impl Fn(T) -> String) {
        let answer = answer.map(show).map_err(|error| error.kind().name);
        self.0.push(format!("{what}: {answer:?}"));
    }

    fn done(&mut self, what: &str, answer: Result<bool, Error>) {
        self.answer(what, answer, |done| done.to_string());
    }

    /// Adds each row of an answer that has one column of text.
    fn rows(&mut self, store: &Store, sql: &'static str) {
        let read = store.read(|queries| {
            queries.query(sql, &[], &mut |row| {
                self.0.push(row.get(0)?);
                Ok(())
            })
        });
        read.unwrap();
    }

    /// Adds the rows that count.
    fn all_rows(&mut self, store: &Store) {
        for sql in [
            "SELECT 'user ' || name || ' ' || coalesce(email, '-') || ' ' || password || ' ' ||
                 roles || ' ' || CAST(active AS TEXT) || ' ' || CAST(failures AS TEXT) || ' ' ||
                 CAST(tokens_after AS TEXT) || ' ' || coalesce(CAST(unconfirmed AS TEXT), '-')
             FROM users ORDER BY name",
            // Those of add_admin are called like the id of the user, and ids may be left out.
            "SELECT 'session ' || CASE jti WHEN CAST(\"user\" AS TEXT) THEN 'own' ELSE jti END || ' ' || CAST(newest AS TEXT) || ' ' ||
                 coalesce(CAST(ended AS TEXT), '-') FROM sessions ORDER BY jti",
            "SELECT 'ticket ' || jti || ' ' || purpose FROM tickets ORDER BY jti",
            "SELECT 'mail ' || kind || ' ' || email || ' ' || CAST(attempts AS TEXT) || ' ' ||
                 coalesce(CAST(due AS TEXT), '-') || ' ' || CAST(length(message) AS TEXT)
             FROM outbox ORDER BY id",
            "SELECT 'invitation ' || roles FROM invitations ORDER BY id",
            "SELECT 'app password ' || name || ' ' || id FROM app_passwords ORDER BY id",
            "SELECT 'factor ' || CAST(last_step AS TEXT) FROM second_factors ORDER BY \"user\"",
            "SELECT 'codes ' || CAST(count(*) AS TEXT) FROM recovery_codes",
            // Numbers may be left out, so an entry's place in its share is looked at.
            "SELECT 'entry ' || event || ' ' || coalesce(name, '-') || ' ' || CAST(
                 (SELECT count(*) FROM audit o WHERE o.failed = a.failed AND o.number <= a.number)
                 AS TEXT) FROM audit a ORDER BY id",
        ] {
            self.rows(store, sql);
        }
    }
}

/// Calls each kind of method that writes, with what it does and what it refuses.
pub(in crate::store) fn act(store: &Store) -> Seen {
    let mut seen = Seen::default();
    accounts(store, &mut seen);
    mails(store, &mut seen);
    logins(store, &mut seen);
    links(store, &mut seen);
    app_passwords(store, &mut seen);
    imports(store, &mut seen);
    seen.all_rows(store);
    seen.answer("discard", store.discard_notices(Timestamp(NOW.0 + 4_000)), |n| n.to_string());
    seen.answer("sweep", store.sweep(NOW, Timestamp(NOW.0 + 9_000_000)), |n| n.to_string());
    seen.all_rows(store);
    seen
}

fn accounts(store: &Store, seen: &mut Seen) {
    let root = add_admin(store, "root");
    let ada = add(store, "ada", Some("ada@x.example")).unwrap();
    let (gone, stays) = (add(store, "gone", Some("gone@x.example")).unwrap(), Roles::default());
    seen.answer("a name that is taken", add(store, "ADA", None), |_| String::new());
    seen.answer("an address that is taken", add(store, "x", Some("ada@x.example")), |_| {
        String::new()
    });
    let roles = Roles::parse("editor").unwrap();
    seen.done("roles", store.change(ada, &Change::Roles(&roles), &BY, &NOTE, NOW));
    seen.done("the last", store.change(root, &Change::Roles(&stays), &BY, &NOTE, NOW));
    let password = Change::Password {
        hash: &hash("new"),
        session: Some(&session("new", 200)),
        keep_app_passwords: false,
    };
    seen.done("password", store.change(ada, &password, &BY, &NOTE, NOW));
    seen.done("strengthen", store.strengthen(ada, &hash("new"), &hash("hash"), Some(&NOTE), NOW));
    seen.done("delete", store.delete(gone, &BY, &NOTE, NOW));
    seen.done("delete again", store.delete(gone, &BY, &NOTE, NOW));
}

fn mails(store: &Store, seen: &mut Seen) {
    seen.answer("register", register(store, "carol", "carol@x.example", "c"), |_| String::new());
    let carol = store.credentials("carol").unwrap().unwrap().person.id;
    let other = Email::parse("carol@y.example").unwrap();
    let mail = LinkMail { email: &other, jti: "c", expires: Timestamp(NOW.0 + 9) };
    let again = store.register_again((carol, &hash("hash")), &mail, &NOTE, NOW);
    seen.answer("register again", again, |()| String::new());
    let test = store.test_mail(carol, &other, &BY, &NOTE, NOW);
    seen.answer("test mail", test, |_| String::new());
    let user = add(store, "dan", Some("dan@x.example")).unwrap();
    seen.0.push(format!("propose: {}", propose(store, user, "dan@y.example", "d")));
    for (jti, session) in [("c", Some("cs")), ("d", None), ("d", None)] {
        seen.0.push(format!("confirm {jti}: {}", confirm(store, jti, session, NOW)));
    }
    let email = Email::parse("ada@x.example").unwrap();
    let mail = LinkMail { email: &email, jti: "r", expires: Timestamp(NOW.0 + 9) };
    seen.answer("request a reset", store.request_reset(&mail, "-", NOW), |()| String::new());
    while let Some(mail) = store.next_mail(NOW).unwrap() {
        seen.0.push(format!("{:?} to {}", mail.topic, mail.email));
        let due = (mail.email != "ada@x.example").then_some(Timestamp(NOW.0 + 5));
        let failure = DeliveryFailure { why: "busy", due };
        store.failed(&mail, &failure, NOW).unwrap();
    }
    seen.answer("retry", store.retry_mails(&NOTE, NOW), |n| n.to_string());
    let first = store.next_mail(NOW).unwrap().unwrap();
    seen.answer("delivered", store.delivered(&first, NOW), |()| String::new());
    seen.done("drop", store.change_mail(first.id, MailChange::Drop, &BY, &NOTE, NOW));
}

fn logins(store: &Store, seen: &mut Seen) {
    let bob = add(store, "bob", Some("bob@x.example")).unwrap();
    let (secret, code) =
        (TotpSecret::stored([1; 20]), Code::typed(&"0".repeat(24)).unwrap().hash());
    let codes: [CodeHash; 1] = [code];
    seen.done("enrol", store.enrol(bob, &secret, &BY, &NOTE, NOW));
    let confirmed = Enrolment { secret: &secret, step: Step(5), codes: &codes };
    seen.done("confirm", store.confirm_enrolment(bob, &confirmed, &BY, &NOTE, NOW));
    let step = FactorUse::Step { secret: secret.clone(), step: Step(6) };
    let recovery = FactorUse::Recovery(code);
    for (jti, ip, second) in [("b1", "192.0.2.1", step), ("b2", "198.51.100.1", recovery)] {
        for jti in [jti.to_owned(), format!("{jti} again")] {
            let proof = Proof { password: &hash("hash"), second: Some(&second) };
            let here = ClientInfo { ip: ip.parse().ok(), agent: "a" };
            let begun = NewSession { notice: true, origin: here, ..session(&jti, 300) };
            seen.done(&jti, store.begin(bob, &begun, &proof, &NOTE, NOW));
        }
    }
    let expires = |at: Timestamp| at.0.to_string();
    let seconds = std::time::Duration::from_secs;
    let (access, refresh, early) = (seconds(500), seconds(10_000), seconds(60));
    let policy = RotationPolicy::new(false, None, Lifespans { access, refresh, early });
    let token = |jti, issued| {
        let origin = ClientInfo { ip: None, agent: "" };
        RefreshRequest { jti, issued: Timestamp(issued), origin }
    };
    for (jti, issued) in [("b1", 300), ("b1", 300), ("b1 again", 200)] {
        let given = store.give_cookie(&token(jti, issued), &policy, &BY, &NOTE, NOW);
        seen.answer("give cookie", given, expires);
    }
    let (ip, at) = (None, Timestamp(NOW.0 + 9));
    let uses = [("b1", Used::Session), ("none", Used::AppPassword)];
    let uses = uses.map(|(key, used)| Sighting { used, key: key.into(), at, ip });
    seen.answer("note seen", store.note_seen(&uses), |()| String::new());
    let standing = store.standing_with_details("b1");
    seen.answer("standing", standing, |found| format!("{:?}", found.map(|found| found.details)));
    for (issued, now) in [(300, 400), (300, 410), (300, 500), (400, 510)] {
        let outcome = store.rotate(&token("b1", issued), &policy, &NOTE, Timestamp(now));
        seen.answer("rotate", outcome, |outcome| format!("{outcome:?}"));
    }
    seen.done("adopt", store.adopt(bob, &session("foreign", 350), &NOTE, NOW));
    seen.done("replace codes", store.replace_recovery_codes(bob, &codes, &BY, &NOTE, NOW));
    seen.done("no factor", store.remove_second_factor(bob, &BY, &NOTE, NOW));
    let almost = "UPDATE users SET failures = $1 WHERE name = 'bob'";
    execute(store, almost, &[(GUARDED - 1).into()]).unwrap();
    let failed = Entry { event: Event::LoginFailed, user: Some(bob), ..NOTE };
    for _ in 0..2 {
        seen.answer("fail", store.fail(&failed, GUARDED, NOW), |()| String::new());
    }
    for scope in [SessionScope::One("b2"), SessionScope::All, SessionScope::All] {
        seen.answer("end", store.end(bob, scope, &BY, &NOTE, NOW), |n| n.to_string());
    }
    log_in(store, bob, "last", 600);
}

fn links(store: &Store, seen: &mut Seen) {
    let erin = add(store, "erin", Some("erin@x.example")).unwrap();
    let ticket = Ticket { jti: "t", user: erin, expires: Timestamp(NOW.0 + 9) };
    seen.done("hand out", store.hand_out(&ticket, None, &BY, &NOTE, NOW));
    for session_name in ["e1", "e2"] {
        let begun = session(session_name, 700);
        let reset = PasswordReset { hash: &hash("reset"), second: None, session: &begun };
        seen.done("reset", store.reset("t", &reset, &NOTE, NOW));
    }
    let [used, kept] = ["1", "2"].map(|digit| Code::typed(&digit.repeat(24)).unwrap().hash());
    for hash in [used, kept] {
        let roles = Roles::parse("invited").unwrap();
        let new = NewInvitation { hash, roles: &roles, expires: Timestamp(NOW.0 + 9) };
        seen.answer("invite", store.invite(&new, None, &BY, &NOTE, NOW), |()| String::new());
    }
    for name in ["frank", "grace"] {
        let user = NewUser {
            name: &Username::parse(name).unwrap(),
            email: None,
            hash: &hash("hash"),
            roles: &Roles::default(),
            language: Language::English,
        };
        let begun = session("f", 800);
        let accepted = store.accept(&used, &user, Some(&begun), &NOTE, NOW);
        seen.answer(name, accepted, |id| id.is_some().to_string());
    }
    seen.done("revoke", store.revoke_invitation(&kept.name(), &BY, &NOTE, NOW));
    seen.answer("record", store.record(&NOTE, NOW), |()| String::new());
}

fn app_passwords(store: &Store, seen: &mut Seen) {
    let heidi = add(store, "heidi", None).unwrap();
    let hosts = Hosts::of(["cal.example.org"]).unwrap();
    for digit in ["1", "2"] {
        let hash = Code::typed(&digit.repeat(24)).unwrap().hash();
        let new = NewAppPassword { hash, name: digit, hosts: &hosts, api: false, expires: None };
        let added = store.add_app_password(heidi, &new, &BY, &NOTE, NOW);
        seen.answer("app password", added, |()| String::new());
        seen.answer("check", store.app_password(&hash, NOW), |found| found.is_some().to_string());
        let deleted = || store.delete_app_password(heidi, &hash.name(), &BY, &NOTE, NOW);
        if digit == "1" {
            seen.done("delete", deleted());
            seen.done("delete again", deleted());
        }
    }
    let listed = store.app_passwords(heidi, NOW);
    seen.answer("list", listed, |found| format!("{} {}", found.len(), found[0].id));
}

fn imports(store: &Store, seen: &mut Seen) {
    let mut old = user(1, Some(5_000), "old", "old@x.example");
    old.former_names = vec!["Old One".into()];
    old.recovery_codes = vec![[1; 32]];
    old.factor = Some(ImportedFactor {
        secret: TotpSecret::stored([2; 20]),
        created: NOW,
        confirmed: Some(NOW),
        last_step: 8,
    });
    let more = vec![user(2, None, "newer", ""), user(3, None, "OLD", "other@x.example")];
    let clash = user(2, Some(5_001), "BOB", "");
    for rows in [vec![old.clone(), clash], vec![old], more] {
        for skip in [false, true] {
            let mut shown = Vec::new();
            let mut show = |rows| shown.push(rows);
            let done = store.import(&mut Pages(rows.clone()), None, skip, "x", NOW, &mut show);
            let mut done = done.unwrap();
            // Ids are not compared.
            done.clashes.clear();
            seen.0.push(format!("import: {done:?}"));
        }
    }
    for name in ["nobody at all", "Old One", "Old One"] {
        seen.answer("unknown", store.fail_unknown(name, &NOTE, NOW), |()| String::new());
    }
    let page = store.export(4_999).unwrap();
    seen.0.push(format!("{:?}", page.users[0]));
    seen.rows(
        store,
        "SELECT 'former ' || name || coalesce(CAST(told AS TEXT), '-') FROM former_names",
    );
}

#[test]
fn a_transaction_that_ran_twice_was_counted_twice() {
    let (once, again) = (RefCell::new(Vec::new()), RefCell::new(Vec::new()));
    each("once", |store| once.borrow_mut().push(act(store).0));
    each_with("twice", twice, |store| again.borrow_mut().push(act(store).0));
    for (once, again) in once.into_inner().iter().zip(again.into_inner()) {
        assert!(once.len() > 100, "{once:#?}");
        assert_eq!(*once, again);
    }
}
