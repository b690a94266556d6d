"""What a server has to say to a page, and how the widgets of a page say it."""

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from comm.base_comm import BaseComm

_KEPT_BYTES = 64_000_000
# Frames of each stream that go to a page at once.
_MAX_FRAMES = 4


class Hub:
    """What Python has said to a page, numbered from 1; the latest are kept.

    Examples
    --------
    >>> hub = Hub()
    >>> hub.put({"id": "a"})
    >>> hub.after(0, seconds=0)
    [(1, '{"id": "a"}')]
    >>> hub.after(1, seconds=0)
    []
    """

    def __init__(self, kept_bytes: int = _KEPT_BYTES) -> None:
        # Number and text of each message; for a frame also whose it is.
        self._kept: deque[tuple[int, str, str]] = deque()
        self._kept_bytes = kept_bytes
        self._bytes = 0
        self._news = threading.Condition()
        self.last = 0
        """The number of the latest message."""
        self.is_over = False
        """Whether nothing more will come."""
        self._heard_at = time.monotonic()
        self.page: Callable[[], bytes] = bytes
        """Called for the text of the page."""

    def put(self, message: dict[str, Any]) -> None:
        """Add a message."""
        text, content = json.dumps(message), message.get("content")
        is_frame = isinstance(content, dict) and content.get("kind") == "frame"
        is_frame = is_frame or "html" in message
        with self._news:
            self.last += 1
            self._kept.append((self.last, text, str(message["id"]) if is_frame else ""))
            self._bytes += len(text)
            while self._bytes > self._kept_bytes and len(self._kept) > 1:
                self._bytes -= len(self._kept.popleft()[1])
            self._news.notify_all()

    @property
    def unheard(self) -> float:
        """For how many seconds no page has asked for messages."""
        return time.monotonic() - self._heard_at

    def end(self) -> None:
        """End all waiting for messages."""
        with self._news:
            self.is_over = True
            self._news.notify_all()

    def after(self, number: int, seconds: float) -> list[tuple[int, str]] | None:
        """Return the messages after one, as soon as there are any; ``None`` if some are gone.

        To a page that is behind only the latest frames are sent: it asks for those it lacks.
        """
        with self._news:
            self._heard_at = time.monotonic()
            self._news.wait_for(lambda: self.last > number or self.is_over, seconds)
            if number > self.last or (self._kept and number < self._kept[0][0] - 1):
                return None
            messages: list[tuple[int, str]] = []
            frames: dict[str, int] = {}
            for place, text, of in reversed(self._kept):
                if place <= number:
                    break
                if of:
                    frames[of] = frames.get(of, 0) + 1
                if frames.get(of, 0) <= _MAX_FRAMES:
                    messages.append((place, text))
            return messages[::-1]


# The hub of the page that widgets made in this context talk to.
made_for: ContextVar[Hub] = ContextVar("made_for")


class PageComm(BaseComm):
    """A widget's way to the page: what it says goes to the hub."""

    def __init__(self, hub: Hub, **options: Any) -> None:
        self._hub = hub
        self.widget: Any = None
        super().__init__(**options)

    def on_msg(self, callback: Any) -> None:
        """Note whose method hears the page."""
        self.widget = callback.__self__
        super().on_msg(callback)

    def publish_msg(
        self,
        msg_type: str,
        data: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
        buffers: list[bytes] | None = None,
        **keys: Any,
    ) -> None:
        """Put a message into the hub; a page knows from its beginning of comms that open."""
        if msg_type == "comm_msg" and data is not None and data.get("method") != "echo_update":
            packed = [base64.b64encode(buffer).decode("ascii") for buffer in buffers or ()]
            self._hub.put({"id": self.comm_id, **data, "buffers": packed})
