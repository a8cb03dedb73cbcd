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
        "every answer is JSON; Flask sends an HTML page for errors that are not flask-praetorian's",
        {
            **each(BOTH, ["not JSON", "cut JSON", "two JSON values"], "400 BadRequest"),
            **each(BOTH, ["empty body", "no body", "not UTF-8"], "400 BadRequest"),
            **each(["404"], ["nothing", "nothing by POST", "slash at the end"], "404 NotFound"),
            **each(["405"], ["login", "refresh", "protected", "registration", "home"], "405 MethodNotAllowed"),
        },
    ),
    (
        "redirects are relative, because behind a proxy the server does not know its public URL",
        {"home without slash": "308 /api/", "home without slash, with query": "308 /api/?a=1&b=2"},
    ),
    (
        "a malformed request answers 400 with its fault; Flask fails with 500",
        {
            **each(BOTH, ["body null", "body array", "body string"], "400 BadRequest"),
            **each(BOTH, ["lone surrogate", "deep nesting"], "400 BadRequest"),
            **each(BOTH, ["no password", "null password", "number password"], "400 BadRequest"),
            **each(["login"], ["array username", "object password"], "400 BadRequest"),
        },
    ),
    (
        "a username that is missing or not a string answers 400; it is neither a wrong password nor a name",
        {
            **each(BOTH, ["no username", "null username", "number username"], "400 BadRequest"),
            **each(["login"], ["no fields", "true username"], "400 BadRequest"),
        },
    ),
    (
        "names and passwords follow RFC 8265 and NIST SP 800-63B-4; Flask accepts anything",
        {
            **each(["registration"], ["empty username", "username of 65"], "400 InvalidUsername"),
            **each(["registration"], ["control character in username"], "400 InvalidUsername"),
            **each(["registration"], ["empty password", "short password"], "400 InvalidPassword"),
            **each(["registration"], ["password too long"], "400 InvalidPassword"),
        },
    ),
    (
        "names are case-insensitive: one name belongs to one user",
        {
            "registration duplicate in other case": "409 UsernameTaken",
            "login username in other case": "200 access_token",
        },
    ),
    (
        "the whole password counts; passlib ignores everything after a NUL",
        {"login password and NUL": "401 AuthenticationError"},
    ),
    (
        "a deactivation counts at once; with Flask a deactivated user's token stays valid",
        {"protected user inactive": "403 InvalidUserError"},
    ),
    (
        "every endpoint answers MissingUserError for a deleted user; Flask does so only on refresh",
        each(["protected"], ["user deleted", "user unknown", "id 0"], "401 MissingUserError"),
    ),
    (
        "a token must have `iat`, which sessions need; all tokens of flask-praetorian have it",
        each(["protected", "refresh"], ["missing iat"], "401 MissingClaimError"),
    ),
    (
        "a reset token works once and must have a row in the database; Flask accepts any signed one",
        each(["reset"], ["good", "missing iat", "missing rls"], "401 InvalidResetToken"),
    ),
    (
        "a token of a deleted user answers MissingUserError; Flask answers its most general error",
        each(["reset"], ["user deleted", "user unknown"], "401 MissingUserError"),
    ),
    (
        "a claim of the wrong type is refused; Flask fails with 500 or accepts it",
        {
            **each(["protected", "refresh"], ["exp string", "rf_exp string"], "401 InvalidTokenHeader"),
            **each(["protected", "refresh"], ["id null"], "401 InvalidTokenHeader"),
            **each(["protected"], ["id string", "id huge"], "401 InvalidTokenHeader"),
        },
    ),
    (
        "`iat` and `nbf` may be up to a minute ahead, because the clocks of two machines differ",
        {
            "iat is a minute ahead: access": "200 message",
            "nbf is a minute ahead: access": "200 message",
        },
    ),
    (
        "a `kid` selects the key of the ring; flask-praetorian writes none, and PyJWT ignores it",
        each(["protected"], ["with kid"], "401 InvalidTokenHeader"),
    ),
    (
        "the header must be exactly `Bearer`, a space, and the token",
        each(["protected header Bearer,"], ["no space", "trailing word"], "401 InvalidTokenHeader"),
    ),
    (
        "the scheme's name is case-insensitive (RFC 9110 section 11.1)",
        {"protected header bearer in lower case": "200 message"},
    ),
    (
        "refresh accepts the token in the header too, like every other endpoint",
        {"refresh token in header": "200 access_token"},
    ),
    (
        "refresh accepts a JSON string: clients that are generated from docs/openapi.json send that",
        {"refresh as a JSON string": "200 access_token"},
    ),
    (
        "a new token has only lictor's claims; refresh drops claims that the app added",
        {"refresh expired, claim of the app": "200 access_token"},
    ),
]


def by_name(reasons):
    return {name: (reason, answer) for reason, rows in reasons for name, answer in rows.items()}


DIFFERENCES = by_name(REASONS)
