//! The errors of a request ([`Error`]) and of the program ([`Problem`]).
//!
//! A variant of `Error` says what happened; [`Error::kind`] alone maps it to a status and a stable
//! name. The client gets the name and a sentence, the log gets the cause. Knows nothing of sockets,
//! SQL or tokens.

mod cause;
mod problem;

use std::fmt;
use std::sync::Arc;

pub use cause::Cause;
pub use problem::Problem;

/// An underlying error.
type Source = Arc<dyn std::error::Error + Send + Sync>;

fn source(source: &Option<Source>) -> Option<&(dyn std::error::Error + 'static)> {
    source.as_deref().map(|source| source as _)
}

/// Why a request or a command failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The body, or a field of it, is not what the endpoint takes; says which field and why.
    BadRequest(String),
    /// The username cannot be used; says why.
    InvalidUsername(String),
    /// The password cannot be used; says why.
    InvalidPassword(String),
    /// Another account has the username.
    UsernameTaken,
    /// Another account has the e-mail address.
    EmailTaken,
    /// The server accepts no registrations.
    RegistrationClosed,
    /// The server sends no mail.
    MailDisabled,
    /// The invitation is wrong, used, revoked or expired; the client is not told which.
    InvalidInvitation,
    /// The token that makes the first administrator is wrong, or from before a restart.
    InvalidSetupToken,
    /// There is an administrator already.
    SetupDone,
    /// The link in the mail has expired: nobody could use it.
    LinkExpired,
    /// The limit of open invitations is reached.
    TooManyInvitations,
    /// The limit of a user's app passwords is reached.
    TooManyAppPasswords,
    /// The app password is wrong, deleted or expired, or another user's; the client is not told
    /// which.
    InvalidAppPassword,
    /// The client has sent too many wrong app passwords, and a proxy asks, which passes 401 on but not
    /// 429.
    AppPasswordsThrottled {
        /// Seconds until the next attempt.
        wait: u32,
    },
    /// The app password is not good for this host, this method or the API.
    AppPasswordNotAllowed,
    /// The token is for some of the server's audiences, and this needs one that is for all.
    AudienceNotAllowed,
    /// Unknown username or wrong password; the client is not told which.
    Authentication,
    /// Neither the `Authorization` header nor the `access_token` cookie holds a token.
    MissingToken,
    /// The `Authorization` header holds no token, and this endpoint takes none from a cookie.
    MissingBearer,
    /// The `Authorization` header is not `Bearer <token>`.
    InvalidTokenHeader,
    /// The token is malformed, or its signature is wrong; says which.
    InvalidToken(&'static str),
    /// The token lacks a claim; says which.
    MissingClaim(&'static str),
    /// The token has expired; says for which use.
    ExpiredAccess(&'static str),
    /// The time in which the token could be refreshed is over.
    ExpiredRefresh,
    /// The access token is still valid: it is too early to refresh it.
    EarlyRefresh,
    /// A registration token was used for another purpose; says which.
    MisusedRegistrationToken(&'static str),
    /// A password reset token was used for another purpose; says which.
    MisusedResetToken(&'static str),
    /// A token that does not confirm a registration was used to confirm one.
    InvalidRegistrationToken,
    /// A token that does not reset a password was used to reset one.
    InvalidResetToken,
    /// The token's user no longer exists.
    MissingUser,
    /// The user exists but is not active.
    InactiveUser,
    /// The token's session has ended, or never existed.
    Revoked,
    /// The cookie shows no session that is still open.
    SessionEnded,
    /// The request has the cookies of several sessions; none counts, and none is taken back.
    SeveralSessions,
    /// A browser session was asked for over a connection that others may read.
    InsecureCookie,
    /// The access rules, or the way in which a proxy asks, let this request through for nobody or not
    /// for this user; says why.
    AccessDenied(String),
    /// The user lacks a role; lists the required ones, joined by commas.
    MissingRole(String),
    /// A logged-in user gave a wrong current password.
    WrongPassword,
    /// The password is right, and a code of the second factor must come with it.
    SecondFactorRequired,
    /// The user already has a second factor.
    SecondFactorOn,
    /// The user has no second factor, or none that waits for its confirmation.
    SecondFactorOff,
    /// A logged-in user gave a code that is wrong or used.
    WrongOtp,
    /// A logged-in user gave no code of the second factor where one is needed.
    OtpRequired,
    /// The user must set up a second factor before anything else.
    SecondFactorMissing,
    /// The login is too old for this action.
    ReauthenticationRequired,
    /// A page of an origin that may not call asks for an action that costs a hash or a write.
    OriginNotAllowed,
    /// No active administrator would be left.
    LastAdmin,
    /// An administrator asks for an inactive user what only an active one can have.
    UserInactive,
    /// The path has no endpoint.
    NotFound,
    /// The thing that the path names does not exist; says what kind of thing.
    NoSuch(&'static str),
    /// The path has an endpoint, but not for this method.
    MethodNotAllowed {
        /// The value of the `Allow` header: the methods of the path.
        allow: String,
    },
    /// Too many attempts.
    TooManyRequests {
        /// Seconds until the next attempt: the value of the `Retry-After` header.
        wait: u32,
    },
    /// The store cannot answer now (locked, disk full); a later request may succeed. Says why.
    Unavailable(Cause),
    /// A check found the database damaged: it is read, and no longer written.
    Damaged,
    /// A fault of the program or of the machine; says which.
    Internal(Cause),
}

/// The status and the name with which an [`Error`] is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorKind {
    /// HTTP status.
    pub status: u16,
    /// The stable name in the `error` field.
    pub name: &'static str,
}

impl Error {
    /// Maps the error to a status and a name.
    // Long: one line a variant.
    pub fn kind(&self) -> ErrorKind {
        let (status, name) = match self {
            Error::BadRequest(_) | Error::EmailTaken => (400, "BadRequest"),
            Error::InvalidUsername(_) => (400, "InvalidUsername"),
            Error::InvalidPassword(_) => (400, "InvalidPassword"),
            Error::UsernameTaken => (409, "UsernameTaken"),
            Error::RegistrationClosed => (403, "RegistrationClosed"),
            Error::MailDisabled => (403, "MailDisabled"),
            Error::InvalidInvitation => (403, "InvalidInvitation"),
            Error::InvalidSetupToken => (403, "InvalidSetupToken"),
            Error::SetupDone => (410, "SetupDone"),
            Error::LinkExpired => (410, "LinkExpired"),
            Error::TooManyInvitations => (409, "TooManyInvitations"),
            Error::TooManyAppPasswords => (409, "TooManyAppPasswords"),
            Error::InvalidAppPassword | Error::AppPasswordsThrottled { .. } => {
                (401, "InvalidAppPasswordError")
            }
            Error::AppPasswordNotAllowed => (403, "AppPasswordNotAllowedError"),
            Error::AudienceNotAllowed => (403, "AudienceNotAllowedError"),
            Error::Authentication => (401, "AuthenticationError"),
            Error::MissingToken | Error::MissingBearer => (401, "MissingToken"),
            Error::InvalidTokenHeader | Error::InvalidToken(_) => (401, "InvalidTokenHeader"),
            Error::MissingClaim(_) => (401, "MissingClaimError"),
            Error::ExpiredAccess(_) => (401, "ExpiredAccessError"),
            Error::ExpiredRefresh => (401, "ExpiredRefreshError"),
            Error::EarlyRefresh => (425, "EarlyRefreshError"),
            Error::MisusedRegistrationToken(_) => (401, "MisusedRegistrationToken"),
            Error::MisusedResetToken(_) => (401, "MisusedResetToken"),
            Error::InvalidRegistrationToken => (401, "InvalidRegistrationToken"),
            Error::InvalidResetToken => (401, "InvalidResetToken"),
            Error::MissingUser => (401, "MissingUserError"),
            Error::InactiveUser => (403, "InvalidUserError"),
            Error::Revoked => (403, "BlacklistedError"),
            Error::SessionEnded => (401, "SessionEndedError"),
            Error::SeveralSessions => (401, "SeveralSessionsError"),
            Error::InsecureCookie => (400, "InsecureCookie"),
            Error::AccessDenied(_) => (403, "AccessDeniedError"),
            Error::MissingRole(_) => (403, "MissingRoleError"),
            Error::WrongPassword => (403, "WrongPassword"),
            Error::SecondFactorRequired => (401, "SecondFactorRequired"),
            Error::SecondFactorOn => (409, "SecondFactorAlreadyOn"),
            Error::SecondFactorOff => (409, "SecondFactorNotOn"),
            Error::WrongOtp => (403, "WrongOtp"),
            Error::OtpRequired => (403, "OtpRequired"),
            Error::SecondFactorMissing => (403, "SecondFactorMissing"),
            Error::ReauthenticationRequired => (403, "ReauthenticationRequired"),
            Error::OriginNotAllowed => (403, "OriginNotAllowed"),
            Error::LastAdmin => (409, "LastAdmin"),
            Error::UserInactive => (409, "UserInactive"),
            Error::NotFound | Error::NoSuch(_) => (404, "NotFound"),
            Error::MethodNotAllowed { .. } => (405, "MethodNotAllowed"),
            Error::TooManyRequests { .. } => (429, "TooManyRequests"),
            Error::Unavailable(_) | Error::Damaged => (503, "Unavailable"),
            Error::Internal(_) => (500, "InternalError"),
        };
        ErrorKind { status, name }
    }

    /// The sentence for the client, without the cause of a fault.
    // Long: one line a variant.
    pub fn message(&self) -> String {
        match self {
            Error::BadRequest(why)
            | Error::InvalidUsername(why)
            | Error::InvalidPassword(why)
            | Error::AccessDenied(why) => why.clone(),
            Error::UsernameTaken => "The username is already taken".into(),
            Error::EmailTaken => "email: this address belongs to another user".into(),
            Error::RegistrationClosed => {
                "Registration is closed; ask the administrator for an account".into()
            }
            Error::MailDisabled => {
                "This server sends no mail (--mail, --public-url); an administrator can hand on a link \
                 or a code instead"
                    .into()
            }
            Error::InvalidInvitation => {
                "The invitation is wrong, used or expired; ask the administrator for another".into()
            }
            Error::InvalidSetupToken => {
                "The link is wrong, or from before a restart of the server; its log has the one that \
                 is good"
                    .into()
            }
            Error::SetupDone => "There is an administrator already".into(),
            Error::LinkExpired => "The link in this mail has expired; delete the mail".into(),
            Error::TooManyInvitations => {
                "There are too many open invitations; take some back first".into()
            }
            Error::TooManyAppPasswords => {
                "This account has as many app passwords as it may have; delete one first".into()
            }
            Error::InvalidAppPassword => {
                "The app password is wrong, deleted or expired, or of another user".into()
            }
            Error::AppPasswordsThrottled { wait } => {
                format!("Too many wrong app passwords; try again in {wait} s")
            }
            Error::AppPasswordNotAllowed => {
                "This app password may not be used for this: it is for other hosts, or not for the \
                 API, and it never changes anything"
                    .into()
            }
            Error::AudienceNotAllowed => {
                "This token is for some apps alone, and this needs one for all; log in again without \
                 audience"
                    .into()
            }
            Error::Authentication => "The username and/or password are incorrect".into(),
            Error::MissingToken => {
                "Could not find token in any of the given locations: ['header', 'cookie']".into()
            }
            Error::MissingBearer => "JWT token not found in headers under 'Authorization'".into(),
            Error::InvalidTokenHeader => "JWT header structure is invalid".into(),
            Error::InvalidToken(why) => format!("failed to decode JWT token -- {why}"),
            Error::MissingClaim("id") => "Token is missing id field".into(),
            Error::MissingClaim(claim) => format!("Token is missing {claim} claim"),
            Error::ExpiredAccess(purpose) => format!("{purpose} permission has expired"),
            Error::ExpiredRefresh => "refresh permission for token has expired".into(),
            Error::EarlyRefresh => {
                "access permission for token has not expired. may not refresh".into()
            }
            Error::MisusedRegistrationToken(purpose) => {
                format!("registration token used for {purpose}")
            }
            Error::MisusedResetToken(purpose) => {
                format!("password reset token used for {purpose}")
            }
            Error::InvalidRegistrationToken => {
                "invalid registration token used for verification".into()
            }
            Error::InvalidResetToken => "invalid reset token used for verification".into(),
            Error::MissingUser => "Could not find the requested user".into(),
            Error::InactiveUser => "The user is not valid or has had access revoked".into(),
            Error::Revoked => "Token has a blacklisted jti".into(),
            Error::SessionEnded => "The session has ended; log in again".into(),
            Error::SeveralSessions => {
                "The browser sends the cookies of several sessions; delete those of this site and log \
                 in again"
                    .into()
            }
            Error::InsecureCookie => {
                "A browser session needs HTTPS; ask the administrator to put a proxy with TLS in front"
                    .into()
            }
            Error::MissingRole(role) => {
                format!("This endpoint requires all the following roles: {role}")
            }
            Error::WrongPassword => "The current password is incorrect".into(),
            Error::SecondFactorRequired => {
                "A code of the second factor is needed as well; send it as otp".into()
            }
            Error::SecondFactorOn => "The account has a second factor; turn it off first".into(),
            Error::SecondFactorOff => {
                "There is no second factor, or none to confirm; POST begins one".into()
            }
            Error::WrongOtp => "The code is wrong, too old, or has been used".into(),
            Error::OtpRequired => {
                "A code of the second factor is needed for this; send it as otp".into()
            }
            Error::SecondFactorMissing => {
                "This account must have a second factor; set one up first".into()
            }
            Error::ReauthenticationRequired => {
                "The last login is too long ago for this; log in again".into()
            }
            Error::OriginNotAllowed => "Pages of this origin may not call this server".into(),
            Error::LastAdmin => "There must be another active administrator, who has set a password".into(),
            Error::UserInactive => "The user is not active; activate the account first".into(),
            Error::NotFound => "There is nothing here; the API is under /api/".into(),
            Error::NoSuch(what) => format!("There is no such {what}"),
            Error::MethodNotAllowed { allow } => {
                format!("This method is not allowed here; allowed: {allow}")
            }
            Error::TooManyRequests { wait } => {
                format!("Too many attempts; try again in {wait} s")
            }
            Error::Unavailable(_) => {
                "The database is not available at the moment; try again shortly".into()
            }
            Error::Damaged => {
                "The database is damaged: it is read, but nothing is written any more; the server's \
                 log says what to do"
                    .into()
            }
            Error::Internal(_) => "Something went wrong on the server; its log says what".into(),
        }
    }

    /// The cause of a fault, for the log; `None` if the error is no fault.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Error::Unavailable(cause) | Error::Internal(cause) => Some(&cause.text),
            _ => None,
        }
    }

    /// The level at which a fault is logged: a warning is not repeated for every request that fails
    /// for the same reason, such as a database that is down.
    pub(crate) fn level(&self) -> log::Level {
        match self {
            Error::Unavailable(Cause { logged: true, .. }) => log::Level::Debug,
            _ => log::Level::Error,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cause() {
            Some(cause) => f.write_str(cause),
            None => f.write_str(&self.message()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Unavailable(cause) | Error::Internal(cause) => source(&cause.source),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::error::Error as _;
    use std::io;
    use std::path::Path;

    use super::*;

    /// The errors in a source file of the crate: a status and a name after each parenthesis.
    pub(crate) fn named_in(file: &str) -> Vec<(String, String)> {
        let text = read(file);
        let errors = text.split('(').skip(1).filter_map(|part| {
            let (status, rest) = part.trim_start().split_once(',')?;
            let name = rest.trim_start().strip_prefix('"')?.split_once('"')?.0;
            let is_status = status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit());
            is_status.then(|| (status.to_owned(), name.to_owned()))
        });
        errors.collect()
    }

    fn read(file: &str) -> String {
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap()
    }

    #[test]
    fn every_error_is_in_the_documentation() {
        let page = read("docs/endpoints.md");
        let errors = [named_in("src/error.rs"), named_in("engine/src/http/refusal.rs")].concat();
        assert!(errors.len() > 40, "{errors:?}");
        for (status, name) in &errors {
            let row = format!("| `{name}` | {status} |");
            assert!(page.contains(&row), "docs/endpoints.md has no row {row}");
        }
        for line in page.lines().filter(|line| line.starts_with("| `")) {
            let mut cells = line.split(" | ").map(|cell| cell.trim_matches(['|', '`', ' ']));
            let (name, status) = (cells.next().unwrap(), cells.next().unwrap());
            if status.len() == 3 && status.bytes().all(|b| b.is_ascii_digit()) {
                let row = (status.to_owned(), name.to_owned());
                assert!(errors.contains(&row), "docs/endpoints.md has a row of no error: {line}");
            }
        }
    }

    #[test]
    fn a_problem_keeps_the_error_that_it_comes_from() {
        let problem = Problem::new("cannot open it", "make it");
        assert!(problem.source().is_none());
        let with_source = problem.clone().with_source(io::Error::other("no disk"));
        assert_eq!(with_source.source().unwrap().to_string(), "no disk");
        assert_eq!(with_source, problem);
        assert_eq!(with_source.to_string(), "cannot open it\nmake it");
        assert_eq!(format!("{with_source:?}"), "cannot open it\nmake it");
    }
}
