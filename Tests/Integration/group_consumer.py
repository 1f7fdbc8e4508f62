"""A consumer of a group as a process of its own, to be killed and stopped at any moment.

    group_consumer.py TOPIC GROUP NAME JOURNAL LEASE_SECONDS PORT...

What it has processed it appends to its journal, a line at a time, before it commits.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time

from http_client import Connection, NoAnswer


class Consumer:
    """Receives, processes and commits until it is ended."""

    def __init__(
        self, topic: str, group: str, name: str, journal: str, lease_seconds: int, ports: list[int]
    ) -> None:
        self.path = f"/topics/{topic}/groups/{group}/"
        self.name = name
        self.journal = os.open(journal, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        self.lease_seconds = lease_seconds
        self.ports = ports
        # None of its own: whatever it does not know of is to come again.
        self.generation = 0
        self.committed = 0

    def run(self) -> None:
        """Works for ever, on whichever server answers."""
        while True:
            try:
                with Connection(random.choice(self.ports)) as connection:
                    while True:
                        self.step(connection)
            except (OSError, NoAnswer):
                self.generation = 0
                time.sleep(0.05)

    def step(self, connection: Connection) -> None:
        """One receive and, where there are messages, one commit."""
        status, answer = self.post(connection, "receive", {
            "generation": self.generation, "limit": random.choice([1, 10, 200]), "wait": 0.5,
            "lease_seconds": self.lease_seconds})
        if status != 200:
            self.generation = 0
            time.sleep(0.05)
            return
        self.generation = answer["generation"]
        offsets = [message["offset"] for message in answer["messages"]]
        if not offsets and answer["next_offset"] == self.committed:
            return
        # What holds no messages, as holes that were closed, is to be committed too.
        self.write({"generation": self.generation, "processed": offsets})
        status, answer = self.post(
            connection, "ack", {"generation": self.generation, "offset": answer["next_offset"]})
        if status == 200:
            self.committed = answer["committed_offset"]
            self.write({"generation": self.generation, "committed": self.committed})
        else:
            self.generation = 0

    def post(self, connection: Connection, action: str, members: dict) -> tuple[int, dict]:
        """Sends a request about the group."""
        answer = connection.request(
            "POST", self.path + action, json.dumps({"consumer": self.name} | members).encode())
        return answer.status, answer.json()

    def write(self, entry: dict) -> None:
        """Adds a line to the journal."""
        os.write(self.journal, json.dumps({"consumer": self.name} | entry).encode() + b"\n")


if __name__ == "__main__":
    topic, group, name, journal, seconds, *ports = sys.argv[1:]
    Consumer(topic, group, name, journal, int(seconds), [int(port) for port in ports]).run()
