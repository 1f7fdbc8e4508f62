"""The subdivisions of ISO 3166-2: about 5,000 records in many scripts, from Debian's package iso-codes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

FOLDERS = ["/usr/share", "/usr/local/share", "/opt/homebrew/share"]


def iso_3166_2() -> list[dict[str, Any]]:
    """The records."""
    for folder in os.environ.get("XDG_DATA_DIRS", ":".join(FOLDERS)).split(":") + FOLDERS:
        path = Path(folder) / "iso-codes/json/iso_3166-2.json"
        if path.exists():
            return json.loads(path.read_bytes())["3166-2"]
    raise FileNotFoundError("iso_3166-2.json is missing: install the package iso-codes (scripts/setup --test does).")


SPELLINGS: dict[str, dict[str, Any]] = {
    "as they are": {"ensure_ascii": False},
    "compact": {"ensure_ascii": False, "separators": (",", ":")},
    "escaped": {"ensure_ascii": True},
    "wide": {"ensure_ascii": False, "separators": (" ,\t", " : ")},
    "sorted": {"ensure_ascii": False, "sort_keys": True},
}


def lines(spelling: str) -> list[bytes]:
    """The records as JSON, one a line, in one of the spellings."""
    return [json.dumps(record, **SPELLINGS[spelling]).encode() for record in iso_3166_2()]
