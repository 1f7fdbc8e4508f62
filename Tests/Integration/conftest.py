"""What all tests share: servers that end with their test, time bounds, and seeds."""

from __future__ import annotations

import itertools
import os
import random
import signal
from pathlib import Path
from typing import Callable, Iterator

import pytest

from aws_store import AWSStore
from emulators import Emulator
from fault_proxy import FaultProxy
from fronts import Front
from lambda_front import LambdaFront
from lambda_gateway import Gateway
from processes import binary, end_all
from server import Server

SECONDS_UNLESS_TOLD = 60

# A shell lets what it starts in the background ignore Ctrl-C, and so would every process that a test starts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def program() -> Iterator[Path]:
    """The program under test; whatever was started is ended when the tests are over."""
    yield binary()
    end_all()


@pytest.fixture(autouse=True)
def time_bound(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that takes longer than it may."""
    marker = request.node.get_closest_marker("bounded")
    seconds = marker.args[0] if marker else SECONDS_UNLESS_TOLD

    def give_up(*_: object) -> None:
        raise TimeoutError(f"The test takes longer than {seconds} s.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes servers, not yet started, that end with the test."""
    servers: list[Server] = []

    def make(folder: Path = tmp_path, **options) -> Server:
        servers.append(Server(folder, **options))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """A running server with a data file of its own."""
    return make_server().start()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server for the tests of a module that use topics of their own."""
    server = Server(tmp_path_factory.mktemp("shared")).start()
    yield server
    server.close()


@pytest.fixture
def topic(request: pytest.FixtureRequest) -> str:
    """A topic name of the test's own."""
    name = "".join(character if character.isalnum() else "-" for character in request.node.name)
    return f"{name[:60].strip('-')}-{abs(hash(request.node.nodeid)) % 10**8}"


@pytest.fixture(scope="session")
def _slow_clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from test_timeouts import SlowClients

    server = Server(tmp_path_factory.mktemp("slow")).start()
    yield SlowClients(server)
    server.close()


@pytest.fixture(scope="session", autouse=True)
def begin_slow_clients(request: pytest.FixtureRequest) -> None:
    """Starts the slow clients before all other tests, where the test of their timeouts is among them."""
    if any("slow_clients" in item.fixturenames for item in request.session.items):
        request.getfixturevalue("_slow_clients")


@pytest.fixture
def slow_clients(_slow_clients: object) -> object:
    """Clients of each slow kind, begun with the session."""
    return _slow_clients


@pytest.fixture
def dice() -> random.Random:
    """Randomness whose seed is printed; SEED=n repeats it."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(2**32))
    print(f"SEED={seed}")
    return random.Random(seed)


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The stand-in for S3 and DynamoDB that all tests share; each has a bucket and a table of its own."""
    emulator = Emulator("ministack", log=tmp_path_factory.mktemp("ministack") / "log")
    yield emulator
    emulator.close()


@pytest.fixture
def proxy(ministack: Emulator) -> Iterator[FaultProxy]:
    """A proxy in front of that stand-in; it counts, and injects what it is told to."""
    with FaultProxy(ministack.endpoint) as proxy:
        yield proxy


@pytest.fixture
def make_store(ministack: Emulator, proxy: FaultProxy) -> Callable[[], AWSStore]:
    """Makes empty stores, which servers reach through the test's proxy."""
    return lambda: AWSStore.create(ministack, proxy.endpoint)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """What stands in front of functions, which end with the test."""
    with Gateway() as gateway:
        yield gateway


@pytest.fixture(params=["server", "lambda"])
def make_front(
    request: pytest.FixtureRequest, make_server: Callable[..., Server], gateway: Gateway
) -> Callable[..., Front]:
    """Makes running fronts of one kind on a store, each with processes of its own, that end with the test.

    A function has two processes unless told; a server is always one.
    """
    numbers = itertools.count(1)

    def server(store: AWSStore, processes: int = 1, **environment: str) -> Front:
        return make_server(store=store, environment=environment, name=f"server-{next(numbers)}").start()

    def function(store: AWSStore, processes: int = 2, **environment: str) -> Front:
        return LambdaFront(gateway, store, environment, processes=processes)

    return {"server": server, "lambda": function}[request.param]


@pytest.fixture
def store(make_store: Callable[[], AWSStore]) -> AWSStore:
    """An empty bucket and an empty table."""
    return make_store()
