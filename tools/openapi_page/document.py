"""Questions to an OpenAPI document: references, operations, errors, and which of them are shared."""

from collections import Counter

METHODS = ("get", "post", "put", "delete")
# An error that so many operations can answer is shown in short there.
COMMON = 15


class Document:
    def __init__(self, source):
        self.source = source
        self.components = source["components"]
        counts = Counter(name for operation in self.operations() for name in self.names(operation))
        self.common = {name for name, count in counts.items() if count >= COMMON}

    def resolved(self, value):
        """What a reference leads to; anything else is itself."""
        while "$ref" in value:
            kind, name = value["$ref"].split("/")[-2:]
            value = self.components[kind][name]
        return value

    def operations(self, tag=None):
        for path, methods in self.source["paths"].items():
            for method in METHODS:
                operation = methods.get(method)
                if operation and tag in (None, operation["tags"][0]):
                    yield Operation(path, method, operation)

    def answers(self, operation):
        """The status and the response of each answer that is no error."""
        for status, response in operation.source["responses"].items():
            response = self.resolved(response)
            if "x-errors" not in response:
                yield status, response

    def errors(self, operation):
        """The status and the response of each error of the operation itself."""
        for status, response in operation.source["responses"].items():
            response = self.resolved(response)
            if "x-errors" in response and not response.get("x-every-operation"):
                yield status, response

    def names(self, operation):
        return {name for _, response in self.errors(operation) for name in response["x-errors"]}

    def meaning(self, error):
        return self.components["examples"][error]["summary"]

    def shared_responses(self):
        """The errors that any request can get."""
        return [r for r in self.components["responses"].values() if r.get("x-every-operation")]


class Operation:
    def __init__(self, path, method, source):
        self.path, self.method, self.source = path, method, source
        self.id = source["operationId"]
