"""The function's role allows what the code calls, on what is ours, and nothing else."""

from __future__ import annotations

from streams_infra.permissions import BUCKET_ACTIONS, INDEX_ACTIONS, OBJECT_ACTIONS, TABLE_ACTIONS
from synthesis import Synthesis, only, plain, resources
from calls import called_operations

BUCKET = "arn:<AWS::Partition>:s3:::sls-streams-messages-<AWS::AccountId>"
TABLE = ("arn:<AWS::Partition>:dynamodb:<AWS::Region>:<AWS::AccountId>:table/"
         "sls-streams-counters-<AWS::AccountId>")


def _role(synthesis: Synthesis) -> dict:
    name = synthesis.api["Resources"]
    function = only(synthesis.api, "AWS::Lambda::Function")
    return name[plain(function["Role"]).strip("<>").split(".")[0]]["Properties"]


def _granted(role: dict) -> dict[str, tuple[tuple[str, ...], dict]]:
    """The resources and conditions of each action."""
    granted = {}
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            actions = statement["Action"]
            where = statement["Resource"]
            for action in [actions] if isinstance(actions, str) else actions:
                assert action not in granted
                granted[action] = (
                    tuple(plain(each) for each in (where if isinstance(where, list) else [where])),
                    statement.get("Condition", {}))
    return granted


def test_the_role_holds_exactly_the_calls_that_the_code_makes(default: Synthesis) -> None:
    actions = TABLE_ACTIONS | INDEX_ACTIONS | OBJECT_ACTIONS | BUCKET_ACTIONS
    operations = called_operations()
    assert operations == set(actions), (
        "The operations that Sources/StreamsAWS calls are not those of streams_infra/permissions.py")
    granted = {action for action in _granted(_role(default)) if not action.startswith("logs:")}
    assert granted == set(actions.values())


def test_every_permission_is_for_our_bucket_table_index_or_log_alone(default: Synthesis) -> None:
    granted = _granted(_role(default))
    for action in OBJECT_ACTIONS.values():
        assert granted[action] == ((f"{BUCKET}/topics/*",), {})
    assert granted["s3:ListBucket"] == ((BUCKET,), {"StringLikeIfExists": {"s3:prefix": "topics/*"}})
    for action in TABLE_ACTIONS.values():
        assert granted[action] == ((TABLE,), {})
    assert granted["dynamodb:Query"] == ((f"{TABLE}/index/kind-index",), {})
    logs = [name for name in resources(default.api, "AWS::Logs::LogGroup") if name.startswith("Function")]
    assert granted["logs:PutLogEvents"] == granted["logs:CreateLogStream"] == ((f"<{logs[0]}.Arn>",), {})


def test_the_role_has_no_other_policies(default: Synthesis, everything: Synthesis) -> None:
    for synthesis in (default, everything):
        assert "ManagedPolicyArns" not in _role(synthesis)
        assert not resources(synthesis.api, "AWS::IAM::Policy")
        assert _role(synthesis)["AssumeRolePolicyDocument"]["Statement"] == [{
            "Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}}]


def test_api_gateway_may_call_the_function_for_this_api_only(default: Synthesis) -> None:
    (permission,) = [
        each["Properties"] for each in resources(default.api, "AWS::Lambda::Permission").values()
        if each["Properties"]["Principal"] != "events.amazonaws.com"]
    assert permission["Principal"] == "apigateway.amazonaws.com"
    source = plain(permission["SourceArn"])
    assert source.startswith("arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<Rest")
