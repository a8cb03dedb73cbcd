"""Makes an SQLite database with Django's own migrations, and users with Django's own hashers.

    python django_users.py FILE < users.json

Each user has username, password, hasher (null: no usable password), options of the hasher's `encode`, and
values of other columns. It knows nothing of lictor.
"""

import json
import sys

import django
from django.conf import settings
from django.contrib.auth.hashers import (
    Argon2PasswordHasher,
    BCryptPasswordHasher,
    BCryptSHA256PasswordHasher,
    MD5PasswordHasher,
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    ScryptPasswordHasher,
    check_password,
    make_password,
)

HASHERS = [
    PBKDF2PasswordHasher,
    PBKDF2SHA1PasswordHasher,
    Argon2PasswordHasher,
    BCryptSHA256PasswordHasher,
    BCryptPasswordHasher,
    ScryptPasswordHasher,
    MD5PasswordHasher,
]


def encode(password, name, options):
    if name is None:
        return make_password(None)
    hasher = next(hasher for hasher in HASHERS if hasher.__name__ == name)()
    for option in ("rounds", "memory_cost", "time_cost", "parallelism", "work_factor"):
        if option in options:
            setattr(hasher, option, options.pop(option))
    encoded = hasher.encode(password, options.pop("salt", None) or hasher.salt(), **options)
    # Django agrees with itself.
    assert check_password(password, encoded), encoded
    return encoded


def main(file):
    settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": file}},
        PASSWORD_HASHERS=[f"{hasher.__module__}.{hasher.__name__}" for hasher in HASHERS],
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for user in json.load(sys.stdin):
        password = encode(user.pop("password"), user.pop("hasher"), user.pop("options"))
        User.objects.create(password=password, **user)


main(sys.argv[1])
