"""Reads what a server did to its data file, as `disk_journal.c` wrote it down."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Iterator

_HEAD = struct.Struct("<cB6xQQ")


class Kind(Enum):
    """What a call did."""

    WRITE = b"w"
    RESIZE = b"t"
    FLUSH = b"s"
    FAILED_FLUSH = b"f"
    FOLDER_FLUSH = b"d"
    REMOVAL = b"u"


@dataclass(frozen=True)
class Record:
    """One call: the file's name, where or how far, the bytes, and how long the journal is with this record."""

    kind: Kind
    name: str
    offset: int
    data: bytes
    end: int


class DiskJournal:
    """A journal that may still be growing; its length is a clock for what the server does to its files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def environment(self) -> dict[str, str]:
        """What tells the library where to write."""
        return {"DISK_JOURNAL": str(self.path)}

    def length(self) -> int:
        """How long it is now; all that the server did before is below."""
        return self.path.stat().st_size if self.path.exists() else 0

    def records(self) -> Iterator[Record]:
        """All records, in order."""
        with self.path.open("rb") as file:
            while head := file.read(_HEAD.size):
                kind, name_length, offset, length = _HEAD.unpack(head)
                name, data = file.read(name_length).decode(), file.read(length)
                assert len(data) == length, "the journal ends within a record"
                yield Record(Kind(kind), name, offset, data, file.tell())
