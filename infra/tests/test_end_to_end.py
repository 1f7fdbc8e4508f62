"""The unmodified app through the CDK's own command line onto a stand-in, with the real program behind the API.

What MiniStack does not apply (lifecycle, TTL, point-in-time recovery, streaming integrations) is asserted on the
templates by the other tests. The tests of this file follow each other, on one deployment.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Iterator

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from cdk_cli import Command
from deployment import Deployment
from packed_program import ARCHITECTURE, real_program
from stand_in import ACCOUNT, MiniStack
from streams_infra.metrics import NAMESPACE
from streams_infra.permissions import BUCKET_ACTIONS, INDEX_ACTIONS, OBJECT_ACTIONS, TABLE_ACTIONS
from streams_infra.prices import AWS_REQUESTS

# What only maintenance calls, on what is more than an hour old: nothing here is.
OF_OLD_OBJECTS = {"s3.DeleteObject", "s3.DeleteObjects"}
STACKS = ["ServerlessStreamsData", "ServerlessStreamsApi"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for everything that the tests leave."""
    return tmp_path_factory.mktemp("end-to-end")


@pytest.fixture(scope="module")
def program(folder: Path) -> Path:
    """The packed program."""
    return real_program(folder)


@pytest.fixture(scope="module")
def cloud(folder: Path) -> Iterator[MiniStack]:
    """A stand-in of this file's own."""
    cloud = MiniStack(folder)
    yield cloud
    cloud.close()


@pytest.fixture(scope="module")
def cdk(cloud: MiniStack, program: Path, folder: Path) -> Command:
    """`cdk` for the default environment, but for the processor."""
    command = Command(cloud, {"architecture": ARCHITECTURE, "bootstrapZip": str(program)}, folder / "cdk.out")
    command.bootstrap()
    return command


@pytest.fixture(scope="module")
def deployed(cdk: Command, cloud: MiniStack) -> Deployment:
    """The default environment, deployed, with the bounds of IAM in force."""
    outputs = cdk.outputs("--all")
    deployment = Deployment(cloud, *(outputs[stack] for stack in STACKS))
    cloud.check_access(True)
    return deployment


def test_the_cdk_synthesises_both_stacks(cdk: Command, folder: Path) -> None:
    cdk.run("synth", "--quiet")
    for stack in STACKS:
        assert (folder / "cdk.out" / f"{stack}.template.json").exists()


def test_without_a_packed_function_the_cdk_lists_stacks_and_says_what_else_needs_it(
    cloud: MiniStack, folder: Path,
) -> None:
    missing = Command(cloud, {"bootstrapZip": str(folder / "nothing.zip")}, folder / "cdk.out.missing")
    assert missing.run("list").split() == STACKS
    said = missing.run("synth", "--quiet", allowed=(1,))
    assert "make lambda" in said and "Traceback" not in said


def test_before_the_deployment_the_difference_is_everything(cdk: Command) -> None:
    assert "Number of stacks with differences: 2" in cdk.run("diff", "--method=template")


def test_the_outputs_name_what_is_there(deployed: Deployment) -> None:
    assert deployed.data["BucketName"] == f"sls-streams-messages-{ACCOUNT}"
    assert deployed.data["TableName"] == f"sls-streams-counters-{ACCOUNT}"
    assert deployed.api["LambdaFunctionName"] == f"sls-streams-api-{ACCOUNT}"
    assert deployed.api["ProduceEndpoint"] == deployed.api["ApiUrl"] + "/topics/{topic}/produce"


def test_the_settings_arrive_in_the_services(deployed: Deployment) -> None:
    bucket = deployed.data["BucketName"]
    s3 = deployed.client("s3")
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    table = deployed.client("dynamodb").describe_table(TableName=deployed.data["TableName"])["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["kind-index"]
    function = deployed.client("lambda").get_function_configuration(
        FunctionName=deployed.api["LambdaFunctionName"])
    assert (function["Architectures"], function["MemorySize"], function["Timeout"]) == ([ARCHITECTURE], 256, 28)
    stage = deployed.client("apigateway").get_stage(restApiId=deployed.api_id, stageName="v1")
    settings = stage["methodSettings"]["*/*"]
    assert (settings["throttlingRateLimit"], settings["throttlingBurstLimit"]) == (500, 1000)
    groups = deployed.client("logs").describe_log_groups()["logGroups"]
    ours = {
        each["logGroupName"]: each.get("retentionInDays") for each in groups if "sls-streams" in each["logGroupName"]}
    assert ours == {f"/aws/lambda/sls-streams-api-{ACCOUNT}": 30, f"/aws/apigateway/sls-streams-api-{ACCOUNT}": 30}


def test_the_bucket_takes_nothing_that_is_not_tls(deployed: Deployment) -> None:
    # MiniStack speaks plain HTTP: as long as the bucket's policy stands, not even the function may write.
    refused = deployed.call("POST", "/topics/orders/produce", '{"payload":1}')
    assert (refused.status, refused.json()["code"]) == (503, "unavailable")
    deployed.client("s3").delete_bucket_policy(Bucket=deployed.data["BucketName"])


def test_messages_come_back_in_order(deployed: Deployment) -> None:
    one = deployed.call("POST", "/topics/letters/produce", '{"payload":{"n":1},"key":"a"}')
    assert (one.status, one.json()) == (200, {"topic": "letters", "offset": 1})
    lines = "".join(f'{{"n":{number}}}\n' for number in range(2, 5))
    batch = deployed.call("POST", "/topics/letters/produce", lines, {"Content-Type": "application/x-ndjson"})
    assert batch.json() == {"topic": "letters", "offset": 2, "last_offset": 4, "count": 3}
    read = deployed.call("GET", "/topics/letters/consume?offset=1").json()
    assert [message["payload"]["n"] for message in read["messages"]] == [1, 2, 3, 4]
    assert (read["next_offset"], read["end_offset"]) == (5, 5)
    assert {"topic": "letters"} in deployed.call("GET", "/topics").json()["topics"]
    (listed,) = [
        each for each in deployed.client("s3").list_objects_v2(Bucket=deployed.data["BucketName"])["Contents"]
        if each["Key"].endswith(f"{1:020}.json")]
    assert listed["Key"] == f"topics/letters/{1:020}.json"


def test_errors_are_those_of_the_api(deployed: Deployment) -> None:
    expected = [
        (deployed.call("POST", "/topics/letters/produce", "{"), 400, "invalid_json"),
        (deployed.call("POST", "/topics/letters/produce", '{"payloads":1}'), 400, "invalid_parameter"),
        (deployed.call("GET", "/topics/letters/consume?offset=99"), 416, "offset_beyond_end"),
        (deployed.call("GET", "/topics/letters/consume?limit=0"), 400, "invalid_parameter"),
        (deployed.call("GET", "/topics/nobody"), 404, "topic_not_found"),
        (deployed.call("GET", "/topics/%20/consume"), 400, "invalid_topic"),
        # These two API Gateway answers by itself.
        (deployed.call("GET", "/nowhere"), 403, "forbidden"),
        (deployed.call("DELETE", "/topics/letters/produce"), 403, "forbidden"),
    ]
    for answer, status, code in expected:
        assert (answer.status, answer.json()["code"]) == (status, code), answer
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["access-control-allow-origin"] == "*"


def test_what_is_not_utf8_is_refused_and_not_changed(deployed: Deployment) -> None:
    answer = deployed.call("POST", "/topics/letters/produce", b'{"payload":"caf\xe9"}')
    assert (answer.status, answer.json()["code"]) == (400, "invalid_json")


def test_browsers_may_call(deployed: Deployment) -> None:
    preflight = deployed.call("OPTIONS", "/topics/letters/produce", headers={
        "Origin": "https://app.example.com", "Access-Control-Request-Method": "POST"}, signer=None)
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]
    answer = deployed.call("GET", "/topics/letters/consume", headers={"Origin": "https://app.example.com"})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Next-Offset" in answer.headers["access-control-expose-headers"]


def test_only_who_has_the_policy_may_call(deployed: Deployment) -> None:
    unsigned = deployed.call("GET", "/topics/letters/consume", signer=None)
    assert (unsigned.status, unsigned.json()["code"]) == (403, "forbidden")
    nobody = _user(deployed, "nobody", None)
    producer = _user(deployed, "producer", deployed.api["ProducerPolicyArn"])
    consumer = _user(deployed, "consumer", deployed.api["ConsumerPolicyArn"])
    append = ("POST", "/topics/letters-of-users/produce", '{"payload":1}')
    read = ("GET", "/topics/letters/consume?offset=1")

    def statuses(signer: Credentials) -> tuple[int, int, int]:
        return tuple(deployed.call(*each, signer=signer).status for each in (append, read, ("GET", "/metrics")))

    assert statuses(nobody) == (403, 403, 403)
    assert statuses(producer) == (200, 403, 403)
    assert statuses(consumer) == (403, 200, 403)
    assert statuses(Credentials(consumer.access_key, "not/the/secret")) == (403, 403, 403)


def _user(deployed: Deployment, name: str, policy: str | None) -> Credentials:
    iam = deployed.client("iam")
    iam.create_user(UserName=name)
    if policy:
        iam.attach_user_policy(UserName=name, PolicyArn=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _role(deployed: Deployment) -> str:
    function = deployed.client("lambda").get_function_configuration(FunctionName=deployed.api["LambdaFunctionName"])
    return function["Role"].rsplit("/", 1)[1]


def _without(policy: dict, action: str) -> str:
    policy = copy.deepcopy(policy)
    for statement in policy["Statement"]:
        actions = statement["Action"]
        statement["Action"] = [each for each in ([actions] if isinstance(actions, str) else actions) if each != action]
    policy["Statement"] = [each for each in policy["Statement"] if each["Action"]]
    return json.dumps(policy)


def test_the_schedule_has_the_function_maintain_all_topics(deployed: Deployment) -> None:
    events, function = deployed.client("events"), deployed.client("lambda")
    (rule,) = events.list_rules(NamePrefix="sls-streams-maintenance-")["Rules"]
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 hour)", "ENABLED")
    (target,) = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    name = deployed.api["LambdaFunctionName"]
    assert target["Arn"].endswith(f":function:{name}")
    answer = function.invoke(FunctionName=name, Payload=target["Input"].encode())
    report = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, report
    assert report["topics"] >= 1 and report["unfinished"] == report["defects"] == []
    other = function.invoke(FunctionName=name, Payload=b'{"maintain": true, "topics": ["letters"]}')
    assert "FunctionError" in other and "Function.EventNotSupported" in other["Payload"].read().decode()


def test_no_permission_is_needless(deployed: Deployment) -> None:
    iam = deployed.client("iam")
    role = _role(deployed)
    policy = iam.get_role_policy(RoleName=role, PolicyName="Store")["PolicyDocument"]
    actions = [
        action for operation, action in (TABLE_ACTIONS | INDEX_ACTIONS | OBJECT_ACTIONS | BUCKET_ACTIONS).items()
        if f"s3.{operation}" not in OF_OLD_OBJECTS]

    def refused(number: int) -> list[str]:
        """The requests that the function is not allowed to answer, of some that need all permissions together."""
        requests = {
            "create": ("PUT", f"/topics/created-{number}", None),
            "append": ("POST", f"/topics/appended-{number}/produce", '{"payload":1}'),
            "read": ("GET", "/topics/letters/consume?offset=1", None),
            "list": ("GET", "/topics", None)}
        answers = {name: deployed.call(*request) for name, request in requests.items()}
        assert {answer.status for answer in answers.values()} <= {200, 201, 503}, answers
        return [name for name, answer in answers.items() if answer.status == 503]

    assert refused(0) == []
    needed_by = {}
    for number, action in enumerate(actions, 1):
        iam.put_role_policy(RoleName=role, PolicyName="Store", PolicyDocument=_without(policy, action))
        needed_by[action] = refused(number)
    iam.put_role_policy(RoleName=role, PolicyName="Store", PolicyDocument=json.dumps(policy))
    assert all(needed_by.values()), needed_by
    assert refused(len(actions) + 1) == []


def test_the_role_reaches_nothing_else(deployed: Deployment) -> None:
    bucket, table = deployed.data["BucketName"], deployed.data["TableName"]
    deployed.client("s3").put_object(Bucket=bucket, Key="other/secret", Body=b"x")
    deployed.client("s3").create_bucket(Bucket="somebody-elses")
    session = deployed.client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{ACCOUNT}:role/{_role(deployed)}", RoleSessionName="test")["Credentials"]
    s3, dynamodb = deployed.client("s3", session), deployed.client("dynamodb", session)
    message = f"topics/letters/{1:020}.json"
    assert s3.get_object(Bucket=bucket, Key=message)["Body"].read()
    assert dynamodb.get_item(TableName=table, Key={"pk": {"S": "letters"}})["Item"]
    refused = [
        lambda: s3.get_object(Bucket=bucket, Key="other/secret"),
        lambda: s3.put_object(Bucket=bucket, Key="other/new", Body=b""),
        lambda: s3.list_objects_v2(Bucket=bucket, Prefix="other/"),
        lambda: s3.delete_object(Bucket=bucket, Key="other/secret"),
        lambda: s3.put_object(Bucket="somebody-elses", Key="topics/x", Body=b""),
        lambda: dynamodb.scan(TableName=table),
        lambda: dynamodb.delete_item(TableName=table, Key={"pk": {"S": "letters"}}),
        lambda: dynamodb.query(
            TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "letters"}}),
        lambda: deployed.client("lambda", session).list_functions(),
    ]
    for number, call in enumerate(refused):
        with pytest.raises(ClientError) as error:
            call()
        assert "AccessDenied" in error.value.response["Error"]["Code"], (number, error.value)


def test_the_function_writes_metrics_into_its_log(deployed: Deployment) -> None:
    deployed.call("POST", "/topics/letters-counted/produce", '{"messages":[{"payload":1},{"payload":2}]}')
    group = f"/aws/lambda/{deployed.api['LambdaFunctionName']}"
    events = deployed.client("logs").filter_log_events(logGroupName=group)["events"]
    lines = [json.loads(each["message"]) for each in events if '"_aws"' in each["message"]]
    assert lines, events
    counted: dict[str, float] = {}
    for line in lines:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == NAMESPACE
        assert line["function"] == deployed.api["LambdaFunctionName"]
        for metric in directive["Metrics"]:
            name = line.get("operation", metric["Name"])
            counted[name] = counted.get(name, 0) + line[metric["Name"]]
    assert counted["MessagesAppended"] >= counted["AppendRequests"] + 1 >= 3
    assert counted["ColdStarts"] >= 1
    # All that the function is allowed to call, it has called by now.
    assert {name for name in counted if "." in name} == set(AWS_REQUESTS) - OF_OLD_OBJECTS


def test_after_the_deployment_there_is_no_difference(cdk: Command, deployed: Deployment, cloud: MiniStack) -> None:
    cloud.check_access(False)
    # The policy that a test above took away is not compared: the CDK compares templates.
    assert "Number of stacks with differences: 0" in cdk.run("diff", "--method=template")


def test_a_second_environment_stands_beside_the_first_and_asks_for_its_key(
    cloud: MiniStack, program: Path, folder: Path, deployed: Deployment,
) -> None:
    cloud.check_access(False)
    settings = {
        "prefix": "staging", "auth": "api-key", "gatewayLogRole": "existing", "architecture": ARCHITECTURE,
        "bootstrapZip": str(program), "throttleRate": "1", "throttleBurst": "5"}
    command = Command(cloud, settings, folder / "cdk.out.staging")
    outputs = command.outputs("--all")
    staging = Deployment(cloud, *(outputs[f"staging-{stack}"] for stack in STACKS))
    key = staging.client("apigateway").get_api_key(apiKey=staging.api["ApiKeyId"], includeValue=True)["value"]
    without = staging.call("GET", "/health", signer=None)
    assert (without.status, without.json()["code"]) == (401, "unauthorized")
    with_key = {"X-Api-Key": key}
    appended = staging.call("POST", "/topics/letters/produce", '{"payload":"staging"}', with_key, signer=None)
    assert appended.status == 200
    (message,) = staging.call("GET", "/topics/letters/consume", None, with_key, signer=None).json()["messages"]
    assert message["payload"] == "staging"
    unknown = staging.call("GET", "/nowhere", None, with_key, signer=None)
    assert (unknown.status, unknown.json()["code"]) == (404, "not_found")
    _is_throttled(staging, with_key)
    assert deployed.call("GET", "/topics/letters").json()["end_offset"] == 5
    command.run("destroy", "--all", "--force")
    assert deployed.call("GET", "/health").status == 200


def _is_throttled(deployed: Deployment, headers: dict[str, str]) -> None:
    """One request a second and five at once are allowed: of many in a row, some are refused."""
    answers = [deployed.call("GET", "/health", None, headers, signer=None) for _ in range(20)]
    refused = [answer for answer in answers if answer.status != 200]
    assert refused, "nothing was throttled"
    for answer in refused:
        assert (answer.status, answer.json()["code"]) == (429, "throttled")
        assert int(answer.headers["retry-after"]) > 0


def test_destroy_keeps_messages_and_counters(cdk: Command, deployed: Deployment, cloud: MiniStack) -> None:
    cloud.check_access(False)
    cdk.run("destroy", "--all", "--force")
    keys = [each["Key"] for each in deployed.client("s3").list_objects_v2(
        Bucket=deployed.data["BucketName"], Prefix="topics/letters/")["Contents"]]
    assert keys == [f"topics/letters/{offset:020}.json" for offset in (1, 4)]
    item = deployed.client("dynamodb").get_item(
        TableName=deployed.data["TableName"], Key={"pk": {"S": "letters"}})["Item"]
    assert item["current_offset"] == {"N": "4"}
    functions = deployed.client("lambda").list_functions()["Functions"]
    assert deployed.api["LambdaFunctionName"] not in [each["FunctionName"] for each in functions]
