"""The page: one HTML file without a script, of an OpenAPI document."""

import json
import shlex
from pathlib import Path

from .document import Document
from .schema import fields, limits, row, type_of
from .text import code, escaped, inline, paragraphs

STYLE = Path(__file__).with_name("page.css").read_text()
# Where the server is, in the examples.
BASE = "https://login.example.org"


def page(source):
    document = Document(source)
    info = source["info"]
    title = f"{info['title']}: the API"
    main = "".join([
        opening(info),
        *(group(document, tag) for tag in source["tags"]),
        schemas(document),
        errors(document),
    ])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="color-scheme" content="light dark">\n'
        "<!-- Made by tools/openapi render of docs/openapi.json: change that instead. -->\n"
        f"<title>{escaped(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n"
        '<a class="skip" href="#top">Skip to the content</a>\n'
        f"{contents(document)}<main id=\"top\">\n{main}</main>\n</body>\n</html>\n"
    )


def opening(info):
    licence = escaped(info["license"]["name"])
    return (
        f"<header><h1>{escaped(info['title'])}: the API</h1>"
        f'<p class="lead">{escaped(info["summary"])} Version {escaped(info["version"])}, {licence}.</p>'
        '<p>For programs: <a href="openapi.json">openapi.json</a>, which a server answers at '
        "<code>GET /api/openapi.json</code>.</p>"
        f"{paragraphs(info['description'])}</header>\n"
    )


# The table of contents: a list that stays in view, or one that opens on a narrow screen.


def contents(document):
    groups = "".join(contents_of(document, tag["name"]) for tag in document.source["tags"])
    last = '<li><a href="#schemas">Schemas</a></li><li><a href="#errors">Errors</a></li>'
    entries = f'<ul><li><a href="#top">Top</a></li>{groups}{last}</ul>'
    return (
        f'<nav class="wide" aria-label="Contents">{entries}</nav>\n'
        f'<details class="narrow"><summary>Contents</summary><nav aria-label="Contents, short">{entries}</nav></details>\n'
    )


def contents_of(document, tag):
    entries = "".join(
        f'<li><a href="#{op.id}">{badge(op.method)} <span>{escaped(op.source["summary"])}</span></a></li>'
        for op in document.operations(tag)
    )
    return f'<li><a href="#{anchor(tag)}">{escaped(tag)}</a><ul>{entries}</ul></li>'


def anchor(tag):
    return "tag-" + tag.lower().replace(" ", "-")


def badge(method):
    return f'<span class="method {method}">{method.upper()}</span>'


# Operations.


def group(document, tag):
    operations = "".join(operation(document, op) for op in document.operations(tag["name"]))
    return (
        f'<section aria-labelledby="{anchor(tag["name"])}"><h2 id="{anchor(tag["name"])}">{escaped(tag["name"])}</h2>'
        f"{paragraphs(tag['description'])}{operations}</section>\n"
    )


def operation(document, op):
    path = escaped(op.path).replace("/", "/<wbr>")
    return (
        f'<article aria-labelledby="{op.id}"><h3 id="{op.id}"><a href="#{op.id}">{escaped(op.source["summary"])}</a></h3>'
        f'<p class="route">{badge(op.method)} <code>{path}</code></p>'
        f"{paragraphs(op.source.get('description', ''))}{access(document, op)}{parameters(document, op)}{body(document, op)}"
        f"<h4>Example</h4>{code(curl(document, op))}{other_bodies(document, op)}{answers(document, op)}"
        f"{refusals(document, op)}</article>\n"
    )


SHOWN = {
    "bearer": "a token",
    "mailedToken": "the token of a mail",
    "sessionCookie": "the cookie of a browser session",
    "accessTokenCookie": "a token in the cookie <code>access_token</code>",
    "appPassword": "an app password",
}


def access(document, op):
    """Who may call."""
    ways = [next(iter(way), None) for way in op.source["security"]]
    named = [SHOWN[way] for way in ways if way]
    said = " or ".join(named) if named else "none"
    if named and None in ways:
        said += ", or none"
    return f'<p class="access">Authentication: {said}.</p>'


def parameters(document, op):
    rows = ""
    for parameter in map(document.resolved, op.source.get("parameters", [])):
        schema = parameter["schema"]
        kind = f"{type_of(schema)}, {escaped(parameter['in'])}"
        rows += row(parameter["name"], kind, parameter.get("required"), parameter["description"], limits(schema))
    return f"<h4>Parameters</h4><dl>{rows}</dl>" if rows else ""


def body(document, op):
    source = op.source.get("requestBody")
    if not source:
        return ""
    kinds = " or ".join(f"<code>{escaped(kind)}</code>" for kind in source["content"])
    media = next(iter(source["content"].values()))
    needed = "" if source["required"] else ", or none"
    said = f"<p>{type_of(media['schema'])}, as {kinds}{needed}. {inline(source.get('description', ''))}</p>"
    schema = document.resolved(media["schema"])
    rows = f"<dl>{fields(schema)}</dl>" if "properties" in schema else ""
    return f"<h4>Body</h4>{said}{rows}"


def other_bodies(document, op):
    """The examples of bodies that the line for the shell does not have."""
    media = next(iter(op.source.get("requestBody", {}).get("content", {}).values()), {})
    return examples(document, media, first=1)


def examples(document, media, first=0):
    """The examples of a body but the first ones, each with its title."""
    shown = list(media.get("examples", {}).values())[first:]
    return "".join(
        f'<p class="example">{inline(one["summary"])}:</p>{code(one["value"])}'
        for one in map(document.resolved, shown)
    )


def curl(document, op):
    """A request that can be pasted into a shell."""
    path = op.path
    for parameter in map(document.resolved, op.source.get("parameters", [])):
        if parameter["in"] == "path":
            path = path.replace("{" + parameter["name"] + "}", str(parameter["example"]))
    method = "" if op.method == "get" else f"-X {op.method.upper()} "
    lines = [f"curl {method}{shlex.quote(BASE + path)}"]
    ways = [next(iter(way), None) for way in op.source["security"]]
    media = next(iter(op.source.get("requestBody", {}).get("content", {}).items()), None)
    # Where a token is one of two ways, the body is the other.
    if {"bearer", "mailedToken"} & set(ways) and not (media and None in ways):
        lines.append('-H "Authorization: Bearer $TOKEN"')
    if media:
        lines += data(media)
    return " \\\n  ".join(lines)


def data(media):
    kind, content = media
    value = content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]
    if isinstance(value, str):
        return ["-H 'Content-Type: text/plain'", '-d "$TOKEN"']
    text = json.dumps(value, ensure_ascii=False)
    return [f"-H {shlex.quote('Content-Type: ' + kind)}", f"-d {shlex.quote(text)}"]


def answers(document, op):
    return "".join(answer(document, status, response) for status, response in document.answers(op))


def answer(document, status, response):
    media = response.get("content", {}).get("application/json")
    kind = f" {type_of(media['schema'])}" if media else ""
    shown = headers(document, response)
    if media:
        shown += code(media["example"]) if "example" in media else examples(document, media)
    return f'<h4><span class="status good">{status}</span>{kind}</h4>{paragraphs(response["description"])}{shown}'


def headers(document, response):
    rows = ""
    for name, header in response.get("headers", {}).items():
        header = document.resolved(header)
        said = header["description"]
        rows += row(name, "" if header["required"] else "sometimes", False, said)
    count = len(response.get("headers", {}))
    noun = "header field" if count == 1 else "header fields"
    return f"<details><summary>{count} {noun}</summary><dl>{rows}</dl></details>" if rows else ""


def refusals(document, op):
    """The errors of an operation: its own with their meaning, and those of many behind a line that opens."""
    found = list(document.errors(op))
    if not found:
        return '<p class="access">No errors but those that <a href="#errors-of-any">any request can get</a>.</p>'
    own = refusal_list(document, found, lambda name: name not in document.common)
    common = [name for _, response in found for name in response["x-errors"] if name in document.common]
    shared = refusal_list(document, found, lambda name: name in document.common)
    if common and own:
        shared = f"<details><summary>{len(common)} errors that many endpoints have</summary>{shared}</details>"
    elif common:
        shared = f"<details><summary>{len(common)} errors, those that many endpoints have</summary>{shared}</details>"
    return f"<h4>Errors</h4>{own}{shared}"


def refusal_list(document, found, chosen):
    rows = "".join(
        f'<div><dt><span class="status bad">{status}</span> <a href="#error-{name}"><code>{name}</code></a></dt>'
        f"<dd><p>{inline(document.meaning(name))}</p></dd></div>"
        for status, response in found
        for name in response["x-errors"]
        if chosen(name)
    )
    return f'<dl class="errors">{rows}</dl>' if rows else ""


# What operations refer to.


def schemas(document):
    parts = "".join(
        f'<article class="schema" aria-labelledby="schema-{name}"><h3 id="schema-{name}"><a href="#schema-{name}">'
        f"<code>{escaped(name)}</code></a></h3>{paragraphs(schema.get('description', ''))}<dl>{fields(schema)}</dl></article>\n"
        for name, schema in document.components["schemas"].items()
    )
    return f'<section aria-labelledby="schemas"><h2 id="schemas">Schemas</h2>{parts}</section>\n'


def errors(document):
    shared = [name for response in document.shared_responses() for name in response["x-errors"]]
    every = "".join(
        f'<div><dt><span class="status bad">{document.components["examples"][name]["value"]["status_code"]}</span> '
        f'<a href="#error-{name}"><code>{name}</code></a></dt></div>'
        for name in dict.fromkeys(shared)
    )
    rows = "".join(error(document, name) for name in document.components["examples"])
    return (
        '<section aria-labelledby="errors"><h2 id="errors">Errors</h2><h3 id="errors-of-any">Errors of any request</h3>'
        "<p>These depend on how a request is sent, or on the state of the server. 403 <code>OriginNotAllowed</code> "
        "concerns whatever changes something.</p>"
        f'<dl class="errors">{every}</dl><h3>All errors</h3><dl class="errors">{rows}</dl></section>\n'
    )


def error(document, name):
    example = document.components["examples"][name]
    users = [op for op in document.operations() if name in document.names(op)]
    where = ", ".join(f'<a href="#{op.id}">{escaped(op.source["summary"])}</a>' for op in users)
    where = f'<p class="limits">{where}</p>' if where and name not in document.common else ""
    status = example["value"]["status_code"]
    return (
        f'<div id="error-{name}"><dt><span class="status bad">{status}</span> <code>{name}</code></dt>'
        f"<dd><p>{inline(example['summary'])}</p>{where}</dd></div>"
    )
