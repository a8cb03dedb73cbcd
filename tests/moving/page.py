"""The commands of docs/from-flask.md, which the tests run as a reader would.

An HTML comment before a block of commands names it: `<!-- run: import -->`. It knows nothing of the tests.
"""

import re
import textwrap
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs/from-flask.md"
BLOCK = re.compile(r"^ *<!-- run: ([\w-]+) -->\n+ *```sh\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def commands():
    """The blocks by their names."""
    found = BLOCK.findall(PAGE.read_text())
    blocks = {name: textwrap.dedent(text) for name, text in found}
    assert len(blocks) == len(found), "two blocks have one name"
    return blocks
