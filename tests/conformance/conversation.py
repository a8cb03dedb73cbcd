"""One conversation with a server: a case's bytes go in, and what the server made of them comes out.

Owns what counts as answered, refused and kept open, and gives each case what a
server asks for and a parser does not: a `Host`, and an end. This file must not
know any suite, nor which outcomes are right.
"""

import contextlib
import re
import socket
from typing import NamedTuple

LIMIT = 5  # seconds until a server must have said everything

# What the engine itself answers; everything else comes from a route, so its request was framed.
ENGINE = {400, 408, 413, 414, 417, 431, 501, 505}
BROKEN = {500, 503}

REQUEST_LINE = re.compile(rb"^[!-~]+ [^\r\n]* HTTP/1\.1\r\n", re.MULTILINE)
HOST = re.compile(rb"^[ \t]*host[ \t]*:", re.MULTILINE | re.IGNORECASE)
AFTER = b"GET /api/health HTTP/1.1\r\nHost: conformance\r\nConnection: close\r\n\r\n"
HEALTHY = b'{"status":"ok"}'


class Expected(NamedTuple):
    """So many requests are answered, and then the connection is `open`, `closed` or `refused`;
    or it is `waiting` for the rest of a request."""

    answered: int
    end: str

    def __str__(self):
        return f"{self.answered} answered, then {self.end}"


class Case(NamedTuple):
    name: str
    data: bytes
    expected: Expected


class Outcome(NamedTuple):
    answered: int
    end: str  # as in Expected, and behind `refused` the status; else `cut` or `broken`
    answers: list  # every answer's bytes, in order

    def __str__(self):
        return f"{self.answered} answered, then {self.end}"

    def is_as(self, expected):
        return self.answered == expected.answered and self.end.split()[0] == expected.end


def with_hosts(data):
    """Each head of HTTP/1.1 has a `Host`. A parser asks for none and a server must (RFC 9112
    section 3.2); without this, cases would be refused for a reason that is not theirs."""
    parts, end = [], 0
    for line in REQUEST_LINE.finditer(data):
        parts.append(data[end : line.end()])
        end = line.end()
        if not HOST.search(data[end:].split(b"\r\n\r\n")[0]):
            parts.append(b"Host: conformance\r\n")
    return b"".join(parts) + data[end:]


def ask(port, case, *, piecewise=False):
    """The case's outcome. What follows its last byte depends on what the suite expects: nothing
    where a request is unfinished, else one more request, which is answered only if the server
    and the suite agree where the case ends. Before it comes an empty line if the case should be
    refused: a parser may have enough before a head's or a body's end, and a server reads it all."""
    blank = b"\r\n\r\n" if case.expected.end == "refused" else b""
    after = b"" if case.expected.end == "waiting" else blank + AFTER
    try:
        received = exchange(port, with_hosts(case.data) + after, piecewise)
        answers = [answer for answer in split(received) if status(answer) >= 200]
    except (OSError, ValueError) as error:
        return Outcome(0, f"broken: {error}", [])
    return judged(answers, waited=not after)


def judged(answers, waited):
    """What a conversation's answers come to."""
    before = len(answers) - 1
    last = answers[-1] if answers else b""
    said = b"\r\nConnection: close\r\n" in last
    if BROKEN.intersection(map(status, answers)):
        return Outcome(before, f"broken: {last!r}", answers)
    if last.endswith(HEALTHY):
        return Outcome(before, "open", answers)
    if last and said and status(last) in ENGINE:
        return Outcome(before, f"refused {status(last)}", answers)
    if waited:
        return Outcome(len(answers), "waiting", answers)
    return Outcome(len(answers), "closed" if said or not last else "cut", answers)


def exchange(port, data, piecewise):
    """Everything that the server sends until it closes."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as connection:
        connection.settimeout(LIMIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A server that has refused may close before everything is sent; what it said is read.
        with contextlib.suppress(OSError):
            for piece in [bytes([byte]) for byte in data] if piecewise else [data]:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        received = bytearray()
        while piece := connection.recv(65536):
            received += piece
        return bytes(received)


def split(received):
    """The answers in a connection's bytes."""
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
        size = int(length[1]) if length else 0
        # The answer to HEAD tells the length of a body that is not there.
        body = b"" if not rest or rest.startswith(b"HTTP/") else rest[:size]
        if len(body) not in (0, size):
            raise ValueError(f"an answer has {len(body)} of {size} bytes")
        yield head + b"\r\n\r\n" + body
        received = rest[len(body) :]


def status(answer):
    line = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", answer)
    if not line:
        raise ValueError(f"no answer begins with {answer[:20]!r}")
    return int(line[1])
