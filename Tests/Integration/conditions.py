"""Waiting for something to become true, instead of sleeping for luck."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

Value = TypeVar("Value")


def wait_until(condition: Callable[[], Value], what: str, timeout: float = 30, pause: float = 0.01) -> Value:
    """Asks until the answer is true, and returns it; fails after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"After {timeout} s still not so: {what}")
        time.sleep(pause)
