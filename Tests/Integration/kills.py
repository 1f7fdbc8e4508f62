"""A server that is killed again and again under load, and what it has afterwards."""

from __future__ import annotations

import random
import time
from pathlib import Path

from conditions import wait_until
from messages import read_all
from server import Server
from tally import Tally
from workload import Checker, Ledger, Producers, check_everything

TOPICS = ["orders", "payments", "Log.of-all_things"]


def run_kills(folder: Path, dice: random.Random, rounds: int) -> Tally:
    """Kills the server at a random moment of each round; fails if anything acknowledged is lost or doubled."""
    tally = Tally()
    ledger = Ledger()
    checkers = {topic: Checker(ledger, topic) for topic in TOPICS}
    seed = dice.randrange(2**32)
    server = Server(folder)
    try:
        for number in range(rounds):
            if dice.random() < 0.2:
                # Also while it is starting and recovering what the last kill left.
                server.launch()
                time.sleep(dice.uniform(0, 0.2))
                server.kill()
                tally.faults["SIGKILL while starting"] += 1
            server.start()
            _check_new_messages(server, checkers)
            acknowledged_before = ledger.acknowledged_count
            producers = Producers(server.port, TOPICS, ledger, seed, count=6, name=f"round{number}").start()
            if dice.random() < 0.9:
                wait_until(lambda: ledger.acknowledged_count > acknowledged_before, "a first acknowledgement")
            time.sleep(dice.uniform(0, 0.4))
            server.kill()
            tally.faults["SIGKILL under load"] += 1
            producers.join()
            assert producers.failures == []
        server.start()
        with server.connect() as connection:
            check_everything(connection, ledger, TOPICS)
    finally:
        server.close()
    tally.crashes = tally.faults.total()
    tally.operations = ledger.acknowledged_count
    tally.messages = sum(checker.next_offset - 1 for checker in checkers.values())
    return tally


def _check_new_messages(server: Server, checkers: dict[str, Checker]) -> None:
    """Checks what came since the last time, and that what was there then still begins where it did."""
    with server.connect() as connection:
        for topic, checker in checkers.items():
            checker.take(read_all(connection, topic, start=checker.next_offset))
            checker.check()
