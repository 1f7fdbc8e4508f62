"""Signatures: equal to botocore's for generated requests, and accepted as they come over a socket."""

from __future__ import annotations

import base64
import random
import string
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Iterator
from urllib.parse import quote

import pytest

import signature_check
from aws_probe import CallFailed, Probe
from signature_check import Refused, SignedRequest

REQUESTS = 600
ODD_TEXTS = [
    "a b", "a+b", "c&d=e", "f?g", "#h", "x//y", "//", "%41", "..%2F", "~tilde~", "ü", "日本", "🎈", "\t", "<x>&\"'", "a/b",
    "*", "(!)", "$file.text", ".", "..", "a/../b", "a:b;c,d", "@", "[]", "{}", "|\\^`", "\x7f", "é\u0301",
]
KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


@pytest.fixture(scope="module")
def signer() -> Iterator[Probe]:
    """A probe for signing."""
    with Probe() as probe:
        yield probe


def odd_text(dice: random.Random) -> str:
    """A text with characters that are easily encoded wrongly."""
    parts = [dice.choice(ODD_TEXTS) for _ in range(dice.randrange(1, 4))]
    parts += ["".join(dice.choices(string.ascii_letters + string.digits + "-._~", k=dice.randrange(8)))]
    dice.shuffle(parts)
    return "".join(parts)


def generated_request(dice: random.Random) -> dict:
    """A request in parts, as the probe takes them."""
    service = dice.choice(["s3", "s3", "dynamodb"])
    headers = [["host", dice.choice(["example.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com", "127.0.0.1:4566"])]]
    if dice.random() < 0.7:
        headers.append(["Content-Type", dice.choice(["application/x-ndjson", "application/x-amz-json-1.0"])])
    for number in range(dice.randrange(4)):
        value = dice.choice(["1", "  two  words ", "a\tb", "comma,separated", "", "x" * 300])
        headers.append([f"x-amz-meta-{dice.choice(['first', 'Count', 'append-id'])}-{number}", value])
    if dice.random() < 0.3:
        conditions = [["if-none-match", "*"], ["If-Match", '"abc"'], ["content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="]]
        headers.append(dice.choice(conditions))
    return {
        "method": dice.choice(["GET", "PUT", "POST", "HEAD", "DELETE"]),
        "path": "/" + odd_text(dice) if service == "s3" and dice.random() < 0.9 else "/",
        "query": [[odd_text(dice), dice.choice(["", odd_text(dice)])] for _ in range(dice.randrange(4))],
        "headers": headers,
        "body": dice.choice([b"", dice.randbytes(dice.randrange(1, 200))]),
        "service": service,
        "region": dice.choice(["us-east-1", "eu-central-1"]),
        "accessKeyID": KEY,
        "secretAccessKey": SECRET,
        "sessionToken": dice.choice([None, "", "IQoJb3JpZ2luX2VjE/+=="]),
        "at": dice.randrange(0, 4_000_000_000_000),
    }


def botocore_headers(request: dict, path: str, query: str) -> dict[str, str]:
    """The headers of the same request as botocore signs it."""
    from botocore.auth import S3SigV4Auth, SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.compat import HTTPHeaders
    from botocore.credentials import Credentials

    headers = HTTPHeaders()
    for name, value in request["headers"]:
        headers.add_header(name, value)
    host = request["headers"][0][1]
    url = f"http://{host}{path}" + (f"?{query}" if query else "")
    aws_request = AWSRequest(method=request["method"], url=url, data=request["body"], headers=headers)
    credentials = Credentials(KEY, SECRET, request["sessionToken"] or None)
    kind = S3SigV4Auth if request["service"] == "s3" else SigV4Auth

    signer = kind(credentials, request["service"], request["region"])
    moment = datetime.fromtimestamp(request["at"] // 1000, timezone.utc)
    aws_request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
    # What add_auth does, but for the present as the time.
    signer._modify_request_before_signing(aws_request)
    canonical = signer.canonical_request(aws_request)
    to_sign = signer.string_to_sign(aws_request, canonical)
    signer._inject_signature_to_request(aws_request, signer.signature(to_sign, aws_request))
    return {name.lower(): value for name, value in aws_request.headers.items()}


def test_signatures_equal_botocores_for_generated_requests(signer: Probe, dice: random.Random) -> None:
    for _ in range(REQUESTS):
        request = generated_request(dice)
        answer = signer.call("sign", **request)
        assert answer["path"] == quote(request["path"], safe="/-._~")
        assert answer["query"] == "&".join(f"{quote(n, safe='-._~')}={quote(v, safe='-._~')}" for n, v in request["query"])
        ours = {name.lower(): value for name, value in answer["headers"]}
        theirs = botocore_headers(request, answer["path"], answer["query"])
        for name in ("authorization", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"):
            assert ours.get(name) == theirs.get(name), (name, request)


class Receiver(BaseHTTPRequestHandler):
    """Notes each request as it is on the wire, and answers what the server's `answers` say."""

    protocol_version = "HTTP/1.1"

    def _receive(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        request = SignedRequest(self.command, self.path, list(self.headers.items()), self.rfile.read(length))
        self.server.received.append(request)
        status, body = self.server.answer(request)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        # What shows our clients that it is S3 or DynamoDB that answers.
        self.send_header("ETag", '"etag"')
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _receive

    def log_message(self, *_: object) -> None:
        """Keeps the test's output quiet."""


def answer_of_service(request: SignedRequest) -> tuple[int, bytes]:
    """Enough of an answer for each call to succeed."""
    if request.values("x-amz-target"):
        return 200, b"{}"
    if request.target.endswith("delete="):
        return 200, b"<DeleteResult/>"
    if "list-type=2" in request.target:
        return 200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
    return 200, b""


@pytest.fixture
def receiver() -> Iterator[ThreadingHTTPServer]:
    """A server that keeps what it receives."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.daemon_threads = True
    server.received = []
    server.answer = answer_of_service
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def make_probe(receiver: ThreadingHTTPServer, token: str = "", **environment: str) -> Probe:
    """A probe whose AWS is the receiver."""
    settings = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{receiver.server_address[1]}", "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": token, "BUCKET_NAME": "bucket",
    }
    return Probe(**(settings | environment))


@pytest.mark.parametrize("token", ["", "IQoJb3JpZ2luX2VjE/+=="])
def test_an_independent_check_accepts_every_request_as_it_is_sent(receiver, token: str, dice: random.Random) -> None:
    item = {"pk": {"S": "topic"}}
    with make_probe(receiver, token) as probe:
        for _ in range(100):
            key = odd_text(dice)
            probe.call("putObject", key=key, body=dice.randbytes(dice.randrange(300)), ifNoneMatch=True,
                       metadata=[["append-id", "x"], ["first", " 1 "]])
            probe.call("getObject", key=key)
        probe.call("putObject", key="k", body=b"x", etag='"abc"')
        probe.call("headObject", key="k")
        probe.call("listObjects", prefix=odd_text(dice), startAfter=odd_text(dice), maxKeys=3)
        probe.call("deleteObject", key="k", etag='"abc"')
        probe.call("deleteObjects", keys=[odd_text(dice) for _ in range(5)])
        probe.call("getItem", item=item)
        probe.call("putItem", item=item, condition="attribute_not_exists(pk)")
        probe.call("updateItem", item=item, update="SET a = :a", values={":a": {"N": "1"}})
        probe.call("deleteItem", item=item)
        probe.call("query", condition="pk = :p", values={":p": {"S": "topic"}})
    assert len(receiver.received) == 210
    for request in receiver.received:
        signature_check.check(request, {KEY: (SECRET, token or None)})


def test_the_check_refuses_what_was_changed_on_the_way(receiver) -> None:
    with make_probe(receiver) as probe:
        probe.call("putObject", key="key", body=b"body", ifNoneMatch=True, metadata=[["first", "1"]])
    (request,) = receiver.received
    secrets = {KEY: (SECRET, None)}
    signature_check.check(request, secrets)
    without_condition = [header for header in request.headers if header[0].lower() != "if-none-match"]
    changed = [
        SignedRequest("POST", request.target, request.headers, request.body),
        SignedRequest(request.method, request.target + "x", request.headers, request.body),
        SignedRequest(request.method, request.target, request.headers, b"bodY"),
        SignedRequest(request.method, request.target, without_condition, request.body),
        SignedRequest(request.method, request.target, request.headers + [("x-amz-acl", "public-read")], request.body),
    ]
    for other in changed:
        with pytest.raises(Refused):
            signature_check.check(other, secrets)
    with pytest.raises(Refused, match="SignatureDoesNotMatch"):
        signature_check.check(request, {KEY: (SECRET + "x", None)})
    with pytest.raises(Refused, match="RequestTimeTooSkewed"):
        signature_check.check(request, secrets, now=time.time() + 16 * 60)


def test_a_write_keeps_the_time_it_was_given_at_every_try(receiver) -> None:
    answers = iter([(500, b""), (503, b"<Error><Code>SlowDown</Code></Error>"), (200, b"")])
    receiver.answer = lambda request: next(answers)
    at = (int(time.time()) - 600) * 1000
    with make_probe(receiver) as probe:
        assert probe.call("putObject", key="key", body=b"body", at=at)["outcome"] == "stored"
    stamps = [request.values("x-amz-date") for request in receiver.received]
    expected = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at // 1000))
    assert stamps == [[expected]] * 3
    assert len({request.values("authorization")[0] for request in receiver.received}) == 1


def test_a_delete_of_many_carries_the_digest_that_s3_wants(receiver) -> None:
    import hashlib

    with make_probe(receiver) as probe:
        probe.call("deleteObjects", keys=["a", "b & c"])
    (request,) = receiver.received
    assert request.values("content-md5") == [base64.b64encode(hashlib.md5(request.body).digest()).decode()]


def test_no_secret_is_in_an_error(receiver) -> None:
    token = "IQoJb3JpZ2luX2VjE/+=="
    message = f"The Canonical String should have been 'x-amz-security-token:{token}' {SECRET}"
    for code in ("InvalidSignatureException", "AccessDeniedException", "ValidationException"):
        receiver.answer = lambda request: (400, f'{{"__type":"{code}","message":"{message}"}}'.encode())
        with make_probe(receiver, token) as probe, pytest.raises(CallFailed) as failure:
            probe.call("getItem", item={"pk": {"S": "topic"}})
        assert code in failure.value.message
        assert token not in failure.value.message and SECRET not in failure.value.message
