"""The power goes while the server writes: whatever the disk has then, nothing acknowledged is lost."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from disk_journal import Kind
from disk_model import DiskModel, Loss
from disk_shims import Disk
from hot_copies import HotCopies
from power_loss import check_images, record_life, serve_image
from server import Server
from workload import Ledger


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
def test_a_first_start_that_is_cut_short_at_any_write_can_be_repeated(tmp_path: Path, dice: random.Random) -> None:
    disk = Disk(tmp_path, has_journal=True)
    first = Server(tmp_path, environment=disk.environment)
    try:
        first.start()
    finally:
        first.close()
    model = DiskModel()
    starts = 0
    for record in disk.journal.records():
        model.apply(record)
        for loss in {Loss.NONE_LOST, dice.choice(list(Loss))}:
            folder = tmp_path / f"{record.end} {loss.value}"
            folder.mkdir()
            model.save_after_power_loss(folder, loss, dice)
            assert serve_image(folder / first.data.name, Ledger()) == [], folder.name
            starts += 1
    print(f"{starts} starts")
    assert starts > 40


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
