"""A server whose disk fails now and then under load, and what it has afterwards."""

from __future__ import annotations

import random
import time
from pathlib import Path

from conditions import wait_until
from disk_shims import FULL, HALVED, UNREAD, UNSYNCED, UNWRITTEN, Disk
from power_loss import Recording, check_images
from server import Server
from tally import Tally
from workload import Ledger, Producers, check_everything

TOPICS = ["a", "b", "c"]
NAMES = {
    FULL: "disk full for a while", HALVED: "writes halved for a while", UNWRITTEN: "writes fail for a while",
    UNREAD: "reads fail for a while", UNSYNCED: "flushes fail for a while"}
ALL_KINDS = "".join(NAMES)


def run_failing_disk(
    folder: Path, dice: random.Random, kinds: str, *, periods: int = 8, images: int = 0, ledger: Ledger | None = None
) -> Tally:
    """Lets the disk fail for some periods in the ways of `kinds`; fails if anything acknowledged is lost.

    With `images`, also if it would be lost in a power loss at any of so many moments.
    """
    ledger = Ledger() if ledger is None else ledger
    disk = Disk(folder, has_journal=images > 0)
    server = Server(folder, environment=disk.environment)
    recording = Recording(server.data, disk.journal, ledger, Tally())
    tally = recording.tally
    try:
        server.start()
        producers = Producers(
            server.port, TOPICS, ledger, dice.randrange(2**32), count=8, name="disk",
            disk_moment=disk.journal.length).start()
        for _ in range(periods):
            acknowledged = ledger.acknowledged_count
            wait_until(lambda: ledger.acknowledged_count > acknowledged + 20, "appends go on")
            kind = dice.choice(kinds)
            disk.fail(kind)
            time.sleep(dice.uniform(0.02, 0.3))
            disk.recover()
            tally.faults[NAMES[kind]] += 1
        acknowledged = ledger.acknowledged_count
        wait_until(lambda: ledger.acknowledged_count > acknowledged + 50, "appends go on at last")
        producers.stop()
        assert producers.failures == []
        for _ in range(2):
            with server.connect(timeout=5) as connection:
                tally.messages = check_everything(connection, ledger, TOPICS)
            server.kill()
            server.restart()
            tally.crashes += 1
        assert server.stop() == 0
    finally:
        server.close()
    tally.operations = ledger.acknowledged_count
    if images:
        found = check_images(recording, folder, dice, images)
        assert not found, f"{len(found)} violations:\n" + "\n".join(found[:20])
    return tally
