"""What schemathesis loads: shows who calls, replaces a part of what it makes up by what can succeed, checks
what it does not check, and counts.

The environment variable LICTOR_TEST_WORLD is a JSON object that describes the server; check.py sets it.
"""

import atexit
import collections
import json
import os
import sys
import zlib
from pathlib import Path

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData
from schemathesis.generation.meta import TestPhase
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData, UseAfterFree

sys.path.append(str(Path(__file__).resolve().parent))
import actors  # noqa: E402
from answers import Document  # noqa: E402
from world import World  # noqa: E402

SETTINGS = json.loads(os.environ["LICTOR_TEST_WORLD"])
DOCUMENT = Document(Path(SETTINGS["document"]).read_text())
WORLD = World(**SETTINGS["world"])
OPERATIONS = {(method, path): operation for method, path, operation in DOCUMENT.operations()}

# Refusals of what the document allows: no schema can say what a good value is there. Each is an operation (none
# for all), the name of the error, and how its message begins.
WHAT_NO_SCHEMA_SAYS = [
    # Spelling: RFC 8265, lists of common passwords, bytes instead of characters, IDNA.
    (None, "InvalidUsername", ""),
    (None, "InvalidPassword", ""),
    (None, "BadRequest", "email: "),
    ("addAppPassword", "BadRequest", "name: "),
    ("addAppPassword", "BadRequest", "hosts: "),
    # What stands beside it.
    ("adminListUsers", "BadRequest", "before: "),
    ("adminListUsers", "BadRequest", "after: "),
    # The server's settings.
    ("login", "BadRequest", "audience: "),
    ("register", "BadRequest", "audience: "),
    ("resetPassword", "BadRequest", "audience: "),
    # A token and a name at once.
    ("openBrowserSession", "BadRequest", "With a token, "),
    # Neither, or no body at all.
    ("openBrowserSession", "BadRequest", "Without the field Origin, "),
    ("openBrowserSession", "BadRequest", "username: is missing"),
    # The kind of registration.
    ("register", "BadRequest", "invitation: "),
    ("adminInvite", "BadRequest", "email: "),
    ("adminInvite", "BadRequest", "note: "),
]


def operation_of(case):
    return OPERATIONS[case.operation.method.upper(), case.operation.path]


def number(case):
    """A number that depends on the case alone, so that a case that is made again is treated in the same way."""
    parts = (case.method, case.path, case.path_parameters, case.query, case.body)
    return zlib.crc32(repr(parts).encode(errors="backslashreplace"))


def is_positive(case):
    return case.meta is None or case.meta.generation.mode.is_positive


# A case is made long before it is sent, and by then a token may be void. So it gets a mark, and the hook
# `before_call` puts what is good in its place.


@schemathesis.auth(refresh_interval=None)
class Caller:
    def get(self, case, context):
        ways = DOCUMENT.ways(operation_of(case))
        return ways[number(case) % len(ways)] or None if ways else None

    def set(self, case, way, context):
        place, name = DOCUMENT.place(way)
        container = case.headers if place == "header" else case.cookies
        container[name] = actors.MARK + way


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = operation_of(case)
    person = actors.show(WORLD, case, operation)
    if is_positive(case) and number(case) // 7 % 3:
        actors.make_good(WORLD, case, operation, person)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Whether it is one: a good value that no schema describes, or a bad one that is not read."""
    if isinstance(failure, RejectedPositiveData):
        return not is_beyond_schemas(operation_of(case), json.loads(response.content))
    if isinstance(failure, EnsureResourceAvailability):
        # The account is there; its second factor is not.
        return operation_of(case)["operationId"] != "adminRemoveSecondFactor"
    if isinstance(failure, UseAfterFree):
        # All of an account's sessions were ended; the list of them is there, and empty.
        return operation_of(case)["operationId"] != "adminListUserSessions"
    if isinstance(failure, AcceptedNegativeData):
        return not is_good_where_it_is_read(operation_of(case), case.body)
    return True


def is_beyond_schemas(operation, refusal):
    return any(
        name in (None, operation["operationId"]) and error == refusal["error"] and refusal["message"].startswith(begins)
        for name, error, begins in WHAT_NO_SCHEMA_SAYS
    )


def is_good_where_it_is_read(operation, body):
    """Whether a body is bad only in fields that the server does not read this time."""
    if not isinstance(body, dict):
        return False
    # What another kind of registration needs.
    of_others = {"open": {"email", "invitation"}, "email": {"invitation"}, "invite": {"email"}, "closed": set()}
    ignored = {
        "register": of_others[WORLD.registration],
        # How long the cookie stays, if none is asked for.
        "login": {"remember"} if body.get("cookie") in (None, False) else set(),
    }.get(operation["operationId"], set())
    read = {key: value for key, value in body.items() if key not in ignored}
    return read != body and DOCUMENT.allows(operation, read)


@schemathesis.check
def true_answer(context, response, case):
    headers = {name: values for name, values in response.headers.items()}
    # Another method than that of the operation is answered as the path says.
    if response.request.method != case.operation.method.upper():
        return
    faults = DOCUMENT.faults(operation_of(case), response.status_code, headers, response.content)
    if faults:
        raise AssertionError("\n".join(faults))


# Figures


FIGURES = {"checks": 0, **{name: collections.Counter() for name in ("cases", "answers", "links")}}


@schemathesis.check
def counted(context, response, case):
    """Counts; finds nothing."""
    phase = case.meta.phase.name if case.meta else TestPhase.EXAMPLES
    FIGURES["cases"][phase.value] += 1
    FIGURES["checks"] += len(context.internals.checks) - 1
    if response.request.method != case.operation.method.upper():
        return
    name = operation_of(case)["operationId"]
    error = ""
    if response.status_code >= 400 and response.content:
        error = json.loads(response.content).get("error", "")
    FIGURES["answers"][f"{name} {response.status_code} {error}".rstrip()] += 1
    parent = context.internals.find_parent(case_id=case.id)
    if phase == TestPhase.STATEFUL and parent is not None:
        FIGURES["links"][f"{operation_of(parent)['operationId']} {name}"] += 1


@atexit.register
def write_figures():
    Path(SETTINGS["figures"]).write_text(json.dumps(FIGURES))
