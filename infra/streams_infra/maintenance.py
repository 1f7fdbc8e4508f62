"""The schedule by which the function maintains the store."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from streams_infra.names import entity_name
from streams_infra.settings import Settings

# What the function takes for a wish to be maintained (docs/lambda.md); it refuses every other event of a schedule.
MAINTENANCE_EVENT = {"maintain": True}


def add_maintenance(scope: Construct, function: lambda_.Function, settings: Settings) -> None:
    """Adds the schedule, unless the settings turn it off."""
    if settings.maintenance_minutes == 0:
        return
    interval = Duration.minutes(settings.maintenance_minutes)
    events.Rule(
        scope, "Maintenance", rule_name=entity_name(settings.prefix, "maintenance"),
        description="Serverless Streams: merges small old objects, closes holes, deletes what was trimmed.",
        schedule=events.Schedule.rate(interval),
        targets=[targets.LambdaFunction(
            function, event=events.RuleTargetInput.from_object(MAINTENANCE_EVENT),
            # What is missed now, the next one does.
            retry_attempts=0, max_event_age=Duration.minutes(1))])
    function.configure_async_invoke(retry_attempts=0, max_event_age=Duration.minutes(1))
