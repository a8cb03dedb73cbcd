"""A service that checks lictor's tokens with its public keys."""

import asyncio
import json
import os
import time
import urllib.request
from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

LICTOR = os.environ.get("LICTOR", "http://127.0.0.1:5000")
AUDIENCE = os.environ.get("AUDIENCE") or None  # one of lictor's --audience
PAUSE = float(os.environ.get("JWKS_PAUSE", "30"))  # seconds between two requests for the keys


class PublicKeys:
    """lictor's public keys. An unknown key id has them fetched again, since a new key signs at
    once; but at most once in a while, since anybody can send unknown ids. Meanwhile, only unknown
    ids wait, and none of them holds a thread."""

    def __init__(self):
        self.keys, self.next, self.lock = None, 0.0, asyncio.Lock()

    async def get(self, kid):
        if not self.knows(kid):
            async with self.lock:
                if not self.knows(kid) and time.monotonic() >= self.next:
                    self.next = time.monotonic() + PAUSE
                    await asyncio.to_thread(self.fetch)
        if self.keys is None:
            raise HTTPException(503, "the keys cannot be had", {"Retry-After": str(int(PAUSE) + 1)})
        return self.keys.get(kid)

    def knows(self, kid):
        return self.keys is not None and kid in self.keys

    def fetch(self):
        try:
            with urllib.request.urlopen(f"{LICTOR}/.well-known/jwks.json", timeout=5) as answer:
                found = jwt.PyJWKSet.from_dict(json.loads(answer.read(65536)))
                self.keys = {key.key_id: key for key in found.keys}
        except (OSError, ValueError, AttributeError, jwt.PyJWTError) as error:
            print(f"the keys of {LICTOR} cannot be had: {error}", flush=True)


public_keys = PublicKeys()


async def verified(token):
    """The claims of a valid access token; raises jwt.PyJWTError for any other text."""
    header = jwt.get_unverified_header(token)
    if header.get("typ") != "JWT":
        raise jwt.InvalidTokenError("not the type of an access token")
    key = await public_keys.get(header.get("kid"))
    if key is None:
        raise jwt.InvalidTokenError("no key has this id")
    required = ["exp", "jti", "id"] + (["aud"] if AUDIENCE else [])
    # lictor's clock may be ahead of this one, so a new token's `iat` may be, too.
    options = {"require": required, "verify_iat": False}
    # Never the algorithm that the token names.
    claims = jwt.decode(token, key, algorithms=["EdDSA"], audience=AUDIENCE, options=options)
    if "is_ert" in claims or "is_prt" in claims:
        raise jwt.InvalidTokenError("the token of a mail")
    return claims


async def claims(shown: Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]):
    try:
        return await verified(shown.credentials if shown else "")
    except jwt.PyJWTError as error:
        raise HTTPException(401, str(error), {"WWW-Authenticate": "Bearer"}) from error


app = FastAPI()


@app.get("/whoami")
def whoami(user: Annotated[dict, Depends(claims)]):
    return {"id": user["id"], "roles": [role for role in user.get("rls", "").split(",") if role]}


if __name__ == "__main__":
    import uvicorn

    uvicorn.run(app, port=int(os.environ.get("PORT", "8002")), log_level="warning")
