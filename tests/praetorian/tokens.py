"""Tokens as flask-praetorian makes them, and tokens with one deliberate fault.

Owns the claims and the signatures, and decodes the tokens of the servers. It
knows nothing of the servers and of their answers.
"""

import base64
import hashlib
import hmac
import json
import time
import uuid
import warnings

import jwt

from servers import SECRET_KEY

ACCESS, REFRESH = 24 * 3600, 30 * 24 * 3600  # seconds: the lifespans of both servers
HEADER = b'{"alg":"HS256","typ":"JWT"}'
ANOTHER_KEY = "another secret, which neither of the servers has"

# HS384 and HS512 deliberately have a key that is shorter than their digest.
warnings.filterwarnings("ignore", category=jwt.warnings.InsecureKeyLengthWarning)


def claims(now=None, drop=(), **changes):
    """Claims of a fresh token of user 1, without those in `drop` and with `changes`."""
    now = int(time.time()) if now is None else now
    whole = {
        "iat": now,
        "exp": now + ACCESS,
        "jti": str(uuid.uuid4()),
        "id": 1,
        "rls": "",
        "rf_exp": now + REFRESH,
        **changes,
    }
    return {name: value for name, value in whole.items() if name not in drop}


def expired(**changes):
    """Claims of a token that expired an hour ago and may be refreshed for a day."""
    now = int(time.time())
    return claims(**{"iat": now - ACCESS - 3600, "exp": now - 3600, "rf_exp": now + 86_400, **changes})


def sign(payload, key=SECRET_KEY, algorithm="HS256", headers=None):
    return jwt.encode(payload, key, algorithm, headers)


def sign_bytes(header, payload):
    """A token of any bytes, with a correct HS256 signature."""
    message = encode(header) + b"." + encode(payload)
    digest = hmac.new(SECRET_KEY.encode(), message, hashlib.sha256).digest()
    return (message + b"." + encode(digest)).decode()


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def decode(token):
    """Checks the signature of a token; returns the JSON bytes of its header and payload."""
    jwt.decode(token, SECRET_KEY, ["HS256"], {"verify_exp": False})
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in token.split(".")[:2]]


def decode_claims(token):
    return json.loads(decode(token)[1])


class About(int):
    """Seconds, which equal others that differ by less than five minutes: the servers answer one after the other."""

    def __eq__(self, other):
        return abs(int(self) - int(other)) < 300

    __hash__ = None


def shape(token):
    """What must be the same in the tokens of both servers: everything except the values."""
    header, payload = (json.loads(part) for part in decode(token))
    return {
        "header": header,
        "claims": {name: type(value).__name__ for name, value in sorted(payload.items())},
        "access": About(payload["exp"] - payload["iat"]),
        "refresh": About(payload["rf_exp"] - payload["iat"]),
    }
