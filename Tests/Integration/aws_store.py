"""A bucket and a table of a test's own, and boto3's view of what is in them."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, replace
from typing import Any

import boto3
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.config import Config
from botocore.exceptions import ClientError

from emulators import REGION, Credentials, Emulator

_numbers = itertools.count(1)
_serialize = TypeSerializer().serialize
_deserialize = TypeDeserializer().deserialize


@dataclass(frozen=True)
class StoredObject:
    """An object as it is in the bucket."""

    key: str
    body: bytes
    metadata: dict[str, str]
    media_type: str = ""

    @property
    def is_filler(self) -> bool:
        """Whether it closes a hole."""
        return self.metadata.get("kind") == "filler"

    @property
    def last(self) -> int:
        """The last offset, which its key says."""
        return int(self.key.rsplit("/", 1)[1].removesuffix(".json"))

    @property
    def first(self) -> int:
        """The first offset; an object without metadata holds one message."""
        return int(self.metadata.get("first", self.last))


def client(service: str, endpoint: str, credentials: Credentials, region: str = REGION) -> Any:
    """A boto3 client that asks once and takes nothing from the caller's own AWS settings."""
    return boto3.client(
        service, endpoint_url=endpoint, region_name=region, aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key, aws_session_token=credentials.session_token,
        config=Config(
            s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, max_pool_connections=32,
            connect_timeout=5, read_timeout=30))


@dataclass(frozen=True)
class AWSStore:
    """A bucket, a table, and the endpoint by which servers reach them."""

    bucket: str
    table: str
    endpoint: str
    direct_endpoint: str
    credentials: Credentials = Credentials()
    region: str = REGION

    @classmethod
    def create(cls, emulator: Emulator, endpoint: str | None = None) -> AWSStore:
        """Creates both, empty, with names that no other test has."""
        name = f"streams-{os.getpid()}-{next(_numbers)}"
        store = cls(name, name, endpoint or emulator.endpoint, emulator.endpoint, emulator.credentials)
        store.s3.create_bucket(Bucket=store.bucket)
        create_table(store.dynamodb, store.table)
        return store

    def behind(self, endpoint: str) -> AWSStore:
        """The same store, reached by servers through a proxy."""
        return replace(self, endpoint=endpoint)

    def signed_by(self, credentials: Credentials) -> AWSStore:
        """The same store, with other credentials for the servers."""
        return replace(self, credentials=credentials)

    @property
    def environment(self) -> dict[str, str]:
        """The settings of a server on this store."""
        token = self.credentials.session_token
        return {
            "BUCKET_NAME": self.bucket, "COUNTERS_TABLE": self.table, "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key, "AWS_ENDPOINT_URL": self.endpoint,
        } | ({"AWS_SESSION_TOKEN": token} if token else {})

    def credentials_allowing(self, *actions: str) -> Credentials:
        """Session credentials of a new role that may do these and nothing else; for a stand-in that checks access."""
        name = f"role-{os.getpid()}-{next(_numbers)}"
        iam = client("iam", self.direct_endpoint, self.credentials)
        anyone = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(anyone))["Role"]
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        iam.put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=_policy(allowed))
        session = client("sts", self.direct_endpoint, self.credentials).assume_role(
            RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
        return Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])

    # boto3, past any proxy

    @property
    def s3(self) -> Any:
        """A client for S3."""
        return _cached("s3", self.direct_endpoint, self.credentials)

    @property
    def dynamodb(self) -> Any:
        """A client for DynamoDB."""
        return _cached("dynamodb", self.direct_endpoint, self.credentials)

    def keys(self, topic: str) -> list[str]:
        """The keys of a topic's objects, in order."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"topics/{topic}/")
        return [each["Key"] for page in pages for each in page.get("Contents", [])]

    def object(self, key: str) -> StoredObject:
        """An object with its metadata."""
        answer = self.s3.get_object(Bucket=self.bucket, Key=key)
        return StoredObject(key, answer["Body"].read(), answer["Metadata"], answer["ContentType"])

    def objects(self, topic: str) -> list[StoredObject]:
        """A topic's objects, in order."""
        return [self.object(key) for key in self.keys(topic)]

    def put_object(self, topic: str, offset: int, body: bytes) -> None:
        """Puts an object as the prototype did: one message, no metadata."""
        self.s3.put_object(
            Bucket=self.bucket, Key=object_key(topic, offset), Body=body, ContentType="application/json")

    def delete_object(self, topic: str, last: int) -> None:
        """Deletes an object, as expiry does."""
        self.s3.delete_object(Bucket=self.bucket, Key=object_key(topic, last))

    def item(self, pk: str) -> dict[str, Any] | None:
        """An item with its values; none where there is no such item."""
        answer = self.dynamodb.get_item(TableName=self.table, Key={"pk": {"S": pk}}, ConsistentRead=True)
        return {name: _deserialize(value) for name, value in answer["Item"].items()} if "Item" in answer else None

    def put_item(self, item: dict[str, Any]) -> None:
        """Puts an item in place of whatever is there."""
        self.dynamodb.put_item(
            TableName=self.table, Item={name: _serialize(value) for name, value in item.items()})

    def delete_item(self, pk: str) -> None:
        """Deletes an item."""
        self.dynamodb.delete_item(TableName=self.table, Key={"pk": {"S": pk}})

    def topics_in_index(self) -> list[str]:
        """The names of all topics, by the index."""
        answer = self.dynamodb.query(
            TableName=self.table, IndexName="kind-index", KeyConditionExpression="kind = :kind",
            ExpressionAttributeValues={":kind": {"S": "topic"}})
        return [each["pk"]["S"] for each in answer["Items"]]


def object_key(topic: str, last: int) -> str:
    """The key of the object that ends with this offset."""
    return f"topics/{topic}/{last:020}.json"


def create_table(dynamodb: Any, name: str) -> None:
    """Creates a table as the deployment does."""
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "kind", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{
            "IndexName": "kind-index",
            "KeySchema": [
                {"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"}}])


def error_code(error: ClientError) -> str:
    """The service's code of an error."""
    return error.response["Error"]["Code"]


def _policy(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


_clients: dict[tuple[str, str, Credentials], Any] = {}


def _cached(service: str, endpoint: str, credentials: Credentials) -> Any:
    key = (service, endpoint, credentials)
    if key not in _clients:
        _clients[key] = client(service, endpoint, credentials)
    return _clients[key]
