"""Counters that were lost or set back, and what must not be taken for one that was."""

from __future__ import annotations

import time
from typing import Callable

import pytest

from aws_layout import check_item, check_objects, seed
from aws_store import AWSStore
from conditions import wait_until
from fault_proxy import FaultProxy
from fronts import Front
from history import History, Outcome
from http_client import JSON, NDJSON, Answer
from messages import messages_of_page, problem
from traffic import Traffic, read_everything

MakeFront = Callable[..., Front]
HOLE_SECONDS = 5
RECOVERY_SECONDS = 2


def append_until_open(front: Front, topic: str, count: int = 1) -> tuple[Answer, list[Answer]]:
    """Appends until it is acknowledged; the answers before that one are its refusals."""
    refusals: list[Answer] = []
    deadline = time.monotonic() + RECOVERY_SECONDS + 15
    with front.connect() as connection:
        while True:
            answer = connection.produce(topic, b'"after"\n' * count, NDJSON)
            if answer.status == 200:
                return answer, refusals
            problem(answer, 503, "unavailable")
            refusals.append(answer)
            assert time.monotonic() < deadline, f"{topic} did not open again: {answer}"
            time.sleep(0.1)


@pytest.mark.parametrize("who", ["a front that wrote", "a front that knows nothing"])
@pytest.mark.parametrize("loss", ["deleted", "set back"])
def test_a_topic_whose_counter_is_lost_closes_and_opens_above_its_highest_object(
    make_front: MakeFront, store: AWSStore, loss: str, who: str
) -> None:
    front = make_front(store, STREAMS_RECOVERY_WAIT=str(RECOVERY_SECONDS))
    with front.connect() as connection:
        # A batch comes first: its key is not its first offset, which the topic must still begin at.
        assert connection.produce("t", b'"before"\n' * 3, NDJSON).json()["offset"] == 1
        for number in range(4, 6):
            assert connection.produce("t", b'{"payload":"before"}').json()["offset"] == number
        copy = store.item("t")
        for number in range(6, 10):
            assert connection.produce("t", b'{"payload":"before"}').json()["offset"] == number
    before = store.objects("t")
    if loss == "deleted":
        store.delete_item("t")
    else:
        assert copy
        store.put_item(copy)
    noticing = front if who == "a front that wrote" else make_front(
        store, STREAMS_RECOVERY_WAIT=str(RECOVERY_SECONDS))
    started = time.monotonic()
    answer, refusals = append_until_open(noticing, "t")
    assert refusals, "the topic was not closed at all"
    assert all(1 <= int(each.headers["retry-after"]) <= RECOVERY_SECONDS + 1 for each in refusals)
    assert time.monotonic() - started >= RECOVERY_SECONDS - 0.5
    assert answer.json()["offset"] == 10
    objects = check_objects(store, "t")
    assert [each for each in objects if each in before] == before, "an object was overwritten"
    assert "closed_until" not in check_item(store, "t")
    for each in (front, noticing):
        view = read_everything(each, "t")
        assert [message.payload for message in view.seen.values()] == [b'"before"'] * 9 + [b'"after"']


@pytest.mark.bounded(120)
@pytest.mark.parametrize("loss", ["deleted", "set back"])
def test_a_counter_lost_under_load_overlaps_nothing_and_heals_by_itself(
    make_front: MakeFront, store: AWSStore, loss: str
) -> None:
    fronts = [make_front(store, STREAMS_RECOVERY_WAIT=str(RECOVERY_SECONDS)) for _ in range(2)]
    history = History()
    traffic = Traffic("t", history, seed=2)
    for number in range(6):
        front = fronts[number % 2]
        traffic.write(f"writer{number}", lambda front=front: front)

    def acknowledged(more: int) -> None:
        wanted = history.count(Outcome.ACKNOWLEDGED) + more
        wait_until(lambda: history.count(Outcome.ACKNOWLEDGED) >= wanted, f"{more} more are acknowledged", timeout=40)

    acknowledged(50)
    copy = store.item("t")
    acknowledged(50)
    if loss == "deleted":
        store.delete_item("t")
    else:
        assert copy
        store.put_item(copy)
    wait_until(lambda: history.count(Outcome.REFUSED) > 0, "the topic is closed", timeout=20)
    acknowledged(50)
    traffic.stop()
    check_objects(store, "t")
    item = check_item(store, "t")
    for front in fronts:
        view = read_everything(front, "t")
        assert view.position == item["current_offset"] + 1
        history.check(view)


def test_a_topic_is_closed_for_appends_to_all_and_stays_readable(make_front: MakeFront, store: AWSStore) -> None:
    fronts = [make_front(store, STREAMS_RECOVERY_WAIT="30") for _ in range(2)]
    with fronts[0].connect() as one, fronts[1].connect() as other:
        for number in range(3):
            assert one.produce("t", b'{"payload":%d}' % number).status == 200
        item = store.item("t")
        assert item
        store.put_item(item | {"current_offset": 1, "claim_offset": 1})
        problem(one.produce("t", b'{"payload":"x"}'), 503, "unavailable")
        closed = store.item("t")
        assert closed and time.time() + 20 < closed["closed_until"] / 1000 < time.time() + 31
        for connection in (one, other):
            refusal = connection.produce("t", b'{"payload":"x"}')
            problem(refusal, 503, "unavailable")
            assert 20 < int(refusal.headers["retry-after"]) <= 31
            page, _, _ = messages_of_page(connection.consume("t", offset=1).body)
            assert page and page[0].payload == b"0"
    assert len(store.keys("t")) == 3


# What must not close a topic


def past_the_proxy(store: AWSStore) -> AWSStore:
    """The same store for a front whose requests are not to be held back with those of another."""
    return store.behind(store.direct_endpoint)


@pytest.mark.parametrize("first", ["an append", "a PUT of the topic"])
def test_two_that_create_a_topic_at_once_do_not_close_it(
    make_front: MakeFront, store: AWSStore, proxy: FaultProxy, first: str
) -> None:
    slow, quick = make_front(store), make_front(past_the_proxy(store))
    with slow.connect(60) as late, quick.connect() as early:
        # It has seen that there is no item, and now asks whether there are objects. When it is told, there are.
        gate = proxy.hold("s3.ListObjectsV2")
        if first == "an append":
            late.send_request("POST", "/topics/t/produce", b'{"payload":"late"}', {"Content-Type": JSON})
        else:
            late.send_request("PUT", "/topics/t")
        gate.wait_until_held()
        appended = [early.produce("t", b'{"payload":"early"}')]
        gate.release()
        answer = late.read_answer()
        if first == "an append":
            appended.append(answer)
        else:
            assert answer.status in (200, 201), answer
        appended += [connection.produce("t", b'{"payload":"after"}') for connection in (late, early)]
    assert [each.status for each in appended] == [200] * len(appended), appended
    offsets = [each.json()["offset"] for each in appended]
    assert sorted(offsets) == list(range(1, len(offsets) + 1))
    assert "closed_until" not in check_item(store, "t")
    check_objects(store, "t")
    view = read_everything(quick, "t")
    assert sorted(view.seen) == sorted(offsets)


def test_a_filler_at_a_claim_of_a_process_that_knows_nothing_does_not_close_the_topic(
    make_front: MakeFront, store: AWSStore, proxy: FaultProxy
) -> None:
    seed(store, "t", [3])
    item = store.item("t")
    assert item
    # The claim before is so old that the item might come from a backup: the process looks before it claims.
    hour_ago = int(time.time() * 1000) - 3_600_000
    store.put_item(item | {"claimed_at": hour_ago, "created_at": hour_ago})
    writer, reader = make_front(store), make_front(past_the_proxy(store))
    with writer.connect(60) as appends, reader.connect() as reads:
        gate = proxy.hold("s3.PutObject")
        appends.send_request("POST", "/topics/t/produce", b'{"payload":"late"}', {"Content-Type": JSON})
        gate.wait_until_held()
        wait_until(
            lambda: messages_of_page(reads.consume("t", offset=4, wait=1).body)[1] == 5, "the reader has passed",
            timeout=HOLE_SECONDS + 10)
        gate.release()
        answer = appends.read_answer()
        assert (answer.status, answer.json().get("offset")) == (200, 5), answer
    assert "closed_until" not in check_item(store, "t")
    assert [(each.first, each.last) for each in check_objects(store, "t") if each.is_filler] == [(4, 4)]
    assert read_everything(reader, "t").seen[5].payload == b'"late"'


# Items of the prototype, which have a counter and nothing else


@pytest.mark.parametrize("make_front, count", [
    ("server", 1), ("server", 10), ("lambda", 10)], indirect=["make_front"])
def test_an_item_of_the_prototype_that_was_set_back_is_not_appended_over(
    make_front: MakeFront, store: AWSStore, count: int
) -> None:
    for offset in range(1, 10):
        store.put_object("t", offset, b'{"offset":%d,"payload":"before","timestamp":1702000000000}' % offset)
    before = store.objects("t")
    store.put_item({"pk": "t", "current_offset": 5})
    front = make_front(store, STREAMS_RECOVERY_WAIT=str(RECOVERY_SECONDS))
    # Ten from 6 on would have a key that is free, and lie over four messages.
    answer, _ = append_until_open(front, "t", count)
    first = answer.json()["offset"]
    assert first >= 10
    objects = check_objects(store, "t")
    assert [each for each in objects if each in before] == before, "an object was overwritten"
    assert "closed_until" not in check_item(store, "t")
    view = read_everything(front, "t")
    assert {offset: each.payload for offset, each in view.seen.items()} == {
        **{offset: b'"before"' for offset in range(1, 10)},
        **{offset: b'"after"' for offset in range(first, first + count)}}


def test_a_topic_of_ours_whose_item_has_no_kind_begins_with_its_first_batch(
    make_front: MakeFront, store: AWSStore
) -> None:
    # A batch of a topic begins below its key, which a message of the prototype does not.
    messages = seed(store, "t", [3, 2])
    store.put_item({"pk": "t", "current_offset": 5})
    with make_front(store).connect() as connection:
        page, next_offset, end_offset = messages_of_page(connection.consume("t", offset=1).body)
        assert (page, next_offset, end_offset) == (messages, 6, 6)
        assert connection.get("/topics/t").json()["earliest_offset"] == 1
        assert connection.produce("t", b'{"payload":"new"}').json()["offset"] == 6
