"""Who may call the API: policies for signers, or a key."""

from __future__ import annotations

from aws_cdk import Annotations, Aws
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from constructs import Construct

from streams_infra.acknowledgments import acknowledge_findings
from streams_infra.names import entity_name
from streams_infra.outputs import output
from streams_infra.routes import ROUTES, STAGE, Route
from streams_infra.settings import Settings


def add_access(scope: Construct, api: apigateway.RestApi, settings: Settings) -> None:
    """Adds what the setting `auth` asks for."""
    if settings.auth == "iam":
        _add_policy(scope, api, "Producer", "append messages", [route for route in ROUTES if route.producers])
        _add_policy(scope, api, "Consumer", "read messages", [route for route in ROUTES if route.consumers])
    elif settings.auth == "api-key":
        _add_key(scope, api, settings)
    else:
        Annotations.of(scope).add_warning_v2(
            "serverless-streams:auth-none",
            "auth=none: whoever knows the URL can append and read, and what that costs is on your bill.")


def _add_policy(
    scope: Construct, api: apigateway.RestApi, caller: str, purpose: str, routes: list[Route],
) -> None:
    resources = [api_route_arn(api.rest_api_id, route) for route in routes]
    policy = iam.ManagedPolicy(
        scope, f"{caller}Policy", description=f"May {purpose} through the Serverless Streams API.",
        statements=[iam.PolicyStatement(actions=["execute-api:Invoke"], resources=resources)])
    output(scope, f"{caller}PolicyArn", policy.managed_policy_arn, f"Attach it to who may {purpose}.")
    rest = scope.get_logical_id(api.node.default_child)  # type: ignore[attr-defined]
    acknowledge_findings(policy, {
        f"IAM5[Resource::arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<{rest}>/{STAGE}/"
        f"{route.resource_arn_suffix()}]": "The star stands for the topic's name, and topics come and go."
        for route in routes if "*" in route.resource_arn_suffix()})


def api_route_arn(rest_api_id: str, route: Route) -> str:
    """The ARN of a route, as IAM checks it."""
    return (f"arn:{Aws.PARTITION}:execute-api:{Aws.REGION}:{Aws.ACCOUNT_ID}:{rest_api_id}/{STAGE}/"
            f"{route.resource_arn_suffix()}")


def _add_key(scope: Construct, api: apigateway.RestApi, settings: Settings) -> None:
    key = apigateway.ApiKey(
        scope, "ApiKey", api_key_name=entity_name(settings.prefix, "key"),
        description="Calls the Serverless Streams API.")
    plan = apigateway.UsagePlan(
        scope, "UsagePlan", name=entity_name(settings.prefix, "plan"),
        api_stages=[apigateway.UsagePlanPerApiStage(api=api, stage=api.deployment_stage)],
        throttle=apigateway.ThrottleSettings(
            rate_limit=settings.throttle_rate, burst_limit=settings.throttle_burst))
    plan.add_api_key(key)
    output(scope, "ApiKeyId", key.key_id, "Shown by: aws apigateway get-api-key --include-value --api-key ID")
