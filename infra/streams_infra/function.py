"""The function, its role and its log."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from streams_infra import bootstrap_zip
from streams_infra.acknowledgments import acknowledge_findings
from streams_infra.data_stack import bucket_name, table_name
from streams_infra.logs import log_group
from streams_infra.names import entity_name
from streams_infra.permissions import store_statements
from streams_infra.settings import Settings

_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


class StreamsFunction(Construct):
    """The Lambda function `bootstrap` with exactly the permissions that it uses."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(scope, "Function")
        name = entity_name(settings.prefix, "api")
        self.log_group = log_group(self, "Log", f"/aws/lambda/{name}", settings)
        log_arn = self.log_group.log_group_arn
        role = iam.Role(
            self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description="The Serverless Streams function: its bucket, its table, its log.",
            inline_policies={
                "Store": iam.PolicyDocument(statements=store_statements(settings)),
                "Log": iam.PolicyDocument(statements=[
                    iam.PolicyStatement(
                        actions=["logs:CreateLogStream", "logs:PutLogEvents"], resources=[log_arn])]),
            })
        # What the CDK calls bundling: whether this run of it will need what the function is made of.
        path = bootstrap_zip.find(settings, is_wanted=Stack.of(self).bundling_required)
        self.function = lambda_.Function(
            self, "Handler", function_name=name, description="Serverless Streams: appends, reads, maintains.",
            runtime=lambda_.Runtime.PROVIDED_AL2023, handler="bootstrap",
            architecture=_ARCHITECTURES[settings.architecture], code=lambda_.Code.from_asset(str(path)), role=role,
            memory_size=settings.memory_megabytes, timeout=Duration.seconds(settings.timeout_seconds),
            reserved_concurrent_executions=settings.reserved_concurrency, log_group=self.log_group,
            environment=environment(settings))
        # The policies are part of the role, which the function refers to: there is nothing else to wait for.
        resource = self.function.node.default_child
        assert isinstance(resource, lambda_.CfnFunction)
        resource.add_deletion_override("DependsOn")
        acknowledge_findings(role, {
            f"IAM5[Resource::arn:<AWS::Partition>:s3:::{settings.prefix}-messages-<AWS::AccountId>/topics/*]": (
                "The messages are the objects below topics/, and topics come and go."),
        })


def environment(settings: Settings) -> dict[str, str]:
    """The variables that the function reads."""
    variables = {
        "BUCKET_NAME": bucket_name(settings), "COUNTERS_TABLE": table_name(settings), "LOG_LEVEL": settings.log_level,
        "STREAMS_RETENTION": f"{settings.retention_days}d",
        "STREAMS_ALLOWED_ORIGINS": ",".join(settings.allowed_origins),
    }
    # The form of the answers differs, and an event does not say which is wanted: the deployment does, for all routes.
    if settings.streaming:
        variables["STREAMS_RESPONSE_STREAMING"] = "true"
    return variables
