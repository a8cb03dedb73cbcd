"""The mails of a server, which it keeps as files in a folder: for whom, which link, which token.

It must not know who sent them, nor what their words are.
"""

import email
import email.policy
import re
import time
from pathlib import Path
from typing import NamedTuple

ARRIVAL_LIMIT = 20  # seconds until a mail must be there
LINK = re.compile(r"(https?://[^\s\"'<>?]+)\?token=([\w-]+\.[\w-]+\.[\w-]+)")


class Mail(NamedTuple):
    to: list  # addresses
    links: list  # pairs of page and token, each once


class Mailbox:
    """A folder of mails; each that has a link is given out once, to whoever asks for its address."""

    def __init__(self, folder, pattern):
        self.folder = Path(folder)
        self.pattern = pattern
        self.taken = set()

    def link(self, address):
        """Page and token of the next mail to this address that has a link; waits for it."""
        deadline = time.monotonic() + ARRIVAL_LIMIT
        while time.monotonic() < deadline:
            for path, mail in self.unread(address):
                if mail.links:
                    self.taken.add(path)
                    [link] = mail.links
                    return link
            time.sleep(0.02)
        raise AssertionError(f"no mail with a link came to {address}; the folder: {sorted(self.folder.glob('*'))}")

    def token(self, address):
        return self.link(address)[1]

    def unread(self, address):
        paths = sorted(set(self.folder.glob(self.pattern)) - self.taken)
        mails = [(path, read(path)) for path in paths]
        return [(path, mail) for path, mail in mails if address in mail.to]


def read(path):
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    text = message.get_body(("plain", "html")).get_content()
    # Flask sends to whatever it was told, also to nobody.
    to = [person.addr_spec for person in message["To"].addresses] if message["To"] else []
    return Mail(to, sorted(set(LINK.findall(text))))
