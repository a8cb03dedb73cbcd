"""The backend that lictor replaces: a Flask app on the real flask-praetorian.

Owns the six endpoints without mail and a table of users; app_mail.py has the later app.
It is the reference of the differential test, so it adds no checks to those of
flask-praetorian, and does what the tutorial's app does: a new user has the role `user`. It
knows nothing of lictor.

    python app.py PORT      (environment: SECRET_KEY, DATABASE_URI,
                             JWT_ACCESS_LIFESPAN, JWT_REFRESH_LIFESPAN)
"""

import os
import sys

from flask import Flask, request
from flask_praetorian import (
    Praetorian,
    PraetorianError,
    SQLAlchemyUserMixin,
    auth_required,
    current_user,
)
from flask_sqlalchemy import SQLAlchemy

ROLES = "user"  # of a new user

db = SQLAlchemy()
guard = Praetorian()


class User(db.Model, SQLAlchemyUserMixin):
    __tablename__ = "users"

    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.Text, unique=True)
    email = db.Column(db.Text, unique=True)
    hashed_password = db.Column("password", db.Text)  # the name of the column in the tutorial
    roles = db.Column(db.Text, default="")
    is_active = db.Column(db.Boolean, default=True)

    def is_valid(self):
        return self.is_active


class UsernameTaken(PraetorianError):
    """flask-praetorian has no registration without mail; this error is the app's."""

    status_code = 409


def credentials():
    body = request.get_json(force=True)
    return body.get("username"), body.get("password")


def token_for(user):
    return {"access_token": guard.encode_jwt_token(user)}


def home():
    return {"Hello": "World"}


def login():
    username, password = credentials()
    return token_for(guard.authenticate(username, password))


def refresh():
    return {"access_token": guard.refresh_jwt_token(request.get_data())}


@auth_required
def protected():
    return {"message": f"protected endpoint (allowed usr {current_user().username})"}


def require_free(username):
    UsernameTaken.require_condition(
        User.lookup(username) is None, "The username is already taken"
    )


def add_user(username, password, **more):
    require_free(username)
    user = User(username=username, hashed_password=guard.hash_password(password), roles=ROLES, **more)
    db.session.add(user)
    db.session.commit()
    return user


def registration():
    return token_for(add_user(*credentials()))


def reset_finalize():
    user = guard.validate_reset_token(guard.read_token_from_header())
    _, password = credentials()
    user.hashed_password = guard.hash_password(password)
    db.session.commit()
    return {**token_for(user), "user": user.username}


ROUTES = [
    ("GET", "/api/", home),
    ("POST", "/api/login", login),
    ("POST", "/api/refresh", refresh),
    ("GET", "/api/protected", protected),
    ("POST", "/api/registration", registration),
    ("POST", "/api/reset_finalize", reset_finalize),
]


def create_app(routes=ROUTES, **config):
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["DATABASE_URI"]
    for name in ("SECRET_KEY", "JWT_ACCESS_LIFESPAN", "JWT_REFRESH_LIFESPAN"):
        app.config[name] = os.environ[name]
    app.config.update(config)
    db.init_app(app)
    guard.init_app(app, User)
    for method, path, view in routes:
        app.add_url_rule(path, methods=[method], view_func=view)
    with app.app_context():
        db.create_all()
    return app


if __name__ == "__main__":
    create_app().run("127.0.0.1", int(sys.argv[1]), threaded=True)
