"""What a setting's text may be: each kind checks a value and says in a sentence what is allowed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Callable, Iterable

LOG_RETENTION_DAYS = (
    # CloudWatch Logs API Reference, PutRetentionPolicy.
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)


@dataclass(frozen=True)
class Kind:
    """How a value is read, and what is allowed, in words."""

    allowed: str
    # Returns the value, or raises ValueError.
    parse: Callable[[object], object]


def one_of(*choices: str) -> Kind:
    """One of some words."""

    def parse(value: object) -> str:
        if value not in choices:
            raise ValueError
        return str(value)

    return Kind(" or ".join(f"`{choice}`" for choice in choices), parse)


def whole_number(lowest: int, highest: int) -> Kind:
    """A whole number between bounds, both included."""

    def parse(value: object) -> int:
        if isinstance(value, (bool, float)) or not re.fullmatch(r"[0-9]{1,9}", str(value)):
            raise ValueError
        number = int(str(value))
        if not lowest <= number <= highest:
            raise ValueError
        return number

    return Kind(f"{lowest} to {highest}", parse)


def listed_number(numbers: Iterable[int]) -> Kind:
    """One of some numbers."""
    allowed = tuple(numbers)

    def parse(value: object) -> int:
        if isinstance(value, (bool, float)) or str(value) not in map(str, allowed):
            raise ValueError
        return int(str(value))

    return Kind(", ".join(map(str, allowed)), parse)


def flag() -> Kind:
    """`true` or `false`."""

    def parse(value: object) -> bool:
        if isinstance(value, bool):
            return value
        if value not in ("true", "false"):
            raise ValueError
        return value == "true"

    return Kind("`true` or `false`", parse)


def text(pattern: str, allowed: str) -> Kind:
    """Text that matches a pattern as a whole."""

    def parse(value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError
        return value

    return Kind(allowed, parse)


def optional(kind: Kind) -> Kind:
    """A kind that may also be absent: an empty text."""

    def parse(value: object) -> object:
        return None if value in (None, "") else kind.parse(value)

    return Kind(f"{kind.allowed}, or nothing", parse)


def origins() -> Kind:
    """`*`, or origins separated by commas."""
    origin = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")

    def parse(value: object) -> tuple[str, ...]:
        if not isinstance(value, (str, tuple, list)):
            raise ValueError
        parts = value.split(",") if isinstance(value, str) else value
        listed = tuple(str(part).strip() for part in parts)
        if listed != ("*",) and not all(origin.fullmatch(part) for part in listed):
            raise ValueError
        return listed

    return Kind("`*`, or origins such as `https://app.example.com`, separated by commas", parse)
