"""The server as a process: how it starts, what it refuses, how it ends."""

from __future__ import annotations

import ctypes
import random
import shutil
import signal
import socket
import sqlite3
import stat
import threading
import time
from pathlib import Path
from typing import Callable

import pytest

import command_line
from command_line import Outcome
from conditions import wait_until
from http_client import EventStream, NoAnswer
from messages import messages_of_lines, messages_of_page, problem, read_all
from server import READY, Server
from workload import Ledger, Producers, check_everything

MakeServer = Callable[..., Server]
TOPICS = ["a", "b"]


# Ending

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_stop_under_load_keeps_what_was_acknowledged(
    make_server: MakeServer, dice: random.Random, number: signal.Signals
) -> None:
    server = make_server().start()
    ledger = Ledger()
    producers = Producers(server.port, TOPICS, ledger, dice.randrange(2**32), count=8, name=number.name).start()
    wait_until(lambda: ledger.acknowledged_count > 200, "two hundred acknowledgements")
    server.signal(number)
    started = time.monotonic()
    assert server.wait() == 0
    assert time.monotonic() - started < 10
    producers.join()
    assert producers.failures == []
    server.restart()
    with server.connect() as connection:
        check_everything(connection, ledger, TOPICS)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_waiting_clients_end_cleanly_and_at_once_when_it_stops(server: Server, number: signal.Signals) -> None:
    with server.connect() as connection:
        connection.produce("t", b'{"payload":1}')
    streams = [EventStream(server.port, "t", query) for query in ("", "offset=latest", "since=0")]
    polls = [server.connect() for _ in range(3)]
    for poll in polls:
        poll.send_request("GET", "/topics/t/consume?offset=latest&wait=20")
    idle = [server.connect() for _ in range(3)]
    half_sent = server.connect()
    half_sent.send(b"POST /topics/t/produce HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{")
    # The reads have been taken in once an answer on a later connection is there.
    for connection in idle:
        assert connection.get("/health").status == 200
    server.signal(number)
    started = time.monotonic()
    for poll in polls:
        answer = poll.read_answer()
        assert (answer.status, answer.json()) == (200, {"messages": [], "next_offset": 2, "end_offset": 2})
    for stream in streams:
        # Ends with the last chunk, not in the middle of something.
        assert all(event.kind == "message" for event in stream)
    for connection in idle:
        assert connection.read_to_end() == b""
    assert server.wait() == 0
    assert time.monotonic() - started < 10


def test_a_start_and_a_stop_are_one_log_line_each(make_server: MakeServer) -> None:
    server = make_server().start()
    with server.connect() as connection:
        connection.produce("t", b'{"payload":1}')
        connection.produce("t", b"{")
        connection.get("/nowhere")
    assert server.stop() == 0
    lines = server.log().splitlines()
    assert len(lines) == 2, lines
    assert lines[0].endswith("ready") and str(server.port) in lines[0] and str(server.data) in lines[0]
    assert lines[1].endswith("stopped")


def test_after_a_stop_the_data_file_can_be_copied_as_it_is(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server().start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":"kept"}').status == 200
    assert server.stop() == 0
    copy = tmp_path / "copy" / "data.sqlite"
    copy.parent.mkdir()
    shutil.copy(server.data, copy)
    copied = make_server(copy.parent, data=copy).start()
    with copied.connect() as connection:
        assert [each.payload for each in read_all(connection, "t")] == [b'"kept"']


# Refusing to start

def refused(*arguments: str, environment: dict[str, str] | None = None, **options) -> Outcome:
    """Runs a server that must refuse to start, quickly and with something to read."""
    started = time.monotonic()
    outcome = command_line.run("serve", *arguments, environment=environment, timeout=15, **options)
    assert time.monotonic() - started < 10
    assert outcome.status > 0, outcome
    assert READY.encode() not in outcome.output
    assert outcome.errors.strip()
    return outcome


def test_a_second_server_on_one_file_is_refused(server: Server) -> None:
    outcome = refused("--port", "0", "--data", str(server.data))
    assert "in use by another process" in outcome.errors and str(server.data) in outcome.errors
    assert str(server.pid) in outcome.errors
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200


def test_a_second_server_on_one_file_is_refused_under_another_name_too(server: Server, tmp_path: Path) -> None:
    other = tmp_path / "other-name.sqlite"
    other.symlink_to(server.data)
    folder = tmp_path / "other-folder"
    folder.symlink_to(server.data.parent)
    for path in (other, folder / server.data.name):
        assert "in use by another process" in refused("--port", "0", "--data", str(path)).errors


def test_a_killed_server_leaves_no_lock_behind(make_server: MakeServer) -> None:
    server = make_server().start()
    server.kill()
    server.restart()


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(make_server: MakeServer) -> None:
    server = make_server().start()
    with server.connect() as connection:
        connection.produce("t", b'{"payload":1}')
    server.stop()
    database = sqlite3.connect(server.data)
    database.execute("INSERT INTO grdb_migrations (identifier) VALUES ('999 of the future')")
    database.commit()
    before = list(database.iterdump())
    database.close()
    outcome = refused("--port", "0", "--data", str(server.data))
    assert "newer version" in outcome.errors and str(server.data) in outcome.errors
    database = sqlite3.connect(server.data)
    assert list(database.iterdump()) == before
    database.execute("DELETE FROM grdb_migrations WHERE identifier = '999 of the future'")
    database.commit()
    database.close()
    server.restart()
    with server.connect() as connection:
        assert len(read_all(connection, "t")) == 1


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("something that somebody still wants\n" * 100)
    before = path.read_bytes()
    outcome = refused("--port", "0", "--data", str(path))
    assert str(path) in outcome.errors
    assert path.read_bytes() == before


def test_a_database_of_another_program_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "contacts.sqlite"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE contact (name TEXT)")
    database.execute("INSERT INTO contact VALUES ('somebody')")
    database.commit()
    database.close()
    before = path.read_bytes()
    outcome = refused("--port", "0", "--data", str(path))
    assert "another program" in outcome.errors and str(path) in outcome.errors
    assert path.read_bytes() == before


def test_a_port_in_use_is_named(server: Server, tmp_path: Path) -> None:
    outcome = refused("--port", str(server.port), "--data", str(tmp_path / "other.sqlite"))
    assert f"127.0.0.1:{server.port}" in outcome.errors and "--port" in outcome.errors
    assert len(outcome.errors.splitlines()) == 1


@pytest.mark.parametrize(
    "flag, variable, value",
    [
        ("--port", "STREAMS_PORT", "http"),
        ("--port", "STREAMS_PORT", "70000"),
        ("--port", "STREAMS_PORT", "-1"),
        ("--store", "STREAMS_STORE", "postgres"),
        ("--retention", "STREAMS_RETENTION", "30"),
        ("--retention", "STREAMS_RETENTION", "0d"),
        ("--retention", "STREAMS_RETENTION", "-1d"),
        ("--log-level", "STREAMS_LOG_LEVEL", "loud"),
    ],
)
def test_a_bad_setting_is_named_by_flag_and_by_variable(tmp_path: Path, flag: str, variable: str, value: str) -> None:
    rest = ["--data", str(tmp_path / "s.sqlite")] + (["--port", "0"] if flag != "--port" else [])
    by_flag = refused(*rest, f"{flag}={value}")
    assert by_flag.status == 64 and flag in by_flag.errors and value in by_flag.errors
    by_variable = refused(*rest, environment={variable: value})
    assert by_variable.status == 64 and variable in by_variable.errors and value in by_variable.errors
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_flag_is_named(tmp_path: Path) -> None:
    outcome = refused("--prot", "9000", "--data", str(tmp_path / "s.sqlite"))
    assert outcome.status == 64 and "--prot" in outcome.errors


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    outcome = refused("--host", "192.0.2.1", "--port", "0", "--data", str(tmp_path / "s.sqlite"))
    assert "192.0.2.1" in outcome.errors


def test_a_folder_as_data_file_is_refused_clearly(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    outcome = refused("--port", "0", "--data", str(folder))
    assert str(folder) in outcome.errors and "data file" in outcome.errors


def without_override() -> None:
    """Lets permissions count for root too: takes CAP_DAC_OVERRIDE from the process that is to be."""
    prctl_drop_from_bounding_set, cap_dac_override = 24, 1
    ctypes.CDLL(None).prctl(prctl_drop_from_bounding_set, cap_dac_override, 0, 0, 0)


def test_a_file_that_can_not_be_written_is_refused_clearly(make_server: MakeServer) -> None:
    server = make_server().start()
    server.stop()
    server.data.chmod(stat.S_IRUSR)
    outcome = refused("--port", "0", "--data", str(server.data), preexec_fn=without_override)
    assert str(server.data) in outcome.errors and "data file" in outcome.errors


def test_a_folder_that_can_not_be_written_is_refused_clearly(tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    for path in (folder / "s.sqlite", folder / "new" / "s.sqlite"):
        outcome = refused("--port", "0", "--data", str(path), preexec_fn=without_override)
        assert str(folder) in outcome.errors


# Starting

def test_the_folder_of_the_data_file_is_created(make_server: MakeServer, tmp_path: Path) -> None:
    server = make_server(data=tmp_path / "new" / "and deeper" / "ä.sqlite").start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200
    assert server.data.exists()


def test_an_empty_data_file_is_filled(make_server: MakeServer) -> None:
    server = make_server()
    server.data.touch()
    server.start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').json()["offset"] == 1


def test_settings_come_from_the_environment_and_flags_win(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {"STREAMS_PORT": str(port), "STREAMS_STORE": "memory", "STREAMS_LOG_LEVEL": "debug"}
    process = command_line.start("serve", environment=environment, cwd=tmp_path)
    assert process.stdout and process.stderr
    assert process.stdout.readline().decode() == f"{READY}{port}\n"
    process.terminate()
    assert process.wait(10) == 0
    assert list(tmp_path.iterdir()) == []
    process = command_line.start(
        "serve", "--port", "0", environment=environment | {"STREAMS_DATA": "ignored.sqlite"}, cwd=tmp_path)
    assert process.stdout
    assert process.stdout.readline().decode() != f"{READY}{port}\n"
    process.terminate()
    assert process.wait(10) == 0


def test_the_memory_store_forgets_and_its_clients_can_tell(make_server: MakeServer) -> None:
    server = make_server(store="memory").start()
    with server.connect() as connection:
        assert connection.get("/health").json()["store"] == "memory"
        assert connection.produce("t", b'{"payload":1}').status == 200
        assert len(read_all(connection, "t")) == 1
    assert server.stop() == 0
    assert not server.data.exists()
    server.restart()
    with server.connect() as connection:
        problem(connection.consume("t", offset=2), 416, "offset_beyond_end")


def test_requests_are_logged_at_debug_only(make_server: MakeServer) -> None:
    server = make_server(arguments=["--log-level", "debug"]).start()
    with server.connect() as connection:
        assert connection.get("/health").status == 200
    server.stop()
    assert any("debug" in line and "/health" in line for line in server.log().splitlines())


# Retention

@pytest.mark.bounded(60)
def test_retention_trims_while_the_server_runs(make_server: MakeServer) -> None:
    server = make_server(arguments=["--retention", "3s"]).start()
    stop = threading.Event()

    def keep_writing() -> None:
        with server.connect() as connection:
            body = b"\n".join(b'"%s"' % (b"x" * 1000) for _ in range(100))
            while not stop.wait(0.05):
                assert connection.produce("busy", body, "application/x-ndjson").status == 200

    with server.connect() as connection:
        for number in range(1, 21):
            assert connection.produce("quiet", b'{"payload":%d}' % number).json()["offset"] == number
    writer = threading.Thread(target=keep_writing)
    writer.start()
    try:
        with server.connect() as connection:
            def all_are_trimmed() -> bool:
                return connection.consume("quiet", offset=20).status == 410

            # The messages are not of one moment, so one trim may take some and the next one the others.
            wait_until(all_are_trimmed, "the messages are trimmed", timeout=40, pause=0.1)
            trimmed = problem(connection.consume("quiet", offset=20), 410, "offset_trimmed")
            assert (trimmed["earliest_offset"], trimmed["end_offset"]) == (21, 21)
            page, next_offset, _ = messages_of_page(
                connection.consume("quiet", offset=1, on_trimmed="earliest").body)
            assert (page, next_offset) == ([], 21)
            assert messages_of_page(connection.consume("quiet").body)[1] == 21

            busy = problem(connection.consume("busy", offset=1), 410, "offset_trimmed")
            page = messages_of_lines(
                connection.consume("busy", "application/x-ndjson", offset=1, on_trimmed="earliest").body)
            assert page[0].offset >= busy["earliest_offset"] > 1

            # What is trimmed makes room for what comes.
            size = server.data.stat().st_size
            earliest = busy["earliest_offset"]

            def has_moved() -> bool:
                return connection.get("/topics/busy").json()["earliest_offset"] > earliest + 20_000

            wait_until(has_moved, "twenty megabytes more were written and trimmed", timeout=60, pause=0.1)
            assert server.data.stat().st_size < size + 10_000_000
    finally:
        stop.set()
        writer.join()


def test_offsets_go_on_after_everything_was_trimmed(make_server: MakeServer) -> None:
    server = make_server(arguments=["--retention", "1s"]).start()
    with server.connect() as connection:
        for _ in range(7):
            connection.produce("t", b'{"payload":1}')

    def everything_is_trimmed() -> bool:
        # A start trims at once, so there is no need to wait for the next time.
        server.stop()
        server.restart()
        with server.connect() as connection:
            wait_until(lambda: connection.get("/health").status == 200, "health")
            return connection.get("/topics/t").json()["earliest_offset"] == 8

    wait_until(everything_is_trimmed, "everything is trimmed", timeout=20, pause=0.2)
    server.kill()
    server.restart()
    with server.connect() as connection:
        problem(connection.consume("t", offset=7), 410, "offset_trimmed")
        assert connection.produce("t", b'{"payload":"new"}').json()["offset"] == 8
        assert [each.offset for each in read_all(connection, "t", start=8)] == [8]


def test_a_stream_that_is_open_when_the_server_dies_ends_for_its_client(server: Server) -> None:
    with EventStream(server.port, "t") as stream:
        server.kill()
        with pytest.raises((NoAnswer, ConnectionError)):
            list(stream)
