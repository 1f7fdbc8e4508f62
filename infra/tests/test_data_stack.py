"""The data stack, fact by fact."""

from __future__ import annotations

from synthesis import Synthesis, only, plain, resources


def test_the_bucket_is_private_encrypted_and_without_versions(default: Synthesis) -> None:
    bucket = only(default.data, "AWS::S3::Bucket")
    assert plain(bucket["BucketName"]) == "sls-streams-messages-<AWS::AccountId>"
    assert bucket["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True, "BlockPublicPolicy": True, "IgnorePublicAcls": True, "RestrictPublicBuckets": True}
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert "VersioningConfiguration" not in bucket


def test_the_bucket_refuses_what_is_not_tls(default: Synthesis) -> None:
    policy = only(default.data, "AWS::S3::BucketPolicy")
    assert plain(policy["Bucket"]) == "<MessagesBucket>"
    denied = [each["Condition"] for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
    assert {"Bool": {"aws:SecureTransport": "false"}} in denied
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in denied
    assert all(each["Effect"] == "Deny" for each in policy["PolicyDocument"]["Statement"])


def test_messages_expire_after_the_retention_and_uploads_are_not_left(
    default: Synthesis, everything: Synthesis,
) -> None:
    for synthesis, days in ((default, 30), (everything, 7)):
        rules = {
            rule["Id"]: rule
            for rule in only(synthesis.data, "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]}
        assert rules["expire-messages"] == {
            "Id": "expire-messages", "Prefix": "topics/", "ExpirationInDays": days, "Status": "Enabled"}
        assert rules["abort-incomplete-uploads"] == {
            "Id": "abort-incomplete-uploads", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            "Status": "Enabled"}
        assert len(rules) == 2


def test_the_table_is_the_one_of_the_protocol(default: Synthesis) -> None:
    table = only(default.data, "AWS::DynamoDB::Table")
    assert plain(table["TableName"]) == "sls-streams-counters-<AWS::AccountId>"
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    assert {each["AttributeName"]: each["AttributeType"] for each in table["AttributeDefinitions"]} == {
        "pk": "S", "kind": "S"}
    (index,) = table["GlobalSecondaryIndexes"]
    assert index == {
        "IndexName": "kind-index", "Projection": {"ProjectionType": "KEYS_ONLY"},
        "KeySchema": [
            {"AttributeName": "kind", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}]}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_destroying_the_stack_keeps_messages_and_counters(default: Synthesis) -> None:
    for name in ("MessagesBucket", "CountersTable"):
        resource = default.data["Resources"][name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert only(default.data, "AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is True
    assert not resources(default.data, "Custom::S3AutoDeleteObjects")


def test_a_disposable_environment_leaves_nothing(everything: Synthesis) -> None:
    for name in ("MessagesBucket", "CountersTable"):
        resource = everything.data["Resources"][name]
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Delete", "Delete")
    assert only(everything.data, "AWS::DynamoDB::Table")["DeletionProtectionEnabled"] is False
    assert len(resources(everything.data, "Custom::S3AutoDeleteObjects")) == 1


def test_the_outputs_name_bucket_and_table(default: Synthesis) -> None:
    outputs = {name: plain(each["Value"]) for name, each in default.data["Outputs"].items()}
    assert outputs == {
        "BucketName": "<MessagesBucket>", "BucketArn": "<MessagesBucket.Arn>",
        "TableName": "<CountersTable>", "TableArn": "<CountersTable.Arn>"}
