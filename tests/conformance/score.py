"""lictor against public HTTP/1.1 suites: replays their cases and prints the score.

Owns which cases run, what counts as passed, and the output. A case passes with the
outcome that the suite expects, or with the one that differences.py lists with its
reason.

    V/bin/python -B score.py SUITES     (LICTOR_BIN names another binary)

SUITES is the folder with the unpacked sources of suites.txt.
"""

import json
import sys
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import gunicorn_corpus
import lint
import llhttp_corpus
from conversation import ask, exchange, split, status
from differences import DIFFERENCES

sys.path.append(str(Path(__file__).resolve().parents[1] / "praetorian"))
from servers import Lictor, lictor_binary, running  # noqa: E402

CLEAN = "nothing"

PERSON = b'{"username": "alice", "password": "seven wet otters"}'
OTHER_ORIGIN = {"Origin": "https://app.example"}
PREFLIGHT = {**OTHER_ORIGIN, "Access-Control-Request-Method": "POST"}

# Requests for every kind of answer of the API and the pages, for httplint: method, path, fields, body.
REQUESTS = [
    ("POST", "/api/registration", {}, PERSON),
    ("POST", "/api/registration", OTHER_ORIGIN, PERSON),
    ("POST", "/api/registration", {}, b"{}"),
    ("POST", "/api/login", OTHER_ORIGIN, PERSON),
    ("POST", "/api/login", {}, PERSON.replace(b"wet", b"dry")),
    ("POST", "/api/login", {}, b"null"),
    ("POST", "/api/refresh", {}, b"no token"),
    ("GET", "/api/protected", {}, b""),
    ("GET", "/api/verify", {}, b""),
    ("GET", "/api/", {}, b""),
    ("HEAD", "/api/", {}, b""),
    ("GET", "/api?a=1", {}, b""),
    ("GET", "/api/health", OTHER_ORIGIN, b""),
    ("GET", "/api/login", {}, b""),
    ("OPTIONS", "/api/login", {}, b""),
    ("OPTIONS", "/api/login", PREFLIGHT, b""),
    ("OPTIONS", "*", {}, b""),
    ("GET", "/", {}, b""),
    ("GET", "/", {"Accept-Encoding": "gzip"}, b""),
    ("GET", "/", {"If-None-Match": "*"}, b""),
    ("HEAD", "/", {"Accept-Encoding": "gzip"}, b""),
    ("GET", "/favicon.svg", {}, b""),
    ("GET", "/nothing.js", {}, b""),
    ("POST", "/", {}, b""),
    ("OPTIONS", "/", {}, b""),
]
RESOURCES = ["/api/", "/api", "/api/protected", "/api/verify", "/api/health", "/api/login", "/api/config"]
RESOURCES += ["/", "/no-such-page", "/favicon.svg", "/nothing.js"]


class Result(NamedTuple):
    wanted: str
    got: str
    agrees: bool


def replay(port, cases, answers):
    """The result of each case; adds the answers to `answers`, for httplint."""
    results = {}
    for case in cases:
        outcome, in_pieces = ask(port, case), ask(port, case, piecewise=True)
        got = str(outcome)
        if got != str(in_pieces):
            got += f"; byte by byte {in_pieces}"
        assert case.name not in results, f"{case.name} is there twice"
        results[case.name] = Result(str(case.expected), got, got == str(in_pieces) and outcome.is_as(case.expected))
        answers.update({named(answer): answer for answer in outcome.answers})
    return results


def named(answer):
    """A name for an answer: its status and its content."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"\r\nContent-Type: application/json" not in head:
        return f"{status(answer)} {'a file' if body else 'without body'}"
    said = json.loads(body) if body else {}
    return f"{status(answer)} {said.get('message', '/'.join(said) or 'without body')}"


def linted(port, answers):
    """The warnings of httplint about the answers of the suites and of the API."""
    # An answer with a length and without a body is one to HEAD; split() ensures that.
    faults = {
        name: lint.answer_faults(answer, b"HEAD / HTTP/1.1" if answer.endswith(b"\r\n\r\n") else b"GET / HTTP/1.1")
        for name, answer in answers.items()
    }
    for method, path, fields, body in REQUESTS:
        fields = {"Host": "conformance", "Content-Length": len(body), **fields}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        request = f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body
        [answer] = split(exchange(port, request, piecewise=False))
        name = f"{method} {path}: {named(answer)}"
        faults[name] = lint.answer_faults(answer, request)
    return faults


def crawled(server):
    """The warnings of REDbot about the resources, requested by a logged-in user."""
    token = server.send("POST", "/api/login", [], PERSON).json["access_token"]
    fields = [("Authorization", f"Bearer {token}")]
    return lint.resource_faults(
        {f"GET {path}": (f"http://127.0.0.1:{server.port}{path}", fields) for path in RESOURCES}
    )


def spotless(faults):
    results = {name: ", ".join(found) or CLEAN for name, found in faults.items()}
    return {name: Result(CLEAN, got, got == CLEAN) for name, got in results.items()}


def wrong(listed, results):
    """One line for each failed case."""
    for name, (wanted, got, agrees) in results.items():
        reason, written = listed.get(name, ("", ""))
        if agrees and reason:
            yield f"{name}: no longer a difference, so take it out of differences.py"
        elif not agrees and not reason:
            yield f"{name}: {got}; the suite expects: {wanted}"
        elif got != written and reason:
            yield f"{name}: {got}; differences.py says: {written}"
    for name in listed.keys() - results.keys():
        yield f"{name}: in differences.py, but the suite has no such case"


def tell(suite, number, results):
    """Prints the score of a suite; returns how many passed and failed."""
    failures = list(wrong(DIFFERENCES[suite], results))
    score = [f"{sum(result.agrees for result in results.values())} of {len(results)} as expected"]
    otherwise = Counter(kind(results[name]) for name in DIFFERENCES[suite] if name in results)
    score += [f"{count} {how} on purpose" for how, count in otherwise.items()]
    print(f"{suite} {number}: {', '.join(score)}")
    for failure in failures:
        print(f"  WRONG {failure}")
    return len(results.keys() | DIFFERENCES[suite].keys()) - len(failures), len(failures)


def kind(result):
    if result.wanted == CLEAN:
        return "otherwise"
    return "laxer" if "refused" in result.wanted else "stricter"


def main():
    if lictor_binary() is None:
        sys.exit("no lictor binary: run `cargo build` first, or set LICTOR_BIN")
    [suites] = map(Path, sys.argv[1:])
    [gunicorn], [aiohttp] = suites.glob("gunicorn-*/"), suites.glob("aiohttp-*/")
    llhttp = json.loads((aiohttp / "vendor" / "llhttp" / "package.json").read_text())
    answers = {}
    with running(Lictor) as server:
        requests = replay(server.port, gunicorn_corpus.cases(gunicorn), answers)
        scores = [tell("gunicorn", gunicorn.name.removeprefix("gunicorn-"), requests)]
        requests = replay(server.port, llhttp_corpus.cases(aiohttp), answers)
        scores += [
            tell("llhttp", llhttp["version"], requests),
            tell("httplint", version("httplint"), spotless(linted(server.port, answers))),
            tell("REDbot", version("redbot"), spotless(crawled(server))),
        ]
    passed, failed = (sum(numbers) for numbers in zip(*scores))
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
