"""Works 1 and 2: one message a request, on 64 connections and on one."""

from ..bench import Bench
from ..report import Goal
from ..rounds import Contender, Results, run_rounds


def many_connections(bench: Bench) -> None:
    """Work 1: throughput and server CPU on 64 connections."""
    results = _run(bench, "1. produce, 64 connections", 64, disk=False, nginx=True)
    report = bench.report
    report.heading("1. Produce one message of 200 bytes a request, 64 connections")
    report.contenders(results, bench.names, "Streams")
    rate = "messages_per_second"
    report.goals += [
        Goal("first", "1. produce, 64 connections: messages/s ÷ PostgreSQL", 1, True,
             results.ratios("Streams", "PostgreSQL", rate)),
        Goal("then", "1. the same ÷ Redis", 0.6, True, results.ratios("Streams", "Redis", rate)),
        Goal("then", "1. messages a CPU second ÷ nginx answering a POST", 0.25, True,
             results.ratios("nginx", "Streams", "cpu_microseconds")),
    ]


def one_connection(bench: Bench) -> None:
    """Work 2: latency on one connection, against the disk itself."""
    results = _run(bench, "2. produce, 1 connection", 1, disk=True, nginx=False)
    report = bench.report
    report.heading("2. Produce one message of 200 bytes a request, 1 connection")
    report.contenders(results, bench.names, "Streams")
    against_disk = results.ratios("Streams", "disk", "p50_microseconds")
    report.goals += [
        Goal("first", "2. produce, 1 connection: p50 ÷ p50 of an append with fdatasync", 2, False,
             against_disk),
        Goal("then", "2. the same", 1.3, False, against_disk),
    ]


def _run(bench: Bench, title: str, connections: int, *, disk: bool, nginx: bool) -> Results:
    streams = bench.start_streams()
    contenders = [bench.contender("Streams", streams, streams.produce_one(), connections)]
    peers = []
    if disk:
        contenders.append(_disk(bench))
    if redis := bench.start_peer("redis"):
        peers.append(redis)
        load = redis.produce_one()
        contenders.append(
            bench.contender("Redis", redis, load, connections, redis.forget_messages)
        )
    if postgres := bench.start_peer("postgres"):
        peers.append(postgres)
        load = postgres.produce(1)
        contenders.append(
            bench.contender("PostgreSQL", postgres, load, connections, postgres.forget_messages)
        )
    if nginx and (server := bench.start_peer("nginx")):
        peers.append(server)
        contenders.append(bench.contender("nginx", server, server.produce_one(), connections))
    results = run_rounds(title, contenders, bench.settings.rounds)
    for server in [streams, *peers]:
        server.stop()
    return results


def _disk(bench: Bench) -> Contender:
    """The disk itself: an append of 200 bytes and fdatasync."""
    file = bench.directory / "append.data"
    settings = bench.settings
    return Contender(
        "disk",
        lambda: bench.generator.append(file, settings.warm_up, settings.seconds),
        lambda: file.unlink(missing_ok=True),
    )
