"""Our clients of S3 and DynamoDB against MiniStack, which checks their signatures too."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Iterator

import pytest

from aws_probe import CallFailed, Probe
from ministack_users import MiniStack

BUCKET, TABLE, INDEX = "streams-bucket", "streams-table", "kind-index"
ALL_ALLOWED = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*", "dynamodb:*"], "Resource": "*"}]})
ONLY_READS = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "*"}]})


@pytest.fixture(scope="module", params=[False, True], ids=["unchecked", "signatures-checked"])
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    """A MiniStack with a bucket and a table, once without and once with checks of signatures."""
    stack = MiniStack(tmp_path_factory.mktemp("ministack"), checks_signatures=request.param)
    stack.client("s3").create_bucket(Bucket=BUCKET)
    stack.client("dynamodb").create_table(
        TableName=TABLE, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "kind")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{
            "IndexName": INDEX, "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [
                {"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}]}])
    yield stack
    stack.close()


@pytest.fixture
def checking_stack(tmp_path) -> Iterator[MiniStack]:
    """A MiniStack with a bucket that checks signatures and permissions."""
    stack = MiniStack(tmp_path, checks_signatures=True)
    stack.client("s3").create_bucket(Bucket=BUCKET)
    yield stack
    stack.close()


@pytest.fixture(scope="module")
def probe(stack: MiniStack) -> Iterator[Probe]:
    """Our clients, with a key that MiniStack checks where it checks any."""
    key = stack.user_key(ALL_ALLOWED) if stack.checks_signatures else None
    with Probe(**stack.environment(key), BUCKET_NAME=BUCKET, COUNTERS_TABLE=TABLE) as probe:
        yield probe


def test_an_object_comes_back_as_it_was_written(stack: MiniStack, probe: Probe, dice) -> None:
    for body in (b"", b"x", dice.randbytes(1_500_000)):
        stored = probe.call("putObject", key="one", body=body, metadata=[["First", "1"], ["append-id", "ab"]])
        assert stored["outcome"] == "stored"
        found = probe.call("getObject", key="one")
        assert (found["body"], found["etag"]) == (body, stored["etag"])
        assert found["metadata"] == {"first": "1", "append-id": "ab"}
        assert found["lastModified"] > 1_600_000_000_000
        theirs = stack.client("s3").get_object(Bucket=BUCKET, Key="one")
        assert theirs["Body"].read() == body and theirs["ContentType"] == "application/x-ndjson"
        assert probe.call("headObject", key="one")["bodyBytes"] == len(body)


def test_keys_with_odd_characters_are_themselves(stack: MiniStack, probe: Probe) -> None:
    keys = ["a b+c&d=e?f", "ü/日本", "x//y", "%41", "..%2F", "<x>&\"'", "tab\there", "~(!)*", "plus+plus"]
    for key in keys:
        probe.call("putObject", key=f"odd/{key}", body=key.encode())
    for key in keys:
        assert probe.call("getObject", key=f"odd/{key}")["body"] == key.encode()
        assert stack.client("s3").get_object(Bucket=BUCKET, Key=f"odd/{key}")["Body"].read() == key.encode()
    assert sorted(probe.call("listObjects", prefix="odd/")["keys"]) == sorted(f"odd/{key}" for key in keys)
    assert probe.call("deleteObjects", keys=[f"odd/{key}" for key in keys])["keys"] == []
    assert probe.call("listObjects", prefix="odd/")["keys"] == []


def test_nothing_is_written_over_under_a_condition(probe: Probe) -> None:
    first = probe.call("putObject", key="once", body=b"first", ifNoneMatch=True)
    assert first["outcome"] == "stored"
    assert probe.call("putObject", key="once", body=b"second", ifNoneMatch=True)["outcome"] == "conditionFailed"
    assert probe.call("getObject", key="once")["body"] == b"first"
    assert probe.call("putObject", key="once", body=b"x", etag='"0"')["outcome"] == "conditionFailed"
    assert probe.call("putObject", key="once", body=b"third", etag=first["etag"])["outcome"] == "stored"
    assert probe.call("putObject", key="gone", body=b"x", etag=first["etag"])["outcome"] == "conditionFailed"


def test_what_is_not_there_is_nothing(probe: Probe) -> None:
    assert probe.call("getObject", key="none")["outcome"] == "missing"
    assert probe.call("headObject", key="none")["outcome"] == "missing"
    assert probe.call("deleteObject", key="none")["outcome"] == "deleted"
    assert probe.call("getItem", item={"pk": {"S": "none"}})["outcome"] == "missing"


def test_a_list_goes_on_after_a_key(probe: Probe) -> None:
    keys = [f"list/{number:020}" for number in range(25)]
    for key in keys:
        probe.call("putObject", key=key, body=b"x")
    page = probe.call("listObjects", prefix="list/", maxKeys=10)
    assert (page["keys"], page["isTruncated"]) == (keys[:10], True)
    rest = probe.call("listObjects", prefix="list/", startAfter=keys[9])
    assert (rest["keys"], rest["isTruncated"]) == (keys[10:], False)


def test_an_item_changes_under_conditions(probe: Probe) -> None:
    key = {"pk": {"S": "topic"}}
    claim = {
        "item": key, "update": "SET claim_id = :id ADD current_offset :n",
        "condition": "attribute_exists(pk) AND claim_id <> :id", "values": {":id": {"S": "b"}, ":n": {"N": "2"}},
        "returnValues": "ALL_OLD",
    }
    assert probe.call("updateItem", **claim) == {
        "outcome": "conditionFailed", "requests": {"dynamodb.UpdateItem": 1}}
    item = key | {"claim_id": {"S": "a"}, "current_offset": {"N": "9007199254740993"}, "kind": {"S": "topic"}}
    assert probe.call("putItem", item=item, condition="attribute_not_exists(pk)")["outcome"] == "done"
    again = probe.call("putItem", item=item, condition="attribute_not_exists(pk)")
    assert (again["outcome"], again["item"]) == ("conditionFailed", item)
    done = probe.call("updateItem", **claim)
    assert (done["outcome"], done["item"]) == ("done", item)
    changed = item | {"claim_id": {"S": "b"}, "current_offset": {"N": "9007199254740995"}}
    assert probe.call("getItem", item=key)["item"] == changed
    again = probe.call("updateItem", **claim)
    assert (again["outcome"], again["item"]) == ("conditionFailed", changed)
    deleted = probe.call("deleteItem", item=key, condition="claim_id = :id", values={":id": {"S": "b"}})
    assert (deleted["outcome"], deleted["item"]) == ("done", changed)
    assert probe.call("getItem", item=key)["outcome"] == "missing"


def test_values_of_every_kind_come_back(probe: Probe) -> None:
    item = {
        "pk": {"S": "kinds"}, "n": {"N": "-12345678901234567890"}, "b": {"B": "AP8="}, "yes": {"BOOL": True},
        "nothing": {"NULL": True}, "m": {"M": {"ü": {"L": [{"S": ""}, {"N": "0"}]}}}, "ss": {"SS": ["a", "b"]},
        "ns": {"NS": ["1", "2"]},
    }
    probe.call("putItem", item=item)
    assert probe.call("getItem", item={"pk": {"S": "kinds"}})["item"] == item


def test_an_index_is_read_page_by_page(probe: Probe) -> None:
    names = [f"topic-{number}" for number in range(7)]
    for name in names:
        probe.call("putItem", item={"pk": {"S": name}, "kind": {"S": "listed"}, "other": {"S": "x"}})
    question = {
        "index": INDEX, "condition": "#kind = :kind AND pk > :after", "names": {"#kind": "kind"}, "maxKeys": 3,
        "values": {":kind": {"S": "listed"}, ":after": {"S": "topic-0"}},
    }
    found, start = [], None
    for _ in range(9):
        page = probe.call("query", **question, exclusiveStartKey=start)
        found += [item["pk"]["S"] for item in page["items"]]
        start = page.get("lastEvaluatedKey")
        if not start:
            break
    assert found == names[1:]
    backwards = probe.call("query", **question, isForward=False)
    assert [item["pk"]["S"] for item in backwards["items"]] == names[:-4:-1]


def test_one_of_many_racing_writers_wins(stack: MiniStack) -> None:
    probes = [Probe(**stack.environment(), BUCKET_NAME=BUCKET, COUNTERS_TABLE=TABLE) for _ in range(6)]
    outcomes: list[list[str]] = [[] for _ in probes]

    def write(probe: Probe, mine: list[str]) -> None:
        for number in range(20):
            mine.append(probe.call("putObject", key=f"race/{number}", body=b"x", ifNoneMatch=True)["outcome"])

    threads = [threading.Thread(target=write, args=pair) for pair in zip(probes, outcomes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for probe in probes:
        probe.close()
    for results in zip(*outcomes):
        assert sorted(results) == ["conditionFailed"] * 5 + ["stored"]


def test_errors_say_what_to_change(stack: MiniStack) -> None:
    key = {"pk": {"S": "topic"}}
    with Probe(**stack.environment(), BUCKET_NAME="no-such-bucket", COUNTERS_TABLE="no-such-table") as probe:
        with pytest.raises(CallFailed) as failure:
            probe.call("putObject", key="k", body=b"x")
        assert (failure.value.code, failure.value.effect) == ("noSuchBucket", "none")
        assert "'no-such-bucket'" in failure.value.message and "BUCKET_NAME" in failure.value.message
        with pytest.raises(CallFailed) as failure:
            probe.call("getObject", key="k")
        assert failure.value.code == "noSuchBucket"
        with pytest.raises(CallFailed) as failure:
            probe.call("getItem", item=key)
        assert failure.value.code == "noSuchTable"
        assert "'no-such-table'" in failure.value.message and "COUNTERS_TABLE" in failure.value.message


def test_a_wrong_secret_and_a_missing_permission_are_named(checking_stack: MiniStack) -> None:
    right = checking_stack.user_key(ONLY_READS)
    wrong = replace(right, secret_access_key="not-the-secret")
    for key, call, code in (
        (wrong, "getObject", "invalidSignature"), (right, "putObject", "accessDenied"),
        (replace(right, access_key_id="AKIAUNKNOWNUNKNOWN00"), "getObject", "invalidCredentials"),
    ):
        with Probe(**checking_stack.environment(key), BUCKET_NAME=BUCKET) as probe, pytest.raises(CallFailed) as failure:
            probe.call(call, key="k")
        assert (failure.value.code, failure.value.effect) == (code, "none"), failure.value.message
        assert key.secret_access_key not in failure.value.message


def test_a_server_that_is_not_there_is_named_within_the_deadline() -> None:
    settings = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "AK",
                "AWS_SECRET_ACCESS_KEY": "SK"}
    with Probe(**settings) as probe, pytest.raises(CallFailed) as failure:
        probe.call("putObject", key="k", body=b"x", timeoutMilliseconds=500)
    assert (failure.value.code, failure.value.effect) == ("unavailable", "none")
    assert "127.0.0.1:1" in failure.value.message
