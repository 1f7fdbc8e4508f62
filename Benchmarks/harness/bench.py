"""What the works share: settings, processes, generator, report, and the peers found here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from .generator import Generator, Load, Sample
from .peers import Unavailable
from .peers.nginx_server import NginxServer
from .peers.postgres_server import PostgresServer
from .peers.redis_server import RedisServer
from .peers.streams_server import StreamsServer
from .processes import Children, Failure
from .report import Report
from .rounds import Contender
from .settings import Settings

_PEERS: dict[str, tuple[str, Callable]] = {
    "redis": ("Redis", RedisServer),
    "postgres": ("PostgreSQL", PostgresServer),
    "nginx": ("nginx", NginxServer),
}


@dataclass
class Bench:
    """`names` maps the label of each peer that ran to its name with the version."""

    settings: Settings
    children: Children
    directory: Path
    generator: Generator
    report: Report
    names: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def start_streams(self) -> StreamsServer:
        """Our server on an empty file."""
        server = StreamsServer(self.children, self.directory, self.settings.server)
        server.remove_data()
        server.start()
        self.names.setdefault(server.name, f"{server.name} {server.version()}")
        return server

    def start_peer(self, key: str):
        """A peer with no data, or None where it cannot take part; `missing` then says why."""
        label, kind = _PEERS[key]
        if key not in self.settings.peers:
            self.missing[label] = "left out by --peers"
            return None
        if label in self.missing:
            return None
        try:
            peer = kind(self.children, self.directory)
            peer.start()
        except (Unavailable, Failure) as problem:
            self.missing[label] = str(problem)
            return None
        self.names[label] = peer.name
        return peer

    def contender(
        self,
        label: str,
        server,
        load: Load,
        connections: int,
        prepare: Callable[[], None] = lambda: None,
    ) -> Contender:
        """One who serves `load` on so many connections."""

        def run() -> Sample:
            try:
                return self.generator.measure(
                    load, connections, self.settings.warm_up, self.settings.seconds, server.pid
                )
            except Failure as problem:
                raise Failure(f"{label}: {problem}{_last_words(server)}")

        return Contender(label, run, prepare)


def _last_words(server) -> str:
    if isinstance(server, StreamsServer):
        return f"\nThe server's last lines:\n{server.log_tail()}"
    return ""
