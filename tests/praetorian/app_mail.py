"""The later app: mail confirms a registration and resets a forgotten password.

Owns the endpoints that send a mail or take its token; app.py has the others. It
is the reference of the differential test, so it has the checks of the tutorial's
app and no others: a taken e-mail address answers 303, a reset for an unknown one
404, a reset for an inactive user 403. It knows nothing of lictor.

    python app_mail.py PORT (environment: as for app.py, MAIL_DIR,
                             CONFIRMATION_LIFESPAN, RESET_LIFESPAN)
"""

import os
import sys

from flask import request
from flask_mailman import Mail
from flask_praetorian.utilities import duration_from_string

from app import (
    User,
    add_user,
    create_app,
    credentials,
    db,
    guard,
    home,
    login,
    protected,
    refresh,
    require_free,
    reset_finalize,
    token_for,
)

SENDER = "app@app.example"


def address():
    return request.get_json(force=True).get("email")


def registration():
    email = address()
    username, password = credentials()
    require_free(username)
    if User.query.filter_by(email=email).count() > 0:
        return {"message": f"email {email} is taken"}, 303
    user = add_user(username, password, email=email, is_active=False)
    guard.send_registration_email(email, user)
    return {"message": f"successfully sent registration email to user {user.username}"}, 201


def finalize():
    user = guard.get_user_from_registration_token(guard.read_token_from_header())
    user.is_active = True
    db.session.commit()
    return {**token_for(user), "user": user.username}


def reset():
    email = address()
    user = User.query.filter_by(email=email).first()
    if user is None:
        return {"message": f"email {email} is not in the database!"}, 404
    if not user.is_active:
        return {"message": f"{email} is not active"}, 403
    guard.send_reset_email(email, user)
    return {"message": f"successfully sent password reset email to {email}"}


ROUTES = [
    ("GET", "/api/", home),
    ("POST", "/api/login", login),
    ("POST", "/api/refresh", refresh),
    ("GET", "/api/protected", protected),
    ("POST", "/api/registration", registration),
    ("GET", "/api/finalize", finalize),
    ("POST", "/api/reset", reset),
    ("POST", "/api/reset_finalize", reset_finalize),
]


def create_mailing_app():
    app = create_app(
        ROUTES,
        MAIL_BACKEND="file",
        MAIL_FILE_PATH=os.environ["MAIL_DIR"],
        PRAETORIAN_CONFIRMATION_SENDER=SENDER,
        PRAETORIAN_CONFIRMATION_URI="https://app.example/finalize",
        PRAETORIAN_CONFIRMATION_LIFESPAN=duration_from_string(os.environ["CONFIRMATION_LIFESPAN"]),
        PRAETORIAN_RESET_SENDER=SENDER,
        PRAETORIAN_RESET_URI="https://app.example/reset-finalize",
        PRAETORIAN_RESET_LIFESPAN=duration_from_string(os.environ["RESET_LIFESPAN"]),
    )
    Mail(app)
    return app


if __name__ == "__main__":
    create_mailing_app().run("127.0.0.1", int(sys.argv[1]), threaded=True)
