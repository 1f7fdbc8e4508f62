"""HTTP requests as events for a Lambda function, and its answers as HTTP answers.

The shapes are those of the API Gateway Developer Guide (REST APIs: payload 1.0; HTTP APIs: payload 2.0) and of the Lambda
Developer Guide (function URLs: payload 2.0; response streaming).
"""

from __future__ import annotations

import base64
import json
import time
import urllib.parse
import uuid
from dataclasses import dataclass, field
from typing import Any

STAGE = "v1"
RESPONSE_BYTES_MAXIMUM = 6_291_556
PRELUDE_END = b"\0" * 8
STREAM_TYPE = "application/vnd.awslambda.http-integration-response"


@dataclass
class Request:
    """A request as the client sent it."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def header(self, name: str) -> str:
        """The value of a field, the last one where there are several; empty where there is none."""
        return next((value for key, value in reversed(self.headers) if key.lower() == name), "")

    @property
    def path(self) -> str:
        """The part of the target before the query."""
        return self.target.partition("#")[0].partition("?")[0]

    @property
    def query(self) -> str:
        """The query, as it was sent."""
        return self.target.partition("#")[0].partition("?")[2]


@dataclass
class Answer:
    """An answer for the client."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class BadAnswer(Exception):
    """The function's answer has not the form that the gateway asks for."""


# Events

def rest_event(request: Request) -> dict[str, Any] | None:
    """The event of a REST API with the stage `v1`; `None` where the path is outside of the stage."""
    prefix = "/" + STAGE
    if request.path != prefix and not request.path.startswith(prefix + "/"):
        return None
    path = request.path.removeprefix(prefix) or "/"
    parameters: dict[str, list[str]] = {}
    for name, value in _pairs(request.query):
        parameters.setdefault(name, []).append(value)
    headers: dict[str, list[str]] = {}
    for name, value in [*request.headers, *_forwarded()]:
        headers.setdefault(name, []).append(value)
    body, is_base64 = _text_or_base64(request.body)
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": request.method,
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in parameters.items()} or None,
        "multiValueQueryStringParameters": parameters or None,
        "pathParameters": {"proxy": path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "000000000000", "apiId": "abcdefghij", "resourceId": "abc123", "resourcePath": "/{proxy+}",
            "stage": STAGE, "path": request.path, "httpMethod": request.method, "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()), "requestTimeEpoch": int(time.time() * 1000),
            "identity": {"sourceIp": "127.0.0.1", "userAgent": request.header("user-agent")},
        },
        "body": body,
        "isBase64Encoded": is_base64,
    }


def http_event(request: Request) -> dict[str, Any]:
    """The event of an HTTP API with the stage `$default`, which decodes the path before it passes it on."""
    event = url_event(request)
    event["rawPath"] = event["requestContext"]["http"]["path"] = urllib.parse.unquote(request.path).partition("?")[0]
    return event


def url_event(request: Request) -> dict[str, Any]:
    """The event of a function URL."""
    headers: dict[str, str] = {}
    for name, value in [*request.headers, *_forwarded()]:
        name = name.lower()
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    cookies = [cookie for name, value in request.headers if name.lower() == "cookie" for cookie in value.split("; ")]
    headers.pop("cookie", None)
    body, is_base64 = _body_by_type(request)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": request.path,
        "rawQueryString": request.query,
        "headers": headers,
        "requestContext": {
            "accountId": "anonymous", "apiId": "abcdefghij", "stage": "$default", "routeKey": "$default",
            "domainName": "abcdefghij.lambda-url.us-east-1.on.aws", "requestId": str(uuid.uuid4()),
            "timeEpoch": int(time.time() * 1000),
            "http": {
                "method": request.method, "path": request.path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1",
                "userAgent": request.header("user-agent"),
            },
        },
        "isBase64Encoded": is_base64,
    }
    if body is not None:
        event["body"] = body
    if cookies:
        event["cookies"] = cookies
    return event


def _forwarded() -> list[tuple[str, str]]:
    return [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https")]


def _pairs(query: str) -> list[tuple[str, str]]:
    """The parameters of a query; what can not be decoded stays as it was sent."""
    def decode(text: str) -> str:
        try:
            decoded = urllib.parse.unquote_to_bytes(text.replace("+", " ")).decode()
        except UnicodeDecodeError:
            return text
        return text if "%" in decoded and decoded.count("%") != text.lower().count("%25") else decoded

    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return [(decode(name), decode(value)) for name, _, value in pairs]


def _text_or_base64(body: bytes) -> tuple[str | None, bool]:
    """Text where the body is UTF-8; else base64, as where `*/*` is among the binary media types."""
    if not body:
        return None, False
    try:
        return body.decode(), False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode(), True


def _body_by_type(request: Request) -> tuple[str | None, bool]:
    """With payload 2.0 the type decides: text, JSON, XML and JavaScript come as text, all else as base64."""
    media_type = request.header("content-type").partition(";")[0].strip().lower()
    if media_type.startswith("text/") or media_type in (
        "application/json", "application/xml", "application/javascript"
    ):
        return _text_or_base64(request.body)
    if not request.body:
        return None, False
    return base64.b64encode(request.body).decode(), True


# Answers

def read_answer(document: bytes, *, multi_value: bool) -> Answer:
    """A whole answer of the function; `multi_value` for payload 1.0."""
    members = _object(document)
    known = {"statusCode", "headers", "body", "isBase64Encoded", "multiValueHeaders" if multi_value else "cookies"}
    if set(members) - known:
        raise BadAnswer(f"unknown members {sorted(set(members) - known)}")
    answer = _head(members)
    body = members.get("body")
    if body is not None and not isinstance(body, str):
        raise BadAnswer("the body is no string")
    if members.get("isBase64Encoded"):
        answer.body = base64.b64decode(body or "", validate=True)
    else:
        answer.body = (body or "").encode()
    return answer


def read_prelude(document: bytes) -> Answer:
    """The head of a streamed answer."""
    return _head(_object(document))


def _object(document: bytes) -> dict[str, Any]:
    try:
        members = json.loads(document)
    except ValueError as error:
        raise BadAnswer(f"no JSON: {error}") from error
    if not isinstance(members, dict):
        raise BadAnswer("no JSON object")
    return members


def _head(members: dict[str, Any]) -> Answer:
    status = members.get("statusCode")
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise BadAnswer(f"the status {status!r} is none")
    single, multiple = members.get("headers") or {}, members.get("multiValueHeaders") or {}
    cookies = members.get("cookies") or []
    if not isinstance(single, dict) or not isinstance(multiple, dict) or not isinstance(cookies, list):
        raise BadAnswer("the headers are no objects")
    headers = [(name, value) for name, values in multiple.items() for value in values]
    headers += [(name, value) for name, value in single.items() if name not in multiple]
    headers += [("set-cookie", cookie) for cookie in cookies]
    if not all(isinstance(value, (str, int, bool)) for _, value in headers):
        raise BadAnswer("a header is no string")
    return Answer(status, [(name, str(value)) for name, value in headers])
