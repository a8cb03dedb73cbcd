"""A service that checks lictor's tokens with the secret that both share.

flask-praetorian checks the times, and that the token is not that of a mail. This file decodes the
token: flask-praetorian does not look at its type, and refuses one whose `iat` is ahead of this clock.
"""

import os

import flask_praetorian
import jwt
from flask import Flask, jsonify
from flask_praetorian.constants import AccessType
from flask_praetorian.exceptions import InvalidTokenHeader


class User:
    """Whoever the token names. A service with a table of its own looks the id up there."""

    password, rolenames = "", []

    def __init__(self, identity=None):
        self.identity = identity

    @classmethod
    def lookup(cls, username):
        return None

    @classmethod
    def identify(cls, identity):
        return cls(identity)


class Guard(flask_praetorian.Praetorian):
    def extract_jwt_token(self, token, access_type=AccessType.access):
        # lictor's clock may be ahead of this one; `exp` is checked below.
        options = {"verify_iat": False, "verify_exp": False}
        with InvalidTokenHeader.handle_errors("the token is not valid"):
            header = jwt.get_unverified_header(token)
            claims = jwt.decode(token, self.encode_key, algorithms=self.allowed_algorithms, options=options)
        InvalidTokenHeader.require_condition(header.get("typ") == "JWT", "not the type of an access token")
        try:
            self._validate_jwt_data(claims, access_type)
        except (TypeError, ValueError) as error:  # such as an `exp` that is no number
            raise InvalidTokenHeader("a claim has the wrong type") from error
        return claims


app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ["SECRET_KEY"]
app.config["JWT_ALLOWED_ALGORITHMS"] = ["HS256"]
app.config["JWT_PLACES"] = ["header"]
Guard(app, User)


@app.get("/whoami")
@flask_praetorian.auth_required
def whoami():
    return jsonify(id=flask_praetorian.current_user_id(), roles=sorted(flask_praetorian.current_rolenames()))


@app.after_request
def challenge(response):
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


if __name__ == "__main__":
    app.run(port=int(os.environ.get("PORT", "8001")))
