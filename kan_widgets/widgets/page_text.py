"""The text of a page of views: styles, scripts and what they are filled with, in one file."""

from __future__ import annotations

import base64
import html
import json
import re
import zlib
from collections.abc import Mapping
from typing import Any

import ipywidgets

_EXPORT = re.compile(r"\bexport ?\{([\s\w$,]+)\};")
# The "<" of what would end a script, or hide its end. It can only stand in a string, a template or
# a regular expression, where \x3C is the same.
_ENDS = re.compile(r"<(?=/script|!--)", re.I)
# Scripts and styles of the page itself and nothing else: whatever is in it, it asks for nothing.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)


def page_text(
    *,
    title: str,
    named: str,
    about: str,
    content: dict[str, Any],
    packed: bytes,
    styles: Mapping[str, str],
    bundles: Mapping[str, str],
    before: str = "",
    connects: str = "'none'",
) -> bytes:
    """Return a page.

    Parameters
    ----------
    title
        The heading; "" for none.
    named
        What it is called where it has no heading.
    about
        What is said below the heading, as HTML.
    content
        What the views are filled with, as JSON; see js/src/page/saved.ts.
    packed
        The bytes that were taken out of it.
    styles, bundles
        Style sheets and modules by name.
    before
        HTML between the heading and the views.
    connects
        Where the page may ask for more, as a content security policy says it.
    """
    heading = f"<h1>{html.escape(title)}</h1>" if title else ""
    themes = "".join(f"<option>{theme}</option>" for theme in ("auto", "light", "dark"))
    code = base64.b64encode(zlib.compress(packed, 6)).decode("ascii")
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}; connect-src {connects}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{html.escape(title or named)}</title>",
        *map(_style, styles.values()),
        "<body>",
        f'<header>{heading}<label class="kw-page-theme">theme '
        f'<select id="kw-theme">{themes}</select></label>',
        f'<p class="kw-page-about">{about}</p>',
        "</header>",
        *([before] if before else []),
        "<main>Opening…</main>",
        "<noscript>This page draws with JavaScript, which is switched off.</noscript>",
        f'<script type="application/json" id="kw-saved">{_json(content)}</script>',
        f'<script type="text/plain" id="kw-bytes">{code}</script>',
        *(_module(name, source) for name, source in bundles.items()),
        '<script type="module">kanWidgets.Page.start(document, kanWidgets);</script>',
        "</html>",
    ]
    return "\n".join(parts).encode()


def _json(value: object) -> str:
    """Return JSON that cannot end the script it stands in, whatever names are in it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _module(name: str, source: str) -> str:
    """Return a bundle as a script that hands over what it exports.

    A module in the page cannot be imported by name, and a blob: address needs more rights
    than some hosts give.
    """
    found = list(_EXPORT.finditer(source))
    if len(found) != 1:
        raise RuntimeError(f"the bundle of {name} does not end in one list of exports")
    members = []
    for export in filter(None, map(str.strip, found[0][1].split(","))):
        inside, _, outside = export.partition(" as ")
        members.append(f"{outside or inside}: {inside}")
    start, end = found[0].span()
    handed = f"(globalThis.kanWidgets ??= {{}})[{json.dumps(name)}] = {{ {', '.join(members)} }};"
    script = source[:start] + handed + source[end:]
    script = _ENDS.sub(r"\\x3C", script)
    return f'<script type="module">\n{script}\n</script>'


def _style(sheet: str) -> str:
    return "<style>\n" + sheet.replace("</", "<\\/") + "\n</style>"


def css_of(widget: ipywidgets.DOMWidget) -> dict[str, str]:
    """Return the widget's layout as CSS."""
    values = {name: getattr(widget.layout, name) for name in widget.layout.keys if name[0] != "_"}
    return {name.replace("_", "-"): value for name, value in values.items() if value is not None}
