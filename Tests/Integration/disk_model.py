"""What a disk may hold after the power has gone, by what was written to its files and flushed until then."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from disk_journal import Kind, Record

PAGE, SECTOR = 4096, 512


class Loss(Enum):
    """What becomes of the writes that no flush has covered."""

    ALL_LOST = "all lost"
    NONE_LOST = "none lost"
    LATEST_LOST = "the latest lost"  # those from some moment on
    PAGES_LOST = "some pages lost"  # each page is as it was at a moment of its own
    SECTORS_LOST = "some sectors lost"  # so is each sector: pages are torn


@dataclass
class StoredFile:
    """A file as its process sees it, and all that the disk may hold of it.

    A sector of the disk holds any of the contents that it has had since the last flush, or the one from before. The
    kernel flushes whole pages. After a failed flush it takes the pages for clean: only those that are written to
    again are part of the next flush, whatever that one answers.
    """

    content: bytearray = field(default_factory=bytearray)
    last_write: int = 0
    _durable: bytearray = field(default_factory=bytearray)
    _durable_size: int = 0
    # Each with the moment when it was written.
    _versions: dict[int, list[tuple[int, bytes]]] = field(default_factory=lambda: defaultdict(list))
    _sizes: list[tuple[int, int]] = field(default_factory=list)
    _dirty: set[int] = field(default_factory=set)

    def write(self, moment: int, offset: int, data: bytes) -> None:
        """Takes bytes in that no flush has covered yet."""
        end = offset + len(data)
        if end > len(self.content):
            self.content.extend(bytes(end - len(self.content)))
            self._sizes.append((moment, end))
        self.content[offset:end] = data
        self._touch(moment, range(offset // PAGE, (end - 1) // PAGE + 1))

    def resize(self, moment: int, size: int) -> None:
        """Cuts the file, or makes it longer."""
        before = len(self.content)
        del self.content[size:]
        self.content.extend(bytes(size - len(self.content)))
        self._sizes.append((moment, size))
        if size < before:
            self._touch(moment, range(size // PAGE, (before - 1) // PAGE + 1))

    def flush(self) -> None:
        """Makes durable what was written since the last flush, whether that one failed or not."""
        for page in self._dirty:
            versions = self._versions.pop(page)
            end = (page + 1) * PAGE
            self._durable.extend(bytes(max(0, end - len(self._durable))))
            self._durable[end - PAGE:end] = versions[-1][1]
        if self._sizes:
            self._durable_size = self._sizes[-1][1]
        self._sizes.clear()
        self._dirty.clear()

    def fail_to_flush(self) -> None:
        """Leaves it open what the disk has of the pages, and forgets that they were to be written."""
        self._dirty.clear()

    def after_power_loss(self, loss: Loss, dice: random.Random) -> bytes:
        """What the disk may hold if the power goes now."""
        moments = [moment for versions in self._versions.values() for moment, _ in versions]
        moments += [moment for moment, _ in self._sizes]
        limit = {Loss.ALL_LOST: -1, Loss.LATEST_LOST: dice.choice(moments or [0])}.get(loss, max(moments, default=0))
        scattered = loss in (Loss.PAGES_LOST, Loss.SECTORS_LOST)
        sizes = [self._durable_size] + [size for moment, size in self._sizes if moment <= limit]
        size = dice.choice(sizes) if scattered else sizes[-1]
        image = bytearray(self._durable)
        image.extend(bytes(max(0, size - len(image))))
        step = SECTOR if loss is Loss.SECTORS_LOST else PAGE
        for page, versions in self._versions.items():
            start = page * PAGE
            known = [data for moment, data in versions if moment <= limit]
            for place in range(0, PAGE, step):
                chosen = dice.randrange(len(known) + 1) if scattered else len(known)
                if chosen > 0 and start + place < size:
                    image[start + place:start + place + step] = known[chosen - 1][place:place + step]
        return bytes(image[:size])

    def _touch(self, moment: int, pages: range) -> None:
        for page in pages:
            self._versions[page].append((moment, bytes(self.content[page * PAGE:(page + 1) * PAGE]).ljust(PAGE, b"\0")))
            self._dirty.add(page)


class DiskModel:
    """The files of one folder, built from a journal; one that `lies` answers flushes and does nothing."""

    def __init__(self, lies: bool = False) -> None:
        self.files: dict[str, StoredFile] = {}
        self._lies = lies
        self._durable_files: dict[str, StoredFile] = {}
        # Names that came (with their file) or went (without) since the folder was flushed.
        self._changes: list[tuple[int, str, StoredFile | None]] = []

    def apply(self, record: Record) -> None:
        """Takes in what a call did."""
        match record.kind:
            case Kind.WRITE if record.data:
                file = self._file(record)
                file.write(record.end, record.offset, record.data)
                file.last_write = record.end
            case Kind.RESIZE:
                file = self._file(record)
                file.resize(record.end, record.offset)
                file.last_write = record.end
            case Kind.REMOVAL:
                self.files.pop(record.name, None)
                self._changes.append((record.end, record.name, None))
            case Kind.FLUSH | Kind.FAILED_FLUSH if record.name in self.files:
                file = self.files[record.name]
                # It would be open whether the flush has reached that write; SQLite does not do so.
                assert file.last_write <= record.offset, f"{record.name} was written to during its flush"
                if record.kind is Kind.FAILED_FLUSH:
                    file.fail_to_flush()
                elif not self._lies:
                    file.flush()
            case Kind.FOLDER_FLUSH:
                while self._changes and self._changes[0][0] <= record.offset:
                    self._apply_change(self._durable_files, self._changes.pop(0))

    def save_after_power_loss(self, folder: Path, loss: Loss, dice: random.Random) -> None:
        """Writes the files into an empty folder as the disk may hold them if the power goes now."""
        files = dict(self._durable_files)
        # File systems keep the order in which names of one folder came and went.
        kept = {Loss.ALL_LOST: 0, Loss.NONE_LOST: len(self._changes)}.get(loss, dice.randint(0, len(self._changes)))
        for change in self._changes[:kept]:
            self._apply_change(files, change)
        for name, file in files.items():
            (folder / name).write_bytes(file.after_power_loss(loss, dice))

    def _file(self, record: Record) -> StoredFile:
        if record.name not in self.files:
            self.files[record.name] = StoredFile()
            self._changes.append((record.end, record.name, self.files[record.name]))
        return self.files[record.name]

    @staticmethod
    def _apply_change(files: dict[str, StoredFile], change: tuple[int, str, StoredFile | None]) -> None:
        _, name, file = change
        if file:
            files[name] = file
        else:
            files.pop(name, None)
