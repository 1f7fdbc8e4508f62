"""Payload bytes come back as they were sent, and what is not JSON is refused without a trace."""

from __future__ import annotations

import random

import pytest

from http_client import JSON, NDJSON, EventStream
from messages import Message, message, messages_of_lines, messages_of_page, problem, read_all
from server import Server

NESTING_LIMIT = 128
MESSAGE_LIMIT = 1024 * 1024

PAYLOADS: dict[str, bytes] = {
    "null": b"null",
    "true": b"true",
    "false": b"false",
    "zero": b"0",
    "minus zero": b"-0",
    "minus zero point zero": b"-0.0",
    "large exponent": b"1e400",
    "small exponent": b"-1E-400",
    "signed exponent": b"1.50e+007",
    "forty digits": b"1234567890123456789012345678901234567890",
    "forty decimals": b"0.1234567890123456789012345678901234567890",
    "five thousand digits": b"9" * 5000,
    "above 2^53": b"9007199254740993",
    "trailing zeros": b"[1.0,1.00,1.000]",
    "duplicate members": b'{"a":1,"a":2,"a":{"a":3,"a":4}}',
    "members like ours": b'{"payload":1,"offset":2,"timestamp":3,"key":"k","headers":{},"messages":[]}',
    "line that looks like ours": rb'"},\"payload\":1,\"timestamp\":2}\n{\"offset\":9"',
    "empty string": b'""',
    "empty object": b"{}",
    "empty array": b"[]",
    "empty key": b'{"":0,"":{"":[]}}',
    "all escapes": rb'"\"\\\/\b\f\n\r\t\u0000\u001f\u0041\u00e9\u20ac"',
    "escapes in keys": rb'{"\u0061":1,"a":2,"\n":3}',
    "hexadecimal digits of both cases": rb'"\u00aB\u00Ab\uABCD"',
    "surrogate pair escapes": rb'"\ud83d\ude00"',
    "lone high surrogate": rb'"\ud800"',
    "lone low surrogate": rb'"\udc00x"',
    "surrogates the wrong way round": rb'"\udc00\ud800"',
    "lone surrogate in a key": rb'{"\udfff":1}',
    "line separator raw": '"\u2028\u2029"'.encode(),
    "line separator escaped": rb'"\u2028\u2029"',
    "raw delete and C1": '"\x7f\x80\x9f"'.encode(),
    "next line and other blanks": '"\x85\u00a0\ufeff\u3000"'.encode(),
    "noncharacters": '"\ufffe\uffff\U0010ffff"'.encode(),
    "astral": '"😀𝄞𐍈"'.encode(),
    "combining": '"e\u0301 é Å A\u030a"'.encode(),
    "right to left": '"שלום مرحبا"'.encode(),
    "blanks inside": b'{ "a" :\t1 , "b":[ 1 ,2 ] }',
    "slash": b'"</script><!--"',
    "data of an event": rb'"data: x\n\nid: 7\n\n: comment"',
    "deepest arrays": b"[" * NESTING_LIMIT + b"]" * NESTING_LIMIT,
    "deepest objects": b'{"a":' * (NESTING_LIMIT - 1) + b"{}" + b"}" * (NESTING_LIMIT - 1),
    "wide": b"[" + b",".join(b"%d" % number for number in range(5000)) + b"]",
}


def every_reading(server: Server, topic: str, count: int) -> dict[str, list[Message]]:
    """The messages of a topic, read in each of the ways there are."""
    with server.connect() as connection:
        pages, start = [], 1
        while start <= count:
            found, start, _ = messages_of_page(connection.consume(topic, offset=start, limit=7).body)
            pages += found
        readings = {
            "page": messages_of_page(connection.consume(topic, limit=10_000).body)[0],
            "pages": pages,
            "lines": messages_of_lines(connection.consume(topic, NDJSON, limit=10_000).body),
        }
    with EventStream(server.port, topic) as stream:
        events = stream.take(count)
    assert [event.id for event in events] == list(range(1, count + 1))
    readings["events"] = [message(event.data) for event in events]
    return readings


def check_payloads(server: Server, topic: str, payloads: list[bytes]) -> None:
    for way, found in every_reading(server, topic, len(payloads)).items():
        assert [each.offset for each in found] == list(range(1, len(payloads) + 1)), way
        for sent, received in zip(payloads, found, strict=True):
            assert received.payload == sent, way


def test_payload_sent_alone_comes_back_byte_for_byte(shared_server: Server, topic: str) -> None:
    with shared_server.connect() as connection:
        # Within an envelope the payload is one level deeper.
        payloads = [payload for name, payload in PAYLOADS.items() if "deepest" not in name]
        payloads.append(b"[" * (NESTING_LIMIT - 1) + b"]" * (NESTING_LIMIT - 1))
        accepted = []
        for payload in payloads:
            answer = connection.produce(topic, b'{"payload":' + payload + b"}")
            assert answer.status == 200, (payload, answer)
            accepted.append(payload)
    check_payloads(shared_server, topic, accepted)


def test_payloads_of_a_batch_come_back_byte_for_byte(shared_server: Server, topic: str) -> None:
    payloads = [payload for name, payload in PAYLOADS.items() if "deepest" not in name]
    body = b'{"messages":[' + b",".join(b'{"payload":' + payload + b"}" for payload in payloads) + b"]}"
    with shared_server.connect() as connection:
        answer = connection.produce(topic, body)
        assert answer.json() == {"topic": topic, "offset": 1, "last_offset": len(payloads), "count": len(payloads)}
    check_payloads(shared_server, topic, payloads)


def test_payloads_as_lines_come_back_byte_for_byte(shared_server: Server, topic: str) -> None:
    payloads = list(PAYLOADS.values())
    with shared_server.connect() as connection:
        answer = connection.produce(topic, b"\n".join(payloads), NDJSON)
        assert answer.json()["count"] == len(payloads)
    check_payloads(shared_server, topic, payloads)


def test_only_line_breaks_and_indentation_go(shared_server: Server, topic: str) -> None:
    pretty = b'{\n  "payload": {\r\n\t"a" : [1,\n 2],\n\n  "s": "a  b\\n"\n  }\n}'
    with shared_server.connect() as connection:
        assert connection.produce(topic, pretty).status == 200
        # Blanks around a value belong to nobody; blanks within a line stay.
        assert connection.produce(topic, b' {"payload" :  [ 1, 2 ]  } ').status == 200
        assert connection.produce(topic, b"\n  [ 3 ]\t\r\n\r\n", NDJSON).status == 200
        found = read_all(connection, topic)
    assert [each.payload for each in found] == [b'{"a" : [1,2],"s": "a  b\\n"}', b"[ 1, 2 ]", b"[ 3 ]"]


def test_key_and_headers_come_back_byte_for_byte(shared_server: Server, topic: str) -> None:
    key = r'"k\u00e9y é \ud800 \/"'.encode()
    headers = r'{"trace":"a\tb","":"","é":"\u00e9","trace":"again"}'.encode()
    bodies = [
        b'{"payload":1,"key":' + key + b',"headers":' + headers + b"}",
        b'{"headers":' + headers + b',"payload":1,"key":' + key + b"}",
        b'{"messages":[{"payload":1,"key":' + key + b',"headers":' + headers + b"}]}",
        rb'{"\u0070ayload":1,"k\u0065y":' + key + b',"headers":' + headers + b"}",
    ]
    with shared_server.connect() as connection:
        for body in bodies:
            assert connection.produce(topic, body).status == 200, body
    for way, found in every_reading(shared_server, topic, len(bodies)).items():
        assert [(each.key, each.headers) for each in found] == [(key, headers)] * len(bodies), way


def test_the_largest_message_is_taken_and_one_byte_more_is_not(shared_server: Server, topic: str) -> None:
    largest = b'"' + b"x" * (MESSAGE_LIMIT - 2) + b'"'
    larger = b'"' + b"x" * (MESSAGE_LIMIT - 1) + b'"'
    with shared_server.connect() as connection:
        assert connection.produce(topic, b'{"payload":' + largest + b"}").status == 200
        assert connection.produce(topic, largest, NDJSON).status == 200
        for body, media_type in ((b'{"payload":' + larger + b"}", JSON), (larger, NDJSON), (b"1\n" + larger, NDJSON)):
            refusal = problem(connection.produce(topic, body, media_type), 413, "too_large")
            assert refusal["limit"] == "message"
    check_payloads(shared_server, topic, [largest, largest])


@pytest.mark.parametrize("opening, closing", [(b"[", b"]"), (b'{"a":', b"}")], ids=["arrays", "objects"])
def test_one_level_too_many_is_refused(shared_server: Server, topic: str, opening: bytes, closing: bytes) -> None:
    def nested(levels: int) -> bytes:
        return opening * (levels - 1) + b"{}" + closing * (levels - 1)

    with shared_server.connect() as connection:
        assert connection.produce(topic, nested(NESTING_LIMIT), NDJSON).status == 200
        for levels in (NESTING_LIMIT + 1, 10_000, 500_000):
            refusal = problem(connection.produce(topic, nested(levels), NDJSON), 413, "too_large")
            assert refusal["limit"] == "json_nesting"
        # Deep, and never closed.
        problem(connection.produce(topic, opening * 300_000, NDJSON), 413, "too_large")
    assert shared_server.end_offset(topic) == 2


# What is not JSON, and the position of the first byte that can not stand where it does.
NOT_JSON: dict[str, tuple[bytes, int]] = {
    "nothing but a blank": (b'{"payload": }', 12),
    "trailing garbage": (b'{"payload":1}x', 13),
    "two values": (b'{"payload":1}{"payload":2}', 13),
    "trailing comma": (b'{"payload":1,}', 13),
    "trailing comma in an array": (b'{"payload":[1,]}', 14),
    "missing comma": (b'{"payload":[1 2]}', 14),
    "missing colon": (b'{"payload" 1}', 11),
    "key without quotes": (b'{payload:1}', 1),
    "single quotes": (b"{'payload':1}", 1),
    "unterminated object": (b'{"payload":1', 12),
    "unterminated nested object": (b'{"payload":{"a":1}', 18),
    "unterminated array": (b'{"payload":[1', 13),
    "unterminated string": (b'{"payload":"abc', 15),
    "unterminated escape": (b'{"payload":"\\', 13),
    "unterminated unicode escape": (b'{"payload":"\\u12', 16),
    "unterminated literal": (b'{"payload":tru', 14),
    "unterminated number": (b'{"payload":-', 12),
    "unterminated exponent": (b'{"payload":1e', 13),
    "wrong literal": (b'{"payload":nul1}', 14),
    "capital literal": (b'{"payload":True}', 11),
    "not a number": (b'{"payload":NaN}', 11),
    "infinity": (b'{"payload":-Infinity}', 12),
    "leading zero": (b'{"payload":01}', 12),
    "leading plus": (b'{"payload":+1}', 11),
    "no digit before the point": (b'{"payload":.5}', 11),
    "no digit after the point": (b'{"payload":1.}', 13),
    "hexadecimal": (b'{"payload":0x1}', 12),
    "unknown escape": (b'{"payload":"\\x41"}', 13),
    "bad unicode escape": (b'{"payload":"\\u12G4"}', 16),
    "raw line feed in a string": (b'{"payload":"a\nb"}', 13),
    "raw tab in a string": (b'{"payload":"\t"}', 12),
    "raw nul in a string": (b'{"payload":"\x00"}', 12),
    "nul after the value": (b'{"payload":1}\x00', 13),
    "comment": (b'{"payload":1/**/}', 12),
    "form feed as a blank": (b'{\x0c"payload":1}', 1),
    "no-break space as a blank": ('{\u00a0"payload":1}'.encode(), 1),
    "byte order mark": (b'\xef\xbb\xbf{"payload":1}', 0),
    "UTF-16": ('{"payload":1}'.encode("utf-16-le"), 1),
    "stray continuation byte": (b'{"payload":"\x80"}', 12),
    "overlong slash": (b'{"payload":"\xc0\xaf"}', 12),
    "overlong in three bytes": (b'{"payload":"\xe0\x80\xaf"}', 13),
    "overlong in four bytes": (b'{"payload":"\xf0\x80\x80\xaf"}', 13),
    "encoded surrogate": (b'{"payload":"\xed\xa0\x80"}', 13),
    "above U+10FFFF": (b'{"payload":"\xf4\x90\x80\x80"}', 13),
    "five byte form": (b'{"payload":"\xf8\x88\x80\x80\x80"}', 12),
    "byte FE": (b'{"payload":"\xfe"}', 12),
    "byte FF": (b'{"payload":"\xff"}', 12),
    "cut off after the lead byte": (b'{"payload":"\xe2"}', 13),
    "cut off before the last byte": (b'{"payload":"\xe2\x82"}', 14),
    "cut off at the end": (b'{"payload":"\xf0\x9f\x98', 15),
    "Latin-1": ('{"payload":"é"}'.encode("latin-1"), 13),
    "invalid UTF-8 in a key": (b'{"payload":1,"key":"\xff"}', 20),
    "invalid UTF-8 in a member name": (b'{"p\xff":1}', 3),
    "second message of a batch": (b'{"messages":[{"payload":1},{"payload":}]}', 38),
    "wrong shape and not JSON": (b'{"unknown":1,"payload":]', 23),
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_not_json_is_refused_with_the_position(shared_server: Server, topic: str, name: str) -> None:
    body, position = NOT_JSON[name]
    with shared_server.connect() as connection:
        refusal = problem(connection.produce(topic, body), 400, "invalid_json")
        assert refusal["position"] == position
        assert shared_server.end_offset(topic) == 1
        assert read_all(connection, topic) == []


@pytest.mark.parametrize("bad", [b"{", b'"', b"[1", b"1 2", b"nul", b'"\xff"', b'{"a":1}}', b"\xef\xbb\xbf1", b"-"])
def test_a_bad_line_refuses_all_of_its_lines(shared_server: Server, topic: str, bad: bytes) -> None:
    before = b'{"fine":1}\n\n2\n'
    with shared_server.connect() as connection:
        for after in (b"", b"\n", b"\n3\n"):
            refusal = problem(connection.produce(topic, before + bad + after, NDJSON), 400, "invalid_json")
            assert len(before) <= refusal["position"] <= len(before) + len(bad)
    assert shared_server.end_offset(topic) == 1


def test_a_refused_request_writes_nothing_after_one_that_was_taken(shared_server: Server, topic: str) -> None:
    refused: list[tuple[bytes, str, int, str]] = [
        (b"", JSON, 400, "body_required"),
        (b"", NDJSON, 400, "body_required"),
        (b"\n \n", NDJSON, 400, "invalid_parameter"),
        (b"[]", JSON, 400, "invalid_parameter"),
        (b"{}", JSON, 400, "invalid_parameter"),
        (b'{"payload":1,"payload":2}', JSON, 400, "invalid_parameter"),
        (rb'{"payload":1,"\u0070ayload":2}', JSON, 400, "invalid_parameter"),
        (b'{"payload":1,"paylod":2}', JSON, 400, "invalid_parameter"),
        (b'{"messages":[]}', JSON, 400, "invalid_parameter"),
        (b'{"messages":[{"payload":1},{}]}', JSON, 400, "invalid_parameter"),
        (b'{"messages":[{"payload":1}],"payload":1}', JSON, 400, "invalid_parameter"),
        (b'{"payload":1,"key":1}', JSON, 400, "invalid_parameter"),
        (b'{"payload":1,"headers":{"a":1}}', JSON, 400, "invalid_parameter"),
        (b'{"payload":1,"key":"' + b"k" * 1025 + b'"}', JSON, 413, "too_large"),
        (b'{"payload":1,"headers":{"a":"' + b"h" * 16384 + b'"}}', JSON, 413, "too_large"),
        (b"1\n" * 10_001, NDJSON, 413, "too_large"),
        (b'{"payload":1}', "text/plain", 415, "unsupported_media_type"),
        (b'{"payload":1}', "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
    ]
    with shared_server.connect() as connection:
        assert connection.produce(topic, b'{"payload":"first"}').json()["offset"] == 1
        for body, media_type, status, code in refused:
            problem(connection.produce(topic, body, media_type), status, code)
            assert shared_server.end_offset(topic) == 2, body[:60]
        assert connection.produce(topic, b'{"payload":"second"}').json()["offset"] == 2
        assert [each.payload for each in read_all(connection, topic)] == [b'"first"', b'"second"']


def test_every_truncation_of_a_document_is_refused(shared_server: Server, topic: str) -> None:
    document = r'{"payload":{"a":[1.5e+3,-0,true,null,"é\u00e9\n😀"],"b":{}},"key":"k","headers":{"h":"v"}}'.encode()
    with shared_server.connect() as connection:
        for length in range(1, len(document)):
            refusal = problem(connection.produce(topic, document[:length]), 400, "invalid_json")
            assert refusal["position"] <= length
        assert connection.produce(topic, document).json()["offset"] == 1


def test_random_documents_come_back_byte_for_byte(
    shared_server: Server, topic: str, dice: random.Random
) -> None:
    payloads = [random_value(dice, depth=0) for _ in range(2000)]
    with shared_server.connect() as connection:
        for start in range(0, len(payloads), 250):
            answer = connection.produce(topic, b"\n".join(payloads[start:start + 250]), NDJSON)
            assert answer.status == 200, answer
    check_payloads(shared_server, topic, payloads)


def random_value(dice: random.Random, depth: int) -> bytes:
    """A random JSON value in a random spelling."""
    kind = dice.randrange(4 if depth > 5 else 6)
    blank = dice.choice([b"", b"", b" ", b"\t "])
    if kind == 0:
        return dice.choice([b"null", b"true", b"false", b"0", b"-0"])
    if kind == 1:
        digits = b"".join(b"%d" % dice.randrange(10) for _ in range(dice.randrange(1, 40)))
        fraction = b".%s" % digits if dice.random() < 0.5 else b""
        exponent = b"%s%d" % (dice.choice([b"e", b"E+", b"e-"]), dice.randrange(500)) if dice.random() < 0.3 else b""
        return dice.choice([b"-", b""]) + b"%d" % dice.randrange(10) + fraction + exponent
    if kind in (2, 3):
        return random_string(dice)
    items = [random_value(dice, depth + 1) for _ in range(dice.randrange(5))]
    if kind == 4:
        return b"[" + blank + (blank + b"," + blank).join(items) + b"]"
    named = [random_string(dice) + blank + b":" + blank + item for item in items]
    return b"{" + blank + (b"," + blank).join(named) + b"}"


def random_string(dice: random.Random) -> bytes:
    """A random JSON string of raw characters and escapes."""
    parts: list[bytes] = []
    for _ in range(dice.randrange(12)):
        kind = dice.randrange(4)
        if kind == 0:
            parts.append(b"\\" + dice.choice([b'"', b"\\", b"/", b"b", b"f", b"n", b"r", b"t"]))
        elif kind == 1:
            parts.append(b"\\u%04x" % dice.randrange(0x10000))
        else:
            character = chr(dice.choice([
                dice.randrange(0x20, 0x7F), dice.randrange(0xA0, 0xD800), dice.randrange(0x10000, 0x110000)]))
            if character not in '"\\':
                parts.append(character.encode())
    return b'"' + b"".join(parts) + b'"'
