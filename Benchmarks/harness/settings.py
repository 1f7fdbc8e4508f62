"""What a run of the benchmark does and for how long: the command line."""

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
WORKS = ("1", "2", "3", "4", "5", "6", "7")
PEERS = ("redis", "postgres", "nginx")


@dataclass(frozen=True)
class Settings:
    """Durations are in seconds."""

    server: Path
    directory: Path
    write: Path | None
    works: tuple[str, ...]
    peers: tuple[str, ...]
    rounds: int
    seconds: float
    warm_up: float
    quick: bool
    readers: int
    backlog: int
    poll_wait: int
    poll_idle: float
    events_idle: float
    deliveries: int


def parse(arguments: list[str]) -> Settings:
    """Reads the command line; ends the program with a message when it is wrong."""
    parser = argparse.ArgumentParser(
        prog="Benchmarks/run",
        description="Measures the release server and, where installed, Redis, PostgreSQL and nginx "
        "in the same run.",
    )
    binary = os.environ.get("STREAMS_BINARY", REPOSITORY / ".build/release/streams")
    parser.add_argument("--server", type=Path, default=Path(binary), help="the server binary")
    parser.add_argument("--quick", action="store_true", help="two rounds of one second")
    parser.add_argument("--rounds", type=int, help="rounds of each work (5)")
    parser.add_argument("--seconds", type=float, help="seconds a peer and round (3)")
    parser.add_argument("--only", default=",".join(WORKS), help="which works, such as 1,4")
    parser.add_argument("--peers", default=",".join(PEERS), help="which peers, such as redis,nginx")
    parser.add_argument("--readers", type=int, default=1000, help="idle readers (1000)")
    parser.add_argument("--backlog", type=int, default=200_000, help="messages to read (200000)")
    parser.add_argument("--write", type=Path, metavar="FILE.md", help="also write the tables here")
    parser.add_argument(
        "--directory",
        type=Path,
        default=REPOSITORY / ".build-bench",
        help="where data is put meanwhile; must be on a real disk",
    )
    given = parser.parse_args(arguments)
    works = tuple(work.strip() for work in given.only.split(","))
    peers = tuple(peer.strip() for peer in given.peers.split(",") if peer.strip())
    if not set(works) <= set(WORKS):
        parser.error(f"--only takes some of {','.join(WORKS)}")
    if not set(peers) <= set(PEERS):
        parser.error(f"--peers takes some of {','.join(PEERS)}")
    if given.backlog < 1000 or given.backlog % 1000:
        parser.error("--backlog takes a multiple of 1000")
    quick = given.quick
    rounds = given.rounds if given.rounds is not None else (2 if quick else 5)
    seconds = given.seconds if given.seconds is not None else (1.0 if quick else 3.0)
    if rounds < 1 or seconds <= 0 or given.readers < 1:
        parser.error("--rounds, --seconds and --readers must be positive")
    return Settings(
        server=given.server,
        directory=given.directory,
        write=given.write,
        works=works,
        peers=peers,
        rounds=rounds,
        seconds=seconds,
        warm_up=0.2 if quick else 0.5,
        quick=quick,
        readers=given.readers,
        backlog=given.backlog,
        poll_wait=4 if quick else 20,
        poll_idle=4.0 if quick else 20.0,
        events_idle=4.0 if quick else 10.0,
        deliveries=5 if quick else 11,
    )
