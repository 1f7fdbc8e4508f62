"""Topics on S3 and DynamoDB: what is answered, what is stored, and what it costs in requests."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Callable

import pytest

from aws_layout import check_item, check_object, check_objects, seed
from aws_store import AWSStore, StoredObject, object_key
from fault_proxy import FaultProxy
from fronts import Front, aws_requests
from http_client import NDJSON
from messages import messages_of_page, problem, read_all
from server import Server
from traffic import read_everything

MakeFront = Callable[..., Front]


@pytest.fixture
def front(make_front: MakeFront, store: AWSStore) -> Front:
    """A front on an empty store."""
    return make_front(store)


@pytest.fixture
def process(make_front: MakeFront, store: AWSStore) -> Front:
    """A front of one process on an empty store, which counts all requests itself."""
    return make_front(store, processes=1)


def test_what_is_produced_is_read_back_by_any_front(front: Front, make_front: MakeFront, store: AWSStore) -> None:
    with front.connect() as connection:
        assert connection.produce("t", b'{"payload":{"total":9.90},"key":"c7"}').json() == {"topic": "t", "offset": 1}
        answer = connection.produce("t", b'1e400\n{"a":1,"a":2}\n"\\u00e9"\n', NDJSON)
        assert answer.json() == {"topic": "t", "offset": 2, "last_offset": 4, "count": 3}
        mine = read_all(connection, "t")
    assert [each.payload for each in mine] == [b'{"total":9.90}', b"1e400", b'{"a":1,"a":2}', b'"\\u00e9"']
    assert mine[0].key == b'"c7"'
    with make_front(store).connect() as connection:
        assert read_all(connection, "t") == mine
        assert read_all(connection, "t", start=3) == mine[2:]


def test_topics_are_created_listed_and_described(front: Front, make_front: MakeFront, store: AWSStore) -> None:
    with front.connect() as connection, make_front(store).connect() as other:
        assert connection.request("PUT", "/topics/b").status == 201
        assert other.request("PUT", "/topics/b").status == 200
        assert other.produce("a", b'{"payload":1}').json()["offset"] == 1
        for each in (connection, other):
            assert each.get("/topics").json() == {"topics": [{"topic": "a"}, {"topic": "b"}], "next_cursor": None}
            page = each.get("/topics?limit=1").json()
            assert page["topics"] == [{"topic": "a"}]
            assert each.get(f"/topics?limit=1&cursor={page['next_cursor']}").json()["topics"] == [{"topic": "b"}]
            about = each.get("/topics/a").json()
            assert (about["earliest_offset"], about["end_offset"]) == (1, 2)
            problem(each.get("/topics/none"), 404, "topic_not_found")
            problem(each.consume("a", offset=3), 416, "offset_beyond_end")
            assert messages_of_page(each.consume("none").body) == ([], 1, 1)
        assert connection.get("/health").json()["store"] == "aws"
    assert store.topics_in_index() == ["a", "b"]


def test_a_long_poll_is_woken_by_an_append_through_another_front(
    front: Front, make_front: MakeFront, store: AWSStore
) -> None:
    with front.connect() as reader, make_front(store).connect() as writer:
        reader.send_request("GET", "/topics/t/consume?wait=15")
        assert writer.produce("t", b'{"payload":"came"}').status == 200
        started = time.monotonic()
        page, next_offset, _ = messages_of_page(reader.read_answer().body)
        assert ([each.payload for each in page], next_offset) == ([b'"came"'], 2)
        assert time.monotonic() - started < 5


# What is stored


def test_boto3_reads_back_what_was_written_byte_for_byte(front: Front, store: AWSStore) -> None:
    before = int(time.time() * 1000)
    with front.connect() as connection:
        connection.produce("t", b'{"payload": {"total": 9.90, "total": 1}}')
        connection.produce(
            "t", b'{"messages":[{"payload":null,"key":"k\\u00e9","headers":{"trace":"ab"}},{"payload":[1e400]}]}')
        connection.produce("t", "\"über\"\n-0.0\n".encode(), NDJSON)
        messages = read_all(connection, "t")
    after = int(time.time() * 1000)
    first, second, third = (store.object(object_key("t", last)) for last in (1, 3, 5))
    assert store.keys("t") == [first.key, second.key, third.key]
    assert first.key == "topics/t/00000000000000000001.json"

    times = [int(each.metadata["timestamp"]) for each in (first, second, third)]
    assert before <= times[0] <= times[1] <= times[2] <= after
    assert [each.timestamp for each in messages] == [times[0], times[1], times[1], times[2], times[2]]
    assert first.body == b'{"offset":1,"payload":{"total": 9.90, "total": 1},"timestamp":%d}\n' % times[0]
    assert second.body == (
        b'{"offset":2,"payload":null,"timestamp":%d,"key":"k\\u00e9","headers":{"trace":"ab"}}\n'
        b'{"offset":3,"payload":[1e400],"timestamp":%d}\n' % (times[1], times[1]))
    assert third.body == (
        b'{"offset":4,"payload":"\xc3\xbcber","timestamp":%d}\n{"offset":5,"payload":-0.0,"timestamp":%d}\n'
        % (times[2], times[2]))

    ids = set()
    for stored, range_, previous in [(first, ("1", "1"), None), (second, ("2", "2"), "1"), (third, ("4", "2"), "2")]:
        check_object(stored)
        assert (stored.metadata["first"], stored.metadata["count"]) == range_
        assert stored.metadata.get("previous-claim") == previous
        assert stored.media_type == "application/x-ndjson"
        ids.add(stored.metadata["append-id"])
    assert len(ids) == 3


def test_the_item_has_the_counter_the_newest_claim_and_a_mark_of_the_day(front: Front, store: AWSStore) -> None:
    before = int(time.time() * 1000)
    with front.connect() as connection:
        connection.produce("t", b'{"payload":1}')
        first = check_item(store, "t")
        connection.produce("t", b"2\n3\n4\n", NDJSON)
    after = int(time.time() * 1000)
    item = check_item(store, "t")
    assert (item["current_offset"], item["claim_offset"]) == (4, 2)
    assert before <= item["created_at"] <= item["claimed_at"] <= after
    assert item["claim_id"] != first["claim_id"]
    # Claims in the first 16 minutes of a day count for the day before.
    days = {(moment - 16 * 60_000) // 86_400_000 for moment in (before, after)}
    marks = {int(name[1:]): value for name, value in item.items() if re.fullmatch(r"m\d+", name)}
    assert set(marks) <= days and set(marks.values()) == {0}


def test_an_empty_topic_has_an_item_and_no_object(front: Front, store: AWSStore) -> None:
    with front.connect() as connection:
        assert connection.request("PUT", "/topics/t").status == 201
    assert check_item(store, "t")["current_offset"] == 0
    assert store.keys("t") == []


# The prototype's buckets: one object a message, no metadata; items with a counter and nothing else


def put_prototype_topic(store: AWSStore, topic: str, offsets: range) -> dict[int, object]:
    """A topic as the prototype left it; returns its payloads."""
    payloads: dict[int, object] = {}
    for offset in offsets:
        payloads[offset] = {"id": offset, "note": "line\nbreak", "nested": [1, {"deep": offset}]}
        message = {"offset": offset, "payload": payloads[offset], "timestamp": 1702000000000 + offset}
        # Compact without a line feed, and as people print it.
        body = json.dumps(message, separators=(",", ":")) if offset % 2 else json.dumps(message, indent=2)
        store.put_object(topic, offset, body.encode())
    store.put_item({"pk": topic, "current_offset": offsets[-1]})
    return payloads


def test_a_prototypes_topic_is_read_and_appended_to(make_front: MakeFront, store: AWSStore) -> None:
    payloads = put_prototype_topic(store, "old", range(1, 8))
    stored = store.objects("old")
    with make_front(store).connect() as connection:
        messages = read_all(connection, "old")
        assert {each.offset: each.value for each in messages} == payloads
        assert [each.timestamp for each in messages] == [1702000000000 + offset for offset in range(1, 8)]
        assert connection.produce("old", b'"new"\n"newer"\n', NDJSON).json()["offset"] == 8
        payloads |= {8: "new", 9: "newer"}
        assert {each.offset: each.value for each in read_all(connection, "old")} == payloads
        assert connection.get("/topics/old").json()["earliest_offset"] == 1
    with make_front(store).connect() as connection:
        assert {each.offset: each.value for each in read_all(connection, "old")} == payloads
        assert {each.offset: each.value for each in read_all(connection, "old", start=5)} == {
            offset: payload for offset, payload in payloads.items() if offset >= 5}
        assert connection.get("/topics").json()["topics"] == [{"topic": "old"}]
    # What stood there stands there as it was.
    objects = store.objects("old")
    assert objects[:7] == stored
    assert [each.payload for each in check_object(objects[7])] == [b'"new"', b'"newer"']
    item = store.item("old")
    assert item is not None and (item["current_offset"], item["kind"]) == (9, "topic")


def test_a_prototypes_topic_is_appended_to_before_it_is_read(make_front: MakeFront, store: AWSStore) -> None:
    payloads = put_prototype_topic(store, "old", range(1, 4))
    front = make_front(store)
    with front.connect() as connection:
        assert connection.produce("old", b'{"payload":"new"}').json()["offset"] == 4
    view = read_everything(front, "old")
    assert {offset: each.value for offset, each in view.seen.items()} == payloads | {4: "new"}


def test_a_prototypes_topic_whose_lowest_messages_have_expired_begins_at_the_first_that_stands(
    make_front: MakeFront, store: AWSStore
) -> None:
    payloads = put_prototype_topic(store, "old", range(4, 8))
    for _ in range(2):
        with make_front(store).connect() as connection:
            assert problem(connection.consume("old", offset=1), 410, "offset_trimmed")["earliest_offset"] == 4
            page, next_offset, end_offset = messages_of_page(connection.consume("old", offset="earliest").body)
            assert ({each.offset: each.value for each in page}, next_offset, end_offset) == (payloads, 8, 8)
            page, _, _ = messages_of_page(connection.consume("old", offset=1, on_trimmed="earliest").body)
            assert [each.offset for each in page] == [4, 5, 6, 7]
    with make_front(store).connect() as connection:
        assert connection.produce("old", b'{"payload":"new"}').json()["offset"] == 8
        assert [each.offset for each in read_all(connection, "old", start=4)] == [4, 5, 6, 7, 8]
    assert all(not each.is_filler for each in store.objects("old"))


def test_what_expired_below_the_marks_is_trimmed_and_no_hole(make_front: MakeFront, store: AWSStore) -> None:
    seed(store, "t", [5, 5, 5])
    item = store.item("t")
    assert item is not None
    # Yesterday's first claim was at 6; what came before that is so old that its mark is gone.
    store.put_item({name: 5 if re.fullmatch(r"m\d+", name) else value for name, value in item.items()})
    store.delete_object("t", 5)
    with make_front(store).connect() as connection:
        assert problem(connection.consume("t", offset=3), 410, "offset_trimmed")["earliest_offset"] == 6
        assert [each.offset for each in read_all(connection, "t", start=6)] == list(range(6, 16))
    assert [each.last for each in store.objects("t")] == [10, 15]


# What it costs


def counted(proxy: FaultProxy, process: Front, work: Callable[[], object]) -> Counter[str]:
    """The requests that a piece of work takes: by the proxy, and by the process's own count, which agree."""
    own = aws_requests(process)
    with proxy.counting() as counts:
        work()
    assert aws_requests(process) - own == counts
    return counts


def test_a_produce_is_one_update_and_one_put(process: Front, store: AWSStore, proxy: FaultProxy) -> None:
    with process.connect() as connection:
        connection.produce("t", b'{"payload":1}')
        for body in (b"1\n", b"1\n" * 10_000):
            for _ in range(5):
                counts = counted(proxy, process, lambda: connection.produce("t", body, NDJSON))
                assert counts == {"dynamodb.UpdateItem": 1, "s3.PutObject": 1}


def test_a_fresh_process_appends_to_a_topic_for_the_same(
    process: Front, make_front: MakeFront, store: AWSStore, proxy: FaultProxy
) -> None:
    with process.connect() as connection:
        connection.produce("t", b'{"payload":1}')
    fresh = make_front(store, processes=1)
    with fresh.connect() as connection:
        counts = counted(proxy, fresh, lambda: connection.produce("t", b'{"payload":2}'))
        assert counts == {"dynamodb.UpdateItem": 1, "s3.PutObject": 1}


def test_creating_a_topic_costs_one_list_and_one_table_write_more(process: Front, proxy: FaultProxy) -> None:
    with process.connect() as connection:
        counts = counted(proxy, process, lambda: connection.produce("t", b'{"payload":1}'))
    # The claim that finds no item, and the one that makes it.
    assert counts == {"dynamodb.UpdateItem": 2, "s3.ListObjectsV2": 1, "s3.PutObject": 1}


def test_an_idle_poll_is_one_get_item(process: Front, store: AWSStore, proxy: FaultProxy) -> None:
    seed(store, "t", [3])
    with process.connect() as connection:
        for offset in (4, "latest", 4):
            counts = counted(proxy, process, lambda: connection.consume("t", offset=offset))
            assert counts == {"dynamodb.GetItem": 1}


def test_one_batch_behind_is_one_get_item_and_one_get_object(
    process: Front, store: AWSStore, proxy: FaultProxy
) -> None:
    messages = seed(store, "t", [3, 40])
    with process.connect() as connection:
        def read() -> None:
            page, _, _ = messages_of_page(connection.consume("t", offset=4, limit=100).body)
            assert page == messages[3:]

        assert counted(proxy, process, read) == {"dynamodb.GetItem": 1, "s3.GetObject": 1}


@pytest.mark.parametrize("make_front, count", [
    ("server", 25), ("lambda", 25), ("server", 1200)], indirect=["make_front"])
def test_catching_up_is_a_list_for_each_thousand_objects_and_a_get_for_each(
    process: Front, store: AWSStore, proxy: FaultProxy, count: int
) -> None:
    messages = seed(store, "t", [2] * count)
    with process.connect() as connection:
        found = []

        def read() -> None:
            found.extend(read_all(connection, "t"))

        counts = counted(proxy, process, read)
    assert found == messages
    print(dict(counts))
    assert counts["s3.GetObject"] == count
    assert counts["s3.ListObjectsV2"] == -(-count // 1000)
    assert counts["dynamodb.GetItem"] == 1
    assert sum(counts.values()) == counts["s3.GetObject"] + counts["s3.ListObjectsV2"] + 1


def test_what_arrives_together_shares_claims_and_puts(
    make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy
) -> None:
    server = make_server(store=store).start()
    producers, each = 32, 20
    with server.connect() as connection:
        connection.produce("t", b'{"payload":0}')

    def produce(_: int) -> list[int]:
        with server.connect() as connection:
            return [connection.produce("t", b'{"payload":1}').json()["offset"] for _ in range(each)]

    proxy.delay_seconds = 0.01
    with proxy.counting() as counts, ThreadPoolExecutor(producers) as pool:
        offsets = [offset for found in pool.map(produce, range(producers)) for offset in found]
    assert sorted(offsets) == list(range(2, 2 + producers * each))
    print(f"{producers * each} produces:", dict(counts))
    assert counts["dynamodb.UpdateItem"] == counts["s3.PutObject"] < producers * each / 4
    assert len(check_objects(store, "t")) == counts["s3.PutObject"] + 1


def test_objects_that_are_not_ours_are_left_alone(front: Front, store: AWSStore) -> None:
    strangers = ["topics/t/readme.txt", "topics/t/1.json", "other/topics/t/00000000000000000009.json"]
    for key in strangers:
        store.s3.put_object(Bucket=store.bucket, Key=key, Body=b"not a message", ContentType="text/plain")
    with front.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').json()["offset"] == 1
        assert [each.payload for each in read_all(connection, "t")] == [b"1"]
    for key in strangers:
        assert store.object(key) == StoredObject(key, b"not a message", {}, "text/plain")
