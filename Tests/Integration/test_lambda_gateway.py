"""The function behind API Gateway and function URLs: streams, concurrency, signals, freezing, start."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable

import pytest

from aws_store import AWSStore
from conditions import wait_until
from http_client import EVENTS, Connection
from lambda_gateway import Function, Gateway
from processes import bootstrap, end, spawn

Start = Callable[..., Function]
STREAMING = {"STREAMS_RESPONSE_STREAMING": "true"}
PREFIXES = {"rest": "/v1", "http": "", "url": ""}


@pytest.fixture
def start(gateway: Gateway, store: AWSStore) -> Start:
    """Starts functions on an empty store."""
    def start(environment: dict[str, str] | None = None, **options) -> Function:
        return gateway.start([str(bootstrap())], store.environment | (environment or {}), **options)

    return start


@pytest.fixture(params=["rest", "http", "url"])
def event(request: pytest.FixtureRequest) -> str:
    """Each kind of event."""
    return request.param


def has_asked(function: Function) -> float:
    return function.gateway.start_seconds(function.port)


def test_all_kinds_of_events_are_answered(start: Start, event: str) -> None:
    function, prefix = start(event=event), PREFIXES[event]
    with Connection(function.port) as connection:
        health = connection.get(f"{prefix}/health")
        assert health.status == 200 and health.json()["store"] == "aws"
        for media_type, body in [("application/json", b'{"payload":"\xc3\xa9"}'), ("application/x-ndjson", b"2\n3\n")]:
            produced = connection.request(
                "POST", f"{prefix}/topics/orders/produce", body, {"Content-Type": media_type})
            assert produced.status == 200, produced.body
        page = connection.get(f"{prefix}/topics/orders/consume?limit=%32&&offset=1")
        assert [message["payload"] for message in page.json()["messages"]] == ["é", 2]
        assert page.headers["access-control-allow-origin"] == "*"
        assert connection.get(f"{prefix}/topics/orders/consume?limit=1&limit=2").json()["parameter"] == "limit"
        assert connection.get(f"{prefix}/topics/a%20b/consume").code == "invalid_topic"
        assert connection.get(f"{prefix}/topics/orders/consume?since=2026-01-31T12:00:00%2B01:00").status == 200
        assert connection.request("HEAD", f"{prefix}/health").body == b""
    assert function.stop()["exit_statuses"] == [0]


@pytest.mark.parametrize("body", [b"\xff\x00{", bytes(range(256))])
def test_a_body_that_is_no_text_arrives_byte_for_byte(start: Start, event: str, body: bytes) -> None:
    function = start(event=event)
    with Connection(function.port) as connection:
        answer = connection.request(
            "POST", f"{PREFIXES[event]}/topics/orders/produce", body, {"Content-Type": "application/json"})
        assert answer.code == "invalid_json" and answer.json()["position"] == 0
    function.stop()


@pytest.mark.parametrize("kind", ["rest", "url"])
def test_events_are_streamed_as_they_are_written(start: Start, kind: str) -> None:
    function, prefix = start(STREAMING, event=kind, streaming=True, timeout=3), PREFIXES[kind]
    with Connection(function.port) as connection:
        for number in range(3):
            produced = connection.request("POST", f"{prefix}/topics/orders/produce", b'{"payload":%d}' % number)
            assert produced.status == 200
        began = time.monotonic()
        connection.send_request("GET", f"{prefix}/topics/orders/consume", headers={"Accept": EVENTS})
        _, status, headers = connection.read_head()
        assert status == 200 and headers["content-type"] == EVENTS
        text, events_after = "", 0.0
        for chunk in connection.chunks():
            text += chunk.decode()
            if "\nid: 3\n" in text and not events_after:
                events_after = time.monotonic() - began
        ended_after = time.monotonic() - began
    # The events come long before the stream ends, which is before the function would be killed.
    assert events_after < 1.5 < 2 < ended_after < 3
    assert text.endswith("retry: 1000\nid: 3\n\n")
    assert function.stop()["exit_statuses"] == [0]


def test_an_answer_that_is_not_streamed_is_whole_at_once(start: Start) -> None:
    function = start(timeout=20)
    with Connection(function.port) as connection:
        connection.request("POST", "/v1/topics/orders/produce", b'{"payload":1}')
        began = time.monotonic()
        answer = connection.get("/v1/topics/orders/consume", EVENTS)
        assert time.monotonic() - began < 5
        assert answer.status == 200 and b"\nid: 1\n" in answer.body and answer.body.endswith(b"retry: 1000\nid: 1\n\n")
    function.stop()


def test_a_wait_ends_before_the_function_is_killed(start: Start) -> None:
    function = start(timeout=6)
    with Connection(function.port) as connection:
        began = time.monotonic()
        answer = connection.get("/v1/topics/orders/consume?wait=20")
        assert answer.status == 200 and answer.json()["messages"] == []
        assert 5 < time.monotonic() - began < 6
    assert function.stop()["exit_statuses"] == [0]


def test_several_processes_answer_side_by_side(start: Start) -> None:
    function = start(concurrency=4)

    def wait(_: int) -> int:
        with Connection(function.port) as connection:
            return connection.get("/v1/topics/orders/consume?wait=2").status

    with ThreadPoolExecutor(4) as pool:
        began = time.monotonic()
        assert list(pool.map(wait, range(4))) == [200] * 4
        assert time.monotonic() - began < 6
    assert function.stop()["exit_statuses"] == [0] * 4


def test_sigterm_lets_the_request_under_way_have_its_answer(start: Start) -> None:
    function = start()
    with Connection(function.port) as connection:
        connection.send_request("GET", "/v1/topics/orders/consume?wait=20")
        wait_until(lambda: function.report["invocations"] == 1, "the function has the request")
        began = time.monotonic()
        os.kill(function.report["pids"][0], signal.SIGTERM)
        assert connection.read_answer().status == 200
        wait_until(lambda: function.report["exit_statuses"] == [0], "the process ended by itself")
        assert time.monotonic() - began < 5
    function.stop()


def test_a_process_that_is_frozen_between_events_answers_the_next_one(start: Start) -> None:
    function = start(freeze=True)
    with Connection(function.port) as connection:
        assert connection.request("POST", "/v1/topics/orders/produce", b'{"payload":1}').status == 200
        pid = function.report["pids"][0]
        for _ in range(3):
            wait_until(lambda: _state(pid) == "T", "the process is stopped")
            # What a timer would have noticed meanwhile.
            time.sleep(1)
            began = time.monotonic()
            assert connection.get("/v1/topics/orders/consume").json()["next_offset"] == 2
            assert time.monotonic() - began < 5
    assert function.stop()["exit_statuses"] == [0]


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_start_asks_nobody_but_the_runtime_api(start: Start) -> None:
    function = start()
    wait_until(lambda: has_asked(function), "the process has asked for an event")
    pid = function.report["pids"][0]
    sockets = [link for link in Path(f"/proc/{pid}/fd").iterdir() if os.readlink(link).startswith("socket:")]
    assert len(sockets) == 1
    ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    seconds = sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
    print(f"to the first event: {seconds:.3f} s of CPU time, {has_asked(function):.3f} s in all")
    assert seconds < 1
    function.stop()


def test_a_function_that_can_not_start_says_which_variable(start: Start) -> None:
    function = start({
        "BUCKET_NAME": "Messages", "COUNTERS_TABLE": "", "LOG_LEVEL": "loud", "AWS_SECRET_ACCESS_KEY": "hidden"})
    wait_until(lambda: function.report["exit_statuses"], "the process has ended")
    report = function.report
    assert report["exit_statuses"] == [1]
    lines = report["log"].splitlines()
    assert len(lines) == 1 and lines[0].startswith("bootstrap: BUCKET_NAME is ")
    assert "COUNTERS_TABLE is not set" in lines[0] and "LOG_LEVEL is one of trace," in lines[0]
    assert "hidden" not in report["log"]
    assert [error["errorType"] for error in report["init_errors"]] == ["Runtime.ConfigurationInvalid"]
    assert report["init_errors"][0]["errorMessage"] == lines[0].removeprefix("bootstrap: ")
    with Connection(function.port) as connection:
        assert connection.get("/v1/health").status == 502
    function.stop()


@pytest.mark.parametrize(
    "variables, expected",
    [
        ({}, "AWS_LAMBDA_RUNTIME_API is not set"),
        ({"AWS_LAMBDA_RUNTIME_API": "nowhere"}, "AWS_LAMBDA_RUNTIME_API is host:port, not 'nowhere'"),
        ({"BUCKET_NAME": "messages", "COUNTERS_TABLE": "counters", "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"},
         "127.0.0.1:1 does not answer"),
    ])
def test_without_the_runtime_api_it_ends_with_a_sentence(variables: dict[str, str], expected: str) -> None:
    process = spawn([bootstrap()], variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        output, errors = process.communicate(timeout=20)
    finally:
        end(process)
    assert process.returncode == 1 and output == b""
    assert expected in errors.decode() and len(errors.decode().splitlines()) == 1


# The gateway itself

STUB = """
import http.client, json, os, time
api = os.environ["AWS_LAMBDA_RUNTIME_API"]
while True:
    connection = http.client.HTTPConnection(api)
    connection.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = connection.getresponse()
    answer.read()
    what = os.environ["ANSWER"]
    if what == "exit":
        os._exit(7)
    if what == "sleep":
        time.sleep(60)
    name = answer.getheader("Lambda-Runtime-Aws-Request-Id")
    connection.request("POST", f"/2018-06-01/runtime/invocation/{name}/response", what)
    connection.getresponse().read()
"""


@pytest.mark.parametrize(
    "answer",
    [
        "", "null", "[]", "{}", '{"statusCode":"200"}', '{"statusCode":200,"x":1}', '{"statusCode":200,"body":{}}',
        '{"statusCode":99}', '{"statusCode":200,"headers":{"a":[]}}', "exit", "sleep",
    ])
def test_the_gateway_answers_502_for_a_function_that_does_not(gateway: Gateway, answer: str) -> None:
    function = gateway.start([sys.executable, "-c", STUB], {"ANSWER": answer}, timeout=1)
    with Connection(function.port) as connection:
        for _ in range(2):
            assert connection.get("/v1/x").status == 502
    function.stop()


def test_the_gateway_takes_functions_over_its_control_port_and_ends_with_its_input(store: AWSStore) -> None:
    process = spawn(
        [sys.executable, Path(__file__).parent / "lambda_gateway.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    control = json.loads(process.stdout.readline())["port"]
    with Connection(control) as connection:
        function = {"command": [str(bootstrap())], "environment": store.environment, "event": "http", "timeout": 5}
        began = time.monotonic()
        port = connection.request("POST", "/_functions", json.dumps(function).encode()).json()["port"]
        assert time.monotonic() - began < 5
        with Connection(port) as client:
            assert client.get("/health").status == 200
        pid = connection.get(f"/_functions/{port}").json()["pids"][0]
        assert connection.request("DELETE", f"/_functions/{port}").json()["exit_statuses"] == [0]
        assert connection.request("POST", "/_functions", b'{"command":["/none"]}').status == 400
        assert connection.request("POST", "/_functions", b'{"command":["a"],"event":"x"}').status == 400
        other = connection.request("POST", "/_functions", json.dumps(function).encode()).json()["port"]
        pid = connection.get(f"/_functions/{other}").json()["pids"][0]
        process.stdin.close()
        assert process.wait(20) == 0
    assert not Path(f"/proc/{pid}").exists()
    end(process)


def test_a_client_that_hangs_up_within_a_stream_harms_nobody(start: Start) -> None:
    function = start(STREAMING, streaming=True, timeout=2)
    with Connection(function.port) as connection:
        connection.send_request("GET", "/v1/topics/orders/consume", headers={"Accept": EVENTS})
        connection.read_head()
    # The function is not told; it goes on until its time is up, and then takes the next event.
    with Connection(function.port) as connection:
        assert connection.get("/v1/health").status == 200
    assert function.stop()["exit_statuses"] == [0]
