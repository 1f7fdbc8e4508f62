"""Alarms, and whom they tell."""

from __future__ import annotations

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from streams_infra.acknowledgments import acknowledge
from streams_infra.metrics import Metrics
from streams_infra.names import entity_name
from streams_infra.outputs import output
from streams_infra.routes import PRODUCE
from streams_infra.settings import Settings

_PERIOD = Duration.minutes(5)


def add_alarms(scope: Construct, metrics: Metrics, settings: Settings) -> sns.ITopic | None:
    """Adds the alarms; returns the topic that they write to, if any."""
    topic = _topic(scope, settings)
    alarms = [
        _alarm(
            scope, settings, "server-errors", metrics.api("5XXError", "Sum", period=_PERIOD), 1,
            "The API answered with 5xx: look at the access log and at the function's log.", periods=2),
        _alarm(
            scope, settings, "function-errors", metrics.function("Errors", "Sum", period=_PERIOD), 1,
            "Runs of the function failed: it crashed or ran out of time."),
        _alarm(
            scope, settings, "function-throttles", metrics.function("Throttles", "Sum", period=_PERIOD), 1,
            "Requests found no free copy of the function: raise its concurrency, or send larger batches."),
        _alarm(
            scope, settings, "store-throttles", metrics.own("Throttles", period=_PERIOD), 10,
            "S3 or DynamoDB asked to slow down: a topic takes about 1,000 batches a second; send larger batches."),
        _alarm(
            scope, settings, "produce-latency",
            metrics.route("Latency", "POST", PRODUCE, "p99", period=_PERIOD), settings.alarm_produce_milliseconds,
            "One produce in a hundred takes longer than it should.", periods=3),
        _alarm(
            scope, settings, "topics-closed", metrics.own("TopicsClosed", period=_PERIOD), 1,
            "A topic's counter is behind its messages, as after a restore; it opens again by itself."),
    ]
    if topic:
        for alarm in alarms:
            alarm.add_alarm_action(actions.SnsAction(topic))
            alarm.add_ok_action(actions.SnsAction(topic))
    return topic


def _alarm(
    scope: Construct, settings: Settings, name: str, metric: cloudwatch.Metric, threshold: float, description: str,
    periods: int = 1,
) -> cloudwatch.Alarm:
    construct_name = "Alarm" + "".join(part.capitalize() for part in name.split("-"))
    return cloudwatch.Alarm(
        scope, construct_name, alarm_name=entity_name(settings.prefix, name), alarm_description=description,
        metric=metric, threshold=threshold, evaluation_periods=periods,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        # Nothing to count is good news: an idle system has no data.
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING)


def _topic(scope: Construct, settings: Settings) -> sns.ITopic | None:
    if settings.alarm_topic_arn:
        return sns.Topic.from_topic_arn(scope, "AlarmTopic", settings.alarm_topic_arn)
    if not settings.alarm_email:
        return None
    topic = sns.Topic(
        scope, "AlarmTopic", topic_name=entity_name(settings.prefix, "alarms"), enforce_ssl=True)
    # A policy of its own takes the place of the default one, which lets the account's alarms in.
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com"), iam.ServicePrincipal("budgets.amazonaws.com")],
            actions=["sns:Publish"], resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID}}))
    topic.add_subscription(subscriptions.EmailSubscription(settings.alarm_email))
    acknowledge(topic, SNS2="Alarms hold numbers, no messages; CloudWatch can not write to AWS's own key for SNS.")
    output(scope, "AlarmTopicArn", topic.topic_arn, "Alarms are sent here; the mail address must confirm once.")
    return topic
