"""Open a page in the reader's browser."""

from __future__ import annotations

import sys
import webbrowser


def open_page(address: str) -> None:
    """Open a page, or say where it is where there is no browser."""
    if not webbrowser.open(address):
        print(f"no browser could be opened: open {address} in one", file=sys.stderr)
