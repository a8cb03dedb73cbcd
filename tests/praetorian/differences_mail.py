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
        "every answer is JSON; Flask sends an HTML page for errors that are not flask-praetorian's",
        {
            **each(BOTH, ["not JSON", "cut JSON", "two JSON values"], "400 BadRequest"),
            **each(BOTH, ["empty body", "no body", "not UTF-8"], "400 BadRequest"),
            **each([RESET_BODIES], ["no body", "empty body", "not JSON", "not UTF-8"], "400 BadRequest"),
            **each(["404"], ["slash after finalize"], "404 NotFound"),
            **each(["405"], ["finalize", "reset"], "405 MethodNotAllowed"),
        },
    ),
    (
        "a page can ask whose link it has before it uses the token; Flask knows no such question",
        {
            **each(["405"], ["reset_finalize"], "401 MissingToken"),
        },
    ),
    (
        "a malformed request answers 400 with its fault; Flask fails with 500",
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
        "a field that is missing or not a string answers 400; Flask uses it as a value",
        {
            **each(["registration"], ["no username", "number username"], "400 BadRequest"),
            **each(BOTH, ["no email", "null email", "number email", "true email"], "400 BadRequest"),
            **each(["reset"], ["field username", "lone surrogate"], "400 BadRequest"),
        },
    ),
    (
        "a mail has one valid recipient; Flask reports success for any text",
        {
            **each(BOTH, ["empty email", "email too long"], "400 BadRequest"),
            **each(["registration email"], ["without at", "with nobody before the at"], "400 BadRequest"),
            **each(["registration email"], ["with a space", "with a name"], "400 BadRequest"),
            **each(["registration email"], ["with two addresses", "with line feed and header"], "400 BadRequest"),
            **each(["reset"], ["username", "space before", "line feed and header"], "400 BadRequest"),
        },
    ),
    (
        "names and passwords follow RFC 8265 and NIST SP 800-63B-4; Flask accepts anything",
        {
            **each(["registration"], ["empty username"], "400 InvalidUsername"),
            **each(["registration"], ["empty password", "short password"], "400 InvalidPassword"),
            **each([RESET_BODIES], ["empty password", "short password"], "400 InvalidPassword"),
            **each([RESET_BODIES], ["password too long"], "400 InvalidPassword"),
        },
    ),
    (
        "names are case-insensitive: one name belongs to one user",
        {"a name that is taken: name in other case": "409 UsernameTaken"},
    ),
    (
        "no answer reveals whether an account has the e-mail address; the tutorial's app answers 404 for unknown and 403 for inactive",
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
        "a registration does not reveal it either, but mails the owner of the e-mail address; the tutorial's app answers 303",
        {
            "an address that is taken: registered": "201 message",
            # Flask has no such user; lictor has one that is never confirmed.
            "an address that is taken: log in as the other": "403 InvalidUserError",
        },
    ),
    (
        "e-mail addresses are case-insensitive: one address belongs to one user",
        {"addresses that have no account: reset in other case": "200 message"},
    ),
    (
        "a confirmed e-mail address works as the username",
        {"a registration is confirmed: log in by address": "200 access_token"},
    ),
    (
        "a mailed token works once; Flask accepts it until it expires",
        {
            "a registration is confirmed: confirmed again": "401 InvalidRegistrationToken",
            "a forgotten password: done again": "401 InvalidResetToken",
            "a forgotten password: password of the first time": "200 access_token",
        },
    ),
    (
        "a new password voids open reset tokens; with Flask an old mail can set another one",
        {"two reset tokens: first, after the password has changed": "401 InvalidResetToken"},
    ),
    (
        "a new password ends the sessions; with Flask a stolen token stays valid",
        {"a forgotten password: older access token": "403 BlacklistedError"},
    ),
    (
        "a deactivation voids mailed tokens; Flask's registration token activates the user again",
        {
            f"{INACTIVE} token from before, active again": "401 InvalidResetToken",
            f"{INACTIVE} registration token": "401 InvalidRegistrationToken",
            f"{INACTIVE} log in after it": "401 AuthenticationError",
            "somebody deactivated before confirming: confirmed": "401 InvalidRegistrationToken",
        },
    ),
    (
        "an activation by an administrator voids them too; Flask's registration token still logs in its holder",
        {"somebody activated before confirming: confirmed": "401 InvalidRegistrationToken"},
    ),
    (
        "a refused reset changes nothing; Flask sets the password before it answers 403",
        {f"{INACTIVE} password of the refused reset": "401 AuthenticationError"},
    ),
    (
        "a mailed token must have a row in the database; Flask accepts any signed one",
        {
            **each(["finalize"], ["good", "is_ert false"], "401 InvalidRegistrationToken"),
            **each(["finalize"], ["missing iat", "missing rls"], "401 InvalidRegistrationToken"),
        },
    ),
    (
        "a token of a deleted user answers MissingUserError; Flask answers its most general error",
        {
            **each(["finalize"], ["user deleted", "user unknown"], "401 MissingUserError"),
            **each(["a user who is gone:"], ["confirmed", "reset"], "401 MissingUserError"),
        },
    ),
    (
        "an id is never reused; Flask's next user gets it, and with it the mails of the deleted user",
        {
            **each(["an id that comes again:"], ["confirmed", "reset"], "401 MissingUserError"),
            "an id that comes again: log in": "200 access_token",
        },
    ),
    (
        "a claim of the wrong type is refused; Flask fails with 500 or looks for such a user",
        each(["finalize"], ["exp string", "id string", "id null"], "401 InvalidTokenHeader"),
    ),
    (
        "the header must be exactly `Bearer`, a space, and the token",
        each(["finalize header Bearer,"], ["no space", "trailing word"], "401 InvalidTokenHeader"),
    ),
    (
        "the scheme's name is case-insensitive (RFC 9110 section 11.1), so the token is read; it has no row",
        {"finalize header bearer in lower case": "401 InvalidRegistrationToken"},
    ),
]

DIFFERENCES = by_name(REASONS)

# Methods that Flask does not know: a page asks whose link it has.
ALSO_ALLOWED = {"/api/reset_finalize": {"GET", "HEAD"}}
