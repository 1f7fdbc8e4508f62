"""What a deployment costs, from list prices, for three loads: `python -m streams_infra.costs` prints the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from streams_infra import prices
from streams_infra.metrics import FUNCTION_METRICS

_GIGABYTE = 1e9
# What maintenance merges (Sources/StreamsCore/Maintenance/MaintenanceSettings.swift): most objects and bytes in one, and
# the fewest objects that are worth it.
MERGED_OBJECTS = 125
MERGED_BYTES = 1024 * 1024
MERGED_OBJECTS_MINIMUM = 16
# Estimates, to be held against one's own dashboard: run time and log bytes of a request, at 256 MB on ARM.
_PRODUCE_SECONDS = 0.050
_CONSUME_SECONDS = 0.040
_FUNCTION_GIGABYTES = 0.25
# A maintenance: how long it runs, and for how much longer for each object that it looks at. One topic is looked at.
_MAINTENANCES = 720
_MAINTENANCE_SECONDS = 0.3
_MAINTAINED_OBJECT_SECONDS = 0.004
# What the maintenance of a store without topics counts each hour: a cold start, a query, a list.
_MAINTENANCE_METRICS = 3
# The access log's line, Lambda's three lines, and the lines of metrics.
_LOG_BYTES = 2_000
# Six counts of each of the two routes that are measured.
_ROUTE_METRICS = 12
_ALARMS = 6


@dataclass(frozen=True)
class Load:
    """What happens in a month of 30 days."""

    name: str
    messages: int
    # How many messages one request appends, and how many readers read each message, so many at once.
    messages_per_produce: int
    readers: int
    messages_per_consume: int
    message_bytes: int
    # Consumes that find nothing new.
    idle_consumes: int

    @property
    def produces(self) -> float:
        """Requests that append."""
        return self.messages / self.messages_per_produce

    @property
    def consumes(self) -> float:
        """Requests that read."""
        return self.messages * self.readers / self.messages_per_consume + self.idle_consumes

    @property
    def gigabytes(self) -> float:
        """What is appended in a month; with 30 days of retention that is also what is stored."""
        return self.messages * self.message_bytes / _GIGABYTE


LOADS = (
    Load("idle: nothing is sent", 0, 1, 0, 1, 1_000, 0),
    Load("small: 100,000 single messages", 100_000, 1, 1, 10, 1_000, 100_000),
    Load("medium: 10 million, 10 a request", 10_000_000, 10, 2, 100, 1_000, 500_000),
    Load("large: 1 billion, 200 a request", 1_000_000_000, 200, 3, 1_000, 500, 2_000_000),
)


def _gateway(load: Load) -> float:
    return (load.produces + load.consumes) * prices.GATEWAY_REQUEST


def _function(load: Load) -> float:
    seconds = load.produces * _PRODUCE_SECONDS + load.consumes * _CONSUME_SECONDS
    return ((load.produces + load.consumes) * prices.FUNCTION_REQUEST
            + seconds * _FUNCTION_GIGABYTES * prices.FUNCTION_GIGABYTE_SECOND["arm64"])


def _table(load: Load) -> float:
    # An append is one write, a read looks at the counter once.
    return load.produces * prices.TABLE_WRITE + load.consumes * prices.TABLE_READ_STRONG


def _bucket_requests(load: Load) -> float:
    # Each append is one object. A reader that is behind lists, and gets each object.
    reads = load.messages * load.readers / load.messages_per_consume
    objects_read = load.produces * load.readers
    return (load.produces + reads) * prices.BUCKET_WRITE + objects_read * prices.BUCKET_READ


def _storage(load: Load) -> float:
    return load.gigabytes * prices.BUCKET_GIGABYTE_MONTH


def _transfer(load: Load) -> float:
    return load.gigabytes * load.readers * prices.TRANSFER_GIGABYTE


def _maintenance(load: Load) -> float:
    """What the schedule costs with its default setting: hourly, the function's time included."""
    objects = load.produces
    run = min(MERGED_OBJECTS, MERGED_BYTES // (load.messages_per_produce * load.message_bytes))
    merged = objects / run if run >= MERGED_OBJECTS_MINIMUM else 0
    topics = 1 if load.messages else 0
    seconds = _MAINTENANCES * _MAINTENANCE_SECONDS + objects * _MAINTAINED_OBJECT_SECONDS
    # All topics are listed, in the table and in the bucket. In each topic two items are read, and a list and a few young
    # objects; then each old object once, a list for each thousand of them, and a write for each run.
    return (_MAINTENANCES * (prices.FUNCTION_REQUEST + prices.TABLE_READ_EVENTUAL + prices.BUCKET_WRITE)
            + _MAINTENANCES * topics * (2 * prices.TABLE_READ_STRONG + prices.BUCKET_WRITE + 3 * prices.BUCKET_READ)
            + objects * prices.BUCKET_READ + (objects / 1000 + merged) * prices.BUCKET_WRITE
            + seconds * _FUNCTION_GIGABYTES * prices.FUNCTION_GIGABYTE_SECOND["arm64"])


def _logs(load: Load) -> float:
    return (load.produces + load.consumes) * _LOG_BYTES / _GIGABYTE * prices.LOG_GIGABYTE


def _watching(load: Load) -> float:
    # Metrics are paid for in the hours in which they are written.
    metrics = (
        len(FUNCTION_METRICS) + len(prices.AWS_REQUESTS) + _ROUTE_METRICS if load.messages else _MAINTENANCE_METRICS)
    return prices.DASHBOARD_MONTH + _ALARMS * prices.ALARM_MONTH + metrics * prices.METRIC_MONTH


PARTS: dict[str, Callable[[Load], float]] = {
    "API Gateway": _gateway,
    "Lambda": _function,
    "DynamoDB": _table,
    "S3 requests": _bucket_requests,
    "maintenance, hourly": _maintenance,
    "S3 storage": _storage,
    "transfer to the internet": _transfer,
    "logs": _logs,
    "dashboard, alarms, metrics": _watching,
}


def table() -> str:
    """The table in Markdown: dollars a month."""
    rows = [["dollars a month", *(load.name for load in LOADS)], ["---", *("---:" for _ in LOADS)]]
    rows += [[name, *(f"{part(load):,.2f}" for load in LOADS)] for name, part in PARTS.items()]
    totals = [sum(part(load) for part in PARTS.values()) for load in LOADS]
    rows.append(["**all**", *(f"**{total:,.2f}**" for total in totals)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    print(table())
