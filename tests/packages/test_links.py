"""The links of the packaged documentation."""

import re
import shutil

import pytest

from places import ROOT, run

DOCUMENTATION = "usr/share/doc/lictor"


@pytest.fixture
def documentation(built, tmp_path):
    run("dpkg-deb", "--extract", built.deb(), tmp_path)
    return tmp_path / DOCUMENTATION


def test_what_pages_link_to_is_in_the_package(documentation):
    pages = sorted(documentation.rglob("*.md"))
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text())]
    files = [(page, link.partition("#")[0]) for page, link in links if not re.match("[a-z]+:|#", link)]
    assert len(files) > 100
    dead = [f"{page.name}: {file}" for page, file in files if not (page.parent / file).exists()]
    assert dead == []
    # What is in the sources alone is named, and not linked to.
    assert "ARCHITECTURE.md (in the sources)" in (documentation / "README.md").read_text()


def test_a_link_that_leads_nowhere_ends_the_build(tmp_path):
    script = tmp_path / "dist/links.py"
    script.parent.mkdir()
    shutil.copy(ROOT / "dist/links.py", script)
    page = tmp_path / "pages/page.md"
    page.parent.mkdir()
    for text, code in [
        ("[here](#a-heading) [there](other.md) [far](https://x.example/y)\n# A heading\n```\n[x](code)\n```\n", 0),
        ("[there](missing.md)", 1),
        ("[there](#missing)\n# A heading\n", 1),
        ("[there](other.md#missing)", 1),
        ("[there](../../outside)", 1),
    ]:
        for folder in (page.parent, tmp_path):
            (folder / "page.md").write_text(text)
            (folder / "other.md").write_text("# Other\n")
        printed = run("python3", "-B", script, page.parent, code=code)
        assert code == 0 or "page.md: " in printed, printed
