"""Tokens of every kind: good ones, forged ones, and those that a service must refuse although lictor's own
key has signed them. Knows no server: who makes a token passes what it needs."""

import base64
import hashlib
import hmac
import json
import time
import uuid

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SEED = bytes(range(32))
OTHER_SEED = bytes(range(1, 33))
SECRET = "a secret of these tests, of 32 bytes or more"
KEY_FILE = f"lictor-key EdDSA 1 {SEED.hex()}\n"


def encode(data):
    data = data if isinstance(data, bytes) else data.encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token(header, claims, sign):
    parts = encode(json.dumps(header)) + "." + encode(json.dumps(claims))
    return parts + "." + encode(sign(parts.encode()))


def by_seed(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).sign


def by_secret(secret, digest=hashlib.sha256):
    secret = secret if isinstance(secret, bytes) else secret.encode()
    return lambda text: hmac.new(secret, text, digest).digest()


def unsigned(_):
    return b""


def public(seed=SEED):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key()


def raw(key):
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def jwk(seed=SEED):
    x = encode(raw(public(seed)))
    kid = encode(hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest())
    return {"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "use": "sig", "alg": "EdDSA"}


def claims(audience, **changed):
    """The claims of a good token; with None, a claim is left out."""
    now = int(time.time())
    usual = {"iat": now, "exp": now + 600, "jti": str(uuid.uuid4()), "id": 1, "rls": "user,editor", "rf_exp": now + 6000}
    found = {**usual, "aud": audience, **changed}
    return {name: value for name, value in found.items() if value is not None}


def bad_claims(audience):
    """Claims that lictor's own key may have signed, and that give no access."""
    now = int(time.time())
    yield "expired", claims(audience, exp=now - 5)
    yield "expired long ago", claims(audience, exp=1)
    yield "without an end", claims(audience, exp=None)
    yield "an end that is a text", claims(audience, exp="tomorrow")
    yield "without a jti", claims(audience, jti=None)
    yield "without an id", claims(audience, id=None)
    yield "not valid yet", claims(audience, nbf=now + 600)
    yield "of a mail that confirms an address", claims(audience, is_ert=True)
    yield "of a mail that resets a password", claims(audience, is_prt=True)
    yield "of a mail, the mark being false", claims(audience, is_prt=False)
    yield "for another app", claims("wiki")
    yield "for other apps", claims(["wiki", "docs"])
    yield "for an app whose name begins the same", claims("shopping")


def shared_headers():
    """Headers that are wrong although the signature is right."""
    yield "another type", {"typ": "at+jwt"}
    yield "no type", {"typ": None}
    yield "the type of a mail", {"typ": "lictor-reset+jwt"}
    yield "an extension that nobody knows", {"crit": ["x"], "x": 1}


def header(usual, changed):
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def with_public_key(audience):
    """Tokens that a service with lictor's public key must refuse: a name, and the token."""
    good = claims(audience)
    own = jwk()
    usual = {"alg": "EdDSA", "typ": "JWT", "kid": own["kid"]}
    sign = by_seed(SEED)
    for name, bad in bad_claims(audience):
        yield name, token(usual, bad, sign)
    yield "for nobody in particular", token(usual, claims(None), sign)
    for name, changed in shared_headers():
        yield name, token(header(usual, changed), good, sign)
    yield "no key id", token(header(usual, {"kid": None}), good, sign)
    yield "an unknown key id", token({**usual, "kid": "unknown"}, good, sign)
    yield "another key", token(usual, good, by_seed(OTHER_SEED))
    embedded = {**usual, "kid": jwk(OTHER_SEED)["kid"], "jwk": jwk(OTHER_SEED)}
    yield "a key of its own", token(embedded, good, by_seed(OTHER_SEED))
    yield "a signature of zeros", token(usual, good, lambda _: bytes(64))
    # R and A of small order verify any text, unless the verifier looks.
    yield "a signature of small order", token(usual, good, lambda _: b"\x01" + bytes(63))
    yield "no signature", token(usual, good, unsigned)
    for alg in ["none", "None", "NONE", ""]:
        yield f"alg {alg!r}", token({**usual, "alg": alg}, good, unsigned)
        yield f"alg {alg!r}, signed", token({**usual, "alg": alg}, good, sign)
    pem = public().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for name, secret in [
        ("bytes", raw(public())),
        ("PEM", pem),
        ("PEM without its last line end", pem.strip()),
        ("base64url", own["x"]),
        ("JSON", json.dumps(own)),
        ("nothing", b""),
    ]:
        for kid in [own["kid"], None]:
            forged = header(usual, {"alg": "HS256", "kid": kid})
            yield f"HS256 with the public key as {name}, key id {kid}", token(forged, good, by_secret(secret))
    yield from broken(token(usual, good, sign))


def with_secret():
    """Tokens that a service with lictor's secret must refuse: a name, and the token."""
    good = claims(None)
    usual = {"alg": "HS256", "typ": "JWT"}
    sign = by_secret(SECRET)
    for name, bad in bad_claims(None):
        yield name, token(usual, bad, sign)
    yield "for an audience", token(usual, claims("shop"), sign)
    yield "not to be refreshed", token(usual, claims(None, rf_exp=None), sign)
    for name, changed in shared_headers():
        yield name, token(header(usual, changed), good, sign)
    yield "another secret", token(usual, good, by_secret("another secret of these tests, of 32 bytes"))
    yield "no secret", token(usual, good, by_secret(b""))
    yield "no signature", token(usual, good, unsigned)
    for alg in ["none", "None", "NONE", ""]:
        yield f"alg {alg!r}", token({**usual, "alg": alg}, good, unsigned)
        yield f"alg {alg!r}, signed", token({**usual, "alg": alg}, good, sign)
    for alg, digest in [("HS384", hashlib.sha384), ("HS512", hashlib.sha512)]:
        yield alg, token({**usual, "alg": alg}, good, by_secret(SECRET, digest))
    yield "EdDSA", token({**usual, "alg": "EdDSA"}, good, by_seed(SEED))
    yield from broken(token(usual, good, sign))


def broken(good):
    """Texts that are almost the good token."""
    first, second, third = good.split(".")
    flipped = ("B" if third[0] == "A" else "A") + third[1:]
    yield "a changed signature", f"{first}.{second}.{flipped}"
    forged = json.loads(base64.urlsafe_b64decode(second + "=" * (-len(second) % 4)))
    yield "other claims", f"{first}.{encode(json.dumps({**forged, 'id': 2}))}.{third}"
    yield "two parts", f"{first}.{second}"
    yield "four parts", f"{good}.{third}"
    yield "an empty payload", f"{first}..{third}"
    yield "no JSON", f"{encode('x')}.{second}.{third}"
    yield "a list in place of claims", f"{first}.{encode('[]')}.{third}"
    yield "a word", "token"
    yield "dots", ".."


def shown(good):
    """Values of the field `Authorization` that show no token."""
    yield "no field", None
    yield "an empty field", ""
    yield "no token", "Bearer"
    yield "an empty token", "Bearer "
    yield "no scheme", good
    yield "another scheme", f"Basic {good}"
    yield "two tokens", f"Bearer {good} {good}"
    yield "letters outside of ASCII", "Bearer \xe4\xf6"
