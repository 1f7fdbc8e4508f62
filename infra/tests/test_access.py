"""Who may call."""

from __future__ import annotations

from fnmatch import fnmatchcase

from streams_infra.routes import ROUTES
from synthesis import Synthesis, only, plain, resources


def _real_methods(synthesis: Synthesis) -> list[dict]:
    return [
        each["Properties"] for each in resources(synthesis.api, "AWS::ApiGateway::Method").values()
        if each["Properties"]["HttpMethod"] != "OPTIONS"]


def test_by_default_every_call_is_signed(default: Synthesis) -> None:
    assert {each["AuthorizationType"] for each in _real_methods(default)} == {"AWS_IAM"}
    assert not any(each.get("ApiKeyRequired") for each in _real_methods(default))
    assert not resources(default.api, "AWS::ApiGateway::ApiKey")


def test_a_key_is_asked_for_where_it_was_chosen(with_key: Synthesis) -> None:
    assert all(each["ApiKeyRequired"] for each in _real_methods(with_key))
    assert {each["AuthorizationType"] for each in _real_methods(with_key)} == {"NONE"}
    plan = only(with_key.api, "AWS::ApiGateway::UsagePlan")
    assert plan["Throttle"] == {"RateLimit": 500, "BurstLimit": 1000}
    assert len(plan["ApiStages"]) == 1
    link = only(with_key.api, "AWS::ApiGateway::UsagePlanKey")
    assert plain(link["KeyId"]).strip("<>") in resources(with_key.api, "AWS::ApiGateway::ApiKey")
    assert "Value" not in only(with_key.api, "AWS::ApiGateway::ApiKey"), "the template would hold the secret"


def test_nothing_is_asked_for_only_where_that_was_chosen_and_it_is_said(open_to_all: Synthesis) -> None:
    methods = _real_methods(open_to_all)
    assert {each["AuthorizationType"] for each in methods} == {"NONE"}
    assert not any(each.get("ApiKeyRequired") for each in methods)
    assert "auth=none: whoever knows the URL" in (open_to_all.folder / "validation-report.json").read_text()


def _allowed(synthesis: Synthesis, caller: str) -> list[str]:
    """The patterns of a policy, from the stage on."""
    (policy,) = [
        each["Properties"] for name, each in resources(synthesis.api, "AWS::IAM::ManagedPolicy").items()
        if name.startswith(caller)]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    patterns = [plain(resource) for resource in statement["Resource"]]
    assert all(pattern.startswith("arn:<AWS::Partition>:execute-api:<AWS::Region>:<AWS::AccountId>:<Rest")
               for pattern in patterns)
    return [pattern.split("/v1/", 1)[1] for pattern in patterns]


def _may(patterns: list[str], method: str, path: str) -> bool:
    return any(fnmatchcase(f"{method}/{path.lstrip('/')}", pattern) for pattern in patterns)


def test_producers_may_append_and_not_read_messages(default: Synthesis) -> None:
    patterns = _allowed(default, "ProducerPolicy")
    assert _may(patterns, "POST", "/topics/orders/produce")
    # A first message creates a topic; PUT also sets what is kept of it, which is a trim.
    assert not _may(patterns, "PUT", "/topics/orders")
    assert _may(patterns, "GET", "/health")
    assert not _may(patterns, "GET", "/topics/orders/consume")
    assert not _may(patterns, "HEAD", "/topics/orders/consume")
    assert not _may(patterns, "GET", "/topics")
    assert not _may(patterns, "GET", "/metrics")
    assert not _may(patterns, "DELETE", "/topics/orders")


def test_consumers_may_read_and_not_append(default: Synthesis) -> None:
    patterns = _allowed(default, "ConsumerPolicy")
    assert _may(patterns, "GET", "/topics/orders/consume")
    assert _may(patterns, "HEAD", "/topics/orders/consume")
    assert _may(patterns, "GET", "/topics")
    assert not _may(patterns, "POST", "/topics/orders/produce")
    assert not _may(patterns, "PUT", "/topics/orders")
    assert not _may(patterns, "GET", "/metrics")


def test_each_policy_allows_its_routes(default: Synthesis) -> None:
    producers, consumers = _allowed(default, "ProducerPolicy"), _allowed(default, "ConsumerPolicy")
    for route in ROUTES:
        path = route.path.replace("{topic}", "orders")
        if route.producers:
            assert _may(producers, route.method, path)
        if route.consumers:
            assert _may(consumers, route.method, path)


def test_a_stage_of_policies_is_made_for_signers_only(with_key: Synthesis, open_to_all: Synthesis) -> None:
    for synthesis in (with_key, open_to_all):
        assert not resources(synthesis.api, "AWS::IAM::ManagedPolicy")
