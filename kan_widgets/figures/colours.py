"""The colours of the house, as style sheet variables that follow the page's theme."""

from __future__ import annotations

import threading

import anywidget

CLASS = "kw-bqplot"
"""The class of every figure; the style sheet speaks of it alone."""

# As in js/src/scene/theme.ts.
LIGHT = {
    "ink": "#1b1f24",
    "muted": "#656d76",
    "grid": "#e4e7eb",
    "ghost": "#9aa1a9",
    "accent": "#0a66c2",
    "curve-0": "#0072b2",
    "curve-1": "#d55e00",
    "curve-2": "#009e73",
    "curve-3": "#cc79a7",
    "curve-4": "#e69f00",
    "curve-5": "#56b4e9",
    "curve-6": "#656d76",
}
DARK = {
    "ink": "#e6e9ec",
    "muted": "#9ba3ac",
    "grid": "#2d333a",
    "ghost": "#8b939d",
    "accent": "#5aa9f8",
    "curve-0": "#56b4e9",
    "curve-1": "#e69f00",
    "curve-2": "#2fc79b",
    "curve-3": "#e39fc4",
    "curve-4": "#f0e442",
    "curve-5": "#f08a45",
    "curve-6": "#7a828b",
}

LONGEST = 40
"""Characters of the longest name that the legend has its place for."""

# JupyterLab; VS Code; pages with a theme of their own.
_DARK_PAGES = (
    '[data-jp-theme-light="false"]',
    ".vscode-dark",
    ".vscode-high-contrast",
    '[data-theme="dark"]',
    "html.dark",
    "body.dark",
)


def colour(name: str) -> str:
    """Return a colour as a mark takes it, by its name in `LIGHT`.

    Where the style sheet is missing it is the light one.

    Examples
    --------
    >>> colour("accent")
    'var(--kw-accent, #0a66c2)'
    """
    return f"var(--kw-{name}, {LIGHT[name]})"


def curve_colour(number: int) -> str:
    """Return the colour of a curve by its number; after seven they begin again.

    Examples
    --------
    >>> curve_colour(8)
    'var(--kw-curve-1, #d55e00)'
    """
    return colour(f"curve-{number % 7}")


def style_sheet() -> str:
    """Return the rules of the figures."""

    def variables(colours: dict[str, str]) -> str:
        return " ".join(f"--kw-{name}: {value};" for name, value in colours.items())

    dark = ", ".join(f"{page} .{CLASS}" for page in _DARK_PAGES)
    # bqplot puts a legend 16 pixels for each character of its longest name, and for two more, to
    # the left of the plot's right edge; this moves it to the right of the plot.
    legends = "\n".join(
        f".bqplot.kw-legend-{n} > svg .g_legend {{ translate: {16 * (n + 2) + 14}px 0; }}"
        for n in range(1, LONGEST + 1)
    )
    ink, muted = "var(--jp-content-font-color1, var(--kw-ink))", "var(--kw-muted)"
    return f"""
.{CLASS} {{ {variables(LIGHT)} }}
{dark} {{ {variables(DARK)} }}
.bqplot.{CLASS} {{
  --bq-background: transparent;
  --bq-plotarea-background-fill: transparent;
  --bq-content-font-color: {ink};
  --bq-axislabel-fill: {ink};
  --bq-axislabel-font: 12px sans-serif;
  --bq-axis-tick-text-fill: var(--jp-content-font-color2, {muted});
  --bq-axis-tick-text-font: 11px sans-serif;
  --bq-axis-border-color: var(--jp-border-color1, var(--kw-ghost));
  --bq-axis-path-stroke: var(--jp-border-color1, var(--kw-ghost));
  --bq-axis-tick-stroke: var(--kw-grid);
  --bq-grid-color: var(--kw-grid);
  --bq-mainheading-font: 13px sans-serif;
  --bq-mainheading-font-size: 13px;
  background: transparent;
}}
.bqplot.{CLASS} > svg text.legendtext {{ font: 12px sans-serif; fill: {ink} !important; }}
{legends}
"""


class StyleSheet(anywidget.AnyWidget):
    """Puts the rules into every page that knows this kernel's widgets; has no view."""

    _esm = "export default {};"
    _css = style_sheet()


_sheet: StyleSheet | None = None
_making = threading.Lock()


def put_style_sheet() -> None:
    """Make sure that the page has the rules: once in a process."""
    global _sheet
    with _making:
        if _sheet is None or _sheet.comm is None:
            _sheet = StyleSheet()
