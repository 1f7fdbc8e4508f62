"""The API stack, fact by fact: function, routes, CORS, throttling, logs, outputs."""

from __future__ import annotations

import json

import pytest

from streams_infra.routes import ROUTES
from synthesis import Synthesis, only, plain, resources


def test_the_function_runs_the_packed_program_on_arm(default: Synthesis) -> None:
    function = only(default.api, "AWS::Lambda::Function")
    assert plain(function["FunctionName"]) == "sls-streams-api-<AWS::AccountId>"
    assert (function["Runtime"], function["Handler"]) == ("provided.al2023", "bootstrap")
    assert function["Architectures"] == ["arm64"]
    assert (function["MemorySize"], function["Timeout"]) == (256, 28)
    assert "ReservedConcurrentExecutions" not in function


def test_the_function_gets_its_settings(default: Synthesis, everything: Synthesis, with_key: Synthesis) -> None:
    def variables(synthesis: Synthesis) -> dict[str, str]:
        found = only(synthesis.api, "AWS::Lambda::Function")["Environment"]["Variables"]
        return {name: plain(value) for name, value in found.items()}

    assert variables(default) == {
        "BUCKET_NAME": "sls-streams-messages-<AWS::AccountId>",
        "COUNTERS_TABLE": "sls-streams-counters-<AWS::AccountId>", "LOG_LEVEL": "info", "STREAMS_RETENTION": "30d",
        "STREAMS_ALLOWED_ORIGINS": "*"}
    assert variables(everything)["STREAMS_RESPONSE_STREAMING"] == "true"
    assert variables(everything)["STREAMS_RETENTION"] == "7d"
    assert variables(everything)["LOG_LEVEL"] == "debug"
    assert variables(with_key)["STREAMS_ALLOWED_ORIGINS"] == "https://app.example.com,https://admin.example.com"


def test_the_functions_bucket_and_table_are_those_of_the_data_stack(default: Synthesis, with_key: Synthesis) -> None:
    for synthesis in (default, with_key):
        variables = only(synthesis.api, "AWS::Lambda::Function")["Environment"]["Variables"]
        assert variables["BUCKET_NAME"] == only(synthesis.data, "AWS::S3::Bucket")["BucketName"]
        assert variables["COUNTERS_TABLE"] == only(synthesis.data, "AWS::DynamoDB::Table")["TableName"]


def test_the_function_can_be_bounded(everything: Synthesis) -> None:
    function = only(everything.api, "AWS::Lambda::Function")
    assert (function["ReservedConcurrentExecutions"], function["Timeout"]) == (50, 300)


def test_all_logs_are_the_stacks_own_and_end(default: Synthesis, everything: Synthesis) -> None:
    for synthesis, days in ((default, 30), (everything, 7)):
        groups = resources(synthesis.api, "AWS::Logs::LogGroup")
        assert all(group["Properties"]["RetentionInDays"] == days for group in groups.values())
        assert all(group["DeletionPolicy"] == "Delete" for group in groups.values())
        names = {plain(group["Properties"]["LogGroupName"]).split("_<")[0] for group in groups.values()}
        assert names == {
            "/aws/apigateway/sls-streams-api-<AWS::AccountId>", "/aws/lambda/sls-streams-api-<AWS::AccountId>",
            "API-Gateway-Execution-Logs"}
        assert not [each for each in synthesis.api["Resources"].values() if each["Type"].startswith("Custom::")]
        function = only(synthesis.api, "AWS::Lambda::Function")
        assert plain(function["LoggingConfig"]["LogGroup"]).strip("<>") in groups


def _methods(synthesis: Synthesis) -> dict[tuple[str, str], dict]:
    """All methods by method and path."""
    nodes = resources(synthesis.api, "AWS::ApiGateway::Resource")

    def path(reference: dict) -> str:
        name = plain(reference).strip("<>")
        if name not in nodes:
            assert name.endswith("RootResourceId")
            return ""
        node = nodes[name]["Properties"]
        return f"{path(node['ParentId'])}/{node['PathPart']}"

    return {
        (each["Properties"]["HttpMethod"], path(each["Properties"]["ResourceId"]) or "/"): each["Properties"]
        for each in resources(synthesis.api, "AWS::ApiGateway::Method").values()}


def test_every_route_calls_the_function_and_nothing_else_does(default: Synthesis) -> None:
    methods = _methods(default)
    proxied = {key for key, each in methods.items() if each["Integration"]["Type"] == "AWS_PROXY"}
    assert proxied == {(route.method, route.path) for route in ROUTES}
    for key in proxied:
        integration = methods[key]["Integration"]
        assert integration["IntegrationHttpMethod"] == "POST"
        assert plain(integration["Uri"]).endswith("/invocations")
        assert integration["TimeoutInMillis"] == 29000
        assert "ResponseTransferMode" not in integration


def test_with_streaming_all_routes_are_streamed(everything: Synthesis) -> None:
    # The function can not tell from an event which form of answer is wanted, so there is one for all.
    for (method, _), each in _methods(everything).items():
        if method == "OPTIONS":
            continue
        assert each["Integration"]["ResponseTransferMode"] == "STREAM"
        assert plain(each["Integration"]["Uri"]).endswith("/response-streaming-invocations")
        assert each["Integration"]["TimeoutInMillis"] == 301000


def test_preflights_are_answered_for_every_path(default: Synthesis, with_key: Synthesis) -> None:
    for synthesis in (default, with_key):
        methods = _methods(synthesis)
        for path in {route.path for route in ROUTES}:
            preflight = methods["OPTIONS", path]
            assert preflight["AuthorizationType"] == "NONE"
            assert not preflight.get("ApiKeyRequired")
            assert preflight["Integration"]["Type"] == "MOCK"
            (answer,) = preflight["Integration"]["IntegrationResponses"]
            headers = answer["ResponseParameters"]
            allowed = headers["method.response.header.Access-Control-Allow-Methods"].strip("'").split(",")
            assert set(allowed) == {route.method for route in ROUTES if route.path == path}
            assert "Idempotency-Key" in headers["method.response.header.Access-Control-Allow-Headers"]
    origin = "method.response.header.Access-Control-Allow-Origin"
    (answer,) = _methods(default)["OPTIONS", "/topics"]["Integration"]["IntegrationResponses"]
    assert answer["ResponseParameters"][origin] == "'*'"
    (answer,) = _methods(with_key)["OPTIONS", "/topics"]["Integration"]["IntegrationResponses"]
    assert answer["ResponseParameters"][origin] == "'https://app.example.com'"
    assert "https://admin.example.com" in answer["ResponseTemplates"]["application/json"]


def test_the_stage_is_throttled_and_logged(default: Synthesis) -> None:
    stage = only(default.api, "AWS::ApiGateway::Stage")
    assert stage["StageName"] == "v1"
    settings = {each["ResourcePath"]: each for each in stage["MethodSettings"]}
    assert set(settings) == {"/*", "/~1topics~1{topic}~1produce", "/~1topics~1{topic}~1consume"}
    for each in settings.values():
        assert (each["ThrottlingRateLimit"], each["ThrottlingBurstLimit"]) == (500, 1000)
        assert each["LoggingLevel"] == "ERROR"
        # Requests and answers hold messages: they are not logged.
        assert each["DataTraceEnabled"] is False
    assert [path for path, each in settings.items() if each.get("MetricsEnabled")] == [
        path for path in settings if path != "/*"]
    fields = json.loads(stage["AccessLogSetting"]["Format"])
    assert {"requestId", "status", "caller", "route", "milliseconds"} <= set(fields)
    assert ":log-group:<AccessLog" in plain(stage["AccessLogSetting"]["DestinationArn"])


def test_the_log_of_errors_is_there_before_api_gateway_would_make_it(default: Synthesis) -> None:
    ((_, stage),) = resources(default.api, "AWS::ApiGateway::Stage").items()
    groups = resources(default.api, "AWS::Logs::LogGroup")
    (name,) = [
        name for name, group in groups.items()
        if plain(group["Properties"]["LogGroupName"]).startswith("API-Gateway-Execution-Logs_<")]
    assert plain(groups[name]["Properties"]["LogGroupName"]).endswith(">/v1")
    assert name in stage["DependsOn"]


def test_the_accounts_log_role_is_made_or_left_alone(default: Synthesis, with_key: Synthesis) -> None:
    ((_, account),) = resources(default.api, "AWS::ApiGateway::Account").items()
    assert account["DeletionPolicy"] == "Retain"
    assert not resources(with_key.api, "AWS::ApiGateway::Account")


def test_bodies_arrive_as_they_were_sent(default: Synthesis) -> None:
    assert only(default.api, "AWS::ApiGateway::RestApi")["BinaryMediaTypes"] == ["*/*"]
    for (method, _), each in _methods(default).items():
        # The template that answers a preflight is applied to text only.
        expected = "CONVERT_TO_TEXT" if method == "OPTIONS" else None
        assert each["Integration"].get("ContentHandling") == expected


def test_the_endpoint_is_regional(default: Synthesis) -> None:
    # The edge-optimised kind ends idle streams after 30 s, and costs a hop for callers in the region.
    assert only(default.api, "AWS::ApiGateway::RestApi")["EndpointConfiguration"] == {"Types": ["REGIONAL"]}


@pytest.mark.parametrize("name", ["default", "everything", "with_key", "open_to_all"])
def test_the_outputs_are_those_that_were_promised(name: str, request: pytest.FixtureRequest) -> None:
    synthesis: Synthesis = request.getfixturevalue(name)
    outputs = {name: plain(each["Value"]) for name, each in synthesis.api["Outputs"].items()}
    expected = {"ApiUrl", "ProduceEndpoint", "ConsumeEndpoint", "LambdaFunctionName"}
    expected |= {
        "default": {"ProducerPolicyArn", "ConsumerPolicyArn"}, "with_key": {"ApiKeyId"}, "open_to_all": set(),
        "everything": {"ProducerPolicyArn", "ConsumerPolicyArn", "AlarmTopicArn"}}[name]
    assert set(outputs) == expected
    assert outputs["ApiUrl"].startswith("https://") and not outputs["ApiUrl"].endswith("/")
    assert outputs["ProduceEndpoint"] == outputs["ApiUrl"] + "/topics/{topic}/produce"
    assert outputs["ConsumeEndpoint"] == outputs["ApiUrl"] + "/topics/{topic}/consume"
