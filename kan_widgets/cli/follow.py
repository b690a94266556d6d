"""``kan-widgets follow``: a page that follows a run while another process records it."""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

from kan_widgets.cli.opening import open_page
from kan_widgets.cli.serving import Server


def follow(options: argparse.Namespace) -> int:
    """Serve a page that follows a recording, until Ctrl+C."""
    # Before the first widget is made, so that all talk with the page.
    with closing(Server(options.port)) as server:
        return _follow(options, server)


def _follow(options: argparse.Namespace, server: Server) -> int:
    from kan_widgets.live import follow
    from kan_widgets.widgets.dashboard import Dashboard
    from kan_widgets.widgets.live_page import live_page

    if not options.recording.exists():
        print(f"waiting for {options.recording}", file=sys.stderr, flush=True)
    run = follow(options.recording, wait=options.wait)
    theme = "dark" if options.dark else "auto"
    views = [Dashboard(run)]

    title = f"{run.info['model'] or 'A model'} · {run.path.name}"
    about = f"Follows {run.path} while it grows; point at anything to read it, click to select it."

    def page() -> bytes:
        heard = server.hub.last
        return live_page(views, title, about, theme=theme, heard=heard)

    server.page = page
    print(f"{options.recording} at {server.address} (Ctrl+C ends this, not the run)", flush=True)
    if not options.no_browser:
        open_page(server.address)
    try:
        server.serve()
    except KeyboardInterrupt:
        print("the page follows no more", file=sys.stderr)
    finally:
        run.close()
    return 0
