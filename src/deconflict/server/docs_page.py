"""The description for people: one page of HTML without scripts, made from the OpenAPI document."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from hashlib import sha256
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1c2733;--soft:#5c6b7a;--line:#d9e0e7;--paper:#fff;
--raised:#f5f7f9;--link:#0b5cad;--get:#1a6e3c;--put:#8a5a00;--post:#0b5cad;--delete:#a3252c}
@media(prefers-color-scheme:dark){:root{--ink:#e4e9ee;--soft:#9aa8b5;--line:#33404d;
--paper:#12181e;--raised:#1a222b;--link:#7db8f0;--get:#6fce96;--put:#e2b357;--post:#7db8f0;
--delete:#f08a90}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.55 system-ui,sans-serif}main{max-width:60rem;margin:0 auto;padding:2.5rem 1.25rem 5rem}
h1{font-size:2rem;margin:0}h2{font-size:1.25rem;margin:3rem 0 .75rem;padding-bottom:.3rem;
border-bottom:2px solid var(--line)}h3{font-size:1rem;margin:0}h4{font-size:.8rem;margin:1rem 0
.3rem;color:var(--soft);text-transform:uppercase;letter-spacing:.05em}p{margin:.4rem 0}
.lead{color:var(--soft);margin-bottom:1.5rem}nav a{display:inline-block;margin:0 1rem .3rem 0}
a{color:var(--link)}code{font:.88em/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
details{border:1px solid var(--line);border-radius:.5rem;margin:.5rem 0;background:var(--raised)}
summary{display:flex;flex-wrap:wrap;gap:.35rem .8rem;align-items:baseline;padding:.6rem .9rem;
cursor:pointer;list-style:none}summary:focus-visible{outline:3px solid var(--link)}
summary::-webkit-details-marker{display:none}.what{color:var(--soft);flex-basis:100%}
.body{padding:0 .9rem .9rem;border-top:1px solid var(--line)}.method{font-weight:700;
font-size:.8rem;min-width:4rem}.get{color:var(--get)}.put{color:var(--put)}.post{color:var(--post)}
.delete{color:var(--delete)}.table{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .8rem .3rem 0;
border-bottom:1px solid var(--line)}tr:last-child td{border-bottom:0}
th{font-size:.8rem;color:var(--soft)}td code{overflow-wrap:normal}
td:last-child{padding-right:0}
"""

POLICY: Final = (
    "default-src 'none'; style-src 'sha256-"
    + base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
    + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""What a browser may load for the page: its own style, and nothing else."""


def docs_page(description: Mapping[str, Any]) -> bytes:
    """Return the page."""
    info = description["info"]
    tags = [tag["name"] for tag in description["tags"]]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{escape(info['title'])}: interfaces</title><style>{_STYLE}</style></head><body>",
        f"<main><h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f'<p class="lead">{escape(info["summary"])} {escape(info["description"])}</p><nav>',
        *(f'<a href="#{_anchor(tag)}">{escape(tag)}</a>' for tag in tags),
        '<a href="#types">Types</a><a href="/openapi.json">openapi.json</a></nav>',
    ]
    for tag in tags:
        parts.append(f'<h2 id="{_anchor(tag)}">{escape(tag)}</h2>')
        for path, methods in description["paths"].items():
            for method, operation in methods.items():
                if tag in operation["tags"]:
                    parts.append(_operation(method, path, operation))
    parts.append('<h2 id="types">Types</h2>')
    for name, schema in description["components"]["schemas"].items():
        parts.append(
            f'<details id="type-{escape(name)}"><summary><h3><code>{escape(name)}</code></h3>'
            f'<span class="what">{escape(_first_line(schema))}</span></summary>'
            f'<div class="body">{_fields(schema)}</div></details>'
        )
    parts.append("</main></body></html>")
    return "".join(parts).encode()


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parts = [
        f'<details><summary><span class="method {method}">{method.upper()}</span>',
        f'<h3><code>{escape(path)}</code></h3><span class="what">{escape(operation["summary"])}',
        '</span></summary><div class="body">',
    ]
    if "description" in operation:
        parts.append(f"<p>{escape(operation['description'])}</p>")
    if not operation["security"]:
        parts.append("<p>It asks for no token.</p>")
    parts.extend(
        f"<p>Path parameter <code>{escape(parameter['name'])}</code></p>"
        for parameter in operation.get("parameters", ())
    )
    if "requestBody" in operation:
        parts.append("<h4>Body</h4>")
        for media_type, content in operation["requestBody"]["content"].items():
            schema = content["schema"]
            parts.append(f"<p><code>{escape(media_type)}</code> {_shown(schema)}</p>")
            if "properties" in schema:
                parts.append(_fields(schema))
    rows = "".join(
        f"<tr><td><code>{status}</code></td><td>{escape(reply['description'])}</td>"
        f"<td>{_replies(reply)}</td></tr>"
        for status, reply in sorted(operation["responses"].items())
    )
    parts.append(
        '<h4>Replies</h4><div class="table"><table><thead><tr><th>status</th><th>meaning</th>'
        f"<th>body</th></tr></thead><tbody>{rows}</tbody></table></div></div></details>"
    )
    return "".join(parts)


def _replies(reply: Mapping[str, Any]) -> str:
    return ", ".join(
        _shown(content["schema"]) if "schema" in content else f"<code>{escape(kind)}</code>"
        for kind, content in reply.get("content", {}).items()
    )


def _fields(schema: Mapping[str, Any]) -> str:
    properties = schema.get("properties")
    if not properties:
        return f"<p>{_shown(schema)}</p>"
    required = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_shown(of)}</td>"
        f"<td>{'required' if name in required else ''}</td>"
        f"<td>{escape(str(of.get('description', '')))}</td></tr>"
        for name, of in properties.items()
    )
    return (
        '<div class="table"><table><thead><tr><th>field</th><th>type</th><th></th><th></th></tr>'
        f"</thead><tbody>{rows}</tbody></table></div>"
    )


def _shown(schema: Mapping[str, Any]) -> str:
    """Return a schema in a few words, its named types as links."""
    if "$ref" in schema:
        name = escape(str(schema["$ref"]).rpartition("/")[2])
        return f'<a href="#type-{name}"><code>{name}</code></a>'
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(_shown(each) for each in schema[key])
    if "enum" in schema:
        return "one of " + ", ".join(f"<code>{escape(str(each))}</code>" for each in schema["enum"])
    kind = escape(str(schema.get("type", "any")))
    if kind == "array" and isinstance(schema.get("items"), Mapping):
        return f"array of {_shown(schema['items'])}"
    limits = ", ".join(
        f"{words} {schema[key]}"
        for key, words in (
            ("format", ""),
            ("minimum", "at least"),
            ("maximum", "at most"),
            ("minLength", "length at least"),
            ("maxLength", "length at most"),
        )
        if key in schema
    )
    return f"{kind} ({escape(limits.strip())})" if limits else kind


def _first_line(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", "")).strip().partition("\n")[0]


def _anchor(tag: str) -> str:
    return "".join(mark if mark.isalnum() else "-" for mark in tag.lower())
