"""Schemas in words: the type of a field, its limits, and lists of fields."""

from .text import escaped, inline


def name_of(schema):
    return schema["$ref"].split("/")[-1]


def link(name):
    return f'<a href="#schema-{escaped(name)}"><code>{escaped(name)}</code></a>'


def type_of(schema):
    """The type in a few words, as HTML."""
    if "$ref" in schema:
        return link(name_of(schema))
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return " or ".join(type_of(one) for one in schema[several])
    kinds = schema.get("type", "anything")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(of_list(schema) if kind == "array" else escaped(kind) for kind in kinds)


def of_list(schema):
    items = type_of(schema["items"])
    return f"list of {items}" if "$ref" in schema["items"] else f"list of {items}s"


def limits(schema):
    """What a value must be besides its type, in words, as HTML; empty if nothing."""
    said = [
        spread(schema, "minLength", "maxLength", "characters"),
        spread(schema, "minimum", "maximum", ""),
        spread(schema, "minItems", "maxItems", "items"),
        one_of(schema),
        f"pattern <code>{escaped(schema['pattern'])}</code>" if "pattern" in schema else "",
        f"default <code>{escaped(word(schema['default']))}</code>" if "default" in schema else "",
    ]
    if "items" in schema and (each := limits(schema["items"])):
        said.append(f"each {each}")
    return ", ".join(part for part in said if part)


def word(value):
    return {True: "true", False: "false", None: "null"}.get(value, value) if isinstance(value, (bool, type(None))) else value


def one_of(schema):
    values = schema.get("enum", [])
    return " or ".join(f"<code>{escaped(word(value))}</code>" for value in values)


def spread(schema, least, most, unit):
    low, high = schema.get(least), schema.get(most)
    unit = f" {unit}" if unit else ""
    if low is None and high is None:
        return ""
    if high is None:
        return "" if low == 0 and unit else f"at least {low:,}{unit}"
    if low is None:
        return f"at most {high:,}{unit}"
    return f"exactly {low:,}{unit}" if low == high else f"{low:,} to {high:,}{unit}"


def row(name, kind, required, description, also=""):
    """A field, a parameter or a header field, as a row of a list of definitions."""
    mark = '<span class="required">required</span>' if required else ""
    also = f'<p class="limits">{also}</p>' if also else ""
    text = f"<p>{inline(description)}</p>" if description else ""
    return (
        f'<div><dt><code class="field">{escaped(name)}</code> <span class="type">{kind}</span> {mark}</dt>'
        f"<dd>{text}{also}</dd></div>"
    )


def fields(schema):
    """The fields of an object, or what a named schema can be."""
    if "properties" not in schema:
        return row("value", type_of(schema), False, "", limits(schema))
    required = schema.get("required", [])
    return "".join(
        row(name, type_of(field), name in required, field.get("description", ""), limits(field))
        for name, field in schema["properties"].items()
    )
