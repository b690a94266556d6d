"""Where the views find the painter until they import it from its own place."""

from kan_widgets.live.painter import Painter as Painter
