"""Puts what is good into a request right before it is sent: who calls, and in a part of the requests that the
document allows also names, passwords, codes and ids that there are. Without them, hardly any generated
request would get further than "wrong password" and "not found".
"""

from schemathesis.generation.meta import TestPhase

from server import PASSWORD
from world import Refused, bearer

# What stands for a credential until the request is sent.
MARK = "good-"

# The account that an operation is called with; all others with `user`, those of administrators with `admin`.
KINDS = {
    "confirmSecondFactor": "begun",
    "removeSecondFactor": "factor",
    "replaceRecoveryCodes": "factor",
}


def kind_of(operation):
    if "Administration" in operation["tags"]:
        return "admin"
    return KINDS.get(operation["operationId"], "user")


# Who calls


def show(world, case, operation):
    """Replaces the mark by a credential; returns the person who is shown, if it is one."""
    for container in (case.headers, case.cookies):
        for name, value in list((container or {}).items()):
            if isinstance(value, str) and value.startswith(MARK):
                return WAYS[value.removeprefix(MARK)](world, case, operation, container, name)
    return None


def by_token(world, case, operation, container, name):
    person = world.person(kind_of(operation))
    container[name] = bearer(person)["Authorization"]
    return person


def by_mailed_token(world, case, operation, container, name):
    kind = "reset" if "reset" in case.path else "confirmation"
    container[name] = f"Bearer {world.mailed_token(kind)}"


def by_token_in_a_cookie(world, case, operation, container, name):
    person = world.person(kind_of(operation))
    container[name] = person.token
    return person


def by_cookie(world, case, operation, container, name):
    person = world.person(kind_of(operation))
    container[name] = world.cookie(person, name)
    return person


def by_app_password(world, case, operation, container, name):
    person = world.person(kind_of(operation))
    try:
        container[name] = world.basic(person)
    except Refused:  # nobody can have one here
        container[name] = bearer(person)["Authorization"]
    return person


WAYS = {
    "bearer": by_token,
    "mailedToken": by_mailed_token,
    "accessTokenCookie": by_token_in_a_cookie,
    "sessionCookie": by_cookie,
    "appPassword": by_app_password,
}


# What can succeed


def make_good(world, case, operation, person):
    """Replaces what the document allows by what there is. `person` is None if nobody is shown."""
    # A link has brought what it takes.
    follows_links = case.meta is None or case.meta.phase.name == TestPhase.STATEFUL
    try:
        if "{" in case.path and not follows_links:
            name_what_there_is(world, case, person)
        change = BODIES.get(operation["operationId"])
        if change is not None:
            case.body = change(world, case.body if isinstance(case.body, dict) else {}, person)
        if operation["operationId"] == "refresh" and person is None and not follows_links:
            case.body = world.person("user").token
        if operation["operationId"] in ASKED_BY_PROXIES:
            ask_as_a_proxy(case)
    except Refused:
        pass  # what was made up stays


def name_what_there_is(world, case, person):
    """Puts ids into the path that there are."""
    ids = next(ids for beginning, ids in IDS if case.path.startswith(beginning))
    known = ids(world, person, case.path)
    case.path_parameters = {name: known.get(name, value) for name, value in case.path_parameters.items()}


def ask_as_a_proxy(case):
    """Says which page somebody wants: one of those that access.txt has a rule for."""
    host, path = PAGES[len(repr(case.query)) % len(PAGES)]
    for name in [name for name in case.headers if name.lower().startswith(("x-forwarded-", "x-original-"))]:
        del case.headers[name]
    case.headers["X-Forwarded-Method"], case.headers["X-Forwarded-Proto"] = "GET", "https"
    case.headers["X-Forwarded-Host"], case.headers["X-Forwarded-Uri"] = host, path


def user_id(world, person, path):
    victim = world.person("factor" if path.endswith("/second-factor") else "victim")
    session = world.ask("GET", "/api/sessions", **bearer(victim))["sessions"][0]["id"]
    return {"id": world.number_of(victim), "session": session}


def session_id(world, person, path):
    return {"id": world.ask("GET", "/api/sessions", **bearer(person))["sessions"][0]["id"]}


def app_password_id(world, person, path):
    return {"id": world.ask("POST", "/api/app-passwords", {"name": "goes"}, **bearer(person))["id"]}


def invitation_id(world, person, path):
    return {"id": world.ask("POST", "/api/admin/invitations", {}, **bearer(person))["id"]}


def mail_id(world, person, path):
    waiting = world.ask("GET", "/api/admin/mails", **bearer(person))["mails"]
    return {"id": waiting[0]["id"]} if waiting else {}


def test_mail_id(world, person, path):
    return {"id": world.ask("POST", "/api/admin/test-mail", {"email": "test@example.org"}, **bearer(person))["id"]}


ASKED_BY_PROXIES = {"verify", "forwardAuth"}
PAGES = [
    ("cal.example.org", "/"),
    ("wiki.example.org", "/public/a"),
    ("cal.example.org", "/b?c=d"),
    ("wiki.example.org", "/"),
]

# The first that fits counts.
IDS = [
    ("/api/admin/users/", user_id),
    ("/api/admin/invitations/", invitation_id),
    ("/api/admin/mails/", mail_id),
    ("/api/admin/test-mail/", test_mail_id),
    ("/api/sessions/", session_id),
    ("/api/app-passwords/", app_password_id),
]


def log_in(world, body, person):
    return {**body, **app_of(body), "username": world.person("user").name, "password": PASSWORD}


def app_of(body):
    """One of the audiences that check.py gives to the server, if the request is for one."""
    return {"audience": "shop"} if body.get("audience") else {}


def open_session(world, body, person):
    # With a token, there is nothing else to say.
    if person is not None:
        return {key: value for key, value in body.items() if key == "remember"}
    return log_in(world, body, person)


def register(world, body, person):
    name = world.fresh("new")
    body = {**body, **app_of(body), "username": name, "password": PASSWORD, "email": f"{name}@example.org"}
    if world.registration == "invite":
        admin = world.person("admin")
        body["invitation"] = world.ask("POST", "/api/admin/invitations", {}, **bearer(admin))["code"]
    return body


def set_up(world, body, person):
    if world.setup_token is None:
        return body
    return {**body, "token": world.setup_token, "username": world.fresh("first"), "password": PASSWORD}


def ask_for_reset(world, body, person):
    return {**body, "email": world.person("user").email}


def new_password(world, body, person):
    return {**body, **app_of(body), "password": PASSWORD}


def change_password(world, body, person):
    return {**body, "current": PASSWORD, "new": PASSWORD}


def change_email(world, body, person):
    return {**body, "password": PASSWORD, "email": f"{world.fresh('other')}@example.org"}


def confirm_factor(world, body, person):
    return {**body, "otp": person.first_otp()}


def use_factor(world, body, person):
    # Its codes may be void afterwards.
    world.forget("factor")
    return {**body, "password": PASSWORD, "otp": person.otp()}


def add_user(world, body, person):
    name = world.fresh("added")
    good = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
    return {**body, "username": name, **{key: value for key, value in good.items() if body.get(key) is not None}}


def set_email(world, body, person):
    return {**body, "email": body.get("email") and f"{world.fresh('set')}@example.org"}


def invite(world, body, person):
    # Only with `--registration invite` can an invitation be mailed.
    return {key: value for key, value in body.items() if key not in ("email", "note")}


BODIES = {
    "login": log_in,
    "openBrowserSession": open_session,
    "register": register,
    "setUp": set_up,
    "requestReset": ask_for_reset,
    "resetPassword": new_password,
    "deleteMe": new_password,
    "changePassword": change_password,
    "changeEmail": change_email,
    "beginSecondFactor": new_password,
    "confirmSecondFactor": confirm_factor,
    "removeSecondFactor": use_factor,
    "replaceRecoveryCodes": use_factor,
    "adminAddUser": add_user,
    "adminSetEmail": set_email,
    "adminInvite": invite,
}
