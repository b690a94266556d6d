"""The colours of the house, as style sheet variables that follow the page's theme."""

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
    "accent": "#6f42c1",
    "curve-0": "#1098ad",
    "curve-1": "#986c3a",
    "curve-2": "#d69e00",
    "curve-3": "#454f68",
    "curve-4": "#6a8d03",
    "curve-5": "#994059",
    "curve-6": "#a3abb4",
}
DARK = {
    "ink": "#e6e9ec",
    "muted": "#9ba3ac",
    "grid": "#2d333a",
    "ghost": "#8b939d",
    "accent": "#b794f6",
    "curve-0": "#7fe0f0",
    "curve-1": "#c08a5e",
    "curve-2": "#f5e6b8",
    "curve-3": "#93a4bd",
    "curve-4": "#a8d977",
    "curve-5": "#d9828b",
    "curve-6": "#6d757e",
}

LONGEST_NAME = 40
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

    Without the style sheet the colour is that of the light theme.
    """
    return f"var(--kw-{name}, {LIGHT[name]})"


def curve_colour(number: int) -> str:
    """Return the colour of a curve by its number; after seven they begin again."""
    return colour(f"curve-{number % 7}")


def _style_sheet() -> str:
    """Return the rules of the figures."""

    def variables(colours: dict[str, str]) -> str:
        return " ".join(f"--kw-{name}: {value};" for name, value in colours.items())

    dark = ", ".join(f"{page} .{CLASS}" for page in _DARK_PAGES)
    # bqplot puts a legend 16 pixels for each character of its longest name, and for two more, to
    # the left of the plot's right edge; this moves it to the right of the plot.
    legends = "\n".join(
        f".bqplot.kw-legend-{n} > svg .g_legend {{ translate: {16 * (n + 2) + 14}px 0; }}"
        for n in range(1, LONGEST_NAME + 1)
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


class _StyleSheet(anywidget.AnyWidget):
    """Puts the rules into every page with widgets of this notebook kernel; has no view."""

    _esm = "export default {};"
    _css = _style_sheet()


_sheet: _StyleSheet | None = None
_making = threading.Lock()


def put_style_sheet() -> None:
    """Make sure that the page has the rules: once in a process."""
    global _sheet
    with _making:
        if _sheet is None or _sheet.comm is None:
            _sheet = _StyleSheet()
