"""Plain bqplot figures of curves, functions and named lines, for charts of your own.

Each function returns a `bqplot.Figure` with labelled axes. To add marks of your own, take its
scales: ``figure.marks = [*figure.marks, bqplot.Lines(x=…, y=…, scales=figure.marks[0].scales)]``.
What is live moves while it trains, drawn in the background; a function selected in a view is
marked here, and one clicked here is selected there. Closing a figure ends all that it does. The
colours follow the page's light or dark theme.
"""

from kan_widgets.figures.logged import curves
from kan_widgets.figures.named import lines
from kan_widgets.figures.phi import functions

__all__ = ["curves", "functions", "lines"]
