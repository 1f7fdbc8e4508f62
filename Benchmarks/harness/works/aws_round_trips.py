"""Work 7: the server on S3 and DynamoDB, against the round trips that cannot be saved."""

import http.client
import json
import statistics
import sys
import time
from dataclasses import dataclass, field

from .. import wire
from ..bench import Bench
from ..peers import Unavailable
from ..peers.aws_stand_in import RawCalls, StandIn
from ..peers.streams_server import StreamsServer
from ..processes import Failure
from ..report import Goal, number, spread

_DELAY_MILLISECONDS = 20
_RATIO_MAX = 1.1
# What each of our requests cannot do without.
_NEEDED = {
    "produce": ("UpdateItem", "PutObject"),
    "idle poll": ("GetItem",),
    "poll one batch behind": ("GetItem", "GetObject"),
}


@dataclass
class _Times:
    """Seconds, by what took them."""

    values: dict[str, list[float]] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        self.values.setdefault(name, []).append(seconds)

    def p50(self, name: str) -> float:
        return statistics.median(self.values[name])

    def needed(self, name: str) -> float:
        """The sum of the round trips that a request needs, each at its median."""
        return sum(self.p50(call) for call in _NEEDED[name])

    def ratio(self, name: str) -> float:
        return self.p50(name) / self.needed(name)


def run(bench: Bench) -> None:
    """One server appends, another reads what it did not write; raw calls take turns with them."""
    try:
        stand_in = StandIn(bench.children, bench.directory, _DELAY_MILLISECONDS)
    except Unavailable as problem:
        bench.missing["MiniStack"] = f"{problem}; work 7 was left out"
        return
    writer, reader = (_server(bench, stand_in, name) for name in ("writer", "reader"))
    clients = (_Client(writer), _Client(reader))
    raw = RawCalls(stand_in.port)
    try:
        _measure(clients, raw, 1.0)
        rounds = []
        for round_number in range(bench.settings.rounds):
            title = f"7. AWS, round {round_number + 1} of {bench.settings.rounds}"
            print(title, file=sys.stderr, flush=True)
            rounds.append(_measure(clients, raw, bench.settings.seconds))
    finally:
        raw.close()
    for server in (writer, reader, stand_in):
        server.stop()
    _report(bench, rounds)


def _server(bench: Bench, stand_in: StandIn, name: str) -> StreamsServer:
    server = StreamsServer(
        bench.children,
        bench.directory,
        bench.settings.server,
        name=name,
        storage=["--store", "aws"],
        environment=stand_in.environment,
    )
    server.start()
    bench.names.setdefault(server.name, f"{server.name} {server.version()}")
    return server


class _Client:
    """One connection to a server."""

    def __init__(self, server: StreamsServer) -> None:
        self._server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)

    def timed(self, method: str, path: str, body: bytes | None = None) -> tuple[float, dict]:
        """Seconds, and the answer, which must be 200."""
        headers = {"Content-Type": "application/json"} if body else {}
        begin = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        seconds = time.perf_counter() - begin
        if answer.status != 200:
            raise Failure(f"{method} {path} answered {answer.status}: {text[:300]!r}\n"
                          f"{self._server.log_tail()}")
        return seconds, json.loads(text)


def _measure(clients: tuple[_Client, _Client], raw: RawCalls, seconds: float) -> _Times:
    times = _Times()
    writer, reader = clients
    body = ('{"payload":' + wire.payload() + "}").encode()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        times.add("UpdateItem", raw.update_item())
        times.add("PutObject", raw.put_object(body))
        taken, answer = writer.timed("POST", "/topics/bench/produce", body)
        times.add("produce", taken)
        offset = answer["offset"]
        times.add("GetItem", raw.get_item())
        times.add("GetObject", raw.get_object())
        taken, answer = reader.timed("GET", f"/topics/bench/consume?offset={offset}")
        times.add("poll one batch behind", taken)
        if [each["offset"] for each in answer["messages"]] != [offset]:
            raise Failure(f"a read from {offset} answered {answer}")
        taken, answer = reader.timed("GET", f"/topics/bench/consume?offset={offset + 1}")
        times.add("idle poll", taken)
        if answer["messages"]:
            raise Failure(f"a read from {offset + 1} answered {answer}")
    return times


def _report(bench: Bench, rounds: list[_Times]) -> None:
    report = bench.report
    report.heading(f"7. On S3 and DynamoDB, each call delayed by {_DELAY_MILLISECONDS} ms")
    report.paragraph(
        "MiniStack behind a proxy that delays; one connection, one request at a time. The round "
        "trips are raw calls of the same kind and size through the same proxy, taking turns with "
        f"the requests: their time beyond {_DELAY_MILLISECONDS} ms is the proxy's and the "
        "stand-in's own.")
    calls = ("UpdateItem", "PutObject", "GetItem", "GetObject")
    report.table(["One call through the proxy", "p50 ms"], [
        [call, spread([each.p50(call) * 1000 for each in rounds])] for call in calls])
    report.table(["", "round trips", "their sum, ms", "p50 ms", "ratio"], [
        [
            name, " + ".join(_NEEDED[name]),
            number(statistics.median(each.needed(name) for each in rounds) * 1000),
            spread([each.p50(name) * 1000 for each in rounds]),
            spread([each.ratio(name) for each in rounds]),
        ] for name in _NEEDED])
    report.goals += [
        Goal("first", f"7. {name} on AWS: p50 ÷ the sum of its round trips", _RATIO_MAX, False,
             [each.ratio(name) for each in rounds])
        for name in _NEEDED]
