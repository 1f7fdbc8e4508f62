"""What API Gateway answers by itself reads like the API's own errors."""

from __future__ import annotations

import json
import re

import pytest

from synthesis import REPOSITORY, Synthesis, resources


def _errors(synthesis: Synthesis) -> dict[str, dict]:
    return {
        each["Properties"]["ResponseType"]: each["Properties"]
        for each in resources(synthesis.api, "AWS::ApiGateway::GatewayResponse").values()}


def _document(error: dict) -> dict:
    text = error["ResponseTemplates"]["application/json"]
    # API Gateway puts its own sentence there, with the quotes.
    return json.loads(text.replace("$context.error.messageString", '"Bad Request"'))


@pytest.mark.parametrize("name", ["default", "with_key", "open_to_all", "everything"])
def test_every_error_is_a_problem_document_with_a_known_code(name: str, request: pytest.FixtureRequest) -> None:
    codes = set(re.findall(r'"([a-z_]+)"', _error_codes()))
    errors = _errors(request.getfixturevalue(name))
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED", "ACCESS_DENIED", "REQUEST_TOO_LARGE"} <= set(errors)
    for type_, error in errors.items():
        document = _document(error)
        assert set(document) == {"type", "title", "status", "detail", "code"}, type_
        assert str(document["status"]) == error["StatusCode"], type_
        assert document["code"] in codes | {"unauthorized"}, type_
        headers = error["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'", type_
        assert "gatewayresponse.header.Access-Control-Allow-Origin" in headers, type_
        if document["status"] in (429, 503):
            assert int(headers["gatewayresponse.header.Retry-After"].strip("'")) > 0, type_


def _error_codes() -> str:
    (source,) = [
        text for text in (path.read_text() for path in (REPOSITORY / "Sources/StreamsModel").rglob("*.swift"))
        if "offset_trimmed" in text]
    return source


def test_errors_can_be_read_by_pages_that_may_call(default: Synthesis, with_key: Synthesis) -> None:
    name = "gatewayresponse.header.Access-Control-Allow-Origin"
    assert {each["ResponseParameters"][name] for each in _errors(default).values()} == {"'*'"}
    assert {each["ResponseParameters"][name] for each in _errors(with_key).values()} == {
        "method.request.header.Origin"}


def test_an_unknown_path_is_not_found_where_that_can_be_told(default: Synthesis, with_key: Synthesis) -> None:
    assert _errors(with_key)["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == "404"
    # Where signatures are asked for, API Gateway says the same of a request without one.
    assert _errors(default)["MISSING_AUTHENTICATION_TOKEN"]["StatusCode"] == "403"


def test_a_lost_function_leaves_the_outcome_open(default: Synthesis) -> None:
    document = _document(_errors(default)["DEFAULT_5XX"])
    assert (document["status"], document["code"]) == (503, "outcome_unknown")
