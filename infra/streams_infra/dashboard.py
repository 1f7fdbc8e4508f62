"""The dashboard: what happens, how well, and what it costs."""

from __future__ import annotations

from typing import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from streams_infra import prices
from streams_infra.estimate import hourly_cost
from streams_infra.metrics import Metrics
from streams_infra.names import entity_name
from streams_infra.routes import CONSUME, PRODUCE
from streams_infra.settings import Settings


def add_dashboard(scope: Construct, metrics: Metrics, settings: Settings) -> None:
    """Adds the dashboard."""
    dashboard = cloudwatch.Dashboard(scope, "Dashboard", dashboard_name=entity_name(settings.prefix, "dashboard"))
    dashboard.add_widgets(
        _graph("Requests a minute", [
            metrics.route("Count", "POST", PRODUCE, "Sum", "produce"),
            metrics.route("Count", "GET", CONSUME, "Sum", "consume"),
            metrics.api("Count", "Sum", "all")]),
        _graph("Produce: latency", [
            metrics.route("Latency", "POST", PRODUCE, statistic, statistic) for statistic in ("p50", "p99")], "ms"),
        _graph("Consume: latency, waiting for messages included", [
            metrics.route("Latency", "GET", CONSUME, statistic, statistic) for statistic in ("p50", "p99")], "ms"))
    dashboard.add_widgets(
        _graph("Errors", [
            metrics.api("5XXError", "Sum", "5xx answers"), metrics.api("4XXError", "Sum", "4xx answers"),
            metrics.function("Errors", "Sum", "failed runs")]),
        _graph("Throttled", [
            metrics.function("Throttles", "Sum", "function: too many at once"),
            metrics.own("Throttles", "S3 and DynamoDB asked to slow down")]),
        _graph("Function", [
            metrics.function("ConcurrentExecutions", "Maximum", "at once"),
            metrics.own("ColdStarts", "cold starts"),
            metrics.function("Invocations", "Sum", "runs")]))
    dashboard.add_widgets(
        _graph("Appends", [
            metrics.own("AppendRequests", "appends"), metrics.own("MessagesAppended", "messages"),
            metrics.own("SegmentsWritten", "segments")]),
        _graph("Holes", [
            metrics.own("FillersWritten", "fillers"), metrics.own("ClaimsTakenAnew", "claims taken anew"),
            metrics.own("TopicsClosed", "topics closed: counter behind its messages")]),
        _graph("Run time of the function", [
            metrics.function("Duration", statistic, statistic) for statistic in ("p50", "p99")], "ms"))
    dashboard.add_widgets(
        _graph("Requests to AWS", [metrics.aws_requests(operation) for operation in prices.AWS_REQUESTS], width=12),
        _graph(
            f"Estimated cost: dollars an hour, list prices of {prices.REGION} at {prices.AS_OF}; "
            "without storage, transfer and logs", [hourly_cost(metrics)], "$", width=12))


def _graph(
    title: str, metrics: Sequence[cloudwatch.IMetric], unit: str | None = None, width: int = 8,
) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(
        title=title, left=list(metrics), width=width, height=6,
        left_y_axis=cloudwatch.YAxisProps(min=0, label=unit, show_units=False))
