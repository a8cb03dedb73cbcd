"""A table of single requests about mail: bodies and signed tokens, one row each.

The users are those of probes.py, with confirmed e-mail addresses. This file knows
no answer.
"""

from probes import AUTH, BROKEN, COOKIE, GOOD, WRONG_BODIES, Probe, person, post
from scenarios import address
from tokens import ANOTHER_KEY, claims, expired, sign


def newcomer(name, **changes):
    return person(name, **{"email": address(name), **changes})


def without(body, field):
    return {name: value for name, value in body.items() if name != field}


REGISTRATION = post("registration", [
    ("good", newcomer("m1")),
    ("good, extra field", newcomer("m2", extra=[1, {}])),
    ("good, not ASCII", newcomer("zo\u00eb", password="s\u00e9t\u00e9 \u5bc6\u7801 otters", email=address("zoe"))),
    ("address in mixed case", newcomer("m3", email="M.Three+tag@App.Example")),
    ("address without a dot in its domain", newcomer("m4", email="m4@localhost")),
    ("name taken", newcomer("alice", email=address("m5"))),
    ("name taken by an inactive user", newcomer("bob", email=address("m6"))),
    ("empty username", newcomer("", email=address("m7"))),
    ("empty password", newcomer("m8", password="")),
    ("short password", newcomer("m9", password="otters7")),
    ("no username", without(newcomer("m10"), "username")),
    ("no password", without(newcomer("m11"), "password")),
    ("null password", newcomer("m12", password=None)),
    ("number username", newcomer(777, email=address("m13"))),
    ("no email", without(newcomer("m14"), "email")),
    ("null email", newcomer("m15", email=None)),
    ("number email", newcomer("m16", email=12345)),
    ("true email", newcomer("m17", email=True)),
    ("array email", newcomer("m18", email=[address("m18")])),
    ("object email", newcomer("m19", email={"address": address("m19")})),
    ("empty email", newcomer("m20", email="")),
    ("email without at", newcomer("m21", email="m21.app.example")),
    ("email with nobody before the at", newcomer("m22", email="@app.example")),
    ("email with a space", newcomer("m23", email="m 23@app.example")),
    ("email with line feed and header", newcomer("m24", email="m24@app.example\nBcc: eve@app.example")),
    ("email with two addresses", newcomer("m25", email="m25@app.example, eve@app.example")),
    ("email with a name", newcomer("m26", email="Eve <m26@app.example>")),
    ("email too long", newcomer("m27", email="m" * 300 + "@app.example")),
    *WRONG_BODIES,
])

RESET = post("reset", [
    ("good", {"email": address("alice")}),
    ("good, extra field", {"email": address("alice"), "username": "dave"}),
    ("unknown", {"email": address("nobody")}),
    ("inactive user", {"email": address("bob")}),
    ("deleted user", {"email": address("carol")}),
    ("username", {"email": "alice"}),
    ("field username", {"username": "alice"}),
    ("no email", {}),
    ("null email", {"email": None}),
    ("number email", {"email": 12345}),
    ("true email", {"email": True}),
    ("array email", {"email": [address("alice")]}),
    ("object email", {"email": {"address": address("alice")}}),
    ("empty email", {"email": ""}),
    ("space before", {"email": " " + address("alice")}),
    ("line feed and header", {"email": address("alice") + "\nBcc: eve@app.example"}),
    ("email too long", {"email": "m" * 300 + "@app.example"}),
    *WRONG_BODIES,
])


def marked(drop=(), **changes):
    return sign(claims(drop=drop, **{"is_ert": True, "id": 4, **changes}))


MARKED = marked()


def finalize(rows):
    return [Probe(f"finalize {name}", "GET", "/api/finalize", headers) for name, headers in rows]


FINALIZE = finalize([
    ("no token", []),
    ("cookie", [(COOKIE, f"access_token={MARKED}")]),
    ("header empty", [(AUTH, "")]),
    ("header Basic", [(AUTH, "Basic YWxpY2U6eA==")]),
    ("header token alone", [(AUTH, MARKED)]),
    ("header Bearer alone", [(AUTH, "Bearer")]),
    ("header Bearer, no space", [(AUTH, f"Bearer{MARKED}")]),
    ("header Bearer, trailing word", [(AUTH, f"Bearer {MARKED} x")]),
    ("header bearer in lower case", [(AUTH, f"bearer {MARKED}")]),
    *[(name, [(AUTH, f"Bearer {token}")]) for name, token in BROKEN + [
        ("good", MARKED),
        ("token for access", GOOD),
        ("token for access, expired", sign(expired())),
        ("wrong secret", sign(claims(is_ert=True), ANOTHER_KEY)),
        ("is_prt", sign(claims(is_prt=True))),
        ("is_prt expired", sign(expired(is_prt=True))),
        ("is_ert and is_prt", marked(is_prt=True)),
        ("is_ert expired", sign(expired(is_ert=True))),
        ("is_ert false", marked(is_ert=False)),
        *[(f"missing {name}", marked(drop=[name])) for name in claims()],
        ("exp string", marked(exp="x")),
        ("id string", marked(id="x")),
        ("id null", marked(id=None)),
        ("iat in the future", marked(iat=claims()["iat"] + 3600)),
        ("user deleted", marked(id=3)),
        ("user unknown", marked(id=999_999)),
    ]],
])

ROUTES = [
    Probe("405 finalize", "POST", "/api/finalize", [], b"{}"),
    Probe("405 reset", "GET", "/api/reset"),
    Probe("405 reset_finalize", "GET", "/api/reset_finalize"),
    Probe("404 slash after finalize", "GET", "/api/finalize/"),
]

PROBES = REGISTRATION + RESET + FINALIZE + ROUTES
PATHS = sorted({probe.path for probe in PROBES if probe.name.startswith("405")})
