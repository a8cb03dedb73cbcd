//! Invitations: each is good once, and void when its maker no longer administrates.

use super::{BY, NOTE, add_admin, admin, each, events, hash};
use crate::clock::Timestamp;
use crate::error::Error;
use crate::store::invitations::MAX_OPEN;
use crate::store::{Change, Invitation, NewInvitation, NewUser, Store, rows};
use crate::values::{Code, CodeHash, Language, Roles, Username};

const NOW: Timestamp = Timestamp(100);
const END: Timestamp = Timestamp(200);

/// By an administrator, or from the command line.
fn invite(store: &Store, creator: Option<i64>) -> Result<CodeHash, Error> {
    let hash = Code::generate().unwrap().hash();
    let roles = Roles::parse("a,b").unwrap();
    let new = NewInvitation { hash, roles: &roles, expires: END };
    let session = creator.map(|id| id.to_string()).unwrap_or_default();
    let by = creator.map_or(BY, |id| admin(id, &session));
    store.invite(&new, None, &by, &NOTE, NOW).map(|()| hash)
}

fn accept(store: &Store, code: &CodeHash, name: &str, at: Timestamp) -> Result<Option<i64>, Error> {
    let user = NewUser {
        name: &Username::parse(name).unwrap(),
        email: None,
        hash: &hash("hash"),
        roles: &Roles::default(),
        language: Language::English,
    };
    store.accept(code, &user, None, &NOTE, at)
}

fn open(store: &Store, at: i64) -> Vec<String> {
    store.invitations(Timestamp(at)).unwrap().into_iter().map(|found| found.id).collect()
}

#[test]
fn a_code_is_good_once_and_for_a_time() {
    each("invitations", |store| {
        let ada = add_admin(store, "ada");
        let code = invite(store, Some(ada)).unwrap();
        let expected = Invitation {
            id: code.name(),
            roles: Roles::parse("a,b").unwrap(),
            created: NOW,
            expires: END,
            creator: Some(ada),
        };
        assert_eq!(store.invitation(&code, NOW).unwrap(), Some(expected.clone()));
        assert_eq!(store.invitations(END).unwrap(), [expected]);
        let late = Timestamp(END.0 + 1);
        assert_eq!(store.invitation(&code, late).unwrap(), None);
        assert_eq!(open(store, late.0), [""; 0]);
        assert_eq!(accept(store, &code, "bob", late).unwrap(), None);
        // Nothing is used up by a name that is taken.
        assert!(matches!(accept(store, &code, "ADA", NOW), Err(Error::UsernameTaken)));
        assert!(accept(store, &code, "bob", END).unwrap().is_some());
        assert_eq!(accept(store, &code, "carol", NOW).unwrap(), None);
        assert_eq!(store.invitation(&code, NOW).unwrap(), None);
        assert_eq!(store.account(&Username::parse("carol").unwrap()).unwrap().map(|_| ()), None);
        assert_eq!(events(store).len(), 5, "what did not happen has no entry");
    });
}

#[test]
fn they_are_taken_back_and_swept() {
    each("revoked", |store| {
        let code = invite(store, None).unwrap();
        assert!(!store.revoke_invitation("nothing", &BY, &NOTE, NOW).unwrap());
        assert!(store.revoke_invitation(&code.name(), &BY, &NOTE, NOW).unwrap());
        assert!(!store.revoke_invitation(&code.name(), &BY, &NOTE, NOW).unwrap());
        assert_eq!(accept(store, &code, "bob", NOW).unwrap(), None);
        invite(store, None).unwrap();
        assert_eq!(store.sweep(Timestamp(0), END).unwrap(), 0);
        assert_eq!(store.sweep(Timestamp(0), Timestamp(END.0 + 1)).unwrap(), 1);
    });
}

#[test]
fn they_are_void_when_their_maker_no_longer_administrates() {
    for (what, undone, refused) in [
        ("deactivated", 0, "InvalidUserError"),
        ("demoted", 1, "MissingRoleError"),
        ("deleted", 2, "MissingUserError"),
    ] {
        each("former", |store| {
            let [ada, bob] = ["ada", "bob"].map(|name| add_admin(store, name));
            let codes = [Some(ada), Some(bob), None].map(|by| invite(store, by).unwrap().name());
            let other = Roles::parse("admin,editor").unwrap();
            store.change(bob, &Change::Roles(&other), &BY, &NOTE, NOW).unwrap();
            assert_eq!(open(store, 100).len(), 3, "still an administrator");
            match undone {
                0 => store.change(bob, &Change::Active(false), &BY, &NOTE, NOW).unwrap(),
                1 => store.change(bob, &Change::Roles(&Roles::default()), &BY, &NOTE, NOW).unwrap(),
                _ => store.delete(bob, &BY, &NOTE, NOW).unwrap(),
            };
            let left = open(store, 100);
            assert!(left.contains(&codes[0]) && left.contains(&codes[2]), "{what}");
            assert!(!left.contains(&codes[1]), "{what}");
            // Nor by a request that was under way, and let in as an administrator's before that.
            let late = invite(store, Some(bob));
            let name = late.unwrap_err().kind().name;
            assert_eq!(name, refused, "{what}");
            assert_eq!(open(store, 100), left, "{what}");
        });
    }
}

#[test]
fn open_ones_are_bounded() {
    each("many", |store| {
        let fill = store.write_rows(|queries| {
            for _ in 1..MAX_OPEN {
                let hash = Code::generate().unwrap().hash();
                let new = NewInvitation { hash, roles: &Roles::default(), expires: END };
                rows::invitations::insert(queries, &new, None, NOW)?;
            }
            Ok(())
        });
        fill.unwrap();
        invite(store, None).unwrap();
        assert!(matches!(invite(store, None), Err(Error::TooManyInvitations)));
        let one = open(store, 100).pop().unwrap();
        assert!(store.revoke_invitation(&one, &BY, &NOTE, NOW).unwrap());
        invite(store, None).unwrap();
    });
}
