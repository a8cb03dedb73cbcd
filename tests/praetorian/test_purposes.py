"""purposes.json is what the real flask-praetorian says; lictor's unit test reads the same file."""

import json

from purposes import FILE, table


def test_the_table_is_flask_praetorians():
    assert json.loads(FILE.read_text()) == table()


def test_every_answer_is_in_it():
    rows = table()["rows"]
    answers = {row[purpose].split(":")[0] for row in rows for purpose in ("access", "refresh", "register", "reset")}
    assert answers == {
        "good",
        "EarlyRefreshError",
        "ExpiredAccessError",
        "ExpiredRefreshError",
        "InvalidRegistrationToken",
        "InvalidResetToken",
        "MisusedRegistrationToken",
        "MisusedResetToken",
        "MissingClaimError",
    }
