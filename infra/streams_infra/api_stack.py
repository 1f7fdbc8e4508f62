"""The stack that serves messages: the function, the API, and what shows how they do."""

from __future__ import annotations

from aws_cdk import Stack
from constructs import Construct

from streams_infra.access import add_access
from streams_infra.alarms import add_alarms
from streams_infra.budget import add_budget
from streams_infra.dashboard import add_dashboard
from streams_infra.function import StreamsFunction
from streams_infra.maintenance import add_maintenance
from streams_infra.metrics import Metrics
from streams_infra.outputs import output
from streams_infra.rest_api import StreamsRestApi
from streams_infra.routes import CONSUME, PRODUCE
from streams_infra.settings import Settings


class ApiStack(Stack):
    """What can be taken down and set up again at any time: it holds no messages."""

    def __init__(self, scope: Construct, name: str, settings: Settings) -> None:
        super().__init__(scope, name, description="Serverless Streams: the HTTP API on Lambda.")
        function = StreamsFunction(self, settings).function
        api = StreamsRestApi(self, function, settings)
        add_access(self, api, settings)
        add_maintenance(self, function, settings)
        metrics = Metrics(api, function, settings)
        if settings.dashboard:
            add_dashboard(self, metrics, settings)
        topic = add_alarms(self, metrics, settings)
        add_budget(self, topic, settings)
        url = api.url.rstrip("/")
        output(self, "ApiUrl", url, "The base address.")
        output(self, "ProduceEndpoint", url + PRODUCE, "POST messages here.")
        output(self, "ConsumeEndpoint", url + CONSUME, "GET messages here.")
        output(self, "LambdaFunctionName", function.function_name, "The function.")
