"""Follows each link of the document, with requests that are good. Generated requests come to most links, but which
ones is up to chance.

It knows nothing of schemathesis.
"""

import dataclasses
import json
import re
import urllib.parse

import actors

PARAMETER = re.compile(r"\{([^}]+)\}")


@dataclasses.dataclass
class Request:
    """What actors.py knows of a request, and changes."""

    method: str
    path: str
    path_parameters: dict
    body: object
    query: dict = dataclasses.field(default_factory=dict)
    headers: dict = dataclasses.field(default_factory=dict)
    cookies: dict = dataclasses.field(default_factory=dict)
    meta: None = None


def follow(document, world, leave_out):
    """Yields what is wrong: a link that leads nowhere, and an answer that the document does not know."""
    operations = {each[2]["operationId"]: each for each in document.operations()}
    # So that no list is empty.
    for make, kind in ((actors.app_password_id, "user"), (actors.invitation_id, "admin"), (actors.test_mail_id, "admin")):
        make(world, world.person(kind), "")
    for source, status, name, target in document.links():
        if {source, target} & set(leave_out):
            continue
        link = document.at(document.response(operations[source][2], status)["links"][name])
        try:
            first = good_request(document, world, *operations[source])
            found = send(document, world, first, operations[source][2], status)
            second = good_request(document, world, *operations[target])
            brought = {
                key: value_of(expression, first, found) for key, expression in link.get("parameters", {}).items()
            }
            if brought.keys() != second.path_parameters.keys():
                raise Wrong(f"it brings {sorted(brought)} for {second.path}")
            second.path_parameters = brought
            if "requestBody" in link:
                second.body = value_of(link["requestBody"], first, found)
            send(document, world, second, operations[target][2])
        except Wrong as wrong:
            yield f"the link from {source} to {target}: {wrong}"


class Wrong(Exception):
    pass


def good_request(document, world, method, path, operation):
    """A request of this operation that must succeed: the example of the document, with what there is."""
    request = Request(method, path, {name: "" for name in PARAMETER.findall(path)}, example(document, operation))
    way = next(iter(document.ways(operation)), "")
    if way:
        place, name = document.place(way)
        container = request.headers if place == "header" else request.cookies
        container[name] = actors.MARK + way
    person = actors.show(world, request, operation)
    if request.path_parameters:
        actors.name_what_there_is(world, request, person)
    actors.make_good(world, request, operation, person)
    return request


def example(document, operation):
    content = document.at(operation.get("requestBody", {})).get("content", {}).get("application/json", {})
    for first in content.get("examples", {}).values():
        return document.at(first)["value"]
    return content.get("example")


def send(document, world, request, operation, expected=None):
    """The answer, which must be a success that the document knows; `expected` is its status."""
    path = PARAMETER.sub(lambda found: urllib.parse.quote(str(request.path_parameters[found[1]]), ""), request.path)
    cookies = {"Cookie": f"{name}={value}" for name, value in request.cookies.items()}
    status, found, headers = world.send(request.method, path, request.body, **request.headers, **cookies)
    body = b"" if found is None else json.dumps(found).encode()
    if document.response(operation, status) is None:
        raise Wrong(f"{request.method} {path}: the status {status} is not documented")
    faults = document.faults(operation, status, headers, body)
    if faults:
        raise Wrong(f"{request.method} {path}: " + "; ".join(faults))
    if status >= 400 or str(status) != (expected or str(status)):
        raise Wrong(f"{request.method} {path}: {status} {found}")
    return found


def value_of(expression, request, found):
    """What a runtime expression of OpenAPI stands for; of those that there are, the two that the document uses."""
    if expression.startswith("$request.path."):
        return request.path_parameters[expression.removeprefix("$request.path.")]
    pointer = expression.removeprefix("$response.body#/")
    if pointer == expression:
        raise Wrong(f"{expression} is not understood")
    for part in pointer.split("/"):
        try:
            found = found[int(part)] if isinstance(found, list) else found[part]
        except (KeyError, IndexError):
            raise Wrong(f"{expression} is not in the answer") from None
    return found
