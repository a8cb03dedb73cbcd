//! What administrators do to accounts and mails, beside changing and deleting accounts.

use super::mails::{END, NOW, confirm, email, link, propose, register, take};
use super::{BY, NOTE, add, add_admin, admin, each, execute, hash, log_in};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::delivery::Topic;
use crate::store::mail_kind::{MailKind, NO_EMAIL};
use crate::store::rows::delivery::DeliveryFailure;
use crate::store::{
    Actor, AuditQuery, Change, Entry, Event, InvitationMail, MailChange, MailState, NewInvitation,
    NewUser, Store, Ticket,
};
use crate::values::{Code, Language, PasswordHash, Roles, Username};

fn names(store: &Store) -> Vec<(String, Option<String>)> {
    let all = AuditQuery { limit: 100, ..AuditQuery::default() };
    let entries = store.recorded(&all).unwrap().rows;
    entries.into_iter().map(|entry| (entry.event, entry.name)).collect()
}

#[test]
fn an_address_set_by_an_administrator_counts_at_once() {
    each("set-email", |store| {
        let bob = add(store, "bob", Some("bob@x.example")).unwrap();
        add(store, "eve", Some("eve@x.example")).unwrap();
        log_in(store, bob, "s", 10);
        let set =
            |id, to: Option<&str>| store.set_email(id, to.map(email).as_ref(), &BY, &NOTE, NOW);
        let has = |id| store.account_of(id).unwrap().unwrap().email;
        // Links that went to the former address are void.
        let ticket = Ticket { jti: "t", user: bob, expires: END };
        let former = email("bob@x.example");
        assert!(store.hand_out(&ticket, Some(&former), &BY, &NOTE, NOW).unwrap());
        assert!(propose(store, bob, "other@x.example", "p"));
        assert!(set(bob, Some("New@x.example")).unwrap());
        assert_eq!(has(bob).as_deref(), Some("New@x.example"));
        assert_eq!(store.credentials("new@X.example").unwrap().unwrap().person.id, bob);
        assert!(store.holder("t", NOW).unwrap().is_none() && !confirm(store, "p", None, NOW));
        assert!(store.standing("s").unwrap().unwrap().person.active, "the session stays");
        let told = take(store, NOW).unwrap();
        assert_eq!((told.0.as_str(), told.1.as_str()), ("bob@x.example", "bob"));
        assert_eq!(told.2, Topic::EmailChanged("New@x.example".into()));
        assert_eq!(take(store, NOW), None, "the links were not sent");
        assert!(matches!(set(bob, Some("EVE@x.example")), Err(Error::EmailTaken)));
        assert_eq!(has(bob).as_deref(), Some("New@x.example"));
        assert!(set(bob, None).unwrap());
        assert_eq!(has(bob), None);
        let told = take(store, NOW).unwrap();
        assert_eq!((&*told.0, told.2), ("New@x.example", Topic::EmailChanged(NO_EMAIL.into())));
        assert!(!set(99, None).unwrap());
        let waiting = register(store, "wait", "wait@x.example", "w").unwrap();
        assert!(matches!(set(waiting, None), Err(Error::UserInactive)));
        assert!(confirm(store, "w", Some("ws"), NOW), "it still waits");
    });
}

#[test]
fn a_mailed_reset_link_is_the_only_one_and_ends_with_its_administrator() {
    each("reset-mail", |store| {
        let root = add_admin(store, "root");
        add_admin(store, "other");
        let bob = add(store, "bob", Some("bob@x.example")).unwrap();
        let session = root.to_string();
        let mail = |jti: &str| {
            let ticket = Ticket { jti, user: bob, expires: END };
            let by = admin(root, &session);
            store.hand_out(&ticket, Some(&email("bob@x.example")), &by, &NOTE, NOW).unwrap()
        };
        assert!(mail("a") && mail("b"));
        assert!(store.holder("a", NOW).unwrap().is_none());
        let sent = take(store, NOW).unwrap();
        assert_eq!((sent.0.as_str(), sent.2), ("bob@x.example", Topic::Reset(link("b"))));
        assert_eq!(take(store, NOW), None);
        assert!(store.holder("b", NOW).unwrap().is_some());
        assert!(mail("c"));
        store.change(root, &Change::Roles(&Roles::default()), &BY, &NOTE, NOW).unwrap();
        assert!(store.holder("c", NOW).unwrap().is_none());
        assert_eq!(take(store, NOW), None);
    });
}

#[test]
fn an_account_without_a_password_comes_with_its_ticket() {
    each("add-ticket", |store| {
        let add = |name: &str, jti: &str| {
            let user = NewUser {
                name: &Username::parse(name).unwrap(),
                email: None,
                hash: &PasswordHash::none(),
                roles: &Roles::default(),
                language: Language::English,
            };
            let ticket = Ticket { jti, user: 0, expires: END };
            let entry = Entry { event: Event::UserAdded, name: Some(name), ..NOTE };
            store.add_with_ticket(&user, &ticket, &BY, &entry, NOW)
        };
        let bob = add("bob", "t").unwrap();
        assert_eq!(store.holder("t", NOW).unwrap().unwrap().id, bob);
        assert!(matches!(add("BOB", "u"), Err(Error::UsernameTaken)));
        assert!(store.holder("u", NOW).unwrap().is_none());
        let named = |event: &str| (event.to_owned(), Some("bob".to_owned()));
        assert_eq!(names(store), [named("reset-link"), named("user-added")]);
    });
}

#[test]
fn an_invitation_is_mailed_while_it_is_open() {
    each("invite-mail", |store| {
        let root = add_admin(store, "root");
        let session = root.to_string();
        let invite = |jti: &str, language, note: &str| {
            let hash = Code::generate().unwrap().hash();
            let new = NewInvitation { hash, roles: &Roles::default(), expires: END };
            let to = email("guest@x.example");
            let mail = InvitationMail { email: &to, jti, language, note };
            store.invite(&new, Some(&mail), &admin(root, &session), &NOTE, NOW).unwrap();
            hash.name()
        };
        let id = invite("i", Language::Portuguese, "See you  soon");
        for attempts in 0..2 {
            let mail = store.next_mail(NOW).unwrap().unwrap();
            assert_eq!((mail.kind, mail.attempts), (MailKind::Invitation, attempts));
            assert_eq!((mail.email.as_str(), mail.person.id), ("guest@x.example", 0));
            assert_eq!(mail.language, Language::Portuguese);
            let (link, note) = (link("i"), "See you  soon".into());
            assert_eq!(mail.topic, Topic::Invitation { link, id: id.clone(), note });
            let busy = DeliveryFailure { why: "busy", due: Some(NOW) };
            store.failed(&mail, &busy, NOW).unwrap();
        }
        assert!(take(store, NOW).is_some());
        // Revoked, expired, or by somebody who no longer administrates.
        let id = invite("j", Language::English, "");
        assert!(store.revoke_invitation(&id, &BY, &NOTE, NOW).unwrap());
        assert_eq!(take(store, NOW), None);
        invite("k", Language::English, "");
        assert_eq!(take(store, Timestamp(END.0 + 1)), None);
        invite("l", Language::English, "");
        add_admin(store, "other");
        store.change(root, &Change::Active(false), &BY, &NOTE, NOW).unwrap();
        assert_eq!(take(store, NOW), None);
    });
}

#[test]
fn mails_are_listed_tried_again_and_deleted() {
    each("queue", |store| {
        let bob = add(store, "bob", Some("bob@x.example")).unwrap();
        for jti in ["a", "b", "c"] {
            assert!(propose(store, bob, &format!("{jti}@x.example"), jti));
        }
        let page = |after, limit| {
            let page = store.mails_after(after, limit).unwrap();
            let rows: Vec<_> = page.rows.into_iter().map(|mail| (mail.id, mail.name)).collect();
            (rows, page.next)
        };
        let (all, next) = page(0, 10);
        assert_eq!((all.len(), next), (3, None));
        assert!(all.iter().all(|(_, name)| name.as_deref() == Some("bob")));
        let ids: Vec<i64> = all.iter().map(|(id, _)| *id).collect();
        assert_eq!(page(0, 2).1, Some(ids[1]));
        assert_eq!(page(ids[1], 2), (vec![all[2].clone()], None));
        let given_up = "UPDATE outbox SET due = NULL, failure = 'no such mailbox'";
        execute(store, given_up, &[]).unwrap();
        assert_eq!(store.mails_after(0, 1).unwrap().rows[0].due, None);
        let entry = Entry { event: Event::MailRetried, user: None, name: None, ..NOTE };
        let change = |id, change| store.change_mail(id, change, &BY, &entry, NOW).unwrap();
        assert!(change(ids[2], MailChange::Retry));
        assert_eq!(store.mails_after(ids[1], 1).unwrap().rows[0].due, Some(NOW));
        assert!(change(ids[0], MailChange::Drop) && !change(ids[0], MailChange::Drop));
        assert!(!change(99, MailChange::Retry));
        assert_eq!(page(0, 10).0.len(), 2);
        // Tried again, a mail whose link has expired would vanish without a word.
        execute(store, given_up, &[]).unwrap();
        execute(store, "UPDATE outbox SET jti = 'j', expires = $1", &[(NOW.0 - 1).into()]).unwrap();
        let expired = store.change_mail(ids[1], MailChange::Retry, &BY, &entry, NOW);
        assert!(matches!(expired, Err(Error::LinkExpired)), "{expired:?}");
        assert_eq!(store.retry_mails(&entry, NOW).unwrap(), 0);
        assert_eq!(store.mails_after(ids[0], 1).unwrap().rows[0].due, None);
        execute(store, "UPDATE outbox SET expires = $1", &[NOW.0.into()]).unwrap();
        let retried = |name: Option<&str>| ("mail-retried".to_owned(), name.map(str::to_owned));
        assert_eq!(names(store)[..2], [retried(Some("bob")), retried(Some("bob"))], "two changes");
        assert_eq!(store.retry_mails(&entry, NOW).unwrap(), 2);
        assert_eq!(names(store)[..2], [retried(None), retried(Some("bob"))], "one for all");
    });
}

#[test]
fn the_state_of_a_test_mail_is_told_whoever_asked_for_it() {
    each("test-mail", |store| {
        let (root, to) = (add_admin(store, "root"), email("r@x.example"));
        let test = || store.test_mail(root, &to, &BY, &NOTE, NOW).unwrap();
        let state = |id, user| store.test_mail_state(id, user).unwrap();
        let (sent, dropped) = (test(), test());
        assert!(matches!(state(sent, root), Some(MailState::Queued { due: Some(NOW), .. })));
        assert!(store.change_mail(dropped, MailChange::Drop, &BY, &NOTE, NOW).unwrap());
        assert!(matches!(take(store, NOW), Some((.., Topic::Test))));
        assert_eq!(state(sent, root), Some(MailState::Sent));
        for (id, user) in [(dropped, root), (999_999, root), (sent, 99)] {
            assert_eq!(state(id, user), None, "{id} {user}");
        }
        // Mails of another kind are none.
        let bob = add(store, "bob", Some("bob@x.example")).unwrap();
        assert!(store.set_email(bob, None, &BY, &NOTE, NOW).unwrap());
        let other = store.mails_after(0, 1).unwrap().rows[0].id;
        assert_eq!(state(other, root), None);
        take(store, NOW).unwrap();
        assert_eq!(state(other, root), None);
    });
}

#[test]
fn the_audit_is_filtered_and_names_who_acted() {
    each("audit-filters", |store| {
        let root = add_admin(store, "root");
        let ip = |last| Some(std::net::IpAddr::from([192, 0, 2, last]));
        execute(store, "DELETE FROM audit", &[]).unwrap();
        for (at, event, user, name, actor) in [
            (1, Event::Login, Some(5), Some("bob"), Actor::User(ip(1))),
            (2, Event::LoginFailed, None, Some("typed"), Actor::User(ip(2))),
            (3, Event::LoginFailed, Some(5), Some("bob"), Actor::User(ip(1))),
            (4, Event::RolesChanged, Some(5), Some("bob"), Actor::Admin(root, ip(3))),
            (5, Event::RolesChanged, Some(5), Some("bob"), Actor::Admin(99, ip(3))),
        ] {
            let entry = Entry { event, user, name, actor, detail: "" };
            store.record(&entry, Timestamp(at)).unwrap();
        }
        let [typed, bob] = ["typed", "bob"].map(|name| Username::parse(name).unwrap());
        let all = AuditQuery { limit: 10, ..AuditQuery::default() };
        for (query, expected) in [
            (AuditQuery { event: Some("login-failed"), ..all }, &[3, 2][..]),
            (AuditQuery { failed: true, ..all }, &[3, 2]),
            (AuditQuery { failed: true, user: Some(5), ..all }, &[3]),
            (AuditQuery { ip: Some("192.0.2.1"), ..all }, &[3, 1]),
            (AuditQuery { until: Some(3), ..all }, &[3, 2, 1]),
            (AuditQuery { since: Some(2), until: Some(4), ..all }, &[4, 3, 2]),
            (AuditQuery { until: Some(0), ..all }, &[]),
            (AuditQuery { until: Some(i64::MAX), ..all }, &[5, 4, 3, 2, 1]),
            // What a stranger typed is not even found.
            (AuditQuery { name: Some(&typed), ..all }, &[]),
            (AuditQuery { name: Some(&bob), failed: true, ..all }, &[3]),
            (AuditQuery { event: Some("login"), ip: Some("192.0.2.2"), ..all }, &[]),
        ] {
            let page = store.recorded(&query).unwrap();
            let times: Vec<i64> = page.rows.iter().map(|entry| entry.at.0).collect();
            assert_eq!((times.as_slice(), page.next), (expected, None), "{query:?}");
        }
        let rows = store.recorded(&all).unwrap().rows;
        let actors: Vec<_> = rows.iter().map(|entry| entry.actor_name.as_deref()).collect();
        assert_eq!(actors, [None, Some("root"), None, None, None]);
        assert_eq!(rows[3].name, None, "what a stranger typed");
    });
}

#[test]
fn unlocking_forgets_failures_with_an_entry() {
    each("unlock", |store| {
        let bob = add(store, "bob", None).unwrap();
        execute(store, "UPDATE users SET failures = 12", &[]).unwrap();
        assert_eq!(store.account_of(bob).unwrap().unwrap().failures, 12);
        let before = names(store).len();
        assert!(store.unlock(bob, &BY, &NOTE, NOW).unwrap());
        assert!(!store.unlock(99, &BY, &NOTE, NOW).unwrap());
        assert_eq!(store.account_of(bob).unwrap().unwrap().failures, 0);
        assert_eq!(names(store).len(), before + 1);
        assert_eq!(store.credentials_of(bob).unwrap().unwrap().hash, hash("hash"));
    });
}
