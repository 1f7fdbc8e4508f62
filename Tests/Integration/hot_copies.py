"""Copies of a data file and its log, taken one after the other while a server writes to both."""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from disk_journal import Kind
from image_check import ImageCheck
from power_loss import Recording

COPIES = 50


@dataclass
class HotCopy:
    """A copy, and how long the journal was before and after it was taken."""

    folder: Path
    began: int
    ended: int


class HotCopies:
    """Takes copies, the file first or the log first, and finds out afterwards which of them must be good."""

    def __init__(self, folder: Path, dice: random.Random) -> None:
        self._folder = folder
        self._dice = dice
        self._copies: list[HotCopy] = []

    def take(self, recording: Recording, share: float) -> bool:
        """Copies the file and its log, not at one moment, unless the dice say no; returns whether it has its share."""
        if len(self._copies) >= COPIES * share:
            return True
        if self._dice.random() > 0.1:
            return False
        folder = self._folder / f"copy{len(self._copies)}"
        folder.mkdir(parents=True)
        data = recording.data
        began = recording.journal.length()
        for path in self._dice.sample([data, data.with_name(data.name + "-wal")], 2):
            try:
                shutil.copyfile(path, folder / path.name)
            except FileNotFoundError:
                pass
        self._copies.append(HotCopy(folder, began, recording.journal.length()))
        return False

    def check(self, recording: Recording) -> tuple[int, list[str]]:
        """How many copies must be good, and what is wrong with them.

        Those are the ones during which nothing was merged into the file, nor the log begun anew: then the two parts
        belong together, whichever was copied first. All other copies are no state that the files ever had.
        """
        merges = [
            record.end for record in recording.journal.records()
            if record.kind is not Kind.FLUSH and (not record.name.endswith("-wal") or record.offset == 0)]
        check = ImageCheck(recording.ledger)
        found: list[str] = []
        good = [each for each in self._copies if not any(each.began < end <= each.ended for end in merges)]
        for copy in good:
            wrong = check.violations(copy.folder / recording.data.name, copy.began)
            found += [f"{copy}: {each}" for each in wrong[:3]]
        shutil.rmtree(self._folder)
        recording.tally.images += len(good)
        return len(good), found
