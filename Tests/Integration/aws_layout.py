"""What the layout on AWS promises about objects and items, stated anew, to be held against what is there.

Source: docs/protocol.md, "What is stored". Nothing of the server's own code is used.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_store import AWSStore, StoredObject, object_key
from messages import Message, messages_of_lines

MILLISECONDS_A_DAY = 86_400_000


def check_object(stored: StoredObject) -> list[Message]:
    """Holds one object of ours against the layout; returns its messages."""
    metadata = stored.metadata
    assert re.fullmatch(r"topics/[A-Za-z0-9._-]+/\d{20}\.json", stored.key), stored.key
    allowed = {"format", "first", "count", "append-id", "timestamp", "previous-claim", "kind", "parts"}
    assert {"format", "first", "count", "append-id", "timestamp"} <= set(metadata) <= allowed, metadata
    assert metadata["format"] == "1"
    assert re.fullmatch(r"[0-9a-f]{32}", metadata["append-id"]), metadata
    assert int(metadata["count"]) == stored.last - stored.first + 1 > 0, (stored.key, metadata)
    if "previous-claim" in metadata:
        assert 1 <= int(metadata["previous-claim"]) < stored.first, (stored.key, metadata)
    if stored.is_filler:
        assert stored.body == b"", stored
        return []
    messages = messages_of_lines(stored.body)
    if metadata.get("kind") == "merged":
        check_merged(stored, messages)
        return messages
    assert set(metadata) & {"kind", "parts"} == set()
    assert [each.offset for each in messages] == list(range(stored.first, stored.last + 1)), stored.key
    assert {str(each.timestamp) for each in messages} == {metadata["timestamp"]}, stored.key
    return messages


def check_merged(stored: StoredObject, messages: list[Message]) -> None:
    """Holds the parts of a merged object against its lines."""
    assert "previous-claim" not in stored.metadata
    packed = base64.b64decode(stored.metadata["parts"], validate=True)
    expected: list[int] = []
    offset, place = stored.first, 0
    while place < len(packed):
        number, shift = 0, 0
        while True:
            byte = packed[place]
            place += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        count, is_filler = number >> 1, number & 1
        if not is_filler:
            expected += range(offset, offset + count)
            place += 8
        offset += count
    assert offset == stored.last + 1, stored.key
    assert [each.offset for each in messages] == expected, stored.key
    assert max(each.timestamp for each in messages) <= int(stored.metadata["timestamp"]), stored.key


def check_objects(store: AWSStore, topic: str) -> list[StoredObject]:
    """Holds all objects of a topic against the layout: none overlaps another. Returns them."""
    objects = store.objects(topic)
    reached = 0
    for stored in objects:
        assert stored.first > reached, f"{stored.key} begins at {stored.first}, and one below ends at {reached}"
        reached = stored.last
        if stored.metadata:
            check_object(stored)
    return objects


def check_item(store: AWSStore, topic: str) -> dict[str, Any]:
    """Holds a topic's item against the layout; returns it."""
    item = store.item(topic)
    assert item is not None, f"there is no item of {topic}"
    marks = {name: value for name, value in item.items() if re.fullmatch(r"m\d+", name)}
    fields = set(item) - set(marks)
    assert {"pk", "current_offset", "created_at", "kind"} <= fields, item
    assert fields <= {
        "pk", "current_offset", "claim_offset", "claimed_at", "claim_id", "created_at", "kind", "trimmed_before",
        "closed_until", "settled_below", "compacted_below", "trimmed_at", "trim_seen_before", "trim_seen_at"}, item
    assert (item["pk"], item["kind"]) == (topic, "topic")
    numbers = fields - {"pk", "kind", "claim_id"}
    assert all(item[name] == int(item[name]) for name in numbers), item
    # One write unit is 1 KB.
    assert len(json.dumps(item, default=str)) < 1024, item
    today = int(time.time() * 1000) // MILLISECONDS_A_DAY
    assert all(int(name[1:]) <= today and 0 <= value <= item["current_offset"] for name, value in marks.items()), item
    return item


def seed(store: AWSStore, topic: str, counts: list[int], age_seconds: int = 0) -> list[Message]:
    """Writes a topic as a server would have so long ago, one object for each count; returns its messages."""
    now = int((time.time() - age_seconds) * 1000)
    messages: list[Message] = []
    puts: list[dict[str, Any]] = []
    offset, previous = 1, 0
    for count in counts:
        batch = [Message(offset + index, b'{"n":%d}' % (offset + index), now) for index in range(count)]
        body = b"".join(
            b'{"offset":%d,"payload":%s,"timestamp":%d}\n' % (each.offset, each.payload, now) for each in batch)
        last = offset + count - 1
        metadata = {
            "format": "1", "first": str(offset), "count": str(count), "append-id": secrets.token_hex(16),
            "timestamp": str(now)} | ({"previous-claim": str(previous)} if previous else {})
        puts.append({"Key": object_key(topic, last), "Body": body, "Metadata": metadata})
        messages += batch
        offset, previous = last + 1, offset
    s3 = store.s3
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda put: s3.put_object(
            Bucket=store.bucket, ContentType="application/x-ndjson", **put), puts))
    store.put_item({
        "pk": topic, "kind": "topic", "current_offset": offset - 1, "claim_offset": previous, "claimed_at": now,
        "claim_id": secrets.token_hex(16), "created_at": now, f"m{now // MILLISECONDS_A_DAY}": 0,
        f"m{now // MILLISECONDS_A_DAY - 1}": 0})
    return messages
