"""Consumers of one group that are killed and stopped while producers write: nothing is missed, and nothing goes back."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import pytest

from aws_store import AWSStore
from conditions import wait_until
from fronts import aws_requests
from http_client import NDJSON, Connection, NoAnswer
from messages import read_all
from processes import end, spawn
from server import Server

GROUP = "workers"
LEASE_SECONDS = 1


@dataclass
class Producer(threading.Thread):
    """Appends messages until it has so many acknowledged; what has no answer may be there too."""

    ports: list[int]
    topic: str
    count: int
    dice: random.Random
    # So that producing lasts about as long as what goes wrong meanwhile.
    pause: float
    offsets: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while len(self.offsets) < self.count:
            try:
                with Connection(self.dice.choice(self.ports)) as connection:
                    while len(self.offsets) < self.count:
                        self.append(connection)
            except (OSError, NoAnswer):
                time.sleep(0.05)

    def append(self, connection: Connection) -> None:
        """Appends one batch."""
        time.sleep(self.dice.uniform(0, self.pause))
        size = min(self.dice.choice([1, 5, 50]), self.count - len(self.offsets))
        answer = connection.produce(self.topic, b"\n".join(b'"x"' for _ in range(size)), NDJSON)
        if answer.status == 200:
            first = answer.json()["offset"]
            self.offsets += range(first, first + size)


class Consumers:
    """Processes that consume as one group, each with a journal of its own."""

    def __init__(self, folder: Path, topic: str, ports: list[int], count: int) -> None:
        self.folder = folder
        self.topic = topic
        self.ports = ports
        self.journals: list[Path] = []
        self.names: list[str] = []
        self.processes = [self.start(place) for place in range(count)]
        self.kills = self.pauses = 0

    def start(self, place: int) -> subprocess.Popen[bytes]:
        """Starts one more, under a new name."""
        self.names[place:place + 1] = [f"consumer-{len(self.journals)}"]
        self.journals.append(self.folder / f"journal-{len(self.journals)}")
        self.journals[-1].touch()
        script = Path(__file__).with_name("group_consumer.py")
        return spawn([
            sys.executable, script, self.topic, GROUP, self.names[place], self.journals[-1], str(LEASE_SECONDS),
            *[str(port) for port in self.ports]])

    def disturb(self, dice: random.Random, holder: str | None) -> None:
        """Kills one and starts another in its place, or stops one for a while, often for longer than its lease.

        It is mostly the one that has the lease.
        """
        place = dice.randrange(len(self.processes))
        if holder in self.names and dice.random() < 0.8:
            place = self.names.index(holder)
        if dice.random() < 0.4:
            end(self.processes[place])
            self.processes[place] = self.start(place)
            self.kills += 1
        else:
            self.processes[place].send_signal(signal.SIGSTOP)
            time.sleep(dice.uniform(0.1, 2.5 * LEASE_SECONDS))
            self.processes[place].send_signal(signal.SIGCONT)
            self.pauses += 1

    def close(self) -> None:
        """Ends all."""
        for process in self.processes:
            end(process)

    def entries(self) -> list[list[dict]]:
        """What each has written; the last line of one that was killed may be cut."""
        return [
            [json.loads(line) for line in journal.read_bytes().split(b"\n")[:-1]] for journal in self.journals]


class Watcher(threading.Thread):
    """Looks at the group again and again: what is committed never goes back."""

    def __init__(self, ports: list[int], topic: str) -> None:
        super().__init__(daemon=True)
        self.ports = ports
        self.target = f"/topics/{topic}/groups/{GROUP}"
        self.states: list[dict] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        while not self.is_over.is_set():
            for port in self.ports:
                try:
                    with Connection(port) as connection:
                        answer = connection.get(self.target)
                        if answer.status == 200:
                            self.states.append(answer.json())
                except (OSError, NoAnswer):
                    pass
                time.sleep(0.05)

    @property
    def holder(self) -> str | None:
        """Who had the lease when it was last looked."""
        lease = self.states[-1]["lease"] if self.states else None
        return lease["consumer"] if lease else None

    def is_done(self, since: int) -> bool:
        """Whether the group has nothing left to do, as seen after the first `since` looks and one under way."""
        return any(state["lag"] == 0 for state in self.states[since + 1:])


def check(consumers: Consumers, watcher: Watcher, acknowledged: set[int], there: list[int]) -> None:
    """Holds what was processed against what a group promises."""
    committed = [state["committed_offset"] for state in watcher.states]
    assert committed == sorted(committed), "a committed offset went back"
    holder: dict[int, str] = {}
    processed: dict[int, list[int]] = {}
    commits: dict[int, int] = {}
    for entries in consumers.entries():
        for entry in entries:
            generation = entry["generation"]
            assert holder.setdefault(generation, entry["consumer"]) == entry["consumer"], "a lease of two consumers"
            if "processed" in entry:
                processed.setdefault(generation, []).extend(entry["processed"])
            else:
                assert entry["committed"] >= commits.get(generation, 0)
                commits[generation] = entry["committed"]
    highest = 0
    for generation in sorted(processed):
        offsets = processed[generation]
        # In order, and each message once: duplicates only where the generation is another one.
        assert offsets == sorted(set(offsets)), f"generation {generation} is out of order"
        assert offsets[0] >= highest, f"generation {generation} began below what was committed before"
        expected = [offset for offset in there if offsets[0] <= offset <= offsets[-1]]
        assert offsets == expected, f"generation {generation} missed messages"
        highest = max(highest, commits.get(generation, 0))
    every = {offset for offsets in processed.values() for offset in offsets}
    assert acknowledged <= every, f"never processed: {sorted(acknowledged - every)[:10]}"
    assert every <= set(there)
    total = sum(len(offsets) for offsets in processed.values())
    print(
        f"{len(every)} messages, {total - len(every)} of them again; {len(holder)} leases, "
        f"{consumers.kills} kills, {consumers.pauses} pauses of consumers")
    assert len(holder) > 3


def run_group(
    folder: Path, topic: str, ports: list[int], messages: int, dice: random.Random, disturb: Callable[[], None],
    seconds: float,
) -> None:
    """Four producers, three consumers, and whatever goes wrong."""
    with Connection(ports[0]) as connection:
        assert connection.request("PUT", f"/topics/{topic}").status == 201
    producers = [
        # A batch has 19 messages on average.
        Producer(ports, topic, messages // 4, random.Random(dice.randrange(2**32)), 12 * 2 * 19 / (messages // 4))
        for _ in range(4)]
    watcher = Watcher(ports, topic)
    consumers = Consumers(folder, topic, ports, 3)
    try:
        for thread in [*producers, watcher]:
            thread.start()
        for number in range(12):
            time.sleep(dice.uniform(0, 0.3))
            consumers.disturb(dice, watcher.holder)
            if number in (3, 8):
                disturb()
        wait_until(lambda: not any(producer.is_alive() for producer in producers), "all is written", seconds)
        looks = len(watcher.states)
        wait_until(lambda: watcher.is_done(looks), "all is processed", seconds)
    finally:
        watcher.is_over.set()
        consumers.close()
    watcher.join(10)
    with Connection(ports[0]) as connection:
        there = [message.offset for message in read_all(connection, topic)]
    acknowledged = {offset for producer in producers for offset in producer.offsets}
    assert len(acknowledged) == messages // 4 * 4
    check(consumers, watcher, acknowledged, there)


@pytest.mark.bounded(240)
def test_nothing_is_missed_while_consumers_and_the_server_are_killed(
    make_server: Callable[..., Server], tmp_path: Path, topic: str, dice: random.Random
) -> None:
    server = make_server().start()
    port = server.port

    def restart() -> None:
        server.kill()
        server.start(port)

    run_group(tmp_path, topic, [port], 20_000, dice, restart, 120)


@pytest.mark.bounded(300)
def test_nothing_is_missed_over_two_servers_on_aws(
    make_server: Callable[..., Server], store: AWSStore, tmp_path: Path, topic: str, dice: random.Random
) -> None:
    servers = [make_server(store=store, name=f"server-{number}").start() for number in range(2)]
    ports = [server.port for server in servers]

    def restart() -> None:
        place = dice.randrange(2)
        servers[place].kill()
        servers[place].start(ports[place])

    run_group(tmp_path, topic, ports, 2_000, dice, restart, 200)


def test_requests_on_aws(make_server: Callable[..., Server], store: AWSStore, topic: str) -> None:
    server = make_server(store=store).start()
    path = f"/topics/{topic}/groups/{GROUP}"
    with server.connect() as connection:
        connection.produce(topic, b'{"payload":1}')
        connection.request("POST", path + "/receive", b'{"consumer":"a"}')
        connection.produce(topic, b'{"payload":2}')
        before = aws_requests(server)
        answer = connection.request("POST", path + "/receive", b'{"consumer":"a"}').json()
        assert [message["offset"] for message in answer["messages"]] == [2]
        received = aws_requests(server)
        assert connection.request(
            "POST", path + "/ack", b'{"consumer":"a","generation":1,"offset":3}').status == 200
        acknowledged = aws_requests(server)
    difference = {name: count - before.get(name, 0) for name, count in received.items() if count != before.get(name, 0)}
    # The group, the topic, the write; the message was in the cache of the server that appended it.
    assert difference == {"dynamodb.GetItem": 2, "dynamodb.PutItem": 1}
    difference = {
        name: count - received.get(name, 0) for name, count in acknowledged.items() if count != received.get(name, 0)}
    assert difference == {"dynamodb.UpdateItem": 1}
