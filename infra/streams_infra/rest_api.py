"""The REST API in front of the function: routes, CORS, throttling, logs."""

from __future__ import annotations

import json

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from streams_infra.acknowledgments import acknowledge, acknowledge_findings
from streams_infra.gateway_errors import add_gateway_errors
from streams_infra.logs import log_group
from streams_infra.names import entity_name
from streams_infra.routes import CONSUME, PRODUCE, REQUEST_HEADERS, STAGE, methods_by_path
from streams_infra.settings import Settings

# "Quotas for configuring and running a REST API": 29 s unless raised, 15 min for streamed answers.
_SECONDS_BUFFERED_MAX = 29
_SECONDS_STREAMED_MAX = 900

_ACCESS_LOG_FIELDS = {
    "requestId": "$context.requestId", "time": "$context.requestTimeEpoch", "ip": "$context.identity.sourceIp",
    "caller": "$context.identity.userArn", "method": "$context.httpMethod", "route": "$context.resourcePath",
    "path": "$context.path", "status": "$context.status", "bytes": "$context.responseLength",
    "milliseconds": "$context.responseLatency", "functionMilliseconds": "$context.integrationLatency",
    "functionStatus": "$context.integrationStatus", "error": "$context.error.responseType",
}


class StreamsRestApi(apigateway.RestApi):
    """Every route of the HTTP API, each with the access control of the settings."""

    def __init__(self, scope: Construct, function: lambda_.IFunction, settings: Settings) -> None:
        access_log = log_group(scope, "AccessLog", f"/aws/apigateway/{entity_name(settings.prefix, 'api')}", settings)
        super().__init__(
            scope, "Rest", rest_api_name=entity_name(settings.prefix, "api"),
            description="Serverless Streams: topics over plain HTTP.",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # As text, what is not UTF-8 would arrive changed, and be stored so instead of being refused.
            binary_media_types=["*/*"],
            cloud_watch_role=settings.gateway_log_role == "create",
            # Other APIs of the account may log through this role by the time that the stack goes.
            cloud_watch_role_removal_policy=(
                RemovalPolicy.RETAIN if settings.gateway_log_role == "create" else None),
            deploy_options=_stage(access_log, settings))
        # The output that the CDK adds; ours has a name that can be relied on.
        self.node.try_remove_child("Endpoint")
        self._add_routes(function, settings)
        add_gateway_errors(self, settings)
        self._name_execution_log(scope, settings)
        self._acknowledge(settings)

    def _add_routes(self, function: lambda_.IFunction, settings: Settings) -> None:
        integration = _integration(function, settings)
        for path, methods in methods_by_path().items():
            resource = self.root.resource_for_path(path)
            for method in methods:
                resource.add_method(
                    method, integration, api_key_required=settings.auth == "api-key",
                    authorization_type=(
                        apigateway.AuthorizationType.IAM if settings.auth == "iam"
                        else apigateway.AuthorizationType.NONE))
            # Browsers send neither signature nor key with a preflight.
            preflight = resource.add_cors_preflight(
                allow_origins=list(settings.allowed_origins), allow_methods=methods,
                allow_headers=list(REQUEST_HEADERS), max_age=Duration.hours(2))
            # Templates are applied to text only, and all media types are binary here.
            answer = preflight.node.default_child
            assert isinstance(answer, apigateway.CfnMethod)
            answer.add_property_override("Integration.ContentHandling", "CONVERT_TO_TEXT")

    def _name_execution_log(self, scope: Construct, settings: Settings) -> None:
        # API Gateway would make this group itself with the first error, without a retention, and leave it behind.
        group = log_group(
            scope, "ExecutionLog", f"API-Gateway-Execution-Logs_{self.rest_api_id}/{STAGE}", settings)
        self.deployment_stage.node.add_dependency(group)

    def _acknowledge(self, settings: Settings) -> None:
        acknowledge(
            self, APIG2="The function checks all of a request, and answers with the API's own errors.",
            COG4="Callers are programs: they sign requests or send a key; there is no pool of human users.")
        acknowledge(
            self.deployment_stage,
            APIG3="A web ACL costs as much each month as millions of requests; the stage is throttled instead.")
        acknowledge(self, APIG4={
            "iam": "All methods ask for signatures but OPTIONS, which browsers send without.",
            "api-key": "The operator chose auth=api-key: all methods ask for the key but OPTIONS.",
            "none": "The operator chose auth=none by name, and is warned at each synthesis.",
        }[settings.auth])
        if settings.gateway_log_role == "create":
            acknowledge_findings(self, {
                "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
                "AmazonAPIGatewayPushToCloudWatchLogs]": "AWS's own policy for this one purpose."})


def _integration(function: lambda_.IFunction, settings: Settings) -> apigateway.LambdaIntegration:
    if not settings.streaming:
        return apigateway.LambdaIntegration(
            function, scope_permission_to_method=False, timeout=Duration.seconds(_SECONDS_BUFFERED_MAX))
    return apigateway.LambdaIntegration(
        function, scope_permission_to_method=False,
        response_transfer_mode=apigateway.ResponseTransferMode.STREAM,
        # Starting the function is not part of its own timeout.
        timeout=Duration.seconds(min(settings.timeout_seconds + 1, _SECONDS_STREAMED_MAX)))


def _stage(access_log: logs.ILogGroup, settings: Settings) -> apigateway.StageOptions:
    options = {
        "throttling_rate_limit": settings.throttle_rate, "throttling_burst_limit": settings.throttle_burst,
        "logging_level": apigateway.MethodLoggingLevel.ERROR, "data_trace_enabled": False}
    # Latency by route, for the two that matter: each metric costs.
    measured = apigateway.MethodDeploymentOptions(**options, metrics_enabled=True)
    return apigateway.StageOptions(
        stage_name=STAGE, **options,
        access_log_destination=apigateway.LogGroupLogDestination(access_log),
        access_log_format=apigateway.AccessLogFormat.custom(json.dumps(_ACCESS_LOG_FIELDS)),
        method_options={f"{PRODUCE}/POST": measured, f"{CONSUME}/GET": measured})
