"""A server under load whose power goes: at hundreds of moments, with whatever of its last writes the disk has."""

from __future__ import annotations

import random
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from conditions import wait_until
from disk_journal import DiskJournal, Kind
from disk_model import DiskModel, Loss
from disk_shims import DIES_IN_FLUSH, DIES_IN_WRITE, UNSYNCED, Disk
from image_check import ImageCheck
from messages import read_all
from server import Server
from tally import Tally
from workload import Checker, Ledger, Producers

TOPICS = ["orders", "payments"]
DEATHS = {DIES_IN_WRITE: "dies instead of writing", DIES_IN_FLUSH: "dies instead of flushing"}


@dataclass
class Recording:
    """A server's life: what its disk was told, and what its clients were."""

    data: Path
    journal: DiskJournal
    ledger: Ledger
    tally: Tally


def record_life(
    folder: Path, dice: random.Random, appends: int, lives: int = 3,
    flushes_fail: bool = False, meanwhile: Callable[[Recording, float], bool] = lambda *_: True,
) -> Recording:
    """Runs a server under load until about so many appends are acknowledged, in several lives.

    Each life but the last ends within a write or a flush, the last one in peace. Where flushes fail, they do so for a
    while before each death, and nothing is acknowledged then. `meanwhile` is called again and again with the part of its
    work that is due by the end of the life, and no life ends before it says that this is done.
    """
    disk = Disk(folder, has_journal=True)
    server = Server(folder, environment=disk.environment)
    recording = Recording(server.data, disk.journal, Ledger(), Tally())
    seed = dice.randrange(2**32)
    try:
        for life in range(lives):
            server.start()
            producers = Producers(
                server.port, TOPICS, recording.ledger, seed, count=6, name=f"life{life}",
                disk_moment=disk.journal.length).start()
            enough = recording.ledger.acknowledged_count + appends / lives * dice.uniform(0.5, 1.5)

            def is_enough() -> bool:
                is_done = meanwhile(recording, (life + 1) / lives)
                return is_done and recording.ledger.acknowledged_count >= enough

            wait_until(is_enough, f"{enough} appends are acknowledged, and all else is done", timeout=60)
            if life < lives - 1:
                if flushes_fail:
                    disk.fail(UNSYNCED)
                    time.sleep(dice.uniform(0, 0.1))
                    recording.tally.faults["flushes fail for a while"] += 1
                death = dice.choice(list(DEATHS))
                disk.fail(death)
                server.wait()
                disk.recover()
                producers.join()
                recording.tally.crashes += 1
                recording.tally.faults[DEATHS[death]] += 1
            else:
                producers.stop()
                assert server.stop() == 0
            assert producers.failures == []
    finally:
        server.close()
    recording.tally.operations = recording.ledger.acknowledged_count
    return recording


def choose_moments(journal: DiskJournal, dice: random.Random, count: int) -> list[int]:
    """Moments at which the power goes, in order: any, and more of those near a flush, in a checkpoint, at first."""
    ends, near_flush, in_checkpoint = [0], [], []
    for record in journal.records():
        if record.kind is Kind.FLUSH:
            near_flush += [ends[-1], record.end]
        elif record.kind is Kind.WRITE and record.name.endswith(".sqlite"):
            in_checkpoint.append(record.end)
        ends.append(record.end)
    kinds = [each for each in (ends, near_flush, in_checkpoint, ends[:60]) if each]
    return sorted(dice.choice(dice.choice(kinds)) for _ in range(count))


def check_images(
    recording: Recording, folder: Path, dice: random.Random, images: int, *, served: int = 0, lies: bool = False
) -> list[str]:
    """Rebuilds what the disk may have held at many moments, and says what is wrong with it.

    Some are also served by a server. Where the disk `lies`, flushes count for nothing: then there must be losses.
    """
    moments = choose_moments(recording.journal, dice, images)
    with_server = set(dice.sample(range(images), served))
    check = ImageCheck(recording.ledger)
    model = DiskModel(lies)
    found: list[str] = []
    records = recording.journal.records()
    position = 0
    for number, moment in enumerate(moments):
        while position < moment:
            record = next(records)
            model.apply(record)
            position = record.end
        loss = dice.choice(list(Loss))
        with tempfile.TemporaryDirectory(dir=folder) as image:
            data = Path(image, recording.data.name)
            model.save_after_power_loss(Path(image), loss, dice)
            # A copy of its own: a server changes it.
            copy = Path(shutil.copytree(image, Path(image, "served")), data.name) if number in with_server else None
            wrong = check.violations(data, moment)
            if copy:
                wrong += serve_image(copy, recording.ledger.before(moment))
        recording.tally.images += 1
        recording.tally.faults[f"power loss, {loss.value}"] += 1
        found += [f"after {moment} bytes of the journal, {loss.value}: {each}" for each in wrong[:3]]
    for record in records:
        model.apply(record)
    _check_model(model, recording.data)
    recording.tally.messages = sum(append.count for append in recording.ledger.all_acknowledged())
    return found + check.violations(recording.data, recording.journal.length())


def run_power_loss(
    folder: Path, dice: random.Random, appends: int, images: int, *, served: int = 0, lies: bool = False
) -> Tally:
    """Records a server's life and checks what a disk may have of it; fails if anything acknowledged is lost."""
    recording = record_life(folder, dice, appends, flushes_fail=dice.random() < 0.5)
    found = check_images(recording, folder, dice, images, served=served, lies=lies)
    assert not found, f"{len(found)} violations:\n" + "\n".join(found[:20])
    return recording.tally


def serve_image(data: Path, ledger: Ledger) -> list[str]:
    """Starts a server on a file: all that was acknowledged is there, and appends go on above it."""
    server = Server(data.parent, data=data)
    try:
        server.start()
        with server.connect() as connection:
            for topic in sorted(ledger.appends):
                checker = Checker(ledger, topic)
                checker.take(read_all(connection, topic))
                checker.check()
                answer = connection.produce(topic, b'{"payload":"after"}')
                assert answer.status == 200, answer
                assert answer.json()["offset"] == checker.next_offset
                assert [each.payload for each in read_all(connection, topic, checker.next_offset)] == [b'"after"']
    except (AssertionError, ConnectionError) as error:
        return [f"served: {error}"]
    finally:
        server.close()
    return []


def _check_model(model: DiskModel, data: Path) -> None:
    """The journal held everything: what was rebuilt from it is what is there, byte by byte."""
    real = {path.name: path.read_bytes() for path in data.parent.glob(data.name + "*")
            if not path.name.endswith(("-shm", ".lock"))}
    rebuilt = {name: bytes(file.content) for name, file in model.files.items()}
    assert rebuilt.keys() == real.keys(), (rebuilt.keys(), real.keys())
    assert len(real[data.name]) > 0
    for name, content in real.items():
        assert rebuilt[name] == content, f"{name} is not what the journal says"
