"""Requests to S3 and DynamoDB as they pass by, and which operation each of them is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from urllib.parse import unquote

from http_server import first, read_body, read_head, read_lines

_OBJECT_OPERATIONS = {"PUT": "PutObject", "GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}
_BUCKET_OPERATIONS = {"PUT": "CreateBucket", "HEAD": "HeadBucket", "DELETE": "DeleteBucket"}


@dataclass(frozen=True)
class AWSRequest:
    """A request with its whole body."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header field, named in lower case; empty where there is none."""
        return next((value for each, value in self.headers if each.lower() == name), "")

    @property
    def kind(self) -> str:
        """The service and the operation, as in `s3.PutObject`, with the bucket in the path."""
        if target := self.header("x-amz-target"):
            return "dynamodb." + target.rsplit(".", 1)[-1]
        path, _, query = self.target.partition("?")
        names = {pair.split("=", 1)[0] for pair in query.split("&")}
        if "/" in path.strip("/"):
            return "s3." + _OBJECT_OPERATIONS.get(self.method, self.method)
        if self.method == "GET" and "list-type" in names:
            return "s3.ListObjectsV2"
        if self.method == "POST" and "delete" in names:
            return "s3.DeleteObjects"
        return "s3." + _BUCKET_OPERATIONS.get(self.method, self.method)

    @property
    def is_s3(self) -> bool:
        """Whether it goes to S3, and not to DynamoDB."""
        return self.kind.startswith("s3.")

    @property
    def is_conditional_put(self) -> bool:
        """Whether it is a PUT that another PUT may conflict with."""
        return self.method == "PUT" and bool(self.header("if-none-match") or self.header("if-match"))

    @property
    def is_filler(self) -> bool:
        """Whether it is the PUT of a filler."""
        return self.method == "PUT" and self.header("x-amz-meta-kind") == "filler"

    @property
    def key(self) -> str:
        """The key of the object, or the `pk` of the item; empty for what has neither."""
        if self.is_s3:
            return unquote(self.target.partition("?")[0]).strip("/").partition("/")[2]
        return json.loads(self.body).get("Key", {}).get("pk", {}).get("S", "")

    def wire(self) -> bytes:
        """The bytes to send on. `Host` stays, so that the signature does."""
        lines = [f"{self.method} {self.target} HTTP/1.1"]
        lines += [
            f"{name}: {value}" for name, value in self.headers
            if name.lower() not in ("expect", "content-length", "transfer-encoding", "connection")]
        if self.body or self.method in ("PUT", "POST"):
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


@dataclass
class AWSAnswer:
    """An answer with its whole body."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes
    closes: bool = False

    def wire(self, has_body: bool = True) -> tuple[bytes, bytes]:
        """The bytes of the head and of the body to send back."""
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in self.headers)]
        if has_body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1"), self.body


def failure(request: AWSRequest, status: str, code: str, message: str) -> AWSAnswer:
    """The answer with which the request's service says that something is wrong."""
    if request.is_s3:
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n'
                f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")
        return AWSAnswer(status, [("Content-Type", "application/xml")], body.encode())
    body = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message})
    return AWSAnswer(status, [("Content-Type", "application/x-amz-json-1.0")], body.encode())


async def read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> AWSRequest | None:
    """The next request of a connection; none at its end."""
    head = await read_head(reader)
    if head is None:
        return None
    method, target, headers = head
    if first(headers, "expect").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body, _ = await read_body(reader, headers)
    return AWSRequest(method, target, headers, body)


async def read_answer(reader: asyncio.StreamReader, has_body: bool) -> AWSAnswer:
    """The answer to a request that was sent on; raises `ConnectionError` where it does not come whole."""
    try:
        head = await read_lines(reader)
        if head is None:
            raise ConnectionError("the connection ended before the answer was there")
        line, headers = head
        fields = {name.lower(): value for name, value in headers}
        if not has_body:
            body = b""
        elif {"content-length", "transfer-encoding"} & set(fields):
            body, _ = await read_body(reader, headers)
        else:
            body = await reader.read()
    except asyncio.IncompleteReadError as error:
        raise ConnectionError("the connection ended within the answer") from error
    closes = fields.get("connection", "").lower() == "close" or (has_body and not {
        "content-length", "transfer-encoding"} & set(fields))
    dropped = {"connection", "transfer-encoding", *(["content-length"] if has_body else [])}
    kept = [(name, value) for name, value in headers if name.lower() not in dropped]
    return AWSAnswer(line.split(" ", 1)[1], kept, body, closes)
