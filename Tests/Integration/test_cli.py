"""The command line in pipes, as people expect it to be."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Callable, Iterable, Iterator

import pytest

import command_line
from command_line import run
from conditions import wait_until
from messages import message, read_all
from processes import binary, end, spawn
from server import Server


def payloads(server: Server, topic: str) -> list[bytes]:
    """What the topic holds."""
    with server.connect() as connection:
        return [each.payload for each in read_all(connection, topic)]


class Follower:
    """A command that runs on, and whose lines are waited for."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout and process.stderr
        self.process = process
        self._output = process.stdout
        self._buffer = b""

    def line(self, timeout: float = 10) -> bytes:
        """The next line of standard output, without its end."""
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._output], [], [], max(0, deadline - time.monotonic()))
            part = self._output.read(65536) if ready else b""
            if not part:
                errors = self.process.stderr.read() if self.process.poll() is not None else b""
                raise AssertionError(f"no line came; there is {self._buffer!r}, and of errors {errors!r}")
            self._buffer += part
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    def stop(self, number: signal.Signals = signal.SIGINT) -> tuple[int, bytes]:
        """Sends a signal; returns the exit status and what is on standard error."""
        self.process.send_signal(number)
        status = self.process.wait(5)
        errors = self.process.stderr.read() or b""
        end(self.process)
        return status, errors


@pytest.fixture
def follow() -> Iterator[Callable[..., Follower]]:
    """Starts commands that run on until the test ends."""
    followers: list[Follower] = []

    def start(*arguments: str, **options) -> Follower:
        followers.append(Follower(command_line.start(*arguments, **options)))
        return followers[-1]

    yield start
    for follower in followers:
        end(follower.process)


# Produce

def test_arguments_are_payloads(shared_server: Server, topic: str) -> None:
    outcome = run("produce", topic, '{"a": 1}', "[1,\n 2]", '"x"', url=shared_server.url)
    assert (outcome.status, outcome.output) == (0, b"")
    assert outcome.errors == f"produced 3 messages to {topic}: offsets 1 to 3\n"
    assert payloads(shared_server, topic) == [b'{"a": 1}', b"[1,  2]", b'"x"']


@pytest.mark.parametrize(
    "stdin, expected",
    [
        (b'{"a":1}\n{"a":2}\n', [b'{"a":1}', b'{"a":2}']),
        (b'{"a":1}\n{"a":2}', [b'{"a":1}', b'{"a":2}']),
        (b"1\r\n2\r\n", [b"1", b"2"]),
        (b"\n\n1\n \n\t\r\n2\n\n", [b"1", b"2"]),
        ('"žluťoučký 🐎 \u2028"\n'.encode(), ['"žluťoučký 🐎 \u2028"'.encode()]),
        (b" 1 \n", [b"1"]),
        (b"null", [b"null"]),
    ],
    ids=["lines", "no line feed at the end", "CRLF", "blank lines", "unicode", "blanks around", "one value"],
)
def test_lines_of_standard_input_are_payloads(
    shared_server: Server, topic: str, stdin: bytes, expected: list[bytes]
) -> None:
    outcome = run("produce", topic, url=shared_server.url, stdin=stdin)
    assert (outcome.status, outcome.output) == (0, b""), outcome
    assert payloads(shared_server, topic) == expected


@pytest.mark.parametrize("stdin", [b"", b"\n\n \n"], ids=["nothing", "blank lines"])
def test_empty_input_is_no_error_and_makes_no_topic(shared_server: Server, topic: str, stdin: bytes) -> None:
    outcome = run("produce", topic, url=shared_server.url, stdin=stdin)
    assert (outcome.status, outcome.output, outcome.errors) == (0, b"", "nothing to produce\n")
    with shared_server.connect() as connection:
        assert connection.get(f"/topics/{topic}").status == 404


def test_quiet_says_nothing(shared_server: Server, topic: str) -> None:
    outcome = run("produce", topic, "--quiet", url=shared_server.url, stdin=b"1\n")
    assert (outcome.status, outcome.output, outcome.errors) == (0, b"", "")


def test_a_hundred_thousand_lines_go_through_in_order(shared_server: Server, topic: str) -> None:
    lines = [b'{"line":%d,"text":"%s"}' % (number, b"x" * (number % 50)) for number in range(100_000)]
    outcome = run("produce", topic, url=shared_server.url, stdin=b"\n".join(lines))
    assert outcome.status == 0, outcome.errors
    assert outcome.errors == f"produced 100000 messages to {topic}: offsets 1 to 100000\n"
    assert run("consume", topic, url=shared_server.url).lines == lines


def test_slow_lines_are_sent_as_they_come(shared_server: Server, topic: str, follow: Callable[..., Follower]) -> None:
    reader = follow("consume", topic, "--follow", url=shared_server.url)
    writer = follow("produce", topic, url=shared_server.url, stdin=subprocess.PIPE)
    for number in range(3):
        writer.process.stdin.write(b'{"slow":%d}\n' % number)
        assert reader.line(5) == b'{"slow":%d}' % number
    writer.process.stdin.write(b"[1,")
    writer.process.stdin.write(b"2]")
    writer.process.stdin.close()
    assert reader.line(5) == b"[1,2]"
    assert writer.process.wait(5) == 0


def test_a_bad_line_is_named_and_nothing_of_its_batch_is_written(shared_server: Server, topic: str) -> None:
    outcome = run("produce", topic, url=shared_server.url, stdin=b'1\n2\n{"a":}\n4\n')
    assert (outcome.status, outcome.output) == (1, b"")
    assert "invalid_json" in outcome.errors and "line 3" in outcome.errors
    assert "nothing was written" in outcome.errors.lower()
    assert payloads(shared_server, topic) == []


def test_a_bad_line_after_others_were_written_says_which(shared_server: Server, topic: str) -> None:
    process = command_line.start("produce", topic, url=shared_server.url, stdin=subprocess.PIPE)
    try:
        process.stdin.write(b"1\n\n")
        wait_until(lambda: payloads(shared_server, topic) == [b"1"], "the first line is written")
        process.stdin.write(b"oops\n")
        process.stdin.close()
        assert process.wait(5) == 1
        errors = process.stderr.read().decode()
    finally:
        end(process)
    assert "line 3" in errors and "Lines 1 to 2 are written (1 message)" in errors
    assert payloads(shared_server, topic) == [b"1"]


def test_a_bad_argument_is_an_error_and_writes_nothing(shared_server: Server, topic: str) -> None:
    outcome = run("produce", topic, "1", "{", url=shared_server.url)
    assert outcome.status == 1 and "invalid_json" in outcome.errors
    assert payloads(shared_server, topic) == []


def test_a_negative_number_is_a_payload_after_two_dashes(shared_server: Server, topic: str) -> None:
    # The address comes first: after the dashes everything is a payload.
    outcome = run("produce", "--url", shared_server.url, topic, "--", "-1", "-2.5e3")
    assert outcome.status == 0, outcome
    assert payloads(shared_server, topic) == [b"-1", b"-2.5e3"]


def test_produce_does_not_claim_that_nothing_was_written_when_it_can_not_know(topic: str) -> None:
    # A server that takes the request and dies before its answer.
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = command_line.start(
            "produce", topic, "1", url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.close()
        _, errors = process.communicate(timeout=10)
        end(process)
    assert process.returncode == 1
    assert b"outcome_unknown" in errors and b"nothing" not in errors.lower()


# Consume

@pytest.fixture(scope="module")
def ten(shared_server: Server) -> str:
    """A topic of ten messages."""
    with shared_server.connect() as connection:
        for number in range(1, 11):
            assert connection.produce("ten", b'{"payload":{"n": %d},"key":"k%d"}' % (number, number)).status == 200
    return "ten"


def lines(*numbers: int) -> list[bytes]:
    return [b'{"n": %d}' % number for number in numbers]


@pytest.mark.parametrize(
    "arguments, numbers",
    [
        ("", range(1, 11)),
        ("--offset 8", [8, 9, 10]),
        ("--offset 11", []),
        ("--offset earliest --limit 2", [1, 2]),
        ("--offset latest", []),
        ("--limit 3", [1, 2, 3]),
        ("--limit 100", range(1, 11)),
        ("--since 0", range(1, 11)),
        ("--since 2026-01-01T00:00:00Z --limit 1", [1]),
        ("--since 2999-01-01T00:00:00+01:00", []),
        ("--follow --limit 4", [1, 2, 3, 4]),
        ("-f --offset 9 --limit 2", [9, 10]),
    ],
)
def test_consume_begins_and_stops_where_it_is_told(
    shared_server: Server, ten: str, arguments: str, numbers: Iterable[int]
) -> None:
    outcome = run("consume", ten, *arguments.split(), url=shared_server.url)
    assert (outcome.status, outcome.errors) == (0, "")
    assert outcome.lines == lines(*numbers)


def test_since_begins_at_the_first_message_of_that_time(shared_server: Server, topic: str) -> None:
    with shared_server.connect() as connection:
        connection.produce(topic, b'{"payload":"before"}')
        before = read_all(connection, topic)[0].timestamp
        wait_until(lambda: time.time() * 1000 > before + 2, "the clock moves on")
        connection.produce(topic, b'{"payload":"after"}')
        after = read_all(connection, topic)[1].timestamp
    assert after > before
    text = datetime.fromtimestamp(after / 1000, timezone.utc).isoformat(timespec="milliseconds")
    for since in (str(after), str(before + 1), text, text.replace("+00:00", "Z")):
        assert run("consume", topic, "--since", since, url=shared_server.url).lines == [b'"after"'], since
    assert run("consume", topic, "--since", str(after + 1), url=shared_server.url).lines == []


def test_whole_messages_on_request(shared_server: Server, ten: str) -> None:
    outcome = run("consume", ten, "--messages", "--limit", "2", url=shared_server.url)
    found = [message(line) for line in outcome.lines]
    assert [(each.offset, each.payload, each.key) for each in found] == [(1, b'{"n": 1}', b'"k1"'), (2, b'{"n": 2}', b'"k2"')]


def test_a_topic_that_does_not_exist_is_empty(shared_server: Server, topic: str) -> None:
    outcome = run("consume", topic, url=shared_server.url)
    assert (outcome.status, outcome.output, outcome.errors) == (0, b"", "")


@pytest.mark.parametrize("arguments", [[], ["--follow"]], ids=["to the end", "follow"])
def test_a_reader_that_closes_early_makes_no_noise(shared_server: Server, topic: str, arguments: list[str]) -> None:
    body = b"\n".join(b'"%s"' % (b"x" * 100) for _ in range(10_000))
    with shared_server.connect() as connection:
        connection.produce(topic, body, "application/x-ndjson")
    command = f'"{binary()}" consume {topic} {" ".join(arguments)} --url {shared_server.url} | head -n 1'
    outcome = subprocess.run(["bash", "-c", command], capture_output=True, timeout=20, check=False)
    assert outcome.stdout == b'"' + b"x" * 100 + b'"\n'
    assert outcome.stderr == b""


def test_follow_prints_messages_as_they_come_and_ends_quietly_by_control_c(
    shared_server: Server, topic: str, follow: Callable[..., Follower]
) -> None:
    follower = follow("consume", topic, "--follow", url=shared_server.url)
    with shared_server.connect() as connection:
        for number in range(5):
            connection.produce(topic, b'{"payload":%d}' % number)
            assert follower.line(5) == b"%d" % number
    status, errors = follower.stop()
    # Ended by the signal itself, so that a script sees that it was interrupted.
    assert status in (-signal.SIGINT, 130, 0)
    assert errors == b""


@pytest.mark.parametrize("crash", [False, True], ids=["stopped", "killed"])
def test_follow_survives_a_restart_of_the_server(
    server: Server, topic: str, follow: Callable[..., Follower], crash: bool
) -> None:
    port = server.port
    with server.connect() as connection:
        connection.produce(topic, b'{"payload":"before"}')
    follower = follow("consume", topic, "--follow", url=server.url)
    assert follower.line() == b'"before"'
    server.kill() if crash else server.stop()
    server.start(port)
    with server.connect() as connection:
        connection.produce(topic, b'{"payload":"after"}')
    assert follower.line(15) == b'"after"'
    _, errors = follower.stop()
    assert len(errors.splitlines()) <= 2, errors


def test_follow_without_a_server_fails_at_once() -> None:
    outcome = run("consume", "t", "--follow", url="http://127.0.0.1:1")
    assert outcome.status == 1 and "127.0.0.1:1" in outcome.errors


# Topics

def test_topics_are_listed_in_name_order(server: Server) -> None:
    names = sorted(f"{letter}{number}" for letter in "aBz._-" for number in range(210))
    with server.connect() as connection:
        for name in names:
            assert connection.request("PUT", f"/topics/{name}").status == 201
        connection.produce("a0", b"1\n2\n3\n", "application/x-ndjson")
    assert [line.decode() for line in run("topics", url=server.url).lines] == names
    assert run("topics", "--prefix", "a1", url=server.url).lines == sorted(
        name.encode() for name in names if name.startswith("a1"))
    assert run("topics", "--long", "--prefix", "a0", url=server.url).output == b"a0\t1\t4\n"


# Errors

@pytest.mark.parametrize(
    "arguments",
    [
        ["produce"],
        ["consume"],
        ["frobnicate"],
        ["consume", "t", "--limit", "0"],
        ["consume", "t", "--limit", "many"],
        ["consume", "t", "--offset", "1", "--since", "1"],
        ["consume", "t", "--oops"],
        ["produce", "a topic", "1"],
        ["consume", "a/b"],
        ["consume", ".."],
        ["consume", "x" * 250],
        ["consume", ""],
        ["topics", "extra"],
        ["topics", "--url", "localhost:9000"],
        ["topics", "--url", "ftp://127.0.0.1"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_wrong_usage_is_exit_code_64_and_says_so_on_standard_error(arguments: list[str]) -> None:
    outcome = run(*arguments, environment={"STREAMS_URL": "http://127.0.0.1:1"})
    assert (outcome.status, outcome.output) == (64, b"")
    assert outcome.errors.startswith("Error: ")


@pytest.mark.parametrize("command", [["produce", "t", "1"], ["consume", "t"], ["topics"]], ids=lambda c: c[0])
def test_a_server_that_is_not_there_is_exit_code_1_and_named(command: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"
    started = time.monotonic()
    outcome = run(*command, url=url)
    assert time.monotonic() - started < 10
    assert (outcome.status, outcome.output) == (1, b"")
    assert url in outcome.errors and len(outcome.errors.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments, code",
    [(["--offset", "99"], "offset_beyond_end"), (["--offset", "0"], "invalid_parameter"),
     (["--offset", "first"], "invalid_parameter"), (["--since", "yesterday"], "invalid_parameter")],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_an_error_of_the_server_is_exit_code_1_and_one_line(
    shared_server: Server, ten: str, arguments: list[str], code: str
) -> None:
    outcome = run("consume", ten, *arguments, url=shared_server.url)
    assert (outcome.status, outcome.output) == (1, b"")
    assert outcome.errors.startswith(f"streams: {code}: ") and len(outcome.errors.splitlines()) == 1


def test_the_address_comes_from_the_environment_and_the_flag_wins(shared_server: Server, topic: str) -> None:
    here, nowhere = {"STREAMS_URL": shared_server.url}, {"STREAMS_URL": "http://127.0.0.1:1"}
    assert run("produce", topic, "1", environment=here).status == 0
    assert run("consume", topic, environment=nowhere, url=shared_server.url).lines == [b"1"]
    assert run("consume", topic, environment=here, url=shared_server.url + "/").lines == [b"1"]


def test_something_else_at_the_address_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        process = command_line.start("topics", url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\nContent-Type: text/html\r\n\r\n<html>hi</html>")
        output, errors = process.communicate(timeout=10)
        connection.close()
        end(process)
    assert (process.returncode, output) == (1, b"")
    assert b"Serverless Streams" in errors


def test_help_and_version_go_to_standard_output() -> None:
    for arguments in (["--help"], ["produce", "--help"], ["serve", "--help"], ["--version"]):
        outcome = run(*arguments)
        assert (outcome.status, outcome.errors) == (0, "") and outcome.output
    assert json.loads(b'"' + run("--version").output.strip() + b'"')[0].isdigit()


def test_produce_waits_for_a_pipe_that_does_not_block(server: Server) -> None:
    receiving, sending = os.pipe()
    os.set_blocking(receiving, False)
    child = spawn([binary(), "produce", "t", "--url", server.url], stdin=receiving, stderr=subprocess.PIPE)
    os.close(receiving)
    os.write(sending, b"1\n")
    wait_until(lambda: server.end_offset("t") == 2, "the first line arrives")
    os.write(sending, b"2\n3\n")
    os.close(sending)
    assert child.wait(timeout=20) == 0
    assert server.end_offset("t") == 4


def test_produce_fails_when_its_input_can_not_be_read(server: Server, tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    child = spawn([binary(), "produce", "t", "--url", server.url], stdin=folder, stderr=subprocess.PIPE)
    os.close(folder)
    assert child.stderr and b"Standard input can not be read" in child.stderr.read()
    assert child.wait(timeout=20) == 1


def test_arguments_are_kept_as_they_are(server: Server) -> None:
    arguments = ['"a\u2028b\u2029c\u0085d"', '{"a":\n 1}', '"\\n"', " 1 "]
    assert run("produce", "t", *arguments, url=server.url).status == 0
    assert payloads(server, "t") == ['"a\u2028b\u2029c\u0085d"'.encode(), b'{"a":  1}', b'"\\n"', b"1"]


@pytest.mark.parametrize("payload", ["", " ", "tea", '"a\nb"', "1 2", "1\n2", '{"a":}'])
def test_an_argument_that_is_not_json_is_named_and_nothing_is_written(server: Server, payload: str) -> None:
    outcome = run("produce", "t", "1", payload, url=server.url)
    assert outcome.status == 1 and "payload 2 is not JSON" in outcome.errors
    assert server.end_offset("t") == 1
