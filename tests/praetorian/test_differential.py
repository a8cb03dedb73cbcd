"""lictor against the real flask-praetorian: same requests, same answers.

Owns the tests of the six endpoints without mail. comparison.py compares the
answers; differences.py must list every difference and its reason.

    V/bin/python -B -m pytest          (LICTOR_BIN names another binary)
"""

import json
import time
import uuid

import pytest

from comparison import comparable, compare, methods, summary
from differences import DIFFERENCES
from probes import PROBES, USERS, as_bytes, person
from servers import Flask, Lictor, require_lictor, running
from tokens import ACCESS, HEADER, REFRESH, claims, decode, decode_claims, expired, sign

BOTH_WAYS = pytest.mark.parametrize("maker, taker", [(0, 1), (1, 0)], ids=["flask to lictor", "lictor to flask"])
EACH = pytest.mark.parametrize("server", [0, 1], ids=["flask", "lictor"], indirect=True)


@pytest.fixture(scope="module")
def servers():
    """Flask and lictor with the same four users."""
    require_lictor()
    with running(Flask) as flask, running(Lictor) as lictor:
        for server in (flask, lictor):
            populate(server)
        yield flask, lictor


@pytest.fixture(scope="module")
def hasty_servers():
    """Flask and lictor with access tokens that expire after two seconds."""
    require_lictor()
    with running(Flask, ("2s", "30d")) as flask, running(Lictor, ("2s", "30d")) as lictor:
        for server in (flask, lictor):
            enter(server, "registration", "alice")
            server.take_older_tokens()
        yield flask, lictor


@pytest.fixture
def server(servers, request):
    return servers[request.param]


def populate(server):
    for name in USERS:
        enter(server, "registration", name)
    server.take_older_tokens()
    server.deactivate("bob")
    server.delete("carol")
    server.set_roles("dave", "admin,editor")


def enter(server, path, name):
    """Registers or logs in; returns the token."""
    answer = server.send("POST", f"/api/{path}", [], as_bytes(person(name)))
    assert answer.status == 200, answer
    return answer.json["access_token"]


def protected(server, token):
    return server.send("GET", "/api/protected", [("Authorization", f"Bearer {token}")])


def refresh(server, token):
    return server.send("POST", "/api/refresh", [], token.encode())


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_probe(servers, probe):
    compare(DIFFERENCES, probe.name, *(server.send(*probe[1:]) for server in servers))


BOUNDARIES = [
    ("exp is now: access", protected, {"exp": 0}),
    ("exp is a second ago: access", protected, {"exp": -1}),
    ("exp is now: refresh", refresh, {"exp": 0}),
    ("exp is a second ago: refresh", refresh, {"exp": -1}),
    ("rf_exp is now: refresh", refresh, {"exp": -60, "rf_exp": 0}),
    ("rf_exp is a second ago: refresh", refresh, {"exp": -60, "rf_exp": -1}),
    ("iat is a minute ahead: access", protected, {"iat": 60}),
    ("iat is more than a minute ahead: access", protected, {"iat": 61}),
    ("nbf is a minute ahead: access", protected, {"nbf": 60}),
    ("nbf is more than a minute ahead: access", protected, {"nbf": 61}),
    ("iat is more than a minute ahead: refresh", refresh, {"exp": -1, "iat": 61}),
]


@pytest.mark.parametrize("name, ask, offsets", BOUNDARIES, ids=[row[0] for row in BOUNDARIES])
def test_boundary(servers, name, ask, offsets):
    offsets = {"iat": -120, **offsets}
    compare(DIFFERENCES, name, *(within_a_second(ask, server, offsets) for server in servers))


def within_a_second(ask, server, offsets):
    """The answer to a token with such claims, in the second for which they are made. A busy machine may need several
    attempts."""
    for _ in range(100):
        now = start_of_a_second()
        token = sign(claims(now, **{claim: now + offset for claim, offset in offsets.items()}))
        answer = ask(server, token)
        if int(time.time()) == now:
            return answer
    raise AssertionError("no answer came within a second")


def start_of_a_second():
    time.sleep(1 - time.time() % 1)
    return int(time.time())


ALLOWED = ["/api/", "/api/login", "/api/refresh", "/api/protected", "/api/registration"]


@pytest.mark.parametrize("path", ALLOWED)
def test_allowed_methods(servers, path):
    flask, lictor = (server.send("DELETE", path) for server in servers)
    assert (lictor.status, methods(lictor)) == (flask.status, methods(flask))


@EACH
@pytest.mark.parametrize("path, name", [("registration", "frank"), ("login", "alice")])
def test_token_bytes(server, path, name):
    header, payload = decode(enter(server, path, name))
    made = json.loads(payload)
    assert header == HEADER
    assert list(made) == ["iat", "exp", "jti", "id", "rls", "rf_exp"]
    assert (made["exp"] - made["iat"], made["rf_exp"] - made["iat"]) == (ACCESS, REFRESH)
    assert uuid.UUID(made["jti"]).version == 4
    assert made["rls"] == "user", "the tutorial's app registers everybody with this role"
    assert payload.isascii() and not set(b">?~") & set(payload)


@EACH
@pytest.mark.parametrize("rest", [REFRESH, 600], ids=["rf_exp far", "rf_exp soon"])
def test_refreshed_claims(server, rest):
    begun = int(time.time())
    old = expired(id=4, rls="root", rf_exp=begun + rest)
    new = decode_claims(refresh(server, sign(old)).json["access_token"])
    assert {name: new[name] for name in ("jti", "id", "rf_exp")} == {name: old[name] for name in ("jti", "id", "rf_exp")}
    assert new["rls"] == "admin,editor"
    assert new["exp"] == min(new["iat"] + ACCESS, old["rf_exp"])
    assert begun <= new["iat"] <= time.time()


@BOTH_WAYS
def test_token_of_the_other_is_good(servers, maker, taker):
    token = enter(servers[maker], "login", "alice")
    assert comparable(protected(servers[taker], token)) == comparable(protected(servers[maker], token))
    assert protected(servers[taker], token).status == 200


@BOTH_WAYS
def test_expired_token_of_the_other_is_refreshed(hasty_servers, maker, taker):
    token = enter(hasty_servers[maker], "login", "alice")
    old = decode_claims(token)
    wait_until_it_expires(token)
    assert summary(protected(hasty_servers[taker], token)) == "401 ExpiredAccessError"
    renewed = refresh(hasty_servers[taker], token).json["access_token"]
    new = decode_claims(renewed)
    assert {name: new[name] for name in ("jti", "id", "rls", "rf_exp")} == {
        name: old[name] for name in ("jti", "id", "rls", "rf_exp")
    }
    # A busy machine may not ask before the new token has expired too.
    for _ in range(10):
        answer = protected(hasty_servers[maker], renewed)
        if time.time() < decode_claims(renewed)["exp"] or answer.status == 200:
            break
        wait_until_it_expires(renewed)
        renewed = refresh(hasty_servers[taker], renewed).json["access_token"]
    assert answer.json == {"message": "protected endpoint (allowed usr alice)"}


def wait_until_it_expires(token):
    time.sleep(max(0, decode_claims(token)["exp"] + 1.1 - time.time()))


def test_every_difference_names_a_probe():
    assert set(DIFFERENCES) <= {probe.name for probe in PROBES} | {row[0] for row in BOUNDARIES}
    assert len({probe.name for probe in PROBES}) == len(PROBES)
