"""Documents with one untruth each, and what schemathesis must say about it: the proof that the run of check.py
can fail.
"""

import copy
import json


def operation(root, name):
    for item in root["paths"].values():
        for found in item.values():
            if isinstance(found, dict) and found.get("operationId") == name:
                return found
    raise AssertionError(f"no operation {name}")


def own_response(root, name, status):
    """The response, as a copy of its own if it is a shared one."""
    responses = operation(root, name)["responses"]
    if "$ref" in responses[status]:
        shared = responses[status]["$ref"].rsplit("/", 1)[1]
        responses[status] = copy.deepcopy(root["components"]["responses"][shared])
    return responses[status]


def parameter(root, name, of):
    return next(found for found in operation(root, name)["parameters"] if found.get("name") == of)


def a_missing_status(root):
    del operation(root, "login")["responses"]["401"]


def a_field_of_another_type(root):
    own_response(root, "me", "200")["content"]["application/json"]["schema"] = {
        "type": "object",
        "properties": {"id": {"type": "string"}},
    }


def a_field_that_is_not_there(root):
    own_response(root, "protectedEndpoint", "200")["content"]["application/json"]["schema"] = {
        "type": "object",
        "required": ["message", "weather"],
    }


def a_field_that_is_not_documented(root):
    own_response(root, "protectedEndpoint", "200")["content"]["application/json"]["schema"] = {
        "type": "object",
        "properties": {},
    }


def a_missing_error(root):
    own_response(root, "login", "401")["x-errors"].remove("AuthenticationError")


def a_missing_field_of_the_header(root):
    del own_response(root, "login", "200")["headers"]["Cache-Control"]


def another_content_type(root):
    content = own_response(root, "hello", "200")["content"]
    content["text/plain"] = content.pop("application/json")


def too_high_a_limit(root):
    parameter(root, "adminListMails", "limit")["schema"]["maximum"] = 100_000


def too_low_a_limit(root):
    parameter(root, "adminListUsers", "limit")["schema"]["maximum"] = 20


def a_guard_that_is_not_there(root):
    operation(root, "hello")["security"] = [{"bearer": []}]


def a_method_that_is_not_there(root):
    root["paths"]["/api/"]["put"] = {**copy.deepcopy(root["paths"]["/api/"]["get"]), "operationId": "helloAgain"}


# What is changed, the operation that is asked, and what the output must have.
UNTRUTHS = [
    (a_missing_status, "login", "Undocumented status code"),
    (a_field_of_another_type, "me", "Response violates schema"),
    (a_field_that_is_not_there, "protectedEndpoint", "Response violates schema"),
    (a_field_that_is_not_documented, "protectedEndpoint", "the body has what is not documented"),
    (a_missing_error, "login", "the error AuthenticationError is not documented"),
    (a_missing_field_of_the_header, "login", "the field cache-control is not documented"),
    (another_content_type, "hello", "Undocumented Content-Type"),
    (too_high_a_limit, "adminListMails", "Valid data should have been accepted"),
    (too_low_a_limit, "adminListUsers", "Invalid data should have been rejected"),
    (a_guard_that_is_not_there, "hello", "API accepts requests without authentication"),
    (a_method_that_is_not_there, "helloAgain", "Allow header mismatch"),
]


def documents(text):
    """Each untrue document, with the operation that is asked and what must be said."""
    for change, name, said in UNTRUTHS:
        root = json.loads(text)
        change(root)
        yield change.__name__.replace("_", " "), json.dumps(root), name, said
