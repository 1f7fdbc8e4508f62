"""What operators see: dashboard, alarms, budget."""

from __future__ import annotations

import json
import re

import pytest

from calls import called_operations
from streams_infra import prices
from streams_infra.metrics import (
    FUNCTION_DIMENSION, FUNCTION_METRICS, NAMESPACE, OPERATION_DIMENSION, REQUEST_METRIC)
from streams_infra.permissions import BUCKET_ACTIONS, OBJECT_ACTIONS
from synthesis import REPOSITORY, Synthesis, only, plain, resources


def _widgets(synthesis: Synthesis) -> dict[str, list]:
    """The metrics of each widget, by title."""
    body = json.loads(plain(only(synthesis.api, "AWS::CloudWatch::Dashboard")["DashboardBody"]))
    return {each["properties"]["title"]: each["properties"]["metrics"] for each in body["widgets"]}


def test_the_dashboard_shows_what_an_operator_asks_for(default: Synthesis) -> None:
    text = json.dumps(_widgets(default))
    for metric in (*FUNCTION_METRICS, "AWSRequests", "Count", "Latency", "5XXError", "4XXError", "Errors",
                   "ConcurrentExecutions", "Duration"):
        assert f'"{metric}"' in text, metric
    widgets = _widgets(default)
    for title in ("Produce: latency", "Consume: latency, waiting for messages included"):
        assert {each[-1]["stat"] for each in widgets[title]} == {"p50", "p99"}
    assert [each[-1]["label"] for each in widgets["Requests a minute"]] == ["produce", "consume", "all"]


def test_the_metrics_are_those_that_the_function_writes() -> None:
    source = (REPOSITORY / "Sources/StreamsLambda/MetricLine.swift").read_text()
    assert set(re.findall(r'metric: "(\w+)"', source)) == {*FUNCTION_METRICS, REQUEST_METRIC}
    assert f'namespace = "{NAMESPACE}"' in source
    assert f'[["{FUNCTION_DIMENSION}","{OPERATION_DIMENSION}"]]' in source


def test_routes_are_shown_only_where_their_metrics_are_turned_on(default: Synthesis) -> None:
    measured = {
        (each["HttpMethod"], each["ResourcePath"].replace("/~1", "/").replace("~1", "/"))
        for each in only(default.api, "AWS::ApiGateway::Stage")["MethodSettings"] if each.get("MetricsEnabled")}
    shown = {
        (dimensions["Method"], dimensions["Resource"])
        for metrics in _widgets(default).values() for dimensions in map(_dimensions, metrics)
        if "Method" in dimensions}
    assert shown == measured


def _dimensions(metric: list) -> dict[str, str]:
    names = [part for part in metric[2:] if isinstance(part, str)]
    return dict(zip(names[::2], names[1::2]))


def test_every_operation_that_is_called_is_shown_and_has_a_price(default: Synthesis) -> None:
    called = {
        ("s3." if operation in OBJECT_ACTIONS | BUCKET_ACTIONS else "dynamodb.") + operation
        for operation in called_operations()}
    assert set(prices.AWS_REQUESTS) == called
    shown = {_dimensions(metric).get("operation") for metric in _widgets(default)["Requests to AWS"]}
    assert shown == called


def test_the_estimate_adds_up_requests_and_run_time(default: Synthesis) -> None:
    ((title, metrics),) = [each for each in _widgets(default).items() if each[0].startswith("Estimated cost")]
    assert prices.AS_OF in title and prices.REGION in title
    (expression,) = [each[0]["expression"] for each in metrics if isinstance(each[0], dict)]
    ids = {each[-1]["id"] for each in metrics if isinstance(each[0], str)}
    assert set(re.findall(r"FILL\((\w+), 0\)", expression)) == ids
    assert all(re.fullmatch(r"[a-z]\w*", each) for each in ids), "CloudWatch: an id begins with a lower-case letter"
    # A million of each, and a million seconds of a quarter gigabyte.
    counts = {"milliseconds": 1e9} | {name: 1e6 for name in ids - {"milliseconds"}}
    dollars = eval(expression, {"FILL": lambda value, _: value}, counts)  # noqa: S307 (our own text)
    expected = 3.50 + 0.20 + 1e6 * 0.25 * 0.0000133334 + sum(prices.AWS_REQUESTS.values()) * 1e6
    assert dollars == pytest.approx(expected, rel=1e-3)


def test_alarms_watch_errors_throttles_and_latency(default: Synthesis) -> None:
    alarms = {
        plain(each["Properties"]["AlarmName"]).removesuffix("-<AWS::AccountId>"): each["Properties"]
        for each in resources(default.api, "AWS::CloudWatch::Alarm").values()}
    metrics = {name.removeprefix("sls-streams-"): each["MetricName"] for name, each in alarms.items()}
    assert metrics == {
        "server-errors": "5XXError", "function-errors": "Errors", "function-throttles": "Throttles",
        "store-throttles": "Throttles", "produce-latency": "Latency", "topics-closed": "TopicsClosed"}
    latency = alarms["sls-streams-produce-latency"]
    assert (latency["ExtendedStatistic"], latency["Threshold"]) == ("p99", 3000)
    for each in alarms.values():
        assert each["TreatMissingData"] == "notBreaching", "an idle system would alarm"
        assert len(each["AlarmDescription"]) > 30
        assert "AlarmActions" not in each


def test_alarms_are_sent_to_whom_the_settings_name(everything: Synthesis) -> None:
    ((name, _),) = resources(everything.api, "AWS::SNS::Topic").items()
    subscription = only(everything.api, "AWS::SNS::Subscription")
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "operator@example.com")
    for each in resources(everything.api, "AWS::CloudWatch::Alarm").values():
        assert each["Properties"]["AlarmActions"] == each["Properties"]["OKActions"] == [{"Ref": name}]
    # The topic's own policy takes the place of the one that would let alarms in.
    statements = only(everything.api, "AWS::SNS::TopicPolicy")["PolicyDocument"]["Statement"]
    (allowed,) = [each for each in statements if each["Effect"] == "Allow"]
    assert allowed["Action"] == "sns:Publish" and "cloudwatch.amazonaws.com" in allowed["Principal"]["Service"]


def test_a_budget_is_there_where_it_was_asked_for(default: Synthesis, everything: Synthesis) -> None:
    assert not resources(default.api, "AWS::Budgets::Budget")
    budget = only(everything.api, "AWS::Budgets::Budget")
    assert budget["Budget"]["BudgetLimit"] == {"Amount": 20, "Unit": "USD"}
    assert budget["Budget"]["TimeUnit"] == "MONTHLY"
    for each in budget["NotificationsWithSubscribers"]:
        assert each["Subscribers"] == [{"Address": "operator@example.com", "SubscriptionType": "EMAIL"}]
