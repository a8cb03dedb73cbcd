"""docs/openapi.json says the same as docs/endpoints.md, and is whole: errors, shared answers, links."""

import json
import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DOCUMENT = json.loads((ROOT / "docs/openapi.json").read_text())
COMPONENTS = DOCUMENT["components"]
METHODS = ("get", "post", "put", "delete")
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}


def resolved(value):
    while "$ref" in value:
        kind, name = value["$ref"].split("/")[-2:]
        value = COMPONENTS[kind][name]
    return value


def responses():
    """Each operation's id, a status and the response."""
    for name, (_, _, operation) in OPERATIONS.items():
        for status, response in operation["responses"].items():
            yield name, int(status), resolved(response)


def table_of_errors():
    page = (ROOT / "docs/endpoints.md").read_text()
    return {name: int(status) for name, status in re.findall(r"^\| `(\w+)` \| (\d+) \|", page, re.M)}


class Errors(unittest.TestCase):
    def test_they_are_those_of_the_table_in_endpoints_md(self):
        examples = {name: one["value"] for name, one in COMPONENTS["examples"].items()}
        self.assertEqual({name: one["status_code"] for name, one in examples.items()}, table_of_errors())
        for name, value in examples.items():
            self.assertEqual(value["error"], name)

    def test_each_stands_at_its_status_with_an_example_and_its_meaning(self):
        table = table_of_errors()
        for operation, status, response in responses():
            self.assertEqual(status >= 400, "x-errors" in response, (operation, status))
            for name in response.get("x-errors", []):
                self.assertEqual(table[name], status, (operation, name))
                example = resolved(response["content"]["application/json"]["examples"][name])
                self.assertEqual(example["value"]["error"], name)
                self.assertIn(f"- `{name}`: ", response["description"])

    def test_each_can_happen_somewhere(self):
        found = {name for _, _, response in responses() for name in response.get("x-errors", [])}
        self.assertEqual(found, set(table_of_errors()))

    def test_every_operation_has_those_of_any_request(self):
        shared = {name for name, one in COMPONENTS["responses"].items() if one.get("x-every-operation")}
        statuses = {COMPONENTS["examples"][COMPONENTS["responses"][name]["x-errors"][0]]["value"]["status_code"] for name in shared}
        self.assertEqual(statuses, {400, 405, 408, 413, 414, 417, 431, 500, 501, 503, 505})
        for name, (method, _, operation) in OPERATIONS.items():
            expected = statuses | ({403} if method != "get" else set())
            self.assertLessEqual({str(status) for status in expected}, set(operation["responses"]), name)
            if method != "get":
                self.assertIn("OriginNotAllowed", resolved(operation["responses"]["403"])["x-errors"], name)


class Operations(unittest.TestCase):
    def test_names_are_unique_and_each_operation_has_one_tag(self):
        count = sum(len(methods) for methods in DOCUMENT["paths"].values())
        self.assertEqual(len(OPERATIONS), count)
        tags = {tag["name"] for tag in DOCUMENT["tags"]}
        for name, (method, _, operation) in OPERATIONS.items():
            self.assertIn(method, METHODS)
            self.assertEqual(len(operation["tags"]), 1, name)
            self.assertIn(operation["tags"][0], tags, name)

    def test_parameters_of_a_path_are_described(self):
        for name, (_, path, operation) in OPERATIONS.items():
            described = [resolved(one) for one in operation.get("parameters", [])]
            described = {one["name"] for one in described if one["in"] == "path"}
            self.assertEqual(described, set(re.findall(r"{(\w+)}", path)), name)

    def test_links_lead_to_operations_and_their_parameters(self):
        links = [link for _, _, response in responses() for link in response.get("links", {}).values()]
        self.assertGreater(len(links), 20)
        for link in links:
            _, _, target = OPERATIONS[link["operationId"]]
            known = {resolved(one)["name"] for one in target.get("parameters", [])}
            self.assertLessEqual(set(link.get("parameters", {})), known, link)

    def test_answers_for_one_reader_are_kept_in_no_cache(self):
        open_to_all = {"hello", "redirectToHello", "listPublicKeys", "getConfig", "getOpenApi"}
        for operation, status, response in responses():
            if status < 400 and operation not in open_to_all:
                self.assertEqual(resolved(response["headers"]["Cache-Control"])["schema"]["enum"], ["no-store"], operation)

    def test_401_says_how_to_authenticate(self):
        for operation, status, response in responses():
            if status == 401:
                self.assertTrue(resolved(response["headers"]["WWW-Authenticate"])["required"], operation)

    def test_fields_have_no_default(self):
        # Generators make such a field one that a client must send. The description says it.
        for name, schema in COMPONENTS["schemas"].items():
            for field, one in schema.get("properties", {}).items():
                self.assertNotIn("default", one, f"{name}.{field}")

    def test_the_version_is_that_of_the_program(self):
        manifest = (ROOT / "Cargo.toml").read_text()
        self.assertEqual(DOCUMENT["info"]["version"], re.search(r'^version = "(.*)"', manifest, re.M)[1])


if __name__ == "__main__":
    unittest.main()
