"""The requests with which llhttp, the parser of Node.js, is tested, as cases.

Owns reading the corpus: Markdown files, with a request and the expected log of the
parser in each section. It knows nothing of lictor's answers.
"""

import re
from collections import Counter

from conversation import Case, Expected

# The relevant parts of a file: headings, and fenced requests and logs.
PART = re.compile(r"^#+ (?P<title>[^\n]+)$|^```(?P<kind>http|log)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
CLOSED, UPGRADED = 5, 22  # llhttp's codes for the end of HTTP on a connection; not errors
KEEP_ALIVE, CLOSE = 1, 2  # its flags for the options of `Connection`


def cases(source):
    """The cases; `source` is an unpacked source distribution with the tests of llhttp."""
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
    """The bytes of a request in the notation of the corpus, which its test runner defines."""
    text = text.removesuffix("\n").replace("\\\n", "").replace("\n", "\r\n")
    for escape, meaning in [(r"\r", "\r"), (r"\n", "\n"), (r"\t", "\t"), (r"\f", "\f")]:
        text = text.replace(escape, meaning)
    text = re.sub(r"\\x([0-9a-fA-F]+)", lambda digits: chr(int(digits[1], 16)), text)
    text = re.sub(r"\\([0-7]{1,3})", lambda digits: chr(int(digits[1], 8)), text)
    # A request target has no fragment. Cases about other things have one, and lictor would refuse them
    # for the fragment.
    return text.encode().replace(b"?q=search#hey ", b"?q=search ")


def understood(request, log):
    """The bytes to send, and the expected outcome by the log of the parser."""
    answered = log.count("message complete")
    begun = log.count("message begin")
    error = re.search(r"^off=(\d+) error code=(\d+)", log, re.MULTILINE)
    offset, code = (int(error[1]), int(error[2])) if error else (0, 0)
    if code == UPGRADED:
        # The bytes after it belong to another protocol, if the server upgrades; lictor never does.
        request = request[:offset]
    elif code not in (0, CLOSED):
        return request, Expected(answered, "refused")
    if answered < begun:
        return request, Expected(answered, "waiting")
    major, minor, flags = re.findall(r"headers complete .*v=(\d)/(\d) flags=([0-9a-f]+)", log)[-1]
    flags = int(flags, 16)
    persists = not flags & CLOSE and ((major, minor) >= ("1", "1") or flags & KEEP_ALIVE)
    return request, Expected(answered, "open" if persists else "closed")
