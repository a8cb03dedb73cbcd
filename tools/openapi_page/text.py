"""Text as HTML: escaping, the few marks of Markdown that the document uses, and coloured JSON."""

import html
import json
import re

# Code of so many characters fits any window, and is not broken: `--audience` would be, behind its hyphens.
LONGEST_WHOLE = 28


def escaped(text):
    return html.escape(str(text), quote=True)


def inline(text):
    """Code and bold text; everything else is escaped."""
    parts = re.split(r"(`[^`]+`|\*\*[^*]+\*\*)", text)
    return "".join(mark(part) for part in parts)


def mark(part):
    if part.startswith("`") and part.endswith("`") and len(part) > 2:
        kept = ' class="whole"' if len(part) <= LONGEST_WHOLE else ""
        return f"<code{kept}>{escaped(part[1:-1])}</code>"
    if part.startswith("**") and part.endswith("**") and len(part) > 4:
        return f"<strong>{escaped(part[2:-2])}</strong>"
    return escaped(part)


def paragraphs(text):
    """Paragraphs, and lists whose lines begin with a hyphen."""
    return "".join(block(part) for part in text.split("\n\n") if part.strip())


def block(text):
    lines = text.strip().split("\n")
    if all(line.startswith("- ") for line in lines):
        items = "".join(f"<li>{inline(line[2:])}</li>" for line in lines)
        return f"<ul>{items}</ul>"
    return f"<p>{inline(' '.join(lines))}</p>"


TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?)')


def code(value):
    """A value as JSON with colours; a text as it is."""
    if isinstance(value, str):
        return f"<pre><code>{escaped(value)}</code></pre>"
    text = json.dumps(value, ensure_ascii=False, indent=2)
    result, end = [], 0
    for found in TOKEN.finditer(text):
        result += [escaped(text[end : found.start()]), token(found)]
        end = found.end()
    return f"<pre><code>{''.join(result)}{escaped(text[end:])}</code></pre>"


def token(found):
    string, colon, word, number = found.groups()
    if string and colon:
        return f'<span class="k">{escaped(string)}</span>{escaped(colon)}'
    if string:
        return f'<span class="s">{escaped(string)}</span>'
    return f'<span class="n">{escaped(word or number)}</span>'
