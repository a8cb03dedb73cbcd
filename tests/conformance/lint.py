"""The warnings of httplint and REDbot about lictor's answers.

Owns which of their notes count: every warning. httplint reads the bytes of an
answer; REDbot requests a resource itself, in the ways of clients and caches. It
knows nothing of which warnings are accepted.
"""

import functools
from configparser import ConfigParser

import thor
from httplint import HttpRequestLinter, HttpResponseLinter
from httplint import status as statuses
from httplint.note import levels
from redbot.resource import HttpResource

FAULTS = (levels.WARN, levels.BAD)
REDBOT_LIMIT = 300  # seconds within which REDbot must finish all resources
ATTEMPTS = 3


def answer_faults(answer, request):
    """The warnings of httplint about the bytes of an answer to the request."""
    asked = HttpRequestLinter()
    line, fields, _ = parts(request)
    asked.process_request_topline(*line)
    asked.process_headers(fields)
    linter = HttpResponseLinter()
    linter.request = asked
    linter.is_head_response = line[0] == b"HEAD"
    (protocol, status, phrase), fields, body = parts(answer)
    linter.process_response_topline(protocol.removeprefix(b"HTTP/"), status, phrase)
    linter.process_headers(fields)
    linter.feed_content(body)
    linter.finish_content(True)
    return faults(linter.notes)


def parts(message):
    head, _, body = message.partition(b"\r\n\r\n")
    line, *fields = head.split(b"\r\n")
    return line.split(b" ", 2), [tuple(field.split(b":", 1)) for field in fields], body


def resource_faults(asked):
    """The warnings of REDbot about each resource, or that it could not get it. `asked` has a URL and
    header fields for each name."""
    config = ConfigParser()
    config.read_dict({"redbot": {"enable_local_access": "True"}})
    found_of = dict.fromkeys(asked, ["not finished"])
    # One after the other, each several times if it has faults: REDbot compares the time at which it comes to an
    # answer with that in the answer, and on a busy machine it may come to one late.
    waiting = [name for name in asked for _ in range(ATTEMPTS)]

    def begin():
        if not waiting:
            return thor.stop()
        name = waiting.pop(0)
        address, fields = asked[name]
        resource = HttpResource(config["redbot"])
        resource.set_request(address, headers=fields)
        resource.on("check_done", functools.partial(finished, name, resource))
        resource.check()

    def finished(name, resource):
        found_of[name] = found(resource)
        while not found_of[name] and name in waiting:
            waiting.remove(name)
        thor.schedule(0, begin)

    thor.schedule(REDBOT_LIMIT, thor.stop)
    thor.schedule(0, begin)
    thor.run()
    return found_of


def found(resource):
    if not resource.check_done or not resource.response.complete:
        return [f"not finished: {resource.fetch_error!r}"]
    checks = [resource, *resource.subreqs.values()]
    return sorted({fault for check in checks for fault in faults(check.response.notes)})


def faults(notes):
    """The names of the warnings, without those that only explain a status."""
    warnings = [type(note) for note in notes if note.level in FAULTS]
    return [warning.__name__ for warning in warnings if warning.__module__ != statuses.__name__]
