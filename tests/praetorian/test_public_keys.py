"""Other services verify lictor's tokens with its public keys: PyJWT and OpenSSL's Ed25519 do.

Owns what such a service sees. That lictor refuses what it should refuse is for
its own tests.
"""

import base64
import hashlib
import json

import jwt
import pytest

from probes import as_bytes, person
from servers import Lictor, LictorWithPair, running
from tokens import decode

JWKS = "/.well-known/jwks.json"


def enter(server, path):
    return server.send("POST", f"/api/{path}", [], as_bytes(person("alice"))).json["access_token"]


def verified(server, token):
    """The claims, by the key that the token names."""
    client = jwt.PyJWKClient(f"http://127.0.0.1:{server.port}{JWKS}")
    return jwt.decode(token, client.get_signing_key_from_jwt(token), ["EdDSA"])


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


def test_the_name_of_a_key_is_its_thumbprint():
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


def test_before_and_after_a_rotation(tmp_path):
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


def test_a_shared_secret_is_not_public():
    with running(Lictor) as server:
        assert server.send("GET", JWKS).json == {"keys": []}
        decode(enter(server, "registration"))
