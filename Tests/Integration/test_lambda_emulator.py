"""The function under AWS's own Runtime Interface Emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, Iterator

import pytest

import lambda_events
from aws_store import AWSStore
from lambda_emulator import Emulator
from lambda_events import Request
from processes import bootstrap

Emulate = Callable[..., Emulator]


@pytest.fixture
def emulate(tmp_path: Path, store: AWSStore) -> Iterator[Emulate]:
    """Starts emulators with a function on an empty store; they end with the test."""
    emulators: list[Emulator] = []

    def emulate(environment: dict[str, str] | None = None, **options) -> Emulator:
        emulators.append(Emulator(bootstrap(), store.environment | (environment or {}), tmp_path, **options))
        return emulators[-1]

    yield emulate
    for emulator in emulators:
        emulator.close()


def rest(emulator: Emulator, method: str, target: str, body: bytes = b"", **headers: str) -> lambda_events.Answer:
    """An answer to an event of a REST API."""
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    status, document = emulator.invoke(lambda_events.rest_event(Request(method, "/v1" + target, fields, body)))
    assert status == 200, document
    return lambda_events.read_answer(document, multi_value=True)


def url(emulator: Emulator, method: str, target: str, body: bytes = b"", **headers: str) -> lambda_events.Answer:
    """An answer to an event of a function URL."""
    fields = [(name.replace("_", "-"), value) for name, value in headers.items()]
    status, document = emulator.invoke(lambda_events.url_event(Request(method, target, fields, body)))
    assert status == 200, document
    return lambda_events.read_answer(document, multi_value=False)


@pytest.mark.bounded(120)
def test_events_go_in_and_answers_come_out(emulate: Emulate) -> None:
    emulator = emulate()
    assert json.loads(rest(emulator, "GET", "/health").body)["status"] == "ok"
    for send in (rest, url):
        assert send(emulator, "POST", "/topics/orders/produce", b'{"payload":{"a":"\xf0\x9f\x8d\xb5"}}').status == 200
        assert send(emulator, "POST", "/topics/orders/produce", b"\xff", content_type="application/json").status == 400
        assert send(emulator, "GET", "/none").status == 404
    page = json.loads(url(emulator, "GET", "/topics/orders/consume?offset=1&limit=10").body)
    assert [message["payload"] for message in page["messages"]] == [{"a": "🍵"}] * 2


def test_an_event_that_is_no_request_is_an_error_and_the_next_one_is_answered(emulate: Emulate) -> None:
    emulator = emulate()
    for event in ({}, {"Records": []}, [], "x", 1, b"{", b""):
        _, document = emulator.invoke(event)
        error = json.loads(document)
        assert error["errorType"].startswith("Function.Event"), document
        assert error["errorMessage"].endswith("."), document
    assert rest(emulator, "GET", "/health").status == 200


def test_a_function_without_settings_reports_them(emulate: Emulate) -> None:
    emulator = emulate({"BUCKET_NAME": ""})
    for _ in range(2):
        status, document = emulator.invoke({})
        assert status == 502
        error = json.loads(document)
        assert error["errorType"] == "Runtime.ConfigurationInvalid"
        assert error["errorMessage"].startswith("BUCKET_NAME is not set")


def test_no_wait_runs_into_the_timeout(emulate: Emulate) -> None:
    emulator = emulate(timeout=2)
    for _ in range(2):
        page = json.loads(rest(emulator, "GET", "/topics/orders/consume?wait=20").body)
        assert page == {"messages": [], "next_offset": 1, "end_offset": 1}
    assert "timed out" not in emulator.log()


@pytest.mark.bounded(180)
def test_answers_keep_to_the_limit_of_six_megabytes(emulate: Emulate) -> None:
    emulator = emulate()
    # Each byte of such a payload takes four in the answer: it is escaped in the message, and again in the answer.
    payload = '"' + '\\"' * 524_000 + '"'
    for _ in range(7):
        assert rest(emulator, "POST", "/topics/orders/produce", f'{{"payload":{payload}}}'.encode()).status == 200
    for accept in ("application/json", "application/x-ndjson", "text/event-stream"):
        answer = rest(emulator, "GET", "/topics/orders/consume?limit=100", accept=accept)
        assert answer.status == 200
        assert 2 <= answer.body.count(b'"offset":') <= 3
    offset = 1
    seen = 0
    while offset < 8:
        page = json.loads(url(emulator, "GET", f"/topics/orders/consume?limit=100&offset={offset}").body)
        seen += len(page["messages"])
        offset = page["next_offset"]
    assert seen == 7
    assert "too large" not in emulator.log()
