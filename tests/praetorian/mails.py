"""The mails that a server wrote to a folder: recipient, link, token.

It knows nothing of the server and of the words of the mails.
"""

import email
import email.policy
import re
import time
from pathlib import Path
from typing import NamedTuple

ARRIVAL_LIMIT = 120  # seconds within which a mail must arrive
LINK = re.compile(r"(https?://[^\s\"'<>?]+)\?token=([\w-]+\.[\w-]+\.[\w-]+)")


class Mail(NamedTuple):
    to: list  # e-mail addresses
    links: list  # different pairs of page and token


class Mailbox:
    """A folder of mails. Each mail with a link is returned once."""

    def __init__(self, folder, pattern):
        self.folder = Path(folder)
        self.pattern = pattern
        self.taken = set()

    def link(self, address):
        """Waits for the next mail with a link to this recipient; returns the page and the token."""
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
    # Flask sends to any recipient, even to none.
    to = [person.addr_spec for person in message["To"].addresses] if message["To"] else []
    return Mail(to, sorted(set(LINK.findall(text))))
