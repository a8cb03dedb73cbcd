"""The commands of docs/vps.md, and what the test puts in the place of some, with its reasons.

Owns the page. check.py runs it.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/vps.md").read_text()

OWN_COMPUTER, OTHER_MACHINE = "# on your own computer", "# on the other machine"

# (what the page says, what runs, how often it is there, why)
REPLACED = [
    (
        "cat >/etc/caddy/Caddyfile <<'END'\n",
        "cat >/etc/caddy/Caddyfile <<'END'\n{\n\tlocal_certs\n\tskip_install_trust\n}\n",
        1,
        "no ACME server is reached: Caddy is its own authority, which the machine trusts",
    ),
    ("lictor restore /", "lictor restore --yes /", 1, "nobody is at a terminal to confirm"),
    ("lictor restore ~/lictor-backup --env", "lictor restore --yes ~/lictor-backup --env", 1, "the same"),
]


class Block:
    """A block of commands: its text, and whose shell it is for."""

    def __init__(self, text):
        self.text = text
        first = text.splitlines()[0]
        self.place = next((place for place in (OWN_COMPUTER, OTHER_MACHINE) if first.startswith(place)), None)

    def replaced(self):
        text = self.text
        for said, runs, _, _ in REPLACED:
            text = text.replace(said, runs)
        return text


def sections():
    """The blocks below each heading, by the heading's number."""
    for said, _, count, _ in REPLACED:
        assert PAGE.count(said) == count, f"docs/vps.md has {said!r} {PAGE.count(said)} times"
    parts = re.split(r"^## (\d+)\. .*$", PAGE, flags=re.MULTILINE)
    assert "```" not in parts[0]
    found = {}
    for number, text in zip(parts[1::2], parts[2::2]):
        fences = re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        assert fences and all(language == "sh" for language, _ in fences), f"step {number}: only ```sh is run"
        found[int(number)] = [Block(block) for _, block in fences]
    assert list(found) == list(range(1, len(found) + 1))
    return found
