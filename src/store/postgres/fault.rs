//! What a failure means: the server's SQLSTATE as a fault of the store, and what follows for the
//! connection and for the server. Knows no statement.

use super::wire::{Failure, Refusal};
use crate::error::Cause;
use crate::store::driver::{Fault, Unique};

/// The constraints whose violation means that a value belongs to another user.
const TAKEN: [(&str, Unique); 2] =
    [("users_name_key_key", Unique::Username), ("users_email_key_key", Unique::Email)];

/// What a failure says of the connection and of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The connection goes on.
    Connected,
    /// The connection is lost; another one may work.
    Lost,
    /// The server takes no writes. On a connection for reads: it was asked for one.
    ReadOnly,
    /// The connection is of no use any more: its prepared statements are of an older schema, or it
    /// is one to a standby, which begins no serializable transaction. Another one may work.
    Stale,
}

/// Returns what a failure says of the connection and of the server.
pub(super) fn reach(failure: &Failure) -> Reach {
    match failure {
        Failure::Lost(_) => Reach::Lost,
        Failure::Row(_) => Reach::Connected,
        Failure::Refused(refusal) => match &refusal.code {
            // read_only_sql_transaction
            b"25006" => Reach::ReadOnly,
            // feature_not_supported
            b"0A000" => Reach::Stale,
            // pgbouncer's words for a server connection that broke, whatever their severity.
            [b'0', b'8', ..] => Reach::Lost,
            _ if refusal.fatal => Reach::Lost,
            _ => Reach::Connected,
        },
    }
}

/// Whether a server refused a connection because it has too many, and not because it is down.
pub(super) fn is_full(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == *b"53300")
}

/// Whether somebody else holds a lock that was not to be waited for, or was waited for too long.
pub(super) fn is_locked(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code == *b"55P03")
}

/// Whether a constraint was violated that does not say that a value belongs to another user.
pub(super) fn is_violation(failure: &Failure) -> bool {
    matches!(failure, Failure::Refused(refusal) if refusal.code.starts_with(b"23"))
}

/// Whether the server says, to a COMMIT, that it has undone the transaction: serialization_failure,
/// deadlock_detected, and constraints that are checked at the end.
pub(super) fn is_undone(failure: &Failure) -> bool {
    let Failure::Refused(refusal) = failure else { return false };
    !refusal.fatal && matches!(&refusal.code, b"40001" | b"40P01" | [b'2', b'3', ..])
}

/// Returns the fault that a failure is.
///
/// A violated constraint is a reason to try again: in a serializable transaction a rule has read
/// that the row may be written, and another transaction has changed that since. Only the two
/// constraints that rules leave to the database say something to a person.
pub(super) fn of(failure: Failure) -> Fault {
    match failure {
        Failure::Row(fault) => fault,
        Failure::Lost(why) => Fault::Unavailable(why),
        Failure::Refused(refusal) => refused(refusal),
    }
}

fn refused(refusal: Refusal) -> Fault {
    let taken = TAKEN.iter().find(|(name, _)| refusal.constraint.as_deref() == Some(*name));
    let cause = cause(&refusal);
    match (&refusal.code, taken) {
        // unique_violation
        (b"23505", Some((_, unique))) => Fault::Taken(*unique),
        // serialization_failure, deadlock_detected, lock_not_available, foreign_key_violation
        (b"40001" | b"40P01" | b"55P03" | b"23503" | b"23505", _) => Fault::Retry(cause),
        // read_only_sql_transaction, feature_not_supported (see `reach`),
        // statement_completion_unknown, query_canceled, admin_shutdown, crash_shutdown,
        // cannot_connect_now; idle_in_transaction_session_timeout ends the connection
        (b"25006" | b"0A000" | b"40003" | b"57014" | b"57P01" | b"57P02" | b"57P03", _) => {
            Fault::Unavailable(cause)
        }
        // connection exceptions, insufficient resources, system errors
        ([b'0', b'8', ..] | [b'5', b'3', ..] | [b'5', b'8', ..], _) => Fault::Unavailable(cause),
        _ if refusal.fatal => Fault::Unavailable(cause),
        _ => Fault::Damaged(cause),
    }
}

/// The server's message. That of a value that it does not take would quote the value, which may be
/// a name or worse.
fn cause(refusal: &Refusal) -> Cause {
    match &refusal.code {
        [b'2', b'2', ..] => {
            let code = String::from_utf8_lossy(&refusal.code);
            format!("PostgreSQL refuses a value ({code})").into()
        }
        code => {
            let code = String::from_utf8_lossy(code);
            format!("{} ({code})", refusal.message).into()
        }
    }
}

/// Returns the same fault a second time, for one that is handed out and kept.
pub(super) fn copy(fault: &Fault) -> Fault {
    match fault {
        Fault::Taken(unique) => Fault::Taken(*unique),
        Fault::Retry(cause) => Fault::Retry(cause.text().into()),
        Fault::Unavailable(cause) => Fault::Unavailable(cause.text().into()),
        Fault::Corrupt(cause) => Fault::Corrupt(cause.text().into()),
        Fault::Damaged(cause) => Fault::Damaged(cause.text().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(code: &[u8; 5], constraint: Option<&str>, fatal: bool) -> Failure {
        let message = "the value ada is bad".into();
        let constraint = constraint.map(str::to_owned);
        Failure::Refused(Refusal { code: *code, message, constraint, fatal })
    }

    fn kind(fault: &Fault) -> &'static str {
        match fault {
            Fault::Taken(Unique::Username) => "username taken",
            Fault::Taken(Unique::Email) => "email taken",
            Fault::Retry(_) => "retry",
            Fault::Unavailable(_) => "unavailable",
            Fault::Corrupt(_) | Fault::Damaged(_) => "damaged",
        }
    }

    fn check(code: &[u8; 5], constraint: Option<&str>, fatal: bool, expected: (&str, Reach)) {
        let failure = refusal(code, constraint, fatal);
        let found = reach(&failure);
        let fault = of(failure);
        let name = String::from_utf8_lossy(code);
        assert_eq!((kind(&fault), found), expected, "{name} {constraint:?}");
        assert_eq!(kind(&copy(&fault)), expected.0);
    }

    #[test]
    fn a_sqlstate_is_a_fault() {
        use Reach::{Connected, Lost, ReadOnly, Stale};
        check(b"23505", Some("users_name_key_key"), false, ("username taken", Connected));
        check(b"23505", Some("users_email_key_key"), false, ("email taken", Connected));
        check(b"23503", Some("users_name_key_key"), false, ("retry", Connected));
        for code in [b"40001", b"40P01", b"55P03", b"23503", b"23505"] {
            check(code, Some("sessions_pkey"), false, ("retry", Connected));
            check(code, None, false, ("retry", Connected));
        }
        for code in [b"40003", b"57014", b"53100", b"53200", b"53300", b"58030", b"58P01", b"57P03"]
        {
            check(code, None, false, ("unavailable", Connected));
        }
        for code in [b"57P01", b"57P02", b"57P03", b"57P05", b"25P03", b"XX000", b"28P01"] {
            check(code, None, true, ("unavailable", Lost));
        }
        check(b"08P01", None, false, ("unavailable", Lost));
        check(b"08006", None, true, ("unavailable", Lost));
        check(b"25006", None, false, ("unavailable", ReadOnly));
        check(b"0A000", None, false, ("unavailable", Stale));
        for code in [b"42P01", b"42501", b"22P02", b"XX001", b"23514", b"23502", b"25P02", b"26000"]
        {
            check(code, None, false, ("damaged", Connected));
        }
    }

    #[test]
    fn a_value_is_not_quoted() {
        for code in [b"22P02", b"22021", b"22001"] {
            let Fault::Damaged(cause) = of(refusal(code, None, false)) else { panic!() };
            assert!(!cause.text().contains("ada"), "{}", cause.text());
        }
    }

    #[test]
    fn a_lost_connection_and_a_row_that_cannot_be_read_are_faults() {
        let lost = Failure::Lost("closed".into());
        assert_eq!(reach(&lost), Reach::Lost);
        assert_eq!(kind(&of(lost)), "unavailable");
        let row = Failure::Row(Fault::Damaged("NULL".into()));
        assert_eq!(reach(&row), Reach::Connected);
        assert_eq!(kind(&of(row)), "damaged");
        assert!(is_full(&refusal(b"53300", None, true)));
        assert!(!is_full(&refusal(b"57P03", None, true)));
        assert!(is_violation(&refusal(b"23503", None, false)));
        assert!(!is_violation(&refusal(b"40001", None, false)));
    }

    #[test]
    fn a_commit_was_undone_only_if_the_server_says_so() {
        for (code, fatal, expected) in [
            (b"40001", false, true),
            (b"40P01", false, true),
            (b"23505", false, true),
            (b"40003", false, false),
            (b"40000", false, false),
            (b"40001", true, false),
            (b"57014", false, false),
            (b"25P02", false, false),
        ] {
            assert_eq!(is_undone(&refusal(code, None, fatal)), expected, "{code:?}");
        }
        assert!(!is_undone(&Failure::Lost("closed".into())));
    }
}
