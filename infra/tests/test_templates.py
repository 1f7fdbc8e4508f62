"""Both templates as a whole: rules, limits, other environments, snapshots."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from streams_infra import feature_flags
from synthesis import Synthesis, plain

ALL = ["default", "everything", "with_key", "open_to_all"]
SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize("name", ALL)
def test_cfn_lint_finds_nothing(name: str, request: pytest.FixtureRequest) -> None:
    synthesis: Synthesis = request.getfixturevalue(name)
    templates = [str(synthesis.folder / f"{stack}.template.json")
                 for stack in (synthesis.data_name, synthesis.api_name)]
    # What the CDK adds to empty a disposable bucket names a dependency twice; that is not ours to mend.
    ignored = ["--ignore-checks", "W3005", "--"] if name == "everything" else []
    lint = subprocess.run(
        [str(Path(sys.executable).parent / "cfn-lint"), *ignored, *templates], capture_output=True, text=True,
        check=False)
    assert (lint.returncode, lint.stdout) == (0, ""), lint.stdout + lint.stderr


@pytest.mark.parametrize("name", ALL)
def test_the_rules_for_aws_solutions_hold_or_an_exception_says_why(
    name: str, request: pytest.FixtureRequest,
) -> None:
    synthesis: Synthesis = request.getfixturevalue(name)
    (nag,) = [each for each in synthesis.report if each["pluginName"] == "AwsSolutions"]
    assert nag["violations"] == []
    assert nag["suppressedViolations"], "the rules were not applied"
    for each in nag["suppressedViolations"]:
        assert len(each["reason"]) > 30 and each["reason"].endswith("."), each["ruleName"]


@pytest.mark.parametrize("name", ALL)
def test_the_templates_are_far_below_the_limits(name: str, request: pytest.FixtureRequest) -> None:
    # CloudFormation quotas: 500 resources, 200 outputs, 1 MB in S3.
    synthesis: Synthesis = request.getfixturevalue(name)
    for stack in (synthesis.data_name, synthesis.api_name):
        template = synthesis.template(stack)
        assert len(template["Resources"]) < 250
        assert len(template["Outputs"]) < 100
        assert (synthesis.folder / f"{stack}.template.json").stat().st_size < 500_000


def _names(synthesis: Synthesis) -> set[str]:
    """All names that are given rather than made up by CloudFormation."""
    names = set()
    for stack in (synthesis.data_name, synthesis.api_name):
        for resource in synthesis.template(stack)["Resources"].values():
            if resource["Type"] in ("AWS::Lambda::Permission", "AWS::Lambda::EventInvokeConfig"):
                continue  # These refer to the function and name nothing.
            for member, value in resource.get("Properties", {}).items():
                if member in ("BucketName", "TableName", "FunctionName", "LogGroupName", "DashboardName", "AlarmName",
                              "TopicName", "RoleName", "ManagedPolicyName", "UsagePlanName"):
                    names.add(f"{resource['Type']}: {plain(value)}")
                if member == "Name" and resource["Type"].startswith(("AWS::ApiGateway", "AWS::Events")):
                    names.add(f"{resource['Type']}: {plain(value)}")
    return names


def test_a_second_environment_shares_no_name(default: Synthesis, with_key: Synthesis) -> None:
    first, second = _names(default), _names(with_key)
    # The log of errors is named after the API's own id.
    shared = {name for name in first & second if "API-Gateway-Execution-Logs_<" not in name}
    assert len(first) > 12 and shared == set()
    assert {default.data_name, default.api_name}.isdisjoint({with_key.data_name, with_key.api_name})
    assert default.data_name == "ServerlessStreamsData" and default.api_name == "ServerlessStreamsApi"
    assert with_key.data_name == "staging-ServerlessStreamsData"


def test_names_carry_prefix_and_account(default: Synthesis, with_key: Synthesis) -> None:
    for synthesis, prefix in ((default, "sls-streams"), (with_key, "staging")):
        for name in _names(synthesis):
            if "API-Gateway-Execution-Logs_<" not in name:
                assert f"{prefix}-" in name and name.endswith("-<AWS::AccountId>"), name


def test_the_templates_hold_no_account_and_no_region(default: Synthesis) -> None:
    for stack in (default.data_name, default.api_name):
        text = (default.folder / f"{stack}.template.json").read_text()
        assert not re.search(r'"[0-9]{12}"|:[0-9]{12}:', text)
        assert "us-east-1" not in text.replace("list prices of us-east-1", "")


@pytest.mark.parametrize("name", ["default", "everything"])
def test_the_templates_are_those_that_were_reviewed(name: str, request: pytest.FixtureRequest) -> None:
    synthesis: Synthesis = request.getfixturevalue(name)
    for stack in (synthesis.data_name, synthesis.api_name):
        snapshot = SNAPSHOTS / f"{name}-{stack}.json"
        text = _neutral(synthesis.template(stack))
        if request.config.getoption("--rewrite"):
            snapshot.write_text(text)
        assert snapshot.exists() and snapshot.read_text() == text, (
            f"{snapshot.name} differs. If that is meant: infra/rewrite, and review the difference.")


def _neutral(template: dict) -> str:
    """The template without the hashes of what is packed: those change with every build of the program."""
    text = json.dumps(template, indent=1, sort_keys=True) + "\n"
    return re.sub(r"[0-9a-f]{64}", "<hash>", text)


def test_bucket_and_table_would_not_be_replaced(default: Synthesis, everything: Synthesis) -> None:
    # Another logical id, or another name, and CloudFormation makes a new one beside what holds the messages.
    for synthesis in (default, everything):
        found = synthesis.data["Resources"]
        assert found["MessagesBucket"]["Type"] == "AWS::S3::Bucket"
        assert plain(found["MessagesBucket"]["Properties"]["BucketName"]) == "sls-streams-messages-<AWS::AccountId>"
        assert found["CountersTable"]["Type"] == "AWS::DynamoDB::Table"
        assert plain(found["CountersTable"]["Properties"]["TableName"]) == "sls-streams-counters-<AWS::AccountId>"


def test_the_feature_flags_are_those_that_the_cdk_recommends() -> None:
    assert feature_flags.written() == feature_flags.recommended()
