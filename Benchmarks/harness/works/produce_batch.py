"""Work 3: batches of 100 messages on 16 connections."""

from ..bench import Bench
from ..report import Goal
from ..rounds import run_rounds

_BATCH = 100
_CONNECTIONS = 16


def run(bench: Bench) -> None:
    """Ours as one JSON document and as lines, Redis with 100 commands a write, PostgreSQL with 100
    rows an INSERT."""
    streams = bench.start_streams()
    servers = [streams]
    contenders = [
        bench.contender("Streams, JSON", streams, streams.produce_batch(_BATCH), _CONNECTIONS),
        bench.contender("Streams, NDJSON", streams, streams.produce_lines(_BATCH), _CONNECTIONS),
    ]
    if redis := bench.start_peer("redis"):
        servers.append(redis)
        load = redis.produce_pipelined(_BATCH)
        contenders.append(
            bench.contender("Redis", redis, load, _CONNECTIONS, redis.forget_messages)
        )
    if postgres := bench.start_peer("postgres"):
        servers.append(postgres)
        load = postgres.produce(_BATCH)
        contenders.append(
            bench.contender("PostgreSQL", postgres, load, _CONNECTIONS, postgres.forget_messages)
        )
    results = run_rounds("3. batches", contenders, bench.settings.rounds)
    for server in servers:
        server.stop()

    rate = "messages_per_second"
    ours = max(("Streams, JSON", "Streams, NDJSON"), key=lambda label: results.median(label, rate))
    against_redis = results.ratios(ours, "Redis", rate)
    report = bench.report
    report.heading(f"3. Produce in batches of {_BATCH}, {_CONNECTIONS} connections")
    report.contenders(results, bench.names, ours)
    report.goals += [
        Goal("first", f"3. batches of {_BATCH}, {_CONNECTIONS} connections: messages/s ÷ Redis "
             "pipelined", 1, True, against_redis),
        Goal("then", "3. the same", 2, True, against_redis),
        Goal("then", "3. messages/s", 1_000_000, True,
             [sample.messages_per_second for sample in results.samples[ours]]),
    ]
