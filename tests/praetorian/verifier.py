"""How a service verifies lictor's tokens with its public keys, here with PyJWT.

An example to copy, for lictor with `--jwt-algorithm EdDSA`:

    keys = jwt.PyJWKClient("https://login.example.org/.well-known/jwks.json")
    claims = verified(keys, token)

Such a service does not learn of logouts. Keep lictor's `--access-lifespan` short,
or call `GET /api/verify` instead.
"""

import jwt


def verified(keys, token):
    """The claims of a valid access token; raises jwt.PyJWTError for any other text."""
    found = jwt.decode_complete(
        token,
        keys.get_signing_key_from_jwt(token),
        algorithms=["EdDSA"],  # never the algorithm that the token names
        options={"require": ["exp", "jti", "id"]},
    )
    if found["header"].get("typ") != "JWT":
        raise jwt.InvalidTokenError("not the type of an access token")
    claims = found["payload"]
    if "is_ert" in claims or "is_prt" in claims:
        raise jwt.InvalidTokenError("the token of a mailed link")
    return claims
