"""The metrics that the dashboard and the alarms look at: AWS's own, and those that the function writes.

The function writes its metrics as lines of its log (CloudWatch User Guide, "Specification: Embedded metric format");
Sources/StreamsLambda has the other half, and a test holds the two against each other.
"""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_

from streams_infra.prices import AWS_REQUESTS
from streams_infra.routes import STAGE
from streams_infra.settings import Settings

NAMESPACE = "ServerlessStreams"
FUNCTION_DIMENSION = "function"
OPERATION_DIMENSION = "operation"

# By the dimension `function`.
FUNCTION_METRICS = (
    "AppendRequests", "MessagesAppended", "SegmentsWritten", "FillersWritten", "ClaimsTakenAnew", "TopicsClosed",
    "ColdStarts", "Throttles")
# By the dimensions `function` and `operation`.
REQUEST_METRIC = "AWSRequests"

MINUTE = Duration.minutes(1)


class Metrics:
    """Makes the metrics of one deployment."""

    def __init__(self, api: apigateway.RestApi, function: lambda_.IFunction, settings: Settings) -> None:
        self._api_name = api.rest_api_name
        self._function_name = function.function_name
        self.settings = settings

    def own(self, name: str, label: str | None = None, period: Duration = MINUTE) -> cloudwatch.Metric:
        """A metric that the function writes, summed up."""
        assert name in FUNCTION_METRICS
        return cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=name, dimensions_map={FUNCTION_DIMENSION: self._function_name},
            statistic="Sum", period=period, label=label)

    def aws_requests(self, operation: str, period: Duration = MINUTE) -> cloudwatch.Metric:
        """The requests that the function sent to AWS, of one operation."""
        assert operation in AWS_REQUESTS
        return cloudwatch.Metric(
            namespace=NAMESPACE, metric_name=REQUEST_METRIC,
            dimensions_map={FUNCTION_DIMENSION: self._function_name, OPERATION_DIMENSION: operation},
            statistic="Sum", period=period, label=operation)

    def function(
        self, name: str, statistic: str, label: str | None = None, period: Duration = MINUTE,
    ) -> cloudwatch.Metric:
        """A metric of Lambda."""
        return cloudwatch.Metric(
            namespace="AWS/Lambda", metric_name=name, dimensions_map={"FunctionName": self._function_name},
            statistic=statistic, period=period, label=label)

    def api(
        self, name: str, statistic: str, label: str | None = None, period: Duration = MINUTE,
    ) -> cloudwatch.Metric:
        """A metric of API Gateway over all routes."""
        return cloudwatch.Metric(
            namespace="AWS/ApiGateway", metric_name=name,
            dimensions_map={"ApiName": self._api_name, "Stage": STAGE}, statistic=statistic, period=period,
            label=label)

    def route(
        self, name: str, method: str, path: str, statistic: str, label: str | None = None,
        period: Duration = MINUTE,
    ) -> cloudwatch.Metric:
        """A metric of API Gateway for one of the routes that are measured."""
        return cloudwatch.Metric(
            namespace="AWS/ApiGateway", metric_name=name,
            dimensions_map={"ApiName": self._api_name, "Stage": STAGE, "Method": method, "Resource": path},
            statistic=statistic, period=period, label=label)
