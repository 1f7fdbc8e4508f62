"""The routes of the HTTP API, and who needs which. A new route of the API is one more line here.

A test holds this table against Sources/StreamsHTTP/Route.swift.
"""

from __future__ import annotations

from dataclasses import dataclass

STAGE = "v1"


@dataclass(frozen=True)
class Route:
    """A method and a path, with the kinds of callers that need it."""

    method: str
    path: str
    producers: bool = False
    consumers: bool = False

    def resource_arn_suffix(self) -> str:
        """What follows the stage in the ARN that IAM checks: `GET/topics/*/consume`."""
        parts = ["*" if part.startswith("{") else part for part in self.path.strip("/").split("/")]
        return "/".join([self.method, *parts])


def _get(path: str, *, producers: bool = False, consumers: bool = False) -> list[Route]:
    """GET, and HEAD, which the API answers wherever it answers GET."""
    return [Route(method, path, producers, consumers) for method in ("GET", "HEAD")]


ROUTES: tuple[Route, ...] = (
    *_get("/", producers=True, consumers=True),
    *_get("/health", producers=True, consumers=True),
    *_get("/metrics"),
    *_get("/topics", consumers=True),
    # Not for producers: to IAM, `GET/topics/*` is also every path below, and so every read.
    *_get("/topics/{topic}", consumers=True),
    # Neither for producers nor for consumers: what is deleted or trimmed is gone for everybody. PUT sets what is kept,
    # which is a trim; a first message creates a topic as well.
    Route("PUT", "/topics/{topic}"),
    Route("DELETE", "/topics/{topic}"),
    Route("POST", "/topics/{topic}/trim"),
    Route("POST", "/topics/{topic}/branches"),
    Route("PUT", "/topics/{topic}/fence", producers=True),
    Route("POST", "/topics/{topic}/produce", producers=True),
    *_get("/topics/{topic}/consume", consumers=True),
    *_get("/topics/{topic}/groups", consumers=True),
    *_get("/topics/{topic}/groups/{group}", consumers=True),
    Route("PUT", "/topics/{topic}/groups/{group}", consumers=True),
    Route("DELETE", "/topics/{topic}/groups/{group}", consumers=True),
    *[
        Route("POST", f"/topics/{{topic}}/groups/{{group}}/{action}", consumers=True)
        for action in ("receive", "ack", "release", "seek")
    ],
)

PRODUCE = "/topics/{topic}/produce"
CONSUME = "/topics/{topic}/consume"

# What browsers may send; a test holds it against Sources/StreamsHTTP. The second line is for signatures and keys.
REQUEST_HEADERS: tuple[str, ...] = (
    "Content-Type", "Accept", "Last-Event-ID", "Idempotency-Key", "Expected-Offset", "Fencing-Token",
    "Authorization", "X-Api-Key", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256")


def methods_by_path() -> dict[str, list[str]]:
    """The methods of each path, in the order of the table."""
    methods: dict[str, list[str]] = {}
    for route in ROUTES:
        methods.setdefault(route.path, []).append(route.method)
    return methods
