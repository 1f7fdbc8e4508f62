"""Log groups that the stack makes itself, so that they have a retention and go with it."""

from __future__ import annotations

from aws_cdk import RemovalPolicy
from aws_cdk import aws_logs as logs
from constructs import Construct

from streams_infra.settings import Settings


def log_group(scope: Construct, name: str, log_group_name: str, settings: Settings) -> logs.LogGroup:
    """A log group with the retention of the settings."""
    group = logs.LogGroup(scope, name, log_group_name=log_group_name, removal_policy=RemovalPolicy.DESTROY)
    resource = group.node.default_child
    assert isinstance(resource, logs.CfnLogGroup)
    resource.retention_in_days = settings.log_retention_days
    return group
