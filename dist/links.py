"""Makes the links of the packaged documentation true: what a page names must be in the package. A link to
what is in the sources alone becomes text that says so. One that leads nowhere in the sources either, or to
a heading that is not there, is an error.

    python3 -B dist/links.py FOLDER    # the documentation of a package, with the paths of the sources
"""

import re
import sys
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[1]
# A text and what it leads to; or a block of code, in which there are no links.
LINK = re.compile(r"```.*?```|\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)", re.DOTALL)
URL = re.compile(r"[a-z]+:")


def anchors(page):
    """The names of a page's headings, as they are in links."""
    for heading in re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE):
        words = LINK.sub(r"\1", heading).lower()
        yield re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def correct(page, folder, dead):
    """Corrects the links of a page of the folder, and adds those that lead nowhere to `dead`."""

    def corrected(link):
        text, target = link.groups()
        if target is None or URL.match(target):
            return link[0]
        path, _, anchor = target.partition("#")
        named = (page.parent / path).resolve() if path else page
        name = named.relative_to(folder) if named.is_relative_to(folder) else None
        source = name and SOURCES / name
        if not source or not source.exists() or anchor and anchor not in anchors(source):
            dead.append(f"{page.relative_to(folder)}: {target}")
        if not name or named.exists():
            return link[0]
        return f"{text} (in the sources)" if text.strip("`") == str(name) else f"{text} (`{name}` in the sources)"

    page.write_text(LINK.sub(corrected, page.read_text()))


def main(folder):
    dead = []
    for page in sorted(folder.rglob("*.md")):
        correct(page, folder, dead)
    if dead:
        sys.exit("these links lead nowhere:\n" + "\n".join(dead))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
