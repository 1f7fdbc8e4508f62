"""The stacks of one environment."""

from __future__ import annotations

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from streams_infra.api_stack import ApiStack
from streams_infra.data_stack import DataStack
from streams_infra.names import stack_name
from streams_infra.settings import Settings


def add_stacks(app: cdk.App, settings: Settings) -> tuple[DataStack, ApiStack]:
    """Adds both stacks, and has every synthesis checked by cdk-nag's rules for AWS Solutions.

    The stacks know of each other by names alone, so that each can be deployed and removed without the other's exports
    in the way; the dependency only gives the order.
    """
    data = DataStack(app, stack_name(settings.prefix, "Data"), settings)
    api = ApiStack(app, stack_name(settings.prefix, "Api"), settings)
    api.add_stack_dependency(data)
    cdk.Tags.of(app).add("application", "serverless-streams")
    cdk.Tags.of(app).add("environment", settings.prefix)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return data, api
