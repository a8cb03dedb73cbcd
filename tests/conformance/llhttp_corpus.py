"""The requests that llhttp, the parser of Node.js, is tested with, as cases.

Owns how the corpus is read: Markdown files, in each section a request and the
log of what the parser must say to it. This file must not know how lictor answers.
"""

import re
from collections import Counter

from conversation import Case, Expected

# What a file consists of, as far as it matters: headings, and fenced requests and logs.
PART = re.compile(r"^#+ (?P<title>[^\n]+)$|^```(?P<kind>http|log)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
CLOSED, UPGRADED = 5, 22  # llhttp's errors that are none: how a connection goes on
KEEP_ALIVE, CLOSE = 1, 2  # its flags for what `Connection` says


def cases(source):
    """`source` is a source distribution that has llhttp's tests in it, unpacked."""
    for file in sorted((source / "vendor" / "llhttp" / "test" / "request").glob("*.md")):
        seen = Counter()
        title = request = None
        for part in PART.finditer(file.read_text(encoding="utf-8")):
            if part["title"]:
                title = part["title"]
            elif part["kind"] == "http":
                request = unescape(part["text"])
            else:
                seen[title] += 1
                again = f" ({seen[title]})" if seen[title] > 1 else ""
                yield Case(f"{file.stem}/{title}{again}", *understood(request, part["text"]))


def unescape(text):
    """A request's bytes, from the notation that the corpus describes in its test runner."""
    text = text.removesuffix("\n").replace("\\\n", "").replace("\n", "\r\n")
    for escape, meaning in [(r"\r", "\r"), (r"\n", "\n"), (r"\t", "\t"), (r"\f", "\f")]:
        text = text.replace(escape, meaning)
    text = re.sub(r"\\x([0-9a-fA-F]+)", lambda digits: chr(int(digits[1], 16)), text)
    text = re.sub(r"\\([0-7]{1,3})", lambda digits: chr(int(digits[1], 8)), text)
    # A fragment does not belong into a target. Cases about other things have one, and would be
    # refused for it instead of what they are about.
    return text.encode().replace(b"?q=search#hey ", b"?q=search ")


def understood(request, log):
    """The bytes to send and what is expected, from the parser's log."""
    answered = log.count("message complete")
    begun = log.count("message begin")
    error = re.search(r"^off=(\d+) error code=(\d+)", log, re.MULTILINE)
    offset, code = (int(error[1]), int(error[2])) if error else (0, 0)
    if code == UPGRADED:
        # What follows is another protocol's, if the server goes along; lictor never does.
        request = request[:offset]
    elif code not in (0, CLOSED):
        return request, Expected(answered, "refused")
    if answered < begun:
        return request, Expected(answered, "waiting")
    major, minor, flags = re.findall(r"headers complete .*v=(\d)/(\d) flags=([0-9a-f]+)", log)[-1]
    flags = int(flags, 16)
    persists = not flags & CLOSE and ((major, minor) >= ("1", "1") or flags & KEEP_ALIVE)
    return request, Expected(answered, "open" if persists else "closed")
