"""Legend: what the colours of all views stand for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kan_widgets.widgets.choices import Choice, option
from kan_widgets.widgets.view import View


class Legend(View):
    """The colours that all views share, each beside its name.

    Parameters
    ----------
    live_or_model
        A binding made by `kan_widgets.bind`, a recording, or a model.
    theme : {"auto", "light", "dark"}
        Follows JupyterLab when "auto".

    Raises
    ------
    TypeError
        For an unknown keyword, or if neither a binding nor a model is given.

    Examples
    --------
    >>> import kan_widgets as kw
    >>> kw.Legend(kw.nn.KANCNN.article()).image(width=300).size[0]
    600
    """

    _kind = "legend"

    theme = option(Choice(["auto", "light", "dark"]))

    def _drawn_layers(self, traits: dict[str, Any], names: Sequence[str]) -> Sequence[str]:
        return []
