"""purposes.json has the verdicts of the real flask-praetorian; lictor's unit test reads the same file."""

import json

from purposes import FILE, table


def test_the_table_is_up_to_date():
    assert json.loads(FILE.read_text()) == table()


def test_every_verdict_occurs():
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
