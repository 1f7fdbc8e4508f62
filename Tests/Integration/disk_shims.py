"""Libraries between a server and its disk: one lets calls fail, one writes them down."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from disk_journal import DiskJournal

FULL, HALVED, UNWRITTEN, UNREAD, UNSYNCED = "w", "h", "e", "r", "s"
DIES_IN_WRITE, DIES_IN_FLUSH = "d", "k"


@cache
def library(name: str) -> Path:
    """A library, built from the C file of that name beside this one."""
    compiler = shutil.which("cc") or shutil.which("clang") or shutil.which("gcc")
    assert compiler, "A C compiler is needed for the simulation of a failing disk."
    source = Path(__file__).with_name(f"{name}.c")
    folder = tempfile.TemporaryDirectory(prefix="disk-shims-")
    _folders.append(folder)
    built = Path(folder.name, f"{name}.so")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", built, source, "-ldl", "-lpthread"], check=True, timeout=60)
    return built


class Disk:
    """A switch for the faults of a server's disk, which writes a journal if asked to."""

    def __init__(self, folder: Path, has_journal: bool = False) -> None:
        self._switch = folder / "faults"
        self.journal = DiskJournal(folder / "journal")
        # The journal stands first: it sees what comes of a call.
        libraries = [library(name) for name in ["disk_journal"] * has_journal + ["disk_faults"]]
        self.environment = {"LD_PRELOAD": ":".join(map(str, libraries)), "DISK_FAULTS": str(self._switch)}
        if has_journal:
            self.environment |= self.journal.environment

    def fail(self, kinds: str) -> None:
        """Lets calls of these kinds fail from now on."""
        # In one step: a switch that is there and empty would let a call through.
        new = self._switch.with_suffix(".new")
        new.write_text(kinds)
        os.replace(new, self._switch)

    def recover(self) -> None:
        """Lets all calls through."""
        self._switch.unlink(missing_ok=True)


# Removed when the program ends.
_folders: list[tempfile.TemporaryDirectory[str]] = []
