"""The text of a page of views: what it says, its styles, scripts and what fills them."""

import base64
import datetime
import gzip
import html
import json
import re
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import ipywidgets

from kan_widgets.live import Frame
from kan_widgets.widgets.wire.bundles import UNPACKING, bundle, deflated

_EXPORT = re.compile(r"\bexport ?\{([\s\w$,]+)\};")
# What every page of views runs, by the names under which its script finds them.
_MODULES = {"Stream": "main.js", "View": "view.js", "Page": "page.js"}
_START = "kanWidgets.Page.start(document, kanWidgets);"
# Unpacks the script of the page, which stands in it as text, and runs it.
_RUNNING = f"""\
try {{
  const text = document.getElementById("kw-code").textContent.trim();
  {UNPACKING.format(text="text")}
  const script = document.createElement("script");
  script.textContent = await new Response(plain).text();
  document.body.append(script);
}} catch (error) {{
  for (const place of document.querySelectorAll("[data-kw-place]")) {{
    place.textContent = `This view cannot be shown in this browser: ${{error.message}}`;
  }}
  throw error;
}}
"""


def page_text(
    *,
    title: str,
    named: str,
    about: str,
    content: dict[str, Any],
    packed: bytes,
    figures: Sequence[str],
    before: str = "",
    live: bool = False,
    trains: bool = False,
    plays: bool = False,
) -> bytes:
    """Return a page, filled with ``content`` (js/src/page/saved.ts) and the bytes taken out of it.

    ``title`` is the heading, "" for none, and then it is called as ``named``; ``about``,
    ``before`` and ``figures`` are HTML of what stands below it; a ``live`` page stays connected
    with what serves it, and in one that ``trains`` a worker does; in one that ``plays``, too, the
    reader chooses what.
    """
    origin = "'self'" if live else "'none'"
    more = {"Trained": "trained.js"} if trains else {"Live": "live.js"} if live else {}
    if plays:
        more = {"Playground": "playground.js"}
    code = _script(_MODULES | more)
    worker = ""
    if trains:
        from kan_widgets.nn.compiled.compile_options import TRANSLATED

        # The compiled kernels, or where WebAssembly is refused their translation.
        kernels = _hash(gzip.decompress(TRANSLATED.read_bytes()).decode())
        worker = f" 'wasm-unsafe-eval' {kernels}; worker-src blob:"
    sheets = ["page.css", *(["playground.css"] if plays else [])]
    start, sheet = f"\n{_RUNNING}", "\n".join(["", *map(bundle, sheets), ""])
    # The page's own scripts and styles alone: whatever names are in it, nothing else is loaded.
    policy = (
        f"default-src 'none'; script-src {_hash(start)} {_hash(code)}{worker}; "
        f"style-src {_hash(sheet)}; "
        f"img-src data: blob:{' ' + origin if live else ''}; base-uri 'none'; form-action 'none'; "
        f"connect-src {origin}"
    )
    heading = f"<h1>{html.escape(title)}</h1>" if title else ""
    themes = "".join(f"<option>{theme}</option>" for theme in ("auto", "light", "dark"))
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{html.escape(title or named)}</title>",
        f"<style>{sheet}</style>",
        "<body>",
        f'<header>{heading}<label class="kw-page-theme">theme '
        f'<select id="kw-theme">{themes}</select></label>',
        f'<p class="kw-page-about">{about}</p>',
        "</header>",
        *([before] if before else []),
        f"<main>{''.join(figures)}</main>",
        "<noscript>This page draws with JavaScript, which is switched off.</noscript>",
        filling(content, packed),
        f'<script type="text/plain" id="kw-code">{deflated(code.encode())}</script>',
        f'<script type="module">{start}</script>',
        "</html>",
    ]
    return "\n".join(parts).encode(errors="replace")


def filling(content: dict[str, Any], packed: bytes) -> str:
    """Return as HTML what the views of a page are filled with; the parameters of `page_text`."""
    return (
        f'<script type="application/json" id="kw-saved">{_json(content)}</script>\n'
        f'<script type="text/plain" id="kw-bytes">{deflated(packed)}</script>'
    )


def figure(number: int, *, label: str, css: Mapping[str, str], named: bool, note: str) -> str:
    """Return as HTML the place of a view, where the script of the page draws it.

    ``label`` says what it is to those who do not see it, and above it too where it is ``named``.
    """
    style = "; ".join(f"{key}: {value}" for key, value in css.items())
    head = f'<h2 class="kw-page-name">{html.escape(label)}</h2>' if named else ""
    foot = f'<figcaption class="kw-page-note">{html.escape(note)}</figcaption>' if note else ""
    return (
        f'<figure class="kw-page-view" data-kw-place="{number}" aria-label="{html.escape(label)}" '
        f'data-kw-style="{html.escape(style)}">{head}<div>Opening…</div>{foot}</figure>'
    )


def site_script() -> str:
    """Return one script for all pages of a site: it fills what places a page has.

    A plain script, since from disk a browser loads no module that is a file of its own.
    """
    return _script(_MODULES)


def _script(modules: Mapping[str, str]) -> str:
    parts = [
        f"(() => {{\n'use strict';\n{_handing(name, bundle(file))}\n}})();"
        for name, file in modules.items()
    ]
    return "\n".join([*parts, f"if (document.getElementById('kw-saved')) {_START}", ""])


def _json(value: object) -> str:
    """Return JSON that cannot end the script it stands in, whatever names are in it."""
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _handing(name: str, source: str) -> str:
    """Return a bundle as code that hands over what it exports.

    A module in the page cannot be imported by name, and a blob: address needs more rights
    than some hosts give.
    """
    exports = list(_EXPORT.finditer(source))
    if len(exports) != 1:
        raise RuntimeError(f"the bundle of {name} does not end in one list of exports")
    members = []
    for export in filter(None, map(str.strip, exports[0][1].split(","))):
        inside, _, outside = export.partition(" as ")
        members.append(f"{outside or inside}: {inside}")
    start, end = exports[0].span()
    handed = f"(globalThis.kanWidgets ??= {{}})[{json.dumps(name)}] = {{ {', '.join(members)} }};"
    return source[:start] + handed + source[end:]


def _hash(text: str) -> str:
    """Return the hash by which a policy knows a script or a style sheet."""
    return f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode('ascii')}'"


def css_of(widget: ipywidgets.DOMWidget) -> dict[str, str]:
    """Return the widget's layout as CSS."""
    values = {name: getattr(widget.layout, name) for name in widget.layout.keys if name[0] != "_"}
    return {name.replace("_", "-"): value for name, value in values.items() if value is not None}


def names(views: Sequence[Any]) -> str:
    """Return the names of the models and of one or two views: ``"KANCNN · Dashboard"``."""
    kinds = dict.fromkeys(in_words(type(view).__name__) for view in views)
    # Of many each has its own name above it.
    few = ", ".join(kinds) if len(kinds) < 3 else f"{len(views)} views"
    return " · ".join(filter(None, (listed(models(views)), few)))


def models(views: Sequence[Any]) -> dict[Any, str]:
    """Return the names of the models that are shown, by stream: of some compared those given."""
    grids = [grid for view in views for grid in getattr(view, "grids", {}).items()]
    given = {grid._stream: name for name, grid in grids}
    shown = [part._stream for view in views for part in (view, *view._within())]
    sources = {stream: stream.source for stream in shown if stream.source is not None}
    return {each: given.get(each) or source.feed.model_class for each, source in sources.items()}


def listed(named: Mapping[Any, str]) -> str:
    """Return the names of models: ``"KANCNN, CNN"``."""
    return ", ".join(filter(None, dict.fromkeys(named.values())))


def in_words(name: str) -> str:
    """Return the name of a class in words."""
    return re.sub(r"(?<=[a-z])[A-Z]", lambda letter: " " + letter[0].lower(), name)


def about(of: Mapping[Any, str], kept: Mapping[Any, list[Frame]], saved: datetime.datetime) -> str:
    """Return as HTML what a page is of, the steps it has, and when it was saved.

    ``of`` are the names of models, by stream.
    """
    day = f"{saved.day} {saved:%B %Y, %H:%M}"
    when = f'<time datetime="{saved.isoformat("T", "minutes")}">{day}</time>'
    moments = {}
    for stream, frames in kept.items():
        first, latest = frames[0].step, frames[-1].step
        one = f"{count} trained networks" if (count := stream.ensemble.get("count")) else ""
        several = f"steps {first:,} to {latest:,}" if latest > first else f"step {latest:,}"
        moments[stream] = one or several
    # Streams of several models often say the same.
    if len(said := list(dict.fromkeys(moments.values()))) == 1:
        what = f"{listed(of) or 'A model'}, {said[0]}"
    else:
        names = {stream: f"{name}: " for stream, name in of.items() if name}
        what = ", ".join(names.get(each, "") + moment for each, moment in moments.items())
    return f"{html.escape(what)} · saved on {when}"
