"""What can go wrong on the way to S3 and DynamoDB, and the plan of what will."""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Callable

from aws_requests import AWSRequest

Matches = Callable[[AWSRequest], bool]


class Fault(Enum):
    """One thing that goes wrong; the comment says what the client sees and whether the request took effect."""

    LOST = "lost"  # the connection is cut; no effect
    LATE = "late"  # the connection is cut; it takes effect later
    ANSWER_LOST = "answer lost"  # the connection is cut; it took effect
    ANSWER_CUT = "answer cut"  # the connection is cut within the answer; it took effect
    ANSWER_SLOW = "answer slow"  # the answer comes in small parts; it took effect
    REPEATED = "repeated"  # nothing; it takes effect, and later again
    HANGS = "hangs"  # no answer ever; no effect
    HANGS_AFTER = "hangs after"  # no answer ever; it took effect
    INTERNAL_ERROR = "internal error"  # 500; no effect
    INTERNAL_ERROR_AFTER = "internal error after"  # 500; it took effect
    SLOW_DOWN = "slow down"  # S3: 503 SlowDown; no effect
    CONFLICT = "conflict"  # S3, conditional PUT: 409 ConditionalRequestConflict; no effect
    THROTTLED = "throttled"  # DynamoDB: 400 ProvisionedThroughputExceededException; no effect

    def suits(self, request: AWSRequest) -> bool:
        """Whether this can happen to this request."""
        if self is Fault.CONFLICT:
            return request.is_conditional_put
        if self is Fault.SLOW_DOWN:
            return request.is_s3
        if self is Fault.THROTTLED:
            return not request.is_s3
        return True


class Gate:
    """Holds requests back, all that match, until the test decides what becomes of them; later ones pass."""

    def __init__(self) -> None:
        self._requests: list[AWSRequest] = []
        self._callbacks: list[Callable[[], None]] = []
        self._held = threading.Event()
        self._decision: bool | None = None
        self._lock = threading.Lock()

    def wait_until_held(self, timeout: float = 20) -> AWSRequest:
        """Waits until a request has come, and returns the first."""
        if not self._held.wait(timeout):
            raise AssertionError(f"No request came to be held within {timeout} s.")
        return self._requests[0]

    @property
    def held_count(self) -> int:
        """How many requests have come, tries of one among them."""
        return len(self._requests)

    def release(self) -> None:
        """Lets them go on, even where whoever sent them has gone: the network delivers them late."""
        self._decide(True)

    def drop(self) -> None:
        """Cuts their connections; they never take effect."""
        self._decide(False)

    def _decide(self, forwards: bool) -> None:
        with self._lock:
            if self._decision is not None:
                return
            self._decision = forwards
            callbacks = self._callbacks.copy()
        for callback in callbacks:
            callback()

    def hold(self, request: AWSRequest, on_decision: Callable[[], None]) -> None:
        """For the proxy: a request has come; `on_decision` is called when its fate is known."""
        with self._lock:
            self._requests.append(request)
            self._callbacks.append(on_decision)
            is_decided = self._decision is not None
        self._held.set()
        if is_decided:
            on_decision()

    @property
    def is_open(self) -> bool:
        """For the proxy: whether the test has decided, so that nothing is held any more."""
        return self._decision is not None

    @property
    def forwards(self) -> bool:
        """For the proxy: whether what is held goes on."""
        return bool(self._decision)


@dataclass
class _Expected:
    kind: str
    what: Fault | Gate
    matches: Matches
    times: int


@dataclass
class FaultPlan:
    """Decides what happens to each request. Exact orders come first, then probabilities."""

    dice: random.Random = field(default_factory=random.Random)
    injected: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    _expected: list[_Expected] = field(default_factory=list)
    _probabilities: dict[str, dict[Fault, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def order(self, kind: str, what: Fault | Gate, matches: Matches | None = None, times: int = 1) -> None:
        """This happens to the next requests of a kind: a fault to `times` of them, a gate until it is open."""
        with self._lock:
            self._expected.append(_Expected(kind, what, matches or (lambda _: True), times))

    def at_random(self, probabilities: dict[str, dict[Fault, float]], seed: int) -> None:
        """From now on these happen with these probabilities: by kind, or `s3` and `dynamodb` for all of a service."""
        with self._lock:
            self.dice = random.Random(seed)
            self._probabilities = probabilities

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        with self._lock:
            self._expected.clear()
            self._probabilities = {}

    def decide(self, request: AWSRequest) -> Fault | Gate | None:
        """For the proxy: what happens to this request."""
        with self._lock:
            what = self._next_order(request) or self._roll(request)
            if isinstance(what, Fault):
                self.injected[request.kind, what] += 1
            return what

    def _next_order(self, request: AWSRequest) -> Fault | Gate | None:
        self._expected = [each for each in self._expected if not (isinstance(each.what, Gate) and each.what.is_open)]
        for each in self._expected:
            if each.kind == request.kind and each.matches(request):
                if isinstance(each.what, Fault):
                    each.times -= 1
                    if each.times == 0:
                        self._expected.remove(each)
                return each.what
        return None

    def _roll(self, request: AWSRequest) -> Fault | None:
        kind = request.kind
        service = kind.split(".")[0]
        probabilities = self._probabilities.get(kind, self._probabilities.get(service, {}))
        value = self.dice.random()
        for fault, probability in probabilities.items():
            if fault.suits(request):
                if value < probability:
                    return fault
                value -= probability
        return None
