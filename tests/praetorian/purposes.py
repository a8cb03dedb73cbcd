"""The verdicts of the real flask-praetorian on tokens, for each of its purposes.

Owns a table of tokens: some made by flask-praetorian itself, some with one fault,
all at one fixed time. purposes.json has its verdicts; a test keeps the file up to
date. lictor's unit test `guard::token::tests::purposes` checks that lictor gives
the same messages, and that it makes the same tokens byte for byte.

    V/bin/python -B purposes.py > purposes.json
"""

import json
import sys
import uuid
from pathlib import Path
from unittest import mock

import flask
import flask_praetorian.base
import pendulum
from flask_praetorian import Praetorian, PraetorianError
from flask_praetorian.constants import AccessType

from servers import SECRET_KEY
from tokens import sign

NOW = 1_700_000_000
ACCESS, REFRESH, MAILED = 100, 1000, 60  # seconds
JTI = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
ROLES = "admin,editor"
FILE = Path(__file__).with_name("purposes.json")
MARKS = {"registration": "is_ert", "reset": "is_prt"}


class User:
    """The only user, with the methods that flask-praetorian requires."""

    identity = 7
    rolenames = ROLES.split(",")
    password = ""

    @classmethod
    def lookup(cls, _):
        return cls()

    @classmethod
    def identify(cls, _):
        return cls()


def guard():
    app = flask.Flask(__name__)
    app.config.update(
        SECRET_KEY=SECRET_KEY,
        JWT_ACCESS_LIFESPAN={"seconds": ACCESS},
        JWT_REFRESH_LIFESPAN={"seconds": REFRESH},
    )
    return app, Praetorian(app, User)


def claims(drop=(), **changes):
    whole = {
        "iat": NOW,
        "exp": NOW + MAILED,
        "jti": JTI,
        "id": User.identity,
        "rls": ROLES,
        "rf_exp": NOW + REFRESH,
        **changes,
    }
    return {name: value for name, value in whole.items() if name not in drop}


def altered():
    """Names and claims of tokens that flask-praetorian itself would not make."""
    for kind, mark in MARKS.items():
        marked = {mark: True}
        yield f"{kind}, last second", claims(exp=NOW, **marked)
        yield f"{kind}, a second late", claims(exp=NOW - 1, **marked)
        yield f"{kind}, late, refresh over", claims(exp=NOW - 1, rf_exp=NOW - 1, **marked)
        yield f"{kind}, mark false", claims(**{mark: False})
        yield f"{kind}, mark null", claims(**{mark: None})
        yield f"{kind}, mark null, late", claims(exp=NOW - 1, **{mark: None})
        for name in ("jti", "id", "exp", "rf_exp"):
            yield f"{kind}, without {name}", claims(drop=[name], **marked)
    yield "both marks", claims(is_ert=True, is_prt=True)
    yield "both marks, late", claims(exp=NOW - 1, is_ert=True, is_prt=True)
    yield "access, last second", claims(exp=NOW)
    yield "access, a second late", claims(exp=NOW - 1)
    yield "access, last second of refresh", claims(exp=NOW - 1, rf_exp=NOW)
    yield "access, refresh over", claims(exp=NOW - 2, rf_exp=NOW - 1)


def made(praetorian):
    """Kinds and tokens that flask-praetorian makes."""
    short = pendulum.duration(seconds=MAILED)
    yield "access", praetorian.encode_jwt_token(User())
    for kind in MARKS:
        flag = {f"is_{kind}_token": True}
        token = praetorian.encode_jwt_token(User(), override_access_lifespan=short, bypass_user_check=True, **flag)
        yield kind, token


def judge(praetorian, token):
    """For each purpose `good`, or the name and message of the error."""
    return {kind.name: verdict(praetorian, token, kind) for kind in AccessType}


def verdict(praetorian, token, kind):
    try:
        praetorian.extract_jwt_token(token, access_type=kind)
    except PraetorianError as error:
        return f"{type(error).__name__}: {error.message}"
    return "good"


def table():
    app, praetorian = guard()
    moment = mock.patch.object(flask_praetorian.base.pendulum, "now", lambda _: pendulum.from_timestamp(NOW))
    name = mock.patch.object(flask_praetorian.base.uuid, "uuid4", lambda: uuid.UUID(JTI))
    with app.app_context(), moment, name:
        rows = [{"name": f"{kind}, fresh", "made": kind, "token": token} for kind, token in made(praetorian)]
        rows += [{"name": name, "token": sign(content)} for name, content in altered()]
        rows = [{**row, **judge(praetorian, row["token"])} for row in rows]
    return {"secret": SECRET_KEY, "now": NOW, "roles": ROLES, "rows": rows}


if __name__ == "__main__":
    json.dump(table(), sys.stdout, indent=1)
    print()
