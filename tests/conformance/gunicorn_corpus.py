"""The requests with which gunicorn tests its parser, as cases.

Owns reading the corpus: each request is in a file, and the expected result in
another beside it; the loader of the corpus reads both. It knows nothing of lictor's
answers.
"""

import importlib
import sys

from conversation import Case, Expected


def cases(source):
    """The cases; `source` is the unpacked source distribution of gunicorn."""
    sys.path[:0] = [str(source), str(source / "tests")]
    loader = importlib.import_module("treq")
    errors = importlib.import_module("gunicorn.http.errors")
    unfinished = errors.NoMoreData, errors.ChunkMissingTerminator
    for request in sorted((source / "tests" / "requests").glob("*/*.http")):
        wanted = loader.load_py(str(request.with_suffix(".py")))["request"]
        name = f"{request.parent.name}/{request.stem}"
        if request.parent.name == "valid":
            requests = wanted if isinstance(wanted, list) else [wanted]
            end = "open" if persists(requests[-1]) else "closed"
            yield Case(name, loader.request(str(request), wanted).data, Expected(len(requests), end))
        else:
            end = "waiting" if wanted in unfinished else "refused"
            yield Case(name, loader.badrequest(str(request)).data, Expected(0, end))


def persists(request):
    """Whether the connection stays open after the request (RFC 9112 section 9.3)."""
    options = [value.lower() for name, value in request["headers"] if name == "CONNECTION"]
    return "close" not in options and (request["version"] >= (1, 1) or "keep-alive" in options)
