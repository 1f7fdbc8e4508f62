"""What an operator set wrongly is said in one line that names it; secrets are never said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Callable, Iterator

import pytest

from aws_store import AWSStore
from command_line import Outcome, run
from emulators import Credentials, Emulator
from fault_proxy import FaultProxy
from faults import Fault
from fronts import Front
from http_client import Answer
from lambda_front import LambdaFront
from lambda_gateway import Gateway
from messages import problem
from server import Server

MakeFront = Callable[..., Front]
SETTINGS = {
    "BUCKET_NAME": "streams-bucket", "COUNTERS_TABLE": "streams-table", "AWS_REGION": "eu-central-1",
    "AWS_ACCESS_KEY_ID": "AKIDOFSETTINGS", "AWS_SECRET_ACCESS_KEY": "secret-of-settings",
    "AWS_SESSION_TOKEN": "token-of-settings", "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}


def serve(settings: dict[str, str], *arguments: str, store: str = "aws") -> Outcome:
    """Starts a server that ought not to start."""
    return run("serve", "--port", "0", "--store", store, *arguments, environment=settings)


@pytest.mark.parametrize("change, named", [
    ({"BUCKET_NAME": None}, "BUCKET_NAME"),
    ({"BUCKET_NAME": ""}, "BUCKET_NAME"),
    ({"BUCKET_NAME": "Upper_Case"}, "BUCKET_NAME"),
    ({"BUCKET_NAME": "a/b"}, "BUCKET_NAME"),
    ({"COUNTERS_TABLE": None}, "COUNTERS_TABLE"),
    ({"COUNTERS_TABLE": "t!"}, "COUNTERS_TABLE"),
    ({"AWS_REGION": None}, "AWS_REGION"),
    ({"AWS_REGION": "somewhere nice"}, "AWS_REGION"),
    ({"AWS_ENDPOINT_URL": "not a url"}, "AWS_ENDPOINT_URL"),
    ({"AWS_ENDPOINT_URL": "127.0.0.1:4566"}, "AWS_ENDPOINT_URL"),
    ({"AWS_ENDPOINT_URL": "ftp://127.0.0.1"}, "AWS_ENDPOINT_URL"),
    ({"AWS_ENDPOINT_URL_S3": "nonsense"}, "AWS_ENDPOINT_URL_S3"),
    ({"AWS_ENDPOINT_URL_DYNAMODB": "http://"}, "AWS_ENDPOINT_URL_DYNAMODB"),
    ({"STREAMS_RECOVERY_WAIT": "soon"}, "STREAMS_RECOVERY_WAIT"),
    ({"STREAMS_RETENTION": "12h"}, "STREAMS_RETENTION"),
])
def test_a_missing_or_wrong_setting_is_named_at_the_start(change: dict[str, str | None], named: str) -> None:
    settings = {name: value for name, value in (SETTINGS | change).items() if value is not None}
    outcome = serve(settings)
    check_refused(outcome, named)
    # The text that is wrong is shown, so that a typing error is seen.
    wrong = change[next(iter(change))]
    assert not wrong or wrong in outcome.errors


@pytest.mark.parametrize("flag", ["--bucket", "--table"])
def test_a_wrong_flag_is_named_at_the_start(flag: str) -> None:
    check_refused(serve(SETTINGS, flag, "!"), "BUCKET_NAME" if flag == "--bucket" else "COUNTERS_TABLE")


def test_an_unknown_store_is_named_at_the_start() -> None:
    outcome = serve(SETTINGS, store="floppy")
    check_refused(outcome, "--store")
    assert "floppy" in outcome.errors and "aws" in outcome.errors and "sqlite" in outcome.errors


def check_refused(outcome: Outcome, named: str) -> None:
    """The command ended at once, with one line that names the setting, and without a secret."""
    assert outcome.status not in (0, None) and outcome.status > 0, outcome
    assert outcome.output == b""
    lines = [line for line in outcome.errors.splitlines() if named in line]
    assert len(lines) == 1, outcome.errors
    assert not outcome.errors.startswith("Fatal")
    for secret in (SETTINGS["AWS_SECRET_ACCESS_KEY"], SETTINGS["AWS_SESSION_TOKEN"]):
        assert secret not in outcome.errors


def test_flags_win_over_the_environment(make_server: Callable[..., Server], store: AWSStore) -> None:
    wrong = replace(store, bucket="no-such-bucket", table="no-such-table")
    server = make_server(store=wrong, arguments=["--bucket", store.bucket, "--table", store.table]).start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200
    assert len(store.keys("t")) == 1


def test_addresses_of_the_two_services_win_over_the_common_one(
    make_server: Callable[..., Server], store: AWSStore
) -> None:
    server = make_server(store=store, environment={
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ENDPOINT_URL_S3": store.endpoint,
        "AWS_ENDPOINT_URL_DYNAMODB": store.endpoint}).start()
    with server.connect() as connection:
        assert connection.produce("t", b'{"payload":1}').status == 200


# What only shows when AWS is asked


@pytest.mark.parametrize("missing, named", [("bucket", "NoSuchBucket"), ("table", "ResourceNotFoundException")])
def test_a_bucket_or_table_that_is_not_there_is_said(
    make_server: Callable[..., Server], store: AWSStore, missing: str, named: str
) -> None:
    name = f"no-such-{missing}-anywhere"
    variable = {"bucket": "BUCKET_NAME", "table": "COUNTERS_TABLE"}[missing]
    server = make_server(store=replace(store, **{missing: name}))
    server.launch()
    assert server.wait() == 1
    line = logged(server, name)
    assert variable in line
    keep_secrets(store.credentials, server)


@pytest.fixture(scope="module")
def strict_ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """A stand-in that checks signatures and policies."""
    emulator = Emulator("ministack", "--auth", log=tmp_path_factory.mktemp("strict") / "log")
    yield emulator
    emulator.close()


@pytest.fixture
def strict_store(strict_ministack: Emulator) -> AWSStore:
    """An empty store on it."""
    return AWSStore.create(strict_ministack)


ALL_ACTIONS = [
    "s3:GetObject", "s3:PutObject", "s3:ListBucket", "dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:PutItem",
    "dynamodb:DeleteItem", "dynamodb:Query"]


def test_a_role_with_these_actions_and_no_others_is_enough(make_front: MakeFront, strict_store: AWSStore) -> None:
    front = make_front(strict_store.signed_by(strict_store.credentials_allowing(*ALL_ACTIONS)))
    with front.connect() as connection:
        for number in range(1, 4):
            assert connection.produce("t", b'{"payload":1}').json()["offset"] == number
        assert connection.request("PUT", "/topics/empty").status == 201
        assert connection.consume("t", offset=1).status == 200
        assert [each["topic"] for each in connection.get("/topics").json()["topics"]] == ["empty", "t"]
        assert connection.get("/health").status == 200


@pytest.mark.parametrize("lacking", ["s3:PutObject", "dynamodb:UpdateItem"])
def test_a_role_that_may_not_append_is_said_with_the_action_it_lacks(
    make_front: MakeFront, strict_store: AWSStore, lacking: str
) -> None:
    allowed = [each for each in ALL_ACTIONS if each != lacking]
    credentials = strict_store.credentials_allowing(*allowed)
    front = make_front(strict_store.signed_by(credentials))
    with front.connect() as connection:
        answer = connection.produce("t", b'{"payload":1}')
    problem(answer, 503, "unavailable")
    line = logged(front, lacking)
    assert "denied" in line.lower() or "allow" in line.lower()
    keep_secrets(credentials, front, answer)


WRONG_CREDENTIALS = {
    "secret": {"secret_access_key": "a-secret-that-is/wrong+altogether"},
    "key": {"access_key_id": "AKIDNOSUCHKEYATALL00"}, "token": {"session_token": "a-token-that-is/wrong+altogether=="}}


@pytest.mark.parametrize("wrong", WRONG_CREDENTIALS)
def test_wrong_credentials_are_said_at_the_start_and_not_shown(
    make_server: Callable[..., Server], strict_store: AWSStore, wrong: str
) -> None:
    credentials = replace(strict_store.credentials_allowing(*ALL_ACTIONS), **WRONG_CREDENTIALS[wrong])
    server = make_server(store=strict_store.signed_by(credentials))
    server.launch()
    assert server.wait() == 1
    line = logged(server, "AWS_SECRET_ACCESS_KEY" if wrong == "secret" else "AWS_")
    assert "credentials" in line.lower() or "AWS_" in line
    keep_secrets(credentials, server)


@pytest.mark.parametrize("wrong", WRONG_CREDENTIALS)
def test_wrong_credentials_of_a_function_are_said_with_the_first_request_and_not_shown(
    gateway: Gateway, strict_store: AWSStore, wrong: str
) -> None:
    credentials = replace(strict_store.credentials_allowing(*ALL_ACTIONS), **WRONG_CREDENTIALS[wrong])
    function = LambdaFront(gateway, strict_store.signed_by(credentials), {"LOG_LEVEL": "trace"}, processes=1)
    with function.connect() as connection:
        answer = connection.produce("t", b'{"payload":1}')
    problem(answer, 503, "unavailable")
    logged(function, "AWS_SECRET_ACCESS_KEY" if wrong == "secret" else credentials.access_key_id)
    keep_secrets(credentials, function, answer)


def test_health_says_when_aws_does_not_answer(
    make_server: Callable[..., Server], store: AWSStore, proxy: FaultProxy
) -> None:
    server = make_server(store=store).start()
    with server.connect(60) as connection:
        assert connection.get("/health").json()["store"] == "aws"
        for kind in ("dynamodb.GetItem", "dynamodb.Query", "s3.ListObjectsV2", "s3.HeadBucket", "s3.GetObject"):
            proxy.inject(kind, Fault.LOST, times=10_000)
        problem(connection.get("/health"), 503, "unavailable")
        proxy.calm()
        assert connection.get("/health").status == 200


def test_secrets_are_kept_at_the_most_talkative_log_level_and_under_faults(
    make_front: MakeFront, strict_ministack: Emulator, strict_store: AWSStore
) -> None:
    credentials = strict_store.credentials_allowing(*ALL_ACTIONS)
    with FaultProxy(strict_ministack.endpoint) as proxy:
        store = strict_store.signed_by(credentials).behind(proxy.endpoint)
        front = make_front(store, STREAMS_LOG_LEVEL="trace", LOG_LEVEL="trace")
        answers = []
        with front.connect() as connection:
            for fault in (Fault.LOST, Fault.ANSWER_CUT, Fault.INTERNAL_ERROR, Fault.SLOW_DOWN):
                proxy.inject("s3.PutObject", fault)
                answers.append(connection.produce("t", b'{"payload":1}'))
            answers += [connection.get("/metrics"), connection.get("/health"), connection.consume("t")]
        keep_secrets(credentials, front, *answers)


def logged(front: Front, text: str) -> str:
    """The first line of the log with this text."""
    lines = [line for line in front.log().splitlines() if text in line]
    assert lines, f"the log does not say {text!r}:\n{front.log()}"
    return lines[0]


def keep_secrets(credentials: Credentials, front: Front, *answers: Answer) -> None:
    """No secret is in the log, an answer, or a command line."""
    said = front.log() + "".join(f"{answer.headers} {answer.body!r}" for answer in answers)
    # Without answers there was no start.
    if answers:
        said += "".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in front.pids)
    for secret in (credentials.secret_access_key, credentials.session_token):
        assert not secret or secret not in said
    assert "Signature=" not in said
