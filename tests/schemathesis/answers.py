"""What the document says about an answer beyond what schemathesis checks: the name of the error, fields that are
not documented in the header or in the body.

It knows nothing of schemathesis.
"""

import copy
import json

import jsonschema_rs

# What `requests` and the connection add, whatever the server sends.
OF_THE_CONNECTION = {"connection", "content-length", "date"}


class Document:
    def __init__(self, text):
        self.root = json.loads(text)
        self.every = {name.lower() for name in self.names(self.root["x-every-answer"])} | OF_THE_CONNECTION
        self.validators = {}

    @staticmethod
    def names(of):
        """The names of fields: a list of them, of objects with a `name`, or an object with these keys."""
        return [name if isinstance(name, str) else name["name"] for name in of]

    def at(self, thing):
        """The thing itself, if this is a reference to it."""
        while "$ref" in thing:
            here = self.root
            for part in thing["$ref"].removeprefix("#/").split("/"):
                here = here[part.replace("~1", "/").replace("~0", "~")]
            thing = here
        return thing

    def operations(self):
        for path, item in self.root["paths"].items():
            for method in ("get", "put", "post", "delete", "patch"):
                if method in item:
                    yield method.upper(), path, item[method]

    def links(self):
        """Each link: operation, status, name, operation that it leads to."""
        for _, _, operation in self.operations():
            for status, response in operation["responses"].items():
                for name, link in self.at(response).get("links", {}).items():
                    yield operation["operationId"], status, name, self.at(link)["operationId"]

    def ways(self, operation):
        """The names of the security schemes that an operation accepts, and "" if it needs none."""
        needed = operation.get("security", self.root.get("security", []))
        return [name for either in needed for name in either or [""]]

    def place(self, way):
        """Where a credential goes: `header` or `cookie`, and the name."""
        scheme = self.root["components"]["securitySchemes"][way]
        return ("header", "Authorization") if scheme["type"] == "http" else (scheme["in"], scheme["name"])

    def response(self, operation, status):
        found = operation["responses"].get(str(status))
        return None if found is None else self.at(found)

    def faults(self, operation, status, headers, body):
        """What is untrue in the document, or in the answer, as sentences."""
        response = self.response(operation, status)
        if response is None:
            return []  # schemathesis says so
        return [
            *self.of_the_headers(response, headers),
            *self.of_the_error(response, status, body),
            *self.of_the_body(operation, status, response, headers, body),
        ]

    def of_the_headers(self, response, headers):
        documented = {name.lower() for name in response.get("headers", {})}
        for name in headers:
            if name.lower() not in documented | self.every:
                yield f"the field {name} is not documented"

    def of_the_error(self, response, status, body):
        if status < 400:
            return
        error = json.loads(body)["error"] if body else None
        if error is not None and error not in response.get("x-errors", []):
            yield f"the error {error} is not documented; those that are: {', '.join(response.get('x-errors', []))}"

    def of_the_body(self, operation, status, response, headers, body):
        content = response.get("content", {}).get("application/json")
        if content is None or not body:
            return
        key = (operation["operationId"], str(status))
        if key not in self.validators:
            self.validators[key] = self.closed(content["schema"])
        for error in self.validators[key].iter_errors(json.loads(body)):
            where = "/".join(map(str, error.instance_path))
            yield f"the body has what is not documented, at /{where}: {error.message}"

    def allows(self, operation, body):
        """Whether a body is one that the document allows."""
        schema = self.at(operation["requestBody"])["content"]["application/json"]["schema"]
        whole = {"$ref": "#/$defs/body", "$defs": {"body": schema}, "components": self.root["components"]}
        return jsonschema_rs.Draft202012Validator(whole).is_valid(body)

    def closed(self, schema):
        """A validator that refuses fields that are not documented."""
        whole = {"$ref": "#/$defs/answer", "$defs": {"answer": schema}, "components": self.root["components"]}
        whole = copy.deepcopy(whole)
        close(whole["$defs"])
        close(whole["components"].get("schemas", {}))
        return jsonschema_rs.Draft202012Validator(whole)


def close(schema):
    """Forbids fields that are not documented, wherever an object lists those that are."""
    if isinstance(schema, list):
        for part in schema:
            close(part)
    if not isinstance(schema, dict):
        return
    for part in list(schema.values()):
        close(part)
    if isinstance(schema.get("properties"), dict) and "allOf" not in schema:
        schema.setdefault("additionalProperties", False)
    elif "allOf" in schema:
        schema.setdefault("unevaluatedProperties", False)
