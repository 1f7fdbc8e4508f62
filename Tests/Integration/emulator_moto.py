"""moto with what it lacks: one request at a time, so that conditions are atomic, and signatures that are checked."""

from __future__ import annotations

import io
import json
import threading
from http import HTTPStatus
from typing import Any, Callable, Iterable
from xml.sax.saxutils import escape

from signatures import Refused, Request, check

StartResponse = Callable[..., Any]


class CheckedMoto:
    """A WSGI application in front of moto's."""

    def __init__(self, application: Callable[..., Iterable[bytes]], keys: dict[str, tuple[str, str | None]]) -> None:
        self._application = application
        self._keys = keys
        self._lock = threading.Lock()

    def __call__(self, environment: dict[str, Any], start_response: StartResponse) -> list[bytes]:
        length = int(environment.get("CONTENT_LENGTH") or 0)
        body = environment["wsgi.input"].read(length) if length else b""
        target = environment["REQUEST_URI"]
        request = Request(environment["REQUEST_METHOD"], target, _headers(environment), body)
        try:
            check(request, self._keys)
        except Refused as refusal:
            return _refuse(request, refusal, start_response)
        # moto reads the target as it was sent from RAW_URI, to keep encoded slashes apart from others.
        environment |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(length), "RAW_URI": target}
        return self._ask_moto(environment, start_response, request.method)

    def _ask_moto(self, environment: dict[str, Any], start_response: StartResponse, method: str) -> list[bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def note(status: str, headers: list[tuple[str, str]], error: object = None) -> Callable[[bytes], None]:
            started.append((status, headers))
            return lambda _: None

        with self._lock:
            answer = self._application(environment, note)
            body = b"".join(answer)
            if hasattr(answer, "close"):
                answer.close()
        status, headers = started[-1]
        kept = [(name, value) for name, value in headers if name.lower() != "connection"]
        if method != "HEAD":
            kept = [(name, value) for name, value in kept if name.lower() != "content-length"]
            kept.append(("Content-Length", str(len(body))))
        start_response(status, kept)
        return [body]


def _headers(environment: dict[str, Any]) -> list[tuple[str, str]]:
    headers = [
        (name.removeprefix("HTTP_").replace("_", "-"), value)
        for name, value in environment.items() if name.startswith("HTTP_")]
    return headers + [
        (name.replace("_", "-"), environment[name]) for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
        if environment.get(name)]


def _refuse(request: Request, refusal: Refused, start_response: StartResponse) -> list[bytes]:
    if request.header("x-amz-target"):
        status, code = refusal.dynamodb
        media_type = "application/x-amz-json-1.0"
        body = json.dumps({"__type": f"com.amazon.coral.service#{code}", "message": refusal.message}).encode()
    else:
        status, code = refusal.s3
        media_type = "application/xml"
        body = ('<?xml version="1.0" encoding="UTF-8"?>\n'
                f"<Error><Code>{code}</Code><Message>{escape(refusal.message)}</Message></Error>").encode()
    if request.method == "HEAD":
        body = b""
    start_response(
        f"{status} {HTTPStatus(status).phrase}", [("Content-Type", media_type), ("Content-Length", str(len(body)))])
    return [body]


def serve(keys: tuple[str, str], session_token: str | None, ready: Callable[[int], None]) -> None:
    """Serves until the process ends; calls `ready` with the port once connections are taken."""
    from cheroot.wsgi import Server
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    moto = DomainDispatcherApplication(create_backend_app)
    server = Server(
        ("127.0.0.1", 0), CheckedMoto(moto, {keys[0]: (keys[1], session_token)}), numthreads=32,
        request_queue_size=256)
    server.nodelay = True
    server.timeout = 600
    server.prepare()
    ready(server.bind_addr[1])
    server.serve()
