//! Which server is chosen, and what is said if none is.

use super::*;

fn identity(system: i64, timeline: i64) -> Option<Identity> {
    Some(Identity::of(system, Some(timeline)))
}

#[test]
fn the_first_server_that_takes_writes_is_chosen_unless_it_is_a_former_primary() {
    let standby = (false, Some(Identity::of(7, None)));
    for (best, found, expected) in [
        ((true, identity(7, 1)), (true, identity(7, 2)), true),
        ((true, identity(7, 2)), (true, identity(7, 2)), false),
        ((true, identity(7, 3)), (true, identity(7, 2)), false),
        (standby, (true, identity(7, 1)), true),
        (standby, (true, None), true),
        (standby, standby, false),
        ((true, identity(7, 1)), standby, false),
        // A read-only primary.
        ((true, identity(7, 1)), (false, identity(7, 2)), false),
        // What cannot be compared: the first one.
        ((true, identity(7, 1)), (true, identity(8, 2)), false),
        ((true, None), (true, identity(7, 2)), false),
        ((true, identity(7, 1)), (true, None), false),
    ] {
        assert_eq!(is_better(best, found), expected, "{best:?} {found:?}");
    }
}

#[test]
fn a_refusal_names_what_to_change() {
    let target = Target::parse("postgres://lictor@127.0.0.1/app").unwrap();
    let with_tls = Target { tls: TlsMode::VerifyFull, ..target.clone() };
    let entry = "no pg_hba.conf entry for host \"127.0.0.1\", user \"lictor\"";
    let bare = format!("{entry}, no encryption");
    for (target, message, expected) in [
        (&target, bare.as_str(), "sslmode=verify-full"),
        (&target, entry, "pg_hba.conf"),
        (&target, "role \"lictor\" does not exist", "createuser lictor"),
        (&with_tls, bare.as_str(), "pg_hba.conf"),
    ] {
        let message = message.to_owned();
        let refusal = Refusal { code: *b"28000", message, constraint: None, fatal: true };
        let refused = Refused::Failed(Failure::Refused(refusal));
        let no_server = NoServer::new(target, vec![(0, refused)]);
        assert!(no_server.is_setting());
        assert!(no_server.problem(target).next.contains(expected), "{target}");
    }
}
