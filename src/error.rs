//! What can go wrong between a request and its answer, and how each thing looks from outside.
//!
//! Variants say what happened; [`Error::kind`] alone maps them to a status and a stable name.
//! The client gets the name and a sentence, the log gets the cause. Knows nothing of sockets,
//! SQL or tokens.

use std::fmt;

/// Why a request, or a command, did not succeed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The body or a field of it is not what the endpoint takes; says which field and why.
    BadRequest(String),
    /// The name cannot be used; says why.
    InvalidUsername(String),
    /// The password cannot be used; says why.
    InvalidPassword(String),
    /// The name belongs to somebody else.
    UsernameTaken,
    /// The server does not take registrations.
    RegistrationClosed,
    /// The server sends no mail.
    MailDisabled,
    /// The invitation is wrong, used, taken back or expired: which of these is not told.
    InvalidInvitation,
    /// So many invitations are open that no other can be made.
    TooManyInvitations,
    /// Unknown name or wrong password: which of the two is not told.
    Authentication,
    /// Neither the `Authorization` header nor the `access_token` cookie holds a token.
    MissingToken,
    /// The `Authorization` header, which alone counts here, holds no token.
    MissingBearer,
    /// The `Authorization` header is not `Bearer <token>`.
    InvalidTokenHeader,
    /// The token is not well-formed, or not signed by us; says what is wrong with it.
    InvalidToken(&'static str),
    /// The token lacks a claim; says which.
    MissingClaim(&'static str),
    /// The token's time is over; says for what.
    ExpiredAccess(&'static str),
    /// The token can no longer be refreshed.
    ExpiredRefresh,
    /// The access token is still good: it is too early to refresh it.
    EarlyRefresh,
    /// A registration token was used for something else; says for what.
    MisusedRegistrationToken(&'static str),
    /// A password reset token was used for something else; says for what.
    MisusedResetToken(&'static str),
    /// Another token was used where one that confirms a registration belongs.
    InvalidRegistrationToken,
    /// Another token was used where one that resets a password belongs.
    InvalidResetToken,
    /// The token's user no longer exists.
    MissingUser,
    /// The user exists but is not active.
    InactiveUser,
    /// The token's session has ended, or never was.
    Revoked,
    /// The user lacks a role; says which are needed, joined by commas.
    MissingRole(String),
    /// Somebody who is logged in gave a wrong password.
    WrongPassword,
    /// The password is right, and a code of the second factor must come with it.
    SecondFactorRequired,
    /// The user has a second factor already.
    SecondFactorOn,
    /// The user has no second factor, or none to confirm.
    SecondFactorOff,
    /// Somebody who is logged in gave a wrong code, or one that was used before.
    WrongOtp,
    /// Somebody who is logged in gave no code of the second factor where it is needed.
    OtpRequired,
    /// The user must have a second factor, and can do nothing else before it is set up.
    SecondFactorMissing,
    /// The last login is too long ago for this.
    ReauthenticationRequired,
    /// A page of an origin that may not call asks for something that costs a hash or a write.
    OriginNotAllowed,
    /// No active administrator would be left.
    LastAdmin,
    /// An administrator wants for a user what only an active one can have.
    UserInactive,
    /// No endpoint has this path.
    NotFound,
    /// The path's endpoint knows nothing of this name; says what it is that is not there.
    NoSuch(&'static str),
    /// The path has an endpoint, but not for this method; `allow` lists those it has.
    MethodNotAllowed {
        /// The value of the `Allow` header.
        allow: String,
    },
    /// Too much was tried; another try is possible in so many seconds.
    TooManyRequests {
        /// The value of the `Retry-After` header.
        wait: u32,
    },
    /// The store cannot answer now (locked, disk full); trying again later may work.
    Unavailable(String),
    /// A fault of ours or of the machine.
    Internal(String),
}

/// How an [`Error`] looks to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorKind {
    /// HTTP status.
    pub status: u16,
    /// The stable name in the `error` field.
    pub name: &'static str,
}

impl Error {
    /// The one place where an error becomes a status and a name.
    pub fn kind(&self) -> ErrorKind {
        let (status, name) = match self {
            Error::BadRequest(_) => (400, "BadRequest"),
            Error::InvalidUsername(_) => (400, "InvalidUsername"),
            Error::InvalidPassword(_) => (400, "InvalidPassword"),
            Error::UsernameTaken => (409, "UsernameTaken"),
            Error::RegistrationClosed => (403, "RegistrationClosed"),
            Error::MailDisabled => (403, "MailDisabled"),
            Error::InvalidInvitation => (403, "InvalidInvitation"),
            Error::TooManyInvitations => (409, "TooManyInvitations"),
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
            Error::Unavailable(_) => (503, "Unavailable"),
            Error::Internal(_) => (500, "InternalError"),
        };
        ErrorKind { status, name }
    }

    /// The sentence for the client. Causes of our own faults are not in it.
    pub fn message(&self) -> String {
        match self {
            Error::BadRequest(why) | Error::InvalidUsername(why) | Error::InvalidPassword(why) => {
                why.clone()
            }
            Error::UsernameTaken => "The username is already taken".into(),
            Error::RegistrationClosed => {
                "Registration is closed; ask the administrator for an account".into()
            }
            Error::MailDisabled => {
                "This server sends no mail; ask the administrator for a link to set a new password"
                    .into()
            }
            Error::InvalidInvitation => {
                "The invitation is wrong, used or expired; ask the administrator for another".into()
            }
            Error::TooManyInvitations => {
                "There are too many open invitations; take some back first".into()
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
            Error::LastAdmin => "There must be an active administrator besides this one".into(),
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
            Error::Internal(_) => "Something went wrong on the server; its log says what".into(),
        }
    }

    /// What the log should say about a fault that the client is not told, if this is one.
    pub fn cause(&self) -> Option<&str> {
        match self {
            Error::Unavailable(cause) | Error::Internal(cause) => Some(cause),
            _ => None,
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

impl std::error::Error for Error {}

/// Why the program cannot start or a command cannot run: one lower-case line that names the
/// thing, and a line with the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub what: String,
    /// What to do about it.
    pub next: String,
    /// It was asked for wrongly, so that trying again cannot help: exit code 2 instead of 1.
    pub usage: bool,
}

impl Problem {
    /// A problem with its next step.
    pub fn new(what: impl Into<String>, next: impl Into<String>) -> Problem {
        Problem { what: what.into(), next: next.into(), usage: false }
    }

    /// A setting that cannot be.
    pub fn usage(what: impl Into<String>, next: impl Into<String>) -> Problem {
        Problem { usage: true, ..Problem::new(what, next) }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}", self.what, self.next)
    }
}

impl std::error::Error for Problem {}
