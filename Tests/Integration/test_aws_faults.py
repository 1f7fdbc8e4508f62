"""Several processes on one bucket and one table: writers that die or are late, and a store that fails."""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import pytest

from aws_layout import check_item, check_objects
from aws_store import AWSStore, object_key
from conditions import wait_until
from fault_proxy import FaultProxy
from faults import Fault
from fronts import Front
from history import History, Outcome
from http_client import NDJSON, Answer
from messages import messages_of_page
from server import Server
from storm import run_storm
from traffic import Traffic, read_everything

MakeFront = Callable[..., Front]
HOLE_SECONDS = 5
STORM_SECONDS = 20


def data_of(topic: str) -> Callable[[Any], bool]:
    """Which PUTs carry messages of a topic, and are no fillers."""
    return lambda request: request.key.startswith(f"topics/{topic}/") and not request.is_filler


def test_two_fronts_append_to_one_topic_at_once_and_all_readers_see_one_order(
    make_front: MakeFront, store: AWSStore
) -> None:
    fronts = [make_front(store) for _ in range(2)]
    history = History()
    traffic = Traffic("t", history, seed=1)
    for number in range(8):
        front = fronts[number % 2]
        traffic.write(f"writer{number}", lambda front=front: front)
    for number, front in enumerate(fronts):
        traffic.read(f"reader{number}", lambda front=front: front)
    wait_until(lambda: history.count(Outcome.ACKNOWLEDGED) >= 200, "200 appends are acknowledged", timeout=40)
    traffic.stop()
    assert history.count(Outcome.ACKNOWLEDGED) == len(history.attempts), "nothing failed, so all are acknowledged"
    for front in fronts:
        history.check(read_everything(front, "t"))
    objects = check_objects(store, "t")
    assert not any(each.is_filler for each in objects)
    assert check_item(store, "t")["current_offset"] == objects[-1].last


@pytest.mark.parametrize("make_front, has_later_messages", [
    pytest.param("server", True, id="server-before later messages"),
    pytest.param("server", False, id="server-at the end"),
    pytest.param("lambda", True, id="lambda-before later messages"),
], indirect=["make_front"])
def test_readers_pass_the_hole_of_a_writer_killed_between_claim_and_put(
    make_front: MakeFront, store: AWSStore, proxy: FaultProxy, has_later_messages: bool
) -> None:
    writer, other = make_front(store), make_front(store)
    with writer.connect() as connection:
        assert connection.produce("t", b'{"payload":"before"}').json()["offset"] == 1
        gate = proxy.hold("s3.PutObject", data_of("t"))
        connection.send_request(
            "POST", "/topics/t/produce", b'"lost"\n"lost"\n"lost"\n', {"Content-Type": NDJSON})
        gate.wait_until_held()
        writer.kill()
    gate.drop()
    started = time.monotonic()
    end = 5
    with other.connect() as connection:
        if has_later_messages:
            assert connection.produce("t", b'{"payload":"after"}').json()["offset"] == 5
            end = 6
        # Nothing beyond the hole is shown while it may still be filled by its writer.
        page, next_offset, _ = messages_of_page(connection.consume("t", offset=1).body)
        assert ([each.offset for each in page], next_offset) == ([1], 2)

        def passed() -> bool:
            _, next_offset, end_offset = messages_of_page(connection.consume("t", offset=2, wait=1).body)
            assert end_offset == end
            return next_offset == end

        wait_until(passed, "a reader passes the hole", timeout=HOLE_SECONDS + 5)
        assert HOLE_SECONDS - 1 < time.monotonic() - started
    view = read_everything(other, "t")
    assert {offset: each.payload for offset, each in view.seen.items()} == (
        {1: b'"before"', 5: b'"after"'} if has_later_messages else {1: b'"before"'})
    fillers = [each for each in check_objects(store, "t") if each.is_filler]
    assert [offset for each in fillers for offset in range(each.first, each.last + 1)] == [2, 3, 4]
    # The bounds of the claim are known in both cases, so one filler is enough.
    assert len(fillers) == 1


def test_a_writer_that_a_filler_overtook_claims_again_and_is_not_lost(
    make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy
) -> None:
    writer = make_server(store=store, name="writer").start()
    reader = make_server(store=store, name="reader").start()
    with writer.connect(60) as appends, reader.connect() as reads:
        assert appends.produce("t", b'{"payload":"before"}').json()["offset"] == 1
        gate = proxy.hold("s3.PutObject", data_of("t"))
        appends.send_request("POST", "/topics/t/produce", b'"late"\n"later"\n', {"Content-Type": NDJSON})
        gate.wait_until_held()
        wait_until(
            lambda: messages_of_page(reads.consume("t", offset=2, wait=1).body)[1] == 4, "the reader has passed",
            timeout=HOLE_SECONDS + 10)
        gate.release()
        answer = appends.read_answer()
        assert answer.status == 200, answer
        assert answer.json() == {"topic": "t", "offset": 4, "last_offset": 5, "count": 2}
        page, next_offset, _ = messages_of_page(reads.consume("t", offset=4, wait=5).body)
        assert ([each.payload for each in page], next_offset) == ([b'"late"', b'"later"'], 6)
    view = read_everything(reader, "t")
    assert [each.payload for each in view.seen.values()] == [b'"before"', b'"late"', b'"later"']
    assert [(each.first, each.last) for each in check_objects(store, "t") if each.is_filler] == [(2, 3)]


def test_a_hole_of_two_claims_is_closed_from_the_top_without_guessing_where_the_lower_one_begins(
    make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy
) -> None:
    late, dying, other = (make_server(store=store, name=name).start() for name in ("late", "dying", "other"))
    with late.connect(60) as appends, dying.connect() as doomed, other.connect() as connection:
        assert connection.produce("t", b'{"payload":"before"}').json()["offset"] == 1
        gates = []
        for writer in (appends, doomed):
            last = object_key("t", 4 if writer is appends else 7)
            gates.append(proxy.hold(
                "s3.PutObject", lambda request, last=last: request.key == last and not request.is_filler))
            writer.send_request("POST", "/topics/t/produce", b'"a"\n"b"\n"c"\n', {"Content-Type": NDJSON})
            gates[-1].wait_until_held()
        dying.kill()
        gates[1].drop()
        assert connection.produce("t", b'{"payload":"after"}').json()["offset"] == 8
        wait_until(
            lambda: messages_of_page(connection.consume("t", offset=2, wait=1).body)[1] == 9, "the hole is passed",
            timeout=HOLE_SECONDS + 10)
        fillers = [(each.first, each.last) for each in check_objects(store, "t") if each.is_filler]
        # That 5 begins a claim is written in the object of 8. Where the claim that ends with 4 begins nobody knows.
        assert fillers == [(2, 2), (3, 3), (4, 4), (5, 7)]
        gates[0].release()
        answer = appends.read_answer()
        assert (answer.status, answer.json()["offset"]) == (200, 9), answer
    view = read_everything(other, "t")
    assert {offset: each.payload for offset, each in view.seen.items()} == {
        1: b'"before"', 8: b'"after"', 9: b'"a"', 10: b'"b"', 11: b'"c"'}


@pytest.mark.parametrize("fault", [
    Fault.LOST, Fault.LATE, Fault.ANSWER_LOST, Fault.ANSWER_CUT, Fault.ANSWER_SLOW, Fault.REPEATED,
    Fault.INTERNAL_ERROR, Fault.INTERNAL_ERROR_AFTER, Fault.SLOW_DOWN, Fault.CONFLICT])
def test_a_put_that_meets_a_fault_is_acknowledged_once(
    make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy, fault: Fault
) -> None:
    server = make_server(store=store).start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":0}').json()["offset"] == 1
        proxy.inject("s3.PutObject", fault)
        answer = connection.produce("t", b'{"payload":1}')
        assert answer.status == 200, answer
        assert answer.json()["offset"] == 2
    assert proxy.plan.injected["s3.PutObject", fault] == 1
    view = read_everything(server, "t")
    assert [each.payload for each in view.seen.values()] == [b"0", b"1"]


@pytest.mark.parametrize("fault", [
    Fault.LOST, Fault.ANSWER_LOST, Fault.ANSWER_CUT, Fault.ANSWER_SLOW, Fault.INTERNAL_ERROR,
    Fault.INTERNAL_ERROR_AFTER, Fault.THROTTLED])
def test_a_claim_that_meets_a_fault_is_made_once(
    make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy, fault: Fault
) -> None:
    server = make_server(store=store).start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":0}').json()["offset"] == 1
        proxy.inject("dynamodb.UpdateItem", fault)
        answer = connection.produce("t", b'{"payload":1}')
        # A retry whose first try took effect finds its own claim: no offset is lost.
        assert answer.status == 200, answer
        assert answer.json()["offset"] == 2
    assert check_item(store, "t")["current_offset"] == 2


def test_reads_go_on_over_faults(make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy) -> None:
    server = make_server(store=store).start()
    with server.connect() as connection:
        for number in range(6):
            connection.produce("t", b'{"payload":%d}' % number)
    reading = [Fault.LOST, Fault.ANSWER_LOST, Fault.ANSWER_CUT, Fault.ANSWER_SLOW, Fault.INTERNAL_ERROR]
    for kind, faults in [
        ("s3.GetObject", [*reading, Fault.SLOW_DOWN]), ("s3.ListObjectsV2", [*reading, Fault.SLOW_DOWN]),
        ("dynamodb.GetItem", [*reading, Fault.THROTTLED]),
    ]:
        for fault in faults:
            # A server of its own each time: another's cache would answer.
            fresh = make_server(store=store, name=f"{kind}-{fault.name}").start()
            proxy.inject(kind, fault)
            with fresh.connect() as connection:
                answer = connection.consume("t", offset=1)
                assert answer.status == 200, (kind, fault, answer)
                page, next_offset, _ = messages_of_page(answer.body)
            if next_offset < 7:  # a page may be short, never wrong
                page += list(read_everything(fresh, "t").seen.values())[len(page):]
            assert [each.payload for each in page] == [b"%d" % number for number in range(6)], (kind, fault)
            assert proxy.plan.injected[kind, fault] == 1
            fresh.kill()


def test_nobody_waits_for_ever_when_aws_does_not_answer(
    make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy
) -> None:
    server = make_server(store=store).start()

    def produce(topic: str, number: int) -> Answer:
        with server.connect(60) as connection:
            return connection.produce(topic, b'{"payload":%d}' % number)

    topics = {"claimed": "dynamodb.UpdateItem", "put": "s3.PutObject"}
    for topic, kind in topics.items():
        assert produce(topic, 0).status == 200
        proxy.inject(kind, Fault.HANGS, lambda request, topic=topic: topic in request.key, times=1000)
    with ThreadPoolExecutor(2) as pool:
        for answer in pool.map(lambda topic: produce(topic, 1), topics):
            assert answer.status == 503 and answer.code in ("unavailable", "outcome_unknown"), answer
            assert int(answer.headers["retry-after"]) >= 1
    proxy.calm()
    for topic in topics:
        assert produce(topic, 2).status == 200
        payloads = [each.payload for each in read_everything(server, topic).seen.values()]
        assert payloads[0] == b"0" and payloads[-1] == b"2"


@pytest.mark.bounded(240)
def test_nothing_acknowledged_is_lost_doubled_disordered_or_skipped_in_a_storm_of_faults(
    tmp_path: Path, store: AWSStore, proxy: FaultProxy, dice: random.Random
) -> None:
    tally = run_storm(tmp_path, store, proxy, dice, STORM_SECONDS)
    print(tally)
    assert tally.operations > 200 and tally.crashes >= 5 and len(tally.faults) > 15
