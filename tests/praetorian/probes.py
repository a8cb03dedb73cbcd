"""A table of requests that both servers get, one row each.

The users exist before: alice (id 1), bob (2, inactive), carol (3, deleted) and
dave (4, with roles). This file knows no answer.
"""

import json
import time
from typing import NamedTuple

from tokens import ANOTHER_KEY, HEADER, claims, encode, expired, sign, sign_bytes

NOW = int(time.time())
PASSWORD = "seven wet otters"
USERS = ["alice", "bob", "carol", "dave"]


class Probe(NamedTuple):
    name: str
    method: str
    path: str
    headers: list = []
    body: bytes | None = None


def as_bytes(body):
    if body is None or isinstance(body, bytes):
        return body
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def post(path, rows):
    return [Probe(f"{path} {name}", "POST", f"/api/{path}", [], as_bytes(body)) for name, body in rows]


def protected(rows):
    return [Probe(f"protected {name}", "GET", "/api/protected", headers) for name, headers in rows]


def bearer(rows):
    return protected((name, [("Authorization", f"Bearer {token}")]) for name, token in rows)


def person(username, password=PASSWORD, **more):
    return {"username": username, "password": password, **more}


GOOD = sign(claims())
FIRST, SECOND, THIRD = GOOD.split(".")
AUTH, COOKIE = "Authorization", "Cookie"

HOME = [
    Probe("home", "GET", "/api/"),
    Probe("home without slash", "GET", "/api"),
    Probe("home without slash, with query", "GET", "/api?a=1&b=2"),
    Probe("home, HEAD", "HEAD", "/api/"),
]

WRONG_BODIES = [
    ("body null", "null"),
    ("body array", "[]"),
    ("body string", '"alice"'),
    ("not JSON", "username=alice&password=x"),
    ("cut JSON", '{"username":"alice",'),
    ("two JSON values", json.dumps(person("alice")) + "{}"),
    ("empty body", ""),
    ("no body", None),
    ("not UTF-8", b'{"username":"al\xffce","password":"seven wet otters"}'),
    ("lone surrogate", '{"username":"al\\ud800ce","password":"seven wet otters"}'),
    ("deep nesting", "[" * 20_000 + "]" * 20_000),
]

LOGIN = post("login", [
    ("good", person("alice")),
    ("good, extra field", person("alice", extra=[1, {}])),
    ("bad password", person("alice", "seven dry otters")),
    ("unknown user", person("nobody")),
    ("inactive user", person("bob")),
    ("inactive user, bad password", person("bob", "seven dry otters")),
    ("deleted user", person("carol")),
    ("empty username", person("")),
    ("empty password", person("alice", "")),
    ("both empty", person("", "")),
    ("no username", {"password": PASSWORD}),
    ("no password", {"username": "alice"}),
    ("no fields", {}),
    ("null username", person(None)),
    ("null password", person("alice", None)),
    ("number username", person(12345)),
    ("number password", person("alice", 12345678)),
    ("true username", person(True)),
    ("array username", person(["alice"])),
    ("object password", person("alice", {"password": PASSWORD})),
    ("password and NUL", person("alice", PASSWORD + "\0")),
    ("password in other case", person("alice", PASSWORD.upper())),
    ("username in other case", person("Alice")),
    *WRONG_BODIES,
]) + [
    Probe(f"login as {kind}", "POST", "/api/login", [("Content-Type", kind)], as_bytes(person("alice")))
    for kind in ("application/json", "text/plain", "application/x-www-form-urlencoded", "nonsense")
]

REGISTRATION = post("registration", [
    ("good", person("erin")),
    ("good, not ASCII", person("zo\u00eb", "s\u00e9t\u00e9 \u5bc6\u7801 otters")),
    ("duplicate", person("alice")),
    ("duplicate, other password", person("alice", "eight wet otters")),
    ("duplicate in other case", person("ALICE")),
    ("inactive user's name", person("bob")),
    ("empty username", person("")),
    ("empty password", person("r1", "")),
    ("short password", person("r2", "otters7")),
    ("password of 8", person("r3", "otters 8")),
    ("password too long", person("r4", "o" * 1025)),
    ("no username", {"password": PASSWORD}),
    ("no password", {"username": "r5"}),
    ("null username", person(None)),
    ("null password", person("r6", None)),
    ("number username", person(777)),
    ("number password", person("r7", 12345678)),
    ("username of 65", person("n" * 65)),
    ("control character in username", person("r\t8")),
    *WRONG_BODIES,
])

HEADERS = protected([
    ("good", [(AUTH, f"Bearer {GOOD}")]),
    ("no token", []),
    ("header empty", [(AUTH, "")]),
    ("header Basic", [(AUTH, "Basic YWxpY2U6eA==")]),
    ("header Token", [(AUTH, f"Token {GOOD}")]),
    ("header token alone", [(AUTH, GOOD)]),
    ("header Bearer alone", [(AUTH, "Bearer")]),
    ("header Bearer, space", [(AUTH, "Bearer ")]),
    ("header bearer in lower case", [(AUTH, f"bearer {GOOD}")]),
    ("header Bearer, no space", [(AUTH, f"Bearer{GOOD}")]),
    ("header Bearer, two spaces", [(AUTH, f"Bearer  {GOOD}")]),
    ("header Bearer, trailing word", [(AUTH, f"Bearer {GOOD} x")]),
    ("header Bearer, punctuation", [(AUTH, "Bearer !!!")]),
    ("cookie", [(COOKIE, f"access_token={GOOD}")]),
    ("cookie among others", [(COOKIE, f"a=b; access_token={GOOD}; c=d")]),
    ("cookie garbage", [(COOKIE, "access_token=garbage")]),
    ("cookie empty", [(COOKIE, "access_token=")]),
    ("cookie of another name", [(COOKIE, f"my_access_token={GOOD}")]),
    ("cookie good, header bad", [(COOKIE, f"access_token={GOOD}"), (AUTH, "Bearer garbage")]),
    ("cookie good, header Basic", [(COOKIE, f"access_token={GOOD}"), (AUTH, "Basic x")]),
    ("cookie bad, header good", [(COOKIE, "access_token=garbage"), (AUTH, f"Bearer {GOOD}")]),
])

# Tokens that are refused at /api/protected and at /api/refresh.
BROKEN = [
    ("garbage", "garbage"),
    ("garbage in three parts", "a.b.c"),
    ("two parts", f"{FIRST}.{SECOND}"),
    ("four parts", f"{GOOD}.{THIRD}"),
    ("no signature", f"{FIRST}.{SECOND}."),
    ("wrong signature", sign(expired(), ANOTHER_KEY)),
    ("payload of another", f"{FIRST}.{encode(json.dumps(expired()).encode()).decode()}.{THIRD}"),
    ("alg none", sign(expired(), None, "none")),
    ("alg HS384", sign(expired(), algorithm="HS384")),
    ("alg HS512", sign(expired(), algorithm="HS512")),
    ("alg missing", sign_bytes(b'{"typ":"JWT"}', json.dumps(expired()).encode())),
    ("header not JSON", sign_bytes(b"header", json.dumps(expired()).encode())),
    ("payload not JSON", sign_bytes(HEADER, b"payload")),
    ("payload array", sign_bytes(HEADER, b"[]")),
]

TOKENS = bearer(BROKEN + [
    ("without typ", sign_bytes(b'{"alg":"HS256"}', json.dumps(claims()).encode())),
    ("with kid", sign(claims(), headers={"kid": "k1"})),
    ("expired", sign(expired())),
    ("expired, rf_exp past", sign(expired(rf_exp=NOW - 60))),
    ("rf_exp past only", sign(claims(rf_exp=NOW - 60))),
    *[(f"missing {name}", sign(claims(drop=[name]))) for name in claims()],
    ("missing jti and id", sign(claims(drop=["jti", "id"]))),
    ("missing rf_exp, is_ert", sign(claims(drop=["rf_exp"], is_ert=True))),
    ("iat in the future", sign(claims(iat=NOW + 3600))),
    ("nbf in the future", sign(claims(nbf=NOW + 3600))),
    ("nbf past", sign(claims(nbf=NOW - 3600))),
    ("iat string", sign(claims(iat="x"))),
    ("exp string", sign(claims(exp="x"))),
    ("rf_exp string", sign(claims(rf_exp="x"))),
    ("jti number", sign(claims(jti=1))),
    ("jti not a UUID", sign(claims(jti="hello"))),
    ("id string", sign(claims(id="x"))),
    ("id null", sign(claims(id=None))),
    ("id 0", sign(claims(id=0))),
    ("id huge", sign(claims(id=2**70))),
    ("rls null", sign(claims(rls=None))),
    ("aud", sign(claims(aud="x"))),
    ("iss", sign(claims(iss="x"))),
    ("claim of the app", sign(claims(colour="red"))),
    ("is_ert", sign(claims(is_ert=True))),
    ("is_prt", sign(claims(is_prt=True))),
    ("is_prt false", sign(claims(is_prt=False))),
    ("is_ert and is_prt", sign(claims(is_ert=True, is_prt=True))),
    ("is_prt expired", sign(expired(is_prt=True))),
    ("user inactive", sign(claims(id=2))),
    ("user deleted", sign(claims(id=3))),
    ("user unknown", sign(claims(id=999_999))),
])

REFRESH = post("refresh", BROKEN + [
    ("expired", sign(expired())),
    ("expired, rf_exp soon", sign(expired(rf_exp=NOW + 7200))),
    ("expired, claim of the app", sign(expired(colour="red"))),
    ("too early", sign(claims())),
    ("too early, rf_exp past", sign(claims(rf_exp=NOW - 60))),
    ("too early, user inactive", sign(claims(id=2))),
    ("rf_exp past", sign(expired(rf_exp=NOW - 60))),
    ("empty", ""),
    ("no body", None),
    ("not UTF-8", b"\xff\xfe"),
    ("line feed at the end", sign(expired()) + "\n"),
    ("space before", " " + sign(expired())),
    ("as JSON", {"access_token": sign(expired())}),
    ("as a JSON string", json.dumps(sign(expired()))),
    ("with Bearer", "Bearer " + sign(expired())),
    *[(f"missing {name}", sign(expired(drop=[name]))) for name in claims()],
    ("iat in the future", sign(expired(iat=NOW + 3600))),
    ("exp string", sign(expired(exp="x"))),
    ("rf_exp string", sign(expired(rf_exp="x"))),
    ("id null", sign(expired(id=None))),
    ("is_ert", sign(expired(is_ert=True))),
    ("is_prt", sign(expired(is_prt=True))),
    ("is_prt, too early", sign(claims(is_prt=True))),
    ("user inactive", sign(expired(id=2))),
    ("user deleted", sign(expired(id=3))),
    ("user unknown", sign(expired(id=999_999))),
]) + [Probe("refresh token in header", "POST", "/api/refresh", [(AUTH, f"Bearer {sign(expired())}")])]

def reset(rows):
    body = as_bytes(person(None, "eight wet otters"))
    return [Probe(f"reset {name}", "POST", "/api/reset_finalize", headers, body) for name, headers in rows]


RESET = reset([
    ("no token", []),
    ("cookie", [(COOKIE, f"access_token={sign(claims(is_prt=True, id=4))}")]),
    ("header Basic", [(AUTH, "Basic YWxpY2U6eA==")]),
    *[(name, [(AUTH, f"Bearer {token}")]) for name, token in BROKEN + [
        ("token for access", sign(claims())),
        ("token for access, expired", sign(expired())),
        ("is_ert", sign(claims(is_ert=True))),
        ("is_ert expired", sign(expired(is_ert=True))),
        ("is_ert and is_prt", sign(claims(is_ert=True, is_prt=True))),
        ("is_prt expired", sign(expired(is_prt=True))),
        *[(f"missing {name}", sign(claims(is_prt=True, id=4, drop=[name]))) for name in claims()],
        ("user deleted", sign(claims(is_prt=True, id=3))),
        ("user unknown", sign(claims(is_prt=True, id=999_999))),
        ("user inactive", sign(claims(is_prt=True, id=2))),
        ("good", sign(claims(is_prt=True, id=4))),
    ]],
])

ROUTES = [
    Probe("404 nothing", "GET", "/api/nothing"),
    Probe("404 nothing by POST", "POST", "/api/nothing", [], b"{}"),
    Probe("404 slash at the end", "POST", "/api/login/", [], b"{}"),
    Probe("405 login", "GET", "/api/login"),
    Probe("405 refresh", "DELETE", "/api/refresh"),
    Probe("405 protected", "POST", "/api/protected", [], b""),
    Probe("405 registration", "PUT", "/api/registration", [], b"{}"),
    Probe("405 home", "PATCH", "/api/", [], b""),
]

PROBES = HOME + LOGIN + REGISTRATION + HEADERS + TOKENS + REFRESH + RESET + ROUTES
