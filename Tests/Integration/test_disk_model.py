"""The model of a disk that loses power, and the check of what it holds: both find what they must."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from disk_journal import Kind, Record
from disk_model import PAGE, SECTOR, DiskModel, Loss, StoredFile
from image_check import ImageCheck
from workload import Append, Ledger

OLD, NEW = b"o" * PAGE, b"n" * PAGE


def contents(file: StoredFile, loss: Loss, dice: random.Random) -> set[bytes]:
    """What the disk may hold of a file, by many throws of the dice."""
    return {file.after_power_loss(loss, dice) for _ in range(200)}


def test_what_was_flushed_stays_and_what_came_later_may_be_lost_in_each_sector(dice: random.Random) -> None:
    file = StoredFile()
    file.write(1, 0, OLD * 2)
    file.flush()
    file.write(2, 0, NEW)
    assert contents(file, Loss.ALL_LOST, dice) == {OLD * 2}
    assert contents(file, Loss.NONE_LOST, dice) == {NEW + OLD}
    assert contents(file, Loss.PAGES_LOST, dice) == {OLD * 2, NEW + OLD}
    torn = contents(file, Loss.SECTORS_LOST, dice)
    sectors = {image[place:place + SECTOR] for image in torn for place in range(0, PAGE, SECTOR)}
    assert len(torn) > 50 and sectors == {b"o" * SECTOR, b"n" * SECTOR}
    assert all(image[PAGE:] == OLD for image in torn)


def test_a_sector_never_holds_what_it_never_held(dice: random.Random) -> None:
    file = StoredFile()
    file.write(1, 0, b"a" * 100)
    file.write(2, 100, b"b" * 100)
    # Both are in one sector, so the second can not be there without the first.
    assert contents(file, Loss.SECTORS_LOST, dice) <= {
        b"", bytes(100), bytes(200), b"a" * 100, b"a" * 100 + bytes(100), b"a" * 100 + b"b" * 100}


def test_after_a_failed_flush_the_next_one_reaches_only_what_was_written_again(dice: random.Random) -> None:
    file = StoredFile()
    file.write(1, 0, OLD * 2)
    file.flush()
    file.write(2, 0, NEW * 2)
    file.fail_to_flush()
    file.write(3, 0, b"x")
    file.flush()
    # The second page is shown as new, and nothing will ever bring it to the disk.
    assert bytes(file.content) == b"x" + NEW[1:] + NEW
    assert contents(file, Loss.PAGES_LOST, dice) == {b"x" + NEW[1:] + OLD, b"x" + NEW[1:] + NEW}


def test_a_file_whose_folder_was_not_flushed_may_be_missing(tmp_path: Path, dice: random.Random) -> None:
    model = DiskModel()
    model.apply(Record(Kind.WRITE, "f", 0, NEW, 10))
    model.apply(Record(Kind.FLUSH, "f", 10, b"", 20))
    model.save_after_power_loss(tmp_path, Loss.ALL_LOST, dice)
    assert list(tmp_path.iterdir()) == []
    model.apply(Record(Kind.FOLDER_FLUSH, "", 20, b"", 30))
    model.apply(Record(Kind.REMOVAL, "f", 0, b"", 40))
    model.save_after_power_loss(tmp_path, Loss.ALL_LOST, dice)
    assert (tmp_path / "f").read_bytes() == NEW


# The check

def make_file(path: Path, counter: int, *segments: tuple[int, int, list[tuple[str, int, int]]]) -> None:
    """Makes a data file with one topic; a message is its request, its index there, and of how many."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE topic (id INTEGER PRIMARY KEY, name, current_offset)")
        database.execute("CREATE TABLE segment (id INTEGER PRIMARY KEY, topic, first, last, body)")
        database.execute("INSERT INTO topic VALUES (1, 't', ?)", [counter])
        for first, last, messages in segments:
            lines = [
                json.dumps({"offset": first + place, "payload": {"request": request, "index": index, "of": count}})
                for place, (request, index, count) in enumerate(messages)]
            database.execute(
                "INSERT INTO segment (topic, first, last, body) VALUES (1, ?, ?, ?)",
                [first, last, "\n".join(lines).encode()])
        database.commit()


WHOLE = (1, 2, [("a", 0, 2), ("a", 1, 2)])


@pytest.mark.parametrize("counter, segments, expected", [
    (3, [WHOLE, (3, 3, [("b", 0, 1)])], None),
    (2, [WHOLE], "b was acknowledged at 3, and is lost"),
    (4, [WHOLE, (3, 4, [("c", 0, 1), ("b", 0, 1)])], "b was acknowledged at 3, and is at 4"),
    (4, [WHOLE, (3, 3, [("b", 0, 1)]), (4, 4, [("b", 0, 1)])], "b is there twice"),
    (2, [(1, 1, [("a", 0, 2)]), (2, 2, [("b", 0, 1)])], "a is not whole"),
    (3, [WHOLE, (2, 3, [("c", 0, 1), ("b", 0, 1)])], "begins below 3"),
    (9, [WHOLE, (3, 3, [("b", 0, 1)])], "its counter is 9"),
    (4, [WHOLE, (3, 3, [("b", 0, 1)]), (4, 4, [("r", 0, 1)])], "r was refused, and is at 4"),
    (4, [WHOLE, (3, 3, [("b", 0, 1)]), (4, 4, [("z", 0, 1)])], "z at 4 was sent by nobody"),
])
def test_the_check_of_a_data_file_finds_what_is_wrong(
    tmp_path: Path, counter: int, segments: list, expected: str | None
) -> None:
    ledger = Ledger()
    ledger.add(Append("t", "a", 2, 0.0, 1.0, first=1, disk_moment=10))
    ledger.add(Append("t", "b", 1, 0.0, 1.0, first=3, disk_moment=20))
    ledger.add(Append("t", "c", 1, 0.0))
    ledger.add(Append("t", "r", 1, 0.0, refusal="unavailable"))
    make_file(tmp_path / "f.sqlite", counter, *segments)
    found = ImageCheck(ledger).violations(tmp_path / "f.sqlite", 20)
    assert (found == []) if expected is None else any(expected in each for each in found), found


def test_the_check_asks_only_for_what_was_acknowledged_before_the_power_went(tmp_path: Path) -> None:
    ledger = Ledger()
    ledger.add(Append("t", "a", 2, 0.0, 1.0, first=1, disk_moment=10))
    ledger.add(Append("t", "b", 1, 0.0, 1.0, first=3, disk_moment=20))
    make_file(tmp_path / "f.sqlite", 2, WHOLE)
    assert ImageCheck(ledger).violations(tmp_path / "f.sqlite", 19) == []
    assert ImageCheck(ledger).violations(tmp_path / "f.sqlite", 20) != []


def test_the_check_finds_a_broken_page(tmp_path: Path) -> None:
    make_file(tmp_path / "f.sqlite", 2, WHOLE)
    data = bytearray((tmp_path / "f.sqlite").read_bytes())
    data[2 * PAGE:2 * PAGE + 40] = bytes(40)
    (tmp_path / "f.sqlite").write_bytes(data)
    assert ImageCheck(Ledger()).violations(tmp_path / "f.sqlite", 0) != []
