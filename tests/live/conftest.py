"""What several tests of live training need."""

from __future__ import annotations

import pytest


@pytest.fixture
def never_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a machine that stalls between two steps not pass for the end of the training."""
    monkeypatch.setattr("kan_widgets.live.steering.counter._QUIET_SECONDS", 60.0)
