"""Several servers on one bucket and one table, killed again and again while the store fails in every way."""

from __future__ import annotations

import itertools
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aws_layout import check_objects
from aws_store import AWSStore
from conditions import wait_until
from fault_proxy import FaultProxy
from faults import Fault
from fronts import Front
from history import History, Outcome
from server import Server
from tally import Tally
from traffic import Traffic, read_everything

SERVERS, WRITERS, READERS = 4, 16, 4
PROBABILITIES = {
    "s3.PutObject": {
        Fault.LOST: 0.01, Fault.LATE: 0.01, Fault.ANSWER_LOST: 0.02, Fault.ANSWER_CUT: 0.01, Fault.REPEATED: 0.02,
        Fault.ANSWER_SLOW: 0.01, Fault.HANGS: 0.002, Fault.HANGS_AFTER: 0.002, Fault.INTERNAL_ERROR: 0.02,
        Fault.INTERNAL_ERROR_AFTER: 0.01, Fault.SLOW_DOWN: 0.02, Fault.CONFLICT: 0.02},
    "s3": {
        Fault.LOST: 0.01, Fault.ANSWER_CUT: 0.01, Fault.ANSWER_SLOW: 0.01, Fault.HANGS: 0.002,
        Fault.INTERNAL_ERROR: 0.01, Fault.SLOW_DOWN: 0.02},
    "dynamodb.UpdateItem": {
        Fault.LOST: 0.01, Fault.LATE: 0.005, Fault.ANSWER_LOST: 0.01, Fault.ANSWER_CUT: 0.005, Fault.REPEATED: 0.01,
        Fault.HANGS: 0.001, Fault.HANGS_AFTER: 0.001, Fault.INTERNAL_ERROR: 0.01, Fault.INTERNAL_ERROR_AFTER: 0.01,
        Fault.THROTTLED: 0.03},
    "dynamodb": {Fault.LOST: 0.01, Fault.ANSWER_CUT: 0.005, Fault.INTERNAL_ERROR: 0.01, Fault.THROTTLED: 0.02},
}


def run_storm(folder: Path, store: AWSStore, proxy: FaultProxy, dice: random.Random, seconds: float) -> Tally:
    """Storms for so long; fails if anything acknowledged is lost, doubled, disordered or skipped by any reader."""
    servers = [Server(folder, store=store, name=f"server{number}") for number in range(SERVERS)]
    fresh = Server(folder, store=store.behind(store.direct_endpoint), name="fresh")
    history = History()
    traffic = Traffic("t", history, seed=dice.randrange(2**32))
    tally = Tally()
    try:
        for server in servers:
            server.start()
        proxy.inject_at_random(PROBABILITIES, seed=dice.randrange(2**32))
        _begin(traffic, servers)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            time.sleep(dice.uniform(0.5, 2))
            victim = dice.choice(servers)
            victim.kill()
            tally.crashes += 1
            victim.restart()
        proxy.calm()
        # Calm again, all that is left is settled without anyone's help: every server can append, and read to the end.
        before = history.count(Outcome.ACKNOWLEDGED)
        wait_until(
            lambda: history.count(Outcome.ACKNOWLEDGED) >= before + WRITERS, "appends go on after the storm",
            timeout=60)
        traffic.stop()
        fresh.start()
        final = read_everything(fresh, "t", timeout=60)
        outcomes = {outcome.value: history.count(outcome) for outcome in Outcome}
        print(f"storm: {outcomes}; {final.position - 1} offsets")
        history.check(final)
        with ThreadPoolExecutor(SERVERS) as pool:
            for view in pool.map(lambda server: read_everything(server, "t", timeout=60), servers):
                assert view.seen == final.seen
        objects = check_objects(store, "t")
        assert sum(int(each.metadata["count"]) for each in objects) == final.position - 1
    finally:
        proxy.calm()
        traffic.abandon()
        for server in [*servers, fresh]:
            server.close()
    tally.operations, tally.messages = history.count(Outcome.ACKNOWLEDGED), len(final.seen)
    for (kind, fault), count in proxy.plan.injected.items():
        tally.faults[f"{kind} {fault.value}"] += count
    return tally


def _begin(traffic: Traffic, servers: list[Server]) -> None:
    """Starts writers, each with a server of its own, and readers that change theirs."""
    next_server = itertools.cycle(servers)
    choosing = threading.Lock()

    def another() -> Front:
        with choosing:
            return next(next_server)

    for number in range(WRITERS):
        traffic.write(f"writer{number}", lambda server=servers[number % SERVERS]: server)
    for number in range(READERS):
        traffic.read(f"reader{number}", another)
