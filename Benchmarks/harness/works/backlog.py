"""Work 4: reading a backlog, 1000 messages an answer, on one connection."""

import json
import sys

from ..bench import Bench
from ..peers.streams_server import StreamsServer
from ..processes import Failure
from ..report import Goal
from ..rounds import Results, run_rounds

LIMIT = 1000
_BATCH = 100


def run(bench: Bench) -> None:
    """Each walks through the backlog from its start to its end, again and again."""
    backlog = bench.settings.backlog
    print(f"4. writing a backlog of {backlog} messages", file=sys.stderr, flush=True)
    streams = bench.start_streams()
    servers = [streams]
    bench.generator.send(streams.produce_batch(_BATCH, "backlog"), 4, backlog // _BATCH)
    page = _check_page(streams)
    load = streams.read_backlog(LIMIT, backlog, "backlog")
    contenders = [bench.contender("Streams", streams, load, 1)]
    if redis := bench.start_peer("redis"):
        servers.append(redis)
        bench.generator.send(redis.produce_pipelined(_BATCH), 4, backlog // _BATCH)
        contenders.append(bench.contender("Redis", redis, redis.read_backlog(LIMIT, backlog), 1))
    if nginx := bench.start_peer("nginx"):
        servers.append(nginx)
        nginx.put_page(page)
        contenders.append(bench.contender("nginx", nginx, nginx.read_page(LIMIT), 1))
    results = run_rounds("4. backlog", contenders, bench.settings.rounds)
    for server in servers:
        server.stop()

    report = bench.report
    report.heading(f"4. Read a backlog of {backlog:,} messages, {LIMIT} an answer, 1 connection")
    report.contenders(results, bench.names, "Streams")
    report.paragraph(
        f"An answer of ours has {len(page):,} bytes; nginx serves the same bytes from a file."
    )
    against_redis = results.ratios("Streams", "Redis", "messages_per_second")
    report.goals += [
        Goal("first", f"4. backlog, {LIMIT} an answer: messages/s ÷ Redis XRANGE", 0.5, True,
             against_redis),
        Goal("then", "4. the same", 1, True, against_redis),
        Goal("then", "4. CPU a byte ÷ nginx serving a file", 3, False, _cpu_a_byte(results)),
    ]


def _check_page(streams: StreamsServer) -> bytes:
    """Fetches the first answer and looks at it whole; the generator looks only at its end."""
    page = streams.get(f"/topics/backlog/consume?offset=1&limit={LIMIT}")
    answer = json.loads(page)
    offsets = [message["offset"] for message in answer["messages"]]
    if offsets != list(range(1, LIMIT + 1)) or answer["next_offset"] != LIMIT + 1:
        raise Failure(f"the first answer does not hold the offsets 1 to {LIMIT}")
    return page


def _cpu_a_byte(results: Results) -> list[float] | None:
    """CPU for each byte sent, ours divided by nginx's."""
    ratios = results.ratios("Streams", "nginx", "cpu_microseconds")
    if ratios is None:
        return None

    def bytes_a_message(label: str) -> list[float]:
        samples = results.samples[label]
        return [sample.bytes_per_second / sample.messages_per_second for sample in samples]

    ours, theirs = bytes_a_message("Streams"), bytes_a_message("nginx")
    return [ratio * b / a for ratio, a, b in zip(ratios, ours, theirs)]
