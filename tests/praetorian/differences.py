"""A table of the answers in which lictor differs from flask-praetorian, with reasons.

The test fails if lictor answers anything else than its row says, and also if a
difference has disappeared. An answer is its status and the name of the error,
the target of the redirect, or the keys of the body.
"""

# After this text, a message has the words of PyJWT, which change between versions.
PYJWT_DETAIL = " -- "


def each(prefixes, names, answer):
    return {f"{prefix} {name}": answer for prefix in prefixes for name in names}


BOTH = ["login", "registration"]

REASONS = [
    (
        "every answer is JSON, where Flask makes an HTML page of errors that are not flask-praetorian's",
        {
            **each(BOTH, ["not JSON", "cut JSON", "two JSON values"], "400 BadRequest"),
            **each(BOTH, ["empty body", "no body", "not UTF-8"], "400 BadRequest"),
            **each(["404"], ["nothing", "nothing by POST", "slash at the end"], "404 NotFound"),
            **each(["405"], ["login", "refresh", "protected", "registration", "home"], "405 MethodNotAllowed"),
        },
    ),
    (
        "a redirect is relative, because behind a proxy the server does not know its own address",
        {"home without slash": "308 /api/", "home without slash, with query": "308 /api/?a=1&b=2"},
    ),
    (
        "what the client did wrong is a 400 that says so, where Flask breaks with 500",
        {
            **each(BOTH, ["body null", "body array", "body string"], "400 BadRequest"),
            **each(BOTH, ["lone surrogate", "deep nesting"], "400 BadRequest"),
            **each(BOTH, ["no password", "null password", "number password"], "400 BadRequest"),
            **each(["login"], ["array username", "object password"], "400 BadRequest"),
        },
    ),
    (
        "a username that is missing or no string is a fault of the client, neither a wrong password nor a name",
        {
            **each(BOTH, ["no username", "null username", "number username"], "400 BadRequest"),
            **each(["login"], ["no fields", "true username"], "400 BadRequest"),
        },
    ),
    (
        "names and passwords follow RFC 8265 and NIST SP 800-63B-4, where Flask takes anything",
        {
            **each(["registration"], ["empty username", "username of 65"], "400 InvalidUsername"),
            **each(["registration"], ["control character in username"], "400 InvalidUsername"),
            **each(["registration"], ["empty password", "short password"], "400 InvalidPassword"),
            **each(["registration"], ["password too long"], "400 InvalidPassword"),
        },
    ),
    (
        "a name is one person's in whatever case it is written",
        {
            "registration duplicate in other case": "409 UsernameTaken",
            "login username in other case": "200 access_token",
        },
    ),
    (
        "the whole password counts, where passlib leaves out what follows a NUL",
        {"login password and NUL": "401 AuthenticationError"},
    ),
    (
        "a deactivated user is out at once, where Flask lets in whoever still holds a token",
        {"protected user inactive": "403 InvalidUserError"},
    ),
    (
        "a user who is gone has an error of that name on every endpoint, where Flask has it on refresh only",
        each(["protected"], ["user deleted", "user unknown", "id 0"], "401 MissingUserError"),
    ),
    (
        "a token must say when it was issued, as all of flask-praetorian's do: sessions go by it",
        each(["protected", "refresh"], ["missing iat"], "401 MissingClaimError"),
    ),
    (
        "a reset token works once, so it must be one that this server handed out, where Flask takes any that is signed",
        each(["reset"], ["good", "missing iat", "missing rls"], "401 InvalidResetToken"),
    ),
    (
        "whose user is gone is told by that name, where Flask has only its most general error for it",
        each(["reset"], ["user deleted", "user unknown"], "401 MissingUserError"),
    ),
    (
        "a claim of the wrong type is no token of ours, where Flask breaks with 500 or takes it",
        {
            **each(["protected", "refresh"], ["exp string", "rf_exp string"], "401 InvalidTokenHeader"),
            **each(["protected", "refresh"], ["id null"], "401 InvalidTokenHeader"),
            **each(["protected"], ["id string", "id huge"], "401 InvalidTokenHeader"),
        },
    ),
    (
        "two machines' clocks differ, so `iat` and `nbf` may lie up to a minute ahead",
        {
            "iat is a minute ahead: access": "200 message",
            "nbf is a minute ahead: access": "200 message",
        },
    ),
    (
        "a `kid` says which key of the ring a token is from; flask-praetorian writes none, and PyJWT ignores it",
        each(["protected"], ["with kid"], "401 InvalidTokenHeader"),
    ),
    (
        "the header is `Bearer`, space, token, and nothing else",
        each(["protected header Bearer,"], ["no space", "trailing word"], "401 InvalidTokenHeader"),
    ),
    (
        "the scheme's name is case-insensitive (RFC 9110 section 11.1)",
        {"protected header bearer in lower case": "200 message"},
    ),
    (
        "refresh takes the token from the header as well, as every other endpoint does",
        {"refresh token in header": "200 access_token"},
    ),
    (
        "a token holds lictor's claims only: claims that the app added are not carried along by refresh",
        {"refresh expired, claim of the app": "200 access_token"},
    ),
]


def by_name(reasons):
    return {name: (reason, answer) for reason, rows in reasons for name, answer in rows.items()}


DIFFERENCES = by_name(REASONS)
