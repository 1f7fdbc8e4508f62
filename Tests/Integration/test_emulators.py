"""The stand-ins for AWS behave as the tests that rely on them assume."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from aws_store import AWSStore, client, error_code, object_key
from conditions import wait_until
from emulators import Credentials, Emulator

WRITERS = 16
ROUNDS = 20


@pytest.fixture(scope="module", params=["ministack", "moto"])
def emulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Each of the two."""
    emulator = Emulator(request.param, log=tmp_path_factory.mktemp("emulator") / "log")
    yield emulator
    emulator.close()


@pytest.fixture
def store(emulator: Emulator) -> AWSStore:
    """An empty store on it."""
    return AWSStore.create(emulator)


def race(count: int, attempt: Callable[[int], bool]) -> int:
    """How many of several attempts at once succeed."""
    with ThreadPoolExecutor(WRITERS) as pool:
        return sum(pool.map(attempt, range(count)))


def test_of_several_conditional_puts_to_one_key_one_succeeds(store: AWSStore) -> None:
    def put(key: str, number: int) -> bool:
        try:
            store.s3.put_object(Bucket=store.bucket, Key=key, Body=b"%d" % number * 1000, IfNoneMatch="*")
        except ClientError as error:
            assert error_code(error) == "PreconditionFailed"
            return False
        return True

    for number in range(ROUNDS):
        key = object_key("race", number)
        assert race(WRITERS, lambda writer: put(key, writer)) == 1


def test_no_claim_is_lost_and_none_given_twice(store: AWSStore) -> None:
    store.put_item({"pk": "t", "current_offset": 0})
    claimed: list[int] = []

    def claim(_: int) -> bool:
        answer = store.dynamodb.update_item(
            TableName=store.table, Key={"pk": {"S": "t"}}, ConditionExpression="attribute_exists(pk)",
            UpdateExpression="SET claim_offset = current_offset + :one, current_offset = current_offset + :count",
            ExpressionAttributeValues={":one": {"N": "1"}, ":count": {"N": "3"}}, ReturnValues="ALL_NEW")
        claimed.append(int(answer["Attributes"]["claim_offset"]["N"]))
        return True

    count = WRITERS * ROUNDS
    assert race(count, claim) == count
    assert sorted(claimed) == list(range(1, 3 * count, 3))
    item = store.item("t")
    assert item is not None and item["current_offset"] == 3 * count


def test_a_mark_is_set_once_to_the_offset_before_the_update(store: AWSStore) -> None:
    # The protocol needs a path as the second argument of if_not_exists, with its value from before the update.
    store.put_item({"pk": "t", "current_offset": 7})
    for _ in range(2):
        store.dynamodb.update_item(
            TableName=store.table, Key={"pk": {"S": "t"}},
            UpdateExpression="SET m1 = if_not_exists(m1, current_offset), current_offset = current_offset + :count",
            ExpressionAttributeValues={":count": {"N": "5"}})
    assert store.item("t") == {"pk": "t", "current_offset": 17, "m1": 7}


def test_the_index_lists_topics_alone(store: AWSStore) -> None:
    for name in ("b", "a"):
        store.put_item({"pk": name, "kind": "topic", "current_offset": 0})
    store.put_item({"pk": "group#a#g", "committed_offset": 1})
    assert store.topics_in_index() == ["a", "b"]


def test_what_is_put_comes_back_byte_for_byte(store: AWSStore) -> None:
    body = bytes(range(256)) * 20_000
    store.s3.put_object(
        Bucket=store.bucket, Key=object_key("t", 1), Body=body, Metadata={"append-id": "0f" * 16, "first": "1"})
    stored = store.object(object_key("t", 1))
    assert stored.body == body
    assert stored.metadata == {"append-id": "0f" * 16, "first": "1"}
    assert store.keys("t") == ["topics/t/00000000000000000001.json"]


def test_it_listens_on_its_own_port_only(emulator: Emulator, store: AWSStore) -> None:
    assert listening_ports(emulator.pid) == {emulator.port}


@pytest.mark.parametrize("end", ["close its input", "kill its parent"])
@pytest.mark.parametrize("kind", ["ministack", "moto"])
def test_an_emulator_ends_with_whoever_started_it(kind: str, end: str) -> None:
    here = Path(__file__).parent
    # A parent of its own stands for a test run; it says the emulator's process id, and waits.
    program = (
        "import sys, time; from pathlib import Path; from emulators import Emulator; "
        f"emulator = Emulator({kind!r}, log=Path('/dev/null')); print(emulator.pid, flush=True); "
        "sys.stdin.read(); emulator._process.stdin.close(); time.sleep(60)")
    parent = subprocess.Popen(
        [sys.executable, "-B", "-c", program], cwd=here, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert parent.stdin and parent.stdout
        process = int(parent.stdout.readline())
        assert is_running(process)
        if end == "kill its parent":
            parent.send_signal(signal.SIGKILL)
        else:
            parent.stdin.close()
        wait_until(lambda: not is_running(process), "the emulator has ended")
    finally:
        parent.kill()
        parent.wait(10)


def test_moto_refuses_what_is_signed_wrongly(tmp_path: Path) -> None:
    emulator = Emulator("moto", "--session-token", "token/of+a session", log=tmp_path / "log")
    try:
        right = emulator.credentials
        assert client("s3", emulator.endpoint, right).list_buckets()["Buckets"] == []
        wrong_secret = Credentials(right.access_key_id, "wrong", right.session_token)
        wrong_key = Credentials("AKIDUNKNOWN", right.secret_access_key, right.session_token)
        no_token = Credentials(right.access_key_id, right.secret_access_key)
        for credentials, s3_code, dynamodb_code in [
            (wrong_secret, "SignatureDoesNotMatch", "InvalidSignatureException"),
            (wrong_key, "InvalidAccessKeyId", "UnrecognizedClientException"),
            (no_token, "InvalidToken", "UnrecognizedClientException"),
        ]:
            with pytest.raises(ClientError) as refusal:
                client("s3", emulator.endpoint, credentials).list_buckets()
            assert error_code(refusal.value) == s3_code
            with pytest.raises(ClientError) as refusal:
                client("dynamodb", emulator.endpoint, credentials).list_tables()
            assert error_code(refusal.value) == dynamodb_code
    finally:
        emulator.close()


def test_ministack_enforces_policies_when_told_to(tmp_path: Path) -> None:
    emulator = Emulator("ministack", "--auth", log=tmp_path / "log")
    try:
        store = AWSStore.create(emulator)
        store.put_object("t", 1, b"{}")
        reader = store.credentials_allowing("s3:GetObject")
        s3 = client("s3", emulator.endpoint, reader)
        assert s3.get_object(Bucket=store.bucket, Key=object_key("t", 1))["Body"].read() == b"{}"
        with pytest.raises(ClientError) as refusal:
            s3.put_object(Bucket=store.bucket, Key=object_key("t", 2), Body=b"{}")
        assert error_code(refusal.value) == "AccessDenied"
        wrong = Credentials(reader.access_key_id, "wrong", reader.session_token)
        with pytest.raises(ClientError) as refusal:
            client("s3", emulator.endpoint, wrong).get_object(Bucket=store.bucket, Key=object_key("t", 1))
        assert error_code(refusal.value) == "SignatureDoesNotMatch"
    finally:
        emulator.close()


def is_running(process: int) -> bool:
    """Whether a process is there and is more than a remnant that nobody has waited for."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def listening_ports(process: int) -> set[int]:
    """The TCP ports on which a process takes connections."""
    sockets = set()
    for link in Path(f"/proc/{process}/fd").iterdir():
        try:
            sockets.add(os.readlink(link))
        except FileNotFoundError:
            pass
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{process}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            # 0A is LISTEN; see proc_net_tcp in the kernel's documentation.
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                ports.add(int(fields[1].split(":")[1], 16))
    return ports
