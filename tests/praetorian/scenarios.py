"""Scenarios for both servers and their mails: sequences of requests, each with users of its own.

A scenario is a generator: it sends requests to one server and yields the name of
each step and the answer. Steps that only prepare are not yielded and must
succeed. This file knows no answer that is compared.
"""

import time

from probes import PASSWORD, as_bytes, person

ANOTHER = "eight wet otters"


def address(name):
    return f"{name}@app.example"


def ask(server, method, path, token=None, body=None):
    headers = [("Authorization", f"Bearer {token}")] if token else []
    return server.send(method, f"/api/{path}", headers, as_bytes(body))


def register(server, name, email=None, password=PASSWORD):
    body = person(name, password, email=email or address(name))
    return ask(server, "POST", "registration", body=body)


def login(server, name, password=PASSWORD):
    return ask(server, "POST", "login", body=person(name, password))


def protected(server, token):
    return ask(server, "GET", "protected", token)


def refresh(server, token):
    return ask(server, "POST", "refresh", body=token)


def finalize(server, token):
    return ask(server, "GET", "finalize", token)


def reset(server, email):
    return ask(server, "POST", "reset", body={"email": email})


def reset_finalize(server, token, password=ANOTHER):
    return ask(server, "POST", "reset_finalize", token, {"password": password})


def registered(server, name):
    """Registers a user; returns the mailed token that confirms the e-mail address."""
    answer = register(server, name)
    assert answer.status == 201, answer
    return server.mailbox.token(address(name))


def member(server, name):
    """Registers and confirms a user; returns an access token."""
    answer = finalize(server, registered(server, name))
    assert answer.status == 200, answer
    return answer.json["access_token"]


def forgetful(server, name):
    """Requests a reset for a new confirmed user; returns the mailed token."""
    answer = reset(server, address(name))
    assert answer.status == 200, answer
    return server.mailbox.token(address(name))


def a_registration_is_confirmed(server):
    yield "registered", register(server, "rita")
    # With the same password, lictor sends the mail once more.
    yield "registered again", register(server, "rita", password=ANOTHER)
    yield "log in before", login(server, "rita")
    yield "wrong password before", login(server, "rita", ANOTHER)
    yield "reset before", reset(server, address("rita"))
    token = server.mailbox.token(address("rita"))
    confirmed = finalize(server, token)
    yield "confirmed", confirmed
    access = confirmed.json["access_token"]
    yield "its access token", protected(server, access)
    yield "its access token, refreshed", refresh(server, access)
    yield "log in", login(server, "rita")
    yield "log in by address", login(server, address("rita"))
    yield "confirmed again", finalize(server, token)


def a_forgotten_password(server):
    old = member(server, "frida")
    yield "asked", reset(server, address("frida"))
    token = server.mailbox.token(address("frida"))
    yield "old password meanwhile", login(server, "frida")
    done = reset_finalize(server, token)
    yield "done", done
    yield "its access token", protected(server, done.json["access_token"])
    yield "old password", login(server, "frida")
    yield "new password", login(server, "frida", ANOTHER)
    yield "older access token", protected(server, old)
    yield "done again", reset_finalize(server, token, PASSWORD)
    yield "password of the first time", login(server, "frida", ANOTHER)


def two_reset_tokens(server):
    member(server, "tilda")
    first, second = forgetful(server, "tilda"), forgetful(server, "tilda")
    yield "second", reset_finalize(server, second)
    yield "first, after the password has changed", reset_finalize(server, first)


def a_reset_with_wrong_bodies(server):
    """The token is checked before the body; a wrong body does not use up the token."""
    member(server, "walter")
    token = forgetful(server, "walter")
    for name, body in [
        ("no body", None),
        ("empty body", ""),
        ("not JSON", "password=eight"),
        ("body null", "null"),
        ("body array", "[]"),
        ("not UTF-8", b'{"password":"eight wet ot\xffers"}'),
        ("no password", {}),
        ("null password", {"password": None}),
        ("number password", {"password": 12345678}),
        ("array password", {"password": [ANOTHER]}),
        ("empty password", {"password": ""}),
        ("short password", {"password": "otters7"}),
        ("password too long", {"password": "o" * 1025}),
    ]:
        yield name, ask(server, "POST", "reset_finalize", token, body)
        yield f"{name}, no token", ask(server, "POST", "reset_finalize", None, body)
    yield "good", reset_finalize(server, token)


EIGHT = ["", "login", "refresh", "protected", "registration", "finalize", "reset", "reset_finalize"]
GET = ["", "protected", "finalize"]


def every_token_at_every_endpoint(server):
    """Each token at every endpoint except its own."""
    access = member(server, "eva")
    tokens = {"protected": access, "finalize": registered(server, "egon"), "reset_finalize": forgetful(server, "eva")}
    for home, token in tokens.items():
        bodies = {
            "login": person("eva"),
            "refresh": token,
            "registration": person(f"eddy-{home}", email=address(f"eddy-{home}")),
            "reset": {"email": address("eva")},
            "reset_finalize": {"password": ANOTHER},
        }
        for path in EIGHT:
            if path != home:
                method = "GET" if path in GET else "POST"
                yield f"token for {home} at {path or 'home'}", ask(server, method, path, token, bodies.get(path))
    yield "log in", login(server, "eva")


def a_user_who_is_deactivated(server):
    confirmation = registered(server, "dora")
    assert finalize(server, confirmation).status == 200
    token = forgetful(server, "dora")
    server.deactivate("dora")
    yield "reset", reset(server, address("dora"))
    yield "token from before", reset_finalize(server, token)
    server.activate("dora")
    yield "password of the refused reset", login(server, "dora", ANOTHER)
    yield "token from before, active again", reset_finalize(server, token)
    server.deactivate("dora")
    yield "registration token", finalize(server, confirmation)
    yield "log in after it", login(server, "dora", ANOTHER)


def somebody_deactivated_before_confirming(server):
    token = registered(server, "denis")
    server.deactivate("denis")
    yield "confirmed", finalize(server, token)


def somebody_activated_before_confirming(server):
    token = registered(server, "anton")
    server.activate("anton")
    yield "log in", login(server, "anton")
    yield "confirmed", finalize(server, token)


def a_user_who_is_gone(server):
    token = registered(server, "gerda")
    server.delete("gerda")
    yield "confirmed", finalize(server, token)
    member(server, "gunnar")
    token = forgetful(server, "gunnar")
    server.delete("gunnar")
    yield "reset", reset_finalize(server, token)
    yield "asked for a reset", reset(server, address("gunnar"))


def an_id_that_comes_again(server):
    """The newest user is deleted and another registers: which user does the old token confirm?"""
    token = registered(server, "mallory")
    server.delete("mallory")
    member(server, "victoria")
    yield "confirmed", finalize(server, token)
    member(server, "martin")
    token = forgetful(server, "martin")
    server.delete("martin")
    member(server, "vincent")
    yield "reset", reset_finalize(server, token)
    yield "log in", login(server, "vincent")


def an_address_that_is_taken(server):
    member(server, "ada")
    yield "registered", register(server, "adam", address("ada"))
    yield "registered in other case", register(server, "agnes", address("ada").upper())
    yield "log in", login(server, "ada")
    yield "log in as the other", login(server, "adam")


def addresses_that_have_no_account(server):
    yield "reset", reset(server, address("nobody"))
    member(server, "nora")
    yield "reset in other case", reset(server, address("nora").upper())


def a_name_that_is_taken(server):
    member(server, "nina")
    yield "same address", register(server, "nina")
    yield "another address", register(server, "nina", address("nicholas"))
    yield "name in other case", register(server, "NINA", address("nils"))
    yield "who has the other address", reset(server, address("nicholas"))


SCENARIOS = [
    a_registration_is_confirmed,
    a_forgotten_password,
    two_reset_tokens,
    a_reset_with_wrong_bodies,
    every_token_at_every_endpoint,
    a_user_who_is_deactivated,
    somebody_deactivated_before_confirming,
    somebody_activated_before_confirming,
    a_user_who_is_gone,
    an_id_that_comes_again,
    an_address_that_is_taken,
    addresses_that_have_no_account,
    a_name_that_is_taken,
]


LATE = 10  # seconds until links expire on the servers of the next scenario


def links_that_are_late(server):
    confirmation = registered(server, "laura")
    # Whoever confirms in time, which a busy machine may not let everybody.
    names = ("lars", "lasse", "leif", "lotte", "lea", "lina")
    name = next(name for name in names if finalize(server, registered(server, name)).status == 200)
    token = forgetful(server, name)
    time.sleep(LATE + 1.1)
    yield "confirmed", finalize(server, confirmation)
    yield "reset", reset_finalize(server, token)
    yield "log in", login(server, name)


def title(scenario):
    return scenario.__name__.replace("_", " ")
