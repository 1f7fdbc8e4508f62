"""The fault proxy does to requests what it says, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from aws_store import AWSStore, client, error_code, object_key
from conditions import wait_until
from emulators import Emulator
from fault_proxy import FaultProxy
from faults import Fault

BODY = b'{"offset":1,"payload":"x","timestamp":1}\n'


@pytest.fixture
def s3(store: AWSStore, proxy: FaultProxy):
    """boto3 through the proxy."""
    return client("s3", proxy.endpoint, store.credentials)


@pytest.fixture
def dynamodb(store: AWSStore, proxy: FaultProxy):
    """boto3 through the proxy."""
    return client("dynamodb", proxy.endpoint, store.credentials)


def put(s3, store: AWSStore, offset: int, **options) -> str:
    """What comes of a conditional PUT: `ok`, an error code, or `no answer`."""
    try:
        s3.put_object(
            Bucket=store.bucket, Key=object_key("t", offset), Body=BODY, **{"IfNoneMatch": "*"} | options)
    except ClientError as error:
        return error_code(error)
    except BotoCoreError:
        return "no answer"
    return "ok"


def test_signed_requests_of_all_kinds_pass_unharmed(tmp_path: Path) -> None:
    # moto checks signatures here: a proxy that changed a signed header would be seen.
    emulator = Emulator("moto", log=tmp_path / "log")
    try:
        with FaultProxy(emulator.endpoint) as proxy:
            store = AWSStore.create(emulator)
            s3, dynamodb = (client(name, proxy.endpoint, store.credentials) for name in ("s3", "dynamodb"))
            large = bytes(range(256)) * (5 * 1024 * 4)
            for key, body in [("topics/t/a b+c&d=e?f/ü", large), ("topics/t/empty", b"")]:
                s3.put_object(Bucket=store.bucket, Key=key, Body=body, Metadata={"first": "1"})
                answer = s3.get_object(Bucket=store.bucket, Key=key)
                assert (answer["Body"].read(), answer["Metadata"]) == (body, {"first": "1"})
                assert s3.head_object(Bucket=store.bucket, Key=key)["ContentLength"] == len(body)
            listed = s3.list_objects_v2(Bucket=store.bucket, Prefix="topics/")
            assert [each["Size"] for each in listed["Contents"]] == [len(large), 0]
            s3.delete_object(Bucket=store.bucket, Key="topics/t/empty")
            dynamodb.put_item(TableName=store.table, Item={"pk": {"S": "t"}})
            assert dynamodb.get_item(TableName=store.table, Key={"pk": {"S": "t"}})["Item"] == {"pk": {"S": "t"}}
            assert proxy.counts() == Counter({
                "s3.PutObject": 2, "s3.GetObject": 2, "s3.HeadObject": 2, "s3.ListObjectsV2": 1,
                "s3.DeleteObject": 1, "dynamodb.PutItem": 1, "dynamodb.GetItem": 1})
    finally:
        emulator.close()


@pytest.mark.parametrize("fault, seen, has_effect", [
    (Fault.LOST, "no answer", False),
    (Fault.ANSWER_LOST, "no answer", True),
    (Fault.ANSWER_CUT, "no answer", True),
    (Fault.ANSWER_SLOW, "ok", True),
    (Fault.INTERNAL_ERROR, "InternalError", False),
    (Fault.INTERNAL_ERROR_AFTER, "InternalError", True),
    (Fault.SLOW_DOWN, "SlowDown", False),
    (Fault.CONFLICT, "ConditionalRequestConflict", False),
])
def test_a_put_meets_the_fault_once(
    s3, store: AWSStore, proxy: FaultProxy, fault: Fault, seen: str, has_effect: bool
) -> None:
    proxy.inject("s3.PutObject", fault)
    with proxy.counting() as counts:
        assert put(s3, store, 1) == seen
    assert counts == {"s3.PutObject": 1}
    assert store.keys("t") == ([object_key("t", 1)] if has_effect else [])
    assert put(s3, store, 2) == "ok"
    assert proxy.plan.injected == {("s3.PutObject", fault): 1}


def test_an_update_meets_throttling(dynamodb, store: AWSStore, proxy: FaultProxy) -> None:
    update = {
        "TableName": store.table, "Key": {"pk": {"S": "t"}}, "UpdateExpression": "ADD n :one",
        "ExpressionAttributeValues": {":one": {"N": "1"}}}
    for fault, code in [
        (Fault.THROTTLED, "ProvisionedThroughputExceededException"), (Fault.INTERNAL_ERROR, "InternalServerError")
    ]:
        proxy.inject("dynamodb.UpdateItem", fault)
        with pytest.raises(ClientError) as failure:
            dynamodb.update_item(**update)
        assert error_code(failure.value) == code
    dynamodb.update_item(**update)
    assert store.item("t") == {"pk": "t", "n": 1}


def test_a_body_is_cut_in_its_middle(s3, store: AWSStore, proxy: FaultProxy) -> None:
    assert put(s3, store, 1) == "ok"
    proxy.inject("s3.GetObject", Fault.ANSWER_CUT)
    answer = s3.get_object(Bucket=store.bucket, Key=object_key("t", 1))
    assert answer["ContentLength"] == len(BODY)
    with pytest.raises(BotoCoreError):
        answer["Body"].read()


@pytest.mark.parametrize("fault", [Fault.HANGS, Fault.HANGS_AFTER])
def test_no_answer_comes_when_it_hangs(store: AWSStore, proxy: FaultProxy, fault: Fault) -> None:
    from boto3 import client as plain_client
    from botocore.config import Config

    impatient = plain_client(
        "s3", endpoint_url=proxy.endpoint, region_name=store.region,
        aws_access_key_id=store.credentials.access_key_id,
        aws_secret_access_key=store.credentials.secret_access_key,
        config=Config(s3={"addressing_style": "path"}, read_timeout=0.5, retries={"total_max_attempts": 1}))
    proxy.inject("s3.PutObject", fault)
    assert put(impatient, store, 1) == "no answer"
    assert len(store.keys("t")) == (fault is Fault.HANGS_AFTER)


def test_a_late_put_comes_after_the_client_has_given_up(s3, store: AWSStore, proxy: FaultProxy) -> None:
    proxy.inject("s3.PutObject", Fault.LATE)
    assert put(s3, store, 1) == "no answer"
    wait_until(lambda: store.keys("t"), "the late PUT has arrived")
    assert proxy.counts()["s3.PutObject"] == 1


def test_a_repeated_put_meets_its_own_object(s3, store: AWSStore, proxy: FaultProxy) -> None:
    proxy.inject("s3.PutObject", Fault.REPEATED)
    assert put(s3, store, 1) == "ok"
    late = wait_until(
        lambda: [each for each in proxy.passed if each.fault == "delivered late"], "it has come again")
    assert [each.status[:3] for each in late] == ["412"]


def test_a_gate_holds_one_request_until_the_test_decides(s3, store: AWSStore, proxy: FaultProxy) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        for offset, decision, outcome in [(1, "release", "ok"), (2, "drop", "no answer")]:
            gate = proxy.hold("s3.PutObject", lambda request: request.key == object_key("t", offset))
            held = pool.submit(put, s3, store, offset)
            assert gate.wait_until_held().key == object_key("t", offset)
            assert put(s3, store, 10 + offset) == "ok"
            assert not held.done() and object_key("t", offset) not in store.keys("t")
            getattr(gate, decision)()
            assert held.result(10) == outcome
    assert store.keys("t") == [object_key("t", last) for last in (1, 11, 12)]


def test_probabilities_are_kept_and_a_seed_repeats_itself(s3, store: AWSStore, proxy: FaultProxy) -> None:
    def outcomes(seed: int, start: int) -> list[str]:
        proxy.inject_at_random({"s3": {Fault.SLOW_DOWN: 0.3, Fault.INTERNAL_ERROR: 0.2}}, seed)
        return [put(s3, store, start + number) for number in range(200)]

    first, again, other = outcomes(1, 1000), outcomes(1, 2000), outcomes(2, 3000)
    assert first == again != other
    counts = Counter(first)
    # Bounds that an honest coin passes all but once in ten thousand.
    assert 35 < counts["SlowDown"] < 87 and 18 < counts["InternalError"] < 64
    proxy.calm()
    assert put(s3, store, 1) == "ok"


def test_every_call_is_delayed_by_as_much_as_was_asked(s3, store: AWSStore, proxy: FaultProxy) -> None:
    assert put(s3, store, 1) == "ok"
    proxy.delay_seconds = 0.05
    started = time.monotonic()
    for offset in range(2, 6):
        assert put(s3, store, offset) == "ok"
    assert time.monotonic() - started >= 4 * 0.05


def test_as_a_process_it_ends_with_its_input(ministack: Emulator) -> None:
    here = Path(__file__).parent
    process = subprocess.Popen(
        [sys.executable, "-B", here / "fault_proxy.py", ministack.endpoint, "--delay-milliseconds", "5"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdin and process.stdout
        endpoint = json.loads(process.stdout.readline())["endpoint"]
        assert client("s3", endpoint, ministack.credentials).list_buckets()["ResponseMetadata"]
        process.stdin.close()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)
