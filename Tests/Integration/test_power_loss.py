"""The power goes while the server writes: whatever the disk has then, nothing acknowledged is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from disk_journal import Kind
from hot_copies import HotCopies
from power_loss import check_images, record_life


@pytest.mark.bounded(120)
def test_nothing_acknowledged_is_lost_whatever_a_power_loss_leaves_of_the_writes_under_way(
    tmp_path: Path, dice: random.Random
) -> None:
    recording = record_life(tmp_path, dice, appends=3500)
    checkpoints = sum(
        record.kind is Kind.FLUSH and record.name.endswith(".sqlite") for record in recording.journal.records())
    assert check_images(recording, tmp_path, dice, images=300, served=6) == []
    print(f"{recording.tally}; {checkpoints} flushes of the file itself")
    # Three are those of the file's beginning and of its end.
    assert recording.tally.crashes == 2 and checkpoints > 3


@pytest.mark.bounded(120)
def test_a_disk_that_answers_flushes_without_doing_them_loses_what_was_acknowledged(
    tmp_path: Path, dice: random.Random
) -> None:
    # Nothing can be done about such a disk; that its losses are found shows that others would be.
    recording = record_life(tmp_path, dice, appends=600)
    found = check_images(recording, tmp_path, dice, images=60, lies=True)
    print(f"{recording.tally}; {len(found)} violations, as in: {found[:1]}")
    assert any("was acknowledged" in each and "is lost" in each for each in found)


@pytest.mark.bounded(120)
def test_copies_of_the_file_and_its_log_taken_under_load_hold_all_that_was_acknowledged(
    tmp_path: Path, dice: random.Random
) -> None:
    copies = HotCopies(tmp_path / "copies", random.Random(dice.randrange(2**32)))
    recording = record_life(tmp_path, dice, appends=3500, lives=2, meanwhile=copies.take)
    good, found = copies.check(recording)
    print(f"{recording.tally}; {good} copies")
    assert found == []
    assert good > 20
