"""MiniStack, a stand-in for S3 and DynamoDB, behind a proxy that delays each call."""

import http.client
import json
import time
from pathlib import Path

from ..processes import Child, Children, wait_until
from ..settings import REPOSITORY
from . import Unavailable

_PYTHON = REPOSITORY / ".venv/bin/python"
_PROGRAMS = REPOSITORY / "Tests/Integration"
_KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDOFTHEBENCHMARK00",
    "AWS_SECRET_ACCESS_KEY": "no-secret-of-anything",
}
_REGION = "us-east-1"
BUCKET = TABLE = "streams-bench"


class StandIn:
    """The stand-in and its proxy; a bucket and a table are in it."""

    def __init__(self, children: Children, directory: Path, delay_milliseconds: float) -> None:
        if not _PYTHON.exists():
            raise Unavailable("there is no .venv; `scripts/setup --test` makes it")
        self._children = children
        self._directory = directory / "aws"
        self._directory.mkdir(exist_ok=True)
        self._running: list[Child] = []
        upstream = self._start("emulators.py", "ministack")
        self.endpoint = self._start(
            "fault_proxy.py", upstream, "--delay-milliseconds", str(delay_milliseconds)
        )
        self.port = int(self.endpoint.rsplit(":", 1)[1])
        _create_store(int(upstream.rsplit(":", 1)[1]))

    @property
    def environment(self) -> dict[str, str]:
        """What a server on it needs."""
        return _KEYS | {
            "BUCKET_NAME": BUCKET,
            "COUNTERS_TABLE": TABLE,
            "AWS_REGION": _REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def stop(self) -> None:
        for child in reversed(self._running):
            self._children.stop(child)

    def _start(self, program: str, *arguments: str) -> str:
        """Starts a program that says its endpoint in one line of JSON and ends with its input."""
        name = program.removesuffix(".py")
        command = [str(_PYTHON), "-B", str(_PROGRAMS / program), *arguments]
        child = self._children.start(name, command, self._directory, keeps_input=True)
        self._running.append(child)
        wait_until(lambda: _endpoint(child) is not None, child)
        return _endpoint(child) or ""


class RawCalls:
    """Single calls on one connection, with nothing around them: what a round trip takes."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._number = 0

    def update_item(self) -> float:
        """Seconds that a claim takes."""
        return self._dynamodb("UpdateItem", {
            "Key": {"pk": {"S": "raw"}}, "ReturnValues": "ALL_NEW",
            "UpdateExpression": "SET claim_id = :id, claimed_at = :now ADD current_offset :count",
            "ExpressionAttributeValues": {
                ":id": {"S": "0123456789abcdef" * 2},
                ":now": {"N": "1702000000000"},
                ":count": {"N": "1"},
            },
        })

    def get_item(self) -> float:
        """Seconds that a strong read of an item takes."""
        return self._dynamodb("GetItem", {"Key": {"pk": {"S": "raw"}}, "ConsistentRead": True})

    def put_object(self, body: bytes) -> float:
        """Seconds that a conditional PUT of a new object takes."""
        self._number += 1
        headers = {
            "If-None-Match": "*",
            "Content-Type": "application/x-ndjson",
            "x-amz-meta-format": "1",
        }
        return self._timed("PUT", self._key(), body, headers)

    def get_object(self) -> float:
        """Seconds that a GET of the last object takes."""
        return self._timed("GET", self._key(), None, {})

    def close(self) -> None:
        self._connection.close()

    def _key(self) -> str:
        return f"/{BUCKET}/raw/{self._number:020}.json"

    def _dynamodb(self, operation: str, call: dict) -> float:
        body = json.dumps({"TableName": TABLE} | call).encode()
        return self._timed("POST", "/", body, _dynamodb_headers(operation))

    def _timed(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> float:
        begin = time.perf_counter()
        _call(self._connection, method, path, body, headers)
        return time.perf_counter() - begin


def _create_store(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    _call(connection, "PUT", f"/{BUCKET}", b"", {})
    table = {
        "TableName": TABLE,
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "kind", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "GlobalSecondaryIndexes": [{
            "IndexName": "kind-index",
            "Projection": {"ProjectionType": "KEYS_ONLY"},
            "KeySchema": [
                {"AttributeName": "kind", "KeyType": "HASH"},
                {"AttributeName": "pk", "KeyType": "RANGE"},
            ],
        }],
    }
    body = json.dumps(table).encode()
    _call(connection, "POST", "/", body, _dynamodb_headers("CreateTable"))
    connection.close()


def _dynamodb_headers(operation: str) -> dict[str, str]:
    return {
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
    }


def _call(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: dict[str, str],
) -> None:
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        raise Unavailable(f"{method} {path} answered {answer.status}: {text[:200]!r}")


def _endpoint(child: Child) -> str | None:
    for line in child.log.read_text(errors="replace").splitlines():
        if line.startswith('{"endpoint"'):
            return json.loads(line)["endpoint"]
    return None
