"""What the last hour cost, as a formula over metrics."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from streams_infra import prices
from streams_infra.metrics import Metrics

HOUR = Duration.hours(1)


def hourly_cost(metrics: Metrics) -> cloudwatch.MathExpression:
    """Requests and run time times list prices. Storage, transfer and logs are not in it."""
    settings = metrics.settings
    gigabytes = settings.memory_megabytes / 1024
    parts = {
        "gateway": (metrics.api("Count", "Sum", "requests", HOUR), prices.GATEWAY_REQUEST),
        "invocations": (metrics.function("Invocations", "Sum", "invocations", HOUR), prices.FUNCTION_REQUEST),
        "milliseconds": (
            metrics.function("Duration", "Sum", "run time", HOUR),
            prices.FUNCTION_GIGABYTE_SECOND[settings.architecture] * gigabytes / 1000),
    }
    for operation, price in prices.AWS_REQUESTS.items():
        parts[variable(operation)] = (metrics.aws_requests(operation, HOUR), price)
    return cloudwatch.MathExpression(
        # An operation without any request has no data, which would leave the whole sum without.
        expression=" + ".join(f"FILL({name}, 0) * {price:.12f}" for name, (_, price) in parts.items()),
        using_metrics={name: metric for name, (metric, _) in parts.items()}, period=HOUR, label="dollars an hour")


def variable(operation: str) -> str:
    """The name of an operation's count in the formula: `s3.PutObject` is `s3_PutObject`."""
    return operation.replace(".", "_")
