"""One connection to a server: sends the bytes of a case and classifies the outcome.

Owns the meaning of answered, refused and open, and adds to each case what a server
requires and a parser does not: a `Host`, and an end. It knows no suite and no right
outcome.
"""

import contextlib
import re
import socket
from typing import NamedTuple

LIMIT = 120  # seconds within which a server must have sent everything

# Statuses of the engine itself. Any other comes from a route, so the request was framed.
ENGINE = {400, 408, 413, 414, 417, 431, 501, 505}
BROKEN = {500, 503}

REQUEST_LINE = re.compile(rb"^[!-~]+ [^\r\n]* HTTP/1\.1\r\n", re.MULTILINE)
HOST = re.compile(rb"^[ \t]*host[ \t]*:", re.MULTILINE | re.IGNORECASE)
AFTER = b"GET /api/ready? HTTP/1.1\r\nHost: conformance\r\nConnection: close\r\n\r\n"
READY = b'{"status":"ready"}'


class Expected(NamedTuple):
    """The number of answered requests, and the state of the connection after them: `open`, `closed`,
    `refused`, or `waiting` for the rest of a request."""

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
    end: str  # as in Expected, with the status after `refused`; or `cut` or `broken`
    answers: list  # the bytes of every answer, in order

    def __str__(self):
        return f"{self.answered} answered, then {self.end}"

    def is_as(self, expected):
        return self.answered == expected.answered and self.end.split()[0] == expected.end


def with_hosts(data):
    """Adds a `Host` to each HTTP/1.1 head without one. A server must require it (RFC 9112 section 3.2)
    and a parser does not; without it, the server would refuse cases for another reason than theirs."""
    parts, end = [], 0
    for line in REQUEST_LINE.finditer(data):
        parts.append(data[end : line.end()])
        end = line.end()
        if not HOST.search(data[end:].split(b"\r\n\r\n")[0]):
            parts.append(b"Host: conformance\r\n")
    return b"".join(parts) + data[end:]


def ask(port, case, *, piecewise=False):
    """Sends the case; returns its outcome. If the suite expects an unfinished request, nothing follows.
    Otherwise one more request follows, which is answered only if the server and the suite agree on
    the end of the case. An empty line precedes it if the case should be refused, because a parser may
    refuse before the end of a head or a body, and a server reads all of it."""
    blank = b"\r\n\r\n" if case.expected.end == "refused" else b""
    after = b"" if case.expected.end == "waiting" else blank + AFTER
    try:
        received = exchange(port, with_hosts(case.data) + after, piecewise)
        answers = [answer for answer in split(received) if status(answer) >= 200]
    except (OSError, ValueError) as error:
        return Outcome(0, f"broken: {error}", [])
    return judged(answers, waited=not after)


def judged(answers, waited):
    """The outcome that the answers show."""
    before = len(answers) - 1
    last = answers[-1] if answers else b""
    announced = b"\r\nConnection: close\r\n" in last
    if BROKEN.intersection(map(status, answers)):
        return Outcome(before, f"broken: {last!r}", answers)
    if last.endswith(READY):
        return Outcome(before, "open", answers)
    if last and announced and status(last) in ENGINE:
        return Outcome(before, f"refused {status(last)}", answers)
    if waited:
        return Outcome(len(answers), "waiting", answers)
    return Outcome(len(answers), "closed" if announced or not last else "cut", answers)


def exchange(port, data, piecewise):
    """Sends the bytes; returns everything that the server sends until it closes."""
    with socket.create_connection(("127.0.0.1", port), LIMIT) as connection:
        connection.settimeout(LIMIT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A server may refuse and close before everything is sent; its answer is read anyway.
        with contextlib.suppress(OSError):
            for piece in [bytes([byte]) for byte in data] if piecewise else [data]:
                connection.sendall(piece)
            connection.shutdown(socket.SHUT_WR)
        received = bytearray()
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionResetError:
            # After its answer, a server waits only some time for a client that still sends.
            if not received:
                raise
        return bytes(received)


def split(received):
    """Splits the received bytes into answers."""
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
        size = int(length[1]) if length else 0
        # The answer to HEAD has the length of a body that does not follow.
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
