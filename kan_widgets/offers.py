"""What upper parts of the package offer to lower ones, which import nothing of them.

`kan_widgets` itself, which may import all, sets it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

sending: Callable[..., Any]
"""Makes what ``live.send_to`` returns: see `kan_widgets.integrations.trackers.Sending`."""
