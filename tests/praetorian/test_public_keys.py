"""Other services verify lictor's tokens with its public keys, here with PyJWT and OpenSSL's Ed25519.

Owns the view of such a service. lictor's own tests check what lictor refuses.
"""

import base64
import hashlib
import json

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import verifier
from probes import as_bytes, person
from servers import Lictor, LictorWithPair, MailLictor, running
from tokens import decode

JWKS = "/.well-known/jwks.json"


def enter(server, path):
    return server.send("POST", f"/api/{path}", [], as_bytes(person("alice"))).json["access_token"]


def verified(server, token):
    """The claims, verified with the key that the token names."""
    return verifier.verified(public_keys(server), token)


def public_keys(server):
    return jwt.PyJWKClient(f"http://127.0.0.1:{server.port}{JWKS}")


def test_a_service_verifies_with_the_public_key():
    with running(LictorWithPair) as server:
        token = enter(server, "registration")
        assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
        claims = verified(server, token)
        assert list(claims) == ["iat", "exp", "jti", "id", "rls", "rf_exp"]
        assert claims["id"] == 1
        signed, signature = token.rsplit(".", 1)
        changed = signature[:-10] + ("A" if signature[-10] != "A" else "B") + signature[-9:]
        with pytest.raises(jwt.InvalidSignatureError):
            verified(server, f"{signed}.{changed}")


class MailLictorWithPair(MailLictor, LictorWithPair):
    """A lictor with mail and an EdDSA key; its mailed tokens have a key of their own."""

    def __init__(self, directory, lifespans):
        super().__init__(directory, lifespans)
        self.options = [*self.options, *LictorWithPair.options]


def test_a_mailed_token_passed_for_an_access_token():
    with running(MailLictorWithPair) as server:
        body = as_bytes({**person("alice"), "email": "alice@mail.example"})
        assert server.send("POST", "/api/registration", [], body).status == 201
        registration = server.mailbox.token("alice@mail.example")
        access = server.send("GET", "/api/finalize", [("Authorization", f"Bearer {registration}")]).json
        assert server.send("POST", "/api/reset", [], as_bytes({"email": "alice@mail.example"})).status == 200
        reset = server.mailbox.token("alice@mail.example")
        assert verified(server, access["access_token"])["id"] == 1
        [public] = public_keys(server).get_signing_keys()
        for token, typ in [(registration, "lictor-registration+jwt"), (reset, "lictor-reset+jwt")]:
            assert jwt.get_unverified_header(token)["typ"] == typ
            with pytest.raises(jwt.PyJWTError):
                verified(server, token)
            # Not even a service that accepts any of the keys accepts it.
            for algorithms in [["EdDSA"], ["EdDSA", "HS256"]]:
                with pytest.raises(jwt.PyJWTError):
                    jwt.decode(token, public, algorithms)


def test_each_check_of_the_example_is_needed():
    """Each check refuses a token that the other checks accept."""
    key = Ed25519PrivateKey.generate()
    good = {"exp": 4_000_000_000, "jti": "a", "id": 1}

    class Keys:
        def get_signing_key_from_jwt(self, _):
            return key.public_key()

    def taken(claims, **headers):
        return verifier.verified(Keys(), jwt.encode(claims, key, "EdDSA", headers))

    assert taken(good) == good
    for claims, headers in [
        ({**good, "is_ert": True}, {}),
        ({**good, "is_prt": None}, {}),
        ({**good, "exp": 1}, {}),
        ({name: value for name, value in good.items() if name != "exp"}, {}),
        (good, {"typ": "lictor-reset+jwt"}),
        (good, {"typ": None}),
    ]:
        with pytest.raises(jwt.PyJWTError):
            taken(claims, **headers)


def test_the_id_of_a_key_is_its_thumbprint():
    with running(LictorWithPair) as server:
        [key] = server.send("GET", JWKS).json["keys"]
        content = json.dumps({name: key[name] for name in ("crv", "kty", "x")}, separators=(",", ":"))
        thumbprint = base64.urlsafe_b64encode(hashlib.sha256(content.encode()).digest()).rstrip(b"=")
        assert key == {
            "kty": "OKP",
            "crv": "Ed25519",
            "x": key["x"],
            "kid": thumbprint.decode(),
            "use": "sig",
            "alg": "EdDSA",
        }


def test_tokens_verify_before_and_after_a_rotation(tmp_path):
    with running(LictorWithPair, directory=tmp_path) as server:
        first = enter(server, "registration")
        server.key("rotate")
    with running(LictorWithPair, directory=tmp_path) as server:
        second = enter(server, "login")
        names = [jwt.get_unverified_header(token)["kid"] for token in (second, first)]
        assert [key["kid"] for key in server.send("GET", JWKS).json["keys"]] == names
        for token in (first, second):
            assert verified(server, token)["id"] == 1
        server.key("retire", "--yes", names[1])
    with running(LictorWithPair, directory=tmp_path) as server:
        assert verified(server, second)["id"] == 1
        with pytest.raises(jwt.PyJWKClientError):
            verified(server, first)


def test_a_shared_secret_is_not_published():
    with running(Lictor) as server:
        assert server.send("GET", JWKS).json == {"keys": []}
        decode(enter(server, "registration"))
