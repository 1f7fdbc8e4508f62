"""What the function may do: exactly the calls that Sources/StreamsAWS makes, on exactly what is ours."""

from __future__ import annotations

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from streams_infra.data_stack import KIND_INDEX, MESSAGE_KEY_PREFIX, bucket_name, table_name
from streams_infra.settings import Settings

# The action that IAM checks for each operation that the code calls: what is called and what is granted differ in name.
TABLE_ACTIONS = {"GetItem": "dynamodb:GetItem", "PutItem": "dynamodb:PutItem", "UpdateItem": "dynamodb:UpdateItem"}
INDEX_ACTIONS = {"Query": "dynamodb:Query"}
# Maintenance deletes what it has merged, on condition of the ETag (for which S3 also asks for s3:GetObject), and in
# batches what was trimmed.
OBJECT_ACTIONS = {
    "GetObject": "s3:GetObject", "PutObject": "s3:PutObject", "DeleteObject": "s3:DeleteObject",
    "DeleteObjects": "s3:DeleteObject"}
BUCKET_ACTIONS = {"ListObjectsV2": "s3:ListBucket"}


def bucket_arn(settings: Settings) -> str:
    """The ARN of the bucket of messages."""
    return f"arn:{Aws.PARTITION}:s3:::{bucket_name(settings)}"


def table_arn(settings: Settings) -> str:
    """The ARN of the table of counters."""
    return f"arn:{Aws.PARTITION}:dynamodb:{Aws.REGION}:{Aws.ACCOUNT_ID}:table/{table_name(settings)}"


def store_statements(settings: Settings) -> list[iam.PolicyStatement]:
    """The statements of the function's role that concern messages and counters."""
    bucket, table = bucket_arn(settings), table_arn(settings)
    return [
        iam.PolicyStatement(
            sid="Messages", actions=list(dict.fromkeys(OBJECT_ACTIONS.values())),
            resources=[f"{bucket}/{MESSAGE_KEY_PREFIX}*"]),
        iam.PolicyStatement(
            sid="ListMessages", actions=list(BUCKET_ACTIONS.values()), resources=[bucket],
            # This action also decides whether a GET of a key that is not there answers 404 or 403 (S3 API Reference,
            # GetObject), and such a request names no prefix; hence IfExists.
            conditions={"StringLikeIfExists": {"s3:prefix": f"{MESSAGE_KEY_PREFIX}*"}}),
        iam.PolicyStatement(sid="Counters", actions=list(TABLE_ACTIONS.values()), resources=[table]),
        iam.PolicyStatement(
            sid="ListTopics", actions=list(INDEX_ACTIONS.values()), resources=[f"{table}/index/{KIND_INDEX}"]),
    ]
