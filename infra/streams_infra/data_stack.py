"""The stack that keeps messages: the bucket and the table."""

from __future__ import annotations

from aws_cdk import CfnResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from streams_infra.acknowledgments import acknowledge
from streams_infra.names import entity_name
from streams_infra.outputs import output
from streams_infra.settings import Settings

# Another logical id would make CloudFormation replace what holds the messages: these never change.
BUCKET_LOGICAL_ID = "MessagesBucket"
TABLE_LOGICAL_ID = "CountersTable"

KIND_INDEX = "kind-index"
MESSAGE_KEY_PREFIX = "topics/"


def bucket_name(settings: Settings) -> str:
    """The bucket of messages."""
    return entity_name(settings.prefix, "messages")


def table_name(settings: Settings) -> str:
    """The table of counters."""
    return entity_name(settings.prefix, "counters")


class DataStack(Stack):
    """What must not be lost. Destroying the stack leaves both behind, unless the settings call them disposable."""

    def __init__(self, scope: Construct, name: str, settings: Settings) -> None:
        super().__init__(scope, name, description="Serverless Streams: the messages and their counters.")
        removal = RemovalPolicy.DESTROY if settings.disposable else RemovalPolicy.RETAIN
        self._add_bucket(settings, removal)
        self._add_table(settings, removal)

    def _add_bucket(self, settings: Settings, removal: RemovalPolicy) -> None:
        bucket = s3.Bucket(
            self, "Messages", bucket_name=bucket_name(settings),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED, enforce_ssl=True, minimum_tls_version=1.2,
            # Objects are written once and never overwritten: there are no versions to keep.
            versioned=False,
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="expire-messages", prefix=MESSAGE_KEY_PREFIX, expiration=Duration.days(settings.retention_days)),
                s3.LifecycleRule(
                    id="abort-incomplete-uploads", abort_incomplete_multipart_upload_after=Duration.days(1)),
            ],
            removal_policy=removal, auto_delete_objects=settings.disposable)
        _pin(bucket, BUCKET_LOGICAL_ID)
        acknowledge(bucket, S1=(
            "Server access logs would write an object for every few requests and cost more than the messages; "
            "the API has access logs, and CloudTrail data events can be turned on for an audit."))
        output(self, "BucketName", bucket.bucket_name, "The bucket of messages.")
        output(self, "BucketArn", bucket.bucket_arn, "Its ARN.")

    def _add_table(self, settings: Settings, removal: RemovalPolicy) -> None:
        table = dynamodb.Table(
            self, "Counters", table_name=table_name(settings),
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST, time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True),
            deletion_protection=not settings.disposable, removal_policy=removal)
        # Sparse: only topics and groups have a kind, so it lists them and costs nothing on the append path.
        table.add_global_secondary_index(
            index_name=KIND_INDEX,
            partition_key=dynamodb.Attribute(name="kind", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            projection_type=dynamodb.ProjectionType.KEYS_ONLY)
        _pin(table, TABLE_LOGICAL_ID)
        output(self, "TableName", table.table_name, "The table of counters.")
        output(self, "TableArn", table.table_arn, "Its ARN.")


def _pin(construct: Construct, logical_id: str) -> None:
    resource = construct.node.default_child
    assert isinstance(resource, CfnResource)
    resource.override_logical_id(logical_id)
