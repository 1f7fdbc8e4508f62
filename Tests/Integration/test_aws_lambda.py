"""The function on a bucket and a table: beside servers, frozen, out of time, and wrongly set up."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest

from aws_layout import check_item, check_objects
from aws_store import AWSStore
from conditions import wait_until
from fault_proxy import FaultProxy
from faults import Fault
from history import History, Outcome
from lambda_front import LambdaFront
from lambda_gateway import Gateway
from messages import messages_of_page, problem
from server import Server
from traffic import Traffic, note, read_everything, send

MakeFunction = Callable[..., LambdaFront]
TIMEOUT_SECONDS = 3


@pytest.fixture
def make_function(gateway: Gateway, store: AWSStore) -> MakeFunction:
    """Makes functions on the test's store."""
    return lambda **options: LambdaFront(gateway, store, **options)


def test_two_servers_and_two_functions_append_to_one_topic_at_once_and_all_see_one_order(
    make_server: Callable[..., Server], make_function: MakeFunction, store: AWSStore
) -> None:
    servers = [make_server(store=store, name=f"server{number}").start() for number in range(2)]
    functions = [make_function(event=event) for event in ("http", "url")]
    fronts = [*servers, *functions]
    history = History()
    traffic = Traffic("t", history, seed=1)
    for number, front in enumerate(fronts):
        for writer in range(2):
            traffic.write(f"writer{number}{writer}", lambda front=front: front)
        traffic.read(f"reader{number}", lambda front=front: front)

    def has_appended(number: int) -> bool:
        return sum(each.outcome is Outcome.ACKNOWLEDGED and each.writer.startswith(f"writer{number}")
                   for each in history.attempts.copy()) >= 30

    wait_until(lambda: all(map(has_appended, range(4))), "30 appends through each front", timeout=40, pause=0.1)
    traffic.stop()
    assert history.count(Outcome.ACKNOWLEDGED) == len(history.attempts), "nothing failed, so all are acknowledged"
    assert [len(function.pids) for function in functions] == [2, 2]
    assert [function.exit_statuses for function in functions] == [[], []]
    for front in fronts:
        history.check(read_everything(front, "t"))
    objects = check_objects(store, "t")
    assert not any(each.is_filler for each in objects)
    assert check_item(store, "t")["current_offset"] == objects[-1].last


# Frozen


def is_frozen(function: LambdaFront) -> bool:
    """Whether all processes are stopped."""
    states = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] for pid in function.pids]
    return set(states) == {"T"}


def test_connections_that_ended_while_the_function_was_frozen_are_made_anew(
    make_function: MakeFunction, store: AWSStore, proxy: FaultProxy
) -> None:
    function = make_function(processes=1, freeze=True)
    with function.connect() as connection:
        for number in range(1, 4):
            answer = connection.produce("t", b'{"payload":1}')
            assert (answer.status, answer.json().get("offset")) == (200, number), answer
            wait_until(lambda: is_frozen(function), "the process is stopped")
            assert proxy.cut_connections() > 0
            # A timer of the process, had it any, would be late by this.
            time.sleep(1)
        with proxy.counting() as counts:
            assert connection.produce("t", b'{"payload":1}').json()["offset"] == 4
        assert counts == {"dynamodb.UpdateItem": 1, "s3.PutObject": 1}
        wait_until(lambda: is_frozen(function), "the process is stopped")
        proxy.cut_connections()
        page, next_offset, _ = messages_of_page(connection.consume("t", offset=1).body)
        assert ([each.offset for each in page], next_offset) == ([1, 2, 3, 4], 5)
    assert function.exit_statuses == []


def test_a_connection_that_fell_silent_while_the_function_was_frozen_is_given_up(
    make_function: MakeFunction, proxy: FaultProxy
) -> None:
    function = make_function(processes=1, freeze=True)
    with function.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200
        wait_until(lambda: is_frozen(function), "the process is stopped")
        proxy.inject("dynamodb.UpdateItem", Fault.HANGS)
        answer = connection.produce("t", b'{"payload":1}')
        assert (answer.status, answer.json().get("offset")) == (200, 2), answer


# Out of time


@pytest.mark.parametrize("kind, fault", [
    ("dynamodb.UpdateItem", Fault.HANGS), ("dynamodb.UpdateItem", Fault.HANGS_AFTER),
    ("s3.PutObject", Fault.HANGS), ("s3.PutObject", Fault.HANGS_AFTER)])
def test_an_append_that_aws_does_not_answer_is_answered_before_the_function_is_killed(
    make_function: MakeFunction, make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy, kind: str,
    fault: Fault
) -> None:
    # What is left of an append when its answer is out is stopped with the process, and goes on with the next event.
    function = make_function(processes=1, freeze=True, timeout=TIMEOUT_SECONDS)
    history = History()
    with function.connect() as connection:
        def append(number: int) -> str:
            attempt = history.begin("writer", number, 2, time.monotonic())
            answer = send(connection, "t", attempt)
            note(attempt, answer)
            assert attempt.ended - attempt.started < TIMEOUT_SECONDS
            if answer.status == 200:
                return "acknowledged"
            assert answer.status == 503 and int(answer.headers["retry-after"]) >= 1, answer
            return answer.code

        assert append(1) == "acknowledged"
        proxy.inject(kind, fault, times=1000)
        outcome = append(2)
        proxy.calm()
        wait_until(lambda: append(len(history.attempts) + 1) == "acknowledged", "appends go on", timeout=20, pause=0.1)
    print(outcome)
    # Without a claim that is answered nothing can have been written.
    assert outcome == "unavailable" or (outcome == "outcome_unknown" and kind == "s3.PutObject"), outcome
    assert function.exit_statuses == []
    history.check(read_everything(make_server(store=store).start(), "t"))


@pytest.mark.parametrize("kind, wait", [("dynamodb.GetItem", 20), ("s3.GetObject", 0)])
def test_a_read_that_aws_does_not_answer_is_answered_before_the_function_is_killed(
    make_function: MakeFunction, proxy: FaultProxy, kind: str, wait: int
) -> None:
    writer, function = make_function(processes=1), make_function(processes=1, timeout=TIMEOUT_SECONDS)
    with writer.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200
    with function.connect() as connection:
        proxy.inject(kind, Fault.HANGS, times=1000)
        started = time.monotonic()
        problem(connection.consume("t", offset=1, wait=wait), 503, "unavailable")
        assert time.monotonic() - started < TIMEOUT_SECONDS
        proxy.calm()
        page, _, _ = messages_of_page(connection.consume("t", offset=1).body)
        assert [each.payload for each in page] == [b"1"]
    assert function.exit_statuses == []


def test_a_wait_ends_before_the_function_is_killed_and_polls_until_then(
    make_function: MakeFunction, proxy: FaultProxy
) -> None:
    function = make_function(processes=1, timeout=TIMEOUT_SECONDS)
    with function.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200
        with proxy.counting() as counts:
            started = time.monotonic()
            answer = connection.consume("t", offset=2, wait=20)
            took = time.monotonic() - started
    assert messages_of_page(answer.body) == ([], 2, 2)
    assert TIMEOUT_SECONDS / 2 < took < TIMEOUT_SECONDS
    assert set(counts) == {"dynamodb.GetItem"} and counts["dynamodb.GetItem"] > 2
    assert function.exit_statuses == []


# Wrongly set up


@pytest.mark.parametrize("change, named", [
    ({"BUCKET_NAME": ""}, "BUCKET_NAME"), ({"COUNTERS_TABLE": "t!"}, "COUNTERS_TABLE"),
    ({"AWS_REGION": "somewhere nice"}, "AWS_REGION"), ({"AWS_ENDPOINT_URL": "nonsense"}, "AWS_ENDPOINT_URL"),
    ({"STREAMS_RECOVERY_WAIT": "soon"}, "STREAMS_RECOVERY_WAIT")])
def test_a_function_with_a_missing_or_wrong_setting_names_it_and_does_not_start(
    make_function: MakeFunction, store: AWSStore, change: dict[str, str], named: str
) -> None:
    function = make_function(processes=1, environment={"AWS_SESSION_TOKEN": "a-token-of-settings"} | change)
    wait_until(lambda: function.exit_statuses, "the process has ended")
    assert function.exit_statuses == [1]
    errors = function.function.report["init_errors"]
    assert [each["errorType"] for each in errors] == ["Runtime.ConfigurationInvalid"]
    message = errors[0]["errorMessage"]
    assert named in message and function.log() == f"bootstrap: {message}\n"
    for secret in (store.credentials.secret_access_key, "a-token-of-settings"):
        assert secret not in function.log()


@pytest.mark.parametrize("missing, variable", [("bucket", "BUCKET_NAME"), ("table", "COUNTERS_TABLE")])
def test_a_bucket_or_table_that_is_not_there_is_said_with_the_first_request(
    gateway: Gateway, store: AWSStore, missing: str, variable: str
) -> None:
    # The function asks nobody at its start, so it cannot know before.
    name = f"no-such-{missing}-anywhere"
    function = LambdaFront(gateway, replace(store, **{missing: name}), processes=1)
    with function.connect() as connection:
        problem(connection.produce("t", b'{"payload":1}'), 503, "unavailable")
    lines = [line for line in function.log().splitlines() if name in line]
    assert lines and variable in lines[0], function.log()
    assert store.credentials.secret_access_key not in function.log()
