"""A table like that of differences.py, for the later app with its mails.

A name is the name of a probe in probes_mail.py, or the title of a scenario, a
colon and the step.
"""

from differences import by_name, each

BOTH = ["registration", "reset"]
RESET_BODIES = "a reset with wrong bodies:"
INACTIVE = "a user who is deactivated:"

REASONS = [
    (
        "every answer is JSON, where Flask makes an HTML page of errors that are not flask-praetorian's",
        {
            **each(BOTH, ["not JSON", "cut JSON", "two JSON values"], "400 BadRequest"),
            **each(BOTH, ["empty body", "no body", "not UTF-8"], "400 BadRequest"),
            **each([RESET_BODIES], ["no body", "empty body", "not JSON", "not UTF-8"], "400 BadRequest"),
            **each(["404"], ["slash after finalize"], "404 NotFound"),
            **each(["405"], ["finalize", "reset", "reset_finalize"], "405 MethodNotAllowed"),
        },
    ),
    (
        "what the client did wrong is a 400 that says so, where Flask breaks with 500",
        {
            **each(BOTH, ["body null", "body array", "body string"], "400 BadRequest"),
            **each(BOTH, ["deep nesting", "array email", "object email"], "400 BadRequest"),
            **each(["registration"], ["lone surrogate", "no password", "null password"], "400 BadRequest"),
            **each([RESET_BODIES], ["body null", "body array"], "400 BadRequest"),
            **each([RESET_BODIES], ["no password", "null password", "number password"], "400 BadRequest"),
            **each([RESET_BODIES], ["array password"], "400 BadRequest"),
        },
    ),
    (
        "a field that is missing or no string is a fault of the client, where Flask takes it for a value",
        {
            **each(["registration"], ["no username", "number username"], "400 BadRequest"),
            **each(BOTH, ["no email", "null email", "number email", "true email"], "400 BadRequest"),
            **each(["reset"], ["field username", "lone surrogate"], "400 BadRequest"),
        },
    ),
    (
        "mail goes to one address, where Flask says that it was sent and lets the mail server find out",
        {
            **each(BOTH, ["empty email", "email too long"], "400 BadRequest"),
            **each(["registration email"], ["without at", "with nobody before the at"], "400 BadRequest"),
            **each(["registration email"], ["with a space", "with a name"], "400 BadRequest"),
            **each(["registration email"], ["with two addresses", "with line feed and header"], "400 BadRequest"),
            **each(["reset"], ["username", "space before", "line feed and header"], "400 BadRequest"),
        },
    ),
    (
        "names and passwords follow RFC 8265 and NIST SP 800-63B-4, where Flask takes anything",
        {
            **each(["registration"], ["empty username"], "400 InvalidUsername"),
            **each(["registration"], ["empty password", "short password"], "400 InvalidPassword"),
            **each([RESET_BODIES], ["empty password", "short password"], "400 InvalidPassword"),
            **each([RESET_BODIES], ["password too long"], "400 InvalidPassword"),
        },
    ),
    (
        "a name is one person's in whatever case it is written",
        {"a name that is taken: name in other case": "409 UsernameTaken"},
    ),
    (
        "no answer tells whether an account has the address, where the tutorial says 404 for unknown and 403 for inactive",
        {
            **each(["reset"], ["unknown", "inactive user", "deleted user"], "200 message"),
            "a registration is confirmed: reset before": "200 message",
            f"{INACTIVE} reset": "200 message",
            "a user who is gone: asked for a reset": "200 message",
            "addresses that have no account: reset": "200 message",
            "a name that is taken: who has the other address": "200 message",
        },
    ),
    (
        "nor does a registration tell it: the owner of the address gets a mail, where the tutorial says 303",
        {
            "an address that is taken: registered": "201 message",
            # Flask has no such user; lictor has one that is never confirmed.
            "an address that is taken: log in as the other": "403 InvalidUserError",
        },
    ),
    (
        "an address is one person's in whatever case it is written",
        {"addresses that have no account: reset in other case": "200 message"},
    ),
    (
        "an address that was confirmed is a name to log in with",
        {"a registration is confirmed: log in by address": "200 access_token"},
    ),
    (
        "a mailed token works once, where Flask takes it until it is over",
        {
            "a registration is confirmed: confirmed again": "401 InvalidRegistrationToken",
            "a forgotten password: done again": "401 InvalidResetToken",
            "a forgotten password: password of the first time": "200 access_token",
        },
    ),
    (
        "another password voids the reset tokens that are under way, where a mail that was found later sets one more",
        {"two reset tokens: first, after the password has changed": "401 InvalidResetToken"},
    ),
    (
        "another password ends the sessions, where with Flask whoever stole a token keeps it",
        {"a forgotten password: older access token": "403 BlacklistedError"},
    ),
    (
        "deactivation voids what was mailed, where Flask's registration token makes the user active again",
        {
            f"{INACTIVE} token from before, active again": "401 InvalidResetToken",
            f"{INACTIVE} registration token": "401 InvalidRegistrationToken",
            f"{INACTIVE} log in after it": "401 AuthenticationError",
            "somebody deactivated before confirming: confirmed": "401 InvalidRegistrationToken",
        },
    ),
    (
        "so does activation by somebody else, where Flask's registration token still logs in whoever got the mail",
        {"somebody activated before confirming: confirmed": "401 InvalidRegistrationToken"},
    ),
    (
        "a reset that is refused changes nothing, where Flask has set the password before it says 403",
        {f"{INACTIVE} password of the refused reset": "401 AuthenticationError"},
    ),
    (
        "a mailed token must be one that this server handed out, where Flask takes any that is signed",
        {
            **each(["finalize"], ["good", "is_ert false"], "401 InvalidRegistrationToken"),
            **each(["finalize"], ["missing iat", "missing rls"], "401 InvalidRegistrationToken"),
        },
    ),
    (
        "whose user is gone is told by that name, where Flask has only its most general error for it",
        {
            **each(["finalize"], ["user deleted", "user unknown"], "401 MissingUserError"),
            **each(["a user who is gone:"], ["confirmed", "reset"], "401 MissingUserError"),
        },
    ),
    (
        "an id is never given twice, where Flask's next user has it, and the deleted one's mails with it",
        {
            **each(["an id that comes again:"], ["confirmed", "reset"], "401 MissingUserError"),
            "an id that comes again: log in": "200 access_token",
        },
    ),
    (
        "a claim of the wrong type is no token of ours, where Flask breaks with 500 or looks for such a user",
        each(["finalize"], ["exp string", "id string", "id null"], "401 InvalidTokenHeader"),
    ),
    (
        "the header is `Bearer`, space, token, and nothing else",
        each(["finalize header Bearer,"], ["no space", "trailing word"], "401 InvalidTokenHeader"),
    ),
    (
        "the scheme's name is case-insensitive (RFC 9110 section 11.1), so here the token is read, and not handed out",
        {"finalize header bearer in lower case": "401 InvalidRegistrationToken"},
    ),
]

DIFFERENCES = by_name(REASONS)
