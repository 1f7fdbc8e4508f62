"""A flush that fails, and then the power does: the kernel does not write again what it could not flush."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Callable

import pytest

from disk_model import DiskModel, Loss
from disk_shims import DIES_IN_FLUSH, UNSYNCED, Disk
from failing_disk import ALL_KINDS, run_failing_disk
from messages import read_all
from power_loss import check_images, record_life
from server import Server

MakeServer = Callable[..., Server]


def payloads_after_power_loss(server: Server, disk: Disk, folder: Path, dice: random.Random) -> list[bytes]:
    """What a server finds in `t` when the power goes now and takes all that no flush has covered."""
    model = DiskModel()
    for record in disk.journal.records():
        model.apply(record)
    folder.mkdir()
    model.save_after_power_loss(folder, Loss.ALL_LOST, dice)
    after = Server(folder, data=folder / server.data.name)
    try:
        with after.start().connect() as connection:
            return [each.payload for each in read_all(connection, "t")]
    finally:
        after.close()


@pytest.mark.bounded(120)
def test_what_is_acknowledged_between_failures_of_the_disk_survives_a_power_loss(
    tmp_path: Path, dice: random.Random
) -> None:
    print(run_failing_disk(tmp_path, dice, ALL_KINDS + UNSYNCED * 3, periods=12, images=150))


@pytest.mark.bounded(90)
def test_what_is_acknowledged_after_a_failed_flush_and_a_restart_survives_a_power_loss(
    make_server: MakeServer, tmp_path: Path, dice: random.Random
) -> None:
    disk = Disk(tmp_path, has_journal=True)
    server = make_server(environment=disk.environment).start()
    with server.connect(60) as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200
        disk.fail(UNSYNCED)
        assert connection.produce("t", b'{"payload":2}').status == 503
    server.kill()
    disk.recover()
    server.restart()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":3}').status == 200
        acknowledged = [each.payload for each in read_all(connection, "t")]
    assert acknowledged[0] == b"1" and acknowledged[-1] == b"3"
    assert payloads_after_power_loss(server, disk, tmp_path / "image", dice) == acknowledged


@pytest.mark.bounded(120)
def test_crashes_among_failed_flushes_and_a_power_loss_together_lose_nothing(
    tmp_path: Path, dice: random.Random
) -> None:
    recording = record_life(tmp_path, dice, appends=600, lives=5, flushes_fail=True)
    assert check_images(recording, tmp_path, dice, images=150) == []
    print(recording.tally)


def test_what_a_reader_sees_after_a_crash_survives_a_power_loss(
    make_server: MakeServer, tmp_path: Path, dice: random.Random
) -> None:
    disk = Disk(tmp_path, has_journal=True)
    server = make_server(environment=disk.environment).start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200
        disk.fail(DIES_IN_FLUSH)
        connection.send_request("POST", "/topics/t/produce", b'{"payload":2}', {"Content-Type": "application/json"})
        server.wait()
    disk.recover()
    server.restart()
    with server.connect() as connection:
        seen = [each.payload for each in read_all(connection, "t")]
    # Otherwise the next message would get the same offset, and two readers see two things there.
    assert payloads_after_power_loss(server, disk, tmp_path / "image", dice) == seen
