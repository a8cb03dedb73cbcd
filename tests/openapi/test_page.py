"""docs/api.html, and what makes it: nothing is loaded, everything is escaped, and each link leads somewhere."""

import copy
import json
import sys
import unittest
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from openapi_page.page import page  # noqa: E402

SOURCE = (ROOT / "docs/openapi.json").read_text()
DOCUMENT = json.loads(SOURCE)
EVIL = "<script>alert('&amp;')</script>"
VOID = {"meta", "link", "wbr", "br", "img", "input"}


class Reader(HTMLParser):
    """Collects the elements of a page; fails if one closes that is not open."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.ids, self.targets, self.tags, self.words, self.open = [], [], set(), [], []
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError(f"not closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.add(tag)
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.targets += [attributes[name] for name in ("href", "src") if name in attributes]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        self.words.append(data)

    def text(self):
        return "".join(self.words)


class Page(unittest.TestCase):
    def setUp(self):
        self.html = page(DOCUMENT)
        self.read = Reader(self.html)

    def test_it_loads_nothing_and_runs_nothing(self):
        self.assertFalse(self.read.tags & {"script", "link", "img", "iframe", "object", "form"}, self.read.tags)
        self.assertNotIn("url(", self.html)
        self.assertNotIn("@import", self.html)
        for target in self.read.targets:
            self.assertTrue(target.startswith("#") or target == "openapi.json", target)

    def test_each_link_leads_to_one_place(self):
        self.assertEqual(len(self.read.ids), len(set(self.read.ids)))
        for target in self.read.targets:
            if target.startswith("#"):
                self.assertIn(target[1:], self.read.ids)

    def test_every_operation_schema_and_error_has_a_place(self):
        wanted = [op["operationId"] for methods in DOCUMENT["paths"].values() for op in methods.values()]
        wanted += [f"schema-{name}" for name in DOCUMENT["components"]["schemas"]]
        wanted += [f"error-{name}" for name in DOCUMENT["components"]["examples"]]
        self.assertLessEqual(set(wanted), set(self.read.ids))

    def test_every_text_is_escaped(self):
        # Each text of the document that is no key, no name and no reference, with what must not become HTML.
        changed = spoilt(copy.deepcopy(DOCUMENT))
        read = Reader(page(changed))
        self.assertNotIn("script", read.tags)
        self.assertGreater(read.text().count(EVIL), 300)

    def test_the_same_document_makes_the_same_page(self):
        self.assertEqual(page(json.loads(SOURCE)), self.html)


TEXTS = ("description", "summary", "message", "pattern", "title", "example")


def spoilt(value):
    if isinstance(value, dict):
        return {
            key: one + EVIL if key in TEXTS and isinstance(one, str) else spoilt(one)
            for key, one in value.items()
        }
    return [spoilt(one) for one in value] if isinstance(value, list) else value


if __name__ == "__main__":
    unittest.main()
