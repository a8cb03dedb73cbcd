"""Compares the answers of both servers.

Compared are status, media type, `Location`, and the JSON body; of a token its
header, the names and types of its claims, and its lifespans. Other header fields
may differ. This file knows nothing of which answers differ.
"""

from differences import PYJWT_DETAIL
from tokens import shape


def comparable(answer):
    """The compared parts of an answer."""
    body = answer.json
    if body and "access_token" in body:
        body["access_token"] = shape(body["access_token"])
    if body and "error" in body:
        body["message"] = body["message"].split(PYJWT_DETAIL)[0]
    return answer.status, answer.media_type, answer.headers.get("location"), body


def summary(answer):
    """An answer as differences.py writes it: the status, and the error or the keys."""
    body = answer.json or {}
    about = body.get("error") or answer.headers.get("location") or ", ".join(body)
    return f"{answer.status} {about}".strip()


def compare(differences, name, flask, lictor):
    both = f"\nflask  {comparable(flask)}\nlictor {comparable(lictor)}"
    alike = comparable(flask) == comparable(lictor)
    if name not in differences:
        assert alike, f"{name}: a difference that differences.py does not list{both}"
        return
    reason, expected = differences[name]
    assert not alike, f"{name}: no longer a difference, so take it out of differences.py{both}"
    assert summary(lictor) == expected, f"{name}: {reason}{both}"


def methods(answer):
    return {method.strip() for method in answer.headers["allow"].split(",")}
